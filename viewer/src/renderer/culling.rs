//! Leaving out spheres that nobody sees (`shaders/impostors/cull.wgsl` says how).
//!
//! Pictures to keep are drawn without: lists filled by many threads have no fixed order, and equal scenes must give equal
//! pixels even where two spheres are equally deep.

use crate::gpu::Gpu;
use crate::renderer::pipelines::Pipelines;
use crate::renderer::targets::Target;
use crate::renderer::uniforms::SphereInstance;

/// Fewer spheres than this are drawn as they are.
pub(crate) const FEWEST: usize = 4096;
/// Storage buffers of the culling shader.
const STORAGE_BUFFERS: u32 = 7;
/// Spheres of one group of threads.
const GROUP: u32 = 64;
/// Groups along one side of a dispatch.
const MOST_GROUPS: u32 = 65_535;
/// Pixels along the side of a tile.
const TILE: u32 = 16;

/// Whether a device can.
pub(crate) fn is_supported(gpu: &Gpu) -> bool {
    let limits = gpu.device.limits();
    limits.max_storage_buffers_per_shader_stage >= STORAGE_BUFFERS
        && limits.max_compute_invocations_per_workgroup >= GROUP
        && limits.max_compute_workgroups_per_dimension >= MOST_GROUPS
}

/// The farthest depth in each tile of the picture.
pub(crate) struct Tiles {
    pub size: (u32, u32),
    pub buffer: wgpu::Buffer,
    group: wgpu::BindGroup,
}

impl Tiles {
    pub fn new(gpu: &Gpu, pipelines: &Pipelines, size: (u32, u32), depth: &Target) -> Self {
        let count = u64::from(size.0.div_ceil(TILE)) * u64::from(size.1.div_ceil(TILE));
        let buffer = gpu.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("tile depths"),
            size: (count * 4).max(16),
            usage: wgpu::BufferUsages::STORAGE,
            mapped_at_creation: false,
        });
        let group = gpu.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some("tile depths"),
            layout: &pipelines.tile_layout,
            entries: &[
                wgpu::BindGroupEntry { binding: 0, resource: wgpu::BindingResource::TextureView(&depth.view) },
                wgpu::BindGroupEntry { binding: 1, resource: buffer.as_entire_binding() },
            ],
        });
        Self { size, buffer, group }
    }

    /// Fills the tiles from the depth that is there.
    pub fn fill(&self, pass: &mut wgpu::ComputePass<'_>, pipelines: &Pipelines) {
        pass.set_pipeline(&pipelines.tile_depths);
        pass.set_bind_group(1, &self.group, &[]);
        pass.dispatch_workgroups(self.size.0.div_ceil(TILE), self.size.1.div_ceil(TILE), 1);
    }
}

/// Lists of the spheres of one draw call that are drawn.
pub(crate) struct Culled {
    count: u32,
    positions: wgpu::Buffer,
    instances: wgpu::Buffer,
    seen: wgpu::Buffer,
    /// What the first and the second phase draw.
    pub lists: [wgpu::Buffer; 2],
    pub arguments: wgpu::Buffer,
}

impl Culled {
    /// `instances` holds `count` spheres of atoms at `positions`.
    pub fn new(gpu: &Gpu, positions: &wgpu::Buffer, instances: &wgpu::Buffer, count: u32) -> Self {
        let buffer = |label: &str, size: u64, usage: wgpu::BufferUsages| {
            gpu.device.create_buffer(&wgpu::BufferDescriptor {
                label: Some(label),
                size,
                usage: usage | wgpu::BufferUsages::STORAGE,
                mapped_at_creation: false,
            })
        };
        let list = || {
            buffer("drawn spheres", u64::from(count) * size_of::<SphereInstance>() as u64, wgpu::BufferUsages::empty())
        };
        Self {
            count,
            positions: positions.clone(),
            instances: instances.clone(),
            // Buffers begin as zeros: nothing was seen yet.
            seen: buffer("seen spheres", u64::from(count) * 4, wgpu::BufferUsages::empty()),
            lists: [list(), list()],
            arguments: buffer("drawn spheres", 32, wgpu::BufferUsages::INDIRECT | wgpu::BufferUsages::COPY_DST),
        }
    }

    /// Empties the lists; before the commands of a frame are submitted.
    pub fn reset(&self, gpu: &Gpu) {
        gpu.queue.write_buffer(&self.arguments, 0, bytemuck::cast_slice(&[0_u32, 1, 0, 0, 0, 1, 0, 0]));
    }

    /// Fills the list of a phase, 0 or 1.
    pub fn fill(
        &self,
        gpu: &Gpu,
        pipelines: &Pipelines,
        tiles: &Tiles,
        pass: &mut wgpu::ComputePass<'_>,
        phase: usize,
    ) {
        let [early, late] = &self.lists;
        let buffers = [&self.positions, &self.instances, &self.seen, early, late, &self.arguments, &tiles.buffer];
        let entries: Vec<wgpu::BindGroupEntry<'_>> = (0..)
            .zip(buffers)
            .map(|(binding, buffer)| wgpu::BindGroupEntry { binding, resource: buffer.as_entire_binding() })
            .collect();
        let group = gpu.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some("cull"),
            layout: &pipelines.cull_layout,
            entries: &entries,
        });
        pass.set_pipeline(if phase == 0 { &pipelines.cull_early } else { &pipelines.cull_late });
        pass.set_bind_group(1, &group, &[]);
        let groups = self.count.div_ceil(GROUP);
        let across = groups.clamp(1, MOST_GROUPS);
        pass.dispatch_workgroups(across, groups.div_ceil(across), 1);
    }
}
