//! Attention with an additive bias, one kernel for triangles, tokens, windows of atoms and language models (`attention.cu`).

use candle_core::{D, DType, Tensor};

use super::call::{Argument, Call, unwritten};
use super::pair::{add, norm_rows, pair_mask};
use super::{common_type, product, type_name};
use crate::kfold::Result;
use crate::kfold::primitives::{LayerNorm, Linear};

/// Widths of a head that there are kernels for; a narrower head is filled up with zeros.
const WIDTHS: [usize; 4] = [16, 32, 48, 64];
/// Numbers at the start of a tensor that a kernel fetches together.
const ALIGNMENT: usize = 8;

/// Where the kernel finds everything: `AttentionShape` of attention.cu, which explains it. Distances in numbers.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct AttentionShape {
    pub q_offset: i64,
    pub q_outer: i64,
    pub q_inner: i64,
    pub q_row: i64,
    pub gate_offset: i64,
    pub k_offset: i64,
    pub v_offset: i64,
    pub k_outer: i64,
    pub k_inner: i64,
    pub k_row: i64,
    pub bias_outer: i64,
    pub bias_inner: i64,
    pub bias_head: i64,
    pub bias_row: i64,
    pub mask_outer: i64,
    pub mask_inner: i64,
    pub mask_key: i64,
    pub out_outer: i64,
    pub out_inner: i64,
    pub out_row: i64,
    pub key_step: i32,
    pub key_before: i32,
    pub key_limit: i32,
    pub inner_count: i32,
    pub queries: i32,
    pub keys: i32,
    pub width: i32,
    pub scale: f32,
}

/// What the kernel reads.
struct Inputs<'a> {
    query: &'a Tensor,
    key: &'a Tensor,
    value: &'a Tensor,
    gate: &'a Tensor,
    bias: &'a Tensor,
    mask: &'a Tensor,
}

/// Whether a kernel takes heads of this width in this type.
fn takes(dtype: DType, width: usize) -> bool {
    let even = dtype == DType::F32 || width.is_multiple_of(2);
    type_name(dtype).is_some() && width > 0 && width <= WIDTHS[WIDTHS.len() - 1] && even
}

/// Runs the kernel over `entries` of the batch and all heads; the result is [`rows`, channels].
fn attend(inputs: &Inputs<'_>, shape: &AttentionShape, entries: usize, heads: usize, rows: usize) -> Result<Tensor> {
    let (dtype, width, queries) = (inputs.query.dtype(), shape.width as usize, shape.queries as usize);
    let fitting = WIDTHS.into_iter().find(|fitting| *fitting >= width).unwrap_or_default();
    let at_once = if queries <= 32 { 32 } else { 64 };
    let threads = if dtype == DType::BF16 { 2 * at_once } else { 128 };
    let out = unwritten((rows, heads * width), dtype, inputs.query.device())?;
    let kernel = format!("attention_{}_d{fitting}_q{at_once}", type_name(dtype).unwrap_or_default());
    let arguments = [
        Argument::Tensor(inputs.query),
        Argument::Tensor(inputs.key),
        Argument::Tensor(inputs.value),
        Argument::Tensor(inputs.gate),
        Argument::Tensor(inputs.bias),
        Argument::Tensor(inputs.mask),
        Argument::Result,
        Argument::Shape(shape),
    ];
    let grid = [entries as u32, heads as u32, queries.div_ceil(at_once) as u32];
    let block = [threads as u32, 1, 1];
    Call { kernel, grid, block, arguments: &arguments }.run(&out)?;
    Ok(out)
}

/// A row-major tensor whose first number is where a kernel can fetch several together.
fn aligned(x: &Tensor) -> Result<Tensor> {
    let x = x.contiguous()?;
    let is_aligned = x.layout().start_offset().is_multiple_of(ALIGNMENT);
    Ok(if is_aligned { x } else { x.copy()? })
}

fn scale(width: usize) -> f32 {
    1.0 / (width as f32).sqrt()
}

/// The layers of a triangle attention.
pub(crate) struct TriangleAttentionLayers<'a> {
    pub heads: usize,
    pub norm: &'a LayerNorm,
    pub bias: &'a Linear,
    pub q: &'a Linear,
    pub k: &'a Linear,
    pub v: &'a Linear,
    pub g: &'a Linear,
    pub o: &'a Linear,
}

/// Adds the triangle attention to `z` [1, N, N, C] f32 in place, along columns where it is `ending`; whether it could: other sizes and
/// types are left to the composition.
///
/// # Errors
/// When the device cannot.
pub(crate) fn add_triangle_attention(
    z: &Tensor,
    mask: Option<&Tensor>,
    ending: bool,
    layers: &TriangleAttentionLayers<'_>,
) -> Result<bool> {
    let (batch, nodes, columns, channels) = z.dims4()?;
    let TriangleAttentionLayers { heads, norm, bias, q, k, v, g, o } = layers;
    let Some(dtype) = common_type(&[bias, q, k, v, g, o]) else { return Ok(false) };
    let width = channels / heads;
    let fits = batch == 1 && nodes == columns && nodes > 0 && takes(dtype, width);
    if !fits || z.dtype() != DType::F32 || !z.is_contiguous() {
        return Ok(false);
    }
    let pairs = nodes * nodes;
    let mask = pair_mask(mask, z)?;
    let x = norm_rows(z, norm, dtype)?;
    // [i, j, H] to [H, query, key]; along columns both indices change places.
    let bias = product(&x, bias)?.to_dtype(DType::F32)?.reshape((nodes, nodes, *heads))?;
    let bias = if ending { bias.permute((2, 1, 0))? } else { bias.permute((2, 0, 1))? }.contiguous()?;
    let (query, key, value, gate) = (product(&x, q)?, product(&x, k)?, product(&x, v)?, product(&x, g)?);
    drop(x);
    let along =
        |row: usize, column: usize| if ending { (column as i64, row as i64) } else { (row as i64, column as i64) };
    let (outer, row) = along(nodes * channels, channels);
    let (mask_outer, mask_key) = along(nodes, 1);
    let shape = AttentionShape {
        q_outer: outer,
        q_row: row,
        k_outer: outer,
        k_row: row,
        bias_head: pairs as i64,
        bias_row: nodes as i64,
        mask_outer,
        mask_key,
        out_outer: outer,
        out_row: row,
        key_limit: nodes as i32,
        inner_count: 1,
        queries: nodes as i32,
        keys: nodes as i32,
        width: width as i32,
        scale: scale(width),
        ..AttentionShape::default()
    };
    let inputs = Inputs { query: &query, key: &key, value: &value, gate: &gate, bias: &bias, mask: &mask };
    let attended = attend(&inputs, &shape, nodes, *heads, pairs)?;
    drop((query, key, value, gate));
    add(z, &product(&attended, o)?)?;
    Ok(true)
}

/// sigmoid(gate) · attended values [.., L, C] from `projections` [.., L, 4C] (query, key, value, gate logits), `bias` [.., H, L, L] and
/// `mask` [.., L], whose leading dimensions are those of the projections or, in the last of them, 1; `None` for sizes and types that
/// are left to the composition.
///
/// # Errors
/// When the device cannot.
pub(crate) fn gated_attention(
    projections: &Tensor,
    bias: &Tensor,
    mask: &Tensor,
    heads: usize,
) -> Result<Option<Tensor>> {
    let (length, channel) = (projections.dim(D::Minus2)?, projections.dim(D::Minus1)? / 4);
    let width = channel / heads.max(1);
    if !takes(projections.dtype(), width) || length == 0 {
        return Ok(None);
    }
    let batch = projections.elem_count() / (length * 4 * channel);
    let biases = bias.elem_count() / (heads * length * length);
    if biases == 0 || !batch.is_multiple_of(biases) || bias.elem_count() != biases * heads * length * length {
        return Ok(None);
    }
    let leading = &projections.dims()[..projections.rank() - 2];
    let mask = mask.broadcast_as([leading, &[length]].concat())?.ne(0.0)?.contiguous()?;
    let (projections, bias) = (aligned(projections)?, bias.to_dtype(DType::F32)?.contiguous()?);
    // Entries that share a bias are inner ones.
    let shared = batch / biases;
    let (rows, all) = ((length * channel) as i64, 4 * (length * channel) as i64);
    let shape = AttentionShape {
        q_outer: shared as i64 * all,
        q_inner: all,
        q_row: 4 * channel as i64,
        gate_offset: 3 * channel as i64,
        k_offset: channel as i64,
        v_offset: 2 * channel as i64,
        k_outer: shared as i64 * all,
        k_inner: all,
        k_row: 4 * channel as i64,
        bias_outer: (heads * length * length) as i64,
        bias_head: (length * length) as i64,
        bias_row: length as i64,
        mask_outer: (shared * length) as i64,
        mask_inner: length as i64,
        mask_key: 1,
        out_outer: shared as i64 * rows,
        out_inner: rows,
        out_row: channel as i64,
        key_limit: length as i32,
        inner_count: shared as i32,
        queries: length as i32,
        keys: length as i32,
        width: width as i32,
        scale: scale(width),
        ..AttentionShape::default()
    };
    let inputs = Inputs {
        query: &projections,
        key: &projections,
        value: &projections,
        gate: &projections,
        bias: &bias,
        mask: &mask,
    };
    let out = attend(&inputs, &shape, batch, heads, batch * length)?;
    Ok(Some(out.reshape([leading, &[length, channel]].concat())?))
}

/// softmax(scale · q kᵀ + bias) v of q, k and v [1, H, L, D], without a gate, with a bias [L, L] that all heads share and that is
/// minus infinity where a key does not exist; `None` for sizes and types that are left to the composition.
///
/// # Errors
/// When the device cannot.
pub(crate) fn attention([query, key, value]: [&Tensor; 3], bias: &Tensor, scale: f64) -> Result<Option<Tensor>> {
    let (batch, heads, length, width) = query.dims4()?;
    let fits = batch == 1 && length > 0 && bias.dims() == [length, length] && value.dims() == query.dims();
    if !fits || !takes(query.dtype(), width) {
        return Ok(None);
    }
    let mask = Tensor::ones(length, DType::U8, query.device())?;
    let (query, key, value) = (aligned(query)?, aligned(key)?, aligned(value)?);
    let bias = bias.to_dtype(DType::F32)?.contiguous()?;
    // Heads follow each other as entries of a batch do.
    let (outer, row) = ((length * width) as i64, width as i64);
    let shape = AttentionShape {
        gate_offset: -1,
        q_outer: outer,
        q_row: row,
        k_outer: outer,
        k_row: row,
        bias_row: length as i64,
        mask_key: 1,
        out_outer: outer,
        out_row: row,
        key_limit: length as i32,
        inner_count: 1,
        queries: length as i32,
        keys: length as i32,
        width: width as i32,
        scale: scale as f32,
        ..AttentionShape::default()
    };
    let inputs = Inputs { query: &query, key: &key, value: &value, gate: &query, bias: &bias, mask: &mask };
    let out = attend(&inputs, &shape, heads, 1, heads * length)?;
    Ok(Some(out.reshape((1, heads, length, width))?))
}

/// Sizes of windows of atoms.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Windows {
    /// Queries of a window; they divide the atoms.
    pub queries: usize,
    /// Keys of a window.
    pub keys: usize,
    /// Atoms between a window's first key and its first query.
    pub before: usize,
}

/// The same for atoms in windows: `query` (queries and gate logits) and `key` (keys and values), both [samples, N, 2C], `bias`
/// [windows, H, queries, keys], `mask` [N]; gives [samples, N, C]. Keys beyond either end do not exist.
///
/// # Errors
/// When the device cannot.
pub(crate) fn gated_window_attention(
    query: &Tensor,
    key: &Tensor,
    bias: &Tensor,
    mask: &Tensor,
    windows: Windows,
) -> Result<Option<Tensor>> {
    let (samples, atoms, both) = query.dims3()?;
    let (count, heads, _, _) = bias.dims4()?;
    let Windows { queries, keys, before } = windows;
    let channel = both / 2;
    let width = channel / heads.max(1);
    let fits = count * queries == atoms && key.dims() == query.dims() && key.dtype() == query.dtype();
    if !fits || atoms == 0 || !takes(query.dtype(), width) {
        return Ok(None);
    }
    let mask = mask.ne(0.0)?.contiguous()?;
    let (query, key, bias) = (aligned(query)?, aligned(key)?, bias.to_dtype(DType::F32)?.contiguous()?);
    let (both, own) = (both as i64, channel as i64);
    let shape = AttentionShape {
        q_outer: atoms as i64 * both,
        q_inner: queries as i64 * both,
        q_row: both,
        gate_offset: own,
        v_offset: own,
        k_outer: atoms as i64 * both,
        k_row: both,
        bias_inner: (heads * queries * keys) as i64,
        bias_head: (queries * keys) as i64,
        bias_row: keys as i64,
        mask_key: 1,
        out_outer: atoms as i64 * own,
        out_inner: queries as i64 * own,
        out_row: own,
        key_step: queries as i32,
        key_before: before as i32,
        key_limit: atoms as i32,
        inner_count: count as i32,
        queries: queries as i32,
        keys: keys as i32,
        width: width as i32,
        scale: scale(width),
        ..AttentionShape::default()
    };
    let inputs = Inputs { query: &query, key: &key, value: &key, gate: &query, bias: &bias, mask: &mask };
    let out = attend(&inputs, &shape, samples * count, heads, samples * atoms)?;
    Ok(Some(out.reshape((samples, atoms, channel))?))
}
