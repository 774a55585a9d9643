//! Fused operations on the processor.

pub(crate) mod access;
pub mod kernel;
pub mod pair;
pub mod simd;
pub mod triangle_attention;
