//! The frame: its passes in their fixed order.
//!
//! 1. solid geometry, in two phases where hidden impostors are left out (`culling`), small spheres by compute shaders
//!    (`visibility`), writes colour, normal, atom number and depth;
//! 2. occlusion is sampled from depth and normals, then blurred;
//! 3. the key light's depth map is drawn, where there are shadows;
//! 4. transparent geometry is summed by weight, or peeled layer by layer, down to the solid depth;
//! 5. highlighted atoms are drawn into a mask, and the nearest of them is found for each pixel near by;
//! 6. composing: light, depth cue, transparent parts, silhouettes, highlights;
//! 7. labels are laid over it;
//! 8. either edges are smoothed into the picture, or the picture is added to others and their average written.
//!
//! Passes over pixels run only over the part of the picture in which something lies.
//!
//! Light is computed once for each pixel, in 6, however many surfaces lie behind it: on a software adapter that is what
//! counts. There is no frame graph; a new pass goes into the list below.

use crate::gpu::Gpu;
use crate::renderer::culling::Pyramid;
use crate::renderer::halo::Halo;
use crate::renderer::objects::{Draw, Objects, Primitive};
use crate::renderer::peel::{LAYERS, Peel};
use crate::renderer::pipelines::Pipelines;
use crate::renderer::shadow::ShadowMap;
use crate::renderer::targets::Targets;
use crate::renderer::visibility::{Visibility, VisibilityPipelines};
use crate::scene::ObjectId;

/// Everything that the passes read besides the targets.
pub(crate) struct Frame<'a> {
    pub gpu: &'a Gpu,
    pub pipelines: &'a Pipelines,
    pub targets: &'a Targets,
    pub objects: &'a Objects,
    pub frame_group: &'a wgpu::BindGroup,
    pub compose_group: &'a wgpu::BindGroup,
    /// The picture that is shown.
    pub output: &'a wgpu::TextureView,
    /// Where shadows are drawn.
    pub shadow_map: Option<&'a ShadowMap>,
    /// Where transparency is exact.
    pub peel: Option<&'a Peel>,
    /// Where something is highlighted, with the group that its mask reads and the objects that it is in.
    pub halo: Option<(&'a Halo, &'a wgpu::BindGroup, &'a [ObjectId])>,
    /// Where hidden impostors are left out.
    pub pyramid: Option<&'a Pyramid>,
    /// Where small spheres are drawn by compute shaders.
    pub second_tier: Option<(&'a VisibilityPipelines, &'a Visibility)>,
    /// What the labels' pass reads and how many letters there are.
    pub words: Option<(&'a wgpu::BindGroup, u32)>,
    /// Whether the passes 1 to 4 can be left out, as the targets hold their results already.
    pub geometry_stands: bool,
    pub occlusion: bool,
    pub transparent: bool,
    /// Left, top, width, height of the part of the drawn picture that may hold anything but background.
    pub region: [u32; 4],
    /// Of the region outside: sRGB, premultiplied.
    pub background: wgpu::Color,
    /// Which of the accumulated pictures this is; `None` for a single one.
    pub accumulate: Option<u32>,
}

fn attachment(view: &wgpu::TextureView, clear: Option<wgpu::Color>) -> Option<wgpu::RenderPassColorAttachment<'_>> {
    Some(wgpu::RenderPassColorAttachment {
        view,
        depth_slice: None,
        resolve_target: None,
        ops: wgpu::Operations {
            load: clear.map_or(wgpu::LoadOp::Load, wgpu::LoadOp::Clear),
            store: wgpu::StoreOp::Store,
        },
    })
}

/// Reverse-Z: infinity is 0.
fn depth_attachment(view: &wgpu::TextureView, clear: bool) -> Option<wgpu::RenderPassDepthStencilAttachment<'_>> {
    let load = if clear { wgpu::LoadOp::Clear(0.0) } else { wgpu::LoadOp::Load };
    Some(wgpu::RenderPassDepthStencilAttachment {
        view,
        depth_ops: Some(wgpu::Operations { load, store: wgpu::StoreOp::Store }),
        stencil_ops: None,
    })
}

/// A pass over geometry.
#[derive(Clone, Copy)]
enum Pass<'a> {
    /// All of it, or the first or second phase of it.
    Opaque(Option<usize>),
    Transparent,
    Peel,
    Shadow,
    Mask(&'a [ObjectId]),
}

const ZERO: Option<wgpu::Color> = Some(wgpu::Color::TRANSPARENT);
const ONE: Option<wgpu::Color> = Some(wgpu::Color::WHITE);

impl Frame<'_> {
    /// Records and submits all passes.
    pub fn draw(&self) {
        let mut encoder =
            self.gpu.device.create_command_encoder(&wgpu::CommandEncoderDescriptor { label: Some("frame") });
        let targets = self.targets;
        if !self.geometry_stands {
            match self.pyramid {
                Some(pyramid) => {
                    if let Some((_, visibility)) = self.second_tier {
                        visibility.clear(&mut encoder);
                    }
                    self.cull(&mut encoder, pyramid, 0);
                    self.solid_geometry(&mut encoder, Pass::Opaque(Some(0)));
                    self.cull(&mut encoder, pyramid, 1);
                    self.solid_geometry(&mut encoder, Pass::Opaque(Some(1)));
                }
                None => self.solid_geometry(&mut encoder, Pass::Opaque(None)),
            }
        }
        if self.occlusion && !self.geometry_stands {
            self.fullscreen(
                &mut encoder,
                &self.pipelines.occlusion,
                &[self.frame_group, &targets.occlusion_group],
                attachment(&targets.occlusion.view, ZERO),
                Some(self.scaled_region(1, targets.key.occlusion_step)),
            );
            self.fullscreen(
                &mut encoder,
                &self.pipelines.blur,
                &[self.frame_group, &targets.blur_group],
                attachment(&targets.blurred.view, ZERO),
                Some(self.scaled_region(1, targets.key.occlusion_step)),
            );
        }
        if let Some(shadow_map) = self.shadow_map.filter(|_| !self.geometry_stands) {
            self.shadow_map(&mut encoder, shadow_map);
        }
        if self.transparent && !self.geometry_stands {
            match self.peel {
                Some(peel) => self.peeled_geometry(&mut encoder, peel),
                None => self.transparent_geometry(&mut encoder),
            }
        }
        if let Some((halo, group, objects)) = self.halo {
            self.highlights(&mut encoder, halo, group, objects);
        }
        self.fullscreen(
            &mut encoder,
            &self.pipelines.compose,
            &[self.frame_group, self.compose_group],
            attachment(&targets.composed.view, Some(self.background)),
            Some(self.region),
        );
        if let Some((group, count)) = self.words {
            self.labels(&mut encoder, group, count);
        }
        match self.accumulate {
            None => self.smooth_edges(&mut encoder),
            Some(index) => {
                let clear = if index == 0 { ZERO } else { None };
                self.fullscreen(
                    &mut encoder,
                    &self.pipelines.accumulate,
                    &[&targets.accumulate_group],
                    attachment(&targets.accumulated.view, clear),
                    None,
                );
                self.fullscreen(
                    &mut encoder,
                    &self.pipelines.resolve,
                    &[&targets.resolve_group],
                    attachment(self.output, ZERO),
                    None,
                );
            }
        }
        self.gpu.queue.submit([encoder.finish()]);
    }

    /// Finds the impostors of a phase.
    fn cull(&self, encoder: &mut wgpu::CommandEncoder, pyramid: &Pyramid, phase: usize) {
        let mut pass =
            encoder.begin_compute_pass(&wgpu::ComputePassDescriptor { label: Some("cull"), ..Default::default() });
        pass.set_bind_group(0, self.frame_group, &[]);
        if phase == 1 {
            pyramid.fill(&mut pass, self.pipelines);
        }
        for draw in self.objects.draws(|_, is_transparent| !is_transparent) {
            if let Some((culled, _)) = &draw.culled {
                if phase == 0 {
                    culled.reset(self.gpu);
                }
                let tier = self.second_tier.map(|(pipelines, _)| pipelines);
                culled.fill(self.gpu, (self.pipelines, tier), pyramid, &mut pass, phase);
            }
        }
        let Some((pipelines, visibility)) = self.second_tier else { return };
        for draw in self.objects.draws(|_, is_transparent| !is_transparent) {
            if let Some((culled, groups)) = draw.culled.as_ref().filter(|(culled, _)| culled.spheres().is_some()) {
                visibility.draw(self.gpu, pipelines, &mut pass, (culled, &groups[phase]), phase);
            }
        }
    }

    fn solid_geometry(&self, encoder: &mut wgpu::CommandEncoder, which: Pass<'_>) {
        let targets = self.targets;
        let is_first = !matches!(which, Pass::Opaque(Some(1)));
        let cleared = if is_first { ZERO } else { None };
        let mut pass = encoder.begin_render_pass(&wgpu::RenderPassDescriptor {
            label: Some("solid geometry"),
            color_attachments: &[
                attachment(&targets.albedo.view, cleared),
                attachment(&targets.normal.view, cleared),
                attachment(&targets.numbers.view, cleared),
            ],
            depth_stencil_attachment: depth_attachment(&targets.depth.view, is_first),
            ..wgpu::RenderPassDescriptor::default()
        });
        pass.set_bind_group(0, self.frame_group, &[]);
        self.draw_all(&mut pass, which);
        if let (Pass::Opaque(Some(phase)), Some((pipelines, visibility))) = (which, self.second_tier) {
            visibility.resolve(pipelines, &mut pass, phase, self.region);
        }
    }

    fn transparent_geometry(&self, encoder: &mut wgpu::CommandEncoder) {
        let targets = self.targets;
        let mut pass = encoder.begin_render_pass(&wgpu::RenderPassDescriptor {
            label: Some("transparent geometry"),
            color_attachments: &[attachment(&targets.sums.view, ZERO), attachment(&targets.covered.view, ONE)],
            depth_stencil_attachment: depth_attachment(&targets.depth.view, false),
            ..wgpu::RenderPassDescriptor::default()
        });
        pass.set_bind_group(0, self.frame_group, &[]);
        self.draw_all(&mut pass, Pass::Transparent);
    }

    fn peeled_geometry(&self, encoder: &mut wgpu::CommandEncoder, peel: &Peel) {
        for layer in 0..LAYERS {
            {
                let mut pass = encoder.begin_render_pass(&wgpu::RenderPassDescriptor {
                    label: Some("peeled geometry"),
                    color_attachments: &[attachment(&peel.layer.view, ZERO)],
                    depth_stencil_attachment: depth_attachment(&peel.depth(layer).view, true),
                    ..wgpu::RenderPassDescriptor::default()
                });
                pass.set_bind_group(0, self.frame_group, &[]);
                pass.set_bind_group(2, peel.group(layer), &[]);
                self.draw_all(&mut pass, Pass::Peel);
            }
            self.fullscreen(
                encoder,
                &self.pipelines.peel_blend,
                &[&peel.layer_group],
                attachment(&self.targets.sums.view, if layer == 0 { ZERO } else { None }),
                Some(self.region),
            );
        }
    }

    fn shadow_map(&self, encoder: &mut wgpu::CommandEncoder, shadow_map: &ShadowMap) {
        let mut pass = encoder.begin_render_pass(&wgpu::RenderPassDescriptor {
            label: Some("shadow map"),
            depth_stencil_attachment: depth_attachment(&shadow_map.map.view, true),
            ..wgpu::RenderPassDescriptor::default()
        });
        pass.set_bind_group(0, &shadow_map.group, &[]);
        self.draw_all(&mut pass, Pass::Shadow);
    }

    fn highlights(
        &self,
        encoder: &mut wgpu::CommandEncoder,
        halo: &Halo,
        group: &wgpu::BindGroup,
        objects: &[ObjectId],
    ) {
        {
            let mut pass = encoder.begin_render_pass(&wgpu::RenderPassDescriptor {
                label: Some("highlight mask"),
                color_attachments: &[attachment(&halo.mask.view, ZERO)],
                ..wgpu::RenderPassDescriptor::default()
            });
            pass.set_bind_group(0, self.frame_group, &[]);
            pass.set_bind_group(2, group, &[]);
            self.draw_all(&mut pass, Pass::Mask(objects));
        }
        for (index, step) in halo.steps.iter().enumerate() {
            self.fullscreen(
                encoder,
                &self.pipelines.flood,
                &[step],
                attachment(&halo.written(index).view, ZERO),
                Some(self.region),
            );
        }
    }

    fn labels(&self, encoder: &mut wgpu::CommandEncoder, group: &wgpu::BindGroup, count: u32) {
        let mut pass = encoder.begin_render_pass(&wgpu::RenderPassDescriptor {
            label: Some("labels"),
            color_attachments: &[attachment(&self.targets.composed.view, None)],
            ..wgpu::RenderPassDescriptor::default()
        });
        pass.set_pipeline(&self.pipelines.labels);
        pass.set_bind_group(0, self.frame_group, &[]);
        pass.set_bind_group(1, group, &[]);
        pass.draw(0..count.saturating_mul(6), 0..1);
    }

    fn draw_all(&self, pass: &mut wgpu::RenderPass<'_>, which: Pass<'_>) {
        let is_drawn = |object: ObjectId, is_transparent: bool| match which {
            Pass::Opaque(_) | Pass::Shadow => !is_transparent,
            Pass::Transparent | Pass::Peel => is_transparent,
            Pass::Mask(objects) => objects.contains(&object),
        };
        for Draw { primitive, count, copies, group, mesh, culled } in self.objects.draws(is_drawn) {
            let phase = if let Pass::Opaque(phase) = which { phase } else { None };
            if phase == Some(1) && culled.is_none() {
                continue;
            }
            let geometry = match primitive {
                Primitive::Spheres => &self.pipelines.spheres,
                Primitive::Cylinders => &self.pipelines.cylinders,
                Primitive::Mesh => &self.pipelines.meshes,
                Primitive::Surface => &self.pipelines.surfaces,
            };
            pass.set_pipeline(match which {
                Pass::Opaque(_) => &geometry.opaque,
                Pass::Transparent => &geometry.transparent,
                Pass::Peel => &geometry.peel,
                Pass::Shadow => &geometry.shadow,
                Pass::Mask(_) => &geometry.mask,
            });
            if let (Some(phase), Some((culled, groups))) = (phase, culled) {
                pass.set_bind_group(1, &groups[phase], &[]);
                pass.draw_indirect(culled.arguments(), 16 * phase as u64);
                continue;
            }
            pass.set_bind_group(1, group, &[]);
            match mesh {
                Some((vertices, indices)) => {
                    pass.set_vertex_buffer(0, vertices.slice(..));
                    pass.set_index_buffer(indices.slice(..), wgpu::IndexFormat::Uint32);
                    pass.draw_indexed(0..*count, 0, 0..*copies);
                }
                None => pass.draw(0..*count, 0..*copies),
            }
        }
    }

    fn fullscreen(
        &self,
        encoder: &mut wgpu::CommandEncoder,
        pipeline: &wgpu::RenderPipeline,
        groups: &[&wgpu::BindGroup],
        target: Option<wgpu::RenderPassColorAttachment<'_>>,
        region: Option<[u32; 4]>,
    ) {
        if region.is_some_and(|[_, _, width, height]| width == 0 || height == 0) {
            // Nothing there: the pass only clears.
            let clear = wgpu::RenderPassDescriptor { color_attachments: &[target], ..Default::default() };
            drop(encoder.begin_render_pass(&clear));
            return;
        }
        let mut pass = encoder.begin_render_pass(&wgpu::RenderPassDescriptor {
            label: Some("fullscreen"),
            color_attachments: &[target],
            ..wgpu::RenderPassDescriptor::default()
        });
        pass.set_pipeline(pipeline);
        for (index, group) in groups.iter().enumerate() {
            pass.set_bind_group(index as u32, *group, &[]);
        }
        if let Some([left, top, width, height]) = region {
            pass.set_scissor_rect(left, top, width, height);
        }
        pass.draw(0..3, 0..1);
    }

    /// Smooths the edges of the composed picture, into the output.
    fn smooth_edges(&self, encoder: &mut wgpu::CommandEncoder) {
        let Targets { key, edges, areas, smoothed, edges_group, areas_group, blend_group, scale_group, .. } =
            self.targets;
        let Pipelines { edges: find, edge_areas, edge_blend, scale, .. } = self.pipelines;
        let region = Some(self.region);
        self.fullscreen(encoder, find, &[edges_group], attachment(&edges.view, ZERO), region);
        self.fullscreen(encoder, edge_areas, &[areas_group], attachment(&areas.view, ZERO), region);
        let background = Some(self.background);
        if !key.is_scaled() {
            self.fullscreen(encoder, edge_blend, &[blend_group], attachment(self.output, background), region);
            return;
        }
        self.fullscreen(encoder, edge_blend, &[blend_group], attachment(&smoothed.view, background), region);
        let scaled = Some(self.scaled_region(key.output.0, key.drawn.0));
        self.fullscreen(encoder, scale, &[scale_group], attachment(self.output, background), scaled);
    }

    /// The region in a texture whose sides are `to / from` times the drawn picture's, rounded outwards.
    fn scaled_region(&self, to: u32, from: u32) -> [u32; 4] {
        let (to, from) = (u64::from(to), u64::from(from.max(1)));
        let drawn = self.targets.key.drawn;
        let [left, top, width, height] = self.region.map(u64::from);
        let span = |begin: u64, length: u64, whole: u32| {
            if length == 0 {
                return (0, 0);
            }
            let limit = (u64::from(whole) * to).div_ceil(from);
            let low = begin * to / from;
            let high = ((begin + length) * to).div_ceil(from).min(limit);
            (low as u32, high.saturating_sub(low) as u32)
        };
        let ((x, width), (y, height)) = (span(left, width, drawn.0), span(top, height, drawn.1));
        [x, y, width, height]
    }
}
