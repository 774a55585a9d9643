//! Scaled dot-product attention with an additive bias (K-Fold 1.0.0, primitives/attention.py).

use candle_core::Tensor;

use crate::kfold::{KFoldError, Result};

/// softmax(scale · q kᵀ + bias) v.
///
/// `q` [.., H, Q, D]; `k` [.., H, K, D], `v` [.., H, K, E] and `bias` [.., H, Q, K], each broadcast where it has fewer or
/// smaller leading dimensions. Returns [.., H, Q, E]. A row whose bias is -inf everywhere gives NaN, as in the reference.
///
/// # Errors
/// When the shapes do not fit.
pub fn scaled_dot_product_attention(
    q: &Tensor,
    k: &Tensor,
    v: &Tensor,
    bias: Option<&Tensor>,
    scale: f64,
) -> Result<Tensor> {
    let (leading, [queries, width]) = split(q)?;
    let (_, [keys, values]) = split(v)?;
    let batch: usize = leading.iter().product();
    let whole = |x: &Tensor, rows: usize, columns: usize| -> Result<Tensor> {
        let dims = [leading, &[rows, columns]].concat();
        // candle multiplies matrices of at most four dimensions.
        Ok(x.broadcast_as(dims)?.contiguous()?.reshape((batch, rows, columns))?)
    };
    let (q, k, v) = (whole(&q.affine(scale, 0.0)?, queries, width)?, whole(k, keys, width)?, whole(v, keys, values)?);
    let logits = q.matmul(&k.transpose(1, 2)?.contiguous()?)?;
    let logits = match bias {
        Some(bias) => logits.reshape([leading, &[queries, keys]].concat())?.broadcast_add(bias)?,
        None => logits,
    };
    let weights = candle_nn::ops::softmax_last_dim(&logits)?.reshape((batch, queries, keys))?;
    Ok(weights.matmul(&v)?.reshape([leading, &[queries, values]].concat())?)
}

/// Leading dimensions, and the last two.
fn split(x: &Tensor) -> Result<(&[usize], [usize; 2])> {
    match x.dims() {
        [leading @ .., rows, columns] => Ok((leading, [*rows, *columns])),
        _ => Err(KFoldError::input("attention needs matrices")),
    }
}
