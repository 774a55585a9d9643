//! AtlasFold: structures of single chains, and of pairs of chains, from their sequences alone.
//!
//! K-Fold starts from apo structures. Where none is given, AtlasFold makes them, or AtlasFold-M for chains that belong
//! together. [`apo`] goes from sequences to structures; [`model`] is the network, in the vocabulary of AtlasFold 1.0.4 and
//! with the parameter names of its checkpoints; the trunk's layers are K-Fold's under other names (`names.rs`).
//!
//! Where randomness enters: the amino acids hidden from the language model in each cycle, and the sampler. Both draw at the
//! padded length ([`features`]).

pub mod apo;
pub mod atom_attention;
pub mod confidence_head;
pub mod confidence_metrics;
pub mod config;
pub mod diffusion_head;
pub mod distogram_head;
pub mod features;
pub mod lm_embedder;
pub mod model;
mod names;
mod normed_linear;
pub mod pair_block;
pub mod relative_positions;
pub mod residues;
pub mod solvent_accessibility;
pub mod template;
pub mod watch;

pub use config::AtlasFoldConfig;
pub use model::AtlasFold;
