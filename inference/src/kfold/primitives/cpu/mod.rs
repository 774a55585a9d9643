//! Fused operations on the processor.

pub(crate) mod access;
pub(crate) mod gated_attention;
pub mod kernel;
pub(crate) mod packed_weights;
pub mod pair;
pub(crate) mod rows;
pub mod simd;
pub mod triangle_attention;
