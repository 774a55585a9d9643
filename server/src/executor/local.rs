//! This machine: one worker a slot, each with its own GPU where there are any.
//!
//! Workers are children, but they outlive the server: stopping or losing it interrupts nothing. A server that comes back
//! finds them by the lock that each holds in its directory, and follows them by it.

use std::collections::HashMap;
use std::path::Path;
use std::process::Child;
use std::time::{Duration, Instant};

use kfold_inference::job::Job;

use super::isolation::Isolation;
use super::{Executor, Status, Task, TaskKey};
use crate::configuration::Workers;

/// A worker that a lost server has just started may not hold its lock yet.
const ADOPTION: Duration = Duration::from_secs(5);

enum Worker {
    Child(Child),
    /// Not ours, or ours no longer: followed by its lock. It may not hold it before this moment.
    Foreign(Instant),
}

struct Slot {
    device: Option<String>,
    worker: Option<(TaskKey, Worker)>,
}

pub(crate) struct Local {
    isolation: Isolation,
    slots: Vec<Slot>,
    /// Workers found at the start beyond the slots there are now.
    surplus: HashMap<TaskKey, Worker>,
}

impl Local {
    pub fn new(isolation: Isolation, workers: &Workers) -> Self {
        let device = |slot: usize| workers.devices.get(slot % workers.devices.len().max(1)).cloned();
        let slots = (0..workers.slots).map(|slot| Slot { device: device(slot), worker: None }).collect();
        Self { isolation, slots, surplus: HashMap::new() }
    }

    fn worker(&mut self, key: &TaskKey) -> Option<&mut Worker> {
        let mut in_slot = self.slots.iter_mut().filter_map(|slot| slot.worker.as_mut());
        in_slot.find(|(task, _)| task == key).map(|(_, worker)| worker).or_else(|| self.surplus.get_mut(key))
    }

    fn forget(&mut self, key: &TaskKey) {
        for slot in &mut self.slots {
            if slot.worker.as_ref().is_some_and(|(task, _)| task == key) {
                slot.worker = None;
            }
        }
        self.surplus.remove(key);
    }

    fn adopt(&mut self, task: &Task) {
        let worker = Worker::Foreign(Instant::now() + ADOPTION);
        match self.slots.iter_mut().find(|slot| slot.worker.is_none()) {
            Some(slot) => slot.worker = Some((task.key(), worker)),
            None => {
                self.surplus.insert(task.key(), worker);
            }
        }
    }
}

impl Executor for Local {
    fn room(&self) -> usize {
        let free = self.slots.iter().filter(|slot| slot.worker.is_none()).count();
        free.saturating_sub(self.surplus.len())
    }

    fn refresh(&mut self) {}

    fn start(&mut self, tasks: &[Task]) -> Vec<Result<(), String>> {
        let start = |task: &Task| {
            let Some(slot) = self.slots.iter_mut().find(|slot| slot.worker.is_none()) else {
                return Err("no slot is free".to_owned());
            };
            let child = self.isolation.command(&task.folder, slot.device.as_deref(), task.piece.attempts > 0);
            let child = child.and_then(|mut command| command.spawn());
            let child = child.map_err(|error| format!("the worker could not be started: {error}"))?;
            slot.worker = Some((task.key(), Worker::Child(child)));
            Ok(())
        };
        tasks.iter().map(start).collect()
    }

    fn status(&mut self, task: &Task) -> Status {
        let key = task.key();
        if self.worker(&key).is_none() {
            self.adopt(task);
        }
        let Some(worker) = self.worker(&key) else { return Status::Alive };
        let how = match worker {
            Worker::Child(child) => match child.try_wait() {
                Ok(None) => return Status::Alive,
                Ok(Some(status)) => format!("the worker ended ({status})"),
                Err(error) => format!("the worker cannot be watched: {error}"),
            },
            Worker::Foreign(since) => {
                if Job::is_running(&task.folder) || Instant::now() < *since {
                    return Status::Alive;
                }
                "the worker ended while nobody watched".to_owned()
            }
        };
        if Job::is_running(&task.folder) {
            // Ours found that another was there first, and left.
            *worker = Worker::Foreign(Instant::now());
            return Status::Alive;
        }
        self.forget(&key);
        Status::Gone(how)
    }

    fn end(&mut self, task: &Task) {
        match self.worker(&task.key()) {
            Some(Worker::Child(child)) => {
                end_group(child.id());
                // On systems without groups.
                let _ = child.kill();
            }
            Some(Worker::Foreign(_)) | None => {
                if let Some(process) = lock_holder(&task.folder) {
                    end_group(process);
                }
            }
        }
    }
}

/// The process in a job's lock, if the lock is held: then it is certainly the holder's.
fn lock_holder(folder: &Path) -> Option<u32> {
    if !Job::is_running(folder) {
        return None;
    }
    std::fs::read_to_string(folder.join("worker.lock")).ok()?.trim().parse().ok()
}

#[cfg(unix)]
fn end_group(process: u32) {
    use nix::sys::signal::{Signal, killpg};
    use nix::unistd::Pid;
    // 0 would be our own group.
    if let Ok(process) = i32::try_from(process)
        && process > 1
    {
        // It may have ended by itself.
        let _ = killpg(Pid::from_raw(process), Signal::SIGKILL);
    }
}

#[cfg(not(unix))]
fn end_group(_process: u32) {}
