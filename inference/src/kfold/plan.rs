//! What a prediction will need, before it runs: memory stage by stage, time, what is read layer by layer, and whether it fits.
//!
//! Stages follow each other and leave nothing but small features and, after the trunk, the pair state; so a run's peak is that of
//! its largest stage, not their sum. How many samples the score model takes at once is the plan's to choose: the most that fit.
//! What does not fit even one by one is refused, with what would.
//!
//! ```
//! use kfold_inference::kfold::model_folder::{ModelFolder, Variant};
//! use kfold_inference::kfold::plan::{Plan, Request, Sizes, Weights};
//! use kfold_inference::kfold::run_times::RunTimes;
//! use kfold_inference::machine::Machine;
//!
//! let config = Variant::Full.published()?;
//! let machine = Machine { available_bytes: Some(12 << 30), ..Machine::here() };
//! let sizes = Sizes { tokens: 500, atoms: 4000, protein_positions: 472, structure_residues: 470, folded: vec![vec![470]], ..Sizes::default() };
//! let weights = Weights::of(&ModelFolder::new("models"));
//! let request = Request::new(&sizes, &config, &weights);
//! let plan = Plan::new(&request, &machine, &RunTimes::default());
//! assert!(plan.refusal.is_none());
//! # Ok::<(), kfold_inference::kfold::KFoldError>(())
//! ```

use candle_core::DType;
use serde::{Deserialize, Serialize};

use super::atlasfold::AtlasFoldConfig;
use super::atlasfold::apo::ApoSettings;
use super::config::KFoldConfig;
use super::encoders::memory::{self as encoder_memory, PeakMemory};
use super::encoders::{BackboneTokenizerConfig, FullAtomTokenizerConfig, Residence};
use super::features::reference::ReferenceStructure;
use super::features::tokens::Padding;
use super::input::ChainType;
use super::manifest::Manifest;
use super::memory::{self, Place};
use super::model::PredictOptions;
use super::model_folder::{ModelFolder, Part, Variant};
use super::precision;
use super::run_times::{RunTime, RunTimes};
use crate::machine::Machine;
use crate::query::{Entity, Query};

/// What the program itself needs beside any stage: its code, the component dictionary, the query's features.
const PROGRAM: u64 = 192 << 20;
/// Bytes of a weight of the encoders, as published.
const ENCODER_WEIGHT: u64 = 2;
/// The language model's positions are this much more than the residues of a chain: start and end.
const ENDS: usize = 2;
/// Lengths that AtlasFold pads to, at most; its buckets are finer below.
const APO_BUCKET: usize = 128;
/// Reading a layer costs about as much as multiplying it with so many positions.
const READING: f64 = 16.0;
/// Denoising steps of AtlasFold where the settings leave them open.
const APO_STEPS: usize = 100;

/// The parts of a prediction, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// AtlasFold makes apo structures.
    Apo,
    /// The tokenizers read the apo structures.
    StructureTokens,
    /// AtlasLM.
    ProteinEncoder,
    /// The RNA model.
    RnaEncoder,
    /// TriProRep.
    StructureEncoder,
    /// The cycles of the trunk.
    Trunk,
    /// The score model's steps.
    Sampler,
    /// The confidence head.
    Confidence,
}

impl Stage {
    /// What a person calls it.
    #[must_use]
    pub const fn display_name(self) -> &'static str {
        match self {
            Self::Apo => "apo structures (AtlasFold)",
            Self::StructureTokens => "structure tokens",
            Self::ProteinEncoder => "protein language model",
            Self::RnaEncoder => "RNA language model",
            Self::StructureEncoder => "structure encoder",
            Self::Trunk => "trunk",
            Self::Sampler => "sampling",
            Self::Confidence => "confidence",
        }
    }
}

/// How large a query is for the networks; numbers before padding.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Sizes {
    /// Tokens: residues, and atoms of what is no standard residue.
    pub tokens: usize,
    /// Heavy atoms.
    pub atoms: usize,
    /// Positions of the protein language model: residues, and two ends a chain.
    pub protein_positions: usize,
    /// Positions of the RNA language model.
    pub rna_positions: usize,
    /// Residues of protein chains, once for each of their apo structures.
    pub structure_residues: usize,
    /// What AtlasFold has to fold: for each complex (one chain, or a pair for AtlasFold-M) the residues of its chains.
    pub folded: Vec<Vec<usize>>,
}

impl Sizes {
    /// The sizes of a query, each protein with `apo_count` apo structures; proteins without files of their own are folded.
    #[must_use]
    pub fn of(query: &Query, structure: &ReferenceStructure, apo_count: usize) -> Self {
        let of_type = |wanted: ChainType| {
            let chains = structure.chains.iter().filter(move |chain| chain.chain_type == wanted);
            chains
                .map(|chain| chain.residues.len())
                .fold((0, 0), |(residues, chains), more| (residues + more, chains + 1))
        };
        let (residues, chains) = of_type(ChainType::Protein);
        let (rna, rna_chains) = of_type(ChainType::Rna);
        let folded = query.sequences.iter().filter_map(|entity| match entity {
            Entity::Protein(polymer) if polymer.apo.is_empty() => Some(vec![polymer.sequence.chars().count()]),
            Entity::ProteinPair(pair) if pair.apo.is_empty() => {
                Some(vec![pair.sequence1.chars().count(), pair.sequence2.chars().count()])
            }
            _ => None,
        });
        Self {
            tokens: structure.token_count(),
            atoms: structure.atom_count(),
            protein_positions: residues + ENDS * chains,
            rna_positions: rna + ENDS * rna_chains,
            structure_residues: residues * apo_count,
            folded: folded.collect(),
        }
    }

    fn padded_tokens(&self) -> usize {
        self.tokens.max(1).next_multiple_of(Padding::default().tokens)
    }

    fn padded_atoms(&self) -> usize {
        self.atoms.max(1).next_multiple_of(Padding::default().atoms)
    }

    /// The same query `factor` times as large.
    fn scaled(&self, factor: f64) -> Self {
        let scale = |value: usize| (value as f64 * factor) as usize;
        Self {
            tokens: scale(self.tokens),
            atoms: scale(self.atoms),
            protein_positions: scale(self.protein_positions),
            rna_positions: scale(self.rna_positions),
            structure_residues: scale(self.structure_residues),
            folded: self.folded.iter().map(|chains| chains.iter().map(|length| scale(*length)).collect()).collect(),
        }
    }
}

/// Numbers of a network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Numbers {
    /// All.
    pub all: u64,
    /// Those of matrices that may be kept as bf16 ([`precision`]).
    pub rounded: u64,
}

impl Numbers {
    /// Bytes in memory, with matrices of this type.
    #[must_use]
    pub fn bytes(self, matrices: DType) -> u64 {
        let exact = self.all - self.rounded;
        exact * DType::F32.size_in_bytes() as u64 + self.rounded * matrices.size_in_bytes() as u64
    }
}

/// Numbers of the networks whose weights are in memory as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Weights {
    /// K-Fold's own.
    pub kfold: Numbers,
    /// AtlasFold's.
    pub atlasfold: Numbers,
    /// AtlasFold-M's.
    pub atlasfold_m: Numbers,
}

impl Weights {
    /// Those that the makers of a model give. Which are of matrices they do not say, so all count as exact.
    #[must_use]
    pub fn published(variant: Variant) -> Self {
        let files = Manifest::published().map(|manifest| manifest.files).unwrap_or_default();
        let count = |part: Part| {
            let is_its = |is_light: bool| part != Part::KFold || is_light == (variant == Variant::Light);
            let mut of_part = files.iter().filter(|file| file.part() == Some(part) && is_its(file.is_light));
            Numbers { all: of_part.next().and_then(|file| file.parameters).unwrap_or(0), rounded: 0 }
        };
        Self { kfold: count(Part::KFold), atlasfold: count(Part::AtlasFold), atlasfold_m: count(Part::AtlasFoldM) }
    }

    /// Those of the files in a folder; of files that are not there, what their makers say.
    #[must_use]
    pub fn of(folder: &ModelFolder) -> Self {
        let published = Self::published(folder.variant());
        let count = |part: Part, published: Numbers| {
            let opened = folder.file(part).and_then(|file| super::checkpoint::open(&file).ok());
            opened.map_or(published, |checkpoint| {
                let mut numbers = Numbers::default();
                for name in checkpoint.names() {
                    let Some((_, shape)) = checkpoint.describe(name) else { continue };
                    let count = shape.iter().product::<usize>() as u64;
                    numbers.all += count;
                    numbers.rounded += if precision::is_rounded(name, shape) { count } else { 0 };
                }
                numbers
            })
        };
        Self {
            kfold: count(Part::KFold, published.kfold),
            atlasfold: count(Part::AtlasFold, published.atlasfold),
            atlasfold_m: count(Part::AtlasFoldM, published.atlasfold_m),
        }
    }
}

/// What is to be planned.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// The query's sizes.
    pub sizes: &'a Sizes,
    /// The model's.
    pub config: &'a KFoldConfig,
    /// Its weights.
    pub weights: &'a Weights,
    /// How to predict; `at_once` is the most samples at once.
    pub predict: PredictOptions,
    /// How to make apo structures.
    pub apo: ApoSettings,
    /// How often they are made for each protein.
    pub apo_runs: usize,
    /// The type of matrices that autocast would round.
    pub matrices: DType,
    /// Whether it is a card that computes; its memory is planned by formulas that have not been measured.
    pub is_on_card: bool,
    /// Seeds, one after the other.
    pub seeds: usize,
    /// What computes: see [`device_name`].
    pub device: String,
}

impl<'a> Request<'a> {
    /// Of the program itself, or of what a card holds before anything else.
    fn program_bytes(&self) -> u64 {
        if self.is_on_card { memory::CARD_PROGRAM } else { PROGRAM }
    }

    fn place(&self) -> Place {
        if self.is_on_card { Place::Card(self.matrices.size_in_bytes() as u64) } else { Place::Processor }
    }

    /// With the reference's settings, on the processor.
    #[must_use]
    pub fn new(sizes: &'a Sizes, config: &'a KFoldConfig, weights: &'a Weights) -> Self {
        Self {
            sizes,
            config,
            weights,
            predict: PredictOptions::default(),
            apo: ApoSettings::default(),
            apo_runs: 1,
            matrices: DType::F32,
            is_on_card: false,
            seeds: 1,
            device: device_name(&Machine::here()),
        }
    }
}

/// What run times are remembered under: another processor, or another number of its threads, is another pace.
#[must_use]
pub fn device_name(machine: &Machine) -> String {
    format!("cpu: {} x {}", machine.threads, machine.processor)
}

/// One stage of a plan.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StagePlan {
    /// Which.
    pub stage: Stage,
    /// Bytes of weights in memory at once.
    pub weight_bytes: u64,
    /// Bytes of everything else.
    pub activation_bytes: u64,
    /// Bytes of the program itself, or of what a card holds before anything else.
    pub program_bytes: u64,
    /// Whether a large model is read layer by layer from its file instead of being in memory.
    pub is_streamed: bool,
    /// Multiplications, for all seeds: what its time scales with.
    pub work: f64,
    /// How long it will take, for all seeds; `None` where no run here has told.
    pub seconds: Option<f64>,
}

impl StagePlan {
    /// Peak bytes, the program's own included.
    #[must_use]
    pub fn peak_bytes(&self) -> u64 {
        self.weight_bytes + self.activation_bytes + self.program_bytes
    }
}

/// Why a run does not fit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Refusal {
    /// The stage that does not.
    pub stage: Stage,
    /// Bytes that it needs.
    pub needed_bytes: u64,
    /// Bytes that are free.
    pub available_bytes: u64,
    /// What would do, each a sentence's end.
    pub ways: Vec<String>,
    /// Tokens of the largest query of this kind that would fit; `None` where none would.
    pub largest_tokens: Option<usize>,
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "this run needs {} of memory ({}) and {} are free",
            gibibytes(self.needed_bytes),
            self.stage.display_name(),
            gibibytes(self.available_bytes)
        )?;
        if !self.ways.is_empty() {
            write!(f, "; what would do: {}", self.ways.join("; or "))?;
        }
        Ok(())
    }
}

/// Bytes as people read them.
#[must_use]
pub fn gibibytes(bytes: u64) -> String {
    format!("{:.1} GiB", bytes as f64 / f64::from(1 << 30))
}

/// What a run will need.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Plan {
    /// The query's sizes.
    pub sizes: Sizes,
    /// The stages that it has, in order.
    pub stages: Vec<StagePlan>,
    /// Samples that the score model takes at once.
    pub at_once: usize,
    /// The largest stage's.
    pub peak_bytes: u64,
    /// Bytes that are free; `None` where the system does not say.
    pub available_bytes: Option<u64>,
    /// How long all stages will take; `None` where that of one is not known.
    pub seconds: Option<f64>,
    /// Why it cannot run, if so.
    pub refusal: Option<Refusal>,
}

impl Plan {
    /// Plans a run.
    #[must_use]
    pub fn new(request: &Request<'_>, machine: &Machine, times: &RunTimes) -> Self {
        let most = request.predict.at_once.min(request.predict.samples).max(1);
        let fits = |at_once: usize| {
            let sampler = stage_memory(request, machine, Stage::Sampler, at_once);
            machine.available_bytes.is_none_or(|available| sampler.total() + request.program_bytes() <= available)
        };
        let at_once = (1..=most).rev().find(|at_once| fits(*at_once)).unwrap_or(1);
        let stages: Vec<StagePlan> = stages_of(request)
            .into_iter()
            .map(|stage| {
                let PeakMemory { weights, activations } = stage_memory(request, machine, stage, at_once);
                let work = work(request, stage) * request.seeds.max(1) as f64;
                StagePlan {
                    stage,
                    weight_bytes: weights,
                    activation_bytes: activations,
                    program_bytes: request.program_bytes(),
                    is_streamed: is_streamed(stage),
                    work,
                    seconds: times.estimate(stage, &request.device, work),
                }
            })
            .collect();
        let peak_bytes = stages.iter().map(StagePlan::peak_bytes).max().unwrap_or(0);
        let mut plan = Self {
            sizes: request.sizes.clone(),
            seconds: stages.iter().map(|stage| stage.seconds).sum(),
            stages,
            at_once,
            peak_bytes,
            available_bytes: machine.available_bytes,
            refusal: None,
        };
        plan.refusal = plan.refuse(request, machine);
        plan
    }

    /// Samples at once for another try after memory ended in `stage`; `None` where there is nothing smaller.
    #[must_use]
    pub fn smaller(&self, stage: Stage) -> Option<usize> {
        (stage == Stage::Sampler && self.at_once > 1).then_some(self.at_once / 2)
    }

    /// What to remember of a stage of one seed that took so long.
    #[must_use]
    pub fn run_time(&self, request: &Request<'_>, stage: Stage, seconds: f64) -> RunTime {
        let work = work(request, stage);
        RunTime { stage, device: request.device.clone(), tokens: self.sizes.tokens, work, seconds }
    }

    fn refuse(&self, request: &Request<'_>, machine: &Machine) -> Option<Refusal> {
        let available_bytes = machine.available_bytes.filter(|available| self.peak_bytes > *available)?;
        let largest = self.stages.iter().max_by_key(|stage| stage.peak_bytes())?;
        let mut ways = Vec::new();
        if let Some(light) = lighter(request, machine) {
            ways.push(format!("the light model (--model light), which needs {}", gibibytes(light)));
        }
        let largest_tokens = largest_that_fits(request, machine);
        if let Some(tokens) = largest_tokens {
            ways.push(format!("a query of up to about {tokens} tokens instead of {}", self.sizes.tokens));
        }
        ways.push(format!("a machine or server with {} of free memory", gibibytes(self.peak_bytes)));
        Some(Refusal { stage: largest.stage, needed_bytes: self.peak_bytes, available_bytes, ways, largest_tokens })
    }
}

/// The peak of the same run of the light model, if that fits and this is not it.
fn lighter(request: &Request<'_>, machine: &Machine) -> Option<u64> {
    let config = KFoldConfig::published_light().ok().filter(|light| light.channel_z < request.config.channel_z)?;
    let weights = Weights::published(Variant::Light);
    let request = Request { config: &config, weights: &weights, ..request.clone() };
    let peak = peak_one_by_one(&request, machine);
    (peak <= machine.available_bytes?).then_some(peak)
}

/// Tokens of a query of the same kind that fits, rounded down to what is padded to.
fn largest_that_fits(request: &Request<'_>, machine: &Machine) -> Option<usize> {
    let available = machine.available_bytes?;
    let step = Padding::default().tokens;
    let candidates = (1..request.sizes.padded_tokens() / step).rev().map(|count| count * step);
    let mut fitting = candidates.filter(|tokens| {
        let sizes = request.sizes.scaled(*tokens as f64 / request.sizes.tokens.max(1) as f64);
        peak_one_by_one(&Request { sizes: &sizes, ..request.clone() }, machine) <= available
    });
    fitting.next()
}

/// The peak with one sample at a time.
fn peak_one_by_one(request: &Request<'_>, machine: &Machine) -> u64 {
    let stages = stages_of(request).into_iter();
    stages.map(|stage| stage_memory(request, machine, stage, 1).total()).max().unwrap_or(0) + request.program_bytes()
}

/// The stages that a run has.
fn stages_of(request: &Request<'_>) -> Vec<Stage> {
    let Request { sizes, config, .. } = request;
    let has_structures = config.protein_structure_encoder.is_some() && sizes.structure_residues > 0;
    let stages = [
        (Stage::Apo, !sizes.folded.is_empty()),
        (Stage::StructureTokens, has_structures),
        (Stage::ProteinEncoder, sizes.protein_positions > 0),
        (Stage::RnaEncoder, config.rna_sequence_encoder.is_some() && sizes.rna_positions > 0),
        (Stage::StructureEncoder, has_structures),
        (Stage::Trunk, true),
        (Stage::Sampler, true),
        (Stage::Confidence, true),
    ];
    stages.into_iter().filter(|(_, runs)| *runs).map(|(stage, _)| stage).collect()
}

const fn is_streamed(stage: Stage) -> bool {
    matches!(stage, Stage::Apo | Stage::ProteinEncoder | Stage::RnaEncoder | Stage::StructureEncoder)
}

/// The sizes of AtlasFold, or of AtlasFold-M for several chains.
fn atlasfold_config(chains: usize) -> Option<AtlasFoldConfig> {
    if chains > 1 { AtlasFoldConfig::published_pair() } else { AtlasFoldConfig::published_monomer() }.ok()
}

fn padded_apo(chains: &[usize]) -> usize {
    let residues: usize = chains.iter().sum();
    if residues <= APO_BUCKET { residues.next_power_of_two().max(32) } else { residues.next_multiple_of(APO_BUCKET) }
}

/// Peak memory of a stage. While the encoders run, K-Fold's own network is in memory to merge what they say.
fn stage_memory(request: &Request<'_>, machine: &Machine, stage: Stage, at_once: usize) -> PeakMemory {
    let Request { sizes, config, weights, .. } = request;
    let (tokens, atoms, threads) = (sizes.padded_tokens(), sizes.padded_atoms(), machine.threads);
    let none = PeakMemory { weights: 0, activations: 0 };
    let kfold = weights.kfold.bytes(request.matrices);
    let beside = |peak: PeakMemory| PeakMemory { weights: peak.weights + kfold, ..peak };
    match stage {
        Stage::Apo => {
            let peaks = sizes.folded.iter().filter_map(|chains| {
                let numbers = if chains.len() > 1 { weights.atlasfold_m } else { weights.atlasfold };
                let lm = &config.protein_sequence_encoder;
                let config = atlasfold_config(chains.len())?;
                Some(memory::atlasfold(
                    &config,
                    lm,
                    numbers.bytes(request.matrices),
                    padded_apo(chains),
                    ENCODER_WEIGHT,
                    (threads, request.place()),
                ))
            });
            peaks.max_by_key(PeakMemory::total).unwrap_or(none)
        }
        Stage::StructureTokens => {
            let residues = sizes.structure_residues;
            let backbone = encoder_memory::backbone_tokenizer(&BackboneTokenizerConfig::default(), residues, threads);
            let full_atom = encoder_memory::full_atom_tokenizer(&FullAtomTokenizerConfig::default(), residues, threads);
            PeakMemory {
                weights: backbone.weights + full_atom.weights,
                activations: backbone.activations.max(full_atom.activations),
            }
        }
        Stage::ProteinEncoder => beside(encoder_memory::atlas_lm(
            &config.protein_sequence_encoder,
            sizes.protein_positions,
            ENCODER_WEIGHT,
            Residence::Streamed,
            threads,
        )),
        Stage::RnaEncoder => config.rna_sequence_encoder.as_ref().map_or(none, |rna| {
            beside(encoder_memory::rna(rna, sizes.rna_positions, ENCODER_WEIGHT, Residence::Streamed, threads))
        }),
        Stage::StructureEncoder => config.protein_structure_encoder.as_ref().map_or(none, |encoder| {
            beside(encoder_memory::structure_encoder(encoder, sizes.structure_residues, Residence::Streamed, threads))
        }),
        Stage::Trunk => memory::trunk(config, kfold, tokens, request.place()),
        Stage::Sampler => memory::sampler(config, kfold, tokens, atoms, at_once),
        Stage::Confidence => memory::confidence(config, kfold, tokens, request.place()),
    }
}

/// Multiplications of a pair block: two triangle multiplications and a transition.
fn pair_block(tokens: usize, channels: usize) -> f64 {
    let (n, c) = (tokens as f64, channels as f64);
    24.0 * c * c * n * n + 2.0 * c * n * n * n
}

/// Multiplications of a stack of transformer blocks of `parameters` weights in all.
fn transformer(positions: usize, width: usize, layers: usize, parameters: f64) -> f64 {
    let positions = positions as f64;
    parameters * (positions + READING) + 2.0 * layers as f64 * width as f64 * positions * positions
}

/// Multiplications of a stage for one seed, roughly: their growth with the sizes is what counts.
fn work(request: &Request<'_>, stage: Stage) -> f64 {
    let Request { sizes, config, predict, apo, .. } = request;
    let (tokens, atoms) = (sizes.padded_tokens(), sizes.padded_atoms());
    let lm = &config.protein_sequence_encoder;
    let square = |width: usize| (width * width) as f64;
    let lm_work = |positions: usize| {
        transformer(positions, lm.d_model, lm.n_layers, 12.0 * square(lm.d_model) * lm.n_layers as f64)
    };
    match stage {
        Stage::Apo => {
            let each = sizes.folded.iter().filter_map(|chains| {
                let config = atlasfold_config(chains.len())?;
                let length = padded_apo(chains);
                let blocks = (config.trunk.num_lm_blocks + config.trunk.num_blocks) as f64;
                // Two triangle attentions more than K-Fold's.
                let block = pair_block(length, config.channel_z) * 1.8;
                let cycles = (apo.num_recycles + 1) as f64 * (lm_work(length) + blocks * block);
                let head = &config.diffusion_head;
                let step = length as f64
                    * (head.num_blocks as f64 * 11.0 * square(head.channel_a)
                        + 14.0 * 90.0 * square(head.channel_atom));
                let steps = apo.num_steps.unwrap_or(APO_STEPS) as f64;
                let judged = 2.0 * config.confidence_head.num_blocks as f64 * block;
                Some(cycles + apo.num_samples as f64 * (steps * step + judged))
            });
            each.sum::<f64>() * request.apo_runs.max(1) as f64
        }
        Stage::StructureTokens => sizes.structure_residues as f64,
        Stage::ProteinEncoder => lm_work(sizes.protein_positions),
        Stage::RnaEncoder => config.rna_sequence_encoder.as_ref().map_or(0.0, |rna| {
            let all = 12.0 * square(rna.d_model) * rna.n_layers as f64;
            transformer(sizes.rna_positions, rna.d_model, rna.n_layers, all)
        }),
        Stage::StructureEncoder => config.protein_structure_encoder.as_ref().map_or(0.0, |encoder| {
            let all = 12.0 * square(encoder.d_model) * encoder.n_layers as f64;
            transformer(sizes.structure_residues, encoder.d_model, encoder.n_layers, all)
        }),
        Stage::Trunk => {
            let cycle = (config.trunk.num_lm_blocks + config.trunk.num_main_blocks) as f64;
            let blocks = (predict.recycles + 1) as f64 * cycle + config.trunk.num_refine_blocks as f64;
            blocks * pair_block(tokens, config.channel_z)
        }
        Stage::Sampler => {
            let score = &config.score_model;
            let (n, a) = (tokens as f64, score.channel_a as f64);
            let token_blocks = score.token_transformer_blocks as f64 * (11.0 * a * a * n + 2.0 * a * n * n);
            let atom_blocks = (2 * score.atom_encoder_blocks + score.atom_decoder_blocks) as f64;
            let atom_blocks =
                atoms as f64 * atom_blocks * (11.0 * square(score.channel_atom) + 256.0 * score.channel_atom as f64);
            let prepared = n * n * (10.0 * square(config.channel_z) + 256.0 * config.channel_z as f64);
            prepared + (predict.steps * predict.samples) as f64 * (token_blocks + atom_blocks)
        }
        Stage::Confidence => {
            let blocks = (predict.samples * config.confidence_head.num_blocks) as f64;
            blocks * pair_block(tokens, config.channel_z)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sizes(tokens: usize) -> Sizes {
        Sizes {
            tokens,
            atoms: 8 * tokens,
            protein_positions: tokens + 2,
            structure_residues: tokens,
            folded: vec![vec![tokens]],
            ..Sizes::default()
        }
    }

    fn machine(gib: u64) -> Machine {
        Machine {
            processor: "test".to_owned(),
            threads: 4,
            memory_bytes: Some(gib << 30),
            available_bytes: Some(gib << 30),
        }
    }

    fn full() -> (KFoldConfig, Weights) {
        let exact = |all| Numbers { all, rounded: 0 };
        (
            KFoldConfig::published_full().unwrap(),
            Weights { kfold: exact(338_514_812), atlasfold: exact(214_647_863), atlasfold_m: exact(220_080_951) },
        )
    }

    #[test]
    fn what_does_not_fit_is_refused_with_what_would() {
        let (config, weights) = full();
        let sizes = sizes(2000);
        let request = Request::new(&sizes, &config, &weights);
        let plan = Plan::new(&request, &machine(16), &RunTimes::default());
        let refusal = plan.refusal.unwrap();
        assert!(refusal.needed_bytes > 16 << 30 && plan.peak_bytes == refusal.needed_bytes);
        let text = refusal.to_string();
        assert!(
            text.contains("--model light") && text.contains("tokens instead of 2000") && text.contains("server"),
            "{text}"
        );
        // What it names does fit, and a step more does not.
        let tokens = largest_that_fits(&request, &machine(16)).unwrap();
        let peak = |tokens: usize| {
            let sizes = sizes.scaled(tokens as f64 / 2000.0);
            peak_one_by_one(&Request { sizes: &sizes, ..request.clone() }, &machine(16))
        };
        assert!(peak(tokens) <= 16 << 30 && peak(tokens + 64) > 16 << 30, "{tokens}");
        assert!(Plan::new(&request, &machine(400), &RunTimes::default()).refusal.is_none());
    }

    #[test]
    fn fewer_samples_at_once_where_memory_is_short() {
        let (config, weights) = full();
        let sizes = Sizes { folded: Vec::new(), ..sizes(200) };
        let request = Request {
            predict: PredictOptions { samples: 200, at_once: 200, ..PredictOptions::default() },
            ..Request::new(&sizes, &config, &weights)
        };
        let roomy = Plan::new(&request, &machine(200), &RunTimes::default());
        let tight = Plan::new(&request, &machine(4), &RunTimes::default());
        assert_eq!(roomy.at_once, 200);
        assert!(tight.at_once < 200 && tight.refusal.is_none(), "{tight:?}");
        assert!(tight.peak_bytes <= 4 << 30);
        assert_eq!(tight.smaller(Stage::Trunk), None);
        assert!(tight.smaller(Stage::Sampler).is_some_and(|fewer| fewer < tight.at_once));
        let unknown = Machine { available_bytes: None, ..machine(4) };
        let plan = Plan::new(&request, &unknown, &RunTimes::default());
        assert_eq!((plan.at_once, plan.refusal), (200, None));
    }

    #[test]
    fn stages_are_those_that_the_query_and_the_model_have() {
        let (config, weights) = full();
        let ligand = Sizes { tokens: 20, atoms: 20, ..Sizes::default() };
        let stages = |sizes: &Sizes, config: &KFoldConfig| stages_of(&Request::new(sizes, config, &weights));
        assert_eq!(stages(&ligand, &config), [Stage::Trunk, Stage::Sampler, Stage::Confidence]);
        let rna = Sizes { rna_positions: 22, ..ligand.clone() };
        assert!(stages(&rna, &config).contains(&Stage::RnaEncoder));
        let light = KFoldConfig::published_light().unwrap();
        let encoders = [Stage::RnaEncoder, Stage::StructureEncoder, Stage::StructureTokens];
        let all = Sizes { rna_positions: 22, ..sizes(100) };
        assert!(!stages(&all, &light).iter().any(|stage| encoders.contains(stage)));
        assert_eq!(stages(&all, &config).len(), 8);
    }

    #[test]
    fn times_are_known_once_a_run_has_told() {
        let (config, weights) = full();
        let small = Sizes { folded: Vec::new(), ..sizes(60) };
        let request = Request::new(&small, &config, &weights);
        let machine = machine(64);
        let first = Plan::new(&request, &machine, &RunTimes::default());
        assert_eq!(first.seconds, None);
        let runs = first.stages.iter().map(|stage| first.run_time(&request, stage.stage, 10.0)).collect();
        let times = RunTimes::of(runs);
        let again = Plan::new(&request, &machine, &times);
        assert!(again.seconds.is_some_and(|seconds| (seconds - 10.0 * again.stages.len() as f64).abs() < 1e-6));
        let two_seeds = Plan::new(&Request { seeds: 2, ..request.clone() }, &machine, &times);
        assert!((two_seeds.seconds.unwrap() / again.seconds.unwrap() - 2.0).abs() < 1e-6);
        let large = Sizes { folded: Vec::new(), ..sizes(600) };
        let large = Plan::new(&Request { sizes: &large, ..request }, &machine, &times);
        assert!(large.seconds.unwrap() > 50.0 * again.seconds.unwrap() / 8.0, "{:?}", large.seconds);
    }
}
