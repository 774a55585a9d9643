//! Residue types and their atoms as AtlasFold numbers them (AtlasFold 1.0.4, `common/residue_constants.py`).
//!
//! A residue has at most 14 heavy atoms, so coordinates are `[residue][14]` ("atom14", the order depends on the residue
//! type); structure tokens and apo features use 37 named places ("atom37", the same place for every residue type).

use kfold_molecule::Element;

/// Atoms a residue can have.
pub const ATOM14: usize = 14;

/// Places of the atom37 order.
pub const ATOM37: usize = 37;

/// Number of residue types, the unknown one included.
pub const RESIDUE_TYPES: usize = 21;

/// A residue type's one-letter code, its component code, and its atoms in atom14 order.
#[derive(Clone, Copy, Debug)]
pub struct ResidueType {
    /// One-letter code.
    pub letter: u8,
    /// Component code.
    pub name: &'static str,
    /// Atom names in atom14 order.
    pub atoms: &'static [&'static str],
}

const fn residue(letter: u8, name: &'static str, atoms: &'static [&'static str]) -> ResidueType {
    ResidueType { letter, name, atoms }
}

/// The residue types in AtlasFold's order; the last is the unknown residue, built like alanine.
pub const RESIDUES: [ResidueType; RESIDUE_TYPES] = [
    residue(b'A', "ALA", &["N", "CA", "C", "O", "CB"]),
    residue(b'R', "ARG", &["N", "CA", "C", "O", "CB", "CG", "CD", "NE", "CZ", "NH1", "NH2"]),
    residue(b'N', "ASN", &["N", "CA", "C", "O", "CB", "CG", "OD1", "ND2"]),
    residue(b'D', "ASP", &["N", "CA", "C", "O", "CB", "CG", "OD1", "OD2"]),
    residue(b'C', "CYS", &["N", "CA", "C", "O", "CB", "SG"]),
    residue(b'Q', "GLN", &["N", "CA", "C", "O", "CB", "CG", "CD", "OE1", "NE2"]),
    residue(b'E', "GLU", &["N", "CA", "C", "O", "CB", "CG", "CD", "OE1", "OE2"]),
    residue(b'G', "GLY", &["N", "CA", "C", "O"]),
    residue(b'H', "HIS", &["N", "CA", "C", "O", "CB", "CG", "ND1", "CD2", "CE1", "NE2"]),
    residue(b'I', "ILE", &["N", "CA", "C", "O", "CB", "CG1", "CG2", "CD1"]),
    residue(b'L', "LEU", &["N", "CA", "C", "O", "CB", "CG", "CD1", "CD2"]),
    residue(b'K', "LYS", &["N", "CA", "C", "O", "CB", "CG", "CD", "CE", "NZ"]),
    residue(b'M', "MET", &["N", "CA", "C", "O", "CB", "CG", "SD", "CE"]),
    residue(b'F', "PHE", &["N", "CA", "C", "O", "CB", "CG", "CD1", "CD2", "CE1", "CE2", "CZ"]),
    residue(b'P', "PRO", &["N", "CA", "C", "O", "CB", "CG", "CD"]),
    residue(b'S', "SER", &["N", "CA", "C", "O", "CB", "OG"]),
    residue(b'T', "THR", &["N", "CA", "C", "O", "CB", "OG1", "CG2"]),
    residue(b'W', "TRP", &["N", "CA", "C", "O", "CB", "CG", "CD1", "CD2", "NE1", "CE2", "CE3", "CZ2", "CZ3", "CH2"]),
    residue(b'Y', "TYR", &["N", "CA", "C", "O", "CB", "CG", "CD1", "CD2", "CE1", "CE2", "CZ", "OH"]),
    residue(b'V', "VAL", &["N", "CA", "C", "O", "CB", "CG1", "CG2"]),
    residue(b'X', "UNK", &["N", "CA", "C", "O", "CB"]),
];

/// Index of the unknown residue.
pub const UNKNOWN: u8 = 20;

/// Index of glycine, which has no CB.
const GLYCINE: u8 = 7;

/// Atom names in atom37 order; `OXT` is in no residue type.
pub const ATOM37_NAMES: [&str; ATOM37] = [
    "N", "CA", "C", "CB", "O", "CG", "CG1", "CG2", "OG", "OG1", "SG", "CD", "CD1", "CD2", "ND1", "ND2", "OD1", "OD2",
    "SD", "CE", "CE1", "CE2", "CE3", "NE", "NE1", "NE2", "OE1", "OE2", "CH2", "NH1", "NH2", "OH", "CZ", "CZ2", "CZ3",
    "NZ", "OXT",
];

/// The type of a residue given by its one-letter code in any case; what is not one of the twenty is unknown.
#[must_use]
pub fn type_of(letter: char) -> u8 {
    let upper = letter.to_ascii_uppercase();
    RESIDUES.iter().position(|residue| char::from(residue.letter) == upper).map_or(UNKNOWN, |index| index as u8)
}

/// The types of a sequence, white space left out.
#[must_use]
pub fn types_of(sequence: &str) -> Vec<u8> {
    sequence.chars().filter(|letter| !letter.is_whitespace()).map(type_of).collect()
}

/// The atom14 index of the atom that stands for the side chain: CB, or CA in glycine.
#[must_use]
pub fn pseudo_beta(residue_type: u8) -> usize {
    if residue_type == GLYCINE { 1 } else { 4 }
}

/// For each atom37 place, the residue type's atom14 index, or `None` where it has no such atom.
#[must_use]
pub fn atom14_of_atom37(residue_type: u8) -> [Option<usize>; ATOM37] {
    let atoms = RESIDUES[usize::from(residue_type)].atoms;
    ATOM37_NAMES.map(|name| atoms.iter().position(|atom| *atom == name))
}

/// The element of an amino acid's atom: its first letter.
#[must_use]
pub fn element_of(atom: &str) -> Element {
    atom.get(..1).and_then(Element::from_symbol).unwrap_or(Element::UNKNOWN)
}

#[cfg(test)]
mod tests {
    use super::{ATOM14, ATOM37_NAMES, RESIDUES, atom14_of_atom37, type_of, types_of};

    #[test]
    fn every_atom_has_its_place() {
        for (index, residue) in RESIDUES.iter().enumerate() {
            assert!(residue.atoms.len() <= ATOM14);
            let places = atom14_of_atom37(index as u8);
            assert_eq!(places.iter().flatten().count(), residue.atoms.len(), "{}", residue.name);
            for (place, atom) in places.iter().enumerate().filter_map(|(place, atom)| atom.map(|atom| (place, atom))) {
                assert_eq!(ATOM37_NAMES[place], residue.atoms[atom]);
            }
        }
    }

    #[test]
    fn letters_outside_the_twenty_are_unknown() {
        assert_eq!(type_of('v'), 19);
        assert_eq!(types_of("a U\nB"), [0, 20, 20]);
    }
}
