//! Activations.

use candle_core::{D, Tensor};

use crate::kfold::Result;

/// 1 / (1 + e⁻ˣ).
///
/// # Errors
/// When the tensor operations fail.
pub fn sigmoid(x: &Tensor) -> Result<Tensor> {
    Ok(candle_nn::ops::sigmoid(x)?)
}

/// x · sigmoid(x).
///
/// # Errors
/// When the tensor operations fail.
pub fn silu(x: &Tensor) -> Result<Tensor> {
    Ok(x.silu()?)
}

/// x · Φ(x) with the exact error function.
///
/// # Errors
/// When the tensor operations fail.
pub fn gelu(x: &Tensor) -> Result<Tensor> {
    Ok(x.gelu_erf()?)
}

/// max(x, 0).
///
/// # Errors
/// When the tensor operations fail.
pub fn relu(x: &Tensor) -> Result<Tensor> {
    Ok(x.relu()?)
}

/// ln(1 + eˣ), without overflow.
///
/// # Errors
/// When the tensor operations fail.
pub fn softplus(x: &Tensor) -> Result<Tensor> {
    // max(x, 0) + ln(1 + e^-|x|)
    let small = x.abs()?.neg()?.exp()?.affine(1.0, 1.0)?.log()?;
    Ok((x.relu()? + small)?)
}

/// silu(a) · b for the two halves [a, b] of the last dimension: [.., 2c] gives [.., c].
///
/// # Errors
/// When the last dimension is odd.
pub fn swiglu(x: &Tensor) -> Result<Tensor> {
    let half = x.dim(D::Minus1)? / 2;
    let a = x.narrow(D::Minus1, 0, half)?.contiguous()?;
    let b = x.narrow(D::Minus1, half, half)?.contiguous()?;
    Ok((silu(&a)? * b)?)
}
