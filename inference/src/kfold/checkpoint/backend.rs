//! Checkpoints as candle's `VarBuilder`: tensors are read from the map when a module asks, and the names are noted.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use candle_core::{DType, Device, Shape, Tensor};
use candle_nn::VarBuilder;
use candle_nn::var_builder::SimpleBackend;

use super::verify::{Expected, ExpectedTensor};
use super::{Checkpoint, KFoldError, Result};

/// Which tensors of a checkpoint have been asked for.
#[derive(Clone, Debug, Default)]
pub struct Usage(Arc<Mutex<BTreeSet<String>>>);

impl Usage {
    /// Tensors of the checkpoint that nobody has asked for.
    #[must_use]
    pub fn unused(&self, checkpoint: &Checkpoint) -> Vec<String> {
        let asked = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        checkpoint.names().filter(|name| !asked.contains(*name)).map(str::to_owned).collect()
    }

    fn note(&self, name: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned());
    }
}

impl Checkpoint {
    /// A builder that reads tensors from this file, converts them to `dtype` and puts them on `device`.
    #[must_use]
    pub fn var_builder(self: &Arc<Self>, dtype: DType, device: &Device) -> VarBuilder<'static> {
        self.var_builder_with_usage(dtype, device).0
    }

    /// The same, and a note of the tensors asked for.
    #[must_use]
    pub fn var_builder_with_usage(self: &Arc<Self>, dtype: DType, device: &Device) -> (VarBuilder<'static>, Usage) {
        let usage = Usage::default();
        let backend = FileBackend { checkpoint: Arc::clone(self), usage: usage.clone() };
        (VarBuilder::from_backend(Box::new(backend), dtype, device.clone()), usage)
    }
}

struct FileBackend {
    checkpoint: Arc<Checkpoint>,
    usage: Usage,
}

impl FileBackend {
    fn load(&self, name: &str, dtype: DType, device: &Device) -> candle_core::Result<Tensor> {
        self.usage.note(name);
        // Converted on the processor: the device never holds both.
        let tensor = self.checkpoint.tensor(name, &Device::Cpu).map_err(candle_core::Error::wrap)?;
        tensor.to_dtype(dtype)?.to_device(device)
    }
}

impl SimpleBackend for FileBackend {
    fn get(
        &self,
        shape: Shape,
        name: &str,
        _init: candle_nn::Init,
        dtype: DType,
        device: &Device,
    ) -> candle_core::Result<Tensor> {
        if let Some((_, found)) = self.checkpoint.describe(name)
            && found != shape.dims()
        {
            let reason = format!("the tensor {name} has shape {found:?}, but the model needs {:?}", shape.dims());
            return Err(candle_core::Error::wrap(KFoldError::checkpoint(self.checkpoint.path(), reason)));
        }
        self.load(name, dtype, device)
    }

    fn get_unchecked(&self, name: &str, dtype: DType, device: &Device) -> candle_core::Result<Tensor> {
        self.load(name, dtype, device)
    }

    fn contains_tensor(&self, name: &str) -> bool {
        self.checkpoint.describe(name).is_some()
    }
}

impl Expected {
    /// The tensors that a module asks for when it is loaded: runs `load` on weights that are all zero and take no memory.
    ///
    /// # Errors
    /// When `load` fails for another reason than its weights.
    pub fn of<T>(load: impl FnOnce(VarBuilder<'static>) -> Result<T>) -> Result<Self> {
        let asked = Arc::new(Mutex::new(BTreeMap::new()));
        let backend = RecordingBackend { asked: Arc::clone(&asked) };
        load(VarBuilder::from_backend(Box::new(backend), DType::F32, Device::Cpu))?;
        let asked = std::mem::take(&mut *asked.lock().unwrap_or_else(PoisonError::into_inner));
        let tensors = asked.into_iter().map(|(name, shape)| ExpectedTensor { name, shape }).collect();
        Ok(Self { tensors, ..Self::default() })
    }
}

/// Answers every request with zeros of stride 0 and notes it.
struct RecordingBackend {
    asked: Arc<Mutex<BTreeMap<String, Vec<usize>>>>,
}

impl SimpleBackend for RecordingBackend {
    fn get(
        &self,
        shape: Shape,
        name: &str,
        _init: candle_nn::Init,
        dtype: DType,
        device: &Device,
    ) -> candle_core::Result<Tensor> {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.insert(name.to_owned(), shape.dims().to_vec());
        Tensor::zeros((), dtype, device)?.broadcast_as(shape)
    }

    fn get_unchecked(&self, name: &str, _dtype: DType, _device: &Device) -> candle_core::Result<Tensor> {
        candle_core::bail!("the shape of {name} is not known without the file")
    }

    /// What a module can do without is not expected.
    fn contains_tensor(&self, _name: &str) -> bool {
        false
    }
}
