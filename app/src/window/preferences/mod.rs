//! The window of settings: how the program looks, what it keeps and where, whether it may use the network, and what it
//! is made of. Each setting says what it does.

pub mod licenses;
pub mod servers;

use std::path::Path;

use egui::{RichText, ScrollArea, Ui};
use kfold_inference::network;

use super::app::Studio;
use super::files::Preferences;
use super::theme::{self, palette};
use super::widgets::{Tone, checkbox, message, note, segmented};
use crate::texts::{Language, Texts};

/// Text sizes that can be chosen.
const SCALES: std::ops::RangeInclusive<f32> = 0.7..=2.5;
/// Height of the pages, points.
const HEIGHT: f32 = 440.0;

/// A page of the window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Page {
    /// How it looks.
    General,
    /// Other computers that predict.
    Servers,
    /// What is kept and what is sent.
    Privacy,
    /// What it is made of.
    About,
}

impl Studio {
    /// Shows the settings, while they are open.
    pub(super) fn preferences_ui(&mut self, ui: &Ui) {
        let Some(mut page) = self.preferences_page else { return };
        let texts = std::sync::Arc::clone(&self.texts);
        let before = self.preferences.clone();
        let mut open = true;
        egui::Window::new(texts.get("preferences-title"))
            .id(egui::Id::unique("preferences"))
            .open(&mut open)
            .collapsible(false)
            .resizable(false)
            .default_width(600.0)
            .anchor(egui::Align2::CENTER_CENTER, egui::Vec2::ZERO)
            .show(ui.ctx(), |ui| {
                let pages = [
                    (Page::General, texts.get("preferences-general")),
                    (Page::Servers, texts.get("preferences-servers")),
                    (Page::Privacy, texts.get("preferences-privacy")),
                    (Page::About, texts.get("preferences-about")),
                ];
                segmented(ui, &texts.get("preferences-title"), &mut page, &pages);
                ui.add_space(theme::GAP);
                let scroll =
                    ScrollArea::vertical().id_salt(page as usize).max_height(HEIGHT).min_scrolled_height(HEIGHT);
                scroll.auto_shrink([false, false]).show(ui, |ui| match page {
                    Page::General => self.general_ui(ui, &texts),
                    Page::Servers => self.servers_ui(ui, &texts),
                    Page::Privacy => self.privacy_ui(ui, &texts),
                    Page::About => self.about_ui(ui, &texts),
                });
            });
        let escaped = ui.input_mut(|input| input.consume_key(egui::Modifiers::NONE, egui::Key::Escape));
        self.preferences_page = (open && !escaped).then_some(page);
        if self.preferences != before {
            self.apply_preferences(ui.ctx());
            self.keep_preferences();
        }
    }

    /// Makes the preferences so.
    pub(super) fn apply_preferences(&mut self, context: &egui::Context) {
        context.set_theme(match self.preferences.dark {
            Some(true) => egui::ThemePreference::Dark,
            Some(false) => egui::ThemePreference::Light,
            None => egui::ThemePreference::System,
        });
        // A file may hold anything.
        let scale = self.preferences.text_scale;
        let scale = if scale.is_finite() { scale.clamp(*SCALES.start(), *SCALES.end()) } else { 1.0 };
        context.set_zoom_factor(scale);
        if self.texts.language() != self.preferences.language {
            self.texts = std::sync::Arc::new(Texts::new(self.preferences.language));
            self.tell_faults();
        }
        network::set_offline(self.preferences.offline);
        if self.was_offline != self.preferences.offline {
            let is_offline = self.preferences.offline;
            self.was_offline = is_offline;
            self.change_queue(move |queue| queue.set_offline(is_offline));
        }
        if self.preferences.offline {
            self.server = None;
        }
    }

    fn general_ui(&mut self, ui: &mut Ui, texts: &Texts) {
        let Preferences { language, dark, text_scale, .. } = &mut self.preferences;
        setting(ui, &texts.get("language-switch"), &texts.get("preferences-language-note"), |ui| {
            let languages = Language::ALL.map(|language| (language, language.own_name().to_owned()));
            segmented(ui, &texts.get("preferences-language"), language, &languages);
        });
        setting(ui, &texts.get("preferences-appearance"), &texts.get("preferences-appearance-note"), |ui| {
            let choices = [
                (None, texts.get("preferences-system")),
                (Some(false), texts.get("preferences-light")),
                (Some(true), texts.get("preferences-dark")),
            ];
            segmented(ui, &texts.get("preferences-appearance"), dark, &choices);
        });
        setting(ui, &texts.get("preferences-scale"), &texts.get("preferences-scale-note"), |ui| {
            let mut percent = (*text_scale * 100.0).round();
            let range = SCALES.start() * 100.0..=SCALES.end() * 100.0;
            let name = texts.get("preferences-scale");
            // Taken over when the mouse lets go, because the slider would run away under it.
            let slider = egui::Slider::new(&mut percent, range).step_by(10.0).suffix(" %").show_value(false);
            let response = ui.add(slider).accessible_name(name.clone());
            let value = egui::DragValue::new(&mut percent).range(70.0..=250.0).suffix(" %").speed(1.0);
            let typed = ui.add(value).accessible_name(name);
            let id = ui.scope_id().with("percent");
            if response.dragged() {
                ui.data_mut(|data| data.insert_temp(id, percent));
            } else if response.drag_stopped() {
                percent = ui.data_mut(|data| data.remove_temp(id)).unwrap_or(percent);
                *text_scale = percent / 100.0;
            } else if response.changed() || typed.changed() {
                *text_scale = percent / 100.0;
            }
        });
        self.offline_ui(ui, texts);
        setting(ui, &texts.get("preferences-tour"), &texts.get("preferences-tour-note"), |ui| {
            if ui.button(texts.get("command-tour")).clicked() {
                self.start_tour();
                self.preferences_page = None;
            }
        });
    }

    fn offline_ui(&mut self, ui: &mut Ui, texts: &Texts) {
        setting(ui, &texts.get("preferences-offline"), &texts.get("preferences-offline-note"), |ui| {
            checkbox(ui, &mut self.preferences.offline, texts.get("preferences-offline-switch"));
        });
    }

    fn privacy_ui(&mut self, ui: &mut Ui, texts: &Texts) {
        message(ui, Tone::Good, &texts.get("privacy-promise"));
        ui.add_space(theme::GAP);
        self.offline_ui(ui, texts);
        ui.label(RichText::new(texts.get("privacy-sent")).text_style(theme::title_style()));
        ui.add(egui::Label::new(texts.get("privacy-sent-server")).wrap());
        if self.servers.is_empty() {
            note(ui, &texts.get("privacy-no-servers"));
        }
        let mut withdrawn = None;
        for server in &self.servers {
            ui.horizontal(|ui| {
                let agreed = self.agreed_servers.contains(server);
                let key = if agreed { "privacy-server-agreed" } else { "privacy-server-asked" };
                ui.label(texts.with(key, [("name", server.clone().into())]));
                if agreed && ui.button(texts.with("privacy-withdraw", [("name", server.clone().into())])).clicked() {
                    withdrawn = Some(server.clone());
                }
            });
        }
        ui.add(egui::Label::new(texts.get("privacy-sent-weights")).wrap());
        ui.add_space(theme::GAP);
        ui.label(RichText::new(texts.get("privacy-kept")).text_style(theme::title_style()));
        let kept = [
            ("privacy-runs", self.places.runs.clone()),
            ("privacy-sessions", self.places.sessions.clone()),
            ("privacy-preferences", self.places.preferences.clone()),
            ("privacy-servers", self.places.preferences.with_file_name("servers.json")),
            ("privacy-lessons", self.places.lessons.clone()),
        ];
        for (key, path) in kept {
            kept_ui(ui, &texts.get(key), &path);
        }
        if let Some(server) = withdrawn {
            self.withdraw(&server);
        }
    }

    /// Takes back the agreement to send queries to a server.
    fn withdraw(&mut self, server: &str) {
        self.agreed_servers.remove(server);
        let mut servers = super::run::servers_of(&self.places);
        if let Ok(entry) = servers.get(server).cloned() {
            let entry = kfold_inference::remote::servers::ServerEntry { agreed: false, ..entry };
            match servers.put(entry) {
                Ok(()) => self.take_servers(&servers),
                Err(error) => self.tell(Tone::Bad, error.to_string()),
            }
        }
    }
}

/// A setting: its name, what it is set with, and what it does.
fn setting(ui: &mut Ui, name: &str, explanation: &str, add_control: impl FnOnce(&mut Ui)) {
    ui.label(RichText::new(name).text_style(theme::strong_style()));
    ui.horizontal(add_control);
    note(ui, explanation);
    ui.add_space(theme::GAP);
}

fn kept_ui(ui: &mut Ui, what: &str, path: &Path) {
    let colours = palette(ui);
    ui.add(egui::Label::new(what).wrap());
    let path = RichText::new(super::format::path(path)).small().color(colours.text_muted);
    ui.add(egui::Label::new(path).truncate());
}
