//! `score RECEPTOR --pose POSES.sdf`: what energies and networks say of poses where they stand, or after minimisation.

use std::path::PathBuf;

use clap::Args;
use kfold_inference::docking::gnina::Scorer;
use kfold_inference::docking::{DockedPose, Receptor, score_pose};
use kfold_inference::engine::CnnScore;
use kfold_inference::settings::ScoringFunction;
use kfold_molecule::{SmallMolecule, formats};
use serde::Serialize;

use super::common::Scoring;
use super::{Outcome, standard_output, terminal};

/// Scores every record of an SDF file against a receptor.
///
/// A line for each record: number, name, kcal/mol; then, by the networks, pose probability, predicted pK and its spread.
#[derive(Debug, Args)]
pub(super) struct Score {
    /// The receptor: PDB or mmCIF, plain or .gz
    receptor: PathBuf,
    /// Poses with 3D coordinates: SDF or MOL
    #[arg(long, value_name = "POSES.sdf")]
    pose: PathBuf,
    /// Move each pose to its nearest minimum first
    #[arg(long)]
    minimize: bool,
    /// Scoring function
    #[arg(long)]
    scoring: Option<Scoring>,
    /// Energies alone, without the networks
    #[arg(long)]
    no_cnn: bool,
    /// JSON on standard output: one object for each record
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Serialize)]
struct ScoredRecord {
    /// In the file, from 1.
    record: usize,
    name: String,
    scoring: &'static str,
    minimized: bool,
    #[serde(flatten)]
    result: ScoreResult,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum ScoreResult {
    Score {
        score_kcal_per_mol: f32,
        intermolecular_kcal_per_mol: f32,
        intramolecular_kcal_per_mol: f32,
        rotatable_bonds: u32,
        heavy_atoms: u32,
        ligand_efficiency_kcal_per_mol: f32,
        pk_of_energy: f32,
        #[serde(skip_serializing_if = "Option::is_none")]
        cnn: Option<CnnScore>,
    },
    Error {
        error: String,
    },
}

impl Score {
    pub(super) fn run(&self) -> anyhow::Result<Outcome> {
        let scoring = self.scoring.map_or_else(ScoringFunction::default, ScoringFunction::from);
        let structure = formats::read_structure(&self.receptor)?;
        let receptor = Receptor::new(&structure, &[])?;
        let molecules = formats::read_small_molecules(&self.pose)?;
        let scorer = if self.no_cnn { None } else { Some(Scorer::new(&receptor)?) };
        let score = |(index, molecule): (usize, &SmallMolecule)| ScoredRecord {
            record: index + 1,
            name: molecule.name.clone(),
            scoring: scoring.display_name(),
            minimized: self.minimize,
            result: match scored(&receptor, scorer.as_ref(), molecule, scoring, self.minimize) {
                Ok(pose) => ScoreResult::Score {
                    pk_of_energy: pose.score.pk_of_energy(),
                    cnn: pose.score.cnn,
                    score_kcal_per_mol: pose.score.score_kcal_per_mol,
                    intermolecular_kcal_per_mol: pose.score.intermolecular_kcal_per_mol,
                    intramolecular_kcal_per_mol: pose.score.intramolecular_kcal_per_mol,
                    rotatable_bonds: pose.score.rotatable_bonds,
                    heavy_atoms: pose.score.heavy_atoms,
                    ligand_efficiency_kcal_per_mol: pose.score.ligand_efficiency_kcal_per_mol,
                },
                Err(error) => ScoreResult::Error { error: format!("{error:#}") },
            },
        };
        let records: Vec<ScoredRecord> = molecules.iter().enumerate().map(score).collect();
        if self.json {
            standard_output::json(&records)?;
        }
        let mut outcome = Outcome::Done;
        for record in &records {
            match &record.result {
                ScoreResult::Score { score_kcal_per_mol, cnn, .. } if !self.json => {
                    let mut line = format!("{}\t{}\t{score_kcal_per_mol:.3}", record.record, record.name);
                    if let Some(cnn) = cnn {
                        let CnnScore { pose_probability, pk, pk_spread, .. } = cnn;
                        line.push_str(&format!("\t{pose_probability:.3}\t{pk:.2}\t{pk_spread:.2}"));
                    }
                    standard_output::line(&line)?;
                }
                ScoreResult::Score { .. } => {}
                ScoreResult::Error { error } => {
                    outcome = Outcome::Incomplete;
                    let (file, number) = (self.pose.display(), record.record);
                    terminal::say(&format!("error: {file}, record {number} ({}): {error}", record.name));
                }
            }
        }
        Ok(outcome)
    }
}

/// A pose's energies, and what the networks say of it if they are asked.
fn scored(
    receptor: &Receptor,
    scorer: Option<&Scorer>,
    molecule: &SmallMolecule,
    scoring: ScoringFunction,
    minimize: bool,
) -> anyhow::Result<DockedPose> {
    let mut pose = score_pose(receptor, molecule, scoring, minimize)?;
    if let (Some(scorer), Some(positions)) = (scorer, pose.molecule.conformers.first()) {
        pose.score.cnn = scorer.score(&pose.molecule, &[positions])?.first().copied();
    }
    Ok(pose)
}
