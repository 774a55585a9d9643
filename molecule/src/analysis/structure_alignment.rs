//! Laying one structure on another when numbering, gaps, chain names and even the sequence differ.
//!
//! Residues are paired chain by chain, by sequence or by shape ([`super::tm_align`]). Which chain stands for which is
//! decided in space, because the chains of a homo-oligomer align equally well with each other: each pair of chains that
//! align gives a superposition of the whole, under which every other pair of chains is scored by how near its residues
//! come (the sum of 1/(1 + (d/d0)²), as in the TM-score); the chains that score highest belong together, and the
//! superposition with the highest total wins. That is how MM-align (Mukherjee & Zhang, Nucleic Acids Res. 2009, 37, e83)
//! and its successors choose.

use std::collections::HashMap;

use glam::Vec3;
use serde::Serialize;
use smol_str::SmolStr;

use super::sequence_alignment;
use super::superpose::{Transform, rmsd, superpose, superpose_pruned};
use super::tm_align::{Polymer, tm_align, tm_score_of_pairs};
use crate::selection::AtomSet;
use crate::structure::{Model, ResidueKind};

/// Tables of more chain pairs are not filled; then chains are paired by their order.
const MOST_CHAIN_PAIRS: usize = 1_600;
/// The same for alignment by shape, which takes longer.
const MOST_SHAPE_PAIRS: usize = 144;
/// A chain is not paired by sequence with one that aligns so much worse than its best partner.
const WORTH: f32 = 0.6;
/// Below this a pair of chains has no shape in common.
const LEAST_TM_SCORE: f64 = 0.25;
/// Rounds of superposing and pairing chains anew.
const ROUNDS: usize = 5;

/// By what residues are paired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pairing {
    /// Alignment of the sequences.
    Sequence,
    /// Alignment of the shapes.
    Shape,
}

/// What to align, and how.
#[derive(Clone, Copy, Debug)]
pub struct AlignmentRequest<'a> {
    /// The model that is moved.
    pub mobile: &'a Model,
    /// The model that it is laid on.
    pub target: &'a Model,
    /// Only residues with such an atom are paired.
    pub mobile_atoms: Option<&'a AtomSet>,
    /// The same of the target.
    pub target_atoms: Option<&'a AtomSet>,
    /// By what residues are paired.
    pub pairing: Pairing,
    /// Pairs beyond this distance, Å, have no say in the superposition; nothing: all have. By shape the superposition
    /// is that of the highest TM-score.
    pub cutoff: Option<f32>,
}

/// One structure laid on another.
#[derive(Clone, Debug)]
pub struct StructureAlignment {
    /// Lays the mobile model on the target.
    pub transform: Transform,
    /// Which chain stands for which.
    pub chains: Vec<ChainMatch>,
    /// Atoms (mobile, target) that stand for paired residues: alpha carbons, or C1' of nucleotides; ascending.
    pub pairs: Vec<(u32, u32)>,
    /// Å between the atoms of each pair after the transform.
    pub distances: Vec<f32>,
    /// Pairs, by position, that the superposition is made from.
    pub kept: Vec<usize>,
    /// Of all pairs after the transform, Å.
    pub rmsd: f32,
    /// Of the kept pairs, Å.
    pub kept_rmsd: f32,
    /// Pairs with the same residue name.
    pub identical: usize,
    /// TM-score of the pairs (superposed for it), normalised by the residues of the mobile model.
    pub tm_score_by_mobile: f64,
    /// The same, normalised by the residues of the target.
    pub tm_score_by_target: f64,
    /// Residues that could be paired, of mobile and target.
    pub residues: [usize; 2],
}

/// A chain of the mobile model and the one it lies on.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ChainMatch {
    /// Chain identifier in the mobile model.
    pub mobile: SmolStr,
    /// Chain identifier in the target.
    pub target: SmolStr,
    /// Paired residues.
    pub paired: usize,
    /// Of them with the same residue name.
    pub identical: usize,
}

/// Aligns two structures. Nothing when fewer than three residues can be paired.
#[must_use]
pub fn align(request: &AlignmentRequest<'_>) -> Option<StructureAlignment> {
    let (mobile, target) = (request.mobile, request.target);
    let traces = [traces(mobile, request.mobile_atoms), traces(target, request.target_atoms)];
    let matched = match_chains(&traces, request.pairing);
    let name = |model: &Model, atom: u32| model.topology.residue_of(atom as usize).name.clone();
    let is_same = |(a, b): &(u32, u32)| name(mobile, *a) == name(target, *b);
    let mut pairs = Vec::new();
    let mut chains = Vec::new();
    for found in &matched {
        let (first, second) = (&traces[0][found.first], &traces[1][found.second]);
        let own: Vec<(u32, u32)> = found.pairs.iter().map(|(a, b)| (first.atoms[*a], second.atoms[*b])).collect();
        chains.push(ChainMatch {
            mobile: mobile.topology.chains[first.chain].id.clone(),
            target: target.topology.chains[second.chain].id.clone(),
            paired: own.len(),
            identical: own.iter().filter(|pair| is_same(pair)).count(),
        });
        pairs.extend(own);
    }
    pairs.sort_unstable();
    if pairs.len() < 3 {
        return None;
    }
    let place = |model: &Model, atom: u32| model.positions[atom as usize];
    let first: Vec<Vec3> = pairs.iter().map(|(atom, _)| place(mobile, *atom)).collect();
    let second: Vec<Vec3> = pairs.iter().map(|(_, atom)| place(target, *atom)).collect();
    let residues = [0, 1].map(|side| traces[side].iter().map(|trace| trace.atoms.len()).sum::<usize>());
    let is_protein = traces[1].iter().filter(|trace| trace.is_protein).map(|trace| trace.atoms.len()).sum::<usize>()
        * 2
        >= residues[1];
    let polymer = if is_protein { Polymer::Protein } else { Polymer::Nucleic };
    let scored = tm_scores(&first, &second, residues, polymer)?;
    let (transform, kept) = match (request.pairing, request.cutoff) {
        (Pairing::Shape, _) => (scored.0, (0..pairs.len()).collect()),
        (Pairing::Sequence, Some(cutoff)) => {
            let (fit, kept) = superpose_pruned(&first, &second, cutoff)?;
            (fit.transform, kept)
        }
        (Pairing::Sequence, None) => (superpose(&first, &second)?.transform, (0..pairs.len()).collect()),
    };
    let moved: Vec<Vec3> = first.iter().map(|point| transform.apply(*point)).collect();
    let distances = moved.iter().zip(&second).map(|(a, b)| a.distance(*b)).collect();
    let pick = |points: &[Vec3]| kept.iter().map(|index| points[*index]).collect::<Vec<Vec3>>();
    Some(StructureAlignment {
        transform,
        chains,
        distances,
        rmsd: rmsd(&moved, &second)?,
        kept_rmsd: rmsd(&pick(&moved), &pick(&second))?,
        kept,
        identical: pairs.iter().filter(|pair| is_same(pair)).count(),
        pairs,
        tm_score_by_mobile: scored.1,
        tm_score_by_target: scored.2,
        residues,
    })
}

/// The superposition of highest TM-score and the scores by both lengths.
fn tm_scores(first: &[Vec3], second: &[Vec3], residues: [usize; 2], polymer: Polymer) -> Option<(Transform, f64, f64)> {
    let pairs: Vec<(usize, usize)> = (0..first.len()).map(|index| (index, index)).collect();
    let found = tm_score_of_pairs(first, second, &pairs, residues, polymer)?;
    Some((found.transform, found.tm_score_by_mobile, found.tm_score_by_target))
}

/// Pairs of corresponding atoms (alpha carbons, C1') of two models, ascending.
#[must_use]
pub fn match_atoms(mobile: &Model, target: &Model, pairing: Pairing) -> Vec<(u32, u32)> {
    let traces = [traces(mobile, None), traces(target, None)];
    let atoms = |found: &ChainPairing| -> Vec<(u32, u32)> {
        let (first, second) = (&traces[0][found.first], &traces[1][found.second]);
        found.pairs.iter().map(|(a, b)| (first.atoms[*a], second.atoms[*b])).collect()
    };
    let mut pairs: Vec<(u32, u32)> = match_chains(&traces, pairing).iter().flat_map(atoms).collect();
    pairs.sort_unstable();
    pairs
}

/// Atoms of two selections that stand for each other: of the same name, in residues that are paired (polymers: by the
/// pairs of atoms of an alignment; all else: by residue name, in order). Ascending.
#[must_use]
pub fn match_selected(
    (mobile, mobile_atoms): (&Model, &AtomSet),
    (target, target_atoms): (&Model, &AtomSet),
    pairs: &[(u32, u32)],
) -> Vec<(u32, u32)> {
    let residue = |model: &Model, atom: u32| model.topology.atoms[atom as usize].residue;
    let mut residues: Vec<(u32, u32)> = pairs.iter().map(|(a, b)| (residue(mobile, *a), residue(target, *b))).collect();
    let mut others: HashMap<&str, Vec<u32>> = HashMap::new();
    let is_other = |model: &Model, index: u32| !model.topology.residues[index as usize].is_polymer();
    for index in target_atoms.residues(&target.topology).into_iter().filter(|index| is_other(target, *index)).rev() {
        others.entry(&target.topology.residues[index as usize].name).or_default().push(index);
    }
    for index in mobile_atoms.residues(&mobile.topology).into_iter().filter(|index| is_other(mobile, *index)) {
        let name = mobile.topology.residues[index as usize].name.as_str();
        if let Some(partner) = others.get_mut(name).and_then(Vec::pop) {
            residues.push((index, partner));
        }
    }
    let mut found = Vec::new();
    for (a, b) in residues {
        let (first, second) = (&mobile.topology.residues[a as usize], &target.topology.residues[b as usize]);
        for atom in mobile.topology.atoms_of(first).filter(|atom| mobile_atoms.contains(*atom)) {
            let name = &mobile.topology.atoms[atom].name;
            let partner = target.topology.atom_named(second, name).filter(|other| target_atoms.contains(*other));
            if let (Some(other), true) = (partner, mobile.topology.atom_named(first, name) == Some(atom)) {
                found.push((atom as u32, other as u32));
            }
        }
    }
    found.sort_unstable();
    found
}

/// A chain's polymer residues of one kind: their letters and the atom that stands for each.
struct Trace {
    /// Index in the topology.
    chain: usize,
    letters: Vec<char>,
    atoms: Vec<u32>,
    /// Of the atoms, Å.
    points: Vec<Vec3>,
    /// Whether residues are missing after each position: the next alpha carbon is too far.
    breaks: Vec<bool>,
    is_protein: bool,
}

fn traces(model: &Model, only: Option<&AtomSet>) -> Vec<Trace> {
    let topology = &model.topology;
    let mut traces = Vec::new();
    for (chain_index, chain) in topology.chains.iter().enumerate() {
        for is_protein in [true, false] {
            let (mut letters, mut atoms, mut points) = (Vec::new(), Vec::new(), Vec::new());
            let range = chain.residues.start as usize..chain.residues.end as usize;
            let residues = topology.residues.get(range).unwrap_or_default().iter();
            for residue in residues.filter(|residue| residue.is_polymer()) {
                let atom = if (residue.kind == ResidueKind::Protein) != is_protein {
                    None
                } else if is_protein {
                    topology.atom_named(residue, "CA")
                } else {
                    topology.atom_named(residue, "C1'").or_else(|| topology.atom_named(residue, "C1*"))
                };
                let is_wanted = only.is_none_or(|only| only.intersects_range(topology.atom_range(residue)));
                let Some(atom) = atom.filter(|_| is_wanted) else { continue };
                let Some(point) = model.positions.get(atom).filter(|point| point.is_finite()) else { continue };
                letters.push(crate::residues::one_letter_code(&residue.name));
                atoms.push(atom as u32);
                points.push(*point);
            }
            // Alpha carbons of neighbours are 3.8 Å apart (2.9 Å over a cis peptide), C1' less than 8 Å.
            let longest = if is_protein { 4.5 } else { 8.0 };
            let breaks = points.windows(2).map(|pair: &[Vec3]| pair[0].distance(pair[1]) > longest).collect();
            if !atoms.is_empty() {
                traces.push(Trace { chain: chain_index, letters, atoms, points, breaks, is_protein });
            }
        }
    }
    traces
}

/// Two chains whose residues are paired.
struct ChainPairing {
    first: usize,
    second: usize,
    pairs: Vec<(usize, usize)>,
    /// By sequence or by shape; only compared with its like.
    score: f32,
    /// Lays the first on the second.
    transform: Transform,
}

/// Which chain stands for which, and their paired residues.
fn match_chains(traces: &[Vec<Trace>; 2], pairing: Pairing) -> Vec<ChainPairing> {
    let mut candidates = chain_pairings(traces, pairing);
    let seconds = traces[1].len();
    let mut best: Option<(f64, Vec<usize>)> = None;
    for seed in 0..candidates.len() {
        let mut transform = candidates[seed].transform;
        for _ in 0..ROUNDS {
            let (total, chosen) = assign(traces, &candidates, &transform);
            let is_better = best.as_ref().is_none_or(|(held, _)| total > held + 1.0e-9);
            if !is_better {
                break;
            }
            let (first, second) = paired_points(traces, chosen.iter().map(|index| &candidates[*index]));
            let fit = superpose(&first, &second);
            best = Some((total, chosen));
            match fit {
                Some(fit) => transform = fit.transform,
                None => break,
            }
        }
        // One chain on one chain needs no second look.
        if candidates.len() == 1 || (traces[0].len() == 1 && seconds == 1) {
            break;
        }
    }
    let Some((_, mut chosen)) = best else { return Vec::new() };
    chosen.sort_unstable();
    let mut index = 0;
    candidates.retain(|_| {
        index += 1;
        chosen.binary_search(&(index - 1)).is_ok()
    });
    candidates
}

fn chain_pairings(traces: &[Vec<Trace>; 2], pairing: Pairing) -> Vec<ChainPairing> {
    let most = if pairing == Pairing::Sequence { MOST_CHAIN_PAIRS } else { MOST_SHAPE_PAIRS };
    let all_pairs = traces[0].len() * traces[1].len() <= most;
    let mut candidates = Vec::new();
    for (first, a) in traces[0].iter().enumerate() {
        for (second, b) in traces[1].iter().enumerate() {
            if a.is_protein != b.is_protein || !(all_pairs || first == second) {
                continue;
            }
            candidates.extend(match pairing {
                Pairing::Sequence => by_sequence(a, b).map(|(pairs, score, transform)| ChainPairing {
                    first,
                    second,
                    pairs,
                    score,
                    transform,
                }),
                Pairing::Shape => by_shape(a, b).map(|(pairs, score, transform)| ChainPairing {
                    first,
                    second,
                    pairs,
                    score,
                    transform,
                }),
            });
        }
    }
    if pairing == Pairing::Sequence {
        let mut best = [vec![0.0_f32; traces[0].len()], vec![0.0_f32; traces[1].len()]];
        for candidate in &candidates {
            best[0][candidate.first] = best[0][candidate.first].max(candidate.score);
            best[1][candidate.second] = best[1][candidate.second].max(candidate.score);
        }
        candidates.retain(|held| held.score >= WORTH * best[0][held.first].max(best[1][held.second]));
    }
    candidates
}

type Paired = (Vec<(usize, usize)>, f32, Transform);

fn by_sequence(a: &Trace, b: &Trace) -> Option<Paired> {
    let alignment = sequence_alignment::align_with_breaks(&a.letters, &b.letters, a.is_protein, [&a.breaks, &b.breaks]);
    if alignment.score <= 0 {
        return None;
    }
    let pairs = without_strays(alignment.pairs, &a.letters, &b.letters);
    let (first, second): (Vec<Vec3>, Vec<Vec3>) = pairs.iter().map(|(i, j)| (a.points[*i], b.points[*j])).unzip();
    Some((pairs, alignment.score as f32, superpose(&first, &second)?.transform))
}

fn by_shape(a: &Trace, b: &Trace) -> Option<Paired> {
    let polymer = if a.is_protein { Polymer::Protein } else { Polymer::Nucleic };
    let found = tm_align(&a.points, &b.points, polymer)?;
    let score = found.tm_score_by_mobile.max(found.tm_score_by_target);
    (score >= LEAST_TM_SCORE).then_some((found.pairs, score as f32, found.transform))
}

/// Under a transform: the chains that belong together, best first, and the total of what they score.
fn assign(traces: &[Vec<Trace>; 2], candidates: &[ChainPairing], transform: &Transform) -> (f64, Vec<usize>) {
    /// Squared distance at which a pair counts half, Å²: d0 of a chain of some 200 residues.
    const HALF: f32 = 5.5 * 5.5;
    let gain = |candidate: &ChainPairing| -> f64 {
        let (a, b) = (&traces[0][candidate.first].points, &traces[1][candidate.second].points);
        let near = |(i, j): &(usize, usize)| 1.0 / (1.0 + transform.apply(a[*i]).distance_squared(b[*j]) / HALF);
        candidate.pairs.iter().map(|pair| f64::from(near(pair))).sum()
    };
    let mut ranked: Vec<(f64, usize)> =
        candidates.iter().enumerate().map(|(index, candidate)| (gain(candidate), index)).collect();
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    let mut taken = [vec![false; traces[0].len()], vec![false; traces[1].len()]];
    let (mut total, mut chosen) = (0.0, Vec::new());
    for (gain, index) in ranked {
        let candidate = &candidates[index];
        if taken[0][candidate.first] || taken[1][candidate.second] {
            continue;
        }
        taken[0][candidate.first] = true;
        taken[1][candidate.second] = true;
        total += gain;
        chosen.push(index);
    }
    (total, chosen)
}

fn paired_points<'a>(
    traces: &[Vec<Trace>; 2],
    pairings: impl Iterator<Item = &'a ChainPairing>,
) -> (Vec<Vec3>, Vec<Vec3>) {
    pairings
        .flat_map(|found| {
            let (a, b) = (&traces[0][found.first].points, &traces[1][found.second].points);
            found.pairs.iter().map(|(i, j)| (a[*i], b[*j]))
        })
        .unzip()
}

/// Of nearly equal chains, leaves out pairs of different residues that are no point mutations: where each model lacks
/// other residues (loops seen in one state only), a global alignment pairs what does not belong together rather than
/// open two gaps.
fn without_strays(aligned: Vec<(usize, usize)>, first: &[char], second: &[char]) -> Vec<(usize, usize)> {
    let same: Vec<bool> = aligned.iter().map(|(i, j)| first.get(*i) == second.get(*j)).collect();
    if same.iter().filter(|same| **same).count() * 10 < same.len() * 9 {
        return aligned;
    }
    let is_next = |from: usize, to: usize| match (aligned.get(from), aligned.get(to)) {
        (Some(from), Some(to)) => (from.0 + 1, from.1 + 1) == *to,
        _ => false,
    };
    let is_mutation = |index: usize| {
        index > 0
            && same[index - 1]
            && same.get(index + 1) == Some(&true)
            && is_next(index - 1, index)
            && is_next(index, index + 1)
    };
    (0..aligned.len()).filter(|index| same[*index] || is_mutation(*index)).map(|index| aligned[index]).collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;

    use glam::Quat;

    use super::*;
    use crate::formats::read_structure;

    fn sample(path: &str) -> Model {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../samples").join(path);
        read_structure(&path).unwrap().models.remove(0)
    }

    fn request<'a>(mobile: &'a Model, target: &'a Model, pairing: Pairing) -> AlignmentRequest<'a> {
        AlignmentRequest { mobile, target, mobile_atoms: None, target_atoms: None, pairing, cutoff: None }
    }

    #[test]
    fn loops_seen_in_one_state_only_are_not_paired() {
        let letters = |text: &str| text.chars().collect::<Vec<char>>();
        // The first lacks WWFY, the second KDEN at the same place; one true mutation (G to A) further on.
        let first = letters("MKVLAAGIVSTPQRLMNHTKDENAVLGISTMRELKAAVDNRQLVTSGHKLMNPQRS");
        let second = letters("MKVLAAGIVSTPQRLMNHTWWFYAVLAISTMRELKAAVDNRQLVTSGHKLMNPQRS");
        let pairs: Vec<(usize, usize)> = (0..first.len()).map(|index| (index, index)).collect();
        let kept = without_strays(pairs, &first, &second);
        assert_eq!(kept.len(), first.len() - 4);
        assert!(kept.contains(&(26, 26)) && !kept.contains(&(20, 20)));
    }

    #[test]
    fn chains_are_paired_as_they_lie() {
        // The protease is a homodimer. Its chains are named the other way round, and the whole is turned.
        let target = sample("protease/receptor.pdb");
        let mut mobile = target.clone();
        let topology = Arc::make_mut(&mut mobile.topology);
        let names: Vec<SmolStr> = topology.chains.iter().map(|chain| chain.id.clone()).collect();
        for (chain, name) in topology.chains.iter_mut().zip(names.iter().rev()) {
            chain.id = name.clone();
        }
        let turn = Quat::from_rotation_y(2.0);
        mobile.positions.iter_mut().for_each(|point| *point = turn * *point + Vec3::X * 20.0);
        for pairing in [Pairing::Sequence, Pairing::Shape] {
            let found = align(&request(&mobile, &target, pairing)).unwrap();
            assert!(found.rmsd < 0.01, "{pairing:?}: {}", found.rmsd);
            assert_eq!(found.chains.len(), 2);
            for chain in &found.chains {
                assert_ne!(chain.mobile, chain.target);
                assert_eq!((chain.paired, chain.identical), (99, 99));
            }
            assert!(found.tm_score_by_target > 0.999);
        }
    }

    #[test]
    fn two_states_by_core_and_by_shape() {
        let (open, closed) = (sample("adenylate-kinase/open.pdb"), sample("adenylate-kinase/closed.pdb"));
        let all = align(&request(&open, &closed, Pairing::Sequence)).unwrap();
        assert!((all.rmsd - 6.87966).abs() < 0.001, "{}", all.rmsd);
        let pruned =
            align(&AlignmentRequest { cutoff: Some(2.0), ..request(&open, &closed, Pairing::Sequence) }).unwrap();
        assert!(pruned.kept_rmsd < 2.0 && pruned.rmsd > all.rmsd && pruned.kept.len() > 80, "{}", pruned.kept.len());
        let farthest = pruned.kept.iter().map(|index| pruned.distances[*index]).fold(0.0, f32::max);
        assert!(farthest <= 2.0, "{farthest}");
        let shape = align(&request(&open, &closed, Pairing::Shape)).unwrap();
        assert!(shape.tm_score_by_target > 0.6, "{}", shape.tm_score_by_target);
    }

    #[test]
    fn selections_are_paired_atom_by_atom() {
        let target = sample("adenylate-kinase/closed.pdb");
        let mut mobile = target.clone();
        Arc::make_mut(&mut mobile.topology).residues.iter_mut().for_each(|residue| residue.number += 7);
        let pairs = match_atoms(&mobile, &target, Pairing::Sequence);
        let select = |text: &str| crate::Selection::parse(text).unwrap().select(&target);
        for text in ["backbone", "ligand", "backbone or ligand"] {
            let atoms = select(text);
            let found = match_selected((&mobile, &atoms), (&target, &atoms), &pairs);
            let primary = atoms.iter().filter(|atom| target.topology.is_primary_location(*atom));
            let expected: Vec<(u32, u32)> = primary.map(|atom| (atom as u32, atom as u32)).collect();
            assert!(!found.is_empty());
            assert_eq!(found, expected, "{text}");
        }
        let part = select("resi 10-40");
        let found = align(&AlignmentRequest {
            mobile_atoms: Some(&part),
            target_atoms: Some(&part),
            ..request(&mobile, &target, Pairing::Sequence)
        });
        assert_eq!(found.unwrap().pairs.len(), 31);
    }
}
