//! `export JOB -o FILE`: what the window's export menu writes, by the file's name.

use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::Args;
use kfold_inference::job::{Results, files};
use kfold_molecule::formats::{mmcif, pdb, sdf};
use kfold_viewer::scene_file::BuiltScene;

use super::common::write_text;
use super::picture::PictureArguments;
use super::{Outcome, standard_output};
use crate::exports::{csv_of, poses, structure_of};
use crate::scripts::{self, Program};
use crate::texts::{Language, Texts};
use crate::window::outcome;
use crate::window::reading::site_diagram;
use crate::window::series::LigandNotes;

/// Writes a result as another program wants it.
#[derive(Debug, Args)]
pub(super) struct Export {
    /// The job
    job: PathBuf,
    /// What to write, by its name: .csv (table), .sdf (ligands with their numbers), .pdb or .cif (the complex), .svg or
    /// .png (the interaction diagram), .pml (PyMOL) or .cxc (ChimeraX) with the structures beside it
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// The ligand, by its place among the results, from 1
    #[arg(long, default_value_t = 1, value_name = "N")]
    ligand: usize,
    /// The pose, or sample: 1 is the best
    #[arg(long, default_value_t = 1, value_name = "N")]
    pose: usize,
}

impl Export {
    pub(super) fn run(&self) -> anyhow::Result<Outcome> {
        let results = Results::load(&self.job)?;
        let path = &self.output;
        let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
        let extension = extension.to_ascii_lowercase();
        if let Some(program) = match extension.as_str() {
            "pml" => Some(Program::PyMol),
            "cxc" => Some(Program::ChimeraX),
            _ => None,
        } {
            let BuiltScene { scene, camera, size, .. } = PictureArguments::for_input(&self.job).gather()?;
            let aspect = size.0 as f32 / size.1 as f32;
            let name = path.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            for (file, text) in scripts::files(program, &name, &scene, &camera, aspect) {
                let file = path.with_file_name(file);
                write_text(&file, &text)?;
                standard_output::line(&file.display().to_string())?;
            }
            return Ok(Outcome::Done);
        }
        let found = outcome::Outcome::of(results);
        let (ligand, pose) = (self.ligand.saturating_sub(1), self.pose.saturating_sub(1));
        let complex = || structure_of(&found, ligand, pose).context("there is no such ligand or pose");
        let bytes = match extension.as_str() {
            "csv" => csv_of(&found, None, &LigandNotes::new())?,
            "sdf" => sdf::write(&poses(&found, None, &LigandNotes::new())).into_bytes(),
            "pdb" => pdb::write(&complex()?)?.into_bytes(),
            "cif" | "mmcif" => mmcif::write(&complex()?).into_bytes(),
            "svg" | "png" => {
                let texts = Texts::new(Language::English);
                let site = match found.complexes.get(pose) {
                    Some(sample) => sample.ligands.get(ligand).map(|ligand| (&ligand.molecule, &ligand.interactions)),
                    None => found
                        .ligands
                        .get(ligand)
                        .and_then(|ligand| ligand.poses.get(pose))
                        .map(|pose| (&pose.molecule, &pose.interactions)),
                };
                let (molecule, interactions) = site.context("there is no such ligand or pose")?;
                let drawing = site_diagram(&texts, molecule, interactions).map_err(anyhow::Error::msg)?.drawing;
                match extension.as_str() {
                    "png" => drawing.to_png(3.0).context("the diagram has nothing to show")?,
                    _ => drawing.to_svg().into_bytes(),
                }
            }
            _ => bail!("{}: name it .csv, .sdf, .pdb, .cif, .svg, .png, .pml or .cxc", path.display()),
        };
        files::write_whole(path, &bytes).with_context(|| format!("cannot write {}", path.display()))?;
        standard_output::line(&path.display().to_string())?;
        Ok(Outcome::Done)
    }
}
