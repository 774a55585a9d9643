//! The wwPDB chemical component dictionary: every residue and ligand of the Protein Data Bank, with atoms, bonds, charges
//! and coordinates.
//!
//! The dictionary travels inside the program (`assets/components.bin`, made by `cargo run --release -p kfold-molecule
//! --example build_components`; the file's pages are read by the system when they are touched). [`lookup`] finds one
//! component by its code; it reads the index (once), then the block of sixteen components that holds the code, and keeps
//! the latest blocks. [`search`] finds components by name; it reads all names once.
//!
//! ```
//! let alanine = kfold_molecule::components::lookup("ALA")?.unwrap();
//! assert_eq!((alanine.name.as_str(), alanine.one_letter_code()), ("ALANINE", Some('A')));
//! # Ok::<(), kfold_molecule::components::ComponentError>(())
//! ```
//!
//! Source: Westbrook et al., Bioinformatics 2015, 31, 1274 (the dictionary, CC0).
//!
//! How it is stored: [`asset`] (file), [`record`] (which bit depends on what), [`geometry`] (coordinates from bonds),
//! [`range_coder`] (bits to bytes).

mod asset;
mod geometry;
mod molecule;
mod range_coder;
mod record;
mod search;

use std::sync::{Arc, LazyLock};

use glam::Vec3;
use smol_str::SmolStr;

use crate::Element;
use crate::structure::BondOrder;

pub use asset::{Dictionary, write};
pub use molecule::molecule;
pub use search::Hit;

/// Why the dictionary could not be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ComponentError {
    /// The bytes are not what they should be.
    #[error("the component dictionary is damaged: {0}; install the program again")]
    Damaged(String),
    /// A component holds something that the file cannot.
    #[error("component {code} cannot be stored: {reason}")]
    CannotHold {
        /// Its code.
        code: String,
        /// What does not fit.
        reason: String,
    },
    /// The dictionary knows the code but no molecule can be made of it.
    #[error("component {code} is no molecule that can be worked with: {reason}")]
    NoMolecule {
        /// Its code.
        code: String,
        /// Why.
        reason: String,
    },
    /// The dictionary does not know the code.
    #[error("the component dictionary has no `{0}`; check the code, or give the molecule as SMILES or SDF")]
    Unknown(String),
}

/// One component as the dictionary describes it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Component {
    /// Code of up to five characters, e.g. `ATP`.
    pub code: SmolStr,
    /// Name, mostly in capitals.
    pub name: String,
    /// Other names.
    pub synonyms: Vec<String>,
    /// `_chem_comp.type` in capitals, e.g. `L-PEPTIDE LINKING`, `NON-POLYMER`.
    pub type_name: SmolStr,
    /// Formal charge of the whole, in elementary charges.
    pub charge: i32,
    /// Codes of the standard residues it is a modification of (`MET` of `MSE`); several for fused residues.
    pub parents: Vec<SmolStr>,
    /// One-letter codes as the dictionary gives them: one of a residue, several of fused residues, else empty.
    pub one_letter_codes: SmolStr,
    /// Whether the entry is obsolete.
    pub is_obsolete: bool,
    /// The code of the entry that took an obsolete one's place.
    pub replaced_by: Option<SmolStr>,
    /// Atoms with hydrogens, in the dictionary's order.
    pub atoms: Vec<ComponentAtom>,
    /// Bonds, each once, `a < b`, sorted.
    pub bonds: Vec<ComponentBond>,
    /// Idealised coordinates in Å, one for each atom; `None` where the dictionary has none.
    pub ideal: Vec<Option<Vec3>>,
    /// Coordinates in Å as seen in one entry of the archive, one for each atom.
    pub model: Vec<Option<Vec3>>,
}

/// An atom of a component.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ComponentAtom {
    /// Name, e.g. `CA`.
    pub name: SmolStr,
    /// Its name in files from before 2007 where it differs, e.g. `1HB`; else empty. Kept for components of that time.
    pub other_name: SmolStr,
    /// Element.
    pub element: Element,
    /// Whether it is deuterium.
    pub is_deuterium: bool,
    /// Formal charge in elementary charges.
    pub charge: i8,
    /// Whether the dictionary calls it aromatic.
    pub is_aromatic: bool,
    /// Whether it leaves when the component becomes part of a polymer.
    pub is_leaving: bool,
    /// Its configuration.
    pub stereo: CentreStereo,
}

/// A bond of a component.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ComponentBond {
    /// Lower atom index.
    pub a: u32,
    /// Higher atom index.
    pub b: u32,
    /// Order in the Kekulé form.
    pub order: BondOrder,
    /// Whether the dictionary calls it aromatic.
    pub is_aromatic: bool,
    /// Its configuration.
    pub stereo: BondStereo,
}

/// Configuration of a centre by the rules of Cahn, Ingold and Prelog.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum CentreStereo {
    /// No centre, or not known.
    #[default]
    None,
    /// R.
    R,
    /// S.
    S,
}

/// Configuration of a double bond.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum BondStereo {
    /// None, or not known.
    #[default]
    None,
    /// Opposite.
    E,
    /// Together.
    Z,
}

/// Which polymer a component is a unit of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Polymer {
    /// None: ligands, ions, water.
    None,
    /// Amino acids and groups at the ends of peptides.
    Peptide,
    /// Deoxyribonucleotides.
    Dna,
    /// Ribonucleotides.
    Rna,
    /// Sugars.
    Saccharide,
}

impl Component {
    /// The polymer it is a unit of, by its type. Units that are not linked by peptide bonds (`PEPTIDE-LIKE`) count as none.
    #[must_use]
    pub fn polymer(&self) -> Polymer {
        let name = self.type_name.as_str();
        if name.contains("PEPTIDE") && name != "PEPTIDE-LIKE" {
            Polymer::Peptide
        } else if name.contains("DNA") {
            Polymer::Dna
        } else if name.contains("RNA") {
            Polymer::Rna
        } else if name.contains("SACCHARIDE") {
            Polymer::Saccharide
        } else {
            Polymer::None
        }
    }

    /// The one-letter code, where there is a single one.
    #[must_use]
    pub fn one_letter_code(&self) -> Option<char> {
        let mut letters = self.one_letter_codes.chars();
        letters.next().filter(|letter| letters.next().is_none() && letter.is_ascii_uppercase())
    }

    /// Index of the atom of this name; the names of before 2007 are understood where no atom has it now.
    #[must_use]
    pub fn atom_named(&self, name: &str) -> Option<usize> {
        let now = self.atoms.iter().position(|atom| atom.name == name);
        now.or_else(|| self.atoms.iter().position(|atom| !name.is_empty() && atom.other_name == name))
    }

    /// Chemical formula in Hill's order (carbon, hydrogen, then by symbol), e.g. `C3 H7 N O2`; deuterium is `D`.
    #[must_use]
    pub fn formula(&self) -> String {
        let mut counts: std::collections::BTreeMap<&str, usize> = std::collections::BTreeMap::new();
        for atom in &self.atoms {
            *counts.entry(if atom.is_deuterium { "D" } else { atom.element.symbol() }).or_default() += 1;
        }
        let first = if counts.contains_key("C") { ["C", "H"].as_slice() } else { &[] };
        let mut parts: Vec<(&str, usize)> = first.iter().filter_map(|symbol| counts.remove_entry(symbol)).collect();
        parts.extend(counts);
        let parts: Vec<String> = parts
            .into_iter()
            .map(|(symbol, count)| if count == 1 { symbol.to_owned() } else { format!("{symbol}{count}") })
            .collect();
        parts.join(" ")
    }
}

static STANDARD: LazyLock<Result<Dictionary, ComponentError>> =
    LazyLock::new(|| Dictionary::open(include_bytes!("../../../assets/components.bin").as_slice().into()));

/// The dictionary inside the program.
///
/// # Errors
/// When it is damaged.
pub fn standard() -> Result<&'static Dictionary, ComponentError> {
    STANDARD.as_ref().map_err(Clone::clone)
}

/// The component of a code (in any letter case), or `None` when there is no such code.
///
/// # Errors
/// When the dictionary is damaged.
pub fn lookup(code: &str) -> Result<Option<Arc<Component>>, ComponentError> {
    standard()?.lookup(code)
}

/// The best `limit` components for a code, a name or words of one; see [`Dictionary::search`].
///
/// # Errors
/// When the dictionary is damaged.
pub fn search(text: &str, limit: usize) -> Result<Vec<Hit>, ComponentError> {
    standard()?.search(text, limit)
}
