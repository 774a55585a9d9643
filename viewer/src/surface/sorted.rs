//! Atoms in the order of a grid of cells, with their neighbours.
//!
//! Sorted here and not on the device: a counting sort of ten thousand atoms takes less time than starting the device on
//! it, and the order is the same each time, which atomic counters would not promise.

use glam::{IVec3, UVec3, Vec3};
use rayon::prelude::*;

/// Neighbours of one atom beyond this many are left out: only where atoms lie in each other are there more.
const MOST_NEIGHBOURS: usize = 400;

/// A ball: an atom as a surface sees it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Ball {
    pub center: Vec3,
    pub radius: f32,
    /// Index in the topology.
    pub atom: u32,
}

/// Balls sorted into cells.
pub(super) struct Sorted {
    pub balls: Vec<Ball>,
    /// First ball of each cell; at the end the number of balls.
    pub cell_starts: Vec<u32>,
    pub origin: Vec3,
    pub edge: f32,
    pub cells: UVec3,
}

impl Sorted {
    /// `edge` is at least as long as a ball reaches. Balls at one place with another are left out.
    pub fn new(mut balls: Vec<Ball>, edge: f32) -> Self {
        let low = balls.iter().fold(Vec3::INFINITY, |low, ball| low.min(ball.center));
        let high = balls.iter().fold(Vec3::NEG_INFINITY, |high, ball| high.max(ball.center));
        let span = if balls.is_empty() { Vec3::ZERO } else { high - low };
        let origin = if balls.is_empty() { Vec3::ZERO } else { low - Vec3::splat(0.01) };
        // Atoms far apart would need more cells than there is memory: then cells are larger.
        let mut edge = edge;
        let count = |edge: f32| ((span + 0.02) / edge).floor().as_uvec3() + 1;
        while count(edge).as_u64vec3().element_product() > 4_000_000 {
            edge *= 1.3;
        }
        let cells = count(edge);
        let key = |center: Vec3| {
            let cell = ((center - origin) / edge).floor().as_uvec3().min(cells - 1);
            (cell.z * cells.y + cell.y) * cells.x + cell.x
        };
        balls.sort_by(|a, b| {
            let places = a.center.to_array().into_iter().zip(b.center.to_array());
            let by_place = places.map(|(a, b)| a.total_cmp(&b)).find(|order| order.is_ne());
            key(a.center).cmp(&key(b.center)).then(by_place.unwrap_or(std::cmp::Ordering::Equal))
        });
        balls.dedup_by(|a, b| a.center.distance_squared(b.center) < 1e-6);
        let mut cell_starts = vec![0_u32; cells.element_product() as usize + 1];
        for ball in &balls {
            cell_starts[key(ball.center) as usize + 1] += 1;
        }
        for index in 1..cell_starts.len() {
            cell_starts[index] += cell_starts[index - 1];
        }
        Self { balls, cell_starts, origin, edge, cells }
    }

    /// For each ball those that meet it: first pair of each ball (at the end the number of pairs), and the pairs.
    pub fn meeting(&self) -> (Vec<u32>, Vec<[u32; 2]>) {
        let largest = self.balls.iter().fold(0.0_f32, |largest, ball| largest.max(ball.radius));
        let of_ball = |index: usize| {
            let ball = self.balls[index];
            let mut found = Vec::new();
            let reach = Vec3::splat(ball.radius + largest);
            let cell = |place: Vec3| ((place - self.origin) / self.edge).floor().as_ivec3();
            let first = cell(ball.center - reach).max(IVec3::ZERO);
            let last = cell(ball.center + reach).min(self.cells.as_ivec3() - 1);
            for z in first.z..=last.z {
                for y in first.y..=last.y {
                    let row = (z * self.cells.y as i32 + y) * self.cells.x as i32;
                    let span =
                        self.cell_starts[(row + first.x) as usize]..self.cell_starts[(row + last.x) as usize + 1];
                    for other in span {
                        let candidate = &self.balls[other as usize];
                        let sum = ball.radius + candidate.radius;
                        if other as usize != index && candidate.center.distance_squared(ball.center) < sum * sum {
                            found.push(other);
                        }
                    }
                }
            }
            if found.len() > MOST_NEIGHBOURS {
                let distance = |other: &u32| self.balls[*other as usize].center.distance_squared(ball.center);
                found.sort_by(|a, b| distance(a).total_cmp(&distance(b)).then(a.cmp(b)));
                found.truncate(MOST_NEIGHBOURS);
                found.sort_unstable();
            }
            found
        };
        let lists: Vec<Vec<u32>> = (0..self.balls.len()).into_par_iter().map(of_ball).collect();
        let mut starts = Vec::with_capacity(lists.len() + 1);
        let mut pairs = Vec::with_capacity(lists.iter().map(Vec::len).sum());
        for (index, list) in lists.iter().enumerate() {
            starts.push(pairs.len() as u32);
            pairs.extend(list.iter().map(|&other| [index as u32, other]));
        }
        starts.push(pairs.len() as u32);
        (starts, pairs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_are_those_that_meet() {
        let ball = |x: f32, atom: u32| Ball { center: Vec3::new(x, 0.0, 0.0), radius: 1.0, atom };
        let balls = vec![ball(5.0, 0), ball(0.0, 1), ball(1.5, 2), ball(3.4, 3), ball(5.0, 4)];
        let sorted = Sorted::new(balls, 1.0);
        // The two at one place are one.
        assert_eq!(sorted.balls.iter().map(|ball| ball.atom).collect::<Vec<_>>(), [1, 2, 3, 0]);
        let (starts, pairs) = sorted.meeting();
        assert_eq!(starts, [0, 1, 3, 5, 6]);
        assert_eq!(pairs, [[0, 1], [1, 0], [1, 2], [2, 1], [2, 3], [3, 2]]);
    }

    #[test]
    fn atoms_far_apart_make_no_endless_grid() {
        let ball = |x: f32| Ball { center: Vec3::splat(x), radius: 1.0, atom: 0 };
        let sorted = Sorted::new(vec![ball(-1e6), ball(1e6)], 3.0);
        assert!(sorted.cell_starts.len() <= 4_000_001);
    }
}
