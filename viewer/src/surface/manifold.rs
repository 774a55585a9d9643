//! Every edge between two triangles, every vertex in one fan of them.
//!
//! A surface net has one vertex in each cell of the grid, even where two sheets of the surface pass through it. There two
//! fans of triangles meet in a vertex, and four triangles in an edge: programs that print, cut or measure meshes call such a
//! surface not watertight. Here the triangles of such an edge are paired around what is inside, and each fan gets a vertex of
//! its own ("cutting", Guéziec, Taubin, Lazarus & Horn, IEEE TVCG 2001, 7(2)). The shader marks the cells that it may
//! concern, so that this looks at few triangles.

use std::collections::{BTreeMap, HashMap, HashSet};

use glam::Vec3;

use super::compute::ComputedVertex;

/// Corners of two triangles that have the diagonal between the first and third of the first and the first and second of the
/// second.
type Quadrilateral = [u32; 6];

/// A corner: quadrilateral and place in it. The half-edge of a corner goes from it to the next of its triangle.
type Corner = (u32, u8);

const fn next((quadrilateral, place): Corner) -> Corner {
    (quadrilateral, if place % 3 == 2 { place - 2 } else { place + 1 })
}

const fn previous(corner: Corner) -> Corner {
    next(next(corner))
}

struct Mesh<'a> {
    vertices: &'a mut Vec<ComputedVertex>,
    quadrilaterals: &'a mut Vec<Quadrilateral>,
}

/// Splits vertices and edges until each edge has two triangles, or one at the border of what is shown.
pub(super) fn split(vertices: &mut Vec<ComputedVertex>, quadrilaterals: &mut Vec<Quadrilateral>) {
    let marked: Vec<bool> = vertices.iter().map(|vertex| vertex.has_sheets != 0).collect();
    if !marked.contains(&true) {
        return;
    }
    let mut mesh = Mesh { vertices, quadrilaterals };
    let near: Vec<u32> = (0..)
        .zip(mesh.quadrilaterals.iter())
        .filter(|(_, corners)| corners.iter().any(|corner| marked[*corner as usize]))
        .map(|(index, _)| index)
        .collect();
    mesh.split_vertices(&near, &marked);
    mesh.split_edges(&near);
}

impl Mesh<'_> {
    fn vertex(&self, (quadrilateral, place): Corner) -> u32 {
        self.quadrilaterals[quadrilateral as usize][usize::from(place)]
    }

    fn place(&self, corner: Corner) -> Vec3 {
        Vec3::from(self.vertices[self.vertex(corner) as usize].position)
    }

    /// The half-edges of these quadrilaterals by the vertices that they join, the lower number first: those that go up and
    /// those that go down, in order.
    fn edges(&self, near: &[u32]) -> Vec<((u32, u32), Vec<Corner>)> {
        let mut edges: HashMap<(u32, u32), Vec<Corner>> = HashMap::new();
        for &quadrilateral in near {
            for place in 0..6 {
                let corner = (quadrilateral, place);
                let (from, to) = (self.vertex(corner), self.vertex(next(corner)));
                edges.entry((from.min(to), from.max(to))).or_default().push(corner);
            }
        }
        let mut edges: Vec<_> = edges.into_iter().collect();
        edges.sort_unstable();
        edges
    }

    /// Pairs of half-edges of one edge that bound the same part of the inside: turning around the edge, a triangle that goes
    /// down it and the next that goes up.
    fn pairs(&self, lower: u32, corners: &[Corner]) -> Vec<(Corner, Corner)> {
        let is_up = |corner: Corner| self.vertex(corner) == lower;
        if let &[one, other] = corners {
            return if is_up(one) == is_up(other) { Vec::new() } else { vec![(one, other)] };
        }
        let Some(&first) = corners.first() else { return Vec::new() };
        let (from, to) = if is_up(first) { (first, next(first)) } else { (next(first), first) };
        let origin = self.place(from);
        let along = (self.place(to) - origin).normalize_or(Vec3::Z);
        let (aside, across) = along.any_orthonormal_pair();
        let mut sorted: Vec<(f32, Corner)> = corners
            .iter()
            .map(|&corner| {
                let way = self.place(previous(corner)) - origin;
                (way.dot(across).atan2(way.dot(aside)), corner)
            })
            .collect();
        sorted.sort_by(|one, other| one.0.total_cmp(&other.0).then(one.1.cmp(&other.1)));
        // As brackets are matched, around and around.
        let mut paired = Vec::new();
        let mut open: Vec<Corner> = Vec::new();
        let mut done: Vec<Corner> = Vec::new();
        for &(_, corner) in sorted.iter().chain(&sorted) {
            if done.contains(&corner) {
                continue;
            }
            if !is_up(corner) {
                if !open.contains(&corner) {
                    open.push(corner);
                }
            } else if let Some(other) = open.pop() {
                done.extend([corner, other]);
                paired.push((corner, other));
            }
        }
        paired
    }

    /// A vertex of its own for each fan around a marked vertex.
    fn split_vertices(&mut self, near: &[u32], marked: &[bool]) {
        let mut twins: HashMap<Corner, Corner> = HashMap::new();
        for ((lower, upper), corners) in self.edges(near) {
            if !marked[lower as usize] && !marked[upper as usize] {
                continue;
            }
            for (one, other) in self.pairs(lower, &corners) {
                twins.insert(one, other);
                twins.insert(other, one);
            }
        }
        let mut seen: HashSet<Corner> = HashSet::new();
        let mut fans: BTreeMap<u32, Vec<Vec<Corner>>> = BTreeMap::new();
        for corner in near.iter().flat_map(|&quadrilateral| (0..6).map(move |place| (quadrilateral, place))) {
            let vertex = self.vertex(corner);
            if marked.get(vertex as usize) != Some(&true) || seen.contains(&corner) {
                continue;
            }
            // Around the vertex one way, and where that ends at a border the other way.
            let mut fan = Vec::new();
            let mut at = Some(corner);
            while let Some(here) = at.filter(|here| seen.insert(*here)) {
                fan.push(here);
                at = twins.get(&here).map(|twin| next(*twin));
            }
            let mut at = twins.get(&previous(corner)).copied();
            while let Some(here) = at.filter(|here| seen.insert(*here)) {
                fan.push(here);
                at = twins.get(&previous(here)).copied();
            }
            fans.entry(vertex).or_default().push(fan);
        }
        for (vertex, fans) in fans.into_iter().filter(|(_, fans)| fans.len() > 1) {
            // Apart by a hair, or readers of files would join them again.
            let places: Vec<Vec3> = fans.iter().map(|fan| self.drawn_in(vertex, fan)).collect();
            for (index, (fan, place)) in fans.iter().zip(places).enumerate() {
                let mut own = vertex;
                if index > 0 {
                    own = self.vertices.len() as u32;
                    self.vertices.push(self.vertices[vertex as usize]);
                }
                self.vertices[own as usize].position = place.to_array();
                for &(quadrilateral, place) in fan {
                    self.quadrilaterals[quadrilateral as usize][usize::from(place)] = own;
                }
            }
        }
    }

    /// The place of a vertex moved a little into a fan around it.
    fn drawn_in(&self, vertex: u32, fan: &[Corner]) -> Vec3 {
        let place = Vec3::from(self.vertices[vertex as usize].position);
        let sum: Vec3 = fan.iter().map(|&corner| self.place(next(corner))).sum();
        place.lerp(sum / fan.len() as f32, 0.02)
    }

    /// Where two vertices are joined by two edges, all but one of these get a vertex in the middle.
    fn split_edges(&mut self, near: &[u32]) {
        // Of each triangle the edge that is to be split; of two, the second waits for the next round.
        let mut near = near.to_vec();
        for _ in 0..8 {
            let mut wanted: HashMap<(u32, u8), (Corner, u32)> = HashMap::new();
            for ((lower, upper), corners) in self.edges(&near) {
                if corners.len() < 3 {
                    continue;
                }
                for (one, other) in self.pairs(lower, &corners).into_iter().skip(1) {
                    let triangle = |corner: Corner| (corner.0, corner.1 / 3);
                    if wanted.contains_key(&triangle(one)) || wanted.contains_key(&triangle(other)) {
                        continue;
                    }
                    let middle = self.middle(lower, upper);
                    wanted.insert(triangle(one), (one, middle));
                    wanted.insert(triangle(other), (other, middle));
                }
            }
            if wanted.is_empty() {
                return;
            }
            let before = self.quadrilaterals.len() as u32;
            self.insert(wanted);
            near.extend(before..self.quadrilaterals.len() as u32);
        }
    }

    /// A new vertex between two.
    fn middle(&mut self, one: u32, other: u32) -> u32 {
        let (a, b) = (self.vertices[one as usize], self.vertices[other as usize]);
        let position = 0.5 * (Vec3::from(a.position) + Vec3::from(b.position));
        self.vertices.push(ComputedVertex {
            position: position.to_array(),
            potential: 0.5 * (a.potential + b.potential),
            ..a
        });
        self.vertices.len() as u32 - 1
    }

    /// Puts vertices into edges of triangles: each triangle becomes two, the other one of its quadrilateral one half of
    /// another.
    fn insert(&mut self, wanted: HashMap<(u32, u8), (Corner, u32)>) {
        let mut wanted: Vec<_> = wanted.into_iter().collect();
        wanted.sort_unstable();
        // Triangles without their other half, each with its diagonal between its first and second corner.
        let mut halves: Vec<[u32; 3]> = Vec::new();
        let mut index = 0;
        while let Some(&((quadrilateral, half), (corner, middle))) = wanted.get(index) {
            let corners = self.quadrilaterals[quadrilateral as usize];
            let divided = |corner: Corner, middle: u32| {
                let [a, b, c] = [corner, next(corner), previous(corner)].map(|(_, place)| corners[usize::from(place)]);
                [c, a, middle, c, middle, b]
            };
            let first = divided(corner, middle);
            index += 1;
            match wanted.get(index) {
                // Both of its triangles are divided.
                Some(&((same, _), (corner, middle))) if same == quadrilateral => {
                    let second = divided(corner, middle);
                    self.quadrilaterals.push(second);
                    index += 1;
                }
                _ if half == 0 => halves.push([corners[3], corners[4], corners[5]]),
                _ => halves.push([corners[2], corners[0], corners[1]]),
            }
            self.quadrilaterals[quadrilateral as usize] = first;
        }
        for pair in halves.chunks(2) {
            match *pair {
                [[a, b, c], [d, e, f]] => self.quadrilaterals.push([b, c, a, d, e, f]),
                // Two triangles were divided for each vertex, so that this cannot be; a triangle of no area closes it.
                [[a, b, c]] => self.quadrilaterals.push([b, c, a, b, a, a]),
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The faces of cubes of the side 1 with their lowest corners here, corners in one place being one vertex.
    fn cubes(corners: &[[u8; 3]]) -> (Vec<ComputedVertex>, Vec<Quadrilateral>) {
        let mut vertices: Vec<ComputedVertex> = Vec::new();
        let mut quadrilaterals = Vec::new();
        for low in corners {
            let mut vertex = |offset: [u8; 3]| {
                let position = [0, 1, 2].map(|axis| f32::from(low[axis] + offset[axis]));
                if let Some(known) = vertices.iter().position(|vertex| vertex.position == position) {
                    return known as u32;
                }
                vertices.push(ComputedVertex { position, normal: 0, atom: 0, potential: 0.0, has_sheets: 1 });
                vertices.len() as u32 - 1
            };
            for axis in 0..3 {
                for side in 0..2 {
                    let mut around = [[0, 0], [1, 0], [1, 1], [0, 1]].map(|[a, b]| {
                        let mut offset = [0; 3];
                        (offset[axis], offset[(axis + 1) % 3], offset[(axis + 2) % 3]) = (side, a, b);
                        vertex(offset)
                    });
                    if side == 0 {
                        around.reverse();
                    }
                    let [a, b, c, d] = around;
                    quadrilaterals.push([a, b, c, a, c, d]);
                }
            }
        }
        (vertices, quadrilaterals)
    }

    /// How many triangles the edges have at most and at least, and how many vertices there are.
    fn edge_use(corners: &[[u8; 3]]) -> (usize, usize, usize) {
        let (mut vertices, mut quadrilaterals) = cubes(corners);
        split(&mut vertices, &mut quadrilaterals);
        let mut edges: HashMap<(u32, u32), usize> = HashMap::new();
        for triangle in quadrilaterals.as_flattened().chunks_exact(3) {
            for (from, to) in [(0, 1), (1, 2), (2, 0)].map(|(one, other)| (triangle[one], triangle[other])) {
                assert_ne!(from, to);
                *edges.entry((from.min(to), from.max(to))).or_default() += 1;
            }
        }
        (*edges.values().max().unwrap(), *edges.values().min().unwrap(), vertices.len())
    }

    #[test]
    fn cubes_that_touch_are_taken_apart() {
        assert_eq!(edge_use(&[[0, 0, 0]]), (2, 2, 8));
        assert_eq!(edge_use(&[[0, 0, 0], [1, 1, 0]]), (2, 2, 16), "an edge in common");
        assert_eq!(edge_use(&[[0, 0, 0], [1, 1, 1]]), (2, 2, 16), "a corner in common");
        assert_eq!(edge_use(&[[0, 0, 0], [1, 1, 0], [0, 1, 1], [1, 0, 1]]), (2, 2, 32), "each touches all others");
    }

    #[test]
    fn two_edges_between_the_same_vertices_become_different() {
        // Two caps over one and the same edge, from 0 to 1, closed beneath: at 0 and at 1 there is one fan.
        let mut vertices: Vec<ComputedVertex> = [[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.5, 1.0, 0.5], [0.5, -1.0, 0.5]]
            .map(|position| ComputedVertex { position, normal: 0, atom: 0, potential: 0.0, has_sheets: 1 })
            .to_vec();
        // One quadrilateral and its back, folded at the edge that both have as diagonal.
        let mut quadrilaterals = vec![[1, 2, 0, 1, 0, 3], [0, 2, 1, 0, 1, 3]];
        split(&mut vertices, &mut quadrilaterals);
        let mut edges: HashMap<(u32, u32), i32> = HashMap::new();
        for triangle in quadrilaterals.as_flattened().chunks_exact(3) {
            for (from, to) in [(0, 1), (1, 2), (2, 0)].map(|(one, other)| (triangle[one], triangle[other])) {
                *edges.entry((from, to)).or_default() += 1;
            }
        }
        assert!(edges.values().all(|count| *count == 1), "{edges:?}");
        assert!(edges.keys().all(|(from, to)| edges.contains_key(&(*to, *from))), "{edges:?}");
    }
}
