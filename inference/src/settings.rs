//! How to predict: the settings file of a job.

use serde::{Deserialize, Serialize};

/// Settings of a run. Equal settings on equal builds give equal files.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Seeds to run, one after the other; each has its own folder of outputs.
    pub seeds: Vec<u64>,
    /// The seed of this call of the engine; the worker sets it from `seeds`.
    pub seed: u64,
    /// Docking settings.
    pub docking: DockingSettings,
}

/// Settings of the docking engine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DockingSettings {
    /// Scoring function.
    pub scoring: ScoringFunction,
    /// Search effort, proportional to time; independent searches are started for each.
    pub exhaustiveness: u32,
    /// Poses kept for each ligand, at most.
    pub poses: u32,
    /// Poses closer than this to a better one are dropped: symmetry-aware RMSD in Å.
    pub min_rmsd: f32,
    /// Poses worse than the best by more than this are dropped: kcal/mol.
    pub energy_range_kcal_per_mol: f32,
    /// Threads; 0 for all cores. The result does not depend on it.
    pub threads: u32,
    /// Conformers of the protein to make by the elastic network, 0 for none.
    pub ensemble_conformers: u32,
    /// Amplitude of those conformers: Å RMSD over CA.
    pub ensemble_amplitude: f32,
}

/// Empirical scoring functions with published constants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScoringFunction {
    /// Trott & Olson, J. Comput. Chem. 2010, 31, 455.
    Vina,
    /// Quiroga & Villarreal, PLoS ONE 2016, 11, e0155183.
    #[default]
    Vinardo,
}

impl ScoringFunction {
    /// Name as published.
    #[must_use]
    pub const fn display_name(self) -> &'static str {
        match self {
            Self::Vina => "Vina",
            Self::Vinardo => "Vinardo",
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self { seeds: vec![1], seed: 1, docking: DockingSettings::default() }
    }
}

impl Default for DockingSettings {
    fn default() -> Self {
        Self {
            scoring: ScoringFunction::default(),
            exhaustiveness: 8,
            poses: 9,
            min_rmsd: 1.0,
            energy_range_kcal_per_mol: 3.0,
            threads: 0,
            ensemble_conformers: 0,
            ensemble_amplitude: 1.5,
        }
    }
}
