//! Embeddings of time and of relative positions (K-Fold 1.0.0, layers/folding/embeddings.py; AlphaFold 3, algorithms 3
//! and 22).

use candle_core::{D, DType, Device, Tensor};

use super::torch_random::TorchRandom;
use crate::kfold::Result;
use crate::kfold::input::{TokenTensors, one_hot};

/// Seed of the constants of [`FourierEmbedding`].
const FOURIER_SEED: u32 = 42;

/// cos(2π t w + b) with fixed random frequencies w and phases b, which are not in the checkpoint: see
/// [`super::torch_random`].
#[derive(Clone, Debug)]
pub struct FourierEmbedding {
    frequencies: Tensor,
    phases: Tensor,
}

impl FourierEmbedding {
    /// Draws the constants [channel].
    ///
    /// # Errors
    /// When the device has no room.
    pub fn new(channel: usize, device: &Device) -> Result<Self> {
        let mut random = TorchRandom::new(FOURIER_SEED);
        let frequencies = Tensor::from_vec(random.randn(channel), channel, device)?;
        let phases = Tensor::from_vec(random.randn(channel), channel, device)?;
        Ok(Self { frequencies, phases })
    }

    /// The frequencies [channel].
    #[must_use]
    pub fn frequencies(&self) -> &Tensor {
        &self.frequencies
    }

    /// The phases [channel].
    #[must_use]
    pub fn phases(&self) -> &Tensor {
        &self.phases
    }

    /// `t` [.., N] gives [.., N, channel].
    ///
    /// # Errors
    /// When the tensor operations fail.
    pub fn forward(&self, t: &Tensor) -> Result<Tensor> {
        let turns = t.affine(std::f64::consts::TAU, 0.0)?.unsqueeze(D::Minus1)?;
        Ok(turns.broadcast_mul(&self.frequencies)?.broadcast_add(&self.phases)?.cos()?)
    }
}

/// One-hot classes of the relative position of two tokens: residue offset, token offset within a residue, same entity,
/// copy offset. Its width is 4 (r_max + 1) + 2 (s_max + 1) + 1.
#[derive(Clone, Copy, Debug)]
pub struct RelativePositionEncoding {
    /// Largest offset of residues and tokens that is told apart.
    pub r_max: i64,
    /// Largest offset of copies that is told apart.
    pub s_max: i64,
}

impl RelativePositionEncoding {
    /// As everywhere in K-Fold.
    pub const KFOLD: Self = Self { r_max: 32, s_max: 2 };

    /// Channels of the encoding.
    #[must_use]
    pub fn dimension(&self) -> usize {
        (4 * (self.r_max + 1) + 2 * (self.s_max + 1) + 1) as usize
    }

    /// The encoding of all pairs: [N, N, dimension] f32.
    ///
    /// Copies are compared within the same entity, not the same chain as AlphaFold 3's text has it (its code does as here).
    ///
    /// # Errors
    /// When the tensor operations fail.
    pub fn forward(&self, token: &TokenTensors) -> Result<Tensor> {
        self.rows(token, 0, token.pad_mask.elem_count())
    }

    /// `count` rows of the encoding from row `first` on: [count, N, dimension] f32.
    ///
    /// # Errors
    /// When there are fewer rows.
    pub fn rows(&self, token: &TokenTensors, first: usize, count: usize) -> Result<Tensor> {
        let row = |x: &Tensor| x.narrow(0, first, count)?.unsqueeze(1);
        let same = |x: &Tensor| -> Result<Tensor> { Ok(row(x)?.broadcast_eq(&x.unsqueeze(0)?)?) };
        let same_chain = same(&token.asym_id)?;
        let same_residue = same_chain.mul(&same(&token.residue_index)?)?;
        let same_entity = same(&token.entity_id)?;
        let classes = |x: &Tensor, max: i64, mask: &Tensor| -> Result<Tensor> {
            let shift = Tensor::full(max, x.dims(), x.device())?;
            let offset = row(&(x + shift)?)?.broadcast_sub(&x.unsqueeze(0)?)?.clamp(0, 2 * max)?;
            let other = Tensor::full(2 * max + 1, offset.shape(), offset.device())?;
            one_hot(&mask.where_cond(&offset, &other)?, (2 * max + 2) as usize)
        };
        let encoding = [
            classes(&token.residue_index, self.r_max, &same_chain)?,
            classes(&token.token_index, self.r_max, &same_residue)?,
            same_entity.to_dtype(DType::F32)?.unsqueeze(2)?,
            classes(&token.sym_id, self.s_max, &same_entity)?,
        ];
        Ok(Tensor::cat(&encoding, 2)?)
    }
}
