//! From confidence logits to the numbers people read (AtlasFold 1.0.4, `model/utils/confidence_metrics.py`).
//!
//! A predicted TM-score is, for each residue taken as the frame, the mean over the others of 1 / (1 + (error / d0)²) under
//! the predicted distribution of aligned errors, and the best frame counts. d0 grows with the number of residues, so the
//! whole, each chain and each pair of chains have their own; the mean over the bins for all of them is one matrix product
//! with the probabilities.

use candle_core::{D, DType, Device, Tensor};

use super::confidence_head::{BinCentres, ConfidenceLogits};
use super::features::Features;
use crate::kfold::Result;

/// Keeps a mean over nothing from being infinite.
const EPSILON: f32 = 1e-8;

/// Residues over which relative accessibility is averaged before the cut.
const SMOOTHING_WINDOW: usize = 25;
/// Mean relative accessibility above which a residue counts as disordered.
const DISORDER_CUTOFF: f32 = 0.581;

/// How far one sample can be trusted. Lists are over the padded residues; zero in the padding.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Confidence {
    /// pLDDT of each residue, 0 to 1, `[L]`.
    pub plddt: Vec<f32>,
    /// Predicted aligned error in Å, `[L * L]`: of column j when row i is the frame.
    pub pae: Vec<f32>,
    /// Predicted distance error in Å, `[L * L]`; AtlasFold-M only.
    pub pde: Option<Vec<f32>>,
    /// Predicted TM-score, 0 to 1.
    pub ptm: f32,
    /// Predicted TM-score over pairs of residues of different chains, 0 to 1; 0 for a single chain.
    pub iptm: f32,
    /// Predicted TM-score of each chain alone.
    pub chain_ptm: Vec<f32>,
    /// ipTM of each pair of chains, `[chains * chains]`, symmetric; NaN on the diagonal.
    pub interface_iptm: Vec<f32>,
}

/// Reads the logits of one sample.
///
/// # Errors
/// When the shapes do not fit.
pub fn confidence(features: &Features, logits: &ConfidenceLogits, centres: &BinCentres) -> Result<Confidence> {
    let mask = &features.mask;
    let length = mask.len();
    let chains = Chains::of(features);
    let probabilities = candle_nn::ops::softmax_last_dim(&logits.pae.contiguous()?)?;

    // One column for the mean error, one for each set of residues with a TM-score.
    let mut columns = vec![centres.pae.clone()];
    columns.extend(chains.sets().map(|residues| tm_of_bins(&centres.pae, residues)));
    let sums = expectations(&probabilities, &columns)?;
    let count = columns.len();
    let term = |set: usize, i: usize, j: usize| sums[(i * length + j) * count + 1 + set];

    let pae = masked_pairs(mask, |i, j| sums[(i * length + j) * count]);
    let all: Vec<usize> = (0..length).filter(|residue| mask[*residue]).collect();
    let different = |i: usize, j: usize| features.asym_id[i] != features.asym_id[j];
    let ptm = best_frame(&all, |_, _| true, |i, j| term(0, i, j));
    let iptm = best_frame(&all, different, |i, j| term(0, i, j));
    let number = chains.residues.len();
    let chain_ptm = chains
        .residues
        .iter()
        .enumerate()
        .map(|(chain, residues)| best_frame(residues, |_, _| true, |i, j| term(1 + chain, i, j)))
        .collect();
    let mut interface_iptm = vec![f32::NAN; number * number];
    for (pair, (a, b)) in chains.pairs().enumerate() {
        let both = [chains.residues[a].as_slice(), &chains.residues[b]].concat();
        let score = best_frame(&both, different, |i, j| term(1 + number + pair, i, j));
        interface_iptm[a * number + b] = score;
        interface_iptm[b * number + a] = score;
    }
    let pde = match (&logits.pde, &centres.pde) {
        (Some(logits), Some(centres)) => {
            let probabilities = candle_nn::ops::softmax_last_dim(&logits.contiguous()?)?;
            let means = expectations(&probabilities, std::slice::from_ref(centres))?;
            Some(masked_pairs(mask, |i, j| means[i * length + j]))
        }
        _ => None,
    };
    let plddt = candle_nn::ops::softmax_last_dim(&logits.plddt.contiguous()?)?;
    let plddt = expectations(&plddt, std::slice::from_ref(&centres.plddt))?;
    let plddt = plddt.iter().zip(mask).map(|(value, exists)| if *exists { *value } else { 0.0 }).collect();
    Ok(Confidence { plddt, pae, pde, ptm, iptm, chain_ptm, interface_iptm })
}

/// The residues of each chain.
struct Chains {
    residues: Vec<Vec<usize>>,
}

impl Chains {
    fn of(features: &Features) -> Self {
        let mut ids: Vec<i64> = Vec::new();
        let mut residues: Vec<Vec<usize>> = Vec::new();
        for (residue, id) in features.asym_id.iter().enumerate().filter(|(residue, _)| features.mask[*residue]) {
            match ids.iter().position(|known| known == id) {
                Some(chain) => residues[chain].push(residue),
                None => {
                    ids.push(*id);
                    residues.push(vec![residue]);
                }
            }
        }
        Self { residues }
    }

    fn pairs(&self) -> impl Iterator<Item = (usize, usize)> + use<> {
        let number = self.residues.len();
        (0..number).flat_map(move |a| (a + 1..number).map(move |b| (a, b)))
    }

    /// Residue counts: of all, of each chain, of each pair.
    fn sets(&self) -> impl Iterator<Item = usize> {
        let all = self.residues.iter().map(Vec::len).sum();
        let pairs = self.pairs().map(|(a, b)| self.residues[a].len() + self.residues[b].len());
        std::iter::once(all).chain(self.residues.iter().map(Vec::len)).chain(pairs)
    }
}

/// For each bin of aligned errors, its share of a TM-score of so many residues.
fn tm_of_bins(centres: &[f32], residues: usize) -> Vec<f32> {
    let d0 = 1.24 * (residues.max(19) as f32 - 15.0).cbrt() - 1.8;
    centres.iter().map(|error| 1.0 / (1.0 + error * error / (d0 * d0))).collect()
}

/// The mean of each column (one number for each bin) under the probabilities `[.., bins]`: a flat `[.., columns]`.
fn expectations(probabilities: &Tensor, columns: &[Vec<f32>]) -> Result<Vec<f32>> {
    let bins = probabilities.dim(D::Minus1)?;
    let flat = probabilities.reshape(((), bins))?;
    let matrix = Tensor::from_vec(columns.concat(), (columns.len(), bins), probabilities.device())?;
    let sums = flat.matmul(&matrix.t()?)?;
    Ok(sums.to_dtype(DType::F32)?.to_device(&Device::Cpu)?.flatten_all()?.to_vec1()?)
}

fn masked_pairs(mask: &[bool], value: impl Fn(usize, usize) -> f32) -> Vec<f32> {
    let length = mask.len();
    let pair = |index: usize| {
        let (i, j) = (index / length, index % length);
        if mask[i] && mask[j] { value(i, j) } else { 0.0 }
    };
    (0..length * length).map(pair).collect()
}

/// The largest mean of `term` over the pairs that count, by the residue that is the frame.
fn best_frame(residues: &[usize], counts: impl Fn(usize, usize) -> bool, term: impl Fn(usize, usize) -> f32) -> f32 {
    let mean = |i: &usize| -> f32 {
        let pairs = residues.iter().filter(|j| counts(*i, **j));
        let (sum, number) = pairs.fold((0.0, 0.0), |(sum, number), j| (sum + term(*i, *j), number + 1.0));
        sum / (EPSILON + number)
    };
    residues.iter().map(mean).fold(0.0, f32::max)
}

/// The share of residues whose relative accessibility (0 to 1), averaged along the chain, is that of a disordered one
/// (AlphaFold 3). `accessibility` is over the residues of all chains in order.
#[must_use]
pub fn fraction_disordered(accessibility: &[f32], chain_lengths: &[usize]) -> f32 {
    let half = SMOOTHING_WINDOW as i64 / 2;
    let mut disordered = 0usize;
    let mut start = 0;
    for length in chain_lengths {
        let chain = &accessibility[start.min(accessibility.len())..(start + length).min(accessibility.len())];
        start += length;
        let smoothed = |centre: usize| -> f32 {
            let places = centre as i64 - half..=centre as i64 + half;
            places.map(|place| chain[reflected(place, chain.len())] / SMOOTHING_WINDOW as f32).sum()
        };
        disordered += (0..chain.len()).filter(|residue| smoothed(*residue) > DISORDER_CUTOFF).count();
    }
    disordered as f32 / accessibility.len().max(1) as f32
}

/// A place beyond an end, mirrored at the end residues as often as needed.
fn reflected(place: i64, length: usize) -> usize {
    if length < 2 {
        return 0;
    }
    let period = 2 * (length as i64 - 1);
    let place = place.rem_euclid(period);
    place.min(period - place) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_mirrored_as_numpy_does() {
        let mirrored: Vec<usize> = (-4..7).map(|place| reflected(place, 3)).collect();
        assert_eq!(mirrored, [0, 1, 2, 1, 0, 1, 2, 1, 0, 1, 2]);
        assert_eq!(reflected(-12, 1), 0);
    }

    #[test]
    fn an_exposed_chain_is_disordered() {
        let accessibility = [vec![0.9f32; 30], vec![0.1; 10]].concat();
        assert_eq!(fraction_disordered(&accessibility, &[30, 10]), 0.75);
        assert_eq!(fraction_disordered(&[], &[]), 0.0);
    }

    #[test]
    fn certain_and_small_errors_give_a_high_tm_score() {
        let features = Features::unpadded(&["AAA", "CC"]).unwrap().padded(6, 12).unwrap();
        let mut pae = vec![-30f32; 6 * 6 * 2];
        // Within chains certain of the first bin, between them of the second.
        for (pair, bins) in pae.chunks_exact_mut(2).enumerate() {
            let (i, j) = (pair / 6, pair % 6);
            bins[usize::from(features.asym_id[i] != features.asym_id[j])] = 30.0;
        }
        let logits = ConfidenceLogits {
            plddt: Tensor::zeros((6, 2), DType::F32, &Device::Cpu).unwrap(),
            experimentally_resolved: Tensor::zeros((6, 37), DType::F32, &Device::Cpu).unwrap(),
            pae: Tensor::from_vec(pae, (6, 6, 2), &Device::Cpu).unwrap(),
            pde: None,
        };
        let centres = BinCentres { plddt: vec![0.25, 0.75], pae: vec![0.0, 1e4], pde: None };
        let confidence = confidence(&features, &logits, &centres).unwrap();
        assert_eq!(confidence.plddt, [0.5, 0.5, 0.5, 0.5, 0.5, 0.0]);
        assert_eq!(confidence.chain_ptm, [1.0, 1.0]);
        assert!((confidence.ptm - 0.6).abs() < 1e-6, "three of five are certain: {}", confidence.ptm);
        assert!(confidence.iptm < 1e-6);
        assert!(confidence.interface_iptm[0].is_nan() && confidence.interface_iptm[1] < 1e-6);
        assert!(confidence.pae[1] < 1e-6, "within a chain");
        assert_eq!((confidence.pae[5], confidence.pae[35]), (0.0, 0.0), "in the padding");
        assert!((confidence.pae[3] - 1e4).abs() < 1.0);
    }
}
