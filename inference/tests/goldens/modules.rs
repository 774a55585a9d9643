//! Goldens of the modules after the trunk, of the input embedder, and of whole predictions.

use std::collections::BTreeMap;

use candle_core::{DType, Tensor};
use glam::Vec3;
use kfold_inference::kfold::config::{ConfidenceHeadConfig, EcsiConfig, InputEmbedderConfig, ScoreModelConfig};
use kfold_inference::kfold::input::ChainType;
use kfold_inference::kfold::layers::windows::AtomWindows;
use kfold_inference::kfold::modules::affinity_head::{AffinityHead, AffinityInput, CropLimits};
use kfold_inference::kfold::modules::confidence_head::{ConfidenceBins, ConfidenceHead, ConfidenceLogits};
use kfold_inference::kfold::modules::confidence_metrics::{ConfidenceSummary, ScoredComplex};
use kfold_inference::kfold::modules::distogram_head::DistogramHead;
use kfold_inference::kfold::modules::ecsi::{
    Ecsi, Equation, SampleOptions, Samples, align_rigid, align_rotation, points,
};
use kfold_inference::kfold::modules::input_embedder::{InputEmbedder, bond_adjacency};
use kfold_inference::kfold::modules::patch_geometry::PatchPairGeometryHead;
use kfold_inference::kfold::modules::score_model::ScoreModel;
use kfold_inference::kfold::noise::Noise;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::harness::{END_TO_END_BAR, Golden, MODULE_BAR, Result, Row, device};

/// Compares a golden of this family.
pub fn check(golden: &Golden) -> Option<Result<Vec<Row>>> {
    Some(match golden.name.as_str() {
        "kf_input_embedder" => input_embedder(golden),
        "kf_score_model" => score_model(golden),
        "kf_ecsi_numbers" => ecsi_numbers(golden),
        "kf_ecsi_sampler" => ecsi_sampler(golden),
        "kf_distogram_head" => distogram_head(golden),
        "kf_confidence_head" => confidence_head(golden),
        "kf_confidence_metrics" => confidence_metrics(golden),
        "kf_patch_geometry" => patch_geometry(golden),
        "kf_affinity_head" => affinity_head(golden),
        _ => return None,
    })
}

/// `config.json` as a section of the model's configuration, without its note.
fn section<T: DeserializeOwned>(golden: &Golden) -> Result<T> {
    let mut config = golden.config.clone();
    if let Some(keys) = config.as_object_mut() {
        keys.remove("note");
    }
    Ok(serde_json::from_value(config)?)
}

fn vector(numbers: &[f32]) -> Result<Tensor> {
    Ok(Tensor::from_slice(numbers, numbers.len(), device())?)
}

/// [1, samples, N, 3].
fn positions(samples: &Samples) -> Result<Tensor> {
    let numbers: Vec<f32> = samples.iter().flatten().flat_map(|point| point.to_array()).collect();
    let atoms = samples.first().map_or(0, Vec::len);
    Ok(Tensor::from_vec(numbers, (1, samples.len(), atoms, 3), device())?)
}

fn input_embedder(golden: &Golden) -> Result<Vec<Row>> {
    let module = InputEmbedder::load(golden.var_builder(), &section::<InputEmbedderConfig>(golden)?)?;
    let input = golden.folding_input()?;
    let (s, z) = module.forward(&input)?;
    let atoms = module.embed_atoms(&input, &AtomWindows::new(&input.atom.pad_mask)?)?;
    Ok(vec![
        golden.compare("atom_q", &atoms.single, MODULE_BAR)?,
        golden.exact("bond_adj", &bond_adjacency(&input)?)?,
        golden.compare("s_inputs", &s, MODULE_BAR)?,
        golden.compare("z_inputs", &z, MODULE_BAR)?,
    ])
}

fn score_model(golden: &Golden) -> Result<Vec<Row>> {
    let module = ScoreModel::load(golden.var_builder(), &section::<ScoreModelConfig>(golden)?)?;
    let input = golden.folding_input()?;
    let (s_inputs, z) = (golden.input("s_inputs")?, golden.input("z")?);
    let c_noise = golden.input("c_noise")?.flatten_all()?.get(0)?.to_scalar::<f32>()?;
    let parts = module.pair_parts(&input, z)?;
    let atoms = module.embed_atoms(&input, &AtomWindows::new(&input.atom.pad_mask)?, &parts.atom_pairs)?;
    let trajectory = module.prepare(&input, s_inputs, z)?;
    let out = module.step(&trajectory, &golden.input("r_noisy")?.squeeze(0)?, c_noise)?;
    Ok(vec![
        golden.compare("pair_cond", &module.pair_conditioning(&input, z)?, MODULE_BAR)?,
        golden.compare("pair_bias", &parts.bias.squeeze(1)?.unsqueeze(0)?, MODULE_BAR)?,
        golden.compare("single_cond", &module.single_conditioning(s_inputs, c_noise)?, MODULE_BAR)?,
        golden.compare("q", &atoms.single, MODULE_BAR)?,
        golden.compare("p_window0", &atoms.pair.narrow(0, 0, 1)?, MODULE_BAR)?,
        golden.compare("out", &out.unsqueeze(0)?, MODULE_BAR)?,
    ])
}

fn ecsi_numbers(golden: &Golden) -> Result<Vec<Row>> {
    let ecsi = Ecsi::new(&serde_json::from_value::<EcsiConfig>(golden.value("cfg")?.clone())?);
    let mut rows = Vec::new();
    let table = |rows: Vec<Vec<f64>>| -> Result<Tensor> { Ok(Tensor::new(rows, device())?) };
    for (name, schedule) in &golden.outputs {
        if let Some(steps) = name.strip_prefix("schedule_") {
            let times = Tensor::new(ecsi.schedule(steps.parse()?)?, device())?;
            rows.push(Row::compare(name, &times, schedule, 1e-12)?);
        }
    }
    let times = golden.output("t")?.to_vec1::<f64>()?;
    rows.push(golden.exact("t", &Tensor::new(times.as_slice(), device())?)?);
    let scalings =
        times.iter().map(|t| ecsi.scalings(*t)).map(|scalings| vec![scalings.input, scalings.skip, scalings.output]);
    rows.push(golden.compare("c_in_skip_out", &table(scalings.collect())?, 1e-9)?);
    let levels: Vec<f64> = times.iter().map(|t| Ecsi::noise_level(*t)).collect();
    rows.push(golden.compare("c_noise", &Tensor::new(levels, device())?, 1e-12)?);
    let coefficients = times.iter().map(|t| {
        vec![Ecsi::alpha(*t), Ecsi::beta(*t), ecsi.gamma(*t), ecsi.gamma_derivative(*t), ecsi.effective_noise(*t)]
    });
    rows.push(golden.compare("alpha_beta_gamma_gammadot_sigmaeff", &table(coefficients.collect())?, 1e-9)?);
    let churned = golden
        .output("churn_t_to_that")?
        .to_vec2::<f64>()?
        .into_iter()
        .map(|pair| vec![pair[0], ecsi.churned_time(pair[0]).map_or(pair[0], |(churned, _)| churned)]);
    rows.push(golden.compare("churn_t_to_that", &table(churned.collect())?, 1e-9)?);

    let mask = golden.input("mask")?.flatten_all()?.to_vec1::<u8>()?;
    let mask: Vec<bool> = mask.iter().map(|valid| *valid != 0).collect();
    let count = golden.input("x")?.dim(1)?;
    let take = |name: &str| -> Result<Samples> { Ok(points(golden.input(name)?, count)?) };
    let (x, x0, end, noise) = (take("x")?, take("x0")?, take("xT")?, take("noise")?);
    let taped = points(&golden.noise()?.randn(golden.input("x")?.dims())?, count)?;
    let each = |f: &dyn Fn(usize, &mut Vec<Vec3>)| -> Result<Tensor> {
        let mut moved = x.clone();
        moved.iter_mut().enumerate().for_each(|(sample, x)| f(sample, x));
        positions(&moved)
    };
    let churned = ecsi.churned_time(0.8).ok_or("there is no churn at 0.8")?;
    let out = each(&|sample, x| ecsi.churn(x, &end[sample], &noise[sample], &mask, 0.8, churned))?;
    rows.push(golden.compare("churn_x", &out, MODULE_BAR)?);
    for (name, equation, times) in [
        ("update_sde_ecsi", Equation::Stochastic, (0.6, 0.55)),
        ("update_ode_si", Equation::Deterministic, (0.08, 0.05)),
        ("update_ode_si_last", Equation::Deterministic, (1e-8, 0.0)),
    ] {
        let out = each(&|sample, x| ecsi.update(equation, x, &x0[sample], &end[sample], &taped[sample], &mask, times))?;
        rows.push(golden.compare(name, &out, MODULE_BAR)?);
    }
    rows.push(golden.compare(
        "rigid_align_rot",
        &each(&|sample, x| align_rotation(x, &x0[sample], &mask))?,
        MODULE_BAR,
    )?);
    rows.push(golden.compare(
        "rigid_align_full",
        &each(&|sample, x| align_rigid(x, &x0[sample], &mask))?,
        MODULE_BAR,
    )?);
    let mirrored = each(&|sample, x| {
        let target: Vec<Vec3> = x0[sample].iter().map(|point| *point * Vec3::new(-1.0, 1.0, 1.0)).collect();
        x.clone_from(&x0[sample]);
        align_rotation(x, &target, &mask);
    })?;
    rows.push(golden.compare("rigid_align_mirror", &mirrored, MODULE_BAR)?);
    Ok(rows)
}

fn ecsi_sampler(golden: &Golden) -> Result<Vec<Row>> {
    let weights = golden.sibling("kf_score_model")?;
    let model = ScoreModel::load(weights.var_builder(), &section::<ScoreModelConfig>(&weights)?)?;
    let ecsi = Ecsi::new(&golden.tiny_config()?.diffusion_head);
    let input = golden.folding_input()?;
    let trajectory = model.prepare(&input, golden.input("s_inputs")?, golden.input("z")?)?;
    let options = SampleOptions {
        steps: golden.size("num_steps")?,
        samples: golden.size("num_samples")?,
        at_once: 10,
        keep_path: true,
    };
    let mut steps = 0;
    let mut noise = golden.noise()?;
    let sampled = ecsi.sample(&model, &trajectory, &input, options, &mut noise, &mut |step| {
        steps = step;
        Ok(())
    })?;
    // [steps + 1][samples] to [1, samples, steps + 1, N, 3].
    let path = sampled.path.iter().map(positions).collect::<Result<Vec<_>>>()?;
    let path = Tensor::stack(&path, 2)?;
    Ok(vec![
        Row::fact("steps heard of", steps == options.steps, steps.to_string()),
        Row::fact("the tape ended", noise.randn(&[1]).is_err(), "no draw is left"),
        golden.compare("init_coordinates", &positions(&sampled.initial)?, END_TO_END_BAR)?,
        golden.compare("traj", &path, END_TO_END_BAR)?,
        golden.compare("coordinates", &positions(&sampled.coordinates)?, END_TO_END_BAR)?,
    ])
}

fn distogram_head(golden: &Golden) -> Result<Vec<Row>> {
    let head = DistogramHead::load(golden.var_builder(), &golden.tiny_config()?.distogram_head)?;
    let logits = head.forward(golden.input("z")?)?;
    let contacts = head.contacts(&logits, golden.input("token_pad_mask")?)?;
    Ok(vec![
        golden.compare("bin_boundaries", &vector(head.boundaries())?, 1e-6)?,
        golden.compare("logits", &logits, MODULE_BAR)?,
        golden.compare("prob_contact", &contacts, MODULE_BAR)?,
    ])
}

fn confidence_head(golden: &Golden) -> Result<Vec<Row>> {
    let head = ConfidenceHead::load(golden.var_builder(), &section::<ConfidenceHeadConfig>(golden)?)?;
    let input = golden.folding_input()?;
    let [s_inputs, s_lm, z] = [golden.input("s_inputs")?, golden.input("s_lm")?, golden.input("z")?];
    let shared = head.prepare(&input, s_inputs, s_lm, z)?;
    let x = golden.input("x_pred")?.squeeze(0)?;
    let logits =
        (0..x.dim(0)?).map(|sample| Ok(head.forward(&shared, &x.get(sample)?)?)).collect::<Result<Vec<_>>>()?;
    let stack = |part: fn(&ConfidenceLogits) -> &Tensor| -> Result<Tensor> {
        let parts: Vec<&Tensor> = logits.iter().map(part).collect();
        Ok(Tensor::stack(&parts, 0)?.unsqueeze(0)?)
    };
    let bins = head.bins();
    Ok(vec![
        golden.compare("pae_bin_centers", &vector(&bins.pae)?, 1e-6)?,
        golden.compare("pde_bin_centers", &vector(&bins.pde)?, 1e-6)?,
        golden.compare("plddt_bin_centers", &vector(&bins.plddt)?, 1e-6)?,
        golden.compare("pae_logits", &stack(|logits| &logits.pae)?, MODULE_BAR)?,
        golden.compare("pde_logits", &stack(|logits| &logits.pde)?, MODULE_BAR)?,
        golden.compare("plddt_logits", &stack(|logits| &logits.plddt)?, MODULE_BAR)?,
        golden.compare("resolved_logits", &stack(|logits| &logits.resolved)?, MODULE_BAR)?,
    ])
}

/// Numbers of a summary under their last key: pLDDT with pLDDT, pTM with pTM. Also the paths, to compare what is there.
fn leaves(value: &Value, path: &str, found: &mut BTreeMap<String, Vec<(String, f64)>>) {
    match value {
        Value::Object(entries) => {
            for (key, value) in entries {
                leaves(value, &format!("{path}/{key}"), found);
            }
        }
        other => {
            let key = path.rsplit('/').next().unwrap_or_default().to_owned();
            found.entry(key).or_default().push((path.to_owned(), other.as_f64().unwrap_or(f64::NAN)));
        }
    }
}

/// Compares a summary with the reference's.
fn compare_summary(name: &str, ours: &ConfidenceSummary, reference: &Value, bar: f64) -> Result<Row> {
    let (mut found, mut expected) = (BTreeMap::new(), BTreeMap::new());
    leaves(&serde_json::to_value(ours)?, "", &mut found);
    leaves(reference, "", &mut expected);
    let mut worst = 0.0_f64;
    for (key, expected) in &expected {
        let found = found.remove(key).ok_or_else(|| format!("the summary lacks {key}"))?;
        let paths = |leaves: &[(String, f64)]| leaves.iter().map(|(path, _)| path.clone()).collect::<Vec<_>>();
        if paths(&found) != paths(expected) {
            return Ok(Row::fact(name, false, format!("{key} is given for other parts than in the reference")));
        }
        let largest = expected.iter().fold(1e-30_f64, |most, (_, value)| most.max(value.abs()));
        for ((_, a), (_, b)) in found.iter().zip(expected) {
            worst = if (a - b).is_nan() { f64::INFINITY } else { worst.max((a - b).abs() / largest) };
        }
    }
    let all = found.is_empty();
    Ok(Row::fact(name, all && worst <= bar, format!("error {worst:.2e}, bar {bar:.0e}")))
}

fn confidence_metrics(golden: &Golden) -> Result<Vec<Row>> {
    let names = golden.value("chain_names")?.as_object().ok_or("chain_names is no map")?;
    let mut chains = Vec::new();
    for (chain, name) in names {
        chains.push((chain.parse::<i64>()?, name.as_str().ok_or("a chain's name is no text")?.to_owned()));
    }
    chains.sort();
    let complex = ScoredComplex::new(&golden.folding_input()?, chains)?;
    let centers = |name: &str| -> Result<Vec<f32>> { Ok(golden.input(name)?.to_vec1::<f32>()?) };
    let bins = ConfidenceBins {
        pae: centers("confidence.pae_bin_centers")?,
        pde: centers("confidence.pde_bin_centers")?,
        plddt: centers("confidence.plddt_bin_centers")?,
    };
    let coordinates = golden.input("diffusion.coordinates")?;
    let count = coordinates.dim(0)?;
    let coordinates = points(coordinates, count)?;
    let summaries = golden.value("summary")?.as_array().ok_or("summary is no list")?;
    let mut rows = vec![Row::fact(
        "sizes",
        complex.num_tokens() == golden.size("n_tokens")? && complex.num_atoms() == golden.size("n_atoms")?,
        format!("{} tokens, {} atoms", complex.num_tokens(), complex.num_atoms()),
    )];
    for sample in 0..count {
        let of = |name: &str| -> Result<Tensor> { Ok(golden.input(&format!("confidence.{name}"))?.get(sample)?) };
        let logits = ConfidenceLogits {
            pae: of("pae_logits")?,
            pde: of("pde_logits")?,
            plddt: of("plddt_logits")?,
            resolved: Tensor::zeros((1, 2), DType::F32, device())?,
        };
        let scores = complex.score(&coordinates[sample], &logits, &bins)?;
        let square = |numbers: &[f32]| -> Result<Tensor> {
            Ok(vector(numbers)?.reshape((complex.num_tokens(), complex.num_tokens()))?)
        };
        rows.push(golden.compare(&format!("{sample}.plddt"), &vector(&scores.plddt)?, MODULE_BAR)?);
        rows.push(golden.compare(&format!("{sample}.pae"), &square(&scores.pae)?, MODULE_BAR)?);
        rows.push(golden.compare(&format!("{sample}.pde"), &square(&scores.pde)?, MODULE_BAR)?);
        let reference = summaries.get(sample).ok_or("a summary is missing")?;
        rows.push(compare_summary(&format!("{sample}.summary"), &scores.summary, reference, MODULE_BAR)?);
    }
    Ok(rows)
}

fn patch_geometry(golden: &Golden) -> Result<Vec<Row>> {
    let config = golden.tiny_config()?;
    let head_config = config.patch_pair_geometry.ok_or("tiny_model has no patch geometry head")?;
    let z = golden.input("z")?;
    let head = PatchPairGeometryHead::load(golden.var_builder(), &head_config, z.dim(3)?)?;
    let positions = points(golden.input("repr_coords")?, 1)?.remove(0);
    let flags = |name: &str| -> Result<Vec<u8>> { Ok(golden.input(name)?.flatten_all()?.to_vec1::<u8>()?) };
    let known: Vec<bool> =
        flags("repr_mask")?.iter().zip(flags("pad_mask")?).map(|(known, real)| *known != 0 && real != 0).collect();
    let chains = golden.input("asym_id")?.flatten_all()?.to_dtype(DType::I64)?.to_vec1::<i64>()?;
    let pairs = head.forward(z, &positions, &known, &chains)?.ok_or("no pair of patches was found")?;
    // The reference does not sort its selection, so rows are paired by what they hold: targets, weights, logits.
    let ours = sorted_rows(&pairs.logits, &pairs.target, &pairs.weight, &pairs.hard_negative)?;
    let reference = sorted_rows(
        golden.output("logits")?,
        &golden.output("target")?.to_vec1::<i64>()?,
        &golden.output("weight")?.to_vec1::<f32>()?,
        &golden.output("hard_negative")?.to_vec1::<u8>()?.iter().map(|flag| *flag != 0).collect::<Vec<_>>(),
    )?;
    let same = |f: &dyn Fn(&PairRow) -> (i64, u32, bool)| ours.iter().map(f).eq(reference.iter().map(f));
    let logits = |rows: &[PairRow]| -> Result<Tensor> {
        let rows: Vec<Vec<f32>> = rows.iter().map(|row| row.3.clone()).collect();
        Ok(Tensor::new(rows, device())?)
    };
    Ok(vec![
        Row::fact("target", same(&|row| (row.0, 0, false)), format!("{} pairs", ours.len())),
        Row::fact("weight", same(&|row| (0, row.1.to_bits(), false)), "equal"),
        Row::fact("hard_negative", same(&|row| (0, 0, row.2)), "equal"),
        Row::compare("logits", &logits(&ours)?, &logits(&reference)?, MODULE_BAR)?,
    ])
}

/// Target, weight, hard negative, logits of a pair of patches.
type PairRow = (i64, f32, bool, Vec<f32>);

fn sorted_rows(logits: &Tensor, target: &[i64], weight: &[f32], hard: &[bool]) -> Result<Vec<PairRow>> {
    let logits = logits.to_vec2::<f32>()?;
    let mut rows: Vec<PairRow> = logits
        .into_iter()
        .zip(target.iter().zip(weight).zip(hard))
        .map(|(logits, ((target, weight), hard))| (*target, *weight, *hard, logits))
        .collect();
    rows.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)).then(a.2.cmp(&b.2)).then(a.3[0].total_cmp(&b.3[0])));
    Ok(rows)
}

fn affinity_head(golden: &Golden) -> Result<Vec<Row>> {
    let limits = CropLimits {
        max_tokens: golden.size("max_tokens")?,
        max_protein_tokens: golden.size("max_protein_tokens")?,
        neighborhood: golden.size("neighborhood")?,
    };
    // As a training checkpoint would name them.
    let weights = golden.weights.iter().map(|(name, tensor)| (format!("model._orig_mod.{name}"), tensor.clone()));
    let mut weights: std::collections::HashMap<_, _> = weights.collect();
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("affinity.safetensors");
    candle_core::safetensors::save(&weights, &file)?;
    let head = AffinityHead::open(&file, limits, device())?;
    let flags = |name: &str| -> Result<Vec<u8>> { Ok(golden.input(name)?.to_vec1::<u8>()?) };
    let chain_types = flags("is_protein")?.into_iter().zip(flags("is_ligand")?).map(|kinds| match kinds {
        (0, 0) => -1,
        (_, 0) => ChainType::Protein as i64,
        _ => ChainType::Ligand as i64,
    });
    let chain_types: Vec<i64> = chain_types.collect();
    let input = AffinityInput {
        s_inputs: golden.input("s_inputs")?,
        s_lm: golden.input("s_lm")?,
        z: golden.input("z")?,
        distogram_logits: golden.input("distogram_logits")?,
        chain_types: &chain_types,
    };
    let readout = head.forward(input)?;
    let record = head.predict(input)?;
    let crop: Vec<i64> = readout.crop.tokens.iter().map(|token| *token as i64).collect();
    let consistent = record.p_activity == readout.p_activity
        && record.num_tokens == crop.len()
        && record.num_protein_tokens + record.num_ligand_tokens == crop.len()
        && record.checkpoint_sha256.len() == 64;
    weights.remove("model._orig_mod.single_to_pair.weight");
    weights.insert("model.trunk.weight".to_owned(), Tensor::zeros(1, DType::F32, device())?);
    let refused =
        AffinityHead::from_tensors(weights, String::new(), limits, device()).err().map(|error| error.to_string());
    let refused = refused.unwrap_or_default();
    let named = refused.contains("single_to_pair.weight is missing") && refused.contains("trunk.weight is not known");
    Ok(vec![
        golden.exact("crop_indices", &Tensor::from_vec(crop.clone(), crop.len(), device())?)?,
        golden.compare("distogram_features", &readout.distogram_features, MODULE_BAR)?,
        golden.compare("pooled_z", &readout.pooled_z, MODULE_BAR)?,
        golden.compare("pooled_s", &readout.pooled_s, MODULE_BAR)?,
        golden.compare("p_activity", &Tensor::new(readout.p_activity, device())?, MODULE_BAR)?,
        Row::fact("record", consistent, format!("{} tokens", record.num_tokens)),
        Row::fact("faults are named", named, refused),
    ])
}
