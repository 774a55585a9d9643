//! A series as its followers see it: one job, although several workers run its pieces.
//!
//! What the pieces say is passed on into the job's own event file: ligands as they are finished, warnings, and how many of
//! all ligands are done. A server that comes back begins anew with a `Started`, after which followers count from nothing
//! again, and passes everything on once more.

use std::collections::HashSet;
use std::io;
use std::path::Path;

use kfold_inference::engine::Progress;
use kfold_inference::job::events::{Event, EventKind, EventReader, EventWriter};
use kfold_inference::job::{Job, JobError, pieces};

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
            PieceEnd::Failed(message) => EventKind::Failed { message: message.clone(), may_pass: false },
            PieceEnd::Cancelled => EventKind::Cancelled,
        };
        self.writer.write(last)
    }
}

/// Puts the outputs of ended pieces together and says how the job ended by that; `None` when the machine is in the way (its disk
/// is full) and it is to be tried again. A piece whose engine gave up (none of its ligands could be docked) is a warning; a piece
/// that was lost again and again is a failure, beside the outputs of the others.
pub(crate) fn conclude(
    folder: &Path,
    ends: &[Option<PieceEnd>],
    was_cancelled: bool,
    events: Option<SeriesEvents>,
) -> Option<PieceEnd> {
    let mut warnings = Vec::new();
    let end = match conclude_job(folder, ends, was_cancelled, &mut warnings) {
        Ok(end) => end,
        Err(error) if error.may_pass() => {
            log::warning("series_not_put_together", &[("error", &error)]);
            return None;
        }
        Err(error) => PieceEnd::Failed(without_folder(&error.to_string(), folder)),
    };
    let said = match events {
        Some(events) => Ok(events),
        None => Job::open(folder).map_err(io::Error::other).and_then(|job| SeriesEvents::new(&job, ends.len() as u32)),
    };
    if let Err(error) = said.and_then(|mut events| events.finish(warnings, &end)) {
        log::warning("series_events", &[("error", &error)]);
    }
    if end == PieceEnd::Finished
        && let Err(error) = pieces::remove(folder)
    {
        log::warning("pieces_kept", &[("error", &error)]);
    }
    Some(end)
}

fn conclude_job(
    folder: &Path,
    ends: &[Option<PieceEnd>],
    was_cancelled: bool,
    warnings: &mut Vec<String>,
) -> Result<PieceEnd, JobError> {
    if was_cancelled && ends.contains(&Some(PieceEnd::Cancelled)) {
        return Ok(PieceEnd::Cancelled);
    }
    let job = Job::open(folder)?;
    if job.is_done() {
        // Put together by a server that was lost before it could say so.
        return Ok(PieceEnd::Finished);
    }
    let (mut finished, mut lost, mut why) = (Vec::new(), Vec::new(), None);
    for (number, end) in (1_u32..).zip(ends) {
        let reason = match end {
            Some(PieceEnd::Finished) => {
                finished.push(number);
                continue;
            }
            Some(PieceEnd::Failed(reason)) => reason.clone(),
            Some(PieceEnd::Cancelled) | None => "it was stopped".into(),
        };
        if is_verdict(&pieces::folder(folder, number)) {
            warnings.push(format!("piece {number} of the series: {reason}"));
        } else {
            lost.push(number.to_string());
            why.get_or_insert(reason);
        }
    }
    let nothing = |warnings: &[String]| {
        let reason = why.clone().or_else(|| warnings.first().cloned()).unwrap_or_default();
        Ok(PieceEnd::Failed(format!("no part of the series could be run: {reason}")))
    };
    // K-Fold's finished ligands are worth having also where every worker was lost.
    if finished.is_empty() && !job.is_complex_series() {
        return nothing(warnings);
    }
    match pieces::merge(&job, &finished) {
        Err(error) if finished.is_empty() && !error.may_pass() => return nothing(warnings),
        merged => merged?,
    }
    let Some(why) = why else { return Ok(PieceEnd::Finished) };
    Ok(PieceEnd::Failed(format!(
        "the workers of {} of {} pieces were lost again and again (pieces {}): {why}; the outputs of the others are there",
        lost.len(),
        ends.len(),
        lost.join(", ")
    )))
}

/// Whether a piece ended by the engine's word, which another try would not change.
fn is_verdict(folder: &Path) -> bool {
    let events = EventReader::new(folder.join("events.jsonl")).read_new().unwrap_or_default();
    matches!(events.last(), Some(Event { kind: EventKind::Failed { may_pass: false, .. }, .. }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use kfold_inference::engine::EngineName;
    use kfold_inference::query::{Query, QueryFormat};
    use kfold_inference::settings::Settings;

    /// A series of four ligands in two pieces, of which each said a last word, or none.
    fn series(folder: &Path, last_words: [Option<EventKind>; 2]) {
        let text = "name: s\nsequences: []\nstructure: tripeptide.pdb\nengine: {name: docking}\nseries:\n";
        let ligands = ["CCO", "CCN", "CCCl", "CCC"].map(|smiles| format!("- {{id: {smiles}, smiles: {smiles}}}\n"));
        let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../inference/tests/data");
        let query = Query::parse(&format!("{text}{}", ligands.concat()), QueryFormat::Yaml, &data).unwrap();
        let settings = Settings { engine: EngineName::Docking, ..Settings::default() };
        let job = Job::create(folder, &query, &settings).unwrap();
        for (number, word) in (1..).zip(last_words) {
            let piece = pieces::create(&job, number, 2).unwrap();
            if let Some(word) = word {
                EventWriter::open(&piece.events_path()).unwrap().write(word).unwrap();
            }
        }
    }

    fn failed(message: &str, may_pass: bool) -> Option<EventKind> {
        Some(EventKind::Failed { message: message.into(), may_pass })
    }

    #[test]
    fn a_series_of_which_nothing_was_docked_has_failed_and_says_why() {
        for (words, why) in [
            ([failed("no pocket", false), failed("no pocket", false)], "piece 1 of the series: no pocket"),
            ([failed("no pocket", false), failed("no pocket", true)], "no pocket"),
            ([None, None], "no pocket"),
        ] {
            let folder = tempfile::tempdir().unwrap();
            let folder = folder.path().join("job");
            series(&folder, words);
            let ends = [(); 2].map(|()| Some(PieceEnd::Failed("no pocket".into())));
            let end = conclude(&folder, &ends, false, None);
            assert_eq!(end, Some(PieceEnd::Failed(format!("no part of the series could be run: {why}"))));
            let last = EventReader::new(folder.join("events.jsonl")).read_new().unwrap().pop().unwrap();
            assert!(matches!(last.kind, EventKind::Failed { may_pass: false, .. }), "{last:?}");
        }
    }
}
