//! What is written of a result: tables as CSV, ligands as SDF, the complex in the view. The window's menu and the command line
//! write the same.

use std::collections::BTreeSet;

use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder as _, ImageResult, RgbaImage};
use kfold_inference::job::complex::complex;
use kfold_molecule::{SmallMolecule, Structure};

use crate::drawing::pair_errors::PairErrors;
use crate::window::outcome::{Outcome, Pose};
use crate::window::series::LigandNotes;

/// Ligands that are written: all, or those of these names.
pub type Wanted<'a> = Option<&'a BTreeSet<String>>;

fn is_wanted(wanted: Wanted<'_>, name: &str) -> bool {
    wanted.is_none_or(|names| names.contains(name))
}

/// Pixels of a picture that are compressed as well as can be; larger ones would take too long.
const MOST_SQUEEZED: u32 = 8 << 20;

/// A picture as PNG; without alpha where nothing shines through.
///
/// # Errors
/// When it has no pixels.
pub fn png_bytes(picture: &RgbaImage) -> ImageResult<Vec<u8>> {
    let pixels = picture.width().saturating_mul(picture.height());
    let squeeze = if pixels <= MOST_SQUEEZED { CompressionType::Best } else { CompressionType::Default };
    let mut bytes = Vec::new();
    let encoder = PngEncoder::new_with_quality(&mut bytes, squeeze, FilterType::Adaptive);
    if picture.pixels().all(|pixel| pixel[3] == u8::MAX) {
        let solid: Vec<u8> = picture.pixels().flat_map(|pixel| [pixel[0], pixel[1], pixel[2]]).collect();
        encoder.write_image(&solid, picture.width(), picture.height(), ExtendedColorType::Rgb8)?;
    } else {
        encoder.write_image(picture, picture.width(), picture.height(), ExtendedColorType::Rgba8)?;
    }
    Ok(bytes)
}

/// All poses as records with their numbers, best first within each ligand; after K-Fold the ligands of all samples.
#[must_use]
pub fn poses(outcome: &Outcome, wanted: Wanted<'_>, notes: &LigandNotes) -> Vec<SmallMolecule> {
    if !outcome.complexes.is_empty() {
        return complex_ligands(outcome, wanted);
    }
    let mut records = Vec::new();
    for ligand in outcome.ligands.iter().filter(|ligand| is_wanted(wanted, &ligand.name)) {
        for (index, pose) in ligand.poses.iter().enumerate() {
            let mut molecule = SmallMolecule::clone(&pose.molecule);
            molecule.name.clone_from(&ligand.name);
            molecule.properties.retain(|(key, _)| !FIELDS.contains(&key.as_str()));
            let own = FIELDS.into_iter().zip(fields(index, pose));
            let measured = ligand.measured_pk.map(|pk| format!("{pk:.3}")).unwrap_or_default();
            let note = notes.get(&ligand.name);
            let tag = note.map(|note| note.tag.name().to_owned()).unwrap_or_default();
            // A data field ends at an empty line.
            let text = note.map(|note| note.text.replace(['\n', '\r'], " ")).unwrap_or_default();
            let more = [("measured_pk", measured), ("tag", tag), ("note", text)];
            molecule.properties.retain(|(key, _)| more.iter().all(|(name, _)| name != key));
            for (key, value) in own.chain(more) {
                if !value.is_empty() {
                    molecule.properties.push((key.to_owned(), value));
                }
            }
            records.push(molecule);
        }
    }
    records
}

const FIELDS: [&str; 12] = [
    "rank",
    "score_kcal_per_mol",
    "ligand_efficiency_kcal_per_mol",
    "pose_probability",
    "predicted_pk",
    "predicted_pk_spread",
    "rmsd_to_best_angstrom",
    "rmsd_to_reference_angstrom",
    "checks_passed",
    "checks",
    "engine",
    "seed",
];

fn fields(index: usize, pose: &Pose) -> [String; 12] {
    let optional = |value: Option<f32>| value.map(|value| format!("{value:.4}")).unwrap_or_default();
    [
        (index + 1).to_string(),
        format!("{:.4}", pose.score.score_kcal_per_mol),
        format!("{:.4}", pose.score.ligand_efficiency_kcal_per_mol),
        optional(pose.score.cnn.map(|cnn| cnn.pose_probability)),
        optional(pose.score.cnn.map(|cnn| cnn.pk)),
        optional(pose.score.cnn.map(|cnn| cnn.pk_spread)),
        format!("{:.3}", pose.score.rmsd_to_best),
        pose.score.rmsd_to_reference.map(|rmsd| format!("{rmsd:.3}")).unwrap_or_default(),
        pose.passed().to_string(),
        pose.checks.len().to_string(),
        pose.engine_text(),
        pose.provenance.seed.to_string(),
    ]
}

/// The table as CSV: a pose a row; after K-Fold a sample a row, with its ligands.
///
/// # Errors
/// When a record cannot be written, which memory does not refuse.
pub fn csv_of(outcome: &Outcome, wanted: Wanted<'_>, notes: &LigandNotes) -> Result<Vec<u8>, csv::Error> {
    if !outcome.complexes.is_empty() {
        return samples_csv(outcome);
    }
    let mut writer = csv::Writer::from_writer(Vec::new());
    let mut head = vec!["ligand"];
    head.extend(FIELDS);
    head.push("measured_pk");
    if !notes.is_empty() {
        head.extend(["tag", "note"]);
    }
    writer.write_record(&head)?;
    for ligand in outcome.ligands.iter().filter(|ligand| is_wanted(wanted, &ligand.name)) {
        for (index, pose) in ligand.poses.iter().enumerate() {
            let mut row = vec![ligand.name.clone()];
            row.extend(fields(index, pose));
            row.push(ligand.measured_pk.map(|pk| format!("{pk:.3}")).unwrap_or_default());
            if !notes.is_empty() {
                let note = notes.get(&ligand.name).cloned().unwrap_or_default();
                row.extend([note.tag.name().to_owned(), note.text]);
            }
            writer.write_record(&row)?;
        }
    }
    writer.into_inner().map_err(|error| error.into_error().into())
}

/// The ligands of K-Fold's samples as records, the best sample first.
fn complex_ligands(outcome: &Outcome, wanted: Wanted<'_>) -> Vec<SmallMolecule> {
    let mut records = Vec::new();
    for (rank, sample) in outcome.complexes.iter().enumerate() {
        for ligand in sample.ligands.iter().filter(|ligand| is_wanted(wanted, &ligand.record.chain)) {
            let mut molecule = SmallMolecule::clone(&ligand.molecule);
            let record = &ligand.record;
            molecule.name.clone_from(sample.ligand.as_ref().unwrap_or(&record.chain));
            let passed = record.checks.iter().filter(|check| check.passed).count();
            let mut fields = vec![
                ("rank", (rank + 1).to_string()),
                ("seed", sample.seed.to_string()),
                ("sample", sample.sample.to_string()),
                ("ranking_score", format!("{:.4}", sample.confidence.complex.ranking_score)),
                ("plddt", format!("{:.2}", record.plddt)),
                ("checks_passed", passed.to_string()),
                ("checks", record.checks.len().to_string()),
                ("engine", outcome.settings.engine.name().to_owned()),
            ];
            if let Some(iptm) = record.iptm {
                fields.push(("iptm", format!("{iptm:.4}")));
            }
            if !record.wrong_stereo.is_empty() {
                fields.push(("wrong_stereo", record.wrong_stereo.join(" ")));
            }
            if let Some(docking) = &record.docking_score {
                fields.push(("docking_score_kcal_per_mol", format!("{:.4}", docking.score.score_kcal_per_mol)));
                fields.push(("docking_scoring", docking.scoring.clone()));
            }
            molecule.properties.retain(|(key, _)| fields.iter().all(|(name, _)| name != key));
            molecule.properties.extend(fields.into_iter().map(|(key, value)| (key.to_owned(), value)));
            records.push(molecule);
        }
    }
    records
}

fn samples_csv(outcome: &Outcome) -> Result<Vec<u8>, csv::Error> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let has_series = outcome.complexes.iter().any(|complex| complex.ligand.is_some());
    let head = [
        "rank",
        "seed",
        "sample",
        "ranking_score",
        "plddt",
        "ptm",
        "iptm",
        "pde_angstrom",
        "has_clash",
        "ligand",
        "ligand_plddt",
        "ligand_iptm",
        "checks_passed",
        "checks",
        "wrong_stereo",
        "docking_score_kcal_per_mol",
    ];
    writer.write_record(head.into_iter().chain(has_series.then_some("series_ligand")))?;
    for (rank, sample) in outcome.complexes.iter().enumerate() {
        let series = has_series.then(|| sample.ligand.clone().unwrap_or_default());
        let scores = &sample.confidence.complex;
        let common = vec![
            (rank + 1).to_string(),
            sample.seed.to_string(),
            sample.sample.to_string(),
            scores.ranking_score.to_string(),
            scores.plddt.to_string(),
            scores.ptm.to_string(),
            scores.iptm.to_string(),
            scores.pde.to_string(),
            (scores.has_clash > 0.0).to_string(),
        ];
        let optional = |value: Option<f32>| value.map(|value| format!("{value:.4}")).unwrap_or_default();
        for ligand in &sample.ligands {
            let record = &ligand.record;
            let passed = record.checks.iter().filter(|check| check.passed).count();
            let docking = record.docking_score.as_ref().map(|docking| docking.score.score_kcal_per_mol);
            let mut row = common.clone();
            row.extend([
                record.chain.clone(),
                format!("{:.2}", record.plddt),
                optional(record.iptm),
                passed.to_string(),
                record.checks.len().to_string(),
                record.wrong_stereo.join(" "),
                optional(docking),
            ]);
            row.extend(series.clone());
            writer.write_record(&row)?;
        }
        if sample.ligands.is_empty() {
            let mut row = common;
            row.resize(16, String::new());
            row.extend(series);
            writer.write_record(&row)?;
        }
    }
    writer.into_inner().map_err(|error| error.into_error().into())
}

/// The receptor's model of this index with a pose, as one structure; the ligand is a chain of its own.
#[must_use]
pub fn with_pose(receptor: &Structure, model: usize, pose: Option<&SmallMolecule>) -> Structure {
    let joined = |ligand| complex(receptor.models.get(model)?, ligand, 0, "L", "LIG");
    pose.and_then(joined).unwrap_or_else(|| receptor.clone())
}

/// The complex that a ligand's pose, or a sample of K-Fold, is of.
#[must_use]
pub fn structure_of(outcome: &Outcome, ligand: usize, pose: usize) -> Option<Structure> {
    if let Some(sample) = outcome.complexes.get(pose) {
        return Some(Structure::clone(&sample.structure));
    }
    let shown = outcome.ligands.get(ligand)?.poses.get(pose)?;
    Some(with_pose(&shown.receptor, 0, Some(&shown.molecule)))
}

/// A map of errors as CSV: a head and a row a token, Å.
///
/// # Errors
/// When a record cannot be written, which memory does not refuse.
pub fn map_csv(errors: &PairErrors, name: impl Fn(usize) -> String) -> Result<Vec<u8>, csv::Error> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let names: Vec<String> = (0..errors.tokens).map(name).collect();
    writer.write_record(std::iter::once("aligned on \\ scored").chain(names.iter().map(String::as_str)))?;
    for (row, name) in names.iter().enumerate() {
        let cells = (0..errors.tokens).map(|column| format!("{:.3}", errors.at(row, column).unwrap_or(f32::NAN)));
        writer.write_record(std::iter::once(name.clone()).chain(cells))?;
    }
    writer.into_inner().map_err(|error| error.into_error().into())
}
