//! Triangles with normals and the atom that each vertex belongs to.

use glam::Vec3;

use crate::renderer::uniforms::MeshVertex;

/// A triangle mesh; the colour of a triangle is that of its first vertex's atom.
#[derive(Clone, Debug, Default)]
pub(crate) struct Mesh {
    pub vertices: Vec<MeshVertex>,
    pub indices: Vec<u32>,
}

impl Mesh {
    /// Adds a vertex and returns its index. The normal need not have unit length.
    pub fn vertex(&mut self, position: Vec3, normal: Vec3, atom: u32) -> u32 {
        let unit = normal.normalize_or(Vec3::Z) * 32_767.0;
        self.vertices.push(MeshVertex {
            position: position.to_array(),
            normal: [unit.x as i16, unit.y as i16, unit.z as i16, 0],
            atom,
        });
        self.vertices.len() as u32 - 1
    }

    /// Adds a triangle, counter-clockwise as seen from outside.
    pub fn triangle(&mut self, a: u32, b: u32, c: u32) {
        self.indices.extend([a, b, c]);
    }

    /// Adds another mesh.
    pub fn append(&mut self, other: &Self) {
        let first = self.vertices.len() as u32;
        self.vertices.extend_from_slice(&other.vertices);
        self.indices.extend(other.indices.iter().map(|index| index + first));
    }
}
