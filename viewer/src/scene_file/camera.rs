//! Where a scene file's picture is taken from.

use glam::{Quat, Vec3};
use kfold_molecule::Selection;
use serde::{Deserialize, Serialize};

use crate::camera::Camera;

/// Where the picture is taken from: a place (`center`, `distance` and `rotation` together), or what is looked at.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CameraEntry {
    /// The point that it looks at, Å.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub center: Option<Vec3>,
    /// Of the eye from it, Å.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub distance: Option<f32>,
    /// From the world to the view, a quaternion x, y, z, w.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotation: Option<Quat>,
    /// What is cut off in front: Å from the centre towards the viewer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub front_clip: Option<f32>,
    /// Full vertical angle of view, degrees.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field_of_view: Option<f32>,
    /// Atoms in the middle, as near as they fit; all of them when nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub look_at: Option<Selection>,
    /// Whether it looks into the pocket that the atoms of `look_at` lie in.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub into_pocket: bool,
    /// Degrees to the right and up that what is in front is turned by then.
    #[serde(default, skip_serializing_if = "super::is_zero")]
    pub turn: (f32, f32),
    /// Above 1 is nearer.
    #[serde(default = "super::one", skip_serializing_if = "super::is_one")]
    pub zoom: f32,
}

impl Default for CameraEntry {
    fn default() -> Self {
        Self {
            center: None,
            distance: None,
            rotation: None,
            front_clip: None,
            field_of_view: None,
            look_at: None,
            into_pocket: false,
            turn: (0.0, 0.0),
            zoom: 1.0,
        }
    }
}

impl From<&Camera> for CameraEntry {
    fn from(camera: &Camera) -> Self {
        Self {
            center: Some(camera.center),
            distance: Some(camera.distance),
            rotation: Some(camera.view_from_world),
            front_clip: camera.front_clip,
            field_of_view: Some(camera.vertical_fov.to_degrees()),
            ..Self::default()
        }
    }
}
