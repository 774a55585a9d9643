//! The bar at the top: files, samples, undo, language, appearance, help.

use egui::{Align, Layout, Margin, RichText, Ui};

use super::app::Studio;
use super::command::Command;
use super::dialogs::ExportKind;
use super::dock::Dock;
use super::document::file_name;
use super::files;
use super::panes::Pane;
use super::theme::{self, palette};
use super::widgets::icon::Icon;
use super::widgets::{checkbox, icon_button, note, segmented, titled_choice};
use crate::texts::Language;

/// What was chosen in a menu.
enum Choice {
    Command(Command),
    Path(std::path::PathBuf),
    Language(Language),
    Close(Pane),
    Layout(usize),
    RemoveLayout(usize),
    SaveLayout,
}

impl Studio {
    /// The bar.
    pub(super) fn top_bar_ui(&mut self, ui: &mut Ui) {
        let frame = theme::panel(Margin { left: 12, right: 12, top: 6, bottom: 6 });
        let mut choice = None;
        egui::Panel::top("top_bar").resizable(false).frame(frame).show(ui, |ui| {
            ui.horizontal(|ui| {
                ui.label(RichText::new("K-Fold Studio").text_style(theme::title_style()));
                ui.add_space(theme::GAP);
                let new = Command::New;
                let button = ui.button(self.texts.get("menu-new")).accessible_name(self.texts.get(new.name()));
                if button.on_hover_text(self.labelled_shortcut(ui, new)).clicked() {
                    choice = Some(Choice::Command(new));
                }
                self.open_menu_ui(ui, &mut choice);
                self.samples_menu_ui(ui, &mut choice);
                let texts = &self.texts;
                if ui.button(texts.get("command-save")).on_hover_text(self.shortcut_text(ui, Command::Save)).clicked() {
                    choice = Some(Choice::Command(Command::Save));
                }
                self.export_menu_ui(ui, &mut choice);
                self.panes_menu_ui(ui, &mut choice);
                ui.separator();
                let can_undo = self.history.can_undo(&self.document);
                let can_redo = self.history.can_redo(&self.document);
                for (icon, command, enabled) in
                    [(Icon::Undo, Command::Undo, can_undo), (Icon::Redo, Command::Redo, can_redo)]
                {
                    let label = self.labelled_shortcut(ui, command);
                    if icon_button(ui, icon, &label, enabled).clicked() {
                        choice = Some(Choice::Command(command));
                    }
                }
                ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                    for (icon, command) in [
                        (Icon::Help, Command::Help),
                        (Icon::Settings, Command::Preferences),
                        (Icon::Appearance, Command::Appearance),
                        (Icon::Search, Command::Palette),
                    ] {
                        let label = self.labelled_shortcut(ui, command);
                        if icon_button(ui, icon, &label, true).clicked() {
                            choice = Some(Choice::Command(command));
                        }
                    }
                    let mut language = self.texts.language();
                    // Short names, so that the switch stays small; each is written in its own language.
                    let choices = [(Language::English, "EN".to_owned()), (Language::Korean, "한국어".to_owned())];
                    if segmented(ui, &self.texts.get("language-switch"), &mut language, &choices) {
                        choice = Some(Choice::Language(language));
                    }
                });
            });
        });
        match choice {
            Some(Choice::Command(command)) => self.do_command(command, ui.ctx()),
            Some(Choice::Path(path)) => self.open(&path),
            Some(Choice::Language(language)) => self.set_language(language),
            Some(Choice::Close(pane)) => self.dock.close(pane),
            Some(Choice::Layout(index)) => {
                if let Some((_, layout)) = self.preferences.layouts.get(index) {
                    self.set_layout(Dock::from_layout(layout));
                }
            }
            Some(Choice::RemoveLayout(index)) => {
                self.preferences.layouts.remove(index);
                self.keep_preferences();
            }
            Some(Choice::SaveLayout) => {
                let name = std::mem::take(&mut self.layout_name).trim().to_owned();
                self.preferences.save_layout(name, self.dock.layout());
                self.keep_preferences();
            }
            None => {}
        }
    }

    /// Puts the panes as a layout says.
    pub(super) fn set_layout(&mut self, dock: Dock) {
        self.preferences.layout = Some(dock.layout());
        self.dock = dock;
        self.keep_preferences();
    }

    /// A command's name with its key, for tooltips.
    pub(super) fn labelled_shortcut(&self, ui: &Ui, command: Command) -> String {
        let name = self.texts.get(command.name());
        if command.shortcut().is_some() { format!("{name} ({})", self.shortcut_text(ui, command)) } else { name }
    }

    pub(super) fn shortcut_text(&self, ui: &Ui, command: Command) -> String {
        command.shortcut().map(|shortcut| ui.ctx().format_shortcut(&shortcut)).unwrap_or_default()
    }

    fn command_item(&self, ui: &mut Ui, command: Command, enabled: bool, choice: &mut Option<Choice>) {
        let mut button = egui::Button::new(self.texts.get(command.name())).frame(false);
        if command.shortcut().is_some() {
            button = button.shortcut_text(self.shortcut_text(ui, command));
        }
        if ui.add_enabled(enabled, button).clicked() {
            *choice = Some(Choice::Command(command));
            ui.close();
        }
    }

    fn open_menu_ui(&self, ui: &mut Ui, choice: &mut Option<Choice>) {
        ui.menu_button(self.texts.get("menu-open"), |ui| {
            ui.set_min_width(260.0);
            for command in [Command::Open, Command::OpenRun, Command::SaveSession] {
                self.command_item(ui, command, true, choice);
            }
            if !self.preferences.recent.is_empty() {
                ui.separator();
                note(ui, &self.texts.get("menu-recent"));
                for path in &self.preferences.recent {
                    let button = egui::Button::new(file_name(path)).frame(false).truncate();
                    if ui.add(button).on_hover_text(path.display().to_string()).clicked() {
                        *choice = Some(Choice::Path(path.clone()));
                        ui.close();
                    }
                }
            }
        });
    }

    fn samples_menu_ui(&self, ui: &mut Ui, choice: &mut Option<Choice>) {
        ui.menu_button(self.texts.get("menu-samples"), |ui| {
            ui.set_min_width(470.0);
            if self.samples.is_empty() {
                note(ui, &self.texts.get("samples-missing"));
            }
            for sample in &self.samples {
                let keys = files::sample_keys(&sample.name);
                let (title, text) = keys.map_or_else(
                    || (sample.name.clone(), String::new()),
                    |(title, text)| (self.texts.get(title), self.texts.get(text)),
                );
                if titled_choice(ui, &title, &text, false) {
                    *choice = Some(Choice::Path(sample.query.clone()));
                    ui.close();
                }
            }
        });
    }

    fn export_menu_ui(&self, ui: &mut Ui, choice: &mut Option<Choice>) {
        ui.menu_button(self.texts.get("menu-export"), |ui| {
            ui.set_min_width(260.0);
            for kind in ExportKind::ALL {
                self.command_item(ui, Command::Export(kind), self.can_export(kind), choice);
            }
            self.command_item(ui, Command::SaveAs, true, choice);
            if !self.can_export(ExportKind::Sdf) {
                note(ui, &self.texts.get("export-needs-result"));
            }
        });
    }

    /// Which panes are open, and the layouts that were saved.
    fn panes_menu_ui(&mut self, ui: &mut Ui, choice: &mut Option<Choice>) {
        let config =
            egui::containers::menu::MenuConfig::new().close_behavior(egui::PopupCloseBehavior::CloseOnClickOutside);
        egui::containers::menu::MenuButton::new(self.texts.get("menu-panes")).config(config).ui(ui, |ui| {
            ui.set_width(260.0);
            for pane in Pane::ALL.into_iter().filter(|pane| (pane.spec().is_available)(self)) {
                let mut is_open = !self.dock.is_closed(pane);
                let name = self.texts.get(pane.spec().name);
                ui.horizontal(|ui| {
                    let box_ = ui.add_enabled_ui(pane != Pane::View, |ui| checkbox(ui, &mut is_open, name)).inner;
                    if box_.changed() {
                        let show = Choice::Command(Command::ShowPane(pane));
                        *choice = Some(if is_open { show } else { Choice::Close(pane) });
                    }
                    ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                        ui.weak(self.shortcut_text(ui, Command::ShowPane(pane)));
                    });
                });
            }
            ui.separator();
            self.command_item(ui, Command::ResetPanes, true, choice);
            if !self.preferences.layouts.is_empty() {
                note(ui, &self.texts.get("panes-saved"));
            }
            for (index, (name, _)) in self.preferences.layouts.iter().enumerate() {
                ui.horizontal(|ui| {
                    if ui.add(egui::Button::new(name).frame(false).truncate()).clicked() {
                        *choice = Some(Choice::Layout(index));
                        ui.close();
                    }
                    ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                        let label = self.texts.with("panes-remove", [("name", name.clone().into())]);
                        if icon_button(ui, Icon::Cross, &label, true).clicked() {
                            *choice = Some(Choice::RemoveLayout(index));
                        }
                    });
                });
            }
            ui.separator();
            let hint = self.texts.get("panes-name");
            let field = egui::TextEdit::singleline(&mut self.layout_name).desired_width(f32::INFINITY).hint_text(&hint);
            let field = ui.add(field.char_limit(40)).accessible_name(hint);
            let entered = field.lost_focus() && ui.input(|input| input.key_pressed(egui::Key::Enter));
            let is_named = !self.layout_name.trim().is_empty();
            let save = ui.add_enabled(is_named, egui::Button::new(self.texts.get("panes-save")));
            if is_named && (save.clicked() || entered) {
                *choice = Some(Choice::SaveLayout);
            }
        });
    }

    /// The list of shortcuts and of what the mouse does in the view.
    pub(super) fn help_ui(&mut self, ui: &Ui) {
        let mut open = self.help_open;
        egui::Window::new(self.texts.get("help-title"))
            .id(egui::Id::unique("help"))
            .open(&mut open)
            .collapsible(false)
            .resizable(false)
            .default_width(520.0)
            .anchor(egui::Align2::CENTER_CENTER, egui::Vec2::ZERO)
            .show(ui.ctx(), |ui| {
                let colours = palette(ui);
                egui::ScrollArea::vertical().max_height(620.0).min_scrolled_height(620.0).show(ui, |ui| {
                    egui::Grid::new("shortcuts").num_columns(2).spacing([40.0, 0.0]).show(ui, |ui| {
                        for command in Command::all().filter(|command| command.shortcut().is_some()) {
                            ui.label(self.texts.get(command.name()));
                            ui.label(RichText::new(self.shortcut_text(ui, command)).color(colours.text_muted));
                            ui.end_row();
                        }
                        for (what, how) in [
                            ("help-orbit", "help-orbit-how"),
                            ("help-pan", "help-pan-how"),
                            ("help-zoom", "help-zoom-how"),
                            ("help-centre", "help-centre-how"),
                            ("help-pick", "help-pick-how"),
                        ] {
                            ui.label(self.texts.get(what));
                            ui.label(RichText::new(self.texts.get(how)).color(colours.text_muted));
                            ui.end_row();
                        }
                    });
                });
            });
        let escaped = open && ui.input_mut(|input| input.consume_key(egui::Modifiers::NONE, egui::Key::Escape));
        self.help_open = open && !escaped;
    }
}
