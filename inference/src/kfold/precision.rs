//! In which numbers the networks are kept and multiplied.
//!
//! On a card the published programs run under autocast: matrices stay f32 in memory and are rounded to bf16 whenever they are
//! multiplied, operands too, sums are f32. What they leave out of it stays f32: the sampler and its score model, in AtlasFold as in
//! K-Fold; the last layers of the confidence heads; the distogram (AtlasFold rounds its); whatever takes coordinates; norms, softmax, offsets. The language
//! models and the structure encoder are bf16 always.
//!
//! Here a matrix that autocast would round is kept rounded, at half the memory. On a card it is multiplied as the reference does it. On
//! the processor it is widened a layer at a time and what it meets stays f32, so that only the rounding of weights is left. The state of
//! the pairs, which the reference's trunk keeps in bf16, is f32 on both.

use std::fmt;
use std::str::FromStr;

use candle_core::DType;
use serde::{Deserialize, Serialize};

/// A choice of numbers; as text `auto`, `f32` or `bf16`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// As the published programs: bf16 on a card, f32 on the processor.
    #[default]
    Auto,
    /// f32 everywhere: what the goldens are compared with.
    F32,
    /// bf16 matrices where the published programs round them on a card.
    Bf16,
}

impl Precision {
    /// The type of the matrices that autocast would round.
    #[must_use]
    pub fn matrices(self, is_card: bool) -> DType {
        match self {
            Self::Auto if is_card => DType::BF16,
            Self::Bf16 => DType::BF16,
            Self::Auto | Self::F32 => DType::F32,
        }
    }
}

impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Auto => "auto",
            Self::F32 => "f32",
            Self::Bf16 => "bf16",
        })
    }
}

impl FromStr for Precision {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        [Self::Auto, Self::F32, Self::Bf16]
            .into_iter()
            .find(|precision| precision.to_string() == text)
            .ok_or_else(|| format!("'{text}' is not a precision; write auto, f32 or bf16"))
    }
}

/// What stays f32 although it is a matrix, by the beginnings of names in K-Fold's and AtlasFold's files.
const EXACT_PARTS: [&str; 7] = [
    "score_model.",
    "diffusion_head.",
    "distogram_head.",
    "patch_pair_geometry_head.",
    "parcae_",
    "proj_lm_attn.",
    "atom_rel_pos_encoding.",
];
/// The same by parts of names: the last layers of the confidence heads, and what takes coordinates.
const EXACT_LAYERS: [&str; 4] = ["_head.1.", "_head.head.1.", ".embed_atom_pos.", ".embed_ref_offset."];

/// Whether a tensor of K-Fold's or AtlasFold's file is a matrix that autocast would round, for plans; the modules say it themselves
/// when they load.
#[must_use]
pub fn is_rounded(name: &str, shape: &[usize]) -> bool {
    let is_exact =
        EXACT_PARTS.iter().any(|part| name.starts_with(part)) || EXACT_LAYERS.iter().any(|layer| name.contains(layer));
    shape.len() == 2 && !is_exact
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use candle_core::{Device, Shape, Tensor};
    use candle_nn::VarBuilder;
    use candle_nn::var_builder::SimpleBackend;

    use super::*;
    use crate::kfold::atlasfold::{AtlasFold, AtlasFoldConfig};
    use crate::kfold::config::{KFoldConfig, ProteinSequenceEncoderConfig};
    use crate::kfold::model::KFold;

    /// Names, shapes and types of the tensors that a module asks for.
    type Asked = Arc<Mutex<Vec<(String, Vec<usize>, DType)>>>;

    struct Recording(Asked);

    impl SimpleBackend for Recording {
        fn get(
            &self,
            shape: Shape,
            name: &str,
            _: candle_nn::Init,
            dtype: DType,
            device: &Device,
        ) -> candle_core::Result<Tensor> {
            self.0.lock().unwrap().push((name.to_owned(), shape.dims().to_vec(), dtype));
            Tensor::zeros((), dtype, device)?.broadcast_as(shape)
        }

        fn get_unchecked(&self, name: &str, _: DType, _: &Device) -> candle_core::Result<Tensor> {
            candle_core::bail!("the shape of {name} is not known")
        }

        fn contains_tensor(&self, _: &str) -> bool {
            false
        }
    }

    fn asked<T>(load: impl FnOnce(VarBuilder<'static>) -> crate::kfold::Result<T>) -> Vec<(String, Vec<usize>, DType)> {
        let asked = Asked::default();
        load(VarBuilder::from_backend(Box::new(Recording(Arc::clone(&asked))), DType::BF16, Device::Cpu)).unwrap();
        std::mem::take(&mut *asked.lock().unwrap())
    }

    #[test]
    fn plans_count_what_the_modules_round() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/goldens/tiny_model/config.json");
        let config = KFoldConfig::from_yaml(&std::fs::read_to_string(folder).unwrap()).unwrap();
        let mut tensors = asked(|vb| KFold::load(vb, &config));
        for config in [AtlasFoldConfig::published_monomer(), AtlasFoldConfig::published_pair()] {
            let mut config = config.unwrap();
            (config.trunk.num_blocks, config.diffusion_head.num_blocks) = (1, 1);
            tensors.extend(asked(|vb| AtlasFold::load(vb, &config, (&ProteinSequenceEncoderConfig::default()).into())));
        }
        assert!(tensors.iter().any(|(_, _, dtype)| *dtype == DType::BF16), "nothing is rounded");
        for (name, shape, dtype) in tensors {
            assert_eq!(is_rounded(&name, &shape), dtype == DType::BF16, "{name} {shape:?} is loaded as {dtype:?}");
        }
    }

    #[test]
    fn choices_are_read_as_they_are_written() {
        for choice in [Precision::Auto, Precision::F32, Precision::Bf16] {
            assert_eq!(choice.to_string().parse(), Ok(choice));
        }
        assert!("half".parse::<Precision>().is_err_and(|error| error.contains("half")));
        assert_eq!(Precision::Auto.matrices(false), DType::F32);
        assert_eq!(Precision::Auto.matrices(true), DType::BF16);
    }
}
