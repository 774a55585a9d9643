//! From the features of a query to the packed sequences an encoder reads, and back to tokens.

use candle_core::{Device, Tensor};

use super::lm_encoder::LmEncoder;
use super::transformer::{Hidden, Layer, Sequences, integers};
use crate::kfold::input::{ChainType, FoldingInput};
use crate::kfold::{KFoldError, Result};

/// The sequence positions of one kind of chain and the tokens they belong to.
///
/// The reference runs its encoders over the positions of all chains and masks the others; those never meet the ones that
/// count, so only these are packed here. The results are the same.
pub struct Packing {
    /// What the encoder reads: one row.
    pub sequences: Sequences,
    /// Row of each token in the encoder's output; none for tokens of other chains.
    rows: Vec<Option<u32>>,
}

impl Packing {
    /// Packs the real positions of chains of this type.
    ///
    /// # Errors
    /// When a feature cannot be read.
    pub fn new(input: &FoldingInput, chain_type: ChainType) -> Result<Self> {
        let sequence = &input.sequence;
        let is_real = mask(&sequence.pad_mask, &sequence.chain_type, chain_type)?;
        let (ids, chains, positions) =
            (integers(&sequence.seq_token_id)?, integers(&sequence.asym_id)?, integers(&sequence.pos_id)?);
        let mut packed = Sequences { batch: 1, ..Sequences::default() };
        let mut row_of_position = vec![None; is_real.len()];
        for i in (0..is_real.len()).filter(|&i| is_real[i]) {
            row_of_position[i] = Some(packed.length as u32);
            packed.token_ids.push(index(ids[i], "sequence.seq_token_id")?);
            packed.positions.push(index(positions[i], "sequence.pos_id")?);
            packed.sequence_ids.push(chains[i]);
            packed.length += 1;
        }
        let token_is_real = mask(&input.token.pad_mask, &input.token.chain_type, chain_type)?;
        let rows = integers(&input.token.seq_token_index)?
            .into_iter()
            .zip(token_is_real)
            .map(|(position, real)| {
                // Where a token has no position the reference takes the first.
                let position = usize::try_from(position.max(0)).unwrap_or(0);
                if real { row_of_position.get(position).copied().flatten() } else { None }
            })
            .collect();
        Ok(Self { sequences: packed, rows })
    }

    /// Whether there is no such chain.
    pub fn is_empty(&self) -> bool {
        self.sequences.length == 0
    }

    /// Tokens of the query.
    pub fn tokens(&self) -> usize {
        self.rows.len()
    }

    /// Rows of an encoder's output [1, length, ..] as rows of tokens [1, tokens, ..]; zeros for tokens of other chains.
    ///
    /// # Errors
    /// When the tensor operations fail.
    pub fn spread(&self, output: &Tensor) -> Result<Tensor> {
        spread(&self.rows, output)
    }

    /// The hidden states of all layers [1, tokens, layers + 1, width] of what `run` visits.
    ///
    /// # Errors
    /// When the encoder fails.
    pub fn hidden_states(
        &self,
        run: impl FnOnce(&Sequences, &mut dyn FnMut(&Layer<'_>) -> Result<()>) -> Result<Hidden>,
    ) -> Result<Tensor> {
        let mut states = Vec::new();
        run(&self.sequences, &mut |layer| {
            states.push(self.spread(&layer.tensor()?)?);
            Ok(())
        })?;
        Ok(Tensor::stack(&states, 2)?)
    }

    /// The hidden states weighted and projected by `encoder` [1, tokens, channel_s], without keeping more than their sum.
    ///
    /// # Errors
    /// When the encoder fails or has another number of layers.
    pub fn merged(
        &self,
        encoder: &LmEncoder,
        run: impl FnOnce(&Sequences, &mut dyn FnMut(&Layer<'_>) -> Result<()>) -> Result<Hidden>,
    ) -> Result<Tensor> {
        let weights = encoder.layer_weights()?;
        let mut sum: Option<Hidden> = None;
        let mut seen = 0;
        run(&self.sequences, &mut |layer| {
            let Some(&weight) = weights.get(layer.index) else {
                return Err(KFoldError::Config(format!("an encoder has more than {} layers", weights.len() - 1)));
            };
            seen += 1;
            match &mut sum {
                None => sum = Some(layer.hidden.scaled(weight)?),
                Some(sum) => sum.add_scaled(layer.hidden, weight)?,
            }
            Ok(())
        })?;
        match sum {
            Some(sum) if seen == weights.len() => {
                encoder.project(&self.spread(&sum.tensor(1, self.sequences.length)?)?)
            }
            _ => Err(KFoldError::Config(format!("an encoder has {} layers instead of {}", seen, weights.len()))),
        }
    }
}

/// Rows [1, n, ..] at these places, zeros where there is none: [1, places, ..].
fn spread(rows: &[Option<u32>], output: &Tensor) -> Result<Tensor> {
    let device: &Device = output.device();
    let zeros = Tensor::zeros_like(&output.narrow(1, 0, 1)?)?;
    let padded = Tensor::cat(&[output, &zeros], 1)?;
    let missing = output.dim(1)? as u32;
    let rows: Vec<u32> = rows.iter().map(|row| row.unwrap_or(missing)).collect();
    Ok(padded.index_select(&Tensor::from_vec(rows.clone(), rows.len(), device)?, 1)?)
}

/// Entries that are real and of this type.
pub fn mask(pad_mask: &Tensor, chain_types: &Tensor, chain_type: ChainType) -> Result<Vec<bool>> {
    Ok(integers(pad_mask)?
        .iter()
        .zip(integers(chain_types)?)
        .map(|(&pad, kind)| pad != 0 && kind == chain_type as i64)
        .collect())
}

/// A value as an index.
pub fn index(value: i64, name: &str) -> Result<u32> {
    u32::try_from(value).map_err(|_| KFoldError::input(format!("{name} holds {value}")))
}
