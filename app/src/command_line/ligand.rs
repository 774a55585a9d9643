//! Ligands of a structure as molecules, for several subcommands.

use std::path::Path;

use anyhow::{Context, bail};
use kfold_molecule::chemistry::{molecule_with_template, smiles};
use kfold_molecule::ligands::ligand_of_residue;
use kfold_molecule::{AtomSet, Model, SmallMolecule, formats};

/// A ligand taken out of a structure.
pub(super) struct FoundLigand {
    /// Chain, name and number.
    pub name: String,
    /// Index of its residue.
    pub residue: usize,
    /// Heavy atoms with their names, bond orders and positions.
    pub molecule: SmallMolecule,
}

/// Each residue with a selected atom as a molecule, with the bonds of the template or else of the component dictionary.
pub(super) fn ligands_of(
    model: &Model,
    atoms: &AtomSet,
    template: Option<&SmallMolecule>,
) -> Vec<anyhow::Result<FoundLigand>> {
    atoms.residues(&model.topology).into_iter().map(|residue| ligand_of(model, residue as usize, template)).collect()
}

fn ligand_of(model: &Model, residue: usize, template: Option<&SmallMolecule>) -> anyhow::Result<FoundLigand> {
    let held = &model.topology.residues[residue];
    let name = format!("{} {} {}", model.topology.chain_of(held).id, held.name, held.number_text()).trim().to_owned();
    let mut molecule = match template {
        Some(template) => molecule_with_template(model, residue, template)?,
        None => {
            let found = ligand_of_residue(model, residue as u32)?;
            if !found.is_known {
                bail!("{name}: the component dictionary does not know {}; give its SMILES", held.name);
            }
            found.molecule
        }
    };
    molecule.name.clone_from(&name);
    Ok(FoundLigand { name, residue, molecule })
}

/// A molecule by its SMILES, or the first one of a file.
pub(super) fn molecule_of(text: &str) -> anyhow::Result<SmallMolecule> {
    let path = Path::new(text);
    if !path.is_file() {
        return smiles::parse(text).with_context(|| format!("{text} is neither a file nor a SMILES"));
    }
    let molecules = formats::read_small_molecules(path)?;
    molecules.into_iter().next().with_context(|| format!("{text} holds no molecule"))
}
