//! Contacts: which residues and atoms are near which.
//!
//! Hydrogens are left out (whether a file has them should not change who touches whom), and of alternate locations the
//! primary one counts.

use std::collections::BTreeMap;

use glam::Vec3;

use super::neighbour_grid::NeighbourGrid;
use crate::element::Element;
use crate::structure::Model;

/// More atoms than this in one cell is a damaged file, whose pairs would be quadratic.
const CROWDED: usize = 4000;

/// Two atoms near each other.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AtomContact {
    /// Lower atom index, or the index in the first list.
    pub a: u32,
    /// Higher atom index, or the index in the second list.
    pub b: u32,
    /// Å.
    pub distance: f32,
}

/// Two residues near each other, by their closest heavy atoms.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ResidueContact {
    /// Lower residue index.
    pub a: u32,
    /// Higher residue index.
    pub b: u32,
    /// Closest pair of atoms: of `a`, of `b`.
    pub atoms: (u32, u32),
    /// Their distance, Å.
    pub distance: f32,
}

/// Heavy atoms of the primary locations and their positions.
fn heavy_atoms(model: &Model) -> (Vec<u32>, Vec<Vec3>) {
    model
        .positions
        .iter()
        .enumerate()
        .filter(|(index, _)| {
            model.topology.atoms.get(*index).is_some_and(|atom| atom.element != Element::H)
                && model.topology.is_primary_location(*index)
        })
        .map(|(index, position)| (index as u32, *position))
        .unzip()
}

/// Pairs of heavy atoms of different residues within `cutoff` Å, sorted.
#[must_use]
pub fn atom_contacts(model: &Model, cutoff: f32) -> Vec<AtomContact> {
    let (atoms, positions) = heavy_atoms(model);
    let grid = NeighbourGrid::new(&positions, cutoff.clamp(1.0, 12.0));
    let mut contacts = Vec::new();
    if grid.fullest_cell() > CROWDED {
        return contacts;
    }
    let residue = |atom: u32| model.topology.atoms[atom as usize].residue;
    grid.for_each_pair(cutoff, |first, second, squared| {
        let (a, b) = (atoms[first as usize], atoms[second as usize]);
        if residue(a) != residue(b) {
            contacts.push(AtomContact { a: a.min(b), b: a.max(b), distance: squared.sqrt() });
        }
    });
    contacts.sort_by_key(|contact| (contact.a, contact.b));
    contacts
}

/// Pairs of residues with heavy atoms within `cutoff` Å, sorted. Neighbours in a chain are among them.
#[must_use]
pub fn residue_contacts(model: &Model, cutoff: f32) -> Vec<ResidueContact> {
    let mut closest: BTreeMap<(u32, u32), AtomContact> = BTreeMap::new();
    let residue = |atom: u32| model.topology.atoms[atom as usize].residue;
    for contact in atom_contacts(model, cutoff) {
        // Atoms of a residue are contiguous, so the lower atom is in the lower residue.
        let held = closest.entry((residue(contact.a), residue(contact.b))).or_insert(contact);
        if contact.distance < held.distance {
            *held = contact;
        }
    }
    closest
        .into_iter()
        .map(|((a, b), contact)| ResidueContact { a, b, atoms: (contact.a, contact.b), distance: contact.distance })
        .collect()
}

/// Residues with a heavy atom within `cutoff` Å of any of the points (a ligand's pose, say), ascending.
#[must_use]
pub fn residues_near(model: &Model, points: &[Vec3], cutoff: f32) -> Vec<u32> {
    let grid = NeighbourGrid::new(points, cutoff.clamp(1.0, 12.0));
    let (atoms, positions) = heavy_atoms(model);
    let mut residues: Vec<u32> = atoms
        .iter()
        .zip(&positions)
        .filter(|(_, position)| grid.any_within(**position, cutoff))
        .map(|(atom, _)| model.topology.atoms[*atom as usize].residue)
        .collect();
    residues.dedup();
    residues
}

/// Pairs of points of two lists within `cutoff` Å, sorted; `a` indexes the first list, `b` the second.
#[must_use]
pub fn point_contacts(first: &[Vec3], second: &[Vec3], cutoff: f32) -> Vec<AtomContact> {
    let grid = NeighbourGrid::new(second, cutoff.clamp(1.0, 12.0));
    let mut contacts = Vec::new();
    if grid.fullest_cell() > CROWDED {
        return contacts;
    }
    for (a, point) in first.iter().enumerate() {
        grid.for_each_within(*point, cutoff, |b, squared| {
            contacts.push(AtomContact { a: a as u32, b, distance: squared.sqrt() });
        });
    }
    contacts.sort_by_key(|contact| (contact.a, contact.b));
    contacts
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
ATOM      1  CA  GLY A   1       0.000   0.000   0.000  1.00  0.00           C
ATOM      2  H   GLY A   1       1.000   0.000   0.000  1.00  0.00           H
ATOM      3  CA AGLY A   2       9.000   0.000   0.000  0.40  0.00           C
ATOM      4  CA BGLY A   2       4.000   0.000   0.000  0.60  0.00           C
ATOM      5  CA  GLY A   3       0.000   6.000   0.000  1.00  0.00           C
";

    #[test]
    fn heavy_atoms_of_primary_locations_count() {
        let structure = crate::formats::pdb::read(TEXT.as_bytes()).unwrap();
        let model = structure.first().unwrap();
        let atoms = atom_contacts(model, 4.5);
        assert_eq!(atoms, vec![AtomContact { a: 0, b: 3, distance: 4.0 }]);
        let residues = residue_contacts(model, 8.0);
        let pairs: Vec<(u32, u32)> = residues.iter().map(|contact| (contact.a, contact.b)).collect();
        assert_eq!(pairs, vec![(0, 1), (0, 2), (1, 2)]);
        assert_eq!(residues_near(model, &[Vec3::new(0.0, 3.0, 0.0)], 3.5), vec![0, 2]);
        assert_eq!(point_contacts(&[Vec3::ZERO], &[Vec3::X, Vec3::X * 9.0], 2.0).len(), 1);
    }
}
