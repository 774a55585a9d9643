//! Work that would make the window wait: reading files, chemistry, building scenes, dialogs.
//!
//! Each lane is one named thread with a bounded queue; a task returns a [`Message`], which the window takes at the start
//! of its next frame. A full queue refuses the task and the caller asks again in the next frame, so nothing grows
//! without bound and the window never blocks. A task that panics costs itself alone: what was to come from it comes as a
//! failure with a sentence ([`Background::attempt`]), so that nothing waits for it for ever, or else as [`Message::Crashed`].

use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};

use super::message::Message;
use super::widgets::{Tone, message};

/// Tasks a lane holds before it refuses more.
const QUEUE: usize = 64;

/// A thread of its own for each kind of work, so that a long one does not hold up the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// Reading and writing files.
    Files,
    /// SMILES, pictures.
    Chemistry,
    /// Secondary structure and meshes.
    Scene,
    /// Loading results.
    Results,
}

impl Lane {
    const ALL: [Self; 4] = [Self::Files, Self::Chemistry, Self::Scene, Self::Results];

    const fn thread_name(self) -> &'static str {
        match self {
            Self::Files => "files",
            Self::Chemistry => "chemistry",
            Self::Scene => "scene",
            Self::Results => "results",
        }
    }
}

type Task = Box<dyn FnOnce() -> Message + Send>;

/// The lanes and what comes back from them.
pub struct Background {
    lanes: Vec<SyncSender<Task>>,
    outbox: Outbox,
    inbox: Receiver<Message>,
    /// Tasks that were asked for and whose messages the window has not taken yet.
    open: AtomicUsize,
    /// Those whose messages are in the inbox.
    done: Arc<AtomicUsize>,
    fault: Arc<dyn Fn(&str) -> String + Send + Sync>,
}

/// Where threads put messages for the window; wakes it.
#[derive(Clone)]
pub struct Outbox {
    sender: SyncSender<Message>,
    context: egui::Context,
}

impl Outbox {
    /// Sends a message; `false` when the window is gone.
    #[must_use]
    pub fn send(&self, message: Message) -> bool {
        let sent = self.sender.send(message).is_ok();
        self.context.request_repaint();
        sent
    }
}

impl Background {
    /// Starts the lanes.
    ///
    /// # Errors
    /// When the system gives no threads.
    pub fn new(context: &egui::Context) -> std::io::Result<Self> {
        let (sender, inbox) = sync_channel(QUEUE);
        let done = Arc::new(AtomicUsize::new(0));
        let outbox = Outbox { sender, context: context.clone() };
        let mut lanes = Vec::with_capacity(Lane::ALL.len());
        for lane in Lane::ALL {
            let (task_sender, tasks) = sync_channel::<Task>(QUEUE);
            let (outbox, done) = (outbox.clone(), Arc::clone(&done));
            std::thread::Builder::new().name(lane.thread_name().to_owned()).spawn(move || {
                for task in tasks {
                    let message = std::panic::catch_unwind(AssertUnwindSafe(task))
                        .unwrap_or_else(|panic| Message::Crashed { lane, what: panic_text(&*panic) });
                    if !outbox.send(message) {
                        break;
                    }
                    done.fetch_add(1, Ordering::Release);
                }
            })?;
            lanes.push(task_sender);
        }
        let fault = Arc::new(|what: &str| what.to_owned());
        Ok(Self { lanes, outbox, inbox, open: AtomicUsize::new(0), done, fault })
    }

    /// Says in which words a fault of the program is told; it is given what the fault says of itself.
    pub fn tell_faults(&mut self, words: impl Fn(&str) -> String + Send + Sync + 'static) {
        self.fault = Arc::new(words);
    }

    /// Whether nothing that was asked for is still to come.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.open.load(Ordering::Acquire) == 0
    }

    /// Queues work for which something waits: `done` makes a message of what came of it, and of its fault where it panics.
    /// `false` as in [`Self::submit`].
    pub fn attempt<T: 'static>(
        &self,
        lane: Lane,
        work: impl FnOnce() -> Result<T, String> + Send + 'static,
        done: impl FnOnce(Result<T, String>) -> Message + Send + 'static,
    ) -> bool {
        let fault = Arc::clone(&self.fault);
        self.submit(lane, move || {
            let result = std::panic::catch_unwind(AssertUnwindSafe(work));
            done(result.unwrap_or_else(|panic| Err(fault(&panic_text(&*panic)))))
        })
    }

    /// Queues a task; `false` when the lane is full and the caller should ask again later.
    pub fn submit(&self, lane: Lane, task: impl FnOnce() -> Message + Send + 'static) -> bool {
        let Some(sender) = self.lanes.get(lane as usize) else { return false };
        match sender.try_send(Box::new(task)) {
            Ok(()) => {
                self.open.fetch_add(1, Ordering::AcqRel);
                true
            }
            Err(TrySendError::Full(_)) => {
                self.outbox.context.request_repaint_after(std::time::Duration::from_millis(50));
                false
            }
            Err(TrySendError::Disconnected(_)) => false,
        }
    }

    /// For threads that live longer than a task.
    #[must_use]
    pub fn outbox(&self) -> Outbox {
        self.outbox.clone()
    }

    /// The messages that came since the last frame, at most a queue full.
    #[must_use]
    pub fn take(&self) -> Vec<Message> {
        // Counted before the messages are taken: those counted are among what is taken, or have been taken before.
        let done = self.done.swap(0, Ordering::AcqRel);
        let messages = self.inbox.try_iter().take(QUEUE).collect();
        self.open.fetch_sub(done, Ordering::AcqRel);
        messages
    }
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("unknown fault")
        .to_owned()
}

/// Something read or made in the background, by what it was made from.
#[derive(Debug)]
pub enum Loaded<T> {
    /// On its way.
    Waiting,
    /// Here.
    Ready(Arc<T>),
    /// Not to be had, and why.
    Failed(String),
}

impl<T> Loaded<T> {
    /// The thing; while it is not here a spinner stands for it, and why it will not come where that is so.
    pub fn or_say(self, ui: &mut egui::Ui, tone: Tone) -> Option<Arc<T>> {
        match self {
            Self::Waiting => {
                ui.spinner();
                None
            }
            Self::Ready(value) => Some(value),
            Self::Failed(reason) => {
                message(ui, tone, &reason);
                None
            }
        }
    }
}

impl<T> Clone for Loaded<T> {
    fn clone(&self) -> Self {
        match self {
            Self::Waiting => Self::Waiting,
            Self::Ready(value) => Self::Ready(Arc::clone(value)),
            Self::Failed(reason) => Self::Failed(reason.clone()),
        }
    }
}

impl<T> Loaded<T> {
    /// The thing, if it is here.
    #[must_use]
    pub const fn ready(&self) -> Option<&Arc<T>> {
        match self {
            Self::Ready(value) => Some(value),
            Self::Waiting | Self::Failed(_) => None,
        }
    }

    /// Why it is not to be had.
    #[must_use]
    pub fn failure(&self) -> Option<&str> {
        match self {
            Self::Failed(reason) => Some(reason),
            Self::Waiting | Self::Ready(_) => None,
        }
    }
}

/// What a ligand's picture and numbers are made from.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum LigandKey {
    /// SMILES text.
    Smiles(String),
    /// First record of a file.
    File(PathBuf),
    /// Code of a component of the dictionary.
    Component(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_that_panics_says_so_to_whoever_waits() {
        let mut background = Background::new(&egui::Context::default()).unwrap();
        background.tell_faults(|what| format!("a fault: {what}"));
        let path = PathBuf::from("x.pdb");
        let asked = path.clone();
        assert!(background.attempt(
            Lane::Files,
            || std::panic::panic_any("index out of range".to_owned()),
            move |result| Message::StructureRead { path, result },
        ));
        assert!(!background.is_idle());
        let mut messages = Vec::new();
        while messages.is_empty() || !background.is_idle() {
            messages.extend(background.take());
            std::thread::yield_now();
        }
        let [Message::StructureRead { path, result: Err(reason) }] = messages.as_slice() else {
            panic!("{} messages", messages.len());
        };
        assert_eq!((path, reason.as_str()), (&asked, "a fault: index out of range"));
    }
}
