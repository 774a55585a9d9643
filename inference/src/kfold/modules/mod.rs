//! The modules of the model, one a file, as the reference names them.

mod lm_to_pair;
mod parcae;
mod tri_stack;

pub use lm_to_pair::LmToPair;
pub use parcae::Parcae;
pub use tri_stack::{TriangularBlock, TriangularStack};
