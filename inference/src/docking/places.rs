//! Where a query's ligands are to be sought: the structure, the boxes, and what stands in their way.

use std::path::Path;

use glam::Vec3;
use kfold_molecule::analysis::pockets::{Pocket as Cavity, pockets};
use kfold_molecule::formats::{read_small_molecule_records, read_structure};
use kfold_molecule::{Element, Model, ResidueKind, SmallMolecule, Structure};

use super::engine::unsupported;
use super::pocket::SearchBox;
use crate::engine::EngineError;
use crate::query::{Entity, Pocket, Query};

/// Å within which an atom of a reference ligand marks a residue of the receptor's file as that ligand.
const SAME_PLACE: f32 = 1.0;

/// Å around the centres of a cavity's spheres that are searched.
const CAVITY_PADDING: f32 = 6.0;

/// Where to search.
pub(super) struct Places {
    /// Boxes, best first.
    pub boxes: Vec<SearchBox>,
    /// Whether they are cavities that the program found itself.
    pub are_found: bool,
    /// The reference ligand, when the pocket is given by one.
    pub reference: Option<SmallMolecule>,
    /// Residues, by index, that stand where the ligand goes.
    pub occupants: Vec<usize>,
}

impl Places {
    /// The boxes of a query; where it names no pocket, those of the `count` best cavities.
    pub fn of(query: &Query, model: &Model, count: u32) -> Result<Self, EngineError> {
        let Some(pocket) = &query.pocket else { return Self::found(model, count) };
        let (search_box, reference) = given(pocket, model)?;
        let occupants = occupants(pocket, model, reference.as_ref());
        Ok(Self { boxes: vec![search_box], are_found: false, reference, occupants })
    }

    fn found(model: &Model, count: u32) -> Result<Self, EngineError> {
        let cavities: Vec<Cavity> = pockets(model).into_iter().take(count.max(1) as usize).collect();
        if cavities.is_empty() {
            return Err(EngineError::Input(
                "no pocket was found in the structure: it has no cleft that a small molecule could fill; say where the ligand \
                 goes by residues, by centre and size, or by a reference ligand"
                    .to_owned(),
            ));
        }
        let boxes = cavities
            .iter()
            .map(|cavity| SearchBox::around(cavity.spheres.iter().map(|sphere| sphere.center), CAVITY_PADDING))
            .collect::<Result<_, _>>()
            .map_err(|error| EngineError::Input(error.to_string()))?;
        let occupants = small_residues(model)
            .filter(|&residue| {
                let heavy = heavy_atoms(model, residue);
                let inside = |&&atom: &&usize| cavities.iter().any(|cavity| cavity.contains(model.positions[atom]));
                // A cofactor or a buffer molecule at the rim stays.
                2 * heavy.iter().filter(inside).count() > heavy.len()
            })
            .collect();
        Ok(Self { boxes, are_found: true, reference: None, occupants })
    }
}

/// The receptor's structure: the query's own, else the first `apo` of the only protein.
pub(super) fn structure(query: &Query) -> Result<Structure, EngineError> {
    let path = match &query.structure {
        Some(path) => path,
        None => {
            let mut apos = query.sequences.iter().filter_map(|entity| match entity {
                Entity::Protein(protein) => Some(protein.apo.first()),
                Entity::ProteinPair(pair) => Some(pair.apo.first()),
                _ => None,
            });
            match (apos.next(), apos.next()) {
                (Some(Some(path)), None) => path,
                _ => {
                    return Err(unsupported(
                        "it names no structure of the receptor; docking needs one: add `structure: FILE.pdb`, or an `apo` \
                         to the only protein",
                    ));
                }
            }
        }
    };
    read_structure(path).map_err(|error| EngineError::Input(error.to_string()))
}

/// The box, and the reference ligand when the pocket is given by one.
fn given(pocket: &Pocket, model: &Model) -> Result<(SearchBox, Option<SmallMolecule>), EngineError> {
    let input = |error: &dyn std::fmt::Display| EngineError::Input(error.to_string());
    match pocket {
        Pocket::Box { center, size } => {
            let search_box = SearchBox { center: Vec3::from_array(*center), size: Vec3::from_array(*size) };
            Ok((search_box.checked().map_err(|error| input(&error))?, None))
        }
        Pocket::Residues { residues, padding } => {
            let search_box = SearchBox::around_residues(model, residues, *padding).map_err(|error| input(&error))?;
            Ok((search_box, None))
        }
        Pocket::Ligand { file, padding } => {
            let reference = reference_ligand(file)?;
            let search_box = SearchBox::around(heavy_positions(&reference), *padding)
                .map_err(|error| EngineError::Input(format!("{}: {error}", file.display())))?;
            Ok((search_box, Some(reference)))
        }
    }
}

/// A ligand with coordinates from an SDF or MOL file, or the heavy atoms of a PDB or mmCIF file.
fn reference_ligand(file: &Path) -> Result<SmallMolecule, EngineError> {
    let as_ligand = read_small_molecule_records(file);
    if let Ok(records) = &as_ligand
        && let Some(molecule) = records.molecules.iter().find(|molecule| !molecule.conformers.is_empty())
    {
        return Ok(molecule.clone());
    }
    if let Ok(structure) = read_structure(file)
        && let Some(model) = structure.first()
    {
        let topology = &*model.topology;
        let atoms: Vec<usize> = (0..topology.atoms.len())
            .filter(|&atom| topology.is_primary_location(atom) && topology.residue_of(atom).kind != ResidueKind::Water)
            .collect();
        return Ok(SmallMolecule {
            name: structure.name.clone(),
            atoms: atoms
                .iter()
                .map(|&atom| kfold_molecule::SmallMoleculeAtom {
                    element: topology.atoms[atom].element,
                    formal_charge: topology.atoms[atom].formal_charge,
                    isotope: None,
                    fixed_hydrogens: None,
                    name: topology.atoms[atom].name.clone(),
                })
                .collect(),
            conformers: vec![atoms.iter().map(|&atom| model.positions[atom]).collect()],
            ..SmallMolecule::default()
        });
    }
    Err(EngineError::Input(match as_ligand {
        Err(error) => error.to_string(),
        Ok(_) => format!("{}: no ligand with 3D coordinates for the pocket", file.display()),
    }))
}

fn heavy_positions(molecule: &SmallMolecule) -> impl Iterator<Item = Vec3> {
    let positions = molecule.conformers.first().map(Vec::as_slice).unwrap_or_default();
    molecule.atoms.iter().zip(positions).filter(|(atom, _)| atom.element != Element::H).map(|(_, &position)| position)
}

/// Residues of the receptor's file that stand where the ligand is to go: the reference ligand's own copy, or the one
/// ligand that names the pocket.
fn occupants(pocket: &Pocket, model: &Model, reference: Option<&SmallMolecule>) -> Vec<usize> {
    let topology = &*model.topology;
    if let Pocket::Residues { residues, .. } = pocket
        && let [only] = &residues[..]
    {
        let named = |residue: &usize| {
            let residue = &topology.residues[*residue];
            format!("{}:{}", topology.chain_of(residue).id, residue.number_text()) == only.trim()
        };
        return small_residues(model).filter(named).collect();
    }
    let Some(reference) = reference else { return Vec::new() };
    let places: Vec<Vec3> = heavy_positions(reference).collect();
    small_residues(model)
        .filter(|&residue| {
            let heavy = heavy_atoms(model, residue);
            let is_shared =
                |&&atom: &&usize| places.iter().any(|place| place.distance(model.positions[atom]) < SAME_PLACE);
            2 * heavy.iter().filter(is_shared).count() > heavy.len()
        })
        .collect()
}

fn small_residues(model: &Model) -> impl Iterator<Item = usize> {
    let residues = model.topology.residues.iter().enumerate();
    residues
        .filter(|(_, residue)| matches!(residue.kind, ResidueKind::Ligand | ResidueKind::Carbohydrate))
        .map(|(index, _)| index)
}

fn heavy_atoms(model: &Model, residue: usize) -> Vec<usize> {
    let topology = &*model.topology;
    topology.atoms_of(&topology.residues[residue]).filter(|&atom| topology.atoms[atom].element != Element::H).collect()
}
