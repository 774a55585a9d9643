//! The worker for NVIDIA cards: `kfold-studio worker` with CUDA. An executable of its own, so that neither the window nor
//! the ordinary worker depends on CUDA's libraries; built by packaging/cuda.sh.
//!
//! `kfold-worker-cuda worker FOLDER` runs or resumes the job in a folder; `kfold-worker-cuda cards` prints the cards that answer
//! as JSON. Exit codes: 0 done, 1 failed, 130 cancelled.

use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use kfold_inference::docking::Docking;
use kfold_inference::job::{Job, worker};
use kfold_inference::kfold::device::cuda_cards;
use kfold_inference::kfold::engine::KFoldEngine;

fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    let result = match arguments.as_slice() {
        [word] if word == "cards" => cards(),
        [word, folder] if word == "worker" => run(folder.into()),
        _ => Err("usage: kfold-worker-cuda worker FOLDER, or kfold-worker-cuda cards".to_owned()),
    };
    result.unwrap_or_else(|error| {
        // Standard error is all there is to tell it; without one nobody listens.
        let _ = writeln!(std::io::stderr(), "{error}");
        ExitCode::FAILURE
    })
}

fn cards() -> Result<ExitCode, String> {
    let cards = cuda_cards().map_err(|error| error.to_string())?;
    let text = serde_json::to_string(&cards).map_err(|error| error.to_string())?;
    writeln!(std::io::stdout(), "{text}").map_err(|error| error.to_string())?;
    Ok(ExitCode::SUCCESS)
}

fn run(folder: PathBuf) -> Result<ExitCode, String> {
    let asked = folder.clone();
    // Where this cannot be written the folder is gone, which stops the worker too, or nothing else can be written either.
    ctrlc::set_handler(move || drop(Job::request_cancel(&asked))).map_err(|error| error.to_string())?;
    match worker::run(&folder, &[&Docking, &KFoldEngine::learning()]) {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(error) if error.is_cancelled() => Ok(ExitCode::from(130)),
        Err(error) => Err(error.to_string()),
    }
}
