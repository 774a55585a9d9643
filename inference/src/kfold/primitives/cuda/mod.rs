//! Fused operations on an NVIDIA card: kernels of our own where candle's composition is far from the card's limit.
//!
//! Why it is far, worked out for the published full model at 512 tokens (2¹⁸ pairs) on a card that moves 3.35 TB/s:
//!
//! - *Triangle multiplication*, 256 channels. The composition writes and reads 51 tensors of pairs x channels in f32 (norms, sigmoids,
//!   products, the mask, permutations into [C, N, N] and back, halves made contiguous): 204 bytes a number, 13.7 GB a layer, 4.1 ms, while
//!   its 275 GFLOP take the tensor cores half a millisecond. Here four kernels stand between the matrix products of cuBLAS: the norm writes
//!   what is multiplied, gate and mask write a and b as [C, N, N] so that the product over k runs on them as they lie, the product
//!   is turned back while it is normalised, and the gated result is added to the state where it is. In bf16 that is 58 bytes a number:
//!   3.9 GB, 1.2 ms.
//! - *Triangle attention*, 64 channels in 4 heads. Logits are heads x N³: 2.1 GB in f32, and bias with mask as much again; the
//!   composition moves about 17 GB a layer, 5 ms, of which queries, keys, values, gates and result are 0.2 GB. Here logits never leave
//!   the registers ([`attention`]).
//! - *Attention with pair bias* in the sampler, 16 heads, 5 samples: logits are samples x heads x N², 84 MB a block and step, moved six times
//!   by the composition: 0.5 GB against 26 MB of projections and 17 MB of biases. Windows of atoms: the composition also copies every
//!   atom's keys into the four windows that see it.
//! - *Language models*: the same logits, heads x L² in f32, six times; 36 heads at 1,024 positions are 0.9 GB a layer against 28 MB.
//! - *Transition*, 256 channels: 8 C hidden numbers a pair are written, halved, gated and read again: 38 tensors of pairs x channels in f32,
//!   152 bytes a number; here 2 (norm) and one gate in bf16, 64 bytes.
//!
//! Nothing here has been run on a card: there was none. The kernels compile for sm_80 and newer (`packaging/cuda.sh`), spill no
//! register, and the same sources are run by the tests on an emulated card ([`emulation`]), called exactly as a card is, and compared with the
//! compositions. How fast they are is not known.
//!
//! Sums, norms, softmax and the pair state are f32; what is multiplied has the type of the weights, f32 or bf16.

pub(crate) mod attention;
pub(crate) mod call;
#[cfg(test)]
mod emulation;
pub(crate) mod pair;
#[cfg(test)]
mod tests;

use candle_core::{DType, Tensor};

use super::Linear;
use crate::kfold::Result;

/// What kernels are named after their type of numbers; `None` for a type that they do not take.
fn type_name(dtype: DType) -> Option<&'static str> {
    match dtype {
        DType::F32 => Some("f32"),
        DType::BF16 => Some("bf16"),
        _ => None,
    }
}

/// The type of numbers of all these weights; `None` where they differ or the kernels do not take it.
fn common_type(weights: &[&Linear]) -> Option<DType> {
    let dtype = weights.first()?.weight().dtype();
    type_name(dtype)?;
    weights.iter().all(|linear| linear.weight().dtype() == dtype && linear.bias().is_none()).then_some(dtype)
}

/// x [rows, in] times the weight [out, in], in the type of both.
fn product(x: &Tensor, linear: &Linear) -> Result<Tensor> {
    Ok(x.matmul(&linear.weight().t()?)?)
}
