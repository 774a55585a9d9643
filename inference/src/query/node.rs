//! Walking the tree of a query file: every step knows its place, so that every error can say it.

use super::QueryError;
use super::value::Value;

type Result<T, E = QueryError> = std::result::Result<T, E>;

/// A node with its place in the file.
pub(super) struct Node<'a> {
    pub(super) value: &'a Value,
    pub(super) place: String,
}

/// The fields of a mapping after the check for unknown ones.
pub(super) struct Fields<'a> {
    pub(super) map: &'a [(String, Value)],
    pub(super) place: String,
}

impl<'a> Node<'a> {
    pub(super) fn error(&self, problem: impl Into<String>) -> QueryError {
        let place = if self.place.is_empty() { "query" } else { &self.place };
        QueryError::field(place, problem)
    }

    pub(super) fn item(&self, index: usize, value: &'a Value) -> Self {
        Self { value, place: format!("{}[{index}]", self.place) }
    }

    pub(super) fn map(&self) -> Result<&'a [(String, Value)]> {
        match self.value {
            Value::Map(map) => Ok(map),
            other => Err(self.error(format!("expected a mapping of fields, found {}", other.kind()))),
        }
    }

    pub(super) fn fields(&self, known: &[&str]) -> Result<Fields<'a>> {
        let map = self.map()?;
        for (key, value) in map {
            if !known.contains(&key.as_str()) {
                let hint = closest(key, known).map_or_else(
                    || format!("the fields here are {}", known.join(", ")),
                    |name| format!("did you mean `{name}`?"),
                );
                return Err(self.error(format!("unknown field `{key}`; {hint}")));
            }
            if *value == Value::Null {
                return Err(self.error(format!("`{key}` is null; leave the field out instead")));
            }
        }
        Ok(Fields { map, place: self.place.clone() })
    }

    /// A list, or one value standing for a list of one.
    pub(super) fn list_or_one(&self) -> Vec<Node<'a>> {
        match self.value {
            Value::List(list) => list.iter().enumerate().map(|(index, value)| self.item(index, value)).collect(),
            value => vec![Node { value, place: self.place.clone() }],
        }
    }

    pub(super) fn list(&self) -> Result<Vec<Node<'a>>> {
        match self.value {
            Value::List(_) => Ok(self.list_or_one()),
            other => Err(self.error(format!("expected a list, found {}", other.kind()))),
        }
    }

    pub(super) fn text(&self) -> Result<&'a str> {
        match self.value {
            Value::Text(text) => Ok(text),
            Value::Integer(_) | Value::Float(_) | Value::Bool(_) => {
                Err(self.error(format!("expected text, found {}; put it in quotes", self.value.kind())))
            }
            other => Err(self.error(format!(
                "expected text, found {}; text that begins with `[` or `{{` needs quotes",
                other.kind()
            ))),
        }
    }

    pub(super) fn texts(&self) -> Result<Vec<String>> {
        self.list_or_one().iter().map(|node| node.text().map(str::to_owned)).collect()
    }

    pub(super) fn index(&self) -> Result<u32> {
        match self.value {
            Value::Integer(number) if *number >= 1 => {
                u32::try_from(*number).map_err(|_| self.error(format!("{number} is too large for a position")))
            }
            Value::Integer(number) => Err(self.error(format!("{number} is no position; positions count from 1"))),
            other => Err(self.error(format!("expected a position (a whole number from 1), found {}", other.kind()))),
        }
    }

    pub(super) fn number(&self) -> Result<f32> {
        let number = match self.value {
            Value::Integer(number) => *number as f64,
            Value::Float(number) => *number,
            other => return Err(self.error(format!("expected a number, found {}", other.kind()))),
        };
        let single = number as f32;
        if single.is_finite() { Ok(single) } else { Err(self.error(format!("{number} is not a usable number"))) }
    }

    pub(super) fn numbers3(&self) -> Result<[f32; 3]> {
        let list = self.list()?;
        let [x, y, z] = list.as_slice() else {
            return Err(self.error(format!("expected three numbers [x, y, z] in Å, found {}", list.len())));
        };
        Ok([x.number()?, y.number()?, z.number()?])
    }
}

impl<'a> Fields<'a> {
    pub(super) fn get(&self, key: &str) -> Option<Node<'a>> {
        let (_, value) = self.map.iter().find(|(name, _)| name == key)?;
        let place = if self.place.is_empty() { key.to_owned() } else { format!("{}.{key}", self.place) };
        Some(Node { value, place })
    }

    /// The field, where it holds something.
    pub(super) fn given(&self, key: &str) -> Option<Node<'a>> {
        self.get(key).filter(|node| *node.value != Value::Null)
    }

    pub(super) fn require(&self, key: &str) -> Result<Node<'a>> {
        self.get(key).ok_or_else(|| self.error(format!("the field `{key}` is missing")))
    }

    pub(super) fn text(&self, key: &str) -> Result<Option<String>> {
        self.get(key).map(|node| node.text().map(str::to_owned)).transpose()
    }

    pub(super) fn error(&self, problem: impl Into<String>) -> QueryError {
        let place = if self.place.is_empty() { "query" } else { &self.place };
        QueryError::field(place, problem)
    }
}

/// The known name that differs from `word` by at most two edits, if there is just one such.
pub(super) fn closest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    let word = word.to_lowercase();
    if word.len() > 64 {
        return None;
    }
    let mut near: Vec<(usize, &str)> =
        known.iter().map(|name| (edit_distance(&word, name), *name)).filter(|(distance, _)| *distance <= 2).collect();
    near.sort_unstable();
    near.first().map(|(_, name)| *name)
}

fn edit_distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}
