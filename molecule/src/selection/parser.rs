//! From text to an expression: operator precedence over both dialects at once.
//!
//! Binding, tightest first: `ChimeraX` zones (`:<5`) and prefix `not`; `and`; `or`; `around`, `expand`, `extend` and
//! `within X of`; at last the prefixes `byres` and its like, `neighbor`, `bound_to`, `first`, `last`, which take all that
//! follows up to the closing bracket. This is `PyMOL`'s order; there, `byres A and B around 5` is `byres ((A and B)
//! around 5)`.

mod hierarchy;
mod items;

use super::SelectionError;
use super::expression::{Comparison, Expression, NumberField, Quantity, TextField};
use super::vocabulary::{self, Word, Zone};
use crate::element::Element;

/// Letters that a selection may have.
const MAX_LENGTH: usize = 1 << 16;
/// Brackets and operators inside each other.
const MAX_DEPTH: usize = 64;

const NEAR: u8 = 1;
const OR: u8 = 2;
const AND: u8 = 3;
const NOT: u8 = 4;

const BEGINNING: &str = "a selection such as chain A, resi 10-20, ligand or /A:10-20@CA";
const JOINT: &str = "and, or, around, within ... of, or the end";

/// An expression and how deep it is.
type Node = (Expression, usize);

pub(super) fn parse(text: &str) -> Result<Expression, SelectionError> {
    let mut parser = Parser { letters: text.chars().take(MAX_LENGTH + 1).collect(), place: 0, nesting: 0 };
    if parser.letters.len() > MAX_LENGTH {
        return Err(parser.error_at(MAX_LENGTH, "the selection is too long", "at most 65536 letters"));
    }
    let (expression, _) = parser.expression(NEAR)?;
    parser.skip_space();
    if parser.place < parser.letters.len() {
        return Err(parser.unexpected(JOINT, Word::is_infix));
    }
    Ok(expression)
}

pub(super) struct Parser {
    letters: Vec<char>,
    place: usize,
    nesting: usize,
}

impl Parser {
    fn peek(&self) -> Option<char> {
        self.letters.get(self.place).copied()
    }

    fn peek_after(&self, count: usize) -> Option<char> {
        self.letters.get(self.place + count).copied()
    }

    fn skip_space(&mut self) {
        while self.peek().is_some_and(char::is_whitespace) {
            self.place += 1;
        }
    }

    fn take(&mut self, letter: char) -> bool {
        let is_next = self.peek() == Some(letter);
        self.place += usize::from(is_next);
        is_next
    }

    /// The letters from here on that fit.
    fn run(&self, fits: impl Fn(char) -> bool) -> String {
        self.letters[self.place.min(self.letters.len())..].iter().copied().take_while(|letter| fits(*letter)).collect()
    }

    /// The word at this place: letters, digits, `_` and `.`.
    fn word(&self) -> String {
        self.run(|letter| letter.is_alphanumeric() || matches!(letter, '_' | '.'))
    }

    fn advance(&mut self, text: &str) {
        self.place += text.chars().count();
    }

    fn error_at(&self, place: usize, what: impl Into<String>, expected: impl Into<String>) -> SelectionError {
        SelectionError { column: place + 1, what: what.into(), expected: expected.into(), suggestion: None }
    }

    fn error(&self, what: impl Into<String>, expected: impl Into<String>) -> SelectionError {
        self.error_at(self.place, what, expected)
    }

    /// What stands here does not belong here.
    fn unexpected(&self, expected: &str, fits: impl Fn(Word) -> bool) -> SelectionError {
        let rest = &self.letters[self.place.min(self.letters.len())..];
        let spaces = rest.iter().take_while(|letter| letter.is_whitespace()).count();
        let is_of_word = |letter: &&char| letter.is_alphanumeric() || matches!(letter, '_' | '.' | '-' | '\'');
        let word: String = rest[spaces..].iter().take_while(is_of_word).collect();
        let place = self.place + spaces;
        let found = match (word.is_empty(), rest.get(spaces)) {
            (false, _) => shorten(&word),
            (true, Some(letter)) => letter.to_string(),
            (true, None) => return self.error_at(place, "the selection ends here", expected),
        };
        let mut error = self.error_at(place, format!("`{found}` does not fit here"), expected);
        error.suggestion = vocabulary::nearest(&word, fits).map(str::to_owned);
        error
    }

    fn deepen(&self, depth: usize) -> Result<usize, SelectionError> {
        if depth >= MAX_DEPTH {
            return Err(self.error("too much inside each other", format!("at most {MAX_DEPTH} levels")));
        }
        Ok(depth + 1)
    }

    fn expression(&mut self, least: u8) -> Result<Node, SelectionError> {
        let (mut left, mut depth) = self.prefixed()?;
        loop {
            self.skip_space();
            let word = self.word();
            let (operator, length) = match (self.peek(), Word::of(&word)) {
                (Some(sign @ ('&' | '|')), _) => {
                    let length = if self.peek_after(1) == Some(sign) { 2 } else { 1 };
                    (if sign == '&' { Word::And } else { Word::Or }, length)
                }
                (_, Some(operator)) if operator.is_infix() && operator != Word::Of => (operator, word.chars().count()),
                _ => return Ok((left, depth)),
            };
            let binding = match operator {
                Word::And => AND,
                Word::Or => OR,
                _ => NEAR,
            };
            if binding < least {
                return Ok((left, depth));
            }
            self.place += length;
            match operator {
                Word::And | Word::Or => {
                    let (right, right_depth) = self.expression(binding + 1)?;
                    // A row of equal operators is one level.
                    let is_row =
                        matches!((&left, operator), (Expression::And(_), Word::And) | (Expression::Or(_), Word::Or));
                    depth = if is_row {
                        depth.max(self.deepen(right_depth)?)
                    } else {
                        self.deepen(depth.max(right_depth))?
                    };
                    left = join(operator, left, right);
                }
                Word::Within(zone) => {
                    let (near, right_depth) = self.zone(zone)?;
                    depth = self.deepen(depth.max(right_depth))?;
                    left = Expression::and([left, near]);
                }
                Word::Around { includes_itself } => {
                    let distance = self.distance()?;
                    depth = self.deepen(depth)?;
                    left = Expression::Near { of: Box::new(left), distance, includes_itself };
                }
                _ => {
                    let bonds = self.bond_count()?;
                    depth = self.deepen(depth)?;
                    left = Expression::Extend(Box::new(left), bonds);
                }
            }
        }
    }

    /// What follows `within`: a distance, `of`, and what it is measured from.
    fn zone(&mut self, zone: Zone) -> Result<Node, SelectionError> {
        let distance = self.distance()?;
        self.skip_space();
        let word = self.word();
        if Word::of(&word) != Some(Word::Of) {
            return Err(self.unexpected("of and a selection, as in within 5 of ligand", |word| word == Word::Of));
        }
        self.advance(&word);
        let (of, depth) = self.expression(OR)?;
        let includes_itself = zone != Zone::NearTo;
        let near = Expression::Near { of: Box::new(of), distance, includes_itself };
        Ok((if zone == Zone::Beyond { near.not() } else { near }, self.deepen(self.deepen(depth)?)?))
    }

    /// A term with its prefixes, and `ChimeraX` zones after it.
    fn prefixed(&mut self) -> Result<Node, SelectionError> {
        self.nesting = self.deepen(self.nesting)?;
        let (mut expression, mut depth) = self.term()?;
        loop {
            let start = self.place;
            self.skip_space();
            match self.hierarchy_zone()? {
                Some((group, distance, is_beyond)) => {
                    depth = self.deepen(self.deepen(self.deepen(depth)?)?)?;
                    expression = Expression::Near { of: Box::new(expression), distance, includes_itself: true };
                    if let Some(group) = group {
                        expression = Expression::Whole(group, Box::new(expression));
                    }
                    if is_beyond {
                        expression = expression.not();
                    }
                }
                None => {
                    self.place = start;
                    break;
                }
            }
        }
        self.nesting -= 1;
        Ok((expression, depth))
    }

    fn term(&mut self) -> Result<Node, SelectionError> {
        self.skip_space();
        let Some(letter) = self.peek() else {
            return Err(self.error("the selection ends here", BEGINNING));
        };
        match letter {
            '(' => {
                self.place += 1;
                let node = self.expression(NEAR)?;
                self.skip_space();
                if !self.take(')') {
                    return Err(self.unexpected(") or an operator", Word::is_infix));
                }
                Ok(node)
            }
            '!' | '~' => {
                self.place += 1;
                self.negated()
            }
            '*' if !self.is_macro() => {
                self.place += 1;
                Ok((Expression::All, 0))
            }
            '#' | '/' | ':' | '@' if !self.is_macro() => self.hierarchy(),
            _ if self.is_macro() => self.slash_macro(),
            _ => self.word_term(),
        }
    }

    fn negated(&mut self) -> Result<Node, SelectionError> {
        let (inner, depth) = self.expression(NOT)?;
        Ok((inner.not(), self.deepen(depth)?))
    }

    /// A term that begins with a word.
    fn word_term(&mut self) -> Result<Node, SelectionError> {
        let text = self.word();
        // An element's symbol in its own letter case is the element, unless it is compared with something.
        let is_symbol = Element::from_symbol(&text).is_some_and(|element| element.symbol() == text);
        let is_compared = |parser: &mut Self| {
            let start = parser.place;
            parser.advance(&text);
            parser.skip_space();
            let compared = parser.peek().is_some_and(|letter| matches!(letter, '<' | '>' | '=' | '!'));
            parser.place = start;
            compared
        };
        let meaning = Word::of(&text);
        if is_symbol
            && let Some(element) = Element::from_symbol(&text)
            && (meaning.is_none() || (matches!(meaning, Some(Word::Quantity(_))) && !is_compared(self)))
        {
            self.advance(&text);
            return Ok((Expression::Elements(vec![element]), 0));
        }
        let Some(meaning) = meaning.filter(|meaning| !meaning.is_infix() || matches!(meaning, Word::Within(_))) else {
            return Err(self.unexpected(BEGINNING, |word| !word.is_infix()));
        };
        self.advance(&text);
        if let Some(expression) = meaning.plain() {
            return Ok((expression, 0));
        }
        let leaf = |expression| Ok((expression, 0));
        match meaning {
            Word::Not => self.negated(),
            Word::Whole(group) => {
                let (inner, depth) = self.expression(NEAR)?;
                Ok((Expression::Whole(group, Box::new(inner)), self.deepen(depth)?))
            }
            Word::Bonded { outside } => {
                let (inner, depth) = self.expression(NEAR)?;
                Ok((Expression::Bonded { to: Box::new(inner), outside }, self.deepen(depth)?))
            }
            Word::End { is_last } => {
                let (inner, depth) = self.expression(NEAR)?;
                Ok((Expression::End { of: Box::new(inner), is_last }, self.deepen(depth)?))
            }
            // Without anything before it: all atoms there.
            Word::Within(zone) => self.zone(zone),
            Word::Text(field) => leaf(Expression::Text(field, self.patterns(field)?)),
            Word::Elements => leaf(Expression::Elements(self.elements()?)),
            Word::SecondaryStructure => leaf(Expression::Structure(self.folds()?)),
            Word::ResidueNumbers => match self.comparison()? {
                Some((comparison, value)) => leaf(Expression::Compare(Quantity::ResidueNumber, comparison, value)),
                None => leaf(self.residue_numbers()?),
            },
            Word::Numbers(field) => {
                let quantity = match field {
                    NumberField::Index => Some(Quantity::Index),
                    NumberField::Serial => Some(Quantity::Serial),
                    NumberField::Rank | NumberField::Model => None,
                };
                let compared = if quantity.is_some() { self.comparison()? } else { None };
                match (quantity, compared) {
                    (Some(quantity), Some((sign, value))) => leaf(Expression::Compare(quantity, sign, value)),
                    _ => leaf(Expression::Numbers(field, self.number_spans()?)),
                }
            }
            Word::Model => leaf(self.models()?),
            Word::Quantity(quantity) => match self.comparison()? {
                Some((comparison, value)) => leaf(Expression::Compare(quantity, comparison, value)),
                None => Err(self.unexpected("a comparison, as in b > 50", |_| false)),
            },
            _ => Err(self.unexpected(BEGINNING, |word| !word.is_infix())),
        }
    }

    /// A sign and a number, if a sign comes next.
    fn comparison(&mut self) -> Result<Option<(Comparison, f32)>, SelectionError> {
        let start = self.place;
        self.skip_space();
        let has_equals = self.peek_after(1) == Some('=');
        let (comparison, length) = match self.peek() {
            Some('<') => {
                (if has_equals { Comparison::LessOrEqual } else { Comparison::Less }, 1 + usize::from(has_equals))
            }
            Some('>') => {
                (if has_equals { Comparison::GreaterOrEqual } else { Comparison::Greater }, 1 + usize::from(has_equals))
            }
            Some('=') => (Comparison::Equal, 1 + usize::from(has_equals)),
            Some('!') if has_equals => (Comparison::NotEqual, 2),
            _ => {
                self.place = start;
                return Ok(None);
            }
        };
        self.place += length;
        Ok(Some((comparison, self.number("a number")?)))
    }

    fn number(&mut self, expected: &str) -> Result<f32, SelectionError> {
        self.skip_space();
        let sign = match self.peek() {
            Some('-') => "-",
            _ => "",
        };
        self.place += sign.len();
        let digits = self.run(|letter| letter.is_ascii_digit() || letter == '.');
        match digits.parse::<f32>() {
            Ok(value) if value.is_finite() => {
                self.advance(&digits);
                Ok(if sign.is_empty() { value } else { -value })
            }
            _ => {
                self.place -= sign.len();
                Err(self.unexpected(expected, |_| false))
            }
        }
    }

    fn distance(&mut self) -> Result<f32, SelectionError> {
        self.skip_space();
        let start = self.place;
        let distance = self.number("a distance in Å")?;
        if distance < 0.0 {
            return Err(self.error_at(start, "a distance cannot be negative", "a distance in Å"));
        }
        Ok(distance)
    }

    fn bond_count(&mut self) -> Result<u32, SelectionError> {
        self.skip_space();
        let digits = self.run(|letter| letter.is_ascii_digit());
        let count = digits.parse().map_err(|_| self.unexpected("how many bonds, a whole number", |_| false))?;
        self.advance(&digits);
        Ok(count)
    }
}

fn join(operator: Word, left: Expression, right: Expression) -> Expression {
    // The row grows in place: joining it anew for each term would be quadratic.
    match (operator, left, right) {
        (Word::And, Expression::And(mut row), right) if !matches!(right, Expression::And(_)) => {
            row.push(right);
            Expression::And(row)
        }
        (Word::Or, Expression::Or(mut row), right) if !matches!(right, Expression::Or(_)) => {
            row.push(right);
            Expression::Or(row)
        }
        (Word::And, left, right) => Expression::and([left, right]),
        (_, left, right) => Expression::or([left, right]),
    }
}

/// A word as an error quotes it.
fn shorten(word: &str) -> String {
    if word.chars().count() <= 24 { word.to_owned() } else { word.chars().take(24).chain(['…']).collect() }
}

/// What a list of a field holds, in an error.
fn item_name(field: TextField) -> &'static str {
    match field {
        TextField::Object => "a name of a structure",
        TextField::Segment => "a segment identifier",
        TextField::Chain => "a chain identifier",
        TextField::ResidueName => "a residue name",
        TextField::AtomName => "an atom name",
        TextField::Altloc => "an alternate location or ''",
    }
}
