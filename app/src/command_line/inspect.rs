//! `inspect FILE`: what a molecule file holds, in numbers that another program can check.

use std::path::PathBuf;

use clap::Args;
use kfold_molecule::assemblies::Assembly;
use kfold_molecule::{SmallMolecule, Structure, formats};
use serde::Serialize;

use super::{Outcome, standard_output, terminal};

/// Says what a molecule file holds.
#[derive(Debug, Args)]
pub(super) struct Inspect {
    /// A structure (PDB, mmCIF) or small molecules (SDF, MOL), plain or .gz
    file: PathBuf,
    /// JSON on standard output
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Serialize)]
struct Content {
    file: String,
    name: String,
    /// Models of a structure, records of a small-molecule file.
    models: usize,
    /// Of the first model; of a small-molecule file one for each record.
    chains: Vec<ChainContent>,
    /// Over all models, as are the sums of the coordinates in Å.
    atoms: usize,
    sum_x: f64,
    sum_y: f64,
    sum_z: f64,
    /// Biological assemblies that the file describes; `convert --assembly` makes them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    assemblies: Vec<AssemblyContent>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<String>,
}

#[derive(Debug, Serialize)]
struct AssemblyContent {
    id: String,
    details: String,
    operators: usize,
}

#[derive(Debug, Serialize)]
struct ChainContent {
    id: String,
    residues: usize,
    atoms: usize,
}

impl Inspect {
    pub(super) fn run(&self) -> anyhow::Result<Outcome> {
        let content = self.content()?;
        if self.json {
            standard_output::json(&content)?;
        } else {
            standard_output::write(&text(&content))?;
        }
        for error in &content.errors {
            terminal::say(&format!("error: {}: {error}", self.file.display()));
        }
        Ok(if content.errors.is_empty() { Outcome::Done } else { Outcome::Incomplete })
    }

    fn content(&self) -> anyhow::Result<Content> {
        let structure_error = match formats::read_structure(&self.file) {
            Ok(structure) => return Ok(self.with_assemblies(structure_content(self, &structure))),
            Err(error) => error,
        };
        if matches!(structure_error, formats::FormatError::NotRecognised { .. }) {
            let found = formats::read_small_molecule_records(&self.file)?;
            let errors = found.errors.iter().map(ToString::to_string).collect();
            return Ok(molecules_content(self, &found.molecules, errors));
        }
        Err(structure_error.into())
    }

    fn with_assemblies(&self, mut content: Content) -> Content {
        match formats::read_assemblies(&self.file) {
            Ok(found) => {
                let of = |assembly: Assembly| AssemblyContent {
                    operators: assembly.parts.len(),
                    id: assembly.id,
                    details: assembly.details,
                };
                content.assemblies = found.into_iter().map(of).collect();
            }
            // What the file holds is known all the same.
            Err(error) => terminal::say(&format!("assemblies left out: {error}")),
        }
        content
    }
}

fn structure_content(inspect: &Inspect, structure: &Structure) -> Content {
    let chains = structure.first().map_or_else(Vec::new, |model| {
        let topology = &model.topology;
        let content = |chain: &kfold_molecule::Chain| {
            let residues = &topology.residues[chain.residues.start as usize..chain.residues.end as usize];
            ChainContent {
                id: chain.id.to_string(),
                residues: residues.len(),
                atoms: residues.iter().map(|residue| residue.atoms.len()).sum(),
            }
        };
        topology.chains.iter().map(content).collect()
    });
    let [sum_x, sum_y, sum_z] = sums(structure.models.iter().flat_map(|model| &model.positions));
    Content {
        file: inspect.file.display().to_string(),
        name: structure.name.clone(),
        models: structure.models.len(),
        chains,
        atoms: structure.atom_count(),
        sum_x,
        sum_y,
        sum_z,
        assemblies: Vec::new(),
        errors: Vec::new(),
    }
}

fn molecules_content(inspect: &Inspect, molecules: &[SmallMolecule], errors: Vec<String>) -> Content {
    let content =
        |molecule: &SmallMolecule| ChainContent { id: molecule.name.clone(), residues: 1, atoms: molecule.atoms.len() };
    let [sum_x, sum_y, sum_z] = sums(molecules.iter().filter_map(|molecule| molecule.conformers.first()).flatten());
    Content {
        file: inspect.file.display().to_string(),
        name: molecules.first().map(|molecule| molecule.name.clone()).unwrap_or_default(),
        models: molecules.len(),
        chains: molecules.iter().map(content).collect(),
        atoms: molecules.iter().map(|molecule| molecule.atoms.len()).sum(),
        sum_x,
        sum_y,
        sum_z,
        assemblies: Vec::new(),
        errors,
    }
}

fn sums<'a>(positions: impl Iterator<Item = &'a glam::Vec3>) -> [f64; 3] {
    positions.fold([0.0; 3], |sum, position| {
        [sum[0] + f64::from(position.x), sum[1] + f64::from(position.y), sum[2] + f64::from(position.z)]
    })
}

fn text(content: &Content) -> String {
    let mut text = format!("{}\n{} models, {} atoms\n", content.name, content.models, content.atoms);
    for chain in &content.chains {
        text.push_str(&format!("chain {}: {} residues, {} atoms\n", chain.id, chain.residues, chain.atoms));
    }
    for assembly in &content.assemblies {
        let details = if assembly.details.is_empty() { "not described" } else { &assembly.details };
        text.push_str(&format!("assembly {}: {details}, {} operators\n", assembly.id, assembly.operators));
    }
    text
}
