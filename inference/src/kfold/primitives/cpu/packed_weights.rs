//! Products with a layer's weights, with what comes before and after done on rows that are still in the cache.
//!
//! Weights never change, so they are put once into the order in which [`super::kernel`] reads them: panels of 32 outputs.
//! A thread takes a block of rows, prepares them (normalises, modulates) into a buffer in its own cache, multiplies them with
//! panel after panel, and finishes the product's rows (adds a bias, gates, adds to a residual) into the result. Neither the
//! prepared rows nor the raw product is ever stored whole.

use rayon::prelude::*;

use super::kernel;
use super::simd::{LANES, Lane};

/// Rows of a block at most: their inputs and their product stay in the second and third cache.
const BLOCK: usize = 96;
/// Numbers between prepared rows beyond their width: rows a power of two apart would fall on the same place in the cache.
const GAP: usize = 16;
/// Fewest multiplications that are worth a second thread.
const PARALLEL_WORK: usize = 1 << 18;

/// A layer's weights in panels.
#[derive(Clone, Debug)]
pub struct PackedWeights {
    inner: usize,
    outer: usize,
    /// [panels of outputs, inner].
    panels: Vec<Lane>,
}

/// Buffers of a thread.
#[derive(Default)]
struct Buffers {
    rows: Vec<f32>,
    product: Vec<Lane>,
}

impl PackedWeights {
    /// Packs `weight` [outer, inner].
    #[must_use]
    pub fn pack(weight: &[f32], outer: usize, inner: usize) -> Self {
        let mut panels = vec![[0.0; LANES]; outer.div_ceil(LANES) * inner];
        if inner > 0 {
            for (panel, rows) in panels.chunks_exact_mut(inner).zip(weight.chunks(LANES * inner)) {
                pack_columns(panel, rows.chunks_exact(inner));
            }
        }
        Self { inner, outer, panels }
    }

    /// Fills `out` [rows, width] with finished products. `prepare(row, target)` writes the input's row to `target` [inner];
    /// `finish(row, product, target)` writes the result's row to `target` [width] from the product's row [outer].
    pub fn multiply(
        &self,
        out: &mut [f32],
        width: usize,
        prepare: impl Fn(usize, &mut [f32]) + Sync,
        finish: impl Fn(usize, &[f32], &mut [f32]) + Sync,
    ) {
        if width == 0 || out.is_empty() {
            return;
        }
        let rows = out.len() / width;
        let threads = if rows * self.inner * self.outer < PARALLEL_WORK { 1 } else { rayon::current_num_threads() };
        // Every thread gets as many blocks as the others.
        let blocks = rows.div_ceil(BLOCK).next_multiple_of(threads);
        let block = rows.div_ceil(blocks);
        let run = |buffers: &mut Buffers, (index, out): (usize, &mut [f32])| {
            self.block(index * block, out, width, buffers, &prepare, &finish);
        };
        if threads == 1 {
            let mut buffers = Buffers::default();
            out.chunks_mut(block * width).enumerate().for_each(|chunk| run(&mut buffers, chunk));
        } else {
            out.par_chunks_mut(block * width).enumerate().for_each_init(Buffers::default, run);
        }
    }

    fn block(
        &self,
        first: usize,
        out: &mut [f32],
        width: usize,
        buffers: &mut Buffers,
        prepare: &impl Fn(usize, &mut [f32]),
        finish: &impl Fn(usize, &[f32], &mut [f32]),
    ) {
        let (inner, count) = (self.inner, out.len() / width);
        let distance = inner + GAP;
        buffers.rows.resize(count * distance, 0.0);
        for (row, target) in buffers.rows.chunks_exact_mut(distance).enumerate() {
            prepare(first + row, &mut target[..inner]);
        }
        let rows: Vec<&[f32]> = buffers.rows.chunks_exact(distance).map(|row| &row[..inner]).collect();
        let pitch = self.outer.div_ceil(LANES);
        buffers.product.resize(count * pitch, [0.0; LANES]);
        if inner == 0 {
            buffers.product.fill([0.0; LANES]);
        } else {
            for (index, panel) in self.panels.chunks_exact(inner).enumerate() {
                kernel::multiply(&rows, panel, &mut buffers.product[index..], pitch, true);
            }
        }
        let product = buffers.product.as_flattened().chunks_exact(pitch * LANES);
        for (row, (product, out)) in product.zip(out.chunks_exact_mut(width)).enumerate() {
            finish(first + row, &product[..self.outer], out);
        }
    }
}

/// Fills the columns of a panel, one from each row; those without a row become zero.
pub(crate) fn pack_columns<'a>(panel: &mut [Lane], rows: impl Iterator<Item = &'a [f32]>) {
    let mut filled = 0;
    for (column, row) in rows.take(LANES).enumerate() {
        for (lane, x) in panel.iter_mut().zip(row) {
            lane[column] = *x;
        }
        filled = column + 1;
    }
    if filled < LANES {
        panel.iter_mut().for_each(|lane| lane[filled..].fill(0.0));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equals_the_plain_product() {
        let mut state = 1_u32;
        let mut random = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / (1 << 24) as f32 - 0.5
        };
        for (rows, inner, outer) in [(1, 1, 1), (13, 7, 31), (37, 24, 50), (40, 64, 32), (229, 130, 97), (64, 3, 300)] {
            let a: Vec<f32> = (0..rows * inner).map(|_| random()).collect();
            let weight: Vec<f32> = (0..outer * inner).map(|_| random()).collect();
            let packed = PackedWeights::pack(&weight, outer, inner);
            let mut out = vec![0.0; rows * outer];
            packed.multiply(
                &mut out,
                outer,
                |row, target| target.copy_from_slice(&a[row * inner..(row + 1) * inner]),
                |row, product, target| {
                    for (target, x) in target.iter_mut().zip(product) {
                        *target = row as f32 + x;
                    }
                },
            );
            for row in 0..rows {
                for column in 0..outer {
                    let products =
                        (0..inner).map(|k| f64::from(a[row * inner + k]) * f64::from(weight[column * inner + k]));
                    let expected = row as f64 + products.sum::<f64>();
                    let difference = (f64::from(out[row * outer + column]) - expected).abs();
                    assert!(difference < 3e-5, "{rows}x{inner}x{outer} at {row}, {column}: off by {difference}");
                }
            }
        }
    }
}
