//! The ligands of a structure as molecules with the chemistry that the component dictionary knows.
//!
//! Structure files say which atoms a ligand has and where they are; orders of bonds, charges and configuration are the
//! dictionary's, by atom name. A residue counts as its component when all its atoms are there by name and element and
//! nearly all the component's bonds between them exist. Any other ligand keeps the bonds that the structure has (from the
//! file or from distances, see [`crate::bonds`]), and says so.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use glam::Vec3;

use crate::components::{self, BondStereo, CentreStereo, Component, ComponentError};
use crate::structure::{Bond, BondOrder, Model, ResidueKind, Topology};
use crate::{Element, SmallMolecule, SmallMoleculeAtom, Stereo};

/// A residue is its component while no more than this share of the bonds is not there.
const MISFIT_SHARE: f32 = 0.1;

/// A ligand taken out of a structure: one residue, or several that are bonded to each other (a glycan).
#[derive(Clone, Debug)]
pub struct Ligand {
    /// Its residues, by index, in order.
    pub residues: Vec<u32>,
    /// Its heavy atoms (primary locations) in the structure's order with names, Kekulé bonds, charges, and the structure's
    /// positions as the one conformer.
    pub molecule: SmallMolecule,
    /// For each atom of the molecule its index in the structure.
    pub atoms: Vec<u32>,
    /// Whether the dictionary knows every residue of it, so that orders and charges are right. Else they are those of the
    /// structure, in which single also stands for "not known".
    pub is_known: bool,
    /// Heavy atoms that the dictionary has and the structure lacks, each as residue, number and name. Atoms that give way
    /// to a bond to another residue are not counted.
    pub missing: Vec<String>,
    /// Centres and double bonds whose configuration is not the dictionary's, each as residue, number and names.
    pub wrong_stereo: Vec<String>,
    /// Covalent bonds to residues that are not part of the ligand: atom of the ligand, atom of the other, by index in the
    /// structure.
    pub attachments: Vec<(u32, u32)>,
}

impl Ligand {
    /// Whether it is known, whole, and of the configuration that the dictionary gives.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.is_known && self.missing.is_empty() && self.wrong_stereo.is_empty()
    }
}

/// All ligands of a model (residues of the kinds ligand and carbohydrate), in order.
///
/// # Errors
/// When the component dictionary is damaged.
pub fn ligands(model: &Model) -> Result<Vec<Ligand>, ComponentError> {
    let topology = &model.topology;
    let wanted: Vec<bool> = topology
        .residues
        .iter()
        .map(|residue| matches!(residue.kind, ResidueKind::Ligand | ResidueKind::Carbohydrate))
        .collect();
    let around = topology.neighbours();
    groups(topology, &wanted).into_iter().map(|residues| taken_out(model, &around, residues)).collect()
}

/// The molecule of one residue, whatever its kind, as the component it is. Bonds to other residues are attachments.
///
/// # Errors
/// When the component dictionary is damaged.
pub fn ligand_of_residue(model: &Model, residue: u32) -> Result<Ligand, ComponentError> {
    taken_out(model, &model.topology.neighbours(), vec![residue])
}

/// Residues joined by covalent bonds among the wanted ones.
fn groups(topology: &Topology, wanted: &[bool]) -> Vec<Vec<u32>> {
    let mut group_of: Vec<u32> = (0..topology.residues.len() as u32).collect();
    fn root(group_of: &mut [u32], mut at: u32) -> u32 {
        while group_of[at as usize] != at {
            group_of[at as usize] = group_of[group_of[at as usize] as usize];
            at = group_of[at as usize];
        }
        at
    }
    for bond in topology.bonds.iter().filter(|bond| bond.order != BondOrder::Coordination) {
        let [a, b] = [bond.a, bond.b].map(|atom| topology.atoms[atom as usize].residue);
        if a != b && wanted[a as usize] && wanted[b as usize] {
            let (a, b) = (root(&mut group_of, a), root(&mut group_of, b));
            group_of[a.max(b) as usize] = a.min(b);
        }
    }
    let mut groups: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for residue in (0..wanted.len() as u32).filter(|residue| wanted[*residue as usize]) {
        groups.entry(root(&mut group_of, residue)).or_default().push(residue);
    }
    groups.into_values().collect()
}

/// For each atom of a topology its neighbours and the index of the bond.
type Around = [Vec<(u32, u32)>];

fn taken_out(model: &Model, around: &Around, residues: Vec<u32>) -> Result<Ligand, ComponentError> {
    let topology = &model.topology;
    let mut ligand = Ligand {
        molecule: SmallMolecule::default(),
        atoms: Vec::new(),
        is_known: true,
        missing: Vec::new(),
        wrong_stereo: Vec::new(),
        attachments: Vec::new(),
        residues,
    };
    let names: Vec<&str> =
        ligand.residues.iter().map(|residue| topology.residues[*residue as usize].name.as_str()).collect();
    ligand.molecule.name = names.join("-");
    for residue in &ligand.residues {
        let residue = &topology.residues[*residue as usize];
        let heavy = topology
            .atoms_of(residue)
            .filter(|&atom| topology.atoms[atom].element != Element::H && topology.is_primary_location(atom));
        ligand.atoms.extend(heavy.map(|atom| atom as u32));
    }
    let place: HashMap<u32, u32> = ligand.atoms.iter().copied().zip(0..).collect();
    ligand.molecule.atoms = ligand
        .atoms
        .iter()
        .map(|atom| {
            let atom = &topology.atoms[*atom as usize];
            SmallMoleculeAtom {
                element: atom.element,
                formal_charge: atom.formal_charge,
                isotope: None,
                fixed_hydrogens: None,
                name: atom.name.clone(),
            }
        })
        .collect();
    ligand.molecule.conformers = vec![ligand.atoms.iter().map(|atom| model.positions[*atom as usize]).collect()];
    let mut bonds: BTreeMap<(u32, u32), BondOrder> = BTreeMap::new();
    for (mine, &atom) in (0..).zip(&ligand.atoms) {
        for &(other, bond) in &around[atom as usize] {
            let order = topology.bonds[bond as usize].order;
            match place.get(&other) {
                Some(theirs) => {
                    bonds.insert((mine.min(*theirs), mine.max(*theirs)), order);
                }
                None if is_attachment(topology, order, other) => ligand.attachments.push((atom, other)),
                None => {}
            }
        }
    }
    for residue in ligand.residues.clone() {
        match known_residue(topology, residue, &place, &bonds)? {
            Some(known) => known.describe(topology, around, &place, &mut bonds, &mut ligand),
            None => ligand.is_known = false,
        }
    }
    ligand.molecule.bonds = bonds.into_iter().map(|((a, b), order)| Bond::new(a, b, order)).collect();
    Ok(ligand)
}

fn is_attachment(topology: &Topology, order: BondOrder, other: u32) -> bool {
    order != BondOrder::Coordination
        && topology.atoms[other as usize].element != Element::H
        && topology.is_primary_location(other as usize)
}

/// A residue that is the component of its name.
struct KnownResidue {
    residue: u32,
    component: Arc<Component>,
    /// The component without hydrogens.
    bare: SmallMolecule,
    /// For each atom of the component its index in the structure.
    found: Vec<Option<u32>>,
}

fn known_residue(
    topology: &Topology,
    index: u32,
    place: &HashMap<u32, u32>,
    bonds: &BTreeMap<(u32, u32), BondOrder>,
) -> Result<Option<KnownResidue>, ComponentError> {
    let residue = &topology.residues[index as usize];
    let Some(component) = components::lookup(&residue.name)? else { return Ok(None) };
    let is_bonded = |a: u32, b: u32| {
        let (a, b) = (place[&a], place[&b]);
        bonds.contains_key(&(a.min(b), a.max(b)))
    };
    let Some(found) = atoms_of_component(topology, index, &component, is_bonded) else { return Ok(None) };
    let bare = component.to_small_molecule(false);
    Ok(Some(KnownResidue { residue: index, component, bare, found }))
}

/// For each atom of the component the residue's heavy atom (primary location) of its name; nothing when the residue is
/// another molecule.
pub(crate) fn atoms_of_component(
    topology: &Topology,
    residue: u32,
    component: &Component,
    is_bonded: impl Fn(u32, u32) -> bool,
) -> Option<Vec<Option<u32>>> {
    let mut found = vec![None; component.atoms.len()];
    for atom in topology.atoms_of(&topology.residues[residue as usize]) {
        let held = &topology.atoms[atom];
        if held.element != Element::H && topology.is_primary_location(atom) {
            // AMBER's name in the methylamide at the end of a chain.
            let name = if component.code == "NME" && held.name == "CH3" { "C" } else { held.name.as_str() };
            let known = component.atom_named(name)?;
            if component.atoms[known].element != held.element {
                return None;
            }
            found[known] = Some(atom as u32);
        }
    }
    let (mut absent, mut all) = (0, 0);
    for bond in &component.bonds {
        if let (Some(a), Some(b)) = (found[bond.a as usize], found[bond.b as usize]) {
            all += 1;
            absent += u32::from(!is_bonded(a, b));
        }
    }
    (absent as f32 <= MISFIT_SHARE * all as f32).then_some(found)
}

impl KnownResidue {
    /// Gives the ligand the orders and charges of this residue, and tells what is missing or of the wrong configuration.
    fn describe(
        &self,
        topology: &Topology,
        around: &Around,
        place: &HashMap<u32, u32>,
        bonds: &mut BTreeMap<(u32, u32), BondOrder>,
        ligand: &mut Ligand,
    ) {
        let Self { component, found, bare, .. } = self;
        let mine: HashSet<u32> = found.iter().flatten().map(|atom| place[atom]).collect();
        bonds.retain(|(a, b), _| !(mine.contains(a) && mine.contains(b)));
        let heavy: Vec<usize> = (0..component.atoms.len()).filter(|&atom| !component.is_plain_hydrogen(atom)).collect();
        for bond in &bare.bonds {
            if let [Some(a), Some(b)] = [bond.a, bond.b].map(|atom| found[heavy[atom as usize]]) {
                let (a, b) = (place[&a], place[&b]);
                bonds.insert((a.min(b), a.max(b)), bond.order);
            }
        }
        for (atom, known) in bare.atoms.iter().zip(&heavy) {
            if let Some(held) = found[*known] {
                ligand.molecule.atoms[place[&held] as usize].formal_charge = atom.formal_charge;
            }
        }
        let held = &topology.residues[self.residue as usize];
        let text = format!("{} {}", held.name, held.number_text());
        let is_linked = |atom: u32| {
            around[atom as usize].iter().any(|&(other, bond)| {
                topology.bonds[bond as usize].order != BondOrder::Coordination
                    && topology.atoms[other as usize].residue != self.residue
            })
        };
        for &atom in heavy.iter().filter(|&&atom| found[atom].is_none()) {
            let gives_way = neighbours(component, atom).any(|(next, _)| found[next].is_some_and(is_linked));
            if !gives_way {
                ligand.missing.push(format!("{text} {}", component.atoms[atom].name));
            }
        }
        self.check_stereo(&text, place, ligand);
    }

    fn check_stereo(&self, text: &str, place: &HashMap<u32, u32>, ligand: &mut Ligand) {
        let Self { component, found, .. } = self;
        // Coordinates of the dictionary that show the configuration, and those of the structure in the same order.
        let reference = if component.ideal.iter().all(Option::is_some) { &component.ideal } else { &component.model };
        let known: Vec<Vec3> = reference.iter().map(|held| held.unwrap_or(Vec3::ZERO)).collect();
        let Some(conformer) = ligand.molecule.conformers.first() else { return };
        let seen: Vec<Vec3> =
            found.iter().map(|held| held.map_or(Vec3::ZERO, |atom| conformer[place[&atom] as usize])).collect();
        let is_usable = |atom: usize| reference[atom].is_some() && found[atom].is_some();
        let differs = |stereo: Stereo| {
            stereo.is_satisfied_by(&known).is_some_and(|sense| stereo.is_satisfied_by(&seen) == Some(!sense))
        };
        let mut wrong = Vec::new();
        for centre in 0..component.atoms.len() {
            let around: Vec<u32> = neighbours(component, centre)
                .filter(|(next, _)| is_usable(*next))
                .map(|(next, _)| next as u32)
                .collect();
            if let [a, b, c, ..] = around[..]
                && component.atoms[centre].stereo != CentreStereo::None
                && component.atoms[centre].element != Element::P
                && is_usable(centre)
            {
                let stereo =
                    Stereo::Tetrahedral { centre: centre as u32, neighbours: [a, b, c], counterclockwise: true };
                if differs(stereo) {
                    wrong.push(format!("{text} {}", component.atoms[centre].name));
                }
            }
        }
        for bond in component.bonds.iter().filter(|bond| bond.stereo != BondStereo::None) {
            let ends = [bond.a as usize, bond.b as usize];
            let side = |from: usize, other: usize| {
                neighbours(component, from).map(|(next, _)| next).find(|next| *next != other && is_usable(*next))
            };
            if let (Some(first), Some(second)) = (side(ends[0], ends[1]), side(ends[1], ends[0]))
                && bond.order == BondOrder::Double
                && ends.iter().all(|end| is_usable(*end))
            {
                let stereo = Stereo::DoubleBond {
                    atoms: [bond.a, bond.b],
                    neighbours: [first as u32, second as u32],
                    same_side: true,
                };
                if differs(stereo) {
                    let names = ends.map(|end| component.atoms[end].name.as_str());
                    wrong.push(format!("{text} {}={}", names[0], names[1]));
                }
            }
        }
        ligand.wrong_stereo.extend(wrong);
    }
}

/// Neighbours of an atom of a component with the order of the bond.
pub(crate) fn neighbours(component: &Component, atom: usize) -> impl Iterator<Item = (usize, BondOrder)> {
    component.bonds.iter().filter_map(move |bond| match (bond.a as usize, bond.b as usize) {
        (a, b) if a == atom => Some((b, bond.order)),
        (a, b) if b == atom => Some((a, bond.order)),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::{pdb, read_structure};
    use crate::structure::Structure;

    /// A structure of one component at its ideal coordinates, without hydrogens; some atoms left out, places changed.
    fn made(code: &str, residue_name: &str, without: &[&str], change: impl Fn(&str, Vec3) -> Vec3) -> Structure {
        let mut molecule = components::lookup(code).unwrap().unwrap().to_small_molecule(false);
        for index in 0..molecule.atoms.len() {
            let name = molecule.atoms[index].name.clone();
            molecule.conformers[0][index] = change(&name, molecule.conformers[0][index]);
        }
        let structure = molecule.to_structure("A", residue_name);
        let text = pdb::write(&structure).unwrap();
        let kept: Vec<&str> =
            text.lines().filter(|line| line.starts_with("HETATM") && !without.contains(&line[12..16].trim())).collect();
        pdb::read(kept.join("\n").as_bytes()).unwrap()
    }

    fn only(structure: &Structure) -> Ligand {
        let mut found = ligands(&structure.models[0]).unwrap();
        assert_eq!(found.len(), 1);
        found.remove(0)
    }

    #[test]
    fn orders_charges_and_configuration_are_the_dictionarys() {
        for code in ["ATP", "STI", "HEM", "RET", "CLR", "NAD", "BEN", "PLP"] {
            let ligand = only(&made(code, code, &[], |_, place| place));
            assert!(ligand.is_sound(), "{code}: {:?} {:?}", ligand.missing, ligand.wrong_stereo);
            let component = components::lookup(code).unwrap().unwrap().to_small_molecule(false);
            let by_names = |molecule: &SmallMolecule| {
                let mut bonds: Vec<_> = molecule
                    .bonds
                    .iter()
                    .map(|bond| {
                        let mut ends = [bond.a, bond.b].map(|atom| molecule.atoms[atom as usize].name.clone());
                        ends.sort();
                        (ends, bond.order)
                    })
                    .collect();
                bonds.sort();
                bonds
            };
            assert_eq!(by_names(&ligand.molecule), by_names(&component), "{code}");
        }
    }

    #[test]
    fn missing_atoms_and_the_other_configuration_are_told() {
        let ligand = only(&made("ATP", "ATP", &["N6", "O3'"], |_, place| place));
        assert_eq!((ligand.is_known, ligand.is_sound()), (true, false));
        assert_eq!(ligand.missing, ["ATP 1 O3'", "ATP 1 N6"]);
        let mirrored = only(&made("CLR", "CLR", &[], |_, place| place * Vec3::new(-1.0, 1.0, 1.0)));
        assert_eq!(mirrored.wrong_stereo.len(), 8, "{:?}", mirrored.wrong_stereo);
        assert!(mirrored.wrong_stereo.contains(&"CLR 1 C3".to_owned()));
    }

    #[test]
    fn another_molecule_under_a_known_name_keeps_its_own_bonds() {
        // Names of caffeine, but each atom somewhere else: the dictionary's bonds would be nonsense.
        let caffeine = components::lookup("CFF").unwrap().unwrap().to_small_molecule(false);
        let places = caffeine.conformers[0].clone();
        let structure = made("CFF", "CFF", &[], |name, _| {
            let index = caffeine.atoms.iter().position(|atom| atom.name == name).unwrap();
            places[(index * 5 + 3) % places.len()]
        });
        let ligand = only(&structure);
        assert!(!ligand.is_known);
        assert!(ligand.molecule.bonds.iter().all(|bond| {
            ligand.molecule.conformers[0][bond.a as usize].distance(ligand.molecule.conformers[0][bond.b as usize])
                < 2.0
        }));
        assert!(!only(&made("CFF", "??1", &[], |_, place| place)).is_known);
    }

    #[test]
    fn the_inhibitor_of_a_sample_is_whole() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../samples/adenylate-kinase/closed.pdb");
        let structure = read_structure(std::path::Path::new(path)).unwrap();
        let ligand = only(&structure);
        assert_eq!(ligand.molecule.name, "AP5");
        assert!(ligand.is_sound(), "{:?} {:?}", ligand.missing, ligand.wrong_stereo);
        assert!(ligand.attachments.is_empty());
        let doubles = ligand.molecule.bonds.iter().filter(|bond| bond.order == BondOrder::Double).count();
        // Five phosphates and two adenines of four.
        assert_eq!(doubles, 5 + 8);
    }
}
