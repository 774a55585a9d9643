//! The distogram head (K-Fold 1.0.0, modules/distogram_head.py): distances of the tokens' representative atoms.
//!
//! The logits of a pair and of its reverse are added. The probability of a contact sums the bins up to the last whose lower
//! boundary is below 8 Å, that bin included.

use candle_core::{D, DType, Tensor};
use candle_nn::VarBuilder;

use crate::kfold::Result;
use crate::kfold::config::DistogramHeadConfig;
use crate::kfold::primitives::Linear;

/// Å.
const CONTACT: f64 = 8.0;

/// `count` numbers from `first` to `last` in f32, as torch.linspace: the second half counted from the end.
pub(crate) fn linspace(first: f64, last: f64, count: usize) -> Vec<f32> {
    let (first, last) = (first as f32, last as f32);
    let step = (last - first) / (count.max(2) - 1) as f32;
    (0..count)
        .map(
            |index| {
                if index < count / 2 { first + step * index as f32 } else { last - step * (count - 1 - index) as f32 }
            },
        )
        .collect()
}

/// The boundaries between `bins` equal bins from `low` to `high`: bins - 1 numbers.
pub(crate) fn bin_boundaries(low: f64, high: f64, bins: usize) -> Vec<f32> {
    let width = (high - low) / bins as f64;
    linspace(low + width, high - width, bins.saturating_sub(1))
}

/// The centres of `bins` equal bins from `low` to `high`.
pub(crate) fn bin_centers(low: f64, high: f64, bins: usize) -> Vec<f32> {
    let width = (high - low) / bins as f64;
    linspace(low + width / 2.0, high - width / 2.0, bins)
}

/// The module.
#[derive(Clone, Debug)]
pub struct DistogramHead {
    linear: Linear,
    boundaries: Vec<f32>,
}

impl DistogramHead {
    /// Loads `linear`.
    ///
    /// # Errors
    /// When a tensor is missing or misshapen.
    pub fn load(vb: VarBuilder<'_>, config: &DistogramHeadConfig) -> Result<Self> {
        Ok(Self {
            linear: Linear::load(vb.pp("linear"), config.channel_z, config.num_bins, false)?,
            boundaries: bin_boundaries(config.min_dist, config.max_dist, config.num_bins),
        })
    }

    /// Boundaries between the bins, Å.
    #[must_use]
    pub fn boundaries(&self) -> &[f32] {
        &self.boundaries
    }

    /// `z` [.., L, L, c_z] gives logits [.., L, L, bins].
    ///
    /// # Errors
    /// When the shapes do not fit.
    pub fn forward(&self, z: &Tensor) -> Result<Tensor> {
        let logits = self.linear.forward(z)?;
        Ok((&logits + logits.transpose(D::Minus2, D::Minus(3))?)?)
    }

    /// Probabilities of contact [B, L, L] from the logits [B, L, L, bins]; zero where `mask` [B, L] is.
    ///
    /// # Errors
    /// When the shapes do not fit.
    pub fn contacts(&self, logits: &Tensor, mask: &Tensor) -> Result<Tensor> {
        let bins = self.boundaries.iter().filter(|boundary| f64::from(**boundary) < CONTACT).count();
        let close =
            candle_nn::ops::softmax_last_dim(&logits.contiguous()?)?.narrow(D::Minus1, 0, bins)?.sum(D::Minus1)?;
        let mask = crate::kfold::input::pair_mask(mask)?.to_dtype(DType::F32)?;
        Ok((close * mask)?)
    }
}
