//! Activations with tokens along the lanes, and products with weights as they are stored.
//!
//! A panel holds 32 tokens, one row of 32 values a feature. In this layout every step of a transformer is arithmetic on
//! whole rows: normalisation sums over rows, rotary embedding mixes two rows, and the result of one product is the
//! operand of the next without packing or transposing. Weights stay row by row as in the checkpoint, f32, f16 or bf16;
//! the two short ones are widened 48 rows by 256 columns at a time beside the product, so that no f32 copy of a matrix
//! ever exists.

use std::ops::Range;

use candle_core::{CpuStorage, Storage, Tensor};
use half::slice::HalfFloatSliceExt;
use half::{bf16, f16};
use rayon::prelude::*;

use crate::kfold::primitives::cpu::kernel::multiply;
use crate::kfold::primitives::cpu::simd::{LANES, Lane, gelu, silu, vectorized};
use crate::kfold::{KFoldError, Result};

/// Rows of a weight matrix that one task multiplies.
const CHUNK: usize = 48;

/// Columns of a weight matrix multiplied at a time: 256 rows of a panel are 32 KiB, which the first-level cache holds.
const DEPTH: usize = 256;

/// Activations of `tokens` tokens, `features` values each; the last panel is filled up with zeros.
#[derive(Clone, Debug, Default)]
pub struct Panels {
    features: usize,
    tokens: usize,
    lanes: Vec<Lane>,
}

impl Panels {
    /// Zeros.
    pub fn zeros(features: usize, tokens: usize) -> Self {
        Self { features, tokens, lanes: vec![[0.0; LANES]; features * tokens.div_ceil(LANES)] }
    }

    /// Another shape in the same memory; what it holds is unspecified.
    pub fn reshape(&mut self, features: usize, tokens: usize) {
        (self.features, self.tokens) = (features, tokens);
        self.lanes.resize(features * tokens.div_ceil(LANES), [0.0; LANES]);
    }

    /// From values `[tokens, features]`, token by token.
    pub fn from_rows(rows: &[f32], features: usize) -> Self {
        let tokens = rows.len() / features.max(1);
        let mut panels = Self::zeros(features, tokens);
        panels.lanes.par_chunks_mut(features.max(1)).zip(rows.par_chunks(features.max(1) * LANES)).for_each(
            |(panel, rows)| {
                for (lane, row) in rows.chunks_exact(features).enumerate() {
                    for (target, &value) in panel.iter_mut().zip(row) {
                        target[lane] = value;
                    }
                }
            },
        );
        panels
    }

    /// The values `[tokens, features]`, token by token.
    pub fn to_rows(&self) -> Vec<f32> {
        let mut rows = vec![0.0; self.tokens * self.features];
        rows.par_chunks_mut(self.features.max(1) * LANES).zip(self.lanes.par_chunks(self.features.max(1))).for_each(
            |(rows, panel)| {
                for (lane, row) in rows.chunks_exact_mut(self.features).enumerate() {
                    for (value, source) in row.iter_mut().zip(panel) {
                        *value = source[lane];
                    }
                }
            },
        );
        rows
    }

    /// The columns of these tokens, as new panels.
    pub fn gather(&self, tokens: &[usize]) -> Self {
        let mut gathered = Self::zeros(self.features, tokens.len());
        gathered.lanes.par_chunks_mut(self.features.max(1)).zip(tokens.par_chunks(LANES)).for_each(
            |(panel, tokens)| {
                for (lane, &token) in tokens.iter().enumerate() {
                    let source = &self.lanes[token / LANES * self.features..][..self.features];
                    for (target, source) in panel.iter_mut().zip(source) {
                        target[lane] = source[token % LANES];
                    }
                }
            },
        );
        gathered
    }

    /// Adds column i of `other`, times `scales[i]`, to the column `tokens[i]`.
    pub fn scatter_add(&mut self, other: &Self, tokens: &[usize], scales: &[f32]) {
        for (i, (&token, &scale)) in tokens.iter().zip(scales).enumerate() {
            let source = &other.lanes[i / LANES * self.features..][..self.features];
            let target = &mut self.lanes[token / LANES * self.features..][..self.features];
            for (target, source) in target.iter_mut().zip(source) {
                target[token % LANES] += scale * source[i % LANES];
            }
        }
    }

    /// Adds `scale` times `other`.
    pub fn add_scaled(&mut self, other: &Self, scale: f32) {
        self.lanes.par_chunks_mut(1024).zip(other.lanes.par_chunks(1024)).for_each(|(target, source)| {
            add_scaled(target, source, scale);
        });
    }

    /// Values a token.
    pub fn features(&self) -> usize {
        self.features
    }

    /// Tokens, without the filling.
    pub fn tokens(&self) -> usize {
        self.tokens
    }

    /// Bytes in use.
    pub fn bytes(&self) -> usize {
        size_of_val(self.lanes.as_slice())
    }

    /// All rows of panel `index`.
    pub fn panel(&self, index: usize) -> &[Lane] {
        &self.lanes[index * self.features..][..self.features]
    }

    /// All rows, panel by panel.
    pub fn lanes(&self) -> &[Lane] {
        &self.lanes
    }

    /// All rows, panel by panel.
    pub fn lanes_mut(&mut self) -> &mut [Lane] {
        &mut self.lanes
    }

    /// Panels.
    pub fn count(&self) -> usize {
        self.tokens.div_ceil(LANES)
    }

    /// Splits every panel into pieces of `CHUNK` rows: element i holds the i-th piece of all panels.
    fn pieces(&mut self) -> Vec<Vec<&mut [Lane]>> {
        let mut pieces: Vec<Vec<&mut [Lane]>> = (0..self.features.div_ceil(CHUNK)).map(|_| Vec::new()).collect();
        for panel in self.lanes.chunks_mut(self.features.max(1)) {
            for (piece, rows) in pieces.iter_mut().zip(panel.chunks_mut(CHUNK)) {
                piece.push(rows);
            }
        }
        pieces
    }
}

/// A weight matrix `[out, in]` as it is stored.
#[derive(Clone, Copy, Debug)]
pub enum Stored<'a> {
    /// Single precision.
    F32(&'a [f32]),
    /// IEEE half precision.
    F16(&'a [f16]),
    /// The upper half of single precision.
    Bf16(&'a [bf16]),
}

impl<'a> Stored<'a> {
    fn len(&self) -> usize {
        match self {
            Self::F32(values) => values.len(),
            Self::F16(values) => values.len(),
            Self::Bf16(values) => values.len(),
        }
    }

    /// A part of the values, as a matrix of its own.
    pub fn part(self, range: Range<usize>) -> Self {
        match self {
            Self::F32(values) => Self::F32(&values[range]),
            Self::F16(values) => Self::F16(&values[range]),
            Self::Bf16(values) => Self::Bf16(&values[range]),
        }
    }
}

/// Calls `use_values` with the values of a contiguous tensor in the processor's memory.
///
/// # Errors
/// When the tensor is elsewhere, not contiguous, or of another dtype.
pub fn with_stored<T>(tensor: &Tensor, use_values: impl FnOnce(Stored<'_>) -> Result<T>) -> Result<T> {
    let (storage, layout) = tensor.storage_and_layout();
    let Some((start, end)) = layout.contiguous_offsets() else {
        return Err(KFoldError::input("a weight tensor is not contiguous in memory"));
    };
    let Storage::Cpu(storage) = &*storage else {
        return Err(KFoldError::input("a weight tensor is not in the processor's memory"));
    };
    use_values(match storage {
        CpuStorage::F32(values) => Stored::F32(&values[start..end]),
        CpuStorage::F16(values) => Stored::F16(&values[start..end]),
        CpuStorage::BF16(values) => Stored::Bf16(&values[start..end]),
        _ => return Err(KFoldError::input(format!("weights of type {:?} cannot be multiplied", tensor.dtype()))),
    })
}

/// What becomes of a product.
#[derive(Clone, Copy, Debug)]
pub enum Epilogue {
    /// It is stored.
    Store,
    /// It is stored after the exact GELU.
    Gelu,
    /// It is added, times this factor.
    Add(f32),
}

/// Bytes that one thread needs for a product over this many tokens.
pub fn scratch_bytes(tokens: usize) -> usize {
    2 * CHUNK * (DEPTH * size_of::<f32>() + tokens.div_ceil(LANES) * size_of::<Lane>())
}

/// Memory of one task.
#[derive(Default)]
struct Scratch {
    widened: Vec<f32>,
    sums: Vec<Lane>,
}

impl Scratch {
    /// `sums[panel][row] = weight[rows][..] · x`, for rows of a matrix of `x.features()` columns.
    fn product(&mut self, x: &Panels, weight: Stored<'_>, rows: Range<usize>) {
        let (in_dim, count) = (x.features, rows.len());
        self.sums.resize(count * x.count(), [0.0; LANES]);
        for start in (0..in_dim).step_by(DEPTH) {
            let depth = DEPTH.min(in_dim - start);
            let at = |row: usize| row * in_dim + start..row * in_dim + start + depth;
            let widened = &mut self.widened;
            let block: Vec<&[f32]> = match weight {
                Stored::F32(values) => rows.clone().map(|row| &values[at(row)]).collect(),
                Stored::F16(values) => {
                    widened.resize(count * depth, 0.0);
                    for (row, target) in rows.clone().zip(widened.chunks_exact_mut(depth)) {
                        values[at(row)].convert_to_f32_slice(target);
                    }
                    widened.chunks_exact(depth).collect()
                }
                Stored::Bf16(values) => {
                    widened.resize(count * depth, 0.0);
                    for (row, target) in rows.clone().zip(widened.chunks_exact_mut(depth)) {
                        widen(&values[at(row)], target);
                    }
                    widened.chunks_exact(depth).collect()
                }
            };
            for (sums, panel) in self.sums.chunks_exact_mut(count).zip(x.lanes.chunks_exact(in_dim)) {
                multiply(&block, &panel[start..start + depth], sums, 1, start == 0);
            }
        }
    }
}

/// out = epilogue(weight · x + bias): `weight` `[out, in]`, x of `in` features. `Store` and `Gelu` shape `out` themselves.
///
/// # Errors
/// When the sizes do not fit.
pub fn linear(
    x: &Panels,
    weight: Stored<'_>,
    bias: Option<&[f32]>,
    epilogue: Epilogue,
    out: &mut Panels,
) -> Result<()> {
    let out_dim = weight.len() / x.features.max(1);
    if let Epilogue::Add(_) = epilogue {
        if out.features != out_dim || out.tokens != x.tokens {
            return Err(KFoldError::input(format!(
                "a product of {out_dim} features cannot be added to {}",
                out.features
            )));
        }
    } else {
        out.reshape(out_dim, x.tokens);
    }
    if out_dim * x.features != weight.len() || bias.is_some_and(|bias| bias.len() != out_dim) {
        return Err(KFoldError::input(format!("{} weights do not fit {} features", weight.len(), x.features)));
    }
    out.pieces().into_par_iter().enumerate().for_each_init(Scratch::default, |scratch, (i, mut piece)| {
        let rows = i * CHUNK..out_dim.min((i + 1) * CHUNK);
        scratch.product(x, weight, rows.clone());
        let bias = bias.map(|bias| &bias[rows.clone()]);
        for (target, sums) in piece.iter_mut().zip(scratch.sums.chunks_exact_mut(rows.len())) {
            if let Some(bias) = bias {
                add_bias(sums, bias);
            }
            match epilogue {
                Epilogue::Store => target.copy_from_slice(sums),
                Epilogue::Gelu => gelu_rows(sums, target),
                Epilogue::Add(scale) => add_scaled(target, sums, scale),
            }
        }
    });
    Ok(())
}

/// out = silu(gate · x) * (value · x), where the first half of the rows of `weight` is the gate and the second the value.
///
/// # Errors
/// When the sizes do not fit.
pub fn swiglu(x: &Panels, weight: Stored<'_>, out: &mut Panels) -> Result<()> {
    let hidden = weight.len() / x.features.max(1) / 2;
    if hidden * 2 * x.features != weight.len() {
        return Err(KFoldError::input(format!("{} weights do not fit {} features", weight.len(), x.features)));
    }
    out.reshape(hidden, x.tokens);
    out.pieces().into_par_iter().enumerate().for_each_init(
        || (Scratch::default(), Scratch::default()),
        |(gate, value), (i, mut piece)| {
            let rows = i * CHUNK..hidden.min((i + 1) * CHUNK);
            gate.product(x, weight, rows.clone());
            value.product(x, weight, rows.start + hidden..rows.end + hidden);
            let sums = gate.sums.chunks_exact(rows.len()).zip(value.sums.chunks_exact(rows.len()));
            for (target, (gate, value)) in piece.iter_mut().zip(sums) {
                gated(gate, value, target);
            }
        },
    );
    Ok(())
}

/// Normalises every token over its features: (x - mean) / sqrt(variance + eps) * weight + bias.
pub fn layer_norm(x: &Panels, weight: &[f32], bias: &[f32], eps: f32, out: &mut Panels) {
    out.reshape(x.features, x.tokens);
    let features = x.features.max(1);
    out.lanes.par_chunks_mut(features).zip(x.lanes.par_chunks(features)).for_each(|(target, source)| {
        target.copy_from_slice(source);
        normalize(target, weight, Some(bias), eps);
    });
}

vectorized! {
    /// Normalises the lanes of these rows in place.
    pub fn normalize(rows: &mut [Lane], weight: &[f32], bias: Option<&[f32]>, eps: f32) {
        let count = rows.len() as f32;
        let mut mean = [0f32; LANES];
        for row in rows.iter() {
            for i in 0..LANES {
                mean[i] += row[i];
            }
        }
        let mut variance = [0f32; LANES];
        for i in 0..LANES {
            mean[i] /= count;
        }
        for row in rows.iter() {
            for i in 0..LANES {
                variance[i] += (row[i] - mean[i]) * (row[i] - mean[i]);
            }
        }
        for i in 0..LANES {
            variance[i] = 1.0 / (variance[i] / count + eps).sqrt();
        }
        for (n, row) in rows.iter_mut().enumerate() {
            let (scale, shift) = (weight[n], bias.map_or(0.0, |bias| bias[n]));
            for i in 0..LANES {
                row[i] = (row[i] - mean[i]) * variance[i] * scale + shift;
            }
        }
    }
}

vectorized! {
    /// bf16 is the upper half of f32.
    fn widen(values: &[bf16], out: &mut [f32]) {
        for (out, value) in out.iter_mut().zip(values) {
            *out = f32::from_bits(u32::from(value.to_bits()) << 16);
        }
    }
}

vectorized! {
    fn add_bias(rows: &mut [Lane], bias: &[f32]) {
        for (row, bias) in rows.iter_mut().zip(bias) {
            for i in 0..LANES {
                row[i] += bias;
            }
        }
    }
}

vectorized! {
    fn add_scaled(target: &mut [Lane], source: &[Lane], scale: f32) {
        for (target, source) in target.iter_mut().zip(source) {
            for i in 0..LANES {
                target[i] += scale * source[i];
            }
        }
    }
}

vectorized! {
    fn gelu_rows(source: &[Lane], target: &mut [Lane]) {
        for (target, source) in target.iter_mut().zip(source) {
            for i in 0..LANES {
                target[i] = gelu(source[i]);
            }
        }
    }
}

vectorized! {
    fn gated(gate: &[Lane], value: &[Lane], target: &mut [Lane]) {
        for (target, (gate, value)) in target.iter_mut().zip(gate.iter().zip(value)) {
            for i in 0..LANES {
                target[i] = silu(gate[i]) * value[i];
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(count: usize, seed: usize) -> Vec<f32> {
        (0..count).map(|i| (((i + seed) * 7919) % 1013) as f32 / 506.0 - 1.0).collect()
    }

    #[test]
    fn products_equal_their_definition_whatever_the_weights_are_stored_as() {
        let (tokens, in_dim, out_dim) = (41, 300, 61);
        let (rows, weight, bias) = (values(tokens * in_dim, 1), values(in_dim * out_dim, 2), values(out_dim, 3));
        let x = Panels::from_rows(&rows, in_dim);
        assert_eq!(x.to_rows(), rows);
        let short: Vec<bf16> = weight.iter().map(|&w| bf16::from_f32(w)).collect();
        let half: Vec<f16> = weight.iter().map(|&w| f16::from_f32(w)).collect();
        // The sum and what its rounding is measured by: the sum of magnitudes.
        let expect = |weight: &dyn Fn(usize) -> f32, t: usize, n: usize| -> (f64, f64) {
            let products = (0..in_dim).map(|k| f64::from(rows[t * in_dim + k]) * f64::from(weight(n * in_dim + k)));
            products.fold((f64::from(bias[n]), 1.0), |(sum, size), product| (sum + product, size + product.abs()))
        };
        for (name, stored) in
            [("f32", Stored::F32(&weight)), ("bf16", Stored::Bf16(&short)), ("f16", Stored::F16(&half))]
        {
            let weight = |i: usize| match stored {
                Stored::F32(values) => values[i],
                Stored::F16(values) => values[i].to_f32(),
                Stored::Bf16(values) => values[i].to_f32(),
            };
            let mut out = Panels::default();
            linear(&x, stored, Some(&bias), Epilogue::Store, &mut out).unwrap();
            let stored_rows = out.to_rows();
            linear(&x, stored, Some(&bias), Epilogue::Add(0.5), &mut out).unwrap();
            let added_rows = out.to_rows();
            for t in 0..tokens {
                for n in 0..out_dim {
                    let (expected, size) = expect(&weight, t, n);
                    let (got, added) = (stored_rows[t * out_dim + n], added_rows[t * out_dim + n]);
                    assert!((f64::from(got) - expected).abs() < 1e-6 * size, "{name} [{t}, {n}]: {got} for {expected}");
                    assert!(
                        (f64::from(added) - 1.5 * expected).abs() < 2e-6 * size,
                        "{name} [{t}, {n}] added: {added}"
                    );
                }
            }
        }
    }

    #[test]
    fn columns_are_gathered_and_scattered() {
        let rows = values(40 * 3, 5);
        let x = Panels::from_rows(&rows, 3);
        let tokens = [39, 0, 33];
        let gathered = x.gather(&tokens);
        assert_eq!(gathered.to_rows(), [&rows[117..120], &rows[0..3], &rows[99..102]].concat());
        let mut sum = Panels::zeros(3, 40);
        sum.scatter_add(&gathered, &tokens, &[1.0, 2.0, 0.0]);
        let sum = sum.to_rows();
        assert_eq!(sum[117..120], rows[117..120]);
        assert_eq!(sum[0], 2.0 * rows[0]);
        assert!(sum[99..102].iter().all(|&v| v == 0.0));
    }
}
