//! `doctor`: what this machine has for a prediction, what can run here, and the next step.

use std::path::{Path, PathBuf};

use clap::Args;
use kfold_inference::kfold::manifest::Manifest;
use kfold_inference::kfold::model_folder::Variant;
use kfold_inference::kfold::plan::{Plan, Request, Sizes, Weights, gibibytes};
use kfold_inference::kfold::run_times::RunTimes;
use kfold_inference::machine::{Machine, Nvidia};
use kfold_inference::network::is_offline;
use kfold_viewer::Gpu;
use serde::Serialize;

use super::models::list::State;
use super::models::{Place, size_text};
use super::{Outcome, standard_output};

/// The query that a machine is measured by: a protein of 400 residues with a drug-like ligand.
const TYPICAL_TOKENS: usize = 432;
const TYPICAL_ATOMS: usize = 3232;

/// Says what this machine has for a prediction and what is missing.
#[derive(Debug, Args)]
pub(super) struct Doctor {
    #[command(flatten)]
    place: Place,
    /// JSON on standard output
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Findings {
    version: &'static str,
    machine: Machine,
    nvidia: Option<Nvidia>,
    graphics: Graphics,
    weights: Weighing,
    /// The folder of weights' disk.
    disk_free_bytes: Option<u64>,
    offline: bool,
    can_run: Vec<CanRun>,
    next_step: String,
}

/// What draws.
#[derive(Serialize)]
struct Graphics {
    adapter: Option<String>,
    is_software: Option<bool>,
    error: Option<String>,
}

#[derive(Serialize)]
struct Weighing {
    folder: PathBuf,
    models: Vec<ModelState>,
}

#[derive(Serialize)]
struct ModelState {
    name: String,
    complete: bool,
    missing: Vec<String>,
    damaged: Vec<String>,
    begun: Vec<String>,
}

#[derive(Serialize)]
struct CanRun {
    what: &'static str,
    yes: bool,
    why: String,
}

impl Doctor {
    pub(super) fn run(&self) -> anyhow::Result<Outcome> {
        let folder = self.place.folder();
        let machine = Machine::here();
        let weights = Weighing { models: model_states(&folder)?, folder: folder.clone() };
        let can_run = can_run(&machine, &weights, &folder);
        let findings = Findings {
            version: env!("CARGO_PKG_VERSION"),
            nvidia: Nvidia::here(),
            graphics: graphics(),
            disk_free_bytes: free_bytes(&folder),
            offline: is_offline(),
            next_step: next_step(&weights, &can_run),
            machine,
            weights,
            can_run,
        };
        if self.json {
            standard_output::json(&findings)?;
        } else {
            standard_output::write(&text(&findings))?;
        }
        Ok(Outcome::Done)
    }
}

/// How it stands with each published model.
fn model_states(folder: &Path) -> anyhow::Result<Vec<ModelState>> {
    let manifest = Manifest::published()?;
    let of_model = |name: &str, files: &[String]| {
        let mut model = ModelState {
            name: name.to_owned(),
            complete: true,
            missing: Vec::new(),
            damaged: Vec::new(),
            begun: Vec::new(),
        };
        for file in files.iter().filter_map(|name| manifest.file(name)) {
            let list = match State::of(file, folder) {
                State::Here { .. } => continue,
                State::Absent => &mut model.missing,
                State::Begun { .. } => &mut model.begun,
                State::Damaged { .. } => &mut model.damaged,
            };
            list.push(file.name.clone());
            model.complete = false;
        }
        model
    };
    Ok(manifest.models.iter().map(|model| of_model(&model.name, &model.files)).collect())
}

fn graphics() -> Graphics {
    match Gpu::headless() {
        Ok(gpu) => Graphics { adapter: Some(gpu.description()), is_software: Some(gpu.is_software()), error: None },
        Err(error) => Graphics { adapter: None, is_software: None, error: Some(error.to_string()) },
    }
}

/// What can run here: docking always, K-Fold where its weights and a typical query's memory are.
fn can_run(machine: &Machine, weights: &Weighing, folder: &Path) -> Vec<CanRun> {
    let mut list = vec![CanRun { what: "docking", yes: true, why: "it needs no weights".to_owned() }];
    for (what, variant) in [("K-Fold", Variant::Full), ("light K-Fold", Variant::Light)] {
        let state = weights.models.iter().find(|model| model.name == variant.name());
        let (yes, why) = match (state, typical(machine, variant, folder)) {
            (Some(state), _) if !state.complete => {
                let lacking: Vec<&str> =
                    [&state.missing, &state.begun, &state.damaged].into_iter().flatten().map(String::as_str).collect();
                (false, format!("its weights are not here or not whole: {}", lacking.join(", ")))
            }
            (_, Some(plan)) => match &plan.refusal {
                Some(refusal) => (false, format!("a typical query of {TYPICAL_TOKENS} tokens does not fit: {refusal}")),
                None => {
                    (true, format!("a typical query of {TYPICAL_TOKENS} tokens needs {}", gibibytes(plan.peak_bytes)))
                }
            },
            _ => (false, "its configuration cannot be read".to_owned()),
        };
        list.push(CanRun { what, yes, why });
    }
    list
}

fn typical(machine: &Machine, variant: Variant, folder: &Path) -> Option<Plan> {
    let folder = kfold_inference::kfold::model_folder::ModelFolder::with_variant(folder, variant);
    let config = folder.config().or_else(|_| variant.published()).ok()?;
    let weights = Weights::of(&folder);
    let sizes = Sizes {
        tokens: TYPICAL_TOKENS,
        atoms: TYPICAL_ATOMS,
        protein_positions: 402,
        structure_residues: 400,
        folded: vec![vec![400]],
        ..Sizes::default()
    };
    Some(Plan::new(&Request::new(&sizes, &config, &weights), machine, &RunTimes::default()))
}

/// Free bytes of the disk that the folder is on, or will be.
fn free_bytes(folder: &Path) -> Option<u64> {
    let there = folder.ancestors().find(|folder| folder.is_dir())?;
    kfold_inference::download::free_bytes(there)
}

fn next_step(weights: &Weighing, can_run: &[CanRun]) -> String {
    if let Some(model) = weights.models.iter().find(|model| !model.damaged.is_empty()) {
        return format!(
            "bring {} again: kfold-studio models pull --force {}",
            model.damaged.join(", "),
            model.damaged.join(" ")
        );
    }
    if let Some(model) = weights.models.iter().find(|model| !model.begun.is_empty()) {
        return format!(
            "finish the download of {}: kfold-studio models pull {}",
            model.begun.join(", "),
            model.begun.join(" ")
        );
    }
    if can_run.iter().any(|can| can.yes && can.what != "docking") {
        return "predict: kfold-studio predict QUERY -o FOLDER --engine kfold".to_owned();
    }
    if weights.models.iter().any(|model| model.complete && model.name != "pairs") {
        return "run smaller queries, or use a machine with more memory; kfold-studio plan QUERY says what fits"
            .to_owned();
    }
    "get the weights: kfold-studio models pull full".to_owned()
}

fn text(findings: &Findings) -> String {
    let mut text = String::new();
    let mut line = |key: &str, value: &str| text.push_str(&format!("{key:<12} {value}\n"));
    let bytes = |bytes: Option<u64>| bytes.map_or_else(|| "unknown".to_owned(), size_text);
    let Findings { machine, nvidia, graphics, weights, .. } = findings;
    line("program", &format!("kfold-studio {}", findings.version));
    line("processor", &format!("{}, {} threads", machine.processor, machine.threads));
    line("memory", &format!("{}, {} free", bytes(machine.memory_bytes), bytes(machine.available_bytes)));
    match nvidia {
        None => line("NVIDIA", "no driver and no card"),
        Some(nvidia) => {
            let driver = nvidia.driver.as_deref().unwrap_or("not loaded");
            let cuda = nvidia.cuda.as_deref().unwrap_or("unknown");
            let library = if nvidia.has_library { "" } else { "; its library libcuda.so.1 is not installed" };
            line("NVIDIA", &format!("driver {driver}, CUDA up to {cuda}{library}"));
            for card in &nvidia.cards {
                line("", &format!("{}, {}, {} free", card.name, bytes(card.memory_bytes), bytes(card.free_bytes)));
            }
        }
    }
    match (&graphics.adapter, &graphics.error) {
        (Some(adapter), _) => {
            let software = if graphics.is_software == Some(true) { "; draws on the processor" } else { "" };
            line("graphics", &format!("{adapter}{software}"));
        }
        (None, error) => line("graphics", error.as_deref().unwrap_or("none")),
    }
    line("disk", &format!("{} free for weights", bytes(findings.disk_free_bytes)));
    line("weights", &weights.folder.display().to_string());
    for model in &weights.models {
        let mut parts = Vec::new();
        for (what, names) in [("missing", &model.missing), ("begun", &model.begun), ("damaged", &model.damaged)] {
            if !names.is_empty() {
                parts.push(format!("{what}: {}", names.join(", ")));
            }
        }
        let state = if model.complete { "complete".to_owned() } else { parts.join("; ") };
        line("", &format!("{}: {state}", model.name));
    }
    if findings.offline {
        line("network", "switched off (KFOLD_OFFLINE)");
    }
    for can in &findings.can_run {
        line("can run", &format!("{}: {}; {}", can.what, if can.yes { "yes" } else { "no" }, can.why));
    }
    line("next", &findings.next_step);
    text
}
