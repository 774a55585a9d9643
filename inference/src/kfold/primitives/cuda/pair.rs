//! Triangle multiplication and transition of a pair state, kernels between matrix products of cuBLAS (`pair.cu`).

use candle_core::{D, DType, Tensor};

use super::call::{Argument, Call, unwritten};
use super::{common_type, product, type_name};
use crate::kfold::Result;
use crate::kfold::primitives::{LayerNorm, Linear};

/// Channels that the kernel which turns a product back can hold.
const MAX_CHANNELS: usize = 256;
/// Hidden numbers of a transition in memory at once, gates and values together.
pub(crate) const HIDDEN_AT_ONCE: usize = if cfg!(test) { 1 << 12 } else { 1 << 26 };
/// Threads of a block where a thread has one number or a warp one row.
const THREADS: u32 = 256;

/// A grid of one dimension; candle counts elements as the card does, up to 2³¹ blocks.
fn line(blocks: usize) -> Option<[u32; 3]> {
    i32::try_from(blocks).ok().map(|blocks| [blocks as u32, 1, 1])
}

fn call(
    kernel: &str,
    dtype: DType,
    grid: [u32; 3],
    block: [u32; 3],
    arguments: &[Argument<'_>],
    result: &Tensor,
) -> Result<()> {
    let kernel = format!("{kernel}_{}", type_name(dtype).unwrap_or_default());
    Call { kernel, grid, block, arguments }.run(result)
}

fn too_large() -> crate::kfold::KFoldError {
    crate::kfold::KFoldError::input("a tensor is too large for a card's grid")
}

/// x [.., C] f32 normalised, as [rows, C] of `dtype`.
///
/// # Errors
/// When the device cannot.
pub(super) fn norm_rows(x: &Tensor, norm: &LayerNorm, dtype: DType) -> Result<Tensor> {
    let channels = x.dim(D::Minus1)?;
    let rows = x.elem_count() / channels;
    let out = unwritten((rows, channels), dtype, x.device())?;
    let grid = line(rows.div_ceil(THREADS as usize / 32)).ok_or_else(too_large)?;
    let arguments = [
        Argument::Tensor(x),
        Argument::Tensor(norm.weight()),
        Argument::Tensor(norm.bias()),
        Argument::Result,
        Argument::Int(rows as i32),
        Argument::Int(channels as i32),
        Argument::Float(norm.eps()),
    ];
    call("norm_rows", dtype, grid, [THREADS, 1, 1], &arguments, &out)?;
    Ok(out)
}

/// z += x.
///
/// # Errors
/// When the device cannot.
pub(super) fn add(z: &Tensor, x: &Tensor) -> Result<()> {
    let count = z.elem_count();
    let grid = line(count.div_ceil(THREADS as usize)).ok_or_else(too_large)?;
    let arguments = [Argument::Result, Argument::Tensor(x), Argument::Long(count as i64)];
    call("add", x.dtype(), grid, [THREADS, 1, 1], &arguments, z)
}

/// The values of a mask of pairs as the kernels take it, [pairs] u8.
///
/// # Errors
/// When its shape does not fit.
pub(super) fn pair_mask(mask: Option<&Tensor>, z: &Tensor) -> Result<Tensor> {
    let pairs = &z.dims()[..3];
    Ok(match mask {
        Some(mask) => mask.broadcast_as(pairs)?.ne(0.0)?.contiguous()?.flatten_all()?,
        None => Tensor::ones(pairs.iter().product::<usize>(), DType::U8, z.device())?,
    })
}

/// The layers of a triangle multiplication.
pub(crate) struct TriangleLayers<'a> {
    pub norm_in: &'a LayerNorm,
    pub p_in: &'a Linear,
    pub g_in: &'a Linear,
    pub norm_out: &'a LayerNorm,
    pub p_out: &'a Linear,
    pub g_out: &'a Linear,
}

/// Adds the triangle multiplication to `z` [1, N, N, C] f32 in place; whether it could: other sizes and types are left to the composition.
///
/// # Errors
/// When the device cannot.
pub(crate) fn add_triangle_multiplication(
    z: &Tensor,
    mask: Option<&Tensor>,
    incoming: bool,
    layers: &TriangleLayers<'_>,
) -> Result<bool> {
    let (batch, nodes, columns, channels) = z.dims4()?;
    let TriangleLayers { norm_in, p_in, g_in, norm_out, p_out, g_out } = layers;
    let Some(dtype) = common_type(&[p_in, g_in, p_out, g_out]) else { return Ok(false) };
    let fits = batch == 1 && nodes == columns && nodes > 0 && channels <= MAX_CHANNELS;
    if !fits || z.dtype() != DType::F32 || !z.is_contiguous() {
        return Ok(false);
    }
    let pairs = nodes * nodes;
    let tiles = |count: usize| count.div_ceil(32) as u32;
    let mask = pair_mask(mask, z)?;
    let x = norm_rows(z, norm_in, dtype)?;
    let edges = unwritten((2, channels, nodes, nodes), dtype, z.device())?;
    {
        let (p, g) = (product(&x, p_in)?, product(&x, g_in)?);
        let arguments = [
            Argument::Tensor(&p),
            Argument::Tensor(&g),
            Argument::Tensor(&mask),
            Argument::Result,
            Argument::Int(pairs as i32),
            Argument::Int(2 * channels as i32),
        ];
        call("gate_and_turn", dtype, [tiles(pairs), tiles(2 * channels), 1], [32, 8, 1], &arguments, &edges)?;
    }
    // Both as they lie: cuBLAS turns one of them while it multiplies.
    let (a, b) = (edges.narrow(0, 0, 1)?.squeeze(0)?, edges.narrow(0, 1, 1)?.squeeze(0)?);
    let sums = if incoming { a.t()?.matmul(&b)? } else { a.matmul(&b.t()?)? };
    drop((a, b, edges));
    let y = unwritten((pairs, channels), dtype, z.device())?;
    let arguments = [
        Argument::Tensor(&sums),
        Argument::Tensor(norm_out.weight()),
        Argument::Tensor(norm_out.bias()),
        Argument::Result,
        Argument::Int(pairs as i32),
        Argument::Int(channels as i32),
        Argument::Float(norm_out.eps()),
    ];
    call("turn_and_norm", dtype, [tiles(pairs), 1, 1], [32, 8, 1], &arguments, &y)?;
    drop(sums);
    let (p, g) = (product(&y, p_out)?, product(&x, g_out)?);
    let count = pairs * channels;
    let grid = line(count.div_ceil(THREADS as usize)).ok_or_else(too_large)?;
    let arguments = [Argument::Result, Argument::Tensor(&p), Argument::Tensor(&g), Argument::Long(count as i64)];
    call("add_gated", dtype, grid, [THREADS, 1, 1], &arguments, z)?;
    Ok(true)
}

/// Adds the transition to `z` [.., C] f32 in place; whether it could: other types are left to the composition.
///
/// # Errors
/// When the device cannot.
pub(crate) fn add_transition(z: &Tensor, norm: &LayerNorm, swiglu: &Linear, out: &Linear) -> Result<bool> {
    let Some(dtype) = common_type(&[swiglu, out]) else { return Ok(false) };
    if z.dtype() != DType::F32 || !z.is_contiguous() || z.elem_count() == 0 {
        return Ok(false);
    }
    let channels = z.dim(D::Minus1)?;
    let width = swiglu.weight().dim(0)?;
    // A view of the same memory; as many rows at a time as keep a card busy, so that the hidden numbers of all are never there at once.
    let all = z.reshape(((), channels))?;
    let rows = all.dim(0)?;
    let at_once = (HIDDEN_AT_ONCE / width.max(1)).max(1);
    for first in (0..rows).step_by(at_once) {
        let piece = all.narrow(0, first, at_once.min(rows - first))?;
        add_transition_piece(&piece, norm, swiglu, out, dtype)?;
    }
    Ok(true)
}

fn add_transition_piece(z: &Tensor, norm: &LayerNorm, swiglu: &Linear, out: &Linear, dtype: DType) -> Result<()> {
    let both = product(&norm_rows(z, norm, dtype)?, swiglu)?;
    let (rows, hidden) = (both.dim(0)?, both.dim(1)? / 2);
    let gated = unwritten((rows, hidden), dtype, z.device())?;
    let grid = line((rows * hidden).div_ceil(THREADS as usize)).ok_or_else(too_large)?;
    let arguments =
        [Argument::Tensor(&both), Argument::Result, Argument::Long(rows as i64), Argument::Int(hidden as i32)];
    call("swiglu", dtype, grid, [THREADS, 1, 1], &arguments, &gated)?;
    drop(both);
    add(z, &product(&gated, out)?)
}
