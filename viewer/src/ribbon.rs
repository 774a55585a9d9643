//! The three shapes of a protein ribbon, and where they come from when nobody assigned them.
//!
//! The renderer draws what it is given ([`crate::Object::ribbon_kinds`]). For traces of CA atoms alone, where hydrogen
//! bonds cannot be computed, [`from_trace`] reads the shape from the distances between CA atoms two to four residues
//! apart, as P-SEA does (Labesse et al., CABIOS 1997, 13, 291; its table of ideal distances).

use glam::Vec3;
use kfold_molecule::{ResidueKind, Topology};
use serde::{Deserialize, Serialize};

/// What a residue looks like in a cartoon.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RibbonKind {
    /// Helix of any pitch.
    Helix,
    /// Extended strand.
    Strand,
    /// Everything else.
    #[default]
    Coil,
}

/// Shapes of all residues of a model, from its CA atoms.
#[must_use]
pub(crate) fn assign(topology: &Topology, positions: &[Vec3]) -> Vec<RibbonKind> {
    let mut kinds = vec![RibbonKind::Coil; topology.residues.len()];
    let mut stretch: Vec<(usize, Vec3)> = Vec::new();
    let mut finish = |stretch: &mut Vec<(usize, Vec3)>| {
        let points: Vec<Vec3> = stretch.iter().map(|entry| entry.1).collect();
        for ((residue, _), kind) in stretch.drain(..).zip(from_trace(&points)) {
            kinds[residue] = kind;
        }
    };
    for (index, residue) in topology.residues.iter().enumerate() {
        let alpha = if residue.kind == ResidueKind::Protein { topology.atom_named(residue, "CA") } else { None };
        let Some(&place) = alpha.and_then(|atom| positions.get(atom)) else {
            continue;
        };
        if stretch.last().is_some_and(|(_, last)| last.distance(place) > 4.6) {
            finish(&mut stretch);
        }
        stretch.push((index, place));
    }
    finish(&mut stretch);
    kinds
}

/// Shapes from the CA atoms of one unbroken stretch.
#[must_use]
pub fn from_trace(trace: &[Vec3]) -> Vec<RibbonKind> {
    let count = trace.len();
    let mut kinds = vec![RibbonKind::Coil; count];
    let distance = |a: usize, b: usize| match (trace.get(a), trace.get(b)) {
        (Some(first), Some(second)) => first.distance(*second),
        _ => f32::NAN,
    };
    let within = |value: f32, ideal: f32, tolerance: f32| (value - ideal).abs() <= tolerance;
    // A window of five residues that all agree, so that every run is at least that long.
    let helical: Vec<bool> = (0..count)
        .map(|i| {
            within(distance(i, i + 2), 5.5, 0.5)
                && within(distance(i, i + 3), 5.3, 0.6)
                && within(distance(i, i + 4), 6.4, 0.8)
        })
        .collect();
    let extended: Vec<bool> = (0..count)
        .map(|i| {
            within(distance(i, i + 2), 6.7, 0.6)
                && within(distance(i, i + 3), 9.9, 0.9)
                && within(distance(i, i + 4), 12.4, 1.1)
        })
        .collect();
    let mut mark = |flags: &[bool], kind: RibbonKind, extra: usize| {
        for (start, &flag) in flags.iter().enumerate() {
            if flag {
                for slot in kinds.iter_mut().skip(start).take(extra) {
                    *slot = kind;
                }
            }
        }
    };
    mark(&extended, RibbonKind::Strand, 5);
    mark(&helical, RibbonKind::Helix, 5);
    kinds
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ideal_shapes_are_recognised() {
        let helix: Vec<Vec3> = (0..12)
            .map(|i| {
                let angle = (100.0 * i as f32).to_radians();
                Vec3::new(2.3 * angle.cos(), 2.3 * angle.sin(), 1.5 * i as f32)
            })
            .collect();
        assert!(from_trace(&helix).iter().all(|kind| *kind == RibbonKind::Helix));
        let strand: Vec<Vec3> =
            (0..8).map(|i| Vec3::new(if i % 2 == 0 { 0.9 } else { -0.9 }, 0.0, 3.3 * i as f32)).collect();
        assert!(from_trace(&strand).iter().all(|kind| *kind == RibbonKind::Strand));
        assert_eq!(from_trace(&[Vec3::ZERO, Vec3::X]), vec![RibbonKind::Coil; 2]);
    }
}
