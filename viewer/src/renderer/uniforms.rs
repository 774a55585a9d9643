//! What the shaders read, byte for byte. Keep in step with `shaders/common/{frame,draw}.wgsl` and `shaders/impostors/`.

use bytemuck::{Pod, Zeroable};
use glam::{UVec4, Vec4};

/// `Frame` of `common/frame.wgsl`, which says what the numbers are.
#[repr(C)]
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
pub(crate) struct FrameUniform {
    pub view_from_world: [[f32; 4]; 4],
    pub projection: Vec4,
    pub viewport: Vec4,
    pub background: Vec4,
    pub fog: Vec4,
    pub occlusion: Vec4,
    pub style: Vec4,
    pub counts: UVec4,
    pub plain_background: Vec4,
    pub light_from_view: [[f32; 4]; 4],
    pub light: Vec4,
    pub light_shape: Vec4,
    pub cut: Vec4,
}

// Uniforms are read in units of 16 bytes.
const _: () = assert!(size_of::<FrameUniform>().is_multiple_of(16));

/// `Draw` of `common/draw.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
pub(crate) struct DrawUniform {
    pub first_atom: u32,
    pub flags: u32,
    pub opacity: f32,
    pub potential_range: f32,
    pub atom_count: u32,
    pub unused: [u32; 3],
}

/// The atoms are points without a number.
pub(crate) const WITHOUT_NUMBERS: u32 = 1;
/// Light does not fall on it.
pub(crate) const UNLIT: u32 = 2;
/// Radii are pixels.
pub(crate) const PIXEL_RADII: u32 = 4;
/// A surface is coloured by the potential at its vertices.
pub(crate) const BY_POTENTIAL: u32 = 8;
/// Of a surface the net of its edges is drawn.
pub(crate) const NET: u32 = 16;
/// Of a surface the inner side is not drawn.
pub(crate) const FRONT_ONLY: u32 = 32;

/// `SphereInstance` of `impostors/sphere.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
pub(crate) struct SphereInstance {
    pub atom: u32,
    pub radius: f32,
    /// Of the object; 0 where the draw call counts copies.
    pub copy: u32,
}

/// `CylinderInstance` of `impostors/cylinder.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
pub(crate) struct CylinderInstance {
    pub a: u32,
    pub b: u32,
    pub plane: u32,
    pub offset: f32,
    pub radius: f32,
    pub range: u32,
    pub flags: u32,
    /// Of the object; 0 where the draw call counts copies.
    pub copy: u32,
}

/// No third atom.
pub(crate) const NO_ATOM: u32 = u32::MAX;
/// Round ends.
pub(crate) const ROUND_ENDS: u32 = 1;

/// Begin and end along a bond, 0-1, as the shader unpacks them.
pub(crate) fn packed_range(begin: f32, end: f32) -> u32 {
    let fraction = |value: f32| (value.clamp(0.0, 1.0) * 65_535.0 + 0.5) as u32;
    fraction(begin) | fraction(end) << 16
}

/// A vertex of `mesh/mesh.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
pub(crate) struct MeshVertex {
    pub position: [f32; 3],
    /// Signed 16-bit fractions; the fourth is not used.
    pub normal: [i16; 4],
    /// The atom that colours it and is picked.
    pub atom: u32,
}
