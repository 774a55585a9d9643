//! What the full-atom tokenizer sees of a residue: coordinates in its own frame and binned angles (K-Fold 1.0.0,
//! layers/struct_enc/fa_vqvae/encoder.py and utils/{coords_utils,data_transforms,residue_constants}.py).
//!
//! Angles fall into 21 bins between 20 limits from -π to π; a backbone angle that does not exist counts as 0 and falls into
//! the bin of 0, as in the reference, unless the residue has no atom at all.

use std::f32::consts::PI;

/// Atom names of a residue, as the reference orders them.
pub const ATOMS: usize = 37;

/// Coordinates of a residue's atoms, Å; NaN where missing.
pub type AtomCoordinates = [[f32; 3]; ATOMS];

/// Residue types by number; everything else is unknown.
pub const RESIDUE_TYPES: [char; 20] =
    ['A', 'R', 'N', 'D', 'C', 'Q', 'E', 'G', 'H', 'I', 'L', 'K', 'M', 'F', 'P', 'S', 'T', 'W', 'Y', 'V'];

/// Bins of an angle.
const BINS: usize = 21;

/// Width of the backbone angles' features: three angles.
pub const BACKBONE_ANGLE_WIDTH: usize = 3 * BINS;

/// Width of the side chain angles' features: four angles and whether each exists.
pub const SIDE_CHAIN_ANGLE_WIDTH: usize = 4 * BINS + 4;

// Places of atoms among the 37.
const N: usize = 0;
const CA: usize = 1;
const C: usize = 2;
const CB: usize = 3;
const CG: usize = 5;
const CG1: usize = 6;
const OG: usize = 8;
const OG1: usize = 9;
const SG: usize = 10;
const CD: usize = 11;
const CD1: usize = 12;
const ND1: usize = 14;
const OD1: usize = 16;
const SD: usize = 18;
const CE: usize = 19;
const NE: usize = 23;
const OE1: usize = 26;
const CZ: usize = 32;
const NZ: usize = 35;

/// Atoms along the side chain that turn, after N and CA: chi 1 to 4 lie about their bonds.
fn side_chain(residue_type: i64) -> &'static [usize] {
    let letter = usize::try_from(residue_type).ok().and_then(|index| RESIDUE_TYPES.get(index));
    match letter {
        Some('R') => &[CB, CG, CD, NE, CZ],
        Some('N' | 'D') => &[CB, CG, OD1],
        Some('C') => &[CB, SG],
        Some('Q' | 'E') => &[CB, CG, CD, OE1],
        Some('H') => &[CB, CG, ND1],
        Some('I') => &[CB, CG1, CD1],
        Some('L' | 'F' | 'W' | 'Y') => &[CB, CG, CD1],
        Some('K') => &[CB, CG, CD, CE, NZ],
        Some('M') => &[CB, CG, SD, CE],
        Some('P') => &[CB, CG, CD],
        Some('S') => &[CB, OG],
        Some('T') => &[CB, OG1],
        Some('V') => &[CB, CG1],
        _ => &[],
    }
}

/// Features of one residue.
#[derive(Clone, Debug)]
pub struct ResidueFeatures {
    /// Atoms that are there.
    pub atoms: Vec<usize>,
    /// Coordinates of all 37 in the residue's frame, zero where missing.
    pub coordinates: AtomCoordinates,
    /// One-hot bins of three backbone angles.
    pub backbone_angles: [f32; BACKBONE_ANGLE_WIDTH],
    /// One-hot bins of chi 1 to 4 and which exist.
    pub side_chain_angles: [f32; SIDE_CHAIN_ANGLE_WIDTH],
}

/// A residue as far as it is known: missing atoms are at the origin and marked so.
struct Residue {
    atoms: AtomCoordinates,
    present: [bool; ATOMS],
}

impl Residue {
    fn has_backbone(&self) -> bool {
        self.present[..3].iter().all(|&present| present)
    }

    fn is_empty(&self) -> bool {
        !self.present.contains(&true)
    }
}

fn subtract(a: [f32; 3], b: [f32; 3]) -> [f32; 3] {
    [a[0] - b[0], a[1] - b[1], a[2] - b[2]]
}

fn dot(a: [f32; 3], b: [f32; 3]) -> f32 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

fn cross(a: [f32; 3], b: [f32; 3]) -> [f32; 3] {
    [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
}

fn norm(a: [f32; 3]) -> f32 {
    dot(a, a).sqrt()
}

/// Features of all residues of a chain: `types` index [`RESIDUE_TYPES`] (others are unknown), `numbers` are residue numbers
/// (angles between residues exist where they follow each other), and atoms of residues not `allowed` count as missing.
#[must_use]
pub fn residue_features(
    types: &[i64],
    coordinates: &[AtomCoordinates],
    numbers: &[i64],
    allowed: &[bool],
) -> Vec<ResidueFeatures> {
    let residues: Vec<Residue> = coordinates
        .iter()
        .zip(allowed)
        .map(|(atoms, &allowed)| {
            let finite = atoms.map(|atom| atom.iter().all(|value| value.is_finite()));
            Residue {
                atoms: std::array::from_fn(|i| if finite[i] { atoms[i] } else { [0.0; 3] }),
                present: finite.map(|finite| finite && allowed),
            }
        })
        .collect();
    residues
        .iter()
        .enumerate()
        .map(|(i, residue)| {
            let next = residues
                .get(i + 1)
                .filter(|next| numbers[i + 1] - numbers[i] == 1 && residue.has_backbone() && next.has_backbone());
            ResidueFeatures {
                atoms: (0..ATOMS).filter(|&atom| residue.present[atom]).collect(),
                coordinates: in_own_frame(residue),
                backbone_angles: backbone_angles(residue, next),
                side_chain_angles: side_chain_angles(residue, types[i]),
            }
        })
        .collect()
}

/// Coordinates from CA, x towards N, z across to C; without a whole backbone only moved.
fn in_own_frame(residue: &Residue) -> AtomCoordinates {
    let [n, ca, c] = [residue.atoms[N], residue.atoms[CA], residue.atoms[C]];
    let unit = |v: [f32; 3]| {
        let length = norm(v) + 1e-8;
        v.map(|value| value / length)
    };
    let x = unit(subtract(n, ca));
    let z = unit(cross(x, subtract(c, ca)));
    let y = cross(z, x);
    std::array::from_fn(|atom| {
        if !residue.present[atom] {
            return [0.0; 3];
        }
        let moved = subtract(residue.atoms[atom], ca);
        if residue.has_backbone() { [dot(x, moved), dot(y, moved), dot(z, moved)] } else { moved }
    })
}

/// The reference's angle of three points: that at the first of them.
fn angle(a: [f32; 3], b: [f32; 3], c: [f32; 3]) -> f32 {
    let unit = |v: [f32; 3]| {
        let length = norm(v).max(1e-8);
        v.map(|value| value / length)
    };
    let (u, v) = (unit(subtract(b, a)), unit(subtract(c, a)));
    norm(cross(u, v)).atan2(dot(u, v))
}

fn backbone_angles(residue: &Residue, next: Option<&Residue>) -> [f32; BACKBONE_ANGLE_WIDTH] {
    let mut features = [0.0; BACKBONE_ANGLE_WIDTH];
    if residue.is_empty() {
        return features;
    }
    let [n, ca, c] = [residue.atoms[N], residue.atoms[CA], residue.atoms[C]];
    let mut angles = [0.0; 3];
    if residue.has_backbone() {
        angles[0] = angle(n, ca, c);
    }
    if let Some(next) = next {
        angles[1] = angle(ca, c, next.atoms[N]);
        angles[2] = angle(c, next.atoms[N], next.atoms[CA]);
    }
    for (i, &angle) in angles.iter().enumerate() {
        features[i * BINS + bin(angle)] = 1.0;
    }
    features
}

fn side_chain_angles(residue: &Residue, residue_type: i64) -> [f32; SIDE_CHAIN_ANGLE_WIDTH] {
    let mut features = [0.0; SIDE_CHAIN_ANGLE_WIDTH];
    let mut path = vec![N, CA];
    path.extend(side_chain(residue_type));
    for (i, atoms) in path.windows(4).enumerate() {
        if atoms.iter().all(|&atom| residue.present[atom]) {
            let torsion = torsion([0, 1, 2, 3].map(|k| residue.atoms[atoms[k]]));
            features[i * BINS + bin(torsion)] = 1.0;
            features[4 * BINS + i] = 1.0;
        }
    }
    features
}

/// The torsion of four points, by the frame of the first three as the reference computes it.
fn torsion([a, b, c, d]: [[f32; 3]; 4]) -> f32 {
    const EPS: f32 = 1e-8;
    let unit = |v: [f32; 3]| {
        let length = (dot(v, v) + EPS).sqrt();
        v.map(|value| value / length)
    };
    let x = unit(subtract(c, b));
    let towards = subtract(a, c);
    let along = dot(x, towards);
    let y = unit(subtract(towards, x.map(|value| value * along)));
    let z = cross(x, y);
    (dot(z, d) - dot(z, c)).atan2(dot(y, d) - dot(y, c))
}

/// Limits below the angle, of 20 from -π to π.
fn bin(angle: f32) -> usize {
    const LIMITS: usize = BINS - 1;
    let step = 2.0 * PI / (LIMITS - 1) as f32;
    (0..LIMITS)
        .filter(|&i| {
            // Counted from both ends, as linspace does.
            let limit = if i < LIMITS / 2 { -PI + step * i as f32 } else { PI - step * (LIMITS - 1 - i) as f32 };
            limit < angle
        })
        .count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn angles_fall_into_their_bins() {
        assert_eq!(bin(-PI), 0);
        assert_eq!(bin(-3.1), 1);
        assert_eq!(bin(0.0), 10);
        assert_eq!(bin(3.1), 19);
        // The last limit is f32's pi.
        assert_eq!(bin(PI), 19);
    }

    #[test]
    fn torsion_and_angle_have_their_sign_and_place() {
        let quarter = torsion([[1.0, 0.0, 0.0], [0.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, 1.0, 1.0]]);
        assert!((quarter.abs() - PI / 2.0).abs() < 1e-4, "{quarter}");
        let other = torsion([[1.0, 0.0, 0.0], [0.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, -1.0, 1.0]]);
        assert!((quarter + other).abs() < 1e-4);
        let right = angle([0.0; 3], [2.0, 0.0, 0.0], [0.0, 3.0, 0.0]);
        assert!((right - PI / 2.0).abs() < 1e-6, "{right}");
    }
}
