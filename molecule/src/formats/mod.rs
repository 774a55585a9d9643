//! Molecule files: PDB, mmCIF, SDF/MOL, FASTA, lists of SMILES.
//!
//! Every format has a module with `read` (from bytes in memory) and, where we write it, `write`. The functions here go
//! from a path to a molecule: they read the file, unpack gzip by its content, tell the format by content first and name
//! second, and put the path into the error. Files are hostile until read: sizes are bounded, counts in headers are
//! never trusted with memory, and nothing here panics on any sequence of bytes (`tests/damaged_files.rs`).

pub mod fasta;
pub mod mmcif;
pub mod pdb;
pub mod sdf;
pub mod smiles_list;

mod assemble;
mod cif;
mod hybrid36;
mod text;

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::chemistry;
use crate::small_molecule::SmallMolecule;
use crate::structure::Structure;

/// Files above this are refused, packed or unpacked.
const MAX_BYTES: u64 = 1 << 30;

/// One thing wrong in a text, with its place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}line {line}: {what}; {advice}", record.map(|number| format!("record {number}, ")).unwrap_or_default())]
pub struct ParseError {
    /// Line in the file, from 1.
    pub line: usize,
    /// Record in files of several, from 1.
    pub record: Option<usize>,
    /// What is wrong, naming chain, residue or atom where there is one.
    pub what: String,
    /// What to do.
    pub advice: String,
}

impl ParseError {
    pub(crate) fn new(line: usize, what: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { line, record: None, what: what.into(), advice: advice.into() }
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
    /// The gzip stream is damaged.
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
    /// The text does not follow its format.
    #[error("{}, {error}", path.display())]
    Parse {
        /// The file.
        path: PathBuf,
        /// What and where.
        error: ParseError,
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
    Sdf,
    SmilesList,
}

/// Reads a file into memory, unpacking gzip (told by content, not by name).
///
/// # Errors
/// When the file cannot be read, is damaged, or is larger than 1 GiB, packed or unpacked.
pub fn read_bytes(path: &Path) -> Result<Vec<u8>, FormatError> {
    let read_error = |source| FormatError::Read { path: path.to_owned(), source };
    let mut bytes = Vec::new();
    File::open(path).and_then(|file| file.take(MAX_BYTES + 1).read_to_end(&mut bytes)).map_err(read_error)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(FormatError::TooLarge { path: path.to_owned() });
    }
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        return Ok(bytes);
    }
    let mut unpacked = Vec::new();
    flate2::read::MultiGzDecoder::new(bytes.as_slice())
        .take(MAX_BYTES + 1)
        .read_to_end(&mut unpacked)
        .map_err(|source| FormatError::Unpack { path: path.to_owned(), source })?;
    if unpacked.len() as u64 > MAX_BYTES {
        return Err(FormatError::TooLarge { path: path.to_owned() });
    }
    Ok(unpacked)
}

/// Reads a structure (PDB or mmCIF, plain or gzip) and assigns its bonds and residue kinds.
///
/// # Errors
/// When the file cannot be read, is of another format, or is wrong; the text says where and what to do.
pub fn read_structure(path: &Path) -> Result<Structure, FormatError> {
    let bytes = read_bytes(path)?;
    let parsed = match recognise(path, &bytes) {
        Some(Format::Pdb) => pdb::read(&bytes),
        Some(Format::Mmcif) => mmcif::read(&bytes),
        Some(Format::Sdf) => {
            return Err(FormatError::NotRecognised {
                path: path.to_owned(),
                expected: "a PDB or mmCIF structure but an SDF/MOL file",
                advice: "open it as a ligand",
            });
        }
        Some(Format::SmilesList) | None => {
            return Err(FormatError::NotRecognised {
                path: path.to_owned(),
                expected: "a PDB or mmCIF structure",
                advice: "structures are read from .pdb, .ent, .cif and .mmcif files, plain or .gz",
            });
        }
    };
    let mut structure = parsed.map_err(|error| FormatError::Parse { path: path.to_owned(), error })?;
    if structure.name.is_empty() {
        structure.name = stem(path);
    }
    Ok(structure)
}

/// Reads every molecule of an SDF, MOL, or SMILES list (.smi, .csv, .tsv) file, plain or gzip. One wrong record fails the whole;
/// [`read_small_molecule_records`] keeps the others.
///
/// # Errors
/// When the file cannot be read, is of another format, holds no molecule, or holds a wrong record.
pub fn read_small_molecules(path: &Path) -> Result<Vec<SmallMolecule>, FormatError> {
    let SmallMolecules { molecules, errors } = read_small_molecule_records(path)?;
    match errors.into_iter().next() {
        Some(error) => Err(FormatError::Parse { path: path.to_owned(), error }),
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
        return Err(FormatError::Parse { path: path.to_owned(), error });
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
                line: entry.line,
                record: Some(index + 1),
                what: error.to_string(),
                advice: "correct or remove this entry".to_owned(),
            }),
        }
    }
    found
}

/// The file's name without folder, `.gz` and extension.
fn stem(path: &Path) -> String {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    name.rsplit_once('.').map_or(name, |(stem, _)| stem).to_owned()
}

/// The format by what the text says, else by the file's extension.
fn recognise(path: &Path, bytes: &[u8]) -> Option<Format> {
    let name = path.file_name()?.to_string_lossy().to_ascii_lowercase();
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    let by_name = match name.rsplit_once('.').map(|(_, extension)| extension) {
        Some("pdb" | "ent" | "brk") => Some(Format::Pdb),
        Some("cif" | "mmcif" | "pdbx") => Some(Format::Mmcif),
        Some("sdf" | "mol" | "sd" | "mdl") => Some(Format::Sdf),
        Some("smi" | "smiles" | "csv" | "tsv") => Some(Format::SmilesList),
        _ => None,
    };
    // Lists of SMILES and molecule files open with free text, which may look like anything.
    if matches!(by_name, Some(Format::Sdf | Format::SmilesList)) {
        return by_name;
    }
    for (number, line) in text::lines(bytes).take(2000) {
        let trimmed = line.trim_ascii();
        if trimmed.len() >= 5 && trimmed[..5].eq_ignore_ascii_case(b"data_") {
            return Some(Format::Mmcif);
        }
        let is_atom = line.starts_with(b"ATOM  ") || line.starts_with(b"HETATM");
        if is_atom || line.starts_with(b"HEADER ") || line.starts_with(b"CRYST1") || line.starts_with(b"MODEL ") {
            return Some(Format::Pdb);
        }
        let counts = line.ends_with(b"V2000") || line.ends_with(b"V3000");
        if number == 4 && counts {
            return Some(Format::Sdf);
        }
    }
    by_name
}
