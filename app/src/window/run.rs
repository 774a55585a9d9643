//! The prediction that the window follows: the one that was asked for last.
//!
//! The window never computes a prediction itself. It writes the job directory and puts it into the queue
//! ([`kfold_inference::job::queue`]); where it stands comes with the list of jobs ([`super::jobs`]).

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use kfold_inference::engine::EngineName;
use kfold_inference::job::queue::{Queue, ensure_served};
use kfold_inference::job::{Job, JobProgress, Results};
use kfold_inference::kfold::engine::Obstacle;
use kfold_inference::query::{Query, QueryEngine};
use kfold_inference::remote;
use kfold_inference::remote::choice::{Choice, Reason, choose};
use kfold_inference::remote::servers::Servers;
use kfold_inference::settings::Settings;

use super::app::Studio;
use super::background::Lane;
use super::document::ColourBy;
use super::ensemble::EnsembleKey;
use super::files::Places;
use super::format::number;
use super::jobs::State;
use super::message::Message;
use super::modal::Modal;
use super::outcome::Outcome;
use super::widgets::Tone;
use crate::texts::Texts;

/// Seconds after which a job that is told to be over is believed, although it was not seen at work: before, that may be
/// from the time before it was started again.
const STALE_SECONDS: f32 = 4.0;

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// With results.
    Finished,
    /// With an error, in a sentence.
    Failed(String),
}

/// The run as the window knows it.
pub struct Run {
    /// Its folder.
    pub folder: PathBuf,
    progress: JobProgress,
    state: Option<State>,
    started: Instant,
    /// When its worker began, seconds since 1970.
    began: Option<f64>,
    ending: Option<Ending>,
    is_cancelling: bool,
    was_seen: bool,
    /// Events from the time before it was started again.
    events_before: usize,
}

/// What is to be predicted, as it was when that was asked for.
struct Asked {
    query: Query,
    settings: Settings,
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
            state: None,
            started: Instant::now(),
            began: None,
            ending: None,
            is_cancelling: false,
            was_seen: false,
            events_before: 0,
        }
    }

    /// One that is started again, of which so many events are known.
    pub(super) fn again(folder: PathBuf, events_before: usize) -> Self {
        Self { events_before, ..Self::new(folder) }
    }

    /// One that is over, whose results belong to what is edited.
    fn ended(folder: PathBuf) -> Self {
        Self { ending: Some(Ending::Finished), ..Self::new(folder) }
    }

    /// Whether it has not ended.
    #[must_use]
    pub const fn is_going(&self) -> bool {
        self.ending.is_none()
    }

    /// Whether it was asked to stop and has not yet.
    #[must_use]
    pub const fn is_cancelling(&self) -> bool {
        self.is_going() && self.is_cancelling
    }

    /// Whether it waits until it is told to go on.
    #[must_use]
    pub const fn is_paused(&self) -> bool {
        self.is_going() && matches!(self.state, Some(State::Paused))
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
        let waiting = |stage: String| Status { stage, time: String::new(), detail: String::new(), fraction: None };
        match self.state {
            Some(State::Waiting(place)) => waiting(texts.with("job-waiting", [("place", (place + 1).into())])),
            Some(State::Paused) => Status {
                stage: texts.get("job-paused"),
                time: String::new(),
                detail: parts_text(texts, &self.progress),
                fraction: self.progress.fraction(),
            },
            Some(State::Offline) => waiting(texts.get("job-offline")),
            _ => {
                let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
                // As the pane of jobs counts it, as soon as the worker has said when it began.
                let seconds = self.began.map_or_else(|| self.started.elapsed().as_secs_f64(), |began| now - began);
                status_of(texts, &self.progress, seconds.max(0.0), now)
            }
        }
    }
}

/// What the progress display says of a worker that has been at work for so many `seconds`, at `now` (since 1970).
pub(super) fn status_of(texts: &Texts, worker: &JobProgress, seconds: f64, now: f64) -> Status {
    let time = match worker.seconds_left(now) {
        // An estimate within the first seconds would jump about.
        Some(left) if seconds > 1.5 => texts.with("run-left", [("time", seconds_text(texts, left).into())]),
        _ => texts.with("run-elapsed", [("time", seconds_text(texts, seconds).into())]),
    };
    let (stage, mut detail) = match &worker.progress {
        Some(progress) => {
            let stage = stage_key(&progress.stage).map_or_else(|| progress.stage.clone(), |key| texts.get(key));
            (stage, progress.message.clone())
        }
        None => (texts.get("stage-start"), String::new()),
    };
    let parts = parts_text(texts, worker);
    if !parts.is_empty() {
        detail = format!("{parts}  {detail}");
    }
    Status { stage, time, detail, fraction: worker.fraction() }
}

/// How many seeds and ligands are done, where there are several.
fn parts_text(texts: &Texts, worker: &JobProgress) -> String {
    let of = |key: &str, done: u64, count: u64| {
        (count > 1).then(|| texts.with(key, [("done", done.into()), ("count", count.into())]))
    };
    let seeds = of("run-seeds", worker.seeds_done, worker.seeds);
    let ligands = of("run-ligands", worker.ligands_done.min(worker.ligands), worker.ligands);
    seeds.into_iter().chain(ligands).collect::<Vec<_>>().join("  ")
}

/// Why not K-Fold, in the user's language.
fn reason_text(texts: &Texts, reason: &Reason) -> String {
    match reason {
        Reason::Here(Obstacle::NoSequence) => texts.get("reason-no-sequence"),
        Reason::Here(Obstacle::LigandFile) => texts.get("reason-ligand-file"),
        Reason::Here(Obstacle::NoWeights { folder }) => {
            texts.with("reason-no-weights", [("folder", super::format::path(folder).into())])
        }
        Reason::Here(Obstacle::Weights { folder, parts }) => {
            let values = [("folder", super::format::path(folder).into()), ("parts", parts.join(", ").into())];
            texts.with("reason-weights", values)
        }
        Reason::Here(Obstacle::Configuration(problem)) => {
            texts.with("reason-configuration", [("problem", problem.clone().into())])
        }
        Reason::NoServer => texts.get("reason-no-server"),
        Reason::NotOnServer { server } => texts.with("reason-not-on-server", [("server", server.clone().into())]),
        Reason::Server { problem } => texts.with("reason-server", [("problem", problem.clone().into())]),
    }
}

/// The key of a stage's name.
pub(super) fn stage_key(stage: &str) -> Option<&'static str> {
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

/// A time as people say it.
pub(super) fn seconds_text(texts: &Texts, seconds: f64) -> String {
    let (key, amount) = match seconds as f32 {
        seconds if seconds < 90.0 => ("time-seconds", seconds.max(1.0)),
        seconds if seconds < 5400.0 => ("time-minutes", seconds / 60.0),
        seconds if seconds < 129_600.0 => ("time-hours", seconds / 3600.0),
        seconds => ("time-days", seconds / 86_400.0),
    };
    texts.with(key, [("count", number(amount, 0).into())])
}

impl Studio {
    /// The query with the settings that the panel shows, as it is saved and run.
    pub(super) fn query_with_settings(&self) -> Query {
        let mut query = self.document.query.clone();
        let settings = &self.document.settings;
        let is_default = !self.document.is_automatic
            && *settings == Settings { seeds: settings.seeds.clone(), seed: settings.seed, ..Settings::default() };
        query.engine = (!is_default || query.engine.is_some()).then(|| QueryEngine {
            name: (!self.document.is_automatic).then_some(settings.engine),
            docking: (settings.engine == EngineName::Docking).then(|| settings.docking.clone()),
            kfold: (settings.engine == EngineName::KFold).then(|| settings.kfold.clone()),
        });
        query
    }

    /// Puts the prediction into the queue and follows it.
    pub(super) fn predict(&mut self) {
        if let Some(problem) = self.first_problem() {
            self.tell(Tone::Info, problem);
            return;
        }
        if self.document.is_automatic {
            self.choose_way();
            return;
        }
        let server = self.server.and_then(|index| self.servers.get(index)).cloned();
        let asked = Asked { query: self.query_with_settings(), settings: self.document.settings.clone() };
        self.predict_by(self.document.settings.engine, server, asked);
    }

    /// Finds out which way an automatic prediction goes. Servers are asked what they have; nothing is sent. What starts then is
    /// what was asked for: edits made meanwhile wait for the next prediction.
    fn choose_way(&mut self) {
        let asked = Asked { query: self.query_with_settings(), settings: self.document.settings.clone() };
        let query = asked.query.clone();
        let models = asked.settings.kfold.model_folder();
        let mut servers = if self.preferences.offline { Servers::default() } else { servers_of(&self.places) };
        let way = move || {
            let here = Obstacle::of(&query, &models);
            let able = !here.as_ref().is_some_and(Obstacle::is_of_query);
            servers.retain(|_| able);
            choose(&query, here, &servers).map_err(|error| error.to_string())
        };
        self.is_choosing = self.background.attempt(Lane::Results, way, |result| {
            Message::Apply(Box::new(move |studio: &mut Self| {
                studio.is_choosing = false;
                match result {
                    Ok(choice) => studio.take_way(choice, asked),
                    Err(reason) => {
                        let reason = super::jobs::causes::explain(&studio.texts, &reason);
                        studio.tell(Tone::Bad, reason);
                    }
                }
            }))
        });
    }

    /// Says the way and goes it; a server that was never agreed to is asked for first.
    fn take_way(&mut self, choice: Choice, asked: Asked) {
        let texts = Arc::clone(&self.texts);
        let (engine, server) = match choice {
            Choice::KFoldHere => {
                self.tell(Tone::Info, texts.get("way-kfold-here"));
                (EngineName::KFold, None)
            }
            Choice::DockingHere { because } => {
                let because: Vec<String> = because.iter().map(|reason| reason_text(&texts, reason)).collect();
                self.tell(Tone::Info, texts.with("way-docking-here", [("because", because.join("; ").into())]));
                (EngineName::Docking, None)
            }
            Choice::KFoldOn { server, because } => {
                let values = [
                    ("name", server.name.clone().into()),
                    ("url", server.url.clone().into()),
                    ("because", reason_text(&texts, &because).into()),
                ];
                self.tell(Tone::Info, texts.with("way-kfold-on", values));
                (EngineName::KFold, Some(server.name))
            }
        };
        self.predict_by(engine, server, asked);
    }

    /// Starts with an engine, here or on a server.
    fn predict_by(&mut self, engine: EngineName, server: Option<String>, asked: Asked) {
        if let Some(server) = &server {
            if self.preferences.offline {
                self.tell(Tone::Info, self.texts.get("run-offline"));
                return;
            }
            if !self.agreed_servers.contains(server) {
                self.modal = Some(Modal::Agree { server: server.clone() });
                return;
            }
        }
        let Some(worker) = self.places.worker.clone() else {
            self.tell(Tone::Bad, self.texts.get("run-no-program"));
            return;
        };
        self.history.commit(&self.document);
        let Asked { mut query, mut settings } = asked;
        let folder = self.places.new_run(&query.name);
        settings.engine = engine;
        if let Some(held) = &mut query.engine {
            held.name = Some(engine);
        }
        // The maps of predicted errors are drawn from them.
        settings.kfold.save_confidence = true;
        let run = Run::new(folder.clone());
        let queue = Queue::of(&self.places.runs);
        let made = folder.clone();
        let work = move || {
            Job::create(&made, &query, &settings)
                .and_then(|_| match &server {
                    Some(server) => remote::mark(&made, server, 0),
                    None => Ok(()),
                })
                .and_then(|()| queue.add(&made))
                .map_err(|error| error.to_string())
                .and_then(|()| ensure_served(&queue, &worker).map_err(|error| error.to_string()))
        };
        let told = move |result| Message::RunQueued { folder, result };
        if self.background.attempt(Lane::Files, work, told) {
            self.leave_results();
            self.run = Some(run);
        } else {
            self.tell(Tone::Warning, self.texts.get("background-busy"));
        }
    }

    pub(super) fn take_run_queued(&mut self, folder: &Path, result: Result<(), String>) {
        self.watcher.look();
        if let (Some(run), Err(reason)) = (self.run.as_mut().filter(|run| run.folder == folder), result) {
            run.ending = Some(Ending::Failed(reason));
        }
    }

    /// Asks the run to stop.
    pub(super) fn cancel_run(&mut self) {
        if let Some(run) = self.run.as_mut().filter(|run| run.is_going()) {
            run.is_cancelling = true;
            let folder = run.folder.clone();
            self.change_queue(move |queue| queue.cancel(&folder));
        }
    }

    /// Opens a run's folder: its results, or the run itself when it is still going.
    pub(super) fn open_run(&mut self, folder: &Path) {
        let folder = folder.to_owned();
        if !Job::is_running(&folder) {
            self.load_outcome(&folder);
            return;
        }
        self.watcher.also(&folder);
        self.run = Some(Run { was_seen: true, ..Run::new(folder) });
    }

    /// Shows a run of a session: what it gave, or how it goes on.
    pub(super) fn reopen_run(&mut self, folder: &Path) {
        let folder = folder.to_owned();
        self.submit(Lane::Files, move || {
            let is_done = Job::open(&folder).is_ok_and(|job| job.is_done());
            Message::RunFound { folder, is_done }
        });
    }

    /// Shows what a run of a session gave, or follows it.
    pub(super) fn take_run_found(&mut self, folder: PathBuf, is_done: bool) {
        if is_done {
            self.run = Some(Run::ended(folder.clone()));
            self.load_outcome(&folder);
        } else {
            self.watcher.also(&folder);
            self.run = Some(Run { was_seen: true, ..Run::new(folder) });
        }
    }

    fn load_outcome(&mut self, folder: &Path) {
        let folder = folder.to_owned();
        self.awaited_results = Some(folder.clone());
        let read = folder.clone();
        self.attempt(
            Lane::Results,
            move || {
                Results::load(&read).map(|results| Box::new(Outcome::of(results))).map_err(|error| error.to_string())
            },
            move |result| Message::OutcomeLoaded { folder, result },
        );
    }

    /// Looks again at a run that was never seen at work: the list of jobs may have nothing new to say of it.
    pub(super) fn follow_unseen_run(&mut self, context: &egui::Context) {
        let Some(run) = self.run.as_ref().filter(|run| run.is_going() && !run.was_seen) else { return };
        if run.started.elapsed().as_secs_f32() > STALE_SECONDS {
            self.follow_run();
        } else {
            context.request_repaint_after(std::time::Duration::from_secs_f32(STALE_SECONDS));
        }
    }

    /// Takes over where the run stands from the list of jobs.
    pub(super) fn follow_run(&mut self) {
        let Some(run) = self.run.as_mut().filter(|run| run.is_going()) else { return };
        let Some(view) = self.jobs.iter().find(|view| view.folder == run.folder) else { return };
        let known = run.progress.warnings.len();
        let warnings: Vec<String> = view.progress.warnings.iter().skip(known).cloned().collect();
        run.progress = view.progress.clone();
        run.state = Some(view.state.clone());
        run.began = view.began;
        run.was_seen |= view.state.is_open() || view.events() > run.events_before;
        let folder = run.folder.clone();
        let is_believed = run.was_seen || run.is_cancelling || run.started.elapsed().as_secs_f32() > STALE_SECONDS;
        match &view.state {
            _ if !is_believed => {}
            State::Finished => {
                run.ending = Some(Ending::Finished);
                self.load_outcome(&folder);
            }
            State::Cancelled => {
                self.run = None;
                self.tell(Tone::Info, self.texts.get("run-cancelled"));
            }
            State::Failed(reason) => run.ending = Some(Ending::Failed(reason.clone())),
            State::Lost => run.ending = Some(Ending::Failed(last_words(&folder))),
            _ => {}
        }
        for warning in warnings {
            self.tell(Tone::Warning, warning);
        }
    }

    pub(super) fn take_outcome(&mut self, folder: &Path, result: Result<Box<Outcome>, String>) {
        if self.awaited_results.as_deref() != Some(folder) {
            return;
        }
        match result {
            Ok(outcome) => {
                let is_own = self.run.as_ref().is_some_and(|run| run.folder == folder);
                let is_restored = is_own && self.wanted_pose.is_some();
                if !is_own {
                    // A run from elsewhere brings its query; undo brings back what was here.
                    let settings = outcome.settings.clone();
                    self.set_query(outcome.query.clone(), settings, None);
                }
                let (has_poses, has_complexes) = (outcome.pose_count() > 0, !outcome.complexes.is_empty());
                self.dock.reveal(super::panes::Pane::Results);
                let is_series = !outcome.query.series.is_empty();
                self.outcome = Some(Arc::new(*outcome));
                if is_series {
                    self.dock.reveal_tall(super::panes::Pane::Series);
                }
                let (ligand, pose) = self.wanted_pose.take().filter(|_| is_own).unwrap_or_default();
                self.shown_ligand = ligand;
                self.shown_pose = pose;
                self.preferences.remember(folder);
                self.keep_preferences();
                if is_restored {
                    return;
                }
                if has_complexes {
                    // What the colours of a predicted structure should say first is how far to trust it.
                    let before = std::mem::replace(&mut self.document.view.colour, ColourBy::Plddt);
                    self.colour_before.get_or_insert(before);
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
pub(super) fn servers_of(places: &Places) -> Servers {
    Servers::read(&servers_path(places)).unwrap_or_default()
}

/// Where that list lies.
pub(super) fn servers_path(places: &Places) -> PathBuf {
    places.preferences.with_file_name("servers.json")
}

/// What a worker that fell over left in its log.
fn last_words(folder: &Path) -> String {
    let text = kfold_inference::job::queue::worker_log(folder, 4096);
    let lines: Vec<&str> = text.lines().rev().filter(|line| !line.trim().is_empty()).take(3).collect();
    let words = lines.into_iter().rev().collect::<Vec<_>>().join(" ");
    if words.is_empty() {
        format!("the worker stopped without a word; see {}", folder.join("worker.log").display())
    } else {
        words
    }
}
