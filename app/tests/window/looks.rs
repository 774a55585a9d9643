//! How the window shows things: styles and surfaces, selecting by a box and a loop, kept views, two eyes, samples over each
//! other, files of the scene.

use egui::accesskit::Role;
use egui::{Event, Key, Modifiers, PointerButton, Pos2, Rect, pos2};
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use kfold_viewer::Stereo;
use kfold_viewer::scene_file::SceneFile;

use super::{Desk, root};

const SHIFT: Modifiers = Modifiers { shift: true, ..Modifiers::NONE };
const ALT: Modifiers = Modifiers { alt: true, ..Modifiers::NONE };

fn kinase(language: &str) -> Desk {
    let mut desk = Desk::in_language(language);
    desk.harness.state_mut().open(&root().join("samples/kinase/query.yaml"));
    desk.wait("the query", |harness| harness.state().document().query.name == "egfr_erlotinib");
    // Its structure is read after it.
    desk.wait_for_label("312");
    desk.rest();
    desk
}

fn view_rect(desk: &Desk, name: &str) -> Rect {
    desk.harness.get_by_label(name).rect()
}

/// A drag of the left button over these points.
fn drag(desk: &mut Desk, points: &[Pos2], modifiers: Modifiers) {
    let [first, rest @ ..] = points else { return };
    let button =
        |pos: Pos2, pressed: bool| Event::PointerButton { pos, button: PointerButton::Primary, pressed, modifiers };
    desk.harness.input_mut().events.push(Event::ModifiersChanged(modifiers));
    desk.harness.input_mut().events.push(Event::PointerMoved(*first));
    desk.harness.step();
    desk.harness.input_mut().events.push(Event::ModifiersChanged(modifiers));
    desk.harness.input_mut().events.push(button(*first, true));
    desk.harness.step();
    for point in rest {
        desk.harness.input_mut().events.push(Event::ModifiersChanged(modifiers));
        desk.harness.input_mut().events.push(Event::PointerMoved(*point));
        desk.harness.step();
    }
    desk.harness.input_mut().events.push(Event::ModifiersChanged(modifiers));
    desk.harness.input_mut().events.push(button(*points.last().unwrap(), false));
    desk.harness.step();
    desk.harness.input_mut().events.push(Event::ModifiersChanged(Modifiers::NONE));
    desk.rest();
}

fn choose(desk: &mut Desk, menu: &str, choice: &str) {
    desk.harness.get_by_role_and_label(Role::ComboBox, menu).click();
    desk.harness.step();
    desk.harness.step();
    // It may lie below what is seen of a long list.
    desk.harness.get_by_role_and_label(Role::Button, choice).click_accesskit();
    desk.harness.step();
    desk.press(Modifiers::NONE, Key::Escape);
    desk.harness.step();
    desk.harness.step();
}

#[test]
fn every_style_is_one_click_and_is_undone() {
    for (language, open, glass, certainty, overview) in [
        ("english", "Open: Style", "Glass surface", "Certainty tube", "Overview"),
        ("korean", "열기: 모양", "유리 표면", "확신도 튜브", "한눈에 보기"),
    ] {
        let mut desk = kinase(language);
        desk.click(open);
        desk.rest();
        desk.harness.check_accessibility();
        let before = desk.harness.state().document().view.clone();
        desk.click(glass);
        desk.rest();
        let glassy = desk.harness.state().document().view.clone();
        assert_ne!(glassy, before);
        assert!(glassy.surface.opacity < 1.0);
        desk.harness.check_accessibility();
        desk.picture(&format!("style-glass-{language}"));
        desk.click(certainty);
        desk.rest();
        assert_ne!(desk.harness.state().document().view, glassy);
        desk.picture(&format!("style-certainty-{language}"));
        desk.press(Modifiers::COMMAND, Key::Z);
        assert_eq!(desk.harness.state().document().view, glassy);
        desk.press(Modifiers::COMMAND, Key::Z);
        assert_eq!(desk.harness.state().document().view, before);
        desk.click(overview);
        desk.rest();
        assert!(desk.harness.state().notice_texts().is_empty());
    }
}

#[test]
fn all_that_the_viewer_draws_can_be_chosen() {
    let mut desk = kinase("english");
    desk.click("Open: Style");
    desk.rest();
    for backbone in ["Tubular helices", "CA trace", "Tube by B-factor"] {
        choose(&mut desk, "Backbone", backbone);
        desk.rest();
    }
    choose(&mut desk, "Representation", "Ball and stick");
    desk.rest();
    assert!(desk.harness.query_by_role_and_label(Role::ComboBox, "Backbone").is_none());
    desk.press(Modifiers::COMMAND, Key::Num8);
    desk.rest();
    desk.click("Surface around it: Pocket");
    desk.rest();
    choose(&mut desk, "Surface colour", "Hydrophobicity");
    choose(&mut desk, "Kind of surface", "Gaussian surface");
    desk.click("Net");
    desk.rest();
    let surface = desk.harness.state().document().view.surface;
    assert!(surface.net && surface.gaussian && surface.colour.is_some());
    // From the palette too.
    desk.press(Modifiers::COMMAND, Key::K);
    let field = "Search commands, samples and files";
    desk.harness.get_by_role_and_label(Role::TextInput, field).type_text("style: tubular");
    desk.harness.step();
    desk.harness.step();
    desk.press(Modifiers::NONE, Key::Enter);
    desk.rest();
    desk.harness.get_by_role_and_label(Role::ComboBox, "Backbone");
    choose(&mut desk, "Look", "Dark ground");
    desk.rest();
    desk.picture("style-dark");
    desk.harness.check_accessibility();
}

#[test]
fn a_box_and_a_loop_select_add_and_take_out() {
    let mut desk = kinase("english");
    let selection = |desk: &Desk| desk.harness.state().document().selection.clone();
    let count = |desk: &Desk| {
        let texts: Vec<String> = desk
            .harness
            .query_all_by_label_contains("residues")
            .filter_map(|node| node.accesskit_node().label().or(node.accesskit_node().value()))
            .collect();
        let found =
            texts.iter().find_map(|text| text.split(" in ").nth(1)?.strip_suffix(" residues")?.parse::<usize>().ok());
        found.unwrap_or(0)
    };
    let area = view_rect(&desk, "3D view");
    let at = |x: f32, y: f32| pos2(area.left() + x * area.width(), area.top() + y * area.height());
    let camera = desk.harness.state().document().camera;
    desk.click("Box");
    desk.harness.check_accessibility();
    drag(&mut desk, &[at(0.1, 0.1), at(0.4, 0.5), at(0.5, 0.9)], Modifiers::NONE);
    let half = selection(&desk);
    let in_half = count(&desk);
    assert!(half.contains("resi") && in_half > 20, "{half}: {in_half}");
    desk.picture("select-box");
    assert_eq!(desk.harness.state().document().camera, camera, "a box turns nothing");
    drag(&mut desk, &[at(0.5, 0.1), at(0.7, 0.5), at(0.95, 0.9)], SHIFT);
    let in_both = count(&desk);
    assert!(in_both > in_half, "{in_both} and {in_half}");
    // A loop around the middle is taken out.
    desk.click("Lasso");
    let loop_: Vec<Pos2> = (0..=24)
        .map(|step| {
            let angle = step as f32 / 24.0 * std::f32::consts::TAU;
            at(0.5 + 0.2 * angle.cos(), 0.5 + 0.25 * angle.sin())
        })
        .collect();
    drag(&mut desk, &loop_, ALT);
    let left = count(&desk);
    assert!(left < in_both && left > 0, "{left} of {in_both}");
    desk.press(Modifiers::COMMAND, Key::Z);
    desk.rest();
    assert_eq!(count(&desk), in_both);
    desk.press(Modifiers::COMMAND, Key::Z);
    desk.rest();
    assert_eq!(selection(&desk), half);
    // Nothing lies in the corner; the Control key draws a box with any tool.
    desk.click("Turn");
    drag(&mut desk, &[at(0.3, 0.3), at(0.5, 0.5), at(0.6, 0.6)], Modifiers::COMMAND);
    assert_ne!(selection(&desk), half);
    assert_eq!(desk.harness.state().document().camera, camera);
    desk.press(Modifiers::COMMAND | Modifiers::SHIFT, Key::H);
    desk.rest();
    assert!(desk.harness.state().document().view.hidden.is_some());
}

#[test]
fn views_are_kept_named_gone_to_and_written() {
    for (language, first, keep, name_of, remove) in [
        ("english", "View 1", "Keep this view", "Name of View 1", "Remove Pocket from the left"),
        ("korean", "장면 1", "이 장면 저장", "장면 1의 이름", "Pocket from the left 지우기"),
    ] {
        let mut desk = kinase(language);
        desk.press(Modifiers::COMMAND, Key::L);
        desk.rest();
        desk.press(Modifiers::COMMAND, Key::B);
        desk.rest();
        let kept = desk.harness.state().document().saved_views.clone();
        assert_eq!((kept.len(), kept[0].name.as_str()), (1, first));
        desk.harness.check_accessibility();
        desk.write(Role::TextInput, name_of, "Pocket from the left");
        desk.press(Modifiers::COMMAND, Key::R);
        desk.press(Modifiers::COMMAND, Key::Num3);
        desk.rest();
        desk.click(keep);
        desk.rest();
        assert_eq!(desk.harness.state().document().saved_views.len(), 2);
        let (pocket, whole) = (kept[0].camera, desk.harness.state().document().camera.unwrap());
        assert_ne!(pocket, whole);
        // It travels: the camera is told when it has arrived.
        desk.press(Modifiers::COMMAND, Key::PageDown);
        desk.rest();
        assert_eq!(desk.harness.state().document().camera, Some(pocket));
        assert_eq!(desk.harness.state().document().view, kept[0].view);
        desk.press(Modifiers::COMMAND, Key::PageUp);
        desk.rest();
        assert_eq!(desk.harness.state().document().camera, Some(whole));
        desk.picture(&format!("saved-views-{language}"));

        let path = desk.folder.path().join("mine.json");
        desk.press(Modifiers::COMMAND | Modifiers::ALT, Key::J);
        let (field, write) =
            if language == "english" { ("Path", "Write it") } else { ("경로", "이 파일에 쓰기") };
        desk.write(Role::TextInput, field, &path.display().to_string());
        desk.click(write);
        desk.wait("the scene file", |_| path.is_file());
        let scene = SceneFile::parse(&std::fs::read_to_string(&path).unwrap()).unwrap();
        let names: Vec<&str> = scene.views.iter().map(|view| view.name.as_str()).collect();
        assert_eq!(names.len(), 2);
        assert_eq!(names[0], "Pocket from the left");
        // The command line draws it from there.
        let picture = desk.folder.path().join("mine.png");
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_kfold-studio"))
            .args(["render", "--scene"])
            .arg(&path)
            .args(["--view", "Pocket from the left", "--size", "320x120", "--samples", "1", "--stereo", "cross", "-o"])
            .arg(&picture)
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(image::image_dimensions(&picture).unwrap(), (320, 120));

        desk.click(remove);
        assert_eq!(desk.harness.state().document().saved_views.len(), 1);
        desk.press(Modifiers::COMMAND, Key::Z);
        assert_eq!(desk.harness.state().document().saved_views.len(), 2);
    }
}

#[test]
fn two_eyes_see_two_pictures_and_both_are_clicked_in() {
    let mut desk = kinase("english");
    desk.press(Modifiers::COMMAND | Modifiers::ALT, Key::S);
    desk.rest();
    assert_eq!(desk.harness.state().document().view.stereo, Stereo::Parallel);
    desk.picture("stereo");
    let area = view_rect(&desk, "3D view");
    // A box over the middle of the right picture finds what one over the left finds, but for what is at its rim.
    let mut found = Vec::new();
    for middle in [0.25, 0.75] {
        desk.click("Box");
        let at = |x: f32, y: f32| pos2(area.left() + (middle + x) * area.width(), area.center().y + y * area.height());
        drag(&mut desk, &[at(-0.06, -0.1), at(0.0, 0.0), at(0.06, 0.1)], Modifiers::NONE);
        let text = desk.harness.state().document().selection.clone();
        assert!(text.contains("resi"), "{middle}: {text}");
        found.push(text);
    }
    desk.press(Modifiers::COMMAND | Modifiers::ALT, Key::O);
    desk.rest();
    assert_eq!(desk.harness.state().document().view.stereo, Stereo::Off);
    assert!(desk.harness.state().notice_texts().is_empty());
}

#[test]
fn models_lie_over_each_other_apart_by_colour_and_a_surface_plays_along() {
    let mut desk = Desk::new();
    desk.click("A protein in two states");
    desk.wait_for_label("A · protein, 214 residues");
    desk.click("Show the change between the states");
    desk.wait_for_label("1 of 25");
    desk.rest();
    desk.press(Modifiers::COMMAND, Key::Num0);
    desk.rest();
    assert!(desk.harness.state().document().view.overlay);
    choose(&mut desk, "Colour by", "By sample");
    desk.rest();
    assert_eq!(format!("{:?}", desk.harness.state().document().view.colour), "Sample");
    desk.wait_for_label("1 of 25");
    desk.picture("overlay");
    desk.harness.check_accessibility();
    // A tube as thick as the models differ.
    desk.press(Modifiers::COMMAND, Key::Num0);
    desk.click("Open: Style");
    desk.rest();
    choose(&mut desk, "Backbone", "Tube by RMSF");
    desk.rest();
    desk.picture("overlay-tube");
    // The surface goes with the models; the window takes frames all the while.
    desk.press(Modifiers::COMMAND, Key::Num6);
    desk.rest();
    desk.click("Play");
    desk.wait_for_label("9 of 25");
    desk.picture("playing-surface");
    desk.click("Pause");
    desk.rest();
    assert!(desk.harness.state().notice_texts().is_empty());
}

#[test]
fn an_assembly_is_drawn_in_its_copies_and_undone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dimer.pdb");
    let operators = "REMARK 350 BIOMOLECULE: 1\nREMARK 350 AUTHOR DETERMINED BIOLOGICAL UNIT: DIMERIC\n\
                     REMARK 350 APPLY THE FOLLOWING TO CHAINS: A\n\
                     REMARK 350   BIOMT1   1  1.000000  0.000000  0.000000        0.00000\n\
                     REMARK 350   BIOMT2   1  0.000000  1.000000  0.000000        0.00000\n\
                     REMARK 350   BIOMT3   1  0.000000  0.000000  1.000000        0.00000\n\
                     REMARK 350   BIOMT1   2 -1.000000  0.000000  0.000000        0.00000\n\
                     REMARK 350   BIOMT2   2  0.000000 -1.000000  0.000000        0.00000\n\
                     REMARK 350   BIOMT3   2  0.000000  0.000000  1.000000       40.00000\n";
    let receptor = std::fs::read_to_string(root().join("samples/adenylate-kinase/open.pdb")).unwrap();
    std::fs::write(&path, format!("{operators}{receptor}")).unwrap();
    for (language, open, menu, none) in [
        ("english", "Open: Style", "Assembly", "As in the file"),
        ("korean", "열기: 모양", "생물학적 조립체", "파일 그대로"),
    ] {
        let mut desk = Desk::in_language(language);
        desk.harness.state_mut().open(&path);
        desk.rest();
        desk.click(open);
        desk.wait("the assemblies", |harness| harness.query_by_role_and_label(Role::ComboBox, menu).is_some());
        desk.rest();
        let before = desk.harness.state().drawn_atoms();
        let choice = desk.harness.state().document().view.assembly.clone();
        assert_eq!(choice, None, "{none}");
        choose_first(&mut desk, menu, "1: ");
        desk.rest();
        assert_eq!(desk.harness.state().document().view.assembly.as_deref(), Some("1"));
        assert_eq!(desk.harness.state().drawn_atoms(), 2 * before);
        desk.picture(&format!("assembly-{language}"));
        desk.harness.check_accessibility();
        desk.press(Modifiers::COMMAND, Key::Z);
        desk.rest();
        assert_eq!(desk.harness.state().drawn_atoms(), before);
        assert!(desk.harness.state().notice_texts().is_empty());
    }
}

/// As [`choose`], by the first words of the choice.
fn choose_first(desk: &mut Desk, menu: &str, words: &str) {
    desk.harness.get_by_role_and_label(Role::ComboBox, menu).click();
    desk.harness.step();
    desk.harness.step();
    desk.harness.get_by(|node| node.label().is_some_and(|label| label.starts_with(words))).click_accesskit();
    desk.harness.step();
    desk.press(Modifiers::NONE, Key::Escape);
    desk.harness.step();
    desk.harness.step();
}
