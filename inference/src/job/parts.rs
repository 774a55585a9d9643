//! What a seed of a series has so far: the finished ligands, each in files of its own, so that an interruption costs one
//! ligand and not hundreds.
//!
//! ```text
//! seed-1.partial/
//!   ligand-3.sdf, ligand-3.json   poses of the third ligand of the series, as poses.sdf and poses.json have them
//!   receptor.pdb                  and receptor-2.pdb ... with several conformers
//! ```
//!
//! A seed is put together from these files also when nothing interrupted it: its outputs are then the same in either case.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use kfold_molecule::formats::sdf;

use super::output::{record_molecule, write_receptors};
use super::results::{PoseRecord, PoseResult, Receptors, load_poses, load_stored_poses};
use super::{Job, JobError, files, write_json};
use crate::engine::{EngineName, Sample};
use crate::query::Query;

/// The finished ligands of one seed.
pub(super) struct Parts {
    folder: PathBuf,
    /// Names of the series' ligands in order.
    names: Vec<String>,
    done: HashSet<String>,
}

/// The folder of a seed's finished ligands.
pub(super) fn folder_of(job: &Job, seed: u64) -> PathBuf {
    job.folder().join(format!("seed-{seed}.partial"))
}

impl Parts {
    /// What an earlier worker left of this seed; `None` for a job that docks no series. Ligands of another version of this
    /// program do not count.
    pub fn open(job: &Job, seed: u64) -> Result<Option<Self>, JobError> {
        if job.query().series.is_empty() || job.settings().engine != EngineName::Docking {
            return Ok(None);
        }
        let folder = folder_of(job, seed);
        std::fs::create_dir_all(&folder).map_err(JobError::write(&folder))?;
        files::remove_leftovers(&folder).map_err(JobError::write(&folder))?;
        let names: Vec<String> = job.query().series.iter().map(|ligand| ligand.name.clone()).collect();
        let mut parts = Self { folder, names, done: HashSet::new() };
        let is_ours = |pose: &PoseResult| pose.record.provenance.version == env!("CARGO_PKG_VERSION");
        let mut receptors = Receptors::new();
        for (number, name) in parts.names.iter().enumerate() {
            // A part that cannot be read is made again.
            let poses = load_poses(&parts.folder, &file_name(number), &mut receptors).unwrap_or_default();
            if !poses.is_empty() && poses.iter().all(is_ours) {
                parts.done.insert(name.clone());
            }
        }
        Ok(Some(parts))
    }

    /// Whether a ligand's samples are kept here.
    pub fn holds(&self, ligand: &str) -> bool {
        self.done.contains(ligand)
    }

    /// The query without the ligands that are done.
    pub fn rest_of(&self, query: &Query) -> Query {
        let mut rest = query.clone();
        rest.series.retain(|ligand| !self.done.contains(&ligand.name));
        rest
    }

    /// Keeps the samples of one ligand, if it is of the series.
    pub fn keep(&mut self, samples: &[Sample]) -> Result<(), JobError> {
        let Some(name) = samples.first().map(|sample| &sample.ligand_name) else { return Ok(()) };
        let Some(number) = self.names.iter().position(|known| known == name) else { return Ok(()) };
        write_receptors(&self.folder, samples)?;
        let molecules: Vec<_> = samples.iter().map(record_molecule).collect();
        let path = self.folder.join(format!("{}.sdf", file_name(number)));
        files::write_whole(&path, sdf::write(&molecules).as_bytes()).map_err(JobError::write(&path))?;
        // Last: with it the part is whole.
        let records: Vec<PoseRecord> = samples.iter().map(PoseRecord::of).collect();
        write_json(&self.folder.join(format!("{}.json", file_name(number))), &records)?;
        self.done.insert(name.clone());
        Ok(())
    }

    /// Samples of the finished ligands in the order of the series.
    pub fn samples(&self) -> Result<Vec<Sample>, JobError> {
        let (mut samples, mut receptors) = (Vec::new(), Receptors::new());
        for (number, _) in self.names.iter().enumerate().filter(|(_, name)| self.done.contains(*name)) {
            let poses = load_stored_poses(&self.folder, &file_name(number), &mut receptors)?;
            samples.extend(poses.into_iter().map(sample_of));
        }
        Ok(samples)
    }

    /// Finished ligands with the number of their poses and the best score, in order.
    pub fn finished(&self) -> Result<Vec<(String, u64, f32)>, JobError> {
        let mut finished: Vec<(String, u64, f32)> = Vec::new();
        for pose in poses_in(&self.folder, &self.names, &self.done)? {
            match finished.last_mut() {
                Some((name, poses, _)) if *name == pose.record.ligand_name => *poses += 1,
                _ => finished.push((pose.record.ligand_name, 1, pose.record.score.score_kcal_per_mol)),
            }
        }
        Ok(finished)
    }

    /// Removes the files, once the seed's own are there.
    pub fn remove(self) -> Result<(), JobError> {
        std::fs::remove_dir_all(&self.folder).map_err(JobError::write(&self.folder))
    }
}

/// The poses of a seed that is not finished; empty where there are none.
pub(super) fn poses_so_far(job: &Job, seed: u64) -> Result<Vec<PoseResult>, JobError> {
    let folder = folder_of(job, seed);
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let names: Vec<String> = job.query().series.iter().map(|ligand| ligand.name.clone()).collect();
    let is_there = |number: &usize| folder.join(format!("{}.json", file_name(*number))).is_file();
    let done = (0..names.len()).filter(is_there).map(|number| names[number].clone()).collect();
    poses_in(&folder, &names, &done)
}

fn file_name(number: usize) -> String {
    format!("ligand-{}", number + 1)
}

fn poses_in(folder: &Path, names: &[String], done: &HashSet<String>) -> Result<Vec<PoseResult>, JobError> {
    let (mut poses, mut receptors) = (Vec::new(), Receptors::new());
    for (number, _) in names.iter().enumerate().filter(|(_, name)| done.contains(*name)) {
        poses.extend(load_poses(folder, &file_name(number), &mut receptors)?);
    }
    Ok(poses)
}

/// The sample that a stored pose was.
fn sample_of(pose: PoseResult) -> Sample {
    let PoseResult { record, molecule, receptor } = pose;
    Sample {
        provenance: record.provenance,
        rank: record.rank,
        ligand_name: record.ligand_name,
        pocket: record.pocket,
        conformer: record.conformer,
        receptor,
        moved_atoms: record.moved_atoms,
        pose: molecule,
        score: record.score,
        interactions: record.interactions,
        checks: record.checks,
        measured_pk: record.measured_pk,
    }
}
