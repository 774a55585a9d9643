//! K-Fold as a program: with tiny random weights, its worker killed at random moments, and its exit codes.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

fn goldens() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/goldens")
}

fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kfold-studio"));
    // What tests take is nobody's experience.
    command.env("XDG_DATA_HOME", env!("CARGO_TARGET_TMPDIR"));
    command
}

/// The tiny model with AtlasFold and AtlasFold-M, each file with its usual name.
fn models() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(goldens().join("tiny_model")).unwrap() {
        let path = entry.unwrap().path();
        std::fs::copy(&path, folder.path().join(path.file_name().unwrap())).unwrap();
    }
    for (golden, stem) in [("atlasfold_full", "atlasfold-260703"), ("atlasfold_m_full", "atlasfold-m-260725")] {
        let (golden, place) = (goldens().join(golden), folder.path().join(stem));
        std::fs::copy(golden.join("weights.safetensors"), place.with_extension("safetensors")).unwrap();
        std::fs::copy(golden.join("sizes.yaml"), place.with_extension("yaml")).unwrap();
    }
    folder
}

const QUERY: &str = "
name: small
sequences:
- protein: {id: A, sequence: MKTAYGWLPE}
- protein_pair: {id1: H, id2: L, sequence1: GWMX, sequence2: AVK}
- ligand: {id: X, smiles: 'C[C@H](N)C(=O)O'}
";

/// `predict` in a folder, with everything that can be written.
fn predict(folder: &Path, models: &Path, output: &str, more: &[&str]) -> Output {
    let apo = "monomer: {num_recycles: 1, num_samples: 2, num_steps: 4}\nmultimer: {num_recycles: 1, num_samples: 2, num_steps: 4}\n";
    std::fs::write(folder.join("apo.yaml"), apo).unwrap();
    if !folder.join("query.yaml").exists() {
        std::fs::write(folder.join("query.yaml"), QUERY).unwrap();
    }
    let options = "predict query.yaml --engine kfold --device cpu --apo-config apo.yaml --num-recycles 1 --num-steps 20 --num-samples 2 \
                   --save-confidence --save-trajectory";
    let mut command = program();
    command
        .current_dir(folder)
        .args(options.split_whitespace())
        .args(["-o", output, "--models"])
        .arg(models)
        .args(more);
    command.output().unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// Every file below a folder with its content.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(&next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.insert(path.strip_prefix(folder).unwrap().to_owned(), std::fs::read(&path).unwrap());
            }
        }
    }
    found
}

/// Kills the worker so many times, at moments spread over its whole run, and lets it finish; whatever was left must be what an
/// undisturbed run leaves. A job that was finished between two kills is begun anew.
fn kill_and_compare(kills: u32) {
    let (models, folder) = (models(), tempfile::tempdir().unwrap());
    let seeds = ["--seeds", "1", "2", "3"];
    let output = predict(folder.path(), models.path(), "whole", &seeds);
    assert!(output.status.success(), "{}", stderr(&output));
    let whole = files(&folder.path().join("whole/small"));
    assert!(whole.contains_key(Path::new("small_summary.csv")));

    // The same job, never run.
    let killed = folder.path().join("killed");
    std::fs::create_dir(&killed).unwrap();
    for name in ["query.json", "settings.json"] {
        std::fs::copy(folder.path().join("whole").join(name), killed.join(name)).unwrap();
    }
    let worker = || program().arg("worker").arg(&killed).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let started = Instant::now();
    assert!(worker().wait().unwrap().success());
    let duration = started.elapsed();
    std::fs::remove_dir_all(killed.join("small")).unwrap();

    // Numbers that look random and are the same every time.
    let mut state = 1_u64;
    let (mut hit, mut finished) = (0, 0);
    for _ in 0..kills {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let share = (state >> 40) as f64 / f64::from(1_u32 << 24);
        let mut child = worker();
        std::thread::sleep(Duration::from_secs_f64(share * duration.as_secs_f64()));
        hit += u32::from(child.try_wait().unwrap().is_none());
        child.kill().unwrap();
        child.wait().unwrap();
        if killed.join("small/small_summary.csv").is_file() {
            finished += 1;
            assert!(worker().wait().unwrap().success());
            compare(&whole, &files(&killed.join("small")));
            std::fs::remove_dir_all(killed.join("small")).unwrap();
        }
    }
    assert!(hit > kills / 3, "only {hit} of {kills} kills met a worker");
    assert!(worker().wait().unwrap().success());
    compare(&whole, &files(&killed.join("small")));
    eprintln!(
        "{hit} of {kills} kills met a worker at work ({duration:.1?} a run); the job was finished {finished} times in between"
    );
}

fn compare(whole: &BTreeMap<PathBuf, Vec<u8>>, killed: &BTreeMap<PathBuf, Vec<u8>>) {
    assert_eq!(whole.keys().collect::<Vec<_>>(), killed.keys().collect::<Vec<_>>());
    for (path, content) in whole {
        assert!(killed[path] == *content, "{} differs after kills", path.display());
    }
}

#[test]
fn a_killed_prediction_goes_on_to_the_same_tree() {
    kill_and_compare(5);
}

#[test]
#[ignore = "minutes: the same with fifty kills"]
fn fifty_kills() {
    kill_and_compare(50);
}

#[test]
fn the_command_line_predicts_and_says_what_is_wrong() {
    let (models, folder) = (models(), tempfile::tempdir().unwrap());
    let output = predict(folder.path(), models.path(), "out", &["--json"]);
    assert!(output.status.success(), "{}", stderr(&output));
    let result: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&result["engine"], result["samples"].as_array().unwrap().len()), (&"kfold".into(), 2));
    assert!(result["samples"][0]["confidence"]["complex"]["plddt"].as_f64().unwrap() > 0.0);
    // Once more: done already.
    let output = predict(folder.path(), models.path(), "out", &[]);
    assert!(output.status.success() && stderr(&output).contains("done already"), "{}", stderr(&output));
    let table = String::from_utf8(output.stdout).unwrap();
    assert!(table.contains("complexes by K-Fold") && table.contains("small_model.cif"), "{table}");
    // Other settings do not go into this folder.
    let output = predict(folder.path(), models.path(), "out", &["--num-apos", "2"]);
    assert!(!output.status.success() && stderr(&output).contains("another job"), "{}", stderr(&output));

    let output = predict(folder.path(), &folder.path().join("nowhere"), "b", &[]);
    assert!(!output.status.success() && stderr(&output).contains("config.yaml"), "{}", stderr(&output));
    let output = predict(folder.path(), models.path(), "e", &["--dry-run"]);
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(!folder.path().join("e").exists());
    // auto takes K-Fold where its weights are, and says what to do where nothing can predict.
    let auto = |models: &Path| {
        let mut command = program();
        command.current_dir(folder.path()).args([
            "predict",
            "query.yaml",
            "-o",
            "c",
            "--dry-run",
            "--json",
            "--models",
        ]);
        command.arg(models).output().unwrap()
    };
    let plan: serde_json::Value = serde_json::from_slice(&auto(models.path()).stdout).unwrap();
    assert_eq!(plan["engine"], "kfold");
    let output = auto(&folder.path().join("nowhere"));
    let said = stderr(&output);
    assert!(!output.status.success() && said.contains("kfold-studio models") && said.contains("structure"), "{said}");

    // A checkpoint cut in half.
    let file = models.path().join("kfold.safetensors");
    let bytes = std::fs::read(&file).unwrap();
    std::fs::write(&file, &bytes[..bytes.len() / 2]).unwrap();
    let output = predict(folder.path(), models.path(), "d", &[]);
    assert!(!output.status.success() && stderr(&output).contains("kfold.safetensors"), "{}", stderr(&output));
    std::fs::write(&file, &bytes).unwrap();
    let output = predict(folder.path(), models.path(), "d", &[]);
    assert!(output.status.success(), "the same command goes on: {}", stderr(&output));
}

/// A folder in which nothing can be written, also by root: closed by its permissions, else a file system that is mounted
/// read-only. `None` where neither helps.
#[cfg(target_os = "linux")]
fn closed_folder(place: &Path) -> Option<impl Drop> {
    use std::os::unix::fs::PermissionsExt;
    struct Closed(PathBuf);
    impl Drop for Closed {
        fn drop(&mut self) {
            let _ = Command::new("umount").arg(&self.0).output();
            let _ = std::fs::set_permissions(&self.0, std::fs::Permissions::from_mode(0o755));
        }
    }
    std::fs::create_dir(place).unwrap();
    std::fs::set_permissions(place, std::fs::Permissions::from_mode(0o555)).unwrap();
    let is_closed = || std::fs::create_dir(place.join("probe")).is_err();
    if !is_closed() {
        std::fs::remove_dir(place.join("probe")).unwrap();
        let _ = Command::new("mount").args(["-t", "tmpfs", "-o", "ro", "tmpfs"]).arg(place).output();
    }
    let closed = Closed(place.to_owned());
    if is_closed() {
        return Some(closed);
    }
    eprintln!("not tested: this user may write everywhere");
    None
}

#[test]
#[cfg(target_os = "linux")]
fn a_folder_that_cannot_be_written_is_said_at_once() {
    let (models, folder) = (models(), tempfile::tempdir().unwrap());
    let closed = folder.path().join("closed");
    let Some(guard) = closed_folder(&closed) else { return };
    for output in ["closed/out", "closed"] {
        let output = predict(folder.path(), models.path(), output, &[]);
        let said = stderr(&output);
        assert!(!output.status.success() && said.contains("cannot write"), "{said}");
        assert!(said.contains("choose") && said.contains("folder"), "what to do: {said}");
    }
    assert_eq!(std::fs::read_dir(&closed).unwrap().count(), 0);
    // The weights' folder may be closed: nothing is written there.
    drop(guard);
    let weights = folder.path().join("weights");
    if let Some(_guard) = closed_folder(&weights) {
        let output = predict(folder.path(), &weights, "out", &[]);
        assert!(!output.status.success() && stderr(&output).contains("config.yaml"), "{}", stderr(&output));
    }
}

#[test]
fn a_folder_of_queries_gives_a_folder_for_each() {
    let (models, folder) = (models(), tempfile::tempdir().unwrap());
    let queries = folder.path().join("queries");
    std::fs::create_dir(&queries).unwrap();
    let text = |name: &str, smiles: &str| {
        format!(
            "name: {name}\nengine: auto\nsequences:\n- rna: {{id: A, sequence: GUAC}}\n- ligand: {{id: B, smiles: {smiles}}}\n"
        )
    };
    for (file, content) in [
        ("b.yaml", text("second", "CCO")),
        ("a.yml", text("first", "CCN")),
        ("broken.json", "{".to_owned()),
        ("notes.txt", "no query".to_owned()),
        ("twin.yaml", text("Second", "CCC")),
    ] {
        std::fs::write(queries.join(file), content).unwrap();
    }
    let run = || {
        let mut command = program();
        command.current_dir(folder.path()).args(["predict", "queries", "-o", "out", "--models"]).arg(models.path());
        command.args("--device cpu --num-recycles 1 --num-steps 4 --num-samples 1".split(' ')).output().unwrap()
    };
    let output = run();
    let said = stderr(&output);
    assert!(!output.status.success() && said.contains("broken.json") && said.contains("2 of 4 queries"), "{said}");
    assert!(said.contains("the same name"), "{said}");
    let out = folder.path().join("out");
    for name in ["first", "second"] {
        // As the public program has it.
        assert!(out.join(name).join(format!("{name}_model.cif")).is_file(), "{name}: {said}");
        assert!(out.join(name).join(format!("{name}_seed-1/done.txt")).is_file(), "{name}: {said}");
    }
    assert_eq!(std::fs::read_dir(&out).unwrap().count(), 2);
    for file in ["broken.json", "twin.yaml"] {
        std::fs::remove_file(queries.join(file)).unwrap();
    }
    let output = run();
    assert!(output.status.success() && stderr(&output).matches("done already").count() == 2, "{}", stderr(&output));
}

/// A disk that is full: `/dev/full` takes the place of an output's folder nowhere, but a file system of few blocks does. Without
/// the right to mount one the test says so and ends.
#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_said_and_survived() {
    let (models, folder) = (models(), tempfile::tempdir().unwrap());
    let disk = folder.path().join("disk");
    std::fs::create_dir(&disk).unwrap();
    let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=128k", "tmpfs"]).arg(&disk).output();
    if !mounted.is_ok_and(|output| output.status.success()) {
        eprintln!("no right to mount a small disk: not tested");
        return;
    }
    let output = predict(folder.path(), models.path(), "disk/out", &[]);
    let said = stderr(&output);
    let files_of_disk = std::fs::read_dir(&disk).is_ok();
    let resized = Command::new("mount").args(["-o", "remount,size=64m"]).arg(&disk).status().unwrap();
    let again = predict(folder.path(), models.path(), "disk/out", &[]);
    let tree = files(&disk.join("out"));
    Command::new("umount").arg(&disk).status().unwrap();
    assert!(!output.status.success() && said.contains("space"), "{said}");
    assert!(files_of_disk && resized.success() && again.status.success(), "{}", stderr(&again));
    assert!(tree.keys().any(|path| path.ends_with("small_summary.csv")));
    assert!(!tree.keys().any(|path| path.to_string_lossy().contains(".writing-")));
}
