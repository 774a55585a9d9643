//! Structural analysis.

pub mod contacts;
pub mod ensemble;
pub mod interactions;
pub mod ligand_rmsd;
pub mod measurements;
pub mod neighbour_grid;
pub mod pockets;
pub mod point_tree;
pub mod pose_checks;
pub mod secondary_structure;
pub mod sequence_alignment;
pub mod structure_alignment;
pub mod superpose;
pub mod tm_align;
