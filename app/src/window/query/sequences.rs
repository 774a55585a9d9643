//! Letters: the editor that marks the wrong ones, and pasting FASTA of many chains.

use egui::{RichText, ScrollArea, TextEdit, Ui};
use kfold_inference::query::{Entity, Imported, import_fasta};

use super::super::app::Studio;
use super::super::document::PolymerKind;
use super::super::problems::wrong_letter_text;
use super::super::theme::{self, palette};
use super::super::widgets::{Tone, message, note, small_button};
use crate::texts::Texts;

/// FASTA that is being pasted.
#[derive(Default)]
pub struct Paste {
    text: String,
    /// What it is, of which text.
    read: Option<(String, Result<Imported, String>)>,
    is_seen: bool,
}

/// Longer texts are files.
const MAX_PASTE: usize = 1 << 20;

impl Paste {
    fn read(&mut self) -> Option<&Result<Imported, String>> {
        if self.text.trim().is_empty() {
            return None;
        }
        if self.read.as_ref().is_none_or(|(text, _)| *text != self.text) {
            let result = import_fasta(&self.text, "query").map_err(|error| error.to_string());
            self.read = Some((self.text.clone(), result));
        }
        self.read.as_ref().map(|(_, result)| result)
    }
}

/// How many chains of each kind, as a sentence.
fn summary(texts: &Texts, entities: &[Entity]) -> String {
    let count = |wanted: &str| {
        entities.iter().filter(|entity| entity.kind() == wanted).map(|entity| entity.chains().len()).sum::<usize>()
    };
    let kinds =
        [("protein", "paste-proteins"), ("dna", "paste-dna"), ("rna", "paste-rna"), ("ligand", "paste-ligands")];
    let parts = kinds.into_iter().filter_map(|(kind, key)| {
        let number = count(kind);
        (number > 0).then(|| texts.with(key, [("count", number.into())]))
    });
    parts.collect::<Vec<_>>().join(", ")
}

impl Studio {
    /// The box for FASTA, when it is open.
    pub(super) fn paste_ui(&mut self, ui: &mut Ui) {
        let texts = std::sync::Arc::clone(&self.texts);
        let Some(paste) = &mut self.query_editor.paste else {
            if ui.button(texts.get("paste-open")).on_hover_text(texts.get("paste-hint")).clicked() {
                self.query_editor.paste = Some(Paste::default());
            }
            return;
        };
        let colours = palette(ui);
        let (mut add, mut close) = (None, false);
        theme::card(colours).show(ui, |ui| {
            ui.set_width(ui.available_width());
            ui.label(RichText::new(texts.get("paste-title")).text_style(theme::strong_style()));
            ScrollArea::vertical()
                .id_salt("paste")
                .max_height(140.0)
                .min_scrolled_height(140.0)
                .auto_shrink([false, true])
                .show(ui, |ui| {
                    let field = TextEdit::multiline(&mut paste.text)
                        .desired_width(f32::INFINITY)
                        .desired_rows(5)
                        .char_limit(MAX_PASTE)
                        .font(egui::TextStyle::Monospace)
                        .hint_text(">A\nMKTAYIAKQR…");
                    let response = ui.add(field).accessible_name(texts.get("paste-field"));
                    if !paste.is_seen {
                        response.request_focus();
                        paste.is_seen = true;
                    }
                });
            let mut ready = None;
            match paste.read() {
                None => {
                    note(ui, &texts.get("paste-hint"));
                }
                Some(Err(problem)) => {
                    message(ui, Tone::Bad, problem);
                }
                Some(Ok(imported)) => {
                    let found = summary(&texts, &imported.query.sequences);
                    message(ui, Tone::Good, &texts.with("paste-found", [("list", found.into())]));
                    for reason in imported.left_out.iter().take(5) {
                        message(ui, Tone::Warning, reason);
                    }
                    ready = Some(imported.query.sequences.clone());
                }
            }
            ui.horizontal(|ui| {
                if ui.add_enabled(ready.is_some(), egui::Button::new(texts.get("paste-add"))).clicked() {
                    add = ready;
                }
                close = ui.button(texts.get("paste-close")).clicked();
            });
        });
        if let Some(entities) = add {
            self.query_editor.pasted = Some(entities);
            close = true;
        }
        if close {
            self.query_editor.paste = None;
        }
    }
}

/// An editor that marks every letter which does not belong, and says below which it is, where, and what to do. Returns
/// whether text was pasted or typed.
pub(super) fn sequence_editor(
    ui: &mut Ui,
    texts: &Texts,
    name: &str,
    salt: (usize, u8),
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
                let format = if is_wrong { wrong.clone() } else { plain.clone() };
                job.append(text.get(start..place).unwrap_or_default(), 0.0, format);
                start = place;
                is_wrong = letter_is_wrong;
            }
        }
        job.append(text.get(start..).unwrap_or_default(), 0.0, if is_wrong { wrong } else { plain });
        ui.fonts_mut(|fonts| fonts.layout_job(job))
    };
    let changed = ScrollArea::vertical()
        .id_salt(("sequence", salt))
        .max_height(72.0)
        .auto_shrink([false, true])
        .show(ui, |ui| {
            let editor = TextEdit::multiline(sequence)
                .id_salt(("sequence", salt))
                .desired_width(f32::INFINITY)
                .desired_rows(2)
                .hint_text(texts.get("sequence-hint"))
                .layouter(&mut layouter);
            ui.add(editor).accessible_name(name).changed()
        })
        .inner;
    if let Some(text) = wrong_letter_text(texts, kind, sequence) {
        message(ui, Tone::Bad, &text);
        let wrong = sequence.chars().filter(|letter| !kind.letters().contains(letter.to_ascii_uppercase())).count();
        let label = texts.with("sequence-clean", [("count", wrong.into()), ("name", name.to_owned().into())]);
        let button = small_button(ui, texts.with("sequence-clean-short", [("count", wrong.into())]));
        button.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, &label));
        if button.clicked() {
            sequence.retain(|letter| kind.letters().contains(letter.to_ascii_uppercase()));
        }
    }
    changed
}
