//! NumPy's `.npz`: a zip of `.npy` files, compressed as `numpy.savez_compressed` does it.
//!
//! Formats: numpy.lib.format (version 1.0) and PKWARE's APPNOTE 6.3.3 without its 64-bit extension, so an array and the whole
//! file must stay below 4 GiB. Equal arrays give equal files: the archive carries no times.

use std::io::{self, Write};

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

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

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
        flate2::read::DeflateDecoder::new(&bytes[30 + name..30 + name + packed]).read_to_end(&mut file).unwrap();
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
