//! Who is near whom: a cell list over points.
//!
//! Points are sorted by the cell they fall in, with x running fastest, so the three cells of a row that a query needs
//! are one contiguous piece of the sorted list. Where the box is small for the number of points, they are sorted by
//! counting and a table gives the start of each cell; where it is not (one stray atom at 9999 Å must not cost a table of
//! a billion cells, nor cells so large that everything is near everything), the piece is found by binary search.
//! Either way the order of the answers depends on the points alone, so whatever is built on top is deterministic.
//!
//! The idea is the linked-cell method of Hockney & Eastwood, Computer Simulation Using Particles, 1981, chapter 8.

use std::ops::Range;

use glam::Vec3;
use rayon::prelude::*;

/// Cells beyond this from the origin of the box share the outermost index; coordinates that far apart are not near.
const MAX_CELL: i64 = (1 << 21) - 2;

/// A cell list over points; answers "which points lie within a radius" in time proportional to the answer.
#[derive(Clone, Debug)]
pub struct NeighbourGrid {
    origin: Vec3,
    cell_size: f32,
    /// Cells along x, y, z.
    size: [i64; 3],
    /// Point indices in cell order, within a cell ascending.
    order: Vec<u32>,
    /// Positions in the same order, to be read in a row.
    positions: Vec<Vec3>,
    /// Cell keys in the same order.
    keys: Vec<u64>,
    /// Start of each cell in `order`, where a dense table is worth it; else empty.
    starts: Vec<u32>,
}

impl NeighbourGrid {
    /// Sorts the points into cells of `cell_size` Å. Choose the radius that most queries will use; other radii work but
    /// look at more cells. Points that are not finite are never found.
    #[must_use]
    pub fn new(points: &[Vec3], cell_size: f32) -> Self {
        let cell_size = if cell_size.is_finite() && cell_size > 1.0e-3 { cell_size } else { 1.0 };
        let mut low = Vec3::splat(f32::INFINITY);
        let mut high = Vec3::splat(f32::NEG_INFINITY);
        for point in points.iter().filter(|point| point.is_finite()) {
            low = low.min(*point);
            high = high.max(*point);
        }
        let mut grid = Self {
            origin: if low.is_finite() { low } else { Vec3::ZERO },
            cell_size,
            size: [1; 3],
            order: Vec::new(),
            positions: Vec::new(),
            keys: Vec::new(),
            starts: Vec::new(),
        };
        if !low.is_finite() {
            return grid;
        }
        let last = grid.cell_of(high);
        grid.size = [last[0] + 1, last[1] + 1, last[2] + 1];
        let finite = || points.iter().enumerate().filter(|(_, point)| point.is_finite());
        let mut keyed: Vec<(u64, u32)> =
            finite().map(|(index, point)| (grid.key(grid.cell_of(*point)), index as u32)).collect();
        let cells = i128::from(grid.size[0]) * i128::from(grid.size[1]) * i128::from(grid.size[2]);
        if cells <= 16 * keyed.len() as i128 + 4096 {
            grid.starts = vec![0; cells as usize + 1];
            for (key, _) in &keyed {
                grid.starts[*key as usize + 1] += 1;
            }
            for cell in 0..cells as usize {
                grid.starts[cell + 1] += grid.starts[cell];
            }
            let mut next = grid.starts.clone();
            grid.order = vec![0; keyed.len()];
            grid.keys = vec![0; keyed.len()];
            for (key, index) in keyed {
                let slot = next[key as usize] as usize;
                next[key as usize] += 1;
                grid.order[slot] = index;
                grid.keys[slot] = key;
            }
        } else {
            keyed.sort_unstable();
            grid.order = keyed.iter().map(|(_, index)| *index).collect();
            grid.keys = keyed.iter().map(|(key, _)| *key).collect();
        }
        grid.positions = grid.order.iter().map(|index| points[*index as usize]).collect();
        grid
    }

    /// Calls `found(index, squared distance in Å²)` for every point within `radius` of `centre`, cell by cell.
    pub fn for_each_within(&self, centre: Vec3, radius: f32, mut found: impl FnMut(u32, f32)) {
        let limit = radius * radius;
        self.for_each_run(centre, radius, |first, last| {
            for slot in first..last {
                let distance = self.positions[slot].distance_squared(centre);
                if distance <= limit {
                    found(self.order[slot], distance);
                }
            }
        });
    }

    /// Points within `radius` Å of `centre`, ascending.
    #[must_use]
    pub fn within(&self, centre: Vec3, radius: f32) -> Vec<u32> {
        let mut found = Vec::new();
        self.for_each_within(centre, radius, |index, _| found.push(index));
        found.sort_unstable();
        found
    }

    /// Whether any point lies within `radius` Å of `centre`.
    #[must_use]
    pub fn any_within(&self, centre: Vec3, radius: f32) -> bool {
        let mut any = false;
        let limit = radius * radius;
        self.for_each_run(centre, radius, |first, last| {
            any = any || self.positions[first..last].iter().any(|point| point.distance_squared(centre) <= limit);
        });
        any
    }

    /// The point nearest to `centre` within `radius` Å with its distance; the lowest index on a tie.
    #[must_use]
    pub fn nearest(&self, centre: Vec3, radius: f32) -> Option<(u32, f32)> {
        let mut best: Option<(u32, f32)> = None;
        self.for_each_within(centre, radius, |index, distance| {
            if best.is_none_or(|(held, least)| distance < least || (distance == least && index < held)) {
                best = Some((index, distance));
            }
        });
        best.map(|(index, distance)| (index, distance.sqrt()))
    }

    /// Calls `found(a, b, squared distance)` once for every pair of points within `radius` Å, `a < b`, sorted by the
    /// cell of one of them.
    pub fn for_each_pair(&self, radius: f32, found: impl FnMut(u32, u32, f32)) {
        self.for_each_pair_of(0..self.order.len(), radius, found);
    }

    /// What `keep(a, b, squared distance)` makes of the pairs within `radius` Å, in the order of
    /// [`Self::for_each_pair`], found by several threads.
    pub fn filter_pairs<T: Send>(&self, radius: f32, keep: impl Fn(u32, u32, f32) -> Option<T> + Sync) -> Vec<T> {
        const SLOTS: usize = 4096;
        let pieces: Vec<Vec<T>> = (0..self.order.len().div_ceil(SLOTS))
            .into_par_iter()
            .map(|piece| {
                let mut kept = Vec::new();
                let slots = piece * SLOTS..((piece + 1) * SLOTS).min(self.order.len());
                self.for_each_pair_of(slots, radius, |a, b, squared| kept.extend(keep(a, b, squared)));
                kept
            })
            .collect();
        pieces.into_iter().flatten().collect()
    }

    /// The pairs of which these slots have the first one.
    fn for_each_pair_of(&self, slots: Range<usize>, radius: f32, mut found: impl FnMut(u32, u32, f32)) {
        let limit = radius * radius;
        let is_short = radius <= self.cell_size;
        // The points of a cell have the same neighbouring cells.
        let mut cell = u64::MAX;
        let mut runs = [(0, 0); 5];
        for slot in slots {
            let (index, position) = (self.order[slot], self.positions[slot]);
            let mut visit = |first: usize, last: usize| {
                for other in first.max(slot + 1)..last {
                    let distance = self.positions[other].distance_squared(position);
                    if distance <= limit {
                        let partner = self.order[other];
                        found(index.min(partner), index.max(partner), distance);
                    }
                }
            };
            if is_short {
                if self.keys[slot] != cell {
                    cell = self.keys[slot];
                    runs = self.runs_after(cell);
                }
                runs.iter().for_each(|(first, last)| visit(*first, *last));
            } else {
                self.for_each_run(position, radius, visit);
            }
        }
    }

    /// The slots of the cells next to a cell that come after it in order, row by row, with its own row first.
    fn runs_after(&self, key: u64) -> [(usize, usize); 5] {
        let key = key as i64;
        let (x, row) = (key % self.size[0], key / self.size[0]);
        let (y, z) = (row % self.size[1], row / self.size[1]);
        [(0, 0), (1, 0), (-1, 1), (0, 1), (1, 1)].map(|(step_y, step_z)| {
            let (y, z) = (y + step_y, z + step_z);
            if y < 0 || y >= self.size[1] || z >= self.size[2] {
                return (0, 0);
            }
            self.slots_of(self.key([(x - 1).max(0), y, z]), self.key([(x + 1).min(self.size[0] - 1), y, z]))
        })
    }

    /// Points in the fullest cell. Real molecules have a few atoms in each Å³; a file whose atoms all lie in one spot
    /// would make any neighbour search quadratic, so readers of unknown files look here first.
    #[must_use]
    pub fn fullest_cell(&self) -> usize {
        self.keys.chunk_by(|a, b| a == b).map(<[u64]>::len).max().unwrap_or(0)
    }

    /// Calls `visit(first, last)` for each run of slots whose cells may hold points within `radius` of `centre`.
    fn for_each_run(&self, centre: Vec3, radius: f32, mut visit: impl FnMut(usize, usize)) {
        if self.order.is_empty() || !centre.is_finite() || !radius.is_finite() || radius < 0.0 {
            return;
        }
        let low = self.cell_unclamped(centre - radius);
        let high = self.cell_unclamped(centre + radius);
        let range = |axis: usize| (low[axis].max(0), high[axis].min(self.size[axis] - 1));
        let (x, y, z) = (range(0), range(1), range(2));
        if x.0 > x.1 || y.0 > y.1 || z.0 > z.1 {
            return;
        }
        if i128::from(y.1 - y.0 + 1) * i128::from(z.1 - z.0 + 1) > self.order.len() as i128 {
            // More rows than points: reading all points is the cheaper search.
            visit(0, self.order.len());
            return;
        }
        for z in z.0..=z.1 {
            for y in y.0..=y.1 {
                let (first, last) = self.slots_of(self.key([x.0, y, z]), self.key([x.1, y, z]));
                if first < last {
                    visit(first, last);
                }
            }
        }
    }

    /// The slots of the cells from one key to another of the same row.
    fn slots_of(&self, first: u64, last: u64) -> (usize, usize) {
        if self.starts.is_empty() {
            (self.keys.partition_point(|key| *key < first), self.keys.partition_point(|key| *key <= last))
        } else {
            (self.starts[first as usize] as usize, self.starts[last as usize + 1] as usize)
        }
    }

    fn key(&self, cell: [i64; 3]) -> u64 {
        ((cell[2] * self.size[1] + cell[1]) as u64).wrapping_mul(self.size[0] as u64).wrapping_add(cell[0] as u64)
    }

    fn cell_unclamped(&self, point: Vec3) -> [i64; 3] {
        // Through f64: far from the origin f32 steps are wider than cells. The cast saturates.
        [0, 1, 2].map(|axis| {
            let offset = (f64::from(point[axis]) - f64::from(self.origin[axis])) / f64::from(self.cell_size);
            (offset.floor() as i64).clamp(-1, MAX_CELL)
        })
    }

    /// The cell of a point of the box, whose offsets are not negative: cutting off is rounding down.
    fn cell_of(&self, point: Vec3) -> [i64; 3] {
        let index = |value: f32, origin: f32| {
            (((f64::from(value) - f64::from(origin)) / f64::from(self.cell_size)) as i64).clamp(0, MAX_CELL)
        };
        [index(point.x, self.origin.x), index(point.y, self.origin.y), index(point.z, self.origin.z)]
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn brute(points: &[Vec3], centre: Vec3, radius: f32) -> Vec<u32> {
        (0..points.len() as u32)
            .filter(|index| points[*index as usize].distance_squared(centre) <= radius * radius)
            .collect()
    }

    proptest! {
        #[test]
        fn finds_what_a_plain_search_finds(
            points in prop::collection::vec((-20.0_f32..20.0, -20.0_f32..20.0, -20.0_f32..20.0), 0..120),
            centre in (-25.0_f32..25.0, -25.0_f32..25.0, -25.0_f32..25.0),
            radius in 0.1_f32..12.0,
            stray in prop::option::of(100.0_f32..1.0e9),
        ) {
            let mut points: Vec<Vec3> = points.into_iter().map(Vec3::from).collect();
            points.extend(stray.map(|far| Vec3::new(far, -far, 3.0)));
            let grid = NeighbourGrid::new(&points, 3.0);
            let centre = Vec3::from(centre);
            prop_assert_eq!(grid.within(centre, radius), brute(&points, centre, radius));
            prop_assert_eq!(grid.any_within(centre, radius), !brute(&points, centre, radius).is_empty());
            let mut pairs = Vec::new();
            grid.for_each_pair(radius, |a, b, _| pairs.push((a, b)));
            prop_assert_eq!(&grid.filter_pairs(radius, |a, b, _| Some((a, b))), &pairs);
            pairs.sort_unstable();
            let mut expected = Vec::new();
            for a in 0..points.len() as u32 {
                for b in brute(&points, points[a as usize], radius) {
                    if a < b {
                        expected.push((a, b));
                    }
                }
            }
            prop_assert_eq!(pairs, expected);
        }
    }

    #[test]
    fn points_that_are_no_numbers_are_never_found() {
        let points = [Vec3::NAN, Vec3::ZERO, Vec3::splat(f32::INFINITY)];
        let grid = NeighbourGrid::new(&points, 2.0);
        assert_eq!(grid.within(Vec3::ZERO, 1.0), vec![1]);
        assert!(grid.within(Vec3::NAN, 1.0).is_empty());
        assert_eq!(grid.nearest(Vec3::X, 2.0), Some((1, 1.0)));
        assert!(NeighbourGrid::new(&[], 2.0).within(Vec3::ZERO, 5.0).is_empty());
    }
}
