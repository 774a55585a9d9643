//! A series: loaded, run, its table filled, sorted, filtered, tagged, plotted against what was measured and written.

use egui::accesskit::Role;
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use kfold_studio::texts::Language;

use super::desk::{Panel, root};
use super::{kfold_job_of, program, run};

/// Rows of a CSV file as maps from the head.
fn records(bytes: &[u8]) -> Vec<std::collections::HashMap<String, String>> {
    let mut reader = csv::Reader::from_reader(bytes);
    reader.deserialize().map(Result::unwrap).collect()
}

impl Panel {
    /// The names of the ligands in the table, from above.
    fn ligands(&self) -> Vec<String> {
        let start = self.texts.with("series-show", [("name", "@".into())]);
        let (before, after) = start.split_once('@').unwrap();
        let mut found: Vec<(f32, String)> = self
            .desk
            .harness
            .query_all_by_role(Role::Button)
            .filter_map(|node| {
                let label = node.accesskit_node().label()?;
                let name = label.strip_prefix(before)?.strip_suffix(after)?.to_owned();
                // The panel's buttons begin like that too.
                self.query().series.iter().find(|ligand| ligand.name == name)?;
                Some((node.rect().min.y, name))
            })
            .collect();
        found.sort_by(|a, b| a.0.total_cmp(&b.0));
        found.into_iter().map(|(_, name)| name).collect()
    }
}

#[test]
fn a_series_is_run_read_and_written_in_both_languages() {
    for language in Language::ALL {
        let mut panel = Panel::new(language);
        // Room for all columns, and the plot beside them.
        panel.desk.harness.set_size(egui::vec2(2200.0, 1000.0));
        let folder = panel.desk.folder.path().to_owned();
        let sample = root().join("samples/thrombin-series");
        let query = format!(
            "name: few\nsequences:\n- protein: {{id: I, sequence: GDFEEIPEEY}}\nstructure: {}\npocket:\n  ligand: {}\n  padding: 4\nengine:\n  docking:\n    \
             exhaustiveness: 1\n    poses: 2\n    cnn: false\n",
            sample.join("receptor.pdb").display(),
            sample.join("reference_ligand.sdf").display()
        );
        std::fs::write(folder.join("few.yaml"), query).unwrap();
        // One without a measured value, and names that people and computers order differently.
        let list = "id,smiles,measured_pk\nlig10,NCc1ccccc1,3.1\nlig2,NC(=N)c1ccccc1,4.3\n\
                    lig1,Cc1cccc(CN)c1,3.6\nother,OCc1ccc(Cl)cc1,\n";
        std::fs::write(folder.join("few.csv"), list).unwrap();
        panel.desk.harness.state_mut().open(&folder.join("few.yaml"));
        panel.desk.wait("the query", |harness| harness.state().document().query.name == "few");
        panel.desk.rest();
        panel.press_key("ligand-add-series");
        let field = panel.texts.get("path-field");
        panel.desk.write(Role::TextInput, &field, &folder.join("few.csv").display().to_string());
        panel.press_key("path-open");
        panel.desk.wait("the series", |harness| harness.state().document().query.series.len() == 4);
        panel.desk.rest();
        panel.press_key("command-predict");
        panel.desk.wait("the run", |harness| harness.state().is_running());
        panel.desk.wait_long("its end", |harness| !harness.state().is_running());
        let count = panel.texts.with("series-count", [("shown", 4.into()), ("count", 4.into())]);
        panel.desk.wait_for_label(&count);
        panel.desk.rest();
        panel.desk.harness.check_accessibility();
        panel.desk.picture(&format!("series-{}", language.own_name()));

        // The numbers are those of the files and of the command line.
        let job = folder.join("runs/few");
        let files = records(&std::fs::read(job.join("few_affinity.csv")).unwrap());
        assert_eq!(files.len(), 4);
        for record in &files {
            let score: f32 = record["score_kcal_per_mol"].parse().unwrap();
            let shown = format!("{score:.1}").replace('-', "−");
            assert!(panel.desk.harness.query_all_by_label(&shown).next().is_some(), "{shown} of {record:?}");
        }
        panel.press_key("series-save-csv");
        let table = panel.write_file("table.csv");
        run(program().arg("export").arg(&job).arg("-o").arg(folder.join("by-command.csv")));
        assert_eq!(table, std::fs::read(folder.join("by-command.csv")).unwrap());

        sorted_and_filtered(&mut panel);
        plotted(&mut panel, &records(&std::fs::read(job.join("few_correlation.csv")).unwrap()), &files);
    }
}

fn sorted_and_filtered(panel: &mut Panel) {
    let name = panel.texts.get("column-ligand");
    let sort = panel.texts.with("series-sort", [("column", name.into())]);
    panel.press(&sort);
    assert_eq!(panel.ligands(), ["lig1", "lig2", "lig10", "other"]);
    panel.press(&sort);
    assert_eq!(panel.ligands(), ["other", "lig10", "lig2", "lig1"]);
    let measured = panel.texts.get("column-measured");
    let sort = panel.texts.with("series-sort", [("column", measured.into())]);
    panel.press(&sort);
    assert_eq!(panel.ligands(), ["lig2", "lig1", "lig10", "other"], "the strongest first, without a value last");

    let filter = panel.texts.get("series-filter");
    panel.desk.write(Role::TextInput, &filter, "lig1");
    assert_eq!(panel.ligands(), ["lig1", "lig10"]);
    panel.desk.write(Role::TextInput, &filter, "");
    let tag = panel.texts.with("series-tag-of", [("name", "lig2".into())]);
    panel.press(&tag);
    panel.press_key("tag-lead");
    let note = panel.texts.with("series-note-of", [("name", "lig2".into())]);
    panel.desk.write(Role::TextInput, &note, "make more");
    panel.desk.rest();
    let notes = &panel.desk.harness.state().document().ligand_notes;
    assert_eq!((notes["lig2"].tag.name(), notes["lig2"].text.as_str()), ("lead", "make more"));
    panel.desk.write(Role::TextInput, &filter, "more");
    assert_eq!(panel.ligands(), ["lig2"], "notes are searched too");
    panel.press_key("series-save-sdf");
    let records = String::from_utf8(panel.write_file("filtered.sdf")).unwrap();
    assert_eq!(records.matches("$$$$").count(), records.matches("make more").count());
    panel.desk.write(Role::TextInput, &filter, "");
    let overlay = panel.texts.with("series-overlay-of", [("name", "lig10".into())]);
    panel.press(&overlay);
    let show = panel.texts.with("series-show", [("name", "lig1".into())]);
    panel.press(&show);
    panel.desk.rest();
    panel.press_key("series-overlay-clear");
}

fn plotted(
    panel: &mut Panel,
    correlations: &[std::collections::HashMap<String, String>],
    files: &[std::collections::HashMap<String, String>],
) {
    let by_file: f32 = correlations[0]["spearman"].parse().unwrap();
    if panel.desk.harness.query_by_label(&panel.texts.get("series-plot")).is_none() {
        let plot = panel.texts.get("series-plot-short");
        panel.choose("series-shows", &plot);
    }
    panel.desk.rest();
    panel.desk.harness.check_accessibility();
    let spearman = format!("{by_file:.2}").replace('-', "−");
    let values = ["count", "spearman", "interval", "pearson", "kendall", "heavy"];
    let sentence = panel.texts.with("series-correlation", values.map(|key| (key, format!("@{key}@").into())));
    let (before, _) = sentence.split_once("@interval@").unwrap();
    let wanted = before.replace("@count@", "3").replace("@spearman@", &spearman);
    assert!(panel.desk.harness.query_all_by_label_contains(&wanted).next().is_some(), "{wanted}");
    panel.desk.picture(&format!("series-plot-{}", panel.texts.language().own_name()));
    let points = panel.numbers_of("series-plot", "points.csv");
    assert_eq!(points.len(), 4, "a head and three ligands with a measured value");
    for point in points.iter().skip(1) {
        let file = files.iter().find(|record| record["ligand"] == point[0]).unwrap();
        let (shown, written): (f32, f32) = (point[2].parse().unwrap(), file["pk_of_energy"].parse().unwrap());
        assert!((shown - written).abs() < 2e-4, "{point:?} {file:?}");
    }
}

#[test]
fn a_series_that_kfold_predicted_is_opened_and_read_in_both_languages() {
    for language in Language::ALL {
        let mut panel = Panel::new(language);
        let series = "series:\n- {id: lig10, smiles: CCO, measured_pk: 4.0}\n- {id: lig2, smiles: 'C[C@H](N)C(=O)O'}\n";
        let job = kfold_job_of(panel.desk.folder.path(), Some(series));
        // The affinity head has no published weights: its answer lies where the engine writes it.
        let answer = serde_json::json!({
            "p_activity": 5.3, "crop": [0, 1], "num_tokens": 2, "num_protein_tokens": 1, "num_ligand_tokens": 1,
            "checkpoint_sha256": "0", "limits": {"max_tokens": 256, "max_protein_tokens": 200, "neighborhood": 10},
        });
        let seed = job.join("small_lig10/small_lig10_seed-1");
        std::fs::write(seed.join("small_lig10_seed-1_affinity.json"), answer.to_string()).unwrap();
        panel.desk.harness.state_mut().open(&job);
        let rows: Vec<String> =
            ["lig10", "lig2"].iter().map(|name| panel.texts.with("series-show", [("name", (*name).into())])).collect();
        for row in &rows {
            panel.desk.wait_for_label(row);
        }
        panel.desk.rest();
        panel.desk.harness.check_accessibility();
        panel.desk.picture(&format!("series-kfold-{}", language.own_name()));
        // What is shown is the row that is chosen, and each has its own ligand.
        let atoms = |panel: &Panel| panel.desk.harness.state().drawn_atoms();
        let mut counts = Vec::new();
        for row in &rows {
            panel.press(row);
            panel.desk.rest();
            counts.push(atoms(&panel));
        }
        assert_eq!(counts[1] - counts[0], 3, "alanine has six heavy atoms, ethanol three: {counts:?}");
        kfold_table(&mut panel);
        let text = run(program().args(["report", "--json"]).arg(&job));
        let report: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert!(report.to_string().contains("lig10") && report.to_string().contains("lig2"));
    }
}

/// What can be done with the table is what can be done after docking.
fn kfold_table(panel: &mut Panel) {
    let sort = |panel: &Panel, column: &str| {
        let column = panel.texts.get(column);
        panel.texts.with("series-sort", [("column", column.into())])
    };
    // lig10 alone has a predicted and a measured pK.
    for column in ["column-pk", "column-measured"] {
        let by = sort(panel, column);
        panel.press(&by);
        assert_eq!(panel.ligands(), ["lig10", "lig2"], "{column}");
    }
    assert!(panel.desk.harness.query_all_by_label("5.3").next().is_some(), "the affinity head's answer");
    let by = sort(panel, "column-ligand");
    panel.press(&by);
    assert_eq!(panel.ligands(), ["lig2", "lig10"]);
    let by = sort(panel, "property-weight");
    panel.press(&by);
    assert_eq!(panel.ligands(), ["lig2", "lig10"], "alanine is heavier than ethanol");
    let note = panel.texts.with("series-note-of", [("name", "lig10".into())]);
    panel.desk.write(Role::TextInput, &note, "small");
    let filter = panel.texts.get("series-filter");
    panel.desk.write(Role::TextInput, &filter, "small");
    assert_eq!(panel.ligands(), ["lig10"]);
    panel.desk.write(Role::TextInput, &filter, "");
    panel.desk.rest();
    panel.desk.harness.check_accessibility();
}
