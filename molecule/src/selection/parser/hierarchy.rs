//! `ChimeraX` specifications (`#1/A:10-20@CA`, `:<5`, `@@bfactor>50`) and `PyMOL` macros (`/object/segment/A/10/CA`).
//!
//! Both may begin with a slash. It is a macro when it begins with two, has four, or has three and no `:` or `@`; else it is
//! a `ChimeraX` chain.

use super::super::SelectionError;
use super::super::expression::{Expression, Group, Pattern, Quantity, TextField};
use super::items::{model_span, residue_span};
use super::{Node, Parser, item_name};

/// The four levels in order; a sign that is not below the one before begins another branch.
const SIGNS: [char; 4] = ['#', '/', ':', '@'];

impl Parser {
    /// The level of a specification that begins here, unless it is a zone or an attribute.
    fn level(&self) -> Option<usize> {
        let level = SIGNS.iter().position(|sign| self.peek() == Some(*sign))?;
        match self.peek_after(1) {
            Some('<' | '>') => None,
            Some(next) if next == SIGNS[level] => None,
            _ => Some(level),
        }
    }

    pub(super) fn hierarchy(&mut self) -> Result<Node, SelectionError> {
        if let Some(attribute) = self.attribute()? {
            return Ok((attribute, 0));
        }
        let Some(first_level) = self.level() else {
            return Err(
                self.unexpected("a specification such as /A:10-20@CA; a zone follows one, as in :LIG :<5", |_| false)
            );
        };
        let mut branches = Vec::new();
        let mut path: [Option<Expression>; 4] = Default::default();
        let mut last_level = None;
        loop {
            let start = self.place;
            self.skip_space();
            let is_apart = self.place > start;
            let Some(level) = self.level() else {
                self.place = start;
                break;
            };
            if is_apart && level != first_level {
                let advice = "no space before it to narrow the one before, or & or | between the two";
                return Err(self.error("another specification begins here", advice));
            }
            if last_level.is_some_and(|last| level <= last) {
                branches.push(Expression::and(path.iter().flatten().cloned()));
                path[level..].fill(None);
            }
            if is_apart {
                path.fill(None);
            }
            self.place += 1;
            path[level] = Some(self.part(level)?);
            last_level = Some(level);
        }
        branches.push(Expression::and(path.into_iter().flatten()));
        Ok((Expression::or(branches), 2))
    }

    /// What follows one of the four signs.
    fn part(&mut self, level: usize) -> Result<Expression, SelectionError> {
        match level {
            0 => {
                self.take('!');
                let mut spans = Vec::new();
                loop {
                    let text = self.run(|letter| letter.is_ascii_digit() || matches!(letter, '.' | '-'));
                    let Some(span) = model_span(&text) else {
                        return Err(self.unexpected("a model number, as in #1 or #1.2", |_| false));
                    };
                    self.advance(&text);
                    spans.push(span);
                    if !self.comma() {
                        return Ok(Expression::Models(spans));
                    }
                }
            }
            1 => {
                let mut items = Vec::new();
                loop {
                    let item = self.pattern(item_name(TextField::Chain))?;
                    match letter_range(&item.text) {
                        Some(letters) => {
                            items.extend(
                                letters.map(|letter| Pattern { text: String::from(letter).into(), is_wild: false }),
                            );
                        }
                        None => items.push(item),
                    }
                    if !self.comma() {
                        return Ok(Expression::Text(TextField::Chain, items));
                    }
                }
            }
            2 => self.residue_part(),
            _ => {
                let mut items = vec![self.pattern(item_name(TextField::AtomName))?];
                while self.comma() {
                    items.push(self.pattern(item_name(TextField::AtomName))?);
                }
                Ok(Expression::Text(TextField::AtomName, items))
            }
        }
    }

    /// Numbers, ranges and names of residues.
    fn residue_part(&mut self) -> Result<Expression, SelectionError> {
        let (mut spans, mut names) = (Vec::new(), Vec::new());
        loop {
            let text = self.run(|letter| letter.is_ascii_alphanumeric() || letter == '-');
            match residue_span(&text) {
                Some(span) => {
                    self.advance(&text);
                    spans.push(span);
                }
                None => names.push(self.pattern("a residue number, range or name, as in :10-20 or :HOH")?),
            }
            if !self.comma() {
                break;
            }
        }
        let numbers = (!spans.is_empty()).then_some(Expression::Residues(spans));
        let names = (!names.is_empty()).then_some(Expression::Text(TextField::ResidueName, names));
        Ok(Expression::or(numbers.into_iter().chain(names)))
    }

    fn comma(&mut self) -> bool {
        let is_next = self.take(',');
        if is_next {
            self.skip_space();
        }
        is_next
    }

    /// A zone after a term: `@<5`, `:<5`, `/<5`, `#<5`, or with `>`. Its group (nothing for atoms), its distance, and
    /// whether it is what lies beyond.
    pub(super) fn hierarchy_zone(&mut self) -> Result<Option<(Option<Group>, f32, bool)>, SelectionError> {
        let group = match self.peek() {
            Some('@') => None,
            Some(':') => Some(Group::Residue),
            Some('/') => Some(Group::Chain),
            Some('#') => Some(Group::Object),
            _ => return Ok(None),
        };
        let is_beyond = match self.peek_after(1) {
            Some('<') => false,
            Some('>') => true,
            _ => return Ok(None),
        };
        self.place += 2;
        self.take('=');
        Ok(Some((group, self.distance()?, is_beyond)))
    }

    /// `@@bfactor>50`, `::number<20`, `::name="HIS"`.
    fn attribute(&mut self) -> Result<Option<Expression>, SelectionError> {
        let (sign, next) = (self.peek(), self.peek_after(1));
        if sign != next || !matches!(sign, Some('@' | ':')) {
            return Ok(None);
        }
        let is_atom = sign == Some('@');
        self.place += 2;
        let name = self.word();
        let quantity = match (is_atom, name.to_ascii_lowercase().as_str()) {
            (true, "bfactor") => Some(Quantity::BFactor),
            (true, "occupancy") => Some(Quantity::Occupancy),
            (true, "serial_number") => Some(Quantity::Serial),
            (true, "x") => Some(Quantity::X),
            (true, "y") => Some(Quantity::Y),
            (true, "z") => Some(Quantity::Z),
            (false, "number") => Some(Quantity::ResidueNumber),
            (true | false, "name") => None,
            (true, _) => {
                return Err(
                    self.unexpected("@@bfactor, @@occupancy, @@serial_number, @@x, @@y, @@z or @@name", |_| false)
                );
            }
            (false, _) => return Err(self.unexpected("::name or ::number", |_| false)),
        };
        self.advance(&name);
        if let Some(quantity) = quantity {
            return match self.comparison()? {
                Some((comparison, value)) => Ok(Some(Expression::Compare(quantity, comparison, value))),
                None => Err(self.unexpected("a comparison, as in @@bfactor>50", |_| false)),
            };
        }
        self.skip_space();
        let is_not = self.take('!');
        if !self.take('=') {
            return Err(self.unexpected("= and a name", |_| false));
        }
        self.take('=');
        self.skip_space();
        let field = if is_atom { TextField::AtomName } else { TextField::ResidueName };
        let named = Expression::Text(field, vec![self.pattern(item_name(field))?]);
        Ok(Some(if is_not { named.not() } else { named }))
    }

    /// Whether a `PyMOL` macro begins here.
    pub(super) fn is_macro(&self) -> bool {
        let text = self.macro_text();
        let slashes = text.matches('/').count();
        if text.starts_with('/') {
            let is_specification = text.contains([':', '@']);
            return text.starts_with("//") || slashes >= 4 || (slashes == 3 && !is_specification);
        }
        slashes > 0 && !text.starts_with([':', '@', '#'])
    }

    fn macro_text(&self) -> String {
        self.run(|letter| {
            letter.is_alphanumeric()
                || matches!(letter, '/' | '_' | '.' | '\'' | '*' | '?' | '`' | '-' | '+' | ':' | '@' | '\\')
        })
    }

    /// `/object/segment/chain/residue/atom` from the left, or a part of it without the first slash from the right.
    pub(super) fn slash_macro(&mut self) -> Result<Node, SelectionError> {
        let start = self.place;
        let text = self.macro_text();
        let from_left = text.starts_with('/');
        let mut fields: Vec<&str> = text.strip_prefix('/').unwrap_or(&text).split('/').collect();
        if fields.len() > 5 {
            let error = self.error("this macro has too many parts", "/structure/segment/chain/residue/atom");
            return Err(error);
        }
        while fields.len() < 5 {
            if from_left { fields.push("") } else { fields.insert(0, "") }
        }
        self.advance(&text);
        let patterns = |text: &str| -> Vec<Pattern> {
            let item = |item: &str| Pattern { text: item.into(), is_wild: item.contains(['*', '?']) };
            text.split('+').map(item).collect()
        };
        let named = |field: TextField, text: &str| {
            (!text.is_empty() && text != "*").then(|| Expression::Text(field, patterns(text)))
        };
        let (name, number) = match fields[3].split_once('`') {
            Some((name, number)) => (name, number),
            None if fields[3].starts_with(|letter: char| letter.is_alphabetic()) => (fields[3], ""),
            None => ("", fields[3]),
        };
        let mut terms = vec![
            named(TextField::Object, fields[0]),
            named(TextField::Segment, fields[1]),
            named(TextField::Chain, fields[2]),
            named(TextField::ResidueName, name),
        ];
        if !number.is_empty() && number != "*" {
            let spans: Option<Vec<_>> = number.split('+').map(residue_span).collect();
            let Some(spans) = spans else {
                let what = format!("`{}` is no residue number", super::shorten(number));
                return Err(self.error_at(start, what, "/structure/segment/chain/residue/atom, as in /1abc//A/10/CA"));
            };
            terms.push(Some(Expression::Residues(spans)));
        }
        terms.push(named(TextField::AtomName, fields[4]));
        let terms: Vec<Expression> = terms.into_iter().flatten().collect();
        let is_odd = |term: &Expression| match term {
            Expression::Text(_, items) => items.iter().any(|item| item.is_wild && !item.is_plain()),
            _ => false,
        };
        if terms.iter().any(is_odd) {
            return Err(self.error_at(
                start,
                "a name in this macro has signs that belong to none",
                "letters, digits, * and ?",
            ));
        }
        Ok((if terms.is_empty() { Expression::All } else { Expression::and(terms) }, 1))
    }
}

/// `A-D`: chains by letters in a row.
fn letter_range(text: &str) -> Option<std::ops::RangeInclusive<char>> {
    let mut letters = text.chars();
    let (first, dash, last) = (letters.next()?, letters.next()?, letters.next()?);
    let is_range = dash == '-' && letters.next().is_none() && first.is_ascii_alphabetic() && last.is_ascii_alphabetic();
    (is_range && first <= last).then_some(first..=last)
}
