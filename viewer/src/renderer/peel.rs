//! Exact transparency for pictures: layers of transparent surfaces from the nearest to the farthest (depth peeling,
//! Everitt, NVIDIA 2001), each put behind those before it.

use crate::gpu::Gpu;
use crate::renderer::pipelines::{DEPTH_FORMAT, Pipelines, SUM_FORMAT};
use crate::renderer::targets::{Target, texture, texture_entry};

/// Layers that are drawn: of ten surfaces of half opacity the tenth adds a thousandth.
pub(crate) const LAYERS: usize = 10;

/// Textures of the layers, for one size.
pub(crate) struct Peel {
    pub size: (u32, u32),
    /// Depths of the layer that is drawn and of the one before, in turn.
    pub depths: [Target; 2],
    pub layer: Target,
    /// Groups that the first layer and those into the first and the second depth texture read.
    groups: [wgpu::BindGroup; 3],
    pub layer_group: wgpu::BindGroup,
}

impl Peel {
    /// `nothing` is a depth texture of one pixel, `solid` the depth of what is solid.
    pub fn new(gpu: &Gpu, pipelines: &Pipelines, size: (u32, u32), solid: &Target, nothing: &Target) -> Self {
        let depths = [0, 1].map(|_| texture(gpu, "peeled depth", size, DEPTH_FORMAT));
        let layer = texture(gpu, "peeled layer", size, SUM_FORMAT);
        let group = |previous: &Target| {
            gpu.device.create_bind_group(&wgpu::BindGroupDescriptor {
                label: Some("peel"),
                layout: &pipelines.peel_layout,
                entries: &[texture_entry(0, solid), texture_entry(1, previous)],
            })
        };
        let groups = [group(nothing), group(&depths[1]), group(&depths[0])];
        let layer_group = gpu.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some("layer"),
            layout: &pipelines.layer_layout,
            entries: &[texture_entry(0, &layer)],
        });
        Self { size, depths, layer, groups, layer_group }
    }

    /// What a layer reads: the solid depth and the depth of the layer before.
    pub fn group(&self, layer: usize) -> &wgpu::BindGroup {
        match layer {
            0 => &self.groups[0],
            _ => &self.groups[1 + layer % 2],
        }
    }

    /// Where a layer's depth goes.
    pub fn depth(&self, layer: usize) -> &Target {
        &self.depths[layer % 2]
    }
}
