//! The results of a run, laid out for the panel: ligands with their poses, best first, and the statistics of a series.

use std::path::PathBuf;
use std::sync::Arc;

use kfold_inference::engine::{PoseScore, Provenance};
use kfold_inference::job::{PoseResult, Results};
use kfold_inference::kfold::modules::affinity_head::AffinityPrediction;
use kfold_inference::kfold::modules::confidence_metrics::ConfidenceSummary;
use kfold_inference::kfold::prediction::LigandRecord;
use kfold_inference::query::Query;
use kfold_inference::settings::Settings;
use kfold_molecule::analysis::interactions::{self, Interaction};
use kfold_molecule::analysis::pose_checks::PoseCheck;
use kfold_molecule::{AtomSet, SmallMolecule, Structure, selection};

/// A pose of one ligand.
#[derive(Clone, Debug)]
pub struct Pose {
    /// Who made it and how.
    pub provenance: Provenance,
    /// The receptor as used.
    pub receptor: Arc<Structure>,
    /// The ligand in the pose.
    pub molecule: Arc<SmallMolecule>,
    /// Energies.
    pub score: PoseScore,
    /// What it does to its surroundings.
    pub interactions: Arc<Vec<Interaction>>,
    /// Whether it is sound.
    pub checks: Vec<PoseCheck>,
}

impl Pose {
    /// Who made it, as it is shown: never K-Fold for a docking pose.
    #[must_use]
    pub fn engine_text(&self) -> String {
        format!("docking ({})", self.provenance.scoring)
    }

    /// Checks passed.
    #[must_use]
    pub fn passed(&self) -> usize {
        self.checks.iter().filter(|check| check.passed).count()
    }
}

/// One ligand and its poses.
#[derive(Clone, Debug)]
pub struct LigandOutcome {
    /// Its name: chain id, or name in the series.
    pub name: String,
    /// Poses of all seeds, best first.
    pub poses: Vec<Pose>,
    /// Measured pK, when given.
    pub measured_pk: Option<f32>,
}

/// A ligand of a complex that K-Fold sampled.
#[derive(Clone, Debug)]
pub struct ComplexLigand {
    /// The ligand as predicted, with the input's bond orders.
    pub molecule: Arc<SmallMolecule>,
    /// What is known of it.
    pub record: LigandRecord,
    /// What it does to its surroundings; the receptor's atoms by their index in the complex.
    pub interactions: Arc<Vec<Interaction>>,
}

/// A complex that K-Fold sampled.
#[derive(Clone, Debug)]
pub struct Complex {
    /// Its seed.
    pub seed: u64,
    /// Its number among the seed's samples, from 0.
    pub sample: usize,
    /// The ligand of a series that this is the complex with.
    pub ligand: Option<String>,
    /// The complex, pLDDT as B-factors.
    pub structure: Arc<Structure>,
    /// How sure the model is.
    pub confidence: ConfidenceSummary,
    /// Its ligands, each with what is known of it.
    pub ligands: Vec<ComplexLigand>,
    /// The file of its arrays, where they were saved.
    pub arrays: Option<PathBuf>,
    /// The file of the sampler's steps from the unbound structure to this sample, where they were saved.
    pub trajectory: Option<PathBuf>,
    /// The pK that the affinity head predicts for the ligand of a series, where its weights were there.
    pub predicted_activity: Option<f32>,
}

/// What a run gave.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The run's folder.
    pub folder: PathBuf,
    /// The query as the run had it, paths in the folder.
    pub query: Query,
    /// Its settings.
    pub settings: Settings,
    /// Ligands in the order of the query.
    pub ligands: Vec<LigandOutcome>,
    /// Conformers of the protein, when asked for.
    pub conformers: Option<Arc<Structure>>,
    /// Complexes of all seeds, best first; none after docking.
    pub complexes: Vec<Complex>,
    /// What K-Fold's affinity head said, by seed.
    pub affinities: Vec<(u64, AffinityPrediction)>,
}

impl Outcome {
    /// Lays out what a job has produced: poses of all seeds together, best score first within each ligand.
    #[must_use]
    pub fn of(results: Results) -> Self {
        let mut ligands: Vec<LigandOutcome> = Vec::new();
        let mut conformers = None;
        let complexes = results.ranked_complexes().into_iter().map(|complex| Complex {
            seed: complex.seed,
            sample: complex.sample,
            ligand: complex.ligand.clone(),
            structure: Arc::new(complex.structure.clone()),
            confidence: complex.confidence.clone(),
            ligands: complex
                .ligands
                .iter()
                .map(|(molecule, record)| bound(&complex.structure, molecule, record))
                .collect(),
            arrays: complex.arrays.clone(),
            trajectory: complex.trajectory.clone(),
            predicted_activity: complex.predicted_activity,
        });
        let complexes = complexes.collect();
        let affinities = results.seeds.iter().filter_map(|seed| Some((seed.seed, seed.affinity.clone()?))).collect();
        for seed in results.seeds {
            if conformers.is_none() {
                conformers = seed.ensemble.map(|ensemble| Arc::new(ensemble.structure));
            }
            for PoseResult { record, molecule, receptor } in seed.poses {
                let pose = Pose {
                    provenance: record.provenance,
                    receptor,
                    molecule: Arc::new(molecule),
                    score: record.score,
                    interactions: Arc::new(record.interactions),
                    checks: record.checks,
                };
                match ligands.iter_mut().find(|ligand| ligand.name == record.ligand_name) {
                    Some(ligand) => ligand.poses.push(pose),
                    None => ligands.push(LigandOutcome {
                        name: record.ligand_name,
                        poses: vec![pose],
                        measured_pk: record.measured_pk,
                    }),
                }
            }
        }
        for ligand in &mut ligands {
            ligand.poses.sort_by(|a, b| a.score.better_first(&b.score));
        }
        Self {
            folder: results.job.folder().to_owned(),
            query: results.job.query().clone(),
            settings: results.job.settings().clone(),
            ligands,
            conformers,
            complexes,
            affinities,
        }
    }

    /// Makers of the results by name, as they are shown.
    #[must_use]
    pub fn engine_text(&self) -> String {
        match self.ligands.iter().flat_map(|ligand| &ligand.poses).next() {
            Some(pose) => pose.engine_text(),
            None => self.settings.engine.display_name().to_owned(),
        }
    }

    /// Poses over all ligands.
    #[must_use]
    pub fn pose_count(&self) -> usize {
        self.ligands.iter().map(|ligand| ligand.poses.len()).sum()
    }

    /// Whether networks judged any pose.
    #[must_use]
    pub fn has_cnn(&self) -> bool {
        self.ligands.iter().flat_map(|ligand| &ligand.poses).any(|pose| pose.score.cnn.is_some())
    }
}

/// A ligand of a complex with its interactions; none where it cannot be told from its surroundings.
fn bound(complex: &Structure, molecule: &SmallMolecule, record: &LigandRecord) -> ComplexLigand {
    let found = || {
        let model = complex.first()?;
        let pose = molecule.conformers.first()?;
        let is_own = |atom: &usize| {
            let residue = model.topology.residue_of(*atom);
            model.topology.chain_of(residue).id == record.chain.as_str()
        };
        let others: Vec<usize> = (0..model.positions.len()).filter(|atom| !is_own(atom)).collect();
        let atoms = AtomSet::from_indices(model.positions.len(), others.iter().copied());
        let receptor = selection::subset_of(model, &atoms);
        let mut found = interactions::find(&receptor, molecule, pose).ok()?;
        // The subset keeps the order of atoms.
        for interaction in &mut found {
            for atom in &mut interaction.receptor_atoms {
                *atom = others.get(*atom as usize).map_or(0, |index| *index as u32);
            }
        }
        Some(found)
    };
    ComplexLigand {
        molecule: Arc::new(molecule.clone()),
        record: record.clone(),
        interactions: Arc::new(found().unwrap_or_default()),
    }
}
