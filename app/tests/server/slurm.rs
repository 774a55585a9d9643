//! A real Slurm of three nodes on this machine (packaging/slurm-dev.sh), and what happens to it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::kfold;
use crate::service::{Service, query, series, tiny_models, tree, until};

/// The cluster, taken down at the end.
struct Cluster {
    folder: tempfile::TempDir,
    port: u16,
}

impl Cluster {
    /// `None` where there is no Slurm.
    fn start() -> Option<Self> {
        let has =
            |program: &str| ["/usr/sbin", "/usr/bin"].iter().any(|folder| Path::new(folder).join(program).is_file());
        if !["slurmctld", "slurmd", "sbatch", "munged"].iter().all(|program| has(program)) {
            eprintln!("skipped: no Slurm here; packaging/slurm-dev.sh install gets it on Debian");
            return None;
        }
        // Six ports in a row that are free now.
        let port = (18_900..20_000).step_by(20).find(|port| {
            [0, 11, 12, 13].iter().all(|more| std::net::TcpListener::bind(("127.0.0.1", port + more)).is_ok())
        })?;
        let cluster = Self { folder: tempfile::tempdir().unwrap(), port };
        let output = cluster.script(&["up", "-n", "3", "-g", "1"]);
        if output.is_none() {
            eprintln!("skipped: Slurm is here but does not start");
            return None;
        }
        Some(cluster)
    }

    fn place(&self) -> PathBuf {
        self.folder.path().join("cluster")
    }

    fn script(&self, arguments: &[&str]) -> Option<String> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../packaging/slurm-dev.sh");
        // Daemons keep what they inherit: nothing of it may be a pipe that somebody reads to its end.
        let log = self.folder.path().join("log");
        let file = || std::fs::OpenOptions::new().create(true).append(true).open(&log).unwrap();
        let status = Command::new(script)
            .args(arguments)
            .env("SLURM_DEV_DIR", self.place())
            .env("SLURM_DEV_PORT", self.port.to_string())
            .stdout(file())
            .stderr(file())
            .status()
            .unwrap();
        let text = std::fs::read_to_string(&log).unwrap();
        if !status.success() {
            eprintln!("{text}");
        }
        status.success().then_some(text)
    }

    fn configuration(&self) -> PathBuf {
        self.place().join("etc/slurm.conf")
    }

    fn queue(&self, format: &str) -> Vec<String> {
        let output =
            Command::new("squeue").args(["-h", "-r", "-o", format]).env("SLURM_CONF", self.configuration()).output();
        String::from_utf8(output.unwrap().stdout).unwrap().lines().map(|line| line.trim().to_owned()).collect()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.script(&["down"]);
    }
}

const CONFIGURATION: &str = "[workers]\nexecutor = \"slurm\"\nligands_per_piece = 2\nattempts = 5\ngrace_seconds = 2\n\
                             [slurm]\ncpus_per_task = 1\ngres = \"gpu:1\"\nmemory = \"500M\"\npoll_seconds = 1\nlost_seconds = 10\n";

#[test]
fn slurm_runs_arrays_and_loses_nothing() {
    let Some(cluster) = Cluster::start() else { return };
    let environment = [("SLURM_CONF", cluster.configuration().display().to_string())];
    let models = tiny_models();
    // Behind the table of workers, with which the configuration begins.
    let (workers, slurm) = CONFIGURATION.split_once("[slurm]").unwrap();
    let configuration = format!("{workers}models = {:?}\n[slurm]{slurm}", models.path());
    let mut service = Service::start_with(&configuration, &environment);

    // One job, then a series as an array of three.
    let id = service.accepted(&query("single", 1));
    assert_eq!(service.ended(&id)["state"], "finished");
    let id = series(&service, "array", 1);
    let job = service.ended(&id);
    assert_eq!((&job["state"], &job["pieces_done"]), (&"finished".into(), &3.into()), "{job}");

    // K-Fold on a node gives the files of a run here.
    let folder = kfold::user(kfold::QUERY);
    let folder = folder.path();
    service.add_to(folder);
    let here = ["--engine", "kfold", "--models", models.path().to_str().unwrap()];
    kfold::run(kfold::predict(folder, "here", &here));
    kfold::run(kfold::predict(folder, "there", &["--engine", "kfold", "--server", "lab"]));
    kfold::compare(&tree(&folder.join("here/small")), &tree(&folder.join("there/small")));

    // Cancelled: gone from Slurm too.
    let id = series(&service, "cancelled", 10_000);
    until("it runs", || (cluster.queue("%T").iter().filter(|state| *state == "RUNNING").count() == 3).then_some(()));
    assert_eq!(service.ask("POST", &format!("/v1/jobs/{id}/cancel")).0, 202);
    assert_eq!(service.ended(&id)["state"], "cancelled");
    until("the queue is empty", || cluster.queue("%i").is_empty().then_some(()));

    // A node dies with its job, and the server with it; both come back.
    let id = series(&service, "survivor", 400);
    until("it runs", || (cluster.queue("%T").iter().filter(|state| *state == "RUNNING").count() == 3).then_some(()));
    let node = cluster.queue("%N").first().cloned().unwrap();
    cluster.script(&["kill-node", &node]).unwrap();
    service.kill();
    service.resume();
    cluster.script(&["start-node", &node]).unwrap();
    let job = service.ended(&id);
    assert_eq!(job["state"], "finished", "{job}");
    let events = std::fs::read_to_string(service.data().join("jobs").join(&id).join("events.jsonl")).unwrap();
    assert_eq!(events.matches("\"event\":\"finished\"").count(), 1, "{events}");
    let records = service.ask("GET", &format!("/v1/jobs/{id}/outputs/survivor_docking.json")).1;
    let mut ligands: Vec<&str> =
        records.as_array().unwrap().iter().map(|record| record["ligand_name"].as_str().unwrap()).collect();
    ligands.sort_unstable();
    ligands.dedup();
    assert_eq!(ligands, ["l0", "l1", "l2", "l3", "l4", "l5"]);

    // The controller dies right after it took a job.
    let id = series(&service, "forgotten", 1);
    until("it is submitted", || (service.ask("GET", &format!("/v1/jobs/{id}")).1["state"] == "running").then_some(()));
    cluster.script(&["kill-ctld"]).unwrap();
    std::thread::sleep(Duration::from_secs(1));
    cluster.script(&["start-ctld"]).unwrap();
    assert_eq!(service.ended(&id)["state"], "finished");
}
