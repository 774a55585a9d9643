//! Triangle attention of a pair state on the processor, fused.
//!
//! Row by row of the pair state, all in panels of 32 pairs (see [`super::pair`]): queries, keys and values of a row are made
//! where they are used, the scores of 32 queries with all keys of a row fit the cache, the softmax runs along the lanes, and the
//! result is gated, projected and added to the row. Nothing of the size of the scores of all rows ever exists; only the bias
//! [heads, N, N], the same for all rows, is made before.
//!
//! The ending node's attention is the starting node's on the transposed pair state, which is transposed in place and back.

use rayon::prelude::*;

use super::kernel;
use super::pair::{Norm, ROWS, ZERO, add_panel, load_panel, matrix_rows, normalize};
use super::simd::{LANES, Lane, exp, sigmoid, vectorized};

/// The weights of a triangle attention, matrices row by row as PyTorch stores them.
#[derive(Clone, Copy)]
pub struct AttentionWeights<'a> {
    /// Heads.
    pub heads: usize,
    /// Normalisation of the input.
    pub norm: Norm<'a>,
    /// Bias from the third edge [H, C].
    pub bias: &'a [f32],
    /// Queries [C, C].
    pub q: &'a [f32],
    /// Keys [C, C].
    pub k: &'a [f32],
    /// Values [C, C].
    pub v: &'a [f32],
    /// Gate [C, C].
    pub g: &'a [f32],
    /// Projection of the result [C, C].
    pub o: &'a [f32],
}

/// Adds the triangle attention to the pair state.
///
/// `z` [N, N, C] is changed in place. `mask` [N, N] is 0 where an edge must not be attended to; `masked` is added to its score.
/// `ending` attends along columns instead of rows.
pub fn add_triangle_attention(
    z: &mut [f32],
    nodes: usize,
    mask: Option<&[f32]>,
    masked: f32,
    weights: &AttentionWeights<'_>,
    ending: bool,
) {
    let channels = weights.norm.weight.len();
    if z.is_empty() {
        return;
    }
    if ending {
        transpose(z, nodes, channels);
    }
    let bias = bias_panels(z, nodes, weights);
    z.par_chunks_mut(nodes * channels).enumerate().for_each_init(
        || Row::new(nodes, channels),
        |row, (index, z)| {
            for (key, penalty) in row.penalties.iter_mut().enumerate() {
                let place = if ending { key * nodes + index } else { index * nodes + key };
                let kept = mask.map_or(1.0, |mask| mask[place]);
                *penalty = masked * (1.0 - kept);
            }
            row.attend(z, &bias, weights);
        },
    );
    if ending {
        transpose(z, nodes, channels);
    }
}

/// Swaps the pairs (i, j) and (j, i).
fn transpose(z: &mut [f32], nodes: usize, channels: usize) {
    for i in 0..nodes {
        for j in i + 1..nodes {
            let (head, tail) = z.split_at_mut((j * nodes + i) * channels);
            head[(i * nodes + j) * channels..][..channels].swap_with_slice(&mut tail[..channels]);
        }
    }
}

/// The bias of each block of 32 queries, each head and each key: lanes of 32 queries.
fn bias_panels(z: &[f32], nodes: usize, weights: &AttentionWeights<'_>) -> Vec<Lane> {
    let (channels, heads) = (weights.norm.weight.len(), weights.heads);
    let mut bias = vec![ZERO; nodes.div_ceil(LANES) * heads * nodes];
    bias.par_chunks_mut(heads * nodes).enumerate().for_each_init(
        || vec![ZERO; channels],
        |x, (block, bias)| {
            let count = LANES.min(nodes - block * LANES);
            for key in 0..nodes {
                load_panel(z, block * LANES * nodes + key, nodes, count, x);
                normalize(x, weights.norm.weight, weights.norm.bias, weights.norm.eps);
                for head in (0..heads).step_by(ROWS) {
                    let rows = ROWS.min(heads - head);
                    let matrix = matrix_rows(weights.bias, head, channels, 0..channels);
                    kernel::multiply(&matrix[..rows], x, &mut bias[head * nodes + key..], nodes, true);
                }
            }
        },
    );
    bias
}

/// Memory for one row of the pair state, in panels of 32 pairs.
struct Row {
    channels: usize,
    x: Vec<Lane>,
    q: Vec<Lane>,
    k: Vec<Lane>,
    v: Vec<Lane>,
    g: Vec<Lane>,
    /// Scores of 32 queries with all keys.
    scores: Vec<Lane>,
    out: Vec<Lane>,
    /// What is added to the scores of each key.
    penalties: Vec<f32>,
}

impl Row {
    fn new(nodes: usize, channels: usize) -> Self {
        let panels = vec![ZERO; nodes.div_ceil(LANES) * channels];
        Self {
            channels,
            x: panels.clone(),
            q: panels.clone(),
            k: panels.clone(),
            v: panels.clone(),
            g: panels,
            scores: vec![ZERO; nodes],
            out: vec![ZERO; channels],
            penalties: vec![0.0; nodes],
        }
    }

    /// Adds the attention of one row [N, C] to it.
    fn attend(&mut self, z: &mut [f32], bias: &[Lane], weights: &AttentionWeights<'_>) {
        let (channels, nodes, heads) = (self.channels, self.penalties.len(), weights.heads);
        let width = channels / heads;
        for (block, x) in self.x.chunks_exact_mut(channels).enumerate() {
            load_panel(z, block * LANES, 1, LANES.min(nodes - block * LANES), x);
            normalize(x, weights.norm.weight, weights.norm.bias, weights.norm.eps);
        }
        for (matrix, target) in
            [(weights.q, &mut self.q), (weights.k, &mut self.k), (weights.v, &mut self.v), (weights.g, &mut self.g)]
        {
            project(matrix, &self.x, channels, target);
        }
        let scale = 1.0 / (width as f32).sqrt();
        for lane in self.q.as_flattened_mut() {
            *lane *= scale;
        }
        for (block, rows) in z.chunks_mut(LANES * channels).enumerate() {
            for head in 0..heads {
                let bias = &bias[(block * heads + head) * nodes..][..nodes];
                self.attend_head(block, head * width..(head + 1) * width, bias);
            }
            let gated = &mut self.x[block * channels..][..channels];
            project(weights.o, gated, channels, &mut self.out);
            add_panel(&self.out, rows);
        }
    }

    /// One head's attention of 32 queries, gated: to the place of their input, which nobody reads any more.
    fn attend_head(&mut self, block: usize, head: std::ops::Range<usize>, bias: &[Lane]) {
        let (channels, nodes) = (self.channels, self.penalties.len());
        let queries = &self.q[block * channels..][head.clone()];
        let mut tile = [ZERO; LANES];
        for (index, keys) in self.k.chunks_exact(channels).enumerate() {
            kernel::multiply_columns(&keys[head.clone()], queries, &mut tile);
            let keys = index * LANES..nodes.min((index + 1) * LANES);
            add_bias(&tile, &self.penalties[keys.clone()], &bias[keys.clone()], &mut self.scores[keys]);
        }
        let mut norm = ZERO;
        softmax(&mut self.scores, &mut norm);
        let target = &mut self.x[block * channels..][head.clone()];
        for (index, (values, scores)) in self.v.chunks_exact(channels).zip(self.scores.chunks(LANES)).enumerate() {
            for (values, target) in values[head.clone()].chunks(ROWS).zip(target.chunks_mut(ROWS)) {
                let mut rows = [[].as_slice(); ROWS];
                for (row, value) in rows.iter_mut().zip(values) {
                    *row = &value[..scores.len()];
                }
                kernel::multiply(&rows[..values.len()], scores, target, 1, index == 0);
            }
        }
        gate(target, &self.g[block * channels..][head], &norm);
    }
}

/// Panels [.., C] times the rows of a matrix [C, C].
fn project(matrix: &[f32], x: &[Lane], channels: usize, target: &mut [Lane]) {
    for from in (0..channels).step_by(ROWS) {
        let count = ROWS.min(channels - from);
        let rows = matrix_rows(matrix, from, channels, 0..channels);
        for (x, target) in x.chunks_exact(channels).zip(target.chunks_exact_mut(channels)) {
            kernel::multiply(&rows[..count], x, &mut target[from..], 1, true);
        }
    }
}

vectorized! {
    /// The scores of some keys: products, penalty, bias, in the order of the reference.
    fn add_bias(products: &[Lane; LANES], penalties: &[f32], bias: &[Lane], scores: &mut [Lane]) {
        for (((product, &penalty), bias), score) in products.iter().zip(penalties).zip(bias).zip(scores) {
            for i in 0..LANES {
                score[i] = (product[i] + penalty) + bias[i];
            }
        }
    }
}

vectorized! {
    /// e^(score - largest score) of each lane, and one over their sums.
    fn softmax(scores: &mut [Lane], norm: &mut Lane) {
        let mut largest = [f32::NEG_INFINITY; LANES];
        for score in scores.iter() {
            for i in 0..LANES {
                largest[i] = largest[i].max(score[i]);
            }
        }
        let mut sum = ZERO;
        for score in scores.iter_mut() {
            for i in 0..LANES {
                score[i] = exp(score[i] - largest[i]);
                sum[i] += score[i];
            }
        }
        for i in 0..LANES {
            norm[i] = 1.0 / sum[i];
        }
    }
}

vectorized! {
    /// x · norm · sigmoid(g), in place of x.
    fn gate(x: &mut [Lane], g: &[Lane], norm: &Lane) {
        for (x, g) in x.iter_mut().zip(g) {
            for i in 0..LANES {
                x[i] *= norm[i] * sigmoid(g[i]);
            }
        }
    }
}
