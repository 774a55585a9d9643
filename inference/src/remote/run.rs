//! A job directory whose work is done on a server.

use std::collections::HashSet;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::RemoteError;
use super::client::{Client, EventStream, StreamEvent, Submission};
use super::protocol::{Capabilities, Output, RemoteJob, RemoteState};
use super::servers::Servers;
use crate::engine::{EngineError, Progress};
use crate::job::events::{Event, EventKind, EventWriter};
use crate::job::{Job, JobError, files, read_json, write_json};
use crate::query::QueryFormat;
use crate::settings::Settings;

/// Names the server in a job directory.
const RECORD: &str = "remote.json";
/// Between two looks whether somebody wants to stop.
const LOOK: Duration = Duration::from_millis(100);
/// A connection on which nothing came for this long, not even a sign of life, is dead: the machine slept, or the network went.
const SILENCE: Duration = Duration::from_secs(50);
/// Between two tries: first, and at most.
const RETRY: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));
/// How long a server is waited for that cannot be reached, before the run gives up for now.
const PATIENCE: Duration = Duration::from_secs(3_600);
/// How long the server's word is waited for after it was asked to stop.
const STOPPING: Duration = Duration::from_secs(30);
/// What a server may send for one job.
const MAX_OUTPUT_FILES: usize = 500_000;
const MAX_OUTPUT_BYTES: u64 = 200 << 30;

/// What a job directory knows of its server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RemoteRecord {
    /// The server's name in this user's list.
    pub server: String,
    /// Submitting again with it gives the same job.
    pub key: String,
    /// Among the user's jobs the higher goes first.
    #[serde(default)]
    pub priority: i32,
    /// The job's id there, once it is accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job: Option<String>,
}

/// What sending a job would mean.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// Files that would be sent.
    pub files: usize,
    /// Bytes of the query and its files.
    pub upload_bytes: u64,
    /// Jobs that run or wait there.
    pub jobs_before: u64,
    /// Seconds until the results may be there, from what recent jobs took; a guess. `None` when there were none.
    pub estimated_seconds: Option<f64>,
    /// Why the server would refuse it.
    pub problems: Vec<String>,
}

/// Whether a job directory's work is done on a server.
#[must_use]
pub fn is_remote(folder: &Path) -> bool {
    folder.join(RECORD).is_file()
}

/// Makes a job directory one whose work is done on a server. Nothing is sent yet.
///
/// # Errors
/// When the file cannot be written.
pub fn mark(folder: &Path, server: &str, priority: i32) -> Result<(), JobError> {
    let record = RemoteRecord { server: server.to_owned(), key: new_key(folder)?, priority, job: None };
    write_json(&folder.join(RECORD), &record)
}

/// What a job directory knows of its server.
///
/// # Errors
/// When the file cannot be read.
pub fn record(folder: &Path) -> Result<RemoteRecord, JobError> {
    read_json(&folder.join(RECORD))
}

fn new_key(folder: &Path) -> Result<String, JobError> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes).map_err(|error| JobError::content(&folder.join(RECORD), error))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn client_of(server: &str) -> Result<Client, RemoteError> {
    Client::new(Servers::load()?.get(server)?)
}

/// What sending a job to a server would mean.
///
/// # Errors
/// When the job cannot be read.
pub fn plan(job: &Job, capabilities: &Capabilities) -> Result<Plan, RemoteError> {
    let submission = submission(job, "", 0)?;
    let mut upload_bytes = (submission.query.len() + submission.settings.len()) as u64;
    for (_, path) in &submission.files {
        upload_bytes += std::fs::metadata(path).map_err(RemoteError::file(path))?.len();
    }
    let (limits, queue) = (&capabilities.limits, &capabilities.queue);
    let mut problems = Vec::new();
    let engine = job.settings().engine.name();
    if capabilities.engines.iter().all(|offer| offer.name != engine) {
        let names: Vec<&str> = capabilities.engines.iter().map(|offer| offer.name.as_str()).collect();
        problems.push(format!("it has no engine `{engine}`, only {}", names.join(", ")));
    }
    if upload_bytes > limits.upload_bytes {
        problems.push(format!("the upload has {upload_bytes} bytes, and it takes {}", limits.upload_bytes));
    }
    if submission.files.len() as u64 > limits.upload_files {
        problems.push(format!("the upload has {} files, and it takes {}", submission.files.len(), limits.upload_files));
    }
    if job.query().series.len() as u64 > limits.series_ligands {
        problems.push(format!(
            "the series has {} ligands, and it takes {}",
            job.query().series.len(),
            limits.series_ligands
        ));
    }
    let jobs_before = queue.queued + queue.running;
    let rounds = jobs_before as f64 / capabilities.slots.max(1) as f64 + 1.0;
    Ok(Plan {
        files: submission.files.len(),
        upload_bytes,
        jobs_before,
        estimated_seconds: queue.median_job_seconds.map(|seconds| seconds * rounds),
        problems,
    })
}

/// The job as a form. Files keep what is harmless of their names: engines name structures after their files.
fn submission(job: &Job, key: &str, priority: i32) -> Result<Submission, RemoteError> {
    let mut query = job.query().clone();
    let mut names: Vec<(String, PathBuf)> = Vec::new();
    let mapped = query.map_files(&mut |path: &Path| -> Result<PathBuf, std::convert::Infallible> {
        if let Some((name, _)) = names.iter().find(|(_, known)| known == path) {
            return Ok(name.into());
        }
        let kept = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let mut name: String = kept
            .chars()
            .map(
                |letter| if letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-' | '_') { letter } else { '_' },
            )
            .collect();
        if name.is_empty() || names.iter().any(|(known, _)| *known == name) {
            name = format!("{}-{name}", names.len() + 1);
        }
        names.push((name.clone(), path.to_owned()));
        Ok(name.into())
    });
    let Ok(()) = mapped;
    // Where the weights lie there is the server's matter.
    let mut settings: Settings = job.settings().clone();
    settings.kfold.models = PathBuf::new();
    let wrong = |error: &dyn std::fmt::Display| RemoteError::Configuration(error.to_string());
    Ok(Submission {
        query: query.to_text(QueryFormat::Json, None).map_err(|error| wrong(&error))?,
        settings: serde_json::to_string(&settings).map_err(|error| wrong(&error))?,
        priority,
        key: key.to_owned(),
        files: names,
    })
}

/// Sends a job that was marked, once, without following it. A job that was sent before is found again.
///
/// # Errors
/// When the server cannot be reached or refuses.
pub fn submit(job: &Job) -> Result<RemoteJob, JobError> {
    let mut record = record(job.folder())?;
    let client = client_of(&record.server)?;
    let accepted = client.submit(&submission(job, &record.key, record.priority)?, &mut |_, _| {})?;
    record.job = Some(accepted.id.clone());
    write_json(&job.folder().join(RECORD), &record)?;
    Ok(accepted)
}

/// Lets the server do the work of a job: uploads it, follows it and fetches what it made. Whatever was done before by an
/// earlier worker is not done again. Called by the worker, which holds the job's lock.
///
/// # Errors
/// Why the job is not done.
pub(crate) fn run(job: &Job, events: &mut EventWriter, is_cancelled: &dyn Fn() -> bool) -> Result<(), JobError> {
    let mut record = record(job.folder())?;
    let client = client_of(&record.server)?;
    let mut run = Run { job, client, events, is_cancelled };
    if let Some(id) = &record.job
        && run.is_over(id)?
    {
        // It failed or was stopped there, or is gone: this is another try.
        record = RemoteRecord { key: new_key(job.folder())?, job: None, ..record };
    }
    let id = match &record.job {
        Some(id) => id.clone(),
        None => {
            let accepted = run.upload(&record)?;
            record.job = Some(accepted.id.clone());
            write_json(&job.folder().join(RECORD), &record)?;
            accepted.id
        }
    };
    run.follow(&id)
}

struct Run<'a> {
    job: &'a Job,
    client: Client,
    events: &'a mut EventWriter,
    is_cancelled: &'a dyn Fn() -> bool,
}

impl Run<'_> {
    fn say(&mut self, kind: EventKind) -> Result<(), JobError> {
        let path = self.job.events_path();
        self.events.write(kind).map_err(JobError::write(&path))
    }

    fn progress(&mut self, stage: &str, step: u64, steps: u64, message: String) -> Result<(), JobError> {
        self.say(EventKind::Progress(Progress { stage: stage.into(), step, steps, message }))
    }

    /// Does something with the server again and again until it answers.
    fn patiently<T>(&mut self, ask: &mut dyn FnMut(&mut Self) -> Result<T, JobError>) -> Result<T, JobError> {
        let begun = Instant::now();
        let mut pause = RETRY.0;
        loop {
            let error = match ask(self) {
                Err(JobError::Remote(error)) if error.is_passing() && begun.elapsed() < PATIENCE => error,
                result => return result,
            };
            self.progress("waiting", 0, 0, error.to_string())?;
            let until = Instant::now() + pause;
            while Instant::now() < until {
                if (self.is_cancelled)() {
                    return Err(EngineError::Cancelled.into());
                }
                std::thread::sleep(LOOK);
            }
            pause = (2 * pause).min(RETRY.1);
        }
    }

    /// Whether the server's job ended without results, or is not there any more.
    fn is_over(&mut self, id: &str) -> Result<bool, JobError> {
        let state = self.patiently(&mut |run| match run.client.job(id) {
            Ok(job) => Ok(Some(job.state)),
            Err(RemoteError::Refused { status: 404, .. }) => Ok(None),
            Err(error) => Err(error.into()),
        })?;
        Ok(matches!(state, None | Some(RemoteState::Failed | RemoteState::Cancelled)))
    }

    fn upload(&mut self, record: &RemoteRecord) -> Result<RemoteJob, JobError> {
        let job = self.job;
        self.patiently(&mut |run| {
            if (run.is_cancelled)() {
                return Err(EngineError::Cancelled.into());
            }
            let submission = submission(job, &record.key, record.priority)?;
            let mut failure = None;
            let events = &mut *run.events;
            let accepted = run.client.submit(&submission, &mut |step, steps| {
                let progress = Progress { stage: "upload".into(), step, steps, message: record.server.clone() };
                failure = failure.take().or(events.write(EventKind::Progress(progress)).err());
            });
            if let Some(error) = failure {
                return Err(JobError::write(&job.events_path())(error));
            }
            Ok(accepted?)
        })
    }

    fn follow(&mut self, id: &str) -> Result<(), JobError> {
        let mut last_id = String::new();
        let mut asked_to_stop: Option<Instant> = None;
        loop {
            let stream = self.patiently(&mut |run| Ok(run.client.follow(id, &last_id)?));
            let stream = match stream {
                Err(JobError::Remote(RemoteError::Refused { status: 404, server, .. })) => {
                    let text = format!("the job {id} is no longer on the server {server}; start it again");
                    return Err(RemoteError::Configuration(text).into());
                }
                stream => stream?,
            };
            let incoming = read_in_thread(stream).map_err(JobError::read(&self.job.events_path()))?;
            let mut heard = Instant::now();
            loop {
                match incoming.recv_timeout(LOOK) {
                    Ok(event) => {
                        heard = Instant::now();
                        let Some(event) = event else { continue };
                        last_id.clone_from(&event.id);
                        if let Some(end) = self.take(id, &event)? {
                            return self.conclude(id, end);
                        }
                    }
                    Err(RecvTimeoutError::Timeout) if heard.elapsed() < SILENCE => {}
                    Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => break,
                }
                if (self.is_cancelled)() {
                    match asked_to_stop {
                        None => {
                            asked_to_stop = Some(Instant::now());
                            if let Err(error) = self.client.cancel(id) {
                                let message = format!("the server could not be told to stop: {error}");
                                self.say(EventKind::Warning { message })?;
                                return Err(EngineError::Cancelled.into());
                            }
                        }
                        Some(asked) if asked.elapsed() > STOPPING => return Err(EngineError::Cancelled.into()),
                        Some(_) => {}
                    }
                }
            }
            // A stream that ends at once again and again must not become a storm.
            std::thread::sleep(RETRY.0);
        }
    }

    /// Takes an event of the stream; the job when it has ended there.
    fn take(&mut self, id: &str, event: &StreamEvent) -> Result<Option<RemoteJob>, JobError> {
        match event.kind.as_str() {
            "job" => {
                // What a later version says and this one does not know is left out.
                let Ok(Event { kind, .. }) = serde_json::from_str::<Event>(&event.data) else { return Ok(None) };
                match kind {
                    // How this run ends is for its own worker to say, when the outputs are here.
                    EventKind::Finished | EventKind::Cancelled | EventKind::Failed { .. } => {}
                    EventKind::SeedFinished { seed } => {
                        self.fetch(id, &mut |output| output.path.split('/').any(|part| is_folder_of(part, seed)))?;
                        self.say(EventKind::SeedFinished { seed })?;
                    }
                    kind => self.say(kind)?,
                }
                Ok(None)
            }
            "state" => {
                let Ok(job) = serde_json::from_str::<RemoteJob>(&event.data) else { return Ok(None) };
                if job.state == RemoteState::Queued {
                    let ahead = job.jobs_ahead.map_or_else(String::new, |jobs| jobs.to_string());
                    self.progress("queue", 0, 0, ahead)?;
                }
                Ok(Some(job).filter(|job| job.state.is_final()))
            }
            _ => Ok(None),
        }
    }

    fn conclude(&mut self, id: &str, end: RemoteJob) -> Result<(), JobError> {
        match end.state {
            RemoteState::Finished => {
                self.fetch(id, &mut |_| true)?;
                if self.job.is_done() {
                    return Ok(());
                }
                let text = format!("the server says that the job {id} is finished, but its outputs are not complete");
                Err(RemoteError::Configuration(text).into())
            }
            RemoteState::Cancelled => {
                self.fetch_what_is_there(id)?;
                Err(EngineError::Cancelled.into())
            }
            RemoteState::Failed | RemoteState::Queued | RemoteState::Running => {
                self.fetch_what_is_there(id)?;
                let reason = end.reason.unwrap_or_else(|| "it does not say why".into());
                Err(RemoteError::Configuration(format!("the job failed on the server: {reason}")).into())
            }
        }
    }

    /// Fetches what a job that did not finish has all the same.
    fn fetch_what_is_there(&mut self, id: &str) -> Result<(), JobError> {
        match self.fetch(id, &mut |_| true) {
            Err(JobError::Remote(error)) => {
                let message = format!("what is finished of the job could not be fetched: {error}");
                self.say(EventKind::Warning { message })
            }
            fetched => fetched,
        }
    }

    fn fetch(&mut self, id: &str, is_wanted: &mut dyn FnMut(&Output) -> bool) -> Result<(), JobError> {
        let job = self.job;
        let outputs = self.patiently(&mut |run| Ok(run.client.outputs(id)?))?;
        let outputs = wanted(job, &outputs, is_wanted)?;
        let total: u64 = outputs.iter().map(|output| output.bytes).sum();
        let mut done = 0;
        for output in &outputs {
            self.progress("fetch", done, total, output.path.clone())?;
            let mut download = Download::new(job, output)?;
            self.patiently(&mut |run| download.go_on(&run.client, id))?;
            download.finish()?;
            done += output.bytes;
        }
        Ok(())
    }
}

/// Reads a stream in a thread, so that whoever waits for it can look at other things too. `None` is a sign of life.
fn read_in_thread(mut stream: EventStream) -> io::Result<Receiver<Option<StreamEvent>>> {
    let (sender, receiver) = channel();
    std::thread::Builder::new().name("remote-events".into()).spawn(move || {
        while let Ok(Some(event)) = stream.next_event() {
            if sender.send(event).is_err() {
                return;
            }
        }
    })?;
    Ok(receiver)
}

/// Fetches what a job's server has made of it so far; whether it is complete.
///
/// # Errors
/// When the server cannot be reached or refuses, or a file cannot be written.
pub fn fetch(job: &Job) -> Result<bool, JobError> {
    let record = record(job.folder())?;
    let client = client_of(&record.server)?;
    let Some(id) = record.job else {
        let text = format!("{} was never sent; run it first", job.folder().display());
        return Err(RemoteError::Configuration(text).into());
    };
    for output in wanted(job, &client.outputs(&id)?, &mut |_| true)? {
        let mut download = Download::new(job, &output)?;
        download.go_on(&client, &id)?;
        download.finish()?;
    }
    Ok(job.is_done())
}

/// What a job directory has of its own: nothing of it comes from a server.
const OWN: [&str; 8] =
    ["query.json", "settings.json", "inputs", "events.jsonl", "worker.lock", "worker.log", "cancel", RECORD];
/// Folders in folders of outputs.
const MAX_DEPTH: usize = 6;

/// The outputs that are to be fetched: what finished seeds have and is not here, and what lies beside the seeds; the mark
/// that a seed is done after everything else. A server that offers anything else is not believed.
fn wanted(job: &Job, outputs: &[Output], is_wanted: &mut dyn FnMut(&Output) -> bool) -> Result<Vec<Output>, JobError> {
    let paths: HashSet<&str> = outputs.iter().map(|output| output.path.as_str()).collect();
    let mut taken = Vec::new();
    for output in outputs {
        let parts: Vec<&str> = output.path.split('/').collect();
        let is_ours = parts.len() <= MAX_DEPTH && parts.iter().all(|part| is_plain(part)) && !OWN.contains(&parts[0]);
        if !is_ours || parts[0].ends_with(".partial") {
            continue;
        }
        let is_due = match seed_folder(job, &parts) {
            Some(folder) => {
                let is_done = DONE.iter().any(|mark| paths.contains(format!("{folder}/{mark}").as_str()));
                let here = std::fs::metadata(job.folder().join(&output.path));
                is_done && !here.is_ok_and(|here| here.len() == output.bytes)
            }
            None => true,
        };
        if is_due && is_wanted(output) {
            taken.push(output.clone());
        }
    }
    let total = taken.iter().try_fold(0_u64, |sum, output| sum.checked_add(output.bytes));
    if taken.len() > MAX_OUTPUT_FILES || total.is_none_or(|total| total > MAX_OUTPUT_BYTES) {
        let text = "the server offers more than a job can have made; nothing was fetched";
        return Err(RemoteError::Configuration(text.into()).into());
    }
    let is_mark = |output: &Output| output.path.rsplit('/').next().is_some_and(|name| DONE.contains(&name));
    taken.sort_by(|a, b| is_mark(a).cmp(&is_mark(b)).then_with(|| a.path.cmp(&b.path)));
    Ok(taken)
}

/// What says in a seed's folder that it is done, or cannot be.
const DONE: [&str; 3] = ["done", "done.txt", crate::job::FAILED];

/// The folder of a seed of the job in which a path lies: `seed-N`, or `NAME_seed-N` as K-Fold's tree has it.
fn seed_folder(job: &Job, parts: &[&str]) -> Option<String> {
    let is_seed = |part: &str| job.settings().seeds.iter().any(|seed| is_folder_of(part, *seed));
    let depth = parts.iter().take(parts.len().saturating_sub(1)).position(|part| is_seed(part))?;
    Some(parts[..=depth].join("/"))
}

fn is_folder_of(name: &str, seed: u64) -> bool {
    let number = name.rsplit_once("seed-").filter(|(before, _)| before.is_empty() || before.ends_with('_'));
    number.is_some_and(|(_, number)| number.parse() == Ok(seed))
}

/// A file name with nothing in it that means something to any system.
fn is_plain(name: &str) -> bool {
    let is_plain =
        |letter: char| !letter.is_control() && !matches!(letter, '/' | '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|');
    !name.is_empty() && !name.starts_with('.') && name.len() <= 255 && name.chars().all(is_plain)
}

/// A file on its way here: collected under a temporary name, which is kept between tries.
struct Download<'a> {
    output: &'a Output,
    target: PathBuf,
    temporary: PathBuf,
    file: File,
}

impl<'a> Download<'a> {
    fn new(job: &Job, output: &'a Output) -> Result<Self, JobError> {
        let target = job.folder().join(&output.path);
        if let Some(folder) = target.parent() {
            std::fs::create_dir_all(folder).map_err(JobError::write(folder))?;
        }
        let temporary = job.folder().join(format!("{}remote", files::TEMPORARY_PREFIX));
        let file = File::create(&temporary).map_err(JobError::write(&temporary))?;
        Ok(Self { output, target, temporary, file })
    }

    /// Fetches what is missing.
    fn go_on(&mut self, client: &Client, id: &str) -> Result<(), JobError> {
        let have = self.file.metadata().map_err(JobError::read(&self.temporary))?.len();
        if have < self.output.bytes {
            client.download(id, self.output, have, &mut self.file)?;
        }
        Ok(())
    }

    fn finish(self) -> Result<(), JobError> {
        self.file.sync_all().map_err(JobError::write(&self.temporary))?;
        drop(self.file);
        std::fs::rename(&self.temporary, &self.target).map_err(JobError::write(&self.target))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_mean_something_are_not_plain() {
        for name in ["poses.sdf", "kinase_complex_1.cif", "결과.csv"] {
            assert!(is_plain(name), "{name}");
        }
        for name in ["", ".", "..", ".writing-x", "a/b", "a\\b", "C:x", "a\nb", "nul\0"] {
            assert!(!is_plain(name), "{name:?}");
        }
        for (name, seed, is_one) in [
            ("seed-1", 1, true),
            ("kinase_seed-1", 1, true),
            ("kinase_seed-12", 1, false),
            ("kinaseseed-1", 1, false),
            ("kinase_seed-1_sample-0", 1, false),
        ] {
            assert_eq!(is_folder_of(name, seed), is_one, "{name}");
        }
    }
}
