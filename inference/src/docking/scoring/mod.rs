//! Empirical scoring functions: sums over pairs of heavy atoms, with the published constants.
//!
//! Both functions here are built from the same four kinds of term of the surface distance
//! `d = r - R(a) - R(b)`, where `r` is the distance of the two nuclei and `R` the function's own atomic radii:
//!
//! - Gaussians `w exp(-((d - offset) / width)^2)`: steric attraction;
//! - repulsion `w d^2` for `d < 0`;
//! - hydrophobic ramp: `w` below `good`, zero above `bad`, linear between, for two hydrophobic atoms;
//! - hydrogen bond ramp: the same form, for a donor and an acceptor.
//!
//! Pairs beyond the cutoff of 8 Å do not count. The sum over ligand-receptor pairs is the intermolecular energy; the
//! estimate of the free energy divides it by `1 + w N` with `N` the ligand's torsions (Trott & Olson 2010, eq. 9).
//!
//! Sources: Trott & Olson, J. Comput. Chem. 2010, 31, 455 (Vina; the form, constants in table 1); Quiroga &
//! Villarreal, PLoS ONE 2016, 11, e0155183 (Vinardo); Eberhardt et al., J. Chem. Inf. Model. 2021, 61, 3891 (both as
//! AutoDock Vina 1.2 has them).

mod table;
mod vina;
mod vinardo;

pub use table::PairTables;

use super::typing::AtomType;
use crate::settings::ScoringFunction;

/// A Gaussian of the surface distance.
#[derive(Clone, Copy, Debug)]
pub struct Gaussian {
    /// Surface distance of the centre, Å.
    pub offset: f32,
    /// Width, Å.
    pub width: f32,
    /// kcal/mol.
    pub weight: f32,
}

/// A ramp of the surface distance.
#[derive(Clone, Copy, Debug)]
pub struct Ramp {
    /// The full weight holds below this surface distance, Å.
    pub good: f32,
    /// Nothing holds above this surface distance, Å.
    pub bad: f32,
    /// kcal/mol.
    pub weight: f32,
}

/// A scoring function as data.
#[derive(Clone, Debug)]
pub struct EmpiricalFunction {
    /// Steric attraction.
    pub gaussians: &'static [Gaussian],
    /// Weight of the squared overlap, kcal/mol/Å².
    pub repulsion: f32,
    /// Between two hydrophobic atoms.
    pub hydrophobic: Ramp,
    /// Between a donor and an acceptor.
    pub hydrogen_bond: Ramp,
    /// Cost of a torsion, as a fraction of the energy.
    pub torsion_weight: f32,
    /// Distance of nuclei beyond which pairs do not count, Å.
    pub cutoff: f32,
    /// Radius in Å of each atom type.
    pub radii: [f32; AtomType::COUNT],
}

impl EmpiricalFunction {
    /// The published function of this name.
    #[must_use]
    pub const fn of(function: ScoringFunction) -> &'static Self {
        match function {
            ScoringFunction::Vina => &vina::VINA,
            ScoringFunction::Vinardo => &vinardo::VINARDO,
        }
    }

    /// Energy in kcal/mol of two atoms `r` Å apart, and its derivative by `r`.
    #[must_use]
    pub fn pair(&self, a: AtomType, b: AtomType, r: f32) -> (f32, f32) {
        if r >= self.cutoff {
            return (0.0, 0.0);
        }
        let d = r - self.radii[a as usize] - self.radii[b as usize];
        let mut energy = 0.0;
        let mut derivative = 0.0;
        for gaussian in self.gaussians {
            let x = (d - gaussian.offset) / gaussian.width;
            let value = gaussian.weight * (-x * x).exp();
            energy += value;
            derivative -= 2.0 * x / gaussian.width * value;
        }
        if d < 0.0 {
            energy += self.repulsion * d * d;
            derivative += 2.0 * self.repulsion * d;
        }
        if a.is_hydrophobic() && b.is_hydrophobic() {
            let (value, slope) = self.hydrophobic.at(d);
            energy += value;
            derivative += slope;
        }
        if (a.is_donor() && b.is_acceptor()) || (a.is_acceptor() && b.is_donor()) {
            let (value, slope) = self.hydrogen_bond.at(d);
            energy += value;
            derivative += slope;
        }
        (energy, derivative)
    }

    /// The factor that turns an energy into the estimate of the free energy of a ligand with so many torsions.
    #[must_use]
    pub fn torsion_factor(&self, torsions: f32) -> f32 {
        1.0 / (1.0 + self.torsion_weight * torsions)
    }

    /// The distance in Å beyond which no pair of these two types has more than 1e-5 kcal/mol.
    #[must_use]
    pub fn reach(&self, a: AtomType, b: AtomType) -> f32 {
        let mut reach = self.cutoff;
        while reach > 1.0 && self.pair(a, b, reach - 0.125).0.abs() < 1e-5 {
            reach -= 0.125;
        }
        reach
    }
}

impl Ramp {
    fn at(&self, d: f32) -> (f32, f32) {
        if d <= self.good {
            (self.weight, 0.0)
        } else if d >= self.bad {
            (0.0, 0.0)
        } else {
            let slope = -self.weight / (self.bad - self.good);
            (slope * (d - self.bad), slope)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn derivatives_are_those_of_the_energy() {
        for function in [ScoringFunction::Vina, ScoringFunction::Vinardo] {
            let function = EmpiricalFunction::of(function);
            for &a in AtomType::ALL {
                for &b in AtomType::ALL {
                    for step in 0..120 {
                        let r = 1.53 + 0.0531 * step as f32;
                        let h = 2e-3;
                        let (up, down) = (function.pair(a, b, r + h).0, function.pair(a, b, r - h).0);
                        let slopes = (function.pair(a, b, r + h).1, function.pair(a, b, r - h).1);
                        // A kink of a ramp between the two points: no derivative there.
                        if (slopes.0 - slopes.1).abs() > 0.02 {
                            continue;
                        }
                        let expected = (up - down) / (2.0 * h);
                        let slope = function.pair(a, b, r).1;
                        assert!((slope - expected).abs() < 6e-3, "{a:?} {b:?} at {r}: {slope} for {expected}");
                    }
                }
            }
        }
    }

    #[test]
    fn published_values_of_single_pairs() {
        // Two aliphatic carbons in contact: Vina, R = 1.9 each, d = 0.
        let vina = EmpiricalFunction::of(ScoringFunction::Vina);
        let contact = vina.pair(AtomType::CarbonHydrophobic, AtomType::CarbonHydrophobic, 3.8).0;
        let expected = -0.035579 - 0.005156 * (-2.25_f32).exp() - 0.035069;
        assert!((contact - expected).abs() < 1e-6);
        // A hydrogen bond at d = -0.35 is half of the weight.
        let bond = vina.pair(AtomType::NitrogenDonor, AtomType::OxygenAcceptor, 3.15).0;
        let steric = -0.035579 * (-0.49_f32).exp() - 0.005156 * (-(3.35_f32 / 2.0).powi(2)).exp() + 0.840245 * 0.1225;
        assert!((bond - steric + 0.587439 / 2.0).abs() < 1e-5);
        assert_eq!(vina.pair(AtomType::Sulfur, AtomType::Sulfur, 8.0), (0.0, 0.0));
    }

    #[test]
    fn reach_is_within_the_cutoff() {
        let vinardo = EmpiricalFunction::of(ScoringFunction::Vinardo);
        let reach = vinardo.reach(AtomType::CarbonHydrophobic, AtomType::CarbonPolar);
        assert!((5.0..8.0).contains(&reach), "{reach}");
    }
}
