//! Submitting: a form with the query, its settings and its files becomes a job directory.
//!
//! Names of files are names only: a file lies under a number and what is harmless of its name, and the query's paths are
//! looked up among the names that came with it. The directory is made beside the jobs, renamed into place, entered into
//! the index, and then acknowledged; what a crash leaves before that is swept away at the next start.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::multipart::{Field, MultipartError, MultipartRejection};
use axum::extract::{DefaultBodyLimit, FromRequest, Multipart, Request, State};
use axum::http::{HeaderMap, StatusCode};
use kfold_inference::engine::EngineName;
use kfold_inference::job::{Job, JobError, pieces};
use kfold_inference::kfold::engine::check_query;
use kfold_inference::query::Query;
use kfold_inference::remote::protocol::RemoteJob;
use kfold_inference::settings::Settings;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::io::AsyncWriteExt;

use super::Shared;
use super::caller::{Caller, Submit};
use super::jobs::in_background;
use crate::error::ApiError;
use crate::index::{Added, JobRecord, NewJob};
use crate::log;
use crate::scheduler::{folder_bytes, without_folder};
use crate::service::Service;
use crate::token::random_hex;

/// Bytes of the query and of the settings.
const TEXT_LIMIT: usize = 16 << 20;
/// Characters of a file's name that are kept.
const NAME_LENGTH: usize = 80;
/// Seconds without a byte after which a submission is given up.
const SILENCE: Duration = Duration::from_secs(30);
/// The range of priorities.
const PRIORITIES: std::ops::RangeInclusive<i32> = -10..=10;

/// The form as the OpenAPI document describes it.
pub(super) fn form() -> Value {
    json!({"multipart/form-data": {
        "schema": {
            "type": "object",
            "required": ["query"],
            "properties": {
                "query": {"type": "string", "description": "The query as JSON; its paths are the file names of this form"},
                "settings": {"type": "string", "description": "Settings as JSON; without them what the query asks for"},
                "priority": {"type": "string", "pattern": "^(-?[0-9]|-?10)$", "description": "Among one's own jobs the higher goes first"},
                "file": {
                    "type": "array",
                    "items": {"type": "string", "contentMediaType": "application/octet-stream"},
                    "description": "The files that the query names",
                },
            },
        },
        "encoding": {"query": {"contentType": "application/json"}, "settings": {"contentType": "application/json"}},
    }})
}

pub(super) async fn submit(
    State(service): Shared,
    caller: Caller<Submit>,
    headers: HeaderMap,
    request: Request,
) -> Result<(StatusCode, Json<RemoteJob>), ApiError> {
    let key = idempotency_key(&headers)?;
    let limits = &service.configuration.limits;
    if !service.has_free_disk() {
        return Err(ApiError::new(
            StatusCode::INSUFFICIENT_STORAGE,
            "disk_full",
            "the server's disk is full; try later",
        ));
    }
    if service.index.bytes_of(&caller.user)? >= limits.disk_bytes_per_user {
        let message = "your jobs take all the space that this server gives one user; delete some";
        return Err(ApiError::new(StatusCode::INSUFFICIENT_STORAGE, "quota", message));
    }
    let _permit = service
        .uploads
        .try_acquire()
        .map_err(|_| ApiError::busy("too many submissions are being received; try again in a moment", 2))?;
    let id = random_hex::<16>().map_err(ApiError::internal)?;
    let staging = Staging(service.staging_folder(&id));
    let receive = receive(&service, &staging.0, request);
    let upload = tokio::time::timeout(Duration::from_secs(limits.upload_seconds), receive).await.map_err(|_| {
        ApiError::new(StatusCode::REQUEST_TIMEOUT, "timeout", "the submission took too long to arrive; try again")
    })??;
    let user = caller.user.clone();
    let (record, is_new) =
        in_background(&service, move |service| accept(service, &id, &user, key.as_deref(), &upload, &staging.0))
            .await??;
    if is_new {
        log::info("job_accepted", &[("job", &record.id), ("user", &caller.user), ("engine", &record.engine)]);
        service.metrics.count("kfold_jobs_accepted_total");
        service.notify();
    }
    let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Json(service.describe(record))))
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, ApiError> {
    let Some(value) = headers.get("idempotency-key") else { return Ok(None) };
    let text = value
        .to_str()
        .ok()
        .filter(|text| (1..=128).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic()));
    let message = "Idempotency-Key: 1 to 128 visible ASCII characters, such as a random UUID";
    text.map(|text| Some(text.to_owned())).ok_or_else(|| ApiError::invalid(message))
}

/// A folder that is removed with whatever is still in it.
struct Staging(PathBuf);

impl Drop for Staging {
    fn drop(&mut self) {
        // Swept at the next start where this fails.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// What arrived.
struct Upload {
    query: String,
    settings: Option<String>,
    priority: i32,
    /// The files by the names that the client gave them.
    files: HashMap<String, PathBuf>,
    digest: Vec<u8>,
}

async fn receive(service: &Arc<Service>, staging: &Path, mut request: Request) -> Result<Upload, ApiError> {
    let limits = &service.configuration.limits;
    // Counted here, part by part; the whole may be a little longer for the form's own lines.
    DefaultBodyLimit::max(limits.upload_bytes as usize + (1 << 20)).apply(&mut request);
    let mut form = Multipart::from_request(request, service).await.map_err(|error| rejection(&error))?;
    std::fs::create_dir(staging).map_err(|error| ApiError::storage(&error))?;
    let (mut query, mut settings, mut priority) = (None, None, None);
    let mut files = HashMap::new();
    let mut digests = Vec::new();
    let mut bytes_left = limits.upload_bytes;
    while let Some(field) = patiently(form.next_field()).await?.map_err(|error| broken(&error))? {
        let name = field.name().unwrap_or_default().to_owned();
        let slot = match name.as_str() {
            "query" => &mut query,
            "settings" => &mut settings,
            "priority" => &mut priority,
            "file" => {
                if files.len() as u64 >= limits.upload_files {
                    return Err(ApiError::too_large(format!("more than {} files", limits.upload_files)));
                }
                let name = field.file_name().unwrap_or_default().to_owned();
                if name.is_empty() {
                    return Err(ApiError::invalid("file: give it a file name, the one that the query uses"));
                }
                let path = staging.join(format!("{}", files.len() + 1));
                std::fs::create_dir(&path).map_err(|error| ApiError::storage(&error))?;
                let path = path.join(harmless(&name));
                digests.push((name.clone(), save(field, &path, &mut bytes_left).await?));
                if files.insert(name.clone(), path).is_some() {
                    return Err(ApiError::invalid(format!("file: the name {name:?} is given twice")));
                }
                continue;
            }
            _ => {
                return Err(ApiError::invalid(format!(
                    "unknown part {name:?}; there are query, settings, priority, file"
                )));
            }
        };
        let text = text(field, &name, &mut bytes_left).await?;
        if slot.replace(text).is_some() {
            return Err(ApiError::invalid(format!("{name} is given twice")));
        }
    }
    let query = query.ok_or_else(|| ApiError::invalid("query: the part is missing"))?;
    let priority = match priority.as_deref().map(str::parse::<i32>) {
        None => 0,
        Some(Ok(priority)) if PRIORITIES.contains(&priority) => priority,
        Some(_) => return Err(ApiError::invalid("priority: a whole number from -10 to 10")),
    };
    digests.sort();
    let digest = digest_of(&query, settings.as_deref(), &digests);
    Ok(Upload { query, settings, priority, files, digest })
}

/// One digest for everything that makes the job what it is.
fn digest_of(query: &str, settings: Option<&str>, files: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut digest = Sha256::new();
    let mut part = |bytes: &[u8]| {
        digest.update((bytes.len() as u64).to_le_bytes());
        digest.update(bytes);
    };
    part(query.as_bytes());
    part(settings.unwrap_or_default().as_bytes());
    for (name, content) in files {
        part(name.as_bytes());
        part(content);
    }
    digest.finalize().to_vec()
}

async fn patiently<T>(future: impl Future<Output = T>) -> Result<T, ApiError> {
    tokio::time::timeout(SILENCE, future)
        .await
        .map_err(|_| ApiError::new(StatusCode::REQUEST_TIMEOUT, "timeout", "nothing arrived for too long; try again"))
}

fn broken(error: &MultipartError) -> ApiError {
    if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
        return ApiError::too_large("the submission is too large");
    }
    ApiError::invalid(format!("the form is broken: {}", error.body_text()))
}

fn rejection(error: &MultipartRejection) -> ApiError {
    let message = format!("submit as multipart/form-data: {}", error.body_text());
    ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "not_a_form", message)
}

fn count(bytes_left: &mut u64, bytes: usize) -> Result<(), ApiError> {
    *bytes_left =
        bytes_left.checked_sub(bytes as u64).ok_or_else(|| ApiError::too_large("the submission is too large"))?;
    Ok(())
}

async fn text(mut field: Field<'_>, name: &str, bytes_left: &mut u64) -> Result<String, ApiError> {
    let mut bytes = Vec::new();
    while let Some(chunk) = patiently(field.chunk()).await?.map_err(|error| broken(&error))? {
        count(bytes_left, chunk.len())?;
        bytes.extend_from_slice(&chunk);
        if bytes.len() > TEXT_LIMIT {
            return Err(ApiError::too_large(format!("{name}: more than {TEXT_LIMIT} bytes")));
        }
    }
    String::from_utf8(bytes).map_err(|_| ApiError::invalid(format!("{name}: not UTF-8 text")))
}

/// Writes a file and gives its digest.
async fn save(mut field: Field<'_>, path: &Path, bytes_left: &mut u64) -> Result<Vec<u8>, ApiError> {
    let mut file = tokio::fs::File::create(path).await.map_err(|error| ApiError::storage(&error))?;
    let mut digest = Sha256::new();
    while let Some(chunk) = patiently(field.chunk()).await?.map_err(|error| broken(&error))? {
        count(bytes_left, chunk.len())?;
        digest.update(&chunk);
        file.write_all(&chunk).await.map_err(|error| ApiError::storage(&error))?;
    }
    file.flush().await.map_err(|error| ApiError::storage(&error))?;
    Ok(digest.finalize().to_vec())
}

/// What can stand in a file name on any system, with the end kept, because it says the format.
fn harmless(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let kept: String = last
        .chars()
        .map(|letter| if letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-' | '_') { letter } else { '_' })
        .collect();
    let start = kept.len().saturating_sub(NAME_LENGTH);
    let kept = kept[start..].trim_matches('.');
    if kept.is_empty() { "input".into() } else { kept.to_owned() }
}

/// Makes the job's directory and enters it into the index.
fn accept(
    service: &Service,
    id: &str,
    user: &str,
    key: Option<&str>,
    upload: &Upload,
    staging: &Path,
) -> Result<(JobRecord, bool), ApiError> {
    if let Some(key) = key
        && let Some(existing) = service.index.job_of_key(user, key)?
    {
        return same_or_conflict(existing, &upload.digest);
    }
    let limits = &service.configuration.limits;
    let query = query_of(upload)?;
    if query.series.len() as u64 > limits.series_ligands {
        let message =
            format!("series: more than the {} ligands that this server takes; split it", limits.series_ligands);
        return Err(ApiError::too_large(message));
    }
    let settings = settings_of(service, &query, upload.settings.as_deref())?;
    let folder = staging.join("job");
    let job = Job::create(&folder, &query, &settings).map_err(|error| match &error {
        JobError::Write { source, .. } | JobError::Copy { source, .. } => ApiError::storage(source),
        _ => ApiError::invalid(without_folder(&error.to_string(), staging)),
    })?;
    let new = NewJob {
        id,
        user,
        name: &job.query().name,
        engine: settings.engine.name(),
        priority: upload.priority,
        seeds: settings.seeds.len() as u64,
        series_ligands: query.series.len() as u64,
        pieces: pieces::count(&query, settings.engine, service.configuration.workers.ligands_per_piece),
        bytes: folder_bytes(&folder),
        key,
        digest: &upload.digest,
    };
    let place = service.job_folder(id);
    std::fs::rename(&folder, &place).map_err(|error| ApiError::storage(&error))?;
    let added = service.index.add(&new, limits.queued_jobs_per_user, limits.queued_jobs);
    if !matches!(added, Ok(Added::New(_))) {
        // Nobody knows of it. Swept at the next start where this fails.
        let _ = std::fs::remove_dir_all(&place);
    }
    match added? {
        Added::New(record) => Ok((record, true)),
        Added::Existing(existing) => same_or_conflict(existing, &upload.digest),
        Added::QueueFull => Err(ApiError::busy("the queue is full; wait until some jobs have ended", 60)),
    }
}

fn same_or_conflict(existing: JobRecord, digest: &[u8]) -> Result<(JobRecord, bool), ApiError> {
    if existing.digest == digest {
        return Ok((existing, false));
    }
    let message =
        format!("the job {} had this Idempotency-Key and was another submission; take a new key", existing.id);
    Err(ApiError::new(StatusCode::CONFLICT, "key_used", message))
}

/// The query with the uploaded files in the places of the names it uses.
fn query_of(upload: &Upload) -> Result<Query, ApiError> {
    let mut query =
        Query::parse_foreign(&upload.query).map_err(|error| ApiError::invalid(format!("query: {error}")))?;
    query.map_files(&mut |path: &Path| {
        let name = path.to_str().unwrap_or_default();
        upload.files.get(name).cloned().ok_or_else(|| {
            ApiError::invalid(format!("query: it names the file {name:?}, which is not among the files of the form"))
        })
    })?;
    Ok(query)
}

fn settings_of(service: &Service, query: &Query, text: Option<&str>) -> Result<Settings, ApiError> {
    let mut settings = match text {
        Some(text) => {
            serde_json::from_str::<Settings>(text).map_err(|error| ApiError::invalid(format!("settings: {error}")))?
        }
        None => {
            let mut settings = Settings::for_query(query);
            settings.engine = query.engine_name().unwrap_or_else(|| automatic(service, query));
            settings
        }
    };
    settings.validate().map_err(|error| ApiError::invalid(error.to_string()))?;
    let is_offered = |engine: EngineName| service.engines.iter().any(|offer| offer.name == engine.name());
    if !is_offered(settings.engine) {
        return Err(ApiError::invalid(format!("settings: this server has no engine `{}`", settings.engine.name())));
    }
    // Where the weights lie is never the client's word: workers are told by their environment.
    settings.kfold.models = PathBuf::new();
    // A worker has its share of the processor; results do not depend on it.
    let share = service.configuration.worker_threads();
    let threads = &mut settings.docking.threads;
    *threads = if *threads == 0 { share } else { (*threads).min(share) };
    Ok(settings)
}

/// The engine for a query that leaves it open: K-Fold if it is here and can, else docking.
fn automatic(service: &Service, query: &Query) -> EngineName {
    let has_kfold = service.engines.iter().any(|offer| offer.name == EngineName::KFold.name());
    if has_kfold && check_query(query).is_ok() { EngineName::KFold } else { EngineName::Docking }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_harmless_and_keep_their_format() {
        for (name, expected) in [
            ("receptor.pdb", "receptor.pdb"),
            ("inputs/receptor.pdb", "receptor.pdb"),
            ("../../etc/passwd", "passwd"),
            ("..", "input"),
            ("a\\..\\b.cif.gz", "b.cif.gz"),
            ("결합 부위.sdf", "_____.sdf"),
            (".hidden", "hidden"),
            ("", "input"),
        ] {
            assert_eq!(harmless(name), expected);
        }
        let long = harmless(&format!("{}.pdb", "x".repeat(500)));
        assert!(long.len() <= NAME_LENGTH && long.ends_with(".pdb"));
    }
}
