//! Fused operations on the processor.
