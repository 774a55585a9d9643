//! The one door to the network: every connection of this program is opened after asking here.
//!
//! The user's switch (the window's settings, `--offline`, `$KFOLD_OFFLINE`) closes it. A test in this file reads the
//! workspace's sources: nothing but the two HTTP clients, which ask here first, and the server names a way to open a
//! socket.

use std::sync::atomic::{AtomicBool, Ordering};

/// Set to anything but nothing and 0, it closes the network; the window's workers have it from the window's switch.
pub const OFFLINE_VARIABLE: &str = "KFOLD_OFFLINE";

static OFFLINE: AtomicBool = AtomicBool::new(false);

/// Why nothing was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this program is offline (the switch in the settings, --offline or {OFFLINE_VARIABLE}): nothing was sent")]
pub struct Offline;

/// Closes or opens the network for this process.
pub fn set_offline(is_offline: bool) {
    OFFLINE.store(is_offline, Ordering::Relaxed);
}

/// Whether no connection may be opened.
#[must_use]
pub fn is_offline() -> bool {
    OFFLINE.load(Ordering::Relaxed)
        || std::env::var_os(OFFLINE_VARIABLE).is_some_and(|value| !value.is_empty() && value != "0")
}

/// To be asked before a connection is opened.
///
/// # Errors
/// When none may be.
pub fn ask() -> Result<(), Offline> {
    if is_offline() { Err(Offline) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    /// What opens a socket, in the standard library and in the crates of this workspace.
    const DOORS: [&str; 8] =
        ["TcpStream", "UdpSocket", "TcpListener", "ToSocketAddrs", "ureq::", "reqwest", "hyper::client", "tokio::net"];

    fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                sources(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }

    #[test]
    fn nothing_else_opens_sockets_and_what_does_asks_first() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let mut files = Vec::new();
        for room in ["molecule/src", "inference/src", "viewer/src", "app/src"] {
            sources(&root.join(room), &mut files);
        }
        let mut doors = Vec::new();
        for path in files {
            let name = path.strip_prefix(root).unwrap().to_string_lossy().replace('\\', "/");
            let text = std::fs::read_to_string(&path).unwrap();
            let code: String = text
                .split("#[cfg(test)]")
                .next()
                .unwrap_or_default()
                .lines()
                .filter(|line| !line.trim_start().starts_with("//"))
                .collect::<Vec<_>>()
                .join("\n");
            let is_this = name == "inference/src/network.rs";
            let is_test = name.ends_with("/tests.rs") || name.contains("/tests/");
            if !is_this && !is_test && DOORS.iter().any(|door| code.contains(door)) {
                assert!(code.contains("network::"), "{name} opens connections and does not ask the switch");
                doors.push(name);
            }
        }
        doors.sort();
        // The program's own server (server/) listens only where `serve` was called for.
        assert_eq!(doors, ["inference/src/download/http.rs", "inference/src/remote/client.rs"]);
    }
}
