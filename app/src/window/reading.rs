//! Reading one result: the samples at a glance, confidence along the sequence and between pairs of tokens, the ligand's site on
//! paper, and how far to trust an affinity. Everything is linked with the view both ways through the selection.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use egui::{Color32, RichText, Role, Sense, Stroke, Ui, WidgetInfo, pos2, vec2};
use kfold_inference::job::{ConfidenceArrays, token_atoms};
use kfold_molecule::analysis::interactions::{Interaction, InteractionKind};
use kfold_molecule::analysis::secondary_structure::{self, SecondaryStructure};
use kfold_molecule::chemistry::depict;
use kfold_molecule::{Model, Selection, SmallMolecule, Structure, Topology};
use kfold_viewer::{CIVIDIS, Color, plddt_color};

use super::app::Studio;
use super::background::Loaded;
use super::derived::{Derived, Same};
use super::dialogs::ExportKind;
use super::document::ColourBy;
use super::format::number;
use super::numbers::{Numbers, cell};
use super::outcome::{Complex, Outcome};
use super::results_panel::interaction_key;
use super::scene::RECEPTOR;
use super::selection::{Grain, selection_of};
use super::theme::{GAP, palette};
use super::widgets::error_map::{MapWords, error_map};
use super::widgets::plot::{Axis, Line, line_plot_on};
use super::widgets::sequence::{StripWords, sequence_strip};
use super::widgets::{Tone, message, note, paint, section, segmented};
use crate::drawing::diagram::{Diagram, diagram};
use crate::drawing::pair_errors::{LARGEST_ERROR, PairErrors, TokenBox};
use crate::texts::Texts;

/// Typical error of a predicted pK: root mean square errors of 0.8 to 1.6 were measured (docs/benchmarks.md, Affinity).
pub const TYPICAL_PK_ERROR: f32 = 1.5;

/// Which map of errors is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MapKind {
    /// Predicted aligned error.
    #[default]
    Aligned,
    /// Predicted distance error.
    Distance,
}

/// The maps of a sample.
pub struct Maps {
    /// Aligned errors.
    pub aligned: PairErrors,
    /// Errors of distances.
    pub distance: PairErrors,
    /// Atoms of each token.
    pub tokens: Vec<Range<u32>>,
}

impl Maps {
    /// Reads the arrays of a complex.
    ///
    /// # Errors
    /// When they cannot be read or are of another complex.
    pub fn read(path: &std::path::Path, model: &Model) -> Result<Self, String> {
        let arrays = ConfidenceArrays::read(path).map_err(|error| error.to_string())?;
        let tokens = token_atoms(&model.topology);
        if tokens.len() != arrays.tokens {
            return Err(format!(
                "{} is of {} tokens, but the structure beside it has {}: are they of one sample?",
                path.display(),
                arrays.tokens,
                tokens.len()
            ));
        }
        let chain = |token: &Range<u32>| model.topology.residue_of(token.start as usize).chain;
        let starts = tokens.windows(2).enumerate().filter(|(_, pair)| chain(&pair[0]) != chain(&pair[1]));
        let chain_starts: Vec<usize> = starts.map(|(index, _)| index + 1).collect();
        let map = |values| PairErrors {
            tokens: arrays.tokens,
            values: Arc::new(values),
            highest: LARGEST_ERROR,
            chain_starts: chain_starts.clone(),
        };
        Ok(Self { aligned: map(arrays.pae), distance: map(arrays.pde), tokens })
    }

    /// The map of a kind.
    #[must_use]
    pub const fn of(&self, kind: MapKind) -> &PairErrors {
        match kind {
            MapKind::Aligned => &self.aligned,
            MapKind::Distance => &self.distance,
        }
    }
}

type ModelKey = (Same<Structure>, usize);

/// What is read out of results, and what of it is looked at.
pub struct Reading {
    pub(super) maps: Derived<PathBuf, Maps>,
    pub(super) structures: Derived<ModelKey, Vec<SecondaryStructure>>,
    pub(super) diagrams: Derived<(Same<Vec<Interaction>>, crate::texts::Language), Diagram>,
    /// Which map is shown.
    pub(super) map: MapKind,
    /// The box on it, and of which sample.
    pub(super) token_box: Option<(PathBuf, TokenBox)>,
    /// What the box selected: another selection takes it away.
    pub(super) box_selection: String,
    /// Which ligand of a complex.
    pub(super) ligand: usize,
}

impl Default for Reading {
    fn default() -> Self {
        Self {
            maps: Derived::new(4),
            structures: Derived::new(8),
            diagrams: Derived::new(24),
            map: MapKind::default(),
            token_box: None,
            box_selection: String::new(),
            ligand: 0,
        }
    }
}

/// The selection that stands for atoms of a topology: whole residues by their numbers, single atoms by their names.
#[must_use]
pub fn selection_of_atoms(topology: &Topology, atoms: impl IntoIterator<Item = u32>) -> Option<Selection> {
    let mut of_residues: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for atom in atoms {
        if let Some(held) = topology.atoms.get(atom as usize) {
            of_residues.entry(held.residue).or_default().push(atom);
        }
    }
    let mut whole: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    let mut terms: Vec<Selection> = Vec::new();
    for (index, atoms) in of_residues {
        let Some(residue) = topology.residues.get(index as usize) else { continue };
        if atoms.len() < residue.atoms.len() {
            terms.extend(atoms.iter().filter_map(|atom| selection_of(topology, *atom as usize, Grain::Atom)));
        } else if residue.is_polymer() {
            whole.entry(residue.chain).or_default().push(index);
        } else {
            terms.extend(selection_of(topology, residue.atoms.start as usize, Grain::Residue));
        }
    }
    for (chain, residues) in whole {
        let Some(chain) = topology.chains.get(chain as usize) else { continue };
        let quoted = chain.id.replace('\\', "\\\\").replace('"', "\\\"");
        let numbers = number_ranges(topology, &residues);
        let text = if chain.id.is_empty() {
            format!("polymer and resi {numbers}")
        } else {
            format!("chain \"{quoted}\" and polymer and resi {numbers}")
        };
        terms.extend(Selection::parse(&text).ok());
    }
    terms.into_iter().reduce(Selection::or)
}

/// `10-25+30+52A` for residues of one chain in order.
fn number_ranges(topology: &Topology, residues: &[u32]) -> String {
    let mut parts: Vec<(u32, u32)> = Vec::new();
    let follows = |last: u32, next: u32| {
        let [last, next] = [last, next].map(|index| &topology.residues[index as usize]);
        let plain = last.insertion_code.is_none() && next.insertion_code.is_none();
        plain && next.number == last.number + 1
    };
    for &index in residues {
        match parts.last_mut() {
            Some((_, last)) if index == *last + 1 && follows(*last, index) => *last = index,
            _ => parts.push((index, index)),
        }
    }
    let text = |index: u32| topology.residues[index as usize].number_text();
    let part = |(first, last): &(u32, u32)| {
        if first == last { text(*first) } else { format!("{}-{}", text(*first), text(*last)) }
    };
    parts.iter().map(part).collect::<Vec<_>>().join("+")
}

/// A residue as people write it: `A 45 GLY`.
#[must_use]
pub fn residue_text(topology: &Topology, residue: usize) -> String {
    let found = topology.residues.get(residue).and_then(|residue| {
        let chain = topology.chains.get(residue.chain as usize)?;
        Some(format!("{} {} {}", chain.id, residue.number_text(), residue.name))
    });
    found.unwrap_or_default()
}

/// A token as people write it: a residue, or an atom of one.
fn token_text(topology: &Topology, tokens: &[Range<u32>], token: usize) -> String {
    let found = tokens.get(token).and_then(|atoms| {
        let atom = topology.atoms.get(atoms.start as usize)?;
        let residue = residue_text(topology, atom.residue as usize);
        let is_whole = topology.residues.get(atom.residue as usize)?.atoms == *atoms;
        Some(if is_whole { residue } else { format!("{residue} {}", atom.name) })
    });
    found.unwrap_or_default()
}

/// Mean of the B-factor column (pLDDT of predictions) over each residue's atoms.
#[must_use]
pub fn residue_means(model: &Model) -> Vec<f32> {
    let mean = |residue: &kfold_molecule::Residue| {
        let atoms = model.topology.atom_range(residue);
        let values = model.b_factors.get(atoms.clone()).unwrap_or_default();
        if values.is_empty() { f32::NAN } else { values.iter().sum::<f32>() / values.len() as f32 }
    };
    model.topology.residues.iter().map(mean).collect()
}

fn screen(color: Color) -> Color32 {
    Color32::from_rgb(color.r, color.g, color.b)
}

impl Studio {
    /// Atoms of the receptor that are selected, one flag each.
    fn selected_atoms(&self, topology: &Topology) -> Vec<bool> {
        let mut flags = vec![false; topology.atoms.len()];
        for (object, atoms) in &self.viewport.selected().atoms {
            if *object == RECEPTOR {
                for atom in atoms.indices(topology) {
                    if let Some(flag) = flags.get_mut(atom as usize) {
                        *flag = true;
                    }
                }
            }
        }
        flags
    }

    /// Samples of all seeds as a grid, the ranking score as a colour.
    pub(super) fn samples_grid_ui(&mut self, ui: &mut Ui, texts: &Texts, outcome: &Outcome) {
        if outcome.complexes.len() < 2 {
            return;
        }
        // Of a series, the samples of the ligand that is shown.
        let shown = outcome.complexes.get(self.shown_pose).and_then(|complex| complex.ligand.as_deref());
        let is_of_it = |complex: &&Complex| complex.ligand.as_deref() == shown;
        let mut seeds: Vec<u64> = outcome.complexes.iter().filter(is_of_it).map(|complex| complex.seed).collect();
        seeds.sort_unstable();
        seeds.dedup();
        let columns = outcome.complexes.iter().filter(is_of_it).map(|complex| complex.sample + 1).max().unwrap_or(1);
        let score = |complex: &Complex| complex.confidence.complex.ranking_score as f32;
        let scores = || outcome.complexes.iter().filter(is_of_it).map(score);
        let (low, high) = (scores().fold(f32::INFINITY, f32::min), scores().fold(f32::NEG_INFINITY, f32::max));
        section(ui, &texts.get("section-samples-grid"), |ui| {
            let colours = palette(ui);
            let width = ((ui.available_width() - 64.0) / columns as f32).clamp(26.0, 64.0);
            egui::ScrollArea::both().id_salt("samples grid").max_height(220.0).show(ui, |ui| {
                ui.spacing_mut().item_spacing = vec2(2.0, 2.0);
                for seed in seeds {
                    ui.horizontal(|ui| {
                        let name = texts.with("grid-seed", [("seed", seed.to_string().into())]);
                        let text = RichText::new(name).small().color(colours.text_muted);
                        ui.add_sized(vec2(56.0, 22.0), egui::Label::new(text).truncate());
                        for sample in 0..columns {
                            let place = outcome.complexes.iter().position(|complex| {
                                is_of_it(&complex) && complex.seed == seed && complex.sample == sample
                            });
                            let (rect, response) = ui.allocate_exact_size(vec2(width, 22.0), Sense::click());
                            let Some((rank, complex)) = place.and_then(|at| Some((at, outcome.complexes.get(at)?)))
                            else {
                                continue;
                            };
                            let share = if high > low { (score(complex) - low) / (high - low) } else { 1.0 };
                            let ground = Color::ramp(&CIVIDIS, share);
                            let is_shown = self.shown_pose == rank;
                            let sentence = texts.with(
                                "grid-cell",
                                [
                                    ("seed", seed.to_string().into()),
                                    ("sample", sample.into()),
                                    ("rank", (rank + 1).into()),
                                    ("score", number(score(complex), 3).into()),
                                ],
                            );
                            response.widget_info(|| WidgetInfo::selected(Role::Button, true, is_shown, &sentence));
                            ui.painter().rect_filled(rect, 3.0, screen(ground));
                            let ink = if share > 0.55 { Color32::from_gray(20) } else { Color32::WHITE };
                            let font = egui::TextStyle::Small.resolve(ui.style());
                            let text = if width > 36.0 { number(score(complex), 2) } else { (rank + 1).to_string() };
                            ui.painter().text(rect.center(), egui::Align2::CENTER_CENTER, text, font, ink);
                            if is_shown || response.has_focus() {
                                let stroke = Stroke::new(2.5, if is_shown { colours.text } else { colours.accent });
                                ui.painter().rect_stroke(rect, 3.0, stroke, egui::StrokeKind::Inside);
                            }
                            if response.on_hover_text(&sentence).clicked() {
                                self.shown_pose = rank;
                            }
                        }
                    });
                }
            });
            note(ui, &texts.get("grid-note"));
        });
    }

    /// Whether there is a prediction with its confidence.
    pub(super) fn has_confidence(&self) -> bool {
        self.shown_complex().is_some()
    }

    /// Whether there is a structure in the view.
    pub(super) fn has_sequence(&self) -> bool {
        self.shown_structure().is_some()
    }

    /// The pane of confidence.
    pub(super) fn confidence_panel_ui(&mut self, ui: &mut Ui) {
        let texts = Arc::clone(&self.texts);
        let Some(complex) = self.shown_complex().cloned() else { return };
        egui::ScrollArea::vertical().id_salt("confidence").auto_shrink([false, false]).show(ui, |ui| {
            egui::Frame::new().inner_margin(egui::Margin::symmetric(12, 6)).show(ui, |ui| {
                self.confidence_ui(ui, &texts, &complex);
            });
        });
    }

    /// The pane of sequences.
    pub(super) fn sequence_panel_ui(&mut self, ui: &mut Ui) {
        let texts = Arc::clone(&self.texts);
        let Some((structure, shown)) = self.shown_structure() else { return };
        egui::Frame::new().inner_margin(egui::Margin::symmetric(8, 4)).show(ui, |ui| {
            let height = ui.available_height();
            self.sequence_ui(ui, &texts, &structure, shown, height);
        });
    }

    /// pLDDT along the sequence, and the map of errors.
    fn confidence_ui(&mut self, ui: &mut Ui, texts: &Texts, complex: &Complex) {
        let Some(model) = complex.structure.first() else { return };
        let topology = Arc::clone(&model.topology);
        let means = residue_means(model);
        section(ui, &texts.get("section-plddt"), |ui| {
            let colours = palette(ui);
            let polymer: Vec<usize> = (0..means.len()).filter(|index| topology.residues[*index].is_polymer()).collect();
            let values: Vec<f32> = polymer.iter().map(|index| means[*index]).collect();
            let name = texts.get("plddt-axis");
            let lines = [Line { name: &name, values: &values, colour: colours.accent }];
            let place = |index: usize| polymer.get(index).map(|at| residue_text(&topology, *at)).unwrap_or_default();
            let band = |from: f32, to: f32| (from, to, screen(plddt_color((from + to) * 0.5)));
            let axis = Axis {
                top: Some(100.0),
                bands: &[band(0.0, 50.0), band(50.0, 70.0), band(70.0, 90.0), band(90.0, 100.0)],
            };
            let clicked = line_plot_on(ui, &name, 128.0, &axis, &lines, place);
            self.save_numbers_ui(ui, texts, &name, || {
                let rows = polymer.iter().map(|at| vec![residue_text(&topology, *at), cell(means[*at])]);
                Numbers::new("plddt", &["residue", "plddt"], rows)
            });
            if let Some(index) = clicked
                && let Some(residue) = polymer.get(index)
            {
                self.choose_residues(&topology, &[*residue], true);
            }
        });
        let title = texts.get("section-errors");
        section(ui, &title, |ui| self.errors_ui(ui, texts, complex, &topology));
    }

    /// The sequences of a structure, linked with the view.
    pub(super) fn sequence_ui(
        &mut self,
        ui: &mut Ui,
        texts: &Texts,
        structure: &Arc<Structure>,
        shown: usize,
        height: f32,
    ) {
        let Some(model) = structure.models.get(shown) else { return };
        let topology = Arc::clone(&model.topology);
        let held = Arc::clone(structure);
        let key = (Same(Arc::clone(structure)), shown);
        let assigned = self.derive(
            |studio| &mut studio.reading.structures,
            &key,
            move || held.models.get(shown).map(secondary_structure::assign).ok_or_else(String::new),
        );
        let empty = Arc::new(Vec::new());
        let assigned = assigned.ready().unwrap_or(&empty);
        let atoms = self.selected_atoms(&topology);
        let is_selected = |residue: &kfold_molecule::Residue| topology.atoms_of(residue).any(|atom| atoms[atom]);
        let selected: Vec<bool> = topology.residues.iter().map(is_selected).collect();
        let has_plddt = self.shown_complex().is_some()
            || matches!(self.document.view.colour, ColourBy::Plddt | ColourBy::PlddtScale);
        let means = if has_plddt { residue_means(model) } else { Vec::new() };
        let row = |chain: &str, first: &str, last: &str| {
            let values = [("chain", chain.to_owned()), ("first", first.to_owned()), ("last", last.to_owned())];
            texts.with("sequence-row", values.map(|(key, value)| (key, value.into())))
        };
        let residue = |index: usize| {
            let text = residue_text(&topology, index);
            match means.get(index).filter(|value| value.is_finite()) {
                Some(value) => format!("{text}\npLDDT {}", number(*value, 1)),
                None => text,
            }
        };
        let words = StripWords { row: &row, residue: &residue };
        let colour = |index: usize| means.get(index).map(|value| screen(plddt_color(*value)));
        let answer = sequence_strip(ui, &topology, assigned, &selected, height, colour, &words);
        if let Some(residues) = answer.chosen {
            self.choose_residues(&topology, &residues, false);
        }
        if let Some(residue) = answer.focused {
            self.choose_residues(&topology, &[residue], true);
        }
    }

    /// Selects residues, and goes there.
    pub(super) fn choose_residues(&mut self, topology: &Topology, residues: &[usize], is_focused: bool) {
        let atoms = residues.iter().filter_map(|index| topology.residues.get(*index));
        let atoms: Vec<u32> = atoms.flat_map(|residue| residue.atoms.clone()).collect();
        let middle = atoms.get(atoms.len() / 2).copied();
        self.select(selection_of_atoms(topology, atoms));
        if let Some(place) = middle.filter(|_| is_focused).and_then(|atom| self.viewport.position(RECEPTOR, atom)) {
            self.viewport.focus_on(place, 10.0);
        }
    }

    fn errors_ui(&mut self, ui: &mut Ui, texts: &Texts, complex: &Complex, topology: &Arc<Topology>) {
        let Some(path) = complex.arrays.clone() else {
            note(ui, &texts.get("errors-none"));
            return;
        };
        let (file, structure) = (path.clone(), Arc::clone(&complex.structure));
        let maps = self.derive(
            |studio| &mut studio.reading.maps,
            &path,
            move || Maps::read(&file, structure.first().ok_or("there are no atoms")?),
        );
        let Some(maps) = maps.or_say(ui, Tone::Bad) else { return };
        let choices = [(MapKind::Aligned, texts.get("errors-pae")), (MapKind::Distance, texts.get("errors-pde"))];
        segmented(ui, &texts.get("section-errors"), &mut self.reading.map, &choices);
        let errors = maps.of(self.reading.map);
        let atoms = self.selected_atoms(topology);
        let is_marked = |token: &Range<u32>| token.clone().any(|atom| atoms[atom as usize]);
        let marked: Vec<bool> = maps.tokens.iter().map(is_marked).collect();
        let (aligned, scored) = match self.reading.map {
            MapKind::Aligned => (texts.get("errors-aligned-on"), texts.get("errors-scored")),
            MapKind::Distance => (texts.get("errors-first"), texts.get("errors-second")),
        };
        let name = texts.get(match self.reading.map {
            MapKind::Aligned => "errors-map-pae",
            MapKind::Distance => "errors-map-pde",
        });
        let words = MapWords { name: &name, aligned_on: &aligned, scored: &scored };
        if self.document.selection != self.reading.box_selection {
            self.reading.token_box = None;
        }
        let chosen = self.reading.token_box.as_ref().filter(|(held, _)| *held == path).map(|(_, area)| area.clone());
        let place = |token: usize| token_text(topology, &maps.tokens, token);
        if let Some(change) = error_map(ui, &words, errors, chosen.as_ref(), &marked, place) {
            let tokens = change.iter().flat_map(|area| area.aligned_on.clone().chain(area.scored.clone()));
            let atoms: Vec<u32> = tokens.filter_map(|token| maps.tokens.get(token).cloned()).flatten().collect();
            self.select(selection_of_atoms(topology, atoms));
            self.reading.token_box = change.map(|area| (path.clone(), area));
            self.reading.box_selection.clone_from(&self.document.selection);
        }
        match self.reading.token_box.as_ref().filter(|(held, _)| *held == path) {
            Some((_, area)) => {
                let span =
                    |range: &Range<usize>| format!("{} – {}", place(range.start), place(range.end.saturating_sub(1)));
                let text = texts.with(
                    "errors-box",
                    [
                        ("aligned", span(&area.aligned_on).into()),
                        ("scored", span(&area.scored).into()),
                        ("mean", number(errors.mean(area).unwrap_or(f32::NAN), 1).into()),
                    ],
                );
                ui.add(egui::Label::new(text).wrap());
            }
            None => {
                note(ui, &texts.get("errors-hint"));
            }
        }
        ui.horizontal(|ui| {
            for (key, kind) in [("errors-save-png", ExportKind::MapPng), ("errors-save-csv", ExportKind::MapCsv)] {
                if ui.button(texts.get(key)).clicked() {
                    self.ask_for_export(kind);
                }
            }
        });
    }

    /// The interaction diagram of a ligand's site.
    pub(super) fn site_ui(
        &mut self,
        ui: &mut Ui,
        texts: &Texts,
        molecule: &Arc<SmallMolecule>,
        interactions: &Arc<Vec<Interaction>>,
    ) {
        let made = self.site_diagram(molecule, interactions);
        section(ui, &texts.get("section-site"), |ui| match &made {
            Loaded::Waiting => {
                ui.spinner();
            }
            Loaded::Failed(reason) => {
                message(ui, Tone::Warning, reason);
            }
            Loaded::Ready(made) => {
                if let Some(found) = site_picture_ui(ui, texts, made, interactions) {
                    self.focus_interaction(&found);
                }
                ui.horizontal(|ui| {
                    for (key, kind) in
                        [("site-save-svg", ExportKind::DiagramSvg), ("site-save-png", ExportKind::DiagramPng)]
                    {
                        if ui.button(texts.get(key)).clicked() {
                            self.ask_for_export(kind);
                        }
                    }
                });
            }
        });
    }

    /// The diagram, made in the background.
    pub(super) fn site_diagram(
        &mut self,
        molecule: &Arc<SmallMolecule>,
        interactions: &Arc<Vec<Interaction>>,
    ) -> Loaded<Diagram> {
        let texts = Arc::clone(&self.texts);
        let key = (Same(Arc::clone(interactions)), texts.language());
        let (molecule, interactions) = (Arc::clone(molecule), Arc::clone(interactions));
        self.derive(|studio| &mut studio.reading.diagrams, &key, move || site_diagram(&texts, &molecule, &interactions))
    }
}

/// The diagram of a ligand's site in a language.
///
/// # Errors
/// When the ligand cannot be drawn.
pub fn site_diagram(texts: &Texts, molecule: &SmallMolecule, interactions: &[Interaction]) -> Result<Diagram, String> {
    let depiction = depict::layout(molecule).map_err(|error| error.to_string())?;
    let name = |kind: InteractionKind| texts.get(interaction_key(kind));
    let description = texts.with("site-description", [("count", interactions.len().into())]);
    Ok(diagram(molecule, &depiction, interactions, name, description))
}

/// Shows the diagram; returns the interaction of the residue that was clicked.
fn site_picture_ui(ui: &mut Ui, texts: &Texts, made: &Diagram, interactions: &[Interaction]) -> Option<Interaction> {
    let colours = palette(ui);
    let (response, area, scale) = paint::drawing(ui, &made.drawing, 460.0, Sense::hover());
    let mut chosen = None;
    for (index, contact) in made.contacts.iter().enumerate() {
        let at = |point: glam::Vec2| pos2(area.left() + point.x * scale, area.top() + point.y * scale);
        let rect = egui::Rect::from_min_max(at(contact.low), at(contact.high));
        let own = ui.interact(rect, response.id.with(index), Sense::click());
        let found = || contact.interactions.iter().filter_map(|index| interactions.get(*index));
        let parts: Vec<String> = found()
            .map(|found| format!("{} {} Å", texts.get(interaction_key(found.kind)), number(found.distance, 2)))
            .collect();
        let sentence = format!("{}: {}", contact.residue, parts.join(", "));
        own.widget_info(|| WidgetInfo::labeled(Role::Button, true, &sentence));
        if own.hovered() || own.has_focus() {
            let stroke = Stroke::new(2.0, colours.accent);
            ui.painter().rect_stroke(rect.expand(2.0), 9.0 * scale, stroke, egui::StrokeKind::Outside);
        }
        if own.on_hover_text(&sentence).clicked() {
            // All of the residue's lines lead to it; the atoms of all are selected.
            let mut whole = found().next().cloned();
            if let Some(whole) = &mut whole {
                whole.receptor_atoms = found().flat_map(|found| found.receptor_atoms.iter().copied()).collect();
            }
            chosen = whole;
        }
    }
    chosen
}

/// A pK as a concentration with a unit that fits: `79 nM`.
#[must_use]
pub fn concentration_text(pk: f32) -> String {
    let molar = 10_f64.powf(-f64::from(pk));
    let (value, unit) = match molar {
        molar if molar >= 1e-1 => (molar, "M"),
        molar if molar >= 1e-3 => (molar * 1e3, "mM"),
        molar if molar >= 1e-6 => (molar * 1e6, "µM"),
        molar if molar >= 1e-9 => (molar * 1e9, "nM"),
        molar => (molar * 1e12, "pM"),
    };
    let digits = if value < 10.0 { 1 } else { 0 };
    format!("{} {unit}", number(value as f32, digits))
}

/// A predicted affinity with its unit, its spread and how far to trust it. It is never called a dissociation constant.
pub fn affinity_ui(ui: &mut Ui, texts: &Texts, pk: f32, spread: Option<f32>) {
    let value = match spread {
        Some(spread) => format!("{} ± {}", number(pk, 1), number(spread, 1)),
        None => number(pk, 1),
    };
    let error = spread.unwrap_or(0.0).max(TYPICAL_PK_ERROR);
    let text = texts.with(
        "affinity-text",
        [
            ("value", value.into()),
            ("middle", concentration_text(pk).into()),
            ("error", number(error, 1).into()),
            ("strong", concentration_text(pk + error).into()),
            ("weak", concentration_text(pk - error).into()),
        ],
    );
    ui.add(egui::Label::new(text).wrap());
    ui.add_space(GAP * 0.5);
}

/// What K-Fold's affinity head said, with the spread over seeds.
pub fn affinities_ui(ui: &mut Ui, texts: &Texts, outcome: &Outcome) {
    if outcome.affinities.is_empty() {
        return;
    }
    let values: Vec<f32> = outcome.affinities.iter().map(|(_, found)| found.p_activity).collect();
    let (mean, spread) = mean_and_spread(&values);
    section(ui, &texts.get("section-affinity"), |ui| {
        affinity_ui(ui, texts, mean, spread);
        note(ui, &texts.with("affinity-head-note", [("count", values.len().into())]));
    });
}

/// Mean, and the standard deviation of a sample where there are at least two values.
#[must_use]
pub fn mean_and_spread(values: &[f32]) -> (f32, Option<f32>) {
    let count = values.len() as f32;
    let mean = values.iter().sum::<f32>() / count.max(1.0);
    let square = values.iter().map(|value| (value - mean).powi(2)).sum::<f32>();
    (mean, (values.len() > 1).then(|| (square / (count - 1.0)).sqrt()))
}

#[cfg(test)]
mod tests {
    use kfold_molecule::formats::pdb;

    use super::*;

    const TEXT: &str = "\
ATOM      1  N   SER A  -1       0.000   0.000   0.000  1.00 10.00           N
ATOM      2  CA  SER A  -1       1.500   0.000   0.000  1.00 20.00           C
ATOM      3  CA  GLY A   0       4.000   0.000   0.000  1.00 90.00           C
ATOM      4  CA  GLY A  52A      8.000   0.000   0.000  1.00 70.00           C
HETATM    5  C1  LIG B   1      30.000   0.000   0.000  1.00 50.00           C
HETATM    6  C2  LIG B   1      31.500   0.000   0.000  1.00 50.00           C
";

    #[test]
    fn atoms_become_the_shortest_selection_that_selects_them_again() {
        let structure = pdb::read(TEXT.as_bytes()).unwrap();
        let model = structure.first().unwrap();
        for atoms in [vec![0, 1, 2], vec![3], vec![4], vec![4, 5], vec![1], vec![0, 1, 2, 3, 4, 5]] {
            let selection = selection_of_atoms(&model.topology, atoms.iter().copied()).unwrap();
            let found: Vec<u32> = selection.select(model).iter().map(|atom| atom as u32).collect();
            assert_eq!(found, atoms, "{selection}");
        }
        let text = selection_of_atoms(&model.topology, [0, 1, 2]).unwrap().to_string();
        assert!(text.contains("-1-0"), "{text}");
        assert!(selection_of_atoms(&model.topology, []).is_none());
    }

    #[test]
    fn confidence_of_a_residue_is_the_mean_of_its_atoms() {
        let structure = pdb::read(TEXT.as_bytes()).unwrap();
        assert_eq!(residue_means(structure.first().unwrap()), [15.0, 90.0, 70.0, 50.0]);
    }

    #[test]
    fn concentrations_have_a_unit_that_fits() {
        assert_eq!(concentration_text(7.1), "79 nM");
        assert_eq!(concentration_text(9.0), "1.0 nM");
        assert_eq!(concentration_text(4.0), "100 µM");
        assert_eq!(concentration_text(2.5), "3.2 mM");
        assert_eq!(mean_and_spread(&[1.0, 3.0]), (2.0, Some(2.0_f32.sqrt())));
        assert_eq!(mean_and_spread(&[1.0]), (1.0, None));
    }
}
