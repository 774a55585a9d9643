//! The diffusion head (AtlasFold 1.0.4, `network/diffusion_head.py`, `network/diffusion_transformer.py`; AlphaFold 3,
//! algorithms 18 to 25): denoises atom coordinates under the trunk's representations, and samples structures with it.
//!
//! Everything that does not change along a trajectory is made once ([`DiffusionHead::prepare`]): the pair biases of all
//! transformer blocks, the atoms' conditioning with their window biases, and the single conditioning before the noise
//! level enters. All samples of a run are one batch, cut into chunks.
//!
//! The sampler is the EDM scheme of AlphaFold 3: before each step the cloud is centred, turned at random and shifted. The
//! whole head runs in f32 in the reference, also where the trunk does not.

use candle_core::{D, Tensor};
use candle_nn::VarBuilder;

use super::atom_attention::{AtomDecoder, AtomEncoder, PreparedAtoms, TRANSITION_EXPANSION};
use super::config::{AtlasFoldConfig, DiffusionHeadConfig};
use super::features::{FeatureTensors, Features};
use super::names::{Layer, as_kfold};
use super::normed_linear::NormedLinear;
use super::relative_positions::{AtomRelativePositions, RELATIVE_POSITIONS};
use super::residues::{ATOM14, RESIDUE_TYPES};
use super::watch::Watch;
use crate::kfold::Result;
use crate::kfold::geometry::{centred, random_rotations};
use crate::kfold::layers::attention_pair_bias::SelfAttentionPairBias;
use crate::kfold::layers::conditioned_transition::ConditionedTransition;
use crate::kfold::noise::Noise;
use crate::kfold::primitives::{LayerNorm, LayerNormParts, Linear, Transition};

/// Å, the standard deviation of the data.
const SIGMA_DATA: f64 = 16.0;

/// Frequencies of the noise level's embedding.
const FOURIER: usize = 256;

/// How structures are sampled.
#[derive(Clone, Debug, PartialEq)]
pub struct SamplingConfig {
    /// Denoising steps.
    pub num_steps: usize,
    /// Last noise level, in standard deviations of the data.
    pub sigma_min: f64,
    /// First noise level, in standard deviations of the data.
    pub sigma_max: f64,
    /// Bend of the schedule.
    pub rho: f64,
    /// Share of noise that is added before a step.
    pub gamma_0: f64,
    /// Å, noise level below which none is added.
    pub gamma_min: f64,
    /// Scale of the added noise.
    pub noise_scale: f64,
    /// Length of a step.
    pub step_scale: f64,
    /// Samples that are denoised together.
    pub chunk_size: usize,
}

impl Default for SamplingConfig {
    fn default() -> Self {
        Self {
            num_steps: 200,
            sigma_min: 0.0004,
            sigma_max: 160.0,
            rho: 7.0,
            gamma_0: 0.8,
            gamma_min: 1.0,
            noise_scale: 1.003,
            step_scale: 1.5,
            chunk_size: 5,
        }
    }
}

impl SamplingConfig {
    /// The reference's choice for one chain padded to `length` (`runner.py`).
    #[must_use]
    pub fn for_monomer(length: usize) -> Self {
        let num_steps = match length {
            ..=512 => 20,
            513..=1024 => 30,
            _ => 100,
        };
        Self { num_steps, ..Self::default() }
    }

    /// Å, the noise levels from first to last, one more than there are steps.
    #[must_use]
    pub fn noise_levels(&self) -> Vec<f64> {
        let (first, last) = (self.sigma_max.powf(1.0 / self.rho), self.sigma_min.powf(1.0 / self.rho));
        let level = |step: usize| {
            let passed = step as f64 / self.num_steps.max(1) as f64;
            (first + passed * (last - first)).powf(self.rho) * SIGMA_DATA
        };
        (0..=self.num_steps).map(level).collect()
    }
}

/// What the head keeps of a target along its trajectories.
#[derive(Clone, Debug)]
pub struct PreparedTarget {
    /// The single conditioning without the noise level, `[1, L, C_cond]`.
    single: Tensor,
    /// Attention biases with the mask of the keys, one for each block, `[1, heads, L, L]`.
    pair_biases: Vec<Tensor>,
    mask: Tensor,
    /// `[1, L * 14, 1]`
    atom_mask: Tensor,
    /// 1 / atoms of a residue, `[1, L, 1]`.
    atom_share: Tensor,
    atom_conditioning: Tensor,
    encoder: PreparedAtoms,
    decoder: PreparedAtoms,
}

impl PreparedTarget {
    /// The attention biases of the transformer, one for each block, `[1, heads, L, L]`.
    #[must_use]
    pub fn pair_biases(&self) -> &[Tensor] {
        &self.pair_biases
    }
}

/// The diffusion head.
#[derive(Clone, Debug)]
pub struct DiffusionHead {
    single_conditioning: SingleConditioning,
    pair_conditioning: PairConditioning,
    atom_encoder: AtomEncoder,
    proj_q_to_a: Linear,
    proj_s_to_a: NormedLinear,
    blocks: Vec<DiffusionBlock>,
    proj_a_to_q: NormedLinear,
    atom_decoder: AtomDecoder,
}

impl DiffusionHead {
    /// Loads `single_conditioning`, `pair_conditioning` and `score_model`.
    ///
    /// # Errors
    /// When a tensor is missing or misshapen.
    pub fn load(vb: VarBuilder<'_>, config: &AtlasFoldConfig) -> Result<Self> {
        let sizes = &config.diffusion_head;
        let score = vb.pp("score_model");
        let blocks = score.pp("diffusion_transformer").pp("blocks");
        let (channel, atom) = (sizes.channel_a, sizes.channel_atom);
        let normed = |name: &str, from, to| NormedLinear::load(score.pp(name), from, to, LayerNormParts::WEIGHT);
        let (atom_heads, atom_blocks) = (sizes.num_atom_heads, sizes.num_atom_blocks);
        Ok(Self {
            single_conditioning: SingleConditioning::load(
                vb.pp("single_conditioning"),
                config.channel_s,
                sizes.channel_cond,
            )?,
            pair_conditioning: PairConditioning::load(vb.pp("pair_conditioning"), config.channel_z, sizes)?,
            atom_encoder: AtomEncoder::load(score.pp("atom_encoder"), atom, atom_heads, atom_blocks)?,
            proj_q_to_a: Linear::load(score.pp("proj_q_to_a").pp(0), atom, channel, false)?,
            proj_s_to_a: normed("proj_s_to_a", sizes.channel_cond, channel)?,
            blocks: (0..sizes.num_blocks)
                .map(|block| DiffusionBlock::load(&blocks.pp(block), sizes))
                .collect::<Result<_>>()?,
            proj_a_to_q: normed("proj_a_to_q", channel, ATOM14 * atom)?,
            atom_decoder: AtomDecoder::load(score.pp("atom_decoder"), atom, atom_heads, atom_blocks)?,
        })
    }

    /// Prepares for a target with the trunk's `s` `[1, L, C_s]` and `z` `[1, L, L, C_z]`, and the residues' relative
    /// positions `[1, L, L, 73]`.
    ///
    /// # Errors
    /// When the shapes do not fit.
    pub fn prepare(
        &self,
        target: (&Features, &FeatureTensors),
        relative_positions: &Tensor,
        atom_positions: &AtomRelativePositions,
        s: &Tensor,
        z: &Tensor,
    ) -> Result<PreparedTarget> {
        let (features, tensors) = target;
        let length = features.padded_length();
        let atom_mask = tensors.atom_mask.reshape((1, length * ATOM14, 1))?;
        let conditioning = self.atom_encoder.conditioning(&tensors.residue_one_hot, &atom_mask)?;
        let atoms = tensors.atom_mask.sum_keepdim(D::Minus1)?.maximum(1.0)?;
        Ok(PreparedTarget {
            single: self.single_conditioning.before_noise(s, &tensors.residue_one_hot)?,
            pair_biases: self.pair_conditioning.forward(z, relative_positions)?,
            mask: tensors.mask.clone(),
            atom_share: atoms.recip()?,
            encoder: self.atom_encoder.stack.prepare(features, atom_positions, &conditioning)?,
            decoder: self.atom_decoder.stack.prepare(features, atom_positions, &conditioning)?,
            atom_mask,
            atom_conditioning: conditioning,
        })
    }

    /// The single conditioning at a noise level in Å, `[1, L, C_cond]`.
    ///
    /// # Errors
    /// When the tensor operations fail.
    pub fn single_condition(&self, target: &PreparedTarget, noise_level: f64) -> Result<Tensor> {
        let c_noise = (noise_level / SIGMA_DATA).max(1e-20).ln() * 0.25;
        self.single_conditioning.at_noise(&target.single, c_noise as f32)
    }

    /// The denoised coordinates of noisy ones `[N, L * 14, 3]` at a noise level, all in Å.
    ///
    /// # Errors
    /// When the shapes do not fit.
    pub fn denoise(
        &self,
        target: &PreparedTarget,
        noisy: &Tensor,
        noise_level: f64,
        chunk_size: usize,
    ) -> Result<Tensor> {
        let variance = noise_level * noise_level + SIGMA_DATA * SIGMA_DATA;
        let (c_in, c_skip) = (1.0 / variance.sqrt(), SIGMA_DATA * SIGMA_DATA / variance);
        let c_out = noise_level * SIGMA_DATA / variance.sqrt();
        let condition = self.single_condition(target, noise_level)?;
        let scaled = (noisy * c_in)?;
        let samples = scaled.dim(0)?;
        let chunk_size = chunk_size.max(1);
        let updates = (0..samples)
            .step_by(chunk_size)
            .map(|first| {
                let chunk = scaled.narrow(0, first, chunk_size.min(samples - first))?;
                self.score(target, &chunk, &condition)
            })
            .collect::<Result<Vec<_>>>()?;
        let denoised = ((noisy * c_skip)? + (Tensor::cat(&updates, 0)? * c_out)?)?;
        Ok(denoised.broadcast_mul(&target.atom_mask)?)
    }

    /// The scaled update of scaled coordinates `[N, L * 14, 3]`.
    fn score(&self, target: &PreparedTarget, coordinates: &Tensor, condition: &Tensor) -> Result<Tensor> {
        let (samples, count, _) = coordinates.dims3()?;
        let length = count / ATOM14;
        let q =
            self.atom_encoder.forward(coordinates, &target.atom_conditioning, &target.atom_mask, &target.encoder)?;
        let a = self.proj_q_to_a.forward(&q)?.relu()?;
        let channel = a.dim(D::Minus1)?;
        let a = a.reshape((samples, length, ATOM14, channel))?.sum(2)?.broadcast_mul(&target.atom_share)?;
        let s = self.proj_s_to_a.forward(condition)?;
        let mut a = a.broadcast_add(&s)?;
        for (block, bias) in self.blocks.iter().zip(&target.pair_biases) {
            a = block.forward(&a, condition, bias, &target.mask)?;
        }
        let update = self.proj_a_to_q.forward(&a)?;
        let q = (&q + update.reshape(q.shape())?)?;
        self.atom_decoder.forward(&q, &target.atom_mask, &target.decoder)
    }

    /// Samples structures: Å, `[N, L * 14, 3]`, zeros where there is no atom.
    ///
    /// Draws in this order: `randn(1, N, L, 14, 3)` to start with; for each step `randn(N, 4)` for the rotations,
    /// `randn(1, N, 1, 3)` for the shifts and `randn(1, N, L, 14, 3)` for the noise, even where none is added.
    ///
    /// # Errors
    /// When the shapes do not fit or the run was cancelled.
    pub fn sample(
        &self,
        target: &PreparedTarget,
        num_samples: usize,
        config: &SamplingConfig,
        noise: &mut dyn Noise,
        watch: &mut Watch<'_>,
    ) -> Result<Tensor> {
        let device = target.atom_mask.device();
        let count = target.atom_mask.dim(1)?;
        let cloud = |noise: &mut dyn Noise, scale: f64| -> Result<Tensor> {
            let drawn = noise.randn(&[1, num_samples, count / ATOM14, ATOM14, 3])?.to_device(device)?;
            Ok((drawn.reshape((num_samples, count, 3))? * scale)?.broadcast_mul(&target.atom_mask)?)
        };
        let levels = config.noise_levels();
        let mut x = cloud(noise, levels[0])?;
        for step in levels.windows(2) {
            x = moved_at_random(&x, &target.atom_mask, noise)?;
            let gamma = if step[1] > config.gamma_min { config.gamma_0 } else { 0.0 };
            let level = step[0] * (1.0 + gamma);
            let added = config.noise_scale * (level * level - step[0] * step[0]).max(0.0).sqrt();
            let noisy = (x + cloud(noise, added)?)?;
            let denoised = self.denoise(target, &noisy, level, config.chunk_size)?;
            let slope = ((&noisy - denoised)? / level)?;
            x = (noisy + (slope * (config.step_scale * (step[1] - level)))?)?;
            watch.step()?;
        }
        Ok(x)
    }
}

/// Centres each cloud `[N, P, 3]` on its masked mean, turns it and shifts it by about 1 Å.
fn moved_at_random(x: &Tensor, mask: &Tensor, noise: &mut dyn Noise) -> Result<Tensor> {
    let samples = x.dim(0)?;
    let x = centred(x, mask)?;
    let rotations = random_rotations(noise, samples)?.to_device(x.device())?;
    let shifts = noise.randn(&[1, samples, 1, 3])?.to_device(x.device())?.squeeze(0)?;
    Ok(x.matmul(&rotations)?.broadcast_add(&shifts)?.broadcast_mul(mask)?)
}

/// The single representation and the noise level as conditioning.
#[derive(Clone, Debug)]
struct SingleConditioning {
    proj_single_cond: NormedLinear,
    fourier_w: Tensor,
    fourier_b: Tensor,
    layernorm_fourier: LayerNorm,
    linear_fourier: Linear,
    transitions: [Transition; 2],
}

impl SingleConditioning {
    fn load(vb: VarBuilder<'_>, channel_s: usize, channel: usize) -> Result<Self> {
        let (proj, norm) = (vb.pp("proj_single_cond"), vb.pp("layernorm_fourier"));
        Ok(Self {
            proj_single_cond: NormedLinear::load(proj, channel_s + RESIDUE_TYPES, channel, LayerNormParts::WEIGHT)?,
            fourier_w: vb.pp("fourier_embed").get((1, FOURIER), "w")?,
            fourier_b: vb.pp("fourier_embed").get((1, FOURIER), "b")?,
            layernorm_fourier: LayerNorm::load(norm, FOURIER, LayerNorm::EPS, LayerNormParts::WEIGHT)?,
            linear_fourier: Linear::load(vb.pp("linear_fourier"), FOURIER, channel, false)?,
            transitions: transitions(&vb, channel)?,
        })
    }

    fn before_noise(&self, s: &Tensor, residue_one_hot: &Tensor) -> Result<Tensor> {
        self.proj_single_cond.forward(&Tensor::cat(&[s, residue_one_hot], D::Minus1)?)
    }

    fn at_noise(&self, single: &Tensor, c_noise: f32) -> Result<Tensor> {
        let turns = std::f32::consts::TAU * c_noise;
        let waves = ((&self.fourier_w * f64::from(turns))? + &self.fourier_b)?.cos()?;
        let noise = self.linear_fourier.forward(&self.layernorm_fourier.forward(&waves)?)?;
        let mut s = single.broadcast_add(&noise.unsqueeze(1)?)?;
        for transition in &self.transitions {
            s = transition.add_to(&s)?;
        }
        Ok(s)
    }
}

fn transitions(vb: &VarBuilder<'_>, channel: usize) -> Result<[Transition; 2]> {
    let load = |index: usize| {
        let vb = as_kfold(vb.pp("transitions").pp(index), Layer::Transition);
        Transition::load(vb, channel, TRANSITION_EXPANSION)
    };
    Ok([load(0)?, load(1)?])
}

/// The pair representation as attention biases of all blocks.
#[derive(Clone, Debug)]
struct PairConditioning {
    layernorm: LayerNorm,
    linear: Linear,
    transitions: [Transition; 2],
    layernorm_bias: LayerNorm,
    linear_bias: Linear,
    num_heads: usize,
}

impl PairConditioning {
    fn load(vb: VarBuilder<'_>, channel: usize, sizes: &DiffusionHeadConfig) -> Result<Self> {
        let width = channel + RELATIVE_POSITIONS;
        let norm = |name: &str, dim| LayerNorm::load(vb.pp(name), dim, LayerNorm::EPS, LayerNormParts::WEIGHT);
        Ok(Self {
            layernorm: norm("layernorm", width)?,
            linear: Linear::load(vb.pp("linear"), width, channel, false)?,
            transitions: transitions(&vb, channel)?,
            layernorm_bias: norm("layernorm_bias", channel)?,
            linear_bias: Linear::load(vb.pp("linear_bias"), channel, sizes.num_blocks * sizes.num_heads, false)?,
            num_heads: sizes.num_heads,
        })
    }

    /// `z` `[1, L, L, C_z]` gives `[1, heads, L, L]` for each block.
    fn forward(&self, z: &Tensor, relative_positions: &Tensor) -> Result<Vec<Tensor>> {
        let z = Tensor::cat(&[z, relative_positions], D::Minus1)?;
        let mut z = self.linear.forward(&self.layernorm.forward(&z)?)?;
        for transition in &self.transitions {
            z = transition.add_to(&z)?;
        }
        let biases = self.linear_bias.forward(&self.layernorm_bias.forward(&z)?)?;
        let blocks = biases.dim(D::Minus1)? / self.num_heads;
        (0..blocks)
            .map(|block| {
                let bias = biases.narrow(D::Minus1, block * self.num_heads, self.num_heads)?;
                Ok(bias.permute((0, 3, 1, 2))?.contiguous()?)
            })
            .collect()
    }
}

/// A block of the transformer over residues.
#[derive(Clone, Debug)]
struct DiffusionBlock {
    attention: SelfAttentionPairBias,
    transition: ConditionedTransition,
}

impl DiffusionBlock {
    fn load(vb: &VarBuilder<'_>, sizes: &DiffusionHeadConfig) -> Result<Self> {
        let attention = as_kfold(vb.pp("attention"), Layer::PairBiasAttention);
        let transition = as_kfold(vb.pp("transition"), Layer::ConditionedTransition);
        let (channel, cond) = (sizes.channel_a, sizes.channel_cond);
        Ok(Self {
            attention: SelfAttentionPairBias::load(attention, channel, sizes.num_heads, Some(cond))?,
            transition: ConditionedTransition::load(transition, channel, cond, TRANSITION_EXPANSION)?,
        })
    }

    fn forward(&self, a: &Tensor, condition: &Tensor, bias: &Tensor, mask: &Tensor) -> Result<Tensor> {
        let attention = self.attention.condition(condition)?;
        let a = self.attention.add_to(a, attention.as_ref(), bias, mask)?;
        self.transition.add_to(&a, &self.transition.condition(condition)?)
    }
}
