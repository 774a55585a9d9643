//! Jobs: list, read, cancel, delete.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use kfold_inference::remote::protocol::{JobList, RemoteJob, RemoteState};
use schemars::JsonSchema;
use serde::Deserialize;

use super::Shared;
use super::caller::{Caller, Read, Submit};
use crate::error::ApiError;
use crate::log;
use crate::service::Service;

/// Jobs of one answer when nothing is said.
const DEFAULT_LIMIT: u32 = 50;

/// What to list.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListQuery {
    /// Only jobs in this state
    state: Option<RemoteState>,
    /// Jobs of one answer; 50 when nothing is said
    #[schemars(range(min = 1, max = 1000))]
    limit: Option<u32>,
    /// `next` of the answer before
    #[schemars(regex(pattern = r"^[0-9]{1,15}$"))]
    before: Option<String>,
}

pub(super) async fn list(
    State(service): Shared,
    caller: Caller<Read>,
    query: Result<Query<ListQuery>, QueryRejection>,
) -> Result<Json<JobList>, ApiError> {
    let Query(query) = query.map_err(|rejection| ApiError::invalid(rejection.body_text()))?;
    let limit = query.limit.unwrap_or(DEFAULT_LIMIT);
    if !(1..=1_000).contains(&limit) {
        return Err(ApiError::invalid(format!("limit: {limit} is not between 1 and 1000")));
    }
    let before = match &query.before {
        Some(text) => match text.parse::<i64>() {
            Ok(number) => Some(number),
            Err(_) => return Err(ApiError::invalid(format!("before: {text:?} is no `next` of a list"))),
        },
        None => None,
    };
    let records =
        in_background(&service, move |service| service.index.jobs(caller.sees(), query.state, before, limit as usize))
            .await??;
    let is_full = records.len() == limit as usize;
    let next = records.last().filter(|_| is_full).map(|last| last.number.to_string());
    Ok(Json(JobList { jobs: records.into_iter().map(|record| service.describe(record)).collect(), next }))
}

pub(super) async fn read(
    State(service): Shared,
    caller: Caller<Read>,
    Path(id): Path<String>,
) -> Result<Json<RemoteJob>, ApiError> {
    let record = caller.job(&service, &id)?;
    Ok(Json(service.describe(record)))
}

pub(super) async fn cancel(
    State(service): Shared,
    caller: Caller<Submit>,
    Path(id): Path<String>,
) -> Result<(StatusCode, Json<RemoteJob>), ApiError> {
    let record = caller.job(&service, &id)?;
    let job = record.id.clone();
    in_background(&service, move |service| service.index.request_cancel(&job)).await??;
    log::info("cancel_requested", &[("job", &record.id), ("user", &caller.user)]);
    service.notify();
    Ok((StatusCode::ACCEPTED, Json(service.describe(record))))
}

pub(super) async fn delete(
    State(service): Shared,
    caller: Caller<Submit>,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    let record = caller.job(&service, &id)?;
    let job = record.id.clone();
    in_background(&service, move |service| service.index.delete(&job)).await??;
    log::info("delete_requested", &[("job", &record.id), ("user", &caller.user)]);
    service.notify();
    Ok(StatusCode::NO_CONTENT)
}

/// Runs what may wait for the disk beside the threads that answer requests.
pub(super) async fn in_background<T: Send + 'static>(
    service: &Arc<Service>,
    work: impl FnOnce(&Service) -> T + Send + 'static,
) -> Result<T, ApiError> {
    let service = Arc::clone(service);
    tokio::task::spawn_blocking(move || work(&service)).await.map_err(ApiError::internal)
}
