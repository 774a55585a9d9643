//! From what is drawn to a scene file, for whoever keeps a view.

use std::collections::HashMap;
use std::path::PathBuf;

use glam::Vec3;
use kfold_molecule::Selection;

use super::{
    BackboneName, CameraEntry, ColorEntry, CopyEntry, LabelEntry, ListedValues, MeasuredPlace, MoleculeEntry,
    RepresentationEntry, SceneFile, ShapeName, VERSION, ViewEntry, default_size,
};
use crate::camera::Camera;
use crate::labels::Label;
use crate::scene::{AtomSelection, BackboneStyle, CartoonStyle, Object, Representation, Scene, Shape};
use crate::settings::Preset;
use crate::surface::SurfaceKind;

/// What is kept of a view besides its scene and its camera.
#[derive(Clone, Copy, Debug, Default)]
pub struct Beside<'a> {
    /// The look.
    pub style: Preset,
    /// Kept cameras with their names.
    pub views: &'a [(String, Camera)],
    /// Words that are no values of measurements.
    pub labels: &'a [Label],
    /// The places of distances, angles and dihedral angles, Å.
    pub measurements: &'a [Vec<Vec3>],
}

/// Its colour follows the ground that it is read on.
fn label(label: &Label) -> LabelEntry {
    LabelEntry {
        atoms: None,
        at: Some(label.position),
        text: label.text.clone(),
        color: None,
        size: label.size,
        on_top: label.is_on_top,
        shift: label.shift.into(),
    }
}

impl SceneFile {
    /// The scene file of a scene, its molecules named by `file` in order: an object with atoms, the name of its file.
    /// Atoms are written by their number over all molecules. What a scene file cannot say is written as the nearest that it
    /// can.
    #[must_use]
    pub fn of_scene(
        scene: &Scene,
        camera: &Camera,
        beside: &Beside<'_>,
        mut file: impl FnMut(&Object) -> PathBuf,
    ) -> Self {
        let mut first = 0;
        let mut molecules = Vec::new();
        let mut firsts = HashMap::new();
        for object in scene.objects.iter().filter(|object| object.visible && !object.positions.is_empty()) {
            let shown = object.representations.iter().filter(|shown| shown.visible);
            let entries = shown.filter_map(|shown| entry(shown, object, first)).collect();
            molecules.push(MoleculeEntry {
                file: Some(file(object)),
                assembly: None,
                copies: object.copies.iter().map(CopyEntry::of).collect(),
                representations: entries,
            });
            firsts.insert(object.id, first);
            first += object.positions.len();
        }
        let dashes = scene.objects.iter().flat_map(|object| &object.representations).filter(|shown| shown.visible);
        let interactions = dashes
            .filter_map(|shown| match &shown.shape {
                Shape::Dashes(dashes) => Some(dashes.iter().copied()),
                _ => None,
            })
            .flatten()
            .collect();
        let outlined = scene.selected.iter().filter_map(|(object, atoms)| {
            let held = scene.objects.iter().find(|held| held.id == *object)?;
            numbers(&atoms.indices(&held.topology), *firsts.get(object)?)
        });
        Self {
            version: VERSION,
            molecules,
            camera: CameraEntry::from(camera),
            style: beside.style,
            effects: super::Effects::default(),
            background: None,
            size: default_size(),
            samples: None,
            labels: beside.labels.iter().map(label).collect(),
            measurements: beside
                .measurements
                .iter()
                .map(|points| points.iter().copied().map(MeasuredPlace::Point).collect())
                .collect(),
            interactions,
            outlined: outlined.reduce(Selection::or),
            views: beside
                .views
                .iter()
                .map(|(name, camera)| ViewEntry { name: name.clone(), camera: CameraEntry::from(camera) })
                .collect(),
        }
    }
}

/// Atoms by their number from 1; `None` for none.
fn numbers(atoms: &[u32], first: usize) -> Option<Selection> {
    let mut ranges: Vec<(usize, usize)> = Vec::new();
    for atom in atoms.iter().map(|atom| *atom as usize + first + 1) {
        match ranges.last_mut() {
            Some((_, last)) if atom == *last + 1 => *last = atom,
            _ => ranges.push((atom, atom)),
        }
    }
    let text = |(first, last): &(usize, usize)| {
        if first == last { first.to_string() } else { format!("{first}-{last}") }
    };
    let text = ranges.iter().map(text).collect::<Vec<_>>().join("+");
    Selection::parse(&format!("index {text}")).ok()
}

fn entry(shown: &Representation, object: &Object, first: usize) -> Option<RepresentationEntry> {
    let mut entry = RepresentationEntry::of(ShapeName::Cartoon);
    match &shown.shape {
        Shape::Cartoon(style) => {
            entry.width = (style.width != CartoonStyle::default().width).then_some(style.width);
            entry.bases = Some(style.bases);
            entry.backbone = Some(match &style.backbone {
                BackboneStyle::Ribbon => BackboneName::Ribbon,
                BackboneStyle::TubularHelices => BackboneName::TubularHelices,
                BackboneStyle::Trace { radius } => {
                    entry.radius = Some(*radius);
                    BackboneName::Trace
                }
                BackboneStyle::Putty(putty) if *putty.values != *object.b_factors => {
                    entry.thickness = Some(ListedValues::of(&putty.values, putty.thin, putty.thick, &[]));
                    BackboneName::Putty
                }
                BackboneStyle::Putty(putty) if putty.thin > putty.thick => BackboneName::PlddtPutty,
                BackboneStyle::Putty(_) => BackboneName::Putty,
            });
        }
        Shape::BallAndStick { ball_scale, stick_radius } => {
            entry.shape = ShapeName::BallAndStick;
            (entry.scale, entry.radius) = (Some(*ball_scale), Some(*stick_radius));
        }
        Shape::Sticks { radius, .. } => {
            entry.shape = ShapeName::Sticks;
            entry.radius = Some(*radius);
        }
        Shape::Spheres { scale } => {
            entry.shape = ShapeName::Spheres;
            entry.scale = Some(*scale);
        }
        Shape::Lines { width } => {
            entry.shape = ShapeName::Lines;
            entry.width = Some(*width);
        }
        Shape::Glycans { .. } => entry.shape = ShapeName::Glycans,
        Shape::Surface(style) => {
            entry.shape = match style.kind {
                SurfaceKind::SolventExcluded { .. } => ShapeName::Surface,
                SurfaceKind::Gaussian { .. } => ShapeName::GaussianSurface,
            };
            (entry.net, entry.cavities, entry.part) = (style.net, style.cavities, style.of.is_some());
        }
        Shape::Dashes(_) | Shape::Measured(_) | Shape::Box(_) => return None,
    }
    entry.color = Some(ColorEntry::of(&shown.coloring));
    entry.opacity = shown.opacity.clamp(0.0, 1.0);
    let is_surface = entry.is_surface();
    if is_surface || matches!(shown.atoms, AtomSelection::Atoms(_)) {
        entry.atoms = Some(numbers(&shown.atoms.indices(&object.topology), first)?);
    }
    Some(entry)
}
