//! Slurm: the same worker, handed to `sbatch`.
//!
//! Slurm is driven by its commands. Three things were seen to go wrong and shape this module. A controller that dies within
//! seconds of `sbatch` forgets the job and gives its number to the next one: so a job is known by our id in its name, never
//! by its number. While a controller is away its commands hang: so every command has a time limit, and what cannot be asked
//! is taken to be as it was. A node that hangs is given up by Slurm, and its jobs are begun elsewhere, where the lock of the
//! job directory keeps two workers apart.
//!
//! Pieces of a series are submitted together as an array whose indices are the numbers of the pieces.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use kfold_inference::job::Job;
use kfold_inference::job::events::{EventKind, EventReader};
use kfold_inference::kfold::engine::AT_ONCE_VARIABLE;

use super::isolation::Isolation;
use super::{Executor, Status, Task, TaskKey};
use crate::configuration::Slurm as Settings;
use crate::error::ServerError;
use crate::log;

/// States in which Slurm still has something to do with a job.
const ALIVE: [&str; 13] = [
    "PENDING",
    "RUNNING",
    "SUSPENDED",
    "COMPLETING",
    "CONFIGURING",
    "REQUEUED",
    "REQUEUE_FED",
    "REQUEUE_HOLD",
    "RESIZING",
    "SIGNALING",
    "SPECIAL_EXIT",
    "STAGE_OUT",
    "STOPPED",
];

pub(crate) struct Slurm {
    isolation: Isolation,
    settings: Settings,
    /// What Slurm said last, and when it was asked.
    snapshot: HashMap<TaskKey, Entry>,
    asked: Option<Instant>,
    answered: Option<Instant>,
    tasks: HashMap<TaskKey, Known>,
}

/// A line of Slurm's queue.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    id: String,
    state: String,
}

impl Entry {
    fn is_alive(&self) -> bool {
        ALIVE.contains(&self.state.as_str())
    }
}

/// What we know of a task.
struct Known {
    submitted: Instant,
    /// Since when Slurm has had nothing to do with it.
    absent: Option<Instant>,
}

impl Slurm {
    pub fn new(isolation: Isolation, settings: Settings) -> Result<Self, ServerError> {
        let mut slurm =
            Self { isolation, settings, snapshot: HashMap::new(), asked: None, answered: None, tasks: HashMap::new() };
        slurm.ask().map_err(|error| {
            ServerError::Other(format!("Slurm does not answer; is it here, and SLURM_CONF set? {error}"))
        })?;
        Ok(slurm)
    }

    /// Runs one of Slurm's commands and gives its output.
    fn run(&self, arguments: &[String], input: &str) -> Result<String, String> {
        let name = arguments.first().map_or("", String::as_str);
        let seconds = self.settings.command_seconds.to_string();
        let mut command = Command::new("timeout");
        command.args(["--kill-after=1", &seconds]).args(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let failed = |error: std::io::Error| format!("{name}: {error}");
        let mut child = command.spawn().map_err(failed)?;
        if let Some(mut stdin) = child.stdin.take() {
            // A command that does not read it fails by itself.
            let _ = stdin.write_all(input.as_bytes());
        }
        let output = child.wait_with_output().map_err(failed)?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        if output.status.code() == Some(124) {
            return Err(format!("{name} gave no answer within {seconds} s"));
        }
        let said = String::from_utf8_lossy(&output.stderr);
        Err(format!("{name}: {}", said.trim()))
    }

    /// Asks Slurm for its queue.
    fn ask(&mut self) -> Result<(), String> {
        let now = Instant::now();
        self.asked = Some(now);
        let arguments = ["squeue", "--me", "--array", "--noheader", "--states=all", "--format=%j|%K|%T|%i"];
        let text = self.run(&arguments.map(str::to_owned), "")?;
        self.snapshot = parse_queue(&text);
        self.answered = Some(now);
        Ok(())
    }

    fn script(&self, tasks: &[Task]) -> String {
        let mut script = String::from("#!/bin/sh\n");
        let is_array = tasks.first().is_some_and(|task| task.piece.pieces > 1);
        match tasks.first() {
            Some(task) if is_array => {
                let parent = task.folder.parent().unwrap_or(Path::new("/"));
                let parent = quoted(parent.as_os_str());
                script.push_str(&format!("folder={parent}/$(printf %05d \"$SLURM_ARRAY_TASK_ID\")\n"));
            }
            Some(task) => script.push_str(&format!("folder={}\n", quoted(task.folder.as_os_str()))),
            None => {}
        }
        // Slurm ended an earlier run with a signal, which workers take for a wish to stop.
        script.push_str("[ \"${SLURM_RESTART_COUNT:-0}\" -gt 0 ] && rm -f \"$folder/cancel\"\n");
        script.push_str(&self.settings.prologue);
        script.push_str("\ncd \"$folder\" || exit 1\nexec env -i HOME=\"$folder\"");
        for (name, value) in self.isolation.environment() {
            let name = name.to_string_lossy();
            script.push_str(&format!(" {name}={}", quoted(value)));
        }
        // A worker before this one was lost, perhaps for its memory.
        if tasks.iter().any(|task| task.piece.attempts > 0) {
            script.push_str(&format!(" {AT_ONCE_VARIABLE}=1"));
        }
        script.push_str(" ${CUDA_VISIBLE_DEVICES+CUDA_VISIBLE_DEVICES=\"$CUDA_VISIBLE_DEVICES\"}");
        for part in self.isolation.command_line() {
            script.push_str(&format!(" {}", quoted(&part)));
        }
        script.push_str(" \"$folder\" >/dev/null 2>>worker.log\n");
        script
    }

    fn submit(&self, tasks: &[Task]) -> Result<(), String> {
        let Some(first) = tasks.first() else { return Ok(()) };
        let settings = &self.settings;
        let mut arguments = vec![
            "sbatch".to_owned(),
            "--parsable".into(),
            "--requeue".into(),
            "--export=NONE".into(),
            "--output=/dev/null".into(),
            "--open-mode=append".into(),
            format!("--job-name={}", job_name(&first.piece.job)),
            format!("--cpus-per-task={}", settings.cpus_per_task),
            "--chdir=/".into(),
        ];
        let options = [
            ("partition", &settings.partition),
            ("account", &settings.account),
            ("gres", &settings.gres),
            ("time", &settings.time),
            ("mem", &settings.memory),
        ];
        arguments.extend(options.iter().filter_map(|(name, value)| Some(format!("--{name}={}", value.as_ref()?))));
        if first.piece.pieces > 1 {
            let numbers: Vec<String> = tasks.iter().map(|task| task.piece.number.to_string()).collect();
            arguments.push(format!("--array={}", numbers.join(",")));
        }
        arguments.extend(settings.options.iter().cloned());
        let answer = self.run(&arguments, &self.script(tasks))?;
        log::info("slurm_submitted", &[("job", &first.piece.job), ("pieces", &tasks.len()), ("slurm", &answer.trim())]);
        Ok(())
    }
}

impl Executor for Slurm {
    fn room(&self) -> usize {
        (self.settings.submitted_pieces as usize).saturating_sub(self.tasks.len())
    }

    fn refresh(&mut self) {
        let every = Duration::from_secs(self.settings.poll_seconds);
        if self.asked.is_none_or(|asked| asked.elapsed() >= every)
            && let Err(error) = self.ask()
        {
            log::warning("slurm_silent", &[("error", &error)]);
        }
    }

    fn start(&mut self, tasks: &[Task]) -> Vec<Result<(), String>> {
        let result = self.submit(tasks);
        if result.is_ok() {
            let submitted = Instant::now();
            self.tasks.extend(tasks.iter().map(|task| (task.key(), Known { submitted, absent: None })));
        }
        tasks.iter().map(|_| result.clone()).collect()
    }

    fn status(&mut self, task: &Task) -> Status {
        let key = task.key();
        let now = Instant::now();
        let known = self.tasks.entry(key.clone()).or_insert(Known { submitted: now, absent: None });
        // What was said before the task was submitted says nothing of it.
        if self.answered.is_none_or(|answered| answered < known.submitted) {
            return Status::Alive;
        }
        let entry = self.snapshot.get(&key);
        if entry.is_some_and(Entry::is_alive) || Job::is_running(&task.folder) {
            known.absent = None;
            return Status::Alive;
        }
        let absent = *known.absent.get_or_insert(now);
        // A file system that many nodes share shows a worker's last words late.
        let patience = match entry {
            Some(_) => Duration::from_secs(self.settings.poll_seconds),
            None => Duration::from_secs(self.settings.lost_seconds),
        };
        if !has_ended(&task.folder) && absent.elapsed() < patience {
            return Status::Alive;
        }
        self.tasks.remove(&key);
        Status::Gone(match entry {
            Some(entry) => format!("Slurm ended it ({})", entry.state),
            None => "Slurm no longer knows it".into(),
        })
    }

    fn end(&mut self, task: &Task) {
        let Some(entry) = self.snapshot.get(&task.key()).filter(|entry| entry.is_alive()) else { return };
        // The name beside the number: a number may be somebody else's by now.
        let name = format!("--name={}", job_name(&task.piece.job));
        if let Err(error) = self.run(&["scancel".into(), name, entry.id.clone()], "") {
            log::warning("slurm_silent", &[("error", &error)]);
        }
    }
}

fn job_name(job: &str) -> String {
    format!("kfold-{job}")
}

/// Whether a worker has said its last word.
fn has_ended(folder: &Path) -> bool {
    let events = EventReader::new(folder.join("events.jsonl")).read_new().unwrap_or_default();
    matches!(
        events.last().map(|event| &event.kind),
        Some(EventKind::Finished | EventKind::Failed { .. } | EventKind::Cancelled)
    )
}

/// Lines of `NAME|INDEX|STATE|ID`; of several of one task the living one.
fn parse_queue(text: &str) -> HashMap<TaskKey, Entry> {
    let mut queue: HashMap<TaskKey, Entry> = HashMap::new();
    for line in text.lines() {
        let mut fields = line.trim().split('|');
        let (Some(name), Some(index), Some(state), Some(id)) =
            (fields.next(), fields.next(), fields.next(), fields.next())
        else {
            continue;
        };
        let Some(job) = name.strip_prefix("kfold-") else { continue };
        // No array: the only piece.
        let number = if index == "N/A" { Some(1) } else { index.parse().ok() };
        let Some(number) = number else { continue };
        let entry = Entry { id: id.to_owned(), state: state.to_owned() };
        let key = (job.to_owned(), number);
        if queue.get(&key).is_none_or(|other| !other.is_alive()) {
            queue.insert(key, entry);
        }
    }
    queue
}

/// A text as one word of the shell.
fn quoted(text: &OsStr) -> String {
    format!("'{}'", text.to_string_lossy().replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_queue_is_understood() {
        let text = "kfold-ab|N/A|RUNNING|7\nkfold-cd|3|FAILED|8_3\nkfold-cd|3|PENDING|9_3\nkfold-cd|4|COMPLETED|8_4\nother|N/A|RUNNING|1\n\nx|y\n";
        let queue = parse_queue(text);
        assert_eq!(queue.len(), 3);
        assert_eq!(queue[&("ab".into(), 1)].id, "7");
        assert_eq!(queue[&("cd".into(), 3)], Entry { id: "9_3".into(), state: "PENDING".into() });
        assert!(!queue[&("cd".into(), 4)].is_alive());
    }

    #[test]
    fn the_shell_sees_one_word() {
        assert_eq!(quoted(OsStr::new("/a b/$(x)'y")), "'/a b/$(x)'\\''y'");
    }
}
