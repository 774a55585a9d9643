//! What users do.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::service::{Service, client, exchange, outputs, query, sample, small, until};

#[test]
fn a_remote_run_is_the_local_run_byte_for_byte() {
    let service = Service::start("[workers]\nslots = 2\nligands_per_piece = 2\n");
    let folder = tempfile::tempdir().unwrap();
    service.add_to(folder.path());
    // A series, so that it is cut into pieces there and put together again.
    std::fs::copy(small("tripeptide.pdb"), folder.path().join("tripeptide.pdb")).unwrap();
    std::fs::write(folder.path().join("series.smi"), "c1ccccc1 a\nCCO b\nCC(C)O c\nCCN d\nCCCl e\n").unwrap();
    let query = "name: a_series\nstructure: tripeptide.pdb\nsequences: []\nseries: series.smi\n\
                 pocket: {center: [4, 20, 0], size: [15, 15, 15]}\nengine: {name: docking, docking: {exhaustiveness: 1}}\n";
    std::fs::write(folder.path().join("query.yaml"), query).unwrap();
    let predict = |output: &str, more: &[&str]| {
        let target = folder.path().join(output);
        let mut command = client(folder.path(), &["predict", "--seeds", "3", "8", "--json", "-o"]);
        let output = command.arg(&target).args(more).arg(folder.path().join("query.yaml")).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        outputs(&target)
    };
    let here = predict("here", &[]);
    let there = predict("there", &["--server", "lab"]);
    assert!(here.len() > 12, "{:?}", here.keys());
    assert_eq!(here.keys().collect::<Vec<_>>(), there.keys().collect::<Vec<_>>());
    for (name, content) in &here {
        assert!(*content == there[name], "{name} differs");
    }
    // Every ligand was told, and the pieces are gone.
    let events = std::fs::read_to_string(folder.path().join("there/events.jsonl")).unwrap();
    assert_eq!(events.matches("ligand_finished").count(), 10);
    let (_, list) = service.ask("GET", "/v1/jobs");
    let job = &list["jobs"][0];
    assert_eq!((&job["state"], &job["pieces"], &job["pieces_done"]), (&"finished".into(), &3.into(), &3.into()));
    let id = job["id"].as_str().unwrap();
    assert!(!service.data().join("jobs").join(id).join("pieces").exists());

    // Deleted is deleted.
    let output = client(folder.path(), &["remote", "delete"]).arg(folder.path().join("there")).output().unwrap();
    assert!(output.status.success());
    until("the files are gone", || (!service.data().join("jobs").join(id).exists()).then_some(()));
    assert_eq!(service.ask("GET", &format!("/v1/jobs/{id}")).0, 404);
}

#[test]
fn following_and_fetching_go_on_where_they_stopped() {
    let mut service = Service::start("");
    let id = service.accepted(&query("followed", 1));
    assert_eq!(service.ended(&id)["state"], "finished");
    let follow = |service: &Service, last: Option<&str>| {
        let last = last.map_or_else(String::new, |id| format!("Last-Event-ID: {id}\r\n"));
        let head = format!(
            "GET /v1/jobs/{id}/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nConnection: close\r\n{last}\r\n",
            service.token
        );
        let (status, body) = exchange(service.address, head.as_bytes());
        assert_eq!(status, 200);
        let text = String::from_utf8(body).unwrap();
        let field = |name: &str| -> Vec<String> {
            text.lines().filter_map(|line| line.strip_prefix(name)).map(|rest| rest.trim().to_owned()).collect()
        };
        (field("data:"), field("id:"))
    };
    let (all, ids) = follow(&service, None);
    assert!(all[0].contains("\"started\"") && all.last().unwrap().contains("\"state\":\"finished\""), "{all:?}");
    assert!(!all.join("").contains(service.data().to_str().unwrap()));
    // After a restart of the server the rest is exactly the rest.
    service.kill();
    service.resume();
    let (rest, _) = follow(&service, Some(&ids[2]));
    assert_eq!(rest, all[3..]);
    // Nonsense and places within a line give everything rather than nothing.
    assert_eq!(follow(&service, Some("7")).0, all);
    assert_eq!(follow(&service, Some("999999999")).0, all);

    let path = format!("/v1/jobs/{id}/outputs/followed_docking.json");
    let (status, whole) = service.ask_as(&service.token, "GET", &path);
    assert_eq!(status, 200);
    let range = |range: &str| {
        let head = format!(
            "GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nConnection: close\r\nRange: {range}\r\n\r\n",
            service.token
        );
        exchange(service.address, head.as_bytes())
    };
    assert_eq!(range("bytes=10-"), (206, whole[10..].to_vec()));
    assert_eq!(range("bytes=99999999-").0, 416);
    let (status, archive) = service.ask_as(&service.token, "GET", &format!("/v1/jobs/{id}/archive"));
    assert_eq!(status, 200);
    let file = service.folder.path().join("archive.tar.gz");
    std::fs::write(&file, archive).unwrap();
    let list = Command::new("tar").arg("tzf").arg(&file).output().unwrap();
    let list = String::from_utf8(list.stdout).unwrap();
    assert!(list.contains("followed/seed-1/poses.sdf") && list.contains("followed/query.json"), "{list}");
    assert!(!list.contains("worker") && !list.contains("./"), "{list}");
}

#[test]
fn a_key_is_one_job_and_a_cancelled_job_stops() {
    let service = Service::start("");
    let long = query("long", 10_000);
    let (status, first) = service.submit(Some("key-1"), &long);
    assert_eq!(status, 201);
    let (status, again) = service.submit(Some("key-1"), &long);
    assert_eq!((status, &again["id"]), (200, &first["id"]));
    assert_eq!(service.submit(Some("key-1"), &query("other", 1)).0, 409);
    // At once from many sides.
    let answers: Vec<(u16, Value)> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| service.submit(Some("key-2"), &long))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(answers.iter().filter(|(status, _)| *status == 201).count(), 1, "{answers:?}");
    assert!(answers.iter().all(|(status, job)| matches!(status, 200 | 201) && job["id"] == answers[0].1["id"]));

    let id = first["id"].as_str().unwrap();
    until("it runs", || (service.ask("GET", &format!("/v1/jobs/{id}")).1["state"] == "running").then_some(()));
    // The worker sees nothing of the server's environment, and no network where the system allows that.
    let lock = service.data().join("jobs").join(id).join("worker.lock");
    let process: String = until("the worker holds its lock", || {
        std::fs::read_to_string(&lock).ok().filter(|text| !text.trim().is_empty())
    });
    let proc = Path::new("/proc").join(process.trim());
    if let Ok(environment) = std::fs::read(proc.join("environ")) {
        assert!(!String::from_utf8_lossy(&environment).contains("SECRET_OF_THE_SERVER"));
        let (_, capabilities) = service.ask("GET", "/v1/capabilities");
        if capabilities["workers_without_network"] == true {
            let devices = std::fs::read_to_string(proc.join("net/dev")).unwrap();
            assert_eq!(devices.lines().skip(2).filter(|line| !line.trim_start().starts_with("lo:")).count(), 0);
        } else {
            eprintln!("not checked: this system lets no process leave the network");
        }
    }
    let waiting = answers[0].1["id"].as_str().unwrap();
    for id in [waiting, id] {
        assert_eq!(service.ask("POST", &format!("/v1/jobs/{id}/cancel")).0, 202);
        assert_eq!(service.ended(id)["state"], "cancelled");
    }
    // A key is free when its job is deleted.
    assert_eq!(service.ask("DELETE", &format!("/v1/jobs/{id}")).0, 204);
    assert_eq!(service.submit(Some("key-1"), &query("other", 1)).0, 201);
}

/// The samples as users have them, and the lines of a stream as they come.
#[test]
fn results_stream_while_a_series_runs() {
    let service = Service::start("[workers]\nligands_per_piece = 6\n");
    let receptor = std::fs::read(sample("thrombin-series/receptor.pdb")).unwrap();
    let text = serde_json::json!({
        "name": "stream",
        "sequences": [],
        "structure": "receptor.pdb",
        "series": [{"id": "a", "smiles": "c1ccccc1"}, {"id": "b", "smiles": "CCO"}],
        "pocket": {"center": [17.0, -13.0, 23.0], "size": [12.0, 12.0, 12.0]},
        "engine": {"name": "docking", "docking": {"exhaustiveness": 1}},
    })
    .to_string();
    let (status, job) =
        service.submit_form(None, &[("query", None, text.as_bytes()), ("file", Some("receptor.pdb"), &receptor)]);
    assert_eq!(status, 201, "{job}");
    let mut stream = TcpStream::connect(service.address).unwrap();
    let id = job["id"].as_str().unwrap();
    let head =
        format!("GET /v1/jobs/{id}/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\n\r\n", service.token);
    stream.write_all(head.as_bytes()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let mut seen = Vec::new();
    for line in BufReader::new(stream).lines() {
        let line = line.unwrap();
        seen.push(line.clone());
        if line.contains("\"state\":\"finished\"") {
            break;
        }
        assert!(!line.contains("\"state\":\"failed\""), "{line}");
    }
    let all = seen.join("\n");
    assert_eq!(all.matches("ligand_finished").count(), 2, "{all}");
}

#[test]
fn the_document_names_every_operation() {
    let output = Command::new(env!("CARGO_BIN_EXE_kfold-studio")).args(["serve", "openapi"]).output().unwrap();
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    let mut operations = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            operations.push(format!("{method} {path}"));
            assert!(!operation["summary"].as_str().unwrap().is_empty());
            let is_open = path == "/health";
            assert_eq!(operation["security"].is_null(), is_open, "{path}");
        }
    }
    assert_eq!(operations.len(), 12, "{operations:?}");
    assert!(document["components"]["schemas"]["RemoteJob"]["properties"]["state"].is_object());
}

#[test]
fn what_is_old_is_forgotten() {
    let service = Service::start("[retention]\nended_days = 0.0\n");
    let id = service.accepted(&query("old", 1));
    let folder = service.data().join("jobs").join(id);
    until("it is gone", || (!folder.exists()).then_some(()));
}
