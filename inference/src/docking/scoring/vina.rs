//! The Vina function: Trott & Olson 2010, table 1, with the radii of X-Score's types as AutoDock Vina 1.2 has them
//! (Eberhardt et al. 2021).

use super::{EmpiricalFunction, Gaussian, Ramp};

/// The published function.
pub(super) static VINA: EmpiricalFunction = EmpiricalFunction {
    gaussians: &[
        Gaussian { offset: 0.0, width: 0.5, weight: -0.035_579 },
        Gaussian { offset: 3.0, width: 2.0, weight: -0.005_156 },
    ],
    repulsion: 0.840_245,
    hydrophobic: Ramp { good: 0.5, bad: 1.5, weight: -0.035_069 },
    hydrogen_bond: Ramp { good: -0.7, bad: 0.0, weight: -0.587_439 },
    torsion_weight: 0.058_46,
    cutoff: 8.0,
    radii: [
        1.9, 1.9, // carbon
        1.8, 1.8, 1.8, 1.8, // nitrogen
        1.7, 1.7, // oxygen
        2.0, 2.1, // sulfur, phosphorus
        1.5, 1.8, 2.0, 2.2, // halogens
        2.2, 1.92, // silicon, boron
        1.2,  // metals
    ],
};
