//! The program as others call it: its fixed forms, its exit codes, and jobs whose worker is killed.

#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

fn sample(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../samples").join(path)
}

fn program() -> Command {
    Command::new(env!("CARGO_BIN_EXE_kfold-studio"))
}

fn run(arguments: &[&str]) -> Output {
    program().args(arguments).output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn inspect_counts_and_sums() {
    let output = run(&["inspect", text(&sample("adenylate-kinase/open.pdb")), "--json"]);
    assert!(output.status.success());
    let content: serde_json::Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert_eq!((&content["models"], &content["atoms"]), (&1.into(), &1656.into()));
    assert_eq!(content["chains"][0], serde_json::json!({"id": "A", "residues": 214, "atoms": 1656}));
    assert!(content["sum_x"].as_f64().unwrap().is_finite());
    let output = run(&["inspect", text(&sample("kinase/ligand.sdf")), "--json"]);
    let content: serde_json::Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert_eq!((&content["models"], &content["atoms"]), (&1.into(), &29.into()));
}

#[test]
fn weights_are_verified_imported_and_converted() {
    let tiny = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/goldens/tiny_model");
    let pickled =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../inference/src/kfold/checkpoint/fixtures/state_dict.pth");
    let folder = tempfile::tempdir().unwrap();
    // JSON is YAML.
    let config = folder.path().join("config.yaml");
    std::fs::copy(tiny.join("config.json"), &config).unwrap();
    let weights = tiny.join("kfold.safetensors");

    let output = run(&["models", "verify", text(&weights), "--config", text(&config), "--json"]);
    assert!(output.status.success(), "{}", stderr(&output));
    let checked: serde_json::Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert_eq!((&checked[0]["part"], &checked[0]["fits"]), (&"K-Fold".into(), &true.into()));

    // Another width: every tensor of that width is named, and the exit code says so.
    let wrong = folder.path().join("wrong.yaml");
    let changed = std::fs::read_to_string(&config).unwrap().replace("\"channel_apo\": 12", "\"channel_apo\": 16");
    std::fs::write(&wrong, changed).unwrap();
    let output = run(&["models", "verify", text(&weights), "--config", text(&wrong)]);
    assert!(!output.status.success());
    assert!(
        stdout(&output).contains("apo_module.linear_apo.weight [12, 108] instead of [16, 108]"),
        "{}",
        stdout(&output)
    );

    let models = folder.path().join("models");
    let output = run(&["models", "import", text(&weights), text(&config), "--into", text(&models)]);
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(stdout(&output).trim(), text(&models.join("kfold.safetensors")));
    assert!(models.join("config.yaml").is_file());
    let output = run(&["models", "import", text(&weights), "--into", text(&models)]);
    assert!(!output.status.success() && stderr(&output).contains("--force"), "{}", stderr(&output));

    let converted = folder.path().join("converted.safetensors");
    let output = run(&["models", "convert", text(&pickled), "-o", text(&converted)]);
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(converted.is_file());
    let output = run(&["models", "verify", text(&converted)]);
    assert!(!output.status.success() && stdout(&output).contains("holds no part"), "{}", stdout(&output));
}

/// Serves files over HTTP on this machine, whatever part is asked for; its address.
fn serve(files: Vec<(&'static str, Vec<u8>)>) -> String {
    use std::io::{BufRead, BufReader, Write};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let answer = move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let lines: Vec<String> =
                BufReader::new(&stream).lines().map(|line| line.unwrap()).take_while(|line| !line.is_empty()).collect();
            let path = lines[0].split(' ').nth(1).unwrap();
            let file = files.iter().find(|(name, _)| path.ends_with(name));
            let (status, body) = file.map_or(("404 Not Found", &[][..]), |(_, body)| ("200 OK", body.as_slice()));
            let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
            let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body));
        }
    };
    std::thread::Builder::new().name("server".to_owned()).spawn(answer).unwrap();
    address
}

#[test]
fn weights_are_pulled_listed_and_removed() {
    let tiny = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/goldens/tiny_model");
    let config = std::fs::read(tiny.join("config.json")).unwrap();
    let weights = std::fs::read(tiny.join("kfold.safetensors")).unwrap();
    let page = b"<!DOCTYPE html><title>Please log in</title>".to_vec();
    let files = [
        ("kaist-ai-bio/kfold/resolve/main/config.yaml", config),
        ("kaist-ai-bio/kfold/resolve/main/weights/kfold.pth", weights),
        ("kaist-ai-bio/kfold-assets/resolve/main/weights/rna_seq_1b.pth", page),
    ];
    let mirror = serve(files.into());
    let folder = tempfile::tempdir().unwrap();
    let models = folder.path().join("models");
    let pull = |what: &[&str]| {
        let mut arguments = vec!["models", "pull"];
        arguments.extend(what);
        run(&[&arguments[..], &["--mirror", &mirror, "--models", text(&models), "--json"]].concat())
    };

    // Offline nothing is fetched, by either switch.
    let output = pull(&["config", "--offline"]);
    assert!(!output.status.success() && stderr(&output).contains("offline"), "{}", stderr(&output));
    let output = program()
        .args(["models", "pull", "config", "--mirror", &mirror, "--models", text(&models)])
        .env("KFOLD_OFFLINE", "1")
        .output()
        .unwrap();
    assert!(!output.status.success() && stderr(&output).contains("offline"), "{}", stderr(&output));

    let output = pull(&["config", "kfold"]);
    assert!(output.status.success(), "{}", stderr(&output));
    let pulled: serde_json::Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert_eq!(pulled[1]["sha256"].as_str().map(str::len), Some(64));
    // A second time there is nothing to do.
    let output = pull(&["config", "kfold"]);
    let again: serde_json::Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert_eq!((&again[1]["source"], &again[1]["sha256"]), (&serde_json::Value::Null, &pulled[1]["sha256"]));
    // A page instead of weights is thrown away.
    let output = pull(&["rna-encoder"]);
    assert!(!output.status.success() && stderr(&output).contains("is of no use"), "{}", stderr(&output));
    // The light model's repository is not known.
    let output = pull(&["light"]);
    assert!(!output.status.success() && stderr(&output).contains("models import --light"), "{}", stderr(&output));

    let list = || -> serde_json::Value {
        let output = run(&["models", "list", "--json", "--models", text(&models)]);
        serde_json::from_str(&stdout(&output)).unwrap()
    };
    let states = |list: &serde_json::Value| -> Vec<String> {
        list["files"].as_array().unwrap().iter().map(|file| file["state"].as_str().unwrap().to_owned()).collect()
    };
    let before = states(&list());
    assert_eq!((&before[0][..], &before[1][..]), ("here", "here"));
    assert!(before[2..].iter().all(|state| state == "absent"), "{before:?}");
    let output = run(&["models", "verify", "--json", "--models", text(&models)]);
    let verified: serde_json::Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert_eq!((&verified[0]["fits"], &verified[0]["content"]), (&true.into(), &"sha256".into()), "{verified}");

    // One bit: found by the list, by the doctor and by the verification.
    let file = models.join("kfold.pth");
    let mut bytes = std::fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&file, bytes).unwrap();
    assert_eq!(states(&list())[1], "damaged");
    assert!(!run(&["models", "verify", "--models", text(&models)]).status.success());
    let output = run(&["doctor", "--json", "--models", text(&models)]);
    let findings: serde_json::Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert_eq!(findings["weights"]["models"][0]["damaged"], serde_json::json!(["kfold"]));
    assert!(findings["next_step"].as_str().unwrap().contains("pull --force kfold"), "{findings}");
    let output = pull(&["kfold", "--force"]);
    assert!(output.status.success(), "{}", stderr(&output));

    let output = run(&["models", "remove", "full", "--models", text(&models)]);
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(std::fs::read_dir(&models).unwrap().count(), 0, "nothing is left");
}

#[test]
fn plans_say_what_a_query_needs() {
    let folder = tempfile::tempdir().unwrap();
    let query = folder.path().join("q.yaml");
    let sequence = "MKTAYIAKQRQISFVKSHFSRQLEERLGLIEVQ";
    let write = |repeats: usize| {
        let sequence = sequence.repeat(repeats);
        std::fs::write(
            &query,
            format!(
                "name: q\nsequences:\n- protein: {{id: A, sequence: {sequence}}}\n- ligand: {{id: L, smiles: CCO}}\n"
            ),
        )
        .unwrap();
    };
    write(1);
    let plan = |model: &str| {
        let output = run(&["plan", text(&query), "--model", model, "--json", "--models", text(folder.path())]);
        let plan: serde_json::Value = serde_json::from_str(&stdout(&output)).unwrap();
        (output.status.success(), plan)
    };
    let (_, small) = plan("full");
    assert_eq!((&small["sizes"]["tokens"], &small["sizes"]["folded"]), (&36.into(), &serde_json::json!([[33]])));
    assert_eq!(small["stages"][0]["stage"], "apo");
    let (_, light) = plan("light");
    let peak = |plan: &serde_json::Value| plan["peak_bytes"].as_u64().unwrap();
    assert!(peak(&light) < peak(&small));
    // No machine has the memory for this.
    write(3000);
    let (fits, huge) = plan("full");
    assert!(!fits && huge["refusal"]["ways"].as_array().is_some_and(|ways| !ways.is_empty()), "{}", huge["refusal"]);
}

#[test]
fn errors_are_one_sentence_and_no_success() {
    let folder = tempfile::tempdir().unwrap();
    let query = folder.path().join("q.yaml");
    std::fs::write(&query, "name: q\nsequences:\n- ligand: {id: L, smile: CCO}\n").unwrap();
    let (no_atoms, nowhere) = (folder.path().join("empty.pdb"), folder.path().join("x"));
    std::fs::write(&no_atoms, "REMARK nothing\n").unwrap();
    for (arguments, expected) in [
        (vec!["inspect", "nothing-here.pdb"], "nothing-here.pdb"),
        (vec!["predict", text(&query), "-o", "x", "--dry-run"], "sequences[0].ligand: unknown field `smile`"),
        (vec!["worker", text(folder.path())], "holds no job"),
        (vec!["dock", "r.pdb", "--ligand", "CCO", "-o", "x", "--padding", "3"], "--padding belongs to"),
        (vec!["morph", "a.pdb", "b.pdb", "-o", "m.pdb"], "a.pdb"),
    ] {
        let output = run(&arguments);
        assert!(!output.status.success(), "{arguments:?}");
        assert!(output.stdout.is_empty());
        let said = stderr(&output);
        assert!(said.contains(expected), "{said}");
        assert_eq!(said.trim().lines().count(), 1, "{said}");
    }
    // What a file lacks is found behind the first line of progress.
    let output = run(&["dock", text(&no_atoms), "--ligand", "CCO", "-o", text(&nowhere)]);
    assert!(!output.status.success() && stderr(&output).contains("empty.pdb"), "{}", stderr(&output));
    assert!(!nowhere.exists());
    assert_eq!(run(&["--no-such-option"]).status.code(), Some(2));
    assert!(run(&["--version"]).status.success());
}

#[test]
fn docking_and_scoring_keep_their_forms() {
    let folder = tempfile::tempdir().unwrap();
    let receptor = sample("nuclear-receptor/receptor.pdb");
    let reference = sample("nuclear-receptor/ligand.sdf");
    let (receptor, reference) = (text(&receptor), text(&reference));
    let mut arguments = vec!["dock", receptor, "--ligand", "CC(=O)c1ccccc1", "--box-from", reference];
    arguments.extend(["--padding", "4", "--exhaustiveness", "1", "--poses", "3", "--seed", "7"]);
    arguments.extend(["-o", text(folder.path())]);
    let output = run(&arguments);
    assert!(output.status.success(), "{}", stderr(&output));
    let poses = folder.path().join("poses.sdf");
    let file = std::fs::read_to_string(&poses).unwrap();
    let field = |file: &str, name: &str| -> Vec<f64> {
        let lines = file.lines().zip(file.lines().skip(1));
        lines.filter(|(header, _)| header.contains(name)).map(|(_, value)| value.parse().unwrap()).collect()
    };
    let scores = field(&file, "<score_kcal_per_mol>");
    assert!(!scores.is_empty() && scores.len() <= 3 && scores.iter().all(|score| *score < 0.0), "{scores:?}");
    let probabilities = field(&file, "<pose_probability>");
    assert!(file.contains("Vina + GNINA CNN") && field(&file, "<predicted_pk>").len() == scores.len());
    // As `PoseScore::confidence` has it, to the digits of the file.
    let trust: Vec<f64> =
        probabilities.iter().zip(&scores).map(|(p, score)| (p / (1.0 - p)).ln() - 0.25 * score).collect();
    assert!(trust.windows(2).all(|pair| pair[0] >= pair[1] - 0.02), "{probabilities:?}, {scores:?}");

    let output = run(&["score", receptor, "--pose", text(&poses), "--json"]);
    assert!(output.status.success(), "{}", stderr(&output));
    let records: serde_json::Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert_eq!(records.as_array().unwrap().len(), scores.len());
    assert!(records[0]["score_kcal_per_mol"].as_f64().unwrap() < 0.0);
    // What the networks say of a pose does not depend on how it came about.
    for (record, probability) in records.as_array().unwrap().iter().zip(&probabilities) {
        let again = record["cnn"]["pose_probability"].as_f64().unwrap();
        assert!((again - probability).abs() < 2e-3, "{again} is not {probability}");
    }

    arguments.push("--no-cnn");
    let output = run(&arguments);
    assert!(output.status.success(), "{}", stderr(&output));
    let file = std::fs::read_to_string(&poses).unwrap();
    let scores = field(&file, "<score_kcal_per_mol>");
    assert!(scores.windows(2).all(|pair| pair[0] <= pair[1]), "{scores:?}");
    assert!(field(&file, "<pose_probability>").is_empty() && !file.contains("CNN"));
}

#[test]
fn a_worker_killed_again_and_again_finishes_the_same_job() {
    let folder = tempfile::tempdir().unwrap();
    let query = folder.path().join("q.yaml");
    let text_of_query = format!(
        "name: q\nsequences: [{{ligand: {{id: L, smiles: 'CC(=O)c1ccccc1'}}}}]\nstructure: {}\npocket: {{ligand: {}, padding: 3}}\n\
         engine: {{name: docking, docking: {{exhaustiveness: 1, poses: 2}}}}\n",
        text(&sample("nuclear-receptor/receptor.pdb")),
        text(&sample("nuclear-receptor/ligand.sdf"))
    );
    std::fs::write(&query, text_of_query).unwrap();
    let (whole, killed) = (folder.path().join("whole"), folder.path().join("killed"));
    let predict = |output: &Path| vec!["predict".to_owned(), text(&query).into(), "-o".into(), text(output).into()];
    let seeds = ["--seeds", "1", "2"];
    let output = program().args(predict(&whole)).args(seeds).output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    let paths = stdout(&output);
    assert!(paths.lines().any(|line| line.ends_with("q_model.cif")), "{paths}");
    assert!(paths.lines().any(|line| line.ends_with("q_summary.csv")), "{paths}");

    // The same job, made by a first run that is ended at once; the worker goes on by itself and is killed directly.
    std::fs::create_dir(&killed).unwrap();
    for name in ["query.json", "settings.json"] {
        std::fs::copy(whole.join(name), killed.join(name)).unwrap();
    }
    std::fs::create_dir(killed.join("inputs")).unwrap();
    for entry in std::fs::read_dir(whole.join("inputs")).unwrap() {
        let path = entry.unwrap().path();
        std::fs::copy(&path, killed.join("inputs").join(path.file_name().unwrap())).unwrap();
    }
    let mut kills = 0;
    for milliseconds in [20, 90, 150, 240, 330] {
        let mut worker =
            program().arg("worker").arg(&killed).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(milliseconds));
        kills += usize::from(worker.try_wait().unwrap().is_none());
        worker.kill().unwrap();
        worker.wait().unwrap();
    }
    assert!(kills > 0);
    // A dry run says what is left, a run does it.
    let output = program().args(predict(&killed)).args(seeds).args(["--dry-run", "--json"]).output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(program().args(predict(&killed)).args(seeds).output().unwrap().status.success());
    for name in
        ["q_model.cif", "q_docking.json", "q_summary.csv", "seed-1/poses.sdf", "seed-2/poses.sdf", "seed-2/poses.json"]
    {
        let read = |folder: &Path| std::fs::read(folder.join(name)).unwrap();
        assert!(read(&whole) == read(&killed), "{name} differs");
    }
    // Other settings do not go into this folder.
    let output = program().args(predict(&killed)).args(["--seeds", "5"]).output().unwrap();
    assert!(!output.status.success() && stderr(&output).contains("holds another job"), "{}", stderr(&output));
}

#[test]
fn convert_keeps_what_is_selected() {
    let folder = tempfile::tempdir().unwrap();
    let closed = sample("adenylate-kinase/closed.pdb");
    let part = folder.path().join("part.cif");
    let arguments = ["convert", text(&closed), "-o", text(&part), "--select", "/A:10-20 & ~hydrogens", "--json"];
    let output = run(&arguments);
    assert!(output.status.success(), "{}", stderr(&output));
    let written: serde_json::Value = serde_json::from_str(&stdout(&output)).unwrap();
    let content: serde_json::Value = serde_json::from_str(&stdout(&run(&["inspect", text(&part), "--json"]))).unwrap();
    assert_eq!(content["chains"][0]["residues"], 11);
    assert_eq!(written["atoms"], content["atoms"]);
    // A structure's ligands get their bonds from the component dictionary.
    let ligands = folder.path().join("ligands.sdf");
    let output = run(&["convert", text(&closed), "-o", text(&ligands)]);
    assert!(output.status.success(), "{}", stderr(&output));
    let content: serde_json::Value =
        serde_json::from_str(&stdout(&run(&["inspect", text(&ligands), "--json"]))).unwrap();
    assert_eq!((&content["models"], &content["atoms"]), (&1.into(), &57.into()));
    let output = run(&["convert", text(&sample("thrombin-series/receptor.pdb")), "-o", text(&ligands)]);
    assert!(!output.status.success() && stderr(&output).contains("no ligand"), "{}", stderr(&output));
    let smiles = folder.path().join("ligand.smi");
    let output = run(&["convert", text(&sample("kinase/ligand.sdf")), "-o", text(&smiles)]);
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(std::fs::read_to_string(&smiles).unwrap().contains("C#C"));
    let sequences = folder.path().join("both.fasta");
    assert!(run(&["convert", text(&sample("protease/receptor.pdb")), "-o", text(&sequences)]).status.success());
    let fasta = std::fs::read_to_string(&sequences).unwrap();
    assert_eq!(fasta.matches('>').count(), 2);
    assert!(fasta.contains("PQITLW"), "{fasta}");
    for (arguments, expected) in [
        (["--select", "chian A"], "did you mean `chain`?"),
        (["--select", "chain Q"], "no atom of"),
        (["--model", "7"], "no model 7"),
    ] {
        let output = run(&[&["convert", text(&closed), "-o", text(&part)][..], &arguments].concat());
        assert!(!output.status.success());
        assert!(stderr(&output).contains(expected), "{}", stderr(&output));
    }
}

#[test]
fn align_by_sequence_shape_and_selection() {
    let folder = tempfile::tempdir().unwrap();
    let (open, closed) = (sample("adenylate-kinase/open.pdb"), sample("adenylate-kinase/closed.pdb"));
    let report = |extra: &[&str]| -> serde_json::Value {
        let output = run(&[&["align", text(&open), text(&closed), "--json"], extra].concat());
        assert!(output.status.success(), "{}", stderr(&output));
        serde_json::from_str(&stdout(&output)).unwrap()
    };
    let number = |value: &serde_json::Value| value.as_f64().unwrap();
    let whole = report(&[]);
    // By gemmi over the same 214 alpha carbons.
    assert!((number(&whole["rmsd_angstrom"]) - 6.8797).abs() < 0.001, "{}", whole["rmsd_angstrom"]);
    assert_eq!((&whole["paired_residues"], &whole["distances"][213]["mobile"]), (&214.into(), &"A GLY 214".into()));
    // By TM-align.
    let shape = report(&["--by", "shape"]);
    assert!((number(&shape["tm_score_by_target"]) - 0.686).abs() < 0.005, "{}", shape["tm_score_by_target"]);
    let moved = folder.path().join("moved.pdb");
    let core =
        report(&["--select", "resi 1-29+68-117 and backbone", "--rmsd", "resi 30-67 and name CA", "-o", text(&moved)]);
    assert!(number(&core["superposed_rmsd_angstrom"]) < 2.5, "{core}");
    assert!(number(&core["selected"]["rmsd_angstrom"]) > 5.0);
    // What was written lies where it was said to.
    let output = run(&["align", text(&moved), text(&closed), "--select", "resi 1-29+68-117 and backbone", "--json"]);
    let again: serde_json::Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert!((number(&again["rmsd_angstrom"]) - number(&core["rmsd_angstrom"])).abs() < 0.01);
    assert!((number(&again["rotation"][0][0]) - 1.0).abs() < 1e-3);
    // Each model of a file by itself: the first as alone, and none with too little in common.
    let nmr = sample("dna-complex/complex.pdb");
    let output = run(&["align", text(&nmr), text(&nmr), "--models", "--json"]);
    let models: serde_json::Value = serde_json::from_str(&stdout(&output)).unwrap();
    let rmsd: Vec<f64> = models["models"].as_array().unwrap().iter().map(|fit| number(&fit["rmsd_angstrom"])).collect();
    assert_eq!(rmsd.len(), 3);
    assert!(rmsd[0] < 1e-3 && rmsd[1] > 0.2 && rmsd[2] > 0.2, "{rmsd:?}");
    let output = run(&["align", text(&open), text(&sample("kinase/ligand.sdf"))]);
    assert!(!output.status.success() && output.stdout.is_empty());
}

#[test]
fn interactions_and_checks_of_a_crystal_pose() {
    let (receptor, ligand) = (sample("kinase/receptor.pdb"), sample("kinase/ligand.sdf"));
    let output = run(&["interactions", text(&receptor), "--pose", text(&ligand), "--json"]);
    assert!(output.status.success(), "{}", stderr(&output));
    let found: serde_json::Value = serde_json::from_str(&stdout(&output)).unwrap();
    let hinge = found
        .as_array()
        .unwrap()
        .iter()
        .find(|record| record["kind"] == "hydrogen_bond" && record["residue"].as_str().unwrap().contains("MET"));
    let hinge = hinge.unwrap();
    assert!((2.4..3.5).contains(&hinge["distance_angstrom"].as_f64().unwrap()), "{hinge}");
    assert!(hinge["angle_degrees"].as_f64().unwrap() > 120.0);
    let output =
        run(&["interactions", text(&receptor), "--pose", text(&ligand), "--format", "csv", "--with", "resn MET"]);
    let csv = stdout(&output);
    assert!(csv.starts_with("ligand,kind,"), "{csv}");
    assert!(csv.lines().skip(1).all(|line| line.contains("MET")), "{csv}");

    let output = run(&["check", text(&receptor), "--pose", text(&ligand), "--json"]);
    let checked: serde_json::Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert!(output.status.success(), "{checked}");
    assert_eq!(checked[0]["passed"], true);
    assert!(checked[0]["checks"].as_array().unwrap().len() >= 6);
    // Another molecule than was asked for.
    let output = run(&["check", text(&receptor), "--pose", text(&ligand), "--reference", "CCO", "--json"]);
    assert!(!output.status.success());
    let output = run(&["check", text(&receptor), "--ligand", "chain Q"]);
    assert!(stderr(&output).contains("--pose"), "{}", stderr(&output));
}

#[test]
fn an_assembly_is_made_of_its_copies() {
    let folder = tempfile::tempdir().unwrap();
    let input = folder.path().join("trimer.pdb");
    let operator = |number: u32, rows: [&str; 3]| {
        let rows = rows.iter().enumerate();
        rows.map(|(row, text)| format!("REMARK 350   BIOMT{}   {number} {text}\n", row + 1)).collect::<String>()
    };
    let identity = [" 1.0 0.0 0.0 0.0", " 0.0 1.0 0.0 0.0", " 0.0 0.0 1.0 0.0"];
    let third = [" 0.0 0.0 1.0 0.0", " 1.0 0.0 0.0 0.0", " 0.0 1.0 0.0 0.0"];
    let remark = [
        "REMARK 350 BIOMOLECULE: 1\nREMARK 350 APPLY THE FOLLOWING TO CHAINS: A\n",
        &operator(1, identity),
        &operator(2, third),
        &operator(3, [third[2], third[0], third[1]]),
    ]
    .concat();
    let atoms = "ATOM      1  CA  GLY A   1       1.000   2.000   3.000  1.00  0.00           C\n\
                 ATOM      2  CA  GLY B   1       9.000   9.000   9.000  1.00  0.00           C\n";
    std::fs::write(&input, format!("{remark}{atoms}")).unwrap();
    for (name, chains) in [("made.pdb", ["A", "C", "D"]), ("made.cif", ["A", "A-2", "A-3"])] {
        let output = folder.path().join(name);
        let done = run(&["convert", text(&input), "-o", text(&output), "--assembly", "1"]);
        assert!(done.status.success(), "{}", stderr(&done));
        let made = kfold_molecule::formats::read_structure(&output).unwrap();
        let model = made.first().unwrap();
        let ids: Vec<&str> = model.topology.chains.iter().map(|chain| chain.id.as_str()).collect();
        assert_eq!(ids, chains);
        assert_eq!(model.positions[1].to_array(), [3.0, 1.0, 2.0]);
        assert_eq!(model.positions[2].to_array(), [2.0, 3.0, 1.0]);
    }
    let done = run(&["convert", text(&input), "-o", text(&folder.path().join("x.pdb")), "--assembly", "2"]);
    assert!(stderr(&done).contains("there is no assembly \"2\"; the file has 1"), "{}", stderr(&done));
}

#[test]
fn an_assembly_is_drawn_with_a_word_and_by_a_scene_file() {
    let folder = tempfile::tempdir().unwrap();
    let input = folder.path().join("dimer.pdb");
    let receptor = std::fs::read_to_string(sample("adenylate-kinase/open.pdb")).unwrap();
    let operators = "REMARK 350 BIOMOLECULE: 1\nREMARK 350 APPLY THE FOLLOWING TO CHAINS: A\n\
                     REMARK 350   BIOMT1   1  1.000000  0.000000  0.000000        0.00000\n\
                     REMARK 350   BIOMT2   1  0.000000  1.000000  0.000000        0.00000\n\
                     REMARK 350   BIOMT3   1  0.000000  0.000000  1.000000        0.00000\n\
                     REMARK 350   BIOMT1   2 -1.000000  0.000000  0.000000        0.00000\n\
                     REMARK 350   BIOMT2   2  0.000000 -1.000000  0.000000        0.00000\n\
                     REMARK 350   BIOMT3   2  0.000000  0.000000  1.000000      140.00000\n";
    std::fs::write(&input, format!("{operators}{receptor}")).unwrap();
    let draw = |name: &str, arguments: &[&str]| {
        let path = folder.path().join(name);
        let mut all = vec!["render", "-o", text(&path), "--size", "160x100", "--samples", "1", "--transparent"];
        all.extend(arguments);
        let done = run(&all);
        assert!(done.status.success(), "{}", stderr(&done));
        image::open(&path).unwrap().to_rgba8()
    };
    let alone = draw("alone.png", &[text(&input)]);
    let assembly = draw("assembly.png", &[text(&input), "--assembly", "1"]);
    // Two molecules far apart leave a gap between them, one has none.
    let gaps = |picture: &image::RgbaImage| {
        let is_empty = |column: u32| (0..picture.height()).all(|row| picture.get_pixel(column, row)[3] == 0);
        let full: Vec<bool> = (0..picture.width()).map(|column| !is_empty(column)).collect();
        full.windows(2).filter(|pair| pair[0] && !pair[1]).count()
    };
    assert_eq!((gaps(&alone), gaps(&assembly)), (1, 2));
    let scene = folder.path().join("scene.json");
    std::fs::write(&scene, r#"{ "version": 1, "molecules": [{ "file": "dimer.pdb", "assembly": "1" }] }"#).unwrap();
    assert_eq!(draw("scene.png", &["--scene", text(&scene)]), assembly);
    std::fs::write(&scene, r#"{ "version": 1, "molecules": [{ "file": "dimer.pdb", "assembly": "7" }] }"#).unwrap();
    let output = folder.path().join("none.png");
    let done = run(&["render", "--scene", text(&scene), "-o", text(&output)]);
    assert!(!done.status.success() && !output.exists());
    assert!(stderr(&done).contains("there is no assembly \"7\"; the file has 1"), "{}", stderr(&done));
}

#[test]
fn a_picture_shows_what_was_selected() {
    let folder = tempfile::tempdir().unwrap();
    let (receptor, ligand) = (sample("protease/receptor.pdb"), sample("protease/ligand.sdf"));
    let picture = |name: &str, more: &[&str]| {
        let path = folder.path().join(name);
        let mut arguments = vec!["render", text(&receptor), text(&ligand), "-o", text(&path), "--size", "160x100"];
        arguments.extend(more);
        let done = run(&arguments);
        assert!(done.status.success(), "{}", stderr(&done));
        image::open(&path).unwrap().to_rgb8()
    };
    let colours = |picture: &image::RgbImage| picture.pixels().filter(|pixel| pixel.0 != [255; 3]).count();
    let whole = picture("whole.png", &["--whole"]);
    let half = picture("half.png", &["--whole", "--hide", "chain B"]);
    let pocket = picture("pocket.png", &["--whole", "--show", "resn LIG or byres (protein within 4 of resn LIG)"]);
    let outlined = picture("outlined.png", &["--whole", "--select", "chain A"]);
    assert!(colours(&half) > 0 && colours(&pocket) > 0);
    assert!(whole != half && whole != pocket && whole != outlined);
    let output = folder.path().join("none.png");
    let done = run(&["render", text(&receptor), "-o", text(&output), "--show", "chain Q"]);
    assert!(!done.status.success() && !output.exists());
    assert!(stderr(&done).contains("--show: no atom is selected by `chain Q`"), "{}", stderr(&done));
    let done = run(&["render", text(&receptor), "-o", text(&output), "--hide", "chian A"]);
    assert!(stderr(&done).contains("column 1"), "{}", stderr(&done));
}

#[test]
fn queries_of_other_programs_are_converted_and_predicted() {
    let fixture =
        |name: &str| Path::new(env!("CARGO_MANIFEST_DIR")).join("../inference/src/query/import/fixtures").join(name);
    let folder = tempfile::tempdir().unwrap();
    let written = folder.path().join("query.yaml");
    let output = run(&["convert", text(&fixture("boltz.yaml")), "-o", text(&written), "--json"]);
    // Something is left out, and said.
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    assert!(stderr(&output).contains("left out: constraints[1].pocket: "), "{}", stderr(&output));
    let content: serde_json::Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert_eq!((&content["records"], content["left_out"].as_array().unwrap().len()), (&6.into(), 7));
    let expected = std::fs::read_to_string(fixture("boltz.expected.yaml")).unwrap();
    let expected = expected.replace("name: stem", "name: boltz");
    assert_eq!(std::fs::read_to_string(&written).unwrap(), expected);

    // A list of jobs is taken apart by number; seeds have no place in a query.
    let server = fixture("server.json");
    let output = run(&["convert", text(&server), "-o", text(&written)]);
    assert!(!output.status.success() && stderr(&output).contains("2 jobs (first_job, second)"), "{}", stderr(&output));
    let output = run(&["convert", text(&server), "-o", text(&written), "--model", "2"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(std::fs::read_to_string(&written).unwrap().starts_with("name: second\n"));

    // `predict` takes them as they are, with the seeds in them.
    let job = folder.path().join("job");
    let alphafold = fixture("alphafold3.json");
    let output = run(&["predict", text(&alphafold), "-o", text(&job), "--engine", "docking", "--dry-run", "--json"]);
    let plan: serde_json::Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert_eq!(plan["seeds_pending"], serde_json::json!([7, 11]), "{}", stderr(&output));
    assert!(stderr(&output).contains("left out: userCCDPath: "));
}

#[test]
fn equal_scene_files_give_equal_pixels() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::copy(sample("protease/ligand.sdf"), folder.path().join("ligand.sdf")).unwrap();
    let scene = folder.path().join("scene.json");
    let write = |extra: &str| {
        let text = format!(
            r##"{{ "version": 1, "molecules": [
                {{ "representations": [{{ "as": "cartoon", "color": "rainbow", "opacity": 0.5 }}] }},
                {{ "file": "ligand.sdf", "representations": [{{ "as": "sticks" }}] }}
            ], "size": [96, 64], "samples": 2, "labels": [{{ "atoms": "resn LIG", "text": "리간드" }}] {extra} }}"##
        );
        std::fs::write(&scene, text).unwrap();
    };
    let receptor = sample("protease/receptor.pdb");
    let draw = |name: &str, more: &[&str]| {
        let path = folder.path().join(name);
        let mut arguments = vec!["render", text(&receptor), "--scene", text(&scene), "-o", text(&path)];
        arguments.extend(more);
        let done = run(&arguments);
        assert!(done.status.success(), "{}", stderr(&done));
        std::fs::read(&path).unwrap()
    };
    write("");
    let first = draw("first.png", &[]);
    assert_eq!(first, draw("second.png", &[]));
    let dark = draw("dark.png", &["--style", "dark"]);
    assert_ne!(first, dark);
    write(r#", "style": "dark""#);
    assert_eq!(dark, draw("dark-again.png", &[]));
    assert_eq!(&draw("picture.glb", &[])[..4], b"glTF");
    write(r#", "colour": 1"#);
    let output = folder.path().join("none.png");
    let done = run(&["render", text(&receptor), "--scene", text(&scene), "-o", text(&output)]);
    assert!(!done.status.success() && !output.exists());
    assert!(stderr(&done).contains("unknown field `colour`"), "{}", stderr(&done));
}

#[test]
fn a_movie_is_a_folder_of_pictures() {
    let folder = tempfile::tempdir().unwrap();
    let (open, closed) = (sample("adenylate-kinase/open.pdb"), sample("adenylate-kinase/closed.pdb"));
    let frames = folder.path().join("frames");
    let done = run(&[
        "movie",
        text(&open),
        "--morph",
        text(&closed),
        "--frames",
        "3",
        "--and-back",
        "--size",
        "48x32",
        "--samples",
        "1",
        "-o",
        text(&frames),
    ]);
    assert!(done.status.success(), "{}", stderr(&done));
    let frame = |number: u32| image::open(frames.join(format!("frame-{number:05}.png"))).unwrap().to_rgba8();
    assert_eq!(std::fs::read_dir(&frames).unwrap().count(), 4);
    assert!(frame(1) != frame(3) && frame(2) == frame(4));
}
