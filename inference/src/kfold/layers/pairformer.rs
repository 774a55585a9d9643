//! Pairformer without singles (K-Fold 1.0.0, modules/apo_module.py; AlphaFold 3, algorithm 17): triangle multiplications,
//! triangle attentions and a transition on a pair state. K-Fold has it in the apo module alone.

use candle_core::{D, Tensor};
use candle_nn::VarBuilder;

use crate::kfold::Result;
use crate::kfold::primitives::{
    Transition, TriangleAttention, TriangleMultiplication, triangle_attention, triangle_multiplication,
};

/// Widening of the transition.
const EXPANSION: usize = 2;

#[derive(Clone, Debug)]
struct PairformerBlock {
    tri_mul_out: TriangleMultiplication,
    tri_mul_in: TriangleMultiplication,
    tri_att_start: TriangleAttention,
    tri_att_end: TriangleAttention,
    transition_z: Transition,
}

/// A stack of pairformer blocks.
#[derive(Clone, Debug)]
pub struct PairformerStack {
    blocks: Vec<PairformerBlock>,
}

impl PairformerStack {
    /// Loads `blocks.N.{tri_mul_out, tri_mul_in, tri_att_start, tri_att_end, transition_z}`.
    ///
    /// # Errors
    /// When a tensor is missing or misshapen.
    pub fn load(vb: VarBuilder<'_>, channel: usize, heads: usize, blocks: usize) -> Result<Self> {
        use triangle_attention::Direction as Attention;
        use triangle_multiplication::Direction as Multiplication;
        let blocks = (0..blocks).map(|index| {
            let vb = vb.pp("blocks").pp(index);
            Ok(PairformerBlock {
                tri_mul_out: TriangleMultiplication::load(vb.pp("tri_mul_out"), channel, Multiplication::Outgoing)?,
                tri_mul_in: TriangleMultiplication::load(vb.pp("tri_mul_in"), channel, Multiplication::Incoming)?,
                tri_att_start: TriangleAttention::load(vb.pp("tri_att_start"), channel, heads, Attention::Starting)?,
                tri_att_end: TriangleAttention::load(vb.pp("tri_att_end"), channel, heads, Attention::Ending)?,
                transition_z: Transition::load(vb.pp("transition_z"), channel, EXPANSION)?,
            })
        });
        Ok(Self { blocks: blocks.collect::<Result<_>>()? })
    }

    /// `z` [B, N, N, channel] after all blocks; `mask` [B, N, N] is 1 where a pair counts, and `z` is zeroed where not.
    ///
    /// # Errors
    /// When the shapes do not fit.
    pub fn forward(&self, z: &Tensor, mask: &Tensor) -> Result<Tensor> {
        let mut z = z.clone();
        let zeros = mask.to_dtype(z.dtype())?.unsqueeze(D::Minus1)?;
        for block in &self.blocks {
            z = block.tri_mul_out.add_to(&z, Some(mask))?;
            z = block.tri_mul_in.add_to(&z, Some(mask))?;
            z = block.tri_att_start.add_to(&z, Some(mask))?;
            z = block.tri_att_end.add_to(&z, Some(mask))?;
            z = block.transition_z.add_to(&z)?.broadcast_mul(&zeros)?;
        }
        Ok(z)
    }
}
