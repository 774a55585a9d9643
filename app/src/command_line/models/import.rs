//! `models import`: published weights that were brought by hand.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;
use kfold_inference::kfold::checkpoint;
use kfold_inference::kfold::config::KFoldConfig;
use kfold_inference::kfold::model_folder::{ModelFolder, Variant};
use kfold_inference::kfold::record::Record;

use super::super::{Outcome, standard_output};
use super::convert::convert;
use super::{Percent, known_part, weights_files};

/// Checks published weights and puts them, converted, into the folder of weights.
#[derive(Debug, Args)]
pub(super) struct Import {
    /// A .pth or .safetensors, a config.yaml, or a folder of them as published
    #[arg(required = true)]
    sources: Vec<PathBuf>,
    /// They are the light model's
    #[arg(long)]
    light: bool,
    /// Replace what is there
    #[arg(long)]
    force: bool,
}

impl Import {
    pub(super) fn run(&self, models: &Path) -> anyhow::Result<Outcome> {
        let variant = if self.light { Variant::Light } else { Variant::Full };
        let target = ModelFolder::with_variant(models, variant);
        let own = target.own_folder();
        std::fs::create_dir_all(&own).with_context(|| own.display().to_string())?;
        let mut files = Vec::new();
        // The configuration first: the weights are checked against it.
        for source in &self.sources {
            let config = if source.is_dir() { ModelFolder::new(source).config_file() } else { Some(source.clone()) };
            if let Some(config) = config.filter(|path| path.extension().is_some_and(|ending| ending == "yaml")) {
                self.copy_config(&config, &target)?;
            }
            files.extend(weights_files(source)?);
        }
        let config = target.config_file().map(|path| KFoldConfig::load(&path)).transpose()?;
        for file in files {
            Record::check(&file, false, &mut |_, _| true)?;
            let source = checkpoint::open(&file)?;
            let part = known_part(&source)?;
            let report = checkpoint::verify(&source, &part.expected(&source, config.as_ref())?);
            if !report.fits() {
                bail!(
                    "{} is not the {} that its configuration describes: {report}",
                    file.display(),
                    part.display_name()
                );
            }
            let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let mut percent = Percent::new(format!("{name}, reading"));
            source.check_content(&mut |done, total| percent.show(done, total))?;
            drop(percent);
            let stem = file.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
            let stem = part.file_stems().iter().find(|known| **known == stem).unwrap_or(&part.file_stems()[0]);
            let place = target.place(Some(part), &format!("{stem}.safetensors"));
            if !convert(&source, &place, self.force)? {
                return Ok(Outcome::Cancelled);
            }
            let mut percent = Percent::new(format!("{name}, SHA-256"));
            let sha256 = Record::sha256(&place, &mut |done, total| percent.show(done, total))?;
            Record::note(&place, sha256, None)?;
            drop(percent);
            standard_output::line(&place.display().to_string())?;
        }
        Ok(Outcome::Done)
    }

    fn copy_config(&self, source: &Path, target: &ModelFolder) -> anyhow::Result<()> {
        let place = target.place(None, "config.yaml");
        if place.exists() && !self.force && std::fs::read(&place)? != std::fs::read(source)? {
            bail!("{} is there and differs; --force replaces it", place.display());
        }
        target.set_config(source)?;
        // What was noted of another one no longer holds.
        Ok(Record::remove(&place)?)
    }
}
