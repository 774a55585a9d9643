//! The foot of the panel: what it will take, and the button.

use egui::{Align, Layout, RichText, Role, Ui, WidgetInfo, vec2};
use kfold_inference::engine::EngineName;

use super::super::app::Studio;
use super::super::command::Command;
use super::super::theme::{self, palette};
use super::super::widgets::{Tone, message, note, segmented};
use super::Ask;

impl Studio {
    pub(super) fn predict_ui(&mut self, ui: &mut Ui, asks: &mut Vec<Ask>) {
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
                    if run.is_paused() && ui.button(texts.get("job-resume")).clicked() {
                        asks.push(Ask::Resume(run.folder.clone()));
                    }
                    let cancelling = run.is_cancelling();
                    let label = texts.get(if cancelling { "run-cancelling" } else { "command-cancel" });
                    if ui.add_enabled(!cancelling, egui::Button::new(label)).clicked() {
                        asks.push(Ask::Run(Command::Cancel));
                    }
                });
            });
            if self.first_problem().is_none() && ui.button(texts.get("run-another")).clicked() {
                asks.push(Ask::Run(Command::Predict));
            }
            return;
        }
        if let Some(failure) = self.run.as_ref().and_then(super::super::run::Run::failure) {
            message(ui, Tone::Bad, &super::super::jobs::causes::explain(&texts, failure));
        }
        if !self.servers.is_empty() && !self.preferences.offline && !self.document.is_automatic {
            let here = std::iter::once((None, texts.get("run-here")));
            let there = self.servers.iter().enumerate().map(|(index, name)| (Some(index), name.clone()));
            let choices: Vec<(Option<usize>, String)> = here.chain(there).collect();
            segmented(ui, &texts.get("run-where"), &mut self.server, &choices);
        }
        self.estimate_ui(ui);
        let problem = self.first_problem();
        let size = vec2(ui.available_width(), 34.0);
        let button = theme::primary_button(colours, &texts.get("command-predict"), size);
        let may_start = problem.is_none() && !self.is_choosing;
        let response = ui.add_enabled_ui(may_start, |ui| ui.add_sized(size, button)).inner;
        if response.clicked() {
            asks.push(Ask::Run(Command::Predict));
        }
        match problem {
            Some(problem) => {
                message(ui, Tone::Info, &problem);
            }
            None if self.document.is_automatic => {
                let key = if self.is_choosing { "engine-choosing" } else { "engine-automatic-note" };
                note(ui, &texts.get(key));
            }
            None => {
                let settings = &self.document.settings;
                let query = &self.document.query;
                let docks = query.ligands().next().is_some() || !query.series.is_empty();
                let engine = match settings.engine {
                    EngineName::Docking if !docks => texts.get("predict-conformers"),
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
