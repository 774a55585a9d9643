//! From what a query says of a ligand to a molecule with hydrogens and conformers.

use kfold_molecule::chemistry::{ChemistryError, add_hydrogens, embed, embed_smiles, perceive};
use kfold_molecule::formats::read_small_molecule_records;
use kfold_molecule::{SmallMolecule, components};

use super::engine::unsupported;
use crate::engine::{EngineError, Events};
use crate::query::{Entity, LigandSource, Query};

/// Conformers made of a ligand with flexible rings.
const RING_CONFORMERS: usize = 10;

/// Conformers made of a macrocycle: its ring has no torsions of the search.
const MACROCYCLE_CONFORMERS: usize = 20;

/// Atoms of a ring from which on it counts as a macrocycle.
const MACROCYCLE: usize = 9;

/// A ligand of the query.
pub(super) struct LigandInput<'a> {
    pub name: String,
    pub source: &'a LigandSource,
    pub measured_pk: Option<f32>,
}

/// The ligands in order: those of the sequences, then the series.
pub(super) fn ligands(query: &Query) -> Result<Vec<LigandInput<'_>>, EngineError> {
    if !query.bonds.is_empty() {
        return Err(unsupported(
            "it has covalent bonds between entities, and docking only places ligands that are not bonded; remove `bonds` or \
             use another engine",
        ));
    }
    let mut ligands = Vec::new();
    for entity in &query.sequences {
        if let Entity::Ligand(ligand) = entity {
            let name = ligand.ids.first().cloned().unwrap_or_default();
            ligands.push(LigandInput { name, source: &ligand.source, measured_pk: None });
        }
    }
    ligands.extend(query.series.iter().map(|ligand| LigandInput {
        name: ligand.name.clone(),
        source: &ligand.source,
        measured_pk: ligand.measured_pk,
    }));
    if ligands.is_empty() {
        return Err(unsupported("it has no ligand; add one to `sequences` (smiles or sdf) or give a `series`"));
    }
    Ok(ligands)
}

/// A ligand with hydrogens and conformers, and what the user should know about it.
pub(super) fn prepare(
    input: &LigandInput<'_>,
    seed: u64,
    events: &dyn Events,
) -> Result<(SmallMolecule, Vec<String>), EngineError> {
    let failed = |error: &dyn std::fmt::Display| EngineError::Input(format!("ligand {}: {error}", input.name));
    let chemistry = |error: ChemistryError| match error {
        ChemistryError::Cancelled => EngineError::Cancelled,
        other => failed(&other),
    };
    let is_cancelled = || events.is_cancelled();
    let (mut molecule, notes) = match input.source {
        LigandSource::Ccd(codes) => component(input, codes, seed, &is_cancelled)?,
        LigandSource::Smiles(smiles) => {
            let one = embed_smiles(smiles, seed, 1, &is_cancelled).map_err(chemistry)?;
            let notes = one.notes();
            let embedding = match conformer_count(&one.molecule) {
                1 => one,
                count => embed(&one.molecule, seed, count, &is_cancelled).map_err(chemistry)?,
            };
            (embedding.molecule, notes)
        }
        LigandSource::Sdf { file, record } => {
            let records = read_small_molecule_records(file).map_err(|error| failed(&error))?;
            let count = records.molecules.len();
            let molecule = records
                .molecules
                .into_iter()
                .nth(record.saturating_sub(1) as usize)
                .ok_or_else(|| failed(&format!("{} has {count} readable records, not {record}", file.display())))?;
            if molecule.conformers.is_empty() {
                let embedding = embed(&molecule, seed, conformer_count(&molecule), &is_cancelled).map_err(chemistry)?;
                let notes = embedding.notes();
                (embedding.molecule, notes)
            } else {
                let mut complete = add_hydrogens(&molecule).map_err(chemistry)?;
                let count = conformer_count(&complete);
                if count > 1
                    && let Ok(further) = embed(&complete, seed, count, &is_cancelled)
                    && further.molecule.atoms.len() == complete.atoms.len()
                {
                    complete.conformers.extend(further.molecule.conformers);
                }
                (complete, Vec::new())
            }
        }
    };
    molecule.name = input.name.clone();
    Ok((molecule, notes))
}

/// A component of the dictionary, with conformers made as for a SMILES of the stereo that its ideal coordinates show. Where
/// none can be made, those coordinates serve.
fn component(
    input: &LigandInput<'_>,
    codes: &[String],
    seed: u64,
    is_cancelled: &dyn Fn() -> bool,
) -> Result<(SmallMolecule, Vec<String>), EngineError> {
    let failed = |error: &dyn std::fmt::Display| EngineError::Input(format!("ligand {}: {error}", input.name));
    let [code] = codes else {
        return Err(unsupported(format!(
            "its ligand {} is made of the components {}, and docking takes one molecule; give its SMILES or an SDF file",
            input.name,
            codes.join("-")
        )));
    };
    let known = components::molecule(code).map_err(|error| failed(&error))?;
    let mut notes = Vec::new();
    if let Ok(Some(entry)) = components::lookup(code)
        && let Some(newer) = &entry.replaced_by
    {
        notes.push(format!("the component {code} is obsolete; {newer} has taken its place"));
    }
    let molecule = match embed(&known, seed, conformer_count(&known), is_cancelled) {
        Ok(embedding) => {
            notes.extend(embedding.notes());
            embedding.molecule
        }
        Err(ChemistryError::Cancelled) => return Err(EngineError::Cancelled),
        Err(error) if known.conformers.is_empty() => return Err(failed(&error)),
        Err(_) => {
            notes.push("no conformer could be made; the dictionary's ideal coordinates are used".to_owned());
            add_hydrogens(&known).map_err(|error| failed(&error))?
        }
    };
    Ok((molecule, notes))
}

/// Conformers that show what the rings can do: one when none of them can pucker.
fn conformer_count(molecule: &SmallMolecule) -> usize {
    let Ok(perception) = perceive(molecule) else { return 1 };
    if perception.rings.iter().any(|ring| ring.len() >= MACROCYCLE) {
        MACROCYCLE_CONFORMERS
    } else if perception.aromatic_rings().count() < perception.rings.len() {
        RING_CONFORMERS
    } else {
        1
    }
}
