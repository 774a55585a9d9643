//! The trunk's stack over the pair state (K-Fold 1.0.0, modules/tri_stack.py): triangle multiplications and a transition, no
//! attention. The pair state is not masked between blocks: padded pairs hold numbers, which no real pair ever reads.

use candle_core::Tensor;
use candle_nn::VarBuilder;

use crate::kfold::Result;
use crate::kfold::primitives::Transition;
use crate::kfold::primitives::cpu::pair::Workspace;
use crate::kfold::primitives::triangle_multiplication::{Direction, TriangleMultiplication};

/// Widening of the transition.
const EXPANSION: usize = 4;

/// Triangle multiplication by outgoing and by incoming edges, and a transition, each added to the pair state.
#[derive(Clone, Debug)]
pub struct TriangularBlock {
    tri_mul_out: TriangleMultiplication,
    tri_mul_in: TriangleMultiplication,
    transition_z: Transition,
}

impl TriangularBlock {
    /// Loads `tri_mul_out`, `tri_mul_in` and `transition_z`.
    ///
    /// # Errors
    /// When a tensor is missing or misshapen.
    pub fn load(vb: VarBuilder<'_>, channel_z: usize) -> Result<Self> {
        Ok(Self {
            tri_mul_out: TriangleMultiplication::load(vb.pp("tri_mul_out"), channel_z, Direction::Outgoing)?,
            tri_mul_in: TriangleMultiplication::load(vb.pp("tri_mul_in"), channel_z, Direction::Incoming)?,
            transition_z: Transition::load(vb.pp("transition_z"), channel_z, EXPANSION)?,
        })
    }

    /// `z` [B, N, N, c_z] after the block; `pair_mask` [B, N, N] is 0 where a pair must not count.
    ///
    /// # Errors
    /// When the shapes do not fit.
    pub fn forward(&self, z: &Tensor, pair_mask: &Tensor) -> Result<Tensor> {
        self.update(z.copy()?, pair_mask, &Workspace::default())
    }

    /// [`Self::forward`] in the memory of `z`, which nobody else may hold.
    fn update(&self, z: Tensor, pair_mask: &Tensor, workspace: &Workspace) -> Result<Tensor> {
        let z = self.tri_mul_out.add_in_place(z, Some(pair_mask), workspace)?;
        let z = self.tri_mul_in.add_in_place(z, Some(pair_mask), workspace)?;
        self.transition_z.add_in_place(z)
    }
}

/// Blocks one after the other.
#[derive(Clone, Debug)]
pub struct TriangularStack {
    blocks: Vec<TriangularBlock>,
}

impl TriangularStack {
    /// Loads `blocks.N`.
    ///
    /// # Errors
    /// When a tensor is missing or misshapen.
    pub fn load(vb: VarBuilder<'_>, channel_z: usize, blocks: usize) -> Result<Self> {
        let blocks = (0..blocks).map(|block| TriangularBlock::load(vb.pp("blocks").pp(block), channel_z));
        Ok(Self { blocks: blocks.collect::<Result<_>>()? })
    }

    /// `z` [B, N, N, c_z] after all blocks; `pair_mask` [B, N, N] is 0 where a pair must not count.
    ///
    /// # Errors
    /// When the shapes do not fit.
    pub fn forward(&self, z: &Tensor, pair_mask: &Tensor) -> Result<Tensor> {
        self.update(z.copy()?, pair_mask)
    }

    /// [`Self::forward`] in the memory of `z`, which nobody else may hold.
    pub(crate) fn update(&self, z: Tensor, pair_mask: &Tensor) -> Result<Tensor> {
        let workspace = Workspace::default();
        self.blocks.iter().try_fold(z, |z, block| block.update(z, pair_mask, &workspace))
    }
}
