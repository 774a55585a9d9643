//! From a representation to what is drawn: instances of impostors for atoms and bonds, meshes for ribbons.
//!
//! Instances name atoms, not places: when coordinates change, nothing here runs again and only the coordinates are
//! uploaded. Even the plane of a double bond is named by a third atom and found by the shader.

pub(crate) mod bonds;
pub(crate) mod cartoon;
pub(crate) mod chunks;
pub(crate) mod glycans;
pub(crate) mod mesh;

use glam::Vec3;
use kfold_molecule::Topology;

use crate::color::Coloring;
use crate::color::interaction_color;
use crate::renderer::uniforms::{
    CylinderInstance, NO_ATOM, PIXEL_RADII, ROUND_ENDS, SphereInstance, UNLIT, WITHOUT_NUMBERS, packed_range,
};
use crate::scene::{AtomSelection, DockingBox, Shape};

/// Impostors of a representation.
#[derive(Clone, Debug, Default)]
pub(crate) struct Instances {
    pub spheres: Vec<SphereInstance>,
    pub cylinders: Vec<CylinderInstance>,
    /// Flags of `common/draw.wgsl`.
    pub flags: u32,
    /// Points and their packed colours where the instances do not name atoms of the object.
    pub points: Option<(Vec<Vec3>, Vec<u32>)>,
}

/// The impostors of a shape; none for what is built on workers.
pub(crate) fn instances(shape: &Shape, atoms: &AtomSelection, topology: &Topology, coloring: &Coloring) -> Instances {
    match shape {
        Shape::Cartoon(_) | Shape::Surface(_) | Shape::Glycans { .. } => Instances::default(),
        Shape::Spheres { scale } => Instances {
            spheres: atoms
                .indices(topology)
                .into_iter()
                .map(|atom| SphereInstance {
                    atom,
                    radius: topology.atoms[atom as usize].element.vdw_radius() * scale,
                    copy: 0,
                })
                .collect(),
            ..Instances::default()
        },
        Shape::BallAndStick { ball_scale, stick_radius } => Instances {
            spheres: atoms
                .indices(topology)
                .into_iter()
                .map(|atom| SphereInstance {
                    atom,
                    radius: (topology.atoms[atom as usize].element.vdw_radius() * ball_scale).max(stick_radius * 1.2),
                    copy: 0,
                })
                .collect(),
            cylinders: bonds::cylinders(topology, atoms, *stick_radius, true),
            ..Instances::default()
        },
        Shape::Sticks { radius, bond_orders } => Instances {
            spheres: atoms
                .indices(topology)
                .into_iter()
                .map(|atom| SphereInstance { atom, radius: *radius, copy: 0 })
                .collect(),
            cylinders: bonds::cylinders(topology, atoms, *radius, *bond_orders),
            ..Instances::default()
        },
        Shape::Lines { width } => {
            let cylinders = bonds::lines(topology, atoms, 0.5 * width);
            let mut bonded = vec![false; topology.atoms.len()];
            for line in &cylinders {
                bonded[line.a as usize] = true;
                bonded[line.b as usize] = true;
            }
            // An atom without a bond is a dot: a line of no length with round ends.
            let dots = atoms.indices(topology).into_iter().filter(|&atom| !bonded[atom as usize]).map(|atom| {
                CylinderInstance {
                    a: atom,
                    b: atom,
                    plane: NO_ATOM,
                    offset: 0.0,
                    radius: 1.5 * width,
                    range: packed_range(0.0, 1.0),
                    flags: ROUND_ENDS,
                    copy: 0,
                }
            });
            let cylinders = cylinders.iter().copied().chain(dots).collect();
            Instances { cylinders, flags: PIXEL_RADII | UNLIT, ..Instances::default() }
        }
        Shape::Dashes(lines) => dashes(lines.iter().map(|line| (line.points, interaction_color(line.kind)))),
        Shape::Measured(lines) => {
            let color = match coloring {
                Coloring::Uniform(color) => *color,
                _ => crate::Color::hex(0x2a6fb0),
            };
            dashes(lines.iter().map(|points| (*points, color)))
        }
        Shape::Box(bounds) => box_edges(bounds, coloring),
    }
}

/// Length of a dash and the gap after it, Å.
const DASH_PERIOD: f32 = 0.42;
/// Part of the period that is drawn.
const DASH_DUTY: f32 = 0.55;
/// Radius of a dash, Å.
const DASH_RADIUS: f32 = 0.055;
/// A line longer than this many dashes is drawn with longer dashes.
const MOST_DASHES: f32 = 256.0;

/// Begin and end of each dash along a line of this length, as fractions; begins and ends with half a gap.
pub(crate) fn dash_ranges(length: f32, period: f32) -> impl Iterator<Item = (f32, f32)> {
    let count = if length.is_finite() { (length / period).round().clamp(1.0, MOST_DASHES) } else { 1.0 };
    let half_gap = 0.5 * (1.0 - DASH_DUTY);
    (0..count as u32).map(move |index| {
        let begin = (index as f32 + half_gap) / count;
        (begin, begin + DASH_DUTY / count)
    })
}

fn dashes(lines: impl Iterator<Item = ([Vec3; 2], crate::Color)>) -> Instances {
    let mut points = Vec::new();
    let mut colors = Vec::new();
    let mut cylinders = Vec::new();
    for ([a, b], color) in lines {
        if !a.is_finite() || !b.is_finite() {
            continue;
        }
        let first = points.len() as u32;
        points.extend([a, b]);
        colors.extend([color.packed(); 2]);
        cylinders.extend(dash_ranges(a.distance(b), DASH_PERIOD).map(|(begin, end)| CylinderInstance {
            a: first,
            b: first + 1,
            plane: NO_ATOM,
            offset: 0.0,
            radius: DASH_RADIUS,
            range: packed_range(begin, end),
            flags: ROUND_ENDS,
            copy: 0,
        }));
    }
    Instances { cylinders, flags: WITHOUT_NUMBERS | UNLIT, points: Some((points, colors)), ..Instances::default() }
}

fn box_edges(bounds: &DockingBox, coloring: &Coloring) -> Instances {
    let color = match coloring {
        Coloring::Uniform(color) => color.packed(),
        _ => crate::Color::hex(0x3f8fd0).packed(),
    };
    let half = 0.5 * bounds.size;
    let points: Vec<Vec3> = (0..8)
        .map(|corner| {
            let sign = |bit: u32| if corner >> bit & 1 == 1 { 1.0 } else { -1.0 };
            bounds.center + half * Vec3::new(sign(0), sign(1), sign(2))
        })
        .collect();
    let cylinders = (0..8_u32)
        .flat_map(|corner| (0..3).map(move |axis| (corner, corner | 1 << axis)))
        .filter(|(from, to)| from != to)
        .map(|(a, b)| CylinderInstance {
            a,
            b,
            plane: NO_ATOM,
            offset: 0.0,
            radius: 0.9,
            range: packed_range(0.0, 1.0),
            flags: ROUND_ENDS,
            copy: 0,
        })
        .collect();
    Instances {
        cylinders,
        flags: WITHOUT_NUMBERS | UNLIT | PIXEL_RADII,
        points: Some((points, vec![color; 8])),
        ..Instances::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_box_has_twelve_edges() {
        let bounds = DockingBox { center: Vec3::ONE, size: Vec3::splat(4.0) };
        let drawn = box_edges(&bounds, &Coloring::Chain);
        assert_eq!(drawn.cylinders.len(), 12);
        let (points, _) = drawn.points.unwrap();
        for edge in &drawn.cylinders {
            assert!((points[edge.a as usize].distance(points[edge.b as usize]) - 4.0).abs() < 1e-6);
        }
    }

    #[test]
    fn dashes_lie_inside_and_apart() {
        let ranges: Vec<_> = dash_ranges(3.0, DASH_PERIOD).collect();
        assert_eq!(ranges.len(), 7);
        assert!(ranges[0].0 > 0.0 && ranges[6].1 < 1.0);
        assert!(ranges.windows(2).all(|pair| pair[0].1 < pair[1].0));
        assert_eq!(dash_ranges(f32::NAN, DASH_PERIOD).count(), 1);
        assert_eq!(dash_ranges(1e9, DASH_PERIOD).count(), 256);
    }
}
