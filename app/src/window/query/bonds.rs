//! Covalent bonds between chains: each end is a chain, a residue and an atom that is clicked in the residue's structural
//! formula or in the view.

use egui::{Align, Layout, RichText, Ui};
use kfold_inference::engine::EngineName;
use kfold_inference::query::{AtomReference, CovalentBond, Entity, LigandSource, Query};

use super::super::app::Studio;
use super::super::background::{LigandKey, Loaded};
use super::super::theme::{self, palette};
use super::super::widgets::depiction::{Part, Parts, pick_in_depiction};
use super::super::widgets::icon::Icon;
use super::super::widgets::{Tone, icon_button, message, note, section, segmented};
use super::editor::Picking;
use super::places;

/// Largest formula in which an atom is picked, points.
const PICTURE_HEIGHT: f32 = 200.0;

/// Frames in which the panel scrolls to a bond that was just opened.
const FOLLOWED: u8 = 10;

/// A bond that is being made.
#[derive(Debug, Default)]
pub struct BondDraft {
    /// The ends that are known.
    pub(super) ends: [Option<AtomReference>; 2],
    /// Which end is being picked.
    pub(super) end: usize,
    /// Frames since it was opened, as far as they matter.
    frames: u8,
    /// The chain and residue that are looked at.
    chain: String,
    residue: u32,
}

impl BondDraft {
    /// Once one end is known, looks at a chain where the other may be: a ligand for a polymer's atom, a polymer for a ligand's.
    fn look_for_other_end(&mut self, query: &Query) {
        let [Some(known), None] = &self.ends else { return };
        let is_ligand = |chain: &str| {
            let holds = |entity: &&Entity| entity.chains().iter().any(|(id, _)| *id == chain);
            matches!(query.sequences.iter().find(holds), Some(Entity::Ligand(_)))
        };
        let wanted = !is_ligand(&known.chain);
        if let Some((chain, _)) = chains(query).into_iter().find(|(id, _)| is_ligand(id) == wanted) {
            (self.chain, self.residue) = (chain, 1);
        }
    }

    /// Takes an atom as the end at hand; the bond when both are there.
    pub(super) fn take(&mut self, atom: AtomReference) -> Option<CovalentBond> {
        if let Some(place) = self.ends.get_mut(self.end) {
            *place = Some(atom);
        }
        match &self.ends {
            [Some(atom1), Some(atom2)] if atom1 != atom2 => {
                Some(CovalentBond { atom1: atom1.clone(), atom2: atom2.clone() })
            }
            [Some(_), Some(_)] => {
                self.ends[1] = None;
                None
            }
            [Some(_), None] => {
                self.end = 1;
                None
            }
            _ => {
                self.end = 0;
                None
            }
        }
    }
}

/// An atom as people write it.
fn atom_text(atom: &AtomReference) -> String {
    format!("{}:{} {}", atom.chain, atom.residue, atom.atom)
}

/// The chains of the query with their numbers of residues.
fn chains(query: &Query) -> Vec<(String, u32)> {
    let all = query.sequences.iter().flat_map(Entity::chains);
    all.map(|(id, length)| (id.to_owned(), u32::try_from(length).unwrap_or(u32::MAX))).collect()
}

/// What is drawn for a residue of a chain.
fn picture_key(query: &Query, chain: &str, residue: u32) -> Option<LigandKey> {
    let index = (residue as usize).checked_sub(1)?;
    let entity = query.sequences.iter().find(|entity| entity.chains().iter().any(|(id, _)| *id == chain))?;
    let (sequence, modifications) = match entity {
        Entity::Ligand(ligand) => {
            return match &ligand.source {
                LigandSource::Ccd(codes) => Some(LigandKey::Component(codes.get(index)?.clone())),
                source => super::ligands::key_of(source),
            };
        }
        Entity::Protein(polymer) | Entity::Dna(polymer) | Entity::Rna(polymer) => {
            (&polymer.sequence, &polymer.modifications)
        }
        Entity::ProteinPair(pair) if pair.ids2.iter().any(|id| id == chain) => (&pair.sequence2, &pair.modifications2),
        Entity::ProteinPair(pair) => (&pair.sequence1, &pair.modifications1),
    };
    if let Some(modified) = modifications.iter().find(|held| held.index == residue) {
        return Some(LigandKey::Component(modified.ccd.clone()));
    }
    let letter = sequence.chars().nth(index)?;
    places::component_of(letter, entity).map(|code| LigandKey::Component(code.to_owned()))
}

impl Studio {
    pub(super) fn bonds_ui(&mut self, ui: &mut Ui, query: &mut Query) {
        let texts = std::sync::Arc::clone(&self.texts);
        let is_of_use = query.sequences.len() > 1 || !query.bonds.is_empty();
        if !is_of_use {
            self.query_editor.bond = None;
            return;
        }
        section(ui, &texts.get("section-bonds"), |ui| {
            let mut remove = None;
            for (index, bond) in query.bonds.iter().enumerate() {
                ui.horizontal(|ui| {
                    let text = format!("{} – {}", atom_text(&bond.atom1), atom_text(&bond.atom2));
                    ui.label(RichText::new(&text).monospace());
                    ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                        let label = texts.with("bond-remove", [("name", text.into())]);
                        if icon_button(ui, Icon::Cross, &label, true).clicked() {
                            remove = Some(index);
                        }
                    });
                });
            }
            if let Some(index) = remove {
                query.bonds.remove(index);
            }
            if !query.bonds.is_empty() && self.document.settings.engine == EngineName::Docking {
                message(ui, Tone::Info, &texts.get("bond-docking"));
            }
            if self.query_editor.bond.is_none() {
                if ui.button(texts.get("bond-add")).clicked() {
                    self.query_editor.bond = Some(BondDraft::default());
                    self.query_editor.picking = Picking::Bond;
                }
                return;
            }
            self.bond_draft_ui(ui, query);
        });
    }

    fn bond_draft_ui(&mut self, ui: &mut Ui, query: &mut Query) {
        let texts = std::sync::Arc::clone(&self.texts);
        let colours = palette(ui);
        let all = chains(query);
        let Some(mut draft) = self.query_editor.bond.take() else { return };
        let (mut made, mut close) = (None, false);
        let card = theme::card(colours).show(ui, |ui| {
            ui.set_width(ui.available_width());
            ui.horizontal(|ui| {
                let name = |end: usize| match draft.ends.get(end).and_then(Option::as_ref) {
                    Some(atom) => atom_text(atom),
                    None => texts.with("bond-end", [("number", (end + 1).into())]),
                };
                let choices = [(0, name(0)), (1, name(1))];
                segmented(ui, &texts.get("bond-ends"), &mut draft.end, &choices);
                ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                    close = icon_button(ui, Icon::Cross, &texts.get("bond-close"), true).clicked();
                });
            });
            note(ui, &texts.get("bond-pick"));
            if !all.iter().any(|(id, _)| *id == draft.chain) {
                draft.chain = all.first().map(|(id, _)| id.clone()).unwrap_or_default();
                draft.residue = 1;
            }
            let length = all.iter().find(|(id, _)| *id == draft.chain).map_or(1, |(_, length)| (*length).max(1));
            ui.horizontal_wrapped(|ui| {
                let label = ui.label(texts.get("bond-chain"));
                egui::ComboBox::from_id_salt("bond_chain")
                    .selected_text(&draft.chain)
                    .width(64.0)
                    .show_ui(ui, |ui| {
                        for (id, _) in &all {
                            if ui.selectable_label(*id == draft.chain, id).clicked() {
                                draft.chain.clone_from(id);
                                draft.residue = 1;
                            }
                        }
                    })
                    .response
                    .labelled_by(label.id);
                let label = ui.label(texts.get("bond-residue"));
                ui.add(egui::DragValue::new(&mut draft.residue).range(1..=length).speed(0.2)).labelled_by(label.id);
            });
            let Some(key) = picture_key(query, &draft.chain, draft.residue) else {
                note(ui, &texts.get("bond-no-picture"));
                return;
            };
            match self.library.ligand(&self.background, &key) {
                Loaded::Waiting => {
                    ui.spinner();
                }
                Loaded::Failed(reason) => {
                    message(ui, Tone::Bad, &reason);
                }
                Loaded::Ready(picture) => {
                    let names = &picture.names;
                    let name_of = |part: Part| match part {
                        Part::Atom(index) => {
                            let name = names.get(index).cloned().unwrap_or_default();
                            texts.with("bond-atom", [("name", name.into())])
                        }
                        Part::Bond(_) => String::new(),
                    };
                    let chosen: Vec<Part> = draft
                        .ends
                        .iter()
                        .flatten()
                        .filter(|atom| atom.chain == draft.chain && atom.residue == draft.residue)
                        .filter_map(|atom| names.iter().position(|name| *name == atom.atom).map(Part::Atom))
                        .collect();
                    let title = format!("{}:{}", draft.chain, draft.residue);
                    let parts = Parts { name_of: &name_of, with_bonds: false, chosen: &chosen, longest_bond: 34.0 };
                    let name = texts.with("ligand-picture-of", [("name", title.into())]);
                    if let Some(Part::Atom(index)) =
                        pick_in_depiction(ui, &picture.depiction, PICTURE_HEIGHT, &name, &parts)
                        && let Some(name) = names.get(index)
                    {
                        let atom =
                            AtomReference { chain: draft.chain.clone(), residue: draft.residue, atom: name.clone() };
                        made = draft.take(atom);
                        draft.look_for_other_end(query);
                    }
                }
            }
        });
        // The formula comes some frames after the card has opened; until then the panel follows.
        if draft.frames < FOLLOWED {
            card.response.scroll_to_me_animation(Some(Align::Max), egui::style::ScrollAnimation::none());
            draft.frames += 1;
            ui.ctx().request_repaint();
        }
        if let Some(bond) = made {
            add_bond(query, bond);
            close = true;
        }
        if close {
            if self.query_editor.picking == Picking::Bond {
                self.query_editor.picking = Picking::Off;
            }
        } else {
            self.query_editor.bond = Some(draft);
        }
    }

    /// A click in the view while something of the query is picked there. Whether it was taken.
    pub(in super::super) fn pick_for_query(&mut self, object: kfold_viewer::ObjectId, atom: usize) -> bool {
        use super::super::scene::{LIGAND, RECEPTOR, REFERENCE};
        let picking = self.query_editor.picking;
        if picking == Picking::Bond && (object == LIGAND || object == REFERENCE) {
            // Its atoms need not have the names, nor the order, of the query's ligand.
            self.tell(Tone::Info, self.texts.get("pick-in-formula"));
            return true;
        }
        if picking == Picking::Off || object != RECEPTOR {
            return false;
        }
        let Some(topology) = self.viewport.topology_of(object) else { return false };
        if topology.atoms.get(atom).is_none() {
            return false;
        }
        if let Picking::Pocket | Picking::Flexible = picking {
            let residue = topology.residue_of(atom);
            let name = format!("{}:{}", topology.chain_of(residue).id, residue.number_text());
            if picking == Picking::Pocket {
                self.toggle_pocket_residue(name);
            } else {
                super::options::toggle(&mut self.document.settings.docking.flexible, name);
            }
            return true;
        }
        let Some(place) = places::place_of(&self.document.query, topology, atom) else {
            let text = self.texts.get("pick-not-in-query");
            self.tell(Tone::Warning, text);
            return true;
        };
        match picking {
            Picking::Modification => {
                let query = &self.document.query;
                if let Some(draft) = &mut self.query_editor.modification
                    && let Some(index) = query
                        .sequences
                        .iter()
                        .position(|entity| entity.chains().iter().any(|(id, _)| *id == place.chain))
                {
                    draft.entity = index;
                    draft.position = place.residue;
                    draft.is_second = matches!(query.sequences.get(index),
                        Some(Entity::ProteinPair(pair)) if pair.ids2.contains(&place.chain));
                }
            }
            Picking::Bond => {
                if let Some(draft) = &mut self.query_editor.bond {
                    draft.chain.clone_from(&place.chain);
                    draft.residue = place.residue;
                    if let Some(bond) = draft.take(place) {
                        add_bond(&mut self.document.query, bond);
                        self.query_editor.bond = None;
                        self.query_editor.picking = Picking::Off;
                    } else {
                        draft.look_for_other_end(&self.document.query);
                    }
                }
            }
            Picking::Off | Picking::Pocket | Picking::Flexible => {}
        }
        true
    }
}

fn add_bond(query: &mut Query, bond: CovalentBond) {
    let reversed = CovalentBond { atom1: bond.atom2.clone(), atom2: bond.atom1.clone() };
    if !query.bonds.contains(&bond) && !query.bonds.contains(&reversed) {
        query.bonds.push(bond);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn atom(chain: &str, atom: &str) -> AtomReference {
        AtomReference { chain: chain.to_owned(), residue: 1, atom: atom.to_owned() }
    }

    #[test]
    fn after_one_end_the_other_kind_of_chain_is_looked_at() {
        let text = "name: t\nsequences:\n- protein: {id: A, sequence: MKC}\n- ligand: {id: L, smiles: C=CC}\n";
        let query = Query::parse(text, kfold_inference::query::QueryFormat::Yaml, std::path::Path::new(".")).unwrap();
        let mut draft = BondDraft::default();
        assert_eq!(draft.take(AtomReference { residue: 3, ..atom("A", "SG") }), None);
        draft.look_for_other_end(&query);
        assert_eq!((draft.chain.as_str(), draft.residue), ("L", 1));
        let mut draft = BondDraft::default();
        assert_eq!(draft.take(atom("L", "C1")), None);
        draft.look_for_other_end(&query);
        assert_eq!((draft.chain.as_str(), draft.residue), ("A", 1));
    }

    #[test]
    fn two_different_atoms_make_a_bond() {
        let mut draft = BondDraft::default();
        assert_eq!(draft.take(atom("A", "SG")), None);
        assert_eq!(draft.end, 1);
        assert_eq!(draft.take(atom("A", "SG")), None, "an atom is not bonded to itself");
        let bond = draft.take(atom("L", "C1")).unwrap();
        assert_eq!((bond.atom1.atom.as_str(), bond.atom2.atom.as_str()), ("SG", "C1"));
        let mut query = Query::default();
        add_bond(&mut query, bond.clone());
        add_bond(&mut query, CovalentBond { atom1: bond.atom2, atom2: bond.atom1 });
        assert_eq!(query.bonds.len(), 1);
    }
}
