//! The camera: a point it looks at, a distance, a rotation.
//!
//! View space is right-handed: x to the right, y up, z towards the viewer, so what is visible has negative z. The
//! projection is a reverse-Z perspective with the far plane at infinity: normalised depth is `near / depth`, 1 at the
//! near plane and 0 at infinity. Floating-point depth then has nearly equal relative precision at every distance
//! (Lapidous & Jiao, HWWS 1999), so nobody has to tune planes.

use glam::{Mat3, Mat4, Quat, Vec2, Vec3, Vec4};
use serde::{Deserialize, Serialize};

/// Where the picture is taken from.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Camera {
    /// The point that it looks at and turns about, Å.
    pub center: Vec3,
    /// Distance of the eye from the centre, Å.
    pub distance: f32,
    /// Rotation from world to view.
    pub view_from_world: Quat,
    /// Full vertical angle of view, radians.
    pub vertical_fov: f32,
    /// Where the scene is cut off in front: Å from the centre towards the viewer; `None` draws everything before the
    /// eye. Useful to look into a pocket.
    pub front_clip: Option<f32>,
}

impl Default for Camera {
    fn default() -> Self {
        Self {
            center: Vec3::ZERO,
            distance: 50.0,
            view_from_world: Quat::IDENTITY,
            vertical_fov: 30_f32.to_radians(),
            front_clip: None,
        }
    }
}

/// A ray in world space.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ray {
    /// The eye, Å.
    pub origin: Vec3,
    /// Unit direction.
    pub direction: Vec3,
}

impl Camera {
    /// A camera that sees all points from the side on which they spread widest: the longest axis lies across, the
    /// second up. `aspect` is width over height.
    #[must_use]
    pub fn looking_at(points: &[Vec3], aspect: f32) -> Self {
        let mut camera = Self { view_from_world: widest_view(points), ..Self::default() };
        camera.frame(points, aspect);
        camera
    }

    /// A camera for a ligand in its surroundings: from the direction with the fewest atoms in the way, with the centre
    /// of the surroundings behind the ligand where that is open too. `aspect` is width over height.
    #[must_use]
    pub fn looking_into_pocket(ligand: &[Vec3], surroundings: &[Vec3], aspect: f32) -> Self {
        let mut camera = Self { view_from_world: widest_view(ligand), ..Self::default() };
        let (center, radius) = bounding_sphere(ligand);
        let outward = (center - mean(surroundings)).normalize_or_zero();
        let near: Vec<Vec3> =
            surroundings.iter().copied().filter(|point| point.distance(center) < radius + 20.0).collect();
        // The ligand may be among its surroundings; it is not in its own way.
        let near: Vec<Vec3> =
            near.into_iter().filter(|point| ligand.iter().all(|atom| atom.distance_squared(*point) > 0.25)).collect();
        let spread = ligand.iter().map(|&point| (point - center).length_squared()).sum::<f32>().max(1e-6);
        // A Fibonacci lattice covers the sphere evenly; two hundred directions are 14 degrees apart.
        let directions = 200;
        let golden = std::f32::consts::PI * (3.0 - 5_f32.sqrt());
        let mut best = (f32::INFINITY, Vec3::Z);
        for index in 0..directions {
            let z = 1.0 - (2 * index + 1) as f32 / directions as f32;
            let ring = (1.0 - z * z).max(0.0).sqrt();
            let angle = golden * index as f32;
            let direction = Vec3::new(ring * angle.cos(), ring * angle.sin(), z);
            // How much lies between the ligand's atoms and the eye: up to five atoms within 2.5 Å of the line.
            let in_the_way = |from: Vec3| {
                near.iter()
                    .filter(|&&point| {
                        let offset = point - from;
                        offset.dot(direction) > 0.5 && offset.reject_from_normalized(direction).length_squared() < 6.25
                    })
                    .take(5)
                    .count()
            };
            let hidden: usize = ligand.iter().map(|&point| in_the_way(point)).sum();
            let broad = ligand.iter().map(|&point| (point - center).reject_from_normalized(direction).length_squared());
            let cost = 1.5 * hidden as f32 / (5 * ligand.len().max(1)) as f32
                - 0.5 * broad.sum::<f32>() / spread
                - 0.1 * direction.dot(outward);
            if cost < best.0 {
                best = (cost, direction);
            }
        }
        let toward = best.1;
        // Across the screen: the ligand's longest direction as seen from there.
        let across = principal_axes(ligand).0.reject_from(toward).normalize_or(toward.any_orthonormal_vector());
        camera.view_from_world =
            Quat::from_mat3(&Mat3::from_cols(across, toward.cross(across), toward).transpose()).normalize();
        camera.frame_sphere(center, (radius * 1.3).max(4.0), aspect);
        // What lies farther before the ligand than its own neighbours is cut away.
        camera.front_clip = Some(radius + 7.0);
        camera
    }

    /// Moves so that all points are seen with a margin, keeping the direction; nothing is cut off in front any more.
    /// Without points nothing changes.
    pub fn frame(&mut self, points: &[Vec3], aspect: f32) {
        if points.is_empty() {
            return;
        }
        let (middle, radius) = bounding_sphere(points);
        // A margin for the size of atoms, and a little air.
        let margin = 1.8 + 0.03 * radius;
        let scale = self.projection_scale(aspect.clamp(0.05, 20.0));
        // In view directions around the middle, a point is inside the picture when |x - cx| <= (distance - z) / scale:
        // four half-spaces, so the best centre and distance follow from four maxima.
        let mut reach = [f32::NEG_INFINITY; 4];
        let mut nearest = f32::NEG_INFINITY;
        for &point in points {
            let view = self.view_from_world * (point - middle);
            for (slot, value) in reach.iter_mut().zip([
                view.x + view.z / scale.x,
                -view.x + view.z / scale.x,
                view.y + view.z / scale.y,
                -view.y + view.z / scale.y,
            ]) {
                *slot = slot.max(value + margin);
            }
            nearest = nearest.max(view.z);
        }
        let [right, left, up, down] = reach;
        let shift = Vec3::new(0.5 * (right - left), 0.5 * (up - down), 0.0);
        let distance = (0.5 * (right + left) * scale.x).max(0.5 * (up + down) * scale.y).max(nearest + 1.0);
        self.center = middle + self.view_from_world.inverse() * shift;
        self.distance = distance.max(0.5);
        self.front_clip = None;
    }

    /// Moves so that a sphere just fits, keeping the direction; nothing is cut off in front any more.
    pub fn frame_sphere(&mut self, center: Vec3, radius: f32, aspect: f32) {
        let half_vertical = 0.5 * self.vertical_fov;
        let half_horizontal = (half_vertical.tan() * aspect.clamp(0.05, 20.0)).atan();
        self.center = center;
        self.distance = (radius.max(0.5) / half_vertical.min(half_horizontal).sin()).max(0.5);
        self.front_clip = None;
    }

    /// Turns about the centre: `right` and `up` in radians, as a drag to the right and up turns what is in front.
    pub fn orbit(&mut self, right: f32, up: f32) {
        self.view_from_world =
            (Quat::from_rotation_x(-up) * Quat::from_rotation_y(right) * self.view_from_world).normalize();
    }

    /// Turns about the line of sight, radians, counter-clockwise on the screen.
    pub fn roll(&mut self, angle: f32) {
        self.view_from_world = (Quat::from_rotation_z(angle) * self.view_from_world).normalize();
    }

    /// Shifts what is seen by a fraction of the picture's height, to the right and up.
    pub fn pan(&mut self, right: f32, up: f32) {
        let height = 2.0 * self.distance * (0.5 * self.vertical_fov).tan();
        self.center -= self.view_from_world.inverse() * Vec3::new(right * height, up * height, 0.0);
    }

    /// Scales what is seen: above 1 comes closer. What is cut off in front scales along, so that stepping back from a
    /// pocket shows the whole again.
    pub fn zoom(&mut self, factor: f32) {
        if factor.is_finite() && factor > 0.0 {
            let distance = (self.distance / factor).clamp(0.5, 1.0e6);
            self.front_clip = self.front_clip.map(|clip| clip * distance / self.distance.max(1e-3));
            self.distance = distance;
        }
    }

    /// The camera on the way from `self` to `other`, `t` from 0 to 1, by slerp and a geometric change of distance; the
    /// fraction is eased at both ends.
    #[must_use]
    pub fn interpolate(&self, other: &Self, t: f32) -> Self {
        let t = t.clamp(0.0, 1.0);
        let eased = t * t * (3.0 - 2.0 * t);
        let blend_clip = |a: Option<f32>, b: Option<f32>| match (a, b) {
            (Some(a), Some(b)) => Some(a + (b - a) * eased),
            _ => {
                if t < 1.0 {
                    a
                } else {
                    b
                }
            }
        };
        Self {
            center: self.center.lerp(other.center, eased),
            distance: (self.distance.max(1e-3).ln() * (1.0 - eased) + other.distance.max(1e-3).ln() * eased).exp(),
            view_from_world: self.view_from_world.slerp(other.view_from_world, eased).normalize(),
            vertical_fov: self.vertical_fov + (other.vertical_fov - self.vertical_fov) * eased,
            front_clip: blend_clip(self.front_clip, other.front_clip),
        }
    }

    /// Position of the eye, Å.
    #[must_use]
    pub fn eye(&self) -> Vec3 {
        self.center + self.view_from_world.inverse() * Vec3::new(0.0, 0.0, self.distance)
    }

    /// The view matrix.
    #[must_use]
    pub fn view_from_world_matrix(&self) -> Mat4 {
        Mat4::from_translation(Vec3::new(0.0, 0.0, -self.distance))
            * Mat4::from_quat(self.view_from_world)
            * Mat4::from_translation(-self.center)
    }

    /// Distance of the near plane from the eye, Å.
    #[must_use]
    pub fn near(&self) -> f32 {
        let closest = (0.01 * self.distance).clamp(0.02, 1.0);
        match self.front_clip {
            Some(clip) => (self.distance - clip).max(closest),
            None => closest,
        }
    }

    /// Scales of x and y from view space at unit depth to normalised device coordinates.
    #[must_use]
    pub fn projection_scale(&self, aspect: f32) -> Vec2 {
        let y = 1.0 / (0.5 * self.vertical_fov.clamp(0.01, 3.0)).tan();
        Vec2::new(y / aspect.max(1e-3), y)
    }

    /// The projection: reverse-Z with infinite far plane. `aspect` is width over height.
    #[must_use]
    pub fn clip_from_view(&self, aspect: f32) -> Mat4 {
        let scale = self.projection_scale(aspect);
        Mat4::from_cols(
            Vec4::new(scale.x, 0.0, 0.0, 0.0),
            Vec4::new(0.0, scale.y, 0.0, 0.0),
            Vec4::new(0.0, 0.0, 0.0, -1.0),
            Vec4::new(0.0, 0.0, self.near(), 0.0),
        )
    }

    /// Where a point appears: pixels from the left and top of a picture of this size, and its depth before the eye in
    /// Å. `None` for points before the near plane.
    #[must_use]
    pub fn project(&self, point: Vec3, size: Vec2) -> Option<(Vec2, f32)> {
        let view = self.view_from_world_matrix().transform_point3(point);
        let depth = -view.z;
        if depth < self.near() {
            return None;
        }
        let scale = self.projection_scale(size.x / size.y.max(1.0));
        let device = Vec2::new(view.x, view.y) * scale / depth;
        Some((Vec2::new((device.x + 1.0) * 0.5 * size.x, (1.0 - device.y) * 0.5 * size.y), depth))
    }

    /// Where a sphere appears: left, top, right and bottom in pixels of a picture of this size, of the part that is in
    /// it. `None` when nothing of it can be seen.
    #[must_use]
    pub(crate) fn screen_bounds(&self, center: Vec3, radius: f32, size: Vec2) -> Option<[f32; 4]> {
        let view = self.view_from_world_matrix().transform_point3(center);
        let depth = -view.z;
        if depth + radius < self.near() {
            return None;
        }
        if depth - radius <= self.near() || !depth.is_finite() {
            return Some([0.0, 0.0, size.x, size.y]);
        }
        let scale = self.projection_scale(size.x / size.y.max(1.0));
        // Slopes of the tangents from the eye.
        let bounds = |along: f32| {
            let tangent = (along * along + depth * depth - radius * radius).max(1e-6).sqrt();
            let low = (tangent * along - radius * depth) / (radius * along + tangent * depth).max(1e-6);
            let high = (tangent * along + radius * depth) / (tangent * depth - radius * along).max(1e-6);
            (low, high)
        };
        let (left, right) = bounds(view.x);
        let (bottom, top) = bounds(view.y);
        let x = |slope: f32| ((slope * scale.x + 1.0) * 0.5 * size.x).clamp(0.0, size.x);
        let y = |slope: f32| ((1.0 - slope * scale.y) * 0.5 * size.y).clamp(0.0, size.y);
        Some([x(left), y(top), x(right), y(bottom)])
    }

    /// The ray through a pixel of a picture of this size.
    #[must_use]
    pub fn ray(&self, pixel: Vec2, size: Vec2) -> Ray {
        let scale = self.projection_scale(size.x / size.y.max(1.0));
        let device = Vec2::new(pixel.x / size.x.max(1.0) * 2.0 - 1.0, 1.0 - pixel.y / size.y.max(1.0) * 2.0);
        let direction = Vec3::new(device.x / scale.x, device.y / scale.y, -1.0);
        Ray { origin: self.eye(), direction: (self.view_from_world.inverse() * direction).normalize_or(Vec3::NEG_Z) }
    }
}

/// Mean of the points; zero for none.
fn mean(points: &[Vec3]) -> Vec3 {
    if points.is_empty() { Vec3::ZERO } else { points.iter().copied().sum::<Vec3>() / points.len() as f32 }
}

/// A sphere around all points, at most a few percent larger than the smallest (Ritter, Graphics Gems 1990).
#[must_use]
pub fn bounding_sphere(points: &[Vec3]) -> (Vec3, f32) {
    let farthest = |from: Vec3| {
        points.iter().copied().fold((from, -1.0_f32), |held, point| {
            let distance = point.distance_squared(from);
            if distance > held.1 { (point, distance) } else { held }
        })
    };
    let Some(&first) = points.first() else { return (Vec3::ZERO, 1.0) };
    let one = farthest(first).0;
    let other = farthest(one).0;
    let mut center = (one + other) * 0.5;
    let mut radius = one.distance(other) * 0.5;
    for &point in points {
        let distance = point.distance(center);
        if distance > radius {
            let grown = 0.5 * (radius + distance);
            center += (point - center) * ((distance - grown) / distance.max(1e-6));
            radius = grown;
        }
    }
    (center, radius)
}

/// Unit vectors of largest and second largest spread, by power iteration on the covariance.
fn principal_axes(points: &[Vec3]) -> (Vec3, Vec3) {
    let middle = mean(points);
    let mut covariance = Mat3::ZERO;
    for &point in points {
        let offset = point - middle;
        covariance += Mat3::from_cols(offset * offset.x, offset * offset.y, offset * offset.z);
    }
    let largest = |matrix: Mat3, start: Vec3| {
        let mut axis = start;
        for _ in 0..64 {
            axis = (matrix * axis).normalize_or(start);
        }
        axis
    };
    let first = largest(covariance, Vec3::new(0.6, 0.5, 0.62).normalize_or_zero());
    let along = first.dot(covariance * first);
    let deflated = covariance - Mat3::from_cols(first * first.x, first * first.y, first * first.z) * along;
    let second = largest(deflated, first.any_orthonormal_vector())
        .reject_from(first)
        .normalize_or(first.any_orthonormal_vector());
    (first, second)
}

/// The rotation that lays the longest axis across the screen and the second upright.
fn widest_view(points: &[Vec3]) -> Quat {
    if points.len() < 3 {
        return Quat::IDENTITY;
    }
    let (across, up) = principal_axes(points);
    Quat::from_mat3(&Mat3::from_cols(across, up, across.cross(up)).transpose()).normalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_is_reversed_and_never_ends() {
        let camera = Camera::default();
        let clip_from_view = camera.clip_from_view(1.5);
        let depth = |distance: f32| {
            let clip = clip_from_view * Vec4::new(0.0, 0.0, -distance, 1.0);
            clip.z / clip.w
        };
        assert!((depth(camera.near()) - 1.0).abs() < 1e-6);
        assert!(depth(10.0) > depth(20.0), "nearer must be greater");
        assert!(depth(1.0e7) > 0.0);
    }

    #[test]
    fn project_and_ray_agree() {
        let mut camera = Camera { center: Vec3::new(3.0, -2.0, 7.0), ..Camera::default() };
        camera.orbit(0.7, -0.3);
        let size = Vec2::new(640.0, 400.0);
        let point = Vec3::new(5.0, 1.0, 4.0);
        let (pixel, _) = camera.project(point, size).unwrap();
        let ray = camera.ray(pixel, size);
        assert!((point - ray.origin).reject_from(ray.direction).length() < 1e-3);
    }

    #[test]
    fn screen_bounds_hold_the_sphere() {
        let mut camera = Camera { center: Vec3::new(1.0, 2.0, 3.0), distance: 12.0, ..Camera::default() };
        camera.orbit(0.4, 0.9);
        let size = Vec2::new(300.0, 200.0);
        for (center, radius) in [(Vec3::new(2.0, 1.0, 4.0), 1.5), (Vec3::new(-2.0, 5.0, 3.0), 3.0)] {
            let [left, top, right, bottom] = camera.screen_bounds(center, radius, size).unwrap();
            for index in 0..400 {
                let (a, b) = (index as f32 * 0.37, index as f32 * 1.13);
                let direction = Vec3::new(a.cos() * b.sin(), a.sin() * b.sin(), b.cos());
                let (pixel, _) = camera.project(center + direction * radius, size).unwrap();
                let pixel = pixel.clamp(Vec2::ZERO, size);
                assert!(pixel.x >= left - 0.1 && pixel.x <= right + 0.1, "{pixel} {left} {right}");
                assert!(pixel.y >= top - 0.1 && pixel.y <= bottom + 0.1, "{pixel} {top} {bottom}");
            }
        }
        assert!(camera.screen_bounds(camera.eye() * 2.0 - camera.center, 1.0, size).is_none());
        assert_eq!(camera.screen_bounds(camera.eye(), 1.0, size), Some([0.0, 0.0, 300.0, 200.0]));
    }

    #[test]
    fn framing_shows_every_point() {
        let points: Vec<Vec3> =
            (0..60).map(|i| Vec3::new((i as f32 * 0.7).sin() * 20.0, i as f32, (i as f32 * 1.3).cos() * 5.0)).collect();
        for aspect in [0.5, 1.0, 2.0] {
            let camera = Camera::looking_at(&points, aspect);
            let size = Vec2::new(300.0 * aspect, 300.0);
            for &point in &points {
                let (pixel, _) = camera.project(point, size).unwrap();
                assert!(pixel.x > 0.0 && pixel.x < size.x && pixel.y > 0.0 && pixel.y < size.y, "{aspect} {pixel}");
            }
        }
    }

    #[test]
    fn dragging_right_moves_the_front_to_the_right() {
        let mut camera = Camera::default();
        let size = Vec2::splat(200.0);
        let before = camera.project(Vec3::new(0.0, 0.0, 5.0), size).unwrap().0;
        camera.orbit(0.2, 0.2);
        let after = camera.project(Vec3::new(0.0, 0.0, 5.0), size).unwrap().0;
        assert!(after.x > before.x && after.y < before.y);
        camera.pan(0.25, 0.0);
        let panned = camera.project(Vec3::new(0.0, 0.0, 5.0), size).unwrap().0;
        assert!(panned.x > after.x + 20.0);
    }

    #[test]
    fn interpolation_ends_where_it_should() {
        let a = Camera::default();
        let mut b = Camera { center: Vec3::X, distance: 5.0, ..a };
        b.orbit(1.0, 0.5);
        assert!(a.interpolate(&b, 1.0).center.distance(b.center) < 1e-6);
        assert!((a.interpolate(&b, 0.5).distance - (250.0_f32).sqrt()).abs() < 1e-2);
    }

    #[test]
    fn sphere_around_points_holds_them() {
        let points = [Vec3::ZERO, Vec3::X * 4.0, Vec3::Y * 3.0, Vec3::Z];
        let (center, radius) = bounding_sphere(&points);
        assert!(points.iter().all(|point| point.distance(center) <= radius + 1e-4));
        assert!(radius < 2.8);
    }
}
