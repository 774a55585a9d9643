//! Backbone tokens: a residue's surroundings as one of 512 codes (K-Fold 1.0.0, layers/struct_enc/bb_tokenizer.py and
//! bb_vqvae; ESM3's structure tokenizer, Hayes and others, 2024).
//!
//! The 16 residues nearest to each (itself the first) pass a small transformer whose attention compares directions and
//! distances of vectors that each residue carries in its own frame; the first residue's result is looked up in the
//! codebook.
//!
//! Computed here is what reaches that result: residues without coordinates are masked out of every attention in the
//! reference, so they are left out; a first layer sees only 66 different inputs (clamped differences of residue numbers),
//! so its projections are a table; and the last layer is computed for the first residue alone.

use candle_core::DType;
use candle_nn::VarBuilder;
use rayon::prelude::*;

use super::packed::{Norm, PackedLinear, Rows};
use super::quantizer::Quantizer;
use crate::kfold::encoders::transformer::swiglu_width;
use crate::kfold::primitives::cpu::simd::exp;
use crate::kfold::{KFoldError, Result};

/// Residues of a neighbourhood.
const NEIGHBOURS: usize = 16;

/// Differences of residue numbers are clamped to this.
const BINS: i64 = 32;

/// Coordinates at or beyond this, Å, count as missing.
const MAX_COORDINATE: f32 = 1e6;

/// Hidden width of the feed-forward layers over the width.
const EXPANSION: usize = 4;

/// Neighbourhoods computed together.
const BATCH: usize = 8;

/// Rows of activations of one task.
pub(in crate::kfold::encoders) const ROWS_A_TASK: usize = BATCH * NEIGHBOURS;

/// Sizes of the tokenizer; the published one's by default.
#[derive(Clone, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(default)]
pub struct BackboneTokenizerConfig {
    /// Width.
    pub d_model: usize,
    /// Vector heads of the geometric attention.
    pub v_heads: usize,
    /// Layers.
    pub n_layers: usize,
    /// Width of the codes.
    pub d_out: usize,
    /// Codes.
    pub codebook_size: usize,
}

impl Default for BackboneTokenizerConfig {
    fn default() -> Self {
        Self { d_model: 1024, v_heads: 128, n_layers: 2, d_out: 1024, codebook_size: 512 }
    }
}

/// N, CA and C of a residue, Å.
pub type Backbone = [[f32; 3]; 3];

/// A residue's frame.
#[derive(Clone, Copy, Debug)]
pub struct Frame {
    /// World from residue, row by row.
    pub rotation: [[f32; 3]; 3],
    /// CA, Å.
    pub origin: [f32; 3],
}

/// The tokenizer.
pub struct BackboneTokenizer {
    blocks: Vec<GeometricBlock>,
    /// One row for each clamped difference.
    positions: Rows,
    /// The first block's projections of those rows.
    first_projections: Rows,
    pre_vq_proj: PackedLinear,
    quantizer: Quantizer,
    heads: usize,
}

/// One layer: geometric attention, then SwiGLU.
struct GeometricBlock {
    norm: Norm,
    projection: PackedLinear,
    out: PackedLinear,
    distance_weight: Vec<f32>,
    rotation_weight: Vec<f32>,
    feed_forward_norm: Norm,
    up: PackedLinear,
    down: PackedLinear,
}

fn subtract(a: [f32; 3], b: [f32; 3]) -> [f32; 3] {
    [a[0] - b[0], a[1] - b[1], a[2] - b[2]]
}

fn dot(a: [f32; 3], b: [f32; 3]) -> f32 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

fn cross(a: [f32; 3], b: [f32; 3]) -> [f32; 3] {
    [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
}

impl Frame {
    /// Gram and Schmidt: x from C to CA, y towards N.
    fn from_backbone(&[n, ca, c]: &Backbone) -> Self {
        const EPS: f32 = 1e-10;
        let unit = |v: [f32; 3]| {
            let length = (dot(v, v) + EPS).sqrt();
            v.map(|value| value / length)
        };
        let x = unit(subtract(ca, c));
        let towards = subtract(n, ca);
        let along = dot(x, towards);
        let y = unit(subtract(towards, x.map(|value| value * along)));
        let z = cross(x, y);
        Self { rotation: std::array::from_fn(|i| [x[i], y[i], z[i]]), origin: ca }
    }

    fn rotate(&self, v: [f32; 3]) -> [f32; 3] {
        self.rotation.map(|row| dot(row, v))
    }

    fn rotate_back(&self, v: [f32; 3]) -> [f32; 3] {
        std::array::from_fn(|i| (0..3).map(|j| self.rotation[j][i] * v[j]).sum())
    }

    fn place(&self, v: [f32; 3]) -> [f32; 3] {
        let rotated = self.rotate(v);
        std::array::from_fn(|i| rotated[i] + self.origin[i])
    }
}

/// Frames of all residues, and which have coordinates. Those without get the frame of the average residue.
#[must_use]
pub fn frames(backbones: &[Backbone]) -> (Vec<Frame>, Vec<bool>) {
    let present: Vec<bool> = backbones
        .iter()
        .map(|backbone| backbone.iter().flatten().all(|value| value.is_finite() && *value < MAX_COORDINATE))
        .collect();
    let count = present.iter().filter(|&&present| present).count();
    let mut average = [[0.0; 3]; 3];
    for (backbone, _) in backbones.iter().zip(&present).filter(|&(_, &present)| present) {
        for (sum, value) in average.iter_mut().flatten().zip(backbone.iter().flatten()) {
            *sum += value;
        }
    }
    for value in average.iter_mut().flatten() {
        *value /= count as f32 + 1e-8;
    }
    let mut missing = Frame::from_backbone(&average);
    if count == 0 {
        missing.rotation = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];
    }
    let frames = backbones
        .iter()
        .zip(&present)
        .map(|(backbone, &present)| if present { Frame::from_backbone(backbone) } else { missing })
        .collect();
    (frames, present)
}

/// The nearest residues by CA, of those present, each residue's own neighbourhood; empty for those that are not present.
#[must_use]
pub fn neighbourhoods(backbones: &[Backbone], present: &[bool]) -> Vec<Vec<usize>> {
    (0..backbones.len())
        .into_par_iter()
        .map(|i| {
            if !present[i] {
                return Vec::new();
            }
            let mut others: Vec<(f32, usize)> = (0..backbones.len())
                .filter(|&j| present[j])
                .map(|j| {
                    let difference = subtract(backbones[i][1], backbones[j][1]);
                    (dot(difference, difference).sqrt(), j)
                })
                .collect();
            others.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
            others.truncate(NEIGHBOURS);
            others.into_iter().map(|(_, j)| j).collect()
        })
        .collect()
}

impl BackboneTokenizer {
    /// Loads the tokenizer's checkpoint.
    ///
    /// # Errors
    /// When a tensor is missing or misshapen.
    pub fn load(vb: VarBuilder<'_>, config: &BackboneTokenizerConfig) -> Result<Self> {
        let &BackboneTokenizerConfig { d_model: width, v_heads: heads, n_layers, d_out, codebook_size } = config;
        let encoder = vb.pp("encoder");
        let blocks = (0..n_layers)
            .map(|index| GeometricBlock::load(&encoder.pp("transformer.blocks").pp(index), width, heads))
            .collect::<Result<Vec<_>>>()?;
        let Some(first) = blocks.first() else {
            return Err(KFoldError::Config("a backbone tokenizer without layers".to_owned()));
        };
        let rows = 2 * BINS as usize + 2;
        let table =
            encoder.pp("relative_positional_embedding.embedding").to_dtype(DType::F32).get((rows, width), "weight")?;
        let mut positions = Rows::zeros(rows, width);
        for (i, row) in table.to_vec2::<f32>()?.iter().enumerate() {
            positions.row_mut(i).copy_from_slice(row);
        }
        let first_projections = first.projection.forward_rows(&first.norm.forward(&positions));
        Ok(Self {
            positions,
            first_projections,
            pre_vq_proj: PackedLinear::load(encoder.pp("pre_vq_proj"), width, d_out, true)?,
            quantizer: Quantizer::load(vb.pp("quantizer"), codebook_size, d_out, true)?,
            blocks,
            heads,
        })
    }

    /// One token a residue: `numbers` are the residue numbers. Residues without coordinates get a token that means nothing.
    ///
    /// # Errors
    /// When there are not as many numbers as residues.
    pub fn tokenize(&self, backbones: &[Backbone], numbers: &[i64]) -> Result<Vec<u32>> {
        Ok(self.quantizer.nearest(&self.encode(backbones, numbers)?))
    }

    /// What is looked up in the codebook: one row a residue.
    ///
    /// # Errors
    /// When there are not as many numbers as residues.
    pub fn encode(&self, backbones: &[Backbone], numbers: &[i64]) -> Result<Rows> {
        if backbones.len() != numbers.len() {
            return Err(KFoldError::input(format!(
                "{} residues, but {} residue numbers",
                backbones.len(),
                numbers.len()
            )));
        }
        let (frames, present) = frames(backbones);
        let neighbourhoods = neighbourhoods(backbones, &present);
        let batches: Vec<Rows> = neighbourhoods
            .par_chunks(BATCH)
            .map(|neighbourhoods| self.pre_vq_proj.forward_rows(&self.surroundings(neighbourhoods, &frames, numbers)))
            .collect();
        let width = batches.first().map_or(0, Rows::width);
        let mut out = Rows::zeros(backbones.len(), width);
        for (i, row) in batches.iter().flat_map(Rows::refs).enumerate() {
            out.row_mut(i).copy_from_slice(row);
        }
        Ok(out)
    }

    /// The first residue's state after all layers, for each neighbourhood; zeros where it is empty.
    fn surroundings(&self, neighbourhoods: &[Vec<usize>], frames: &[Frame], numbers: &[i64]) -> Rows {
        let width = self.positions.width();
        let members: Vec<usize> = neighbourhoods.concat();
        let classes: Vec<usize> = neighbourhoods
            .iter()
            .flat_map(|members| {
                let own = members.first().map_or(0, |&first| numbers[first]);
                members.iter().map(move |&member| ((numbers[member] - own).clamp(-BINS, BINS) + BINS + 1) as usize)
            })
            .collect();
        let mut x = Rows::zeros(members.len(), width);
        for (i, &class) in classes.iter().enumerate() {
            x.row_mut(i).copy_from_slice(self.positions.row(class));
        }
        let mut starts = Vec::with_capacity(neighbourhoods.len());
        let mut total = 0;
        for members in neighbourhoods {
            starts.push(total..total + members.len());
            total += members.len();
        }
        for (index, block) in self.blocks.iter().enumerate() {
            let projected =
                if index == 0 { None } else { Some(block.projection.forward_rows(&block.norm.forward(&x))) };
            let mut vectors = Rows::zeros(total, self.first_projections.width());
            for (row, (&member, &class)) in members.iter().zip(&classes).enumerate() {
                let own = projected.as_ref().map_or(self.first_projections.row(class), |projected| projected.row(row));
                to_world(own, &frames[member], self.heads, vectors.row_mut(row));
            }
            let last = index + 1 == self.blocks.len();
            // In the last layer only the first member of each neighbourhood is asked.
            let queries: Vec<usize> = if last {
                starts.iter().filter(|s| !s.is_empty()).map(|s| s.start).collect()
            } else {
                (0..total).collect()
            };
            let mut attended = Rows::zeros(queries.len(), 3 * self.heads);
            let mut next = 0;
            for range in starts.iter().filter(|range| !range.is_empty()) {
                let asked = if last { 1 } else { range.len() };
                let rows: Vec<&[f32]> = range.clone().map(|row| vectors.row(row)).collect();
                for query in 0..asked {
                    let frame = &frames[members[range.start + query]];
                    block.attend(query, &rows, frame, self.heads, attended.row_mut(next));
                    next += 1;
                }
            }
            let mut state = Rows::zeros(queries.len(), width);
            for (i, &query) in queries.iter().enumerate() {
                state.row_mut(i).copy_from_slice(x.row(query));
            }
            state.add(&block.out.forward_rows(&attended));
            let hidden = block.up.forward_rows(&block.feed_forward_norm.forward(&state)).swiglu();
            state.add(&block.down.forward_rows(&hidden));
            x = state;
        }
        let mut out = Rows::zeros(neighbourhoods.len(), width);
        let present = neighbourhoods.iter().enumerate().filter(|(_, members)| !members.is_empty());
        for (row, (i, _)) in present.enumerate() {
            out.row_mut(i).copy_from_slice(x.row(row));
        }
        out
    }
}

impl GeometricBlock {
    fn load(vb: &VarBuilder<'_>, width: usize, heads: usize) -> Result<Self> {
        let attention = vb.pp("geom_attn");
        let softplus = |name: &str| -> Result<Vec<f32>> {
            let scales = attention.to_dtype(DType::F32).get(heads, name)?.to_vec1::<f32>()?;
            // ln(1 + e^x), without overflow, over the square root of the dimension.
            Ok(scales.iter().map(|&x| (x.max(0.0) + (-x.abs()).exp().ln_1p()) / 3f32.sqrt()).collect())
        };
        // The reference rounds this up to a multiple of 256.
        let hidden = swiglu_width(width, EXPANSION as f64);
        Ok(Self {
            norm: Norm::load(attention.pp("s_norm"), width)?,
            projection: PackedLinear::load(attention.pp("proj"), width, 15 * heads, true)?,
            out: PackedLinear::load(attention.pp("out_proj"), 3 * heads, width, true)?,
            distance_weight: softplus("distance_scale_per_head")?,
            rotation_weight: softplus("rotation_scale_per_head")?,
            feed_forward_norm: Norm::load(vb.pp("ffn.0"), width)?,
            up: PackedLinear::load(vb.pp("ffn.1"), width, 2 * hidden, true)?,
            down: PackedLinear::load(vb.pp("ffn.3"), hidden, width, true)?,
        })
    }

    /// Attention of one residue of a neighbourhood to all of it; `rows` are its members' vectors ([`to_world`]), `frame` its
    /// own frame.
    fn attend(&self, query: usize, rows: &[&[f32]], frame: &Frame, heads: usize, out: &mut [f32]) {
        let vector = |member: usize, kind: usize, head: usize| -> [f32; 3] {
            let at = (kind * heads + head) * 3;
            [rows[member][at], rows[member][at + 1], rows[member][at + 2]]
        };
        let mut scores = [0f32; NEIGHBOURS];
        let scores = &mut scores[..rows.len()];
        for head in 0..heads {
            let (direction, place) = (vector(query, 0, head), vector(query, 3, head));
            for (member, score) in scores.iter_mut().enumerate() {
                let difference = subtract(place, vector(member, 4, head));
                *score = dot(direction, vector(member, 1, head)) * self.rotation_weight[head]
                    - dot(difference, difference).sqrt() * self.distance_weight[head];
            }
            let greatest = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let mut sum = 0.0;
            let mut value = [0.0; 3];
            for (member, score) in scores.iter().enumerate() {
                let weight = exp(score - greatest);
                sum += weight;
                let part = vector(member, 2, head);
                for i in 0..3 {
                    value[i] += weight * part[i];
                }
            }
            out[3 * head..3 * head + 3].copy_from_slice(&frame.rotate_back(value.map(|v| v / sum)));
        }
    }
}

/// A member's projections in the world: `heads` vectors each of queries and keys to compare by direction, of values
/// (rotated), and of queries and keys to compare by distance (rotated and moved).
fn to_world(own: &[f32], frame: &Frame, heads: usize, world: &mut [f32]) {
    for (i, (own, world)) in own.as_chunks::<3>().0.iter().zip(world.as_chunks_mut::<3>().0).enumerate() {
        *world = if i < 3 * heads { frame.rotate(*own) } else { frame.place(*own) };
    }
}
