//! How long runs took here: what the time estimate of a plan is learned from.
//!
//! A file of lines, one for each stage of each run: the stage, on which device, of how many tokens, how much work it was
//! ([`super::plan`] counts it in multiplications, which scale as the algorithm does), and the seconds. An estimate takes the runs
//! of the same stage and device that were nearest in work, and scales their mean pace. Where there are none the time is unknown.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::plan::Stage;
use crate::job::files;

/// The end of the file that is read.
const READ: u64 = 1 << 20;
/// Size at which the file is cut to its newer half.
const LARGE: u64 = 2 << 20;
/// A run of so many times more or less work says nothing: another model, or what a small query spends its time on.
const FARTHEST: f64 = 300.0;
/// Runs that an estimate is made of, at most.
const NEAREST: usize = 5;

/// One stage of one run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunTime {
    /// Which.
    pub stage: Stage,
    /// The device, as [`super::plan::device_name`] calls it.
    pub device: String,
    /// Tokens of the query.
    pub tokens: usize,
    /// Multiplications.
    pub work: f64,
    /// How long it took.
    pub seconds: f64,
}

impl RunTime {
    fn is_sound(&self) -> bool {
        let is_positive = |value: f64| value.is_finite() && value > 0.0;
        is_positive(self.work) && is_positive(self.seconds)
    }
}

/// Past runs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RunTimes {
    path: Option<PathBuf>,
    runs: Vec<RunTime>,
}

impl RunTimes {
    /// Reads the file; one that is not there or damaged has nothing to say.
    #[must_use]
    pub fn load(path: &Path) -> Self {
        let lines = end_of(path).unwrap_or_default();
        let runs =
            lines.lines().filter_map(|line| serde_json::from_str::<RunTime>(line).ok()).filter(RunTime::is_sound);
        Self { path: Some(path.to_owned()), runs: runs.collect() }
    }

    /// These runs, kept in memory alone.
    #[must_use]
    pub fn of(runs: Vec<RunTime>) -> Self {
        Self { path: None, runs: runs.into_iter().filter(RunTime::is_sound).collect() }
    }

    /// Seconds that so much work of a stage will take here; `None` where nothing is known.
    #[must_use]
    pub fn estimate(&self, stage: Stage, device: &str, work: f64) -> Option<f64> {
        let mut near: Vec<(f64, f64)> = self
            .runs
            .iter()
            .rev()
            .filter(|run| run.stage == stage && run.device == device)
            .map(|run| ((run.work / work).ln().abs(), (run.seconds / run.work).ln()))
            .filter(|(distance, _)| *distance <= FARTHEST.ln())
            .collect();
        // Stable: of equally near ones the newest.
        near.sort_by(|a, b| a.0.total_cmp(&b.0));
        near.truncate(NEAREST);
        if near.is_empty() || !work.is_finite() || work <= 0.0 {
            return None;
        }
        // The nearer the more: the pace of a small query says little of a large one.
        let weight = |distance: f64| 1.0 / (0.1 + distance * distance);
        let total: f64 = near.iter().map(|(distance, _)| weight(*distance)).sum();
        let pace: f64 = near.iter().map(|(distance, pace)| weight(*distance) * pace).sum::<f64>() / total;
        Some(work * pace.exp())
    }

    /// Notes a run, in the file too. That it cannot be written is no reason to stop a prediction.
    pub fn note(&mut self, run: RunTime) {
        if !run.is_sound() {
            return;
        }
        if let Some(path) = &self.path {
            let _ = append(path, &run);
        }
        self.runs.push(run);
    }
}

fn append(path: &Path, run: &RunTime) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    if std::fs::metadata(path).is_ok_and(|metadata| metadata.len() > LARGE) {
        files::write_whole(path, end_of(path)?.as_bytes())?;
    }
    let mut line = serde_json::to_string(run)?;
    line.push('\n');
    // In one piece: other runs may be writing too.
    OpenOptions::new().create(true).append(true).open(path)?.write_all(line.as_bytes())
}

/// The last whole lines of a file.
fn end_of(path: &Path) -> std::io::Result<String> {
    let mut file = File::open(path)?;
    let start = file.metadata()?.len().saturating_sub(READ);
    file.seek(SeekFrom::Start(start))?;
    let mut bytes = Vec::new();
    file.take(READ).read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    Ok(if start == 0 { text } else { text.split_once('\n').map(|(_, rest)| rest.to_owned()).unwrap_or_default() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(stage: Stage, work: f64, seconds: f64) -> RunTime {
        RunTime { stage, device: "cpu".to_owned(), tokens: 64, work, seconds }
    }

    #[test]
    fn times_are_learned_and_scale_with_the_work() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("kfold-studio/run-times.jsonl");
        let mut times = RunTimes::load(&path);
        assert_eq!(times.estimate(Stage::Trunk, "cpu", 1e9), None);
        times.note(run(Stage::Trunk, 1e9, 2.0));
        times.note(run(Stage::Trunk, f64::NAN, 2.0));
        times.note(run(Stage::Trunk, 1e9, 0.0));
        let times = RunTimes::load(&path);
        assert_eq!(times.runs.len(), 1);
        let close = |a: Option<f64>, b: f64| a.is_some_and(|a| (a / b - 1.0).abs() < 1e-9);
        assert!(close(times.estimate(Stage::Trunk, "cpu", 8e9), 16.0));
        assert_eq!(times.estimate(Stage::Sampler, "cpu", 1e9), None);
        assert_eq!(times.estimate(Stage::Trunk, "cuda:0", 1e9), None);
        assert_eq!(times.estimate(Stage::Trunk, "cpu", f64::NAN), None);
        assert_eq!(times.estimate(Stage::Trunk, "cpu", 1e12), None, "too far from anything known");
    }

    #[test]
    fn near_runs_count_more() {
        let times = RunTimes::of(vec![run(Stage::Trunk, 1e6, 1.0), run(Stage::Trunk, 1e9, 10.0)]);
        let estimate = times.estimate(Stage::Trunk, "cpu", 1.2e9).unwrap();
        assert!((11.0..15.0).contains(&estimate), "{estimate}");
    }

    #[test]
    fn damaged_lines_are_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run-times.jsonl");
        let good = serde_json::to_string(&run(Stage::Apo, 1.0, 1.0)).unwrap();
        std::fs::write(
            &path,
            format!("\u{0}garbage\n{{\"stage\":\"none\"}}\n{good}\n{{\"stage\":\"apo\",\"work\":1e9"),
        )
        .unwrap();
        assert_eq!(RunTimes::load(&path).runs.len(), 1);
    }
}
