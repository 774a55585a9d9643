//! Where the networks' randomness comes from.
//!
//! The reference draws from PyTorch's generators, whose streams differ by device; nobody can repeat them elsewhere. So every
//! draw is asked of a [`Noise`]: [`SeededNoise`] in production (equal seeds give equal numbers on every device), and
//! [`TapeNoise`], which plays back what the reference drew, in the golden tests. The order of the calls is part of each
//! module's contract.

use std::collections::{HashMap, VecDeque};

use candle_core::{DType, Device, Tensor};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha12Rng;

use super::{KFoldError, Result};

/// A source of random tensors: f32 (`u8` for masks), on the processor; callers move them to their device.
pub trait Noise {
    /// Standard normal numbers.
    ///
    /// # Errors
    /// When a tape has something else at this place.
    fn randn(&mut self, shape: &[usize]) -> Result<Tensor>;

    /// Uniform numbers in [0, 1).
    ///
    /// # Errors
    /// When a tape has something else at this place.
    fn rand(&mut self, shape: &[usize]) -> Result<Tensor>;

    /// A mask of `u8`: 1 where an element is kept, 0 (with this probability) where dropout removes it. Scaling the kept ones
    /// by 1 / (1 - probability) is the caller's part.
    ///
    /// # Errors
    /// When a tape has something else at this place.
    fn dropout_keep(&mut self, shape: &[usize], probability: f64) -> Result<Tensor>;

    /// Normal numbers of standard deviation `std`, redrawn where they lie beyond `bound_in_std` deviations.
    ///
    /// # Errors
    /// When a tape has something else at this place.
    fn trunc_normal(&mut self, shape: &[usize], std: f64, bound_in_std: f64) -> Result<Tensor>;
}

/// Noise from a seed: ChaCha with 12 rounds, normals by Box and Muller.
pub struct SeededNoise {
    generator: ChaCha12Rng,
    /// The second number of the last Box-Muller pair.
    spare: Option<f32>,
}

impl SeededNoise {
    /// A source that depends on the seed alone.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { generator: ChaCha12Rng::seed_from_u64(seed), spare: None }
    }

    fn normal(&mut self) -> f32 {
        if let Some(spare) = self.spare.take() {
            return spare;
        }
        // 1 - u lies in (0, 1], so the logarithm is finite.
        let radius = (-2.0 * (1.0 - self.generator.random::<f64>()).ln()).sqrt();
        let angle = std::f64::consts::TAU * self.generator.random::<f64>();
        self.spare = Some((radius * angle.sin()) as f32);
        (radius * angle.cos()) as f32
    }

    fn fill<T: candle_core::WithDType>(
        &mut self,
        shape: &[usize],
        mut draw: impl FnMut(&mut Self) -> T,
    ) -> Result<Tensor> {
        let values: Vec<T> = (0..shape.iter().product()).map(|_| draw(self)).collect();
        Ok(Tensor::from_vec(values, shape, &Device::Cpu)?)
    }
}

impl Noise for SeededNoise {
    fn randn(&mut self, shape: &[usize]) -> Result<Tensor> {
        self.fill(shape, Self::normal)
    }

    fn rand(&mut self, shape: &[usize]) -> Result<Tensor> {
        self.fill(shape, |noise| noise.generator.random::<f32>())
    }

    fn dropout_keep(&mut self, shape: &[usize], probability: f64) -> Result<Tensor> {
        self.fill(shape, |noise| u8::from(f64::from(noise.generator.random::<f32>()) >= probability))
    }

    fn trunc_normal(&mut self, shape: &[usize], std: f64, bound_in_std: f64) -> Result<Tensor> {
        if bound_in_std.is_nan() || bound_in_std <= 0.0 {
            return Err(KFoldError::Noise(format!("a normal cannot be cut at {bound_in_std} standard deviations")));
        }
        self.fill(shape, |noise| {
            loop {
                let value = f64::from(noise.normal());
                if value.abs() <= bound_in_std {
                    return (value * std) as f32;
                }
            }
        })
    }
}

/// One recorded draw.
struct Entry {
    name: String,
    kind: String,
    values: Tensor,
}

/// Noise that plays back what the reference drew.
pub struct TapeNoise {
    entries: VecDeque<Entry>,
}

impl TapeNoise {
    /// Takes the entries named `tape.NNNN.kind`, in the order of their numbers; other tensors are left alone.
    ///
    /// # Errors
    /// When a name that starts with `tape.` is not of that form.
    pub fn from_tensors(tensors: &HashMap<String, Tensor>) -> Result<Self> {
        let mut entries = Vec::new();
        for (name, values) in tensors {
            let Some(rest) = name.strip_prefix("tape.") else { continue };
            let parsed = rest.split_once('.').and_then(|(number, kind)| Some((number.parse::<u64>().ok()?, kind)));
            let Some((number, kind)) = parsed else {
                return Err(KFoldError::Noise(format!("entry {name} is not named tape.NUMBER.KIND")));
            };
            entries.push((number, Entry { name: name.clone(), kind: kind.to_owned(), values: values.clone() }));
        }
        entries.sort_by_key(|(number, _)| *number);
        Ok(Self { entries: entries.into_iter().map(|(_, entry)| entry).collect() })
    }

    /// Draws that were recorded and not yet played.
    #[must_use]
    pub fn remaining(&self) -> usize {
        self.entries.len()
    }

    fn next(&mut self, kind: &str, shape: &[usize], dtype: DType) -> Result<Tensor> {
        let Some(entry) = self.entries.pop_front() else {
            return Err(KFoldError::Noise(format!("it has ended, but {kind} of shape {shape:?} was asked for")));
        };
        if entry.kind != kind || entry.values.dims() != shape {
            return Err(KFoldError::Noise(format!(
                "{kind} of shape {shape:?} was asked for, but {} has shape {:?}",
                entry.name,
                entry.values.dims()
            )));
        }
        // A copy: the networks work in place on what they are given, and the tape may be played again.
        Ok(entry.values.to_dtype(dtype)?.copy()?)
    }
}

impl Noise for TapeNoise {
    fn randn(&mut self, shape: &[usize]) -> Result<Tensor> {
        self.next("randn", shape, DType::F32)
    }

    fn rand(&mut self, shape: &[usize]) -> Result<Tensor> {
        self.next("rand", shape, DType::F32)
    }

    fn dropout_keep(&mut self, shape: &[usize], _probability: f64) -> Result<Tensor> {
        self.next("dropout_keep", shape, DType::U8)
    }

    fn trunc_normal(&mut self, shape: &[usize], _std: f64, _bound_in_std: f64) -> Result<Tensor> {
        self.next("trunc_normal", shape, DType::F32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(tensor: &Tensor) -> Vec<f32> {
        tensor.flatten_all().unwrap().to_dtype(DType::F32).unwrap().to_vec1().unwrap()
    }

    fn moments(values: &[f32]) -> (f64, f64) {
        let mean = values.iter().map(|&v| f64::from(v)).sum::<f64>() / values.len() as f64;
        let variance = values.iter().map(|&v| (f64::from(v) - mean).powi(2)).sum::<f64>() / values.len() as f64;
        (mean, variance.sqrt())
    }

    #[test]
    fn seeded_noise_repeats_and_has_its_moments() {
        let (mut a, mut b, mut c) = (SeededNoise::new(7), SeededNoise::new(7), SeededNoise::new(8));
        let x = values(&a.randn(&[101, 99]).unwrap());
        assert_eq!(x, values(&b.randn(&[101, 99]).unwrap()));
        assert_ne!(x, values(&c.randn(&[101, 99]).unwrap()));
        let (mean, deviation) = moments(&x);
        assert!(mean.abs() < 0.05 && (deviation - 1.0).abs() < 0.05, "mean {mean}, deviation {deviation}");
        let keep = values(&a.dropout_keep(&[10_000], 0.25).unwrap());
        assert!((moments(&keep).0 - 0.75).abs() < 0.03, "kept {}", moments(&keep).0);
        let cut = values(&a.trunc_normal(&[10_000], 2.0, 1.5).unwrap());
        assert!(cut.iter().all(|v| v.abs() <= 3.0) && cut.iter().any(|v| v.abs() > 2.5));
        let uniform = values(&a.rand(&[10_000]).unwrap());
        assert!(uniform.iter().all(|v| (0.0..1.0).contains(v)) && (moments(&uniform).0 - 0.5).abs() < 0.03);
    }

    #[test]
    fn tape_plays_in_order_and_names_what_does_not_fit() {
        let tensor = |shape: &[usize]| Tensor::ones(shape, DType::F32, &Device::Cpu).unwrap();
        let tensors = HashMap::from([
            ("tape.0010.rand".to_owned(), tensor(&[2])),
            ("tape.0002.randn".to_owned(), tensor(&[1, 3])),
            ("token.index".to_owned(), tensor(&[5])),
        ]);
        let mut tape = TapeNoise::from_tensors(&tensors).unwrap();
        assert_eq!(tape.remaining(), 2);
        assert_eq!(tape.randn(&[1, 3]).unwrap().dims(), [1, 3]);
        let error = tape.randn(&[2]).unwrap_err().to_string();
        assert!(error.contains("tape.0010.rand") && error.contains("randn"), "{error}");
        assert!(tape.rand(&[2]).unwrap_err().to_string().contains("ended"));
        let wrong = HashMap::from([("tape.x.rand".to_owned(), tensor(&[2]))]);
        assert!(TapeNoise::from_tensors(&wrong).is_err());
    }
}
