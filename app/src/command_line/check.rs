//! `check RECEPTOR --pose POSES.sdf`, `check COMPLEX`: is a pose chemically and physically sound?

use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::Args;
use kfold_molecule::analysis::pose_checks::{PoseCheck, PoseChecker, ReceptorSpace};
use kfold_molecule::{Selection, SmallMolecule, formats};
use serde::Serialize;

use super::interactions::without_residue;
use super::ligand::{ligands_of, molecule_of};
use super::table::aligned;
use super::{Outcome, standard_output, terminal};

/// Free conformers that the strain of a pose is measured against.
const CONFORMERS: usize = 8;

/// Checks poses in the manner of PoseBusters: bond lengths and angles, planarity, energy, clashes, overlap, and with
/// --reference whether each is the molecule asked for. The exit code is 1 when a check fails.
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
    /// The molecule that was asked for, a SMILES or a file: formula, bonds and stereo are held against it
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
                let space = ReceptorSpace::new(model);
                let mut checker = PoseChecker::new(Some(&space), reference.as_ref(), CONFORMERS, 1)?;
                for molecule in formats::read_small_molecules(poses)? {
                    results.push(checked(molecule.name.clone(), &mut checker, &molecule));
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
                            let space = ReceptorSpace::new(&without_residue(model, found.residue));
                            let mut checker = PoseChecker::new(Some(&space), reference.as_ref(), CONFORMERS, 1)?;
                            checked(found.name, &mut checker, &found.molecule)
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

fn checked(name: String, checker: &mut PoseChecker<'_>, pose: &SmallMolecule) -> Checked {
    let mut result = || -> anyhow::Result<Vec<PoseCheck>> {
        if pose.conformers.is_empty() {
            bail!("it has no 3D coordinates");
        }
        Ok(checker.check(pose, &|| false)?)
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
