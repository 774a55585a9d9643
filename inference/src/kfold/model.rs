//! K-Fold as a whole (K-Fold 1.0.0, model/model.py): embedding, trunk, sampling, confidence.
//!
//! The encoders ([`Encoders`]) are not part of it: they run once, before everything else, and leave ([`KFold::encode`]), so that
//! the largest models never sit in memory beside the pair state.
//!
//! Order of the random draws: the pair state's start, the dropout of each cycle, then the sampler's.

use std::sync::Arc;

use candle_core::{DType, Device, Tensor};
use candle_nn::VarBuilder;
use glam::Vec3;

use super::checkpoint::{Checkpoint, Expected, verify};
use super::config::KFoldConfig;
use super::encoders::{LmEncoder, ProteinSequenceEncoder, RnaSequenceEncoder, StructureEncoder};
use super::input::FoldingInput;
use super::modules::apo_module::ApoModule;
use super::modules::confidence_head::ConfidenceHead;
use super::modules::confidence_metrics::{SampleConfidence, ScoredComplex};
use super::modules::distogram_head::DistogramHead;
use super::modules::ecsi::{Ecsi, SampleOptions, Sampled};
use super::modules::input_embedder::InputEmbedder;
use super::modules::patch_geometry::PatchPairGeometryHead;
use super::modules::score_model::ScoreModel;
use super::modules::{LmToPair, Parcae};
use super::noise::Noise;
use super::primitives::{LayerNorm, LayerNormParts, Linear, exact};
use super::{KFoldError, Result};

/// The pretrained encoders of a model; which it has, its configuration says.
pub struct Encoders {
    /// AtlasLM.
    pub protein: ProteinSequenceEncoder,
    /// The RNA model.
    pub rna: Option<RnaSequenceEncoder>,
    /// TriProRep.
    pub structure: Option<StructureEncoder>,
}

/// What the long loops report, and whoever listens may answer with an error to stop them ([`KFoldError::Cancelled`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// This many layers of the encoders of as many are done; those of encoders that the query does not need are left out.
    Encoding(usize, usize),
    /// This many cycles of the trunk of as many are done.
    Trunk(usize, usize),
    /// This many steps of the sampler of as many are done.
    Sampling(usize, usize),
    /// The confidence of this many samples of as many is done.
    Confidence(usize, usize),
}

/// Hears of every step.
pub type Watch<'a> = &'a mut dyn FnMut(Step) -> Result<()>;

/// What goes into the cycles.
#[derive(Clone, Debug)]
pub struct Embedded {
    /// Single features of the query [1, N, c_s].
    pub s_inputs: Tensor,
    /// Pair features of the query and of its apo structures [1, N, N, c_z].
    pub z_inputs: Tensor,
    /// Pair features of the encoders [1, N, N, c_z].
    pub z_lm: Tensor,
}

/// What comes out of the trunk.
#[derive(Clone, Debug)]
pub struct Trunk {
    /// Single features of the query [1, N, c_s].
    pub s_inputs: Tensor,
    /// Single features of the encoders [1, N, c_s].
    pub s_lm: Tensor,
    /// The pair state [1, N, N, c_z].
    pub z: Tensor,
}

/// How to predict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PredictOptions {
    /// Cycles of the trunk after the first.
    pub recycles: usize,
    /// Steps of the sampler.
    pub steps: usize,
    /// Samples.
    pub samples: usize,
    /// Samples that the score model takes at once: more is faster and needs more memory.
    pub at_once: usize,
    /// Keep the positions of every step.
    pub keep_path: bool,
}

impl Default for PredictOptions {
    /// The reference's.
    fn default() -> Self {
        Self { recycles: 10, steps: 100, samples: 5, at_once: 10, keep_path: false }
    }
}

/// What a prediction gives.
#[derive(Clone, Debug)]
pub struct Prediction {
    /// The trunk's result, which the affinity head reads.
    pub trunk: Trunk,
    /// Positions of each sample.
    pub sampled: Sampled,
    /// Confidence of each sample, in the same order.
    pub confidence: Vec<SampleConfidence>,
}

/// The network without its encoders.
#[derive(Clone, Debug)]
pub struct KFold {
    config: KFoldConfig,
    input_embedder: InputEmbedder,
    apo_module: ApoModule,
    prot_seq_to_s_lm: LmEncoder,
    rna_seq_to_s_lm: Option<LmEncoder>,
    prot_struct_to_s_lm: Option<(LayerNorm, Linear)>,
    lm_to_pair: LmToPair,
    parcae: Parcae,
    distogram_head: DistogramHead,
    score_model: ScoreModel,
    diffusion_head: Ecsi,
    confidence_head: ConfidenceHead,
    device: Device,
}

impl KFold {
    /// Opens the weights on `device`, those that the reference multiplies under autocast as `matrices` and the others as f32, and loads the network, as strict as the reference: every tensor must be there, and
    /// none beyond them but the bridges to encoders that this configuration goes without.
    ///
    /// # Errors
    /// When tensors are missing, extra or misshapen: all of them are named.
    pub fn open(checkpoint: &Arc<Checkpoint>, config: &KFoldConfig, matrices: DType, device: &Device) -> Result<Self> {
        let report = verify(checkpoint, &expected_tensors(config)?);
        if !report.fits() {
            let reason = format!("it does not fit its config.yaml: {report}");
            return Err(KFoldError::checkpoint(checkpoint.path(), reason));
        }
        Self::load(checkpoint.var_builder(matrices, device), config)
    }

    /// Loads the network from a builder at the root of the checkpoint.
    ///
    /// # Errors
    /// When a tensor is missing or misshapen.
    pub fn load(vb: VarBuilder<'_>, config: &KFoldConfig) -> Result<Self> {
        let (channel_s, channel_z) = (config.channel_s, config.channel_z);
        let precise = vb.to_dtype(exact(vb.dtype()));
        let protein = &config.protein_sequence_encoder;
        let rna = config.rna_sequence_encoder.as_ref();
        let structure = config.protein_structure_encoder.as_ref().map(|encoder| -> Result<(LayerNorm, Linear)> {
            let vb = vb.pp("prot_struct_to_s_lm");
            let norm = LayerNorm::load(vb.pp(0), encoder.d_model, LayerNorm::EPS, LayerNormParts::WEIGHT)?;
            Ok((norm, Linear::load(vb.pp(1), encoder.d_model, channel_s, false)?))
        });
        if let Some(config) = &config.patch_pair_geometry {
            // Trained beside the others and never asked in inference, but a checkpoint without it is damaged.
            PatchPairGeometryHead::load(precise.pp("patch_pair_geometry_head"), config, channel_z)?;
        }
        Ok(Self {
            input_embedder: InputEmbedder::load(vb.pp("input_embedder"), &config.input_embedder)?,
            apo_module: ApoModule::load(vb.pp("apo_module"), &config.apo_module)?,
            prot_seq_to_s_lm: LmEncoder::load(vb.pp("prot_seq_to_s_lm"), protein.d_model, protein.n_layers, channel_s)?,
            rna_seq_to_s_lm: rna
                .map(|rna| LmEncoder::load(vb.pp("rna_seq_to_s_lm"), rna.d_model, rna.n_layers, channel_s))
                .transpose()?,
            prot_struct_to_s_lm: structure.transpose()?,
            lm_to_pair: LmToPair::load(vb.pp("lm_to_pair"), channel_s, channel_z)?,
            // The reference leaves autocast for sampling and distogram.
            distogram_head: DistogramHead::load(precise.pp("distogram_head"), &config.distogram_head)?,
            score_model: ScoreModel::load(precise.pp("score_model"), &config.score_model)?,
            diffusion_head: Ecsi::new(&config.diffusion_head),
            confidence_head: ConfidenceHead::load(vb.pp("confidence_head"), &config.confidence_head)?,
            device: vb.device().clone(),
            config: config.clone(),
            parcae: Parcae::load(vb, config)?,
        })
    }

    /// The configuration it was built from.
    #[must_use]
    pub fn config(&self) -> &KFoldConfig {
        &self.config
    }

    /// The distogram head.
    #[must_use]
    pub fn distogram_head(&self) -> &DistogramHead {
        &self.distogram_head
    }

    /// Runs the encoders and merges what they say: s_lm [1, N, c_s].
    ///
    /// # Errors
    /// When an encoder that the configuration names is not given or fails, or `watch` says so.
    pub fn encode(&self, input: &FoldingInput, encoders: &Encoders, watch: Watch<'_>) -> Result<Tensor> {
        let missing = |name: &str| KFoldError::Config(format!("the model has {name}, but it was not opened"));
        let config = &self.config;
        let layers = [
            config.protein_sequence_encoder.n_layers + 1,
            config.rna_sequence_encoder.as_ref().map_or(0, |rna| rna.n_layers + 1),
            config.protein_structure_encoder.as_ref().map_or(0, |structure| structure.n_layers + 1),
        ];
        let all = layers.iter().sum();
        let mut step = |before: usize, layer: usize| watch(Step::Encoding((before + layer + 1).min(all), all));
        let mut s_lm = encoders.protein.merged(input, &self.prot_seq_to_s_lm, &mut |layer| step(0, layer))?;
        if let Some(bridge) = &self.rna_seq_to_s_lm {
            let encoder = encoders.rna.as_ref().ok_or_else(|| missing("an RNA encoder"))?;
            s_lm = (s_lm + encoder.merged(input, bridge, &mut |layer| step(layers[0], layer))?)?;
        }
        if let Some((norm, linear)) = &self.prot_struct_to_s_lm {
            let encoder = encoders.structure.as_ref().ok_or_else(|| missing("a structure encoder"))?;
            let features =
                encoder.forward(input, &mut |layer| step(layers[0] + layers[1], layer))?.to_device(&self.device)?;
            s_lm = (s_lm + linear.forward(&norm.forward(&features)?)?)?;
        }
        Ok(s_lm)
    }

    /// What goes into the cycles. `s_lm` [1, N, c_s] is [`Self::encode`]'s.
    ///
    /// # Errors
    /// When the tensor operations fail.
    pub fn embed(&self, input: &FoldingInput, s_lm: &Tensor) -> Result<Embedded> {
        let (s_inputs, z_inputs) = self.input_embedder.forward(input)?;
        let z_inputs = (z_inputs + self.apo_module.forward(input)?)?;
        Ok(Embedded { s_inputs, z_inputs, z_lm: self.lm_to_pair.forward(s_lm)? })
    }

    /// The pair state [1, N, N, c_z] after `recycles` + 1 cycles and the refinement.
    ///
    /// # Errors
    /// When the noise does not fit, a tensor operation fails, or `watch` says so.
    pub fn cycle(
        &self,
        embedded: &Embedded,
        pair_mask: &Tensor,
        recycles: usize,
        noise: &mut dyn Noise,
        watch: Watch<'_>,
    ) -> Result<Tensor> {
        let mut z = self.parcae.initial_state(&embedded.z_inputs, noise)?;
        for cycle in 0..=recycles {
            z = self.parcae.inject(z, &embedded.z_inputs, &embedded.z_lm, pair_mask, noise)?;
            z = self.parcae.evolve(z, pair_mask)?;
            watch(Step::Trunk(cycle + 1, recycles + 1))?;
        }
        self.parcae.refine(&z, pair_mask)
    }

    /// Embedding and cycles. `s_lm` [1, N, c_s] is [`Self::encode`]'s.
    ///
    /// # Errors
    /// When the noise does not fit, a tensor operation fails, or `watch` says so.
    pub fn run_trunk(
        &self,
        input: &FoldingInput,
        s_lm: Tensor,
        recycles: usize,
        noise: &mut dyn Noise,
        watch: Watch<'_>,
    ) -> Result<Trunk> {
        let embedded = self.embed(input, &s_lm)?;
        let z = self.cycle(&embedded, &input.pair_mask()?, recycles, noise, watch)?;
        Ok(Trunk { s_inputs: embedded.s_inputs, s_lm, z })
    }

    /// Samples structures.
    ///
    /// # Errors
    /// When the noise does not fit, a tensor operation fails, or `watch` says so.
    pub fn sample(
        &self,
        input: &FoldingInput,
        trunk: &Trunk,
        options: PredictOptions,
        noise: &mut dyn Noise,
        watch: Watch<'_>,
    ) -> Result<Sampled> {
        let trajectory = self.score_model.prepare(input, &trunk.s_inputs, &trunk.z)?;
        let PredictOptions { steps, samples, at_once, keep_path, .. } = options;
        let options = SampleOptions { steps, samples, at_once, keep_path };
        let mut on_step = |step| watch(Step::Sampling(step, steps));
        self.diffusion_head.sample(&self.score_model, &trajectory, input, options, noise, &mut on_step)
    }

    /// The confidence of each sample; `samples` hold the positions of all atoms, padding included, Å.
    ///
    /// # Errors
    /// When a tensor operation fails, or `watch` says so.
    pub fn confidence(
        &self,
        input: &FoldingInput,
        trunk: &Trunk,
        samples: &[Vec<Vec3>],
        complex: &ScoredComplex,
        watch: Watch<'_>,
    ) -> Result<Vec<SampleConfidence>> {
        let shared = self.confidence_head.prepare(input, &trunk.s_inputs, &trunk.s_lm, &trunk.z)?;
        let bins = self.confidence_head.bins();
        let mut confidence = Vec::with_capacity(samples.len());
        for (index, x) in samples.iter().enumerate() {
            let values: Vec<f32> = x.iter().flat_map(|position| position.to_array()).collect();
            let positions = Tensor::from_vec(values, (x.len(), 3), &self.device)?;
            let logits = self.confidence_head.forward(&shared, &positions)?;
            confidence.push(complex.score(x, &logits, &bins)?);
            watch(Step::Confidence(index + 1, samples.len()))?;
        }
        Ok(confidence)
    }

    /// Trunk, samples and their confidence. `s_lm` [1, N, c_s] is [`Self::encode`]'s.
    ///
    /// # Errors
    /// When the noise does not fit, a tensor operation fails, or `watch` says so.
    pub fn predict(
        &self,
        input: &FoldingInput,
        s_lm: Tensor,
        complex: &ScoredComplex,
        options: PredictOptions,
        noise: &mut dyn Noise,
        watch: Watch<'_>,
    ) -> Result<Prediction> {
        let trunk = self.run_trunk(input, s_lm, options.recycles, noise, watch)?;
        let sampled = self.sample(input, &trunk, options, noise, watch)?;
        let confidence = self.confidence(input, &trunk, &sampled.coordinates, complex, watch)?;
        Ok(Prediction { trunk, sampled, confidence })
    }
}

/// The tensors of K-Fold's own file. As the reference has it, the bridges to encoders may be there although the configuration
/// goes without those encoders.
///
/// # Errors
/// When the configuration cannot be built.
pub fn expected_tensors(config: &KFoldConfig) -> Result<Expected> {
    let expected = Expected::of(|vb| KFold::load(vb, config))?;
    Ok(expected.ignoring("rna_seq_to_s_lm.").ignoring("prot_struct_to_s_lm."))
}
