//! Reading, comparing and exporting results in the window, by the names of its controls, in both languages; and that the numbers
//! are those of the command line.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod desk;
#[path = "results/screens.rs"]
mod screens;
#[path = "results/series.rs"]
mod series;
#[path = "results/states.rs"]
mod states;

use std::path::{Path, PathBuf};
use std::process::Command;

use egui::accesskit::Role;
use egui::{Key, Modifiers, vec2};
use egui_kittest::kittest::Queryable as _;

use self::desk::{Desk, root};

fn program() -> Command {
    Command::new(env!("CARGO_BIN_EXE_kfold-studio"))
}

fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

impl Desk {
    /// Clicks the first control whose name has this part.
    fn click_part(&mut self, part: &str) {
        self.harness.query_all_by_label_contains(part).next().unwrap_or_else(|| panic!("no {part}")).click();
        self.harness.step();
        self.harness.step();
    }

    fn selection(&self) -> String {
        self.harness.state().document().selection.clone()
    }

    /// Writes an export by its key and returns the file.
    fn export(&mut self, modifiers: Modifiers, key: Key, name: &str) -> Vec<u8> {
        let path = self.folder.path().join(name);
        self.press(modifiers, key);
        self.harness.step();
        self.write(Role::TextInput, "Path", &path.display().to_string());
        self.harness.get_by_label("Write it").click();
        self.harness.step();
        let wanted = format!("Written to {}", path.display());
        self.wait(name, |harness| harness.state().notice_texts().contains(&wanted.as_str()));
        std::fs::read(&path).unwrap()
    }
}

/// A job that the command line ran with tiny random weights: two seeds with two samples, arrays saved.
fn kfold_job(folder: &Path) -> PathBuf {
    kfold_job_of(folder, None)
}

/// The same with other lines behind the protein's.
fn kfold_job_of(folder: &Path, more: Option<&str>) -> PathBuf {
    let models = folder.join("models");
    std::fs::create_dir(&models).unwrap();
    let goldens = root().join("tests/goldens");
    for entry in std::fs::read_dir(goldens.join("tiny_model")).unwrap() {
        let path = entry.unwrap().path();
        std::fs::copy(&path, models.join(path.file_name().unwrap())).unwrap();
    }
    for (golden, stem) in [("atlasfold_full", "atlasfold-260703"), ("atlasfold_m_full", "atlasfold-m-260725")] {
        let (golden, place) = (goldens.join(golden), models.join(stem));
        std::fs::copy(golden.join("weights.safetensors"), place.with_extension("safetensors")).unwrap();
        std::fs::copy(golden.join("sizes.yaml"), place.with_extension("yaml")).unwrap();
    }
    let apo = "monomer: {num_recycles: 1, num_samples: 1, num_steps: 4}\n";
    std::fs::write(folder.join("apo.yaml"), apo).unwrap();
    let ligand = "- ligand: {id: X, smiles: 'C[C@H](N)C(=O)O'}\n";
    let text = format!(
        "name: small\nsequences:\n- protein: {{id: A, sequence: MKTAYGWLPEAVLKNDERLLG}}\n{}",
        more.unwrap_or(ligand)
    );
    std::fs::write(folder.join("query.yaml"), text).unwrap();
    let options = "predict query.yaml --engine kfold --device cpu --apo-config apo.yaml --num-recycles 1 --num-steps 10 \
                   --num-samples 2 --seeds 1 2 --save-confidence --save-trajectory -o job --models models";
    run(program().current_dir(folder).args(options.split_whitespace()));
    folder.join("job")
}

#[test]
fn a_prediction_is_read_and_its_numbers_are_those_of_the_command_line() {
    let mut desk = Desk::in_language("english");
    let job = kfold_job(desk.folder.path());
    let text = run(program().args(["report", "--json"]).arg(&job));
    let report: serde_json::Value = serde_json::from_str(&text).unwrap();
    desk.harness.state_mut().open(&job);
    desk.wait_for_label("Sample 1: ranking score");
    desk.rest();
    desk.picture("kfold-results");

    // The table's rows say what the report's rows say.
    let rows = report["tables"][0]["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 4);
    for row in rows {
        let cell = |index: usize| row[index].as_str().unwrap();
        let sentence = format!("Sample {}: ranking score {}, pLDDT {}, ipTM {}", cell(0), cell(2), cell(3), cell(4));
        assert!(desk.harness.query_by_label(&sentence).is_some(), "{sentence}");
    }

    // The grid: another sample is shown.
    desk.click_part("Seed 2, sample 1: rank");
    desk.rest();

    // The map of errors: a box lights up its tokens.
    desk.press(Modifiers::ALT, Key::Num4);
    desk.wait_for_label("Map of predicted aligned errors (PAE)");
    desk.rest();
    let map = desk.harness.query_all_by_label_contains("Map of predicted aligned errors").next().unwrap().rect();
    let corner = map.min + vec2(22.0, 20.0);
    let (from, to) = (corner + vec2(10.0, 14.0), corner + vec2(90.0, 130.0));
    desk.harness.hover_at(from);
    desk.harness.step();
    desk.harness.drag_at(from);
    desk.harness.step();
    desk.harness.hover_at(corner + vec2(50.0, 60.0));
    desk.harness.step();
    desk.harness.hover_at(to);
    desk.harness.step();
    desk.harness.drop_at(to);
    desk.harness.step();
    desk.rest();
    assert!(desk.selection().starts_with("chain A and polymer and resi"), "{}", desk.selection());
    assert!(desk.harness.query_all_by_label_contains("mean error").next().is_some());
    desk.harness.check_accessibility();
    desk.picture("kfold-confidence");

    // The sequence: the first letter selects the first residue.
    let row = desk.harness.query_all_by_label_contains("Sequence of chain A, 1 to").next().unwrap().rect();
    let place = row.min + vec2(33.0, 32.0);
    desk.harness.hover_at(place);
    desk.harness.step();
    desk.harness.drag_at(place);
    desk.harness.step();
    desk.harness.drop_at(place);
    desk.harness.step();
    desk.rest();
    assert_eq!(desk.selection(), "chain A and polymer and resi 1");
    assert!(desk.harness.query_all_by_label_contains("mean error").next().is_none(), "the box is of another selection");
    desk.picture("kfold-sequence");

    let map = String::from_utf8(desk.export(Modifiers::COMMAND | Modifiers::ALT, Key::T, "map.csv")).unwrap();
    assert_eq!(map.lines().count(), 1 + 21 + 6, "a head, 21 residues, 6 atoms of the ligand");
    let table = desk.export(Modifiers::COMMAND | Modifiers::SHIFT, Key::T, "samples.csv");
    let by_command = desk.folder.path().join("by-command.csv");
    run(program().arg("export").arg(&job).arg("-o").arg(&by_command));
    assert_eq!(table, std::fs::read(&by_command).unwrap());
    let ligands = desk.export(Modifiers::COMMAND | Modifiers::SHIFT, Key::D, "ligands.sdf");
    assert!(String::from_utf8(ligands).unwrap().contains("<plddt>"));
    let picture = desk.export(Modifiers::COMMAND | Modifiers::ALT, Key::M, "map.png");
    assert!(picture.starts_with(b"\x89PNG"));

    // The way from the unbound structure, as the run kept it, step by step and back.
    desk.press(Modifiers::ALT, Key::Num3);
    desk.wait_for_label("Show the way from the unbound structure");
    desk.click_part("Show the way from the unbound structure");
    desk.wait_for_label("step by step");
    desk.rest();
    let steps =
        kfold_molecule::formats::read_structure(&job.join("small/small_seed-2/small_seed-2_sample-1_trajectory.cif"));
    let steps = steps.unwrap().models.len();
    assert!(steps > 5, "{steps}");
    assert!(
        desk.harness.query_all_by_label_contains(&format!("1 of {steps}")).next().is_some(),
        "the first of {steps}"
    );
    desk.picture("kfold-bridge");
    desk.click_part("Back to the sample");
    desk.rest();
    assert!(desk.harness.query_all_by_label_contains("step by step").next().is_none());
}

#[test]
fn the_panes_of_a_prediction_speak_korean() {
    let mut desk = Desk::in_language("korean");
    let job = kfold_job(desk.folder.path());
    // A folder within the run opens the run.
    desk.harness.state_mut().open(&job.join("small/small_seed-1"));
    desk.wait_for_label("샘플 1: 순위 점수");
    desk.wait_for_label("상호작용 그림");
    desk.rest();
    desk.picture("kfold-results-ko");
    desk.press(Modifiers::ALT, Key::Num4);
    desk.wait_for_label("예측 정렬 오차(PAE) 지도");
    desk.wait_for_label("사슬 A의 서열");
    desk.rest();
    desk.harness.check_accessibility();
    desk.picture("kfold-confidence-ko");
}

/// A docked job of a small ligand with little search: the point is the way, not the pose.
fn docked_job(folder: &Path) -> PathBuf {
    let samples = root().join("samples/kinase");
    let text = format!(
        "name: tiny\nsequences:\n- ligand:\n    id: L\n    smiles: Nc1ncnc2ccccc12\nstructure: {}\npocket:\n  ligand: {}\n  \
         padding: 4\nengine:\n  docking:\n    exhaustiveness: 1\n    poses: 3\n    cnn: false\n",
        samples.join("receptor.pdb").display(),
        samples.join("ligand.sdf").display()
    );
    std::fs::write(folder.join("tiny.yaml"), text).unwrap();
    run(program().current_dir(folder).args(["predict", "tiny.yaml", "-o", "docked"]));
    folder.join("docked")
}

#[test]
fn a_pose_has_its_diagram_and_is_reported() {
    let mut desk = Desk::in_language("english");
    let job = docked_job(desk.folder.path());
    desk.harness.state_mut().open(&job);
    desk.wait_for_label("Pose 1: ");
    desk.wait_for_label("Interaction diagram of the ligand's site");
    desk.rest();
    desk.picture("docking-results");
    desk.harness.check_accessibility();

    // A residue of the diagram is selected with its interactions.
    let text = run(program().args(["report", "--json"]).arg(&job));
    let report: serde_json::Value = serde_json::from_str(&text).unwrap();
    let tables = report["tables"].as_array().unwrap();
    let interactions =
        tables.iter().find(|table| table["title"].as_str().unwrap().starts_with("Interactions")).unwrap();
    let row = &interactions["rows"][0];
    let residue = row[1].as_str().unwrap().to_owned();
    desk.click_part(&format!("{residue}: "));
    let number = residue.split(' ').nth(2).unwrap();
    assert!(desk.selection().contains(number), "{residue}: {}", desk.selection());
    // And the table of the window has the same numbers.
    let kind = row[0].as_str().unwrap();
    let sentence = format!("{kind} with {residue}, {} Å", row[2].as_str().unwrap());
    assert!(desk.harness.query_all_by_label(&sentence).next().is_some(), "{sentence}");
    let poses = tables.iter().find(|table| table["title"].as_str().unwrap().starts_with("Poses")).unwrap();
    let score = poses["rows"][0][1].as_str().unwrap();
    assert!(desk.harness.query_all_by_label_contains(&format!("Pose 1: {score} kcal/mol")).next().is_some(), "{score}");

    let html = desk.export(Modifiers::COMMAND | Modifiers::ALT, Key::R, "report.html");
    let html = String::from_utf8(html).unwrap();
    assert!(html.contains("<svg") && html.contains("data:image/png;base64,") && html.contains(&residue));
    let pdf = desk.export(Modifiers::COMMAND | Modifiers::ALT, Key::D, "report.pdf");
    assert!(pdf.starts_with(b"%PDF-1.7") && pdf.ends_with(b"%%EOF"));
    let svg = desk.export(Modifiers::COMMAND | Modifiers::ALT, Key::V, "site.svg");
    assert!(String::from_utf8(svg).unwrap().contains(&residue.split(' ').nth(1).unwrap().to_owned()));
    let script = desk.export(Modifiers::COMMAND | Modifiers::ALT, Key::P, "view.pml");
    assert!(String::from_utf8(script).unwrap().contains("load view_1.cif"));
    assert!(desk.folder.path().join("view_1.cif").is_file() && desk.folder.path().join("view_2.cif").is_file());
    if let Some(folder) = std::env::var_os("KFOLD_STUDIO_PICTURES") {
        for name in ["report.html", "report.pdf", "site.svg"] {
            let _ = std::fs::copy(desk.folder.path().join(name), PathBuf::from(&folder).join(name));
        }
    }
}
