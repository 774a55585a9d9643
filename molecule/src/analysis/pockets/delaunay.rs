//! The Delaunay tetrahedra of points: those whose circumscribed sphere holds no other point.
//!
//! Points are added one by one (Bowyer, Comput. J. 1981, 24, 162; Watson, ibid. 167): walk to a tetrahedron near the new
//! point, collect all whose sphere holds it, and join the hole's faces to it. Neighbours in space are added one after
//! the other, so the walk is short. Signs are exact (Shewchuk's adaptive predicates), and every point is first moved by
//! a tiny distance of its own, so that no four lie in one plane and no five on one sphere: crystals and idealised
//! coordinates are full of such cases, and a hole is only sure to be free of flat tetrahedra without them.

use std::collections::HashMap;

use glam::{DVec3, Vec3};
use robust::{Coord3D, insphere, orient3d};

/// Largest shift of a point, Å: files give three decimals.
const SHIFT: f64 = 1.0e-4;

/// No tetrahedron.
const NONE: u32 = u32::MAX;

/// A tetrahedron of the input's points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tetrahedron {
    /// Indices of its points.
    pub points: [u32; 4],
    /// For each point the tetrahedron beyond the opposite face, by index in the same list.
    pub neighbours: [Option<u32>; 4],
}

/// The Delaunay tetrahedra of the points; fewer than four points have none. Points must be finite.
pub(super) fn delaunay(points: &[Vec3]) -> Vec<Tetrahedron> {
    if points.len() < 4 {
        return Vec::new();
    }
    let mut mesh = Mesh::around(points);
    for point in order_in_space(points) {
        mesh.add(point);
    }
    mesh.tetrahedra_of_points(points.len())
}

#[derive(Clone, Copy)]
struct Cell {
    points: [u32; 4],
    neighbours: [u32; 4],
    is_alive: bool,
}

struct Mesh {
    /// The input's points, then the four corners of a tetrahedron that holds them all.
    points: Vec<Coord3D<f64>>,
    cells: Vec<Cell>,
    free: Vec<u32>,
    /// Where the last point was added.
    last: u32,
}

impl Mesh {
    fn around(points: &[Vec3]) -> Self {
        let (low, high) =
            points.iter().fold((Vec3::INFINITY, Vec3::NEG_INFINITY), |(low, high), &p| (low.min(p), high.max(p)));
        let center = (0.5 * (low + high)).as_dvec3();
        let mut coordinates: Vec<Coord3D<f64>> = points
            .iter()
            .enumerate()
            .map(|(index, point)| coordinate(point.as_dvec3() - center + SHIFT * shift_of(index as u64)))
            .collect();
        // So far out that no small sphere reaches them.
        let reach = 100.0 * f64::from((high - low).max_element()) + 1000.0;
        let first = points.len() as u32;
        let corners = [[1.0, 1.0, 1.0], [1.0, -1.0, -1.0], [-1.0, 1.0, -1.0], [-1.0, -1.0, 1.0]];
        coordinates.extend(corners.map(|corner| coordinate(reach * DVec3::from_array(corner))));
        let mut all = [first, first + 1, first + 2, first + 3];
        let at = |index: u32| coordinates[index as usize];
        if orient3d(at(all[0]), at(all[1]), at(all[2]), at(all[3])) < 0.0 {
            all.swap(0, 1);
        }
        let cells = vec![Cell { points: all, neighbours: [NONE; 4], is_alive: true }];
        Self { points: coordinates, cells, free: Vec::new(), last: 0 }
    }

    fn at(&self, point: u32) -> Coord3D<f64> {
        self.points[point as usize]
    }

    /// The sign of the volume of a cell with one of its points replaced.
    fn orientation_with(&self, cell: &Cell, corner: usize, point: u32) -> f64 {
        let mut points = cell.points;
        points[corner] = point;
        let [a, b, c, d] = points.map(|index| self.at(index));
        orient3d(a, b, c, d)
    }

    fn holds_in_sphere(&self, cell: u32, point: u32) -> bool {
        let [a, b, c, d] = self.cells[cell as usize].points.map(|index| self.at(index));
        insphere(a, b, c, d, self.at(point)) > 0.0
    }

    /// The cell that holds a point: step over any face that has the point on its far side.
    fn locate(&self, point: u32) -> u32 {
        let mut cell = self.last;
        'walk: loop {
            let current = &self.cells[cell as usize];
            // Where the walk looks first differs from step to step, which keeps it short.
            for step in 0..4 {
                let corner = (step + cell as usize) % 4;
                let next = current.neighbours[corner];
                if next != NONE && self.orientation_with(current, corner, point) < 0.0 {
                    cell = next;
                    continue 'walk;
                }
            }
            return cell;
        }
    }

    fn add(&mut self, point: u32) {
        let start = self.locate(point);
        let mut hole = vec![start];
        let mut is_in_hole: HashMap<u32, bool> = HashMap::from([(start, true)]);
        // Faces of the hole: the cell inside, the corner opposite to the face, the cell outside.
        let mut faces = Vec::new();
        let mut next = 0;
        while let Some(&cell) = hole.get(next) {
            next += 1;
            for corner in 0..4 {
                let outside = self.cells[cell as usize].neighbours[corner];
                let inside = outside != NONE
                    && *is_in_hole.entry(outside).or_insert_with(|| {
                        let holds = self.holds_in_sphere(outside, point);
                        if holds {
                            hole.push(outside);
                        }
                        holds
                    });
                if !inside {
                    faces.push((cell, corner, outside));
                }
            }
        }
        // Each face with the new point in place of the corner behind it; sides shared by two new cells join them.
        let mut sides: HashMap<[u32; 2], (u32, usize)> = HashMap::with_capacity(2 * faces.len());
        for (inside, corner, outside) in faces {
            let mut points = self.cells[inside as usize].points;
            points[corner] = point;
            let cell = self.new_cell(points);
            self.cells[cell as usize].neighbours[corner] = outside;
            if outside != NONE {
                let back = self.cells[outside as usize].neighbours.iter().position(|&neighbour| neighbour == inside);
                if let Some(back) = back {
                    self.cells[outside as usize].neighbours[back] = cell;
                }
            }
            for other in (0..4).filter(|&other| other != corner) {
                let mut ends = (0..4).filter(|&index| index != corner && index != other).map(|index| points[index]);
                let (Some(a), Some(b)) = (ends.next(), ends.next()) else { continue };
                let side = [a.min(b), a.max(b)];
                match sides.remove(&side) {
                    Some((twin, twin_corner)) => {
                        self.cells[cell as usize].neighbours[other] = twin;
                        self.cells[twin as usize].neighbours[twin_corner] = cell;
                    }
                    None => {
                        sides.insert(side, (cell, other));
                    }
                }
            }
            self.last = cell;
        }
        for cell in hole {
            self.cells[cell as usize].is_alive = false;
            self.free.push(cell);
        }
    }

    fn new_cell(&mut self, points: [u32; 4]) -> u32 {
        let cell = Cell { points, neighbours: [NONE; 4], is_alive: true };
        match self.free.pop() {
            Some(index) => {
                self.cells[index as usize] = cell;
                index
            }
            None => {
                self.cells.push(cell);
                self.cells.len() as u32 - 1
            }
        }
    }

    fn tetrahedra_of_points(&self, count: usize) -> Vec<Tetrahedron> {
        let is_kept = |cell: &Cell| cell.is_alive && cell.points.iter().all(|&point| (point as usize) < count);
        let mut new_index = vec![None; self.cells.len()];
        let mut kept = 0;
        for (index, cell) in self.cells.iter().enumerate() {
            if is_kept(cell) {
                new_index[index] = Some(kept);
                kept += 1;
            }
        }
        let neighbour = |index: u32| new_index.get(index as usize).copied().flatten();
        self.cells
            .iter()
            .filter(|cell| is_kept(cell))
            .map(|cell| Tetrahedron { points: cell.points, neighbours: cell.neighbours.map(neighbour) })
            .collect()
    }
}

fn coordinate(point: DVec3) -> Coord3D<f64> {
    Coord3D { x: point.x, y: point.y, z: point.z }
}

/// A shift of up to 1 along each axis that only the index decides (the finaliser of SplitMix64).
fn shift_of(index: u64) -> DVec3 {
    let component = |axis: u64| {
        let mut bits = (3 * index + axis + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (bits >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
    };
    DVec3::new(component(0), component(1), component(2))
}

/// Indices in the order of a Z curve through cubes of 4 Å.
fn order_in_space(points: &[Vec3]) -> Vec<u32> {
    let low = points.iter().fold(Vec3::INFINITY, |low, &point| low.min(point));
    let key = |point: Vec3| {
        let [x, y, z] = ((point - low) / 4.0).to_array().map(|value| u64::from(value as u32).min((1 << 21) - 1));
        (0..21).fold(0, |key, bit| {
            key | (x >> bit & 1) << (3 * bit) | (y >> bit & 1) << (3 * bit + 1) | (z >> bit & 1) << (3 * bit + 2)
        })
    };
    let mut order: Vec<u32> = (0..points.len() as u32).collect();
    order.sort_by_cached_key(|&index| (key(points[index as usize]), index));
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    fn volume(points: &[Vec3], tetrahedron: &Tetrahedron) -> f64 {
        let [a, b, c, d] = tetrahedron.points.map(|index| points[index as usize].as_dvec3());
        (b - a).cross(c - a).dot(d - a).abs() / 6.0
    }

    /// Random points: nothing in any sphere, and the volumes fill the hull.
    #[test]
    fn spheres_are_empty_and_neighbours_mutual() {
        let points: Vec<Vec3> = (0..300).map(|index| 10.0 * shift_of(index + 1000).as_vec3()).collect();
        let tetrahedra = delaunay(&points);
        assert!(tetrahedra.len() > 1000);
        for (index, tetrahedron) in tetrahedra.iter().enumerate() {
            let [a, b, c, d] = tetrahedron.points.map(|point| points[point as usize].as_dvec3());
            let (center, radius) = super::super::circumsphere([a, b, c, d]).unwrap();
            if radius > 1e4 {
                continue;
            }
            for (other, point) in points.iter().enumerate() {
                let gap = center.distance(point.as_dvec3()) - radius;
                assert!(gap > -1e-2 || tetrahedron.points.contains(&(other as u32)), "{index} {other}: {gap}");
            }
            for neighbour in tetrahedron.neighbours.into_iter().flatten() {
                let back = &tetrahedra[neighbour as usize];
                assert!(back.neighbours.contains(&Some(index as u32)));
                let shared = tetrahedron.points.iter().filter(|point| back.points.contains(point)).count();
                assert_eq!(shared, 3);
            }
        }
    }

    /// A lattice, where every cube has eight points on one sphere, and points in one place.
    #[test]
    fn lattices_and_repeated_points_fill_their_volume() {
        let mut points = Vec::new();
        for x in 0..6 {
            for y in 0..5 {
                for z in 0..4 {
                    points.push(Vec3::new(x as f32, y as f32, z as f32));
                }
            }
        }
        points.extend([Vec3::new(2.0, 2.0, 2.0); 3]);
        let total: f64 = delaunay(&points).iter().map(|tetrahedron| volume(&points, tetrahedron)).sum();
        assert!((total - 60.0).abs() < 0.1, "{total}");
        assert!(delaunay(&points[..3]).is_empty());
    }
}
