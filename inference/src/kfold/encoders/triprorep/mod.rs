//! TriProRep: structure tokens of apo structures and their encoder (K-Fold 1.0.0, modules/prot_struct_encoder.py).
//!
//! Each residue of an apo structure becomes two tokens: one for the backbone around it ([`BackboneTokenizer`], 16 nearest
//! residues) and one for its own atoms ([`FullAtomTokenizer`]). With the residue type they enter a transformer
//! ([`TriProRepEncoder`]); several apo structures are averaged.

pub mod bb_tokenizer;
mod encoder;
pub mod fa_features;
mod fa_tokenizer;
pub mod packed;
mod quantizer;

use candle_core::Tensor;

pub use bb_tokenizer::{BackboneTokenizer, BackboneTokenizerConfig};
pub use encoder::{StructureTokens, TOKEN_OFFSET, TriProRepEncoder};
pub use fa_features::{ATOMS, AtomCoordinates, RESIDUE_TYPES};
pub use fa_tokenizer::{FullAtomTokenizer, FullAtomTokenizerConfig};

use super::packing::{index, mask};
use super::transformer::{Sequences, integers};
use crate::kfold::input::{ChainType, FoldingInput};
use crate::kfold::{KFoldError, Result};

/// Tokens of one structure; none where the backbone is incomplete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenizedStructure {
    /// Backbone tokens, one a residue.
    pub backbone: Vec<Option<u32>>,
    /// Full-atom tokens, one a residue.
    pub full_atom: Vec<Option<u32>>,
}

/// Turns structures into tokens.
pub struct StructureTokenizer {
    backbone: BackboneTokenizer,
    full_atom: FullAtomTokenizer,
}

impl StructureTokenizer {
    /// From its two parts.
    #[must_use]
    pub fn new(backbone: BackboneTokenizer, full_atom: FullAtomTokenizer) -> Self {
        Self { backbone, full_atom }
    }

    /// Tokenizes a protein chain: one-letter residue types (unknown ones count as X) and the coordinates of its atoms (Å, NaN
    /// where missing) in the order of the 37 atom names of the protein databank's amino acids.
    ///
    /// # Errors
    /// When there are not as many residues in the sequence as in the structure.
    pub fn tokenize(&self, sequence: &str, coordinates: &[AtomCoordinates]) -> Result<TokenizedStructure> {
        let types: Vec<i64> = sequence
            .chars()
            .map(|letter| RESIDUE_TYPES.iter().position(|&known| known == letter).map_or(-1, |index| index as i64))
            .collect();
        if types.len() != coordinates.len() {
            return Err(KFoldError::input(format!(
                "the sequence has {} residues, its structure {}",
                types.len(),
                coordinates.len()
            )));
        }
        let complete: Vec<bool> =
            coordinates.iter().map(|atoms| atoms[..3].iter().flatten().all(|value| value.is_finite())).collect();
        let numbers: Vec<i64> = (1..=types.len() as i64).collect();
        let backbone: Vec<_> = coordinates.iter().map(|atoms| [atoms[0], atoms[1], atoms[2]]).collect();
        let only_complete = |tokens: Vec<u32>| -> Vec<Option<u32>> {
            tokens.into_iter().zip(&complete).map(|(token, &complete)| complete.then_some(token)).collect()
        };
        Ok(TokenizedStructure {
            backbone: only_complete(self.backbone.tokenize(&backbone, &numbers)?),
            full_atom: only_complete(self.full_atom.tokenize(&types, coordinates, &numbers, &complete)?),
        })
    }
}

/// The encoder's view of the apo structures of a query.
pub struct StructureEncoder {
    encoder: TriProRepEncoder,
}

impl StructureEncoder {
    /// Around an encoder.
    #[must_use]
    pub fn new(encoder: TriProRepEncoder) -> Self {
        Self { encoder }
    }

    /// Features by token [1, tokens, width], averaged over the apo structures that have the residue; zeros elsewhere.
    ///
    /// Residues without tokens meet no others in the encoder and count nothing after it, so only those with tokens are
    /// packed, all structures in one row, each structure's chains apart.
    ///
    /// `on_layer` hears of each layer and may stop the work by an error.
    ///
    /// # Errors
    /// When the encoder fails, or `on_layer` says so.
    pub fn forward(&self, input: &FoldingInput, on_layer: &mut dyn FnMut(usize) -> Result<()>) -> Result<Tensor> {
        let sequence = &input.sequence;
        let (positions_count, apos) = sequence.bb_struct_token_id.dims2()?;
        let is_protein = mask(&sequence.pad_mask, &sequence.chain_type, ChainType::Protein)?;
        let (ids, chains, positions) =
            (integers(&sequence.seq_token_id)?, integers(&sequence.asym_id)?, integers(&sequence.pos_id)?);
        let (backbone, full_atom) = (integers(&sequence.bb_struct_token_id)?, integers(&sequence.fa_struct_token_id)?);

        let mut packed = Sequences { batch: 1, ..Sequences::default() };
        let mut tokens = StructureTokens { backbone: Vec::new(), full_atom: Vec::new() };
        let mut rows_of = vec![Vec::new(); positions_count];
        let most_chains = chains.iter().max().copied().unwrap_or(0).max(0) + 1;
        for apo in 0..apos {
            for i in (0..positions_count).filter(|&i| backbone[i * apos + apo] != -1) {
                rows_of[i].push(packed.length);
                let id = if is_protein[i] { ids[i] } else { 0 };
                packed.token_ids.push(index(id + TOKEN_OFFSET, "sequence.seq_token_id")?);
                packed.positions.push(index(positions[i], "sequence.pos_id")?);
                packed.sequence_ids.push(apo as i64 * most_chains + chains[i].max(0));
                tokens.backbone.push(index(backbone[i * apos + apo] + TOKEN_OFFSET, "sequence.bb_struct_token_id")?);
                tokens.full_atom.push(index(full_atom[i * apos + apo] + TOKEN_OFFSET, "sequence.fa_struct_token_id")?);
                packed.length += 1;
            }
        }

        let width = self.encoder.width();
        let token_is_protein = mask(&input.token.pad_mask, &input.token.chain_type, ChainType::Protein)?;
        let mut features = vec![0f32; token_is_protein.len() * width];
        if packed.length > 0 {
            let encoded = self.encoder.forward(&packed, &tokens, on_layer)?.flatten_all()?.to_vec1::<f32>()?;
            let places = integers(&input.token.seq_token_index)?;
            for (token, target) in
                features.chunks_exact_mut(width).enumerate().filter(|&(token, _)| token_is_protein[token])
            {
                // -1 is the last position, as an index of the reference is.
                let place = if places[token] < 0 { positions_count - 1 } else { places[token] as usize };
                let rows = rows_of.get(place).map_or(&[][..], Vec::as_slice);
                for &row in rows {
                    for (value, part) in target.iter_mut().zip(&encoded[row * width..]) {
                        *value += part / rows.len() as f32;
                    }
                }
            }
        }
        Ok(Tensor::from_vec(features, (1, token_is_protein.len(), width), input.device())?)
    }
}
