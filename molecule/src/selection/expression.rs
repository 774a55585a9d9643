//! What a selection means, and how it is printed.
//!
//! Both dialects come down to these few forms, so a `ChimeraX` zone prints as `byres (... expand 5)`. Everything printed
//! parses back to the same expression.

use std::fmt::{self, Display, Formatter, Write};

use smol_str::SmolStr;

use super::vocabulary;
use crate::element::Element;
use crate::structure::Residue;

/// A condition on atoms.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Expression {
    All,
    None,
    /// What is selected in the program that asks.
    Current,
    Class(Class),
    Text(TextField, Vec<Pattern>),
    Elements(Vec<Element>),
    Residues(Vec<ResidueSpan>),
    Numbers(NumberField, Vec<(i64, i64)>),
    Structure(Vec<Fold>),
    Models(Vec<ModelSpan>),
    Compare(Quantity, Comparison, f32),
    Not(Box<Self>),
    /// Two or more, none of them `And`.
    And(Vec<Self>),
    /// Two or more, none of them `Or`.
    Or(Vec<Self>),
    /// Atoms within a distance, Å, of those of another expression, these included or not.
    Near {
        of: Box<Self>,
        distance: f32,
        includes_itself: bool,
    },
    /// Whole residues, chains ... of which an atom is selected.
    Whole(Group, Box<Self>),
    /// Atoms bonded to a selected one; `outside`: only those not selected themselves.
    Bonded {
        to: Box<Self>,
        outside: bool,
    },
    /// The selection and what so many bonds lead to.
    Extend(Box<Self>, u32),
    /// The first or the last atom.
    End {
        of: Box<Self>,
        is_last: bool,
    },
}

/// Kinds of atoms that have a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    Polymer,
    Protein,
    Nucleic,
    Dna,
    Rna,
    Carbohydrate,
    Organic,
    Inorganic,
    Ligand,
    Ions,
    Solvent,
    Metals,
    Hetero,
    Hydrogens,
    Backbone,
    Sidechain,
    Guide,
    Bonded,
}

/// Properties that are compared as text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TextField {
    Object,
    Segment,
    Chain,
    ResidueName,
    AtomName,
    Altloc,
}

/// Properties that are listed as whole numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NumberField {
    /// From 1, in the order of the structure.
    Index,
    /// From 0.
    Rank,
    /// As in the file.
    Serial,
    /// The model's number in its file.
    Model,
}

/// Properties that are compared as numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Quantity {
    BFactor,
    Occupancy,
    X,
    Y,
    Z,
    FormalCharge,
    ResidueNumber,
    Index,
    Serial,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Equal,
    NotEqual,
}

/// What the backbone does, as the three letters of most programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fold {
    Helix,
    Strand,
    Loop,
}

/// What a selection can be widened to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Group {
    Residue,
    /// The residue's alpha carbon.
    AlphaCarbon,
    Segment,
    Chain,
    Molecule,
    Object,
}

/// A text, or a pattern with `*` for any letters and `?` for one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pattern {
    pub text: SmolStr,
    pub is_wild: bool,
}

/// Residue numbers from one to another, both included. A bound without insertion code stands for all its insertions; a
/// single number without one for that residue alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ResidueSpan {
    pub first: (i32, Option<char>),
    /// Nothing for a single residue.
    pub last: Option<(i32, Option<char>)>,
}

/// `#1`, `#1-3`, `#1.2`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ModelSpan {
    pub first: u32,
    pub last: u32,
    pub model: Option<(u32, u32)>,
}

impl Expression {
    pub(super) fn and(terms: impl IntoIterator<Item = Self>) -> Self {
        let mut flat = Vec::new();
        for term in terms {
            match term {
                Self::And(inner) => flat.extend(inner),
                other => flat.push(other),
            }
        }
        if flat.len() == 1 { flat.remove(0) } else { Self::And(flat) }
    }

    pub(super) fn or(terms: impl IntoIterator<Item = Self>) -> Self {
        let mut flat = Vec::new();
        for term in terms {
            match term {
                Self::Or(inner) => flat.extend(inner),
                other => flat.push(other),
            }
        }
        if flat.len() == 1 { flat.remove(0) } else { Self::Or(flat) }
    }

    pub(super) fn not(self) -> Self {
        Self::Not(Box::new(self))
    }

    pub(super) fn contains_current(&self) -> bool {
        match self {
            Self::Current => true,
            Self::Not(inner) | Self::Whole(_, inner) | Self::Extend(inner, _) => inner.contains_current(),
            Self::Near { of: inner, .. } | Self::Bonded { to: inner, .. } | Self::End { of: inner, .. } => {
                inner.contains_current()
            }
            Self::And(terms) | Self::Or(terms) => terms.iter().any(Self::contains_current),
            _ => false,
        }
    }

    /// The same with another expression in place of every `Current`.
    pub(super) fn with_current(self, current: &Self) -> Self {
        let within = |inner: Box<Self>| Box::new(inner.with_current(current));
        let all = |terms: Vec<Self>| terms.into_iter().map(|term| term.with_current(current)).collect::<Vec<Self>>();
        match self {
            Self::Current => current.clone(),
            Self::Not(inner) => Self::Not(within(inner)),
            Self::And(terms) => Self::and(all(terms)),
            Self::Or(terms) => Self::or(all(terms)),
            Self::Near { of, distance, includes_itself } => Self::Near { of: within(of), distance, includes_itself },
            Self::Whole(group, inner) => Self::Whole(group, within(inner)),
            Self::Bonded { to, outside } => Self::Bonded { to: within(to), outside },
            Self::Extend(inner, bonds) => Self::Extend(within(inner), bonds),
            Self::End { of, is_last } => Self::End { of: within(of), is_last },
            other => other,
        }
    }

    /// Whether it needs brackets as a part of anything.
    fn is_compound(&self) -> bool {
        matches!(
            self,
            Self::And(_)
                | Self::Or(_)
                | Self::Near { .. }
                | Self::Whole(..)
                | Self::Bonded { .. }
                | Self::Extend(..)
                | Self::End { .. }
        )
    }
}

impl Pattern {
    pub(super) fn matches(&self, text: &str, ignores_case: bool) -> bool {
        if !self.is_wild {
            return if ignores_case { self.text.eq_ignore_ascii_case(text) } else { self.text == text };
        }
        let fits = |a: u8, b: u8| if ignores_case { a.eq_ignore_ascii_case(&b) } else { a == b };
        let (pattern, text) = (self.text.as_bytes(), text.as_bytes());
        let (mut here, mut place) = (0, 0);
        // Where to go on when the letters after the last star do not fit.
        let mut retry: Option<(usize, usize)> = None;
        while place < text.len() {
            match pattern.get(here) {
                Some(b'*') => {
                    retry = Some((here + 1, place));
                    here += 1;
                }
                Some(b'?') => (here, place) = (here + 1, place + 1),
                Some(letter) if fits(*letter, text[place]) => (here, place) = (here + 1, place + 1),
                _ => match retry {
                    Some((after, from)) => {
                        (here, place) = (after, from + 1);
                        retry = Some((after, from + 1));
                    }
                    None => return false,
                },
            }
        }
        pattern[here..].iter().all(|letter| *letter == b'*')
    }

    /// Letters that stand in a list without quotes.
    pub(super) fn is_plain_letter(letter: char, is_first: bool) -> bool {
        letter.is_alphanumeric() || letter == '_' || (!is_first && matches!(letter, '\'' | '.' | '-'))
    }

    /// Whether it stands in a list without quotes.
    pub(super) fn is_plain(&self) -> bool {
        !self.text.is_empty()
            && self.text.chars().enumerate().all(|(place, letter)| {
                Self::is_plain_letter(letter, place == 0) || (self.is_wild && matches!(letter, '*' | '?'))
            })
            && !vocabulary::is_operator(&self.text)
    }
}

impl ResidueSpan {
    pub(super) fn contains(&self, residue: &Residue) -> bool {
        let code = |code: Option<char>| code.map_or('\0', |code| code.to_ascii_uppercase());
        let place = (residue.number, code(residue.insertion_code));
        let first = (self.first.0, code(self.first.1));
        match self.last {
            None => place == first,
            Some((number, insertion)) => {
                first <= place && place <= (number, insertion.map_or(char::MAX, |insertion| code(Some(insertion))))
            }
        }
    }
}

impl Comparison {
    pub(super) fn holds(self, value: f64, limit: f64) -> bool {
        match self {
            Self::Less => value < limit,
            Self::LessOrEqual => value <= limit,
            Self::Greater => value > limit,
            Self::GreaterOrEqual => value >= limit,
            Self::Equal => value == limit,
            Self::NotEqual => value != limit,
        }
    }

    pub(super) fn sign(self) -> &'static str {
        match self {
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::Equal => "=",
            Self::NotEqual => "!=",
        }
    }
}

impl Display for Pattern {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.is_plain() {
            return f.write_str(&self.text);
        }
        f.write_char('"')?;
        for letter in self.text.chars() {
            if matches!(letter, '"' | '\\') {
                f.write_char('\\')?;
            }
            f.write_char(letter)?;
        }
        f.write_char('"')
    }
}

impl Display for ResidueSpan {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let one = |(number, code): (i32, Option<char>)| match code {
            Some(code) => format!("{number}{code}"),
            None => number.to_string(),
        };
        f.write_str(&one(self.first))?;
        match self.last {
            Some(last) => write!(f, "-{}", one(last)),
            None => Ok(()),
        }
    }
}

impl Display for ModelSpan {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let span = |f: &mut Formatter<'_>, first: u32, last: u32| match first == last {
            true => write!(f, "{first}"),
            false => write!(f, "{first}-{last}"),
        };
        span(f, self.first, self.last)?;
        match self.model {
            Some((first, last)) => {
                f.write_char('.')?;
                span(f, first, last)
            }
            None => Ok(()),
        }
    }
}

fn list<T: Display>(f: &mut Formatter<'_>, items: &[T], separator: &str) -> fmt::Result {
    for (place, item) in items.iter().enumerate() {
        if place > 0 {
            f.write_str(separator)?;
        }
        item.fmt(f)?;
    }
    Ok(())
}

/// A part of something larger, in brackets where the reader or the parser could take it otherwise.
struct Part<'a>(&'a Expression);

impl Display for Part<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.0.is_compound() { write!(f, "({})", self.0) } else { self.0.fmt(f) }
    }
}

impl Display for Expression {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("all"),
            Self::None => f.write_str("none"),
            Self::Current => f.write_str("sel"),
            Self::Class(class) => f.write_str(vocabulary::class_word(*class)),
            Self::Text(field, items) => {
                write!(f, "{} ", vocabulary::text_word(*field))?;
                list(f, items, "+")
            }
            Self::Elements(elements) => {
                f.write_str("elem ")?;
                list(f, &elements.iter().map(|element| element.symbol()).collect::<Vec<_>>(), "+")
            }
            Self::Residues(spans) => {
                f.write_str("resi ")?;
                list(f, spans, "+")
            }
            Self::Numbers(field, spans) => {
                write!(f, "{} ", vocabulary::number_word(*field))?;
                let span = |(first, last): &(i64, i64)| match first == last {
                    true => first.to_string(),
                    false => format!("{first}-{last}"),
                };
                list(f, &spans.iter().map(span).collect::<Vec<_>>(), "+")
            }
            Self::Structure(folds) => {
                f.write_str("ss ")?;
                let letter = |fold: &Fold| match fold {
                    Fold::Helix => "h",
                    Fold::Strand => "s",
                    Fold::Loop => "l",
                };
                list(f, &folds.iter().map(letter).collect::<Vec<_>>(), "+")
            }
            Self::Models(spans) => {
                f.write_char('#')?;
                list(f, spans, ",")
            }
            Self::Compare(quantity, comparison, value) => {
                write!(f, "{} {} {value}", vocabulary::quantity_word(*quantity), comparison.sign())
            }
            Self::Not(inner) => write!(f, "not {}", Part(inner)),
            Self::And(terms) => list(f, &terms.iter().map(Part).collect::<Vec<_>>(), " and "),
            Self::Or(terms) => {
                for (place, term) in terms.iter().enumerate() {
                    if place > 0 {
                        f.write_str(" or ")?;
                    }
                    match term {
                        Self::And(_) => term.fmt(f)?,
                        _ => Part(term).fmt(f)?,
                    }
                }
                Ok(())
            }
            Self::Near { of, distance, includes_itself } => {
                let word = if *includes_itself { "expand" } else { "around" };
                write!(f, "{} {word} {distance}", Part(of))
            }
            Self::Whole(group, inner) => write!(f, "{} {}", vocabulary::group_word(*group), Part(inner)),
            Self::Bonded { to, outside } => {
                write!(f, "{} {}", if *outside { "neighbor" } else { "bound_to" }, Part(to))
            }
            Self::Extend(inner, bonds) => write!(f, "{} extend {bonds}", Part(inner)),
            Self::End { of, is_last } => write!(f, "{} {}", if *is_last { "last" } else { "first" }, Part(of)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        let wild = |text: &str| Pattern { text: text.into(), is_wild: true };
        for (pattern, text, expected) in [
            ("C*", "CA", true),
            ("C*", "C", true),
            ("C?", "C", false),
            ("*'", "O5'", true),
            ("*'", "P", false),
            ("H?*", "HG21", true),
            ("*a*b", "xaab", true),
            ("**", "", true),
            ("?", "", false),
        ] {
            assert_eq!(wild(pattern).matches(text, false), expected, "{pattern} {text}");
        }
        assert!(wild("c*").matches("CA", true) && !wild("c*").matches("CA", false));
        let star = Pattern { text: "O5*".into(), is_wild: false };
        assert!(star.matches("O5*", false) && !star.matches("O5'", false));
        assert_eq!(star.to_string(), "\"O5*\"");
    }
}
