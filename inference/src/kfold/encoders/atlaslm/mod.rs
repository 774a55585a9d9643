//! AtlasLM, the protein language model (AtlasFold 1.0.4, atlaslm/model.py): 600M (1152 wide, 18 heads, 36 layers) and 3B
//! (2304 wide, 36 heads, 48 layers).
//!
//! Pre-normalised blocks with queries and keys normalised over all heads, rotary positions, SwiGLU, and residuals divided by
//! sqrt(layers / 36). Chains are packed: tokens with equal sequence numbers see each other.

mod protein_sequence;

use candle_core::{DType, Device, Tensor};
use candle_nn::VarBuilder;

pub use protein_sequence::ProteinSequenceEncoder;

use super::transformer::rotary::{Rounding, frequencies};
use super::transformer::{
    Attention, Block, FeedForward, Hidden, Layer, Residence, Run, Sequences, Stack, StoredLinear, embed, swiglu_width,
};
use crate::kfold::config::ProteinSequenceEncoderConfig;
use crate::kfold::primitives::activation::gelu;
use crate::kfold::primitives::{LayerNorm, LayerNormParts, Linear};
use crate::kfold::{KFoldError, Result};

/// Hidden width of the feed-forward layers over the width.
pub(super) const EXPANSION: f64 = 8.0 / 3.0;

/// The depth at which residuals are added unscaled.
const REFERENCE_DEPTH: f64 = 36.0;

/// Rows of the embedding table and of the language model head, whatever the alphabet uses.
pub(super) const VOCABULARY: usize = 64;

/// The language model.
pub struct AtlasLm {
    width: usize,
    embedding: Tensor,
    stack: Stack,
    norm: LayerNorm,
    /// Where the masked language model's head is; it is read when asked for.
    head: VarBuilder<'static>,
    frequencies: Vec<f32>,
    device: Device,
    composed: bool,
}

/// The masked language model's head.
struct Head {
    hidden: Linear,
    norm: LayerNorm,
    out: Linear,
}

/// What [`AtlasLm::forward`] gives.
pub struct LmOutput {
    /// Last hidden state after the final normalisation [B, L, width].
    pub embeddings: Tensor,
    /// Scores of the 64 tokens [B, L, 64], where asked for.
    pub logits: Option<Tensor>,
}

/// Refuses a width that cannot be shared among the heads in pairs of features.
pub(super) fn check_heads(width: usize, heads: usize) -> Result<()> {
    if width == 0 || heads == 0 || !width.is_multiple_of(2 * heads) {
        return Err(KFoldError::Config(format!("an encoder of width {width} cannot have {heads} heads")));
    }
    Ok(())
}

/// Loads attention as AtlasLM and the RNA model name it.
pub(super) fn load_attention(vb: &VarBuilder<'_>, width: usize, heads: usize) -> Result<Attention> {
    check_heads(width, heads)?;
    let norm = |name: &str| LayerNorm::load_rounded(vb.pp(name), width, LayerNorm::EPS, LayerNormParts::WEIGHT);
    Ok(Attention {
        norm: LayerNorm::load_rounded(vb.pp("layernorm_qkv.0"), width, LayerNorm::EPS, LayerNormParts::BOTH)?,
        qkv: StoredLinear::load(vb.pp("layernorm_qkv.1"), width, 3 * width, false)?,
        query_key_norm: Some((norm("q_ln")?, norm("k_ln")?)),
        out: StoredLinear::load(vb.pp("out_proj"), width, width, false)?,
        heads,
        scale: 1.0 / ((width / heads) as f32).sqrt(),
    })
}

/// Loads normalisation and SwiGLU as AtlasLM and the RNA model name them.
pub(super) fn load_swiglu(vb: &VarBuilder<'_>, width: usize) -> Result<(LayerNorm, FeedForward)> {
    let hidden = swiglu_width(width, EXPANSION);
    let norm = LayerNorm::load_rounded(vb.pp("0"), width, LayerNorm::EPS, LayerNormParts::BOTH)?;
    let up = StoredLinear::load(vb.pp("1"), width, 2 * hidden, false)?;
    let down = StoredLinear::load(vb.pp("3"), hidden, width, false)?;
    Ok((norm, FeedForward::SwiGlu { up, down }))
}

/// What each residual is multiplied with.
pub(super) fn residual_scale(layers: usize) -> f32 {
    (1.0 / (layers as f64 / REFERENCE_DEPTH).sqrt()) as f32
}

impl AtlasLm {
    /// Loads `embed`, `transformer.blocks.N` and `transformer.norm`; `sequence_head` is read when it is needed. All
    /// weights become `vb.dtype()` (K-Fold has bf16 whatever is stored) and are widened when multiplied; with
    /// [`Residence::Streamed`] blocks stay in the checkpoint.
    ///
    /// # Errors
    /// When a tensor is missing or misshapen.
    pub fn load(vb: VarBuilder<'static>, config: &ProteinSequenceEncoderConfig, residence: Residence) -> Result<Self> {
        let (width, heads, layers) = (config.d_model, config.n_heads, config.n_layers);
        check_heads(width, heads)?;
        let blocks = vb.pp("transformer.blocks");
        let scale = residual_scale(layers);
        let stack = Stack::new(layers, residence, move |index| {
            let vb = blocks.pp(index);
            let (norm, feed_forward) = load_swiglu(&vb.pp("ffn"), width)?;
            Ok(Block {
                attention: load_attention(&vb.pp("attn"), width, heads)?,
                norm,
                feed_forward,
                residual_scale: scale,
            })
        })?;
        Ok(Self {
            width,
            embedding: vb.get((VOCABULARY, width), "embed.weight")?,
            stack,
            norm: LayerNorm::load_rounded(vb.pp("transformer.norm"), width, LayerNorm::EPS, LayerNormParts::WEIGHT)?,
            head: vb.pp("sequence_head").to_dtype(DType::F32),
            frequencies: frequencies(width / heads),
            device: vb.device().clone(),
            composed: false,
        })
    }

    /// Computes as on another device, by candle compositions, for tests.
    #[must_use]
    pub fn composed(mut self) -> Self {
        self.composed = true;
        self
    }

    /// Width of the hidden states.
    #[must_use]
    pub fn width(&self) -> usize {
        self.width
    }

    /// Blocks.
    #[must_use]
    pub fn layers(&self) -> usize {
        self.stack.layers()
    }

    /// Runs the blocks; `visit` sees every layer, with its attention scores where `attention_logits` asks for them. Returns
    /// the last hidden state, before the final normalisation.
    ///
    /// # Errors
    /// When a block cannot be read or computed, or the visitor fails.
    pub fn stream(
        &self,
        sequences: &Sequences,
        attention_logits: bool,
        visit: &mut dyn FnMut(&Layer<'_>) -> Result<()>,
    ) -> Result<Hidden> {
        let mut run = Run::new(sequences, &self.frequencies, Rounding::Single, &self.device, self.composed)?;
        let hidden = Hidden::from_rows(embed(&self.embedding, &sequences.token_ids)?, &self.device, self.composed)?;
        self.stack.run(hidden, &mut run, attention_logits, visit)
    }

    /// Final embeddings and, where `logits` asks for them, the scores of the tokens.
    ///
    /// # Errors
    /// When a block cannot be read or computed, or the checkpoint has no head for the scores.
    pub fn forward(&self, sequences: &Sequences, logits: bool) -> Result<LmOutput> {
        let last = self.stream(sequences, false, &mut |_| Ok(()))?;
        let embeddings = last.normalized(&self.norm)?.tensor(sequences.batch, sequences.length)?;
        let logits = logits.then(|| Head::load(&self.head, self.width)?.forward(&embeddings)).transpose()?;
        Ok(LmOutput { embeddings, logits })
    }
}

impl Head {
    fn load(vb: &VarBuilder<'_>, width: usize) -> Result<Self> {
        Ok(Self {
            hidden: Linear::load(vb.pp("0"), width, width, true)?,
            norm: LayerNorm::load_rounded(vb.pp("2"), width, LayerNorm::EPS, LayerNormParts::BOTH)?,
            out: Linear::load(vb.pp("3"), width, VOCABULARY, true)?,
        })
    }

    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        self.out.forward(&self.norm.forward(&gelu(&self.hidden.forward(x)?)?)?)
    }
}
