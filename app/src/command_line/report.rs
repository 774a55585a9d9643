//! `report JOB -o FILE.html`: one page about a result, as the window writes it.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use kfold_inference::job::{Results, files};

use super::common::write_text;
use super::render::picture_of;
use super::{Outcome, standard_output, terminal};
use crate::drawing::Pixels;
use crate::report::Report as Page;
use crate::texts::{Language, Texts};
use crate::window::outcome;

/// Languages of a report.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum Tongue {
    /// English
    #[default]
    En,
    /// 한국어
    Ko,
}

/// Writes one page about a result: pictures, numbers, settings and where everything comes from.
#[derive(Debug, Args)]
pub(super) struct Report {
    /// The job
    job: PathBuf,
    /// The page: .html needs no other file, .pdf is one sheet of A4
    #[arg(short, long, value_name = "FILE", required_unless_present = "json")]
    output: Option<PathBuf>,
    /// Its language
    #[arg(long, value_enum, default_value_t)]
    language: Tongue,
    /// The ligand shown in detail, by name; of a series the best one, else the first
    #[arg(long, value_name = "NAME")]
    ligand: Option<String>,
    /// The pose, or sample, shown in detail: 1 is the best
    #[arg(long, default_value_t = 1, value_name = "N")]
    pose: usize,
    /// Leave out the picture of the structure
    #[arg(long)]
    no_picture: bool,
    /// Print the report's tables, settings and provenance as JSON
    #[arg(long)]
    json: bool,
}

impl Report {
    pub(super) fn run(&self) -> anyhow::Result<Outcome> {
        let results = Results::load(&self.job)?;
        let picture = if self.no_picture || self.output.is_none() {
            None
        } else {
            match picture_of(&self.job) {
                Ok(image) => {
                    let rgb = image.pixels().flat_map(|pixel| [pixel[0], pixel[1], pixel[2]]).collect();
                    Some(Arc::new(Pixels { width: image.width(), height: image.height(), rgb }))
                }
                Err(error) => {
                    terminal::say(&format!("the report has no picture: {error:#}"));
                    None
                }
            }
        };
        let found = outcome::Outcome::of(results);
        if found.pose_count() == 0 && found.complexes.is_empty() {
            bail!("{} has no results to report yet", self.job.display());
        }
        let ligand = self.ligand_index(&found)?;
        let count = found.ligands.get(ligand).map_or(found.complexes.len(), |ligand| ligand.poses.len());
        if self.pose == 0 || self.pose > count {
            bail!("--pose: there are {count}, numbered from 1");
        }
        let texts = Texts::new(match self.language {
            Tongue::En => Language::English,
            Tongue::Ko => Language::Korean,
        });
        let page = Page::of(&found, ligand, self.pose - 1, picture, &texts);
        if let Some(path) = &self.output {
            let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
            match extension.to_ascii_lowercase().as_str() {
                "html" | "htm" => write_text(path, &page.to_html())?,
                "pdf" => files::write_whole(path, &page.to_pdf()?)
                    .with_context(|| format!("cannot write {}", path.display()))?,
                _ => bail!("{}: a report is named .html or .pdf", path.display()),
            }
        }
        match (&self.output, self.json) {
            (_, true) => standard_output::line(&serde_json::to_string_pretty(&page)?)?,
            (Some(path), false) => standard_output::line(&path.display().to_string())?,
            (None, false) => {}
        }
        Ok(Outcome::Done)
    }

    fn ligand_index(&self, found: &outcome::Outcome) -> anyhow::Result<usize> {
        let names: Vec<&str> = match found.complexes.first() {
            Some(complex) => complex.ligands.iter().map(|ligand| ligand.record.chain.as_str()).collect(),
            None => found.ligands.iter().map(|ligand| ligand.name.as_str()).collect(),
        };
        match &self.ligand {
            Some(wanted) => names
                .iter()
                .position(|name| name == wanted)
                .with_context(|| format!("--ligand: there is no {wanted}; there are {}", names.join(", "))),
            None => {
                let pk = |ligand: &outcome::LigandOutcome| {
                    ligand.poses.first().map_or(f32::NEG_INFINITY, |pose| pose.score.predicted_pk())
                };
                let best =
                    found.ligands.iter().enumerate().max_by(|a, b| pk(a.1).total_cmp(&pk(b.1)).then(b.0.cmp(&a.0)));
                Ok(best.map_or(0, |(index, _)| index))
            }
        }
    }
}
