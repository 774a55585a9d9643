//! Goldens of the structure tokenizers. Missing coordinates are stored as -999.

use candle_core::{DType, Device, Tensor};
use kfold_inference::kfold::encoders::triprorep::bb_tokenizer::{Backbone, frames, neighbourhoods};
use kfold_inference::kfold::encoders::triprorep::fa_features::{AtomCoordinates, residue_features};
use kfold_inference::kfold::encoders::triprorep::packed::Rows;
use kfold_inference::kfold::encoders::{
    BackboneTokenizer, BackboneTokenizerConfig, FullAtomTokenizer, FullAtomTokenizerConfig,
};

use super::harness::{Golden, MODULE_BAR, Result, Row};

/// Two codes are equally near if the squared distances differ by no more than this: rounding of sums of some tens.
const TIE: f64 = 1e-4;

/// Compares a golden of this family.
pub fn check(golden: &Golden) -> Option<Result<Vec<Row>>> {
    if golden.name.starts_with("struct_bb_tokenizer") {
        Some(backbone(golden))
    } else if golden.name.starts_with("struct_fa_tokenizer") {
        Some(full_atom(golden))
    } else {
        None
    }
}

/// Coordinates of each residue's atoms, NaN where missing.
fn coordinates<const ATOMS: usize>(golden: &Golden) -> Result<Vec<[[f32; 3]; ATOMS]>> {
    let values = golden.input("coords")?.flatten_all()?.to_vec1::<f32>()?;
    let mut points = values.chunks_exact(3).map(|point| {
        let point = [point[0], point[1], point[2]];
        if point == [-999.0; 3] { [f32::NAN; 3] } else { point }
    });
    let residues = values.len() / 3 / ATOMS;
    Ok((0..residues).map(|_| std::array::from_fn(|_| points.next().unwrap())).collect())
}

fn integers(golden: &Golden, name: &str) -> Result<Vec<i64>> {
    Ok(golden.input(name)?.flatten_all()?.to_dtype(DType::I64)?.to_vec1()?)
}

fn tensor(rows: &Rows) -> Result<Tensor> {
    let values: Vec<f32> = rows.refs().concat();
    Ok(Tensor::from_vec(values, (1, rows.count(), rows.width()), &Device::Cpu)?)
}

fn tokens_row(golden: &Golden, tokens: Vec<u32>) -> Result<Row> {
    let count = tokens.len();
    let ours = Tensor::from_vec(tokens.into_iter().map(i64::from).collect(), count, &Device::Cpu)?;
    Row::exact_but_for_ties("tokens", &ours, golden.output("tokens")?, golden.output("margin")?, TIE)
}

fn backbone(golden: &Golden) -> Result<Vec<Row>> {
    let config = BackboneTokenizerConfig {
        d_model: golden.size("d_model")?,
        v_heads: golden.size("v_heads")?,
        n_layers: golden.size("n_layers")?,
        d_out: golden.size("d_out")?,
        codebook_size: golden.size("codebook_size")?,
    };
    let tokenizer = BackboneTokenizer::load(golden.var_builder(), &config)?;
    let backbones: Vec<Backbone> = coordinates(golden)?;
    let numbers = integers(golden, "res_idx")?;
    let count = backbones.len();

    let (frames, present) = frames(&backbones);
    let affine: Vec<f32> =
        frames.iter().flat_map(|frame| frame.rotation.concat().into_iter().chain(frame.origin)).collect();
    let mask: Vec<u8> = present.iter().map(|&present| u8::from(present)).collect();
    let (edges, edge_mask) = edges(golden, &neighbourhoods(&backbones, &present))?;
    Ok(vec![
        golden.compare("affine", &Tensor::from_vec(affine, (1, count, 12), &Device::Cpu)?, MODULE_BAR)?,
        golden.exact("affine_mask", &Tensor::from_vec(mask, (1, count), &Device::Cpu)?)?,
        edge_mask,
        edges,
        golden.compare("z", &tensor(&tokenizer.encode(&backbones, &numbers)?)?, MODULE_BAR)?,
        tokens_row(golden, tokenizer.tokenize(&backbones, &numbers)?)?,
        Row::left_out("margin", "how near a tie the reference's tokens are"),
    ])
}

/// Neighbours and how many there are; the reference's masked ones are arbitrary and not compared.
fn edges(golden: &Golden, ours: &[Vec<usize>]) -> Result<(Row, Row)> {
    let edges = golden.output("knn_edges")?.squeeze(0)?.to_dtype(DType::I64)?.to_vec2::<i64>()?;
    let mask = golden.output("knn_mask")?.squeeze(0)?.to_dtype(DType::U8)?.to_vec2::<u8>()?;
    let (mut wrong_edges, mut wrong_masks) = (0, 0);
    for ((edges, mask), ours) in edges.iter().zip(&mask).zip(ours) {
        let valid: Vec<usize> =
            edges.iter().zip(mask).filter(|&(_, &mask)| mask != 0).map(|(&edge, _)| edge as usize).collect();
        wrong_masks += usize::from(valid.len() != ours.len());
        wrong_edges += usize::from(valid != *ours);
    }
    let fact = |name, wrong: usize| Row::fact(name, wrong == 0, format!("{wrong} of {} residues differ", ours.len()));
    Ok((fact("knn_edges", wrong_edges), fact("knn_mask", wrong_masks)))
}

fn full_atom(golden: &Golden) -> Result<Vec<Row>> {
    let config = FullAtomTokenizerConfig {
        d_model: golden.size("d_model")?,
        d_out: golden.size("d_out")?,
        d_pair: golden.size("d_pair")?,
        n_heads: golden.size("n_heads")?,
        n_layers: golden.size("n_layers")?,
        update_pair_repr_every_n: golden.size("update_pair_repr_every_n")?,
        codebook_size: golden.size("codebook_size")?,
    };
    let tokenizer = FullAtomTokenizer::load(golden.var_builder(), &config)?;
    let atoms: Vec<AtomCoordinates> = coordinates(golden)?;
    let (types, numbers) = (integers(golden, "aatypes")?, integers(golden, "res_idx")?);
    let allowed: Vec<bool> = integers(golden, "attn_mask")?.iter().map(|&allowed| allowed != 0).collect();
    let features = residue_features(&types, &atoms, &numbers, &allowed);
    let count = atoms.len();
    let stack = |values: Vec<f32>, name: &str| -> Result<Row> {
        let shape = golden.output(name)?.shape().clone();
        golden.compare(name, &Tensor::from_vec(values, shape, &Device::Cpu)?, MODULE_BAR)
    };
    assert_eq!(features.len(), count);
    Ok(vec![
        stack(features.iter().flat_map(|residue| residue.coordinates.concat()).collect(), "coords_rel")?,
        stack(features.iter().flat_map(|residue| residue.backbone_angles).collect(), "bb_angles")?,
        stack(features.iter().flat_map(|residue| residue.side_chain_angles).collect(), "sc_angles")?,
        golden.compare("z", &tensor(&tokenizer.encode(&types, &atoms, &numbers, &allowed)?)?, MODULE_BAR)?,
        tokens_row(golden, tokenizer.tokenize(&types, &atoms, &numbers, &allowed)?)?,
        Row::left_out("margin", "how near a tie the reference's tokens are"),
    ])
}
