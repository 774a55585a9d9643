//! BinaryCIF files (Sehnal et al., PLoS Comput. Biol. 2020, 16, e1008247; format 0.3): mmCIF's categories as columns,
//! each compressed by a chain of simple encodings, packed as MessagePack.
//!
//! [`read`] makes a structure, by the same code that reads the categories of text files (`mmcif`). [`Document`] gives
//! any category, column by column, for files that hold something else (the component dictionary).

mod encodings;
mod message_pack;

use std::borrow::Cow;
use std::ops::Range;

use encodings::Array;
use message_pack::Item;
use rayon::prelude::*;

use super::cif::{self, Rows, Value};
use super::{ParseError, Place, mmcif};
use crate::structure::Structure;

/// What most errors here advise.
const DAMAGED: &str = "the file is damaged or was written wrongly; fetch it again, or take the entry as mmCIF text";

/// Rows are read from a file of `bytes` bytes at most: real rows of atoms take more than four bytes each, and a run-length
/// count must not become memory that the file does not stand for.
const fn most_rows(bytes: usize) -> usize {
    1_000_000 + bytes / 4
}

/// A BinaryCIF file, walked once and found complete.
#[derive(Clone, Copy)]
pub struct Document<'a> {
    root: Item<'a>,
    most_rows: usize,
}

/// A data block of a document.
#[derive(Clone, Copy)]
pub struct Block<'a> {
    item: Item<'a>,
    most_rows: usize,
}

/// A category of a block: named columns of equal length.
#[derive(Clone, Copy)]
pub struct Category<'a> {
    item: Item<'a>,
    name: &'a str,
    row_count: usize,
}

/// A decoded column. A row that the file marks as "not applicable" or "not known" has no value.
pub struct Column<'a> {
    values: Array<'a>,
    /// For each row 0 where there is a value; empty where all have one.
    mask: Vec<i32>,
}

impl<'a> Document<'a> {
    /// Looks through an unpacked file.
    ///
    /// # Errors
    /// When it is not MessagePack, is cut short, or is no BinaryCIF, with the byte.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, ParseError> {
        let root = Item::root(bytes)?;
        let is_list = root.get("dataBlocks").is_some_and(|blocks| blocks.items().next().is_some());
        if !is_list {
            return Err(ParseError::at_byte(0, "there are no data blocks in this BinaryCIF file", DAMAGED));
        }
        Ok(Self { root, most_rows: most_rows(bytes.len()) })
    }

    /// The data blocks in file order.
    pub fn blocks(&self) -> impl Iterator<Item = Block<'a>> + use<'a> {
        let most_rows = self.most_rows;
        let blocks = self.root.get("dataBlocks");
        blocks.into_iter().flat_map(Item::items).filter(|item| item.is_map()).map(move |item| Block { item, most_rows })
    }
}

impl<'a> Block<'a> {
    /// The block's name.
    #[must_use]
    pub fn name(&self) -> &'a str {
        self.item.get("header").and_then(Item::text).unwrap_or_default()
    }

    /// The categories in file order; those without a name or a count of rows are errors.
    pub fn categories(&self) -> impl Iterator<Item = Result<Category<'a>, ParseError>> + use<'a> {
        let most_rows = self.most_rows;
        self.item.get("categories").into_iter().flat_map(Item::items).map(move |item| {
            let name = item.get("name").and_then(Item::text);
            let name = name.ok_or_else(|| ParseError::at_byte(item.offset(), "a category has no name", DAMAGED))?;
            let name = name.strip_prefix('_').unwrap_or(name);
            let rows = item.get("rowCount").and_then(Item::integer).and_then(|count| usize::try_from(count).ok());
            let row_count = rows.filter(|count| *count <= most_rows).ok_or_else(|| {
                let what = format!("the category {name:?} has no number of rows that a file of this size can hold");
                ParseError::at_byte(item.offset(), what, DAMAGED)
            })?;
            Ok(Category { item, name, row_count })
        })
    }

    /// The category of this name, without its underscore, in any letter case.
    ///
    /// # Errors
    /// When a category has no name or no count of rows.
    pub fn category(&self, name: &str) -> Result<Option<Category<'a>>, ParseError> {
        for category in self.categories() {
            let category = category?;
            if category.name.eq_ignore_ascii_case(name) {
                return Ok(Some(category));
            }
        }
        Ok(None)
    }
}

impl<'a> Category<'a> {
    /// The name without its underscore: `atom_site`.
    #[must_use]
    pub fn name(&self) -> &'a str {
        self.name
    }

    /// Length of every column.
    #[must_use]
    pub fn row_count(&self) -> usize {
        self.row_count
    }

    /// The column of an item (`Cartn_x`, in any letter case), decoded; nothing when the category has no such column.
    ///
    /// # Errors
    /// When its data cannot be decoded, naming category and column.
    pub fn column(&self, item: &str) -> Result<Option<Column<'a>>, ParseError> {
        let found = self.columns().find(|(name, _)| name.eq_ignore_ascii_case(item));
        found.map(|(name, column)| self.decode(name, column)).transpose()
    }

    fn columns(&self) -> impl Iterator<Item = (&'a str, Item<'a>)> + use<'a> {
        let columns = self.item.get("columns").into_iter().flat_map(Item::items);
        columns.map(|column| (column.get("name").and_then(Item::text).unwrap_or_default(), column))
    }

    fn decode(&self, name: &str, column: Item<'a>) -> Result<Column<'a>, ParseError> {
        let wrong = |what: String| ParseError {
            place: Place::Column { category: self.name.to_owned(), column: name.to_owned() },
            record: None,
            what,
            advice: DAMAGED.to_owned(),
        };
        let data = column.get("data").ok_or_else(|| wrong("the column has no data".to_owned()))?;
        let values = encodings::decode(data, self.row_count).map_err(wrong)?;
        let mask = match column.get("mask").filter(|mask| !mask.is_nil()) {
            None => Vec::new(),
            Some(mask) => match encodings::decode(mask, self.row_count).map_err(wrong)? {
                Array::Integers(mask) => mask,
                _ => return Err(wrong("the mask is no list of whole numbers".to_owned())),
            },
        };
        for (what, length) in [("values", values.len()), ("places in its mask", mask.len())] {
            if length != self.row_count && !(length == 0 && what != "values") {
                return Err(wrong(format!("the column has {length} {what} for {} rows", self.row_count)));
            }
        }
        Ok(Column { values, mask })
    }
}

impl<'a> Column<'a> {
    fn value(&self, row: usize) -> Value<'a> {
        if self.mask.get(row).is_some_and(|mask| *mask != 0) {
            return Value::Null;
        }
        let value = match &self.values {
            Array::Bytes(bytes) => bytes.get(row).map(|value| Value::Integer(i32::from(*value))),
            Array::Integers(values) => values.get(row).map(|value| Value::Integer(*value)),
            Array::Numbers(values) => values.get(row).map(|value| Value::Number(*value)),
            // Some writers leave the null signs of the text file where a mask should be.
            Array::Texts(texts) => texts.get(row).map(|text| Value::bare(text.as_bytes())),
        };
        value.unwrap_or(Value::Null)
    }

    /// Writes the values of these rows, which the column has.
    fn fill<'v>(&self, rows: Range<usize>, values: impl Iterator<Item = &'v mut Value<'a>>)
    where
        'a: 'v,
    {
        match &self.values {
            _ if !self.mask.is_empty() => rows.zip(values).for_each(|(row, value)| *value = self.value(row)),
            Array::Bytes(bytes) => {
                bytes[rows].iter().zip(values).for_each(|(byte, value)| *value = Value::Integer(i32::from(*byte)));
            }
            Array::Integers(integers) => {
                integers[rows].iter().zip(values).for_each(|(integer, value)| *value = Value::Integer(*integer));
            }
            Array::Numbers(numbers) => {
                numbers[rows].iter().zip(values).for_each(|(number, value)| *value = Value::Number(*number));
            }
            Array::Texts(_) => rows.zip(values).for_each(|(row, value)| *value = self.value(row)),
        }
    }

    /// Whether the row has a value.
    #[must_use]
    pub fn has_value(&self, row: usize) -> bool {
        !self.value(row).is_null()
    }

    /// The row's value as text, empty where it has none.
    #[must_use]
    pub fn text(&self, row: usize) -> Cow<'a, str> {
        self.value(row).text()
    }

    /// The row's value as a whole number.
    #[must_use]
    pub fn integer(&self, row: usize) -> Option<i32> {
        self.value(row).integer()
    }

    /// The row's value as a finite number.
    #[must_use]
    pub fn number(&self, row: usize) -> Option<f32> {
        self.value(row).number()
    }
}

/// Reads a structure from an unpacked BinaryCIF file in memory: the first data block that holds atoms. Assigns bonds and
/// residue kinds.
///
/// # Errors
/// When the file is damaged, holds no Cartesian coordinates, or has one that is not a number, with category, column and row.
pub fn read(bytes: &[u8]) -> Result<Structure, ParseError> {
    let mut reader = mmcif::Reader::default();
    walk(bytes, &mut reader)?;
    reader.finish().map_err(|error| ParseError { place: Place::Byte(0), ..error })
}

/// Hands over the categories that are wanted, as [`cif::walk`] does for text files.
pub(super) fn walk<'a>(bytes: &'a [u8], rows: &mut impl Rows<'a>) -> Result<(), ParseError> {
    let document = Document::parse(bytes)?;
    let mut rows_left = document.most_rows;
    for block in document.blocks() {
        if !rows.block(block.name()) {
            break;
        }
        for category in block.categories() {
            let category = category?;
            let name = category.name.to_ascii_lowercase();
            if !rows.wants(&name) || category.row_count == 0 {
                continue;
            }
            rows_left = rows_left.checked_sub(category.row_count).ok_or_else(|| {
                let what = format!("the categories up to {name:?} have more rows than a file of this size can hold");
                ParseError::at_byte(category.item.offset(), what, DAMAGED)
            })?;
            hand_over(&category, name, rows)?;
        }
    }
    Ok(())
}

/// Gives a category to the reader row by row, as the text format would.
fn hand_over<'a>(category: &Category<'a>, name: String, rows: &mut impl Rows<'a>) -> Result<(), ParseError> {
    let mut head = cif::Category { name, items: Vec::new() };
    let mut wanted = Vec::new();
    for (item, column) in category.columns() {
        let item = item.to_ascii_lowercase();
        if rows.wants_item(&head.name, &item) && head.column(&item).is_none() {
            wanted.push((item.clone(), column));
            head.items.push(item);
        }
    }
    let columns: Vec<Column<'_>> =
        wanted.par_iter().map(|(item, column)| category.decode(item, *column)).collect::<Result<_, _>>()?;
    rows.category(&head)?;
    rows.expect_rows(category.row_count);
    // A few rows at a time, column by column: what a column holds is asked once for all of them.
    const ROWS: usize = 64;
    let width = columns.len();
    let mut values = vec![Value::Null; ROWS * width];
    for first in (0..category.row_count).step_by(ROWS) {
        let count = ROWS.min(category.row_count - first);
        for (place, column) in columns.iter().enumerate() {
            column.fill(first..first + count, values.iter_mut().skip(place).step_by(width.max(1)));
        }
        for offset in 0..count {
            let row = first + offset + 1;
            rows.row(row, &values[offset * width..(offset + 1) * width])
                .map_err(|error| ParseError { place: Place::Row { category: head.name.clone(), row }, ..error })?;
        }
    }
    Ok(())
}
