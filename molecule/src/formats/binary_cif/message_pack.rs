//! MessagePack (<https://github.com/msgpack/msgpack/blob/master/spec.md>), as far as BinaryCIF needs it.
//!
//! An [`Item`] is a place in the file, not a tree in memory: looking into a map walks over its entries, stepping over
//! what is in them. Nothing is allocated, so no count in a hostile file can ask for memory, and stepping over an item
//! counts what is left to step over instead of recursing, so no depth can exhaust the stack. [`Item::root`] walks the
//! whole file once; after that every item in it is known to be complete.

use crate::formats::ParseError;

const DAMAGED: &str = "the file is damaged or cut short, fetch it again";

/// An item, by the place of its first byte.
#[derive(Clone, Copy)]
pub(super) struct Item<'a> {
    file: &'a [u8],
    at: usize,
}

/// What the first bytes of an item say, with everything but the items inside of it.
enum Head<'a> {
    Nil,
    Boolean,
    Integer(i64),
    Number(f64),
    Text(&'a [u8]),
    Bytes(&'a [u8]),
    List(usize),
    Map(usize),
    /// An application's own type.
    Extension,
}

/// Reads big-endian numbers and pieces, never past the end.
struct Cursor<'a> {
    file: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let end = self.at.checked_add(count)?;
        let piece = self.file.get(self.at..end)?;
        self.at = end;
        Some(piece)
    }

    fn bytes<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    /// A count of 1, 2 or 4 bytes.
    fn count(&mut self, width: u8) -> Option<usize> {
        Some(match width {
            1 => usize::from(self.bytes::<1>()?[0]),
            2 => usize::from(u16::from_be_bytes(self.bytes()?)),
            _ => u32::from_be_bytes(self.bytes()?) as usize,
        })
    }

    fn piece(&mut self, width: u8) -> Option<&'a [u8]> {
        let count = self.count(width)?;
        self.take(count)
    }

    fn extension(&mut self, length: usize) -> Option<Head<'a>> {
        self.take(length.checked_add(1)?)?;
        Some(Head::Extension)
    }

    /// The head of the item here; nothing when the file ends within it or its first byte has no meaning.
    fn head(&mut self) -> Option<Head<'a>> {
        Some(match self.bytes::<1>()?[0] {
            byte @ 0x00..=0x7f => Head::Integer(i64::from(byte)),
            byte @ 0x80..=0x8f => Head::Map(usize::from(byte & 0x0f)),
            byte @ 0x90..=0x9f => Head::List(usize::from(byte & 0x0f)),
            byte @ 0xa0..=0xbf => Head::Text(self.take(usize::from(byte & 0x1f))?),
            0xc0 => Head::Nil,
            0xc1 => return None,
            0xc2 | 0xc3 => Head::Boolean,
            0xc4 => Head::Bytes(self.piece(1)?),
            0xc5 => Head::Bytes(self.piece(2)?),
            0xc6 => Head::Bytes(self.piece(4)?),
            0xc7 => {
                let length = self.count(1)?;
                self.extension(length)?
            }
            0xc8 => {
                let length = self.count(2)?;
                self.extension(length)?
            }
            0xc9 => {
                let length = self.count(4)?;
                self.extension(length)?
            }
            0xca => Head::Number(f64::from(f32::from_be_bytes(self.bytes()?))),
            0xcb => Head::Number(f64::from_be_bytes(self.bytes()?)),
            0xcc => Head::Integer(i64::from(self.bytes::<1>()?[0])),
            0xcd => Head::Integer(i64::from(u16::from_be_bytes(self.bytes()?))),
            0xce => Head::Integer(i64::from(u32::from_be_bytes(self.bytes()?))),
            0xcf => {
                let value = u64::from_be_bytes(self.bytes()?);
                i64::try_from(value).map_or(Head::Number(value as f64), Head::Integer)
            }
            0xd0 => Head::Integer(i64::from(i8::from_be_bytes(self.bytes()?))),
            0xd1 => Head::Integer(i64::from(i16::from_be_bytes(self.bytes()?))),
            0xd2 => Head::Integer(i64::from(i32::from_be_bytes(self.bytes()?))),
            0xd3 => Head::Integer(i64::from_be_bytes(self.bytes()?)),
            byte @ 0xd4..=0xd8 => self.extension(1 << (byte - 0xd4))?,
            0xd9 => Head::Text(self.piece(1)?),
            0xda => Head::Text(self.piece(2)?),
            0xdb => Head::Text(self.piece(4)?),
            0xdc => Head::List(self.count(2)?),
            0xdd => Head::List(self.count(4)?),
            0xde => Head::Map(self.count(2)?),
            0xdf => Head::Map(self.count(4)?),
            byte @ 0xe0..=0xff => Head::Integer(i64::from(byte as i8)),
        })
    }

    /// Steps over one item with all that is in it.
    fn step_over(&mut self) -> Result<(), ParseError> {
        let mut left: usize = 1;
        while left > 0 {
            let start = self.at;
            let head = self.head().ok_or_else(|| {
                ParseError::at_byte(start, "the item that begins here is not complete or of no known type", DAMAGED)
            })?;
            left -= 1;
            let inside = match head {
                Head::List(count) => count,
                Head::Map(count) => count.saturating_mul(2),
                _ => 0,
            };
            // Every item takes a byte at least.
            left = left.saturating_add(inside);
            if left > self.file.len() - self.at {
                let what =
                    format!("the file announces {left} more items here but has {} bytes", self.file.len() - self.at);
                return Err(ParseError::at_byte(start, what, DAMAGED));
            }
        }
        Ok(())
    }
}

impl<'a> Item<'a> {
    /// The item that is the whole file. Bytes after it are ignored.
    ///
    /// # Errors
    /// When anything in it is not complete, with the byte.
    pub fn root(file: &'a [u8]) -> Result<Self, ParseError> {
        Cursor { file, at: 0 }.step_over()?;
        Ok(Self { file, at: 0 })
    }

    /// Offset in the file.
    pub fn offset(self) -> usize {
        self.at
    }

    fn head(self) -> (Head<'a>, usize) {
        let mut cursor = Cursor { file: self.file, at: self.at };
        let head = cursor.head().unwrap_or(Head::Nil);
        (head, cursor.at)
    }

    fn after(self) -> Self {
        let mut cursor = Cursor { file: self.file, at: self.at };
        // The root's walk has been here.
        if cursor.step_over().is_err() {
            cursor.at = self.file.len();
        }
        Self { file: self.file, at: cursor.at }
    }

    pub fn is_nil(self) -> bool {
        matches!(self.head().0, Head::Nil)
    }

    pub fn is_map(self) -> bool {
        matches!(self.head().0, Head::Map(_))
    }

    pub fn text(self) -> Option<&'a str> {
        match self.head().0 {
            Head::Text(text) => std::str::from_utf8(text).ok(),
            _ => None,
        }
    }

    pub fn bytes(self) -> Option<&'a [u8]> {
        match self.head().0 {
            Head::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// A whole number; some encoders write whole numbers as floating-point ones.
    pub fn integer(self) -> Option<i64> {
        match self.head().0 {
            Head::Integer(value) => Some(value),
            Head::Number(value) if value.fract() == 0.0 && value.abs() < 9.0e15 => Some(value as i64),
            _ => None,
        }
    }

    pub fn number(self) -> Option<f64> {
        match self.head().0 {
            Head::Integer(value) => Some(value as f64),
            Head::Number(value) => Some(value),
            _ => None,
        }
    }

    pub fn is_true(self) -> bool {
        matches!(self.head(), (Head::Boolean, _)) && self.file.get(self.at) == Some(&0xc3)
    }

    /// The items of a list; of anything else, none.
    pub fn items(self) -> impl Iterator<Item = Self> + Clone + use<'a> {
        let (head, start) = self.head();
        let count = if let Head::List(count) = head { count } else { 0 };
        Run { next: Self { file: self.file, at: start }, left: count }
    }

    /// What a map has under a key.
    pub fn get(self, key: &str) -> Option<Self> {
        let (head, start) = self.head();
        let Head::Map(count) = head else { return None };
        let mut run = Run { next: Self { file: self.file, at: start }, left: count.saturating_mul(2) };
        while let (Some(name), Some(value)) = (run.next(), run.next()) {
            if name.text() == Some(key) {
                return Some(value);
            }
        }
        None
    }
}

/// Items that follow each other.
#[derive(Clone)]
struct Run<'a> {
    next: Item<'a>,
    left: usize,
}

impl<'a> Iterator for Run<'a> {
    type Item = Item<'a>;

    fn next(&mut self) -> Option<Item<'a>> {
        if self.left == 0 || self.next.at >= self.next.file.len() {
            return None;
        }
        self.left -= 1;
        let item = self.next;
        self.next = item.after();
        Some(item)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_of_every_width_are_found() {
        // {"a": [1, -1, 300, -300, 1.5, true, nil, "xyz", bin(2), 2^63], "b": {}}
        let mut file = vec![0x82, 0xa1, b'a', 0xdc, 0, 10, 1, 0xff, 0xcd, 1, 44, 0xd1, 0xfe, 0xd4];
        file.extend([0xcb]);
        file.extend(1.5_f64.to_be_bytes());
        file.extend([0xc3, 0xc0, 0xd9, 3, b'x', b'y', b'z', 0xc4, 2, 7, 8]);
        file.extend([0xcf, 0x80, 0, 0, 0, 0, 0, 0, 0]);
        file.extend([0xa1, b'b', 0x80]);
        let root = Item::root(&file).unwrap();
        let items: Vec<Item<'_>> = root.get("a").unwrap().items().collect();
        let integers: Vec<Option<i64>> = items.iter().map(|item| item.integer()).collect();
        assert_eq!(integers[..5], [Some(1), Some(-1), Some(300), Some(-300), None]);
        assert_eq!(items[4].number(), Some(1.5));
        assert!(items[5].is_true() && items[6].is_nil());
        assert_eq!((items[7].text(), items[8].bytes()), (Some("xyz"), Some(&[7, 8][..])));
        assert_eq!(items[9].number(), Some(9_223_372_036_854_775_808.0));
        assert!(root.get("b").is_some_and(|item| item.is_map() && item.get("c").is_none()));
        assert!(root.get("c").is_none() && items[0].get("a").is_none());
        for length in 0..file.len() {
            assert!(Item::root(&file[..length]).is_err(), "cut at {length}");
        }
    }

    #[test]
    fn depth_and_counts_cost_nothing() {
        // A million lists in each other, and one list that announces four thousand million items.
        let mut deep = vec![0x91; 1_000_000];
        deep.push(0xc0);
        assert!(Item::root(&deep).is_ok());
        let error = Item::root(&[0xdd, 0xff, 0xff, 0xff, 0xff, 0xc0]).err().unwrap();
        assert!(error.to_string().starts_with("byte 0: the file announces 4294967295 more items"), "{error}");
    }
}
