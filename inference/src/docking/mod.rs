//! The docking engine: poses of a small molecule in a protein of known structure, no weights, no GPU.
//!
//! The way of a prediction:
//! 1. [`Receptor`] types the heavy atoms of the structure ([`typing`]); waters are left out, metals and cofactors stay.
//! 2. [`Site`] joins it with a box ([`pocket`]) and a scoring function ([`scoring`]) and keeps the energy maps
//!    ([`grid`]), so that the ligands of a series find it warm.
//! 3. [`dock_ligand`] makes the ligand a tree of torsions ([`ligand_tree`]), searches on the maps ([`search`]), refines
//!    the minima with exact energies ([`energy`], [`minimize`]) and keeps the best of each cluster.
//!
//! All random numbers come from the seed; the result does not depend on the number of threads.

pub mod energy;
mod engine;
#[cfg(test)]
mod fixture;
pub mod grid;
pub mod ligand_tree;
pub mod minimize;
pub mod pocket;
mod poses;
pub mod rotors;
pub mod scoring;
pub mod search;
mod site;
#[cfg(test)]
mod tests;
pub mod typing;

pub use engine::Docking;
pub use pocket::SearchBox;
pub use poses::{DockedPose, dock_ligand, score_pose};
pub use site::{Receptor, Site};

use crate::engine::EngineError;

/// Why docking gave no poses.
#[derive(Debug, thiserror::Error)]
pub enum DockingError {
    /// The ligand cannot be docked.
    #[error(transparent)]
    Ligand(#[from] ligand_tree::TreeError),
    /// There is no usable box.
    #[error(transparent)]
    Pocket(#[from] pocket::PocketError),
    /// The structure has no atoms to dock to.
    #[error("the receptor {0:?} has no heavy atoms other than water")]
    EmptyReceptor(String),
    /// The ligand is larger than the box.
    #[error(
        "the ligand does not fit into the box of {size_x:.1} × {size_y:.1} × {size_z:.1} Å: {reason}; enlarge the box to at \
         least {needed:.0} Å a side (with a reference ligand or residues: more padding)"
    )]
    BoxTooSmall {
        /// Å.
        size_x: f32,
        /// Å.
        size_y: f32,
        /// Å.
        size_z: f32,
        /// What is too large.
        reason: String,
        /// Edge that would do, Å.
        needed: f32,
    },
    /// The search threads could not be started.
    #[error("the search threads could not be started: {0}")]
    Threads(String),
    /// The search ended without a single pose.
    #[error("the search found no pose with a finite energy in the box; enlarge the box or check the receptor there")]
    NoPose,
    /// The user cancelled.
    #[error("cancelled")]
    Cancelled,
}

impl From<DockingError> for EngineError {
    fn from(error: DockingError) -> Self {
        match error {
            DockingError::Cancelled => Self::Cancelled,
            other => Self::Input(other.to_string()),
        }
    }
}
