//! The parts of a model, opened from its folder as a run needs them: the large encoders stay in their files and are read block by
//! block; what the public program keeps in bf16 is bf16 here.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use candle_core::{DType, Device};
use candle_nn::VarBuilder;

use super::atlasfold::{AtlasFold, AtlasFoldConfig};
use super::checkpoint::{Checkpoint, ElementType};
use super::config::KFoldConfig;
use super::encoders::{
    AtlasLm, BackboneTokenizer, FullAtomTokenizer, ProteinSequenceEncoder, Residence, RnaSequenceEncoder,
    StructureEncoder, StructureTokenizer, TriProRepEncoder,
};
use super::model::{Encoders, KFold};
use super::model_folder::{ModelFolder, Part};
use super::modules::affinity_head::{AffinityHead, CropLimits};
use super::{KFoldError, Result};

/// Names that an affinity head's checkpoint may have, without their ending. None is published yet.
const AFFINITY_STEMS: [&str; 2] = ["affinity", "kfold_affinity"];

impl ModelFolder {
    /// The parts that a prediction needs and that are not here; the apo models only where `generates` says so (single chains,
    /// pairs).
    #[must_use]
    pub fn missing(&self, config: &KFoldConfig, generates: (bool, bool)) -> Vec<Part> {
        let mut needed = Self::needed(config);
        needed.extend(generates.0.then_some(Part::AtlasFold));
        needed.extend(generates.1.then_some(Part::AtlasFoldM));
        needed.retain(|part| self.file(*part).is_none());
        needed
    }

    /// Trunk, score model and heads; matrices that the public program rounds on a card as `matrices`.
    ///
    /// # Errors
    /// When the file is not there, damaged, or does not fit the configuration.
    pub fn load_kfold(&self, config: &KFoldConfig, matrices: DType, device: &Device) -> Result<KFold> {
        KFold::open(&Arc::new(self.open(Part::KFold)?), config, matrices, device)
    }

    /// AtlasLM.
    ///
    /// # Errors
    /// When the file is not there, damaged, or does not fit the configuration.
    pub fn load_language_model(&self, config: &KFoldConfig, device: &Device) -> Result<AtlasLm> {
        let (vb, path) = self.builder(Part::AtlasLm, DType::BF16, device)?;
        AtlasLm::load(vb, &config.protein_sequence_encoder, Residence::Streamed).map_err(in_file(&path))
    }

    /// The encoders that the configuration names.
    ///
    /// # Errors
    /// When a file is not there, damaged, or does not fit the configuration.
    pub fn load_encoders(&self, config: &KFoldConfig, device: &Device) -> Result<Encoders> {
        let rna = config.rna_sequence_encoder.as_ref().map(|rna| {
            // As it is stored.
            let checkpoint = Arc::new(self.open(Part::RnaEncoder)?);
            let is_half = checkpoint.describe("embed.weight").is_some_and(|(element, _)| element == ElementType::BF16);
            let vb = checkpoint.var_builder(if is_half { DType::BF16 } else { DType::F32 }, device);
            RnaSequenceEncoder::load(vb, rna, Residence::Streamed).map_err(in_file(checkpoint.path()))
        });
        let structure = config.protein_structure_encoder.as_ref().map(|structure| {
            let (vb, path) = self.builder(Part::StructureEncoder, DType::BF16, device)?;
            TriProRepEncoder::load(vb, structure, Residence::Streamed)
                .map(StructureEncoder::new)
                .map_err(in_file(&path))
        });
        Ok(Encoders {
            protein: ProteinSequenceEncoder::new(self.load_language_model(config, device)?),
            rna: rna.transpose()?,
            structure: structure.transpose()?,
        })
    }

    /// What makes tokens of apo structures.
    ///
    /// # Errors
    /// When a file is not there or damaged.
    pub fn load_structure_tokenizer(&self, config: &KFoldConfig) -> Result<StructureTokenizer> {
        let (vb, path) = self.builder(Part::BackboneTokenizer, DType::F32, &Device::Cpu)?;
        let backbone = BackboneTokenizer::load(vb, &config.backbone_tokenizer).map_err(in_file(&path))?;
        let (vb, path) = self.builder(Part::FullAtomTokenizer, DType::F32, &Device::Cpu)?;
        let full_atom = FullAtomTokenizer::load(vb, &config.full_atom_tokenizer).map_err(in_file(&path))?;
        Ok(StructureTokenizer::new(backbone, full_atom))
    }

    /// AtlasFold for single chains, AtlasFold-M for pairs, with the published sizes, or those of a `.yaml` of the same name
    /// beside the file; matrices that the public program rounds on a card as `matrices`.
    ///
    /// # Errors
    /// When the file is not there, damaged, or does not fit its sizes.
    pub fn load_atlas_fold(
        &self,
        is_pair: bool,
        config: &KFoldConfig,
        matrices: DType,
        device: &Device,
    ) -> Result<AtlasFold> {
        let part = if is_pair { Part::AtlasFoldM } else { Part::AtlasFold };
        let (vb, path) = self.builder(part, matrices, device)?;
        let sizes = path.with_extension("yaml");
        let sizes = if sizes.is_file() {
            let text = std::fs::read_to_string(&sizes).map_err(|error| KFoldError::io(&sizes, error))?;
            AtlasFoldConfig::from_yaml(&text)?
        } else if is_pair {
            AtlasFoldConfig::published_pair()?
        } else {
            AtlasFoldConfig::published_monomer()?
        };
        AtlasFold::load(vb, &sizes, (&config.protein_sequence_encoder).into()).map_err(in_file(&path))
    }

    /// Whether a checkpoint of an affinity head is here.
    #[must_use]
    pub fn has_affinity_head(&self) -> bool {
        self.file_named(&AFFINITY_STEMS, true).is_some()
    }

    /// The affinity head, where a checkpoint of one is here.
    ///
    /// # Errors
    /// When it is damaged or not of this head.
    pub fn load_affinity_head(&self, device: &Device) -> Result<Option<AffinityHead>> {
        let file = self.file_named(&AFFINITY_STEMS, true);
        file.map(|file| AffinityHead::open(&file, CropLimits::default(), device)).transpose()
    }

    fn builder(&self, part: Part, dtype: DType, device: &Device) -> Result<(VarBuilder<'static>, PathBuf)> {
        let checkpoint: Arc<Checkpoint> = Arc::new(self.open(part)?);
        let path = checkpoint.path().to_owned();
        Ok((checkpoint.var_builder(dtype, device), path))
    }
}

/// Names the file in an error about its tensors.
fn in_file(path: &Path) -> impl FnOnce(KFoldError) -> KFoldError {
    move |error| match error {
        KFoldError::Candle(error) => KFoldError::checkpoint(path, error.to_string()),
        other => other,
    }
}
