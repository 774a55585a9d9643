//! The textures that a picture passes through, for one size.

use glam::Vec4;

use crate::gpu::Gpu;
use crate::renderer::pipelines::{
    ALBEDO_FORMAT, AREA_FORMAT, COVERED_FORMAT, DEPTH_FORMAT, EDGE_FORMAT, NORMAL_FORMAT, NUMBER_FORMAT,
    OCCLUSION_FORMAT, PICTURE_FORMAT, Pipelines, SUM_FORMAT,
};

/// What the textures depend on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TargetsKey {
    /// Size that is drawn, pixels.
    pub drawn: (u32, u32),
    /// Size of the finished picture, pixels.
    pub output: (u32, u32),
    /// Drawn pixels for one occlusion pixel, along a side.
    pub occlusion_step: u32,
    /// Whether there are transparent parts.
    pub transparent: bool,
    /// Whether several pictures are averaged.
    pub accumulated: bool,
}

impl TargetsKey {
    /// Whether the picture is drawn in another size than it is shown in.
    pub fn is_scaled(&self) -> bool {
        self.drawn != self.output
    }
}

/// A texture with its view.
pub(crate) struct Target {
    pub texture: wgpu::Texture,
    pub view: wgpu::TextureView,
}

/// All textures of a view and the bind groups over them.
pub(crate) struct Targets {
    pub key: TargetsKey,
    pub depth: Target,
    pub albedo: Target,
    pub normal: Target,
    pub numbers: Target,
    pub occlusion: Target,
    pub blurred: Target,
    pub sums: Target,
    pub covered: Target,
    /// The composed picture in the size that is drawn.
    pub composed: Target,
    /// Where its edges are, and what lies on their other side.
    pub edges: Target,
    pub areas: Target,
    /// The smoothed picture in the size that is drawn, where that is not the size of the output.
    pub smoothed: Target,
    /// Sum of pictures.
    pub accumulated: Target,
    pub occlusion_group: wgpu::BindGroup,
    pub blur_group: wgpu::BindGroup,
    /// Reads `composed`.
    pub edges_group: wgpu::BindGroup,
    /// Reads `edges`.
    pub areas_group: wgpu::BindGroup,
    /// Reads `composed` and `areas`.
    pub blend_group: wgpu::BindGroup,
    /// Reads `smoothed`; its uniform is the size of the output.
    pub scale_group: wgpu::BindGroup,
    /// Reads `composed`; its uniform is the weight of one picture.
    pub accumulate_group: wgpu::BindGroup,
    /// Reads `accumulated`; its uniform is one over the weight so far.
    pub resolve_group: wgpu::BindGroup,
    pub accumulate_uniform: wgpu::Buffer,
    pub resolve_uniform: wgpu::Buffer,
}

pub(crate) fn texture(gpu: &Gpu, label: &str, (width, height): (u32, u32), format: wgpu::TextureFormat) -> Target {
    let texture = gpu.device.create_texture(&wgpu::TextureDescriptor {
        label: Some(label),
        size: wgpu::Extent3d { width, height, depth_or_array_layers: 1 },
        mip_level_count: 1,
        sample_count: 1,
        dimension: wgpu::TextureDimension::D2,
        format,
        usage: wgpu::TextureUsages::RENDER_ATTACHMENT
            | wgpu::TextureUsages::TEXTURE_BINDING
            | wgpu::TextureUsages::COPY_SRC,
        view_formats: &[],
    });
    let view = texture.create_view(&wgpu::TextureViewDescriptor::default());
    Target { texture, view }
}

impl Targets {
    pub fn new(gpu: &Gpu, pipelines: &Pipelines, key: TargetsKey) -> Self {
        let device = &gpu.device;
        let drawn = key.drawn;
        let small = (drawn.0.div_ceil(key.occlusion_step), drawn.1.div_ceil(key.occlusion_step));
        let or_tiny = |wanted: bool| if wanted { drawn } else { (1, 1) };

        let depth = texture(gpu, "depth", drawn, DEPTH_FORMAT);
        let albedo = texture(gpu, "albedo", drawn, ALBEDO_FORMAT);
        let normal = texture(gpu, "normal", drawn, NORMAL_FORMAT);
        let numbers = texture(gpu, "atom numbers", drawn, NUMBER_FORMAT);
        let occlusion = texture(gpu, "occlusion", small, OCCLUSION_FORMAT);
        let blurred = texture(gpu, "blurred occlusion", small, OCCLUSION_FORMAT);
        let sums = texture(gpu, "transparent sums", or_tiny(key.transparent), SUM_FORMAT);
        let covered = texture(gpu, "transparent covered", or_tiny(key.transparent), COVERED_FORMAT);
        let composed = texture(gpu, "composed", drawn, PICTURE_FORMAT);
        let single = |wanted: bool| if wanted && !key.accumulated { drawn } else { (1, 1) };
        let edges = texture(gpu, "edges", single(true), EDGE_FORMAT);
        let areas = texture(gpu, "edge areas", single(true), AREA_FORMAT);
        let smoothed = texture(gpu, "smoothed", single(key.is_scaled()), PICTURE_FORMAT);
        let accumulated = texture(gpu, "accumulated", or_tiny(key.accumulated), SUM_FORMAT);

        let uniform = |label: &str, value: Vec4| {
            let buffer = device.create_buffer(&wgpu::BufferDescriptor {
                label: Some(label),
                size: 16,
                usage: wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST,
                mapped_at_creation: false,
            });
            gpu.queue.write_buffer(&buffer, 0, bytemuck::bytes_of(&value));
            buffer
        };
        let output_uniform = uniform("output size", Vec4::new(key.output.0 as f32, key.output.1 as f32, 0.0, 0.0));
        let accumulate_uniform = uniform("weight", Vec4::X);
        let resolve_uniform = uniform("scale", Vec4::X);
        let occlusion_group = device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some("occlusion"),
            layout: &pipelines.occlusion_layout,
            entries: &[texture_entry(0, &depth), texture_entry(1, &normal)],
        });
        let blur_group = device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some("blur"),
            layout: &pipelines.blur_layout,
            entries: &[texture_entry(0, &occlusion)],
        });
        let picture_group = |label: &str, read: &Target, uniform: &wgpu::Buffer| {
            device.create_bind_group(&wgpu::BindGroupDescriptor {
                label: Some(label),
                layout: &pipelines.picture_layout,
                entries: &[
                    texture_entry(0, read),
                    wgpu::BindGroupEntry { binding: 1, resource: wgpu::BindingResource::Sampler(&pipelines.sampler) },
                    wgpu::BindGroupEntry { binding: 2, resource: uniform.as_entire_binding() },
                ],
            })
        };
        let scale_group = picture_group("scale", &smoothed, &output_uniform);
        let read_group = |label: &str, layout: &wgpu::BindGroupLayout, read: &[&Target]| {
            let entries: Vec<_> = (0..).zip(read).map(|(binding, target)| texture_entry(binding, target)).collect();
            device.create_bind_group(&wgpu::BindGroupDescriptor { label: Some(label), layout, entries: &entries })
        };
        let edges_group = read_group("edges", &pipelines.layer_layout, &[&composed]);
        let areas_group = read_group("edge areas", &pipelines.layer_layout, &[&edges]);
        let blend_group = read_group("edge blend", &pipelines.blend_layout, &[&composed, &areas]);
        let accumulate_group = picture_group("accumulate", &composed, &accumulate_uniform);
        let resolve_group = picture_group("resolve", &accumulated, &resolve_uniform);
        Self {
            key,
            depth,
            albedo,
            normal,
            numbers,
            occlusion,
            blurred,
            sums,
            covered,
            composed,
            edges,
            areas,
            smoothed,
            accumulated,
            occlusion_group,
            blur_group,
            edges_group,
            areas_group,
            blend_group,
            scale_group,
            accumulate_group,
            resolve_group,
            accumulate_uniform,
            resolve_uniform,
        }
    }

    /// The bind group of the composing pass, which also reads the mask of the highlights, their nearest pixels and the
    /// shadow map.
    pub fn compose_group(
        &self,
        gpu: &Gpu,
        pipelines: &Pipelines,
        mask: &Target,
        nearest: &Target,
        shadow_map: &Target,
    ) -> wgpu::BindGroup {
        gpu.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some("compose"),
            layout: &pipelines.compose_layout,
            entries: &[
                texture_entry(0, &self.depth),
                texture_entry(1, &self.albedo),
                texture_entry(2, &self.normal),
                texture_entry(3, &self.numbers),
                texture_entry(4, &self.blurred),
                texture_entry(5, &self.sums),
                texture_entry(6, &self.covered),
                texture_entry(7, mask),
                texture_entry(8, nearest),
                texture_entry(10, shadow_map),
            ],
        })
    }
}

pub(crate) fn texture_entry(binding: u32, target: &Target) -> wgpu::BindGroupEntry<'_> {
    wgpu::BindGroupEntry { binding, resource: wgpu::BindingResource::TextureView(&target.view) }
}
