//! A series cut into pieces: jobs of their own, whose outputs are put together again.
//!
//! Ligands of a series do not know of each other, so a thousand of them can be run by twenty workers, and a worker that is
//! lost costs one piece. A piece is a job directory in `pieces/NUMBER` of its job, with a part of the series. What is put
//! together from the pieces is what one worker would have written, byte for byte.

use std::io;
use std::path::{Path, PathBuf};

use super::output::{copy_output, write_records, write_summary};
use super::{Job, JobError, PoseRecord, files, read_json, series};
use crate::engine::EngineName;
use crate::query::{Query, SeriesLigand};
use crate::settings::Settings;

/// Into how many pieces a series is cut when each has `ligands` at most; 1 when it is not worth it, when the query has
/// ligands beside the series, which belong to no piece when docked. K-Fold, which takes minutes where docking takes seconds, gets
/// a tenth of the ligands in a piece.
#[must_use]
pub fn count(query: &Query, engine: EngineName, ligands: usize) -> u32 {
    let ligands = match engine {
        EngineName::Docking if query.ligands().next().is_some() => return 1,
        EngineName::Docking => ligands,
        EngineName::KFold => series::ligands_per_piece(ligands),
    };
    query.series.len().div_ceil(ligands.max(1)).clamp(1, u32::MAX as usize) as u32
}

/// The directory of a piece, counted from 1.
#[must_use]
pub fn folder(job: &Path, number: u32) -> PathBuf {
    job.join("pieces").join(format!("{number:05}"))
}

/// The ligands of a piece: as equal in number as can be.
fn ligands_of(series: &[SeriesLigand], number: u32, pieces: u32) -> &[SeriesLigand] {
    let place = |index: u32| series.len() * index as usize / pieces.max(1) as usize;
    series.get(place(number.saturating_sub(1))..place(number)).unwrap_or_default()
}

/// Makes the directory of a piece, if it is not there yet.
///
/// # Errors
/// As [`Job::create`].
pub fn create(job: &Job, number: u32, pieces: u32) -> Result<Job, JobError> {
    let folder = folder(job.folder(), number);
    if folder.join("query.json").is_file() {
        return Job::open(&folder);
    }
    let mut query = job.query().clone();
    query.series = ligands_of(&job.query().series, number, pieces).to_vec();
    let mut settings: Settings = job.settings().clone();
    if number != 1 {
        // One is enough, and it is the same for every piece.
        settings.docking.ensemble_conformers = 0;
    }
    Job::create(&folder, &query, &settings)
}

/// Puts the outputs of finished pieces together as the outputs of the job. `numbers` are the pieces to take, in order; K-Fold's
/// finished ligands are taken from every piece.
///
/// # Errors
/// When a piece cannot be read or the job cannot be written.
pub fn merge(job: &Job, numbers: &[u32]) -> Result<(), JobError> {
    files::remove_leftovers(job.folder()).map_err(JobError::write(job.folder()))?;
    if job.is_complex_series() {
        return series::merge(job);
    }
    for seed in &job.settings().seeds {
        if !job.is_seed_done(*seed) {
            merge_seed(job, *seed, numbers)?;
        }
    }
    write_summary(job)
}

fn merge_seed(job: &Job, seed: u64, numbers: &[u32]) -> Result<(), JobError> {
    let target = job.seed_folder(seed);
    let folder = job.folder().join(format!("{}seed-{seed}", files::TEMPORARY_PREFIX));
    std::fs::create_dir(&folder).map_err(JobError::write(&folder))?;
    let mut poses = Vec::new();
    let mut records: Vec<PoseRecord> = Vec::new();
    for number in numbers {
        let piece = Job::open(&self::folder(job.folder(), *number))?;
        let from = piece.seed_folder(seed);
        let path = from.join("poses.sdf");
        poses.extend(std::fs::read(&path).map_err(JobError::read(&path))?);
        let of_piece: Vec<PoseRecord> = read_json(&from.join("poses.json"))?;
        for entry in std::fs::read_dir(&from).map_err(JobError::read(&from))? {
            let entry = entry.map_err(JobError::read(&from))?;
            let Some(name) = entry.file_name().to_str().map(str::to_owned) else { continue };
            let complex = name.strip_prefix(&format!("{}_complex_", job.query().name));
            let complex = complex.and_then(|rest| rest.strip_suffix(".cif")?.parse::<usize>().ok());
            let target = match (complex, name.as_str()) {
                (Some(index), _) => format!("{}_complex_{}.cif", job.query().name, records.len() + index),
                // The same in every piece that has it; one for each conformer that poses lie on.
                (None, receptor) if receptor.starts_with("receptor") && !folder.join(receptor).exists() => name.clone(),
                (None, "ensemble.pdb" | "ensemble.cif" | "rmsf.csv" | "ensemble.json") => name.clone(),
                _ => continue,
            };
            copy_output(&from.join(&name), &folder.join(target))?;
        }
        records.extend(of_piece);
    }
    write_records(job, seed, &folder, &poses, &records)?;
    match std::fs::rename(&folder, &target) {
        // A folder without `done`: nobody's any more.
        Err(error) if matches!(error.kind(), io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::AlreadyExists) => {
            std::fs::remove_dir_all(&target).map_err(JobError::write(&target))?;
            std::fs::rename(&folder, &target).map_err(JobError::write(&target))
        }
        renamed => renamed.map_err(JobError::write(&target)),
    }
}

/// Removes the directories of the pieces, whose outputs are in the job now.
///
/// # Errors
/// Whatever the file system says.
pub fn remove(job: &Path) -> Result<(), JobError> {
    let folder = job.join("pieces");
    match std::fs::remove_dir_all(&folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(JobError::write(&folder)(error)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::LigandSource;

    #[test]
    fn every_ligand_is_in_one_piece() {
        let ligand = |index: usize| SeriesLigand {
            name: index.to_string(),
            source: LigandSource::Smiles("C".into()),
            measured_pk: None,
        };
        for (ligands, at_most) in [(1, 50), (50, 50), (51, 50), (1_000, 7), (3, 2)] {
            let query = Query { series: (0..ligands).map(ligand).collect(), ..Query::default() };
            let pieces = count(&query, EngineName::Docking, at_most);
            let parts: Vec<_> = (1..=pieces).map(|number| ligands_of(&query.series, number, pieces)).collect();
            assert!(parts.iter().all(|part| !part.is_empty() && part.len() <= at_most), "{ligands} {at_most}");
            assert_eq!(parts.concat(), query.series);
        }
    }
}
