//! Normalisation over the last dimension (K-Fold 1.0.0, primitives/normalization.py).

use candle_core::{DType, Tensor};
use candle_nn::VarBuilder;

use super::cpu::pair::Norm;
use super::linear::exact;
use crate::kfold::Result;

/// Which parameters a normalisation has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LayerNormParts {
    /// A learned scale, `weight`.
    pub weight: bool,
    /// A learned offset, `bias`.
    pub bias: bool,
}

impl LayerNormParts {
    /// Scale and offset.
    pub const BOTH: Self = Self { weight: true, bias: true };
    /// Scale alone.
    pub const WEIGHT: Self = Self { weight: true, bias: false };
    /// Neither.
    pub const NONE: Self = Self { weight: false, bias: false };
}

/// (x - mean) / sqrt(variance + eps) · weight + bias, in f32 whatever the dtype of x.
#[derive(Clone, Debug)]
pub struct LayerNorm {
    /// Ones where the checkpoint has no scale.
    weight: Tensor,
    /// Zeros where the checkpoint has no offset.
    bias: Tensor,
    eps: f32,
}

impl LayerNorm {
    /// The reference's epsilon where it names no other.
    pub const EPS: f64 = 1e-5;

    /// Loads what `parts` names of `weight` [dim] and `bias` [dim]; f32 where matrices are bf16.
    ///
    /// # Errors
    /// When a tensor is missing or misshapen.
    pub fn load(vb: VarBuilder<'_>, dim: usize, eps: f64, parts: LayerNormParts) -> Result<Self> {
        Self::load_rounded(vb.to_dtype(exact(vb.dtype())), dim, eps, parts)
    }

    /// The same as `vb.dtype()`, whatever that is: the reference's language models are bf16 to the last scale.
    ///
    /// # Errors
    /// When a tensor is missing or misshapen.
    pub fn load_rounded(vb: VarBuilder<'_>, dim: usize, eps: f64, parts: LayerNormParts) -> Result<Self> {
        let weight = if parts.weight { vb.get(dim, "weight")? } else { Tensor::ones(dim, vb.dtype(), vb.device())? };
        let bias = if parts.bias { vb.get(dim, "bias")? } else { Tensor::zeros(dim, vb.dtype(), vb.device())? };
        Ok(Self { weight, bias, eps: eps as f32 })
    }

    /// The scale [dim]: ones where none was learned.
    #[must_use]
    pub fn weight(&self) -> &Tensor {
        &self.weight
    }

    /// The offset [dim]: zeros where none was learned.
    #[must_use]
    pub fn bias(&self) -> &Tensor {
        &self.bias
    }

    /// What is added to the variance.
    #[must_use]
    pub fn eps(&self) -> f32 {
        self.eps
    }

    /// As the fused operations take it, with these values of scale and offset.
    pub(crate) fn fused<'a>(&self, weight: &'a [f32], bias: &'a [f32]) -> Norm<'a> {
        Norm { weight, bias, eps: self.eps }
    }

    /// x [.., dim] gives the same shape and dtype.
    ///
    /// # Errors
    /// When the last dimension is not `dim`.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let dtype = x.dtype();
        let x = x.to_dtype(DType::F32)?.contiguous()?;
        let (weight, bias) = (self.weight.to_dtype(DType::F32)?, self.bias.to_dtype(DType::F32)?);
        Ok(candle_nn::ops::layer_norm(&x, &weight, &bias, self.eps)?.to_dtype(dtype)?)
    }
}
