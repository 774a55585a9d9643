//! Molecular surfaces, computed on the device.
//!
//! A surface is where a field is zero. Of the solvent-excluded surface (Richards, Annu. Rev. Biophys. Bioeng. 1977, 6,
//! 151) the field is the exact distance to the solvent-accessible surface less the probe's radius: the creases of the
//! accessible surface are found first (`arcs.wgsl`, in the spirit of contour build-up: Totrov & Abagyan 1996; Krone et
//! al. 2011), then every point of a grid near the surface measures its distance to balls and creases (`nearest.wgsl`).
//! Distances sampled from marked grid points, as is usual, are off by some hundredths of an Å from point to point, which
//! shows as pimples in the light; exact ones are not. Of the Gaussian surface the field is a sum over atoms.
//!
//! Surface nets make triangles of the field (`net.wgsl`) and not marching cubes: half as many triangles, none of them
//! slivers, vertices shared from the start, and vertices are free to move inside their cell, so that here they are moved
//! onto the very surface, with the exact normal. Areas and volumes come out right to some tenths of a percent.
//!
//! What is read back is cleaned here: vertices of several sheets split (`manifold.rs`), cavities taken out, parts that are not to be shown left out. All of it runs on a
//! worker, and in short pieces on a software adapter, so that pictures are drawn meanwhile.

mod charges;
mod compute;
mod manifold;
mod sorted;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use bytemuck::{Pod, Zeroable};
use glam::Vec3;
use kfold_molecule::Topology;

use crate::error::ViewerError;
use crate::gpu::Gpu;
use crate::scene::AtomSelection;
pub(crate) use compute::SurfacePipelines;
use sorted::{Ball, Sorted};

/// What a surface is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum SurfaceKind {
    /// The border of the space that no ball of the size of the probe can enter (Connolly surface).
    SolventExcluded {
        /// Radius of the probe, Å; 1.4 for water.
        probe: f32,
    },
    /// Where Gaussians at the atoms, summed, have the value that one has at its atom's radius: round and quick.
    Gaussian {
        /// How fast they fall: the higher, the closer the surface follows the atoms.
        sharpness: f32,
    },
}

/// A surface and how it is drawn.
#[derive(Clone, Debug, PartialEq)]
pub struct SurfaceStyle {
    /// What it is.
    pub kind: SurfaceKind,
    /// Distance of the grid's points, Å; doubled when there would be too many.
    pub spacing: f32,
    /// Whether the net of its edges is drawn in place of the filled surface.
    pub net: bool,
    /// Whether surfaces of cavities inside are kept, as those near a part always are: a buried pocket is a cavity.
    pub cavities: bool,
    /// The atoms that make the surface, of which the part nearest to the representation's atoms is drawn: a pocket is cut
    /// out of the surface of its protein, and seen into from any side, as the inner side is not drawn. `None`: the
    /// surface of the representation's atoms alone, which is closed.
    pub of: Option<AtomSelection>,
}

impl Default for SurfaceStyle {
    fn default() -> Self {
        Self { kind: SurfaceKind::SolventExcluded { probe: 1.4 }, spacing: 0.5, net: false, cavities: false, of: None }
    }
}

impl SurfaceStyle {
    /// The Gaussian surface.
    #[must_use]
    pub fn gaussian() -> Self {
        Self { kind: SurfaceKind::Gaussian { sharpness: 1.5 }, ..Self::default() }
    }

    /// With every number in its range.
    fn sane(&self) -> Self {
        let within = |value: f32, low: f32, high: f32, usual: f32| {
            if value.is_finite() { value.clamp(low, high) } else { usual }
        };
        let kind = match self.kind {
            SurfaceKind::SolventExcluded { probe } => {
                SurfaceKind::SolventExcluded { probe: within(probe, 0.2, 5.0, 1.4) }
            }
            SurfaceKind::Gaussian { sharpness } => {
                SurfaceKind::Gaussian { sharpness: within(sharpness, 0.5, 8.0, 1.5) }
            }
        };
        // Distances across a cell must stay below the probe, or the surface could slip between two points.
        let widest = match kind {
            SurfaceKind::SolventExcluded { probe } => 0.55 * probe,
            SurfaceKind::Gaussian { .. } => 1.0,
        };
        Self { kind, spacing: within(self.spacing, 0.1, 1.0, 0.5).min(widest.max(0.1)), ..self.clone() }
    }
}

/// A surface as triangles.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SurfaceMesh {
    /// Å.
    pub positions: Vec<Vec3>,
    /// Outward, of unit length.
    pub normals: Vec<Vec3>,
    /// The atom nearest to each vertex.
    pub atoms: Vec<u32>,
    /// Electrostatic potential at each vertex, kcal/(mol e); empty unless asked for.
    pub potentials: Vec<f32>,
    /// Counter-clockwise as seen from outside; two of a quadrilateral together.
    pub triangles: Vec<[u32; 3]>,
}

/// What a surface is made of.
#[derive(Clone)]
pub struct SurfaceSource {
    /// Atoms.
    pub topology: Arc<Topology>,
    /// Å, one for each atom.
    pub positions: Arc<Vec<Vec3>>,
    /// The atoms whose part of the surface is wanted.
    pub atoms: AtomSelection,
    /// Which surface.
    pub style: SurfaceStyle,
    /// Whether the potential at its vertices is wanted.
    pub potential: bool,
}

/// A vertex of `mesh/surface.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
struct SurfaceVertex {
    position: [f32; 3],
    normal: u32,
    atom: u32,
    radius: f32,
    potential: f32,
}

/// Marks vertices whose atom is not to be shown.
const NOT_SHOWN: u32 = 1 << 31;
/// Points of a grid; more are not better to look at, and each takes 12 bytes.
const MOST_POINTS: f32 = 16e6;

impl SurfaceSource {
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        // The net is drawn of the same triangles.
        let style = |source: &Self| SurfaceStyle { net: false, ..source.style.clone() };
        Arc::ptr_eq(&self.topology, &other.topology)
            && Arc::ptr_eq(&self.positions, &other.positions)
            && self.atoms == other.atoms
            && style(self) == style(other)
            && self.potential == other.potential
    }

    /// The surface; `None` when `cancelled` was set meanwhile. Equal input gives an equal surface on one adapter.
    ///
    /// # Errors
    /// When memory runs out, or the device is lost or refuses.
    pub fn build(&self, gpu: &Gpu, cancelled: &AtomicBool) -> Result<Option<SurfaceMesh>, ViewerError> {
        Ok(self.found(gpu, cancelled)?.map(|found| found.mesh()))
    }

    /// What `mesh/surface.wgsl` reads, and the number of triangles.
    pub(crate) fn build_words(
        &self,
        gpu: &Gpu,
        cancelled: &AtomicBool,
    ) -> Result<Option<(Vec<u32>, u32)>, ViewerError> {
        Ok(self.found(gpu, cancelled)?.map(|found| found.words(&self.topology)))
    }

    fn found(&self, gpu: &Gpu, cancelled: &AtomicBool) -> Result<Option<Found>, ViewerError> {
        let style = self.style.sane();
        let probe = match style.kind {
            SurfaceKind::SolventExcluded { probe } => probe,
            SurfaceKind::Gaussian { .. } => 0.0,
        };
        let ball = |atom: u32| -> Option<Ball> {
            let center = self.positions.get(atom as usize).copied().filter(|place| place.is_finite())?;
            let radius = self.topology.atoms.get(atom as usize)?.element.vdw_radius() + probe;
            // Within reach of single precision.
            (center.abs().max_element() < 1e6).then_some(Ball { center, radius, atom })
        };
        let shown = self.atoms.indices(&self.topology);
        let shown_balls: Vec<Ball> = shown.iter().filter_map(|&atom| ball(atom)).collect();
        let Some(place) = Place::around(&shown_balls, probe, style.spacing, self.style.of.is_some(), gpu) else {
            return Ok(Some(Found::default()));
        };
        let balls: Vec<Ball> = match &style.of {
            None => shown_balls,
            Some(others) => {
                // What the shown part borders on: atoms farther off cannot change it.
                let mut makers = others.indices(&self.topology);
                makers.extend(&shown);
                makers.sort_unstable();
                makers.dedup();
                let reach = 3.0 * (2.5 + probe);
                makers.into_iter().filter_map(ball).filter(|ball| place.holds(ball.center, reach)).collect()
            }
        };
        let largest = balls.iter().fold(0.0_f32, |largest, ball| largest.max(ball.radius));
        let reach = match style.kind {
            SurfaceKind::SolventExcluded { .. } => largest,
            // Beyond, a Gaussian is below a thousandth.
            SurfaceKind::Gaussian { sharpness } => largest * (1.0 + 6.9 / sharpness).sqrt(),
        };
        let sorted = Sorted::new(balls, reach.max(1.0));
        let charges = if self.potential {
            charges::of_atoms(&self.topology)
                .into_iter()
                .zip(self.positions.iter())
                .filter(|(charge, place)| *charge != 0.0 && place.is_finite())
                .map(|(charge, place)| place.extend(charge).to_array())
                .collect()
        } else {
            Vec::new()
        };
        let request = compute::Request {
            atoms: &sorted,
            kind: style.kind,
            origin: place.origin,
            spacing: place.spacing,
            points: place.points,
            charges: &charges,
            cancelled,
        };
        let Some((vertices, triangles)) = compute::compute(gpu, &request)? else { return Ok(None) };
        let mut is_shown = vec![false; self.topology.atoms.len()];
        for &atom in &shown {
            is_shown[atom as usize] = true;
        }
        let mut found = Found { potential: self.potential, ..Found::default() };
        found.vertices = vertices
            .into_iter()
            .map(|vertex| {
                let ball = sorted.balls.get(vertex.atom as usize).or(sorted.balls.first());
                let atom = ball.map_or(0, |ball| ball.atom);
                let hidden = if is_shown.get(atom as usize) == Some(&true) { 0 } else { NOT_SHOWN };
                compute::ComputedVertex { atom: atom | hidden, ..vertex }
            })
            .collect();
        found.quadrilaterals = bytemuck::pod_collect_to_vec(&triangles);
        found.quadrilaterals.retain(|corners: &[u32; 6]| {
            corners.iter().any(|&corner| found.vertices[corner as usize].atom & NOT_SHOWN == 0)
        });
        manifold::split(&mut found.vertices, &mut found.quadrilaterals);
        if !style.cavities && style.of.is_none() {
            found.drop_cavities(&place);
        }
        found.drop_unused();
        Ok(Some(found))
    }
}

/// Where the grid lies.
struct Place {
    origin: Vec3,
    spacing: f32,
    points: glam::UVec3,
}

impl Place {
    /// Around these balls, of a radius that has the probe's in it.
    fn around(balls: &[Ball], probe: f32, spacing: f32, is_part: bool, gpu: &Gpu) -> Option<Self> {
        let first = balls.first()?;
        let (mut low, mut high) = (first.center, first.center);
        for ball in balls {
            low = low.min(ball.center - ball.radius);
            high = high.max(ball.center + ball.radius);
        }
        // Gaussians bulge; a part's surface goes a little beyond its atoms.
        let beyond = if is_part {
            0.5
        } else if probe > 0.0 {
            -probe
        } else {
            1.5
        };
        let limits = gpu.device.limits();
        let bytes = limits.max_storage_buffer_binding_size.min(limits.max_buffer_size);
        let most = MOST_POINTS.min(bytes as f32 / 8.0 - 16.0);
        let mut spacing = spacing;
        loop {
            let margin = Vec3::splat(beyond + 2.5 * spacing);
            let span = (high - low + 2.0 * margin) / spacing;
            if (span + 2.0).element_product() < most {
                let points = span.ceil().as_uvec3() + 1;
                return Some(Self { origin: low - margin, spacing, points });
            }
            spacing *= 1.25;
        }
    }

    fn holds(&self, point: Vec3, reach: f32) -> bool {
        let high = self.origin + self.points.as_vec3() * self.spacing;
        point.cmpge(self.origin - reach).all() && point.cmple(high + reach).all()
    }

    fn is_at_border(&self, point: Vec3) -> bool {
        let high = self.origin + (self.points - 1).as_vec3() * self.spacing;
        let inner = 1.8 * self.spacing;
        point.cmplt(self.origin + inner).any() || point.cmpgt(high - inner).any()
    }
}

/// What the device found, with atoms by their index in the topology.
#[derive(Default)]
struct Found {
    vertices: Vec<compute::ComputedVertex>,
    /// As two triangles.
    quadrilaterals: Vec<[u32; 6]>,
    potential: bool,
}

impl Found {
    /// Takes closed pieces whose outside is within: a piece's volume is then negative.
    fn drop_cavities(&mut self, place: &Place) {
        fn root(parents: &mut [u32], index: u32) -> u32 {
            let mut index = index;
            while parents[index as usize] != index {
                let above = parents[parents[index as usize] as usize];
                parents[index as usize] = above;
                index = above;
            }
            index
        }
        let mut parents: Vec<u32> = (0..self.vertices.len() as u32).collect();
        for corners in &self.quadrilaterals {
            let first = root(&mut parents, corners[0]);
            for &corner in &corners[1..] {
                let other = root(&mut parents, corner);
                parents[other as usize] = first;
            }
        }
        let mut volumes = vec![0.0_f64; self.vertices.len()];
        let mut open = vec![false; self.vertices.len()];
        let place_of = |corner: u32| Vec3::from(self.vertices[corner as usize].position);
        for corners in &self.quadrilaterals {
            let piece = root(&mut parents, corners[0]) as usize;
            for triangle in corners.chunks_exact(3) {
                // About a corner of the grid, so that far from the origin nothing is lost.
                let [a, b, c] = [0, 1, 2].map(|index| (place_of(triangle[index]) - place.origin).as_dvec3());
                volumes[piece] += a.dot(b.cross(c));
            }
            open[piece] |= corners.iter().any(|&corner| place.is_at_border(place_of(corner)));
        }
        let is_cavity: Vec<bool> = (0..self.vertices.len() as u32)
            .map(|vertex| {
                let piece = root(&mut parents, vertex) as usize;
                volumes[piece] < 0.0 && !open[piece]
            })
            .collect();
        self.quadrilaterals.retain(|corners| !is_cavity[corners[0] as usize]);
    }

    fn drop_unused(&mut self) {
        let mut numbers = vec![u32::MAX; self.vertices.len()];
        let mut kept = Vec::with_capacity(self.vertices.len());
        for corner in self.quadrilaterals.iter_mut().flatten() {
            let number = &mut numbers[*corner as usize];
            if *number == u32::MAX {
                *number = kept.len() as u32;
                kept.push(self.vertices[*corner as usize]);
            }
            *corner = *number;
        }
        self.vertices = kept;
    }

    fn mesh(&self) -> SurfaceMesh {
        SurfaceMesh {
            positions: self.vertices.iter().map(|vertex| Vec3::from(vertex.position)).collect(),
            normals: self.vertices.iter().map(|vertex| decoded(vertex.normal)).collect(),
            atoms: self.vertices.iter().map(|vertex| vertex.atom & !NOT_SHOWN).collect(),
            potentials: if self.potential {
                self.vertices.iter().map(|vertex| vertex.potential).collect()
            } else {
                Vec::new()
            },
            triangles: self.quadrilaterals.iter().flat_map(|&[a, b, c, d, e, f]| [[a, b, c], [d, e, f]]).collect(),
        }
    }

    fn words(&self, topology: &Topology) -> (Vec<u32>, u32) {
        const WORDS: usize = size_of::<SurfaceVertex>() / 4;
        let mut words = Vec::with_capacity(1 + self.vertices.len() * WORDS + self.quadrilaterals.len() * 6);
        words.push(self.vertices.len() as u32);
        for vertex in &self.vertices {
            let atom = topology.atoms.get((vertex.atom & !NOT_SHOWN) as usize);
            let drawn = SurfaceVertex {
                position: vertex.position,
                normal: vertex.normal,
                atom: vertex.atom,
                radius: atom.map_or(1.7, |atom| atom.element.vdw_radius()),
                potential: vertex.potential,
            };
            words.extend_from_slice(bytemuck::cast_slice::<_, u32>(std::slice::from_ref(&drawn)));
        }
        words.extend(self.quadrilaterals.iter().flatten());
        (words, self.quadrilaterals.len() as u32 * 2)
    }
}

/// Of the octahedral map in `common/normal.wgsl`.
fn decoded(normal: u32) -> Vec3 {
    let fraction = |bits: u32| f32::from(bits as u16 as i16) / 32_767.0;
    let (x, y) = (fraction(normal), fraction(normal >> 16));
    let z = 1.0 - x.abs() - y.abs();
    let folded = |along: f32, across: f32| (1.0 - across.abs()) * if along >= 0.0 { 1.0 } else { -1.0 };
    let unit = if z < 0.0 { Vec3::new(folded(x, y), folded(y, x), z) } else { Vec3::new(x, y, z) };
    unit.normalize_or(Vec3::Z)
}

impl SurfaceMesh {
    /// Å².
    #[must_use]
    pub fn area(&self) -> f32 {
        let corners =
            self.triangles.iter().map(|triangle| triangle.map(|corner| self.positions[corner as usize].as_dvec3()));
        corners.map(|[a, b, c]| 0.5 * (b - a).cross(c - a).length()).sum::<f64>() as f32
    }

    /// Å³ inside, cavities not counted where they have a surface; of a closed surface.
    #[must_use]
    pub fn volume(&self) -> f32 {
        let Some(origin) = self.positions.first() else { return 0.0 };
        let place = |corner: u32| (self.positions[corner as usize] - origin).as_dvec3();
        let corners = self.triangles.iter().map(|triangle| triangle.map(place));
        corners.map(|[a, b, c]| a.dot(b.cross(c)) / 6.0).sum::<f64>() as f32
    }
}
