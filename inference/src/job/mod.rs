//! A job is a directory.
//!
//! One idea carries runs on this machine, runs that outlive the window, the server and the cluster: whoever wants a
//! prediction writes a directory, whoever can compute runs `kfold-studio worker DIRECTORY`, and whoever wants to watch
//! reads what appears in it. Nothing else is shared, so each of them may die at any moment.
//!
//! ```text
//! query.json            the query; its files lie in inputs/. Written last: with it the job is whole
//! settings.json         engine, seeds, effort
//! inputs/               copies of every file that the query names
//! events.jsonl          what happens, one JSON object a line, only ever appended to (see [`events`])
//! worker.lock           held by the worker while it lives; its process number inside
//! cancel                somebody wants the worker to stop
//! seed-1.partial/       the ligands of a series that are done while others are not (see `parts`)
//! remote.json           the server that does the work, where one does (see [`crate::remote`])
//! seed-1/               outputs of a finished seed, complete: the folder appears by one rename
//!   poses.sdf           poses with bond orders, best first within each ligand, `score_kcal_per_mol` and more
//!   poses.json          scores, interactions, checks and provenance of every pose, in the order of poses.sdf
//!   receptor.pdb        the receptor as the engine used it
//!   NAME_complex_1.cif  the complexes, numbered as in poses.sdf
//!   ensemble.pdb        conformers of the receptor, a model each, when asked for; rmsf.csv with them
//!   settings.json       the settings of this seed
//!   done                empty, for eyes and scripts
//! NAME_model.cif        the best complex of all seeds
//! NAME_docking.json     every pose of all seeds, best first
//! NAME_affinity.csv     the best pose of each ligand: energy, predicted pK and its spread, efficiency
//! NAME_correlation.csv  how well the predicted pK follows measured ones, where the query gives them
//! NAME_summary.csv      every pose as a table
//! pieces/00001/         where a series is cut: a job for each part of it (see [`pieces`])
//! ```
//!
//! So it is after docking; K-Fold's outputs have the tree of the public program: [`complexes`], a tree for each ligand of a
//! series: [`series`].
//!
//! A file is written under a temporary name and renamed ([`files::write_whole`]); a seed is written as a folder with a
//! temporary name and renamed. So after a kill there are finished seeds, finished ligands of a series and leftovers, and the
//! next worker removes the leftovers and goes on with the first seed that is not finished, in a series with its first ligand
//! that is not. Nothing in the outputs depends on when or how often that happened.

pub mod complex;
pub mod complexes;
pub mod events;
pub mod files;
mod output;
mod parts;
pub mod pieces;
pub mod program;
mod progress;
pub mod queue;
mod results;
mod series;
#[cfg(test)]
mod tests;
pub mod worker;

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use crate::engine::EngineName;
use crate::query::{Query, QueryError, QueryFormat};
use crate::settings::{Settings, SettingsError};

pub use complexes::{ComplexResult, ConfidenceArrays, token_atoms};
pub use output::{poses_sdf, rmsf_csv};
pub use progress::{JobProgress, JobState};
pub use results::{PoseRecord, PoseResult, ReceptorConformers, Results, SeedResults};
pub(crate) use series::FAILED;

/// What is wrong with a job.
#[derive(Debug, thiserror::Error)]
pub enum JobError {
    /// The query is wrong.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// The settings are wrong.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// A file of the job could not be read.
    #[error("cannot read {}: {source}{}", path.display(), files::advice(source))]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file of the job could not be written.
    #[error("cannot write {}: {source}{}", path.display(), files::advice(source))]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// An input could not be copied into the job.
    #[error("cannot copy {} into the job: {source}{}", path.display(), files::advice(source))]
    Copy {
        /// The input.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file of the job is not what it should be.
    #[error("{}: {problem}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// There is another job.
    #[error("{} already holds a job; choose another folder, or remove this one", path.display())]
    Exists {
        /// The directory.
        path: PathBuf,
    },
    /// There is none.
    #[error("{} holds no job (there is no query.json); was it written completely?", path.display())]
    Missing {
        /// The directory.
        path: PathBuf,
    },
    /// Another worker runs it.
    #[error("another worker{} is running the job {}; cancel it or wait for it", process_text(*process), path.display())]
    Running {
        /// The directory.
        path: PathBuf,
        /// Its process, when known.
        process: Option<u32>,
    },
    /// The engine gave up.
    #[error(transparent)]
    Engine(#[from] crate::engine::EngineError),
    /// The server that does the work.
    #[error(transparent)]
    Remote(#[from] crate::remote::RemoteError),
    /// The engine panicked.
    #[error("{engine} stopped because of an error in this program: {message}")]
    Panic {
        /// Display name of the engine.
        engine: &'static str,
        /// The panic's message.
        message: String,
    },
    /// No such engine here.
    #[error("this program has no engine `{0}`")]
    NoEngine(&'static str),
}

impl JobError {
    /// Whether it means that the user asked to stop.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        matches!(self, Self::Engine(crate::engine::EngineError::Cancelled))
    }

    /// Whether the cause is the machine's and may pass by itself (a full disk, a file server that does not answer), so that the
    /// same job is worth another try.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        use io::ErrorKind as Kind;
        let (Self::Read { source, .. } | Self::Write { source, .. } | Self::Copy { source, .. }) = self else {
            return false;
        };
        matches!(
            source.kind(),
            Kind::StorageFull
                | Kind::QuotaExceeded
                | Kind::ResourceBusy
                | Kind::Interrupted
                | Kind::TimedOut
                | Kind::StaleNetworkFileHandle
        )
    }

    pub(crate) fn content(path: &Path, problem: impl std::fmt::Display) -> Self {
        Self::Content { path: path.to_owned(), problem: problem.to_string() }
    }

    pub(crate) fn read(path: &Path) -> impl FnOnce(io::Error) -> Self {
        |source| Self::Read { path: path.to_owned(), source }
    }

    pub(crate) fn write(path: &Path) -> impl FnOnce(io::Error) -> Self {
        |source| Self::Write { path: path.to_owned(), source }
    }
}

fn process_text(process: Option<u32>) -> String {
    process.map_or_else(String::new, |process| format!(" (process {process})"))
}

/// A job directory with what it is to do.
#[derive(Clone, Debug)]
pub struct Job {
    folder: PathBuf,
    query: Query,
    settings: Settings,
}

impl Job {
    /// Makes `folder` a job: copies every file that the query names into it and writes query and settings. The folder
    /// is created when it is not there. Nothing is run.
    ///
    /// # Errors
    /// [`JobError::Exists`] when there is a job already, else what is wrong with the query, the settings or the disk.
    pub fn create(folder: &Path, query: &Query, settings: &Settings) -> Result<Self, JobError> {
        query.validate()?;
        query.check_files()?;
        settings.validate()?;
        if settings.engine == EngineName::KFold && is_taken(&query.name) {
            let problem = format!("a job has a file of its own called {}; choose another name", query.name);
            return Err(QueryError::field("name", problem).into());
        }
        let folder = std::path::absolute(folder).map_err(JobError::write(folder))?;
        if folder.join("query.json").exists() {
            return Err(JobError::Exists { path: folder });
        }
        let inputs = folder.join("inputs");
        std::fs::create_dir_all(&inputs).map_err(JobError::write(&inputs))?;
        let mut query = query.clone();
        let mut taken = HashSet::new();
        let mut copies: HashMap<PathBuf, PathBuf> = HashMap::new();
        query.map_files(&mut |path: &Path| -> Result<PathBuf, JobError> {
            if let Some(copy) = copies.get(path) {
                return Ok(copy.clone());
            }
            let copy = inputs.join(free_name(path, &mut taken));
            copy_file(path, &copy).map_err(|source| JobError::Copy { path: path.to_owned(), source })?;
            copies.insert(path.to_owned(), copy.clone());
            Ok(copy)
        })?;
        let path = folder.join("settings.json");
        write_json(&path, settings)?;
        let path = folder.join("query.json");
        let text = query.to_text(QueryFormat::Json, Some(&folder))?;
        files::write_whole(&path, text.as_bytes()).map_err(JobError::write(&path))?;
        Ok(Self { folder, query, settings: settings.clone() })
    }

    /// Opens a job directory.
    ///
    /// # Errors
    /// [`JobError::Missing`] when there is none, else what is wrong with its query or settings.
    pub fn open(folder: &Path) -> Result<Self, JobError> {
        let folder = std::path::absolute(folder).map_err(JobError::read(folder))?;
        let path = folder.join("query.json");
        if !path.exists() {
            return Err(JobError::Missing { path: folder });
        }
        let query = Query::read(&path)?;
        let settings: Settings = read_json(&folder.join("settings.json"))?;
        settings.validate()?;
        Ok(Self { folder, query, settings })
    }

    /// Whether a directory holds a job.
    #[must_use]
    pub fn is_job(folder: &Path) -> bool {
        folder.join("query.json").is_file() && folder.join("settings.json").is_file()
    }

    /// Its directory, absolute.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// What it predicts; the files are the job's own copies.
    #[must_use]
    pub fn query(&self) -> &Query {
        &self.query
    }

    /// How.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The event file, which may not exist yet.
    #[must_use]
    pub fn events_path(&self) -> PathBuf {
        self.folder.join("events.jsonl")
    }

    /// The folder of a seed's outputs.
    #[must_use]
    pub fn seed_folder(&self, seed: u64) -> PathBuf {
        match self.settings.engine {
            EngineName::Docking => self.folder.join(format!("seed-{seed}")),
            EngineName::KFold => self.output_folder().join(format!("{}_seed-{seed}", self.query.name)),
        }
    }

    /// The folder of what all seeds gave: the job itself after docking and for a series, one of the query's name after K-Fold
    /// (the job itself also there if [`KFoldSettings::results_in_job_folder`](crate::kfold::settings::KFoldSettings) says so).
    #[must_use]
    pub fn output_folder(&self) -> PathBuf {
        match self.settings.engine {
            EngineName::KFold if !self.is_complex_series() && !self.settings.kfold.results_in_job_folder => {
                self.folder.join(&self.query.name)
            }
            EngineName::Docking | EngineName::KFold => self.folder.clone(),
        }
    }

    /// The file that says that a seed is finished.
    fn seed_mark(&self, seed: u64) -> PathBuf {
        self.seed_folder(seed).join(match self.settings.engine {
            EngineName::Docking => "done",
            EngineName::KFold => "done.txt",
        })
    }

    /// Folders in which a killed worker may have left files.
    fn work_folders(&self) -> Vec<PathBuf> {
        let mut folders = vec![self.folder.clone(), self.folder.join("inputs")];
        if self.settings.engine == EngineName::KFold {
            for (_, member) in self.members() {
                let output = member.output_folder();
                folders.push(output.join("apo"));
                for seed in &self.settings.seeds {
                    let seed = member.seed_folder(*seed);
                    folders.extend([seed.join("apo"), seed.join("assembly"), seed]);
                }
                folders.push(output);
            }
        }
        folders
    }

    /// Whether a seed's outputs are complete.
    #[must_use]
    pub fn is_seed_done(&self, seed: u64) -> bool {
        if self.is_complex_series() { self.is_series_done(seed) } else { self.seed_mark(seed).is_file() }
    }

    /// Whether every seed is done and the summary is written.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.settings.seeds.iter().all(|seed| self.is_seed_done(*seed)) && self.summary_path().is_file()
    }

    /// The table of all poses or complexes; for a series of complexes that of its ligands.
    #[must_use]
    pub fn summary_path(&self) -> PathBuf {
        self.output_path(if self.is_complex_series() { "series.csv" } else { "summary.csv" })
    }

    /// The table of affinities, a line for each ligand.
    #[must_use]
    pub fn affinity_path(&self) -> PathBuf {
        self.output_path("affinity.csv")
    }

    /// How well predicted affinities follow measured ones.
    #[must_use]
    pub fn correlation_path(&self) -> PathBuf {
        self.output_path("correlation.csv")
    }

    /// The best complex.
    #[must_use]
    pub fn model_path(&self) -> PathBuf {
        self.output_path("model.cif")
    }

    /// Every pose with its interactions, checks and provenance.
    #[must_use]
    pub fn record_path(&self) -> PathBuf {
        self.output_path("docking.json")
    }

    /// A file of what all seeds gave, e.g. `model.cif` for `NAME_model.cif`.
    #[must_use]
    pub fn output_path(&self, suffix: &str) -> PathBuf {
        self.output_folder().join(format!("{}_{suffix}", self.query.name))
    }

    /// Asks the worker to stop.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn request_cancel(folder: &Path) -> Result<(), JobError> {
        let path = folder.join("cancel");
        std::fs::write(&path, b"").map_err(JobError::write(&path))
    }

    /// Takes back an earlier request to stop, so that the job can be run again.
    ///
    /// # Errors
    /// When the file cannot be removed.
    pub fn clear_cancel(folder: &Path) -> Result<(), JobError> {
        let path = folder.join("cancel");
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(JobError::Write { path, source: error }),
            _ => Ok(()),
        }
    }

    /// Whether a worker lives that runs this job.
    #[must_use]
    pub fn is_running(folder: &Path) -> bool {
        let Ok(file) = File::open(folder.join("worker.lock")) else { return false };
        matches!(file.try_lock_shared(), Err(std::fs::TryLockError::WouldBlock))
    }
}

impl Job {
    /// Whether the job does exactly this: equal query and settings, and equal content of every file they name.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn does(&self, query: &Query, settings: &Settings) -> Result<bool, JobError> {
        if self.settings != *settings {
            return Ok(false);
        }
        let (ours, theirs) = (self.query.files(), query.files());
        if ours.len() != theirs.len() {
            return Ok(false);
        }
        for ((_, ours), (_, theirs)) in ours.iter().zip(&theirs) {
            let content = |path: &Path| std::fs::read(path).map_err(JobError::read(path));
            if content(ours)? != content(theirs)? {
                return Ok(false);
            }
        }
        // With the files compared, their names do not matter.
        let unnamed = |query: &Query| -> Result<Query, JobError> {
            let mut query = query.clone();
            query.map_files(&mut |_| Ok::<_, JobError>(PathBuf::new()))?;
            Ok(query)
        };
        Ok(unnamed(&self.query)? == unnamed(query)?)
    }
}

/// Whether a job uses this name in its folder.
fn is_taken(name: &str) -> bool {
    const NAMES: [&str; 7] =
        ["query.json", "settings.json", "inputs", "events.jsonl", "worker.lock", "worker.log", "cancel"];
    // Without case, for disks that do not tell them apart.
    NAMES.iter().any(|taken| taken.eq_ignore_ascii_case(name))
}

/// A name for the copy that no other input has.
fn free_name(path: &Path, taken: &mut HashSet<String>) -> String {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or("input");
    let mut candidate = name.to_owned();
    let mut number = 2;
    // Compared without case: the job may lie on a disk that does not tell them apart.
    while !taken.insert(candidate.to_lowercase()) {
        candidate = format!("{number}-{name}");
        number += 1;
    }
    candidate
}

fn copy_file(from: &Path, to: &Path) -> io::Result<()> {
    let mut source = File::open(from)?;
    files::write_whole_with(to, &mut |file| io::copy(&mut source, file).map(drop))
}

pub(crate) fn write_json<T: serde::Serialize>(path: &Path, value: &T) -> Result<(), JobError> {
    let mut text = serde_json::to_string_pretty(value).map_err(|error| JobError::content(path, error))?;
    text.push('\n');
    files::write_whole(path, text.as_bytes()).map_err(JobError::write(path))
}

pub(crate) fn read_json<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T, JobError> {
    let bytes = std::fs::read(path).map_err(JobError::read(path))?;
    serde_json::from_slice(&bytes).map_err(|error| JobError::content(path, error))
}
