//! The pane of jobs.

use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use egui::{Align, Layout, Margin, RichText, Role, ScrollArea, Ui, WidgetInfo};
use kfold_inference::job::queue::Queue;

use super::{JobView, State, causes};
use crate::texts::Texts;
use crate::window::app::Studio;
use crate::window::run::{Run, seconds_text, status_of};
use crate::window::theme::{self, palette};
use crate::window::widgets::{Tone, chip, message, note};

/// What a button of a job asks for.
enum Ask {
    Sooner(PathBuf),
    Later(PathBuf),
    Pause(PathBuf),
    Resume(PathBuf),
    Cancel(PathBuf),
    Retry(PathBuf),
    Open(PathBuf),
    Log(PathBuf, String),
}

impl Studio {
    /// Whether there is a job to list.
    pub(in crate::window) fn has_jobs(&self) -> bool {
        !self.jobs.is_empty()
    }

    /// The pane's contents.
    pub(in crate::window) fn jobs_ui(&mut self, ui: &mut Ui) {
        let texts = std::sync::Arc::clone(&self.texts);
        let jobs = std::sync::Arc::clone(&self.jobs);
        let queued = jobs.iter().filter(|job| job.state.is_open()).count();
        let mut ask = None;
        ScrollArea::vertical().id_salt("jobs").auto_shrink([false, false]).show(ui, |ui| {
            egui::Frame::new().inner_margin(Margin::symmetric(12, 8)).show(ui, |ui| {
                note(ui, &texts.get("jobs-hint"));
                for job in jobs.iter() {
                    let colours = palette(ui);
                    theme::card(colours).show(ui, |ui| {
                        ui.set_width(ui.available_width());
                        job_ui(ui, &texts, job, queued, &mut ask);
                    });
                    ui.add_space(theme::GAP_SMALL);
                }
            });
        });
        match ask {
            None => {}
            Some(Ask::Sooner(folder)) => self.change_queue(move |queue| queue.shift(&folder, -1)),
            Some(Ask::Later(folder)) => self.change_queue(move |queue| queue.shift(&folder, 1)),
            Some(Ask::Pause(folder)) => self.change_queue(move |queue| queue.pause(&folder)),
            Some(Ask::Resume(folder)) => self.change_queue(move |queue| queue.resume(&folder)),
            Some(Ask::Cancel(folder)) => self.change_queue(move |queue| queue.cancel(&folder)),
            Some(Ask::Retry(folder)) => self.retry(folder),
            Some(Ask::Open(folder)) => self.open_run(&folder),
            Some(Ask::Log(folder, name)) => self.open_log(&folder, &name),
        }
    }

    /// Puts a job that did not come to its end back into the queue; what it finished stays.
    pub(in crate::window) fn retry(&mut self, folder: PathBuf) {
        let is_free = self.run.as_ref().is_none_or(|run| run.folder == folder || !run.is_going());
        let is_shown = self.outcome.as_ref().is_some_and(|outcome| outcome.folder == folder);
        // What the window shows, or has just shown, it follows again.
        if is_free && (is_shown || self.outcome.is_none() || self.run.as_ref().is_some_and(|run| run.folder == folder))
        {
            let events = self.jobs.iter().find(|job| job.folder == folder).map_or(0, JobView::events);
            self.run = Some(Run::again(folder.clone(), events));
        }
        self.change_queue(move |queue: &Queue| queue.add(&folder));
    }
}

/// Where a job is, in words.
fn state_text(texts: &Texts, state: &State) -> String {
    match state {
        State::Waiting(place) => texts.with("job-waiting", [("place", (place + 1).into())]),
        State::Offline => texts.get("job-offline"),
        State::Running => texts.get("job-running"),
        State::Stopping => texts.get("run-cancelling"),
        State::Paused => texts.get("job-paused"),
        State::Finished => texts.get("job-finished"),
        State::Cancelled => texts.get("job-cancelled"),
        State::Failed(_) => texts.get("job-failed"),
        State::Lost => texts.get("job-lost"),
    }
}

const fn tone(state: &State) -> Option<Tone> {
    match state {
        State::Finished => Some(Tone::Good),
        State::Failed(_) | State::Lost => Some(Tone::Bad),
        State::Offline => Some(Tone::Warning),
        _ => None,
    }
}

fn job_ui(ui: &mut Ui, texts: &Texts, job: &JobView, queued: usize, ask: &mut Option<Ask>) {
    let colours = palette(ui);
    ui.horizontal(|ui| {
        ui.add(egui::Label::new(RichText::new(&job.name).text_style(theme::strong_style())).truncate());
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            chip(ui, &state_text(texts, &job.state), tone(&job.state));
        });
    });
    let place = job.server.clone().unwrap_or_else(|| texts.get("run-here"));
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
    let mut line = format!("{} · {place}", job.engine);
    if !job.state.is_open() {
        let ago = seconds_text(texts, (now - job.last_time).max(0.0));
        line = format!("{line} · {}", texts.with("job-ago", [("time", ago.into())]));
    }
    ui.add(egui::Label::new(RichText::new(line).small().color(colours.text_muted)).truncate());
    if matches!(job.state, State::Running | State::Stopping) {
        let status = status_of(texts, &job.progress, job.began.map_or(0.0, |began| (now - began).max(0.0)), now);
        ui.horizontal(|ui| {
            ui.label(&status.stage);
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                ui.label(RichText::new(&status.time).color(colours.text_muted));
            });
        });
        let bar = egui::ProgressBar::new(status.fraction.unwrap_or(0.0)).desired_height(6.0).fill(colours.accent);
        let name = texts.with("job-progress", [("name", job.name.clone().into())]);
        ui.add(bar).widget_info(|| WidgetInfo::labeled(Role::ProgressIndicator, true, &name));
        // The time left goes down although nothing is said.
        ui.ctx().request_repaint_after(std::time::Duration::from_secs(1));
    }
    match &job.state {
        State::Failed(reason) => drop(message(ui, Tone::Bad, &causes::explain(texts, reason))),
        State::Lost => drop(message(ui, Tone::Bad, &texts.get("cause-killed"))),
        _ => {}
    }
    ui.horizontal_wrapped(|ui| {
        let mut button = |key: &str, label: &str, what: fn(PathBuf) -> Ask| {
            // What is read aloud names the job; what is seen stands in its card.
            let response = ui.button(texts.get(key));
            let name = texts.with(label, [("name", job.name.clone().into())]);
            response.widget_info(|| WidgetInfo::labeled(Role::Button, true, &name));
            if response.clicked() {
                *ask = Some(what(job.folder.clone()));
            }
        };
        match &job.state {
            State::Waiting(place) => {
                if *place > 0 {
                    button("job-sooner", "job-sooner-name", Ask::Sooner);
                }
                if place + 1 < queued {
                    button("job-later", "job-later-name", Ask::Later);
                }
                button("job-pause", "job-pause-name", Ask::Pause);
                button("job-cancel", "job-cancel-name", Ask::Cancel);
            }
            State::Running | State::Offline => {
                button("job-pause", "job-pause-name", Ask::Pause);
                button("job-cancel", "job-cancel-name", Ask::Cancel);
            }
            State::Paused => {
                button("job-resume", "job-resume-name", Ask::Resume);
                button("job-cancel", "job-cancel-name", Ask::Cancel);
            }
            State::Finished => button("job-open", "job-open-name", Ask::Open),
            State::Cancelled | State::Failed(_) | State::Lost => button("job-retry", "job-retry-name", Ask::Retry),
            State::Stopping => {}
        }
        let label = texts.with("job-log-name", [("name", job.name.clone().into())]);
        let log = ui.button(texts.get("job-log"));
        log.widget_info(|| WidgetInfo::labeled(Role::Button, true, &label));
        if log.clicked() {
            *ask = Some(Ask::Log(job.folder.clone(), job.name.clone()));
        }
    });
}
