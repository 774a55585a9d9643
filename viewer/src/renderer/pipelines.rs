//! Layouts and pipelines: long-lived, made once for a device.

use crate::gpu::Gpu;
use crate::renderer::uniforms::MeshVertex;
use crate::shaders;

pub(crate) const DEPTH_FORMAT: wgpu::TextureFormat = wgpu::TextureFormat::Depth32Float;
pub(crate) const ALBEDO_FORMAT: wgpu::TextureFormat = wgpu::TextureFormat::Rgba8Unorm;
pub(crate) const NORMAL_FORMAT: wgpu::TextureFormat = wgpu::TextureFormat::Rg16Float;
pub(crate) const NUMBER_FORMAT: wgpu::TextureFormat = wgpu::TextureFormat::R32Uint;
pub(crate) const OCCLUSION_FORMAT: wgpu::TextureFormat = wgpu::TextureFormat::Rg16Float;
pub(crate) const SUM_FORMAT: wgpu::TextureFormat = wgpu::TextureFormat::Rgba16Float;
pub(crate) const COVERED_FORMAT: wgpu::TextureFormat = wgpu::TextureFormat::R8Unorm;
/// sRGB codes in a texture that the GPU takes for plain numbers: what egui expects of a texture.
pub(crate) const PICTURE_FORMAT: wgpu::TextureFormat = wgpu::TextureFormat::Rgba8Unorm;

/// A pipeline for solid parts and one for transparent parts.
pub(crate) struct Geometry {
    pub opaque: wgpu::RenderPipeline,
    pub transparent: wgpu::RenderPipeline,
}

/// Everything that does not depend on the size of the picture or on the scene.
pub(crate) struct Pipelines {
    pub frame_layout: wgpu::BindGroupLayout,
    pub draw_layout: wgpu::BindGroupLayout,
    pub occlusion_layout: wgpu::BindGroupLayout,
    pub blur_layout: wgpu::BindGroupLayout,
    pub compose_layout: wgpu::BindGroupLayout,
    pub picture_layout: wgpu::BindGroupLayout,
    pub spheres: Geometry,
    pub cylinders: Geometry,
    pub meshes: Geometry,
    pub occlusion: wgpu::RenderPipeline,
    pub blur: wgpu::RenderPipeline,
    pub compose: wgpu::RenderPipeline,
    pub smooth: wgpu::RenderPipeline,
    pub accumulate: wgpu::RenderPipeline,
    pub resolve: wgpu::RenderPipeline,
    pub sampler: wgpu::Sampler,
}

fn entry(binding: u32, visibility: wgpu::ShaderStages, ty: wgpu::BindingType) -> wgpu::BindGroupLayoutEntry {
    wgpu::BindGroupLayoutEntry { binding, visibility, ty, count: None }
}

const UNIFORM: wgpu::BindingType = wgpu::BindingType::Buffer {
    ty: wgpu::BufferBindingType::Uniform,
    has_dynamic_offset: false,
    min_binding_size: None,
};
const STORAGE: wgpu::BindingType = wgpu::BindingType::Buffer {
    ty: wgpu::BufferBindingType::Storage { read_only: true },
    has_dynamic_offset: false,
    min_binding_size: None,
};

const fn texture(sample_type: wgpu::TextureSampleType) -> wgpu::BindingType {
    wgpu::BindingType::Texture { sample_type, view_dimension: wgpu::TextureViewDimension::D2, multisampled: false }
}

const EXACT: wgpu::TextureSampleType = wgpu::TextureSampleType::Float { filterable: false };
const FILTERED: wgpu::TextureSampleType = wgpu::TextureSampleType::Float { filterable: true };

/// Adds what is written to what is there.
const ADD: wgpu::BlendComponent = wgpu::BlendComponent {
    src_factor: wgpu::BlendFactor::One,
    dst_factor: wgpu::BlendFactor::One,
    operation: wgpu::BlendOperation::Add,
};
/// Multiplies what is there by one minus what is written.
const LET_THROUGH: wgpu::BlendComponent = wgpu::BlendComponent {
    src_factor: wgpu::BlendFactor::Zero,
    dst_factor: wgpu::BlendFactor::OneMinusSrc,
    operation: wgpu::BlendOperation::Add,
};

fn target(format: wgpu::TextureFormat, blend: Option<wgpu::BlendComponent>) -> Option<wgpu::ColorTargetState> {
    Some(wgpu::ColorTargetState {
        format,
        blend: blend.map(|component| wgpu::BlendState { color: component, alpha: component }),
        write_mask: wgpu::ColorWrites::ALL,
    })
}

struct Maker<'a> {
    device: &'a wgpu::Device,
}

/// What distinguishes one geometry pipeline from another.
struct GeometryKind<'a> {
    shader: &'a str,
    vertex: &'a str,
    opaque: &'a str,
    transparent: &'a str,
    buffers: &'a [Option<wgpu::VertexBufferLayout<'a>>],
}

impl Maker<'_> {
    fn layout(&self, label: &str, entries: &[wgpu::BindGroupLayoutEntry]) -> wgpu::BindGroupLayout {
        self.device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor { label: Some(label), entries })
    }

    fn geometry(&self, layout: &wgpu::PipelineLayout, kind: &GeometryKind<'_>) -> Geometry {
        let module = shaders::module(self.device, kind.shader);
        let make = |entry_point: &str, targets: &[Option<wgpu::ColorTargetState>], transparent: bool| {
            self.device.create_render_pipeline(&wgpu::RenderPipelineDescriptor {
                label: Some(entry_point),
                layout: Some(layout),
                vertex: wgpu::VertexState {
                    module: &module,
                    entry_point: Some(kind.vertex),
                    compilation_options: wgpu::PipelineCompilationOptions::default(),
                    buffers: kind.buffers,
                },
                primitive: wgpu::PrimitiveState {
                    cull_mode: (transparent && !kind.buffers.is_empty()).then_some(wgpu::Face::Back),
                    ..wgpu::PrimitiveState::default()
                },
                depth_stencil: Some(wgpu::DepthStencilState {
                    format: DEPTH_FORMAT,
                    depth_write_enabled: Some(!transparent),
                    depth_compare: Some(wgpu::CompareFunction::Greater),
                    stencil: wgpu::StencilState::default(),
                    bias: wgpu::DepthBiasState::default(),
                }),
                multisample: wgpu::MultisampleState::default(),
                fragment: Some(wgpu::FragmentState {
                    module: &module,
                    entry_point: Some(entry_point),
                    compilation_options: wgpu::PipelineCompilationOptions::default(),
                    targets,
                }),
                multiview_mask: None,
                cache: None,
            })
        };
        Geometry {
            opaque: make(
                kind.opaque,
                &[target(ALBEDO_FORMAT, None), target(NORMAL_FORMAT, None), target(NUMBER_FORMAT, None)],
                false,
            ),
            transparent: make(
                kind.transparent,
                &[target(SUM_FORMAT, Some(ADD)), target(COVERED_FORMAT, Some(LET_THROUGH))],
                true,
            ),
        }
    }

    fn post(
        &self,
        layouts: &[Option<&wgpu::BindGroupLayout>],
        shader: &str,
        entry_point: &str,
        target: Option<wgpu::ColorTargetState>,
    ) -> wgpu::RenderPipeline {
        let layout = self.device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
            label: Some(entry_point),
            bind_group_layouts: layouts,
            immediate_size: 0,
        });
        let module = shaders::module(self.device, shader);
        self.device.create_render_pipeline(&wgpu::RenderPipelineDescriptor {
            label: Some(entry_point),
            layout: Some(&layout),
            vertex: wgpu::VertexState {
                module: &module,
                entry_point: Some("fullscreen_vertex"),
                compilation_options: wgpu::PipelineCompilationOptions::default(),
                buffers: &[],
            },
            primitive: wgpu::PrimitiveState::default(),
            depth_stencil: None,
            multisample: wgpu::MultisampleState::default(),
            fragment: Some(wgpu::FragmentState {
                module: &module,
                entry_point: Some(entry_point),
                compilation_options: wgpu::PipelineCompilationOptions::default(),
                targets: &[target],
            }),
            multiview_mask: None,
            cache: None,
        })
    }
}

impl Pipelines {
    pub fn new(gpu: &Gpu) -> Self {
        let device = &gpu.device;
        let maker = Maker { device };
        let both = wgpu::ShaderStages::VERTEX_FRAGMENT;
        let vertex = wgpu::ShaderStages::VERTEX;
        let fragment = wgpu::ShaderStages::FRAGMENT;

        let frame_layout = maker.layout("frame", &[entry(0, both, UNIFORM)]);
        let draw_layout = maker.layout(
            "draw",
            &[entry(0, both, UNIFORM), entry(1, vertex, STORAGE), entry(2, vertex, STORAGE), entry(3, vertex, STORAGE)],
        );
        let depth = texture(wgpu::TextureSampleType::Depth);
        let occlusion_layout =
            maker.layout("occlusion", &[entry(0, fragment, depth), entry(1, fragment, texture(EXACT))]);
        let blur_layout = maker.layout("blur", &[entry(0, fragment, texture(EXACT))]);
        let compose_layout = maker.layout(
            "compose",
            &[
                entry(0, fragment, depth),
                entry(1, fragment, texture(EXACT)),
                entry(2, fragment, texture(EXACT)),
                entry(3, fragment, texture(wgpu::TextureSampleType::Uint)),
                entry(4, fragment, texture(EXACT)),
                entry(5, fragment, texture(EXACT)),
                entry(6, fragment, texture(EXACT)),
                entry(7, fragment, STORAGE),
            ],
        );
        let picture_layout = maker.layout(
            "picture",
            &[
                entry(0, fragment, texture(FILTERED)),
                entry(1, fragment, wgpu::BindingType::Sampler(wgpu::SamplerBindingType::Filtering)),
                entry(2, fragment, UNIFORM),
            ],
        );

        let geometry_layout = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
            label: Some("geometry"),
            bind_group_layouts: &[Some(&frame_layout), Some(&draw_layout)],
            immediate_size: 0,
        });
        let mesh_vertex = wgpu::VertexBufferLayout {
            array_stride: size_of::<MeshVertex>() as u64,
            step_mode: wgpu::VertexStepMode::Vertex,
            attributes: &wgpu::vertex_attr_array![0 => Float32x3, 1 => Snorm16x4, 2 => Uint32],
        };
        let impostor = |shader, vertex, opaque, transparent| {
            maker.geometry(&geometry_layout, &GeometryKind { shader, vertex, opaque, transparent, buffers: &[] })
        };
        let spheres = impostor("impostors/sphere.wgsl", "sphere_vertex", "sphere_opaque", "sphere_transparent");
        let cylinders =
            impostor("impostors/cylinder.wgsl", "cylinder_vertex", "cylinder_opaque", "cylinder_transparent");
        let meshes = maker.geometry(
            &geometry_layout,
            &GeometryKind {
                shader: "mesh/mesh.wgsl",
                vertex: "mesh_vertex",
                opaque: "mesh_opaque",
                transparent: "mesh_transparent",
                buffers: &[Some(mesh_vertex)],
            },
        );

        let occlusion = maker.post(
            &[Some(&frame_layout), Some(&occlusion_layout)],
            "post/ambient_occlusion.wgsl",
            "occlusion_fragment",
            target(OCCLUSION_FORMAT, None),
        );
        let blur = maker.post(
            &[Some(&frame_layout), Some(&blur_layout)],
            "post/occlusion_blur.wgsl",
            "blur_fragment",
            target(OCCLUSION_FORMAT, None),
        );
        let compose = maker.post(
            &[Some(&frame_layout), Some(&compose_layout)],
            "post/compose.wgsl",
            "compose_fragment",
            target(PICTURE_FORMAT, None),
        );
        let picture = [Some(&picture_layout)];
        let smooth = maker.post(&picture, "post/smooth_edges.wgsl", "smooth_fragment", target(PICTURE_FORMAT, None));
        let accumulate =
            maker.post(&picture, "post/accumulate.wgsl", "accumulate_fragment", target(SUM_FORMAT, Some(ADD)));
        let resolve = maker.post(&picture, "post/accumulate.wgsl", "resolve_fragment", target(PICTURE_FORMAT, None));
        let sampler = device.create_sampler(&wgpu::SamplerDescriptor {
            label: Some("linear"),
            mag_filter: wgpu::FilterMode::Linear,
            min_filter: wgpu::FilterMode::Linear,
            ..wgpu::SamplerDescriptor::default()
        });
        Self {
            frame_layout,
            draw_layout,
            occlusion_layout,
            blur_layout,
            compose_layout,
            picture_layout,
            spheres,
            cylinders,
            meshes,
            occlusion,
            blur,
            compose,
            smooth,
            accumulate,
            resolve,
            sampler,
        }
    }
}
