//! The model's `config.yaml`: every size of the networks.
//!
//! As in K-Fold 1.0.0: the top level must name every section and ignores keys it does not know; each section fills what is
//! missing with the reference's defaults and refuses unknown keys, so that a configuration of another version is never
//! half understood. `protein_structure_encoder`, `rna_sequence_encoder` and `patch_pair_geometry` may be null: the light
//! models go without. Each section repeats the channels it needs; [`KFoldConfig::validate`] sees that they agree.

use std::path::Path;

use serde::{Deserialize, Deserializer};

use super::encoders::{BackboneTokenizerConfig, FullAtomTokenizerConfig};
use super::{KFoldError, Result};

/// No network of this family is larger; sizes beyond it are damage or malice.
const MAX_SIZE: usize = 1 << 20;

/// Reads a section that may be empty.
fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    deserializer: D,
) -> std::result::Result<T, D::Error> {
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}

/// Reads a section that must be named but may be null.
fn nullable<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> std::result::Result<Option<T>, D::Error> {
    Option::<T>::deserialize(deserializer)
}

macro_rules! section {
    ($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty = $default:expr,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Deserialize)]
        #[serde(deny_unknown_fields, default)]
        pub struct $name {
            $($(#[$field_doc])* pub $field: $type,)+
        }

        impl Default for $name {
            fn default() -> Self {
                Self { $($field: $default,)+ }
            }
        }
    };
}

/// The whole configuration (model/model.py, `KFoldConfig`).
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct KFoldConfig {
    /// Width of single representations.
    pub channel_s: usize,
    /// Width of the pair state.
    pub channel_z: usize,
    /// Probability of the dropout on the language model's pair features, active in inference.
    pub lm_dropout: f64,
    /// Input embedder.
    #[serde(deserialize_with = "or_default")]
    pub input_embedder: InputEmbedderConfig,
    /// Apo module.
    #[serde(deserialize_with = "or_default")]
    pub apo_module: ApoModuleConfig,
    /// AtlasLM.
    #[serde(deserialize_with = "or_default")]
    pub protein_sequence_encoder: ProteinSequenceEncoderConfig,
    /// TriProRep, if the model has it.
    #[serde(deserialize_with = "nullable")]
    pub protein_structure_encoder: Option<StructureEncoderConfig>,
    /// RNA model, if the model has it.
    #[serde(deserialize_with = "nullable")]
    pub rna_sequence_encoder: Option<RnaSequenceEncoderConfig>,
    /// Trunk.
    #[serde(deserialize_with = "or_default")]
    pub trunk: TrunkConfig,
    /// Contractive recurrence.
    #[serde(deserialize_with = "or_default")]
    pub parcae: ParcaeConfig,
    /// Score model.
    #[serde(deserialize_with = "or_default")]
    pub score_model: ScoreModelConfig,
    /// ECSI sampler.
    #[serde(deserialize_with = "or_default")]
    pub diffusion_head: EcsiConfig,
    /// Distogram head.
    #[serde(deserialize_with = "or_default")]
    pub distogram_head: DistogramHeadConfig,
    /// Confidence head.
    #[serde(deserialize_with = "or_default")]
    pub confidence_head: ConfidenceHeadConfig,
    /// Patch geometry head, if the model has it; used in training alone.
    #[serde(deserialize_with = "nullable")]
    pub patch_pair_geometry: Option<PatchPairGeometryConfig>,
    /// TriProRep's backbone tokenizer. Published configurations do not say its sizes, small models of tests do.
    #[serde(default, rename = "bb")]
    pub backbone_tokenizer: BackboneTokenizerConfig,
    /// TriProRep's full-atom tokenizer, likewise.
    #[serde(default, rename = "fa")]
    pub full_atom_tokenizer: FullAtomTokenizerConfig,
}

section! {
    /// Input embedder (modules/input_embedder.py).
    InputEmbedderConfig {
        /// Width of single representations.
        channel_s: usize = 384,
        /// Width of the pair state.
        channel_z: usize = 256,
        /// Width of atoms.
        channel_atom: usize = 128,
        /// Width of atom pairs.
        channel_atompair: usize = 16,
        /// Blocks of the atom encoder.
        atom_encoder_blocks: usize = 3,
        /// Heads of the atom encoder.
        atom_encoder_heads: usize = 4,
        /// Training only.
        ckpt_atom_stack: bool = false,
    }
}

section! {
    /// Apo module (modules/apo_module.py).
    ApoModuleConfig {
        /// Width of the pair state.
        channel_z: usize = 256,
        /// Width of the module's own pair state.
        channel_apo: usize = 64,
        /// Blocks.
        num_blocks: usize = 2,
        /// Heads of triangle attention.
        num_tri_heads: usize = 4,
        /// Training only.
        dropout: f64 = 0.1,
        /// Bins of the distogram feature.
        num_distogram_bins: usize = 39,
        /// Lower edge of the first bin, Å.
        min_dist: f64 = 3.25,
        /// Lower edge of the last bin, Å.
        max_dist: f64 = 50.75,
        /// Training only.
        blocks_per_ckpt: Option<usize> = None,
    }
}

section! {
    /// AtlasLM (modules/prot_seq_encoder.py).
    ProteinSequenceEncoderConfig {
        /// Where the checkpoint is on its maker's machine; not used here.
        model_path: Option<String> = None,
        /// Not used here.
        cache_dir: Option<String> = None,
        /// Tokens of the alphabet.
        vocab_size: usize = 64,
        /// Width.
        d_model: usize = 2304,
        /// Heads.
        n_heads: usize = 36,
        /// Layers.
        n_layers: usize = 48,
    }
}

section! {
    /// TriProRep (modules/prot_struct_encoder.py).
    StructureEncoderConfig {
        /// Where the checkpoints are on their maker's machine; not used here.
        model_path: Option<String> = None,
        /// Not used here.
        cache_dir: Option<String> = None,
        /// Width.
        d_model: usize = 2560,
        /// Layers.
        n_layers: usize = 33,
        /// Heads.
        n_heads: usize = 40,
    }
}

section! {
    /// RNA model (modules/rna_seq_encoder.py).
    RnaSequenceEncoderConfig {
        /// Where the checkpoint is on its maker's machine; not used here.
        model_path: Option<String> = None,
        /// Not used here.
        cache_dir: Option<String> = None,
        /// Tokens of the alphabet.
        vocab_size: usize = 64,
        /// Width.
        d_model: usize = 960,
        /// Heads.
        n_heads: usize = 15,
        /// Layers.
        n_layers: usize = 30,
        /// Mixture of experts instead of a dense feed-forward layer.
        use_moe: bool = true,
    }
}

section! {
    /// Trunk (model/model.py).
    TrunkConfig {
        /// Blocks over the language model's pair features.
        num_lm_blocks: usize = 4,
        /// Blocks of each cycle.
        num_main_blocks: usize = 48,
        /// Blocks after the cycles.
        num_refine_blocks: usize = 2,
        /// Training only.
        dropout: f64 = 0.25,
        /// Training only.
        blocks_per_ckpt: Option<usize> = None,
    }
}

/// How the pair state starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StateInit {
    /// Normal noise of variance 2 / (5 c_z), cut at three standard deviations.
    TruncNormal,
    /// Zeros.
    Zero,
}

section! {
    /// Contractive recurrence (model/model.py).
    ParcaeConfig {
        /// How the pair state starts.
        state_init: StateInit = StateInit::TruncNormal,
        /// Training only: the initial contraction.
        decay_init: f64 = 0.447_213_595_499_957_9,
    }
}

section! {
    /// Score model (modules/score_model.py).
    ScoreModelConfig {
        /// Width of tokens.
        channel_a: usize = 768,
        /// Width of single representations.
        channel_s: usize = 384,
        /// Width of the pair state.
        channel_z: usize = 256,
        /// Width of atoms.
        channel_atom: usize = 128,
        /// Width of atom pairs.
        channel_atompair: usize = 16,
        /// Coordinates of an atom: 3, or 6 with the endpoint's.
        channel_coords: usize = 3,
        /// One atom encoder for the current state and one for the endpoint.
        separate_endpoint_atom_encoder: bool = false,
        /// Blocks of the atom encoder.
        atom_encoder_blocks: usize = 3,
        /// Heads of the atom encoder.
        atom_encoder_heads: usize = 4,
        /// Blocks of the token transformer.
        token_transformer_blocks: usize = 12,
        /// Heads of the token transformer.
        token_transformer_heads: usize = 16,
        /// Blocks of the atom decoder.
        atom_decoder_blocks: usize = 3,
        /// Heads of the atom decoder.
        atom_decoder_heads: usize = 4,
        /// Training only.
        blocks_per_ckpt: Option<usize> = None,
        /// Training only.
        ckpt_atom_stack: bool = false,
    }
}

section! {
    /// ECSI bridge sampler (modules/ecsi.py).
    EcsiConfig {
        /// Scale of the target coordinates, Å.
        sigma_0: f64 = 16.0,
        /// Scale of the prior coordinates, Å.
        #[serde(rename = "sigma_T")]
        sigma_t: f64 = 27.0,
        /// Covariance of target and prior, Å².
        #[serde(rename = "cov_0T")]
        cov_0t: f64 = 175.0,
        /// Last positive time of the schedule.
        time_min: f64 = 1e-8,
        /// First time of the schedule.
        time_max: f64 = 0.9999,
        /// Peak of the bridge's noise, at t = 0.5.
        gamma_max: f64 = 6.0,
        /// Time between the schedule's two intervals.
        time_schedule_boundary: f64 = 0.5,
        /// Shares of the steps of the two intervals.
        sample_step_fraction: [f64; 2] = [0.4, 0.6],
        /// Powers of the two intervals.
        sample_time_power: [f64; 2] = [0.5, 2.0],
        /// Stochastic steps until this time, deterministic after it.
        sde_end_time: f64 = 0.1,
        /// Strength of the stochastic term.
        eta: f64 = 1.0,
        /// Factor of each step.
        step_scale: f64 = 1.0,
        /// Churn until this time.
        churn_end_time: f64 = 0.5,
        /// Least and greatest churn.
        churn_factor_range: [f64; 2] = [0.1, 0.4],
        /// Training only.
        train_time_distribution: String = "logistic".to_owned(),
        /// Training only.
        train_time_distribution_params: [f64; 2] = [-2.15, 2.25],
        /// Training only.
        train_x_0_perturb_prob: f64 = 0.0,
        /// Training only.
        train_x_0_perturb_time_min: f64 = 0.7,
        /// Training only.
        train_x_0_perturb_translation_std: f64 = 4.0,
    }
}

section! {
    /// Distogram head (modules/distogram_head.py).
    DistogramHeadConfig {
        /// Width of the pair state.
        channel_z: usize = 256,
        /// Bins.
        num_bins: usize = 64,
        /// Lower edge of the first bin, Å.
        min_dist: f64 = 2.0,
        /// Upper edge of the last bin, Å.
        max_dist: f64 = 22.0,
    }
}

section! {
    /// Confidence head (modules/confidence_head.py).
    ConfidenceHeadConfig {
        /// Width of single representations.
        channel_s: usize = 384,
        /// Width of the pair state.
        channel_z: usize = 256,
        /// Heads of attention.
        num_heads_attn: usize = 16,
        /// Blocks.
        num_blocks: usize = 4,
        /// Training only.
        dropout: f64 = 0.25,
        /// Bins of the distogram feature.
        num_bins: usize = 39,
        /// First boundary, Å.
        min_dist: f64 = 3.25,
        /// Last boundary, Å.
        max_dist: f64 = 50.75,
        /// Least aligned error, Å.
        min_pae_dist: f64 = 0.0,
        /// Greatest aligned error, Å.
        max_pae_dist: f64 = 32.0,
        /// Bins of the aligned error.
        num_pae_bins: usize = 64,
        /// Least distance error, Å.
        min_pde_dist: f64 = 0.0,
        /// Greatest distance error, Å.
        max_pde_dist: f64 = 32.0,
        /// Bins of the distance error.
        num_pde_bins: usize = 64,
        /// Bins of pLDDT.
        num_plddt_bins: usize = 50,
        /// Training only.
        blocks_per_ckpt: Option<usize> = None,
    }
}

section! {
    /// Patch geometry head (modules/patch_geometry.py): trained beside the others, never asked in inference.
    PatchPairGeometryConfig {
        /// Whether it is on.
        enabled: bool = false,
        /// Width of the pair state; the model's own width is used instead.
        channel_z: usize = 256,
        /// Bins.
        num_bins: usize = 64,
        /// Lower edge of the first bin, Å.
        min_dist: f64 = 2.0,
        /// Upper edge of the last bin, Å.
        max_dist: f64 = 22.0,
        /// Tokens of a patch.
        patch_size: usize = 16,
        /// Patches of a chain.
        max_patches_per_chain: usize = 8,
        /// Pairs of patches.
        max_patch_pairs: usize = 256,
        /// Tokens pooled of a patch; 0 for all.
        pool_max_tokens_per_patch: usize = 0,
        /// Contact, Å.
        positive_cutoff: f64 = 12.0,
        /// Near miss, Å.
        hard_negative_cutoff: f64 = 18.0,
    }
}

impl KFoldConfig {
    /// The full model as its makers describe it.
    ///
    /// # Errors
    /// None in a program whose tests pass.
    pub fn published_full() -> Result<Self> {
        Self::from_yaml(include_str!("published/kfold.yaml"))
    }

    /// The light model as its makers describe it.
    ///
    /// # Errors
    /// None in a program whose tests pass.
    pub fn published_light() -> Result<Self> {
        Self::from_yaml(include_str!("published/kfold-light.yaml"))
    }

    /// Reads a `config.yaml`.
    ///
    /// # Errors
    /// When the file cannot be read or is not a configuration of K-Fold 1.0.0; the message names the key.
    pub fn load(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(|source| KFoldError::io(path, source))?;
        Self::from_yaml(&text).map_err(|error| match error {
            KFoldError::Config(reason) => KFoldError::Config(format!("{}: {reason}", path.display())),
            other => other,
        })
    }

    /// Reads YAML, of which JSON is a part.
    ///
    /// # Errors
    /// When the text is not a configuration of K-Fold 1.0.0; the message names the key.
    pub fn from_yaml(text: &str) -> Result<Self> {
        let config: Self = serde_saphyr::from_str(text).map_err(|error| KFoldError::Config(error.to_string()))?;
        config.validate()?;
        Ok(config)
    }

    /// Sees that the sections agree and that the sizes can be built.
    ///
    /// # Errors
    /// When they do not; the message names the key.
    pub fn validate(&self) -> Result<()> {
        let fail = |reason: String| Err(KFoldError::Config(reason));
        for (key, value, top) in [
            ("input_embedder.channel_s", self.input_embedder.channel_s, self.channel_s),
            ("score_model.channel_s", self.score_model.channel_s, self.channel_s),
            ("confidence_head.channel_s", self.confidence_head.channel_s, self.channel_s),
            ("input_embedder.channel_z", self.input_embedder.channel_z, self.channel_z),
            ("apo_module.channel_z", self.apo_module.channel_z, self.channel_z),
            ("score_model.channel_z", self.score_model.channel_z, self.channel_z),
            ("distogram_head.channel_z", self.distogram_head.channel_z, self.channel_z),
            ("confidence_head.channel_z", self.confidence_head.channel_z, self.channel_z),
        ] {
            if value != top {
                return fail(format!("{key} is {value}, but the model has {top}; write {top} in that section too"));
            }
        }
        for (key, width, heads) in [
            ("apo_module.num_tri_heads", self.apo_module.channel_apo, self.apo_module.num_tri_heads),
            (
                "input_embedder.atom_encoder_heads",
                self.input_embedder.channel_atom,
                self.input_embedder.atom_encoder_heads,
            ),
            ("score_model.atom_encoder_heads", self.score_model.channel_atom, self.score_model.atom_encoder_heads),
            ("score_model.atom_decoder_heads", self.score_model.channel_atom, self.score_model.atom_decoder_heads),
            (
                "score_model.token_transformer_heads",
                self.score_model.channel_a,
                self.score_model.token_transformer_heads,
            ),
            ("confidence_head.num_heads_attn", self.confidence_head.channel_s, self.confidence_head.num_heads_attn),
            (
                "protein_sequence_encoder.n_heads",
                self.protein_sequence_encoder.d_model,
                self.protein_sequence_encoder.n_heads,
            ),
        ] {
            if heads == 0 || width == 0 || width > MAX_SIZE || width % heads != 0 {
                return fail(format!("{key}: a width of {width} cannot be shared among {heads} heads"));
            }
        }
        let dropout = self.lm_dropout;
        if !(0.0..1.0).contains(&dropout) {
            return fail(format!("lm_dropout is {dropout}; it must be at least 0 and below 1"));
        }
        for (key, value) in [
            ("channel_z", self.channel_z),
            ("channel_s", self.channel_s),
            ("distogram_head.num_bins", self.distogram_head.num_bins),
            ("confidence_head.num_bins", self.confidence_head.num_bins),
            ("apo_module.num_distogram_bins", self.apo_module.num_distogram_bins),
        ] {
            if !(2..=MAX_SIZE).contains(&value) {
                return fail(format!("{key} is {value}"));
            }
        }
        let trunk = &self.trunk;
        if [trunk.num_lm_blocks, trunk.num_main_blocks, trunk.num_refine_blocks]
            .into_iter()
            .any(|blocks| blocks > 10_000)
        {
            return fail("the trunk has more than 10000 blocks".to_owned());
        }
        self.diffusion_head.validate()
    }
}

impl EcsiConfig {
    /// The reference's own conditions on the schedule.
    fn validate(&self) -> Result<()> {
        let fail = |reason: &str| Err(KFoldError::Config(format!("diffusion_head: {reason}")));
        let positive = |values: &[f64]| values.iter().all(|value| value.is_finite() && *value > 0.0);
        if !positive(&self.sample_step_fraction) || !positive(&self.sample_time_power) {
            return fail("sample_step_fraction and sample_time_power must be positive");
        }
        if (self.sample_step_fraction.iter().sum::<f64>() - 1.0).abs() > 1e-8 {
            return fail("sample_step_fraction must sum to 1");
        }
        if !(self.time_min < self.time_schedule_boundary && self.time_schedule_boundary < self.time_max) {
            return fail("time_schedule_boundary must lie between time_min and time_max");
        }
        if !self.churn_factor_range.iter().all(|value| value.is_finite() && *value >= 0.0) {
            return fail("churn_factor_range must not be negative");
        }
        if !positive(&[self.sigma_0, self.sigma_t, self.gamma_max, self.time_min]) {
            return fail("sigma_0, sigma_T, gamma_max and time_min must be positive");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIGHT: &str = "
channel_s: 384
channel_z: 128
lm_dropout: 0.25
dropout: 0.25
diffusion_type: ecsi
input_embedder: {channel_z: 128}
apo_module: {channel_z: 128}
protein_sequence_encoder: {}
protein_structure_encoder: null
rna_sequence_encoder: null
trunk: {num_lm_blocks: 2, num_main_blocks: 24, num_refine_blocks: 2}
parcae:
score_model: {channel_z: 128, token_transformer_blocks: 12, token_transformer_heads: 12, channel_coords: 6, separate_endpoint_atom_encoder: true}
diffusion_head: {time_min: 1e-8, sigma_T: 27, sample_step_fraction: [0.4, 0.6]}
distogram_head: {channel_z: 128}
confidence_head: {channel_z: 128}
patch_pair_geometry: {enabled: true, positive_cutoff: 12}
";

    #[test]
    fn light_configuration_reads_with_defaults() {
        let config = KFoldConfig::from_yaml(LIGHT).unwrap();
        assert_eq!(config.trunk.num_main_blocks, 24);
        assert_eq!(config.trunk.dropout, 0.25);
        assert_eq!(config.parcae.state_init, StateInit::TruncNormal);
        assert!(config.protein_structure_encoder.is_none() && config.rna_sequence_encoder.is_none());
        assert_eq!(config.protein_sequence_encoder.d_model, 2304);
        assert_eq!(config.diffusion_head.sigma_t, 27.0);
        assert_eq!(config.diffusion_head.time_min, 1e-8);
    }

    #[test]
    fn what_the_reference_rejects_is_rejected_by_name() {
        for (from, to, named) in [
            ("trunk: {", "trunk: {endpoint: 1, ", "endpoint"),
            ("diffusion_head: {", "diffusion_head: {sigma_data: 16, ", "sigma_data"),
            ("protein_structure_encoder: null\n", "", "protein_structure_encoder"),
            ("parcae:\n", "", "parcae"),
            ("distogram_head: {channel_z: 128}", "distogram_head: {}", "distogram_head.channel_z is 256"),
            ("[0.4, 0.6]", "[0.4, 0.7]", "sum to 1"),
            ("token_transformer_heads: 12", "token_transformer_heads: 7", "token_transformer_heads"),
            ("lm_dropout: 0.25", "lm_dropout: 1.0", "lm_dropout"),
        ] {
            let text = LIGHT.replacen(from, to, 1);
            assert_ne!(text, LIGHT);
            let error = KFoldConfig::from_yaml(&text).unwrap_err().to_string();
            assert!(error.contains(named), "{named} is not named: {error}");
        }
    }
}
