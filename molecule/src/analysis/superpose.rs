//! The rigid motion that best lays one set of points on another.
//!
//! Horn's closed form (J. Opt. Soc. Am. A 1987, 4, 629): the rotation is the quaternion that belongs to the largest
//! eigenvalue of a symmetric 4x4 matrix made from the covariance of the two sets. Unlike the plain singular value
//! decomposition of Kabsch (Acta Cryst. 1976, A32, 922), which it otherwise equals, it can only give a rotation, never a
//! reflection. The eigenvalue problem is solved by Jacobi rotations, which are exact to rounding for so small a matrix
//! and need no start value. Sums run in f64.

use glam::{DMat3, DQuat, DVec3, Mat3, Vec3};

use super::structure_alignment::{Pairing, match_atoms};
use crate::structure::Model;

/// A rotation followed by a translation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Transform {
    /// Turns mobile directions into target directions.
    pub rotation: Mat3,
    /// Å, added after the rotation.
    pub translation: Vec3,
}

impl Transform {
    /// The moved point.
    #[must_use]
    pub fn apply(&self, point: Vec3) -> Vec3 {
        self.rotation * point + self.translation
    }
}

/// The best superposition of two sets of points.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Superposition {
    /// Lays the mobile points on the target.
    pub transform: Transform,
    /// Root mean square distance after it, Å.
    pub rmsd: f32,
}

/// Superposes `mobile` on `target`, point by point, all of equal weight. Nothing when the lists are empty, differ in
/// length, or hold points that are not finite. With fewer than three points, or points on a line, the rotation is one
/// of many equally good ones.
#[must_use]
pub fn superpose(mobile: &[Vec3], target: &[Vec3]) -> Option<Superposition> {
    if mobile.is_empty() || mobile.len() != target.len() {
        return None;
    }
    let count = mobile.len() as f64;
    let centre = |points: &[Vec3]| points.iter().map(|point| point.as_dvec3()).sum::<DVec3>() / count;
    let (mobile_centre, target_centre) = (centre(mobile), centre(target));
    if !(mobile_centre.is_finite() && target_centre.is_finite()) {
        return None;
    }
    // Columns of `covariance` are target, rows mobile: S[a][b] = sum of mobile_a * target_b.
    let mut covariance = [[0.0_f64; 3]; 3];
    let mut spread = 0.0;
    for (mobile, target) in mobile.iter().zip(target) {
        let (a, b) = (mobile.as_dvec3() - mobile_centre, target.as_dvec3() - target_centre);
        spread += a.length_squared() + b.length_squared();
        for (row, a) in covariance.iter_mut().zip(a.to_array()) {
            for (entry, b) in row.iter_mut().zip(b.to_array()) {
                *entry += a * b;
            }
        }
    }
    let [[xx, xy, xz], [yx, yy, yz], [zx, zy, zz]] = covariance;
    let matrix = [
        [xx + yy + zz, yz - zy, zx - xz, xy - yx],
        [yz - zy, xx - yy - zz, xy + yx, zx + xz],
        [zx - xz, xy + yx, yy - xx - zz, yz + zy],
        [xy - yx, zx + xz, yz + zy, zz - xx - yy],
    ];
    let (largest, [w, x, y, z]) = largest_eigenpair(matrix)?;
    let rotation = DMat3::from_quat(DQuat::from_xyzw(x, y, z, w).normalize());
    let translation = target_centre - rotation * mobile_centre;
    let squared = ((spread - 2.0 * largest) / count).max(0.0);
    let transform = Transform { rotation: rotation.as_mat3(), translation: translation.as_vec3() };
    (transform.rotation.is_finite() && transform.translation.is_finite())
        .then(|| Superposition { transform, rmsd: squared.sqrt() as f32 })
}

/// Largest eigenvalue of a symmetric matrix and its unit eigenvector, by cyclic Jacobi rotations.
fn largest_eigenpair(mut matrix: [[f64; 4]; 4]) -> Option<(f64, [f64; 4])> {
    let mut vectors = [[0.0; 4]; 4];
    for (index, row) in vectors.iter_mut().enumerate() {
        row[index] = 1.0;
    }
    let scale = matrix.iter().flatten().fold(0.0_f64, |held, value| held.max(value.abs()));
    if !scale.is_finite() {
        return None;
    }
    // Convergence is quadratic: seven or eight sweeps reach rounding; the bound is for the impossible.
    for _ in 0..50 {
        let off: f64 = (0..4).flat_map(|p| (p + 1..4).map(move |q| (p, q))).map(|(p, q)| matrix[p][q].powi(2)).sum();
        if off.sqrt() <= 1.0e-15 * scale {
            break;
        }
        for p in 0..4 {
            for q in p + 1..4 {
                if matrix[p][q].abs() <= f64::MIN_POSITIVE {
                    continue;
                }
                let theta = (matrix[q][q] - matrix[p][p]) / (2.0 * matrix[p][q]);
                let tangent = theta.signum() / (theta.abs() + theta.hypot(1.0));
                let cosine = 1.0 / tangent.hypot(1.0);
                let sine = tangent * cosine;
                for k in 0..4 {
                    let (kp, kq) = (matrix[k][p], matrix[k][q]);
                    matrix[k][p] = cosine * kp - sine * kq;
                    matrix[k][q] = sine * kp + cosine * kq;
                }
                for k in 0..4 {
                    let (pk, qk) = (matrix[p][k], matrix[q][k]);
                    matrix[p][k] = cosine * pk - sine * qk;
                    matrix[q][k] = sine * pk + cosine * qk;
                }
                for row in &mut vectors {
                    let (vp, vq) = (row[p], row[q]);
                    row[p] = cosine * vp - sine * vq;
                    row[q] = sine * vp + cosine * vq;
                }
            }
        }
    }
    let best = (0..4).max_by(|a, b| matrix[*a][*a].total_cmp(&matrix[*b][*b]))?;
    Some((matrix[best][best], vectors.map(|row| row[best])))
}

/// Root mean square distance of two sets of points as they lie, Å; nothing when they are empty or differ in length.
#[must_use]
pub fn rmsd(a: &[Vec3], b: &[Vec3]) -> Option<f32> {
    if a.is_empty() || a.len() != b.len() {
        return None;
    }
    let sum: f64 = a.iter().zip(b).map(|(a, b)| a.as_dvec3().distance_squared(b.as_dvec3())).sum();
    Some((sum / a.len() as f64).sqrt() as f32)
}

/// Superposes as [`superpose`] does, leaving out pairs until none of those kept is farther apart than `cutoff` Å. Each
/// round drops the farthest tenth of all, or the farther half of those beyond the cutoff, whichever is fewer (as the
/// matchmaker of Meng et al., BMC Bioinformatics 2006, 7, 339). Returns the pairs that were kept, at least three, and
/// the superposition of these.
#[must_use]
pub fn superpose_pruned(mobile: &[Vec3], target: &[Vec3], cutoff: f32) -> Option<(Superposition, Vec<usize>)> {
    let mut kept: Vec<usize> = (0..mobile.len().min(target.len())).collect();
    if mobile.len() != target.len() {
        return None;
    }
    loop {
        let pick = |points: &[Vec3]| kept.iter().map(|index| points[*index]).collect::<Vec<Vec3>>();
        let fit = superpose(&pick(mobile), &pick(target))?;
        let mut ranked: Vec<(f32, usize)> =
            kept.iter().map(|index| (fit.transform.apply(mobile[*index]).distance(target[*index]), *index)).collect();
        ranked.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        let beyond = ranked.iter().take_while(|(distance, _)| *distance > cutoff).count();
        let dropped = (kept.len() / 10).min(beyond.div_ceil(2)).max(1).min(kept.len().saturating_sub(3));
        if beyond == 0 || dropped == 0 {
            return Some((fit, kept));
        }
        kept = ranked[dropped..].iter().map(|(_, index)| *index).collect();
        kept.sort_unstable();
    }
}

/// How one model lies on another.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelSuperposition {
    /// Lays the mobile model on the target.
    pub superposition: Superposition,
    /// Atom pairs (mobile, target) that were superposed: alpha carbons, or C1' of nucleotides.
    pub pairs: Vec<(u32, u32)>,
    /// How many pairs have the same residue name.
    pub identical: usize,
}

/// Superposes two models of one protein (or close relatives), whatever their numbering, gaps and chain names: chains are
/// aligned by sequence and paired as they lie in space, and all aligned alpha carbons superposed. Nothing when fewer than
/// three residues can be paired.
#[must_use]
pub fn superpose_models(mobile: &Model, target: &Model) -> Option<ModelSuperposition> {
    let pairs = match_atoms(mobile, target, Pairing::Sequence);
    if pairs.len() < 3 {
        return None;
    }
    let place = |model: &Model, atom: u32| model.positions.get(atom as usize).copied().unwrap_or(Vec3::NAN);
    let mobile_points: Vec<Vec3> = pairs.iter().map(|(atom, _)| place(mobile, *atom)).collect();
    let target_points: Vec<Vec3> = pairs.iter().map(|(_, atom)| place(target, *atom)).collect();
    let superposition = superpose(&mobile_points, &target_points)?;
    let name = |model: &Model, atom: u32| model.topology.residue_of(atom as usize).name.clone();
    let identical = pairs.iter().filter(|(a, b)| name(mobile, *a) == name(target, *b)).count();
    Some(ModelSuperposition { superposition, pairs, identical })
}

#[cfg(test)]
mod tests {
    use glam::Quat;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_moved_copy_is_laid_back(
            points in prop::collection::vec((-30.0_f32..30.0, -30.0_f32..30.0, -30.0_f32..30.0), 3..60),
            axis in (-1.0_f32..1.0, -1.0_f32..1.0, 0.1_f32..1.0),
            angle in -3.1_f32..3.1,
            shift in (-80.0_f32..80.0, -80.0_f32..80.0, -80.0_f32..80.0),
        ) {
            let target: Vec<Vec3> = points.into_iter().map(Vec3::from).collect();
            let turn = Quat::from_axis_angle(Vec3::from(axis).normalize_or_zero(), angle);
            let mobile: Vec<Vec3> = target.iter().map(|point| turn * *point + Vec3::from(shift)).collect();
            let found = superpose(&mobile, &target).unwrap();
            prop_assert!(found.rmsd < 1.0e-3, "{}", found.rmsd);
            prop_assert!((found.transform.rotation.determinant() - 1.0).abs() < 1.0e-4);
            for (mobile, target) in mobile.iter().zip(&target) {
                prop_assert!(found.transform.apply(*mobile).distance(*target) < 2.0e-3);
            }
        }
    }

    #[test]
    fn pairs_that_do_not_fit_are_left_out() {
        let target: Vec<Vec3> = (0..40)
            .map(|index| {
                let turn = index as f32;
                Vec3::new(8.0 * turn.cos(), 8.0 * turn.sin(), 1.5 * turn)
            })
            .collect();
        let mut mobile: Vec<Vec3> = target.iter().map(|point| *point + Vec3::new(3.0, 4.0, 5.0)).collect();
        for (index, point) in mobile.iter_mut().enumerate().skip(30) {
            *point += Vec3::X * (4.0 + index as f32);
        }
        let (fit, kept) = superpose_pruned(&mobile, &target, 2.0).unwrap();
        assert_eq!(kept, (0..30).collect::<Vec<usize>>());
        assert!(fit.rmsd < 1.0e-3, "{}", fit.rmsd);
        // Three pairs are kept, however far apart they are.
        let scattered: Vec<Vec3> =
            (0..9).map(|index| Vec3::splat(index as f32 * 50.0) * Vec3::new(1.0, -1.0, 0.3)).collect();
        assert_eq!(superpose_pruned(&scattered, &target[..9], 0.1).unwrap().1.len(), 3);
        assert!(superpose_pruned(&scattered, &target, 2.0).is_none());
    }

    #[test]
    fn a_mirror_image_is_not_laid_on_by_reflection() {
        let target = [Vec3::ZERO, Vec3::X, Vec3::Y * 2.0, Vec3::Z * 3.0];
        let mobile = target.map(|point| point * Vec3::new(-1.0, 1.0, 1.0));
        let found = superpose(&mobile, &target).unwrap();
        assert!(found.transform.rotation.determinant() > 0.99);
        assert!(found.rmsd > 0.3);
        let moved = mobile.map(|point| found.transform.apply(point));
        assert!((rmsd(&moved, &target).unwrap() - found.rmsd).abs() < 1.0e-4);
    }

    #[test]
    fn two_states_of_one_protein_are_paired_by_sequence() {
        let read = |name: &str| {
            let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../samples/adenylate-kinase").join(name);
            crate::formats::read_structure(&path).unwrap()
        };
        let (open, closed) = (read("open.pdb"), read("closed.pdb"));
        let found = superpose_models(open.first().unwrap(), closed.first().unwrap()).unwrap();
        assert_eq!((found.pairs.len(), found.identical), (214, 214));
        // By gemmi 0.7.5 over the same alpha carbons.
        assert!((found.superposition.rmsd - 6.87966).abs() < 0.001, "{}", found.superposition.rmsd);
        // The same with other numbers and a piece missing.
        let mut cut = open.clone();
        let topology = std::sync::Arc::make_mut(&mut cut.models[0].topology);
        topology.residues.iter_mut().for_each(|residue| residue.number += 500);
        topology.chains[0].residues.start = 20;
        let found = superpose_models(&cut.models[0], closed.first().unwrap()).unwrap();
        assert_eq!((found.pairs.len(), found.identical), (194, 194));
    }

    #[test]
    fn what_cannot_be_superposed_is_refused() {
        assert!(superpose(&[], &[]).is_none());
        assert!(superpose(&[Vec3::X], &[]).is_none());
        assert!(superpose(&[Vec3::NAN], &[Vec3::X]).is_none());
        let single = superpose(&[Vec3::X], &[Vec3::Y]).unwrap();
        assert!(single.rmsd < 1.0e-6 && single.transform.apply(Vec3::X).distance(Vec3::Y) < 1.0e-6);
    }
}
