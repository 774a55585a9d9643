//! Statistics of an ensemble: how far its conformers are from each other, what moves, which belong together.
//!
//! A conformer here is a list of points, the same atoms in the same order in each: take those that matter (alpha carbons,
//! a ligand's heavy atoms) out of the models first, for example by a selection.
//!
//! RMSDs after superposition come from the largest root of Theobald's quartic (Acta Cryst. A 2005, 61, 478), which needs no
//! rotation, so a matrix of them costs little more than reading the points.

pub mod clusters;
mod common_atoms;
pub mod principal_components;

use glam::{DVec3, Vec3};
use rayon::prelude::*;

pub use common_atoms::common_atoms;

use super::superpose::superpose;

/// Rounds of superposing on the mean at most; a handful are usual.
const MAX_ROUNDS: usize = 200;
/// The mean stands still when it moves less, Å.
const STILL: f64 = 1.0e-5;

/// Distances of each two conformers of an ensemble.
#[derive(Clone, Debug, PartialEq)]
pub struct DistanceMatrix {
    count: usize,
    /// The upper triangle row by row, without the diagonal.
    values: Vec<f32>,
}

impl DistanceMatrix {
    /// A matrix by its function; `distance(i, j)` is asked for `i < j`, from several threads.
    #[must_use]
    pub fn new(count: usize, distance: impl Fn(usize, usize) -> f32 + Sync) -> Self {
        let row = |i: usize| (i + 1..count).map(|j| distance(i, j)).collect::<Vec<f32>>();
        let values: Vec<Vec<f32>> = (0..count).into_par_iter().map(row).collect();
        Self { count, values: values.concat() }
    }

    /// Conformers.
    #[must_use]
    pub fn count(&self) -> usize {
        self.count
    }

    /// The distance of two conformers; 0 of one to itself, and beyond the ensemble.
    #[must_use]
    pub fn get(&self, i: usize, j: usize) -> f32 {
        let (i, j) = (i.min(j), i.max(j));
        if i == j || j >= self.count {
            return 0.0;
        }
        self.values[i * (2 * self.count - i - 1) / 2 + j - i - 1]
    }

    /// The upper triangle row by row, without the diagonal.
    #[must_use]
    pub fn upper_triangle(&self) -> &[f32] {
        &self.values
    }
}

/// RMSD of each two conformers, Å; `superposed`: after the best superposition, else as they lie. Nothing when they
/// differ in their points, have none, or some are not finite.
#[must_use]
pub fn rmsd_matrix(conformers: &[Vec<Vec3>], superposed: bool) -> Option<DistanceMatrix> {
    let points = equal_points(conformers)?;
    if !superposed {
        return Some(DistanceMatrix::new(conformers.len(), |i, j| {
            let pairs = conformers[i].iter().zip(&conformers[j]);
            let sum: f64 = pairs.map(|(a, b)| a.as_dvec3().distance_squared(b.as_dvec3())).sum();
            (sum / points as f64).sqrt() as f32
        }));
    }
    let centred: Vec<Centred> = conformers.par_iter().map(|conformer| Centred::new(conformer)).collect();
    Some(DistanceMatrix::new(conformers.len(), |i, j| centred[i].rmsd(&centred[j]) as f32))
}

/// The number of points of every conformer, if it is one number and all are finite.
fn equal_points(conformers: &[Vec<Vec3>]) -> Option<usize> {
    let count = conformers.first()?.len();
    let fits = |conformer: &Vec<Vec3>| conformer.len() == count && conformer.iter().all(|point| point.is_finite());
    (count > 0 && conformers.iter().all(fits)).then_some(count)
}

/// Points about their centre.
struct Centred {
    points: Vec<DVec3>,
    /// Sum of squared lengths.
    spread: f64,
}

impl Centred {
    fn new(points: &[Vec3]) -> Self {
        let centre = points.iter().map(|point| point.as_dvec3()).sum::<DVec3>() / points.len() as f64;
        let points: Vec<DVec3> = points.iter().map(|point| point.as_dvec3() - centre).collect();
        let spread = points.iter().map(|point| point.length_squared()).sum();
        Self { points, spread }
    }

    /// The lowest RMSD over all rotations.
    fn rmsd(&self, other: &Self) -> f64 {
        let mut columns = [DVec3::ZERO; 3];
        for (a, b) in self.points.iter().zip(&other.points) {
            columns[0] += *b * a.x;
            columns[1] += *b * a.y;
            columns[2] += *b * a.z;
        }
        let largest = largest_root(columns.map(|column| column.to_array()), (self.spread + other.spread) / 2.0);
        ((self.spread + other.spread - 2.0 * largest).max(0.0) / self.points.len() as f64).sqrt()
    }
}

/// The largest eigenvalue of the quaternion matrix of a covariance, by Newton's method on its characteristic polynomial
/// from `start`, which is never below it.
fn largest_root([[xx, xy, xz], [yx, yy, yz], [zx, zy, zz]]: [[f64; 3]; 3], start: f64) -> f64 {
    let squares = [xx, xy, xz, yx, yy, yz, zx, zy, zz].iter().map(|value| value * value).sum::<f64>();
    let c2 = -2.0 * squares;
    let determinant = xx * (yy * zz - yz * zy) - xy * (yx * zz - yz * zx) + xz * (yx * zy - yy * zx);
    let c1 = -8.0 * determinant;
    let matrix = [
        [xx + yy + zz, yz - zy, zx - xz, xy - yx],
        [yz - zy, xx - yy - zz, xy + yx, zx + xz],
        [zx - xz, xy + yx, yy - xx - zz, yz + zy],
        [xy - yx, zx + xz, yz + zy, zz - xx - yy],
    ];
    let c0 = determinant_of_four(&matrix);
    let mut root = start;
    for _ in 0..60 {
        let square = root * root;
        let slope = 4.0 * square * root + 2.0 * c2 * root + c1;
        let value = square * square + c2 * square + c1 * root + c0;
        if slope.abs() <= f64::MIN_POSITIVE {
            break;
        }
        let step = value / slope;
        root -= step;
        if step.abs() <= 1.0e-13 * root.abs() {
            break;
        }
    }
    if root.is_finite() { root.min(start) } else { start }
}

fn determinant_of_four(m: &[[f64; 4]; 4]) -> f64 {
    let minor = |r: [usize; 2], c: [usize; 2]| m[r[0]][c[0]] * m[r[1]][c[1]] - m[r[0]][c[1]] * m[r[1]][c[0]];
    let (top, bottom) = ([0, 1], [2, 3]);
    minor(top, [0, 1]) * minor(bottom, [2, 3]) - minor(top, [0, 2]) * minor(bottom, [1, 3])
        + minor(top, [0, 3]) * minor(bottom, [1, 2])
        + minor(top, [1, 2]) * minor(bottom, [0, 3])
        - minor(top, [1, 3]) * minor(bottom, [0, 2])
        + minor(top, [2, 3]) * minor(bottom, [0, 1])
}

/// Conformers superposed on their mean.
#[derive(Clone, Debug, PartialEq)]
pub struct OnMean {
    /// The conformers, moved.
    pub conformers: Vec<Vec<Vec3>>,
    /// Their mean, which lies as the first conformer did.
    pub mean: Vec<Vec3>,
}

/// Superposes all conformers on their mean, forms the mean anew, and so on until it stands still. Nothing when they differ
/// in their points, have none, or some are not finite.
#[must_use]
pub fn superpose_on_mean(conformers: &[Vec<Vec3>]) -> Option<OnMean> {
    equal_points(conformers)?;
    let mut mean = conformers.first()?.clone();
    let mut moved = conformers.to_vec();
    for _ in 0..MAX_ROUNDS {
        moved.par_iter_mut().zip(conformers).for_each(|(moved, conformer)| {
            if let Some(fit) = superpose(conformer, &mean) {
                for (moved, point) in moved.iter_mut().zip(conformer) {
                    *moved = fit.transform.apply(*point);
                }
            }
        });
        let next = mean_of(&moved);
        let shift: f64 = mean.iter().zip(&next).map(|(a, b)| a.as_dvec3().distance_squared(b.as_dvec3())).sum();
        let shift = (shift / mean.len() as f64).sqrt();
        mean = next;
        if shift < STILL {
            break;
        }
    }
    Some(OnMean { conformers: moved, mean })
}

fn mean_of(conformers: &[Vec<Vec3>]) -> Vec<Vec3> {
    let mut sums = vec![DVec3::ZERO; conformers.first().map_or(0, Vec::len)];
    for conformer in conformers {
        for (sum, point) in sums.iter_mut().zip(conformer) {
            *sum += point.as_dvec3();
        }
    }
    sums.into_iter().map(|sum| (sum / conformers.len().max(1) as f64).as_vec3()).collect()
}

/// Root mean square fluctuation of each point about its mean, Å, the conformers as they lie. Nothing when they differ in
/// their points, have none, or some are not finite. Usually of [`OnMean::conformers`].
#[must_use]
pub fn rmsf(conformers: &[Vec<Vec3>]) -> Option<Vec<f32>> {
    let points = equal_points(conformers)?;
    let count = conformers.len() as f64;
    let of_point = |index: usize| {
        let places = || conformers.iter().map(|conformer| conformer[index].as_dvec3());
        let mean = places().sum::<DVec3>() / count;
        (places().map(|place| place.distance_squared(mean)).sum::<f64>() / count).sqrt() as f32
    };
    Some((0..points).map(of_point).collect())
}

#[cfg(test)]
mod tests {
    use glam::Quat;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_quartic_agrees_with_the_superposition(
            first in prop::collection::vec((-30.0_f32..30.0, -30.0_f32..30.0, -30.0_f32..30.0), 4..30),
            noise in prop::collection::vec((-5.0_f32..5.0, -5.0_f32..5.0, -5.0_f32..5.0), 30),
            angle in -3.0_f32..3.0,
        ) {
            let first: Vec<Vec3> = first.into_iter().map(Vec3::from).collect();
            let turn = Quat::from_axis_angle(Vec3::new(0.6, 0.0, 0.8), angle);
            let second: Vec<Vec3> = first.iter().zip(noise).map(|(point, noise)| turn * (*point + Vec3::from(noise))).collect();
            let expected = superpose(&first, &second).unwrap().rmsd;
            let found = rmsd_matrix(&[first, second], true).unwrap().get(0, 1);
            prop_assert!((found - expected).abs() < 1.0e-3, "{} {}", found, expected);
        }
    }

    #[test]
    fn mirror_images_flat_sets_and_copies() {
        let first = vec![Vec3::ZERO, Vec3::X, Vec3::Y * 2.0, Vec3::Z * 3.0];
        let mirrored: Vec<Vec3> = first.iter().map(|point| *point * Vec3::new(-1.0, 1.0, 1.0)).collect();
        let expected = superpose(&first, &mirrored).unwrap().rmsd;
        let matrix = rmsd_matrix(&[first.clone(), mirrored, first.clone()], true).unwrap();
        assert!((matrix.get(0, 1) - expected).abs() < 1.0e-4);
        assert!((matrix.get(2, 1) - expected).abs() < 1.0e-4);
        assert!(matrix.get(0, 2) < 1.0e-5);
        let line: Vec<Vec3> = (0..5).map(|index| Vec3::X * index as f32).collect();
        let other: Vec<Vec3> = (0..5).map(|index| Vec3::Y * index as f32 * 1.5).collect();
        let expected = superpose(&line, &other).unwrap().rmsd;
        let found = rmsd_matrix(&[line, other], true).unwrap().get(0, 1);
        assert!((found - expected).abs() < 1.0e-4, "{found} {expected}");
        assert!(rmsd_matrix(&[vec![Vec3::ZERO], vec![]], true).is_none());
        assert!(rmsd_matrix(&[vec![Vec3::NAN]], false).is_none());
        assert!(rmsd_matrix(&[], false).is_none());
        assert_eq!(rmsd_matrix(&[vec![Vec3::ZERO; 2], vec![Vec3::X; 2]], false).unwrap().get(1, 0), 1.0);
    }

    #[test]
    fn a_rigid_motion_is_no_fluctuation() {
        let shape: Vec<Vec3> =
            (0..12).map(|i| Vec3::new((i * i) as f32 * 0.3, (i % 5) as f32 * 2.0, i as f32)).collect();
        let conformers: Vec<Vec<Vec3>> = (0..5)
            .map(|index| {
                let turn = Quat::from_rotation_z(index as f32);
                shape.iter().map(|point| turn * *point + Vec3::Y * index as f32 * 9.0).collect()
            })
            .collect();
        assert!(rmsf(&conformers).unwrap().iter().any(|value| *value > 5.0));
        let on_mean = superpose_on_mean(&conformers).unwrap();
        assert!(rmsf(&on_mean.conformers).unwrap().iter().all(|value| *value < 1.0e-4));
        assert!(on_mean.mean.iter().zip(&shape).all(|(a, b)| a.distance(*b) < 1.0e-4));
    }
}
