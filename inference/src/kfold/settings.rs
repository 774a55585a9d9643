//! How K-Fold predicts: the options of the public program under its names and with its defaults, and where the weights are.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::device::DeviceChoice;
use super::model_folder::{ModelFolder, Variant};
use super::precision::Precision;
use crate::folders;

/// Most apo structures of a protein, as the public program has it.
const MAX_APOS: u32 = 5;
/// Seeds beyond this do not fit the apo seeds made of them.
const MAX_SEED: u64 = u64::MAX / 16;

/// Settings of the K-Fold engine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct KFoldSettings {
    /// The folder of the weights; empty for the usual one ([`crate::folders::models`]).
    #[serde(skip_serializing_if = "is_empty")]
    pub models: PathBuf,
    /// Which of the published models.
    pub model: Variant,
    /// Where to compute.
    pub device: DeviceChoice,
    /// In which numbers; the processor's and a card's differ where this is left to the program.
    pub precision: Precision,
    /// Complexes to sample for a seed.
    pub num_samples: u32,
    /// Cycles of the trunk after the first.
    pub num_recycles: u32,
    /// Steps of the sampler.
    pub num_steps: u32,
    /// Apo structures to generate for each protein entry and seed, where the query gives none and no seeds are shared.
    pub num_apos: u32,
    /// Seeds of apo structures that all seeds share; empty where each seed has its own.
    pub share_apo_seeds: Vec<u64>,
    /// Apo structures that a seed takes of the shared ones, at most.
    pub num_shared_apos: u32,
    /// How apo structures are generated.
    pub apo: ApoConfig,
    /// Go without the structure encoder.
    pub disable_struct_encoder: bool,
    /// Go without the RNA encoder; only for queries without RNA.
    pub disable_rna_encoder: bool,
    /// Write pLDDT of each atom, PAE and PDE of each pair of tokens.
    pub save_confidence: bool,
    /// Write what the trunk made of the query.
    pub save_embeddings: bool,
    /// Write the distogram.
    pub save_distogram: bool,
    /// Write the way of each sample.
    pub save_trajectory: bool,
    /// The job's folder, which has the query's name already, takes the results without another folder of that name in it: of a
    /// folder of queries each then has its results where the public program puts them. Not for a series.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub results_in_job_folder: bool,
}

fn is_empty(path: &Path) -> bool {
    path.as_os_str().is_empty()
}

/// How apo structures are generated (`--apo-config`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ApoConfig {
    /// Of the public program, which folds several chains at once; kept for its files.
    pub max_tokens_per_batch: u32,
    /// AtlasFold, for single chains.
    pub monomer: AtlasFoldSettings,
    /// AtlasFold-M, for pairs.
    pub multimer: AtlasFoldSettings,
}

/// How AtlasFold samples.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AtlasFoldSettings {
    /// Cycles of the trunk after the first.
    pub num_recycles: u32,
    /// Share of amino acids hidden from the language model in each cycle.
    pub mlm_prob: f64,
    /// Structures to sample for an apo seed.
    pub num_samples: u32,
    /// Denoising steps; none for as many as the length asks for.
    pub num_steps: Option<u32>,
}

impl Default for KFoldSettings {
    fn default() -> Self {
        Self {
            models: PathBuf::new(),
            model: Variant::Full,
            device: DeviceChoice::Auto,
            precision: Precision::Auto,
            num_samples: 5,
            num_recycles: 10,
            num_steps: 100,
            num_apos: 1,
            share_apo_seeds: Vec::new(),
            num_shared_apos: MAX_APOS,
            apo: ApoConfig::default(),
            disable_struct_encoder: false,
            disable_rna_encoder: false,
            save_confidence: false,
            save_embeddings: false,
            save_distogram: false,
            save_trajectory: false,
            results_in_job_folder: false,
        }
    }
}

impl Default for ApoConfig {
    fn default() -> Self {
        Self {
            max_tokens_per_batch: 1024,
            monomer: AtlasFoldSettings::default(),
            multimer: AtlasFoldSettings { num_steps: Some(100), ..AtlasFoldSettings::default() },
        }
    }
}

impl Default for AtlasFoldSettings {
    fn default() -> Self {
        Self { num_recycles: 4, mlm_prob: 0.15, num_samples: 5, num_steps: None }
    }
}

impl ApoConfig {
    /// Reads the public program's YAML; what it leaves out has its default.
    ///
    /// # Errors
    /// What is wrong with the text.
    pub fn from_yaml(text: &str) -> Result<Self, String> {
        let given: serde_json::Value = serde_saphyr::from_str(text).map_err(|error| error.to_string())?;
        // Laid over the defaults by hand, because those of pairs are not those of single chains.
        let mut merged = serde_json::to_value(Self::default()).map_err(|error| error.to_string())?;
        let given = given.as_object().ok_or("it is not a list of keys and values")?;
        for (key, value) in given {
            match (merged.get_mut(key), value) {
                (Some(serde_json::Value::Object(section)), serde_json::Value::Object(values)) => {
                    section.extend(values.clone());
                }
                (Some(place), value) => *place = value.clone(),
                (None, _) => return Err(format!("there is no setting `{key}`")),
            }
        }
        let config: Self = serde_json::from_value(merged).map_err(|error| error.to_string())?;
        config.validate().map_err(|(field, problem)| format!("{field}: {problem}"))?;
        Ok(config)
    }

    fn validate(&self) -> Result<(), (&'static str, String)> {
        in_range("apo.max_tokens_per_batch", self.max_tokens_per_batch, 1, u32::MAX)?;
        for settings in [&self.monomer, &self.multimer] {
            in_range("apo.num_recycles", settings.num_recycles, 1, 1_000)?;
            in_range("apo.num_samples", settings.num_samples, 1, 1_000)?;
            in_range("apo.num_steps", settings.num_steps.unwrap_or(1), 1, 100_000)?;
            if !(settings.mlm_prob > 0.0 && settings.mlm_prob <= 1.0) {
                return Err(("apo.mlm_prob", format!("{} is not above 0 and at most 1", settings.mlm_prob)));
            }
        }
        Ok(())
    }
}

fn in_range(field: &'static str, value: u32, low: u32, high: u32) -> Result<(), (&'static str, String)> {
    if (low..=high).contains(&value) {
        return Ok(());
    }
    Err((field, format!("{value} is not between {low} and {high}")))
}

impl KFoldSettings {
    /// Checks that every number is in its range; the error is the field and what is wrong with it.
    pub(crate) fn validate(&self) -> Result<(), (&'static str, String)> {
        in_range("num_samples", self.num_samples, 1, 10_000)?;
        in_range("num_recycles", self.num_recycles, 1, 1_000)?;
        in_range("num_steps", self.num_steps, 1, 100_000)?;
        in_range("num_apos", self.num_apos, 1, MAX_APOS)?;
        in_range("num_shared_apos", self.num_shared_apos, 1, MAX_APOS)?;
        for (index, seed) in self.share_apo_seeds.iter().enumerate() {
            if *seed == 0 || *seed > MAX_SEED || self.share_apo_seeds[..index].contains(seed) {
                return Err(("share_apo_seeds", format!("{seed}: give different seeds from 1 to {MAX_SEED}")));
            }
        }
        self.apo.validate()
    }

    /// The weights.
    #[must_use]
    pub fn model_folder(&self) -> ModelFolder {
        let path = if is_empty(&self.models) { folders::models() } else { self.models.clone() };
        ModelFolder::with_variant(path, self.model)
    }

    /// How many apo structures a seed generates for each protein.
    #[must_use]
    pub fn apo_count(&self) -> usize {
        self.apo_seeds(1).len()
    }

    /// The seeds of the apo structures that a run with `seed` generates.
    #[must_use]
    pub fn apo_seeds(&self, seed: u64) -> Vec<u64> {
        if self.share_apo_seeds.is_empty() {
            (1..=u64::from(self.num_apos)).map(|number| seed.wrapping_mul(10).wrapping_add(number)).collect()
        } else {
            self.share_apo_seeds.clone()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_apo_configuration_fills_in_the_defaults_of_its_kind() {
        let config = ApoConfig::from_yaml("multimer:\n  num_samples: 2\nmonomer: {num_steps: 7}\n").unwrap();
        assert_eq!((config.multimer.num_samples, config.multimer.num_steps), (2, Some(100)));
        assert_eq!((config.monomer.num_samples, config.monomer.num_steps), (5, Some(7)));
        for (wrong, word) in [
            ("monomer: {steps: 7}", "steps"),
            ("monomers: {}", "monomers"),
            ("monomer: {mlm_prob: 0}", "mlm_prob"),
            ("- 1", "keys"),
        ] {
            let error = ApoConfig::from_yaml(wrong).unwrap_err();
            assert!(error.contains(word), "{wrong}: {error}");
        }
    }

    #[test]
    fn apo_seeds_are_the_public_programs() {
        let mut settings = KFoldSettings { num_apos: 3, ..KFoldSettings::default() };
        assert_eq!(settings.apo_seeds(42), [421, 422, 423]);
        settings.share_apo_seeds = vec![7, 11];
        assert_eq!(settings.apo_seeds(42), [7, 11]);
        settings.share_apo_seeds = vec![7, 7];
        assert_eq!(settings.validate().unwrap_err().0, "share_apo_seeds");
    }
}
