//! The renderer: from a scene and a camera to a texture, a picked atom or an image.

mod building;
mod culling;
mod fingerprint;
mod frame;
mod halo;
mod image;
mod objects;
mod peel;
mod pick;
mod pipelines;
mod shadow;
mod targets;
pub(crate) mod uniforms;
mod visibility;
mod words;

use std::sync::Arc;

use glam::{Mat4, UVec4, Vec2, Vec3, Vec4};

use crate::camera::Camera;
use crate::error::ViewerError;
use crate::gpu::Gpu;
use crate::scene::{ObjectId, Scene};
use crate::settings::{Lighting, Quality, RenderSettings};
use culling::Pyramid;
use fingerprint::{Fingerprint, fingerprint};
use frame::Frame;
use halo::Halo;
use objects::{NumberRange, Objects, is_transparent};
use peel::Peel;
use pick::PickState;
use pipelines::{DEPTH_FORMAT, FLOOD_FORMAT, MASK_FORMAT, PICTURE_FORMAT, Pipelines};
use shadow::{Light, ShadowMap};
use targets::{Target, Targets, TargetsKey, texture, texture_entry};
use uniforms::FrameUniform;
use visibility::{Visibility, VisibilityPipelines};
use words::Words;

pub use image::Progress;
pub use pick::Pick;
pub use visibility::Tier;

/// Radii within which occlusion is looked for, Å: crevices between atoms, pockets and domains.
const SMALL_OCCLUSION_RADIUS: f32 = 2.2;
const LARGE_OCCLUSION_RADIUS: f32 = 9.0;
/// The farthest that occlusion is looked for on the screen, of the picture's height; as in `ambient_occlusion.wgsl`.
const MOST_OCCLUSION_REACH: f32 = 0.22;

/// Called from a worker thread when a new picture is worth drawing.
pub(crate) type Waker = Arc<dyn Fn() + Send + Sync>;

/// Draws scenes. One for each view that is shown; it holds the device's buffers of the scene it drew last.
pub struct Renderer {
    gpu: Gpu,
    pipelines: Pipelines,
    objects: Objects,
    frame_uniform: wgpu::Buffer,
    frame_group: wgpu::BindGroup,
    highlights: wgpu::Buffer,
    targets: Option<Targets>,
    nothing: Nothing,
    halo: Option<Halo>,
    peel: Option<Peel>,
    shadow_map: Option<ShadowMap>,
    words: Option<Words>,
    pyramid: Option<Pyramid>,
    tier: Tier,
    /// Made when the first small spheres are drawn.
    second_tier: Option<(VisibilityPipelines, Option<Visibility>)>,
    output: Option<Output>,
    generation: u64,
    drawn: Option<Drawn>,
    pick: PickState,
    waker: Waker,
}

/// Textures of one pixel that stand where a pass is left out.
struct Nothing {
    depth: Target,
    mask: Target,
    nearest: Target,
}

/// Which part of a picture is drawn, in pixels: all of it, or a tile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Part {
    /// Size of the picture.
    pub whole: (u32, u32),
    /// Left and top.
    pub origin: (u32, u32),
    /// Width and height.
    pub size: (u32, u32),
}

impl Part {
    /// All of a picture.
    pub const fn all(size: (u32, u32)) -> Self {
        Self { whole: size, origin: (0, 0), size }
    }
}

/// The texture that is shown.
struct Output {
    size: (u32, u32),
    target: Target,
}

/// What the output shows.
struct Drawn {
    fingerprint: Fingerprint,
    /// Keeps every list alive whose address is in the fingerprint.
    _scene: Scene,
    /// Pictures accumulated so far.
    samples: u32,
    wanted_samples: u32,
    pending: bool,
}

impl Renderer {
    /// A renderer on a device.
    ///
    /// # Errors
    /// When the device refuses a shader or runs out of memory.
    pub fn new(gpu: Gpu) -> Result<Self, ViewerError> {
        let tier = Tier::suited(&gpu);
        Self::with_tier(gpu, tier)
    }

    /// As [`Self::new`], with the way in which small spheres are drawn.
    ///
    /// # Errors
    /// As [`Self::new`], and when the device cannot draw them so.
    pub fn with_tier(gpu: Gpu, tier: Tier) -> Result<Self, ViewerError> {
        tier.check(&gpu)?;
        let (pipelines, frame_uniform, frame_group, highlights, nothing) =
            gpu.guarded("preparing the renderer", |gpu| {
                let pipelines = Pipelines::new(gpu);
                let frame_uniform = gpu.device.create_buffer(&wgpu::BufferDescriptor {
                    label: Some("frame"),
                    size: size_of::<FrameUniform>() as u64,
                    usage: wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST,
                    mapped_at_creation: false,
                });
                let frame_group = gpu.device.create_bind_group(&wgpu::BindGroupDescriptor {
                    label: Some("frame"),
                    layout: &pipelines.frame_layout,
                    entries: &[wgpu::BindGroupEntry { binding: 0, resource: frame_uniform.as_entire_binding() }],
                });
                let highlights = highlight_buffer(gpu, &[]);
                let nothing = Nothing {
                    depth: texture(gpu, "no depth", (1, 1), DEPTH_FORMAT),
                    mask: texture(gpu, "no mask", (1, 1), MASK_FORMAT),
                    nearest: texture(gpu, "no flood", (1, 1), FLOOD_FORMAT),
                };
                Ok((pipelines, frame_uniform, frame_group, highlights, nothing))
            })?;
        Ok(Self {
            gpu,
            pipelines,
            objects: Objects::default(),
            frame_uniform,
            frame_group,
            highlights,
            targets: None,
            nothing,
            halo: None,
            peel: None,
            shadow_map: None,
            words: None,
            pyramid: None,
            tier,
            second_tier: None,
            output: None,
            generation: 0,
            drawn: None,
            pick: PickState::default(),
            waker: Arc::new(|| {}),
        })
    }

    /// Goes on with a device opened anew after the one before was lost. The next picture uploads everything again. Of a window,
    /// whose device is the window's own, a renderer must be made on its new one instead.
    ///
    /// # Errors
    /// When no adapter answers, or the new device refuses.
    pub fn reopen(&mut self) -> Result<(), ViewerError> {
        let gpu = Gpu::headless()?;
        let tier = if self.tier.is_supported(&gpu) { self.tier } else { Tier::suited(&gpu) };
        let waker = Arc::clone(&self.waker);
        *self = Self { waker, generation: self.generation + 1, ..Self::with_tier(gpu, tier)? };
        Ok(())
    }

    /// The device it draws with.
    #[must_use]
    pub fn gpu(&self) -> &Gpu {
        &self.gpu
    }

    /// Sets what is called, from a worker thread, when a cartoon has been built and `render` would draw something new:
    /// a window asks for a repaint here.
    pub fn set_waker(&mut self, waker: impl Fn() + Send + Sync + 'static) {
        self.waker = Arc::new(waker);
    }

    /// Draws the scene into a texture of this size in pixels (`Rgba8Unorm` holding sRGB codes, as egui expects).
    /// Draws nothing when the texture shows the scene already. Cartoons that are not ready appear in a later picture:
    /// see [`Self::set_waker`] and [`Self::needs_render`].
    ///
    /// # Errors
    /// When the size cannot be drawn, an object is inconsistent, memory runs out or the device is lost.
    pub fn render(
        &mut self,
        scene: &Scene,
        camera: &Camera,
        size: (u32, u32),
        settings: &RenderSettings,
    ) -> Result<&wgpu::TextureView, ViewerError> {
        self.draw(scene, camera, Part::all(size), settings, false)?;
        self.output
            .as_ref()
            .map(|output| &output.target.view)
            .ok_or(ViewerError::Refused { doing: "drawing", reason: "there is no texture to show".into() })
    }

    /// Whether [`Self::render`] with these arguments would draw: something changed, a cartoon came in, or the picture
    /// is still being refined.
    #[must_use]
    pub fn needs_render(&self, scene: &Scene, camera: &Camera, size: (u32, u32), settings: &RenderSettings) -> bool {
        let settings = settings.sane();
        self.drawn.as_ref().is_none_or(|drawn| {
            drawn.fingerprint != fingerprint(scene, camera, Part::all(size), &settings)
                || drawn.samples < drawn.wanted_samples
                || self.objects.has_news()
        })
    }

    /// Whether cartoons of the last scene are still being built.
    #[must_use]
    pub fn is_building(&self) -> bool {
        self.drawn.as_ref().is_some_and(|drawn| drawn.pending)
    }

    /// Changes whenever [`Self::render`] returns another texture than before; then it must be registered anew with the
    /// window.
    #[must_use]
    pub fn texture_generation(&self) -> u64 {
        self.generation
    }

    /// Draws unless the output shows all of this already.
    fn draw(
        &mut self,
        scene: &Scene,
        camera: &Camera,
        part: Part,
        settings: &RenderSettings,
        wait: bool,
    ) -> Result<(), ViewerError> {
        let limit = self.gpu.max_side();
        let (width, height) = part.size;
        if width == 0 || height == 0 || width > limit || height > limit {
            return Err(ViewerError::Size { width, height, limit });
        }
        let settings = settings.sane();
        let current = fingerprint(scene, camera, part, &settings);
        let news = self.objects.has_news();
        let mut sample = 0;
        if let Some(drawn) = &self.drawn
            && drawn.fingerprint == current
            && !news
            && !(wait && drawn.pending)
        {
            if drawn.samples >= drawn.wanted_samples {
                return self.gpu.check_lost();
            }
            sample = drawn.samples;
        }
        let gpu = self.gpu.clone();
        let view = View { scene, camera, part, settings: &settings };
        let result = gpu.guarded("drawing", |gpu| self.draw_sample(gpu, &view, wait, sample, current));
        if result.is_err() {
            // What the textures hold is not known: the next picture is drawn whole.
            self.drawn = None;
        }
        result
    }

    fn draw_sample(
        &mut self,
        gpu: &Gpu,
        view: &View<'_>,
        wait: bool,
        sample: u32,
        current: Fingerprint,
    ) -> Result<(), ViewerError> {
        let View { scene, camera, part, settings } = *view;
        let had_news = self.objects.has_news();
        let pending = if sample == 0 {
            let waker = Arc::clone(&self.waker);
            let pending = self.objects.update(gpu, &self.pipelines, scene, &waker, wait)?;
            self.update_highlights(gpu, scene);
            if !scene.labels.is_empty() {
                self.words.get_or_insert_with(|| Words::new(gpu)).update(gpu, &scene.labels);
            }
            pending
        } else {
            self.drawn.as_ref().is_some_and(|drawn| drawn.pending)
        };
        let transparent = scene
            .objects
            .iter()
            .filter(|object| object.visible)
            .flat_map(|object| &object.representations)
            .any(|representation| representation.visible && is_transparent(representation));
        // A picture that is not complete is not refined either.
        let wanted_samples = if pending { 1 } else { settings.samples };
        let scaled = |side: u32| ((side as f32 * settings.resolution_scale).round() as u32).max(1);
        let accumulated = wanted_samples > 1;
        let is_tile = part.size != part.whole;
        let size = part.size;
        let drawn = if accumulated || is_tile { size } else { (scaled(size.0), scaled(size.1)) };
        let key = TargetsKey {
            drawn,
            output: size,
            occlusion_step: if settings.quality == Quality::High { 1 } else { 2 },
            transparent,
            accumulated,
        };
        // A single picture of which only the highlights changed is composed anew from the geometry that is there.
        let mut geometry_stands = !accumulated
            && !had_news
            && !wait
            && self.drawn.as_ref().is_some_and(|drawn| drawn.fingerprint.base == current.base);
        if self.targets.as_ref().is_none_or(|targets| targets.key != key) {
            geometry_stands = false;
            self.targets = None;
            self.peel = None;
            self.pyramid = None;
            self.targets = Some(Targets::new(gpu, &self.pipelines, key));
        }
        if self.output.as_ref().is_none_or(|output| output.size != size) {
            self.output = Some(Output { size, target: texture(gpu, "picture", size, PICTURE_FORMAT) });
            self.generation += 1;
        }
        let exact = transparent && settings.quality == Quality::High;
        let highlighted: Vec<ObjectId> =
            scene.selected.iter().chain(&scene.hovered).map(|(object, _)| *object).collect();
        self.prepare_effects(gpu, drawn, settings, exact, !highlighted.is_empty());
        // Pictures to keep are drawn without: see there.
        let culls = !wait && self.objects.draws(|_, is_transparent| !is_transparent).any(|draw| draw.culled.is_some());
        if let Some(targets) = self.targets.as_ref().filter(|_| culls && self.pyramid.is_none()) {
            self.pyramid = Some(Pyramid::new(gpu, &self.pipelines, drawn, &targets.depth));
        }
        let small = if culls { self.prepare_second_tier(gpu, view, drawn) } else { false };
        let (Some(targets), Some(output)) = (&self.targets, &self.output) else {
            return Err(ViewerError::Refused { doing: "drawing", reason: "no textures".into() });
        };
        let bounds = self.objects.bounds();
        let shadow_map = self.shadow_map.as_ref().filter(|_| settings.shadows > 0.0);
        let aspect = part.whole.0 as f32 / part.whole.1 as f32;
        let light = shadow_map.map(|shadow_map| {
            let light = shadow_map.light(camera, &bounds, aspect, settings);
            shadow_map.write(gpu, &light);
            light
        });
        let shown = Shown {
            drawn,
            sample,
            accumulated,
            highlighted: !highlighted.is_empty(),
            transparency: u32::from(transparent) + u32::from(exact),
        };
        let uniform = frame_uniform(view, &shown, light.as_ref());
        gpu.queue.write_buffer(&self.frame_uniform, 0, bytemuck::bytes_of(&uniform));
        if accumulated {
            let weight = Vec4::X / wanted_samples as f32;
            let scale = Vec4::X * (wanted_samples as f32 / (sample + 1) as f32);
            gpu.queue.write_buffer(&targets.accumulate_uniform, 0, bytemuck::bytes_of(&weight));
            gpu.queue.write_buffer(&targets.resolve_uniform, 0, bytemuck::bytes_of(&scale));
        }
        let halo = self.halo.as_ref().filter(|_| !highlighted.is_empty());
        let compose_group = targets.compose_group(
            gpu,
            &self.pipelines,
            halo.map_or(&self.nothing.mask, |halo| &halo.mask),
            halo.map_or(&self.nothing.nearest, Halo::nearest),
            shadow_map.map_or(&self.nothing.depth, |shadow_map| &shadow_map.map),
        );
        let mask_group = gpu.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some("mask"),
            layout: &self.pipelines.mask_layout,
            entries: &[
                wgpu::BindGroupEntry { binding: 2, resource: self.highlights.as_entire_binding() },
                texture_entry(3, &targets.depth),
            ],
        });
        let words = self.words.as_ref().filter(|words| !scene.labels.is_empty() && words.count > 0);
        let label_group = words.map(|words| (words.group(gpu, &self.pipelines, &targets.depth), words.count));
        let region = if words.is_some() {
            // Words reach beyond what they name.
            [0, 0, drawn.0, drawn.1]
        } else {
            region(camera, &bounds, part, drawn, settings.line_scale)
        };
        Frame {
            gpu,
            pipelines: &self.pipelines,
            targets,
            objects: &self.objects,
            frame_group: &self.frame_group,
            compose_group: &compose_group,
            output: &output.target.view,
            shadow_map,
            peel: self.peel.as_ref().filter(|_| exact),
            halo: halo.map(|halo| (halo, &mask_group, highlighted.as_slice())),
            pyramid: self.pyramid.as_ref().filter(|_| culls),
            second_tier: self
                .second_tier
                .as_ref()
                .filter(|_| small)
                .and_then(|(pipelines, visibility)| Some((pipelines, visibility.as_ref()?))),
            geometry_stands,
            occlusion: settings.ambient_occlusion > 0.0,
            transparent,
            region,
            words: label_group.as_ref().map(|(group, count)| (group, *count)),
            background: background_code(settings),
            accumulate: accumulated.then_some(sample),
        }
        .draw();
        self.drawn =
            Some(Drawn { fingerprint: current, _scene: scene.clone(), samples: sample + 1, wanted_samples, pending });
        Ok(())
    }

    /// Makes what draws small spheres; whether there are any to draw so.
    fn prepare_second_tier(&mut self, gpu: &Gpu, view: &View<'_>, drawn: (u32, u32)) -> bool {
        if self.tier == Tier::Triangles {
            return false;
        }
        let scale = view.camera.projection_scale(view.part.whole.0 as f32 / view.part.whole.1 as f32);
        let pixel_slope = 2.0 / (scale.y * drawn.1 as f32);
        let count = self.objects.small_spheres(gpu, view.camera, pixel_slope);
        if count == 0 {
            return false;
        }
        let (pipelines, visibility) =
            self.second_tier.get_or_insert_with(|| (VisibilityPipelines::new(gpu, &self.pipelines), None));
        if visibility.as_ref().is_none_or(|held| !held.fits(drawn, count)) {
            // The old one goes before the new one comes.
            *visibility = None;
            *visibility = Visibility::new(gpu, pipelines, drawn, count);
        }
        visibility.is_some()
    }

    /// Makes the textures of the effects that are wanted and lets go of the others' that depend on the size.
    fn prepare_effects(
        &mut self,
        gpu: &Gpu,
        drawn: (u32, u32),
        settings: &RenderSettings,
        exact: bool,
        highlighted: bool,
    ) {
        if settings.shadows > 0.0 && self.shadow_map.is_none() {
            self.shadow_map = Some(ShadowMap::new(gpu, &self.pipelines));
        }
        // Kept while nothing is highlighted: the pointer comes and goes.
        let fits = |halo: &Halo| halo.size == drawn && halo.line_scale == settings.line_scale;
        if self.halo.as_ref().is_some_and(|halo| !fits(halo)) {
            self.halo = None;
        }
        if highlighted && self.halo.is_none() {
            self.halo = Some(Halo::new(gpu, &self.pipelines, drawn, settings.line_scale));
        }
        if !exact || self.peel.as_ref().is_some_and(|peel| peel.size != drawn) {
            self.peel = None;
        }
        if let Some(targets) = self.targets.as_ref().filter(|_| exact && self.peel.is_none()) {
            self.peel = Some(Peel::new(gpu, &self.pipelines, drawn, &targets.depth, &self.nothing.depth));
        }
    }

    /// Two bits for each atom of the picture: selected, hovered.
    fn update_highlights(&mut self, gpu: &Gpu, scene: &Scene) {
        if scene.selected.is_empty() && scene.hovered.is_empty() {
            return;
        }
        let total = self.objects.numbers.last().map_or(0, NumberRange::end);
        let mut words = vec![0_u32; total.div_ceil(16).max(1)];
        for (list, bit) in [(&scene.selected, 1_u32), (&scene.hovered, 2)] {
            for (id, atoms) in list {
                let Some(range) = self.objects.numbers.iter().find(|range| range.object == *id) else { continue };
                let Some(object) = scene.objects.iter().find(|object| object.id == *id) else { continue };
                for atom in atoms.indices(&object.topology).into_iter().filter(|atom| *atom < range.count) {
                    for copy in 0..range.copies {
                        let number = range.first + copy * range.count + atom;
                        if let Some(word) = words.get_mut(number as usize / 16) {
                            *word |= bit << (2 * (number % 16));
                        }
                    }
                }
            }
        }
        self.highlights = highlight_buffer(gpu, &words);
    }
}

fn highlight_buffer(gpu: &Gpu, words: &[u32]) -> wgpu::Buffer {
    let buffer = gpu.device.create_buffer(&wgpu::BufferDescriptor {
        label: Some("highlights"),
        size: (words.len().max(4) * 4) as u64,
        usage: wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_DST,
        mapped_at_creation: false,
    });
    gpu.queue.write_buffer(&buffer, 0, bytemuck::cast_slice(words));
    buffer
}

/// Place of a sample within the pixel, -0.5 to 0.5: the Halton sequence in bases 2 and 3, the first in the middle.
fn sample_offset(index: u32) -> (f32, f32) {
    fn radical_inverse(mut index: u32, base: u32) -> f32 {
        let (mut value, mut digit) = (0.0, 1.0 / base as f32);
        while index > 0 {
            value += (index % base) as f32 * digit;
            index /= base;
            digit /= base as f32;
        }
        value
    }
    if index == 0 {
        return (0.0, 0.0);
    }
    (radical_inverse(index, 2) - 0.5, radical_inverse(index, 3) - 0.5)
}

/// What is asked for.
#[derive(Clone, Copy)]
struct View<'a> {
    scene: &'a Scene,
    camera: &'a Camera,
    part: Part,
    settings: &'a RenderSettings,
}

/// What the passes are told besides.
struct Shown {
    /// Pixels that are drawn.
    drawn: (u32, u32),
    sample: u32,
    accumulated: bool,
    highlighted: bool,
    /// 0 none, 1 weighted and blended, 2 exact.
    transparency: u32,
}

fn frame_uniform(view: &View<'_>, shown: &Shown, light: Option<&Light>) -> FrameUniform {
    let View { camera, part, settings, .. } = view;
    let (width, height) = (shown.drawn.0 as f32, shown.drawn.1 as f32);
    let scale = camera.projection_scale(part.whole.0 as f32 / part.whole.1 as f32);
    // The whole picture in units of what is drawn of it, and where that lies in it.
    let share = Vec2::new(part.whole.0 as f32 / part.size.0 as f32, part.whole.1 as f32 / part.size.1 as f32);
    let begin = Vec2::new(part.origin.0 as f32 / part.size.0 as f32, part.origin.1 as f32 / part.size.1 as f32);
    let (x, y) = if shown.accumulated { sample_offset(shown.sample) } else { (0.0, 0.0) };
    let shift =
        Vec2::new(share.x - 1.0 - 2.0 * begin.x + 2.0 * x / width, 1.0 - share.y + 2.0 * begin.y + 2.0 * y / height);
    let whole_height = height * share.y;
    let background = settings.background.to_linear();
    // The cue begins at what the camera looks at and spans about what the picture is wide.
    let half_height = camera.distance * (0.5 * camera.vertical_fov).tan();
    let fog_start = camera.distance - 0.25 * half_height;
    let fog_range = (2.2 * half_height).max(10.0);
    let line_scale = settings.line_scale * whole_height / part.whole.1 as f32;
    FrameUniform {
        view_from_world: camera.view_from_world_matrix().to_cols_array_2d(),
        projection: Vec4::new(scale.x * share.x, scale.y * share.y, camera.near(), 2.0 / (scale.y * whole_height)),
        viewport: Vec4::new(shift.x, shift.y, width, height),
        background: background.extend(if settings.transparent_background { 0.0 } else { 1.0 }),
        fog: Vec4::new(fog_start, 1.0 / fog_range, settings.depth_cue, whole_height),
        occlusion: Vec4::new(
            settings.ambient_occlusion,
            SMALL_OCCLUSION_RADIUS,
            LARGE_OCCLUSION_RADIUS,
            shown.sample as f32 * 2.1,
        ),
        style: Vec4::new(
            (settings.silhouette_width * line_scale).min(16.0),
            1.0,
            match settings.lighting {
                Lighting::Studio => 0.0,
                Lighting::Soft => 1.0,
                Lighting::Flat => 2.0,
            },
            line_scale,
        ),
        counts: UVec4::new(
            match settings.quality {
                Quality::Draft => 4,
                Quality::Normal => 7,
                Quality::High => 12,
            },
            if settings.quality == Quality::High { 1 } else { 2 },
            u32::from(shown.highlighted),
            shown.transparency,
        ),
        light_from_view: light.map_or(Mat4::IDENTITY, |light| light.light_from_view).to_cols_array_2d(),
        light: light.map_or(Vec4::ZERO, |light| light.light),
        light_shape: light.map_or(Vec4::ZERO, |light| light.shape),
        cut: Vec4::ZERO,
        plain_background: {
            let wgpu::Color { r, g, b, a } = background_code(settings);
            Vec4::new(r as f32, g as f32, b as f32, a as f32)
        },
    }
}

/// The background as it is written: sRGB, premultiplied.
fn background_code(settings: &RenderSettings) -> wgpu::Color {
    if settings.transparent_background {
        return wgpu::Color::TRANSPARENT;
    }
    let [r, g, b] = settings.background.to_vec3().to_array().map(f64::from);
    wgpu::Color { r, g, b, a: 1.0 }
}

/// Left, top, width and height of the part of what is drawn that holds these spheres, with room for lines and outlines.
fn region(camera: &Camera, spheres: &[(Vec3, f32)], part: Part, drawn: (u32, u32), line_scale: f32) -> [u32; 4] {
    let margin = 4.0 + 8.0 * line_scale;
    // Pixels drawn for one of the picture: less than one in a view that moves.
    let scale = drawn.0 as f32 / part.size.0 as f32;
    let whole = Vec2::new(part.whole.0 as f32, part.whole.1 as f32);
    let mut held = [f32::INFINITY, f32::INFINITY, f32::NEG_INFINITY, f32::NEG_INFINITY];
    for &(center, radius) in spheres {
        if !center.is_finite() || !radius.is_finite() {
            // Atoms at no place are not drawn, but the sphere around the others is not known.
            return [0, 0, drawn.0, drawn.1];
        }
        if let Some([left, top, right, bottom]) = camera.screen_bounds(center, radius, whole) {
            held = [held[0].min(left), held[1].min(top), held[2].max(right), held[3].max(bottom)];
        }
    }
    if held[0] > held[2] {
        return [0; 4];
    }
    let span = |low: f32, high: f32, origin: u32, side: u32| {
        let place = |value: f32| (value - origin as f32) * scale;
        let begin = ((place(low) - margin).floor().max(0.0) as u32).min(side);
        let end = ((place(high) + margin).ceil().max(0.0) as u32).min(side);
        (begin, end.saturating_sub(begin))
    };
    let (left, width) = span(held[0], held[2], part.origin.0, drawn.0);
    let (top, height) = span(held[1], held[3], part.origin.1, drawn.1);
    [left, top, width, height]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lost_device_is_reported_as_such() {
        let gpu = Gpu::headless().unwrap();
        let mut renderer = Renderer::new(gpu.clone()).unwrap();
        let mut draw =
            || renderer.render(&Scene::default(), &Camera::default(), (16, 16), &RenderSettings::default()).map(|_| ());
        draw().unwrap();
        gpu.device.destroy();
        // The callback may come with the next call.
        let _ = gpu.wait();
        assert!(matches!(draw(), Err(ViewerError::DeviceLost { .. })));
    }

    #[test]
    fn a_lost_device_is_survived() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../samples/adenylate-kinase/closed.pdb");
        let structure = kfold_molecule::formats::read_structure(std::path::Path::new(file)).unwrap();
        // Something of every kind: ribbons, many spheres, a surface.
        let style = crate::SurfaceStyle { spacing: 1.0, ..crate::SurfaceStyle::gaussian() };
        let object = crate::Object::new(1, structure.first().unwrap())
            .with(crate::Representation::cartoon())
            .with(crate::Representation::spheres(0.4))
            .with(crate::Representation::surface(style).with_opacity(0.5));
        let camera = Camera::looking_at(&object.positions, 1.5);
        let scene = Scene { objects: vec![object], ..Scene::default() };
        let settings = RenderSettings { shadows: 0.5, ..RenderSettings::default() };
        let mut renderer = Renderer::new(Gpu::headless().unwrap()).unwrap();
        let before = renderer.render_to_image(&scene, &camera, 96, 64, &settings).unwrap();
        let generation = renderer.texture_generation();
        renderer.gpu().device.destroy();
        let _ = renderer.gpu().wait();
        let lost = renderer.render_to_image(&Scene::default(), &camera, 96, 64, &settings);
        assert!(matches!(lost, Err(ViewerError::DeviceLost { .. })));
        // Again and again it says so, and does not hang.
        assert!(renderer.render_to_image(&scene, &camera, 96, 64, &settings).is_err());
        assert!(renderer.pick(40.0, 30.0).is_err());
        renderer.reopen().unwrap();
        let after = renderer.render_to_image(&scene, &camera, 96, 64, &settings).unwrap();
        assert!(before == after, "the picture is another than before");
        assert!(renderer.texture_generation() > generation, "a window registers the new texture");
        assert!(after.pixels().any(|pixel| pixel.0 != after.get_pixel(0, 0).0), "something is drawn");
    }

    #[test]
    fn samples_stay_in_their_pixel_and_average_to_its_middle() {
        let places: Vec<_> = (0..16).map(sample_offset).collect();
        assert!(places.iter().all(|(x, y)| x.abs() <= 0.5 && y.abs() <= 0.5));
        let mean = places.iter().map(|place| place.0).sum::<f32>() / 16.0;
        assert!(mean.abs() < 0.05, "{mean}");
    }
}
