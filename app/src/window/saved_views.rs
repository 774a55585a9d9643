//! Views that are kept under a name: the camera, how things are drawn, what is selected. They are part of the document, so
//! they are undone, saved with the session, and written into scene files.

use std::sync::Arc;

use egui::{Margin, RichText, TextEdit, Ui, vec2};

use super::app::Studio;
use super::command::Command;
use super::document::SavedView;
use super::theme::{self, palette};
use super::widgets::icon::Icon;
use super::widgets::{icon_button, note};

/// Letters of a name.
const LONGEST_NAME: usize = 60;
/// Views that are kept at most.
const MOST: usize = 60;

/// What is done with a view of the list.
enum Choice {
    Go(usize),
    Remove(usize),
    Update(usize),
}

impl Studio {
    fn view_as_it_is(&self, name: String) -> SavedView {
        SavedView {
            name,
            camera: self.viewport.resting_camera(),
            view: self.document.view.clone(),
            selection: self.document.selection.clone(),
            labels: self.document.labels,
        }
    }

    /// Keeps the view under a name that is free.
    pub(super) fn save_view(&mut self) {
        if self.viewport.is_empty() || self.document.saved_views.len() >= MOST {
            return;
        }
        self.history.commit(&self.document);
        let number = (1..).find(|number| {
            let name = self.texts.with("view-saved-name", [("number", (*number).into())]);
            self.document.saved_views.iter().all(|view| view.name != name)
        });
        let name = self.texts.with("view-saved-name", [("number", number.unwrap_or(1).into())]);
        let view = self.view_as_it_is(name);
        self.document.saved_views.push(view);
        self.current_view = Some(self.document.saved_views.len() - 1);
        self.dock.reveal(super::panes::Pane::SavedViews);
    }

    /// Goes to a view.
    pub(super) fn go_to_view(&mut self, index: usize) {
        let Some(kept) = self.document.saved_views.get(index).cloned() else { return };
        self.history.commit(&self.document);
        self.document.view = kept.view;
        self.document.selection = kept.selection;
        self.document.labels = kept.labels;
        self.viewport.go_to(kept.camera);
        self.current_view = Some(index);
    }

    /// Goes to the view after or before the one that was gone to last.
    pub(super) fn step_view(&mut self, forward: bool) {
        let count = self.document.saved_views.len();
        if count == 0 {
            return;
        }
        let next = match self.current_view {
            Some(current) if forward => (current + 1) % count,
            Some(current) => (current + count - 1) % count,
            None => 0,
        };
        self.go_to_view(next);
    }

    /// The pane.
    pub(super) fn saved_views_ui(&mut self, ui: &mut Ui) {
        let texts = Arc::clone(&self.texts);
        let colours = palette(ui);
        let mut choice = None;
        egui::Frame::new().inner_margin(Margin::symmetric(12, 8)).show(ui, |ui| {
            let save = theme::primary_button(colours, &texts.get("command-save-view"), vec2(160.0, 30.0));
            let hint = self.labelled_shortcut(ui, Command::SaveView);
            if ui.add(save).on_hover_text(hint).clicked() {
                self.save_view();
            }
            let keys = [Command::PreviousView, Command::NextView].map(|command| self.shortcut_text(ui, command));
            let [previous, next] = keys;
            note(ui, &texts.with("view-saved-hint", [("previous", previous.into()), ("next", next.into())]));
            ui.add_space(theme::GAP_SMALL);
            let current = self.current_view;
            egui::ScrollArea::vertical().auto_shrink([false, true]).show(ui, |ui| {
                for (index, view) in self.document.saved_views.iter_mut().enumerate() {
                    let named = |key: &str| texts.with(key, [("name", view.name.clone().into())]);
                    let (go, rename) = (named("view-saved-go"), named("view-saved-rename"));
                    let (update, remove) = (named("view-saved-update"), named("view-saved-remove"));
                    ui.horizontal(|ui| {
                        if icon_button(ui, Icon::Play, &go, true).clicked() {
                            choice = Some(Choice::Go(index));
                        }
                        let width = (ui.available_width() - 2.0 * (theme::CONTROL_HEIGHT + 8.0)).max(60.0);
                        let edit = TextEdit::singleline(&mut view.name).desired_width(width).char_limit(LONGEST_NAME);
                        let edit = if current == Some(index) { edit.text_color(colours.accent) } else { edit };
                        ui.add(edit).accessible_name(rename);
                        if icon_button(ui, Icon::Reset, &update, true).clicked() {
                            choice = Some(Choice::Update(index));
                        }
                        if icon_button(ui, Icon::Cross, &remove, true).clicked() {
                            choice = Some(Choice::Remove(index));
                        }
                    });
                }
                if self.document.saved_views.is_empty() {
                    ui.label(RichText::new(texts.get("view-saved-none")).color(colours.text_muted));
                }
            });
        });
        match choice {
            Some(Choice::Go(index)) => self.go_to_view(index),
            Some(Choice::Remove(index)) => {
                self.history.commit(&self.document);
                self.document.saved_views.remove(index);
                self.current_view = None;
            }
            Some(Choice::Update(index)) => {
                self.history.commit(&self.document);
                let name = self.document.saved_views[index].name.clone();
                self.document.saved_views[index] = self.view_as_it_is(name);
                self.current_view = Some(index);
            }
            None => {}
        }
    }
}
