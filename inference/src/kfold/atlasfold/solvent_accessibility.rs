//! Relative solvent accessibility of residues (AtlasFold 1.0.4, `utils/rasa.py`), which AtlasFold-M's ranking rewards.
//!
//! Shrake & Rupley, J. Mol. Biol. 1973, 79, 351: points on a sphere around each atom, a probe's radius beyond its own, of
//! which those inside no other sphere are accessible. Each chain stands alone. Radii are ProtOr's (Tsai et al., J. Mol.
//! Biol. 1999, 290, 253), the areas of fully accessible residues those of Rost & Sander, Proteins 1994, 20, 216.

use glam::Vec3;
use kfold_molecule::analysis::neighbour_grid::NeighbourGrid;
use rayon::prelude::*;

use super::residues::{ATOM14, RESIDUE_TYPES, RESIDUES};

/// Å, radius of a water molecule.
const PROBE_RADIUS: f32 = 1.4;
/// Points on a sphere.
const POINTS: usize = 1000;

/// Å², accessible area of a fully exposed residue; the unknown one as alanine.
const MAX_AREAS: [f32; RESIDUE_TYPES] = [
    106.0, 248.0, 157.0, 163.0, 135.0, 198.0, 194.0, 84.0, 184.0, 169.0, 164.0, 205.0, 188.0, 197.0, 136.0, 130.0,
    142.0, 227.0, 222.0, 142.0, 106.0,
];

/// Å, ProtOr radius of a residue's heavy atom: by element, bonds and hydrogens.
fn protor_radius(letter: u8, atom: &str) -> f32 {
    const BARE_CARBON: f32 = 1.61;
    const AROMATIC_CH: f32 = 1.76;
    const ALIPHATIC_CARBON: f32 = 1.88;
    const NITROGEN: f32 = 1.64;
    const CARBONYL_OXYGEN: f32 = 1.42;
    const HYDROXYL_OXYGEN: f32 = 1.46;
    const SULPHUR: f32 = 1.77;
    match (letter, atom) {
        (_, "O" | "OD1" | "OE1") => CARBONYL_OXYGEN,
        (_, "C")
        | (b'R', "CZ")
        | (b'N' | b'D' | b'H' | b'F' | b'Y' | b'W', "CG")
        | (b'Q' | b'E', "CD")
        | (b'W', "CD2" | "CE2")
        | (b'Y', "CZ") => BARE_CARBON,
        (b'H' | b'F' | b'Y' | b'W', "CD1" | "CD2" | "CE1" | "CE2" | "CE3" | "CZ" | "CZ2" | "CZ3" | "CH2") => {
            AROMATIC_CH
        }
        _ if atom.starts_with('N') => NITROGEN,
        _ if atom.starts_with('O') => HYDROXYL_OXYGEN,
        _ if atom.starts_with('S') => SULPHUR,
        _ => ALIPHATIC_CARBON,
    }
}

/// The relative accessibility, 0 to 1, of each residue of a chain, given its residue types and coordinates (Å, atom14, flat
/// `[residues * 14]`; places without an atom are ignored).
#[must_use]
pub fn relative_accessibility(residue_types: &[u8], coordinates: &[[f32; 3]]) -> Vec<f32> {
    let mut centres = Vec::new();
    let mut radii = Vec::new();
    let mut owners = Vec::new();
    for (residue, (kind, places)) in residue_types.iter().zip(coordinates.chunks_exact(ATOM14)).enumerate() {
        let kind = &RESIDUES[usize::from(*kind)];
        for (atom, place) in kind.atoms.iter().zip(places) {
            centres.push(Vec3::from_array(*place));
            radii.push(protor_radius(kind.letter, atom) + PROBE_RADIUS);
            owners.push(residue);
        }
    }
    let largest = radii.iter().copied().fold(0.0, f32::max);
    let grid = NeighbourGrid::new(&centres, 2.0 * largest);
    let sphere = sphere_points();
    let areas: Vec<f32> = (0..centres.len())
        .into_par_iter()
        .map(|atom| {
            let (centre, radius) = (centres[atom], radii[atom]);
            let mut neighbours = Vec::new();
            grid.for_each_within(centre, radius + largest, |other, _| {
                let other = other as usize;
                if other != atom {
                    neighbours.push((centres[other], radii[other] * radii[other]));
                }
            });
            let exposed = |point: &&Vec3| {
                let place = centre + **point * radius;
                neighbours.iter().all(|(other, square)| place.distance_squared(*other) >= *square)
            };
            let accessible = sphere.iter().filter(exposed).count();
            accessible as f32 * 4.0 * std::f32::consts::PI / POINTS as f32 * radius * radius
        })
        .collect();
    let mut residues = vec![0f32; residue_types.len()];
    for (owner, area) in owners.iter().zip(&areas) {
        residues[*owner] += area;
    }
    let share = |(area, kind): (&f32, &u8)| (area / MAX_AREAS[usize::from(*kind)]).clamp(0.0, 1.0);
    residues.iter().zip(residue_types).map(share).collect()
}

/// Points spread evenly over the unit sphere along a golden spiral.
fn sphere_points() -> Vec<Vec3> {
    let count = POINTS as f64;
    let turn = (3.0 - 5f64.sqrt()) * std::f64::consts::PI;
    let point = |index: usize| {
        let z = 1.0 - 1.0 / count - 2.0 * (1.0 - 1.0 / count) * index as f64 / (count - 1.0);
        let (radius, angle) = ((1.0 - z * z).sqrt(), turn * index as f64);
        glam::DVec3::new(radius * angle.cos(), radius * angle.sin(), z).as_vec3()
    };
    (0..POINTS).map(point).collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::confidence_metrics::fraction_disordered;
    use super::super::residues::type_of;
    use super::*;

    /// What AtlasFold 1.0.4 gives for the first forty residues of `samples/adenylate-kinase/closed.pdb`.
    const REFERENCE: [f32; 40] = [
        0.7338, 0.9833, 0.4819, 0.8900, 0.4435, 0.9749, 0.5071, 0.6577, 1.0000, 1.0000, 0.6668, 0.3548, 0.3251, 0.4815,
        0.6889, 0.4763, 0.0837, 0.5986, 0.4465, 0.1896, 0.3886, 0.7519, 0.6231, 0.4571, 0.8038, 0.2159, 0.7443, 0.3275,
        0.8235, 0.2212, 0.6345, 0.3256, 0.4689, 0.5066, 0.7401, 0.6086, 0.4916, 0.8022, 0.9449, 0.9513,
    ];

    #[test]
    fn a_piece_of_adenylate_kinase_has_the_reference_s_accessibility() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../samples/adenylate-kinase/closed.pdb");
        let structure = kfold_molecule::formats::read_structure(&path).unwrap();
        let model = structure.first().unwrap();
        let (mut kinds, mut coordinates) = (Vec::new(), Vec::new());
        for residue in model.topology.residues.iter().take(REFERENCE.len()) {
            let kind = RESIDUES.iter().find(|kind| kind.name == residue.name).unwrap();
            kinds.push(type_of(char::from(kind.letter)));
            let mut places = [[0f32; 3]; ATOM14];
            for (place, atom) in places.iter_mut().zip(kind.atoms) {
                *place = model.positions[model.topology.atom_named(residue, atom).unwrap()].to_array();
            }
            coordinates.extend(places);
        }
        let accessibility = relative_accessibility(&kinds, &coordinates);
        for (residue, (ours, reference)) in accessibility.iter().zip(REFERENCE).enumerate() {
            // One point of a sphere more or less is 0.0005 of a residue.
            assert!((ours - reference).abs() < 1e-3, "residue {residue}: {ours}, reference {reference}");
        }
        assert_eq!(fraction_disordered(&accessibility, &[40]), 0.6);
        assert_eq!(fraction_disordered(&accessibility, &[30, 10]), 0.575);
        assert_eq!(fraction_disordered(&accessibility, &[39, 1]), 0.35);
    }

    #[test]
    fn a_lone_atom_is_fully_accessible() {
        // Glycine's four atoms far apart: the whole of their spheres.
        let mut coordinates = [[0f32; 3]; ATOM14];
        for (atom, place) in coordinates.iter_mut().enumerate() {
            place[0] = atom as f32 * 100.0;
        }
        let areas: f32 =
            [1.64f32, 1.88, 1.61, 1.42].iter().map(|r| 4.0 * std::f32::consts::PI * (r + 1.4).powi(2)).sum();
        assert!(areas / 84.0 > 1.0);
        assert_eq!(relative_accessibility(&[7], &coordinates), [1.0]);
        assert!(relative_accessibility(&[], &[]).is_empty());
    }
}
