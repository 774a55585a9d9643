//! `convert INPUT -o OUTPUT`: from one file format to another, whole or in part.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;
use kfold_inference::query::QueryFormat;
use kfold_molecule::assemblies::{self, ChainNames};
use kfold_molecule::chemistry::{add_hydrogens, canonical_smiles};
use kfold_molecule::formats::{self, FormatError};
use kfold_molecule::residues::one_letter_code;
use kfold_molecule::{Selection, SmallMolecule, Structure, hydrogens};
use serde::Serialize;

use super::common::{one_query, structure_text, write_text};
use super::ligand::ligands_of;
use super::{Outcome, standard_output, terminal};

/// Characters of a line of FASTA.
const FASTA_LINE: usize = 60;

/// Converts a molecule file. The format follows the name of OUTPUT: .pdb, .cif (structures and molecules with 3D
/// coordinates), .fasta (the sequences of a structure), .sdf, .smi (small molecules, or the ligands of a structure), .yaml, .json
/// (a query of Boltz, AlphaFold 3, AlphaFold Server or FASTA as one of K-Fold).
#[derive(Debug, Args)]
pub(super) struct Convert {
    /// A structure (PDB, mmCIF, BinaryCIF), small molecules (SDF, MOL, SMILES list) or sequences (FASTA), plain or .gz; or a query
    input: PathBuf,
    /// The file to write
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// The biological assembly of this name (usually a number from 1) instead of what the file has; copies of chain A are
    /// named, in PDB files by one or two letters
    #[arg(long, value_name = "ID")]
    assembly: Option<String>,
    /// Only these atoms of a structure (of the assembly, if there is one), e.g. "chain A and not water" or "/A:10-20" (docs/selections.md)
    #[arg(long, value_name = "SELECTION")]
    select: Option<Selection>,
    /// Only this model of a structure, by its number in the file; of small molecules this record, of a list of queries this
    /// job, from 1
    #[arg(long, value_name = "N")]
    model: Option<i32>,
    /// Add hydrogens, to structures protonated as at pH 7.4
    #[arg(long)]
    hydrogens: bool,
    /// What was written, as JSON on standard output
    #[arg(long)]
    json: bool,
}

/// What was written.
#[derive(Debug, Default, Serialize)]
struct Written {
    file: String,
    /// Models of a structure, records of small molecules, sequences, or chains of a query.
    records: usize,
    atoms: usize,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    left_out: Vec<String>,
}

impl Convert {
    pub(super) fn run(&self) -> anyhow::Result<Outcome> {
        if let Some(format) = QueryFormat::of(&self.output) {
            return self.query(format);
        }
        let (text, mut written) = match formats::read_structure(&self.input) {
            Ok(structure) => self.structure(structure)?,
            Err(FormatError::NotRecognised { .. }) => self.molecules()?,
            Err(error) => return Err(error.into()),
        };
        write_text(&self.output, &text)?;
        written.file = self.output.display().to_string();
        self.report(&written)
    }

    fn report(&self, written: &Written) -> anyhow::Result<Outcome> {
        for reason in &written.left_out {
            terminal::say(&format!("left out: {reason}"));
        }
        if self.json {
            standard_output::json(written)?;
        } else {
            standard_output::line(&written.file)?;
        }
        Ok(if written.left_out.is_empty() { Outcome::Done } else { Outcome::Incomplete })
    }

    /// A query of another program as one of ours.
    fn query(&self, format: QueryFormat) -> anyhow::Result<Outcome> {
        if self.assembly.is_some() || self.select.is_some() || self.hydrogens {
            bail!("--assembly, --select and --hydrogens are for structures; a query has none of them");
        }
        let mut imported = one_query(&self.input, self.model)?;
        if !imported.seeds.is_empty() {
            let seeds: Vec<String> = imported.seeds.iter().map(u64::to_string).collect();
            imported.left_out.push(format!("seeds: a query holds none; predict with --seeds {}", seeds.join(",")));
        }
        let folder = std::path::absolute(&self.output)?;
        write_text(&self.output, &imported.query.to_text(format, folder.parent())?)?;
        let written = Written {
            file: self.output.display().to_string(),
            records: imported.query.sequences.iter().map(|entity| entity.chains().len()).sum(),
            atoms: 0,
            left_out: imported.left_out,
        };
        self.report(&written)
    }

    fn extension(&self) -> String {
        let extension = self.output.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
        extension.to_ascii_lowercase()
    }

    fn structure(&self, mut structure: Structure) -> anyhow::Result<(String, Written)> {
        let input = self.input.display();
        if let Some(number) = self.model {
            structure.models.retain(|model| model.number == number);
            if structure.models.is_empty() {
                bail!("{input} has no model {number}; inspect tells which it has");
            }
        }
        if let Some(id) = &self.assembly {
            let assemblies = formats::read_assemblies(&self.input)?;
            let assembly = assemblies::find(&assemblies, id).with_context(|| input.to_string())?;
            let names = match self.extension().as_str() {
                "pdb" | "ent" => ChainNames::Short,
                _ => ChainNames::Numbered,
            };
            structure = assembly.build(&structure, names).with_context(|| input.to_string())?;
        }
        if let Some(selection) = &self.select {
            structure = selection.subset(&structure);
            if structure.models.is_empty() {
                bail!("no atom of {input} is selected by `{selection}`");
            }
        }
        let atoms = structure.atom_count();
        let records = structure.models.len();
        match self.extension().as_str() {
            "pdb" | "ent" | "cif" | "mmcif" => {
                let mut left_out = Vec::new();
                if self.hydrogens {
                    let made = hydrogens::add(&structure, &hydrogens::Options::default())?;
                    if !made.flips.is_empty() {
                        terminal::say(&format!(
                            "{} side chains of asparagine, glutamine or histidine would fit better turned round; left as they are",
                            made.flips.len()
                        ));
                    }
                    structure = made.structure;
                    left_out = made.left_out;
                }
                let text = structure_text(&self.output, &structure)?;
                Ok((text, Written { records, atoms: structure.atom_count(), left_out, ..Written::default() }))
            }
            "fasta" | "fa" => {
                let (text, records) = sequences(&structure);
                if records == 0 {
                    bail!("{input} has no protein or nucleic acid in what is selected");
                }
                Ok((text, Written { records, atoms, ..Written::default() }))
            }
            "sdf" | "sd" | "smi" | "smiles" => {
                let model = structure.first().with_context(|| format!("{input} has no atoms"))?;
                let selection = Selection::parse("ligand")?;
                let (mut molecules, mut left_out) = (Vec::new(), Vec::new());
                for ligand in ligands_of(model, &selection.select(model), None) {
                    match ligand {
                        Ok(ligand) => molecules.push(ligand.molecule),
                        Err(error) => left_out.push(error.to_string()),
                    }
                }
                if molecules.is_empty() {
                    match left_out.first() {
                        Some(reason) => bail!("{reason}"),
                        None => bail!("there is no ligand in what is selected of {input}"),
                    }
                }
                self.molecule_text(molecules, left_out)
            }
            other => bail!("cannot write .{other}; a structure can become .pdb, .cif, .fasta, .sdf or .smi"),
        }
    }

    fn molecules(&self) -> anyhow::Result<(String, Written)> {
        if self.assembly.is_some() {
            bail!("--assembly is for structures; small molecules have none");
        }
        if self.select.is_some() {
            bail!("--select is for structures; choose a record of small molecules by --model N");
        }
        let found = formats::read_small_molecule_records(&self.input)?;
        let left_out: Vec<String> =
            found.errors.iter().map(|error| format!("{}, {error}", self.input.display())).collect();
        let mut molecules = found.molecules;
        if let Some(record) = self.model {
            let count = molecules.len();
            let index =
                usize::try_from(record).ok().and_then(|record| record.checked_sub(1)).filter(|index| *index < count);
            let Some(index) = index else {
                bail!("{} has no record {record}; it has {count}", self.input.display());
            };
            molecules = vec![molecules.swap_remove(index)];
        }
        self.molecule_text(molecules, left_out)
    }

    fn molecule_text(
        &self,
        mut molecules: Vec<SmallMolecule>,
        left_out: Vec<String>,
    ) -> anyhow::Result<(String, Written)> {
        if self.hydrogens {
            molecules = molecules.iter().map(add_hydrogens).collect::<Result<Vec<_>, _>>()?;
        }
        let atoms = molecules.iter().map(|molecule| molecule.atoms.len()).sum();
        let records = molecules.len();
        let text = match self.extension().as_str() {
            "sdf" | "sd" | "mol" => formats::sdf::write(&molecules),
            "smi" | "smiles" => smiles_list(&molecules)?,
            "pdb" | "ent" | "cif" | "mmcif" => {
                let [molecule] = molecules.as_slice() else {
                    bail!("a structure file holds one molecule and this has {records}; choose one by --model N");
                };
                if molecule.conformers.is_empty() {
                    bail!("{} has no 3D coordinates", name_of(molecule, &self.input));
                }
                structure_text(&self.output, &molecule.to_structure("A", "LIG"))?
            }
            other => bail!("cannot write .{other}; small molecules can become .sdf, .smi, .pdb or .cif"),
        };
        Ok((text, Written { records, atoms, left_out, ..Written::default() }))
    }
}

fn name_of(molecule: &SmallMolecule, path: &Path) -> String {
    if molecule.name.is_empty() { path.display().to_string() } else { molecule.name.clone() }
}

fn smiles_list(molecules: &[SmallMolecule]) -> anyhow::Result<String> {
    let mut text = String::new();
    for molecule in molecules {
        let name: String = molecule.name.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
        text.push_str(&canonical_smiles(molecule)?);
        if !name.trim().is_empty() {
            text.push(' ');
            text.push_str(name.trim());
        }
        text.push('\n');
    }
    Ok(text)
}

/// The sequences of the first model's chains as they are in the coordinates, and how many.
fn sequences(structure: &Structure) -> (String, usize) {
    let Some(model) = structure.first() else { return (String::new(), 0) };
    let (mut text, mut count) = (String::new(), 0);
    for chain in &model.topology.chains {
        let residues = &model.topology.residues[chain.residues.start as usize..chain.residues.end as usize];
        let letters: Vec<char> = residues
            .iter()
            .filter(|residue| residue.is_polymer())
            .map(|residue| one_letter_code(&residue.name))
            .collect();
        if letters.is_empty() {
            continue;
        }
        count += 1;
        text.push_str(&format!(">{}_{}\n", structure.name.replace(char::is_whitespace, "_"), chain.id));
        for line in letters.chunks(FASTA_LINE) {
            text.extend(line);
            text.push('\n');
        }
    }
    (text, count)
}
