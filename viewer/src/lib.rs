//! The molecular renderer: scenes of atoms, bonds and ribbons drawn with wgpu into textures of our own.
//!
//! The window (or a command line) owns a [`Scene`] and a [`Camera`] and calls [`Renderer::render`], which returns a
//! texture to show, or [`Renderer::render_to_image`], which returns pixels. The renderer uploads what changed, builds
//! cartoons and surfaces on worker threads, and draws nothing when nothing changed. Coordinates are in Å.
//!
//! Path of the data: `scene` (what is asked for) → `geometry` (instances and meshes, on the processor) →
//! `renderer::objects` (buffers) → `renderer::frame` (the passes in their fixed order) → `shaders/`.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod camera;
mod color;
mod error;
mod geometry;
pub mod gltf;
mod gpu;
mod labels;
mod legend;
mod renderer;
mod residue_colors;
mod ribbon;
mod scene;
pub mod scene_file;
mod settings;
mod shaders;
mod stereo;
mod surface;

pub use camera::{Camera, Ray, bounding_sphere};
pub use color::{
    BLUE_WHITE_RED, CHAIN_COLORS, CIVIDIS, CarbonColor, Color, Coloring, HYDROPATHY, PLDDT_BANDS, RAINBOW,
    RED_WHITE_BLUE, UNKNOWN as UNKNOWN_COLOR, chain_color, colors_of_atoms, element_color, interaction_color,
    plddt_color, ribbon_color,
};
pub use error::ViewerError;
pub use gpu::Gpu;
pub use labels::{FONT as LABEL_FONT, Label, measured_value, measurement, residue_labels};
pub use legend::{Legend, LegendEntry};
pub use renderer::{Pick, Progress, Renderer, Tier};
pub use residue_colors::{ResidueClass, residue_classes};
pub use ribbon::RibbonKind;
pub use scene::{
    AtomSelection, BackboneStyle, BaseStyle, CartoonStyle, Dash, DockingBox, Object, ObjectId, Putty, Representation,
    Scene, Shape,
};
pub use settings::{Lighting, Preset, Quality, RenderSettings};
pub use stereo::Stereo;
pub use surface::{SurfaceKind, SurfaceMesh, SurfaceSource, SurfaceStyle};
/// The wgpu that this renderer is built with, so that a window hands over devices of the same version.
pub use wgpu;
