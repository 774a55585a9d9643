//! Running a query on a server.
//!
//! A remote run is a job directory like any other; its worker just lets another machine do the work. `remote.json` in the
//! directory says which server, and `run` (called by `kfold-studio worker` when it finds that file) uploads the job,
//! writes what the server says into `events.jsonl` and fetches the outputs. So the window and the command line follow,
//! cancel, resume and read a remote run exactly as a local one, and losing the network, either program or the machine's
//! sleep costs nothing: the next worker goes on.
//!
//! [`client`] speaks HTTP, [`servers`] keeps the addresses and tokens of this user, [`protocol`] are the messages,
//! [`choice`] is the rule by which `auto` chooses.

pub mod choice;
pub mod client;
pub mod protocol;
mod run;
pub mod servers;

use std::path::PathBuf;

pub(crate) use run::run;
pub use run::{Plan, RemoteRecord, fetch, is_remote, mark, plan, record, submit};

/// What went wrong with a server.
#[derive(Debug, thiserror::Error)]
pub enum RemoteError {
    /// It could not be reached, or broke off.
    #[error("the server {server} cannot be reached: {problem}")]
    Unreachable {
        /// Its name or address.
        server: String,
        /// What the network says.
        problem: String,
    },
    /// It refused.
    #[error("the server {server} refused ({status}): {message}")]
    Refused {
        /// Its name or address.
        server: String,
        /// HTTP status.
        status: u16,
        /// What it says.
        message: String,
    },
    /// It answered with something that is no answer.
    #[error("the server {server} gave an answer that is none: {problem}; is it a K-Fold Studio server?")]
    Answer {
        /// Its name or address.
        server: String,
        /// What is wrong.
        problem: String,
    },
    /// A file could not be used.
    #[error("{}: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// What the user configured, or asked for, is wrong.
    #[error("{0}")]
    Configuration(String),
    /// The user wants no connection.
    #[error(transparent)]
    Offline(#[from] crate::network::Offline),
}

impl RemoteError {
    /// Whether the same may go well a little later.
    #[must_use]
    pub const fn is_passing(&self) -> bool {
        match self {
            Self::Unreachable { .. } => true,
            Self::Refused { status, .. } => matches!(status, 408 | 429 | 500 | 502 | 503 | 504),
            Self::Answer { .. } | Self::File { .. } | Self::Configuration(_) | Self::Offline(_) => false,
        }
    }

    pub(crate) fn file(path: &std::path::Path) -> impl FnOnce(std::io::Error) -> Self {
        |source| Self::File { path: path.to_owned(), source }
    }
}
