//! How a picture is made, apart from what is in it.

use serde::{Deserialize, Serialize};

use crate::color::Color;
use crate::gpu::Gpu;

/// Settings of one view or picture.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RenderSettings {
    /// Colour behind everything, and of the depth cue.
    pub background: Color,
    /// Leaves the background out: pixels outside have alpha 0, colour is premultiplied.
    pub transparent_background: bool,
    /// How the light falls.
    pub lighting: Lighting,
    /// Darkening of crevices, 0 (none, and no time spent) to 1.
    pub ambient_occlusion: f32,
    /// Dark lines where depth jumps; width in pixels (see `line_scale`), 0 for none.
    pub silhouette_width: f32,
    /// Shadows of the key light, 0 (none, and no time spent) to 1.
    pub shadows: f32,
    /// Fading of distant parts into the background, 0 (none) to 1.
    pub depth_cue: f32,
    /// Pixels drawn for one pixel of the picture, along a side: below 1 is faster and softer, for dragging on a
    /// software adapter. 0.25 to 1.
    pub resolution_scale: f32,
    /// Pictures averaged with the camera shifted by fractions of a pixel. 1 is smoothed by a filter over edges instead.
    /// In a live view, further pictures are added by each call of `render` while nothing changes.
    pub samples: u32,
    /// Effort for ambient occlusion; pictures of high quality have exact transparency.
    pub quality: Quality,
    /// Pixels for one pixel of the widths of silhouettes, lines and outlines, so that a large picture looks like a small
    /// one. 0.5 to 16.
    pub line_scale: f32,
}

/// Effort of the effects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Quality {
    /// For dragging on a software adapter.
    Draft,
    /// For a live view.
    #[default]
    Normal,
    /// For pictures.
    High,
}

/// How the light falls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lighting {
    /// Key light from the upper left, fill light, soft light from the sky, gentle highlights.
    #[default]
    Studio,
    /// Light from everywhere, hardly any highlight: shape comes from occlusion.
    Soft,
    /// Colours as they are, for drawings with silhouettes.
    Flat,
}

/// Looks with a name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Preset {
    /// White ground, light of a studio, soft shadows, little depth cue.
    #[default]
    Publication,
    /// Plain colours and dark lines, as drawn by hand.
    Cartoon,
    /// Light from everywhere: shape comes from occlusion and shadows.
    Soft,
    /// Plain colours with hairlines, nothing else: for small figures.
    Flat,
    /// Dark ground, distance lost in it.
    Dark,
}

impl Preset {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Publication, Self::Cartoon, Self::Soft, Self::Flat, Self::Dark];

    /// Its name in files and on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Publication => "publication",
            Self::Cartoon => "cartoon",
            Self::Soft => "soft",
            Self::Flat => "flat",
            Self::Dark => "dark",
        }
    }

    /// Its settings.
    #[must_use]
    pub fn settings(self) -> RenderSettings {
        let base = RenderSettings::default();
        match self {
            Self::Publication => RenderSettings { shadows: 0.6, depth_cue: 0.3, ..base },
            Self::Cartoon => RenderSettings {
                lighting: Lighting::Flat,
                silhouette_width: 1.4,
                ambient_occlusion: 0.5,
                depth_cue: 0.2,
                ..base
            },
            Self::Soft => RenderSettings {
                lighting: Lighting::Soft,
                ambient_occlusion: 1.0,
                shadows: 0.5,
                depth_cue: 0.35,
                ..base
            },
            Self::Flat => RenderSettings {
                lighting: Lighting::Flat,
                silhouette_width: 0.7,
                ambient_occlusion: 0.0,
                depth_cue: 0.0,
                ..base
            },
            Self::Dark => RenderSettings { background: Color::hex(0x0f_1318), shadows: 0.5, depth_cue: 0.7, ..base },
        }
    }
}

impl Default for RenderSettings {
    fn default() -> Self {
        Self {
            background: Color::WHITE,
            transparent_background: false,
            lighting: Lighting::Studio,
            ambient_occlusion: 0.85,
            silhouette_width: 0.0,
            shadows: 0.0,
            depth_cue: 0.5,
            resolution_scale: 1.0,
            samples: 1,
            quality: Quality::Normal,
            line_scale: 1.0,
        }
    }
}

impl RenderSettings {
    /// For a live view on this adapter: where there is a GPU, the picture is refined while the camera rests, until it is
    /// the one that would be exported.
    #[must_use]
    pub fn live(gpu: &Gpu) -> Self {
        if gpu.is_software() { Self::default() } else { Self { samples: 16, ..Self::default() }.still() }
    }

    /// The same for the time of a drag: fewer pixels and less effort on a software adapter, no refinement.
    #[must_use]
    pub fn while_moving(self, gpu: &Gpu) -> Self {
        if gpu.is_software() {
            Self { samples: 1, resolution_scale: 0.5 * self.resolution_scale, quality: Quality::Draft, ..self }
        } else {
            Self { samples: 1, quality: Quality::Normal, ..self }
        }
    }

    /// The same for a picture of this height in pixels: widths grow so that it looks as the view does at 800.
    #[must_use]
    pub fn for_height(self, height: u32) -> Self {
        Self { line_scale: (height as f32 / 800.0).clamp(1.0, 16.0), ..self }
    }

    /// For a picture to keep.
    #[must_use]
    pub fn still(self) -> Self {
        Self { samples: self.samples.max(9), resolution_scale: 1.0, quality: Quality::High, ..self }
    }

    /// With every number in its range.
    pub(crate) fn sane(self) -> Self {
        let within = |value: f32, low: f32, high: f32, otherwise: f32| {
            if value.is_finite() { value.clamp(low, high) } else { otherwise }
        };
        Self {
            ambient_occlusion: within(self.ambient_occlusion, 0.0, 1.0, 0.0),
            silhouette_width: within(self.silhouette_width, 0.0, 6.0, 0.0),
            shadows: within(self.shadows, 0.0, 1.0, 0.0),
            depth_cue: within(self.depth_cue, 0.0, 1.0, 0.0),
            line_scale: within(self.line_scale, 0.5, 16.0, 1.0),
            resolution_scale: within(self.resolution_scale, 0.25, 1.0, 1.0),
            samples: self.samples.clamp(1, 64),
            ..self
        }
    }
}
