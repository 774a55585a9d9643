//! Where the ligand binds: around a ligand in a file, around residues clicked or named, in a found pocket, or in a box.

use egui::{RichText, Role, TextEdit, Ui, WidgetInfo, vec2};
use glam::Vec3;
use kfold_inference::query::{Pocket, Query};
use kfold_molecule::Model;
use kfold_molecule::analysis::pockets::pockets;

use super::super::app::Studio;
use super::super::background::{Lane, Loaded};
use super::super::dialogs::Purpose;
use super::super::document::{DEFAULT_BOX_EDGE, DEFAULT_PADDING, PocketKind, box_around};
use super::super::message::Message;
use super::super::theme::{self, GAP, GAP_SMALL, palette};
use super::super::widgets::icon::Icon;
use super::super::widgets::{Tone, checkbox, field, icon_button, message, note, section_with, segmented, small_button};
use super::Ask;
use super::editor::{News, Picking};
use super::structure::{FileAct, file_row};

/// Pockets that are offered.
const POCKETS: usize = 6;
/// Å around the centres of a pocket's spheres: the box that docking itself would search there.
const FOUND_PADDING: f32 = 6.0;

/// A pocket that was found in the structure.
#[derive(Clone, Debug, PartialEq)]
pub struct FoundPocket {
    center: Vec3,
    size: Vec3,
    volume: f32,
    residues: Vec<String>,
}

/// The best pockets of a model.
fn found_pockets(model: &Model) -> Vec<FoundPocket> {
    let topology = &*model.topology;
    let best = pockets(model).into_iter().take(POCKETS);
    best.filter_map(|pocket| {
        let (center, size) = box_around(pocket.spheres.iter().map(|sphere| sphere.center), FOUND_PADDING)?;
        let residues = pocket.residues.iter().filter_map(|&index| topology.residues.get(index as usize));
        let residues =
            residues.map(|residue| format!("{}:{}", topology.chain_of(residue).id, residue.number_text())).collect();
        Some(FoundPocket { center, size, volume: pocket.volume, residues })
    })
    .collect()
}

fn tidy(value: Vec3) -> Vec3 {
    (value * 10.0).round() / 10.0
}

impl Studio {
    pub(super) fn pocket_ui(&mut self, ui: &mut Ui, query: &mut Query, asks: &mut Vec<Ask>) {
        let texts = self.texts.clone();
        let clear = |ui: &mut Ui, query: &mut Query| {
            if query.pocket.is_some() && icon_button(ui, Icon::Cross, &texts.get("pocket-remove"), true).clicked() {
                query.pocket = None;
            }
        };
        let mut pocket = query.pocket.clone();
        section_with(
            ui,
            &texts.get("section-pocket"),
            |ui| {
                clear(ui, query);
                pocket.clone_from(&query.pocket);
            },
            |_| {},
        );
        ui.add_space(-GAP);
        let mut kind = pocket.as_ref().map(PocketKind::of);
        let choices = [
            (Some(PocketKind::Ligand), texts.get("pocket-kind-ligand")),
            (Some(PocketKind::Residues), texts.get("pocket-kind-residues")),
            (Some(PocketKind::Box), texts.get("pocket-kind-box")),
        ];
        if segmented(ui, &texts.get("section-pocket"), &mut kind, &choices) {
            let around = self.search_box(query);
            match kind {
                Some(PocketKind::Ligand) => asks.push(Ask::File(Purpose::PocketLigand)),
                Some(PocketKind::Residues) => {
                    pocket = Some(Pocket::Residues { residues: Vec::new(), padding: DEFAULT_PADDING });
                    self.query_editor.picking = Picking::Pocket;
                }
                Some(PocketKind::Box) => {
                    let (center, size) =
                        around.unwrap_or_else(|| (self.viewport.camera.center, Vec3::splat(DEFAULT_BOX_EDGE)));
                    pocket = Some(Pocket::Box { center: tidy(center).into(), size: tidy(size).into() });
                }
                None => {}
            }
        }
        match &mut pocket {
            None => {
                note(ui, &texts.get("pocket-hint"));
                self.bound_ligands_ui(ui, query, &mut pocket);
                self.found_pockets_ui(ui, query, &mut pocket);
            }
            Some(Pocket::Ligand { file, padding }) => {
                let path = file.clone();
                file_row(ui, &path, &texts.get("structure-replace"), &texts.get("pocket-remove"), true, |act| {
                    if matches!(act, FileAct::Replace) {
                        asks.push(Ask::File(Purpose::PocketLigand));
                    }
                });
                note(ui, &texts.get("pocket-reference"));
                padding_ui(ui, &texts, padding);
            }
            Some(Pocket::Residues { residues, padding }) => {
                let mut remove = None;
                ui.horizontal_wrapped(|ui| {
                    ui.spacing_mut().item_spacing = vec2(GAP_SMALL, GAP_SMALL);
                    for (index, residue) in residues.iter().enumerate() {
                        let label = texts.with("pocket-residue-remove", [("name", residue.clone().into())]);
                        let button = small_button(ui, format!("{residue}  ×"));
                        button.widget_info(|| WidgetInfo::labeled(Role::Button, true, &label));
                        if button.on_hover_text(&label).clicked() {
                            remove = Some(index);
                        }
                    }
                });
                if let Some(index) = remove {
                    residues.remove(index);
                }
                let mut is_picking = self.query_editor.picking == Picking::Pocket;
                if checkbox(ui, &mut is_picking, texts.get("pocket-pick")).changed() {
                    self.query_editor.picking = if is_picking { Picking::Pocket } else { Picking::Off };
                }
                ui.horizontal(|ui| {
                    let edit = TextEdit::singleline(&mut self.query_editor.residue_text)
                        .desired_width(120.0)
                        .hint_text(texts.get("pocket-residue-hint"));
                    let response = ui.add(edit).accessible_name(texts.get("pocket-residue"));
                    let entered = response.lost_focus() && ui.input(|input| input.key_pressed(egui::Key::Enter));
                    if (ui.button(texts.get("pocket-residue-add")).clicked() || entered)
                        && !self.query_editor.residue_text.trim().is_empty()
                    {
                        for name in self
                            .query_editor
                            .residue_text
                            .split([',', ' '])
                            .map(str::trim)
                            .filter(|name| !name.is_empty())
                        {
                            if !residues.iter().any(|held| held == name) {
                                residues.push(name.to_owned());
                            }
                        }
                        self.query_editor.residue_text.clear();
                    }
                });
                padding_ui(ui, &texts, padding);
            }
            Some(Pocket::Box { center, size }) => {
                vector_ui(ui, &texts.get("pocket-center"), center, -9999.0..=9999.0);
                vector_ui(ui, &texts.get("pocket-size"), size, 4.0..=126.0);
            }
        }
        query.pocket = pocket;
        if !matches!(query.pocket, Some(Pocket::Residues { .. })) && self.query_editor.picking == Picking::Pocket {
            self.query_editor.picking = Picking::Off;
        }
        if let Some((center, size)) = self.search_box(query) {
            let text = texts.with(
                "pocket-box",
                [
                    ("size", format!("{:.1} × {:.1} × {:.1}", size.x, size.y, size.z).into()),
                    ("center", format!("{:.1}, {:.1}, {:.1}", center.x, center.y, center.z).into()),
                ],
            );
            note(ui, &text);
        } else if let Some(text) = self.pocket_problem(query) {
            message(ui, Tone::Bad, &text);
        }
        ui.add_space(GAP);
    }

    /// Offers the pockets of the structure.
    fn found_pockets_ui(&mut self, ui: &mut Ui, query: &Query, pocket: &mut Option<Pocket>) {
        let texts = std::sync::Arc::clone(&self.texts);
        let Some(path) = query.receptor_file().map(std::path::Path::to_path_buf) else { return };
        let Loaded::Ready(structure) = self.library.structure(&self.background, &path) else { return };
        let found = match self.query_editor.pockets.get(&path) {
            None => {
                if ui.button(texts.get("pocket-find")).on_hover_text(texts.get("pocket-find-hint")).clicked() {
                    let file = path.clone();
                    let is_queued = self.background.attempt(
                        Lane::Results,
                        move || Ok(structure.first().map(found_pockets).unwrap_or_default()),
                        move |result| Message::Query(News::Pockets { path: file, result }),
                    );
                    if is_queued {
                        self.query_editor.pockets.insert(path, Loaded::Waiting);
                    }
                }
                return;
            }
            Some(Loaded::Ready(found)) => std::sync::Arc::clone(found),
            Some(Loaded::Failed(reason)) => {
                message(ui, Tone::Bad, reason);
                return;
            }
            Some(Loaded::Waiting) => {
                ui.horizontal(|ui| {
                    ui.spinner();
                    ui.label(texts.get("pocket-finding"));
                });
                return;
            }
        };
        if found.is_empty() {
            note(ui, &texts.get("pocket-none-found"));
        }
        for (index, held) in found.iter().enumerate() {
            let values = [
                ("number", (index + 1).into()),
                ("volume", format!("{:.0}", held.volume).into()),
                ("count", held.residues.len().into()),
            ];
            let button = ui.button(texts.with("pocket-found", values));
            let residues = held.residues.iter().take(24).cloned().collect::<Vec<_>>().join(", ");
            if button.on_hover_text(residues).clicked() {
                *pocket = Some(Pocket::Box { center: tidy(held.center).into(), size: tidy(held.size).into() });
            }
        }
    }

    /// Offers the ligands that stand in the structure file as the pocket.
    fn bound_ligands_ui(&mut self, ui: &mut Ui, query: &Query, pocket: &mut Option<Pocket>) {
        let Some(path) = query.receptor_file().map(std::path::Path::to_path_buf) else { return };
        let Loaded::Ready(structure) = self.library.structure(&self.background, &path) else { return };
        let bound = self.library.chain_summary(&path, &structure).bound.clone();
        if bound.is_empty() {
            return;
        }
        ui.horizontal_wrapped(|ui| {
            for (residue, label) in bound.iter().take(6) {
                let text = self.texts.with("pocket-around", [("name", label.clone().into())]);
                if ui.button(text).clicked() {
                    *pocket = Some(Pocket::Residues { residues: vec![residue.clone()], padding: DEFAULT_PADDING });
                }
            }
        });
    }
}

fn padding_ui(ui: &mut Ui, texts: &crate::texts::Texts, padding: &mut f32) {
    field(ui, &texts.get("pocket-padding"), |ui| {
        ui.add(egui::DragValue::new(padding).range(0.0..=30.0).speed(0.05).fixed_decimals(1).suffix(" Å"))
    });
}

fn vector_ui(ui: &mut Ui, label: &str, value: &mut [f32; 3], range: std::ops::RangeInclusive<f32>) {
    let colours = palette(ui);
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = GAP_SMALL;
        ui.allocate_ui(vec2(64.0, theme::CONTROL_HEIGHT), |ui| {
            ui.set_width(64.0);
            ui.label(RichText::new(label).color(colours.text_muted));
        });
        for (number, axis) in value.iter_mut().zip(["x", "y", "z"]) {
            let drag = egui::DragValue::new(number).range(range.clone()).speed(0.1).fixed_decimals(1).suffix(" Å");
            ui.add_sized(vec2(76.0, theme::CONTROL_HEIGHT), drag).accessible_name(format!("{label} {axis}"));
        }
    });
}
