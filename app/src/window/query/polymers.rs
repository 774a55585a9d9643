//! Proteins, pairs of proteins, DNA and RNA.

use std::path::{Path, PathBuf};

use egui::{Align, Layout, RichText, Ui};
use kfold_inference::engine::EngineName;
use kfold_inference::query::{Entity, ProteinPair, Query};

use super::super::app::Studio;
use super::super::dialogs::Purpose;
use super::super::document::{self, PolymerKind, file_name, free_chain_id, ids_of, polymer_of, sequences_of};
use super::super::theme::{self, palette};
use super::super::widgets::icon::Icon;
use super::super::widgets::{icon_button, note, section, small_button};
use super::Ask;
use super::sequences::sequence_editor;
use crate::texts::Texts;

/// Copies that the window offers; files may have more.
const MAX_COPIES: usize = 60;

/// Key of an entity's name.
pub(super) const fn title_key(entity: &Entity) -> &'static str {
    match entity {
        Entity::Protein(_) => "entity-protein",
        Entity::Dna(_) => "entity-dna",
        Entity::Rna(_) => "entity-rna",
        Entity::ProteinPair(_) => "entity-pair",
        Entity::Ligand(_) => "entity-ligand",
    }
}

/// Copies of an entity.
fn copies(entity: &Entity) -> usize {
    match entity {
        Entity::ProteinPair(pair) => pair.ids1.len(),
        _ => ids_of(entity).len(),
    }
}

/// Gives an entity of the query so many copies: new ones get free chain ids, the last ones go.
pub(super) fn set_copies(query: &mut Query, index: usize, wanted: usize) {
    let wanted = wanted.max(1);
    while let Some(entity) = query.sequences.get_mut(index) {
        let now = copies(entity);
        if now == wanted {
            break;
        }
        if now > wanted {
            match entity {
                Entity::Protein(polymer) | Entity::Dna(polymer) | Entity::Rna(polymer) => {
                    polymer.ids.pop();
                }
                Entity::Ligand(ligand) => {
                    ligand.ids.pop();
                }
                Entity::ProteinPair(pair) => {
                    pair.ids1.pop();
                    pair.ids2.pop();
                }
            }
            continue;
        }
        let sides = if matches!(entity, Entity::ProteinPair(_)) { 2 } else { 1 };
        for side in 0..sides {
            let id = free_chain_id(query);
            match query.sequences.get_mut(index) {
                Some(Entity::Protein(polymer) | Entity::Dna(polymer) | Entity::Rna(polymer)) => polymer.ids.push(id),
                Some(Entity::Ligand(ligand)) => ligand.ids.push(id),
                Some(Entity::ProteinPair(pair)) => if side == 0 { &mut pair.ids1 } else { &mut pair.ids2 }.push(id),
                None => return,
            }
        }
    }
    forget_lost_bonds(query);
}

/// Drops bonds to chains that are no more.
pub(super) fn forget_lost_bonds(query: &mut Query) {
    let chains: std::collections::HashSet<String> =
        query.sequences.iter().flat_map(ids_of).map(str::to_owned).collect();
    query.bonds.retain(|bond| chains.contains(&bond.atom1.chain) && chains.contains(&bond.atom2.chain));
}

/// The number of copies of an entity, to change; what was asked for.
pub(super) fn copies_ui(ui: &mut Ui, texts: &Texts, entity: &Entity, name: &str) -> Option<usize> {
    let mut count = copies(entity);
    let before = count;
    let drag = egui::DragValue::new(&mut count).range(1..=MAX_COPIES.max(before)).speed(0.05).prefix("× ");
    ui.add(drag)
        .on_hover_text(texts.get("copies-hint"))
        .accessible_name(texts.with("copies-of", [("name", name.to_owned().into())]));
    (count != before).then_some(count)
}

/// What to do with the entities after they are drawn.
#[derive(Default)]
struct Changes {
    remove: Option<usize>,
    copies: Option<(usize, usize)>,
    split: Option<(usize, Vec<String>)>,
}

impl Studio {
    pub(super) fn polymers_ui(&mut self, ui: &mut Ui, query: &mut Query, asks: &mut Vec<Ask>) {
        let texts = std::sync::Arc::clone(&self.texts);
        section(ui, &texts.get("section-sequences"), |ui| {
            let mut changes = Changes::default();
            let open_structure = query.structure.clone();
            for index in 0..query.sequences.len() {
                let Some(mut entity) = query.sequences.get(index).cloned() else { continue };
                if matches!(entity, Entity::Ligand(_)) {
                    continue;
                }
                self.polymer_ui(ui, &mut entity, index, open_structure.as_deref(), (&mut changes, asks));
                if let Some(place) = query.sequences.get_mut(index) {
                    *place = entity;
                }
            }
            apply(query, changes);
            ui.horizontal_wrapped(|ui| {
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
                if ui
                    .button(texts.get("sequence-add-pair"))
                    .on_hover_text(texts.get("sequence-add-pair-hint"))
                    .clicked()
                {
                    add_pair(query);
                }
                if self.query_editor.paste.is_none() {
                    self.paste_ui(ui);
                }
            });
            if self.query_editor.paste.is_some() {
                self.paste_ui(ui);
            }
            if let Some(entities) = self.query_editor.pasted.take() {
                std::mem::swap(&mut self.document.query, query);
                self.add_entities(entities, Vec::new());
                std::mem::swap(&mut self.document.query, query);
            }
            note(ui, &texts.get("sequences-hint"));
        });
    }

    fn polymer_ui(
        &mut self,
        ui: &mut Ui,
        entity: &mut Entity,
        index: usize,
        open_structure: Option<&Path>,
        (changes, asks): (&mut Changes, &mut Vec<Ask>),
    ) {
        let texts = std::sync::Arc::clone(&self.texts);
        let colours = palette(ui);
        let title = texts.with(title_key(entity), [("ids", ids_of(entity).join(", ").into())]);
        theme::card(colours).show(ui, |ui| {
            ui.set_width(ui.available_width());
            let length = sequences_of(entity).iter().map(|(_, sequence)| sequence.chars().count()).sum::<usize>();
            ui.horizontal(|ui| {
                ui.add(egui::Label::new(RichText::new(&title).text_style(theme::strong_style())).truncate());
                let count = texts.with("sequence-length", [("count", length.into())]);
                ui.label(RichText::new(count).small().color(colours.text_muted));
                ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                    let label = texts.with("entity-remove", [("name", title.clone().into())]);
                    if icon_button(ui, Icon::Cross, &label, true).clicked() {
                        changes.remove = Some(index);
                    }
                    if let Some(wanted) = copies_ui(ui, &texts, entity, &title) {
                        changes.copies = Some((index, wanted));
                    }
                });
            });
            let kind = polymer_of(entity).map(|(kind, _)| kind);
            match entity {
                Entity::Protein(polymer) | Entity::Dna(polymer) | Entity::Rna(polymer) => {
                    let kind = kind.unwrap_or(PolymerKind::Protein);
                    let name = texts.with("sequence-of", [("name", title.clone().into())]);
                    if sequence_editor(ui, &texts, &name, (index, 0), kind, &mut polymer.sequence) {
                        let mut sequences = document::sequences_of_paste(&polymer.sequence);
                        polymer.sequence = if sequences.is_empty() { String::new() } else { sequences.remove(0) };
                        if !sequences.is_empty() {
                            changes.split = Some((index, sequences));
                        }
                    }
                    if kind == PolymerKind::Protein {
                        self.apo_ui(ui, (index, &title), &mut polymer.apo, open_structure, asks);
                    }
                }
                Entity::ProteinPair(pair) => {
                    for (side, ids, sequence) in
                        [(0, &pair.ids1, &mut pair.sequence1), (1, &pair.ids2, &mut pair.sequence2)]
                    {
                        let chain = texts.with("entity-protein", [("ids", ids.join(", ").into())]);
                        ui.label(RichText::new(&chain).small().color(colours.text_muted));
                        let name = texts.with("sequence-of", [("name", chain.into())]);
                        if sequence_editor(ui, &texts, &name, (index, side), PolymerKind::Protein, sequence) {
                            *sequence = document::sequences_of_paste(sequence).concat();
                        }
                    }
                    self.apo_ui(ui, (index, &title), &mut pair.apo, open_structure, asks);
                }
                Entity::Ligand(_) => {}
            }
            let sides: &[bool] = if matches!(entity, Entity::ProteinPair(_)) { &[false, true] } else { &[false] };
            for is_second in sides {
                let name = match &*entity {
                    Entity::ProteinPair(pair) => {
                        let ids = if *is_second { &pair.ids2 } else { &pair.ids1 };
                        texts.with("entity-protein", [("ids", ids.join(", ").into())])
                    }
                    _ => title.clone(),
                };
                self.modifications_ui(ui, entity, index, *is_second, &name);
            }
        });
    }

    /// Where a protein's unbound structures come from.
    fn apo_ui(
        &mut self,
        ui: &mut Ui,
        (index, name): (usize, &str),
        apo: &mut Vec<PathBuf>,
        open_structure: Option<&Path>,
        asks: &mut Vec<Ask>,
    ) {
        let texts = &self.texts;
        let mut remove = None;
        for (number, path) in apo.iter().enumerate() {
            ui.horizontal(|ui| {
                let text = texts.with("apo-file", [("number", (number + 1).into()), ("name", file_name(path).into())]);
                ui.label(RichText::new(text).small()).on_hover_text(path.display().to_string());
                let label = texts.with("apo-remove", [("name", file_name(path).into())]);
                if icon_button(ui, Icon::Cross, &label, true).clicked() {
                    remove = Some(number);
                }
            });
        }
        if let Some(number) = remove {
            apo.remove(number);
        }
        if apo.is_empty() && self.document.settings.engine == EngineName::KFold {
            let count = self.document.settings.kfold.apo_count();
            note(ui, &texts.with("apo-generated", [("count", count.into())]));
        }
        ui.horizontal_wrapped(|ui| {
            let labelled = |ui: &mut Ui, key: &str, name_key: &str| {
                let button = small_button(ui, texts.get(key)).on_hover_text(texts.get("apo-hint"));
                let label = texts.with(name_key, [("name", name.to_owned().into())]);
                button.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, &label));
                button.clicked()
            };
            if labelled(ui, "apo-add", "apo-add-to") {
                asks.push(Ask::File(Purpose::Apo(index)));
            }
            if let Some(path) = open_structure
                && !apo.iter().any(|held| held == path)
                && labelled(ui, "apo-open", "apo-open-for")
            {
                apo.push(path.to_owned());
            }
        });
    }
}

fn apply(query: &mut Query, changes: Changes) {
    if let Some((index, wanted)) = changes.copies {
        set_copies(query, index, wanted);
    }
    if let Some((index, sequences)) = changes.split {
        let kind = query.sequences.get(index).and_then(polymer_of).map_or(PolymerKind::Protein, |(kind, _)| kind);
        for sequence in sequences {
            let same = query.sequences.iter().position(|entity| {
                polymer_of(entity).is_some_and(|(held, polymer)| {
                    held == kind && polymer.sequence == sequence && polymer.modifications.is_empty()
                })
            });
            match same.and_then(|place| Some((place, query.sequences.get(place)?))) {
                Some((place, entity)) => {
                    let count = copies(entity) + 1;
                    set_copies(query, place, count);
                }
                None => {
                    document::add_polymer(query, kind, sequence);
                }
            }
        }
    }
    if let Some(index) = changes.remove {
        query.sequences.remove(index);
        forget_lost_bonds(query);
    }
}

fn add_pair(query: &mut Query) {
    query.sequences.push(Entity::ProteinPair(ProteinPair::default()));
    let index = query.sequences.len() - 1;
    set_copies(query, index, 1);
}

#[cfg(test)]
mod tests {
    use super::*;
    use kfold_inference::query::{AtomReference, CovalentBond};

    #[test]
    fn copies_come_with_free_ids_and_go_with_their_bonds() {
        let mut query = Query::default();
        document::add_polymer(&mut query, PolymerKind::Protein, "MK".to_owned());
        add_pair(&mut query);
        set_copies(&mut query, 0, 3);
        set_copies(&mut query, 1, 2);
        let ids: Vec<Vec<&str>> = query.sequences.iter().map(ids_of).collect();
        assert_eq!(ids, [vec!["A", "D", "E"], vec!["B", "F", "C", "G"]]);
        let atom = |chain: &str| AtomReference { chain: chain.to_owned(), residue: 1, atom: "CA".to_owned() };
        query.bonds = vec![
            CovalentBond { atom1: atom("A"), atom2: atom("B") },
            CovalentBond { atom1: atom("A"), atom2: atom("E") },
        ];
        set_copies(&mut query, 0, 2);
        assert_eq!(query.bonds.len(), 1);
        apply(&mut query, Changes { remove: Some(1), ..Changes::default() });
        assert!(query.bonds.is_empty());
    }

    #[test]
    fn equal_pasted_sequences_are_copies() {
        let mut query = Query::default();
        document::add_polymer(&mut query, PolymerKind::Protein, "MKTA".to_owned());
        let split = Some((0, vec!["GGGG".to_owned(), "MKTA".to_owned()]));
        apply(&mut query, Changes { split, ..Changes::default() });
        let ids: Vec<Vec<&str>> = query.sequences.iter().map(ids_of).collect();
        assert_eq!(ids, [vec!["A", "C"], vec!["B"]]);
    }
}
