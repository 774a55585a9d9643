//! Finding a component of the dictionary by code or name while it is typed.

use egui::{RichText, ScrollArea, TextEdit, Ui};
use kfold_molecule::components::{self, Polymer};

use super::super::background::{Background, Lane};
use super::super::message::Message;
use super::super::theme::{self, palette};
use super::super::widgets::{Tone, message, note};
use super::editor::News;
use crate::texts::Texts;

/// Components that are listed.
const LISTED: usize = 12;
/// Hits that are looked at where only one kind of component is wanted.
const LOOKED_AT: usize = 300;

/// What a search is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// A ligand: whatever is in the dictionary.
    Ligand,
    /// A unit of this polymer.
    Unit(Polymer),
}

/// A component that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    pub(super) code: String,
    pub(super) name: String,
}

/// An open search.
#[derive(Debug)]
pub struct ComponentSearch {
    pub(super) wanted: Wanted,
    text: String,
    /// What was asked last.
    asked: Option<String>,
    /// What the list answers.
    answered: Option<String>,
    found: Vec<Found>,
    problem: Option<String>,
    is_fresh: bool,
}

impl ComponentSearch {
    pub(super) fn new(wanted: Wanted) -> Self {
        Self {
            wanted,
            text: String::new(),
            asked: None,
            answered: None,
            found: Vec::new(),
            problem: None,
            is_fresh: true,
        }
    }

    pub(super) fn take(&mut self, text: String, result: Result<Vec<Found>, String>) {
        // Answers come in the order of the questions; an older one is better than none while typing.
        self.answered = Some(text);
        match result {
            Ok(found) => {
                self.found = found;
                self.problem = None;
            }
            Err(problem) => self.problem = Some(problem),
        }
    }

    /// The field and the list. The code that was chosen, if one was.
    pub(super) fn ui(&mut self, ui: &mut Ui, texts: &Texts, background: &Background) -> Option<String> {
        let field =
            TextEdit::singleline(&mut self.text).desired_width(f32::INFINITY).hint_text(texts.get("component-hint"));
        let response = ui.add(field).accessible_name(texts.get("component-field"));
        if self.is_fresh {
            response.request_focus();
            self.is_fresh = false;
        }
        let wanted = self.text.trim().to_owned();
        if wanted.is_empty() {
            self.found.clear();
            self.answered = None;
            self.asked = None;
            note(ui, &texts.get("component-note"));
            return None;
        }
        // One question at a time: the next when the last is answered.
        let is_idle = self.asked == self.answered;
        if is_idle && self.asked.as_deref() != Some(&wanted) {
            let kind = self.wanted;
            let text = wanted.clone();
            let asked = text.clone();
            let is_queued = background.attempt(
                Lane::Chemistry,
                move || search(&asked, kind),
                move |result| Message::Query(News::Components { text, result }),
            );
            if is_queued {
                self.asked = Some(wanted.clone());
            }
        }
        if let Some(problem) = &self.problem {
            message(ui, Tone::Bad, problem);
        }
        if self.found.is_empty() && self.answered.as_deref() == Some(&wanted) {
            note(ui, &texts.get("component-none"));
        }
        let mut chosen = None;
        let colours = palette(ui);
        ScrollArea::vertical()
            .id_salt("components")
            .max_height(190.0)
            .min_scrolled_height(190.0)
            .auto_shrink([false, true])
            .show(ui, |ui| {
                for found in &self.found {
                    let label = texts.with(
                        "component-choose",
                        [("code", found.code.clone().into()), ("name", found.name.clone().into())],
                    );
                    let mut job = egui::text::LayoutJob::default();
                    let strong = egui::TextFormat::simple(theme::strong_style().resolve(ui.style()), colours.text);
                    let plain =
                        egui::TextFormat::simple(egui::TextStyle::Small.resolve(ui.style()), colours.text_muted);
                    job.append(&found.code, 0.0, strong);
                    job.append(&found.name, 10.0, plain);
                    job.wrap = egui::text::TextWrapping::truncate_at_width(ui.available_width() - 24.0);
                    let button = egui::Button::new(job).frame(false).min_size(egui::vec2(ui.available_width(), 22.0));
                    let response = ui.add(button);
                    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, &label));
                    if response.on_hover_text(RichText::new(&found.name)).clicked() {
                        chosen = Some(found.code.clone());
                    }
                }
            });
        // Return takes the first.
        let entered = response.lost_focus() && ui.input(|input| input.key_pressed(egui::Key::Enter));
        if entered && chosen.is_none() && self.answered.as_deref() == Some(&wanted) {
            chosen = self.found.first().map(|found| found.code.clone());
        }
        chosen
    }
}

fn search(text: &str, wanted: Wanted) -> Result<Vec<Found>, String> {
    let most = if wanted == Wanted::Ligand { LISTED } else { LOOKED_AT };
    let hits = components::search(text, most).map_err(|error| error.to_string())?;
    let mut found = Vec::new();
    for hit in hits {
        if let Wanted::Unit(polymer) = wanted {
            let component = components::lookup(&hit.code).map_err(|error| error.to_string())?;
            if component.is_none_or(|component| component.polymer() != polymer) {
                continue;
            }
        }
        let name = match hit.synonym {
            Some(synonym) => format!("{} ({synonym})", hit.name),
            None => hit.name,
        };
        found.push(Found { code: hit.code.to_string(), name });
        if found.len() >= LISTED {
            break;
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_of_a_polymer_are_found_by_name() {
        let found = search("phosphoserine", Wanted::Unit(Polymer::Peptide)).unwrap();
        assert!(found.iter().any(|found| found.code == "SEP"), "{found:?}");
        assert!(search("adenosine triphosphate", Wanted::Unit(Polymer::Peptide)).unwrap().is_empty());
        let found = search("ATP", Wanted::Ligand).unwrap();
        assert_eq!(found[0].code, "ATP");
    }
}
