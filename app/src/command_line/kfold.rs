//! K-Fold's options, named as the public `kfold` program names them.

use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::Args;
use kfold_inference::job::ComplexResult;
use kfold_inference::kfold::device::DeviceChoice;
use kfold_inference::kfold::model_folder::Variant;
use kfold_inference::kfold::precision::Precision;
use kfold_inference::kfold::settings::{ApoConfig, KFoldSettings};

use super::common::absolute;
use super::models::parse_variant;
use super::table::aligned;

/// Samples that a terminal shows at most.
const MAX_ROWS: usize = 40;

/// Settings of K-Fold that go over those of the query.
#[derive(Debug, Args)]
#[command(next_help_heading = "K-Fold")]
pub(super) struct KFoldArguments {
    /// Folder of the weights [default: $KFOLD_MODELS, else kfold-studio/models among your data]
    #[arg(long, value_name = "DIR")]
    pub(super) models: Option<PathBuf>,
    /// The model: full or light [default: full]
    #[arg(long, value_parser = parse_variant, value_name = "MODEL")]
    model: Option<Variant>,
    /// Where to compute: `auto`, `cpu`, `cuda` or `cuda:N`
    #[arg(long)]
    device: Option<DeviceChoice>,
    /// In which numbers: `f32`, `bf16` (matrices at half the memory) or `auto` (bf16 on a card, f32 on the processor)
    #[arg(long)]
    precision: Option<Precision>,
    /// Complexes to sample for each seed [default: 5]
    #[arg(long, value_name = "N")]
    num_samples: Option<u32>,
    /// Recycling iterations [default: 10]
    #[arg(long, value_name = "N")]
    num_recycles: Option<u32>,
    /// Diffusion steps [default: 100]
    #[arg(long, value_name = "N")]
    num_steps: Option<u32>,
    /// Apo structures to generate for each protein and seed, 1 to 5, without shared seeds [default: 1]
    #[arg(long, value_name = "N")]
    num_apos: Option<u32>,
    /// Generate apo structures with these seeds and share them among all seeds
    #[arg(long, num_args = 1.., value_delimiter = ',', value_name = "N")]
    share_apo_seeds: Vec<u64>,
    /// Shared apo structures that each seed takes, at most, 1 to 5 [default: 5]
    #[arg(long, value_name = "N")]
    num_shared_apos: Option<u32>,
    /// How to generate apo structures, as YAML
    #[arg(long, value_name = "FILE")]
    apo_config: Option<PathBuf>,
    /// Go without the structure encoder
    #[arg(long)]
    disable_struct_encoder: bool,
    /// Go without the RNA encoder; only for queries without RNA
    #[arg(long)]
    disable_rna_encoder: bool,
    /// Write pLDDT of every atom, PAE and PDE of every pair of tokens
    #[arg(long)]
    save_confidence: bool,
    /// Write what the trunk made of the query
    #[arg(long)]
    save_embeddings: bool,
    /// Write the distogram
    #[arg(long)]
    save_distogram: bool,
    /// Write the way of each sample
    #[arg(long)]
    save_trajectory: bool,
}

impl KFoldArguments {
    pub(super) fn apply(&self, settings: &mut KFoldSettings) -> anyhow::Result<()> {
        if let Some(models) = &self.models {
            settings.models = absolute(models)?;
        }
        settings.model = self.model.unwrap_or(settings.model);
        settings.device = self.device.unwrap_or(settings.device);
        settings.precision = self.precision.unwrap_or(settings.precision);
        settings.num_samples = self.num_samples.unwrap_or(settings.num_samples);
        settings.num_recycles = self.num_recycles.unwrap_or(settings.num_recycles);
        settings.num_steps = self.num_steps.unwrap_or(settings.num_steps);
        settings.num_apos = self.num_apos.unwrap_or(settings.num_apos);
        settings.num_shared_apos = self.num_shared_apos.unwrap_or(settings.num_shared_apos);
        if !self.share_apo_seeds.is_empty() {
            settings.share_apo_seeds.clone_from(&self.share_apo_seeds);
        }
        if let Some(path) = &self.apo_config {
            let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
            match ApoConfig::from_yaml(&text) {
                Ok(config) => settings.apo = config,
                Err(problem) => bail!("{}: {problem}", path.display()),
            }
        }
        settings.disable_struct_encoder |= self.disable_struct_encoder;
        settings.disable_rna_encoder |= self.disable_rna_encoder;
        settings.save_confidence |= self.save_confidence;
        settings.save_embeddings |= self.save_embeddings;
        settings.save_distogram |= self.save_distogram;
        settings.save_trajectory |= self.save_trajectory;
        Ok(())
    }
}

/// The samples of a job as a table, best first.
pub(super) fn complexes_table(complexes: &[&ComplexResult]) -> String {
    let header = ["seed", "sample", "ranking score", "pLDDT", "pTM", "ipTM", "PDE Å", "clash", "ligands"];
    let is_series = complexes.iter().any(|complex| complex.ligand.is_some());
    let mut lines = vec![header.map(str::to_owned).to_vec()];
    if is_series {
        lines[0].insert(0, "ligand".to_owned());
    }
    for complex in complexes.iter().take(MAX_ROWS) {
        let scores = &complex.confidence.complex;
        let wrong: Vec<&str> = complex
            .ligands
            .iter()
            .filter(|(_, record)| record.checks.iter().any(|check| !check.passed))
            .map(|(_, record)| record.chain.as_str())
            .collect();
        let ligands = match (complex.ligands.len(), wrong.len()) {
            (0, _) => "-".to_owned(),
            (_, 0) => "sound".to_owned(),
            _ => format!("{} not sound", wrong.join(", ")),
        };
        lines.push(vec![
            complex.seed.to_string(),
            complex.sample.to_string(),
            format!("{:.3}", scores.ranking_score),
            format!("{:.1}", scores.plddt),
            format!("{:.3}", scores.ptm),
            format!("{:.3}", scores.iptm),
            format!("{:.1}", scores.pde),
            if scores.has_clash > 0.0 { "yes" } else { "no" }.to_owned(),
            ligands,
        ]);
        if let (true, Some(line)) = (is_series, lines.last_mut()) {
            line.insert(0, complex.ligand.clone().unwrap_or_default());
        }
    }
    let mut text = aligned(&lines);
    if complexes.len() > MAX_ROWS {
        text.push_str(&format!("... and {} more\n", complexes.len() - MAX_ROWS));
    }
    text
}
