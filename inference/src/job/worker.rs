//! Running a job: one worker, one seed after the other.
//!
//! A worker may be killed at any moment, and the disk may fill up under it. What it leaves is either finished (a seed's
//! folder that appeared by a rename) or is removed by the next worker. Two workers never run one job: each holds a lock
//! on `worker.lock`, which the system takes back when the process ends, however it ends.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Write};
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::events::{EventKind, EventWriter};
use super::parts::Parts;
use super::{Job, JobError, complexes, files, output, series};
use crate::engine::{Engine, EngineError, EngineName, Events, Prediction, Progress, Sample};
use crate::kfold::engine::check_query;
use crate::query::Query;
use crate::remote;
use crate::settings::Settings;

/// How often the worker looks whether somebody asked it to stop.
const CANCEL_INTERVAL: Duration = Duration::from_millis(100);

/// How often, and how long apart, a lock that is taken is tried again.
const LOCK_TRIES: u32 = 5;
const LOCK_PAUSE: Duration = Duration::from_millis(20);

/// Runs the job in `folder` to its end: every seed that is not done yet, then the summary. What happens is written to
/// the job's events.
///
/// # Errors
/// Why the job is not done; also written as an event where that is possible. [`JobError::is_cancelled`] when the user
/// asked to stop.
pub fn run(folder: &Path, engines: &[&dyn Engine]) -> Result<(), JobError> {
    let folder = std::path::absolute(folder).map_err(JobError::read(folder))?;
    if !folder.join("query.json").exists() {
        return Err(JobError::Missing { path: folder });
    }
    let _lock = lock(&folder)?;
    let path = folder.join("events.jsonl");
    let mut events = EventWriter::open(&path).map_err(JobError::write(&path))?;
    let result = run_locked(&folder, engines, &mut events, &path);
    let last = match &result {
        Ok(()) => EventKind::Finished,
        Err(error) if error.is_cancelled() => EventKind::Cancelled,
        Err(error) => EventKind::Failed { message: error.to_string(), may_pass: error.may_pass() },
    };
    let written = events.write(last).map_err(JobError::write(&path));
    // Why the work stopped matters more than that this could not be written down.
    result.and(written)
}

fn run_locked(
    folder: &Path,
    engines: &[&dyn Engine],
    events: &mut EventWriter,
    events_path: &Path,
) -> Result<(), JobError> {
    let job = Job::open(folder)?;
    output::check_writable(folder)?;
    for place in job.work_folders() {
        files::remove_leftovers(&place).map_err(JobError::write(&place))?;
    }
    let watch = CancelWatch::start(folder.join("cancel"));
    if remote::is_remote(folder) {
        return remote::run(&job, events, &|| watch.is_cancelled());
    }
    let settings = job.settings();
    let wanted = settings.engine;
    let engine = engines.iter().find(|engine| engine.name() == wanted).ok_or(JobError::NoEngine(wanted.name()))?;
    let done = settings.seeds.iter().filter(|seed| job.is_seed_done(**seed)).count();
    let ligands = match wanted {
        EngineName::Docking => (job.query().ligands().count() + job.query().series.len()) as u64,
        // All of them together, those of a series one by one.
        EngineName::KFold => job.query().series.len().max(1) as u64,
    };
    let started = EventKind::Started {
        process: std::process::id(),
        seeds: settings.seeds.len() as u64,
        seeds_done: done as u64,
        ligands,
    };
    events.write(started).map_err(JobError::write(events_path))?;

    for seed in &settings.seeds {
        if job.is_seed_done(*seed) {
            continue;
        }
        if watch.is_cancelled() {
            return Err(EngineError::Cancelled.into());
        }
        events.write(EventKind::SeedStarted { seed: *seed }).map_err(JobError::write(events_path))?;
        let mut run = SeedRun { seed: *seed, engine: *engine, events, events_path, watch: &watch };
        if job.is_complex_series() {
            run.complex_series(&job)?;
        } else {
            run.whole(&job)?;
        }
        events.write(EventKind::SeedFinished { seed: *seed }).map_err(JobError::write(events_path))?;
    }
    match settings.engine {
        EngineName::Docking => output::write_summary(&job),
        EngineName::KFold if job.is_complex_series() => series::write_summary(&job),
        EngineName::KFold => complexes::write_summary(&job).map(drop),
    }
}

/// One seed in work.
struct SeedRun<'a> {
    seed: u64,
    engine: &'a dyn Engine,
    events: &'a mut EventWriter,
    events_path: &'a Path,
    watch: &'a CancelWatch,
}

impl SeedRun<'_> {
    /// Predicts the job and writes its outputs.
    fn whole(&mut self, job: &Job) -> Result<Prediction, JobError> {
        let seed = self.seed;
        let settings = Settings { seed, ..job.settings().clone() };
        let parts = Parts::open(job, seed)?;
        let folder = job.seed_folder(seed);
        let (events, events_path, watch) = (&mut *self.events, self.events_path, self.watch);
        let mut reporter = Reporter { events, events_path, watch, folder, parts, failure: None };
        let prediction = reporter.predict(self.engine, job, &settings);
        if let Some(error) = reporter.failure {
            return Err(error);
        }
        let parts = reporter.parts;
        let prediction = prediction?;
        match &prediction.complexes {
            Some(complexes) => complexes::write_seed(job, seed, complexes)?,
            None => output::write_seed(job, seed, &prediction)?,
        }
        if let Some(parts) = parts {
            parts.remove()?;
        }
        Ok(prediction)
    }

    /// Predicts the complexes of a series one after the other; a ligand that cannot be predicted is told and left out.
    fn complex_series(&mut self, job: &Job) -> Result<(), JobError> {
        check_query(job.query())?;
        let seed = self.seed;
        let mut with_apos: Option<Job> = None;
        for (ligand, member) in job.members() {
            let ligand = ligand.unwrap_or_default();
            if !member.is_member_done(seed) {
                if self.watch.is_cancelled() {
                    return Err(EngineError::Cancelled.into());
                }
                if let Some(first) = &with_apos {
                    series::share_apos(first, &member, seed)?;
                }
                match self.whole(&member) {
                    Ok(_) => {}
                    Err(JobError::Engine(EngineError::Input(reason))) => {
                        self.write(EventKind::Warning { message: format!("{ligand}: {reason}") })?;
                        let path = member.failure_mark(seed);
                        let folder = member.seed_folder(seed);
                        std::fs::create_dir_all(&folder).map_err(JobError::write(&folder))?;
                        files::write_whole(&path, reason.as_bytes()).map_err(JobError::write(&path))?;
                    }
                    Err(error) => return Err(error),
                }
            }
            let (samples, ranking_score) = complexes::best_of_seed(&member, seed)?;
            self.write(EventKind::ComplexFinished { ligand, samples, ranking_score })?;
            if member.is_seed_done(seed) {
                with_apos.get_or_insert(member);
            }
        }
        Ok(())
    }

    fn write(&mut self, kind: EventKind) -> Result<(), JobError> {
        self.events.write(kind).map_err(JobError::write(self.events_path))
    }
}

/// Calls the engine; a panic in it becomes an error like others, so that whoever watches the job learns of it.
fn predict(
    engine: &dyn Engine,
    query: &Query,
    settings: &Settings,
    events: &mut dyn Events,
) -> Result<Prediction, JobError> {
    let call = AssertUnwindSafe(|| engine.predict(query, settings, events));
    match std::panic::catch_unwind(call) {
        Ok(prediction) => Ok(prediction?),
        Err(panic) => {
            let message = panic
                .downcast_ref::<&str>()
                .map(|text| (*text).to_owned())
                .or_else(|| panic.downcast_ref::<String>().cloned())
                .unwrap_or_else(|| "unknown".into());
            Err(JobError::Panic { engine: engine.name().display_name(), message })
        }
    }
}

/// The lock of a job, held while this lives.
struct JobLock(File);

impl Drop for JobLock {
    fn drop(&mut self) {
        // Closing the file would do, but for a process that another thread is starting at this moment: until it runs its
        // own program it holds a copy of the file, and with it the lock. Unlocking releases all copies. A failure
        // leaves the lock to the end of the process, where the system takes it back.
        drop(self.0.unlock());
    }
}

/// Takes the job's lock and writes this process into it, or says who holds it. Whoever asks whether the job is running
/// ([`Job::is_running`]) holds the lock for an instant, so a lock that is taken is tried again before it counts.
fn lock(folder: &Path) -> Result<JobLock, JobError> {
    let path = folder.join("worker.lock");
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path)
        .map_err(JobError::write(&path))?;
    let mut taken = file.try_lock();
    for _ in 0..LOCK_TRIES {
        if !matches!(taken, Err(TryLockError::WouldBlock)) {
            break;
        }
        std::thread::sleep(LOCK_PAUSE);
        taken = file.try_lock();
    }
    match taken {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut text = String::new();
            let process = file.read_to_string(&mut text).ok().and_then(|_| text.trim().parse().ok());
            return Err(JobError::Running { path: folder.to_owned(), process });
        }
        Err(TryLockError::Error(error)) => return Err(JobError::write(&path)(error)),
    }
    let text = format!("{}\n", std::process::id());
    file.set_len(0).and_then(|()| file.write_all(text.as_bytes())).map_err(JobError::write(&path))?;
    Ok(JobLock(file))
}

/// Looks for the `cancel` file from a thread of its own, so that engines may ask as often as they like.
struct CancelWatch {
    cancelled: Arc<AtomicBool>,
    path: PathBuf,
}

impl CancelWatch {
    fn start(path: PathBuf) -> Self {
        let cancelled = Arc::new(AtomicBool::new(path.exists()));
        let (flag, file) = (Arc::downgrade(&cancelled), path.clone());
        let thread = std::thread::Builder::new().name("cancel-watch".into()).spawn(move || {
            // Ends with the job: the flag is gone then.
            while let Some(flag) = flag.upgrade() {
                if is_over(&file) {
                    flag.store(true, Ordering::Relaxed);
                    return;
                }
                drop(flag);
                std::thread::sleep(CANCEL_INTERVAL);
            }
        });
        // Without the thread a request is still seen between seeds.
        drop(thread);
        Self { cancelled, path }
    }

    fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed) || is_over(&self.path)
    }
}

/// Whether the job is to stop: somebody asked, or its folder is gone and with it whoever wanted the outputs.
fn is_over(cancel: &Path) -> bool {
    cancel.exists() || !cancel.parent().is_some_and(Path::is_dir)
}

/// What the engine sees of the job.
struct Reporter<'a> {
    events: &'a mut EventWriter,
    events_path: &'a Path,
    watch: &'a CancelWatch,
    /// Of the seed's outputs.
    folder: PathBuf,
    /// The finished ligands of a series.
    parts: Option<Parts>,
    /// Why an event or a finished ligand could not be written. The work then has to stop: nobody could follow it, and the
    /// outputs would fail for the same reason.
    failure: Option<JobError>,
}

impl Reporter<'_> {
    fn write(&mut self, kind: EventKind) {
        if self.failure.is_none() {
            self.failure = self.events.write(kind).map_err(JobError::write(self.events_path)).err();
        }
    }

    /// What the engine makes of the job, ligands that an earlier worker finished included.
    fn predict(&mut self, engine: &dyn Engine, job: &Job, settings: &Settings) -> Result<Prediction, JobError> {
        let Some(parts) = &self.parts else { return predict(engine, job.query(), settings, self) };
        let rest = parts.rest_of(job.query());
        let finished = parts.finished()?;
        let had_some = !finished.is_empty();
        for (ligand, poses, score_kcal_per_mol) in finished {
            self.write(EventKind::LigandFinished { ligand, poses, score_kcal_per_mol });
        }
        let is_needed =
            !rest.series.is_empty() || rest.ligands().next().is_some() || settings.docking.ensemble_conformers > 0;
        let made = if is_needed { predict(engine, &rest, settings, self) } else { Ok(Prediction::default()) };
        let mut prediction = match made {
            // Of a series whose other ligands were docked before, nothing that is left can be.
            Err(JobError::Engine(EngineError::Input(reason))) if had_some => {
                self.warning(&reason);
                Prediction::default()
            }
            other => other?,
        };
        if let Some(parts) = &self.parts {
            prediction.samples.retain(|sample| !parts.holds(&sample.ligand_name));
            prediction.samples.extend(parts.samples()?);
        }
        Ok(prediction)
    }
}

impl Events for Reporter<'_> {
    fn progress(&mut self, progress: Progress) {
        self.write(EventKind::Progress(progress));
    }

    fn warning(&mut self, message: &str) {
        self.write(EventKind::Warning { message: message.to_owned() });
    }

    fn finished(&mut self, samples: &[Sample]) {
        let Some(best) = samples.first() else { return };
        self.write(EventKind::LigandFinished {
            ligand: best.ligand_name.clone(),
            poses: samples.len() as u64,
            score_kcal_per_mol: best.score.score_kcal_per_mol,
        });
        if let (None, Some(parts)) = (&self.failure, &mut self.parts) {
            self.failure = parts.keep(samples).err();
        }
    }

    fn folder(&self) -> Option<&Path> {
        Some(&self.folder)
    }

    fn is_cancelled(&self) -> bool {
        self.failure.is_some() || self.watch.cancelled.load(Ordering::Relaxed)
    }
}
