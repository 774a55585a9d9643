//! `models pull`: published weights over the network.

use std::path::Path;
use std::time::Instant;

use anyhow::{Context, bail};
use clap::Args;
use kfold_inference::download::{self, Downloaded, Options, Progress, Wanted};
use kfold_inference::kfold::checkpoint;
use kfold_inference::kfold::config::KFoldConfig;
use kfold_inference::kfold::manifest::{Manifest, PublishedFile};
use kfold_inference::kfold::record::Record;
use serde::Serialize;

use super::super::terminal::Status;
use super::super::{Outcome, standard_output};
use super::list::State;
use super::{Percent, arriving, place_of, size_text};

/// Downloads published weights.
#[derive(Debug, Args)]
pub(super) struct Pull {
    /// Models (full, light, pairs) or single files, as `models list` names them
    #[arg(default_value = "full")]
    what: Vec<String>,
    /// Do without these; the model's config.yaml must then name null for the encoder
    #[arg(long, value_name = "FILE", value_delimiter = ',')]
    without: Vec<String>,
    /// Ask this server first; it is laid out as the makers' hub is. Tried in the order given
    #[arg(long, value_name = "URL")]
    mirror: Vec<String>,
    /// Open no connection: say what is missing and stop
    #[arg(long)]
    offline: bool,
    /// Download again what is here
    #[arg(long)]
    force: bool,
    /// JSON on standard output
    #[arg(long)]
    json: bool,
}

/// What became of a file.
#[derive(Debug, Serialize)]
struct Pulled {
    name: String,
    file: String,
    bytes: u64,
    sha256: Option<String>,
    /// The address it came from; none where it was here already.
    source: Option<String>,
    /// Whether its SHA-256 was known beforehand.
    checksum_known: bool,
}

impl Pull {
    pub(super) fn run(&self, models: &Path) -> anyhow::Result<Outcome> {
        let manifest = Manifest::published()?;
        let without: Vec<&str> = manifest.choose(&self.without)?.iter().map(|file| file.name.as_str()).collect();
        let chosen = manifest.choose(&self.what)?;
        let files: Vec<&PublishedFile> =
            chosen.into_iter().filter(|file| !without.contains(&file.name.as_str())).collect();
        if let Some(needed) = without.iter().filter_map(|name| manifest.file(name)).find(|file| !file.is_optional()) {
            bail!("{} cannot be left out: no model runs without it", needed.name);
        }
        let mut options = Options::default();
        options.offline |= self.offline;
        let states: Vec<State> = files.iter().map(|file| State::of(file, models)).collect();
        let is_wanted = |state: &State| self.force || !matches!(state, State::Here { .. });
        // Nothing is asked of the network that cannot be had or would not fit.
        for (file, state) in files.iter().zip(&states).filter(|(_, state)| is_wanted(state)) {
            if let State::Damaged { reason, .. } = state
                && !self.force
            {
                bail!("{reason}; --force downloads {} again", file.name);
            }
            manifest.sources(file, &self.mirror)?;
        }
        std::fs::create_dir_all(models).with_context(|| format!("cannot make {}", models.display()))?;
        let missing = files.iter().zip(&states).filter(|(_, state)| is_wanted(state));
        let needed = missing.map(|(file, state)| file.about_bytes().saturating_sub(begun(state))).sum();
        download::check_room(models, needed, &self.what.join(", "))?;

        let mut pulled = Vec::new();
        for (file, state) in files.into_iter().zip(states) {
            let one = match state {
                State::Here { file: path, bytes, sha256 } if !self.force => {
                    Pulled { name: file.name.clone(), file: path, bytes, sha256, source: None, checksum_known: false }
                }
                _ => fetch(file, models, &manifest.sources(file, &self.mirror)?, options)?,
            };
            if !self.json {
                let from = one.source.as_ref().map_or_else(|| "was here".to_owned(), |source| format!("from {source}"));
                standard_output::line(&format!("{} ({}, {from})", one.file, size_text(one.bytes)))?;
            }
            pulled.push(one);
        }
        if self.json {
            standard_output::json(&pulled)?;
        }
        Ok(Outcome::Done)
    }
}

fn begun(state: &State) -> u64 {
    if let State::Begun { bytes, .. } = state { *bytes } else { 0 }
}

/// Downloads a file, looks into it, notes it, and gives it its name.
fn fetch(file: &PublishedFile, models: &Path, sources: &[String], options: Options) -> anyhow::Result<Pulled> {
    let place = place_of(file, models);
    let arriving = arriving(file, models);
    if let Some(folder) = place.parent() {
        std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    let wanted = Wanted {
        name: &file.name,
        sources,
        target: &arriving,
        bytes: None,
        sha256: file.sha256.as_deref(),
        limit: file.largest_bytes(),
    };
    let mut downloaded = None;
    if arriving.is_file() {
        // It came whole, and the process was stopped while it looked into it.
        let sha256 = Record::sha256(&arriving, &mut |_, _| true)?;
        let bytes = std::fs::metadata(&arriving)?.len();
        let before = Downloaded { bytes, sha256, source: sources[0].clone(), is_checked: false };
        if look_into(file, models, &arriving, &before).is_ok() {
            downloaded = Some(before);
        }
    }
    let downloaded = match downloaded {
        Some(downloaded) => downloaded,
        None => {
            let mut meter = Meter::new(&file.name);
            let downloaded = download::download(&wanted, options, &mut |progress| meter.show(&progress))?;
            drop(meter);
            if let Err(error) = look_into(file, models, &arriving, &downloaded) {
                // Not kept: the next attempt would find the same.
                std::fs::remove_file(&arriving).with_context(|| arriving.display().to_string())?;
                return Err(error.context(format!("{} came from {} but is of no use", file.name, downloaded.source)));
            }
            downloaded
        }
    };
    let Downloaded { bytes, sha256, source, is_checked } = downloaded;
    // A kill in between leaves a file that is checked again, as one that has changed.
    std::fs::rename(&arriving, &place).with_context(|| format!("cannot write {}", place.display()))?;
    Record::note(&place, sha256.clone(), Some(source.clone()))?;
    Ok(Pulled {
        name: file.name.clone(),
        file: place.display().to_string(),
        bytes,
        sha256: Some(sha256),
        source: Some(source),
        checksum_known: is_checked,
    })
}

/// Whether what came is what its name says.
fn look_into(file: &PublishedFile, models: &Path, path: &Path, downloaded: &Downloaded) -> anyhow::Result<()> {
    let Some(part) = file.part() else {
        KFoldConfig::load(path)?;
        return Ok(());
    };
    let weights = checkpoint::open(path)?;
    let config = file.folder(models).config_file().map(|config| KFoldConfig::load(&config)).transpose()?;
    // Without its configuration K-Fold's own file is held against the published one.
    let config = config.or(file.folder(models).variant().published().ok());
    let report = checkpoint::verify(&weights, &part.expected(&weights, config.as_ref())?);
    if !report.fits() {
        bail!("it is not the {} that its configuration describes: {report}", part.display_name());
    }
    if !downloaded.is_checked {
        let mut percent = Percent::new(format!("{}, reading", file.name));
        weights.check_content(&mut |done, total| percent.show(done, total))?;
    }
    Ok(())
}

/// Shows a download.
struct Meter<'a> {
    name: &'a str,
    status: Status,
    /// Since when it runs, and what was there then.
    start: Option<(Instant, u64)>,
}

impl<'a> Meter<'a> {
    fn new(name: &'a str) -> Self {
        Self { name, status: Status::new(), start: None }
    }

    /// The answer is always to go on: an interrupt ends the process, and the next pull goes on from there.
    fn show(&mut self, progress: &Progress<'_>) -> bool {
        match progress {
            Progress::Trouble(reason) => self.status.say(&format!("{}: {reason}; trying again", self.name)),
            Progress::Bytes { done: 0, total: None } => {}
            Progress::Bytes { done, total } => {
                let (start, before) = *self.start.get_or_insert((Instant::now(), *done));
                let pace = (done.saturating_sub(before)) as f64 / start.elapsed().as_secs_f64().max(0.1);
                let whole = total.map_or_else(String::new, |total| {
                    format!(" of {} ({} %)", size_text(total), done.saturating_mul(100) / total.max(1))
                });
                let text = format!("{}: {}{whole}, {}/s", self.name, size_text(*done), size_text(pace as u64));
                self.status.show(self.name, &text);
            }
        }
        true
    }
}
