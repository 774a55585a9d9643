//! Merges an encoder's layers and projects them to the trunk's single width (K-Fold 1.0.0, model.py, `LMEncoder`).

use candle_core::{D, DType, Tensor};
use candle_nn::VarBuilder;

use crate::kfold::primitives::{LayerNorm, LayerNormParts, Linear, exact};
use crate::kfold::{KFoldError, Result};

/// softmax(w) over the layers (the embedding is the first), normalisation without offset, projection without bias.
#[derive(Clone, Debug)]
pub struct LmEncoder {
    layer_weights: Tensor,
    norm: LayerNorm,
    projection: Linear,
    channel_s: usize,
}

impl LmEncoder {
    /// Loads `w_lm_layer` [layers + 1], `proj_lm.0` and `proj_lm.1`.
    ///
    /// # Errors
    /// When a tensor is missing or misshapen.
    pub fn load(vb: VarBuilder<'_>, channel_lm: usize, layers: usize, channel_s: usize) -> Result<Self> {
        Ok(Self {
            layer_weights: vb.to_dtype(exact(vb.dtype())).get(layers + 1, "w_lm_layer")?,
            norm: LayerNorm::load(vb.pp("proj_lm.0"), channel_lm, LayerNorm::EPS, LayerNormParts::WEIGHT)?,
            projection: Linear::load(vb.pp("proj_lm.1"), channel_lm, channel_s, false)?,
            channel_s,
        })
    }

    /// The share of each layer.
    ///
    /// # Errors
    /// When the tensor operations fail.
    pub fn layer_weights(&self) -> Result<Vec<f32>> {
        Ok(candle_nn::ops::softmax_last_dim(&self.layer_weights.to_dtype(DType::F32)?)?.to_vec1()?)
    }

    /// Hidden states [B, L, layers + 1, width], or states of one layer [B, L, width], give [B, L, channel_s].
    ///
    /// # Errors
    /// When the shape is another.
    pub fn forward(&self, hidden_states: &Tensor) -> Result<Tensor> {
        match hidden_states.rank() {
            3 => self.project(hidden_states),
            4 => {
                let weights = candle_nn::ops::softmax_last_dim(&self.layer_weights.to_dtype(hidden_states.dtype())?)?;
                self.project(&hidden_states.broadcast_mul(&weights.unsqueeze(D::Minus1)?)?.sum(2)?)
            }
            _ => Err(KFoldError::input(format!("hidden states of shape {:?}", hidden_states.dims()))),
        }
    }

    /// Merged states [B, L, width] give [B, L, channel_s].
    ///
    /// # Errors
    /// When the width is another.
    pub fn project(&self, merged: &Tensor) -> Result<Tensor> {
        let merged = merged.to_device(self.layer_weights.device())?;
        self.projection.forward(&self.norm.forward(&merged)?)
    }

    /// What states of zeros give: zeros [1, tokens, channel_s].
    ///
    /// # Errors
    /// When the tensor operations fail.
    pub fn zeros(&self, tokens: usize) -> Result<Tensor> {
        Ok(Tensor::zeros((1, tokens, self.channel_s), DType::F32, self.layer_weights.device())?)
    }
}
