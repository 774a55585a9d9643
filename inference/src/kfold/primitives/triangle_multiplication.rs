//! Triangle multiplication (K-Fold 1.0.0, primitives/triangle_multiplication.py; AlphaFold 3, algorithms 12 and 13).
//!
//! Each pair (i, j) is updated from the two other sides of all triangles i, j, k, channel by channel: an N x N by N x N matrix
//! product per channel, between gated projections, with another gate on the way out.

use candle_core::{D, Tensor};
use candle_nn::VarBuilder;

use super::activation::sigmoid;
use super::{LayerNorm, LayerNormParts, Linear};
use crate::kfold::Result;

/// Which edges of the triangle are multiplied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Σₖ a\[i, k\] b\[j, k\]: the edges that leave i and j.
    Outgoing,
    /// Σₖ a\[k, i\] b\[k, j\]: the edges that arrive at i and j.
    Incoming,
}

/// The update of the pair state by one kind of triangles. The caller adds the result to its input.
#[derive(Clone, Debug)]
pub struct TriangleMultiplication {
    direction: Direction,
    layernorm_in: LayerNorm,
    linear_p_in: Linear,
    linear_g_in: Linear,
    layernorm_out: LayerNorm,
    linear_p_out: Linear,
    linear_g_out: Linear,
}

impl TriangleMultiplication {
    /// Loads `layernorm_in`, `linear_p_in`, `linear_g_in`, `layernorm_out`, `linear_p_out` and `linear_g_out`.
    ///
    /// # Errors
    /// When a tensor is missing or misshapen.
    pub fn load(vb: VarBuilder<'_>, channel: usize, direction: Direction) -> Result<Self> {
        let norm = |name: &str| LayerNorm::load(vb.pp(name), channel, LayerNorm::EPS, LayerNormParts::BOTH);
        Ok(Self {
            direction,
            layernorm_in: norm("layernorm_in")?,
            linear_p_in: Linear::load(vb.pp("linear_p_in"), channel, 2 * channel, false)?,
            linear_g_in: Linear::load(vb.pp("linear_g_in"), channel, 2 * channel, false)?,
            layernorm_out: norm("layernorm_out")?,
            linear_p_out: Linear::load(vb.pp("linear_p_out"), channel, channel, false)?,
            linear_g_out: Linear::load(vb.pp("linear_g_out"), channel, channel, false)?,
        })
    }

    /// `z` [B, N, N, C] gives the update of the same shape; `mask` [B, N, N] is 0 where an edge must not count.
    ///
    /// # Errors
    /// When the shapes do not fit.
    pub fn forward(&self, z: &Tensor, mask: Option<&Tensor>) -> Result<Tensor> {
        let x = self.layernorm_in.forward(z)?;
        let edges = (self.linear_p_in.forward(&x)? * sigmoid(&self.linear_g_in.forward(&x)?)?)?;
        let edges = match mask {
            Some(mask) => edges.broadcast_mul(&mask.to_dtype(edges.dtype())?.unsqueeze(D::Minus1)?)?,
            None => edges,
        };
        // [B, N, N, 2C] to two of [B, C, N, N].
        let channel = edges.dim(D::Minus1)? / 2;
        let edges = edges.permute((0, 3, 1, 2))?.contiguous()?;
        let a = edges.narrow(1, 0, channel)?.contiguous()?;
        let b = edges.narrow(1, channel, channel)?.contiguous()?;
        let product = match self.direction {
            Direction::Outgoing => a.matmul(&b.transpose(2, 3)?.contiguous()?)?,
            Direction::Incoming => a.transpose(2, 3)?.contiguous()?.matmul(&b)?,
        };
        let product = product.permute((0, 2, 3, 1))?.contiguous()?;
        let out = self.linear_p_out.forward(&self.layernorm_out.forward(&product)?)?;
        Ok((out * sigmoid(&self.linear_g_out.forward(&x)?)?)?)
    }
}
