//! Where this program keeps what belongs to the user: weights and what it learned from past runs.
//!
//! As the XDG base directory specification 0.8 has it; on macOS and Windows, where their systems have it.

use std::path::PathBuf;

/// The environment variable that names the folder of weights.
pub const MODELS_VARIABLE: &str = "KFOLD_MODELS";

/// The folder of weights: `$KFOLD_MODELS`, else `models` in [`data`].
#[must_use]
pub fn models() -> PathBuf {
    variable(MODELS_VARIABLE).unwrap_or_else(|| data().join("models"))
}

/// The folder of structures that were fetched from public archives.
#[must_use]
pub fn structures() -> PathBuf {
    data().join("structures")
}

/// The file of what past runs took.
#[must_use]
pub fn run_times() -> PathBuf {
    data().join("run-times.jsonl")
}

/// This program's folder among the user's data: `$XDG_DATA_HOME/kfold-studio`, else `~/.local/share/kfold-studio`. Where
/// there is no home either, a folder of the current one.
#[must_use]
pub fn data() -> PathBuf {
    let home = || variable(if cfg!(windows) { "USERPROFILE" } else { "HOME" });
    let system = if cfg!(target_os = "macos") {
        home().map(|home| home.join("Library/Application Support"))
    } else if cfg!(windows) {
        variable("LOCALAPPDATA").or_else(|| home().map(|home| home.join("AppData/Local")))
    } else {
        // The specification: a relative path is to be ignored.
        let named = variable("XDG_DATA_HOME").filter(|path| path.is_absolute());
        named.or_else(|| home().map(|home| home.join(".local/share")))
    };
    system.unwrap_or_default().join("kfold-studio")
}

fn variable(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}
