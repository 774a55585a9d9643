//! A job's log as one can read it: what happened, when, counted from its beginning; then what the worker wrote.

use std::path::{Path, PathBuf};

use egui::{RichText, ScrollArea, Ui};
use kfold_inference::job::events::{EventKind, EventReader};
use kfold_inference::job::queue::worker_log;

use crate::texts::Texts;
use crate::window::app::Studio;
use crate::window::background::{Lane, Loaded};
use crate::window::message::Message;
use crate::window::run::stage_key;

/// Lines of what happened, the last.
const LINES: usize = 2000;
/// Bytes of what the worker wrote, the last.
const BYTES: u64 = 1 << 16;

/// The log that is shown.
pub struct Log {
    folder: PathBuf,
    name: String,
    text: Loaded<String>,
}

/// Reads a log.
fn text_of(texts: &Texts, folder: &Path) -> Result<String, String> {
    let events = EventReader::new(folder.join("events.jsonl")).read_new().map_err(|error| error.to_string())?;
    let mut lines: Vec<String> = Vec::new();
    let mut begin = None;
    let mut last_stage = String::new();
    for event in &events {
        let seconds = event.time - *begin.get_or_insert(event.time);
        let what = match &event.kind {
            EventKind::Started { process, .. } => {
                begin = Some(event.time);
                texts.with("log-started", [("process", process.to_string().into())])
            }
            EventKind::SeedStarted { seed } => texts.with("log-seed", [("seed", seed.to_string().into())]),
            EventKind::Progress(progress) => {
                if progress.stage == last_stage && progress.step < progress.steps {
                    continue;
                }
                last_stage.clone_from(&progress.stage);
                let stage = stage_key(&progress.stage).map_or_else(|| progress.stage.clone(), |key| texts.get(key));
                let steps =
                    if progress.steps > 0 { format!(" {}/{}", progress.step, progress.steps) } else { String::new() };
                format!("{stage}{steps} {}", progress.message)
            }
            EventKind::Warning { message } => texts.with("log-warning", [("what", message.clone().into())]),
            EventKind::LigandFinished { ligand, poses, score_kcal_per_mol } => texts.with(
                "log-ligand",
                [
                    ("name", ligand.clone().into()),
                    ("poses", (*poses).into()),
                    ("score", crate::window::format::number(*score_kcal_per_mol, 2).into()),
                ],
            ),
            EventKind::ComplexFinished { ligand, samples, ranking_score } => texts.with(
                "log-complex",
                [
                    ("name", ligand.clone().into()),
                    ("samples", (*samples).into()),
                    ("score", crate::window::format::number(*ranking_score as f32, 3).into()),
                ],
            ),
            EventKind::SeedFinished { seed } => texts.with("log-seed-done", [("seed", seed.to_string().into())]),
            EventKind::Finished => texts.get("log-finished"),
            EventKind::Cancelled => texts.get("log-cancelled"),
            EventKind::Failed { message, .. } => texts.with("log-failed", [("why", message.clone().into())]),
        };
        lines.push(format!("{seconds:>9.1} s  {}", what.trim_end()));
    }
    if lines.is_empty() {
        lines.push(texts.get("log-empty"));
    }
    let from = lines.len().saturating_sub(LINES);
    let mut text = lines.split_off(from).join("\n");
    let written = worker_log(folder, BYTES);
    if !written.trim().is_empty() {
        text.push_str("\n\n");
        text.push_str(&texts.get("log-worker"));
        text.push('\n');
        text.push_str(written.trim_end());
    }
    Ok(text)
}

impl Studio {
    /// Shows a job's log.
    pub(in crate::window) fn open_log(&mut self, folder: &Path, name: &str) {
        self.log = Some(Log { folder: folder.to_owned(), name: name.to_owned(), text: Loaded::Waiting });
        let (folder, texts) = (folder.to_owned(), std::sync::Arc::clone(&self.texts));
        let read = folder.clone();
        self.attempt(Lane::Files, move || text_of(&texts, &read), move |result| Message::LogRead { folder, result });
    }

    pub(in crate::window) fn take_log(&mut self, folder: &Path, result: Result<String, String>) {
        if let Some(log) = self.log.as_mut().filter(|log| log.folder == folder) {
            log.text = match result {
                Ok(text) => Loaded::Ready(std::sync::Arc::new(text)),
                Err(reason) => Loaded::Failed(reason),
            };
        }
    }

    /// The log's window, while it is open.
    pub(in crate::window) fn log_ui(&mut self, ui: &Ui) {
        let Some(log) = &self.log else { return };
        let title = self.texts.with("log-title", [("name", log.name.clone().into())]);
        let (mut open, mut again) = (true, false);
        egui::Window::new(title)
            .id(egui::Id::unique("log"))
            .open(&mut open)
            .collapsible(false)
            .default_size([680.0, 420.0])
            .min_size([320.0, 160.0])
            .constrain(true)
            .show(ui.ctx(), |ui| {
                let text = match &log.text {
                    Loaded::Waiting => String::new(),
                    Loaded::Ready(text) => text.to_string(),
                    Loaded::Failed(reason) => reason.clone(),
                };
                ui.horizontal(|ui| {
                    again = ui.button(self.texts.get("log-again")).clicked();
                    if ui.button(self.texts.get("log-copy")).clicked() {
                        ui.ctx().copy_text(text.clone());
                    }
                });
                ScrollArea::both().auto_shrink([false, false]).stick_to_bottom(true).show(ui, |ui| {
                    ui.add(egui::Label::new(RichText::new(&text).monospace()).extend());
                });
            });
        let escaped = ui.input_mut(|input| input.consume_key(egui::Modifiers::NONE, egui::Key::Escape));
        if again {
            let (folder, name) = (log.folder.clone(), log.name.clone());
            self.open_log(&folder, &name);
        } else if !open || escaped {
            self.log = None;
        }
    }
}
