//! What the language model knows of the sequences, as single and pair representation (AtlasFold 1.0.4, `model/model.py`,
//! `run_lm_embedder`).
//!
//! The single representation is a learned mean over the layers' hidden states, the pair representation a sum over the
//! layers' attention logits (before the softmax, cut to ±100), each layer with a projection of its own. Both are summed
//! while the language model runs, layer by layer, so nothing of it stays. Then pair blocks refine them.
//!
//! Each cycle of the trunk hides other amino acids from the language model, also in inference: that is where different
//! structures from different seeds come from.

use candle_core::{D, Tensor};
use candle_nn::VarBuilder;

use super::config::{AtlasFoldConfig, LanguageModelShape};
use super::features::{FeatureTensors, Features, MASK_TOKEN};
use super::pair_block::{PairStack, PairStackSizes};
use super::watch::Watch;
use crate::kfold::encoders::atlaslm::AtlasLm;
use crate::kfold::encoders::transformer::Sequences;
use crate::kfold::primitives::{LayerNorm, LayerNormParts, Linear, exact};
use crate::kfold::{KFoldError, Result};

/// Hidden width of the pair transition, in its own widths.
const PAIR_EXPANSION: usize = 4;

/// Attention logits are cut here and divided by it.
const LARGEST_LOGIT: f64 = 100.0;

/// The language model's features and the blocks that refine them.
#[derive(Clone, Debug)]
pub struct LmEmbedder {
    /// Weights of the layers, the embedding first, that sum to 1.
    layer_weights: Vec<f32>,
    layernorm_lm_emb: LayerNorm,
    to_s: [Linear; 2],
    /// For each layer `[C_z, heads]`.
    proj_lm_attn: Vec<Tensor>,
    to_z_norm: LayerNorm,
    to_z: [Linear; 2],
    stack: PairStack,
    /// Whether pairs of different chains start from nothing: AtlasFold-M.
    within_chains: bool,
}

impl LmEmbedder {
    /// Loads `lm_layer_weights`, `layernorm_lm_emb`, `lm_emb_to_s_lm`, `proj_lm_attn`, `lm_attn_to_z_lm` and `lm_stack`.
    ///
    /// # Errors
    /// When a tensor is missing or misshapen.
    pub fn load(vb: &VarBuilder<'_>, config: &AtlasFoldConfig, lm: LanguageModelShape) -> Result<Self> {
        let (channel_s, channel_z) = (config.channel_s_lm, config.channel_z);
        let linear =
            |name: &str, index: usize, from: usize, to: usize| Linear::load(vb.pp(name).pp(index), from, to, false);
        let sizes = PairStackSizes {
            channel_s,
            channel_z,
            num_heads: config.trunk.num_heads,
            num_tri_heads: config.trunk.num_tri_heads,
            num_blocks: config.trunk.num_lm_blocks,
            pair_expansion: PAIR_EXPANSION,
            single_to_pair: true,
            pair_to_single_blocks: config.trunk.num_lm_blocks,
        };
        let exact_vb = vb.to_dtype(exact(vb.dtype()));
        let weights = exact_vb.get(lm.n_layers + 1, "lm_layer_weights")?;
        let projections = exact_vb.pp("proj_lm_attn");
        let norm = |vb: VarBuilder<'_>, dim| LayerNorm::load(vb, dim, LayerNorm::EPS, LayerNormParts::BOTH);
        Ok(Self {
            layer_weights: candle_nn::ops::softmax(&weights, 0)?.to_vec1()?,
            layernorm_lm_emb: norm(vb.pp("layernorm_lm_emb"), lm.d_model)?,
            to_s: [
                linear("lm_emb_to_s_lm", 0, lm.d_model, channel_s)?,
                linear("lm_emb_to_s_lm", 2, channel_s, channel_s)?,
            ],
            proj_lm_attn: (0..lm.n_layers)
                .map(|layer| Ok(projections.pp(layer).get((channel_z, lm.n_heads), "weight")?))
                .collect::<Result<_>>()?,
            to_z_norm: norm(vb.pp("lm_attn_to_z_lm").pp(0), channel_z)?,
            to_z: [
                linear("lm_attn_to_z_lm", 1, channel_z, channel_z)?,
                linear("lm_attn_to_z_lm", 3, channel_z, channel_z)?,
            ],
            stack: PairStack::load(vb.pp("lm_stack"), sizes)?,
            within_chains: config.is_multimer(),
        })
    }

    /// Steps that [`Self::forward`] counts.
    #[must_use]
    pub fn steps(&self) -> usize {
        self.proj_lm_attn.len() + self.stack.len()
    }

    /// Runs the language model with the tokens of `hide` `[S]` masked, as far as they are amino acids: `[1, L, C_s_lm]` and
    /// `[1, L, L, C_z]`.
    ///
    /// # Errors
    /// When the language model is another than this was trained with, a layer of it cannot be read, or the run was
    /// cancelled.
    pub fn forward(
        &self,
        lm: &AtlasLm,
        features: &Features,
        tensors: &FeatureTensors,
        hide: &[bool],
        watch: &mut Watch<'_>,
    ) -> Result<(Tensor, Tensor)> {
        let (embedding, attention) = self.read(lm, features, hide, watch)?;
        let [first, second] = &self.to_s;
        let mut s = second.forward(&first.forward(&embedding)?.relu()?)?;
        let [first, second] = &self.to_z;
        let z = self.to_z_norm.forward(&attention)?;
        let mut z = second.forward(&first.forward(&z)?.relu()?)?;
        if self.within_chains {
            s = s.broadcast_mul(&tensors.mask.unsqueeze(D::Minus1)?)?;
            z = z.broadcast_mul(&tensors.same_chain.unsqueeze(D::Minus1)?)?;
        }
        let (s, z) = self.stack.forward(Some(s), &z, &tensors.mask, &tensors.pair_mask, watch)?;
        let s = s.ok_or_else(|| KFoldError::input("the language model's stack lost its single representation"))?;
        Ok((s, z))
    }

    /// The weighted hidden states `[1, L, d_model]` and the projected attention logits `[1, L, L, C_z]` of the residues.
    fn read(
        &self,
        lm: &AtlasLm,
        features: &Features,
        hide: &[bool],
        watch: &mut Watch<'_>,
    ) -> Result<(Tensor, Tensor)> {
        if lm.layers() != self.proj_lm_attn.len() {
            return Err(KFoldError::Config(format!(
                "AtlasFold reads a language model of {} layers, this one has {}",
                self.proj_lm_attn.len(),
                lm.layers()
            )));
        }
        let length = features.lm_tokens.len();
        let sequences = masked_sequences(features, hide);
        let device = self.layernorm_lm_emb.weight().device();
        let same_chain = same_sequence(&features.lm_sequences);
        let same_chain = Tensor::from_vec(same_chain, (1, length, length), device)?;
        let mut embedding: Option<Tensor> = None;
        let mut attention: Option<Tensor> = None;
        lm.stream(&sequences, true, &mut |layer| {
            let hidden = self.layernorm_lm_emb.forward(&layer.tensor()?)?;
            accumulate(&mut embedding, (hidden * f64::from(self.layer_weights[layer.index]))?)?;
            let Some(logits) = layer.attention_logits else { return Ok(()) };
            // Between chains they are -inf and count as 0.
            let logits = logits.squeeze(0)?.clamp(-LARGEST_LOGIT, LARGEST_LOGIT)?;
            let logits = (logits.broadcast_mul(&same_chain)? / LARGEST_LOGIT)?;
            let heads = logits.dim(0)?;
            let logits = logits.reshape((heads, length * length))?;
            accumulate(&mut attention, self.proj_lm_attn[layer.index - 1].matmul(&logits)?)?;
            watch.step()
        })?;
        let (Some(embedding), Some(attention)) = (embedding, attention) else {
            return Err(KFoldError::Config("the language model has no layers".to_owned()));
        };
        let residues = Tensor::from_slice(&features.lm_index, features.lm_index.len(), device)?;
        let channel = attention.dim(0)?;
        let attention = attention.reshape((channel, length, length))?;
        let attention = attention.index_select(&residues, 1)?.index_select(&residues, 2)?;
        let attention = attention.permute((1, 2, 0))?.contiguous()?.unsqueeze(0)?;
        Ok((embedding.index_select(&residues, 1)?, attention))
    }
}

fn accumulate(sum: &mut Option<Tensor>, term: Tensor) -> Result<()> {
    *sum = Some(match sum.take() {
        Some(sum) => (sum + term)?,
        None => term,
    });
    Ok(())
}

/// The language model's row with the amino acids of `hide` replaced by the mask token.
fn masked_sequences(features: &Features, hide: &[bool]) -> Sequences {
    let hidden =
        |(token, hide): (&u32, &bool)| if *hide && Features::can_be_masked(*token) { MASK_TOKEN } else { *token };
    Sequences {
        batch: 1,
        length: features.lm_tokens.len(),
        token_ids: features.lm_tokens.iter().zip(hide).map(hidden).collect(),
        sequence_ids: features.lm_sequences.iter().map(|id| i64::from(*id)).collect(),
        positions: features.lm_positions.clone(),
    }
}

/// 1 where two tokens are of one sequence, `[S * S]`; the padding is a sequence too.
fn same_sequence(ids: &[u32]) -> Vec<f32> {
    ids.iter().flat_map(|a| ids.iter().map(move |b| f32::from(u8::from(a == b)))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_amino_acids_are_hidden() {
        let features = Features::unpadded(&["MK"]).unwrap().padded(4, 6).unwrap();
        let sequences = masked_sequences(&features, &[true; 6]);
        assert_eq!(sequences.token_ids, [0, 32, 32, 2, 1, 1]);
        let sequences = masked_sequences(&features, &[false, true, false, false, false, true]);
        assert_eq!(sequences.token_ids, [0, 32, 15, 2, 1, 1]);
    }
}
