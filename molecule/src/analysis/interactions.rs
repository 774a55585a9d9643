//! Interactions between a ligand and its surroundings.

use glam::Vec3;
use serde::{Deserialize, Serialize};

/// The kinds of interaction, with the criteria stated where they are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InteractionKind {
    /// Hydrogen bond between N, O, S donors and acceptors.
    HydrogenBond,
    /// Hydrogen bonds bridged by a water molecule.
    WaterBridge,
    /// Opposite charges.
    SaltBridge,
    /// Two aromatic rings, face to face or edge to face.
    PiStacking,
    /// A cation over an aromatic ring.
    CationPi,
    /// Halogen bond.
    HalogenBond,
    /// Carbon against carbon.
    Hydrophobic,
    /// Coordination of a metal.
    Metal,
    /// C-H donor to an acceptor.
    WeakHydrogenBond,
    /// Atoms too close.
    Clash,
}

/// One interaction with its geometry.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interaction {
    /// What it is.
    pub kind: InteractionKind,
    /// Atoms of the ligand: one, or the atoms of a ring or charged group.
    pub ligand_atoms: Vec<u32>,
    /// Atoms of the receptor model.
    pub receptor_atoms: Vec<u32>,
    /// The receptor's residue as people write it: chain, name, number, e.g. `A ASP 381`.
    pub residue: String,
    /// Distance in Å between the two end points.
    pub distance: f32,
    /// The angle that the kind is judged by, radians, where there is one.
    pub angle: Option<f32>,
    /// End points for drawing, Å: ligand side, receptor side.
    pub points: [Vec3; 2],
}
