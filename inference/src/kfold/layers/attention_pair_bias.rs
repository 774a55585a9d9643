//! Attention with pair bias (K-Fold 1.0.0, layers/folding/attention_pair_bias.py and primitives/attention.py; AlphaFold 3,
//! algorithm 24), plain or under a condition, of all tokens to all or of one set of rows to another.
//!
//! Queries, keys, values and gates come from the same normalised input, so their projections are joined into one. Only the
//! query has a bias. The gate is a sigmoid of a projection without bias.

use candle_core::{D, DType, Tensor};
use candle_nn::VarBuilder;

use super::adaptive_layer_norm::AdaptiveLayerNorm;
use super::projection::{Modulation, Projection};
use super::windows::AtomWindows;
use crate::kfold::Result;
use crate::kfold::primitives::activation::sigmoid;
use crate::kfold::primitives::cpu::access::{is_plain, with_values};
use crate::kfold::primitives::cpu::gated_attention::{
    AttentionSizes, WindowSizes, gated_attention, gated_window_attention,
};
#[cfg(feature = "cuda")]
use crate::kfold::primitives::cuda::attention as cuda;
use crate::kfold::primitives::{LayerNorm, LayerNormParts, scaled_dot_product_attention};

/// Added to the logits of masked keys.
const MASKED: f64 = -1e9;

/// Joins projections of the same input; the flag says which have a bias.
fn join(vb: &VarBuilder<'_>, channel: usize, parts: &[(&str, bool)]) -> Result<Projection> {
    let parts: Vec<_> = parts.iter().map(|(name, bias)| (vb.pp(name), *bias)).collect();
    Projection::join(&parts, channel, channel)
}

/// [.., L, H·D] to [.., H, L, D].
fn split_heads(x: &Tensor, heads: usize) -> Result<Tensor> {
    let mut dims = x.dims().to_vec();
    let channel = dims.pop().unwrap_or(0);
    dims.extend([heads, channel / heads]);
    Ok(x.reshape(dims)?.transpose(D::Minus2, D::Minus(3))?)
}

/// sigmoid(gate) · softmax(q kᵀ / √D + bias) v, composed: all of [.., L, C], `bias` [.., H, Q, K], `mask` [.., K].
fn composed_attention(
    query: &Tensor,
    gate: &Tensor,
    [key, value]: [&Tensor; 2],
    bias: &Tensor,
    mask: &Tensor,
    heads: usize,
) -> Result<Tensor> {
    let channel = query.dim(D::Minus1)?;
    let scale = 1.0 / ((channel / heads) as f64).sqrt();
    let masked = mask.to_dtype(bias.dtype())?.affine(-MASKED, MASKED)?.unsqueeze(D::Minus2)?.unsqueeze(D::Minus2)?;
    let bias = bias.broadcast_add(&masked)?;
    let [query, key, value] = [query, key, value].map(|x| split_heads(x, heads));
    let attended = scaled_dot_product_attention(&query?, &key?, &value?, Some(&bias), scale)?;
    let attended = attended.transpose(D::Minus2, D::Minus(3))?.contiguous()?.reshape(gate.dims())?;
    Ok((attended * sigmoid(gate)?)?)
}

/// Part `index` of `x` [.., parts · C].
fn part(x: &Tensor, index: usize, channel: usize) -> Result<Tensor> {
    Ok(x.narrow(D::Minus1, index * channel, channel)?.contiguous()?)
}

/// What a condition does in an attention layer.
#[derive(Clone, Debug)]
pub struct AttentionCondition {
    modulation: Modulation,
    gate: Tensor,
}

#[derive(Clone, Debug)]
enum Normalization {
    Plain(LayerNorm),
    Adaptive { adaln: AdaptiveLayerNorm, linear_ada_out: Projection },
}

/// Attention of all rows to all.
#[derive(Clone, Debug)]
pub struct SelfAttentionPairBias {
    heads: usize,
    channel: usize,
    normalization: Normalization,
    linear_qkvg: Projection,
    linear_out: Projection,
}

impl SelfAttentionPairBias {
    /// Loads `linear_q`, `linear_k`, `linear_v`, `linear_g`, `linear_out`, and `layernorm_a` or, where there is a condition
    /// of width `channel_s`, `adaln_a` and `linear_ada_out`.
    ///
    /// # Errors
    /// When a tensor is missing or misshapen.
    pub fn load(vb: VarBuilder<'_>, channel: usize, heads: usize, channel_s: Option<usize>) -> Result<Self> {
        let normalization = match channel_s {
            Some(channel_s) => Normalization::Adaptive {
                adaln: AdaptiveLayerNorm::load(vb.pp("adaln_a"), channel, channel_s)?,
                linear_ada_out: Projection::load(vb.pp("linear_ada_out"), channel_s, channel, true)?,
            },
            None => Normalization::Plain(LayerNorm::load(
                vb.pp("layernorm_a"),
                channel,
                LayerNorm::EPS,
                LayerNormParts::BOTH,
            )?),
        };
        let parts = [("linear_q", true), ("linear_k", false), ("linear_v", false), ("linear_g", false)];
        Ok(Self {
            heads,
            channel,
            normalization,
            linear_qkvg: join(&vb, channel, &parts)?,
            linear_out: Projection::load(vb.pp("linear_out"), channel, channel, false)?,
        })
    }

    /// What the condition `s` [.., channel_s] does; nothing in a plain layer.
    ///
    /// # Errors
    /// When the last dimension is not `channel_s`.
    pub fn condition(&self, s: &Tensor) -> Result<Option<AttentionCondition>> {
        match &self.normalization {
            Normalization::Plain(_) => Ok(None),
            Normalization::Adaptive { adaln, linear_ada_out } => {
                Ok(Some(AttentionCondition { modulation: adaln.condition(s)?, gate: linear_ada_out.gates(s)? }))
            }
        }
    }

    /// `a` [.., L, channel] plus its update. `bias` [.., H, L, L] and `mask` [.., L] (1 where a row counts) have the leading
    /// dimensions of `a`, or 1 in the last of them.
    ///
    /// # Errors
    /// When the shapes do not fit.
    pub fn add_to(
        &self,
        a: &Tensor,
        condition: Option<&AttentionCondition>,
        bias: &Tensor,
        mask: &Tensor,
    ) -> Result<Tensor> {
        let attended = self.attend(a, condition, bias, mask)?;
        match condition {
            Some(condition) => self.linear_out.add_gated(Some(a), &attended, &condition.gate),
            None => Ok((a + self.linear_out.forward(&attended)?)?),
        }
    }

    /// The update of `a` [.., L, channel] under `s` [.., L, channel_s]; shapes as in [`Self::add_to`].
    ///
    /// # Errors
    /// When the shapes do not fit.
    pub fn forward(&self, a: &Tensor, s: Option<&Tensor>, bias: &Tensor, mask: &Tensor) -> Result<Tensor> {
        let condition = match s {
            Some(s) => self.condition(s)?,
            None => None,
        };
        let attended = self.attend(a, condition.as_ref(), bias, mask)?;
        match condition {
            Some(condition) => self.linear_out.add_gated(None, &attended, &condition.gate),
            None => self.linear_out.forward(&attended),
        }
    }

    /// Gated and weighted values [.., L, channel].
    fn attend(
        &self,
        a: &Tensor,
        condition: Option<&AttentionCondition>,
        bias: &Tensor,
        mask: &Tensor,
    ) -> Result<Tensor> {
        let projections = match (&self.normalization, condition) {
            (Normalization::Plain(norm), _) => self.linear_qkvg.forward(&norm.forward(a)?)?,
            (Normalization::Adaptive { .. }, Some(condition)) => {
                self.linear_qkvg.of_modulated(a, &condition.modulation)?
            }
            (Normalization::Adaptive { .. }, None) => {
                return Err(candle_core::Error::Msg("attention lacks its condition".to_owned()).into());
            }
        };
        let bias = bias.contiguous()?;
        #[cfg(feature = "cuda")]
        if let Some(attended) = self.attend_on_card(&projections, &bias, mask)? {
            return Ok(attended.reshape(a.dims())?);
        }
        if !is_plain(&projections) || !is_plain(&bias) {
            let part = |index: usize| part(&projections, index, self.channel);
            return composed_attention(&part(0)?, &part(3)?, [&part(1)?, &part(2)?], &bias, mask, self.heads);
        }
        let mask = mask.to_dtype(DType::U8)?.flatten_all()?.to_vec1::<u8>()?;
        let length = a.dim(D::Minus2)?;
        let batch = a.elem_count() / (length * self.channel).max(1);
        let sizes = AttentionSizes { batch, length, heads: self.heads, channel: self.channel };
        let shared = |count: usize, of: usize| {
            count > 0 && of > 0 && count.is_multiple_of(of) && batch.is_multiple_of(count / of)
        };
        if !shared(bias.elem_count(), self.heads * length * length) || !shared(mask.len(), length) {
            let shapes = format!("{batch} samples cannot share biases {:?} and {} masks", bias.dims(), mask.len());
            return Err(candle_core::Error::Msg(shapes).into());
        }
        let out = with_values([&projections, &bias], |[projections, bias]| {
            Ok(gated_attention(sizes, projections, bias, &mask))
        })?;
        Ok(Tensor::from_vec(out, a.dims(), a.device())?)
    }
}

#[cfg(feature = "cuda")]
impl SelfAttentionPairBias {
    /// On a card, in the type that it multiplies; `None` elsewhere and for sizes that its kernels do not take.
    fn attend_on_card(&self, projections: &Tensor, bias: &Tensor, mask: &Tensor) -> Result<Option<Tensor>> {
        if !projections.device().is_cuda() {
            return Ok(None);
        }
        let dtype = if self.linear_qkvg.is_rounded() { DType::BF16 } else { projections.dtype() };
        let attended = cuda::gated_attention(&projections.to_dtype(dtype)?, bias, mask, self.heads)?;
        Ok(attended.map(|attended| attended.to_dtype(projections.dtype())).transpose()?)
    }
}

/// What the conditions do in a [`CrossAttentionPairBias`].
#[derive(Clone, Debug)]
pub struct CrossAttentionCondition {
    query: Modulation,
    key: Modulation,
    gate: Tensor,
}

/// Attention of some rows to others, under a condition: in K-Fold, of atoms to those in their window.
#[derive(Clone, Debug)]
pub struct CrossAttentionPairBias {
    heads: usize,
    channel: usize,
    adaln_a_q: AdaptiveLayerNorm,
    adaln_a_k: AdaptiveLayerNorm,
    linear_ada_out: Projection,
    linear_qg: Projection,
    linear_kv: Projection,
    linear_out: Projection,
}

impl CrossAttentionPairBias {
    /// Loads `linear_q`, `linear_k`, `linear_v`, `linear_g`, `linear_out`, `adaln_a_q`, `adaln_a_k` and `linear_ada_out`.
    ///
    /// # Errors
    /// When a tensor is missing or misshapen.
    pub fn load(vb: VarBuilder<'_>, channel: usize, heads: usize, channel_s: usize) -> Result<Self> {
        Ok(Self {
            heads,
            channel,
            adaln_a_q: AdaptiveLayerNorm::load(vb.pp("adaln_a_q"), channel, channel_s)?,
            adaln_a_k: AdaptiveLayerNorm::load(vb.pp("adaln_a_k"), channel, channel_s)?,
            linear_ada_out: Projection::load(vb.pp("linear_ada_out"), channel_s, channel, true)?,
            linear_qg: join(&vb, channel, &[("linear_q", true), ("linear_g", false)])?,
            linear_kv: join(&vb, channel, &[("linear_k", false), ("linear_v", false)])?,
            linear_out: Projection::load(vb.pp("linear_out"), channel, channel, false)?,
        })
    }

    /// What the conditions of queries and of keys [.., channel_s] do.
    ///
    /// # Errors
    /// When the last dimension is not `channel_s`.
    pub fn condition(&self, s_q: &Tensor, s_k: &Tensor) -> Result<CrossAttentionCondition> {
        Ok(CrossAttentionCondition {
            query: self.adaln_a_q.condition(s_q)?,
            key: self.adaln_a_k.condition(s_k)?,
            gate: self.linear_ada_out.gates(s_q)?,
        })
    }

    /// The update of the rows `a_q` [.., Q, channel] that look at `a_k` [.., K, channel], under the conditions `s_q` and
    /// `s_k` [.., channel_s], with `bias` [.., H, Q, K] and `mask` [.., K].
    ///
    /// # Errors
    /// When the shapes do not fit.
    pub fn forward(
        &self,
        [a_q, a_k]: [&Tensor; 2],
        [s_q, s_k]: [&Tensor; 2],
        bias: &Tensor,
        mask: &Tensor,
    ) -> Result<Tensor> {
        let condition = self.condition(s_q, s_k)?;
        let qg = self.linear_qg.of_modulated(a_q, &condition.query)?;
        let kv = self.linear_kv.of_modulated(a_k, &condition.key)?;
        self.linear_out.add_gated(None, &self.attend(&qg, &kv, bias, mask)?, &condition.gate)
    }

    fn attend(&self, qg: &Tensor, kv: &Tensor, bias: &Tensor, mask: &Tensor) -> Result<Tensor> {
        let (query, gate) = (part(qg, 0, self.channel)?, part(qg, 1, self.channel)?);
        let (key, value) = (part(kv, 0, self.channel)?, part(kv, 1, self.channel)?);
        composed_attention(&query, &gate, [&key, &value], bias, mask, self.heads)
    }

    /// Atoms `a` [samples, N, channel] plus their update within their windows. `bias` [windows, H, queries, keys].
    ///
    /// Keys and values are projected once per atom; the reference does it once per window that sees the atom, with the same
    /// result.
    ///
    /// # Errors
    /// When the shapes do not fit.
    pub fn add_to_windows(
        &self,
        a: &Tensor,
        condition: &CrossAttentionCondition,
        bias: &Tensor,
        windows: &AtomWindows,
    ) -> Result<Tensor> {
        let qg = self.linear_qg.of_modulated(a, &condition.query)?;
        let kv = self.linear_kv.of_modulated(a, &condition.key)?;
        #[cfg(feature = "cuda")]
        let on_card = self.attend_windows_on_card(&qg, &kv, bias, windows)?;
        #[cfg(not(feature = "cuda"))]
        let on_card = None::<Tensor>;
        let attended = if is_plain(&qg) && is_plain(&kv) && is_plain(bias) {
            let (count, heads, queries, keys) = bias.dims4()?;
            let (_, atoms, channel) = a.dims3()?;
            if count * queries != atoms || atoms != windows.mask().len() || heads != self.heads {
                let shapes = format!("biases {:?} do not fit {atoms} atoms of {} heads", bias.dims(), self.heads);
                return Err(candle_core::Error::Msg(shapes).into());
            }
            let sizes = WindowSizes { atoms, channel, heads, queries, keys, before: windows.keys_before() };
            let out = with_values([&qg, &kv, bias], |[qg, kv, bias]| {
                Ok(gated_window_attention(sizes, qg, kv, bias, windows.mask()))
            })?;
            Tensor::from_vec(out, a.dims(), a.device())?
        } else if let Some(attended) = on_card {
            attended
        } else {
            let (qg, kv) = (windows.queries(&qg, 1)?, windows.keys(&kv, 1)?);
            self.attend(&qg, &kv, &bias.unsqueeze(0)?, &windows.key_mask()?.unsqueeze(0)?)?.reshape(a.dims())?
        };
        self.linear_out.add_gated(Some(a), &attended, &condition.gate)
    }

    /// On a card, in the type that it multiplies; `None` elsewhere and for sizes that its kernels do not take.
    #[cfg(feature = "cuda")]
    fn attend_windows_on_card(
        &self,
        qg: &Tensor,
        kv: &Tensor,
        bias: &Tensor,
        windows: &AtomWindows,
    ) -> Result<Option<Tensor>> {
        if !qg.device().is_cuda() {
            return Ok(None);
        }
        let dtype = if self.linear_qg.is_rounded() { DType::BF16 } else { qg.dtype() };
        let (_, _, queries, keys) = bias.dims4()?;
        let sizes = cuda::Windows { queries, keys, before: windows.keys_before() };
        let attended = cuda::gated_window_attention(
            &qg.to_dtype(dtype)?,
            &kv.to_dtype(dtype)?,
            bias,
            windows.mask_tensor(),
            sizes,
        )?;
        Ok(attended.map(|attended| attended.to_dtype(qg.dtype())).transpose()?)
    }
}
