//! Principal components of an ensemble: the few collective motions that explain most of its spread.
//!
//! Amadei, Linssen & Berendsen, Proteins 1993, 17, 412. The covariance of 3N coordinates over M conformers has at most M - 1
//! components, and the M x M matrix of inner products of the conformers' deviations has the same eigenvalues; whichever
//! of the two is smaller is solved. Covariances are divided by M - 1.

use faer::{Mat, Par, Side};
use glam::{DVec3, Vec3};

use super::equal_points;

/// The smaller of conformers and coordinates may be this large.
const MAX_SIZE: usize = 6_000;
/// Components with less than this share of the spread are rounding.
const LEAST_SHARE: f64 = 1.0e-12;
/// So are those with less than this variance, Å²: coordinates have some seven digits.
const LEAST_VARIANCE: f64 = 1.0e-10;

/// The collective motions of an ensemble, largest first.
#[derive(Clone, Debug, PartialEq)]
pub struct PrincipalComponents {
    /// The mean conformer, Å.
    pub mean: Vec<Vec3>,
    /// Variance along each component, Å².
    pub variances: Vec<f64>,
    /// Variance along all components there are, Å².
    pub total_variance: f64,
    /// Directions, a vector a point; each component of length one over all points.
    pub components: Vec<Vec<Vec3>>,
    /// For each conformer its place along each component, Å.
    pub projections: Vec<Vec<f64>>,
}

impl PrincipalComponents {
    /// The share of the spread that each component explains, 0 to 1.
    #[must_use]
    pub fn explained(&self) -> Vec<f64> {
        self.variances.iter().map(|variance| variance / self.total_variance.max(f64::MIN_POSITIVE)).collect()
    }

    /// A conformer at `distance` Å from the mean along a component.
    #[must_use]
    pub fn conformer(&self, component: usize, distance: f32) -> Option<Vec<Vec3>> {
        let directions = self.components.get(component)?;
        Some(self.mean.iter().zip(directions).map(|(mean, direction)| *mean + *direction * distance).collect())
    }
}

/// The first `wanted` components of conformers as they lie (superpose them first). Nothing with fewer than two conformers,
/// unequal points, numbers that are not finite, or more than 6000 conformers and coordinates both.
#[must_use]
pub fn principal_components(conformers: &[Vec<Vec3>], wanted: usize) -> Option<PrincipalComponents> {
    let points = equal_points(conformers)?;
    let (count, size) = (conformers.len(), 3 * points);
    if count < 2 || count.min(size) > MAX_SIZE {
        return None;
    }
    let mut mean = vec![DVec3::ZERO; points];
    for conformer in conformers {
        mean.iter_mut().zip(conformer).for_each(|(mean, point)| *mean += point.as_dvec3() / count as f64);
    }
    let deviations = Mat::from_fn(count, size, |i, j| f64::from(conformers[i][j / 3][j % 3]) - mean[j / 3][j % 3]);
    // One thread: equal input, equal digits.
    faer::set_global_parallelism(Par::Seq);
    let freedom = (count - 1) as f64;
    let is_by_conformer = count <= size;
    let product =
        if is_by_conformer { &deviations * deviations.transpose() } else { deviations.transpose() * &deviations };
    let total_variance = (0..product.nrows()).map(|i| product[(i, i)]).sum::<f64>() / freedom;
    let eigen = product.self_adjoint_eigen(Side::Lower).ok()?;
    let last = product.nrows();
    let mut found = PrincipalComponents {
        mean: Vec::new(),
        variances: Vec::new(),
        total_variance,
        components: Vec::new(),
        projections: vec![Vec::new(); count],
    };
    for rank in 0..wanted.min(last) {
        let column = last - 1 - rank;
        let value = eigen.S()[column];
        if !value.is_finite() || value / freedom <= (LEAST_SHARE * total_variance).max(LEAST_VARIANCE) {
            break;
        }
        let vector: Vec<f64> = (0..last).map(|i| eigen.U()[(i, column)]).collect();
        let (mut direction, mut along) = if is_by_conformer {
            let length = value.sqrt();
            let direction: Vec<f64> =
                (0..size).map(|j| (0..count).map(|i| deviations[(i, j)] * vector[i]).sum::<f64>() / length).collect();
            (direction, vector.iter().map(|x| x * length).collect::<Vec<f64>>())
        } else {
            let along = (0..count).map(|i| (0..size).map(|j| deviations[(i, j)] * vector[j]).sum()).collect();
            (vector, along)
        };
        // The sign means nothing; choosing it makes equal runs equal.
        let largest = direction.iter().copied().fold(0.0_f64, |held, x| if x.abs() > held.abs() { x } else { held });
        if largest < 0.0 {
            direction.iter_mut().chain(&mut along).for_each(|x| *x = -*x);
        }
        found.variances.push(value / freedom);
        found
            .components
            .push(direction.chunks_exact(3).map(|part| DVec3::new(part[0], part[1], part[2]).as_vec3()).collect());
        found.projections.iter_mut().zip(along).for_each(|(place, along)| place.push(along));
    }
    found.mean = mean.into_iter().map(DVec3::as_vec3).collect();
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Points that move along one direction by a wave, and a little along another.
    fn waves(count: usize) -> Vec<Vec<Vec3>> {
        (0..count)
            .map(|index| {
                let (large, small) = ((index as f32 * 0.7).sin() * 3.0, (index as f32 * 1.9).cos() * 0.5);
                vec![Vec3::new(large, small, 0.0), Vec3::new(5.0 - large, 0.0, 1.0), Vec3::new(0.0, 4.0 + small, 2.0)]
            })
            .collect()
    }

    #[test]
    fn both_ways_find_the_same_components() {
        // Nine coordinates: by conformers with 8, by coordinates with 40.
        for count in [8, 40] {
            let conformers = waves(count);
            let found = principal_components(&conformers, 9).unwrap();
            assert_eq!(found.variances.len(), 2, "{:?}", found.variances);
            assert!((found.variances.iter().sum::<f64>() - found.total_variance).abs() < 1.0e-6);
            assert!(found.explained()[0] > 0.9);
            let direction = &found.components[0];
            assert!((direction[0].x.abs() - 0.5_f32.sqrt()).abs() < 0.01, "{direction:?}");
            // A conformer is the mean and its projections.
            for (conformer, projection) in conformers.iter().zip(&found.projections) {
                for (point, place) in conformer.iter().enumerate() {
                    let mut built = found.mean[point];
                    for (component, along) in found.components.iter().zip(projection) {
                        built += component[point] * *along as f32;
                    }
                    assert!(built.distance(*place) < 1.0e-4);
                }
            }
        }
    }

    #[test]
    fn what_has_no_spread_has_no_components() {
        let still = vec![vec![Vec3::ONE; 4]; 6];
        assert!(principal_components(&still, 3).unwrap().variances.is_empty());
        assert!(principal_components(&still[..1], 3).is_none());
        assert!(principal_components(&[vec![Vec3::NAN], vec![Vec3::ONE]], 3).is_none());
        let two = principal_components(&waves(2), 5).unwrap();
        assert_eq!(two.variances.len(), 1);
        assert!(two.conformer(0, 0.0).unwrap() == two.mean && two.conformer(1, 1.0).is_none());
    }
}
