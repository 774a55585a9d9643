//! The transition of the diffusion transformers (K-Fold 1.0.0, layers/folding/diffusion_transformer.py; AlphaFold 3,
//! algorithm 25): adaptive normalisation, gated two-layer perceptron, gate from the condition.

use candle_core::Tensor;
use candle_nn::VarBuilder;

use super::adaptive_layer_norm::AdaptiveLayerNorm;
use super::projection::{Modulation, Projection};
use crate::kfold::Result;

/// What a condition does in a [`ConditionedTransition`].
#[derive(Clone, Debug)]
pub struct TransitionCondition {
    modulation: Modulation,
    gate: Tensor,
}

/// The layer.
#[derive(Clone, Debug)]
pub struct ConditionedTransition {
    adaln: AdaptiveLayerNorm,
    swiglu: Projection,
    linear_g: Projection,
    linear_out: Projection,
}

impl ConditionedTransition {
    /// Loads `adaln`, `swiglu.linear`, `linear_g` and `linear_out`; the hidden width is `expansion` times `channel_a`.
    ///
    /// # Errors
    /// When a tensor is missing or misshapen.
    pub fn load(vb: VarBuilder<'_>, channel_a: usize, channel_s: usize, expansion: usize) -> Result<Self> {
        let hidden = channel_a * expansion;
        Ok(Self {
            adaln: AdaptiveLayerNorm::load(vb.pp("adaln"), channel_a, channel_s)?,
            swiglu: Projection::load(vb.pp("swiglu.linear"), channel_a, 2 * hidden, false)?,
            linear_g: Projection::load(vb.pp("linear_g"), channel_s, channel_a, true)?,
            linear_out: Projection::load(vb.pp("linear_out"), hidden, channel_a, false)?,
        })
    }

    /// What the condition `s` [.., channel_s] does.
    ///
    /// # Errors
    /// When the last dimension is not `channel_s`.
    pub fn condition(&self, s: &Tensor) -> Result<TransitionCondition> {
        Ok(TransitionCondition { modulation: self.adaln.condition(s)?, gate: self.linear_g.gates(s)? })
    }

    /// `a` [.., channel_a] plus its update. The leading dimensions of the condition are those of `a` or 1.
    ///
    /// # Errors
    /// When the shapes do not fit.
    pub fn add_to(&self, a: &Tensor, condition: &TransitionCondition) -> Result<Tensor> {
        self.update(Some(a), a, condition)
    }

    /// The update of `a` [.., channel_a] under the condition `s` [.., channel_s].
    ///
    /// # Errors
    /// When the shapes do not fit.
    pub fn forward(&self, a: &Tensor, s: &Tensor) -> Result<Tensor> {
        self.update(None, a, &self.condition(s)?)
    }

    fn update(&self, residual: Option<&Tensor>, a: &Tensor, condition: &TransitionCondition) -> Result<Tensor> {
        let hidden = self.swiglu.swiglu_of_modulated(a, &condition.modulation)?;
        self.linear_out.add_gated(residual, &hidden, &condition.gate)
    }
}
