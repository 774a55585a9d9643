//! A series as its followers see it: one job, although several workers run its pieces.
//!
//! What the pieces say is passed on into the job's own event file: ligands as they are finished, warnings, and how many of
//! all ligands are done. A server that comes back begins anew with a `Started`, after which followers count from nothing
//! again, and passes everything on once more.

use std::collections::HashSet;
use std::io;
use std::path::Path;

use kfold_inference::engine::Progress;
use kfold_inference::job::events::{EventKind, EventReader, EventWriter};
use kfold_inference::job::{Job, JobProgress, JobState, pieces};
use kfold_inference::remote::protocol::RemoteState;

use crate::index::PieceEnd;
use crate::log;
use crate::scheduler::without_folder;

/// The events of a series that runs.
pub(crate) struct SeriesEvents {
    writer: EventWriter,
    readers: Vec<EventReader>,
    seeds: Vec<u64>,
    /// Ligands of each piece and seed that were passed on: a piece that is run again says them again.
    passed: HashSet<(usize, u64, String)>,
    seed_of_piece: Vec<u64>,
    warnings: HashSet<String>,
    ligands: u64,
}

impl SeriesEvents {
    pub fn new(job: &Job, pieces: u32) -> io::Result<Self> {
        let mut writer = EventWriter::open(&job.events_path())?;
        let seeds = job.settings().seeds.clone();
        let ligands = (job.query().series.len() * seeds.len()) as u64;
        let first = seeds.first().copied().unwrap_or_default();
        writer.write(EventKind::Started {
            process: std::process::id(),
            seeds: seeds.len() as u64,
            seeds_done: 0,
            ligands,
        })?;
        writer.write(EventKind::SeedStarted { seed: first })?;
        let readers = (1..=pieces)
            .map(|number| EventReader::new(pieces::folder(job.folder(), number).join("events.jsonl")))
            .collect();
        Ok(Self {
            writer,
            readers,
            seeds,
            passed: HashSet::new(),
            seed_of_piece: vec![first; pieces as usize],
            warnings: HashSet::new(),
            ligands,
        })
    }

    /// Passes on what is new.
    pub fn pass_on(&mut self) -> io::Result<()> {
        for (piece, reader) in self.readers.iter_mut().enumerate() {
            for event in reader.read_new()? {
                match event.kind {
                    EventKind::SeedStarted { seed } => self.seed_of_piece[piece] = seed,
                    EventKind::LigandFinished { ligand, poses, score_kcal_per_mol }
                        if self.passed.insert((piece, self.seed_of_piece[piece], ligand.clone())) =>
                    {
                        let message = ligand.clone();
                        self.writer.write(EventKind::LigandFinished { ligand, poses, score_kcal_per_mol })?;
                        let step = self.passed.len() as u64;
                        let progress = Progress { stage: "search".into(), step, steps: self.ligands, message };
                        self.writer.write(EventKind::Progress(progress))?;
                    }
                    EventKind::ComplexFinished { ligand, samples, ranking_score }
                        if self.passed.insert((piece, self.seed_of_piece[piece], ligand.clone())) =>
                    {
                        let message = ligand.clone();
                        self.writer.write(EventKind::ComplexFinished { ligand, samples, ranking_score })?;
                        let step = self.passed.len() as u64;
                        let progress = Progress { stage: "sampling".into(), step, steps: self.ligands, message };
                        self.writer.write(EventKind::Progress(progress))?;
                    }
                    EventKind::Warning { message } if self.warnings.insert(message.clone()) => {
                        self.writer.write(EventKind::Warning { message })?;
                    }
                    _ => {}
                }
            }
        }
        Ok(())
    }

    fn finish(&mut self, warnings: Vec<String>, end: &PieceEnd) -> io::Result<()> {
        self.pass_on()?;
        for message in warnings {
            self.writer.write(EventKind::Warning { message })?;
        }
        let last = match end {
            PieceEnd::Finished => {
                for seed in self.seeds.clone() {
                    self.writer.write(EventKind::SeedFinished { seed })?;
                }
                EventKind::Finished
            }
            PieceEnd::Failed(message) => EventKind::Failed { message: message.clone() },
            PieceEnd::Cancelled => EventKind::Cancelled,
        };
        self.writer.write(last)
    }
}

/// Puts the outputs of ended pieces together and says how the job ended by that. A piece whose engine gave up (none of its
/// ligands could be docked) is a warning; a piece that was lost again and again is a failure, beside the outputs of the
/// others.
pub(crate) fn conclude(
    folder: &Path,
    states: &[RemoteState],
    was_cancelled: bool,
    events: Option<SeriesEvents>,
) -> PieceEnd {
    let mut warnings = Vec::new();
    let end = match conclude_job(folder, states, was_cancelled, &mut warnings) {
        Ok(end) => end,
        Err(error) => PieceEnd::Failed(without_folder(&error.to_string(), folder)),
    };
    let said = match events {
        Some(events) => Ok(events),
        None => {
            Job::open(folder).map_err(io::Error::other).and_then(|job| SeriesEvents::new(&job, states.len() as u32))
        }
    };
    if let Err(error) = said.and_then(|mut events| events.finish(warnings, &end)) {
        log::warning("series_events", &[("error", &error)]);
    }
    if end == PieceEnd::Finished
        && let Err(error) = pieces::remove(folder)
    {
        log::warning("pieces_kept", &[("error", &error)]);
    }
    end
}

fn conclude_job(
    folder: &Path,
    states: &[RemoteState],
    was_cancelled: bool,
    warnings: &mut Vec<String>,
) -> Result<PieceEnd, kfold_inference::job::JobError> {
    if was_cancelled && states.contains(&RemoteState::Cancelled) {
        return Ok(PieceEnd::Cancelled);
    }
    let job = Job::open(folder)?;
    if job.is_done() {
        // Put together by a server that was lost before it could say so.
        return Ok(PieceEnd::Finished);
    }
    let mut finished = Vec::new();
    let mut lost = Vec::new();
    for (number, state) in (1_u32..).zip(states) {
        if *state == RemoteState::Finished {
            finished.push(number);
            continue;
        }
        match verdict(&pieces::folder(folder, number)) {
            Some(reason) => warnings.push(format!("piece {number} of the series: {}", without_folder(&reason, folder))),
            None => lost.push(number.to_string()),
        }
    }
    // K-Fold's finished ligands are worth having also where every worker was lost.
    let merged = pieces::merge(&job, &finished);
    if merged.is_err() && finished.is_empty() {
        return Ok(PieceEnd::Failed(match warnings.first() {
            Some(reason) => reason.clone(),
            None => "the worker of every piece of the series was lost".into(),
        }));
    }
    merged?;
    if lost.is_empty() {
        return Ok(PieceEnd::Finished);
    }
    Ok(PieceEnd::Failed(format!(
        "the workers of {} of {} pieces were lost again and again (pieces {}); the outputs of the others are there",
        lost.len(),
        states.len(),
        lost.join(", ")
    )))
}

/// Why the engine gave a piece up, if it was the engine.
fn verdict(folder: &Path) -> Option<String> {
    let mut progress = JobProgress::default();
    let events = EventReader::new(folder.join("events.jsonl")).read_new().unwrap_or_default();
    events.iter().for_each(|event| progress.apply(event));
    if let JobState::Failed(reason) = progress.state { Some(reason) } else { None }
}
