//! The first guesses of an alignment.

use glam::Vec3;
use rayon::prelude::*;

use super::super::superpose::superpose;
use super::dynamic::Table;
use super::score::Scale;

/// Neighbours along an unbroken chain are not farther apart, Å.
const LINK: f32 = 4.25;

/// A quick score and its pairs.
type Guess = (f64, Vec<(usize, usize)>);

/// What the chain does at a residue, by distances along it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fold {
    Coil,
    Helix,
    Turn,
    Strand,
}

/// Helix, strand and turn by the distances within five residues (Zhang & Skolnick 2005).
pub(super) fn secondary_structure(chain: &[Vec3]) -> Vec<Fold> {
    let mut folds = vec![Fold::Coil; chain.len()];
    for (window, fold) in chain.windows(5).zip(folds.iter_mut().skip(2)) {
        let distance = |a: usize, b: usize| window[a].distance(window[b]);
        let matches = |by_two: f32, by_three: f32, by_four: f32, tolerance: f32| {
            let near = |found: f32, ideal: f32| (found - ideal).abs() < tolerance;
            near(distance(0, 4), by_four)
                && near(distance(0, 3), by_three)
                && near(distance(1, 4), by_three)
                && near(distance(0, 2), by_two)
                && near(distance(1, 3), by_two)
                && near(distance(2, 4), by_two)
        };
        *fold = if matches(5.45, 5.18, 6.37, 2.1) {
            Fold::Helix
        } else if matches(6.1, 10.4, 13.0, 1.42) {
            Fold::Strand
        } else if distance(0, 4) < 8.0 {
            Fold::Turn
        } else {
            Fold::Coil
        };
    }
    folds
}

/// A quick score of paired points: superposed whole, then twice by the pairs that are near; not normalised.
pub(super) fn quick_score(mobile: &[Vec3], target: &[Vec3], scale: &Scale) -> f64 {
    let d0_squared = scale.d0 * scale.d0;
    let count = mobile.len();
    let mut best = 0.0_f64;
    let mut chosen: Vec<usize> = (0..count).collect();
    for round in 0..3 {
        let pick = |points: &[Vec3]| chosen.iter().map(|index| points[*index]).collect::<Vec<Vec3>>();
        let fit = if round == 0 { superpose(mobile, target) } else { superpose(&pick(mobile), &pick(target)) };
        let Some(fit) = fit else { return best };
        let squared: Vec<f64> =
            mobile.iter().zip(target).map(|(a, b)| f64::from(fit.transform.apply(*a).distance_squared(*b))).collect();
        best = best.max(squared.iter().map(|squared| 1.0 / (1.0 + squared / d0_squared)).sum());
        if round == 2 {
            break;
        }
        let mut limit = scale.near * scale.near + round as f64;
        let mut sorted = squared.clone();
        sorted.sort_by(f64::total_cmp);
        if let Some(third) = sorted.get(2).filter(|third| third.is_finite()) {
            limit += 0.5 * ((third - limit) / 0.5).ceil().max(0.0);
        }
        let next: Vec<usize> = (0..count).filter(|index| squared[*index] <= limit).collect();
        if next.len() == count {
            break;
        }
        chosen = next;
    }
    best
}

/// The best of sliding `pattern` along `chain` without gaps, at least `least` residues together: the position of the
/// chain that the pattern's first residue has (may be negative).
fn best_offset(pattern: &[Vec3], chain: &[Vec3], least: usize, scale: &Scale) -> Option<isize> {
    let (first, last) = (least as isize - pattern.len() as isize, chain.len() as isize - least as isize);
    let score = |offset: isize| {
        let pairs = overlap(pattern.len(), chain.len(), offset);
        let start = (pairs.start as isize + offset) as usize;
        quick_score(&pattern[pairs.clone()], &chain[start..start + pairs.len()], scale)
    };
    let scores: Vec<(f64, isize)> = (first..=last).into_par_iter().map(|offset| (score(offset), offset)).collect();
    // The first of equals.
    scores.into_iter().reduce(|held, next| if next.0 > held.0 { next } else { held }).map(|(_, offset)| offset)
}

/// Positions of the pattern that lie on the chain.
fn overlap(pattern: usize, chain: usize, offset: isize) -> std::ops::Range<usize> {
    let first = (-offset).max(0) as usize;
    let last = (chain as isize - offset).clamp(0, pattern as isize) as usize;
    first.min(last)..last
}

/// Threading without gaps.
pub(super) fn thread(mobile: &[Vec3], target: &[Vec3], scale: &Scale) -> Vec<(usize, usize)> {
    let least = (mobile.len().min(target.len()) / 2).max(5);
    let Some(offset) = best_offset(mobile, target, least, scale) else { return Vec::new() };
    overlap(mobile.len(), target.len(), offset).map(|a| (a, (a as isize + offset) as usize)).collect()
}

/// Superposes fragments of both chains on each other and aligns the whole chains by nearness after each; the best.
pub(super) fn fragments(mobile: &[Vec3], target: &[Vec3], scale: &Scale) -> Vec<(usize, usize)> {
    let shorter = mobile.len().min(target.len());
    let d0_squared = (scale.d0 + 1.5).max(scale.least).powi(2) as f32;
    let jump = |length: usize| {
        let jump = match length {
            251.. => 45,
            201..=250 => 35,
            151..=200 => 25,
            _ => 15,
        };
        // Long chains: some twenty starts are enough, and each costs a table.
        jump.max(length / 25).min(length / 3).max(1)
    };
    let mut starts = Vec::new();
    for length in [20.min(shorter / 3), 100.min(shorter / 2)] {
        if length == 0 {
            continue;
        }
        for a in (0..=mobile.len() - length).step_by(jump(mobile.len())) {
            for b in (0..=target.len() - length).step_by(jump(target.len())) {
                starts.push((a, b, length));
            }
        }
    }
    let guess = |table: &mut Table, (a, b, length): (usize, usize, usize)| {
        let fit = superpose(&mobile[a..a + length], &target[b..b + length])?;
        let moved: Vec<Vec3> = mobile.iter().map(|point| fit.transform.apply(*point)).collect();
        let pairs = table.align(0.0, |a, b| 1.0 / (1.0 + moved[a].distance_squared(target[b]) / d0_squared));
        let (first, second): (Vec<Vec3>, Vec<Vec3>) = pairs.iter().map(|(a, b)| (mobile[*a], target[*b])).unzip();
        Some((quick_score(&first, &second, scale), pairs))
    };
    let found: Vec<Option<Guess>> =
        starts.into_par_iter().map_init(|| Table::new(mobile.len(), target.len()), guess).collect();
    let best = found.into_iter().flatten().reduce(|held, next| if next.0 > held.0 { next } else { held });
    best.map_or_else(Vec::new, |(_, pairs)| pairs)
}

/// Threading of the longest unbroken fragment of the chain whose fragment is shorter.
pub(super) fn thread_longest_fragment(mobile: &[Vec3], target: &[Vec3], scale: &Scale) -> Vec<(usize, usize)> {
    let (of_mobile, of_target) = (longest_fragment(mobile), longest_fragment(target));
    let is_mobile = match of_mobile.len().cmp(&of_target.len()) {
        std::cmp::Ordering::Less => true,
        std::cmp::Ordering::Greater => false,
        std::cmp::Ordering::Equal => mobile.len() <= target.len(),
    };
    let (mut part, from, onto) = if is_mobile { (of_mobile, mobile, target) } else { (of_target, target, mobile) };
    if part.len() == mobile.len().min(target.len()) {
        // The whole chain has been threaded before: now without its ends.
        let count = part.len();
        part = count / 10..count * 89 / 100 + 1;
    }
    let Some(pattern) = from.get(part.clone()).filter(|pattern| !pattern.is_empty()) else { return Vec::new() };
    let least = ((pattern.len().min(onto.len()) as f64 / 2.5) as usize).max(4);
    if pattern.len() < least || onto.len() < least {
        return Vec::new();
    }
    let Some(offset) = best_offset(pattern, onto, least, scale) else { return Vec::new() };
    overlap(pattern.len(), onto.len(), offset)
        .map(|place| {
            let (inner, outer) = (part.start + place, (place as isize + offset) as usize);
            if is_mobile { (inner, outer) } else { (outer, inner) }
        })
        .collect()
}

/// The longest run of neighbours that are linked: of four residues at least, by longer links if need be.
fn longest_fragment(chain: &[Vec3]) -> std::ops::Range<usize> {
    let mut link = LINK;
    for _ in 0..60 {
        let mut best = 0..0;
        let mut start = 0;
        for index in 1..=chain.len() {
            if index == chain.len() || chain[index].distance(chain[index - 1]) >= link {
                if index - start > best.len() {
                    best = start..index;
                }
                start = index;
            }
        }
        if best.len() >= 4.min(chain.len() / 3) {
            return best;
        }
        link *= 1.1;
    }
    0..chain.len()
}
