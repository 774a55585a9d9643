//! A window on a software adapter with folders of its own, driven by the names of its controls. Set `KFOLD_STUDIO_PICTURES` to
//! a folder to keep pictures of its screens.

#![allow(dead_code, reason = "each test program uses a part of it")]

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use egui::accesskit::Role;
use egui::{Key, Modifiers};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;
use kfold_inference::query::Query;
use kfold_studio::texts::{Language, Texts};
use kfold_studio::window::{Places, Studio};

/// Looks before a wait gives up; each takes a frame and a hundredth of a second at least.
const LOOKS: usize = 6000;

pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

static WINDOWS: Mutex<()> = Mutex::new(());

thread_local! {
    static TURN: RefCell<Option<MutexGuard<'static, ()>>> = const { RefCell::new(None) };
}

pub struct Desk {
    pub harness: Harness<'static, Studio>,
    pub folder: tempfile::TempDir,
}

impl Desk {
    pub fn new() -> Self {
        Self::in_language("english")
    }

    pub fn in_language(language: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let text = format!(r#"{{"language":"{language}","dark":false}}"#);
        std::fs::write(folder.path().join("preferences.json"), text).unwrap();
        Self::with_folder(folder)
    }

    /// With the preferences that lie in a folder.
    pub fn with_folder(folder: tempfile::TempDir) -> Self {
        // One window at a time: each draws on the processor and some dock, and two on two cores wait for each other beyond
        // any patience. The lock is the thread's, that is the test's, until it ends; a test may open a second window.
        TURN.with(|turn| {
            turn.borrow_mut().get_or_insert_with(|| WINDOWS.lock().unwrap_or_else(PoisonError::into_inner));
        });
        let preferences = folder.path().join("preferences.json");
        let places = Places {
            samples: Some(root().join("samples")),
            runs: folder.path().join("runs"),
            sessions: folder.path().join("sessions"),
            lessons: folder.path().join("lessons"),
            preferences,
            worker: Some(PathBuf::from(env!("CARGO_BIN_EXE_kfold-studio"))),
            has_dialogs: false,
        };
        let mut harness = Harness::builder()
            .with_size([1440.0, 900.0])
            .with_pixels_per_point(1.0)
            .with_theme(egui::Theme::Light)
            .wgpu()
            .build_eframe(|creation| {
                Studio::new(&creation.egui_ctx, creation.wgpu_render_state.as_ref(), places).unwrap()
            });
        harness.step();
        Self { harness, folder }
    }

    /// Frames until something holds.
    pub fn wait(&mut self, what: &str, mut holds: impl FnMut(&Harness<'static, Studio>) -> bool) {
        self.look(LOOKS, what, &mut holds);
    }

    /// The same for what takes a minute or two.
    pub fn wait_long(&mut self, what: &str, mut holds: impl FnMut(&Harness<'static, Studio>) -> bool) {
        self.look(5 * LOOKS, what, &mut holds);
    }

    fn look(&mut self, looks: usize, what: &str, holds: &mut dyn FnMut(&Harness<'static, Studio>) -> bool) {
        for _ in 0..looks {
            self.harness.step();
            if holds(&self.harness) {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        self.picture("waited-in-vain");
        panic!("waited in vain for {what}; notices: {:?}", self.harness.state().notice_texts());
    }

    /// Keeps a picture of the screen where somebody wants them.
    pub fn picture(&mut self, name: &str) {
        let Some(folder) = std::env::var_os("KFOLD_STUDIO_PICTURES") else { return };
        if let Ok(image) = self.harness.render() {
            let _ = image.save(PathBuf::from(folder).join(format!("{name}.png")));
        }
    }

    pub fn wait_for_label(&mut self, part: &str) {
        let wanted = part.to_owned();
        self.wait(part, move |harness| harness.query_all_by_label_contains(&wanted).next().is_some());
    }

    pub fn click(&mut self, label: &str) {
        self.harness.get_by_label(label).click();
        self.harness.step();
        self.harness.step();
    }

    pub fn press(&mut self, modifiers: Modifiers, key: Key) {
        self.harness.key_press_modifiers(modifiers, key);
        self.harness.step();
        self.harness.step();
    }

    /// Replaces the text of the field with this name.
    pub fn write(&mut self, role: Role, field: &str, text: &str) {
        self.harness.get_by_role_and_label(role, field).focus();
        self.harness.step();
        self.press(Modifiers::COMMAND, Key::A);
        if text.is_empty() {
            self.press(Modifiers::NONE, Key::Delete);
            return;
        }
        self.harness.get_by_role_and_label(role, field).type_text(text);
        self.harness.step();
        self.harness.step();
    }

    /// Frames until everything asked for is here and shown, and what follows from it (a camera that travels, a step of the
    /// history, a saved session) is over too.
    pub fn rest(&mut self) {
        // What is asked for in one frame is asked of the background in the next, and what comes of it may ask for more.
        let mut still = 0;
        self.wait("the window to rest", move |harness| {
            still = if harness.state().is_settled() { still + 1 } else { 0 };
            still >= 4
        });
    }
}

/// The window in a language, by the keys of its sentences.
pub struct Panel {
    pub desk: Desk,
    pub texts: Texts,
}

impl Panel {
    pub fn new(language: Language) -> Self {
        let name = if language == Language::Korean { "korean" } else { "english" };
        Self { desk: Desk::in_language(name), texts: Texts::new(language) }
    }

    /// Presses what has this name, wherever the panel is scrolled to.
    pub fn press(&mut self, label: &str) {
        self.desk.harness.get_by_label(label).scroll_to_me();
        self.desk.harness.step();
        self.desk.harness.get_by_label(label).click_accesskit();
        self.desk.harness.step();
        self.desk.harness.step();
    }

    pub fn press_key(&mut self, key: &str) {
        let label = self.texts.get(key);
        self.press(&label);
    }

    /// Of a switch, the choice.
    pub fn choose(&mut self, switch: &str, choice: &str) {
        let label = format!("{}: {choice}", self.texts.get(switch));
        self.press(&label);
    }

    pub fn query(&self) -> &Query {
        &self.desk.harness.state().document().query
    }

    pub fn undo_all(&mut self) {
        for _ in 0..40 {
            self.desk.press(Modifiers::COMMAND, Key::Z);
        }
    }

    /// Writes a file that was asked for and returns its bytes.
    pub fn write_file(&mut self, name: &str) -> Vec<u8> {
        let path = self.desk.folder.path().join(name);
        let field = self.texts.get("path-field");
        self.desk.write(Role::TextInput, &field, &path.display().to_string());
        self.press_key("path-write");
        let wanted = self.texts.with("written-to", [("path", path.display().to_string().into())]);
        self.desk.wait(name, |harness| harness.state().notice_texts().contains(&wanted.as_str()));
        std::fs::read(&path).unwrap()
    }

    /// The rows of a table that the button under a plot writes.
    pub fn numbers_of(&mut self, plot: &str, name: &str) -> Vec<Vec<String>> {
        let plot = self.texts.get(plot);
        self.numbers_named(&plot, name)
    }

    /// The same for a plot of this name.
    pub fn numbers_named(&mut self, plot: &str, name: &str) -> Vec<Vec<String>> {
        let button = self.texts.with("numbers-save-of", [("plot", plot.into())]);
        self.press(&button);
        self.desk.harness.step();
        let text = String::from_utf8(self.write_file(name)).unwrap();
        text.lines().map(|line| line.split(',').map(str::to_owned).collect()).collect()
    }
}
