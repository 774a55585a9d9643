//! Ligands: by SMILES, by component code or name, from a file, drawn; and a series of them.

use egui::{Align, Layout, RichText, ScrollArea, TextEdit, Ui};
use kfold_inference::engine::EngineName;
use kfold_inference::query::{Entity, LigandSource, Query};

use super::super::app::Studio;
use super::super::background::{LigandKey, Loaded};
use super::super::dialogs::Purpose;
use super::super::document::{self, file_name};
use super::super::theme::{self, palette};
use super::super::widgets::depiction::depiction;
use super::super::widgets::icon::Icon;
use super::super::widgets::{Tone, icon_button, message, note, section};
use super::Ask;
use super::components::{ComponentSearch, Wanted};
use super::polymers::{copies_ui, forget_lost_bonds, set_copies};

/// Largest picture of a ligand, points.
const PICTURE_HEIGHT: f32 = 150.0;
/// Ligands of a series that are listed; the rest are counted.
const SERIES_LISTED: usize = 200;

/// What a ligand's picture is made from; `None` where there is none.
pub(super) fn key_of(source: &LigandSource) -> Option<LigandKey> {
    match source {
        LigandSource::Smiles(smiles) => (!smiles.is_empty()).then(|| LigandKey::Smiles(smiles.clone())),
        LigandSource::Sdf { file, .. } => Some(LigandKey::File(file.clone())),
        LigandSource::Ccd(codes) => match codes.as_slice() {
            [code] => Some(LigandKey::Component(code.clone())),
            _ => None,
        },
    }
}

impl Studio {
    pub(super) fn ligands_ui(&mut self, ui: &mut Ui, query: &mut Query, asks: &mut Vec<Ask>) {
        let texts = std::sync::Arc::clone(&self.texts);
        section(ui, &texts.get("section-ligands"), |ui| {
            let (mut remove, mut copies) = (None, None);
            for index in 0..query.sequences.len() {
                let Some(Entity::Ligand(ligand)) = query.sequences.get(index) else { continue };
                let mut ligand = ligand.clone();
                let title = texts.with("entity-ligand", [("ids", ligand.ids.join(", ").into())]);
                let colours = palette(ui);
                theme::card(colours).show(ui, |ui| {
                    ui.set_width(ui.available_width());
                    ui.horizontal(|ui| {
                        ui.label(RichText::new(&title).text_style(theme::strong_style()));
                        if let Some(description) = &ligand.description {
                            let text = RichText::new(description).color(colours.text_muted);
                            ui.add(egui::Label::new(text).truncate());
                        }
                        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                            let label = texts.with("entity-remove", [("name", title.clone().into())]);
                            if icon_button(ui, Icon::Cross, &label, true).clicked() {
                                remove = Some(index);
                            }
                            let entity = Entity::Ligand(ligand.clone());
                            if let Some(wanted) = copies_ui(ui, &texts, &entity, &title) {
                                copies = Some((index, wanted));
                            }
                        });
                    });
                    self.ligand_source_ui(ui, &mut ligand.source, index, &title);
                });
                if let Some(place) = query.sequences.get_mut(index) {
                    *place = Entity::Ligand(ligand);
                }
            }
            if let Some((index, wanted)) = copies {
                set_copies(query, index, wanted);
            }
            if let Some(index) = remove {
                query.sequences.remove(index);
                forget_lost_bonds(query);
            }
            if !query.series.is_empty() {
                self.series_ui(ui, query);
            }
            self.add_ligand_ui(ui, query, asks);
        });
    }

    fn ligand_source_ui(&mut self, ui: &mut Ui, source: &mut LigandSource, index: usize, title: &str) {
        let texts = std::sync::Arc::clone(&self.texts);
        match source {
            LigandSource::Smiles(smiles) => {
                let response = ui.add(
                    TextEdit::multiline(smiles)
                        .id_salt(("smiles", index))
                        .font(egui::TextStyle::Monospace)
                        .desired_rows(1)
                        .desired_width(f32::INFINITY)
                        .return_key(None)
                        .hint_text(texts.get("smiles-hint")),
                );
                let name = texts.with("smiles-of", [("name", title.to_owned().into())]);
                if response.accessible_name(name).changed() {
                    smiles.retain(|letter| !letter.is_whitespace());
                }
                if smiles.is_empty() {
                    note(ui, &texts.get("smiles-empty"));
                }
            }
            LigandSource::Sdf { file, .. } => {
                ui.label(file_name(file)).on_hover_text(file.display().to_string());
                if self.document.settings.engine == EngineName::KFold {
                    message(ui, Tone::Warning, &texts.get("ligand-file-kfold"));
                }
            }
            LigandSource::Ccd(codes) => {
                ui.label(RichText::new(codes.join("-")).monospace());
                if codes.len() > 1 && self.document.settings.engine == EngineName::Docking {
                    message(ui, Tone::Warning, &texts.get("ligand-ccd"));
                }
            }
        }
        let Some(key) = key_of(source) else {
            if matches!(source, LigandSource::Smiles(_)) && self.draw_button_ui(ui, title) {
                self.open_sketch(Some(index), None);
            }
            return;
        };
        let loaded = self.library.ligand(&self.background, &key);
        match &loaded {
            Loaded::Waiting => {
                ui.horizontal(|ui| {
                    ui.spinner();
                    ui.label(texts.get("ligand-drawing"));
                });
            }
            Loaded::Failed(reason) => {
                message(ui, Tone::Bad, reason);
            }
            Loaded::Ready(picture) => {
                let name = texts.with("ligand-picture-of", [("name", title.to_owned().into())]);
                depiction(ui, &picture.depiction, PICTURE_HEIGHT, &name);
                let line = texts.with(
                    "ligand-numbers",
                    [
                        ("formula", picture.descriptors.formula.clone().into()),
                        ("weight", format!("{:.1}", picture.descriptors.molecular_weight).into()),
                        ("rotatable", picture.descriptors.rotatable_bonds.into()),
                    ],
                );
                ui.label(RichText::new(line).small().color(palette(ui).text_muted));
                if picture.descriptors.open_stereo > 0 {
                    let text = texts.with("ligand-open-stereo", [("count", picture.descriptors.open_stereo.into())]);
                    message(ui, Tone::Warning, &text);
                }
                if self.draw_button_ui(ui, title) {
                    self.open_sketch(Some(index), Some(picture.molecule.clone()));
                }
            }
        }
    }

    /// The button that opens the drawing of a ligand. Whether it was pressed.
    fn draw_button_ui(&self, ui: &mut Ui, title: &str) -> bool {
        let button = ui.button(self.texts.get("sketch-edit")).on_hover_text(self.texts.get("sketch-edit-hint"));
        let label = self.texts.with("sketch-edit-of", [("name", title.to_owned().into())]);
        button.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, &label));
        button.clicked()
    }

    fn add_ligand_ui(&mut self, ui: &mut Ui, query: &mut Query, asks: &mut Vec<Ask>) {
        let texts = std::sync::Arc::clone(&self.texts);
        let is_searching = self.query_editor.search.as_ref().is_some_and(|search| search.wanted == Wanted::Ligand);
        ui.horizontal_wrapped(|ui| {
            if ui.button(texts.get("ligand-add-smiles")).clicked() {
                document::add_ligand(query, LigandSource::Smiles(String::new()));
            }
            if ui.button(texts.get("ligand-add-code")).clicked() {
                self.query_editor.search = if is_searching { None } else { Some(ComponentSearch::new(Wanted::Ligand)) };
                self.query_editor.modification = None;
            }
            if ui.button(texts.get("ligand-add-file")).clicked() {
                asks.push(Ask::File(Purpose::Ligand));
            }
            if ui.button(texts.get("ligand-add-drawing")).clicked() {
                self.open_sketch(None, None);
            }
            if ui.button(texts.get("ligand-add-series")).clicked() {
                asks.push(Ask::File(Purpose::Series));
            }
        });
        if is_searching && let Some(search) = &mut self.query_editor.search {
            let chosen = egui::Frame::group(ui.style())
                .show(ui, |ui| {
                    ui.set_width(ui.available_width());
                    search.ui(ui, &texts, &self.background)
                })
                .inner;
            if let Some(code) = chosen {
                document::add_ligand(query, LigandSource::Ccd(vec![code]));
                self.query_editor.search = None;
            }
        }
    }

    fn series_ui(&self, ui: &mut Ui, query: &mut Query) {
        let texts = &self.texts;
        let colours = palette(ui);
        theme::card(colours).show(ui, |ui| {
            ui.set_width(ui.available_width());
            ui.horizontal(|ui| {
                let title = texts.with("series-title", [("count", query.series.len().into())]);
                ui.label(RichText::new(title).text_style(theme::strong_style()));
                ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                    if icon_button(ui, Icon::Cross, &texts.get("series-remove"), true).clicked() {
                        query.series.clear();
                    }
                });
            });
            ScrollArea::vertical().id_salt("series").max_height(120.0).auto_shrink([false, true]).show(ui, |ui| {
                for ligand in query.series.iter().take(SERIES_LISTED) {
                    ui.horizontal(|ui| {
                        ui.label(RichText::new(&ligand.name).text_style(theme::strong_style()));
                        if let Some(pk) = ligand.measured_pk {
                            let text = texts.with("series-measured", [("pk", format!("{pk:.2}").into())]);
                            ui.label(RichText::new(text).small().color(colours.text_muted));
                        }
                        let source = match &ligand.source {
                            LigandSource::Smiles(smiles) => smiles.clone(),
                            LigandSource::Ccd(codes) => codes.join("-"),
                            LigandSource::Sdf { file, .. } => file_name(file),
                        };
                        ui.add(
                            egui::Label::new(RichText::new(source).monospace().color(colours.text_muted)).truncate(),
                        );
                    });
                }
                if query.series.len() > SERIES_LISTED {
                    let rest = query.series.len() - SERIES_LISTED;
                    note(ui, &texts.with("series-more", [("count", rest.into())]));
                }
            });
        });
    }
}
