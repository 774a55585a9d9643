//! The workbench: palette, undo of the view, sessions, the queue, settings, the tour and lessons.

use std::path::{Path, PathBuf};

use egui::accesskit::{Role, Toggled};
use egui::{Key, Modifiers};
use egui_kittest::kittest::{NodeT as _, Queryable as _};

use super::{Desk, root};

#[test]
fn everything_is_found_by_a_part_of_its_name_in_any_language() {
    let mut desk = Desk::new();
    let field = "Search commands, samples and files";
    desk.press(Modifiers::COMMAND, Key::K);
    desk.harness.get_by_role_and_label(Role::TextInput, field).type_text("kinase inh");
    desk.harness.step();
    desk.harness.step();
    desk.harness.check_accessibility();
    desk.press(Modifiers::NONE, Key::Enter);
    assert!(desk.harness.query_by_label(field).is_none());
    desk.wait_for_label("A · protein, 312 residues");
    desk.rest();

    // Named in Korean, by its first consonants, in the English window: 상호작용.
    assert!(desk.harness.state().document().view.interactions);
    desk.press(Modifiers::COMMAND | Modifiers::SHIFT, Key::P);
    desk.harness.get_by_role_and_label(Role::TextInput, field).type_text("ㅅㅎㅈㅇ");
    desk.harness.step();
    desk.harness.step();
    desk.harness.get_by_role_and_label(Role::ListBoxOption, "Interactions").click();
    desk.harness.step();
    desk.harness.step();
    assert!(!desk.harness.state().document().view.interactions);
    desk.press(Modifiers::COMMAND, Key::K);
    desk.press(Modifiers::NONE, Key::Escape);
    assert!(desk.harness.query_by_label(field).is_none());
}

#[test]
fn the_camera_is_undone_and_redone() {
    let mut desk = Desk::new();
    desk.click("Kinase and its inhibitor");
    desk.wait_for_label("A · protein, 312 residues");
    desk.rest();
    let camera = |desk: &Desk| desk.harness.state().document().camera.unwrap();
    let first = camera(&desk);
    desk.press(Modifiers::ALT, Key::Num2);
    desk.press(Modifiers::NONE, Key::ArrowRight);
    desk.rest();
    let turned = camera(&desk);
    assert_ne!(turned, first);
    desk.press(Modifiers::COMMAND, Key::Num3);
    desk.rest();
    for (key, wanted) in [(Modifiers::COMMAND, turned), (Modifiers::COMMAND, first)] {
        desk.press(key, Key::Z);
        desk.rest();
        assert_eq!(camera(&desk), wanted);
    }
    desk.press(Modifiers::COMMAND | Modifiers::SHIFT, Key::Z);
    desk.rest();
    assert_eq!(camera(&desk), turned);
}

#[test]
fn a_session_goes_on_where_the_last_window_ended() {
    let mut desk = Desk::new();
    desk.click("Protease dimer");
    desk.wait_for_label("A · protein, 99 residues");
    desk.write(Role::TextInput, "Selection", "chain B");
    desk.rest();
    let before = desk.harness.state().document().clone();
    // The window ends without having been closed.
    let Desk { harness, folder } = desk;
    drop(harness);
    let mut desk = Desk::with_folder(folder);
    desk.wait("the session", |harness| !harness.state().notice_texts().is_empty());
    desk.wait_for_label("A · protein, 99 residues");
    desk.rest();
    assert_eq!(desk.harness.state().document(), &before);
    desk.press(Modifiers::COMMAND, Key::Z);
    desk.press(Modifiers::COMMAND, Key::Z);
    assert_ne!(desk.harness.state().document(), &before);

    let path = desk.folder.path().join("mine.kfsession");
    desk.press(Modifiers::COMMAND | Modifiers::SHIFT, Key::E);
    desk.write(Role::TextInput, "Path", &path.display().to_string());
    desk.click("Write it");
    desk.wait("the file", |_| path.is_file());
    desk.rest();
    desk.rest();
    let saved = desk.harness.state().document().clone();
    let Desk { harness, folder } = desk;
    drop(harness);
    let mut desk = Desk::in_language("korean");
    desk.harness.state_mut().open(&path);
    desk.wait("the session", |harness| harness.state().document() == &saved);
    drop(folder);
}

#[test]
fn a_run_asked_for_at_the_start_comes_before_the_last_session() {
    let mut desk = Desk::new();
    let runs = ["first", "second"].map(|name| desk.folder.path().join(name));
    for run in &runs {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_kfold-studio"))
            .arg("predict")
            .arg(root().join("samples/nuclear-receptor/query.yaml"))
            .args(["--exhaustiveness", "1", "--no-cnn", "-o"])
            .arg(run)
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let [first, second] = runs.map(|run| run.display().to_string());
    desk.harness.state_mut().open(Path::new(&first));
    desk.wait_for_label(&first);
    desk.rest();
    // The window ends without having been closed, and the next one is given another run.
    let Desk { harness, folder } = desk;
    drop(harness);
    let mut desk = Desk::with_folder(folder);
    desk.harness.state_mut().open(Path::new(&second));
    desk.wait_for_label(&second);
    desk.rest();
    desk.rest();
    assert!(desk.harness.query_by_label(&second).is_some());
    assert!(desk.harness.query_by_label(&first).is_none());
}

/// A query whose docking takes some seconds.
fn slow_query(desk: &Desk, name: &str, effort: u32) -> PathBuf {
    let path = desk.folder.path().join(format!("{name}.yaml"));
    let receptor = root().join("samples/protease/receptor.pdb");
    let reference = root().join("samples/protease/ligand.sdf");
    let text = format!(
        "name: {name}\nsequences:\n- ligand:\n    id: L\n    smiles: CC(C)CN(CC(O)CNC(=O)OCc1ccccc1)S(=O)(=O)c1ccccc1\n\
         structure: {}\npocket:\n  ligand: {}\nengine:\n  docking:\n    exhaustiveness: {effort}\n    poses: 2\n    \
         threads: 1\n",
        receptor.display(),
        reference.display()
    );
    std::fs::write(&path, text).unwrap();
    path
}

fn open_slow_query(desk: &mut Desk, name: &str, effort: u32) {
    let query = slow_query(desk, name, effort);
    desk.harness.state_mut().open(&query);
    desk.wait("the query", |harness| {
        harness.state().document().query.name == name
            && harness
                .query_all_by_label("Predict")
                .chain(harness.query_all_by_label("Add to the queue"))
                .next()
                .is_some_and(|node| !node.accesskit_node().is_disabled())
    });
    // The panel finds its height.
    desk.rest();
}

#[test]
fn jobs_wait_in_order_and_outlive_the_window() {
    let mut desk = Desk::new();
    // It must not end before it is cancelled below: its results would lie over the list, however slow the machine.
    open_slow_query(&mut desk, "first", 4000);
    desk.click("Predict");
    desk.wait_for_label("Log of first");
    for name in ["second", "third"] {
        open_slow_query(&mut desk, name, 64);
        desk.click("Add to the queue");
        desk.wait_for_label(&format!("Log of {name}"));
    }
    desk.harness.check_accessibility();
    desk.wait_for_label("Pause first");
    let order = |desk: &Desk| {
        let text = std::fs::read_to_string(desk.folder.path().join("runs/queue.json")).unwrap_or_default();
        let mut places: Vec<(usize, &str)> = ["first", "second", "third"]
            .into_iter()
            .filter_map(|name| Some((text.find(&format!("/{name}\""))?, name)))
            .collect();
        places.sort_unstable();
        places.into_iter().map(|(_, name)| name).collect::<Vec<_>>()
    };
    assert_eq!(order(&desk), ["first", "second", "third"]);
    desk.click("third sooner");
    for _ in 0..200 {
        if order(&desk) == ["first", "third", "second"] {
            break;
        }
        desk.harness.step();
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    assert_eq!(order(&desk), ["first", "third", "second"]);
    // The list follows the file: only then the button is where it stays.
    desk.wait_for_label("third later");
    desk.click("Pause third");
    desk.wait_for_label("Resume third");
    desk.click("Log of first");
    desk.wait_for_label("took the job");
    desk.press(Modifiers::NONE, Key::Escape);

    // The window goes; the jobs do not.
    let Desk { harness, folder } = desk;
    drop(harness);
    let mut desk = Desk::with_folder(folder);
    desk.wait_for_label("Log of first");
    desk.wait_for_label("Resume third");
    desk.wait("first or second at work", |harness| {
        harness.query_by_label("Pause first").is_some() || harness.query_by_label("Pause second").is_some()
    });
    for name in ["second", "third", "first"] {
        let label = format!("Cancel {name}");
        if desk.harness.query_by_label(&label).is_some() {
            desk.click(&label);
        }
    }
    desk.wait("the end of all", |harness| {
        ["first", "second", "third"].iter().all(|name| {
            harness.query_by_label(&format!("Try {name} again")).is_some()
                || harness.query_by_label(&format!("Show results of {name}")).is_some()
        })
    });
}

#[test]
fn a_killed_worker_is_told_and_its_job_goes_on() {
    let mut desk = Desk::new();
    open_slow_query(&mut desk, "killed", 2);
    desk.click("Predict");
    desk.wait_for_label("Searching poses");
    let events = std::fs::read_to_string(desk.folder.path().join("runs/killed/events.jsonl")).unwrap();
    let started: serde_json::Value = serde_json::from_str(events.lines().next().unwrap()).unwrap();
    let process = started["process"].to_string();
    assert!(std::process::Command::new("kill").args(["-9", &process]).status().unwrap().success());
    desk.wait_for_label("The worker was stopped from outside");
    assert!(!desk.harness.state().is_running());
    desk.click("Try killed again");
    desk.wait("the worker", |harness| harness.state().is_running());
    desk.wait_long("the poses", |harness| harness.query_all_by_label_contains("Pose 1: ").next().is_some());
    // The list lies behind the results now.
    desk.press(Modifiers::ALT, Key::Num8);
    desk.wait_for_label("Show results of killed");
}

#[test]
fn the_tour_ends_with_a_finished_prediction() {
    // Nothing has been chosen yet: this is the first time.
    let mut desk = Desk::with_folder(tempfile::tempdir().unwrap());
    desk.harness.check_accessibility();
    if desk.harness.query_by_label("Begin").is_none() {
        // The language of whoever runs the test.
        desk.press(Modifiers::COMMAND | Modifiers::SHIFT, Key::L);
    }
    desk.click("Begin");
    desk.click("Open the sample");
    desk.wait_for_label("Start the prediction");
    desk.wait("the query", |harness| {
        harness.query_by_label("Predict").is_some_and(|node| !node.accesskit_node().is_disabled())
    });
    desk.click("Start the prediction");
    desk.wait_for_label("While it runs");
    desk.wait_long("the result", |harness| harness.query_by_label("Read the result").is_some());
    desk.wait_for_label("Pose 1: ");
    desk.click("Go on with the lessons");
    desk.wait_for_label("How a drug sits in its target");
    assert!(desk.harness.query_by_label("Finish").is_none());
    desk.harness.check_accessibility();
}

#[test]
fn a_lesson_drives_the_window_and_checks_its_tasks() {
    for (language, title, sample, hinge, go, wrong, right) in [
        (
            "english",
            "How a drug sits in its target",
            "kinase and its inhibitor",
            "methionine 769",
            "go there",
            "Below 20 Å",
            "Below 2 Å",
        ),
        (
            "korean",
            "약은 표적에 어떻게 자리 잡을까요",
            "키나아제와 저해제",
            "메티오닌 769",
            "그곳으로 가기",
            "20 Å 미만",
            "2 Å 미만",
        ),
    ] {
        let mut desk = Desk::in_language(language);
        // A lesson of a teacher's own stands behind ours.
        let own = desk.folder.path().join("lessons/own");
        std::fs::create_dir_all(&own).unwrap();
        std::fs::write(own.join("en.md"), "# My own lesson\n\n- [ ] Do it [](studio:check/results)\n").unwrap();
        desk.press(Modifiers::ALT, Key::Num9);
        desk.wait_for_label("My own lesson");
        desk.harness.check_accessibility();
        desk.click(title);
        desk.harness.get_by_role_and_label(Role::Link, sample).click();
        desk.harness.step();
        desk.wait("the structure", |harness| harness.state().document().query.name == "egfr_erlotinib");
        desk.rest();
        desk.harness.get_by_role_and_label(Role::Link, hinge).click();
        desk.rest();
        assert_eq!(desk.harness.state().document().selection, "chain A and resi 769");
        desk.harness.get_by_role_and_label(Role::Link, go).click();
        desk.rest();
        let ticked = |desk: &Desk| {
            desk.harness
                .query_all_by_role(Role::CheckBox)
                .filter(|node| {
                    let node = node.accesskit_node();
                    node.is_disabled() && node.toggled() == Some(Toggled::True)
                })
                .count()
        };
        assert_eq!(ticked(&desk), 2, "{language}");
        // They may lie below what is seen.
        for label in [wrong, right, if language == "english" { "All lessons" } else { "모든 수업" }] {
            desk.harness.check_accessibility();
            desk.harness.get_by_label(label).click_accesskit();
            desk.harness.step();
            desk.harness.step();
        }
        desk.wait_for_label("My own lesson");
        // Two tasks and a question, of six; they are kept.
        let kept = desk.folder.path().join("preferences.json");
        desk.wait("the preferences", |_| {
            let text = std::fs::read_to_string(&kept).unwrap_or_default();
            let kept: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
            kept["lessons"]["binding"] == serde_json::json!([0, 1, 5])
        });
    }
}

#[test]
fn settings_explain_themselves_and_the_offline_switch_closes_the_network() {
    use std::net::TcpListener;

    let folder = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    let servers = format!(r#"[{{"name":"lab","url":"http://{address}","token":"t"}}]"#);
    std::fs::write(folder.path().join("servers.json"), servers).unwrap();
    std::fs::write(folder.path().join("preferences.json"), r#"{"language":"english","dark":false}"#).unwrap();
    let mut desk = Desk::with_folder(folder);
    desk.press(Modifiers::COMMAND, Key::Comma);
    desk.harness.get_by_label("Settings: General");
    desk.harness.check_accessibility();
    desk.click("Open no connection");
    desk.click("Settings: Privacy");
    desk.harness.get_by_label("lab: you will be asked");
    desk.harness.check_accessibility();
    desk.click("Settings: About");
    desk.wait_for_label("packages it is made of");
    desk.wait_for_label("egui_tiles");
    desk.harness.check_accessibility();
    desk.press(Modifiers::NONE, Key::Escape);
    let queue = desk.folder.path().join("runs/queue.json");
    desk.wait("the queue", |_| std::fs::read_to_string(&queue).is_ok_and(|text| text.contains("\"is_offline\": true")));

    // With the switch on, no server can be chosen.
    open_slow_query(&mut desk, "private", 1);
    assert!(desk.harness.query_by_label("Where it runs: lab").is_none());
    // The worker of a job that was meant for a server opens nothing either.
    let run = desk.folder.path().join("runs/private");
    let query = kfold_inference::query::Query::read(&desk.folder.path().join("private.yaml")).unwrap();
    let settings = kfold_inference::settings::Settings::for_query(&query);
    kfold_inference::job::Job::create(&run, &query, &settings).unwrap();
    kfold_inference::remote::mark(&run, "lab", 0).unwrap();
    let servers = desk.folder.path().join("servers.json");
    let config = desk.folder.path().join("config/kfold-studio");
    std::fs::create_dir_all(&config).unwrap();
    std::fs::copy(&servers, config.join("servers.json")).unwrap();
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_kfold-studio"))
        .arg("worker")
        .arg(&run)
        .env("KFOLD_OFFLINE", "1")
        .env("XDG_CONFIG_HOME", desk.folder.path().join("config"))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && said.contains("offline"), "{said}");
    // In the queue it waits.
    kfold_inference::job::queue::Queue::of(&desk.folder.path().join("runs")).add(&run).unwrap();
    desk.wait_for_label("Waiting for the network");
    assert!(listener.accept().is_err(), "somebody knocked");
}

#[test]
fn notes_belong_to_the_document() {
    for (language, name) in [("english", "Notes"), ("korean", "노트")] {
        let mut desk = Desk::in_language(language);
        desk.press(Modifiers::ALT, Key::Num0);
        desk.write(Role::MultilineTextInput, name, "the hinge is residue 769");
        desk.rest();
        assert_eq!(desk.harness.state().document().notes, "the hinge is residue 769");
        desk.harness.check_accessibility();
        desk.press(Modifiers::COMMAND, Key::Z);
        assert_eq!(desk.harness.state().document().notes, "");
    }
}
