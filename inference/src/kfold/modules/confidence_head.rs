//! The confidence head (K-Fold 1.0.0, modules/confidence_head.py; after AlphaFold 3, algorithm 31): how far to trust a sample.
//!
//! A stack of pair blocks over the trunk's pair state and the sample's distances, in which the pairs also speak to a single
//! state from the language model. Logits of the aligned error and the distance error of each pair, of lDDT and of being
//! resolved for each atom (up to [`MAX_TOKEN_ATOMS`] of a token). One sample at a time: the pair state is the largest thing.
//!
//! Unusual: the first projection of the single features runs along the columns, the second along the rows; the logits of the
//! distance error are made symmetric by adding their transpose.

use candle_core::{D, DType, Tensor};
use candle_nn::VarBuilder;

use super::distogram_head::{bin_centers, linspace};
use super::tri_stack::TriangularBlock;
use crate::kfold::Result;
use crate::kfold::config::ConfidenceHeadConfig;
use crate::kfold::input::{FoldingInput, one_hot, pair_mask};
use crate::kfold::layers::attention_pair_bias::SelfAttentionPairBias;
use crate::kfold::primitives::{LayerNorm, LayerNormParts, Linear, Transition, exact};

/// Atoms of a token that get a logit.
pub const MAX_TOKEN_ATOMS: usize = 24;

/// A normalisation and a linear map without bias.
#[derive(Clone, Debug)]
pub(crate) struct NormalizedLinear {
    norm: LayerNorm,
    linear: Linear,
}

impl NormalizedLinear {
    /// Loads `0` and `1`, as of torch's Sequential.
    pub(crate) fn load(vb: VarBuilder<'_>, in_dim: usize, out_dim: usize) -> Result<Self> {
        Ok(Self {
            norm: LayerNorm::load(vb.pp(0), in_dim, LayerNorm::EPS, LayerNormParts::BOTH)?,
            linear: Linear::load(vb.pp(1), in_dim, out_dim, false)?,
        })
    }

    pub(crate) fn forward(&self, x: &Tensor) -> Result<Tensor> {
        self.linear.forward(&self.norm.forward(x)?)
    }
}

/// Updates pairs, then singles from them. The affinity head is built of the same.
#[derive(Clone, Debug)]
pub(crate) struct PairSingleBlock {
    pair_block: TriangularBlock,
    layernorm_z: LayerNorm,
    linear_pair_bias: Linear,
    attention: SelfAttentionPairBias,
    transition: Transition,
}

impl PairSingleBlock {
    /// Loads `pair_block`, `layernorm_z`, `linear_pair_bias`, `attention` and `transition`.
    pub(crate) fn load(vb: VarBuilder<'_>, channel_s: usize, channel_z: usize, heads: usize) -> Result<Self> {
        Ok(Self {
            pair_block: TriangularBlock::load(vb.pp("pair_block"), channel_z)?,
            layernorm_z: LayerNorm::load(vb.pp("layernorm_z"), channel_z, LayerNorm::EPS, LayerNormParts::BOTH)?,
            linear_pair_bias: Linear::load(vb.pp("linear_pair_bias"), channel_z, heads, false)?,
            attention: SelfAttentionPairBias::load(vb.pp("attention"), channel_s, heads, None)?,
            transition: Transition::load(vb.pp("transition"), channel_s, 4)?,
        })
    }

    /// The pairs `z` [1, L, L, c_z] after the pair block; `mask` [1, L, L].
    pub(crate) fn update_pairs(&self, z: &Tensor, mask: &Tensor) -> Result<Tensor> {
        self.pair_block.forward(z, mask)
    }

    /// The biases [1, H, L, L] that the pairs `z` give the singles.
    pub(crate) fn pair_bias(&self, z: &Tensor) -> Result<Tensor> {
        let bias = self.linear_pair_bias.forward(&self.layernorm_z.forward(z)?)?;
        Ok(bias.permute((0, 3, 1, 2))?.contiguous()?)
    }

    /// The singles `s` [1, L, c_s] after attention and transition; `mask` [1, L].
    pub(crate) fn update_singles(&self, s: &Tensor, bias: &Tensor, mask: &Tensor) -> Result<Tensor> {
        self.transition.add_to(&self.attention.add_to(s, None, bias, mask)?)
    }
}

/// The module.
#[derive(Clone, Debug)]
pub struct ConfidenceHead {
    config: ConfidenceHeadConfig,
    linear_s1: Linear,
    linear_s2: Linear,
    s_lm_to_s: NormalizedLinear,
    linear_distogram: Linear,
    blocks: Vec<PairSingleBlock>,
    pae_head: NormalizedLinear,
    pde_head: NormalizedLinear,
    plddt_head: NormalizedLinear,
    resolved_head: NormalizedLinear,
}

/// What the samples of a complex share.
#[derive(Clone, Debug)]
pub struct ConfidenceInput {
    z: Tensor,
    s: Tensor,
    mask: Tensor,
    pair_mask: Tensor,
    representative: Tensor,
    /// Row of each atom among the tokens' [`MAX_TOKEN_ATOMS`] rows, and 1 where the atom is real.
    atom_row: Tensor,
    atom_mask: Tensor,
}

/// The logits of a sample; zero where padded.
#[derive(Clone, Debug)]
pub struct ConfidenceLogits {
    /// Aligned error [L, L, bins].
    pub pae: Tensor,
    /// Distance error [L, L, bins].
    pub pde: Tensor,
    /// lDDT [N, bins].
    pub plddt: Tensor,
    /// Not resolved, resolved [N, 2]. Inference does not use it.
    pub resolved: Tensor,
}

/// The centres of the bins.
#[derive(Clone, Debug, PartialEq)]
pub struct ConfidenceBins {
    /// Of the aligned error, Å.
    pub pae: Vec<f32>,
    /// Of the distance error, Å.
    pub pde: Vec<f32>,
    /// Of lDDT, 0 to 1.
    pub plddt: Vec<f32>,
}

impl ConfidenceHead {
    /// Loads `linear_s1`, `linear_s2`, `s_lm_to_s`, `linear_distogram`, `stack.blocks.N` and the heads.
    ///
    /// # Errors
    /// When a tensor is missing or misshapen.
    pub fn load(vb: VarBuilder<'_>, config: &ConfidenceHeadConfig) -> Result<Self> {
        let ConfidenceHeadConfig { channel_s, channel_z, .. } = *config;
        // The reference leaves autocast for them.
        let heads = vb.to_dtype(exact(vb.dtype()));
        let blocks = (0..config.num_blocks).map(|index| {
            PairSingleBlock::load(vb.pp("stack.blocks").pp(index), channel_s, channel_z, config.num_heads_attn)
        });
        Ok(Self {
            linear_s1: Linear::load(vb.pp("linear_s1"), channel_s, channel_z, false)?,
            linear_s2: Linear::load(vb.pp("linear_s2"), channel_s, channel_z, false)?,
            s_lm_to_s: NormalizedLinear::load(vb.pp("s_lm_to_s"), channel_s, channel_s)?,
            linear_distogram: Linear::load(vb.pp("linear_distogram"), config.num_bins, channel_z, false)?,
            blocks: blocks.collect::<Result<_>>()?,
            pae_head: NormalizedLinear::load(heads.pp("pae_head"), channel_z, config.num_pae_bins)?,
            pde_head: NormalizedLinear::load(heads.pp("pde_head"), channel_z, config.num_pde_bins)?,
            plddt_head: NormalizedLinear::load(
                heads.pp("plddt_head"),
                channel_s,
                MAX_TOKEN_ATOMS * config.num_plddt_bins,
            )?,
            resolved_head: NormalizedLinear::load(heads.pp("resolved_head"), channel_s, MAX_TOKEN_ATOMS * 2)?,
            config: config.clone(),
        })
    }

    /// The centres of the bins.
    #[must_use]
    pub fn bins(&self) -> ConfidenceBins {
        let config = &self.config;
        ConfidenceBins {
            pae: bin_centers(config.min_pae_dist, config.max_pae_dist, config.num_pae_bins),
            pde: bin_centers(config.min_pde_dist, config.max_pde_dist, config.num_pde_bins),
            plddt: bin_centers(0.0, 1.0, config.num_plddt_bins),
        }
    }

    /// What the samples share, from the trunk's `s_inputs` [1, L, c_s], `s_lm` [1, L, c_s] and `z` [1, L, L, c_z].
    ///
    /// # Errors
    /// When the shapes do not fit.
    pub fn prepare(
        &self,
        input: &FoldingInput,
        s_inputs: &Tensor,
        s_lm: &Tensor,
        z: &Tensor,
    ) -> Result<ConfidenceInput> {
        let (column, row) = (self.linear_s1.forward(s_inputs)?, self.linear_s2.forward(s_inputs)?);
        let z = z.broadcast_add(&column.unsqueeze(1)?)?.broadcast_add(&row.unsqueeze(2)?)?;
        let mask = input.token.pad_mask.unsqueeze(0)?;
        // Atoms follow each other token by token, each token's first atoms having its rows in order.
        let atoms = input.num_atoms();
        let (mut rows, mut real) = (Vec::with_capacity(atoms), Vec::with_capacity(atoms));
        for (token, count) in input.token.num_atoms.to_vec1::<i64>()?.into_iter().enumerate() {
            for atom in 0..usize::try_from(count).unwrap_or(0).min(MAX_TOKEN_ATOMS) {
                rows.push((token * MAX_TOKEN_ATOMS + atom) as u32);
                real.push(1.0_f32);
            }
        }
        rows.resize(atoms, 0);
        real.resize(atoms, 0.0);
        let device = input.device();
        let real = Tensor::from_vec(real, (atoms, 1), device)?;
        let valid = input.atom.pad_mask.to_dtype(DType::F32)?.unsqueeze(1)?;
        Ok(ConfidenceInput {
            z,
            s: self.s_lm_to_s.forward(s_lm)?,
            pair_mask: pair_mask(&mask)?,
            mask,
            representative: input.token.repr_index.clamp(0i64, atoms.saturating_sub(1) as i64)?,
            atom_row: Tensor::from_vec(rows, atoms, device)?,
            atom_mask: (real * valid)?,
        })
    }

    /// The logits of one sample at positions `x` [N, 3].
    ///
    /// # Errors
    /// When the shapes do not fit.
    pub fn forward(&self, shared: &ConfidenceInput, x: &Tensor) -> Result<ConfidenceLogits> {
        let ConfidenceInput { mask, pair_mask, atom_row, atom_mask, .. } = shared;
        let bins = distance_bins(&self.config, &x.index_select(&shared.representative, 0)?)?;
        let distogram = one_hot(&bins, self.config.num_bins)?.unsqueeze(0)?;
        let mut z = (&shared.z + self.linear_distogram.forward(&distogram)?)?;
        drop(distogram);
        let mut s = shared.s.clone();
        for block in &self.blocks {
            z = block.update_pairs(&z, pair_mask)?;
            s = block.update_singles(&s, &block.pair_bias(&z)?, mask)?;
        }
        let pairs = pair_mask.to_dtype(DType::F32)?.squeeze(0)?.unsqueeze(2)?;
        let pae = self.pae_head.forward(&z)?.squeeze(0)?.broadcast_mul(&pairs)?;
        let pde = self.pde_head.forward(&z)?.squeeze(0)?;
        drop(z);
        let pde = (&pde + pde.transpose(0, 1)?)?.broadcast_mul(&pairs)?;
        let tokens = s.dim(1)?;
        let of_atoms = |logits: Tensor| -> Result<Tensor> {
            let channel = logits.dim(D::Minus1)? / MAX_TOKEN_ATOMS;
            let rows = logits.reshape((tokens * MAX_TOKEN_ATOMS, channel))?.index_select(atom_row, 0)?;
            Ok(rows.broadcast_mul(atom_mask)?)
        };
        Ok(ConfidenceLogits {
            pae,
            pde,
            plddt: of_atoms(self.plddt_head.forward(&s)?)?,
            resolved: of_atoms(self.resolved_head.forward(&s)?)?,
        })
    }
}

/// The bins of the distances between the points `x` [L, 3]: how many boundaries each exceeds, [L, L] i64.
fn distance_bins(config: &ConfidenceHeadConfig, x: &Tensor) -> Result<Tensor> {
    let boundaries = linspace(config.min_dist, config.max_dist, config.num_bins - 1);
    let points = x.to_vec2::<f32>()?;
    let mut bins = Vec::with_capacity(points.len() * points.len());
    for a in &points {
        for b in &points {
            let squared = (a[0] - b[0]).powi(2) + (a[1] - b[1]).powi(2) + (a[2] - b[2]).powi(2);
            let distance = squared.sqrt();
            bins.push(boundaries.partition_point(|boundary| distance > *boundary) as i64);
        }
    }
    Ok(Tensor::from_vec(bins, (points.len(), points.len()), x.device())?)
}
