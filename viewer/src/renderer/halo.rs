//! Outlines around what is selected and hovered.
//!
//! Highlighted atoms are drawn once more into a mask, without a depth test, so that their hidden parts are known too.
//! Jump flooding (Rong & Tan, I3D 2006) then finds the nearest masked pixel of every pixel near by in a few passes,
//! whatever the width of the outline; the composing pass turns the distance into a line with a glow, fainter around
//! hidden parts, which it lets shine through what hides them.

use glam::IVec4;

use crate::gpu::Gpu;
use crate::renderer::pipelines::{FLOOD_FORMAT, MASK_FORMAT, Pipelines};
use crate::renderer::targets::{Target, texture, texture_entry};

/// How far the outline reaches, pixels at a line scale of 1.
const REACH: f32 = 8.0;

/// Textures of the outlines, for one size.
pub(crate) struct Halo {
    pub size: (u32, u32),
    pub line_scale: f32,
    pub mask: Target,
    floods: [Target; 2],
    /// The group that each pass reads, in their order; the passes write the two textures in turn.
    pub steps: Vec<wgpu::BindGroup>,
}

impl Halo {
    pub fn new(gpu: &Gpu, pipelines: &Pipelines, size: (u32, u32), line_scale: f32) -> Self {
        let mask = texture(gpu, "highlight mask", size, MASK_FORMAT);
        let floods = [0, 1].map(|_| texture(gpu, "highlight flood", size, FLOOD_FORMAT));
        let passes = (REACH * line_scale).log2().ceil().clamp(1.0, 9.0) as u32;
        let steps = (0..passes)
            .map(|pass| {
                let length = 1_i32 << (passes - 1 - pass);
                let uniform = gpu.device.create_buffer(&wgpu::BufferDescriptor {
                    label: Some("flood step"),
                    size: 16,
                    usage: wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST,
                    mapped_at_creation: false,
                });
                let value = IVec4::new(length, i32::from(pass == 0), 0, 0);
                gpu.queue.write_buffer(&uniform, 0, bytemuck::bytes_of(&value));
                gpu.device.create_bind_group(&wgpu::BindGroupDescriptor {
                    label: Some("flood"),
                    layout: &pipelines.flood_layout,
                    entries: &[
                        texture_entry(0, &mask),
                        texture_entry(1, &floods[1 - pass as usize % 2]),
                        wgpu::BindGroupEntry { binding: 2, resource: uniform.as_entire_binding() },
                    ],
                })
            })
            .collect();
        Self { size, line_scale, mask, floods, steps }
    }

    /// What a pass writes.
    pub fn written(&self, pass: usize) -> &Target {
        &self.floods[pass % 2]
    }

    /// What the last pass wrote.
    pub fn nearest(&self) -> &Target {
        self.written(self.steps.len() - 1)
    }
}
