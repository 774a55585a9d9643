//! Cross sections, and surfaces drawn through a row of them.

use std::f32::consts::TAU;

use glam::{Vec2, Vec3};

use super::curve::Frame;
use crate::geometry::mesh::Mesh;

/// Corners of a cross section.
const CORNERS: usize = 16;
/// Rings of a round end.
const DOME_RINGS: usize = 4;

/// A cross section: half of its width and of its thickness, and how its corners are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Section {
    half_width: f32,
    half_thickness: f32,
    /// Radius of the corners of a rectangle; `None` for an oval.
    corner: Option<f32>,
}

impl Section {
    /// An ellipse.
    pub fn oval(half_width: f32, half_thickness: f32) -> Self {
        Self { half_width, half_thickness, corner: None }
    }

    /// A rectangle with softened edges, which catch the light.
    pub fn rectangle(half_width: f32, half_thickness: f32) -> Self {
        let corner = (0.45 * half_thickness).min(0.5 * half_width);
        Self { half_width, half_thickness, corner: Some(corner) }
    }

    /// Place and outward direction of a corner, along side and face.
    fn corner(&self, index: usize) -> (Vec2, Vec2) {
        match self.corner {
            None => {
                let (sin, cos) = (TAU * index as f32 / CORNERS as f32).sin_cos();
                let place = Vec2::new(self.half_width * cos, self.half_thickness * sin);
                (place, Vec2::new(cos / self.half_width, sin / self.half_thickness).normalize_or(Vec2::X))
            }
            Some(radius) => {
                // A quarter of the corners lies on each rounded edge.
                let each = CORNERS / 4;
                let quarter = index / each;
                let angle = TAU * 0.25 * (quarter as f32 + (index % each) as f32 / (each - 1) as f32);
                let direction = Vec2::new(angle.cos(), angle.sin());
                let signs = [Vec2::new(1.0, 1.0), Vec2::new(-1.0, 1.0), Vec2::new(-1.0, -1.0), Vec2::new(1.0, -1.0)];
                let inner = Vec2::new(self.half_width - radius, self.half_thickness - radius) * signs[quarter % 4];
                (inner + direction * radius, direction)
            }
        }
    }
}

/// How an end is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cap {
    Flat,
    Round,
}

/// Draws a surface through the cross sections at the frames. `atom` gives the atom of the piece that begins at a frame.
pub(super) fn extrude(
    mesh: &mut Mesh,
    frames: &[Frame],
    section: impl Fn(usize) -> Section,
    atom: impl Fn(usize) -> u32,
    caps: (Cap, Cap),
) {
    if frames.len() < 2 {
        return;
    }
    let place = |index: usize, corner: usize| {
        let frame = &frames[index];
        let (at, out) = section(index).corner(corner);
        let face = frame.face();
        (frame.position + frame.side * at.x + face * at.y, frame.side * -out.y + face * out.x)
    };
    let last = frames.len() - 1;
    let first_vertex = mesh.vertices.len() as u32;
    for index in 0..frames.len() {
        for corner in 0..CORNERS {
            let (position, around) = place(index, corner);
            // The surface's own direction along the ribbon, which knows of twist, taper and bends.
            let along = place((index + 1).min(last), corner).0 - place(index.saturating_sub(1), corner).0;
            let along = if along.dot(frames[index].tangent) > 0.0 { along } else { frames[index].tangent };
            mesh.vertex(position, around.cross(along), atom(index.min(last - 1)));
        }
    }
    let at = |index: usize, corner: usize| first_vertex + (index * CORNERS + corner % CORNERS) as u32;
    for index in 0..last {
        for corner in 0..CORNERS {
            // The first vertex of both triangles lies on the ring that names the atom.
            mesh.triangle(at(index, corner), at(index, corner + 1), at(index + 1, corner + 1));
            mesh.triangle(at(index, corner), at(index + 1, corner + 1), at(index + 1, corner));
        }
    }
    close(mesh, &frames[0], section(0), atom(0), caps.0, false);
    close(mesh, &frames[last], section(last), atom(last - 1), caps.1, true);
}

/// Closes an end; `forward` is the end that the tangent points out of.
fn close(mesh: &mut Mesh, frame: &Frame, section: Section, atom: u32, cap: Cap, forward: bool) {
    let outward = if forward { frame.tangent } else { -frame.tangent };
    let face = frame.face();
    let ring = |mesh: &mut Mesh, scale: f32, height: f32, flat: bool| {
        let first = mesh.vertices.len() as u32;
        for corner in 0..CORNERS {
            let (at, out) = section.corner(corner);
            let across = frame.side * at.x + face * at.y;
            let normal = if flat { outward } else { (frame.side * out.x + face * out.y) * scale + outward * height };
            let rise = outward * (height * section.half_width.min(section.half_thickness));
            mesh.vertex(frame.position + across * scale + rise, normal, atom);
        }
        first
    };
    let join = |mesh: &mut Mesh, a: u32, b: u32, c: u32| {
        if forward { mesh.triangle(a, b, c) } else { mesh.triangle(a, c, b) }
    };
    let (rim, top) = match cap {
        Cap::Flat => (ring(mesh, 1.0, 0.0, true), Vec3::ZERO),
        Cap::Round => {
            let mut rim = ring(mesh, 1.0, 0.0, false);
            for step in 1..DOME_RINGS {
                let (sin, cos) = (0.25 * TAU * step as f32 / DOME_RINGS as f32).sin_cos();
                let next = ring(mesh, cos, sin, false);
                for corner in 0..CORNERS as u32 {
                    let other = (corner + 1) % CORNERS as u32;
                    join(mesh, rim + corner, rim + other, next + other);
                    join(mesh, rim + corner, next + other, next + corner);
                }
                rim = next;
            }
            (rim, outward * section.half_width.min(section.half_thickness))
        }
    };
    let tip = mesh.vertex(frame.position + top, outward, atom);
    for corner in 0..CORNERS as u32 {
        join(mesh, rim + corner, rim + (corner + 1) % CORNERS as u32, tip);
    }
}
