//! What breaks.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::service::{Service, client, query, small, until};

#[test]
fn servers_and_workers_are_killed_and_every_job_ends_once() {
    let mut service = Service::start("[workers]\nslots = 2\nattempts = 100\n");
    let mut ids: Vec<String> =
        (0..12).map(|number| service.accepted(&query(&format!("job{number}"), 60 + number))).collect();
    let kill_worker = |id: &str, data: &Path| {
        let folder = data.join("jobs").join(id);
        if let Ok(text) = std::fs::read_to_string(folder.join("worker.lock"))
            && kfold_inference::job::Job::is_running(&folder)
        {
            let _ = Command::new("kill").args(["-9", text.trim()]).output();
        }
    };
    // Ever the same blows: what they hit depends on the machine.
    for round in 0..10_u64 {
        std::thread::sleep(Duration::from_millis(40 + 70 * (round * 7 % 5)));
        if round % 2 == 0 {
            let id = &ids[(round as usize * 5) % ids.len()];
            kill_worker(id, &service.data());
        } else {
            service.kill();
            // Submissions that a dying server did not acknowledge may be lost; a key makes repeating them safe.
            service.resume();
            let (status, job) = service.submit(Some(&format!("round-{round}")), &query("late", 1));
            assert_eq!(status, 201);
            ids.push(job["id"].as_str().unwrap().to_owned());
        }
    }
    for id in &ids {
        let job = service.ended(id);
        assert_eq!(job["state"], "finished", "{job}");
        let folder = service.data().join("jobs").join(id);
        let events = std::fs::read_to_string(folder.join("events.jsonl")).unwrap();
        let count = |event: &str| events.matches(&format!("\"event\":\"{event}\"")).count();
        assert_eq!(count("finished"), 1, "{events}");
        assert_eq!(count("seed_finished"), 1, "{events}");
    }
    // A graceful stop leaves a worker running, and the next server finds it.
    let id = service.accepted(&query("long", 10_000));
    let folder = service.data().join("jobs").join(&id);
    until("it runs", || kfold_inference::job::Job::is_running(&folder).then_some(()));
    let process = std::fs::read_to_string(folder.join("worker.lock")).unwrap();
    let mut child = service.child.take().unwrap();
    Command::new("kill").args(["-TERM", &child.id().to_string()]).output().unwrap();
    assert!(child.wait().unwrap().success());
    service.resume();
    std::thread::sleep(Duration::from_millis(600));
    assert_eq!(service.ask("GET", &format!("/v1/jobs/{id}")).1["state"], "running");
    assert_eq!(std::fs::read_to_string(folder.join("worker.lock")).unwrap(), process);
    assert_eq!(service.ask("POST", &format!("/v1/jobs/{id}/cancel")).0, 202);
    assert_eq!(service.ended(&id)["state"], "cancelled");
}

#[test]
fn a_worker_that_cannot_live_is_given_up_with_a_reason() {
    // A program that dies without a word, as one does that the system kills.
    let service = Service::start("[workers]\nprogram = \"/bin/false\"\nattempts = 2\n");
    let id = service.accepted(&query("hopeless", 1));
    let job = service.ended(&id);
    assert_eq!(job["state"], "failed");
    assert!(job["reason"].as_str().unwrap().contains("2 times in a row"), "{job}");
}

#[test]
fn a_client_survives_the_server_and_itself() {
    let mut service = Service::start("");
    let folder = tempfile::tempdir().unwrap();
    service.add_to(folder.path());
    let target = folder.path().join("job");
    let mut predict =
        client(folder.path(), &["predict", "--server", "lab", "--seeds", "1", "2", "--exhaustiveness", "400", "-o"]);
    for file in ["tripeptide.pdb", "benzene.sdf"] {
        std::fs::copy(small(file), folder.path().join(file)).unwrap();
    }
    std::fs::write(folder.path().join("query.json"), query("survivor", 1)).unwrap();
    predict.arg(&target).arg(folder.path().join("query.json")).stdout(Stdio::null());
    let mut first = predict.spawn().unwrap();
    let events = target.join("events.jsonl");
    until("it is sent", || std::fs::read_to_string(&events).ok()?.contains("\"started\"").then_some(()));
    // The program that was typed is killed, and its worker.
    first.kill().unwrap();
    first.wait().unwrap();
    let worker = std::fs::read_to_string(target.join("worker.lock")).unwrap();
    Command::new("kill").args(["-9", worker.trim()]).output().unwrap();
    until("it is dead", || (!kfold_inference::job::Job::is_running(&target)).then_some(()));
    // The second time the server goes away under it and comes back.
    let mut second = predict.stderr(Stdio::null()).spawn().unwrap();
    until("it follows again", || kfold_inference::job::Job::is_running(&target).then_some(()));
    std::thread::sleep(Duration::from_millis(300));
    service.kill();
    std::thread::sleep(Duration::from_millis(500));
    service.resume();
    assert!(second.wait().unwrap().success(), "{}", std::fs::read_to_string(&events).unwrap());
    assert!(kfold_inference::job::Job::open(&target).unwrap().is_done());
    let (_, list) = service.ask("GET", "/v1/jobs");
    assert_eq!(list["jobs"].as_array().unwrap().len(), 1, "sent once: {list}");
}
