//! Projections of the diffusion transformers, with what stands before and after them in one pass.
//!
//! On the processor f32 weights are packed once at loading, bf16 ones whenever they are used, and norm, modulation, bias, gates and residual happen on rows that
//! are in the cache (`primitives::cpu::packed_weights`); elsewhere, and for other number types, the same is composed.

use std::sync::Arc;

use candle_core::{D, DType, Tensor};
use candle_nn::VarBuilder;

use crate::kfold::Result;
use crate::kfold::primitives::activation::{relu, sigmoid, swiglu};
use crate::kfold::primitives::cpu::access::with_values;
use crate::kfold::primitives::cpu::packed_weights::PackedWeights;
use crate::kfold::primitives::cpu::rows::{self, SharedRows};
use crate::kfold::primitives::{LayerNorm, Linear, exact};

const EPS: f32 = LayerNorm::EPS as f32;

/// Scale and shift of a normalised vector, and other gifts of a condition, side by side in the last dimension.
///
/// They depend on the condition alone, so where it stays (atoms along a trajectory) or is shared (tokens of all samples in a
/// step) they are computed once.
#[derive(Clone, Debug)]
pub struct Modulation {
    /// [.., 2 · channel]: scale, then shift.
    scale_and_shift: Tensor,
}

impl Modulation {
    /// Normalises `a` [.., channel] and modulates it.
    ///
    /// # Errors
    /// When the shapes do not fit.
    pub fn apply(&self, a: &Tensor) -> Result<Tensor> {
        let channel = a.dim(D::Minus1)?;
        let part = |index: usize| self.scale_and_shift.narrow(D::Minus1, index * channel, channel);
        let centred = a.broadcast_sub(&a.mean_keepdim(D::Minus1)?)?;
        let variance = centred.sqr()?.mean_keepdim(D::Minus1)?;
        let normal = centred.broadcast_div(&(variance + f64::from(EPS))?.sqrt()?)?;
        Ok(normal.broadcast_mul(&part(0)?)?.broadcast_add(&part(1)?)?)
    }
}

#[derive(Clone, Debug)]
enum Weights {
    /// On the processor in f32: packed, with the bias (zeros where there is none).
    Packed { weights: Arc<PackedWeights>, bias: Arc<Vec<f32>> },
    /// On the processor in bf16, with the bias: packed for as long as it is used, so that f32 never stays.
    Rounded { weight: Tensor, bias: Arc<Vec<f32>> },
    /// Anywhere else.
    Plain(Linear),
}

/// Weights ready for a product.
enum Ready<'a> {
    Packed(Arc<PackedWeights>, &'a [f32]),
    Plain(&'a Linear),
}

/// One or more linear maps of the same input, their outputs side by side.
#[derive(Clone, Debug)]
pub struct Projection {
    weights: Weights,
    inner: usize,
    outer: usize,
}

/// What a product becomes.
#[derive(Clone, Copy, Debug)]
enum Finish {
    /// Itself and the bias.
    Bias,
    /// Itself and the bias, or zero where that is less.
    Relu,
    /// Its first columns through a sigmoid.
    Gates(usize),
    /// silu of its first half times its second; the bias is not looked at.
    SwiGlu,
}

impl Projection {
    /// Loads `weight` [outer, inner] as `vb.dtype()` and, where there is one, `bias` [outer].
    ///
    /// # Errors
    /// When a tensor is missing or misshapen.
    pub fn load(vb: VarBuilder<'_>, inner: usize, outer: usize, bias: bool) -> Result<Self> {
        Self::join(&[(vb, bias)], inner, outer)
    }

    /// Loads several maps [outer, inner] of the same input; the flag says which have a bias.
    ///
    /// # Errors
    /// When a tensor is missing or misshapen.
    pub fn join(parts: &[(VarBuilder<'_>, bool)], inner: usize, outer: usize) -> Result<Self> {
        let mut weights = Vec::with_capacity(parts.len());
        let mut biases = Vec::with_capacity(parts.len());
        for (vb, bias) in parts {
            weights.push(vb.get((outer, inner), "weight")?);
            let vb = vb.to_dtype(exact(vb.dtype()));
            biases.push(if *bias { vb.get(outer, "bias")? } else { Tensor::zeros(outer, vb.dtype(), vb.device())? });
        }
        let bias = if parts.iter().any(|(_, bias)| *bias) { Some(Tensor::cat(&biases, 0)?) } else { None };
        Self::new(Tensor::cat(&weights, 0)?, bias)
    }

    /// A projection from `weight` [outer, inner] and `bias` [outer].
    ///
    /// # Errors
    /// When the weight is not a matrix.
    pub fn new(weight: Tensor, bias: Option<Tensor>) -> Result<Self> {
        let (outer, inner) = weight.dims2()?;
        let values = || match &bias {
            Some(bias) => Ok(bias.to_vec1::<f32>()?),
            None => Ok(vec![0.0; outer]),
        };
        let weights = match (weight.device().is_cpu(), weight.dtype()) {
            (true, DType::F32) => {
                let bias: Result<Vec<f32>> = values();
                Weights::Packed { weights: Arc::new(pack(&weight)?), bias: Arc::new(bias?) }
            }
            (true, DType::BF16) => {
                let bias: Result<Vec<f32>> = values();
                Weights::Rounded { weight, bias: Arc::new(bias?) }
            }
            _ => Weights::Plain(Linear::new(weight, bias)),
        };
        Ok(Self { weights, inner, outer })
    }

    fn ready(&self) -> Result<Ready<'_>> {
        Ok(match &self.weights {
            Weights::Packed { weights, bias } => Ready::Packed(Arc::clone(weights), bias),
            Weights::Rounded { weight, bias } => Ready::Packed(Arc::new(pack(&weight.to_dtype(DType::F32)?)?), bias),
            Weights::Plain(linear) => Ready::Plain(linear),
        })
    }

    /// Whether what it gives on a card has been rounded to bf16, the bias aside.
    #[cfg(feature = "cuda")]
    pub(crate) fn is_rounded(&self) -> bool {
        matches!(&self.weights, Weights::Plain(linear) if linear.weight().dtype() == DType::BF16)
    }

    /// x [.., inner] gives [.., outer].
    ///
    /// # Errors
    /// When the last dimension is not `inner`.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        match self.ready()? {
            Ready::Packed(weights, bias) => {
                self.run(&weights, bias, x, Finish::Bias, |x, row, out| out.copy_from_slice(&x[row]))
            }
            Ready::Plain(linear) => linear.forward(x),
        }
    }

    /// max(0, x's projection): x [.., inner] gives [.., outer].
    ///
    /// # Errors
    /// When the last dimension is not `inner`.
    pub fn relu(&self, x: &Tensor) -> Result<Tensor> {
        match self.ready()? {
            Ready::Packed(weights, bias) => {
                self.run(&weights, bias, x, Finish::Relu, |x, row, out| out.copy_from_slice(&x[row]))
            }
            Ready::Plain(linear) => relu(&linear.forward(x)?),
        }
    }

    /// sigmoid of x's projection: x [.., inner] gives [.., outer].
    ///
    /// # Errors
    /// When the last dimension is not `inner`.
    pub fn gates(&self, x: &Tensor) -> Result<Tensor> {
        match self.ready()? {
            Ready::Packed(weights, bias) => {
                self.run(&weights, bias, x, Finish::Gates(self.outer), |x, row, out| out.copy_from_slice(&x[row]))
            }
            Ready::Plain(linear) => sigmoid(&linear.forward(x)?),
        }
    }

    /// Scale and shift from a condition `s` [.., inner], which `norm` normalises first: the scale is a sigmoid of the first
    /// half of the projection, the shift is the second.
    ///
    /// # Errors
    /// When the last dimension is not `inner`.
    pub fn modulation(&self, s: &Tensor, norm: &LayerNorm) -> Result<Modulation> {
        let half = self.outer / 2;
        let scale_and_shift = match self.ready()? {
            Ready::Packed(weights, bias) => with_values([norm.weight()], |[scale]| {
                self.run(&weights, bias, s, Finish::Gates(half), |s, row, out| {
                    rows::normalize(out, &s[row], scale, EPS);
                })
            })?,
            Ready::Plain(linear) => {
                let both = linear.forward(&norm.forward(s)?)?;
                let scale = sigmoid(&both.narrow(D::Minus1, 0, half)?.contiguous()?)?;
                Tensor::cat(&[scale, both.narrow(D::Minus1, half, half)?.contiguous()?], D::Minus1)?
            }
        };
        Ok(Modulation { scale_and_shift })
    }

    /// The projection of the normalised and modulated `a` [.., inner]: [.., outer].
    ///
    /// # Errors
    /// When the shapes do not fit.
    pub fn of_modulated(&self, a: &Tensor, modulation: &Modulation) -> Result<Tensor> {
        self.modulated(a, modulation, Finish::Bias)
    }

    /// silu of the first half of [`Self::of_modulated`] times its second half: [.., outer / 2].
    ///
    /// # Errors
    /// When the shapes do not fit.
    pub fn swiglu_of_modulated(&self, a: &Tensor, modulation: &Modulation) -> Result<Tensor> {
        self.modulated(a, modulation, Finish::SwiGlu)
    }

    fn modulated(&self, a: &Tensor, modulation: &Modulation, finish: Finish) -> Result<Tensor> {
        let condition = &modulation.scale_and_shift;
        let shared = SharedRows::new(leading(a), leading(condition));
        match (self.ready()?, shared) {
            (Ready::Packed(weights, bias), Some(shared)) => {
                let condition = condition.contiguous()?;
                with_values([&condition], |[condition]| {
                    self.run(&weights, bias, a, finish, |a, row, out| {
                        let own = shared.row(row.start / self.inner) * 2 * self.inner;
                        rows::modulate(out, &a[row], &condition[own..own + 2 * self.inner], EPS);
                    })
                })
            }
            _ => {
                let x = self.forward(&modulation.apply(a)?)?;
                if matches!(finish, Finish::SwiGlu) { swiglu(&x) } else { Ok(x) }
            }
        }
    }

    /// `residual` plus the projection of x [.., inner] times `gate` [.., outer] (a gate, not its logit), whose leading
    /// dimensions are those of x or 1; without a residual the product alone.
    ///
    /// # Errors
    /// When the shapes do not fit.
    pub fn add_gated(&self, residual: Option<&Tensor>, x: &Tensor, gate: &Tensor) -> Result<Tensor> {
        let shared = SharedRows::new(leading(x), leading(gate));
        let (Ready::Packed(weights, bias), Some(shared)) = (self.ready()?, shared) else {
            let product = self.forward(x)?.broadcast_mul(gate)?;
            return Ok(match residual {
                Some(residual) => (residual + product)?,
                None => product,
            });
        };
        let dims = [leading(x), &[self.outer]].concat();
        let residual = match residual {
            Some(residual) => residual.contiguous()?,
            None => Tensor::zeros(dims.as_slice(), DType::F32, x.device())?,
        };
        let (x, gate) = (x.contiguous()?, gate.contiguous()?);
        let (inner, outer) = (self.inner, self.outer);
        let out = with_values([&x, &gate, &residual], |[x, gate, residual]| {
            let mut out = vec![0.0; x.len() / inner.max(1) * outer];
            if residual.len() != out.len() {
                return Err(candle_core::Error::Msg(format!(
                    "{} numbers cannot be added to {}",
                    out.len(),
                    residual.len()
                ))
                .into());
            }
            weights.multiply(
                &mut out,
                outer,
                |row, target| target.copy_from_slice(&x[row * inner..(row + 1) * inner]),
                |row, product, target| {
                    let own = shared.row(row) * outer;
                    let residual = &residual[row * outer..][..outer];
                    rows::add_gated(target, residual, product, bias, &gate[own..own + outer]);
                },
            );
            Ok(out)
        })?;
        Ok(Tensor::from_vec(out, dims, x.device())?)
    }

    /// Products of the rows of `x` that `prepare` writes, given all of x, the row's range in it and the row to write.
    fn run(
        &self,
        weights: &PackedWeights,
        bias: &[f32],
        x: &Tensor,
        finish: Finish,
        prepare: impl Fn(&[f32], std::ops::Range<usize>, &mut [f32]) + Sync,
    ) -> Result<Tensor> {
        let inner = self.inner;
        if x.dims().last() != Some(&inner) {
            return Err(candle_core::Error::Msg(format!("{:?} does not end in {inner}", x.dims())).into());
        }
        let width = if matches!(finish, Finish::SwiGlu) { self.outer / 2 } else { self.outer };
        let x = x.contiguous()?;
        let out = with_values([&x], |[x]| {
            let mut out = vec![0.0; x.len() / inner.max(1) * width];
            weights.multiply(
                &mut out,
                width,
                |row, target| prepare(x, row * inner..(row + 1) * inner, target),
                |_, product, target| match finish {
                    Finish::Bias => rows::add(target, product, bias),
                    Finish::Relu => rows::add_relu(target, product, bias),
                    Finish::Gates(gates) => rows::gate_and_shift(target, product, bias, gates),
                    Finish::SwiGlu => rows::swiglu(target, product),
                },
            );
            Ok(out)
        })?;
        Ok(Tensor::from_vec(out, [leading(&x), &[width]].concat(), x.device())?)
    }
}

/// Packs `weight` [outer, inner] f32.
fn pack(weight: &Tensor) -> Result<PackedWeights> {
    let (outer, inner) = weight.dims2()?;
    with_values([&weight.contiguous()?], |[weight]| Ok(PackedWeights::pack(weight, outer, inner)))
}

/// All dimensions but the last.
fn leading(x: &Tensor) -> &[usize] {
    &x.dims()[..x.rank().saturating_sub(1)]
}
