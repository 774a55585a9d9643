//! Structural analysis.

pub mod interactions;
pub mod ligand_rmsd;
pub mod neighbour_grid;
pub mod pose_checks;
