//! The HTTP interface: what is asked, by whom, and what is answered.
//!
//! Every operation is added to the router and to the OpenAPI document by one call ([`routes::Routes::add`]), so the
//! document says what the code does. Other users' jobs do not exist here: asking for one gives the same 404 as asking for
//! none.

mod caller;
mod events;
mod files;
mod jobs;
mod routes;
mod submit;

use std::sync::Arc;
use std::time::Instant;

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, MatchedPath, Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use kfold_inference::remote::protocol::{Capabilities, Health, JobList, OutputList, RemoteJob};

use self::caller::{Admin, Caller, Read};
use self::routes::{Body, Operation, Routes};
use crate::error::ApiError;
use crate::log;
use crate::service::Service;
use crate::token::Scope;

/// Bytes of a request other than a submission.
const BODY_LIMIT: usize = 64 << 10;

type Shared = State<Arc<Service>>;

/// The interface with its document.
pub(crate) fn router(service: Arc<Service>) -> Router {
    let (router, document) = routes().finish();
    let document = Bytes::from(document.to_string());
    let answer = move || {
        let document = document.clone();
        async move { ([(CONTENT_TYPE, "application/json")], document) }
    };
    router
        .route("/openapi.json", axum::routing::get(answer))
        .fallback(|| async { ApiError::not_found() })
        .method_not_allowed_fallback(|| async {
            ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "this path does not know that method")
        })
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(axum::middleware::from_fn_with_state(Arc::clone(&service), observe))
        .with_state(service)
}

fn routes() -> Routes {
    let job = "The job's id";
    Routes::new()
        .add(
            Operation::new(Method::GET, "/health", "health", "Whether the service lives")
                .answers::<Health>(200, "It does"),
            health,
        )
        .add(
            Operation::new(Method::GET, "/metrics", "metrics", "Counters in Prometheus's text format")
                .scope(Scope::Admin)
                .answers_with(200, "The counters", Body::Other("text/plain")),
            metrics,
        )
        .add(
            Operation::new(Method::GET, "/v1/capabilities", "capabilities", "Engines, devices, limits and the queue")
                .scope(Scope::Read)
                .answers::<Capabilities>(200, "What the server can do"),
            capabilities,
        )
        .add(
            Operation::new(Method::POST, "/v1/jobs", "submit", "Submit a query with its files")
                .scope(Scope::Submit)
                .header("Idempotency-Key", "Submitting again with the same key gives the same job", Some(r"^[!-~]{1,128}$"))
                .takes(submit::form())
                .answers::<RemoteJob>(201, "The job waits")
                .answers::<RemoteJob>(200, "The job of this key, accepted before")
                .refuses(408, "The submission took too long to arrive")
                .refuses(409, "Another submission had this key")
                .refuses(413, "Too large, or too many files")
                .refuses(415, "Not multipart/form-data")
                .refuses(422, "The query, the settings or a file is wrong")
                .refuses(507, "The disk is full"),
            submit::submit,
        )
        .add(
            Operation::new(Method::GET, "/v1/jobs", "list", "Jobs, newest first")
                .scope(Scope::Read)
                .query::<jobs::ListQuery>()
                .answers::<JobList>(200, "The jobs"),
            jobs::list,
        )
        .add(
            Operation::new(Method::GET, "/v1/jobs/{job}", "read", "A job")
                .scope(Scope::Read)
                .path("job", job)
                .answers::<RemoteJob>(200, "The job"),
            jobs::read,
        )
        .add(
            Operation::new(Method::DELETE, "/v1/jobs/{job}", "delete", "Delete a job with all its files; stops it if it runs")
                .scope(Scope::Submit)
                .path("job", job)
                .answers_with(204, "The job is gone", Body::None),
            jobs::delete,
        )
        .add(
            Operation::new(Method::POST, "/v1/jobs/{job}/cancel", "cancel", "Stop a job; what is finished of it stays")
                .scope(Scope::Submit)
                .path("job", job)
                .answers::<RemoteJob>(202, "It is being stopped, or had ended before"),
            jobs::cancel,
        )
        .add(
            Operation::new(
                Method::GET,
                "/v1/jobs/{job}/events",
                "events",
                "Follow a job: its events as they happen (`event: job` is a line of events.jsonl, `event: state` the job)",
            )
            .scope(Scope::Read)
            .path("job", job)
            .header("Last-Event-ID", "Go on after the event of this id; what is none is ignored", None)
            .answers_with(200, "Server-sent events until the job has ended", Body::Other("text/event-stream")),
            events::follow,
        )
        .add(
            Operation::new(Method::GET, "/v1/jobs/{job}/outputs", "outputs", "The files that a job has so far")
                .scope(Scope::Read)
                .path("job", job)
                .answers::<OutputList>(200, "The files"),
            files::list,
        )
        .add(
            Operation::new(Method::GET, "/v1/jobs/{job}/outputs/{*path}", "output", "A file of a job")
                .scope(Scope::Read)
                .path("job", job)
                .path("path", "A path as the list of outputs gives it")
                .header("Range", "`bytes=N-` for the rest from byte N; other ranges are ignored", None)
                .answers_with(200, "The file", Body::Other("application/octet-stream"))
                .answers_with(206, "The rest of the file", Body::Other("application/octet-stream"))
                .refuses(416, "The file ends before"),
            files::read,
        )
        .add(
            Operation::new(Method::GET, "/v1/jobs/{job}/archive", "archive", "All files of a job as a .tar.gz")
                .scope(Scope::Read)
                .path("job", job)
                .answers_with(200, "The archive", Body::Other("application/gzip")),
            files::archive,
        )
}

/// The OpenAPI document.
pub(crate) fn document() -> serde_json::Value {
    routes().finish().1
}

async fn health() -> Json<Health> {
    Json(Health { status: "ok".into(), version: env!("CARGO_PKG_VERSION").into() })
}

async fn metrics(State(service): Shared, _: Caller<Admin>) -> Result<Response, ApiError> {
    let text = service.metrics.text(&service.index.counts()?);
    Ok(([(CONTENT_TYPE, "text/plain; version=0.0.4")], text).into_response())
}

async fn capabilities(State(service): Shared, _: Caller<Read>) -> Result<Json<Capabilities>, ApiError> {
    Ok(Json(service.capabilities()?))
}

/// Counts and logs what was answered.
async fn observe(State(service): Shared, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().map_or("unknown", MatchedPath::as_str).to_owned();
    let mut response = next.run(request).await;
    let status = response.status();
    service.metrics.answered(&format!("{method} {route}"), status.as_u16(), started.elapsed());
    if status.is_client_error() || status.is_server_error() {
        log::warning("refused", &[("method", &method), ("route", &route), ("status", &status.as_u16())]);
    }
    let headers = response.headers_mut();
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}
