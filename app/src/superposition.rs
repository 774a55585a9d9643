//! Laying one structure on another: by sequence, by shape or by selected atoms. The window and the command line do it alike.

use glam::Vec3;
use kfold_molecule::analysis::structure_alignment::{
    AlignmentRequest, Pairing, StructureAlignment, align, match_selected,
};
use kfold_molecule::analysis::superpose::{Transform, superpose};
use kfold_molecule::{AtomSet, Model};

/// Why two structures cannot be laid on each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LayError {
    /// Too little in common.
    #[error("they have fewer than three residues that can be paired; try by shape")]
    TooFew,
    /// Too few atoms of the selections stand for each other.
    #[error("fewer than three of the selected atoms can be paired by residue and name")]
    TooFewSelected,
}

/// One structure laid on another.
#[derive(Clone, Debug)]
pub struct Laid {
    /// Which residues stand for which, with RMSD and TM-scores.
    pub found: StructureAlignment,
    /// Lays the mobile model on the target.
    pub transform: Transform,
    /// Pairs that the superposition is made from.
    pub pairs: usize,
    /// Their RMSD, Å.
    pub rmsd: f32,
}

/// How well a model fits another that it is laid on.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct Fit {
    /// Of all pairs of residues, Å.
    pub rmsd_angstrom: f32,
    /// TM-score by the length of the model that was moved.
    pub tm_score_by_mobile: f64,
    /// TM-score by the length of the other.
    pub tm_score_by_target: f64,
}

impl Laid {
    /// The fit in numbers.
    #[must_use]
    pub fn fit(&self, mobile: &Model, target: &Model) -> Fit {
        let distances = self.distances(mobile, target);
        let square = distances.iter().map(|distance| f64::from(*distance).powi(2)).sum::<f64>();
        Fit {
            rmsd_angstrom: (square / distances.len().max(1) as f64).sqrt() as f32,
            tm_score_by_mobile: self.found.tm_score_by_mobile,
            tm_score_by_target: self.found.tm_score_by_target,
        }
    }

    /// Å between the atoms of each pair of residues after the transform, in the order of [`StructureAlignment::pairs`].
    #[must_use]
    pub fn distances(&self, mobile: &Model, target: &Model) -> Vec<f32> {
        let (a, b) = points(mobile, target, &self.found.pairs);
        a.iter().zip(&b).map(|(a, b)| self.transform.apply(*a).distance(*b)).collect()
    }
}

/// Lays a model on another; with `sets` on the selected atoms of both.
///
/// # Errors
/// When they have too little in common.
pub fn lay(
    mobile: &Model,
    target: &Model,
    pairing: Pairing,
    cutoff: Option<f32>,
    sets: Option<&(AtomSet, AtomSet)>,
) -> Result<Laid, LayError> {
    let request = AlignmentRequest { mobile, target, mobile_atoms: None, target_atoms: None, pairing, cutoff };
    let mut found = align(&request).ok_or(LayError::TooFew)?;
    let selected_pairs =
        |found: &StructureAlignment| sets.map(|(a, b)| match_selected((mobile, a), (target, b), &found.pairs));
    let mut atoms = selected_pairs(&found);
    // Chains that lie on others may have been asked for: then these alone are paired.
    if atoms.as_ref().is_some_and(|atoms| atoms.len() < 3)
        && let Some((first, second)) = sets
        && let Some(own) = align(&AlignmentRequest { mobile_atoms: Some(first), target_atoms: Some(second), ..request })
    {
        atoms = selected_pairs(&own);
        found = own;
    }
    let mut laid = Laid { transform: found.transform, pairs: found.kept.len(), rmsd: found.kept_rmsd, found };
    if let Some(atoms) = &atoms {
        let (a, b) = points(mobile, target, atoms);
        let fit = superpose(&a, &b).filter(|_| a.len() >= 3).ok_or(LayError::TooFewSelected)?;
        (laid.transform, laid.pairs, laid.rmsd) = (fit.transform, a.len(), fit.rmsd);
    }
    Ok(laid)
}

/// Where the atoms of pairs are, Å.
#[must_use]
pub fn points(mobile: &Model, target: &Model, pairs: &[(u32, u32)]) -> (Vec<Vec3>, Vec<Vec3>) {
    pairs.iter().map(|(a, b)| (mobile.positions[*a as usize], target.positions[*b as usize])).unzip()
}
