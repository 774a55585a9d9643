//! Where the diffusion bridge starts: one set of coordinates for all atoms and each sample.
//!
//! K-Fold 1.0.0, data/pipelines/prior_sampling.py, in the order of its draws: one candidate structure for each rigid group
//! of proteins; then chain by chain, proteins take the candidate's atoms and relax what it lacks, nucleic acids relax from a
//! cloud of 16 Å, ligands are a cloud of 8 Å; then each rigid group is turned at random and moved by 24 Å.

use std::collections::HashMap;

use super::Starts;
use super::apo::ResidueCoordinates;
use super::langevin::{mean, relax, subtract};
use super::numpy_random::NumpyGenerator;
use super::placement::place_randomly;
use super::reference::{ReferenceChain, ReferenceStructure};
use crate::kfold::input::ChainType;
use crate::kfold::{KFoldError, Result};

/// Å: how far the rigid groups are spread.
const GROUP_SHIFT: f32 = 24.0;
/// Å: where polymer atoms without coordinates start.
const POLYMER_CLOUD: f32 = 16.0;
/// Å: standard deviation of a ligand's atoms.
const LIGAND_CLOUD: f32 = 8.0;

/// Starting coordinates in Å for each sample, all atoms in order. `candidates` holds for each protein chain (by index) its
/// candidate structures; chains of one rigid group must have as many. Chains of a body in `starts` stand as they do there, and
/// move with it.
///
/// # Errors
/// When a protein has no candidate.
pub fn sample(
    structure: &ReferenceStructure,
    candidates: &HashMap<usize, Vec<ResidueCoordinates>>,
    starts: &Starts,
    samples: usize,
    generator: &mut NumpyGenerator,
) -> Result<Vec<Vec<[f32; 3]>>> {
    let mut generator = generator.spawn();
    (0..samples).map(|_| sample_once(structure, candidates, starts, &mut generator)).collect()
}

fn sample_once(
    structure: &ReferenceStructure,
    candidates: &HashMap<usize, Vec<ResidueCoordinates>>,
    starts: &Starts,
    generator: &mut NumpyGenerator,
) -> Result<Vec<[f32; 3]>> {
    let chains = &structure.chains;
    let given: HashMap<usize, (usize, &Vec<[f32; 3]>)> = starts
        .bodies
        .iter()
        .enumerate()
        .flat_map(|(body, held)| held.chains.iter().map(move |(chain, places)| (*chain, (body, places))))
        .collect();
    let mut picked: HashMap<i64, usize> = HashMap::new();
    for (index, chain) in chains.iter().enumerate().filter(|(_, chain)| chain.chain_type == ChainType::Protein) {
        if given.contains_key(&index) {
            continue;
        }
        let count = candidates.get(&index).map_or(0, Vec::len);
        if count == 0 {
            return Err(KFoldError::input(format!("protein chain {} has no apo structure to start from", chain.name)));
        }
        let pick = *picked.entry(chain.rigid_group).or_insert_with(|| generator.below(count as u64) as usize);
        if pick >= count {
            return Err(KFoldError::input(format!(
                "the chains that share a frame with chain {} have more structures",
                chain.name
            )));
        }
    }
    let mut coordinates: Vec<Vec<[f32; 3]>> = Vec::with_capacity(chains.len());
    for (index, chain) in chains.iter().enumerate() {
        if let Some((_, places)) = given.get(&index) {
            coordinates.push((*places).clone());
            continue;
        }
        coordinates.push(match chain.chain_type {
            ChainType::Protein => {
                let pick = picked.get(&chain.rigid_group).copied().unwrap_or_default();
                let known = candidates[&index][pick].of_atoms(chain);
                fill_missing(chain, known, generator)
            }
            ChainType::Dna | ChainType::Rna => {
                let start = scaled(generator.normal_points(chain.atoms.len()), POLYMER_CLOUD);
                relax(&start, &residue_of_atoms(chain), None, &mut |deviates| fill(deviates, generator))
            }
            ChainType::Ligand => {
                let mut cloud = scaled(generator.normal_points(chain.atoms.len()), LIGAND_CLOUD);
                let centre = mean(&cloud);
                for point in &mut cloud {
                    *point = subtract(*point, centre);
                }
                cloud
            }
        });
    }
    let mut groups: Vec<(i64, Vec<usize>)> = Vec::new();
    for (index, chain) in chains.iter().enumerate() {
        // Bodies count below the groups, which begin at 1.
        let own = given.get(&index).map_or(chain.rigid_group, |(body, _)| -(*body as i64));
        match groups.iter_mut().find(|(group, _)| *group == own) {
            Some((_, members)) => members.push(index),
            None => groups.push((own, vec![index])),
        }
    }
    for (_, members) in groups {
        let mut together: Vec<[f32; 3]> =
            members.iter().flat_map(|&member| coordinates[member].iter().copied()).collect();
        place_randomly(&mut together, GROUP_SHIFT, generator);
        let mut placed = together.into_iter();
        for member in members {
            for (point, placed) in coordinates[member].iter_mut().zip(placed.by_ref()) {
                *point = placed;
            }
        }
    }
    Ok(coordinates.concat())
}

/// Relaxes the atoms that the structure lacks around those it has.
fn fill_missing(chain: &ReferenceChain, known: Vec<[f32; 3]>, generator: &mut NumpyGenerator) -> Vec<[f32; 3]> {
    let fixed: Vec<bool> = known.iter().map(|point| point.iter().all(|component| component.is_finite())).collect();
    if fixed.iter().all(|&fixed| fixed) {
        return known;
    }
    // The reference draws for the whole chain and keeps what it needs.
    let cloud = scaled(generator.normal_points(known.len()), POLYMER_CLOUD);
    let start: Vec<[f32; 3]> = known
        .iter()
        .zip(&cloud)
        .zip(&fixed)
        .map(|((known, cloud), &fixed)| if fixed { *known } else { *cloud })
        .collect();
    relax(&start, &residue_of_atoms(chain), Some(&fixed), &mut |deviates| fill(deviates, generator))
}

fn residue_of_atoms(chain: &ReferenceChain) -> Vec<usize> {
    chain
        .residues
        .iter()
        .enumerate()
        .flat_map(|(index, residue)| std::iter::repeat_n(index, residue.atoms.len()))
        .collect()
}

fn scaled(points: Vec<[f32; 3]>, scale: f32) -> Vec<[f32; 3]> {
    points.into_iter().map(|point| point.map(|component| component * scale)).collect()
}

fn fill(deviates: &mut [[f32; 3]], generator: &mut NumpyGenerator) {
    for deviate in deviates {
        for component in deviate {
            *component = generator.normal_f32();
        }
    }
}
