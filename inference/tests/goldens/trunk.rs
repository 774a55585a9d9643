//! Goldens of the trunk.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use candle_core::{DType, Tensor};
use kfold_inference::kfold::checkpoint::{self, Checkpoint, Expected};
use kfold_inference::kfold::config::KFoldConfig;
use kfold_inference::kfold::encoders::{
    AtlasLm, BackboneTokenizer, BackboneTokenizerConfig, FullAtomTokenizer, FullAtomTokenizerConfig,
    ProteinSequenceEncoder, Residence, RnaSequenceEncoder, StructureEncoder, TriProRepEncoder,
};
use kfold_inference::kfold::input::pair_mask;
use kfold_inference::kfold::model::{Encoders, KFold, PredictOptions, expected_tensors};
use kfold_inference::kfold::modules::apo_module::{ApoModule, distogram, unit_vectors};
use kfold_inference::kfold::modules::confidence_metrics::ScoredComplex;
use kfold_inference::kfold::modules::{Parcae, TriangularStack};
use kfold_inference::kfold::noise::TapeNoise;

use super::harness::{END_TO_END_BAR, Golden, MODULE_BAR, Result, Row, device};

/// Compares a golden of this family.
pub fn check(golden: &Golden) -> Option<Result<Vec<Row>>> {
    Some(match golden.name.as_str() {
        "kf_tri_stack" => tri_stack(golden),
        "kf_parcae" => parcae(golden),
        "kf_apo_module" => apo_module(golden),
        "kf_run_trunk" => run_trunk(golden),
        "kf_e2e" => end_to_end(golden),
        "tiny_model" => tiny_model(golden),
        _ => return None,
    })
}

fn tri_stack(golden: &Golden) -> Result<Vec<Row>> {
    let stack = TriangularStack::load(golden.var_builder(), golden.size("channel_z")?, golden.size("num_blocks")?)?;
    let z = stack.forward(golden.input("z")?, golden.input("pair_mask")?)?;
    Ok(vec![golden.compare("out", &z, MODULE_BAR)?])
}

fn parcae(golden: &Golden) -> Result<Vec<Row>> {
    let mut config = golden.tiny_config()?;
    config.channel_z = golden.size("channel_z")?;
    config.lm_dropout = golden.number("lm_dropout")?;
    config.trunk.num_lm_blocks = golden.size("blocks.num_lm_blocks")?;
    config.trunk.num_main_blocks = golden.size("blocks.num_main_blocks")?;
    config.trunk.num_refine_blocks = golden.size("blocks.num_refine_blocks")?;
    let parcae = Parcae::load(golden.var_builder(), &config)?;
    // The masks of all cycles are one tensor here; as a tape they come one at a time.
    let masks = golden.input("dropout_keep")?;
    let cycles = golden.size("cycles")?;
    let tape = (0..cycles).map(|cycle| Ok((format!("tape.{cycle}.dropout_keep"), masks.get(cycle)?)));
    let mut noise = TapeNoise::from_tensors(&tape.collect::<Result<HashMap<String, Tensor>>>()?)?;
    let mask = pair_mask(golden.input("token_mask")?)?;
    let mut z = golden.input("z_init")?.copy()?;
    let mut before_main = Vec::new();
    for _ in 0..cycles {
        z = parcae.inject(z, golden.input("z_inputs")?, golden.input("z_lm")?, &mask, &mut noise)?;
        before_main.push(z.copy()?);
        z = parcae.evolve(z, &mask)?;
    }
    Ok(vec![
        golden.compare("a", parcae.a(), MODULE_BAR)?,
        golden.compare("b", parcae.b(), MODULE_BAR)?,
        golden.compare("z_pre_main", &Tensor::stack(&before_main, 0)?, MODULE_BAR)?,
        golden.compare("out", &parcae.refine(&z, &mask)?, MODULE_BAR)?,
    ])
}

fn apo_module(golden: &Golden) -> Result<Vec<Row>> {
    let input = golden.folding_input()?;
    let module = ApoModule::load(golden.var_builder(), &golden.tiny_config()?.apo_module)?;
    // Structures first, as in the module.
    let turned = |x: &Tensor| -> Result<Tensor> { Ok(x.transpose(0, 1)?.contiguous()?) };
    let token = &input.token;
    let classes = distogram(&turned(&token.apo_repr_coords)?, &turned(&token.apo_repr_mask)?, module.boundaries())?;
    let vectors = unit_vectors(&turned(&token.apo_frame_coords)?, &turned(&token.apo_frame_mask)?)?;
    Ok(vec![
        golden.exact("distogram", &classes.unsqueeze(0)?)?,
        golden.compare("unit_vector", &vectors.unsqueeze(0)?, MODULE_BAR)?,
        golden.compare("out", &module.forward(&input)?, MODULE_BAR)?,
    ])
}

/// A weights file of the tiny model.
fn tiny_file(directory: &Path, stem: &str) -> Result<Arc<Checkpoint>> {
    Ok(Arc::new(checkpoint::open(&directory.join(format!("{stem}.safetensors")))?))
}

/// The tiny model and its encoders, from the folder beside a golden.
fn tiny(golden: &Golden) -> Result<(KFold, Encoders)> {
    let (config, directory) = (golden.tiny_config()?, golden.directory.with_file_name("tiny_model"));
    let open = |stem: &str| {
        Ok::<_, Box<dyn std::error::Error>>(tiny_file(&directory, stem)?.var_builder(DType::F32, device()))
    };
    let residence = Residence::Streamed;
    let lm = AtlasLm::load(open("atlaslm_3b_base")?, &config.protein_sequence_encoder, residence)?;
    let rna = config.rna_sequence_encoder.as_ref().ok_or("no RNA encoder")?;
    let structure = config.protein_structure_encoder.as_ref().ok_or("no structure encoder")?;
    let structure = TriProRepEncoder::load(open("prot_struct_encoder_3b")?, structure, residence)?;
    let encoders = Encoders {
        protein: ProteinSequenceEncoder::new(lm),
        rna: Some(RnaSequenceEncoder::load(open("rna_seq_1b")?, rna, residence)?),
        structure: Some(StructureEncoder::new(structure)),
    };
    Ok((KFold::open(&tiny_file(&directory, "kfold")?, &config, golden.matrices, device())?, encoders))
}

fn run_trunk(golden: &Golden) -> Result<Vec<Row>> {
    let (model, encoders) = tiny(golden)?;
    let (input, mut noise) = (golden.folding_input()?, golden.noise()?);
    let s_lm = model.encode(&input, &encoders, &mut |_| Ok(()))?;
    let embedded = model.embed(&input, &s_lm)?;
    let recycles = golden.size("num_recycles")?;
    let z = model.cycle(&embedded, &input.pair_mask()?, recycles, &mut noise, &mut |_| Ok(()))?;
    Ok(vec![
        golden.compare("s_inputs", &embedded.s_inputs, MODULE_BAR)?,
        golden.compare("z_inputs", &embedded.z_inputs, MODULE_BAR)?,
        golden.compare("s_lm", &s_lm, MODULE_BAR)?,
        golden.compare("z_lm", &embedded.z_lm, MODULE_BAR)?,
        golden.compare("z", &z, MODULE_BAR)?,
        Row::fact("tape", noise.remaining() == 0, format!("{} draws left", noise.remaining())),
    ])
}

/// Every tensor of every file of the tiny model is one that our code asks for, or one that it is known not to need.
fn tiny_model(golden: &Golden) -> Result<Vec<Row>> {
    let config = KFoldConfig::from_yaml(&golden.config.to_string())?;
    let rna = config.rna_sequence_encoder.as_ref().ok_or("no RNA encoder")?;
    let structure = config.protein_structure_encoder.as_ref().ok_or("no structure encoder")?;
    let size = |path: &str| golden.size(path);
    let backbone = BackboneTokenizerConfig {
        d_model: size("bb.d_model")?,
        v_heads: size("bb.v_heads")?,
        n_layers: size("bb.n_layers")?,
        d_out: size("bb.d_out")?,
        codebook_size: size("bb.codebook_size")?,
    };
    let full_atom = FullAtomTokenizerConfig {
        d_model: size("fa.d_model")?,
        d_out: size("fa.d_out")?,
        d_pair: size("fa.d_pair")?,
        n_heads: size("fa.n_heads")?,
        n_layers: size("fa.n_layers")?,
        update_pair_repr_every_n: size("fa.update_pair_repr_every_n")?,
        codebook_size: size("fa.codebook_size")?,
    };
    let resident = Residence::Resident;
    let lm = &config.protein_sequence_encoder;
    let files = [
        ("kfold", expected_tensors(&config)?),
        ("atlaslm_3b_base", Expected::of(|vb| AtlasLm::load(vb, lm, resident))?.ignoring("sequence_head.")),
        (
            "rna_seq_1b",
            Expected::of(|vb| RnaSequenceEncoder::load(vb, rna, resident))?
                .ignoring("sequence_head")
                .ignoring("transformer.norm.weight"),
        ),
        (
            "prot_struct_encoder_3b",
            Expected::of(|vb| TriProRepEncoder::load(vb, structure, resident))?.ignoring(".rot_emb.inv_freq"),
        ),
        ("prot_struct_bb_tokenizer", Expected::of(|vb| BackboneTokenizer::load(vb, &backbone))?),
        (
            "prot_struct_fa_tokenizer",
            Expected::of(|vb| FullAtomTokenizer::load(vb, &full_atom))?.ignoring(".num_batches_tracked"),
        ),
    ];
    files
        .into_iter()
        .map(|(stem, expected)| {
            let report = checkpoint::verify(&*tiny_file(&golden.directory, stem)?, &expected);
            Ok(Row::fact(stem, report.fits(), report.to_string()))
        })
        .collect()
}

fn end_to_end(golden: &Golden) -> Result<Vec<Row>> {
    let (model, encoders) = tiny(golden)?;
    let (input, mut noise) = (golden.folding_input()?, golden.noise()?);
    let s_lm = model.encode(&input, &encoders, &mut |_| Ok(()))?;
    let options = PredictOptions {
        recycles: golden.size("num_recycles")?,
        steps: golden.size("num_steps")?,
        samples: golden.size("num_samples")?,
        ..PredictOptions::default()
    };
    // The chains are named in the order of the query; their scores are compared by name.
    let chains = golden.value("summary")?[0]["chains"].as_object().ok_or("no chains")?;
    let chains = (1..).zip(chains.keys().cloned()).collect();
    let complex = ScoredComplex::new(&input, chains)?;
    let prediction = model.predict(&input, s_lm, &complex, options, &mut noise, &mut |_| Ok(()))?;
    let atoms = input.num_atoms();
    let coordinates: Vec<f32> = prediction.sampled.coordinates.iter().flatten().flat_map(|x| x.to_array()).collect();
    let coordinates = Tensor::from_vec(coordinates, (options.samples, atoms, 3), device())?;
    let trunk = &prediction.trunk;
    let corner = trunk.z.squeeze(0)?.narrow(0, 0, 8)?.narrow(1, 0, 8)?;
    let mut rows = vec![
        golden.compare("s_inputs", &trunk.s_inputs.squeeze(0)?, END_TO_END_BAR)?,
        golden.compare("s_lm", &trunk.s_lm.squeeze(0)?, END_TO_END_BAR)?,
        golden.compare("z_corner", &corner, END_TO_END_BAR)?,
        golden.compare("coordinates", &coordinates, END_TO_END_BAR)?,
        Row::fact("tape", noise.remaining() == 0, format!("{} draws left", noise.remaining())),
    ];
    for (index, confidence) in prediction.confidence.iter().enumerate() {
        let plddt = Tensor::new(confidence.plddt.as_slice(), device())?;
        rows.push(golden.compare(&format!("{index}.plddt"), &plddt, END_TO_END_BAR)?);
        let (ours, reference) = (serde_json::to_value(&confidence.summary)?, &golden.value("summary")?[index]);
        for part in ["plddt", "pde", "ptm", "ranking_score", "has_clash"] {
            let name = format!("summary {index} {part}");
            rows.push(Row::compare(&name, &scores(&ours, part)?, &scores(reference, part)?, END_TO_END_BAR)?);
        }
    }
    let first = prediction.confidence.first().ok_or("no samples")?;
    let pae = Tensor::from_vec(first.pae.clone(), golden.output("pae0")?.dims(), device())?;
    rows.push(golden.compare("pae0", &pae, END_TO_END_BAR)?);
    Ok(rows)
}

/// All numbers of a confidence summary whose key ends in `part`, in the order of the keys.
fn scores(summary: &serde_json::Value, part: &str) -> Result<Tensor> {
    fn collect(value: &serde_json::Value, part: &str, found: &mut Vec<f64>) {
        for (key, value) in value.as_object().into_iter().flatten() {
            match value.as_f64() {
                Some(number) if key.ends_with(part) => found.push(number),
                _ => collect(value, part, found),
            }
        }
    }
    let mut found = Vec::new();
    collect(summary, part, &mut found);
    Ok(Tensor::new(found, device())?)
}
