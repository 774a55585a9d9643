//! Selections: "the side chains within 5 Å of the ligand", as a text that a `PyMOL` or a `ChimeraX` user can type.
//!
//! ```text
//! selection  = term { ("and" | "&") term } ...       see below for what binds tighter
//! term       = ("not" | "!" | "~") term | "(" selection ")" | property | class | specification | macro
//! property   = chain, segi, resn, name, alt, object   NAMES        names: A+B, "O5*", C*, ?A
//!            | resi NUMBERS | index, rank, id NUMBERS | model N      numbers: 10-20+52A, -5--1, 10:20
//!            | elem C+N | ss h+s+l | (b|q|x|y|z|fc.|resi|index|id) (<|<=|>|>=|=|!=) VALUE
//! class      = all none sel polymer protein nucleic dna rna carbohydrate organic inorganic ligand ions solvent
//!              metals hetatm hydrogens backbone sidechain guide bonded helix strand coil, or an element's symbol
//! operator   = S around X | S expand X | S extend N | [S] within X of S | near_to X of | beyond X of
//!            | byres, bycalpha, bysegi, bychain, bymolecule, byobject, neighbor, bound_to, first, last  S
//! specification = [#1[.2]][/A,B][:10-20,HOH][@CA,CB] ...    @@bfactor>50   ::name="HIS"
//! zone       = term @<5 | :<5 | /<5 | #<5   (or with >)
//! macro      = /object/segment/chain/residue/name | chain/residue/name | residue/name
//! ```
//!
//! Binding, tightest first: zone and not; and; or; around, expand, extend, within; then byres and the other prefixes,
//! which take all that follows. `PyMOL` binds so, and its counts are the tests' reference (`tests/selections.rs`).
//!
//! What differs from the originals, on purpose: words in any letter case, names too; identifiers of chains,
//! segments and alternate locations keep their case where the structure has the one that was typed. `ss` is DSSP's, not
//! the file's. A free amino acid is a ligand, not polymer; caps of a chain (ACE, NH2) are polymer. `bychain` goes by the
//! chain's identifier alone, `bysegi` by mmCIF's label. Bonds are covalent ones. `resi 52` is 52 without insertion code, `resi 50-52` has 52A,
//! `resi 50-52A` ends there. In quotes `*` is a letter (old names: `"O5*"`).
//!
//! A text of strangers costs no more than its length and the atoms: nesting is bounded, distances are searched in a tree
//! whose cost does not depend on them.

mod atom_set;
mod evaluate;
mod expression;
mod parser;
mod subset;
#[cfg(test)]
mod tests;
mod vocabulary;

use std::fmt::{self, Display, Formatter};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

pub use atom_set::AtomSet;
pub use subset::subset_of;

use crate::analysis::secondary_structure::SecondaryStructure;
use crate::structure::Model;
use evaluate::Evaluator;
use expression::Expression;

/// Why a text is no selection.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("selection, column {column}: {what}; expected {expected}{}", suggestion_text(suggestion.as_deref()))]
pub struct SelectionError {
    /// Where, in letters from 1.
    pub column: usize,
    /// What is wrong.
    pub what: String,
    /// What could stand there.
    pub expected: String,
    /// The word that was probably meant.
    pub suggestion: Option<String>,
}

fn suggestion_text(suggestion: Option<&str>) -> String {
    suggestion.map(|word| format!(" (did you mean `{word}`?)")).unwrap_or_default()
}

/// A parsed selection. Its text ([`Display`]) is one form for all ways to write the same, and parses back to it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Selection {
    expression: Expression,
}

/// What a selection is asked of, where a model alone does not say it.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    /// The model.
    pub model: &'a Model,
    /// The structure's name, for `object` and macros.
    pub name: &'a str,
    /// The structure's number among those that are open, for `#1`; the model's own number comes after the dot.
    pub number: u32,
    /// What is selected there, for `sel`.
    pub selected: Option<&'a AtomSet>,
    /// Secondary structure of its residues, if it is known; else it is assigned when `ss` asks for it.
    pub secondary_structure: Option<&'a [SecondaryStructure]>,
}

impl<'a> Target<'a> {
    /// A model by itself: number 1, without name.
    #[must_use]
    pub fn new(model: &'a Model) -> Self {
        Self { model, name: "", number: 1, selected: None, secondary_structure: None }
    }
}

impl Selection {
    /// Every atom.
    #[must_use]
    pub fn all() -> Self {
        Self { expression: Expression::All }
    }

    /// No atom.
    #[must_use]
    pub fn none() -> Self {
        Self { expression: Expression::None }
    }

    /// Understands a text.
    ///
    /// # Errors
    /// When it is no selection: where, what could stand there, and the word that was probably meant.
    pub fn parse(text: &str) -> Result<Self, SelectionError> {
        parser::parse(text).map(|expression| Self { expression })
    }

    /// What either selects.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self { expression: Expression::or([self.expression, other.expression]) }
    }

    /// What this selects and the other does not.
    #[must_use]
    pub fn without(self, other: Self) -> Self {
        Self { expression: Expression::and([self.expression, other.expression.not()]) }
    }

    /// What it does not select.
    #[must_use]
    pub fn inverted(self) -> Self {
        Self { expression: self.expression.not() }
    }

    /// Whether it says `sel`.
    #[must_use]
    pub fn asks_for_selected(&self) -> bool {
        self.expression.contains_current()
    }

    /// The same with another selection in place of every `sel`, for whoever keeps what is selected as a selection.
    #[must_use]
    pub fn with_selected(self, selected: &Self) -> Self {
        Self { expression: self.expression.with_current(&selected.expression) }
    }

    /// The selected atoms of a model by itself.
    #[must_use]
    pub fn select(&self, model: &Model) -> AtomSet {
        self.select_in(&Target::new(model))
    }

    /// The selected atoms of one model among others.
    #[must_use]
    pub fn select_in(&self, target: &Target<'_>) -> AtomSet {
        Evaluator::new(target).evaluate(&self.expression)
    }
}

impl FromStr for Selection {
    type Err = SelectionError;

    fn from_str(text: &str) -> Result<Self, SelectionError> {
        Self::parse(text)
    }
}

impl TryFrom<String> for Selection {
    type Error = SelectionError;

    fn try_from(text: String) -> Result<Self, SelectionError> {
        Self::parse(&text)
    }
}

impl From<Selection> for String {
    fn from(selection: Selection) -> Self {
        selection.to_string()
    }
}

impl Display for Selection {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.expression.fmt(f)
    }
}
