//! The template module of AtlasFold-M (AtlasFold 1.0.4, `network/template.py`).
//!
//! K-Fold never gives templates, so in a prediction the module adds nothing; it is here because its parameters are part of
//! the checkpoint, and because it is what AtlasFold-M is.

use candle_core::{D, DType, Tensor};
use candle_nn::VarBuilder;

use super::config::TemplateModuleConfig;
use super::distogram_head::linspace;
use super::normed_linear::NormedLinear;
use super::pair_block::{PairStack, PairStackSizes};
use super::residues::RESIDUE_TYPES;
use super::watch::Watch;
use crate::kfold::Result;
use crate::kfold::primitives::{LayerNorm, LayerNormParts, Linear};

/// Hidden width of the pair transition, in its own widths.
const PAIR_EXPANSION: usize = 2;

/// Å² below which a vector has no direction.
const SMALLEST_SQUARE: f64 = 1e-12;

/// Templates of one target: `T` structures, each aligned to one of its chains.
#[derive(Clone, Debug)]
pub struct Templates {
    /// Which templates there are, `[T]`, 0 or 1.
    pub mask: Tensor,
    /// Residue types, `[T, L, 21]`, one-hot.
    pub residue_one_hot: Tensor,
    /// Å, CB or glycine's CA, `[T, L, 3]`.
    pub pseudo_beta: Tensor,
    /// Where there is a pseudo-beta, `[T, L]`, 0 or 1.
    pub pseudo_beta_mask: Tensor,
    /// Å, N, CA and C, `[T, L, 3, 3]`.
    pub backbone: Tensor,
    /// Where all three are, `[T, L]`, 0 or 1.
    pub backbone_mask: Tensor,
}

/// Embeds templates as an update of the pair representation.
#[derive(Clone, Debug)]
pub struct TemplateModule {
    linear_template: Linear,
    proj_z: NormedLinear,
    stack: PairStack,
    layernorm_out: LayerNorm,
    linear_out: Linear,
    /// Å, lower break of each bin.
    breaks: Vec<f32>,
}

impl TemplateModule {
    /// Loads `linear_template`, `proj_z`, `stack`, `layernorm_out` and `linear_out`.
    ///
    /// # Errors
    /// When a tensor is missing or misshapen.
    pub fn load(vb: VarBuilder<'_>, channel_z: usize, config: &TemplateModuleConfig) -> Result<Self> {
        let channel = config.channel_template;
        // Distogram, pseudo-beta mask, unit vector, backbone mask, both residue types.
        let width = config.num_distogram_bins + 1 + 3 + 1 + 2 * RESIDUE_TYPES;
        let sizes = PairStackSizes {
            channel_s: 0,
            channel_z: channel,
            num_heads: 0,
            num_tri_heads: config.num_tri_heads,
            num_blocks: config.num_blocks,
            pair_expansion: PAIR_EXPANSION,
            single_to_pair: false,
            pair_to_single_blocks: 0,
        };
        Ok(Self {
            linear_template: Linear::load(vb.pp("linear_template"), width, channel, false)?,
            proj_z: NormedLinear::load(vb.pp("proj_z"), channel_z, channel, LayerNormParts::BOTH)?,
            stack: PairStack::load(vb.pp("stack"), sizes)?,
            layernorm_out: LayerNorm::load(vb.pp("layernorm_out"), channel, LayerNorm::EPS, LayerNormParts::BOTH)?,
            linear_out: Linear::load(vb.pp("linear_out"), channel, channel_z, false)?,
            breaks: linspace(config.min_dist, config.max_dist, config.num_distogram_bins),
        })
    }

    /// Steps that [`Self::forward`] counts.
    ///
    /// # Errors
    /// When the templates have no shape.
    pub fn steps(&self, templates: &Templates) -> Result<usize> {
        Ok(templates.mask.dim(0)? * self.stack.len())
    }

    /// The update of `z` `[1, L, L, C_z]` by templates; `same_chain` `[1, L, L]` is 1 for pairs of residues of one chain.
    ///
    /// # Errors
    /// When the shapes do not fit or the run was cancelled.
    pub fn forward(
        &self,
        templates: &Templates,
        z: &Tensor,
        masks: (&Tensor, &Tensor),
        same_chain: &Tensor,
        watch: &mut Watch<'_>,
    ) -> Result<Tensor> {
        let (mask, pair_mask) = masks;
        let z = self.proj_z.forward(z)?;
        let mut sum = z.zeros_like()?;
        let count = templates.mask.dim(0)?;
        for template in 0..count {
            let pairs = self.pair_features(templates, template, same_chain)?;
            let v = (self.linear_template.forward(&pairs)? + &z)?;
            let (_, v) = self.stack.forward(None, &v, mask, pair_mask, watch)?;
            let present = templates.mask.narrow(0, template, 1)?.to_dtype(DType::F32)?;
            sum = (sum + self.layernorm_out.forward(&v)?.broadcast_mul(&present)?)?;
        }
        let present = templates.mask.to_dtype(DType::F32)?.sum_all()?.to_scalar::<f32>()?;
        self.linear_out.forward(&(sum / f64::from(present.max(1.0)))?.relu()?)
    }

    /// What a template says of each pair, `[1, L, L, features]`.
    fn pair_features(&self, templates: &Templates, template: usize, same_chain: &Tensor) -> Result<Tensor> {
        let get = |tensor: &Tensor| -> Result<Tensor> { Ok(tensor.get(template)?.to_dtype(DType::F32)?) };
        let pairs = |mask: &Tensor| -> Result<Tensor> { Ok(mask.unsqueeze(1)?.broadcast_mul(&mask.unsqueeze(0)?)?) };
        let same_chain = same_chain.squeeze(0)?;
        let length = same_chain.dim(0)?;

        let beta_mask = get(&templates.pseudo_beta_mask)?;
        let beta_pairs = (pairs(&beta_mask)? * &same_chain)?.unsqueeze(2)?;
        let distogram = self.distogram(&get(&templates.pseudo_beta)?)?.broadcast_mul(&beta_pairs)?;

        let frame_mask = get(&templates.backbone_mask)?;
        let frame_pairs = (pairs(&frame_mask)? * &same_chain)?.unsqueeze(2)?;
        let directions = unit_vectors(&get(&templates.backbone)?)?.broadcast_mul(&frame_pairs)?;

        let kinds = get(&templates.residue_one_hot)?;
        let kinds_i = kinds.unsqueeze(1)?.broadcast_as((length, length, RESIDUE_TYPES))?;
        let kinds_j = kinds.unsqueeze(0)?.broadcast_as((length, length, RESIDUE_TYPES))?;
        Ok(Tensor::cat(&[&distogram, &beta_pairs, &directions, &frame_pairs, &kinds_i, &kinds_j], 2)?.unsqueeze(0)?)
    }

    /// One-hot bins of the distances of points `[L, 3]`: `[L, L, bins]`, none below the first break or exactly on one.
    fn distogram(&self, points: &Tensor) -> Result<Tensor> {
        let device = points.device();
        let lower: Vec<f32> = self.breaks.iter().map(|distance| distance * distance).collect();
        let upper: Vec<f32> = lower[1..].iter().copied().chain([1e8]).collect();
        let bins = lower.len();
        let (lower, upper) = (Tensor::from_vec(lower, bins, device)?, Tensor::from_vec(upper, bins, device)?);
        let offsets = points.unsqueeze(1)?.broadcast_sub(&points.unsqueeze(0)?)?;
        let squares = offsets.sqr()?.sum_keepdim(D::Minus1)?;
        let above = squares.broadcast_gt(&lower)?.to_dtype(DType::F32)?;
        let below = squares.broadcast_lt(&upper)?.to_dtype(DType::F32)?;
        Ok((above * below)?)
    }
}

/// The direction from each residue's CA to each other's in its own frame: backbone `[L, 3, 3]` (N, CA, C) gives `[L, L, 3]`.
fn unit_vectors(backbone: &Tensor) -> Result<Tensor> {
    let atom = |index: usize| -> Result<Tensor> { Ok(backbone.narrow(1, index, 1)?.squeeze(1)?) };
    let (n, ca, c) = (atom(0)?, atom(1)?, atom(2)?);
    let e0 = normalized(&(n - &ca)?)?;
    let e1 = (c - &ca)?;
    let along = (&e1 * &e0)?.sum_keepdim(D::Minus1)?;
    let e1 = normalized(&(e1 - e0.broadcast_mul(&along)?)?)?;
    let e2 = cross(&e0, &e1)?;
    // [i, axis, xyz] times [i, xyz, j]
    let frames = Tensor::stack(&[e0, e1, e2], 1)?;
    let offsets = ca.unsqueeze(0)?.broadcast_sub(&ca.unsqueeze(1)?)?;
    let local = offsets.contiguous()?.matmul(&frames.transpose(1, 2)?.contiguous()?)?;
    normalized(&local)
}

fn normalized(vectors: &Tensor) -> Result<Tensor> {
    let norm = vectors.sqr()?.sum_keepdim(D::Minus1)?.maximum(SMALLEST_SQUARE)?.sqrt()?;
    Ok(vectors.broadcast_div(&norm)?)
}

fn cross(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    let part = |t: &Tensor, index: usize| t.narrow(D::Minus1, index % 3, 1);
    let component = |index: usize| -> Result<Tensor> {
        let left = (part(a, index + 1)? * part(b, index + 2)?)?;
        Ok((left - (part(a, index + 2)? * part(b, index + 1)?)?)?)
    };
    Ok(Tensor::cat(&[component(0)?, component(1)?, component(2)?], D::Minus1)?)
}
