//! The pane of notes: what the user writes down beside the query. It is part of the document, so undo and the session have
//! it.

use egui::{Margin, ScrollArea, TextEdit, Ui};

use crate::window::app::Studio;

/// Longest notes, letters.
const LONGEST: usize = 100_000;

impl Studio {
    /// The pane's contents.
    pub(in crate::window) fn notes_ui(&mut self, ui: &mut Ui) {
        let name = self.texts.get("notes-field");
        ScrollArea::vertical().id_salt("notes").auto_shrink([false, false]).show(ui, |ui| {
            egui::Frame::new().inner_margin(Margin::symmetric(12, 8)).show(ui, |ui| {
                let field = TextEdit::multiline(&mut self.document.notes)
                    .char_limit(LONGEST)
                    .desired_rows(12)
                    .desired_width(f32::INFINITY)
                    .hint_text(self.texts.get("notes-hint"));
                ui.add(field).accessible_name(name);
            });
        });
    }
}
