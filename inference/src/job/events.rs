//! `events.jsonl`: what a worker says, for whoever watches.
//!
//! The file is only ever appended to, one JSON object a line, each line by one write. A reader keeps the place it has
//! reached and takes what is new; a line without its line break is still being written (or was cut by a kill) and is
//! left for later. A worker that finds such a stump at the end closes it with a line break before its own first line,
//! so one lost line never damages another.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use crate::engine::Progress;

/// Longest line a reader keeps; longer ones are not ours.
const MAX_LINE: usize = 1 << 20;

/// Progress within a stage is written at most this often.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(100);

/// One line of the file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Seconds since 1970, of the worker's clock.
    pub time: f64,
    /// What happened.
    #[serde(flatten)]
    pub kind: EventKind,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum EventKind {
    /// A worker took the job.
    Started {
        /// Its process.
        process: u32,
        /// Seeds of the job.
        seeds: u64,
        /// Seeds that an earlier worker has finished.
        seeds_done: u64,
        /// Ligands that are worked on one after the other within a seed.
        ligands: u64,
    },
    /// A seed is begun.
    SeedStarted {
        /// The seed.
        seed: u64,
    },
    /// Where the work on the current seed stands.
    Progress(Progress),
    /// Something the user should know although the work goes on.
    Warning {
        /// The text.
        message: String,
    },
    /// One ligand of the current seed is predicted; its poses are written with the seed.
    LigandFinished {
        /// Its name.
        ligand: String,
        /// Its poses.
        poses: u64,
        /// The best of them.
        score_kcal_per_mol: f32,
    },
    /// The complex with one ligand of a series is predicted, and its outputs for the current seed are complete.
    ComplexFinished {
        /// The ligand's name.
        ligand: String,
        /// Samples of the complex.
        samples: u64,
        /// The best of them, as K-Fold ranks.
        ranking_score: f64,
    },
    /// A seed's outputs are complete.
    SeedFinished {
        /// The seed.
        seed: u64,
    },
    /// The job is done.
    Finished,
    /// The worker stopped because the user asked.
    Cancelled,
    /// The worker gave up.
    Failed {
        /// Why and what to do.
        message: String,
        /// Whether the cause was the machine's and may pass (a full disk): worth another try as it is.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        may_pass: bool,
    },
}

/// Appends events.
#[derive(Debug)]
pub struct EventWriter {
    file: File,
    last_progress: Option<(Instant, String)>,
}

impl EventWriter {
    /// Opens the file for appending, creating it when it is not there.
    ///
    /// # Errors
    /// Whatever the file system says.
    pub fn open(path: &Path) -> io::Result<Self> {
        let mut file = OpenOptions::new().read(true).append(true).create(true).open(path)?;
        if file.metadata()?.len() > 0 {
            file.seek(SeekFrom::End(-1))?;
            let mut last = [0];
            file.read_exact(&mut last)?;
            if last != *b"\n" {
                file.write_all(b"\n")?;
            }
        }
        Ok(Self { file, last_progress: None })
    }

    /// Appends an event. Progress is thinned out: a new stage and the last step of one are always written.
    ///
    /// # Errors
    /// Whatever the file system says.
    pub fn write(&mut self, kind: EventKind) -> io::Result<()> {
        if let EventKind::Progress(progress) = &kind {
            let now = Instant::now();
            let is_last_step = progress.steps > 0 && progress.step >= progress.steps;
            if let Some((time, stage)) = &self.last_progress
                && *stage == progress.stage
                && !is_last_step
                && now.duration_since(*time) < PROGRESS_INTERVAL
            {
                return Ok(());
            }
            self.last_progress = Some((now, progress.stage.clone()));
        } else {
            self.last_progress = None;
        }
        let time = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis() as f64 / 1000.0;
        let mut line = serde_json::to_vec(&Event { time, kind })?;
        line.push(b'\n');
        self.file.write_all(&line)
    }
}

/// Follows an event file.
#[derive(Debug)]
pub struct EventReader {
    path: PathBuf,
    offset: u64,
    /// The beginning of a line whose end is not there yet.
    stump: Vec<u8>,
    skipped: u64,
}

impl EventReader {
    /// A reader at the beginning of the file, which need not exist yet.
    #[must_use]
    pub fn new(path: PathBuf) -> Self {
        Self { path, offset: 0, stump: Vec::new(), skipped: 0 }
    }

    /// The events since the last call; none when there is no file yet.
    ///
    /// # Errors
    /// Whatever the file system says.
    pub fn read_new(&mut self) -> io::Result<Vec<Event>> {
        let mut file = match File::open(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            file => file?,
        };
        let length = file.metadata()?.len();
        if length < self.offset {
            // Another file under the same name.
            self.offset = 0;
            self.stump.clear();
        }
        file.seek(SeekFrom::Start(self.offset))?;
        let mut file = file.take(length - self.offset);
        let mut events = Vec::new();
        let mut block = vec![0; 1 << 16];
        loop {
            let read = file.read(&mut block)?;
            if read == 0 {
                return Ok(events);
            }
            self.offset += read as u64;
            let mut rest = &block[..read];
            while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
                self.stump.extend_from_slice(&rest[..end]);
                rest = &rest[end + 1..];
                self.take_line(&mut events);
            }
            if self.stump.len() + rest.len() <= MAX_LINE {
                self.stump.extend_from_slice(rest);
            }
        }
    }

    /// Complete lines that were no events, because a worker was killed while writing them.
    #[must_use]
    pub fn skipped(&self) -> u64 {
        self.skipped
    }

    fn take_line(&mut self, events: &mut Vec<Event>) {
        match serde_json::from_slice(&self.stump) {
            Ok(event) => events.push(event),
            Err(_) if self.stump.is_empty() => {}
            Err(_) => self.skipped += 1,
        }
        self.stump.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn progress(stage: &str, step: u64, steps: u64) -> EventKind {
        EventKind::Progress(Progress { stage: stage.into(), step, steps, message: String::new() })
    }

    #[test]
    fn a_reader_follows_and_survives_half_lines() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("events.jsonl");
        let mut reader = EventReader::new(path.clone());
        assert!(reader.read_new().unwrap().is_empty());
        let mut writer = EventWriter::open(&path).unwrap();
        writer.write(EventKind::Started { process: 7, seeds: 1, seeds_done: 0, ligands: 1 }).unwrap();
        assert_eq!(reader.read_new().unwrap().len(), 1);
        assert!(reader.read_new().unwrap().is_empty());

        // A line arrives in two halves.
        let line = br#"{"time":1.0,"event":"finished"}"#;
        let mut file = OpenOptions::new().append(true).open(&path).unwrap();
        file.write_all(&line[..9]).unwrap();
        assert!(reader.read_new().unwrap().is_empty());
        file.write_all(&line[9..]).unwrap();
        file.write_all(b"\n").unwrap();
        assert_eq!(reader.read_new().unwrap(), [Event { time: 1.0, kind: EventKind::Finished }]);

        // A worker dies within a line; the next one starts on a new line.
        file.write_all(&line[..9]).unwrap();
        let mut writer = EventWriter::open(&path).unwrap();
        writer.write(EventKind::Cancelled).unwrap();
        let events = reader.read_new().unwrap();
        assert_eq!(events.len(), 1);
        assert_eq!(events[0].kind, EventKind::Cancelled);
        assert_eq!(reader.skipped(), 1);
    }

    #[test]
    fn progress_is_thinned_but_never_its_ends() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("events.jsonl");
        let mut writer = EventWriter::open(&path).unwrap();
        for step in 0..=5_000 {
            writer.write(progress("search", step, 5_000)).unwrap();
        }
        writer.write(progress("check", 0, 0)).unwrap();
        let events = EventReader::new(path).read_new().unwrap();
        assert!(events.len() < 1_000, "{}", events.len());
        assert_eq!(events[0].kind, progress("search", 0, 5_000));
        assert_eq!(events[events.len() - 2].kind, progress("search", 5_000, 5_000));
        assert_eq!(events[events.len() - 1].kind, progress("check", 0, 0));
    }

    #[test]
    fn every_event_survives_the_file() {
        let kinds = [
            EventKind::Started { process: 1, seeds: 3, seeds_done: 1, ligands: 4 },
            EventKind::SeedStarted { seed: u64::MAX },
            progress("search", 1, 2),
            EventKind::Warning { message: "a \"quoted\"\nline".into() },
            EventKind::LigandFinished { ligand: "L".into(), poses: 9, score_kcal_per_mol: -8.25 },
            EventKind::SeedFinished { seed: 4 },
            EventKind::Finished,
            EventKind::Cancelled,
            EventKind::Failed { message: "no".into(), may_pass: false },
            EventKind::Failed { message: "full".into(), may_pass: true },
        ];
        for kind in kinds {
            let event = Event { time: 12.5, kind };
            let text = serde_json::to_string(&event).unwrap();
            assert!(!text.contains('\n'));
            assert_eq!(serde_json::from_str::<Event>(&text).unwrap(), event);
        }
    }
}
