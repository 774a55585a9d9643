//! Whether any of many points is within a distance, at a cost that does not depend on the distance.
//!
//! A tree of boxes: the points are halved at the median of the longest edge until a few are left. A question goes down
//! the nearer box first and leaves out boxes that are too far, so near and far distances, and points all in one place,
//! cost a logarithm each. ([`super::neighbour_grid`] lists neighbours faster, for one small distance.) After Bentley,
//! Commun. ACM 1975, 18, 509.

use glam::Vec3;

/// Points of a leaf.
const LEAF: usize = 12;

/// Points sorted for the question [`PointTree::any_within`].
#[derive(Clone, Debug, Default)]
pub struct PointTree {
    points: Vec<Vec3>,
    nodes: Vec<Node>,
}

#[derive(Clone, Copy, Debug)]
struct Node {
    low: Vec3,
    high: Vec3,
    /// Its points; the left child is the next node.
    first: u32,
    last: u32,
    /// The right child; 0 in a leaf.
    right: u32,
}

impl PointTree {
    /// Sorts the points; those that are not finite are left out.
    #[must_use]
    pub fn new(points: impl IntoIterator<Item = Vec3>) -> Self {
        let mut tree =
            Self { points: points.into_iter().filter(|point| point.is_finite()).collect(), nodes: Vec::new() };
        if !tree.points.is_empty() {
            tree.build(0, tree.points.len());
        }
        tree
    }

    fn build(&mut self, first: usize, last: usize) {
        let part = &mut self.points[first..last];
        let low = part.iter().copied().fold(Vec3::INFINITY, Vec3::min);
        let high = part.iter().copied().fold(Vec3::NEG_INFINITY, Vec3::max);
        let index = self.nodes.len();
        self.nodes.push(Node { low, high, first: first as u32, last: last as u32, right: 0 });
        if part.len() <= LEAF {
            return;
        }
        let axis = (high - low).max_position();
        let middle = part.len() / 2;
        part.select_nth_unstable_by(middle, |a, b| a[axis].total_cmp(&b[axis]));
        self.build(first, first + middle);
        self.nodes[index].right = self.nodes.len() as u32;
        self.build(first + middle, last);
    }

    /// Whether a point lies within `radius` Å of `centre`.
    #[must_use]
    pub fn any_within(&self, centre: Vec3, radius: f32) -> bool {
        if self.nodes.is_empty() || !centre.is_finite() || radius.is_nan() || radius < 0.0 {
            return false;
        }
        let limit = radius * radius;
        // The tree halves, so it is less than 32 deep; each step down leaves one box for later.
        let mut waiting = [0_u32; 40];
        let mut count = 1;
        while count > 0 {
            count -= 1;
            let index = waiting[count];
            let node = &self.nodes[index as usize];
            if node.distance_squared(centre) > limit {
                continue;
            }
            if node.right == 0 {
                let part = &self.points[node.first as usize..node.last as usize];
                if part.iter().any(|point| point.distance_squared(centre) <= limit) {
                    return true;
                }
                continue;
            }
            let (left, right) = (index + 1, node.right);
            let is_left_nearer = self.nodes[left as usize].distance_squared(centre)
                <= self.nodes[right as usize].distance_squared(centre);
            (waiting[count], waiting[count + 1]) = if is_left_nearer { (right, left) } else { (left, right) };
            count += 2;
        }
        false
    }
}

impl Node {
    /// Of a point to the box.
    fn distance_squared(&self, point: Vec3) -> f32 {
        point.distance_squared(point.clamp(self.low, self.high))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn answers_as_a_plain_search_does(
            points in prop::collection::vec((-20.0_f32..20.0, -20.0_f32..20.0, -2.0_f32..2.0), 0..300),
            centre in (-25.0_f32..25.0, -25.0_f32..25.0, -25.0_f32..25.0),
            radius in 0.0_f32..30.0,
        ) {
            let points: Vec<Vec3> = points.into_iter().map(Vec3::from).collect();
            let centre = Vec3::from(centre);
            let expected = points.iter().any(|point| point.distance_squared(centre) <= radius * radius);
            prop_assert_eq!(PointTree::new(points).any_within(centre, radius), expected);
        }
    }

    #[test]
    fn many_points_in_one_place_and_points_that_are_no_numbers() {
        let tree = PointTree::new(vec![Vec3::ONE; 5000].into_iter().chain([Vec3::NAN]));
        assert!(tree.any_within(Vec3::ZERO, 2.0));
        assert!(!tree.any_within(Vec3::ZERO, 1.0));
        assert!(!tree.any_within(Vec3::NAN, 1.0e9));
        assert!(tree.any_within(Vec3::ZERO, f32::INFINITY));
        assert!(!PointTree::new([]).any_within(Vec3::ZERO, 1.0));
    }
}
