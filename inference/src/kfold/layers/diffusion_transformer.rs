//! The transformers of the diffusion model (K-Fold 1.0.0, layers/folding/diffusion_transformer.py; AlphaFold 3, algorithms 7
//! and 23): a global one over tokens, a local one over atoms in windows.
//!
//! As in AlphaFold 3's code, not its text, both layers of a block are residual. What depends on the condition and on the
//! pairs alone is separate from what depends on the state: along a trajectory the atoms' conditions and biases stay, so
//! [`LocalTransformer::condition`] runs once, while the tokens' condition changes with the time of each step but is shared
//! by all samples.

use candle_core::Tensor;
use candle_nn::VarBuilder;

use super::attention_pair_bias::{CrossAttentionCondition, CrossAttentionPairBias, SelfAttentionPairBias};
use super::conditioned_transition::{ConditionedTransition, TransitionCondition};
use super::windows::AtomWindows;
use crate::kfold::Result;
use crate::kfold::primitives::{LayerNorm, LayerNormParts, Linear};

/// Hidden width of the transitions, relative to the width.
const EXPANSION: usize = 2;

#[derive(Clone, Debug)]
struct GlobalBlock {
    attention: SelfAttentionPairBias,
    transition: ConditionedTransition,
}

/// Transformer over tokens whose pair biases come ready.
#[derive(Clone, Debug)]
pub struct GlobalTransformer {
    blocks: Vec<GlobalBlock>,
}

impl GlobalTransformer {
    /// Loads `blocks.N.attention` and `blocks.N.transition`.
    ///
    /// # Errors
    /// When a tensor is missing or misshapen.
    pub fn load(vb: VarBuilder<'_>, channel: usize, channel_s: usize, heads: usize, blocks: usize) -> Result<Self> {
        let blocks = (0..blocks).map(|index| {
            let vb = vb.pp("blocks").pp(index);
            Ok(GlobalBlock {
                attention: SelfAttentionPairBias::load(vb.pp("attention"), channel, heads, Some(channel_s))?,
                transition: ConditionedTransition::load(vb.pp("transition"), channel, channel_s, EXPANSION)?,
            })
        });
        Ok(Self { blocks: blocks.collect::<Result<_>>()? })
    }

    /// `a` [B, samples, L, channel] under `s` [B, samples or 1, L, channel_s]; `bias` [blocks, B, H, L, L];
    /// `mask` [B, L]. Returns the shape of `a`.
    ///
    /// # Errors
    /// When the shapes do not fit.
    pub fn forward(&self, a: &Tensor, s: &Tensor, bias: &Tensor, mask: &Tensor) -> Result<Tensor> {
        let mut a = a.clone();
        let mask = mask.unsqueeze(1)?;
        for (index, block) in self.blocks.iter().enumerate() {
            let bias = bias.narrow(0, index, 1)?.squeeze(0)?.unsqueeze(1)?;
            a = block.attention.add_to(&a, block.attention.condition(s)?.as_ref(), &bias, &mask)?;
            a = block.transition.add_to(&a, &block.transition.condition(s)?)?;
        }
        Ok(a)
    }
}

#[derive(Clone, Debug)]
struct LocalBlock {
    linear_z_to_bias: Linear,
    attention: CrossAttentionPairBias,
    transition: ConditionedTransition,
}

impl LocalBlock {
    /// Biases [windows, heads, queries, keys] from the normalised pairs [windows, queries, keys, channel_z].
    fn bias(&self, z: &Tensor) -> Result<Tensor> {
        Ok(self.linear_z_to_bias.forward(z)?.permute((0, 3, 1, 2))?.contiguous()?)
    }
}

/// What the atoms' condition and pairs do in a block.
#[derive(Clone, Debug)]
struct LocalBlockCondition {
    bias: Tensor,
    attention: CrossAttentionCondition,
    transition: TransitionCondition,
}

/// What the atoms' condition and pairs do in a [`LocalTransformer`].
#[derive(Clone, Debug)]
pub struct LocalCondition {
    blocks: Vec<LocalBlockCondition>,
}

/// Transformer over atoms in windows.
#[derive(Clone, Debug)]
pub struct LocalTransformer {
    layernorm_z: LayerNorm,
    blocks: Vec<LocalBlock>,
}

impl LocalTransformer {
    /// Loads `layernorm_z` and, of each block, `linear_z_to_bias`, `attention` and `transition`.
    ///
    /// # Errors
    /// When a tensor is missing or misshapen.
    pub fn load(
        vb: VarBuilder<'_>,
        channel: usize,
        channel_s: usize,
        channel_z: usize,
        heads: usize,
        blocks: usize,
    ) -> Result<Self> {
        let layernorm_z = LayerNorm::load(vb.pp("layernorm_z"), channel_z, LayerNorm::EPS, LayerNormParts::WEIGHT)?;
        let blocks = (0..blocks).map(|index| {
            let vb = vb.pp("blocks").pp(index);
            Ok(LocalBlock {
                linear_z_to_bias: Linear::load(vb.pp("linear_z_to_bias"), channel_z, heads, false)?,
                attention: CrossAttentionPairBias::load(vb.pp("attention"), channel, heads, channel_s)?,
                transition: ConditionedTransition::load(vb.pp("transition"), channel, channel_s, EXPANSION)?,
            })
        });
        Ok(Self { layernorm_z, blocks: blocks.collect::<Result<_>>()? })
    }

    /// What the condition `s` [1, N, channel_s] and the pairs `z` [windows, queries, keys, channel_z] do.
    ///
    /// # Errors
    /// When the shapes do not fit.
    pub fn condition(&self, s: &Tensor, z: &Tensor) -> Result<LocalCondition> {
        let z = self.layernorm_z.forward(z)?;
        let blocks = self.blocks.iter().map(|block| {
            Ok(LocalBlockCondition {
                bias: block.bias(&z)?,
                attention: block.attention.condition(s, s)?,
                transition: block.transition.condition(s)?,
            })
        });
        Ok(LocalCondition { blocks: blocks.collect::<Result<_>>()? })
    }

    /// Atoms `a` [1, N, channel] after all blocks, under themselves as condition, with the pairs `z` of
    /// [`Self::condition`].
    ///
    /// Where the reference gives the same tensor as state and as condition, it adds the updates to it in place, so that
    /// queries are conditioned on the state as it is and keys on the state as it was. This is what the published model
    /// computes, in its input embedder.
    ///
    /// # Errors
    /// When the shapes do not fit.
    pub fn forward_on_itself(&self, a: &Tensor, z: &Tensor, windows: &AtomWindows) -> Result<Tensor> {
        let start = a;
        let mut a = a.clone();
        let z = self.layernorm_z.forward(z)?;
        for block in &self.blocks {
            let condition = block.attention.condition(&a, start)?;
            a = block.attention.add_to_windows(&a, &condition, &block.bias(&z)?, windows)?;
            a = block.transition.add_to(&a, &block.transition.condition(&a)?)?;
        }
        Ok(a)
    }

    /// Atoms `a` [samples, N, channel] after all blocks.
    ///
    /// # Errors
    /// When the shapes do not fit.
    pub fn forward(&self, a: &Tensor, condition: &LocalCondition, windows: &AtomWindows) -> Result<Tensor> {
        let mut a = a.clone();
        for (block, condition) in self.blocks.iter().zip(&condition.blocks) {
            a = block.attention.add_to_windows(&a, &condition.attention, &condition.bias, windows)?;
            a = block.transition.add_to(&a, &condition.transition)?;
        }
        Ok(a)
    }
}
