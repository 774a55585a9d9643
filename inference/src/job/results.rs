//! Reading back what a job has produced so far: all that the window, the server and reports ever see of a run.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use kfold_molecule::analysis::interactions::Interaction;
use kfold_molecule::analysis::pose_checks::PoseCheck;
use kfold_molecule::formats;
use kfold_molecule::{SmallMolecule, Structure};
use serde::{Deserialize, Serialize};

use super::complexes::{self, ComplexResult};
use super::series;
use super::{Job, JobError, parts, read_json};
use crate::engine::{EngineName, PoseScore, Provenance, Sample, with_moved_atoms};
use crate::kfold::modules::affinity_head::AffinityPrediction;
use crate::statistics::{Comparison, Measured, compare};

/// What is known of a pose beside its coordinates; a line of `poses.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PoseRecord {
    /// Name of the ligand: its chain id in the query, or its name in a series.
    pub ligand_name: String,
    /// 1 is the best of its ligand and seed.
    pub rank: u32,
    /// Energies.
    pub score: PoseScore,
    /// What the ligand does to its surroundings.
    pub interactions: Vec<Interaction>,
    /// Whether the pose is sound.
    pub checks: Vec<PoseCheck>,
    /// Measured affinity, when the input gave one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measured_pk: Option<f32>,
    /// Number of the pocket, best first from 1, when the engine looked for pockets itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pocket: Option<u32>,
    /// Number of the receptor's conformer among those of `ensemble.pdb`, from 1, when there was a choice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conformer: Option<u32>,
    /// Atoms of the receptor, by index, that a flexible side chain has moved, with their places in Å.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub moved_atoms: Vec<(u32, [f32; 3])>,
    /// Who made it.
    pub provenance: Provenance,
}

impl PoseRecord {
    pub(super) fn of(sample: &Sample) -> Self {
        Self {
            ligand_name: sample.ligand_name.clone(),
            rank: sample.rank,
            score: sample.score,
            interactions: sample.interactions.clone(),
            checks: sample.checks.clone(),
            measured_pk: sample.measured_pk,
            pocket: sample.pocket,
            conformer: sample.conformer,
            moved_atoms: sample.moved_atoms.clone(),
            provenance: sample.provenance.clone(),
        }
    }
}

/// A pose.
#[derive(Clone, Debug)]
pub struct PoseResult {
    /// Its numbers.
    pub record: PoseRecord,
    /// The ligand with bond orders and hydrogens; one conformer.
    pub molecule: SmallMolecule,
    /// The receptor as this pose has it: its conformer, with the side chains that turned.
    pub receptor: Arc<Structure>,
}

/// Conformers of the receptor.
#[derive(Clone, Debug)]
pub struct ReceptorConformers {
    /// One model each; the first is the input.
    pub structure: Structure,
    /// Å, one for each residue of the first model's topology; 0 where there is none.
    pub rmsf: Vec<f32>,
    /// Å RMSD over CA, one for each conformer after the first.
    pub amplitudes: Vec<f32>,
}

/// The outputs of one seed.
#[derive(Clone, Debug)]
pub struct SeedResults {
    /// The seed.
    pub seed: u64,
    /// The receptor of the first pose; interactions count its atoms. `None` when there is no pose.
    pub receptor: Option<Structure>,
    /// Poses in the engine's order: best first within each ligand.
    pub poses: Vec<PoseResult>,
    /// The receptor's conformers, when asked for.
    pub ensemble: Option<ReceptorConformers>,
    /// The complexes that K-Fold sampled, in the order of sampling; none after docking.
    pub complexes: Vec<ComplexResult>,
    /// K-Fold's affinity head's answer, where its weights were there.
    pub affinity: Option<AffinityPrediction>,
}

/// What a job has produced so far.
#[derive(Clone, Debug)]
pub struct Results {
    /// The job.
    pub job: Job,
    /// Its finished seeds in the order of the settings, and of a series whose seed is not finished the ligands that are.
    pub seeds: Vec<SeedResults>,
}

impl Results {
    /// Reads a job directory. A job that has not run has no seeds.
    ///
    /// # Errors
    /// When there is no job, or when a finished seed cannot be read.
    pub fn load(folder: &Path) -> Result<Self, JobError> {
        Self::load_job(&Job::open(folder)?)
    }

    /// The same for an open job.
    ///
    /// # Errors
    /// When a finished seed cannot be read.
    pub fn load_job(job: &Job) -> Result<Self, JobError> {
        let mut seeds = Vec::new();
        for seed in &job.settings().seeds {
            if job.is_complex_series() {
                let complexes = series::load_seed(job, *seed)?;
                if !complexes.is_empty() {
                    seeds.push(SeedResults {
                        seed: *seed,
                        receptor: None,
                        poses: Vec::new(),
                        ensemble: None,
                        complexes,
                        // Each ligand has its own, in its own tree; the seed as a whole has none.
                        affinity: None,
                    });
                }
                continue;
            }
            if job.is_seed_done(*seed) {
                seeds.push(match job.settings().engine {
                    EngineName::Docking => load_seed(&job.seed_folder(*seed), *seed)?,
                    EngineName::KFold => SeedResults {
                        seed: *seed,
                        receptor: None,
                        poses: Vec::new(),
                        ensemble: None,
                        complexes: complexes::load_seed(job, *seed)?,
                        affinity: complexes::load_affinity(job, *seed)?,
                    },
                });
                continue;
            }
            let poses = parts::poses_so_far(job, *seed)?;
            if !poses.is_empty() {
                let receptor = poses.first().map(|pose| Structure::clone(&pose.receptor));
                let (ensemble, complexes, affinity) = (None, Vec::new(), None);
                seeds.push(SeedResults { seed: *seed, receptor, poses, ensemble, complexes, affinity });
            }
        }
        Ok(Self { job: job.clone(), seeds })
    }

    /// How well the predicted pK of the best poses follows the measured ones; `None` for fewer than three measured ligands.
    #[must_use]
    pub fn comparison(&self) -> Option<Comparison> {
        compare(&measured_affinities(self.ranked_poses().into_iter().map(|(_, pose)| &pose.record)))
    }

    /// All poses with the index of their seed in [`Self::seeds`]: the ligands by predicted affinity, each with its poses, best
    /// first.
    #[must_use]
    pub fn ranked_poses(&self) -> Vec<(usize, &PoseResult)> {
        let mut poses: Vec<(usize, &PoseResult)> = self
            .seeds
            .iter()
            .enumerate()
            .flat_map(|(index, seed)| seed.poses.iter().map(move |pose| (index, pose)))
            .collect();
        sort_best_first(&mut poses, |(_, pose)| &pose.record);
        poses
    }

    /// All complexes that K-Fold sampled, best first; of equals the first seed and sample.
    #[must_use]
    pub fn ranked_complexes(&self) -> Vec<&ComplexResult> {
        let mut complexes: Vec<&ComplexResult> = self.seeds.iter().flat_map(|seed| &seed.complexes).collect();
        complexes.sort_by(|a, b| {
            let score = |complex: &ComplexResult| complex.confidence.complex.ranking_score;
            score(b).total_cmp(&score(a)).then((a.seed, a.sample).cmp(&(b.seed, b.sample)))
        });
        complexes
    }
}

/// Measured beside predicted affinities of the best poses; the records must be best first within each ligand.
fn measured_affinities<'a>(records: impl Iterator<Item = &'a PoseRecord>) -> Vec<Measured> {
    let mut seen = HashSet::new();
    records
        .filter(|record| seen.insert(record.ligand_name.as_str()))
        .filter_map(|record| {
            Some(Measured {
                measured_pk: record.measured_pk?,
                predicted_pk: record.score.predicted_pk(),
                heavy_atoms: record.score.heavy_atoms,
            })
        })
        .collect()
}

/// Ligands by the pK predicted for their best pose, the poses of one together, better ones first. Stable: equals keep the order
/// of seeds and ranks.
pub(super) fn sort_best_first<T>(poses: &mut [T], record: impl Fn(&T) -> &PoseRecord) {
    poses.sort_by(|a, b| record(a).score.better_first(&record(b).score));
    let mut seen = HashSet::new();
    let best = poses.iter().map(&record).filter(|pose| seen.insert(pose.ligand_name.as_str()));
    let mut ligands: Vec<(String, f32)> =
        best.map(|pose| (pose.ligand_name.clone(), pose.score.predicted_pk())).collect();
    ligands.sort_by(|(_, a), (_, b)| b.total_cmp(a));
    let places: HashMap<String, usize> =
        ligands.into_iter().enumerate().map(|(place, (name, _))| (name, place)).collect();
    poses.sort_by_key(|pose| places.get(&record(pose).ligand_name).copied());
}

/// Reads a seed that was docked.
fn load_seed(folder: &Path, seed: u64) -> Result<SeedResults, JobError> {
    let poses = load_poses(folder, "poses", &mut Receptors::new())?;
    let receptor = poses.first().map(|pose| Structure::clone(&pose.receptor));
    let path = structure_path(folder, "ensemble");
    let ensemble = if path.is_file() {
        let structure = formats::read_structure(&path).map_err(|error| JobError::content(&path, error))?;
        Some(ReceptorConformers {
            rmsf: read_rmsf(&folder.join("rmsf.csv"), &structure)?,
            amplitudes: read_json(&folder.join("ensemble.json"))?,
            structure,
        })
    } else {
        None
    };
    Ok(SeedResults { seed, receptor, poses, ensemble, complexes: Vec::new(), affinity: None })
}

/// The receptors of a folder that were read so far, by conformer.
pub(super) type Receptors = Vec<(Option<u32>, Arc<Structure>)>;

/// The poses of `NAME.json` and `NAME.sdf`, with the receptors beside them.
pub(super) fn load_poses(folder: &Path, name: &str, receptors: &mut Receptors) -> Result<Vec<PoseResult>, JobError> {
    let mut poses = load_stored_poses(folder, name, receptors)?;
    for pose in &mut poses {
        pose.receptor = with_moved_atoms(&pose.receptor, &pose.record.moved_atoms);
    }
    Ok(poses)
}

/// The same with receptors as the files have them, whatever the poses moved.
pub(super) fn load_stored_poses(
    folder: &Path,
    name: &str,
    receptors: &mut Receptors,
) -> Result<Vec<PoseResult>, JobError> {
    let records: Vec<PoseRecord> = read_json(&folder.join(format!("{name}.json")))?;
    if records.is_empty() {
        return Ok(Vec::new());
    }
    let sdf = folder.join(format!("{name}.sdf"));
    let molecules = formats::read_small_molecules(&sdf).map_err(|error| JobError::content(&sdf, error))?;
    if molecules.len() != records.len() {
        let problem = format!("{} poses, but {name}.json has {}", molecules.len(), records.len());
        return Err(JobError::content(&sdf, problem));
    }
    let mut poses = Vec::with_capacity(records.len());
    for (record, molecule) in records.into_iter().zip(molecules) {
        let known = receptors.iter().find(|(conformer, _)| *conformer == record.conformer);
        let receptor = match known {
            Some((_, receptor)) => Arc::clone(receptor),
            None => {
                let receptor = Arc::new(load_receptor(folder, record.conformer)?);
                receptors.push((record.conformer, Arc::clone(&receptor)));
                receptor
            }
        };
        poses.push(PoseResult { record, molecule, receptor });
    }
    Ok(poses)
}

/// The name, without extension, of the file of a receptor's conformer.
pub(super) fn receptor_name(conformer: Option<u32>) -> String {
    match conformer {
        None | Some(1) => "receptor".to_owned(),
        Some(number) => format!("receptor-{number}"),
    }
}

fn load_receptor(folder: &Path, conformer: Option<u32>) -> Result<Structure, JobError> {
    let path = structure_path(folder, &receptor_name(conformer));
    formats::read_structure(&path).map_err(|error| JobError::content(&path, error))
}

/// Structures are PDB files unless these cannot hold them.
fn structure_path(folder: &Path, name: &str) -> PathBuf {
    let path = folder.join(format!("{name}.cif"));
    if path.is_file() { path } else { folder.join(format!("{name}.pdb")) }
}

fn read_rmsf(path: &Path, structure: &Structure) -> Result<Vec<f32>, JobError> {
    let Some(model) = structure.first() else { return Ok(Vec::new()) };
    let topology = &model.topology;
    let mut reader = csv::Reader::from_path(path).map_err(|error| JobError::content(path, error))?;
    let mut values = HashMap::new();
    for row in reader.records() {
        let row = row.map_err(|error| JobError::content(path, error))?;
        let (Some(chain), Some(residue), Some(value)) = (row.get(0), row.get(1), row.get(3)) else { continue };
        let value: f32 = value.parse().map_err(|error| JobError::content(path, error))?;
        values.insert((chain.to_owned(), residue.to_owned()), value);
    }
    let value_of = |residue: &kfold_molecule::Residue| {
        values.get(&(topology.chain_of(residue).id.to_string(), residue.number_text())).copied().unwrap_or(0.0)
    };
    Ok(topology.residues.iter().map(value_of).collect())
}
