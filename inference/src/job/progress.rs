//! Where a job stands, from its events: for the window, the command line and the server alike.

use crate::engine::Progress;
use crate::job::events::{Event, EventKind};

/// Whether a job runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum JobState {
    /// No worker has taken it yet.
    #[default]
    Waiting,
    /// A worker has begun and has not said that it ended (it may have been killed: see
    /// [`super::Job::is_running`]).
    Running,
    /// Every seed is done.
    Finished,
    /// Stopped on request.
    Cancelled,
    /// The worker gave up.
    Failed(String),
}

/// Where a job stands.
#[derive(Clone, Debug, Default)]
pub struct JobProgress {
    /// Whether it runs.
    pub state: JobState,
    /// Seeds of the job.
    pub seeds: u64,
    /// Seeds that are done.
    pub seeds_done: u64,
    /// The seed in work.
    pub seed: Option<u64>,
    /// Ligands of each seed, worked on one after the other.
    pub ligands: u64,
    /// Ligands of the seed in work that are done.
    pub ligands_done: u64,
    /// Where the work on that seed stands.
    pub progress: Option<Progress>,
    /// What the workers warned of.
    pub warnings: Vec<String>,
    seed_started: Option<f64>,
    stage_started: Option<(f64, u64)>,
    ligand_started: Option<f64>,
    last_time: f64,
    seed_durations: Vec<f64>,
    /// Ligands of this seed that were worked on by this worker, and the seconds they took: finished ones that were kept take none.
    timed_ligands: (u64, f64),
}

impl JobProgress {
    /// Takes an event in.
    pub fn apply(&mut self, event: &Event) {
        self.last_time = event.time;
        match &event.kind {
            EventKind::Started { seeds, seeds_done, ligands, .. } => {
                let warnings = std::mem::take(&mut self.warnings);
                *self = Self {
                    state: JobState::Running,
                    seeds: *seeds,
                    seeds_done: *seeds_done,
                    ligands: *ligands,
                    warnings,
                    last_time: event.time,
                    ..Self::default()
                };
            }
            EventKind::SeedStarted { seed } => {
                self.seed = Some(*seed);
                self.progress = None;
                self.timed_ligands = (0, 0.0);
                self.ligands_done = 0;
                self.seed_started = Some(event.time);
                self.ligand_started = Some(event.time);
                self.stage_started = None;
            }
            EventKind::LigandFinished { .. } | EventKind::ComplexFinished { .. } => {
                self.ligands_done += 1;
                if let (Some(started), Some(_)) = (self.ligand_started, &self.progress) {
                    self.timed_ligands.0 += 1;
                    self.timed_ligands.1 += (event.time - started).max(0.0);
                }
                self.ligand_started = Some(event.time);
                self.progress = None;
                self.stage_started = None;
            }
            EventKind::Progress(progress) => {
                let is_new_stage = self.progress.as_ref().is_none_or(|last| last.stage != progress.stage);
                if is_new_stage || self.stage_started.is_none() {
                    self.stage_started = Some((event.time, progress.step));
                }
                self.progress = Some(progress.clone());
            }
            EventKind::Warning { message } => {
                if !self.warnings.contains(message) {
                    self.warnings.push(message.clone());
                }
            }
            EventKind::SeedFinished { .. } => {
                self.seeds_done += 1;
                if let Some(started) = self.seed_started.take() {
                    self.seed_durations.push((event.time - started).max(0.0));
                }
                self.seed = None;
                self.progress = None;
                self.stage_started = None;
            }
            EventKind::Finished => self.state = JobState::Finished,
            EventKind::Cancelled => self.state = JobState::Cancelled,
            EventKind::Failed { message, .. } => self.state = JobState::Failed(message.clone()),
        }
    }

    /// Share of the current stage that is done, 0-1, when the engine knows.
    #[must_use]
    pub fn stage_fraction(&self) -> Option<f32> {
        let progress = self.progress.as_ref()?;
        (progress.steps > 0).then(|| (progress.step as f32 / progress.steps as f32).clamp(0.0, 1.0))
    }

    /// Share of the whole job that is done, 0-1: of its ligands and seeds where there are several, else of the current stage.
    #[must_use]
    pub fn fraction(&self) -> Option<f32> {
        if self.seeds <= 1 && self.ligands <= 1 {
            return self.stage_fraction();
        }
        let of_seed = match self.seed {
            Some(_) => (self.ligands_done as f32 / self.ligands.max(1) as f32).min(1.0),
            None => 0.0,
        };
        Some(((self.seeds_done as f32 + of_seed) / self.seeds.max(1) as f32).clamp(0.0, 1.0))
    }

    /// Seconds left, as far as can be told at `now` (seconds since 1970): the pace of the current stage, for the ligands
    /// to come the time that finished ones took, and for the seeds to come the time of finished ones. `None` until there
    /// is something to judge by.
    #[must_use]
    pub fn seconds_left(&self, now: f64) -> Option<f64> {
        if self.state != JobState::Running {
            return None;
        }
        let now = now.max(self.last_time);
        let mean_seed = (!self.seed_durations.is_empty())
            .then(|| self.seed_durations.iter().sum::<f64>() / self.seed_durations.len() as f64);
        let pace_left = self.ligands_left(now);
        let seed_left = match (mean_seed, self.seed_started) {
            // The pace speaks for what is going on alone; a finished seed has had everything.
            (Some(mean), Some(started)) => Some((mean - (now - started)).max(pace_left.unwrap_or(0.0))),
            _ => pace_left,
        };
        let seeds_to_come = self.seeds.saturating_sub(self.seeds_done + u64::from(self.seed.is_some()));
        if seeds_to_come == 0 {
            return seed_left;
        }
        // The seed in work tells how long one takes before any is finished.
        let per_seed = mean_seed.or_else(|| Some(seed_left? + (now - self.seed_started?)))?;
        Some(seed_left.unwrap_or(0.0) + per_seed * seeds_to_come as f64)
    }

    /// Time left for the ligand in work and those after it.
    fn ligands_left(&self, now: f64) -> Option<f64> {
        let stage_left = self.stage_left(now);
        let in_work = now - self.ligand_started?;
        let (timed, seconds) = self.timed_ligands;
        let mean_ligand = (timed > 0).then(|| seconds / timed as f64);
        let ligand_left = match mean_ligand {
            Some(mean) => Some((mean - in_work).max(stage_left.unwrap_or(0.0))),
            None => stage_left,
        };
        let to_come = self.ligands.saturating_sub(self.ligands_done + 1) as f64;
        let per_ligand = mean_ligand.or_else(|| Some(ligand_left? + in_work));
        Some(ligand_left? + if to_come > 0.0 { per_ligand? * to_come } else { 0.0 })
    }

    fn stage_left(&self, now: f64) -> Option<f64> {
        let progress = self.progress.as_ref()?;
        let (started, first_step) = self.stage_started?;
        let done = progress.step.checked_sub(first_step).filter(|done| *done > 0)? as f64;
        let left = progress.steps.checked_sub(progress.step)? as f64;
        // Time since the last report is work on the next step, not a slower pace.
        let pace = (self.last_time - started) / done;
        let since = (now - self.last_time).min(pace);
        Some((pace * left - since).max(0.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(time: f64, kind: EventKind) -> Event {
        Event { time, kind }
    }

    fn search(step: u64) -> EventKind {
        EventKind::Progress(Progress { stage: "search".into(), step, steps: 10, message: String::new() })
    }

    #[test]
    fn time_left_comes_from_the_pace() {
        let mut job = JobProgress::default();
        job.apply(&event(0.0, EventKind::Started { process: 1, seeds: 3, seeds_done: 0, ligands: 1 }));
        assert_eq!(job.state, JobState::Running);
        job.apply(&event(0.0, EventKind::SeedStarted { seed: 5 }));
        assert_eq!(job.seconds_left(0.0), None);
        job.apply(&event(0.0, search(0)));
        assert_eq!(job.seconds_left(1.0), None);
        job.apply(&event(4.0, search(2)));
        // 8 steps of 2 s, then two seeds of 20 s.
        assert_eq!(job.seconds_left(4.0), Some(16.0 + 40.0));
        assert_eq!(job.stage_fraction(), Some(0.2));
        job.apply(&event(20.0, EventKind::SeedFinished { seed: 5 }));
        assert_eq!(job.seconds_left(20.0), Some(40.0));
        job.apply(&event(20.0, EventKind::SeedStarted { seed: 6 }));
        assert_eq!(job.seconds_left(25.0), Some(15.0 + 20.0));
        // Slower than the last one: the stage's own pace wins.
        job.apply(&event(30.0, search(0)));
        job.apply(&event(50.0, search(5)));
        assert_eq!(job.seconds_left(50.0), Some(20.0 + 20.0));
        job.apply(&event(90.0, EventKind::Failed { message: "no".into(), may_pass: false }));
        assert_eq!(job.seconds_left(90.0), None);
        assert_eq!(job.state, JobState::Failed("no".into()));
    }

    #[test]
    fn finished_ligands_tell_how_long_the_others_take() {
        let mut job = JobProgress::default();
        job.apply(&event(0.0, EventKind::Started { process: 1, seeds: 1, seeds_done: 0, ligands: 5 }));
        job.apply(&event(0.0, EventKind::SeedStarted { seed: 1 }));
        job.apply(&event(0.0, search(0)));
        job.apply(&event(4.0, search(5)));
        // 4 s more of this ligand, 8 s for each of four.
        assert_eq!(job.seconds_left(4.0), Some(4.0 + 32.0));
        let finished = EventKind::LigandFinished { ligand: "a".into(), poses: 1, score_kcal_per_mol: -1.0 };
        job.apply(&event(10.0, finished));
        assert_eq!((job.ligands_done, job.seconds_left(10.0)), (1, Some(40.0)));
        assert_eq!(job.seconds_left(13.0), Some(37.0));
    }

    #[test]
    fn a_new_worker_starts_the_clock_again_and_keeps_warnings() {
        let mut job = JobProgress::default();
        job.apply(&event(0.0, EventKind::Started { process: 1, seeds: 2, seeds_done: 0, ligands: 1 }));
        job.apply(&event(0.0, EventKind::Warning { message: "w".into() }));
        job.apply(&event(0.0, EventKind::SeedStarted { seed: 1 }));
        job.apply(&event(500.0, EventKind::Started { process: 2, seeds: 2, seeds_done: 1, ligands: 1 }));
        job.apply(&event(500.0, EventKind::Warning { message: "w".into() }));
        assert_eq!((job.seeds_done, job.seed, job.warnings.len()), (1, None, 1));
    }
}
