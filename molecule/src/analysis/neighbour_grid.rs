//! Who is near whom: a cell list over points.
//!
//! Points are sorted by the cell they fall in (counting nothing, hashing nothing), with x running fastest, so the three
//! cells of a row that a query needs are one contiguous piece of the sorted list. Where the box is small for the number
//! of points, a table gives the start of each cell; where it is not (one stray atom at 9999 Å must not cost a table of
//! a billion cells, nor cells so large that everything is near everything), the piece is found by binary search.
//! Either way the order of the answers depends on the points alone, so whatever is built on top is deterministic.
//!
//! The idea is the linked-cell method of Hockney & Eastwood, Computer Simulation Using Particles, 1981, chapter 8.

use glam::Vec3;

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
        let mut keyed: Vec<(u64, u32)> = points
            .iter()
            .enumerate()
            .filter(|(_, point)| point.is_finite())
            .map(|(index, point)| (grid.key(grid.cell_of(*point)), index as u32))
            .collect();
        keyed.sort_unstable();
        grid.order = keyed.iter().map(|(_, index)| *index).collect();
        grid.keys = keyed.iter().map(|(key, _)| *key).collect();
        grid.positions = grid.order.iter().map(|index| points[*index as usize]).collect();
        let cells = i128::from(grid.size[0]) * i128::from(grid.size[1]) * i128::from(grid.size[2]);
        if cells <= 16 * keyed.len() as i128 + 4096 {
            grid.starts = vec![0; cells as usize + 1];
            for key in &grid.keys {
                grid.starts[*key as usize + 1] += 1;
            }
            for cell in 0..cells as usize {
                grid.starts[cell + 1] += grid.starts[cell];
            }
        }
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
    pub fn for_each_pair(&self, radius: f32, mut found: impl FnMut(u32, u32, f32)) {
        let limit = radius * radius;
        for (slot, (&index, &position)) in self.order.iter().zip(&self.positions).enumerate() {
            self.for_each_run(position, radius, |first, last| {
                for other in first.max(slot + 1)..last {
                    let distance = self.positions[other].distance_squared(position);
                    if distance <= limit {
                        let partner = self.order[other];
                        found(index.min(partner), index.max(partner), distance);
                    }
                }
            });
        }
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
                let (first_key, last_key) = (self.key([x.0, y, z]), self.key([x.1, y, z]));
                let (first, last) = if self.starts.is_empty() {
                    (
                        self.keys.partition_point(|key| *key < first_key),
                        self.keys.partition_point(|key| *key <= last_key),
                    )
                } else {
                    (self.starts[first_key as usize] as usize, self.starts[last_key as usize + 1] as usize)
                };
                if first < last {
                    visit(first, last);
                }
            }
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

    fn cell_of(&self, point: Vec3) -> [i64; 3] {
        self.cell_unclamped(point).map(|index| index.max(0))
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
