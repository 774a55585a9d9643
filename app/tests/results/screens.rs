//! Every screen: its accessibility tree is written to the target folder (`accessibility/LANGUAGE/SCREEN.txt`), nothing on it lacks
//! a name, and parts of a few are compared with pictures in `tests/golden` (`UPDATE_GOLDEN=1` draws them anew; look at
//! them before you commit).

use std::fmt::Write as _;
use std::path::PathBuf;

use egui::accesskit::Role;
use egui::{Key, Modifiers, Rect, pos2};
use egui_kittest::kittest::NodeT as _;
use image::imageops::FilterType;
use image::{Rgba, RgbaImage};
use kfold_studio::texts::Language;

use super::desk::{Panel, root};
use super::{docked_job, kfold_job};

/// What a channel of a pixel may differ by before the pixel counts: rounding of blends differs between adapters.
const CHANNEL_TOLERANCE: u8 = 24;
/// Share of the pixels that may count.
const PIXEL_TOLERANCE: f64 = 0.003;

fn target() -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR"))
}

/// Controls and pictures: what must have a name.
const fn needs_name(role: Role) -> bool {
    matches!(
        role,
        Role::Button
            | Role::CheckBox
            | Role::RadioButton
            | Role::ComboBox
            | Role::Slider
            | Role::SpinButton
            | Role::TextInput
            | Role::MultilineTextInput
            | Role::Link
            | Role::Image
            | Role::Canvas
            | Role::ProgressIndicator
            | Role::ColorWell
            | Role::Tab
    )
}

impl Panel {
    /// Writes the tree of what is on the screen, and fails where something on it has no name or no value.
    fn screen(&mut self, name: &str) {
        self.desk.rest();
        let mut text = String::new();
        let mut faults = Vec::new();
        for node in self.desk.harness.root().children_recursive() {
            let node = node.accesskit_node();
            if node.is_hidden() {
                continue;
            }
            let (role, data) = (node.role(), node.data());
            let label = node.label().filter(|label| !label.trim().is_empty());
            let placeholder = data.placeholder().map(str::to_owned).filter(|hint| !hint.trim().is_empty());
            let depth = std::iter::successors(node.parent(), |parent| parent.parent()).count();
            let value = node.value().or_else(|| node.numeric_value().map(|value| value.to_string()));
            let description = data.description().unwrap_or_default();
            if label.is_some() || value.is_some() || needs_name(role) {
                let (name, value) = (label.clone().unwrap_or_default(), value.clone().unwrap_or_default());
                let _ = writeln!(text, "{:depth$}{role:?} {name:?} {value:?} {description}", "");
            }
            if needs_name(role) && label.is_none() && placeholder.is_none() && !data.is_read_only() {
                faults.push(format!("{role:?} at {:?} has no name", node.raw_bounds()));
            }
            if role == Role::Slider && node.numeric_value().is_none() {
                faults.push(format!("slider {label:?} has no value"));
            }
            if role == Role::CheckBox && node.toggled().is_none() {
                faults.push(format!("checkbox {label:?} does not say whether it is on"));
            }
        }
        let folder = target().join("accessibility").join(format!("{:?}", self.texts.language()).to_lowercase());
        std::fs::create_dir_all(&folder).unwrap();
        let file = folder.join(format!("{name}.txt"));
        std::fs::write(&file, text).unwrap();
        assert!(faults.is_empty(), "{name}: {faults:#?}; the whole tree is in {}", file.display());
        self.desk.picture(&format!("screen-{name}-{:?}", self.texts.language()));
    }

    /// Compares a part of the screen, at half its size, with the picture that is kept.
    fn compare(&mut self, name: &str, part: Rect) {
        self.desk.harness.hover_at(pos2(1.0, 899.0));
        self.desk.rest();
        let whole = self.desk.harness.render().unwrap();
        let (x, y) = (part.min.x as u32, part.min.y as u32);
        let part = image::imageops::crop_imm(&whole, x, y, part.width() as u32, part.height() as u32).to_image();
        let found = image::imageops::resize(&part, part.width() / 2, part.height() / 2, FilterType::Triangle);
        let kept = root().join("app/tests/golden").join(format!("{name}.png"));
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::create_dir_all(kept.parent().unwrap()).unwrap();
            found.save(&kept).unwrap();
            return;
        }
        let wanted = image::open(&kept).unwrap_or_else(|error| panic!("{}: {error}", kept.display())).to_rgba8();
        assert_eq!(found.dimensions(), wanted.dimensions(), "{name}");
        let differs = |a: &Rgba<u8>, b: &Rgba<u8>| (0..3).any(|at| a[at].abs_diff(b[at]) > CHANNEL_TOLERANCE);
        let count = found.pixels().zip(wanted.pixels()).filter(|(a, b)| differs(a, b)).count();
        let share = count as f64 / f64::from(found.width() * found.height());
        if share > PIXEL_TOLERANCE {
            let folder = target().join("pictures");
            std::fs::create_dir_all(&folder).unwrap();
            let marked = RgbaImage::from_fn(found.width(), found.height(), |x, y| {
                if differs(found.get_pixel(x, y), wanted.get_pixel(x, y)) {
                    Rgba([220, 0, 60, 255])
                } else {
                    let [red, green, blue, _] = wanted.get_pixel(x, y).0.map(|value| 128 + value / 2);
                    Rgba([red, green, blue, 255])
                }
            });
            found.save(folder.join(format!("{name}.png"))).unwrap();
            marked.save(folder.join(format!("{name}-differs.png"))).unwrap();
            panic!(
                "{name}: {:.2} % of the pixels differ from {} (allowed {:.2} %); what was drawn and where it differs is in {}. \
                 If that is meant, run with UPDATE_GOLDEN=1 and look at the picture",
                100.0 * share,
                kept.display(),
                100.0 * PIXEL_TOLERANCE,
                folder.display()
            );
        }
    }
}

fn rect(left: f32, top: f32, right: f32, bottom: f32) -> Rect {
    Rect::from_min_max(pos2(left, top), pos2(right, bottom))
}

#[test]
fn screens_without_a_result_have_names_for_everything() {
    for language in Language::ALL {
        let mut panel = Panel::new(language);
        let is_english = language == Language::English;
        panel.screen("start");
        if is_english {
            panel.compare("start", rect(340.0, 40.0, 1440.0, 640.0));
        }
        panel.desk.press(Modifiers::COMMAND, Key::Comma);
        for page in ["general", "servers", "privacy", "about"] {
            let choice = panel.texts.get(&format!("preferences-{page}"));
            panel.choose("preferences-title", &choice);
            panel.screen(&format!("settings-{page}"));
            if !is_english && page == "servers" {
                panel.compare("settings-servers-korean", rect(400.0, 160.0, 1040.0, 740.0));
            }
        }
        panel.desk.press(Modifiers::NONE, Key::Escape);
        panel.desk.press(Modifiers::COMMAND, Key::K);
        panel.screen("palette");
        panel.desk.press(Modifiers::NONE, Key::Escape);
        panel.desk.press(Modifiers::NONE, Key::F1);
        panel.screen("help");
        panel.desk.press(Modifiers::NONE, Key::F1);
        panel.desk.press(Modifiers::ALT, Key::Num9);
        panel.screen("lessons");
        panel.desk.press(Modifiers::ALT, Key::Num0);
        panel.screen("notes");
        panel.desk.press(Modifiers::ALT, Key::Num1);

        panel.desk.harness.state_mut().open(&root().join("samples/kinase/query.yaml"));
        panel.desk.wait("the query", |harness| !harness.state().document().query.sequences.is_empty());
        panel.screen("query");
        for (key, screen) in [
            ("ligand-add-code", "component-search"),
            ("paste-open", "paste"),
            ("bond-add", "bond"),
            ("ligand-add-drawing", "drawing"),
        ] {
            panel.press_key(key);
            panel.screen(screen);
        }
        panel.desk.press(Modifiers::COMMAND, Key::O);
        panel.screen("path");
        panel.desk.press(Modifiers::NONE, Key::Escape);

        panel.desk.harness.state_mut().open(&root().join("samples/adenylate-kinase/query.yaml"));
        panel.desk.wait("the query", |harness| harness.state().document().query.name.starts_with("adenylate"));
        panel.desk.rest();
        panel.press_key("ensemble-show-morph");
        panel.desk.press(Modifiers::ALT, Key::Num6);
        panel.screen("states");
        if is_english {
            panel.desk.harness.ctx.set_theme(egui::Theme::Dark);
            panel.compare("states-dark", rect(1040.0, 40.0, 1440.0, 860.0));
        }
    }
}

#[test]
fn screens_of_results_have_names_for_everything() {
    for language in Language::ALL {
        let mut panel = Panel::new(language);
        let folder = panel.desk.folder.path().to_owned();
        let (docked, sampled) = (docked_job(&folder), kfold_job(&folder));
        panel.desk.harness.state_mut().open(&docked);
        let pose = panel.texts.get("section-site");
        panel.desk.wait_for_label(&pose);
        panel.screen("results-docking");
        if language == Language::English {
            panel.desk.press(Modifiers::ALT, Key::Num5);
            panel.compare("sequence", rect(345.0, 690.0, 1035.0, 890.0));
        }
        panel.desk.harness.state_mut().open(&sampled);
        let ranking = panel.texts.get("section-complexes");
        panel.desk.wait_for_label(&ranking);
        panel.screen("results-kfold");
        panel.desk.press(Modifiers::ALT, Key::Num4);
        panel.screen("confidence");
        if language == Language::Korean {
            panel.compare("confidence-korean", rect(1040.0, 60.0, 1440.0, 860.0));
        }
        panel.desk.press(Modifiers::ALT, Key::Num6);
        panel.screen("compare-samples");
    }
}
