//! `dock RECEPTOR --ligand SMILES_OR_FILE`: docking without a query file; poses into a folder.
//!
//! Ligands of a list are shown line by line as they are done. An interruption writes those that are.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context, bail};
use clap::Args;
use kfold_inference::docking::Docking;
use kfold_inference::engine::{Engine, EngineError, Events, Prediction, Progress, Sample};
use kfold_inference::job::{files, poses_sdf};
use kfold_inference::query::{Entity, Ligand, LigandSource, Pocket, Query, read_series};
use kfold_inference::settings::Settings;
use kfold_inference::statistics::{Measured, compare};
use kfold_molecule::formats;

use super::common::{SearchArguments, absolute, count_interrupts, write_structure};
use super::table::{Row, comparison_text, table};
use super::terminal::Status;
use super::{Outcome, standard_output, terminal};

/// Docks a ligand to a structure and writes `poses.sdf`, best first. Without a place for it, into the best pockets that the
/// structure has.
#[derive(Debug, Args)]
pub(super) struct Dock {
    /// The receptor: PDB or mmCIF, plain or .gz; waters are left out, cofactors and metals stay
    receptor: PathBuf,
    /// The ligand: a SMILES, or a file (.sdf, .mol, .smi, .csv); several molecules are docked one by one
    #[arg(long, value_name = "SMILES_OR_FILE")]
    ligand: String,
    /// Search where this ligand lies (SDF or PDB); also the reference for the RMSD
    #[arg(long, value_name = "LIGAND.sdf", conflicts_with_all = ["center", "size", "residues"])]
    box_from: Option<PathBuf>,
    /// Å around the ligand of --box-from [default: 8] or the residues of --residues [default: 4], on every side
    #[arg(long, value_name = "Å", allow_negative_numbers = true)]
    padding: Option<f32>,
    /// Search around these residues, e.g. A:145 A:148
    #[arg(long, num_args = 1.., value_name = "CHAIN:NUMBER", conflicts_with_all = ["center", "size"])]
    residues: Vec<String>,
    /// Centre of the search box in Å
    #[arg(long, num_args = 3, value_names = ["X", "Y", "Z"], allow_negative_numbers = true, requires = "size")]
    center: Option<Vec<f32>>,
    /// Edges of the search box in Å
    #[arg(long, num_args = 3, value_names = ["X", "Y", "Z"], allow_negative_numbers = true, requires = "center")]
    size: Option<Vec<f32>>,
    #[command(flatten)]
    search: SearchArguments,
    /// Seed of the search
    #[arg(long, default_value_t = 1, value_name = "N")]
    seed: u64,
    /// Folder for the poses
    #[arg(short, long, value_name = "DIR")]
    output: PathBuf,
    /// Scores as JSON on standard output
    #[arg(long)]
    json: bool,
}

impl Dock {
    pub(super) fn run(&self) -> anyhow::Result<Outcome> {
        let query = self.query()?;
        query.validate()?;
        query.check_files()?;
        let mut settings = Settings { seed: self.seed, seeds: vec![self.seed], ..Settings::default() };
        self.search.apply(&mut settings);
        settings.validate()?;
        // Before the search, not after it.
        let was_there = self.output.exists();
        std::fs::create_dir_all(&self.output).with_context(|| format!("cannot create {}", self.output.display()))?;

        let ligands = (query.series.len() > 1 && !self.json).then_some(query.series.len());
        let mut events = TerminalEvents {
            status: Status::new(),
            interrupts: count_interrupts()?,
            ligands,
            done: 0,
            samples: Vec::new(),
            failure: None,
        };
        let predicted = Docking.predict(&query, &settings, &mut events);
        let TerminalEvents { status, samples, failure, .. } = events;
        drop(status);
        if let Some(error) = failure {
            return Err(error);
        }
        let (prediction, outcome) = match predicted {
            Ok(prediction) => (prediction, Outcome::Done),
            Err(EngineError::Cancelled) if samples.is_empty() => {
                self.leave_nothing(was_there);
                terminal::say("cancelled; no poses were written");
                return Ok(Outcome::Cancelled);
            }
            Err(EngineError::Cancelled) => {
                terminal::say("cancelled; the poses of the ligands that are done are written");
                (Prediction { samples, ..Prediction::default() }, Outcome::Cancelled)
            }
            Err(error) => {
                self.leave_nothing(was_there);
                return Err(error.into());
            }
        };
        let path = self.output.join("poses.sdf");
        files::write_whole(&path, poses_sdf(&prediction).as_bytes())
            .with_context(|| format!("cannot write {}", path.display()))?;
        self.write_receptors(&prediction)?;
        self.report(&prediction, &path, ligands.is_some())?;
        Ok(outcome)
    }

    /// Takes the empty folder back where there is nothing to be put into it.
    fn leave_nothing(&self, was_there: bool) {
        if !was_there {
            // Not empty, or gone: nobody's loss.
            let _ = std::fs::remove_dir(&self.output);
        }
    }

    /// The receptors of poses that are not in the one that was given: conformers, and receptors with side chains turned.
    fn write_receptors(&self, prediction: &Prediction) -> anyhow::Result<()> {
        for (index, sample) in prediction.samples.iter().enumerate() {
            if !sample.moved_atoms.is_empty() || sample.conformer.is_some_and(|number| number > 1) {
                let path = self.output.join(format!("receptor_of_pose_{}.pdb", index + 1));
                write_structure(&path, &sample.receptor_in_pose())?;
            }
        }
        Ok(())
    }

    fn report(&self, prediction: &Prediction, path: &Path, is_shown: bool) -> anyhow::Result<()> {
        if self.json {
            let pose = |sample: &Sample| {
                serde_json::json!({
                    "ligand": sample.ligand_name,
                    "rank": sample.rank,
                    "score": sample.score,
                    "pocket": sample.pocket,
                    "conformer": sample.conformer,
                    "provenance": sample.provenance,
                })
            };
            let poses: Vec<_> = prediction.samples.iter().map(pose).collect();
            return standard_output::json(&serde_json::json!({"file": path.display().to_string(), "poses": poses}));
        }
        if !is_shown {
            standard_output::write(&table(&prediction.samples.iter().map(Row::from).collect::<Vec<_>>()))?;
        }
        let best = prediction.samples.iter().filter(|sample| sample.rank == 1);
        let measured = best.filter_map(|sample| {
            Some(Measured {
                measured_pk: sample.measured_pk?,
                predicted_pk: sample.score.predicted_pk(),
                heavy_atoms: sample.score.heavy_atoms,
            })
        });
        if let Some(comparison) = compare(&measured.collect::<Vec<_>>()) {
            standard_output::write(&comparison_text(&comparison))?;
        }
        standard_output::line(&path.display().to_string())
    }

    fn query(&self) -> anyhow::Result<Query> {
        let pocket = match (&self.box_from, &self.center, &self.size) {
            (Some(file), _, _) => Some(Pocket::Ligand { file: absolute(file)?, padding: self.padding.unwrap_or(8.0) }),
            (None, Some(center), Some(size)) => {
                if self.padding.is_some() {
                    bail!("--padding belongs to --box-from and --residues; with --size make the box larger instead");
                }
                match (<[f32; 3]>::try_from(center.as_slice()), <[f32; 3]>::try_from(size.as_slice())) {
                    (Ok(center), Ok(size)) => Some(Pocket::Box { center, size }),
                    _ => bail!("--center and --size take three numbers each"),
                }
            }
            _ if !self.residues.is_empty() => {
                Some(Pocket::Residues { residues: self.residues.clone(), padding: self.padding.unwrap_or(4.0) })
            }
            _ if self.padding.is_some() => bail!("--padding belongs to --box-from and --residues"),
            _ => None,
        };
        let mut query =
            Query { name: "dock".into(), structure: Some(absolute(&self.receptor)?), pocket, ..Query::default() };
        let path = Path::new(&self.ligand);
        let extension = path.extension().and_then(|extension| extension.to_str()).map(str::to_ascii_lowercase);
        let looks_like_file = matches!(
            extension.as_deref(),
            Some("sdf" | "sd" | "mol" | "mdl" | "smi" | "smiles" | "csv" | "tsv" | "gz")
        );
        let one = |source| Entity::Ligand(Ligand { ids: vec!["L".into()], source, description: None });
        if !looks_like_file && !path.is_file() {
            query.sequences.push(one(LigandSource::Smiles(self.ligand.clone())));
            return Ok(query);
        }
        let file = absolute(path)?;
        if matches!(extension.as_deref(), Some("smi" | "smiles" | "csv" | "tsv")) {
            query.series = read_series(&file)?;
        } else {
            let records = formats::read_small_molecules(&file)?;
            if records.len() > 1 {
                query.series = read_series(&file)?;
            }
        }
        match query.series.as_mut_slice() {
            [] => query.sequences.push(one(LigandSource::sdf(file))),
            [only] => {
                query.sequences.push(one(only.source.clone()));
                query.series.clear();
            }
            many => make_unique(many),
        }
        Ok(query)
    }
}

/// Names of records repeat in many files; numbers tell them apart.
fn make_unique(series: &mut [kfold_inference::query::SeriesLigand]) {
    let mut taken = std::collections::HashSet::new();
    for ligand in series {
        let name = ligand.name.clone();
        let mut number = 2;
        while !taken.insert(ligand.name.clone()) {
            ligand.name = format!("{name} ({number})");
            number += 1;
        }
    }
}

/// Shows progress on standard error.
struct TerminalEvents {
    status: Status,
    interrupts: Arc<AtomicUsize>,
    /// How many there are, when each is to be shown as it is done.
    ligands: Option<usize>,
    done: usize,
    samples: Vec<Sample>,
    /// Standard output could not be written.
    failure: Option<anyhow::Error>,
}

impl Events for TerminalEvents {
    fn progress(&mut self, progress: Progress) {
        let mut text = progress.stage.clone();
        if progress.steps > 1 {
            text.push_str(&format!(" {} %", 100 * progress.step / progress.steps));
        }
        if !progress.message.is_empty() {
            text.push_str(&format!(" · {}", progress.message));
        }
        self.status.show(&progress.stage, &text);
    }

    fn warning(&mut self, message: &str) {
        self.status.say(&format!("warning: {message}"));
    }

    fn finished(&mut self, samples: &[Sample]) {
        self.samples.extend_from_slice(samples);
        self.done += 1;
        let (Some(ligands), Some(best)) = (self.ligands, samples.first()) else { return };
        self.status.clear();
        let score = &best.score;
        let measured = best.measured_pk.map_or_else(String::new, |pk| format!("  measured pK {pk:.2}"));
        let line = format!(
            "{:>width$}/{ligands}  {:>7.2} kcal/mol  {:>6.2} per atom{measured}  {}",
            self.done,
            score.score_kcal_per_mol,
            score.ligand_efficiency_kcal_per_mol,
            best.ligand_name,
            width = ligands.to_string().len(),
        );
        if let Err(error) = standard_output::line(&line) {
            self.failure = Some(error);
        }
    }

    fn is_cancelled(&self) -> bool {
        self.failure.is_some() || self.interrupts.load(Ordering::Relaxed) > 0
    }
}
