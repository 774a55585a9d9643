//! The confidence heads (AtlasFold 1.0.4, `network/confidence_head.py`): how far a predicted structure can be trusted.
//!
//! Both read the trunk's representations and the distances in the predicted structure, through pair blocks. AtlasFold has
//! two stacks on the same input, one for pLDDT and one for PAE; AtlasFold-M one stack for both, and PDE besides. Samples
//! are judged one at a time, because the logits of a pair representation are large.

use candle_core::{D, DType, Tensor};
use candle_nn::VarBuilder;

use super::config::AtlasFoldConfig;
use super::distogram_head::linspace;
use super::features::{FeatureTensors, Features};
use super::normed_linear::NormedLinear;
use super::pair_block::{PairStack, PairStackSizes};
use super::residues::{ATOM14, ATOM37, RESIDUE_TYPES};
use super::watch::Watch;
use crate::kfold::primitives::{LayerNormParts, Linear, exact};
use crate::kfold::{KFoldError, Result};

/// Hidden width of the pair transition, in its own widths.
const PAIR_EXPANSION: usize = 4;

/// The logits of one sample.
#[derive(Clone, Debug)]
pub struct ConfidenceLogits {
    /// pLDDT, `[L, bins]`.
    pub plddt: Tensor,
    /// Which of the 37 atoms an experiment would resolve, `[L, 37]`.
    pub experimentally_resolved: Tensor,
    /// PAE, `[L, L, bins]`.
    pub pae: Tensor,
    /// PDE, `[L, L, bins]`; AtlasFold-M only.
    pub pde: Option<Tensor>,
}

/// The middles of a head's bins.
#[derive(Clone, Debug, PartialEq)]
pub struct BinCentres {
    /// pLDDT, 0 to 1.
    pub plddt: Vec<f32>,
    /// PAE in Å.
    pub pae: Vec<f32>,
    /// PDE in Å; AtlasFold-M only.
    pub pde: Option<Vec<f32>>,
}

/// A confidence head.
#[derive(Clone, Debug)]
pub struct ConfidenceHead {
    embed_aa: Linear,
    linear_distogram: Linear,
    stacks: Stacks,
    plddt: NormedLinear,
    experimentally_resolved: NormedLinear,
    pae: NormedLinear,
    pde: Option<NormedLinear>,
    /// Å between the bins of the predicted distances.
    boundaries: Vec<f32>,
    centres: BinCentres,
}

#[derive(Clone, Debug)]
enum Stacks {
    /// AtlasFold: pLDDT from one stack, PAE from another.
    Two { single: PairStack, pair: PairStack },
    /// AtlasFold-M: all from one, which reads a projection of the single representation.
    One { proj_s: NormedLinear, stack: PairStack },
}

impl ConfidenceHead {
    /// Loads the head of AtlasFold or of AtlasFold-M, as the configuration says.
    ///
    /// # Errors
    /// When a tensor is missing or misshapen.
    pub fn load(vb: VarBuilder<'_>, config: &AtlasFoldConfig) -> Result<Self> {
        let (sizes, channel_s, channel_z) = (&config.confidence_head, config.channel_s, config.channel_z);
        let stack = |name: &str, pair_to_single_blocks: usize| {
            let stack = PairStackSizes {
                channel_s,
                channel_z,
                num_heads: sizes.num_heads,
                num_tri_heads: sizes.num_tri_heads,
                num_blocks: sizes.num_blocks,
                pair_expansion: PAIR_EXPANSION,
                single_to_pair: false,
                pair_to_single_blocks,
            };
            PairStack::load(vb.pp(name), stack)
        };
        let head = |name: &str, channel: usize, bins: usize| {
            // The reference leaves autocast for them.
            NormedLinear::load(vb.to_dtype(exact(vb.dtype())).pp(name).pp("head"), channel, bins, LayerNormParts::BOTH)
        };
        let stacks = if config.is_multimer() {
            Stacks::One {
                proj_s: NormedLinear::load(vb.pp("proj_s"), channel_s, channel_s, LayerNormParts::BOTH)?,
                stack: stack("stack", sizes.num_blocks)?,
            }
        } else {
            Stacks::Two { single: stack("single_stack", sizes.num_blocks)?, pair: stack("pair_stack", 0)? }
        };
        let pde = sizes.num_pde_bins.zip(sizes.max_pde_error);
        Ok(Self {
            embed_aa: Linear::load(vb.pp("embed_aa"), RESIDUE_TYPES, channel_z, false)?,
            linear_distogram: Linear::load(vb.pp("linear_distogram"), sizes.num_bins, channel_z, false)?,
            stacks,
            plddt: head("plddt_head", channel_s, sizes.num_plddt_bins)?,
            experimentally_resolved: head("experimentally_resolved_head", channel_s, ATOM37)?,
            pae: head("pae_head", channel_z, sizes.num_pae_bins)?,
            pde: pde.map(|(bins, _)| head("pde_head", channel_z, bins)).transpose()?,
            boundaries: linspace(sizes.min_dist, sizes.max_dist, sizes.num_bins - 1),
            centres: BinCentres {
                plddt: bin_centres(1.0, sizes.num_plddt_bins),
                pae: bin_centres(sizes.max_pae_error, sizes.num_pae_bins),
                pde: pde.map(|(bins, max)| bin_centres(max, bins)),
            },
        })
    }

    /// The middles of the bins.
    #[must_use]
    pub fn bin_centres(&self) -> &BinCentres {
        &self.centres
    }

    /// Steps that [`Self::forward`] counts for a sample.
    #[must_use]
    pub fn steps(&self) -> usize {
        match &self.stacks {
            Stacks::Two { single, pair } => single.len() + pair.len(),
            Stacks::One { stack, .. } => stack.len(),
        }
    }

    /// Judges one sample: the trunk's `s` `[1, L, C_s]` and `z` `[1, L, L, C_z]`, and coordinates `[L * 14, 3]` in Å.
    ///
    /// # Errors
    /// When the shapes do not fit or the run was cancelled.
    pub fn forward(
        &self,
        target: (&Features, &FeatureTensors),
        s: &Tensor,
        z: &Tensor,
        coordinates: &Tensor,
        watch: &mut Watch<'_>,
    ) -> Result<ConfidenceLogits> {
        let (features, tensors) = target;
        let (mask, pair_mask) = (&tensors.mask, &tensors.pair_mask);
        let residues = self.embed_aa.forward(&tensors.residue_one_hot)?;
        let z = z.broadcast_add(&residues.unsqueeze(2)?)?.broadcast_add(&residues.unsqueeze(1)?)?;
        let z = (z + self.distances(features, coordinates)?)?;
        let (s, z) = match &self.stacks {
            Stacks::Two { single, pair } => {
                let (s, _) = single.forward(Some(s.clone()), &z, mask, pair_mask, watch)?;
                let (_, z) = pair.forward(None, &z, mask, pair_mask, watch)?;
                (s, z)
            }
            Stacks::One { proj_s, stack } => stack.forward(Some(proj_s.forward(s)?), &z, mask, pair_mask, watch)?,
        };
        let s = s.ok_or_else(|| KFoldError::input("the confidence head lost its single representation"))?;
        let both_ways =
            |head: &NormedLinear| -> Result<Tensor> { Ok(head.forward(&(&z + z.transpose(1, 2)?)?)?.squeeze(0)?) };
        Ok(ConfidenceLogits {
            plddt: self.plddt.forward(&s)?.squeeze(0)?,
            experimentally_resolved: self.experimentally_resolved.forward(&s)?.squeeze(0)?,
            pae: self.pae.forward(&z)?.squeeze(0)?,
            pde: self.pde.as_ref().map(both_ways).transpose()?,
        })
    }

    /// The binned distances between pseudo-betas as a pair representation: a linear layer of a one-hot vector is a row of
    /// its weights.
    fn distances(&self, features: &Features, coordinates: &Tensor) -> Result<Tensor> {
        let device = coordinates.device();
        let length = features.padded_length();
        let betas = features.pseudo_beta();
        let betas: Vec<u32> = (0..length).map(|residue| (residue * ATOM14 + betas[residue]) as u32).collect();
        let betas = coordinates.index_select(&Tensor::from_vec(betas, length, device)?, 0)?;
        let offsets = betas.unsqueeze(1)?.broadcast_sub(&betas.unsqueeze(0)?)?;
        let distances = offsets.sqr()?.sum_keepdim(D::Minus1)?.sqrt()?;
        let boundaries = Tensor::from_slice(&self.boundaries, self.boundaries.len(), device)?;
        let above = distances.broadcast_gt(&boundaries)?.to_dtype(DType::U32)?;
        let bins = above.sum(D::Minus1)?.flatten_all()?;
        let rows = self.linear_distogram.weight().t()?.contiguous()?.index_select(&bins, 0)?.to_dtype(DType::F32)?;
        let channel = rows.dim(1)?;
        Ok(rows.reshape((1, length, length, channel))?)
    }
}

/// The middles of `bins` equal bins from 0 to `max`.
fn bin_centres(max: f64, bins: usize) -> Vec<f32> {
    let half = max / bins as f64 / 2.0;
    linspace(half, max - half, bins)
}
