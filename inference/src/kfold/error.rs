//! What can go wrong in the networks and their files.

use std::path::PathBuf;

/// Result of everything in this room.
pub type Result<T> = std::result::Result<T, KFoldError>;

/// An error of the networks, their configuration, their checkpoints or their input.
#[derive(Debug, thiserror::Error)]
pub enum KFoldError {
    /// A tensor operation failed: shapes, devices or memory.
    #[error("the network cannot be computed: {0}")]
    Candle(#[from] candle_core::Error),
    /// `config.yaml` is not one this program can build.
    #[error("model configuration: {0}")]
    Config(String),
    /// A weights file is damaged, hostile or not what it should be.
    #[error("weights file {path}: {reason}")]
    Checkpoint {
        /// The file.
        path: PathBuf,
        /// What is wrong and what to do.
        reason: String,
    },
    /// A file could not be read or written.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's answer.
        source: std::io::Error,
    },
    /// The features do not fit together.
    #[error("model input: {0}")]
    Input(String),
    /// A recorded noise tape does not fit the calls.
    #[error("noise tape: {0}")]
    Noise(String),
    /// The device that was asked for cannot be used.
    #[error("device: {0}")]
    Device(String),
    /// Weights could not be downloaded.
    #[error(transparent)]
    Download(crate::download::DownloadError),
    /// Whoever runs the model asked it to stop.
    #[error("cancelled")]
    Cancelled,
}

impl KFoldError {
    /// An [`KFoldError::Input`] with this text.
    pub(crate) fn input(reason: impl Into<String>) -> Self {
        Self::Input(reason.into())
    }

    /// A [`KFoldError::Checkpoint`] about this file.
    pub(crate) fn checkpoint(path: impl Into<PathBuf>, reason: impl Into<String>) -> Self {
        Self::Checkpoint { path: path.into(), reason: reason.into() }
    }

    /// A [`KFoldError::Io`] about this file.
    pub(crate) fn io(path: impl Into<PathBuf>, source: std::io::Error) -> Self {
        Self::Io { path: path.into(), source }
    }
}
