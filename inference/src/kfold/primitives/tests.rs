//! The fused operations against the compositions, on sizes that fill no panel, group or piece evenly.

use std::collections::HashMap;

use candle_core::{DType, Device, Tensor};
use candle_nn::VarBuilder;

use super::*;
use crate::kfold::noise::{Noise, SeededNoise};

/// Weights made up as they are asked for.
fn weights(shapes: &[(&str, &[usize])]) -> VarBuilder<'static> {
    let mut noise = SeededNoise::new(3);
    let tensors: HashMap<String, Tensor> = shapes
        .iter()
        .map(|(name, shape)| {
            let random = noise.randn(shape).unwrap();
            let tensor = match shape {
                [_, width] => (random / (*width as f64).sqrt()).unwrap(),
                _ => (random * 0.2).unwrap().affine(1.0, if name.ends_with("weight") { 1.0 } else { 0.0 }).unwrap(),
            };
            ((*name).to_owned(), tensor)
        })
        .collect();
    VarBuilder::from_tensors(tensors, DType::F32, &Device::Cpu)
}

/// A pair state [B, N, N, C] and a mask [B, N, N] with some zeros.
fn pair_state(batch: usize, nodes: usize, channels: usize) -> (Tensor, Tensor) {
    let mut noise = SeededNoise::new(5);
    let z = noise.randn(&[batch, nodes, nodes, channels]).unwrap();
    (z, noise.dropout_keep(&[batch, nodes, nodes], 0.2).unwrap())
}

#[track_caller]
fn assert_close(fused: &Tensor, composed: &Tensor, what: &str) {
    let values = |x: &Tensor| x.flatten_all().unwrap().to_vec1::<f32>().unwrap();
    assert_eq!(fused.dims(), composed.dims(), "{what}");
    let (fused, composed) = (values(fused), values(composed));
    let largest = composed.iter().fold(0f32, |most, value| most.max(value.abs()));
    for (index, (a, b)) in fused.iter().zip(&composed).enumerate() {
        assert!((a - b).abs() <= 1e-5 * largest, "{what}: {a} and {b} at {index}, the largest being {largest}");
    }
}

#[test]
fn triangle_multiplication_fused_equals_composed() {
    for (batch, nodes, channels) in [(1, 1, 4), (2, 5, 20), (1, 33, 72), (1, 70, 13), (1, 64, 128)] {
        let c = channels;
        let vb = weights(&[
            ("layernorm_in.weight", &[c]),
            ("layernorm_in.bias", &[c]),
            ("linear_p_in.weight", &[2 * c, c]),
            ("linear_g_in.weight", &[2 * c, c]),
            ("layernorm_out.weight", &[c]),
            ("layernorm_out.bias", &[c]),
            ("linear_p_out.weight", &[c, c]),
            ("linear_g_out.weight", &[c, c]),
        ]);
        let (z, mask) = pair_state(batch, nodes, channels);
        for direction in [triangle_multiplication::Direction::Outgoing, triangle_multiplication::Direction::Incoming] {
            let layer = TriangleMultiplication::load(vb.clone(), channels, direction).unwrap();
            for mask in [None, Some(&mask)] {
                let composed = (&z + layer.forward(&z, mask).unwrap()).unwrap();
                let what = format!("{direction:?}, {nodes} nodes, {channels} channels, mask {}", mask.is_some());
                assert_close(&layer.add_to(&z, mask).unwrap(), &composed, &what);
            }
        }
    }
}

#[test]
fn triangle_attention_fused_equals_composed() {
    for (batch, nodes, channels, heads) in [(1, 1, 4, 2), (2, 5, 12, 4), (1, 33, 40, 2), (1, 70, 32, 16)] {
        let square: &[usize] = &[channels, channels];
        let vb = weights(&[
            ("layer_norm.weight", &[channels]),
            ("layer_norm.bias", &[channels]),
            ("linear.weight", &[heads, channels]),
            ("mha.linear_q.weight", square),
            ("mha.linear_k.weight", square),
            ("mha.linear_v.weight", square),
            ("mha.linear_g.weight", square),
            ("mha.linear_o.weight", square),
        ]);
        let (z, mask) = pair_state(batch, nodes, channels);
        for direction in [triangle_attention::Direction::Starting, triangle_attention::Direction::Ending] {
            let layer = TriangleAttention::load(vb.clone(), channels, heads, direction).unwrap();
            for mask in [None, Some(&mask)] {
                let composed = (&z + layer.forward(&z, mask).unwrap()).unwrap();
                let what = format!("{direction:?}, {nodes} nodes, {channels} channels, mask {}", mask.is_some());
                assert_close(&layer.add_to(&z, mask).unwrap(), &composed, &what);
            }
        }
    }
}

#[test]
fn transition_fused_equals_composed() {
    for (rows, channels, expansion) in [(1, 4, 2), (130, 20, 4), (257, 72, 4), (5, 300, 1)] {
        let vb = weights(&[
            ("layernorm.weight", &[channels]),
            ("layernorm.bias", &[channels]),
            ("swiglu.linear.weight", &[2 * channels * expansion, channels]),
            ("linear_out.weight", &[channels, channels * expansion]),
        ]);
        let layer = Transition::load(vb, channels, expansion).unwrap();
        let x = SeededNoise::new(9).randn(&[rows, channels]).unwrap();
        let composed = (&x + layer.forward(&x).unwrap()).unwrap();
        assert_close(&layer.add_to(&x).unwrap(), &composed, &format!("{rows} rows, {channels} channels"));
    }
}

#[test]
fn adding_leaves_the_input_as_it_was() {
    let vb = weights(&[
        ("layernorm.weight", &[4]),
        ("layernorm.bias", &[4]),
        ("swiglu.linear.weight", &[16, 4]),
        ("linear_out.weight", &[4, 8]),
    ]);
    let layer = Transition::load(vb, 4, 2).unwrap();
    let x = SeededNoise::new(9).randn(&[3, 4]).unwrap();
    let before = x.to_vec2::<f32>().unwrap();
    let after = layer.add_to(&x).unwrap();
    assert_eq!(x.to_vec2::<f32>().unwrap(), before);
    assert_ne!(after.to_vec2::<f32>().unwrap(), before);
}
