//! The three shapes of a protein ribbon, and where they come from when nobody assigned them.

use std::sync::Arc;

use glam::Vec3;
use kfold_molecule::analysis::secondary_structure::{self, SecondaryStructure};
use kfold_molecule::{Model, Topology};
use serde::{Deserialize, Serialize};

/// What a residue looks like in a cartoon.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RibbonKind {
    /// Helix of any pitch.
    Helix,
    /// Extended strand.
    Strand,
    /// Everything else.
    #[default]
    Coil,
}

impl From<SecondaryStructure> for RibbonKind {
    fn from(structure: SecondaryStructure) -> Self {
        match structure {
            SecondaryStructure::AlphaHelix | SecondaryStructure::Helix310 | SecondaryStructure::PiHelix => Self::Helix,
            SecondaryStructure::Strand => Self::Strand,
            _ => Self::Coil,
        }
    }
}

/// Shapes of all residues of a model: DSSP where the backbone is there, distances between CA atoms where it is not.
#[must_use]
pub(crate) fn assign(topology: &Arc<Topology>, positions: &[Vec3]) -> Vec<RibbonKind> {
    let model =
        Model { number: 1, topology: Arc::clone(topology), positions: positions.to_vec(), b_factors: Vec::new() };
    secondary_structure::assign(&model).into_iter().map(RibbonKind::from).collect()
}
