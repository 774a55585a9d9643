//! Goldens of the encoders: AtlasLM, the RNA model, TriProRep, and what merges their layers.
//!
//! Those with a path of their own on the processor are computed twice: that way and as the candle composition that runs on
//! other devices.

use candle_core::{DType, Tensor};
use candle_nn::VarBuilder;
use kfold_inference::kfold::config::{ProteinSequenceEncoderConfig, RnaSequenceEncoderConfig, StructureEncoderConfig};
use kfold_inference::kfold::encoders::rna::MixtureOfExperts;
use kfold_inference::kfold::encoders::transformer::panels::Panels;
use kfold_inference::kfold::encoders::transformer::rotary::{Rounding, tables};
use kfold_inference::kfold::encoders::triprorep::StructureTokens;
use kfold_inference::kfold::encoders::{
    AtlasLm, LmEncoder, ProteinSequenceEncoder, Residence, RnaSequenceEncoder, Sequences, StructureEncoder,
    TriProRepEncoder,
};
use kfold_inference::kfold::input::FoldingInput;
use kfold_inference::kfold::modules::LmToPair;
use kfold_inference::kfold::primitives::{LayerNorm, LayerNormParts};

use super::harness::{Golden, MODULE_BAR, Result, Row, device, var_builder};

/// Compares a golden of this family.
pub fn check(golden: &Golden) -> Option<Result<Vec<Row>>> {
    Some(match golden.name.as_str() {
        "atlaslm" => atlaslm(golden),
        "kf_prot_seq_encoder" => protein_sequence_encoder(golden),
        "kf_lm_encoder" => lm_encoder(golden),
        "kf_lm_to_pair" => lm_to_pair(golden),
        "rna_encoder" => rna_encoder(golden),
        "struct_encoder" => structure_encoder(golden),
        "struct_encoder_rotary64" => rotary(golden),
        _ => return None,
    })
}

fn sequences(golden: &Golden) -> Result<Sequences> {
    Ok(Sequences::from_tensors(golden.input("input_ids")?, golden.input("seq_id")?, golden.input("pos_id")?)?)
}

/// The features of the small query, which the reference's file keeps among the outputs of its featurizer.
fn mini_query(golden: &Golden) -> Result<FoldingInput> {
    Ok(FoldingInput::from_tensors(&golden.sibling("kf_features_mini")?.outputs)?)
}

fn protein_config(golden: &Golden) -> Result<ProteinSequenceEncoderConfig> {
    Ok(ProteinSequenceEncoderConfig {
        vocab_size: golden.size("vocab_size")?,
        d_model: golden.size("d_model")?,
        n_heads: golden.size("n_heads")?,
        n_layers: golden.size("n_layers")?,
        ..Default::default()
    })
}

fn atlaslm(golden: &Golden) -> Result<Vec<Row>> {
    let config = protein_config(golden)?;
    let sequences = sequences(golden)?;
    let mut rows = Vec::new();
    for (residence, composed) in [(Residence::Streamed, false), (Residence::Resident, true)] {
        let lm = AtlasLm::load(golden.var_builder(), &config, residence)?;
        let lm = if composed { lm.composed() } else { lm };
        let (mut hidden, mut logits) = (Vec::new(), Vec::new());
        lm.stream(&sequences, true, &mut |layer| {
            if layer.index > 0 {
                hidden.push(layer.tensor()?);
            }
            logits.extend(layer.attention_logits.cloned());
            Ok(())
        })?;
        let out = lm.forward(&sequences, true)?;
        // The golden holds -1e4 for -inf.
        let attention = Tensor::stack(&logits, 0)?.maximum(-1e4)?;
        rows.push(golden.compare("out", &out.embeddings, MODULE_BAR)?);
        rows.push(golden.compare("hidden", &Tensor::stack(&hidden, 0)?, MODULE_BAR)?);
        rows.push(attention_row(golden, &attention)?);
        rows.push(golden.compare("logits", &out.logits.ok_or("no logits")?, MODULE_BAR)?);
    }
    Ok(rows)
}

/// Scores against the largest that is not masked.
fn attention_row(golden: &Golden, ours: &Tensor) -> Result<Row> {
    let reference = golden.output("attn_logits")?;
    let (masked, ours_masked) = (reference.le(-1e4)?, ours.le(-1e4)?);
    let differ = masked.ne(&ours_masked)?.to_dtype(DType::U32)?.sum_all()?.to_scalar::<u32>()?;
    if differ > 0 {
        return Ok(Row::fact("attn_logits", false, format!("{differ} pairs are masked differently")));
    }
    let zeros = reference.zeros_like()?;
    let (reference, ours) = (masked.where_cond(&zeros, reference)?, masked.where_cond(&zeros, ours)?);
    Row::compare("attn_logits", &ours, &reference, MODULE_BAR)
}

fn protein_sequence_encoder(golden: &Golden) -> Result<Vec<Row>> {
    let config = protein_config(golden)?;
    let input = golden.folding_input()?;
    let merge = golden.sibling("tiny_model")?.checkpoint("kfold")?;
    let channel_s = golden.output("s_lm_part")?.dim(2)?;
    let merge =
        LmEncoder::load(var_builder(&merge).pp("prot_seq_to_s_lm"), config.d_model, config.n_layers, channel_s)?;
    let mut rows = Vec::new();
    for composed in [false, true] {
        let lm = AtlasLm::load(golden.var_builder(), &config, Residence::Streamed)?;
        let encoder = ProteinSequenceEncoder::new(if composed { lm.composed() } else { lm });
        let states = encoder.hidden_states(&input)?;
        rows.push(golden.compare("out", &states, MODULE_BAR)?);
        rows.push(golden.compare("s_lm_part", &merge.forward(&states)?, MODULE_BAR)?);
        rows.push(golden.compare("s_lm_part", &encoder.merged(&input, &merge, &mut |_| Ok(()))?, MODULE_BAR)?);
    }
    Ok(rows)
}

fn lm_encoder(golden: &Golden) -> Result<Vec<Row>> {
    let (width, layers) = (golden.size("channel_lm")?, golden.size("n_layers")?);
    let encoder = LmEncoder::load(golden.var_builder(), width, layers, golden.size("channel_s")?)?;
    Ok(vec![golden.compare("out", &encoder.forward(golden.input("hidden_states")?)?, MODULE_BAR)?])
}

fn lm_to_pair(golden: &Golden) -> Result<Vec<Row>> {
    let module = LmToPair::load(golden.var_builder(), golden.size("channel_s")?, golden.size("channel_z")?)?;
    Ok(vec![golden.compare("out", &module.forward(golden.input("s_lm")?)?, MODULE_BAR)?])
}

fn rna_encoder(golden: &Golden) -> Result<Vec<Row>> {
    let config = RnaSequenceEncoderConfig {
        vocab_size: golden.size("vocab_size")?,
        d_model: golden.size("d_model")?,
        n_heads: golden.size("n_heads")?,
        n_layers: golden.size("n_layers")?,
        use_moe: true,
        ..Default::default()
    };
    let sequences = sequences(golden)?;
    let mini = mini_query(golden)?;
    let mut rows = Vec::new();
    for composed in [false, true] {
        let encoder = RnaSequenceEncoder::load(golden.var_builder(), &config, Residence::Streamed)?;
        let encoder = if composed { encoder.composed() } else { encoder };
        let mut hidden = Vec::new();
        encoder.stream(&sequences, &mut |layer| {
            hidden.push(layer.tensor()?);
            Ok(())
        })?;
        rows.push(golden.compare("hidden", &Tensor::stack(&hidden, 0)?, MODULE_BAR)?);
        rows.push(golden.compare("kfold_mini", &encoder.hidden_states(&mini)?, MODULE_BAR)?);
    }
    rows.extend(mixture_of_experts(golden, &sequences, config.d_model)?);
    Ok(rows)
}

/// The first block's layer alone, on noise and on 50 times the same token, which overflows its expert.
fn mixture_of_experts(golden: &Golden, sequences: &Sequences, width: usize) -> Result<Vec<Row>> {
    let vb = golden.var_builder().pp("transformer.blocks.0.ffn");
    let norm = LayerNorm::load(vb.pp("norm"), width, LayerNorm::EPS, LayerNormParts::BOTH)?;
    let experts = MixtureOfExperts::load(vb, width)?;
    let valid: Vec<bool> = sequences.sequence_ids.iter().map(|&id| id >= 0).collect();
    let input = golden.input("moe_in")?;
    let repeated = input.narrow(1, 0, 1)?.broadcast_as(input.shape())?.contiguous()?;
    let mut rows = Vec::new();
    for (name, x) in [("moe_out", input), ("moe_out_identical_tokens", &repeated)] {
        let normed = norm.forward(x)?;
        rows.push(golden.compare(name, &experts.forward(&normed, &valid)?, MODULE_BAR)?);
        let normed = Panels::from_rows(&normed.flatten_all()?.to_vec1::<f32>()?, width);
        let mut sum = Panels::zeros(width, valid.len());
        experts.add_to(&mut sum, &normed, &valid, 1.0)?;
        let ours = Tensor::from_vec(sum.to_rows(), x.shape(), device())?;
        rows.push(golden.compare(name, &ours, MODULE_BAR)?);
    }
    let chosen = experts.chosen(&norm.forward(input)?)?;
    let counts: Vec<i64> = (0..golden.size("experts")?)
        .map(|expert| {
            chosen.iter().zip(&valid).filter(|&(&chosen, &valid)| valid && chosen as usize == expert).count() as i64
        })
        .collect();
    let chosen: Vec<i64> = chosen.into_iter().map(i64::from).collect();
    rows.push(golden.exact("top_expert", &Tensor::from_vec(chosen, valid.len(), device())?)?);
    rows.push(golden.exact("expert_counts", &Tensor::new(counts.as_slice(), device())?)?);
    Ok(rows)
}

fn structure_encoder(golden: &Golden) -> Result<Vec<Row>> {
    let config = StructureEncoderConfig {
        d_model: golden.size("d_model")?,
        n_heads: golden.size("n_heads")?,
        n_layers: golden.size("n_layers")?,
        ..Default::default()
    };
    let (ids, chains, positions) = (golden.input("seq_token_id")?, golden.input("seq_id")?, golden.input("pos_id")?);
    let sequences = Sequences::from_tensors(ids, chains, positions)?;
    let tokens =
        |name: &str| -> Result<Vec<u32>> { Ok(golden.input(name)?.flatten_all()?.to_dtype(DType::U32)?.to_vec1()?) };
    let tokens = StructureTokens { backbone: tokens("bb_token_id")?, full_atom: tokens("fa_token_id")? };
    let mini = mini_query(golden)?;
    let mut rows = Vec::new();
    for composed in [false, true] {
        // As the golden names them, and as the published checkpoint does, with separate projections.
        let published = golden.sibling("tiny_model")?.checkpoint("prot_struct_encoder_3b")?;
        let builders: [(&str, VarBuilder<'static>); 2] =
            [("", golden.var_builder()), ("published", var_builder(&published))];
        for (layout, vb) in builders {
            let encoder = TriProRepEncoder::load(vb, &config, Residence::Streamed)?;
            let encoder = if composed { encoder.composed() } else { encoder };
            let out = encoder.forward(&sequences, &tokens, &mut |_| Ok(()))?;
            if layout == "published" {
                rows.push(Row::compare("out, published layout", &out, golden.output("out")?, MODULE_BAR)?);
                continue;
            }
            rows.push(golden.compare("out", &out, MODULE_BAR)?);
            rows.push(golden.compare(
                "kfold_mini",
                &StructureEncoder::new(encoder).forward(&mini, &mut |_| Ok(()))?,
                MODULE_BAR,
            )?);
        }
    }
    rows.extend(angles(golden, positions, golden.weights.get("rotary.inv_freq").ok_or("no frequencies")?)?);
    Ok(rows)
}

fn rotary(golden: &Golden) -> Result<Vec<Row>> {
    angles(golden, golden.input("pos")?, golden.weights.get("inv_freq").ok_or("no frequencies")?)
}

/// Cosines and sines, which the reference repeats for both halves of a head. They are bf16 numbers, so equal or far apart.
fn angles(golden: &Golden, positions: &Tensor, frequencies: &Tensor) -> Result<Vec<Row>> {
    let positions = positions.flatten_all()?.to_dtype(DType::U32)?.to_vec1::<u32>()?;
    let frequencies = frequencies.to_vec1::<f32>()?;
    let (cos, sin) = tables(&positions, &frequencies, Rounding::Bf16)?;
    let shape = (positions.len(), frequencies.len());
    [("cos", cos), ("sin", sin)]
        .into_iter()
        .map(|(name, values)| {
            let half = Tensor::from_vec(values, shape, device())?;
            let ours = Tensor::cat(&[&half, &half], 1)?;
            Row::exact(name, &ours, &golden.output(name)?.to_dtype(DType::F32)?)
        })
        .collect()
}
