//! Comparing states: what the window shows of two structures is what `align` says of them, and of several what follows from that.

use egui::Key;
use egui::Modifiers;
use egui::accesskit::Role;
use egui_kittest::kittest::Queryable as _;
use kfold_studio::texts::Language;

use super::desk::{Panel, root};
use super::{program, run};

fn aligned(more: &[&str]) -> serde_json::Value {
    let states = root().join("samples/adenylate-kinase");
    let mut command = program();
    command.arg("align").arg(states.join("closed.pdb")).arg(states.join("open.pdb")).arg("--json").args(more);
    serde_json::from_str(&run(&mut command)).unwrap()
}

impl Panel {
    /// Waits until the facts of a comparison are those of the command line.
    fn wait_for_facts(&mut self, wanted: &serde_json::Value) {
        let number = |key: &str, digits: usize| format!("{:.digits$}", wanted[key].as_f64().unwrap());
        let facts = [
            ("compare-rmsd", format!("{} Å", number("rmsd_angstrom", 2))),
            ("compare-pairs", wanted["paired_residues"].to_string()),
            ("compare-identical", wanted["identical_residues"].to_string()),
            ("compare-tm-shown", number("tm_score_by_target", 3)),
            ("compare-tm-other", number("tm_score_by_mobile", 3)),
        ];
        for (key, value) in facts {
            let fact = format!("{}: {value}", self.texts.get(key));
            self.desk.wait_for_label(&fact);
        }
    }
}

#[test]
fn two_states_are_compared_as_the_command_line_does_in_both_languages() {
    let by_sequence = aligned(&[]);
    let by_shape = aligned(&["--by", "shape"]);
    let core = "resi 1-29+60-120+160-214 and name CA";
    let by_core = aligned(&["--select", core]);
    assert!(by_core["superposed_rmsd_angstrom"].as_f64().unwrap() < by_sequence["rmsd_angstrom"].as_f64().unwrap());
    for language in Language::ALL {
        let mut panel = Panel::new(language);
        panel.desk.harness.state_mut().open(&root().join("samples/adenylate-kinase/query.yaml"));
        panel.desk.wait("the query", |harness| !harness.state().document().query.sequences.is_empty());
        panel.desk.rest();
        panel.desk.press(Modifiers::ALT, Key::Num6);
        let modes = panel.texts.get("section-modes");
        panel.desk.wait_for_label(&modes);
        panel.desk.rest();

        // What is in the view is not offered; the other state is.
        panel.press_key("compare-other");
        let open = panel.texts.with("compare-apo", [("name", "open.pdb".into())]);
        assert!(panel.desk.harness.query_by_label(&open).is_none());
        let closed = panel.texts.with("compare-apo", [("name", "closed.pdb".into())]);
        panel.press(&closed);
        panel.wait_for_facts(&by_sequence);
        panel.desk.rest();
        panel.desk.harness.check_accessibility();
        panel.desk.picture(&format!("compare-{}", language.own_name()));

        let rows = panel.numbers_of("compare-difference", "differences.csv");
        let wanted = by_sequence["distances"].as_array().unwrap();
        assert_eq!(rows.len(), 1 + wanted.len());
        for (row, pair) in rows.iter().skip(1).zip(wanted) {
            let distance: f64 = row[1].parse().unwrap();
            let command = pair["distance_angstrom"].as_f64().unwrap();
            assert!((distance - command).abs() < 1e-3, "{row:?} but {pair}");
        }

        let shape = panel.texts.get("compare-by-shape");
        panel.choose("compare-by", &shape);
        panel.wait_for_facts(&by_shape);
        let field = panel.texts.get("selection-field");
        panel.desk.write(Role::TextInput, &field, core);
        let selected = panel.texts.get("compare-by-selection");
        panel.choose("compare-by", &selected);
        panel.wait_for_facts(&by_core);
        let values = [
            ("pairs", by_core["superposed_pairs"].as_u64().unwrap().into()),
            ("rmsd", format!("{:.2}", by_core["superposed_rmsd_angstrom"].as_f64().unwrap()).into()),
        ];
        let laid = panel.texts.with("compare-laid-value", values);
        panel.desk.wait_for_label(&laid);
        panel.press_key("compare-colour");
        panel.desk.rest();
        assert_eq!(format!("{:?}", panel.desk.harness.state().document().view.colour), "Difference");

        several_states(&mut panel, &by_sequence);
    }
}

/// The way between the states, in numbers; then a mode.
fn several_states(panel: &mut Panel, by_sequence: &serde_json::Value) {
    let sequence = panel.texts.get("compare-by-sequence");
    panel.choose("compare-by", &sequence);
    panel.desk.rest();
    panel.press_key("compare-morph");
    panel.desk.wait_for_label("25");
    let matrix = panel.texts.get("statistics-matrix");
    panel.desk.wait("the matrix", |harness| harness.query_by_role_and_label(Role::Image, &matrix).is_some());
    panel.desk.rest();
    panel.desk.harness.check_accessibility();
    panel.desk.picture(&format!("states-{}", panel.texts.language().own_name()));

    let rows = panel.numbers_of("statistics-matrix", "matrix.csv");
    assert_eq!((rows.len(), rows[0].len()), (26, 26));
    let value = |row: usize, column: usize| rows[row + 1][column + 1].parse::<f64>().unwrap();
    // The ends of the way are the two states.
    assert!((value(0, 24) - by_sequence["rmsd_angstrom"].as_f64().unwrap()).abs() < 0.02, "{}", value(0, 24));
    assert!((0..25).all(|model| value(model, model) == 0.0 && (value(0, model) - value(model, 0)).abs() < 1e-4));
    let components = panel.numbers_of("statistics-pca", "components.csv");
    assert_eq!(components.len(), 26);
    // Along the first component the way goes one way.
    let along: Vec<f64> = components.iter().skip(1).map(|row| row[1].parse().unwrap()).collect();
    assert!(along.is_sorted() || along.iter().rev().is_sorted(), "{along:?}");
    let fluctuation = panel.numbers_of("ensemble-rmsf", "rmsf.csv");
    assert_eq!(fluctuation.len(), 215);

    // Each model against the other state: they come nearer to it, and the last is there.
    let chosen = panel.texts.with("compare-fits", [("name", "closed.pdb".into())]);
    let fits = panel.numbers_named(&chosen, "fits.csv");
    let rmsd: Vec<f64> = fits.iter().skip(1).map(|row| row[1].parse().unwrap()).collect();
    assert_eq!(rmsd.len(), 25);
    assert!((rmsd[0] - by_sequence["rmsd_angstrom"].as_f64().unwrap()).abs() < 1e-3, "{}", rmsd[0]);
    assert!(rmsd.is_sorted_by(|a, b| a > b) && rmsd[24] < 0.02, "{rmsd:?}");
    panel.press_key("compare-show-nearest");
    let last = ("compare-rmsd", format!("{:.2} Å", rmsd[24]));
    panel.desk.wait_for_label(&format!("{}: {}", panel.texts.get(last.0), last.1));

    // A cluster leads to the model in its middle.
    let start = panel.texts.with("cluster-row", [("number", 1.into()), ("count", 0.into()), ("centre", "".into())]);
    let start: String = start.split('0').next().unwrap().to_owned();
    let row = panel.desk.harness.query_all_by_label_contains(start.trim_end()).next().unwrap();
    row.scroll_to_me();
    panel.desk.harness.step();
    panel.desk.harness.query_all_by_label_contains(start.trim_end()).next().unwrap().click_accesskit();
    panel.desk.rest();
    let first =
        panel.texts.with("ensemble-place", [("number", 1.into()), ("count", 25.into()), ("rmsd", "0.00".into())]);
    assert!(panel.desk.harness.query_by_label(&first).is_none(), "still at the first model");

    panel.press_key("ensemble-close");
    panel.desk.rest();
    let values = [("number", 1.into()), ("collectivity", "@".into()), ("overlap", "@".into())];
    let mode = panel.texts.with("mode-row", values);
    let mode = mode.split('@').next().unwrap().to_owned();
    panel.desk.wait_for_label(&mode);
    let mode = panel.desk.harness.query_all_by_label_contains(&mode).next().unwrap();
    mode.click_accesskit();
    panel.desk.harness.step();
    let name = panel.texts.get("compare-shown");
    let title = panel.texts.with("ensemble-mode", [("name", name.into()), ("number", 1.into())]);
    panel.desk.wait_for_label(&title);
    panel.desk.rest();
    panel.desk.harness.check_accessibility();
}
