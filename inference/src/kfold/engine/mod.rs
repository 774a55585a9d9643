//! The K-Fold engine: from a query to ranked complexes (K-Fold 1.0.0, inference/runner.py and cli/).
//!
//! ```text
//! query -> apo structures ([`apo`]) -> structure tokens -> features -> encoders -> trunk -> sampler -> confidence -> ligands
//! ```
//!
//! What is large leaves before the next comes: AtlasFold before the tokenizers, these before the encoders, the encoders before
//! the trunk. Everything random is drawn from the seed; a test may play back what the reference drew ([`Draws`]).
//!
//! # Example
//!
//! With the tiny random weights of the tests; real ones lie where [`crate::folders::models`] says when `models` is left empty.
//!
//! ```
//! use std::path::Path;
//!
//! use kfold_inference::engine::{Engine, EngineName, Events, Progress};
//! use kfold_inference::kfold::engine::KFoldEngine;
//! use kfold_inference::query::{Query, QueryFormat};
//! use kfold_inference::settings::Settings;
//!
//! /// Says where the work stands, and could stop it.
//! struct Progressing;
//!
//! impl Events for Progressing {
//!     fn progress(&mut self, progress: Progress) {
//!         println!("{} {} of {}", progress.stage, progress.step, progress.steps);
//!     }
//!     fn warning(&mut self, message: &str) {
//!         println!("{message}");
//!     }
//!     fn is_cancelled(&self) -> bool {
//!         false
//!     }
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let text = "name: example\nsequences:\n- rna: {id: A, sequence: GUAC}\n- ligand: {id: B, smiles: CCO}\n";
//! let query = Query::parse(text, QueryFormat::Yaml, Path::new("."))?;
//! let mut settings = Settings { engine: EngineName::KFold, seed: 7, ..Settings::default() };
//! settings.kfold.models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/goldens/tiny_model");
//! (settings.kfold.num_recycles, settings.kfold.num_steps, settings.kfold.num_samples) = (1, 4, 2);
//!
//! let prediction = KFoldEngine::new().predict(&query, &settings, &mut Progressing)?;
//! let complexes = prediction.complexes.ok_or("K-Fold gives complexes")?;
//! let best = &complexes.samples[complexes.best().ok_or("there is a sample")?];
//! println!("pLDDT {:.1}", best.confidence.summary.complex.plddt);
//! assert_eq!(best.positions.len(), complexes.structure.atom_count());
//! # Ok(())
//! # }
//! ```

pub mod apo;
mod assembly;
mod ligands;
mod obstacle;
mod planning;

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::PathBuf;

use candle_core::{DType, Device, Tensor};
use glam::Vec3;
use half::f16;
use kfold_molecule::formats::mmcif;

use self::apo::{Candidates, Generator, ProteinEntry, engine_error};
use self::ligands::LigandChain;
pub use self::obstacle::Obstacle;
pub use self::planning::AT_ONCE_VARIABLE;
use self::planning::{Planned, is_out_of_memory};
use super::config::KFoldConfig;
use super::features::apo::{Apo, StructureTokens};
use super::features::reference::ReferenceStructure;
use super::features::tokens::Padding;
use super::features::{PreparedInput, Starts, prepare, reference_structure};
use super::input::FoldingInput;
use super::mersenne_twister::MersenneTwister;
use super::model::{KFold, PredictOptions, Step, Trunk};
use super::model_folder::{ModelFolder, Part};
use super::modules::affinity_head::{AffinityInput, AffinityPrediction};
use super::modules::confidence_metrics::ScoredComplex;
use super::noise::{Noise, SeededNoise};
use super::output;
use super::prediction::{Distogram, Embeddings, PredictedComplex, PredictedComplexes};
use super::run_times::RunTimes;
use super::{KFoldError, Result, device};
use crate::engine::{Engine, EngineError, EngineName, Events, Prediction, Progress};
use crate::folders;
use crate::query::{Entity, Query};
use crate::settings::Settings;

/// The random draws of one seed.
pub struct Draws {
    /// Of the networks.
    pub noise: Box<dyn Noise>,
    /// The reference conformers as they are placed (Å, every atom of the padded features), in place of those of our own. The
    /// published program carries conformers of the dictionary's components in a file of its own; ours are others of the same
    /// molecules, so its coordinates come out again only with its conformers.
    pub reference_positions: Option<Tensor>,
}

/// Where the draws of a seed come from.
type Source = Box<dyn Fn(u64) -> Result<Draws> + Send + Sync>;

/// The K-Fold engine.
#[derive(Default)]
pub struct KFoldEngine {
    draws: Option<Source>,
    notes_times: bool,
}

impl KFoldEngine {
    /// The engine as it predicts: all draws follow from the seed.
    #[must_use]
    pub const fn new() -> Self {
        Self { draws: None, notes_times: false }
    }

    /// The same engine, which notes in the user's data folder how long stages took, for the plans of later runs.
    #[must_use]
    pub const fn learning() -> Self {
        Self { draws: None, notes_times: true }
    }

    /// The same engine with draws from elsewhere, for comparisons with the reference.
    #[must_use]
    pub fn drawing(draws: impl Fn(u64) -> Result<Draws> + Send + Sync + 'static) -> Self {
        Self { draws: Some(Box::new(draws)), notes_times: false }
    }
}

impl Engine for KFoldEngine {
    fn name(&self) -> EngineName {
        EngineName::KFold
    }

    fn predict(
        &self,
        query: &Query,
        settings: &Settings,
        events: &mut dyn Events,
    ) -> std::result::Result<Prediction, EngineError> {
        let mut run = Run::new(query, settings, events)?;
        let complexes = run.predict(self.draws.as_ref(), self.notes_times)?;
        Ok(Prediction { complexes: Some(Box::new(complexes)), ..Prediction::default() })
    }
}

/// Whether the query is one that K-Fold can take, weights aside.
///
/// # Errors
/// What stands against it.
pub fn check_query(query: &Query) -> std::result::Result<(), EngineError> {
    match Obstacle::of_query(query) {
        None => Ok(()),
        Some(obstacle) => {
            let reason = obstacle.to_string();
            Err(EngineError::Unsupported { engine: EngineName::KFold.display_name(), reason })
        }
    }
}

/// What the query needs of the weights and is not in the folder, as people call it.
///
/// # Errors
/// When there is no configuration, or not one of K-Fold 1.0.0.
pub fn missing_weights(query: &Query, models: &ModelFolder) -> Result<Vec<&'static str>> {
    let missing = missing_parts(query, models, &models.config()?);
    Ok(missing.into_iter().map(Part::display_name).collect())
}

fn missing_parts(query: &Query, models: &ModelFolder, config: &KFoldConfig) -> Vec<Part> {
    let entries = ProteinEntry::all(query);
    let generates = |is_pair| entries.iter().any(|entry| entry.is_generated() && entry.is_pair() == is_pair);
    models.missing(config, (generates(false), generates(true)))
}

/// One call of the engine.
struct Run<'a> {
    query: &'a Query,
    settings: &'a Settings,
    events: &'a mut dyn Events,
    models: ModelFolder,
    config: KFoldConfig,
    device: Device,
    /// Of the matrices that autocast would round.
    matrices: DType,
}

/// What the networks gave.
struct Folded {
    trunk: Trunk,
    prediction: Vec<(Vec<Vec3>, super::modules::confidence_metrics::SampleConfidence, Vec<Vec<Vec3>>)>,
    distogram: Option<Tensor>,
    bin_edges: Vec<f32>,
}

impl<'a> Run<'a> {
    fn new(
        query: &'a Query,
        settings: &'a Settings,
        events: &'a mut dyn Events,
    ) -> std::result::Result<Self, EngineError> {
        check_query(query)?;
        if !query.series.is_empty() {
            let reason = "the ligands of a series are predicted one by one, as members of a job".to_owned();
            return Err(EngineError::Unsupported { engine: EngineName::KFold.display_name(), reason });
        }
        let options = &settings.kfold;
        let models = options.model_folder();
        let mut config = models.config().map_err(engine_error)?;
        if options.disable_struct_encoder {
            config.protein_structure_encoder = None;
        }
        if options.disable_rna_encoder {
            if query.sequences.iter().any(|entity| matches!(entity, Entity::Rna(_))) {
                let reason = "it has RNA, and the RNA encoder is disabled".to_owned();
                return Err(EngineError::Unsupported { engine: EngineName::KFold.display_name(), reason });
            }
            config.rna_sequence_encoder = None;
        }
        let missing = missing_parts(query, &models, &config);
        if !missing.is_empty() {
            let names: Vec<&str> = missing.iter().map(|part| part.display_name()).collect();
            return Err(EngineError::Failed(format!(
                "these weights are not in {}: {}; bring them there with `kfold-studio models`",
                models.path().display(),
                names.join(", ")
            )));
        }
        let (device, told) = device::open_telling(options.device).map_err(engine_error)?;
        if let Some(told) = told {
            events.warning(&told);
        }
        if let Some(bound) = planning::samples_at_once() {
            events.warning(&format!(
                "an earlier worker ended without a word, perhaps because memory ran out; samples are taken {bound} at a time"
            ));
        }
        if query.structure.is_some() || query.pocket.is_some() {
            events.warning("K-Fold predicts without a known structure or a pocket; only docking reads them");
        }
        let matrices = options.precision.matrices(!device.is_cpu());
        Ok(Self { query, settings, events, models, config, device, matrices })
    }

    fn progress(&mut self, stage: &str, step: u64, steps: u64, message: &str) -> std::result::Result<(), EngineError> {
        if self.events.is_cancelled() {
            return Err(EngineError::Cancelled);
        }
        self.events.progress(Progress { stage: stage.to_owned(), step, steps, message: message.to_owned() });
        Ok(())
    }

    fn predict(
        &mut self,
        draws: Option<&Source>,
        notes_times: bool,
    ) -> std::result::Result<PredictedComplexes, EngineError> {
        let query = self.query;
        let seed = self.settings.seed;
        self.progress("prepare", 0, 1, &query.name)?;
        let structure = reference_structure(query).map_err(engine_error)?;
        let entries = ProteinEntry::all(query);
        let seeds = self.settings.kfold.apo_seeds(seed);
        let times = if notes_times { RunTimes::load(&folders::run_times()) } else { RunTimes::default() };
        let mut planned =
            Planned::new(query, &structure, &self.models, &self.config, &self.settings.kfold, &self.device, times)?;
        let (mut candidates, apos) = self.apos(&entries, &seeds)?;
        planned.apo_ended();
        self.choose_shared(&mut candidates);
        let draw = || match draws {
            Some(draws) => draws(seed).map_err(engine_error),
            None => Ok(Draws { noise: Box::new(SeededNoise::new(seed)), reference_positions: None }),
        };
        let Draws { mut noise, reference_positions } = draw()?;
        let starts = match &query.assembly {
            None => Starts::default(),
            Some(assembly) => assembly::starts(self, assembly, &structure, &candidates)?,
        };
        planned.begin();
        let mut prepared = self.features(structure, &entries, &candidates, &starts)?;
        planned.tokens_ended();
        if let Some(positions) = reference_positions {
            prepared.input.atom.ref_pos =
                positions.to_device(&self.device).map_err(|error| engine_error(error.into()))?;
        }
        let mut folded = self.fold(&prepared, &mut *noise, Some(&mut planned));
        if let Err(error) = &folded
            && is_out_of_memory(error)
            && planned.make_smaller()
        {
            self.events
                .warning(&format!("memory ran out ({error}); once more with {} samples at once", planned.at_once()));
            // The same draws from the start, so that the result is the one that a larger memory would have given.
            noise = draw()?.noise;
            folded = self.fold(&prepared, &mut *noise, Some(&mut planned));
        }
        let folded = folded?;
        self.finish(&prepared, folded, apos, seeds)
    }

    /// The apo structures of every entry.
    fn apos(
        &mut self,
        entries: &[ProteinEntry<'_>],
        seeds: &[u64],
    ) -> std::result::Result<(Vec<Candidates>, Vec<super::prediction::ApoFiles>), EngineError> {
        let settings = &self.settings.kfold;
        let mut folder = self.events.folder().map(PathBuf::from);
        if !settings.share_apo_seeds.is_empty() {
            // Shared by all seeds of the query, so beside them.
            folder = folder.and_then(|folder| folder.parent().map(PathBuf::from));
        }
        let generator = Generator {
            models: &self.models,
            config: &self.config,
            device: &self.device,
            matrices: self.matrices,
            settings,
            seeds,
        };
        apo::prepare(entries, folder.as_deref(), &generator, self.events)
    }

    /// Of shared apo structures a seed takes a few, as the public program draws them.
    fn choose_shared(&self, candidates: &mut [Candidates]) {
        let (settings, seed) = (&self.settings.kfold, self.settings.seed);
        if settings.share_apo_seeds.is_empty() {
            return;
        }
        let most = settings.num_shared_apos as usize;
        let words = [seed as u32, (seed >> 32) as u32];
        let mut random = MersenneTwister::from_key(if words[1] == 0 { &words[..1] } else { &words });
        for candidates in candidates.iter_mut().filter(|candidates| candidates.apos.len() > most) {
            let chosen = random.sample(candidates.apos.len(), most);
            candidates.apos = chosen.into_iter().map(|index| candidates.apos[index].clone()).collect();
        }
    }

    /// Tokenizes the apo structures and makes the features.
    fn features(
        &mut self,
        structure: ReferenceStructure,
        entries: &[ProteinEntry<'_>],
        candidates: &[Candidates],
        starts: &Starts,
    ) -> std::result::Result<PreparedInput, EngineError> {
        let tokenizer = match &self.config.protein_structure_encoder {
            Some(_) if !entries.is_empty() => {
                Some(self.models.load_structure_tokenizer(&self.config).map_err(engine_error)?)
            }
            _ => None,
        };
        let all = candidates.iter().map(|candidates| candidates.apos.len()).sum::<usize>() as u64;
        let mut step = 0;
        let (mut apos, mut priors) = (HashMap::new(), HashMap::new());
        let index_of = |name: &String| structure.chains.iter().position(|chain| chain.name == *name);
        for (entry, candidates) in entries.iter().zip(candidates) {
            let mut of_sequences: Vec<Vec<Apo>> = vec![Vec::new(); entry.sequences.len()];
            for model in &candidates.apos {
                self.progress("tokens", step, all, "")?;
                step += 1;
                for (component, coordinates) in model.iter().enumerate() {
                    let sequence = entry.sequences[component];
                    let tokens =
                        tokenizer.as_ref().map(|tokenizer| tokenizer.tokenize(sequence, &coordinates.positions));
                    let indices = |tokens: Vec<Option<u32>>| {
                        tokens.into_iter().map(|token| token.map_or(-1, i64::from)).collect()
                    };
                    let structure_tokens = tokens.transpose().map_err(engine_error)?.map(|tokens| StructureTokens {
                        backbone: indices(tokens.backbone),
                        full_atom: indices(tokens.full_atom),
                    });
                    of_sequences[component].push(Apo { coordinates: coordinates.clone(), structure_tokens });
                }
            }
            if candidates.apos.len() > 5 {
                let count = candidates.apos.len();
                let name = entry.chains[0].first().map_or("", String::as_str);
                self.events
                    .warning(&format!("chain {name} has {count} apo structures; the model was trained with up to 5"));
            }
            for (component, chains) in entry.chains.iter().enumerate() {
                for index in chains.iter().filter_map(index_of) {
                    apos.insert(index, of_sequences[component].clone());
                    priors.insert(index, candidates.priors.iter().map(|model| model[component].clone()).collect());
                }
            }
        }
        let samples = self.settings.kfold.num_samples as usize;
        let mut prepared = prepare(structure, &apos, &priors, starts, self.settings.seed, samples, Padding::default())
            .map_err(engine_error)?;
        prepared.input = prepared.input.to_device(&self.device).map_err(engine_error)?;
        Ok(prepared)
    }

    /// Runs the networks.
    fn fold(
        &mut self,
        prepared: &PreparedInput,
        noise: &mut dyn Noise,
        planned: Option<&mut Planned>,
    ) -> std::result::Result<Folded, EngineError> {
        let input = &prepared.input;
        let at_once = planned.as_ref().map_or(PredictOptions::default().at_once, |planned| planned.at_once());
        let planned = RefCell::new(planned);
        let with_plan = |tell: &dyn Fn(&mut Planned)| {
            if let Some(planned) = planned.borrow_mut().as_mut() {
                tell(planned);
            }
        };
        self.progress("encode", 0, 1, "")?;
        let model: KFold = self.models.load_kfold(&self.config, self.matrices, &self.device).map_err(engine_error)?;
        let events = &mut *self.events;
        let mut watch = |step: Step| -> Result<()> {
            if events.is_cancelled() {
                return Err(KFoldError::Cancelled);
            }
            with_plan(&|planned| planned.step(step));
            let (stage, step, steps) = match step {
                Step::Encoding(step, steps) => ("encode", step, steps),
                Step::Trunk(step, steps) => ("trunk", step, steps),
                Step::Sampling(step, steps) => ("sampling", step, steps),
                Step::Confidence(step, steps) => ("confidence", step, steps),
            };
            let (step, steps) = (step as u64, steps as u64);
            events.progress(Progress { stage: stage.to_owned(), step, steps, message: String::new() });
            Ok(())
        };
        let settings = &self.settings.kfold;
        let options = PredictOptions {
            recycles: settings.num_recycles as usize,
            steps: settings.num_steps as usize,
            samples: settings.num_samples as usize,
            at_once,
            keep_path: settings.save_trajectory,
        };
        let has_affinity = self.models.has_affinity_head();
        let mut work = || -> Result<Folded> {
            with_plan(&Planned::begin);
            let encoders = self.models.load_encoders(&self.config, &self.device)?;
            let s_lm = model.encode(input, &encoders, &mut watch)?;
            drop(encoders);
            with_plan(&Planned::encoders_ended);
            let names = prepared.structure.chains.iter().map(|chain| (chain.asym_id, chain.name.clone())).collect();
            let complex = ScoredComplex::new(input, names)?;
            let prediction = model.predict(input, s_lm, &complex, options, noise, &mut watch)?;
            let atoms = prepared.structure.atom_count();
            let mut paths: Vec<Vec<Vec<Vec3>>> = vec![Vec::new(); options.samples];
            for samples in prediction.sampled.path {
                for (path, mut frame) in paths.iter_mut().zip(samples) {
                    frame.truncate(atoms);
                    path.push(frame);
                }
            }
            let samples = prediction.sampled.coordinates.into_iter().zip(prediction.confidence).zip(paths);
            let samples = samples.map(|((mut positions, confidence), path)| {
                positions.truncate(atoms);
                (positions, confidence, path)
            });
            let head = model.distogram_head();
            let wants_distogram = settings.save_distogram || has_affinity;
            Ok(Folded {
                prediction: samples.collect(),
                distogram: wants_distogram.then(|| head.forward(&prediction.trunk.z)).transpose()?,
                bin_edges: head.boundaries().to_vec(),
                trunk: prediction.trunk,
            })
        };
        work().map_err(engine_error)
    }

    /// Ligands, affinity and what else was asked for.
    fn finish(
        &mut self,
        prepared: &PreparedInput,
        folded: Folded,
        apos: Vec<super::prediction::ApoFiles>,
        apo_seeds: Vec<u64>,
    ) -> std::result::Result<PredictedComplexes, EngineError> {
        let structure = &prepared.structure;
        let affinity = self.affinity(prepared, &folded)?;
        let tokens = structure.token_count();
        let settings = &self.settings.kfold;
        let embeddings = settings.save_embeddings.then(|| embeddings(&folded.trunk, tokens)).transpose();
        let distogram = match (&folded.distogram, settings.save_distogram) {
            (Some(logits), true) => Some(distogram(logits, folded.bin_edges, &prepared.input, tokens)),
            _ => None,
        };
        let (embeddings, distogram) = (embeddings.map_err(engine_error)?, distogram.transpose().map_err(engine_error)?);
        let ligands = LigandChain::all(structure);
        let count = folded.prediction.len() as u64;
        let mut samples = Vec::with_capacity(folded.prediction.len());
        for (number, (positions, confidence, path)) in (0_u64..).zip(folded.prediction) {
            self.progress("check", number, count, "")?;
            if positions.iter().any(|place| !place.is_finite()) || !confidence.summary.complex.ranking_score.is_finite()
            {
                return Err(EngineError::Failed(format!(
                    "the networks gave numbers that are none, in sample {number}; are the weights whole? \
                     `kfold-studio models verify` says"
                )));
            }
            let mut predicted = Vec::with_capacity(ligands.len());
            if !ligands.is_empty() {
                let text = output::mmcif::write(&self.query.name, structure, &[&positions], Some(&confidence.plddt));
                let whole = mmcif::read(text.as_bytes()).map_err(|error| EngineError::Failed(error.to_string()))?;
                for ligand in &ligands {
                    let ligand = ligand.predicted(&whole, &positions, &confidence);
                    if !ligand.record.wrong_stereo.is_empty() {
                        self.events.warning(&format!(
                            "sample {number}: the configuration of ligand {} at {} is not the input's",
                            ligand.record.chain,
                            ligand.record.wrong_stereo.join(", ")
                        ));
                    }
                    predicted.push(ligand);
                }
            }
            samples.push(PredictedComplex { positions, confidence, ligands: predicted, path });
        }
        Ok(PredictedComplexes {
            structure: structure.clone(),
            samples,
            apos,
            apo_seeds,
            has_structure_encoder: self.config.protein_structure_encoder.is_some(),
            has_rna_encoder: self.config.rna_sequence_encoder.is_some(),
            embeddings,
            distogram,
            affinity,
        })
    }

    /// The affinity head's answer, if there is a checkpoint; a complex it cannot read is no error of the prediction.
    fn affinity(
        &mut self,
        prepared: &PreparedInput,
        folded: &Folded,
    ) -> std::result::Result<Option<AffinityPrediction>, EngineError> {
        let Some(logits) = &folded.distogram else { return Ok(None) };
        let head = match self.models.load_affinity_head(&self.device) {
            Ok(Some(head)) => head,
            Ok(None) => return Ok(None),
            Err(error) => return Err(engine_error(error)),
        };
        let trunk = &folded.trunk;
        let answer = || -> Result<AffinityPrediction> {
            let mut chain_types = prepared.input.token.chain_type.to_vec1::<i64>()?;
            chain_types[prepared.structure.token_count()..].fill(-1);
            head.predict(AffinityInput {
                s_inputs: &trunk.s_inputs.squeeze(0)?,
                s_lm: &trunk.s_lm.squeeze(0)?,
                z: &trunk.z.squeeze(0)?,
                distogram_logits: &logits.squeeze(0)?,
                chain_types: &chain_types,
            })
        };
        match answer() {
            Ok(affinity) => Ok(Some(affinity)),
            Err(KFoldError::Cancelled) => Err(EngineError::Cancelled),
            Err(error) => {
                self.events.warning(&format!("no affinity: {error}"));
                Ok(None)
            }
        }
    }
}

fn halves(tensor: &Tensor) -> Result<Vec<f16>> {
    Ok(tensor.to_dtype(DType::F16)?.flatten_all()?.to_vec1::<f16>()?)
}

fn embeddings(trunk: &Trunk, tokens: usize) -> Result<Embeddings> {
    Ok(Embeddings {
        tokens,
        s_inputs: halves(&trunk.s_inputs.squeeze(0)?.narrow(0, 0, tokens)?)?,
        s_lm: halves(&trunk.s_lm.squeeze(0)?.narrow(0, 0, tokens)?)?,
        z: halves(&trunk.z.squeeze(0)?.narrow(0, 0, tokens)?.narrow(1, 0, tokens)?)?,
    })
}

fn distogram(logits: &Tensor, bin_edges: Vec<f32>, input: &FoldingInput, tokens: usize) -> Result<Distogram> {
    let integers = |tensor: &Tensor| -> Result<Vec<i32>> {
        Ok(tensor.narrow(0, 0, tokens)?.to_vec1::<i64>()?.into_iter().map(|value| value as i32).collect())
    };
    Ok(Distogram {
        tokens,
        logits: halves(&logits.squeeze(0)?.narrow(0, 0, tokens)?.narrow(1, 0, tokens)?)?,
        bin_edges,
        asym_ids: integers(&input.token.asym_id)?,
        res_ids: integers(&input.token.residue_index)?,
    })
}
