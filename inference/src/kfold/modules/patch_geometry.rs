//! The patch geometry head (K-Fold 1.0.0, modules/patch_geometry.py): distances between surface patches of different chains.
//!
//! It is trained beside the others and needs the true positions, so a prediction never asks it; its weights are in the
//! checkpoint and are held to the same golden table. Each chain is cut into patches by farthest point sampling; pairs of
//! patches of different chains are ranked (contacts first, then clear misses, then the rest), and the pair state between
//! two patches is pooled by attention.

use candle_core::{DType, Device, Tensor};
use candle_nn::VarBuilder;
use glam::Vec3;

use super::distogram_head::bin_boundaries;
use crate::kfold::Result;
use crate::kfold::config::PatchPairGeometryConfig;
use crate::kfold::primitives::activation::gelu;
use crate::kfold::primitives::{LayerNorm, LayerNormParts, Linear};

/// Distances beyond this no longer count in the ranking, Å.
const FARTHEST: f32 = 100.0;

/// The module.
#[derive(Clone, Debug)]
pub struct PatchPairGeometryHead {
    config: PatchPairGeometryConfig,
    norm_z: LayerNorm,
    pool_score: Linear,
    pool_value: Linear,
    transition_norm: LayerNorm,
    transition_in: Linear,
    transition_out: Linear,
    out: Linear,
}

/// The pairs of patches of one complex, best ranked first.
#[derive(Clone, Debug)]
pub struct PatchPairs {
    /// Logits of the distance between the patches' centres [pairs, bins].
    pub logits: Tensor,
    /// The bin of the true distance.
    pub target: Vec<i64>,
    /// Weight in training.
    pub weight: Vec<f32>,
    /// Whether no two tokens of the patches are near.
    pub hard_negative: Vec<bool>,
}

/// Tokens of one chain near each other.
struct Patch {
    chain: i64,
    tokens: Vec<usize>,
    /// The tokens that are pooled.
    pooled: Vec<usize>,
}

impl PatchPairGeometryHead {
    /// Loads all parts; `channel_z` is the model's.
    ///
    /// # Errors
    /// When a tensor is missing or misshapen.
    pub fn load(vb: VarBuilder<'_>, config: &PatchPairGeometryConfig, channel_z: usize) -> Result<Self> {
        let norm = |name: &str| LayerNorm::load(vb.pp(name), channel_z, LayerNorm::EPS, LayerNormParts::BOTH);
        let linear = |name: &str, from: usize, to: usize| Linear::load(vb.pp(name), from, to, true);
        Ok(Self {
            config: config.clone(),
            norm_z: norm("norm_z")?,
            pool_score: linear("pool_score", channel_z, 1)?,
            pool_value: linear("pool_value", channel_z, channel_z)?,
            transition_norm: norm("transition.0")?,
            transition_in: linear("transition.1", channel_z, 4 * channel_z)?,
            transition_out: linear("transition.3", 4 * channel_z, channel_z)?,
            out: linear("out", channel_z, config.num_bins)?,
        })
    }

    /// The pairs of patches in the pair state `z` [1, L, L, c_z], from the tokens' representative atoms, whether each is
    /// known, and the tokens' chains. Nothing where fewer than two chains are known.
    ///
    /// # Errors
    /// When the shapes do not fit.
    pub fn forward(
        &self,
        z: &Tensor,
        positions: &[Vec3],
        known: &[bool],
        chains: &[i64],
    ) -> Result<Option<PatchPairs>> {
        let valid = |token: &usize| known[*token] && positions[*token].is_finite();
        let mut names: Vec<i64> = (0..positions.len()).filter(valid).map(|token| chains[token]).collect();
        names.sort_unstable();
        names.dedup();
        if names.len() < 2 {
            return Ok(None);
        }
        let mut patches = Vec::new();
        for chain in names {
            let tokens: Vec<usize> =
                (0..positions.len()).filter(valid).filter(|token| chains[*token] == chain).collect();
            for tokens in self.clusters(positions, &tokens) {
                patches.push(Patch { chain, pooled: self.limit(&tokens), tokens });
            }
        }
        let selected = self.select(&patches, positions);
        let logits = selected.iter().map(|pair| self.pool(z, &patches[pair.first], &patches[pair.second]));
        let logits = logits.collect::<Result<Vec<_>>>()?;
        Ok(Some(PatchPairs {
            logits: Tensor::stack(&logits, 0)?,
            target: selected.iter().map(|pair| pair.target).collect(),
            weight: selected.iter().map(|pair| pair.weight).collect(),
            hard_negative: selected.iter().map(|pair| pair.hard_negative).collect(),
        }))
    }

    /// Splits the tokens of a chain around centres, each the farthest from those before it.
    fn clusters(&self, positions: &[Vec3], tokens: &[usize]) -> Vec<Vec<usize>> {
        let wanted = tokens.len().div_ceil(self.config.patch_size.max(1)).max(1);
        let wanted = wanted.min(self.config.max_patches_per_chain).min(tokens.len());
        if wanted <= 1 {
            return vec![tokens.to_vec()];
        }
        let mut centres = vec![positions[tokens[0]]];
        let mut nearest = vec![f32::INFINITY; tokens.len()];
        while centres.len() < wanted {
            let last = centres[centres.len() - 1];
            let mut farthest = 0;
            for (index, token) in tokens.iter().enumerate() {
                nearest[index] = nearest[index].min(positions[*token].distance_squared(last));
                if nearest[index] > nearest[farthest] {
                    farthest = index;
                }
            }
            centres.push(positions[tokens[farthest]]);
        }
        let mut clusters = vec![Vec::new(); centres.len()];
        for token in tokens {
            let mut own = 0;
            for index in 1..centres.len() {
                let (new, old) = (positions[*token].distance_squared(centres[index]), centres[own]);
                if new < positions[*token].distance_squared(old) {
                    own = index;
                }
            }
            clusters[own].push(*token);
        }
        clusters.retain(|cluster| !cluster.is_empty());
        clusters
    }

    /// At most as many tokens as are pooled, evenly taken.
    fn limit(&self, tokens: &[usize]) -> Vec<usize> {
        let most = self.config.pool_max_tokens_per_patch;
        if most == 0 || tokens.len() <= most {
            return tokens.to_vec();
        }
        let steps = super::distogram_head::linspace(0.0, (tokens.len() - 1) as f64, most);
        steps.into_iter().map(|step| tokens[step.round_ties_even() as usize]).collect()
    }

    fn select(&self, patches: &[Patch], positions: &[Vec3]) -> Vec<SelectedPair> {
        let boundaries = bin_boundaries(self.config.min_dist, self.config.max_dist, self.config.num_bins);
        let centre = |patch: &Patch| {
            patch.tokens.iter().map(|token| positions[*token]).sum::<Vec3>() / patch.tokens.len() as f32
        };
        let mut pairs = Vec::new();
        for first in 0..patches.len() {
            for second in first + 1..patches.len() {
                let (a, b) = (&patches[first], &patches[second]);
                if a.chain == b.chain {
                    continue;
                }
                let between = |x: &usize| {
                    let distances = b.tokens.iter().map(|y| positions[*x].distance(positions[*y]));
                    distances.fold(f32::INFINITY, f32::min)
                };
                let nearest = a.tokens.iter().map(between).fold(f32::INFINITY, f32::min);
                let positive = f64::from(nearest) < self.config.positive_cutoff;
                let hard_negative = f64::from(nearest) > self.config.hard_negative_cutoff;
                let distance = centre(a).distance(centre(b));
                let share = distance.min(FARTHEST) / 1000.0;
                let (weight, priority) = match (hard_negative, positive) {
                    (true, _) => (0.5, 2.0 + share),
                    (false, true) => (1.0, 3.0 - share),
                    (false, false) => (0.25, 1.0),
                };
                let target = boundaries.iter().filter(|boundary| distance > **boundary).count() as i64;
                pairs.push(SelectedPair { first, second, target, weight, hard_negative, priority });
            }
        }
        pairs.sort_by(|a, b| b.priority.total_cmp(&a.priority));
        pairs.truncate(self.config.max_patch_pairs);
        pairs
    }

    /// Logits [bins] of one pair of patches.
    fn pool(&self, z: &Tensor, a: &Patch, b: &Patch) -> Result<Tensor> {
        let (_, tokens, _, channel) = z.dims4()?;
        let flat = z.reshape((tokens * tokens, channel))?;
        let pairs: Vec<(usize, usize)> = a.pooled.iter().flat_map(|&i| b.pooled.iter().map(move |&j| (i, j))).collect();
        let rows = |index: Vec<u32>| -> Result<Tensor> {
            Ok(flat.index_select(&Tensor::new(index, &Device::Cpu)?.to_device(z.device())?, 0)?)
        };
        let there = rows(pairs.iter().map(|(i, j)| (i * tokens + j) as u32).collect())?;
        let back = rows(pairs.iter().map(|(i, j)| (j * tokens + i) as u32).collect())?;
        let z = self.norm_z.forward(&(there + back)?)?;
        let share = candle_nn::ops::softmax(&self.pool_score.forward(&z)?.to_dtype(DType::F32)?, 0)?;
        let pooled = z.broadcast_mul(&share)?.sum_keepdim(0)?;
        let pooled = self.pool_value.forward(&pooled)?;
        let hidden = gelu(&self.transition_in.forward(&self.transition_norm.forward(&pooled)?)?)?;
        let pooled = (pooled + self.transition_out.forward(&hidden)?)?;
        Ok(self.out.forward(&pooled)?.squeeze(0)?)
    }
}

/// A pair of patches and what training asks of it.
struct SelectedPair {
    first: usize,
    second: usize,
    target: i64,
    weight: f32,
    hard_negative: bool,
    priority: f32,
}
