//! `worker DIRECTORY`: runs or resumes a job in this process.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use kfold_inference::job::program::worker_program;
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
        let own = std::env::current_exe().context("cannot find this program's own file")?;
        make_room();
        let program = worker_program(&own, &self.folder);
        if program != own {
            return become_worker(&program, &self.folder);
        }
        let interrupts = count_interrupts()?;
        let folder = self.folder.clone();
        std::thread::Builder::new().name("interrupts".into()).spawn(move || {
            while interrupts.load(Ordering::Relaxed) == 0 {
                std::thread::sleep(Duration::from_millis(50));
            }
            // Where this cannot be written the folder is gone, which stops the worker too, or nothing else can be written either.
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

/// How much further down than other programs the system puts a worker, of 19 steps. The window, which may draw with the same
/// processor, is then answered first, and a worker alone on a machine is as quick as ever.
#[cfg(unix)]
const NICENESS: i32 = 10;

/// Lets other programs go first.
fn make_room() {
    // Where that is refused the worker runs as others do.
    #[cfg(unix)]
    let _ = rustix::process::nice(NICENESS);
}

/// Goes on as the worker with CUDA, in this very process where the system can do that: whoever started this one watches it.
#[cfg(unix)]
fn become_worker(program: &Path, folder: &Path) -> anyhow::Result<Outcome> {
    let error = std::os::unix::process::CommandExt::exec(Command::new(program).arg("worker").arg(folder));
    Err(error).with_context(|| format!("cannot start {}", program.display()))
}

/// Runs the worker with CUDA and ends as it does.
#[cfg(not(unix))]
fn become_worker(program: &Path, folder: &Path) -> anyhow::Result<Outcome> {
    let ended = Command::new(program).arg("worker").arg(folder).status();
    let ended = ended.with_context(|| format!("cannot start {}", program.display()))?;
    match ended.code() {
        Some(0) => Ok(Outcome::Done),
        Some(130) => Ok(Outcome::Cancelled),
        _ => anyhow::bail!("{} ended with {ended}", program.display()),
    }
}
