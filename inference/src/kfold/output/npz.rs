//! NumPy's `.npz`: a zip of `.npy` files, compressed as `numpy.savez_compressed` does it. Written whole; read an array at a time,
//! with a bound on what a file may claim.
//!
//! Formats: numpy.lib.format (version 1.0) and PKWARE's APPNOTE 6.3.3 without its 64-bit extension, so an array and the whole
//! file must stay below 4 GiB. Equal arrays give equal files: the archive carries no times.

use std::io::{self, Read, Write};

use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use flate2::{Compression, Crc};
use half::f16;

/// First day that zip can tell: 1980-01-01.
const DATE: u16 = 0x21;
/// Version of the format needed to read.
const VERSION: u16 = 20;
/// Method of compression.
const DEFLATE: u16 = 8;

/// Elements of an array.
#[derive(Clone, Debug)]
pub enum Elements {
    /// Half precision.
    F16(Vec<f16>),
    /// Single precision.
    F32(Vec<f32>),
    /// Integers.
    I32(Vec<i32>),
}

/// An array with its name.
#[derive(Clone, Debug)]
pub struct Array {
    /// Its key.
    pub name: &'static str,
    /// Sizes, the last varying fastest.
    pub shape: Vec<usize>,
    /// As many as the shape says.
    pub elements: Elements,
}

impl Array {
    /// The file of the array, in two parts: header and elements.
    fn header(&self) -> Vec<u8> {
        let kind = match self.elements {
            Elements::F16(_) => "<f2",
            Elements::F32(_) => "<f4",
            Elements::I32(_) => "<i4",
        };
        let sizes = self.shape.iter().map(usize::to_string).collect::<Vec<_>>();
        let comma = if sizes.len() == 1 { "," } else { "" };
        let mut text =
            format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': ({}{comma}), }}", sizes.join(", "));
        // Magic, version and length take ten bytes; all together end at a multiple of 64 with a line break.
        let padding = (64 - (10 + text.len() + 1) % 64) % 64;
        text.extend(std::iter::repeat_n(' ', padding));
        text.push('\n');
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend((text.len() as u16).to_le_bytes());
        bytes.extend(text.as_bytes());
        bytes
    }

    fn for_each_block(&self, write: &mut dyn FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
        const BLOCK: usize = 1 << 16;
        match &self.elements {
            Elements::F16(values) => blocks(values, BLOCK, |value| value.to_le_bytes(), write),
            Elements::F32(values) => blocks(values, BLOCK, |value| value.to_le_bytes(), write),
            Elements::I32(values) => blocks(values, BLOCK, |value| value.to_le_bytes(), write),
        }
    }
}

fn blocks<T: Copy, const N: usize>(
    values: &[T],
    block: usize,
    bytes_of: impl Fn(T) -> [u8; N],
    write: &mut dyn FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<()> {
    let mut bytes = Vec::with_capacity(block * N);
    for chunk in values.chunks(block) {
        bytes.clear();
        bytes.extend(chunk.iter().flat_map(|value| bytes_of(*value)));
        write(&bytes)?;
    }
    Ok(())
}

/// The archive of these arrays.
///
/// # Errors
/// When it does not fit into 4 GiB.
pub fn write(arrays: &[Array]) -> io::Result<Vec<u8>> {
    let too_large = || io::Error::new(io::ErrorKind::FileTooLarge, "the arrays do not fit into an .npz of 4 GiB");
    let size = |value: usize| u32::try_from(value).map_err(|_| too_large());
    let mut out = Vec::new();
    let mut directory = Vec::new();
    for array in arrays {
        let offset = size(out.len())?;
        let name = format!("{}.npy", array.name);
        let (mut crc, mut length) = (Crc::new(), 0_usize);
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
        let mut put = |bytes: &[u8]| -> io::Result<()> {
            crc.update(bytes);
            length += bytes.len();
            encoder.write_all(bytes)
        };
        put(&array.header())?;
        array.for_each_block(&mut put)?;
        let packed = encoder.finish()?;
        // What the local header and the directory say alike.
        let mut common = Vec::new();
        for value in [VERSION, 0, DEFLATE, 0, DATE] {
            common.extend(value.to_le_bytes());
        }
        for value in [crc.sum(), size(packed.len())?, size(length)?] {
            common.extend(value.to_le_bytes());
        }
        common.extend((name.len() as u16).to_le_bytes());
        common.extend(0_u16.to_le_bytes());
        out.extend(b"PK\x03\x04");
        out.extend(&common);
        out.extend(name.as_bytes());
        out.extend(packed);
        directory.extend(b"PK\x01\x02");
        directory.extend(VERSION.to_le_bytes());
        directory.extend(&common);
        // No comment, first disk, no attributes.
        directory.extend([0; 10]);
        directory.extend(offset.to_le_bytes());
        directory.extend(name.as_bytes());
    }
    let (start, length, count) = (size(out.len())?, size(directory.len())?, arrays.len() as u16);
    out.extend(directory);
    out.extend(b"PK\x05\x06\x00\x00\x00\x00");
    out.extend(count.to_le_bytes());
    out.extend(count.to_le_bytes());
    out.extend(length.to_le_bytes());
    out.extend(start.to_le_bytes());
    out.extend([0, 0]);
    Ok(out)
}

/// An array that was read, as single precision.
#[derive(Clone, Debug, PartialEq)]
pub struct Values {
    /// Sizes, the last varying fastest.
    pub shape: Vec<usize>,
    /// As many as the shape says.
    pub values: Vec<f32>,
}

/// Longest header that is read, bytes; numpy's own are 128.
const LONGEST_HEADER: usize = 1 << 16;

fn wrong(problem: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, problem.into())
}

fn number<const N: usize>(bytes: &[u8], at: usize) -> io::Result<usize> {
    let field = at.checked_add(N).and_then(|end| bytes.get(at..end)).ok_or_else(|| wrong("the archive is cut off"))?;
    Ok(field.iter().rev().fold(0, |value, byte| value << 8 | usize::from(*byte)))
}

/// Reads an array of an archive by its name; `None` when it has no such array. Arrays of half or single precision in C order
/// with at most `most` elements are read: what a header says is believed only that far.
///
/// # Errors
/// When this is no archive, the array is of another kind or larger, or its bytes are not those that were written.
pub fn read(archive: &[u8], name: &str, most: usize) -> io::Result<Option<Values>> {
    const END: usize = 22;
    // The directory's end stands at the file's, before a comment of at most 64 KiB.
    let earliest = archive.len().saturating_sub(END + (1 << 16));
    let end = archive
        .len()
        .checked_sub(END)
        .and_then(|latest| (earliest..=latest).rev().find(|at| archive[*at..].starts_with(b"PK\x05\x06")));
    let end = end.ok_or_else(|| wrong("this is no .npz archive"))?;
    let (count, mut at) = (number::<2>(archive, end + 10)?, number::<4>(archive, end + 16)?);
    let wanted = format!("{name}.npy");
    for _ in 0..count {
        if !archive.get(at..).is_some_and(|rest| rest.starts_with(b"PK\x01\x02")) {
            return Err(wrong("the archive's directory is broken"));
        }
        let lengths = [28, 30, 32].map(|field| number::<2>(archive, at + field));
        let [length, extra, comment] = lengths;
        let (length, behind) = (length?, extra? + comment?);
        let found = archive.get(at + 46..at + 46 + length).ok_or_else(|| wrong("the archive is cut off"))?;
        if found == wanted.as_bytes() {
            return entry(archive, at, most).map(Some);
        }
        at += 46 + length + behind;
    }
    Ok(None)
}

/// The array whose entry in the directory stands here.
fn entry(archive: &[u8], at: usize, most: usize) -> io::Result<Values> {
    let (method, sum) = (number::<2>(archive, at + 10)?, number::<4>(archive, at + 16)?);
    let (packed, offset) = (number::<4>(archive, at + 20)?, number::<4>(archive, at + 42)?);
    let data = offset + 30 + number::<2>(archive, offset + 26)? + number::<2>(archive, offset + 28)?;
    let bytes = archive.get(data..data.saturating_add(packed)).ok_or_else(|| wrong("the archive is cut off"))?;
    let limit = most.saturating_mul(4).saturating_add(LONGEST_HEADER) as u64;
    let mut file = Vec::new();
    match method as u16 {
        0 => bytes.take(limit + 1).read_to_end(&mut file)?,
        DEFLATE => DeflateDecoder::new(bytes).take(limit + 1).read_to_end(&mut file)?,
        method => return Err(wrong(format!("the array is packed by method {method}, which is not read here"))),
    };
    if file.len() as u64 > limit {
        return Err(wrong(format!("the array has more than {most} elements")));
    }
    let mut crc = Crc::new();
    crc.update(&file);
    if crc.sum() as usize != sum {
        return Err(wrong("the array is damaged: its checksum is another"));
    }
    array(&file, most)
}

/// A `.npy` file.
fn array(file: &[u8], most: usize) -> io::Result<Values> {
    if !file.starts_with(b"\x93NUMPY") {
        return Err(wrong("this is no .npy array"));
    }
    let (length, start) = match file.get(6) {
        Some(1) => (number::<2>(file, 8)?, 10),
        Some(2 | 3) => (number::<4>(file, 8)?, 12),
        _ => return Err(wrong("this version of .npy is not read here")),
    };
    let body = start + length.min(LONGEST_HEADER);
    let header = file.get(start..body).ok_or_else(|| wrong("the array's header is cut off"))?;
    let header = String::from_utf8_lossy(header);
    let field = |key: &str| header.split_once(&format!("'{key}':")).map(|(_, rest)| rest.trim_start());
    if field("fortran_order").is_none_or(|value| !value.starts_with("False")) {
        return Err(wrong("the array is in Fortran order, which is not read here"));
    }
    let shape = field("shape").and_then(|rest| rest.strip_prefix('(')?.split_once(')')).map(|(sizes, _)| sizes);
    let shape = shape.ok_or_else(|| wrong("the array's header has no shape"))?.split(',').map(str::trim);
    let shape: Vec<usize> = shape
        .filter(|size| !size.is_empty())
        .map(|size| size.parse().map_err(|_| wrong(format!("`{size}` is no size of an array"))))
        .collect::<io::Result<_>>()?;
    let count = shape.iter().try_fold(1_usize, |count, size| count.checked_mul(*size)).filter(|count| *count <= most);
    let count = count.ok_or_else(|| wrong(format!("the array has more than {most} elements")))?;
    let bytes = &file[body..];
    let values: Vec<f32> = match field("descr").and_then(|kind| kind.get(..5)) {
        Some("'<f4'") => bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect(),
        Some("'<f2'") => bytes.chunks_exact(2).map(|b| f16::from_le_bytes([b[0], b[1]]).to_f32()).collect(),
        _ => return Err(wrong("the array's elements are neither of half nor of single precision")),
    };
    if values.len() != count {
        return Err(wrong(format!("the array has {} elements, but its shape says {count}", values.len())));
    }
    Ok(Values { shape, values })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read() {
        let values: Vec<f32> = (0..600).map(|value| value as f32 * 0.25).collect();
        let half = [1.0, -2.5].map(f16::from_f32).to_vec();
        let bytes = write(&[
            Array { name: "plddt", shape: vec![2], elements: Elements::F16(half) },
            Array { name: "pae", shape: vec![20, 30], elements: Elements::F32(values.clone()) },
        ])
        .unwrap();
        assert_eq!(read(&bytes, "pae", 600).unwrap(), Some(Values { shape: vec![20, 30], values }));
        assert_eq!(read(&bytes, "plddt", 9).unwrap(), Some(Values { shape: vec![2], values: vec![1.0, -2.5] }));
        assert_eq!(read(&bytes, "pde", 600).unwrap(), None);
        assert!(read(&bytes, "pae", 599).unwrap_err().to_string().contains("more than 599"));
        assert!(read(b"PK", "pae", 1).unwrap_err().to_string().contains("no .npz"));
    }

    #[test]
    fn broken_archives_are_refused_and_never_panic() {
        let elements = Elements::F32((0..64).map(|value| value as f32).collect());
        let whole = write(&[Array { name: "pae", shape: vec![8, 8], elements }]).unwrap();
        let good = read(&whole, "pae", 64).unwrap();
        for length in 0..whole.len() {
            assert!(read(&whole[..length], "pae", 64).is_err(), "cut at {length}");
        }
        for place in 0..whole.len() {
            for bit in 0..8 {
                let mut bytes = whole.clone();
                bytes[place] ^= 1 << bit;
                // A flipped bit in a date or a name changes no number; one in the numbers is told by the checksum.
                if let Ok(Some(read)) = read(&bytes, "pae", 64) {
                    assert_eq!(Some(read), good, "bit {bit} of byte {place}");
                }
            }
        }
    }

    #[test]
    fn an_archive_is_read_back() {
        let arrays = [
            Array { name: "plddt", shape: vec![3], elements: Elements::F32(vec![1.0, 2.5, -3.0]) },
            Array { name: "z", shape: vec![1, 2], elements: Elements::F16(vec![f16::ONE, f16::NEG_ONE]) },
        ];
        let bytes = write(&arrays).unwrap();
        assert_eq!(bytes, write(&arrays).unwrap());
        // The first entry by hand: its header says how long name and data are.
        let number = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
        let (packed, length) = (number(18), number(22));
        let name = u16::from_le_bytes([bytes[26], bytes[27]]) as usize;
        assert_eq!(&bytes[30..30 + name], b"plddt.npy");
        let mut file = Vec::new();
        DeflateDecoder::new(&bytes[30 + name..30 + name + packed]).read_to_end(&mut file).unwrap();
        assert_eq!(file.len(), length);
        assert_eq!(length, 128 + 12, "the header takes a multiple of 64 bytes");
        assert_eq!(&file[..8], b"\x93NUMPY\x01\x00");
        assert_eq!(&file[128..132], 1.0_f32.to_le_bytes());
        let header = String::from_utf8_lossy(&file[10..128]);
        assert!(header.starts_with("{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }"), "{header}");
        assert!(header.ends_with('\n'));
        let mut crc = Crc::new();
        crc.update(&file);
        assert_eq!(crc.sum() as usize, number(14));
        assert_eq!(&bytes[bytes.len() - 22..bytes.len() - 18], b"PK\x05\x06");
    }
}
