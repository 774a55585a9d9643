//! AtlasFold and AtlasFold-M against AtlasFold 1.0.4.

use candle_core::{DType, Tensor};
use kfold_inference::kfold::atlasfold::confidence_head::{ConfidenceHead, ConfidenceLogits};
use kfold_inference::kfold::atlasfold::confidence_metrics::{Confidence, confidence};
use kfold_inference::kfold::atlasfold::config::LanguageModelShape;
use kfold_inference::kfold::atlasfold::diffusion_head::{DiffusionHead, PreparedTarget, SamplingConfig};
use kfold_inference::kfold::atlasfold::features::Features;
use kfold_inference::kfold::atlasfold::lm_embedder::LmEmbedder;
use kfold_inference::kfold::atlasfold::model::{FoldSettings, main_stack};
use kfold_inference::kfold::atlasfold::relative_positions::{
    ATOM_RELATIVE_POSITIONS, AtomRelativePositions, relative_positions,
};
use kfold_inference::kfold::atlasfold::residues::{ATOM14, RESIDUES};
use kfold_inference::kfold::atlasfold::template::{TemplateModule, Templates};
use kfold_inference::kfold::atlasfold::watch::{Unwatched, Watch};
use kfold_inference::kfold::atlasfold::{AtlasFold, AtlasFoldConfig};
use kfold_inference::kfold::encoders::atlaslm::AtlasLm;
use kfold_inference::kfold::encoders::transformer::Residence;

use super::harness::{END_TO_END_BAR, Golden, MODULE_BAR, Result, Row, device};

pub fn check(golden: &Golden) -> Option<Result<Vec<Row>>> {
    let (multimer, part) = match golden.name.strip_prefix("atlasfold_m_") {
        Some(part) => (true, part),
        None => (false, golden.name.strip_prefix("atlasfold_")?),
    };
    Some(match part {
        "lm_embedder" => lm_embedder(golden, multimer),
        "main_stack" => main_stack_rows(golden, multimer),
        "template" => template(golden),
        "diffusion_step" => diffusion_step(golden, multimer),
        "sampler" => sampler(golden, multimer),
        "confidence" => confidence_rows(golden, multimer),
        "full" => full(golden, multimer),
        _ => return None,
    })
}

/// The golden's sizes in the published configuration.
fn config(golden: &Golden, multimer: bool) -> Result<AtlasFoldConfig> {
    let mut config = if multimer { AtlasFoldConfig::published_pair()? } else { AtlasFoldConfig::published_monomer()? };
    config.channel_s = golden.size("channel_s")?;
    config.channel_s_lm = golden.size("channel_s_lm")?;
    config.channel_z = golden.size("channel_z")?;
    config.trunk.num_heads = golden.size("heads")?;
    config.trunk.num_tri_heads = golden.size("tri_heads")?;
    config.trunk.num_lm_blocks = golden.size("lm_blocks")?;
    config.trunk.num_blocks = golden.size("blocks")?;
    config.trunk.num_pair_to_single_blocks = golden.size("pair_to_single_blocks")?;
    config.confidence_head.num_heads = golden.size("heads")?;
    config.confidence_head.num_tri_heads = golden.size("tri_heads")?;
    config.confidence_head.num_blocks = golden.size("confidence_blocks")?;
    let diffusion = &mut config.diffusion_head;
    diffusion.channel_a = golden.size("diffusion.a")?;
    diffusion.channel_atom = golden.size("diffusion.atom")?;
    diffusion.channel_cond = golden.size("diffusion.cond")?;
    diffusion.num_heads = golden.size("diffusion.heads")?;
    diffusion.num_blocks = golden.size("diffusion.blocks")?;
    diffusion.num_atom_heads = golden.size("diffusion.atom_heads")?;
    diffusion.num_atom_blocks = golden.size("diffusion.atom_blocks")?;
    if let Some(template) = &mut config.template_module {
        template.channel_template = golden.size("template.channel")?;
        template.num_blocks = golden.size("template.blocks")?;
        template.num_tri_heads = golden.size("template.heads")?;
    }
    Ok(config)
}

fn numbers(golden: &Golden, name: &str) -> Result<Vec<i64>> {
    Ok(golden.input(name)?.to_dtype(DType::I64)?.flatten_all()?.to_vec1()?)
}

/// The reference's features.
fn features(golden: &Golden) -> Result<Features> {
    let unsigned = |name: &str| -> Result<Vec<u32>> { Ok(numbers(golden, name)?.iter().map(|n| *n as u32).collect()) };
    Ok(Features {
        residue_types: numbers(golden, "aatype_int")?.iter().map(|n| *n as u8).collect(),
        residue_index: numbers(golden, "res_idx")?,
        asym_id: numbers(golden, "asym_id")?,
        entity_id: numbers(golden, "entity_id")?,
        sym_id: numbers(golden, "sym_id")?,
        mask: numbers(golden, "seq_mask")?.iter().map(|n| *n == 1).collect(),
        lm_index: unsigned("seq_tok_idx")?,
        lm_tokens: unsigned("lm.input_ids")?,
        lm_positions: unsigned("lm.pos_id")?,
        lm_sequences: unsigned("lm.seq_id")?,
    })
}

/// Whether our features of the same sequences are the reference's.
fn features_row(golden: &Golden, reference: &Features) -> Result<Row> {
    let mut sequences: Vec<String> = Vec::new();
    let mut last = 0;
    for residue in (0..reference.mask.len()).filter(|residue| reference.mask[*residue]) {
        if reference.asym_id[residue] != last {
            sequences.push(String::new());
            last = reference.asym_id[residue];
        }
        let letter = RESIDUES[usize::from(reference.residue_types[residue])].letter;
        sequences.last_mut().ok_or("no chain")?.push(char::from(letter));
    }
    let sequences: Vec<&str> = sequences.iter().map(String::as_str).collect();
    let ours = Features::unpadded(&sequences)?.padded(reference.mask.len(), reference.lm_tokens.len())?;
    let masks: Vec<i64> = ours.atom14_mask().iter().map(|exists| i64::from(*exists)).collect();
    let betas: Vec<i64> = ours.pseudo_beta().iter().map(|beta| *beta as i64).collect();
    let same =
        ours == *reference && masks == numbers(golden, "atom14_mask")? && betas == numbers(golden, "pseudo_beta")?;
    Ok(Row::fact("features of the sequences", same, sequences.join(":")))
}

/// The language model of the `atlaslm` golden.
fn language_model(golden: &Golden) -> Result<(AtlasLm, LanguageModelShape)> {
    let golden = golden.sibling("atlaslm")?;
    let config = serde_json::json!({
        "vocab_size": golden.size("vocab_size")?,
        "d_model": golden.size("d_model")?,
        "n_heads": golden.size("n_heads")?,
        "n_layers": golden.size("n_layers")?,
    });
    let config = serde_json::from_value(config)?;
    let shape = LanguageModelShape {
        d_model: golden.size("d_model")?,
        n_heads: golden.size("n_heads")?,
        n_layers: golden.size("n_layers")?,
    };
    Ok((AtlasLm::load(golden.var_builder(), &config, Residence::Resident)?, shape))
}

fn lm_embedder(golden: &Golden, multimer: bool) -> Result<Vec<Row>> {
    let features = features(golden)?;
    let (lm, shape) = language_model(golden)?;
    let embedder = LmEmbedder::load(&golden.var_builder(), &config(golden, multimer)?, shape)?;
    let hide: Vec<bool> = numbers(golden, "mlm_mask")?.iter().map(|n| *n == 1).collect();
    let tensors = features.tensors(device())?;
    let mut events = Unwatched;
    let mut watch = Watch::new(&mut events, "test", "", 0);
    let (s, z) = embedder.forward(&lm, &features, &tensors, &hide, &mut watch)?;
    Ok(vec![
        features_row(golden, &features)?,
        golden.exact("seq_rel_pos", &relative_positions(&features, device())?)?,
        golden.compare("s_lm", &s, MODULE_BAR)?,
        golden.compare("z_lm", &z, MODULE_BAR)?,
    ])
}

fn main_stack_rows(golden: &Golden, multimer: bool) -> Result<Vec<Row>> {
    let stack = main_stack(golden.var_builder().pp("main_stack"), &config(golden, multimer)?)?;
    let mask = golden.input("mask")?.to_dtype(DType::F32)?;
    let pair_mask = mask.unsqueeze(2)?.broadcast_mul(&mask.unsqueeze(1)?)?;
    let (s, z) = (golden.input("s")?.clone(), golden.input("z")?);
    let mut events = Unwatched;
    let (s, z) = stack.forward(Some(s), z, &mask, &pair_mask, &mut Watch::new(&mut events, "test", "", 0))?;
    Ok(vec![golden.compare("s", &s.ok_or("no s")?, MODULE_BAR)?, golden.compare("z", &z, MODULE_BAR)?])
}

fn template(golden: &Golden) -> Result<Vec<Row>> {
    let config = config(golden, true)?;
    let sizes = config.template_module.as_ref().ok_or("AtlasFold-M has a template module")?;
    let module = TemplateModule::load(golden.var_builder().pp("template_module"), config.channel_z, sizes)?;
    let get = |name: &str| -> Result<Tensor> { Ok(golden.input(name)?.squeeze(0)?) };
    let templates = Templates {
        mask: get("template.mask")?,
        residue_one_hot: get("template.aatype")?,
        pseudo_beta: get("template.pseudo_beta")?,
        pseudo_beta_mask: get("template.pseudo_beta_mask")?,
        backbone: get("template.backbone_coords")?,
        backbone_mask: get("template.backbone_frame_mask")?,
    };
    let mask = golden.input("seq_mask")?.to_dtype(DType::F32)?;
    let pair_mask = mask.unsqueeze(2)?.broadcast_mul(&mask.unsqueeze(1)?)?;
    let chain = golden.input("asym_id")?;
    let same_chain = chain.unsqueeze(2)?.broadcast_eq(&chain.unsqueeze(1)?)?.to_dtype(DType::F32)?;
    let same_chain = (same_chain * &pair_mask)?;
    let mut events = Unwatched;
    let mut watch = Watch::new(&mut events, "test", "", 0);
    let out = module.forward(&templates, golden.input("z")?, (&mask, &pair_mask), &same_chain, &mut watch)?;
    Ok(vec![golden.compare("out", &out, MODULE_BAR)?])
}

/// The diffusion head of a golden and what it prepares for the golden's inputs.
fn diffusion(golden: &Golden, weights: &Golden, multimer: bool) -> Result<(DiffusionHead, PreparedTarget)> {
    let features = features(golden)?;
    let vb = weights.var_builder();
    let head = DiffusionHead::load(vb.pp("diffusion_head"), &config(golden, multimer)?)?;
    let atoms = AtomRelativePositions::load(vb.pp("atom_rel_pos_encoding"))?;
    let positions = relative_positions(&features, device())?;
    let tensors = features.tensors(device())?;
    let (s, z) = (golden.input("s")?, golden.input("z")?);
    let prepared = head.prepare((&features, &tensors), &positions, &atoms, s, z)?;
    Ok((head, prepared))
}

fn diffusion_step(golden: &Golden, multimer: bool) -> Result<Vec<Row>> {
    let (head, prepared) = diffusion(golden, golden, multimer)?;
    let reference = golden.input("x_noisy")?;
    let (samples, length) = (reference.dim(1)?, reference.dim(2)?);
    let level = golden.number("t_hat")?;
    let noisy = reference.reshape((samples, length * ATOM14, 3))?;
    let denoised = head.denoise(&prepared, &noisy, level, 5)?.reshape(reference.dims())?;
    // One sample at a time must give the same.
    let alone = head.denoise(&prepared, &noisy, level, 1)?.reshape(reference.dims())?;
    let alone = Row::compare("out, sample by sample", &alone, golden.output("out")?, MODULE_BAR)?;

    let levels = SamplingConfig { num_steps: 20, ..SamplingConfig::default() }.noise_levels();
    let levels = Tensor::from_slice(&levels, levels.len(), device())?;
    // A layer that passes the encoding through; atom a of the first residue against that residue, which is key 4.
    let atoms = AtomRelativePositions::load(golden.var_builder().pp("atom_rel_pos_encoding"))?;
    let identity = Tensor::eye(ATOM_RELATIVE_POSITIONS, DType::F32, device())?;
    let encoding = atoms.project(&features(golden)?, &identity)?;
    let encoding = encoding.narrow(1, 0, 1)?.squeeze(1)?.narrow(1, 0, ATOM14)?.narrow(2, 4 * ATOM14, ATOM14)?;
    let biases = Tensor::stack(prepared.pair_biases(), 0)?;
    let single = head.single_condition(&prepared, level)?.unsqueeze(1)?;
    Ok(vec![
        features_row(golden, &features(golden)?)?,
        golden.compare("sigmas_20", &levels, 1e-12)?,
        golden.compare("atom_rel_pos_w0", &encoding.permute((1, 2, 0))?.contiguous()?, MODULE_BAR)?,
        golden.compare("pair_bias", &biases, MODULE_BAR)?,
        golden.compare("single_cond", &single, MODULE_BAR)?,
        golden.compare("out", &denoised, MODULE_BAR)?,
        alone,
    ])
}

fn sampling(steps: usize) -> SamplingConfig {
    SamplingConfig { num_steps: steps, ..SamplingConfig::default() }
}

fn sampler(golden: &Golden, multimer: bool) -> Result<Vec<Row>> {
    let weights = golden.value("weights")?.as_str().ok_or("config.json: weights is a name")?;
    let (head, prepared) = diffusion(golden, &golden.sibling(weights)?, multimer)?;
    let mut noise = golden.noise()?;
    let mut events = Unwatched;
    let mut watch = Watch::new(&mut events, "test", "", 0);
    let sampling = sampling(golden.size("steps")?);
    let coordinates = head.sample(&prepared, golden.size("N")?, &sampling, &mut noise, &mut watch)?;
    let coordinates = coordinates.reshape(golden.output("coords")?.dims())?;
    Ok(vec![
        golden.compare("coords", &coordinates, MODULE_BAR)?,
        Row::fact("tape", noise.remaining() == 0, format!("{} draws left", noise.remaining())),
    ])
}

/// The confidences of all samples under the reference's names.
fn metrics(golden: &Golden, length: usize, all: &[Confidence], bar: f64) -> Result<Vec<Row>> {
    let samples = all.len();
    let stack = |values: Vec<f32>, dims: &[usize]| -> Result<Tensor> {
        let dims = [&[1, samples], dims].concat();
        Ok(Tensor::from_vec(values, dims, device())?)
    };
    let list = |of: fn(&Confidence) -> &Vec<f32>| all.iter().flat_map(|one| of(one).iter().copied()).collect();
    // Of one sample PAE is called `pae_value`, because the logits have the other name.
    let pae = if golden.outputs.contains_key("pae_value") { "pae_value" } else { "pae" };
    let mut rows = vec![
        golden.compare("plddt", &stack(list(|one| &one.plddt), &[length])?, bar)?,
        golden.compare(pae, &stack(list(|one| &one.pae), &[length, length])?, bar)?,
        golden.compare("ptm", &stack(all.iter().map(|one| one.ptm).collect(), &[])?, bar)?,
    ];
    if golden.outputs.contains_key("iptm") {
        let chains = all.first().map_or(0, |one| one.chain_ptm.len());
        let interfaces = stack(list(|one| &one.interface_iptm), &[chains, chains])?;
        rows.push(golden.compare("iptm", &stack(all.iter().map(|one| one.iptm).collect(), &[])?, bar)?);
        rows.push(golden.compare("chain_ptm", &stack(list(|one| &one.chain_ptm), &[chains])?, bar)?);
        rows.push(golden.compare("interface_iptm", &interfaces, bar)?);
    }
    if golden.outputs.contains_key("pde") {
        let pde = all.iter().flat_map(|one| one.pde.iter().flatten().copied()).collect();
        rows.push(golden.compare("pde", &stack(pde, &[length, length])?, bar)?);
    }
    Ok(rows)
}

fn confidence_rows(golden: &Golden, multimer: bool) -> Result<Vec<Row>> {
    let features = features(golden)?;
    let tensors = features.tensors(device())?;
    let head = ConfidenceHead::load(golden.var_builder().pp("confidence_head"), &config(golden, multimer)?)?;
    let coordinates = golden.input("x_pred")?;
    let (samples, length) = (coordinates.dim(1)?, coordinates.dim(2)?);
    let coordinates = coordinates.reshape((samples, length * ATOM14, 3))?;
    let (s, z) = (golden.input("s")?, golden.input("z")?);
    let mut events = Unwatched;
    let mut watch = Watch::new(&mut events, "test", "", 0);
    let logits = (0..samples)
        .map(|sample| Ok(head.forward((&features, &tensors), s, z, &coordinates.get(sample)?, &mut watch)?))
        .collect::<Result<Vec<ConfidenceLogits>>>()?;
    let centres = head.bin_centres();
    let all =
        logits.iter().map(|logits| Ok(confidence(&features, logits, centres)?)).collect::<Result<Vec<Confidence>>>()?;
    let mut rows = metrics(golden, length, &all, MODULE_BAR)?;
    let mut logits_row = |name: &str, of: fn(&ConfidenceLogits) -> Option<&Tensor>| -> Result<()> {
        let stacked: Vec<&Tensor> = logits.iter().filter_map(of).collect();
        rows.push(golden.compare(&format!("{name}.logits"), &Tensor::stack(&stacked, 0)?.unsqueeze(0)?, MODULE_BAR)?);
        Ok(())
    };
    logits_row("plddt", |logits| Some(&logits.plddt))?;
    logits_row("pae", |logits| Some(&logits.pae))?;
    logits_row("experimentally_resolved", |logits| Some(&logits.experimentally_resolved))?;
    if multimer {
        logits_row("pde", |logits| logits.pde.as_ref())?;
    }
    for (name, values) in [("plddt", Some(&centres.plddt)), ("pae", Some(&centres.pae)), ("pde", centres.pde.as_ref())]
    {
        if let Some(values) = values {
            let values = Tensor::from_slice(values, values.len(), device())?;
            rows.push(golden.compare(&format!("{name}.bin_centers"), &values, 1e-6)?);
        }
    }
    Ok(rows)
}

fn full(golden: &Golden, multimer: bool) -> Result<Vec<Row>> {
    let features = features(golden)?;
    let (lm, shape) = language_model(golden)?;
    let model = AtlasFold::load(golden.var_builder(), &config(golden, multimer)?, shape)?;
    let reference = golden.output("sample_coords")?;
    let settings = FoldSettings {
        num_recycles: golden.size("num_recycles")?,
        mlm_probability: golden.number("mlm_prob")?,
        num_samples: reference.dim(1)?,
        sampling: sampling(golden.size("steps")?),
    };
    let mut noise = golden.noise()?;
    let folded = model.fold(&lm, &features, None, &settings, &mut noise, "golden", &mut Unwatched)?;
    let distogram = model.distogram_head().forward(&folded.z)?.narrow(1, 0, 1)?.squeeze(1)?;
    let boundaries = model.distogram_head().boundaries();
    let boundaries = Tensor::from_slice(boundaries, boundaries.len(), device())?;
    let mut rows = vec![
        features_row(golden, &features)?,
        golden.compare("trunk.s", &folded.s, END_TO_END_BAR)?,
        golden.compare("trunk.z", &folded.z, END_TO_END_BAR)?,
        golden.compare("distogram.row0", &distogram, END_TO_END_BAR)?,
        golden.compare("distogram.boundaries", &boundaries, 1e-6)?,
        golden.compare("sample_coords", &folded.coordinates.reshape(reference.dims())?, END_TO_END_BAR)?,
        Row::fact("tape", noise.remaining() == 0, format!("{} draws left", noise.remaining())),
    ];
    rows.extend(metrics(golden, features.padded_length(), &folded.confidences, END_TO_END_BAR)?);
    Ok(rows)
}
