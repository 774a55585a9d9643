//! Colours that residues have by what they are: their class, how they like water, their charge.

use std::collections::HashMap;

use kfold_molecule::residues::one_letter_code;
use kfold_molecule::{Residue, ResidueKind, Topology};
use serde::{Deserialize, Serialize};

use crate::color::Color;

/// Residues that are alike: of amino acids the classes of Lesk (Introduction to Bioinformatics, 2002), nucleotides by base.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResidueClass {
    /// Glycine, alanine, serine, threonine.
    Small,
    /// Cysteine, methionine, proline, tryptophan and the aliphatic and aromatic ones.
    Hydrophobic,
    /// Asparagine, glutamine, histidine.
    Polar,
    /// Aspartate, glutamate.
    Negative,
    /// Lysine, arginine.
    Positive,
    /// A.
    Adenine,
    /// C.
    Cytosine,
    /// G.
    Guanine,
    /// T and U.
    ThymineOrUracil,
    /// All else.
    Other,
}

impl ResidueClass {
    /// All, in the order of legends.
    pub const ALL: [Self; 10] = [
        Self::Small,
        Self::Hydrophobic,
        Self::Polar,
        Self::Negative,
        Self::Positive,
        Self::Adenine,
        Self::Cytosine,
        Self::Guanine,
        Self::ThymineOrUracil,
        Self::Other,
    ];

    fn of(kind: ResidueKind, letter: char) -> Self {
        match (kind, letter) {
            (ResidueKind::Protein, 'G' | 'A' | 'S' | 'T') => Self::Small,
            (ResidueKind::Protein, 'C' | 'V' | 'I' | 'L' | 'P' | 'F' | 'Y' | 'M' | 'W') => Self::Hydrophobic,
            (ResidueKind::Protein, 'N' | 'Q' | 'H') => Self::Polar,
            (ResidueKind::Protein, 'D' | 'E') => Self::Negative,
            (ResidueKind::Protein, 'K' | 'R') => Self::Positive,
            (ResidueKind::Dna | ResidueKind::Rna, 'A') => Self::Adenine,
            (ResidueKind::Dna | ResidueKind::Rna, 'C') => Self::Cytosine,
            (ResidueKind::Dna | ResidueKind::Rna, 'G') => Self::Guanine,
            (ResidueKind::Dna | ResidueKind::Rna, 'T' | 'U') => Self::ThymineOrUracil,
            _ => Self::Other,
        }
    }

    /// Its colour; the five of amino acids stay apart for colour-blind eyes.
    #[must_use]
    pub const fn color(self) -> Color {
        Color::hex(match self {
            Self::Small => 0xe8a040,
            Self::Hydrophobic => 0x4f9f6f,
            Self::Polar => 0xc77fc0,
            Self::Negative | Self::Adenine => 0xd0453f,
            Self::Positive | Self::ThymineOrUracil => 0x3b6fc4,
            Self::Cytosine => 0xe0c440,
            Self::Guanine => 0x5cb85c,
            Self::Other => 0xa8a8ac,
        })
    }
}

/// Hydropathy of Kyte and Doolittle (J. Mol. Biol. 1982, 157, 105), -4.5 (likes water) to 4.5; amino acids alone have one.
fn hydropathy(kind: ResidueKind, letter: char) -> Option<f32> {
    if kind != ResidueKind::Protein {
        return None;
    }
    Some(match letter {
        'I' => 4.5,
        'V' => 4.2,
        'L' => 3.8,
        'F' => 2.8,
        'C' => 2.5,
        'M' => 1.9,
        'A' => 1.8,
        'G' => -0.4,
        'T' => -0.7,
        'S' => -0.8,
        'W' => -0.9,
        'Y' => -1.3,
        'P' => -1.6,
        'H' => -3.2,
        'E' | 'Q' | 'D' | 'N' => -3.5,
        'K' => -3.9,
        'R' => -4.5,
        _ => return None,
    })
}

/// Letters of residues by name: modified ones are looked up in the component dictionary, each name once.
struct Letters<'a>(HashMap<&'a str, char>);

impl<'a> Letters<'a> {
    fn of(&mut self, residue: &'a Residue) -> char {
        *self.0.entry(&residue.name).or_insert_with(|| one_letter_code(&residue.name))
    }
}

/// A value of every residue, made from its kind and letter.
fn of_residues<T>(topology: &Topology, value: impl Fn(&Residue, char) -> T) -> Vec<T> {
    let mut letters = Letters(HashMap::new());
    topology
        .residues
        .iter()
        .map(|residue| {
            let letter = if residue.is_polymer() { letters.of(residue) } else { 'X' };
            value(residue, letter)
        })
        .collect()
}

/// The class of every residue.
#[must_use]
pub fn residue_classes(topology: &Topology) -> Vec<ResidueClass> {
    of_residues(topology, |residue, letter| ResidueClass::of(residue.kind, letter))
}

/// The hydropathy of every residue, where it has one.
pub(crate) fn hydropathies(topology: &Topology) -> Vec<Option<f32>> {
    of_residues(topology, |residue, letter| hydropathy(residue.kind, letter))
}

/// The charge of every residue in neutral water: of amino acids that of the side chain (histidine has none), of nucleotides
/// that of the phosphate, of all else what its atoms say.
pub(crate) fn charges(topology: &Topology) -> Vec<f32> {
    of_residues(topology, |residue, letter| match (residue.kind, letter) {
        (ResidueKind::Protein, 'D' | 'E') | (ResidueKind::Dna | ResidueKind::Rna, _) => -1.0,
        (ResidueKind::Protein, 'K' | 'R') => 1.0,
        (ResidueKind::Protein, _) => 0.0,
        _ => topology.atoms_of(residue).map(|atom| f32::from(topology.atoms[atom].formal_charge)).sum(),
    })
}

/// Which entity every residue belongs to, numbered as they appear: polymers of one sequence are one entity, and so is all
/// that is no polymer and has one name.
pub(crate) fn entities<'a>(topology: &'a Topology) -> Vec<usize> {
    let mut numbers: HashMap<Vec<&str>, usize> = HashMap::new();
    let mut entities = Vec::with_capacity(topology.residues.len());
    for chain in &topology.chains {
        let residues = &topology.residues[chain.residues.start as usize..chain.residues.end as usize];
        let polymer = residues.iter().filter(|residue| residue.is_polymer());
        let sequence: Vec<&str> = polymer.map(|residue| residue.name.as_str()).collect();
        let mut of_polymer = None;
        for residue in residues {
            let mut number = |key: Vec<&'a str>| {
                let next = numbers.len();
                *numbers.entry(key).or_insert(next)
            };
            entities.push(if residue.is_polymer() {
                *of_polymer.get_or_insert_with(|| number(sequence.clone()))
            } else {
                // The empty name, which no residue has, keeps it apart from a chain of one residue.
                number(vec!["", &residue.name])
            });
        }
    }
    entities
}

#[cfg(test)]
mod tests {
    use kfold_molecule::formats::pdb;

    use super::*;

    #[test]
    fn residues_have_what_their_names_say() {
        let text = "\
ATOM      1  CA  ASP A   1       0.000   0.000   0.000
ATOM      2  CA  LYS A   2       3.800   0.000   0.000
ATOM      3  CA  ILE A   3       7.600   0.000   0.000
HETATM    4 ZN    ZN A   4      20.000   0.000   0.000  1.00  0.00          ZN2+
ATOM      5  CA  ASP B   1       0.000  30.000   0.000
ATOM      6  CA  LYS B   2       3.800  30.000   0.000
ATOM      7  CA  ILE B   3       7.600  30.000   0.000
HETATM    8 ZN    ZN B   4      20.000  30.000   0.000  1.00  0.00          ZN2+
ATOM      9  C4'  DG C   1       0.000  60.000   0.000
";
        let structure = pdb::read(text.as_bytes()).unwrap();
        let topology = &structure.models[0].topology;
        assert_eq!(entities(topology), [0, 0, 0, 1, 0, 0, 0, 1, 2]);
        assert_eq!(charges(topology), [-1.0, 1.0, 0.0, 2.0, -1.0, 1.0, 0.0, 2.0, -1.0]);
        let classes = residue_classes(topology);
        assert_eq!(classes[..3], [ResidueClass::Negative, ResidueClass::Positive, ResidueClass::Hydrophobic]);
        assert_eq!((classes[3], classes[8]), (ResidueClass::Other, ResidueClass::Guanine));
        assert_eq!(hydropathies(topology)[..4], [Some(-3.5), Some(-3.9), Some(4.5), None]);
    }
}
