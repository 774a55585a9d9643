//! Where residues and atoms stand to each other along the chains (AtlasFold 1.0.4, `network/rel_pos_encoding.py`).
//!
//! Of two residues: their distance along the chain, whether their chains have the same sequence, and which copies they
//! are, one-hot. Of two atoms: their residues' distance, and within a residue the vector and distance between the atoms
//! in a fixed table of the checkpoint. That last encoding has 14 channels for every pair of atoms of a window, which a
//! linear layer turns into attention biases; the biases are made directly, from the layer applied to the tables.

use candle_core::{Device, Tensor};
use candle_nn::VarBuilder;

use super::atom_attention::{KEY_RESIDUES, QUERY_RESIDUES, REACH};
use super::features::Features;
use super::residues::{ATOM14, RESIDUE_TYPES};
use crate::kfold::Result;

/// Residues beyond this along the chain count as this far.
const MAX_RESIDUES: i64 = 32;
/// Copies of a chain beyond this count as this far.
const MAX_COPIES: i64 = 2;
/// Classes of the distance along the chain; the last is "another chain".
const RESIDUE_CLASSES: usize = 2 * MAX_RESIDUES as usize + 2;
/// Classes of the distance between copies; the last is "another sequence".
const COPY_CLASSES: usize = 2 * MAX_COPIES as usize + 2;
/// Channels of the residues' encoding.
pub const RELATIVE_POSITIONS: usize = RESIDUE_CLASSES + 1 + COPY_CLASSES;

/// Classes of the residues' distance within an atom window; the last is "out of reach".
const WINDOW_CLASSES: usize = 2 * REACH + 2;
/// Vector and distance between two atoms of a residue.
const ATOM_CHANNELS: usize = 4;
/// Channels of the atoms' encoding.
pub const ATOM_RELATIVE_POSITIONS: usize = WINDOW_CLASSES + ATOM_CHANNELS;

/// The residues' encoding, `[1, L, L, 73]`, f32.
///
/// # Errors
/// When the device has no memory for it.
pub fn relative_positions(features: &Features, device: &Device) -> Result<Tensor> {
    let length = features.padded_length();
    let mut encoding = vec![0f32; length * length * RELATIVE_POSITIONS];
    for (pair, channels) in encoding.chunks_exact_mut(RELATIVE_POSITIONS).enumerate() {
        let (i, j) = (pair / length, pair % length);
        let residue_class = if features.asym_id[i] == features.asym_id[j] {
            (features.residue_index[i] - features.residue_index[j] + MAX_RESIDUES).clamp(0, 2 * MAX_RESIDUES) as usize
        } else {
            RESIDUE_CLASSES - 1
        };
        channels[residue_class] = 1.0;
        let same_entity = features.entity_id[i] == features.entity_id[j];
        let copy_class = if same_entity {
            channels[RESIDUE_CLASSES] = 1.0;
            (features.sym_id[i] - features.sym_id[j] + MAX_COPIES).clamp(0, 2 * MAX_COPIES) as usize
        } else {
            COPY_CLASSES - 1
        };
        channels[RESIDUE_CLASSES + 1 + copy_class] = 1.0;
    }
    Ok(Tensor::from_vec(encoding, (1, length, length, RELATIVE_POSITIONS), device)?)
}

/// The vectors and distances between the atoms of each residue type, `[21, 14 * 14 * 4]`, as the checkpoint has them.
#[derive(Clone, Debug)]
pub struct AtomRelativePositions {
    table: Tensor,
}

impl AtomRelativePositions {
    /// Loads `atom_rel_pos`.
    ///
    /// # Errors
    /// When it is missing or misshapen.
    pub fn load(vb: VarBuilder<'_>) -> Result<Self> {
        Ok(Self { table: vb.get((RESIDUE_TYPES, ATOM14 * ATOM14 * ATOM_CHANNELS), "atom_rel_pos")? })
    }

    /// What a linear layer of `weight` `[channels, 14]` makes of the atoms' encoding:
    /// `[channels, windows, 4 * 14, 12 * 14]`.
    ///
    /// # Errors
    /// When the device has no memory for it.
    pub fn project(&self, features: &Features, weight: &Tensor) -> Result<Tensor> {
        let device = weight.device();
        let channels = weight.dim(0)?;
        let length = features.padded_length();
        let windows = length / QUERY_RESIDUES;
        let (classes, same_residue) = window_classes(features);
        let classes = Tensor::from_vec(classes, windows * QUERY_RESIDUES * KEY_RESIDUES, device)?;
        let same_residue = Tensor::from_vec(same_residue, (windows, QUERY_RESIDUES, 1, KEY_RESIDUES, 1, 1), device)?;

        // One more row of zeros: atoms of different chains.
        let by_class = weight.narrow(1, 0, WINDOW_CLASSES)?.t()?.contiguous()?.pad_with_zeros(0, 0, 1)?;
        let by_class = by_class.index_select(&classes, 0)?;
        let by_class = by_class.reshape((windows, QUERY_RESIDUES, 1, KEY_RESIDUES, 1, channels))?;

        // One more residue type of zeros: the padding.
        let atoms = self.table.reshape((RESIDUE_TYPES * ATOM14 * ATOM14, ATOM_CHANNELS))?;
        let atoms = atoms.matmul(&weight.narrow(1, WINDOW_CLASSES, ATOM_CHANNELS)?.t()?.contiguous()?)?;
        let atoms = atoms.reshape((RESIDUE_TYPES, ATOM14 * ATOM14 * channels))?.pad_with_zeros(0, 0, 1)?;
        let kinds = features.residue_types.iter().zip(&features.mask);
        let kinds: Vec<u32> =
            kinds.map(|(kind, exists)| if *exists { u32::from(*kind) } else { RESIDUE_TYPES as u32 }).collect();
        let atoms = atoms.index_select(&Tensor::from_vec(kinds, length, device)?, 0)?;
        let atoms = atoms.reshape((windows, QUERY_RESIDUES, ATOM14, 1, ATOM14, channels))?;

        let bias = atoms.broadcast_mul(&same_residue)?.broadcast_add(&by_class)?;
        let bias = bias.permute([5, 0, 1, 2, 3, 4])?.contiguous()?;
        Ok(bias.reshape((channels, windows, QUERY_RESIDUES * ATOM14, KEY_RESIDUES * ATOM14))?)
    }
}

/// For each window, query and key residue: the class of their distance ([`WINDOW_CLASSES`] where the chains differ), and
/// whether they are the same residue.
fn window_classes(features: &Features) -> (Vec<u32>, Vec<f32>) {
    let length = features.padded_length();
    let size = length * KEY_RESIDUES;
    let (mut classes, mut same) = (Vec::with_capacity(size), Vec::with_capacity(size));
    for query in 0..length {
        for key in 0..KEY_RESIDUES {
            let Some(key) = key_residue(query / QUERY_RESIDUES, key, length) else {
                classes.push(WINDOW_CLASSES as u32);
                same.push(0.0);
                continue;
            };
            let same_chain = features.asym_id[query] == features.asym_id[key];
            let offset = features.residue_index[query] - features.residue_index[key];
            let class = (offset + REACH as i64).clamp(0, WINDOW_CLASSES as i64 - 1);
            classes.push(if same_chain { class as u32 } else { WINDOW_CLASSES as u32 });
            same.push(f32::from(u8::from(same_chain && offset == 0)));
        }
    }
    (classes, same)
}

/// The residue at a key's place in a window, or `None` outside the sequence.
pub(super) fn key_residue(window: usize, key: usize, length: usize) -> Option<usize> {
    (window * QUERY_RESIDUES + key).checked_sub(REACH).filter(|residue| *residue < length)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use candle_core::DType;

    use super::*;

    #[test]
    fn residues_of_two_chains() {
        let features = Features::unpadded(&["AAC", "AAC"]).unwrap();
        let encoding = relative_positions(&features, &Device::Cpu).unwrap();
        let hot = |i: usize, j: usize| -> Vec<usize> {
            let row = encoding.get(0).unwrap().get(i).unwrap().get(j).unwrap().to_vec1::<f32>().unwrap();
            row.iter().enumerate().filter(|(_, value)| **value == 1.0).map(|(channel, _)| channel).collect()
        };
        assert_eq!(hot(2, 0), [34, 66, 69], "two residues on in the same chain");
        assert_eq!(hot(0, 3), [65, 66, 68], "the first copy against the second");
        assert_eq!(hot(3, 0), [65, 66, 70]);
    }

    #[test]
    fn an_identity_layer_gives_the_encoding() {
        let table = Tensor::ones((RESIDUE_TYPES, ATOM14 * ATOM14 * ATOM_CHANNELS), DType::F32, &Device::Cpu).unwrap();
        let tensors = HashMap::from([("atom_rel_pos".to_owned(), table)]);
        let positions =
            AtomRelativePositions::load(VarBuilder::from_tensors(tensors, DType::F32, &Device::Cpu)).unwrap();
        let features = Features::unpadded(&["AAAA"]).unwrap().padded(8, 10).unwrap();
        let identity = Tensor::eye(ATOM_RELATIVE_POSITIONS, DType::F32, &Device::Cpu).unwrap();
        let encoding = positions.project(&features, &identity).unwrap();
        assert_eq!(encoding.dims(), [14, 2, 56, 168]);
        // Atom 2 of residue 1 against atom 5 of residue 0, which is key residue 4 of window 0.
        let at = |query: usize, key: usize| -> Vec<f32> {
            (0..14)
                .map(|channel| encoding.get(channel).unwrap().get(0).unwrap().get(query).unwrap())
                .map(|row| row.get(key).unwrap().to_scalar::<f32>().unwrap())
                .collect()
        };
        let neighbour = at(14 + 2, 4 * 14 + 5);
        assert_eq!(neighbour.iter().sum::<f32>(), 1.0);
        assert_eq!(neighbour[5], 1.0);
        assert_eq!(at(14, 5 * 14)[WINDOW_CLASSES..], [1.0; 4], "within a residue");
        assert_eq!(at(14, 3 * 14), [0.0; 14], "before the sequence");
    }
}
