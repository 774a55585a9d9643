//! The frozen encoders: language models of proteins and RNA, and the structure encoder with its tokenizers.
//!
//! They are larger than everything else together (3.1, 1.0 and 2.6 billion parameters) and run once before the trunk, so each
//! is streamed: block by block from the memory-mapped checkpoint, leaving only what the trunk needs
//! ([`transformer::Residence`]).
//!
//! - [`atlaslm`]: AtlasLM and its use for the proteins of a query.
//! - [`rna`]: the RNA model and its mixture of experts.
//! - [`triprorep`]: structure tokens and their encoder.
//! - [`lm_encoder`]: merges an encoder's layers for the trunk.
//! - [`memory`]: the peak memory of each, computed.
//! - [`packing`] and [`transformer`]: what they share.

pub mod atlaslm;
pub mod lm_encoder;
pub mod memory;
pub mod packing;
pub mod rna;
pub mod transformer;
pub mod triprorep;

pub use atlaslm::{AtlasLm, LmOutput, ProteinSequenceEncoder};
pub use lm_encoder::LmEncoder;
pub use rna::RnaSequenceEncoder;
pub use transformer::{Layer, Residence, Sequences};
pub use triprorep::{
    BackboneTokenizer, BackboneTokenizerConfig, FullAtomTokenizer, FullAtomTokenizerConfig, StructureEncoder,
    StructureTokenizer, TriProRepEncoder,
};
