//! The contractive recurrence of the pair state (K-Fold 1.0.0, model/model.py: "Parcae").
//!
//! Each cycle takes the pair state z through z ← a z + LN(u) Bᵀ and the main stack, where u is the query's pair features plus
//! what the language-model stack makes of the language model's, of which dropout removes a quarter, in inference too. a lies
//! between 0 and 1 in each channel, so the state contracts whatever it started from; it starts from noise.
//!
//! Unusual: the reference rounds a and B to bf16 on its cards; here they are f32, as in its goldens.

use candle_core::{DType, Tensor};
use candle_nn::VarBuilder;
use rayon::prelude::*;

use super::TriangularStack;
use crate::kfold::Result;
use crate::kfold::config::{KFoldConfig, StateInit};
use crate::kfold::noise::Noise;
use crate::kfold::primitives::activation::softplus;
use crate::kfold::primitives::cpu::access::{change, is_plain, with_values};
use crate::kfold::primitives::cpu::pair::add_injection;
use crate::kfold::primitives::{LayerNorm, LayerNormParts, Linear, exact};

/// Where the noise that the state starts from is cut, in standard deviations.
const BOUND: f64 = 3.0;

/// The cycles of the trunk and the refinement after them.
#[derive(Clone, Debug)]
pub struct Parcae {
    channel_z: usize,
    lm_dropout: f64,
    state_init: StateInit,
    /// Contraction of each channel [c_z].
    a: Tensor,
    /// What comes in [c_z, c_z].
    b: Linear,
    layernorm_z: LayerNorm,
    lm_stack: TriangularStack,
    main_stack: TriangularStack,
    linear_refine: Linear,
    refine_stack: TriangularStack,
}

impl Parcae {
    /// Loads `parcae_log_a`, `parcae_log_delta`, `parcae_b_cont`, `layernorm_z`, `lm_stack`, `main_stack`, `linear_refine` and
    /// `refine_stack`: `vb` is at the model's root.
    ///
    /// # Errors
    /// When a tensor is missing or misshapen.
    pub fn load(vb: VarBuilder<'_>, config: &KFoldConfig) -> Result<Self> {
        let (channel_z, trunk) = (config.channel_z, &config.trunk);
        let dynamics = vb.to_dtype(exact(vb.dtype()));
        let delta = softplus(&dynamics.get(channel_z, "parcae_log_delta")?)?;
        let a = (&delta * dynamics.get(channel_z, "parcae_log_a")?.exp()?)?.neg()?.exp()?;
        let b = delta.unsqueeze(1)?.broadcast_mul(&dynamics.get((channel_z, channel_z), "parcae_b_cont")?)?;
        let stack = |name: &str, blocks| TriangularStack::load(vb.pp(name), channel_z, blocks);
        Ok(Self {
            channel_z,
            lm_dropout: config.lm_dropout,
            state_init: config.parcae.state_init,
            a,
            b: Linear::new(b, None),
            layernorm_z: LayerNorm::load(vb.pp("layernorm_z"), channel_z, LayerNorm::EPS, LayerNormParts::BOTH)?,
            lm_stack: stack("lm_stack", trunk.num_lm_blocks)?,
            main_stack: stack("main_stack", trunk.num_main_blocks)?,
            linear_refine: Linear::load(vb.pp("linear_refine"), channel_z, channel_z, false)?,
            refine_stack: stack("refine_stack", trunk.num_refine_blocks)?,
        })
    }

    /// The contraction of each channel [c_z].
    #[must_use]
    pub fn a(&self) -> &Tensor {
        &self.a
    }

    /// The matrix of what comes in [c_z, c_z].
    #[must_use]
    pub fn b(&self) -> &Tensor {
        self.b.weight()
    }

    /// The state that the cycles start from, shaped and placed like `reference` [1, N, N, c_z]. Draws once.
    ///
    /// # Errors
    /// When the noise does not fit.
    pub fn initial_state(&self, reference: &Tensor, noise: &mut dyn Noise) -> Result<Tensor> {
        match self.state_init {
            StateInit::Zero => Ok(reference.zeros_like()?),
            StateInit::TruncNormal => {
                let std = (2.0 / (5.0 * self.channel_z as f64)).sqrt();
                let state = noise.trunc_normal(reference.dims(), std, BOUND)?;
                Ok(state.to_device(reference.device())?)
            }
        }
    }

    /// The first half of a cycle: the state z [1, N, N, c_z], in whose memory the result is made, so that nobody else may hold
    /// it, meets the query's features `z_inputs` and the language model's `z_lm` (the same shape). Draws the dropout.
    ///
    /// # Errors
    /// When the shapes or the noise do not fit.
    pub fn inject(
        &self,
        z: Tensor,
        z_inputs: &Tensor,
        z_lm: &Tensor,
        pair_mask: &Tensor,
        noise: &mut dyn Noise,
    ) -> Result<Tensor> {
        let keep = noise.dropout_keep(z_lm.dims(), self.lm_dropout)?;
        let z_lm = drop_out(z_lm, &keep, self.lm_dropout)?;
        let z_lm = self.lm_stack.update(z_lm, pair_mask)?;
        self.mix(z, z_inputs, &z_lm)
    }

    /// a z + LN(z_inputs + z_lm) Bᵀ.
    fn mix(&self, z: Tensor, z_inputs: &Tensor, z_lm: &Tensor) -> Result<Tensor> {
        let b = self.b();
        let tensors = [&self.a, b, self.layernorm_z.weight(), self.layernorm_z.bias(), z_inputs, z_lm];
        let fits = z.dims() == z_inputs.dims() && z.dims() == z_lm.dims() && z.dims().last() == Some(&self.channel_z);
        if fits && is_plain(&z) && tensors.iter().all(|tensor| is_plain(tensor)) {
            with_values(tensors, |[a, b, weight, bias, z_inputs, z_lm]| {
                let norm = self.layernorm_z.fused(weight, bias);
                change(&z, |z| add_injection(z, [z_inputs, z_lm], &norm, a, b))
            })?;
            return Ok(z);
        }
        let injected = self.b.forward(&self.layernorm_z.forward(&(z_inputs + z_lm)?)?)?;
        Ok((z.broadcast_mul(&self.a)? + injected)?)
    }

    /// The second half of a cycle.
    ///
    /// # Errors
    /// When the shapes do not fit.
    pub fn evolve(&self, z: Tensor, pair_mask: &Tensor) -> Result<Tensor> {
        self.main_stack.update(z, pair_mask)
    }

    /// What comes after the cycles.
    ///
    /// # Errors
    /// When the shapes do not fit.
    pub fn refine(&self, z: &Tensor, pair_mask: &Tensor) -> Result<Tensor> {
        self.refine_stack.update(self.linear_refine.forward(z)?, pair_mask)
    }
}

/// x where `keep` is 1, scaled by 1 / (1 - probability), 0 elsewhere: new memory.
fn drop_out(x: &Tensor, keep: &Tensor, probability: f64) -> Result<Tensor> {
    if is_plain(x) && keep.dims() == x.dims() && keep.dtype() == DType::U8 {
        let keep = keep.flatten_all()?.to_vec1::<u8>()?;
        let left = 1.0 - probability as f32;
        let values: Vec<f32> = with_values([x], |[x]| {
            Ok(x.par_iter().zip(&keep).map(|(&x, &keep)| if keep == 0 { 0.0 } else { x / left }).collect())
        })?;
        return Ok(Tensor::from_vec(values, x.dims(), x.device())?);
    }
    let keep = keep.to_device(x.device())?.to_dtype(x.dtype())?;
    Ok(((x * keep)? / (1.0 - probability))?)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use crate::kfold::noise::SeededNoise;

    #[test]
    fn fused_and_composed_halves_of_a_cycle_agree() {
        let (nodes, channels) = (13, 20);
        let mut noise = SeededNoise::new(2);
        let mut tensor = |shape: &[usize]| noise.randn(shape).unwrap();
        let weights = HashMap::from([
            ("layernorm_z.weight".to_owned(), tensor(&[channels])),
            ("layernorm_z.bias".to_owned(), tensor(&[channels])),
        ]);
        let vb = VarBuilder::from_tensors(weights, DType::F32, &candle_core::Device::Cpu);
        let stack = |name: &str| TriangularStack::load(vb.pp(name), channels, 0).unwrap();
        let parcae = Parcae {
            channel_z: channels,
            lm_dropout: 0.25,
            state_init: StateInit::Zero,
            a: tensor(&[channels]),
            b: Linear::new(tensor(&[channels, channels]), None),
            layernorm_z: LayerNorm::load(vb.pp("layernorm_z"), channels, LayerNorm::EPS, LayerNormParts::BOTH).unwrap(),
            lm_stack: stack("lm_stack"),
            main_stack: stack("main_stack"),
            linear_refine: Linear::new(tensor(&[channels, channels]), None),
            refine_stack: stack("refine_stack"),
        };
        let mut pair = || tensor(&[1, nodes, nodes, channels]);
        let (z, z_inputs, z_lm) = (pair(), pair(), pair());
        let fused = parcae.mix(z.copy().unwrap(), &z_inputs, &z_lm).unwrap();
        // What is not row-major takes the other way.
        let turned = |x: &Tensor| x.transpose(1, 2).unwrap().contiguous().unwrap().transpose(1, 2).unwrap();
        assert!(!is_plain(&turned(&z_inputs)));
        let composed = parcae.mix(z, &turned(&z_inputs), &turned(&z_lm)).unwrap();
        let difference = (&fused - &composed).unwrap().abs().unwrap().max_all().unwrap().to_scalar::<f32>().unwrap();
        assert!(difference < 1e-4, "they differ by {difference}");
    }
}
