//! AtlasFold and AtlasFold-M (AtlasFold 1.0.4, `model/model.py`, `model/model_multimer.py`).
//!
//! A cycle of the trunk starts from the sequence, the last cycle's result and a fresh reading of the language model, with
//! other amino acids hidden from it each time. The diffusion head then samples structures, and the confidence head judges
//! each. AtlasFold-M differs by its template module, by its confidence head, and by reading the language model within
//! chains only.

use candle_core::{D, Device, Tensor};
use candle_nn::VarBuilder;

use super::confidence_head::ConfidenceHead;
use super::confidence_metrics::{Confidence, confidence};
use super::config::{AtlasFoldConfig, LanguageModelShape};
use super::diffusion_head::{DiffusionHead, SamplingConfig};
use super::distogram_head::DistogramHead;
use super::features::{FeatureTensors, Features};
use super::lm_embedder::LmEmbedder;
use super::normed_linear::NormedLinear;
use super::pair_block::{PairStack, PairStackSizes};
use super::relative_positions::{AtomRelativePositions, RELATIVE_POSITIONS, relative_positions};
use super::residues::RESIDUE_TYPES;
use super::template::{TemplateModule, Templates};
use super::watch::Watch;
use crate::engine::Events;
use crate::kfold::encoders::atlaslm::AtlasLm;
use crate::kfold::noise::Noise;
use crate::kfold::primitives::{LayerNormParts, Linear, exact};
use crate::kfold::{KFoldError, Result};

/// Hidden width of the pair transition, in its own widths.
const PAIR_EXPANSION: usize = 4;

/// How a target is folded.
#[derive(Clone, Debug, PartialEq)]
pub struct FoldSettings {
    /// Cycles of the trunk after the first.
    pub num_recycles: usize,
    /// Share of amino acids hidden from the language model in each cycle.
    pub mlm_probability: f64,
    /// Structures to sample.
    pub num_samples: usize,
    /// How they are sampled.
    pub sampling: SamplingConfig,
}

/// What the model makes of a target.
#[derive(Clone, Debug)]
pub struct Folded {
    /// The trunk's single representation, `[1, L, C_s]`.
    pub s: Tensor,
    /// The trunk's pair representation, `[1, L, L, C_z]`.
    pub z: Tensor,
    /// Coordinates in Å, `[N, L * 14, 3]`, zeros where there is no atom.
    pub coordinates: Tensor,
    /// How far each sample can be trusted.
    pub confidences: Vec<Confidence>,
}

/// AtlasFold, or, with a template module in its configuration, AtlasFold-M.
#[derive(Clone, Debug)]
pub struct AtlasFold {
    config: AtlasFoldConfig,
    device: Device,
    atom_positions: AtomRelativePositions,
    s_init: Linear,
    z_init: Linear,
    z_rel_pos: Linear,
    recycle_s: NormedLinear,
    recycle_z: NormedLinear,
    lm_embedder: LmEmbedder,
    proj_s_lm: NormedLinear,
    proj_z_lm: NormedLinear,
    template_module: Option<TemplateModule>,
    main_stack: PairStack,
    distogram_head: DistogramHead,
    diffusion_head: DiffusionHead,
    confidence_head: ConfidenceHead,
}

impl AtlasFold {
    /// Loads a published checkpoint's layout; the language model has a checkpoint of its own.
    ///
    /// # Errors
    /// When a tensor is missing or misshapen.
    pub fn load(vb: VarBuilder<'_>, config: &AtlasFoldConfig, lm: LanguageModelShape) -> Result<Self> {
        let (channel_s, channel_z) = (config.channel_s, config.channel_z);
        // The reference leaves autocast for sampling.
        let precise = vb.to_dtype(exact(vb.dtype()));
        let normed =
            |name: &str, from: usize, to: usize| NormedLinear::load(vb.pp(name), from, to, LayerNormParts::BOTH);
        let linear = |name: &str, from: usize, to: usize| Linear::load(vb.pp(name), from, to, false);
        let template = |sizes| TemplateModule::load(vb.pp("template_module"), channel_z, sizes);
        Ok(Self {
            config: config.clone(),
            device: vb.device().clone(),
            atom_positions: AtomRelativePositions::load(precise.pp("atom_rel_pos_encoding"))?,
            s_init: linear("s_init", RESIDUE_TYPES, channel_s)?,
            z_init: linear("z_init", RESIDUE_TYPES, 2 * channel_z)?,
            z_rel_pos: linear("z_rel_pos", RELATIVE_POSITIONS, channel_z)?,
            recycle_s: normed("recycle_s", channel_s, channel_s)?,
            recycle_z: normed("recycle_z", channel_z, channel_z)?,
            lm_embedder: LmEmbedder::load(&vb, config, lm)?,
            proj_s_lm: normed("proj_s_lm", config.channel_s_lm, channel_s)?,
            proj_z_lm: normed("proj_z_lm", channel_z, channel_z)?,
            template_module: config.template_module.as_ref().map(template).transpose()?,
            main_stack: main_stack(vb.pp("main_stack"), config)?,
            distogram_head: DistogramHead::load(precise.pp("distogram_head"), channel_z, &config.distogram_head)?,
            diffusion_head: DiffusionHead::load(precise.pp("diffusion_head"), config)?,
            confidence_head: ConfidenceHead::load(vb.pp("confidence_head"), config)?,
        })
    }

    /// Its sizes.
    #[must_use]
    pub fn config(&self) -> &AtlasFoldConfig {
        &self.config
    }

    /// The distogram head, for the pair representation of [`Folded`].
    #[must_use]
    pub fn distogram_head(&self) -> &DistogramHead {
        &self.distogram_head
    }

    /// Folds a target, of AtlasFold-M with templates if there are any. Draws in this order: for each cycle `rand(1, S)`, then the sampler's draws
    /// ([`DiffusionHead::sample`]).
    ///
    /// Progress is reported as one stage named `apo`, with `label` as its message.
    ///
    /// # Errors
    /// When the language model does not fit, memory ends, or the run was cancelled.
    pub fn fold(
        &self,
        lm: &AtlasLm,
        features: &Features,
        templates: Option<&Templates>,
        settings: &FoldSettings,
        noise: &mut dyn Noise,
        label: &str,
        events: &mut dyn Events,
    ) -> Result<Folded> {
        if !(settings.mlm_probability > 0.0 && settings.mlm_probability <= 1.0) || settings.num_samples == 0 {
            return Err(KFoldError::input(format!(
                "AtlasFold was asked for {} samples with {} of the amino acids hidden; at least one sample and a share \
                 above 0 and up to 1 are needed",
                settings.num_samples, settings.mlm_probability
            )));
        }
        let template_steps = match (&self.template_module, templates) {
            (Some(module), Some(templates)) => module.steps(templates)?,
            _ => 0,
        };
        let cycles = (settings.num_recycles + 1) * (self.lm_embedder.steps() + template_steps + self.main_stack.len());
        let samples = settings.num_samples * self.confidence_head.steps();
        let steps = (cycles + settings.sampling.num_steps + samples) as u64;
        let mut watch = Watch::new(events, "apo", label, steps);

        let tensors = features.tensors(&self.device)?;
        let positions = relative_positions(features, &self.device)?;
        let target = (features, &tensors);
        let (s, z) = self.trunk(lm, target, &positions, templates, settings, noise, &mut watch)?;
        let prepared = self.diffusion_head.prepare(target, &positions, &self.atom_positions, &s, &z)?;
        let coordinates =
            self.diffusion_head.sample(&prepared, settings.num_samples, &settings.sampling, noise, &mut watch)?;
        drop(prepared);
        let confidences = (0..settings.num_samples)
            .map(|sample| {
                let logits = self.confidence_head.forward(target, &s, &z, &coordinates.get(sample)?, &mut watch)?;
                confidence(features, &logits, self.confidence_head.bin_centres())
            })
            .collect::<Result<_>>()?;
        Ok(Folded { s, z, coordinates, confidences })
    }

    /// Runs the cycles of the trunk: `s` `[1, L, C_s]` and `z` `[1, L, L, C_z]`.
    fn trunk(
        &self,
        lm: &AtlasLm,
        target: (&Features, &FeatureTensors),
        positions: &Tensor,
        templates: Option<&Templates>,
        settings: &FoldSettings,
        noise: &mut dyn Noise,
        watch: &mut Watch<'_>,
    ) -> Result<(Tensor, Tensor)> {
        let (features, tensors) = target;
        let residues = &tensors.residue_one_hot;
        let s_start = self.s_init.forward(residues)?;
        let halves = self.z_init.forward(residues)?;
        let channel = self.config.channel_z;
        let (a, b) = (halves.narrow(D::Minus1, 0, channel)?, halves.narrow(D::Minus1, channel, channel)?);
        let z_start = a.unsqueeze(2)?.broadcast_add(&b.unsqueeze(1)?)?;
        let z_start = (z_start + self.z_rel_pos.forward(positions)?)?;
        let (mut s_last, mut z_last) = (s_start.zeros_like()?, z_start.zeros_like()?);
        for _ in 0..=settings.num_recycles {
            let s = (&s_start + self.recycle_s.forward(&s_last)?)?;
            let mut z = (&z_start + self.recycle_z.forward(&z_last)?)?;
            let draws = noise.rand(&[1, features.lm_tokens.len()])?.flatten_all()?.to_vec1::<f32>()?;
            let hide: Vec<bool> = draws.iter().map(|draw| *draw < settings.mlm_probability as f32).collect();
            let (s_lm, z_lm) = self.lm_embedder.forward(lm, features, tensors, &hide, watch)?;
            let s = (s + self.proj_s_lm.forward(&s_lm)?)?;
            z = (z + self.proj_z_lm.forward(&z_lm)?)?;
            if let (Some(module), Some(templates)) = (&self.template_module, templates) {
                let masks = (&tensors.mask, &tensors.pair_mask);
                z = (&z + module.forward(templates, &z, masks, &tensors.same_chain, watch)?)?;
            }
            let (s, z) = self.main_stack.forward(Some(s), &z, &tensors.mask, &tensors.pair_mask, watch)?;
            s_last = s.ok_or_else(|| KFoldError::input("the main stack lost its single representation"))?;
            z_last = z;
        }
        Ok((s_last, z_last))
    }
}

/// Loads the main stack.
///
/// # Errors
/// When a tensor is missing or misshapen.
pub fn main_stack(vb: VarBuilder<'_>, config: &AtlasFoldConfig) -> Result<PairStack> {
    let sizes = PairStackSizes {
        channel_s: config.channel_s,
        channel_z: config.channel_z,
        num_heads: config.trunk.num_heads,
        num_tri_heads: config.trunk.num_tri_heads,
        num_blocks: config.trunk.num_blocks,
        pair_expansion: PAIR_EXPANSION,
        single_to_pair: false,
        pair_to_single_blocks: config.trunk.num_pair_to_single_blocks,
    };
    PairStack::load(vb, sizes)
}
