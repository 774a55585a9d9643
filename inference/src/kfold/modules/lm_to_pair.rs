//! From merged language-model singles to pair features (K-Fold 1.0.0, model.py, `LMToPair`).

use candle_core::{D, Tensor};
use candle_nn::VarBuilder;

use crate::kfold::Result;
use crate::kfold::primitives::activation::gelu;
use crate::kfold::primitives::{LayerNorm, LayerNormParts, Linear};

/// Products and differences of two projections of the singles, through a perceptron, normalised.
#[derive(Clone, Debug)]
pub struct LmToPair {
    norm: LayerNorm,
    projection: Linear,
    hidden: Linear,
    out: Linear,
    norm_pair: LayerNorm,
    channel_z: usize,
}

impl LmToPair {
    /// Loads `proj.0`, `proj.1`, `mlp.0`, `mlp.2` and `layernorm_pair`.
    ///
    /// # Errors
    /// When a tensor is missing or misshapen.
    pub fn load(vb: VarBuilder<'_>, channel_s: usize, channel_z: usize) -> Result<Self> {
        Ok(Self {
            norm: LayerNorm::load(vb.pp("proj.0"), channel_s, LayerNorm::EPS, LayerNormParts::BOTH)?,
            projection: Linear::load(vb.pp("proj.1"), channel_s, 2 * channel_z, true)?,
            hidden: Linear::load(vb.pp("mlp.0"), 2 * channel_z, channel_z, true)?,
            out: Linear::load(vb.pp("mlp.2"), channel_z, channel_z, true)?,
            norm_pair: LayerNorm::load(vb.pp("layernorm_pair"), channel_z, LayerNorm::EPS, LayerNormParts::BOTH)?,
            channel_z,
        })
    }

    /// `s_lm` [B, N, channel_s] gives z_lm [B, N, N, channel_z].
    ///
    /// Row by row of the pair matrix in bands, so that the doubled width is never in memory for all pairs at once.
    ///
    /// # Errors
    /// When the last dimension is not `channel_s`.
    pub fn forward(&self, s_lm: &Tensor) -> Result<Tensor> {
        const BAND: usize = 32;
        let x = self.projection.forward(&self.norm.forward(s_lm)?)?;
        let rows = x.narrow(D::Minus1, 0, self.channel_z)?.unsqueeze(2)?;
        let columns = x.narrow(D::Minus1, self.channel_z, self.channel_z)?.unsqueeze(1)?;
        let tokens = x.dim(1)?;
        let bands = (0..tokens)
            .step_by(BAND)
            .map(|start| {
                let rows = rows.narrow(1, start, BAND.min(tokens - start))?;
                let pairs = Tensor::cat(&[rows.broadcast_mul(&columns)?, rows.broadcast_sub(&columns)?], D::Minus1)?;
                self.norm_pair.forward(&self.out.forward(&gelu(&self.hidden.forward(&pairs)?)?)?)
            })
            .collect::<Result<Vec<_>>>()?;
        Ok(Tensor::cat(&bands, 1)?)
    }
}
