//! Attention with pair bias and gate on the processor: everything between the projections in and the projection out.
//!
//! A task is one head of one sample. It packs the head's keys and values, then takes the queries a block at a time: logits,
//! softmax and weighted values of a block stay in the cache, so nothing of size queries x keys is ever stored whole. The
//! local form does the same for windows of atoms: a window's keys are a range of atoms around its queries, read where they
//! lie, so that keys and values are projected once per atom and not once per window that sees it.

use rayon::prelude::*;

use super::kernel;
use super::packed_weights::pack_columns;
use super::rows::{gate, gate_in_place, softmax};
use super::simd::{LANES, Lane};

/// Queries of a block.
const QUERIES: usize = 48;
/// Logit of a masked key, as in the reference: far below all others, yet equal for all if all are masked.
const MASKED: f32 = -1e9;

/// Buffers of a thread.
#[derive(Default)]
struct Buffers {
    /// [panels of keys, width].
    keys: Vec<Lane>,
    /// [panels of the width, keys].
    values: Vec<Lane>,
    queries: Vec<f32>,
    logits: Vec<Lane>,
    attended: Vec<Lane>,
}

/// Rows within a larger matrix.
#[derive(Clone, Copy)]
struct Rows<'a> {
    numbers: &'a [f32],
    offset: usize,
    stride: usize,
}

impl<'a> Rows<'a> {
    fn row(&self, index: usize) -> &'a [f32] {
        &self.numbers[self.offset + index * self.stride..]
    }
}

/// One head of one sample.
struct Head<'a> {
    query: Rows<'a>,
    key: Rows<'a>,
    value: Rows<'a>,
    /// Width of a head.
    width: usize,
    keys: usize,
    scale: f32,
    /// 0 where a key counts, [`MASKED`] where not.
    mask: &'a [f32],
}

impl Head<'_> {
    fn pack(&self, buffers: &mut Buffers) {
        let (keys, width) = (self.keys, self.width);
        buffers.keys.resize(keys.div_ceil(LANES) * width, [0.0; LANES]);
        for (index, panel) in buffers.keys.chunks_exact_mut(width).enumerate() {
            let first = index * LANES;
            pack_columns(panel, (first..keys.min(first + LANES)).map(|key| self.key.row(key)));
        }
        buffers.values.resize(width.div_ceil(LANES) * keys, [0.0; LANES]);
        for (index, panel) in buffers.values.chunks_exact_mut(keys).enumerate() {
            let first = index * LANES;
            let count = LANES.min(width - first);
            for (key, lane) in panel.iter_mut().enumerate() {
                lane[..count].copy_from_slice(&self.value.row(key)[first..first + count]);
                lane[count..].fill(0.0);
            }
        }
    }

    /// Weighted values of `count` queries from `first` into rows of `out` that begin `stride` apart. `bias(q)` is the bias
    /// of query q, one number a key.
    fn attend<'b>(
        &self,
        buffers: &mut Buffers,
        (first, count): (usize, usize),
        bias: impl Fn(usize) -> &'b [f32],
        out: &mut [f32],
        stride: usize,
    ) {
        let (keys, width) = (self.keys, self.width);
        buffers.queries.resize(count * width, 0.0);
        for (query, target) in buffers.queries.chunks_exact_mut(width).enumerate() {
            target.copy_from_slice(&self.query.row(first + query)[..width]);
        }
        let queries: Vec<&[f32]> = buffers.queries.chunks_exact(width).collect();
        let pitch = keys.div_ceil(LANES);
        buffers.logits.resize(count * pitch, [0.0; LANES]);
        for (index, panel) in buffers.keys.chunks_exact(width).enumerate() {
            kernel::multiply(&queries, panel, &mut buffers.logits[index..], pitch, true);
        }
        for (query, logits) in buffers.logits.as_flattened_mut().chunks_exact_mut(pitch * LANES).enumerate() {
            softmax(&mut logits[..keys], &bias(first + query)[..keys], self.mask, self.scale);
        }
        let weights: Vec<&[f32]> =
            buffers.logits.as_flattened().chunks_exact(pitch * LANES).map(|row| &row[..keys]).collect();
        let pitch = width.div_ceil(LANES);
        buffers.attended.resize(count * pitch, [0.0; LANES]);
        for (index, panel) in buffers.values.chunks_exact(keys).enumerate() {
            kernel::multiply(&weights, panel, &mut buffers.attended[index..], pitch, true);
        }
        for (query, attended) in buffers.attended.as_flattened().chunks_exact(pitch * LANES).enumerate() {
            out[query * stride..query * stride + width].copy_from_slice(&attended[..width]);
        }
    }
}

/// From 1 where a key counts to what is compared with its logit.
fn logit_mask(mask: &[u8]) -> Vec<f32> {
    mask.iter().map(|valid| if *valid == 0 { MASKED } else { 0.0 }).collect()
}

/// Sizes of the attention of all tokens to all.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AttentionSizes {
    /// Samples.
    pub(crate) batch: usize,
    /// Tokens.
    pub(crate) length: usize,
    /// Heads.
    pub(crate) heads: usize,
    /// Width of all heads together.
    pub(crate) channel: usize,
}

/// Gated attention of all tokens to all: `projections` [batch, L, 4C] (query, key, value, gate logits), `bias`
/// [batch or fewer, H, L, L], `mask` [batch or fewer, L] (1 where a key counts); gives sigmoid(gate) · attended
/// [batch, L, C]. Fewer biases or masks than samples are shared by as many samples each; they must divide the samples.
pub(crate) fn gated_attention(sizes: AttentionSizes, projections: &[f32], bias: &[f32], mask: &[u8]) -> Vec<f32> {
    let AttentionSizes { batch, length, heads, channel } = sizes;
    let (width, all) = (channel / heads, 4 * channel);
    let per_bias = batch / (bias.len() / (heads * length * length).max(1)).max(1);
    let per_mask = batch / (mask.len() / length.max(1)).max(1);
    let mask = logit_mask(mask);
    if batch * length * channel == 0 {
        return Vec::new();
    }
    // Each head by itself, then the heads side by side under their gates.
    let mut attended = vec![0.0; batch * length * channel];
    attended.par_chunks_mut(length * width).enumerate().for_each_init(Buffers::default, |buffers, (index, out)| {
        let (entry, h) = (index / heads, index % heads);
        let rows = |part: usize| Rows {
            numbers: projections,
            offset: entry * length * all + part * channel + h * width,
            stride: all,
        };
        let bias = &bias[(entry / per_bias * heads + h) * length * length..][..length * length];
        let head = Head {
            query: rows(0),
            key: rows(1),
            value: rows(2),
            width,
            keys: length,
            scale: 1.0 / (width as f32).sqrt(),
            mask: &mask[entry / per_mask * length..][..length],
        };
        head.pack(buffers);
        for first in (0..length).step_by(QUERIES) {
            let count = QUERIES.min(length - first);
            let out = &mut out[first * width..(first + count) * width];
            head.attend(buffers, (first, count), |query| &bias[query * length..], out, width);
        }
    });
    let mut out = vec![0.0; batch * length * channel];
    out.par_chunks_mut(channel).with_min_len(16).enumerate().for_each(|(row, out)| {
        let (entry, query) = (row / length, row % length);
        let gates = &projections[row * all + 3 * channel..][..channel];
        for (h, (out, gates)) in out.chunks_exact_mut(width).zip(gates.chunks_exact(width)).enumerate() {
            gate(out, &attended[((entry * heads + h) * length + query) * width..][..width], gates);
        }
    });
    out
}

/// Sizes of the attention of atoms in windows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WindowSizes {
    /// Atoms.
    pub(crate) atoms: usize,
    /// Width of all heads together.
    pub(crate) channel: usize,
    /// Heads.
    pub(crate) heads: usize,
    /// Queries of a window; they divide the atoms.
    pub(crate) queries: usize,
    /// Keys of a window.
    pub(crate) keys: usize,
    /// Atoms between a window's first key and its first query.
    pub(crate) before: usize,
}

/// Gated attention of atoms within windows: `query` (queries and gate logits) and `key` (keys and values), both
/// [samples, N, 2C], `bias` [windows, H, queries, keys], `mask` [N] (1 where an atom counts); gives
/// sigmoid(gate) · attended [samples, N, C].
///
/// Keys beyond either end do not exist. A window without any real key has padded queries alone, whose numbers nobody reads.
pub(crate) fn gated_window_attention(
    sizes: WindowSizes,
    query: &[f32],
    key: &[f32],
    bias: &[f32],
    mask: &[u8],
) -> Vec<f32> {
    let WindowSizes { atoms, channel, heads, queries, keys, before } = sizes;
    let (width, both, windows) = (channel / heads, 2 * channel, atoms / queries);
    let mask = logit_mask(mask);
    let mut out = vec![0.0; query.len() / 2];
    out.par_chunks_mut(queries * channel).enumerate().for_each_init(Buffers::default, |buffers, (index, out)| {
        let (sample, window) = (index / windows, index % windows);
        let first = window * queries;
        // The keys that exist: from `start` to `end`, of which the first is the window's key number `skipped`.
        let start = first.saturating_sub(before);
        let skipped = start + before - first;
        let end = (first + keys - before).min(atoms);
        for h in 0..heads {
            let rows = |numbers, atom: usize, part: usize| Rows {
                numbers,
                offset: (sample * atoms + atom) * both + part * channel + h * width,
                stride: both,
            };
            let head = Head {
                query: rows(query, first, 0),
                key: rows(key, start, 0),
                value: rows(key, start, 1),
                width,
                keys: end - start,
                scale: 1.0 / (width as f32).sqrt(),
                mask: &mask[start..end],
            };
            head.pack(buffers);
            let bias = &bias[(window * heads + h) * queries * keys..][..queries * keys];
            let bias = |query: usize| &bias[query * keys + skipped..];
            head.attend(buffers, (0, queries), bias, &mut out[h * width..], channel);
        }
        for (row, out) in out.chunks_exact_mut(channel).enumerate() {
            let gates = &query[(sample * atoms + first + row) * both + channel..][..channel];
            gate_in_place(out, gates);
        }
    });
    out
}
