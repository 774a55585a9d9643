//! The second tier: spheres of a few pixels are drawn by a compute shader into a buffer of 64-bit numbers
//! (`shaders/impostors/small_sphere.wgsl` says how), where triangles would cost more than what they cover.
//!
//! Culling sorts what it lets through into large and small. What the buffer holds is written into the same textures as the
//! other impostors, so that every later pass, and picking, does not know the difference. Of two spheres equally deep in a pixel
//! the one that is seen is left to chance, as with everything culled: pictures to keep are drawn without.

use crate::error::ViewerError;
use crate::gpu::Gpu;
use crate::renderer::culling::Culled;
use crate::renderer::pipelines::{Cull, Maker, Pipelines, STORAGE, WRITTEN_STORAGE, entry, solid_targets};

/// How spheres of a few pixels are drawn in live pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tier {
    /// As triangles, like all others.
    Triangles,
    /// By a compute shader; needs 64-bit atomic operations.
    Compute,
}

/// Spheres of at most so many pixels across are small. The processor is slow at setting up triangles and has no trouble with
/// threads that take unequally long (`docs/benchmarks.md`); of a graphics card it is the other way round.
fn small_pixels(gpu: &Gpu) -> f32 {
    if gpu.is_software() { 24.0 } else { 8.0 }
}

/// Bytes of a sphere that may be seen, and of their count.
const SPHERE_BYTES: u64 = 32;
const HEADER_BYTES: u64 = 16;

impl Tier {
    /// What the tier of compute shaders asks of a device.
    pub const FEATURES: wgpu::Features =
        wgpu::Features::SHADER_INT64.union(wgpu::Features::SHADER_INT64_ATOMIC_MIN_MAX);

    /// Whether a device can.
    #[must_use]
    pub fn is_supported(self, gpu: &Gpu) -> bool {
        self == Self::Triangles
            || (gpu.device.features().contains(Self::FEATURES) && crate::renderer::culling::is_supported(gpu))
    }

    /// The faster one for a device.
    #[must_use]
    pub fn suited(gpu: &Gpu) -> Self {
        if Self::Compute.is_supported(gpu) { Self::Compute } else { Self::Triangles }
    }

    pub(crate) fn check(self, gpu: &Gpu) -> Result<(), ViewerError> {
        if self.is_supported(gpu) {
            return Ok(());
        }
        Err(ViewerError::Unsupported {
            adapter: gpu.info.name.clone(),
            backend: gpu.info.backend.to_string(),
            missing: "small spheres by compute shaders need 64-bit atomic operations".into(),
        })
    }
}

/// Whether a sphere of this radius, so far away (Å), is small where one pixel has this slope.
pub(crate) fn is_small(gpu: &Gpu, radius: f32, depth: f32, pixel_slope: f32) -> bool {
    2.0 * radius <= small_pixels(gpu) * depth * pixel_slope
}

/// Pipelines of the second tier.
pub(crate) struct VisibilityPipelines {
    written_layout: wgpu::BindGroupLayout,
    read_layout: wgpu::BindGroupLayout,
    arguments_layout: wgpu::BindGroupLayout,
    /// As those of the first tier, but they sort small spheres out.
    pub cull_spheres: Cull,
    pub cull_ends: Cull,
    draw: [wgpu::ComputePipeline; 2],
    resolve: [wgpu::RenderPipeline; 2],
}

impl VisibilityPipelines {
    pub fn new(gpu: &Gpu, pipelines: &Pipelines) -> Self {
        let maker = Maker { device: &gpu.device };
        let (compute, fragment) = (wgpu::ShaderStages::COMPUTE, wgpu::ShaderStages::FRAGMENT);
        let written_layout =
            maker.layout("visibility", &[entry(0, compute, WRITTEN_STORAGE), entry(1, compute, WRITTEN_STORAGE)]);
        let read_layout = maker.layout("visible", &[entry(0, fragment, STORAGE), entry(1, fragment, STORAGE)]);
        let arguments_layout = maker.layout("small spheres", &[entry(0, compute, STORAGE)]);
        let frame = &pipelines.frame_layout;
        let cull = |constants: &[(&str, f64)]| {
            let groups = [frame, &pipelines.cull_layout];
            let make = |entry_point| maker.compute(&groups, "impostors/cull_sphere.wgsl", entry_point, constants);
            Cull { early: make("cull_early"), late: make("cull_late") }
        };
        let small = f64::from(small_pixels(gpu));
        let draw = [0.0, 1.0].map(|phase| {
            maker.compute(
                &[frame, &pipelines.draw_layout, &written_layout, &arguments_layout],
                "impostors/small_sphere.wgsl",
                "draw_small_spheres",
                &[("PHASE", phase)],
            )
        });
        let resolve = [0.0, 1.0].map(|phase| {
            maker.fullscreen_with_depth(
                &[Some(frame), None, Some(&read_layout)],
                "post/visibility.wgsl",
                "visibility_fragment",
                &solid_targets(),
                &[("PHASE", phase)],
            )
        });
        Self {
            cull_spheres: cull(&[("SMALL", small)]),
            cull_ends: cull(&[("SMALL", small), ("THINS", 0.0)]),
            written_layout,
            read_layout,
            arguments_layout,
            draw,
            resolve,
        }
    }
}

/// The buffers of the second tier for one size of picture.
pub(crate) struct Visibility {
    size: (u32, u32),
    wanted: u64,
    visible: wgpu::Buffer,
    spheres: wgpu::Buffer,
    written: wgpu::BindGroup,
    read: wgpu::BindGroup,
}

impl Visibility {
    /// For pictures of this size with up to so many small spheres, of which more than pixels are not seen; `None` where the device has no such buffers.
    pub fn new(gpu: &Gpu, pipelines: &VisibilityPipelines, size: (u32, u32), wanted: u64) -> Option<Self> {
        let limits = gpu.device.limits();
        let most = limits.max_storage_buffer_binding_size.min(limits.max_buffer_size);
        let pixels = u64::from(size.0) * u64::from(size.1);
        let capacity = wanted.min(pixels).min((most.saturating_sub(HEADER_BYTES)) / SPHERE_BYTES);
        let bytes = [pixels * 8, HEADER_BYTES + capacity * SPHERE_BYTES];
        if bytes.iter().any(|bytes| *bytes > most) {
            return None;
        }
        let [visible, spheres] = bytes.map(|size| {
            gpu.device.create_buffer(&wgpu::BufferDescriptor {
                label: Some("visible spheres"),
                size,
                usage: wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::COPY_SRC,
                mapped_at_creation: false,
            })
        });
        let group = |layout| {
            gpu.device.create_bind_group(&wgpu::BindGroupDescriptor {
                label: Some("visible spheres"),
                layout,
                entries: &[
                    wgpu::BindGroupEntry { binding: 0, resource: visible.as_entire_binding() },
                    wgpu::BindGroupEntry { binding: 1, resource: spheres.as_entire_binding() },
                ],
            })
        };
        let (written, read) = (group(&pipelines.written_layout), group(&pipelines.read_layout));
        Some(Self { size, wanted, visible, spheres, written, read })
    }

    /// Whether it does for such pictures.
    pub fn fits(&self, size: (u32, u32), wanted: u64) -> bool {
        self.size == size && self.wanted >= wanted
    }

    /// Empties it.
    pub fn clear(&self, encoder: &mut wgpu::CommandEncoder) {
        encoder.clear_buffer(&self.visible, 0, None);
        encoder.clear_buffer(&self.spheres, 0, Some(HEADER_BYTES));
    }

    /// Draws the small spheres of a list that was filled in this phase; `group` is what draws the list.
    pub fn draw(
        &self,
        gpu: &Gpu,
        pipelines: &VisibilityPipelines,
        pass: &mut wgpu::ComputePass<'_>,
        (culled, group): (&Culled, &wgpu::BindGroup),
        phase: usize,
    ) {
        let arguments = gpu.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some("small spheres"),
            layout: &pipelines.arguments_layout,
            entries: &[wgpu::BindGroupEntry { binding: 0, resource: culled.arguments().as_entire_binding() }],
        });
        pass.set_pipeline(&pipelines.draw[phase]);
        pass.set_bind_group(1, group, &[]);
        pass.set_bind_group(2, &self.written, &[]);
        pass.set_bind_group(3, &arguments, &[]);
        pass.dispatch_workgroups_indirect(culled.arguments(), Culled::SMALL_ARGUMENTS + 16 * phase as u64);
    }

    /// Writes what this phase added into the textures of solid geometry, within left, top, width, height.
    pub fn resolve(
        &self,
        pipelines: &VisibilityPipelines,
        pass: &mut wgpu::RenderPass<'_>,
        phase: usize,
        [left, top, width, height]: [u32; 4],
    ) {
        if width == 0 || height == 0 {
            return;
        }
        pass.set_pipeline(&pipelines.resolve[phase]);
        pass.set_bind_group(2, &self.read, &[]);
        pass.set_scissor_rect(left, top, width, height);
        pass.draw(0..3, 0..1);
    }
}

#[cfg(test)]
mod tests {
    use glam::Vec3;
    use kfold_molecule::{Bond, BondOrder, Element, SmallMolecule, SmallMoleculeAtom};

    use crate::renderer::{Renderer, Tier};
    use crate::{Camera, Gpu, Object, RenderSettings, Representation, Scene};

    /// Depths of the tiers may differ by this much, relatively: one interpolates the rays of pixels, the other computes them.
    const DEPTH_TOLERANCE: f32 = 1e-4;
    /// Share of pixels in which rounding may decide otherwise: at outlines, and where spheres meet.
    const SHARE_TOLERANCE: f64 = 0.002;
    const SIZE: (u32, u32) = (240, 160);

    /// Atoms scattered in a cube, some of them bound, in two objects.
    fn scene() -> Scene {
        let mut state = 1_u64;
        let mut random = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 40) as f32 / (1_u64 << 24) as f32 - 0.5
        };
        let mut object = |id: u64, count: u32, representation: Representation| {
            let elements = [Element::C, Element::N, Element::O];
            let atoms = (0..count).map(|atom| SmallMoleculeAtom {
                element: elements[atom as usize % 3],
                formal_charge: 0,
                isotope: None,
                fixed_hydrogens: None,
                name: String::new().into(),
            });
            let molecule = SmallMolecule {
                atoms: atoms.collect(),
                bonds: (1..count / 4).map(|atom| Bond::new(atom - 1, atom, BondOrder::Single)).collect(),
                conformers: vec![(0..count).map(|_| Vec3::new(random(), random(), random()) * 44.0).collect()],
                ..SmallMolecule::default()
            };
            let structure = molecule.to_structure("L", "LIG");
            Object::new(id, structure.first().unwrap()).with(representation)
        };
        let objects =
            vec![object(1, 5000, Representation::spheres(1.0)), object(2, 4500, Representation::ball_and_stick())];
        Scene { objects, ..Scene::default() }
    }

    fn drawn_small(renderer: &Renderer) -> u32 {
        let Some((_, Some(visibility))) = &renderer.second_tier else { return 0 };
        let gpu = &renderer.gpu;
        let buffer = gpu.device.create_buffer(&wgpu::BufferDescriptor {
            label: None,
            size: 4,
            usage: wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        let mut encoder = gpu.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        encoder.copy_buffer_to_buffer(&visibility.spheres, 0, &buffer, 0, 4);
        gpu.queue.submit([encoder.finish()]);
        buffer.map_async(wgpu::MapMode::Read, .., |result| result.unwrap());
        gpu.wait().unwrap();
        let bytes = buffer.get_mapped_range(..).unwrap();
        u32::from_le_bytes(bytes[..4].try_into().unwrap())
    }

    /// Of one picture: depths, what is picked in its middle row, and the picture.
    struct Seen {
        depths: Vec<f32>,
        picks: Vec<Option<crate::Pick>>,
        picture: Vec<u8>,
        small: u32,
    }

    fn pictures(gpu: &Gpu, tier: Tier) -> Vec<Seen> {
        let mut renderer = Renderer::with_tier(gpu.clone(), tier).unwrap();
        let scene = scene();
        let settings = RenderSettings { samples: 1, silhouette_width: 1.0, ..RenderSettings::default() };
        let mut camera = Camera { distance: 260.0, ..Camera::default() };
        let mut seen = Vec::new();
        // Far, where all is small; then nearer, turned, in the midst, where little is; and back.
        for (turn, zoom) in [(0.0, 1.0), (0.4, 2.0), (1.5, 1.0), (0.2, 4.0), (0.1, 0.08)] {
            camera.orbit(turn, 0.3 * turn);
            camera.zoom(zoom);
            renderer.render(&scene, &camera, SIZE, &settings).unwrap();
            let output = renderer.output.as_ref().unwrap();
            seen.push(Seen {
                depths: renderer.read_depths(&camera).unwrap(),
                picture: renderer.read_texture(&output.target.texture, wgpu::TextureAspect::All).unwrap(),
                picks: (0..SIZE.0).map(|x| renderer.pick(x as f32, 80.0).unwrap()).collect(),
                small: drawn_small(&renderer),
            });
        }
        seen
    }

    #[test]
    fn both_tiers_draw_the_same_picture() {
        let gpu = Gpu::headless().unwrap();
        if !Tier::Compute.is_supported(&gpu) {
            let name = gpu.description();
            eprintln!("not tested: {name} has no 64-bit atomic operations in storage buffers, which this tier needs");
            assert!(Tier::Compute.check(&gpu).is_err() && Tier::suited(&gpu) == Tier::Triangles);
            return;
        }
        let (triangles, compute) = (pictures(&gpu, Tier::Triangles), pictures(&gpu, Tier::Compute));
        assert!(triangles.iter().all(|seen| seen.small == 0));
        let small: Vec<u32> = compute.iter().map(|seen| seen.small).collect();
        assert!(small[..3].iter().all(|count| *count > 300), "small spheres drawn: {small:?}");
        for (step, (one, other)) in triangles.iter().zip(&compute).enumerate() {
            let pixels = one.depths.len() as f64;
            let covered = one.depths.iter().filter(|depth| depth.is_finite()).count();
            let differs = |(a, b): (&f32, &f32)| {
                a != b && !(a.is_finite() && b.is_finite() && (a - b).abs() <= DEPTH_TOLERANCE * a.abs())
            };
            let depths = one.depths.iter().zip(&other.depths).filter(|pair| differs(*pair)).count();
            let colors = one.picture.chunks_exact(4).zip(other.picture.chunks_exact(4));
            let colors = colors.filter(|(a, b)| a.iter().zip(*b).any(|(a, b)| a.abs_diff(*b) > 8)).count();
            let picks = one.picks.iter().zip(&other.picks).filter(|(a, b)| a != b).count();
            eprintln!("picture {step}: {covered} covered, {depths} depths, {colors} colours, {picks} picks differ");
            assert!(covered > 500, "picture {step}: {covered} pixels covered");
            assert!(depths as f64 <= SHARE_TOLERANCE * pixels, "picture {step}: {depths} depths differ");
            assert!(colors as f64 <= SHARE_TOLERANCE * pixels, "picture {step}: {colors} colours differ");
            assert!(picks <= 2, "picture {step}: {picks} picks differ");
        }
    }
}
