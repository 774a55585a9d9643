//! What can go wrong with a molecule as chemistry.

/// Why a molecule was refused or could not be worked on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChemistryError {
    /// No text at all.
    #[error("the SMILES is empty; type one, e.g. CCO for ethanol")]
    EmptySmiles,
    /// More text than any ligand needs.
    #[error("the SMILES has {length} characters; ligands of up to {limit} characters are read")]
    SmilesTooLong {
        /// Characters given.
        length: usize,
        /// Characters allowed.
        limit: usize,
    },
    /// The SMILES cannot be read.
    #[error("SMILES `{smiles}`{}: {reason}", at_character(*.position))]
    Smiles {
        /// The SMILES, shortened if long.
        smiles: String,
        /// What is wrong and what would be right.
        reason: String,
        /// Where, as a character counted from 1, when it can be told.
        position: Option<usize>,
    },
    /// The molecule has no atoms.
    #[error("the molecule has no atoms")]
    NoAtoms,
    /// More atoms than a ligand has.
    #[error("the molecule has {atoms} atoms; ligands of up to {limit} atoms are handled")]
    TooLarge {
        /// Atoms given.
        atoms: usize,
        /// Atoms allowed.
        limit: usize,
    },
    /// The molecule breaks the rules of valence or aromaticity, or holds something we cannot treat.
    #[error("molecule{}: {reason}", named(.name))]
    Invalid {
        /// Its name, may be empty.
        name: String,
        /// What is wrong and at which atom.
        reason: String,
    },
    /// No 3D structure could be made.
    #[error("no 3D structure could be made for the molecule{}: {reason}", named(.name))]
    NoConformer {
        /// Its name, may be empty.
        name: String,
        /// Why.
        reason: String,
    },
    /// Making a 3D structure took too long.
    #[error(
        "no 3D structure within {seconds} s for the molecule{}; check that its stereochemistry is possible, \
         or give a 3D structure (SDF)",
        named(.name)
    )]
    TimedOut {
        /// Its name, may be empty.
        name: String,
        /// The time limit in seconds.
        seconds: u64,
    },
    /// The residue and the template are not the same molecule.
    #[error("residue {residue} does not fit the template: {reason}")]
    Template {
        /// The residue as people write it.
        residue: String,
        /// What differs.
        reason: String,
    },
    /// The user cancelled.
    #[error("cancelled")]
    Cancelled,
}

fn at_character(position: Option<usize>) -> String {
    position.map(|position| format!(", character {position}")).unwrap_or_default()
}

fn named(name: &str) -> String {
    if name.is_empty() { String::new() } else { format!(" `{name}`") }
}
