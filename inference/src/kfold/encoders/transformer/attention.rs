//! Attention within packed sequences on the processor, in panels.
//!
//! One task computes one head for 32 queries: their scores against all keys of the same sequences (a panel of keys times a
//! panel of queries), softmax along the keys lane by lane, and values times weights. No L x L matrix is kept beyond
//! L x 32 values a thread, and nothing is transposed.

use rayon::prelude::*;

use super::panels::{Panels, normalize};
use super::rotary::Rotary;
use crate::kfold::primitives::cpu::kernel::{multiply, multiply_columns};
use crate::kfold::primitives::cpu::simd::{LANES, Lane, exp, vectorized};

/// Which tokens may see each other.
#[derive(Clone, Debug)]
pub struct Groups {
    /// Group of each token; the filling of the last panel has one of its own.
    lanes: Vec<[i64; LANES]>,
    /// The groups within each panel, sorted.
    present: Vec<Vec<i64>>,
}

impl Groups {
    /// Tokens with equal numbers see each other. Numbers must be above `i64::MIN`.
    pub fn new(groups: &[i64]) -> Self {
        let lanes: Vec<[i64; LANES]> = groups
            .chunks(LANES)
            .map(|chunk| std::array::from_fn(|i| chunk.get(i).copied().unwrap_or(i64::MIN)))
            .collect();
        let present = lanes
            .iter()
            .map(|lanes| {
                let mut present = lanes.to_vec();
                present.sort_unstable();
                present.dedup();
                present
            })
            .collect();
        Self { lanes, present }
    }

    /// Whether a query of panel `a` may see a key of panel `b`.
    fn meet(&self, a: usize, b: usize) -> bool {
        self.present[a].iter().any(|group| self.present[b].binary_search(group).is_ok())
    }

    /// Sets the scores of keys (rows) that a query (lane) may not see to -inf.
    fn mask(&self, queries: usize, keys: usize, scores: &mut [Lane]) {
        if self.present[queries].len() == 1 && self.present[queries] == self.present[keys] {
            return;
        }
        for (row, key) in scores.iter_mut().zip(&self.lanes[keys]) {
            for (score, query) in row.iter_mut().zip(&self.lanes[queries]) {
                if key != query {
                    *score = f32::NEG_INFINITY;
                }
            }
        }
    }
}

/// Normalisation of queries and keys over all heads.
pub struct QueryKeyNorm<'a> {
    /// Scale of the queries.
    pub query: &'a [f32],
    /// Scale of the keys.
    pub key: &'a [f32],
    /// Added to the variance.
    pub eps: f32,
}

/// Normalises (where there is a norm) and turns queries and keys of `qkv` [3 · width features] in place.
pub fn prepare(qkv: &mut Panels, heads: usize, norm: Option<&QueryKeyNorm<'_>>, rotary: &Rotary) {
    let width = qkv.features() / 3;
    let half = width / heads / 2;
    qkv.lanes_mut().par_chunks_mut(3 * width).enumerate().for_each(|(p, panel)| {
        let (queries, rest) = panel.split_at_mut(width);
        let keys = &mut rest[..width];
        if let Some(norm) = norm {
            normalize(queries, norm.query, None, norm.eps);
            normalize(keys, norm.key, None, norm.eps);
        }
        let (cos, sin) = (rotary.cos.panel(p), rotary.sin.panel(p));
        turn(queries, half, cos, sin);
        turn(keys, half, cos, sin);
    });
}

vectorized! {
    /// Rotary embedding: feature i of a head with feature i + half.
    fn turn(rows: &mut [Lane], half: usize, cos: &[Lane], sin: &[Lane]) {
        for head in rows.chunks_exact_mut(2 * half) {
            let (first, second) = head.split_at_mut(half);
            for ((a, b), (cos, sin)) in first.iter_mut().zip(second).zip(cos.iter().zip(sin)) {
                for i in 0..LANES {
                    let (x, y) = (a[i], b[i]);
                    a[i] = x * cos[i] - y * sin[i];
                    b[i] = y * cos[i] + x * sin[i];
                }
            }
        }
    }
}

/// softmax(scale · q kᵀ) v within groups: `qkv` [3 · width features] gives [width].
pub fn attend(qkv: &Panels, heads: usize, scale: f32, groups: &Groups, out: &mut Panels) {
    let width = qkv.features() / 3;
    let head_width = width / heads;
    out.reshape(width, qkv.tokens());
    out.lanes_mut().par_chunks_mut(head_width).enumerate().for_each_init(
        Vec::new,
        |scores: &mut Vec<Lane>, (i, target)| {
            let (panel, head) = (i / heads, i % heads);
            let part = |panel: usize, kind: usize| &qkv.panel(panel)[kind * width + head * head_width..][..head_width];
            let seen: Vec<usize> = (0..qkv.count()).filter(|&keys| groups.meet(panel, keys)).collect();
            scores.resize(seen.len() * LANES, [0.0; LANES]);
            let queries = part(panel, 0);
            for (&keys, tile) in seen.iter().zip(scores.as_chunks_mut::<LANES>().0) {
                multiply_columns(part(keys, 1), queries, tile);
                groups.mask(panel, keys, tile);
            }
            let mut sum = [0.0; LANES];
            softmax(scores, scale, &mut sum);
            for (n, (&keys, weights)) in seen.iter().zip(scores.as_chunks::<LANES>().0).enumerate() {
                let values = part(keys, 2);
                for (rows, target) in values.chunks(12).zip(target.chunks_mut(12)) {
                    let mut refs: [&[f32]; 12] = [&[]; 12];
                    for (slot, row) in refs.iter_mut().zip(rows) {
                        *slot = row;
                    }
                    multiply(&refs[..rows.len()], weights, target, 1, n == 0);
                }
            }
            divide(target, &sum);
        },
    );
}

/// The scores scale · q kᵀ themselves, -inf between groups: `[batch, heads, length, length]` for tokens that are `batch`
/// times `length`.
pub fn scores(qkv: &Panels, heads: usize, scale: f32, groups: &Groups, batch: usize) -> Vec<f32> {
    let width = qkv.features() / 3;
    let head_width = width / heads;
    let length = qkv.tokens() / batch.max(1);
    let mut out = vec![f32::NEG_INFINITY; batch * heads * length * length];
    out.par_chunks_mut((length * length).max(1)).enumerate().for_each(|(i, out)| {
        let (row, head) = (i / heads, i % heads);
        let part = |panel: usize, kind: usize| &qkv.panel(panel)[kind * width + head * head_width..][..head_width];
        let mut tile = [[0.0; LANES]; LANES];
        let tokens = row * length..(row + 1) * length;
        let panels = tokens.start / LANES..tokens.end.div_ceil(LANES);
        for queries in panels.clone() {
            for keys in panels.clone().filter(|&keys| groups.meet(queries, keys)) {
                multiply_columns(part(keys, 1), part(queries, 0), &mut tile);
                groups.mask(queries, keys, &mut tile);
                for (m, scores) in tile.iter().enumerate() {
                    let key = keys * LANES + m;
                    for (lane, &score) in scores.iter().enumerate() {
                        let query = queries * LANES + lane;
                        if tokens.contains(&key) && tokens.contains(&query) {
                            out[(query - tokens.start) * length + key - tokens.start] = score * scale;
                        }
                    }
                }
            }
        }
    });
    out
}

vectorized! {
    /// exp(scale · (score - greatest)) in place, and the sums along the keys.
    fn softmax(scores: &mut [Lane], scale: f32, sum: &mut Lane) {
        let mut greatest = [f32::NEG_INFINITY; LANES];
        for row in scores.iter() {
            for i in 0..LANES {
                greatest[i] = greatest[i].max(row[i]);
            }
        }
        for row in scores.iter_mut() {
            for i in 0..LANES {
                row[i] = exp(scale * (row[i] - greatest[i]));
                sum[i] += row[i];
            }
        }
    }
}

vectorized! {
    fn divide(rows: &mut [Lane], sum: &Lane) {
        for row in rows {
            for i in 0..LANES {
                row[i] /= sum[i];
            }
        }
    }
}
