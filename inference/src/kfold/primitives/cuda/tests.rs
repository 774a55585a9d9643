//! The kernels, called as a card is but emulated, against the compositions: on sizes that fill no tile evenly, one token, heads of every
//! width in use, masks without a key.

use std::collections::HashMap;

use candle_core::{DType, Device, Tensor};
use candle_nn::VarBuilder;

use super::attention::{Windows, attention, gated_attention, gated_window_attention};
use crate::kfold::noise::{Noise, SeededNoise};
use crate::kfold::primitives::activation::sigmoid;
use crate::kfold::primitives::{
    Transition, TriangleAttention, TriangleMultiplication, scaled_dot_product_attention, triangle_attention,
    triangle_multiplication,
};

/// Largest difference over largest magnitude where both compute in f32.
const F32_BAR: f64 = 1e-5;
/// The same where what is multiplied is rounded to bf16 (8 bits): weights, operands and products.
const BF16_BAR: f64 = 2e-2;

fn bar(dtype: DType) -> f64 {
    if dtype == DType::BF16 { BF16_BAR } else { F32_BAR }
}

/// Weights made up as they are asked for: norms in f32, matrices of `dtype`.
fn weights(dtype: DType, shapes: &[(&str, &[usize])]) -> VarBuilder<'static> {
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
    VarBuilder::from_tensors(tensors, dtype, &Device::Cpu)
}

#[track_caller]
fn assert_close(kernel: &Tensor, composed: &Tensor, bar: f64, what: &str) {
    let values = |x: &Tensor| x.to_dtype(DType::F32).unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap();
    assert_eq!(kernel.dims(), composed.dims(), "{what}");
    let (kernel, composed) = (values(kernel), values(composed));
    let largest = composed.iter().fold(0f32, |most, value| most.max(value.abs()));
    let (mut worst, mut place) = (0.0, 0);
    for (index, (a, b)) in kernel.iter().zip(&composed).enumerate() {
        let difference = f64::from((a - b).abs() / largest);
        assert!(!difference.is_nan(), "{what}: {a} and {b} at {index}");
        if difference > worst {
            (worst, place) = (difference, index);
        }
    }
    assert!(worst <= bar, "{what}: off by {worst:.1e} at {place}, {} and {}", kernel[place], composed[place]);
}

/// No mask, some pairs missing, all missing.
fn pair_masks(nodes: usize) -> [Option<Tensor>; 3] {
    let some = SeededNoise::new(5).dropout_keep(&[1, nodes, nodes], 0.2).unwrap();
    let none = some.zeros_like().unwrap();
    [None, Some(some), Some(none)]
}

#[test]
fn triangle_multiplication_equals_the_composition() {
    for (dtype, nodes, channels) in
        [(DType::F32, 1, 4), (DType::F32, 33, 72), (DType::F32, 20, 256), (DType::BF16, 5, 24), (DType::BF16, 33, 64)]
    {
        let c = channels;
        let shapes: [(&str, &[usize]); 8] = [
            ("layernorm_in.weight", &[c]),
            ("layernorm_in.bias", &[c]),
            ("linear_p_in.weight", &[2 * c, c]),
            ("linear_g_in.weight", &[2 * c, c]),
            ("layernorm_out.weight", &[c]),
            ("layernorm_out.bias", &[c]),
            ("linear_p_out.weight", &[c, c]),
            ("linear_g_out.weight", &[c, c]),
        ];
        let z = SeededNoise::new(7).randn(&[1, nodes, nodes, channels]).unwrap();
        for direction in [triangle_multiplication::Direction::Outgoing, triangle_multiplication::Direction::Incoming] {
            let layer = TriangleMultiplication::load(weights(dtype, &shapes), channels, direction).unwrap();
            let reference = TriangleMultiplication::load(weights(DType::F32, &shapes), channels, direction).unwrap();
            for mask in pair_masks(nodes) {
                let kernel = z.copy().unwrap();
                assert!(layer.add_on_card(&kernel, mask.as_ref()).unwrap());
                let composed = (&z + reference.forward(&z, mask.as_ref()).unwrap()).unwrap();
                let what = format!("{direction:?}, {nodes} nodes, {channels} channels, {dtype:?}");
                assert_close(&kernel, &composed, bar(dtype), &what);
            }
        }
    }
}

#[test]
fn triangle_attention_equals_the_composition() {
    for (dtype, nodes, channels, heads) in [
        (DType::F32, 1, 4, 2),
        (DType::F32, 33, 64, 4),
        (DType::F32, 5, 48, 2),
        (DType::BF16, 1, 32, 2),
        (DType::BF16, 17, 64, 4),
        (DType::BF16, 5, 40, 2),
    ] {
        let square: &[usize] = &[channels, channels];
        let shapes: [(&str, &[usize]); 8] = [
            ("layer_norm.weight", &[channels]),
            ("layer_norm.bias", &[channels]),
            ("linear.weight", &[heads, channels]),
            ("mha.linear_q.weight", square),
            ("mha.linear_k.weight", square),
            ("mha.linear_v.weight", square),
            ("mha.linear_g.weight", square),
            ("mha.linear_o.weight", square),
        ];
        let z = SeededNoise::new(7).randn(&[1, nodes, nodes, channels]).unwrap();
        for direction in [triangle_attention::Direction::Starting, triangle_attention::Direction::Ending] {
            let layer = TriangleAttention::load(weights(dtype, &shapes), channels, heads, direction).unwrap();
            let reference = TriangleAttention::load(weights(DType::F32, &shapes), channels, heads, direction).unwrap();
            for mask in pair_masks(nodes) {
                let kernel = z.copy().unwrap();
                assert!(layer.add_on_card(&kernel, mask.as_ref()).unwrap());
                let composed = (&z + reference.forward(&z, mask.as_ref()).unwrap()).unwrap();
                let what = format!("{direction:?}, {nodes} nodes, {heads} heads of {}, {dtype:?}", channels / heads);
                assert_close(&kernel, &composed, bar(dtype), &what);
            }
        }
    }
}

#[test]
fn transition_equals_the_composition() {
    for (dtype, rows, channels, expansion) in [(DType::F32, 1, 4, 2), (DType::F32, 33, 72, 4), (DType::BF16, 37, 64, 4)]
    {
        let shapes: [(&str, &[usize]); 4] = [
            ("layernorm.weight", &[channels]),
            ("layernorm.bias", &[channels]),
            ("swiglu.linear.weight", &[2 * channels * expansion, channels]),
            ("linear_out.weight", &[channels, channels * expansion]),
        ];
        let layer = Transition::load(weights(dtype, &shapes), channels, expansion).unwrap();
        let reference = Transition::load(weights(DType::F32, &shapes), channels, expansion).unwrap();
        let x = SeededNoise::new(9).randn(&[rows, channels]).unwrap();
        let kernel = x.copy().unwrap();
        assert!(layer.add_on_card(&kernel).unwrap());
        let composed = (&x + reference.forward(&x).unwrap()).unwrap();
        assert_close(&kernel, &composed, bar(dtype), &format!("{rows} rows, {channels} channels, {dtype:?}"));
    }
}

/// Heads side by side [.., L, H·D] as [.., H, L, D].
fn split(x: &Tensor, heads: usize) -> Tensor {
    let (batch, length, channel) = x.dims3().unwrap();
    x.reshape((batch, length, heads, channel / heads)).unwrap().transpose(1, 2).unwrap().contiguous().unwrap()
}

/// sigmoid(gate) · attended from [batch, L, C] each, composed in f32; `mask` [batch, 1, 1, K] is 1 where a key counts.
fn composed([q, k, v, gate]: [&Tensor; 4], bias: &Tensor, mask: &Tensor, heads: usize) -> Tensor {
    let (batch, length, channel) = q.dims3().unwrap();
    let masked = mask.to_dtype(DType::F32).unwrap().affine(1e9, -1e9).unwrap();
    let bias = bias.broadcast_add(&masked).unwrap();
    let scale = 1.0 / ((channel / heads) as f64).sqrt();
    let out = scaled_dot_product_attention(&split(q, heads), &split(k, heads), &split(v, heads), Some(&bias), scale);
    let out = out.unwrap().transpose(1, 2).unwrap().contiguous().unwrap().reshape((batch, length, channel)).unwrap();
    (out * sigmoid(gate).unwrap()).unwrap()
}

#[test]
fn attention_of_tokens_equals_the_composition() {
    // Full, light and tiny models, the confidence head (24), AtlasFold (48).
    for (dtype, batch, length, heads, width) in [
        (DType::F32, 2, 70, 2, 64),
        (DType::F32, 1, 33, 2, 24),
        (DType::F32, 1, 1, 1, 4),
        (DType::F32, 1, 65, 1, 48),
        (DType::BF16, 2, 70, 1, 64),
        (DType::BF16, 1, 130, 1, 24),
        (DType::BF16, 1, 33, 2, 48),
        (DType::BF16, 1, 1, 1, 8),
        (DType::BF16, 2, 20, 1, 6),
    ] {
        let channel = heads * width;
        let mut noise = SeededNoise::new(11);
        let projections = (noise.randn(&[batch, length, 4 * channel]).unwrap() * 1.5).unwrap().to_dtype(dtype).unwrap();
        let wide = projections.to_dtype(DType::F32).unwrap();
        let part = |index: usize| wide.narrow(2, index * channel, channel).unwrap().contiguous().unwrap();
        let some = noise.dropout_keep(&[batch, length], 0.3).unwrap().to_dtype(DType::U8).unwrap();
        for biases in [1, batch] {
            let bias = (noise.randn(&[biases, heads, length, length]).unwrap() * 2.0).unwrap();
            for mask in [&some, &some.zeros_like().unwrap()] {
                let kernel = gated_attention(&projections, &bias, mask, heads).unwrap().unwrap();
                let each = mask.reshape((batch, 1, 1, length)).unwrap();
                let expected = composed([&part(0), &part(1), &part(2), &part(3)], &bias, &each, heads);
                let what = format!("{batch} x {length} tokens, {heads} heads of {width}, {biases} biases, {dtype:?}");
                // Only the kernel's own rounding: of weights and results.
                assert_close(&kernel, &expected, if dtype == DType::BF16 { 8e-3 } else { F32_BAR }, &what);
            }
        }
    }
}

#[test]
fn attention_in_windows_equals_the_composition() {
    for (dtype, samples, count, heads, width) in
        [(DType::F32, 2, 3, 2, 32), (DType::F32, 1, 1, 1, 4), (DType::BF16, 1, 3, 1, 32), (DType::BF16, 1, 1, 2, 48)]
    {
        let (windows, channel) = (Windows { queries: 32, keys: 128, before: 48 }, heads * width);
        let atoms = count * windows.queries;
        let mut noise = SeededNoise::new(13);
        let mut random = |dims: &[usize]| noise.randn(dims).unwrap();
        let qg = random(&[samples, atoms, 2 * channel]).to_dtype(dtype).unwrap();
        let kv = random(&[samples, atoms, 2 * channel]).to_dtype(dtype).unwrap();
        let bias = random(&[count, heads, windows.queries, windows.keys]);
        // The last atoms are padding.
        let mask: Vec<u8> = (0..atoms).map(|atom| u8::from(atom + 5 < atoms)).collect();
        let mask = Tensor::from_vec(mask, atoms, &Device::Cpu).unwrap();
        let kernel = gated_window_attention(&qg, &kv, &bias, &mask, windows).unwrap().unwrap();

        // Window by window over the keys that exist.
        let part = |x: &Tensor, index: usize, first: usize, rows: usize| {
            let x = x.to_dtype(DType::F32).unwrap().narrow(1, first, rows).unwrap();
            x.narrow(2, index * channel, channel).unwrap().contiguous().unwrap()
        };
        let mut expected = Vec::new();
        for window in 0..count {
            let first = window * windows.queries;
            let start = first.saturating_sub(windows.before);
            let end = (first + windows.keys - windows.before).min(atoms);
            let skipped = start + windows.before - first;
            let bias = bias.narrow(0, window, 1).unwrap().narrow(3, skipped, end - start).unwrap();
            let mask = mask.narrow(0, start, end - start).unwrap().reshape((1, 1, 1, end - start)).unwrap();
            let (q, gate) = (part(&qg, 0, first, windows.queries), part(&qg, 1, first, windows.queries));
            let (k, v) = (part(&kv, 0, start, end - start), part(&kv, 1, start, end - start));
            expected.push(composed([&q, &k, &v, &gate], &bias, &mask, heads));
        }
        let expected = Tensor::cat(&expected, 1).unwrap();
        let what = format!("{samples} x {count} windows, {heads} heads of {width}, {dtype:?}");
        assert_close(&kernel, &expected, if dtype == DType::BF16 { 8e-3 } else { F32_BAR }, &what);
    }
}

#[test]
fn attention_of_language_models_equals_the_composition() {
    for (dtype, heads, length, width) in [(DType::F32, 2, 40, 64), (DType::BF16, 2, 70, 64), (DType::BF16, 1, 5, 32)] {
        let mut noise = SeededNoise::new(17);
        let mut random = || noise.randn(&[1, heads, length, width]).unwrap().to_dtype(dtype).unwrap();
        let (q, k, v) = (random(), random(), random());
        // Two chains, of which neither sees the other.
        let chain = |position: usize| usize::from(position * 3 >= length);
        let bias = (0..length * length)
            .map(|pair| if chain(pair / length) == chain(pair % length) { 0.0 } else { f32::NEG_INFINITY });
        let bias = Tensor::from_vec(bias.collect::<Vec<f32>>(), (length, length), &Device::Cpu).unwrap();
        let scale = 0.125;
        let kernel = attention([&q, &k, &v], &bias, scale).unwrap().unwrap();
        let [q, k, v] = [q, k, v].map(|x| x.to_dtype(DType::F32).unwrap());
        let expected = scaled_dot_product_attention(&q, &k, &v, Some(&bias), scale).unwrap();
        let what = format!("{length} positions, {heads} heads of {width}, {dtype:?}");
        assert_close(&kernel, &expected, if dtype == DType::BF16 { 8e-3 } else { F32_BAR }, &what);
    }
}
