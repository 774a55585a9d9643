//! `plan QUERY`: what a K-Fold prediction will need, before it runs.

use std::path::PathBuf;

use clap::Args;
use kfold_inference::folders;
use kfold_inference::kfold::device::{DeviceChoice, cuda_cards};
use kfold_inference::kfold::features;
use kfold_inference::kfold::model_folder::Variant;
use kfold_inference::kfold::plan::{Plan as KFoldPlan, Request, Sizes, Weights, gibibytes};
use kfold_inference::kfold::run_times::RunTimes;
use kfold_inference::machine::Machine;
use kfold_inference::query::{LigandSource, Query, SeriesLigand};
use kfold_inference::settings::Settings;

use super::common::read_query;
use super::kfold::KFoldArguments;
use super::predict::query_file;
use super::terminal::duration;
use super::{Outcome, standard_output};

/// Says what a K-Fold prediction of a query will need. The exit code is 0 when it fits.
#[derive(Debug, Args)]
pub(super) struct Plan {
    /// A query file (.yaml, .yml, .json; of Boltz, AlphaFold 3, AlphaFold Server too; .fasta), or a folder with a query.yaml
    query: PathBuf,
    /// Number of seeds
    #[arg(long, default_value_t = 1, value_name = "N")]
    num_seeds: usize,
    #[command(flatten)]
    kfold: KFoldArguments,
    /// JSON on standard output
    #[arg(long)]
    json: bool,
}

impl Plan {
    pub(super) fn run(&self) -> anyhow::Result<Outcome> {
        let (query, _) = read_query(&query_file(&self.query)?)?;
        let query = largest_member(query);
        let mut settings = Settings::for_query(&query).kfold;
        self.kfold.apply(&mut settings)?;
        let structure = features::reference_structure(&query)?;
        let sizes = Sizes::of(&query, &structure, settings.apo_count());
        let folder = settings.model_folder();
        let mut config = match folder.config_file() {
            Some(_) => folder.config()?,
            None => settings.model.published()?,
        };
        if settings.disable_struct_encoder {
            config.protein_structure_encoder = None;
        }
        if settings.disable_rna_encoder {
            config.rna_sequence_encoder = None;
        }
        let weights = Weights::of(&folder);
        let mut request = Request::of_settings(&sizes, &config, &weights, &settings);
        request.seeds = self.num_seeds.max(1);
        let mut machine = Machine::here();
        if let DeviceChoice::Cuda(ordinal) = settings.device {
            let cards = cuda_cards().unwrap_or_default();
            machine.available_bytes = cards.iter().find(|card| card.ordinal == ordinal).map(|card| card.free_bytes);
        }
        let plan = KFoldPlan::new(&request, &machine, &RunTimes::load(&folders::run_times()));
        if self.json {
            standard_output::json(&plan)?;
        } else {
            let place = if request.is_on_card { "a card (computed, never measured)" } else { "the processor" };
            standard_output::write(&text(&query.name, settings.model, place, &plan))?;
        }
        Ok(if plan.refusal.is_none() { Outcome::Done } else { Outcome::Incomplete })
    }
}

/// The query, or of a series the one with the ligand whose SMILES is longest: no other needs more.
fn largest_member(query: Query) -> Query {
    let length = |ligand: &SeriesLigand| match &ligand.source {
        LigandSource::Smiles(smiles) => smiles.len(),
        LigandSource::Ccd(_) | LigandSource::Sdf { .. } => 0,
    };
    let Some(largest) = query.series.iter().max_by_key(|ligand| length(ligand)) else { return query };
    query.with_ligand(largest)
}

fn text(name: &str, model: Variant, place: &str, plan: &KFoldPlan) -> String {
    let time = |seconds: Option<f64>| seconds.map_or_else(|| "unknown".to_owned(), duration);
    let mut text = format!(
        "{name}: {} tokens, {} atoms; {} model, on {place}\n",
        plan.sizes.tokens,
        plan.sizes.atoms,
        model.name()
    );
    for stage in &plan.stages {
        let how = if stage.is_streamed { "  layer by layer from its file" } else { "" };
        text += &format!(
            "{:<28} {:>9}  {:>12}{how}\n",
            stage.stage.display_name(),
            gibibytes(stage.peak_bytes()),
            time(stage.seconds)
        );
    }
    let free = plan.available_bytes.map_or_else(|| "unknown".to_owned(), gibibytes);
    text += &format!(
        "{:<28} {:>9}  {:>12}  {free} free\n",
        "peak, and time in all",
        gibibytes(plan.peak_bytes),
        time(plan.seconds)
    );
    text += &format!("samples at once: {}\n", plan.at_once);
    if let Some(refusal) = &plan.refusal {
        text += &format!("does not fit: {refusal}\n");
    }
    text
}
