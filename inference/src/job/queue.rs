//! The queue: which jobs of this computer wait, in what order, and the one process that starts them.
//!
//! `queue.json` in the folder of runs lists the jobs that are to be done. Whoever adds one changes that file (under
//! `queue.lock`, so that two windows do not lose each other's changes) and makes sure that somebody serves it:
//! [`Queue::serve`], run by `kfold-studio queue RUNS` in a process of its own. That process starts a worker for each
//! job, local ones one after the other, those of a server at once, because they cost nothing here. It ends when nothing
//! waits. So the queue outlives the window; where the serving process is killed, its workers go on, and the next one
//! waits for them before it starts another.
//!
//! A job that is paused is asked to stop and keeps its place; what it has finished stays, so it goes on from there. One
//! that was cancelled, failed or was killed leaves the queue; [`Queue::add`] puts it back at the end.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::{Job, JobError, files, read_json, write_json};
use crate::network::OFFLINE_VARIABLE;
use crate::remote;

/// Between two looks at the queue and the workers.
const LOOK: Duration = Duration::from_millis(80);
/// A worker that has been asked to stop and has not after this long is ended. Whatever it was doing, the job stays whole:
/// every output is renamed into place.
const GRACE: Duration = Duration::from_secs(8);
/// Jobs in a queue at most.
const MOST: usize = 10_000;

/// A job that waits or runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its folder, absolute.
    pub folder: PathBuf,
    /// Whether it is left out until it is resumed.
    #[serde(default)]
    pub is_paused: bool,
}

/// What the file holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct List {
    /// Jobs in the order in which they are started.
    pub jobs: Vec<Entry>,
    /// Whether jobs of servers wait, because the user wants no connection to be opened.
    pub is_offline: bool,
}

/// The queue of a folder of runs.
#[derive(Clone, Debug)]
pub struct Queue {
    runs: PathBuf,
}

/// A worker that the serving process watches.
struct Running {
    folder: PathBuf,
    /// None where another process started it.
    child: Option<Child>,
    is_remote: bool,
    asked: Option<Instant>,
}

impl Queue {
    /// The queue of a folder.
    #[must_use]
    pub fn of(runs: &Path) -> Self {
        Self { runs: runs.to_owned() }
    }

    fn file(&self) -> PathBuf {
        self.runs.join("queue.json")
    }

    /// What waits; nothing where there is no file yet.
    ///
    /// # Errors
    /// When the file cannot be read or understood.
    pub fn list(&self) -> Result<List, JobError> {
        match read_json::<List>(&self.file()) {
            Ok(mut list) => {
                list.jobs.truncate(MOST);
                Ok(list)
            }
            Err(JobError::Read { source, .. }) if source.kind() == io::ErrorKind::NotFound => Ok(List::default()),
            Err(error) => Err(error),
        }
    }

    /// Changes what waits, alone.
    ///
    /// # Errors
    /// When the files cannot be read or written.
    pub fn change<T>(&self, change: impl FnOnce(&mut List) -> T) -> Result<T, JobError> {
        std::fs::create_dir_all(&self.runs).map_err(JobError::write(&self.runs))?;
        let path = self.runs.join("queue.lock");
        let lock = open_lock(&path)?;
        lock.lock().map_err(JobError::write(&path))?;
        let before = self.list()?;
        let mut list = before.clone();
        let answer = change(&mut list);
        if list != before {
            write_json(&self.file(), &list)?;
        }
        Ok(answer)
    }

    /// Puts a job at the end; one that was stopped before is begun again.
    ///
    /// # Errors
    /// When the files cannot be written.
    pub fn add(&self, folder: &Path) -> Result<(), JobError> {
        let folder = std::path::absolute(folder).map_err(JobError::read(folder))?;
        Job::clear_cancel(&folder)?;
        self.change(|list| {
            list.jobs.retain(|entry| entry.folder != folder);
            list.jobs.push(Entry { folder, is_paused: false });
        })
    }

    /// Moves a job so many places towards the end, or the beginning.
    ///
    /// # Errors
    /// When the files cannot be written.
    pub fn shift(&self, folder: &Path, places: isize) -> Result<(), JobError> {
        self.change(|list| {
            if let Some(from) = list.jobs.iter().position(|entry| entry.folder == folder) {
                let to = from.saturating_add_signed(places).min(list.jobs.len() - 1);
                let entry = list.jobs.remove(from);
                list.jobs.insert(to, entry);
            }
        })
    }

    /// Stops a job that keeps its place until it is resumed.
    ///
    /// # Errors
    /// When the files cannot be written.
    pub fn pause(&self, folder: &Path) -> Result<(), JobError> {
        self.change(|list| {
            list.jobs.iter_mut().filter(|entry| entry.folder == folder).for_each(|entry| entry.is_paused = true);
        })?;
        if Job::is_running(folder) { Job::request_cancel(folder) } else { Ok(()) }
    }

    /// Lets a paused job go on when its turn comes.
    ///
    /// # Errors
    /// When the files cannot be written.
    pub fn resume(&self, folder: &Path) -> Result<(), JobError> {
        Job::clear_cancel(folder)?;
        self.change(|list| {
            list.jobs.iter_mut().filter(|entry| entry.folder == folder).for_each(|entry| entry.is_paused = false);
        })
    }

    /// Takes a job out and asks its worker to stop.
    ///
    /// # Errors
    /// When the files cannot be written.
    pub fn cancel(&self, folder: &Path) -> Result<(), JobError> {
        // First, so that it is not started in between.
        Job::request_cancel(folder)?;
        if Job::is_running(folder) {
            // The serving process takes it out when its worker has ended.
            return Ok(());
        }
        self.change(|list| list.jobs.retain(|entry| entry.folder != folder))
    }

    /// Lets jobs of servers wait, or go on. Workers of servers that run are stopped and keep their place.
    ///
    /// # Errors
    /// When the files cannot be written.
    pub fn set_offline(&self, is_offline: bool) -> Result<(), JobError> {
        if !is_offline && !self.file().exists() {
            return Ok(());
        }
        let jobs = self.change(|list| {
            list.is_offline = is_offline;
            list.jobs.clone()
        })?;
        for entry in jobs.iter().filter(|entry| !entry.is_paused && remote::is_remote(&entry.folder)) {
            if is_offline && Job::is_running(&entry.folder) {
                self.pause(&entry.folder)?;
            }
        }
        Ok(())
    }

    /// Whether some process serves this queue.
    #[must_use]
    pub fn is_served(&self) -> bool {
        let Ok(file) = File::open(self.runs.join("queue.serve")) else { return false };
        matches!(file.try_lock_shared(), Err(std::fs::TryLockError::WouldBlock))
    }

    /// Serves the queue until nothing waits: `program worker FOLDER` for each job. `false` when another process serves it.
    ///
    /// # Errors
    /// When the queue cannot be read or written. Workers that run go on then.
    pub fn serve(&self, program: &Path) -> Result<bool, JobError> {
        std::fs::create_dir_all(&self.runs).map_err(JobError::write(&self.runs))?;
        let path = self.runs.join("queue.serve");
        let lock = open_lock(&path)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(std::fs::TryLockError::WouldBlock) => return Ok(false),
            Err(std::fs::TryLockError::Error(error)) => return Err(JobError::write(&path)(error)),
        }
        let mut running: Vec<Running> = Vec::new();
        loop {
            let ended = take_ended(&mut running);
            if !ended.is_empty() {
                self.change(|list| {
                    list.jobs.retain(|entry| entry.is_paused || !ended.contains(&entry.folder));
                })?;
            }
            let list = self.list()?;
            let may_start =
                |entry: &&Entry| !entry.is_paused && !running.iter().any(|held| held.folder == entry.folder);
            let mut failed = Vec::new();
            let mut is_busy = running.iter().any(|held| !held.is_remote);
            let mut started = Vec::new();
            for entry in list.jobs.iter().filter(may_start) {
                let folder = &entry.folder;
                let is_remote = remote::is_remote(folder);
                if Job::is_running(folder) {
                    is_busy |= !is_remote;
                    started.push(Running { folder: folder.clone(), child: None, is_remote, asked: None });
                } else if !Job::is_job(folder) || folder.join("cancel").exists() {
                    failed.push(folder.clone());
                } else if if is_remote { !list.is_offline } else { !is_busy } {
                    is_busy |= !is_remote;
                    match start(program, folder, list.is_offline) {
                        Ok(child) => {
                            started.push(Running {
                                folder: folder.clone(),
                                child: Some(child),
                                is_remote,
                                asked: None,
                            });
                        }
                        Err(_) => failed.push(folder.clone()),
                    }
                }
            }
            running.extend(started);
            if !failed.is_empty() {
                self.change(|list| list.jobs.retain(|entry| !failed.contains(&entry.folder)))?;
            }
            // Whoever adds a job asks whether somebody serves after the change; so this is decided within one.
            let is_over = running.is_empty()
                && self.change(|list| {
                    let waits =
                        |entry: &Entry| !(entry.is_paused || list.is_offline && remote::is_remote(&entry.folder));
                    let is_over = !list.jobs.iter().any(waits);
                    if is_over {
                        let _ = lock.unlock();
                    }
                    is_over
                })?;
            if is_over || !self.runs.is_dir() {
                return Ok(true);
            }
            std::thread::sleep(LOOK);
        }
    }
}

fn open_lock(path: &Path) -> Result<File, JobError> {
    OpenOptions::new().create(true).truncate(false).write(true).open(path).map_err(JobError::write(path))
}

/// Exit code of a worker that was told to stop.
const STOPPED: i32 = 130;

/// Takes out the workers that have ended, and ends those that were asked to long ago.
fn take_ended(running: &mut Vec<Running>) -> Vec<PathBuf> {
    let mut ended = Vec::new();
    running.retain_mut(|held| {
        let has_ended = match &mut held.child {
            Some(child) => !matches!(child.try_wait(), Ok(None)),
            None => !Job::is_running(&held.folder),
        };
        if has_ended {
            // One that was stopped and is wanted again by now (resumed, or tried again before this look) keeps its place.
            let status = held.child.as_mut().and_then(|child| child.try_wait().ok().flatten());
            let was_stopped = status.is_some_and(|status| status.code() == Some(STOPPED));
            if !was_stopped || held.folder.join("cancel").exists() {
                ended.push(held.folder.clone());
            }
            return false;
        }
        if held.folder.join("cancel").exists() {
            let since = *held.asked.get_or_insert_with(Instant::now);
            if since.elapsed() > GRACE
                && let Some(child) = &mut held.child
            {
                // Where it cannot be ended it is looked at again.
                let _ = child.kill();
            }
        } else {
            held.asked = None;
        }
        true
    });
    ended
}

/// Starts `worker FOLDER` with its output kept in the job's log.
fn start(program: &Path, folder: &Path, is_offline: bool) -> io::Result<Child> {
    let log = OpenOptions::new().create(true).append(true).open(folder.join("worker.log"))?;
    let errors = log.try_clone()?;
    let mut command = Command::new(program);
    command.arg("worker").arg(folder).stdin(Stdio::null()).stdout(log).stderr(errors);
    if is_offline {
        command.env(OFFLINE_VARIABLE, "1");
    }
    in_own_group(&mut command);
    command.spawn()
}

/// Makes sure that somebody serves the queue: starts `program queue RUNS` where nobody does. The process outlives the one
/// that starts it; a thread waits for it, so that it leaves nothing behind.
///
/// # Errors
/// When it cannot be started.
pub fn ensure_served(queue: &Queue, program: &Path) -> io::Result<()> {
    if queue.is_served() {
        return Ok(());
    }
    let mut command = Command::new(program);
    command.arg("queue").arg(&queue.runs).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    in_own_group(&mut command);
    let mut child = command.spawn()?;
    std::thread::Builder::new().name("queue".to_owned()).spawn(move || child.wait()).map(drop)
}

/// In a group of its own, so that a Ctrl+C in the terminal of the window does not reach what is to go on.
fn in_own_group(command: &mut Command) {
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(command, 0);
    #[cfg(windows)]
    {
        const NEW_PROCESS_GROUP: u32 = 0x200;
        std::os::windows::process::CommandExt::creation_flags(command, NEW_PROCESS_GROUP);
    }
    #[cfg(not(any(unix, windows)))]
    let _ = command;
}

/// What a worker said: its log's end, at most `most` bytes, with what could not be read told in it.
#[must_use]
pub fn worker_log(folder: &Path, most: u64) -> String {
    files::read_end(&folder.join("worker.log"), most).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jobs_keep_their_order_are_moved_and_leave() {
        let folder = tempfile::tempdir().unwrap();
        let queue = Queue::of(&folder.path().join("runs"));
        assert_eq!(queue.list().unwrap(), List::default());
        let names = |queue: &Queue| -> Vec<String> {
            let list = queue.list().unwrap();
            list.jobs.iter().map(|entry| entry.folder.file_name().unwrap().to_string_lossy().into_owned()).collect()
        };
        let path = |name: &str| folder.path().join(name);
        for name in ["a", "b", "c"] {
            std::fs::create_dir(path(name)).unwrap();
            queue.add(&path(name)).unwrap();
        }
        queue.shift(&path("c"), -1).unwrap();
        assert_eq!(names(&queue), ["a", "c", "b"]);
        queue.shift(&path("a"), 9).unwrap();
        queue.shift(&path("none"), 1).unwrap();
        assert_eq!(names(&queue), ["c", "b", "a"]);
        queue.pause(&path("b")).unwrap();
        assert!(queue.list().unwrap().jobs[1].is_paused);
        queue.resume(&path("b")).unwrap();
        assert!(!queue.list().unwrap().jobs[1].is_paused);
        queue.cancel(&path("b")).unwrap();
        assert_eq!(names(&queue), ["c", "a"]);
        assert!(path("b").join("cancel").exists());
        queue.add(&path("b")).unwrap();
        assert!(!path("b").join("cancel").exists(), "it is to run again");
        assert!(!queue.is_served());
    }

    #[test]
    fn changes_of_many_are_all_there() {
        let folder = tempfile::tempdir().unwrap();
        let queue = Queue::of(folder.path());
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let queue = &queue;
                scope.spawn(move || {
                    for number in 0..10 {
                        let folder = PathBuf::from(format!("/jobs/{thread}-{number}"));
                        queue.change(|list| list.jobs.push(Entry { folder, is_paused: false })).unwrap();
                    }
                });
            }
        });
        assert_eq!(queue.list().unwrap().jobs.len(), 40);
    }

    #[test]
    fn a_folder_that_is_no_job_does_not_hold_up_the_queue() {
        let folder = tempfile::tempdir().unwrap();
        let queue = Queue::of(folder.path());
        queue.add(&folder.path().join("nothing")).unwrap();
        assert!(queue.serve(Path::new("/no/program")).unwrap());
        assert_eq!(queue.list().unwrap(), List::default());
        std::fs::write(folder.path().join("queue.json"), "{ no json").unwrap();
        assert!(queue.list().unwrap_err().to_string().contains("queue.json"));
    }
}
