//! Molecule files: PDB, mmCIF, BinaryCIF, SDF/MOL, FASTA, lists of SMILES.
//!
//! Every format has a module with `read` (from bytes in memory) and, where we write it, `write`. The functions here go
//! from a path to a molecule: they read the file, unpack gzip and Zstandard by content, tell the format by content first and name
//! second, and put the path into the error. Files are hostile until read: sizes are bounded, counts in headers are
//! never trusted with memory, and nothing here panics on any sequence of bytes (`tests/damaged_files.rs`).

pub mod binary_cif;
pub mod fasta;
pub mod mmcif;
pub mod pdb;
pub mod sdf;
pub mod smiles_list;

mod assemble;
mod assemblies;
mod cif;
mod hybrid36;
mod text;

pub use cif::quote as cif_value;

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use ruzstd::decoding::StreamingDecoder;

use crate::assemblies::Assembly;
use crate::chemistry;
use crate::small_molecule::SmallMolecule;
use crate::structure::Structure;

/// Files above this are refused, packed or unpacked.
const MAX_BYTES: u64 = 1 << 30;

/// How a Zstandard frame begins.
const ZSTANDARD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// Where in a file something is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A line of a text file, from 1.
    Line(usize),
    /// A byte of a binary file, from 0.
    Byte(usize),
    /// A column of a category in a binary file.
    Column {
        /// The category.
        category: String,
        /// The column.
        column: String,
    },
    /// A row of a category in a binary file, from 1.
    Row {
        /// The category.
        category: String,
        /// The row.
        row: usize,
    },
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(line) => write!(formatter, "line {line}"),
            Self::Byte(byte) => write!(formatter, "byte {byte}"),
            Self::Column { category, column } => write!(formatter, "category {category}, column {column}"),
            Self::Row { category, row } => write!(formatter, "category {category}, row {row}"),
        }
    }
}

/// One thing wrong in a file, with its place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{place}: {what}; {advice}", record.map(|number| format!("record {number}, ")).unwrap_or_default())]
pub struct ParseError {
    /// Where it is.
    pub place: Place,
    /// Record in files of several, from 1.
    pub record: Option<usize>,
    /// What is wrong, naming chain, residue or atom where there is one.
    pub what: String,
    /// What to do.
    pub advice: String,
}

impl ParseError {
    /// Something wrong in a line of a text file.
    pub(crate) fn new(line: usize, what: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { place: Place::Line(line), record: None, what: what.into(), advice: advice.into() }
    }

    /// Something wrong in a binary file.
    fn at_byte(byte: usize, what: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { place: Place::Byte(byte), record: None, what: what.into(), advice: advice.into() }
    }
}

/// Why a file could not be read or a molecule not be written.
#[derive(Debug, thiserror::Error)]
pub enum FormatError {
    /// The operating system said no.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: std::io::Error,
    },
    /// What is packed is damaged.
    #[error("cannot unpack {}: {source}; the file is damaged or cut short, fetch it again", path.display())]
    Unpack {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: std::io::Error,
    },
    /// The file is larger than we read.
    #[error("{} holds more than {} MiB; split it", path.display(), MAX_BYTES >> 20)]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// The content does not follow its format.
    #[error("{}, {error}", path.display())]
    Parse {
        /// The file.
        path: PathBuf,
        /// What and where.
        error: Box<ParseError>,
    },
    /// Neither content nor name tell a format that fits.
    #[error("{} is not {expected}; {advice}", path.display())]
    NotRecognised {
        /// The file.
        path: PathBuf,
        /// What would have been right.
        expected: &'static str,
        /// What to do.
        advice: &'static str,
    },
    /// The molecule has something that the format cannot hold.
    #[error("cannot write this as {format}: {what}; {advice}")]
    CannotHold {
        /// The format.
        format: &'static str,
        /// What does not fit, and where it is.
        what: String,
        /// What to do.
        advice: &'static str,
    },
}

/// What a file of small molecules gave: records that are wrong do not hide the ones that are right.
#[derive(Clone, Debug, Default)]
pub struct SmallMolecules {
    /// The molecules, in file order.
    pub molecules: Vec<SmallMolecule>,
    /// One error for each record that could not be read.
    pub errors: Vec<ParseError>,
}

/// The formats that content and name can tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Pdb,
    Mmcif,
    BinaryCif,
    Sdf,
    SmilesList,
}

/// Reads a file into memory, unpacking gzip and Zstandard (told by content, not by name).
///
/// # Errors
/// When the file cannot be read, is damaged, or is larger than 1 GiB, packed or unpacked.
pub fn read_bytes(path: &Path) -> Result<Vec<u8>, FormatError> {
    read_bytes_up_to(path, MAX_BYTES)
}

fn read_bytes_up_to(path: &Path, most: u64) -> Result<Vec<u8>, FormatError> {
    let read_error = |source| FormatError::Read { path: path.to_owned(), source };
    let mut bytes = Vec::new();
    File::open(path).and_then(|file| file.take(most + 1).read_to_end(&mut bytes)).map_err(read_error)?;
    if bytes.starts_with(&[0x1f, 0x8b]) && bytes.len() as u64 <= most {
        let mut unpacked = Vec::new();
        flate2::read::MultiGzDecoder::new(bytes.as_slice())
            .take(most + 1)
            .read_to_end(&mut unpacked)
            .map_err(|source| FormatError::Unpack { path: path.to_owned(), source })?;
        bytes = unpacked;
    } else if bytes.starts_with(&ZSTANDARD) && bytes.len() as u64 <= most {
        bytes =
            unpack_zstandard(&bytes, most).map_err(|source| FormatError::Unpack { path: path.to_owned(), source })?;
    }
    if bytes.len() as u64 > most { Err(FormatError::TooLarge { path: path.to_owned() }) } else { Ok(bytes) }
}

/// Unpacks the frames of a Zstandard file (RFC 8878) one after the other, to one byte more than `most` at most.
fn unpack_zstandard(bytes: &[u8], most: u64) -> std::io::Result<Vec<u8>> {
    let (mut rest, mut unpacked) = (bytes, Vec::new());
    while !rest.is_empty() && unpacked.len() as u64 <= most {
        let decoder = StreamingDecoder::new(&mut rest).map_err(std::io::Error::other)?;
        decoder.take(most + 1 - unpacked.len() as u64).read_to_end(&mut unpacked)?;
    }
    Ok(unpacked)
}

/// Reads a structure (PDB, mmCIF or BinaryCIF, plain or packed) and assigns its bonds and residue kinds.
///
/// # Errors
/// When the file cannot be read, is of another format, or is wrong; the text says where and what to do.
pub fn read_structure(path: &Path) -> Result<Structure, FormatError> {
    let bytes = read_bytes(path)?;
    let parsed = match recognise(path, &bytes) {
        Some(Format::Pdb) => pdb::read(&bytes),
        Some(Format::Mmcif) => mmcif::read(&bytes),
        Some(Format::BinaryCif) => binary_cif::read(&bytes),
        other => return Err(no_structure(path, other)),
    };
    let mut structure = parsed.map_err(|error| FormatError::Parse { path: path.to_owned(), error: Box::new(error) })?;
    if structure.name.is_empty() {
        structure.name = stem(path);
    }
    Ok(structure)
}

/// Reads what a structure file says about biological assemblies; nothing where it says nothing.
///
/// # Errors
/// When the file cannot be read, is of another format, or is wrong; the text says where and what to do.
pub fn read_assemblies(path: &Path) -> Result<Vec<Assembly>, FormatError> {
    let bytes = read_bytes(path)?;
    let parsed = match recognise(path, &bytes) {
        Some(Format::Pdb) => assemblies::of_pdb(&bytes),
        Some(Format::Mmcif) => assemblies::of_mmcif(&bytes),
        Some(Format::BinaryCif) => assemblies::of_binary_cif(&bytes),
        other => return Err(no_structure(path, other)),
    };
    parsed.map_err(|error| FormatError::Parse { path: path.to_owned(), error: Box::new(error) })
}

fn no_structure(path: &Path, format: Option<Format>) -> FormatError {
    let path = path.to_owned();
    if format == Some(Format::Sdf) {
        return FormatError::NotRecognised {
            path,
            expected: "a PDB or mmCIF structure but an SDF/MOL file",
            advice: "open it as a ligand",
        };
    }
    FormatError::NotRecognised {
        path,
        expected: "a PDB or mmCIF structure",
        advice: "structures are read from .pdb, .ent, .cif, .mmcif and .bcif files, plain or .gz or .zst",
    }
}

/// Reads every molecule of an SDF, MOL, or SMILES list (.smi, .csv, .tsv) file, plain or gzip. One wrong record fails the whole;
/// [`read_small_molecule_records`] keeps the others.
///
/// # Errors
/// When the file cannot be read, is of another format, holds no molecule, or holds a wrong record.
pub fn read_small_molecules(path: &Path) -> Result<Vec<SmallMolecule>, FormatError> {
    let SmallMolecules { molecules, errors } = read_small_molecule_records(path)?;
    match errors.into_iter().next() {
        Some(error) => Err(FormatError::Parse { path: path.to_owned(), error: Box::new(error) }),
        None => Ok(molecules),
    }
}

/// Reads the molecules of an SDF, MOL, or SMILES list file, plain or gzip; records that are wrong are listed beside the others.
///
/// # Errors
/// When the file cannot be read, is of another format, or holds no record at all.
pub fn read_small_molecule_records(path: &Path) -> Result<SmallMolecules, FormatError> {
    let bytes = read_bytes(path)?;
    let mut found = match recognise(path, &bytes) {
        Some(Format::Sdf) => sdf::read(&bytes),
        Some(Format::SmilesList) => read_smiles_list(&bytes),
        _ => {
            return Err(FormatError::NotRecognised {
                path: path.to_owned(),
                expected: "a file of small molecules",
                advice: "ligands are read from .sdf, .mol, .smi, .csv and .tsv files, plain or .gz",
            });
        }
    };
    if found.molecules.is_empty() && found.errors.is_empty() {
        let error = ParseError::new(1, "there is no molecule in this file", "check that it was written completely");
        return Err(FormatError::Parse { path: path.to_owned(), error: Box::new(error) });
    }
    let stem = stem(path);
    for molecule in found.molecules.iter_mut().filter(|molecule| molecule.name.is_empty()) {
        molecule.name.clone_from(&stem);
    }
    Ok(found)
}

/// The molecules of a list of SMILES, with the other columns as their data fields; they have no conformers.
fn read_smiles_list(bytes: &[u8]) -> SmallMolecules {
    let mut found = SmallMolecules::default();
    for (index, entry) in smiles_list::parse(&String::from_utf8_lossy(bytes)).into_iter().enumerate() {
        match chemistry::smiles::parse(&entry.smiles) {
            Ok(mut molecule) => {
                molecule.name = entry.name;
                molecule.properties = entry.columns;
                found.molecules.push(molecule);
            }
            Err(error) => found.errors.push(ParseError {
                place: Place::Line(entry.line),
                record: Some(index + 1),
                what: error.to_string(),
                advice: "correct or remove this entry".to_owned(),
            }),
        }
    }
    found
}

/// The file's name without folder, `.gz` or `.zst`, and extension.
fn stem(path: &Path) -> String {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let name = name.strip_suffix(".gz").or_else(|| name.strip_suffix(".zst")).unwrap_or(&name);
    name.rsplit_once('.').map_or(name, |(stem, _)| stem).to_owned()
}

/// The format by what the text says, else by the file's extension.
fn recognise(path: &Path, bytes: &[u8]) -> Option<Format> {
    let name = path.file_name()?.to_string_lossy().to_ascii_lowercase();
    let name = name.strip_suffix(".gz").or_else(|| name.strip_suffix(".zst")).unwrap_or(&name);
    let by_name = match name.rsplit_once('.').map(|(_, extension)| extension) {
        Some("pdb" | "ent" | "brk") => Some(Format::Pdb),
        Some("cif" | "mmcif" | "pdbx") => Some(Format::Mmcif),
        Some("bcif") => Some(Format::BinaryCif),
        Some("sdf" | "mol" | "sd" | "mdl") => Some(Format::Sdf),
        Some("smi" | "smiles" | "csv" | "tsv") => Some(Format::SmilesList),
        _ => None,
    };
    if is_binary_cif(bytes) {
        return Some(Format::BinaryCif);
    }
    // Lists of SMILES and molecule files open with free text, which may look like anything; only a line that can hardly
    // be anything else speaks against their name.
    let opens_with_free_text = matches!(by_name, Some(Format::Sdf | Format::SmilesList));
    let mut is_first = true;
    for (number, line) in text::lines(bytes).take(2000) {
        if number == 4 && is_counts_line(line) {
            return Some(Format::Sdf);
        }
        let trimmed = line.trim_ascii();
        if trimmed.is_empty() || trimmed.starts_with(b"#") {
            continue;
        }
        let opens_block = trimmed.len() >= 5 && trimmed[..5].eq_ignore_ascii_case(b"data_");
        if opens_block && (is_first || !opens_with_free_text) {
            return Some(Format::Mmcif);
        }
        is_first = false;
        let is_atom = line.starts_with(b"ATOM  ") || line.starts_with(b"HETATM");
        let has_coordinates = || [30, 38, 46].iter().all(|at| text::number(text::field(line, *at, *at + 8)).is_some());
        let opens_pdb =
            || [&b"HEADER "[..], b"CRYST1", b"MODEL ", b"REMARK "].iter().any(|record| line.starts_with(record));
        if (is_atom && (!opens_with_free_text || has_coordinates())) || (!opens_with_free_text && opens_pdb()) {
            return Some(Format::Pdb);
        }
    }
    by_name
}

/// Whether this is a map of MessagePack with the keys of BinaryCIF near its start.
fn is_binary_cif(bytes: &[u8]) -> bool {
    let head = &bytes[..bytes.len().min(256)];
    let has = |word: &[u8]| head.windows(word.len()).any(|window| window == word);
    matches!(head.first(), Some(0x80..=0x8f | 0xde | 0xdf))
        && (has(b"dataBlocks") || has(b"encoder") || has(b"version"))
}

/// Whether this is the line of a molecule file that numbers atoms and bonds and names the version.
fn is_counts_line(line: &[u8]) -> bool {
    let line = line.trim_ascii_end();
    (line.ends_with(b"V2000") || line.ends_with(b"V3000")) && text::field(line, 0, 3).parse::<u32>().is_ok()
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn what_unpacks_to_too_much_is_refused() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/tmp");
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("bomb.pdb.gz");
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(&vec![b' '; 1 << 20]).unwrap();
        std::fs::write(&path, encoder.finish().unwrap()).unwrap();
        assert_eq!(read_bytes_up_to(&path, 1 << 20).unwrap().len(), 1 << 20);
        let error = read_bytes_up_to(&path, (1 << 20) - 1).unwrap_err();
        assert!(error.to_string().contains("bomb.pdb.gz holds more than"), "{error}");
        assert!(matches!(read_bytes_up_to(&path, 100).unwrap_err(), FormatError::TooLarge { .. }));
    }

    #[test]
    fn zstandard_is_unpacked_within_bounds() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/tmp");
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("small.pdb.zst");
        let text = b"REMARK two frames, one after the other\n".repeat(1_000);
        let pack = |text: &[u8]| ruzstd::encoding::compress_to_vec(text, ruzstd::encoding::CompressionLevel::Fastest);
        let mut bytes = pack(&text);
        bytes.extend(pack(b"END\n"));
        std::fs::write(&path, &bytes).unwrap();
        let whole = [&text[..], b"END\n"].concat();
        assert_eq!(read_bytes(&path).unwrap(), whole);
        assert_eq!((stem(&path).as_str(), recognise(&path, &whole)), ("small", Some(Format::Pdb)));
        let error = read_bytes_up_to(&path, whole.len() as u64 - 1).unwrap_err();
        assert!(matches!(error, FormatError::TooLarge { .. }), "{error}");
        for length in [5, bytes.len() / 2, bytes.len() - 1] {
            std::fs::write(&path, &bytes[..length]).unwrap();
            assert!(matches!(read_bytes(&path).unwrap_err(), FormatError::Unpack { .. }), "{length}");
        }
    }
}
