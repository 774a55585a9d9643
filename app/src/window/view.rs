//! The centre: the 3D view with its toolbar and read-out, or the welcome when there is nothing to look at.

use egui::{Align, Layout, Margin, RichText, Ui, vec2};

use kfold_inference::query::Pocket;

use super::app::Studio;
use super::command::Command;
use super::document::{ColourBy, Representation, SurfacePart};
use super::files;
use super::measure::Measuring;
use super::panes::Pane;
use super::theme::{self, GAP, palette};
use super::viewport::Look;
use super::widgets::icon::Icon;
use super::widgets::{checkbox, icon_button, note, segmented, titled_choice};

/// Height of the strip below the view, points.
const READOUT_HEIGHT: f32 = 28.0;

/// From this width on the buttons of other panes stand in the toolbar, points.
const WIDE_TOOLBAR: f32 = 720.0;

/// The button that opens a pane.
fn pane_button(ui: &mut Ui, texts: &crate::texts::Texts, pane: &str) -> bool {
    let name = texts.get(pane);
    let button = ui.button(format!("{name}…"));
    button.accessible_name(texts.with("view-open-pane", [("name", name.into())])).clicked()
}

impl Studio {
    /// The centre of the window.
    pub(super) fn view_ui(&mut self, ui: &mut Ui) {
        if self.viewport.is_empty() && self.is_blank() {
            self.welcome_ui(ui);
            return;
        }
        egui::Panel::top("view_toolbar")
            .resizable(false)
            .frame(theme::panel(Margin::symmetric(10, 4)))
            .show(ui, |ui| self.toolbar_ui(ui));
        egui::Panel::top("selection")
            .resizable(false)
            .frame(theme::panel(Margin::symmetric(10, 3)))
            .show(ui, |ui| self.selection_ui(ui));
        egui::Panel::bottom("readout")
            .resizable(false)
            .exact_size(READOUT_HEIGHT)
            .frame(theme::panel(Margin::symmetric(10, 2)))
            .show(ui, |ui| self.readout_ui(ui));
        if self.ensemble.is_some() {
            egui::Panel::bottom("ensemble")
                .resizable(false)
                .frame(theme::panel(Margin::symmetric(10, 6)))
                .show(ui, |ui| self.ensemble_ui(ui));
        }
        egui::CentralPanel::no_frame().show(ui, |ui| {
            let texts = std::sync::Arc::clone(&self.texts);
            let area = ui.available_rect_before_wrap();
            self.write_words(ui);
            let view = &self.document.view;
            self.viewport.set_look(Look { preset: view.look, stereo: view.stereo, axes: view.axes });
            let clicked = self.viewport.ui(ui, &texts);
            if let Some(region) = self.viewport.take_region() {
                self.take_region(&region);
            }
            self.overlay_ui(ui, area);
            self.legend_ui(ui, area);
            if let Some(click) = clicked {
                self.take_click(click);
            }
        });
    }

    /// Whether the query names nothing that could be shown.
    fn is_blank(&self) -> bool {
        self.document.query.receptor_file().is_none() && self.outcome.is_none() && self.ensemble.is_none()
    }

    /// Adds a residue to the pocket, or takes it out.
    pub(super) fn toggle_pocket_residue(&mut self, residue: String) {
        if let Some(Pocket::Residues { residues, .. }) = &mut self.document.query.pocket {
            match residues.iter().position(|held| *held == residue) {
                Some(place) => {
                    residues.remove(place);
                }
                None => residues.push(residue),
            }
        }
    }

    fn toolbar_ui(&mut self, ui: &mut Ui) {
        let texts = std::sync::Arc::clone(&self.texts);
        let mut command = None;
        let has_difference = self.shown_comparison().is_some();
        let has_samples = self.sample_count() > 1;
        let has_interactions = self.viewport.plan().is_some_and(|plan| plan.interactions.is_some());
        ui.horizontal_wrapped(|ui| {
            let view = &mut self.document.view;
            let representations = [
                (Representation::Cartoon, texts.get("command-cartoon")),
                (Representation::Sticks, texts.get("command-sticks")),
                (Representation::Spheres, texts.get("command-spheres")),
                (Representation::Surface, texts.get("command-surface")),
            ];
            segmented(ui, &texts.get("view-representation"), &mut view.representation, &representations);
            let name = |colour: ColourBy| texts.get(colour.name());
            let (has_fluctuation, has_difference) = (self.ensemble.is_some(), has_difference);
            egui::ComboBox::from_id_salt("colour")
                .selected_text(name(view.colour))
                .width(132.0)
                .height(super::style::LIST_HEIGHT)
                .show_ui(ui, |ui| {
                    for colour in ColourBy::ALL {
                        let has_values = match colour {
                            ColourBy::Fluctuation => has_fluctuation,
                            ColourBy::Difference => has_difference,
                            ColourBy::Sample => has_samples,
                            ColourBy::Interaction => has_interactions,
                            _ => true,
                        };
                        if has_values {
                            ui.selectable_value(&mut view.colour, colour, name(colour));
                        }
                    }
                })
                .response
                .accessible_name(texts.get("view-colour"))
                .on_hover_text(texts.get("view-colour"));
            let config =
                egui::containers::menu::MenuConfig::new().close_behavior(egui::PopupCloseBehavior::CloseOnClickOutside);
            let is_narrow = ui.max_rect().width() < WIDE_TOOLBAR;
            let panes = [("pane-style", Pane::Style), ("pane-saved-views", Pane::SavedViews)];
            egui::containers::menu::MenuButton::new(texts.get("view-show")).config(config).ui(ui, |ui| {
                checkbox(ui, &mut view.site, texts.get("view-site")).on_hover_text(texts.get("view-site-hint"));
                let mut has_pocket = view.surface.part == SurfacePart::Pocket;
                if checkbox(ui, &mut has_pocket, texts.get("view-pocket-surface")).clicked() {
                    view.surface.part = if has_pocket { SurfacePart::Pocket } else { SurfacePart::Off };
                }
                checkbox(ui, &mut view.interactions, texts.get("view-interactions"));
                checkbox(ui, &mut view.waters, texts.get("view-waters"));
                if has_samples {
                    checkbox(ui, &mut view.overlay, texts.get("style-overlay"))
                        .on_hover_text(texts.get("style-overlay-hint"));
                }
                if is_narrow {
                    ui.separator();
                    for (text, wanted) in panes {
                        if pane_button(ui, &texts, text) {
                            command = Some(Command::ShowPane(wanted));
                            ui.close();
                        }
                    }
                }
            });
            for (text, wanted) in panes.into_iter().filter(|_| !is_narrow) {
                if pane_button(ui, &texts, text) {
                    command = Some(Command::ShowPane(wanted));
                }
            }
            for (icon, wanted) in [(Icon::Focus, Command::FocusLigand), (Icon::Reset, Command::ResetView)] {
                let label = self.labelled_shortcut(ui, wanted);
                if icon_button(ui, icon, &label, true).clicked() {
                    command = Some(wanted);
                }
            }
        });
        if let Some(command) = command {
            self.do_command(command, ui.ctx());
        }
    }

    fn readout_ui(&self, ui: &mut Ui) {
        let colours = palette(ui);
        ui.horizontal_centered(|ui| {
            if let Some(text) = self.measurement_text().filter(|_| self.measuring != Measuring::Off) {
                ui.label(text);
            } else if let Some(text) = self.viewport.readout(&self.texts) {
                ui.label(text);
            } else {
                ui.label(RichText::new(self.texts.get("view-hint")).color(colours.text_muted));
            }
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                if self.viewport.is_software() {
                    ui.label(RichText::new(self.texts.get("view-software")).small().color(colours.text_muted));
                }
            });
        });
    }

    fn welcome_ui(&mut self, ui: &mut Ui) {
        let colours = palette(ui);
        let mut open = None;
        let mut command = None;
        egui::ScrollArea::vertical().show(ui, |ui| {
            let width = 560.0_f32.min(ui.available_width() - 48.0);
            let side = (ui.available_width() - width) * 0.5;
            ui.add_space((ui.available_height() * 0.12).max(24.0));
            ui.horizontal(|ui| {
                ui.add_space(side);
                ui.vertical(|ui| {
                    ui.set_width(width);
                    ui.label(RichText::new(self.texts.get("welcome-title")).heading());
                    ui.add(egui::Label::new(self.texts.get("welcome-text")).wrap());
                    ui.add_space(GAP);
                    ui.horizontal(|ui| {
                        let button = theme::primary_button(colours, &self.texts.get("welcome-open"), vec2(180.0, 34.0));
                        if ui.add(button).clicked() {
                            command = Some(Command::Open);
                        }
                        ui.label(RichText::new(self.texts.get("welcome-drop")).color(colours.text_muted));
                    });
                    ui.horizontal(|ui| {
                        for wanted in [Command::Tour, Command::ShowPane(Pane::Lessons)] {
                            if ui.button(self.texts.get(wanted.name())).clicked() {
                                command = Some(wanted);
                            }
                        }
                    });
                    if self.has_last_session() && ui.button(self.texts.get("command-continue-session")).clicked() {
                        command = Some(Command::ContinueSession);
                    }
                    ui.add_space(theme::GAP_LARGE);
                    if !self.samples.is_empty() {
                        ui.label(RichText::new(self.texts.get("welcome-samples")).text_style(theme::title_style()));
                    }
                    for sample in &self.samples {
                        let Some((title, text)) = files::sample_keys(&sample.name) else { continue };
                        if titled_choice(ui, &self.texts.get(title), &self.texts.get(text), true) {
                            open = Some(sample.query.clone());
                        }
                    }
                    ui.add_space(GAP);
                    note(ui, &self.texts.get("welcome-private"));
                });
            });
        });
        if let Some(path) = open {
            self.open(&path);
        }
        if let Some(command) = command {
            self.do_command(command, ui.ctx());
        }
    }

    /// What will happen to files that hang over the window.
    pub(super) fn drop_hint_ui(&self, ui: &Ui) {
        if ui.input(|input| input.raw.hovered_files.is_empty()) {
            return;
        }
        let colours = palette(ui);
        let painter = ui.ctx().layer_painter(egui::LayerId::new(egui::Order::Foreground, egui::Id::unique("drop")));
        let rect = ui.ctx().content_rect().shrink(10.0);
        painter.rect(
            rect,
            f32::from(theme::RADIUS),
            colours.accent_soft.gamma_multiply(0.85),
            egui::Stroke::new(2.0, colours.accent),
            egui::StrokeKind::Inside,
        );
        painter.text(
            rect.center(),
            egui::Align2::CENTER_CENTER,
            self.texts.get("drop-hint"),
            egui::TextStyle::Heading.resolve(ui.style()),
            colours.text,
        );
    }
}
