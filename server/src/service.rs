//! What requests and the scheduler share: configuration, index, folders, counters.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use kfold_inference::remote::protocol::{Capabilities, EngineOffer, Limits, QueueStatus, RemoteJob, RemoteState};
use tokio::sync::{Semaphore, watch};

use crate::configuration::Configuration;
use crate::error::ServerError;
use crate::index::{Index, JobRecord};
use crate::log;
use crate::metrics::Metrics;
use crate::rate::Rates;

/// Connections of the index that read at once: threads that answer requests are not many more.
const READERS: usize = 8;

/// For how long a count of the queue is told to everybody who asks.
const QUEUE_STATUS: Duration = Duration::from_millis(500);

/// The shared state.
pub(crate) struct Service {
    pub configuration: Configuration,
    pub index: Index,
    pub metrics: Metrics,
    pub rates: Rates,
    /// Submissions that are received at once.
    pub uploads: Semaphore,
    /// Followers of events.
    pub followers: std::sync::Arc<Semaphore>,
    pub engines: Vec<EngineOffer>,
    pub workers_without_network: bool,
    /// Jobs that wait, with how many go first.
    waiting: RwLock<HashMap<String, u64>>,
    queue: Mutex<Option<(Instant, QueueStatus)>>,
    work: Mutex<bool>,
    wake: Condvar,
    stopping: AtomicBool,
    stop_sender: watch::Sender<bool>,
    _lock: std::fs::File,
}

impl Service {
    /// Opens the data folder, making it when it is not there, and removes what was never acknowledged to a client.
    pub fn open(
        configuration: Configuration,
        engines: Vec<EngineOffer>,
        workers_without_network: bool,
    ) -> Result<Self, ServerError> {
        let data = configuration.data.clone();
        let lock = prepare_data(&data)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(std::fs::TryLockError::WouldBlock) => {
                return Err(ServerError::Other(format!("another server uses {}", data.display())));
            }
            Err(std::fs::TryLockError::Error(error)) => return Err(ServerError::file(&data)(error)),
        }
        let index = Index::open(&index_path(&data), READERS)?;
        let known: std::collections::HashSet<String> = index.ids()?.into_iter().collect();
        sweep(&data.join("staging"), &|_| false)?;
        sweep(&data.join("jobs"), &|name| known.contains(name))?;
        let limits = &configuration.limits;
        Ok(Self {
            index,
            metrics: Metrics::default(),
            rates: Rates::new(limits.requests_per_minute, limits.refused_tokens_per_minute),
            uploads: Semaphore::new(limits.uploads_at_once as usize),
            followers: std::sync::Arc::new(Semaphore::new(limits.followers as usize)),
            engines,
            workers_without_network,
            waiting: RwLock::default(),
            queue: Mutex::default(),
            work: Mutex::new(true),
            wake: Condvar::new(),
            stopping: AtomicBool::new(false),
            stop_sender: watch::Sender::new(false),
            _lock: lock,
            configuration,
        })
    }

    pub fn job_folder(&self, id: &str) -> PathBuf {
        self.configuration.data.join("jobs").join(id)
    }

    pub fn staging_folder(&self, id: &str) -> PathBuf {
        self.configuration.data.join("staging").join(id)
    }

    /// Whether the disk has the free space that the configuration wants. A system that does not say has it.
    pub fn has_free_disk(&self) -> bool {
        free_bytes(&self.configuration.data).is_none_or(|free| free >= self.configuration.limits.free_disk_bytes)
    }

    /// Tells the scheduler that there is something to do.
    pub fn notify(&self) {
        *self.work.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.wake.notify_all();
    }

    /// Waits for [`Self::notify`], at most this long.
    pub fn wait_for_work(&self, at_most: Duration) {
        let work = self.work.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut work, _) =
            self.wake.wait_timeout_while(work, at_most, |work| !*work).unwrap_or_else(PoisonError::into_inner);
        *work = false;
    }

    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
        self.stop_sender.send_replace(true);
        self.notify();
    }

    pub fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    /// Becomes true when the service stops.
    pub fn stop_signal(&self) -> watch::Receiver<bool> {
        self.stop_sender.subscribe()
    }

    /// Notes the order of what waits: one name for each piece.
    pub fn set_waiting(&self, jobs: impl Iterator<Item = String>) {
        let mut places = HashMap::new();
        for job in jobs {
            let place = places.len() as u64;
            places.entry(job).or_insert(place);
        }
        *self.waiting.write().unwrap_or_else(PoisonError::into_inner) = places;
    }

    /// A job as its user sees it.
    pub fn describe(&self, record: JobRecord) -> RemoteJob {
        let jobs_ahead = (record.state == RemoteState::Queued)
            .then(|| self.waiting.read().unwrap_or_else(PoisonError::into_inner).get(&record.id).copied())
            .flatten();
        let kept = self.configuration.retention.ended_days;
        RemoteJob {
            deleted_at: record.ended.zip(kept).map(|(ended, days)| ended + 86_400.0 * days),
            id: record.id,
            user: record.user,
            name: record.name,
            engine: record.engine,
            state: record.state,
            reason: record.reason,
            priority: record.priority,
            seeds: record.seeds,
            series_ligands: record.series_ligands,
            pieces: u64::from(record.pieces),
            pieces_done: u64::from(record.pieces_done),
            jobs_ahead,
            created: record.created,
            started: record.started,
            ended: record.ended,
        }
    }

    /// How busy the service is, or was a moment ago.
    fn queue_status(&self) -> Result<QueueStatus, rusqlite::Error> {
        let mut last = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, status)) = &*last
            && at.elapsed() < QUEUE_STATUS
        {
            return Ok(status.clone());
        }
        let status = self.count_queue()?;
        *last = Some((Instant::now(), status.clone()));
        Ok(status)
    }

    fn count_queue(&self) -> Result<QueueStatus, rusqlite::Error> {
        let counts = self.index.counts()?;
        let count = |wanted| counts.iter().find(|(state, _)| *state == wanted).map_or(0, |(_, count)| *count);
        Ok(QueueStatus {
            queued: count(RemoteState::Queued),
            running: count(RemoteState::Running),
            median_job_seconds: self.index.median_job_seconds()?,
        })
    }

    pub fn capabilities(&self) -> Result<Capabilities, rusqlite::Error> {
        let configuration = &self.configuration;
        let limits = &configuration.limits;
        let is_local = configuration.workers.executor == crate::configuration::ExecutorName::Local;
        Ok(Capabilities {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            api: kfold_inference::remote::protocol::API_VERSION,
            engines: self.engines.clone(),
            devices: configuration.workers.devices.iter().map(|device| format!("GPU {device}")).collect(),
            executor: configuration.workers.executor.name().to_owned(),
            slots: if is_local { configuration.workers.slots as u64 } else { configuration.slurm.submitted_pieces },
            workers_without_network: self.workers_without_network,
            limits: Limits {
                upload_bytes: limits.upload_bytes,
                upload_files: limits.upload_files,
                queued_jobs_per_user: limits.queued_jobs_per_user,
                series_ligands: limits.series_ligands,
                disk_bytes_per_user: limits.disk_bytes_per_user,
                job_hours: limits.job_hours,
                kept_days: configuration.retention.ended_days,
            },
            queue: self.queue_status()?,
        })
    }
}

/// Where the index lies in a data folder.
pub(crate) fn index_path(data: &Path) -> PathBuf {
    data.join("index.sqlite")
}

/// Makes the data folder, for this user alone, and opens its lock.
pub(crate) fn prepare_data(data: &Path) -> Result<std::fs::File, ServerError> {
    for folder in [data.to_owned(), data.join("jobs"), data.join("staging")] {
        let mut builder = std::fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&folder).map_err(ServerError::file(&folder))?;
    }
    let path = data.join("server.lock");
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(false).open(&path).map_err(ServerError::file(&path))
}

/// Removes the entries of a folder that are nobody's.
fn sweep(folder: &Path, is_known: &dyn Fn(&str) -> bool) -> Result<(), ServerError> {
    for entry in std::fs::read_dir(folder).map_err(ServerError::file(folder))? {
        let entry = entry.map_err(ServerError::file(folder))?;
        if entry.file_name().to_str().is_some_and(is_known) {
            continue;
        }
        log::info("swept", &[("entry", &entry.file_name().display())]);
        let path = entry.path();
        let removed = if path.is_dir() { std::fs::remove_dir_all(&path) } else { std::fs::remove_file(&path) };
        removed.map_err(ServerError::file(&path))?;
    }
    Ok(())
}

#[cfg(unix)]
fn free_bytes(path: &Path) -> Option<u64> {
    let statistics = nix::sys::statvfs::statvfs(path).ok()?;
    // Their widths differ between systems.
    #[allow(clippy::unnecessary_cast)]
    Some((statistics.blocks_available() as u64).saturating_mul(statistics.fragment_size() as u64))
}

#[cfg(not(unix))]
fn free_bytes(_path: &Path) -> Option<u64> {
    None
}
