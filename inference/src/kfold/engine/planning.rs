//! The plan of a run, kept to: what does not fit is refused before anything is computed, samples are taken in smaller groups where
//! memory is short, and what each stage took is noted for the next plan.

use std::time::Instant;

use candle_core::{DType, Device};

use crate::engine::EngineError;
use crate::kfold::config::KFoldConfig;
use crate::kfold::device::DeviceChoice;
use crate::kfold::features::reference::ReferenceStructure;
use crate::kfold::model::{PredictOptions, Step};
use crate::kfold::model_folder::ModelFolder;
use crate::kfold::plan::{Plan, Request, Sizes, Stage, Weights, device_name};
use crate::kfold::run_times::RunTimes;
use crate::kfold::settings::KFoldSettings;
use crate::machine::Machine;
use crate::query::Query;

/// The environment variable that bounds how many samples the score model takes at once; whoever starts a worker again after
/// memory ended sets it.
pub const AT_ONCE_VARIABLE: &str = "KFOLD_SAMPLES_AT_ONCE";

/// Less than this, and the apo structures were there from an earlier run: seconds.
const LEAST_APO_SECONDS: f64 = 1.0;

/// The bound that the environment sets.
pub(super) fn samples_at_once() -> Option<usize> {
    std::env::var(AT_ONCE_VARIABLE).ok().and_then(|bound| bound.parse().ok())
}

/// A run as planned.
pub(super) struct Planned {
    sizes: Sizes,
    config: KFoldConfig,
    weights: Weights,
    settings: KFoldSettings,
    device: String,
    matrices: DType,
    plan: Plan,
    times: RunTimes,
    /// Since when the present stage of the networks runs.
    since: Instant,
}

impl Planned {
    /// Plans one seed.
    ///
    /// # Errors
    /// When it does not fit this machine; the text says what would.
    pub fn new(
        query: &Query,
        structure: &ReferenceStructure,
        models: &ModelFolder,
        config: &KFoldConfig,
        settings: &KFoldSettings,
        device: &Device,
        times: RunTimes,
    ) -> Result<Self, EngineError> {
        let mut machine = Machine::here();
        let name = if device.is_cpu() { device_name(&machine) } else { format!("{:?}", device.location()) };
        if !device.is_cpu() {
            // The formulas are those of the processor; a card says itself when its memory ends.
            machine.available_bytes = None;
        }
        let sizes = Sizes::of(query, structure, settings.apo_count());
        let weights = Weights::of(models);
        let matrices = settings.precision.matrices(!device.is_cpu());
        let request = request(&sizes, config, &weights, settings, (&name, matrices));
        let plan = Plan::new(&request, &machine, &times);
        if let Some(refusal) = &plan.refusal {
            return Err(EngineError::Failed(refusal.to_string()));
        }
        Ok(Self {
            sizes,
            config: config.clone(),
            weights,
            settings: settings.clone(),
            device: name,
            matrices,
            plan,
            times,
            since: Instant::now(),
        })
    }

    /// Samples that the score model takes at once.
    pub fn at_once(&self) -> usize {
        self.plan.at_once
    }

    /// Takes fewer samples at once after memory ended; whether there is anything smaller.
    pub fn make_smaller(&mut self) -> bool {
        let smaller = self.plan.smaller(Stage::Sampler);
        self.plan.at_once = smaller.unwrap_or(self.plan.at_once);
        smaller.is_some()
    }

    /// A stage begins.
    pub fn begin(&mut self) {
        self.since = Instant::now();
    }

    /// The apo structures are there.
    pub fn apo_ended(&mut self) {
        if self.since.elapsed().as_secs_f64() >= LEAST_APO_SECONDS {
            self.ended(&[Stage::Apo]);
        }
    }

    /// The features are there.
    pub fn tokens_ended(&mut self) {
        self.ended(&[Stage::StructureTokens]);
    }

    /// The encoders are done.
    pub fn encoders_ended(&mut self) {
        self.ended(&[Stage::ProteinEncoder, Stage::RnaEncoder, Stage::StructureEncoder]);
    }

    /// The networks took a step; its stage may have ended with it.
    pub fn step(&mut self, step: Step) {
        match step {
            Step::Trunk(done, all) if done == all => self.ended(&[Stage::Trunk]),
            Step::Sampling(done, all) if done == all => self.ended(&[Stage::Sampler]),
            Step::Confidence(done, all) if done == all => self.ended(&[Stage::Confidence]),
            _ => {}
        }
    }

    /// Notes the time of stages that ran together, shared by their work, and begins the next.
    fn ended(&mut self, stages: &[Stage]) {
        let seconds = self.since.elapsed().as_secs_f64();
        let planned: Vec<_> =
            self.plan.stages.iter().filter(|planned| stages.contains(&planned.stage)).cloned().collect();
        let work: f64 = planned.iter().map(|stage| stage.work).sum();
        let request = request(&self.sizes, &self.config, &self.weights, &self.settings, (&self.device, self.matrices));
        for stage in planned {
            let share = if work > 0.0 { stage.work / work } else { 1.0 };
            self.times.note(self.plan.run_time(&request, stage.stage, seconds * share));
        }
        self.since = Instant::now();
    }
}

/// One seed with these settings.
fn request<'a>(
    sizes: &'a Sizes,
    config: &'a KFoldConfig,
    weights: &'a Weights,
    settings: &KFoldSettings,
    (device, matrices): (&str, DType),
) -> Request<'a> {
    let mut request = Request::of_settings(sizes, config, weights, settings);
    (request.matrices, request.is_on_card) = (matrices, !device.starts_with("cpu"));
    request.predict.at_once = request.predict.at_once.min(samples_at_once().unwrap_or(usize::MAX)).max(1);
    device.clone_into(&mut request.device);
    request
}

/// Whether an error says that memory ended: a card's driver, or the system.
pub(super) fn is_out_of_memory(error: &EngineError) -> bool {
    let text = error.to_string().to_lowercase();
    matches!(error, EngineError::Failed(_)) && (text.contains("out of memory") || text.contains("out_of_memory"))
}

impl Request<'_> {
    /// A request for one seed with these settings.
    #[must_use]
    pub fn of_settings<'a>(
        sizes: &'a Sizes,
        config: &'a KFoldConfig,
        weights: &'a Weights,
        settings: &KFoldSettings,
    ) -> Request<'a> {
        let default = PredictOptions::default();
        let mut request = Request::new(sizes, config, weights);
        request.predict = PredictOptions {
            recycles: settings.num_recycles as usize,
            steps: settings.num_steps as usize,
            samples: settings.num_samples as usize,
            ..default
        };
        let apo = &settings.apo.monomer;
        request.apo.num_recycles = apo.num_recycles as usize;
        request.apo.num_samples = apo.num_samples as usize;
        request.apo.num_steps = apo.num_steps.map(|steps| steps as usize);
        request.apo_runs = settings.apo_count();
        // A plan is the processor's where no card is asked for by name.
        request.is_on_card = matches!(settings.device, DeviceChoice::Cuda(_));
        request.matrices = settings.precision.matrices(request.is_on_card);
        request
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_that_ended_is_told_from_other_errors() {
        let failed = |text: &str| EngineError::Failed(text.to_owned());
        assert!(is_out_of_memory(&failed("DriverError(CUDA_ERROR_OUT_OF_MEMORY, \"out of memory\")")));
        assert!(!is_out_of_memory(&failed("weights file kfold.pth: damaged")));
        assert!(!is_out_of_memory(&EngineError::Cancelled));
    }
}
