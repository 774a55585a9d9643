//! The distogram head (AtlasFold 1.0.4, `network/distogram_head.py`): what the trunk thinks of each distance.

use candle_core::Tensor;
use candle_nn::VarBuilder;

use super::config::DistogramHeadConfig;
use crate::kfold::Result;
use crate::kfold::primitives::Linear;

/// A linear layer whose logits are made symmetric.
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
    pub fn load(vb: VarBuilder<'_>, channel_z: usize, config: &DistogramHeadConfig) -> Result<Self> {
        let width = (config.max_dist - config.min_dist) / config.num_bins as f64;
        Ok(Self {
            linear: Linear::load(vb.pp("linear"), channel_z, config.num_bins, false)?,
            boundaries: linspace(config.min_dist + width, config.max_dist - width, config.num_bins - 1),
        })
    }

    /// Å between the bins.
    #[must_use]
    pub fn boundaries(&self) -> &[f32] {
        &self.boundaries
    }

    /// `z` `[1, L, L, C_z]` gives logits `[1, L, L, bins]`.
    ///
    /// # Errors
    /// When the shapes do not fit.
    pub fn forward(&self, z: &Tensor) -> Result<Tensor> {
        let logits = self.linear.forward(z)?;
        Ok((&logits + logits.transpose(1, 2)?)?)
    }
}

/// `count` numbers from `first` to `last`, each reckoned from the nearer end as PyTorch does, so that distances fall into
/// the reference's bins to the last bit.
pub(super) fn linspace(first: f64, last: f64, count: usize) -> Vec<f32> {
    let (first, last) = (first as f32, last as f32);
    let step = (last - first) / (count.max(2) - 1) as f32;
    let value = |index: usize| {
        if index < count / 2 { first + step * index as f32 } else { last - step * (count - 1 - index) as f32 }
    };
    (0..count).map(value).collect()
}

#[cfg(test)]
mod tests {
    use super::linspace;

    #[test]
    fn ends_are_exact() {
        let values = linspace(3.25, 50.75, 38);
        assert_eq!((values.len(), values[0], values[37]), (38, 3.25, 50.75));
        assert!(values.windows(2).all(|pair| (pair[1] - pair[0] - 47.5 / 37.0).abs() < 1e-5));
        assert_eq!(linspace(2.0, 9.0, 1), [9.0]);
    }
}
