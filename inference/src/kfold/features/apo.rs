//! Unbound structures of a protein, laid onto the query's sequence.
//!
//! K-Fold 1.0.0, inference/apo_runner.py and data/utils/io/structure.py: of each model of a file the first chain counts (its
//! first run of residues of one entity), its residues are read as letters and aligned to the query, and the heavy atoms of
//! the amino acids are kept, 37 places a residue. The alignment charges for opening a gap only, so that a missing loop of
//! any length costs the same. Residues that do not align have no coordinates; relaxation fills them in.

use kfold_molecule::structure::{Model, ResidueKind, Topology};
use kfold_molecule::{Element, Structure};

use super::reference::ReferenceChain;
use super::vocabulary::{PROTEIN_ATOMS, atom37, letter_of_code, standard_residues};
use crate::kfold::input::ChainType;
use crate::kfold::{KFoldError, Result};

/// Coordinates in Å of a protein chain of L residues, 37 places a residue ([`PROTEIN_ATOMS`]); NaN where unknown.
#[derive(Clone, Debug, PartialEq)]
pub struct ResidueCoordinates {
    /// [L][37].
    pub positions: Vec<[[f32; 3]; PROTEIN_ATOMS.len()]>,
}

impl ResidueCoordinates {
    /// Coordinates of no atom.
    #[must_use]
    pub fn unknown(residues: usize) -> Self {
        Self { positions: vec![[[f32::NAN; 3]; PROTEIN_ATOMS.len()]; residues] }
    }

    /// The coordinates in the order of the chain's atoms; NaN where unknown.
    #[must_use]
    pub fn of_atoms(&self, chain: &ReferenceChain) -> Vec<[f32; 3]> {
        let mut positions = vec![[f32::NAN; 3]; chain.atoms.len()];
        for (residue, known) in chain.residues.iter().zip(&self.positions) {
            for atom in residue.atoms.clone() {
                if let Some(place) = atom37(&chain.atoms[atom].name) {
                    positions[atom] = known[place];
                }
            }
        }
        positions
    }
}

/// One apo structure of one chain of the query: coordinates, and structure tokens where an encoder made them.
#[derive(Clone, Debug)]
pub struct Apo {
    /// Coordinates on the query's residues.
    pub coordinates: ResidueCoordinates,
    /// Backbone and full-atom structure tokens, one of each a residue (-1 for none).
    pub structure_tokens: Option<StructureTokens>,
}

/// Tokens of a structure, one a residue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StructureTokens {
    /// Of the backbone.
    pub backbone: Vec<i64>,
    /// Of all atoms.
    pub full_atom: Vec<i64>,
}

/// The apo structures in the models of a file: for each model one set of coordinates for each of `sequences` (one for a
/// protein, two for a pair, whose chains are then taken in order).
///
/// # Errors
/// When a model has fewer chains than are needed, or when a chain has no residue in common with the sequence.
pub fn read(structure: &Structure, sequences: &[&str]) -> Result<Vec<Vec<ResidueCoordinates>>> {
    structure
        .models
        .iter()
        .map(|model| {
            let chains = protein_runs(model, sequences.len());
            if chains.len() < sequences.len() {
                return Err(KFoldError::input(format!(
                    "model {} of the apo structure has {} chains, {} are needed",
                    model.number,
                    chains.len(),
                    sequences.len()
                )));
            }
            sequences.iter().zip(chains).map(|(sequence, residues)| on_sequence(model, &residues, sequence)).collect()
        })
        .collect()
}

/// Residues of the first chains of a model. A single protein is the first run of one chain and one kind of entity, as the
/// reference reads it; a pair is the first two chains, whole.
fn protein_runs(model: &Model, count: usize) -> Vec<Vec<usize>> {
    let topology = &model.topology;
    let chains = topology.chains.iter().filter(|chain| !chain.residues.is_empty());
    if count > 1 {
        return chains
            .take(count)
            .map(|chain| chain.residues.clone().map(|residue| residue as usize).collect())
            .collect();
    }
    let Some(first) = chains.into_iter().next() else { return Vec::new() };
    let is_polymer = |residue: usize| {
        matches!(topology.residues[residue].kind, ResidueKind::Protein | ResidueKind::Dna | ResidueKind::Rna)
    };
    let start = first.residues.start as usize;
    let run = (start..first.residues.end as usize)
        .take_while(|&residue| {
            is_polymer(residue) == is_polymer(start)
                && topology.residues[residue].asym_id == topology.residues[start].asym_id
        })
        .collect();
    vec![run]
}

/// Residues of `sequence` that the first chain of a model has under the same letter, in an alignment of both.
#[must_use]
pub fn identical_residues(model: &Model, sequence: &str) -> usize {
    let query: Vec<char> = sequence.chars().collect();
    let letters = protein_runs(model, 1).first().map_or_else(Vec::new, |run| letters_of(&model.topology, run));
    let pairs = align(&query, &letters).unwrap_or_default();
    pairs.into_iter().filter(|(at_query, at_source)| query[*at_query] == letters[*at_source]).count()
}

/// One-letter names of residues, as the query's sequences have them.
fn letters_of(topology: &Topology, residues: &[usize]) -> Vec<char> {
    let letter = |&residue: &usize| {
        let letter = letter_of_code(&topology.residues[residue].name, ChainType::Protein);
        let is_standard =
            standard_residues().iter().any(|held| held.chain_type == ChainType::Protein && held.letter == letter);
        if is_standard { letter } else { 'X' }
    };
    residues.iter().map(letter).collect()
}

fn on_sequence(model: &Model, residues: &[usize], sequence: &str) -> Result<ResidueCoordinates> {
    let topology = &model.topology;
    let query: Vec<char> = sequence.chars().collect();
    let letters = letters_of(topology, residues);
    let mut coordinates = ResidueCoordinates::unknown(query.len());
    for (at_query, at_source) in align(&query, &letters)? {
        for atom in topology.atoms_of(&topology.residues[residues[at_source]]) {
            let held = &topology.atoms[atom];
            if held.element == Element::H {
                continue;
            }
            if let Some(place) = atom37(&held.name) {
                coordinates.positions[at_query][place] = model.positions[atom].to_array();
            }
        }
    }
    Ok(coordinates)
}

/// Pairs of positions that a global alignment puts together: 1 for equal letters, -1 for different ones, -1 for a gap of
/// any length. Among alignments of equal score it takes the one that gemmi 0.7 takes (a gap in the query over a pair, a
/// pair over a gap in the source), because that is what the network's inputs were made with.
///
/// # Errors
/// When a sequence is empty or no letter matches.
pub fn align(query: &[char], source: &[char]) -> Result<Vec<(usize, usize)>> {
    if query.is_empty() || source.is_empty() {
        return Err(KFoldError::input("the query's sequence or the apo structure's chain is empty".to_owned()));
    }
    if query == source {
        return Ok((0..query.len()).map(|at| (at, at)).collect());
    }
    const OPEN: i32 = -1;
    const UNREACHED: i32 = -0x4000_0000;
    const DELETION: u8 = 1;
    const INSERTION: u8 = 2;
    const EXTENDS_DELETION: u8 = 4;
    const EXTENDS_INSERTION: u8 = 8;
    let width = query.len();
    // For each place in the query: the score of the row above one place to the left, and of a gap running down to here.
    let mut above: Vec<(i32, i32)> =
        (0..=width).map(|at| if at == 0 { (0, 2 * OPEN) } else { (OPEN, 2 * OPEN) }).collect();
    let mut steps = vec![0_u8; width * source.len()];
    for (row, letter) in source.iter().enumerate() {
        let mut left = OPEN;
        let mut insertion = 2 * OPEN;
        for column in 0..width {
            let (diagonal, mut deletion) = above[column];
            above[column].0 = left;
            let mut best = diagonal + if query[column] == *letter { 1 } else { -1 };
            let mut step = 0;
            if best < deletion {
                (best, step) = (deletion, DELETION);
            }
            if best <= insertion {
                (best, step) = (insertion, INSERTION);
            }
            left = best;
            let opened = best + OPEN;
            if deletion > opened {
                step |= EXTENDS_DELETION;
            } else {
                deletion = opened;
            }
            above[column].1 = deletion;
            if insertion > opened {
                step |= EXTENDS_INSERTION;
            } else {
                insertion = opened;
            }
            steps[row * width + column] = step;
        }
        above[width] = (left, UNREACHED);
    }
    let mut pairs = Vec::new();
    let (mut row, mut column) = (source.len(), width);
    let mut state = 0;
    while row > 0 && column > 0 {
        let step = steps[(row - 1) * width + column - 1];
        // A gap goes on only where the step says that it came from a longer one.
        let goes_on = match state {
            DELETION => step & EXTENDS_DELETION != 0,
            INSERTION => step & EXTENDS_INSERTION != 0,
            _ => false,
        };
        if !goes_on {
            state = step & 3;
        }
        match state {
            DELETION => row -= 1,
            INSERTION => column -= 1,
            _ => {
                row -= 1;
                column -= 1;
                pairs.push((column, row));
            }
        }
    }
    pairs.reverse();
    if !pairs.iter().any(|&(at_query, at_source)| query[at_query] == source[at_source]) {
        return Err(KFoldError::input(
            "the apo structure's chain has no residue in common with the query's sequence".to_owned(),
        ));
    }
    Ok(pairs)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Query, source and the pairs that gemmi 0.7.5 puts together (`align_string_sequences` with `gape` 0); `-` where it
    /// finds no match.
    #[test]
    fn alignments_equal_gemmis() {
        for line in include_str!("gemmi_alignments.txt").lines() {
            let fields: Vec<&str> = line.split(' ').collect();
            let [query, source] = [0, 1].map(|at| fields[at].chars().collect::<Vec<_>>());
            let pairs = align(&query, &source).map_or("-".to_owned(), |pairs| {
                pairs
                    .iter()
                    .map(|(at_query, at_source)| format!("{at_query}:{at_source}"))
                    .collect::<Vec<_>>()
                    .join(",")
            });
            assert_eq!(pairs, fields[2], "{} and {}", fields[0], fields[1]);
        }
    }
}
