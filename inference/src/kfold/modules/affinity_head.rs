//! The affinity head: a predicted activity (p_activity, like pIC50 or pKd) from the trunk's states of a protein and a ligand.
//!
//! K-Fold 1.0.0 has none and no weights are published; the consortium's repository carried one in September 2026, a readout
//! over a frozen trunk. This follows what is known of it, so that a checkpoint works on the day it appears: sizes are read
//! from the tensors, names may carry the training's prefixes. Protein tokens are cropped around those that the distogram
//! expects nearest to the ligand; pairs of protein and ligand, and within the ligand, go through the confidence head's
//! blocks; all other pairs are held at zero. The four inputs are rounded to bf16 first, as they were in training.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::fs::File;
use std::path::Path;

use candle_core::{D, DType, Device, Tensor};
use candle_nn::VarBuilder;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::confidence_head::{NormalizedLinear, PairSingleBlock};
use super::distogram_head::bin_centers;
use crate::kfold::checkpoint::Checkpoint;
use crate::kfold::input::ChainType;
use crate::kfold::primitives::activation::gelu;
use crate::kfold::primitives::{LayerNorm, LayerNormParts, Linear};
use crate::kfold::{KFoldError, Result};

/// Range of the distogram, Å.
const DISTOGRAM: (f64, f64) = (2.0, 22.0);
/// Å.
const CONTACT: f32 = 8.0;
/// Least probability whose logarithm is taken.
const SMALLEST_PROBABILITY: f32 = 1e-8;
/// Logit of a pair that is not looked at.
const MASKED: f64 = -1e9;
/// Prefixes that training puts before the names.
const PREFIXES: [&str; 2] = ["model.", "_orig_mod."];
/// More blocks than this are damage or malice.
const MAX_BLOCKS: usize = 1000;

/// Limits of the crop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CropLimits {
    /// Tokens in all.
    pub max_tokens: usize,
    /// Tokens of protein.
    pub max_protein_tokens: usize,
    /// Consecutive protein tokens that are taken together.
    pub neighborhood: usize,
}

impl Default for CropLimits {
    fn default() -> Self {
        Self { max_tokens: 256, max_protein_tokens: 200, neighborhood: 10 }
    }
}

/// A predicted activity and where it comes from. It is a prediction; it is never to be shown as a measured constant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AffinityPrediction {
    /// Predicted activity, p-scale.
    pub p_activity: f32,
    /// The tokens that were looked at.
    pub crop: Vec<usize>,
    /// How many.
    pub num_tokens: usize,
    /// How many of protein.
    pub num_protein_tokens: usize,
    /// How many of ligand.
    pub num_ligand_tokens: usize,
    /// The checkpoint's SHA-256.
    pub checkpoint_sha256: String,
    /// The limits of the crop.
    pub limits: CropLimits,
}

/// What the trunk says of a complex.
#[derive(Clone, Copy, Debug)]
pub struct AffinityInput<'a> {
    /// [L, c_s].
    pub s_inputs: &'a Tensor,
    /// [L, c_s].
    pub s_lm: &'a Tensor,
    /// [L, L, c_z].
    pub z: &'a Tensor,
    /// [L, L, bins].
    pub distogram_logits: &'a Tensor,
    /// The [`ChainType`] of each token, anything else where padded.
    pub chain_types: &'a [i64],
}

/// What the head saw, beside its answer.
#[derive(Clone, Debug)]
pub struct AffinityReadout {
    /// Predicted activity.
    pub p_activity: f32,
    /// The tokens that were looked at.
    pub crop: Crop,
    /// Features of the active pairs: probability of contact, expected distance (Å), entropy [crop, crop, 3].
    pub distogram_features: Tensor,
    /// Mean of the pairs [c_z].
    pub pooled_z: Tensor,
    /// Mean of the singles [c_s].
    pub pooled_s: Tensor,
}

/// Tokens of a crop, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Crop {
    /// Indices of the tokens.
    pub tokens: Vec<usize>,
    /// Whether each is of the ligand; the others are of protein.
    pub is_ligand: Vec<bool>,
}

/// The head.
#[derive(Clone, Debug)]
pub struct AffinityHead {
    limits: CropLimits,
    checkpoint_sha256: String,
    s_lm_to_s: NormalizedLinear,
    s_to_z_left: Linear,
    s_to_z_right: Linear,
    distogram_to_z: Linear,
    blocks: Vec<PairSingleBlock>,
    single_to_pair: Linear,
    readout_norm: LayerNorm,
    readout: [Linear; 3],
}

impl AffinityHead {
    /// Loads the head from a checkpoint file, `.pth` or safetensors.
    ///
    /// # Errors
    /// When the file cannot be read or does not hold this head; the names of the tensors at fault are listed.
    pub fn open(path: &Path, limits: CropLimits, device: &Device) -> Result<Self> {
        let checkpoint = Checkpoint::open(path)?;
        let tensors = checkpoint.names().map(|name| Ok((name.to_owned(), checkpoint.tensor(name, device)?)));
        let tensors = tensors.collect::<Result<HashMap<_, _>>>()?;
        Self::from_tensors(tensors, file_sha256(path)?, limits, device).map_err(|error| match error {
            KFoldError::Input(reason) => KFoldError::checkpoint(path, reason),
            other => other,
        })
    }

    /// Loads the head from a checkpoint's tensors; sizes come from their shapes, training prefixes are taken off the names.
    /// `checkpoint_sha256` is that of the file, for the record.
    ///
    /// # Errors
    /// When a tensor is missing, misshapen or of another network; the names are listed.
    pub fn from_tensors(
        tensors: HashMap<String, Tensor>,
        checkpoint_sha256: String,
        limits: CropLimits,
        device: &Device,
    ) -> Result<Self> {
        let tensors: HashMap<String, Tensor> =
            tensors.into_iter().map(|(name, tensor)| (without_prefixes(&name).to_owned(), tensor)).collect();
        let size = |name: &str, dim: usize| -> Result<usize> {
            let tensor = tensors.get(name).filter(|tensor| tensor.rank() > dim);
            let tensor = tensor.ok_or_else(|| KFoldError::input(format!("the affinity checkpoint lacks {name}")))?;
            Ok(tensor.dims()[dim])
        };
        let (channel_z, channel_s) = (size("s_to_z_left.weight", 0)?, size("s_to_z_left.weight", 1)?);
        let heads = size("stack.blocks.0.linear_pair_bias.weight", 0)?;
        let block_of = |name: &str| name.strip_prefix("stack.blocks.")?.split('.').next()?.parse::<usize>().ok();
        let blocks = tensors.keys().filter_map(|name| block_of(name)).max().map_or(0, |last| last.saturating_add(1));
        if blocks > MAX_BLOCKS || heads == 0 || channel_s % heads != 0 {
            return Err(KFoldError::input(format!(
                "the affinity checkpoint asks for {blocks} blocks of {heads} heads over {channel_s} channels"
            )));
        }
        let expected = expected_tensors(channel_s, channel_z, heads, blocks);
        let mut faults: Vec<String> = Vec::new();
        for (name, shape) in &expected {
            match tensors.get(name) {
                None => faults.push(format!("{name} is missing")),
                Some(tensor) if tensor.dims() != shape => {
                    faults.push(format!("{name} has shape {:?} instead of {shape:?}", tensor.dims()));
                }
                Some(_) => {}
            }
        }
        let mut extra: Vec<_> = tensors.keys().filter(|name| !expected.contains_key(*name)).collect();
        extra.sort_unstable();
        faults.extend(extra.into_iter().map(|name| format!("{name} is not known")));
        if !faults.is_empty() {
            return Err(KFoldError::input(format!("the affinity checkpoint does not fit: {}", faults.join("; "))));
        }
        let vb = VarBuilder::from_tensors(tensors, DType::F32, device);
        let linear = |name: &str, from: usize, to: usize| Linear::load(vb.pp(name), from, to, false);
        let blocks = (0..blocks)
            .map(|index| PairSingleBlock::load(vb.pp("stack.blocks").pp(index), channel_s, channel_z, heads))
            .collect::<Result<_>>()?;
        Ok(Self {
            limits,
            checkpoint_sha256,
            s_lm_to_s: NormalizedLinear::load(vb.pp("s_lm_to_s"), channel_s, channel_s)?,
            s_to_z_left: linear("s_to_z_left", channel_s, channel_z)?,
            s_to_z_right: linear("s_to_z_right", channel_s, channel_z)?,
            distogram_to_z: linear("distogram_to_z", 3, channel_z)?,
            blocks,
            single_to_pair: linear("single_to_pair", channel_s, channel_z)?,
            readout_norm: LayerNorm::load(vb.pp("readout.0"), channel_z, LayerNorm::EPS, LayerNormParts::BOTH)?,
            readout: [
                linear("readout.1", channel_z, channel_z)?,
                linear("readout.3", channel_z, channel_z)?,
                linear("readout.5", channel_z, 1)?,
            ],
        })
    }

    /// The predicted activity with its provenance.
    ///
    /// # Errors
    /// When the complex cannot be cropped (the message says why) or the shapes do not fit.
    pub fn predict(&self, input: AffinityInput<'_>) -> Result<AffinityPrediction> {
        let AffinityReadout { p_activity, crop, .. } = self.forward(input)?;
        let ligand = crop.is_ligand.iter().filter(|is_ligand| **is_ligand).count();
        Ok(AffinityPrediction {
            p_activity,
            num_tokens: crop.tokens.len(),
            num_protein_tokens: crop.tokens.len() - ligand,
            num_ligand_tokens: ligand,
            crop: crop.tokens,
            checkpoint_sha256: self.checkpoint_sha256.clone(),
            limits: self.limits,
        })
    }

    /// The activity and what it was read from.
    ///
    /// # Errors
    /// When the complex cannot be cropped (the message says why) or the shapes do not fit.
    pub fn forward(&self, input: AffinityInput<'_>) -> Result<AffinityReadout> {
        let rounded = |x: &Tensor| -> Result<Tensor> { Ok(x.to_dtype(DType::BF16)?.to_dtype(DType::F32)?) };
        let features = distogram_features(&rounded(input.distogram_logits)?)?;
        let crop = crop(input.chain_types, &features.narrow(2, 1, 1)?.squeeze(2)?, self.limits)?;
        let count = crop.tokens.len();
        let device = input.z.device();
        let index: Vec<u32> = crop.tokens.iter().map(|token| *token as u32).collect();
        let index = Tensor::from_vec(index, count, device)?;
        let cropped = |x: &Tensor| -> Result<Tensor> { Ok(x.index_select(&index, 0)?.index_select(&index, 1)?) };

        // Pairs of protein and ligand, and within the ligand.
        let ligand = &crop.is_ligand;
        let pairs = |f: &dyn Fn(usize, usize) -> bool| -> Result<Tensor> {
            let mask: Vec<u8> = (0..count * count).map(|pair| u8::from(f(pair / count, pair % count))).collect();
            Ok(Tensor::from_vec(mask, (1, count, count), device)?)
        };
        let mask = pairs(&|i, j| ligand[i] || ligand[j])?;
        let active = mask.to_dtype(DType::F32)?.unsqueeze(3)?;
        let features = cropped(&features)?.unsqueeze(0)?.broadcast_mul(&active)?;
        let s_inputs = rounded(&input.s_inputs.index_select(&index, 0)?)?.unsqueeze(0)?;
        let s_lm = rounded(&input.s_lm.index_select(&index, 0)?)?.unsqueeze(0)?;
        let z = rounded(&cropped(input.z)?)?.unsqueeze(0)?.broadcast_mul(&active)?;
        let z = z.broadcast_add(&self.s_to_z_left.forward(&s_inputs)?.unsqueeze(2)?)?;
        let z = z.broadcast_add(&self.s_to_z_right.forward(&s_inputs)?.unsqueeze(1)?)?;
        let mut z = (z + self.distogram_to_z.forward(&features)?)?.broadcast_mul(&active)?;
        let mut s = self.s_lm_to_s.forward(&s_lm)?;

        let all = Tensor::ones((1, count), DType::U8, device)?;
        let inactive = mask.to_dtype(DType::F32)?.affine(-MASKED, MASKED)?.unsqueeze(1)?;
        let zero_inactive = mask.to_dtype(DType::F32)?.unsqueeze(1)?;
        for block in &self.blocks {
            z = block.update_pairs(&z, &mask)?.broadcast_mul(&active)?;
            let bias = block.pair_bias(&z)?.broadcast_mul(&zero_inactive)?.broadcast_add(&inactive)?;
            s = block.update_singles(&s, &bias, &all)?;
        }

        let pooled = pairs(&|i, j| ligand[i] != ligand[j] || (ligand[i] && i != j))?.to_dtype(DType::F32)?;
        let number = pooled.sum_all()?.to_scalar::<f32>()?.max(1.0);
        let sum = z.broadcast_mul(&pooled.unsqueeze(3)?)?.sum((0, 1, 2))?;
        let pooled_z = (sum / f64::from(number))?;
        let pooled_s = s.mean((0, 1))?;
        let mut y = (&pooled_z + self.single_to_pair.forward(&pooled_s)?)?.unsqueeze(0)?;
        y = self.readout_norm.forward(&y)?;
        y = gelu(&self.readout[0].forward(&y)?)?;
        y = gelu(&self.readout[1].forward(&y)?)?;
        let p_activity = self.readout[2].forward(&y)?.flatten_all()?.get(0)?.to_scalar::<f32>()?;
        Ok(AffinityReadout { p_activity, crop, distogram_features: features.squeeze(0)?, pooled_z, pooled_s })
    }
}

/// The SHA-256 of a file, in hexadecimal.
fn file_sha256(path: &Path) -> Result<String> {
    let io = |source| KFoldError::io(path, source);
    let mut hasher = Sha256::new();
    std::io::copy(&mut File::open(path).map_err(io)?, &mut hasher).map_err(io)?;
    let mut text = String::new();
    for byte in hasher.finalize() {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    Ok(text)
}

/// The name of a tensor without what training put before it.
fn without_prefixes(name: &str) -> &str {
    let mut name = name;
    while let Some(rest) = PREFIXES.iter().find_map(|prefix| name.strip_prefix(prefix)) {
        name = rest;
    }
    name
}

/// All tensors of a head and their shapes.
fn expected_tensors(channel_s: usize, channel_z: usize, heads: usize, blocks: usize) -> HashMap<String, Vec<usize>> {
    let (s, z) = (channel_s, channel_z);
    let mut tensors = HashMap::new();
    let mut add = |name: String, shape: &[usize]| {
        tensors.insert(name, shape.to_vec());
    };
    let norms =
        |prefix: &str, width: usize| [(format!("{prefix}.weight"), [width]), (format!("{prefix}.bias"), [width])];
    for (name, shape) in norms("s_lm_to_s.0", s).into_iter().chain(norms("readout.0", z)) {
        add(name, &shape);
    }
    for (name, shape) in [
        ("s_lm_to_s.1", [s, s]),
        ("s_to_z_left", [z, s]),
        ("s_to_z_right", [z, s]),
        ("distogram_to_z", [z, 3]),
        ("single_to_pair", [z, s]),
        ("readout.1", [z, z]),
        ("readout.3", [z, z]),
        ("readout.5", [1, z]),
    ] {
        add(format!("{name}.weight"), &shape);
    }
    for block in 0..blocks {
        let block = format!("stack.blocks.{block}");
        for triangle in ["tri_mul_out", "tri_mul_in"] {
            let triangle = format!("{block}.pair_block.{triangle}");
            for norm in ["layernorm_in", "layernorm_out"] {
                norms(&format!("{triangle}.{norm}"), z).into_iter().for_each(|(name, shape)| add(name, &shape));
            }
            for (name, shape) in [
                ("linear_p_in", [2 * z, z]),
                ("linear_g_in", [2 * z, z]),
                ("linear_p_out", [z, z]),
                ("linear_g_out", [z, z]),
            ] {
                add(format!("{triangle}.{name}.weight"), &shape);
            }
        }
        for (transition, width) in [("pair_block.transition_z", z), ("transition", s)] {
            let transition = format!("{block}.{transition}");
            norms(&format!("{transition}.layernorm"), width).into_iter().for_each(|(name, shape)| add(name, &shape));
            add(format!("{transition}.swiglu.linear.weight"), &[8 * width, width]);
            add(format!("{transition}.linear_out.weight"), &[width, 4 * width]);
        }
        norms(&format!("{block}.layernorm_z"), z).into_iter().for_each(|(name, shape)| add(name, &shape));
        norms(&format!("{block}.attention.layernorm_a"), s).into_iter().for_each(|(name, shape)| add(name, &shape));
        add(format!("{block}.linear_pair_bias.weight"), &[heads, z]);
        for linear in ["linear_q", "linear_k", "linear_v", "linear_g", "linear_out"] {
            add(format!("{block}.attention.{linear}.weight"), &[s, s]);
        }
        add(format!("{block}.attention.linear_q.bias"), &[s]);
    }
    tensors
}

/// Probability of contact, expected distance (Å) and entropy (0 to 1) of each pair: [L, L, bins] gives [L, L, 3].
fn distogram_features(logits: &Tensor) -> Result<Tensor> {
    let bins = logits.dim(D::Minus1)?;
    let centers = bin_centers(DISTOGRAM.0, DISTOGRAM.1, bins);
    let close = centers.iter().filter(|center| **center <= CONTACT).count();
    let share = candle_nn::ops::softmax_last_dim(&logits.contiguous()?)?;
    let contact = share.narrow(D::Minus1, 0, close)?.sum_keepdim(D::Minus1)?;
    let centers = Tensor::from_vec(centers, bins, logits.device())?;
    let distance = share.broadcast_mul(&centers)?.sum_keepdim(D::Minus1)?;
    let surprise = share.maximum(SMALLEST_PROBABILITY)?.log()?;
    let entropy = ((&share * surprise)?.sum_keepdim(D::Minus1)? / -(bins as f64).ln())?;
    Ok(Tensor::cat(&[contact, distance, entropy], D::Minus1)?)
}

/// All ligand tokens, and the neighbourhoods of the protein tokens that are expected nearest to them.
///
/// `distance` [L, L] is the expected distance, Å.
///
/// # Errors
/// When there is no protein, no ligand, too much ligand, too little protein, or the protein is not one block.
pub fn crop(chain_types: &[i64], distance: &Tensor, limits: CropLimits) -> Result<Crop> {
    let of = |chain_type: ChainType| -> Vec<usize> {
        (0..chain_types.len()).filter(|token| chain_types[*token] == chain_type as i64).collect()
    };
    let (protein, ligand) = (of(ChainType::Protein), of(ChainType::Ligand));
    let fail = |reason: String| Err(KFoldError::input(format!("the affinity head cannot read this complex: {reason}")));
    let (Some(first), Some(last)) = (protein.first(), protein.last()) else {
        return fail("it has no protein".to_owned());
    };
    if ligand.is_empty() {
        return fail("it has no ligand".to_owned());
    }
    if ligand.len() >= limits.max_tokens {
        return fail(format!("the ligand has {} tokens; fewer than {} fit", ligand.len(), limits.max_tokens));
    }
    if last - first + 1 != protein.len() {
        return fail("the protein's tokens are not one block; name the protein chains one after the other".to_owned());
    }
    if protein.len() < limits.neighborhood {
        return fail(format!("the protein has {} tokens; it needs {}", protein.len(), limits.neighborhood));
    }
    let distance = distance.to_vec2::<f32>()?;
    let nearest: Vec<f32> = protein
        .iter()
        .map(|token| ligand.iter().map(|other| distance[*token][*other]).fold(f32::INFINITY, f32::min))
        .collect();
    let mut order: Vec<usize> = (0..protein.len()).collect();
    order.sort_by(|a, b| nearest[*a].total_cmp(&nearest[*b]));
    let window = limits.neighborhood.min(protein.len());
    let mut taken = vec![false; protein.len()];
    let mut count = 0;
    for position in order {
        let left = position.saturating_sub(window / 2).min(protein.len() - window);
        let new = taken[left..left + window].iter().filter(|taken| !**taken).count();
        if new == 0 {
            continue;
        }
        if count + new > limits.max_protein_tokens || count + new + ligand.len() > limits.max_tokens {
            break;
        }
        taken[left..left + window].fill(true);
        count += new;
    }
    if count == 0 {
        return fail(format!("beside the ligand's {} tokens no neighbourhood of the protein fits", ligand.len()));
    }
    let kept = protein.iter().zip(taken).filter(|(_, taken)| *taken).map(|(token, _)| (*token, false));
    let mut tokens: Vec<(usize, bool)> = kept.chain(ligand.iter().map(|token| (*token, true))).collect();
    tokens.sort_unstable();
    let (tokens, is_ligand) = tokens.into_iter().unzip();
    Ok(Crop { tokens, is_ligand })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn distances(tokens: usize, f: impl Fn(usize, usize) -> f32) -> Tensor {
        let numbers: Vec<f32> = (0..tokens * tokens).map(|pair| f(pair / tokens, pair % tokens)).collect();
        Tensor::from_vec(numbers, (tokens, tokens), &Device::Cpu).unwrap()
    }

    #[test]
    fn crop_takes_windows_in_order_of_distance() {
        // 30 of protein, the nearest at 2 and 20; 3 of ligand.
        let mut chain_types = vec![ChainType::Protein as i64; 30];
        chain_types.extend([ChainType::Ligand as i64; 3]);
        let distance = distances(33, |i, _| match i {
            2 => 3.0,
            20 => 4.0,
            _ => 10.0 + i as f32,
        });
        let limits = CropLimits { max_tokens: 25, max_protein_tokens: 22, neighborhood: 10 };
        let taken = crop(&chain_types, &distance, limits).unwrap();
        // After both neighbourhoods the window around 7 adds two more; the one around 8 would pass the limit.
        let mut expected: Vec<usize> = (0..12).chain(15..25).collect();
        expected.extend([30, 31, 32]);
        assert_eq!(taken.tokens, expected);
        assert_eq!(taken.is_ligand.iter().filter(|is_ligand| **is_ligand).count(), 3);
    }

    #[test]
    fn complexes_that_cannot_be_read_say_why() {
        let (protein, ligand) = (ChainType::Protein as i64, ChainType::Ligand as i64);
        let limits = CropLimits { max_tokens: 12, max_protein_tokens: 10, neighborhood: 10 };
        let split = [vec![protein; 6], vec![ligand; 2], vec![protein; 6]].concat();
        for (types, reason) in [
            (vec![ligand; 4], "no protein"),
            (vec![protein; 12], "no ligand"),
            ([vec![protein; 12], vec![ligand; 12]].concat(), "fewer than 12 fit"),
            (split, "not one block"),
            ([vec![protein; 9], vec![ligand; 2]].concat(), "it needs 10"),
            ([vec![protein; 20], vec![ligand; 3]].concat(), "no neighbourhood"),
        ] {
            let error = crop(&types, &distances(types.len(), |_, _| 1.0), limits).unwrap_err().to_string();
            assert!(error.contains(reason), "{error} does not say {reason}");
        }
    }

    #[test]
    fn files_are_told_apart_by_their_hash() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("abc");
        std::fs::write(&file, "abc").unwrap();
        // FIPS 180-2, appendix B.1.
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(file_sha256(&file).unwrap(), expected);
    }

    #[test]
    fn training_prefixes_come_off() {
        for name in ["readout.1.weight", "model.readout.1.weight", "_orig_mod.model.readout.1.weight"] {
            assert_eq!(without_prefixes(name), "readout.1.weight");
        }
        assert_eq!(without_prefixes("model._orig_mod.s_to_z_left.weight"), "s_to_z_left.weight");
    }
}
