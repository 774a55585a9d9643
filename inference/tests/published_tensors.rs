//! Whether the networks' loaders ask for exactly the tensors of the published checkpoints.
//!
//! `tests/checkpoint-keys` has the name and shape of every tensor of each published file, listed by the reference (K-Fold
//! 1.0.0, AtlasFold 1.0.4). Each network is loaded at its full size from zeros that take no memory.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

use std::collections::BTreeMap;
use std::path::Path;

use candle_nn::VarBuilder;
use kfold_inference::kfold::Result;
use kfold_inference::kfold::atlasfold::{AtlasFold, AtlasFoldConfig};
use kfold_inference::kfold::checkpoint::Expected;
use kfold_inference::kfold::config::{
    KFoldConfig, ProteinSequenceEncoderConfig, RnaSequenceEncoderConfig, StructureEncoderConfig,
};
use kfold_inference::kfold::encoders::{
    AtlasLm, BackboneTokenizer, BackboneTokenizerConfig, FullAtomTokenizer, FullAtomTokenizerConfig, Residence,
    RnaSequenceEncoder, TriProRepEncoder,
};
use kfold_inference::kfold::model::KFold;

fn listed(name: &str) -> BTreeMap<String, Vec<usize>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/checkpoint-keys").join(format!("{name}.tsv"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.lines()
        .map(|line| {
            let (name, shape) = line.split_once('\t').expect("a name, a tab and a shape");
            (name.to_owned(), serde_json::from_str(shape).expect("a shape in brackets"))
        })
        .collect()
}

/// Differences between a list and what a network expects, by name.
fn differences(listed: &BTreeMap<String, Vec<usize>>, expected: &Expected) -> Vec<String> {
    let mut differences = Vec::new();
    for tensor in &expected.tensors {
        match listed.get(&tensor.name) {
            None => differences.push(format!("the checkpoint has no {} {:?}", tensor.name, tensor.shape)),
            Some(shape) if *shape != tensor.shape => {
                differences.push(format!("{} is {shape:?}, loaded as {:?}", tensor.name, tensor.shape));
            }
            Some(_) => {}
        }
    }
    let loaded = |name: &str| expected.tensors.iter().any(|tensor| tensor.name == name) || expected.ignores(name);
    differences.extend(listed.keys().filter(|name| !loaded(name)).map(|name| format!("{name} is not loaded")));
    differences
}

/// Loads a network from a file of the listed tensors; `ignored` may be there without being loaded.
fn check<T>(list: &str, count: usize, ignored: &[&str], load: impl FnOnce(VarBuilder<'static>) -> Result<T>) {
    let listed = listed(list);
    assert_eq!(listed.len(), count, "the list of {list}");
    let expected = Expected::of(load).unwrap();
    let expected = ignored.iter().fold(expected, |expected, names| expected.ignoring(names));
    let differences = differences(&listed, &expected);
    println!("{list:<28} {count:>5} tensors, {} loaded, {} differ", expected.tensors.len(), differences.len());
    assert!(differences.is_empty(), "{list}: {} differences:\n{}", differences.len(), differences.join("\n"));
}

#[test]
fn atlaslm() {
    let config = ProteinSequenceEncoderConfig::default();
    check("atlaslm_3b", 488, &["sequence_head."], |vb| AtlasLm::load(vb, &config, Residence::Resident));
}

#[test]
fn rna_encoder() {
    let config = RnaSequenceEncoderConfig { use_moe: true, ..Default::default() };
    check("rna_seq_1b", 332, &["transformer.norm."], |vb| RnaSequenceEncoder::load(vb, &config, Residence::Resident));
}

#[test]
fn structure_encoder() {
    let config = StructureEncoderConfig::default();
    // The same numbers in every block, of which the first is read.
    let ignored = [".self_attn.rot_emb.inv_freq"];
    check("prot_struct_encoder_3b", 571, &ignored, |vb| TriProRepEncoder::load(vb, &config, Residence::Resident));
}

#[test]
fn backbone_tokenizer() {
    let config = BackboneTokenizerConfig::default();
    check("prot_struct_bb_tokenizer", 34, &[], |vb| BackboneTokenizer::load(vb, &config));
}

#[test]
fn full_atom_tokenizer() {
    let config = FullAtomTokenizerConfig::default();
    // How often training saw a batch.
    let ignored = [".num_batches_tracked"];
    check("prot_struct_fa_tokenizer", 420, &ignored, |vb| FullAtomTokenizer::load(vb, &config));
}

#[test]
fn atlasfold() {
    let config = AtlasFoldConfig::published_monomer().unwrap();
    let lm = (&ProteinSequenceEncoderConfig::default()).into();
    check("atlasfold", 2589, &[], |vb| AtlasFold::load(vb, &config, lm));
}

#[test]
fn atlasfold_m() {
    let config = AtlasFoldConfig::published_pair().unwrap();
    let lm = (&ProteinSequenceEncoderConfig::default()).into();
    check("atlasfold-m", 2696, &[], |vb| AtlasFold::load(vb, &config, lm));
}

#[test]
fn kfold_full() {
    let config = KFoldConfig::published_full().unwrap();
    check("kfold_full", 2048, &[], |vb| KFold::load(vb, &config));
}

#[test]
fn kfold_light() {
    let config = KFoldConfig::published_light().unwrap();
    check("kfold_light", 1443, &[], |vb| KFold::load(vb, &config));
}
