//! Receptor energies on a grid: one map for each of the ligand's atom types, computed once, read millions of times.
//!
//! A map holds the exact sum over the receptor at nodes 0.375 Å apart; between nodes the energy is trilinear, and the
//! gradient is that of the interpolant, so a minimiser sees a function and its true slope. Each node stores the four
//! values of its y-z face side by side: reading an atom's eight corners touches two places in memory instead of eight.
//! Outside the box the energy is the nearest face's plus a steep slope.
//!
//! Maps are filled atom by atom: every receptor atom adds a row of a table on r² to the nodes within its reach, four
//! ligand types at a time, planes of constant x in parallel. A plane's sums are made in the atoms' order by one thread,
//! so the maps do not depend on the number of threads.

use std::sync::Arc;

use glam::{Vec3, Vec3A, Vec4};
use rayon::prelude::*;

use super::pocket::SearchBox;
use super::scoring::EmpiricalFunction;
use super::typing::{AtomType, TypedReceptor};

/// Distance of nodes in Å, unless the box is so large that the maps would not fit.
const SPACING: f32 = 0.375;

/// Memory for all maps of a box, bytes; beyond it the spacing grows.
const MOST_MEMORY: usize = 1 << 30;

/// Slope outside the box, kcal/mol/Å for each atom.
pub const OUTSIDE_SLOPE: f32 = 100.0;

/// 1.5 × 2^23: floats near it are integers, on both sides.
const INTEGER_SHIFT: f32 = 12_582_912.0;

/// Entries of the filling tables for each Å².
const RESOLUTION: f32 = 48.0;

/// The maps of a receptor in a box.
#[derive(Clone, Debug)]
pub struct Grids {
    search_box: SearchBox,
    /// What the maps cover: the box, and what side chains reach outside of it.
    covered: SearchBox,
    origin: Vec3A,
    spacing: f32,
    inverse_spacing: f32,
    /// Nodes along each axis.
    nodes: [usize; 3],
    /// Highest place on each axis in units of nodes, a hair inside the last cell.
    last: Vec3A,
    /// Steps of the index along x and y.
    strides: [usize; 2],
    maps: [Option<Arc<Map>>; AtomType::COUNT],
}

/// The energies of one ligand type: for each node its y-z face.
#[derive(Debug)]
pub struct Map {
    faces: Vec<Vec4>,
}

impl Grids {
    /// An empty set of maps; [`Self::add`] fills it.
    #[must_use]
    pub fn new(search_box: SearchBox) -> Self {
        Self::covering(search_box, search_box)
    }

    /// The same for maps that cover more than the box.
    #[must_use]
    pub fn covering(search_box: SearchBox, covered: SearchBox) -> Self {
        let nodes_at =
            |spacing: f32| covered.size.to_array().map(|edge| ((edge / spacing).ceil() as usize).clamp(1, 4096) + 1);
        // A ligand seldom has more than ten types.
        let bytes = |nodes: [usize; 3]| nodes.iter().product::<usize>() * size_of::<Vec4>() * 10;
        let mut spacing = SPACING;
        while bytes(nodes_at(spacing)) > MOST_MEMORY {
            spacing *= 1.05;
        }
        let nodes = nodes_at(spacing);
        let extent = Vec3::from_array(nodes.map(|count| (count - 1) as f32 * spacing));
        let origin = Vec3A::from(covered.center - 0.5 * extent);
        Self {
            search_box,
            covered,
            origin,
            spacing,
            inverse_spacing: spacing.recip(),
            nodes,
            last: Vec3A::from_array(nodes.map(|count| (count - 1) as f32 - 1e-3)),
            strides: [nodes[1] * nodes[2], nodes[2]],
            maps: std::array::from_fn(|_| None),
        }
    }

    /// The box of the search.
    #[must_use]
    pub const fn search_box(&self) -> &SearchBox {
        &self.search_box
    }

    /// Whether leaving the box is not leaving the maps, so that its cost must be added.
    #[must_use]
    pub fn is_wider_than_box(&self) -> bool {
        self.covered != self.search_box
    }

    /// Computes the maps of those types that are not there yet.
    pub fn add(&mut self, function: &EmpiricalFunction, receptor: &TypedReceptor, types: &[AtomType]) {
        let mut missing: Vec<AtomType> =
            types.iter().copied().filter(|&kind| self.maps[kind as usize].is_none()).collect();
        missing.sort_unstable();
        missing.dedup();
        for group in missing.chunks(4) {
            let values = self.sums(function, receptor, group);
            let maps: Vec<(AtomType, Map)> =
                group.par_iter().enumerate().map(|(lane, &kind)| (kind, self.faces(&values, lane))).collect();
            for (kind, map) in maps {
                self.maps[kind as usize] = Some(Arc::new(map));
            }
        }
    }

    /// The map of a type, if it was added.
    #[must_use]
    pub fn map(&self, kind: AtomType) -> Option<Arc<Map>> {
        self.maps[kind as usize].clone()
    }

    /// Sums over the receptor at every node, up to four types in the lanes.
    fn sums(&self, function: &EmpiricalFunction, receptor: &TypedReceptor, group: &[AtomType]) -> Vec<Vec4> {
        let present: Vec<AtomType> =
            AtomType::ALL.iter().copied().filter(|kind| receptor.types.contains(kind)).collect();
        let tables: Vec<Vec<Vec4>> = present
            .iter()
            .map(|&other| {
                let reach = group.iter().map(|&kind| function.reach(kind, other)).fold(0.0, f32::max);
                let entries = (reach * reach * RESOLUTION).ceil() as usize;
                (0..entries)
                    .map(|entry| {
                        let r = ((entry as f32 + 0.5) / RESOLUTION).sqrt();
                        let lane = |lane: usize| group.get(lane).map_or(0.0, |&kind| function.pair(kind, other, r).0);
                        Vec4::new(lane(0), lane(1), lane(2), lane(3))
                    })
                    .collect()
            })
            .collect();
        // Positions in units of nodes, with their table; only those within reach of the box.
        let atoms: Vec<(Vec3A, &[Vec4])> = receptor
            .positions
            .iter()
            .zip(&receptor.types)
            .filter(|&(&position, _)| self.covered.distance(position) < function.cutoff + self.spacing)
            .filter_map(|(&position, kind)| {
                let table = tables.get(present.iter().position(|other| other == kind)?)?;
                Some(((Vec3A::from(position) - self.origin) / self.spacing, table.as_slice()))
            })
            .collect();
        let [_, ny, nz] = self.nodes;
        let mut values = vec![Vec4::ZERO; self.nodes.iter().product()];
        let scale = self.spacing * self.spacing * RESOLUTION;
        values.par_chunks_mut(ny * nz).enumerate().for_each(|(x, plane)| {
            for &(position, table) in &atoms {
                // Everything in entries of the table: r² times the resolution.
                let limit = table.len() as f32;
                let along_x = (x as f32 - position.x).powi(2) * scale;
                if along_x >= limit {
                    continue;
                }
                let y_span = ((limit - along_x) / scale).sqrt();
                for y in nodes_within(position.y, y_span, ny) {
                    let along_xy = along_x + (y as f32 - position.y).powi(2) * scale;
                    if along_xy >= limit {
                        continue;
                    }
                    let z_span = ((limit - along_xy) / scale).sqrt();
                    let range = nodes_within(position.z, z_span, nz);
                    let mut along_z = range.start as f32 - position.z;
                    for value in &mut plane[y * nz..][range] {
                        let entry = (along_xy + along_z * along_z * scale) as usize;
                        if let Some(&energy) = table.get(entry) {
                            *value += energy;
                        }
                        along_z += 1.0;
                    }
                }
            }
        });
        values
    }

    fn faces(&self, values: &[Vec4], lane: usize) -> Map {
        let [_, ny, nz] = self.nodes;
        let value = |index: usize| values[index].to_array()[lane];
        let faces = (0..values.len())
            .map(|index| {
                let (y, z) = (index / nz % ny, index % nz);
                let up_y = if y + 1 < ny { nz } else { 0 };
                let up_z = usize::from(z + 1 < nz);
                Vec4::new(value(index), value(index + up_z), value(index + up_y), value(index + up_y + up_z))
            })
            .collect();
        Map { faces }
    }

    /// Energy in kcal/mol of an atom at a position, and its gradient. A positive energy `e` becomes `e c / (e + c)` with
    /// the cap `c`; the slope outside the box is never capped.
    #[inline]
    #[must_use]
    pub fn at(&self, map: &Map, position: Vec3A, cap: f32) -> (f32, Vec3A) {
        let unclamped = (position - self.origin) * self.inverse_spacing;
        let inside = unclamped.clamp(Vec3A::ZERO, self.last);
        // Adding 1.5 × 2^23 to a small float leaves its nearest integer in the low bits: the cell without a conversion.
        let shifted = (inside - 0.5) + Vec3A::splat(INTEGER_SHIFT);
        let f = inside - (shifted - Vec3A::splat(INTEGER_SHIFT));
        let [x, y, z] = shifted.to_array().map(|value| (value.to_bits() & 0x3f_ffff) as usize);
        let index = x * self.strides[0] + y * self.strides[1] + z;
        let (Some(&low), Some(&high)) = (map.faces.get(index), map.faces.get(index + self.strides[0])) else {
            // A position that is not a number.
            return (f32::INFINITY, Vec3A::ZERO);
        };
        let (gy, gz) = (1.0 - f.y, 1.0 - f.z);
        let weights = Vec4::new(gz, f.z, gz, f.z) * Vec4::new(gy, gy, f.y, f.y);
        let across = high - low;
        let face = low + across * f.x;
        let by_cell = Vec3A::new(
            across.dot(weights),
            gz * (face.z - face.x) + f.z * (face.w - face.y),
            gy * (face.y - face.x) + f.y * (face.w - face.z),
        );
        let mut energy = face.dot(weights);
        let mut gradient = by_cell * self.inverse_spacing;
        if energy > 0.0 {
            let factor = cap / (cap + energy);
            energy *= factor;
            gradient *= factor * factor;
        }
        if inside != unclamped {
            let outside = unclamped - inside;
            energy += OUTSIDE_SLOPE * self.spacing * outside.abs().element_sum();
            gradient = Vec3A::select(outside.cmpne(Vec3A::ZERO), OUTSIDE_SLOPE * outside.signum(), gradient);
        }
        (energy, gradient)
    }
}

/// The nodes within a span of a position, as far as the axis goes.
fn nodes_within(position: f32, span: f32, nodes: usize) -> std::ops::Range<usize> {
    let start = (position - span).ceil().max(0.0) as usize;
    let end = ((position + span).floor() + 1.0).max(0.0) as usize;
    start.min(nodes)..end.min(nodes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::docking::fixture;
    use crate::settings::ScoringFunction;

    fn grids() -> Grids {
        let search_box = SearchBox { center: Vec3::new(0.5, 0.2, -0.3), size: Vec3::new(14.0, 8.0, 7.0) };
        let mut grids = Grids::new(search_box);
        let function = EmpiricalFunction::of(ScoringFunction::Vina);
        grids.add(function, &fixture::receptor(), &[AtomType::CarbonPolar, AtomType::OxygenAcceptor]);
        grids
    }

    #[test]
    fn nodes_hold_the_exact_sum() {
        let grids = grids();
        let map = grids.map(AtomType::OxygenAcceptor).unwrap();
        let receptor = fixture::receptor();
        let function = EmpiricalFunction::of(ScoringFunction::Vina);
        for node in [[3, 4, 5], [20, 10, 9], [37, 21, 18], [18, 0, 7]] {
            let position = grids.origin + grids.spacing * Vec3A::from_array(node.map(|index| index as f32));
            let exact: f32 = receptor
                .positions
                .iter()
                .zip(&receptor.types)
                .map(|(&atom, &kind)| {
                    function.pair(AtomType::OxygenAcceptor, kind, Vec3A::from(atom).distance(position)).0
                })
                .sum();
            let found = grids.at(&map, position, 1e6).0;
            assert!((found - exact).abs() < 0.01 + 0.01 * exact.abs(), "{node:?}: {found} for {exact}");
        }
    }

    #[test]
    fn gradient_is_that_of_the_interpolant() {
        let grids = grids();
        let map = grids.map(AtomType::CarbonPolar).unwrap();
        for step in 0..200 {
            let t = step as f32;
            let place = Vec3A::new(9.0 * (0.37 * t).sin(), 5.0 * (0.73 * t).cos(), 4.5 * (1.3 * t).sin());
            // The middle of a cell's width: the interpolant has kinks between cells.
            let position = grids.origin + (((place - grids.origin) / grids.spacing).floor() + 0.4) * grids.spacing;
            let (_, gradient) = grids.at(&map, position, 1e6);
            for axis in [Vec3A::X, Vec3A::Y, Vec3A::Z] {
                let h = 0.05;
                let expected = (grids.at(&map, position + h * axis, 1e6).0
                    - grids.at(&map, position - h * axis, 1e6).0)
                    / (2.0 * h);
                let slope = gradient.dot(axis);
                let scale = 1.0 + expected.abs();
                assert!((slope - expected).abs() < 0.02 * scale, "{position} {axis}: {slope} for {expected}");
            }
        }
    }

    #[test]
    fn outside_is_steep() {
        let grids = grids();
        let map = grids.map(AtomType::CarbonPolar).unwrap();
        let (energy, gradient) = grids.at(&map, Vec3A::new(30.0, 0.0, 0.0), 1e6);
        assert!(energy > 2000.0 && gradient.x == OUTSIDE_SLOPE, "{energy} {gradient}");
        assert!(grids.at(&map, Vec3A::splat(-1e9), 1e6).0.is_finite());
    }

    #[test]
    fn large_boxes_get_coarser() {
        let grids = Grids::new(SearchBox { center: Vec3::ZERO, size: Vec3::splat(120.0) });
        assert!(grids.spacing > SPACING);
        assert!(grids.nodes.iter().product::<usize>() * 16 * 10 <= MOST_MEMORY);
    }
}
