//! Random rigid placement: centring, a random rotation, a random shift (AlphaFold 3, supplement 3.7, algorithm 19).

use super::langevin::{mean, subtract};
use super::numpy_random::NumpyGenerator;

/// The rotation of a quaternion (real part first, any length but 0), to be applied to row vectors from the right.
#[must_use]
pub fn rotation_of(quaternion: [f32; 4]) -> [[f32; 3]; 3] {
    let [r, i, j, k] = quaternion;
    let two_s = 2.0 / (r * r + i * i + j * j + k * k);
    [
        [1.0 - two_s * (j * j + k * k), two_s * (i * j - k * r), two_s * (i * k + j * r)],
        [two_s * (i * j + k * r), 1.0 - two_s * (i * i + k * k), two_s * (j * k - i * r)],
        [two_s * (i * k - j * r), two_s * (j * k + i * r), 1.0 - two_s * (i * i + j * j)],
    ]
}

/// Centres the points on the mean of the finite ones, turns them by the quaternion and shifts them. Points that are not
/// finite stay so.
pub fn place(points: &mut [[f32; 3]], quaternion: [f32; 4], shift: [f32; 3]) {
    let known: Vec<[f32; 3]> =
        points.iter().copied().filter(|point| point.iter().all(|component| component.is_finite())).collect();
    let centre = if known.is_empty() { [0.0; 3] } else { mean(&known) };
    let rotation = rotation_of(quaternion);
    for point in points.iter_mut() {
        let [x, y, z] = subtract(*point, centre);
        *point = std::array::from_fn(|axis| {
            x * rotation[0][axis] + y * rotation[1][axis] + z * rotation[2][axis] + shift[axis]
        });
    }
}

/// A random placement as the reference draws it: four deviates for the rotation, three for the shift, `shift_scale` in Å.
/// Draws nothing and changes nothing when no point is finite.
pub fn place_randomly(points: &mut [[f32; 3]], shift_scale: f32, generator: &mut NumpyGenerator) {
    if !points.iter().any(|point| point.iter().all(|component| component.is_finite())) {
        return;
    }
    let quaternion: [f32; 4] = std::array::from_fn(|_| generator.normal() as f32);
    let length = quaternion.iter().map(|component| component * component).sum::<f32>().sqrt().copysign(quaternion[0]);
    let shift = std::array::from_fn(|_| generator.normal() as f32 * shift_scale);
    place(points, quaternion.map(|component| component / length), shift);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placement_is_rigid_and_leaves_unknown_points_unknown() {
        let mut points = vec![[1.0, 2.0, 3.0], [f32::NAN; 3], [-4.0, 0.5, 7.0], [0.0, 9.0, -2.0]];
        let distance = |points: &[[f32; 3]], a: usize, b: usize| {
            subtract(points[a], points[b]).iter().map(|component| component * component).sum::<f32>().sqrt()
        };
        let before = [distance(&points, 0, 2), distance(&points, 2, 3)];
        place_randomly(&mut points, 24.0, &mut NumpyGenerator::new(5));
        let after = [distance(&points, 0, 2), distance(&points, 2, 3)];
        assert!(
            before.iter().zip(after).all(|(before, after)| (before - after).abs() < 1e-4),
            "{before:?} became {after:?}"
        );
        assert!(points[1].iter().all(|component| component.is_nan()));
    }
}
