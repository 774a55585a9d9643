//! The query panel: what to predict and how, and the button that does it.
//!
//! Each section edits the [`Query`] of the document, which the history watches; what a section only remembers for itself (an
//! open search, a half-made bond, a drawing) is in the [`Editor`], which is not part of the document. Whatever takes time
//! (searching names, pockets, plans, drawing) is done on a thread of its kind and comes back as [`News`].

mod bonds;
mod components;
mod editor;
mod estimate;
mod ligands;
mod modifications;
mod opened;
mod options;
mod places;
mod pocket;
mod polymers;
mod predict;
mod sequences;
mod sketch;
mod structure;

use egui::{Margin, RichText, ScrollArea, TextEdit, Ui};
use kfold_inference::query::Query;

use super::app::Studio;
use super::command::Command;
use super::dialogs::Purpose;
use super::theme::{GAP_SMALL, palette};
use super::widgets::{Tone, message};

pub use editor::{Editor, News};
pub(super) use options::number_ui;

/// What the panel asks for besides edits, done after the frame's layout.
enum Ask {
    File(Purpose),
    Run(Command),
    Resume(std::path::PathBuf),
}

impl Studio {
    /// The panel's contents.
    pub(super) fn query_panel_ui(&mut self, ui: &mut Ui) {
        let mut asks = Vec::new();
        egui::Panel::bottom("predict")
            .resizable(false)
            .show_separator_line(true)
            .frame(super::theme::panel(Margin { left: 12, right: 12, top: 10, bottom: 10 }))
            .show(ui, |ui| self.predict_ui(ui, &mut asks));
        egui::CentralPanel::no_frame().show(ui, |ui| {
            let mut scroll = ScrollArea::vertical().id_salt("query").auto_shrink([false, false]);
            if std::mem::take(&mut self.query_editor.to_top) {
                scroll = scroll.vertical_scroll_offset(0.0);
            }
            scroll.show(ui, |ui| {
                egui::Frame::new().inner_margin(Margin { left: 12, right: 12, top: 6, bottom: 12 }).show(ui, |ui| {
                    let mut query = std::mem::take(&mut self.document.query);
                    self.name_ui(ui, &mut query);
                    self.structure_ui(ui, &mut query, &mut asks);
                    self.ligands_ui(ui, &mut query, &mut asks);
                    self.pocket_ui(ui, &mut query, &mut asks);
                    self.polymers_ui(ui, &mut query, &mut asks);
                    self.bonds_ui(ui, &mut query);
                    self.document.query = query;
                    self.settings_ui(ui);
                });
            });
        });
        self.sketch_ui(ui.ctx());
        for ask in asks {
            match ask {
                Ask::File(purpose) => self.ask_for_file(purpose),
                Ask::Run(command) => self.do_command(command, ui.ctx()),
                Ask::Resume(folder) => self.change_queue(move |queue| queue.resume(&folder)),
            }
        }
    }

    fn name_ui(&self, ui: &mut Ui, query: &mut Query) {
        let colours = palette(ui);
        ui.add_space(GAP_SMALL);
        ui.horizontal(|ui| {
            let label = ui.label(RichText::new(self.texts.get("query-name")).color(colours.text_muted));
            ui.add(
                TextEdit::singleline(&mut query.name)
                    .desired_width(f32::INFINITY)
                    .hint_text(self.texts.get("query-name-hint")),
            )
            .labelled_by(label.id);
        });
        if !query.name.is_empty() && !super::problems::is_name(&query.name) {
            message(ui, Tone::Bad, &self.texts.get("problem-name"));
        }
        ui.add_space(GAP_SMALL);
    }
}
