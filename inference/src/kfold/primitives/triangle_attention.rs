//! Triangle attention (K-Fold 1.0.0, primitives/triangle_attention.py; AlphaFold 3, algorithms 14 and 15).
//!
//! Along each row of the pair state (its columns, for the ending node) every edge attends to the others of that row, biased by
//! the third edge of the triangle.

use candle_core::{DType, Tensor};
use candle_nn::VarBuilder;

use super::activation::sigmoid;
use super::{LayerNorm, LayerNormParts, Linear, scaled_dot_product_attention};
use crate::kfold::{KFoldError, Result};

/// What the bias of a masked key is: the reference's "infinity".
const MASKED: f64 = -1e9;

/// Which node the edges of a row share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Edges that start at the same node: rows.
    Starting,
    /// Edges that end at the same node: columns.
    Ending,
}

/// The update of the pair state by attention along rows or columns. The caller adds the result to its input.
#[derive(Clone, Debug)]
pub struct TriangleAttention {
    direction: Direction,
    heads: usize,
    layer_norm: LayerNorm,
    linear: Linear,
    linear_q: Linear,
    linear_k: Linear,
    linear_v: Linear,
    linear_g: Linear,
    linear_o: Linear,
}

impl TriangleAttention {
    /// Loads `layer_norm`, `linear` (the bias) and `mha.linear_{q,k,v,g,o}`.
    ///
    /// # Errors
    /// When a tensor is missing or misshapen, or the channels cannot be shared among the heads.
    pub fn load(vb: VarBuilder<'_>, channel: usize, heads: usize, direction: Direction) -> Result<Self> {
        if heads == 0 || channel % heads != 0 {
            return Err(KFoldError::Config(format!("triangle attention: {channel} channels for {heads} heads")));
        }
        let projection = |name: &str| Linear::load(vb.pp("mha").pp(name), channel, channel, false);
        Ok(Self {
            direction,
            heads,
            layer_norm: LayerNorm::load(vb.pp("layer_norm"), channel, LayerNorm::EPS, LayerNormParts::BOTH)?,
            linear: Linear::load(vb.pp("linear"), channel, heads, false)?,
            linear_q: projection("linear_q")?,
            linear_k: projection("linear_k")?,
            linear_v: projection("linear_v")?,
            linear_g: projection("linear_g")?,
            linear_o: projection("linear_o")?,
        })
    }

    /// `z` [B, N, N, C] gives the update of the same shape; `mask` [B, N, N] is 0 where an edge must not be attended to.
    ///
    /// # Errors
    /// When the shapes do not fit.
    pub fn forward(&self, z: &Tensor, mask: Option<&Tensor>) -> Result<Tensor> {
        let turned = self.direction == Direction::Ending;
        let turn = |x: &Tensor| -> Result<Tensor> {
            if turned { Ok(x.transpose(1, 2)?.contiguous()?) } else { Ok(x.clone()) }
        };
        let x = self.layer_norm.forward(&turn(z)?)?;
        // [B, I, J, H] to [B, 1, H, I, J]: the same for each row.
        let mut bias = self.linear.forward(&x)?.permute((0, 3, 1, 2))?.contiguous()?.unsqueeze(1)?;
        if let Some(mask) = mask {
            let masked = turn(mask)?.to_dtype(DType::F32)?.affine(-MASKED, MASKED)?;
            // [B, I, 1, 1, J]
            let masked = masked.unsqueeze(2)?.unsqueeze(2)?.to_dtype(bias.dtype())?;
            bias = bias.broadcast_add(&masked)?;
        }
        let (batch, rows, columns, channel) = x.dims4()?;
        let width = channel / self.heads;
        let split = |linear: &Linear| -> Result<Tensor> {
            let y = linear.forward(&x)?.reshape((batch, rows, columns, self.heads, width))?;
            Ok(y.transpose(2, 3)?.contiguous()?)
        };
        let scale = 1.0 / (width as f64).sqrt();
        let (q, k, v) = (split(&self.linear_q)?, split(&self.linear_k)?, split(&self.linear_v)?);
        let out = scaled_dot_product_attention(&q, &k, &v, Some(&bias), scale)?;
        let out = out.transpose(2, 3)?.contiguous()?.reshape((batch, rows, columns, channel))?;
        let out = (out * sigmoid(&self.linear_g.forward(&x)?)?)?;
        let out = self.linear_o.forward(&out)?;
        turn(&out)
    }
}
