//! `models verify`: whether weights files are whole and have the tensors that the networks need.

use std::path::{Path, PathBuf};

use clap::Args;
use kfold_inference::kfold::checkpoint::{self, Report};
use kfold_inference::kfold::config::KFoldConfig;
use kfold_inference::kfold::model_folder::Part;
use kfold_inference::kfold::record::Record;
use serde::Serialize;

use super::super::{Outcome, sentence, standard_output};
use super::{Percent, known_part, weights_files};

/// Lists what is damaged, missing, extra or misshapen in weights files.
#[derive(Debug, Args)]
pub(super) struct Verify {
    /// Weights files, or a folder of them [default: the folder of weights]
    files: Vec<PathBuf>,
    /// The model's config.yaml; K-Fold's own weights need it. Looked for beside the files where it is not named
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// JSON on standard output
    #[arg(long)]
    json: bool,
}

/// What is said of a file.
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
    /// What its content was held against: `sha256` of the note made when it came, `crc32` in the file itself, or nothing.
    content: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// A file that could be read.
struct Read {
    part: Part,
    report: Report,
    content: Option<&'static str>,
}

impl Verify {
    pub(super) fn run(&self, models: &Path) -> anyhow::Result<Outcome> {
        let default = [models.to_owned()];
        let sources = if self.files.is_empty() { &default[..] } else { &self.files };
        let mut all_fit = true;
        let mut checked = Vec::new();
        for source in sources {
            for file in weights_files(source)? {
                let result = self.check(&file);
                all_fit &= matches!(&result, Ok(read) if read.report.fits());
                if !self.json {
                    standard_output::line(&format!("{}: {}", file.display(), described(&result)))?;
                }
                checked.push(record(&file, result));
            }
        }
        if self.json {
            standard_output::json(&checked)?;
        }
        Ok(if all_fit { Outcome::Done } else { Outcome::Incomplete })
    }

    fn check(&self, file: &Path) -> anyhow::Result<Read> {
        let mut percent = Percent::new(file.file_name().unwrap_or_default().to_string_lossy());
        let mut content = None;
        if Record::check(file, true, &mut |done, total| percent.show(done, total))? {
            content = Some("sha256");
        }
        let weights = checkpoint::open(file)?;
        if content.is_none() && weights.check_content(&mut |done, total| percent.show(done, total))? {
            content = Some("crc32");
        }
        let part = known_part(&weights)?;
        let config = self.config.clone().or_else(|| {
            let folders = file.ancestors().skip(1).take(2);
            folders.map(|folder| folder.join("config.yaml")).find(|path| path.is_file())
        });
        let config = config.map(|path| KFoldConfig::load(&path)).transpose()?;
        let report = checkpoint::verify(&weights, &part.expected(&weights, config.as_ref())?);
        Ok(Read { part, report, content })
    }
}

fn described(result: &anyhow::Result<Read>) -> String {
    match result {
        Ok(Read { part, report, content }) => {
            let content = match content {
                Some("sha256") => "its SHA-256 is the one noted when it came",
                Some(_) => "its own checksums fit",
                None => "nothing to hold its content against",
            };
            format!("{}: {report}; {content}", part.display_name())
        }
        Err(error) => sentence(error),
    }
}

fn record(file: &Path, result: anyhow::Result<Read>) -> Checked {
    let (part, report, content, error) = match result {
        Ok(Read { part, report, content }) => (Some(part.display_name()), report, content, None),
        Err(error) => (None, Report::default(), None, Some(sentence(&error))),
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
        content,
        error,
    }
}
