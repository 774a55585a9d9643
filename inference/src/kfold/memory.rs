//! Peak memory of the trunk on the processor, computed from the sizes: what a plan of a run adds up, beside the encoders'
//! ([`super::encoders::memory`]).
//!
//! Measured against these numbers: see `docs/benchmarks.md`.

use super::config::KFoldConfig;
use super::encoders::memory::PeakMemory;
use super::primitives::cpu::pair;

/// Bytes of a number.
const NUMBER: u64 = 4;

/// The cycles of the trunk over `tokens` tokens (padded, as the model sees them), all weights of the network in memory as f32.
///
/// In memory together: the pair state, the query's pair features, the encoders', these after dropout, the dropout's mask
/// (twice, a byte each), and what a triangle multiplication works in.
#[must_use]
pub fn trunk(config: &KFoldConfig, parameters: u64, tokens: usize) -> PeakMemory {
    let channels = config.channel_z;
    let state = (tokens * tokens * channels) as u64 * NUMBER;
    let mask = (tokens * tokens * channels) as u64;
    let workspace = pair::workspace_bytes(tokens, channels);
    PeakMemory { weights: parameters * NUMBER, activations: 3 * state + (state + 2 * mask).max(state + workspace) }
}

/// The numbers of a network: those of the tensors it expects.
///
/// # Errors
/// When the configuration cannot be built.
pub fn parameters(config: &KFoldConfig) -> super::Result<u64> {
    let expected = super::model::expected_tensors(config)?;
    Ok(expected.tensors.iter().map(|tensor| tensor.shape.iter().product::<usize>() as u64).sum())
}
