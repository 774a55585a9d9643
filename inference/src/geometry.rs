//! Keeping the covalent geometry while a structure is deformed.
//!
//! Deformations here move residues, not atoms, so what they strain are the links between residues. [`Geometry`] holds the
//! distances that covalent structure fixes: bonds, 1-3 distances (bond angles), and 1-4 distances across every bond that
//! does not turn freely in a chain (rings, double bonds, the peptide bond, and side chains, which are to keep their
//! rotamers). The free torsions of the backbone (phi and psi; those of the sugar-phosphate backbone) are left out, because
//! in them a chain bends. [`Geometry::restore`] projects positions back on these distances one after the other until all
//! hold (the SHAKE iteration of Ryckaert, Ciccotti & Berendsen, J. Comput. Phys. 1977, 23, 327, with equal masses).

use std::collections::BTreeSet;

use glam::Vec3;
use kfold_molecule::{BondOrder, ResidueKind, Topology};

/// Sweeps over all distances at most.
const MAX_SWEEPS: usize = 400;
/// A bond this close to its length is right, Å.
const TOLERANCE: f32 = 0.002;
/// Bonds of an atom at most; more are a damaged file.
const MAX_NEIGHBOURS: usize = 8;

/// A pair of atoms at a fixed distance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct FixedPair {
    /// Bonds between the two, 1 to 3: closer ones are restored last in a sweep, so they hold best.
    pub bonds: u8,
    pub a: u32,
    pub b: u32,
}

/// Distances that covalent structure fixes.
#[derive(Clone, Debug)]
pub(crate) struct Geometry {
    pairs: Vec<FixedPair>,
}

impl Geometry {
    pub(crate) fn new(topology: &Topology) -> Self {
        let mut neighbours = vec![Vec::new(); topology.atoms.len()];
        for bond in topology.bonds.iter().filter(|bond| bond.order != BondOrder::Coordination) {
            neighbours[bond.a as usize].push(bond.b);
            neighbours[bond.b as usize].push(bond.a);
        }
        for list in &mut neighbours {
            list.truncate(MAX_NEIGHBOURS);
        }
        let mut seen = BTreeSet::new();
        let mut pairs = Vec::new();
        let mut add = |bonds: u8, a: u32, b: u32| {
            let key = (a.min(b), a.max(b));
            if a != b && seen.insert(key) {
                pairs.push(FixedPair { bonds, a: key.0, b: key.1 });
            }
        };
        for (a, list) in neighbours.iter().enumerate() {
            list.iter().for_each(|b| add(1, a as u32, *b));
        }
        for list in &neighbours {
            for (index, a) in list.iter().enumerate() {
                list[index + 1..].iter().for_each(|b| add(2, *a, *b));
            }
        }
        for (b, list) in neighbours.iter().enumerate() {
            for c in list.iter().filter(|c| **c as usize > b && !turns_freely(topology, b, **c as usize)) {
                for a in list.iter().filter(|a| *a != c) {
                    let ends = neighbours[*c as usize].iter().filter(|d| **d as usize != b && *d != a);
                    ends.for_each(|d| add(3, *a, *d));
                }
            }
        }
        // Far pairs first, bonds last, each in the order of the chain.
        pairs.sort_unstable_by_key(|pair| (std::cmp::Reverse(pair.bonds), pair.a, pair.b));
        Self { pairs }
    }

    /// The fixed distances as they are in `positions`, Å.
    pub(crate) fn lengths(&self, positions: &[Vec3]) -> Vec<f32> {
        self.pairs.iter().map(|pair| positions[pair.a as usize].distance(positions[pair.b as usize])).collect()
    }

    /// Moves atoms until the distances are `lengths` again; returns the largest error of a bond that is left, Å.
    pub(crate) fn restore(&self, positions: &mut [Vec3], lengths: &[f32]) -> f32 {
        let mut worst = 0.0;
        for _ in 0..MAX_SWEEPS {
            worst = 0.0_f32;
            let mut worst_angle = 0.0_f32;
            for (pair, length) in self.pairs.iter().zip(lengths) {
                let (a, b) = (pair.a as usize, pair.b as usize);
                let apart = positions[b] - positions[a];
                let distance = apart.length();
                let error = distance - length;
                match pair.bonds {
                    1 => worst = worst.max(error.abs()),
                    _ => worst_angle = worst_angle.max(error.abs()),
                }
                if distance > 1.0e-4 {
                    let shift = apart * (0.5 * error / distance);
                    positions[a] += shift;
                    positions[b] -= shift;
                }
            }
            if worst < TOLERANCE && worst_angle < 5.0 * TOLERANCE {
                break;
            }
        }
        worst
    }

    /// The pairs, in the order of the lengths.
    pub(crate) fn pairs(&self) -> &[FixedPair] {
        &self.pairs
    }
}

/// Whether the torsion about the bond is one in which the chain bends.
fn turns_freely(topology: &Topology, b: usize, c: usize) -> bool {
    let (b, c) = (&topology.atoms[b], &topology.atoms[c]);
    let residue = &topology.residues[b.residue as usize];
    let is = |first: &str, second: &str| (b.name == first && c.name == second) || (b.name == second && c.name == first);
    match residue.kind {
        ResidueKind::Protein if b.residue == c.residue => is("N", "CA") || is("CA", "C"),
        ResidueKind::Dna | ResidueKind::Rna => {
            [("P", "O5'"), ("O5'", "C5'"), ("C5'", "C4'"), ("C3'", "O3'"), ("O3'", "P")]
                .iter()
                .any(|(first, second)| is(first, second))
        }
        _ => false,
    }
}
