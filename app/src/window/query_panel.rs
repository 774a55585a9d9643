//! The left panel: what to predict and how, and the button that does it.

use egui::{Align, Layout, Margin, RichText, Role, ScrollArea, TextEdit, Ui, WidgetInfo, vec2};
use kfold_inference::engine::EngineName;
use kfold_inference::query::{Entity, LigandSource, Pocket, Query};
use kfold_molecule::structure::ResidueKind;

use super::app::Studio;
use super::background::{LigandKey, Loaded};
use super::command::Command;
use super::dialogs::Purpose;
use super::document::{self, DEFAULT_BOX_EDGE, DEFAULT_PADDING, PocketKind, PolymerKind, file_name, polymer_of};
use super::problems::wrong_letter_text;
use super::theme::{self, GAP, GAP_SMALL, palette};
use super::widgets::depiction::depiction;
use super::widgets::icon::Icon;
use super::widgets::{Tone, chip, field, icon_button, message, note, section, section_with, segmented};

/// Largest picture of a ligand, points.
const PICTURE_HEIGHT: f32 = 150.0;
/// Ligands of a series that are listed; the rest are counted.
const SERIES_LISTED: usize = 200;

/// What the panel asks for besides edits, done after the frame's layout.
enum Ask {
    File(Purpose),
    Run(Command),
}

impl Studio {
    /// The panel's contents.
    pub(super) fn query_panel_ui(&mut self, ui: &mut Ui) {
        let mut asks = Vec::new();
        let colours = palette(ui);
        egui::Panel::bottom("predict")
            .resizable(false)
            .show_separator_line(true)
            .frame(theme::panel(colours, Margin { left: 12, right: 12, top: 10, bottom: 10 }))
            .show(ui, |ui| self.predict_ui(ui, &mut asks));
        egui::CentralPanel::default().frame(theme::panel(colours, Margin::same(0))).show(ui, |ui| {
            ScrollArea::vertical().id_salt("query").auto_shrink([false, false]).show(ui, |ui| {
                egui::Frame::new().inner_margin(Margin { left: 12, right: 12, top: 6, bottom: 12 }).show(ui, |ui| {
                    let mut query = std::mem::take(&mut self.document.query);
                    self.name_ui(ui, &mut query);
                    self.structure_ui(ui, &mut query, &mut asks);
                    self.ligands_ui(ui, &mut query, &mut asks);
                    self.pocket_ui(ui, &mut query, &mut asks);
                    self.sequences_ui(ui, &mut query, &mut asks);
                    self.document.query = query;
                    self.settings_ui(ui);
                });
            });
        });
        for ask in asks {
            match ask {
                Ask::File(purpose) => self.ask_for_file(purpose),
                Ask::Run(command) => self.do_command(command, ui.ctx()),
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

    fn structure_ui(&mut self, ui: &mut Ui, query: &mut Query, asks: &mut Vec<Ask>) {
        let texts = self.texts.clone();
        let states = super::ensemble::morph_states(query);
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

    fn sequences_ui(&mut self, ui: &mut Ui, query: &mut Query, asks: &mut Vec<Ask>) {
        let texts = self.texts.clone();
        section(ui, &texts.get("section-sequences"), |ui| {
            let mut remove = None;
            let mut split: Option<(usize, Vec<String>)> = None;
            for (index, entity) in query.sequences.iter_mut().enumerate() {
                let title = match entity {
                    Entity::Protein(_) => "entity-protein",
                    Entity::Dna(_) => "entity-dna",
                    Entity::Rna(_) => "entity-rna",
                    Entity::ProteinPair(_) => "entity-pair",
                    Entity::Ligand(_) => continue,
                };
                let colours = palette(ui);
                let title = texts.with(title, [("ids", document::ids_of(entity).join(", ").into())]);
                theme::card(colours).show(ui, |ui| {
                    ui.set_width(ui.available_width());
                    let kind = polymer_of(entity).map(|(kind, _)| kind);
                    let length = polymer_of(entity).map(|(_, polymer)| polymer.sequence.chars().count());
                    ui.horizontal(|ui| {
                        ui.label(RichText::new(&title).text_style(theme::strong_style()));
                        if let Some(length) = length {
                            let count = texts.with("sequence-length", [("count", length.into())]);
                            ui.label(RichText::new(count).small().color(colours.text_muted));
                        }
                        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                            let label = texts.with("entity-remove", [("name", title.clone().into())]);
                            if icon_button(ui, Icon::Cross, &label, true).clicked() {
                                remove = Some(index);
                            }
                        });
                    });
                    if let (Entity::Protein(polymer) | Entity::Dna(polymer) | Entity::Rna(polymer), Some(kind)) =
                        (&mut *entity, kind)
                    {
                        let name = texts.with("sequence-of", [("name", title.clone().into())]);
                        if sequence_editor(ui, &name, &texts.get("sequence-hint"), index, kind, &mut polymer.sequence) {
                            let mut sequences = document::sequences_of_paste(&polymer.sequence);
                            let first = if sequences.is_empty() { String::new() } else { sequences.remove(0) };
                            polymer.sequence = first;
                            if !sequences.is_empty() {
                                split = Some((index, sequences));
                            }
                        }
                        if let Some(text) = wrong_letter_text(&texts, kind, &polymer.sequence) {
                            message(ui, Tone::Bad, &text);
                        }
                        if kind == PolymerKind::Protein {
                            apo_ui(ui, &texts, index, &mut polymer.apo, asks);
                        }
                    } else if let Entity::ProteinPair(pair) = entity {
                        for (ids, sequence) in [(&pair.ids1, &pair.sequence1), (&pair.ids2, &pair.sequence2)] {
                            let text = RichText::new(format!("{}  {sequence}", ids.join(", "))).monospace();
                            ui.add(egui::Label::new(text).truncate());
                        }
                    }
                });
            }
            if let Some(index) = remove {
                query.sequences.remove(index);
            }
            if let Some((index, sequences)) = split {
                let kind =
                    query.sequences.get(index).and_then(polymer_of).map_or(PolymerKind::Protein, |(kind, _)| kind);
                for sequence in sequences {
                    document::add_polymer(query, kind, sequence);
                }
            }
            ui.horizontal(|ui| {
                for kind in PolymerKind::ALL {
                    let key = match kind {
                        PolymerKind::Protein => "sequence-add-protein",
                        PolymerKind::Dna => "sequence-add-dna",
                        PolymerKind::Rna => "sequence-add-rna",
                    };
                    if ui.button(texts.get(key)).clicked() {
                        document::add_polymer(query, kind, String::new());
                    }
                }
            });
            note(ui, &texts.get("sequences-hint"));
        });
    }

    fn ligands_ui(&mut self, ui: &mut Ui, query: &mut Query, asks: &mut Vec<Ask>) {
        let texts = self.texts.clone();
        section(ui, &texts.get("section-ligands"), |ui| {
            let mut remove = None;
            let is_series = !query.series.is_empty();
            for (index, entity) in query.sequences.iter_mut().enumerate() {
                let Entity::Ligand(ligand) = entity else { continue };
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
                        });
                    });
                    let key = match &mut ligand.source {
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
                            let name = texts.with("smiles-of", [("name", title.clone().into())]);
                            let response = response.accessible_name(name);
                            if response.changed() {
                                smiles.retain(|letter| !letter.is_whitespace());
                            }
                            if smiles.is_empty() {
                                note(ui, &texts.get("smiles-empty"));
                                return;
                            }
                            LigandKey::Smiles(smiles.clone())
                        }
                        LigandSource::Sdf { file, .. } => {
                            ui.label(file_name(file)).on_hover_text(file.display().to_string());
                            LigandKey::File(file.clone())
                        }
                        LigandSource::Ccd(codes) => {
                            ui.label(RichText::new(codes.join("-")).monospace());
                            let [code] = &codes[..] else {
                                message(ui, Tone::Warning, &texts.get("ligand-ccd"));
                                return;
                            };
                            LigandKey::Component(code.clone())
                        }
                    };
                    self.ligand_picture_ui(ui, &key, &title);
                });
            }
            if let Some(index) = remove {
                query.sequences.remove(index);
            }
            if is_series {
                self.series_ui(ui, query);
            }
            ui.horizontal_wrapped(|ui| {
                if ui.button(texts.get("ligand-add-smiles")).clicked() {
                    document::add_ligand(query, LigandSource::Smiles(String::new()));
                }
                if ui.button(texts.get("ligand-add-file")).clicked() {
                    asks.push(Ask::File(Purpose::Ligand));
                }
                if ui.button(texts.get("ligand-add-series")).clicked() {
                    asks.push(Ask::File(Purpose::Series));
                }
            });
        });
    }

    fn ligand_picture_ui(&mut self, ui: &mut Ui, key: &LigandKey, title: &str) {
        let colours = palette(ui);
        match self.library.ligand(&self.background, key) {
            Loaded::Waiting => {
                ui.horizontal(|ui| {
                    ui.spinner();
                    ui.label(self.texts.get("ligand-drawing"));
                });
            }
            Loaded::Failed(reason) => {
                message(ui, Tone::Bad, &reason);
            }
            Loaded::Ready(picture) => {
                let name = self.texts.with("ligand-picture-of", [("name", title.to_owned().into())]);
                depiction(ui, &picture.depiction, PICTURE_HEIGHT, &name);
                let line = self.texts.with(
                    "ligand-numbers",
                    [
                        ("formula", picture.descriptors.formula.clone().into()),
                        ("weight", format!("{:.1}", picture.descriptors.molecular_weight).into()),
                        ("rotatable", picture.descriptors.rotatable_bonds.into()),
                    ],
                );
                ui.label(RichText::new(line).small().color(colours.text_muted));
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

    fn pocket_ui(&mut self, ui: &mut Ui, query: &mut Query, asks: &mut Vec<Ask>) {
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
                    self.picking_residues = true;
                }
                Some(PocketKind::Box) => {
                    let (center, size) =
                        around.unwrap_or_else(|| (self.viewport.camera.center, glam::Vec3::splat(DEFAULT_BOX_EDGE)));
                    let tidy = |value: glam::Vec3| (value * 10.0).round() / 10.0;
                    pocket = Some(Pocket::Box { center: tidy(center).into(), size: tidy(size).into() });
                }
                None => {}
            }
        }
        match &mut pocket {
            None => {
                note(ui, &texts.get("pocket-hint"));
                self.bound_ligands_ui(ui, query, &mut pocket);
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
                        let button = ui.small_button(format!("{residue}  ×"));
                        button.widget_info(|| WidgetInfo::labeled(Role::Button, true, &label));
                        if button.on_hover_text(&label).clicked() {
                            remove = Some(index);
                        }
                    }
                });
                if let Some(index) = remove {
                    residues.remove(index);
                }
                ui.checkbox(&mut self.picking_residues, texts.get("pocket-pick"));
                ui.horizontal(|ui| {
                    let edit = TextEdit::singleline(&mut self.residue_text)
                        .desired_width(120.0)
                        .hint_text(texts.get("pocket-residue-hint"));
                    let response = ui.add(edit).accessible_name(texts.get("pocket-residue"));
                    let entered = response.lost_focus() && ui.input(|input| input.key_pressed(egui::Key::Enter));
                    if (ui.button(texts.get("pocket-residue-add")).clicked() || entered)
                        && !self.residue_text.trim().is_empty()
                    {
                        for name in self.residue_text.split([',', ' ']).map(str::trim).filter(|name| !name.is_empty()) {
                            if !residues.iter().any(|held| held == name) {
                                residues.push(name.to_owned());
                            }
                        }
                        self.residue_text.clear();
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
        if !matches!(query.pocket, Some(Pocket::Residues { .. })) {
            self.picking_residues = false;
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

    fn predict_ui(&mut self, ui: &mut Ui, asks: &mut Vec<Ask>) {
        let texts = self.texts.clone();
        let colours = palette(ui);
        if let Some(run) = self.run.as_ref().filter(|run| run.is_going()) {
            let status = run.status(&texts);
            ui.horizontal(|ui| {
                ui.label(RichText::new(&status.stage).text_style(theme::strong_style()));
                ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                    ui.label(RichText::new(&status.time).color(colours.text_muted));
                });
            });
            let bar = egui::ProgressBar::new(status.fraction.unwrap_or(0.0))
                .desired_height(8.0)
                .fill(colours.accent)
                .animate(false);
            let response = ui.add(bar);
            response.widget_info(|| WidgetInfo::labeled(Role::ProgressIndicator, true, texts.get("run-progress")));
            ui.horizontal(|ui| {
                if !status.detail.is_empty() {
                    ui.add(
                        egui::Label::new(RichText::new(&status.detail).small().color(colours.text_muted)).truncate(),
                    );
                }
                ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                    let cancelling = run.is_cancelling();
                    let label = texts.get(if cancelling { "run-cancelling" } else { "command-cancel" });
                    if ui.add_enabled(!cancelling, egui::Button::new(label)).clicked() {
                        asks.push(Ask::Run(Command::Cancel));
                    }
                });
            });
            return;
        }
        if let Some(failure) = self.run.as_ref().and_then(super::run::Run::failure) {
            message(ui, Tone::Bad, failure);
        }
        if !self.servers.is_empty() {
            let here = std::iter::once((None, texts.get("run-here")));
            let there = self.servers.iter().enumerate().map(|(index, name)| (Some(index), name.clone()));
            let choices: Vec<(Option<usize>, String)> = here.chain(there).collect();
            segmented(ui, &texts.get("run-where"), &mut self.server, &choices);
        }
        let problem = self.first_problem();
        let size = vec2(ui.available_width(), 34.0);
        let button = theme::primary_button(colours, &texts.get("command-predict"), size);
        let response = ui.add_enabled_ui(problem.is_none(), |ui| ui.add_sized(size, button)).inner;
        if response.clicked() {
            asks.push(Ask::Run(Command::Predict));
        }
        match problem {
            Some(problem) => {
                message(ui, Tone::Info, &problem);
            }
            None => {
                let settings = &self.document.settings;
                let engine = match settings.engine {
                    EngineName::Docking => format!("docking ({})", settings.docking.method_name()),
                    EngineName::KFold => EngineName::KFold.display_name().to_owned(),
                };
                let text = match self.server.and_then(|index| self.servers.get(index)) {
                    Some(server) => {
                        texts.with("predict-server", [("engine", engine.into()), ("name", server.clone().into())])
                    }
                    None => texts.with("predict-engine", [("engine", engine.into())]),
                };
                note(ui, &text);
            }
        }
    }
}

/// An ensemble to show.
enum Show {
    Models(std::path::PathBuf, std::sync::Arc<kfold_molecule::Structure>),
    Morph(std::path::PathBuf, std::path::PathBuf),
}

/// What was pressed in a file's row.
enum FileAct {
    Replace,
    Remove,
}

fn file_row(
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

fn apo_ui(
    ui: &mut Ui,
    texts: &crate::texts::Texts,
    index: usize,
    apo: &mut Vec<std::path::PathBuf>,
    asks: &mut Vec<Ask>,
) {
    let mut remove = None;
    for (number, path) in apo.iter().enumerate() {
        ui.horizontal(|ui| {
            let text = texts.with("apo-file", [("number", (number + 1).into()), ("name", file_name(path).into())]);
            ui.label(RichText::new(text).small()).on_hover_text(path.display().to_string());
            if icon_button(ui, Icon::Cross, &texts.with("apo-remove", [("name", file_name(path).into())]), true)
                .clicked()
            {
                remove = Some(number);
            }
        });
    }
    if let Some(number) = remove {
        apo.remove(number);
    }
    if ui.small_button(texts.get("apo-add")).on_hover_text(texts.get("apo-hint")).clicked() {
        asks.push(Ask::File(Purpose::Apo(index)));
    }
}

/// An editor that marks every letter which does not belong. Returns whether text was pasted or typed.
fn sequence_editor(
    ui: &mut Ui,
    name: &str,
    hint: &str,
    index: usize,
    kind: PolymerKind,
    sequence: &mut String,
) -> bool {
    let colours = palette(ui);
    let font = egui::TextStyle::Monospace.resolve(ui.style());
    let mut layouter = |ui: &Ui, buffer: &dyn egui::TextBuffer, wrap_width: f32| {
        let mut job = egui::text::LayoutJob::default();
        job.wrap.max_width = wrap_width;
        job.wrap.break_anywhere = true;
        let plain = egui::TextFormat::simple(font.clone(), colours.text);
        let wrong = egui::TextFormat { background: colours.bad_soft, color: colours.bad, ..plain.clone() };
        let text = buffer.as_str();
        let mut start = 0;
        let mut is_wrong = false;
        for (place, letter) in text.char_indices() {
            let letter_is_wrong = !kind.letters().contains(letter.to_ascii_uppercase());
            if letter_is_wrong != is_wrong {
                job.append(
                    text.get(start..place).unwrap_or_default(),
                    0.0,
                    if is_wrong { wrong.clone() } else { plain.clone() },
                );
                start = place;
                is_wrong = letter_is_wrong;
            }
        }
        job.append(text.get(start..).unwrap_or_default(), 0.0, if is_wrong { wrong } else { plain });
        ui.fonts_mut(|fonts| fonts.layout_job(job))
    };
    ScrollArea::vertical()
        .id_salt(("sequence", index))
        .max_height(72.0)
        .auto_shrink([false, true])
        .show(ui, |ui| {
            let editor = TextEdit::multiline(sequence)
                .id_salt(("sequence", index))
                .desired_width(f32::INFINITY)
                .desired_rows(2)
                .hint_text(hint.to_owned())
                .layouter(&mut layouter);
            ui.add(editor).accessible_name(name).changed()
        })
        .inner
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
