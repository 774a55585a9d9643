//! Windows of atoms for local attention (K-Fold 1.0.0, layers/folding/utils.py; AlphaFold 3, algorithm 7).
//!
//! Atoms attend in windows: in K-Fold 32 queries look at 128 keys, the window's own atoms in the middle, 48 before and 48
//! after. Where the keys would lie before the first atom or after the last they are zero and masked.

use candle_core::{DType, Tensor};

use crate::kfold::{KFoldError, Result};

/// Queries of K-Fold's windows.
const QUERIES: usize = 32;
/// Keys of K-Fold's windows.
const KEYS: usize = 128;

/// The windows of a number of atoms.
#[derive(Clone, Debug)]
pub struct AtomWindows {
    count: usize,
    queries: usize,
    keys: usize,
    mask: Vec<u8>,
    /// The same on the device.
    mask_tensor: Tensor,
}

impl AtomWindows {
    /// K-Fold's windows over the atoms of `mask` [N], which is 1 where the atom is real.
    ///
    /// # Errors
    /// When N is not a multiple of 32.
    pub fn new(mask: &Tensor) -> Result<Self> {
        Self::with_sizes(mask, QUERIES, KEYS)
    }

    /// Windows of `queries` atoms that look at `keys`, as many before as after, over the atoms of `mask` [N].
    ///
    /// # Errors
    /// When N is not a multiple of `queries`.
    pub fn with_sizes(mask: &Tensor, queries: usize, keys: usize) -> Result<Self> {
        let mask_tensor = mask.to_dtype(DType::U8)?;
        let mask = mask_tensor.to_vec1::<u8>()?;
        if queries == 0 || keys < queries || !mask.len().is_multiple_of(queries) {
            return Err(KFoldError::input(format!("{} atoms cannot be split into windows of {queries}", mask.len())));
        }
        Ok(Self { count: mask.len() / queries, queries, keys, mask, mask_tensor })
    }

    /// Number of windows.
    #[must_use]
    pub fn count(&self) -> usize {
        self.count
    }

    /// Keys before a window's first query.
    #[must_use]
    pub fn keys_before(&self) -> usize {
        (self.keys - self.queries) / 2
    }

    /// 1 where an atom is real [N].
    #[must_use]
    pub fn mask(&self) -> &[u8] {
        &self.mask
    }

    /// The same on the device of the mask.
    #[must_use]
    pub fn mask_tensor(&self) -> &Tensor {
        &self.mask_tensor
    }

    /// 1 where a window's key is a real atom [windows, keys].
    ///
    /// # Errors
    /// When the device has no room.
    pub fn key_mask(&self) -> Result<Tensor> {
        self.keys(&self.mask_tensor, 0)
    }

    /// Dimension `dim` of `x`, the atoms, as [windows, queries].
    ///
    /// # Errors
    /// When the dimension is not the number of atoms.
    pub fn queries(&self, x: &Tensor, dim: usize) -> Result<Tensor> {
        let mut dims = x.dims().to_vec();
        dims.splice(dim..=dim, [self.count, self.queries]);
        Ok(x.reshape(dims)?)
    }

    /// Dimension `dim` of `x`, the atoms, as [windows, keys], zero beyond either end.
    ///
    /// # Errors
    /// When the dimension is not the number of atoms.
    pub fn keys(&self, x: &Tensor, dim: usize) -> Result<Tensor> {
        let before = self.keys_before();
        let padded = x.pad_with_zeros(dim, before, self.keys - self.queries - before)?;
        let index: Vec<u32> = (0..self.count)
            .flat_map(|window| (0..self.keys).map(move |key| (window * self.queries + key) as u32))
            .collect();
        let index = Tensor::from_vec(index, self.count * self.keys, x.device())?;
        let mut dims = x.dims().to_vec();
        dims.splice(dim..=dim, [self.count, self.keys]);
        Ok(padded.contiguous()?.index_select(&index, dim)?.reshape(dims)?)
    }
}
