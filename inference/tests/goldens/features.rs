//! Goldens of the features.

use std::collections::HashMap;

use candle_core::{DType, Device, Tensor};
use kfold_inference::engine::{Events, Progress};
use kfold_inference::kfold::encoders::{
    BackboneTokenizer, BackboneTokenizerConfig, FullAtomTokenizer, FullAtomTokenizerConfig, StructureTokenizer,
};
use kfold_inference::kfold::engine::apo::{Generator, ProteinEntry, prepare as prepare_apos};
use kfold_inference::kfold::features::apo::{Apo, ResidueCoordinates, StructureTokens};
use kfold_inference::kfold::features::reference::ReferenceStructure;
use kfold_inference::kfold::features::tokens::Padding;
use kfold_inference::kfold::features::{Starts, langevin, placement, prepare, reference_structure};
use kfold_inference::kfold::input::ChainType;
use kfold_inference::kfold::model_folder::ModelFolder;
use kfold_inference::kfold::settings::KFoldSettings;
use kfold_inference::query::{Query, QueryFormat};

use super::harness::{Golden, MODULE_BAR, Result, Row, var_builder};

/// Features that only training reads.
const TRAINING_ONLY: [&str; 9] = [
    "atom.label_coords",
    "atom.resolved_mask",
    "token.center_coords",
    "token.center_mask",
    "token.org_token_index",
    "token.repr_coords",
    "token.repr_mask",
    "token.label_coords",
    "token.resolved_mask",
];

/// Compares a golden of this family.
pub fn check(golden: &Golden) -> Option<Result<Vec<Row>>> {
    match golden.name.as_str() {
        name if name.starts_with("kf_features_") => Some(features(golden)),
        "kf_prior_langevin" => Some(priors(golden)),
        _ => None,
    }
}

fn features(golden: &Golden) -> Result<Vec<Row>> {
    let length = |name: &str| -> Result<usize> { Ok(golden.output(name)?.dims()[0]) };
    let padding = Padding {
        tokens: length("token.pad_mask")?,
        atoms: length("atom.pad_mask")?,
        positions: length("sequence.pad_mask")?,
    };
    let folder = tempfile::tempdir()?;
    // Its apo files lie beside it, or are a text of its own.
    let mut base = golden.directory.clone();
    if let Ok(text) = golden.value("apo_pdb") {
        base = folder.path().to_owned();
        std::fs::create_dir(base.join("apo"))?;
        std::fs::write(base.join("apo/mini_apo.pdb"), text.as_str().ok_or("apo_pdb is not a text")?)?;
    }
    let query = Query::parse(&golden.value("query")?.to_string(), QueryFormat::Json, &base)?;
    let structure = reference_structure(&query)?;
    let (apos, starts) = apos_of_proteins(golden, &query, &structure)?;
    let seed = golden.size("seed")? as u64;
    let prepared = prepare(structure, &apos, &starts, &Starts::default(), seed, golden.size("num_samples")?, padding)?;
    let ours = prepared.input.tensors();
    let mut names: Vec<&String> = golden.outputs.keys().collect();
    names.sort();
    names
        .into_iter()
        .map(|name| match ours.get(name) {
            _ if TRAINING_ONLY.contains(&name.as_str()) => Ok(Row::left_out(name, "only training reads it")),
            None => Ok(Row::fact(name, false, "the features have no such tensor")),
            Some(tensor) if name == "token.frame_index" => frame_indices(golden, &prepared.structure, tensor),
            Some(tensor) if name == "atom.ref_pos" => reference_positions(golden, &prepared.structure, tensor),
            Some(tensor) if tensor.dtype() == DType::F32 => golden.compare(name, tensor, MODULE_BAR),
            Some(tensor) => golden.exact(name, tensor),
        })
        .collect()
}

/// Frames. Those of a ligand's atoms are made of the two atoms nearest in its conformer, and where several are as near (the
/// oxygens of a sulfate), the conformer decides. For components of the dictionary ours is not the reference's (see
/// [`reference_positions`]), so there the frame must be around the same atom and may have other neighbours; all others are equal.
fn frame_indices(golden: &Golden, structure: &ReferenceStructure, ours: &Tensor) -> Result<Row> {
    let rows = |tensor: &Tensor| -> Result<Vec<Vec<i64>>> { Ok(tensor.to_dtype(DType::I64)?.to_vec2()?) };
    let (ours, reference) = (rows(ours)?, rows(golden.output("token.frame_index")?)?);
    let may_differ: Vec<bool> = structure
        .chains
        .iter()
        .flat_map(|chain| {
            let of_dictionary = chain.chain_type == ChainType::Ligand && chain.smiles.is_none();
            std::iter::repeat_n(of_dictionary, chain.token_count())
        })
        .collect();
    let (mut wrong, mut other) = (0, 0);
    for (token, (ours, reference)) in ours.iter().zip(&reference).enumerate() {
        if ours != reference {
            let may_differ = may_differ.get(token) == Some(&true) && ours[1] == reference[1];
            if may_differ { other += 1 } else { wrong += 1 }
        }
    }
    let found = format!("{wrong} of {} differ, {other} by another conformer", reference.len());
    Ok(Row::fact("token.frame_index", wrong == 0 && ours.len() == reference.len(), found))
}

/// Reference conformers. A ligand given as SMILES has a conformer of its own in every run, equal to the reference's. The
/// components of the dictionary have theirs from a file that comes with the published weights (the golden's from a recipe
/// whose molecules carry leftover stereo marks on CH2 groups), and ours are others of the same molecules. What must be equal
/// for them: where each residue is placed, which takes all of the reference's draws, and the lengths of bonds.
fn reference_positions(golden: &Golden, structure: &ReferenceStructure, ours: &Tensor) -> Result<Row> {
    const BOND_TOLERANCE: f32 = 0.1;
    let reference = golden.output("atom.ref_pos")?;
    let (mut ours_placed, mut reference_placed) = (points(ours)?, points(reference)?);
    let distance = |a: [f32; 3], b: [f32; 3]| (0..3).map(|axis| (a[axis] - b[axis]).powi(2)).sum::<f32>().sqrt();
    let mut offset = 0;
    for chain in &structure.chains {
        for residue in chain.residues.iter().filter(|_| chain.smiles.is_none()) {
            let atoms = residue.atoms.start + offset..residue.atoms.end + offset;
            let [held, wanted] = [&ours_placed, &reference_placed].map(|points| points[atoms.clone()].to_vec());
            for first in 0..held.len() {
                for second in 0..first {
                    let (ours, reference) =
                        (distance(held[first], held[second]), distance(wanted[first], wanted[second]));
                    // Shorter than any distance over an angle: a bond.
                    if reference < 2.0 && (ours - reference).abs() > BOND_TOLERANCE {
                        let bond = format!("{} {first}-{second}", residue.component.code);
                        return Ok(Row::fact(
                            "atom.ref_pos",
                            false,
                            format!("bond {bond}: {ours} Å instead of {reference}"),
                        ));
                    }
                }
            }
            for points in [&mut ours_placed, &mut reference_placed] {
                let count = atoms.len() as f32;
                let centre: [f32; 3] = std::array::from_fn(|axis| {
                    points[atoms.clone()].iter().map(|point| point[axis]).sum::<f32>() / count
                });
                points[atoms.clone()].fill(centre);
            }
        }
        offset += chain.atoms.len();
    }
    let tensor = |points: &[[f32; 3]]| -> Result<Tensor> { Ok(Tensor::new(points.as_flattened(), &Device::Cpu)?) };
    Row::compare("atom.ref_pos", &tensor(&ours_placed)?, &tensor(&reference_placed)?, MODULE_BAR)
}

fn points(tensor: &Tensor) -> Result<Vec<[f32; 3]>> {
    let values = tensor.flatten_all()?.to_dtype(DType::F32)?.to_vec1::<f32>()?;
    Ok(values.chunks_exact(3).map(|point| [point[0], point[1], point[2]]).collect())
}

type Priors = HashMap<usize, Vec<ResidueCoordinates>>;

/// The structures of every protein chain, as the engine reads them, with structure tokens.
fn apos_of_proteins(
    golden: &Golden,
    query: &Query,
    structure: &ReferenceStructure,
) -> Result<(HashMap<usize, Vec<Apo>>, Priors)> {
    let tokenizer = structure_tokenizer(golden)?;
    let (mut apos, mut priors) = (HashMap::new(), HashMap::new());
    let entries = ProteinEntry::all(query);
    // Nothing is generated, so nothing is asked of the weights.
    let generator = Generator {
        models: &ModelFolder::new(""),
        config: &golden.tiny_config()?,
        device: &Device::Cpu,
        matrices: DType::F32,
        settings: &KFoldSettings::default(),
        seeds: &[],
    };
    let (candidates, _) = prepare_apos(&entries, None, &generator, &mut Unheard)?;
    for (entry, candidates) in entries.iter().zip(&candidates) {
        for (component, ids) in entry.chains.iter().enumerate() {
            let tokenized = candidates.apos.iter().map(|model| {
                let coordinates = model[component].clone();
                let tokens = tokenizer.tokenize(entry.sequences[component], &coordinates.positions)?;
                let indices =
                    |tokens: Vec<Option<u32>>| tokens.into_iter().map(|token| token.map_or(-1, i64::from)).collect();
                let structure_tokens =
                    Some(StructureTokens { backbone: indices(tokens.backbone), full_atom: indices(tokens.full_atom) });
                Ok(Apo { coordinates, structure_tokens })
            });
            let tokenized: Vec<Apo> = tokenized.collect::<Result<_>>()?;
            for id in *ids {
                let chain = structure.chains.iter().position(|chain| chain.name == *id).ok_or("no such chain")?;
                apos.insert(chain, tokenized.clone());
                priors.insert(chain, candidates.priors.iter().map(|model| model[component].clone()).collect());
            }
        }
    }
    Ok((apos, priors))
}

/// Hears nothing.
struct Unheard;

impl Events for Unheard {
    fn progress(&mut self, _progress: Progress) {}
    fn warning(&mut self, _message: &str) {}
    fn is_cancelled(&self) -> bool {
        false
    }
}

/// The tokenizers of the tiny model beside the golden.
fn structure_tokenizer(golden: &Golden) -> Result<StructureTokenizer> {
    let tiny = golden.sibling("tiny_model")?;
    let backbone = BackboneTokenizerConfig {
        d_model: tiny.size("bb.d_model")?,
        v_heads: tiny.size("bb.v_heads")?,
        n_layers: tiny.size("bb.n_layers")?,
        d_out: tiny.size("bb.d_out")?,
        codebook_size: tiny.size("bb.codebook_size")?,
    };
    let full_atom = FullAtomTokenizerConfig {
        d_model: tiny.size("fa.d_model")?,
        d_out: tiny.size("fa.d_out")?,
        d_pair: tiny.size("fa.d_pair")?,
        n_heads: tiny.size("fa.n_heads")?,
        n_layers: tiny.size("fa.n_layers")?,
        update_pair_repr_every_n: tiny.size("fa.update_pair_repr_every_n")?,
        codebook_size: tiny.size("fa.codebook_size")?,
    };
    let weights = |stem: &str| -> Result<_> { Ok(var_builder(&tiny.checkpoint(stem)?)) };
    Ok(StructureTokenizer::new(
        BackboneTokenizer::load(weights("prot_struct_bb_tokenizer")?, &backbone)?,
        FullAtomTokenizer::load(weights("prot_struct_fa_tokenizer")?, &full_atom)?,
    ))
}

fn priors(golden: &Golden) -> Result<Vec<Row>> {
    let as_tensor = |points: &[[f32; 3]], like: &Tensor| -> Result<Tensor> {
        Ok(Tensor::new(points.as_flattened(), like.device())?.reshape(like.dims())?)
    };
    let start = points(golden.input("x_init")?)?;
    let residues: Vec<usize> = golden
        .input("residue_index")?
        .to_dtype(DType::I64)?
        .to_vec1::<i64>()?
        .into_iter()
        .map(|residue| residue as usize)
        .collect();
    let fixed: Vec<bool> =
        golden.input("is_constraint")?.to_vec1::<u8>()?.into_iter().map(|fixed| fixed == 1).collect();
    let run = |noise: &str, fixed: Option<&[bool]>| -> Result<Vec<[f32; 3]>> {
        let tape = points(golden.input(noise)?)?;
        let mut steps = tape.chunks_exact(start.len());
        Ok(langevin::relax(&start, &residues, fixed, &mut |deviates| {
            deviates.copy_from_slice(steps.next().expect("the tape is shorter than the dynamics"));
        }))
    };
    let mut rows = Vec::new();
    for (name, noise, fixed) in [("constrained", "noise_constrained", Some(&fixed[..])), ("free", "noise_free", None)] {
        let reference = golden.output(name)?;
        rows.push(golden.compare(name, &as_tensor(&run(noise, fixed)?, reference)?, MODULE_BAR)?);
    }
    // The placement's own draws: four for the rotation, three for the shift of 24 Å.
    let reference = golden.output("augmented")?;
    let draws =
        |name: &str| -> Result<Vec<f32>> { Ok(golden.input(name)?.flatten_all()?.to_dtype(DType::F32)?.to_vec1()?) };
    let (quaternion, shift) = (draws("aug_quat")?, draws("aug_trans")?);
    let known = golden.input("aug_mask")?.to_vec1::<u8>()?;
    let mut placed = start.clone();
    for (point, known) in placed.iter_mut().zip(&known) {
        if *known == 0 {
            *point = [f32::NAN; 3];
        }
    }
    placement::place(&mut placed, std::array::from_fn(|at| quaternion[at]), std::array::from_fn(|at| shift[at] * 24.0));
    for point in placed.iter_mut().filter(|point| point[0].is_nan()) {
        *point = [-999.0; 3];
    }
    rows.push(golden.compare("augmented", &as_tensor(&placed, reference)?, MODULE_BAR)?);
    Ok(rows)
}
