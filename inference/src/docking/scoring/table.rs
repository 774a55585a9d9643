//! Pair energies tabulated on the squared distance, for the sums that a search makes millions of times.
//!
//! On r² no square root is needed, and the spacing in r is finest where atoms touch. Between entries the energy is
//! linear in r², so its gradient is `2 slope (x_a - x_b)`: exactly the gradient of what is interpolated, which a
//! quasi-Newton search needs more than it needs the last digit of the energy.

use super::EmpiricalFunction;
use crate::docking::typing::AtomType;

/// Entries for each Å².
const RESOLUTION: f32 = 32.0;

/// 1.5 × 2^23: adding it to a small float leaves the nearest integer in the low bits.
const INTEGER_SHIFT: f32 = 12_582_912.0;

/// One table for each pair of the ligand's types.
#[derive(Clone, Debug)]
pub struct PairTables {
    /// Energy at the entry, and the step to the next one.
    entries: Vec<[f32; 2]>,
    entries_of_a_table: usize,
    cutoff_squared: f32,
}

impl PairTables {
    /// Tables of the given pairs of types; table `i` belongs to `pairs[i]`.
    #[must_use]
    pub fn new(function: &EmpiricalFunction, pairs: &[(AtomType, AtomType)]) -> Self {
        let reach = pairs.iter().map(|&(a, b)| function.reach(a, b)).fold(0.0, f32::max);
        let entries_of_a_table = (reach * reach * RESOLUTION).ceil() as usize + 1;
        let mut entries = Vec::with_capacity(pairs.len() * entries_of_a_table);
        for &(a, b) in pairs {
            let at = |entry: usize| {
                let r = (entry as f32 / RESOLUTION).sqrt();
                if entry + 1 >= entries_of_a_table { 0.0 } else { function.pair(a, b, r).0 }
            };
            entries.extend((0..entries_of_a_table).map(|entry| [at(entry), at(entry + 1) - at(entry)]));
        }
        let cutoff_squared = (entries_of_a_table.saturating_sub(1)) as f32 / RESOLUTION;
        Self { entries, entries_of_a_table, cutoff_squared }
    }

    /// Squared distance in Å² beyond which every table is zero.
    #[must_use]
    pub const fn cutoff_squared(&self) -> f32 {
        self.cutoff_squared
    }

    /// Where a table starts, for [`Self::at`].
    #[must_use]
    pub const fn start(&self, table: usize) -> usize {
        table * self.entries_of_a_table
    }

    /// Energy in kcal/mol and its derivative by the squared distance, of the table that starts there. `squared` must
    /// be below the cutoff.
    #[must_use]
    #[inline]
    pub fn at(&self, start: usize, squared: f32) -> (f32, f32) {
        let x = squared * RESOLUTION;
        let shifted = (x - 0.5) + INTEGER_SHIFT;
        let entry = (shifted.to_bits() & 0x3f_ffff) as usize;
        match self.entries.get(start + entry) {
            Some(&[energy, step]) => (energy + step * (x - (shifted - INTEGER_SHIFT)), step * RESOLUTION),
            None => (0.0, 0.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::ScoringFunction;

    #[test]
    fn tables_follow_the_function() {
        for function in [ScoringFunction::Vina, ScoringFunction::Vinardo] {
            let function = EmpiricalFunction::of(function);
            let pairs = [
                (AtomType::CarbonHydrophobic, AtomType::CarbonHydrophobic),
                (AtomType::OxygenAcceptor, AtomType::NitrogenDonor),
            ];
            let tables = PairTables::new(function, &pairs);
            for (index, &(a, b)) in pairs.iter().enumerate() {
                for step in 0..600 {
                    let r = 2.0 + 0.01 * step as f32;
                    if r * r >= tables.cutoff_squared() {
                        break;
                    }
                    let (energy, slope) = tables.at(tables.start(index), r * r);
                    let (exact, derivative) = function.pair(a, b, r);
                    assert!((energy - exact).abs() < 2e-3, "{a:?} {b:?} at {r}: {energy} for {exact}");
                    let is_kink = (function.pair(a, b, r + 0.02).1 - function.pair(a, b, r - 0.02).1).abs() > 0.2;
                    assert!(
                        is_kink || (slope * 2.0 * r - derivative).abs() < 0.06,
                        "{a:?} {b:?} at {r}: {} for {derivative}",
                        slope * 2.0 * r
                    );
                }
            }
        }
    }
}
