//! The results of a run, laid out for the panel: ligands with their poses, best first, and the statistics of a series.

use std::path::PathBuf;
use std::sync::Arc;

use kfold_inference::engine::{PoseScore, Provenance};
use kfold_inference::job::{PoseResult, Results};
use kfold_inference::kfold::modules::confidence_metrics::ConfidenceSummary;
use kfold_inference::kfold::prediction::LigandRecord;
use kfold_inference::query::Query;
use kfold_inference::settings::Settings;
use kfold_molecule::analysis::interactions::Interaction;
use kfold_molecule::analysis::pose_checks::PoseCheck;
use kfold_molecule::{SmallMolecule, Structure};

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

/// A complex that K-Fold sampled.
#[derive(Clone, Debug)]
pub struct Complex {
    /// Its seed.
    pub seed: u64,
    /// Its number among the seed's samples, from 0.
    pub sample: usize,
    /// The complex, pLDDT as B-factors.
    pub structure: Arc<Structure>,
    /// How sure the model is.
    pub confidence: ConfidenceSummary,
    /// Its ligands, each with what is known of it.
    pub ligands: Vec<(SmallMolecule, LigandRecord)>,
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
            structure: Arc::new(complex.structure.clone()),
            confidence: complex.confidence.clone(),
            ligands: complex.ligands.clone(),
        });
        let complexes = complexes.collect();
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
            ligand.poses.sort_by(|a, b| a.score.score_kcal_per_mol.total_cmp(&b.score.score_kcal_per_mol));
        }
        Self {
            folder: results.job.folder().to_owned(),
            query: results.job.query().clone(),
            settings: results.job.settings().clone(),
            ligands,
            conformers,
            complexes,
        }
    }

    /// Poses over all ligands.
    #[must_use]
    pub fn pose_count(&self) -> usize {
        self.ligands.iter().map(|ligand| ligand.poses.len()).sum()
    }

    /// Rank correlations with the measured pK over the ligands that have both: of the best score (sign turned, so that
    /// a better score counts as higher), and of the number of heavy atoms, the baseline every score has to beat.
    #[must_use]
    pub fn correlations(&self) -> Option<Correlations> {
        let rows: Vec<(f32, f32, f32)> = self
            .ligands
            .iter()
            .filter_map(|ligand| {
                let best = ligand.poses.first()?.score;
                Some((ligand.measured_pk?, -best.score_kcal_per_mol, best.heavy_atoms as f32))
            })
            .collect();
        let column = |pick: fn(&(f32, f32, f32)) -> f32| rows.iter().map(pick).collect::<Vec<f32>>();
        let measured = column(|row| row.0);
        Some(Correlations {
            count: rows.len(),
            score: spearman(&measured, &column(|row| row.1))?,
            heavy_atoms: spearman(&measured, &column(|row| row.2)),
        })
    }
}

/// Rank correlations of a series.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Correlations {
    /// Ligands with a measured and a predicted value.
    pub count: usize,
    /// Spearman's coefficient of the best scores.
    pub score: f32,
    /// Spearman's coefficient of the numbers of heavy atoms; `None` when they are all equal.
    pub heavy_atoms: Option<f32>,
}

/// Spearman's rank correlation, ties sharing their mean rank; `None` for fewer than three pairs or a constant column.
#[must_use]
pub fn spearman(a: &[f32], b: &[f32]) -> Option<f32> {
    if a.len() != b.len() || a.len() < 3 {
        return None;
    }
    let (a, b) = (ranks(a), ranks(b));
    let mean = (a.len() as f64 + 1.0) / 2.0;
    let product: f64 = a.iter().zip(&b).map(|(x, y)| (x - mean) * (y - mean)).sum();
    let spread = |ranks: &[f64]| ranks.iter().map(|rank| (rank - mean).powi(2)).sum::<f64>();
    let scale = (spread(&a) * spread(&b)).sqrt();
    (scale > 0.0).then(|| (product / scale) as f32)
}

fn ranks(values: &[f32]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&x, &y| values[x].total_cmp(&values[y]));
    let mut ranks = vec![0.0; values.len()];
    let mut start = 0;
    while start < order.len() {
        let mut end = start + 1;
        while end < order.len() && values[order[end]] == values[order[start]] {
            end += 1;
        }
        // Ranks count from 1; tied values share the mean of theirs.
        let rank = (start + end + 1) as f64 / 2.0;
        for &index in &order[start..end] {
            ranks[index] = rank;
        }
        start = end;
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Expected values from scipy.stats.spearmanr.
    #[test]
    fn spearman_agrees_with_scipy() {
        let a = [6.729, 6.098, 6.047, 6.531, 5.2, 7.0];
        let b = [8.1, 7.9, 8.1, 7.0, 6.5, 9.0];
        assert!((spearman(&a, &b).unwrap() - 0.695_725_24).abs() < 1e-5);
        assert!((spearman(&[1.0, 2.0, 3.0], &[3.0, 2.0, 1.0]).unwrap() + 1.0).abs() < 1e-6);
        assert!(spearman(&[1.0, 2.0, 3.0], &[5.0, 5.0, 5.0]).is_none());
        assert!(spearman(&[1.0, 2.0], &[1.0, 2.0]).is_none());
    }
}
