//! Adaptive layer normalisation (K-Fold 1.0.0, primitives/normalization.py; AlphaFold 3, algorithm 26): layer normalisation
//! whose scale and shift come from a condition.

use candle_core::Tensor;
use candle_nn::VarBuilder;

use super::projection::{Modulation, Projection};
use crate::kfold::Result;
use crate::kfold::primitives::{LayerNorm, LayerNormParts};

/// The layer. The normalisation of the input itself has no parameters.
#[derive(Clone, Debug)]
pub struct AdaptiveLayerNorm {
    layernorm_s: LayerNorm,
    /// `linear_g` and `linear_bias`.
    linear: Projection,
}

impl AdaptiveLayerNorm {
    /// Loads `layernorm_s`, `linear_g` and `linear_bias`.
    ///
    /// # Errors
    /// When a tensor is missing or misshapen.
    pub fn load(vb: VarBuilder<'_>, channel_a: usize, channel_s: usize) -> Result<Self> {
        let parts = [(vb.pp("linear_g"), true), (vb.pp("linear_bias"), false)];
        Ok(Self {
            layernorm_s: LayerNorm::load(vb.pp("layernorm_s"), channel_s, LayerNorm::EPS, LayerNormParts::WEIGHT)?,
            linear: Projection::join(&parts, channel_s, channel_a)?,
        })
    }

    /// What the condition `s` [.., channel_s] does to an input.
    ///
    /// # Errors
    /// When the last dimension is not `channel_s`.
    pub fn condition(&self, s: &Tensor) -> Result<Modulation> {
        self.linear.modulation(s, &self.layernorm_s)
    }

    /// `a` [.., channel_a] under the condition `s` [.., channel_s].
    ///
    /// # Errors
    /// When the shapes do not fit.
    pub fn forward(&self, a: &Tensor, s: &Tensor) -> Result<Tensor> {
        self.condition(s)?.apply(a)
    }
}
