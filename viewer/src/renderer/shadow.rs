//! The depth map from which the key light's shadows are found (`shaders/post/shadow.wgsl`).
//!
//! The light is a camera far away that looks at what the viewer sees, so the same shaders draw it. It stands still with
//! respect to the viewer, as all light here.

use glam::{Mat3, Mat4, UVec4, Vec3, Vec4};

use crate::camera::Camera;
use crate::gpu::Gpu;
use crate::renderer::pipelines::{DEPTH_FORMAT, Pipelines};
use crate::renderer::targets::{Target, texture};
use crate::renderer::uniforms::FrameUniform;
use crate::settings::{Lighting, RenderSettings};

/// Towards the light in view space; `KEY_DIRECTION` of `shaders/common/lighting.wgsl`.
const KEY_DIRECTION: Vec3 = Vec3::new(-0.437, 0.583, 0.685);
/// Side of the map in pixels.
const SIDE: u32 = 2048;
/// The same where the processor draws.
const SOFTWARE_SIDE: u32 = 1024;
/// What casts a shadow from farther than this has the same penumbra, Å.
const FARTHEST: f32 = 14.0;

/// The map, with what the light's own pass reads.
pub(crate) struct ShadowMap {
    pub map: Target,
    uniform: wgpu::Buffer,
    pub group: wgpu::BindGroup,
    side: u32,
}

/// The light's camera, as the passes of a frame read it.
pub(crate) struct Light {
    pub light_from_view: Mat4,
    pub light: Vec4,
    pub shape: Vec4,
    frame: FrameUniform,
}

impl ShadowMap {
    pub fn new(gpu: &Gpu, pipelines: &Pipelines) -> Self {
        let side = if gpu.is_software() { SOFTWARE_SIDE } else { SIDE };
        let uniform = gpu.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("light"),
            size: size_of::<FrameUniform>() as u64,
            usage: wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        let group = gpu.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some("light"),
            layout: &pipelines.frame_layout,
            entries: &[wgpu::BindGroupEntry { binding: 0, resource: uniform.as_entire_binding() }],
        });
        Self { map: texture(gpu, "shadow map", (side, side), DEPTH_FORMAT), uniform, group, side }
    }

    /// The light for a camera and the spheres that hold what is drawn; `aspect` is of the whole picture.
    pub fn light(&self, camera: &Camera, spheres: &[(Vec3, f32)], aspect: f32, settings: &RenderSettings) -> Light {
        let view = camera.view_from_world_matrix();
        let seen = 1.5 * camera.distance * (0.5 * camera.vertical_fov).tan() * aspect.max(1.0);
        let (middle, whole) = around(spheres);
        // All of it, or what is seen of it.
        let (center, radius) = if whole <= seen { (middle, whole) } else { (camera.center, seen) };
        let radius = radius.max(1.0);
        let distance = 8.0 * radius + 2.0 * whole;
        let across = Vec3::Y.cross(KEY_DIRECTION).normalize_or(Vec3::X);
        let turn = Mat3::from_cols(across, KEY_DIRECTION.cross(across), KEY_DIRECTION).transpose();
        let light_from_view = Mat4::from_translation(Vec3::new(0.0, 0.0, -distance))
            * Mat4::from_mat3(turn)
            * Mat4::from_translation(-view.transform_point3(center));
        let scale = 0.98 * (distance * distance - radius * radius).sqrt() / radius;
        let texel = 2.0 / (scale * self.side as f32);
        let near = 0.05 * distance;
        // What lies before the camera's near plane, as a plane of the light's space.
        let normal = turn * Vec3::NEG_Z;
        let origin = light_from_view.inverse().transform_point3(Vec3::ZERO);
        let softness = if settings.lighting == Lighting::Soft { 0.22 } else { 0.11 };
        let side = self.side as f32;
        Light {
            light_from_view,
            light: Vec4::new(scale, scale, near, settings.shadows),
            shape: Vec4::new(softness, texel, FARTHEST, 0.0),
            frame: FrameUniform {
                view_from_world: (light_from_view * view).to_cols_array_2d(),
                projection: Vec4::new(scale, scale, near, texel),
                viewport: Vec4::new(0.0, 0.0, side, side),
                background: Vec4::ZERO,
                fog: Vec4::ZERO,
                occlusion: Vec4::ZERO,
                style: Vec4::W,
                counts: UVec4::ZERO,
                plain_background: Vec4::ZERO,
                light_from_view: Mat4::IDENTITY.to_cols_array_2d(),
                light: Vec4::ZERO,
                light_shape: Vec4::ZERO,
                cut: normal.extend(-origin.z - camera.near()),
            },
        }
    }

    /// Hands the light to its pass.
    pub fn write(&self, gpu: &Gpu, light: &Light) {
        gpu.queue.write_buffer(&self.uniform, 0, bytemuck::bytes_of(&light.frame));
    }
}

/// A sphere around spheres.
fn around(spheres: &[(Vec3, f32)]) -> (Vec3, f32) {
    let finite = || spheres.iter().filter(|(center, radius)| center.is_finite() && radius.is_finite());
    let count = finite().count().max(1) as f32;
    let middle = finite().map(|(center, _)| *center).sum::<Vec3>() / count;
    (middle, finite().map(|(center, radius)| center.distance(middle) + radius).fold(1.0, f32::max))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_light_looks_at_what_is_seen() {
        let gpu = Gpu::headless().unwrap();
        let pipelines = Pipelines::new(&gpu);
        let map = ShadowMap::new(&gpu, &pipelines);
        let camera = Camera { center: Vec3::new(3.0, 4.0, 5.0), distance: 80.0, ..Camera::default() };
        let light =
            map.light(&camera, &[(camera.center, 20.0)], 1.5, &RenderSettings { shadows: 1.0, ..Default::default() });
        let center = camera.view_from_world_matrix().transform_point3(camera.center);
        let toward = light.light_from_view.transform_point3(center + KEY_DIRECTION);
        let here = light.light_from_view.transform_point3(center);
        assert!(here.truncate().length() < 1e-3, "{here}");
        assert!((toward - here - Vec3::Z).length() < 1e-2, "{toward} {here}");
        // The plane: a point just behind the camera's near plane is kept, one before it is not.
        let place = |depth: f32| light.light_from_view.transform_point3(Vec3::new(1.0, 2.0, -depth));
        let side = |point: Vec3| light.frame.cut.truncate().dot(point) + light.frame.cut.w;
        assert!(side(place(camera.near() + 1.0)) > 0.0 && side(place(camera.near() - 1.0)) < 0.0);
    }
}
