//! The engine over queries: reads the files a query names, prepares its ligands and docks them one by one.

use std::path::Path;
use std::sync::Arc;

use glam::Vec3;
use kfold_molecule::analysis::interactions::{LigandSites, ReceptorSites, find_between};
use kfold_molecule::analysis::ligand_rmsd::LigandRmsd;
use kfold_molecule::analysis::pose_checks::{LigandReference, ReceptorSpace, check_against};
use kfold_molecule::chemistry::{ChemistryError, Embedding, add_hydrogens, embed, embed_smiles, perceive};
use kfold_molecule::components;
use kfold_molecule::formats::{read_small_molecule_records, read_structure};
use kfold_molecule::{Element, Model, ResidueKind, SmallMolecule, Structure};

use super::pocket::SearchBox;
use super::poses::{DockedPose, dock_ligand};
use super::site::{Receptor, Site};
use crate::elastic_network::{self, EnsembleSettings};
use crate::engine::{
    Engine, EngineError, EngineName, Events, Prediction, Progress, Provenance, ReceptorEnsemble, Sample,
};
use crate::query::{Entity, LigandSource, Pocket, Query};
use crate::settings::Settings;

/// Conformers made of a ligand with flexible rings.
const RING_CONFORMERS: usize = 10;
/// Free conformers that the strain of a pose is measured against.
const STRAIN_CONFORMERS: usize = 4;

/// Å within which an atom of a reference ligand marks a residue of the receptor's file as that ligand.
const SAME_PLACE: f32 = 1.0;

/// The docking engine.
#[derive(Clone, Copy, Debug, Default)]
pub struct Docking;

impl Engine for Docking {
    fn name(&self) -> EngineName {
        EngineName::Docking
    }

    fn predict(&self, query: &Query, settings: &Settings, events: &mut dyn Events) -> Result<Prediction, EngineError> {
        let scoring = settings.docking.scoring;
        let has_ligand = query.ligands().next().is_some() || !query.series.is_empty();
        if settings.docking.ensemble_conformers > 0 && !has_ligand {
            // Nothing to dock: the protein's own motion is what is asked for.
            let receptor = Receptor::new(&structure(query)?, &[])?;
            let receptor_ensemble = Some(receptor_ensemble(&receptor, settings, events)?);
            return Ok(Prediction { receptor_ensemble, ..Prediction::default() });
        }
        let ligands = ligands(query)?;
        events.progress(Progress { stage: "prepare".to_owned(), step: 0, steps: 1, message: query.name.clone() });
        let structure = structure(query)?;
        let model = structure
            .first()
            .ok_or_else(|| EngineError::Input(format!("the structure {:?} has no atoms", structure.name)))?;
        if structure.models.len() > 1 {
            events.warning(&format!("the structure has {} models; docking uses the first", structure.models.len()));
        }
        let (search_box, reference) = pocket(query, model)?;
        let excluded = occupants(query, model, reference.as_ref());
        for &residue in &excluded {
            let residue = &model.topology.residues[residue];
            let chain = &model.topology.chain_of(residue).id;
            events.warning(&format!(
                "{chain} {} {} is where the ligand goes; it is left out of the receptor",
                residue.name,
                residue.number_text()
            ));
        }
        let receptor = Receptor::new(&structure, &excluded)?;
        for (element, count) in &receptor.typed().ignored {
            events.warning(&format!(
                "{count} receptor atoms of {} are ignored: the scoring function has no parameters for them",
                if *element == Element::UNKNOWN { "unknown element" } else { element.symbol() }
            ));
        }
        let mut site = Site::new(Arc::new(receptor), search_box, scoring)?;
        let mut prediction = Prediction::default();
        let is_series = ligands.len() > 1;
        for ligand in &ligands {
            match dock(&mut site, ligand, settings, reference.as_ref(), events) {
                Ok(samples) => {
                    events.finished(&samples);
                    prediction.samples.extend(samples);
                }
                Err(EngineError::Input(reason)) if is_series => {
                    events.warning(&format!("ligand {} was not docked: {reason}", ligand.name));
                }
                Err(error) => return Err(error),
            }
        }
        if prediction.samples.is_empty() {
            return Err(EngineError::Input("none of the ligands could be docked; see the warnings".to_owned()));
        }
        if settings.docking.ensemble_conformers > 0 {
            match receptor_ensemble(site.receptor(), settings, events) {
                Ok(ensemble) => prediction.receptor_ensemble = Some(ensemble),
                Err(EngineError::Input(reason)) => events.warning(&format!("no conformers of the receptor: {reason}")),
                Err(error) => return Err(error),
            }
        }
        Ok(prediction)
    }
}

/// Conformers of the receptor by the elastic network.
fn receptor_ensemble(
    receptor: &Receptor,
    settings: &Settings,
    events: &mut dyn Events,
) -> Result<ReceptorEnsemble, EngineError> {
    if events.is_cancelled() {
        return Err(EngineError::Cancelled);
    }
    events.progress(Progress { stage: "ensemble".to_owned(), step: 0, steps: 1, message: String::new() });
    let model =
        receptor.structure.first().ok_or_else(|| EngineError::Input("the structure has no atoms".to_owned()))?;
    let wanted = EnsembleSettings {
        conformers: settings.docking.ensemble_conformers as usize,
        amplitude: settings.docking.ensemble_amplitude,
        seed: settings.seed,
        ..EnsembleSettings::default()
    };
    let ensemble = elastic_network::ensemble(model, &wanted).map_err(|error| EngineError::Input(error.to_string()))?;
    events.progress(Progress { stage: "ensemble".to_owned(), step: 1, steps: 1, message: String::new() });
    Ok(ensemble)
}

/// A ligand of the query.
struct LigandInput<'a> {
    name: String,
    source: &'a LigandSource,
    measured_pk: Option<f32>,
}

fn unsupported(reason: impl Into<String>) -> EngineError {
    EngineError::Unsupported { engine: EngineName::Docking.display_name(), reason: reason.into() }
}

/// The ligands in order: those of the sequences, then the series.
fn ligands(query: &Query) -> Result<Vec<LigandInput<'_>>, EngineError> {
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

/// The receptor's structure: the query's own, else the first `apo` of the only protein.
fn structure(query: &Query) -> Result<Structure, EngineError> {
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
fn pocket(query: &Query, model: &Model) -> Result<(SearchBox, Option<SmallMolecule>), EngineError> {
    let input = |error: &dyn std::fmt::Display| EngineError::Input(error.to_string());
    match &query.pocket {
        None => Err(unsupported(
            "it names no pocket; add `pocket` with residues, with centre and size, or with a reference ligand file",
        )),
        Some(Pocket::Box { center, size }) => {
            let search_box = SearchBox { center: Vec3::from_array(*center), size: Vec3::from_array(*size) };
            Ok((search_box.checked().map_err(|error| input(&error))?, None))
        }
        Some(Pocket::Residues { residues, padding }) => {
            let search_box = SearchBox::around_residues(model, residues, *padding).map_err(|error| input(&error))?;
            Ok((search_box, None))
        }
        Some(Pocket::Ligand { file, padding }) => {
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
fn occupants(query: &Query, model: &Model, reference: Option<&SmallMolecule>) -> Vec<usize> {
    let topology = &*model.topology;
    let is_small =
        |residue: usize| matches!(topology.residues[residue].kind, ResidueKind::Ligand | ResidueKind::Carbohydrate);
    if let Some(Pocket::Residues { residues, .. }) = &query.pocket
        && let [only] = &residues[..]
    {
        let named = |residue: usize| {
            let residue = &topology.residues[residue];
            format!("{}:{}", topology.chain_of(residue).id, residue.number_text()) == only.trim()
        };
        return (0..topology.residues.len()).filter(|&residue| is_small(residue) && named(residue)).collect();
    }
    let Some(reference) = reference else { return Vec::new() };
    let places: Vec<Vec3> = heavy_positions(reference).collect();
    (0..topology.residues.len())
        .filter(|&residue| is_small(residue))
        .filter(|&residue| {
            let heavy: Vec<usize> = topology
                .atoms_of(&topology.residues[residue])
                .filter(|&atom| topology.atoms[atom].element != Element::H)
                .collect();
            let shared = heavy
                .iter()
                .filter(|&&atom| places.iter().any(|place| place.distance(model.positions[atom]) < SAME_PLACE))
                .count();
            2 * shared > heavy.len()
        })
        .collect()
}

/// A ligand with hydrogens and conformers, and what the user should know about it.
fn prepare(
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
            let embedding = if has_flexible_ring(&one.molecule) {
                embed(&one.molecule, seed, RING_CONFORMERS, &is_cancelled).map_err(chemistry)?
            } else {
                one
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
                let Embedding { molecule, .. } =
                    embed(&molecule, seed, RING_CONFORMERS, &is_cancelled).map_err(chemistry)?;
                (molecule, Vec::new())
            } else {
                let mut complete = add_hydrogens(&molecule).map_err(chemistry)?;
                if has_flexible_ring(&complete)
                    && let Ok(further) = embed(&complete, seed, RING_CONFORMERS, &is_cancelled)
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
    let count = if has_flexible_ring(&known) { RING_CONFORMERS } else { 1 };
    let molecule = match embed(&known, seed, count, is_cancelled) {
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

/// Whether a ring can pucker: any that is not aromatic.
fn has_flexible_ring(molecule: &SmallMolecule) -> bool {
    perceive(molecule).is_ok_and(|perception| perception.aromatic_rings().count() < perception.rings.len())
}

fn dock(
    site: &mut Site,
    input: &LigandInput<'_>,
    settings: &Settings,
    reference: Option<&SmallMolecule>,
    events: &mut dyn Events,
) -> Result<Vec<Sample>, EngineError> {
    let (ligand, notes) = prepare(input, settings.seed, events)?;
    for note in notes {
        events.warning(&format!("ligand {}: {note}", input.name));
    }
    let poses = dock_ligand(site, &ligand, &settings.docking, settings.seed, events)?;
    let steps = poses.len() as u64;
    let model = site.receptor().structure.first();
    let failed = |error: &dyn std::fmt::Display| EngineError::Input(format!("ligand {}: {error}", input.name));
    let receptor = model.map(|model| (ReceptorSites::new(model), ReceptorSpace::new(model)));
    let sites = LigandSites::new(&ligand).map_err(|error| failed(&error))?;
    let bounds = LigandReference::new(&ligand)
        .and_then(|bounds| bounds.with_energies(&ligand, settings.seed, STRAIN_CONFORMERS, &|| events.is_cancelled()))
        .map_err(|error| match error {
            ChemistryError::Cancelled => EngineError::Cancelled,
            other => failed(&other),
        })?;
    let to_reference =
        reference.and_then(|reference| Some((LigandRmsd::new(&ligand, reference)?, reference.conformers.first()?)));
    let provenance = Provenance {
        engine: EngineName::Docking,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        seed: settings.seed,
        scoring: settings.docking.scoring.display_name().to_owned(),
    };
    let mut samples = Vec::with_capacity(poses.len());
    for (index, DockedPose { molecule, mut score }) in poses.into_iter().enumerate() {
        if events.is_cancelled() {
            return Err(EngineError::Cancelled);
        }
        let message = input.name.clone();
        events.progress(Progress { stage: "check".to_owned(), step: index as u64, steps, message });
        let positions = molecule.conformers.first().map(Vec::as_slice).unwrap_or_default();
        score.rmsd_to_reference =
            to_reference.as_ref().and_then(|(matched, reference)| matched.rmsd(positions, reference));
        let (interactions, checks) = receptor.as_ref().map_or_else(Default::default, |(receptor, space)| {
            (find_between(receptor, &sites, positions), check_against(space, &bounds, positions))
        });
        samples.push(Sample {
            provenance: provenance.clone(),
            rank: index as u32 + 1,
            ligand_name: input.name.clone(),
            receptor: site.receptor().structure.clone(),
            interactions,
            checks,
            pose: molecule,
            score,
            measured_pk: input.measured_pk,
        });
    }
    Ok(samples)
}
