//! The pair block, of which every stack of AtlasFold is made (AtlasFold 1.0.4, `network/block.py`, `network/trunk.py`).
//!
//! A block may take the single representation into the pair representation (outer product and difference, as in ESMFold),
//! always updates the pair representation along triangles, and may take it back as the bias of an attention over the
//! single representation. The language model's stack does all three; the main stack never the first, and the last only in
//! its last blocks; templates and the PAE of one chain do the middle one alone.

use candle_core::{D, Tensor};
use candle_nn::VarBuilder;

use super::names::{Layer, as_kfold};
use super::normed_linear::NormedLinear;
use super::watch::Watch;
use crate::kfold::Result;
use crate::kfold::layers::attention_pair_bias::SelfAttentionPairBias;
use crate::kfold::primitives::cpu::pair::Workspace;
use crate::kfold::primitives::{
    LayerNorm, LayerNormParts, Linear, Transition, TriangleAttention, TriangleMultiplication, triangle_attention,
    triangle_multiplication,
};

/// Hidden width of the single representation's transition, in its own widths.
const SINGLE_EXPANSION: usize = 4;

/// Sizes of a stack of pair blocks.
#[derive(Clone, Copy, Debug)]
pub(super) struct PairStackSizes {
    pub channel_s: usize,
    pub channel_z: usize,
    pub num_heads: usize,
    pub num_tri_heads: usize,
    pub num_blocks: usize,
    /// Hidden width of the pair representation's transition, in its own widths.
    pub pair_expansion: usize,
    pub single_to_pair: bool,
    /// How many of the last blocks update the single representation.
    pub pair_to_single_blocks: usize,
}

/// A stack of pair blocks.
#[derive(Clone, Debug)]
pub struct PairStack {
    blocks: Vec<PairBlock>,
}

impl PairStack {
    /// Loads `blocks.N`.
    pub(super) fn load(vb: VarBuilder<'_>, sizes: PairStackSizes) -> Result<Self> {
        let first_single = sizes.num_blocks.saturating_sub(sizes.pair_to_single_blocks);
        let vb = vb.pp("blocks");
        let blocks = (0..sizes.num_blocks)
            .map(|block| PairBlock::load(vb.pp(block), sizes, block >= first_single))
            .collect::<Result<_>>()?;
        Ok(Self { blocks })
    }

    /// Blocks, each of which counts as one step.
    #[must_use]
    pub fn len(&self) -> usize {
        self.blocks.len()
    }

    /// Whether it has no blocks.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.blocks.is_empty()
    }

    /// Runs the blocks on `s` `[1, L, C_s]` (`None` where no block reads it), `z` `[1, L, L, C_z]`, the masks `[1, L]` and
    /// `[1, L, L]`; gives `s` and `z` back.
    ///
    /// # Errors
    /// When the shapes do not fit or the run was cancelled.
    pub fn forward(
        &self,
        mut s: Option<Tensor>,
        z: &Tensor,
        mask: &Tensor,
        pair_mask: &Tensor,
        watch: &mut Watch<'_>,
    ) -> Result<(Option<Tensor>, Tensor)> {
        let workspace = Workspace::default();
        let mut z = z.copy()?;
        for block in &self.blocks {
            (s, z) = block.update(s, z, mask, pair_mask, &workspace)?;
            watch.step()?;
        }
        Ok((s, z))
    }
}

#[derive(Clone, Debug)]
struct PairBlock {
    single_to_pair: Option<PairwiseProductDifference>,
    tri_mul_out: TriangleMultiplication,
    tri_mul_in: TriangleMultiplication,
    tri_attn_start: TriangleAttention,
    tri_attn_end: TriangleAttention,
    transition_z: Transition,
    pair_to_single: Option<PairToSingle>,
}

impl PairBlock {
    fn load(vb: VarBuilder<'_>, sizes: PairStackSizes, pair_to_single: bool) -> Result<Self> {
        let channel = sizes.channel_z;
        let multiplication = |name: &str, direction| {
            TriangleMultiplication::load(as_kfold(vb.pp(name), Layer::TriangleMultiplication), channel, direction)
        };
        let attention = |name: &str, direction| {
            let vb = as_kfold(vb.pp(name), Layer::TriangleAttention);
            TriangleAttention::load(vb, channel, sizes.num_tri_heads, direction)
        };
        let transition = as_kfold(vb.pp("transition_z"), Layer::Transition);
        Ok(Self {
            single_to_pair: sizes
                .single_to_pair
                .then(|| PairwiseProductDifference::load(vb.pp("pairwise_prod_diff"), sizes.channel_s, channel))
                .transpose()?,
            tri_mul_out: multiplication("tri_mul_out", triangle_multiplication::Direction::Outgoing)?,
            tri_mul_in: multiplication("tri_mul_in", triangle_multiplication::Direction::Incoming)?,
            tri_attn_start: attention("tri_attn_start", triangle_attention::Direction::Starting)?,
            tri_attn_end: attention("tri_attn_end", triangle_attention::Direction::Ending)?,
            transition_z: Transition::load(transition, channel, sizes.pair_expansion)?,
            pair_to_single: pair_to_single.then(|| PairToSingle::load(&vb, sizes)).transpose()?,
        })
    }

    /// As [`PairStack::forward`], in the memory of `z`, which nobody else may hold.
    fn update(
        &self,
        s: Option<Tensor>,
        mut z: Tensor,
        mask: &Tensor,
        pair_mask: &Tensor,
        workspace: &Workspace,
    ) -> Result<(Option<Tensor>, Tensor)> {
        if let (Some(layer), Some(s)) = (&self.single_to_pair, &s) {
            z = (z + layer.forward(s)?)?;
        }
        z = self.tri_mul_out.add_in_place(z, Some(pair_mask), workspace)?;
        z = self.tri_mul_in.add_in_place(z, Some(pair_mask), workspace)?;
        z = self.tri_attn_start.add_in_place(z, Some(pair_mask))?;
        z = self.tri_attn_end.add_in_place(z, Some(pair_mask))?;
        z = self.transition_z.add_in_place(z)?;
        z = z.broadcast_mul(&pair_mask.unsqueeze(D::Minus1)?)?;
        let s = match (&self.pair_to_single, s) {
            (Some(layer), Some(s)) => Some(layer.forward(&s, &z, mask)?),
            (_, s) => s,
        };
        Ok((s, z))
    }
}

/// The single representation's products and differences as a pair representation.
#[derive(Clone, Debug)]
struct PairwiseProductDifference {
    layernorm: LayerNorm,
    linear_in: Linear,
    linear_out: Linear,
}

impl PairwiseProductDifference {
    fn load(vb: VarBuilder<'_>, channel_s: usize, channel_z: usize) -> Result<Self> {
        Ok(Self {
            layernorm: LayerNorm::load(vb.pp("layernorm"), channel_s, LayerNorm::EPS, LayerNormParts::BOTH)?,
            linear_in: Linear::load(vb.pp("linear_in"), channel_s, 2 * channel_z, true)?,
            linear_out: Linear::load(vb.pp("linear_out"), 2 * channel_z, channel_z, false)?,
        })
    }

    /// `s` `[1, L, C_s]` gives `[1, L, L, C_z]`.
    fn forward(&self, s: &Tensor) -> Result<Tensor> {
        let halves = self.linear_in.forward(&self.layernorm.forward(s)?)?;
        let channel = halves.dim(D::Minus1)? / 2;
        let i = halves.narrow(D::Minus1, 0, channel)?.unsqueeze(2)?;
        let j = halves.narrow(D::Minus1, channel, channel)?.unsqueeze(1)?;
        let pairs = Tensor::cat(&[i.broadcast_sub(&j)?, i.broadcast_mul(&j)?], D::Minus1)?;
        self.linear_out.forward(&pairs)
    }
}

/// Attention over the single representation with the pair representation as its bias, and a transition.
#[derive(Clone, Debug)]
struct PairToSingle {
    bias: NormedLinear,
    attention: SelfAttentionPairBias,
    transition_s: Transition,
}

impl PairToSingle {
    fn load(vb: &VarBuilder<'_>, sizes: PairStackSizes) -> Result<Self> {
        let bias = vb.pp("pair_to_single_bias");
        let attention = as_kfold(vb.pp("attention"), Layer::PairBiasAttention);
        let transition = as_kfold(vb.pp("transition_s"), Layer::Transition);
        Ok(Self {
            bias: NormedLinear::load(bias, sizes.channel_z, sizes.num_heads, LayerNormParts::BOTH)?,
            attention: SelfAttentionPairBias::load(attention, sizes.channel_s, sizes.num_heads, None)?,
            transition_s: Transition::load(transition, sizes.channel_s, SINGLE_EXPANSION)?,
        })
    }

    fn forward(&self, s: &Tensor, z: &Tensor, mask: &Tensor) -> Result<Tensor> {
        let bias = self.bias.forward(z)?;
        let bias = bias.permute((0, 3, 1, 2))?.contiguous()?;
        let s = self.attention.add_to(s, None, &bias, mask)?;
        let s = self.transition_s.add_to(&s)?;
        Ok(s.broadcast_mul(&mask.unsqueeze(D::Minus1)?)?)
    }
}
