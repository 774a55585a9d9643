//! K-Fold on a server, with tiny random weights, and `auto` on its way there.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use std::io::Write;

use serde_json::Value;

use crate::service::{Service, client, tiny_models, tree, until};

const FEW_STEPS: &str = "--num-recycles 1 --num-steps 4 --num-samples 2 --device cpu";

pub const QUERY: &str = "
name: small
sequences:
- protein: {id: A, sequence: MKTAYGWLPE}
- ligand: {id: X, smiles: 'C[C@H](N)C(=O)O'}
";

/// A series beside a cofactor, with names that are no file names.
const SERIES: &str = "
name: many
sequences:
- protein: {id: A, sequence: MKTAYGWLPE}
- ligand: {id: L, ccd: MG}
series:
- {id: alanine, smiles: 'C[C@H](N)C(=O)O', measured_pk: 5.5}
- {id: ../ethanol, smiles: CCO}
- {id: Benzene, smiles: c1ccccc1}
- {id: benzene, smiles: c1ccccc1O}
";

/// A user with a configuration of their own and few steps for apo structures.
pub fn user(query: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let apo = "monomer: {num_recycles: 1, num_samples: 2, num_steps: 4}\n";
    std::fs::write(folder.path().join("apo.yaml"), apo).unwrap();
    std::fs::write(folder.path().join("query.yaml"), query).unwrap();
    folder
}

/// `predict` of the user's query as a command line.
pub fn predict(folder: &Path, output: &str, more: &[&str]) -> Command {
    let mut command = client(folder, &["predict"]);
    command.arg(folder.join("query.yaml")).arg("-o").arg(folder.join(output));
    command.args(FEW_STEPS.split(' ')).arg("--apo-config").arg(folder.join("apo.yaml")).args(more);
    // No weights of this machine's user.
    command.env("KFOLD_MODELS", folder.join("nowhere"));
    command
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout)
}

pub fn run(mut command: Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    said(&output)
}

/// The command at a terminal, where somebody types an answer; `None` where no terminal can be had.
fn at_terminal(command: &Command, answer: &str) -> Option<Output> {
    let mut line = String::new();
    for part in std::iter::once(command.get_program()).chain(command.get_args()) {
        line.push_str(&format!("'{}' ", part.to_str().unwrap()));
    }
    let mut script = Command::new("script");
    script.args(["--quiet", "--return", "--command", &line, "/dev/null"]);
    script.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let started = script.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = match started {
        Ok(child) => child,
        Err(error) => {
            eprintln!("not tested: there is no `script` here to make a terminal with ({error})");
            return None;
        }
    };
    // Kept open until the end: `script` takes the end of its input for the end of the terminal.
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(format!("{answer}\n").as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    drop(stdin);
    Some(output)
}

fn jobs(service: &Service) -> usize {
    service.ask("GET", "/v1/jobs").1["jobs"].as_array().unwrap().len()
}

#[test]
fn auto_asks_before_the_first_sending_and_the_server_gives_the_local_tree() {
    let models = tiny_models();
    let service =
        Service::start(&format!("[workers]\nmodels = {:?}\nnetwork = \"deny_where_possible\"\n", models.path()));
    let folder = user(QUERY);
    let folder = folder.path();
    service.add_to(folder);
    let (_, offers) = service.ask("GET", "/v1/capabilities");
    assert_eq!(offers["engines"][1]["name"], "kfold", "{offers}");

    run(predict(folder, "here", &["--engine", "kfold", "--models", models.path().to_str().unwrap()]));
    let here = tree(&folder.join("here/small"));
    assert!(here.len() > 20, "{:?}", here.keys());

    // Nobody agreed, and nobody can be asked: nothing is sent, and the way on is named.
    let output = predict(folder, "there", &[]).stdin(Stdio::null()).output().unwrap();
    assert!(!output.status.success() && said(&output).contains("kfold-studio"), "{}", said(&output));
    assert_eq!(jobs(&service), 0);
    // Asked and refused: nothing is sent.
    if let Some(output) = at_terminal(&predict(folder, "there", &[]), "n") {
        let said = said(&output);
        assert!(said.contains("K-Fold on the server lab") && said.contains("[y/N]"), "{said}");
        assert!(!output.status.success() && said.contains("nothing was sent"), "{said}");
        assert_eq!(jobs(&service), 0);
        // Asked and agreed.
        let output = at_terminal(&predict(folder, "there", &[]), "y").unwrap();
        assert!(output.status.success(), "{}", self::said(&output));
        assert_eq!(jobs(&service), 1);
    } else {
        run(client(folder, &["remote", "remove", "lab"]));
        service.add_to(folder);
        run(predict(folder, "there", &["--server", "lab"]));
    }
    compare(&here, &tree(&folder.join("there/small")));
    // From now on it goes without asking, and says so.
    let said = run(predict(folder, "again", &["--seeds", "9"]));
    assert!(said.contains("K-Fold on the server lab") && !said.contains("[y/N]"), "{said}");
    assert_eq!(jobs(&service), 2);
}

pub fn compare(here: &BTreeMap<String, Vec<u8>>, there: &BTreeMap<String, Vec<u8>>) {
    assert_eq!(here.keys().collect::<Vec<_>>(), there.keys().collect::<Vec<_>>());
    for (name, content) in here {
        assert!(*content == there[name], "{name} differs");
    }
}

#[test]
fn a_complex_for_each_ligand_of_a_series_and_a_lost_piece_is_run_again() {
    let models = tiny_models();
    let configuration = "[workers]\nslots = 2\nligands_per_piece = 2\nattempts = 50\n";
    let service = Service::start(&format!("{configuration}models = {:?}\n", models.path()));
    let folder = user(SERIES);
    let folder = folder.path();
    service.add_to(folder);
    let seeds = ["--engine", "kfold", "--seeds", "1", "2"];
    let here = [&seeds[..], &["--models", models.path().to_str().unwrap()]].concat();
    let table = run(predict(folder, "here", &here));
    assert!(table.contains("../ethanol") && table.contains("many_series.csv"), "{table}");
    let local = job_tree(&folder.join("here"));
    let trees: Vec<&str> = local.keys().filter_map(|name| name.strip_suffix("_summary.csv")).collect();
    assert_eq!(trees.len(), 4, "{trees:?}");
    let summary = String::from_utf8(local["many_series.csv"].clone()).unwrap();
    assert_eq!(summary.lines().count(), 5, "{summary}");
    assert!(summary.contains("alanine,") && summary.contains(",5.5,"), "{summary}");

    // The first worker that is seen at a piece is killed.
    let mut child = predict(folder, "there", &[&seeds[..], &["--server", "lab"]].concat()).spawn().unwrap();
    let killed = until("a worker runs a piece", || {
        for job in std::fs::read_dir(service.data().join("jobs")).ok()?.flatten() {
            for number in 1..=4 {
                let piece = job.path().join(format!("pieces/{number:05}"));
                if kfold_inference::job::Job::is_running(&piece)
                    && let Ok(process) = std::fs::read_to_string(piece.join("worker.lock"))
                    && !process.trim().is_empty()
                {
                    let killed = Command::new("kill").args(["-9", process.trim()]).status().unwrap();
                    return killed.success().then_some(number);
                }
            }
        }
        None
    });
    assert!(child.wait().unwrap().success());
    let log = std::fs::read_to_string(&service.log).unwrap();
    let lost = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    assert!(lost.into_iter().any(|line| line["event"] == "worker_lost"), "piece {killed}: {log}");
    let (_, list) = service.ask("GET", "/v1/jobs");
    assert_eq!((&list["jobs"][0]["state"], &list["jobs"][0]["pieces_done"]), (&"finished".into(), &4.into()), "{list}");
    compare(&local, &job_tree(&folder.join("there")));
    let events = std::fs::read_to_string(folder.join("there/events.jsonl")).unwrap();
    assert_eq!(events.matches("complex_finished").count(), 8, "{events}");
}

/// The outputs of a K-Fold series: everything but what the job itself keeps.
fn job_tree(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = tree(folder);
    files.retain(|name, _| name.starts_with("many_"));
    files
}
