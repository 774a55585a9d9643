//! Convolutions over cubes on the processor.
//!
//! A cube keeps the channels of a voxel side by side and has a border of zeros, so that the neighbours of a voxel along the
//! last axis with all their channels are one run of numbers. A 3³ convolution is then nine products of such runs with a
//! ninth of the weights each, read where they lie: the matrix kernel shared with the other networks
//! ([`crate::kfold::primitives::cpu::kernel`]) takes rows from anywhere, and no patch is ever copied. What follows a
//! convolution in these networks (ReLU, a 1³ convolution, the mean of 2³ voxels) is done on a few lines of voxels that are
//! still in the first cache.

use crate::kfold::primitives::cpu::kernel;
use crate::kfold::primitives::cpu::simd::{LANES, Lane, vectorized};

/// Voxels taken together: two tiles of the kernel.
const BLOCK: usize = 24;

/// A cube of voxels with a border of zeros around it.
#[derive(Clone, Debug)]
pub(super) struct Cube {
    edge: usize,
    channels: usize,
    /// [edge + 2, edge + 2, edge + 2, channels].
    values: Vec<f32>,
}

impl Cube {
    pub fn zeros(edge: usize, channels: usize) -> Self {
        Self { edge, channels, values: vec![0.0; (edge + 2).pow(3) * channels] }
    }

    /// Where the line of voxels at `x`, `y`, counted with the border, begins in the values.
    const fn start(&self, x: usize, y: usize) -> usize {
        (x * (self.edge + 2) + y) * (self.edge + 2) * self.channels
    }

    /// The voxels at `x`, `y` along the last axis, [edge, channels].
    pub fn line_mut(&mut self, x: usize, y: usize) -> &mut [f32] {
        let start = self.start(x + 1, y + 1) + self.channels;
        let length = self.edge * self.channels;
        &mut self.values[start..start + length]
    }

    /// The same for reading.
    #[cfg(test)]
    pub fn line(&self, x: usize, y: usize) -> &[f32] {
        let start = self.start(x + 1, y + 1) + self.channels;
        &self.values[start..start + self.edge * self.channels]
    }
}

/// A convolution of 3³ or 1³ voxels with a bias and a ReLU.
#[derive(Clone, Debug)]
pub(super) struct Convolution {
    inner: usize,
    /// A multiple of [`LANES`].
    outer: usize,
    /// [taps, panels of outputs, run of inputs].
    panels: Vec<Lane>,
    bias: Vec<f32>,
    taps: usize,
}

impl Convolution {
    /// Packs `weight` [outer, inner, width, width, width] of width 1 or 3; `outer` must be a multiple of 32.
    ///
    /// `None` when the sizes do not fit.
    pub fn new(weight: &[f32], bias: &[f32], inner: usize, width: usize) -> Option<Self> {
        let outer = bias.len();
        let fits = outer.is_multiple_of(LANES) && matches!(width, 1 | 3);
        if !fits || weight.len() != outer * inner * width.pow(3) {
            return None;
        }
        let taps = width * width;
        let mut panels = Vec::with_capacity(weight.len() / LANES);
        for tap in 0..taps {
            for panel in 0..outer / LANES {
                for along in 0..width {
                    for channel in 0..inner {
                        panels.push(std::array::from_fn(|lane| {
                            weight[(((panel * LANES + lane) * inner + channel) * taps + tap) * width + along]
                        }));
                    }
                }
            }
        }
        Some(Self { inner, outer, panels, bias: bias.to_vec(), taps })
    }

    /// Adds the products of the rows with one tap's weights to `out` [rows, panels], or puts them there (`first`).
    fn multiply(&self, rows: &[&[f32]], tap: usize, out: &mut [Lane], first: bool) {
        let pitch = self.outer / LANES;
        let depth = self.panels.len() / (self.taps * pitch);
        let panels = self.panels[tap * pitch * depth..][..pitch * depth].chunks_exact(depth);
        for (index, panel) in panels.enumerate() {
            kernel::multiply(rows, panel, &mut out[index..], pitch, first);
        }
    }
}

/// A 3³ convolution, then perhaps a 1³ convolution, each with its ReLU.
#[derive(Clone, Debug)]
pub(super) struct Stage {
    pub wide: Convolution,
    pub narrow: Option<Convolution>,
}

impl Stage {
    /// Calls `finish(x, y, line)` with the results [edge, channels] of each line of voxels, in order.
    fn run(&self, input: &Cube, mut finish: impl FnMut(usize, usize, &[f32])) {
        let edge = input.edge;
        debug_assert_eq!(input.channels, self.wide.inner, "channels of the input");
        let lines: Vec<(usize, usize)> = (0..edge).flat_map(|x| (0..edge).map(move |y| (x, y))).collect();
        let mut wide = Vec::new();
        let mut narrow = Vec::new();
        for block in lines.chunks((BLOCK / edge).max(1)) {
            let count = block.len() * edge;
            wide.resize(count * self.wide.outer / LANES, [0.0; LANES]);
            for tap in 0..self.wide.taps {
                let (dx, dy) = (tap / 3, tap % 3);
                let run = 3 * input.channels;
                let rows: Vec<&[f32]> = block
                    .iter()
                    .flat_map(|&(x, y)| {
                        let start = input.start(x + dx, y + dy);
                        (0..edge).map(move |z| &input.values[start + z * input.channels..][..run])
                    })
                    .collect();
                self.wide.multiply(&rows, tap, &mut wide, tap == 0);
            }
            add_bias_relu(wide.as_flattened_mut(), &self.wide.bias);
            let (result, channels) = match &self.narrow {
                None => (wide.as_flattened(), self.wide.outer),
                Some(convolution) => {
                    narrow.resize(count * convolution.outer / LANES, [0.0; LANES]);
                    let rows: Vec<&[f32]> = wide.as_flattened().chunks_exact(self.wide.outer).collect();
                    convolution.multiply(&rows, 0, &mut narrow, true);
                    add_bias_relu(narrow.as_flattened_mut(), &convolution.bias);
                    (narrow.as_flattened(), convolution.outer)
                }
            };
            for (&(x, y), line) in block.iter().zip(result.chunks_exact(edge * channels)) {
                finish(x, y, line);
            }
        }
    }

    /// The results, [edge, edge, edge, channels].
    pub fn forward(&self, input: &Cube) -> Vec<f32> {
        let mut results = Vec::new();
        self.run(input, |_, _, line| results.extend_from_slice(line));
        results
    }

    /// The means of every 2³ results.
    pub fn forward_and_pool(&self, input: &Cube) -> Cube {
        let channels = self.narrow.as_ref().map_or(self.wide.outer, |narrow| narrow.outer);
        let mut pooled = Cube::zeros(input.edge / 2, channels);
        self.run(input, |x, y, line| add_means(pooled.line_mut(x / 2, y / 2), line, channels));
        pooled
    }
}

vectorized! {
    /// max(x + bias, 0) of each row.
    fn add_bias_relu(rows: &mut [f32], bias: &[f32]) {
        for row in rows.chunks_exact_mut(bias.len()) {
            for (x, bias) in row.iter_mut().zip(bias) {
                let sum = *x + bias;
                *x = if sum > 0.0 { sum } else { 0.0 };
            }
        }
    }
}

vectorized! {
    /// Adds an eighth of every two voxels of a line to one voxel of `pooled`.
    fn add_means(pooled: &mut [f32], line: &[f32], channels: usize) {
        for (pooled, pair) in pooled.chunks_exact_mut(channels).zip(line.chunks_exact(2 * channels)) {
            let (a, b) = pair.split_at(channels);
            for ((mean, a), b) in pooled.iter_mut().zip(a).zip(b) {
                *mean += 0.125 * (a + b);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(count: usize, mut state: u32) -> Vec<f32> {
        let next = move || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / (1 << 24) as f32 - 0.5
        };
        std::iter::repeat_with(next).take(count).collect()
    }

    /// The definition of a 3³ convolution with a border of zeros and a ReLU, in double precision.
    fn plainly(input: &Cube, weight: &[f32], bias: &[f32]) -> Vec<f64> {
        let (edge, inner) = (input.edge, input.channels);
        let mut out = Vec::new();
        for x in 0..edge {
            for y in 0..edge {
                for z in 0..edge {
                    for (o, bias) in bias.iter().enumerate() {
                        let mut sum = f64::from(*bias);
                        for (dx, dy, dz) in (0..27).map(|tap| (tap / 9, tap / 3 % 3, tap % 3)) {
                            for c in 0..inner {
                                let value = input.values[input.start(x + dx, y + dy) + (z + dz) * inner + c];
                                let weight = weight[(o * inner + c) * 27 + dx * 9 + dy * 3 + dz];
                                sum += f64::from(value) * f64::from(weight);
                            }
                        }
                        out.push(sum.max(0.0));
                    }
                }
            }
        }
        out
    }

    #[test]
    fn convolutions_follow_their_definition() {
        for (edge, inner, outer) in [(6, 5, 32), (4, 28, 64), (24, 1, 32)] {
            let mut input = Cube::zeros(edge, inner);
            for x in 0..edge {
                for y in 0..edge {
                    let line = numbers(edge * inner, (x * edge + y) as u32);
                    input.line_mut(x, y).copy_from_slice(&line);
                }
            }
            let weight = numbers(outer * inner * 27, 1);
            let bias = numbers(outer, 2);
            let wide = Convolution::new(&weight, &bias, inner, 3).unwrap();
            let narrow_weight = numbers(32 * outer, 3);
            let narrow_bias = numbers(32, 4);
            let narrow = Convolution::new(&narrow_weight, &narrow_bias, outer, 1).unwrap();
            let expected = plainly(&input, &weight, &bias);
            let found = Stage { wide: wide.clone(), narrow: None }.forward(&input);
            assert_eq!(found.len(), expected.len());
            for (found, expected) in found.iter().zip(&expected) {
                assert!((f64::from(*found) - expected).abs() < 1e-4, "{found} is not {expected}");
            }

            let after: Vec<f64> = expected
                .chunks_exact(outer)
                .flat_map(|voxel| {
                    let product = |o: usize| {
                        let terms = (0..outer).map(|c| voxel[c] * f64::from(narrow_weight[o * outer + c]));
                        (f64::from(narrow_bias[o]) + terms.sum::<f64>()).max(0.0)
                    };
                    (0..32).map(product).collect::<Vec<f64>>()
                })
                .collect();
            let pooled = Stage { wide, narrow: Some(narrow) }.forward_and_pool(&input);
            for (x, y) in (0..edge / 2).flat_map(|x| (0..edge / 2).map(move |y| (x, y))) {
                for (place, found) in pooled.line(x, y).iter().enumerate() {
                    let (z, channel) = (place / 32, place % 32);
                    let corners = (0..8).map(|corner| {
                        let voxel = [2 * x + corner / 4, 2 * y + corner / 2 % 2, 2 * z + corner % 2];
                        after[((voxel[0] * edge + voxel[1]) * edge + voxel[2]) * 32 + channel]
                    });
                    let expected = corners.sum::<f64>() / 8.0;
                    assert!((f64::from(*found) - expected).abs() < 2e-4, "{found} is not {expected}");
                }
            }
        }
    }

    #[test]
    fn odd_sizes_are_refused() {
        assert!(Convolution::new(&[0.0; 27], &[0.0], 1, 3).is_none());
        assert!(Convolution::new(&[0.0; 26 * 32], &[0.0; 32], 1, 3).is_none());
        assert!(Convolution::new(&[0.0; 8 * 32], &[0.0; 32], 1, 2).is_none());
    }
}
