//! The energy of a pose beside that of conformers in vacuum, by UFF without charges (Rappé et al., J. Am. Chem. Soc. 1992,
//! 114, 10024; the form of RDKit, as in PoseBusters). Without charges, because in vacuum a charged ligand would fold onto
//! itself, and every pose that does not would look strained.

use glam::Vec3;

use super::{PoseCheck, PoseCheckKind};
use crate::chemistry::force_field::{ForceField, Hold};
use crate::chemistry::{ChemistryError, add_hydrogens, conformers};
use crate::{Element, SmallMolecule};

/// How far relaxation may move a heavy atom, Å.
const LEEWAY: f64 = 0.3;
/// Below this mean (kcal/mol) a ratio says nothing: it stands in for the mean.
const LEAST_MEAN: f64 = 1.0;

/// A ligand with the energies of its conformers.
#[derive(Clone, Debug)]
pub(super) struct EnergyReference {
    ligand: SmallMolecule,
    field: ForceField,
    heavy: Vec<u32>,
    mean: f64,
    lowest: f64,
}

impl EnergyReference {
    /// `None` when the force field lacks parameters, or no conformer can be made.
    pub(super) fn new(
        ligand: &SmallMolecule,
        seed: u64,
        count: usize,
        is_cancelled: &dyn Fn() -> bool,
    ) -> Result<Option<Self>, ChemistryError> {
        let ensemble = match conformers::embed_unminimised(ligand, seed, count, is_cancelled) {
            Ok(ensemble) => ensemble,
            Err(ChemistryError::Cancelled) => return Err(ChemistryError::Cancelled),
            Err(_) => return Ok(None),
        };
        // Fragments left out would be missing in the energy of the pose.
        if !ensemble.left_out.is_empty() {
            return Ok(None);
        }
        let Some(field) = ForceField::uff(&ensemble.molecule) else { return Ok(None) };
        let mut energies = Vec::new();
        for positions in &ensemble.molecule.conformers {
            if is_cancelled() {
                return Err(ChemistryError::Cancelled);
            }
            energies.extend(field.minimised(positions, Hold::Nothing).map(|(_, energy)| energy));
        }
        if energies.is_empty() {
            return Ok(None);
        }
        let mean = energies.iter().sum::<f64>() / energies.len() as f64;
        let lowest = energies.iter().copied().fold(f64::INFINITY, f64::min);
        let atoms = &ensemble.molecule.atoms;
        let heavy = (0..atoms.len() as u32).filter(|&atom| atoms[atom as usize].element != Element::H).collect();
        let mut ligand = ligand.clone();
        ligand.conformers.clear();
        Ok(Some(Self { ligand, field, heavy, mean, lowest }))
    }

    pub(super) fn check(&self, pose: &[Vec3]) -> Vec<PoseCheck> {
        let mut posed = self.ligand.clone();
        posed.conformers = vec![pose.to_vec()];
        // The ligand's atoms in their order, then its implied hydrogens: as the conformers have them.
        let full = add_hydrogens(&posed).ok().and_then(|full| full.conformers.into_iter().next());
        let relaxed = full.and_then(|positions| {
            let (positions, with_hydrogens) = self.field.minimised(&positions, Hold::Fixed(&self.heavy))?;
            let (_, within) = self.field.minimised(&positions, Hold::Within(&self.heavy, LEEWAY))?;
            Some((with_hydrogens, within))
        });
        // An energy that cannot be told is beyond all limits.
        let (ratio, strain) = relaxed.map_or((f32::MAX, f32::MAX), |(with_hydrogens, within)| {
            let ratio = (with_hydrogens / self.mean.max(LEAST_MEAN)) as f32;
            (ratio.min(f32::MAX), ((within - self.lowest) as f32).min(f32::MAX))
        });
        vec![
            PoseCheck::new(PoseCheckKind::EnergyRatio, ratio, Vec::new()),
            PoseCheck::new(PoseCheckKind::Strain, strain, Vec::new()),
        ]
    }
}
