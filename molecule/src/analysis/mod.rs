//! Structural analysis.

pub mod interactions;
pub mod pose_checks;
