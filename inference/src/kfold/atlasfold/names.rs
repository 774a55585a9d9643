//! AtlasFold's parameters under the names that K-Fold's layers load.
//!
//! K-Fold's and AtlasFold's trunk layers are the same mathematics under different parameter names (K-Fold 1.0.0,
//! `model/primitives`, against AtlasFold 1.0.4, `network/primitives`). The layers are written once; a view of the
//! checkpoint translates the names they ask for. AtlasFold's triangle attention keeps query, key and value in one matrix,
//! of which the view gives a third.

use candle_core::{DType, Device, Shape, Tensor};
use candle_nn::VarBuilder;
use candle_nn::var_builder::SimpleBackend;

/// A layer whose names differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layer {
    TriangleMultiplication,
    TriangleAttention,
    Transition,
    /// Attention with pair bias, conditioned or not.
    PairBiasAttention,
    ConditionedTransition,
}

/// The parameters at `vb` under the names of K-Fold's `layer`.
pub(super) fn as_kfold(vb: VarBuilder<'_>, layer: Layer) -> VarBuilder<'_> {
    let (dtype, device) = (vb.dtype(), vb.device().clone());
    VarBuilder::from_backend(Box::new(Translated { vb, layer }), dtype, device)
}

struct Translated<'a> {
    vb: VarBuilder<'a>,
    layer: Layer,
}

/// Where a parameter is: its name, and, where it is one of several in a matrix, which rows.
#[derive(Debug, PartialEq, Eq)]
struct Place {
    name: String,
    /// Index of this part, number of parts.
    part: Option<(usize, usize)>,
}

impl Layer {
    fn place(self, name: &str) -> Place {
        let whole = |name: String| Place { name, part: None };
        let (stem, leaf) = name.rsplit_once('.').unwrap_or(("", name));
        let translated = match (self, stem) {
            (Self::TriangleMultiplication, "linear_p_in") => "linear_in",
            (Self::TriangleMultiplication, "linear_p_out") | (Self::TriangleAttention, "mha.linear_o") => "linear_out",
            (Self::TriangleAttention, "layer_norm") => "layernorm",
            (Self::TriangleAttention, "linear") => "linear_bias",
            (Self::TriangleAttention, "mha.linear_g") => "linear_g",
            (Self::TriangleAttention, "mha.linear_q") => return part(0, leaf),
            (Self::TriangleAttention, "mha.linear_k") => return part(1, leaf),
            (Self::TriangleAttention, "mha.linear_v") => return part(2, leaf),
            (Self::Transition, "layernorm") => "0",
            (Self::Transition, "swiglu.linear") => "1.linear",
            (Self::Transition, "linear_out") => "2",
            (Self::PairBiasAttention, "linear_q" | "linear_k" | "linear_v") => {
                return whole(format!("attn.{name}"));
            }
            (Self::PairBiasAttention, "linear_out") => "linear_o",
            (Self::PairBiasAttention | Self::ConditionedTransition, _) if stem.ends_with("layernorm_s") => {
                return whole(name.replace("layernorm_s.", "layernorm_cond."));
            }
            _ => return whole(name.to_owned()),
        };
        whole(format!("{translated}.{leaf}"))
    }
}

fn part(index: usize, leaf: &str) -> Place {
    Place { name: format!("linear_qkv.{leaf}"), part: Some((index, 3)) }
}

impl SimpleBackend for Translated<'_> {
    fn get(
        &self,
        shape: Shape,
        name: &str,
        hints: candle_nn::Init,
        dtype: DType,
        device: &Device,
    ) -> candle_core::Result<Tensor> {
        let place = self.layer.place(name);
        let Some((index, parts)) = place.part else {
            return self.vb.get_with_hints_dtype(shape, &place.name, hints, dtype)?.to_device(device);
        };
        let mut dims = shape.dims().to_vec();
        let rows = dims[0];
        dims[0] = rows * parts;
        let all = self.vb.get_with_hints_dtype(dims, &place.name, hints, dtype)?;
        all.narrow(0, index * rows, rows)?.contiguous()?.to_device(device)
    }

    fn get_unchecked(&self, name: &str, dtype: DType, device: &Device) -> candle_core::Result<Tensor> {
        let place = self.layer.place(name);
        let all = self.vb.get_unchecked_dtype(&place.name, dtype)?.to_device(device)?;
        match place.part {
            None => Ok(all),
            Some((index, parts)) => {
                let rows = all.dim(0)? / parts;
                all.narrow(0, index * rows, rows)?.contiguous()
            }
        }
    }

    fn contains_tensor(&self, name: &str) -> bool {
        self.vb.contains_tensor(&self.layer.place(name).name)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    #[test]
    fn names_are_translated() {
        let name = |layer: Layer, name: &str| layer.place(name).name;
        assert_eq!(name(Layer::TriangleMultiplication, "linear_p_in.weight"), "linear_in.weight");
        assert_eq!(name(Layer::TriangleMultiplication, "layernorm_in.bias"), "layernorm_in.bias");
        assert_eq!(name(Layer::Transition, "swiglu.linear.weight"), "1.linear.weight");
        assert_eq!(name(Layer::PairBiasAttention, "linear_q.bias"), "attn.linear_q.bias");
        assert_eq!(name(Layer::PairBiasAttention, "adaln_a_q.layernorm_s.weight"), "adaln_a_q.layernorm_cond.weight");
        assert_eq!(name(Layer::ConditionedTransition, "adaln.layernorm_s.weight"), "adaln.layernorm_cond.weight");
    }

    #[test]
    fn key_is_the_middle_third_of_the_joint_matrix() {
        let joint = Tensor::arange(0f32, 18.0, &Device::Cpu).unwrap().reshape((9, 2)).unwrap();
        let tensors = HashMap::from([("attention.linear_qkv.weight".to_owned(), joint)]);
        let vb = VarBuilder::from_tensors(tensors, DType::F32, &Device::Cpu);
        let vb = as_kfold(vb.pp("attention"), Layer::TriangleAttention);
        let key = vb.get((3, 2), "mha.linear_k.weight").unwrap();
        assert_eq!(key.to_vec2::<f32>().unwrap(), [[6.0, 7.0], [8.0, 9.0], [10.0, 11.0]]);
        assert!(vb.contains_tensor("mha.linear_v.weight"));
        assert!(vb.get((3, 3), "mha.linear_k.weight").is_err(), "a wrong shape is refused");
    }
}
