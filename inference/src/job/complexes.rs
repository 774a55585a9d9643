//! K-Fold's results as files, in the tree of the public program (K-Fold 1.0.0, inference/runner.py and cli/predict_complex.py), so
//! that what reads its results reads ours; the files that it does not have are marked.
//!
//! ```text
//! NAME/
//!   NAME_model.cif         the best sample of all seeds
//!   NAME_confidence.json   its confidence
//!   NAME_confidence.npz    its arrays, when asked for
//!   NAME_summary.csv       every sample, best first
//!   kfold_settings.json    how
//!   NAME_model.pdb         ours: the same as PDB, where its names fit
//!   NAME_ligands.sdf       ours: its ligands with the input's bond orders
//!   NAME_seed-1/
//!     NAME_seed-1_sample-0_model.cif, _confidence.json, _confidence.npz, _trajectory.cif
//!     NAME_seed-1_sample-0_model.pdb, _ligands.sdf, _ligands.json     ours: see [`LigandRecord`]
//!     NAME_seed-1_embeddings.npz, _distogram.npz
//!     NAME_seed-1_affinity.json      ours: the affinity head's answer, where its weights are here
//!     apo/                 apo and prior structures; beside the seeds where they share them, as are the next two
//!     query.json           the query with the files in apo/
//!     apo_setting.json     how apo structures were generated
//!     kfold_settings.json  how
//!     done.txt             the seed is finished
//! ```
//!
//! A seed's folder fills up file by file and is finished when `done.txt` is there. A worker that starts over keeps finished apo
//! structures and writes everything else anew, with the same content.

use std::ops::Range;
use std::path::{Path, PathBuf};

use glam::Vec3;
use kfold_molecule::formats::{mmcif, pdb, sdf};
use kfold_molecule::{Residue, ResidueKind, SmallMolecule, Structure, Topology};
use serde_json::json;

use super::{Job, JobError, files, read_json, write_json};
use crate::kfold::features::vocabulary::standard_residue;
use crate::kfold::input::ChainType;
use crate::kfold::modules::affinity_head::AffinityPrediction;
use crate::kfold::modules::confidence_metrics::{ConfidenceSummary, SampleConfidence};
use crate::kfold::modules::ecsi::align_rigid;
use crate::kfold::output::mmcif::{ATLASFOLD_VERSION, KFOLD_VERSION, write as write_mmcif};
use crate::kfold::output::npz::{self, Array, Elements};
use crate::kfold::prediction::{Distogram, Embeddings, LigandRecord, PredictedComplex, PredictedComplexes};
use crate::query::{Entity, Query, QueryFormat};

/// One sample of a finished seed, as its files say it.
#[derive(Clone, Debug)]
pub struct ComplexResult {
    /// The seed.
    pub seed: u64,
    /// The sample, from 0.
    pub sample: usize,
    /// The ligand of a series that this is the complex with.
    pub ligand: Option<String>,
    /// The complex, pLDDT as B-factors.
    pub structure: Structure,
    /// How sure the model is.
    pub confidence: ConfidenceSummary,
    /// Its ligands, each with what is known of it.
    pub ligands: Vec<(SmallMolecule, LigandRecord)>,
    /// The file of its arrays, where they were asked for; see [`ConfidenceArrays::read`].
    pub arrays: Option<PathBuf>,
    /// The file of the sampler's steps from the unbound structure to this sample, where they were asked for.
    pub trajectory: Option<PathBuf>,
    /// The pK that the affinity head predicts for the ligand of a series, where its weights were there.
    pub predicted_activity: Option<f32>,
}

/// Tokens that arrays are read of, at most: an array of errors then takes 256 MiB.
pub const MOST_TOKENS: usize = 8192;
/// Atoms of as many.
const MOST_ATOMS: usize = MOST_TOKENS * 24;
/// Largest file of arrays that is read, bytes.
const LARGEST_ARRAYS: u64 = 1 << 30;

/// The arrays of a sample's confidence.
#[derive(Clone, Debug, PartialEq)]
pub struct ConfidenceArrays {
    /// Tokens of the complex.
    pub tokens: usize,
    /// pLDDT of each atom, 0 to 100.
    pub plddt: Vec<f32>,
    /// Predicted aligned error of each pair of tokens, Å: row after row, aligned on the row, scored at the column.
    pub pae: Vec<f32>,
    /// Predicted error of the distance of each pair of tokens, Å.
    pub pde: Vec<f32>,
}

impl ConfidenceArrays {
    /// Reads `NAME_confidence.npz`, ours or the public program's.
    ///
    /// # Errors
    /// When the file cannot be read or does not hold these arrays.
    pub fn read(path: &Path) -> Result<Self, JobError> {
        let size = std::fs::metadata(path).map_err(JobError::read(path))?.len();
        if size > LARGEST_ARRAYS {
            return Err(JobError::content(path, format!("{size} bytes are more than this program reads")));
        }
        let bytes = std::fs::read(path).map_err(JobError::read(path))?;
        let array = |name: &str, most| {
            let found = npz::read(&bytes, name, most).map_err(|error| JobError::content(path, error))?;
            found.ok_or_else(|| JobError::content(path, format!("there is no array `{name}` in it")))
        };
        let pairs = |name: &str| {
            let found = array(name, MOST_TOKENS * MOST_TOKENS)?;
            match found.shape.as_slice() {
                [rows, columns] if rows == columns => Ok((*rows, found.values)),
                shape => Err(JobError::content(path, format!("`{name}` is not square but of shape {shape:?}"))),
            }
        };
        let ((tokens, pae), (others, pde)) = (pairs("pae")?, pairs("pde")?);
        if tokens != others {
            return Err(JobError::content(path, format!("`pae` is of {tokens} tokens, `pde` of {others}")));
        }
        Ok(Self { tokens, plddt: array("plddt", MOST_ATOMS)?.values, pae, pde })
    }
}

/// The atoms of each token of a predicted complex, in the order of its arrays: a standard residue is one token, in modified
/// residues, ligands and ions each atom is.
#[must_use]
pub fn token_atoms(topology: &Topology) -> Vec<Range<u32>> {
    let mut tokens = Vec::new();
    for residue in &topology.residues {
        if is_standard(residue) {
            tokens.push(residue.atoms.clone());
        } else {
            tokens.extend(residue.atoms.clone().map(|atom| atom..atom + 1));
        }
    }
    tokens
}

/// Whether a residue is a token by itself.
fn is_standard(residue: &Residue) -> bool {
    let chain_type = match residue.kind {
        ResidueKind::Protein => ChainType::Protein,
        ResidueKind::Dna => ChainType::Dna,
        ResidueKind::Rna => ChainType::Rna,
        _ => return false,
    };
    standard_residue(&residue.name, chain_type).is_some()
}

/// The file of a sample.
fn sample_file(job: &Job, seed: u64, sample: usize, suffix: &str) -> PathBuf {
    job.seed_folder(seed).join(format!("{}_seed-{seed}_sample-{sample}_{suffix}", job.query().name))
}

fn write_bytes(path: &Path, bytes: &[u8]) -> Result<(), JobError> {
    files::write_whole(path, bytes).map_err(JobError::write(path))
}

fn write_npz(path: &Path, arrays: &[Array]) -> Result<(), JobError> {
    let bytes = npz::write(arrays).map_err(JobError::write(path))?;
    write_bytes(path, &bytes)
}

/// Writes a seed's files, the mark that it is finished last.
pub(super) fn write_seed(job: &Job, seed: u64, complexes: &PredictedComplexes) -> Result<(), JobError> {
    let folder = job.seed_folder(seed);
    std::fs::create_dir_all(&folder).map_err(JobError::write(&folder))?;
    let settings = &job.settings().kfold;
    for (sample, complex) in complexes.samples.iter().enumerate() {
        write_sample(job, seed, sample, complexes, complex)?;
    }
    let seed_file = |suffix: &str| folder.join(format!("{}_seed-{seed}_{suffix}", job.query().name));
    if let Some(embeddings) = &complexes.embeddings {
        write_npz(&seed_file("embeddings.npz"), &embedding_arrays(embeddings))?;
    }
    if let Some(distogram) = &complexes.distogram {
        write_npz(&seed_file("distogram.npz"), &distogram_arrays(distogram))?;
    }
    if let Some(affinity) = &complexes.affinity {
        write_json(&seed_file("affinity.json"), affinity)?;
    }
    write_apo_record(job, seed, complexes)?;
    let mut record = json!({
        "version": KFOLD_VERSION,
        "seed": seed,
        "num_samples": settings.num_samples,
        "num_recycles": settings.num_recycles,
        "num_steps": settings.num_steps,
        "use_struct_encoder": complexes.has_structure_encoder,
        "use_rna_encoder": complexes.has_rna_encoder,
        "cpu_offload": false,
        "program": program(),
    });
    add_shared_seeds(&mut record, job);
    write_json(&folder.join("kfold_settings.json"), &record)?;
    write_bytes(&job.seed_mark(seed), b"")
}

/// This program by name and version.
fn program() -> String {
    format!("K-Fold Studio {}", env!("CARGO_PKG_VERSION"))
}

fn add_shared_seeds(record: &mut serde_json::Value, job: &Job) {
    let settings = &job.settings().kfold;
    if !settings.share_apo_seeds.is_empty() {
        record["share_apo_seeds"] = json!(settings.share_apo_seeds);
        record["num_shared_apos"] = json!(settings.num_shared_apos);
    }
}

fn write_sample(
    job: &Job,
    seed: u64,
    sample: usize,
    complexes: &PredictedComplexes,
    complex: &PredictedComplex,
) -> Result<(), JobError> {
    let (name, settings) = (&job.query().name, &job.settings().kfold);
    let confidence = &complex.confidence;
    let file = |suffix: &str| sample_file(job, seed, sample, suffix);
    let text = write_mmcif(name, &complexes.structure, &[&complex.positions], Some(&confidence.plddt));
    write_bytes(&file("model.cif"), text.as_bytes())?;
    if let Some(text) = pdb_text(&text) {
        write_bytes(&file("model.pdb"), text.as_bytes())?;
    }
    write_json(&file("confidence.json"), &confidence.summary)?;
    if settings.save_confidence {
        write_npz(&file("confidence.npz"), &confidence_arrays(confidence, complexes.structure.token_count()))?;
    }
    if !complex.path.is_empty() {
        let frames = aligned(&complex.path);
        let frames: Vec<&[Vec3]> = frames.iter().map(Vec::as_slice).collect();
        let text = write_mmcif(name, &complexes.structure, &frames, None);
        write_bytes(&file("trajectory.cif"), text.as_bytes())?;
    }
    if !complex.ligands.is_empty() {
        let molecules: Vec<SmallMolecule> = complex.ligands.iter().map(|ligand| ligand.molecule.clone()).collect();
        let records: Vec<&LigandRecord> = complex.ligands.iter().map(|ligand| &ligand.record).collect();
        write_bytes(&file("ligands.sdf"), sdf::write(&molecules).as_bytes())?;
        write_json(&file("ligands.json"), &records)?;
    }
    Ok(())
}

/// The complex as PDB; `None` where the format cannot hold it. Components whose code is too long (those of SMILES are `LIG4` and
/// the like) are called `LIG`.
fn pdb_text(text: &str) -> Option<String> {
    let mut structure = mmcif::read(text.as_bytes()).ok()?;
    for model in &mut structure.models {
        let topology = std::sync::Arc::make_mut(&mut model.topology);
        for residue in topology.residues.iter_mut().filter(|residue| residue.name.len() > 3) {
            residue.name = "LIG".into();
        }
    }
    pdb::write(&structure).ok()
}

/// Each frame laid onto the one before it, as the sampler turns and shifts all of them at random.
fn aligned(path: &[Vec<Vec3>]) -> Vec<Vec<Vec3>> {
    let mut frames: Vec<Vec<Vec3>> = Vec::with_capacity(path.len());
    for frame in path {
        let mut frame = frame.clone();
        if let Some(before) = frames.last() {
            let everything = vec![true; frame.len()];
            align_rigid(&mut frame, before, &everything);
        }
        frames.push(frame);
    }
    frames
}

fn confidence_arrays(confidence: &SampleConfidence, tokens: usize) -> [Array; 3] {
    let array = |name, shape, values: &Vec<f32>| Array { name, shape, elements: Elements::F32(values.clone()) };
    [
        array("plddt", vec![confidence.plddt.len()], &confidence.plddt),
        array("pae", vec![tokens; 2], &confidence.pae),
        array("pde", vec![tokens; 2], &confidence.pde),
    ]
}

fn embedding_arrays(embeddings: &Embeddings) -> [Array; 3] {
    let tokens = embeddings.tokens;
    let array = |name, mut shape: Vec<usize>, values: &Vec<half::f16>| {
        shape.push(values.len() / shape.iter().product::<usize>().max(1));
        Array { name, shape, elements: Elements::F16(values.clone()) }
    };
    [
        array("s_inputs", vec![tokens], &embeddings.s_inputs),
        array("s_lm", vec![tokens], &embeddings.s_lm),
        array("z", vec![tokens; 2], &embeddings.z),
    ]
}

fn distogram_arrays(distogram: &Distogram) -> [Array; 4] {
    let tokens = distogram.tokens;
    let bins = distogram.logits.len() / (tokens * tokens).max(1);
    let logits = Elements::F16(distogram.logits.clone());
    let edges = Elements::F32(distogram.bin_edges.clone());
    [
        Array { name: "logits", shape: vec![tokens, tokens, bins], elements: logits },
        Array { name: "bin_edges", shape: vec![distogram.bin_edges.len()], elements: edges },
        Array { name: "asym_ids", shape: vec![tokens], elements: Elements::I32(distogram.asym_ids.clone()) },
        Array { name: "res_ids", shape: vec![tokens], elements: Elements::I32(distogram.res_ids.clone()) },
    ]
}

/// The query with the apo structures that were used, and how they were generated.
fn write_apo_record(job: &Job, seed: u64, complexes: &PredictedComplexes) -> Result<(), JobError> {
    let settings = &job.settings().kfold;
    let folder = if settings.share_apo_seeds.is_empty() { job.seed_folder(seed) } else { job.output_folder() };
    let mut query = Query { structure: None, pocket: None, engine: None, ..job.query().clone() };
    for files in &complexes.apos {
        let (Entity::Protein(crate::query::Polymer { apo, prior, .. })
        | Entity::ProteinPair(crate::query::ProteinPair { apo, prior, .. })) = &mut query.sequences[files.entry]
        else {
            continue;
        };
        *apo = vec![files.apo.clone()];
        *prior = vec![files.prior.clone()];
    }
    let path = folder.join("query.json");
    write_bytes(&path, query.to_text(QueryFormat::Json, Some(&folder))?.as_bytes())?;
    let record = json!({
        "version": ATLASFOLD_VERSION,
        "apo_seeds": complexes.apo_seeds,
        "max_tokens_per_batch": settings.apo.max_tokens_per_batch,
        "monomer": settings.apo.monomer,
        "multimer": settings.apo.multimer,
    });
    write_json(&folder.join("apo_setting.json"), &record)
}

/// Seed, sample and scores.
pub(super) type Row = (u64, usize, ConfidenceSummary);

/// Ranks the samples of all finished seeds and writes the files above them, the table last. The best; `None`, and nothing is
/// written, where no seed is finished.
pub(super) fn write_summary(job: &Job) -> Result<Option<Row>, JobError> {
    let settings = &job.settings().kfold;
    let mut rows: Vec<Row> = Vec::new();
    for seed in job.settings().seeds.iter().filter(|seed| job.is_seed_done(**seed)) {
        for sample in 0..settings.num_samples as usize {
            rows.push((*seed, sample, read_json(&sample_file(job, *seed, sample, "confidence.json"))?));
        }
    }
    rows.sort_by(|a, b| {
        let by_score = b.2.complex.ranking_score.total_cmp(&a.2.complex.ranking_score);
        by_score.then((a.0, a.1).cmp(&(b.0, b.1)))
    });
    let Some((seed, sample, _)) = rows.first() else { return Ok(None) };
    for suffix in ["model.cif", "confidence.json", "confidence.npz", "model.pdb", "ligands.sdf"] {
        let path = sample_file(job, *seed, *sample, suffix);
        if path.is_file() {
            let bytes = std::fs::read(&path).map_err(JobError::read(&path))?;
            write_bytes(&job.output_path(suffix), &bytes)?;
        }
    }
    let mut record = json!({
        "version": KFOLD_VERSION,
        "seeds": job.settings().seeds,
        "num_samples": settings.num_samples,
        "num_recycles": settings.num_recycles,
        "num_steps": settings.num_steps,
        "use_struct_encoder": !settings.disable_struct_encoder,
        "use_rna_encoder": !settings.disable_rna_encoder,
        "kernel_backend": settings.device.to_string(),
        "program": program(),
    });
    add_shared_seeds(&mut record, job);
    write_json(&job.output_folder().join("kfold_settings.json"), &record)?;
    let path = job.summary_path();
    let table = summary_table(&rows).map_err(|error| JobError::content(&path, error))?;
    write_bytes(&path, &table)?;
    Ok(rows.into_iter().next())
}

/// How many samples a seed has and the best ranking score; none where it is not finished.
pub(super) fn best_of_seed(job: &Job, seed: u64) -> Result<(u64, f64), JobError> {
    if !job.is_seed_done(seed) {
        return Ok((0, 0.0));
    }
    let samples = job.settings().kfold.num_samples;
    let mut best = f64::NEG_INFINITY;
    for sample in 0..samples as usize {
        let summary: ConfidenceSummary = read_json(&sample_file(job, seed, sample, "confidence.json"))?;
        best = best.max(summary.complex.ranking_score);
    }
    Ok((u64::from(samples), best))
}

fn summary_table(rows: &[Row]) -> Result<Vec<u8>, String> {
    // Line ends as Python's csv module writes them.
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    let mut write = |row: &[String]| writer.write_record(row).map_err(|error| error.to_string());
    let head = ["seed", "sample", "ranking_score", "plddt", "ptm", "iptm", "pde", "has_clash"];
    write(&head.map(str::to_owned))?;
    for (seed, sample, summary) in rows {
        let scores = &summary.complex;
        write(&[
            seed.to_string(),
            sample.to_string(),
            scores.ranking_score.to_string(),
            scores.plddt.to_string(),
            scores.ptm.to_string(),
            scores.iptm.to_string(),
            scores.pde.to_string(),
            format!("{:.1}", scores.has_clash),
        ])?;
    }
    writer.into_inner().map_err(|error| error.to_string())
}

/// The samples of a finished seed.
pub(super) fn load_seed(job: &Job, seed: u64) -> Result<Vec<ComplexResult>, JobError> {
    let mut complexes = Vec::new();
    for sample in 0..job.settings().kfold.num_samples as usize {
        let path = sample_file(job, seed, sample, "model.cif");
        let structure =
            kfold_molecule::formats::read_structure(&path).map_err(|error| JobError::content(&path, error))?;
        let confidence = read_json(&sample_file(job, seed, sample, "confidence.json"))?;
        let path = sample_file(job, seed, sample, "ligands.json");
        let mut ligands = Vec::new();
        if path.is_file() {
            let records: Vec<LigandRecord> = read_json(&path)?;
            let path = sample_file(job, seed, sample, "ligands.sdf");
            let molecules = kfold_molecule::formats::read_small_molecules(&path)
                .map_err(|error| JobError::content(&path, error))?;
            if molecules.len() != records.len() {
                let problem = format!("{} molecules, but ligands.json has {}", molecules.len(), records.len());
                return Err(JobError::content(&path, problem));
            }
            ligands.extend(molecules.into_iter().zip(records));
        }
        let kept = |suffix| Some(sample_file(job, seed, sample, suffix)).filter(|path| path.is_file());
        complexes.push(ComplexResult {
            seed,
            sample,
            ligand: None,
            structure,
            confidence,
            ligands,
            arrays: kept("confidence.npz"),
            trajectory: kept("trajectory.cif"),
            predicted_activity: None,
        });
    }
    Ok(complexes)
}

/// The affinity head's answer of a seed, where there is one.
pub(super) fn load_affinity(job: &Job, seed: u64) -> Result<Option<AffinityPrediction>, JobError> {
    let path = job.seed_folder(seed).join(format!("{}_seed-{seed}_affinity.json", job.query().name));
    if path.is_file() { read_json(&path).map(Some) } else { Ok(None) }
}
