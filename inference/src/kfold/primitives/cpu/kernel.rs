//! The matrix kernel all encoders share on the CPU.
//!
//! `out[m][lane] (+)= sum_k rows[m][k] * panel[k][lane]`: every row is read as it lies in memory and broadcast, every
//! panel row is 32 contiguous values. A tile of 12 rows by 32 lanes keeps its 24 accumulators in AVX-512 registers and
//! needs two vector loads and twelve broadcasts for 24 multiply-adds, so neither operand has to be packed for speed: the
//! weights of a language model are multiplied straight from where they were read. Measured: about 210 GFLOP a second on
//! one Zen 5 core, which is near its limit.

use super::simd::{LANES, Lane, Level, level};

/// Multiplies rows (all as long as `panel`) with a panel; row m goes to `out[m * stride]`, replacing (`first`) or adding.
pub fn multiply(rows: &[&[f32]], panel: &[Lane], out: &mut [Lane], stride: usize, first: bool) {
    match level() {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: `level` has seen AVX-512 on this processor.
        #[allow(unsafe_code)]
        Level::Avx512 => unsafe { x86::multiply_avx512(rows, panel, out, stride, first) },
        #[cfg(target_arch = "x86_64")]
        // SAFETY: `level` has seen AVX2 and FMA on this processor.
        #[allow(unsafe_code)]
        Level::Avx2 => unsafe { x86::multiply_avx2(rows, panel, out, stride, first) },
        _ => multiply_baseline(rows, panel, out, stride, first),
    }
}

/// `out[m][lane] = sum_k columns[k][m] * panel[k][lane]` for the 32 columns of a panel: keys times queries.
pub fn multiply_columns(columns: &[Lane], panel: &[Lane], out: &mut [Lane; LANES]) {
    match level() {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: `level` has seen AVX-512 on this processor.
        #[allow(unsafe_code)]
        Level::Avx512 => unsafe { x86::multiply_columns_avx512(columns, panel, out) },
        #[cfg(target_arch = "x86_64")]
        // SAFETY: `level` has seen AVX2 and FMA on this processor.
        #[allow(unsafe_code)]
        Level::Avx2 => unsafe { x86::multiply_columns_avx2(columns, panel, out) },
        _ => multiply_columns_baseline(columns, panel, out),
    }
}

fn multiply_baseline(rows: &[&[f32]], panel: &[Lane], out: &mut [Lane], stride: usize, first: bool) {
    for (m, row) in rows.iter().enumerate() {
        let mut sums = if first { [0.0; LANES] } else { out[m * stride] };
        for (&weight, lane) in row.iter().zip(panel) {
            for i in 0..LANES {
                sums[i] += weight * lane[i];
            }
        }
        out[m * stride] = sums;
    }
}

#[inline(always)]
fn multiply_columns_baseline(columns: &[Lane], panel: &[Lane], out: &mut [Lane; LANES]) {
    for m in 0..LANES {
        let mut sums = [0.0; LANES];
        for (column, lane) in columns.iter().zip(panel) {
            for i in 0..LANES {
                sums[i] += column[m] * lane[i];
            }
        }
        out[m] = sums;
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::{
        __m512, _mm512_add_ps, _mm512_fmadd_ps, _mm512_loadu_ps, _mm512_set1_ps, _mm512_setzero_ps, _mm512_storeu_ps,
    };

    use super::{LANES, Lane, multiply_columns_baseline};

    const WIDTH: usize = 16;
    const VECTORS: usize = LANES / WIDTH;

    #[target_feature(enable = "avx512f")]
    #[inline]
    #[allow(unsafe_code)]
    fn load(lane: &Lane) -> [__m512; VECTORS] {
        let (halves, _) = lane.as_chunks::<WIDTH>();
        // SAFETY: each half is 16 floats; the instruction has no alignment requirement.
        std::array::from_fn(|v| unsafe { _mm512_loadu_ps(halves[v].as_ptr()) })
    }

    #[target_feature(enable = "avx512f")]
    #[inline]
    #[allow(unsafe_code)]
    fn store(lane: &mut Lane, values: [__m512; VECTORS]) {
        let (halves, _) = lane.as_chunks_mut::<WIDTH>();
        for v in 0..VECTORS {
            // SAFETY: each half is 16 floats; the instruction has no alignment requirement.
            unsafe { _mm512_storeu_ps(halves[v].as_mut_ptr(), values[v]) };
        }
    }

    #[target_feature(enable = "avx512f")]
    #[inline]
    fn tile_avx512<const ROWS: usize>(
        rows: [&[f32]; ROWS],
        panel: &[Lane],
        out: &mut [Lane],
        stride: usize,
        first: bool,
    ) {
        let depth = panel.len();
        let rows = rows.map(|row| &row[..depth]);
        let mut sums = [[_mm512_setzero_ps(); VECTORS]; ROWS];
        for k in 0..depth {
            let lane = load(&panel[k]);
            for m in 0..ROWS {
                let weight = _mm512_set1_ps(rows[m][k]);
                for v in 0..VECTORS {
                    sums[m][v] = _mm512_fmadd_ps(weight, lane[v], sums[m][v]);
                }
            }
        }
        for m in 0..ROWS {
            let target = &mut out[m * stride];
            if !first {
                let before = load(target);
                for v in 0..VECTORS {
                    sums[m][v] = _mm512_add_ps(sums[m][v], before[v]);
                }
            }
            store(target, sums[m]);
        }
    }

    #[target_feature(enable = "avx512f")]
    pub fn multiply_avx512(rows: &[&[f32]], panel: &[Lane], out: &mut [Lane], stride: usize, first: bool) {
        let mut done = 0;
        while done < rows.len() {
            let rest = &rows[done..];
            let target = &mut out[done * stride..];
            if let Some(rows) = rest.first_chunk::<12>() {
                tile_avx512(*rows, panel, target, stride, first);
                done += 12;
            } else if let Some(rows) = rest.first_chunk::<8>() {
                tile_avx512(*rows, panel, target, stride, first);
                done += 8;
            } else if let Some(rows) = rest.first_chunk::<4>() {
                tile_avx512(*rows, panel, target, stride, first);
                done += 4;
            } else {
                tile_avx512([rest[0]], panel, target, stride, first);
                done += 1;
            }
        }
    }

    #[target_feature(enable = "avx512f")]
    pub fn multiply_columns_avx512(columns: &[Lane], panel: &[Lane], out: &mut [Lane; LANES]) {
        const ROWS: usize = 8;
        let depth = columns.len().min(panel.len());
        for start in (0..LANES).step_by(ROWS) {
            let mut sums = [[_mm512_setzero_ps(); VECTORS]; ROWS];
            for k in 0..depth {
                let lane = load(&panel[k]);
                for m in 0..ROWS {
                    let weight = _mm512_set1_ps(columns[k][start + m]);
                    for v in 0..VECTORS {
                        sums[m][v] = _mm512_fmadd_ps(weight, lane[v], sums[m][v]);
                    }
                }
            }
            for m in 0..ROWS {
                store(&mut out[start + m], sums[m]);
            }
        }
    }

    /// Four rows at a time on half a lane: the compiler keeps these arrays in 256-bit registers.
    #[target_feature(enable = "avx2,fma")]
    pub fn multiply_avx2(rows: &[&[f32]], panel: &[Lane], out: &mut [Lane], stride: usize, first: bool) {
        const ROWS: usize = 4;
        let depth = panel.len();
        for half in 0..VECTORS {
            let mut done = 0;
            while done < rows.len() {
                let count = (rows.len() - done).min(ROWS);
                // A missing row repeats the last one and is not stored.
                let tile: [&[f32]; ROWS] = std::array::from_fn(|m| &rows[done + m.min(count - 1)][..depth]);
                let mut sums = [[0f32; WIDTH]; ROWS];
                for k in 0..depth {
                    let (halves, _) = panel[k].as_chunks::<WIDTH>();
                    for m in 0..ROWS {
                        for i in 0..WIDTH {
                            sums[m][i] = tile[m][k].mul_add(halves[half][i], sums[m][i]);
                        }
                    }
                }
                for m in 0..count {
                    let (targets, _) = out[(done + m) * stride].as_chunks_mut::<WIDTH>();
                    for i in 0..WIDTH {
                        targets[half][i] = if first { sums[m][i] } else { targets[half][i] + sums[m][i] };
                    }
                }
                done += count;
            }
        }
    }

    #[target_feature(enable = "avx2,fma")]
    pub fn multiply_columns_avx2(columns: &[Lane], panel: &[Lane], out: &mut [Lane; LANES]) {
        multiply_columns_baseline(columns, panel, out);
    }

    #[cfg(test)]
    mod tests {
        use super::*;
        use crate::kfold::primitives::cpu::kernel::multiply_baseline;

        fn values(count: usize, seed: usize) -> Vec<f32> {
            (0..count).map(|i| (((i + seed) * 7919) % 1013) as f32 / 506.0 - 1.0).collect()
        }

        #[test]
        fn every_instruction_set_gives_the_same_product() {
            for row_count in [1, 3, 11, 12, 27] {
                let depth = 37;
                let weights = values(row_count * depth, 1);
                let rows: Vec<&[f32]> = weights.chunks(depth).collect();
                let panel: Vec<Lane> = (0..depth).map(|k| values(LANES, k + 5).try_into().unwrap()).collect();
                let start: Vec<Lane> = vec![[0.5; LANES]; row_count * 2];
                for first in [true, false] {
                    let mut expected = start.clone();
                    multiply_baseline(&rows, &panel, &mut expected, 2, first);
                    let mut results = Vec::new();
                    if is_x86_feature_detected!("avx512f") {
                        let mut out = start.clone();
                        // SAFETY: the feature was just seen.
                        #[allow(unsafe_code)]
                        unsafe {
                            multiply_avx512(&rows, &panel, &mut out, 2, first);
                        }
                        results.push(("AVX-512", out));
                    }
                    if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                        let mut out = start.clone();
                        // SAFETY: the features were just seen.
                        #[allow(unsafe_code)]
                        unsafe {
                            multiply_avx2(&rows, &panel, &mut out, 2, first);
                        }
                        results.push(("AVX2", out));
                    }
                    for (name, out) in results {
                        for (a, b) in out.as_flattened().iter().zip(expected.as_flattened()) {
                            assert!((a - b).abs() < 1e-4, "{name}, {row_count} rows, first {first}: {a} and {b}");
                        }
                    }
                }
            }
        }
    }
}
