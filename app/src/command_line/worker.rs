//! `worker DIRECTORY`: runs or resumes a job in this process.

use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::time::Duration;

use clap::Args;
use kfold_inference::job::{Job, worker};

use super::common::{ENGINES, count_interrupts};
use super::{Outcome, terminal};

/// Runs or resumes the job in a folder.
#[derive(Debug, Args)]
pub(super) struct Worker {
    /// The job's folder
    folder: PathBuf,
}

impl Worker {
    pub(super) fn run(&self) -> anyhow::Result<Outcome> {
        let interrupts = count_interrupts()?;
        let folder = self.folder.clone();
        std::thread::Builder::new().name("interrupts".into()).spawn(move || {
            while interrupts.load(Ordering::Relaxed) == 0 {
                std::thread::sleep(Duration::from_millis(50));
            }
            // Where this cannot be written the worker cannot write either, and ends by itself.
            let _ = Job::request_cancel(&folder);
        })?;
        match worker::run(&self.folder, &ENGINES) {
            Ok(()) => Ok(Outcome::Done),
            Err(error) if error.is_cancelled() => {
                terminal::say("cancelled");
                Ok(Outcome::Cancelled)
            }
            Err(error) => Err(error.into()),
        }
    }
}
