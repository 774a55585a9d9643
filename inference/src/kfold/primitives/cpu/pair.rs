//! Triangle multiplication and transition of a pair state on the processor, fused.
//!
//! As a composition of tensor operations these spend more time in memory than in arithmetic: norms, gates and projections
//! each write and read a tensor larger than the pair state. Here 32 pairs at a time are turned into a panel (channels by 32
//! lanes, small enough for the first cache), and everything that happens to them happens there: the norm runs along the lanes,
//! a projection is a product of the weights, read as they lie in memory, with the panel, and its result is gated while it is
//! still in registers' reach. Panels are taken four at a time, so that each weight fetched is used for 128 pairs.
//!
//! Triangle multiplication has three steps:
//! 1. The gated projections a and b are written as panels again: for each channel, blocks of 32 nodes i by all nodes k. The
//!    two directions differ only in which pairs fill a panel: (i, k) for outgoing, (k, i) for incoming edges.
//! 2. Each channel's N x N by N x N product is made of 32 x 32 tiles, each the product of a panel of a and one of b. A tile's
//!    rows are lanes of 32 pairs, so
//! 3. the tiles of all channels give a panel of 32 pairs again: norm, projection and gate, and the sum into the pair state.
//!
//! Steps 1 and 2 go over the channels in groups, so that beside the pair state only the product (as large) and the projections
//! of one group are in memory: 1.5 times the pair state in all, with 256 channels. The transition goes over its hidden width in
//! pieces and never holds more than a piece of 128 pairs.

use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;

use super::kernel;
use super::simd::{LANES, Lane, sigmoid, silu, vectorized};

/// Panels taken together: each weight that comes from afar is used for this many times 32 pairs.
const PANELS: usize = 4;
/// Rows of weights multiplied together: what the kernel takes at once.
pub(super) const ROWS: usize = 12;
/// Channels whose projections are in memory together.
const GROUP: usize = 64;
/// Hidden channels of the transition that are in memory together.
const HIDDEN: usize = 256;
/// Lanes of a product tile: one more than its rows, or equal rows of all channels would fall on the same place in the caches.
const TILE: usize = LANES + 1;
pub(super) const ZERO: Lane = [0.0; LANES];

/// A learned normalisation: scale and offset of each channel.
#[derive(Clone, Copy)]
pub struct Norm<'a> {
    /// Scale [C].
    pub weight: &'a [f32],
    /// Offset [C].
    pub bias: &'a [f32],
    /// Added to the variance.
    pub eps: f32,
}

/// The weights of a triangle multiplication, matrices row by row as PyTorch stores them.
#[derive(Clone, Copy)]
pub struct TriangleWeights<'a> {
    /// Normalisation of the input.
    pub norm_in: Norm<'a>,
    /// Projection to a and b [2C, C].
    pub p_in: &'a [f32],
    /// Gate of a and b [2C, C].
    pub g_in: &'a [f32],
    /// Normalisation of the product.
    pub norm_out: Norm<'a>,
    /// Projection of the product [C, C].
    pub p_out: &'a [f32],
    /// Gate of the result [C, C].
    pub g_out: &'a [f32],
}

/// The weights of a transition, matrices row by row as PyTorch stores them.
#[derive(Clone, Copy)]
pub struct TransitionWeights<'a> {
    /// Normalisation of the input.
    pub norm: Norm<'a>,
    /// Gate, then value [2H, C].
    pub swiglu: &'a [f32],
    /// Projection back [C, H].
    pub out: &'a [f32],
}

/// Memory that a triangle multiplication works in, kept from one to the next.
#[derive(Default)]
pub struct Workspace(Mutex<Buffers>);

#[derive(Default)]
struct Buffers {
    a: Vec<Lane>,
    b: Vec<Lane>,
    product: Vec<Lane>,
}

/// Bytes that a triangle multiplication works in beside the pair state.
#[must_use]
pub fn workspace_bytes(nodes: usize, channels: usize) -> u64 {
    let blocks = nodes.div_ceil(LANES);
    let lanes = blocks * blocks * channels * TILE + 2 * blocks * GROUP.min(channels) * (nodes + 1);
    (lanes * size_of::<Lane>()) as u64
}

/// Adds the triangle multiplication to the pair state.
///
/// `z` [N, N, C] is changed in place. `mask` [N, N] is 0 where an edge must not count. `incoming` chooses the direction.
pub fn add_triangle_multiplication(
    z: &mut [f32],
    nodes: usize,
    mask: Option<&[f32]>,
    weights: &TriangleWeights<'_>,
    incoming: bool,
    workspace: &Workspace,
) {
    let mut buffers = workspace.0.lock().unwrap_or_else(PoisonError::into_inner);
    let Buffers { a, b, product } = &mut *buffers;
    let channels = weights.norm_in.weight.len();
    if z.is_empty() {
        return;
    }
    let blocks = nodes.div_ceil(LANES);
    // One lane more than nodes, for the same reason as in a tile.
    let pitch = nodes + 1;
    product.resize(blocks * blocks * channels * TILE, ZERO);
    for first in (0..channels).step_by(GROUP) {
        let group = GROUP.min(channels - first);
        a.resize(blocks * group * pitch, ZERO);
        b.resize(blocks * group * pitch, ZERO);
        let edges = Edges { z, nodes, mask, weights, incoming, pitch };
        a.par_chunks_mut(group * pitch)
            .zip(b.par_chunks_mut(group * pitch))
            .enumerate()
            .for_each_init(|| vec![ZERO; PANELS * channels], |x, (block, (a, b))| edges.project(block, first, a, b, x));
        let (a, b) = (&*a, &*b);
        product.par_chunks_mut(channels * TILE).enumerate().for_each(|(index, tiles)| {
            let (block, other) = (index / blocks, index % blocks);
            for channel in 0..group {
                let columns = &a[(block * group + channel) * pitch..][..nodes];
                let panel = &b[(other * group + channel) * pitch..][..nodes];
                if let Some(tile) = tiles[(first + channel) * TILE..].first_chunk_mut() {
                    kernel::multiply_columns(columns, panel, tile);
                }
            }
        });
    }
    let product = &*product;
    z.par_chunks_mut(PANELS * nodes * channels).enumerate().for_each_init(
        || Scratch::new(channels),
        |scratch, (index, rows)| {
            let (block, row) = (index * PANELS / LANES, index * PANELS % LANES);
            let tiles = &product[block * blocks * channels * TILE..][..blocks * channels * TILE];
            add_product(rows, nodes, &tiles[row..], weights, scratch);
        },
    );
}

/// What the first step reads.
struct Edges<'a> {
    z: &'a [f32],
    nodes: usize,
    mask: Option<&'a [f32]>,
    weights: &'a TriangleWeights<'a>,
    incoming: bool,
    pitch: usize,
}

impl Edges<'_> {
    /// Writes the gated projections of one block of 32 nodes and all other nodes, for the channels that `a` and `b` hold, from
    /// channel `first` on.
    fn project(&self, block: usize, first: usize, a: &mut [Lane], b: &mut [Lane], x: &mut [Lane]) {
        let channels = self.weights.norm_in.weight.len();
        let count = LANES.min(self.nodes - block * LANES);
        let mut kept = [ZERO; PANELS];
        for k in (0..self.nodes).step_by(PANELS) {
            let panels = PANELS.min(self.nodes - k);
            for (panel, (x, kept)) in x.chunks_exact_mut(channels).zip(&mut kept).enumerate().take(panels) {
                let (start, step) = if self.incoming {
                    ((k + panel) * self.nodes + block * LANES, 1)
                } else {
                    (block * LANES * self.nodes + k + panel, self.nodes)
                };
                load_panel(self.z, start, step, count, x);
                normalize(x, self.weights.norm_in.weight, self.weights.norm_in.bias, self.weights.norm_in.eps);
                *kept = ZERO;
                for (lane, kept) in kept.iter_mut().enumerate().take(count) {
                    *kept = self.mask.map_or(1.0, |mask| mask[start + lane * step]);
                }
            }
            for (row, target) in [(first, &mut *a), (channels + first, &mut *b)] {
                self.gate(row, &x[..panels * channels], &kept, &mut target[k..]);
            }
        }
    }

    /// Projects panels by the rows of both matrices from `row` on, as many as `target` has channels, and gates them.
    fn gate(&self, row: usize, x: &[Lane], kept: &[Lane; PANELS], target: &mut [Lane]) {
        let channels = self.weights.norm_in.weight.len();
        let (mut p, mut g) = ([ZERO; ROWS], [ZERO; ROWS]);
        let group = target.len().div_ceil(self.pitch);
        for from in (0..group).step_by(ROWS) {
            let rows = ROWS.min(group - from);
            let p_rows = matrix_rows(self.weights.p_in, row + from, channels, 0..channels);
            let g_rows = matrix_rows(self.weights.g_in, row + from, channels, 0..channels);
            for (panel, x) in x.chunks_exact(channels).enumerate() {
                kernel::multiply(&p_rows[..rows], x, &mut p, 1, true);
                kernel::multiply(&g_rows[..rows], x, &mut g, 1, true);
                gate_edges(&mut p[..rows], &g[..rows], &kept[panel]);
                for (channel, lane) in p[..rows].iter().enumerate() {
                    target[(from + channel) * self.pitch + panel] = *lane;
                }
            }
        }
    }
}

/// Panels that the last step and the transition work in.
struct Scratch {
    x: Vec<Lane>,
    y: Vec<Lane>,
    out: Vec<Lane>,
}

impl Scratch {
    fn new(channels: usize) -> Self {
        let panels = vec![ZERO; PANELS * channels];
        Self { x: panels.clone(), y: panels.clone(), out: panels }
    }
}

/// Adds the gated projection of the product to some rows of the pair state, at most [`PANELS`]. `tiles` are those of the rows'
/// block, beginning at the first row's lane.
fn add_product(rows: &mut [f32], nodes: usize, tiles: &[Lane], weights: &TriangleWeights<'_>, scratch: &mut Scratch) {
    let channels = weights.norm_in.weight.len();
    let panels = rows.len() / (nodes * channels);
    let Scratch { x, y, out } = scratch;
    let (mut p, mut g) = ([ZERO; ROWS], [ZERO; ROWS]);
    for (other, tiles) in tiles.chunks(channels * TILE).enumerate() {
        let count = LANES.min(nodes - other * LANES);
        for panel in 0..panels {
            let x = &mut x[panel * channels..][..channels];
            load_panel(rows, panel * nodes + other * LANES, 1, count, x);
            normalize(x, weights.norm_in.weight, weights.norm_in.bias, weights.norm_in.eps);
            let y = &mut y[panel * channels..][..channels];
            for (channel, lane) in y.iter_mut().enumerate() {
                *lane = tiles[channel * TILE + panel];
            }
            normalize(y, weights.norm_out.weight, weights.norm_out.bias, weights.norm_out.eps);
        }
        for from in (0..channels).step_by(ROWS) {
            let count = ROWS.min(channels - from);
            let p_rows = matrix_rows(weights.p_out, from, channels, 0..channels);
            let g_rows = matrix_rows(weights.g_out, from, channels, 0..channels);
            for panel in 0..panels {
                kernel::multiply(&p_rows[..count], &y[panel * channels..][..channels], &mut p, 1, true);
                kernel::multiply(&g_rows[..count], &x[panel * channels..][..channels], &mut g, 1, true);
                gate_edges(&mut p[..count], &g[..count], &[1.0; LANES]);
                out[panel * channels + from..][..count].copy_from_slice(&p[..count]);
            }
        }
        for panel in 0..panels {
            let start = (panel * nodes + other * LANES) * channels;
            add_panel(&out[panel * channels..][..channels], &mut rows[start..][..count * channels]);
        }
    }
}

/// Adds the transition to the rows of `z` [.., C], in place.
pub fn add_transition(z: &mut [f32], weights: &TransitionWeights<'_>) {
    let channels = weights.norm.weight.len();
    let hidden = weights.out.len() / channels.max(1);
    z.par_chunks_mut(PANELS * LANES * channels).for_each_init(
        || (Scratch::new(channels), vec![ZERO; PANELS * HIDDEN]),
        |(scratch, piece), rows| {
            let Scratch { x, out, .. } = scratch;
            let row_count = rows.len() / channels;
            let panels = row_count.div_ceil(LANES);
            for (panel, x) in x.chunks_exact_mut(channels).enumerate().take(panels) {
                load_panel(rows, panel * LANES, 1, LANES.min(row_count - panel * LANES), x);
                normalize(x, weights.norm.weight, weights.norm.bias, weights.norm.eps);
            }
            for first in (0..hidden).step_by(HIDDEN) {
                let width = HIDDEN.min(hidden - first);
                hidden_piece(weights, hidden, first..first + width, &x[..panels * channels], piece);
                for from in (0..channels).step_by(ROWS) {
                    let count = ROWS.min(channels - from);
                    let out_rows = matrix_rows(weights.out, from, hidden, first..first + width);
                    for panel in 0..panels {
                        let target = &mut out[panel * channels + from..][..count];
                        kernel::multiply(&out_rows[..count], &piece[panel * HIDDEN..][..width], target, 1, first == 0);
                    }
                }
            }
            for (panel, rows) in rows.chunks_mut(LANES * channels).enumerate() {
                add_panel(&out[panel * channels..][..channels], rows);
            }
        },
    );
}

/// z ← a z + LN(u) Bᵀ on the rows of `z` [.., C], in place, u being the sum of the two `inputs` [.., C].
///
/// `a` [C], `b` [C, C] row by row.
pub fn add_injection(z: &mut [f32], inputs: [&[f32]; 2], norm: &Norm<'_>, a: &[f32], b: &[f32]) {
    let channels = a.len();
    let size = PANELS * LANES * channels;
    z.par_chunks_mut(size).zip(inputs[0].par_chunks(size).zip(inputs[1].par_chunks(size))).for_each_init(
        || Scratch::new(channels),
        |Scratch { x, y, out }, (rows, (first, second))| {
            let row_count = rows.len() / channels;
            let panels = row_count.div_ceil(LANES);
            for panel in 0..panels {
                let (start, count) = (panel * LANES, LANES.min(row_count - panel * LANES));
                let x = &mut x[panel * channels..][..channels];
                load_panel(first, start, 1, count, x);
                load_panel(second, start, 1, count, &mut y[..channels]);
                add(x, &y[..channels]);
                normalize(x, norm.weight, norm.bias, norm.eps);
            }
            for from in (0..channels).step_by(ROWS) {
                let count = ROWS.min(channels - from);
                let b_rows = matrix_rows(b, from, channels, 0..channels);
                for (x, out) in x.chunks_exact(channels).zip(out.chunks_exact_mut(channels)).take(panels) {
                    kernel::multiply(&b_rows[..count], x, &mut out[from..], 1, true);
                }
            }
            for row in rows.chunks_exact_mut(channels) {
                for (value, &a) in row.iter_mut().zip(a) {
                    *value *= a;
                }
            }
            for (rows, out) in rows.chunks_mut(LANES * channels).zip(out.chunks_exact(channels)) {
                add_panel(out, rows);
            }
        },
    );
}

/// Hidden channels of the transition for some panels; `piece` has [`HIDDEN`] lanes for each.
fn hidden_piece(
    weights: &TransitionWeights<'_>,
    hidden: usize,
    range: std::ops::Range<usize>,
    x: &[Lane],
    piece: &mut [Lane],
) {
    let channels = weights.norm.weight.len();
    let (mut gate, mut value) = ([ZERO; ROWS], [ZERO; ROWS]);
    for from in range.clone().step_by(ROWS) {
        let count = ROWS.min(range.end - from);
        let gate_rows = matrix_rows(weights.swiglu, from, channels, 0..channels);
        let value_rows = matrix_rows(weights.swiglu, hidden + from, channels, 0..channels);
        for (panel, x) in x.chunks_exact(channels).enumerate() {
            kernel::multiply(&gate_rows[..count], x, &mut gate, 1, true);
            kernel::multiply(&value_rows[..count], x, &mut value, 1, true);
            let target = &mut piece[panel * HIDDEN + from - range.start..][..count];
            gate_hidden(&gate[..count], &value[..count], target);
        }
    }
}

/// Rows of a matrix from `first` on, the columns of `columns`; empty beyond the last row.
pub(super) fn matrix_rows(
    matrix: &[f32],
    first: usize,
    width: usize,
    columns: std::ops::Range<usize>,
) -> [&[f32]; ROWS] {
    std::array::from_fn(|row| {
        let start = (first + row) * width;
        matrix.get(start + columns.start..start + columns.end).unwrap_or_default()
    })
}

vectorized! {
    /// Turns `count` rows of `z` (row `start`, then every `step`) into a panel: lane m of channel c is row m's channel c.
    pub(super) fn load_panel(z: &[f32], start: usize, step: usize, count: usize, panel: &mut [Lane]) {
        let channels = panel.len();
        if count < LANES {
            panel.fill(ZERO);
        }
        for lane in 0..count {
            let row = &z[(start + lane * step) * channels..][..channels];
            for (lanes, &value) in panel.iter_mut().zip(row) {
                lanes[lane] = value;
            }
        }
    }
}

vectorized! {
    /// Normalises each lane over the channels.
    pub(super) fn normalize(panel: &mut [Lane], weight: &[f32], bias: &[f32], eps: f32) {
        let channels = panel.len() as f32;
        let (mut mean, mut scale) = (ZERO, ZERO);
        for lanes in panel.iter() {
            for i in 0..LANES {
                mean[i] += lanes[i];
            }
        }
        for mean in &mut mean {
            *mean /= channels;
        }
        for lanes in panel.iter() {
            for i in 0..LANES {
                let difference = lanes[i] - mean[i];
                scale[i] += difference * difference;
            }
        }
        for scale in &mut scale {
            *scale = 1.0 / (*scale / channels + eps).sqrt();
        }
        for ((lanes, &weight), &bias) in panel.iter_mut().zip(weight).zip(bias) {
            for i in 0..LANES {
                lanes[i] = (lanes[i] - mean[i]) * scale[i] * weight + bias;
            }
        }
    }
}

vectorized! {
    /// Adds one panel to another.
    fn add(panel: &mut [Lane], other: &[Lane]) {
        for (lanes, other) in panel.iter_mut().zip(other) {
            for i in 0..LANES {
                lanes[i] += other[i];
            }
        }
    }
}

vectorized! {
    /// p · sigmoid(g) · kept, in place of p.
    fn gate_edges(p: &mut [Lane], g: &[Lane], kept: &Lane) {
        for (p, g) in p.iter_mut().zip(g) {
            for i in 0..LANES {
                p[i] *= sigmoid(g[i]) * kept[i];
            }
        }
    }
}

vectorized! {
    /// silu(gate) · value.
    fn gate_hidden(gate: &[Lane], value: &[Lane], target: &mut [Lane]) {
        for ((gate, value), target) in gate.iter().zip(value).zip(target) {
            for i in 0..LANES {
                target[i] = silu(gate[i]) * value[i];
            }
        }
    }
}

vectorized! {
    /// Adds a panel to rows of the pair state: the inverse of [`load_panel`].
    pub(super) fn add_panel(panel: &[Lane], rows: &mut [f32]) {
        let channels = panel.len();
        for (lane, row) in rows.chunks_exact_mut(channels).enumerate() {
            for (value, lanes) in row.iter_mut().zip(panel) {
                *value += lanes[lane];
            }
        }
    }
}
