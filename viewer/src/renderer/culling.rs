//! Leaving out impostors that nobody sees (`shaders/impostors/culling.wgsl` says how).
//!
//! Pictures to keep are drawn without: lists filled by many threads have no fixed order, and equal scenes must give equal
//! pixels even where two spheres are equally deep.

use glam::Vec3;

use crate::geometry::chunks;
use crate::gpu::Gpu;
use crate::renderer::objects::storage;
use crate::renderer::pipelines::{Cull, Pipelines};
use crate::renderer::targets::Target;
use crate::renderer::uniforms::{CylinderInstance, SphereInstance};
use crate::renderer::visibility::VisibilityPipelines;

/// Fewer impostors than this, in all copies together, are drawn as they are.
pub(crate) const FEWEST: usize = 4096;
/// Storage buffers of the culling shaders.
const STORAGE_BUFFERS: u32 = 8;
/// Groups along one side of a dispatch.
const MOST_GROUPS: u32 = 65_535;
/// Pixels along the side of the smallest tiles; `TILE` of the shaders.
const TILE: u32 = 8;
/// Tiles along the side of a group of threads.
const GROUP_TILES: u32 = 8;
/// Bytes of a list: room for some five million spheres seen at once. More are left out of a picture.
const MOST_LIST_BYTES: u64 = 64 << 20;
/// `Arguments` of `impostors/culling.wgsl` before anything is found.
const EMPTY: [u32; 16] = [0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 1, 0, 0, 1, 1, 0];
/// What counts as seen before the first picture: every eighth. These hide most of the others from it.
const FIRST_SEEN: u32 = 0x0101_0101;

/// Whether a device can.
pub(crate) fn is_supported(gpu: &Gpu) -> bool {
    let limits = gpu.device.limits();
    limits.max_storage_buffers_per_shader_stage >= STORAGE_BUFFERS
        && limits.max_compute_invocations_per_workgroup >= 256
        && limits.max_compute_workgroups_per_dimension >= MOST_GROUPS
}

/// The farthest depth in each tile of the picture, and of tiles together.
pub(crate) struct Pyramid {
    grid: (u32, u32),
    buffer: wgpu::Buffer,
    group: wgpu::BindGroup,
}

impl Pyramid {
    pub fn new(gpu: &Gpu, pipelines: &Pipelines, size: (u32, u32), depth: &Target) -> Self {
        let grid = (size.0.div_ceil(TILE), size.1.div_ceil(TILE));
        let (mut level, mut count) = (grid, 1);
        while level != (1, 1) {
            count += u64::from(level.0) * u64::from(level.1);
            level = (level.0.div_ceil(2), level.1.div_ceil(2));
        }
        let buffer = gpu.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("depth pyramid"),
            size: (count * 4).next_multiple_of(16),
            usage: wgpu::BufferUsages::STORAGE,
            mapped_at_creation: false,
        });
        let group = gpu.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some("depth pyramid"),
            layout: &pipelines.pyramid_layout,
            entries: &[
                wgpu::BindGroupEntry { binding: 0, resource: wgpu::BindingResource::TextureView(&depth.view) },
                wgpu::BindGroupEntry { binding: 1, resource: buffer.as_entire_binding() },
            ],
        });
        Self { grid, buffer, group }
    }

    /// Fills it from the depth that is there.
    pub fn fill(&self, pass: &mut wgpu::ComputePass<'_>, pipelines: &Pipelines) {
        pass.set_bind_group(1, &self.group, &[]);
        pass.set_pipeline(&pipelines.pyramid_base);
        pass.dispatch_workgroups(self.grid.0.div_ceil(GROUP_TILES), self.grid.1.div_ceil(GROUP_TILES), 1);
        pass.set_pipeline(&pipelines.pyramid_levels);
        pass.dispatch_workgroups(1, 1, 1);
    }
}

/// Impostors in chunks.
pub(crate) enum Chunks {
    /// What fills space, and is thinned out where it is far.
    Spheres(Vec<SphereInstance>),
    /// Ends of sticks, and balls on them.
    Ends(Vec<SphereInstance>),
    Cylinders(Vec<CylinderInstance>),
}

impl Chunks {
    fn bytes_each(&self) -> u64 {
        match self {
            Self::Spheres(_) | Self::Ends(_) => size_of::<SphereInstance>() as u64,
            Self::Cylinders(_) => size_of::<CylinderInstance>() as u64,
        }
    }

    fn count(&self) -> usize {
        match self {
            Self::Spheres(spheres) | Self::Ends(spheres) => spheres.len(),
            Self::Cylinders(cylinders) => cylinders.len(),
        }
    }

    fn bounds(&self, positions: &[Vec3]) -> Vec<glam::Vec4> {
        match self {
            Self::Spheres(spheres) | Self::Ends(spheres) => chunks::bounds(spheres, positions),
            Self::Cylinders(cylinders) => chunks::bounds(cylinders, positions),
        }
    }
}

/// Lists of the impostors of one draw call that are drawn.
pub(crate) struct Culled {
    chunks: Chunks,
    copies: u32,
    /// Radius of the smallest sphere, Å; infinite for what is not drawn small.
    smallest: f32,
    /// Positions, copies, spheres around chunks, what was seen, arguments.
    buffers: [wgpu::Buffer; 5],
    instances: wgpu::Buffer,
    /// What the first and the second phase draw.
    pub lists: [wgpu::Buffer; 2],
}

impl Culled {
    /// Where the arguments of the dispatches over small spheres begin, bytes.
    pub const SMALL_ARGUMENTS: u64 = 32;

    /// `instances` holds the impostors in Morton order, of atoms at `positions`, in so many copies.
    pub fn new(
        gpu: &Gpu,
        chunks: Chunks,
        positions: (&[Vec3], &wgpu::Buffer),
        instances: &wgpu::Buffer,
        (copies, copies_buffer): (u32, &wgpu::Buffer),
    ) -> Self {
        let bounds = chunks.bounds(positions.0);
        let words = 2 * bounds.len() * copies as usize;
        let usage = wgpu::BufferUsages::STORAGE;
        let list = || {
            gpu.device.create_buffer(&wgpu::BufferDescriptor {
                label: Some("drawn impostors"),
                size: (chunks.count() as u64 * u64::from(copies) * chunks.bytes_each())
                    .min(MOST_LIST_BYTES - MOST_LIST_BYTES % chunks.bytes_each()),
                usage,
                mapped_at_creation: false,
            })
        };
        let buffers = [
            positions.1.clone(),
            copies_buffer.clone(),
            storage(gpu, "chunks", bytemuck::cast_slice(&bounds), usage),
            storage(gpu, "seen impostors", bytemuck::cast_slice(&vec![FIRST_SEEN; words]), usage),
            storage(gpu, "draw arguments", &[0; 64], usage | wgpu::BufferUsages::INDIRECT),
        ];
        let lists = [list(), list()];
        let smallest = match &chunks {
            Chunks::Spheres(spheres) | Chunks::Ends(spheres) => {
                spheres.iter().map(|sphere| sphere.radius).filter(|radius| *radius > 0.0).fold(f32::INFINITY, f32::min)
            }
            Chunks::Cylinders(_) => f32::INFINITY,
        };
        Self { chunks, copies, smallest, buffers, instances: instances.clone(), lists }
    }

    /// Takes over moved atoms. The order stays: chunks that come apart are found less often hidden, not wrongly so.
    pub fn take_positions(&self, gpu: &Gpu, positions: &[Vec3]) {
        gpu.queue.write_buffer(&self.buffers[2], 0, bytemuck::cast_slice(&self.chunks.bounds(positions)));
    }

    /// Arguments of the draw of both phases.
    pub fn arguments(&self) -> &wgpu::Buffer {
        &self.buffers[4]
    }

    /// Radius of the smallest sphere, Å, and how many spheres there are in all copies; `None` of cylinders.
    pub fn spheres(&self) -> Option<(f32, u64)> {
        self.smallest.is_finite().then(|| (self.smallest, self.chunks.count() as u64 * u64::from(self.copies)))
    }

    /// Empties the lists; before the commands of a frame are submitted.
    pub fn reset(&self, gpu: &Gpu) {
        gpu.queue.write_buffer(self.arguments(), 0, bytemuck::cast_slice(&EMPTY));
    }

    /// Fills the list of a phase, 0 or 1; of the second tier with small spheres at its end.
    pub fn fill(
        &self,
        gpu: &Gpu,
        (pipelines, second_tier): (&Pipelines, Option<&VisibilityPipelines>),
        pyramid: &Pyramid,
        pass: &mut wgpu::ComputePass<'_>,
        phase: usize,
    ) {
        let buffers = self.buffers.iter().chain([&pyramid.buffer, &self.instances, &self.lists[phase]]);
        let entries: Vec<wgpu::BindGroupEntry<'_>> = (0..)
            .zip(buffers)
            .map(|(binding, buffer)| wgpu::BindGroupEntry { binding, resource: buffer.as_entire_binding() })
            .collect();
        let group = gpu.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some("cull"),
            layout: &pipelines.cull_layout,
            entries: &entries,
        });
        let Cull { early, late } = match self.chunks {
            Chunks::Spheres(_) => second_tier.map_or(&pipelines.cull_spheres, |tier| &tier.cull_spheres),
            Chunks::Ends(_) => second_tier.map_or(&pipelines.cull_ends, |tier| &tier.cull_ends),
            Chunks::Cylinders(_) => &pipelines.cull_cylinders,
        };
        pass.set_pipeline(if phase == 0 { early } else { late });
        pass.set_bind_group(1, &group, &[]);
        let groups = (self.chunks.count().div_ceil(chunks::CHUNK) as u32).saturating_mul(self.copies);
        let across = groups.clamp(1, MOST_GROUPS);
        pass.dispatch_workgroups(across, groups.div_ceil(across), 1);
    }
}
