//! Peak memory of each encoder on the processor, computed from its sizes: what a plan of a run adds up.
//!
//! Weights are counted as they are stored (two bytes each in the published checkpoints): one block of a streamed stack at a
//! time, all blocks of a resident one, and the pages of the file under the matrix that is being copied: they are let go
//! after it, but at the worst moment a matrix is there twice. Activations are f32. They grow with the sequence positions an encoder packs: residues
//! and two ends of each protein chain (AtlasLM) or RNA chain, residues times apo structures for TriProRep.
//!
//! Measured: AtlasLM at the 3B model's width, f32 weights, 256 positions, 2 threads: 295 MiB computing, 300 MiB computed.

use super::atlaslm::{EXPANSION, VOCABULARY};
use super::transformer::panels::scratch_bytes;
use super::transformer::{Residence, swiglu_width};
use super::triprorep::{BackboneTokenizerConfig, FullAtomTokenizerConfig};
use crate::kfold::config::{ProteinSequenceEncoderConfig, RnaSequenceEncoderConfig, StructureEncoderConfig};
use crate::kfold::primitives::cpu::simd::LANES;

/// Bytes of an activation.
const ACTIVATION: u64 = 4;

/// Peak bytes of one run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeakMemory {
    /// Weights in memory at once.
    pub weights: u64,
    /// Activations and the memory of the threads.
    pub activations: u64,
}

impl PeakMemory {
    /// Both.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.weights + self.activations
    }
}

/// Sizes of a stack of transformer blocks.
struct StackSizes {
    width: u64,
    heads: u64,
    layers: u64,
    /// Width of the feed-forward layer.
    hidden: u64,
    /// Weights of a block's matrices.
    block: u64,
    /// Most weights of a block and of its file's pages at once, while it is read.
    reading: u64,
    /// Weights outside the blocks.
    outside: u64,
}

impl StackSizes {
    fn peak(&self, tokens: usize, weight_bytes: u64, residence: Residence, threads: usize) -> PeakMemory {
        let blocks = match residence {
            Residence::Streamed if self.layers > 0 => self.reading.max(self.block),
            _ => self.layers * self.block,
        };
        let padded = tokens.next_multiple_of(LANES) as u64;
        // State, normalised state, context, merged sum, one row each; queries, keys and values or the hidden layer; angles.
        let features = 4 * self.width + self.hidden.max(3 * self.width) + self.width / self.heads.max(1);
        let scores = threads as u64 * padded * (LANES as u64) * ACTIVATION;
        PeakMemory {
            weights: (blocks + self.outside) * weight_bytes,
            activations: padded * features * ACTIVATION + scores + threads as u64 * scratch_bytes(tokens) as u64,
        }
    }
}

/// Most weights at once while a block with SwiGLU is read: the feed-forward layer first, up and down, then attention.
fn reading(width: u64, hidden: u64) -> u64 {
    let (feed_forward, projections) = (3 * width * hidden, 3 * width * width);
    (4 * width * hidden).max(feed_forward + 2 * projections)
}

/// AtlasLM over `tokens` sequence positions, its weights stored in `weight_bytes` bytes each.
#[must_use]
pub fn atlas_lm(
    config: &ProteinSequenceEncoderConfig,
    tokens: usize,
    weight_bytes: u64,
    residence: Residence,
    threads: usize,
) -> PeakMemory {
    let (width, hidden) = (config.d_model as u64, swiglu_width(config.d_model, EXPANSION) as u64);
    StackSizes {
        width,
        heads: config.n_heads as u64,
        layers: config.n_layers as u64,
        hidden,
        block: 4 * width * width + 3 * width * hidden,
        reading: reading(width, hidden),
        outside: VOCABULARY as u64 * width,
    }
    .peak(tokens, weight_bytes, residence, threads)
}

/// The RNA model over `tokens` sequence positions.
#[must_use]
pub fn rna(
    config: &RnaSequenceEncoderConfig,
    tokens: usize,
    weight_bytes: u64,
    residence: Residence,
    threads: usize,
) -> PeakMemory {
    let (width, hidden) = (config.d_model as u64, swiglu_width(config.d_model, EXPANSION) as u64);
    let experts = if config.use_moe { super::rna::EXPERTS as u64 } else { 1 };
    let mut peak = StackSizes {
        width,
        heads: config.n_heads as u64,
        layers: config.n_layers as u64,
        hidden,
        block: 4 * width * width + 3 * width * hidden * experts,
        reading: reading(width, hidden * experts),
        outside: config.vocab_size as u64 * width,
    }
    .peak(tokens, weight_bytes, residence, threads);
    // An expert's tokens, hidden layer and results beside the stack's own.
    peak.activations += tokens.next_multiple_of(LANES) as u64 * (2 * width + hidden) * ACTIVATION;
    peak
}

/// TriProRep's encoder over `tokens` residues of all apo structures; its weights are always bf16.
#[must_use]
pub fn structure_encoder(
    config: &StructureEncoderConfig,
    tokens: usize,
    residence: Residence,
    threads: usize,
) -> PeakMemory {
    const BF16: u64 = 2;
    let width = config.d_model as u64;
    let embeddings = 37 + 2 * 516;
    StackSizes {
        width,
        heads: config.n_heads as u64,
        layers: config.n_layers as u64,
        hidden: 4 * width,
        block: 12 * width * width,
        // The last matrix twice.
        reading: 16 * width * width,
        outside: embeddings * width + 3 * width * width,
    }
    .peak(tokens, BF16, residence, threads)
}

/// The backbone tokenizer, whose weights are packed as f32; its activations do not grow with the chain.
#[must_use]
pub fn backbone_tokenizer(config: &BackboneTokenizerConfig, residues: usize, threads: usize) -> PeakMemory {
    let (width, heads, out) = (config.d_model as u64, config.v_heads as u64, config.d_out as u64);
    let hidden = swiglu_width(config.d_model, 4.0) as u64;
    let block = 18 * heads * width + 3 * width * hidden;
    let codes = config.codebook_size as u64;
    let rows = super::triprorep::bb_tokenizer::ROWS_A_TASK as u64;
    PeakMemory {
        weights: ACTIVATION * (config.n_layers as u64 * block + width * out + codes * out + out * out),
        activations: ACTIVATION
            * (threads as u64 * rows * (3 * width + 33 * heads + 3 * hidden) + residues as u64 * (2 * out + codes)),
    }
}

/// The full-atom tokenizer, whose weights are packed as f32; its activations are those of one residue a thread.
#[must_use]
pub fn full_atom_tokenizer(config: &FullAtomTokenizerConfig, residues: usize, threads: usize) -> PeakMemory {
    let (width, pair, layers) = (config.d_model as u64, config.d_pair as u64, config.n_layers as u64);
    let updates = (layers.saturating_sub(1)).div_ceil(config.update_pair_repr_every_n.max(1) as u64);
    let features = (4 + 1 + 2 * (63 + 88) + 37 * 5) * width + 8 * width * width;
    let layer = 18 * pair * pair + 13 * width * width;
    let update = 2 * width * pair + 16 * pair * pair;
    let pooling =
        38 * width * width + width * config.d_out as u64 + 2 * config.codebook_size as u64 * config.d_out as u64;
    // A side chain's 14 atoms and the pixels around their pairs.
    let pixels = 14 * 14 * 8 + 24 * 24;
    PeakMemory {
        weights: ACTIVATION * (features + 3 * width * width + layers * layer + updates * update + pooling),
        activations: ACTIVATION
            * (threads as u64 * (pixels * pair + 64 * width + 37 * width)
                + residues as u64 * (2 * config.d_out + config.codebook_size + 37 * 4 + 200) as u64),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_language_model_streams_in_a_fraction_of_its_size() {
        let config = ProteinSequenceEncoderConfig::default();
        let streamed = atlas_lm(&config, 502, 2, Residence::Streamed, 2);
        let resident = atlas_lm(&config, 502, 2, Residence::Resident, 2);
        // 48 layers of 63.7 million weights; 74.3 million while queries, keys and values are read.
        assert_eq!(streamed.weights, 2 * (3 * 2304 * 6144 + 6 * 2304 * 2304 + 64 * 2304));
        assert_eq!(resident.weights, 2 * (48 * 63_700_992 + 64 * 2304));
        assert_eq!(streamed.activations, resident.activations);
        assert!(streamed.total() < 200 << 20, "{streamed:?}");
    }

    #[test]
    fn tokenizers_count_their_weights() {
        // 32.6 and 11.5 million parameters, and a table here and there.
        let backbone = backbone_tokenizer(&BackboneTokenizerConfig::default(), 0, 0).weights / 4;
        assert!((31_500_000..34_000_000).contains(&backbone), "{backbone}");
        let full_atom = full_atom_tokenizer(&FullAtomTokenizerConfig::default(), 0, 0).weights / 4;
        assert!((11_000_000..12_000_000).contains(&full_atom), "{full_atom}");
    }
}
