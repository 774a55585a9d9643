//! Goldens of the layers of the folding networks.

use std::collections::HashMap;

use candle_core::{DType, Tensor};
use candle_nn::VarBuilder;
use kfold_inference::kfold::input::TokenTensors;
use kfold_inference::kfold::layers::adaptive_layer_norm::AdaptiveLayerNorm;
use kfold_inference::kfold::layers::attention_pair_bias::{CrossAttentionPairBias, SelfAttentionPairBias};
use kfold_inference::kfold::layers::conditioned_transition::ConditionedTransition;
use kfold_inference::kfold::layers::diffusion_transformer::{GlobalTransformer, LocalTransformer};
use kfold_inference::kfold::layers::embeddings::{FourierEmbedding, RelativePositionEncoding};
use kfold_inference::kfold::layers::pairformer::PairformerStack;
use kfold_inference::kfold::layers::windows::AtomWindows;

use super::harness::{Golden, MODULE_BAR, Result, Row, device};

/// The golden's weights as f64: what is not f32 on the processor runs as a composition of tensor operations, as on any other
/// device.
fn composed(golden: &Golden) -> VarBuilder<'static> {
    VarBuilder::from_tensors(golden.weights.clone(), DType::F64, device())
}

fn wide(x: &Tensor) -> Result<Tensor> {
    Ok(x.to_dtype(DType::F64)?)
}

/// Compares a golden of this family.
pub fn check(golden: &Golden) -> Option<Result<Vec<Row>>> {
    Some(match golden.name.as_str() {
        "kf_adaln" => adaptive_layer_norm(golden),
        "kf_conditioned_transition" => conditioned_transition(golden),
        "kf_apb_self_cond" | "kf_apb_self_plain" => self_attention(golden),
        "kf_apb_cross_cond" => cross_attention(golden),
        "kf_fourier" => fourier(golden),
        "kf_rel_pos" => relative_positions(golden),
        "kf_atom_windows" => atom_windows(golden),
        "kf_local_transformer" => local_transformer(golden),
        "kf_global_transformer" => global_transformer(golden),
        "kf_pairformer_stack" => pairformer(golden),
        _ => return None,
    })
}

fn adaptive_layer_norm(golden: &Golden) -> Result<Vec<Row>> {
    let layer = AdaptiveLayerNorm::load(golden.var_builder(), golden.size("channel_a")?, golden.size("channel_s")?)?;
    Ok(vec![golden.compare("out", &layer.forward(golden.input("a")?, golden.input("s")?)?, MODULE_BAR)?])
}

fn conditioned_transition(golden: &Golden) -> Result<Vec<Row>> {
    let (channel_a, channel_s) = (golden.size("channel_a")?, golden.size("channel_s")?);
    let layer =
        ConditionedTransition::load(golden.var_builder(), channel_a, channel_s, golden.size("expansion_factor")?)?;
    let (a, s) = (golden.input("a")?, golden.input("s")?);
    let update = layer.forward(a, s)?;
    let added = (layer.add_to(a, &layer.condition(s)?)? - a)?;
    Ok(vec![
        golden.compare("out", &update, MODULE_BAR)?,
        Row::compare("added to its input", &added, golden.output("out")?, MODULE_BAR)?,
    ])
}

fn self_attention(golden: &Golden) -> Result<Vec<Row>> {
    let channel_s = golden.value("channel_s")?.as_u64().map(|channel| channel as usize);
    let (channel, heads) = (golden.size("channel_a")?, golden.size("num_heads")?);
    let layer = SelfAttentionPairBias::load(golden.var_builder(), channel, heads, channel_s)?;
    let s = channel_s.map(|_| golden.input("s")).transpose()?;
    let (a, bias, mask) = (golden.input("a")?, golden.input("pair_bias")?, golden.input("mask")?);
    let condition = s.map(|s| layer.condition(s)).transpose()?.flatten();
    let added = (layer.add_to(a, condition.as_ref(), bias, mask)? - a)?;
    let plain = SelfAttentionPairBias::load(composed(golden), channel, heads, channel_s)?;
    let plain = plain.forward(&wide(a)?, s.map(wide).transpose()?.as_ref(), &wide(bias)?, mask)?;
    Ok(vec![
        golden.compare("out", &layer.forward(a, s, bias, mask)?, MODULE_BAR)?,
        Row::compare("out, composed", &plain, golden.output("out")?, MODULE_BAR)?,
        Row::compare("added to its input", &added, golden.output("out")?, MODULE_BAR)?,
    ])
}

fn cross_attention(golden: &Golden) -> Result<Vec<Row>> {
    let (channel, heads) = (golden.size("channel_a")?, golden.size("num_heads")?);
    let layer = CrossAttentionPairBias::load(golden.var_builder(), channel, heads, golden.size("channel_s")?)?;
    let out = layer.forward(
        [golden.input("a_q")?, golden.input("a_k")?],
        [golden.input("s_q")?, golden.input("s_k")?],
        golden.input("pair_bias")?,
        golden.input("mask")?,
    )?;
    Ok(vec![golden.compare("out", &out, MODULE_BAR)?])
}

fn fourier(golden: &Golden) -> Result<Vec<Row>> {
    // The golden's weights are what the constants must be; the layer draws its own.
    let layer = FourierEmbedding::new(golden.size("channel")?, device())?;
    let constant = |name: &str, ours: &Tensor| -> Result<Row> {
        let reference = golden.weights.get(name).ok_or("a constant is missing")?.flatten_all()?;
        Row::compare(&format!("constants {name}"), ours, &reference, 1e-6)
    };
    Ok(vec![
        constant("w", layer.frequencies())?,
        constant("b", layer.phases())?,
        golden.compare("out", &layer.forward(golden.input("c_noise")?)?, MODULE_BAR)?,
    ])
}

/// Tokens with what relative positions read; the rest is empty.
fn tokens(golden: &Golden) -> Result<TokenTensors> {
    let take = |name: &str| -> Result<Tensor> { Ok(golden.input(&format!("token.{name}"))?.to_dtype(DType::I64)?) };
    let count = take("asym_id")?.elem_count();
    let mut tensors = HashMap::new();
    for name in ["asym_id", "entity_id", "sym_id", "residue_index", "token_index"] {
        tensors.insert(name, take(name)?);
    }
    let zeros = |dims: &[usize], dtype: DType| {
        let dims: Vec<usize> = std::iter::once(count).chain(dims.iter().copied()).collect();
        Tensor::zeros(dims, dtype, device())
    };
    let integer = |name: &str| match tensors.get(name) {
        Some(tensor) => Ok(tensor.clone()),
        None => zeros(&[], DType::I64),
    };
    Ok(TokenTensors {
        chain_type: integer("chain_type")?,
        entity_id: integer("entity_id")?,
        asym_id: integer("asym_id")?,
        apo_uid: integer("apo_uid")?,
        sym_id: integer("sym_id")?,
        res_type: integer("res_type")?,
        is_standard: zeros(&[], DType::U8)?,
        num_atoms: integer("num_atoms")?,
        token_index: integer("token_index")?,
        residue_index: integer("residue_index")?,
        seq_token_index: integer("seq_token_index")?,
        center_index: integer("center_index")?,
        repr_index: integer("repr_index")?,
        frame_index: zeros(&[3], DType::I64)?,
        frame_mask: zeros(&[], DType::U8)?,
        pad_mask: zeros(&[], DType::U8)?,
        apo_center_coords: zeros(&[1, 3], DType::F32)?,
        apo_repr_coords: zeros(&[1, 3], DType::F32)?,
        apo_frame_coords: zeros(&[1, 3, 3], DType::F32)?,
        apo_center_mask: zeros(&[1], DType::U8)?,
        apo_repr_mask: zeros(&[1], DType::U8)?,
        apo_frame_mask: zeros(&[1], DType::U8)?,
    })
}

fn relative_positions(golden: &Golden) -> Result<Vec<Row>> {
    let encoding =
        RelativePositionEncoding { r_max: golden.size("r_max")? as i64, s_max: golden.size("s_max")? as i64 };
    let token = tokens(golden)?;
    let whole = encoding.forward(&token)?;
    let count = whole.dim(0)?;
    let parts = [encoding.rows(&token, 0, count / 2)?, encoding.rows(&token, count / 2, count - count / 2)?];
    let parts = Tensor::cat(&parts, 0)?;
    Ok(vec![
        Row::fact("dimension", encoding.dimension() == golden.size("dim")?, encoding.dimension().to_string()),
        golden.exact("out", &whole.unsqueeze(0)?)?,
        Row::exact("row by row", &parts, &whole)?,
    ])
}

fn atom_windows(golden: &Golden) -> Result<Vec<Row>> {
    let index = golden.input("index_plus_one")?.squeeze(0)?;
    let windows = AtomWindows::new(&Tensor::ones(index.dims(), DType::U8, device())?)?;
    Ok(vec![
        golden.exact("q", &windows.queries(&index, 0)?.unsqueeze(0)?)?,
        golden.exact("k", &windows.keys(&index, 0)?.unsqueeze(0)?)?,
    ])
}

fn local_transformer(golden: &Golden) -> Result<Vec<Row>> {
    let [channel_a, channel_s, channel_z, heads, blocks] =
        ["channel_a", "channel_s", "channel_z", "heads", "blocks"].map(|key| golden.size(key));
    let (channel_a, channel_s, channel_z, heads, blocks) = (channel_a?, channel_s?, channel_z?, heads?, blocks?);
    let load = |vb| LocalTransformer::load(vb, channel_a, channel_s, channel_z, heads, blocks);
    let windows = AtomWindows::new(&golden.input("mask")?.squeeze(0)?)?;
    let run = |layer: &LocalTransformer, dtype: DType| -> Result<Tensor> {
        let [a, s, z] = ["a", "s", "z"].map(|name| -> Result<Tensor> { Ok(golden.input(name)?.to_dtype(dtype)?) });
        let condition = layer.condition(&s?, &z?.squeeze(0)?)?;
        Ok(layer.forward(&a?, &condition, &windows)?)
    };
    Ok(vec![
        golden.compare("out", &run(&load(golden.var_builder())?, DType::F32)?, MODULE_BAR)?,
        Row::compare("out, composed", &run(&load(composed(golden))?, DType::F64)?, golden.output("out")?, MODULE_BAR)?,
    ])
}

fn global_transformer(golden: &Golden) -> Result<Vec<Row>> {
    let [channel_a, channel_s, heads, blocks] =
        ["channel_a", "channel_s", "heads", "blocks"].map(|key| golden.size(key));
    let (channel_a, channel_s, heads, blocks) = (channel_a?, channel_s?, heads?, blocks?);
    let load = |vb| GlobalTransformer::load(vb, channel_a, channel_s, heads, blocks);
    // [B, 1, blocks, H, L, L] to [blocks, B, H, L, L].
    let bias = golden.input("pair_bias")?.squeeze(1)?.transpose(0, 1)?.contiguous()?;
    let (a, s, mask) = (golden.input("a")?, golden.input("s")?, golden.input("mask")?.squeeze(1)?);
    let plain = load(composed(golden))?.forward(&wide(a)?, &wide(s)?, &wide(&bias)?, &mask)?;
    Ok(vec![
        golden.compare("out", &load(golden.var_builder())?.forward(a, s, &bias, &mask)?, MODULE_BAR)?,
        Row::compare("out, composed", &plain, golden.output("out")?, MODULE_BAR)?,
    ])
}

fn pairformer(golden: &Golden) -> Result<Vec<Row>> {
    let (channel, heads) = (golden.size("channel_z")?, golden.size("heads")?);
    let stack = PairformerStack::load(golden.var_builder(), channel, heads, golden.size("num_blocks")?)?;
    let out = stack.forward(golden.input("z")?, golden.input("pair_mask")?)?;
    Ok(vec![golden.compare("out", &out, MODULE_BAR)?])
}
