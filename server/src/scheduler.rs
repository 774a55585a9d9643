//! The scheduler: one thread that starts workers, follows them, and writes down how jobs end.
//!
//! Everything it decides follows from the index and the job directories, so a server that was killed goes on where it
//! stopped: what ran is looked for, what had ended is concluded, what waits is started. A piece is written down as running
//! before its worker is started, and a worker holds the lock of its directory, so nothing is run twice at once.
//!
//! **Fair share.** Whoever has had the fewest worker seconds goes next; what was had a day ago counts half. The pieces a
//! user has running count as if they had already taken as long as they do, and each piece that is handed out adds a
//! minute, so that two users who come at once take turns. Priorities order the jobs of one user among themselves.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use kfold_inference::job::events::{EventKind, EventReader};
use kfold_inference::job::{Job, JobError, pieces};
use kfold_inference::remote::protocol::RemoteState;

use crate::clock;
use crate::error::ServerError;
use crate::executor::{Executor, Status, Task, TaskKey};
use crate::index::{JobRecord, Piece, PieceEnd, Usage};
use crate::log;
use crate::series::{self, SeriesEvents};
use crate::service::Service;

/// Between two looks when nobody wakes the scheduler.
const TICK: Duration = Duration::from_millis(100);
/// Between two looks at the order of what waits while there is no room for it.
const PLACES: Duration = Duration::from_millis(500);
/// Between two looks at what is to be forgotten.
const RETENTION: Duration = Duration::from_secs(60);
/// How long a full disk is left alone.
const DISK_PAUSE: Duration = Duration::from_secs(1);
/// What a piece that is handed out counts, in seconds, before it has taken any time.
const EXPECTED_SECONDS: f64 = 60.0;

pub(crate) struct Scheduler {
    service: Arc<Service>,
    executor: Box<dyn Executor>,
    /// When each piece that is to stop was first asked to.
    asked: HashMap<TaskKey, Instant>,
    /// Pieces that were ended because they took too long.
    overdue: HashSet<TaskKey>,
    /// Series that run, with what their pieces said.
    series: HashMap<String, SeriesEvents>,
    /// Series whose outputs are being put together.
    merging: HashMap<String, JoinHandle<Option<PieceEnd>>>,
    /// Nothing is started or put together before: the disk was full.
    not_before: Option<Instant>,
    last_places: Option<Instant>,
    last_retention: Option<Instant>,
}

impl Scheduler {
    pub fn new(service: Arc<Service>, executor: Box<dyn Executor>) -> Self {
        Self {
            service,
            executor,
            asked: HashMap::new(),
            overdue: HashSet::new(),
            series: HashMap::new(),
            merging: HashMap::new(),
            not_before: None,
            last_places: None,
            last_retention: None,
        }
    }

    /// Works until the service stops. Workers go on.
    pub fn run(mut self) {
        while !self.service.is_stopping() {
            if let Err(error) = self.tick() {
                // A full disk or a busy index passes.
                log::error("scheduler", &[("error", &error)]);
                std::thread::sleep(Duration::from_secs(1));
            }
            self.service.wait_for_work(TICK);
        }
        for (_, thread) in self.merging.drain() {
            // Begun again by the next server if it fails now.
            let _ = thread.join();
        }
    }

    fn task(&self, piece: Piece) -> Task {
        let job = self.service.job_folder(&piece.job);
        let folder = if piece.pieces == 1 { job } else { pieces::folder(&job, piece.number) };
        Task { piece, folder }
    }

    fn tick(&mut self) -> Result<(), ServerError> {
        self.executor.refresh();
        let running = self.service.index.pieces(RemoteState::Running)?;
        let seconds_now = clock::now();
        let mut virtual_usage = self.service.index.usage()?;
        for piece in running {
            if let Some(started) = piece.started {
                *virtual_usage.entry(piece.user.clone()).or_default() +=
                    EXPECTED_SECONDS + (seconds_now - started).max(0.0);
            }
            if piece.pieces > 1 && !self.series.contains_key(&piece.job) {
                self.begin_series(&piece);
            }
            let task = self.task(piece);
            self.follow(&task)?;
        }
        for piece in self.service.index.cancelled_pieces()? {
            self.end_piece(&piece, &PieceEnd::Cancelled)?;
        }
        self.follow_series();
        self.finish_jobs()?;
        self.remove_deleted()?;
        self.start_waiting(virtual_usage)?;
        if self.last_retention.is_none_or(|last| last.elapsed() > RETENTION) {
            self.last_retention = Some(Instant::now());
            self.forget_old()?;
        }
        Ok(())
    }

    /// Looks at a running piece.
    fn follow(&mut self, task: &Task) -> Result<(), ServerError> {
        let key = task.key();
        let how = match self.executor.status(task) {
            Status::Gone(how) => how,
            Status::Alive => {
                self.stop_if_wanted(task);
                return Ok(());
            }
        };
        self.asked.remove(&key);
        let was_overdue = self.overdue.remove(&key);
        let words = self.executor.last_words(&task.folder);
        match conclude(task, &how, &words) {
            Conclusion::Ended(end) => self.end_piece(&task.piece, &end),
            Conclusion::Interrupted { .. } if task.piece.cancel => self.end_piece(&task.piece, &PieceEnd::Cancelled),
            Conclusion::Interrupted { .. } if was_overdue => {
                let hours = self.service.configuration.limits.job_hours;
                let reason = format!("it took longer than the {hours} h that this server allows");
                self.end_piece(&task.piece, &PieceEnd::Failed(reason))
            }
            Conclusion::Interrupted { why, seeds_done, may_pass } => {
                if may_pass {
                    self.wait_for_disk();
                }
                let attempts = if seeds_done > task.piece.seeds_done { 0 } else { task.piece.attempts };
                if attempts >= self.service.configuration.workers.attempts {
                    let reason = format!("{why}; that happened {attempts} times in a row");
                    return self.end_piece(&task.piece, &PieceEnd::Failed(reason));
                }
                log::warning("worker_lost", &[("job", &task.piece.job), ("piece", &task.piece.number), ("how", &how)]);
                self.service.metrics.count("kfold_workers_lost_total");
                self.service.index.requeue(&task.piece, seeds_done)?;
                Ok(())
            }
        }
    }

    fn stop_if_wanted(&mut self, task: &Task) {
        let workers = &self.service.configuration.workers;
        let limit = 3600.0 * self.service.configuration.limits.job_hours;
        if task.piece.started.is_some_and(|started| clock::now() - started > limit) {
            if self.overdue.insert(task.key()) {
                log::warning("worker_overdue", &[("job", &task.piece.job), ("piece", &task.piece.number)]);
            }
            self.executor.end(task);
        } else if task.piece.cancel {
            let asked = *self.asked.entry(task.key()).or_insert_with(|| {
                // Where this cannot be written the worker is ended when its time is up.
                let _ = Job::request_cancel(&task.folder);
                Instant::now()
            });
            if asked.elapsed() > Duration::from_secs(workers.grace_seconds) {
                self.executor.end(task);
            }
        }
    }

    fn end_piece(&mut self, piece: &Piece, end: &PieceEnd) -> Result<(), ServerError> {
        if piece.pieces > 1 {
            let how = match end {
                PieceEnd::Finished => "finished",
                PieceEnd::Failed(_) => "failed",
                PieceEnd::Cancelled => "cancelled",
            };
            log::info("piece_ended", &[("job", &piece.job), ("piece", &piece.number), ("how", &how)]);
        }
        let is_last = self.service.index.end_piece(piece, end)?;
        if is_last && piece.pieces == 1 {
            self.end_job(&piece.job, end)?;
        }
        Ok(())
    }

    fn end_job(&mut self, id: &str, end: &PieceEnd) -> Result<(), ServerError> {
        let bytes = folder_bytes(&self.service.job_folder(id));
        self.service.index.end_job(id, end, bytes)?;
        let state = match end {
            PieceEnd::Finished => RemoteState::Finished,
            PieceEnd::Failed(_) => RemoteState::Failed,
            PieceEnd::Cancelled => RemoteState::Cancelled,
        };
        log::info("job_ended", &[("job", &id), ("state", &state.name())]);
        self.service.metrics.count(match state {
            RemoteState::Finished => "kfold_jobs_finished_total",
            RemoteState::Cancelled => "kfold_jobs_cancelled_total",
            _ => "kfold_jobs_failed_total",
        });
        Ok(())
    }

    /// Begins to pass on what the pieces of a series say. Without it the series runs all the same, unheard.
    fn begin_series(&mut self, piece: &Piece) {
        let job = Job::open(&self.service.job_folder(&piece.job)).map_err(std::io::Error::other);
        match job.and_then(|job| SeriesEvents::new(&job, piece.pieces)) {
            Ok(events) => drop(self.series.insert(piece.job.clone(), events)),
            Err(error) => log::warning("series_events", &[("job", &piece.job), ("error", &error)]),
        }
    }

    /// Passes on what the pieces of running series said.
    fn follow_series(&mut self) {
        for (job, series) in &mut self.series {
            if let Err(error) = series.pass_on() {
                log::warning("series_events", &[("job", job), ("error", &error)]);
            }
        }
    }

    /// Concludes jobs whose pieces have all ended.
    fn finish_jobs(&mut self) -> Result<(), ServerError> {
        for record in self.service.index.unfinished_ends()? {
            match self.merging.remove(&record.id) {
                None if self.is_waiting_for_disk() => {}
                None => {
                    let thread = self.conclude_in_thread(&record)?;
                    self.merging.insert(record.id, thread);
                }
                Some(thread) if !thread.is_finished() => {
                    self.merging.insert(record.id, thread);
                }
                Some(thread) => {
                    let panicked = |_| {
                        Some(PieceEnd::Failed("the outputs could not be put together; see the server's log".into()))
                    };
                    match thread.join().unwrap_or_else(panicked) {
                        Some(end) => self.end_job(&record.id, &end)?,
                        None => self.wait_for_disk(),
                    }
                }
            }
        }
        Ok(())
    }

    /// Puts the outputs of a job together, which can take a while.
    fn conclude_in_thread(&mut self, record: &JobRecord) -> Result<JoinHandle<Option<PieceEnd>>, ServerError> {
        let ends = self.service.index.piece_ends(&record.id)?;
        let events = self.series.remove(&record.id);
        let (folder, was_cancelled) = (self.service.job_folder(&record.id), record.cancel);
        std::thread::Builder::new()
            .name("merge".into())
            .spawn(move || series::conclude(&folder, &ends, was_cancelled, events))
            .map_err(|error| ServerError::Other(format!("cannot start a thread: {error}")))
    }

    /// Removes what was deleted, files first: a row without files is removed by the next look.
    fn remove_deleted(&mut self) -> Result<(), ServerError> {
        for record in self.service.index.deleted_jobs()? {
            if self.merging.contains_key(&record.id) {
                continue;
            }
            self.series.remove(&record.id);
            let folder = self.service.job_folder(&record.id);
            match std::fs::remove_dir_all(&folder) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(ServerError::file(&folder)(error));
                }
                _ => {}
            }
            self.service.index.remove(&record.id)?;
            log::info("job_deleted", &[("job", &record.id)]);
        }
        Ok(())
    }

    /// Starts what waits, as far as there is room, and says of the rest how many jobs go first.
    fn start_waiting(&mut self, usage: Usage) -> Result<(), ServerError> {
        let mut room = self.executor.room();
        // A long queue takes a while to put in order: without room only the places in it can have changed.
        if room == 0 && self.last_places.is_some_and(|last| last.elapsed() < PLACES) {
            return Ok(());
        }
        self.last_places = Some(Instant::now());
        let waiting: Vec<Piece> =
            self.service.index.pieces(RemoteState::Queued)?.into_iter().filter(|piece| !piece.cancel).collect();
        let mut order = fair_order(waiting, usage).into_iter().peekable();
        if self.is_waiting_for_disk() {
            room = 0;
        }
        if room > 0 && order.peek().is_some() && !self.service.has_free_disk() {
            log::warning("disk_low", &[("what", &"no worker is started until there is space again")]);
            self.wait_for_disk();
            room = 0;
        }
        while room > 0 && order.peek().is_some() {
            // Pieces of one job that follow each other go together: Slurm takes them as an array.
            let mut together: Vec<Task> = Vec::new();
            while let Some(piece) = order.next_if(|piece| {
                room > together.len() && together.first().is_none_or(|first| first.piece.job == piece.job)
            }) {
                together.push(self.task(piece));
            }
            room -= together.len();
            self.start(together)?;
        }
        self.service.set_waiting(order.map(|piece| piece.job));
        Ok(())
    }

    fn start(&mut self, tasks: Vec<Task>) -> Result<(), ServerError> {
        let mut ready = Vec::new();
        for task in tasks {
            match self.prepare(&task) {
                Ok(()) => ready.push(task),
                // It keeps its place: that is no attempt.
                Err(error) if error.may_pass() => {
                    log::warning("piece_waits", &[("job", &task.piece.job), ("why", &error)]);
                    self.wait_for_disk();
                }
                Err(error) => {
                    let reason = without_folder(&error.to_string(), &self.service.job_folder(&task.piece.job));
                    self.end_piece(&task.piece, &PieceEnd::Failed(reason))?;
                }
            }
        }
        let mut pieces: Vec<Piece> = ready.iter().map(|task| task.piece.clone()).collect();
        self.service.index.start(&pieces)?;
        for (piece, result) in pieces.iter_mut().zip(self.executor.start(&ready)) {
            piece.attempts += 1;
            match result {
                Ok(()) => {
                    log::info(
                        "worker_started",
                        &[("job", &piece.job), ("piece", &piece.number), ("attempt", &piece.attempts)],
                    );
                }
                Err(reason) if piece.attempts >= self.service.configuration.workers.attempts => {
                    self.end_piece(piece, &PieceEnd::Failed(reason))?;
                }
                Err(reason) => {
                    log::warning(
                        "worker_not_started",
                        &[("job", &piece.job), ("piece", &piece.number), ("why", &reason)],
                    );
                    self.service.index.requeue(piece, piece.seeds_done)?;
                }
            }
        }
        Ok(())
    }

    /// Makes the directory of a piece and takes back what an earlier attempt left.
    fn prepare(&self, task: &Task) -> Result<(), JobError> {
        if task.piece.pieces > 1 {
            let job = Job::open(&self.service.job_folder(&task.piece.job))?;
            pieces::create(&job, task.piece.number, task.piece.pieces)?;
        }
        Job::clear_cancel(&task.folder)
    }

    fn wait_for_disk(&mut self) {
        self.not_before = Some(Instant::now() + DISK_PAUSE);
    }

    fn is_waiting_for_disk(&self) -> bool {
        self.not_before.is_some_and(|moment| Instant::now() < moment)
    }

    /// Marks what is too old and sweeps away what belongs to nobody.
    fn forget_old(&mut self) -> Result<(), ServerError> {
        if let Some(days) = self.service.configuration.retention.ended_days {
            let count = self.service.index.delete_ended_before(clock::now() - 86_400.0 * days)?;
            if count > 0 {
                log::info("retention", &[("deleted", &count)]);
            }
        }
        Ok(())
    }
}

/// What can be said of a worker that is gone.
enum Conclusion {
    Ended(PieceEnd),
    /// `may_pass`: by a trouble of the machine that needs a while.
    Interrupted {
        why: String,
        seeds_done: u64,
        may_pass: bool,
    },
}

fn conclude(task: &Task, how: &str, last_words: &str) -> Conclusion {
    let job = match Job::open(&task.folder) {
        Ok(job) => job,
        Err(error) => {
            return Conclusion::Ended(PieceEnd::Failed(without_folder(&error.to_string(), &task.folder)));
        }
    };
    if job.is_done() {
        return Conclusion::Ended(PieceEnd::Finished);
    }
    let mut events = EventReader::new(job.events_path()).read_new().unwrap_or_default();
    let (words, may_pass) = match events.pop().map(|event| event.kind) {
        Some(EventKind::Failed { message, may_pass: false }) => {
            return Conclusion::Ended(PieceEnd::Failed(without_folder(&message, &task.folder)));
        }
        Some(EventKind::Failed { message, may_pass: true }) => (message, true),
        // Cancelled by somebody who is not the server (a node that shuts down): as good as killed.
        _ => (last_words.to_owned(), false),
    };
    let seeds_done = job.settings().seeds.iter().filter(|seed| job.is_seed_done(**seed)).count() as u64;
    let words = without_folder(&words, &task.folder);
    let why = if words.is_empty() { how.to_owned() } else { format!("{how}, its last words: {words}") };
    Conclusion::Interrupted { why, seeds_done, may_pass }
}

/// A text without the place of the job on this machine's disk, which is nobody's business.
pub(crate) fn without_folder(text: &str, folder: &Path) -> String {
    let folder = folder.display().to_string();
    text.replace(&format!("{folder}/"), "").replace(&folder, "the job")
}

/// Bytes of all files under a folder.
pub(crate) fn folder_bytes(folder: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    entries
        .flatten()
        .map(|entry| match entry.metadata() {
            Ok(metadata) if metadata.is_dir() => folder_bytes(&entry.path()),
            Ok(metadata) => metadata.len(),
            Err(_) => 0,
        })
        .sum()
}

/// The order in which pieces are started.
fn fair_order(pieces: Vec<Piece>, mut usage: Usage) -> Vec<Piece> {
    let mut of_users: HashMap<String, Vec<Piece>> = HashMap::new();
    for piece in pieces {
        of_users.entry(piece.user.clone()).or_default().push(piece);
    }
    for queue in of_users.values_mut() {
        // The next at the end.
        queue.sort_by_key(|piece| std::cmp::Reverse((-piece.priority, piece.job_number, piece.number)));
    }
    let mut order = Vec::new();
    let first = |queue: &Vec<Piece>| queue.last().map(|piece| (piece.job_number, piece.number));
    while let Some((user, queue)) = of_users.iter_mut().filter(|(_, queue)| !queue.is_empty()).min_by(|a, b| {
        let used = |user: &str| usage.get(user).copied().unwrap_or(0.0);
        used(a.0).total_cmp(&used(b.0)).then_with(|| first(a.1).cmp(&first(b.1)))
    }) {
        if let Some(piece) = queue.pop() {
            *usage.entry(user.clone()).or_default() += EXPECTED_SECONDS;
            order.push(piece);
        }
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piece(user: &str, job_number: i64, priority: i32) -> Piece {
        Piece {
            job: format!("{job_number}"),
            number: 1,
            pieces: 1,
            user: user.into(),
            priority,
            job_number,
            attempts: 0,
            seeds_done: 0,
            started: None,
            cancel: false,
        }
    }

    fn order(pieces: Vec<Piece>, usage: &[(&str, f64)]) -> Vec<i64> {
        let usage = usage.iter().map(|(user, seconds)| ((*user).to_owned(), *seconds)).collect();
        fair_order(pieces, usage).into_iter().map(|piece| piece.job_number).collect()
    }

    #[test]
    fn users_take_turns_and_priorities_stay_at_home() {
        let pieces = vec![piece("a", 1, 0), piece("a", 2, 0), piece("a", 3, 5), piece("b", 4, 0), piece("b", 5, -3)];
        // Equal users: the older head of a queue first, then in turns; 3 before 1 and 2 because a wants it so.
        assert_eq!(order(pieces.clone(), &[]), [3, 4, 1, 5, 2]);
        // a has had much already.
        assert_eq!(order(pieces.clone(), &[("a", 1_000.0)]), [4, 5, 3, 1, 2]);
        // Nobody's priority overtakes another user.
        assert_eq!(order(vec![piece("a", 1, 10), piece("b", 2, -10)], &[("a", 61.0)]), [2, 1]);
        assert!(order(Vec::new(), &[]).is_empty());
    }
}
