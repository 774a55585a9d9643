//! `models import|verify|convert`: weights files, from how they are published to how this program reads them.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use kfold_inference::kfold::KFoldError;
use kfold_inference::kfold::checkpoint::{self, Checkpoint, Format, Report};
use kfold_inference::kfold::config::KFoldConfig;
use kfold_inference::kfold::model_folder::{ModelFolder, Part};
use serde::Serialize;

use super::terminal::Status;
use super::{Outcome, standard_output};

/// Brings weights to this program, and checks them.
#[derive(Debug, Args)]
pub(super) struct Models {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Check published weights and put them, converted, into a model folder
    Import(Import),
    /// List what is missing, extra or misshapen in weights files
    Verify(Verify),
    /// Convert a .pth to safetensors
    Convert(Convert),
}

#[derive(Debug, Args)]
struct Import {
    /// A .pth or .safetensors, a config.yaml, or a folder of them as published
    #[arg(required = true)]
    sources: Vec<PathBuf>,
    /// The model folder
    #[arg(long, value_name = "FOLDER")]
    into: PathBuf,
    /// Replace what is there
    #[arg(long)]
    force: bool,
}

#[derive(Debug, Args)]
struct Verify {
    /// Weights files, or a folder of them
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// The model's config.yaml; K-Fold's own weights need it. Looked for beside the files where it is not named
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// JSON on standard output
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct Convert {
    /// The file to convert
    file: PathBuf,
    /// The file to write; by default beside it
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Replace what is there
    #[arg(long)]
    force: bool,
}

/// What `verify` says of a file.
#[derive(Debug, Serialize)]
struct Checked {
    file: String,
    part: Option<&'static str>,
    fits: bool,
    matched: usize,
    missing: Vec<String>,
    extra: Vec<String>,
    misshapen: Vec<String>,
    ignored: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

impl Models {
    pub(super) fn run(&self) -> anyhow::Result<Outcome> {
        match &self.command {
            Command::Import(command) => command.run(),
            Command::Verify(command) => command.run(),
            Command::Convert(command) => command.run(),
        }
    }
}

impl Import {
    fn run(&self) -> anyhow::Result<Outcome> {
        std::fs::create_dir_all(&self.into).with_context(|| self.into.display().to_string())?;
        let target = ModelFolder::new(&self.into);
        let mut files = Vec::new();
        // The configuration first: the weights are checked against it.
        for source in &self.sources {
            let config = if source.is_dir() { ModelFolder::new(source).config_file() } else { Some(source.clone()) };
            if let Some(config) = config.filter(|path| path.extension().is_some_and(|ending| ending == "yaml")) {
                self.copy_config(&config)?;
            }
            files.extend(weights_files(source)?);
        }
        let config = target.config_file().map(|path| KFoldConfig::load(&path)).transpose()?;
        for file in files {
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
            let stem = file.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
            let stem = part.file_stems().iter().find(|known| **known == stem).unwrap_or(&part.file_stems()[0]);
            let place = target.place(stem);
            if convert(&source, &place, self.force)? {
                standard_output::line(&place.display().to_string())?;
            } else {
                return Ok(Outcome::Cancelled);
            }
        }
        Ok(Outcome::Done)
    }

    fn copy_config(&self, source: &Path) -> anyhow::Result<()> {
        let place = self.into.join("config.yaml");
        if place.exists() && !self.force && std::fs::read(&place)? != std::fs::read(source)? {
            bail!("{} is there and differs; --force replaces it", place.display());
        }
        Ok(ModelFolder::new(&self.into).set_config(source)?)
    }
}

impl Verify {
    fn run(&self) -> anyhow::Result<Outcome> {
        let mut all_fit = true;
        let mut checked = Vec::new();
        for source in &self.files {
            for file in weights_files(source)? {
                let result = self.check(&file);
                all_fit &= matches!(&result, Ok((_, report)) if report.fits());
                if !self.json {
                    let text = match &result {
                        Ok((part, report)) => format!("{}: {}: {report}", file.display(), part.display_name()),
                        Err(error) => format!("{}: {}", file.display(), super::sentence(error)),
                    };
                    standard_output::line(&text)?;
                }
                checked.push(describe(&file, result));
            }
        }
        if self.json {
            standard_output::json(&checked)?;
        }
        Ok(if all_fit { Outcome::Done } else { Outcome::Incomplete })
    }

    fn check(&self, file: &Path) -> anyhow::Result<(Part, Report)> {
        let weights = checkpoint::open(file)?;
        let part = known_part(&weights)?;
        let config = self.config.clone().or_else(|| {
            let folders = file.ancestors().skip(1).take(2);
            folders.map(|folder| folder.join("config.yaml")).find(|path| path.is_file())
        });
        let config = config.map(|path| KFoldConfig::load(&path)).transpose()?;
        Ok((part, checkpoint::verify(&weights, &part.expected(&weights, config.as_ref())?)))
    }
}

impl Convert {
    fn run(&self) -> anyhow::Result<Outcome> {
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
fn convert(source: &Checkpoint, target: &Path, force: bool) -> anyhow::Result<bool> {
    if target.exists() && !force {
        bail!("{} is there; --force replaces it", target.display());
    }
    let name = target.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let mut status = Status::new();
    let mut percent = u64::MAX;
    let result = checkpoint::convert(source, target, &mut |written, total| {
        let now = written * 100 / total.max(1);
        if now != percent {
            percent = now;
            status.show(&name, &format!("{name}: {now} %"));
        }
        true
    });
    match result {
        Ok(()) => Ok(true),
        Err(KFoldError::Cancelled) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// The weights files that a source names: itself, or those of the known parts in a folder.
fn weights_files(source: &Path) -> anyhow::Result<Vec<PathBuf>> {
    if source.is_dir() {
        let folder = ModelFolder::new(source);
        let files: Vec<PathBuf> = Part::ALL.into_iter().filter_map(|part| folder.file(part)).collect();
        if files.is_empty() && folder.config_file().is_none() {
            bail!("{} holds no weights that this program knows", source.display());
        }
        return Ok(files);
    }
    Ok(if source.extension().is_some_and(|ending| ending == "yaml") { Vec::new() } else { vec![source.to_owned()] })
}

fn known_part(weights: &Checkpoint) -> anyhow::Result<Part> {
    match Part::of(weights) {
        Some(part) => Ok(part),
        None => bail!("{} holds no part of a model that this program knows", weights.path().display()),
    }
}

fn describe(file: &Path, result: anyhow::Result<(Part, Report)>) -> Checked {
    let (part, report, error) = match result {
        Ok((part, report)) => (Some(part.display_name()), report, None),
        Err(error) => (None, Report::default(), Some(super::sentence(&error))),
    };
    Checked {
        file: file.display().to_string(),
        part,
        fits: error.is_none() && report.fits(),
        matched: report.matched,
        missing: report.missing.iter().map(|tensor| format!("{} {:?}", tensor.name, tensor.shape)).collect(),
        extra: report.extra,
        misshapen: report
            .misshapen
            .iter()
            .map(|tensor| format!("{} {:?} instead of {:?}", tensor.name, tensor.found, tensor.expected))
            .collect(),
        ignored: report.ignored,
        error,
    }
}
