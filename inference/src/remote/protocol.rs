//! The messages of the HTTP service, spelled once for both sides.
//!
//! The service describes itself by an OpenAPI document (`/openapi.json`) whose schemas are derived from these types. Times
//! are seconds since 1970 of the server's clock.

use serde::{Deserialize, Serialize};

/// Version of this interface: the first part of every path.
pub const API_VERSION: u32 = 1;

/// Largest answer that a client reads into memory; outputs go to the disk.
pub const MAX_ANSWER: u64 = 16 << 20;

/// What a server can do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Capabilities {
    /// Version of the program.
    pub version: String,
    /// Version of the interface, see [`API_VERSION`].
    pub api: u32,
    /// Engines that jobs may ask for.
    pub engines: Vec<EngineOffer>,
    /// What computes there, e.g. `GPU 0`; empty when the processor does.
    pub devices: Vec<String>,
    /// Who runs the jobs: `local` (this machine) or `slurm`.
    pub executor: String,
    /// Workers that run at once.
    pub slots: u64,
    /// Whether workers are cut off from the network.
    pub workers_without_network: bool,
    /// What is refused.
    pub limits: Limits,
    /// How busy it is.
    pub queue: QueueStatus,
}

/// An engine of a server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct EngineOffer {
    /// Its name, as in settings.
    pub name: String,
    /// The models it has there; empty for engines without weights.
    pub models: Vec<String>,
}

/// Sizes and counts that a server refuses to go beyond.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Limits {
    /// Bytes of one submission with all its files.
    pub upload_bytes: u64,
    /// Files of one submission.
    pub upload_files: u64,
    /// Jobs of one user that wait.
    pub queued_jobs_per_user: u64,
    /// Ligands of one series.
    pub series_ligands: u64,
    /// Bytes that the jobs of one user may take.
    pub disk_bytes_per_user: u64,
    /// Hours that one worker may take.
    pub job_hours: f64,
    /// Days for which ended jobs are kept; `null` for ever.
    pub kept_days: Option<f64>,
}

/// How busy a server is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct QueueStatus {
    /// Jobs that wait, of everybody.
    pub queued: u64,
    /// Jobs that run.
    pub running: u64,
    /// Seconds that recent jobs took from start to end, in the middle; `null` before the first.
    pub median_job_seconds: Option<f64>,
}

/// Where a job on a server stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum RemoteState {
    /// Waits for its turn.
    Queued,
    /// A worker has it.
    Running,
    /// Done; the outputs are complete.
    Finished,
    /// Gave up; the reason says why.
    Failed,
    /// Stopped on request.
    Cancelled,
}

impl RemoteState {
    /// Every state.
    pub const ALL: [Self; 5] = [Self::Queued, Self::Running, Self::Finished, Self::Failed, Self::Cancelled];

    /// The name in messages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Finished => "finished",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// The state of a name as [`Self::name`] gives it.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }

    /// Whether nothing will change any more.
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Finished | Self::Failed | Self::Cancelled)
    }
}

/// A job on a server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RemoteJob {
    /// 32 hexadecimal digits.
    pub id: String,
    /// Whose it is.
    pub user: String,
    /// Name of the query.
    pub name: String,
    /// The engine, as in settings.
    pub engine: String,
    /// Where it stands.
    pub state: RemoteState,
    /// Why it failed.
    pub reason: Option<String>,
    /// Among the jobs of one user the higher goes first; -10 to 10.
    pub priority: i32,
    /// Seeds.
    pub seeds: u64,
    /// Ligands of a series; 0 without one.
    pub series_ligands: u64,
    /// Pieces that a series is cut into, each run by a worker of its own; else 1.
    pub pieces: u64,
    /// Pieces that have ended.
    pub pieces_done: u64,
    /// Jobs that go first as things stand; `null` when it does not wait.
    pub jobs_ahead: Option<u64>,
    /// When it was accepted.
    pub created: f64,
    /// When the first worker took it.
    pub started: Option<f64>,
    /// When it ended.
    pub ended: Option<f64>,
    /// When it will be deleted, if that is decided.
    pub deleted_at: Option<f64>,
}

/// Jobs, newest first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct JobList {
    /// At most as many as were asked for.
    pub jobs: Vec<RemoteJob>,
    /// Give this as `before` for the jobs that follow; `null` at the end.
    pub next: Option<String>,
}

/// A file of a job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Output {
    /// Path within the job, with `/`.
    pub path: String,
    /// Its size.
    pub bytes: u64,
}

/// The files that a job has so far.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct OutputList {
    /// In the order of their paths.
    pub outputs: Vec<Output>,
}

/// Whether the service lives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Health {
    /// `ok`
    pub status: String,
    /// Version of the program.
    pub version: String,
}

/// Why a request was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Refusal {
    /// For programs, e.g. `not_found`.
    pub code: String,
    /// For people: what was wrong and what to do.
    pub message: String,
}
