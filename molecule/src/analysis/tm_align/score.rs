//! The superposition of paired points that has the highest TM-score.
//!
//! The lowest RMSD is not it: that bends to the pairs that fit worst. So, after the TM-score program, fragments of the
//! whole, half, a quarter ... of the alignment are superposed; from each the pairs that come near are superposed in turn,
//! until they stay the same.

use glam::Vec3;

use super::super::superpose::{Transform, superpose};
use super::Polymer;

/// Rounds of superposing the near pairs.
const ROUNDS: usize = 20;
/// Fragment lengths: each half of the one before.
const FRAGMENTS: usize = 6;
const SHORTEST_FRAGMENT: usize = 4;

/// Distances that the score is measured in, Å, and its length.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scale {
    pub length: f64,
    pub d0: f64,
    /// The least d0 that is used.
    pub least: f64,
    /// Pairs this near are superposed again.
    pub near: f64,
    /// Pairs farther than this are no part of the alignment.
    pub farthest: f64,
}

fn d0(length: usize, polymer: Polymer) -> f64 {
    let count = length as f64;
    match polymer {
        Polymer::Protein if length > 21 => (1.24 * (count - 15.0).cbrt() - 1.8).max(0.5),
        Polymer::Protein => 0.5,
        Polymer::Nucleic => match length {
            0..=11 => 0.3,
            12..=15 => 0.4,
            16..=19 => 0.5,
            20..=23 => 0.6,
            24..=29 => 0.7,
            _ => 0.6 * (count - 0.5).sqrt() - 2.5,
        },
    }
}

impl Scale {
    /// Of the search: wider, so that pairs that are not yet near count too.
    pub(super) fn searched(length: usize, polymer: Polymer) -> Self {
        let count = length as f64;
        let plain = match polymer {
            Polymer::Protein if length > 19 => 1.24 * (count - 15.0).cbrt() - 1.8,
            Polymer::Protein => 0.168,
            Polymer::Nucleic => d0(length, polymer),
        };
        let d0 = plain + 0.8;
        Self { length: count, d0, least: d0, near: d0.clamp(4.5, 8.0), farthest: 1.5 * count.powf(0.3) + 3.5 }
    }

    /// Of the score that is reported.
    pub(super) fn reported(length: usize, polymer: Polymer) -> Self {
        let d0 = d0(length, polymer);
        let farthest = 1.5 * (length as f64).powf(0.3) + 3.5;
        Self { length: length as f64, d0, least: 0.5, near: d0.clamp(4.5, 8.0), farthest }
    }
}

/// A superposition and its score.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found {
    pub transform: Transform,
    pub score: f64,
}

/// Paired points to be superposed.
pub(super) struct Search<'a> {
    mobile: &'a [Vec3],
    target: &'a [Vec3],
    scale: Scale,
}

impl<'a> Search<'a> {
    pub(super) fn new(mobile: &'a [Vec3], target: &'a [Vec3], scale: Scale) -> Self {
        Self { mobile, target, scale }
    }

    /// The best superposition, trying a fragment at every `step` positions. `without_far`: pairs beyond `farthest` do
    /// not count.
    pub(super) fn run(&self, step: usize, without_far: bool) -> Option<Found> {
        let count = self.mobile.len();
        let mut best: Option<Found> = None;
        let mut squared = vec![0.0; count];
        let mut consider = |transform: Transform, squared: &mut [f64]| {
            let score = self.score(&transform, without_far, squared);
            if best.is_none_or(|held| score > held.score) {
                best = Some(Found { transform, score });
            }
        };
        for length in fragment_lengths(count) {
            let last = count - length;
            let mut start = 0;
            loop {
                let part = start..start + length;
                if let Some(fit) = superpose(&self.mobile[part.clone()], &self.target[part]) {
                    consider(fit.transform, &mut squared);
                    let mut chosen = near_pairs(&squared, self.scale.near - 1.0);
                    for _ in 0..ROUNDS {
                        let pick = |points: &[Vec3]| chosen.iter().map(|index| points[*index]).collect::<Vec<Vec3>>();
                        let Some(fit) = superpose(&pick(self.mobile), &pick(self.target)) else { break };
                        consider(fit.transform, &mut squared);
                        let next = near_pairs(&squared, self.scale.near + 1.0);
                        if next == chosen {
                            break;
                        }
                        chosen = next;
                    }
                }
                if start >= last {
                    break;
                }
                start = (start + step).min(last);
            }
        }
        best
    }

    /// The score, and the squared distances after the superposition.
    fn score(&self, transform: &Transform, without_far: bool, squared: &mut [f64]) -> f64 {
        let scale = self.scale.d0 * self.scale.d0;
        let farthest = if without_far { self.scale.farthest * self.scale.farthest } else { f64::INFINITY };
        let mut sum = 0.0;
        for ((mobile, target), squared) in self.mobile.iter().zip(self.target).zip(squared) {
            *squared = f64::from(transform.apply(*mobile).distance_squared(*target));
            if *squared <= farthest {
                sum += 1.0 / (1.0 + *squared / scale);
            }
        }
        sum / self.scale.length
    }
}

fn fragment_lengths(count: usize) -> Vec<usize> {
    let shortest = SHORTEST_FRAGMENT.min(count);
    let mut lengths = Vec::new();
    for halving in 0..FRAGMENTS - 1 {
        let length = count >> halving;
        if length <= shortest {
            lengths.push(shortest);
            return lengths;
        }
        lengths.push(length);
    }
    lengths.push(shortest);
    lengths
}

/// Pairs nearer than a distance; as much farther as it takes to have three.
pub(super) fn near_pairs(squared: &[f64], distance: f64) -> Vec<usize> {
    let mut distance = distance;
    loop {
        let limit = distance * distance;
        let chosen: Vec<usize> = (0..squared.len()).filter(|index| squared[*index] < limit).collect();
        if chosen.len() >= 3 || squared.len() <= 3 {
            return chosen;
        }
        // A step that is sure to reach the third, however far it is.
        let mut sorted: Vec<f64> = squared.to_vec();
        sorted.select_nth_unstable_by(2, f64::total_cmp);
        let missing = sorted[2].sqrt() - distance;
        distance += 0.5 * (missing / 0.5).floor().max(0.0) + 0.5;
        if !distance.is_finite() {
            return chosen;
        }
    }
}
