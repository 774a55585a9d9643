//! What every engine takes and gives: [`Engine::predict`], [`Events`], [`Prediction`].
//!
//! An engine turns a query into samples. It reports progress and asks for cancellation through [`Events`], so the same
//! engine runs in a worker process, on a server and in a test. Each sample says which engine made it; nothing
//! downstream may drop that, because a docking pose must never pass for a K-Fold prediction.

use std::cmp::Ordering;
use std::path::Path;
use std::sync::Arc;

use kfold_molecule::{SmallMolecule, Structure};
use serde::{Deserialize, Serialize};

use crate::kfold;
use crate::kfold::model_folder::ModelFolder;
use crate::kfold::prediction::PredictedComplexes;
use crate::query::Query;
use crate::settings::Settings;

/// The engines by the names used in settings, on the command line and in every result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EngineName {
    /// Pose search with an empirical function, ranked by small trained networks: no download, no GPU.
    Docking,
    /// The published network, from its weights.
    #[serde(rename = "kfold")]
    KFold,
}

impl EngineName {
    /// The engine for a query where nobody chose one: K-Fold if it can take the query and its weights are in `models`, else
    /// docking if there is a structure and a ligand.
    ///
    /// # Errors
    /// When neither can; the message names the ways on.
    pub fn automatic(query: &Query, models: &ModelFolder) -> Result<Self, EngineError> {
        let has_ligand = query.ligands().next().is_some() || !query.series.is_empty();
        match kfold::engine::Obstacle::of(query, models) {
            None => Ok(Self::KFold),
            Some(_) if query.receptor_file().is_some() && has_ligand => Ok(Self::Docking),
            Some(problem) => Err(EngineError::Failed(format!(
                "no engine can predict this query here. K-Fold: {problem}; `kfold-studio models` brings weights here. Docking: it \
                 needs a ligand and a known structure of the receptor, as `structure` or as the `apo` of the only protein"
            ))),
        }
    }

    /// How a result of this engine is named wherever a person reads it.
    #[must_use]
    pub const fn display_name(self) -> &'static str {
        match self {
            Self::Docking => "docking",
            Self::KFold => "K-Fold",
        }
    }
}

/// Where a long task stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// Stage key, e.g. `prepare`, `search`, `refine`, `check`; the window has a text for each.
    pub stage: String,
    /// Finished steps of this stage.
    pub step: u64,
    /// Steps of this stage; 0 when not known.
    pub steps: u64,
    /// What is being worked on (a ligand's name, a file), or empty.
    pub message: String,
}

/// How an engine talks to whoever runs it.
pub trait Events: Send {
    /// Reports where the work stands.
    fn progress(&mut self, progress: Progress);
    /// Reports something the user should know although the work goes on.
    fn warning(&mut self, message: &str);
    /// Whether the work should stop; asked often, cheap.
    fn is_cancelled(&self) -> bool;
    /// Called with the samples of one ligand as soon as they are there, in the order of [`Prediction::samples`], so that a
    /// long series can be shown and kept line by line.
    fn finished(&mut self, _samples: &[Sample]) {}
    /// The folder that this seed's outputs go to, where an engine may keep finished parts of its work for a later run of the
    /// same seed; `None` outside of a job.
    fn folder(&self) -> Option<&Path> {
        None
    }
}

/// Something that predicts.
pub trait Engine {
    /// Its name.
    fn name(&self) -> EngineName;

    /// Predicts the query with the one seed of `settings.seed`.
    ///
    /// # Errors
    /// When the query lacks what this engine needs, when its input is wrong, or when it was cancelled
    /// ([`EngineError::Cancelled`]).
    fn predict(&self, query: &Query, settings: &Settings, events: &mut dyn Events) -> Result<Prediction, EngineError>;
}

/// What an engine made of one query with one seed: docked poses, or complexes that a network predicted. They are judged by
/// different numbers, so each has its own place.
#[derive(Clone, Debug, Default)]
pub struct Prediction {
    /// Best first within each ligand; ligands of a series in input order.
    pub samples: Vec<Sample>,
    /// Conformers of the protein that the engine made (elastic network), if asked for; one topology.
    pub receptor_ensemble: Option<ReceptorEnsemble>,
    /// Complexes with their confidence, from K-Fold alone.
    pub complexes: Option<Box<PredictedComplexes>>,
}

/// Conformers of a protein around the given structure.
#[derive(Clone, Debug)]
pub struct ReceptorEnsemble {
    /// The conformers, one model each; model 1 is the input.
    pub structure: Structure,
    /// Root mean square fluctuation in Å, one for each residue of the topology (0 where it has no CA).
    pub rmsf: Vec<f32>,
    /// Mean amplitude in Å RMSD over CA, one for each conformer after the first.
    pub amplitudes: Vec<f32>,
}

/// One docked pose in its receptor.
#[derive(Clone, Debug)]
pub struct Sample {
    /// Who made it and how.
    pub provenance: Provenance,
    /// 1 is the best of its ligand.
    pub rank: u32,
    /// Name of the ligand: its chain id in the query, or its name in a series.
    pub ligand_name: String,
    /// Number of the pocket, best first from 1, when the engine looked for pockets itself.
    pub pocket: Option<u32>,
    /// Number of the receptor's conformer in [`Prediction::receptor_ensemble`], from 1, when there was a choice.
    pub conformer: Option<u32>,
    /// The receptor as used (heavy atoms and what else was kept), one model; shared by all samples in that conformer.
    pub receptor: Arc<Structure>,
    /// Atoms of the receptor, by index, that a flexible side chain has moved, with their places in Å.
    pub moved_atoms: Vec<(u32, [f32; 3])>,
    /// The ligand with the input's bond orders and hydrogens, one conformer: the pose.
    pub pose: SmallMolecule,
    /// Energies of the pose.
    pub score: PoseScore,
    /// What the ligand does to its surroundings.
    pub interactions: Vec<kfold_molecule::analysis::interactions::Interaction>,
    /// Whether the pose is chemically sound.
    pub checks: Vec<kfold_molecule::analysis::pose_checks::PoseCheck>,
    /// Measured affinity as pK = -log10(M), when the input gave one.
    pub measured_pk: Option<f32>,
}

impl Sample {
    /// The receptor with its side chains where this pose has them.
    #[must_use]
    pub fn receptor_in_pose(&self) -> Arc<Structure> {
        with_moved_atoms(&self.receptor, &self.moved_atoms)
    }
}

/// A receptor with some of its atoms elsewhere: the same one when there are none.
#[must_use]
pub fn with_moved_atoms(receptor: &Arc<Structure>, moved_atoms: &[(u32, [f32; 3])]) -> Arc<Structure> {
    if moved_atoms.is_empty() {
        return Arc::clone(receptor);
    }
    let mut moved = Structure::clone(receptor);
    if let Some(model) = moved.models.first_mut() {
        for &(atom, position) in moved_atoms {
            if let Some(place) = model.positions.get_mut(atom as usize) {
                *place = position.into();
            }
        }
    }
    Arc::new(moved)
}

/// Energies of a pose, all in kcal/mol unless the name says otherwise. Estimates of an empirical function: good for
/// ordering poses, not a measured free energy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PoseScore {
    /// Estimated free energy of binding.
    pub score_kcal_per_mol: f32,
    /// Ligand against receptor, before the torsion penalty.
    pub intermolecular_kcal_per_mol: f32,
    /// Within the ligand.
    pub intramolecular_kcal_per_mol: f32,
    /// What flexible side chains pay for moving from where the file has them; `None` when all stay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub side_chains_kcal_per_mol: Option<f32>,
    /// Rotatable bonds counted by the function.
    pub rotatable_bonds: u32,
    /// Heavy atoms of the ligand.
    pub heavy_atoms: u32,
    /// `score / heavy_atoms`.
    pub ligand_efficiency_kcal_per_mol: f32,
    /// Symmetry-aware RMSD in Å to the best pose of this run.
    pub rmsd_to_best: f32,
    /// Symmetry-aware RMSD in Å to the reference ligand, when the query names one of the same molecule.
    pub rmsd_to_reference: Option<f32>,
    /// What trained networks say of the pose, where they were asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cnn: Option<CnnScore>,
}

/// What a kcal/mol counts beside the networks' log-odds.
const ENERGY_WEIGHT: f32 = 0.25;

/// RT ln 10 at 298.15 K in kcal/mol: one unit of pK.
const KCAL_PER_MOL_PER_PK: f32 = 1.364_25;

impl PoseScore {
    /// The better of two poses of one ligand first: by [`Self::confidence`] where both have one, else by energy.
    #[must_use]
    pub fn better_first(&self, other: &Self) -> Ordering {
        match (self.confidence(), other.confidence()) {
            (Some(own), Some(others)) => others.total_cmp(&own),
            _ => self.score_kcal_per_mol.total_cmp(&other.score_kcal_per_mol),
        }
    }

    /// Logarithm of the odds that the networks give the pose, less a quarter of its energy in kcal/mol: the networks decide,
    /// the energy between poses that they like equally. `None` where they were not asked.
    #[must_use]
    pub fn confidence(&self) -> Option<f32> {
        let probability = self.cnn?.pose_probability.clamp(1e-6, 1.0 - 1e-6);
        Some((probability / (1.0 - probability)).ln() - ENERGY_WEIGHT * self.score_kcal_per_mol)
    }

    /// The pK that the estimated free energy of binding stands for at 298.15 K: as rough as the energy.
    #[must_use]
    pub fn pk_of_energy(&self) -> f32 {
        -self.score_kcal_per_mol / KCAL_PER_MOL_PER_PK
    }

    /// The predicted pK: the networks' where they were asked, else that of the energy.
    #[must_use]
    pub fn predicted_pk(&self) -> f32 {
        self.cnn.map_or_else(|| self.pk_of_energy(), |cnn| cnn.pk)
    }
}

/// What an ensemble of trained networks says of a pose. Predictions, not measurements: the spread says how far the members
/// agree, not how far they are right.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CnnScore {
    /// Probability that the pose is within 2 Å RMSD of the true one: mean of the ensemble.
    pub pose_probability: f32,
    /// Standard deviation of the members' probabilities.
    pub pose_probability_spread: f32,
    /// Predicted pK = -log10(M): mean of the ensemble.
    pub pk: f32,
    /// Standard deviation of the members' pK.
    pub pk_spread: f32,
}

/// Who made a result.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Provenance {
    /// The engine.
    pub engine: EngineName,
    /// Version of this program.
    pub version: String,
    /// The seed.
    pub seed: u64,
    /// The scoring function, and the networks where they ranked, e.g. `Vina + GNINA CNN`.
    pub scoring: String,
}

impl Provenance {
    /// How the result is named wherever a person reads it, e.g. `docking (Vina + GNINA CNN)`.
    #[must_use]
    pub fn display_name(&self) -> String {
        format!("{} ({})", self.engine.display_name(), self.scoring)
    }
}

/// Why an engine gave no prediction.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The query lacks what the engine needs.
    #[error("{engine} cannot run this query: {reason}")]
    Unsupported {
        /// Display name of the engine.
        engine: &'static str,
        /// What is missing and how to add it.
        reason: String,
    },
    /// Something in the input is wrong.
    #[error("{0}")]
    Input(String),
    /// The engine lacks something (weights, memory, room on the disk) or failed.
    #[error("{0}")]
    Failed(String),
    /// The user cancelled.
    #[error("cancelled")]
    Cancelled,
}
