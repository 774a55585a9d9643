//! A prediction on its way: a worker process in a job directory, and what it says.
//!
//! The window never computes a prediction itself. It writes the job directory, starts this program again as
//! `worker JOBDIR` and follows the directory's events; so a crash takes down the worker alone, and a worker that was let
//! go outlives the window. Everything here that waits does so on a thread of its own.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use kfold_inference::engine::EngineName;
use kfold_inference::job::events::{Event, EventReader};
use kfold_inference::job::{Job, JobProgress, JobState, Results};
use kfold_inference::query::{Query, QueryEngine};
use kfold_inference::remote;
use kfold_inference::remote::servers::Servers;
use kfold_inference::settings::Settings;

use super::app::Studio;
use super::background::{Lane, Outbox};
use super::document::ColourBy;
use super::ensemble::EnsembleKey;
use super::files::Places;
use super::format::number;
use super::message::Message;
use super::outcome::Outcome;
use super::widgets::Tone;
use crate::texts::Texts;

/// Between two looks at the events.
const LOOK: Duration = Duration::from_millis(120);
/// A worker that has been asked to stop and has not after this long is ended.
const GRACE: Duration = Duration::from_secs(8);

/// What a run's thread tells the window.
pub struct RunNews {
    /// The run's folder.
    pub folder: PathBuf,
    /// What happened.
    pub kind: RunNewsKind,
}

/// What happened.
pub enum RunNewsKind {
    /// The worker wrote events.
    Events(Vec<Event>),
    /// It ended.
    Ended(Ending),
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// With results.
    Finished,
    /// By the user.
    Cancelled,
    /// With an error, in a sentence.
    Failed(String),
}

/// The run as the window knows it.
pub struct Run {
    /// Its folder.
    pub folder: PathBuf,
    progress: JobProgress,
    started: Instant,
    ending: Option<Ending>,
    cancel: Arc<AtomicBool>,
    let_go: Arc<AtomicBool>,
}

/// What the progress display says.
pub struct Status {
    /// What is being done.
    pub stage: String,
    /// Time left, or time spent when that is not known yet.
    pub time: String,
    /// What is being worked on.
    pub detail: String,
    /// 0 to 1, when known.
    pub fraction: Option<f32>,
}

impl Run {
    fn new(folder: PathBuf) -> Self {
        Self {
            folder,
            progress: JobProgress::default(),
            started: Instant::now(),
            ending: None,
            cancel: Arc::default(),
            let_go: Arc::default(),
        }
    }

    /// Whether it has not ended.
    #[must_use]
    pub const fn is_going(&self) -> bool {
        self.ending.is_none()
    }

    /// Whether it was asked to stop and has not yet.
    #[must_use]
    pub fn is_cancelling(&self) -> bool {
        self.is_going() && self.cancel.load(Ordering::Relaxed)
    }

    /// Asks it to stop: the worker looks for a file, and after a while its thread here ends it.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn cancel(&self) -> Result<(), String> {
        self.cancel.store(true, Ordering::Relaxed);
        Job::request_cancel(&self.folder).map_err(|error| error.to_string())
    }

    /// Lets it run on without the window.
    pub fn let_go(&self) {
        self.let_go.store(true, Ordering::Relaxed);
    }

    /// Why it failed.
    #[must_use]
    pub fn failure(&self) -> Option<&str> {
        match &self.ending {
            Some(Ending::Failed(reason)) => Some(reason),
            _ => None,
        }
    }

    /// What the progress display says now.
    #[must_use]
    pub fn status(&self, texts: &Texts) -> Status {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
        let time = match self.progress.seconds_left(now) {
            // An estimate within the first seconds would jump about.
            Some(left) if self.started.elapsed().as_secs_f32() > 1.5 => time_text(texts, "run-left", left),
            _ => time_text(texts, "run-elapsed", self.started.elapsed().as_secs_f64()),
        };
        let (stage, mut detail) = match &self.progress.progress {
            Some(progress) => {
                let stage = stage_key(&progress.stage).map_or_else(|| progress.stage.clone(), |key| texts.get(key));
                (stage, progress.message.clone())
            }
            None => (texts.get("stage-start"), String::new()),
        };
        if self.progress.seeds > 1 {
            let seeds = [("done", self.progress.seeds_done.into()), ("count", self.progress.seeds.into())];
            detail = format!("{}  {detail}", texts.with("run-seeds", seeds));
        }
        Status { stage, time, detail, fraction: self.progress.stage_fraction() }
    }
}

fn stage_key(stage: &str) -> Option<&'static str> {
    Some(match stage {
        "prepare" => "stage-prepare",
        "grids" => "stage-grids",
        "search" => "stage-search",
        "refine" => "stage-refine",
        "score" => "stage-score",
        "check" => "stage-check",
        "ensemble" => "stage-ensemble",
        "write" => "stage-write",
        "apo" => "stage-apo",
        "tokens" => "stage-tokens",
        "encode" => "stage-encode",
        "trunk" => "stage-trunk",
        "sampling" => "stage-sampling",
        "confidence" => "stage-confidence",
        "upload" => "stage-upload",
        "queue" => "stage-queue",
        "fetch" => "stage-fetch",
        "waiting" => "stage-waiting",
        _ => return None,
    })
}

fn time_text(texts: &Texts, key: &str, seconds: f64) -> String {
    let seconds = seconds as f32;
    let amount = if seconds < 90.0 {
        texts.with("time-seconds", [("count", number(seconds.max(1.0), 0).into())])
    } else {
        texts.with("time-minutes", [("count", number(seconds / 60.0, 0).into())])
    };
    texts.with(key, [("time", amount.into())])
}

impl Studio {
    /// The query with the settings that the panel shows, as it is saved and run.
    pub(super) fn query_with_settings(&self) -> Query {
        let mut query = self.document.query.clone();
        let settings = &self.document.settings;
        let is_default =
            *settings == Settings { seeds: settings.seeds.clone(), seed: settings.seed, ..Settings::default() };
        query.engine = (!is_default || query.engine.is_some()).then(|| QueryEngine {
            name: settings.engine,
            docking: (settings.engine == EngineName::Docking).then(|| settings.docking.clone()),
            kfold: (settings.engine == EngineName::KFold).then(|| settings.kfold.clone()),
        });
        query
    }

    /// Starts the prediction.
    pub(super) fn predict(&mut self) {
        if self.is_running() {
            return;
        }
        if let Some(problem) = self.first_problem() {
            self.tell(Tone::Info, problem);
            return;
        }
        self.history.commit(&self.document);
        let folder = self.places.new_run(&self.document.query.name);
        let query = self.query_with_settings();
        let settings = self.document.settings.clone();
        let server = self.server.and_then(|index| self.servers.get(index)).cloned();
        let Some(worker) = self.places.worker.clone() else {
            let text = self.texts.get("run-no-program");
            self.tell(Tone::Bad, text);
            return;
        };
        let run = Run::new(folder.clone());
        let outbox = self.background.outbox();
        let (cancel, let_go) = (Arc::clone(&run.cancel), Arc::clone(&run.let_go));
        let work = move || {
            let ending = Job::create(&folder, &query, &settings)
                .and_then(|_| match &server {
                    Some(server) => remote::mark(&folder, server, 0),
                    None => Ok(()),
                })
                .map_err(|error| error.to_string())
                .and_then(|()| start_worker(&worker, &folder))
                .map_or_else(
                    |error| Some(Ending::Failed(error)),
                    |child| follow(&folder, Some(child), &outbox, &cancel, &let_go),
                );
            if let Some(ending) = ending {
                // The window may be gone; the job directory holds the truth.
                let _ = outbox.send(Message::Run(RunNews { folder, kind: RunNewsKind::Ended(ending) }));
            }
        };
        match std::thread::Builder::new().name("run".to_owned()).spawn(work) {
            Ok(_) => {
                self.leave_results();
                self.run = Some(run);
            }
            Err(error) => self.tell(Tone::Bad, error.to_string()),
        }
    }

    /// Opens a run's folder: its results, or the run itself when it is still going.
    pub(super) fn open_run(&mut self, folder: &Path) {
        let folder = folder.to_owned();
        if !Job::is_running(&folder) {
            self.load_outcome(&folder);
            return;
        }
        let run = Run::new(folder.clone());
        let outbox = self.background.outbox();
        let (cancel, let_go) = (Arc::clone(&run.cancel), Arc::clone(&run.let_go));
        let work = move || {
            if let Some(ending) = follow(&folder, None, &outbox, &cancel, &let_go) {
                let _ = outbox.send(Message::Run(RunNews { folder, kind: RunNewsKind::Ended(ending) }));
            }
        };
        match std::thread::Builder::new().name("run".to_owned()).spawn(work) {
            Ok(_) => self.run = Some(run),
            Err(error) => self.tell(Tone::Bad, error.to_string()),
        }
    }

    fn load_outcome(&mut self, folder: &Path) {
        let folder = folder.to_owned();
        self.submit(Lane::Results, move || {
            let result =
                Results::load(&folder).map(|results| Box::new(Outcome::of(results))).map_err(|error| error.to_string());
            Message::OutcomeLoaded { folder, result }
        });
    }

    pub(super) fn take_run_news(&mut self, news: RunNews) {
        let Some(run) = self.run.as_mut().filter(|run| run.folder == news.folder) else { return };
        match news.kind {
            RunNewsKind::Events(events) => {
                let known = run.progress.warnings.len();
                for event in &events {
                    run.progress.apply(event);
                }
                let warnings: Vec<String> = run.progress.warnings.iter().skip(known).cloned().collect();
                for warning in warnings {
                    self.tell(Tone::Warning, warning);
                }
            }
            RunNewsKind::Ended(ending) => {
                let folder = run.folder.clone();
                run.ending = Some(ending.clone());
                match ending {
                    Ending::Finished => self.load_outcome(&folder),
                    Ending::Cancelled => {
                        let text = self.texts.get("run-cancelled");
                        self.tell(Tone::Info, text);
                        self.run = None;
                    }
                    // The panel shows why, beside the button that tries again.
                    Ending::Failed(_) => {}
                }
            }
        }
    }

    pub(super) fn take_outcome(&mut self, folder: &Path, result: Result<Box<Outcome>, String>) {
        match result {
            Ok(outcome) => {
                let is_own = self.run.as_ref().is_some_and(|run| run.folder == folder);
                if !is_own {
                    // A run from elsewhere brings its query; undo brings back what was here.
                    let settings = outcome.settings.clone();
                    self.set_query(outcome.query.clone(), settings, None);
                }
                let (has_poses, has_complexes) = (outcome.pose_count() > 0, !outcome.complexes.is_empty());
                self.dock.reveal(super::panes::Pane::Results);
                self.outcome = Some(Arc::new(*outcome));
                self.shown_ligand = 0;
                self.shown_pose = 0;
                self.preferences.remember(folder);
                self.keep_preferences();
                if has_complexes {
                    // What the colours of a predicted structure should say first is how far to trust it.
                    self.document.view.colour = ColourBy::BFactor;
                }
                if has_poses || has_complexes {
                    self.viewport.focus_next_scene();
                } else {
                    self.show_conformers();
                }
            }
            Err(reason) => self.tell(Tone::Bad, reason),
        }
    }

    /// Shows the conformers that the run made.
    pub(super) fn show_conformers(&mut self) {
        if let Some(outcome) = &self.outcome
            && let Some(conformers) = outcome.conformers.clone()
        {
            let key = EnsembleKey::Conformers(outcome.folder.clone());
            self.show_ensemble(key, move || Ok(conformers));
        }
    }
}

/// The servers of this user, whose list lies beside the preferences. One that does not read has none: the command line
/// says why.
pub(super) fn server_names(places: &Places) -> Vec<String> {
    let servers = Servers::read(&places.preferences.with_file_name("servers.json")).unwrap_or_default();
    servers.entries().iter().map(|entry| entry.name.clone()).collect()
}

/// Starts `worker FOLDER` with its output kept in the job's log.
fn start_worker(program: &Path, folder: &Path) -> Result<Child, String> {
    let log = folder.join("worker.log");
    let file = std::fs::File::create(&log).map_err(|error| format!("{}: {error}", log.display()))?;
    let errors = file.try_clone().map_err(|error| format!("{}: {error}", log.display()))?;
    let mut command = Command::new(program);
    command.arg("worker").arg(folder).stdin(Stdio::null()).stdout(file).stderr(errors);
    // In a group of its own, so that a Ctrl+C in the terminal of the window does not reach a run that is to go on.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    command.spawn().map_err(|error| format!("{}: {error}", program.display()))
}

/// Tells the window what the job says until it ends; `None` when the window let it go.
fn follow(
    folder: &Path,
    mut child: Option<Child>,
    outbox: &Outbox,
    cancel: &AtomicBool,
    let_go: &AtomicBool,
) -> Option<Ending> {
    let mut reader = EventReader::new(folder.join("events.jsonl"));
    let mut progress = JobProgress::default();
    let mut cancelled_at: Option<Instant> = None;
    loop {
        // Asked before the events are read: what a process wrote before it ended is then certainly seen.
        let has_ended = match &mut child {
            Some(child) => !matches!(child.try_wait(), Ok(None)),
            None => !Job::is_running(folder),
        };
        match reader.read_new() {
            Ok(events) => {
                for event in &events {
                    progress.apply(event);
                }
                let news = RunNews { folder: folder.to_owned(), kind: RunNewsKind::Events(events) };
                if !outbox.send(Message::Run(news)) {
                    return None;
                }
            }
            Err(error) if has_ended => return Some(Ending::Failed(error.to_string())),
            // It may not be there yet, or be busy for a moment.
            Err(_) => {}
        }
        if has_ended {
            return Some(match progress.state {
                JobState::Finished => Ending::Finished,
                JobState::Cancelled => Ending::Cancelled,
                JobState::Failed(reason) => Ending::Failed(reason),
                JobState::Waiting | JobState::Running if cancel.load(Ordering::Relaxed) => Ending::Cancelled,
                JobState::Waiting | JobState::Running => Ending::Failed(last_words(folder)),
            });
        }
        if let_go.load(Ordering::Relaxed) {
            return None;
        }
        if cancel.load(Ordering::Relaxed) {
            let since = *cancelled_at.get_or_insert_with(Instant::now);
            if since.elapsed() > GRACE
                && let Some(child) = &mut child
                // Whatever it is doing, the job directory stays whole: every output is renamed into place.
                && child.kill().is_err()
            {
                return Some(Ending::Cancelled);
            }
        }
        std::thread::sleep(LOOK);
    }
}

/// What a worker that fell over left in its log.
fn last_words(folder: &Path) -> String {
    let log = folder.join("worker.log");
    let text = std::fs::read_to_string(&log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().rev().filter(|line| !line.trim().is_empty()).take(3).collect();
    let words = lines.into_iter().rev().collect::<Vec<_>>().join(" ");
    if words.is_empty() { format!("the worker stopped without a word; see {}", log.display()) } else { words }
}
