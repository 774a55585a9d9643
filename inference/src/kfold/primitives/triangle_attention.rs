//! Triangle attention (K-Fold 1.0.0, primitives/triangle_attention.py; AlphaFold 3, algorithms 14 and 15).
//!
//! Along each row of the pair state (its columns, for the ending node) every edge attends to the others of that row, biased by
//! the third edge of the triangle.

use candle_core::{DType, Tensor};
use candle_nn::VarBuilder;

use super::activation::sigmoid;
use super::cpu::access::{change, is_plain, widened, with_values};
use super::cpu::triangle_attention::{AttentionWeights, add_triangle_attention};
use super::triangle_multiplication::pair_mask_values;
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

/// The update of the pair state by attention along rows or columns.
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
        if heads == 0 || !channel.is_multiple_of(heads) {
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

    /// `z` [B, N, N, C] with the update added; `mask` [B, N, N] is 0 where an edge must not be attended to.
    ///
    /// # Errors
    /// When the shapes do not fit.
    pub fn add_to(&self, z: &Tensor, mask: Option<&Tensor>) -> Result<Tensor> {
        self.add_in_place(z.copy()?, mask)
    }

    /// [`Self::add_to`] into the memory of `z` where the fused operation serves; nobody else may hold that memory.
    pub(crate) fn add_in_place(&self, z: Tensor, mask: Option<&Tensor>) -> Result<Tensor> {
        #[cfg(feature = "cuda")]
        if z.device().is_cuda() && self.add_on_card(&z, mask)? {
            return Ok(z);
        }
        let (_, nodes, columns, channels) = z.dims4()?;
        let weights = [
            self.layer_norm.weight(),
            self.layer_norm.bias(),
            self.linear.weight(),
            self.linear_q.weight(),
            self.linear_k.weight(),
            self.linear_v.weight(),
            self.linear_g.weight(),
            self.linear_o.weight(),
        ];
        let fits = columns == nodes && self.layer_norm.weight().elem_count() == channels;
        let weights = widened(weights)?;
        if !fits || !is_plain(&z) || !weights.iter().all(is_plain) {
            return Ok((&z + self.forward(&z, mask)?)?);
        }
        let mask = pair_mask_values(mask, &z)?;
        let edges = nodes * nodes;
        with_values(weights.each_ref(), |[weight, offset, bias, q, k, v, g, o]| {
            let norm = self.layer_norm.fused(weight, offset);
            let weights = AttentionWeights { heads: self.heads, norm, bias, q, k, v, g, o };
            let ending = self.direction == Direction::Ending;
            change(&z, |z| {
                for (batch, z) in z.chunks_exact_mut((edges * channels).max(1)).enumerate() {
                    let mask = mask.as_ref().map(|mask| &mask[batch * edges..][..edges]);
                    add_triangle_attention(z, nodes, mask, MASKED as f32, &weights, ending);
                }
            })
        })?;
        Ok(z)
    }

    /// The same on a card; whether the kernels take these sizes.
    #[cfg(any(test, feature = "cuda"))]
    pub(super) fn add_on_card(&self, z: &Tensor, mask: Option<&Tensor>) -> Result<bool> {
        let layers = super::cuda::attention::TriangleAttentionLayers {
            heads: self.heads,
            norm: &self.layer_norm,
            bias: &self.linear,
            q: &self.linear_q,
            k: &self.linear_k,
            v: &self.linear_v,
            g: &self.linear_g,
            o: &self.linear_o,
        };
        super::cuda::attention::add_triangle_attention(z, mask, self.direction == Direction::Ending, &layers)
    }

    /// `z` [B, N, N, C] gives the update of the same shape; `mask` [B, N, N] is 0 where an edge must not be attended to. A
    /// composition of tensor operations, on every device; on the processor [`Self::add_to`] is much faster.
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
