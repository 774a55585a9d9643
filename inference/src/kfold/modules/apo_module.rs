//! Apo module (K-Fold 1.0.0, modules/apo_module.py): what the apo structures say about pairs of tokens.
//!
//! Each apo structure gives for each pair of tokens of the same rigid group the distance class of their representative atoms,
//! the direction from one to the other in the backbone frame of the first, and both residue types. A small pairformer works on
//! each structure by itself; the results are averaged over the structures that know the pair.
//!
//! Unusual: the distance classes are open intervals, (lower², upper²), so a distance on a boundary belongs to no class, and
//! there is none below the first boundary.

use candle_core::{D, DType, Tensor};
use candle_nn::VarBuilder;

use crate::kfold::Result;
use crate::kfold::config::ApoModuleConfig;
use crate::kfold::input::{FoldingInput, RES_TYPE_CLASSES, one_hot};
use crate::kfold::layers::embeddings::RelativePositionEncoding;
use crate::kfold::layers::pairformer::PairformerStack;
use crate::kfold::primitives::activation::relu;
use crate::kfold::primitives::{LayerNorm, LayerNormParts, Linear};

/// Rows of pairs whose features are in memory at a time.
const BAND: usize = 64;
/// Shortest length that is divided by, Å.
const EPS: f64 = 1e-6;
/// Upper boundary of the last distance class, Å²: the reference's infinity.
const FAR: f32 = 1e8;

/// Embeds the apo structures as an update of the pair state.
#[derive(Clone, Debug)]
pub struct ApoModule {
    channel_z: usize,
    boundaries: Vec<f32>,
    linear_apo: Linear,
    linear_rel_pos: Linear,
    stack: PairformerStack,
    layernorm_out: LayerNorm,
    linear_out: Linear,
}

impl ApoModule {
    /// Loads `linear_apo`, `linear_rel_pos`, `stack`, `layernorm_out` and `linear_out`.
    ///
    /// # Errors
    /// When a tensor is missing or misshapen.
    pub fn load(vb: VarBuilder<'_>, config: &ApoModuleConfig) -> Result<Self> {
        let (channel, bins) = (config.channel_apo, config.num_distogram_bins);
        let step = (config.max_dist - config.min_dist) / (bins - 1) as f64;
        // Distances, a mask, directions, a mask, two residue types.
        let features = bins + 1 + 3 + 1 + 2 * RES_TYPE_CLASSES;
        let positions = RelativePositionEncoding::KFOLD.dimension();
        Ok(Self {
            channel_z: config.channel_z,
            boundaries: (0..bins).map(|bin| (config.min_dist + step * bin as f64) as f32).collect(),
            linear_apo: Linear::load(vb.pp("linear_apo"), features, channel, false)?,
            linear_rel_pos: Linear::load(vb.pp("linear_rel_pos"), positions, channel, false)?,
            stack: PairformerStack::load(vb.pp("stack"), channel, config.num_tri_heads, config.num_blocks)?,
            layernorm_out: LayerNorm::load(vb.pp("layernorm_out"), channel, LayerNorm::EPS, LayerNormParts::BOTH)?,
            linear_out: Linear::load(vb.pp("linear_out"), channel, config.channel_z, false)?,
        })
    }

    /// Lower boundaries of the distance classes, Å.
    #[must_use]
    pub fn boundaries(&self) -> &[f32] {
        &self.boundaries
    }

    /// The update of the pair state: [1, N, N, c_z].
    ///
    /// # Errors
    /// When the tensor operations fail.
    pub fn forward(&self, input: &FoldingInput) -> Result<Tensor> {
        let (tokens, apos) = (input.num_tokens(), input.num_apos());
        if apos == 0 {
            let shape = (1, tokens, tokens, self.channel_z);
            return Ok(Tensor::zeros(shape, DType::F32, input.device())?);
        }
        let known = Known::new(input)?;
        let mut bands = Vec::new();
        for first in (0..tokens).step_by(BAND) {
            bands.push(self.embed_rows(input, &known, first, BAND.min(tokens - first))?);
        }
        let v = Tensor::cat(&bands, 1)?;
        let v = self.layernorm_out.forward(&self.stack.forward(&v, &known.pairs)?)?;
        // The average over the structures that know a pair.
        let pairs = known.pairs.to_dtype(DType::F32)?.unsqueeze(D::Minus1)?;
        let count = pairs.sum_keepdim(0)?.maximum(1.0)?;
        let average = v.broadcast_mul(&pairs)?.sum_keepdim(0)?.broadcast_div(&count)?;
        self.linear_out.forward(&relu(&average)?)
    }

    /// The embedded features of `count` rows of pairs from row `first` on: [apos, count, N, channel].
    fn embed_rows(&self, input: &FoldingInput, known: &Known, first: usize, count: usize) -> Result<Tensor> {
        let rows = |mask: &Tensor| -> Result<Tensor> {
            Ok(mask.narrow(1, first, count)?.to_dtype(DType::F32)?.unsqueeze(D::Minus1)?)
        };
        let pairs = rows(&known.pairs)?;
        let (apos, tokens) = (pairs.dim(0)?, pairs.dim(2)?);
        let types = one_hot(&input.token.res_type, RES_TYPE_CLASSES)?;
        let shape = (apos, count, tokens, RES_TYPE_CLASSES);
        let types_i = types.narrow(0, first, count)?.unsqueeze(1)?.broadcast_as(shape)?;
        let features = Tensor::cat(
            &[
                distogram_rows(&known.repr_coords, &known.repr_mask, &self.boundaries, first, count)?,
                rows(&known.repr_pairs)?,
                unit_vector_rows(&known.frame_coords, &known.frame_mask, first, count)?,
                rows(&known.frame_pairs)?,
                types_i.contiguous()?,
                types.broadcast_as(shape)?.contiguous()?,
            ],
            D::Minus1,
        )?;
        let features = features.broadcast_mul(&pairs)?;
        let positions = RelativePositionEncoding::KFOLD.rows(&input.token, first, count)?;
        let positions = self.linear_rel_pos.forward(&positions)?.unsqueeze(0)?.broadcast_mul(&pairs)?;
        Ok((self.linear_apo.forward(&features)? + positions)?)
    }
}

/// What the apo structures know, structures first.
struct Known {
    /// [apos, N, 3]
    repr_coords: Tensor,
    /// [apos, N]
    repr_mask: Tensor,
    /// [apos, N, 3 atoms, 3]
    frame_coords: Tensor,
    /// [apos, N]
    frame_mask: Tensor,
    /// Pairs of one rigid group of which both tokens are known [apos, N, N].
    pairs: Tensor,
    /// Those whose representative atoms are known [apos, N, N].
    repr_pairs: Tensor,
    /// Those whose frames are known [apos, N, N].
    frame_pairs: Tensor,
}

impl Known {
    fn new(input: &FoldingInput) -> Result<Self> {
        let token = &input.token;
        let turned = |x: &Tensor| -> Result<Tensor> { Ok(x.transpose(0, 1)?.contiguous()?) };
        let (repr_mask, frame_mask) = (turned(&token.apo_repr_mask)?, turned(&token.apo_frame_mask)?);
        let square = |mask: &Tensor| -> Result<Tensor> { Ok(mask.unsqueeze(2)?.broadcast_mul(&mask.unsqueeze(1)?)?) };
        let real = token.pad_mask.mul(&token.apo_uid.ge(0i64)?)?;
        let either = repr_mask.maximum(&frame_mask)?.broadcast_mul(&real.unsqueeze(0)?)?;
        let same = token.apo_uid.unsqueeze(1)?.broadcast_eq(&token.apo_uid.unsqueeze(0)?)?;
        let pairs = square(&either)?.broadcast_mul(&same.unsqueeze(0)?)?;
        Ok(Self {
            repr_pairs: square(&repr_mask)?.mul(&pairs)?,
            frame_pairs: square(&frame_mask)?.mul(&pairs)?,
            repr_coords: turned(&token.apo_repr_coords)?,
            frame_coords: turned(&token.apo_frame_coords)?,
            repr_mask,
            frame_mask,
            pairs,
        })
    }
}

/// One-hot distance classes of all pairs.
///
/// `coords` [apos, N, 3] (Å), `mask` [apos, N]; class c is boundaries\[c\] < distance < boundaries\[c + 1\]. Returns
/// [apos, N, N, classes] f32; all zero where one of the two is unknown.
///
/// # Errors
/// When the tensor operations fail.
pub fn distogram(coords: &Tensor, mask: &Tensor, boundaries: &[f32]) -> Result<Tensor> {
    distogram_rows(coords, mask, boundaries, 0, coords.dim(1)?)
}

fn distogram_rows(coords: &Tensor, mask: &Tensor, boundaries: &[f32], first: usize, count: usize) -> Result<Tensor> {
    let mut lower: Vec<f32> = boundaries.iter().map(|boundary| boundary * boundary).collect();
    lower.push(FAR);
    let (upper, lower) = (&lower[1..], &lower[..boundaries.len()]);
    let (lower, upper) = (Tensor::new(lower, coords.device())?, Tensor::new(upper, coords.device())?);
    let rows = coords.narrow(1, first, count)?.unsqueeze(2)?;
    let squares = coords.unsqueeze(1)?.broadcast_sub(&rows)?.sqr()?.sum_keepdim(D::Minus1)?;
    let inside = squares.broadcast_gt(&lower)?.mul(&squares.broadcast_lt(&upper)?)?;
    let known = mask.narrow(1, first, count)?.unsqueeze(2)?.broadcast_mul(&mask.unsqueeze(1)?)?;
    Ok(inside.broadcast_mul(&known.unsqueeze(D::Minus1)?)?.to_dtype(DType::F32)?)
}

/// Directions from each token to each other in the first one's backbone frame.
///
/// `frames` [apos, N, 3 atoms (N, CA, C), 3] (Å), `mask` [apos, N]. Returns [apos, N, N, 3]: unit vectors, zero where one of
/// the two is unknown.
///
/// # Errors
/// When the tensor operations fail.
pub fn unit_vectors(frames: &Tensor, mask: &Tensor) -> Result<Tensor> {
    unit_vector_rows(frames, mask, 0, frames.dim(1)?)
}

fn unit_vector_rows(frames: &Tensor, mask: &Tensor, first: usize, count: usize) -> Result<Tensor> {
    let atom = |index: usize| -> Result<Tensor> { Ok(frames.narrow(2, index, 1)?.squeeze(2)?) };
    let (n, ca, c) = (atom(0)?, atom(1)?, atom(2)?);
    let x = normalized(&(n - &ca)?)?;
    let y = (c - &ca)?;
    let y = normalized(&(&y - x.broadcast_mul(&(&y * &x)?.sum_keepdim(D::Minus1)?)?)?)?;
    let z = cross(&x, &y)?;
    // [apos, rows, 3 axes, 3]
    let axes = Tensor::stack(&[x, y, z], 2)?.narrow(1, first, count)?;
    let offsets = ca.unsqueeze(1)?.broadcast_sub(&ca.narrow(1, first, count)?.unsqueeze(2)?)?;
    let local = offsets.contiguous()?.matmul(&axes.transpose(2, 3)?.contiguous()?)?;
    let known = mask.narrow(1, first, count)?.unsqueeze(2)?.broadcast_mul(&mask.unsqueeze(1)?)?;
    Ok(normalized(&local)?.broadcast_mul(&known.to_dtype(DType::F32)?.unsqueeze(D::Minus1)?)?)
}

fn normalized(x: &Tensor) -> Result<Tensor> {
    let squares = x.sqr()?.sum_keepdim(D::Minus1)?.maximum(EPS * EPS)?;
    Ok(x.broadcast_div(&squares.sqrt()?)?)
}

/// The cross product over the last dimension of 3.
fn cross(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    let part = |x: &Tensor, index: usize| x.narrow(D::Minus1, index, 1);
    let component =
        |i: usize, j: usize| -> Result<Tensor> { Ok(((part(a, i)? * part(b, j)?)? - (part(a, j)? * part(b, i)?)?)?) };
    Ok(Tensor::cat(&[component(1, 2)?, component(2, 0)?, component(0, 1)?], D::Minus1)?)
}
