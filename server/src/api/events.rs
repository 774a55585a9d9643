//! Following a job: its event file as server-sent events.
//!
//! The id of an event is the place in the file after its line, so a follower that lost the connection, or the server, goes
//! on exactly where it was, and nothing needs to be remembered about it here.

use std::convert::Infallible;
use std::io;
use std::path::{Path as FilePath, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::Stream;
use kfold_inference::remote::protocol::RemoteState;
use tokio::io::{AsyncReadExt, AsyncSeekExt, SeekFrom};
use tokio::sync::OwnedSemaphorePermit;

use super::Shared;
use super::caller::{Caller, Read};
use crate::error::ApiError;
use crate::scheduler::without_folder;
use crate::service::Service;

/// Between two looks at the file.
const POLL: Duration = Duration::from_millis(250);
/// Between two signs of life when nothing happens.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// Bytes that are read at once: more than the longest line that counts.
const BLOCK: u64 = 2 << 20;

pub(super) async fn follow(
    State(service): Shared,
    caller: Caller<Read>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, ApiError> {
    let record = caller.job(&service, &id)?;
    let permit = Arc::clone(&service.followers)
        .try_acquire_owned()
        .map_err(|_| ApiError::busy("too many followers at once; ask for the job's state instead, or try later", 10))?;
    let folder = service.job_folder(&record.id);
    let path = folder.join("events.jsonl");
    let wanted = headers.get("last-event-id").and_then(|value| value.to_str().ok()?.parse().ok());
    let offset = match wanted {
        Some(offset) if is_line_start(&path, offset).await => offset,
        // Not an id of ours: from the beginning, which repeats but loses nothing.
        _ => 0,
    };
    let follower = Follower {
        service,
        id: record.id,
        folder,
        path,
        offset,
        told: None,
        ready: Vec::new(),
        is_done: false,
        _permit: permit,
    };
    let stream = futures_util::stream::unfold(follower, |mut follower| async move {
        let event = follower.next().await?;
        Some((Ok(event), follower))
    });
    Ok(Sse::new(stream).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)))
}

struct Follower {
    service: Arc<Service>,
    id: String,
    folder: PathBuf,
    path: PathBuf,
    offset: u64,
    /// The state and the finished pieces that the follower knows of.
    told: Option<(RemoteState, u32, Option<u64>)>,
    /// What to send next, in reverse.
    ready: Vec<Event>,
    is_done: bool,
    _permit: OwnedSemaphorePermit,
}

impl Follower {
    async fn next(&mut self) -> Option<Event> {
        let mut stop = self.service.stop_signal();
        loop {
            if let Some(event) = self.ready.pop() {
                return Some(event);
            }
            if self.is_done || *stop.borrow() {
                return None;
            }
            // The state first: what is in the file when a job has ended is all there will be.
            let record = self.service.index.job(&self.id, None).ok().flatten();
            let is_final = record.as_ref().is_none_or(|record| record.state.is_final());
            let read = read_lines(&self.path, self.offset).await;
            let (lines, has_more) = read.unwrap_or_default();
            let mut events = Vec::new();
            for line in lines {
                self.offset += line.len() as u64 + 1;
                let text = without_folder(&String::from_utf8_lossy(&line), &self.folder);
                // A line break within an event would be two events.
                if !text.is_empty() && !text.contains(['\r', '\n']) {
                    events.push(Event::default().event("job").id(self.offset.to_string()).data(text));
                }
            }
            if let Some(record) = record {
                let job = self.service.describe(record);
                let news = (job.state, job.pieces_done as u32, job.jobs_ahead);
                if self.told != Some(news) && !has_more {
                    self.told = Some(news);
                    if let Ok(text) = serde_json::to_string(&job) {
                        events.push(Event::default().event("state").id(self.offset.to_string()).data(text));
                    }
                }
            }
            self.is_done = is_final && !has_more;
            events.reverse();
            self.ready = events;
            if self.ready.is_empty() && !self.is_done {
                tokio::select! {
                    () = tokio::time::sleep(POLL) => {}
                    _ = stop.changed() => {}
                }
            }
        }
    }
}

/// Whether a line begins at an offset of the file, or the file ends there.
async fn is_line_start(path: &FilePath, offset: u64) -> bool {
    let Some(before) = offset.checked_sub(1) else { return true };
    let read = async {
        let mut file = tokio::fs::File::open(path).await?;
        file.seek(SeekFrom::Start(before)).await?;
        file.read_u8().await
    };
    read.await.is_ok_and(|byte| byte == b'\n')
}

/// Complete lines from an offset on, and whether the file has more than was read.
async fn read_lines(path: &FilePath, offset: u64) -> io::Result<(Vec<Vec<u8>>, bool)> {
    let mut file = tokio::fs::File::open(path).await?;
    let length = file.metadata().await?.len();
    if length <= offset {
        return Ok((Vec::new(), false));
    }
    file.seek(SeekFrom::Start(offset)).await?;
    let mut bytes = Vec::new();
    file.take(BLOCK).read_to_end(&mut bytes).await?;
    let Some(end) = bytes.iter().rposition(|byte| *byte == b'\n') else { return Ok((Vec::new(), false)) };
    let has_more = offset + (end as u64) + 1 < length && bytes.len() as u64 == BLOCK;
    Ok((bytes[..end].split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect(), has_more))
}
