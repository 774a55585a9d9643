//! `models list`: which weights there are, and which are here.

use std::path::Path;

use clap::Args;
use kfold_inference::download;
use kfold_inference::kfold::manifest::{Manifest, PublishedFile};
use kfold_inference::kfold::record::Record;
use serde::Serialize;

use super::super::{Outcome, standard_output};
use super::{arriving, file_here, size_text};

/// Says which weights there are, and which are here.
#[derive(Debug, Args)]
pub(super) struct List {
    /// JSON on standard output
    #[arg(long)]
    json: bool,
}

/// How it stands with a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub(in super::super) enum State {
    /// Not here.
    Absent,
    /// A download was begun.
    Begun {
        /// Bytes that are here.
        bytes: u64,
        /// Bytes of the whole, where known.
        total: Option<u64>,
    },
    /// Here.
    Here {
        /// The file.
        file: String,
        /// Its bytes.
        bytes: u64,
        /// Its SHA-256, where it was noted.
        sha256: Option<String>,
    },
    /// Here, but not as it came.
    Damaged {
        /// The file.
        file: String,
        /// What is wrong.
        reason: String,
    },
}

impl State {
    /// How it stands with a published file in a folder of weights.
    pub(in super::super) fn of(file: &PublishedFile, models: &Path) -> Self {
        let Some(path) = file_here(file, models) else {
            return match download::unfinished(&arriving(file, models)) {
                Some((bytes, total)) => Self::Begun { bytes, total },
                None => Self::Absent,
            };
        };
        let name = path.display().to_string();
        match Record::check(&path, false, &mut |_, _| true).and_then(|_| Record::of(&path)) {
            Ok(record) => Self::Here {
                file: name,
                bytes: std::fs::metadata(&path).map_or(0, |metadata| metadata.len()),
                sha256: record.map(|record| record.sha256),
            },
            Err(error) => Self::Damaged { file: name, reason: error.to_string() },
        }
    }

    fn text(&self) -> String {
        match self {
            Self::Absent => "not here".to_owned(),
            Self::Begun { bytes, total: Some(total) } => {
                format!("begun: {} of {}", size_text(*bytes), size_text(*total))
            }
            Self::Begun { bytes, total: None } => format!("begun: {}", size_text(*bytes)),
            Self::Here { bytes, .. } => format!("here, {}", size_text(*bytes)),
            Self::Damaged { reason, .. } => format!("damaged: {reason}"),
        }
    }
}

#[derive(Serialize)]
struct Listed<'a> {
    #[serde(flatten)]
    file: &'a PublishedFile,
    optional: bool,
    models: Vec<&'a str>,
    #[serde(flatten)]
    state: State,
}

impl List {
    pub(super) fn run(&self, models: &Path) -> anyhow::Result<Outcome> {
        let manifest = Manifest::published()?;
        let listed: Vec<Listed<'_>> = manifest
            .files
            .iter()
            .map(|file| Listed {
                file,
                optional: file.is_optional(),
                models: manifest
                    .models
                    .iter()
                    .filter(|model| model.files.contains(&file.name))
                    .map(|model| model.name.as_str())
                    .collect(),
                state: State::of(file, models),
            })
            .collect();
        if self.json {
            standard_output::json(&serde_json::json!({ "folder": models.display().to_string(), "files": listed }))?;
            return Ok(Outcome::Done);
        }
        standard_output::line(&models.display().to_string())?;
        for Listed { file, models, state, .. } in &listed {
            let size = match (file.gib, file.parameters) {
                (Some(gib), _) => format!("{gib:.2} GiB"),
                (None, Some(parameters)) => format!("{:.0} M numbers", parameters as f64 / 1e6),
                (None, None) => String::new(),
            };
            standard_output::line(&format!(
                "{:<20} {:<12} {size:>14}  {:<10}  {}",
                file.name,
                models.join(", "),
                file.licence,
                state.text()
            ))?;
        }
        Ok(Outcome::Done)
    }
}
