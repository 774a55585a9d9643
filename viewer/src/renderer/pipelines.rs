//! Layouts and pipelines: long-lived, made once for a device.

use crate::gpu::Gpu;
use crate::renderer::uniforms::MeshVertex;
use crate::shaders;

pub(crate) const DEPTH_FORMAT: wgpu::TextureFormat = wgpu::TextureFormat::Depth32Float;
pub(crate) const ALBEDO_FORMAT: wgpu::TextureFormat = wgpu::TextureFormat::Rgba8Unorm;
pub(crate) const NORMAL_FORMAT: wgpu::TextureFormat = wgpu::TextureFormat::Rg16Float;
pub(crate) const NUMBER_FORMAT: wgpu::TextureFormat = wgpu::TextureFormat::R32Uint;
pub(crate) const OCCLUSION_FORMAT: wgpu::TextureFormat = wgpu::TextureFormat::Rg16Float;
/// Edges at the left and the upper border of a pixel.
pub(crate) const EDGE_FORMAT: wgpu::TextureFormat = wgpu::TextureFormat::Rg8Unorm;
pub(crate) const AREA_FORMAT: wgpu::TextureFormat = wgpu::TextureFormat::Rgba8Unorm;
pub(crate) const SUM_FORMAT: wgpu::TextureFormat = wgpu::TextureFormat::Rgba16Float;
pub(crate) const COVERED_FORMAT: wgpu::TextureFormat = wgpu::TextureFormat::R8Unorm;
pub(crate) const MASK_FORMAT: wgpu::TextureFormat = wgpu::TextureFormat::Rgba8Unorm;
/// Places of pixels.
pub(crate) const FLOOD_FORMAT: wgpu::TextureFormat = wgpu::TextureFormat::Rgba16Sint;
/// sRGB codes in a texture that the GPU takes for plain numbers: what egui expects of a texture.
pub(crate) const PICTURE_FORMAT: wgpu::TextureFormat = wgpu::TextureFormat::Rgba8Unorm;

/// The pipelines of one primitive, by what is drawn of it.
pub(crate) struct Geometry {
    /// Solid parts.
    pub opaque: wgpu::RenderPipeline,
    /// Transparent parts, blended by weight.
    pub transparent: wgpu::RenderPipeline,
    /// The nearest transparent part behind the last.
    pub peel: wgpu::RenderPipeline,
    /// Where highlighted atoms are.
    pub mask: wgpu::RenderPipeline,
    /// Depth as the key light sees it.
    pub shadow: wgpu::RenderPipeline,
}

/// The pipelines that find what of one primitive is drawn, in the first and the second phase.
pub(crate) struct Cull {
    pub early: wgpu::ComputePipeline,
    pub late: wgpu::ComputePipeline,
}

/// Everything that does not depend on the size of the picture or on the scene.
pub(crate) struct Pipelines {
    pub frame_layout: wgpu::BindGroupLayout,
    pub draw_layout: wgpu::BindGroupLayout,
    pub occlusion_layout: wgpu::BindGroupLayout,
    pub blur_layout: wgpu::BindGroupLayout,
    pub compose_layout: wgpu::BindGroupLayout,
    pub picture_layout: wgpu::BindGroupLayout,
    pub peel_layout: wgpu::BindGroupLayout,
    pub mask_layout: wgpu::BindGroupLayout,
    pub layer_layout: wgpu::BindGroupLayout,
    pub blend_layout: wgpu::BindGroupLayout,
    pub flood_layout: wgpu::BindGroupLayout,
    pub label_layout: wgpu::BindGroupLayout,
    pub pyramid_layout: wgpu::BindGroupLayout,
    pub cull_layout: wgpu::BindGroupLayout,
    pub spheres: Geometry,
    pub cylinders: Geometry,
    pub meshes: Geometry,
    pub surfaces: Geometry,
    pub occlusion: wgpu::RenderPipeline,
    pub blur: wgpu::RenderPipeline,
    pub compose: wgpu::RenderPipeline,
    pub peel_blend: wgpu::RenderPipeline,
    pub flood: wgpu::RenderPipeline,
    pub labels: wgpu::RenderPipeline,
    pub pyramid_base: wgpu::ComputePipeline,
    pub pyramid_levels: wgpu::ComputePipeline,
    /// Of spheres that are thinned out where they are far, and of those that are not.
    pub cull_spheres: Cull,
    pub cull_ends: Cull,
    pub cull_cylinders: Cull,
    pub edges: wgpu::RenderPipeline,
    pub edge_areas: wgpu::RenderPipeline,
    pub edge_blend: wgpu::RenderPipeline,
    pub scale: wgpu::RenderPipeline,
    pub accumulate: wgpu::RenderPipeline,
    pub resolve: wgpu::RenderPipeline,
    pub sampler: wgpu::Sampler,
}

pub(crate) fn entry(binding: u32, visibility: wgpu::ShaderStages, ty: wgpu::BindingType) -> wgpu::BindGroupLayoutEntry {
    wgpu::BindGroupLayoutEntry { binding, visibility, ty, count: None }
}

const UNIFORM: wgpu::BindingType = wgpu::BindingType::Buffer {
    ty: wgpu::BufferBindingType::Uniform,
    has_dynamic_offset: false,
    min_binding_size: None,
};
pub(crate) const STORAGE: wgpu::BindingType = wgpu::BindingType::Buffer {
    ty: wgpu::BufferBindingType::Storage { read_only: true },
    has_dynamic_offset: false,
    min_binding_size: None,
};

pub(crate) const WRITTEN_STORAGE: wgpu::BindingType = wgpu::BindingType::Buffer {
    ty: wgpu::BufferBindingType::Storage { read_only: false },
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

/// Puts what is written over what is there; both premultiplied.
const OVER: wgpu::BlendComponent = wgpu::BlendComponent {
    src_factor: wgpu::BlendFactor::One,
    dst_factor: wgpu::BlendFactor::OneMinusSrcAlpha,
    operation: wgpu::BlendOperation::Add,
};
/// Puts what is written behind what is there; both premultiplied.
const BEHIND: wgpu::BlendComponent = wgpu::BlendComponent {
    src_factor: wgpu::BlendFactor::OneMinusDstAlpha,
    dst_factor: wgpu::BlendFactor::One,
    operation: wgpu::BlendOperation::Add,
};
/// Keeps the greater.
const GREATEST: wgpu::BlendComponent = wgpu::BlendComponent {
    src_factor: wgpu::BlendFactor::One,
    dst_factor: wgpu::BlendFactor::One,
    operation: wgpu::BlendOperation::Max,
};

fn target(format: wgpu::TextureFormat, blend: Option<wgpu::BlendComponent>) -> Option<wgpu::ColorTargetState> {
    Some(wgpu::ColorTargetState {
        format,
        blend: blend.map(|component| wgpu::BlendState { color: component, alpha: component }),
        write_mask: wgpu::ColorWrites::ALL,
    })
}

pub(crate) struct Maker<'a> {
    pub device: &'a wgpu::Device,
}

/// What distinguishes one primitive from another: its shader file, the beginning of its entry points' names, its vertices.
struct GeometryKind<'a> {
    shader: &'a str,
    name: &'a str,
    buffers: &'a [Option<wgpu::VertexBufferLayout<'a>>],
}

/// What solid geometry writes.
pub(crate) fn solid_targets() -> [Option<wgpu::ColorTargetState>; 3] {
    [target(ALBEDO_FORMAT, None), target(NORMAL_FORMAT, None), target(NUMBER_FORMAT, None)]
}

/// Hidden by what is nearer: reverse-Z.
fn depth_tested(writes: bool) -> wgpu::DepthStencilState {
    wgpu::DepthStencilState {
        format: DEPTH_FORMAT,
        depth_write_enabled: Some(writes),
        depth_compare: Some(wgpu::CompareFunction::Greater),
        stencil: wgpu::StencilState::default(),
        bias: wgpu::DepthBiasState::default(),
    }
}

/// The layouts of the passes over geometry.
struct GeometryLayouts {
    plain: wgpu::PipelineLayout,
    peel: wgpu::PipelineLayout,
    mask: wgpu::PipelineLayout,
}

impl Maker<'_> {
    pub fn layout(&self, label: &str, entries: &[wgpu::BindGroupLayoutEntry]) -> wgpu::BindGroupLayout {
        self.device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor { label: Some(label), entries })
    }

    fn pipeline_layout(&self, groups: &[&wgpu::BindGroupLayout]) -> wgpu::PipelineLayout {
        let groups: Vec<_> = groups.iter().map(|group| Some(*group)).collect();
        self.device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
            label: Some("geometry"),
            bind_group_layouts: &groups,
            immediate_size: 0,
        })
    }

    fn geometry(&self, layouts: &GeometryLayouts, kind: &GeometryKind<'_>) -> Geometry {
        let module = shaders::module(self.device, kind.shader);
        let vertex = format!("{}_vertex", kind.name);
        // What writes depth is tested against what was written; `None` draws over everything.
        let make = |pass: &str,
                    layout: &wgpu::PipelineLayout,
                    targets: &[Option<wgpu::ColorTargetState>],
                    writes_depth: Option<bool>,
                    front_faces_only: bool| {
            let entry_point = format!("{}_{pass}", kind.name);
            self.device.create_render_pipeline(&wgpu::RenderPipelineDescriptor {
                label: Some(&entry_point),
                layout: Some(layout),
                vertex: wgpu::VertexState {
                    module: &module,
                    entry_point: Some(&vertex),
                    compilation_options: wgpu::PipelineCompilationOptions::default(),
                    buffers: kind.buffers,
                },
                primitive: wgpu::PrimitiveState {
                    cull_mode: (front_faces_only && !kind.buffers.is_empty()).then_some(wgpu::Face::Back),
                    ..wgpu::PrimitiveState::default()
                },
                depth_stencil: writes_depth.map(depth_tested),
                multisample: wgpu::MultisampleState::default(),
                fragment: Some(wgpu::FragmentState {
                    module: &module,
                    entry_point: Some(&entry_point),
                    compilation_options: wgpu::PipelineCompilationOptions::default(),
                    targets,
                }),
                multiview_mask: None,
                cache: None,
            })
        };
        let solid = solid_targets();
        let blended = [target(SUM_FORMAT, Some(ADD)), target(COVERED_FORMAT, Some(LET_THROUGH))];
        Geometry {
            opaque: make("opaque", &layouts.plain, &solid, Some(true), false),
            transparent: make("transparent", &layouts.plain, &blended, Some(false), true),
            peel: make("peel", &layouts.peel, &[target(SUM_FORMAT, None)], Some(true), true),
            mask: make("mask", &layouts.mask, &[target(MASK_FORMAT, Some(GREATEST))], None, false),
            shadow: make("shadow", &layouts.plain, &[], Some(true), false),
        }
    }

    pub fn compute(
        &self,
        groups: &[&wgpu::BindGroupLayout],
        shader: &str,
        entry_point: &str,
        constants: &[(&str, f64)],
    ) -> wgpu::ComputePipeline {
        let module = shaders::module(self.device, shader);
        self.device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label: Some(entry_point),
            layout: Some(&self.pipeline_layout(groups)),
            module: &module,
            entry_point: Some(entry_point),
            compilation_options: wgpu::PipelineCompilationOptions { constants, ..Default::default() },
            cache: None,
        })
    }

    /// A pass over all pixels that writes depth as geometry does.
    pub fn fullscreen_with_depth(
        &self,
        groups: &[Option<&wgpu::BindGroupLayout>],
        shader: &str,
        entry_point: &str,
        targets: &[Option<wgpu::ColorTargetState>],
        constants: &[(&str, f64)],
    ) -> wgpu::RenderPipeline {
        self.fullscreen(groups, shader, entry_point, targets, constants, Some(depth_tested(true)))
    }

    /// A pass over all pixels of one picture.
    fn post(
        &self,
        layouts: &[Option<&wgpu::BindGroupLayout>],
        shader: &str,
        entry_point: &str,
        target: Option<wgpu::ColorTargetState>,
    ) -> wgpu::RenderPipeline {
        self.fullscreen(layouts, shader, entry_point, &[target], &[], None)
    }

    fn fullscreen(
        &self,
        groups: &[Option<&wgpu::BindGroupLayout>],
        shader: &str,
        entry_point: &str,
        targets: &[Option<wgpu::ColorTargetState>],
        constants: &[(&str, f64)],
        depth_stencil: Option<wgpu::DepthStencilState>,
    ) -> wgpu::RenderPipeline {
        let layout = self.device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
            label: Some(entry_point),
            bind_group_layouts: groups,
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
            depth_stencil,
            multisample: wgpu::MultisampleState::default(),
            fragment: Some(wgpu::FragmentState {
                module: &module,
                entry_point: Some(entry_point),
                compilation_options: wgpu::PipelineCompilationOptions { constants, ..Default::default() },
                targets,
            }),
            multiview_mask: None,
            cache: None,
        })
    }

    /// Letters over the composed picture.
    fn labels(&self, frame: &wgpu::BindGroupLayout, letters: &wgpu::BindGroupLayout) -> wgpu::RenderPipeline {
        let module = shaders::module(self.device, "labels/label.wgsl");
        self.device.create_render_pipeline(&wgpu::RenderPipelineDescriptor {
            label: Some("labels"),
            layout: Some(&self.pipeline_layout(&[frame, letters])),
            vertex: wgpu::VertexState {
                module: &module,
                entry_point: Some("label_vertex"),
                compilation_options: wgpu::PipelineCompilationOptions::default(),
                buffers: &[],
            },
            primitive: wgpu::PrimitiveState::default(),
            depth_stencil: None,
            multisample: wgpu::MultisampleState::default(),
            fragment: Some(wgpu::FragmentState {
                module: &module,
                entry_point: Some("label_fragment"),
                compilation_options: wgpu::PipelineCompilationOptions::default(),
                targets: &[target(PICTURE_FORMAT, Some(OVER))],
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
        let all = wgpu::ShaderStages::VERTEX_FRAGMENT | wgpu::ShaderStages::COMPUTE;
        let sources = wgpu::ShaderStages::VERTEX | wgpu::ShaderStages::COMPUTE;
        let vertex = wgpu::ShaderStages::VERTEX;
        let fragment = wgpu::ShaderStages::FRAGMENT;

        let frame_layout = maker.layout("frame", &[entry(0, all, UNIFORM)]);
        let draw_layout = maker.layout(
            "draw",
            &[
                entry(0, all, UNIFORM),
                entry(1, sources, STORAGE),
                entry(2, sources, STORAGE),
                entry(3, sources, STORAGE),
                entry(4, sources, STORAGE),
            ],
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
                entry(7, fragment, texture(EXACT)),
                entry(8, fragment, texture(wgpu::TextureSampleType::Sint)),
                entry(10, fragment, depth),
            ],
        );
        let peel_layout = maker.layout("peel", &[entry(0, fragment, depth), entry(1, fragment, depth)]);
        let mask_layout = maker.layout("mask", &[entry(2, fragment, STORAGE), entry(3, fragment, depth)]);
        let layer_layout = maker.layout("layer", &[entry(0, fragment, texture(EXACT))]);
        let blend_layout =
            maker.layout("blend", &[entry(0, fragment, texture(EXACT)), entry(1, fragment, texture(EXACT))]);
        let flood_layout = maker.layout(
            "flood",
            &[
                entry(0, fragment, texture(EXACT)),
                entry(1, fragment, texture(wgpu::TextureSampleType::Sint)),
                entry(2, fragment, UNIFORM),
            ],
        );
        let label_layout = maker.layout(
            "labels",
            &[
                entry(0, vertex, STORAGE),
                entry(1, fragment, texture(FILTERED)),
                entry(2, fragment, wgpu::BindingType::Sampler(wgpu::SamplerBindingType::Filtering)),
                entry(3, fragment, depth),
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

        let layouts = GeometryLayouts {
            plain: maker.pipeline_layout(&[&frame_layout, &draw_layout]),
            peel: maker.pipeline_layout(&[&frame_layout, &draw_layout, &peel_layout]),
            mask: maker.pipeline_layout(&[&frame_layout, &draw_layout, &mask_layout]),
        };
        let mesh_vertex = wgpu::VertexBufferLayout {
            array_stride: size_of::<MeshVertex>() as u64,
            step_mode: wgpu::VertexStepMode::Vertex,
            attributes: &wgpu::vertex_attr_array![0 => Float32x3, 1 => Snorm16x4, 2 => Uint32],
        };
        let impostor = |shader, name| maker.geometry(&layouts, &GeometryKind { shader, name, buffers: &[] });
        let spheres = impostor("impostors/sphere.wgsl", "sphere");
        let cylinders = impostor("impostors/cylinder.wgsl", "cylinder");
        let surfaces = impostor("mesh/surface.wgsl", "surface");
        let meshes = maker.geometry(
            &layouts,
            &GeometryKind { shader: "mesh/mesh.wgsl", name: "mesh", buffers: &[Some(mesh_vertex)] },
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
        let peel_blend = maker.post(
            &[Some(&layer_layout)],
            "post/peel_blend.wgsl",
            "peel_blend_fragment",
            target(SUM_FORMAT, Some(BEHIND)),
        );
        let flood = maker.post(&[Some(&flood_layout)], "post/flood.wgsl", "flood_fragment", target(FLOOD_FORMAT, None));
        let changed = WRITTEN_STORAGE;
        let compute = wgpu::ShaderStages::COMPUTE;
        let pyramid_layout = maker.layout("depth pyramid", &[entry(0, compute, depth), entry(1, compute, changed)]);
        let cull_layout = maker.layout(
            "cull",
            &[
                entry(0, compute, STORAGE),
                entry(1, compute, STORAGE),
                entry(2, compute, STORAGE),
                entry(3, compute, changed),
                entry(4, compute, changed),
                entry(5, compute, STORAGE),
                entry(6, compute, STORAGE),
                entry(7, compute, changed),
            ],
        );
        let pyramid =
            |entry_point| maker.compute(&[&frame_layout, &pyramid_layout], "post/depth_pyramid.wgsl", entry_point, &[]);
        let (pyramid_base, pyramid_levels) = (pyramid("pyramid_base"), pyramid("pyramid_levels"));
        let cull = |shader, constants: &[(&str, f64)]| {
            let make = |entry_point| maker.compute(&[&frame_layout, &cull_layout], shader, entry_point, constants);
            Cull { early: make("cull_early"), late: make("cull_late") }
        };
        let cull_spheres = cull("impostors/cull_sphere.wgsl", &[]);
        let cull_ends = cull("impostors/cull_sphere.wgsl", &[("THINS", 0.0)]);
        let cull_cylinders = cull("impostors/cull_cylinder.wgsl", &[]);
        let labels = maker.labels(&frame_layout, &label_layout);
        let picture = [Some(&picture_layout)];
        let layer = [Some(&layer_layout)];
        let edges = maker.post(&layer, "post/edges.wgsl", "edges_fragment", target(EDGE_FORMAT, None));
        let edge_areas = maker.post(&layer, "post/edge_areas.wgsl", "areas_fragment", target(AREA_FORMAT, None));
        let blend = [Some(&blend_layout)];
        let edge_blend = maker.post(&blend, "post/edge_blend.wgsl", "blend_fragment", target(PICTURE_FORMAT, None));
        let scale = maker.post(&picture, "post/scale.wgsl", "scale_fragment", target(PICTURE_FORMAT, None));
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
            peel_layout,
            mask_layout,
            layer_layout,
            blend_layout,
            flood_layout,
            label_layout,
            pyramid_layout,
            cull_layout,
            spheres,
            cylinders,
            meshes,
            surfaces,
            occlusion,
            blur,
            compose,
            peel_blend,
            flood,
            labels,
            pyramid_base,
            pyramid_levels,
            cull_spheres,
            cull_ends,
            cull_cylinders,
            edges,
            edge_areas,
            edge_blend,
            scale,
            accumulate,
            resolve,
            sampler,
        }
    }
}
