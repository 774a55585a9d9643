//! A kernel and what it is called with, described so that a card and the tests' emulation run the same call.

use candle_core::{CpuStorage, DType, Device, InplaceOp1, Layout, Shape, Tensor};

use super::attention::AttentionShape;
use crate::kfold::Result;

/// What a kernel is given.
#[derive(Clone, Copy)]
pub(super) enum Argument<'a> {
    /// The tensor that it changes; once.
    Result,
    /// A tensor that it reads: row-major.
    Tensor(&'a Tensor),
    Int(i32),
    Long(i64),
    Float(f32),
    Shape(&'a AttentionShape),
}

/// One call.
pub(super) struct Call<'a> {
    pub kernel: String,
    pub grid: [u32; 3],
    pub block: [u32; 3],
    pub arguments: &'a [Argument<'a>],
}

impl Call<'_> {
    /// Runs it on the row-major tensor `result`, whose memory nobody else may hold.
    ///
    /// # Errors
    /// When the device cannot.
    pub fn run(&self, result: &Tensor) -> Result<()> {
        if result.elem_count() == 0 {
            return Ok(());
        }
        Ok(result.inplace_op1(self)?)
    }
}

/// Memory for a kernel to fill.
///
/// # Errors
/// When the device has no room.
pub(super) fn unwritten(shape: impl Into<Shape>, dtype: DType, device: &Device) -> Result<Tensor> {
    if device.is_cpu() {
        // The emulation's: whatever is not written shows.
        return Ok(Tensor::full(f32::NAN, shape, device)?.to_dtype(dtype)?);
    }
    // SAFETY: every caller gives it to a kernel that writes every number before any is read.
    #[allow(unsafe_code, reason = "candle marks memory that is not cleared unsafe")]
    Ok(unsafe { Tensor::empty(shape, dtype, device) }?)
}

impl InplaceOp1 for Call<'_> {
    fn name(&self) -> &'static str {
        "fused operation on a card"
    }

    #[cfg(test)]
    fn cpu_fwd(&self, storage: &mut CpuStorage, layout: &Layout) -> candle_core::Result<()> {
        super::emulation::run(self, storage, layout)
    }

    #[cfg(not(test))]
    fn cpu_fwd(&self, _: &mut CpuStorage, _: &Layout) -> candle_core::Result<()> {
        candle_core::bail!("{} runs on a card alone", self.kernel)
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(&self, storage: &mut candle_core::CudaStorage, layout: &Layout) -> candle_core::Result<()> {
        card::run(self, storage, layout)
    }
}

#[cfg(feature = "cuda")]
mod card {
    use candle_core::backend::BackendStorage;
    use candle_core::cuda_backend::CudaStorageSlice;
    use candle_core::cuda_backend::cudarc::driver::{
        CudaSlice, CudaStream, DevicePtr, DeviceRepr, LaunchConfig, PushKernelArg, SyncOnDrop,
    };
    use candle_core::{CudaStorage, Layout, Storage, bail};

    use super::super::attention::AttentionShape;
    use super::{Argument, Call};

    /// The module that a kernel is in, as PTX.
    fn module(kernel: &str) -> (&'static str, &'static str) {
        if kernel.starts_with("attention_") {
            ("kfold_attention", include_str!(concat!(env!("OUT_DIR"), "/attention.ptx")))
        } else {
            ("kfold_pair", include_str!(concat!(env!("OUT_DIR"), "/pair.ptx")))
        }
    }

    // SAFETY: #[repr(C)], numbers only, and laid out as the kernels have it (they check its size).
    #[allow(unsafe_code, reason = "cudarc's mark of what may be passed to a kernel")]
    unsafe impl DeviceRepr for AttentionShape {}

    fn address<'a, T>(
        slice: &'a CudaSlice<T>,
        layout: &Layout,
        stream: &'a CudaStream,
    ) -> candle_core::Result<(u64, SyncOnDrop<'a>)> {
        let Some((start, _)) = layout.contiguous_offsets() else {
            bail!("a kernel needs row-major tensors, not {layout:?}")
        };
        let (pointer, guard) = slice.device_ptr(stream);
        Ok((pointer + (start * size_of::<T>()) as u64, guard))
    }

    fn address_of<'a>(
        storage: &'a CudaStorage,
        layout: &Layout,
        stream: &'a CudaStream,
    ) -> candle_core::Result<(u64, SyncOnDrop<'a>)> {
        match &storage.slice {
            CudaStorageSlice::F32(slice) => address(slice, layout, stream),
            CudaStorageSlice::BF16(slice) => address(slice, layout, stream),
            CudaStorageSlice::U8(slice) => address(slice, layout, stream),
            _ => bail!("a kernel does not take numbers of type {:?}", storage.dtype()),
        }
    }

    pub(super) fn run(call: &Call<'_>, storage: &CudaStorage, layout: &Layout) -> candle_core::Result<()> {
        let device = storage.device();
        let (module, ptx) = module(&call.kernel);
        let function = device.get_or_load_custom_func(&call.kernel, module, ptx)?;
        let stream = device.cuda_stream();
        let tensors: Vec<_> = call
            .arguments
            .iter()
            .filter_map(|argument| match argument {
                Argument::Tensor(tensor) => Some(tensor.storage_and_layout()),
                _ => None,
            })
            .collect();
        // Addresses stay valid, and the stream is told of reads and writes, until the guards go after the launch.
        let mut addresses = Vec::with_capacity(call.arguments.len());
        let mut rest = tensors.iter();
        for argument in call.arguments {
            match argument {
                Argument::Result => addresses.push(address_of(storage, layout, &stream)?),
                Argument::Tensor(_) => {
                    let Some((source, layout)) = rest.next() else { break };
                    let Storage::Cuda(source) = &**source else { bail!("a kernel needs its tensors on the card") };
                    addresses.push(address_of(source, layout, &stream)?);
                }
                _ => {}
            }
        }
        let mut builder = function.builder();
        let mut pointers = addresses.iter().map(|(pointer, _)| pointer);
        for argument in call.arguments {
            match argument {
                Argument::Result | Argument::Tensor(_) => {
                    if let Some(pointer) = pointers.next() {
                        builder.arg(pointer);
                    }
                }
                Argument::Int(value) => {
                    builder.arg(value);
                }
                Argument::Long(value) => {
                    builder.arg(value);
                }
                Argument::Float(value) => {
                    builder.arg(value);
                }
                Argument::Shape(shape) => {
                    builder.arg(*shape);
                }
            }
        }
        let [grid, block] = [call.grid, call.block].map(|[x, y, z]| (x, y, z));
        let config = LaunchConfig { grid_dim: grid, block_dim: block, shared_mem_bytes: 0 };
        // SAFETY: the arguments are those of the kernel of this name, and it stays within tensors of the sizes that it is told; the tests
        // run the same calls on the emulated card, which watches both.
        #[allow(unsafe_code, reason = "launching a kernel")]
        unsafe { builder.launch(config) }.map_err(candle_core::Error::wrap)?;
        Ok(())
    }
}
