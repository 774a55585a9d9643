//! Pictures for two eyes, side by side.
//!
//! Each eye is turned about the point that the camera looks at, so that this point lies in the plane of the screen. Their
//! lines of sight meet there at five degrees: between the two that viewers allow before a screen and the six of printed
//! stereo figures of molecules (Johnson's ORTEP).

use std::ops::ControlFlow;

use image::{GenericImage, RgbaImage};
use serde::{Deserialize, Serialize};

use crate::camera::Camera;
use crate::error::ViewerError;
use crate::renderer::{Progress, Renderer};
use crate::scene::Scene;
use crate::settings::RenderSettings;

/// Angle between the lines of sight, radians.
const ANGLE: f32 = 5.0 * std::f32::consts::PI / 180.0;

/// How a scene is drawn for two eyes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stereo {
    /// For one.
    #[default]
    Off,
    /// The left eye's picture is on the left: for a stereoscope, or eyes that look far away.
    Parallel,
    /// The left eye's picture is on the right: for eyes that cross.
    CrossEyed,
}

impl Stereo {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Off, Self::Parallel, Self::CrossEyed];

    /// The cameras of the pictures from left to right.
    #[must_use]
    pub fn cameras(self, camera: &Camera) -> Vec<Camera> {
        let eye = |side: f32| {
            let mut turned = *camera;
            turned.orbit(-0.5 * ANGLE * side, 0.0);
            turned
        };
        let (left, right) = (eye(-1.0), eye(1.0));
        match self {
            Self::Off => vec![*camera],
            Self::Parallel => vec![left, right],
            Self::CrossEyed => vec![right, left],
        }
    }

    /// Pictures side by side.
    #[must_use]
    pub const fn count(self) -> u32 {
        match self {
            Self::Off => 1,
            Self::Parallel | Self::CrossEyed => 2,
        }
    }

    /// Draws the pictures, each of this size, side by side in one.
    ///
    /// A device that is lost meanwhile is opened anew, without a window.
    ///
    /// # Errors
    /// As [`Renderer::render_in_tiles`].
    pub fn render(
        self,
        renderer: &mut Renderer,
        scene: &Scene,
        camera: &Camera,
        size: (u32, u32),
        settings: &RenderSettings,
        progress: &mut dyn FnMut(u32, u32) -> ControlFlow<()>,
    ) -> Result<RgbaImage, ViewerError> {
        let cameras = self.cameras(camera);
        let count = cameras.len() as u32;
        let mut both = RgbaImage::new(size.0.saturating_mul(count), size.1);
        for (index, camera) in (0..).zip(&cameras) {
            let one: Progress<'_> = &mut |done, all| progress(index * all + done, count * all);
            let picture = match renderer.render_in_tiles(scene, camera, size, settings, None, one) {
                // Once: a device that goes again does not come back.
                Err(ViewerError::DeviceLost { .. }) => {
                    renderer.reopen()?;
                    renderer.render_in_tiles(scene, camera, size, settings, None, one)?
                }
                drawn => drawn?,
            };
            if count == 1 {
                return Ok(picture);
            }
            // Both fit by their sizes.
            let _ = both.copy_from(&picture, index * size.0, 0);
        }
        Ok(both)
    }
}

#[cfg(test)]
mod tests {
    use glam::{Quat, Vec3};

    use super::*;
    use crate::Gpu;

    #[test]
    fn pictures_are_drawn_though_the_device_is_lost() {
        let mut renderer = Renderer::new(Gpu::headless().unwrap()).unwrap();
        let (scene, camera, settings) = (Scene::default(), Camera::default(), RenderSettings::default());
        renderer.gpu().device.destroy();
        let mut go_on = |_, _| ControlFlow::Continue(());
        let drawn = Stereo::Parallel.render(&mut renderer, &scene, &camera, (24, 16), &settings, &mut go_on).unwrap();
        assert_eq!(drawn.dimensions(), (48, 16));
    }

    #[test]
    fn eyes_are_left_and_right_of_the_camera_and_look_at_one_point() {
        let turned = Quat::from_euler(glam::EulerRot::XYZ, 0.4, 1.1, -0.3);
        let camera = Camera { center: Vec3::new(1.0, 2.0, 3.0), view_from_world: turned, ..Camera::default() };
        let side = |eye: &Camera| camera.view_from_world_matrix().transform_point3(eye.eye()).x;
        for (stereo, order) in [(Stereo::Parallel, [-1.0, 1.0]), (Stereo::CrossEyed, [1.0, -1.0])] {
            let eyes = stereo.cameras(&camera);
            for (eye, sign) in eyes.iter().zip(order) {
                let expected = camera.distance * (0.5 * ANGLE).sin() * sign;
                assert!((side(eye) - expected).abs() < 1e-3, "{stereo:?}: {} is not {expected}", side(eye));
                assert_eq!(eye.center, camera.center);
            }
        }
        assert_eq!(Stereo::Off.cameras(&camera), [camera]);
    }
}
