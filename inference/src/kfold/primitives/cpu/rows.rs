//! What happens to single rows on the way into and out of a product: norms, gates, softmax.

use super::simd::{exp, sigmoid, silu, vectorized};

/// Lanes of a sum.
const LANES: usize = 16;

/// Sum of `f` over the numbers, in lanes.
#[inline(always)]
fn sum(x: &[f32], f: impl Fn(f32) -> f32) -> f32 {
    let mut lanes = [0.0_f32; LANES];
    let (chunks, rest) = x.as_chunks::<LANES>();
    for chunk in chunks {
        for lane in 0..LANES {
            lanes[lane] += f(chunk[lane]);
        }
    }
    lanes.iter().sum::<f32>() + rest.iter().map(|x| f(*x)).sum::<f32>()
}

/// The largest number.
#[inline(always)]
fn max(x: &[f32]) -> f32 {
    let larger = |a: f32, b: f32| if a > b { a } else { b };
    let mut lanes = [f32::NEG_INFINITY; LANES];
    let (chunks, rest) = x.as_chunks::<LANES>();
    for chunk in chunks {
        for lane in 0..LANES {
            lanes[lane] = larger(lanes[lane], chunk[lane]);
        }
    }
    lanes.iter().chain(rest).fold(f32::NEG_INFINITY, |held, x| larger(held, *x))
}

/// Mean and 1 / sqrt(variance + eps).
#[inline(always)]
fn moments(x: &[f32], eps: f32) -> (f32, f32) {
    let count = x.len() as f32;
    let mean = sum(x, |x| x) / count;
    let variance = sum(x, |x| (x - mean) * (x - mean)) / count;
    (mean, 1.0 / (variance + eps).sqrt())
}

vectorized! {
    /// (x - mean) / deviation · scale.
    pub(crate) fn normalize(out: &mut [f32], x: &[f32], scale: &[f32], eps: f32) {
        let (mean, inverse) = moments(x, eps);
        for ((out, x), scale) in out.iter_mut().zip(x).zip(scale) {
            *out = (x - mean) * inverse * scale;
        }
    }
}

vectorized! {
    /// (x - mean) / deviation · scale + shift, `modulation` being scale and shift, one after the other.
    pub(crate) fn modulate(out: &mut [f32], x: &[f32], modulation: &[f32], eps: f32) {
        let (mean, inverse) = moments(x, eps);
        let (scale, shift) = modulation.split_at(x.len());
        for (((out, x), scale), shift) in out.iter_mut().zip(x).zip(scale).zip(shift) {
            *out = (x - mean) * inverse * scale + shift;
        }
    }
}

vectorized! {
    /// x + bias.
    pub(crate) fn add(out: &mut [f32], x: &[f32], bias: &[f32]) {
        for ((out, x), bias) in out.iter_mut().zip(x).zip(bias) {
            *out = x + bias;
        }
    }
}

vectorized! {
    /// x + bias, or zero where that is less.
    pub(crate) fn add_relu(out: &mut [f32], x: &[f32], bias: &[f32]) {
        for ((out, x), bias) in out.iter_mut().zip(x).zip(bias) {
            let sum = x + bias;
            *out = if sum > 0.0 { sum } else { 0.0 };
        }
    }
}

vectorized! {
    /// sigmoid(x + bias) of the first numbers, x + bias of those after `gates`.
    pub(crate) fn gate_and_shift(out: &mut [f32], x: &[f32], bias: &[f32], gates: usize) {
        for ((out, x), bias) in out[..gates].iter_mut().zip(x).zip(bias) {
            *out = sigmoid(x + bias);
        }
        for ((out, x), bias) in out[gates..].iter_mut().zip(&x[gates..]).zip(&bias[gates..]) {
            *out = x + bias;
        }
    }
}

vectorized! {
    /// silu(a) · b of the two halves of x.
    pub(crate) fn swiglu(out: &mut [f32], x: &[f32]) {
        let (a, b) = x.split_at(out.len());
        for ((out, a), b) in out.iter_mut().zip(a).zip(b) {
            *out = silu(*a) * b;
        }
    }
}

vectorized! {
    /// residual + gate · (x + bias).
    pub(crate) fn add_gated(out: &mut [f32], residual: &[f32], x: &[f32], bias: &[f32], gate: &[f32]) {
        for ((((out, residual), x), bias), gate) in out.iter_mut().zip(residual).zip(x).zip(bias).zip(gate) {
            *out = residual + gate * (x + bias);
        }
    }
}

vectorized! {
    /// sigmoid(gate) · x.
    pub(crate) fn gate(out: &mut [f32], x: &[f32], gate: &[f32]) {
        for ((out, x), gate) in out.iter_mut().zip(x).zip(gate) {
            *out = sigmoid(*gate) * x;
        }
    }
}

vectorized! {
    /// x becomes sigmoid(gate) · x.
    pub(crate) fn gate_in_place(x: &mut [f32], gate: &[f32]) {
        for (x, gate) in x.iter_mut().zip(gate) {
            *x *= sigmoid(*gate);
        }
    }
}

vectorized! {
    /// softmax(scale · logits + bias); where `mask` is below 0 it stands for the logit.
    pub(crate) fn softmax(logits: &mut [f32], bias: &[f32], mask: &[f32], scale: f32) {
        for ((logit, bias), mask) in logits.iter_mut().zip(bias).zip(mask) {
            let value = *logit * scale + bias;
            *logit = if *mask < 0.0 { *mask } else { value };
        }
        let largest = max(logits);
        for logit in logits.iter_mut() {
            *logit = exp(*logit - largest);
        }
        let inverse = 1.0 / sum(logits, |x| x);
        for logit in logits.iter_mut() {
            *logit *= inverse;
        }
    }
}

/// Which row of a condition belongs to a row of the input: conditions are shared by samples.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SharedRows {
    /// Rows that follow each other in both.
    inner: usize,
    /// How often they are repeated in the input.
    repeats: usize,
}

impl SharedRows {
    /// From the leading dimensions of input and condition; nothing when they differ other than by one run of ones.
    pub(crate) fn new(input: &[usize], condition: &[usize]) -> Option<Self> {
        if input.len() != condition.len() {
            return None;
        }
        let first = input.iter().zip(condition).position(|(a, b)| a != b).unwrap_or(input.len());
        let last = input.iter().zip(condition).rposition(|(a, b)| a != b).map_or(first, |last| last + 1);
        if condition[first..last].iter().any(|dim| *dim != 1) {
            return None;
        }
        Some(Self { inner: input[last..].iter().product(), repeats: input[first..last].iter().product() })
    }

    /// The condition's row of the input's row.
    pub(crate) fn row(self, row: usize) -> usize {
        row / (self.inner * self.repeats) * self.inner + row % self.inner
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shared_conditions_repeat() {
        let rows = SharedRows::new(&[2, 3, 4], &[2, 1, 4]).unwrap();
        assert_eq!([0, 5, 11, 12, 23].map(|row| rows.row(row)), [0, 1, 3, 4, 7]);
        assert_eq!(SharedRows::new(&[7], &[7]).unwrap().row(5), 5);
        assert_eq!(SharedRows::new(&[3, 4], &[1, 1]).unwrap().row(11), 0);
        assert!(SharedRows::new(&[4, 4], &[4, 2]).is_none());
    }

    #[test]
    fn rows_follow_their_formulas() {
        let x: Vec<f32> = (0..37).map(|x| (x as f32 * 0.7).sin()).collect();
        let mean = x.iter().sum::<f32>() / 37.0;
        let variance = x.iter().map(|x| (x - mean).powi(2)).sum::<f32>() / 37.0;
        let modulation: Vec<f32> = (0..74).map(|x| x as f32 * 0.1 - 2.0).collect();
        let mut out = vec![0.0; 37];
        modulate(&mut out, &x, &modulation, 1e-5);
        for index in 0..37 {
            let expected = (x[index] - mean) / (variance + 1e-5).sqrt() * modulation[index] + modulation[37 + index];
            assert!((out[index] - expected).abs() < 1e-5);
        }
        let mut logits = x.clone();
        let bias: Vec<f32> = (0..37).map(|x| x as f32 * 0.05).collect();
        let mask: Vec<f32> = (0..37).map(|x| if x % 5 == 0 { -1e9 } else { 0.0 }).collect();
        softmax(&mut logits, &bias, &mask, 0.5);
        let weights: Vec<f64> = (0..37)
            .map(|index| if index % 5 == 0 { 0.0 } else { f64::from(x[index] * 0.5 + bias[index]).exp() })
            .collect();
        let total: f64 = weights.iter().sum();
        for index in 0..37 {
            assert!((f64::from(logits[index]) - weights[index] / total).abs() < 1e-6);
        }
        let mut halves = vec![0.0; 18];
        swiglu(&mut halves, &x[..36]);
        assert!((halves[3] - x[3] / (1.0 + (-x[3]).exp()) * x[21]).abs() < 1e-6);
    }
}
