//! Is a pose chemically and physically sound? Checks in the manner of PoseBusters (Buttenschoen, Morris & Deane, Chem.
//! Sci. 2024, 15, 3130), each with its value, limit and unit.
//!
//! | check | what is measured | limit |
//! |---|---|---|
//! | sanitisation | breaches of the rules of valence and aromaticity | 0 |
//! | formula | atoms more or fewer than the input's (a moved proton does not count) | 0 |
//! | connectivity | bonds more, fewer or between other atoms than the input's | 0 |
//! | tetrahedral stereo, double bond stereo | configurations that differ from the input's | 0 |
//! | bond lengths | largest deviation from the bounds of distance geometry | 25 % |
//! | bond angles | the same for distances over two bonds, with the bonds at their bounds | 25 % |
//! | internal clash | closest pair farther apart in the graph, as a share of its lower bound | at least 70 % |
//! | ring and double bond planarity | largest distance of an atom from the common plane | 0.25 Å |
//! | energy ratio | UFF energy with relaxed hydrogens over the mean of embedded conformers | 100 |
//! | strain | UFF energy relaxed within 0.3 Å above the lowest conformer | 25 kcal/mol |
//! | distance to protein, organic cofactors, waters | closest pair of heavy atoms as a share of the van der Waals radii | at least 75 % |
//! | distance to inorganic cofactors | the same with covalent radii | at least 75 % |
//! | overlap with protein, organic cofactors | share of the ligand's volume, radii scaled by 0.8 | 7.5 % |
//! | overlap with inorganic cofactors, waters | the same, radii scaled by 0.5 | 7.5 % |
//!
//! The limits are PoseBusters' but for the strain, which it does not have: relaxed crystal poses stay below 25 kcal/mol
//! (Sitzmann et al., J. Chem. Inf. Model. 2012, 52, 739). Its bond angle check measures distances, so that a stretched bond
//! fails there as well; ours first puts the bonds into their bounds. Checks against kinds of neighbours that are not
//! there are left out, and so are the two energies when no force field knows the molecule.
//!
//! The bounds, the conformers and their energies belong to the ligand and are worked out once: [`LigandReference`] and
//! [`ReceptorSpace`] for many poses of one ligand as positions, [`PoseChecker`] for molecules read from files.

mod energy;
mod geometry;
mod identity;
mod receptor;
#[cfg(test)]
mod tests;

use glam::Vec3;
use serde::{Deserialize, Serialize};

use crate::SmallMolecule;
use crate::chemistry::ChemistryError;
use crate::structure::Model;

pub use geometry::LigandReference;
pub use identity::PoseChecker;
pub use receptor::ReceptorSpace;

/// What is checked; see the table of the module.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PoseCheckKind {
    /// Whether the pose is a molecule at all: the rules of valence and aromaticity.
    Sanitisation,
    /// Atoms more or fewer than the input has.
    Formula,
    /// Bonds more, fewer or between other atoms than the input has.
    Connectivity,
    /// Tetrahedral centres that differ from the input's.
    TetrahedralStereo,
    /// Double bonds whose configuration differs from the input's.
    DoubleBondStereo,
    /// Largest deviation of a bond length from its bounds, as a fraction of them (0.1 is 10 %).
    BondLengths,
    /// Largest deviation of a distance over two bonds from its bounds, as a fraction of them.
    BondAngles,
    /// Largest distance of an aromatic ring's atom from the ring's plane, Å.
    RingPlanarity,
    /// Largest distance of an atom from the plane of a double bond and its neighbours, Å.
    DoubleBondPlanarity,
    /// Closest contact inside the ligand as a fraction of the shortest distance its graph allows.
    InternalClash,
    /// Energy over the mean energy of conformers.
    EnergyRatio,
    /// Energy above the lowest conformer's, kcal/mol.
    Strain,
    /// Closest contact to protein or nucleic acid as a fraction of the sum of the van der Waals radii.
    ProteinDistance,
    /// The same to organic cofactors.
    OrganicCofactorDistance,
    /// Closest contact to metals and inorganic ions as a fraction of the sum of the covalent radii.
    InorganicCofactorDistance,
    /// Closest contact to waters as a fraction of the sum of the van der Waals radii.
    WaterDistance,
    /// Share of the ligand's volume inside protein or nucleic acid.
    ProteinOverlap,
    /// Share of the ligand's volume inside organic cofactors.
    OrganicCofactorOverlap,
    /// Share of the ligand's volume inside metals and inorganic ions.
    InorganicCofactorOverlap,
    /// Share of the ligand's volume inside waters.
    WaterOverlap,
}

/// What a check's value and limit are measured in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckUnit {
    /// How many.
    Count,
    /// A fraction: 0.25 is 25 %.
    #[default]
    Fraction,
    /// Å.
    Angstrom,
    /// kcal/mol.
    KcalPerMol,
}

impl PoseCheckKind {
    /// The unit of value and limit.
    #[must_use]
    pub const fn unit(self) -> CheckUnit {
        match self {
            Self::Sanitisation
            | Self::Formula
            | Self::Connectivity
            | Self::TetrahedralStereo
            | Self::DoubleBondStereo => CheckUnit::Count,
            Self::RingPlanarity | Self::DoubleBondPlanarity => CheckUnit::Angstrom,
            Self::Strain => CheckUnit::KcalPerMol,
            _ => CheckUnit::Fraction,
        }
    }

    /// The value that still passes.
    #[must_use]
    pub const fn limit(self) -> f32 {
        match self {
            Self::Sanitisation
            | Self::Formula
            | Self::Connectivity
            | Self::TetrahedralStereo
            | Self::DoubleBondStereo => 0.0,
            Self::BondLengths | Self::BondAngles | Self::RingPlanarity | Self::DoubleBondPlanarity => 0.25,
            Self::InternalClash => 0.7,
            Self::EnergyRatio => 100.0,
            Self::Strain => 25.0,
            Self::ProteinDistance
            | Self::OrganicCofactorDistance
            | Self::InorganicCofactorDistance
            | Self::WaterDistance => 0.75,
            Self::ProteinOverlap
            | Self::OrganicCofactorOverlap
            | Self::InorganicCofactorOverlap
            | Self::WaterOverlap => 0.075,
        }
    }

    /// Whether values below the limit fail, and not those above.
    #[must_use]
    pub const fn is_lower_limit(self) -> bool {
        matches!(
            self,
            Self::InternalClash
                | Self::ProteinDistance
                | Self::OrganicCofactorDistance
                | Self::InorganicCofactorDistance
                | Self::WaterDistance
        )
    }
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
    /// The unit of both.
    #[serde(default)]
    pub unit: CheckUnit,
    /// Whether it passes.
    pub passed: bool,
    /// The ligand's atoms at fault, if any, ascending.
    pub atoms: Vec<u32>,
}

impl PoseCheck {
    /// Judges a value; the atoms are kept only if it fails.
    fn new(kind: PoseCheckKind, value: f32, mut atoms: Vec<u32>) -> Self {
        let limit = kind.limit();
        let passed = if kind.is_lower_limit() { value >= limit } else { value <= limit };
        atoms.sort_unstable();
        atoms.dedup();
        if passed {
            atoms.clear();
        }
        Self { kind, value, limit, unit: kind.unit(), passed, atoms }
    }
}

/// Checks one pose without its energy. The pose has one position for each atom of the ligand; the ligand is the input,
/// with the stereo to be kept.
///
/// # Errors
/// When the ligand breaks the rules of valence.
pub fn check(receptor: &Model, ligand: &SmallMolecule, pose: &[Vec3]) -> Result<Vec<PoseCheck>, ChemistryError> {
    Ok(check_against(&ReceptorSpace::new(receptor), &LigandReference::new(ligand)?, pose))
}

/// As [`check`], with receptor and ligand prepared before; with the energies if the reference has them. A pose that does
/// not have one finite position for each atom fails every check of its shape.
#[must_use]
pub fn check_against(receptor: &ReceptorSpace, ligand: &LigandReference, pose: &[Vec3]) -> Vec<PoseCheck> {
    let mut checks = ligand.check(pose);
    if ligand.fits(pose) {
        checks.extend(receptor.check(ligand, pose));
    }
    checks
}
