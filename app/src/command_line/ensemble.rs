//! `ensemble STRUCTURE -o FILE.pdb`: conformers of a protein from an elastic network.

use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::Args;
use kfold_inference::elastic_network::{EnsembleSettings, ensemble};
use kfold_inference::job::rmsf_csv;

use super::common::{first_model, write_structure, write_text};
use super::{Outcome, standard_output};

/// Makes conformers of a protein by an elastic network: FILE with one model each, the first of them the input, and
/// FILE.rmsf.csv with the fluctuation of each residue.
#[derive(Debug, Args)]
pub(super) struct Ensemble {
    /// The protein: PDB or mmCIF, plain or .gz
    structure: PathBuf,
    /// File for the conformers (.pdb or .cif)
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// Lowest modes to combine
    #[arg(long, default_value_t = 10, value_name = "N")]
    modes: usize,
    /// RMSD of each conformer to the input over alpha carbons, in Å
    #[arg(long, default_value_t = 1.5, value_name = "Å", allow_negative_numbers = true)]
    amplitude: f32,
    /// Conformers beside the input
    #[arg(long, default_value_t = 10, value_name = "N")]
    conformers: usize,
    /// Seed of the combinations
    #[arg(long, default_value_t = 1, value_name = "N")]
    seed: u64,
}

impl Ensemble {
    pub(super) fn run(&self) -> anyhow::Result<Outcome> {
        let model = first_model(&self.structure)?;
        let settings = EnsembleSettings {
            modes: self.modes,
            conformers: self.conformers,
            amplitude: self.amplitude,
            seed: self.seed,
        };
        let made = ensemble(&model, &settings).with_context(|| self.structure.display().to_string())?;
        let Some(first) = made.structure.first() else { bail!("the ensemble is empty") };
        let table = self.output.with_extension("rmsf.csv");
        let csv = rmsf_csv(first, &made.rmsf);
        write_structure(&self.output, &made.structure)?;
        write_text(&table, &csv)?;
        standard_output::line(&self.output.display().to_string())?;
        standard_output::line(&table.display().to_string())?;
        Ok(Outcome::Done)
    }
}
