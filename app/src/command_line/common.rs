//! What several subcommands share.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use kfold_inference::docking::Docking;
use kfold_inference::engine::{Engine, EngineName};
use kfold_inference::job::files;
use kfold_inference::kfold::engine::KFoldEngine;
use kfold_inference::query::{Imported, Query, import};
use kfold_inference::settings::{ScoringFunction, Settings};
use kfold_molecule::{Model, Structure, formats};

use super::terminal;

/// The engines of this program.
pub(super) const ENGINES: [&dyn Engine; 2] = [&Docking, &KFOLD];

static KFOLD: KFoldEngine = KFoldEngine::learning();

/// Scoring functions by name.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum Scoring {
    /// Trott & Olson 2010
    Vina,
    /// Quiroga & Villarreal 2016
    Vinardo,
}

impl From<Scoring> for ScoringFunction {
    fn from(scoring: Scoring) -> Self {
        match scoring {
            Scoring::Vina => Self::Vina,
            Scoring::Vinardo => Self::Vinardo,
        }
    }
}

/// Settings of the search that go over those of the query.
#[derive(Debug, Args)]
pub(super) struct SearchArguments {
    /// Search effort, proportional to time
    #[arg(long, value_name = "N")]
    exhaustiveness: Option<u32>,
    /// Poses to keep for each ligand, at most
    #[arg(long, value_name = "N")]
    poses: Option<u32>,
    /// Threads; 0 for all cores. The result does not depend on it
    #[arg(long, value_name = "N")]
    threads: Option<u32>,
    /// Scoring function
    #[arg(long)]
    scoring: Option<Scoring>,
    /// Pockets to search, best first, where none is given
    #[arg(long, value_name = "N")]
    pockets: Option<u32>,
    /// Side chains that turn during the search, e.g. A:145,A:148
    #[arg(long, value_delimiter = ',', value_name = "CHAIN:NUMBER,...")]
    flexible: Vec<String>,
    /// Side chains this near to the reference ligand (or the box's middle) turn too
    #[arg(long, value_name = "Å")]
    flexible_within: Option<f32>,
    /// Hold the largest part that a ligand shares with the reference ligand where that has it
    #[arg(long)]
    hold_scaffold: bool,
    /// Conformers of the protein to make by the elastic network
    #[arg(long, value_name = "N")]
    ensemble_conformers: Option<u32>,
    /// Amplitude of those conformers in Å RMSD
    #[arg(long, value_name = "Å")]
    ensemble_amplitude: Option<f32>,
    /// Dock into those conformers too; each pose says into which
    #[arg(long)]
    dock_into_ensemble: bool,
    /// Rank poses by energy alone: no networks, no pose probabilities, pK from the energy
    #[arg(long)]
    no_cnn: bool,
}

impl SearchArguments {
    pub(super) fn apply(&self, settings: &mut Settings) {
        let docking = &mut settings.docking;
        docking.exhaustiveness = self.exhaustiveness.unwrap_or(docking.exhaustiveness);
        docking.poses = self.poses.unwrap_or(docking.poses);
        docking.threads = self.threads.unwrap_or(docking.threads);
        docking.scoring = self.scoring.map_or(docking.scoring, ScoringFunction::from);
        docking.pockets = self.pockets.unwrap_or(docking.pockets);
        if !self.flexible.is_empty() {
            docking.flexible.clone_from(&self.flexible);
        }
        docking.flexible_within = self.flexible_within.unwrap_or(docking.flexible_within);
        docking.hold_scaffold |= self.hold_scaffold;
        docking.ensemble_conformers = self.ensemble_conformers.unwrap_or(docking.ensemble_conformers);
        docking.ensemble_amplitude = self.ensemble_amplitude.unwrap_or(docking.ensemble_amplitude);
        docking.dock_into_ensemble |= self.dock_into_ensemble;
        docking.cnn &= !self.no_cnn;
    }
}

/// The engine as an argument.
#[derive(Clone, Copy, Debug)]
pub(super) enum EngineChoice {
    /// The one that can, K-Fold first.
    Automatic,
    /// This one.
    Named(EngineName),
}

pub(super) fn parse_engine(text: &str) -> Result<EngineChoice, String> {
    if text == "auto" {
        return Ok(EngineChoice::Automatic);
    }
    let named = EngineName::from_name(text).map(EngineChoice::Named);
    named.ok_or_else(|| format!("the engines here are auto, {}", EngineName::list()))
}

/// The query in a file of any program, with the seeds that the file asks for (none in our own). What could not come along
/// is said on standard error.
pub(super) fn read_query(path: &Path) -> anyhow::Result<(Query, Vec<u64>)> {
    let imported = one_query(path, None)?;
    for reason in &imported.left_out {
        terminal::say(&format!("left out: {reason}"));
    }
    Ok((imported.query, imported.seeds))
}

/// The only query in a file, or the one of this number, from 1.
pub(super) fn one_query(path: &Path, number: Option<i32>) -> anyhow::Result<Imported> {
    let mut all = import(path)?;
    let count = all.len();
    let index = match number {
        Some(number) => {
            usize::try_from(number).ok().and_then(|number| number.checked_sub(1)).filter(|index| *index < count)
        }
        None if count == 1 => Some(0),
        None => {
            let names: Vec<&str> = all.iter().take(20).map(|one| one.query.name.as_str()).collect();
            bail!(
                "{} holds {count} jobs ({}); take one out with: kfold-studio convert {} --model N -o query.yaml",
                path.display(),
                names.join(", "),
                path.display()
            );
        }
    };
    let Some(index) = index else {
        bail!("{} has no job {}; it has {count}", path.display(), number.unwrap_or_default());
    };
    Ok(all.swap_remove(index))
}

/// An absolute path without looking at the disk.
pub(super) fn absolute(path: &Path) -> anyhow::Result<PathBuf> {
    std::path::absolute(path).with_context(|| format!("cannot use the path {}", path.display()))
}

/// Counts interrupts (Ctrl-C, termination); from then on they do not end this process by themselves.
pub(super) fn count_interrupts() -> anyhow::Result<Arc<AtomicUsize>> {
    // A process has one handler.
    static COUNT: Mutex<Option<Arc<AtomicUsize>>> = Mutex::new(None);
    let mut known = COUNT.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(count) = &*known {
        return Ok(Arc::clone(count));
    }
    let count = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&count);
    ctrlc::set_handler(move || {
        counter.fetch_add(1, Ordering::Relaxed);
    })
    .context("cannot listen for interrupts")?;
    *known = Some(Arc::clone(&count));
    Ok(count)
}

/// The first model of a structure file.
pub(super) fn first_model(path: &Path) -> anyhow::Result<Model> {
    let structure = formats::read_structure(path)?;
    structure.models.into_iter().next().with_context(|| format!("{} has no atoms", path.display()))
}

/// A structure in the format of the file's name, PDB where it says nothing else.
pub(super) fn structure_text(path: &Path, structure: &Structure) -> anyhow::Result<String> {
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    Ok(match extension.to_ascii_lowercase().as_str() {
        "cif" | "mmcif" => formats::mmcif::write(structure),
        _ => formats::pdb::write(structure)?,
    })
}

/// Writes a structure in the format of the file's name, PDB where it says nothing else.
pub(super) fn write_structure(path: &Path, structure: &Structure) -> anyhow::Result<()> {
    write_text(path, &structure_text(path, structure)?)
}

/// Writes a file whole or not at all.
pub(super) fn write_text(path: &Path, text: &str) -> anyhow::Result<()> {
    files::write_whole(path, text.as_bytes()).with_context(|| format!("cannot write {}", path.display()))
}
