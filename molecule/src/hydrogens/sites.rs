//! Which atoms get which hydrogens.

use std::collections::HashMap;
use std::sync::Arc;

use glam::Vec3;

use super::choices::{self, Flip, Histidine, HistidineForm};
use super::{NewHydrogen, Options, Shape, Site};
use crate::Element;
use crate::analysis::measurements::dihedral;
use crate::components::{self, Component, ComponentError};
use crate::ligands::{atoms_of_component, neighbours};
use crate::residues;
use crate::structure::{BondOrder, Model, ResidueKind, Topology};

/// Everything decided about a topology.
#[derive(Default)]
pub(super) struct Found {
    pub sites: Vec<Site>,
    pub swaps: Vec<(u32, u32)>,
    pub charges: Vec<(u32, i8)>,
    pub histidines: Vec<Histidine>,
    pub flips: Vec<Flip>,
    pub left_out: Vec<String>,
}

/// A structure's bonds as the sites need them.
pub(super) struct Surroundings {
    /// Heavy neighbours by covalent bonds, primary locations.
    pub heavy: Vec<Vec<(u32, BondOrder)>>,
    pub has_hydrogen: Vec<bool>,
    pub has_metal: Vec<bool>,
}

impl Surroundings {
    pub fn new(topology: &Topology) -> Self {
        let count = topology.atoms.len();
        let mut found =
            Self { heavy: vec![Vec::new(); count], has_hydrogen: vec![false; count], has_metal: vec![false; count] };
        for bond in &topology.bonds {
            for (atom, other) in [(bond.a, bond.b), (bond.b, bond.a)] {
                let held = &topology.atoms[other as usize];
                if held.element == Element::H {
                    found.has_hydrogen[atom as usize] = true;
                } else if held.element.is_metal() {
                    found.has_metal[atom as usize] = true;
                } else if bond.order != BondOrder::Coordination && topology.is_primary_location(other as usize) {
                    found.heavy[atom as usize].push((other, bond.order));
                }
            }
        }
        for (atom, around) in found.heavy.iter_mut().enumerate() {
            let own = topology.atoms[atom].residue;
            around.sort_by_key(|(other, _)| (topology.atoms[*other as usize].residue != own, *other));
        }
        found
    }
}

pub(super) fn find(model: &Model, options: &Options) -> Result<Found, ComponentError> {
    let topology = &model.topology;
    let surroundings = Surroundings::new(topology);
    let mut found = Found::default();
    let chosen = choices::choose(model, &surroundings);
    let forms: HashMap<u32, HistidineForm> =
        chosen.histidines.iter().map(|histidine| (histidine.residue, histidine.form(options.apply_flips))).collect();
    if options.apply_flips {
        found.swaps = chosen.flips.iter().flat_map(|flip| flip.swaps.iter().copied()).collect();
    }
    found.histidines = chosen.histidines;
    found.flips = chosen.flips;
    let starts = chain_starts(topology);
    for (index, residue) in topology.residues.iter().enumerate() {
        if residue.kind == ResidueKind::Water && !options.waters || residues::is_minor_form(topology, index) {
            continue;
        }
        let text = || {
            format!("{} {} {}", topology.chain_of(residue).id, residue.name, residue.number_text()).trim().to_owned()
        };
        let code = residues::component_code(&residue.name, residue.kind);
        let Some(component) = components::lookup(code)? else {
            if residue.kind != ResidueKind::Water {
                found.left_out.push(format!("{}: the component dictionary does not know it", text()));
            }
            continue;
        };
        let is_standard = residues::template_of(&residue.name).is_some() || residue.kind == ResidueKind::Water;
        let atoms = if is_standard {
            standard_atoms(topology, index, &component)
        } else {
            let is_bonded = |a: u32, b: u32| {
                topology.bonds.binary_search_by_key(&(a.min(b), a.max(b)), |bond| (bond.a, bond.b)).is_ok()
            };
            match atoms_of_component(topology, index as u32, &component, is_bonded) {
                Some(atoms) => atoms,
                None => {
                    found.left_out.push(format!("{}: its atoms are not those of the component {code}", text()));
                    continue;
                }
            }
        };
        let work = ResidueWork {
            topology,
            surroundings: &surroundings,
            component,
            atoms,
            name: &residue.name,
            form: forms.get(&(index as u32)).copied(),
            is_start: starts.contains(&(index as u32)),
            is_polymer: residue.is_polymer(),
        };
        work.add_sites(&mut found);
    }
    Ok(found)
}

/// The first amino acid of each chain, where its chain truly starts: no bond to anything before it.
fn chain_starts(topology: &Topology) -> std::collections::HashSet<u32> {
    let first = |chain: &crate::Chain| {
        chain.residues.clone().find(|index| topology.residues[*index as usize].kind == ResidueKind::Protein)
    };
    topology.chains.iter().filter_map(first).collect()
}

/// The atoms of a standard residue by name, whatever else is there.
fn standard_atoms(topology: &Topology, residue: usize, component: &Component) -> Vec<Option<u32>> {
    let mut found = vec![None; component.atoms.len()];
    for atom in topology.atoms_of(&topology.residues[residue]) {
        let held = &topology.atoms[atom];
        if held.element == Element::H || !topology.is_primary_location(atom) {
            continue;
        }
        let name = match held.name.as_str() {
            "OT1" => "O",
            "OT2" => "OXT",
            "CD" if component.code == "ILE" => "CD1",
            "OH2" | "OW" if component.code == "HOH" => "O",
            name => name,
        };
        if let Some(known) = component.atom_named(name).filter(|known| component.atoms[*known].element == held.element)
        {
            found[known] = Some(atom as u32);
        }
    }
    found
}

/// Amino groups whose first hydrogen is cis to an atom, and that atom (Markley et al., J. Mol. Biol. 1998, 280, 933). The
/// dictionary's two sets of coordinates disagree for some of them.
const CIS_FIRST: [(&[&str], &str, &str); 7] = [
    (&["ASN"], "ND2", "CB"),
    (&["GLN"], "NE2", "CG"),
    (&["ARG"], "NH1", "NE"),
    (&["ARG"], "NH2", "NE"),
    (&["G", "DG"], "N2", "N1"),
    (&["A", "DA"], "N6", "N1"),
    (&["C", "DC"], "N4", "N3"),
];

/// Bond lengths to hydrogen in Å where the component has no coordinates.
fn usual_length(element: Element) -> f32 {
    match element {
        Element::O => 0.97,
        Element::N => 1.01,
        Element::S => 1.34,
        _ => 1.09,
    }
}

struct ResidueWork<'a> {
    topology: &'a Topology,
    surroundings: &'a Surroundings,
    component: Arc<Component>,
    /// For each atom of the component the structure's.
    atoms: Vec<Option<u32>>,
    name: &'a str,
    form: Option<HistidineForm>,
    is_start: bool,
    is_polymer: bool,
}

impl ResidueWork<'_> {
    fn add_sites(&self, found: &mut Found) {
        for (known, atom) in self.atoms.iter().enumerate() {
            let Some(atom) = *atom else { continue };
            let (names, charge) = self.hydrogens_of(known, atom);
            if charge != self.topology.atoms[atom as usize].formal_charge && !self.surroundings.has_metal[atom as usize]
            {
                found.charges.push((atom, charge));
            }
            if !names.is_empty() && !self.surroundings.has_hydrogen[atom as usize] {
                found.sites.push(self.site(known, atom, &names));
            }
        }
    }

    /// The hydrogens an atom gets (by index in the component, or a name of their own) and its charge.
    fn hydrogens_of(&self, known: usize, atom: u32) -> (Vec<(Option<usize>, &str)>, i8) {
        let component = &*self.component;
        let held = &component.atoms[known];
        let mut own: Vec<usize> = neighbours(component, known)
            .map(|(next, _)| next)
            .filter(|next| component.atoms[*next].element == Element::H)
            .collect();
        let mut charge = held.charge;
        let named = |own: &[usize]| -> Vec<(Option<usize>, &str)> {
            own.iter().map(|&hydrogen| (Some(hydrogen), component.atoms[hydrogen].name.as_str())).collect()
        };
        let around = &self.surroundings.heavy[atom as usize];
        let residue = self.topology.atoms[atom as usize].residue;
        let links = around.iter().filter(|(other, _)| self.topology.atoms[*other as usize].residue != residue).count();
        if self.is_polymer && held.name == "N" && component.polymer() == components::Polymer::Peptide && links == 0 {
            let is_imino = around.len() == 2;
            if self.is_start {
                let names = if is_imino { ["H2", "H3"].as_slice() } else { &["H1", "H2", "H3"] };
                return (names.iter().map(|name| (None, *name)).collect(), 1);
            }
            // The chain is broken before this residue: what would be there in the whole chain.
            let names = if is_imino { [].as_slice() } else { &["H"] };
            return (names.iter().map(|name| (None, *name)).collect(), 0);
        }
        if held.name == "O5'" && self.is_polymer && own.is_empty() && around.len() == 1 {
            // The 5' end: the component has the phosphate here.
            return (vec![(None, "HO5'")], 0);
        }
        // Atoms of the component that are not there although no bond took their place count as there: the side chain is cut.
        let lost = neighbours(component, known)
            .filter(|(next, _)| component.atoms[*next].element != Element::H && self.atoms[*next].is_none())
            .count();
        let taken = links.saturating_sub(lost);
        own.sort_by_key(|hydrogen| !component.atoms[*hydrogen].is_leaving);
        own.drain(..taken.min(own.len()));
        own.sort_unstable();
        if let Some(form) = self.form
            && component.code == "HIS"
        {
            match held.name.as_str() {
                "ND1" => {
                    return (
                        if form.has_delta() { named(&own) } else { Vec::new() },
                        i8::from(form == HistidineForm::Both),
                    );
                }
                "NE2" if !form.has_epsilon() => return (Vec::new(), 0),
                _ => {}
            }
        }
        let is_bare_thiol = held.element == Element::S && self.surroundings.has_metal[atom as usize];
        let is_kept_acid = matches!(self.name, "ASH" | "GLH");
        let is_acid = held.element == Element::O && self.is_acid(known) && !is_kept_acid;
        if !own.is_empty() && (is_bare_thiol || is_acid || self.name == "CYM" && held.element == Element::S) {
            return (Vec::new(), -1);
        }
        if self.name == "LYN" && held.name == "NZ" {
            own.pop();
            charge = 0;
        }
        if self.name == "ARN" && held.name == "NH2" {
            own.pop();
            charge = 0;
        }
        if held.element == Element::N && self.surroundings.has_metal[atom as usize] && charge == 0 && own.len() == 1 {
            let is_ring = neighbours(component, known).filter(|(next, _)| self.atoms[*next].is_some()).count() == 2;
            if is_ring {
                return (Vec::new(), 0);
            }
        }
        (named(&own), charge)
    }

    /// Whether an oxygen is the hydroxyl of a carboxylic, phosphoric, phosphonic or sulfonic acid.
    fn is_acid(&self, known: usize) -> bool {
        let component = &*self.component;
        let mut heavy = neighbours(component, known).filter(|(next, _)| component.atoms[*next].element != Element::H);
        let (Some((centre, BondOrder::Single)), None) = (heavy.next(), heavy.next()) else { return false };
        let has_double_oxygen = neighbours(component, centre)
            .any(|(next, order)| order == BondOrder::Double && component.atoms[next].element == Element::O);
        matches!(component.atoms[centre].element, Element::C | Element::P | Element::S) && has_double_oxygen
    }

    fn site(&self, known: usize, atom: u32, hydrogens: &[(Option<usize>, &str)]) -> Site {
        let component = &*self.component;
        let around: Vec<u32> = self.surroundings.heavy[atom as usize].iter().map(|(other, _)| *other).collect();
        let element = component.atoms[known].element;
        let host = self.ideal(known);
        let shape = self.shape(known, atom, hydrogens.len(), &around);
        let reference = around.first().and_then(|first| {
            self.surroundings.heavy[*first as usize].iter().map(|(other, _)| *other).find(|other| *other != atom)
        });
        let component_of = |wanted: u32| self.atoms.iter().position(|held| *held == Some(wanted));
        let ideal_of = |wanted: Option<&u32>| self.ideal(component_of(*wanted?)?);
        let (first, second) = (ideal_of(around.first()), ideal_of(around.get(1)));
        let third = ideal_of(reference.as_ref());
        let count = hydrogens.len() as f32;
        let new = hydrogens.iter().enumerate().map(|(index, (in_component, name))| {
            let place = in_component.and_then(|hydrogen| self.ideal(hydrogen));
            let length = match (host, place) {
                (Some(host), Some(place)) => host.distance(place),
                _ => usual_length(element),
            };
            // Where the component does not say: evenly around, the first one trans.
            let spread = match shape {
                Shape::Fixed { .. } if hydrogens.len() == 1 => std::f32::consts::PI,
                _ => std::f32::consts::PI + std::f32::consts::TAU * index as f32 / count,
            };
            let torsion = match (place, host, first, third) {
                (Some(place), Some(host), Some(first), Some(third)) => dihedral(third, first, host, place),
                _ => spread,
            };
            let is_above = match (place, host, first, second) {
                (Some(place), Some(host), Some(first), Some(second)) => {
                    (first - host).cross(second - host).dot(place - host) > 0.0
                }
                _ => index == 0,
            };
            NewHydrogen { name: (*name).into(), length: length.clamp(0.8, 1.7), torsion, is_above }
        });
        let mut site = Site { atom, neighbours: around.clone(), hydrogens: new.collect(), shape, reference };
        let cis = CIS_FIRST
            .iter()
            .find(|(codes, name, _)| codes.contains(&component.code.as_str()) && *name == component.atoms[known].name);
        if let Some((.., reference)) = cis
            && let Some(reference) = component.atom_named(reference).and_then(|known| self.atoms[known])
            && let [first, second] = &mut site.hydrogens[..]
        {
            site.reference = Some(reference);
            (first.torsion, second.torsion) = (0.0, std::f32::consts::PI);
        }
        site
    }

    fn ideal(&self, known: usize) -> Option<Vec3> {
        let component = &*self.component;
        let set = if component.ideal.iter().all(Option::is_some) { &component.ideal } else { &component.model };
        set[known]
    }

    fn shape(&self, known: usize, atom: u32, count: usize, around: &[u32]) -> Shape {
        let component = &*self.component;
        let element = component.atoms[known].element;
        let is_unsaturated = |atom: u32| {
            self.surroundings.heavy[atom as usize]
                .iter()
                .any(|(_, order)| matches!(order, BondOrder::Double | BondOrder::Aromatic | BondOrder::Triple))
        };
        let is_charged_start = element == Element::N && count + around.len() == 4;
        let conjugates =
            matches!(element, Element::N) && !is_charged_start && around.iter().any(|next| is_unsaturated(*next));
        let is_planar = is_unsaturated(atom) || conjugates;
        match around.len() {
            0 => Shape::Free,
            1 => {
                let angle = self.angle(known, is_planar);
                match (count, element) {
                    (1, Element::O | Element::S | Element::SE) => Shape::Rotor { angle, fold: 1 },
                    (1, Element::N) if !is_unsaturated(atom) => Shape::Rotor { angle, fold: 1 },
                    (3, Element::N) => Shape::Rotor { angle, fold: 3 },
                    (2, Element::N) if !is_planar => Shape::Rotor { angle, fold: 1 },
                    _ => Shape::Fixed { angle },
                }
            }
            _ if is_planar => Shape::Planar,
            _ => Shape::Tetrahedral,
        }
    }

    /// The mean angle between the bond to the neighbour and those to the hydrogens.
    fn angle(&self, known: usize, is_planar: bool) -> f32 {
        let component = &*self.component;
        let usual = if is_planar { 120_f32 } else { 109.5 }.to_radians();
        let Some(host) = self.ideal(known) else { return usual };
        let (mut hydrogens, mut first) = (Vec::new(), None);
        for (next, _) in neighbours(component, known) {
            let Some(place) = self.ideal(next) else { continue };
            if component.atoms[next].element == Element::H {
                hydrogens.push(place);
            } else {
                first = first.or(Some(place));
            }
        }
        let (Some(first), false) = (first, hydrogens.is_empty()) else { return usual };
        let sum: f32 = hydrogens.iter().map(|place| (first - host).angle_between(*place - host)).sum();
        (sum / hydrogens.len() as f32).clamp(1.4, 2.4)
    }
}
