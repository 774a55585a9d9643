//! Reading a ligand series from a file: CSV with a header, a SMILES list, or an SDF with one record a ligand.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use super::{LigandSource, SeriesLigand};

/// Largest series file that is read.
const MAX_BYTES: u64 = 1 << 30;
const MAX_LIGANDS: usize = 100_000;

/// Columns and SDF fields that hold a measured affinity as -log10 of a molar concentration.
const PK_FIELDS: [&str; 7] = ["measured_pk", "paffinity", "pk", "pki", "pkd", "pic50", "pec50"];
const NAME_FIELDS: [&str; 5] = ["id", "name", "ligand", "title", "compound"];

/// What is wrong with a series file.
#[derive(Debug, thiserror::Error)]
pub enum SeriesError {
    /// The file could not be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The extension says nothing.
    #[error("{}: a series is a .csv, .smi or .sdf file", path.display())]
    Format {
        /// The file.
        path: PathBuf,
    },
    /// Something in it is wrong.
    #[error("{}: line {line}: {problem}", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: u64,
        /// What is wrong and what to do.
        problem: String,
    },
    /// There is no ligand in it, or too many.
    #[error("{}: {problem}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
}

/// Reads the ligands of a `.csv` (columns `id`, `smiles` and, when measured, `measured_pk` or `pAffinity`), a `.smi`
/// (SMILES, blank, name) or an `.sdf`.
///
/// # Errors
/// [`SeriesError`] with the file and the line.
pub fn read_series(path: &Path) -> Result<Vec<SeriesLigand>, SeriesError> {
    let read_error = |source| SeriesError::Read { path: path.to_owned(), source };
    let extension = path.extension().and_then(|extension| extension.to_str()).map(str::to_ascii_lowercase);
    let read: fn(&Path, &mut dyn BufRead) -> Result<Vec<SeriesLigand>, SeriesError> = match extension.as_deref() {
        Some("csv" | "tsv") => read_csv,
        Some("smi" | "smiles") => read_smiles,
        Some("sdf" | "sd") => read_sdf,
        _ => return Err(SeriesError::Format { path: path.to_owned() }),
    };
    let file = std::fs::File::open(path).map_err(read_error)?;
    if file.metadata().map_err(read_error)?.len() > MAX_BYTES {
        return Err(SeriesError::Content { path: path.to_owned(), problem: "larger than 1 GiB; split it".into() });
    }
    let ligands = read(path, &mut BufReader::new(file.take(MAX_BYTES)))?;
    let problem = match ligands.len() {
        0 => "there is no ligand in it".into(),
        count if count > MAX_LIGANDS => format!("more than {MAX_LIGANDS} ligands; split it"),
        _ => return Ok(ligands),
    };
    Err(SeriesError::Content { path: path.to_owned(), problem })
}

fn read_csv(path: &Path, file: &mut dyn BufRead) -> Result<Vec<SeriesLigand>, SeriesError> {
    let tabs = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("tsv"));
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(if tabs { b'\t' } else { b',' })
        .trim(csv::Trim::All)
        .flexible(true)
        .from_reader(file);
    let line_error = |line: u64, problem: String| SeriesError::Line { path: path.to_owned(), line, problem };
    let csv_error = |error: csv::Error| {
        let line = error.position().map_or(1, csv::Position::line);
        line_error(line, error.to_string())
    };
    let headers: Vec<String> = reader.headers().map_err(csv_error)?.iter().map(str::to_lowercase).collect();
    let column = |names: &[&str]| names.iter().find_map(|name| headers.iter().position(|header| header == name));
    let smiles = column(&["smiles"])
        .ok_or_else(|| line_error(1, format!("there is no column `smiles` among {}", headers.join(", "))))?;
    let name = column(&NAME_FIELDS);
    let pk = column(&PK_FIELDS);
    let mut ligands = Vec::new();
    for record in reader.records() {
        let record = record.map_err(csv_error)?;
        let line = record.position().map_or(0, csv::Position::line);
        let field =
            |column: Option<usize>| column.and_then(|column| record.get(column)).filter(|text| !text.is_empty());
        let Some(smiles) = field(Some(smiles)) else {
            return Err(line_error(line, "the SMILES is missing".into()));
        };
        ligands.push(SeriesLigand {
            name: field(name).map_or_else(|| format!("ligand-{}", ligands.len() + 1), str::to_owned),
            source: LigandSource::Smiles(smiles.to_owned()),
            measured_pk: field(pk)
                .map(|text| parse_pk(text).map_err(|problem| line_error(line, problem)))
                .transpose()?,
        });
        if ligands.len() > MAX_LIGANDS {
            break;
        }
    }
    Ok(ligands)
}

fn read_smiles(path: &Path, file: &mut dyn BufRead) -> Result<Vec<SeriesLigand>, SeriesError> {
    let mut ligands: Vec<SeriesLigand> = Vec::new();
    for line in file.lines() {
        let line = line.map_err(|source| SeriesError::Read { path: path.to_owned(), source })?;
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (smiles, name) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let name = name.trim();
        let name = if name.is_empty() { format!("ligand-{}", ligands.len() + 1) } else { name.to_owned() };
        ligands.push(SeriesLigand { name, source: LigandSource::Smiles(smiles.to_owned()), measured_pk: None });
        if ligands.len() > MAX_LIGANDS {
            break;
        }
    }
    Ok(ligands)
}

/// Finds the records, their names and their measured affinities; the engine reads the molecules.
fn read_sdf(path: &Path, file: &mut dyn BufRead) -> Result<Vec<SeriesLigand>, SeriesError> {
    let mut ligands: Vec<SeriesLigand> = Vec::new();
    let mut name = String::new();
    let mut measured_pk = None;
    let mut line_of_record = 0_u64;
    let mut record_has_text = false;
    let mut in_pk_field = false;
    let mut number = 0_u64;
    let mut bytes = Vec::new();
    loop {
        bytes.clear();
        let read =
            file.read_until(b'\n', &mut bytes).map_err(|source| SeriesError::Read { path: path.to_owned(), source })?;
        number += 1;
        let text = String::from_utf8_lossy(&bytes);
        let line = text.trim();
        if read == 0 || line == "$$$$" {
            if record_has_text {
                let record = u32::try_from(ligands.len() + 1).unwrap_or(u32::MAX);
                let name = if name.is_empty() { format!("ligand-{record}") } else { std::mem::take(&mut name) };
                let source = LigandSource::Sdf { file: path.to_owned(), record };
                ligands.push(SeriesLigand { name, source, measured_pk: measured_pk.take() });
            }
            if read == 0 || ligands.len() > MAX_LIGANDS {
                return Ok(ligands);
            }
            (line_of_record, record_has_text, in_pk_field) = (0, false, false);
            continue;
        }
        line_of_record += 1;
        record_has_text |= !line.is_empty();
        if line_of_record == 1 {
            line.clone_into(&mut name);
        } else if let Some(header) = line.strip_prefix('>') {
            let field = header.split_once('<').and_then(|(_, rest)| rest.rsplit_once('>')).map(|(field, _)| field);
            in_pk_field = field.is_some_and(|field| PK_FIELDS.contains(&field.to_lowercase().as_str()));
        } else if in_pk_field && !line.is_empty() {
            let pk =
                parse_pk(line).map_err(|problem| SeriesError::Line { path: path.to_owned(), line: number, problem })?;
            measured_pk = Some(pk);
            in_pk_field = false;
        }
    }
}

fn parse_pk(text: &str) -> Result<f32, String> {
    text.parse::<f32>()
        .ok()
        .filter(|value| value.is_finite())
        .ok_or_else(|| format!("`{text}` is not a measured pK; leave it empty when there is none"))
}
