//! A second opinion on poses by trained networks, and a prediction of affinity: two of GNINA's ensembles.
//!
//! The networks see densities of typed atoms on a grid around the ligand's centre ([`density`], [`atoms`]) and give the
//! probability that the pose is right and the pK of the complex ([`network`]). Five members of `crossdock_default2018` were
//! trained on poses in other structures of the same protein, five of `general_default2018` on PDBbind; the first tell poses
//! apart better, the second affinities. The answer is the mean of all ten, and their spread says how far they agree.
//! The parameters are the published ones; the code is ours. Sources: Ragoza et al., J. Chem. Inf. Model. 2017, 57, 942
//! (densities); Francoeur et al., J. Chem. Inf. Model. 2020, 60, 4200 (architecture, training); McNutt et al.,
//! J. Cheminform. 2021, 13, 43 (ensembles, ranking).
//!
//! Everything runs on the processor: a pose takes some milliseconds, so a graphics card would be idle most of the time.

mod atoms;
mod convolution;
mod density;
mod network;
mod ranking;
#[cfg(test)]
mod tests;

use glam::Vec3;
use kfold_molecule::SmallMolecule;
use kfold_molecule::components::ComponentError;
use rayon::prelude::*;

use self::atoms::{GridAtom, LigandError, ligand_kinds, receptor_atoms};
use self::network::{Network, Output, WeightsError, ensemble};
pub(super) use self::ranking::{candidate_settings, rank};
use super::DockingError;
use super::site::Receptor;
use crate::engine::CnnScore;

/// Why the networks gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum GninaError {
    /// The ligand cannot be typed.
    #[error(transparent)]
    Ligand(#[from] LigandError),
    /// The receptor cannot be typed.
    #[error(transparent)]
    Receptor(#[from] DockingError),
    /// The component dictionary, which tells the receptor's aromatic rings, is damaged.
    #[error(transparent)]
    Components(#[from] ComponentError),
    /// The weights are damaged.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// The threads could not be started.
    #[error("the threads of the networks could not be started: {0}")]
    Threads(#[from] rayon::ThreadPoolBuildError),
}

/// The networks and a receptor, ready for poses.
#[derive(Clone, Debug)]
pub struct Scorer {
    receptor: Vec<GridAtom>,
    networks: &'static [Network],
}

impl Scorer {
    /// Types the receptor; the first call unpacks the weights.
    ///
    /// # Errors
    /// When the program's own data are damaged.
    pub fn new(receptor: &Receptor) -> Result<Self, GninaError> {
        Ok(Self { receptor: receptor_atoms(receptor)?, networks: ensemble()? })
    }

    /// Scores poses of one ligand, given as positions of all its atoms in Å. Runs on rayon's current threads; the answer does
    /// not depend on how many there are.
    ///
    /// # Errors
    /// When the ligand cannot be typed.
    pub fn score(&self, ligand: &SmallMolecule, poses: &[&[Vec3]]) -> Result<Vec<CnnScore>, GninaError> {
        let kinds = ligand_kinds(ligand)?;
        let score = |positions: &&[Vec3]| {
            let atoms: Vec<GridAtom> = kinds
                .iter()
                .zip(*positions)
                .filter_map(|(kind, &position)| {
                    kind.map(|kind| GridAtom { position, radius: kind.radius, channel: kind.channel })
                })
                .collect();
            let center = atoms.iter().map(|atom| atom.position).sum::<Vec3>() / atoms.len().max(1) as f32;
            let input = density::density(self.receptor.iter().chain(&atoms), center);
            let outputs: Vec<Output> = self.networks.par_iter().map(|network| network.forward(&input)).collect();
            summary(&outputs)
        };
        Ok(poses.par_iter().map(score).collect())
    }
}

/// Means over the ensemble, and the standard deviations of its members.
fn summary(outputs: &[Output]) -> CnnScore {
    let statistics = |pick: fn(&Output) -> f32| {
        let count = outputs.len().max(1) as f32;
        let mean = outputs.iter().map(pick).sum::<f32>() / count;
        let squares: f32 = outputs.iter().map(|output| (pick(output) - mean).powi(2)).sum();
        (mean, (squares / (count - 1.0).max(1.0)).sqrt())
    };
    let (pose_probability, pose_probability_spread) = statistics(|output| output.pose_probability);
    let (pk, pk_spread) = statistics(|output| output.pk);
    CnnScore { pose_probability, pose_probability_spread, pk, pk_spread }
}
