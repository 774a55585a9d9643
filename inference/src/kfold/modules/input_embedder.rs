//! The input embedder (K-Fold 1.0.0, modules/input_embedder.py and layers/folding/input_encoder.py; AlphaFold 3, algorithms
//! 1 and 2): single and pair features of the tokens before anything is learned of sequences or structures.
//!
//! Unusual: an extra projection brings the tokens' features back to the single width; the atoms' state is its own condition
//! and changes under way ([`LocalTransformer::forward_on_itself`]); of bonds, only whether two tokens are bonded enters, and
//! the entry (0, 0) is cleared because padding points there.
//!
//! [`LocalTransformer::forward_on_itself`]: crate::kfold::layers::diffusion_transformer::LocalTransformer::forward_on_itself

use candle_core::{DType, Tensor};
use candle_nn::VarBuilder;

use crate::kfold::Result;
use crate::kfold::config::InputEmbedderConfig;
use crate::kfold::input::{FoldingInput, RES_TYPE_CLASSES, one_hot};
use crate::kfold::layers::atom_transformer::{
    AtomAttentionEncoder, AtomChannels, AtomEmbedder, AtomEmbedding, AtomTokens,
};
use crate::kfold::layers::embeddings::RelativePositionEncoding;
use crate::kfold::layers::windows::AtomWindows;
use crate::kfold::primitives::Linear;

/// Single features of the tokens from their atoms and residue types.
#[derive(Clone, Debug)]
struct InputFeatureEmbedder {
    embedder: AtomEmbedder,
    encoder: AtomAttentionEncoder,
    proj_s: Linear,
}

/// The module.
#[derive(Clone, Debug)]
pub struct InputEmbedder {
    input_embedder: InputFeatureEmbedder,
    linear_z_inputs1: Linear,
    linear_z_inputs2: Linear,
    linear_rel_pos: Linear,
    linear_bond: Linear,
}

impl InputEmbedder {
    /// Loads `input_embedder`, `linear_z_inputs1`, `linear_z_inputs2`, `linear_rel_pos` and `linear_bond`.
    ///
    /// # Errors
    /// When a tensor is missing or misshapen.
    pub fn load(vb: VarBuilder<'_>, config: &InputEmbedderConfig) -> Result<Self> {
        let features = vb.pp("input_embedder");
        let channels = AtomChannels {
            atom: config.channel_atom,
            pair: config.channel_atompair,
            token: config.channel_s,
            blocks: config.atom_encoder_blocks,
            heads: config.atom_encoder_heads,
        };
        let pair = |name: &str, width: usize| Linear::load(vb.pp(name), width, config.channel_z, false);
        Ok(Self {
            input_embedder: InputFeatureEmbedder {
                embedder: AtomEmbedder::load(
                    features.pp("embedder"),
                    None,
                    config.channel_atom,
                    config.channel_atompair,
                )?,
                encoder: AtomAttentionEncoder::load(features.pp("encoder"), channels, None)?,
                proj_s: Linear::load(
                    features.pp("proj_s"),
                    config.channel_s + RES_TYPE_CLASSES,
                    config.channel_s,
                    false,
                )?,
            },
            linear_z_inputs1: pair("linear_z_inputs1", config.channel_s)?,
            linear_z_inputs2: pair("linear_z_inputs2", config.channel_s)?,
            linear_rel_pos: pair("linear_rel_pos", RelativePositionEncoding::KFOLD.dimension())?,
            linear_bond: pair("linear_bond", 1)?,
        })
    }

    /// Single features [1, L, c_s] and pair features [1, L, L, c_z].
    ///
    /// # Errors
    /// When the tensor operations fail.
    pub fn forward(&self, input: &FoldingInput) -> Result<(Tensor, Tensor)> {
        let windows = AtomWindows::new(&input.atom.pad_mask)?;
        let atoms = self.embed_atoms(input, &windows)?;
        let features = &self.input_embedder;
        let a = features.encoder.forward_without_positions(&atoms, &windows, &AtomTokens::new(input)?)?;
        let res_type = one_hot(&input.token.res_type, RES_TYPE_CLASSES)?.unsqueeze(0)?;
        let s = features.proj_s.forward(&Tensor::cat(&[&a, &res_type], 2)?)?;

        // The first goes along the columns, the second along the rows.
        let (column, row) = (self.linear_z_inputs1.forward(&s)?, self.linear_z_inputs2.forward(&s)?);
        let relative = RelativePositionEncoding::KFOLD.forward(&input.token)?.unsqueeze(0)?;
        let z = self.linear_rel_pos.forward(&relative)?;
        drop(relative);
        let z = z.broadcast_add(&column.unsqueeze(1)?)?.broadcast_add(&row.unsqueeze(2)?)?;
        let bonded = bond_adjacency(input)?.unsqueeze(3)?;
        let z = (z + self.linear_bond.forward(&bonded)?)?;
        Ok((s, z))
    }

    /// The atoms before the encoder.
    ///
    /// # Errors
    /// When the tensor operations fail.
    pub fn embed_atoms(&self, input: &FoldingInput, windows: &AtomWindows) -> Result<AtomEmbedding> {
        self.input_embedder.embedder.forward(input, windows, None)
    }
}

/// 1 where two tokens are bonded [1, L, L].
///
/// # Errors
/// When the tensor operations fail.
pub fn bond_adjacency(input: &FoldingInput) -> Result<Tensor> {
    let tokens = input.num_tokens();
    let pairs = input.bond.token_index.to_vec2::<i64>()?;
    let valid = input.bond.pad_mask.to_vec1::<u8>()?;
    let mut adjacency = vec![0.0_f32; tokens * tokens];
    for (pair, valid) in pairs.iter().zip(valid) {
        if let (true, [Ok(a), Ok(b)]) = (valid != 0, [pair[0], pair[1]].map(usize::try_from)) {
            adjacency[a * tokens + b] = 1.0;
            adjacency[b * tokens + a] = 1.0;
        }
    }
    if let Some(corner) = adjacency.first_mut() {
        *corner = 0.0;
    }
    Ok(Tensor::from_vec(adjacency, (1, tokens, tokens), input.device())?.to_dtype(DType::F32)?)
}
