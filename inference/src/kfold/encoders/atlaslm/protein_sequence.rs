//! AtlasLM's view of the proteins of a query (K-Fold 1.0.0, modules/prot_seq_encoder.py).

use candle_core::Tensor;

use super::AtlasLm;
use crate::kfold::Result;
use crate::kfold::encoders::lm_encoder::LmEncoder;
use crate::kfold::encoders::packing::Packing;
use crate::kfold::input::{ChainType, FoldingInput};

/// Runs AtlasLM over the protein chains and gives hidden states by token.
///
/// Hidden states are the embedding and every block's output, without the final normalisation.
pub struct ProteinSequenceEncoder {
    lm: AtlasLm,
}

impl ProteinSequenceEncoder {
    /// Around a language model.
    #[must_use]
    pub fn new(lm: AtlasLm) -> Self {
        Self { lm }
    }

    /// The language model.
    #[must_use]
    pub fn lm(&self) -> &AtlasLm {
        &self.lm
    }

    /// All hidden states [1, tokens, layers + 1, width]; zeros where a token is no protein's. Large: for tests.
    ///
    /// # Errors
    /// When the encoder fails.
    pub fn hidden_states(&self, input: &FoldingInput) -> Result<Tensor> {
        let packing = Packing::new(input, ChainType::Protein)?;
        if packing.is_empty() {
            let shape = (1, packing.tokens(), self.lm.layers() + 1, self.lm.width());
            return Ok(Tensor::zeros(shape, candle_core::DType::F32, input.device())?);
        }
        packing.hidden_states(|sequences, visit| self.lm.stream(sequences, false, visit))
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
        let packing = Packing::new(input, ChainType::Protein)?;
        if packing.is_empty() {
            return encoder.zeros(packing.tokens());
        }
        packing.merged(encoder, |sequences, visit| {
            self.lm.stream(sequences, false, &mut |layer| {
                on_layer(layer.index)?;
                visit(layer)
            })
        })
    }
}
