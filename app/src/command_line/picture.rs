//! What the commands that draw have in common: from their arguments to a scene, a camera and settings.

use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use glam::{Mat4, Vec3};
use image::RgbaImage;
use kfold_inference::job::{Job, Results, files};
use kfold_molecule::{AtomSet, Model, ResidueKind, Selection, SmallMolecule, Structure, formats};
use kfold_viewer::scene_file::{BuiltScene, SceneFile};
use kfold_viewer::{
    AtomSelection, Camera, CarbonColor, Color, Coloring, Object, Preset, Representation, Scene, Shape, Stereo,
    SurfaceStyle,
};

use crate::assembly;
use crate::exports::png_bytes;

/// Carbon of the ligand: apart from the colours of chains.
const LIGAND_CARBON: Color = Color::hex(0x00e0_a030);

/// Side chains with an atom this near to the ligand are drawn, Å.
const NEAR: f32 = 4.2;

/// Bytes of a scene file that are read; more is none.
const MOST_SCENE_BYTES: u64 = 9 << 20;

/// What is drawn, and how.
#[derive(Clone, Debug, Args)]
pub(super) struct PictureArguments {
    /// A structure (PDB, mmCIF), a ligand (SDF, MOL), several of them to draw together, or a job
    inputs: Vec<PathBuf>,
    /// A scene file (docs/scene-files.md); the inputs are its molecules without a file of their own, in order
    #[arg(long, value_name = "FILE.json", conflicts_with_all = ["whole", "color", "surface", "show", "hide", "select", "focus"])]
    scene: Option<PathBuf>,
    /// Width and height in pixels, up to 16384 [default: 1280x800, or the scene's]
    #[arg(long, value_parser = parse_size, value_name = "WxH")]
    size: Option<(u32, u32)>,
    /// The look [default: publication, or the scene's]
    #[arg(long, value_parser = parse_style, value_name = "publication|cartoon|soft|flat|dark")]
    style: Option<Preset>,
    /// Nothing behind the molecules: the picture has alpha
    #[arg(long)]
    transparent: bool,
    /// Pictures averaged with the camera shifted within a pixel: smoother edges, softer shadows [default: 9]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=64))]
    samples: Option<u32>,
    /// Two pictures side by side, for a stereoscope or for eyes that cross; each is half as wide
    #[arg(long, value_parser = parse_stereo, value_name = "parallel|cross")]
    stereo: Option<Stereo>,
    /// The view of this name in the scene file
    #[arg(long, value_name = "NAME", requires = "scene")]
    view: Option<String>,
    /// Structures as their biological assembly of this name (usually a number from 1), drawn as copies
    #[arg(long, value_name = "ID", conflicts_with = "scene")]
    assembly: Option<String>,
    /// The whole structure, not the ligand in its pocket
    #[arg(long)]
    whole: bool,
    /// What the colours of proteins and nucleic acids mean
    #[arg(long, value_enum, default_value_t)]
    color: Scheme,
    /// Proteins and nucleic acids as a surface
    #[arg(long, value_enum)]
    surface: Option<Surface>,
    #[command(flatten)]
    atoms: AtomArguments,
}

/// Surfaces by name.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum Surface {
    /// Solvent-excluded
    Excluded,
    /// Round and quick
    Gaussian,
}

impl Surface {
    fn style(self) -> SurfaceStyle {
        match self {
            Self::Excluded => SurfaceStyle::default(),
            Self::Gaussian => SurfaceStyle::gaussian(),
        }
    }
}

fn parse_style(text: &str) -> Result<Preset, String> {
    let known = Preset::ALL.into_iter().find(|preset| preset.name() == text);
    known.ok_or_else(|| format!("the looks are {}", Preset::ALL.map(Preset::name).join(", ")))
}

fn parse_stereo(text: &str) -> Result<Stereo, String> {
    match text {
        "parallel" => Ok(Stereo::Parallel),
        "cross" => Ok(Stereo::CrossEyed),
        _ => Err("write parallel or cross".to_owned()),
    }
}

impl PictureArguments {
    /// Whether pictures are made for two eyes. Sizes of built scenes are those of one.
    pub(super) fn stereo(&self) -> Stereo {
        self.stereo.unwrap_or_default()
    }

    fn of_one_eye(&self, size: (u32, u32)) -> (u32, u32) {
        ((size.0 / self.stereo().count()).max(1), size.1)
    }

    /// The arguments for one input with everything else as it is by default.
    pub(super) fn for_input(input: &Path) -> Self {
        Self {
            inputs: vec![input.to_owned()],
            scene: None,
            size: None,
            style: None,
            transparent: false,
            samples: None,
            stereo: None,
            view: None,
            assembly: None,
            whole: false,
            color: Scheme::default(),
            surface: None,
            atoms: AtomArguments::default(),
        }
    }

    /// Reads what is drawn.
    pub(super) fn gather(&self) -> anyhow::Result<BuiltScene> {
        self.gather_with(None)
    }

    /// The same with another structure in place of the first input.
    pub(super) fn gather_with(&self, first: Option<&Model>) -> anyhow::Result<BuiltScene> {
        let mut built = match &self.scene {
            Some(path) => self.build_scene_file(path, first)?,
            None => self.build_inputs(first)?,
        };
        if let Some(samples) = self.samples {
            built.settings.samples = samples;
        }
        built.settings.transparent_background |= self.transparent;
        Ok(built)
    }

    /// The first file among the inputs.
    pub(super) fn first_input(&self) -> anyhow::Result<&Path> {
        self.inputs.first().map(PathBuf::as_path).context("name a structure")
    }

    fn build_inputs(&self, first: Option<&Model>) -> anyhow::Result<BuiltScene> {
        if self.inputs.is_empty() {
            bail!("name a structure, a ligand or a job to draw, or a scene with --scene");
        }
        let size = self.of_one_eye(self.size.unwrap_or((1280, 800)));
        let mut gathered =
            Gathered { size, whole: self.whole, color: self.color, surface: self.surface, ..Gathered::default() };
        gathered.atoms.clone_from(&self.atoms);
        gathered.assembly.clone_from(&self.assembly);
        if first.is_some() && self.assembly.is_some() {
            bail!("an assembly has no path; leave --assembly out");
        }
        gathered.receptors.extend(first.cloned());
        for input in self.inputs.iter().skip(usize::from(first.is_some())) {
            gathered.add_file(input)?;
        }
        let (scene, camera) = gathered.scene()?;
        let settings = self.style.unwrap_or_default().settings().still().for_height(size.1);
        Ok(BuiltScene { scene, camera, settings, size })
    }

    fn build_scene_file(&self, path: &Path, first: Option<&Model>) -> anyhow::Result<BuiltScene> {
        let mut text = String::new();
        let file = std::fs::File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
        file.take(MOST_SCENE_BYTES)
            .read_to_string(&mut text)
            .with_context(|| format!("cannot read {}", path.display()))?;
        let mut scene = SceneFile::parse(&text).with_context(|| path.display().to_string())?;
        scene.size = self.of_one_eye(self.size.unwrap_or(scene.size));
        if let Some(name) = &self.view {
            let found = scene.views.iter().find(|view| view.name == *name);
            scene.camera = found.map(|view| view.camera.clone()).with_context(|| {
                let names: Vec<&str> = scene.views.iter().map(|view| view.name.as_str()).collect();
                let there = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
                format!("{} has no view `{name}`; there is {there}", path.display())
            })?;
        }
        scene.style = self.style.unwrap_or(scene.style);
        let folder = path.parent().unwrap_or(Path::new(""));
        let mut inputs = self.inputs.iter();
        let mut files = Vec::new();
        for (index, molecule) in scene.molecules.iter().enumerate() {
            files.push(match &molecule.file {
                Some(file) => folder.join(file),
                None => inputs
                    .next()
                    .with_context(|| format!("molecule {} of the scene has no file; name one", index + 1))?
                    .clone(),
            });
        }
        let models = scene.expand_assemblies(
            |index, _| match first.filter(|_| index == 0) {
                Some(model) => Ok(model.clone()),
                None => one_model(&files[index]),
            },
            |index, _, name| {
                if first.is_some() && index == 0 {
                    bail!("an assembly has no path; leave `assembly` out of the first molecule");
                }
                assembly::pieces(&files[index], &formats::read_structure(&files[index])?, name)
            },
        )?;
        if let Some(input) = inputs.next() {
            bail!("the scene has no place for {}: all its molecules have a file", input.display());
        }
        scene.build(&models).with_context(|| path.display().to_string())
    }
}

/// The first model of a structure, or the first molecule.
fn one_model(path: &Path) -> anyhow::Result<Model> {
    let structure = match formats::read_structure(path) {
        Err(formats::FormatError::NotRecognised { .. }) => {
            let molecules = formats::read_small_molecules(path)?;
            molecules.first().map(|molecule| molecule.to_structure("L", "LIG"))
        }
        read => Some(read?),
    };
    let model = structure.and_then(|structure| structure.models.into_iter().next());
    model.with_context(|| format!("{} has no atoms", path.display()))
}

/// Writes a picture as PNG, whole or not at all.
pub(super) fn write_png(path: &Path, picture: &RgbaImage) -> anyhow::Result<()> {
    let bytes = png_bytes(picture).context("cannot encode the picture")?;
    files::write_whole(path, &bytes).with_context(|| format!("cannot write {}", path.display()))
}

/// Colouring by name.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub(super) enum Scheme {
    #[default]
    Chain,
    Entity,
    SecondaryStructure,
    Rainbow,
    ResidueClass,
    Hydropathy,
    Charge,
    /// Of a surface; kcal/(mol e)
    Electrostatics,
    Element,
    BFactor,
    /// The bands of the AlphaFold database
    Plddt,
    /// pLDDT along a continuous scale
    PlddtScale,
}

impl Scheme {
    fn coloring(self, model: &Model) -> Coloring {
        match self {
            Self::Chain => Coloring::Chain,
            Self::Entity => Coloring::Entity,
            Self::SecondaryStructure => Coloring::SecondaryStructure,
            Self::Rainbow => Coloring::Rainbow,
            Self::ResidueClass => Coloring::ResidueClass,
            Self::Hydropathy => Coloring::Hydropathy,
            Self::Charge => Coloring::Charge,
            Self::Electrostatics => Coloring::Electrostatics { range: 10.0 },
            Self::Element => Coloring::Element(CarbonColor::Grey),
            Self::BFactor => {
                let finite = || model.b_factors.iter().copied().filter(|value| value.is_finite());
                let (low, high) = (finite().fold(f32::INFINITY, f32::min), finite().fold(f32::NEG_INFINITY, f32::max));
                Coloring::BFactor { low, high }
            }
            Self::Plddt => Coloring::Plddt,
            Self::PlddtScale => Coloring::PlddtScale,
        }
    }
}

/// Which atoms are drawn, and how. Selections (docs/selections.md) see everything that is drawn together as one
/// structure; ligands of their own files are residues LIG.
#[derive(Clone, Debug, Default, Args)]
struct AtomArguments {
    /// Only these atoms, e.g. "chain A and not water"
    #[arg(long, value_name = "SELECTION")]
    show: Option<Selection>,
    /// All but these atoms
    #[arg(long, value_name = "SELECTION")]
    hide: Option<Selection>,
    /// These atoms outlined, e.g. "byres (ligand around 4)"
    #[arg(long, value_name = "SELECTION")]
    select: Option<Selection>,
    /// These atoms in the middle, as near as they fit
    #[arg(long, value_name = "SELECTION", conflicts_with = "whole")]
    focus: Option<Selection>,
}

pub(super) fn parse_size(text: &str) -> Result<(u32, u32), String> {
    let parsed = text.split_once('x').and_then(|(width, height)| Some((width.parse().ok()?, height.parse().ok()?)));
    parsed.filter(|(width, height)| *width > 0 && *height > 0).ok_or_else(|| "write it as 1280x800".into())
}

/// What is to be drawn.
#[derive(Default)]
struct Gathered {
    size: (u32, u32),
    whole: bool,
    color: Scheme,
    surface: Option<Surface>,
    atoms: AtomArguments,
    assembly: Option<String>,
    receptors: Vec<Model>,
    /// Where copies of each receptor stand; nothing for those beyond, which stand once.
    places: Vec<Vec<Mat4>>,
    ligands: Vec<Model>,
}

impl Gathered {
    fn add_file(&mut self, path: &Path) -> anyhow::Result<()> {
        if Job::is_job(path) {
            return self.add_job(&Results::load(path)?);
        }
        match formats::read_structure(path) {
            Ok(structure) => {
                if let Some(id) = &self.assembly {
                    let pieces = assembly::pieces(path, &structure, id)?;
                    self.places.resize(self.receptors.len(), Vec::new());
                    for (model, places) in pieces {
                        self.receptors.push(model);
                        self.places.push(places);
                    }
                    return Ok(());
                }
                self.add_receptor(structure).with_context(|| path.display().to_string())
            }
            Err(formats::FormatError::NotRecognised { .. }) => {
                let molecules = formats::read_small_molecules(path)?;
                molecules.iter().for_each(|molecule| self.add_ligand(molecule));
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }

    fn add_job(&mut self, results: &Results) -> anyhow::Result<()> {
        if let Some(best) = results.ranked_complexes().first() {
            return self.add_receptor(best.structure.clone());
        }
        if let Some((_, best)) = results.ranked_poses().first() {
            self.add_ligand(&best.molecule);
            return self.add_receptor(Structure::clone(&best.receptor));
        }
        let ensemble = results.seeds.iter().find_map(|seed| seed.ensemble.as_ref());
        match ensemble {
            Some(ensemble) => self.add_receptor(ensemble.structure.clone()),
            None => bail!("{} has no results to draw yet", results.job.folder().display()),
        }
    }

    fn add_receptor(&mut self, structure: Structure) -> anyhow::Result<()> {
        self.receptors.push(structure.models.into_iter().next().context("there are no atoms")?);
        Ok(())
    }

    fn add_ligand(&mut self, molecule: &SmallMolecule) {
        self.ligands.extend(molecule.to_structure("L", "LIG").models.into_iter().next());
    }

    /// The atoms of each ligand, then of each receptor, that a selection selects in all of them together.
    fn selected(&self, option: &str, selection: &Selection) -> anyhow::Result<Vec<AtomSet>> {
        let models: Vec<&Model> = self.ligands.iter().chain(&self.receptors).collect();
        let atoms = selection.select(&Model::join(&models));
        if atoms.is_empty() {
            bail!("{option}: no atom is selected by `{selection}`");
        }
        let mut first = 0;
        let of_model = |model: &&Model| {
            let count = model.positions.len();
            let own = AtomSet::from_indices(count, (0..count).filter(|atom| atoms.contains(first + atom)));
            first += count;
            own
        };
        Ok(models.iter().map(of_model).collect())
    }

    fn scene(&self) -> anyhow::Result<(Scene, Camera)> {
        let aspect = self.size.0 as f32 / self.size.1 as f32;
        let mut objects = Vec::new();
        let mut ligand_points: Vec<Vec3> = Vec::new();
        for model in &self.ligands {
            let object = Object::new(objects.len() as u64, model);
            let shown = AtomSelection::All.without_carbon_hydrogens(&object.topology);
            ligand_points.extend(object.points(&shown));
            let coloring = Coloring::Element(CarbonColor::Uniform(LIGAND_CARBON));
            objects.push(object.with(Representation::sticks().of(shown).colored(coloring)));
        }
        let mut around: Vec<Vec3> = Vec::new();
        for (index, model) in self.receptors.iter().enumerate() {
            let mut object = Object::new(objects.len() as u64, model).with_default_representations();
            if let Some(places) = self.places.get(index) {
                object = object.copied(places.clone());
            }
            for representation in &mut object.representations {
                if matches!(representation.shape, Shape::Cartoon(_)) {
                    if let Some(surface) = self.surface {
                        let polymer = AtomSelection::polymer(&model.topology);
                        *representation = Representation::surface(surface.style()).of(polymer);
                    }
                    representation.coloring = self.color.coloring(model);
                }
            }
            let place =
                |place: &Mat4| model.positions.iter().map(|point| place.transform_point3(*point)).collect::<Vec<_>>();
            around.extend(object.places().iter().flat_map(place));
            if !ligand_points.is_empty() {
                let near = AtomSelection::side_chains_near(&object.topology, &object.positions, &ligand_points, NEAR)
                    .without_carbon_hydrogens(&object.topology);
                let shape = Shape::Sticks { radius: 0.15, bond_orders: false };
                object = object.with(Representation::new(shape, Coloring::Element(CarbonColor::Chain)).of(near));
            }
            if self.atoms.show.is_some() {
                // Waters are drawn where they are asked for.
                let waters = AtomSelection::of_kinds(&object.topology, &[ResidueKind::Water]);
                object = object.with(Representation::spheres(0.25).of(waters));
            }
            objects.push(object);
        }
        let points = |objects: &[Object], atoms: &[AtomSet]| -> Vec<Vec3> {
            let of_object = |(object, atoms): (&Object, &AtomSet)| object.points(&AtomSelection::of_set(atoms));
            objects.iter().zip(atoms).flat_map(of_object).collect()
        };
        let mut shown: Option<Vec<AtomSet>> =
            self.atoms.show.as_ref().map(|selection| self.selected("--show", selection)).transpose()?;
        if let Some(selection) = &self.atoms.hide {
            let full = objects.iter().map(|object: &Object| AtomSet::full(object.positions.len())).collect();
            let mut left = shown.unwrap_or(full);
            let hidden = self.selected("--hide", selection)?;
            left.iter_mut().zip(&hidden).for_each(|(left, hidden)| left.subtract(hidden));
            shown = Some(left);
        }
        let all = match &shown {
            Some(shown) => points(&objects, shown),
            None => ligand_points.iter().chain(&around).copied().collect(),
        };
        let camera = if let Some(selection) = &self.atoms.focus {
            Camera::looking_at(&points(&objects, &self.selected("--focus", selection)?), aspect)
        } else if self.whole || shown.is_some() || ligand_points.is_empty() || around.is_empty() {
            Camera::looking_at(&all, aspect)
        } else {
            Camera::looking_into_pocket(&ligand_points, &around, aspect)
        };
        let mut scene = Scene::default();
        if let Some(selection) = &self.atoms.select {
            let selected = self.selected("--select", selection)?;
            let outlined = objects.iter().zip(&selected).filter(|(_, atoms)| !atoms.is_empty());
            scene.selected = outlined.map(|(object, atoms)| (object.id, AtomSelection::of_set(atoms))).collect();
        }
        if let Some(shown) = &shown {
            objects = objects.into_iter().zip(shown).map(|(object, atoms)| object.showing_only(atoms)).collect();
        }
        scene.objects = objects;
        Ok((scene, camera))
    }
}
