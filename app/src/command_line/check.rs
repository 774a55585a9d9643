//! `check RECEPTOR --pose POSES.sdf`, `check COMPLEX`: is a pose chemically and physically sound?

use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::Args;
use kfold_molecule::analysis::pose_checks::{PoseCheck, check};
use kfold_molecule::chemistry::canonical_smiles;
use kfold_molecule::{Model, Selection, SmallMolecule, formats};
use serde::Serialize;

use super::interactions::without_residue;
use super::ligand::{ligands_of, molecule_of};
use super::table::aligned;
use super::{Outcome, standard_output, terminal};

/// Checks poses in the manner of PoseBusters: bond lengths and angles, planarity, stereo, clashes, overlap. The exit code
/// is 1 when a check fails.
#[derive(Debug, Args)]
pub(super) struct Check {
    /// The complex, or the receptor of --pose: PDB, mmCIF or BinaryCIF, plain or .gz
    structure: PathBuf,
    /// The ligands in the structure, a residue each (docs/selections.md)
    #[arg(long, value_name = "SELECTION", default_value = "ligand", conflicts_with = "pose")]
    ligand: Selection,
    /// Poses in a file of their own, with 3D coordinates (SDF or MOL)
    #[arg(long, value_name = "POSES.sdf")]
    pose: Option<PathBuf>,
    /// The molecule that was asked for, a SMILES or a file: poses of another molecule or stereoisomer are refused
    #[arg(long, value_name = "SMILES_OR_FILE")]
    reference: Option<String>,
    /// JSON on standard output
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Serialize)]
struct Checked {
    ligand: String,
    passed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    checks: Vec<PoseCheck>,
}

impl Check {
    pub(super) fn run(&self) -> anyhow::Result<Outcome> {
        let structure = formats::read_structure(&self.structure)?;
        let model = structure.first().with_context(|| format!("{} has no atoms", self.structure.display()))?;
        let reference = self.reference.as_deref().map(molecule_of).transpose()?;
        let mut results = Vec::new();
        match &self.pose {
            Some(poses) => {
                for molecule in formats::read_small_molecules(poses)? {
                    results.push(checked(molecule.name.clone(), model, &molecule, reference.as_ref()));
                }
            }
            None => {
                let atoms = self.ligand.select(model);
                if atoms.is_empty() {
                    bail!(
                        "{} has no atom that `{}` selects; name the ligand by --ligand or its file by --pose",
                        self.structure.display(),
                        self.ligand
                    );
                }
                for found in ligands_of(model, &atoms, reference.as_ref()) {
                    results.push(match found {
                        Ok(found) => {
                            let receptor = without_residue(model, found.residue);
                            checked(found.name, &receptor, &found.molecule, reference.as_ref())
                        }
                        Err(error) => failed(String::new(), format!("{error:#}")),
                    });
                }
            }
        }
        if self.json {
            standard_output::json(&results)?;
        } else {
            standard_output::write(&table(&results)?)?;
        }
        for result in &results {
            if let Some(error) = &result.error {
                terminal::say(&format!("error: {error}"));
            }
        }
        Ok(if results.iter().all(|result| result.passed) { Outcome::Done } else { Outcome::Incomplete })
    }
}

fn failed(ligand: String, error: String) -> Checked {
    Checked { ligand, passed: false, error: Some(error), checks: Vec::new() }
}

fn checked(name: String, receptor: &Model, pose: &SmallMolecule, reference: Option<&SmallMolecule>) -> Checked {
    let result = || -> anyhow::Result<Vec<PoseCheck>> {
        let positions = pose.conformers.first().context("it has no 3D coordinates")?;
        if let Some(reference) = reference {
            let (found, wanted) = (canonical_smiles(pose)?, canonical_smiles(reference)?);
            if found != wanted {
                bail!("it is {found}, not {wanted}");
            }
        }
        Ok(check(receptor, pose, positions)?)
    };
    match result() {
        Ok(checks) => Checked { ligand: name, passed: checks.iter().all(|check| check.passed), error: None, checks },
        Err(error) => {
            let text = format!("{name}: {error:#}");
            failed(name, text)
        }
    }
}

fn table(results: &[Checked]) -> anyhow::Result<String> {
    let mut lines = vec![["ligand", "check", "value", "limit", "result"].map(str::to_owned).to_vec()];
    for result in results {
        for check in &result.checks {
            let kind = serde_json::to_value(check.kind)?.as_str().unwrap_or_default().to_owned();
            let verdict = if check.passed { "passed" } else { "failed" };
            lines.push(vec![
                result.ligand.clone(),
                kind,
                format!("{:.3}", check.value),
                format!("{:.3}", check.limit),
                verdict.to_owned(),
            ]);
        }
    }
    Ok(aligned(&lines))
}
