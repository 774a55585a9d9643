//! The words of K-Fold's features: residue types, atom names, sequence tokens, and which component is read as what.
//!
//! The order of every table is part of the trained network; facts from K-Fold 1.0.0, constants/. Sequence tokens follow the
//! order of ESM-2's alphabet with the bases of DNA and RNA behind it.

use std::collections::{HashMap, HashSet};
use std::sync::OnceLock;

use crate::kfold::input::ChainType;

/// `atom.atom_type` of an atom that is a token of its own.
pub const ATOM_TYPE_OF_SINGLE: usize = PROTEIN_ATOMS.len() + NUCLEIC_ATOMS.len();
/// Sequence token before each chain.
pub const BEGIN_TOKEN: i64 = 0;
/// Sequence token after each chain.
pub const END_TOKEN: i64 = 2;
/// Sequence token of residues of ligands.
pub const UNKNOWN_TOKEN: i64 = 3;
/// Sequence token of padding.
pub const PADDING_TOKEN: i64 = 1;

/// The 37 heavy atoms of the standard amino acids, in the order of apo coordinates and atom types.
pub const PROTEIN_ATOMS: [&str; 37] = [
    "N", "CA", "C", "CB", "O", "CG", "CG1", "CG2", "OG", "OG1", "SG", "CD", "CD1", "CD2", "ND1", "ND2", "OD1", "OD2",
    "SD", "CE", "CE1", "CE2", "CE3", "NE", "NE1", "NE2", "OE1", "OE2", "CH2", "NH1", "NH2", "OH", "CZ", "CZ2", "CZ3",
    "NZ", "OXT",
];
/// Atom types of nucleotides, after those of amino acids.
const NUCLEIC_ATOMS: [&str; 29] = [
    "C1'", "C2", "C2'", "C3'", "C4", "C4'", "C5", "C5'", "C6", "C7", "C8", "N1", "N2", "N3", "N4", "N6", "N7", "N9",
    "O2", "O2'", "O3'", "O4", "O4'", "O5'", "O6", "OP1", "OP2", "OP3", "P",
];

/// A standard residue: its component code, its letter, the atoms it has as a token.
#[derive(Clone, Copy, Debug)]
pub struct StandardResidue {
    /// Component code.
    pub code: &'static str,
    /// One letter.
    pub letter: char,
    /// What it belongs to.
    pub chain_type: ChainType,
    /// `token.res_type`.
    pub residue_type: i64,
    /// Atoms in the order of the features, terminal atoms left out.
    pub atoms: &'static [&'static str],
    /// Atom that stands for the residue's place: CA or C1'.
    pub centre: usize,
    /// Atom that distances between residues are measured at: CB (CA of glycine), C4 of purines, C2 of pyrimidines.
    pub representative: usize,
}

const RIBOSE: &[&str] = &["P", "OP1", "OP2", "O5'", "C5'", "C4'", "O4'", "C3'", "O3'", "C2'", "O2'", "C1'"];
const DEOXYRIBOSE: &[&str] = &["P", "OP1", "OP2", "O5'", "C5'", "C4'", "O4'", "C3'", "O3'", "C2'", "C1'"];
const ADENINE: &[&str] = &["N9", "C8", "N7", "C5", "C6", "N6", "N1", "C2", "N3", "C4"];
const GUANINE: &[&str] = &["N9", "C8", "N7", "C5", "C6", "O6", "N1", "C2", "N2", "N3", "C4"];
const CYTOSINE: &[&str] = &["N1", "C2", "O2", "N3", "C4", "N4", "C5", "C6"];
const URACIL: &[&str] = &["N1", "C2", "O2", "N3", "C4", "O4", "C5", "C6"];
const THYMINE: &[&str] = &["N1", "C2", "O2", "N3", "C4", "O4", "C5", "C7", "C6"];

/// Code, letter and side chain of the amino acids, in the order of their types from 1.
const AMINO_ACIDS: [(&str, char, &[&str]); 21] = [
    ("ALA", 'A', &["CB"]),
    ("ARG", 'R', &["CB", "CG", "CD", "NE", "CZ", "NH1", "NH2"]),
    ("ASN", 'N', &["CB", "CG", "OD1", "ND2"]),
    ("ASP", 'D', &["CB", "CG", "OD1", "OD2"]),
    ("CYS", 'C', &["CB", "SG"]),
    ("GLN", 'Q', &["CB", "CG", "CD", "OE1", "NE2"]),
    ("GLU", 'E', &["CB", "CG", "CD", "OE1", "OE2"]),
    ("GLY", 'G', &[]),
    ("HIS", 'H', &["CB", "CG", "ND1", "CD2", "CE1", "NE2"]),
    ("ILE", 'I', &["CB", "CG1", "CG2", "CD1"]),
    ("LEU", 'L', &["CB", "CG", "CD1", "CD2"]),
    ("LYS", 'K', &["CB", "CG", "CD", "CE", "NZ"]),
    ("MET", 'M', &["CB", "CG", "SD", "CE"]),
    ("PHE", 'F', &["CB", "CG", "CD1", "CD2", "CE1", "CE2", "CZ"]),
    ("PRO", 'P', &["CB", "CG", "CD"]),
    ("SER", 'S', &["CB", "OG"]),
    ("THR", 'T', &["CB", "OG1", "CG2"]),
    ("TRP", 'W', &["CB", "CG", "CD1", "CD2", "NE1", "CE2", "CE3", "CZ2", "CZ3", "CH2"]),
    ("TYR", 'Y', &["CB", "CG", "CD1", "CD2", "CE1", "CE2", "CZ", "OH"]),
    ("VAL", 'V', &["CB", "CG1", "CG2"]),
    ("UNK", 'X', &["CB"]),
];

/// All standard residues, in the order of their types from 1. Unknown residues (UNK, N, DN) are among them.
pub fn standard_residues() -> &'static [StandardResidue] {
    static RESIDUES: OnceLock<Vec<StandardResidue>> = OnceLock::new();
    RESIDUES.get_or_init(|| {
        let mut residues = Vec::new();
        let mut add =
            |code, letter, chain_type, parts: &[&'static [&'static str]], centre: &str, representative: &str| {
                // Thirty-one short lists for the life of the program.
                let atoms: &'static [&'static str] = Vec::leak(parts.concat());
                let place = |name: &str| atoms.iter().position(|&atom| atom == name).unwrap_or_default();
                let residue_type = residues.len() as i64 + 1;
                residues.push(StandardResidue {
                    code,
                    letter,
                    chain_type,
                    residue_type,
                    atoms,
                    centre: place(centre),
                    representative: place(representative),
                });
            };
        for (code, letter, side_chain) in AMINO_ACIDS {
            let representative = if side_chain.is_empty() { "CA" } else { "CB" };
            add(code, letter, ChainType::Protein, &[&["N", "CA", "C", "O"], side_chain], "CA", representative);
        }
        for (code, letter, base, representative) in [
            ("A", 'A', ADENINE, "C4"),
            ("G", 'G', GUANINE, "C4"),
            ("C", 'C', CYTOSINE, "C2"),
            ("U", 'U', URACIL, "C2"),
            ("N", 'N', &[][..], "C1'"),
        ] {
            add(code, letter, ChainType::Rna, &[RIBOSE, base], "C1'", representative);
        }
        for (code, letter, base, representative) in [
            ("DA", 'A', ADENINE, "C4"),
            ("DG", 'G', GUANINE, "C4"),
            ("DC", 'C', CYTOSINE, "C2"),
            ("DT", 'T', THYMINE, "C2"),
            ("DN", 'N', &[][..], "C1'"),
        ] {
            add(code, letter, ChainType::Dna, &[DEOXYRIBOSE, base], "C1'", representative);
        }
        residues
    })
}

/// The standard residue with this component code in a chain of this type.
#[must_use]
pub fn standard_residue(code: &str, chain_type: ChainType) -> Option<&'static StandardResidue> {
    standard_residues().iter().find(|residue| residue.chain_type == chain_type && residue.code == code)
}

/// The standard residue with this letter in a chain of this type, the unknown residue for any other letter. `None` for
/// ligands.
#[must_use]
pub fn residue_of_letter(letter: char, chain_type: ChainType) -> Option<&'static StandardResidue> {
    let mut of_type = standard_residues().iter().filter(|residue| residue.chain_type == chain_type);
    of_type.clone().find(|residue| residue.letter == letter).or_else(|| of_type.next_back())
}

/// The letter that the network was trained to read a component as: `X` or `N` for those it does not know.
#[must_use]
pub fn letter_of_code(code: &str, chain_type: ChainType) -> char {
    static LETTERS: OnceLock<HashMap<&'static str, char>> = OnceLock::new();
    let letters = LETTERS.get_or_init(|| {
        include_str!("one_letter_codes.txt")
            .lines()
            .filter(|line| !line.starts_with('#'))
            .filter_map(|line| line.split_once(": "))
            .flat_map(|(letter, codes)| codes.split(' ').filter_map(move |code| Some((code, letter.chars().next()?))))
            .collect()
    });
    letters.get(code).copied().unwrap_or(if chain_type == ChainType::Protein { 'X' } else { 'N' })
}

/// Whether the component is a glycan, whose O1 is kept only where it is bonded.
#[must_use]
pub fn is_glycan(code: &str) -> bool {
    static GLYCANS: OnceLock<HashSet<&'static str>> = OnceLock::new();
    GLYCANS
        .get_or_init(|| {
            include_str!("glycans.txt")
                .lines()
                .filter(|line| !line.starts_with('#'))
                .flat_map(|line| line.split(' '))
                .collect()
        })
        .contains(code)
}

/// `token.res_type` of a component: a modified residue has the type of the residue it is read as, ligands are unknown.
#[must_use]
pub fn residue_type(code: &str, chain_type: ChainType) -> i64 {
    const UNKNOWN_PROTEIN: i64 = 21;
    residue_of_letter(letter_of_code(code, chain_type), chain_type)
        .map_or(UNKNOWN_PROTEIN, |residue| residue.residue_type)
}

/// Sequence token of a residue of a polymer, ambiguous amino acids read as one of the two.
#[must_use]
pub fn sequence_token(code: &str, chain_type: ChainType) -> i64 {
    const AMINO_ACIDS: &str = "LAGVSERTIDPKQNFYMHWCXBUZO.-|";
    const DNA: &str = "AGCTN";
    const RNA: &str = "AGCUN";
    // Four special tokens before the amino acids, the mask between them and the bases.
    let (alphabet, offset, unknown) = match chain_type {
        ChainType::Protein => (AMINO_ACIDS, 4, 'X'),
        ChainType::Dna => (DNA, 4 + AMINO_ACIDS.len() + 1, 'N'),
        ChainType::Rna => (RNA, 4 + AMINO_ACIDS.len() + 1 + DNA.len(), 'N'),
        ChainType::Ligand => return UNKNOWN_TOKEN,
    };
    let letter = match (letter_of_code(code, chain_type), chain_type) {
        ('B', ChainType::Protein) => 'D',
        ('Z', ChainType::Protein) => 'E',
        ('U', ChainType::Protein) => 'C',
        (letter, _) => letter,
    };
    let is_standard =
        standard_residues().iter().any(|residue| residue.chain_type == chain_type && residue.letter == letter);
    let letter = if is_standard { letter } else { unknown };
    (offset + alphabet.find(letter).unwrap_or_default()) as i64
}

/// The three atoms of a residue's frame.
#[must_use]
pub const fn frame_atoms(chain_type: ChainType) -> Option<[&'static str; 3]> {
    match chain_type {
        ChainType::Protein => Some(["N", "CA", "C"]),
        ChainType::Dna | ChainType::Rna => Some(["C1'", "C3'", "C4'"]),
        ChainType::Ligand => None,
    }
}

/// `atom.atom_type` of an atom of a standard residue.
#[must_use]
pub fn atom_type(name: &str) -> usize {
    PROTEIN_ATOMS.iter().chain(&NUCLEIC_ATOMS).position(|&atom| atom == name).unwrap_or(ATOM_TYPE_OF_SINGLE)
}

/// Place of an atom in the 37 of a protein residue.
#[must_use]
pub fn atom37(name: &str) -> Option<usize> {
    PROTEIN_ATOMS.iter().position(|&atom| atom == name)
}

/// The four characters of an atom's name as the network reads them: upper case, code minus 32, padded with 0.
#[must_use]
pub fn name_characters(name: &str) -> [i64; 4] {
    let mut characters = [0; 4];
    for (character, byte) in characters.iter_mut().zip(name.trim().bytes()) {
        *character = i64::from(byte.to_ascii_uppercase()).saturating_sub(32).clamp(0, 63);
    }
    characters
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_have_their_published_sizes_and_ends() {
        let residues = standard_residues();
        assert_eq!(residues.len(), 31);
        assert_eq!((residues[20].code, residues[20].residue_type), ("UNK", 21));
        assert_eq!((residues[30].code, residues[30].residue_type, residues[30].atoms.len()), ("DN", 31, 11));
        assert_eq!(ATOM_TYPE_OF_SINGLE, 66);
        assert_eq!(sequence_token("LEU", ChainType::Protein), 4);
        assert_eq!(sequence_token("DA", ChainType::Dna), 33);
        assert_eq!(sequence_token("U", ChainType::Rna), 41);
        // Every atom of a standard residue has a type of its own.
        for residue in residues {
            for atom in residue.atoms {
                assert!(atom_type(atom) < ATOM_TYPE_OF_SINGLE, "{} {atom}", residue.code);
            }
        }
    }

    #[test]
    fn modified_residues_are_read_as_what_they_were_made_from() {
        let serine = residue_of_letter('S', ChainType::Protein).unwrap();
        assert_eq!(residue_type("SEP", ChainType::Protein), serine.residue_type);
        assert_eq!(residue_type("PSU", ChainType::Rna), residue_type("U", ChainType::Rna));
        assert_eq!(residue_type("ZZZ", ChainType::Protein), 21);
        assert_eq!(residue_type("ATP", ChainType::Ligand), 21);
        assert_eq!(sequence_token("SEC", ChainType::Protein), sequence_token("ALA", ChainType::Protein));
        assert!(is_glycan("NAG") && !is_glycan("ATP"));
    }

    #[test]
    fn names_become_characters() {
        assert_eq!(name_characters("CA"), [35, 33, 0, 0]);
        assert_eq!(name_characters("o5'"), [47, 21, 7, 0]);
    }
}
