//! The docking engine: poses of a small molecule in a protein of known structure, without a download or a graphics card.
//!
//! The way of a prediction:
//! 1. [`Receptor`] types the heavy atoms of the structure ([`typing`]); waters are left out, metals and cofactors stay.
//! 2. [`Site`] joins it with a box ([`pocket`]) and a scoring function ([`scoring`]) and keeps the energy maps
//!    ([`grid`]), so that the ligands of a series find it warm. There may be several: for each cavity where the query names
//!    no pocket, for each conformer of the receptor. [`side_chains`] may turn with the ligand.
//! 3. [`dock_ligand`] makes the ligand a tree of torsions ([`ligand_tree`]), searches on the maps ([`search`]), refines
//!    the minima with exact energies ([`energy`], [`minimize`]) and keeps the best of each cluster.
//! 4. Unless told not to, trained networks rank the poses and predict pK ([`gnina`]).
//!
//! All random numbers come from the seed; the result does not depend on the number of threads.

pub mod energy;
mod engine;
#[cfg(test)]
mod fixture;
pub mod gnina;
pub mod grid;
mod ligand_preparation;
pub mod ligand_tree;
pub mod minimize;
mod places;
pub mod pocket;
mod poses;
mod receptor_notes;
pub mod rotors;
pub mod scaffold;
pub mod scoring;
pub mod search;
pub mod side_chains;
mod site;
#[cfg(test)]
mod tests;
pub mod typing;

pub use engine::Docking;
pub use pocket::SearchBox;
pub use poses::{DockedPose, HeldAtoms, dock_ligand, score_pose};
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
    /// A flexible side chain.
    #[error(transparent)]
    SideChain(#[from] side_chains::SideChainError),
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
