//! Objects of the scene on the device: what was uploaded, and what must be uploaded again.
//!
//! Everything heavy in a scene is behind an `Arc`. This cache keeps a clone of each `Arc` it uploaded, so an address
//! cannot be used again while it is remembered, and two equal addresses mean equal contents.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use glam::{Mat4, Vec3};
use kfold_molecule::Topology;

use crate::camera::{Camera, bounding_sphere};
use crate::color::{Coloring, ColoringInput, atom_colors};
use crate::error::ViewerError;
use crate::geometry::{Instances, cartoon, chunks, instances};
use crate::gpu::Gpu;
use crate::renderer::Waker;
use crate::renderer::building::{Built, CartoonSource, GlycanSource, Job, SharedKinds, Source, same_arc};
use crate::renderer::culling::{self, Chunks, Culled};
use crate::renderer::pipelines::Pipelines;
use crate::renderer::uniforms::{BY_POTENTIAL, DrawUniform, FRONT_ONLY, NET, PIXEL_RADII};
use crate::renderer::visibility;
use crate::ribbon::{self, RibbonKind};
use crate::scene::{AtomSelection, Object, ObjectId, Representation, Scene, Shape};
use crate::surface::SurfaceSource;

/// What one draw call draws.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Primitive {
    Spheres,
    Cylinders,
    Mesh,
    Surface,
}

/// One draw call.
pub(crate) struct Draw {
    pub primitive: Primitive,
    /// Vertices, or indices of a mesh.
    pub count: u32,
    /// How often.
    pub copies: u32,
    pub group: wgpu::BindGroup,
    pub mesh: Option<(wgpu::Buffer, wgpu::Buffer)>,
    /// Where there are so many impostors that hidden ones are left out: their lists, and the groups that draw them.
    pub culled: Option<(Culled, [wgpu::BindGroup; 2])>,
}

/// What was built, on the device.
struct BuiltBuffers {
    source: Source,
    /// Vertices and indices of a mesh; of a surface both in one.
    buffers: (wgpu::Buffer, Option<wgpu::Buffer>),
    count: u32,
}

/// Buffers of one representation.
struct RepresentationCache {
    source: Representation,
    kinds: Option<Arc<Vec<RibbonKind>>>,
    uniform: wgpu::Buffer,
    uniform_value: Option<DrawUniform>,
    flags: u32,
    colors: wgpu::Buffer,
    draws: Vec<Draw>,
    job: Option<Job>,
    built: Option<BuiltBuffers>,
}

/// Buffers of one object.
struct ObjectCache {
    topology: Arc<Topology>,
    positions: Arc<Vec<Vec3>>,
    b_factors: Arc<Vec<f32>>,
    positions_buffer: wgpu::Buffer,
    copies: Arc<Vec<Mat4>>,
    copies_buffer: wgpu::Buffer,
    /// A sphere around all atoms.
    bounds: (Vec3, f32),
    kinds: SharedKinds,
    representations: Vec<RepresentationCache>,
}

/// Where an object's atoms are in the numbering of the picture.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NumberRange {
    pub object: ObjectId,
    pub first: u32,
    /// Atoms of one copy.
    pub count: u32,
    pub copies: u32,
}

impl NumberRange {
    /// The number after the last.
    pub fn end(&self) -> usize {
        self.first as usize + self.count as usize * self.copies as usize
    }
}

/// All objects of a scene on the device.
#[derive(Default)]
pub(crate) struct Objects {
    caches: HashMap<ObjectId, ObjectCache>,
    /// Visible objects in order.
    pub numbers: Vec<NumberRange>,
}

/// A storage buffer with these bytes; never empty, which bindings may not be.
pub(crate) fn storage(gpu: &Gpu, label: &str, bytes: &[u8], usage: wgpu::BufferUsages) -> wgpu::Buffer {
    let size = (bytes.len().div_ceil(16) * 16).max(16) as u64;
    let buffer = gpu.device.create_buffer(&wgpu::BufferDescriptor {
        label: Some(label),
        size,
        usage: usage | wgpu::BufferUsages::COPY_DST,
        mapped_at_creation: false,
    });
    if !bytes.is_empty() {
        gpu.queue.write_buffer(&buffer, 0, bytes);
    }
    buffer
}

impl Objects {
    /// Brings the device up to date with the scene. Returns whether cartoons or surfaces are still being built.
    pub fn update(
        &mut self,
        gpu: &Gpu,
        pipelines: &Pipelines,
        scene: &Scene,
        waker: &Waker,
        wait: bool,
    ) -> Result<bool, ViewerError> {
        let wanted: HashSet<ObjectId> = scene.objects.iter().map(|object| object.id).collect();
        self.caches.retain(|id, _| wanted.contains(id));
        self.numbers.clear();
        let mut first: u32 = 0;
        let mut pending = false;
        for object in scene.objects.iter().filter(|object| object.visible) {
            check(gpu, object)?;
            let count = object.positions.len() as u32;
            let copies = object.places().len() as u32;
            self.numbers.push(NumberRange { object: object.id, first, count, copies });
            let cache = self.caches.entry(object.id).or_insert_with(|| ObjectCache::new(gpu, object));
            // Whoever makes an object anew makes a list of copies anew: the same copies keep what was built before.
            let has_copies = Arc::ptr_eq(&cache.copies, &object.copies) || cache.copies == object.copies;
            if !Arc::ptr_eq(&cache.topology, &object.topology) || !has_copies {
                *cache = ObjectCache::new(gpu, object);
            }
            pending |= cache.update(gpu, pipelines, object, first, waker, wait)?;
            first = first.saturating_add(count.saturating_mul(copies));
        }
        Ok(pending)
    }

    /// Draw calls in the order of the scene, of the visible representations for which `is_drawn(object, whether it is
    /// transparent)` holds.
    pub fn draws(&self, is_drawn: impl Fn(ObjectId, bool) -> bool) -> impl Iterator<Item = &Draw> {
        self.numbers
            .iter()
            .filter_map(|range| Some((range.object, self.caches.get(&range.object)?)))
            .flat_map(|(object, cache)| {
                cache.representations.iter().map(move |representation| (object, representation))
            })
            .filter(move |(object, representation)| {
                representation.source.visible
                    && representation.source.opacity > 0.0
                    && is_drawn(*object, is_transparent(&representation.source))
            })
            .flat_map(|(_, representation)| &representation.draws)
    }

    /// Spheres that hold everything that is drawn, without the width of lines.
    pub fn bounds(&self) -> Vec<(Vec3, f32)> {
        let mut spheres = Vec::new();
        for cache in self.numbers.iter().filter_map(|range| self.caches.get(&range.object)) {
            let (center, radius) = cache.bounds;
            // Atoms and ribbons reach beyond the middles of atoms.
            let mut largest: f32 = 4.0;
            for representation in &cache.representations {
                match &representation.source.shape {
                    Shape::Dashes(lines) => {
                        let ends: Vec<Vec3> = lines.iter().flat_map(|line| line.points).collect();
                        let (center, radius) = bounding_sphere(&ends);
                        spheres.push((center, radius + 1.0));
                    }
                    Shape::Measured(lines) => {
                        let (center, radius) = bounding_sphere(lines.as_flattened());
                        spheres.push((center, radius + 1.0));
                    }
                    Shape::Box(bounds) => spheres.push((bounds.center, 0.5 * bounds.size.length() + 1.0)),
                    Shape::Spheres { scale } => largest = largest.max(4.0 * scale),
                    Shape::BallAndStick { ball_scale, stick_radius } => {
                        largest = largest.max(4.0 * ball_scale).max(3.0 * stick_radius);
                    }
                    Shape::Sticks { radius, .. } => largest = largest.max(3.0 * radius),
                    Shape::Glycans { size } => largest = largest.max(*size),
                    Shape::Surface(_) => largest = largest.max(6.0),
                    Shape::Cartoon(style) => largest = largest.max(2.0 * style.width * style.arrow),
                    Shape::Lines { .. } => {}
                }
            }
            // What carries a box or lines only is nowhere.
            if !cache.positions.is_empty() {
                let places = cache.places().iter();
                spheres.extend(places.map(|place| (place.transform_point3(center), radius + largest)));
            }
        }
        spheres
    }

    /// How many spheres may be small seen from here, where a pixel has this slope.
    pub fn small_spheres(&self, gpu: &Gpu, camera: &Camera, pixel_slope: f32) -> u64 {
        let mut count = 0_u64;
        for cache in self.numbers.iter().filter_map(|range| self.caches.get(&range.object)) {
            let (center, radius) = cache.bounds;
            let eye = camera.eye();
            let farthest = |place: &Mat4| place.transform_point3(center).distance(eye) + radius;
            let depth = cache.places().iter().map(farthest).fold(0.0, f32::max);
            let drawn = cache
                .representations
                .iter()
                .filter(|drawn| drawn.source.visible && drawn.source.opacity > 0.0 && !is_transparent(&drawn.source));
            let culled = drawn.flat_map(|drawn| &drawn.draws).filter_map(|draw| draw.culled.as_ref());
            let spheres = culled.filter_map(|(culled, _)| culled.spheres());
            let small = spheres.filter(|(smallest, _)| visibility::is_small(gpu, *smallest, depth, pixel_slope));
            count = count.saturating_add(small.map(|(_, count)| count).sum());
        }
        count
    }

    /// Whether a cartoon or surface that was being built has come in since the last update.
    pub fn has_news(&self) -> bool {
        self.caches
            .values()
            .flat_map(|cache| &cache.representations)
            .any(|representation| representation.job.as_ref().is_some_and(Job::is_done))
    }
}

impl ObjectCache {
    /// As [`Object::places`].
    fn places(&self) -> &[Mat4] {
        if self.copies.is_empty() { &[Mat4::IDENTITY] } else { &self.copies }
    }

    fn new(gpu: &Gpu, object: &Object) -> Self {
        Self {
            topology: Arc::clone(&object.topology),
            positions: Arc::clone(&object.positions),
            b_factors: Arc::clone(&object.b_factors),
            positions_buffer: storage(
                gpu,
                "positions",
                bytemuck::cast_slice(&object.positions),
                wgpu::BufferUsages::STORAGE,
            ),
            copies: Arc::clone(&object.copies),
            copies_buffer: storage(gpu, "copies", bytemuck::cast_slice(object.places()), wgpu::BufferUsages::STORAGE),
            bounds: bounding_sphere(&object.positions),
            kinds: SharedKinds::default(),
            representations: Vec::new(),
        }
    }

    /// Brings the representations up to date; returns whether any is still being built.
    fn update(
        &mut self,
        gpu: &Gpu,
        pipelines: &Pipelines,
        object: &Object,
        first_atom: u32,
        waker: &Waker,
        wait: bool,
    ) -> Result<bool, ViewerError> {
        let moved = !Arc::ptr_eq(&self.positions, &object.positions);
        if moved {
            gpu.queue.write_buffer(&self.positions_buffer, 0, bytemuck::cast_slice(&object.positions));
            self.positions = Arc::clone(&object.positions);
            self.bounds = bounding_sphere(&object.positions);
            self.kinds = SharedKinds::default();
        }
        let recolored = !Arc::ptr_eq(&self.b_factors, &object.b_factors);
        self.b_factors = Arc::clone(&object.b_factors);

        self.representations.truncate(object.representations.len());
        let mut pending = false;
        for (index, wanted) in object.representations.iter().enumerate() {
            let scene = Surroundings {
                gpu,
                pipelines,
                object,
                kinds: &self.kinds,
                positions_buffer: &self.positions_buffer,
                copies_buffer: &self.copies_buffer,
                first_atom,
            };
            match self.representations.get_mut(index) {
                Some(held) => held.refresh(&scene, wanted, moved, recolored),
                None => self.representations.push(RepresentationCache::new(&scene, wanted)),
            }
            if let Some(held) = self.representations.get_mut(index) {
                held.write_uniform(&scene);
                if wanted.visible {
                    pending |= held.update_built(&scene, waker, wait)?;
                }
            }
        }
        Ok(pending)
    }
}

/// What the buffers of a representation are made of.
struct Surroundings<'a> {
    gpu: &'a Gpu,
    pipelines: &'a Pipelines,
    object: &'a Object,
    kinds: &'a SharedKinds,
    positions_buffer: &'a wgpu::Buffer,
    copies_buffer: &'a wgpu::Buffer,
    first_atom: u32,
}

impl Surroundings<'_> {
    fn copies(&self) -> u32 {
        self.object.places().len() as u32
    }

    fn colors(&self, coloring: &Coloring) -> wgpu::Buffer {
        let assigned = match &self.object.ribbon_kinds {
            Some(kinds) => kinds.as_slice(),
            None if matches!(coloring, Coloring::SecondaryStructure) => {
                self.kinds.get_or_init(|| ribbon::assign(&self.object.topology, &self.object.positions))
            }
            None => &[],
        };
        let colors = atom_colors(
            coloring,
            &ColoringInput {
                topology: &self.object.topology,
                b_factors: &self.object.b_factors,
                ribbon_kinds: assigned,
            },
        );
        storage(self.gpu, "colors", bytemuck::cast_slice(&colors), wgpu::BufferUsages::STORAGE)
    }

    fn group(
        &self,
        uniform: &wgpu::Buffer,
        positions: &wgpu::Buffer,
        colors: &wgpu::Buffer,
        instances: &wgpu::Buffer,
    ) -> wgpu::BindGroup {
        let entries = [(0, uniform), (1, positions), (2, colors), (3, instances), (4, self.copies_buffer)]
            .map(|(binding, buffer)| wgpu::BindGroupEntry { binding, resource: buffer.as_entire_binding() });
        self.gpu.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some("draw"),
            layout: &self.pipelines.draw_layout,
            entries: &entries,
        })
    }
}

impl RepresentationCache {
    fn new(scene: &Surroundings<'_>, wanted: &Representation) -> Self {
        let uniform = scene.gpu.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("draw"),
            size: size_of::<DrawUniform>() as u64,
            usage: wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        let mut made = Self {
            source: wanted.clone(),
            kinds: scene.object.ribbon_kinds.clone(),
            uniform,
            uniform_value: None,
            flags: 0,
            colors: scene.colors(&wanted.coloring),
            draws: Vec::new(),
            job: None,
            built: None,
        };
        made.make_draws(scene);
        made
    }

    /// Takes over a changed representation, coordinates or colours.
    fn refresh(&mut self, scene: &Surroundings<'_>, wanted: &Representation, moved: bool, recolored: bool) {
        let kinds_changed = !same_arc(self.kinds.as_ref(), scene.object.ribbon_kinds.as_ref());
        let by_kind = wanted.coloring == Coloring::SecondaryStructure;
        let by_b_factor = matches!(wanted.coloring, Coloring::BFactor { .. } | Coloring::Plddt | Coloring::PlddtScale);
        let colors_changed = self.source.coloring != wanted.coloring
            || (by_kind && (kinds_changed || (moved && scene.object.ribbon_kinds.is_none())))
            || (by_b_factor && recolored);
        let shape_changed = self.source.shape != wanted.shape || self.source.atoms != wanted.atoms;
        // What was built before stays in the picture until the new shape is ready.
        let alike = is_built(&self.source.shape) && is_built(&wanted.shape);
        if shape_changed && !alike {
            self.built = None;
            self.job = None;
        }
        self.kinds = scene.object.ribbon_kinds.clone();
        self.source = wanted.clone();
        if colors_changed {
            self.colors = scene.colors(&wanted.coloring);
        }
        if colors_changed || shape_changed {
            self.make_draws(scene);
        } else if moved {
            for (culled, _) in self.draws.iter().filter_map(|draw| draw.culled.as_ref()) {
                culled.take_positions(scene.gpu, &scene.object.positions);
            }
        }
    }

    /// Draw calls from the representation and, for cartoons and surfaces, what is built of it; tubes stand for a cartoon
    /// that is not.
    fn make_draws(&mut self, scene: &Surroundings<'_>) {
        self.draws.clear();
        if let Some(built) = &self.built {
            let is_mesh = built.buffers.1.is_some();
            self.flags = if is_mesh { 0 } else { self.surface_flags() };
            if built.count > 0 {
                let (vertices, indices) = &built.buffers;
                let (primitive, instances, mesh) = match indices {
                    Some(indices) => {
                        (Primitive::Mesh, scene.positions_buffer, Some((vertices.clone(), indices.clone())))
                    }
                    None => (Primitive::Surface, vertices, None),
                };
                let group = scene.group(&self.uniform, scene.positions_buffer, &self.colors, instances);
                self.draws.push(Draw {
                    primitive,
                    count: built.count,
                    copies: scene.copies(),
                    group,
                    mesh,
                    culled: None,
                });
            }
            return;
        }
        let topology = &scene.object.topology;
        let Instances { mut spheres, mut cylinders, flags, points } = match &self.source.shape {
            Shape::Cartoon(_) => {
                let cylinders = cartoon::stand_in(topology, &scene.object.positions, &self.source.atoms);
                Instances { cylinders, ..Instances::default() }
            }
            shape => instances(shape, &self.source.atoms, topology, &self.source.coloring),
        };
        self.flags = flags;
        let usage = wgpu::BufferUsages::STORAGE;
        let own = points.map(|(points, colors)| {
            (
                storage(scene.gpu, "points", bytemuck::cast_slice(&points), usage),
                storage(scene.gpu, "point colors", bytemuck::cast_slice(&colors), usage),
            )
        });
        let (positions, colors) = match &own {
            Some((points, colors)) => (points, colors),
            None => (scene.positions_buffer, &self.colors),
        };
        let places = scene.object.positions.as_slice();
        let copies = scene.copies();
        // What has points of its own is little, and how much room lines take depends on the camera.
        let may_cull = own.is_none() && flags & PIXEL_RADII == 0 && culling::is_supported(scene.gpu);
        let is_culled = |count: usize| may_cull && count.saturating_mul(copies as usize) >= culling::FEWEST;
        if is_culled(spheres.len()) {
            chunks::sort(&mut spheres, places);
        }
        if is_culled(cylinders.len()) {
            chunks::sort(&mut cylinders, places);
        }
        let mut add = |primitive, bytes: &[u8], count: usize, vertices: u32, chunks: Option<Chunks>| {
            if count > 0 {
                let buffer = storage(scene.gpu, "instances", bytes, usage);
                let culled = chunks.map(|chunks| {
                    let positions = (places, positions);
                    let culled = Culled::new(scene.gpu, chunks, positions, &buffer, (copies, scene.copies_buffer));
                    let groups =
                        [0, 1].map(|phase| scene.group(&self.uniform, positions.1, colors, &culled.lists[phase]));
                    (culled, groups)
                });
                self.draws.push(Draw {
                    primitive,
                    count: (count as u32).saturating_mul(vertices),
                    copies,
                    group: scene.group(&self.uniform, positions, colors, &buffer),
                    mesh: None,
                    culled,
                });
            }
        };
        let count = cylinders.len();
        let held = is_culled(count).then(|| Chunks::Cylinders(cylinders.clone()));
        add(Primitive::Cylinders, bytemuck::cast_slice(&cylinders), count, 18, held);
        let count = spheres.len();
        let fills = matches!(self.source.shape, Shape::Spheres { .. });
        let kind = if fills { Chunks::Spheres } else { Chunks::Ends };
        let held = is_culled(count).then(|| kind(spheres.clone()));
        add(Primitive::Spheres, bytemuck::cast_slice(&spheres), count, 6, held);
    }

    /// How a surface is drawn.
    fn surface_flags(&self) -> u32 {
        let Shape::Surface(style) = &self.source.shape else { return 0 };
        let by_potential = matches!(self.source.coloring, Coloring::Electrostatics { .. });
        let flags = [(style.net, NET), (by_potential, BY_POTENTIAL), (style.of.is_some(), FRONT_ONLY)];
        flags.into_iter().filter(|(wanted, _)| *wanted).fold(0, |all, (_, flag)| all | flag)
    }

    fn write_uniform(&mut self, scene: &Surroundings<'_>) {
        let value = DrawUniform {
            first_atom: scene.first_atom,
            flags: self.flags,
            opacity: if self.source.opacity.is_finite() { self.source.opacity.clamp(0.0, 1.0) } else { 1.0 },
            potential_range: match self.source.coloring {
                Coloring::Electrostatics { range } if range.is_finite() => range.max(1e-3),
                _ => 1.0,
            },
            atom_count: scene.object.positions.len() as u32,
            unused: [0; 3],
        };
        if self.uniform_value != Some(value) {
            scene.gpu.queue.write_buffer(&self.uniform, 0, bytemuck::bytes_of(&value));
            self.uniform_value = Some(value);
        }
    }

    /// What the representation wants built.
    fn wanted(&self, scene: &Surroundings<'_>) -> Option<Source> {
        let topology = Arc::clone(&scene.object.topology);
        let positions = Arc::clone(&scene.object.positions);
        let atoms = self.source.atoms.clone();
        match &self.source.shape {
            Shape::Cartoon(style) => Some(Source::Cartoon(CartoonSource {
                topology,
                positions,
                kinds: scene.object.ribbon_kinds.clone(),
                shared_kinds: Arc::clone(scene.kinds),
                atoms,
                tethers: tethers(scene.object),
                style: style.clone(),
            })),
            Shape::Glycans { size } => Some(Source::Glycans(GlycanSource { topology, positions, atoms, size: *size })),
            Shape::Surface(style) => Some(Source::Surface(SurfaceSource {
                topology,
                positions,
                atoms,
                style: style.clone(),
                potential: matches!(self.source.coloring, Coloring::Electrostatics { .. }),
            })),
            _ => None,
        }
    }

    /// Takes what is finished, begins what is missing. Returns whether something is being built.
    fn update_built(&mut self, scene: &Surroundings<'_>, waker: &Waker, wait: bool) -> Result<bool, ViewerError> {
        let Some(wanted) = self.wanted(scene) else { return Ok(false) };
        if let Some(job) = self.job.take() {
            match job.take() {
                Some((source, built)) => self.take_built(scene, source, built)?,
                None if !wait => self.job = Some(job),
                None => {}
            }
        }
        let current = self.built.as_ref().is_some_and(|built| built.source.is_same(&wanted));
        if !current && self.job.is_none() {
            if wait {
                let built = wanted.build(scene.gpu, &AtomicBool::new(false));
                self.take_built(scene, wanted, built)?;
            } else {
                self.job = Some(Job::start(wanted, scene.gpu, waker));
            }
        }
        Ok(self.job.is_some())
    }

    /// What could not be built is empty from then on, and is not tried again until something changes.
    fn take_built(
        &mut self,
        scene: &Surroundings<'_>,
        source: Source,
        built: Result<Built, ViewerError>,
    ) -> Result<(), ViewerError> {
        let (built, failure) = match built {
            Ok(built) => (built, Ok(())),
            Err(error) => (Built::Surface(Vec::new(), 0), Err(error)),
        };
        let gpu = scene.gpu;
        let (buffers, count) = match &built {
            Built::Mesh(mesh) => (
                (
                    storage(gpu, "mesh vertices", bytemuck::cast_slice(&mesh.vertices), wgpu::BufferUsages::VERTEX),
                    Some(storage(gpu, "mesh indices", bytemuck::cast_slice(&mesh.indices), wgpu::BufferUsages::INDEX)),
                ),
                mesh.indices.len() as u32,
            ),
            Built::Surface(words, triangles) => (
                (storage(gpu, "surface", bytemuck::cast_slice(words), wgpu::BufferUsages::STORAGE), None),
                triangles.saturating_mul(3),
            ),
        };
        self.built = Some(BuiltBuffers { source, buffers, count });
        self.make_draws(scene);
        self.write_uniform(scene);
        failure
    }
}

/// Whether workers build the shape.
fn is_built(shape: &Shape) -> bool {
    matches!(shape, Shape::Cartoon(_) | Shape::Surface(_) | Shape::Glycans { .. })
}

/// The atoms of an object's visible sticks, balls and lines.
fn tethers(object: &Object) -> Vec<AtomSelection> {
    object
        .representations
        .iter()
        .filter(|other| {
            other.visible
                && matches!(other.shape, Shape::Sticks { .. } | Shape::BallAndStick { .. } | Shape::Lines { .. })
        })
        .map(|other| other.atoms.clone())
        .collect()
}

pub(crate) fn is_transparent(representation: &Representation) -> bool {
    representation.opacity < 0.995
}

fn check(gpu: &Gpu, object: &Object) -> Result<(), ViewerError> {
    let atoms = object.topology.atoms.len();
    if object.positions.len() != atoms {
        return Err(ViewerError::Mismatch { object: object.id, positions: object.positions.len(), atoms });
    }
    let limits = gpu.device.limits();
    // Cylinders are the largest list: about one and a half for each atom.
    let bytes = limits.max_storage_buffer_binding_size.min(limits.max_buffer_size);
    let limit = (bytes / 64).min(u64::from(u32::MAX / 2)) as usize;
    let all = atoms.saturating_mul(object.places().len());
    if atoms > limit || all > u32::MAX as usize / 2 {
        return Err(ViewerError::TooManyAtoms { object: object.id, atoms, limit });
    }
    Ok(())
}
