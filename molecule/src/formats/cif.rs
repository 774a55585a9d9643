//! The CIF language (Hall, Allen & Brown, Acta Cryst. 1991, A47, 655; STAR, CIF 1.1 syntax): tokens, and rows of
//! categories.
//!
//! The file is walked once. Categories that nobody wants are skipped token by token; rows of wanted ones are handed over
//! as slices of the file, so nothing is copied before it is needed. Tags compare without letter case.

use std::borrow::Cow;

use super::{ParseError, text};

/// A value: as written in a text file, or as decoded from a binary one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Value<'a> {
    /// `.` or `?`, not quoted.
    Null,
    /// Anything in a text file, without its quotes.
    Text(&'a [u8]),
    /// From a column of whole numbers.
    Integer(i32),
    /// From a column of numbers.
    Number(f64),
}

impl<'a> Value<'a> {
    /// A value without quotes.
    pub fn bare(bytes: &'a [u8]) -> Self {
        if matches!(bytes, b"." | b"?") { Self::Null } else { Self::Text(bytes) }
    }

    /// The text, empty for null and for text that is not UTF-8.
    pub fn text(self) -> Cow<'a, str> {
        match self {
            Self::Null => Cow::Borrowed(""),
            Self::Text(bytes) => Cow::Borrowed(std::str::from_utf8(bytes).unwrap_or_default()),
            Self::Integer(value) => Cow::Owned(value.to_string()),
            Self::Number(value) => Cow::Owned(value.to_string()),
        }
    }

    /// The whole number, where it is one.
    pub fn integer(self) -> Option<i32> {
        match self {
            Self::Null => None,
            Self::Text(bytes) => std::str::from_utf8(bytes).ok()?.parse().ok(),
            Self::Integer(value) => Some(value),
            Self::Number(value) => (value.fract() == 0.0 && value.abs() < f64::from(i32::MAX)).then_some(value as i32),
        }
    }

    /// The number, where it is a finite one. A standard uncertainty in parentheses is left out.
    pub fn number(self) -> Option<f32> {
        match self {
            Self::Null => None,
            Self::Text(bytes) => text::number(digits(bytes)?),
            Self::Integer(value) => Some(value as f32),
            Self::Number(value) => Some(value as f32).filter(|value| value.is_finite()),
        }
    }

    /// The same with all its digits.
    pub fn precise_number(self) -> Option<f64> {
        match self {
            Self::Null => None,
            Self::Text(bytes) => digits(bytes)?.parse().ok().filter(|value: &f64| value.is_finite()),
            Self::Integer(value) => Some(f64::from(value)),
            Self::Number(value) => Some(value).filter(|value| value.is_finite()),
        }
    }

    pub fn is_null(self) -> bool {
        matches!(self, Self::Null)
    }
}

/// A number's text without its standard uncertainty.
fn digits(bytes: &[u8]) -> Option<&str> {
    let digits = if bytes.ends_with(b")") { bytes.split(|byte| *byte == b'(').next()? } else { bytes };
    std::str::from_utf8(digits).ok()
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Token<'a> {
    Data(&'a [u8]),
    Loop,
    /// `save_`, `stop_`, `global_`: ends whatever was open.
    Other,
    Tag(&'a [u8]),
    Value(Value<'a>),
}

struct Tokens<'a> {
    bytes: &'a [u8],
    at: usize,
    /// Line of `at`, from 1.
    line: usize,
}

fn starts_with_word(token: &[u8], word: &[u8]) -> bool {
    token.len() >= word.len() && token[..word.len()].eq_ignore_ascii_case(word)
}

impl<'a> Tokens<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        let at = if bytes.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
        Self { bytes, at, line: 1 }
    }

    fn is_line_start(&self) -> bool {
        self.at == 0 || matches!(self.bytes.get(self.at - 1), Some(b'\n' | b'\r'))
    }

    fn skip_space(&mut self) {
        while let Some(byte) = self.bytes.get(self.at) {
            match byte {
                b'\n' => self.line += 1,
                b'#' => {
                    while self.bytes.get(self.at).is_some_and(|byte| !matches!(byte, b'\n' | b'\r')) {
                        self.at += 1;
                    }
                    continue;
                }
                0..=b' ' => {}
                _ => return,
            }
            self.at += 1;
        }
    }

    fn next(&mut self) -> Result<Option<Token<'a>>, ParseError> {
        self.skip_space();
        let Some(&first) = self.bytes.get(self.at) else { return Ok(None) };
        match first {
            b';' if self.is_line_start() => return self.text_field().map(Some),
            b'\'' | b'"' => return self.quoted(first).map(Some),
            _ => {}
        }
        let start = self.at;
        while self.bytes.get(self.at).is_some_and(|byte| *byte > b' ') {
            self.at += 1;
        }
        let token = &self.bytes[start..self.at];
        Ok(Some(match first {
            b'_' => Token::Tag(token),
            b'd' | b'D' if starts_with_word(token, b"data_") => Token::Data(&token[5..]),
            b'l' | b'L' if token.eq_ignore_ascii_case(b"loop_") => Token::Loop,
            b's' | b'S' if starts_with_word(token, b"save_") || token.eq_ignore_ascii_case(b"stop_") => Token::Other,
            b'g' | b'G' if token.eq_ignore_ascii_case(b"global_") => Token::Other,
            _ => Token::Value(Value::bare(token)),
        }))
    }

    /// A quote ends where a space, a line end or the end of the file follows it, so `'a dog's life'` is one value.
    fn quoted(&mut self, quote: u8) -> Result<Token<'a>, ParseError> {
        let start = self.at + 1;
        let mut end = start;
        loop {
            match self.bytes.get(end) {
                None | Some(b'\n' | b'\r') => {
                    return Err(ParseError::new(
                        self.line,
                        "a quoted text does not end on its line",
                        "close the quote, or write the text between lines that begin with a semicolon",
                    ));
                }
                Some(byte) if *byte == quote && self.bytes.get(end + 1).is_none_or(|next| *next <= b' ') => break,
                Some(_) => end += 1,
            }
        }
        self.at = end + 1;
        Ok(Token::Value(Value::Text(&self.bytes[start..end])))
    }

    /// From a semicolon at the start of a line to the next one there.
    fn text_field(&mut self) -> Result<Token<'a>, ParseError> {
        let opened = self.line;
        let start = self.at + 1;
        let mut end = start;
        loop {
            match self.bytes.get(end) {
                None => {
                    return Err(ParseError::new(
                        opened,
                        "the text that begins here with a semicolon never ends",
                        "the file is cut short or the closing semicolon is missing",
                    ));
                }
                Some(b'\n') => {
                    self.line += 1;
                    if self.bytes.get(end + 1) == Some(&b';') {
                        break;
                    }
                }
                Some(_) => {}
            }
            end += 1;
        }
        self.at = end + 2;
        let bytes = &self.bytes[start..end];
        Ok(Token::Value(Value::Text(bytes.strip_suffix(b"\r").unwrap_or(bytes))))
    }
}

/// A category while its rows are read.
#[derive(Debug, Default)]
pub(crate) struct Category {
    /// Lower case, without the underscore: `atom_site`.
    pub name: String,
    /// Lower case items: `cartn_x`.
    pub items: Vec<String>,
}

impl Category {
    /// The column of an item.
    pub fn column(&self, item: &str) -> Option<usize> {
        self.items.iter().position(|known| known == item)
    }
}

/// What a walk over a file hands over.
pub(crate) trait Rows<'a> {
    /// A data block begins; `false` ends the walk.
    fn block(&mut self, name: &str) -> bool;
    /// Whether this category's rows are wanted.
    fn wants(&self, category: &str) -> bool;
    /// Whether an item of a category (both in lower case) is read at all; binary files decode no other.
    fn wants_item(&self, _category: &str, _item: &str) -> bool {
        true
    }
    /// Says how many rows the category that began last has, which text files do not tell.
    fn expect_rows(&mut self, _rows: usize) {}
    /// A category begins: its columns are known.
    fn category(&mut self, category: &Category) -> Result<(), ParseError>;
    /// One row of the category that began last. `line` is its line, or its number in binary files.
    fn row(&mut self, line: usize, row: &[Value<'a>]) -> Result<(), ParseError>;
}

/// Category and item of a tag, in lower case.
fn split_tag(tag: &[u8]) -> (String, String) {
    let text = String::from_utf8_lossy(tag).to_ascii_lowercase();
    let text = text.strip_prefix('_').unwrap_or(&text);
    text.split_once('.')
        .map_or_else(|| (text.to_owned(), String::new()), |(name, item)| (name.to_owned(), item.to_owned()))
}

/// Walks a file once.
pub(crate) fn walk<'a>(bytes: &'a [u8], rows: &mut impl Rows<'a>) -> Result<(), ParseError> {
    let mut tokens = Tokens::new(bytes);
    let mut pairs = Pairs::default();
    let mut token = tokens.next()?;
    while let Some(current) = token {
        match current {
            Token::Tag(tag) => {
                let line = tokens.line;
                token = tokens.next()?;
                let Some(Token::Value(value)) = token else {
                    return Err(ParseError::new(
                        line,
                        format!("{} has no value", String::from_utf8_lossy(tag)),
                        "give it a value, or ? when it is not known",
                    ));
                };
                pairs.add(rows, tag, value, line)?;
                token = tokens.next()?;
            }
            Token::Loop => {
                pairs.flush(rows)?;
                token = read_loop(&mut tokens, rows)?;
            }
            Token::Data(name) => {
                pairs.flush(rows)?;
                if !rows.block(&String::from_utf8_lossy(name)) {
                    return Ok(());
                }
                token = tokens.next()?;
            }
            Token::Other => {
                pairs.flush(rows)?;
                token = tokens.next()?;
            }
            Token::Value(value) => {
                return Err(ParseError::new(
                    tokens.line,
                    format!("{:?} belongs to no tag", value.text().chars().take(40).collect::<String>()),
                    "a value has too many parts or a quote is missing just above",
                ));
            }
        }
    }
    pairs.flush(rows)
}

/// Tag-value pairs outside loops: those of one category in a row are its only row.
#[derive(Default)]
struct Pairs<'a> {
    category: Category,
    values: Vec<Value<'a>>,
    line: usize,
}

impl<'a> Pairs<'a> {
    fn add(&mut self, rows: &mut impl Rows<'a>, tag: &[u8], value: Value<'a>, line: usize) -> Result<(), ParseError> {
        let (name, item) = split_tag(tag);
        if name != self.category.name {
            self.flush(rows)?;
            self.line = line;
            self.category.name = name;
        }
        if rows.wants(&self.category.name) {
            self.category.items.push(item);
            self.values.push(value);
        }
        Ok(())
    }

    fn flush(&mut self, rows: &mut impl Rows<'a>) -> Result<(), ParseError> {
        if !self.values.is_empty() {
            rows.category(&self.category)?;
            rows.row(self.line, &self.values)?;
        }
        self.category = Category::default();
        self.values.clear();
        Ok(())
    }
}

/// Reads a loop after its `loop_`; returns the token that ended it.
fn read_loop<'a>(tokens: &mut Tokens<'a>, rows: &mut impl Rows<'a>) -> Result<Option<Token<'a>>, ParseError> {
    let opened = tokens.line;
    let mut category = Category::default();
    let mut token = tokens.next()?;
    while let Some(Token::Tag(tag)) = token {
        let (name, item) = split_tag(tag);
        category.name = name;
        category.items.push(item);
        token = tokens.next()?;
    }
    let width = category.items.len();
    if width == 0 {
        return Err(ParseError::new(opened, "a loop has no tags", "the file is damaged; fetch it again"));
    }
    let is_wanted = rows.wants(&category.name);
    if is_wanted {
        rows.category(&category)?;
    }
    let mut row = Vec::with_capacity(width);
    let mut column = 0;
    let mut row_line = tokens.line;
    while let Some(Token::Value(value)) = token {
        if column == 0 {
            row_line = tokens.line;
        }
        if is_wanted {
            row.push(value);
        }
        column += 1;
        if column == width {
            if is_wanted {
                rows.row(row_line, &row)?;
                row.clear();
            }
            column = 0;
        }
        token = tokens.next()?;
    }
    if column != 0 {
        return Err(ParseError::new(
            row_line,
            format!("the last row of _{} has {column} of {width} values", category.name),
            "the file is cut short or a value with spaces is not quoted",
        ));
    }
    Ok(token)
}

/// A value as CIF writes it: bare where it can be, else quoted, else as a text field.
pub fn quote(text: &str) -> Cow<'_, str> {
    let is_bare = !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'\'' | b'"'))
        && !text.starts_with(['_', '#', '$', '[', ']', ';'])
        && !matches!(text, "." | "?")
        && !["data_", "loop_", "save_", "stop_", "global_"]
            .iter()
            .any(|word| starts_with_word(text.as_bytes(), word.as_bytes()));
    if is_bare {
        return text.into();
    }
    if !text.contains(['\n', '\r']) {
        for sign in ['"', '\''] {
            let ends_early = text.char_indices().any(|(index, letter)| {
                letter == sign && text.as_bytes().get(index + 1).is_none_or(|next| *next <= b' ')
            });
            if !ends_early {
                return format!("{sign}{text}{sign}").into();
            }
        }
    }
    format!("\n;{}\n;\n", text.replace("\n;", "\n ;")).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct All {
        found: Vec<(String, Vec<String>, Vec<String>)>,
        current: (String, Vec<String>),
    }

    impl<'a> Rows<'a> for All {
        fn block(&mut self, _: &str) -> bool {
            true
        }
        fn wants(&self, category: &str) -> bool {
            category != "skipped"
        }
        fn category(&mut self, category: &Category) -> Result<(), ParseError> {
            self.current = (category.name.clone(), category.items.clone());
            Ok(())
        }
        fn row(&mut self, _: usize, row: &[Value<'a>]) -> Result<(), ParseError> {
            let (name, items) = self.current.clone();
            self.found.push((name, items, row.iter().map(|value| value.text().into_owned()).collect()));
            Ok(())
        }
    }

    #[test]
    fn quotes_text_fields_comments_and_case_are_understood() {
        let text = "# comment\nDATA_x\n_Entry.ID 'a dog's life' # more\n_entry.b \"O5'\"\n_entry.c\n;line one\n line two\n;\n\
            LOOP_ _skipped.a _skipped.b 1 2 3 4\nloop_\n_a.X\n_a.y\n1 '.'\n? 'data_'\n";
        let mut all = All::default();
        walk(text.as_bytes(), &mut all).unwrap();
        assert_eq!(all.found.len(), 3);
        assert_eq!(all.found[0].1, ["id", "b", "c"]);
        assert_eq!(all.found[0].2, ["a dog's life", "O5'", "line one\n line two"]);
        assert_eq!(all.found[1].2, ["1", "."]);
        assert_eq!(all.found[2].2, ["", "data_"]);
    }

    #[test]
    fn damage_is_told_with_its_line() {
        for (text, line) in [
            ("data_x\n_a.b 'open\n", 2),
            ("data_x\n_a.b\n;open\n\n", 3),
            ("data_x\nloop_\n_a.b\n_a.c\n1 2\n3\n", 6),
            ("data_x\n_a.b\n_a.c 1\n", 2),
            ("data_x\n_a.b 1\nstray\n", 3),
        ] {
            let error = walk(text.as_bytes(), &mut All::default()).unwrap_err();
            assert_eq!(error.place, super::super::Place::Line(line), "{text:?}: {error}");
        }
    }

    #[test]
    fn every_text_survives_quoting() {
        for text in ["C1", "O5'", "a b", "it's \"so\" ' x", "", "?", "data_1", "_x", "two\nlines", "5'\" x"] {
            let file = format!("data_q\n_a.b {}\n", quote(text));
            let mut all = All::default();
            walk(file.as_bytes(), &mut all).unwrap();
            assert_eq!(all.found[0].2[0], text, "{file}");
        }
    }
}
