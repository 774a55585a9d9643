//! `queue RUNS`: serves the queue of a folder of runs, or lists it.

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use kfold_inference::job::queue::Queue;

use super::{Outcome, standard_output};

/// Starts the jobs that wait in a folder of runs, one after the other, until none is left
#[derive(Debug, Args)]
pub(super) struct QueueCommand {
    /// The folder of runs, with its queue.json
    runs: PathBuf,
    /// List what waits and start nothing
    #[arg(long)]
    list: bool,
    /// With --list: as JSON
    #[arg(long, requires = "list")]
    json: bool,
}

impl QueueCommand {
    pub(super) fn run(&self) -> anyhow::Result<Outcome> {
        let queue = Queue::of(&self.runs);
        if !self.list {
            let own = std::env::current_exe().context("cannot find this program's own file")?;
            queue.serve(&own)?;
            return Ok(Outcome::Done);
        }
        let list = queue.list()?;
        if self.json {
            standard_output::json(&list)?;
            return Ok(Outcome::Done);
        }
        for entry in &list.jobs {
            let paused = if entry.is_paused { "\tpaused" } else { "" };
            standard_output::line(&format!("{}{paused}", entry.folder.display()))?;
        }
        Ok(Outcome::Done)
    }
}
