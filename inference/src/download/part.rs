//! A file on its way: its beginning, and what is known of the whole.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{DownloadError, Result};
use crate::job::files;

/// No record of a download is larger.
const MAX_RECORD: u64 = 64 << 10;

/// What is known of a server's file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Identity {
    /// The address it was asked for at.
    pub source: String,
    /// Its entity tag, if it is a strong one.
    pub etag: Option<String>,
    /// When it was changed last, as the server writes it.
    pub last_modified: Option<String>,
    /// Its SHA-256, where the server says so.
    pub sha256: Option<String>,
    /// Its size.
    pub total: Option<u64>,
}

impl Identity {
    /// What to send as `If-Range`.
    pub fn validator(&self) -> Option<&str> {
        self.etag.as_deref().or(self.last_modified.as_deref())
    }

    /// Whether both are one file, by the best that both say.
    pub fn is_same_file(&self, other: &Self) -> bool {
        let pairs =
            [(&self.sha256, &other.sha256), (&self.etag, &other.etag), (&self.last_modified, &other.last_modified)];
        let best = pairs.into_iter().find(|(a, b)| a.is_some() && b.is_some());
        self.total == other.total && best.is_some_and(|(a, b)| a == b)
    }
}

/// The beginning of a file.
pub(super) struct Part {
    target: PathBuf,
    path: PathBuf,
    file: File,
    length: u64,
    hash: Sha256,
    identity: Identity,
}

impl Part {
    /// Opens what an earlier download left, or begins a new one. Nobody else can until this is dropped.
    pub fn open(target: &Path) -> Result<Self> {
        let path = part_path(target);
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(DownloadError::io(&path))?;
        match file.try_lock() {
            Err(std::fs::TryLockError::WouldBlock) => return Err(DownloadError::Busy { path }),
            Err(std::fs::TryLockError::Error(error)) if error.kind() != ErrorKind::Unsupported => {
                return Err(DownloadError::Io { path, source: error });
            }
            _ => {}
        }
        let identity = read_identity(target).unwrap_or_default();
        // The last byte is asked for again, so that the server says of a complete file too whether it is still the same.
        let most = identity.total.map_or(u64::MAX, |total| total.saturating_sub(1));
        let mut hash = Sha256::new();
        let mut length = 0;
        let mut buffer = vec![0; super::BUFFER];
        loop {
            let wanted = buffer.len().min(usize::try_from(most - length).unwrap_or(usize::MAX));
            let count = file.read(&mut buffer[..wanted]).map_err(DownloadError::io(&path))?;
            if count == 0 {
                break;
            }
            hash.update(&buffer[..count]);
            length += count as u64;
        }
        file.set_len(length).map_err(DownloadError::io(&path))?;
        let mut part = Self { target: target.to_owned(), path, file, length, hash, identity };
        // A beginning of something unknown is worth nothing.
        if part.identity.source.is_empty() {
            part.restart(Identity::default())?;
        }
        Ok(part)
    }

    /// Bytes that are there.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// What is known of the whole.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// The folder it lies in.
    pub fn folder(&self) -> &Path {
        self.path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
    }

    /// The SHA-256 of what is there, in hexadecimal.
    pub fn sha256(&self) -> String {
        hexadecimal(&self.hash.clone().finalize())
    }

    /// Forgets what is there and begins the file of this identity.
    pub fn restart(&mut self, identity: Identity) -> Result<()> {
        // In this order: a kill in between leaves nothing that would be taken for a part of the new file.
        self.file.set_len(0).map_err(DownloadError::io(&self.path))?;
        self.file.seek(SeekFrom::Start(0)).map_err(DownloadError::io(&self.path))?;
        self.length = 0;
        self.hash = Sha256::new();
        let record = record_path(&self.target);
        let text = serde_json::to_vec_pretty(&identity).unwrap_or_default();
        files::write_whole(&record, &text).map_err(DownloadError::io(&record))?;
        self.identity = identity;
        Ok(())
    }

    /// Adds what came.
    pub fn append(&mut self, bytes: &[u8]) -> Result<()> {
        self.file.write_all(bytes).map_err(DownloadError::io(&self.path))?;
        self.hash.update(bytes);
        self.length += bytes.len() as u64;
        Ok(())
    }

    /// Brings the file to the disk and gives it its name.
    pub fn finish(self) -> Result<()> {
        self.file.sync_all().map_err(DownloadError::io(&self.path))?;
        std::fs::rename(&self.path, &self.target).map_err(DownloadError::io(&self.target))?;
        remove(&record_path(&self.target))
    }
}

/// Bytes that are there of a file, and its size where that is known.
pub(super) fn unfinished(target: &Path) -> Option<(u64, Option<u64>)> {
    let length = std::fs::metadata(part_path(target)).ok()?.len();
    Some((length, read_identity(target).and_then(|identity| identity.total)))
}

/// Removes the beginning of a file.
pub(super) fn discard(target: &Path) -> Result<()> {
    remove(&part_path(target))?;
    remove(&record_path(target))
}

fn remove(path: &Path) -> Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(DownloadError::io(path)(error)),
        _ => Ok(()),
    }
}

fn part_path(target: &Path) -> PathBuf {
    with_suffix(target, ".part")
}

fn record_path(target: &Path) -> PathBuf {
    with_suffix(target, ".part.json")
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

fn read_identity(target: &Path) -> Option<Identity> {
    let mut text = Vec::new();
    File::open(record_path(target)).ok()?.take(MAX_RECORD).read_to_end(&mut text).ok()?;
    serde_json::from_slice(&text).ok()
}

/// Bytes in hexadecimal.
fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
