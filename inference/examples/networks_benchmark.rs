//! One network on given weights and inputs, run when told: our half of `tests/benchmark/kfold/networks.py`.
//!
//! networks_benchmark CASE FOLDER [DEVICE [PRECISION]]
//!
//! DEVICE is `cpu` (without it), `cuda` or `cuda:N`; PRECISION `f32` (without it) or `bf16`: of the matrices that the reference multiplies under
//! autocast. FOLDER holds `config.json`, `weights.safetensors` and `inputs.safetensors`. Each line on standard input is a command, each
//! answer a line of JSON: `run` computes once and says how long it took and how much memory it had at most; `save FILE` writes
//! the result. A case is an arm of [`case`].

#![allow(clippy::print_stdout, reason = "this is its output")]

use std::collections::HashMap;
use std::error::Error;
use std::io::BufRead;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use candle_core::{DType, Device, Tensor};
use kfold_inference::kfold::checkpoint::Checkpoint;
use kfold_inference::kfold::config::ProteinSequenceEncoderConfig;
use kfold_inference::kfold::device::{self, DeviceChoice};
use kfold_inference::kfold::encoders::triprorep::AtomCoordinates;
use kfold_inference::kfold::encoders::triprorep::packed::Rows;
use kfold_inference::kfold::encoders::{
    AtlasLm, BackboneTokenizer, BackboneTokenizerConfig, FullAtomTokenizer, FullAtomTokenizerConfig, Residence,
    Sequences,
};
use kfold_inference::kfold::input::FoldingInput;
use kfold_inference::kfold::modules::TriangularStack;
use kfold_inference::kfold::modules::score_model::ScoreModel;
use kfold_inference::kfold::precision::Precision;
use serde_json::{Value, json};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Computes a case once.
type Run = Box<dyn FnMut() -> Result<HashMap<String, Tensor>>>;

/// Loads a case.
fn case(name: &str, folder: &Path, device: &Device, precision: Precision) -> Result<Run> {
    let config: Value = serde_json::from_str(&std::fs::read_to_string(folder.join("config.json"))?)?;
    let size = |key: &str| config[key].as_u64().map(|size| size as usize).ok_or(format!("config.json lacks {key}"));
    // The reference samples outside autocast.
    let matrices = if name == "score" { DType::F32 } else { precision.matrices(!device.is_cpu()) };
    let vb = Arc::new(Checkpoint::open(&folder.join("weights.safetensors"))?).var_builder(matrices, device);
    let inputs = Checkpoint::open(&folder.join("inputs.safetensors"))?;
    let input = |name: &str| inputs.tensor(name, device);
    match name {
        // Blocks of the trunk over a pair state [1, N, N, c_z].
        "trunk" => {
            let stack = TriangularStack::load(vb, size("channel_z")?, size("blocks")?)?;
            let (z, mask) = (input("z")?, input("pair_mask")?);
            Ok(Box::new(move || Ok(HashMap::from([("z".to_owned(), stack.forward(&z, &mask)?)]))))
        }
        // The protein language model over one chain, its weights in memory or read block by block.
        "atlaslm" | "atlaslm_streamed" => {
            let config = ProteinSequenceEncoderConfig {
                d_model: size("d_model")?,
                n_heads: size("n_heads")?,
                n_layers: size("n_layers")?,
                ..Default::default()
            };
            let residence = if name == "atlaslm" { Residence::Resident } else { Residence::Streamed };
            let lm = AtlasLm::load(vb, &config, residence)?;
            let sequences = Sequences::from_tensors(&input("input_ids")?, &input("seq_id")?, &input("pos_id")?)?;
            Ok(Box::new(move || Ok(HashMap::from([("out".to_owned(), lm.forward(&sequences, false)?.embeddings)]))))
        }
        // Structure tokenizers: what they look up in their codebooks.
        "bb_tokenizer" => {
            let tokenizer = BackboneTokenizer::load(vb, &BackboneTokenizerConfig::default())?;
            let atoms = residues(&input("coords")?)?;
            let backbones: Vec<_> = atoms.iter().map(|atoms| [atoms[0], atoms[1], atoms[2]]).collect();
            let numbers: Vec<i64> = (1..=atoms.len() as i64).collect();
            Ok(Box::new(move || rows(&tokenizer.encode(&backbones, &numbers)?)))
        }
        "fa_tokenizer" => {
            let tokenizer = FullAtomTokenizer::load(vb, &FullAtomTokenizerConfig::default())?;
            let atoms = residues(&input("coords")?)?;
            let types = input("aatypes")?.to_dtype(DType::I64)?.to_vec1::<i64>()?;
            let numbers: Vec<i64> = (1..=atoms.len() as i64).collect();
            let allowed = vec![true; atoms.len()];
            Ok(Box::new(move || rows(&tokenizer.encode(&types, &atoms, &numbers, &allowed)?)))
        }
        // One step of the score model for all samples, after what a trajectory needs once.
        "score" => {
            let mut sizes = config.clone();
            let keys = sizes.as_object_mut().ok_or("config.json is no map")?;
            keys.remove("tokens");
            keys.remove("samples");
            let model = ScoreModel::load(vb, &serde_json::from_value(sizes)?)?;
            let mut features = HashMap::new();
            for name in inputs.names().filter(|name| name.contains('.')) {
                features.insert(name.to_owned(), input(name)?);
            }
            let features = FoldingInput::from_tensors(&features)?;
            let trajectory = model.prepare(&features, &input("s_inputs")?, &input("z")?)?;
            let r = input("r_noisy")?;
            let c_noise = input("c_noise")?.get(0)?.to_scalar::<f32>()?;
            Ok(Box::new(move || Ok(HashMap::from([("out".to_owned(), model.step(&trajectory, &r, c_noise)?)]))))
        }
        _ => Err(format!("there is no case {name}").into()),
    }
}

/// Atoms of each residue from coordinates [residues, 37, 3].
fn residues(coordinates: &Tensor) -> Result<Vec<AtomCoordinates>> {
    let values = coordinates.flatten_all()?.to_vec1::<f32>()?;
    let mut points = values.chunks_exact(3).map(|point| [point[0], point[1], point[2]]);
    let count = coordinates.dim(0)?;
    Ok((0..count).map(|_| std::array::from_fn(|_| points.next().unwrap_or([f32::NAN; 3]))).collect())
}

/// Rows as the result `z` [1, rows, width].
fn rows(rows: &Rows) -> Result<HashMap<String, Tensor>> {
    let z = Tensor::from_vec(rows.refs().concat(), (1, rows.count(), rows.width()), &Device::Cpu)?;
    Ok(HashMap::from([("z".to_owned(), z)]))
}

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [name, folder, rest @ ..] = arguments.as_slice() else {
        return Err("networks_benchmark CASE FOLDER [DEVICE [PRECISION]]".into());
    };
    let device = device::open(rest.first().map_or(Ok(DeviceChoice::Cpu), |device| device.parse())?)?;
    let precision = rest.get(1).map_or(Ok(Precision::F32), |precision| precision.parse())?;
    let mut run = case(name, Path::new(folder), &device, precision)?;
    println!("{}", json!({ "ready": true }));
    let mut result = HashMap::new();
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        match line.split_once(' ') {
            None if line == "run" => {
                result.clear();
                // Sets the peak back to what is in memory now.
                let _ = std::fs::write("/proc/self/clear_refs", "5");
                let before = memory("VmRSS:");
                let (start, spent) = (Instant::now(), processor_seconds());
                result = run()?;
                device.synchronize()?;
                println!(
                    "{}",
                    json!({
                        "seconds": start.elapsed().as_secs_f64(),
                        "cpu_seconds": processor_seconds() - spent,
                        "before_bytes": before,
                        "peak_bytes": memory("VmHWM:"),
                    })
                );
            }
            Some(("save", path)) => {
                candle_core::safetensors::save(&result, path)?;
                println!("{}", json!({ "saved": path }));
            }
            _ => return Err(format!("unknown command: {line}").into()),
        }
    }
    Ok(())
}

/// A line of the process's memory accounts, in bytes.
fn memory(key: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let kilobytes = status.lines().find_map(|line| line.strip_prefix(key)?.trim().strip_suffix(" kB")?.parse().ok());
    kilobytes.unwrap_or(0u64) * 1024
}

/// Seconds that the threads of this process have spent on processors: what a loaded machine changes least.
fn processor_seconds() -> f64 {
    let tasks = std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let nanoseconds = tasks.filter_map(|task| {
        let text = std::fs::read_to_string(task.path().join("schedstat")).ok()?;
        text.split_whitespace().next()?.parse::<u64>().ok()
    });
    nanoseconds.sum::<u64>() as f64 * 1e-9
}
