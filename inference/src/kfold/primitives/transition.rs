//! The transition: a gated two-layer perceptron (K-Fold 1.0.0, layers/folding/transition.py and primitives/activation.py;
//! AlphaFold 3, algorithm 11).

use candle_core::Tensor;
use candle_nn::VarBuilder;

use super::activation::swiglu;
use super::cpu::access::{change, is_plain, widened, with_values};
use super::cpu::pair::{TransitionWeights, add_transition};
use super::{LayerNorm, LayerNormParts, Linear};
use crate::kfold::Result;

/// A linear map to twice the hidden width whose first half, through silu, gates the second.
#[derive(Clone, Debug)]
pub struct SwiGlu {
    linear: Linear,
}

impl SwiGlu {
    /// Loads `linear.weight` [2 · hidden, in].
    ///
    /// # Errors
    /// When a tensor is missing or misshapen.
    pub fn load(vb: VarBuilder<'_>, in_dim: usize, hidden: usize) -> Result<Self> {
        Ok(Self { linear: Linear::load(vb.pp("linear"), in_dim, 2 * hidden, false)? })
    }

    /// x [.., in] gives [.., hidden].
    ///
    /// # Errors
    /// When the last dimension is not `in`.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        swiglu(&self.linear.forward(x)?)
    }
}

/// Normalisation, [`SwiGlu`] to `expansion` times the width, and a map back.
#[derive(Clone, Debug)]
pub struct Transition {
    layernorm: LayerNorm,
    swiglu: SwiGlu,
    linear_out: Linear,
}

impl Transition {
    /// Loads `layernorm`, `swiglu` and `linear_out`.
    ///
    /// # Errors
    /// When a tensor is missing or misshapen.
    pub fn load(vb: VarBuilder<'_>, channel: usize, expansion: usize) -> Result<Self> {
        let hidden = channel * expansion;
        Ok(Self {
            layernorm: LayerNorm::load(vb.pp("layernorm"), channel, LayerNorm::EPS, LayerNormParts::BOTH)?,
            swiglu: SwiGlu::load(vb.pp("swiglu"), channel, hidden)?,
            linear_out: Linear::load(vb.pp("linear_out"), hidden, channel, false)?,
        })
    }

    /// x [.., channel] with the update added.
    ///
    /// # Errors
    /// When the last dimension is not `channel`.
    pub fn add_to(&self, x: &Tensor) -> Result<Tensor> {
        self.add_in_place(x.copy()?)
    }

    /// [`Self::add_to`] into the memory of `x` where the fused operation serves; nobody else may hold that memory.
    pub(crate) fn add_in_place(&self, x: Tensor) -> Result<Tensor> {
        #[cfg(feature = "cuda")]
        if x.device().is_cuda() && self.add_on_card(&x)? {
            return Ok(x);
        }
        let weights =
            [self.layernorm.weight(), self.layernorm.bias(), self.swiglu.linear.weight(), self.linear_out.weight()];
        let channels = self.layernorm.weight().elem_count();
        let fits = x.dims().last() == Some(&channels) && channels > 0;
        let weights = widened(weights)?;
        if !fits || !is_plain(&x) || !weights.iter().all(is_plain) {
            return Ok((&x + self.forward(&x)?)?);
        }
        with_values(weights.each_ref(), |[weight, bias, swiglu, out]| {
            let weights = TransitionWeights { norm: self.layernorm.fused(weight, bias), swiglu, out };
            change(&x, |x| add_transition(x, &weights))
        })?;
        Ok(x)
    }

    /// The same on a card; whether the kernels take it.
    #[cfg(any(test, feature = "cuda"))]
    pub(super) fn add_on_card(&self, x: &Tensor) -> Result<bool> {
        super::cuda::pair::add_transition(x, &self.layernorm, &self.swiglu.linear, &self.linear_out)
    }

    /// x [.., channel] gives the update of the same shape. A composition of tensor operations, on every device; on the
    /// processor [`Self::add_to`] is much faster.
    ///
    /// # Errors
    /// When the last dimension is not `channel`.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        self.linear_out.forward(&self.swiglu.forward(&self.layernorm.forward(x)?)?)
    }
}
