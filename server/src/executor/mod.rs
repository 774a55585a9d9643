//! Who runs the pieces of jobs: this machine or Slurm.
//!
//! An executor starts `PROGRAM worker FOLDER` somewhere, says whether it still lives and ends it. How a piece went is
//! never its word: that stands in the piece's directory, and the scheduler reads it there.

pub(crate) mod isolation;
pub(crate) mod local;
pub(crate) mod slurm;

use std::path::{Path, PathBuf};

use crate::index::Piece;

/// A piece with its directory.
#[derive(Clone, Debug)]
pub(crate) struct Task {
    pub piece: Piece,
    pub folder: PathBuf,
}

impl Task {
    pub fn key(&self) -> TaskKey {
        (self.piece.job.clone(), self.piece.number)
    }
}

/// Job and number of the piece.
pub(crate) type TaskKey = (String, u32);

/// Whether a worker lives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    /// It does, or is about to.
    Alive,
    /// It does not; how it ended, as far as anybody knows.
    Gone(String),
}

/// What runs pieces.
pub(crate) trait Executor: Send {
    /// How many more pieces it takes now.
    fn room(&self) -> usize;

    /// Looks at what it runs; called before a round of [`Self::status`].
    fn refresh(&mut self);

    /// Starts a worker for each task, all of one job. The answer is for each task, in order.
    fn start(&mut self, tasks: &[Task]) -> Vec<Result<(), String>>;

    /// Whether the task's worker lives. A task that it has not started itself was started before the server was.
    fn status(&mut self, task: &Task) -> Status;

    /// Ends the task's worker at once. Asking it to stop is the scheduler's matter.
    fn end(&mut self, task: &Task);

    /// The end of what the task's worker said, for the reason of a failure.
    fn last_words(&self, folder: &Path) -> String {
        log_tail(&folder.join("worker.log"))
    }
}

/// The last lines of a log.
fn log_tail(path: &Path) -> String {
    use std::io::{Read, Seek, SeekFrom};
    const LENGTH: u64 = 1_000;
    let read = || -> std::io::Result<Vec<u8>> {
        let mut file = std::fs::File::open(path)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(LENGTH)))?;
        let mut bytes = Vec::new();
        file.take(LENGTH).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    read().map(|bytes| String::from_utf8_lossy(&bytes).trim().to_owned()).unwrap_or_default()
}
