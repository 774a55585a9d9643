//! `remote`: servers of this user, and jobs on them.

use std::io::{IsTerminal, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use kfold_inference::engine::EngineName;
use kfold_inference::job::Job;
use kfold_inference::kfold::engine::{Obstacle, check_query};
use kfold_inference::query::Query;

use kfold_inference::remote::choice::{Choice, choose};
use kfold_inference::remote::client::Client;
use kfold_inference::remote::protocol::{Capabilities, RemoteJob};
use kfold_inference::remote::servers::{ServerEntry, Servers};
use kfold_inference::remote::{self, Plan};
use kfold_inference::settings::Settings;

use super::common::{absolute, read_query};
use super::predict::{finish, query_file, report};
use super::terminal::{duration, say};
use super::{Outcome, standard_output};

/// Servers, and jobs on them.
#[derive(Debug, Args)]
pub(super) struct Remote {
    #[command(subcommand)]
    command: RemoteCommand,
}

#[derive(Debug, Subcommand)]
enum RemoteCommand {
    /// Add a server; its token is read from standard input
    Add {
        /// What to call it
        name: String,
        /// Address, e.g. https://gpu.lab:8470
        url: String,
        /// Certificate (PEM) to trust, for a server that made its own
        #[arg(long, value_name = "FILE")]
        certificate: Option<PathBuf>,
        /// Agree now that `--engine auto` sends queries there
        #[arg(long)]
        agree: bool,
    },
    /// Forget a server; its jobs stay
    Remove {
        /// Its name
        name: String,
    },
    /// List servers and whether they answer
    List,
    /// Engines, devices, limits and queue of a server, and this user's jobs there
    Status {
        /// Its name
        server: String,
        /// JSON on standard output
        #[arg(long)]
        json: bool,
    },
    /// Say what sending a query would mean; sends nothing
    Plan {
        /// The server's name
        server: String,
        /// A query file, or a folder with a query.yaml
        query: PathBuf,
    },
    /// Send a query and return; `remote follow` goes on
    Submit {
        /// The server's name
        server: String,
        /// A query file, or a folder with a query.yaml
        query: PathBuf,
        /// Folder of the job and its results
        #[arg(short, long, value_name = "DIR")]
        output: PathBuf,
        /// Seeds to run
        #[arg(long, num_args = 1.., value_delimiter = ',', value_name = "N")]
        seeds: Vec<u64>,
        /// Among one's own jobs the higher goes first, -10 to 10
        #[arg(long, default_value_t = 0, allow_negative_numbers = true, value_parser = clap::value_parser!(i32).range(-10..=10))]
        priority: i32,
    },
    /// Follow a job that was sent, to its results
    Follow {
        /// Its folder
        folder: PathBuf,
        /// Results as JSON on standard output
        #[arg(long)]
        json: bool,
    },
    /// Fetch what a job has produced so far
    Fetch {
        /// Its folder
        folder: PathBuf,
    },
    /// Stop a job; what is finished of it stays
    Cancel {
        /// Its folder
        folder: PathBuf,
    },
    /// Delete a job on its server, with all its files there
    Delete {
        /// Its folder, which stays
        folder: PathBuf,
    },
}

impl Remote {
    pub(super) fn run(&self) -> anyhow::Result<Outcome> {
        match &self.command {
            RemoteCommand::Add { name, url, certificate, agree } => {
                let certificate = certificate.as_deref().map(absolute).transpose()?;
                let entry = ServerEntry {
                    name: name.clone(),
                    url: url.clone(),
                    token: read_token()?,
                    certificate,
                    agreed: *agree,
                };
                // Before it is kept: a wrong address or token shows now.
                let capabilities = Client::new(&entry)?.capabilities()?;
                Servers::load()?.put(entry)?;
                say(&format!("{name}: {}", sentence(&capabilities)));
            }
            RemoteCommand::Remove { name } => {
                if !Servers::load()?.remove(name)? {
                    bail!("there is no server `{name}`");
                }
            }
            RemoteCommand::List => {
                for entry in Servers::load()?.entries() {
                    let state = match Client::new(entry).and_then(|client| client.capabilities()) {
                        Ok(capabilities) => sentence(&capabilities),
                        Err(error) => error.to_string(),
                    };
                    standard_output::line(&format!("{}\t{}\t{state}", entry.name, entry.url))?;
                }
            }
            RemoteCommand::Status { server, json } => status(server, *json)?,
            RemoteCommand::Plan { server, query } => {
                let (query, _) = read_query(&query_file(query)?)?;
                let capabilities = client(server)?.capabilities()?;
                // A plan needs the job as it would be sent.
                let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
                let job = Job::create(folder.path(), &query, &settings_on(server, &query)?)?;
                let plan = remote::plan(&job, &capabilities)?;
                standard_output::line(&plan_text(server, &plan))?;
                if !plan.problems.is_empty() {
                    bail!("{server} would refuse it: {}", plan.problems.join("; "));
                }
            }
            RemoteCommand::Submit { server, query, output, seeds, priority } => {
                let (query, given) = read_query(&query_file(query)?)?;
                let mut settings = settings_on(server, &query)?;
                if let Some(seeds) = [seeds, &given].into_iter().find(|seeds| !seeds.is_empty()) {
                    settings.seeds.clone_from(seeds);
                }
                let job = Job::create(&absolute(output)?, &query, &settings)?;
                mark(&job, server, *priority)?;
                let accepted = remote::submit(&job)?;
                standard_output::line(&job_text(&accepted))?;
                say(&format!("follow it: kfold-studio remote follow {}", output.display()));
            }
            RemoteCommand::Follow { folder, json } => {
                let job = remote_job(folder)?;
                let outcome = finish(&job)?;
                if matches!(outcome, Outcome::Done) {
                    report(&job, *json)?;
                }
                return Ok(outcome);
            }
            RemoteCommand::Fetch { folder } => {
                let job = remote_job(folder)?;
                if Job::is_running(job.folder()) {
                    bail!("a worker is following this job; it fetches by itself");
                }
                if !remote::fetch(&job)? {
                    say("the job is not done yet; what is finished of it is here");
                    return Ok(Outcome::Incomplete);
                }
            }
            RemoteCommand::Cancel { folder } => {
                let (client, id) = sent(folder)?;
                standard_output::line(&job_text(&client.cancel(&id)?))?;
            }
            RemoteCommand::Delete { folder } => {
                let (client, id) = sent(folder)?;
                client.delete(&id)?;
            }
        }
        Ok(Outcome::Done)
    }
}

/// Makes a job one of a server's, unless the server would refuse it.
pub(super) fn mark(job: &Job, server: &str, priority: i32) -> anyhow::Result<()> {
    let plan = remote::plan(job, &client(server)?.capabilities()?)?;
    if !plan.problems.is_empty() {
        bail!("{server} would refuse it: {}", plan.problems.join("; "));
    }
    say(&plan_text(server, &plan));
    remote::mark(job.folder(), server, priority)?;
    Ok(())
}

/// The engine that `auto` means on a server: K-Fold if it is there and can, else docking.
pub(super) fn automatic_on(server: &str, query: &Query) -> anyhow::Result<EngineName> {
    let offers = client(server)?.capabilities()?.engines;
    let has_kfold = offers.iter().any(|offer| offer.name == EngineName::KFold.name());
    Ok(if has_kfold && check_query(query).is_ok() { EngineName::KFold } else { EngineName::Docking })
}

/// What the query asks for, with the server's engine where it leaves that open.
fn settings_on(server: &str, query: &Query) -> anyhow::Result<Settings> {
    let mut settings = Settings::for_query(query);
    if query.engine_name().is_none() {
        settings.engine = automatic_on(server, query)?;
    }
    Ok(settings)
}

/// What `auto` means: an engine, and the server that runs it when it is not this machine. A server that the user has not
/// agreed to is asked for before anything is sent, and without a terminal not used.
pub(super) fn automatic(query: &Query, settings: &Settings) -> anyhow::Result<(EngineName, Option<String>)> {
    let models = settings.kfold.model_folder();
    let here = Obstacle::of(query, &models);
    let able = !here.as_ref().is_some_and(Obstacle::is_of_query);
    let mut servers = Servers::load()?;
    let may_ask = std::io::stdin().is_terminal();
    servers.retain(|entry| able && (entry.agreed || may_ask));
    let choice = choose(query, here, &servers)?;
    match choice {
        Choice::KFoldHere => Ok((EngineName::KFold, None)),
        Choice::DockingHere { .. } => {
            say(&choice.sentence());
            Ok((EngineName::Docking, None))
        }
        Choice::KFoldOn { ref server, .. } => {
            say(&choice.sentence());
            if !server.agreed {
                say("send the query and its files there, now and from now on? [y/N]");
                let mut answer = String::new();
                std::io::stdin().read_line(&mut answer).context("cannot read the answer")?;
                if !matches!(answer.trim(), "y" | "Y" | "yes") {
                    bail!("nothing was sent; name another way: --engine docking, or --server NAME");
                }
                Servers::load()?.put(ServerEntry { agreed: true, ..server.clone() })?;
            }
            Ok((EngineName::KFold, Some(server.name.clone())))
        }
    }
}

fn client(server: &str) -> anyhow::Result<Client> {
    Ok(Client::new(Servers::load()?.get(server)?)?)
}

fn remote_job(folder: &Path) -> anyhow::Result<Job> {
    let job = Job::open(folder)?;
    if !remote::is_remote(job.folder()) {
        bail!("{} is not a job of a server", folder.display());
    }
    Ok(job)
}

/// The server and the id of a job that was sent.
fn sent(folder: &Path) -> anyhow::Result<(Client, String)> {
    let job = remote_job(folder)?;
    let record = remote::record(job.folder())?;
    let id = record.job.with_context(|| format!("{} was never sent", folder.display()))?;
    Ok((client(&record.server)?, id))
}

fn read_token() -> anyhow::Result<String> {
    if std::io::stdin().is_terminal() {
        say("paste the token and press Enter, then Ctrl-D:");
    }
    let mut text = String::new();
    std::io::stdin().take(4_096).read_to_string(&mut text).context("cannot read the token")?;
    let token = text.trim();
    if token.is_empty() {
        bail!("the token is missing: give it on standard input");
    }
    Ok(token.to_owned())
}

fn sentence(capabilities: &Capabilities) -> String {
    let engines: Vec<&str> = capabilities.engines.iter().map(|engine| engine.name.as_str()).collect();
    let queue = &capabilities.queue;
    format!("{}; {} running, {} waiting", engines.join(", "), queue.running, queue.queued)
}

fn plan_text(server: &str, plan: &Plan) -> String {
    let estimate =
        plan.estimated_seconds.map_or_else(String::new, |seconds| format!(", results in about {}", duration(seconds)));
    let kilobytes = plan.upload_bytes as f64 / 1_000.0;
    let (files, jobs) = (plan.files, plan.jobs_before);
    format!("to {server}: {kilobytes:.0} kB in {files} files; {jobs} jobs run or wait there{estimate}")
}

fn job_text(job: &RemoteJob) -> String {
    let reason = job.reason.as_deref().map_or_else(String::new, |reason| format!("\t{reason}"));
    format!("{}\t{}\t{}\t{}{reason}", job.id, job.state.name(), job.engine, job.name)
}

fn status(server: &str, json: bool) -> anyhow::Result<()> {
    let client = client(server)?;
    let (capabilities, list) = (client.capabilities()?, client.jobs(100)?);
    if json {
        return standard_output::json(&serde_json::json!({"capabilities": capabilities, "jobs": list.jobs}));
    }
    standard_output::line(&sentence(&capabilities))?;
    for job in &list.jobs {
        standard_output::line(&job_text(job))?;
    }
    Ok(())
}
