//! The ligands of a series as its table shows them: a docked one by its best pose, one that K-Fold predicted by its best sample.

use std::collections::BTreeMap;
use std::sync::Arc;

use kfold_inference::statistics::{Comparison, Measured, compare};
use kfold_molecule::chemistry::Descriptors;
use kfold_molecule::{Element, SmallMolecule};

use super::super::format::number;
use super::super::outcome::{Complex, ComplexLigand, LigandOutcome, Outcome, Pose};
use super::super::results_panel::{checks_cell, pk_text};
use super::super::widgets::table::Cell;
use super::{SortBy, Tag};

/// What speaks for a ligand.
#[derive(Clone, Copy)]
pub enum Best<'a> {
    /// Its best pose.
    Pose(&'a Pose),
    /// Its best sample.
    Sample(&'a Complex),
}

/// A ligand of a series.
pub struct Entry<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its measured pK, when given.
    pub measured_pk: Option<f32>,
    /// Its number among the ligands, or the rank of its best sample.
    pub index: usize,
    /// What speaks for it, when there is anything.
    pub best: Option<Best<'a>>,
    /// The predicted pK: of the networks or the energy after docking, of K-Fold's affinity head, over all seeds, where its weights
    /// were there.
    pub predicted_pk: Option<f32>,
}

impl Outcome {
    /// The ligands of a series: in the order of the query, or of K-Fold's ranking.
    #[must_use]
    pub fn entries(&self) -> Vec<Entry<'_>> {
        if self.complexes.is_empty() {
            fn entry((index, ligand): (usize, &LigandOutcome)) -> Entry<'_> {
                let (name, measured_pk) = (ligand.name.as_str(), ligand.measured_pk);
                let best = ligand.poses.first();
                let predicted_pk = best.map(|pose| pose.score.predicted_pk());
                Entry { name, measured_pk, index, best: best.map(Best::Pose), predicted_pk }
            }
            return self.ligands.iter().enumerate().map(entry).collect();
        }
        let mut entries: Vec<Entry<'_>> = Vec::new();
        for (index, complex) in self.complexes.iter().enumerate() {
            let Some(name) = complex.ligand.as_deref() else { continue };
            if entries.iter().all(|held| held.name != name) {
                let measured_pk =
                    self.query.series.iter().find(|held| held.name == name).and_then(|held| held.measured_pk);
                let predicted_pk = self.predicted_activity(name);
                entries.push(Entry { name, measured_pk, index, best: Some(Best::Sample(complex)), predicted_pk });
            }
        }
        entries
    }

    /// The mean of what the affinity head says of a ligand for each seed.
    fn predicted_activity(&self, ligand: &str) -> Option<f32> {
        let own = self.complexes.iter().filter(|complex| complex.ligand.as_deref() == Some(ligand));
        // All samples of a seed have the same one.
        let by_seed: BTreeMap<u64, f32> =
            own.filter_map(|complex| Some((complex.seed, complex.predicted_activity?))).collect();
        (!by_seed.is_empty()).then(|| by_seed.values().sum::<f32>() / by_seed.len() as f32)
    }

    /// How well the predicted pK follows the measured one over the ligands that have both, with the number of heavy atoms, the
    /// baseline every prediction has to beat, beside it.
    #[must_use]
    pub fn comparison(&self) -> Option<Comparison> {
        let measured = self.entries().into_iter().filter_map(|entry| {
            Some(Measured {
                measured_pk: entry.measured_pk?,
                predicted_pk: entry.predicted_pk?,
                heavy_atoms: entry.heavy_atoms()?,
            })
        });
        compare(&measured.collect::<Vec<_>>())
    }
}

impl<'a> Entry<'a> {
    fn pose(&self) -> Option<&'a Pose> {
        match self.best {
            Some(Best::Pose(pose)) => Some(pose),
            _ => None,
        }
    }

    fn sample(&self) -> Option<&'a Complex> {
        match self.best {
            Some(Best::Sample(complex)) => Some(complex),
            _ => None,
        }
    }

    /// The ligand in its best sample: the series adds it behind those that all complexes have.
    fn bound(&self) -> Option<&'a ComplexLigand> {
        self.sample()?.ligands.last()
    }

    /// The ligand as it was predicted.
    #[must_use]
    pub fn molecule(&self) -> Option<&'a Arc<SmallMolecule>> {
        match self.best? {
            Best::Pose(pose) => Some(&pose.molecule),
            Best::Sample(_) => Some(&self.bound()?.molecule),
        }
    }

    fn heavy_atoms(&self) -> Option<u32> {
        match self.best? {
            Best::Pose(pose) => Some(pose.score.heavy_atoms),
            Best::Sample(_) => {
                let atoms = &self.bound()?.molecule.atoms;
                Some(atoms.iter().filter(|atom| atom.element != Element::H).count() as u32)
            }
        }
    }

    /// Checks passed and made.
    #[must_use]
    pub fn checks(&self) -> Option<(usize, usize)> {
        let checks = match self.best? {
            Best::Pose(pose) => &pose.checks,
            Best::Sample(_) => &self.bound()?.record.checks,
        };
        Some((checks.iter().filter(|check| check.passed).count(), checks.len()))
    }

    /// The value that it is sorted by; nothing sorts last.
    #[must_use]
    pub fn value(&self, by: SortBy, descriptors: Option<&Descriptors>, tag: Tag) -> Option<f64> {
        let single = |value: Option<f32>| value.map(f64::from);
        match by {
            SortBy::Name => None,
            SortBy::Score => single(self.pose().map(|pose| pose.score.score_kcal_per_mol)),
            SortBy::Efficiency => single(self.pose().map(|pose| pose.score.ligand_efficiency_kcal_per_mol)),
            SortBy::Ranking => self.sample().map(|complex| complex.confidence.complex.ranking_score),
            SortBy::Plddt => single(self.bound().map(|ligand| ligand.record.plddt)),
            SortBy::Iptm => single(self.bound().and_then(|ligand| ligand.record.iptm)),
            SortBy::DockingScore => {
                let score = self.bound().and_then(|ligand| ligand.record.docking_score.as_ref());
                single(score.map(|docking| docking.score.score_kcal_per_mol))
            }
            SortBy::Predicted => single(self.predicted_pk),
            SortBy::Measured => single(self.measured_pk),
            SortBy::Weight => descriptors.map(|found| found.molecular_weight),
            SortBy::LogP => descriptors.map(|found| found.log_p),
            SortBy::Tpsa => descriptors.map(|found| found.tpsa),
            SortBy::Qed => descriptors.map(|found| found.qed),
            SortBy::Checks => self.checks().map(|(passed, all)| passed as f64 - all as f64),
            SortBy::Tag => Some(f64::from(tag as u8)),
        }
    }

    /// The value as it stands in a cell.
    #[must_use]
    pub fn cell(&self, by: SortBy, descriptors: Option<&Descriptors>) -> Cell {
        let digits = match by {
            SortBy::Checks => {
                return self.checks().map_or_else(|| "–".to_owned().into(), |(passed, all)| checks_cell(passed, all));
            }
            SortBy::Predicted => {
                if let Some(pose) = self.pose() {
                    return pk_text(pose).into();
                }
                1
            }
            SortBy::Weight | SortBy::Tpsa => 0,
            SortBy::Score | SortBy::DockingScore | SortBy::LogP | SortBy::Plddt => 1,
            SortBy::Ranking | SortBy::Iptm => 3,
            _ => 2,
        };
        let value = self.value(by, descriptors, Tag::None);
        value.map_or_else(|| "–".to_owned(), |value| number(value as f32, digits)).into()
    }
}
