//! A normalisation followed by a linear layer without bias: the pair that the reference writes as a sequence of two.

use candle_core::Tensor;
use candle_nn::VarBuilder;

use crate::kfold::Result;
use crate::kfold::primitives::{LayerNorm, LayerNormParts, Linear};

/// Normalisation `0` and linear layer `1`.
#[derive(Clone, Debug)]
pub(super) struct NormedLinear {
    norm: LayerNorm,
    linear: Linear,
}

impl NormedLinear {
    /// Loads both; `parts` are those of the normalisation.
    pub(super) fn load(vb: VarBuilder<'_>, from: usize, to: usize, parts: LayerNormParts) -> Result<Self> {
        Ok(Self {
            norm: LayerNorm::load(vb.pp(0), from, LayerNorm::EPS, parts)?,
            linear: Linear::load(vb.pp(1), from, to, false)?,
        })
    }

    /// `[.., from]` gives `[.., to]`.
    pub(super) fn forward(&self, x: &Tensor) -> Result<Tensor> {
        self.linear.forward(&self.norm.forward(x)?)
    }
}
