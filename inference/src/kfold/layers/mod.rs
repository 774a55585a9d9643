//! Layers of the folding networks, above the primitives and below the modules (K-Fold 1.0.0, layers/folding).

pub mod adaptive_layer_norm;
pub mod atom_transformer;
pub mod attention_pair_bias;
pub mod conditioned_transition;
pub mod diffusion_transformer;
pub mod embeddings;
pub mod pairformer;
pub mod projection;
pub mod torch_random;
pub mod windows;
