//! `predict QUERY -o FOLDER`: makes the job, runs it in a process of its own and shows how it goes.
//!
//! The folder is the job. Running the same command again goes on where it stopped and, when nothing is left to do, only
//! shows the results. An interrupt asks the worker to stop and waits for it; a second one ends it at once, which costs
//! nothing but the seed in work.

use std::collections::HashMap;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, bail};
use clap::Args;
use kfold_inference::engine::EngineName;
use kfold_inference::job::events::EventReader;
use kfold_inference::job::{Job, JobProgress, JobState, Results};
use kfold_inference::kfold::engine;
use kfold_inference::query::{Query, QueryFormat};
use kfold_inference::remote::is_remote;
use kfold_inference::settings::Settings;

use super::apo::FetchArguments;
use super::common::{ENGINES, EngineChoice, SearchArguments, absolute, count_interrupts, parse_engine, read_query};
use super::kfold::{KFoldArguments, complexes_table};
use super::table::{Row, comparison_text, table};
use super::terminal::{Status, duration, say};
use super::{Outcome, render, standard_output};

/// How often the events are looked at.
const POLL_INTERVAL: Duration = Duration::from_millis(100);

/// The signal that cannot be caught: what the system sends when memory ends.
#[cfg(unix)]
const KILLED: i32 = 9;

/// What is shown of the log of a worker that ended without a word.
const LOG_TAIL: u64 = 4_000;

/// Predicts a query, as a job in a folder.
#[derive(Debug, Args)]
pub(super) struct Predict {
    /// A query file (.yaml, .yml, .json; of Boltz, AlphaFold 3, AlphaFold Server too; .fasta), a folder with a query.yaml, a job
    /// to go on with, or a folder of query files (.yaml, .yml, .json), each of which gets a folder of its name below the output
    query: PathBuf,
    /// Folder of the job and its results [default: the job's own when QUERY is one]
    #[arg(short, long, value_name = "DIR")]
    output: Option<PathBuf>,
    /// Engine: `kfold`, `docking`, or `auto` for K-Fold if its weights are here and else docking [default: the query's, else
    /// auto]
    #[arg(long, value_parser = parse_engine, value_name = "NAME")]
    engine: Option<EngineChoice>,
    /// Seeds to run, one after the other
    #[arg(long, num_args = 1.., value_delimiter = ',', value_name = "N")]
    seeds: Vec<u64>,
    #[command(flatten)]
    kfold: KFoldArguments,
    #[command(flatten)]
    fetch: FetchArguments,
    #[command(flatten)]
    search: SearchArguments,
    /// Let this server do the work (kfold-studio remote add)
    #[arg(long, value_name = "NAME")]
    server: Option<String>,
    /// Check query, settings and folder and say what would be run; writes nothing
    #[arg(long)]
    dry_run: bool,
    /// Results as JSON on standard output
    #[arg(long)]
    json: bool,
}

impl Predict {
    pub(super) fn run(&self) -> anyhow::Result<Outcome> {
        if Job::is_job(&self.query) && self.output.is_none() {
            let job = Job::open(&self.query)?;
            return self.predict(job.query(), job.settings(), self.server.as_deref(), job.folder());
        }
        let Some(output) = &self.output else {
            bail!("say where the results go: -o FOLDER");
        };
        let output = absolute(output)?;
        match query_file(&self.query) {
            Ok(file) => {
                let (query, seeds) = read_query(&file)?;
                self.predict_file(query, seeds, &output, false)
            }
            Err(error) => match files_of_queries(&self.query)?.as_slice() {
                [] => Err(error),
                files => self.predict_all(files, &output),
            },
        }
    }

    /// Predicts every query of a folder, one after the other; one that fails does not keep the others from running.
    fn predict_all(&self, files: &[PathBuf], output: &Path) -> anyhow::Result<Outcome> {
        let mut names: HashMap<String, &Path> = HashMap::new();
        let mut problems = 0;
        let mut outcome = Outcome::Done;
        let interrupts = count_interrupts()?;
        for file in files {
            if interrupts.load(Ordering::Relaxed) > 0 {
                return Ok(Outcome::Cancelled);
            }
            let mut run = || -> anyhow::Result<Outcome> {
                let (query, seeds) = read_query(file)?;
                let name = query.name.clone();
                // Two queries of one name would share a folder; compared without case, as some disks do.
                if let Some(other) = names.insert(name.to_lowercase(), file) {
                    bail!("{} and {} have the same name, {name}", other.display(), file.display());
                }
                self.predict_file(query, seeds, &output.join(name), true)
            };
            match run() {
                Ok(Outcome::Done) => {}
                Ok(Outcome::Cancelled) => return Ok(Outcome::Cancelled),
                Ok(other) => outcome = other,
                Err(error) => {
                    say(&format!("error: {}: {error:#}", file.display()));
                    problems += 1;
                }
            }
        }
        if problems > 0 {
            bail!("{problems} of {} queries could not be predicted; the messages above say why", files.len());
        }
        Ok(outcome)
    }

    /// Predicts a query with the seeds that its file asks for.
    fn predict_file(
        &self,
        mut query: Query,
        seeds: Vec<u64>,
        folder: &Path,
        is_of_its_name: bool,
    ) -> anyhow::Result<Outcome> {
        self.fetch.apply(&mut query)?;
        let (mut settings, server) = self.settings(&query, seeds)?;
        settings.kfold.results_in_job_folder = is_of_its_name && query.series.is_empty();
        self.predict(&query, &settings, server.as_deref(), folder)
    }

    fn predict(
        &self,
        query: &Query,
        settings: &Settings,
        server: Option<&str>,
        folder: &Path,
    ) -> anyhow::Result<Outcome> {
        settings.validate()?;
        let existing = existing_job(folder, query, settings)?;
        if self.dry_run {
            return self.report_plan(query, settings, folder, existing.as_ref());
        }
        let job = match existing {
            Some(job) => job,
            None => Job::create(folder, query, settings)?,
        };
        if let Some(server) = server
            && !is_remote(job.folder())
        {
            super::remote::mark(&job, server, 0)?;
        }
        let outcome = finish(&job)?;
        if matches!(outcome, Outcome::Done) {
            report(&job, self.json)?;
        }
        Ok(outcome)
    }

    /// The settings, and the server that does the work when it is not this machine.
    fn settings(&self, query: &Query, seeds: Vec<u64>) -> anyhow::Result<(Settings, Option<String>)> {
        let mut server = self.server.clone();
        let mut settings = Settings::for_query(query);
        if !seeds.is_empty() {
            settings.seeds = seeds;
        }
        self.kfold.apply(&mut settings.kfold)?;
        let choice = self.engine.or(query.engine_name().map(EngineChoice::Named));
        settings.engine = match choice {
            Some(EngineChoice::Named(engine)) => engine,
            Some(EngineChoice::Automatic) | None => match &server {
                Some(server) => super::remote::automatic_on(server, query)?,
                None => {
                    let engine;
                    (engine, server) = super::remote::automatic(query, &settings)?;
                    engine
                }
            },
        };
        if !self.seeds.is_empty() {
            settings.seeds.clone_from(&self.seeds);
        }
        self.search.apply(&mut settings);
        Ok((settings, server))
    }

    fn report_plan(
        &self,
        query: &Query,
        settings: &Settings,
        folder: &Path,
        existing: Option<&Job>,
    ) -> anyhow::Result<Outcome> {
        let is_done = |seed: &u64| existing.is_some_and(|job| job.is_seed_done(*seed));
        let (done, pending): (Vec<u64>, Vec<u64>) = settings.seeds.iter().copied().partition(is_done);
        let ligands = query.ligands().count() + query.series.len();
        let method = (settings.engine == EngineName::Docking).then(|| settings.docking.method_name());
        let mut missing = Vec::new();
        if settings.engine == EngineName::KFold {
            engine::check_query(query)?;
            missing = engine::missing_weights(query, &settings.kfold.model_folder())?;
        }
        if self.json {
            standard_output::json(&serde_json::json!({
                "name": query.name,
                "folder": folder.display().to_string(),
                "engine": settings.engine.name(),
                "method": method,
                "missing_weights": missing,
                "ligands": ligands,
                "seeds_done": done,
                "seeds_pending": pending,
                "settings": settings,
            }))?;
        } else {
            let mut engine = settings.engine.display_name().to_owned();
            if let Some(method) = method {
                engine = format!("{engine} ({method})");
            }
            if !missing.is_empty() {
                engine = format!("{engine}, whose weights are missing: {}", missing.join(", "));
            }
            standard_output::write(&format!(
                "{}: the query is valid\nengine: {engine}\nligands: {ligands}\nseeds to run: {}\nseeds done: {}\n\
                 folder: {}\n",
                query.name,
                numbers(&pending),
                numbers(&done),
                folder.display()
            ))?;
        }
        Ok(Outcome::Done)
    }
}

/// The engine that can predict the query here.
fn automatic(query: &Query, settings: &Settings) -> anyhow::Result<EngineName> {
    Ok(EngineName::automatic(query, &settings.kfold.model_folder())?)
}

fn numbers(list: &[u64]) -> String {
    if list.is_empty() { "none".into() } else { list.iter().map(u64::to_string).collect::<Vec<_>>().join(", ") }
}

/// What `kfold-studio PATH` does where there is no display.
pub(super) fn without_window(path: &Path) -> anyhow::Result<Outcome> {
    if Job::is_job(path) {
        let job = Job::open(path)?;
        return run_and_report(&job);
    }
    let file = query_file(path).context("there is no display for the window")?;
    let (query, seeds) = read_query(&file)?;
    let mut settings = Settings::for_query(&query);
    if !seeds.is_empty() {
        settings.seeds = seeds;
    }
    if query.engine_name().is_none() {
        settings.engine = automatic(&query, &settings)?;
    }
    let folder = absolute(&Path::new("kfold-results").join(&query.name))?;
    say(&format!("There is no display; predicting {} into {}", file.display(), folder.display()));
    let job = match existing_job(&folder, &query, &settings)? {
        Some(job) => job,
        None => Job::create(&folder, &query, &settings)?,
    };
    run_and_report(&job)
}

fn run_and_report(job: &Job) -> anyhow::Result<Outcome> {
    let outcome = finish(job)?;
    if matches!(outcome, Outcome::Done) {
        let picture = render::render_job(job).context("the results are there, but they cannot be drawn")?;
        report(job, false)?;
        standard_output::line(&picture.display().to_string())?;
    }
    Ok(outcome)
}

/// The query file that a path means.
pub(super) fn query_file(path: &Path) -> anyhow::Result<PathBuf> {
    if !path.is_dir() {
        return Ok(path.to_owned());
    }
    let names = ["query.yaml", "query.yml", "query.json"];
    let found = names.iter().map(|name| path.join(name)).find(|file| file.is_file());
    found.with_context(|| format!("{} holds no query ({})", path.display(), names.join(", ")))
}

/// The query files of a folder, by name; none for what is no folder.
fn files_of_queries(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let entries = std::fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.with_context(|| format!("cannot read {}", folder.display()))?.path();
        if path.is_file() && QueryFormat::of(&path).is_some() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// The job that is in the folder already, if it is the one that is asked for.
fn existing_job(folder: &Path, query: &Query, settings: &Settings) -> anyhow::Result<Option<Job>> {
    if !Job::is_job(folder) {
        return Ok(None);
    }
    let job = Job::open(folder)?;
    if job.does(query, settings)? {
        return Ok(Some(job));
    }
    bail!(
        "{} holds another job (another query or other settings); choose another folder, or remove it",
        folder.display()
    )
}

/// Runs the job to its end, if it is not there yet.
pub(super) fn finish(job: &Job) -> anyhow::Result<Outcome> {
    let wanted = job.settings().engine;
    if !is_remote(job.folder()) && ENGINES.iter().all(|engine| engine.name() != wanted) {
        bail!("this program has no engine `{}`", wanted.name());
    }
    if job.is_done() {
        say(&format!("{} is done already", job.folder().display()));
        return Ok(Outcome::Done);
    }
    if Job::is_running(job.folder()) {
        bail!(
            "a worker is running this job already; wait for it, or stop it by creating {}/cancel",
            job.folder().display()
        );
    }
    let interrupts = count_interrupts()?;
    Job::clear_cancel(job.folder())?;
    let (state, ended) = watch(job, &interrupts, None)?;
    if wanted == EngineName::KFold && interrupts.load(Ordering::Relaxed) == 0 && memory_ended(job, &state, ended) {
        say(
            "the worker was stopped by the system, probably because memory ran out; once more, with one sample at a time",
        );
        let (state, ended) = watch(job, &interrupts, Some(1))?;
        return conclude(job, state, ended);
    }
    conclude(job, state, ended)
}

/// Whether a worker that said nothing of its end was stopped for its memory: the system kills, a failed allocation aborts.
fn memory_ended(job: &Job, state: &JobState, ended: ExitStatus) -> bool {
    if !matches!(state, JobState::Waiting | JobState::Running) {
        return false;
    }
    #[cfg(unix)]
    if std::os::unix::process::ExitStatusExt::signal(&ended) == Some(KILLED) {
        return true;
    }
    !ended.success() && log_tail(&log_path(job.folder())).contains("memory allocation of")
}

/// Starts a worker and shows what it does until it ends; how the job stands then.
fn watch(job: &Job, interrupts: &AtomicUsize, at_once: Option<usize>) -> anyhow::Result<(JobState, ExitStatus)> {
    // What is in the file already is about earlier workers.
    let mut reader = EventReader::new(job.events_path());
    reader.read_new()?;
    let mut child = spawn_worker(job.folder(), at_once)?;
    let mut progress = JobProgress::default();
    let mut status = Status::new();
    let mut asked = 0;
    loop {
        let ended = child.try_wait().context("cannot watch the worker")?;
        let warned = progress.warnings.len();
        for event in reader.read_new().context("cannot read the job's events")? {
            progress.apply(&event);
        }
        for warning in &progress.warnings[warned..] {
            status.say(&format!("warning: {warning}"));
        }
        if let Some(ended) = ended {
            status.clear();
            return Ok((progress.state, ended));
        }
        match interrupts.load(Ordering::Relaxed) {
            0 => {
                let topic = progress.progress.as_ref().map_or("", |progress| progress.stage.as_str());
                status.show(topic, &progress_line(&progress));
            }
            1 if asked == 0 => {
                asked = 1;
                status.say("stopping ...");
                Job::request_cancel(job.folder())?;
            }
            2.. if asked == 1 => {
                asked = 2;
                child.kill().context("cannot end the worker")?;
            }
            _ => {}
        }
        std::thread::sleep(POLL_INTERVAL);
    }
}

fn conclude(job: &Job, state: JobState, ended: ExitStatus) -> anyhow::Result<Outcome> {
    match state {
        JobState::Finished => Ok(Outcome::Done),
        JobState::Cancelled => {
            say("cancelled; the same command goes on from here");
            Ok(Outcome::Cancelled)
        }
        JobState::Failed(message) => Err(anyhow::anyhow!(message)),
        JobState::Waiting | JobState::Running => {
            let log = log_tail(&log_path(job.folder()));
            let said = if log.is_empty() { String::new() } else { format!(", its last words were: {log}") };
            bail!("the worker ended before its work was done ({ended}){said}; the same command goes on from here")
        }
    }
}

fn log_path(folder: &Path) -> PathBuf {
    folder.join("worker.log")
}

/// Starts this program again as the job's worker.
fn spawn_worker(folder: &Path, at_once: Option<usize>) -> anyhow::Result<Child> {
    let program = std::env::current_exe().context("cannot find this program's own file")?;
    let log = log_path(folder);
    let log = std::fs::File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
    let mut command = Command::new(program);
    command.arg("worker").arg(folder).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
    if let Some(at_once) = at_once {
        command.env(engine::AT_ONCE_VARIABLE, at_once.to_string());
    }
    // Its own group: an interrupt from the keyboard reaches this process alone, which then asks the worker to stop.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    command.spawn().context("cannot start the worker")
}

fn log_tail(path: &Path) -> String {
    let read = || -> std::io::Result<Vec<u8>> {
        let mut file = std::fs::File::open(path)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(LOG_TAIL)))?;
        let mut bytes = Vec::new();
        file.take(LOG_TAIL).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    read().map(|bytes| String::from_utf8_lossy(&bytes).trim().to_owned()).unwrap_or_default()
}

/// `seed 7 (2 of 3) · ligand 4 of 11 · search 45 % · about 2 min 10 s left`
fn progress_line(job: &JobProgress) -> String {
    let mut parts = Vec::new();
    if let Some(seed) = job.seed.filter(|_| job.seeds > 1) {
        parts.push(format!("seed {seed} ({} of {})", job.seeds_done + 1, job.seeds));
    }
    if job.ligands > 1 {
        parts.push(format!("ligand {} of {}", (job.ligands_done + 1).min(job.ligands), job.ligands));
    }
    match &job.progress {
        Some(progress) => {
            let percent = job.stage_fraction().filter(|_| progress.steps > 1);
            let percent = percent.map_or_else(String::new, |fraction| format!(" {:.0} %", 100.0 * fraction));
            parts.push(format!("{}{percent}", progress.stage));
        }
        None if job.ligands_done > 0 => parts.push("finishing".into()),
        None => parts.push("starting".into()),
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
    if let Some(seconds) = job.seconds_left(now) {
        parts.push(format!("about {} left", duration(seconds)));
    }
    parts.join(" · ")
}

/// The table of samples, then the paths of the outputs, one a line.
fn report_complexes(job: &Job, results: &Results, json: bool) -> anyhow::Result<()> {
    let complexes = results.ranked_complexes();
    let outputs = ["model.cif", "model.pdb", "confidence.json", "summary.csv", "series.csv", "ligands.sdf"];
    let paths: Vec<PathBuf> =
        outputs.map(|name| job.output_path(name)).into_iter().filter(|path| path.is_file()).collect();
    if json {
        let samples: Vec<_> = complexes
            .iter()
            .map(|complex| {
                let ligands: Vec<_> = complex.ligands.iter().map(|(_, record)| record).collect();
                serde_json::json!({
                    "seed": complex.seed,
                    "sample": complex.sample,
                    "ligand": complex.ligand,
                    "confidence": complex.confidence,
                    "ligands": ligands,
                })
            })
            .collect();
        return standard_output::json(&serde_json::json!({
            "name": job.query().name,
            "folder": job.folder().display().to_string(),
            "engine": EngineName::KFold.name(),
            "files": paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>(),
            "samples": samples,
        }));
    }
    standard_output::write(&format!("{}: complexes by K-Fold\n{}", job.query().name, complexes_table(&complexes)))?;
    for path in paths {
        standard_output::line(&path.display().to_string())?;
    }
    Ok(())
}

/// The table of poses, then the paths of the outputs, one a line.
pub(super) fn report(job: &Job, json: bool) -> anyhow::Result<()> {
    let results = Results::load_job(job)?;
    if job.settings().engine == EngineName::KFold {
        return report_complexes(job, &results, json);
    }
    let poses = results.ranked_poses();
    let mut paths = vec![job.model_path(), job.affinity_path(), job.correlation_path(), job.summary_path()];
    for seed in &job.settings().seeds {
        paths.extend(["ensemble.pdb", "ensemble.cif", "rmsf.csv"].map(|name| job.seed_folder(*seed).join(name)));
    }
    if poses.is_empty() {
        paths.retain(|path| *path != job.summary_path());
    }
    paths.retain(|path| path.is_file());
    if json {
        let records: Vec<_> = poses.iter().map(|(_, pose)| &pose.record).collect();
        return standard_output::json(&serde_json::json!({
            "name": job.query().name,
            "folder": job.folder().display().to_string(),
            "files": paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>(),
            "poses": records,
            "correlation": results.comparison(),
        }));
    }
    if let Some((_, best)) = poses.first() {
        let rows: Vec<Row<'_>> = poses.iter().map(|(_, pose)| Row::from(&pose.record)).collect();
        let made_by = best.record.provenance.display_name();
        standard_output::write(&format!("{}: poses by {made_by}\n{}", job.query().name, table(&rows)))?;
        if let Some(comparison) = results.comparison() {
            standard_output::write(&comparison_text(&comparison))?;
        }
    }
    for path in paths {
        standard_output::line(&path.display().to_string())?;
    }
    Ok(())
}
