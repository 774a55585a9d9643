//! Writing what an engine predicted.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::io;
use std::path::Path;

use kfold_molecule::formats::{mmcif, pdb, sdf};
use kfold_molecule::{Model, SmallMolecule, Structure};

use super::complex::complex;
use super::results::{PoseRecord, PoseResult, Results, receptor_name, sort_best_first};
use super::{Job, JobError, files, write_json};
use crate::engine::{Prediction, ReceptorEnsemble, Sample};
use crate::query::{LigandSource, Query};
use crate::settings::Settings;
use crate::statistics::{Comparison, Correlation};

/// Writes a seed's folder: all files into a folder with a temporary name, then one rename.
pub(super) fn write_seed(job: &Job, seed: u64, prediction: &Prediction) -> Result<(), JobError> {
    let target = job.seed_folder(seed);
    let folder = job.folder().join(format!("{}seed-{seed}", files::TEMPORARY_PREFIX));
    for old in [&folder, &target] {
        match std::fs::remove_dir_all(old) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(JobError::write(old)(error)),
            _ => {}
        }
    }
    std::fs::create_dir(&folder).map_err(JobError::write(&folder))?;
    let write = |name: &str, text: &str| {
        let path = folder.join(name);
        files::write_whole(&path, text.as_bytes()).map_err(JobError::write(&path))
    };

    let molecules: Vec<SmallMolecule> = prediction.samples.iter().map(record_molecule).collect();
    write("poses.sdf", &sdf::write(&molecules))?;
    let records: Vec<PoseRecord> = prediction.samples.iter().map(PoseRecord::of).collect();
    write_json(&folder.join("poses.json"), &records)?;
    write_receptors(&folder, &prediction.samples)?;
    let is_series = !job.query().series.is_empty();
    for (index, sample) in prediction.samples.iter().enumerate() {
        // A series would repeat the receptor a thousand times; its poses are all in poses.sdf.
        if is_series && sample.rank != 1 {
            continue;
        }
        if let Some(structure) = complex_of(job.query(), &sample.receptor_in_pose(), &sample.pose, &sample.ligand_name)
        {
            write(&format!("{}_complex_{}.cif", job.query().name, index + 1), &mmcif::write(&structure))?;
        }
    }
    if let Some(ensemble) = &prediction.receptor_ensemble {
        write_structure(&folder, "ensemble", &ensemble.structure)?;
        write("rmsf.csv", &rmsf_table(ensemble))?;
        write_json(&folder.join("ensemble.json"), &ensemble.amplitudes)?;
    }
    finish_seed(job, seed, &folder)?;
    std::fs::rename(&folder, &target).map_err(JobError::write(&target))
}

/// What every seed's folder ends with.
fn finish_seed(job: &Job, seed: u64, folder: &Path) -> Result<(), JobError> {
    let settings = Settings { seed, seeds: vec![seed], ..job.settings().clone() };
    write_json(&folder.join("settings.json"), &settings)?;
    let path = folder.join("done");
    files::write_whole(&path, b"").map_err(JobError::write(&path))
}

/// Completes a seed's folder that is put together from the folders of pieces: poses as SDF, their records, the settings.
pub(super) fn write_records(
    job: &Job,
    seed: u64,
    folder: &Path,
    poses: &[u8],
    records: &[PoseRecord],
) -> Result<(), JobError> {
    let path = folder.join("poses.sdf");
    files::write_whole(&path, poses).map_err(JobError::write(&path))?;
    write_json(&folder.join("poses.json"), &records)?;
    finish_seed(job, seed, folder)
}

/// Copies an output of a piece.
pub(super) fn copy_output(from: &Path, to: &Path) -> Result<(), JobError> {
    let bytes = std::fs::read(from).map_err(JobError::read(from))?;
    files::write_whole(to, &bytes).map_err(JobError::write(to))
}

/// Writes the files above the seeds from what the seeds' folders hold.
pub(super) fn write_summary(job: &Job) -> Result<(), JobError> {
    let results = Results::load_job(job)?;
    let mut poses: Vec<&PoseResult> = results.seeds.iter().flat_map(|seed| &seed.poses).collect();
    sort_best_first(&mut poses, |pose| &pose.record);

    if let Some(best) = poses.first()
        && let Some(structure) = complex_of(job.query(), &best.receptor, &best.molecule, &best.record.ligand_name)
    {
        let path = job.model_path();
        files::write_whole(&path, mmcif::write(&structure).as_bytes()).map_err(JobError::write(&path))?;
    }
    let records: Vec<&PoseRecord> = poses.iter().map(|pose| &pose.record).collect();
    write_json(&job.record_path(), &records)?;
    let write = |path: &Path, table: Result<Vec<u8>, String>| {
        let table = table.map_err(|error| JobError::content(path, error))?;
        files::write_whole(path, &table).map_err(JobError::write(path))
    };
    if !records.is_empty() {
        write(&job.affinity_path(), affinity_table(&records))?;
    }
    if let Some(comparison) = results.comparison() {
        write(&job.correlation_path(), correlation_table(&comparison))?;
    }
    // Last: a job with it is done.
    write(&job.summary_path(), summary_table(&records))
}

/// Writes `NAME.pdb`, or `NAME.cif` when the structure has names that PDB files cannot hold.
fn write_structure(folder: &Path, name: &str, structure: &Structure) -> Result<(), JobError> {
    let (path, text) = match pdb::write(structure) {
        Ok(text) => (folder.join(format!("{name}.pdb")), text),
        Err(_) => (folder.join(format!("{name}.cif")), mmcif::write(structure)),
    };
    files::write_whole(&path, text.as_bytes()).map_err(JobError::write(&path))
}

/// The receptors of the samples, each conformer once.
pub(super) fn write_receptors(folder: &Path, samples: &[Sample]) -> Result<(), JobError> {
    let mut written: Vec<Option<u32>> = Vec::new();
    for sample in samples {
        if !written.contains(&sample.conformer) {
            written.push(sample.conformer);
            write_structure(folder, &receptor_name(sample.conformer), &sample.receptor)?;
        }
    }
    Ok(())
}

/// The chain and residue under which a ligand stands in a complex: its chain id in the query, and its component code
/// where the query gives one.
fn ligand_place(query: &Query, ligand_name: &str) -> (String, String) {
    let entry = query
        .ligands()
        .find(|ligand| ligand.ids.iter().any(|id| id == ligand_name))
        .or_else(|| query.ligands().next().filter(|_| query.series.is_empty()));
    let chain = entry.and_then(|ligand| ligand.ids.first()).map_or("L", String::as_str);
    let residue = match entry.map(|ligand| &ligand.source) {
        Some(LigandSource::Ccd(codes)) if codes.len() == 1 => codes[0].as_str(),
        _ => "LIG",
    };
    (chain.to_owned(), residue.to_owned())
}

fn complex_of(query: &Query, receptor: &Structure, pose: &SmallMolecule, ligand_name: &str) -> Option<Structure> {
    let (chain, residue) = ligand_place(query, ligand_name);
    let mut structure = complex(receptor.first()?, pose, 0, &chain, &residue)?;
    structure.name.clone_from(&query.name);
    Some(structure)
}

/// The pose with its numbers as data fields, as SDF readers find them.
pub(super) fn record_molecule(sample: &Sample) -> SmallMolecule {
    let mut molecule = sample.pose.clone();
    molecule.conformers.truncate(1);
    molecule.name.clone_from(&sample.ligand_name);
    let score = &sample.score;
    let mut fields = vec![
        ("score_kcal_per_mol", number(score.score_kcal_per_mol)),
        ("rank", sample.rank.to_string()),
        ("intermolecular_kcal_per_mol", number(score.intermolecular_kcal_per_mol)),
        ("intramolecular_kcal_per_mol", number(score.intramolecular_kcal_per_mol)),
        ("ligand_efficiency_kcal_per_mol", number(score.ligand_efficiency_kcal_per_mol)),
        ("rotatable_bonds", score.rotatable_bonds.to_string()),
        ("rmsd_to_best", number(score.rmsd_to_best)),
    ];
    if let Some(cnn) = &score.cnn {
        fields.push(("pose_probability", number(cnn.pose_probability)));
        fields.push(("predicted_pk", number(cnn.pk)));
        fields.push(("predicted_pk_spread", number(cnn.pk_spread)));
    }
    if let Some(rmsd) = score.rmsd_to_reference {
        fields.push(("rmsd_to_reference", number(rmsd)));
    }
    if let Some(energy) = score.side_chains_kcal_per_mol {
        fields.push(("side_chains_kcal_per_mol", number(energy)));
    }
    if let Some(pocket) = sample.pocket {
        fields.push(("pocket", pocket.to_string()));
    }
    if let Some(conformer) = sample.conformer {
        fields.push(("conformer", conformer.to_string()));
    }
    if let Some(pk) = sample.measured_pk {
        fields.push(("measured_pk", pk.to_string()));
    }
    fields.push(("engine", sample.provenance.engine.name().to_owned()));
    fields.push(("scoring", sample.provenance.scoring.clone()));
    fields.push(("seed", sample.provenance.seed.to_string()));
    molecule.properties.retain(|(key, _)| fields.iter().all(|(name, _)| name != key));
    let mut properties: Vec<(String, String)> =
        fields.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
    properties.append(&mut molecule.properties);
    molecule.properties = properties;
    molecule
}

fn number(value: f32) -> String {
    // Not "-0.0000".
    format!("{:.4}", if value.abs() < 0.000_05 { 0.0 } else { value })
}

fn summary_table(records: &[&PoseRecord]) -> Result<Vec<u8>, String> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let mut write = |row: &[&str]| writer.write_record(row).map_err(|error| error.to_string());
    write(&[
        "ligand",
        "seed",
        "rank",
        "score_kcal_per_mol",
        "pk_of_energy",
        "pose_probability",
        "predicted_pk",
        "predicted_pk_spread",
        "measured_pk",
        "intermolecular_kcal_per_mol",
        "intramolecular_kcal_per_mol",
        "ligand_efficiency_kcal_per_mol",
        "heavy_atoms",
        "rotatable_bonds",
        "rmsd_to_best",
        "rmsd_to_reference",
        "checks_passed",
        "checks_failed",
        "interactions",
        "pocket",
        "conformer",
        "engine",
        "scoring",
    ])?;
    let whole = |value: Option<u32>| value.map_or_else(String::new, |value| value.to_string());
    for record in records {
        let score = &record.score;
        let passed = record.checks.iter().filter(|check| check.passed).count();
        let failed: Vec<String> =
            record.checks.iter().filter(|check| !check.passed).map(|check| snake_name(&check.kind)).collect();
        let mut kinds: Vec<_> = record.interactions.iter().map(|interaction| interaction.kind).collect();
        kinds.sort_unstable();
        let interactions: Vec<String> =
            kinds.chunk_by(|a, b| a == b).map(|same| format!("{} {}", same.len(), snake_name(&same[0]))).collect();
        write(&[
            &record.ligand_name,
            &record.provenance.seed.to_string(),
            &record.rank.to_string(),
            &number(score.score_kcal_per_mol),
            &number(score.pk_of_energy()),
            &optional(score.cnn.map(|cnn| cnn.pose_probability)),
            &optional(score.cnn.map(|cnn| cnn.pk)),
            &optional(score.cnn.map(|cnn| cnn.pk_spread)),
            &optional(record.measured_pk),
            &number(score.intermolecular_kcal_per_mol),
            &number(score.intramolecular_kcal_per_mol),
            &number(score.ligand_efficiency_kcal_per_mol),
            &score.heavy_atoms.to_string(),
            &score.rotatable_bonds.to_string(),
            &number(score.rmsd_to_best),
            &optional(score.rmsd_to_reference),
            &format!("{passed}/{}", record.checks.len()),
            &failed.join(" "),
            &interactions.join(", "),
            &whole(record.pocket),
            &whole(record.conformer),
            record.provenance.engine.name(),
            &record.provenance.scoring,
        ])?;
    }
    writer.into_inner().map_err(|error| error.to_string())
}

/// The best pose of each ligand with all that speaks of its affinity. Predictions, not measurements.
fn affinity_table(records: &[&PoseRecord]) -> Result<Vec<u8>, String> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let mut write = |row: &[&str]| writer.write_record(row).map_err(|error| error.to_string());
    write(&[
        "ligand",
        "seed",
        "heavy_atoms",
        "score_kcal_per_mol",
        "pk_of_energy",
        "ligand_efficiency_kcal_per_mol",
        "pose_probability",
        "pose_probability_spread",
        "predicted_pk",
        "predicted_pk_spread",
        "measured_pk",
        "checks_passed",
        "method",
    ])?;
    let mut seen = HashSet::new();
    for record in records.iter().filter(|record| seen.insert(record.ligand_name.as_str())) {
        let score = &record.score;
        let passed = record.checks.iter().filter(|check| check.passed).count();
        write(&[
            &record.ligand_name,
            &record.provenance.seed.to_string(),
            &score.heavy_atoms.to_string(),
            &number(score.score_kcal_per_mol),
            &number(score.pk_of_energy()),
            &number(score.ligand_efficiency_kcal_per_mol),
            &optional(score.cnn.map(|cnn| cnn.pose_probability)),
            &optional(score.cnn.map(|cnn| cnn.pose_probability_spread)),
            &number(score.predicted_pk()),
            &optional(score.cnn.map(|cnn| cnn.pk_spread)),
            &optional(record.measured_pk),
            &format!("{passed}/{}", record.checks.len()),
            &record.provenance.display_name(),
        ])?;
    }
    writer.into_inner().map_err(|error| error.to_string())
}

/// How well the predicted pK follows the measured one, with the number of heavy atoms beside it.
fn correlation_table(comparison: &Comparison) -> Result<Vec<u8>, String> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let mut write = |row: &[&str]| writer.write_record(row).map_err(|error| error.to_string());
    write(&["predictor", "ligands", "spearman", "spearman_low_95", "spearman_high_95", "pearson", "kendall"])?;
    let rows: [(&str, Option<Correlation>); 2] =
        [("predicted_pk", Some(comparison.prediction)), ("heavy_atoms", comparison.heavy_atoms)];
    for (name, found) in rows {
        write(&[
            name,
            &comparison.count.to_string(),
            &optional(found.map(|found| found.spearman)),
            &optional(found.and_then(|found| Some(found.spearman_interval?.0))),
            &optional(found.and_then(|found| Some(found.spearman_interval?.1))),
            &optional(found.map(|found| found.pearson)),
            &optional(found.map(|found| found.kendall)),
        ])?;
    }
    writer.into_inner().map_err(|error| error.to_string())
}

fn optional(value: Option<f32>) -> String {
    value.map_or_else(String::new, number)
}

/// A unit variant as files spell it.
fn snake_name<T: serde::Serialize>(kind: &T) -> String {
    match serde_json::to_value(kind) {
        Ok(serde_json::Value::String(name)) => name,
        _ => String::new(),
    }
}

fn rmsf_table(ensemble: &ReceptorEnsemble) -> String {
    ensemble.structure.first().map_or_else(String::new, |model| rmsf_csv(model, &ensemble.rmsf))
}

/// Root mean square fluctuations as a table: chain, residue, Å. Residues without a value are left out.
#[must_use]
pub fn rmsf_csv(model: &Model, rmsf: &[f32]) -> String {
    let topology = &model.topology;
    let mut text = String::from("chain,residue,name,rmsf_angstrom\n");
    for (residue, value) in topology.residues.iter().zip(rmsf) {
        if *value > 0.0 {
            let chain = &topology.chain_of(residue).id;
            let _ = writeln!(text, "{chain},{},{},{value:.3}", residue.number_text(), residue.name);
        }
    }
    text
}

/// For tests and for the engine's callers outside a job: the poses as one SDF text.
#[must_use]
pub fn poses_sdf(prediction: &Prediction) -> String {
    sdf::write(&prediction.samples.iter().map(record_molecule).collect::<Vec<_>>())
}

/// Whether a path lies in a folder that can be written.
pub(super) fn check_writable(folder: &Path) -> Result<(), JobError> {
    let probe = tempfile::Builder::new().prefix(files::TEMPORARY_PREFIX).tempfile_in(folder);
    probe.map(drop).map_err(JobError::write(folder))
}
