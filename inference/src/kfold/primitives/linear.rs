//! Linear maps over the last dimension (K-Fold 1.0.0, primitives/linear.py).

use candle_core::{DType, Tensor};
use candle_nn::VarBuilder;

use crate::kfold::Result;

/// The type of what stays exact where matrices may be bf16: offsets, norms, embeddings.
#[must_use]
pub fn exact(dtype: DType) -> DType {
    if dtype == DType::BF16 { DType::F32 } else { dtype }
}

/// y = x Wᵀ + b, with W [out, in] as PyTorch stores it.
///
/// W may be bf16 with everything else f32: what the reference computes under autocast, where it keeps W in f32 and rounds it
/// each time. On the processor W is widened for the product and x stays f32; a card rounds x too and sums in f32.
#[derive(Clone, Debug)]
pub struct Linear {
    weight: Tensor,
    bias: Option<Tensor>,
}

impl Linear {
    /// Loads `weight` [out_dim, in_dim] as `vb.dtype()` and, where there is one, `bias` [out_dim].
    ///
    /// # Errors
    /// When a tensor is missing or misshapen.
    pub fn load(vb: VarBuilder<'_>, in_dim: usize, out_dim: usize, bias: bool) -> Result<Self> {
        let weight = vb.get((out_dim, in_dim), "weight")?;
        let bias = bias.then(|| vb.to_dtype(exact(vb.dtype())).get(out_dim, "bias")).transpose()?;
        Ok(Self { weight, bias })
    }

    /// A map from tensors: `weight` [out, in], `bias` [out].
    #[must_use]
    pub fn new(weight: Tensor, bias: Option<Tensor>) -> Self {
        Self { weight, bias }
    }

    /// The matrix [out, in].
    #[must_use]
    pub fn weight(&self) -> &Tensor {
        &self.weight
    }

    /// The offset [out].
    #[must_use]
    pub fn bias(&self) -> Option<&Tensor> {
        self.bias.as_ref()
    }

    /// x [.., in] gives [.., out] in the type of x.
    ///
    /// # Errors
    /// When the last dimension is not `in`.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let (out_dim, in_dim) = self.weight.dims2()?;
        let mut dims = x.dims().to_vec();
        let Some(last) = dims.last_mut().filter(|last| **last == in_dim) else {
            return Err(candle_core::Error::Msg(format!("{:?} does not end in {in_dim}", x.dims())).into());
        };
        *last = out_dim;
        let rows = x.elem_count() / in_dim.max(1);
        let x = x.contiguous()?.reshape((rows, in_dim))?;
        let y = match (self.weight.dtype() == x.dtype(), x.device().is_cpu()) {
            (true, _) => x.matmul(&self.weight.t()?)?,
            // The processor knows products of equal types alone, and of those only f32 is fast.
            (false, true) => x.matmul(&self.weight.to_dtype(x.dtype())?.t()?)?,
            (false, false) => x.to_dtype(self.weight.dtype())?.matmul(&self.weight.t()?)?.to_dtype(x.dtype())?,
        };
        let y = match &self.bias {
            Some(bias) => y.broadcast_add(bias)?,
            None => y,
        };
        Ok(y.reshape(dims)?)
    }
}
