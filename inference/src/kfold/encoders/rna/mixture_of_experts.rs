//! The RNA model's feed-forward layer: one of four SwiGLUs for each token, with limited room (K-Fold 1.0.0,
//! layers/seq_enc/moe.py, after Switch Transformer; Fedus and others, 2022).
//!
//! Each token goes to the expert that its router scores highest. An expert has room for
//! `8 · max(1, ceil(tokens · 2 / (4 · 8)))` tokens, where only real tokens count; they are taken in order and the rest get
//! nothing from this layer. So poly-A-like chains lose updates, and what a chain gets depends on the other RNA chains of the
//! query. The chosen probability, divided by itself plus 1e-9, is the factor.

use candle_core::{D, DType, Tensor};
use candle_nn::VarBuilder;

use crate::kfold::encoders::atlaslm::EXPANSION;
use crate::kfold::encoders::transformer::panels::{Epilogue, Panels, linear, swiglu, with_stored};
use crate::kfold::encoders::transformer::{for_product, swiglu_width};
use crate::kfold::primitives::activation;
use crate::kfold::{KFoldError, Result};

/// Experts of a layer, a constant of the architecture.
pub(in crate::kfold::encoders) const EXPERTS: usize = 4;

/// Room for twice an even share.
const CAPACITY_FACTOR: f32 = 2.0;

/// Room comes in units of this many tokens.
const CAPACITY_UNIT: usize = 8;

/// The experts and their router.
#[derive(Clone, Debug)]
pub struct MixtureOfExperts {
    /// [experts, width] f32.
    router: Tensor,
    /// [experts, 2 · hidden, width], gate above value.
    up: Tensor,
    /// [experts, width, hidden].
    down: Tensor,
}

/// Which tokens an expert takes, and with what factor.
#[derive(Clone, Debug, Default, PartialEq)]
struct Share {
    tokens: Vec<usize>,
    factors: Vec<f32>,
}

/// The expert with the highest score, the first of equals.
fn best(scores: &[f32]) -> usize {
    (1..scores.len()).fold(0, |best, expert| if scores[expert] > scores[best] { expert } else { best })
}

/// Shares the real tokens out: `scores` [tokens, experts].
fn dispatch(scores: &[f32], valid: &[bool]) -> Vec<Share> {
    let count = valid.iter().filter(|&&valid| valid).count();
    let units = (count as f32 * (CAPACITY_FACTOR / (EXPERTS * CAPACITY_UNIT) as f32)).ceil().max(1.0);
    let capacity = units as usize * CAPACITY_UNIT;
    let mut shares = vec![Share::default(); EXPERTS];
    for (token, scores) in scores.chunks_exact(EXPERTS).enumerate().filter(|&(token, _)| valid[token]) {
        let best = best(scores);
        if shares[best].tokens.len() < capacity {
            let probability = 1.0 / scores.iter().map(|&score| (score - scores[best]).exp()).sum::<f32>();
            shares[best].tokens.push(token);
            shares[best].factors.push(probability / (probability + 1e-9));
        }
    }
    shares
}

impl MixtureOfExperts {
    /// Loads `router`, `w13_stacked` and `w2_stacked`; the layer's `norm` is its block's.
    ///
    /// # Errors
    /// When a tensor is missing or misshapen.
    pub fn load(vb: VarBuilder<'_>, width: usize) -> Result<Self> {
        let hidden = swiglu_width(width, EXPANSION);
        Ok(Self {
            router: vb.get((EXPERTS, width), "router.weight")?.to_dtype(DType::F32)?,
            up: vb.get((EXPERTS, 2 * hidden, width), "w13_stacked")?,
            down: vb.get((EXPERTS, width, hidden), "w2_stacked")?,
        })
    }

    /// The expert that the router scores highest for each token of `normed` [.., width], whether there is room or not.
    ///
    /// # Errors
    /// When the width is another.
    pub fn chosen(&self, normed: &Tensor) -> Result<Vec<u32>> {
        let flat = normed.reshape(((), normed.dim(D::Minus1)?))?;
        let scores = flat.matmul(&self.router.t()?)?.flatten_all()?.to_vec1::<f32>()?;
        Ok(scores.chunks_exact(EXPERTS).map(|scores| best(scores) as u32).collect())
    }

    /// On the processor: adds `scale` times the experts' results of `normed` to `x`.
    ///
    /// # Errors
    /// When the sizes do not fit.
    pub fn add_to(&self, x: &mut Panels, normed: &Panels, valid: &[bool], scale: f32) -> Result<()> {
        let mut scores = Panels::default();
        with_stored(&self.router, |router| linear(normed, router, None, Epilogue::Store, &mut scores))?;
        let (mut wide, mut out) = (Panels::default(), Panels::default());
        for (expert, mut share) in dispatch(&scores.to_rows(), valid).into_iter().enumerate() {
            if share.tokens.is_empty() {
                continue;
            }
            let tokens = normed.gather(&share.tokens);
            let part = |weights: &Tensor| {
                let size = weights.elem_count() / EXPERTS;
                expert * size..(expert + 1) * size
            };
            with_stored(&self.up, |up| swiglu(&tokens, up.part(part(&self.up)), &mut wide))?;
            with_stored(&self.down, |down| {
                linear(&wide, down.part(part(&self.down)), None, Epilogue::Store, &mut out)
            })?;
            for factor in &mut share.factors {
                *factor *= scale;
            }
            x.scatter_add(&out, &share.tokens, &share.factors);
        }
        Ok(())
    }

    /// Elsewhere: the experts' results of `normed` [.., width], flattened to tokens in order.
    ///
    /// # Errors
    /// When the sizes do not fit.
    pub fn forward(&self, normed: &Tensor, valid: &[bool]) -> Result<Tensor> {
        let width = normed.dim(D::Minus1)?;
        let flat = normed.reshape(((), width))?;
        if flat.dim(0)? != valid.len() {
            return Err(KFoldError::input(format!("{} tokens, but {} marks of real ones", flat.dim(0)?, valid.len())));
        }
        let scores = flat.matmul(&self.router.t()?)?.flatten_all()?.to_vec1::<f32>()?;
        let mut sum = flat.zeros_like()?;
        for (expert, share) in dispatch(&scores, valid).into_iter().enumerate() {
            if share.tokens.is_empty() {
                continue;
            }
            let count = share.tokens.len();
            let tokens: Vec<u32> = share.tokens.iter().map(|&token| token as u32).collect();
            let tokens = Tensor::from_vec(tokens, count, flat.device())?;
            let factors = Tensor::from_vec(share.factors, (count, 1), flat.device())?;
            let (up, down) = (for_product(&self.up.get(expert)?)?, for_product(&self.down.get(expert)?)?);
            let x = flat.index_select(&tokens, 0)?.to_dtype(up.dtype())?;
            let wide = activation::swiglu(&x.matmul(&up.t()?)?)?;
            let out = wide.matmul(&down.t()?)?.to_dtype(DType::F32)?.broadcast_mul(&factors)?;
            sum = sum.index_add(&tokens, &out, 0)?;
        }
        Ok(sum.reshape(normed.shape())?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn experts_take_tokens_in_order_until_they_are_full() {
        // 20 real tokens: room for ceil(20 / 16) * 8 = 16 at each expert.
        let mut scores = vec![0.0; 22 * EXPERTS];
        for token in 0..22 {
            scores[token * EXPERTS + 2] = 3.0;
        }
        scores[5 * EXPERTS] = 9.0;
        let mut valid = vec![true; 22];
        (valid[0], valid[21]) = (false, false);
        let shares = dispatch(&scores, &valid);
        assert_eq!(shares[0].tokens, [5]);
        assert_eq!(shares[2].tokens, [1, 2, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17]);
        assert!(shares[1].tokens.is_empty() && shares[3].tokens.is_empty());
        assert!(shares.iter().flat_map(|share| &share.factors).all(|&factor| (factor - 1.0).abs() < 1e-6));
    }
}
