//! `models list|pull|verify|import|convert|remove`: weights, from how they are published to how this program reads them.

mod convert;
mod import;
pub(super) mod list;
mod pull;
mod remove;
mod verify;

use std::path::{Path, PathBuf};

use anyhow::bail;
use clap::{Args, Subcommand};
use kfold_inference::folders;
use kfold_inference::kfold::checkpoint::Checkpoint;
use kfold_inference::kfold::manifest::PublishedFile;
use kfold_inference::kfold::model_folder::{ModelFolder, Part, Variant};

use super::Outcome;
use super::terminal::Status;

/// Brings weights to this program, and checks them.
#[derive(Debug, Args)]
pub(super) struct Models {
    #[command(flatten)]
    place: Place,
    #[command(subcommand)]
    command: Command,
}

/// Where the weights are.
#[derive(Debug, Args)]
pub(super) struct Place {
    /// The folder of weights [default: $KFOLD_MODELS, else kfold-studio/models in the user's data folder]
    #[arg(long, visible_alias = "into", global = true, value_name = "FOLDER")]
    models: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Say which weights there are, and which are here
    List(list::List),
    /// Download published weights
    Pull(pull::Pull),
    /// List what is damaged, missing, extra or misshapen in weights files
    Verify(verify::Verify),
    /// Check published weights and put them, converted, into the folder of weights
    Import(import::Import),
    /// Convert a .pth to safetensors
    Convert(convert::Convert),
    /// Remove weights from the folder of weights
    Remove(remove::Remove),
}

impl Models {
    pub(super) fn run(&self) -> anyhow::Result<Outcome> {
        let folder = self.place.folder();
        match &self.command {
            Command::List(command) => command.run(&folder),
            Command::Pull(command) => command.run(&folder),
            Command::Verify(command) => command.run(&folder),
            Command::Import(command) => command.run(&folder),
            Command::Convert(command) => command.run(),
            Command::Remove(command) => command.run(&folder),
        }
    }
}

impl Place {
    /// The folder.
    pub(super) fn folder(&self) -> PathBuf {
        self.models.clone().unwrap_or_else(folders::models)
    }
}

/// The model by its name on the command line.
pub(super) fn parse_variant(text: &str) -> Result<Variant, String> {
    [Variant::Full, Variant::Light]
        .into_iter()
        .find(|variant| variant.name() == text)
        .ok_or_else(|| "the models are full and light".to_owned())
}

/// A published file that is here.
fn file_here(file: &PublishedFile, models: &Path) -> Option<PathBuf> {
    let folder = file.folder(models);
    match file.part() {
        Some(part) => folder.file(part),
        None => folder.config_file(),
    }
}

/// Where a published file belongs.
fn place_of(file: &PublishedFile, models: &Path) -> PathBuf {
    file.folder(models).place(file.part(), file.file_name())
}

/// A published file on its way: not yet under its own name, because nobody has looked into it.
fn arriving(file: &PublishedFile, models: &Path) -> PathBuf {
    let mut name = place_of(file, models).into_os_string();
    name.push(".download");
    PathBuf::from(name)
}

fn known_part(weights: &Checkpoint) -> anyhow::Result<Part> {
    match Part::of(weights) {
        Some(part) => Ok(part),
        None => bail!("{} holds no part of a model that this program knows", weights.path().display()),
    }
}

/// The weights files that a source names: itself, or those of the known parts in a folder.
fn weights_files(source: &Path) -> anyhow::Result<Vec<PathBuf>> {
    if source.is_dir() {
        let folders = [ModelFolder::new(source), ModelFolder::with_variant(source, Variant::Light)];
        let mut files: Vec<PathBuf> = Vec::new();
        for folder in &folders {
            for file in Part::ALL.into_iter().filter_map(|part| folder.file(part)) {
                if !files.contains(&file) {
                    files.push(file);
                }
            }
        }
        if files.is_empty() && folders.iter().all(|folder| folder.config_file().is_none()) {
            bail!("{} holds no weights that this program knows", source.display());
        }
        return Ok(files);
    }
    Ok(if source.extension().is_some_and(|ending| ending == "yaml") { Vec::new() } else { vec![source.to_owned()] })
}

/// Bytes as people read them.
pub(super) fn size_text(bytes: u64) -> String {
    let gib = bytes as f64 / f64::from(1 << 30);
    match bytes {
        0..1024 => format!("{bytes} B"),
        1024..1_048_576 => format!("{:.1} KiB", bytes as f64 / 1024.0),
        1_048_576..1_073_741_824 => format!("{:.1} MiB", gib * 1024.0),
        _ => format!("{gib:.2} GiB"),
    }
}

/// A long reading shown in per cent.
struct Percent {
    status: Status,
    topic: String,
    shown: u64,
}

impl Percent {
    fn new(topic: impl Into<String>) -> Self {
        Self { status: Status::new(), topic: topic.into(), shown: u64::MAX }
    }

    /// Shows it; the answer is always to go on, an interrupt ends the process itself.
    fn show(&mut self, done: u64, total: u64) -> bool {
        let now = done.saturating_mul(100) / total.max(1);
        if now != self.shown {
            self.shown = now;
            self.status.show(&self.topic, &format!("{}: {now} %", self.topic));
        }
        true
    }
}
