//! The configuration: one TOML file, every field optional, nothing unknown let through.
//!
//! Ranges are checked while the file is read, so that the message names the line.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use crate::error::ServerError;

/// The whole file.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Configuration {
    /// Where jobs, tokens and the index live.
    pub data: PathBuf,
    /// Where and how it listens.
    pub listen: Listen,
    /// What is refused.
    pub limits: LimitSettings,
    /// What is forgotten, and when.
    pub retention: Retention,
    /// What runs the jobs.
    pub workers: Workers,
    /// How jobs are handed to Slurm, when `workers.executor` says so.
    pub slurm: Slurm,
}

/// Where and how the service listens.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Listen {
    /// Address and port.
    pub address: SocketAddr,
    /// Certificate chain (PEM); with `key` the service speaks TLS.
    pub certificate: Option<PathBuf>,
    /// The certificate's private key (PEM).
    pub key: Option<PathBuf>,
    /// The explicit word for plain HTTP on an address that others reach: TLS is then the matter of whatever stands before.
    pub plain_http_behind_proxy: bool,
}

/// What is refused.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LimitSettings {
    /// Bytes of one submission.
    #[serde(deserialize_with = "bytes")]
    pub upload_bytes: u64,
    /// Files of one submission.
    #[serde(deserialize_with = "count")]
    pub upload_files: u64,
    /// Submissions that are received at once.
    #[serde(deserialize_with = "count")]
    pub uploads_at_once: u64,
    /// Seconds within which a submission must have arrived.
    #[serde(deserialize_with = "count")]
    pub upload_seconds: u64,
    /// Ligands of one series.
    #[serde(deserialize_with = "count")]
    pub series_ligands: u64,
    /// Jobs of one user that wait.
    #[serde(deserialize_with = "count")]
    pub queued_jobs_per_user: u64,
    /// Jobs that wait, of everybody.
    #[serde(deserialize_with = "count")]
    pub queued_jobs: u64,
    /// Requests of one token in a minute.
    #[serde(deserialize_with = "count")]
    pub requests_per_minute: u64,
    /// Refused tokens from one address in a minute.
    #[serde(deserialize_with = "count")]
    pub refused_tokens_per_minute: u64,
    /// Connections at once.
    #[serde(deserialize_with = "count")]
    pub connections: u64,
    /// Connections at once from one address; not counted behind a proxy.
    #[serde(deserialize_with = "count")]
    pub connections_per_address: u64,
    /// Followers of events at once.
    #[serde(deserialize_with = "count")]
    pub followers: u64,
    /// Bytes that the jobs of one user may take.
    #[serde(deserialize_with = "bytes")]
    pub disk_bytes_per_user: u64,
    /// Bytes of the disk that must stay free: with less, nothing new is accepted or started.
    #[serde(deserialize_with = "bytes")]
    pub free_disk_bytes: u64,
    /// Hours that one worker may take.
    #[serde(deserialize_with = "hours")]
    pub job_hours: f64,
}

/// What is forgotten, and when.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Retention {
    /// Days after which ended jobs are deleted with all their files; without it they are kept.
    #[serde(deserialize_with = "days")]
    pub ended_days: Option<f64>,
}

/// Who runs the jobs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExecutorName {
    /// Children of the server.
    Local,
    /// Slurm.
    Slurm,
}

impl ExecutorName {
    /// The name in the configuration and in messages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Slurm => "slurm",
        }
    }
}

/// Whether workers are cut off from the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WorkerNetwork {
    /// They are, or the service does not start.
    Deny,
    /// They are where the system allows it.
    DenyWherePossible,
    /// They are not.
    Allow,
}

/// What runs the jobs.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Workers {
    /// `local` or `slurm`.
    pub executor: ExecutorName,
    /// Workers at once on this machine.
    #[serde(deserialize_with = "slots")]
    pub slots: usize,
    /// Processor threads of a worker; 0 shares the processor's among the slots.
    #[serde(deserialize_with = "threads")]
    pub threads: u32,
    /// GPUs as `CUDA_VISIBLE_DEVICES` names them, dealt out one a slot.
    pub devices: Vec<String>,
    /// Whether workers are cut off from the network.
    pub network: WorkerNetwork,
    /// Variables of the server's environment that workers get too; nothing else is passed on.
    pub environment: Vec<String>,
    /// The program that runs as `PROGRAM worker JOBDIR`; this program when left out.
    pub program: Option<PathBuf>,
    /// The folder of K-Fold's weights; that of the server's user when left out.
    pub models: Option<PathBuf>,
    /// How often a worker that died without a word is started again without having finished a further seed.
    #[serde(deserialize_with = "attempts")]
    pub attempts: u32,
    /// A series is cut into pieces of this many ligands, each run by a worker of its own.
    #[serde(deserialize_with = "piece")]
    pub ligands_per_piece: usize,
    /// Seconds between asking a worker to stop and ending it.
    #[serde(deserialize_with = "seconds")]
    pub grace_seconds: u64,
}

/// How jobs are handed to Slurm.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Slurm {
    /// `--partition`
    pub partition: Option<String>,
    /// `--account`
    pub account: Option<String>,
    /// `--gres`, e.g. `gpu:1`
    pub gres: Option<String>,
    /// `--time`, e.g. `4:00:00`
    pub time: Option<String>,
    /// `--mem`, e.g. `32G`
    pub memory: Option<String>,
    /// `--cpus-per-task`
    #[serde(deserialize_with = "slots")]
    pub cpus_per_task: usize,
    /// Further options of `sbatch`, each as one argument.
    pub options: Vec<String>,
    /// Lines of shell before the worker, e.g. `module load cuda`.
    pub prologue: String,
    /// Pieces handed to Slurm at once.
    #[serde(deserialize_with = "count")]
    pub submitted_pieces: u64,
    /// Seconds between two looks at Slurm's queue.
    #[serde(deserialize_with = "seconds")]
    pub poll_seconds: u64,
    /// Seconds after which one of Slurm's commands is given up.
    #[serde(deserialize_with = "seconds")]
    pub command_seconds: u64,
    /// Seconds for which a piece that Slurm does not know is waited for before it counts as lost.
    #[serde(deserialize_with = "seconds")]
    pub lost_seconds: u64,
}

impl Default for Configuration {
    fn default() -> Self {
        Self {
            data: "kfold-server".into(),
            listen: Listen::default(),
            limits: LimitSettings::default(),
            retention: Retention::default(),
            workers: Workers::default(),
            slurm: Slurm::default(),
        }
    }
}

impl Default for Listen {
    fn default() -> Self {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 8470));
        Self { address, certificate: None, key: None, plain_http_behind_proxy: false }
    }
}

impl Default for LimitSettings {
    fn default() -> Self {
        Self {
            upload_bytes: 64 << 20,
            upload_files: 256,
            uploads_at_once: 16,
            upload_seconds: 600,
            series_ligands: 10_000,
            queued_jobs_per_user: 1_000,
            queued_jobs: 10_000,
            requests_per_minute: 1_200,
            refused_tokens_per_minute: 30,
            connections: 1_024,
            connections_per_address: 256,
            followers: 256,
            disk_bytes_per_user: 100 << 30,
            free_disk_bytes: 1 << 30,
            job_hours: 24.0,
        }
    }
}

impl Default for Workers {
    fn default() -> Self {
        Self {
            executor: ExecutorName::Local,
            slots: 1,
            threads: 0,
            devices: Vec::new(),
            network: WorkerNetwork::DenyWherePossible,
            environment: Vec::new(),
            program: None,
            models: None,
            attempts: 3,
            ligands_per_piece: 50,
            grace_seconds: 10,
        }
    }
}

impl Default for Slurm {
    fn default() -> Self {
        Self {
            partition: None,
            account: None,
            gres: None,
            time: None,
            memory: None,
            cpus_per_task: 4,
            options: Vec::new(),
            prologue: String::new(),
            submitted_pieces: 1_000,
            poll_seconds: 5,
            command_seconds: 20,
            lost_seconds: 60,
        }
    }
}

impl Configuration {
    /// Reads and checks a configuration file. Relative paths count from its folder.
    ///
    /// # Errors
    /// [`ServerError::Configuration`] with the line and what is wrong.
    pub fn read(path: &Path) -> Result<Self, ServerError> {
        let problem = |problem: String| ServerError::Configuration { path: path.to_owned(), problem };
        let text = std::fs::read_to_string(path).map_err(ServerError::file(path))?;
        let mut configuration = Self::parse(&text).map_err(problem)?;
        let absolute = std::path::absolute(path).map_err(ServerError::file(path))?;
        let folder = absolute.parent().unwrap_or(Path::new("/"));
        configuration.resolve(folder);
        configuration.check().map_err(problem)?;
        Ok(configuration)
    }

    fn parse(text: &str) -> Result<Self, String> {
        toml::from_str(text).map_err(|error| error.to_string().trim_end().to_owned())
    }

    /// Makes relative paths count from `folder`.
    pub fn resolve(&mut self, folder: &Path) {
        self.data = folder.join(&self.data);
        let paths =
            [&mut self.listen.certificate, &mut self.listen.key, &mut self.workers.program, &mut self.workers.models];
        for path in paths.into_iter().flatten() {
            *path = folder.join(&*path);
        }
    }

    /// Checks what no single line can be wrong about. Whoever changes a configuration that was read calls it again.
    ///
    /// # Errors
    /// What is wrong and what to do.
    pub fn check(&self) -> Result<(), String> {
        let listen = &self.listen;
        if listen.certificate.is_some() != listen.key.is_some() {
            return Err("listen: `certificate` and `key` belong together; give both or neither".into());
        }
        let has_tls = listen.certificate.is_some();
        if has_tls && listen.plain_http_behind_proxy {
            return Err(
                "listen: with a certificate the service speaks TLS itself; remove `plain_http_behind_proxy`".into()
            );
        }
        if !listen.address.ip().is_loopback() && !has_tls && !listen.plain_http_behind_proxy {
            return Err(format!(
                "listen: {} can be reached by others, and tokens and sequences would go over the network unprotected; \
                 give `certificate` and `key`, or say `plain_http_behind_proxy = true` when a proxy adds TLS",
                listen.address
            ));
        }
        Ok(())
    }

    /// The folder of K-Fold's weights.
    #[must_use]
    pub fn models(&self) -> PathBuf {
        self.workers.models.clone().unwrap_or_else(kfold_inference::folders::models)
    }

    /// Processor threads of one worker.
    #[must_use]
    pub fn worker_threads(&self) -> u32 {
        let workers = &self.workers;
        match (workers.threads, workers.executor) {
            (0, ExecutorName::Local) => {
                let cores = std::thread::available_parallelism().map_or(1, usize::from);
                (cores / workers.slots).max(1) as u32
            }
            (0, ExecutorName::Slurm) => self.slurm.cpus_per_task as u32,
            (threads, _) => threads,
        }
    }
}

fn ranged<'de, D, T>(deserializer: D, low: T, high: T) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + PartialOrd + Copy + std::fmt::Display,
{
    let value = T::deserialize(deserializer)?;
    if value >= low && value <= high {
        return Ok(value);
    }
    Err(D::Error::custom(format!("{value} is not between {low} and {high}")))
}

fn bytes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    ranged(deserializer, 0, 1 << 50)
}

fn count<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    ranged(deserializer, 1, 1_000_000)
}

fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    ranged(deserializer, 1, 86_400)
}

fn slots<'de, D: Deserializer<'de>>(deserializer: D) -> Result<usize, D::Error> {
    ranged(deserializer, 1, 1_024)
}

fn threads<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    ranged(deserializer, 0, 1_024)
}

fn attempts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    ranged(deserializer, 1, 100)
}

fn piece<'de, D: Deserializer<'de>>(deserializer: D) -> Result<usize, D::Error> {
    ranged(deserializer, 2, 100_000)
}

fn hours<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    ranged(deserializer, 0.001, 10_000.0)
}

fn days<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    ranged(deserializer, 0.0, 36_500.0).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_file_is_a_safe_configuration() {
        let configuration = Configuration::parse("").unwrap();
        assert!(configuration.listen.address.ip().is_loopback());
        assert_eq!(configuration.check(), Ok(()));
    }

    #[test]
    fn mistakes_are_told_with_their_line() {
        for (text, line, word) in [
            ("data = \"x\"\n[workers]\nslots = 0\n", "line 3", "not between 1 and 1024"),
            ("[limits]\nupload_byts = 3\n", "line 2", "upload_byts"),
            ("[listen]\naddress = \"nowhere\"\n", "line 2", "address"),
            ("[workers]\n\nnetwork = \"perhaps\"\n", "line 3", "perhaps"),
            ("[limits]\njob_hours = nan\n", "line 2", "not between"),
            ("[listen\n", "line 1", ""),
        ] {
            let problem = Configuration::parse(text).unwrap_err();
            assert!(problem.contains(line) && problem.contains(word), "{text:?}: {problem}");
        }
    }

    #[test]
    fn wider_than_loopback_needs_tls_or_a_word() {
        let check = |text: &str| Configuration::parse(text).unwrap().check();
        assert!(check("listen.address = \"0.0.0.0:8470\"").unwrap_err().contains("unprotected"));
        assert!(check("listen.address = \"[::]:8470\"").is_err());
        assert_eq!(check("listen = { address = \"0.0.0.0:1\", plain_http_behind_proxy = true }"), Ok(()));
        assert_eq!(check("listen = { address = \"0.0.0.0:1\", certificate = \"c\", key = \"k\" }"), Ok(()));
        assert!(check("listen.certificate = \"c\"").unwrap_err().contains("belong together"));
    }
}
