//! Is a pose chemically and physically sound? Checks in the manner of PoseBusters (Buttenschoen, Morris & Deane, Chem.
//! Sci. 2024, 15, 3130), each with its value and limit.

use serde::{Deserialize, Serialize};

/// What is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PoseCheckKind {
    /// Worst bond length as a fraction of its ideal value.
    BondLengths,
    /// Worst 1-3 distance as a fraction of its ideal value.
    BondAngles,
    /// Largest distance of an aromatic ring's atom from the ring's plane.
    RingPlanarity,
    /// Largest distance of an atom from the plane of a double bond and its neighbours.
    DoubleBondPlanarity,
    /// Stereocentres and double bonds that differ from the input's.
    Stereochemistry,
    /// Closest contact inside the ligand as a fraction of the allowed distance.
    InternalClash,
    /// Closest contact to the receptor as a fraction of the sum of the van der Waals radii.
    ReceptorClash,
    /// Share of the ligand's volume inside the receptor's.
    VolumeOverlap,
}

/// One check of one pose.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PoseCheck {
    /// What is checked.
    pub kind: PoseCheckKind,
    /// Measured value.
    pub value: f32,
    /// The value that still passes.
    pub limit: f32,
    /// Whether it passes.
    pub passed: bool,
    /// The ligand's atoms at fault, if any.
    pub atoms: Vec<u32>,
}
