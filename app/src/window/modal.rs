//! Questions that must be answered before anything else: a path where there is no file dialog, and closing.

use std::path::PathBuf;

use egui::{Id, Key, RichText, TextEdit, Ui, vec2};

use super::app::Studio;
use super::command::Command;
use super::dialogs::Purpose;
use super::theme::{self, palette};
use super::widgets::{Tone, message, note};

/// An open question.
#[derive(Clone, Debug)]
pub enum Modal {
    /// A path, typed.
    Path {
        /// What for.
        purpose: Purpose,
        /// What has been typed.
        text: String,
        /// Whether the field has had the focus yet.
        is_fresh: bool,
    },
    /// Whether queries may be sent to a server, the first time.
    Agree {
        /// Its name.
        server: String,
    },
    /// Closing with a run going or edits in no file.
    Close,
}

impl Modal {
    /// Asks for a path, starting from a suggestion.
    #[must_use]
    pub fn path(purpose: Purpose, suggestion: PathBuf) -> Self {
        Self::Path { purpose, text: suggestion.into_os_string().to_string_lossy().into_owned(), is_fresh: true }
    }
}

impl Studio {
    /// Shows the open question, if there is one.
    pub(super) fn modal_ui(&mut self, ui: &Ui) {
        match self.modal.take() {
            None => {}
            Some(Modal::Path { purpose, text, is_fresh }) => self.path_modal_ui(ui, purpose, text, is_fresh),
            Some(Modal::Agree { server }) => self.agree_modal_ui(ui, server),
            Some(Modal::Close) => self.close_modal_ui(ui),
        }
    }

    /// Asks whether the query may leave this computer.
    fn agree_modal_ui(&mut self, ui: &Ui, server: String) {
        let texts = std::sync::Arc::clone(&self.texts);
        let entry = super::run::servers_of(&self.places).get(&server).cloned();
        let Ok(entry) = entry else { return };
        let (mut agreed, mut is_over) = (false, false);
        let response = egui::Modal::new(Id::unique("agree")).show(ui.ctx(), |ui| {
            ui.set_width(460.0);
            ui.label(RichText::new(texts.get("agree-title")).text_style(theme::title_style()));
            let values = [("name", server.clone().into()), ("url", entry.url.clone().into())];
            message(ui, Tone::Info, &texts.with("agree-text", values));
            ui.add_space(theme::GAP);
            ui.horizontal(|ui| {
                let send = theme::primary_button(palette(ui), &texts.get("agree-send"), vec2(0.0, 28.0));
                agreed = ui.add(send).clicked();
                is_over = ui.button(texts.get("agree-not")).clicked();
            });
        });
        if agreed {
            self.agreed_servers.insert(server);
            let mut servers = super::run::servers_of(&self.places);
            let agreement = kfold_inference::remote::servers::ServerEntry { agreed: true, ..entry };
            match servers.put(agreement) {
                Ok(()) => self.take_servers(&servers),
                Err(error) => self.tell(Tone::Bad, error.to_string()),
            }
            self.predict();
        } else if !is_over && !response.should_close() {
            self.modal = Some(Modal::Agree { server });
        }
    }

    fn path_modal_ui(&mut self, ui: &Ui, purpose: Purpose, mut text: String, is_fresh: bool) {
        let texts = std::sync::Arc::clone(&self.texts);
        let mut accepted = false;
        let response = egui::Modal::new(Id::unique("path")).show(ui.ctx(), |ui| {
            ui.set_width(520.0);
            ui.label(RichText::new(texts.get(purpose.title())).text_style(theme::title_style()));
            note(ui, &texts.get("path-hint"));
            let field = ui
                .add(TextEdit::singleline(&mut text).desired_width(f32::INFINITY))
                .accessible_name(texts.get("path-field"));
            if is_fresh {
                field.request_focus();
            }
            let path = PathBuf::from(text.trim());
            let exists = path.exists();
            if purpose.saves() {
                if exists && path.is_file() {
                    message(ui, Tone::Warning, &texts.get("path-overwrites"));
                }
            } else if !exists && !text.trim().is_empty() {
                message(ui, Tone::Warning, &texts.get("path-missing"));
            }
            let usable = !text.trim().is_empty() && if purpose.saves() { !path.is_dir() } else { exists };
            let entered = field.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
            ui.add_space(theme::GAP);
            let mut close = false;
            ui.horizontal(|ui| {
                let label = texts.get(if purpose.saves() { "path-write" } else { "path-open" });
                let button = theme::primary_button(palette(ui), &label, vec2(90.0, 28.0));
                let clicked = ui.add_enabled(usable, button).clicked();
                accepted = usable && (clicked || entered);
                close = ui.button(texts.get("dialog-cancel")).clicked();
            });
            close
        });
        if accepted {
            self.file_chosen(purpose, &PathBuf::from(text.trim()));
        } else if !response.inner && !response.should_close() {
            self.modal = Some(Modal::Path { purpose, text, is_fresh: false });
        }
    }

    fn close_modal_ui(&mut self, ui: &Ui) {
        let texts = std::sync::Arc::clone(&self.texts);
        let is_running = self.is_running();
        let is_unsaved = self.is_unsaved();
        let mut open = true;
        let response = egui::Modal::new(Id::unique("close")).show(ui.ctx(), |ui| {
            ui.set_width(440.0);
            ui.label(RichText::new(texts.get("close-title")).text_style(theme::title_style()));
            if is_running {
                message(ui, Tone::Info, &texts.get("close-running"));
            }
            if is_unsaved {
                message(ui, Tone::Warning, &texts.get("close-unsaved"));
            }
            ui.add_space(theme::GAP);
            ui.horizontal_wrapped(|ui| {
                if is_running {
                    let keep = theme::primary_button(palette(ui), &texts.get("close-keep-running"), vec2(0.0, 28.0));
                    if ui.add(keep).clicked() {
                        self.close_now(ui.ctx());
                        open = false;
                    }
                    if ui.button(texts.get("close-cancel-run")).clicked() {
                        self.do_command(Command::Cancel, ui.ctx());
                        self.close_now(ui.ctx());
                        open = false;
                    }
                } else {
                    let save = theme::primary_button(palette(ui), &texts.get("close-save"), vec2(0.0, 28.0));
                    if ui.add(save).clicked() {
                        self.do_command(Command::Save, ui.ctx());
                        open = false;
                    }
                    if ui.button(texts.get("close-discard")).clicked() {
                        self.close_now(ui.ctx());
                        open = false;
                    }
                }
                if ui.button(texts.get("close-stay")).clicked() {
                    open = false;
                }
            });
        });
        // A path may have been asked for meanwhile (saving a query that has none); that question comes first.
        if open && !response.should_close() && self.modal.is_none() {
            self.modal = Some(Modal::Close);
        }
    }
}
