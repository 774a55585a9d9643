//! Fused operations on the processor.

pub mod kernel;
pub mod simd;
