//! A complete folder of weights at the published sizes, filled with random numbers: for measuring memory and time, and for
//! trying everything but the quality of a prediction.
//!
//! random_weights full|light FOLDER [f32|bf16] [CONFIG.yaml]
//!
//! The files have the published tensors under their names, as safetensors, with a `config.yaml` beside them. With CONFIG the
//! model has that file's sizes instead of the published ones. Numbers are normal, matrices scaled by the square root of their
//! inputs and the scales of norms near 1, so that activations stay in the range of trained networks. Equal arguments give
//! equal files. At bf16 the full model with AtlasFold and AtlasFold-M takes 15 GB.

#![allow(clippy::print_stdout, reason = "this is its output")]

use std::borrow::Cow;
use std::error::Error;
use std::path::Path;

use half::bf16;
use kfold_inference::kfold::atlasfold::{AtlasFold, AtlasFoldConfig};
use kfold_inference::kfold::checkpoint::{Expected, ExpectedTensor};
use kfold_inference::kfold::config::KFoldConfig;
use kfold_inference::kfold::encoders::{
    AtlasLm, BackboneTokenizer, BackboneTokenizerConfig, FullAtomTokenizer, FullAtomTokenizerConfig, Residence,
    RnaSequenceEncoder, TriProRepEncoder,
};
use kfold_inference::kfold::model;
use safetensors::{Dtype, View};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const FULL: &str = include_str!("../src/kfold/published/kfold.yaml");
const LIGHT: &str = include_str!("../src/kfold/published/kfold-light.yaml");

/// How many normal numbers the table has that all others are taken from.
const TABLE: usize = 1 << 16;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let usage = "random_weights full|light FOLDER [f32|bf16] [CONFIG.yaml]";
    let (Some(published), Some(folder)) = (arguments.first(), arguments.get(1)) else { return Err(usage.into()) };
    let element = match arguments.get(2).map(String::as_str) {
        None | Some("bf16") => Dtype::BF16,
        Some("f32") => Dtype::F32,
        Some(_) => return Err(usage.into()),
    };
    let text = match (published.as_str(), arguments.get(3)) {
        (_, Some(path)) => std::fs::read_to_string(path)?,
        ("full", None) => FULL.to_owned(),
        ("light", None) => LIGHT.to_owned(),
        _ => return Err(usage.into()),
    };
    let folder = Path::new(folder);
    std::fs::create_dir_all(folder)?;
    let config = KFoldConfig::from_yaml(&text)?;
    std::fs::write(folder.join("config.yaml"), text)?;
    let table = normal_table();
    let write = |name: &str, expected: Expected| write(&folder.join(name), &expected.tensors, element, &table);

    write("kfold.safetensors", model::expected_tensors(&config)?)?;
    let lm = &config.protein_sequence_encoder;
    write("atlaslm_3b_base.safetensors", Expected::of(|vb| AtlasLm::load(vb, lm, Residence::Resident))?)?;
    if let Some(rna) = &config.rna_sequence_encoder {
        let expected = Expected::of(|vb| RnaSequenceEncoder::load(vb, rna, Residence::Resident))?;
        write("rna_seq_1b.safetensors", expected)?;
    }
    if let Some(encoder) = &config.protein_structure_encoder {
        let expected = Expected::of(|vb| TriProRepEncoder::load(vb, encoder, Residence::Resident))?;
        write("prot_struct_encoder_3b.safetensors", expected)?;
        let backbone = BackboneTokenizerConfig::default();
        write("prot_struct_bb_tokenizer.safetensors", Expected::of(|vb| BackboneTokenizer::load(vb, &backbone))?)?;
        let full_atom = FullAtomTokenizerConfig::default();
        write("prot_struct_fa_tokenizer.safetensors", Expected::of(|vb| FullAtomTokenizer::load(vb, &full_atom))?)?;
    }
    for (name, sizes) in [
        ("atlasfold-260703.safetensors", AtlasFoldConfig::published_monomer()?),
        ("atlasfold-m-260725.safetensors", AtlasFoldConfig::published_pair()?),
    ] {
        write(name, Expected::of(|vb| AtlasFold::load(vb, &sizes, lm.into()))?)?;
    }
    Ok(())
}

fn write(path: &Path, tensors: &[ExpectedTensor], element: Dtype, table: &[f32]) -> Result<()> {
    let count: usize = tensors.iter().map(elements).sum();
    let views = tensors.iter().map(|tensor| (tensor.name.as_str(), Random { tensor, element, table }));
    safetensors::serialize_to_file(views, None, path)?;
    println!("{} ({count} numbers)", path.display());
    Ok(())
}

fn elements(tensor: &ExpectedTensor) -> usize {
    tensor.shape.iter().product()
}

/// A tensor that is made when it is written.
struct Random<'a> {
    tensor: &'a ExpectedTensor,
    element: Dtype,
    table: &'a [f32],
}

impl Random<'_> {
    /// Mean and standard deviation of its numbers.
    fn distribution(&self) -> (f32, f32) {
        let name = self.tensor.name.as_str();
        match self.tensor.shape.as_slice() {
            [] | [_] if name.ends_with("running_var") => (1.0, 0.0),
            // Scales of norms, by their names in all networks.
            [_] if name.ends_with("weight") => (1.0, 0.02),
            [_] => (0.0, 0.02),
            [.., inputs] => (0.0, 1.0 / (*inputs as f32).sqrt()),
            [] => (0.0, 0.0),
        }
    }
}

impl View for Random<'_> {
    fn dtype(&self) -> Dtype {
        self.element
    }

    fn shape(&self) -> &[usize] {
        &self.tensor.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        let (mean, deviation) = self.distribution();
        let values: Vec<f32> = self.table.iter().map(|normal| mean + deviation * normal).collect();
        // Equal for equal names, however many tensors there are.
        let mut state = self
            .tensor
            .name
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
        let mut data = Vec::with_capacity(self.data_len());
        let mut left = elements(self.tensor);
        while left > 0 {
            // SplitMix64 (Steele, Lea and Flood 2014): four places in the table a draw.
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut draw = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            draw = (draw ^ (draw >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            draw ^= draw >> 31;
            for part in 0..left.min(4) {
                let value = values[(draw >> (16 * part)) as usize % TABLE];
                match self.element {
                    Dtype::BF16 => data.extend_from_slice(&bf16::from_f32(value).to_le_bytes()),
                    _ => data.extend_from_slice(&value.to_le_bytes()),
                }
            }
            left -= left.min(4);
        }
        Cow::Owned(data)
    }

    fn data_len(&self) -> usize {
        elements(self.tensor) * if self.element == Dtype::BF16 { 2 } else { 4 }
    }
}

/// Numbers that are nearly normal: sums of twelve uniform ones.
fn normal_table() -> Vec<f32> {
    let mut state = 1_u64;
    let mut uniform = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1_u64 << 24) as f32
    };
    (0..TABLE).map(|_| (0..12).map(|_| uniform()).sum::<f32>() - 6.0).collect()
}
