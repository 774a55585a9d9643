//! Distances, angles and dihedral angles between points, with the conventions of the field.

use glam::Vec3;

/// The angle at `middle`, radians; 0 where two points coincide.
#[must_use]
pub fn angle(first: Vec3, middle: Vec3, last: Vec3) -> f32 {
    let (a, b) = (first - middle, last - middle);
    a.cross(b).length().atan2(a.dot(b))
}

/// The dihedral angle about `b`-`c`, radians from -π to π: positive when `d` is turned clockwise from `a`, looking from `b`
/// to `c` (IUPAC 1974). 0 where three of the points lie on a line.
#[must_use]
pub fn dihedral(a: Vec3, b: Vec3, c: Vec3, d: Vec3) -> f32 {
    let axis = (c - b).normalize_or_zero();
    let first = (a - b).reject_from_normalized(axis);
    let second = (d - c).reject_from_normalized(axis);
    axis.dot(first.cross(second)).atan2(first.dot(second))
}

#[cfg(test)]
mod tests {
    use std::f32::consts::{FRAC_PI_2, PI};

    use super::*;

    #[test]
    fn known_angles() {
        assert!((angle(Vec3::X, Vec3::ZERO, Vec3::Y) - FRAC_PI_2).abs() < 1e-6);
        assert!((angle(Vec3::X, Vec3::ZERO, -Vec3::X) - PI).abs() < 1e-6);
        let turned = |degrees: f32| {
            let (sine, cosine) = degrees.to_radians().sin_cos();
            dihedral(Vec3::X, Vec3::ZERO, Vec3::Z, Vec3::new(cosine, sine, 1.0)).to_degrees()
        };
        for degrees in [-179.0, -60.0, 0.0, 30.0, 60.0, 120.0, 179.0] {
            assert!((turned(degrees) - degrees).abs() < 1e-3, "{degrees} {}", turned(degrees));
        }
    }
}
