//! The Vinardo function: Quiroga & Villarreal 2016, with one radius for all carbons and the torsion weight that AutoDock
//! Vina 1.2 gives it (Eberhardt et al. 2021). One narrow attraction, harder hydrogen bonds, a long hydrophobic ramp.

use super::{EmpiricalFunction, Gaussian, Ramp};

/// The published function.
pub(super) static VINARDO: EmpiricalFunction = EmpiricalFunction {
    gaussians: &[Gaussian { offset: 0.0, width: 0.8, weight: -0.045 }],
    repulsion: 0.8,
    hydrophobic: Ramp { good: 0.0, bad: 2.5, weight: -0.035 },
    hydrogen_bond: Ramp { good: -0.6, bad: 0.0, weight: -0.6 },
    torsion_weight: 0.058_46,
    cutoff: 8.0,
    radii: [
        2.0, 2.0, // carbon
        1.7, 1.7, 1.7, 1.7, // nitrogen
        1.6, 1.6, // oxygen
        2.0, 2.1, // sulfur, phosphorus
        1.5, 1.8, 2.0, 2.2, // halogens
        2.2, 1.92, // silicon, boron
        1.2,  // metals
    ],
};
