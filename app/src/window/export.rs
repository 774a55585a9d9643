//! Writing what is shown: PDB, SDF, CSV, PNG. All of it off the window's thread, whole files only.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use kfold_inference::job::files::write_whole;
use kfold_molecule::formats::{pdb, sdf};
use kfold_molecule::structure::{Atom, Bond, Chain, Model, Residue, Topology};
use kfold_molecule::{SmallMolecule, Structure};

use super::app::Studio;
use super::background::Lane;
use super::dialogs::ExportKind;
use super::message::Message;
use super::outcome::Outcome;

/// Width of an exported picture, pixels.
const PICTURE_WIDTH: u32 = 2400;

impl Studio {
    /// Whether there is something to export.
    pub(super) fn can_export(&self, kind: ExportKind) -> bool {
        match kind {
            ExportKind::Pdb | ExportKind::Png => self.shown_structure().is_some(),
            ExportKind::Sdf | ExportKind::Csv => self.outcome.as_ref().is_some_and(|outcome| outcome.pose_count() > 0),
        }
    }

    /// Writes an export.
    pub(super) fn export(&mut self, kind: ExportKind, path: PathBuf) {
        match kind {
            ExportKind::Pdb => {
                let Some((structure, _)) = self.shown_structure() else { return };
                let pose = if self.ensemble.is_some() { None } else { self.shown_pose() };
                let ligand = pose.map(|pose| Arc::clone(&pose.molecule));
                self.write(path, move |path| {
                    let whole = match &ligand {
                        Some(ligand) => complex(&structure, ligand),
                        None => Structure::clone(&structure),
                    };
                    let text = pdb::write(&whole).map_err(|error| error.to_string())?;
                    write_whole(path, text.as_bytes()).map_err(|error| format!("{}: {error}", path.display()))
                });
            }
            ExportKind::Sdf => {
                let Some(outcome) = self.outcome.clone() else { return };
                self.write(path, move |path| {
                    let text = sdf::write(&poses(&outcome));
                    write_whole(path, text.as_bytes()).map_err(|error| format!("{}: {error}", path.display()))
                });
            }
            ExportKind::Csv => {
                let Some(outcome) = self.outcome.clone() else { return };
                self.write(path, move |path| {
                    let bytes = csv_of(&outcome).map_err(|error| format!("{}: {error}", path.display()))?;
                    write_whole(path, &bytes).map_err(|error| format!("{}: {error}", path.display()))
                });
            }
            ExportKind::Png => {
                let picture = self.viewport.picture(PICTURE_WIDTH);
                self.write(path, move |path| {
                    let image = picture?()?;
                    let mut bytes = std::io::Cursor::new(Vec::new());
                    image
                        .write_to(&mut bytes, image::ImageFormat::Png)
                        .map_err(|error| format!("{}: {error}", path.display()))?;
                    write_whole(path, &bytes.into_inner()).map_err(|error| format!("{}: {error}", path.display()))
                });
            }
        }
    }

    fn write(&mut self, path: PathBuf, work: impl FnOnce(&Path) -> Result<(), String> + Send + 'static) {
        self.submit(Lane::Files, move || {
            let result = work(&path);
            Message::Written { path, is_query: false, is_silent: false, result }
        });
    }
}

/// All poses as records with their numbers, best first within each ligand.
fn poses(outcome: &Outcome) -> Vec<SmallMolecule> {
    let mut records = Vec::new();
    for ligand in &outcome.ligands {
        for (index, pose) in ligand.poses.iter().enumerate() {
            let mut molecule = SmallMolecule::clone(&pose.molecule);
            molecule.name.clone_from(&ligand.name);
            molecule.properties.retain(|(key, _)| !FIELDS.contains(&key.as_str()));
            for (key, value) in FIELDS.iter().zip(fields(index, pose)) {
                if !value.is_empty() {
                    molecule.properties.push(((*key).to_owned(), value));
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

fn fields(index: usize, pose: &super::outcome::Pose) -> [String; 12] {
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

fn csv_of(outcome: &Outcome) -> Result<Vec<u8>, csv::Error> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let mut head = vec!["ligand"];
    head.extend(FIELDS);
    head.push("measured_pk");
    writer.write_record(&head)?;
    for ligand in &outcome.ligands {
        for (index, pose) in ligand.poses.iter().enumerate() {
            let mut row = vec![ligand.name.clone()];
            row.extend(fields(index, pose));
            row.push(ligand.measured_pk.map(|pk| format!("{pk:.3}")).unwrap_or_default());
            writer.write_record(&row)?;
        }
    }
    writer.into_inner().map_err(|error| error.into_error().into())
}

/// The receptor's first model with the pose as one residue of a chain of its own.
fn complex(receptor: &Structure, ligand: &SmallMolecule) -> Structure {
    let Some(model) = receptor.first() else { return receptor.clone() };
    let taken: Vec<&str> = model.topology.chains.iter().map(|chain| chain.id.as_str()).collect();
    let free = ('A'..='Z').rev().map(String::from).find(|id| !taken.contains(&id.as_str()));
    let addition = ligand.to_structure(free.as_deref().unwrap_or("Z"), "LIG");
    let Some(added) = addition.first() else { return receptor.clone() };
    let base = &model.topology;
    let shift = base.atoms.len() as u32;
    let residue_shift = base.residues.len() as u32;
    let chain_shift = base.chains.len() as u32;
    let mut topology = Topology::clone(base);
    topology
        .atoms
        .extend(added.topology.atoms.iter().map(|atom| Atom { residue: atom.residue + residue_shift, ..atom.clone() }));
    topology.residues.extend(added.topology.residues.iter().map(|residue| Residue {
        atoms: residue.atoms.start + shift..residue.atoms.end + shift,
        chain: residue.chain + chain_shift,
        ..residue.clone()
    }));
    topology.chains.extend(added.topology.chains.iter().map(|chain| Chain {
        residues: chain.residues.start + residue_shift..chain.residues.end + residue_shift,
        ..chain.clone()
    }));
    topology
        .bonds
        .extend(added.topology.bonds.iter().map(|bond| Bond::new(bond.a + shift, bond.b + shift, bond.order)));
    let positions = model.positions.iter().chain(&added.positions).copied().collect();
    let b_factors = model.b_factors.iter().chain(&added.b_factors).copied().collect();
    Structure {
        name: receptor.name.clone(),
        models: vec![Model { number: 1, topology: Arc::new(topology), positions, b_factors }],
    }
}
