//! The words of both dialects, in one place: what they mean, how they are printed, and which one a mistyped word meant.

use super::expression::{Class, Expression, Fold, Group, NumberField, Quantity, TextField};

/// What a word begins.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Word {
    All,
    None,
    Current,
    Class(Class),
    Fold(Fold),
    Text(TextField),
    Elements,
    ResidueNumbers,
    Numbers(NumberField),
    SecondaryStructure,
    /// A number or a name.
    Model,
    Quantity(Quantity),
    Whole(Group),
    Bonded {
        outside: bool,
    },
    End {
        is_last: bool,
    },
    Not,
    And,
    Or,
    Of,
    /// `within X of SEL`, `near_to`, `beyond`.
    Within(Zone),
    /// `SEL around X`, `SEL expand X`.
    Around {
        includes_itself: bool,
    },
    Extend,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Zone {
    Within,
    NearTo,
    Beyond,
}

/// The first word of a meaning is the one that is printed.
const WORDS: &[(&str, Word)] = {
    use Word as W;
    &[
        ("all", W::All),
        ("none", W::None),
        ("sel", W::Current),
        ("sele", W::Current),
        ("polymer", W::Class(Class::Polymer)),
        ("pol.", W::Class(Class::Polymer)),
        ("protein", W::Class(Class::Protein)),
        ("polymer.protein", W::Class(Class::Protein)),
        ("nucleic", W::Class(Class::Nucleic)),
        ("polymer.nucleic", W::Class(Class::Nucleic)),
        ("dna", W::Class(Class::Dna)),
        ("rna", W::Class(Class::Rna)),
        ("carbohydrate", W::Class(Class::Carbohydrate)),
        ("sugar", W::Class(Class::Carbohydrate)),
        ("organic", W::Class(Class::Organic)),
        ("org.", W::Class(Class::Organic)),
        ("inorganic", W::Class(Class::Inorganic)),
        ("ino.", W::Class(Class::Inorganic)),
        ("ligand", W::Class(Class::Ligand)),
        ("ligands", W::Class(Class::Ligand)),
        ("ions", W::Class(Class::Ions)),
        ("ion", W::Class(Class::Ions)),
        ("solvent", W::Class(Class::Solvent)),
        ("sol.", W::Class(Class::Solvent)),
        ("water", W::Class(Class::Solvent)),
        ("waters", W::Class(Class::Solvent)),
        ("metals", W::Class(Class::Metals)),
        ("metal", W::Class(Class::Metals)),
        ("hetatm", W::Class(Class::Hetero)),
        ("het", W::Class(Class::Hetero)),
        ("hydrogens", W::Class(Class::Hydrogens)),
        ("hydrogen", W::Class(Class::Hydrogens)),
        ("hydro", W::Class(Class::Hydrogens)),
        ("h.", W::Class(Class::Hydrogens)),
        ("backbone", W::Class(Class::Backbone)),
        ("bb.", W::Class(Class::Backbone)),
        ("sidechain", W::Class(Class::Sidechain)),
        ("sc.", W::Class(Class::Sidechain)),
        ("sideonly", W::Class(Class::Sidechain)),
        ("guide", W::Class(Class::Guide)),
        ("bonded", W::Class(Class::Bonded)),
        ("helix", W::Fold(Fold::Helix)),
        ("strand", W::Fold(Fold::Strand)),
        ("sheet", W::Fold(Fold::Strand)),
        ("coil", W::Fold(Fold::Loop)),
        ("object", W::Text(TextField::Object)),
        ("o.", W::Text(TextField::Object)),
        ("segi", W::Text(TextField::Segment)),
        ("segid", W::Text(TextField::Segment)),
        ("s.", W::Text(TextField::Segment)),
        ("chain", W::Text(TextField::Chain)),
        ("c.", W::Text(TextField::Chain)),
        ("resn", W::Text(TextField::ResidueName)),
        ("resname", W::Text(TextField::ResidueName)),
        ("r.", W::Text(TextField::ResidueName)),
        ("name", W::Text(TextField::AtomName)),
        ("n.", W::Text(TextField::AtomName)),
        ("alt", W::Text(TextField::Altloc)),
        ("altloc", W::Text(TextField::Altloc)),
        ("elem", W::Elements),
        ("element", W::Elements),
        ("e.", W::Elements),
        ("resi", W::ResidueNumbers),
        ("resid", W::ResidueNumbers),
        ("resnum", W::ResidueNumbers),
        ("i.", W::ResidueNumbers),
        ("index", W::Numbers(NumberField::Index)),
        ("idx.", W::Numbers(NumberField::Index)),
        ("rank", W::Numbers(NumberField::Rank)),
        ("id", W::Numbers(NumberField::Serial)),
        ("serial", W::Numbers(NumberField::Serial)),
        ("ss", W::SecondaryStructure),
        ("model", W::Model),
        ("m.", W::Model),
        ("state", W::Model),
        ("b", W::Quantity(Quantity::BFactor)),
        ("bfactor", W::Quantity(Quantity::BFactor)),
        ("plddt", W::Quantity(Quantity::BFactor)),
        ("q", W::Quantity(Quantity::Occupancy)),
        ("occupancy", W::Quantity(Quantity::Occupancy)),
        ("x", W::Quantity(Quantity::X)),
        ("y", W::Quantity(Quantity::Y)),
        ("z", W::Quantity(Quantity::Z)),
        ("fc.", W::Quantity(Quantity::FormalCharge)),
        ("formal_charge", W::Quantity(Quantity::FormalCharge)),
        ("byres", W::Whole(Group::Residue)),
        ("byresidue", W::Whole(Group::Residue)),
        ("br.", W::Whole(Group::Residue)),
        ("bycalpha", W::Whole(Group::AlphaCarbon)),
        ("bca.", W::Whole(Group::AlphaCarbon)),
        ("bysegi", W::Whole(Group::Segment)),
        ("bysegment", W::Whole(Group::Segment)),
        ("bs.", W::Whole(Group::Segment)),
        ("bychain", W::Whole(Group::Chain)),
        ("bc.", W::Whole(Group::Chain)),
        ("bymolecule", W::Whole(Group::Molecule)),
        ("bymol", W::Whole(Group::Molecule)),
        ("bm.", W::Whole(Group::Molecule)),
        ("byobject", W::Whole(Group::Object)),
        ("byobj", W::Whole(Group::Object)),
        ("bo.", W::Whole(Group::Object)),
        ("neighbor", W::Bonded { outside: true }),
        ("neighbour", W::Bonded { outside: true }),
        ("nbr.", W::Bonded { outside: true }),
        ("bound_to", W::Bonded { outside: false }),
        ("bto.", W::Bonded { outside: false }),
        ("first", W::End { is_last: false }),
        ("last", W::End { is_last: true }),
        ("not", W::Not),
        ("and", W::And),
        ("or", W::Or),
        ("of", W::Of),
        ("within", W::Within(Zone::Within)),
        ("w.", W::Within(Zone::Within)),
        ("near_to", W::Within(Zone::NearTo)),
        ("nto.", W::Within(Zone::NearTo)),
        ("beyond", W::Within(Zone::Beyond)),
        ("be.", W::Within(Zone::Beyond)),
        ("around", W::Around { includes_itself: false }),
        ("a.", W::Around { includes_itself: false }),
        ("expand", W::Around { includes_itself: true }),
        ("x.", W::Around { includes_itself: true }),
        ("extend", W::Extend),
        ("xt.", W::Extend),
    ]
};

impl Word {
    /// The meaning of a word, in any letter case.
    pub(super) fn of(text: &str) -> Option<Self> {
        WORDS.iter().find(|(word, _)| word.eq_ignore_ascii_case(text)).map(|(_, meaning)| *meaning)
    }

    /// Whether it stands between or after selections and cannot begin one.
    pub(super) fn is_infix(self) -> bool {
        matches!(self, Self::And | Self::Or | Self::Of | Self::Within(_) | Self::Around { .. } | Self::Extend)
    }

    /// What a word without any further argument selects.
    pub(super) fn plain(self) -> Option<Expression> {
        match self {
            Self::All => Some(Expression::All),
            Self::None => Some(Expression::None),
            Self::Current => Some(Expression::Current),
            Self::Class(class) => Some(Expression::Class(class)),
            Self::Fold(fold) => Some(Expression::Structure(vec![fold])),
            _ => None,
        }
    }
}

/// Whether a word joins selections, so that it is no name unless quoted.
pub(super) fn is_operator(text: &str) -> bool {
    ["and", "or", "not", "of"].iter().any(|word| word.eq_ignore_ascii_case(text))
}

fn word_for(meaning: Word) -> &'static str {
    WORDS.iter().find(|(_, known)| *known == meaning).map_or("all", |(word, _)| word)
}

pub(super) fn class_word(class: Class) -> &'static str {
    word_for(Word::Class(class))
}

pub(super) fn text_word(field: TextField) -> &'static str {
    word_for(Word::Text(field))
}

pub(super) fn number_word(field: NumberField) -> &'static str {
    match field {
        NumberField::Model => word_for(Word::Model),
        other => word_for(Word::Numbers(other)),
    }
}

pub(super) fn quantity_word(quantity: Quantity) -> &'static str {
    match quantity {
        Quantity::ResidueNumber => word_for(Word::ResidueNumbers),
        Quantity::Index => word_for(Word::Numbers(NumberField::Index)),
        Quantity::Serial => word_for(Word::Numbers(NumberField::Serial)),
        other => word_for(Word::Quantity(other)),
    }
}

pub(super) fn group_word(group: Group) -> &'static str {
    word_for(Word::Whole(group))
}

/// The known word that differs least from a mistyped one, of those that fit the place.
pub(super) fn nearest(text: &str, fits: impl Fn(Word) -> bool) -> Option<&'static str> {
    let typed: Vec<char> = text.chars().take(32).map(|letter| letter.to_ascii_lowercase()).collect();
    // One slip in a short word, two in a longer one.
    let most = if typed.len() <= 4 { 1 } else { 2 };
    WORDS
        .iter()
        .filter(|(word, meaning)| word.len() > 2 && !word.ends_with('.') && fits(*meaning))
        .map(|(word, _)| (edits(&typed, &word.chars().collect::<Vec<_>>()), *word))
        .filter(|(distance, _)| *distance <= most)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, word)| word)
}

/// Letters to insert, delete, replace, or swap with the next (optimal string alignment).
fn edits(a: &[char], b: &[char]) -> usize {
    let mut rows = vec![vec![0; b.len() + 1]; a.len() + 1];
    for (i, row) in rows.iter_mut().enumerate() {
        row[0] = i;
    }
    for (j, cell) in rows[0].iter_mut().enumerate() {
        *cell = j;
    }
    for i in 1..=a.len() {
        for j in 1..=b.len() {
            let differs = usize::from(a[i - 1] != b[j - 1]);
            let mut best = (rows[i - 1][j] + 1).min(rows[i][j - 1] + 1).min(rows[i - 1][j - 1] + differs);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            rows[i][j] = best;
        }
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistyped_words_are_understood() {
        for (typed, expected) in
            [("chian", "chain"), ("nmae", "name"), ("ligend", "ligand"), ("bckbone", "backbone"), ("withn", "within")]
        {
            assert_eq!(nearest(typed, |_| true), Some(expected));
        }
        assert_eq!(nearest("xylophone", |_| true), None);
        assert_eq!(nearest("an", Word::is_infix), Some("and"));
    }

    #[test]
    fn every_word_is_written_once() {
        for (place, (word, _)) in WORDS.iter().enumerate() {
            assert!(WORDS[place + 1..].iter().all(|(other, _)| other != word), "{word}");
            assert_eq!(*word, word.to_ascii_lowercase());
        }
    }
}
