//! Alignment of two chains by their shape alone: TM-align (Zhang & Skolnick, Nucleic Acids Res. 2005, 33, 2302).
//!
//! The TM-score (Zhang & Skolnick, Proteins 2004, 57, 702) of paired residues is the sum of 1/(1 + (d/d0)²) over pairs,
//! divided by the length of the chain it is normalised by; d0 = 1.24 (L - 15)^(1/3) - 1.8 Å makes it independent of
//! that length. Above 0.5 two chains have the same fold, about 0.17 is chance.
//!
//! How the alignment is found. Five first guesses: threading without gaps; dynamic programming on the letters of secondary
//! structure; superposed fragments ([`initial`]); secondary structure together with distances after the best guess so
//! far; threading of the longest unbroken fragment. Each guess is superposed so that the TM-score is highest
//! ([`score`]: fragments of halving lengths, each grown by the pairs that come near), then dynamic programming on
//! 1/(1 + (d/d0)²) gives another alignment, and so on until nothing changes ([`dynamic`]). The best of all is scored
//! again thoroughly.
//!
//! Of nucleic acids the same with the d0 of Gong et al., Bioinformatics 2019, 35, 4459.

mod dynamic;
mod initial;
mod score;

use glam::Vec3;

use super::superpose::{Transform, superpose};
use dynamic::Table;
use score::{Scale, Search};

/// Chains of more residues than this are not aligned by shape: the tables would not fit.
pub const MAX_RESIDUES: usize = 6_000;
/// Fewer residues have no fold.
const MIN_RESIDUES: usize = 5;

/// What the chains are made of; the scale of distances depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Polymer {
    /// Alpha carbons.
    Protein,
    /// One atom of each nucleotide.
    Nucleic,
}

/// Two chains aligned by shape.
#[derive(Clone, Debug, PartialEq)]
pub struct TmAlignment {
    /// Positions in the mobile and the target chain that stand for each other, ascending.
    pub pairs: Vec<(usize, usize)>,
    /// Lays the mobile chain on the target so that the TM-score is highest.
    pub transform: Transform,
    /// Normalised by the length of the mobile chain, 0 to 1.
    pub tm_score_by_mobile: f64,
    /// Normalised by the length of the target chain.
    pub tm_score_by_target: f64,
    /// Of the pairs, superposed for the lowest RMSD, Å.
    pub rmsd: f32,
}

/// Aligns two chains by one point a residue, in order. Nothing when one has fewer than 5 or more than
/// [`MAX_RESIDUES`] points, or coordinates are not finite.
#[must_use]
pub fn tm_align(mobile: &[Vec3], target: &[Vec3], polymer: Polymer) -> Option<TmAlignment> {
    let fits = |chain: &[Vec3]| {
        (MIN_RESIDUES..=MAX_RESIDUES).contains(&chain.len()) && chain.iter().all(|point| point.is_finite())
    };
    if !fits(mobile) || !fits(target) {
        return None;
    }
    let mut search = Aligner::new(mobile, target, polymer);
    search.all_guesses();
    let (pairs, _) = search.best?;
    finish(mobile, target, pairs, polymer)
}

/// The highest TM-scores of pairs that are given, normalised by the lengths of mobile and target, with the transform that
/// the score by the target's length has. Nothing without pairs.
#[must_use]
pub fn tm_score_of_pairs(
    mobile: &[Vec3],
    target: &[Vec3],
    pairs: &[(usize, usize)],
    lengths: [usize; 2],
    polymer: Polymer,
) -> Option<TmAlignment> {
    let (first, second) = points(mobile, target, pairs)?;
    // Fragments at every position; of large complexes at some of them.
    let step = (pairs.len() / 1_000).max(1);
    let by_target = Search::new(&first, &second, Scale::reported(lengths[1], polymer)).run(step, false)?;
    let by_mobile = Search::new(&first, &second, Scale::reported(lengths[0], polymer)).run(step, false)?;
    Some(TmAlignment {
        pairs: pairs.to_vec(),
        transform: by_target.transform,
        tm_score_by_mobile: by_mobile.score,
        tm_score_by_target: by_target.score,
        rmsd: superpose(&first, &second)?.rmsd,
    })
}

/// The thorough scores of the alignment that was found; pairs that stay far apart are no part of it.
fn finish(mobile: &[Vec3], target: &[Vec3], pairs: Vec<(usize, usize)>, polymer: Polymer) -> Option<TmAlignment> {
    let (first, second) = points(mobile, target, &pairs)?;
    let scale = Scale::searched(mobile.len().min(target.len()), polymer);
    let found = Search::new(&first, &second, scale).run(1, true)?;
    let near: Vec<(usize, usize)> = pairs
        .into_iter()
        .filter(|(a, b)| found.transform.apply(mobile[*a]).distance(target[*b]) <= scale.farthest as f32)
        .collect();
    tm_score_of_pairs(mobile, target, &near, [mobile.len(), target.len()], polymer)
}

fn points(mobile: &[Vec3], target: &[Vec3], pairs: &[(usize, usize)]) -> Option<(Vec<Vec3>, Vec<Vec3>)> {
    let both = pairs.iter().map(|(a, b)| Some((*mobile.get(*a)?, *target.get(*b)?)));
    let (first, second): (Vec<Vec3>, Vec<Vec3>) = both.collect::<Option<Vec<_>>>()?.into_iter().unzip();
    (!first.is_empty()).then_some((first, second))
}

/// The search for the best alignment.
struct Aligner<'a> {
    mobile: &'a [Vec3],
    target: &'a [Vec3],
    scale: Scale,
    table: Table,
    /// Pairs and their TM-score.
    best: Option<(Vec<(usize, usize)>, f64)>,
}

/// Steps along the alignment in the quick search.
const QUICK: usize = 40;

impl<'a> Aligner<'a> {
    fn new(mobile: &'a [Vec3], target: &'a [Vec3], polymer: Polymer) -> Self {
        let scale = Scale::searched(mobile.len().min(target.len()), polymer);
        Self { mobile, target, scale, table: Table::new(mobile.len(), target.len()), best: None }
    }

    fn best_score(&self) -> f64 {
        self.best.as_ref().map_or(0.0, |(_, score)| *score)
    }

    fn all_guesses(&mut self) {
        let (mobile, target) = (self.mobile, self.target);
        let structure = [initial::secondary_structure(mobile), initial::secondary_structure(target)];
        // Below these shares of the best score a guess is not worth refining.
        let share = if mobile.len().min(target.len()) <= 40 { 0.1 } else { 0.4 };
        let guess = initial::thread(mobile, target, &self.scale);
        self.refine(guess, 0.0, &[-0.6, 0.0], 30);
        let guess = self.table.align(-1.0, |a, b| if structure[0][a] == structure[1][b] { 1.0 } else { 0.0 });
        self.refine(guess, 0.2, &[-0.6, 0.0], 30);
        let guess = initial::fragments(mobile, target, &self.scale);
        self.refine(guess, share, &[-0.6, 0.0], 2);
        let guess = self.by_structure_and_distance(&structure);
        self.refine(guess, share, &[-0.6, 0.0], 30);
        let guess = initial::thread_longest_fragment(mobile, target, &self.scale);
        self.refine(guess, share, &[0.0], 2);
    }

    /// Dynamic programming on nearness after the best guess so far, and equal secondary structure.
    fn by_structure_and_distance(&mut self, structure: &[Vec<initial::Fold>; 2]) -> Vec<(usize, usize)> {
        let Some((pairs, _)) = &self.best else { return Vec::new() };
        let fit = points(self.mobile, self.target, pairs).and_then(|(first, second)| superpose(&first, &second));
        let Some(fit) = fit else { return Vec::new() };
        let moved: Vec<Vec3> = self.mobile.iter().map(|point| fit.transform.apply(*point)).collect();
        let scale = (self.scale.d0 + 1.5).max(self.scale.least).powi(2) as f32;
        let target = self.target;
        self.table.align(-1.0, |a, b| {
            let near = 1.0 / (1.0 + moved[a].distance_squared(target[b]) / scale);
            if structure[0][a] == structure[1][b] { near + 0.5 } else { near }
        })
    }

    /// Takes a guess into account: scores it, and goes on from it by dynamic programming if it is good enough.
    fn refine(&mut self, guess: Vec<(usize, usize)>, share: f64, gaps: &[f32], rounds: usize) {
        let Some(found) = self.search(&guess) else { return };
        if found.score > self.best_score() {
            self.best = Some((guess, found.score));
        }
        if found.score <= self.best_score() * share {
            return;
        }
        let scale = (self.scale.d0 * self.scale.d0) as f32;
        let mut transform = found.transform;
        for gap in gaps {
            let mut before = 0.0;
            for round in 0..rounds {
                let moved: Vec<Vec3> = self.mobile.iter().map(|point| transform.apply(*point)).collect();
                let target = self.target;
                let pairs = self.table.align(*gap, |a, b| 1.0 / (1.0 + moved[a].distance_squared(target[b]) / scale));
                let Some(next) = self.search(&pairs) else { break };
                transform = next.transform;
                if next.score > self.best_score() {
                    self.best = Some((pairs, next.score));
                }
                if round > 0 && (next.score - before).abs() < 1.0e-6 {
                    break;
                }
                before = next.score;
            }
        }
    }

    fn search(&self, pairs: &[(usize, usize)]) -> Option<score::Found> {
        let (first, second) = points(self.mobile, self.target, pairs)?;
        Search::new(&first, &second, self.scale).run(QUICK, true)
    }
}

#[cfg(test)]
mod tests {
    use glam::Quat;

    use super::*;

    fn helix(count: usize) -> Vec<Vec3> {
        let point = |index: usize| {
            let turn = index as f32 * 100.0_f32.to_radians();
            Vec3::new(2.3 * turn.cos(), 2.3 * turn.sin(), 1.5 * index as f32)
        };
        (0..count).map(point).collect()
    }

    #[test]
    fn a_moved_copy_scores_one() {
        let target = helix(60);
        let turn = Quat::from_rotation_x(1.1);
        let mobile: Vec<Vec3> = target[10..50].iter().map(|point| turn * *point + Vec3::new(30.0, -4.0, 9.0)).collect();
        let found = tm_align(&mobile, &target, Polymer::Protein).unwrap();
        assert!(found.tm_score_by_mobile > 0.999, "{}", found.tm_score_by_mobile);
        assert!(found.tm_score_by_target < 0.7);
        assert_eq!(found.pairs.len(), 40);
        assert!(found.rmsd < 1.0e-3);
    }

    #[test]
    fn what_has_no_fold_is_not_aligned() {
        assert!(tm_align(&helix(4), &helix(40), Polymer::Protein).is_none());
        assert!(tm_align(&[Vec3::NAN; 10], &helix(40), Polymer::Protein).is_none());
        // Points in one place are no numbers' fault.
        let found = tm_align(&[Vec3::ZERO; 30], &helix(40), Polymer::Protein).unwrap();
        assert!(found.tm_score_by_target.is_finite());
        assert!(tm_score_of_pairs(&helix(9), &helix(9), &[], [9, 9], Polymer::Protein).is_none());
        assert!(tm_score_of_pairs(&helix(9), &helix(9), &[(0, 9)], [9, 9], Polymer::Protein).is_none());
    }
}
