//! The directory of a zip archive whose entries are stored, not compressed: what PyTorch writes.
//!
//! PKWARE APPNOTE 6.3.10, sections 4.3.7, 4.3.12 to 4.3.16. Only the central directory is believed for names and sizes, and
//! the local header only for where an entry's bytes begin. Every number is checked against the file before it is used.

use std::collections::HashMap;
use std::ops::Range;

/// Most entries an archive may have; the largest published checkpoint has about 3,000.
const MAX_ENTRIES: u64 = 1 << 20;
const END: &[u8] = b"PK\x05\x06";
const END_64: &[u8] = b"PK\x06\x06";
const END_64_LOCATOR: &[u8] = b"PK\x06\x07";
const CENTRAL: &[u8] = b"PK\x01\x02";
const LOCAL: &[u8] = b"PK\x03\x04";
const END_LENGTH: usize = 22;
/// The end record plus the longest comment.
const END_SEARCH: usize = END_LENGTH + 0xffff;

/// An entry.
#[derive(Clone, Debug)]
pub(super) struct Stored {
    /// Where its bytes are.
    pub bytes: Range<usize>,
    /// Their CRC-32, as the directory has it.
    pub crc: u32,
}

/// The entries by name.
pub(super) type Entries = HashMap<String, Stored>;

/// Reads the directory of an archive.
///
/// # Errors
/// A text that says what is wrong.
pub(super) fn entries(file: &[u8]) -> Result<Entries, String> {
    let (count, size, offset) = directory(file)?;
    if count > MAX_ENTRIES {
        return Err(format!("the zip directory claims {count} entries"));
    }
    let mut at = place(offset)?;
    let end = at
        .checked_add(place(size)?)
        .filter(|&end| end <= file.len())
        .ok_or("the zip directory lies outside the file")?;
    let mut entries = Entries::new();
    for _ in 0..count {
        let header = slice(file, at, 46)?;
        if at.saturating_add(46) > end || !header.starts_with(CENTRAL) {
            return Err("the zip directory is damaged".to_owned());
        }
        let (flags, method) = (u16_at(header, 8), u16_at(header, 10));
        let [name_length, extra_length, comment_length] =
            [28, 30, 32].map(|position| usize::from(u16_at(header, position)));
        let name = slice(file, at + 46, name_length)?;
        let name = std::str::from_utf8(name).map_err(|_| "a name in the zip directory is not UTF-8")?.to_owned();
        let extra = slice(file, at + 46 + name_length, extra_length)?;
        let sizes = Sizes::read(header, extra).ok_or_else(|| format!("the zip entry {name} has no 64-bit sizes"))?;
        if flags & 1 != 0 {
            return Err(format!("the zip entry {name} is encrypted"));
        }
        if method != 0 || sizes.compressed != sizes.uncompressed {
            return Err(format!("the zip entry {name} is compressed; PyTorch stores entries as they are"));
        }
        let range = data_range(file, &sizes).ok_or_else(|| format!("the zip entry {name} lies outside the file"))?;
        if entries.insert(name.clone(), Stored { bytes: range, crc: u32_at(header, 16) }).is_some() {
            return Err(format!("the zip entry {name} is there twice"));
        }
        at += 46 + name_length + extra_length + comment_length;
    }
    Ok(entries)
}

/// Entry count, size and offset of the central directory.
fn directory(file: &[u8]) -> Result<(u64, u64, u64), String> {
    let truncated = "there is no zip directory at its end: the file is incomplete, download or copy it again";
    let from = file.len().saturating_sub(END_SEARCH);
    let tail = &file[from..];
    let found = (0..(tail.len() + 1).saturating_sub(END_LENGTH)).rev().find(|&at| {
        // The comment must reach exactly to the end of the file.
        tail[at..].starts_with(END) && at + END_LENGTH + usize::from(u16_at(tail, at + 20)) == tail.len()
    });
    let end = from + found.ok_or(truncated)?;
    let record = &file[end..];
    let short = (u64::from(u16_at(record, 10)), u64::from(u32_at(record, 12)), u64::from(u32_at(record, 16)));
    let Some(locator) = end.checked_sub(20).map(|at| &file[at..end]).filter(|at| at.starts_with(END_64_LOCATOR)) else {
        return Ok(short);
    };
    let record = slice(file, place(u64_at(locator, 8))?, 56)?;
    if !record.starts_with(END_64) {
        return Err("the zip directory's 64-bit record is damaged".to_owned());
    }
    Ok((u64_at(record, 32), u64_at(record, 40), u64_at(record, 48)))
}

/// What the central directory says of an entry.
struct Sizes {
    compressed: u64,
    uncompressed: u64,
    header: u64,
}

impl Sizes {
    /// Reads the 32-bit fields, and those that overflow from the 64-bit extra field.
    fn read(header: &[u8], extra: &[u8]) -> Option<Self> {
        let mut wide = extra_64(extra).chunks_exact(8).map(|bytes| u64_at(bytes, 0));
        let mut field = |at: usize| {
            let value = u32_at(header, at);
            if value == u32::MAX { wide.next() } else { Some(u64::from(value)) }
        };
        // The order of the extra field: uncompressed, compressed, offset.
        let (uncompressed, compressed) = (field(24)?, field(20)?);
        Some(Self { uncompressed, compressed, header: field(42)? })
    }
}

/// The contents of the 64-bit extra field, or nothing.
fn extra_64(mut extra: &[u8]) -> &[u8] {
    while extra.len() >= 4 {
        let length = usize::from(u16_at(extra, 2));
        let Some(contents) = extra.get(4..4 + length) else { break };
        if u16_at(extra, 0) == 1 {
            return contents;
        }
        extra = &extra[4 + length..];
    }
    &[]
}

/// Where the entry's bytes are: behind its local header.
fn data_range(file: &[u8], sizes: &Sizes) -> Option<Range<usize>> {
    let at = usize::try_from(sizes.header).ok()?;
    let header = file.get(at..at.checked_add(30)?)?;
    if !header.starts_with(LOCAL) {
        return None;
    }
    let start = at + 30 + usize::from(u16_at(header, 26)) + usize::from(u16_at(header, 28));
    let end = start.checked_add(usize::try_from(sizes.uncompressed).ok()?)?;
    (end <= file.len()).then_some(start..end)
}

fn place(value: u64) -> Result<usize, String> {
    usize::try_from(value).map_err(|_| "the zip directory points beyond the file".to_owned())
}

fn slice(file: &[u8], at: usize, length: usize) -> Result<&[u8], String> {
    at.checked_add(length).and_then(|end| file.get(at..end)).ok_or_else(|| "the zip directory is cut short".to_owned())
}

// These read at places that the caller has checked.

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from(u16_at(bytes, at)) | u32::from(u16_at(bytes, at + 2)) << 16
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from(u32_at(bytes, at)) | u64::from(u32_at(bytes, at + 4)) << 32
}
