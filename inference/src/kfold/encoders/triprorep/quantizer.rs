//! The nearest code of a codebook (K-Fold 1.0.0, layers/struct_enc/*_vqvae/quantizer.py).

use candle_core::DType;
use candle_nn::VarBuilder;

use super::packed::{PackedLinear, Rows};
use crate::kfold::Result;

/// The codes, already projected where the tokenizer projects them.
#[derive(Clone, Debug)]
pub struct Quantizer {
    codes: PackedLinear,
    square_lengths: Vec<f32>,
}

impl Quantizer {
    /// Loads `codebook` [size, dim] and, for a projected codebook, `linear_proj`.
    ///
    /// # Errors
    /// When a tensor is missing or misshapen.
    pub fn load(vb: VarBuilder<'_>, size: usize, dim: usize, projected: bool) -> Result<Self> {
        let codebook = vb.to_dtype(DType::F32).get((size, dim), "codebook.weight")?.to_vec2::<f32>()?;
        let codes: Vec<Vec<f32>> = if projected {
            let projection = PackedLinear::load(vb.pp("linear_proj"), dim, dim, true)?;
            let rows: Vec<&[f32]> = codebook.iter().map(Vec::as_slice).collect();
            let projected = projection.forward(&rows);
            (0..size).map(|i| projected.row(i).to_vec()).collect()
        } else {
            codebook
        };
        let square_lengths = codes.iter().map(|code| code.iter().map(|value| value * value).sum()).collect();
        Ok(Self { codes: PackedLinear::new(dim, size, None, |n, k| codes[n][k]), square_lengths })
    }

    /// The nearest code of each row.
    pub fn nearest(&self, rows: &Rows) -> Vec<u32> {
        let products = self.codes.forward_rows(rows);
        (0..rows.count())
            .map(|i| {
                let length: f32 = rows.row(i).iter().map(|value| value * value).sum();
                let distances = products.row(i).iter().zip(&self.square_lengths);
                let (mut best, mut least) = (0, f32::INFINITY);
                for (code, (product, square_length)) in distances.enumerate() {
                    let distance = length + square_length - 2.0 * product;
                    if distance < least {
                        (best, least) = (code as u32, distance);
                    }
                }
                best
            })
            .collect()
    }
}
