//! The modules of the model, one a file, as the reference names them.

mod lm_to_pair;

pub use lm_to_pair::LmToPair;
