//! The bases of nucleic acids: filled rings or rungs of a ladder.

use glam::Vec3;
use kfold_molecule::Topology;

use super::curve::Frame;
use super::section::{Cap, Section, extrude};
use super::tube;
use crate::geometry::mesh::Mesh;
use crate::scene::{BaseStyle, CartoonStyle};

const SIX_RING: [&str; 6] = ["N1", "C2", "N3", "C4", "C5", "C6"];
const FIVE_RING: [&str; 5] = ["C4", "C5", "N7", "C8", "N9"];
/// Half thickness of a filled ring, Å.
const HALF_THICKNESS: f32 = 0.22;
/// What a slab reaches beyond the middles of its atoms, Å.
const SLAB_MARGIN: f32 = 0.45;
/// Radius of the rung that joins a base to the backbone, Å.
const RUNG: f32 = 0.2;

/// The base of one residue, joined to the ribbon at `on_ribbon`.
pub(super) fn base(
    mesh: &mut Mesh,
    topology: &Topology,
    positions: &[Vec3],
    residue: u32,
    on_ribbon: Vec3,
    style: &CartoonStyle,
) {
    let Some(residue) = topology.residues.get(residue as usize) else { return };
    let named = |name: &str| topology.atom_named(residue, name);
    let place =
        |name: &str| named(name).and_then(|atom| positions.get(atom).copied()).filter(|position| position.is_finite());
    let Some(sugar) = named("C1'").or_else(|| named("C1*")) else { return };
    let atom = sugar as u32;
    let Some(&sugar) = positions.get(sugar) else { return };
    let is_purine = named("N9").is_some();
    let joined = place(if is_purine { "N9" } else { "N1" });
    match style.bases {
        BaseStyle::Hidden => {}
        BaseStyle::Ladder => {
            let far = place(if is_purine { "N1" } else { "N3" }).or(joined);
            tube(mesh, on_ribbon, sugar, 1.6 * RUNG, atom);
            if let Some(far) = far {
                tube(mesh, sugar, far, 1.6 * RUNG, atom);
            }
        }
        BaseStyle::Slabs => {
            tube(mesh, on_ribbon, sugar, RUNG, atom);
            if let Some(joined) = joined {
                tube(mesh, sugar, joined, RUNG, atom);
            }
            let ring: Vec<Vec3> = SIX_RING.iter().chain(&FIVE_RING[2..]).filter_map(|name| place(name)).collect();
            if let (Some(joined), true) = (joined, ring.len() >= 6) {
                slab(mesh, &ring, joined, atom);
            }
        }
        BaseStyle::FilledRings => {
            tube(mesh, on_ribbon, sugar, RUNG, atom);
            if let Some(joined) = joined {
                tube(mesh, sugar, joined, RUNG, atom);
            }
            let ring = |names: &[&str]| names.iter().map(|name| place(name)).collect::<Option<Vec<Vec3>>>();
            for corners in [ring(&SIX_RING), ring(&FIVE_RING)].into_iter().flatten() {
                plate(mesh, &corners, atom);
            }
        }
    }
}

/// A rectangular slab over the ring atoms of a base, along the way from where it is joined.
fn slab(mesh: &mut Mesh, ring: &[Vec3], joined: Vec3, atom: u32) {
    let middle = ring.iter().copied().sum::<Vec3>() / ring.len() as f32;
    let Some(along) = (middle - joined).try_normalize() else { return };
    // The first six atoms are a ring.
    let normal = (0..6).map(|index| (ring[index] - middle).cross(ring[(index + 1) % 6] - middle)).sum::<Vec3>();
    let Some(side) = normal.cross(along).try_normalize() else { return };
    let span = |axis: Vec3| {
        let places = ring.iter().map(|place| (*place - middle).dot(axis));
        places.fold((0.0_f32, 0.0_f32), |(low, high), place| (low.min(place), high.max(place)))
    };
    let ((near, far), (left, right)) = (span(along), span(side));
    let center = middle + side * (0.5 * (left + right));
    let frames = [near - SLAB_MARGIN, far + SLAB_MARGIN].map(|place| Frame {
        position: center + along * place,
        tangent: along,
        side,
    });
    let section = Section::rectangle(0.5 * (right - left) + SLAB_MARGIN, HALF_THICKNESS);
    extrude(mesh, &frames, |_| section, |_| atom, (Cap::Flat, Cap::Flat));
}

/// A flat prism over a ring, its rim rounded by tubes.
fn plate(mesh: &mut Mesh, corners: &[Vec3], atom: u32) {
    let count = corners.len();
    let middle = corners.iter().copied().sum::<Vec3>() / count as f32;
    // Newell's normal of a polygon that is only nearly flat.
    let normal = (0..count)
        .map(|index| (corners[index] - middle).cross(corners[(index + 1) % count] - middle))
        .sum::<Vec3>()
        .normalize_or_zero();
    if normal == Vec3::ZERO {
        return;
    }
    for side in [1.0, -1.0] {
        let up = normal * side;
        let center = mesh.vertex(middle + up * HALF_THICKNESS, up, atom);
        let rim: Vec<u32> = corners.iter().map(|&corner| mesh.vertex(corner + up * HALF_THICKNESS, up, atom)).collect();
        for index in 0..count {
            let (a, b) = (rim[index], rim[(index + 1) % count]);
            if side > 0.0 { mesh.triangle(center, a, b) } else { mesh.triangle(center, b, a) }
        }
    }
    for index in 0..count {
        tube(mesh, corners[index], corners[(index + 1) % count], HALF_THICKNESS, atom);
    }
}
