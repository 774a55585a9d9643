//! Numbers that change when the picture would.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use glam::Vec3;

use crate::camera::Camera;
use crate::color::{CarbonColor, Coloring};
use crate::renderer::Part;
use crate::scene::{AtomSelection, BackboneStyle, Object, Representation, Scene, Shape};
use crate::settings::RenderSettings;
use crate::surface::SurfaceKind;

fn address<T>(arc: &Arc<T>) -> usize {
    Arc::as_ptr(arc) as usize
}

fn hash_vec(vector: Vec3, state: &mut impl Hasher) {
    vector.to_array().map(f32::to_bits).hash(state);
}

fn hash_atoms(atoms: &AtomSelection, state: &mut impl Hasher) {
    match atoms {
        AtomSelection::All => 0_usize.hash(state),
        AtomSelection::Atoms(list) => address(list).hash(state),
    }
}

fn hash_shape(shape: &Shape, state: &mut impl Hasher) {
    std::mem::discriminant(shape).hash(state);
    match shape {
        Shape::Cartoon(style) => {
            [style.width, style.thickness, style.coil, style.arrow].map(f32::to_bits).hash(state);
            style.divisions.hash(state);
            style.bases.hash(state);
            std::mem::discriminant(&style.backbone).hash(state);
            match &style.backbone {
                BackboneStyle::Ribbon | BackboneStyle::TubularHelices => {}
                BackboneStyle::Putty(putty) => {
                    address(&putty.values).hash(state);
                    [putty.thin, putty.thick].map(f32::to_bits).hash(state);
                }
                BackboneStyle::Trace { radius } => radius.to_bits().hash(state),
            }
        }
        Shape::BallAndStick { ball_scale, stick_radius } => {
            [*ball_scale, *stick_radius].map(f32::to_bits).hash(state);
        }
        Shape::Sticks { radius, bond_orders } => {
            radius.to_bits().hash(state);
            bond_orders.hash(state);
        }
        Shape::Spheres { scale } => scale.to_bits().hash(state),
        Shape::Lines { width } => width.to_bits().hash(state),
        Shape::Glycans { size } => size.to_bits().hash(state),
        Shape::Surface(style) => {
            match style.kind {
                SurfaceKind::SolventExcluded { probe } => (0, probe.to_bits()).hash(state),
                SurfaceKind::Gaussian { sharpness } => (1, sharpness.to_bits()).hash(state),
            }
            (style.spacing.to_bits(), style.net, style.cavities).hash(state);
            if let Some(atoms) = &style.of {
                hash_atoms(atoms, state);
            }
        }
        Shape::Dashes(lines) => address(lines).hash(state),
        Shape::Measured(lines) => address(lines).hash(state),
        Shape::Box(bounds) => {
            hash_vec(bounds.center, state);
            hash_vec(bounds.size, state);
        }
    }
}

fn hash_coloring(coloring: &Coloring, state: &mut impl Hasher) {
    std::mem::discriminant(coloring).hash(state);
    match coloring {
        Coloring::Element(carbon) => match carbon {
            CarbonColor::Uniform(color) => (1, color).hash(state),
            CarbonColor::Grey => 2.hash(state),
            CarbonColor::Chain => 3.hash(state),
        },
        Coloring::BFactor { low, high } => [*low, *high].map(f32::to_bits).hash(state),
        Coloring::Values { values, low, high, ramp } => {
            address(values).hash(state);
            [*low, *high].map(f32::to_bits).hash(state);
            ramp.hash(state);
        }
        Coloring::Electrostatics { range } => range.to_bits().hash(state),
        Coloring::Atoms(colors) => address(colors).hash(state),
        Coloring::Uniform(color) => color.hash(state),
        Coloring::Chain
        | Coloring::Entity
        | Coloring::SecondaryStructure
        | Coloring::Rainbow
        | Coloring::Plddt
        | Coloring::PlddtScale
        | Coloring::ResidueClass
        | Coloring::Hydropathy
        | Coloring::Charge
        | Coloring::Glycans => {}
    }
}

fn hash_representation(representation: &Representation, state: &mut impl Hasher) {
    hash_shape(&representation.shape, state);
    hash_atoms(&representation.atoms, state);
    hash_coloring(&representation.coloring, state);
    representation.opacity.to_bits().hash(state);
    representation.visible.hash(state);
}

fn hash_object(object: &Object, state: &mut impl Hasher) {
    object.id.hash(state);
    object.visible.hash(state);
    if !object.visible {
        return;
    }
    address(&object.topology).hash(state);
    address(&object.positions).hash(state);
    address(&object.copies).hash(state);
    address(&object.b_factors).hash(state);
    object.ribbon_kinds.as_ref().map(address).hash(state);
    object.representations.len().hash(state);
    for representation in &object.representations {
        hash_representation(representation, state);
    }
}

/// Of everything that a picture depends on. Lists are told apart by address: whoever keeps a fingerprint must keep the
/// scene as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fingerprint {
    /// Of all but the highlights.
    pub base: u64,
    /// Of what is selected and hovered.
    pub highlights: u64,
}

pub(crate) fn fingerprint(scene: &Scene, camera: &Camera, part: Part, settings: &RenderSettings) -> Fingerprint {
    let mut state = DefaultHasher::new();
    for (list, mark) in [(&scene.selected, 1), (&scene.hovered, 2)] {
        (mark, list.len()).hash(&mut state);
        for (object, atoms) in list {
            object.hash(&mut state);
            hash_atoms(atoms, &mut state);
        }
    }
    Fingerprint { base: base(scene, camera, part, settings), highlights: state.finish() }
}

fn base(scene: &Scene, camera: &Camera, part: Part, settings: &RenderSettings) -> u64 {
    let mut state = DefaultHasher::new();
    scene.objects.len().hash(&mut state);
    for object in &scene.objects {
        hash_object(object, &mut state);
    }
    address(&scene.labels).hash(&mut state);
    hash_vec(camera.center, &mut state);
    [camera.distance, camera.vertical_fov].map(f32::to_bits).hash(&mut state);
    camera.view_from_world.to_array().map(f32::to_bits).hash(&mut state);
    camera.front_clip.map(f32::to_bits).hash(&mut state);
    part.hash(&mut state);
    let RenderSettings {
        background,
        transparent_background,
        lighting,
        ambient_occlusion,
        silhouette_width,
        depth_cue,
        resolution_scale,
        samples,
        quality,
        shadows,
        line_scale,
    } = settings;
    (background, transparent_background, lighting, samples, quality).hash(&mut state);
    [*ambient_occlusion, *silhouette_width, *depth_cue, *resolution_scale, *shadows, *line_scale]
        .map(f32::to_bits)
        .hash(&mut state);
    state.finish()
}
