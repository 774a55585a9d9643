//! Which bonds of a ligand turn, and how many torsions the scoring functions count.
//!
//! Single bonds outside rings turn, with AutoDock's exceptions as Meeko applies them today: amides, amidines and
//! thioamides stay as they are unless the nitrogen carries two different groups (then cis and trans are both real);
//! about `X-C#C-Y` there is one torsion, not two. A bond that moves only hydrogens makes no torsion of the search, but
//! Vina's count gives half a torsion to one that moves polar hydrogens (hydroxyls, amines).

use std::collections::VecDeque;

use kfold_molecule::{BondOrder, Element, SmallMolecule};

/// The torsions of a ligand.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rotors {
    /// Bonds, by index, that move heavy atoms on both sides.
    pub bonds: Vec<usize>,
    /// Torsions as the scoring functions count them.
    pub torsion_count: f32,
}

/// Finds the torsions of a molecule.
#[must_use]
pub fn rotors(molecule: &SmallMolecule) -> Rotors {
    let graph = Graph::new(molecule);
    let mut rotors = Rotors::default();
    for (index, bond) in molecule.bonds.iter().enumerate() {
        let (a, b) = (bond.a as usize, bond.b as usize);
        if graph.is_hydrogen(a) || graph.is_hydrogen(b) || !graph.turns(index) {
            continue;
        }
        let heavy = (graph.heavy_degree(a), graph.heavy_degree(b));
        if heavy.0 > 1 && heavy.1 > 1 {
            rotors.bonds.push(index);
            rotors.torsion_count += 1.0;
        } else if (heavy.0 == 1 && heavy.1 > 1 && graph.has_polar_hydrogen(a))
            || (heavy.1 == 1 && heavy.0 > 1 && graph.has_polar_hydrogen(b))
        {
            rotors.torsion_count += 0.5;
        }
    }
    rotors
}

struct Graph<'a> {
    molecule: &'a SmallMolecule,
    neighbours: Vec<Vec<(u32, u32)>>,
    is_in_ring: Vec<bool>,
    symmetry_class: Vec<u64>,
}

impl<'a> Graph<'a> {
    fn new(molecule: &'a SmallMolecule) -> Self {
        let neighbours = molecule.neighbours();
        let is_in_ring = (0..molecule.bonds.len()).map(|bond| is_in_ring(molecule, &neighbours, bond)).collect();
        let symmetry_class = symmetry_classes(molecule, &neighbours);
        Self { molecule, neighbours, is_in_ring, symmetry_class }
    }

    fn element(&self, atom: usize) -> Element {
        self.molecule.atoms[atom].element
    }

    fn is_hydrogen(&self, atom: usize) -> bool {
        self.element(atom) == Element::H
    }

    fn order(&self, bond: u32) -> BondOrder {
        self.molecule.bonds[bond as usize].order
    }

    fn heavy_degree(&self, atom: usize) -> usize {
        self.neighbours[atom].iter().filter(|&&(other, _)| !self.is_hydrogen(other as usize)).count()
    }

    /// Order sum of the bonds, and how many bonds there are.
    fn valence(&self, atom: usize) -> (i32, usize) {
        let mut twice = 0;
        for &(_, bond) in &self.neighbours[atom] {
            twice += match self.order(bond) {
                BondOrder::Single => 2,
                BondOrder::Aromatic => 3,
                BondOrder::Double => 4,
                BondOrder::Triple => 6,
                BondOrder::Coordination => 0,
            };
        }
        (twice / 2, self.neighbours[atom].len())
    }

    fn has_polar_hydrogen(&self, atom: usize) -> bool {
        let full = match self.element(atom) {
            Element::N | Element::P => 3,
            Element::O | Element::S => 2,
            _ => return false,
        };
        self.neighbours[atom].iter().any(|&(other, _)| self.is_hydrogen(other as usize))
            || self.valence(atom).0 < full + i32::from(self.molecule.atoms[atom].formal_charge)
    }

    fn turns(&self, bond: usize) -> bool {
        if self.is_in_ring[bond] {
            return false;
        }
        let ends = &self.molecule.bonds[bond];
        let (a, b) = (ends.a as usize, ends.b as usize);
        match ends.order {
            BondOrder::Single => {
                !self.is_amide(a, b)
                    && !self.is_amide(b, a)
                    && !self.is_beside_triple_bond(a, b)
                    && !self.is_beside_triple_bond(b, a)
            }
            BondOrder::Triple => self.neighbours[a].len() > 1 && self.neighbours[b].len() > 1,
            _ => false,
        }
    }

    /// Whether `a-b` is a single bond to a triple bond `b#c`.
    fn is_beside_triple_bond(&self, a: usize, b: usize) -> bool {
        self.neighbours[b].iter().any(|&(other, bond)| other as usize != a && self.order(bond) == BondOrder::Triple)
    }

    /// Whether `nitrogen-carbon` is the bond of an amide (or amidine, or thioamide) that does not turn.
    fn is_amide(&self, nitrogen: usize, carbon: usize) -> bool {
        if self.element(nitrogen) != Element::N || self.element(carbon) != Element::C {
            return false;
        }
        let has_double_bond = self.neighbours[carbon].iter().any(|&(other, bond)| {
            matches!(self.element(other as usize), Element::O | Element::N | Element::S)
                && self.order(bond) == BondOrder::Double
                && !self.is_in_ring[bond as usize]
        });
        let is_sp3_or_planar = self.neighbours[nitrogen].iter().all(|&(_, bond)| self.order(bond) == BondOrder::Single)
            && self.molecule.atoms[nitrogen].formal_charge == 0;
        if !has_double_bond || !is_sp3_or_planar {
            return false;
        }
        let groups: Vec<usize> = self.neighbours[nitrogen]
            .iter()
            .map(|&(other, _)| other as usize)
            .filter(|&other| other != carbon && !self.is_hydrogen(other))
            .collect();
        match groups[..] {
            [first, second] => self.symmetry_class[first] == self.symmetry_class[second],
            _ => true,
        }
    }
}

/// Whether the two ends of a bond stay connected without it.
fn is_in_ring(molecule: &SmallMolecule, neighbours: &[Vec<(u32, u32)>], bond: usize) -> bool {
    let (start, goal) = (molecule.bonds[bond].a, molecule.bonds[bond].b);
    let mut seen = vec![false; molecule.atoms.len()];
    let mut queue = VecDeque::from([start]);
    seen[start as usize] = true;
    while let Some(atom) = queue.pop_front() {
        for &(other, through) in &neighbours[atom as usize] {
            if through as usize == bond || seen[other as usize] {
                continue;
            }
            if other == goal {
                return true;
            }
            seen[other as usize] = true;
            queue.push_back(other);
        }
    }
    false
}

/// Colours that atoms share when the graph cannot tell them apart by repeated look at their neighbours.
fn symmetry_classes(molecule: &SmallMolecule, neighbours: &[Vec<(u32, u32)>]) -> Vec<u64> {
    let mix = |value: u64| (value ^ (value >> 29)).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(23);
    let mut classes: Vec<u64> = molecule
        .atoms
        .iter()
        .map(|atom| mix(u64::from(atom.element.atomic_number()) << 8 | u64::from(atom.formal_charge as u8)))
        .collect();
    for _ in 0..molecule.atoms.len().min(32) {
        classes = (0..classes.len())
            .map(|atom| {
                let sum = neighbours[atom].iter().fold(0_u64, |sum, &(other, bond)| {
                    sum.wrapping_add(mix(classes[other as usize] ^ (molecule.bonds[bond as usize].order as u64 + 1)))
                });
                mix(classes[atom] ^ sum.rotate_left(7))
            })
            .collect();
    }
    classes
}

#[cfg(test)]
mod tests {
    use kfold_molecule::{Bond, SmallMoleculeAtom};
    use smol_str::SmolStr;

    use super::*;

    fn molecule(elements: &[Element], bonds: &[(u32, u32, BondOrder)]) -> SmallMolecule {
        SmallMolecule {
            atoms: elements
                .iter()
                .map(|&element| SmallMoleculeAtom {
                    element,
                    formal_charge: 0,
                    isotope: None,
                    fixed_hydrogens: None,
                    name: SmolStr::default(),
                })
                .collect(),
            bonds: bonds.iter().map(|&(a, b, order)| Bond::new(a, b, order)).collect(),
            ..SmallMolecule::default()
        }
    }

    use BondOrder::{Double, Single, Triple};
    use Element as E;

    #[test]
    fn chains_amides_and_hydroxyls() {
        // CCCC: one torsion
        let butane = rotors(&molecule(&[E::C; 4], &[(0, 1, Single), (1, 2, Single), (2, 3, Single)]));
        assert_eq!((butane.bonds, butane.torsion_count), (vec![1], 1.0));
        // CCO: half
        let ethanol = rotors(&molecule(&[E::C, E::C, E::O], &[(0, 1, Single), (1, 2, Single)]));
        assert_eq!((ethanol.bonds.len(), ethanol.torsion_count), (0, 0.5));
        // CC(=O)NC: none
        let amide = [(0, 1, Single), (1, 2, Double), (1, 3, Single), (3, 4, Single)];
        assert_eq!(rotors(&molecule(&[E::C, E::C, E::O, E::N, E::C], &amide)).torsion_count, 0.0);
        // CC(=O)N(C)C: equal groups, none
        let mut dimethyl = amide.to_vec();
        dimethyl.push((3, 5, Single));
        assert_eq!(rotors(&molecule(&[E::C, E::C, E::O, E::N, E::C, E::C], &dimethyl)).torsion_count, 0.0);
        // CC(=O)N(C)CC: different groups, the amide and the ethyl turn
        dimethyl.push((5, 6, Single));
        let tertiary = rotors(&molecule(&[E::C, E::C, E::O, E::N, E::C, E::C, E::C], &dimethyl));
        assert_eq!((tertiary.bonds, tertiary.torsion_count), (vec![2, 4], 2.0));
    }

    #[test]
    fn rings_and_triple_bonds() {
        // Cyclobutane with a methyl: nothing turns.
        let ring = [(0, 1, Single), (1, 2, Single), (2, 3, Single), (0, 3, Single), (0, 4, Single)];
        assert_eq!(rotors(&molecule(&[E::C; 5], &ring)), Rotors::default());
        // CCC#CCC: one torsion about the axis.
        let alkyne = [(0, 1, Single), (1, 2, Single), (2, 3, Triple), (3, 4, Single), (4, 5, Single)];
        assert_eq!(rotors(&molecule(&[E::C; 6], &alkyne)).bonds, [2]);
        // CCC#N: nothing.
        let nitrile = [(0, 1, Single), (1, 2, Single), (2, 3, Triple)];
        assert_eq!(rotors(&molecule(&[E::C, E::C, E::C, E::N], &nitrile)), Rotors::default());
    }
}
