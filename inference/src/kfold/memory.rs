//! Peak memory of each stage of a prediction on the processor, computed from the sizes: what a [plan](super::plan) adds up. The
//! encoders' is in [`super::encoders::memory`].
//!
//! Weights of K-Fold's own network and of AtlasFold are in memory as [`super::precision`] says: how many bytes, the plan gives. Pair
//! states are f32 [N, N, c]. Only what grows with the query or is as large as a pair state is counted. Measured against these numbers:
//! `docs/benchmarks.md`.
//!
//! A card holds the same, but what a triangle multiplication works in ([`Place`]). Those numbers have not been measured.

use super::atlasfold::AtlasFoldConfig;
use super::config::{KFoldConfig, ProteinSequenceEncoderConfig};
use super::encoders::Residence;
use super::encoders::memory::{PeakMemory, atlas_lm};
use super::primitives::cpu::pair;

/// Bytes of a number.
const NUMBER: u64 = 4;
/// What a card holds before any tensor is there: the driver's context, cuBLAS and the kernels. An estimate.
pub const CARD_PROGRAM: u64 = 768 << 20;
/// Keys of a window of atoms: each atom is paired with so many.
const KEYS: u64 = 128;
/// Pairs that the score model conditions at a time.
const CONDITIONED_PAIRS: u64 = 1 << 13;
/// Atoms of a residue in AtlasFold.
const ATOM14: u64 = 14;

/// Where a stage runs, as far as its memory is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In the processor's memory.
    Processor,
    /// In a card's, with matrices that autocast rounds in so many bytes a number.
    Card(u64),
}

impl Place {
    /// What is in memory beside the pair states while a pair block runs over `tokens` tokens and `channels` channels.
    ///
    /// On a card a triangle multiplication has at once its normalised input, projections, gates, and both sides of the product: 7
    /// tensors of pairs x channels in the type that is multiplied. The transition, taken in pieces, and triangle attention have less.
    fn pair_work(self, tokens: usize, channels: usize) -> u64 {
        match self {
            Self::Processor => pair::workspace_bytes(tokens, channels),
            Self::Card(number) => 7 * pairs(tokens) * channels as u64 * number,
        }
    }

    /// What mixes the states of a cycle has five of them at once on a card; the processor does it in place.
    fn mixing(self, state: u64) -> u64 {
        match self {
            Self::Processor => 0,
            Self::Card(_) => 5 * state,
        }
    }
}

fn pairs(tokens: usize) -> u64 {
    (tokens * tokens) as u64
}

/// The cycles of the trunk over `tokens` tokens (padded, as the model sees them), all weights of the network in memory.
///
/// In memory together: the pair state, the query's pair features, the encoders', these after dropout, the dropout's mask
/// (twice, a byte each), and what a triangle multiplication works in.
#[must_use]
pub fn trunk(config: &KFoldConfig, weight_bytes: u64, tokens: usize, place: Place) -> PeakMemory {
    let channels = config.channel_z;
    let state = pairs(tokens) * channels as u64 * NUMBER;
    let mask = pairs(tokens) * channels as u64;
    let work = place.pair_work(tokens, channels).max(place.mixing(state));
    PeakMemory { weights: weight_bytes, activations: 3 * state + (state + 2 * mask).max(state + work) }
}

/// A trajectory of the score model over `tokens` tokens and `atoms` atoms (both padded), `at_once` samples at a time.
///
/// The trunk's pair state stays. Beside it the trajectory holds the pair biases of all token blocks, the tokens' pairs as the
/// atoms take them, and for each atom its biases in all blocks and its conditions. The most is there either while atoms are
/// embedded, with several tensors of atom pairs at once, or in a step, with all samples' tokens and atoms.
#[must_use]
pub fn sampler(config: &KFoldConfig, weight_bytes: u64, tokens: usize, atoms: usize, at_once: usize) -> PeakMemory {
    let score = &config.score_model;
    let (tokens_count, atoms, at_once) = (tokens as u64, atoms as u64, at_once.max(1) as u64);
    let state = pairs(tokens) * config.channel_z as u64;
    let biases = pairs(tokens) * (score.token_transformer_blocks * score.token_transformer_heads) as u64;
    let atom_pair = score.channel_atompair as u64;
    let encoders = if score.separate_endpoint_atom_encoder { 2 } else { 1 };
    let atom_heads = encoders * (score.atom_encoder_blocks * score.atom_encoder_heads) as u64
        + (score.atom_decoder_blocks * score.atom_decoder_heads) as u64;
    let atom_blocks = encoders * score.atom_encoder_blocks as u64 + score.atom_decoder_blocks as u64;
    // Of each atom in each block: scale and shift of queries, keys and transition, and two gates.
    let conditions = atom_blocks * atoms * 8 * score.channel_atom as u64;
    let atom_biases = atom_heads * atoms * KEYS;
    let embedding =
        pairs(tokens) * atom_pair + 5 * atoms * KEYS * atom_pair + 8 * CONDITIONED_PAIRS * config.channel_z as u64;
    let (token, atom) = (score.channel_a as u64, score.channel_atom as u64);
    let step = at_once * (tokens_count * 9 * token + atoms * 10 * atom) + 2 * atoms * token;
    let kept = state + biases + conditions + atom_biases;
    PeakMemory { weights: weight_bytes, activations: NUMBER * (kept + embedding.max(step)) }
}

/// The confidence head over `tokens` tokens, one sample at a time: the trunk's pair state, the same with the single features, the
/// sample's own, and either what a triangle multiplication works in or the logits.
#[must_use]
pub fn confidence(config: &KFoldConfig, weight_bytes: u64, tokens: usize, place: Place) -> PeakMemory {
    let head = &config.confidence_head;
    let state = pairs(tokens) * config.channel_z as u64 * NUMBER;
    let workspace = place.pair_work(tokens, config.channel_z) + state;
    // One-hot distances and their indices, and the sum that takes them in.
    let distances = pairs(tokens) * (head.num_bins as u64 * NUMBER + 8) + state;
    let logits = pairs(tokens) * (2 * head.num_pae_bins + 4 * head.num_pde_bins) as u64 * NUMBER + state;
    PeakMemory { weights: weight_bytes, activations: 3 * state + workspace.max(distances).max(logits) }
}

/// AtlasFold, or AtlasFold-M, over chains of `residues` residues in all (padded, as the model sees them), with AtlasLM streamed
/// beside it, its weights stored in `lm_weight_bytes` bytes each.
///
/// In each cycle the language model's attention of all heads and its projection are summed over the layers beside three pair
/// states; then come the pair blocks, with five and what a triangle multiplication works in; in the sampler the pair biases
/// of all blocks and the atoms of five samples.
#[must_use]
pub fn atlasfold(
    config: &AtlasFoldConfig,
    lm: &ProteinSequenceEncoderConfig,
    weight_bytes: u64,
    residues: usize,
    lm_weight_bytes: u64,
    (threads, place): (usize, Place),
) -> PeakMemory {
    /// Samples at once.
    const AT_ONCE: u64 = 5;
    let language = atlas_lm(lm, residues + 2, lm_weight_bytes, Residence::Streamed, threads);
    let state = pairs(residues) * config.channel_z as u64 * NUMBER;
    let reading = 3 * state + 3 * state + 4 * pairs(residues) * lm.n_heads as u64 * NUMBER + language.total();
    let blocks = 5 * state + place.pair_work(residues, config.channel_z);
    let head = &config.diffusion_head;
    let biases = pairs(residues) * (head.num_blocks * head.num_heads) as u64 * NUMBER;
    let residues = residues as u64;
    let atoms = AT_ONCE * residues * ATOM14 * (2 * head.channel_a + 8 * head.channel_atom) as u64 * NUMBER;
    let sampling = state + biases + atoms + AT_ONCE * residues * 9 * head.channel_a as u64 * NUMBER;
    PeakMemory { weights: weight_bytes, activations: reading.max(blocks).max(sampling) }
}

/// The numbers of a network: those of the tensors it expects.
///
/// # Errors
/// When the configuration cannot be built.
pub fn parameters(config: &KFoldConfig) -> super::Result<u64> {
    let expected = super::model::expected_tensors(config)?;
    Ok(expected.tensors.iter().map(|tensor| tensor.shape.iter().product::<usize>() as u64).sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    const FULL: u64 = 338_514_812;

    #[test]
    fn pair_states_rule_large_queries_and_samples_small_ones() {
        let config = KFoldConfig::published_full().unwrap();
        let state = |tokens: u64| 4 * 256 * tokens * tokens;
        let trunk_500 = trunk(&config, 4 * FULL, 512, Place::Processor);
        assert_eq!(trunk_500.weights, 4 * FULL);
        assert!((5 * state(512)..7 * state(512)).contains(&trunk_500.activations), "{trunk_500:?}");
        let one = sampler(&config, 4 * FULL, 64, 1024, 1).activations;
        let many = sampler(&config, 4 * FULL, 64, 1024, 100).activations;
        assert!(one < many && many < 100 * one, "{one} {many}");
        // Twice the tokens, four times the pairs.
        let growth = sampler(&config, 4 * FULL, 1024, 8192, 1).activations as f64
            / sampler(&config, 4 * FULL, 512, 4096, 1).activations as f64;
        assert!((3.0..4.0).contains(&growth), "{growth}");
        assert!(confidence(&config, 4 * FULL, 512, Place::Processor).total() < trunk_500.total() + state(512));
    }

    #[test]
    fn a_laptop_runs_the_full_model_at_500_tokens() {
        let config = KFoldConfig::published_full().unwrap();
        let monomer = AtlasFoldConfig::published_monomer().unwrap();
        let stages = [
            trunk(&config, 4 * FULL, 512, Place::Processor),
            sampler(&config, 4 * FULL, 512, 4096, 5),
            confidence(&config, 4 * FULL, 512, Place::Processor),
            atlasfold(&monomer, &config.protein_sequence_encoder, 4 * 214_647_863, 512, 2, (4, Place::Processor)),
        ];
        for stage in stages {
            assert!(stage.total() < 12 << 30, "{stage:?}");
        }
    }

    #[test]
    fn a_card_of_12_gib_has_room_for_the_full_model_at_500_tokens() {
        let config = KFoldConfig::published_full().unwrap();
        for number in [2, 4] {
            for stage in [trunk, confidence] {
                let peak = stage(&config, 4 * FULL, 512, Place::Card(number)).total();
                assert!(peak + CARD_PROGRAM < 8 << 30, "{peak}");
            }
        }
    }
}
