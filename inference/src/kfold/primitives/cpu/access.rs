//! Tensors as slices, for operations written on slices.

use candle_core::{CpuStorage, DType, InplaceOp1, Layout, Storage, Tensor, bail};

use crate::kfold::Result;

/// Whether a tensor is one that the fused operations take: f32, on the processor, row-major.
pub(crate) fn is_plain(x: &Tensor) -> bool {
    x.device().is_cpu() && x.dtype() == DType::F32 && x.is_contiguous()
}

/// Weights as the fused operations take them: bf16 widened to f32, for as long as one layer runs; others as they are.
///
/// # Errors
/// When there is no memory for them.
pub(crate) fn widened<const N: usize>(weights: [&Tensor; N]) -> Result<[Tensor; N]> {
    let mut wide = weights.map(Clone::clone);
    for weight in &mut wide {
        if weight.dtype() == DType::BF16 && weight.device().is_cpu() {
            *weight = weight.to_dtype(DType::F32)?;
        }
    }
    Ok(wide)
}

/// Calls `use_values` with the elements of tensors that are plain ([`is_plain`]).
///
/// # Errors
/// When one is not.
pub(crate) fn with_values<const N: usize, T>(
    tensors: [&Tensor; N],
    use_values: impl FnOnce([&[f32]; N]) -> Result<T>,
) -> Result<T> {
    let guards = tensors.map(Tensor::storage_and_layout);
    let mut values = [[].as_slice(); N];
    for (values, (storage, layout)) in values.iter_mut().zip(&guards) {
        let Storage::Cpu(storage) = &**storage else {
            return Err(
                candle_core::Error::Msg("a fused operation needs its tensors on the processor".to_owned()).into()
            );
        };
        *values = part(storage.as_slice::<f32>()?, layout)?;
    }
    use_values(values)
}

fn part<'a>(values: &'a [f32], layout: &Layout) -> candle_core::Result<&'a [f32]> {
    match layout.contiguous_offsets().and_then(|(start, end)| values.get(start..end)) {
        Some(values) => Ok(values),
        None => bail!("a fused operation needs row-major tensors, not {layout:?}"),
    }
}

/// Changes the elements of a plain tensor ([`is_plain`]) in place. Every tensor that shares its memory changes too, so the
/// caller must be the only owner.
///
/// # Errors
/// When the tensor is not plain.
pub(crate) fn change(x: &Tensor, change: impl Fn(&mut [f32])) -> Result<()> {
    Ok(x.inplace_op1(&Change(change))?)
}

struct Change<F>(F);

impl<F: Fn(&mut [f32])> InplaceOp1 for Change<F> {
    fn name(&self) -> &'static str {
        "fused operation"
    }

    fn cpu_fwd(&self, storage: &mut CpuStorage, layout: &Layout) -> candle_core::Result<()> {
        let CpuStorage::F32(values) = storage else { bail!("a fused operation needs f32") };
        let Some(values) = layout.contiguous_offsets().and_then(|(start, end)| values.get_mut(start..end)) else {
            bail!("a fused operation needs row-major tensors, not {layout:?}")
        };
        (self.0)(values);
        Ok(())
    }
}
