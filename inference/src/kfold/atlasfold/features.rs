//! A query's chains as the numbers AtlasFold reads (AtlasFold 1.0.4, `common/featurize.py`, `runner.py`,
//! `runner_multimer.py`).
//!
//! Lengths are padded to buckets. The buckets are part of the model's randomness: every draw has the padded length, so
//! another padding gives another structure from the same seed. The language model sees all chains in one row, each
//! between its own start and end tokens and with its own positions from 0; chains cannot see each other there because
//! attention stays within a sequence id.

use candle_core::{Device, Tensor};

use super::residues::{ATOM14, RESIDUE_TYPES, RESIDUES, pseudo_beta, types_of};
use crate::kfold::{KFoldError, Result};

/// Padded lengths; above the last, the next multiple of [`LONG_STEP`].
const BUCKETS: [usize; 19] =
    [32, 64, 128, 192, 256, 384, 512, 640, 768, 896, 1024, 1152, 1280, 1408, 1536, 1664, 1792, 1920, 2048];

/// Step of the padded lengths above the buckets.
const LONG_STEP: usize = 128;

/// The language model's row is this much longer than the residues' for one chain: start and end token.
const MONOMER_LM_EXTRA: usize = 2;

/// The same for several chains: start and end tokens of sixteen.
const COMPLEX_LM_EXTRA: usize = 32;

/// Start-of-sequence token.
const START: u32 = 0;
/// Padding token.
const PADDING: u32 = 1;
/// End-of-sequence token.
const END: u32 = 2;
/// Tokens before the first amino acid: start, padding, end, unknown.
const FIRST_AMINO_ACID: u32 = 4;
/// Amino acid tokens in AtlasLM's order (`atlaslm/alphabet.py`).
const AMINO_ACIDS: &[u8; 28] = b"LAGVSERTIDPKQNFYMHWCXBUZO.-|";
/// The mask token, which follows them.
pub(super) const MASK_TOKEN: u32 = FIRST_AMINO_ACID + AMINO_ACIDS.len() as u32;

/// Features of one target: `residues` padded to `L`, the language model's row padded to `S`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Features {
    /// Residue type, `[L]`; 0 in the padding.
    pub residue_types: Vec<u8>,
    /// Position in the chain from 1, `[L]`; 0 in the padding.
    pub residue_index: Vec<i64>,
    /// Chain number from 1, `[L]`; 0 in the padding.
    pub asym_id: Vec<i64>,
    /// Number of the chain's sequence among the distinct ones from 1, `[L]`; 0 in the padding.
    pub entity_id: Vec<i64>,
    /// Number of the chain among those of its sequence from 1, `[L]`; 0 in the padding.
    pub sym_id: Vec<i64>,
    /// Whether there is a residue, `[L]`.
    pub mask: Vec<bool>,
    /// The residue's place in the language model's row, `[L]`; 0 in the padding.
    pub lm_index: Vec<u32>,
    /// Language model tokens, `[S]`.
    pub lm_tokens: Vec<u32>,
    /// Language model positions, `[S]`; 0 in the padding.
    pub lm_positions: Vec<u32>,
    /// Language model sequence ids, the chain's number, `[S]`; 0 in the padding.
    pub lm_sequences: Vec<u32>,
}

impl Features {
    /// Features of one chain for AtlasFold.
    ///
    /// # Errors
    /// When the sequence is empty.
    pub fn monomer(sequence: &str) -> Result<Self> {
        let features = Self::unpadded(&[sequence])?;
        let length = bucket(features.residue_types.len());
        features.padded(length, length + MONOMER_LM_EXTRA)
    }

    /// Features of the chains of a complex for AtlasFold-M.
    ///
    /// # Errors
    /// When a sequence is empty, or there are so many chains (sixteen always fit) that their start and end tokens do not
    /// fit.
    pub fn complex(sequences: &[&str]) -> Result<Self> {
        let features = Self::unpadded(sequences)?;
        let length = bucket(features.residue_types.len());
        features.padded(length, length + COMPLEX_LM_EXTRA)
    }

    /// Features of the chains, without padding.
    ///
    /// # Errors
    /// When there is no chain or one is empty.
    pub fn unpadded(sequences: &[&str]) -> Result<Self> {
        let chains: Vec<Vec<u8>> = sequences.iter().map(|sequence| types_of(sequence)).collect();
        if let Some(empty) = chains.iter().position(Vec::is_empty) {
            return Err(KFoldError::Input(format!("protein chain {} has no residues; give its sequence", empty + 1)));
        }
        if chains.is_empty() {
            return Err(KFoldError::Input("there is no protein chain to fold; give at least one sequence".to_owned()));
        }
        let mut features = Self::default();
        let mut entities: Vec<(&[u8], i64)> = Vec::new();
        for (chain, types) in chains.iter().enumerate() {
            let entity = entities.iter().position(|(known, _)| *known == types.as_slice()).unwrap_or_else(|| {
                entities.push((types, 0));
                entities.len() - 1
            });
            entities[entity].1 += 1;
            features.push_chain(types, chain as i64 + 1, entity as i64 + 1, entities[entity].1);
        }
        Ok(features)
    }

    fn push_chain(&mut self, types: &[u8], asym_id: i64, entity_id: i64, sym_id: i64) {
        let length = types.len();
        let first_token = self.lm_tokens.len() as u32;
        self.residue_types.extend_from_slice(types);
        self.residue_index.extend(1..=length as i64);
        self.asym_id.extend(std::iter::repeat_n(asym_id, length));
        self.entity_id.extend(std::iter::repeat_n(entity_id, length));
        self.sym_id.extend(std::iter::repeat_n(sym_id, length));
        self.mask.extend(std::iter::repeat_n(true, length));
        self.lm_index.extend(first_token + 1..=first_token + length as u32);
        self.lm_tokens.push(START);
        self.lm_tokens.extend(types.iter().map(|residue| lm_token(RESIDUES[usize::from(*residue)].letter)));
        self.lm_tokens.push(END);
        self.lm_positions.extend(0..length as u32 + 2);
        self.lm_sequences.extend(std::iter::repeat_n(asym_id as u32, length + 2));
    }

    /// Pads to `length` residues and `lm_length` tokens.
    ///
    /// # Errors
    /// When the features are longer than that.
    pub fn padded(mut self, length: usize, lm_length: usize) -> Result<Self> {
        if self.residue_types.len() > length || self.lm_tokens.len() > lm_length {
            return Err(KFoldError::Input(format!(
                "{} residues with {} language model tokens do not fit into {length} and {lm_length}; fold at most \
                 sixteen chains together",
                self.residue_types.len(),
                self.lm_tokens.len()
            )));
        }
        self.residue_types.resize(length, 0);
        for list in [&mut self.residue_index, &mut self.asym_id, &mut self.entity_id, &mut self.sym_id] {
            list.resize(length, 0);
        }
        self.mask.resize(length, false);
        self.lm_index.resize(length, 0);
        self.lm_tokens.resize(lm_length, PADDING);
        self.lm_positions.resize(lm_length, 0);
        self.lm_sequences.resize(lm_length, 0);
        Ok(self)
    }

    /// Residues with their padding.
    #[must_use]
    pub fn padded_length(&self) -> usize {
        self.residue_types.len()
    }

    /// Which of a residue's fourteen atoms exist, `[L * 14]`.
    #[must_use]
    pub fn atom14_mask(&self) -> Vec<bool> {
        let mut mask = vec![false; self.residue_types.len() * ATOM14];
        for (residue, (kind, exists)) in self.residue_types.iter().zip(&self.mask).enumerate() {
            if *exists {
                let atoms = RESIDUES[usize::from(*kind)].atoms.len();
                mask[residue * ATOM14..residue * ATOM14 + atoms].fill(true);
            }
        }
        mask
    }

    /// The atom14 index of each residue's pseudo-beta, `[L]`; 0 in the padding.
    #[must_use]
    pub fn pseudo_beta(&self) -> Vec<usize> {
        let beta = |(kind, exists): (&u8, &bool)| if *exists { pseudo_beta(*kind) } else { 0 };
        self.residue_types.iter().zip(&self.mask).map(beta).collect()
    }

    /// Which tokens the masked language modelling of a cycle may hide: amino acids, not the special tokens.
    #[must_use]
    pub(super) fn can_be_masked(token: u32) -> bool {
        (FIRST_AMINO_ACID..MASK_TOKEN).contains(&token)
    }

    /// The features as tensors on a device.
    ///
    /// # Errors
    /// When the device has no memory for them.
    pub fn tensors(&self, device: &Device) -> Result<FeatureTensors> {
        let length = self.padded_length();
        let mut residue_one_hot = vec![0f32; length * RESIDUE_TYPES];
        for (residue, kind) in self.residue_types.iter().enumerate().filter(|(residue, _)| self.mask[*residue]) {
            residue_one_hot[residue * RESIDUE_TYPES + usize::from(*kind)] = 1.0;
        }
        let number = |exists: &bool| f32::from(u8::from(*exists));
        let mask: Vec<f32> = self.mask.iter().map(number).collect();
        let mask = Tensor::from_vec(mask, (1, length), device)?;
        let same_chain: Vec<f32> =
            self.asym_id.iter().flat_map(|a| self.asym_id.iter().map(move |b| f32::from(u8::from(a == b)))).collect();
        let same_chain = Tensor::from_vec(same_chain, (1, length, length), device)?;
        let pair_mask = mask.unsqueeze(2)?.broadcast_mul(&mask.unsqueeze(1)?)?;
        let atom_mask: Vec<f32> = self.atom14_mask().iter().map(number).collect();
        Ok(FeatureTensors {
            residue_one_hot: Tensor::from_vec(residue_one_hot, (1, length, RESIDUE_TYPES), device)?,
            same_chain: (same_chain * &pair_mask)?,
            pair_mask,
            mask,
            atom_mask: Tensor::from_vec(atom_mask, (1, length, ATOM14), device)?,
        })
    }
}

/// The features that every module reads, on a device, in f32.
#[derive(Clone, Debug)]
pub struct FeatureTensors {
    /// Residue types, `[1, L, 21]`; all zero in the padding.
    pub residue_one_hot: Tensor,
    /// Residues that exist, `[1, L]`.
    pub mask: Tensor,
    /// Pairs of residues that exist, `[1, L, L]`.
    pub pair_mask: Tensor,
    /// Pairs of residues that exist and are of one chain, `[1, L, L]`.
    pub same_chain: Tensor,
    /// Atoms that exist, `[1, L, 14]`.
    pub atom_mask: Tensor,
}

/// The padded length of so many residues.
#[must_use]
pub fn bucket(length: usize) -> usize {
    BUCKETS.into_iter().find(|bucket| length <= *bucket).unwrap_or_else(|| length.next_multiple_of(LONG_STEP))
}

fn lm_token(letter: u8) -> u32 {
    let place = AMINO_ACIDS.iter().position(|known| *known == letter);
    // Every residue type's letter is among them; 20 is X.
    FIRST_AMINO_ACID + place.unwrap_or(20) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_is_packed_into_one_row() {
        let features = Features::unpadded(&["MK", "MKG"]).unwrap();
        assert_eq!(features.residue_types, [12, 11, 12, 11, 7]);
        assert_eq!(features.residue_index, [1, 2, 1, 2, 3]);
        assert_eq!(features.lm_tokens, [0, 20, 15, 2, 0, 20, 15, 6, 2]);
        assert_eq!(features.lm_positions, [0, 1, 2, 3, 0, 1, 2, 3, 4]);
        assert_eq!(features.lm_sequences, [1, 1, 1, 1, 2, 2, 2, 2, 2]);
        assert_eq!(features.lm_index, [1, 2, 5, 6, 7]);
        assert_eq!((features.entity_id, features.sym_id), (vec![1, 1, 2, 2, 2], vec![1; 5]));
    }

    #[test]
    fn copies_of_a_chain_share_an_entity() {
        let features = Features::unpadded(&["A", "C", "A"]).unwrap();
        assert_eq!(features.entity_id, [1, 2, 1]);
        assert_eq!(features.sym_id, [1, 1, 2]);
        assert_eq!(features.asym_id, [1, 2, 3]);
    }

    #[test]
    fn lengths_are_padded_to_buckets() {
        assert_eq!([1, 32, 33, 2048, 2049].map(bucket), [32, 32, 64, 2048, 2176]);
        let features = Features::monomer(&"A".repeat(40)).unwrap();
        assert_eq!((features.padded_length(), features.lm_tokens.len()), (64, 66));
        let features = Features::complex(&["AAA", "C"]).unwrap();
        assert_eq!((features.padded_length(), features.lm_tokens.len()), (32, 64));
        assert_eq!(features.atom14_mask().iter().filter(|exists| **exists).count(), 3 * 5 + 6);
        assert!(Features::complex(&["AA"; 16]).is_ok());
        assert!(Features::complex(&["A"; 32]).is_err());
        assert!(Features::monomer(" ").is_err());
    }

    #[test]
    fn glycine_has_its_pseudo_beta_at_ca() {
        let features = Features::monomer("GA").unwrap();
        assert_eq!(features.pseudo_beta()[..3], [1, 4, 0]);
    }
}
