//! Large areas, painted with a shader of our own within egui's picture: the ground under the panels and the molecules.
//!
//! egui paints everything with one shader that filters textures by hand where it is told to, and dithers. A graphics card
//! jumps over what is not asked for; a software adapter (llvmpipe) goes both ways of every branch and throws one away, so
//! that each pixel under a panel costs as much as one of molecules. What is large and opaque is therefore painted here, by
//! three lines that do not branch, and without reading what was there before. `kfold-studio bench window` measures it.

use egui::{Color32, Rect, Rgba, Ui};
use egui_wgpu::{CallbackResources, CallbackTrait, RenderState};
use wgpu::FilterMode;

/// The pipelines; they lie among the resources of egui's renderer.
struct Pipelines {
    ground: wgpu::RenderPipeline,
    molecules: wgpu::RenderPipeline,
    /// One for each filter: what is exact, pixel on pixel, and what is stretched.
    samplers: [wgpu::Sampler; 2],
    makes_gamma: bool,
}

/// Makes the pipelines, for the window that has this state.
pub fn install(state: &RenderState) {
    let device = &state.device;
    let module = device.create_shader_module(wgpu::ShaderModuleDescriptor {
        label: Some("window/opaque.wgsl"),
        source: wgpu::ShaderSource::Wgsl(include_str!("../../../shaders/window/opaque.wgsl").into()),
    });
    let makes_gamma = state.target_format.is_srgb();
    let constant = wgpu::BlendComponent {
        src_factor: wgpu::BlendFactor::Constant,
        dst_factor: wgpu::BlendFactor::Zero,
        operation: wgpu::BlendOperation::Add,
    };
    let pipeline = |entry: &str, blend: Option<wgpu::BlendState>| {
        device.create_render_pipeline(&wgpu::RenderPipelineDescriptor {
            label: Some(entry),
            layout: None,
            vertex: wgpu::VertexState {
                module: &module,
                entry_point: Some("cover"),
                compilation_options: wgpu::PipelineCompilationOptions::default(),
                buffers: &[],
            },
            primitive: wgpu::PrimitiveState::default(),
            depth_stencil: None,
            multisample: wgpu::MultisampleState::default(),
            fragment: Some(wgpu::FragmentState {
                module: &module,
                entry_point: Some(entry),
                compilation_options: wgpu::PipelineCompilationOptions::default(),
                targets: &[Some(wgpu::ColorTargetState {
                    format: state.target_format,
                    blend,
                    write_mask: wgpu::ColorWrites::ALL,
                })],
            }),
            multiview_mask: None,
            cache: None,
        })
    };
    let sampler = |filter: FilterMode| {
        device.create_sampler(&wgpu::SamplerDescriptor {
            label: Some("molecules"),
            mag_filter: filter,
            min_filter: filter,
            ..wgpu::SamplerDescriptor::default()
        })
    };
    let pipelines = Pipelines {
        ground: pipeline("ground", Some(wgpu::BlendState { color: constant, alpha: constant })),
        molecules: pipeline(if makes_gamma { "molecules_linear" } else { "molecules" }, None),
        samplers: [sampler(FilterMode::Nearest), sampler(FilterMode::Linear)],
        makes_gamma,
    };
    state.renderer.write().callback_resources.insert(pipelines);
}

/// A picture that can be painted.
#[derive(Clone)]
pub struct Picture(wgpu::BindGroup);

impl Picture {
    /// Of a texture; `is_exact` where a pixel of it is one of the window. Nothing where nothing was [installed](install).
    pub fn new(state: &RenderState, view: &wgpu::TextureView, is_exact: bool) -> Option<Self> {
        let renderer = state.renderer.read();
        let pipelines = renderer.callback_resources.get::<Pipelines>()?;
        let sampler = &pipelines.samplers[usize::from(!is_exact)];
        Some(Self(state.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some("molecules"),
            layout: &pipelines.molecules.get_bind_group_layout(0),
            entries: &[
                wgpu::BindGroupEntry { binding: 0, resource: wgpu::BindingResource::TextureView(view) },
                wgpu::BindGroupEntry { binding: 1, resource: wgpu::BindingResource::Sampler(sampler) },
            ],
        })))
    }

    /// Paints it over an area.
    pub fn paint(&self, ui: &Ui, area: Rect) {
        ui.painter().add(egui_wgpu::Callback::new_paint_callback(area, self.clone()));
    }
}

impl CallbackTrait for Picture {
    fn paint(
        &self,
        _info: egui::PaintCallbackInfo,
        pass: &mut wgpu::RenderPass<'static>,
        resources: &CallbackResources,
    ) {
        let Some(pipelines) = resources.get::<Pipelines>() else { return };
        pass.set_pipeline(&pipelines.molecules);
        pass.set_bind_group(0, &self.0, &[]);
        pass.draw(0..3, 0..1);
    }
}

/// Paints an area with one colour, over whatever was there.
pub fn ground(ui: &Ui, area: Rect, colour: Color32) {
    ui.painter().add(egui_wgpu::Callback::new_paint_callback(area, Ground(colour)));
}

struct Ground(Color32);

impl CallbackTrait for Ground {
    fn paint(
        &self,
        _info: egui::PaintCallbackInfo,
        pass: &mut wgpu::RenderPass<'static>,
        resources: &CallbackResources,
    ) {
        let Some(pipelines) = resources.get::<Pipelines>() else { return };
        let [r, g, b, a] = match pipelines.makes_gamma {
            true => Rgba::from(self.0).to_array(),
            false => self.0.to_normalized_gamma_f32(),
        };
        let [r, g, b, a] = [r, g, b, a].map(f64::from);
        pass.set_pipeline(&pipelines.ground);
        pass.set_blend_constant(wgpu::Color { r, g, b, a });
        pass.draw(0..3, 0..1);
    }
}
