//! Downloads that end whole or not at all.
//!
//! A file grows under the name `FILE.part`; what is known of it (from where, its validators, its size) stands beside it in
//! `FILE.part.json`. It gets its own name by a rename once it is complete, its SHA-256 is what it should be and it is on the
//! disk. So whatever ends a download (a cut, a kill, a full disk), the next one goes on where it stopped, if the server still
//! has the same file: asked with `Range` and `If-Range` (RFC 9110, sections 13.1.5 and 14), and believed only when the
//! answer says the same range of a file of the same size. Otherwise it starts over.
//!
//! Sources are tried in order. What may pass (a cut, a stall, 5xx) is tried again after a pause; what will not (404, a wrong
//! checksum) moves on to the next source. Every loop is bounded, so that no server keeps a download busy for ever.

mod http;
mod part;
#[cfg(test)]
mod tests;

use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use http::{Answer, Client};
use part::{Identity, Part};

pub use http::join as join_url;

use crate::network::{OFFLINE_VARIABLE, is_offline};

/// Bytes that a new attempt must bring before the attempts without success are forgotten.
const WORTHWHILE: u64 = 1 << 20;
/// Bytes that must come within [`Options::stall`].
const LEAST_PACE: u64 = 4 << 10;
/// Left free on a disk.
const MARGIN: u64 = 64 << 20;
const BUFFER: usize = 256 << 10;

/// Why there is no file.
#[derive(Debug, thiserror::Error)]
pub enum DownloadError {
    /// Downloads are switched off.
    #[error("{file} is not downloaded: this program is offline (--offline or {OFFLINE_VARIABLE})")]
    Offline {
        /// The file's name.
        file: String,
    },
    /// The disk is too small.
    #[error(
        "{} has no room for {file}: {} more are needed and {} are free; free some space or choose another folder",
        folder.display(), gigabytes(*needed), gigabytes(*available)
    )]
    NoSpace {
        /// The file's name.
        file: String,
        /// Where it should go.
        folder: PathBuf,
        /// Bytes that are missing of it.
        needed: u64,
        /// Bytes that are free.
        available: u64,
    },
    /// No source gave it.
    #[error("{file} could not be downloaded: {}", attempts.join("; "))]
    Failed {
        /// The file's name.
        file: String,
        /// What each source said.
        attempts: Vec<String>,
    },
    /// Another process is at it.
    #[error("{} is being downloaded by another process", path.display())]
    Busy {
        /// The unfinished file.
        path: PathBuf,
    },
    /// The file system.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's answer.
        source: std::io::Error,
    },
    /// The user stopped it; the next download goes on from here.
    #[error("cancelled")]
    Cancelled,
}

impl DownloadError {
    fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        move |source| Self::Io { path: path.to_owned(), source }
    }
}

type Result<T> = std::result::Result<T, DownloadError>;

/// How to download.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Open no connection at all.
    pub offline: bool,
    /// How long a server may say nothing, or next to nothing.
    pub stall: Duration,
    /// Attempts in a row without success before a source is given up.
    pub tries: u32,
    /// Pause after the first of them; doubled after each.
    pub pause: Duration,
}

impl Default for Options {
    /// Offline when the user's switch says so.
    fn default() -> Self {
        Self { offline: is_offline(), stall: Duration::from_secs(60), tries: 5, pause: Duration::from_secs(1) }
    }
}

/// What to download.
#[derive(Clone, Debug)]
pub struct Wanted<'a> {
    /// What it is called in messages.
    pub name: &'a str,
    /// Addresses of the same file, the best first; `https`, or `http` where the user named such a source.
    pub sources: &'a [String],
    /// Where it goes. Its folder must exist.
    pub target: &'a Path,
    /// Its size, where it is known.
    pub bytes: Option<u64>,
    /// Its SHA-256 in hexadecimal, where it is known.
    pub sha256: Option<&'a str>,
    /// The largest size that is believed.
    pub limit: u64,
}

/// Where a download stands.
#[derive(Clone, Debug, PartialEq)]
pub enum Progress<'a> {
    /// Bytes that are there, of as many in all where that is known.
    Bytes {
        /// There.
        done: u64,
        /// In all.
        total: Option<u64>,
    },
    /// Something went wrong that the download goes on from.
    Trouble(&'a str),
}

/// A file that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Downloaded {
    /// Its size.
    pub bytes: u64,
    /// Its SHA-256 in hexadecimal.
    pub sha256: String,
    /// The address it came from.
    pub source: String,
    /// Whether the SHA-256 was known beforehand and is the same.
    pub is_checked: bool,
}

/// Downloads a file. `watch` hears where it stands and answers whether to go on.
///
/// # Errors
/// When no source gives the file as it should be, the disk is too small or cannot be written, or `watch` said no. What has come
/// stays for the next attempt, unless it was wrong.
pub fn download(
    wanted: &Wanted<'_>,
    options: Options,
    watch: &mut dyn FnMut(Progress<'_>) -> bool,
) -> Result<Downloaded> {
    let file = wanted.name.to_owned();
    if options.offline {
        return Err(DownloadError::Offline { file });
    }
    let client = Client::new(options.stall);
    let mut part = Part::open(wanted.target)?;
    let mut attempts = Vec::new();
    for source in wanted.sources {
        let mut run = Run { wanted, options, client: &client, part: &mut part, watch, file: &file, wrong: 0 };
        match run.try_source(source)? {
            Ok(downloaded) => {
                part.finish()?;
                return Ok(downloaded);
            }
            Err(reason) => attempts.push(format!("{source}: {reason}")),
        }
    }
    if part.length() == 0 {
        drop(part);
        discard(wanted.target)?;
    }
    Err(DownloadError::Failed { file, attempts })
}

/// How an attempt ended that was no error of this machine.
enum Ended {
    /// The file is there and right.
    Complete(Downloaded),
    /// It may go better next time.
    Passing(String),
    /// Another time will be no better.
    Lasting(String),
}

/// A download on its way.
struct Run<'a> {
    wanted: &'a Wanted<'a>,
    options: Options,
    client: &'a Client,
    part: &'a mut Part,
    watch: &'a mut dyn FnMut(Progress<'_>) -> bool,
    file: &'a str,
    /// How often the whole had the wrong checksum.
    wrong: u32,
}

impl Run<'_> {
    /// Tries a source until it gave the file or is given up: the inner error says why.
    fn try_source(&mut self, source: &str) -> Result<std::result::Result<Downloaded, String>> {
        let (mut fruitless, mut restarts) = (0, 0);
        loop {
            let before = self.part.length();
            let reason = match self.attempt(source)? {
                Ended::Complete(downloaded) => return Ok(Ok(downloaded)),
                Ended::Lasting(reason) => return Ok(Err(reason)),
                Ended::Passing(reason) => reason,
            };
            let now = self.part.length();
            if now < before {
                restarts += 1;
            }
            fruitless = if now >= before.saturating_add(WORTHWHILE) { 0 } else { fruitless + 1 };
            if fruitless.max(restarts) >= self.options.tries {
                return Ok(Err(reason));
            }
            self.tell(Progress::Trouble(&reason))?;
            self.pause(self.options.pause.saturating_mul(1 << fruitless.saturating_sub(1).min(5)))?;
        }
    }

    /// Asks a source once for what is missing.
    fn attempt(&mut self, source: &str) -> Result<Ended> {
        // A half is worth something if it can be told that the rest belongs to it: by the server that gave it, or by a
        // checksum of the whole.
        let is_same_source = self.part.identity().source == source;
        let can_tell = self.wanted.sha256.is_some()
            || is_same_source && (self.part.identity().validator().is_some() || self.part.identity().sha256.is_some());
        if self.part.length() > 0 && !can_tell {
            self.part.restart(Identity::default())?;
        }
        let have = self.part.length();
        let validator = self.part.identity().validator().filter(|_| is_same_source);
        let other_file = "the server's file is not the one that was begun; starting over";
        let answer = match self.client.get(source, have, validator) {
            Ok(answer) => answer,
            Err(http::Refusal::Passing(reason)) => return Ok(Ended::Passing(reason)),
            Err(http::Refusal::Lasting(reason)) => return Ok(Ended::Lasting(reason)),
            Err(http::Refusal::OtherFile) => {
                self.part.restart(Identity::default())?;
                return Ok(Ended::Passing(other_file.to_owned()));
            }
        };
        if let Some(reason) = self.unfit(&answer) {
            return Ok(Ended::Lasting(reason));
        }
        let begun = self.part.identity();
        let goes_on = answer.start == have && begun.total == answer.identity.total;
        if answer.start == 0 {
            self.part.restart(Identity { source: source.to_owned(), ..answer.identity.clone() })?;
        } else if !goes_on || is_same_source && !begun.is_same_file(&answer.identity) {
            // Its body is dropped unread.
            self.part.restart(Identity::default())?;
            return Ok(Ended::Passing(other_file.to_owned()));
        }
        self.room(answer.identity.total)?;
        if let Some(reason) = self.receive(answer)? {
            return Ok(Ended::Passing(reason));
        }
        self.complete(source)
    }

    /// Why an answer cannot be the file.
    fn unfit(&self, answer: &Answer) -> Option<String> {
        let total = answer.identity.total?;
        if let Some(bytes) = self.wanted.bytes.filter(|bytes| *bytes != total) {
            return Some(format!("the server's file has {total} bytes instead of {bytes}"));
        }
        let limit = self.wanted.limit;
        (total > limit).then(|| format!("the server's file has {total} bytes, more than the {limit} that are believed"))
    }

    /// Whether the disk has room for the rest.
    fn room(&self, total: Option<u64>) -> Result<()> {
        let Some(needed) = total.map(|total| total.saturating_sub(self.part.length())) else { return Ok(()) };
        let folder = self.part.folder();
        check_room(folder, needed, self.file)
    }

    /// Appends an answer's body; the reason when it ended too early or goes on for too long.
    fn receive(&mut self, answer: Answer) -> Result<Option<String>> {
        let total = answer.identity.total;
        let end = total.or(self.wanted.bytes).unwrap_or(self.wanted.limit);
        let mut body = answer.body;
        let mut buffer = vec![0; BUFFER];
        let (mut mark, mut since) = (self.part.length(), Instant::now());
        loop {
            let count = match body.read(&mut buffer) {
                Ok(count) => count,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(error) => {
                    return Ok(Some(format!("the connection broke after {} bytes ({error})", self.part.length())));
                }
            };
            if count == 0 {
                break;
            }
            if self.part.length() + count as u64 > end {
                self.part.restart(Identity::default())?;
                return Ok(Some(format!("the server sent more than the {end} bytes of the file")));
            }
            self.part.append(&buffer[..count])?;
            self.tell(Progress::Bytes { done: self.part.length(), total })?;
            if since.elapsed() >= self.options.stall {
                if self.part.length() - mark < LEAST_PACE {
                    return Ok(Some("next to nothing came".to_owned()));
                }
                (mark, since) = (self.part.length(), Instant::now());
            }
        }
        let length = self.part.length();
        let expected = total.or(self.wanted.bytes).filter(|expected| *expected != length);
        Ok(expected.map(|expected| format!("the connection ended after {length} of {expected} bytes")))
    }

    /// Checks the whole file.
    fn complete(&mut self, source: &str) -> Result<Ended> {
        let (bytes, sha256) = (self.part.length(), self.part.sha256());
        // What the server says of its file holds where nothing better is known.
        let known = self.wanted.sha256.map(str::to_owned).or_else(|| self.part.identity().sha256.clone());
        if let Some(known) = &known
            && !known.eq_ignore_ascii_case(&sha256)
        {
            self.part.restart(Identity::default())?;
            let reason = format!("what came is not the file: its SHA-256 is {sha256} instead of {known}");
            // Once more: it may have been damaged on the way.
            self.wrong += 1;
            return Ok(if self.wrong > 1 { Ended::Lasting(reason) } else { Ended::Passing(reason) });
        }
        Ok(Ended::Complete(Downloaded { bytes, sha256, source: source.to_owned(), is_checked: known.is_some() }))
    }

    fn tell(&mut self, progress: Progress<'_>) -> Result<()> {
        if (self.watch)(progress) { Ok(()) } else { Err(DownloadError::Cancelled) }
    }

    /// Waits, asking now and then whether to go on.
    fn pause(&mut self, pause: Duration) -> Result<()> {
        let end = Instant::now() + pause;
        let total = self.part.identity().total;
        loop {
            self.tell(Progress::Bytes { done: self.part.length(), total })?;
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            std::thread::sleep(left.min(Duration::from_millis(200)));
        }
    }
}

/// Bytes of a file's beginning that an earlier download left, and the size it said the whole has.
#[must_use]
pub fn unfinished(target: &Path) -> Option<(u64, Option<u64>)> {
    part::unfinished(target)
}

/// Removes what an earlier download of this file left.
///
/// # Errors
/// Whatever the file system says.
pub fn discard(target: &Path) -> Result<()> {
    part::discard(target)
}

/// Checks that a folder's disk has room for `needed` bytes of `file`, and a little more.
///
/// # Errors
/// [`DownloadError::NoSpace`]. Where the system does not say how much is free, nothing is wrong.
pub fn check_room(folder: &Path, needed: u64, file: &str) -> Result<()> {
    match free_bytes(folder) {
        Some(available) if available < needed.saturating_add(MARGIN) => {
            Err(DownloadError::NoSpace { file: file.to_owned(), folder: folder.to_owned(), needed, available })
        }
        _ => Ok(()),
    }
}

/// Bytes that are free on a folder's disk; `None` where the system does not say.
#[must_use]
pub fn free_bytes(folder: &Path) -> Option<u64> {
    fs4::available_space(folder).ok()
}

/// Bytes as people read them.
fn gigabytes(bytes: u64) -> String {
    format!("{:.2} GiB", bytes as f64 / f64::from(1 << 30))
}
