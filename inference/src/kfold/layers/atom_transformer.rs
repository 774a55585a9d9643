//! Embedding, encoding and decoding of atoms (K-Fold 1.0.0, layers/folding/atom_transformer.py; AlphaFold 3, algorithms 5
//! and 6).
//!
//! Atoms carry a single state q [1, N, channel_atom], its condition c (the same at the start) and pairs p within windows
//! [windows, 32, 128, channel_atompair]. Tokens are the means of their atoms.

use candle_core::{D, DType, Tensor};
use candle_nn::VarBuilder;

use super::diffusion_transformer::{LocalCondition, LocalTransformer};
use super::projection::Projection;
use super::windows::AtomWindows;
use crate::kfold::Result;
use crate::kfold::input::{ATOM_NAME_CLASSES, ELEMENT_CLASSES, FoldingInput, one_hot};
use crate::kfold::primitives::activation::relu;
use crate::kfold::primitives::{LayerNorm, LayerNormParts, Linear, exact};

/// Between atoms and their tokens.
#[derive(Clone, Debug)]
pub struct AtomTokens {
    /// Token of each atom; one past the last for padding [N].
    pooled: Tensor,
    /// Token of each atom [N].
    index: Tensor,
    /// 1 / atoms of each token [L, 1].
    weight: Tensor,
    tokens: usize,
}

impl AtomTokens {
    /// From the atoms' tokens in `input`.
    ///
    /// # Errors
    /// When the tensor operations fail.
    pub fn new(input: &FoldingInput) -> Result<Self> {
        let tokens = input.num_tokens();
        let device = input.device();
        let index = input.atom.token_index.clamp(0i64, tokens.saturating_sub(1) as i64)?;
        let outside = Tensor::full(tokens as i64, index.dims(), device)?;
        let pooled = input.atom.pad_mask.where_cond(&index, &outside)?;
        let mut counts = vec![0.0_f32; tokens + 1];
        for token in pooled.to_vec1::<i64>()? {
            counts[token as usize] += 1.0;
        }
        let weight = counts[..tokens].iter().map(|count| 1.0 / count.max(1.0)).collect::<Vec<_>>();
        Ok(Self { pooled, index, weight: Tensor::from_vec(weight, (tokens, 1), device)?, tokens })
    }

    /// Mean over the atoms of each token: [samples, N, C] gives [samples, L, C]; zero for a token without atoms.
    ///
    /// # Errors
    /// When the shapes do not fit.
    pub fn pool(&self, x: &Tensor) -> Result<Tensor> {
        let (samples, _, channel) = x.dims3()?;
        let sums = Tensor::zeros((samples, self.tokens + 1, channel), x.dtype(), x.device())?;
        let sums = sums.index_add(&self.pooled, x, 1)?.narrow(1, 0, self.tokens)?;
        Ok(sums.broadcast_mul(&self.weight)?)
    }

    /// Each atom gets its token's row: [samples, L, C] gives [samples, N, C].
    ///
    /// # Errors
    /// When the shapes do not fit.
    pub fn spread(&self, x: &Tensor) -> Result<Tensor> {
        Ok(x.contiguous()?.index_select(&self.index, 1)?)
    }
}

/// The atoms at the start.
#[derive(Clone, Debug)]
pub struct AtomEmbedding {
    /// Single state, and condition, of the atoms [1, N, channel_atom].
    pub single: Tensor,
    /// Pairs within windows [windows, 32, 128, channel_atompair].
    pub pair: Tensor,
}

/// Embeds atoms and their pairs from the reference conformers and, in the score model, from the tokens' pair state.
#[derive(Clone, Debug)]
pub struct AtomEmbedder {
    position: Linear,
    charge: Linear,
    mask: Linear,
    element: Linear,
    name: Linear,
    offset: Linear,
    inverse_distance: Linear,
    same_conformer: Linear,
    linear_z_to_p: Option<(LayerNorm, Linear)>,
    linear_key: Linear,
    linear_query: Linear,
    mlp_pair: [Linear; 3],
}

impl AtomEmbedder {
    /// Loads `embed_atom_*`, `embed_ref_*`, `linear_key.1`, `linear_query.1`, `mlp_pair.{1,3,5}` and, with a pair state of
    /// width `channel_z`, `linear_z_to_p.{0,1}`.
    ///
    /// # Errors
    /// When a tensor is missing or misshapen.
    pub fn load(
        vb: VarBuilder<'_>,
        channel_z: Option<usize>,
        channel_atom: usize,
        channel_atompair: usize,
    ) -> Result<Self> {
        let atom = |name: &str, width: usize| Linear::load(vb.pp(name), width, channel_atom, false);
        // What takes coordinates, and what the pair state gives, is exact in the reference too.
        let precise = vb.to_dtype(exact(vb.dtype()));
        let pair = |name: &str, width: usize| Linear::load(vb.pp(name), width, channel_atompair, false);
        let linear_z_to_p = match channel_z {
            Some(channel_z) => Some((
                LayerNorm::load(vb.pp("linear_z_to_p.0"), channel_z, LayerNorm::EPS, LayerNormParts::WEIGHT)?,
                Linear::load(precise.pp("linear_z_to_p.1"), channel_z, channel_atompair, false)?,
            )),
            None => None,
        };
        Ok(Self {
            position: Linear::load(precise.pp("embed_atom_pos"), 3, channel_atom, false)?,
            charge: atom("embed_atom_charge", 1)?,
            mask: atom("embed_atom_mask", 1)?,
            element: atom("embed_atom_element", ELEMENT_CLASSES)?,
            name: atom("embed_atom_name_chars", 4 * ATOM_NAME_CLASSES)?,
            offset: Linear::load(precise.pp("embed_ref_offset"), 3, channel_atompair, false)?,
            inverse_distance: pair("embed_ref_inv_dist", 1)?,
            same_conformer: pair("embed_ref_mask", 1)?,
            linear_z_to_p,
            linear_key: pair("linear_key.1", channel_atom)?,
            linear_query: pair("linear_query.1", channel_atom)?,
            mlp_pair: [
                pair("mlp_pair.1", channel_atompair)?,
                pair("mlp_pair.3", channel_atompair)?,
                pair("mlp_pair.5", channel_atompair)?,
            ],
        })
    }

    /// The tokens' pair state [.., channel_z] as the atoms' pairs take it [.., channel_atompair]; for
    /// [`Self::forward`].
    ///
    /// # Errors
    /// When the embedder was loaded without a pair state.
    pub fn project_pairs(&self, z: &Tensor) -> Result<Tensor> {
        match &self.linear_z_to_p {
            Some((norm, linear)) => linear.forward(&norm.forward(z)?),
            None => Err(candle_core::Error::Msg("this atom embedder knows no pair state".to_owned()).into()),
        }
    }

    /// The atoms at the start. `token_pairs` [L, L, channel_atompair] comes from [`Self::project_pairs`].
    ///
    /// # Errors
    /// When the tensor operations fail.
    pub fn forward(
        &self,
        input: &FoldingInput,
        windows: &AtomWindows,
        token_pairs: Option<&Tensor>,
    ) -> Result<AtomEmbedding> {
        let single = self.embed_atoms(input)?;
        let mut pair = self.embed_pairs(input, windows)?;
        if let Some(token_pairs) = token_pairs {
            pair = (pair + spread_pairs(token_pairs, input, windows)?)?;
        }
        let active = relu(&single)?;
        let query = self.linear_query.forward(&windows.queries(&active, 0)?)?.unsqueeze(2)?;
        let key = self.linear_key.forward(&windows.keys(&active, 0)?)?.unsqueeze(1)?;
        let pair = pair.broadcast_add(&query)?.broadcast_add(&key)?;
        let mut update = pair.clone();
        for linear in &self.mlp_pair {
            update = linear.forward(&relu(&update)?)?;
        }
        Ok(AtomEmbedding { single: single.unsqueeze(0)?, pair: (pair + update)? })
    }

    /// [N, channel_atom].
    fn embed_atoms(&self, input: &FoldingInput) -> Result<Tensor> {
        let atom = &input.atom;
        let name = one_hot(&atom.ref_atom_name_chars, ATOM_NAME_CLASSES)?.flatten_from(1)?;
        let embedded = self.position.forward(&atom.ref_pos)?;
        let embedded = (embedded + self.charge.forward(&atom.ref_charge.unsqueeze(1)?)?)?;
        let embedded = (embedded + self.mask.forward(&atom.pad_mask.to_dtype(DType::F32)?.unsqueeze(1)?)?)?;
        let embedded = (embedded + self.element.forward(&one_hot(&atom.ref_element, ELEMENT_CLASSES)?)?)?;
        Ok((embedded + self.name.forward(&name)?)?)
    }

    /// Geometry of the pairs that share a reference conformer [windows, 32, 128, channel_atompair]; others are zero.
    fn embed_pairs(&self, input: &FoldingInput, windows: &AtomWindows) -> Result<Tensor> {
        let conformer = &input.atom.ref_space_uid;
        let same =
            windows.queries(conformer, 0)?.unsqueeze(2)?.broadcast_eq(&windows.keys(conformer, 0)?.unsqueeze(1)?)?;
        let same = same.to_dtype(DType::F32)?.unsqueeze(3)?;
        let position = &input.atom.ref_pos;
        let offset =
            windows.queries(position, 0)?.unsqueeze(2)?.broadcast_sub(&windows.keys(position, 0)?.unsqueeze(1)?)?;
        let inverse_distance = (offset.sqr()?.sum_keepdim(D::Minus1)? + 1.0)?.recip()?;
        let pair = self.offset.forward(&offset)?;
        let pair = (pair + self.inverse_distance.forward(&inverse_distance)?)?;
        let pair = (pair + self.same_conformer.forward(&same)?)?;
        Ok(pair.broadcast_mul(&same)?)
    }
}

/// The pairs of tokens [L, L, C] as pairs of their atoms [windows, 32, 128, C]. Keys beyond either end take token 0.
fn spread_pairs(pairs: &Tensor, input: &FoldingInput, windows: &AtomWindows) -> Result<Tensor> {
    let (tokens, _, channel) = pairs.dims3()?;
    let index = input.atom.token_index.clamp(0i64, tokens.saturating_sub(1) as i64)?;
    let scale = Tensor::full(tokens as i64, index.dims(), index.device())?;
    let rows = windows.queries(&(&index * scale)?, 0)?.unsqueeze(2)?;
    let flat = rows.broadcast_add(&windows.keys(&index, 0)?.unsqueeze(1)?)?;
    let mut dims = flat.dims().to_vec();
    dims.push(channel);
    let pairs = pairs.contiguous()?.reshape((tokens * tokens, channel))?;
    Ok(pairs.index_select(&flat.flatten_all()?, 0)?.reshape(dims)?)
}

/// Atoms to tokens.
#[derive(Clone, Debug)]
pub struct AtomAttentionEncoder {
    linear_r_to_q: Option<Projection>,
    transformer: LocalTransformer,
    linear_q_to_a: Projection,
}

/// Widths of an atom encoder or decoder.
#[derive(Clone, Copy, Debug)]
pub struct AtomChannels {
    /// Of atoms.
    pub atom: usize,
    /// Of atom pairs.
    pub pair: usize,
    /// Of tokens.
    pub token: usize,
    /// Blocks.
    pub blocks: usize,
    /// Heads.
    pub heads: usize,
}

impl AtomAttentionEncoder {
    /// Loads `transformer`, `linear_q_to_a` and, where positions of `coords` numbers are given, `linear_r_to_q`.
    ///
    /// # Errors
    /// When a tensor is missing or misshapen.
    pub fn load(vb: VarBuilder<'_>, channels: AtomChannels, coords: Option<usize>) -> Result<Self> {
        let AtomChannels { atom, pair, token, blocks, heads } = channels;
        let linear_r_to_q =
            coords.map(|coords| Projection::load(vb.pp("linear_r_to_q"), coords, atom, false)).transpose()?;
        Ok(Self {
            linear_r_to_q,
            transformer: LocalTransformer::load(vb.pp("transformer"), atom, atom, pair, heads, blocks)?,
            linear_q_to_a: Projection::load(vb.pp("linear_q_to_a"), atom, token, false)?,
        })
    }

    /// What the atoms' condition and pairs do: the part that does not depend on positions.
    ///
    /// # Errors
    /// When the shapes do not fit.
    pub fn condition(&self, atoms: &AtomEmbedding) -> Result<LocalCondition> {
        self.transformer.condition(&atoms.single, &atoms.pair)
    }

    /// Tokens [samples, L, token] and atoms [samples, N, atom] from the atoms `q` [1, N, atom] and positions `r`
    /// [samples, N, coords].
    ///
    /// # Errors
    /// When the shapes do not fit or the encoder takes no positions.
    pub fn forward(
        &self,
        q: &Tensor,
        r: &Tensor,
        condition: &LocalCondition,
        windows: &AtomWindows,
        tokens: &AtomTokens,
    ) -> Result<(Tensor, Tensor)> {
        let Some(linear) = &self.linear_r_to_q else {
            return Err(candle_core::Error::Msg("this atom encoder takes no positions".to_owned()).into());
        };
        let q = self.transformer.forward(&linear.forward(r)?.broadcast_add(q)?, condition, windows)?;
        Ok((self.pool(&q, tokens)?, q))
    }

    /// Tokens [1, L, token] from atoms without positions.
    ///
    /// # Errors
    /// When the shapes do not fit.
    pub fn forward_without_positions(
        &self,
        atoms: &AtomEmbedding,
        windows: &AtomWindows,
        tokens: &AtomTokens,
    ) -> Result<Tensor> {
        self.pool(&self.transformer.forward_on_itself(&atoms.single, &atoms.pair, windows)?, tokens)
    }

    /// One sample at a time: atoms as wide as tokens are the largest thing in a step.
    fn pool(&self, q: &Tensor, tokens: &AtomTokens) -> Result<Tensor> {
        let samples = (0..q.dim(0)?).map(|sample| tokens.pool(&self.linear_q_to_a.relu(&q.narrow(0, sample, 1)?)?));
        Ok(Tensor::cat(&samples.collect::<Result<Vec<_>>>()?, 0)?)
    }
}

/// Tokens to updates of atom positions.
#[derive(Clone, Debug)]
pub struct AtomAttentionDecoder {
    linear_a_to_q: Projection,
    transformer: LocalTransformer,
    layernorm_q: LayerNorm,
    linear_q_to_r: Linear,
}

impl AtomAttentionDecoder {
    /// Loads `linear_a_to_q`, `transformer`, `layernorm_q` and `linear_q_to_r`.
    ///
    /// # Errors
    /// When a tensor is missing or misshapen.
    pub fn load(vb: VarBuilder<'_>, channels: AtomChannels) -> Result<Self> {
        let AtomChannels { atom, pair, token, blocks, heads } = channels;
        Ok(Self {
            linear_a_to_q: Projection::load(vb.pp("linear_a_to_q"), token, atom, false)?,
            transformer: LocalTransformer::load(vb.pp("transformer"), atom, atom, pair, heads, blocks)?,
            layernorm_q: LayerNorm::load(vb.pp("layernorm_q"), atom, LayerNorm::EPS, LayerNormParts::WEIGHT)?,
            linear_q_to_r: Linear::load(vb.pp("linear_q_to_r"), atom, 3, false)?,
        })
    }

    /// What the atoms' condition and pairs do.
    ///
    /// # Errors
    /// When the shapes do not fit.
    pub fn condition(&self, atoms: &AtomEmbedding) -> Result<LocalCondition> {
        self.transformer.condition(&atoms.single, &atoms.pair)
    }

    /// Updates [samples, N, 3] from the tokens `a` [samples, L, token] and the encoder's atoms `q` [samples, N, atom].
    ///
    /// # Errors
    /// When the shapes do not fit.
    pub fn forward(
        &self,
        a: &Tensor,
        q: &Tensor,
        condition: &LocalCondition,
        windows: &AtomWindows,
        tokens: &AtomTokens,
    ) -> Result<Tensor> {
        let q = (tokens.spread(&self.linear_a_to_q.forward(a)?)? + q)?;
        let q = self.transformer.forward(&q, condition, windows)?;
        self.linear_q_to_r.forward(&self.layernorm_q.forward(&q)?)
    }
}
