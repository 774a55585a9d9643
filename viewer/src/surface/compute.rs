//! The passes of `shaders/surface/` in their order, and reading back what they found.
//!
//! Every pass that needs room for what it writes is preceded by one that counts; running sums of the counts give each
//! invocation its place. So nothing depends on which invocation comes first, and equal input gives equal output to the
//! bit on one adapter.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;

use bytemuck::{Pod, Zeroable};
use glam::{UVec3, UVec4, Vec3, Vec4};

use super::SurfaceKind;
use super::sorted::Sorted;
use crate::error::ViewerError;
use crate::gpu::Gpu;
use crate::shaders;

/// `Grid` of `surface/grid.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
struct GridUniform {
    origin: Vec4,
    points: UVec4,
    cell_origin: Vec4,
    cells: UVec4,
    shape: Vec4,
    range: UVec4,
}

/// `Vertex` of `surface/vertex.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
pub(super) struct ComputedVertex {
    pub position: [f32; 3],
    pub normal: u32,
    /// Index among the sorted atoms.
    pub atom: u32,
    /// kcal/(mol e).
    pub potential: f32,
    /// 1: more than one sheet may pass through its cell.
    pub has_sheets: u32,
}

/// What is to be computed.
pub(super) struct Request<'a> {
    pub atoms: &'a Sorted,
    pub kind: SurfaceKind,
    /// Lowest corner of the grid, Å.
    pub origin: Vec3,
    /// Å.
    pub spacing: f32,
    pub points: UVec3,
    /// Places and charges (e); without any no potential is computed.
    pub charges: &'a [[f32; 4]],
    /// Set from elsewhere when nobody wants the surface any more.
    pub cancelled: &'a AtomicBool,
}

/// Bytes of an arc in `surface/arcs.wgsl`.
const ARC_BYTES: u64 = 48;
/// Invocations of a workgroup.
const WORKGROUP: u32 = 64;
/// Values that one workgroup of `running_sum.wgsl` sums.
const SUM_BLOCK: u64 = 1024;
/// On a software adapter a submission does about so much work (point and atom pairs, roughly), so that the window's own
/// come between.
const SOFTWARE_ITEMS: u32 = 1 << 17;
/// On others, so that no watchdog is woken.
const DEVICE_ITEMS: u32 = 1 << 25;

/// The buffers by their binding numbers, as in `surface/grid.wgsl`.
const ATOMS: usize = 1;
const CELL_STARTS: usize = 2;
const PAIR_STARTS: usize = 3;
const PAIRS: usize = 4;
const ARC_COUNTS: usize = 5;
const ARCS: usize = 6;
const FIELD: usize = 7;
const VERTICES: usize = 8;
const COUNTS: usize = 9;
const TRIANGLES: usize = 10;
const CHARGES: usize = 11;
const BINDINGS: usize = 12;

/// A compute pipeline with the buffers that it binds besides the grid.
#[derive(Debug)]
struct Pass {
    pipeline: wgpu::ComputePipeline,
    bindings: &'static [usize],
}

/// Made once for a device.
#[derive(Debug)]
pub(crate) struct SurfacePipelines {
    count_arcs: Pass,
    write_arcs: Pass,
    excluded_field: Pass,
    excluded_vertices: Pass,
    gaussian_field: Pass,
    gaussian_vertices: Pass,
    count_net: Pass,
    write_vertices: Pass,
    write_triangles: Pass,
    potential: Pass,
    sum_blocks: wgpu::ComputePipeline,
    add_totals: wgpu::ComputePipeline,
}

impl SurfacePipelines {
    pub fn new(device: &wgpu::Device) -> Self {
        let make = |module: &wgpu::ShaderModule, entry_point: &str| {
            device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
                label: Some(entry_point),
                layout: None,
                module,
                entry_point: Some(entry_point),
                compilation_options: wgpu::PipelineCompilationOptions::default(),
                cache: None,
            })
        };
        let module = |name: &str| shaders::module(device, name);
        let pass = |module: &wgpu::ShaderModule, entry_point: &str, bindings: &'static [usize]| Pass {
            pipeline: make(module, entry_point),
            bindings,
        };
        let arcs = module("surface/arcs.wgsl");
        let excluded = module("surface/excluded.wgsl");
        let gaussian = module("surface/gaussian.wgsl");
        let net = module("surface/net.wgsl");
        let potential = module("surface/potential.wgsl");
        let sums = module("surface/running_sum.wgsl");
        Self {
            count_arcs: pass(&arcs, "count_arcs", &[ATOMS, PAIR_STARTS, PAIRS, ARC_COUNTS]),
            write_arcs: pass(&arcs, "write_arcs", &[ATOMS, PAIR_STARTS, PAIRS, ARC_COUNTS, ARCS]),
            excluded_field: pass(
                &excluded,
                "excluded_field",
                &[ATOMS, CELL_STARTS, PAIR_STARTS, PAIRS, ARC_COUNTS, ARCS, FIELD],
            ),
            excluded_vertices: pass(
                &excluded,
                "excluded_vertices",
                &[ATOMS, CELL_STARTS, PAIR_STARTS, PAIRS, ARC_COUNTS, ARCS, VERTICES],
            ),
            gaussian_field: pass(&gaussian, "gaussian_field", &[ATOMS, CELL_STARTS, FIELD]),
            gaussian_vertices: pass(&gaussian, "gaussian_vertices", &[ATOMS, CELL_STARTS, VERTICES]),
            count_net: pass(&net, "count_net", &[FIELD, COUNTS]),
            write_vertices: pass(&net, "write_vertices", &[FIELD, COUNTS, VERTICES]),
            write_triangles: pass(&net, "write_triangles", &[FIELD, COUNTS, VERTICES, TRIANGLES]),
            potential: pass(&potential, "potential_of_vertices", &[VERTICES, CHARGES]),
            sum_blocks: make(&sums, "sum_blocks"),
            add_totals: make(&sums, "add_totals"),
        }
    }
}

/// Vertices, and triangles of which two of a quadrilateral lie together.
type Net = (Vec<ComputedVertex>, Vec<u32>);

const DOING: &str = "computing a surface";

/// Vertices and triangles (two of a quadrilateral together) of a surface; `None` when it was cancelled.
///
/// # Errors
/// When memory runs out, or the device is lost or refuses.
pub(super) fn compute(gpu: &Gpu, request: &Request<'_>) -> Result<Option<Net>, ViewerError> {
    if request.atoms.balls.is_empty() {
        return Ok(Some((Vec::new(), Vec::new())));
    }
    gpu.guarded(DOING, |gpu| Run::new(gpu, request).all())
}

struct Run<'a> {
    gpu: &'a Gpu,
    request: &'a Request<'a>,
    pipelines: &'a SurfacePipelines,
    grid: GridUniform,
    uniform: wgpu::Buffer,
    buffers: [Option<wgpu::Buffer>; BINDINGS],
}

impl<'a> Run<'a> {
    fn new(gpu: &'a Gpu, request: &'a Request<'a>) -> Self {
        let atoms = request.atoms;
        let points = request.points;
        let (probe, sharpness) = match request.kind {
            SurfaceKind::SolventExcluded { probe } => (probe, 0.0),
            SurfaceKind::Gaussian { sharpness } => (0.0, sharpness),
        };
        let grid = GridUniform {
            origin: request.origin.extend(request.spacing),
            points: points.extend(points.element_product()),
            cell_origin: atoms.origin.extend(atoms.edge),
            cells: atoms.cells.extend(atoms.balls.len() as u32),
            // Corners of a cell that the surface cuts lie as far from it as its diagonal is long.
            shape: Vec4::new(probe, 1.8 * request.spacing, sharpness, 0.0),
            range: UVec4::ZERO,
        };
        let mut run = Self {
            gpu,
            request,
            pipelines: gpu.surface_pipelines(),
            grid,
            uniform: gpu.device.create_buffer(&wgpu::BufferDescriptor {
                label: Some("surface grid"),
                size: size_of::<GridUniform>() as u64,
                usage: wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST,
                mapped_at_creation: false,
            }),
            buffers: [const { None }; BINDINGS],
        };
        let balls: Vec<[f32; 4]> = atoms.balls.iter().map(|ball| ball.center.extend(ball.radius).to_array()).collect();
        run.upload(ATOMS, bytemuck::cast_slice(&balls));
        run.upload(CELL_STARTS, bytemuck::cast_slice(&atoms.cell_starts));
        run
    }

    fn all(mut self) -> Result<Option<Net>, ViewerError> {
        match self.steps() {
            Ok(found) => Ok(Some(found)),
            Err(Stop::Cancelled) => Ok(None),
            Err(Stop::Failed(error)) => Err(error),
        }
    }

    fn steps(&mut self) -> Result<Net, Stop> {
        let pipelines = self.pipelines;
        let points = u64::from(self.grid.points.w);
        let excluded = matches!(self.request.kind, SurfaceKind::SolventExcluded { .. });
        if excluded {
            self.arcs()?;
        }
        self.reserve(FIELD, points * 4);
        let field = if excluded { &pipelines.excluded_field } else { &pipelines.gaussian_field };
        self.dispatch(field, points as u32, 1)?;
        self.reserve(COUNTS, (points + 1) * 8);
        self.dispatch(&pipelines.count_net, points as u32, 32)?;
        self.running_sums(COUNTS, points + 1)?;
        let [vertices, quadrilaterals] = self.last_pair(COUNTS, points)?;
        if vertices == 0 || quadrilaterals == 0 {
            return Ok((Vec::new(), Vec::new()));
        }
        let vertex_bytes = u64::from(vertices) * size_of::<ComputedVertex>() as u64;
        let triangle_bytes = u64::from(quadrilaterals) * 24;
        self.reserve(VERTICES, vertex_bytes);
        self.reserve(TRIANGLES, triangle_bytes);
        self.dispatch(&pipelines.write_vertices, points as u32, 32)?;
        let refine = if excluded { &pipelines.excluded_vertices } else { &pipelines.gaussian_vertices };
        self.dispatch(refine, vertices, 1)?;
        if !self.request.charges.is_empty() {
            self.upload(CHARGES, bytemuck::cast_slice(self.request.charges));
            let each = (self.request.charges.len() as u32 / 512).max(1);
            self.dispatch_sized(&pipelines.potential, vertices, (SOFTWARE_ITEMS / each).max(WORKGROUP))?;
        }
        self.dispatch(&pipelines.write_triangles, points as u32, 32)?;
        let vertices: Vec<u8> = self.read(VERTICES, 0, vertex_bytes)?;
        let triangles: Vec<u8> = self.read(TRIANGLES, 0, triangle_bytes)?;
        Ok((bytemuck::pod_collect_to_vec(&vertices), bytemuck::pod_collect_to_vec(&triangles)))
    }

    /// The creases of the solvent-accessible surface.
    fn arcs(&mut self) -> Result<(), Stop> {
        let pipelines = self.pipelines;
        let (starts, pairs) = self.request.atoms.meeting();
        self.upload(PAIR_STARTS, bytemuck::cast_slice(&starts));
        self.upload(PAIRS, bytemuck::cast_slice(&pairs));
        let count = pairs.len() as u64;
        self.reserve(ARC_COUNTS, (count + 1) * 8);
        self.dispatch(&pipelines.count_arcs, count as u32, 1)?;
        self.running_sums(ARC_COUNTS, count + 1)?;
        let [arcs, _] = self.last_pair(ARC_COUNTS, count)?;
        self.reserve(ARCS, u64::from(arcs) * ARC_BYTES);
        self.dispatch(&pipelines.write_arcs, count as u32, 8)
    }

    /// An empty buffer at a binding, all zero; never of no size, which bindings may not be.
    fn reserve(&mut self, binding: usize, bytes: u64) {
        self.buffers[binding] = Some(self.gpu.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("surface"),
            size: bytes.next_multiple_of(16).max(ARC_BYTES),
            usage: wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::COPY_SRC,
            mapped_at_creation: false,
        }));
    }

    fn upload(&mut self, binding: usize, bytes: &[u8]) {
        // As long as the contents: shaders ask for the length of some.
        let size = (bytes.len() as u64).next_multiple_of(4).max(16);
        let buffer = self.gpu.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("surface input"),
            size,
            usage: wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        if !bytes.is_empty() {
            self.gpu.queue.write_buffer(&buffer, 0, bytes);
        }
        self.buffers[binding] = Some(buffer);
    }

    fn buffer(&self, binding: usize) -> Result<&wgpu::Buffer, Stop> {
        self.buffers[binding].as_ref().ok_or_else(|| refused("a pass came before its input"))
    }

    /// Runs a pass over `items`; `light` says how many items are as much work as one of the heaviest passes.
    fn dispatch(&self, pass: &Pass, items: u32, light: u32) -> Result<(), Stop> {
        self.dispatch_sized(pass, items, SOFTWARE_ITEMS * light)
    }

    fn dispatch_sized(&self, pass: &Pass, items: u32, software_items: u32) -> Result<(), Stop> {
        let software = self.gpu.is_software();
        let each = if software { software_items } else { DEVICE_ITEMS };
        let mut entries = vec![wgpu::BindGroupEntry { binding: 0, resource: self.uniform.as_entire_binding() }];
        for &binding in pass.bindings {
            let resource = self.buffer(binding)?.as_entire_binding();
            entries.push(wgpu::BindGroupEntry { binding: binding as u32, resource });
        }
        let group = self.group(&pass.pipeline, &entries);
        let mut first = 0;
        while first < items {
            if self.request.cancelled.load(Ordering::Relaxed) {
                return Err(Stop::Cancelled);
            }
            let end = items.min(first.saturating_add(each));
            let grid = GridUniform { range: UVec4::new(first, end, 0, 0), ..self.grid };
            self.gpu.queue.write_buffer(&self.uniform, 0, bytemuck::bytes_of(&grid));
            self.submit(&pass.pipeline, &group, u64::from(end - first).div_ceil(u64::from(WORKGROUP)));
            if software {
                self.gpu.wait()?;
            }
            first = end;
        }
        Ok(())
    }

    fn group(&self, pipeline: &wgpu::ComputePipeline, entries: &[wgpu::BindGroupEntry<'_>]) -> wgpu::BindGroup {
        self.gpu.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some("surface"),
            layout: &pipeline.get_bind_group_layout(0),
            entries,
        })
    }

    fn submit(&self, pipeline: &wgpu::ComputePipeline, group: &wgpu::BindGroup, workgroups: u64) {
        let mut encoder =
            self.gpu.device.create_command_encoder(&wgpu::CommandEncoderDescriptor { label: Some("surface") });
        let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
        pass.set_pipeline(pipeline);
        pass.set_bind_group(0, group, &[]);
        // No more than 65,535 to a dimension.
        let wide = workgroups.clamp(1, 32_768);
        pass.dispatch_workgroups(wide as u32, workgroups.div_ceil(wide) as u32, 1);
        drop(pass);
        self.gpu.queue.submit([encoder.finish()]);
    }

    /// Replaces the pairs of numbers at a binding by the sums of those before them.
    fn running_sums(&self, binding: usize, length: u64) -> Result<(), Stop> {
        let mut levels = Vec::new();
        let mut length = length;
        loop {
            let blocks = length.div_ceil(SUM_BLOCK);
            levels.push((
                blocks,
                self.gpu.device.create_buffer(&wgpu::BufferDescriptor {
                    label: Some("totals"),
                    size: (blocks * 8).max(16),
                    usage: wgpu::BufferUsages::STORAGE,
                    mapped_at_creation: false,
                }),
            ));
            if blocks <= 1 {
                break;
            }
            length = blocks;
        }
        let mut values = self.buffer(binding)?;
        let mut sums = Vec::new();
        for (blocks, totals) in &levels {
            let groups = [&self.pipelines.sum_blocks, &self.pipelines.add_totals].map(|pipeline| {
                let entries = [(0, values), (1, totals)]
                    .map(|(binding, buffer)| wgpu::BindGroupEntry { binding, resource: buffer.as_entire_binding() });
                (pipeline, self.group(pipeline, &entries))
            });
            let [(first, group), later] = groups;
            self.submit(first, &group, *blocks);
            sums.push((later, *blocks));
            values = totals;
        }
        // The last level is a single block, whose sums begin at nothing.
        sums.pop();
        for ((pipeline, group), blocks) in sums.iter().rev() {
            self.submit(pipeline, group, *blocks);
        }
        Ok(())
    }

    /// The pair of numbers at a place of a binding.
    fn last_pair(&self, binding: usize, index: u64) -> Result<[u32; 2], Stop> {
        let bytes = self.read(binding, index * 8, 8)?;
        Ok(bytemuck::pod_read_unaligned(&bytes))
    }

    fn read(&self, binding: usize, offset: u64, size: u64) -> Result<Vec<u8>, Stop> {
        let staging = self.gpu.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("surface read back"),
            size,
            usage: wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        let mut encoder =
            self.gpu.device.create_command_encoder(&wgpu::CommandEncoderDescriptor { label: Some("surface") });
        encoder.copy_buffer_to_buffer(self.buffer(binding)?, offset, &staging, 0, size);
        self.gpu.queue.submit([encoder.finish()]);
        let (sender, receiver) = mpsc::channel();
        staging.map_async(wgpu::MapMode::Read, .., move |result| {
            // The receiver outlives the wait below.
            let _ = sender.send(result);
        });
        self.gpu.wait()?;
        receiver.recv().map_err(|_| refused("no answer"))?.map_err(|error| refused(&error.to_string()))?;
        let mapped = staging.get_mapped_range(..).map_err(|error| refused(&error.to_string()))?;
        Ok(mapped.to_vec())
    }
}

/// Why there is no surface.
enum Stop {
    Cancelled,
    Failed(ViewerError),
}

impl From<ViewerError> for Stop {
    fn from(error: ViewerError) -> Self {
        Self::Failed(error)
    }
}

fn refused(reason: &str) -> Stop {
    Stop::Failed(ViewerError::Refused { doing: DOING, reason: reason.into() })
}
