//! The modules of the model, one a file, as the reference names them.

pub mod affinity_head;
pub mod apo_module;
pub mod confidence_head;
pub mod confidence_metrics;
pub mod distogram_head;
pub mod ecsi;
pub mod input_embedder;
mod lm_to_pair;
mod parcae;
pub mod patch_geometry;
pub mod score_model;
mod tri_stack;

pub use lm_to_pair::LmToPair;
pub use parcae::Parcae;
pub use tri_stack::{TriangularBlock, TriangularStack};
