//! Weights files: PyTorch's `.pth` (a zip of a pickle and raw storages) and safetensors, memory-mapped.
//!
//! [`Checkpoint::open`] reads the table of contents alone; tensors stay in the file until asked for, one at a time, so a model
//! larger than memory can be read layer by layer. No code in a file is ever run (`pickle.rs`), and every size is checked against
//! the file before it is used.
//!
//! [`verify`](verify()) compares a file's tensors with those a model expects and lists by name what is missing, extra or
//! misshapen; [`convert`](convert()) writes a `.pth` as safetensors once.

mod backend;
mod convert;
mod pickle;
#[cfg(test)]
mod tests;
mod verify;
mod zip;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs::File;
use std::ops::Range;
use std::path::{Path, PathBuf};

use candle_core::{DType, Device, Tensor};
use memmap2::Mmap;
#[cfg(unix)]
use memmap2::UncheckedAdvice;

use super::{KFoldError, Result};

pub use backend::Usage;
pub use convert::convert;
pub use verify::{Expected, ExpectedTensor, Misshapen, Report, verify};

/// Opens a weights file; see [`Checkpoint::open`].
///
/// # Errors
/// See [`Checkpoint::open`].
pub fn open(path: &Path) -> Result<Checkpoint> {
    Checkpoint::open(path)
}

/// What a file's tensors are made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ElementType {
    /// Truth values, a byte each.
    Bool,
    /// Unsigned bytes.
    U8,
    /// Signed bytes.
    I8,
    /// Signed, 2 bytes.
    I16,
    /// Signed, 4 bytes.
    I32,
    /// Signed, 8 bytes.
    I64,
    /// IEEE half precision.
    F16,
    /// The upper half of a single precision number.
    BF16,
    /// Single precision.
    F32,
    /// Double precision.
    F64,
}

impl ElementType {
    /// Bytes of an element.
    #[must_use]
    pub const fn size(self) -> usize {
        match self {
            Self::Bool | Self::U8 | Self::I8 => 1,
            Self::I16 | Self::F16 | Self::BF16 => 2,
            Self::I32 | Self::F32 => 4,
            Self::I64 | Self::F64 => 8,
        }
    }

    /// Its name in safetensors.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bool => "BOOL",
            Self::U8 => "U8",
            Self::I8 => "I8",
            Self::I16 => "I16",
            Self::I32 => "I32",
            Self::I64 => "I64",
            Self::F16 => "F16",
            Self::BF16 => "BF16",
            Self::F32 => "F32",
            Self::F64 => "F64",
        }
    }

    fn from_safetensors(dtype: safetensors::Dtype) -> Option<Self> {
        Some(match dtype {
            safetensors::Dtype::BOOL => Self::Bool,
            safetensors::Dtype::U8 => Self::U8,
            safetensors::Dtype::I8 => Self::I8,
            safetensors::Dtype::I16 => Self::I16,
            safetensors::Dtype::I32 => Self::I32,
            safetensors::Dtype::I64 => Self::I64,
            safetensors::Dtype::F16 => Self::F16,
            safetensors::Dtype::BF16 => Self::BF16,
            safetensors::Dtype::F32 => Self::F32,
            safetensors::Dtype::F64 => Self::F64,
            _ => return None,
        })
    }
}

/// The file formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// PyTorch's zip of a pickle and raw storages.
    Pth,
    /// Safetensors.
    Safetensors,
}

/// Where a tensor's elements are in the file.
#[derive(Clone, Debug)]
struct Entry {
    element: ElementType,
    shape: Vec<usize>,
    /// The bytes of the elements, or of all that the strides can reach.
    bytes: Range<usize>,
    /// Steps in elements, where the elements do not follow each other.
    strides: Option<Vec<usize>>,
}

/// A weights file, opened.
#[derive(Debug)]
pub struct Checkpoint {
    path: PathBuf,
    format: Format,
    map: Mmap,
    tensors: BTreeMap<String, Entry>,
}

impl Checkpoint {
    /// Opens a `.pth` or safetensors file, told apart by their first bytes, and reads its table of contents.
    ///
    /// # Errors
    /// When the file cannot be read, is damaged, holds anything but a flat table of tensors, or asks for code to be run.
    pub fn open(path: &Path) -> Result<Self> {
        let file = File::open(path).map_err(|source| KFoldError::io(path, source))?;
        // SAFETY: a map of a file that somebody changes while we read may show the change. Weights are only ever replaced by
        // renaming; numbers that change under us give wrong numbers, and no length is read twice from the map.
        #[allow(unsafe_code)]
        let map = unsafe { Mmap::map(&file) }.map_err(|source| KFoldError::io(path, source))?;
        let (format, tensors) = if map.starts_with(b"PK\x03\x04") {
            (Format::Pth, read_pth(&map))
        } else if map.starts_with(b"\x80\x02") {
            (Format::Pth, Err("it is PyTorch's old format from before 1.6; save it again with a newer one".to_owned()))
        } else {
            (Format::Safetensors, read_safetensors(&map))
        };
        let tensors = tensors.map_err(|reason| KFoldError::checkpoint(path, reason))?;
        Ok(Self { path: path.to_owned(), format, map, tensors })
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its format.
    #[must_use]
    pub fn format(&self) -> Format {
        self.format
    }

    /// The names of its tensors, sorted.
    pub fn names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.tensors.keys().map(String::as_str)
    }

    /// Element type and shape of a tensor.
    #[must_use]
    pub fn describe(&self, name: &str) -> Option<(ElementType, &[usize])> {
        self.tensors.get(name).map(|entry| (entry.element, entry.shape.as_slice()))
    }

    /// Bytes of all tensors together.
    #[must_use]
    pub fn tensor_bytes(&self) -> u64 {
        self.tensors.values().map(|entry| (elements(&entry.shape) * entry.element.size()) as u64).sum()
    }

    /// Holds the content against the checksums in the file itself: a `.pth` has a CRC-32 of each tensor's storage, which PyTorch
    /// can be told to leave out; safetensors has none. Whether there were any. `progress` hears the bytes read and in all and
    /// answers whether to go on.
    ///
    /// # Errors
    /// When the content is damaged, or `progress` said no.
    pub fn check_content(&self, progress: &mut dyn FnMut(u64, u64) -> bool) -> Result<bool> {
        /// Bytes between two reports.
        const CHUNK: usize = 8 << 20;
        if self.format == Format::Safetensors {
            return Ok(false);
        }
        let entries = zip::entries(&self.map).map_err(|reason| KFoldError::checkpoint(&self.path, reason))?;
        let mut entries: Vec<_> = entries.into_iter().filter(|(_, entry)| !entry.bytes.is_empty()).collect();
        entries.sort_by_key(|(_, entry)| entry.bytes.start);
        let total: u64 = entries.iter().map(|(_, entry)| entry.bytes.len() as u64).sum();
        if total > self.map.len() as u64 {
            return Err(KFoldError::checkpoint(&self.path, "entries of the zip directory share their bytes"));
        }
        let (mut done, mut right, mut wrong) = (0, 0_usize, Vec::new());
        for (name, entry) in entries {
            let mut crc = flate2::Crc::new();
            for start in entry.bytes.clone().step_by(CHUNK) {
                let chunk = start..entry.bytes.end.min(start + CHUNK);
                crc.update(&self.map[chunk.clone()]);
                done += chunk.len() as u64;
                if !progress(done, total) {
                    return Err(KFoldError::Cancelled);
                }
                self.release(chunk);
            }
            if crc.sum() == entry.crc { right += 1 } else { wrong.push(name) }
        }
        match wrong.first() {
            None => Ok(right > 0),
            // Not one fits: they were left out.
            Some(_) if right == 0 => Ok(false),
            Some(name) => {
                let reason =
                    format!("{name} and {} others in it are damaged; download or copy it again", wrong.len() - 1);
                Err(KFoldError::checkpoint(&self.path, reason))
            }
        }
    }

    /// A tensor's elements in row-major order, little-endian: of the file itself where they lie that way.
    ///
    /// # Errors
    /// When there is no such tensor.
    pub fn bytes(&self, name: &str) -> Result<Cow<'_, [u8]>> {
        let entry = self.entry(name)?;
        let bytes = &self.map[entry.bytes.clone()];
        Ok(match &entry.strides {
            None => Cow::Borrowed(bytes),
            Some(strides) => Cow::Owned(gather(bytes, &entry.shape, strides, entry.element.size())),
        })
    }

    /// A tensor as it is stored (truth values as `u8`, signed bytes as `i16`).
    ///
    /// # Errors
    /// When there is no such tensor or the device has no room.
    pub fn tensor(&self, name: &str, device: &Device) -> Result<Tensor> {
        let entry = self.entry(name)?;
        let bytes = self.bytes(name)?;
        let dtype = match entry.element {
            ElementType::Bool | ElementType::U8 => DType::U8,
            ElementType::I8 => {
                let values: Vec<i16> = bytes.iter().map(|&byte| i16::from(byte.cast_signed())).collect();
                return Ok(Tensor::from_vec(values, entry.shape.as_slice(), device)?);
            }
            ElementType::I16 => DType::I16,
            ElementType::I32 => DType::I32,
            ElementType::I64 => DType::I64,
            ElementType::F16 => DType::F16,
            ElementType::BF16 => DType::BF16,
            ElementType::F32 => DType::F32,
            ElementType::F64 => DType::F64,
        };
        let tensor = Tensor::from_raw_buffer(&bytes, dtype, &entry.shape, device)?;
        self.release(entry.bytes.clone());
        Ok(tensor)
    }

    /// Lets go of a part of the file that was just copied. Its pages would count as this process's memory, and after all
    /// layers of a model that would be the whole file.
    #[cfg_attr(not(unix), allow(clippy::unused_self, unused_variables))]
    fn release(&self, bytes: Range<usize>) {
        /// Smaller parts share their pages with others that are about to be read.
        const WORTHWHILE: usize = 1 << 20;
        #[cfg(unix)]
        if bytes.len() >= WORTHWHILE {
            // SAFETY: the map is of a file and only read, so pages that were dropped are read from the file again.
            #[allow(unsafe_code)]
            let advice =
                unsafe { self.map.unchecked_advise_range(UncheckedAdvice::DontNeed, bytes.start, bytes.len()) };
            // Where the system does not take the advice nothing is lost but memory.
            let _ = advice;
        }
    }

    fn entry(&self, name: &str) -> Result<&Entry> {
        self.tensors
            .get(name)
            .ok_or_else(|| KFoldError::checkpoint(&self.path, format!("the tensor {name} is not in it")))
    }
}

/// The product of a checked shape.
fn elements(shape: &[usize]) -> usize {
    shape.iter().product()
}

/// The tensors of a `.pth`.
fn read_pth(file: &[u8]) -> std::result::Result<BTreeMap<String, Entry>, String> {
    let entries = zip::entries(file)?;
    // All entries lie in one folder, which has the name the file once had.
    let mut pickles = entries.keys().filter_map(|name| name.strip_suffix("/data.pkl"));
    let folder = match (pickles.next(), pickles.next()) {
        (Some(folder), None) if !folder.contains('/') => folder.to_owned(),
        _ => return Err("it is a zip archive, but not of weights: it has no table of contents (data.pkl)".to_owned()),
    };
    let contents = |name: &str| entries.get(&format!("{folder}/{name}")).map(|entry| &file[entry.bytes.clone()]);
    if contents("byteorder").is_some_and(|order| order != b"little") {
        return Err("its numbers are big-endian; save it again on an ordinary machine".to_owned());
    }
    let mut tensors = BTreeMap::new();
    for (name, tensor) in pickle::read_state_dict(contents("data.pkl").unwrap_or_default())? {
        let storage = entries
            .get(&format!("{folder}/data/{}", tensor.storage))
            .map(|entry| &entry.bytes)
            .ok_or_else(|| format!("the numbers of {name} (data/{}) are not in it", tensor.storage))?;
        let entry = place(&tensor, storage).ok_or_else(|| {
            format!(
                "the tensor {name} of shape {:?} does not fit its {} bytes of numbers (data/{})",
                tensor.shape,
                storage.len(),
                tensor.storage
            )
        })?;
        if tensors.insert(name.clone(), entry).is_some() {
            return Err(format!("the tensor {name} is there twice"));
        }
    }
    Ok(tensors)
}

/// Where the elements of a pickled tensor are, if all of them lie within its storage and none is used twice.
fn place(tensor: &pickle::PickledTensor, storage: &Range<usize>) -> Option<Entry> {
    let size = tensor.element.size();
    let available = storage.len() / size;
    if tensor.storage_length > available {
        return None;
    }
    let count = tensor.shape.iter().try_fold(1usize, |count, &dim| count.checked_mul(dim))?;
    let entry = |first: usize, span: usize, strides| {
        let start = storage.start + first * size;
        Entry { element: tensor.element, shape: tensor.shape.clone(), bytes: start..start + span * size, strides }
    };
    if count == 0 {
        return Some(entry(0, 0, None));
    }
    // One past the last element reached.
    let mut last = tensor.offset;
    for (&dim, &stride) in tensor.shape.iter().zip(&tensor.strides) {
        last = last.checked_add((dim - 1).checked_mul(stride)?)?;
    }
    let end = last.checked_add(1).filter(|&end| end <= tensor.storage_length)?;
    // More elements than places: an expanded tensor, which would blow up in memory.
    let span = end - tensor.offset;
    if count > span {
        return None;
    }
    let mut expected = 1;
    let mut contiguous = true;
    for (&dim, &stride) in tensor.shape.iter().zip(&tensor.strides).rev() {
        contiguous &= dim == 1 || stride == expected;
        expected *= dim;
    }
    Some(entry(tensor.offset, span, (!contiguous).then(|| tensor.strides.clone())))
}

/// The elements of a strided view in row-major order.
fn gather(bytes: &[u8], shape: &[usize], strides: &[usize], size: usize) -> Vec<u8> {
    let mut gathered = Vec::with_capacity(elements(shape) * size);
    let mut index = vec![0; shape.len()];
    for _ in 0..elements(shape) {
        let at: usize = index.iter().zip(strides).map(|(&index, &stride)| index * stride).sum();
        gathered.extend_from_slice(&bytes[at * size..(at + 1) * size]);
        for (index, &dim) in index.iter_mut().zip(shape).rev() {
            *index += 1;
            if *index < dim {
                break;
            }
            *index = 0;
        }
    }
    gathered
}

/// The tensors of a safetensors file. The crate checks that they fill the file without gaps or overlaps.
fn read_safetensors(file: &[u8]) -> std::result::Result<BTreeMap<String, Entry>, String> {
    let (header, metadata) = safetensors::SafeTensors::read_metadata(file)
        .map_err(|error| format!("it is neither a PyTorch zip nor a whole safetensors file ({error})"))?;
    let start = header + 8;
    let mut tensors = BTreeMap::new();
    for (name, info) in metadata.tensors() {
        let element = ElementType::from_safetensors(info.dtype).ok_or_else(|| {
            format!("the tensor {name} has elements of type {:?}, which no model here uses", info.dtype)
        })?;
        let (first, last) = info.data_offsets;
        let bytes = first.checked_add(start).zip(last.checked_add(start)).map(|(first, last)| first..last);
        let bytes = bytes
            .filter(|bytes| bytes.end <= file.len())
            .ok_or_else(|| format!("the tensor {name} lies beyond the end of the file: it is incomplete"))?;
        tensors.insert(name, Entry { element, shape: info.shape.clone(), bytes, strides: None });
    }
    Ok(tensors)
}
