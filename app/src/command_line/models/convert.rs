//! `models convert`: a `.pth` as safetensors.

use std::path::{Path, PathBuf};

use anyhow::bail;
use clap::Args;
use kfold_inference::kfold::KFoldError;
use kfold_inference::kfold::checkpoint::{self, Checkpoint, Format};

use super::super::{Outcome, standard_output};
use super::Percent;

/// Converts a .pth to safetensors.
#[derive(Debug, Args)]
pub(super) struct Convert {
    /// The file to convert
    file: PathBuf,
    /// The file to write; by default beside it
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Replace what is there
    #[arg(long)]
    force: bool,
}

impl Convert {
    pub(super) fn run(&self) -> anyhow::Result<Outcome> {
        let target = self.output.clone().unwrap_or_else(|| self.file.with_extension("safetensors"));
        let source = checkpoint::open(&self.file)?;
        if source.format() == Format::Safetensors && self.output.is_none() {
            bail!("{} is safetensors already", self.file.display());
        }
        if !convert(&source, &target, self.force)? {
            return Ok(Outcome::Cancelled);
        }
        standard_output::line(&target.display().to_string())?;
        Ok(Outcome::Done)
    }
}

/// Converts with progress; whether it was not stopped.
pub(super) fn convert(source: &Checkpoint, target: &Path, force: bool) -> anyhow::Result<bool> {
    if target.exists() && !force {
        bail!("{} is there; --force replaces it", target.display());
    }
    let mut percent = Percent::new(target.file_name().unwrap_or_default().to_string_lossy());
    match checkpoint::convert(source, target, &mut |written, total| percent.show(written, total)) {
        Ok(()) => Ok(true),
        Err(KFoldError::Cancelled) => Ok(false),
        Err(error) => Err(error.into()),
    }
}
