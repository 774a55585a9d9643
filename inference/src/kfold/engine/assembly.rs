//! Sequential assembly: parts of the complex are predicted first, one stage after the other, and the best sample of each stage is
//! carried on as a rigid starting point (`prior_only`: the stage changes where the sampler starts, not what the networks read
//! of the apo structures). A later stage that has chains of an earlier one takes them over; the complete complex follows last.
//!
//! The public repository knows this under `assembly.stages` and `selection: confidence_top1`; K-Fold 1.0.0 on PyPI does not, so
//! what is here follows the description alone and has no reference numbers.

use std::collections::HashSet;

use super::apo::{Candidates, ProteinEntry, engine_error};
use super::{Run, SeededNoise};
use crate::engine::EngineError;
use crate::job::files::write_whole;
use crate::kfold::features::reference::ReferenceStructure;
use crate::kfold::features::{RigidBody, Starts, reference_structure};
use crate::kfold::output::mmcif;
use crate::query::{Assembly, Entity, Query};

/// Chains of a stage by name, and the places of the atoms of each, Å.
type PlacedChains = (Vec<String>, Vec<Vec<[f32; 3]>>);

/// Digits that the coordinates of a stage keep, as its file does.
const DECIMALS: f32 = 1000.0;

/// Predicts the stages; where the complete complex starts.
pub(super) fn starts(
    run: &mut Run<'_>,
    assembly: &Assembly,
    structure: &ReferenceStructure,
    candidates: &[Candidates],
) -> Result<Starts, EngineError> {
    let entries = ProteinEntry::all(run.query);
    let mut bodies: Vec<PlacedChains> = Vec::new();
    for stage in &assembly.stages {
        let chains: HashSet<&str> = stage.chains.iter().map(String::as_str).collect();
        let (query, kept) = part_of(run.query, &chains);
        run.progress("prepare", 0, 1, &stage.id)?;
        let part = reference_structure(&query).map_err(engine_error)?;
        let part_entries = ProteinEntry::all(&query);
        let part_candidates: Vec<Candidates> = part_entries
            .iter()
            .filter_map(|entry| {
                let index = entries.iter().position(|whole| whole.index == kept[entry.index])?;
                Some(candidates[index].clone())
            })
            .collect();
        let before = of_chains(&bodies, &part);
        let prepared = run.features(part, &part_entries, &part_candidates, &before)?;
        let folded = run.fold(&prepared, &mut SeededNoise::new(run.settings.seed), None)?;
        let score = |index: &usize| folded.prediction[*index].1.summary.complex.ranking_score;
        let best = (0..folded.prediction.len()).min_by(|a, b| score(b).total_cmp(&score(a)));
        let Some((positions, confidence, _)) = best.map(|best| &folded.prediction[best]) else { continue };
        if let Some(folder) = run.events.folder() {
            let folder = folder.join("assembly");
            let path = folder.join(format!("{}_model.cif", stage.id));
            let text = mmcif::write(&stage.id, &prepared.structure, &[positions], Some(&confidence.plddt));
            std::fs::create_dir_all(&folder)
                .and_then(|()| write_whole(&path, text.as_bytes()))
                .map_err(|error| EngineError::Failed(format!("cannot write {}: {error}", path.display())))?;
        }
        let firsts = prepared.structure.first_atoms();
        let placed = prepared.structure.chains.iter().zip(firsts).map(|(chain, first)| {
            let places = &positions[first..first + chain.atoms.len()];
            places.iter().map(|place| place.to_array().map(|value| (value * DECIMALS).round() / DECIMALS)).collect()
        });
        // A chain stands in one body: the last that was predicted with it.
        for (names, places) in &mut bodies {
            let stays: Vec<bool> = names.iter().map(|name| !chains.contains(name.as_str())).collect();
            let mut stay = stays.iter();
            names.retain(|_| *stay.next().unwrap_or(&true));
            let mut stay = stays.iter();
            places.retain(|_| *stay.next().unwrap_or(&true));
        }
        bodies.retain(|(names, _)| !names.is_empty());
        let names = prepared.structure.chains.iter().map(|chain| chain.name.clone()).collect();
        bodies.push((names, placed.collect()));
    }
    Ok(of_chains(&bodies, structure))
}

/// The bodies in terms of a complex that may lack some of their chains.
fn of_chains(bodies: &[PlacedChains], structure: &ReferenceStructure) -> Starts {
    let bodies = bodies.iter().map(|(names, places)| {
        let member = |(name, places): (&String, &Vec<[f32; 3]>)| {
            let index = structure.chains.iter().position(|chain| chain.name == *name)?;
            // The same chain without a bond to another stage may have kept atoms that leave in the whole.
            (structure.chains[index].atoms.len() == places.len()).then(|| (index, places.clone()))
        };
        RigidBody { chains: names.iter().zip(places).filter_map(member).collect() }
    });
    Starts { bodies: bodies.filter(|body| !body.chains.is_empty()).collect() }
}

/// The query of these chains alone, and for each of its entries the index of the whole query's.
fn part_of(query: &Query, chains: &HashSet<&str>) -> (Query, Vec<usize>) {
    let is_in = |id: &String| chains.contains(id.as_str());
    let (mut sequences, mut kept) = (Vec::new(), Vec::new());
    for (index, entity) in query.sequences.iter().enumerate() {
        let mut entity = entity.clone();
        match &mut entity {
            Entity::Protein(polymer) | Entity::Dna(polymer) | Entity::Rna(polymer) => polymer.ids.retain(is_in),
            Entity::Ligand(ligand) => ligand.ids.retain(is_in),
            Entity::ProteinPair(pair) => {
                pair.ids1.retain(is_in);
                pair.ids2.retain(is_in);
            }
        }
        if !entity.chains().is_empty() {
            sequences.push(entity);
            kept.push(index);
        }
    }
    let bonds = query.bonds.iter().filter(|bond| is_in(&bond.atom1.chain) && is_in(&bond.atom2.chain));
    let query = Query { name: query.name.clone(), sequences, bonds: bonds.cloned().collect(), ..Query::default() };
    (query, kept)
}
