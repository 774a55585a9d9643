//! Attention among atoms near each other along a chain (AtlasFold 1.0.4, `network/atom_attention.py`, `network/misc.py`,
//! and the atom transformer of `network/diffusion_transformer.py`; AlphaFold 3, algorithms 5 to 7).
//!
//! The atoms of four residues attend to the atoms of these and of the four residues before and after, as far as the
//! residue numbers are at most four apart in the same chain. Residues lie in rows of fourteen atoms, so a window of keys is
//! three neighbouring blocks of the same array: K-Fold's window attention with other sizes. Who may ask whom within a window
//! is part of the bias. Biases and conditioning depend on the sequence alone, so a sampling run makes them once
//! ([`AtomAttention::prepare`]).

use candle_core::{Device, Tensor};
use candle_nn::VarBuilder;

use super::features::Features;
use super::names::{Layer, as_kfold};
use super::normed_linear::NormedLinear;
use super::relative_positions::{ATOM_RELATIVE_POSITIONS, AtomRelativePositions, key_residue};
use super::residues::{ATOM14, RESIDUE_TYPES};
use crate::kfold::Result;
use crate::kfold::layers::attention_pair_bias::{CrossAttentionCondition, CrossAttentionPairBias};
use crate::kfold::layers::conditioned_transition::{ConditionedTransition, TransitionCondition};
use crate::kfold::layers::windows::AtomWindows;
use crate::kfold::primitives::{LayerNormParts, Linear};

/// Residues whose atoms ask.
pub const QUERY_RESIDUES: usize = 4;
/// Residues before and after a window, and the largest distance along the chain.
pub const REACH: usize = 4;
/// Residues whose atoms are asked.
pub const KEY_RESIDUES: usize = QUERY_RESIDUES + 2 * REACH;

/// Hidden width of the transitions, in their own widths.
pub(super) const TRANSITION_EXPANSION: usize = 2;

/// What is added to the logit of an atom that must not be asked.
const MASKED: f32 = -1e9;

/// A stack of atom transformer blocks.
#[derive(Clone, Debug)]
pub struct AtomAttention {
    linear_pair_bias: Linear,
    blocks: Vec<AtomTransformerBlock>,
    num_heads: usize,
}

/// What a stack needs to know of one target.
#[derive(Clone, Debug)]
pub struct PreparedAtoms {
    windows: AtomWindows,
    /// For each block its attention bias `[windows, heads, 4 * 14, 12 * 14]` and what the conditioning does.
    blocks: Vec<(Tensor, BlockCondition)>,
}

impl AtomAttention {
    /// Loads `linear_pair_bais` (so spelled in the checkpoints) and `stack.blocks.N`.
    ///
    /// # Errors
    /// When a tensor is missing or misshapen.
    pub fn load(vb: VarBuilder<'_>, channel: usize, num_heads: usize, num_blocks: usize) -> Result<Self> {
        let blocks = vb.pp("stack").pp("blocks");
        let bias = vb.pp("linear_pair_bais");
        Ok(Self {
            linear_pair_bias: Linear::load(bias, ATOM_RELATIVE_POSITIONS, num_blocks * num_heads, false)?,
            blocks: (0..num_blocks)
                .map(|block| AtomTransformerBlock::load(&blocks.pp(block), channel, num_heads))
                .collect::<Result<_>>()?,
            num_heads,
        })
    }

    /// Prepares for a target whose atoms have the conditioning `[1, L * 14, C]`.
    ///
    /// # Errors
    /// When the device has no memory for it.
    pub fn prepare(
        &self,
        features: &Features,
        positions: &AtomRelativePositions,
        conditioning: &Tensor,
    ) -> Result<PreparedAtoms> {
        let biases = positions.project(features, self.linear_pair_bias.weight())?;
        let mask = window_mask(features, biases.device())?;
        let prepare = |(index, block): (usize, &AtomTransformerBlock)| -> Result<(Tensor, BlockCondition)> {
            // [heads, windows, queries, keys]
            let bias = biases.narrow(0, index * self.num_heads, self.num_heads)?.broadcast_add(&mask)?;
            Ok((bias.transpose(0, 1)?.contiguous()?, block.condition(conditioning)?))
        };
        let exists: Vec<u8> = features.atom14_mask().into_iter().map(u8::from).collect();
        let exists = Tensor::from_slice(&exists, exists.len(), biases.device())?;
        Ok(PreparedAtoms {
            windows: AtomWindows::with_sizes(&exists, QUERY_RESIDUES * ATOM14, KEY_RESIDUES * ATOM14)?,
            blocks: self.blocks.iter().enumerate().map(prepare).collect::<Result<_>>()?,
        })
    }

    /// Runs the blocks on atoms `[N, L * 14, C]`.
    ///
    /// # Errors
    /// When the shapes do not fit.
    pub fn forward(&self, atoms: &Tensor, prepared: &PreparedAtoms) -> Result<Tensor> {
        let mut atoms = atoms.clone();
        for (block, (bias, condition)) in self.blocks.iter().zip(&prepared.blocks) {
            atoms = block.attention.add_to_windows(&atoms, &condition.attention, bias, &prepared.windows)?;
            atoms = block.transition.add_to(&atoms, &condition.transition)?;
        }
        Ok(atoms)
    }
}

/// 0 where a query may ask a key, else [`MASKED`]: `[1, windows, 4 * 14, 12 * 14]`.
fn window_mask(features: &Features, device: &Device) -> Result<Tensor> {
    let length = features.padded_length();
    let windows = length / QUERY_RESIDUES;
    let atom_mask = features.atom14_mask();
    let keys = KEY_RESIDUES * ATOM14;
    let mut mask = vec![MASKED; length * ATOM14 * keys];
    for query in 0..length {
        for key in 0..KEY_RESIDUES {
            let Some(residue) = key_residue(query / QUERY_RESIDUES, key, length) else { continue };
            let near = (features.residue_index[query] - features.residue_index[residue]).unsigned_abs() <= REACH as u64;
            if !near || features.asym_id[query] != features.asym_id[residue] || !features.mask[residue] {
                continue;
            }
            for atom in 0..ATOM14 {
                let row = (query * ATOM14 + atom) * keys + key * ATOM14;
                for (value, exists) in mask[row..row + ATOM14].iter_mut().zip(&atom_mask[residue * ATOM14..]) {
                    if *exists {
                        *value = 0.0;
                    }
                }
            }
        }
    }
    Ok(Tensor::from_vec(mask, (1, windows, QUERY_RESIDUES * ATOM14, keys), device)?)
}

/// What the conditioning does in a block.
#[derive(Clone, Debug)]
struct BlockCondition {
    attention: CrossAttentionCondition,
    transition: TransitionCondition,
}

#[derive(Clone, Debug)]
struct AtomTransformerBlock {
    attention: CrossAttentionPairBias,
    transition: ConditionedTransition,
}

impl AtomTransformerBlock {
    fn load(vb: &VarBuilder<'_>, channel: usize, num_heads: usize) -> Result<Self> {
        let attention = as_kfold(vb.pp("attention"), Layer::PairBiasAttention);
        let transition = as_kfold(vb.pp("transition"), Layer::ConditionedTransition);
        Ok(Self {
            attention: CrossAttentionPairBias::load(attention, channel, num_heads, channel)?,
            transition: ConditionedTransition::load(transition, channel, channel, TRANSITION_EXPANSION)?,
        })
    }

    fn condition(&self, conditioning: &Tensor) -> Result<BlockCondition> {
        Ok(BlockCondition {
            attention: self.attention.condition(conditioning, conditioning)?,
            transition: self.transition.condition(conditioning)?,
        })
    }
}

/// From noisy coordinates to atoms.
#[derive(Clone, Debug)]
pub struct AtomEncoder {
    embedding_atoms: Linear,
    linear_in: Linear,
    pub(super) stack: AtomAttention,
    channel: usize,
}

impl AtomEncoder {
    /// Loads `embedding_atoms`, `linear_in` and `stack`.
    ///
    /// # Errors
    /// When a tensor is missing or misshapen.
    pub fn load(vb: VarBuilder<'_>, channel: usize, num_heads: usize, num_blocks: usize) -> Result<Self> {
        Ok(Self {
            embedding_atoms: Linear::load(vb.pp("embedding_atoms"), RESIDUE_TYPES, ATOM14 * channel, false)?,
            linear_in: Linear::load(vb.pp("linear_in"), 3, channel, false)?,
            stack: AtomAttention::load(vb.pp("stack"), channel, num_heads, num_blocks)?,
            channel,
        })
    }

    /// What an atom is, whatever its place: `residue_one_hot` `[1, L, 21]` and the mask `[1, L * 14, 1]` give
    /// `[1, L * 14, C]`.
    ///
    /// # Errors
    /// When the shapes do not fit.
    pub fn conditioning(&self, residue_one_hot: &Tensor, mask: &Tensor) -> Result<Tensor> {
        let (_, length, _) = residue_one_hot.dims3()?;
        let conditioning =
            self.embedding_atoms.forward(residue_one_hot)?.reshape((1, length * ATOM14, self.channel))?;
        Ok(conditioning.broadcast_mul(mask)?)
    }

    /// Scaled noisy coordinates `[N, L * 14, 3]`, the conditioning `[1, L * 14, C]` and the mask `[1, L * 14, 1]` give atoms
    /// `[N, L * 14, C]`.
    ///
    /// # Errors
    /// When the shapes do not fit.
    pub fn forward(
        &self,
        coordinates: &Tensor,
        conditioning: &Tensor,
        mask: &Tensor,
        prepared: &PreparedAtoms,
    ) -> Result<Tensor> {
        let atoms = self.linear_in.forward(coordinates)?.broadcast_add(conditioning)?.broadcast_mul(mask)?;
        Ok(self.stack.forward(&atoms, prepared)?.broadcast_mul(mask)?)
    }
}

/// From atoms to the update of their coordinates.
#[derive(Clone, Debug)]
pub struct AtomDecoder {
    pub(super) stack: AtomAttention,
    linear_out: NormedLinear,
}

impl AtomDecoder {
    /// Loads `stack` and `linear_out`.
    ///
    /// # Errors
    /// When a tensor is missing or misshapen.
    pub fn load(vb: VarBuilder<'_>, channel: usize, num_heads: usize, num_blocks: usize) -> Result<Self> {
        Ok(Self {
            stack: AtomAttention::load(vb.pp("stack"), channel, num_heads, num_blocks)?,
            linear_out: NormedLinear::load(vb.pp("linear_out"), channel, 3, LayerNormParts::BOTH)?,
        })
    }

    /// Atoms `[N, L * 14, C]` give scaled coordinate updates `[N, L * 14, 3]`.
    ///
    /// # Errors
    /// When the shapes do not fit.
    pub fn forward(&self, atoms: &Tensor, mask: &Tensor, prepared: &PreparedAtoms) -> Result<Tensor> {
        let atoms = self.stack.forward(atoms, prepared)?;
        Ok(self.linear_out.forward(&atoms)?.broadcast_mul(mask)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_stop_at_chains_reach_and_missing_atoms() {
        let features = Features::unpadded(&["GGGGGG", "AA"]).unwrap();
        let mask = window_mask(&features, &Device::Cpu).unwrap();
        let allowed = |query: usize, key: usize| -> usize {
            let window = mask.get(0).unwrap().get(query / QUERY_RESIDUES).unwrap();
            let row = window.get(query % QUERY_RESIDUES * ATOM14).unwrap().to_vec1::<f32>().unwrap();
            let first = (key + REACH - query / QUERY_RESIDUES * QUERY_RESIDUES) * ATOM14;
            row[first..first + ATOM14].iter().filter(|value| **value == 0.0).count()
        };
        assert_eq!(allowed(0, 0), 4, "glycine has four atoms");
        assert_eq!(allowed(0, 4), 4);
        assert_eq!(allowed(0, 5), 0, "five residues on");
        assert_eq!(allowed(5, 6), 0, "another chain");
        assert_eq!(allowed(6, 7), 5);
    }
}
