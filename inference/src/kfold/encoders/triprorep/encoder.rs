//! TriProRep's encoder of sequence, backbone and full-atom tokens (K-Fold 1.0.0, layers/struct_enc/backbone.py and
//! transformer_layers.py).
//!
//! What is unusual, and must stay: weights in bf16, rotary angles in bf16 ([`Rounding::Bf16`]), attention scaled by 1 / head width instead of
//! its square root, epsilon 1e-12, and row 0 of the chain embedding added to every token.

use candle_core::{DType, Device, Tensor};
use candle_nn::VarBuilder;

use crate::kfold::Result;
use crate::kfold::config::StructureEncoderConfig;
use crate::kfold::encoders::atlaslm::check_heads;
use crate::kfold::encoders::transformer::rotary::{Rounding, frequencies};
use crate::kfold::encoders::transformer::{
    Attention, Block, FeedForward, Hidden, Residence, Run, Sequences, Stack, StoredLinear, embed,
};
use crate::kfold::primitives::{LayerNorm, LayerNormParts};

/// Special tokens before those of each alphabet.
pub const TOKEN_OFFSET: i64 = 4;

/// Rows of the sequence embedding: 33 tokens and the special ones.
const SEQUENCE_TOKENS: usize = 37;

/// Rows of the structure embeddings: 512 codes and the special tokens.
const STRUCTURE_TOKENS: usize = 516;

/// Rows of the chain embedding, of which the first alone is used.
const CHAINS: usize = 100;

/// Added to variances.
const EPS: f64 = 1e-12;

/// Hidden width of the feed-forward layers over the width.
const EXPANSION: usize = 4;

/// The encoder.
pub struct TriProRepEncoder {
    width: usize,
    sequence_embedding: Tensor,
    backbone_embedding: Tensor,
    full_atom_embedding: Tensor,
    fuse: StoredLinear,
    fuse_norm: LayerNorm,
    /// [1, width].
    chain: Tensor,
    stack: Stack,
    norm: LayerNorm,
    frequencies: Vec<f32>,
    device: Device,
    composed: bool,
}

/// Tokens of the two structure alphabets beside [`Sequences::token_ids`], special tokens counted.
pub struct StructureTokens {
    /// Backbone tokens.
    pub backbone: Vec<u32>,
    /// Full-atom tokens.
    pub full_atom: Vec<u32>,
}

fn norm(vb: VarBuilder<'_>, width: usize) -> Result<LayerNorm> {
    LayerNorm::load_rounded(vb, width, EPS, LayerNormParts::BOTH)
}

/// Queries, keys and values: one matrix where they are fused, three in the published checkpoint.
fn load_qkv(vb: &VarBuilder<'_>, width: usize) -> Result<StoredLinear> {
    if vb.contains_tensor("qkv_proj.weight") {
        return StoredLinear::load(vb.pp("qkv_proj"), width, 3 * width, true);
    }
    let (mut weights, mut biases) = (Vec::new(), Vec::new());
    for name in ["q_proj", "k_proj", "v_proj"] {
        weights.push(vb.get((width, width), &format!("{name}.weight"))?);
        biases.push(vb.get(width, &format!("{name}.bias"))?);
    }
    Ok(StoredLinear::new(Tensor::cat(&weights, 0)?, Some(Tensor::cat(&biases, 0)?)))
}

impl TriProRepEncoder {
    /// Loads the encoder's checkpoint. All weights but the rotary frequencies become bf16, whatever `vb.dtype()` is: so the
    /// model was trained. With [`Residence::Streamed`] blocks stay in the checkpoint.
    ///
    /// # Errors
    /// When a tensor is missing or misshapen.
    pub fn load(vb: VarBuilder<'static>, config: &StructureEncoderConfig, residence: Residence) -> Result<Self> {
        let (width, heads, layers) = (config.d_model, config.n_heads, config.n_layers);
        check_heads(width, heads)?;
        let head_width = width / heads;
        let vb = vb.to_dtype(DType::BF16);
        let blocks = vb.pp("encoder");
        let stack = Stack::new(layers, residence, move |index| {
            let vb = blocks.pp(index);
            let attention = vb.pp("self_attn");
            Ok(Block {
                attention: Attention {
                    norm: norm(vb.pp("self_attn_layer_norm"), width)?,
                    qkv: load_qkv(&attention, width)?,
                    query_key_norm: None,
                    out: StoredLinear::load(attention.pp("out_proj"), width, width, true)?,
                    heads,
                    scale: 1.0 / head_width as f32,
                },
                norm: norm(vb.pp("final_layer_norm"), width)?,
                feed_forward: FeedForward::Gelu {
                    up: StoredLinear::load(vb.pp("fc1"), width, EXPANSION * width, true)?,
                    down: StoredLinear::load(vb.pp("fc2"), EXPANSION * width, width, true)?,
                },
                residual_scale: 1.0,
            })
        })?;
        let singles = vb.to_dtype(DType::F32);
        // The published checkpoint keeps the frequencies with each layer's attention.
        let stored = ["rotary.inv_freq", "encoder.0.self_attn.rot_emb.inv_freq"];
        let frequencies = match stored.into_iter().find(|name| singles.contains_tensor(name)) {
            Some(name) => singles.get(head_width / 2, name)?.to_vec1::<f32>()?,
            None => frequencies(head_width),
        };
        Ok(Self {
            width,
            sequence_embedding: vb.get((SEQUENCE_TOKENS, width), "seq_embedding.weight")?,
            backbone_embedding: vb.get((STRUCTURE_TOKENS, width), "bb_embedding.weight")?,
            full_atom_embedding: vb.get((STRUCTURE_TOKENS, width), "fa_embedding.weight")?,
            fuse: StoredLinear::load(vb.pp("fuse_layer.0"), 3 * width, width, true)?,
            fuse_norm: norm(vb.pp("fuse_layer.1"), width)?,
            chain: vb.get((CHAINS, width), "chain_embedding.weight")?.narrow(0, 0, 1)?.to_dtype(DType::F32)?,
            stack,
            norm: norm(vb.pp("encoder_norm_after"), width)?,
            frequencies,
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

    /// Width of the result.
    #[must_use]
    pub fn width(&self) -> usize {
        self.width
    }

    /// Encodes packed sequences: [B, L, width]. `on_layer` hears of each layer and may stop the work by an error.
    ///
    /// # Errors
    /// When a token is beyond its alphabet or a block cannot be read or computed, or `on_layer` says so.
    pub fn forward(
        &self,
        sequences: &Sequences,
        tokens: &StructureTokens,
        on_layer: &mut dyn FnMut(usize) -> Result<()>,
    ) -> Result<Tensor> {
        let embeddings = [
            embed(&self.sequence_embedding, &sequences.token_ids)?,
            embed(&self.backbone_embedding, &tokens.backbone)?,
            embed(&self.full_atom_embedding, &tokens.full_atom)?,
        ];
        let x = self.fuse.forward(&Tensor::cat(&embeddings, 1)?)?;
        let x = self.fuse_norm.forward(&x)?.broadcast_add(&self.chain)?;
        let mut run = Run::new(sequences, &self.frequencies, Rounding::Bf16, &self.device, self.composed)?;
        let hidden = Hidden::from_rows(x, &self.device, self.composed)?;
        let hidden = self.stack.run(hidden, &mut run, false, &mut |layer| on_layer(layer.index))?;
        hidden.normalized(&self.norm)?.tensor(sequences.batch, sequences.length)
    }
}
