//! What threads tell the window.

use std::path::PathBuf;
use std::sync::Arc;

use kfold_inference::query::Imported;
use kfold_molecule::{SmallMolecule, Structure};

use super::background::{Lane, LigandKey};
use super::dialogs::Purpose;
use super::ensemble::Ensemble;
use super::jobs::JobView;
use super::lessons::Lesson;
use super::library::LigandPicture;
use super::outcome::Outcome;
use super::preferences::licenses::Licenses;
use super::scene::Built;
use super::session::Opened;
use super::session::store::SessionError;

/// News from a thread. Failures are sentences: what, where, what to do.
pub enum Message {
    /// A task fell over: a fault of ours, reported as such.
    Crashed {
        /// Where.
        lane: Lane,
        /// The panic's text.
        what: String,
    },
    /// A structure was read.
    StructureRead {
        /// The file.
        path: PathBuf,
        /// It, or why not.
        result: Result<Arc<Structure>, String>,
    },
    /// Small molecules were read.
    MoleculesRead {
        /// The file.
        path: PathBuf,
        /// They, or why not.
        result: Result<Arc<Vec<SmallMolecule>>, String>,
    },
    /// A ligand was understood and laid out.
    LigandReady {
        /// What it was made from.
        key: LigandKey,
        /// It, or what is wrong.
        result: Result<Arc<LigandPicture>, String>,
    },
    /// A query was read.
    QueryRead {
        /// The file.
        path: PathBuf,
        /// The queries in it, or what is wrong.
        result: Result<Vec<Imported>, String>,
    },
    /// Work for the query panel is done.
    Query(super::query::News),
    /// A ligand series was read.
    SeriesRead {
        /// The ligands, or what is wrong.
        result: Result<Vec<kfold_inference::query::SeriesLigand>, String>,
    },
    /// The 3D scene was built.
    SceneBuilt(Box<Built>),
    /// The ensemble was analysed.
    EnsembleReady {
        /// What it was made from.
        key: super::ensemble::EnsembleKey,
        /// It, or why not.
        result: Result<Arc<Ensemble>, String>,
    },
    /// Something was made; what to do with it.
    Apply(Box<dyn FnOnce(&mut super::app::Studio) + Send>),
    /// A dialog was answered.
    DialogAnswered {
        /// What was asked for.
        purpose: Purpose,
        /// The choice; `None` when cancelled.
        path: Option<PathBuf>,
        /// The system has no dialog.
        is_missing: bool,
    },
    /// A file was written, or not.
    Written {
        /// Where.
        path: PathBuf,
        /// Whether it was the query, whose path is remembered.
        is_query: bool,
        /// Whether success is not worth a word.
        is_silent: bool,
        /// Why not.
        result: Result<(), String>,
    },
    /// A run was put into the queue, or not.
    RunQueued {
        /// The run's folder.
        folder: PathBuf,
        /// Why not.
        result: Result<(), String>,
    },
    /// The run of a session was looked at.
    RunFound {
        /// The run's folder.
        folder: PathBuf,
        /// Whether it came to its end.
        is_done: bool,
    },
    /// The queue was changed, or not.
    QueueChanged {
        /// Why not.
        result: Result<(), String>,
    },
    /// The jobs as they stand now.
    Jobs {
        /// They.
        views: Arc<Vec<JobView>>,
        /// Why the queue cannot be read.
        error: Option<String>,
    },
    /// A job's log was read.
    LogRead {
        /// The job's folder.
        folder: PathBuf,
        /// It, or why not.
        result: Result<String, String>,
    },
    /// Results were loaded.
    OutcomeLoaded {
        /// The run's folder.
        folder: PathBuf,
        /// They, or why not.
        result: Result<Box<Outcome>, String>,
    },
    /// The session was written, or not.
    SessionWritten {
        /// Where it lies.
        path: Option<PathBuf>,
        /// Why not.
        result: Result<(), SessionError>,
    },
    /// The last session, if there is one.
    LastSession(Option<Opened>),
    /// A session was read.
    SessionRead {
        /// The file.
        path: PathBuf,
        /// It, or what is wrong.
        result: Box<Result<Opened, SessionError>>,
    },
    /// The lessons were read.
    LessonsRead {
        /// In this language.
        language: crate::texts::Language,
        /// They.
        lessons: Vec<Lesson>,
    },
    /// The list of licences was read, or not.
    LicensesRead(Result<Box<Licenses>, String>),
}
