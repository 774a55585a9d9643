//! Objects of the scene on the device: what was uploaded, and what must be uploaded again.
//!
//! Everything heavy in a scene is behind an `Arc`. This cache keeps a clone of each `Arc` it uploaded, so an address
//! cannot be used again while it is remembered, and two equal addresses mean equal contents.

use std::collections::{HashMap, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, mpsc};

use glam::Vec3;
use kfold_molecule::Topology;

use crate::camera::bounding_sphere;
use crate::color::{Coloring, ColoringInput, atom_colors};
use crate::error::ViewerError;
use crate::geometry::cartoon;
use crate::geometry::mesh::Mesh;
use crate::geometry::{Instances, instances};
use crate::gpu::Gpu;
use crate::renderer::Waker;
use crate::renderer::pipelines::Pipelines;
use crate::renderer::uniforms::DrawUniform;
use crate::ribbon::{self, RibbonKind};
use crate::scene::{AtomSelection, CartoonStyle, Object, ObjectId, Representation, Scene, Shape};

/// Shapes of an object's residues, computed by whoever needs them first.
pub(crate) type SharedKinds = Arc<OnceLock<Vec<RibbonKind>>>;

/// What one draw call draws.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Primitive {
    Spheres,
    Cylinders,
    Mesh,
}

/// One draw call.
pub(crate) struct Draw {
    pub primitive: Primitive,
    /// Vertices, or indices of a mesh.
    pub count: u32,
    pub group: wgpu::BindGroup,
    pub mesh: Option<(wgpu::Buffer, wgpu::Buffer)>,
}

/// What a cartoon is made of.
#[derive(Clone)]
struct CartoonSource {
    topology: Arc<Topology>,
    positions: Arc<Vec<Vec3>>,
    kinds: Option<Arc<Vec<RibbonKind>>>,
    shared_kinds: SharedKinds,
    atoms: AtomSelection,
    /// Atoms drawn as sticks or balls besides: the ribbon is joined to them where it passes by.
    tethers: Vec<AtomSelection>,
    style: CartoonStyle,
}

impl CartoonSource {
    fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.topology, &other.topology)
            && Arc::ptr_eq(&self.positions, &other.positions)
            && same_arc(self.kinds.as_ref(), other.kinds.as_ref())
            && self.atoms == other.atoms
            && self.tethers == other.tethers
            && self.style == other.style
    }

    fn build(&self) -> Mesh {
        let kinds = match &self.kinds {
            Some(kinds) => kinds,
            None => self.shared_kinds.get_or_init(|| ribbon::assign(&self.topology, &self.positions)),
        };
        cartoon::build(&self.topology, &self.positions, kinds, &self.atoms, &self.tethers, &self.style)
    }
}

/// A cartoon on its way. While one is built no other is begun for the same representation, so that a trajectory played
/// faster than its cartoons are built does not queue them up.
struct Job {
    source: CartoonSource,
    receiver: mpsc::Receiver<Mesh>,
    done: Arc<AtomicBool>,
}

impl Job {
    fn start(source: CartoonSource, waker: &Waker) -> Self {
        let (sender, receiver) = mpsc::channel();
        let done = Arc::new(AtomicBool::new(false));
        let (work, finished, waker) = (source.clone(), Arc::clone(&done), Arc::clone(waker));
        rayon::spawn(move || {
            // A panic in the pool would end the program; a missing cartoon does not.
            let mesh = catch_unwind(AssertUnwindSafe(|| work.build())).unwrap_or_default();
            // The receiver may be gone: the representation was removed meanwhile.
            let _ = sender.send(mesh);
            finished.store(true, Ordering::Release);
            waker();
        });
        Self { source, receiver, done }
    }
}

/// A mesh on the device.
struct MeshBuffers {
    source: CartoonSource,
    vertices: wgpu::Buffer,
    indices: wgpu::Buffer,
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
    mesh: Option<MeshBuffers>,
}

/// Buffers of one object.
struct ObjectCache {
    topology: Arc<Topology>,
    positions: Arc<Vec<Vec3>>,
    b_factors: Arc<Vec<f32>>,
    positions_buffer: wgpu::Buffer,
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
    pub count: u32,
}

/// All objects of a scene on the device.
#[derive(Default)]
pub(crate) struct Objects {
    caches: HashMap<ObjectId, ObjectCache>,
    /// Visible objects in order.
    pub numbers: Vec<NumberRange>,
}

/// A storage buffer with these bytes; never empty, which bindings may not be.
fn storage(gpu: &Gpu, label: &str, bytes: &[u8], usage: wgpu::BufferUsages) -> wgpu::Buffer {
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
    /// Brings the device up to date with the scene. Returns whether cartoons are still being built.
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
            self.numbers.push(NumberRange { object: object.id, first, count });
            let cache = self.caches.entry(object.id).or_insert_with(|| ObjectCache::new(gpu, object));
            if !Arc::ptr_eq(&cache.topology, &object.topology) {
                *cache = ObjectCache::new(gpu, object);
            }
            pending |= cache.update(gpu, pipelines, object, first, waker, wait);
            first = first.saturating_add(count);
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
                    Shape::Box(bounds) => spheres.push((bounds.center, 0.5 * bounds.size.length() + 1.0)),
                    Shape::Spheres { scale } => largest = largest.max(4.0 * scale),
                    Shape::BallAndStick { ball_scale, stick_radius } => {
                        largest = largest.max(4.0 * ball_scale).max(3.0 * stick_radius);
                    }
                    Shape::Sticks { radius, .. } => largest = largest.max(3.0 * radius),
                    Shape::Cartoon(style) => largest = largest.max(2.0 * style.width * style.arrow),
                    Shape::Lines { .. } => {}
                }
            }
            spheres.push((center, radius + largest));
        }
        spheres
    }

    /// Whether a cartoon that is being built has come in since the last update.
    pub fn has_news(&self) -> bool {
        self.caches
            .values()
            .flat_map(|cache| &cache.representations)
            .any(|representation| representation.job.as_ref().is_some_and(|job| job.done.load(Ordering::Acquire)))
    }
}

fn same_arc<T>(a: Option<&Arc<T>>, b: Option<&Arc<T>>) -> bool {
    match (a, b) {
        (None, None) => true,
        (Some(a), Some(b)) => Arc::ptr_eq(a, b),
        _ => false,
    }
}

impl ObjectCache {
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
            bounds: bounding_sphere(&object.positions),
            kinds: SharedKinds::default(),
            representations: Vec::new(),
        }
    }

    /// Brings the representations up to date; returns whether a cartoon is still being built.
    fn update(
        &mut self,
        gpu: &Gpu,
        pipelines: &Pipelines,
        object: &Object,
        first_atom: u32,
        waker: &Waker,
        wait: bool,
    ) -> bool {
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
                first_atom,
            };
            match self.representations.get_mut(index) {
                Some(held) => held.refresh(&scene, wanted, moved, recolored),
                None => self.representations.push(RepresentationCache::new(&scene, wanted)),
            }
            if let Some(held) = self.representations.get_mut(index) {
                held.write_uniform(gpu, first_atom);
                if wanted.visible {
                    pending |= held.update_cartoon(&scene, waker, wait);
                }
            }
        }
        pending
    }
}

/// What the buffers of a representation are made of.
struct Surroundings<'a> {
    gpu: &'a Gpu,
    pipelines: &'a Pipelines,
    object: &'a Object,
    kinds: &'a SharedKinds,
    positions_buffer: &'a wgpu::Buffer,
    first_atom: u32,
}

impl Surroundings<'_> {
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
        let entries = [(0, uniform), (1, positions), (2, colors), (3, instances)]
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
            mesh: None,
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
        if shape_changed && !matches!((&self.source.shape, &wanted.shape), (Shape::Cartoon(_), Shape::Cartoon(_))) {
            self.mesh = None;
            self.job = None;
        }
        self.kinds = scene.object.ribbon_kinds.clone();
        self.source = wanted.clone();
        if colors_changed {
            self.colors = scene.colors(&wanted.coloring);
        }
        if colors_changed || shape_changed {
            self.make_draws(scene);
        }
    }

    /// Draw calls from the representation and, for cartoons, the mesh at hand.
    fn make_draws(&mut self, scene: &Surroundings<'_>) {
        self.draws.clear();
        if let Some(mesh) = &self.mesh {
            self.flags = 0;
            if mesh.count > 0 {
                self.draws.push(Draw {
                    primitive: Primitive::Mesh,
                    count: mesh.count,
                    group: scene.group(&self.uniform, scene.positions_buffer, &self.colors, scene.positions_buffer),
                    mesh: Some((mesh.vertices.clone(), mesh.indices.clone())),
                });
            }
            return;
        }
        let Instances { spheres, cylinders, flags, points } =
            instances(&self.source.shape, &self.source.atoms, &scene.object.topology, &self.source.coloring);
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
        let mut add = |primitive, bytes: &[u8], count: usize, vertices: u32| {
            if count > 0 {
                let buffer = storage(scene.gpu, "instances", bytes, usage);
                self.draws.push(Draw {
                    primitive,
                    count: (count as u32).saturating_mul(vertices),
                    group: scene.group(&self.uniform, positions, colors, &buffer),
                    mesh: None,
                });
            }
        };
        add(Primitive::Cylinders, bytemuck::cast_slice(&cylinders), cylinders.len(), 18);
        add(Primitive::Spheres, bytemuck::cast_slice(&spheres), spheres.len(), 6);
    }

    fn write_uniform(&mut self, gpu: &Gpu, first_atom: u32) {
        let value = DrawUniform {
            first_atom,
            flags: self.flags,
            opacity: if self.source.opacity.is_finite() { self.source.opacity.clamp(0.0, 1.0) } else { 1.0 },
            unused: 0,
        };
        if self.uniform_value != Some(value) {
            gpu.queue.write_buffer(&self.uniform, 0, bytemuck::bytes_of(&value));
            self.uniform_value = Some(value);
        }
    }

    /// Takes a finished cartoon, begins a missing one. Returns whether one is being built.
    fn update_cartoon(&mut self, scene: &Surroundings<'_>, waker: &Waker, wait: bool) -> bool {
        let Shape::Cartoon(style) = self.source.shape else { return false };
        let wanted = CartoonSource {
            topology: Arc::clone(&scene.object.topology),
            positions: Arc::clone(&scene.object.positions),
            kinds: scene.object.ribbon_kinds.clone(),
            shared_kinds: Arc::clone(scene.kinds),
            atoms: self.source.atoms.clone(),
            tethers: tethers(scene.object),
            style,
        };
        if let Some(job) = self.job.take() {
            match job.receiver.try_recv() {
                Ok(mesh) => self.take_mesh(scene, job.source, &mesh),
                Err(mpsc::TryRecvError::Empty) if !wait => self.job = Some(job),
                // The pool was shut down: an empty mesh stands for what will not come.
                Err(mpsc::TryRecvError::Disconnected) => self.take_mesh(scene, job.source, &Mesh::default()),
                Err(mpsc::TryRecvError::Empty) => {}
            }
        }
        let current = self.mesh.as_ref().is_some_and(|mesh| mesh.source.is_same(&wanted));
        if !current && self.job.is_none() {
            if wait {
                let mesh = wanted.build();
                self.take_mesh(scene, wanted, &mesh);
            } else {
                self.job = Some(Job::start(wanted, waker));
            }
        }
        self.job.is_some()
    }

    fn take_mesh(&mut self, scene: &Surroundings<'_>, source: CartoonSource, mesh: &Mesh) {
        self.mesh = Some(MeshBuffers {
            source,
            vertices: storage(
                scene.gpu,
                "mesh vertices",
                bytemuck::cast_slice(&mesh.vertices),
                wgpu::BufferUsages::VERTEX,
            ),
            indices: storage(scene.gpu, "mesh indices", bytemuck::cast_slice(&mesh.indices), wgpu::BufferUsages::INDEX),
            count: mesh.indices.len() as u32,
        });
        self.make_draws(scene);
        self.write_uniform(scene.gpu, scene.first_atom);
    }
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
    if atoms > limit {
        return Err(ViewerError::TooManyAtoms { object: object.id, atoms, limit });
    }
    Ok(())
}
