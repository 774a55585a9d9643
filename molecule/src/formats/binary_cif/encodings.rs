//! The encodings of BinaryCIF columns (<https://github.com/molstar/BinaryCIF>, version 0.3), undone.
//!
//! A column's data carries the encodings in the order in which they were applied; they are undone from the last to the
//! first, from bytes to numbers or texts. Whatever a file announces, no step makes more values than the column has rows
//! or the step before it had values; a run-length count is believed only within the rows.

use super::message_pack::Item;

/// Values after some of the encodings are undone.
pub(super) enum Array<'a> {
    Bytes(&'a [u8]),
    Integers(Vec<i32>),
    Numbers(Vec<f64>),
    Texts(Texts<'a>),
}

/// Texts, each distinct one stored once.
pub(super) struct Texts<'a> {
    distinct: Vec<&'a str>,
    /// For each row the position in `distinct`; negative for none.
    indices: Vec<i32>,
}

impl<'a> Texts<'a> {
    pub fn get(&self, row: usize) -> Option<&'a str> {
        let index = usize::try_from(*self.indices.get(row)?).ok()?;
        self.distinct.get(index).copied()
    }
}

impl Array<'_> {
    pub fn len(&self) -> usize {
        match self {
            Self::Bytes(bytes) => bytes.len(),
            Self::Integers(values) => values.len(),
            Self::Numbers(values) => values.len(),
            Self::Texts(texts) => texts.indices.len(),
        }
    }

    fn into_integers(self) -> Result<Vec<i32>, String> {
        match self {
            Self::Integers(values) => Ok(values),
            _ => Err("an encoding of whole numbers stands where there are none".to_owned()),
        }
    }
}

/// Undoes the encodings of `data`, a map of `data` and `encoding`.
///
/// # Errors
/// What is wrong, in words: an encoding that is not known, wrong parameters, more than `rows` values.
pub(super) fn decode(data: Item<'_>, rows: usize) -> Result<Array<'_>, String> {
    let bytes = data.get("data").and_then(Item::bytes).ok_or("the column has no data")?;
    let encodings = data.get("encoding").ok_or("the column does not say how it is encoded")?;
    undo(Array::Bytes(bytes), encodings, rows)
}

/// More encodings on one column than this are not seen; each may copy the column once.
const MOST_ENCODINGS: usize = 16;

fn undo<'a>(mut array: Array<'a>, encodings: Item<'a>, rows: usize) -> Result<Array<'a>, String> {
    let steps: Vec<Item<'_>> = encodings.items().take(MOST_ENCODINGS + 1).collect();
    if steps.len() > MOST_ENCODINGS {
        return Err(format!("the column is encoded more than {MOST_ENCODINGS} times over"));
    }
    for step in steps.into_iter().rev() {
        let kind = step.get("kind").and_then(Item::text).unwrap_or_default();
        array = match (kind, array) {
            ("ByteArray", Array::Bytes(bytes)) => byte_array(bytes, integer(step, "type")?)?,
            ("ByteArray", _) => return Err("ByteArray is not the last of the encodings".to_owned()),
            ("StringArray", Array::Bytes(bytes)) => Array::Texts(string_array(bytes, step, rows)?),
            ("StringArray", _) => return Err("StringArray is not the last of the encodings".to_owned()),
            (kind, array) => numeric(kind, array.into_integers()?, step, rows)?,
        };
    }
    Ok(array)
}

fn integer(step: Item<'_>, key: &str) -> Result<i64, String> {
    step.get(key).and_then(Item::integer).ok_or_else(|| format!("the encoding lacks its number {key:?}"))
}

fn number(step: Item<'_>, key: &str) -> Result<f64, String> {
    let value = step.get(key).and_then(Item::number).filter(|value| value.is_finite());
    value.ok_or_else(|| format!("the encoding lacks its number {key:?}"))
}

fn numeric<'a>(kind: &str, values: Vec<i32>, step: Item<'_>, rows: usize) -> Result<Array<'a>, String> {
    Ok(match kind {
        "FixedPoint" => {
            let factor = number(step, "factor")?;
            if factor == 0.0 {
                return Err("the factor of FixedPoint is 0".to_owned());
            }
            Array::Numbers(values.into_iter().map(|value| f64::from(value) / factor).collect())
        }
        "IntervalQuantization" => {
            let (low, high) = (number(step, "min")?, number(step, "max")?);
            let steps = integer(step, "numSteps")?;
            if steps < 2 {
                return Err(format!("IntervalQuantization has {steps} steps"));
            }
            let width = (high - low) / (steps - 1) as f64;
            Array::Numbers(values.into_iter().map(|value| low + f64::from(value) * width).collect())
        }
        "RunLength" => Array::Integers(run_length(&values, rows)?),
        "Delta" => {
            let mut sum = i32::try_from(integer(step, "origin")?).map_err(|_| "the origin of Delta is too large")?;
            let mut values = values;
            for value in &mut values {
                sum = sum.checked_add(*value).ok_or("the sums of Delta leave the range of whole numbers")?;
                *value = sum;
            }
            Array::Integers(values)
        }
        "IntegerPacking" => {
            let is_unsigned = step.get("isUnsigned").is_some_and(Item::is_true);
            Array::Integers(unpack(&values, integer(step, "byteCount")?, is_unsigned)?)
        }
        "" => return Err("an encoding does not say its kind".to_owned()),
        other => return Err(format!("the encoding {other:?} is not known")),
    })
}

/// Little-endian numbers of one of the eight types.
fn byte_array<'a>(bytes: &[u8], kind: i64) -> Result<Array<'a>, String> {
    fn each<const N: usize, T>(bytes: &[u8], read: impl Fn([u8; N]) -> T) -> Result<Vec<T>, String> {
        let (values, rest) = bytes.as_chunks::<N>();
        if !rest.is_empty() {
            return Err(format!("{} bytes are no whole number of {N}-byte values", bytes.len()));
        }
        Ok(values.iter().map(|value| read(*value)).collect())
    }
    Ok(match kind {
        1 => Array::Integers(each(bytes, |value| i32::from(i8::from_le_bytes(value)))?),
        2 => Array::Integers(each(bytes, |value| i32::from(i16::from_le_bytes(value)))?),
        3 => Array::Integers(each(bytes, i32::from_le_bytes)?),
        4 => Array::Integers(each(bytes, |value| i32::from(u8::from_le_bytes(value)))?),
        5 => Array::Integers(each(bytes, |value| i32::from(u16::from_le_bytes(value)))?),
        6 => {
            let values: Result<Vec<i32>, _> = each(bytes, u32::from_le_bytes)?.into_iter().map(i32::try_from).collect();
            Array::Integers(values.map_err(|_| "a whole number is above 2,147,483,647")?)
        }
        32 => Array::Numbers(each(bytes, |value| f64::from(f32::from_le_bytes(value)))?),
        33 => Array::Numbers(each(bytes, f64::from_le_bytes)?),
        other => return Err(format!("ByteArray has the unknown type {other}")),
    })
}

fn run_length(pairs: &[i32], rows: usize) -> Result<Vec<i32>, String> {
    let (pairs, rest) = pairs.as_chunks::<2>();
    if !rest.is_empty() {
        return Err("RunLength has a value without its count".to_owned());
    }
    let mut values = Vec::new();
    for [value, count] in pairs {
        let count = usize::try_from(*count).map_err(|_| format!("RunLength has a count of {count}"))?;
        if count > rows - values.len() {
            return Err(format!("RunLength makes more values than the {rows} there are to be"));
        }
        values.resize(values.len() + count, *value);
    }
    Ok(values)
}

/// Numbers that did not fit one or two bytes are sums: every part at the limit says that the next part is added.
fn unpack(parts: &[i32], byte_count: i64, is_unsigned: bool) -> Result<Vec<i32>, String> {
    let (low, high) = match (byte_count, is_unsigned) {
        (1, false) => (i32::from(i8::MIN), i32::from(i8::MAX)),
        (1, true) => (-1, i32::from(u8::MAX)),
        (2, false) => (i32::from(i16::MIN), i32::from(i16::MAX)),
        (2, true) => (-1, i32::from(u16::MAX)),
        _ => return Err(format!("IntegerPacking into {byte_count} bytes is not known")),
    };
    let mut values = Vec::with_capacity(parts.len());
    let mut sum = 0_i32;
    let mut is_open = false;
    for part in parts {
        sum = sum.checked_add(*part).ok_or("the sums of IntegerPacking leave the range of whole numbers")?;
        is_open = *part == high || *part == low;
        if !is_open {
            values.push(std::mem::take(&mut sum));
        }
    }
    if is_open { Err("the last number of IntegerPacking is not complete".to_owned()) } else { Ok(values) }
}

fn string_array<'a>(bytes: &'a [u8], step: Item<'a>, rows: usize) -> Result<Texts<'a>, String> {
    let text = step.get("stringData").and_then(Item::text).ok_or("StringArray has no text in UTF-8")?;
    let data_encoding = step.get("dataEncoding").ok_or("StringArray does not say how its data is encoded")?;
    let offset_encoding = step.get("offsetEncoding").ok_or("StringArray does not say how its offsets are encoded")?;
    if [data_encoding, offset_encoding].iter().any(|inner| has_string_array(*inner)) {
        return Err("a StringArray stands within a StringArray".to_owned());
    }
    let indices = undo(Array::Bytes(bytes), data_encoding, rows)?.into_integers()?;
    let offsets = step.get("offsets").and_then(Item::bytes).ok_or("StringArray has no offsets")?;
    // Distinct texts: no more than there are rows, or letters to make them differ.
    let most = rows.max(text.len()).saturating_add(2);
    let offsets = undo(Array::Bytes(offsets), offset_encoding, most)?.into_integers()?;
    let mut distinct = Vec::with_capacity(offsets.len().saturating_sub(1));
    for pair in offsets.windows(2) {
        let piece = usize::try_from(pair[0]).ok().zip(usize::try_from(pair[1]).ok());
        let piece = piece.and_then(|(start, end)| text.get(start..end));
        distinct.push(piece.ok_or_else(|| format!("StringArray has no text from {} to {}", pair[0], pair[1]))?);
    }
    if let Some(wrong) = indices.iter().find(|index| usize::try_from(**index).is_ok_and(|at| at >= distinct.len())) {
        return Err(format!("StringArray names text {wrong} of {}", distinct.len()));
    }
    Ok(Texts { distinct, indices })
}

fn has_string_array(encodings: Item<'_>) -> bool {
    encodings.items().any(|step| step.get("kind").and_then(Item::text) == Some("StringArray"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packed_numbers_are_sums_up_to_the_first_part_below_the_limit() {
        // The example of the specification.
        assert_eq!(unpack(&[1, 2, -3, 127, 1], 1, false).unwrap(), [1, 2, -3, 128]);
        assert_eq!(unpack(&[-128, -2, 127, 0, 5], 1, false).unwrap(), [-130, 127, 5]);
        assert_eq!(unpack(&[255, 255, 3, 254], 1, true).unwrap(), [513, 254]);
        assert_eq!(unpack(&[65535, 1, 7], 2, true).unwrap(), [65536, 7]);
        assert!(unpack(&[1, 127], 1, false).is_err());
        assert!(unpack(&[1], 4, false).is_err());
    }

    #[test]
    fn runs_make_no_more_values_than_rows() {
        assert_eq!(run_length(&[1, 3, 2, 1], 4).unwrap(), [1, 1, 1, 2]);
        assert!(run_length(&[1, i32::MAX, 2, i32::MAX], 1000).is_err());
        assert!(run_length(&[1, -1], 4).is_err());
        assert!(run_length(&[1, 2, 3], 4).is_err());
    }

    #[test]
    fn bytes_become_numbers_of_every_type() {
        let integers = |bytes: &[u8], kind| byte_array(bytes, kind).and_then(Array::into_integers);
        assert_eq!(integers(&[0xff, 1], 1).unwrap(), [-1, 1]);
        assert_eq!(integers(&[0xff, 1], 4).unwrap(), [255, 1]);
        assert_eq!(integers(&[0xfe, 0xff], 2).unwrap(), [-2]);
        assert_eq!(integers(&[0xfe, 0xff], 5).unwrap(), [65534]);
        assert_eq!(integers(&[1, 0, 0, 0x80], 3).unwrap(), [i32::MIN + 1]);
        assert!(integers(&[1, 0, 0, 0x80], 6).is_err());
        assert!(integers(&[1, 0, 0], 3).is_err());
        assert!(integers(&[1], 7).is_err());
        let Ok(Array::Numbers(values)) = byte_array(&1.25_f32.to_le_bytes(), 32) else { panic!("no numbers") };
        assert_eq!(values, [1.25]);
    }
}
