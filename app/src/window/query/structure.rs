//! The known structure of the receptor.

use egui::{Align, Layout, RichText, Ui, vec2};
use kfold_inference::query::Query;
use kfold_molecule::structure::ResidueKind;

use super::super::app::Studio;
use super::super::background::Loaded;
use super::super::dialogs::Purpose;
use super::super::document::file_name;
use super::super::theme::{self, GAP_SMALL, palette};
use super::super::widgets::icon::Icon;
use super::super::widgets::{Tone, chip, icon_button, message, note, section};
use super::Ask;

impl Studio {
    pub(super) fn structure_ui(&mut self, ui: &mut Ui, query: &mut Query, asks: &mut Vec<Ask>) {
        let texts = self.texts.clone();
        let states = super::super::ensemble::morph_states(query);
        let mut show = None;
        section(ui, &texts.get("section-structure"), |ui| {
            let colours = palette(ui);
            let Some(path) = query.receptor_file().map(std::path::Path::to_path_buf) else {
                if ui.button(texts.get("structure-choose")).clicked() {
                    asks.push(Ask::File(Purpose::Structure));
                }
                note(ui, &texts.get("structure-hint"));
                return;
            };
            let is_apo = query.structure.is_none();
            theme::card(colours).show(ui, |ui| {
                ui.set_width(ui.available_width());
                file_row(ui, &path, &texts.get("structure-replace"), &texts.get("structure-remove"), is_apo, |act| {
                    match act {
                        FileAct::Replace => asks.push(Ask::File(Purpose::Structure)),
                        FileAct::Remove => query.structure = None,
                    }
                });
                if is_apo {
                    note(ui, &texts.get("structure-from-apo"));
                }
                match self.library.structure(&self.background, &path) {
                    Loaded::Waiting => {
                        ui.horizontal(|ui| {
                            ui.spinner();
                            ui.label(texts.get("file-reading"));
                        });
                    }
                    Loaded::Failed(reason) => {
                        message(ui, Tone::Bad, &reason);
                    }
                    Loaded::Ready(structure) => {
                        let summary = self.library.chain_summary(&path, &structure);
                        ui.horizontal_wrapped(|ui| {
                            ui.spacing_mut().item_spacing = vec2(GAP_SMALL, GAP_SMALL);
                            for chain in &summary.chains {
                                let key = match chain.kind {
                                    ResidueKind::Protein => "chain-summary-protein",
                                    ResidueKind::Dna => "chain-summary-dna",
                                    ResidueKind::Rna => "chain-summary-rna",
                                    _ => "chain-summary-other",
                                };
                                let values = [("id", chain.id.as_str().into()), ("count", chain.residues.into())];
                                chip(ui, &texts.with(key, values), None);
                            }
                        });
                        if !summary.others.is_empty() {
                            let list = summary
                                .others
                                .iter()
                                .map(|(name, count)| if *count > 1 { format!("{name} ×{count}") } else { name.clone() })
                                .collect::<Vec<_>>()
                                .join(", ");
                            note(ui, &texts.with("structure-others", [("list", list.into())]));
                        }
                        if summary.waters > 0 {
                            note(ui, &texts.with("structure-waters", [("count", summary.waters.into())]));
                        }
                        if summary.models > 1 {
                            note(ui, &texts.with("structure-models", [("count", summary.models.into())]));
                            if ui.button(texts.get("ensemble-show-models")).clicked() {
                                show = Some(Show::Models(path.clone(), structure));
                            }
                        }
                        if let Some((first, second)) = states.clone()
                            && ui.button(texts.get("ensemble-show-morph")).clicked()
                        {
                            show = Some(Show::Morph(first, second));
                        }
                    }
                }
            });
        });
        if let Some(show) = show {
            self.show(show);
        }
    }

    fn show(&mut self, show: Show) {
        match show {
            Show::Models(path, structure) => self.show_models(path, structure),
            Show::Morph(first, second) => self.show_morph(first, second),
        }
    }
}

/// An ensemble to show.
enum Show {
    Models(std::path::PathBuf, std::sync::Arc<kfold_molecule::Structure>),
    Morph(std::path::PathBuf, std::path::PathBuf),
}

/// What was pressed in a file's row.
pub(super) enum FileAct {
    Replace,
    Remove,
}

/// A file with the ways to change it.
pub(super) fn file_row(
    ui: &mut Ui,
    path: &std::path::Path,
    replace: &str,
    remove: &str,
    is_fixed: bool,
    mut act: impl FnMut(FileAct),
) {
    ui.horizontal(|ui| {
        let name = RichText::new(file_name(path)).text_style(theme::strong_style());
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if !is_fixed && icon_button(ui, Icon::Cross, remove, true).clicked() {
                act(FileAct::Remove);
            }
            if ui.button(replace).clicked() {
                act(FileAct::Replace);
            }
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                ui.add(egui::Label::new(name).truncate()).on_hover_text(path.display().to_string());
            });
        });
    });
}
