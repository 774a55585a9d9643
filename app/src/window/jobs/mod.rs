//! The jobs of this user: what waits, runs and is over, wherever it is computed.
//!
//! A thread looks at the folder of runs and tells the window what changed; the window holds no state of a job of its
//! own. So the list is the same after the window was closed or fell over, and a job that the command line started shows
//! too. Changes go to the queue's file ([`kfold_inference::job::queue`]), whose own process starts the workers.

pub mod causes;
pub mod log;
mod panel;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, SystemTime};

use kfold_inference::job::events::{EventKind, EventReader};
use kfold_inference::job::queue::{List, Queue, ensure_served};
use kfold_inference::job::{Job, JobError, JobProgress, JobState};
use kfold_inference::remote;

use super::app::Studio;
use super::background::{Lane, Outbox};
use super::message::Message;
use super::widgets::Tone;

/// Between two looks while something waits or runs, and while nothing does.
const LOOKS: [Duration; 2] = [Duration::from_millis(120), Duration::from_millis(1500)];
/// Jobs that are listed, the newest.
const LISTED: usize = 300;

/// Whether a job waits, runs or is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// Its turn will come: its place in the queue, from 0.
    Waiting(usize),
    /// It waits for the network to be allowed.
    Offline,
    /// A worker lives.
    Running,
    /// Its worker was asked to stop.
    Stopping,
    /// It goes on when the user says so.
    Paused,
    /// There are results.
    Finished,
    /// The user stopped it.
    Cancelled,
    /// The worker gave up, and why.
    Failed(String),
    /// The worker is gone and has not said why.
    Lost,
}

impl State {
    /// Whether there is something to wait for.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        matches!(self, Self::Waiting(_) | Self::Offline | Self::Running | Self::Stopping | Self::Paused)
    }
}

/// A job as the list shows it.
#[derive(Clone, Debug)]
pub struct JobView {
    /// Its folder.
    pub folder: PathBuf,
    /// The query's name.
    pub name: String,
    /// Who computes.
    pub engine: &'static str,
    /// On which server; none means here.
    pub server: Option<String>,
    /// Where it is.
    pub state: State,
    /// What its worker said.
    pub progress: JobProgress,
    /// When it said the last of that, or when the job was made; seconds since 1970.
    pub last_time: f64,
    /// When its worker began, seconds since 1970.
    pub began: Option<f64>,
    /// How many things it said.
    events: usize,
}

impl JobView {
    /// How many things its workers said.
    #[must_use]
    pub const fn events(&self) -> usize {
        self.events
    }
}

/// What the thread knows of one job.
struct Watched {
    name: String,
    engine: &'static str,
    server: Option<String>,
    reader: EventReader,
    progress: JobProgress,
    last_time: f64,
    began: Option<f64>,
    events: usize,
}

/// What the thread is told.
enum Ask {
    Look,
    Also(PathBuf),
}

/// The thread that looks.
pub struct Watcher {
    asks: Sender<Ask>,
}

impl Watcher {
    /// Starts it.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(runs: PathBuf, outbox: Outbox) -> std::io::Result<Self> {
        let (asks, received) = channel();
        std::thread::Builder::new().name("jobs".to_owned()).spawn(move || watch(&runs, &outbox, &received))?;
        Ok(Self { asks })
    }

    /// Looks at once.
    pub fn look(&self) {
        // Without the thread the list stands still; nothing else depends on it.
        let _ = self.asks.send(Ask::Look);
    }

    /// Looks at a job that lies elsewhere too.
    pub fn also(&self, folder: &Path) {
        let _ = self.asks.send(Ask::Also(folder.to_owned()));
    }
}

fn watch(runs: &Path, outbox: &Outbox, asks: &Receiver<Ask>) {
    let mut held: HashMap<PathBuf, Watched> = HashMap::new();
    let mut others: Vec<PathBuf> = Vec::new();
    let mut told: Vec<(PathBuf, State, usize)> = Vec::new();
    let mut told_error = None;
    loop {
        let (views, error) = look(runs, &others, &mut held);
        let is_open = views.iter().any(|view| view.state.is_open());
        let news: Vec<(PathBuf, State, usize)> =
            views.iter().map(|view| (view.folder.clone(), view.state.clone(), view.events)).collect();
        if news != told || error != told_error {
            told = news;
            told_error.clone_from(&error);
            if !outbox.send(Message::Jobs { views: Arc::new(views), error }) {
                return;
            }
        }
        match asks.recv_timeout(LOOKS[usize::from(!is_open)]) {
            Ok(Ask::Also(folder)) if !others.contains(&folder) => others.push(folder),
            Ok(_) | Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

/// The jobs as they stand: those of the queue in its order, then the others, the newest first.
fn look(runs: &Path, others: &[PathBuf], held: &mut HashMap<PathBuf, Watched>) -> (Vec<JobView>, Option<String>) {
    let queue = Queue::of(runs);
    let (list, error) = match queue.list() {
        Ok(list) => (list, None),
        Err(error) => (List::default(), Some(error.to_string())),
    };
    let mut folders: Vec<(SystemTime, PathBuf)> = std::fs::read_dir(runs)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            Some((entry.metadata().ok().filter(std::fs::Metadata::is_dir)?.modified().ok()?, entry.path()))
        })
        .collect();
    folders.sort_by(|a, b| b.cmp(a));
    folders.truncate(LISTED);
    let mut folders: Vec<PathBuf> = folders.into_iter().map(|(_, folder)| folder).collect();
    for folder in others.iter().chain(list.jobs.iter().map(|entry| &entry.folder)) {
        if !folders.contains(folder) {
            folders.push(folder.clone());
        }
    }
    held.retain(|folder, _| folders.contains(folder));
    let mut views = Vec::new();
    for folder in folders {
        let watched = match held.entry(folder.clone()) {
            std::collections::hash_map::Entry::Occupied(entry) => entry.into_mut(),
            std::collections::hash_map::Entry::Vacant(entry) => match Watched::of(&folder) {
                Some(watched) => entry.insert(watched),
                None => continue,
            },
        };
        // What cannot be read now can be at the next look.
        for event in watched.reader.read_new().unwrap_or_default() {
            watched.last_time = event.time;
            watched.events += 1;
            if matches!(event.kind, EventKind::Started { .. }) {
                watched.began = Some(event.time);
            }
            watched.progress.apply(&event);
        }
        views.push(JobView {
            state: state_of(&folder, watched, &list, &queue),
            folder,
            name: watched.name.clone(),
            engine: watched.engine,
            server: watched.server.clone(),
            progress: watched.progress.clone(),
            last_time: watched.last_time,
            began: watched.began,
            events: watched.events,
        });
    }
    let place = |view: &JobView| list.jobs.iter().position(|entry| entry.folder == view.folder).unwrap_or(usize::MAX);
    views.sort_by(|a, b| place(a).cmp(&place(b)).then(b.last_time.total_cmp(&a.last_time)));
    (views, error)
}

impl Watched {
    fn of(folder: &Path) -> Option<Self> {
        if !Job::is_job(folder) {
            return None;
        }
        let made = folder.join("query.json").metadata().and_then(|metadata| metadata.modified()).ok();
        let made = made.and_then(|time| time.duration_since(SystemTime::UNIX_EPOCH).ok()).unwrap_or_default();
        let job = Job::open(folder).ok();
        let name = job.as_ref().map(|job| job.query().name.clone()).filter(|name| !name.is_empty());
        let server = remote::is_remote(folder).then(|| remote::record(folder).ok()).flatten();
        Some(Self {
            name: name.unwrap_or_else(|| super::document::file_name(folder)),
            engine: job.as_ref().map_or("?", |job| job.settings().engine.display_name()),
            server: server.map(|record| record.server),
            reader: EventReader::new(folder.join("events.jsonl")),
            progress: JobProgress::default(),
            last_time: made.as_secs_f64(),
            began: None,
            events: 0,
        })
    }
}

fn state_of(folder: &Path, watched: &Watched, list: &List, queue: &Queue) -> State {
    let place = list.jobs.iter().position(|entry| entry.folder == folder);
    let said = &watched.progress.state;
    let may_run = place.is_some() || matches!(said, JobState::Waiting | JobState::Running);
    let is_asked_to_stop = folder.join("cancel").exists();
    if may_run && Job::is_running(folder) {
        return if is_asked_to_stop { State::Stopping } else { State::Running };
    }
    match (place.and_then(|place| Some((place, list.jobs.get(place)?))), said) {
        (_, JobState::Finished) => State::Finished,
        (Some((_, entry)), _) if entry.is_paused => State::Paused,
        // Until whoever serves the queue has taken it out: tried again before, it would be taken out after all.
        (Some(_), _) if is_asked_to_stop && queue.is_served() => State::Stopping,
        (Some(_), _) if is_asked_to_stop => State::Cancelled,
        (Some(_), _) if list.is_offline && watched.server.is_some() => State::Offline,
        (Some((place, _)), _) => State::Waiting(place),
        (None, JobState::Cancelled) => State::Cancelled,
        (None, JobState::Failed(reason)) => State::Failed(reason.clone()),
        (None, JobState::Waiting) if is_asked_to_stop => State::Cancelled,
        (None, JobState::Waiting | JobState::Running) => State::Lost,
    }
}

impl Studio {
    /// Changes the queue on a worker, sees to it that it is served, and looks.
    pub(super) fn change_queue(&mut self, change: impl FnOnce(&Queue) -> Result<(), JobError> + Send + 'static) {
        let (queue, worker) = (Queue::of(&self.places.runs), self.places.worker.clone());
        self.submit(Lane::Files, move || {
            let result = change(&queue).map_err(|error| error.to_string()).and_then(|()| match worker {
                Some(worker) => ensure_served(&queue, &worker).map_err(|error| error.to_string()),
                None => Ok(()),
            });
            Message::QueueChanged { result }
        });
    }

    pub(super) fn take_queue_changed(&mut self, result: Result<(), String>) {
        self.watcher.look();
        if let Err(reason) = result {
            self.tell(Tone::Bad, reason);
        }
    }

    pub(super) fn take_jobs(&mut self, views: Arc<Vec<JobView>>, error: Option<String>) {
        if let Some(error) = error {
            self.tell(Tone::Bad, error);
        }
        let before = std::mem::replace(&mut self.jobs, views);
        for view in self.jobs.iter().filter(|view| view.state == State::Finished) {
            let was_open = before.iter().any(|old| old.folder == view.folder && old.state.is_open());
            let is_followed = self.run.as_ref().is_some_and(|run| run.folder == view.folder);
            if was_open && !is_followed {
                let text = self.texts.with("jobs-finished-notice", [("name", view.name.clone().into())]);
                self.notices.add(Tone::Good, text);
            }
        }
        self.follow_run();
    }
}
