//! The RNA language model (K-Fold 1.0.0, modules/rna_seq_encoder.py and layers/seq_enc): AtlasLM's block, with a mixture of
//! experts as feed-forward layer.

mod mixture_of_experts;

use candle_core::{DType, Device, Tensor};
use candle_nn::VarBuilder;

pub(super) use mixture_of_experts::EXPERTS;
pub use mixture_of_experts::MixtureOfExperts;

use super::atlaslm::{check_heads, load_attention, load_swiglu, residual_scale};
use super::lm_encoder::LmEncoder;
use super::packing::Packing;
use super::transformer::rotary::{Rounding, frequencies};
use super::transformer::{Block, FeedForward, Hidden, Layer, Residence, Run, Sequences, Stack, embed};
use crate::kfold::Result;
use crate::kfold::config::RnaSequenceEncoderConfig;
use crate::kfold::input::{ChainType, FoldingInput};
use crate::kfold::primitives::{LayerNorm, LayerNormParts};

/// The RNA model: embedding and blocks (the final normalisation and the head of its checkpoint are not used by K-Fold).
pub struct RnaSequenceEncoder {
    width: usize,
    embedding: Tensor,
    stack: Stack,
    frequencies: Vec<f32>,
    device: Device,
    composed: bool,
}

impl RnaSequenceEncoder {
    /// Loads `embed` and `transformer.blocks.N`. All weights become `vb.dtype()` (the reference keeps them as stored) and
    /// are widened when multiplied; with [`Residence::Streamed`] blocks stay in the checkpoint.
    ///
    /// # Errors
    /// When a tensor is missing or misshapen.
    pub fn load(vb: VarBuilder<'static>, config: &RnaSequenceEncoderConfig, residence: Residence) -> Result<Self> {
        let (width, heads, layers, use_moe) = (config.d_model, config.n_heads, config.n_layers, config.use_moe);
        check_heads(width, heads)?;
        let blocks = vb.pp("transformer.blocks");
        let scale = residual_scale(layers);
        let stack = Stack::new(layers, residence, move |index| {
            let vb = blocks.pp(index);
            let (norm, feed_forward) = if use_moe {
                let norm = LayerNorm::load_rounded(vb.pp("ffn.norm"), width, LayerNorm::EPS, LayerNormParts::BOTH)?;
                (norm, FeedForward::Experts(MixtureOfExperts::load(vb.pp("ffn"), width)?))
            } else {
                load_swiglu(&vb.pp("ffn"), width)?
            };
            Ok(Block {
                attention: load_attention(&vb.pp("attn"), width, heads)?,
                norm,
                feed_forward,
                residual_scale: scale,
            })
        })?;
        Ok(Self {
            width,
            embedding: vb.get((config.vocab_size, width), "embed.weight")?,
            stack,
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

    /// Runs the blocks; `visit` sees every layer. Returns the last hidden state.
    ///
    /// # Errors
    /// When a block cannot be read or computed, or the visitor fails.
    pub fn stream(&self, sequences: &Sequences, visit: &mut dyn FnMut(&Layer<'_>) -> Result<()>) -> Result<Hidden> {
        let mut run = Run::new(sequences, &self.frequencies, Rounding::Single, &self.device, self.composed)?;
        let hidden = Hidden::from_rows(embed(&self.embedding, &sequences.token_ids)?, &self.device, self.composed)?;
        self.stack.run(hidden, &mut run, false, visit)
    }

    /// All hidden states [1, tokens, layers + 1, width]; zeros where a token is no RNA's. Large: for tests.
    ///
    /// # Errors
    /// When the encoder fails.
    pub fn hidden_states(&self, input: &FoldingInput) -> Result<Tensor> {
        let packing = Packing::new(input, ChainType::Rna)?;
        if packing.is_empty() {
            let shape = (1, packing.tokens(), self.stack.layers() + 1, self.width);
            return Ok(Tensor::zeros(shape, DType::F32, input.device())?);
        }
        packing.hidden_states(|sequences, visit| self.stream(sequences, visit))
    }

    /// The hidden states merged by `encoder` as they appear: [1, tokens, channel_s]. `on_layer` hears of each layer and may stop
    /// the work by an error.
    ///
    /// # Errors
    /// When the encoder fails, or `on_layer` says so.
    pub fn merged(
        &self,
        input: &FoldingInput,
        encoder: &LmEncoder,
        on_layer: &mut dyn FnMut(usize) -> Result<()>,
    ) -> Result<Tensor> {
        let packing = Packing::new(input, ChainType::Rna)?;
        if packing.is_empty() {
            return encoder.zeros(packing.tokens());
        }
        packing.merged(encoder, |sequences, visit| {
            self.stream(sequences, &mut |layer| {
                on_layer(layer.index)?;
                visit(layer)
            })
        })
    }
}
