//! The ECSI bridge sampler (K-Fold 1.0.0, modules/ecsi.py; after Zhang et al., "Exploring the design space of diffusion
//! bridge models", and AlphaFold 3, algorithm 18): from the apo structures spread at random (t = 1) to the complex (t = 0).
//!
//! The bridge is x_t = α x₀ + β x_T + γ z with α = 1 - t, β = t and γ = 2 γ_max √(t (1 - t)). Each step turns state and endpoint
//! together by a random rotation and shift, adds noise above `churn_end_time`, asks the score model for x₀, lays the answer
//! on the state by rotation alone, centres it, and moves: by the stochastic equation above `sde_end_time`, by the
//! deterministic interpolation below.
//!
//! Unusual: the state is never centred, so the shifts accumulate. Times are f64 and positions f32, as in the reference; the
//! positions, some thousand numbers, stay on the processor and only the score model's input travels to its device.

use candle_core::{Device, Tensor};
use glam::Vec3;
use kfold_molecule::analysis::superpose::{Transform, superpose};

use super::score_model::{ScoreModel, Trajectory};
use crate::kfold::config::EcsiConfig;
use crate::kfold::geometry::rotation_of_rows;
use crate::kfold::input::FoldingInput;
use crate::kfold::noise::Noise;
use crate::kfold::{KFoldError, Result};

/// Below this the reference divides by this instead.
const SMALLEST_DIVISOR: f64 = 1e-10;
/// Halvings of the interval in which the churned time is sought.
const HALVINGS: usize = 60;

fn divisor(x: f64) -> f64 {
    x.max(SMALLEST_DIVISOR)
}

fn root(x: f64) -> f64 {
    x.max(0.0).sqrt()
}

/// How the scales of input, skip and output depend on time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scalings {
    /// Of the score model's input.
    pub input: f64,
    /// Of the state in the answer.
    pub skip: f64,
    /// Of the score model's output in the answer.
    pub output: f64,
}

/// Which equation a step follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Equation {
    /// The stochastic equation of the endpoint-conditioned bridge; takes noise.
    Stochastic,
    /// The deterministic interpolation towards the denoised positions.
    Deterministic,
}

/// Positions of all atoms of all samples.
pub type Samples = Vec<Vec<Vec3>>;

/// The sampler's numbers; the score model is given to [`Ecsi::sample`].
#[derive(Clone, Debug)]
pub struct Ecsi {
    config: EcsiConfig,
}

/// What the sampler gives.
#[derive(Clone, Debug)]
pub struct Sampled {
    /// Positions of each sample, Å; padded atoms are zero.
    pub coordinates: Samples,
    /// The starting positions as they lie at the end, having shared all rotations and shifts.
    pub initial: Samples,
    /// The state before the first step and after each, where asked for.
    pub path: Vec<Samples>,
}

/// How to sample.
#[derive(Clone, Copy, Debug)]
pub struct SampleOptions {
    /// Steps.
    pub steps: usize,
    /// Samples.
    pub samples: usize,
    /// Samples that the score model takes at once.
    pub at_once: usize,
    /// Keep the path.
    pub keep_path: bool,
}

impl Ecsi {
    /// A sampler.
    #[must_use]
    pub fn new(config: &EcsiConfig) -> Self {
        Self { config: config.clone() }
    }

    /// Share of the target at time `t`.
    #[must_use]
    pub fn alpha(t: f64) -> f64 {
        1.0 - t
    }

    /// Share of the endpoint at time `t`.
    #[must_use]
    pub fn beta(t: f64) -> f64 {
        t
    }

    /// Noise of the bridge at time `t`, Å.
    #[must_use]
    pub fn gamma(&self, t: f64) -> f64 {
        2.0 * self.config.gamma_max * root(t * (1.0 - t))
    }

    /// Its derivative.
    #[must_use]
    pub fn gamma_derivative(&self, t: f64) -> f64 {
        self.config.gamma_max * (1.0 - 2.0 * t) / divisor(root(t * (1.0 - t)))
    }

    /// Noise relative to the target's share, which churn raises.
    #[must_use]
    pub fn effective_noise(&self, t: f64) -> f64 {
        self.gamma(t) / divisor(Self::alpha(t))
    }

    /// Scales of input, skip and output at time `t`.
    #[must_use]
    pub fn scalings(&self, t: f64) -> Scalings {
        let EcsiConfig { sigma_0, sigma_t, cov_0t, .. } = self.config;
        let (alpha, beta, gamma) = (Self::alpha(t), Self::beta(t), self.gamma(t));
        let variance =
            (alpha * sigma_0).powi(2) + (beta * sigma_t).powi(2) + 2.0 * alpha * beta * cov_0t + gamma.powi(2);
        let input = 1.0 / divisor(root(variance));
        let skip = (alpha * sigma_0.powi(2) + beta * cov_0t) * input.powi(2);
        let rest = (beta * sigma_0 * sigma_t).powi(2) - (beta * cov_0t).powi(2) + gamma.powi(2) * sigma_0.powi(2);
        Scalings { input, skip, output: root(rest) * input }
    }

    /// What the score model is told of the time.
    #[must_use]
    pub fn noise_level(t: f64) -> f64 {
        0.25 * divisor(t).ln()
    }

    /// The times of `steps` steps, from `time_max` to 0: steps + 1 numbers. Two intervals meet at `time_schedule_boundary`,
    /// each with a power of the progress that remains in it.
    ///
    /// # Errors
    /// When there is no step, or the times do not decrease.
    pub fn schedule(&self, steps: usize) -> Result<Vec<f64>> {
        if steps == 0 {
            return Err(KFoldError::Config("sampling needs at least one step".to_owned()));
        }
        let EcsiConfig { time_min, time_max, time_schedule_boundary: boundary, .. } = self.config;
        let [high_share, low_share] = self.config.sample_step_fraction;
        let [high_power, low_power] = self.config.sample_time_power;
        // numpy's linspace: index times step, and the last exactly 1.
        let progress = (0..steps).map(|index| {
            if index + 1 == steps && steps > 1 { 1.0 } else { index as f64 * (1.0 / (steps.max(2) - 1) as f64) }
        });
        let mut times: Vec<f64> = progress
            .map(|progress| {
                if progress <= high_share {
                    let remaining = (1.0 - progress / high_share).clamp(0.0, 1.0);
                    boundary + (time_max - boundary) * remaining.powf(high_power)
                } else {
                    let remaining = ((1.0 - progress) / low_share).clamp(0.0, 1.0);
                    time_min + (boundary - time_min) * remaining.powf(low_power)
                }
            })
            .collect();
        times.push(0.0);
        if times.windows(2).any(|pair| pair[0] <= pair[1]) {
            return Err(KFoldError::Config(format!("diffusion_head: the schedule of {steps} steps does not decrease")));
        }
        Ok(times)
    }

    /// The time to which churn raises `t`, and the variance of the noise it needs; nothing where there is no churn.
    #[must_use]
    pub fn churned_time(&self, t: f64) -> Option<(f64, f64)> {
        let EcsiConfig { time_max, churn_end_time, churn_factor_range: [low, high], .. } = self.config;
        // Open at both ends, so that the first step takes no noise.
        if !(churn_end_time < t && t < time_max) {
            return None;
        }
        let weight = ((t - churn_end_time) / (time_max - churn_end_time)).powi(2);
        let factor = low + (high - low) * weight;
        let noise = self.effective_noise(t);
        let target = (1.0 + factor) * noise;
        if factor <= 0.0 || target <= noise {
            return None;
        }
        let churned = if target >= self.effective_noise(time_max) {
            time_max
        } else {
            let (mut below, mut above) = (t, time_max);
            for _ in 0..HALVINGS {
                let middle = 0.5 * (below + above);
                if self.effective_noise(middle) < target {
                    below = middle;
                } else {
                    above = middle;
                }
            }
            above
        };
        if churned <= t {
            return None;
        }
        let ratio = Self::alpha(churned) / divisor(Self::alpha(t));
        let variance = self.gamma(churned).powi(2) - ratio.powi(2) * self.gamma(t).powi(2);
        (variance > 0.0).then_some((churned, variance))
    }

    /// The state `x` at time `t` carried to the churned time; `noise` has as many points.
    pub fn churn(
        &self,
        x: &mut [Vec3],
        end: &[Vec3],
        noise: &[Vec3],
        mask: &[bool],
        t: f64,
        (churned, variance): (f64, f64),
    ) {
        let ratio = Self::alpha(churned) / divisor(Self::alpha(t));
        let (of_end, of_noise) = ((Self::beta(churned) - ratio * Self::beta(t)) as f32, variance.sqrt() as f32);
        for index in 0..x.len() {
            let noise = if mask[index] { noise[index] } else { Vec3::ZERO };
            x[index] = ratio as f32 * x[index] + of_end * end[index] + of_noise * noise;
        }
    }

    /// One step of the state `x` from time `t` to `next`, given the denoised positions and the endpoint. `noise` is read by
    /// the stochastic equation alone.
    pub fn update(
        &self,
        equation: Equation,
        x: &mut [Vec3],
        denoised: &[Vec3],
        end: &[Vec3],
        noise: &[Vec3],
        mask: &[bool],
        (t, next): (f64, f64),
    ) {
        let scale = self.config.step_scale as f32;
        let (alpha, beta) = (Self::alpha(t), Self::beta(t));
        match equation {
            Equation::Deterministic => {
                let skip = Self::beta(next) / beta;
                let (skip, target) = (skip as f32, (Self::alpha(next) - alpha * skip) as f32);
                for (x, denoised) in x.iter_mut().zip(denoised) {
                    let moved = skip * *x + target * *denoised;
                    *x += scale * (moved - *x);
                }
            }
            Equation::Stochastic => {
                let (gamma, slope) = (self.gamma(t), self.gamma_derivative(t));
                let epsilon = self.config.eta * (gamma * slope + gamma.powi(2) / divisor(alpha));
                let dt = t - next;
                let of_noise = root(2.0 * epsilon * dt) as f32;
                let of_bridge = (slope + epsilon / divisor(gamma)) as f32;
                let (alpha, beta, gamma, dt) = (alpha as f32, beta as f32, divisor(gamma) as f32, dt as f32);
                for index in 0..x.len() {
                    let bridge = (x[index] - alpha * denoised[index] - beta * end[index]) / gamma;
                    let drift = end[index] - denoised[index] + of_bridge * bridge;
                    let noise = if mask[index] { noise[index] } else { Vec3::ZERO };
                    x[index] = x[index] - scale * drift * dt + of_noise * noise;
                }
            }
        }
    }

    /// Samples complexes from `input`, of which the prior coordinates are the starting points, with what the score model
    /// prepared. `on_step` hears of each finished step and may stop the sampling by an error.
    ///
    /// # Errors
    /// When the noise does not fit, a tensor operation fails, or `on_step` says so.
    pub fn sample(
        &self,
        model: &ScoreModel,
        trajectory: &Trajectory,
        input: &FoldingInput,
        options: SampleOptions,
        noise: &mut dyn Noise,
        on_step: &mut dyn FnMut(usize) -> Result<()>,
    ) -> Result<Sampled> {
        let times = self.schedule(options.steps)?;
        let mask: Vec<bool> = input.atom.pad_mask.to_vec1::<u8>()?.iter().map(|valid| *valid != 0).collect();
        let count = options.samples;
        let atoms = mask.len();
        let mut end = self.prior(input, &mask, count, noise)?;
        let mut x = end.clone();
        let mut path = Vec::new();
        if options.keep_path {
            path.push(x.clone());
        }
        for step in 0..options.steps {
            augment(&mut [&mut x, &mut end], &mask, noise)?;
            let mut t = times[step];
            if let Some(churned) = self.churned_time(t) {
                let noise = points(&noise.randn(&[1, count, atoms, 3])?, count)?;
                for sample in 0..count {
                    self.churn(&mut x[sample], &end[sample], &noise[sample], &mask, t, churned);
                }
                t = churned.0;
            }
            let mut denoised = self.denoise(model, trajectory, (&x, &end), t, options.at_once, input.device())?;
            for (denoised, x) in denoised.iter_mut().zip(&x) {
                align_rotation(denoised, x, &mask);
                centre(denoised, &mask);
            }
            let equation = if t <= self.config.sde_end_time { Equation::Deterministic } else { Equation::Stochastic };
            let noise = match equation {
                Equation::Stochastic => points(&noise.randn(&[1, count, atoms, 3])?, count)?,
                Equation::Deterministic => vec![Vec::new(); count],
            };
            for sample in 0..count {
                let (x, denoised, end) = (&mut x[sample], &denoised[sample], &end[sample]);
                self.update(equation, x, denoised, end, &noise[sample], &mask, (t, times[step + 1]));
            }
            if options.keep_path {
                path.push(x.clone());
            }
            on_step(step + 1)?;
        }
        Ok(Sampled { coordinates: x, initial: end, path })
    }

    /// The starting points: the prior coordinates in turn, each turned and shifted.
    fn prior(&self, input: &FoldingInput, mask: &[bool], count: usize, noise: &mut dyn Noise) -> Result<Samples> {
        let (atoms, priors, _) = input.atom.prior_coords.dims3()?;
        if priors == 0 {
            return Err(KFoldError::input("there are no prior coordinates to start from"));
        }
        let coordinates = input.atom.prior_coords.flatten_all()?.to_vec1::<f32>()?;
        let mut samples: Samples = (0..count)
            .map(|sample| {
                let prior = sample % priors;
                (0..atoms).map(|atom| Vec3::from_slice(&coordinates[(atom * priors + prior) * 3..])).collect()
            })
            .collect();
        augment(&mut [&mut samples], mask, noise)?;
        Ok(samples)
    }

    /// The denoised positions of the states `x` with the endpoints `end` at time `t`.
    fn denoise(
        &self,
        model: &ScoreModel,
        trajectory: &Trajectory,
        (x, end): (&Samples, &Samples),
        t: f64,
        at_once: usize,
        device: &Device,
    ) -> Result<Samples> {
        let Scalings { input, skip, output } = self.scalings(t);
        let (input, skip, output, sigma) = (input as f32, skip as f32, output as f32, self.config.sigma_t as f32);
        let mut denoised = Vec::with_capacity(x.len());
        for (x, end) in x.chunks(at_once.max(1)).zip(end.chunks(at_once.max(1))) {
            let atoms = x.first().map_or(0, Vec::len);
            let mut r = Vec::with_capacity(x.len() * atoms * 6);
            for (x, end) in x.iter().zip(end) {
                for (x, end) in x.iter().zip(end) {
                    r.extend((input * *x).to_array());
                    r.extend((*end / sigma).to_array());
                }
            }
            let r = Tensor::from_vec(r, (x.len(), atoms, 6), device)?;
            let update = points(&model.step(trajectory, &r, Self::noise_level(t) as f32)?, x.len())?;
            for (x, update) in x.iter().zip(update) {
                denoised.push(x.iter().zip(update).map(|(x, update)| skip * *x + output * update).collect());
            }
        }
        Ok(denoised)
    }
}

/// The points of `samples` samples in a tensor [.., samples, N, 3].
///
/// # Errors
/// When the tensor cannot be read.
pub fn points(x: &Tensor, samples: usize) -> Result<Samples> {
    let numbers = x.flatten_all()?.to_vec1::<f32>()?;
    let each = numbers.len() / samples.max(1);
    Ok((0..samples)
        .map(|sample| numbers[sample * each..(sample + 1) * each].chunks_exact(3).map(Vec3::from_slice).collect())
        .collect())
}

/// Turns and shifts each sample at random (AlphaFold 3, algorithm 19, without centring), all of `sets` alike; padded atoms
/// become zero. Draws quaternions [samples, 4], then shifts [1, samples, 1, 3].
fn augment(sets: &mut [&mut Samples], mask: &[bool], noise: &mut dyn Noise) -> Result<()> {
    let count = sets.first().map_or(0, |samples| samples.len());
    let quaternions = noise.randn(&[count, 4])?.to_vec2::<f32>()?;
    let shifts = points(&noise.randn(&[1, count, 1, 3])?, count)?;
    for sample in 0..count {
        let rotation = rotation_of_rows(&quaternions[sample])?;
        for set in sets.iter_mut() {
            for (point, valid) in set[sample].iter_mut().zip(mask) {
                *point = if *valid { rotation * *point + shifts[sample][0] } else { Vec3::ZERO };
            }
        }
    }
    Ok(())
}

/// Turns `x` about the origin by the rotation that superposes its real atoms best on `target`; padded atoms become zero.
pub fn align_rotation(x: &mut [Vec3], target: &[Vec3], mask: &[bool]) {
    align(x, target, mask, |transform, point| transform.rotation * point);
}

/// Superposes the real atoms of `x` on `target`; padded atoms become zero.
pub fn align_rigid(x: &mut [Vec3], target: &[Vec3], mask: &[bool]) {
    align(x, target, mask, |transform, point| transform.apply(point));
}

fn align(x: &mut [Vec3], target: &[Vec3], mask: &[bool], apply: impl Fn(&Transform, Vec3) -> Vec3) {
    let real = |points: &[Vec3]| -> Vec<Vec3> {
        points.iter().zip(mask).filter(|(_, valid)| **valid).map(|(point, _)| *point).collect()
    };
    // Without atoms, or with positions that are not finite, nothing is turned.
    let Some(superposition) = superpose(&real(x), &real(target)) else { return };
    for (point, valid) in x.iter_mut().zip(mask) {
        *point = if *valid { apply(&superposition.transform, *point) } else { Vec3::ZERO };
    }
}

/// Moves the centre of the real atoms to the origin; padded atoms become zero.
fn centre(x: &mut [Vec3], mask: &[bool]) {
    let count = mask.iter().filter(|valid| **valid).count();
    if count == 0 {
        return;
    }
    let sum: glam::DVec3 = x.iter().zip(mask).filter(|(_, valid)| **valid).map(|(point, _)| point.as_dvec3()).sum();
    let middle = (sum / count as f64).as_vec3();
    for (point, valid) in x.iter_mut().zip(mask) {
        *point = if *valid { *point - middle } else { Vec3::ZERO };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stochastic_strength_is_constant() {
        let ecsi = Ecsi::new(&EcsiConfig::default());
        for t in [0.11, 0.4, 0.5, 0.77, 0.99] {
            let (gamma, slope) = (ecsi.gamma(t), ecsi.gamma_derivative(t));
            assert!((gamma * slope + gamma.powi(2) / Ecsi::alpha(t) - 72.0).abs() < 1e-9);
        }
    }

    #[test]
    fn schedules_of_any_length_decrease() {
        let ecsi = Ecsi::new(&EcsiConfig::default());
        for steps in 1..300 {
            let times = ecsi.schedule(steps).unwrap();
            assert_eq!(times.len(), steps + 1);
            assert_eq!((times[0], times[steps]), (0.9999, 0.0));
        }
        assert!(ecsi.schedule(0).is_err());
    }
}
