//! The palette: everything that can be done, found by typing a part of its name in any language.
//!
//! Each word that is typed must be found in a name: as it stands, as the first letters of its words, or, for Hangul, as
//! the first consonants of its syllables (ㅇㅊ finds 예측). Names are those of all languages, so that a reader of one
//! finds what a colleague named in another. The link of a lesson (`studio:select/chain A`) is understood too.

use egui::{Key, Modifiers, ScrollArea, TextEdit, Ui, WidgetInfo, vec2};

use super::action::Action;
use super::app::Studio;
use super::command::Command;
use super::document::file_name;
use super::files;
use super::theme::{self, palette};
use super::widgets::note;
use crate::texts::{Language, Texts};

/// Entries that are shown.
const SHOWN: usize = 60;
/// Width of the palette, points.
const WIDTH: f32 = 560.0;
/// Height of its list, points.
const HEIGHT: f32 = 360.0;

/// The open palette.
pub struct Palette {
    text: String,
    chosen: usize,
    is_fresh: bool,
    entries: Vec<Entry>,
}

struct Entry {
    action: Action,
    /// In the language in force.
    text: String,
    /// In all languages, for searching.
    names: Vec<String>,
    shortcut: String,
}

/// The first consonants of Hangul syllables, in the order of Unicode.
const CONSONANTS: [char; 19] =
    ['ㄱ', 'ㄲ', 'ㄴ', 'ㄷ', 'ㄸ', 'ㄹ', 'ㅁ', 'ㅂ', 'ㅃ', 'ㅅ', 'ㅆ', 'ㅇ', 'ㅈ', 'ㅉ', 'ㅊ', 'ㅋ', 'ㅌ', 'ㅍ', 'ㅎ'];

/// The first consonants of a text's Hangul, and its other letters as they are; without spaces.
fn consonants(text: &str) -> String {
    const FIRST: u32 = 0xAC00;
    const SYLLABLES: u32 = 11_172;
    let letters = text.chars().filter(|letter| !letter.is_whitespace());
    let consonant = letters.map(|letter| match u32::from(letter).checked_sub(FIRST) {
        Some(place) if place < SYLLABLES => CONSONANTS.get((place / 588) as usize).copied().unwrap_or(letter),
        _ => letter,
    });
    consonant.collect()
}

/// How well a name fits what is typed, less is better; `None` when it does not.
fn fit(typed: &str, name: &str) -> Option<usize> {
    let name = name.to_lowercase();
    let initials: String =
        name.split(|letter: char| !letter.is_alphanumeric()).filter_map(|word| word.chars().next()).collect();
    let consonants = consonants(&name);
    let mut sum = 0;
    for word in typed.to_lowercase().split_whitespace() {
        let found = if let Some(place) = name.find(word) {
            let starts_word = place == 0 || name[..place].ends_with(|letter: char| !letter.is_alphanumeric());
            if starts_word { place.min(30) } else { 40 + place.min(30) }
        } else if initials.starts_with(word) {
            20
        } else {
            80 + consonants.find(word)?.min(30)
        };
        sum += found;
    }
    Some(sum)
}

impl Palette {
    /// The entries that fit, best first; among equals in the order of the list.
    fn found(&self) -> Vec<usize> {
        let mut found: Vec<(usize, usize)> = self
            .entries
            .iter()
            .enumerate()
            .filter_map(|(index, entry)| {
                let best = entry.names.iter().filter_map(|name| fit(&self.text, name)).min()?;
                Some((best, index))
            })
            .collect();
        found.sort_unstable();
        found.into_iter().take(SHOWN).map(|(_, index)| index).collect()
    }
}

impl Studio {
    /// Opens the palette.
    pub(super) fn open_palette(&mut self, context: &egui::Context) {
        let others: Vec<Texts> =
            Language::ALL.into_iter().filter(|language| *language != self.texts.language()).map(Texts::new).collect();
        let mut entries = Vec::new();
        let mut add = |action: Action, text: &dyn Fn(&Texts) -> String, shortcut: String| {
            let own = text(&self.texts);
            let names = std::iter::once(own.clone()).chain(others.iter().map(text)).collect();
            entries.push(Entry { action, text: own, names, shortcut });
        };
        for command in Command::all().filter(|command| *command != Command::Palette) {
            if let Command::ShowPane(pane) = command
                && !(pane.spec().is_available)(self)
            {
                continue;
            }
            let shortcut = command.shortcut().map(|shortcut| context.format_shortcut(&shortcut)).unwrap_or_default();
            add(Action::Command(command), &|texts| command.text(texts), shortcut);
        }
        for sample in &self.samples {
            let title = |texts: &Texts| {
                let title = files::sample_keys(&sample.name).map(|(title, _)| texts.get(title));
                let name = title.unwrap_or_else(|| sample.name.clone());
                texts.with("palette-sample", [("name", name.into())])
            };
            add(Action::Sample(sample.name.clone()), &title, String::new());
        }
        for path in &self.preferences.recent {
            let text = |texts: &Texts| texts.with("palette-recent", [("name", file_name(path).into())]);
            add(Action::Open(path.clone()), &text, String::new());
        }
        for (index, (name, _)) in self.preferences.layouts.iter().enumerate() {
            let text = |texts: &Texts| texts.with("palette-layout", [("name", name.clone().into())]);
            add(Action::Layout(index), &text, String::new());
        }
        self.palette = Some(Palette { text: String::new(), chosen: 0, is_fresh: true, entries });
    }

    /// Shows the palette while it is open.
    pub(super) fn palette_ui(&mut self, ui: &Ui) {
        let Some(mut open) = self.palette.take() else { return };
        let texts = std::sync::Arc::clone(&self.texts);
        let (up, down, enter, escape) = ui.input_mut(|input| {
            let mut pressed = |key| input.consume_key(Modifiers::NONE, key);
            (pressed(Key::ArrowUp), pressed(Key::ArrowDown), pressed(Key::Enter), pressed(Key::Escape))
        });
        let mut done = None;
        let response = egui::Modal::new(egui::Id::unique("palette")).show(ui.ctx(), |ui| {
            ui.set_width(WIDTH);
            let name = texts.get("palette-search");
            let field = TextEdit::singleline(&mut open.text).desired_width(f32::INFINITY).hint_text(&name);
            let field = ui.add(field).accessible_name(name);
            field.request_focus();
            if field.changed() {
                open.chosen = 0;
                // Where letters come faster than frames, the hint would stand behind them.
                ui.ctx().request_repaint();
            }
            let found = open.found();
            let last = found.len().saturating_sub(1);
            if down {
                open.chosen = if open.chosen >= last { 0 } else { open.chosen + 1 };
            }
            if up {
                open.chosen = if open.chosen == 0 { last } else { open.chosen - 1 };
            }
            open.chosen = open.chosen.min(last);
            if found.is_empty() {
                match Action::of_link(&open.text) {
                    Some(action) if enter => done = Some(action),
                    Some(_) => {
                        note(ui, &texts.get("palette-link"));
                    }
                    None => {
                        note(ui, &texts.get("palette-none"));
                    }
                }
            }
            let list = ScrollArea::vertical().id_salt("palette_list").max_height(HEIGHT).min_scrolled_height(HEIGHT);
            list.auto_shrink([false, true]).show(ui, |ui| {
                ui.spacing_mut().item_spacing.y = 1.0;
                for (place, entry) in found.iter().filter_map(|index| open.entries.get(*index)).enumerate() {
                    let is_chosen = place == open.chosen;
                    let colours = palette(ui);
                    let button = egui::Button::new(&entry.text)
                        .shortcut_text(&entry.shortcut)
                        .fill(if is_chosen { colours.accent_soft } else { colours.card })
                        .stroke(egui::Stroke::NONE)
                        .truncate()
                        .min_size(vec2(ui.available_width(), theme::CONTROL_HEIGHT));
                    let row = ui.add(button);
                    row.widget_info(|| WidgetInfo::selected(egui::Role::ListBoxOption, true, is_chosen, &entry.text));
                    if is_chosen && (up || down) {
                        row.scroll_to_me(None);
                    }
                    if row.clicked() || (is_chosen && enter && !open.is_fresh) {
                        done = Some(entry.action.clone());
                    }
                }
            });
            open.is_fresh = false;
        });
        if let Some(action) = done {
            self.act(action, ui.ctx());
        } else if !escape && !response.should_close() {
            self.palette = Some(open);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_by_parts_initials_and_first_consonants() {
        assert!(fit("pose", "Previous pose").is_some());
        assert!(fit("prev", "Previous pose") < fit("pose", "Previous pose"));
        assert!(fit("po pr", "Previous pose").is_some());
        assert!(fit("epp", "Export picture (PNG)…").is_some());
        assert!(fit("ㅇㅊ", "예측").is_some());
        assert!(fit("ㄹㄱㄷ", "리간드 또는 포켓 보기").is_some());
        assert!(fit("리간", "리간드 또는 포켓 보기").is_some());
        assert_eq!(fit("ㅋㅋ", "예측"), None);
        assert_eq!(fit("zebra", "Previous pose"), None);
        assert_eq!(fit("", "anything"), Some(0));
        assert_eq!(consonants("힣 가A"), "ㅎㄱa".replace('a', "A"));
    }
}
