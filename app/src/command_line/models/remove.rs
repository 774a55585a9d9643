//! `models remove`: weights that are no longer wanted.

use std::path::Path;

use anyhow::Context;
use clap::Args;
use kfold_inference::download;
use kfold_inference::kfold::manifest::{Manifest, PublishedFile};
use kfold_inference::kfold::record::Record;

use super::super::{Outcome, standard_output, terminal};
use super::{arriving, file_here, size_text};

/// Removes weights from the folder of weights.
#[derive(Debug, Args)]
pub(super) struct Remove {
    /// Models (full, light, pairs) or single files, as `models list` names them. What another model that is here needs stays,
    /// unless it is named itself
    #[arg(required = true)]
    what: Vec<String>,
    /// JSON on standard output
    #[arg(long)]
    json: bool,
}

impl Remove {
    pub(super) fn run(&self, models: &Path) -> anyhow::Result<Outcome> {
        let manifest = Manifest::published()?;
        let mut removed = Vec::new();
        for file in manifest.choose(&self.what)? {
            if let Some(other) = self.still_needed_by(&manifest, file, models) {
                terminal::say(&format!("{} stays: {other} needs it", file.name));
                continue;
            }
            let coming = arriving(file, models);
            download::discard(&coming)?;
            if coming.exists() {
                std::fs::remove_file(&coming).with_context(|| coming.display().to_string())?;
            }
            // More than one where it was both downloaded and imported.
            while let Some(path) = file_here(file, models) {
                let bytes = std::fs::metadata(&path).map_or(0, |metadata| metadata.len());
                std::fs::remove_file(&path).with_context(|| format!("cannot remove {}", path.display()))?;
                Record::remove(&path)?;
                removed.push((path.display().to_string(), bytes));
            }
        }
        if self.json {
            let list: Vec<_> =
                removed.iter().map(|(file, bytes)| serde_json::json!({ "file": file, "bytes": bytes })).collect();
            standard_output::json(&list)?;
        } else {
            for (file, bytes) in &removed {
                standard_output::line(&format!("{file} ({})", size_text(*bytes)))?;
            }
        }
        Ok(Outcome::Done)
    }

    /// A model that was not named, is here, and needs a file that was not named itself.
    fn still_needed_by<'a>(&self, manifest: &'a Manifest, file: &PublishedFile, models: &Path) -> Option<&'a str> {
        if self.what.contains(&file.name) {
            return None;
        }
        let is_here = |names: &[String]| {
            let own = names.iter().filter_map(|name| manifest.file(name)).find(|file| file.name.ends_with("kfold"));
            own.is_some_and(|own| file_here(own, models).is_some())
        };
        let others = manifest.models.iter().filter(|model| !self.what.contains(&model.name) && is_here(&model.files));
        others.into_iter().find(|model| model.files.contains(&file.name)).map(|model| model.name.as_str())
    }
}
