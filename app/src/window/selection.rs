//! Selecting atoms: by typing, by clicking in the view, and what can be done with what is selected.
//!
//! What is selected is always a text in the language of `molecule::selection`, a part of the document. A click writes the
//! text that stands for what was clicked, so typing goes on from there and undo takes it back. What is hidden is a
//! selection too, so it holds for the next model of an ensemble and the next pose.

use std::sync::Arc;

use egui::text::{LayoutJob, TextFormat};
use egui::{RichText, Stroke, TextBuffer, TextEdit, Ui, vec2};
use kfold_molecule::analysis::interactions::Interaction;
use kfold_molecule::selection::SelectionError;
use kfold_molecule::{Selection, Topology};

use super::app::Studio;
use super::command::Command;
use super::measure::Measuring;
use super::region::Tool;
use super::scene::RECEPTOR;
use super::theme::{self, palette};
use super::viewport::Click;
use super::widgets::icon::Icon;
use super::widgets::{Tone, icon_button, icon_choice, message, note};

/// From this width on the strip has room for everything in one row, points.
const WIDE_STRIP: f32 = 1000.0;

/// What a click selects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Grain {
    /// The atom.
    Atom,
    /// Its residue.
    #[default]
    Residue,
    /// Its chain.
    Chain,
    /// What is bonded together with it.
    Molecule,
}

impl Grain {
    /// All in the order of the menu.
    const ALL: [Self; 4] = [Self::Atom, Self::Residue, Self::Chain, Self::Molecule];

    const fn name(self) -> &'static str {
        match self {
            Self::Atom => "grain-atom",
            Self::Residue => "grain-residue",
            Self::Chain => "grain-chain",
            Self::Molecule => "grain-molecule",
        }
    }
}

/// A name in quotes, in which every letter stands for itself.
pub fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// The selection that stands for an atom of a topology, or for what it belongs to.
#[must_use]
pub fn selection_of(topology: &Topology, atom: usize, grain: Grain) -> Option<Selection> {
    let held = topology.atoms.get(atom)?;
    let residue = topology.residues.get(held.residue as usize)?;
    let chain = topology.chains.get(residue.chain as usize)?;
    let mut terms = Vec::new();
    if !chain.id.is_empty() {
        terms.push(format!("chain {}", quoted(&chain.id)));
    }
    // Waters and ligands may have numbers that a residue of the chain has as well.
    if terms.is_empty() || (grain != Grain::Chain && !residue.is_polymer()) {
        terms.push(format!("resn {}", quoted(&residue.name)));
    }
    if grain != Grain::Chain {
        terms.push(format!("resi {}", residue.number_text()));
    }
    if grain == Grain::Atom {
        terms.push(format!("name {}", quoted(&held.name)));
    }
    let text = terms.join(" and ");
    let text = if grain == Grain::Molecule { format!("bymolecule ({text})") } else { text };
    Selection::parse(&text).ok()
}

/// What the field says.
enum Typed {
    Nothing,
    Wrong(SelectionError),
    Understood(Selection),
}

impl Studio {
    fn typed_selection(&self) -> Typed {
        let text = &self.document.selection;
        if text.trim().is_empty() {
            return Typed::Nothing;
        }
        match Selection::parse(text) {
            Ok(selection) if selection.asks_for_selected() => {
                let before = self.selection_before_typing.as_ref();
                Typed::Understood(selection.with_selected(before.unwrap_or(&Selection::none())))
            }
            Ok(selection) => Typed::Understood(selection),
            Err(error) => Typed::Wrong(error),
        }
    }

    /// What is selected, where the field says something that can be understood.
    pub(super) fn selection(&self) -> Option<Selection> {
        match self.typed_selection() {
            Typed::Understood(selection) => Some(selection),
            Typed::Nothing | Typed::Wrong(_) => None,
        }
    }

    /// Selects.
    pub(super) fn select(&mut self, selection: Option<Selection>) {
        self.document.selection = selection.map(|selection| selection.to_string()).unwrap_or_default();
    }

    /// Forgets what was selected, hidden and measured: other molecules are about to be shown.
    pub(super) fn forget_selection(&mut self) {
        self.select(None);
        self.document.view.hidden = None;
        self.document.measurements.clear();
        self.measured.clear();
    }

    /// Selects the receptor's side of an interaction.
    pub(super) fn select_interaction(&mut self, found: &Interaction) {
        let Some(topology) = self.viewport.topology_of(RECEPTOR) else { return };
        let residues = found.receptor_atoms.iter();
        let parts = residues.filter_map(|atom| selection_of(topology, *atom as usize, Grain::Residue));
        let mut parts: Vec<Selection> = parts.collect();
        parts.dedup();
        self.select(parts.into_iter().reduce(Selection::or));
    }

    /// A click in the view: selects what was clicked; with Shift adds it, or takes it out.
    pub(super) fn take_click(&mut self, click: Click) {
        let Some(pick) = click.pick else {
            if !click.with_shift {
                self.select(None);
            }
            return;
        };
        if self.measuring != Measuring::Off {
            self.measure(&pick);
            return;
        }
        if self.pick_for_query(pick.object, pick.atom as usize) {
            return;
        }
        let Some(topology) = self.viewport.topology_of(pick.object) else { return };
        let clicked = selection_of(topology, pick.atom as usize, self.grain);
        let selection = match (self.selection().filter(|_| click.with_shift), clicked) {
            (Some(before), Some(clicked)) if self.viewport.is_selected(&pick) => Some(before.without(clicked)),
            (Some(before), Some(clicked)) => Some(before.or(clicked)),
            (_, clicked) => clicked,
        };
        self.select(selection);
    }

    /// Hides what is selected.
    pub(super) fn hide_selection(&mut self) {
        let Some(selection) = self.selection() else { return };
        let hidden = &mut self.document.view.hidden;
        *hidden = Some(match hidden.take() {
            Some(before) => before.or(selection),
            None => selection,
        });
    }

    /// Hides all else.
    pub(super) fn isolate_selection(&mut self) {
        if let Some(selection) = self.selection() {
            self.document.view.hidden = Some(selection.inverted());
        }
    }

    /// The strip below the toolbar: the field, what it selects, and what can be done with it.
    pub(super) fn selection_ui(&mut self, ui: &mut Ui) {
        let texts = Arc::clone(&self.texts);
        let colours = palette(ui);
        let typed = self.typed_selection();
        let mut command = None;
        // Where there is no room for a row of all, what is rarer stands in a menu.
        let is_narrow = ui.available_width() < WIDE_STRIP;
        ui.horizontal_wrapped(|ui| {
            let rest = if is_narrow { 470.0 } else { 800.0 };
            let width = (ui.available_width() - rest).clamp(150.0, 420.0);
            let response = self.selection_field_ui(ui, width, &typed);
            if let Typed::Wrong(error) = &typed {
                self.selection_error_ui(ui, &response, error);
            }
            self.tools_ui(ui);
            self.grain_ui(ui);
            let has_atoms = matches!(typed, Typed::Understood(_)) && self.viewport.selected().atom_count > 0;
            let label = self.labelled_shortcut(ui, Command::FocusSelection);
            if icon_button(ui, Icon::Focus, &label, has_atoms).clicked() {
                command = Some(Command::FocusSelection);
            }
            if is_narrow {
                let config = egui::containers::menu::MenuConfig::new()
                    .close_behavior(egui::PopupCloseBehavior::CloseOnClickOutside);
                egui::containers::menu::MenuButton::new(texts.get("selection-more")).config(config).ui(ui, |ui| {
                    self.seen_ui(ui, &texts, has_atoms, &mut command);
                    ui.separator();
                    note(ui, &texts.get("measure-name")).on_hover_text(texts.get("measure-hint"));
                    self.measuring_choices_ui(ui);
                    ui.separator();
                    note(ui, &texts.get("labels-name")).on_hover_text(texts.get("labels-hint"));
                    self.label_choices_ui(ui);
                });
            } else {
                self.seen_ui(ui, &texts, has_atoms, &mut command);
                self.measuring_ui(ui);
            }
            if matches!(typed, Typed::Understood(_)) {
                ui.label(RichText::new(self.selected_text()).color(colours.text_muted));
            }
        });
        if let Some(command) = command {
            self.do_command(command, ui.ctx());
        }
    }

    /// What can be done with what is selected.
    fn seen_ui(&self, ui: &mut Ui, texts: &crate::texts::Texts, has_atoms: bool, command: &mut Option<Command>) {
        let has_hidden = self.document.view.hidden.is_some();
        for (key, wanted, enabled) in [
            ("selection-hide", Command::HideSelection, has_atoms),
            ("selection-isolate", Command::IsolateSelection, has_atoms),
            ("selection-show-all", Command::ShowAll, has_hidden),
        ] {
            let button = ui.add_enabled(enabled, egui::Button::new(texts.get(key)));
            let name = self.labelled_shortcut(ui, wanted);
            if button.accessible_name(texts.get(wanted.name())).on_hover_text(name).clicked() {
                *command = Some(wanted);
            }
        }
    }

    /// How much is selected.
    fn selected_text(&self) -> String {
        let selected = self.viewport.selected();
        if selected.atom_count == 0 {
            return self.texts.get("selection-none");
        }
        let counts = [("atoms", selected.atom_count.into()), ("residues", selected.residue_count.into())];
        self.texts.with("selection-count", counts)
    }

    /// What a drag does.
    fn tools_ui(&mut self, ui: &mut Ui) {
        let texts = Arc::clone(&self.texts);
        ui.spacing_mut().item_spacing.x = 4.0;
        for tool in Tool::ALL {
            let name = texts.get(tool.name());
            let keys = self.shortcut_text(ui, Command::Tool(tool));
            let hint = match tool {
                Tool::Turn => texts.get("tool-turn-hint"),
                Tool::Box | Tool::Lasso => texts.with("tool-select-hint", [("name", name.clone().into())]),
            };
            let hint = if keys.is_empty() { hint } else { format!("{hint} ({keys})") };
            if icon_choice(ui, tool.icon(), &name, self.viewport.tool == tool).on_hover_text(hint).clicked() {
                self.viewport.tool = tool;
            }
        }
    }

    fn grain_ui(&mut self, ui: &mut Ui) {
        let texts = &self.texts;
        egui::ComboBox::from_id_salt("grain")
            .selected_text(texts.get(self.grain.name()))
            .width(84.0)
            .show_ui(ui, |ui| {
                for grain in Grain::ALL {
                    ui.selectable_value(&mut self.grain, grain, texts.get(grain.name()));
                }
            })
            .response
            .accessible_name(texts.get("selection-grain"))
            .on_hover_text(texts.get("selection-grain"));
    }

    /// The field; what stands at a mistake and behind it is underlined.
    fn selection_field_ui(&mut self, ui: &mut Ui, width: f32, typed: &Typed) -> egui::Response {
        let colours = palette(ui);
        let wrong_from = match typed {
            Typed::Wrong(error) => Some(error.column.saturating_sub(1)),
            Typed::Nothing | Typed::Understood(_) => None,
        };
        let mut layouter = |ui: &Ui, buffer: &dyn TextBuffer, _: f32| {
            let text = buffer.as_str();
            let font = egui::TextStyle::Body.resolve(ui.style());
            let split = wrong_from.map_or(text.len(), |from| {
                // At the very end there is nothing to underline but the last letter.
                let last = text.chars().count().saturating_sub(1);
                text.char_indices().nth(from.min(last)).map_or(0, |(place, _)| place)
            });
            let plain = TextFormat { font_id: font, color: colours.text, ..TextFormat::default() };
            let mut job = LayoutJob { break_on_newline: false, keep_trailing_whitespace: true, ..LayoutJob::default() };
            job.append(&text[..split], 0.0, plain.clone());
            job.append(
                &text[split..],
                0.0,
                TextFormat { color: colours.bad, underline: Stroke::new(1.5, colours.bad), ..plain },
            );
            ui.fonts_mut(|fonts| fonts.layout_job(job))
        };
        let before = self.document.selection.clone();
        let edit = TextEdit::singleline(&mut self.document.selection)
            .id(field_id())
            .desired_width(width)
            .hint_text(self.texts.get("selection-hint"))
            .char_limit(LONGEST_TEXT)
            .layouter(&mut layouter);
        let response = ui.add(edit).accessible_name(self.texts.get("selection-field"));
        if response.gained_focus() {
            // `sel` in what is typed now means what was selected till now.
            self.selection_before_typing = Selection::parse(&before).ok().filter(|held| !held.asks_for_selected());
        }
        if response.lost_focus()
            && let Typed::Understood(selection) = typed
            && Selection::parse(&self.document.selection).is_ok_and(|held| held.asks_for_selected())
        {
            self.select(Some(selection.clone()));
        }
        response
    }

    /// Below the field, over the view: where the mistake is, what could stand there, and what was probably meant.
    fn selection_error_ui(&self, ui: &Ui, field: &egui::Response, error: &SelectionError) {
        let values = [
            ("column", error.column.into()),
            ("what", error.what.clone().into()),
            ("expected", error.expected.clone().into()),
        ];
        let mut text = self.texts.with("selection-wrong", values);
        if let Some(word) = &error.suggestion {
            text.push(' ');
            text.push_str(&self.texts.with("selection-suggestion", [("word", word.clone().into())]));
        }
        let colours = palette(ui);
        egui::Area::new(egui::Id::unique("selection error"))
            .order(egui::Order::Foreground)
            .fixed_pos(field.rect.left_bottom() + vec2(0.0, 5.0))
            .show(ui.ctx(), |ui| {
                theme::card(colours).show(ui, |ui| {
                    ui.set_max_width(field.rect.width().clamp(320.0, 520.0));
                    message(ui, Tone::Bad, &text);
                });
            });
    }
}

/// Letters that the field takes: as long a text is read in no time, and nobody types more.
const LONGEST_TEXT: usize = 4000;

/// Identifies the field, so that a command can go there.
pub fn field_id() -> egui::Id {
    egui::Id::unique("selection field")
}

#[cfg(test)]
mod tests {
    use kfold_molecule::formats::pdb;

    use super::*;

    #[test]
    fn what_was_clicked_is_selected_by_its_text() {
        let text = "\
ATOM      1  CA  SER A  -1       0.000   0.000   0.000
ATOM      2  CA  GLY A  52A      4.000   0.000   0.000
HETATM    3  O5* LIG A  52A     30.000   0.000   0.000
HETATM    4  O   HOH B 301      40.000   0.000   0.000
HETATM    5  C1  UNL     1      50.000   0.000   0.000
";
        let structure = pdb::read(text.as_bytes()).unwrap();
        let model = structure.first().unwrap();
        for atom in 0..5 {
            let select = |grain| {
                let selection = selection_of(&model.topology, atom, grain).unwrap();
                selection.select(model).iter().map(|atom| model.topology.atoms[atom].serial).collect::<Vec<i32>>()
            };
            let serial = model.topology.atoms[atom].serial;
            for grain in [Grain::Atom, Grain::Residue, Grain::Molecule] {
                let found = select(grain);
                assert!(found.contains(&serial), "{grain:?} {serial} {found:?}");
                assert!(grain != Grain::Atom || found.len() == 1, "{serial} {found:?}");
            }
            let chain = if serial <= 3 { vec![1, 2, 3] } else { vec![serial] };
            assert_eq!(select(Grain::Chain), chain);
        }
        assert_eq!(selection_of(&model.topology, 1, Grain::Residue).unwrap().to_string(), "chain A and resi 52A");
        assert!(selection_of(&model.topology, 99, Grain::Atom).is_none());
    }
}
