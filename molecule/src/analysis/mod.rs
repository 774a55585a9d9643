//! Structural analysis.

pub mod interactions;
pub mod neighbour_grid;
pub mod pose_checks;
