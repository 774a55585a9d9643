//! What a worker is started with: almost nothing.
//!
//! The environment is empty but for what is named, so no secret of the server's reaches a worker, and where the system
//! allows it the worker has a network namespace of its own with nothing in it. It needs none: its inputs lie in its
//! directory. `unshare` (util-linux) replaces itself by the worker, so the process number stays.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use kfold_inference::kfold::engine::AT_ONCE_VARIABLE;

use crate::configuration::{Configuration, WorkerNetwork};
use crate::error::ServerError;
use crate::log;

/// How workers are started.
#[derive(Clone, Debug)]
pub(crate) struct Isolation {
    program: PathBuf,
    /// The command that cuts a process off from the network, in front of the program; empty where nothing does.
    prefix: Vec<&'static str>,
    environment: Vec<(OsString, OsString)>,
}

/// Ways to leave the network, the first that works is taken: as a plain user, then as one who may.
const WAYS: [&[&str]; 2] = [&["unshare", "--user", "--map-current-user", "--net", "--"], &["unshare", "--net", "--"]];

impl Isolation {
    /// Finds out what the system allows.
    pub fn new(configuration: &Configuration) -> Result<Self, ServerError> {
        let workers = &configuration.workers;
        let program = match &workers.program {
            Some(program) => program.clone(),
            None => std::env::current_exe()
                .map_err(|error| ServerError::Other(format!("cannot find this program: {error}")))?,
        };
        let prefix = if workers.network == WorkerNetwork::Allow { None } else { working_way() };
        if prefix.is_none() && workers.network == WorkerNetwork::Deny {
            return Err(ServerError::Other(
                "workers.network is \"deny\", but this system lets no process leave the network (unshare fails); allow user \
                 namespaces, or say \"deny_where_possible\""
                    .into(),
            ));
        }
        if prefix.is_none() && workers.network == WorkerNetwork::DenyWherePossible {
            log::warning("workers_have_network", &[("why", &"this system lets no process leave the network")]);
        }
        let mut environment: Vec<(OsString, OsString)> =
            [("PATH", "/usr/local/bin:/usr/bin:/bin"), ("LANG", "C.UTF-8"), ("RUST_BACKTRACE", "0")]
                .map(|(name, value)| (name.into(), value.into()))
                .to_vec();
        environment.push((kfold_inference::folders::MODELS_VARIABLE.into(), configuration.models().into_os_string()));
        let passed = workers.environment.iter().filter_map(|name| Some((name.into(), std::env::var_os(name)?)));
        environment.extend(passed);
        Ok(Self { program, prefix: prefix.map(<[_]>::to_vec).unwrap_or_default(), environment })
    }

    pub fn is_without_network(&self) -> bool {
        !self.prefix.is_empty()
    }

    /// `[unshare ...] PROGRAM worker`, to which the folder is added.
    pub fn command_line(&self) -> Vec<OsString> {
        let mut line: Vec<OsString> = self.prefix.iter().map(OsString::from).collect();
        line.extend([self.program.clone().into_os_string(), "worker".into()]);
        line
    }

    /// The worker of a folder; its output goes to the folder's log. `after_loss`: the one before it was lost, perhaps for its
    /// memory, and this one is to need less.
    pub fn command(&self, folder: &Path, device: Option<&str>, after_loss: bool) -> std::io::Result<Command> {
        let log = std::fs::File::create(folder.join("worker.log"))?;
        let line = self.command_line();
        let mut command = Command::new(line.first().map_or(OsStr::new("false"), OsString::as_os_str));
        command.args(line.iter().skip(1)).arg(folder).current_dir(folder);
        command.env_clear().envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.env("HOME", folder);
        if after_loss {
            command.env(AT_ONCE_VARIABLE, "1");
        }
        if let Some(device) = device {
            command.env("CUDA_VISIBLE_DEVICES", device);
        }
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        // A group of its own: what ends the server does not end the worker, and the group can be ended as one.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        Ok(command)
    }

    /// The environment of workers that something else starts.
    pub fn environment(&self) -> &[(OsString, OsString)] {
        &self.environment
    }
}

fn working_way() -> Option<&'static [&'static str]> {
    WAYS.into_iter().find(|way| {
        let mut command = Command::new(way[0]);
        command.args(&way[1..]).arg("true").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    })
}
