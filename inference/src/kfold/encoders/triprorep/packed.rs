//! Row-major activations and weights packed once: what the tokenizers' small networks are made of.
//!
//! A tokenizer works residue by residue on a few dozen rows, one residue a thread, so its matrices are small and its weights
//! are used thousands of times: they are packed at load, 32 outputs side by side, for the kernel that broadcasts rows.
//! Structures are tokenized on the processor whatever device the encoder runs on: it takes about a millisecond a residue.

use candle_core::DType;
use candle_nn::VarBuilder;

use crate::kfold::Result;
use crate::kfold::primitives::cpu::kernel::multiply;
use crate::kfold::primitives::cpu::simd::{LANES, Lane, gelu, sigmoid, silu, vectorized};

/// A matrix whose rows are padded to whole lanes.
#[derive(Clone, Debug)]
pub struct Rows {
    width: usize,
    stride: usize,
    lanes: Vec<Lane>,
}

impl Rows {
    /// Zeros.
    pub fn zeros(count: usize, width: usize) -> Self {
        let stride = width.div_ceil(LANES);
        Self { width, stride, lanes: vec![[0.0; LANES]; count * stride] }
    }

    /// Values a row.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Rows.
    pub fn count(&self) -> usize {
        self.lanes.len() / self.stride.max(1)
    }

    /// Row i.
    pub fn row(&self, i: usize) -> &[f32] {
        &self.lanes[i * self.stride..(i + 1) * self.stride].as_flattened()[..self.width]
    }

    /// Row i.
    pub fn row_mut(&mut self, i: usize) -> &mut [f32] {
        &mut self.lanes[i * self.stride..(i + 1) * self.stride].as_flattened_mut()[..self.width]
    }

    /// All rows.
    pub fn refs(&self) -> Vec<&[f32]> {
        (0..self.count()).map(|i| self.row(i)).collect()
    }

    /// Adds a matrix of the same shape.
    pub fn add(&mut self, other: &Self) {
        add(self.lanes.as_flattened_mut(), other.lanes.as_flattened());
    }

    /// GELU of every value.
    pub fn gelu(&mut self) {
        gelu_values(self.lanes.as_flattened_mut());
    }

    /// max(x, 0) of every value.
    pub fn relu(&mut self) {
        for value in self.lanes.as_flattened_mut() {
            *value = value.max(0.0);
        }
    }

    /// Every value times the sigmoid of the other's.
    pub fn gate(&mut self, gate: &Self) {
        gate_values(self.lanes.as_flattened_mut(), gate.lanes.as_flattened());
    }

    /// silu(first half of the row) · second half.
    pub fn swiglu(&self) -> Self {
        let mut out = Self::zeros(self.count(), self.width / 2);
        for i in 0..self.count() {
            let (gate, value) = self.row(i).split_at(self.width / 2);
            swiglu_row(gate, value, out.row_mut(i));
        }
        out
    }
}

/// A linear map with packed weights.
#[derive(Clone, Debug)]
pub struct PackedLinear {
    in_dim: usize,
    out_dim: usize,
    /// [out / 32][in], 32 outputs side by side.
    panels: Vec<Lane>,
    bias: Option<Vec<f32>>,
}

impl PackedLinear {
    /// Loads `weight` [out, in] and, where there is one, `bias` [out].
    ///
    /// # Errors
    /// When a tensor is missing or misshapen.
    pub fn load(vb: VarBuilder<'_>, in_dim: usize, out_dim: usize, bias: bool) -> Result<Self> {
        let vb = vb.to_dtype(DType::F32);
        let weight = vb.get((out_dim, in_dim), "weight")?.flatten_all()?.to_vec1::<f32>()?;
        let bias = bias.then(|| vb.get(out_dim, "bias")).transpose()?.map(|bias| bias.to_vec1::<f32>()).transpose()?;
        Ok(Self::new(in_dim, out_dim, bias, |n, k| weight[n * in_dim + k]))
    }

    /// From the weights one by one: `weight(out, in)`.
    pub fn new(in_dim: usize, out_dim: usize, bias: Option<Vec<f32>>, weight: impl Fn(usize, usize) -> f32) -> Self {
        let mut panels = vec![[0.0; LANES]; out_dim.div_ceil(LANES) * in_dim];
        for n in 0..out_dim {
            for k in 0..in_dim {
                panels[n / LANES * in_dim + k][n % LANES] = weight(n, k);
            }
        }
        Self { in_dim, out_dim, panels, bias }
    }

    /// rows · weightᵀ + bias.
    pub fn forward(&self, rows: &[&[f32]]) -> Rows {
        let mut out = Rows::zeros(rows.len(), self.out_dim);
        self.accumulate(rows, &mut out, true);
        if let Some(bias) = &self.bias {
            for i in 0..rows.len() {
                add(out.row_mut(i), bias);
            }
        }
        out
    }

    /// The same for all rows of a matrix.
    pub fn forward_rows(&self, rows: &Rows) -> Rows {
        self.forward(&rows.refs())
    }

    /// Adds rows · weightᵀ to `out`, or replaces what it holds.
    pub fn accumulate(&self, rows: &[&[f32]], out: &mut Rows, first: bool) {
        /// Rows at a time: these stay in the second-level cache while all panels pass.
        const BLOCK: usize = 48;
        let stride = out.stride;
        for (rows, out) in rows.chunks(BLOCK).zip(out.lanes.chunks_mut(BLOCK * stride)) {
            for (j, panel) in self.panels.chunks_exact(self.in_dim).enumerate() {
                multiply(rows, panel, &mut out[j..], stride, first);
            }
        }
    }
}

/// A layer normalisation.
#[derive(Clone, Debug)]
pub struct Norm {
    weight: Vec<f32>,
    bias: Vec<f32>,
}

impl Norm {
    /// Loads `weight` and `bias` [dim].
    ///
    /// # Errors
    /// When a tensor is missing or misshapen.
    pub fn load(vb: VarBuilder<'_>, dim: usize) -> Result<Self> {
        let vb = vb.to_dtype(DType::F32);
        Ok(Self { weight: vb.get(dim, "weight")?.to_vec1()?, bias: vb.get(dim, "bias")?.to_vec1()? })
    }

    /// Normalises one row.
    pub fn apply(&self, row: &mut [f32]) {
        const EPS: f32 = 1e-5;
        normalize(row, &self.weight, &self.bias, EPS);
    }

    /// Normalises every row of a matrix.
    pub fn apply_rows(&self, rows: &mut Rows) {
        for i in 0..rows.count() {
            self.apply(rows.row_mut(i));
        }
    }

    /// A normalised copy.
    pub fn forward(&self, rows: &Rows) -> Rows {
        let mut out = rows.clone();
        self.apply_rows(&mut out);
        out
    }
}

vectorized! {
    fn normalize(row: &mut [f32], weight: &[f32], bias: &[f32], eps: f32) {
        // Partial sums side by side, as the values of one row lie along the lanes.
        let (chunks, rest) = row.as_chunks::<LANES>();
        let mut sums = [0f32; LANES];
        for chunk in chunks {
            for i in 0..LANES {
                sums[i] += chunk[i];
            }
        }
        let mean = (sums.iter().sum::<f32>() + rest.iter().sum::<f32>()) / row.len() as f32;
        let mut squares = [0f32; LANES];
        for chunk in chunks {
            for i in 0..LANES {
                squares[i] += (chunk[i] - mean) * (chunk[i] - mean);
            }
        }
        let rest = rest.iter().map(|value| (value - mean) * (value - mean)).sum::<f32>();
        let scale = 1.0 / ((squares.iter().sum::<f32>() + rest) / row.len() as f32 + eps).sqrt();
        for ((value, weight), bias) in row.iter_mut().zip(weight).zip(bias) {
            *value = (*value - mean) * scale * weight + bias;
        }
    }
}

vectorized! {
    /// Adds value by value.
    pub fn add(target: &mut [f32], source: &[f32]) {
        for (target, source) in target.iter_mut().zip(source) {
            *target += source;
        }
    }
}

vectorized! {
    fn gelu_values(values: &mut [f32]) {
        for value in values {
            *value = gelu(*value);
        }
    }
}

vectorized! {
    fn gate_values(values: &mut [f32], gate: &[f32]) {
        for (value, gate) in values.iter_mut().zip(gate) {
            *value *= sigmoid(*gate);
        }
    }
}

vectorized! {
    fn swiglu_row(gate: &[f32], value: &[f32], out: &mut [f32]) {
        for (out, (gate, value)) in out.iter_mut().zip(gate.iter().zip(value)) {
            *out = silu(*gate) * value;
        }
    }
}
