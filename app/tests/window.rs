//! The window driven as a user drives it: by the names of its controls, in both languages, with the real renderer on a
//! software adapter and the real worker program.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod desk;
#[path = "window/looks.rs"]
mod looks;
#[path = "window/picking.rs"]
mod picking;
#[path = "window/workbench.rs"]
mod workbench;

use std::path::Path;

use egui::accesskit::{Role, Toggled};
use egui::{Key, Modifiers};
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use kfold_inference::query::{Entity, LigandSource, Modification, Pocket, Query};
use kfold_studio::texts::Language;

use self::desk::{Desk, Panel, root};

impl Desk {
    fn smiles(&self) -> Option<String> {
        self.harness.state().document().query.sequences.iter().find_map(|entity| match entity {
            Entity::Ligand(ligand) => match &ligand.source {
                LigandSource::Smiles(smiles) => Some(smiles.clone()),
                _ => None,
            },
            _ => None,
        })
    }

    fn is_enabled(&self, label: &str) -> bool {
        self.harness.query_by_label(label).is_some_and(|node| !node.accesskit_node().is_disabled())
    }

    fn can_predict(&self) -> bool {
        self.is_enabled("Predict")
    }
}

#[test]
fn a_sample_opens_a_wrong_smiles_is_told_and_edits_are_undone() {
    let mut desk = Desk::new();
    assert!(!desk.can_predict());
    desk.click("Kinase and its inhibitor");
    desk.wait_for_label("A · protein, 312 residues");
    desk.wait_for_label("Structural formula of Ligand L");
    desk.wait_for_label("rotatable bonds");
    desk.rest();
    assert!(desk.can_predict());
    desk.harness.check_accessibility();

    let field = "SMILES of Ligand L";
    desk.write(Role::MultilineTextInput, field, "c1ccccc1(");
    desk.wait_for_label("A ligand cannot be understood");
    assert!(!desk.can_predict());
    assert!(desk.harness.query_by_label("Structural formula of Ligand L").is_none());
    desk.write(Role::MultilineTextInput, field, "Oc1ccccc1");
    desk.wait_for_label("C6H6O");
    desk.wait_for_label("Structural formula of Ligand L");
    desk.rest();
    assert!(desk.can_predict());

    // Undo goes back to the sample's ligand, then to the empty query; redo comes forth again.
    for _ in 0..6 {
        if desk.smiles().is_some_and(|smiles| smiles.starts_with("C#C")) {
            break;
        }
        desk.press(Modifiers::COMMAND, Key::Z);
    }
    assert!(desk.smiles().unwrap().starts_with("C#C"), "{:?}", desk.smiles());
    desk.press(Modifiers::COMMAND, Key::Z);
    assert_eq!(desk.smiles(), None);
    for _ in 0..8 {
        desk.press(Modifiers::COMMAND | Modifiers::SHIFT, Key::Z);
    }
    assert_eq!(desk.smiles().unwrap(), "Oc1ccccc1");
}

#[test]
fn a_wrong_letter_is_named_where_it_stands() {
    let mut desk = Desk::new();
    desk.click("Add protein");
    desk.write(Role::MultilineTextInput, "Sequence of Protein A", "MKTJA");
    desk.wait_for_label("Letter J at position 4 is no amino acid");
    desk.write(Role::MultilineTextInput, "Sequence of Protein A", ">one\nMKTA\n>two\nGGGG");
    desk.harness.step();
    assert_eq!(desk.harness.state().document().query.sequences.len(), 2);
    desk.harness.get_by_role_and_label(Role::MultilineTextInput, "Sequence of Protein B");
}

#[test]
fn the_language_switches_at_once_and_back() {
    let mut desk = Desk::new();
    desk.click("Language: 한국어");
    desk.harness.get_by_label("예측");
    desk.harness.get_by_label("키나아제와 저해제");
    assert_eq!(desk.harness.state().texts().language(), Language::Korean);
    desk.harness.check_accessibility();
    desk.press(Modifiers::COMMAND | Modifiers::SHIFT, Key::L);
    desk.harness.get_by_label("Predict");
}

#[test]
fn a_wrong_file_is_told_and_loses_nothing() {
    let mut desk = Desk::new();
    desk.click("Kinase and its inhibitor");
    desk.wait_for_label("A · protein, 312 residues");
    desk.rest();
    let before = desk.harness.state().document().clone();
    let bad = desk.folder.path().join("bad.yaml");
    std::fs::write(&bad, "name: x\nsequences:\n- protein:\n    id: A\n    sequenc: MK\n").unwrap();
    desk.harness.state_mut().open(&bad);
    desk.wait("an error", |harness| !harness.state().notice_texts().is_empty());
    let text = desk.harness.state().notice_texts().join(" ");
    assert!(text.contains("sequenc") && text.contains("bad.yaml"), "{text}");
    assert_eq!(desk.harness.state().document(), &before);
    desk.harness.state_mut().open(Path::new("/nowhere/at/all.pdb"));
    assert!(desk.harness.state().notice_texts().join(" ").contains("/nowhere/at/all.pdb"));
    assert_eq!(desk.harness.state().document(), &before);
}

#[test]
fn without_file_dialogs_a_path_can_be_typed() {
    let mut desk = Desk::new();
    desk.click("Choose a structure…");
    desk.harness.step();
    let path = root().join("samples/kinase/receptor.pdb");
    desk.write(Role::TextInput, "Path", &path.display().to_string());
    desk.click("Open it");
    desk.wait_for_label("A · protein, 312 residues");
    assert_eq!(desk.harness.state().document().query.name, "receptor");
}

#[test]
fn a_prediction_runs_to_its_end_and_poses_are_chosen() {
    let mut desk = Desk::new();
    let query = desk.folder.path().join("tiny.yaml");
    let receptor = root().join("samples/kinase/receptor.pdb");
    let reference = root().join("samples/kinase/ligand.sdf");
    // A small ligand with little search: the point is the way, not the pose.
    let text = format!(
        "name: tiny\nsequences:\n- ligand:\n    id: L\n    smiles: Nc1ncnc2ccccc12\nstructure: {}\npocket:\n  ligand: {}\n  \
         padding: 4\nengine:\n  docking:\n    exhaustiveness: 1\n    poses: 3\n",
        receptor.display(),
        reference.display()
    );
    std::fs::write(&query, text).unwrap();
    desk.harness.state_mut().open(&query);
    desk.wait("the query", |harness| {
        harness.query_by_label("Predict").is_some_and(|node| !node.accesskit_node().is_disabled())
    });
    desk.click("Predict");
    assert!(desk.harness.state().is_running());
    desk.harness.get_by_label("Cancel");
    desk.wait_for_label("Pose 1: ");
    desk.rest();
    assert!(!desk.harness.state().is_running());
    assert!(desk.harness.query_all_by_label_contains("docking (Vina + GNINA CNN)").next().is_some());
    desk.harness.check_accessibility();
    let row = |desk: &Desk, number: usize| {
        let part = format!("Pose {number}: ");
        let node = desk.harness.query_all_by_label_contains(&part).next();
        node.map(|node| node.accesskit_node().toggled() == Some(Toggled::True))
    };
    assert_eq!(row(&desk, 1), Some(true));
    if row(&desk, 2).is_some() {
        desk.harness.query_all_by_label_contains("Pose 2: ").next().unwrap().click();
        desk.harness.step();
        desk.harness.step();
        assert_eq!(row(&desk, 2), Some(true));
        desk.press(Modifiers::NONE, Key::PageUp);
        assert_eq!(row(&desk, 1), Some(true));
    }

    for (key, name) in [(Key::T, "table.csv"), (Key::D, "poses.sdf"), (Key::B, "complex.pdb")] {
        let path = desk.folder.path().join(name);
        desk.press(Modifiers::COMMAND | Modifiers::SHIFT, key);
        desk.harness.step();
        desk.write(Role::TextInput, "Path", &path.display().to_string());
        desk.click("Write it");
        let wanted = format!("Written to {}", path.display());
        desk.wait(name, |harness| harness.state().notice_texts().contains(&wanted.as_str()));
        let bytes = std::fs::read(&path).unwrap();
        match name {
            "table.csv" => assert!(bytes.starts_with(b"ligand,rank,score_kcal_per_mol")),
            "poses.sdf" => assert!(String::from_utf8(bytes).unwrap().contains("<score_kcal_per_mol>")),
            _ => assert!(String::from_utf8(bytes).unwrap().contains(" LIG ")),
        }
    }
}

#[test]
fn a_running_prediction_is_cancelled() {
    let mut desk = Desk::new();
    desk.click("Protease dimer");
    desk.wait("the query", |harness| {
        harness.query_by_label("Predict").is_some_and(|node| !node.accesskit_node().is_disabled())
    });
    desk.press(Modifiers::COMMAND, Key::Enter);
    assert!(desk.harness.state().is_running());
    desk.wait_for_label("Searching poses");
    desk.click("Cancel");
    desk.wait("the end", |harness| !harness.state().is_running());
    assert!(desk.harness.state().notice_texts().contains(&"The prediction was cancelled"));
    assert!(desk.can_predict());
}

#[test]
fn two_states_become_a_path_that_plays() {
    let mut desk = Desk::new();
    desk.click("A protein in two states");
    desk.wait_for_label("A · protein, 214 residues");
    desk.click("Show the change between the states");
    desk.wait_for_label("1 of 25");
    // The panel takes its height in the frames after its contents came.
    desk.rest();
    desk.harness.check_accessibility();
    desk.click("Play");
    desk.harness.get_by_label("Pause");
    // Two models a frame of the harness, give or take one.
    desk.wait("another model", |harness| {
        ["4 of 25", "5 of 25", "6 of 25"].iter().any(|part| harness.query_all_by_label_contains(part).next().is_some())
    });
    desk.click("Pause");
    desk.click("Close the ensemble");
    assert!(desk.harness.query_by_label("Play").is_none());
}

#[test]
fn atoms_are_selected_by_typing_and_hidden_and_undone() {
    let mut desk = Desk::new();
    desk.click("Protease dimer");
    desk.wait_for_label("A · protein, 99 residues");
    desk.rest();
    let field = |desk: &mut Desk, text: &str| {
        desk.write(Role::TextInput, "Selection", text);
        desk.rest();
    };
    // Both dialects; the ligand in a file of its own is seen by the same words.
    field(&mut desk, "chain A and resi 25");
    desk.wait_for_label("8 atoms in 1 residue");
    field(&mut desk, "/A,B:25");
    desk.wait_for_label("16 atoms in 2 residues");
    field(&mut desk, "byres (protein within 4 of resn REF)");
    desk.wait_for_label("138 atoms in 21 residues");
    desk.harness.check_accessibility();

    // A mistake is told where it stands, and selects nothing.
    field(&mut desk, "chian A");
    desk.wait_for_label("Column 1: ");
    desk.wait_for_label("Did you mean chain?");
    assert!(!desk.is_enabled("Hide the selection"));
    field(&mut desk, "resn QQQ");
    desk.wait_for_label("No such atom");

    field(&mut desk, "chain B");
    desk.wait_for_label("in 99 residues");
    desk.click("Hide the selection");
    desk.rest();
    let hidden = |desk: &Desk| desk.harness.state().document().view.hidden.as_ref().map(ToString::to_string);
    assert_eq!(hidden(&desk).as_deref(), Some("chain B"));
    desk.press(Modifiers::COMMAND | Modifiers::SHIFT, Key::I);
    desk.rest();
    assert_eq!(hidden(&desk).as_deref(), Some("not chain B"));
    desk.press(Modifiers::COMMAND, Key::Z);
    assert_eq!(hidden(&desk).as_deref(), Some("chain B"));
    desk.click("Show hidden atoms");
    assert_eq!(hidden(&desk), None);
    assert!(!desk.is_enabled("Show hidden atoms"));

    // `sel` is what was selected before; leaving the field puts it in.
    field(&mut desk, "sel and name CA");
    desk.press(Modifiers::NONE, Key::Enter);
    assert_eq!(desk.harness.state().document().selection, "chain B and name CA");
    desk.wait_for_label("99 atoms in 99 residues");
    desk.press(Modifiers::COMMAND, Key::F);
    assert!(desk.harness.get_by_role_and_label(Role::TextInput, "Selection").accesskit_node().is_focused());
}

#[test]
fn panels_close_come_back_and_lie_as_they_were_left() {
    for (language, query, close, menu, name_field, save, reset) in [
        ("english", "Query", "Close Query", "Panels", "Name of the layout", "Save this layout", "Reset panels"),
        ("korean", "쿼리", "쿼리 닫기", "패널", "배치 이름", "지금 배치 저장", "패널 배치 초기화"),
    ] {
        let mut desk = Desk::in_language(language);
        let is_open = |desk: &Desk| desk.harness.query_by_role_and_label(Role::Tab, query).is_some();
        assert!(is_open(&desk));
        desk.click(close);
        assert!(!is_open(&desk));
        desk.press(Modifiers::ALT, Key::Num1);
        assert!(is_open(&desk));
        let has_keyboard =
            |desk: &Desk| desk.harness.get_by_role_and_label(Role::Tab, query).accesskit_node().is_focused();
        assert!(has_keyboard(&desk));
        desk.press(Modifiers::NONE, Key::F6);
        assert!(!has_keyboard(&desk));
        desk.press(Modifiers::SHIFT, Key::F6);
        assert!(has_keyboard(&desk));

        desk.click(close);
        desk.click(menu);
        desk.write(Role::TextInput, name_field, "wide");
        desk.harness.check_accessibility();
        desk.click(save);
        if desk.harness.query_by_label(reset).is_none() {
            desk.click(menu);
        }
        desk.click(reset);
        assert!(is_open(&desk));
        if desk.harness.query_by_label("wide").is_none() {
            desk.click(menu);
        }
        desk.harness.get_by_label("wide").click();
        desk.harness.step();
        desk.harness.step();
        assert!(!is_open(&desk));
        let kept = desk.folder.path().join("preferences.json");
        desk.wait("the preferences", |_| std::fs::read_to_string(&kept).is_ok_and(|text| text.contains("wide")));
        let again = Desk::with_folder(desk.folder);
        assert!(!is_open(&again));
    }
}

#[test]
fn a_query_is_built_by_pasting_searching_and_picking_in_both_languages() {
    for language in Language::ALL {
        let mut panel = Panel::new(language);
        panel.press_key("paste-open");
        let field = panel.texts.get("paste-field");
        let fasta = ">A|protein\nMKSAYIAKQRSC\n>B|protein\nMKSAYIAKQRSC\n>D|dna\nACGT";
        panel.desk.write(Role::MultilineTextInput, &field, fasta);
        let found = panel.texts.with("paste-proteins", [("count", 2.into())]);
        panel.desk.wait_for_label(&found);
        panel.press_key("paste-add");
        let ids: Vec<(String, usize)> = panel
            .query()
            .sequences
            .iter()
            .flat_map(Entity::chains)
            .map(|(id, length)| (id.to_owned(), length))
            .collect();
        assert_eq!(ids, [("A".to_owned(), 12), ("B".to_owned(), 12), ("D".to_owned(), 4)]);
        panel.desk.rest();

        panel.press_key("ligand-add-code");
        let field = panel.texts.get("component-field");
        panel.desk.write(Role::TextInput, &field, "ADENOSINE-5'-TRIPHOSPHATE");
        let name = "ADENOSINE-5'-TRIPHOSPHATE".into();
        let choice = panel.texts.with("component-choose", [("code", "ATP".into()), ("name", name)]);
        panel.desk.wait_for_label(&choice);
        panel.press(&choice);
        let Some(Entity::Ligand(ligand)) = panel.query().sequences.last() else { panic!("no ligand") };
        assert_eq!(
            (ligand.source.clone(), ligand.ids.clone()),
            (LigandSource::Ccd(vec!["ATP".into()]), vec!["C".into()])
        );
        panel.desk.rest();

        let name = panel.texts.with("entity-protein", [("ids", "A, B".into())]);
        let label = panel.texts.with("modification-add-to", [("name", name.into())]);
        panel.press(&label);
        panel.press("MSE");
        let Entity::Protein(protein) = &panel.query().sequences[0] else { panic!("no protein") };
        assert_eq!(protein.modifications, [Modification { index: 1, ccd: "MSE".into() }]);
        panel.desk.rest();

        // The formula of the modified residue, whose atoms have the dictionary's names; then, by itself, that of the ligand.
        panel.press_key("bond-add");
        for atom in ["SE", "PG"] {
            let label = panel.texts.with("bond-atom", [("name", atom.into())]);
            panel.desk.wait_for_label(&label);
            panel.press(&label);
        }
        let bond = &panel.query().bonds[0];
        let ends = [&bond.atom1, &bond.atom2].map(|end| (end.chain.as_str(), end.residue, end.atom.as_str()));
        assert_eq!(ends, [("A", 1, "SE"), ("C", 1, "PG")]);
        panel.desk.rest();
        panel.desk.harness.check_accessibility();

        // 12 residues twice with one of 8 atoms in each, 4 bases, 31 atoms of ATP.
        let head = panel.texts.with("estimate-head", [("tokens", 73.into()), ("atoms", 0.into())]);
        let (tokens, _) = head.split_once('·').unwrap();
        panel.desk.wait_for_label(tokens.trim());

        // Saved and opened again it is the same.
        let name = panel.texts.get("query-name");
        panel.desk.write(Role::TextInput, &name, "built");
        panel.desk.rest();
        let built = panel.query().clone();
        let path = panel.desk.folder.path().join("built.yaml");
        built.write(&path).unwrap();
        panel.undo_all();
        assert_eq!(*panel.query(), Query::default());
        panel.desk.harness.state_mut().open(&path);
        panel.desk.wait("the query", |harness| !harness.state().document().query.sequences.is_empty());
        assert_eq!(*panel.query(), built);
    }
}

#[test]
fn a_ligand_is_drawn_with_undo_in_both_languages() {
    for language in Language::ALL {
        let mut panel = Panel::new(language);
        panel.press_key("ligand-add-drawing");
        panel.desk.wait_for_label("C6H6 ");
        let change = panel.texts.get("sketch-change");
        panel.choose("sketch-tool", &change);
        panel.choose("sketch-element", "N");
        let atom = panel.texts.with("sketch-atom", [("name", "C1".into())]);
        panel.press(&atom);
        panel.desk.wait_for_label("C5H5N ");
        panel.desk.press(Modifiers::COMMAND, Key::Z);
        panel.desk.wait_for_label("C6H6 ");
        panel.desk.press(Modifiers::COMMAND | Modifiers::SHIFT, Key::Z);
        panel.desk.wait_for_label("C5H5N ");
        panel.desk.harness.check_accessibility();
        // What cannot be is refused and changes nothing: a fourth bond at the nitrogen.
        let add = panel.texts.get("sketch-add");
        panel.choose("sketch-tool", &add);
        panel.choose("sketch-element", "C");
        let atom = panel.texts.with("sketch-atom", [("name", "N1".into())]);
        panel.press(&atom);
        let refused = panel.texts.with("sketch-refused", [("reason", "".into())]);
        panel.desk.wait_for_label(refused.trim());
        panel.desk.wait_for_label("C5H5N ");
        panel.press_key("sketch-use-new");
        assert_eq!(panel.desk.smiles().as_deref(), Some("c1ccncc1"));
        panel.desk.press(Modifiers::COMMAND, Key::Z);
        assert_eq!(panel.desk.smiles(), None);
    }
}

#[test]
fn pockets_are_found_and_one_becomes_the_box() {
    let mut panel = Panel::new(Language::English);
    panel.desk.click("Kinase and its inhibitor");
    panel.desk.wait_for_label("A · protein, 312 residues");
    panel.press("Remove the pocket");
    panel.press("Find pockets");
    panel.desk.wait_for_label("Pocket 1 · ");
    let label =
        panel.desk.harness.query_all_by_label_contains("Pocket 1 · ").next().unwrap().accesskit_node().label().unwrap();
    panel.press(&label);
    assert!(matches!(panel.query().pocket, Some(Pocket::Box { .. })), "{:?}", panel.query().pocket);
    assert!(panel.desk.can_predict());
}

#[test]
fn a_query_of_another_program_opens_and_says_what_is_left() {
    let mut panel = Panel::new(Language::English);
    let file = root().join("inference/src/query/import/fixtures/alphafold3.json");
    panel.desk.harness.state_mut().open(&file);
    panel.desk.wait("the query", |harness| !harness.state().notice_texts().is_empty());
    assert_eq!(panel.query().sequences.len(), 6);
    assert_eq!(panel.desk.harness.state().document().settings.seeds, [7, 11]);
    let notices = panel.desk.harness.state().notice_texts().join("\n");
    assert!(notices.contains("AlphaFold 3") && notices.contains("userCCDPath"), "{notices}");
    // FASTA goes to the query at hand.
    let fasta = panel.desk.folder.path().join("more.fasta");
    std::fs::write(&fasta, ">one\nMKTAYIAKQR\n").unwrap();
    panel.desk.harness.state_mut().open(&fasta);
    panel.desk.wait("the sequence", |harness| harness.state().document().query.sequences.len() == 7);
}
