//! Which atoms are bonded, for structures whose files do not say.
//!
//! Four sources, in this order of trust:
//! 1. what the file states (CONECT, LINK, SSBOND, `struct_conn`): kept as it is;
//! 2. templates by atom name, bonds with their orders: of standard residues ([`crate::residues`]), and of every component
//!    of the dictionary ([`crate::components`]) whose names, elements and bond lengths are those of the residue. Programs
//!    call any ligand `LIG` or `UNL`, so a name alone says nothing;
//! 3. links between neighbours of a chain: peptide C-N and phosphodiester O3'-P by distance;
//! 4. distance for everything else: bonded when closer than the sum of the covalent radii (Cordero et al., Dalton
//!    Trans. 2008, 2832) plus a tolerance. Within a residue without template the tolerance is 0.4 Å. Between residues it
//!    is tighter the more is known: 0.25 Å with one standard residue, 0.2 Å with two (their covalent links, disulfides
//!    and isopeptides, not their clashes). When an atom has more partners than its element can have, the relatively
//!    longest bonds go.
//!
//! A hydrogen is bonded to the nearest heavy atom only, in its own residue if one is near enough. Metals get
//! coordination bonds to N, O, S, Se, P and halogens; to carbon only at a true metal-carbon distance; never to metals
//! or hydrogen. Atoms of different alternate locations are never bonded.
//!
//! Orders beyond templates and statements are not guessed: [`BondOrder::Single`] there means "not known".
//!
//! Distances are searched with a [`NeighbourGrid`], so the time is linear in the number of atoms. Cells that hold more
//! atoms than matter can (a damaged file with everything at one point) are left without bonds by distance, because
//! pairs there would be quadratic.

use std::collections::HashMap;

use glam::Vec3;
use smol_str::SmolStr;

use crate::analysis::neighbour_grid::NeighbourGrid;
use crate::components;
use crate::element::Element;
use crate::residues::{self, Template};
use crate::structure::{Bond, BondOrder, Topology};

/// Two atoms closer than this (Å) are the same atom twice, not a bond.
const SHORTEST: f32 = 0.4;
/// Longest bond between non-metals that is looked for, Å: the cell size of the search.
const SEARCH_RADIUS: f32 = 2.9;
/// Longest coordination bond that is looked for, Å.
const METAL_RADIUS: f32 = 3.3;
/// Bonds of templates longer than this (Å) are breaks of the model.
const TEMPLATE_LIMIT: f32 = 3.0;
/// Longest peptide and phosphodiester link between neighbours, Å.
const LINK_LIMIT: f32 = 2.1;
/// A component fits while no more than this share of its bonds is longer than bonds are.
const MISFIT_SHARE: f32 = 0.1;
/// Components looked up for one topology; no real structure has as many different ones.
pub(crate) const MOST_COMPONENTS: usize = 1000;
/// More atoms than this in one cell of the search is not matter.
pub(crate) const CROWDED: usize = 400;

/// Finds the bonds of a topology at these positions (one model's) and the kinds of its residues. Bonds already in the
/// topology are kept with their orders; those to metals become coordination bonds.
pub fn assign(topology: &mut Topology, positions: &[Vec3]) {
    let count = topology.atoms.len().min(positions.len());
    let mut bonds: Vec<Bond> = std::mem::take(&mut topology.bonds)
        .into_iter()
        .filter(|bond| bond.a != bond.b && (bond.b as usize) < count)
        .map(|bond| Bond::new(bond.a, bond.b, bond.order))
        .collect();
    // Stated bonds come first and win over what is found below for the same pair, except that a template knows the
    // order where the statement (as in CONECT) does not.
    let stated = bonds.len();
    let is_standard = topology.residues.iter().map(|residue| residues::template_of(&residue.name).is_some()).collect();
    let template_atom = vec![NO_TEMPLATE; topology.atoms.len()];
    let mut search = Search { topology, positions, template_atom, is_standard, found: Vec::new() };
    let by_name = || {
        search.templates();
        search.chain_links();
    };
    let ((), grid) = rayon::join(by_name, || NeighbourGrid::new(&positions[..count], SEARCH_RADIUS));
    if grid.fullest_cell() <= CROWDED {
        search.hydrogens(&grid);
        search.by_distance(&grid);
        search.metals(&grid);
    }
    bonds.append(&mut search.found);
    topology.bonds = merged(topology, bonds, stated);
    residues::assign_kinds(topology);
    backbone_orders(topology);
}

/// Atom not found in its residue's template, or residue without one.
const NO_TEMPLATE: u16 = u16::MAX;

/// What most decisions on a pair need to know of an atom.
struct Place {
    residue: u32,
    is_known: bool,
}

struct Search<'a> {
    topology: &'a Topology,
    positions: &'a [Vec3],
    /// Position in the residue's template for each atom.
    template_atom: Vec<u16>,
    /// For each residue, whether it has one of the standard templates.
    is_standard: Vec<bool>,
    found: Vec<Bond>,
}

impl Search<'_> {
    fn compatible(&self, a: usize, b: usize) -> bool {
        match (self.topology.atoms[a].altloc, self.topology.atoms[b].altloc) {
            (Some(first), Some(second)) => first == second,
            _ => true,
        }
    }

    fn distance(&self, a: usize, b: usize) -> f32 {
        match (self.positions.get(a), self.positions.get(b)) {
            (Some(a), Some(b)) => a.distance(*b),
            _ => f32::INFINITY,
        }
    }

    fn templates(&mut self) {
        let mut by_place: Vec<Vec<u32>> = Vec::new();
        let mut components: HashMap<&SmolStr, Option<Template>> = HashMap::new();
        for residue in &self.topology.residues {
            let standard = residues::template_of(&residue.name);
            let template = match standard {
                Some(template) => template,
                // Nothing to be bonded, and there are many of them.
                None if residues::is_water(&residue.name) || residue.atoms.len() < 2 => continue,
                None => {
                    if components.len() >= MOST_COMPONENTS && !components.contains_key(&residue.name) {
                        continue;
                    }
                    let known = components.entry(&residue.name).or_insert_with(|| {
                        // A damaged dictionary is told where it is asked for; distances serve here.
                        let component = components::lookup(&residue.name).ok().flatten()?;
                        Some(Template::of_component(&component)).filter(|template| !template.atoms.is_empty())
                    });
                    let Some(template) = known else { continue };
                    template
                }
            };
            by_place.iter_mut().for_each(Vec::clear);
            by_place.resize_with(template.atoms.len().max(by_place.len()), Vec::new);
            let mut places = Vec::with_capacity(residue.atoms.len());
            let mut is_complete = true;
            for index in self.topology.atoms_of(residue) {
                let atom = &self.topology.atoms[index];
                let place = template.position(&atom.name).filter(|place| template.elements[*place] == atom.element);
                is_complete &= place.is_some() || atom.element == Element::H;
                if let Some(place) = place {
                    places.push((index, place));
                    by_place[place].push(index as u32);
                }
            }
            if standard.is_none() && !(is_complete && self.fits(template, &by_place)) {
                continue;
            }
            for (index, place) in places {
                self.template_atom[index] = place as u16;
            }
            self.template_bonds(template, &by_place);
        }
    }

    /// Whether the residue's bonds by the template are of the length of bonds.
    fn fits(&self, template: &Template, by_place: &[Vec<u32>]) -> bool {
        let (mut long, mut all) = (0, 0);
        for &(first, second, _) in &template.bonds {
            if let (Some(&a), Some(&b)) = (by_place[first as usize].first(), by_place[second as usize].first())
                && self.compatible(a as usize, b as usize)
            {
                let [first, second] = [first, second].map(|place| template.elements[place as usize]);
                let reach = first.covalent_radius() + second.covalent_radius() + 0.45;
                all += 1;
                long += u32::from(self.distance(a as usize, b as usize) > reach);
            }
        }
        long as f32 <= MISFIT_SHARE * all as f32
    }

    fn template_bonds(&mut self, template: &Template, by_place: &[Vec<u32>]) {
        for &(first, second, order) in &template.bonds {
            // No residue repeats an atom this often; the bound is for files that do.
            for &a in by_place[first as usize].iter().take(26) {
                for &b in by_place[second as usize].iter().take(26) {
                    if self.compatible(a as usize, b as usize) && self.distance(a as usize, b as usize) < TEMPLATE_LIMIT
                    {
                        self.found.push(Bond::new(a, b, order));
                    }
                }
            }
        }
    }

    /// Peptide and phosphodiester links to the next residue of the chain, and over microheterogeneity to the one after.
    fn chain_links(&mut self) {
        for chain in &self.topology.chains {
            for index in chain.residues.clone() {
                let this = &self.topology.residues[index as usize];
                for next in (index + 1..chain.residues.end).take(3) {
                    let next = &self.topology.residues[next as usize];
                    for a in self.topology.atoms_of(this).take(200) {
                        let partner: &[&str] = match self.topology.atoms[a].name.as_str() {
                            "C" if self.topology.atoms[a].element == Element::C => &["N"],
                            "O3'" | "O3*" => &["P"],
                            _ => continue,
                        };
                        for b in self.topology.atoms_of(next).take(200) {
                            if partner.contains(&self.topology.atoms[b].name.as_str())
                                && self.compatible(a, b)
                                && self.distance(a, b) < LINK_LIMIT
                            {
                                self.found.push(Bond::new(a as u32, b as u32, BondOrder::Single));
                            }
                        }
                    }
                }
            }
        }
    }

    fn hydrogens(&mut self, grid: &NeighbourGrid) {
        for index in 0..self.positions.len().min(self.topology.atoms.len()) {
            let atom = &self.topology.atoms[index];
            if atom.element != Element::H {
                continue;
            }
            // (in another residue, distance): its own residue comes first.
            let mut best: Option<((bool, f32), u32)> = None;
            let mut hydrogen: Option<(f32, u32)> = None;
            grid.for_each_within(self.positions[index], 1.65, |other, distance| {
                let partner = &self.topology.atoms[other as usize];
                if other as usize == index || !self.compatible(index, other as usize) || distance < SHORTEST * SHORTEST
                {
                    return;
                }
                let elsewhere = partner.residue != atom.residue;
                if partner.element == Element::H {
                    // Molecular hydrogen: two hydrogens that are their whole residue.
                    let residue = &self.topology.residues[atom.residue as usize];
                    if !elsewhere && residue.atoms.len() == 2 && distance < 0.95 {
                        hydrogen = Some((distance, other));
                    }
                    return;
                }
                let reach = partner.element.covalent_radius() + 0.31 + if elsewhere { 0.2 } else { 0.45 };
                if partner.element.is_metal() || distance > reach * reach {
                    return;
                }
                let rank = (elsewhere, distance);
                if best.is_none_or(|(held, _)| rank < held) {
                    best = Some((rank, other));
                }
            });
            if let Some(other) = best.map(|(_, other)| other).or(hydrogen.map(|(_, other)| other)) {
                self.found.push(Bond::new(index as u32, other, BondOrder::Single));
            }
        }
    }

    fn by_distance(&mut self, grid: &NeighbourGrid) {
        let radii: Vec<f32> = self
            .topology
            .atoms
            .iter()
            .map(|atom| {
                if atom.element.is_metal() || atom.element == Element::H { 0.0 } else { atom.element.covalent_radius() }
            })
            .collect();
        let widest = 2.0 * radii.iter().copied().fold(0.0, f32::max) + 0.4;
        let this = &*self;
        // Nearly all pairs are of one residue and known; to see that without the atoms themselves keeps them out of the cache.
        let atoms = self.topology.atoms.iter().zip(&self.template_atom);
        let places: Vec<Place> =
            atoms.map(|(atom, place)| Place { residue: atom.residue, is_known: *place != NO_TEMPLATE }).collect();
        let mut found = grid.filter_pairs(widest.min(SEARCH_RADIUS), |a, b, squared| {
            let (first, second) = (a as usize, b as usize);
            let (radius_a, radius_b) = (radii[first], radii[second]);
            if radius_a == 0.0 || radius_b == 0.0 {
                return None;
            }
            let widest = radius_a + radius_b + 0.4;
            if squared > widest * widest || squared < SHORTEST * SHORTEST {
                return None;
            }
            let same = places[first].residue == places[second].residue;
            let known = [first, second].map(|atom| places[atom].is_known);
            if (same && known == [true, true]) || !this.compatible(first, second) {
                return None;
            }
            let residues = [first, second].map(|atom| places[atom].residue as usize);
            let standard = [0, 1].map(|end| known[end] && this.is_standard[residues[end]]);
            let mut tolerance = match (same, standard) {
                (true, _) | (false, [false, false]) => 0.4,
                (false, [true, true]) => 0.2,
                (false, _) => 0.25,
            };
            if !same {
                let residues = [first, second].map(|atom| this.topology.residue_of(atom));
                if residues.iter().any(|residue| residues::is_water(&residue.name)) {
                    return None;
                }
                let both_sulfur = [first, second].iter().all(|atom| this.topology.atoms[*atom].element == Element::S);
                if both_sulfur {
                    tolerance = 0.4;
                }
            }
            let reach = radius_a + radius_b + tolerance;
            (squared <= reach * reach)
                .then(|| (Bond::new(a, b, BondOrder::Single), squared.sqrt() / (radius_a + radius_b)))
        });
        self.prune(&mut found);
        self.found.extend(found.into_iter().map(|(bond, _)| bond));
    }

    /// Removes the relatively longest bonds found by distance from atoms that have more partners than they can.
    fn prune(&self, found: &mut Vec<(Bond, f32)>) {
        let mut partners: Vec<u32> = vec![0; self.topology.atoms.len()];
        // Several alternates of one neighbour count once; counting only compatible ones needs the atom's own altloc.
        let counts = |a: u32, b: u32| {
            let (a, b) = (&self.topology.atoms[a as usize], &self.topology.atoms[b as usize]);
            a.altloc.is_some() || b.altloc.is_none() || b.altloc == Some('A')
        };
        let everything = self.found.iter().chain(found.iter().map(|(bond, _)| bond));
        for bond in everything {
            partners[bond.a as usize] += u32::from(counts(bond.a, bond.b));
            partners[bond.b as usize] += u32::from(counts(bond.b, bond.a));
        }
        found.sort_by(|(a, ratio_a), (b, ratio_b)| ratio_b.total_cmp(ratio_a).then(a.cmp(b)));
        let most = |atom: u32| most_partners(self.topology.atoms[atom as usize].element);
        found.retain(|(bond, _)| {
            let is_over = partners[bond.a as usize] > most(bond.a) || partners[bond.b as usize] > most(bond.b);
            if is_over {
                partners[bond.a as usize] -= u32::from(counts(bond.a, bond.b)).min(partners[bond.a as usize]);
                partners[bond.b as usize] -= u32::from(counts(bond.b, bond.a)).min(partners[bond.b as usize]);
            }
            !is_over
        });
    }

    fn metals(&mut self, grid: &NeighbourGrid) {
        for index in 0..self.positions.len().min(self.topology.atoms.len()) {
            let metal = self.topology.atoms[index].element;
            if !metal.is_metal() {
                continue;
            }
            grid.for_each_within(self.positions[index], METAL_RADIUS, |other, squared| {
                let partner = self.topology.atoms[other as usize].element;
                let tolerance = match partner {
                    Element::N | Element::O | Element::S | Element::SE | Element::P => 0.45,
                    Element::C => 0.1,
                    _ if partner.is_halogen() => 0.45,
                    _ => return,
                };
                let reach = metal.covalent_radius() + partner.covalent_radius() + tolerance;
                if squared <= reach * reach
                    && squared > SHORTEST * SHORTEST
                    && self.compatible(index, other as usize)
                    && !(partner == Element::C && matches!(metal, Element::LI | Element::NA | Element::K | Element::CA))
                {
                    self.found.push(Bond::new(index as u32, other, BondOrder::Coordination));
                }
            });
        }
    }
}

/// The most partners an atom of an element has in covalent matter.
fn most_partners(element: Element) -> u32 {
    match element {
        Element::H | Element::F => 1,
        Element::O => 2,
        Element::N | Element::C => 4,
        // Hypervalent iodine, bromine and chlorine exist; chlorates have four.
        Element::CL | Element::BR | Element::I => 4,
        Element::S | Element::SE | Element::P => 6,
        _ => 12,
    }
}

/// Bonds sorted, each pair once. The first `stated` are the file's: their order wins unless it is only "single", which
/// files use for "not known", where a template's order may speak.
fn merged(topology: &Topology, bonds: Vec<Bond>, stated: usize) -> Vec<Bond> {
    // The lower ends are sorted by counting: there are about as many bonds as atoms.
    let mut starts = vec![0_u32; topology.atoms.len() + 1];
    bonds.iter().for_each(|bond| starts[bond.a as usize + 1] += 1);
    for atom in 0..topology.atoms.len() {
        starts[atom + 1] += starts[atom];
    }
    let mut next = starts.clone();
    let mut ranked = vec![(Bond::new(0, 0, BondOrder::Single), 0_u32); bonds.len()];
    for (rank, bond) in bonds.into_iter().enumerate() {
        let slot = &mut next[bond.a as usize];
        ranked[*slot as usize] = (bond, rank as u32);
        *slot += 1;
    }
    for ends in starts.windows(2) {
        ranked[ends[0] as usize..ends[1] as usize].sort_unstable_by_key(|(bond, rank)| (bond.b, *rank));
    }
    let mut merged: Vec<Bond> = Vec::with_capacity(ranked.len());
    for (mut bond, rank) in ranked {
        let has_metal = [bond.a, bond.b].iter().any(|end| topology.atoms[*end as usize].element.is_metal());
        if has_metal {
            bond.order = BondOrder::Coordination;
        }
        match merged.last_mut() {
            Some(last) if last.a == bond.a && last.b == bond.b => {
                if last.order == BondOrder::Single && rank as usize >= stated {
                    last.order = bond.order;
                }
            }
            _ => merged.push(bond),
        }
    }
    merged
}

/// Gives modified amino acids, found by their backbone, the carbonyl that every amino acid has.
fn backbone_orders(topology: &mut Topology) {
    let Topology { atoms, residues, bonds, .. } = topology;
    for bond in bonds.iter_mut().filter(|bond| bond.order == BondOrder::Single) {
        let (a, b) = (&atoms[bond.a as usize], &atoms[bond.b as usize]);
        let is_carbonyl = matches!((a.name.as_str(), b.name.as_str()), ("C", "O") | ("O", "C"));
        if is_carbonyl
            && a.residue == b.residue
            && [a.element, b.element].iter().all(|element| matches!(*element, Element::C | Element::O))
            && residues[a.residue as usize].kind == crate::structure::ResidueKind::Protein
        {
            bond.order = BondOrder::Double;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::formats::{pdb, read_small_molecules, read_structure};
    use crate::structure::{Bond, BondOrder, ResidueKind, Structure};

    fn sample(path: &str) -> std::path::PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../samples").join(path)
    }

    fn bonds_of(text: &str) -> Vec<(u32, u32, BondOrder)> {
        let structure = pdb::read(text.as_bytes()).unwrap();
        structure.models[0].topology.bonds.iter().map(|bond| (bond.a, bond.b, bond.order)).collect()
    }

    #[test]
    fn distances_find_the_bonds_of_drawn_ligands() {
        for path in [
            "kinase/ligand.sdf",
            "protease/ligand.sdf",
            "nuclear-receptor/ligand.sdf",
            "thrombin-series/reference_ligand.sdf",
        ] {
            for molecule in read_small_molecules(&sample(path)).unwrap() {
                let structure = molecule.to_structure("A", "LIG");
                let model = structure.first().unwrap();
                let mut topology = (*model.topology).clone();
                topology.bonds.clear();
                super::assign(&mut topology, &model.positions);
                let ends = |bonds: &[Bond]| bonds.iter().map(|bond| (bond.a, bond.b)).collect::<Vec<_>>();
                assert_eq!(ends(&topology.bonds), ends(&molecule.bonds), "{path}");
            }
        }
    }

    /// How many partners each atom has, for the atoms of standard residues.
    fn check_valences(structure: &Structure) {
        let topology = &structure.first().unwrap().topology;
        let mut orders = vec![0.0_f32; topology.atoms.len()];
        for bond in &topology.bonds {
            let order = match bond.order {
                BondOrder::Coordination => 0.0,
                BondOrder::Single => 1.0,
                BondOrder::Aromatic => 1.5,
                BondOrder::Double => 2.0,
                BondOrder::Triple => 3.0,
            };
            orders[bond.a as usize] += order;
            orders[bond.b as usize] += order;
        }
        for (index, order) in orders.iter().enumerate() {
            let residue = topology.residue_of(index);
            if residue.is_polymer() {
                let place = format!("{} {} {}", residue.name, residue.number, topology.atoms[index].name);
                assert!(*order >= 1.0 && *order <= 5.0, "{place}: {order}");
            }
        }
        // Every chain without a gap is in one piece: one peptide or phosphodiester link fewer than residues.
        for chain in &topology.chains {
            let polymer =
                chain.residues.clone().filter(|index| topology.residues[*index as usize].is_polymer()).count();
            let links = topology.bonds.iter().filter(|bond| {
                let ends = [bond.a, bond.b].map(|atom| topology.atoms[atom as usize].residue);
                ends[0] != ends[1]
                    && ends.iter().all(|residue| chain.residues.contains(residue))
                    && matches!(topology.atoms[bond.a as usize].name.as_str(), "C" | "O3'" | "P" | "N")
                    && bond.order == BondOrder::Single
            });
            assert!(links.count() + 1 >= polymer, "chain {}", chain.id);
        }
    }

    #[test]
    fn polymers_are_whole_and_within_valence() {
        check_valences(&read_structure(&sample("adenylate-kinase/closed.pdb")).unwrap());
        check_valences(&read_structure(&sample("dna-complex/complex.pdb")).unwrap());
        check_valences(&read_structure(&sample("protease/receptor.pdb")).unwrap());
    }

    #[test]
    fn kinds_follow_names_atoms_and_links() {
        let structure = read_structure(&sample("dna-complex/complex.pdb")).unwrap();
        let topology = &structure.first().unwrap().topology;
        let count = |kind| topology.residues.iter().filter(|residue| residue.kind == kind).count();
        assert_eq!((count(ResidueKind::Protein), count(ResidueKind::Dna), count(ResidueKind::Rna)), (51, 22, 0));
        // Glutamate alone is a ligand.
        let text = "\
HETATM    1  N   GLU A   1       0.000   1.450   0.000
HETATM    2  CA  GLU A   1       0.000   0.000   0.000
HETATM    3  C   GLU A   1       1.500   0.000   0.000
HETATM    4 CL    CL A   2       9.000   0.000   0.000
";
        let structure = pdb::read(text.as_bytes()).unwrap();
        let kinds: Vec<ResidueKind> =
            structure.models[0].topology.residues.iter().map(|residue| residue.kind).collect();
        assert_eq!(kinds, [ResidueKind::Ligand, ResidueKind::Ion]);
    }

    #[test]
    fn residues_outside_the_standard_get_their_bonds_from_the_dictionary() {
        let text = "\
HETATM    1  N   SEP A   1       0.000   1.450   0.000
HETATM    2  CA  SEP A   1       0.000   0.000   0.000
HETATM    3  C   SEP A   1       1.500   0.000   0.000
HETATM    4  O   SEP A   1       2.100   1.050   0.000
ATOM      5  N   GLY A   2       2.100  -1.150   0.000
HETATM    6  P   SO4 A   9      20.000   0.000   0.000
HETATM    7  C1  BEN A  10      30.000   0.000   0.000
HETATM    8  C2  BEN A  10      31.390   0.000   0.000
HETATM    9  C   BEN A  10      29.250   1.290   0.000
HETATM   10  N1  BEN A  10      28.000   1.290   0.000
";
        let structure = pdb::read(text.as_bytes()).unwrap();
        let topology = &structure.models[0].topology;
        assert_eq!(topology.residues[0].kind, ResidueKind::Protein);
        let found: Vec<(u32, u32, BondOrder)> =
            topology.bonds.iter().map(|bond| (bond.a, bond.b, bond.order)).collect();
        let wanted = [
            (0, 1, BondOrder::Single),
            (1, 2, BondOrder::Single),
            (2, 3, BondOrder::Double),
            (2, 4, BondOrder::Single),
            (6, 7, BondOrder::Aromatic),
            (6, 8, BondOrder::Single),
            (8, 9, BondOrder::Double),
        ];
        assert_eq!(found, wanted);
    }

    #[test]
    fn alternate_locations_are_not_bonded_to_each_other() {
        let text = "\
ATOM      1  CA  SER A   1       0.000   0.000   0.000
ATOM      2  CB ASER A   1       1.530   0.000   0.000
ATOM      3  CB BSER A   1       1.400   0.600   0.000
ATOM      4  OG ASER A   1       2.000   1.300   0.000
ATOM      5  OG BSER A   1       2.600   1.300   0.000
";
        let pairs: Vec<(u32, u32)> = bonds_of(text).into_iter().map(|(a, b, _)| (a, b)).collect();
        assert_eq!(pairs, [(0, 1), (0, 2), (1, 3), (2, 4)]);
    }

    #[test]
    fn disulfides_hydrogens_and_metals() {
        let text = "\
ATOM      1  SG  CYS A   1       0.000   0.000   0.000
ATOM      2  SG  CYS B   9       2.050   0.000   0.000
HETATM    3  O   HOH A  20      10.000   0.000   0.000
HETATM    4  H1  HOH A  20      10.960   0.000   0.000
HETATM    5  O   HOH A  21      12.500   0.000   0.000
HETATM    6 ZN    ZN A  30      10.000   2.100   0.000
HETATM    7 ZN    ZN A  31      10.000   4.500   0.000
";
        let found = bonds_of(text);
        // Chain A comes first: SG, O, H1, O, ZN, ZN; then chain B.
        assert_eq!(found, [(0, 6, BondOrder::Single), (1, 2, BondOrder::Single), (1, 4, BondOrder::Coordination)]);
    }

    #[test]
    fn a_heap_of_atoms_at_one_place_costs_no_time() {
        let mut text = String::new();
        for _ in 0..20_000 {
            text.push_str("HETATM    1  C   LIG A   1       0.000   0.000   0.000\n");
        }
        assert!(bonds_of(&text).is_empty());
    }
}
