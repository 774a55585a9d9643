//! How a long run reports and learns that it should stop.

use crate::engine::{Events, Progress};
use crate::kfold::{KFoldError, Result};

/// Counts the steps of one stage towards an [`Events`].
pub struct Watch<'a> {
    events: &'a mut dyn Events,
    stage: &'static str,
    message: String,
    step: u64,
    steps: u64,
}

impl<'a> Watch<'a> {
    /// Reports the stage with none of its `steps` done.
    pub fn new(events: &'a mut dyn Events, stage: &'static str, message: &str, steps: u64) -> Self {
        let mut watch = Self { events, stage, message: message.to_owned(), step: 0, steps };
        watch.report();
        watch
    }

    /// One more step is done.
    ///
    /// # Errors
    /// [`KFoldError::Cancelled`] when the work should stop.
    pub fn step(&mut self) -> Result<()> {
        self.step += 1;
        self.report();
        if self.events.is_cancelled() { Err(KFoldError::Cancelled) } else { Ok(()) }
    }

    fn report(&mut self) {
        self.events.progress(Progress {
            stage: self.stage.to_owned(),
            step: self.step,
            steps: self.steps,
            message: self.message.clone(),
        });
    }
}

/// Events for whom nobody waits: nothing is reported, nothing is cancelled.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unwatched;

impl Events for Unwatched {
    fn progress(&mut self, _progress: Progress) {}
    fn warning(&mut self, _message: &str) {}
    fn is_cancelled(&self) -> bool {
        false
    }
}
