//! What K-Fold predicts for one query and one seed.

use std::path::PathBuf;

use glam::Vec3;
use half::f16;
use kfold_molecule::SmallMolecule;
use kfold_molecule::analysis::pose_checks::PoseCheck;
use serde::{Deserialize, Serialize};

use super::features::reference::ReferenceStructure;
use super::modules::affinity_head::AffinityPrediction;
use super::modules::confidence_metrics::SampleConfidence;
use crate::engine::{EngineName, PoseScore};

/// All samples of one seed.
#[derive(Clone, Debug)]
pub struct PredictedComplexes {
    /// Chains, residues and atoms; positions and pLDDT count its atoms.
    pub structure: ReferenceStructure,
    /// The samples in the order in which they were drawn; the confidence says which is best.
    pub samples: Vec<PredictedComplex>,
    /// The apo and prior structures that were used, for each protein entry, where they were kept in files.
    pub apos: Vec<ApoFiles>,
    /// The seeds of generated apo structures.
    pub apo_seeds: Vec<u64>,
    /// Whether the model had its structure encoder.
    pub has_structure_encoder: bool,
    /// Whether the model had its RNA encoder.
    pub has_rna_encoder: bool,
    /// What the trunk made of the query, where asked for.
    pub embeddings: Option<Embeddings>,
    /// The distogram, where asked for.
    pub distogram: Option<Distogram>,
    /// The affinity head's answer, where a checkpoint of one is among the weights and the complex is one it can read.
    pub affinity: Option<AffinityPrediction>,
}

/// Files of the apo structures of a protein entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApoFiles {
    /// Index of the entry in the query's sequences.
    pub entry: usize,
    /// Its apo structures, a model each.
    pub apo: PathBuf,
    /// The structures that samples start from, a model each.
    pub prior: PathBuf,
}

/// One sampled complex.
#[derive(Clone, Debug)]
pub struct PredictedComplex {
    /// Å, one for each atom of the complex.
    pub positions: Vec<Vec3>,
    /// How sure the model is.
    pub confidence: SampleConfidence,
    /// Its ligands, each with the bond orders of the input.
    pub ligands: Vec<PredictedLigand>,
    /// The positions at the start and after each step, where asked for.
    pub path: Vec<Vec<Vec3>>,
}

/// A ligand of a sample.
#[derive(Clone, Debug)]
pub struct PredictedLigand {
    /// The molecule of the input, without hydrogens, in the predicted position.
    pub molecule: SmallMolecule,
    /// What is known of it.
    pub record: LigandRecord,
}

/// What is known of a predicted ligand beside its coordinates.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LigandRecord {
    /// Its chain in the query.
    pub chain: String,
    /// Mean pLDDT of its atoms, 0 to 100.
    pub plddt: f32,
    /// Its highest ipTM with a polymer, 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iptm: Option<f32>,
    /// Atoms whose configuration is not the input's.
    pub wrong_stereo: Vec<String>,
    /// Whether the predicted pose is sound.
    pub checks: Vec<PoseCheck>,
    /// What the docking engine makes of the predicted pose as it stands: an empirical estimate, no number of K-Fold's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub docking_score: Option<DockingScore>,
}

/// The docking engine's score of a pose that it did not make.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DockingScore {
    /// Who scored.
    pub engine: EngineName,
    /// The scoring function.
    pub scoring: String,
    /// Its energies.
    pub score: PoseScore,
}

/// What the trunk made of the query, in half precision.
#[derive(Clone, Debug)]
pub struct Embeddings {
    /// Tokens.
    pub tokens: usize,
    /// Single features of the query [tokens, c_s].
    pub s_inputs: Vec<f16>,
    /// Single features of the encoders [tokens, c_s].
    pub s_lm: Vec<f16>,
    /// The pair state [tokens, tokens, c_z].
    pub z: Vec<f16>,
}

/// Logits over bins of the distance of each pair of tokens.
#[derive(Clone, Debug)]
pub struct Distogram {
    /// Tokens.
    pub tokens: usize,
    /// [tokens, tokens, bins].
    pub logits: Vec<f16>,
    /// Boundaries between the bins, Å.
    pub bin_edges: Vec<f32>,
    /// Chain of each token, from 1.
    pub asym_ids: Vec<i32>,
    /// Residue of each token in its chain, from 1.
    pub res_ids: Vec<i32>,
}

impl PredictedComplexes {
    /// The index of the best sample; the first of equals.
    #[must_use]
    pub fn best(&self) -> Option<usize> {
        let score = |sample: &PredictedComplex| sample.confidence.summary.complex.ranking_score;
        (0..self.samples.len()).min_by(|a, b| score(&self.samples[*b]).total_cmp(&score(&self.samples[*a])))
    }
}
