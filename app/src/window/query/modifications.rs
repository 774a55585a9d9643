//! Modified residues of a polymer: by position, or by a click on the residue in the view.

use egui::{RichText, Role, Ui, WidgetInfo, vec2};
use kfold_inference::query::{Entity, Modification};
use kfold_molecule::components::Polymer as Unit;

use super::super::app::Studio;
use super::super::theme::{GAP_SMALL, palette};
use super::super::widgets::icon::Icon;
use super::super::widgets::{Tone, icon_button, message, note, small_button};
use super::components::{ComponentSearch, Wanted};
use super::editor::Picking;

/// A modification that is being chosen.
#[derive(Debug)]
pub struct ModificationDraft {
    /// The entity, by index.
    pub(super) entity: usize,
    /// The second chain of a pair.
    pub(super) is_second: bool,
    /// From 1.
    pub(super) position: u32,
}

/// Modifications that are frequent, by the letter of the unmodified residue.
const PROTEIN: [(char, &[&str]); 9] = [
    ('S', &["SEP"]),
    ('T', &["TPO"]),
    ('Y', &["PTR", "TYS"]),
    ('K', &["ALY", "MLZ", "MLY", "M3L"]),
    ('R', &["AGM", "DA2", "CIR"]),
    ('C', &["CSO", "OCS", "CSD"]),
    ('M', &["MSE", "SME"]),
    ('P', &["HYP"]),
    ('H', &["HIC", "NEP"]),
];
const DNA: [(char, &[&str]); 3] = [('C', &["5CM", "5HC"]), ('A', &["6MA"]), ('G', &["8OG", "6OG"])];
const RNA: [(char, &[&str]); 4] =
    [('U', &["PSU", "5MU", "H2U"]), ('A', &["6MZ", "1MA"]), ('C', &["5MC", "OMC"]), ('G', &["2MG", "7MG", "OMG"])];

fn suggestions(entity: &Entity, letter: char) -> &'static [&'static str] {
    let list: &[(char, &'static [&'static str])] = match entity {
        Entity::Protein(_) | Entity::ProteinPair(_) => &PROTEIN,
        Entity::Dna(_) => &DNA,
        Entity::Rna(_) => &RNA,
        Entity::Ligand(_) => &[],
    };
    list.iter().find(|(held, _)| *held == letter.to_ascii_uppercase()).map_or(&[], |(_, codes)| codes)
}

/// The sequence and the modifications of a polymer, or of one side of a pair.
fn parts(entity: &mut Entity, is_second: bool) -> Option<(&str, &mut Vec<Modification>)> {
    match entity {
        Entity::Protein(polymer) | Entity::Dna(polymer) | Entity::Rna(polymer) => {
            Some((&polymer.sequence, &mut polymer.modifications))
        }
        Entity::ProteinPair(pair) => Some(if is_second {
            (&pair.sequence2, &mut pair.modifications2)
        } else {
            (&pair.sequence1, &mut pair.modifications1)
        }),
        Entity::Ligand(_) => None,
    }
}

/// Puts a modification on a position, in the place of the one that was there.
fn modify(modifications: &mut Vec<Modification>, index: u32, ccd: String) {
    modifications.retain(|held| held.index != index);
    modifications.push(Modification { index, ccd });
    modifications.sort_by_key(|held| held.index);
}

impl Studio {
    /// The modifications of an entity and the way to one more.
    pub(super) fn modifications_ui(
        &mut self,
        ui: &mut Ui,
        entity: &mut Entity,
        index: usize,
        is_second: bool,
        name: &str,
    ) {
        let texts = std::sync::Arc::clone(&self.texts);
        let colours = palette(ui);
        let Some((sequence, modifications)) = parts(entity, is_second) else { return };
        let letters: Vec<char> = sequence.chars().collect();
        let letter_at = |position: u32| letters.get((position as usize).wrapping_sub(1)).copied();
        let mut remove = None;
        if !modifications.is_empty() {
            ui.horizontal_wrapped(|ui| {
                ui.spacing_mut().item_spacing = vec2(GAP_SMALL, GAP_SMALL);
                for (place, held) in modifications.iter().enumerate() {
                    let letter = letter_at(held.index).map(String::from).unwrap_or_else(|| "?".to_owned());
                    let text = format!("{letter}{} → {}", held.index, held.ccd);
                    let label = texts.with("modification-remove", [("name", text.clone().into())]);
                    let button = small_button(ui, format!("{text}  ×"));
                    button.widget_info(|| WidgetInfo::labeled(Role::Button, true, &label));
                    if button.on_hover_text(&label).clicked() {
                        remove = Some(place);
                    }
                }
            });
        }
        if let Some(outside) = modifications.iter().find(|held| letter_at(held.index).is_none()) {
            let values = [("position", outside.index.into()), ("count", letters.len().into())];
            message(ui, Tone::Bad, &texts.with("modification-outside", values));
        }
        if let Some(place) = remove {
            modifications.remove(place);
        }
        let is_open = self
            .query_editor
            .modification
            .as_ref()
            .is_some_and(|draft| draft.entity == index && draft.is_second == is_second);
        if !is_open {
            if letters.is_empty() {
                return;
            }
            let label = texts.with("modification-add-to", [("name", name.to_owned().into())]);
            let button = small_button(ui, texts.get("modification-add"));
            button.widget_info(|| WidgetInfo::labeled(Role::Button, true, &label));
            if button.clicked() {
                let unit = match entity {
                    Entity::Dna(_) => Unit::Dna,
                    Entity::Rna(_) => Unit::Rna,
                    _ => Unit::Peptide,
                };
                self.query_editor.modification = Some(ModificationDraft { entity: index, is_second, position: 1 });
                self.query_editor.search = Some(ComponentSearch::new(Wanted::Unit(unit)));
                self.query_editor.picking = Picking::Modification;
            }
            return;
        }
        let mut chosen = None;
        let mut close = false;
        let mut position = self.query_editor.modification.as_ref().map_or(1, |draft| draft.position);
        egui::Frame::group(ui.style()).show(ui, |ui| {
            ui.set_width(ui.available_width());
            ui.horizontal(|ui| {
                let label = ui.label(texts.get("modification-position"));
                let last = u32::try_from(letters.len()).unwrap_or(u32::MAX).max(1);
                ui.add(egui::DragValue::new(&mut position).range(1..=last).speed(0.2)).labelled_by(label.id);
                let letter = letter_at(position).map(String::from).unwrap_or_default();
                ui.label(RichText::new(letter).monospace());
                if icon_button(ui, Icon::Cross, &texts.get("modification-close"), true).clicked() {
                    close = true;
                }
            });
            note(ui, &texts.get("modification-pick"));
            let codes = letter_at(position).map_or(&[][..], |letter| suggestions(entity, letter));
            if !codes.is_empty() {
                ui.horizontal_wrapped(|ui| {
                    ui.label(RichText::new(texts.get("modification-frequent")).small().color(colours.text_muted));
                    for code in codes {
                        if small_button(ui, *code).clicked() {
                            chosen = Some((*code).to_owned());
                        }
                    }
                });
            }
            if let Some(search) = &mut self.query_editor.search
                && let Some(code) = search.ui(ui, &texts, &self.background)
            {
                chosen = Some(code);
            }
        });
        if let Some(draft) = &mut self.query_editor.modification {
            draft.position = position;
        }
        if let Some(code) = chosen
            && let Some((_, modifications)) = parts(entity, is_second)
        {
            modify(modifications, position, code);
            close = true;
        }
        if close {
            self.query_editor.modification = None;
            self.query_editor.search = None;
            if self.query_editor.picking == Picking::Modification {
                self.query_editor.picking = Picking::Off;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kfold_molecule::components;

    #[test]
    fn suggestions_are_units_of_their_polymer_and_derive_from_the_letter() {
        for (list, unit) in [(&PROTEIN[..], Unit::Peptide), (&DNA[..], Unit::Dna), (&RNA[..], Unit::Rna)] {
            for (letter, codes) in list {
                for code in *codes {
                    let component = components::lookup(code).unwrap().unwrap_or_else(|| panic!("no {code}"));
                    assert_eq!(component.polymer(), unit, "{code}");
                    assert_eq!(kfold_molecule::residues::one_letter_code(code), *letter, "{code}");
                }
            }
        }
    }

    #[test]
    fn a_position_has_one_modification() {
        let mut list = Vec::new();
        for (index, code) in [(5, "SEP"), (2, "TPO"), (5, "PTR")] {
            modify(&mut list, index, code.to_owned());
        }
        let found: Vec<(u32, &str)> = list.iter().map(|held| (held.index, held.ccd.as_str())).collect();
        assert_eq!(found, [(2, "TPO"), (5, "PTR")]);
    }
}
