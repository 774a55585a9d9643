//! The server under test, and the plainest of clients.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

pub const LIMITS: &str = "[limits]\nupload_bytes = 3000000\nupload_files = 5\nrefused_tokens_per_minute = 1000\n";

pub fn sample(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../samples").join(path)
}

pub fn small(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../inference/tests/data").join(file)
}

/// A tripeptide, benzene and a box: docked in a blink. More effort makes it take longer.
pub fn query(name: &str, exhaustiveness: u32) -> String {
    serde_json::json!({
        "name": name,
        "sequences": [{"ligand": {"id": ["L"], "sdf": "benzene.sdf"}}],
        "structure": "tripeptide.pdb",
        "pocket": {"center": [4.0, 20.0, 0.0], "size": [15.0, 15.0, 15.0]},
        "engine": {"name": "docking", "docking": {"exhaustiveness": exhaustiveness}},
    })
    .to_string()
}

/// `kfold-studio serve` in a process of its own, with its data.
pub struct Service {
    pub folder: tempfile::TempDir,
    pub child: Option<Child>,
    pub address: SocketAddr,
    pub token: String,
    /// What it said on standard error so far is in this file.
    pub log: PathBuf,
    environment: Vec<(&'static str, String)>,
}

impl Service {
    pub fn start(configuration: &str) -> Self {
        Self::start_with(configuration, &[])
    }

    pub fn start_with(configuration: &str, environment: &[(&'static str, String)]) -> Self {
        Self::start_in(tempfile::tempdir().unwrap(), configuration, environment)
    }

    /// In a folder whose `data` may be there already.
    pub fn start_in(folder: tempfile::TempDir, configuration: &str, environment: &[(&'static str, String)]) -> Self {
        let text = format!("data = \"data\"\n{configuration}");
        std::fs::write(folder.path().join("server.toml"), text).unwrap();
        let log = folder.path().join("log");
        let mut service = Self {
            folder,
            child: None,
            address: "127.0.0.1:0".parse().unwrap(),
            token: String::new(),
            log,
            environment: environment.to_vec(),
        };
        service.token = service.token_of("ann", "read,submit");
        service.resume();
        service
    }

    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Starts the process again on the same data.
    pub fn resume(&mut self) {
        let log = std::fs::OpenOptions::new().create(true).append(true).open(&self.log).unwrap();
        let before = std::fs::read_to_string(&self.log).unwrap_or_default().len();
        let listen = if self.address.port() == 0 { "127.0.0.1:0".to_owned() } else { self.address.to_string() };
        let child = Command::new(env!("CARGO_BIN_EXE_kfold-studio"))
            .args(["serve", "--listen", &listen, "--config"])
            .arg(self.folder.path().join("server.toml"))
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .env("XDG_DATA_HOME", self.folder.path())
            .env("SECRET_OF_THE_SERVER", "must not reach a worker")
            .stderr(log)
            .spawn()
            .unwrap();
        self.child = Some(child);
        self.address = until("the server listens", || {
            let text = std::fs::read_to_string(&self.log).unwrap();
            let rest = text.get(before..).unwrap_or_default();
            let line = rest.lines().find(|line| line.contains("\"listening\""))?;
            serde_json::from_str::<Value>(line).unwrap()["address"].as_str()?.parse().ok()
        });
    }

    pub fn kill(&mut self) {
        let mut child = self.child.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    pub fn token_of(&self, user: &str, scopes: &str) -> String {
        let output = Command::new(env!("CARGO_BIN_EXE_kfold-studio"))
            .args(["serve", "token", "create", "--user", user, "--scope", scopes, "--data"])
            .arg(self.data())
            .output()
            .unwrap();
        assert!(output.status.success());
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    pub fn ask_as(&self, token: &str, method: &str, path: &str) -> (u16, Vec<u8>) {
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n"
        );
        exchange(self.address, head.as_bytes())
    }

    pub fn ask(&self, method: &str, path: &str) -> (u16, Value) {
        let (status, body) = self.ask_as(&self.token, method, path);
        (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
    }

    pub fn submit_form(&self, key: Option<&str>, parts: &[(&str, Option<&str>, &[u8])]) -> (u16, Value) {
        let mut body = Vec::new();
        for (name, file, content) in parts {
            let file = file.map_or_else(String::new, |file| format!("; filename=\"{file}\""));
            body.extend(format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n\r\n").bytes());
            body.extend(*content);
            body.extend(b"\r\n");
        }
        body.extend(b"--b--\r\n");
        let key = key.map_or_else(String::new, |key| format!("Idempotency-Key: {key}\r\n"));
        let mut request = format!(
            "POST /v1/jobs HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nConnection: close\r\n{key}\
             Content-Type: multipart/form-data; boundary=b\r\nContent-Length: {}\r\n\r\n",
            self.token,
            body.len()
        )
        .into_bytes();
        request.extend(body);
        let (status, body) = exchange(self.address, &request);
        (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
    }

    pub fn submit(&self, key: Option<&str>, query: &str) -> (u16, Value) {
        let (receptor, ligand) =
            (std::fs::read(small("tripeptide.pdb")).unwrap(), std::fs::read(small("benzene.sdf")).unwrap());
        self.submit_form(
            key,
            &[
                ("query", None, query.as_bytes()),
                ("file", Some("tripeptide.pdb"), &receptor),
                ("file", Some("benzene.sdf"), &ligand),
            ],
        )
    }

    /// Submits and gives the id.
    pub fn accepted(&self, query: &str) -> String {
        let (status, job) = self.submit(None, query);
        assert_eq!(status, 201, "{job}");
        job["id"].as_str().unwrap().to_owned()
    }

    /// Waits for the end of a job.
    pub fn ended(&self, id: &str) -> Value {
        until("the job ends", || {
            let (status, job) = self.ask("GET", &format!("/v1/jobs/{id}"));
            assert_eq!(status, 200, "{job}");
            let is_final = matches!(job["state"].as_str().unwrap(), "finished" | "failed" | "cancelled");
            is_final.then_some(job)
        })
    }

    /// Makes `lab` a server of a user whose configuration is in `folder`.
    pub fn add_to(&self, folder: &Path) {
        self.add_by(folder, self.address);
    }

    /// The same by way of something that listens at `address`.
    pub fn add_by(&self, folder: &Path, address: SocketAddr) {
        let mut child = client(folder, &["remote", "add", "lab", &format!("http://{address}")])
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(self.token.as_bytes()).unwrap();
        assert!(child.wait().unwrap().success());
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

pub fn client(configuration: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kfold-studio"));
    command.args(arguments).env("XDG_CONFIG_HOME", configuration).env("XDG_DATA_HOME", configuration);
    command
}

pub fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begun.elapsed() < Duration::from_secs(180), "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Sends bytes and reads the answer: status and body, without chunks.
pub fn exchange(address: SocketAddr, request: &[u8]) -> (u16, Vec<u8>) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    // The server may answer and close before it has everything.
    let _ = stream.write_all(request);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    let Some(end) = answer.windows(4).position(|window| window == b"\r\n\r\n") else { return (0, answer) };
    let head = String::from_utf8_lossy(&answer[..end]).into_owned();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let mut body = answer[end + 4..].to_vec();
    if head.to_lowercase().contains("transfer-encoding: chunked") {
        let mut rest = body.as_slice();
        let mut whole = Vec::new();
        while let Some(line) = rest.windows(2).position(|window| window == b"\r\n") {
            let size = usize::from_str_radix(std::str::from_utf8(&rest[..line]).unwrap(), 16).unwrap();
            if size == 0 || line + 2 + size > rest.len() {
                break;
            }
            whole.extend(&rest[line + 2..line + 2 + size]);
            rest = &rest[line + 4 + size..];
        }
        body = whole;
    }
    (status, body)
}

/// Every file below a folder with its content.
pub fn tree(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(place) = folders.pop() {
        for entry in std::fs::read_dir(place).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                files.insert(path.strip_prefix(folder).unwrap().display().to_string(), std::fs::read(&path).unwrap());
            }
        }
    }
    files
}

/// The tiny K-Fold with AtlasFold, each file with its usual name.
pub fn tiny_models() -> tempfile::TempDir {
    let goldens = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/goldens");
    let folder = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(goldens.join("tiny_model")).unwrap() {
        let path = entry.unwrap().path();
        std::fs::copy(&path, folder.path().join(path.file_name().unwrap())).unwrap();
    }
    for (file, end) in [("weights.safetensors", "safetensors"), ("sizes.yaml", "yaml")] {
        let target = folder.path().join("atlasfold-260703").with_extension(end);
        std::fs::copy(goldens.join("atlasfold_full").join(file), target).unwrap();
    }
    folder
}

/// Outputs of a job directory by path, without what depends on the run.
pub fn outputs(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(place) = folders.pop() {
        for entry in std::fs::read_dir(place).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
            if path.is_dir() {
                folders.push(path);
            } else if name.contains('_') || (name.starts_with("seed-") && !name.ends_with("settings.json")) {
                files.insert(name, std::fs::read(&path).unwrap());
            }
        }
    }
    files
}

/// A docking series of six ligands, accepted.
pub fn series(service: &Service, name: &str, exhaustiveness: u32) -> String {
    let receptor = std::fs::read(small("tripeptide.pdb")).unwrap();
    let ligands: Vec<Value> = ["c1ccccc1", "CCO", "CC(C)O", "CCN", "CCCl", "CCCC"]
        .iter()
        .enumerate()
        .map(|(index, smiles)| serde_json::json!({"id": format!("l{index}"), "smiles": smiles}))
        .collect();
    let text = serde_json::json!({
        "name": name, "sequences": [], "structure": "tripeptide.pdb", "series": ligands,
        "pocket": {"center": [4.0, 20.0, 0.0], "size": [15.0, 15.0, 15.0]},
        "engine": {"name": "docking", "docking": {"exhaustiveness": exhaustiveness}},
    })
    .to_string();
    let (status, job) =
        service.submit_form(None, &[("query", None, text.as_bytes()), ("file", Some("tripeptide.pdb"), &receptor)]);
    assert_eq!(status, 201, "{job}");
    job["id"].as_str().unwrap().to_owned()
}
