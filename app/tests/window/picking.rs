//! What is picked in the view and in formulas: the pocket, a modification, a bond; and the queue as the query panel follows it.

use std::path::PathBuf;

use egui::accesskit::Role;
use egui::{Key, Modifiers};
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use kfold_inference::query::Pocket;
use kfold_molecule::residues::one_letter_code;
use kfold_studio::texts::Language;

use super::desk::{Panel, root};

/// A query with a structure, its sequence and a ligand.
fn with_sequence(panel: &Panel) -> PathBuf {
    let receptor = root().join("samples/kinase/receptor.pdb");
    let structure = kfold_molecule::formats::read_structure(&receptor).unwrap();
    let residues = &structure.models[0].topology.residues;
    let letters: String =
        residues.iter().filter(|residue| residue.is_polymer()).map(|residue| one_letter_code(&residue.name)).collect();
    let path = panel.desk.folder.path().join("pick.yaml");
    let text = format!(
        "name: pick\nsequences:\n- protein: {{id: A, sequence: {letters}}}\n- ligand: {{id: L, smiles: OCC}}\nstructure: {}\n",
        receptor.display()
    );
    std::fs::write(&path, text).unwrap();
    path
}

impl Panel {
    /// A click in the middle of the view, where a ball of the protein is.
    fn click_middle(&mut self) {
        let name = self.texts.get("view-name");
        let place = self.desk.harness.get_by_role_and_label(Role::Canvas, &name).rect().center();
        self.desk.harness.hover_at(place);
        self.desk.rest();
        self.desk.harness.drag_at(place);
        self.desk.harness.step();
        self.desk.harness.drop_at(place);
        self.desk.harness.step();
        self.desk.rest();
    }

    /// What a label or a field shows, by its name.
    fn value(&self, name: &str) -> Option<f64> {
        let found = self.desk.harness.query_all_by_role(Role::SpinButton);
        found
            .filter_map(|node| {
                let node = node.accesskit_node();
                (node.labelled_by().any(|by| by.value().or_else(|| by.label()).as_deref() == Some(name))
                    || node.label().as_deref() == Some(name))
                .then(|| node.numeric_value())?
            })
            .next()
    }
}

#[test]
fn pocket_modification_and_bond_are_picked_by_clicks_in_both_languages() {
    for language in Language::ALL {
        let mut panel = Panel::new(language);
        let path = with_sequence(&panel);
        panel.desk.harness.state_mut().open(&path);
        panel.desk.wait("the query", |harness| harness.state().document().query.name == "pick");
        panel.desk.press(Modifiers::COMMAND, Key::Num3);
        panel.desk.rest();

        // The pocket: a residue comes with a click and goes with the next.
        let residues = panel.texts.get("pocket-kind-residues");
        panel.choose("section-pocket", &residues);
        panel.click_middle();
        let picked = |panel: &Panel| match &panel.query().pocket {
            Some(Pocket::Residues { residues, .. }) => residues.clone(),
            other => panic!("{other:?}"),
        };
        assert_eq!(picked(&panel).len(), 1);
        assert!(picked(&panel)[0].starts_with("A:"), "{:?}", picked(&panel));
        panel.click_middle();
        assert!(picked(&panel).is_empty());
        panel.desk.press(Modifiers::COMMAND, Key::Z);
        panel.desk.rest();
        assert_eq!(picked(&panel).len(), 1, "a click is one step back");
        panel.press_key("pocket-pick");

        // A modification: the click says the position.
        let name = panel.texts.with("entity-protein", [("ids", "A".into())]);
        let label = panel.texts.with("modification-add-to", [("name", name.into())]);
        panel.press(&label);
        let position = panel.texts.get("modification-position");
        assert_eq!(panel.value(&position), Some(1.0));
        panel.click_middle();
        let chosen = panel.value(&position).unwrap();
        assert!(chosen > 1.0, "the click chose no residue");
        let close = panel.texts.get("modification-close");
        panel.press(&close);

        // A bond: one end in the view, the other in the ligand's formula.
        panel.press_key("bond-add");
        panel.click_middle();
        let chain = panel.texts.get("bond-chain");
        panel.desk.harness.get_by_role_and_label(Role::ComboBox, &chain).scroll_to_me();
        panel.desk.harness.step();
        panel.desk.harness.get_by_role_and_label(Role::ComboBox, &chain).click();
        panel.desk.harness.step();
        panel.desk.harness.step();
        panel.desk.harness.get_by_role_and_label(Role::Button, "L").click_accesskit();
        panel.desk.harness.step();
        panel.desk.harness.step();
        panel.desk.press(Modifiers::NONE, Key::Escape);
        let atom = panel.texts.with("bond-atom", [("name", "O1".into())]);
        panel.desk.wait_for_label(&atom);
        panel.press(&atom);
        let bond = &panel.query().bonds[0];
        assert_eq!((bond.atom1.chain.as_str(), f64::from(bond.atom1.residue)), ("A", chosen));
        assert_eq!((bond.atom2.chain.as_str(), bond.atom2.atom.as_str()), ("L", "O1"));
        panel.desk.rest();
        panel.desk.harness.check_accessibility();
        panel.desk.picture(&format!("picked-{}", language.own_name()));
        panel.undo_all();
        assert!(panel.query().bonds.is_empty() && panel.query().sequences.is_empty());
    }
}

#[test]
fn a_run_is_paused_goes_on_is_cancelled_and_tried_again_from_the_panel() {
    for language in Language::ALL {
        let mut panel = Panel::new(language);
        let sample = root().join("samples/thrombin-series");
        let text = format!(
            "name: few\nsequences: []\nstructure: {}\npocket:\n  ligand: {}\nseries:\n- {{id: a, smiles: NCc1ccccc1}}\n\
             - {{id: b, smiles: NC(=N)c1ccccc1}}\n- {{id: c, smiles: OCc1ccc(Cl)cc1}}\nengine:\n  docking:\n    \
             exhaustiveness: 60\n    poses: 1\n    cnn: false\n    threads: 1\n",
            sample.join("receptor.pdb").display(),
            sample.join("reference_ligand.sdf").display()
        );
        let text = text.replace("sequences: []", "sequences:\n- protein: {id: I, sequence: GDFEEIPEEY}");
        let path = panel.desk.folder.path().join("few.yaml");
        std::fs::write(&path, text).unwrap();
        panel.desk.harness.state_mut().open(&path);
        panel.desk.wait("the query", |harness| harness.state().document().query.name == "few");
        panel.desk.rest();
        panel.press_key("command-predict");
        let done =
            |panel: &Panel, count: u32| panel.texts.with("run-ligands", [("done", count.into()), ("count", 3.into())]);
        let first = done(&panel, 1);
        panel
            .desk
            .wait_long("the first ligand", |harness| harness.query_all_by_label_contains(&first).next().is_some());
        let pause = panel.texts.with("job-pause-name", [("name", "few".into())]);
        panel.desk.press(Modifiers::ALT, Key::Num8);
        panel.press(&pause);
        // The query panel says how far it is and how it goes on.
        let resume = panel.texts.get("job-resume");
        panel.desk.wait("the pause", |harness| harness.query_by_label(&resume).is_some());
        panel.desk.picture(&format!("paused-{}", language.own_name()));
        panel.desk.harness.check_accessibility();
        panel.press(&resume);
        panel.desk.wait("the worker", |harness| harness.query_by_label(&pause).is_some());
        panel.press_key("command-cancel");
        panel.desk.wait("its end", |harness| !harness.state().is_running());
        let again = panel.texts.with("job-retry-name", [("name", "few".into())]);
        panel.desk.press(Modifiers::ALT, Key::Num8);
        panel.desk.wait("the button", |harness| harness.query_by_label(&again).is_some());
        panel.press(&again);
        // The window follows it again, to its end.
        panel.desk.wait("the run", |harness| harness.state().is_running());
        panel.desk.wait_long("its results", |harness| !harness.state().is_running());
        let count = panel.texts.with("series-count", [("shown", 3.into()), ("count", 3.into())]);
        panel.desk.wait_for_label(&count);
    }
}
