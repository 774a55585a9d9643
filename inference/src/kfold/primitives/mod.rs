//! Primitives shared by all networks: linear maps, normalisation, activations, triangle updates, attention, transitions.
//!
//! Each is first a plain candle composition, which holds on every device and is the oracle of the tests. What is slow that
//! way on the processor has a fused form in [`cpu`], on an NVIDIA card one in `cuda`; adding in place takes them by itself.

pub mod activation;
pub mod attention;
pub mod cpu;
#[cfg(any(test, feature = "cuda"))]
pub(crate) mod cuda;
mod layer_norm;
mod linear;
#[cfg(test)]
mod tests;
mod transition;
pub mod triangle_attention;
pub mod triangle_multiplication;

pub use attention::scaled_dot_product_attention;
pub use layer_norm::{LayerNorm, LayerNormParts};
pub use linear::{Linear, exact};
pub use transition::{SwiGlu, Transition};
pub use triangle_attention::TriangleAttention;
pub use triangle_multiplication::TriangleMultiplication;
