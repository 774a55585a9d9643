//! The score model (K-Fold 1.0.0, modules/score_model.py and layers/folding/diffusion.py; AlphaFold 3, algorithms 20 to 22):
//! from noisy positions and the endpoint's, at a time, to the update of the positions.
//!
//! A trajectory asks it a hundred times about the same complex. [`ScoreModel::prepare`] does what depends on the trunk alone:
//! pair conditioning, pair biases of all token blocks, atom embeddings, and the conditions and biases of the atom
//! transformers. Pairs are conditioned a few rows at a time, so that beside the trunk's pair state only the biases are as
//! large as it. [`ScoreModel::step`] does the rest for all samples at once.

use candle_core::Tensor;
use candle_nn::VarBuilder;

use crate::kfold::config::ScoreModelConfig;
use crate::kfold::input::{FoldingInput, TokenTensors};
use crate::kfold::layers::atom_transformer::{
    AtomAttentionDecoder, AtomAttentionEncoder, AtomChannels, AtomEmbedder, AtomEmbedding, AtomTokens,
};
use crate::kfold::layers::diffusion_transformer::{GlobalTransformer, LocalCondition};
use crate::kfold::layers::embeddings::{FourierEmbedding, RelativePositionEncoding};
use crate::kfold::layers::projection::Projection;
use crate::kfold::layers::windows::AtomWindows;
use crate::kfold::primitives::{LayerNorm, LayerNormParts, Linear, Transition};
use crate::kfold::{KFoldError, Result};

/// Channels of the embedding of time.
const FOURIER: usize = 256;
/// Pairs that are conditioned at a time.
const PAIRS: usize = 1 << 13;

fn scaled_norm(vb: VarBuilder<'_>, name: &str, width: usize) -> Result<LayerNorm> {
    LayerNorm::load(vb.pp(name), width, LayerNorm::EPS, LayerNormParts::WEIGHT)
}

fn transitions(vb: &VarBuilder<'_>, channel: usize) -> Result<[Transition; 2]> {
    let load = |index: usize| Transition::load(vb.pp("transitions").pp(index), channel, 2);
    Ok([load(0)?, load(1)?])
}

/// Conditions the trunk's pair state on relative positions.
#[derive(Clone, Debug)]
struct PairConditioning {
    layernorm: LayerNorm,
    linear: Linear,
    transitions: [Transition; 2],
}

impl PairConditioning {
    fn load(vb: VarBuilder<'_>, channel: usize) -> Result<Self> {
        let width = channel + RelativePositionEncoding::KFOLD.dimension();
        Ok(Self {
            layernorm: scaled_norm(vb.clone(), "layernorm", width)?,
            linear: Linear::load(vb.pp("linear"), width, channel, false)?,
            transitions: transitions(&vb, channel)?,
        })
    }

    /// Rows `first`.. of the pair state `z` [1, L, L, c_z]: [1, count, L, c_z].
    fn rows(&self, token: &TokenTensors, z: &Tensor, first: usize, count: usize) -> Result<Tensor> {
        let relative = RelativePositionEncoding::KFOLD.rows(token, first, count)?.unsqueeze(0)?;
        let z = Tensor::cat(&[&z.narrow(1, first, count)?, &relative], 3)?;
        let mut z = self.linear.forward(&self.layernorm.forward(&z)?)?;
        for transition in &self.transitions {
            z = transition.add_to(&z)?;
        }
        Ok(z)
    }
}

/// Conditions the tokens' single features on time.
#[derive(Clone, Debug)]
struct SingleConditioning {
    fourier_embed: FourierEmbedding,
    layernorm_fourier: LayerNorm,
    linear_fourier: Linear,
    linear: Linear,
    transitions: [Transition; 2],
}

impl SingleConditioning {
    fn load(vb: VarBuilder<'_>, channel: usize) -> Result<Self> {
        Ok(Self {
            fourier_embed: FourierEmbedding::new(FOURIER, vb.device())?,
            layernorm_fourier: scaled_norm(vb.clone(), "layernorm_fourier", FOURIER)?,
            linear_fourier: Linear::load(vb.pp("linear_fourier"), FOURIER, channel, false)?,
            linear: Linear::load(vb.pp("linear"), channel, channel, false)?,
            transitions: transitions(&vb, channel)?,
        })
    }

    /// From the projected features `s` [1, L, c_s] at the noise level `c_noise`: [1, 1, L, c_s].
    fn forward(&self, s: &Tensor, c_noise: f32) -> Result<Tensor> {
        let time = Tensor::from_slice(&[c_noise], (1, 1), s.device())?;
        let time = self.layernorm_fourier.forward(&self.fourier_embed.forward(&time)?)?;
        let time = self.linear_fourier.forward(&time)?.unsqueeze(2)?;
        let mut s = s.unsqueeze(1)?.broadcast_add(&time)?;
        for transition in &self.transitions {
            s = transition.add_to(&s)?;
        }
        Ok(s)
    }
}

/// The second encoder, of the endpoint's positions, and what joins both.
#[derive(Clone, Debug)]
struct EndpointEncoder {
    encoder: AtomAttentionEncoder,
    layernorm_a_t: LayerNorm,
    layernorm_a_endpoint: LayerNorm,
    endpoint_fusion: Projection,
}

/// The module.
#[derive(Clone, Debug)]
pub struct ScoreModel {
    config: ScoreModelConfig,
    pair_conditioning: PairConditioning,
    single_conditioning: SingleConditioning,
    atom_embedder: AtomEmbedder,
    encoder: AtomAttentionEncoder,
    endpoint: Option<EndpointEncoder>,
    layernorm_s: LayerNorm,
    linear_s_to_a: Projection,
    layernorm_z: LayerNorm,
    linear_z_to_bias: Linear,
    token_transformer: GlobalTransformer,
    layernorm_a: LayerNorm,
    decoder: AtomAttentionDecoder,
}

/// What stays along a trajectory.
#[derive(Clone, Debug)]
pub struct Trajectory {
    windows: AtomWindows,
    tokens: AtomTokens,
    atom_mask: Tensor,
    token_mask: Tensor,
    /// Atoms before the positions [1, N, channel_atom].
    atoms: Tensor,
    encoder: LocalCondition,
    endpoint: Option<LocalCondition>,
    decoder: LocalCondition,
    /// Biases of the token transformer [blocks, 1, H, L, L].
    bias: Tensor,
    /// Projected single features [1, L, c_s].
    s: Tensor,
}

/// The parts of a [`Trajectory`] that come from pairs.
#[derive(Clone, Debug)]
pub struct PairParts {
    /// Biases of the token transformer [blocks, 1, H, L, L].
    pub bias: Tensor,
    /// Pairs of tokens as the atoms take them [L, L, channel_atompair].
    pub atom_pairs: Tensor,
}

impl ScoreModel {
    /// Loads everything under `diffusion_stack`.
    ///
    /// # Errors
    /// When a tensor is missing or misshapen, or the configuration asks for an endpoint encoder without its coordinates.
    pub fn load(vb: VarBuilder<'_>, config: &ScoreModelConfig) -> Result<Self> {
        let vb = vb.pp("diffusion_stack");
        let ScoreModelConfig { channel_a, channel_s, channel_z, channel_atom, channel_atompair, .. } = *config;
        if config.separate_endpoint_atom_encoder && config.channel_coords != 6 {
            return Err(KFoldError::Config(format!(
                "score_model.channel_coords is {}; an endpoint encoder needs 6, the state's and the endpoint's",
                config.channel_coords
            )));
        }
        let coords = if config.separate_endpoint_atom_encoder { 3 } else { config.channel_coords };
        let encoder_channels = AtomChannels {
            atom: channel_atom,
            pair: channel_atompair,
            token: channel_a,
            blocks: config.atom_encoder_blocks,
            heads: config.atom_encoder_heads,
        };
        let decoder_channels =
            AtomChannels { blocks: config.atom_decoder_blocks, heads: config.atom_decoder_heads, ..encoder_channels };
        let encoder = |name: &str| AtomAttentionEncoder::load(vb.pp(name), encoder_channels, Some(coords));
        let norm = |name: &str, width: usize| scaled_norm(vb.clone(), name, width);
        let endpoint = if config.separate_endpoint_atom_encoder {
            Some(EndpointEncoder {
                encoder: encoder("endpoint_atom_attention_encoder")?,
                layernorm_a_t: norm("layernorm_a_t", channel_a)?,
                layernorm_a_endpoint: norm("layernorm_a_endpoint", channel_a)?,
                endpoint_fusion: Projection::load(vb.pp("endpoint_fusion"), 2 * channel_a, channel_a, false)?,
            })
        } else {
            None
        };
        let (blocks, heads) = (config.token_transformer_blocks, config.token_transformer_heads);
        Ok(Self {
            config: config.clone(),
            pair_conditioning: PairConditioning::load(vb.pp("pair_conditioning"), channel_z)?,
            single_conditioning: SingleConditioning::load(vb.pp("single_conditioning"), channel_s)?,
            atom_embedder: AtomEmbedder::load(vb.pp("atom_embedder"), Some(channel_z), channel_atom, channel_atompair)?,
            encoder: encoder("atom_attention_encoder")?,
            endpoint,
            layernorm_s: norm("layernorm_s", channel_s)?,
            linear_s_to_a: Projection::load(vb.pp("linear_s_to_a"), channel_s, channel_a, false)?,
            layernorm_z: norm("layernorm_z", channel_z)?,
            linear_z_to_bias: Linear::load(vb.pp("linear_z_to_bias"), channel_z, blocks * heads, false)?,
            token_transformer: GlobalTransformer::load(
                vb.pp("token_transformer"),
                channel_a,
                channel_s,
                heads,
                blocks,
            )?,
            layernorm_a: norm("layernorm_a", channel_a)?,
            decoder: AtomAttentionDecoder::load(vb.pp("atom_attention_decoder"), decoder_channels)?,
        })
    }

    /// What the trunk's pair state `z` [1, L, L, c_z] gives the transformers.
    ///
    /// # Errors
    /// When the shapes do not fit.
    pub fn pair_parts(&self, input: &FoldingInput, z: &Tensor) -> Result<PairParts> {
        let tokens = input.num_tokens();
        let (blocks, heads) = (self.config.token_transformer_blocks, self.config.token_transformer_heads);
        let bias = Tensor::zeros((blocks * heads, tokens, tokens), z.dtype(), z.device())?;
        let mut atom_pairs = Vec::new();
        let rows = (PAIRS / tokens.max(1)).max(1);
        for first in (0..tokens).step_by(rows) {
            let count = rows.min(tokens - first);
            let z = self.pair_conditioning.rows(&input.token, z, first, count)?.squeeze(0)?;
            let of_rows = self.linear_z_to_bias.forward(&self.layernorm_z.forward(&z)?)?;
            bias.slice_set(&of_rows.permute((2, 0, 1))?.contiguous()?, 1, first)?;
            atom_pairs.push(self.atom_embedder.project_pairs(&z)?);
        }
        let bias = bias.reshape((blocks, 1, heads, tokens, tokens))?;
        Ok(PairParts { bias, atom_pairs: Tensor::cat(&atom_pairs, 0)? })
    }

    /// The conditioned pair state as a whole [1, L, L, c_z]; [`Self::prepare`] never holds it.
    ///
    /// # Errors
    /// When the shapes do not fit.
    pub fn pair_conditioning(&self, input: &FoldingInput, z: &Tensor) -> Result<Tensor> {
        self.pair_conditioning.rows(&input.token, z, 0, input.num_tokens())
    }

    /// The single features `s_inputs` [1, L, c_s] at the noise level `c_noise`: [1, 1, L, c_s].
    ///
    /// # Errors
    /// When the shapes do not fit.
    pub fn single_conditioning(&self, s_inputs: &Tensor, c_noise: f32) -> Result<Tensor> {
        self.single_conditioning.forward(&self.single_conditioning.linear.forward(s_inputs)?, c_noise)
    }

    /// The atoms before any positions; `atom_pairs` is that of [`Self::pair_parts`].
    ///
    /// # Errors
    /// When the shapes do not fit.
    pub fn embed_atoms(
        &self,
        input: &FoldingInput,
        windows: &AtomWindows,
        atom_pairs: &Tensor,
    ) -> Result<AtomEmbedding> {
        self.atom_embedder.forward(input, windows, Some(atom_pairs))
    }

    /// Everything that stays along a trajectory, from the trunk's `s_inputs` [1, L, c_s] and `z` [1, L, L, c_z].
    ///
    /// # Errors
    /// When the shapes do not fit.
    pub fn prepare(&self, input: &FoldingInput, s_inputs: &Tensor, z: &Tensor) -> Result<Trajectory> {
        let PairParts { bias, atom_pairs } = self.pair_parts(input, z)?;
        let windows = AtomWindows::new(&input.atom.pad_mask)?;
        let atoms = self.embed_atoms(input, &windows, &atom_pairs)?;
        drop(atom_pairs);
        Ok(Trajectory {
            tokens: AtomTokens::new(input)?,
            atom_mask: input.atom.pad_mask.to_dtype(z.dtype())?.unsqueeze(1)?,
            token_mask: input.token.pad_mask.unsqueeze(0)?,
            encoder: self.encoder.condition(&atoms)?,
            endpoint: self.endpoint.as_ref().map(|endpoint| endpoint.encoder.condition(&atoms)).transpose()?,
            decoder: self.decoder.condition(&atoms)?,
            atoms: atoms.single,
            windows,
            bias,
            s: self.single_conditioning.linear.forward(s_inputs)?,
        })
    }

    /// The scaled update [samples, N, 3] of the positions in `r` [samples, N, coords] at the noise level `c_noise`. Padded
    /// atoms get zeros.
    ///
    /// # Errors
    /// When the shapes do not fit.
    pub fn step(&self, trajectory: &Trajectory, r: &Tensor, c_noise: f32) -> Result<Tensor> {
        let Trajectory { windows, tokens, atoms, .. } = trajectory;
        let r = r.broadcast_mul(&trajectory.atom_mask)?;
        let s = self.single_conditioning.forward(&trajectory.s, c_noise)?;
        let (a, q) = match (&self.endpoint, &trajectory.endpoint) {
            (Some(endpoint), Some(condition)) => {
                let state = r.narrow(2, 0, 3)?.contiguous()?;
                let end = r.narrow(2, 3, 3)?.contiguous()?;
                let (a, q) = self.encoder.forward(atoms, &state, &trajectory.encoder, windows, tokens)?;
                let (a_end, _) = endpoint.encoder.forward(atoms, &end, condition, windows, tokens)?;
                let both = [endpoint.layernorm_a_t.forward(&a)?, endpoint.layernorm_a_endpoint.forward(&a_end)?];
                (endpoint.endpoint_fusion.forward(&Tensor::cat(&both, 2)?)?, q)
            }
            _ => self.encoder.forward(atoms, &r, &trajectory.encoder, windows, tokens)?,
        };
        let of_s = self.linear_s_to_a.forward(&self.layernorm_s.forward(&s)?)?;
        let a = a.unsqueeze(0)?.broadcast_add(&of_s)?;
        let a = self.token_transformer.forward(&a, &s, &trajectory.bias, &trajectory.token_mask)?;
        let a = self.layernorm_a.forward(&a)?.squeeze(0)?;
        let update = self.decoder.forward(&a, &q, &trajectory.decoder, windows, tokens)?;
        Ok(update.broadcast_mul(&trajectory.atom_mask)?)
    }
}
