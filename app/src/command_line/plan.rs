//! `plan QUERY`: what a K-Fold prediction will need, before it runs.

use std::path::PathBuf;

use clap::Args;
use kfold_inference::folders;
use kfold_inference::kfold::features;
use kfold_inference::kfold::model_folder::{ModelFolder, Variant};
use kfold_inference::kfold::plan::{Plan as KFoldPlan, Request, Sizes, Weights, gibibytes};
use kfold_inference::kfold::run_times::RunTimes;
use kfold_inference::machine::Machine;
use kfold_inference::query::Query;

use super::models::{Place, parse_variant};
use super::predict::query_file;
use super::terminal::duration;
use super::{Outcome, standard_output};

/// Says what a K-Fold prediction of a query will need. The exit code is 0 when it fits.
#[derive(Debug, Args)]
pub(super) struct Plan {
    /// A query file (.yaml, .yml, .json), or a folder with a query.yaml
    query: PathBuf,
    /// The model: full or light
    #[arg(long, default_value = "full", value_parser = parse_variant, value_name = "MODEL")]
    model: Variant,
    /// Cycles of the trunk after the first
    #[arg(long, value_name = "N")]
    num_recycles: Option<usize>,
    /// Steps of the sampler
    #[arg(long, value_name = "N")]
    num_steps: Option<usize>,
    /// Samples of each seed
    #[arg(long, value_name = "N")]
    num_samples: Option<usize>,
    /// Apo structures of each protein
    #[arg(long, default_value_t = 1, value_name = "N")]
    num_apos: usize,
    /// Number of seeds
    #[arg(long, default_value_t = 1, value_name = "N")]
    num_seeds: usize,
    #[command(flatten)]
    place: Place,
    /// JSON on standard output
    #[arg(long)]
    json: bool,
}

impl Plan {
    pub(super) fn run(&self) -> anyhow::Result<Outcome> {
        let query = Query::read(&query_file(&self.query)?)?;
        let structure = features::reference_structure(&query)?;
        let sizes = Sizes::of(&query, &structure, self.num_apos.clamp(1, 5));
        let folder = ModelFolder::with_variant(self.place.folder(), self.model);
        let config = match folder.config_file() {
            Some(_) => folder.config()?,
            None => self.model.published()?,
        };
        let weights = Weights::of(&folder);
        let mut request = Request::new(&sizes, &config, &weights);
        let predict = &mut request.predict;
        predict.recycles = self.num_recycles.unwrap_or(predict.recycles);
        predict.steps = self.num_steps.unwrap_or(predict.steps).max(1);
        predict.samples = self.num_samples.unwrap_or(predict.samples).max(1);
        request.seeds = self.num_seeds.max(1);
        let plan = KFoldPlan::new(&request, &Machine::here(), &RunTimes::load(&folders::run_times()));
        if self.json {
            standard_output::json(&plan)?;
        } else {
            standard_output::write(&text(&query.name, self.model, &plan))?;
        }
        Ok(if plan.refusal.is_none() { Outcome::Done } else { Outcome::Incomplete })
    }
}

fn text(name: &str, model: Variant, plan: &KFoldPlan) -> String {
    let time = |seconds: Option<f64>| seconds.map_or_else(|| "unknown".to_owned(), duration);
    let mut text = format!(
        "{name}: {} tokens, {} atoms; {} model, on the processor\n",
        plan.sizes.tokens,
        plan.sizes.atoms,
        model.name()
    );
    for stage in &plan.stages {
        let how = match stage.is_streamed {
            true => "  layer by layer from its file",
            false => "",
        };
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
