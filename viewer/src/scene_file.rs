//! Scene files: what a picture shows and how, as JSON that people write and keep beside their figures. Equal files give
//! equal pixels on one adapter.
//!
//! Fields and their defaults are described in `docs/scene-files.md`. A file may come from a stranger: its size, its lists
//! and its numbers are bounded, unknown fields are refused by name, and the molecules that it names lie in its own folder
//! or below. Reading molecules is left to the caller ([`SceneFile::build`] takes models).

mod camera;
mod colors;
mod listed;
mod writing;

use std::path::{Component, PathBuf};
use std::sync::Arc;

use glam::{Mat4, Vec2, Vec3};
use kfold_molecule::{AtomSet, Model, Selection};
use serde::{Deserialize, Serialize};
use thiserror::Error;

pub use self::camera::CameraEntry;
pub use self::colors::{Background, ColorName, HexColor};
pub use self::listed::{ColorEntry, CopyEntry, ListedColors, ListedValues, MeasuredPlace};
pub use self::writing::Beside;
use crate::camera::Camera;
use crate::color::Coloring;
use crate::labels::{Label, measurement, residue_labels};
use crate::scene::{AtomSelection, BackboneStyle, BaseStyle, Dash, Object, Putty, Representation, Scene, Shape};
use crate::settings::{Preset, RenderSettings};
use crate::surface::SurfaceStyle;

/// The version that is written and the newest that is read.
const VERSION: u32 = 1;
/// Bytes of a file at most.
const MOST_BYTES: usize = 8 << 20;
/// Molecules, and representations of one, at most.
const MOST_ENTRIES: usize = 64;
/// Labels of a picture at most.
const MOST_LABELS: usize = 2000;
/// Copies of a molecule at most.
const MOST_COPIES: usize = 10_000;
/// Longest side of a picture.
const LONGEST_SIDE: u32 = 16_384;

/// Why a text is no scene, or a scene does not fit its molecules.
#[derive(Debug, Error)]
pub enum SceneFileError {
    /// Not JSON, or not of this shape.
    #[error("the scene file, line {line}, column {column}: {reason}")]
    Syntax {
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
        /// What is wrong.
        reason: String,
    },
    /// A value that cannot be.
    #[error("the scene file, `{field}`: {reason}")]
    Value {
        /// Where.
        field: String,
        /// What is wrong and what could stand there.
        reason: String,
    },
}

fn wrong(field: impl Into<String>, reason: impl Into<String>) -> SceneFileError {
    SceneFileError::Value { field: field.into(), reason: reason.into() }
}

/// A scene with the picture that is taken of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SceneFile {
    /// Of the format; 1.
    pub version: u32,
    /// What is drawn.
    pub molecules: Vec<MoleculeEntry>,
    /// Where from.
    #[serde(default)]
    pub camera: CameraEntry,
    /// The look.
    #[serde(default)]
    pub style: Preset,
    /// Numbers that go over those of the look.
    #[serde(default, skip_serializing_if = "Effects::is_empty")]
    pub effects: Effects,
    /// `#rrggbb` or `transparent`; the look's own when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub background: Option<Background>,
    /// Width and height in pixels.
    #[serde(default = "default_size")]
    pub size: (u32, u32),
    /// Pictures averaged with the camera shifted within a pixel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub samples: Option<u32>,
    /// Words at residues or atoms.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<LabelEntry>,
    /// Distances, angles and dihedral angles between two, three or four places or middles of selections.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub measurements: Vec<Vec<MeasuredPlace>>,
    /// Dashed lines in the colours of their kinds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub interactions: Vec<Dash>,
    /// Atoms with an outline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outlined: Option<Selection>,
    /// Other places to take the picture from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub views: Vec<ViewEntry>,
}

/// A camera with a name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ViewEntry {
    /// Its name.
    pub name: String,
    /// Where from.
    pub camera: CameraEntry,
}

const fn default_size() -> (u32, u32) {
    (1280, 800)
}

/// One molecule.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MoleculeEntry {
    /// Its file, in the folder of the scene file or below; left out, it is one of those named beside the scene file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<PathBuf>,
    /// The biological assembly of this name in its file, drawn as copies; whoever reads the file puts them in place
    /// ([`SceneFile::expand_assemblies`]).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assembly: Option<String>,
    /// Where copies stand; none: once, where its atoms are.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub copies: Vec<CopyEntry>,
    /// How it is drawn; nothing said: as a newly opened structure.
    #[serde(default)]
    pub representations: Vec<RepresentationEntry>,
}

/// Words.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LabelEntry {
    /// What is named; or `at`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub atoms: Option<Selection>,
    /// Where the word stands, Å.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Vec3>,
    /// `{residue}` for each residue, `{atom}` for each atom, or one word for all, in their middle.
    #[serde(default = "residue_text")]
    pub text: String,
    /// `#rrggbb`; what stands out from the background when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub color: Option<ColorName>,
    /// Pixels in a picture 800 high.
    #[serde(default = "label_size")]
    pub size: f32,
    /// Whether nothing hides it.
    #[serde(default)]
    pub on_top: bool,
    /// Pixels to the right and up, in a picture 800 high.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub shift: (f32, f32),
}

fn residue_text() -> String {
    "{residue}".into()
}

const fn label_size() -> f32 {
    17.0
}

/// One way in which some atoms are drawn.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RepresentationEntry {
    /// What is drawn.
    #[serde(rename = "as")]
    pub shape: ShapeName,
    /// Of which atoms of this molecule; the selection sees all molecules side by side.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub atoms: Option<Selection>,
    /// In which colours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub color: Option<ColorEntry>,
    /// Of a cartoon whose backbone is `putty`, values of one's own in place of B-factors.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thickness: Option<ListedValues>,
    /// 1 is solid.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub opacity: f32,
    /// Size of spheres as a multiple of the van der Waals radius.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scale: Option<f32>,
    /// Radius of sticks, Å.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub radius: Option<f32>,
    /// Width of lines in pixels, of ribbons in Å.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width: Option<f32>,
    /// How the backbone of a cartoon is drawn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backbone: Option<BackboneName>,
    /// How the bases of a cartoon are drawn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bases: Option<BaseStyle>,
    /// Whether a surface is drawn as a net.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub net: bool,
    /// Whether the surfaces of cavities inside are drawn.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cavities: bool,
    /// Whether a surface is the part at these atoms of the surface of all protein and nucleic acids.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub part: bool,
}

const fn one() -> f32 {
    1.0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_one(value: &f32) -> bool {
    *value == 1.0
}

fn is_zero(pair: &(f32, f32)) -> bool {
    *pair == (0.0, 0.0)
}

/// What a representation draws, by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ShapeName {
    /// Ribbons.
    Cartoon,
    /// Balls and sticks.
    BallAndStick,
    /// Sticks.
    Sticks,
    /// Spheres.
    Spheres,
    /// Lines.
    Lines,
    /// The solvent-excluded surface.
    Surface,
    /// The Gaussian surface.
    GaussianSurface,
    /// Carbohydrates as symbols.
    Glycans,
}

/// How the backbone of a cartoon is drawn, by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BackboneName {
    /// Ribbons with arrows.
    Ribbon,
    /// Helices as tubes.
    TubularHelices,
    /// As thick as the B-factors are high.
    Putty,
    /// As thick as pLDDT is low.
    PlddtPutty,
    /// From CA to CA.
    Trace,
}

/// Numbers of [`RenderSettings`]; those left out are the look's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Effects {
    /// 0-1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ambient_occlusion: Option<f32>,
    /// 0-1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shadows: Option<f32>,
    /// 0-1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub depth_cue: Option<f32>,
    /// Pixels in a picture 800 high.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub silhouette_width: Option<f32>,
}

impl Effects {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Finds a selection's atoms in each molecule; is told for which field.
type Select<'a> = dyn Fn(&str, &Selection) -> Result<Vec<AtomSet>, SceneFileError> + 'a;

fn within(field: &str, value: Option<f32>, low: f32, high: f32) -> Result<(), SceneFileError> {
    match value {
        Some(value) if !(low..=high).contains(&value) => {
            Err(wrong(field, format!("{value} is not from {low} to {high}")))
        }
        _ => Ok(()),
    }
}

/// A scene file with its molecules in place.
#[derive(Clone, Debug)]
pub struct BuiltScene {
    /// What is drawn.
    pub scene: Scene,
    /// Where from.
    pub camera: Camera,
    /// How.
    pub settings: RenderSettings,
    /// Width and height in pixels.
    pub size: (u32, u32),
}

impl SceneFile {
    /// Reads a scene.
    ///
    /// # Errors
    /// When the text is too long, is no JSON of this shape, or has a value that cannot be.
    pub fn parse(text: &str) -> Result<Self, SceneFileError> {
        if text.len() > MOST_BYTES {
            return Err(wrong("version", format!("the file is larger than {MOST_BYTES} bytes; this is no scene file")));
        }
        let scene: Self = serde_json::from_str(text).map_err(|error| SceneFileError::Syntax {
            line: error.line(),
            column: error.column(),
            reason: reason(&error),
        })?;
        scene.check()?;
        Ok(scene)
    }

    /// As text that [`Self::parse`] reads.
    ///
    /// # Errors
    /// When a number is none (NaN).
    pub fn to_text(&self) -> Result<String, SceneFileError> {
        self.check()?;
        serde_json::to_string_pretty(self).map(|text| text + "\n").map_err(|error| SceneFileError::Syntax {
            line: 0,
            column: 0,
            reason: error.to_string(),
        })
    }

    fn check(&self) -> Result<(), SceneFileError> {
        if self.version == 0 || self.version > VERSION {
            let reason = format!("this program reads versions 1 to {VERSION}, not {}", self.version);
            return Err(wrong("version", reason));
        }
        if self.molecules.is_empty() || self.molecules.len() > MOST_ENTRIES {
            return Err(wrong("molecules", format!("there must be 1 to {MOST_ENTRIES}")));
        }
        for (index, molecule) in self.molecules.iter().enumerate() {
            let field = |name: &str| format!("molecules[{index}].{name}");
            let is_inside =
                |file: &PathBuf| file.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
            if molecule.file.as_ref().is_some_and(|file| !is_inside(file)) {
                return Err(wrong(field("file"), "must lie in the folder of the scene file or below"));
            }
            if molecule.copies.len() > MOST_COPIES {
                return Err(wrong(field("copies"), format!("must be at most {MOST_COPIES}")));
            }
            if let Some(fault) = molecule.copies.iter().find_map(CopyEntry::fault) {
                return Err(wrong(field("copies"), fault));
            }
            if molecule.assembly.is_some() && !molecule.copies.is_empty() {
                return Err(wrong(field("assembly"), "and copies exclude each other"));
            }
            if molecule.representations.len() > MOST_ENTRIES {
                return Err(wrong(field("representations"), format!("must be at most {MOST_ENTRIES}")));
            }
            for representation in &molecule.representations {
                within(&field("representations.opacity"), Some(representation.opacity), 0.0, 1.0)?;
                within(&field("representations.scale"), representation.scale, 0.01, 10.0)?;
                within(&field("representations.radius"), representation.radius, 0.01, 10.0)?;
                within(&field("representations.width"), representation.width, 0.1, 20.0)?;
                let colored = match &representation.color {
                    Some(ColorEntry::Values(listed)) => Some(listed),
                    _ => None,
                };
                if !colored.into_iter().chain(&representation.thickness).all(ListedValues::is_sane) {
                    let reason = "values need a low and a high that differ, and a ramp of at most 64 colours";
                    return Err(wrong(field("representations"), reason));
                }
            }
        }
        if self.interactions.len() > MOST_LABELS || self.views.len() > MOST_ENTRIES {
            let reason = format!("must be at most {MOST_LABELS}, and views {MOST_ENTRIES}");
            return Err(wrong("interactions", reason));
        }
        let is_far = |point: Vec3| !point.is_finite() || point.length() > 1.0e7;
        if self.interactions.iter().flat_map(|dash| dash.points).any(is_far) {
            return Err(wrong("interactions.points", "are farther than 10,000,000 Å from the origin"));
        }
        if self.labels.len() > MOST_LABELS || self.measurements.len() > MOST_LABELS {
            return Err(wrong("labels", format!("and measurements must be at most {MOST_LABELS} each")));
        }
        for label in &self.labels {
            within("labels.size", Some(label.size), 4.0, 200.0)?;
            if label.atoms.is_some() == label.at.is_some() {
                return Err(wrong("labels", "need either atoms or at"));
            }
            if label.at.is_some_and(is_far) {
                return Err(wrong("labels.at", "is farther than 10,000,000 Å from the origin"));
            }
            within("labels.shift", Some(label.shift.0), -1000.0, 1000.0)?;
            within("labels.shift", Some(label.shift.1), -1000.0, 1000.0)?;
            if label.text.len() > 200 {
                return Err(wrong("labels.text", "is longer than 200 bytes"));
            }
        }
        if self.measurements.iter().any(|atoms| !(2..=4).contains(&atoms.len())) {
            return Err(wrong("measurements", "takes two, three or four places each"));
        }
        let measured = self.measurements.iter().flatten();
        if measured.into_iter().any(|place| matches!(place, MeasuredPlace::Point(point) if is_far(*point))) {
            return Err(wrong("measurements", "are farther than 10,000,000 Å from the origin"));
        }
        let Effects { ambient_occlusion, shadows, depth_cue, silhouette_width } = self.effects;
        within("effects.ambient_occlusion", ambient_occlusion, 0.0, 1.0)?;
        within("effects.shadows", shadows, 0.0, 1.0)?;
        within("effects.depth_cue", depth_cue, 0.0, 1.0)?;
        within("effects.silhouette_width", silhouette_width, 0.0, 6.0)?;
        Self::check_camera(&self.camera)?;
        for view in &self.views {
            Self::check_camera(&view.camera)?;
        }
        let (width, height) = self.size;
        if !(1..=LONGEST_SIDE).contains(&width) || !(1..=LONGEST_SIDE).contains(&height) {
            return Err(wrong("size", format!("each side must be from 1 to {LONGEST_SIDE}")));
        }
        if self.samples.is_some_and(|samples| !(1..=64).contains(&samples)) {
            return Err(wrong("samples", "must be from 1 to 64"));
        }
        Ok(())
    }

    fn check_camera(camera: &CameraEntry) -> Result<(), SceneFileError> {
        within("camera.distance", camera.distance, 0.5, 1.0e6)?;
        within("camera.front_clip", camera.front_clip, -1.0e6, 1.0e6)?;
        within("camera.field_of_view", camera.field_of_view, 1.0, 120.0)?;
        within("camera.zoom", Some(camera.zoom), 0.01, 100.0)?;
        within("camera.turn", Some(camera.turn.0), -3600.0, 3600.0)?;
        within("camera.turn", Some(camera.turn.1), -3600.0, 3600.0)?;
        if camera.center.is_some_and(|center| !center.is_finite() || center.length() > 1.0e7) {
            return Err(wrong("camera.center", "is farther than 10,000,000 Å from the origin"));
        }
        if camera.rotation.is_some_and(|rotation| !(0.99..=1.01).contains(&rotation.length())) {
            return Err(wrong("camera.rotation", "is no quaternion x, y, z, w of length 1"));
        }
        let placed = [camera.center.is_some(), camera.distance.is_some(), camera.rotation.is_some()];
        if placed.contains(&true) && placed.contains(&false) {
            return Err(wrong("camera", "center, distance and rotation belong together"));
        }
        Ok(())
    }

    /// Puts the molecules in place, one model for each entry in their order.
    ///
    /// # Errors
    /// When there are more or fewer models than entries, or a selection selects nothing.
    pub fn build(&self, models: &[Model]) -> Result<BuiltScene, SceneFileError> {
        if models.len() != self.molecules.len() {
            let reason = format!("there are {} but {} were read", self.molecules.len(), models.len());
            return Err(wrong("molecules", reason));
        }
        let joined = Model::join(&models.iter().collect::<Vec<_>>());
        // A selection's atoms in each molecule.
        let select = |field: &str, selection: &Selection| -> Result<Vec<AtomSet>, SceneFileError> {
            let atoms = selection.select(&joined);
            if atoms.is_empty() {
                return Err(wrong(field, format!("no atom is selected by `{selection}`")));
            }
            let mut first = 0;
            let of_model = |model: &Model| {
                let count = model.positions.len();
                let own = AtomSet::from_indices(count, (0..count).filter(|atom| atoms.contains(first + atom)));
                first += count;
                own
            };
            Ok(models.iter().map(of_model).collect())
        };
        let mut scene = Scene::default();
        for (index, (entry, model)) in self.molecules.iter().zip(models).enumerate() {
            let copies = entry.copies.iter().map(CopyEntry::place).collect();
            let mut object = Object::new(index as u64, model).copied(copies);
            for representation in &entry.representations {
                let atoms = match &representation.atoms {
                    Some(selection) => {
                        let field = format!("molecules[{index}].representations.atoms");
                        let own = select(&field, selection)?.swap_remove(index);
                        AtomSelection::of_set(&own)
                    }
                    // Waters would give a surface a skin of their own.
                    None if representation.is_surface() => AtomSelection::polymer(&model.topology),
                    None => AtomSelection::All,
                };
                object = object.with(representation.build(model).of(atoms));
            }
            if entry.representations.is_empty() {
                object = object.with_default_representations();
            }
            scene.objects.push(object);
        }
        if let Some(selection) = &self.outlined {
            let outlined = select("outlined", selection)?.into_iter().enumerate();
            scene.selected = outlined
                .filter(|(_, atoms)| !atoms.is_empty())
                .map(|(index, atoms)| (index as u64, AtomSelection::of_set(&atoms)))
                .collect();
        }
        if let Some(object) = scene.objects.first_mut().filter(|_| !self.interactions.is_empty()) {
            object.representations.push(Representation::dashes(self.interactions.clone()));
        }
        let camera = self.camera(&scene, &select)?;
        self.add_words(&mut scene, &select)?;
        let mut settings = self.style.settings().still().for_height(self.size.1);
        settings.samples = self.samples.unwrap_or(settings.samples);
        let effects = self.effects;
        settings.ambient_occlusion = effects.ambient_occlusion.unwrap_or(settings.ambient_occlusion);
        settings.shadows = effects.shadows.unwrap_or(settings.shadows);
        settings.depth_cue = effects.depth_cue.unwrap_or(settings.depth_cue);
        settings.silhouette_width = effects.silhouette_width.unwrap_or(settings.silhouette_width);
        match self.background {
            Some(Background::Color(color)) => settings.background = color,
            Some(Background::Transparent) => settings.transparent_background = true,
            None => {}
        }
        Ok(BuiltScene { scene, camera, settings, size: self.size })
    }

    /// Puts one entry for each piece in place of molecules that are drawn as an assembly: its atoms that the same operators
    /// move, with where these put them. `pieces` is told the molecule's number and the assembly's name. Returns the models
    /// of all molecules, those of others from `model`.
    ///
    /// # Errors
    /// What the callers' functions say.
    pub fn expand_assemblies<E>(
        &mut self,
        mut model: impl FnMut(usize, &MoleculeEntry) -> Result<Model, E>,
        mut pieces: impl FnMut(usize, &MoleculeEntry, &str) -> Result<Vec<(Model, Vec<Mat4>)>, E>,
    ) -> Result<Vec<Model>, E> {
        let mut models = Vec::new();
        let mut entries = Vec::new();
        for (index, entry) in std::mem::take(&mut self.molecules).into_iter().enumerate() {
            let Some(name) = entry.assembly.clone() else {
                models.push(model(index, &entry)?);
                entries.push(entry);
                continue;
            };
            for (model, places) in pieces(index, &entry, &name)? {
                models.push(model);
                let copies = places.iter().map(CopyEntry::of).collect();
                entries.push(MoleculeEntry { assembly: None, copies, ..entry.clone() });
            }
        }
        self.molecules = entries;
        Ok(models)
    }

    /// Labels and measurements.
    fn add_words(&self, scene: &mut Scene, select: &Select<'_>) -> Result<(), SceneFileError> {
        let ground = match self.background {
            Some(Background::Color(color)) => color,
            _ => self.style.settings().background,
        };
        let mut labels = Vec::new();
        for entry in &self.labels {
            let mut named = Vec::new();
            let atoms = match &entry.atoms {
                Some(selection) => select("labels.atoms", selection)?,
                None => Vec::new(),
            };
            for (object, atoms) in scene.objects.iter().zip(&atoms) {
                let place = object.places()[0];
                let atoms = AtomSelection::of_set(atoms);
                match entry.text.as_str() {
                    "{residue}" => named.extend(
                        residue_labels(&object.topology, &object.positions, &atoms)
                            .into_iter()
                            .map(|label| Label { position: place.transform_point3(label.position), ..label }),
                    ),
                    "{atom}" => named.extend(atoms.indices(&object.topology).into_iter().filter_map(|atom| {
                        let position = *object.positions.get(atom as usize)?;
                        let position = place.transform_point3(position);
                        Some(Label::new(position, object.topology.atoms[atom as usize].name.as_str()))
                    })),
                    _ => {}
                }
            }
            if let Some(point) = entry.at {
                named.push(Label::new(point, entry.text.clone()));
            } else if !matches!(entry.text.as_str(), "{residue}" | "{atom}") {
                named.push(Label::new(middle(scene, &atoms), entry.text.clone()));
            }
            for label in named.into_iter().take(MOST_LABELS - labels.len().min(MOST_LABELS)) {
                let mut label = Label {
                    size: entry.size,
                    is_on_top: entry.on_top,
                    shift: Vec2::new(entry.shift.0, entry.shift.1),
                    ..label.on_ground(ground)
                };
                if let Some(ColorName::Coloring(Coloring::Uniform(color))) = &entry.color {
                    label.color = *color;
                }
                labels.push(label);
            }
        }
        for atoms in &self.measurements {
            let mut points = Vec::new();
            for place in atoms {
                points.push(match place {
                    MeasuredPlace::Point(point) => *point,
                    MeasuredPlace::Atoms(selection) => middle(scene, &select("measurements", selection)?),
                });
            }
            let ink = Label::new(Vec3::ZERO, "").on_ground(ground).color;
            if let (Some((lines, label)), Some(object)) = (measurement(&points, ink), scene.objects.first_mut()) {
                object.representations.push(lines);
                labels.push(Label { outline: ground, ..label });
            }
        }
        scene.labels = Arc::new(labels);
        Ok(())
    }

    fn camera(&self, scene: &Scene, select: &Select<'_>) -> Result<Camera, SceneFileError> {
        let entry = &self.camera;
        let aspect = self.size.0 as f32 / self.size.1 as f32;
        let mut camera = if let (Some(center), Some(distance), Some(view_from_world)) =
            (entry.center, entry.distance, entry.rotation)
        {
            Camera { center, distance, view_from_world: view_from_world.normalize(), ..Camera::default() }
        } else {
            let placed = |object: &Object| {
                let place = |place: &Mat4| -> Vec<Vec3> {
                    object.positions.iter().map(|point| place.transform_point3(*point)).collect()
                };
                object.places().iter().flat_map(place).collect::<Vec<_>>()
            };
            let all: Vec<Vec3> = scene.objects.iter().flat_map(placed).collect();
            let looked_at = match &entry.look_at {
                Some(selection) => {
                    let atoms = select("camera.look_at", selection)?;
                    let of_object = |(object, atoms): (&Object, &AtomSet)| object.points(&AtomSelection::of_set(atoms));
                    scene.objects.iter().zip(&atoms).flat_map(of_object).collect()
                }
                None => all.clone(),
            };
            if entry.into_pocket {
                Camera::looking_into_pocket(&looked_at, &all, aspect)
            } else {
                Camera::looking_at(&looked_at, aspect)
            }
        };
        if let Some(degrees) = entry.field_of_view {
            // The same part of the scene stays in the picture.
            let before = (0.5 * camera.vertical_fov).tan();
            camera.vertical_fov = degrees.to_radians();
            if entry.distance.is_none() {
                camera.distance *= before / (0.5 * camera.vertical_fov).tan();
            }
        }
        camera.orbit(entry.turn.0.to_radians(), entry.turn.1.to_radians());
        camera.zoom(entry.zoom);
        if entry.front_clip.is_some() {
            camera.front_clip = entry.front_clip;
        }
        Ok(camera)
    }
}

/// The middle of atoms; of molecules in copies, in the first.
fn middle(scene: &Scene, atoms: &[AtomSet]) -> Vec3 {
    let of_object = |(object, atoms): (&Object, &AtomSet)| {
        let place = object.places()[0];
        let points = atoms.iter().filter_map(|atom| object.positions.get(atom));
        points.map(|point| place.transform_point3(*point)).collect::<Vec<_>>()
    };
    let points: Vec<Vec3> = scene.objects.iter().zip(atoms).flat_map(of_object).collect();
    points.iter().sum::<Vec3>() / points.len().max(1) as f32
}

/// What serde_json says without the place, which stands before it.
fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.rfind(" at line ").map_or(text.clone(), |end| text[..end].to_owned())
}

impl RepresentationEntry {
    const fn of(shape: ShapeName) -> Self {
        Self {
            shape,
            atoms: None,
            color: None,
            thickness: None,
            opacity: 1.0,
            scale: None,
            radius: None,
            width: None,
            backbone: None,
            bases: None,
            net: false,
            cavities: false,
            part: false,
        }
    }

    const fn is_surface(&self) -> bool {
        matches!(self.shape, ShapeName::Surface | ShapeName::GaussianSurface)
    }

    fn build(&self, model: &Model) -> Representation {
        let mut built = match self.shape {
            ShapeName::Cartoon => Representation::cartoon(),
            ShapeName::BallAndStick => Representation::ball_and_stick(),
            ShapeName::Sticks => Representation::sticks(),
            ShapeName::Spheres => Representation::spheres(1.0),
            ShapeName::Lines => Representation::lines(),
            ShapeName::Glycans => Representation::glycans(),
            ShapeName::Surface => Representation::surface(SurfaceStyle::default()),
            ShapeName::GaussianSurface => Representation::surface(SurfaceStyle::gaussian()),
        };
        match &mut built.shape {
            Shape::Cartoon(style) => {
                let factor = self.width.map_or(1.0, |width| width / style.width);
                style.width *= factor;
                style.bases = self.bases.unwrap_or_default();
                let values = || Arc::new(model.b_factors.clone());
                style.backbone = match self.backbone {
                    Some(BackboneName::Putty) if self.thickness.is_some() => self
                        .thickness
                        .as_ref()
                        .map(|listed| BackboneStyle::Putty(listed.putty(model)))
                        .unwrap_or_default(),
                    None | Some(BackboneName::Ribbon) => BackboneStyle::Ribbon,
                    Some(BackboneName::TubularHelices) => BackboneStyle::TubularHelices,
                    Some(BackboneName::Putty) => BackboneStyle::Putty(Putty::of_range(values())),
                    Some(BackboneName::PlddtPutty) => BackboneStyle::Putty(Putty::of_plddt(values())),
                    Some(BackboneName::Trace) => BackboneStyle::Trace { radius: self.radius.unwrap_or(0.3) },
                };
            }
            Shape::BallAndStick { ball_scale, stick_radius } => {
                *ball_scale = self.scale.unwrap_or(*ball_scale);
                *stick_radius = self.radius.unwrap_or(*stick_radius);
            }
            Shape::Sticks { radius, .. } => *radius = self.radius.unwrap_or(*radius),
            Shape::Spheres { scale } => *scale = self.scale.unwrap_or(*scale),
            Shape::Lines { width } => *width = self.width.unwrap_or(*width),
            Shape::Surface(style) => {
                style.net = self.net;
                style.cavities = self.cavities;
                style.of = self.part.then(|| AtomSelection::polymer(&model.topology));
            }
            _ => {}
        }
        if let Some(color) = &self.color {
            built.coloring = color.coloring(model);
        }
        built.with_opacity(self.opacity)
    }
}

#[cfg(test)]
mod tests;
