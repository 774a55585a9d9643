//! The servers of this user: name, address, token.
//!
//! Kept in one file that only its owner may read, because a token is as good as a password.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::RemoteError;
use crate::job::files;

/// A configured server.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerEntry {
    /// What the user calls it.
    pub name: String,
    /// Address, e.g. `https://gpu.lab:8470`.
    pub url: String,
    /// Proves who asks.
    pub token: String,
    /// Certificate (PEM) to trust instead of the public authorities, for servers that made their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<PathBuf>,
    /// Whether the user has agreed that `auto` sends queries there.
    #[serde(default)]
    pub agreed: bool,
}

impl fmt::Debug for ServerEntry {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "ServerEntry({} at {})", self.name, self.url)
    }
}

/// The configured servers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Servers {
    path: PathBuf,
    entries: Vec<ServerEntry>,
}

/// The file of this user.
#[must_use]
pub fn default_path() -> PathBuf {
    let set = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let folder = set("XDG_CONFIG_HOME").or_else(|| set("APPDATA")).or_else(|| Some(set("HOME")?.join(".config")));
    folder.unwrap_or_default().join("kfold-studio").join("servers.json")
}

impl Servers {
    /// Reads the servers of this user; none when there is no file.
    ///
    /// # Errors
    /// When the file cannot be read or understood.
    pub fn load() -> Result<Self, RemoteError> {
        Self::read(&default_path())
    }

    /// The same from another file.
    ///
    /// # Errors
    /// When the file cannot be read or understood.
    pub fn read(path: &Path) -> Result<Self, RemoteError> {
        let entries = match std::fs::read(path) {
            Ok(bytes) => serde_json::from_slice(&bytes)
                .map_err(|error| RemoteError::Configuration(format!("{}: {error}", path.display())))?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(RemoteError::file(path)(error)),
        };
        Ok(Self { path: path.to_owned(), entries })
    }

    /// In the order in which they were added.
    #[must_use]
    pub fn entries(&self) -> &[ServerEntry] {
        &self.entries
    }

    /// The server of a name.
    ///
    /// # Errors
    /// [`RemoteError::Configuration`] with the names there are.
    pub fn get(&self, name: &str) -> Result<&ServerEntry, RemoteError> {
        self.entries.iter().find(|entry| entry.name == name).ok_or_else(|| {
            let names: Vec<&str> = self.entries.iter().map(|entry| entry.name.as_str()).collect();
            RemoteError::Configuration(if names.is_empty() {
                format!("there is no server `{name}`; add it: kfold-studio remote add {name} URL")
            } else {
                format!("there is no server `{name}`; there are {}", names.join(", "))
            })
        })
    }

    /// Adds a server, in the place of one of the same name.
    ///
    /// # Errors
    /// When something in it is wrong, or the file cannot be written.
    pub fn put(&mut self, entry: ServerEntry) -> Result<(), RemoteError> {
        check_url(&entry.url)?;
        match self.entries.iter_mut().find(|other| other.name == entry.name) {
            Some(other) => *other = entry,
            None => self.entries.push(entry),
        }
        self.write()
    }

    /// Removes a server; `false` when there is none of this name.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn remove(&mut self, name: &str) -> Result<bool, RemoteError> {
        let before = self.entries.len();
        self.entries.retain(|entry| entry.name != name);
        self.write()?;
        Ok(self.entries.len() < before)
    }

    /// Leaves servers out of consideration; the file stays as it is.
    pub fn retain(&mut self, is_kept: impl FnMut(&ServerEntry) -> bool) {
        self.entries.retain(is_kept);
    }

    fn write(&self) -> Result<(), RemoteError> {
        let folder = self.path.parent().unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder).map_err(RemoteError::file(folder))?;
        let text = serde_json::to_string_pretty(&self.entries)
            .map_err(|error| RemoteError::Configuration(error.to_string()))?;
        files::write_private(&self.path, text.as_bytes()).map_err(RemoteError::file(&self.path))
    }
}

/// A token must not go over a network in the clear.
fn check_url(url: &str) -> Result<(), RemoteError> {
    let refuse = |problem: &str| Err(RemoteError::Configuration(format!("{url}: {problem}")));
    if url.strip_prefix("https://").is_some_and(|rest| !rest.is_empty()) {
        return Ok(());
    }
    let Some(rest) = url.strip_prefix("http://") else {
        return refuse("an address begins with https://, or with http:// on this machine");
    };
    let authority = rest.split('/').next().unwrap_or_default();
    let host = match authority.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    let is_here = host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
    if is_here && !authority.contains('@') {
        return Ok(());
    }
    refuse(
        "without TLS the token would go over the network in the clear; use https://, or an SSH tunnel to http://127.0.0.1",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(url: &str) -> ServerEntry {
        let token = "kfold_secret".to_owned();
        ServerEntry { name: "lab".into(), url: url.into(), token, certificate: None, agreed: false }
    }

    #[test]
    fn servers_are_kept_for_their_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config/servers.json");
        let mut servers = Servers::read(&path).unwrap();
        assert!(servers.get("lab").unwrap_err().to_string().contains("remote add"));
        servers.put(entry("https://gpu.lab:8470")).unwrap();
        servers.put(ServerEntry { agreed: true, ..entry("https://gpu.lab:8470") }).unwrap();
        let again = Servers::read(&path).unwrap();
        assert_eq!(again, servers);
        assert!(again.entries().len() == 1 && again.get("lab").unwrap().agreed);
        assert!(!format!("{again:?}").contains("secret"));
        #[cfg(unix)]
        {
            let mode = std::os::unix::fs::MetadataExt::mode(&std::fs::metadata(&path).unwrap());
            assert_eq!(mode & 0o077, 0);
        }
        assert!(servers.remove("lab").unwrap() && !servers.remove("lab").unwrap());
    }

    #[test]
    fn tokens_do_not_go_over_the_network_in_the_clear() {
        for url in ["https://a.b", "http://127.0.0.1:8470", "http://localhost", "http://[::1]:9"] {
            check_url(url).unwrap();
        }
        for url in
            ["http://gpu.lab", "http://127.0.0.1.evil.org", "http://localhost@evil.org", "ftp://x", "https://", "x"]
        {
            check_url(url).unwrap_err();
        }
    }
}
