//! Triangle multiplication (K-Fold 1.0.0, primitives/triangle_multiplication.py; AlphaFold 3, algorithms 12 and 13).
//!
//! Each pair (i, j) is updated from the two other sides of all triangles i, j, k, channel by channel: an N x N by N x N matrix
//! product per channel, between gated projections, with another gate on the way out.

use candle_core::{D, DType, Tensor};
use candle_nn::VarBuilder;

use super::activation::sigmoid;
use super::cpu::access::{change, is_plain, widened, with_values};
use super::cpu::pair::{TriangleWeights, Workspace, add_triangle_multiplication};
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

/// The update of the pair state by one kind of triangles.
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

    /// `z` [B, N, N, C] with the update added; `mask` [B, N, N] is 0 where an edge must not count.
    ///
    /// # Errors
    /// When the shapes do not fit.
    pub fn add_to(&self, z: &Tensor, mask: Option<&Tensor>) -> Result<Tensor> {
        self.add_in_place(z.copy()?, mask, &Workspace::default())
    }

    /// [`Self::add_to`] into the memory of `z` where the fused operation serves; nobody else may hold that memory.
    pub(crate) fn add_in_place(&self, z: Tensor, mask: Option<&Tensor>, workspace: &Workspace) -> Result<Tensor> {
        #[cfg(feature = "cuda")]
        if z.device().is_cuda() && self.add_on_card(&z, mask)? {
            return Ok(z);
        }
        let (_, nodes, columns, channels) = z.dims4()?;
        let weights = [
            self.layernorm_in.weight(),
            self.layernorm_in.bias(),
            self.linear_p_in.weight(),
            self.linear_g_in.weight(),
            self.layernorm_out.weight(),
            self.layernorm_out.bias(),
            self.linear_p_out.weight(),
            self.linear_g_out.weight(),
        ];
        let fits = columns == nodes && self.linear_p_out.weight().dims() == [channels, channels];
        let weights = widened(weights)?;
        if !fits || !is_plain(&z) || !weights.iter().all(is_plain) {
            return Ok((&z + self.forward(&z, mask)?)?);
        }
        let mask = pair_mask_values(mask, &z)?;
        let edges = nodes * nodes;
        with_values(weights.each_ref(), |[weight_in, bias_in, p_in, g_in, weight_out, bias_out, p_out, g_out]| {
            let weights = TriangleWeights {
                norm_in: self.layernorm_in.fused(weight_in, bias_in),
                p_in,
                g_in,
                norm_out: self.layernorm_out.fused(weight_out, bias_out),
                p_out,
                g_out,
            };
            let incoming = self.direction == Direction::Incoming;
            change(&z, |z| {
                for (batch, z) in z.chunks_exact_mut((edges * channels).max(1)).enumerate() {
                    let mask = mask.as_ref().map(|mask| &mask[batch * edges..][..edges]);
                    add_triangle_multiplication(z, nodes, mask, &weights, incoming, workspace);
                }
            })
        })?;
        Ok(z)
    }

    /// The same on a card; whether the kernels take these sizes.
    #[cfg(any(test, feature = "cuda"))]
    pub(super) fn add_on_card(&self, z: &Tensor, mask: Option<&Tensor>) -> Result<bool> {
        let layers = super::cuda::pair::TriangleLayers {
            norm_in: &self.layernorm_in,
            p_in: &self.linear_p_in,
            g_in: &self.linear_g_in,
            norm_out: &self.layernorm_out,
            p_out: &self.linear_p_out,
            g_out: &self.linear_g_out,
        };
        super::cuda::pair::add_triangle_multiplication(z, mask, self.direction == Direction::Incoming, &layers)
    }

    /// `z` [B, N, N, C] gives the update of the same shape; `mask` [B, N, N] is 0 where an edge must not count. A composition
    /// of tensor operations, on every device; on the processor [`Self::add_to`] is much faster.
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

/// The values of a mask of pairs [B, N, N] for each pair of `z` [B, N, N, C].
pub(super) fn pair_mask_values(mask: Option<&Tensor>, z: &Tensor) -> Result<Option<Vec<f32>>> {
    let Some(mask) = mask else { return Ok(None) };
    let mask = mask.to_dtype(DType::F32)?.broadcast_as(&z.dims()[..3])?;
    Ok(Some(mask.flatten_all()?.to_vec1()?))
}
