//! What was noted about a weights file when it came: its size, its SHA-256, when it was last changed.
//!
//! The note lies beside the file as `FILE.record.json`. Before a file is used its size and time are compared; where the time
//! differs, the SHA-256 is computed again. So a file that was cut short, damaged by a copy or exchanged is found before it is
//! used, and an untouched one costs nothing. A file without a note (brought by hand) is used as it is.

use std::fs::{File, Metadata};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{KFoldError, Result};
use crate::job::files;

const BUFFER: usize = 1 << 20;
/// No note is larger.
const MAX_NOTE: u64 = 64 << 10;

/// What was noted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Size.
    pub bytes: u64,
    /// SHA-256 in hexadecimal.
    pub sha256: String,
    /// When the file was last changed: nanoseconds since 1970.
    pub modified: Option<u64>,
    /// The address it came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}

impl Record {
    /// The note about a file, if there is one.
    ///
    /// # Errors
    /// When there is one that cannot be read.
    pub fn of(file: &Path) -> Result<Option<Self>> {
        let path = path_of(file);
        let mut text = Vec::new();
        match File::open(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            opened => {
                let opened = opened.map_err(|error| KFoldError::io(&path, error))?;
                opened.take(MAX_NOTE).read_to_end(&mut text).map_err(|error| KFoldError::io(&path, error))?;
            }
        }
        let damaged = |error: serde_json::Error| {
            KFoldError::checkpoint(
                &path,
                format!("this note is damaged ({error}); remove it, then verify the weights again"),
            )
        };
        serde_json::from_slice(&text).map(Some).map_err(damaged)
    }

    /// Notes a file whose SHA-256 is known.
    ///
    /// # Errors
    /// When the file or the note cannot be reached.
    pub fn note(file: &Path, sha256: String, source: Option<String>) -> Result<Self> {
        let metadata = std::fs::metadata(file).map_err(|error| KFoldError::io(file, error))?;
        let record = Self { bytes: metadata.len(), sha256, modified: modified(&metadata), source };
        record.write(file)?;
        Ok(record)
    }

    /// Computes a file's SHA-256; `progress` hears the bytes read and in all and answers whether to go on.
    ///
    /// # Errors
    /// When the file cannot be read or `progress` said no.
    pub fn sha256(file: &Path, progress: &mut dyn FnMut(u64, u64) -> bool) -> Result<String> {
        let failed = |error| KFoldError::io(file, error);
        let mut opened = File::open(file).map_err(failed)?;
        let total = opened.metadata().map_err(failed)?.len();
        let mut hash = Sha256::new();
        let mut buffer = vec![0; BUFFER];
        let mut done = 0;
        loop {
            let count = opened.read(&mut buffer).map_err(failed)?;
            if count == 0 {
                break;
            }
            hash.update(&buffer[..count]);
            done += count as u64;
            if !progress(done, total) {
                return Err(KFoldError::Cancelled);
            }
        }
        Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// Compares a file with its note; `thorough` computes the SHA-256 even of a file that looks untouched. Whether there is a
    /// note.
    ///
    /// # Errors
    /// When the file is not the one that was noted.
    pub fn check(file: &Path, thorough: bool, progress: &mut dyn FnMut(u64, u64) -> bool) -> Result<bool> {
        let Some(record) = Self::of(file)? else { return Ok(false) };
        let metadata = std::fs::metadata(file).map_err(|error| KFoldError::io(file, error))?;
        let bring = "remove it and bring it again: kfold-studio models pull, or import";
        if metadata.len() != record.bytes {
            let reason = format!("it has {} bytes and had {} when it came; {bring}", metadata.len(), record.bytes);
            return Err(KFoldError::checkpoint(file, reason));
        }
        let is_untouched = record.modified.is_some() && record.modified == modified(&metadata);
        if is_untouched && !thorough {
            return Ok(true);
        }
        let sha256 = Self::sha256(file, progress)?;
        if sha256 != record.sha256 {
            let reason = format!("its SHA-256 is {sha256} and was {} when it came; {bring}", record.sha256);
            return Err(KFoldError::checkpoint(file, reason));
        }
        if !is_untouched {
            // Copied or touched, not changed: not to be read again next time. A folder that cannot be written is no trouble.
            let _ = Self { modified: modified(&metadata), ..record }.write(file);
        }
        Ok(true)
    }

    /// Removes the note about a file.
    ///
    /// # Errors
    /// Whatever the file system says.
    pub fn remove(file: &Path) -> Result<()> {
        let path = path_of(file);
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(KFoldError::io(&path, error)),
            _ => Ok(()),
        }
    }

    fn write(&self, file: &Path) -> Result<()> {
        let path = path_of(file);
        let text = serde_json::to_vec_pretty(self).unwrap_or_default();
        files::write_whole(&path, &text).map_err(|error| KFoldError::io(&path, error))
    }
}

fn path_of(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".record.json");
    PathBuf::from(name)
}

fn modified(metadata: &Metadata) -> Option<u64> {
    let since = metadata.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    u64::try_from(since.as_nanos()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quietly(_: u64, _: u64) -> bool {
        true
    }

    #[test]
    fn changes_are_found_and_copies_are_not() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("kfold.pth");
        std::fs::write(&file, b"weights").unwrap();
        assert!(!Record::check(&file, true, &mut quietly).unwrap(), "nothing is noted yet");
        let sha256 = Record::sha256(&file, &mut quietly).unwrap();
        Record::note(&file, sha256, None).unwrap();
        assert!(Record::check(&file, false, &mut quietly).unwrap());
        // Another time, the same bytes: read once, and then no more.
        std::fs::write(&file, b"weights").unwrap();
        let mut reads = 0;
        for _ in 0..2 {
            Record::check(&file, false, &mut |_, _| {
                reads += 1;
                true
            })
            .unwrap();
        }
        assert_eq!(reads, 1);
        std::fs::write(&file, b"weighty").unwrap();
        let error = Record::check(&file, false, &mut quietly).unwrap_err().to_string();
        assert!(error.contains("SHA-256"), "{error}");
        std::fs::write(&file, b"weight").unwrap();
        let error = Record::check(&file, false, &mut quietly).unwrap_err().to_string();
        assert!(error.contains("6 bytes and had 7"), "{error}");
    }
}
