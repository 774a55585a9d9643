//! The session: what the window was doing, in one file that is always up to date.
//!
//! A thread of its own writes what the window hands it, the newest only, so the window never waits and a slow disk
//! makes saves rarer, not later. The window hands over within [`INTERVAL`] of a change. Without a name a session lies
//! among the autosaves; the next window takes up one that was not closed, and offers the last that was.
//! [`store`] is the file.

mod notes;
pub mod store;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use super::app::Studio;
use super::background::{Lane, Outbox};
use super::document::Document;
use super::history::{History, Steps};
use super::message::Message;
use super::widgets::Tone;
use store::{Loaded, SessionError, Store};

/// Seconds after a change within which it is handed over for saving.
const INTERVAL: f64 = 0.4;
/// Autosaved sessions kept.
const KEPT: usize = 10;
/// What session files end with.
pub const EXTENSION: &str = "kfsession";

/// What was being done.
#[derive(Clone, Debug, PartialEq)]
pub struct Session {
    /// What is edited.
    pub document: Arc<Document>,
    /// What undo and redo go to.
    pub steps: Steps<Document>,
    /// What was looked at.
    pub look: Look,
}

/// What was looked at: results by where they lie.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Look {
    /// The query's file.
    pub query_path: Option<PathBuf>,
    /// Whether the query stands in that file as it is.
    pub is_saved: bool,
    /// The folder of the results that were shown.
    pub results: Option<PathBuf>,
    /// The folder of the run that was going.
    pub run: Option<PathBuf>,
    /// Indices of the ligand and pose that were shown.
    pub shown: (usize, usize),
    /// Whether the window was closed as it should be.
    pub is_closed: bool,
}

/// A session file that was opened, and what it holds.
pub type Opened = (Box<Store>, Box<Loaded>);

/// What the thread is handed.
#[derive(Default)]
struct Slot {
    session: Option<Session>,
    /// The file to go on with, and whether it replaces what lies there.
    target: Option<Target>,
    is_ending: bool,
}

enum Target {
    /// A file that was opened.
    Opened(Box<Store>),
    /// A new file.
    New(PathBuf),
}

/// The thread that writes.
struct Writer {
    slot: Arc<(Mutex<Slot>, Condvar)>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Writer {
    fn start(folder: PathBuf, outbox: Outbox) -> std::io::Result<Self> {
        let slot: Arc<(Mutex<Slot>, Condvar)> = Arc::default();
        let shared = Arc::clone(&slot);
        let thread = std::thread::Builder::new().name("session".to_owned()).spawn(move || {
            let mut store: Option<Store> = None;
            loop {
                let (session, target, is_ending) = {
                    let (lock, condition) = &*shared;
                    let mut held = lock.lock().unwrap_or_else(PoisonError::into_inner);
                    while held.session.is_none() && held.target.is_none() && !held.is_ending {
                        held = condition.wait(held).unwrap_or_else(PoisonError::into_inner);
                    }
                    (held.session.take(), held.target.take(), held.is_ending)
                };
                let written = write(&mut store, session, target, &folder);
                let path = store.as_ref().map(|store| store.path().to_owned());
                if !outbox.send(Message::SessionWritten { path, result: written }) || is_ending {
                    return;
                }
            }
        })?;
        Ok(Self { slot, thread: Some(thread) })
    }

    fn hand(&self, change: impl FnOnce(&mut Slot)) {
        let (lock, condition) = &*self.slot;
        change(&mut lock.lock().unwrap_or_else(PoisonError::into_inner));
        condition.notify_one();
    }
}

impl Drop for Writer {
    /// Ends with the last save.
    fn drop(&mut self) {
        self.hand(|slot| slot.is_ending = true);
        if let Some(thread) = self.thread.take() {
            // It reports its own failures.
            let _ = thread.join();
        }
    }
}

/// Does what the thread was handed.
fn write(
    store: &mut Option<Store>,
    session: Option<Session>,
    target: Option<Target>,
    folder: &Path,
) -> Result<(), SessionError> {
    match target {
        Some(Target::Opened(opened)) => *store = Some(*opened),
        Some(Target::New(path)) => *store = Some(Store::create(&path)?),
        None => {}
    }
    let Some(session) = session else { return Ok(()) };
    let store = match store {
        Some(store) => store,
        None => store.insert(Store::create(&new_autosave(folder))?),
    };
    store.save(&session)
}

/// A name for a new autosave, and room for it.
fn new_autosave(folder: &Path) -> PathBuf {
    let held = autosaves(folder);
    for old in held.iter().skip(KEPT - 1) {
        // One that cannot be removed is removed another time.
        let _ = std::fs::remove_file(old);
    }
    let seconds = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default().as_secs();
    folder.join(format!("session-{seconds}-{}.{EXTENSION}", std::process::id()))
}

/// The autosaves, the newest first.
fn autosaves(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut files: Vec<(std::time::SystemTime, PathBuf)> = entries
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == EXTENSION))
        .filter_map(|path| Some((path.metadata().ok()?.modified().ok()?, path)))
        .collect();
    files.sort_by(|a, b| b.cmp(a));
    files.into_iter().map(|(_, path)| path).collect()
}

/// The last autosave that opens: what it holds, with its store.
fn last_autosave(folder: &Path) -> Option<Opened> {
    autosaves(folder)
        .into_iter()
        .find_map(|path| Store::open(&path).ok())
        .map(|(store, loaded)| (Box::new(store), Box::new(loaded)))
}

/// What the window knows of its session.
pub struct Keeper {
    writer: Option<Writer>,
    /// The state that was handed over last, by its parts.
    handed: Option<(Document, u64, Look)>,
    handed_at: f64,
    /// Where the session lies.
    pub path: Option<PathBuf>,
    /// The last session, where there is one to go on with.
    last: Option<Opened>,
    /// Whether the user has asked for something else before the last session was read: then it is only offered.
    pub is_superseded: bool,
    has_failed: bool,
}

impl Keeper {
    /// Starts the thread.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(folder: PathBuf, outbox: Outbox) -> std::io::Result<Self> {
        let writer = Some(Writer::start(folder, outbox)?);
        Ok(Self {
            writer,
            handed: None,
            handed_at: 0.0,
            path: None,
            last: None,
            is_superseded: false,
            has_failed: false,
        })
    }
}

impl Studio {
    /// Looks for the last session.
    pub(super) fn look_for_sessions(&mut self) {
        let folder = self.places.sessions.clone();
        self.submit(Lane::Files, move || Message::LastSession(last_autosave(&folder)));
    }

    /// Takes up a session that was not closed; keeps one that was at hand.
    pub(super) fn take_last_session(&mut self, found: Option<Opened>) {
        let Some((store, loaded)) = found else { return };
        let was_closed = loaded.session.look.is_closed;
        if was_closed || self.keeper.is_superseded || self.document != Document::default() {
            self.keeper.last = Some((store, loaded));
        } else {
            self.tell(Tone::Info, self.texts.get("session-restored"));
            self.take_session(store, *loaded);
        }
    }

    /// Whether there is a session to go on with.
    pub(super) const fn has_last_session(&self) -> bool {
        self.keeper.last.is_some()
    }

    /// Goes on with the last session.
    pub(super) fn continue_session(&mut self) {
        match self.keeper.last.take() {
            Some((store, loaded)) => self.take_session(store, *loaded),
            None => self.tell(Tone::Info, self.texts.get("session-none")),
        }
    }

    /// Reads a session file.
    pub(super) fn open_session(&mut self, path: &Path) {
        let path = path.to_owned();
        self.submit(Lane::Files, move || {
            let result = Store::open(&path).map(|(store, loaded)| (Box::new(store), Box::new(loaded)));
            Message::SessionRead { path, result: Box::new(result) }
        });
    }

    /// Goes on with a session.
    pub(super) fn take_session(&mut self, store: Box<Store>, loaded: Loaded) {
        let Loaded { session, damage } = loaded;
        if let Some(damage) = damage {
            let text = self.texts.with("session-repaired", [("damage", damage.into())]);
            self.tell(Tone::Warning, text);
        }
        let Session { document, steps, mut look } = session;
        for (_, file) in document.query.files() {
            self.library.forget(file);
        }
        self.leave_results();
        self.document = Document::clone(&document);
        self.history = History::from_steps(steps);
        if look.is_saved {
            self.saved = (self.document.query.clone(), self.document.settings.clone());
        }
        self.query_path = look.query_path.take();
        self.viewport.restore(self.document.camera);
        self.keeper.path = Some(store.path().to_owned());
        if let Some(writer) = &self.keeper.writer {
            writer.hand(|slot| slot.target = Some(Target::Opened(store)));
        }
        self.wanted_pose = Some(look.shown);
        if let Some(folder) = look.run.or(look.results).filter(|folder| folder.is_dir()) {
            self.reopen_run(&folder);
        }
    }

    /// Saves the session under a name and goes on there.
    pub(super) fn save_session(&mut self, path: PathBuf) {
        self.keeper.handed = None;
        if let Some(writer) = &self.keeper.writer {
            let session = self.session(false);
            writer.hand(|slot| {
                slot.target = Some(Target::New(path.clone()));
                slot.session = Some(session);
            });
        }
        let text = self.texts.with("session-saved-as", [("path", path.display().to_string().into())]);
        self.tell(Tone::Good, text);
        self.preferences.remember(&path);
        self.keep_preferences();
        self.keeper.path = Some(path);
    }

    fn look(&self, is_closed: bool) -> Look {
        Look {
            query_path: self.query_path.clone(),
            is_saved: !self.is_unsaved(),
            results: self.outcome.as_ref().map(|outcome| outcome.folder.clone()),
            run: self.run.as_ref().map(|run| run.folder.clone()),
            shown: (self.shown_ligand, self.shown_pose),
            is_closed,
        }
    }

    fn session(&self, is_closed: bool) -> Session {
        let steps = self.history.steps();
        let document =
            if *steps.present == self.document { Arc::clone(&steps.present) } else { Arc::new(self.document.clone()) };
        Session { document, steps, look: self.look(is_closed) }
    }

    /// Hands over what changed; called every frame with the time in seconds.
    pub(super) fn keep_session(&mut self, context: &egui::Context, now: f64) {
        let is_blank = self.keeper.path.is_none() && self.document == Document::default();
        if is_blank || self.keeper.writer.is_none() {
            return;
        }
        if now - self.keeper.handed_at < INTERVAL {
            context.request_repaint_after(std::time::Duration::from_secs_f64(INTERVAL));
            return;
        }
        let (look, generation) = (self.look(false), self.history.generation());
        let is_held = |(document, held, looked): &(Document, u64, Look)| {
            *held == generation && *looked == look && *document == self.document
        };
        if self.keeper.handed.as_ref().is_some_and(is_held) {
            return;
        }
        let session = self.session(false);
        self.keeper.handed = Some((self.document.clone(), generation, look));
        self.keeper.handed_at = now;
        if let Some(writer) = &self.keeper.writer {
            writer.hand(|slot| slot.session = Some(session));
        }
    }

    /// Saves for the last time and waits for it.
    pub(super) fn close_session(&mut self) {
        let session = (self.keeper.handed.is_some() || self.keeper.path.is_some()).then(|| self.session(true));
        if let Some(writer) = self.keeper.writer.take() {
            if let Some(session) = session {
                writer.hand(|slot| slot.session = Some(session));
            }
            drop(writer);
        }
    }

    pub(super) fn take_session_written(&mut self, path: Option<PathBuf>, result: Result<(), SessionError>) {
        match result {
            Ok(()) => {
                self.keeper.has_failed = false;
                self.keeper.path = path;
            }
            // Said once; the next save tries again.
            Err(error) if !self.keeper.has_failed => {
                self.keeper.has_failed = true;
                self.keeper.handed = None;
                let text = self.session_error_text(&error);
                self.tell(Tone::Bad, text);
            }
            Err(_) => self.keeper.handed = None,
        }
    }

    /// What is wrong with a session file, in the user's language.
    pub(super) fn session_error_text(&self, error: &SessionError) -> String {
        match error {
            SessionError::Newer { path, .. } => {
                self.texts.with("session-newer", [("path", path.display().to_string().into())])
            }
            SessionError::Busy { path } => {
                self.texts.with("session-busy", [("path", path.display().to_string().into())])
            }
            other => other.to_string(),
        }
    }
}
