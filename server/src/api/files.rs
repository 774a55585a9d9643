//! The files of a job, one by one or as an archive.
//!
//! A path that a client gives is never opened: it is looked up among the files that are there, and the file that is found
//! is opened. Links are not followed.

use std::fs::File;
use std::io::{self, Read as _, Write};
use std::path::{Path as FilePath, PathBuf};
use std::sync::Arc;

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::header::{ACCEPT_RANGES, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, RANGE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use kfold_inference::remote::protocol::{Output, OutputList};
use tokio::io::{AsyncReadExt, AsyncSeekExt, SeekFrom};
use tokio::sync::mpsc;

use super::Shared;
use super::caller::{Caller, Read};
use super::jobs::in_background;
use crate::error::ApiError;
use crate::log;
use crate::service::Service;

/// Files of a job that are shown at most.
const MAX_FILES: usize = 200_000;
/// Folders in folders; a job has two.
const MAX_DEPTH: usize = 4;
/// Bytes on their way to a client at once.
const BLOCK: usize = 64 << 10;

pub(super) async fn list(
    State(service): Shared,
    caller: Caller<Read>,
    Path(id): Path<String>,
) -> Result<Json<OutputList>, ApiError> {
    let record = caller.job(&service, &id)?;
    let outputs = in_background(&service, move |service| outputs(&service.job_folder(&record.id))).await?;
    Ok(Json(OutputList { outputs }))
}

pub(super) async fn read(
    State(service): Shared,
    caller: Caller<Read>,
    Path((id, path)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let record = caller.job(&service, &id)?;
    let found = in_background(&service, move |service| find(&service.job_folder(&record.id), &path)).await?;
    let path = found.ok_or_else(ApiError::not_found)?;
    let mut file = tokio::fs::File::open(&path).await.map_err(|error| missing_or(&error))?;
    let length = file.metadata().await.map_err(ApiError::internal)?.len();
    let from = headers.get(RANGE).and_then(|value| range_start(value.to_str().ok()?));
    if from.is_some_and(|from| from > length) {
        let message = format!("the file has {length} bytes");
        return Err(ApiError::new(StatusCode::RANGE_NOT_SATISFIABLE, "range", message));
    }
    let start = from.unwrap_or(0);
    file.seek(SeekFrom::Start(start)).await.map_err(ApiError::internal)?;
    // As long as it was when the headers were written, also when it grows.
    let rest = file.take(length - start);
    let stream = futures_util::stream::try_unfold(rest, |mut rest| async move {
        let mut block = vec![0; BLOCK];
        let read = rest.read(&mut block).await?;
        block.truncate(read);
        Ok::<_, io::Error>((read > 0).then(|| (Bytes::from(block), rest)))
    });
    let mut response = Body::from_stream(stream).into_response();
    let answer = response.headers_mut();
    answer.insert(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    answer.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    answer.insert(CONTENT_LENGTH, HeaderValue::from(length - start));
    if from.is_some_and(|_| length > 0)
        && let Ok(value) = HeaderValue::from_str(&format!("bytes {start}-{}/{length}", length.saturating_sub(1)))
    {
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
        response.headers_mut().insert(CONTENT_RANGE, value);
    }
    Ok(response)
}

pub(super) async fn archive(
    State(service): Shared,
    caller: Caller<Read>,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    let record = caller.job(&service, &id)?;
    let file_name = format!("attachment; filename=\"{}.tar.gz\"", record.name);
    let (sender, receiver) = mpsc::channel::<io::Result<Bytes>>(4);
    let shared: Arc<Service> = Arc::clone(&service);
    tokio::task::spawn_blocking(move || {
        let folder = shared.job_folder(&record.id);
        if let Err(error) = write_archive(&folder, &record.name, Blocks { sender: sender.clone(), block: Vec::new() }) {
            if error.kind() != io::ErrorKind::BrokenPipe {
                log::warning("archive_cut", &[("job", &record.id), ("error", &error)]);
            }
            // The client must not take what it has for the whole.
            let _ = sender.blocking_send(Err(error));
        }
    });
    let stream = futures_util::stream::unfold(receiver, |mut receiver| async move {
        let block = receiver.recv().await?;
        Some((block, receiver))
    });
    let mut response = Body::from_stream(stream).into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/gzip"));
    if let Ok(value) = HeaderValue::from_str(&file_name) {
        headers.insert(CONTENT_DISPOSITION, value);
    }
    Ok(response)
}

fn missing_or(error: &io::Error) -> ApiError {
    if error.kind() == io::ErrorKind::NotFound { ApiError::not_found() } else { ApiError::internal(error) }
}

/// N of `bytes=N-`; other ranges are answered with the whole file, as the standard allows.
fn range_start(text: &str) -> Option<u64> {
    text.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok()
}

/// The files of a job that its user gets to see: all but what is being written and what only workers need.
fn outputs(folder: &FilePath) -> Vec<Output> {
    let mut outputs = Vec::new();
    walk(folder, "", 0, &mut outputs);
    outputs.sort_by(|a, b| a.path.cmp(&b.path));
    outputs
}

fn walk(folder: &FilePath, prefix: &str, depth: usize, outputs: &mut Vec<Output>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let Some(name) = name.to_str() else { continue };
        let is_internal = depth == 0 && matches!(name, "worker.lock" | "worker.log" | "cancel" | "pieces" | "slurm");
        // Ligands of a seed that is not finished.
        let is_partial = depth == 0 && name.ends_with(".partial");
        if is_internal || is_partial || name.starts_with('.') || outputs.len() >= MAX_FILES {
            continue;
        }
        // Of the entry itself, not of what a link leads to.
        let Ok(metadata) = entry.metadata() else { continue };
        if metadata.is_dir() && depth < MAX_DEPTH {
            walk(&entry.path(), &format!("{prefix}{name}/"), depth + 1, outputs);
        } else if metadata.is_file() {
            outputs.push(Output { path: format!("{prefix}{name}"), bytes: metadata.len() });
        }
    }
}

fn find(folder: &FilePath, path: &str) -> Option<PathBuf> {
    let output = outputs(folder).into_iter().find(|output| output.path == path)?;
    Some(output.path.split('/').fold(folder.to_owned(), |place, part| place.join(part)))
}

fn write_archive(folder: &FilePath, name: &str, blocks: Blocks) -> io::Result<()> {
    let gzip = flate2::write::GzEncoder::new(blocks, flate2::Compression::fast());
    let mut archive = tar::Builder::new(gzip);
    for output in outputs(folder) {
        let Some(path) = find_known(folder, &output.path) else { continue };
        let file = File::open(&path)?;
        let metadata = file.metadata()?;
        let mut header = tar::Header::new_gnu();
        header.set_metadata_in_mode(&metadata, tar::HeaderMode::Deterministic);
        // As long as the header says, also when it grows meanwhile.
        archive.append_data(&mut header, format!("{name}/{}", output.path), file.take(metadata.len()))?;
    }
    archive.into_inner()?.finish()?.flush()
}

fn find_known(folder: &FilePath, path: &str) -> Option<PathBuf> {
    let place = path.split('/').fold(folder.to_owned(), |place, part| place.join(part));
    // A file that is rewritten at this moment may be gone.
    place.is_file().then_some(place)
}

/// Collects what is written into blocks and sends them.
struct Blocks {
    sender: mpsc::Sender<io::Result<Bytes>>,
    block: Vec<u8>,
}

impl Write for Blocks {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.block.extend_from_slice(bytes);
        if self.block.len() >= BLOCK {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.block.is_empty() {
            return Ok(());
        }
        let block = Bytes::from(std::mem::take(&mut self.block));
        // The client has gone.
        self.sender.blocking_send(Ok(block)).map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))
    }
}
