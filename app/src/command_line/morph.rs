//! `morph A B -o FILE.pdb`: a path between two states of one protein.

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use kfold_inference::morph::morph;

use super::common::{first_model, write_structure};
use super::{Outcome, standard_output};

/// Makes a path between two states of one protein, a model for each step.
#[derive(Debug, Args)]
pub(super) struct Morph {
    /// The state to begin with: PDB or mmCIF, plain or .gz
    first: PathBuf,
    /// The state to end with
    second: PathBuf,
    /// File for the path (.pdb or .cif)
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// Models, both states included
    #[arg(long, default_value_t = 20, value_name = "N")]
    frames: usize,
}

impl Morph {
    pub(super) fn run(&self) -> anyhow::Result<Outcome> {
        let (first, second) = (first_model(&self.first)?, first_model(&self.second)?);
        let path = morph(&first, &second, self.frames)
            .with_context(|| format!("{} to {}", self.first.display(), self.second.display()))?;
        write_structure(&self.output, &path)?;
        standard_output::line(&self.output.display().to_string())?;
        Ok(Outcome::Done)
    }
}
