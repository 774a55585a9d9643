//! `render FILE_OR_JOB -o FILE.png`: a picture without a window, on whatever adapter there is.

use std::io::Cursor;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use glam::Vec3;
use kfold_inference::job::{Job, Results, files};
use kfold_molecule::{AtomSet, Model, ResidueKind, Selection, SmallMolecule, Structure, formats};
use kfold_viewer::{
    AtomSelection, Camera, CarbonColor, Color, Coloring, Gpu, Object, RenderSettings, Renderer, Representation, Scene,
    Shape,
};

use super::{Outcome, standard_output};

/// Carbon of the ligand: apart from the colours of chains.
const LIGAND_CARBON: Color = Color::hex(0x00e0_a030);

/// Side chains with an atom this near to the ligand are drawn, Å.
const NEAR: f32 = 4.2;

/// Draws a structure, small molecules or the best pose of a job.
#[derive(Debug, Args)]
pub(super) struct Render {
    /// A structure (PDB, mmCIF), a ligand (SDF, MOL), several of them to draw together, or a job
    #[arg(required = true)]
    inputs: Vec<PathBuf>,
    /// The picture
    #[arg(short, long, value_name = "FILE.png")]
    output: PathBuf,
    /// Width and height in pixels
    #[arg(long, default_value = "1280x800", value_parser = parse_size, value_name = "WxH")]
    size: (u32, u32),
    /// The whole structure, not the ligand in its pocket
    #[arg(long)]
    whole: bool,
    /// What the colours of proteins and nucleic acids mean
    #[arg(long, value_enum, default_value_t)]
    color: Scheme,
    #[command(flatten)]
    atoms: AtomArguments,
}

/// Colouring by name.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum Scheme {
    #[default]
    Chain,
    Entity,
    SecondaryStructure,
    Rainbow,
    ResidueClass,
    Hydropathy,
    Charge,
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

fn parse_size(text: &str) -> Result<(u32, u32), String> {
    let parsed = text.split_once('x').and_then(|(width, height)| Some((width.parse().ok()?, height.parse().ok()?)));
    parsed.filter(|(width, height)| *width > 0 && *height > 0).ok_or_else(|| "write it as 1280x800".into())
}

impl Render {
    pub(super) fn run(&self) -> anyhow::Result<Outcome> {
        let atoms = self.atoms.clone();
        let mut picture =
            Picture { size: self.size, whole: self.whole, color: self.color, atoms, ..Picture::default() };
        for input in &self.inputs {
            picture.add_file(input)?;
        }
        picture.write(&self.output)?;
        standard_output::line(&self.output.display().to_string())?;
        Ok(Outcome::Done)
    }
}

/// Draws the best pose of a job, or its receptor where there is none, into `NAME.png` of its folder.
pub(super) fn render_job(job: &Job) -> anyhow::Result<PathBuf> {
    let mut picture = Picture { size: (1280, 800), ..Picture::default() };
    picture.add_job(&Results::load_job(job)?)?;
    let path = job.folder().join(format!("{}.png", job.query().name));
    picture.write(&path)?;
    Ok(path)
}

/// What is to be drawn.
#[derive(Default)]
struct Picture {
    size: (u32, u32),
    whole: bool,
    color: Scheme,
    atoms: AtomArguments,
    receptors: Vec<Model>,
    ligands: Vec<Model>,
}

impl Picture {
    fn add_file(&mut self, path: &Path) -> anyhow::Result<()> {
        if Job::is_job(path) {
            return self.add_job(&Results::load(path)?);
        }
        match formats::read_structure(path) {
            Ok(structure) => self.add_receptor(structure).with_context(|| path.display().to_string()),
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
        for model in &self.receptors {
            let mut object = Object::new(objects.len() as u64, model).with_default_representations();
            for representation in &mut object.representations {
                if matches!(representation.shape, Shape::Cartoon(_)) {
                    representation.coloring = self.color.coloring(model);
                }
            }
            around.extend(&model.positions);
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

    fn write(&self, path: &Path) -> anyhow::Result<()> {
        let (scene, camera) = self.scene()?;
        let mut renderer = Renderer::new(Gpu::headless()?)?;
        let settings = RenderSettings::default().still();
        let image = renderer.render_to_image(&scene, &camera, self.size.0, self.size.1, &settings)?;
        let mut bytes = Cursor::new(Vec::new());
        image.write_to(&mut bytes, image::ImageFormat::Png).context("cannot encode the picture")?;
        files::write_whole(path, bytes.get_ref()).with_context(|| format!("cannot write {}", path.display()))
    }
}
