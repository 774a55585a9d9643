//! Sizes of an AtlasFold model.
//!
//! The reference keeps them in code (AtlasFold 1.0.4, `configs/atlasfold.py` and `configs/atlasfold_multimer.py`); here
//! they are the two files in `published/`, read by the same path as a file of a user's own. Unknown keys are refused.

use serde::{Deserialize, Serialize};

use crate::kfold::config::ProteinSequenceEncoderConfig;
use crate::kfold::{KFoldError, Result};

const MONOMER: &str = include_str!("published/atlasfold-260703.yaml");
const PAIR: &str = include_str!("published/atlasfold-m-260725.yaml");

/// Sizes of AtlasFold (one chain) or, with a template module, of AtlasFold-M (several chains).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AtlasFoldConfig {
    /// Width of the single representation.
    pub channel_s: usize,
    /// Width of the language model's single representation.
    pub channel_s_lm: usize,
    /// Width of the pair representation.
    pub channel_z: usize,
    /// The trunk.
    pub trunk: TrunkConfig,
    /// The template module, which only AtlasFold-M has. It decides which of the two models this is.
    #[serde(default)]
    pub template_module: Option<TemplateModuleConfig>,
    /// The diffusion head.
    pub diffusion_head: DiffusionHeadConfig,
    /// The distogram head.
    pub distogram_head: DistogramHeadConfig,
    /// The confidence head.
    pub confidence_head: ConfidenceHeadConfig,
}

/// Sizes of the trunk.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrunkConfig {
    /// Heads of the single attention.
    pub num_heads: usize,
    /// Heads of the triangle attention.
    pub num_tri_heads: usize,
    /// Blocks over the language model's features.
    pub num_lm_blocks: usize,
    /// Blocks of the main stack.
    pub num_blocks: usize,
    /// How many of the main stack's last blocks update the single representation.
    pub num_pair_to_single_blocks: usize,
}

/// Sizes of the template module.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TemplateModuleConfig {
    /// Width of the template's pair representation.
    pub channel_template: usize,
    /// Pair blocks.
    pub num_blocks: usize,
    /// Heads of the triangle attention.
    pub num_tri_heads: usize,
    /// Bins of the distogram of pseudo-betas.
    pub num_distogram_bins: usize,
    /// Å, lower break of the first bin.
    pub min_dist: f64,
    /// Å, lower break of the last bin.
    pub max_dist: f64,
}

/// Sizes of the diffusion head.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DiffusionHeadConfig {
    /// Width of a residue in the transformer.
    pub channel_a: usize,
    /// Width of an atom.
    pub channel_atom: usize,
    /// Width of the conditioning.
    pub channel_cond: usize,
    /// Heads of the transformer.
    pub num_heads: usize,
    /// Blocks of the transformer.
    pub num_blocks: usize,
    /// Heads of the atom attention.
    pub num_atom_heads: usize,
    /// Blocks of each atom attention stack.
    pub num_atom_blocks: usize,
}

/// Sizes of the distogram head.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DistogramHeadConfig {
    /// Bins.
    pub num_bins: usize,
    /// Å, start of the first bin.
    pub min_dist: f64,
    /// Å, end of the last bin.
    pub max_dist: f64,
}

/// Sizes of the confidence head.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConfidenceHeadConfig {
    /// Heads of the single attention.
    pub num_heads: usize,
    /// Heads of the triangle attention.
    pub num_tri_heads: usize,
    /// Pair blocks; AtlasFold has two stacks of so many.
    pub num_blocks: usize,
    /// Bins of the distogram of the predicted coordinates.
    pub num_bins: usize,
    /// Å, first boundary.
    pub min_dist: f64,
    /// Å, last boundary.
    pub max_dist: f64,
    /// Bins of pLDDT over 0 to 1.
    pub num_plddt_bins: usize,
    /// Å, end of the last bin of PAE.
    pub max_pae_error: f64,
    /// Bins of PAE.
    pub num_pae_bins: usize,
    /// Å, end of the last bin of PDE; AtlasFold-M only.
    #[serde(default)]
    pub max_pde_error: Option<f64>,
    /// Bins of PDE; AtlasFold-M only.
    #[serde(default)]
    pub num_pde_bins: Option<usize>,
}

/// What AtlasFold must know of the language model it reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LanguageModelShape {
    /// Width of a token.
    pub d_model: usize,
    /// Attention heads of a layer.
    pub n_heads: usize,
    /// Layers.
    pub n_layers: usize,
}

impl From<&ProteinSequenceEncoderConfig> for LanguageModelShape {
    fn from(config: &ProteinSequenceEncoderConfig) -> Self {
        Self { d_model: config.d_model, n_heads: config.n_heads, n_layers: config.n_layers }
    }
}

impl AtlasFoldConfig {
    /// AtlasFold as published (`atlasfold-260703`).
    ///
    /// # Errors
    /// Never, in a build whose tests pass.
    pub fn published_monomer() -> Result<Self> {
        Self::from_yaml(MONOMER)
    }

    /// AtlasFold-M as published (`atlasfold-m-260725`).
    ///
    /// # Errors
    /// Never, in a build whose tests pass.
    pub fn published_pair() -> Result<Self> {
        Self::from_yaml(PAIR)
    }

    /// Reads sizes from YAML.
    ///
    /// # Errors
    /// When the text is not YAML, a key is missing or unknown, or the sizes do not fit together.
    pub fn from_yaml(text: &str) -> Result<Self> {
        let config: Self =
            serde_saphyr::from_str(text).map_err(|error| KFoldError::Config(format!("AtlasFold's sizes: {error}")))?;
        config.check()?;
        Ok(config)
    }

    /// Whether this is AtlasFold-M.
    #[must_use]
    pub fn is_multimer(&self) -> bool {
        self.template_module.is_some()
    }

    /// Refuses sizes that cannot be built, so that the modules need not.
    fn check(&self) -> Result<()> {
        let mut divisions = vec![
            ("trunk.num_heads", self.channel_s, self.trunk.num_heads),
            ("trunk.num_heads", self.channel_s_lm, self.trunk.num_heads),
            ("trunk.num_tri_heads", self.channel_z, self.trunk.num_tri_heads),
            ("diffusion_head.num_heads", self.diffusion_head.channel_a, self.diffusion_head.num_heads),
            ("diffusion_head.num_atom_heads", self.diffusion_head.channel_atom, self.diffusion_head.num_atom_heads),
            ("confidence_head.num_heads", self.channel_s, self.confidence_head.num_heads),
            ("confidence_head.num_tri_heads", self.channel_z, self.confidence_head.num_tri_heads),
        ];
        if let Some(template) = &self.template_module {
            divisions.push(("template_module.num_tri_heads", template.channel_template, template.num_tri_heads));
        }
        for (key, channel, heads) in divisions {
            if heads == 0 || channel == 0 || channel % heads != 0 {
                return Err(KFoldError::Config(format!(
                    "AtlasFold's {key} is {heads}, which does not divide {channel}"
                )));
            }
        }
        if self.trunk.num_pair_to_single_blocks > self.trunk.num_blocks {
            return Err(KFoldError::Config(format!(
                "AtlasFold's trunk.num_pair_to_single_blocks is {}, more than its {} blocks",
                self.trunk.num_pair_to_single_blocks, self.trunk.num_blocks
            )));
        }
        let head = &self.confidence_head;
        if self.is_multimer() != (head.num_pde_bins.is_some() && head.max_pde_error.is_some()) {
            return Err(KFoldError::Config(
                "AtlasFold-M has a template_module and the confidence head's num_pde_bins and max_pde_error; AtlasFold \
                 has none of them"
                    .to_owned(),
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::AtlasFoldConfig;

    #[test]
    fn published_sizes_are_read() {
        let monomer = AtlasFoldConfig::published_monomer().unwrap();
        let pair = AtlasFoldConfig::published_pair().unwrap();
        assert!(!monomer.is_multimer());
        assert!(pair.is_multimer());
        assert_eq!(monomer.diffusion_head, pair.diffusion_head);
    }

    #[test]
    fn sizes_that_cannot_be_built_are_refused() {
        let mut config = AtlasFoldConfig::published_monomer().unwrap();
        config.trunk.num_heads = 7;
        let error = config.check().unwrap_err().to_string();
        assert!(error.contains("trunk.num_heads"), "{error}");
        assert!(AtlasFoldConfig::from_yaml("channel_s: 3\nsurprise: 1\n").is_err());
    }
}
