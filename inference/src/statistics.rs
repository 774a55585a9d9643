//! How well predicted values follow measured ones.
//!
//! A score that orders a series no better than the number of heavy atoms is no news, so [`compare`] always puts that baseline
//! beside the prediction. The 95 % interval of Spearman's coefficient is by Fisher's transformation with the standard error of
//! Bonett & Wright (Psychometrika 2000, 65, 23); for the few ligands of most series it is wide, which is what it is there for.

use serde::Serialize;

/// Fewest pairs that a correlation is given for.
const FEWEST: usize = 3;

/// Correlations of a column with measured values.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Correlation {
    /// Spearman's rank correlation; ties share their mean rank.
    pub spearman: f32,
    /// Its 95 % interval; `None` for fewer than five pairs.
    pub spearman_interval: Option<(f32, f32)>,
    /// Pearson's linear correlation.
    pub pearson: f32,
    /// Kendall's tau-b.
    pub kendall: f32,
}

/// A prediction beside its baseline.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// Ligands with a measured and a predicted value.
    pub count: usize,
    /// The predicted pK.
    pub prediction: Correlation,
    /// The number of heavy atoms; `None` when it is the same in all.
    pub heavy_atoms: Option<Correlation>,
}

impl Comparison {
    /// Whether the prediction orders the ligands better than their sizes do.
    #[must_use]
    pub fn beats_size(&self) -> bool {
        self.heavy_atoms.is_none_or(|heavy_atoms| self.prediction.spearman > heavy_atoms.spearman)
    }
}

/// A ligand with a measured affinity.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measured {
    /// Measured pK.
    pub measured_pk: f32,
    /// Predicted pK.
    pub predicted_pk: f32,
    /// Heavy atoms.
    pub heavy_atoms: u32,
}

/// Compares predicted with measured values; `None` for fewer than three ligands or when a column is constant.
#[must_use]
pub fn compare(ligands: &[Measured]) -> Option<Comparison> {
    let column = |pick: fn(&Measured) -> f32| ligands.iter().map(pick).collect::<Vec<f32>>();
    let measured = column(|ligand| ligand.measured_pk);
    Some(Comparison {
        count: ligands.len(),
        prediction: correlation(&measured, &column(|ligand| ligand.predicted_pk))?,
        heavy_atoms: correlation(&measured, &column(|ligand| ligand.heavy_atoms as f32)),
    })
}

/// The correlations of two columns; `None` for fewer than three pairs, a constant column or values that are no numbers.
#[must_use]
pub fn correlation(a: &[f32], b: &[f32]) -> Option<Correlation> {
    if a.len() != b.len() || a.len() < FEWEST || a.iter().chain(b).any(|value| !value.is_finite()) {
        return None;
    }
    let wide = |values: &[f32]| values.iter().map(|&value| f64::from(value)).collect::<Vec<f64>>();
    let spearman = pearson(&ranks(a), &ranks(b))?;
    Some(Correlation {
        spearman: spearman as f32,
        spearman_interval: interval(spearman, a.len()),
        pearson: pearson(&wide(a), &wide(b))? as f32,
        kendall: kendall(a, b)? as f32,
    })
}

fn pearson(a: &[f64], b: &[f64]) -> Option<f64> {
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let (mean_a, mean_b) = (mean(a), mean(b));
    let product: f64 = a.iter().zip(b).map(|(a, b)| (a - mean_a) * (b - mean_b)).sum();
    let square = |values: &[f64], mean: f64| values.iter().map(|value| (value - mean).powi(2)).sum::<f64>();
    let scale = (square(a, mean_a) * square(b, mean_b)).sqrt();
    (scale > 0.0).then(|| (product / scale).clamp(-1.0, 1.0))
}

fn ranks(values: &[f32]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&x, &y| values[x].total_cmp(&values[y]));
    let mut ranks = vec![0.0; values.len()];
    let mut start = 0;
    while start < order.len() {
        let mut end = start + 1;
        while end < order.len() && values[order[end]] == values[order[start]] {
            end += 1;
        }
        // Ranks count from 1; tied values share the mean of theirs.
        let rank = (start + end + 1) as f64 / 2.0;
        for &index in &order[start..end] {
            ranks[index] = rank;
        }
        start = end;
    }
    ranks
}

/// Tau-b, pair by pair: a series has hundreds of ligands, not millions.
fn kendall(a: &[f32], b: &[f32]) -> Option<f64> {
    let (mut balance, mut pairs_a, mut pairs_b) = (0_i64, 0_u64, 0_u64);
    for i in 0..a.len() {
        for j in 0..i {
            let sign = |values: &[f32]| values[i].partial_cmp(&values[j]).map_or(0, |order| order as i64);
            let (sign_a, sign_b) = (sign(a), sign(b));
            balance += sign_a * sign_b;
            pairs_a += sign_a.unsigned_abs();
            pairs_b += sign_b.unsigned_abs();
        }
    }
    let scale = (pairs_a as f64 * pairs_b as f64).sqrt();
    (scale > 0.0).then(|| balance as f64 / scale)
}

fn interval(spearman: f64, count: usize) -> Option<(f32, f32)> {
    if count < 5 {
        return None;
    }
    let middle = spearman.clamp(-0.999_999, 0.999_999).atanh();
    let error = ((1.0 + spearman * spearman / 2.0) / (count as f64 - 3.0)).sqrt();
    let end = |sign: f64| (middle + sign * 1.959_964 * error).tanh() as f32;
    Some((end(-1.0), end(1.0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Expected values from scipy.stats (spearmanr, pearsonr, kendalltau).
    #[test]
    fn coefficients_agree_with_scipy() {
        let a = [6.729, 6.098, 6.047, 6.531, 5.2, 7.0];
        let b = [8.1, 7.9, 8.1, 7.0, 6.5, 9.0];
        let found = correlation(&a, &b).unwrap();
        for (found, expected) in
            [(found.spearman, 0.695_725_2), (found.pearson, 0.744_204_7), (found.kendall, 0.552_052_4)]
        {
            assert!((found - expected).abs() < 1e-5, "{found} is not {expected}");
        }
        let (low, high) = found.spearman_interval.unwrap();
        assert!(low < found.spearman && found.spearman < high && high < 1.0, "{low} to {high}");
    }

    #[test]
    fn what_tells_nothing_has_no_coefficient() {
        assert!((correlation(&[1.0, 2.0, 3.0], &[3.0, 2.0, 1.0]).unwrap().spearman + 1.0).abs() < 1e-6);
        assert!(correlation(&[1.0, 2.0, 3.0], &[5.0, 5.0, 5.0]).is_none());
        assert!(correlation(&[1.0, 2.0], &[1.0, 2.0]).is_none());
        assert!(correlation(&[1.0, 2.0, f32::NAN], &[1.0, 2.0, 3.0]).is_none());
    }

    #[test]
    fn size_is_the_baseline() {
        let ligand = |measured_pk, predicted_pk, heavy_atoms| Measured { measured_pk, predicted_pk, heavy_atoms };
        let same_size = [ligand(5.0, 5.5, 20), ligand(6.0, 6.1, 20), ligand(7.0, 6.9, 20)];
        assert!(compare(&same_size).is_some_and(|found| found.heavy_atoms.is_none() && found.beats_size()));
        let by_size = [ligand(5.0, 5.5, 20), ligand(6.0, 6.1, 21), ligand(7.0, 6.0, 22)];
        assert!(!compare(&by_size).unwrap().beats_size());
    }
}
