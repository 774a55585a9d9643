//! The folder that holds a model's weights: one file for each part, and `config.yaml`.
//!
//! A part's file has the name its makers gave it, as safetensors (what `kfold-studio models import` writes) or `.pth` (as
//! published). Files may lie in the folder itself, in its `weights`, or in the `weights` of a folder in it, so that snapshots of
//! the makers' repositories put side by side serve as they are.
//!
//! Two models may share a folder: what is the light model's alone, K-Fold's own weights and `config.yaml`, lies in the folder's
//! `light`, and the language model and AtlasFold are both's.

use std::path::{Path, PathBuf};

use super::atlasfold::{AtlasFold, AtlasFoldConfig};
use super::checkpoint::{Checkpoint, Expected};
use super::config::{KFoldConfig, ProteinSequenceEncoderConfig, RnaSequenceEncoderConfig, StructureEncoderConfig};
use super::encoders::{AtlasLm, BackboneTokenizer, FullAtomTokenizer, Residence, RnaSequenceEncoder, TriProRepEncoder};
use super::record::Record;
use super::{KFoldError, Result};
use crate::job::files;

/// Width of an attention head of the language models.
const LM_HEAD_WIDTH: usize = 64;

/// A part of a model that has a file of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// Trunk, score model and heads.
    KFold,
    /// AtlasLM, the protein language model.
    AtlasLm,
    /// The RNA model.
    RnaEncoder,
    /// TriProRep, the structure encoder.
    StructureEncoder,
    /// TriProRep's backbone tokenizer.
    BackboneTokenizer,
    /// TriProRep's full-atom tokenizer.
    FullAtomTokenizer,
    /// AtlasFold, which predicts single chains.
    AtlasFold,
    /// AtlasFold-M, which predicts pairs of chains.
    AtlasFoldM,
}

impl Part {
    /// All of them, the largest need last.
    pub const ALL: [Self; 8] = [
        Self::KFold,
        Self::AtlasLm,
        Self::RnaEncoder,
        Self::StructureEncoder,
        Self::BackboneTokenizer,
        Self::FullAtomTokenizer,
        Self::AtlasFold,
        Self::AtlasFoldM,
    ];

    /// The names that the part's file has without its ending; the first is the usual one.
    #[must_use]
    pub const fn file_stems(self) -> &'static [&'static str] {
        match self {
            Self::KFold => &["kfold"],
            Self::AtlasLm => &["atlaslm_3b_base", "atlaslm_600m_base"],
            Self::RnaEncoder => &["rna_seq_1b"],
            Self::StructureEncoder => &["prot_struct_encoder_3b"],
            Self::BackboneTokenizer => &["prot_struct_bb_tokenizer"],
            Self::FullAtomTokenizer => &["prot_struct_fa_tokenizer"],
            Self::AtlasFold => &["atlasfold-260703"],
            Self::AtlasFoldM => &["atlasfold-m-260725"],
        }
    }

    /// What a person calls it.
    #[must_use]
    pub const fn display_name(self) -> &'static str {
        match self {
            Self::KFold => "K-Fold",
            Self::AtlasLm => "AtlasLM",
            Self::RnaEncoder => "RNA encoder",
            Self::StructureEncoder => "structure encoder",
            Self::BackboneTokenizer => "backbone tokenizer",
            Self::FullAtomTokenizer => "full-atom tokenizer",
            Self::AtlasFold => "AtlasFold",
            Self::AtlasFoldM => "AtlasFold-M",
        }
    }

    /// Which part a file holds, by tensors that no other has.
    #[must_use]
    pub fn of(checkpoint: &Checkpoint) -> Option<Self> {
        let has = |name: &str| checkpoint.describe(name).is_some();
        let any = |prefix: &str| checkpoint.names().any(|name| name.starts_with(prefix));
        Some(if has("parcae_log_a") {
            Self::KFold
        } else if has("bb_embedding.weight") {
            Self::StructureEncoder
        } else if any("encoder.pair_image_backbone.") {
            Self::FullAtomTokenizer
        } else if has("encoder.relative_positional_embedding.embedding.weight") {
            Self::BackboneTokenizer
        } else if has("transformer.blocks.0.ffn.router.weight") {
            Self::RnaEncoder
        } else if has("embed.weight") && has("transformer.norm.weight") {
            Self::AtlasLm
        } else if any("lm_emb_to_s_lm.") {
            if any("template_module.") { Self::AtlasFoldM } else { Self::AtlasFold }
        } else {
            return None;
        })
    }

    /// The tensors that this program needs of the part's file. `config` is the model's, needed for [`Part::KFold`] alone;
    /// for the others what the file itself shows of their size is believed where there is none.
    ///
    /// # Errors
    /// When the configuration is needed and missing.
    pub fn expected(self, checkpoint: &Checkpoint, config: Option<&KFoldConfig>) -> Result<Expected> {
        let size = FileSize::of(checkpoint);
        match self {
            Self::KFold => {
                let config = config.ok_or_else(|| {
                    KFoldError::Config("K-Fold's weights can be checked only beside their config.yaml".to_owned())
                })?;
                super::model::expected_tensors(config)
            }
            Self::AtlasLm => {
                let from_file = ProteinSequenceEncoderConfig {
                    vocab_size: size.tokens,
                    d_model: size.width,
                    n_heads: size.width / LM_HEAD_WIDTH,
                    n_layers: size.layers("transformer.blocks."),
                    ..Default::default()
                };
                let config = config.map_or(from_file, |config| config.protein_sequence_encoder.clone());
                let expected = Expected::of(|vb| AtlasLm::load(vb, &config, Residence::Resident))?;
                Ok(expected.ignoring("sequence_head."))
            }
            Self::RnaEncoder => {
                let from_file = RnaSequenceEncoderConfig {
                    vocab_size: size.tokens,
                    d_model: size.width,
                    n_heads: size.width / LM_HEAD_WIDTH,
                    n_layers: size.layers("transformer.blocks."),
                    ..Default::default()
                };
                let config = config.and_then(|config| config.rna_sequence_encoder.clone()).unwrap_or(from_file);
                let expected = Expected::of(|vb| RnaSequenceEncoder::load(vb, &config, Residence::Resident))?;
                Ok(expected.ignoring("sequence_head").ignoring("transformer.norm.weight"))
            }
            Self::StructureEncoder => {
                let config = config.and_then(|config| config.protein_structure_encoder.clone());
                let config: StructureEncoderConfig = config.unwrap_or_default();
                let expected = Expected::of(|vb| TriProRepEncoder::load(vb, &config, Residence::Resident))?;
                Ok(expected.ignoring(".rot_emb.inv_freq"))
            }
            Self::BackboneTokenizer => Expected::of(|vb| BackboneTokenizer::load(vb, &Default::default())),
            Self::FullAtomTokenizer => {
                let expected = Expected::of(|vb| FullAtomTokenizer::load(vb, &Default::default()))?;
                Ok(expected.ignoring(".num_batches_tracked"))
            }
            Self::AtlasFold | Self::AtlasFoldM => {
                let sizes = match self {
                    Self::AtlasFold => AtlasFoldConfig::published_monomer()?,
                    _ => AtlasFoldConfig::published_pair()?,
                };
                let lm = config.map(|config| config.protein_sequence_encoder.clone()).unwrap_or_default();
                Expected::of(|vb| AtlasFold::load(vb, &sizes, (&lm).into()))
            }
        }
    }
}

/// What a language model's file shows of its size.
struct FileSize<'a> {
    checkpoint: &'a Checkpoint,
    tokens: usize,
    width: usize,
}

impl<'a> FileSize<'a> {
    fn of(checkpoint: &'a Checkpoint) -> Self {
        let (tokens, width) = match checkpoint.describe("embed.weight") {
            Some((_, &[tokens, width])) => (tokens, width),
            _ => (0, 0),
        };
        Self { checkpoint, tokens, width }
    }

    /// One more than the largest number behind `prefix`.
    fn layers(&self, prefix: &str) -> usize {
        let numbers = self.checkpoint.names().filter_map(|name| {
            let (number, _) = name.strip_prefix(prefix)?.split_once('.')?;
            number.parse::<u16>().ok()
        });
        numbers.max().map_or(0, |largest| usize::from(largest) + 1)
    }
}

/// The published models.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Variant {
    /// The full model ("7B").
    #[default]
    Full,
    /// The light model, without structure and RNA encoder.
    Light,
}

impl Variant {
    /// The name in files and on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Light => "light",
        }
    }

    /// Its configuration as its makers describe it.
    ///
    /// # Errors
    /// None in a program whose tests pass.
    pub fn published(self) -> Result<KFoldConfig> {
        match self {
            Self::Full => KFoldConfig::published_full(),
            Self::Light => KFoldConfig::published_light(),
        }
    }
}

/// Where the light model's own files are in a folder.
const LIGHT: &str = "light";

/// A folder of weights, as one model sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelFolder {
    path: PathBuf,
    variant: Variant,
}

impl ModelFolder {
    /// The folder at this path, whether it exists or not, as the full model sees it.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self::with_variant(path, Variant::Full)
    }

    /// The folder at this path as a model sees it.
    #[must_use]
    pub fn with_variant(path: impl Into<PathBuf>, variant: Variant) -> Self {
        Self { path: path.into(), variant }
    }

    /// The model.
    #[must_use]
    pub fn variant(&self) -> Variant {
        self.variant
    }

    /// Its path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where a part's file is, if it is there; safetensors before `.pth`.
    #[must_use]
    pub fn file(&self, part: Part) -> Option<PathBuf> {
        self.file_named(part.file_stems(), part == Part::KFold)
    }

    /// Where the weights file of one of these names (without its ending) is, which is this model's alone or not.
    pub(super) fn file_named(&self, stems: &[&str], own: bool) -> Option<PathBuf> {
        let folders = self.folders(own);
        let names = ["safetensors", "pth"]
            .into_iter()
            .flat_map(|ending| stems.iter().map(move |stem| format!("{stem}.{ending}")));
        names.flat_map(|name| folders.iter().map(move |folder| folder.join(&name))).find(|path| path.is_file())
    }

    /// Where a file of this name belongs that holds `part`; none for the configuration.
    #[must_use]
    pub fn place(&self, part: Option<Part>, name: &str) -> PathBuf {
        let is_own = part.is_none_or(|part| part == Part::KFold);
        if is_own { self.own_folder() } else { self.path.clone() }.join(name)
    }

    /// Where the configuration is, if it is there.
    #[must_use]
    pub fn config_file(&self) -> Option<PathBuf> {
        let beside = |folder: &PathBuf| {
            let folder = if folder.ends_with("weights") { folder.parent() } else { Some(folder.as_path()) }?;
            // JSON is YAML, too.
            ["config.yaml", "config.json"].map(|name| folder.join(name)).into_iter().find(|path| path.is_file())
        };
        self.folders(true).iter().find_map(beside)
    }

    /// Reads the configuration.
    ///
    /// # Errors
    /// When it is not there or not one of K-Fold 1.0.0.
    pub fn config(&self) -> Result<KFoldConfig> {
        let file = self.config_file().ok_or_else(|| {
            KFoldError::Config(format!("there is no config.yaml in {}; import the model first", self.path.display()))
        })?;
        KFoldConfig::load(&file)
    }

    /// Copies a configuration into the folder, if it is one of K-Fold 1.0.0.
    ///
    /// # Errors
    /// When it is not, or cannot be read or written.
    pub fn set_config(&self, source: &Path) -> Result<()> {
        KFoldConfig::load(source)?;
        let text = std::fs::read(source).map_err(|error| KFoldError::io(source, error))?;
        let place = self.place(None, "config.yaml");
        files::write_whole(&place, &text).map_err(|error| KFoldError::io(&place, error))
    }

    /// Opens a part's file, after comparing it with what was noted when it came ([`Record::check`]).
    ///
    /// # Errors
    /// When it is not there, damaged, or not the one that came.
    pub fn open(&self, part: Part) -> Result<Checkpoint> {
        let file = self.file(part).ok_or_else(|| {
            let name = part.file_stems()[0];
            let reason = format!(
                "{} ({name}) is not there; get it with: kfold-studio models pull, or bring it with: kfold-studio models import",
                part.display_name()
            );
            KFoldError::checkpoint(&self.path, reason)
        })?;
        Record::check(&file, false, &mut |_, _| true)?;
        Checkpoint::open(&file)
    }

    /// The parts that the model of this configuration needs for its own networks.
    #[must_use]
    pub fn needed(config: &KFoldConfig) -> Vec<Part> {
        let mut parts = vec![Part::KFold, Part::AtlasLm];
        if config.rna_sequence_encoder.is_some() {
            parts.push(Part::RnaEncoder);
        }
        if config.protein_structure_encoder.is_some() {
            parts.extend([Part::StructureEncoder, Part::BackboneTokenizer, Part::FullAtomTokenizer]);
        }
        parts
    }

    /// Where what is this model's alone belongs.
    #[must_use]
    pub fn own_folder(&self) -> PathBuf {
        match self.variant {
            Variant::Full => self.path.clone(),
            Variant::Light => self.path.join(LIGHT),
        }
    }

    /// Where files may lie, those that are this model's alone or all others.
    fn folders(&self, own: bool) -> Vec<PathBuf> {
        if own && self.variant == Variant::Light {
            let folder = self.own_folder();
            return vec![folder.clone(), folder.join("weights")];
        }
        let mut folders = vec![self.path.clone(), self.path.join("weights")];
        let mut inside: Vec<PathBuf> = std::fs::read_dir(&self.path)
            .into_iter()
            .flatten()
            .flatten()
            .filter(|entry| entry.file_name() != LIGHT)
            .map(|entry| entry.path().join("weights"))
            .collect();
        inside.sort();
        folders.extend(inside);
        folders
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_light_model_has_its_own_weights_and_shares_the_rest() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        let touch = |name: &str| {
            std::fs::create_dir_all(path.join(name).parent().unwrap()).unwrap();
            std::fs::write(path.join(name), b"").unwrap();
        };
        let (full, light) = (ModelFolder::new(path), ModelFolder::with_variant(path, Variant::Light));
        touch("light/weights/kfold.pth");
        touch("light/config.yaml");
        assert_eq!((full.file(Part::KFold), full.config_file()), (None, None));
        assert_eq!(light.file(Part::KFold), Some(path.join("light/weights/kfold.pth")));
        assert_eq!(light.config_file(), Some(path.join("light/config.yaml")));
        touch("kfold/weights/kfold.pth");
        touch("kfold/config.yaml");
        touch("atlaslm_3b_base.safetensors");
        assert_eq!(full.file(Part::KFold), Some(path.join("kfold/weights/kfold.pth")));
        assert_eq!(full.config_file(), Some(path.join("kfold/config.yaml")));
        assert_eq!(full.file(Part::AtlasLm), light.file(Part::AtlasLm));
        assert_eq!(light.place(Some(Part::AtlasLm), "x"), path.join("x"));
        assert_eq!(light.place(None, "config.yaml"), path.join("light/config.yaml"));
    }
}
