//! The lists after a word: names, numbers and ranges, joined by `+` or a comma.

use super::super::SelectionError;
use super::super::expression::{Expression, Fold, ModelSpan, NumberField, Pattern, ResidueSpan, TextField};
use super::super::vocabulary;
use super::{Parser, item_name};
use crate::element::Element;

impl Parser {
    /// Whether another item follows; takes the sign between.
    pub(super) fn another_item(&mut self) -> bool {
        let start = self.place;
        self.skip_space();
        if self.take('+') || self.take(',') {
            self.skip_space();
            return true;
        }
        self.place = start;
        false
    }

    pub(super) fn patterns(&mut self, field: TextField) -> Result<Vec<Pattern>, SelectionError> {
        self.skip_space();
        let mut items = Vec::new();
        // `alt +A`: the blank one and A.
        if self.peek() == Some('+') {
            items.push(Pattern { text: "".into(), is_wild: false });
            self.place += 1;
        }
        loop {
            items.push(self.pattern(item_name(field))?);
            if !self.another_item() {
                return Ok(items);
            }
        }
    }

    /// A name, a pattern, or a text in quotes.
    pub(super) fn pattern(&mut self, expected: &str) -> Result<Pattern, SelectionError> {
        if let Some(quote @ ('"' | '\'')) = self.peek() {
            return self.quoted(quote);
        }
        let mut text = String::new();
        while let Some(letter) = self.peek_after(text.chars().count()) {
            if !Pattern::is_plain_letter(letter, text.is_empty()) && !matches!(letter, '*' | '?') {
                break;
            }
            text.push(letter);
        }
        if text.is_empty() || vocabulary::is_operator(&text) {
            return Err(self.unexpected(expected, |_| false));
        }
        self.advance(&text);
        let is_wild = text.contains(['*', '?']);
        Ok(Pattern { text: text.into(), is_wild })
    }

    fn quoted(&mut self, quote: char) -> Result<Pattern, SelectionError> {
        let start = self.place;
        self.place += 1;
        let mut text = String::new();
        while let Some(letter) = self.peek() {
            self.place += 1;
            if letter == quote {
                return Ok(Pattern { text: text.into(), is_wild: false });
            }
            if letter == '\\' {
                match self.peek() {
                    Some(escaped) => text.push(escaped),
                    None => break,
                }
                self.place += 1;
            } else {
                text.push(letter);
            }
        }
        Err(self.error_at(start, "this quote is not closed", format!("another {quote} after the text")))
    }

    pub(super) fn elements(&mut self) -> Result<Vec<Element>, SelectionError> {
        self.skip_space();
        let mut elements = Vec::new();
        loop {
            let symbol = self.run(|letter| letter.is_alphabetic());
            match Element::from_symbol(&symbol) {
                Some(element) if !symbol.is_empty() => elements.push(element),
                _ => return Err(self.unexpected("the symbol of an element", |_| false)),
            }
            self.advance(&symbol);
            if !self.another_item() {
                return Ok(elements);
            }
        }
    }

    pub(super) fn folds(&mut self) -> Result<Vec<Fold>, SelectionError> {
        self.skip_space();
        let mut folds = Vec::new();
        loop {
            let letter = self.run(|letter| letter.is_alphanumeric() || matches!(letter, '\'' | '"'));
            folds.push(match letter.to_ascii_lowercase().as_str() {
                "h" => Fold::Helix,
                "s" | "e" => Fold::Strand,
                "l" | "c" | "''" | "\"\"" => Fold::Loop,
                _ => return Err(self.unexpected("h (helix), s (strand) or l (loop)", |_| false)),
            });
            self.advance(&letter);
            if !self.another_item() {
                return Ok(folds);
            }
        }
    }

    pub(super) fn residue_numbers(&mut self) -> Result<Expression, SelectionError> {
        const EXPECTED: &str = "a residue number or range, as in 10, 52A or 10-20";
        self.skip_space();
        let mut spans = Vec::new();
        let mut is_all = false;
        loop {
            let text = self.run(|letter| letter.is_alphanumeric() || matches!(letter, '-' | ':' | '\\' | '*'));
            match residue_span(&text) {
                Some(span) => spans.push(span),
                None if text == "*" => is_all = true,
                None => return Err(self.unexpected(EXPECTED, |_| false)),
            }
            self.advance(&text);
            if !self.another_item() {
                return Ok(if is_all { Expression::All } else { Expression::Residues(spans) });
            }
        }
    }

    pub(super) fn number_spans(&mut self) -> Result<Vec<(i64, i64)>, SelectionError> {
        self.skip_space();
        let mut spans = Vec::new();
        loop {
            let text = self.run(|letter| letter.is_ascii_digit() || matches!(letter, '-' | ':' | '\\'));
            let span = residue_span(&text).filter(|span| span.first.1.is_none());
            let Some(span) = span.filter(|span| span.last.is_none_or(|last| last.1.is_none())) else {
                return Err(self.unexpected("a number or range, as in 10 or 10-20", |_| false));
            };
            let first = i64::from(span.first.0);
            spans.push((first, span.last.map_or(first, |last| i64::from(last.0))));
            self.advance(&text);
            if !self.another_item() {
                return Ok(spans);
            }
        }
    }

    /// Numbers of models, or names of structures.
    pub(super) fn models(&mut self) -> Result<Expression, SelectionError> {
        self.skip_space();
        let start = self.place;
        let begins_with_number =
            self.peek().is_some_and(|letter| letter.is_ascii_digit() || matches!(letter, '-' | '\\'));
        if begins_with_number
            && let Ok(spans) = self.number_spans()
            && !self.peek().is_some_and(|letter| Pattern::is_plain_letter(letter, false))
        {
            return Ok(Expression::Numbers(NumberField::Model, spans));
        }
        self.place = start;
        Ok(Expression::Text(TextField::Object, self.patterns(TextField::Object)?))
    }
}

/// `10`, `-5`, `52A`, `10-20`, `10:20`, `-5--1`; a backslash before a minus as `PyMOL` writes it.
pub(super) fn residue_span(text: &str) -> Option<ResidueSpan> {
    let (first, rest) = residue_number(text)?;
    if rest.is_empty() {
        return Some(ResidueSpan { first, last: None });
    }
    let (last, rest) = residue_number(rest.strip_prefix(['-', ':'])?)?;
    rest.is_empty().then_some(ResidueSpan { first, last: Some(last) })
}

/// A number with its insertion code, and what follows.
fn residue_number(text: &str) -> Option<((i32, Option<char>), &str)> {
    let text = text.strip_prefix('\\').unwrap_or(text);
    let digits = text.strip_prefix('-').unwrap_or(text);
    let end = digits.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(digits.len());
    let end = end + (text.len() - digits.len());
    let number = text.get(..end)?.parse().ok()?;
    let rest = text.get(end..)?;
    let code = rest.chars().next().filter(char::is_ascii_alphabetic);
    Some(((number, code), if code.is_some() { rest.get(1..)? } else { rest }))
}

/// `1`, `1-3`, `1.2`, `1.2-4`.
pub(super) fn model_span(text: &str) -> Option<ModelSpan> {
    let span = |text: &str| -> Option<(u32, u32)> {
        match text.split_once('-') {
            Some((first, last)) => Some((first.parse().ok()?, last.parse().ok()?)),
            None => text.parse().ok().map(|number| (number, number)),
        }
    };
    let (of, model) = match text.split_once('.') {
        Some((of, model)) => (of, Some(span(model)?)),
        None => (text, None),
    };
    let (first, last) = span(of)?;
    Some(ModelSpan { first, last, model })
}
