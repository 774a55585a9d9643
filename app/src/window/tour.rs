//! The tour: five steps from nothing to a finished prediction, for whoever opens the program for the first time.
//!
//! Each step says what to do and can do it; it ends when that was done, whichever way.

use egui::{RichText, Ui, vec2};

use super::action::Action;
use super::app::Studio;
use super::command::Command;
use super::panes::Pane;
use super::theme::{self, palette};
use super::widgets::note;

/// The sample of the tour: a rigid ligand in a closed pocket, quickly docked.
const SAMPLE: &str = "nuclear-receptor";
/// Width of the tour's window, points.
const WIDTH: f32 = 400.0;

/// Where the tour is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tour {
    /// What comes.
    Welcome,
    /// Open the sample.
    Sample,
    /// Predict.
    Predict,
    /// Look while it runs.
    Wait,
    /// Read the result.
    Read,
}

impl Tour {
    const ALL: [Self; 5] = [Self::Welcome, Self::Sample, Self::Predict, Self::Wait, Self::Read];

    const fn keys(self) -> (&'static str, &'static str) {
        match self {
            Self::Welcome => ("tour-welcome", "tour-welcome-text"),
            Self::Sample => ("tour-sample", "tour-sample-text"),
            Self::Predict => ("tour-predict", "tour-predict-text"),
            Self::Wait => ("tour-wait", "tour-wait-text"),
            Self::Read => ("tour-read", "tour-read-text"),
        }
    }
}

impl Studio {
    /// Begins the tour.
    pub(super) const fn start_tour(&mut self) {
        self.tour = Some(Tour::Welcome);
    }

    /// Goes on by itself where what a step asks for was done.
    fn advance_tour(&mut self, step: Tour) -> Tour {
        let is_open = self
            .query_path
            .as_deref()
            .is_some_and(|path| self.samples.iter().any(|sample| sample.name == SAMPLE && sample.query == path));
        let has_sample = self.samples.iter().any(|sample| sample.name == SAMPLE);
        match step {
            Tour::Sample if (is_open || !has_sample) && self.shown_structure().is_some() => Tour::Predict,
            Tour::Predict if self.is_running() => Tour::Wait,
            Tour::Predict | Tour::Wait if self.outcome.is_some() => Tour::Read,
            // It failed or was cancelled.
            Tour::Wait if !self.is_running() && self.outcome.is_none() && !self.is_waiting_for_results() => {
                Tour::Predict
            }
            step => step,
        }
    }

    /// Whether a run has ended whose results are on their way.
    fn is_waiting_for_results(&self) -> bool {
        self.run.as_ref().is_some_and(|run| !run.is_going() && run.failure().is_none())
    }

    /// Shows the tour, while there is one.
    pub(super) fn tour_ui(&mut self, ui: &Ui) {
        let Some(step) = self.tour else { return };
        let mut step = self.advance_tour(step);
        let texts = std::sync::Arc::clone(&self.texts);
        let place = Tour::ALL.iter().position(|other| *other == step).unwrap_or(0);
        let (title, text) = step.keys();
        let (mut is_over, mut action) = (false, None);
        // Where there is something to look at, out of its way: above the foot of the view.
        let (anchor, offset) = match step {
            Tour::Welcome | Tour::Sample => (egui::Align2::CENTER_TOP, vec2(0.0, 110.0)),
            Tour::Predict | Tour::Wait | Tour::Read => {
                (egui::Align2::LEFT_BOTTOM, vec2(theme::QUERY_WIDTH + 16.0, -44.0))
            }
        };
        let has_sample = self.samples.iter().any(|sample| sample.name == SAMPLE);
        egui::Window::new(texts.get("command-tour"))
            .id(egui::Id::unique("tour"))
            .collapsible(false)
            .resizable(false)
            .anchor(anchor, offset)
            .show(ui.ctx(), |ui| {
                ui.set_width(WIDTH);
                let count = [("step", (place + 1).into()), ("count", Tour::ALL.len().into())];
                note(ui, &texts.with("tour-step", count));
                ui.label(RichText::new(texts.get(title)).text_style(theme::title_style()));
                ui.add(egui::Label::new(texts.get(text)).wrap());
                if step == Tour::Sample && !has_sample {
                    note(ui, &texts.get("tour-no-samples"));
                }
                ui.add_space(theme::GAP);
                ui.horizontal(|ui| {
                    let next = |ui: &mut Ui, key: &str| {
                        let button = theme::primary_button(palette(ui), &texts.get(key), vec2(0.0, 28.0));
                        ui.add(button).clicked()
                    };
                    match step {
                        Tour::Welcome => {
                            if next(ui, "tour-begin") {
                                step = Tour::Sample;
                            }
                        }
                        Tour::Sample if !has_sample => {
                            if next(ui, "tour-open-own") {
                                action = Some(Action::Command(Command::Open));
                            }
                        }
                        Tour::Sample => {
                            if next(ui, "tour-open") {
                                action = Some(Action::Sample(SAMPLE.to_owned()));
                            }
                        }
                        Tour::Predict => {
                            if next(ui, "tour-start") {
                                action = Some(Action::Command(Command::Predict));
                            }
                        }
                        Tour::Wait => {
                            ui.spinner();
                        }
                        Tour::Read => {
                            if next(ui, "tour-lessons") {
                                action = Some(Action::Command(Command::ShowPane(Pane::Lessons)));
                                is_over = true;
                            }
                        }
                    }
                    let end = if step == Tour::Read { "tour-finish" } else { "tour-skip" };
                    is_over |= ui.button(texts.get(end)).clicked();
                });
            });
        self.tour = (!is_over).then_some(step);
        if is_over {
            // So that it does not come again; the file of preferences is there now.
            self.keep_preferences();
        }
        if let Some(action) = action {
            self.act(action, ui.ctx());
        }
    }
}
