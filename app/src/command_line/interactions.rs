//! `interactions STRUCTURE`: what a ligand does with its surroundings, with the geometry of each.

use std::collections::HashSet;
use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use kfold_molecule::analysis::interactions::{Geometry, Interaction, InteractionKind, find, find_within};
use kfold_molecule::{Model, Selection, SmallMolecule, Structure, formats};
use serde::Serialize;

use super::common::write_text;
use super::ligand::{ligands_of, molecule_of};
use super::table::aligned;
use super::{Outcome, standard_output, terminal};

/// How the interactions are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Columns for people
    Table,
    /// Comma-separated values
    Csv,
    /// JSON
    Json,
}

/// Finds hydrogen bonds, salt bridges, stacking and the other kinds between ligands and what surrounds them.
#[derive(Debug, Args)]
pub(super) struct Interactions {
    /// The complex, or the receptor of --pose: PDB, mmCIF or BinaryCIF, plain or .gz
    structure: PathBuf,
    /// The ligands in the structure, a residue each (docs/selections.md)
    #[arg(long, value_name = "SELECTION", default_value = "ligand", conflicts_with = "pose")]
    ligand: Selection,
    /// The ligand's chemistry, where the component dictionary does not know it: a SMILES or a file
    #[arg(long, value_name = "SMILES_OR_FILE", conflicts_with = "pose")]
    smiles: Option<String>,
    /// Ligands in a file of their own, with 3D coordinates (SDF or MOL)
    #[arg(long, value_name = "POSES.sdf")]
    pose: Option<PathBuf>,
    /// Only interactions with these atoms of the structure
    #[arg(long, value_name = "SELECTION")]
    with: Option<Selection>,
    /// Interactions between two groups of atoms of the structure instead: --between 'chain A' 'chain B'
    #[arg(
        long,
        num_args = 2,
        value_names = ["FIRST", "SECOND"],
        conflicts_with_all = ["ligand", "smiles", "pose", "with"]
    )]
    between: Option<Vec<Selection>>,
    /// How to print them
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// Write them to a file instead
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// The same as --format json
    #[arg(long)]
    json: bool,
}

/// One interaction, with names for people.
#[derive(Debug, Serialize)]
struct Record {
    ligand: String,
    kind: InteractionKind,
    ligand_atoms: Vec<String>,
    residue: String,
    receptor_atoms: Vec<String>,
    distance_angstrom: f32,
    #[serde(skip_serializing_if = "Option::is_none")]
    angle_degrees: Option<f32>,
    ligand_point: [f32; 3],
    receptor_point: [f32; 3],
    geometry: Geometry,
}

/// A ligand and the model without it.
struct Case {
    name: String,
    molecule: SmallMolecule,
    receptor: Model,
}

impl Interactions {
    pub(super) fn run(&self) -> anyhow::Result<Outcome> {
        let structure = formats::read_structure(&self.structure)?;
        if let Some([first, second]) = self.between.as_deref() {
            let model = structure.first().with_context(|| format!("{} has no atoms", self.structure.display()))?;
            self.print(&between(model, first, second)?)?;
            return Ok(Outcome::Done);
        }
        let (cases, failed) = match &self.pose {
            Some(poses) => (self.posed(poses, &structure)?, Vec::new()),
            None => self.bound(&structure)?,
        };
        let mut records = Vec::new();
        for case in &cases {
            let conformer = case.molecule.conformers.first();
            let pose = conformer.with_context(|| format!("{} has no 3D coordinates", case.name))?;
            let wanted = self.with.as_ref().map(|selection| selection.select(&case.receptor));
            for found in find(&case.receptor, &case.molecule, pose)? {
                let is_wanted = wanted
                    .as_ref()
                    .is_none_or(|wanted| found.receptor_atoms.iter().any(|atom| wanted.contains(*atom as usize)));
                if !is_wanted {
                    continue;
                }
                let names = case.molecule.atom_names();
                let ligand_name = |atom: u32| names.get(atom as usize).map(ToString::to_string).unwrap_or_default();
                records.push(record(case.name.clone(), found, ligand_name, &case.receptor));
            }
        }
        self.print(&records)?;
        for reason in &failed {
            terminal::say(&format!("left out: {reason}"));
        }
        Ok(if failed.is_empty() { Outcome::Done } else { Outcome::Incomplete })
    }

    fn print(&self, records: &[Record]) -> anyhow::Result<()> {
        let text = match (self.json, self.format) {
            (true, _) | (_, Format::Json) => format!("{}\n", serde_json::to_string_pretty(records)?),
            (_, Format::Csv) => csv(records)?,
            (_, Format::Table) => table(records)?,
        };
        match &self.output {
            Some(path) => {
                write_text(path, &text)?;
                standard_output::line(&path.display().to_string())?;
            }
            None => standard_output::write(&text)?,
        }
        Ok(())
    }

    /// Ligands of the structure itself; and those that could not be understood.
    fn bound(&self, structure: &Structure) -> anyhow::Result<(Vec<Case>, Vec<String>)> {
        let model = structure.first().with_context(|| format!("{} has no atoms", self.structure.display()))?;
        let atoms = self.ligand.select(model);
        if atoms.is_empty() {
            bail!(
                "{} has no atom that `{}` selects; name the ligand by --ligand",
                self.structure.display(),
                self.ligand
            );
        }
        let template = self.smiles.as_deref().map(molecule_of).transpose()?;
        let (mut cases, mut failed) = (Vec::new(), Vec::new());
        for found in ligands_of(model, &atoms, template.as_ref()) {
            match found {
                Ok(found) => {
                    let receptor = without_residue(model, found.residue);
                    cases.push(Case { name: found.name, molecule: found.molecule, receptor });
                }
                Err(error) => failed.push(format!("{error:#}")),
            }
        }
        Ok((cases, failed))
    }

    /// Ligands of a file, and the structure as it is.
    fn posed(&self, poses: &std::path::Path, structure: &Structure) -> anyhow::Result<Vec<Case>> {
        let model = structure.first().with_context(|| format!("{} has no atoms", self.structure.display()))?;
        let molecules = formats::read_small_molecules(poses)?;
        let mut seen = HashSet::new();
        let case = |(index, molecule): (usize, SmallMolecule)| {
            let name = if seen.insert(molecule.name.clone()) {
                molecule.name.clone()
            } else {
                format!("{} ({})", molecule.name, index + 1)
            };
            Case { name, molecule, receptor: model.clone() }
        };
        Ok(molecules.into_iter().enumerate().map(case).collect())
    }
}

fn record(ligand: String, found: Interaction, ligand_name: impl Fn(u32) -> String, receptor: &Model) -> Record {
    let receptor_name = |atom: &u32| receptor.topology.atoms[*atom as usize].name.to_string();
    Record {
        ligand,
        kind: found.kind,
        ligand_atoms: found.ligand_atoms.iter().map(|&atom| ligand_name(atom)).collect(),
        residue: found.residue,
        receptor_atoms: found.receptor_atoms.iter().map(receptor_name).collect(),
        distance_angstrom: found.distance,
        angle_degrees: found.angle.map(f32::to_degrees),
        ligand_point: found.points[0].to_array(),
        receptor_point: found.points[1].to_array(),
        geometry: found.geometry,
    }
}

/// Interactions between two selections of one model; the first one's residue stands where the ligand's name does.
fn between(model: &Model, first: &Selection, second: &Selection) -> anyhow::Result<Vec<Record>> {
    let atoms = |selection: &Selection| -> anyhow::Result<Vec<u32>> {
        let chosen: Vec<u32> = selection.select(model).iter().map(|atom| atom as u32).collect();
        if chosen.is_empty() {
            bail!("no atom that `{selection}` selects");
        }
        Ok(chosen)
    };
    let name = |atom: u32| model.topology.atoms[atom as usize].name.to_string();
    Ok(find_within(model, &atoms(first)?, &atoms(second)?)
        .into_iter()
        .map(|found| record(found.ligand_residue.clone(), found, name, model))
        .collect())
}

/// The model without one residue.
pub(super) fn without_residue(model: &Model, residue: usize) -> Model {
    let range = model.topology.atom_range(&model.topology.residues[residue]);
    let kept = (0..model.positions.len()).filter(|atom| !range.contains(atom));
    let atoms = kfold_molecule::AtomSet::from_indices(model.positions.len(), kept);
    kfold_molecule::selection::subset_of(model, &atoms)
}

fn kind_text(kind: InteractionKind) -> anyhow::Result<String> {
    Ok(serde_json::to_value(kind)?.as_str().unwrap_or_default().to_owned())
}

const HEADER: [&str; 7] =
    ["ligand", "kind", "ligand_atoms", "residue", "receptor_atoms", "distance_angstrom", "angle_degrees"];

fn row(record: &Record) -> anyhow::Result<[String; 7]> {
    Ok([
        record.ligand.clone(),
        kind_text(record.kind)?,
        record.ligand_atoms.join(" "),
        record.residue.clone(),
        record.receptor_atoms.join(" "),
        format!("{:.2}", record.distance_angstrom),
        record.angle_degrees.map_or_else(String::new, |angle| format!("{angle:.0}")),
    ])
}

fn csv(records: &[Record]) -> anyhow::Result<String> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(HEADER)?;
    for record in records {
        writer.write_record(row(record)?)?;
    }
    Ok(String::from_utf8(writer.into_inner()?)?)
}

fn table(records: &[Record]) -> anyhow::Result<String> {
    let header = ["ligand", "kind", "its atoms", "residue", "atoms", "Å", "°"].map(str::to_owned).to_vec();
    let rows = records.iter().map(|record| row(record).map(|row| row.to_vec()));
    let lines: Vec<Vec<String>> = std::iter::once(Ok(header)).chain(rows).collect::<anyhow::Result<_>>()?;
    Ok(aligned(&lines))
}
