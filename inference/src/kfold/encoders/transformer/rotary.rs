//! Rotary position embedding: the angles (Su and others, RoFormer, 2021).

use candle_core::{Device, Tensor};
use half::bf16;

use super::panels::Panels;
use crate::kfold::{KFoldError, Result};

/// Positions that the reference's tables hold.
const MAX_POSITION: u32 = 20_000;

/// How the reference rounds the angles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rounding {
    /// Angles, cosines and sines in f32 (AtlasLM, RNA model).
    Single,
    /// Positions, angles, cosines and sines in bf16 (TriProRep). Positions 256 and 257 become the same, beyond 512 four of
    /// them, and so on: the model was trained so and expects it.
    Bf16,
}

/// Cosines and sines of every token's angles, half a head's width of features, in panels.
#[derive(Clone, Debug)]
pub struct Rotary {
    /// Cosines.
    pub cos: Panels,
    /// Sines.
    pub sin: Panels,
}

/// Frequencies of a head of this width: 10000^(-2i / width), i below half the width.
pub fn frequencies(head_width: usize) -> Vec<f32> {
    (0..head_width / 2)
        .map(|i| {
            let exponent = (2 * i) as f32 / head_width as f32;
            1.0 / (10_000f64.powf(f64::from(exponent)) as f32)
        })
        .collect()
}

/// Cosines and sines `[positions, frequencies]`.
///
/// # Errors
/// When a position is beyond what the reference's tables hold.
pub fn tables(positions: &[u32], frequencies: &[f32], rounding: Rounding) -> Result<(Vec<f32>, Vec<f32>)> {
    if let Some(position) = positions.iter().find(|&&position| position >= MAX_POSITION) {
        return Err(KFoldError::input(format!(
            "a chain has position {position}; the encoders know positions below {MAX_POSITION}"
        )));
    }
    let angles = positions.iter().flat_map(|&position| frequencies.iter().map(move |&frequency| (position, frequency)));
    Ok(angles
        .map(|(position, frequency)| match rounding {
            Rounding::Single => {
                let angle = f64::from(position as f32 * frequency);
                (angle.cos() as f32, angle.sin() as f32)
            }
            Rounding::Bf16 => {
                let round = |x: f32| bf16::from_f32(x).to_f32();
                let angle = round(round(position as f32) * round(frequency));
                (round(angle.cos()), round(angle.sin()))
            }
        })
        .unzip())
}

impl Rotary {
    /// Tables in panels.
    pub fn new(positions: &[u32], frequencies: &[f32], rounding: Rounding) -> Result<Self> {
        let (cos, sin) = tables(positions, frequencies, rounding)?;
        let width = frequencies.len();
        Ok(Self { cos: Panels::from_rows(&cos, width), sin: Panels::from_rows(&sin, width) })
    }

    /// The same as tensors [1, tokens, 1, half] for a composition on another device.
    pub fn tensors(&self, device: &Device) -> Result<(Tensor, Tensor)> {
        let shape = (1, self.cos.tokens(), 1, self.cos.features());
        let tensor = |panels: &Panels| Tensor::from_vec(panels.to_rows(), shape, device);
        Ok((tensor(&self.cos)?, tensor(&self.sin)?))
    }
}
