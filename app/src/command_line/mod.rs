//! The command line: one file a subcommand.
//!
//! Standard output carries results alone (with `--json` nothing but JSON), standard error everything that is said about
//! them. An error is said once, in a sentence, and the exit code is 0 only when everything asked for was done.

mod align;
mod apo;
mod bench;
mod check;
mod common;
mod convert;
mod dock;
mod doctor;
mod ensemble;
mod export;
mod inspect;
mod interactions;
mod kfold;
mod ligand;
mod models;
mod morph;
mod movie;
mod picture;
mod plan;
mod pockets;
mod predict;
mod queue;
mod remote;
mod render;
mod report;
mod score;
mod serve;
mod standard_output;
mod table;
mod terminal;
mod worker;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Exit code of a run that the user stopped, as shells have it for an interrupt.
const EXIT_CANCELLED: u8 = 130;

/// Predicts how molecules bind, and shows it.
#[derive(Debug, Parser)]
#[command(name = "kfold-studio", version, args_conflicts_with_subcommands = true)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,

    /// A query, a structure, a job, or a folder with a query.yaml: opened in the window. Without a display a query is
    /// predicted instead, into ./kfold-results/NAME
    path: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Dock a ligand to a structure
    Dock(dock::Dock),
    /// Score poses where they stand
    Score(score::Score),
    /// Predict a query, as a job in a folder
    Predict(predict::Predict),
    /// Run or resume the job in a folder, in this process
    Worker(worker::Worker),
    /// Start the jobs that wait in a folder of runs, one after the other
    Queue(queue::QueueCommand),
    /// Serve predictions over HTTP, and manage the tokens of its users
    Serve(serve::Serve),
    /// Use servers: add one, send jobs, follow and fetch them
    Remote(remote::Remote),
    /// Make conformers of a protein by an elastic network
    Ensemble(ensemble::Ensemble),
    /// Make a path between two states of one protein
    Morph(morph::Morph),
    /// Find where a small molecule could bind
    Pockets(pockets::Pockets),
    /// Draw a structure, a ligand or the best pose of a job
    Render(render::Render),
    /// Draw a turntable or a morph as pictures or a video
    Movie(movie::Movie),
    /// Measure how fast this machine draws
    #[command(subcommand)]
    Bench(bench::Bench),
    /// Write one page about a result, as HTML or PDF
    Report(report::Report),
    /// Write a result as a table, structures, a diagram or a script for another viewer
    Export(export::Export),
    /// Say what a molecule file holds
    Inspect(inspect::Inspect),
    /// Convert a molecule file to another format, whole or in part
    Convert(convert::Convert),
    /// Lay one structure on another
    Align(align::Align),
    /// Find the interactions of a ligand with its surroundings
    Interactions(interactions::Interactions),
    /// Check whether a pose is chemically and physically sound
    Check(check::Check),
    /// Download, import, check and remove weights
    Models(models::Models),
    /// Say what this machine has for a prediction and what is missing
    Doctor(doctor::Doctor),
    /// Say what a K-Fold prediction of a query will need: memory, time, whether it fits
    Plan(plan::Plan),
}

/// How a command ended when it did not fail.
enum Outcome {
    Done,
    /// Something of what was asked for could not be done; it has been said.
    Incomplete,
    /// The user stopped it.
    Cancelled,
}

/// Runs the program with the arguments of this process.
#[must_use]
pub fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version are answers, not errors; a closed pipe is no reason to complain about either.
            let _ = error.print();
            return if error.use_stderr() { ExitCode::from(2) } else { ExitCode::SUCCESS };
        }
    };
    let outcome = match arguments.command {
        Some(Command::Dock(command)) => command.run(),
        Some(Command::Score(command)) => command.run(),
        Some(Command::Predict(command)) => command.run(),
        Some(Command::Worker(command)) => command.run(),
        Some(Command::Queue(command)) => command.run(),
        Some(Command::Serve(command)) => command.run(),
        Some(Command::Remote(command)) => command.run(),
        Some(Command::Ensemble(command)) => command.run(),
        Some(Command::Morph(command)) => command.run(),
        Some(Command::Pockets(command)) => command.run(),
        Some(Command::Render(command)) => command.run(),
        Some(Command::Movie(command)) => command.run(),
        Some(Command::Bench(command)) => command.run(),
        Some(Command::Report(command)) => command.run(),
        Some(Command::Export(command)) => command.run(),
        Some(Command::Inspect(command)) => command.run(),
        Some(Command::Convert(command)) => command.run(),
        Some(Command::Align(command)) => command.run(),
        Some(Command::Interactions(command)) => command.run(),
        Some(Command::Check(command)) => command.run(),
        Some(Command::Models(command)) => command.run(),
        Some(Command::Doctor(command)) => command.run(),
        Some(Command::Plan(command)) => command.run(),
        None => open(arguments.path),
    };
    match outcome {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Ok(Outcome::Incomplete) => ExitCode::FAILURE,
        Ok(Outcome::Cancelled) => ExitCode::from(EXIT_CANCELLED),
        Err(error) => {
            terminal::say(&format!("error: {}", sentence(&error)));
            ExitCode::FAILURE
        }
    }
}

/// An error with its causes, each said once: many of our errors already quote their cause.
fn sentence(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if text.is_empty() {
            text = cause;
        } else if !text.contains(&cause) {
            text.push_str(": ");
            text.push_str(&cause);
        }
    }
    text
}

/// Opens the window, or does without one where there is no display.
fn open(path: Option<PathBuf>) -> anyhow::Result<Outcome> {
    if has_display() {
        crate::window::run(path)?;
        return Ok(Outcome::Done);
    }
    match path {
        Some(path) => predict::without_window(&path),
        None => anyhow::bail!("there is no display for the window; name a query to predict, or see --help"),
    }
}

fn has_display() -> bool {
    let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    // Other systems always have one.
    !cfg!(all(unix, not(target_os = "macos"))) || is_set("DISPLAY") || is_set("WAYLAND_DISPLAY")
}
