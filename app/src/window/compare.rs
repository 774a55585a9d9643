//! Comparing states: another structure laid on the one in the view, and the statistics of several.
//!
//! The other structure is a file, an unbound (apo) structure that the run was given, or another sample of the run. What
//! is computed comes from `superposition` (as the command line's `align`) and from `molecule::analysis::ensemble`, in the
//! background; the shown structure stays where it is and the other one moves.

use std::path::PathBuf;
use std::sync::Arc;

use egui::{RichText, ScrollArea, Ui};
use glam::Vec3;
use kfold_inference::elastic_network::{ElasticNetwork, swing};
use kfold_inference::morph;
use kfold_inference::query::Entity;
use kfold_molecule::analysis::ensemble::clusters::{Cluster, Linkage, hierarchical};
use kfold_molecule::analysis::ensemble::principal_components::principal_components;
use kfold_molecule::analysis::ensemble::{DistanceMatrix, rmsd_matrix, superpose_on_mean};
use kfold_molecule::analysis::structure_alignment::Pairing;
use kfold_molecule::{Model, Selection, Structure, formats};
use rayon::prelude::*;

use super::app::Studio;
use super::background::Loaded;
use super::derived::{Derived, Same};
use super::dialogs::Purpose;
use super::document::{ColourBy, file_name};
use super::ensemble::{EnsembleKey, MORPH_MODELS, followed_atoms};
use super::format::number;
use super::numbers::{Numbers, cell};
use super::reading::residue_text;
use super::scene::COMPARED_COLOUR;
use super::theme::{GAP, palette};
use super::widgets::matrix::matrix_plot;
use super::widgets::plot::{Line, Point, line_plot, scatter_plot};
use super::widgets::table::{Column, table};
use super::widgets::{Tone, checkbox, fact, note, section, segmented};
use crate::superposition::{Fit, Laid, lay};
use crate::texts::Texts;

/// Modes of the elastic network that are listed.
const MODES: usize = 10;
/// RMSD at the ends of a mode's swing, Å.
const SWING: f32 = 2.0;
/// Models of a swing.
const SWING_MODELS: usize = 21;
/// Most conformers whose matrix is drawn.
const MOST_CONFORMERS: usize = 200;

/// What is laid on the structure in the view.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Other {
    /// A file that the user chose.
    File(PathBuf),
    /// An unbound structure that the query names.
    Apo(PathBuf),
    /// The structure that the query names, as it was determined.
    Known(PathBuf),
    /// Another sample of the run, by its rank from 0.
    Sample(usize),
}

/// By what it is laid there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum By {
    /// Alignment of the sequences.
    #[default]
    Sequence,
    /// Alignment of the shapes.
    Shape,
    /// The atoms that are selected.
    Selection,
}

/// Two structures compared.
pub struct Comparison {
    /// The other structure, laid on the shown one.
    pub moved: Arc<Structure>,
    /// Å from each residue of the shown structure to its partner; not a number where it has none.
    pub differences: Arc<Vec<f32>>,
    /// The largest of them.
    pub highest: f32,
    /// Residues that are compared, in order.
    pub residues: Vec<usize>,
    /// RMSD of all pairs of residues, and TM-scores; the other structure is the mobile one.
    pub fit: Fit,
    /// Pairs that the superposition is made from, and their RMSD.
    pub laid: (usize, f32),
    /// Of them with the same residue.
    pub identical: usize,
}

#[derive(Clone, PartialEq)]
struct ComparisonKey {
    shown: Same<Structure>,
    model: usize,
    other: Other,
    by: By,
    selection: String,
}

/// Several structures, each laid under the other one.
#[derive(Clone, PartialEq)]
struct FitsKey {
    several: Vec<(Same<Structure>, usize)>,
    other: Other,
    by: By,
    selection: String,
}

/// Several structures in numbers.
pub struct Statistics {
    matrix: DistanceMatrix,
    /// Place along the first two principal components, Å, and what share they explain.
    places: Vec<[f32; 2]>,
    explained: [f64; 2],
}

/// One mode of the elastic network.
pub struct Mode {
    /// How much of the difference to the other structure it describes, 0 to 1.
    overlap: Option<f64>,
    /// The share of all residues that move with it, 0 to 1 (the participation of Bahar).
    collectivity: f64,
}

/// The modes of a structure.
pub struct Modes {
    network: Arc<ElasticNetwork>,
    modes: Vec<Mode>,
}

/// The structure, its model, and what it is compared with.
type ModesKey = (Same<Structure>, usize, Option<Same<Comparison>>);

/// What is compared, and how.
pub struct Compare {
    other: Option<Other>,
    by: By,
    /// Whether the other structure is drawn.
    pub(super) is_overlaid: bool,
    /// Å within which conformers belong together.
    cutoff: f32,
    comparisons: Derived<ComparisonKey, Comparison>,
    fits: Derived<FitsKey, Vec<Fit>>,
    statistics: Derived<Vec<(Same<Structure>, usize)>, Statistics>,
    modes: Derived<ModesKey, Modes>,
}

impl Default for Compare {
    fn default() -> Self {
        Self {
            other: None,
            by: By::default(),
            is_overlaid: true,
            cutoff: 2.0,
            comparisons: Derived::new(12),
            fits: Derived::new(4),
            statistics: Derived::new(4),
            modes: Derived::new(4),
        }
    }
}

/// Lays the other structure on one model.
fn lay_other(other: &Model, target: &Model, by: By, selection: Option<&Selection>) -> Result<Laid, String> {
    let pairing = if by == By::Shape { Pairing::Shape } else { Pairing::Sequence };
    let sets = match (by, selection) {
        (By::Selection, Some(selection)) => Some((selection.select(other), selection.select(target))),
        (By::Selection, None) => return Err("select atoms first: in the view, in the sequence or by typing".to_owned()),
        _ => None,
    };
    lay(other, target, pairing, None, sets.as_ref()).map_err(|error| error.to_string())
}

fn compare(
    shown: &Structure,
    model: usize,
    other: &Structure,
    by: By,
    selection: Option<&Selection>,
) -> Result<Comparison, String> {
    let target = shown.models.get(model).ok_or("the structure in the view has no atoms")?;
    let mobile = other.models.first().ok_or("the other structure has no atoms")?;
    let laid = lay_other(mobile, target, by, selection)?;
    let distances = laid.distances(mobile, target);
    let mut differences = vec![f32::NAN; target.topology.residues.len()];
    for ((_, atom), distance) in laid.found.pairs.iter().zip(&distances) {
        differences[target.topology.atoms[*atom as usize].residue as usize] = *distance;
    }
    let residues = (0..differences.len()).filter(|index| target.topology.residues[*index].is_polymer()).collect();
    let fit = laid.fit(mobile, target);
    let mut moved = other.clone();
    moved.models.truncate(1);
    for model in &mut moved.models {
        model.positions.iter_mut().for_each(|position| *position = laid.transform.apply(*position));
    }
    Ok(Comparison {
        moved: Arc::new(moved),
        highest: distances.iter().copied().fold(0.0, f32::max),
        differences: Arc::new(differences),
        residues,
        fit,
        laid: (laid.pairs, laid.rmsd),
        identical: laid.found.identical,
    })
}

/// How near each of several comes to the other structure.
fn fits(
    several: &[(Same<Structure>, usize)],
    other: &Structure,
    by: By,
    selection: Option<&Selection>,
) -> Result<Vec<Fit>, String> {
    let mobile = other.models.first().ok_or("the other structure has no atoms")?;
    let fit = |(structure, model): &(Same<Structure>, usize)| {
        let target = structure.0.models.get(*model).ok_or("one of the structures has no atoms")?;
        Ok(lay_other(mobile, target, by, selection)?.fit(mobile, target))
    };
    several.par_iter().map(fit).collect()
}

fn statistics(conformers: &[Vec<Vec3>]) -> Result<Statistics, String> {
    let no = "the structures differ in their residues, so they cannot be compared as one ensemble";
    let matrix = rmsd_matrix(conformers, true).ok_or(no)?;
    let on_mean = superpose_on_mean(conformers).ok_or(no)?;
    let found = principal_components(&on_mean.conformers, 2);
    let place = |index: usize, component: usize| {
        let along = found.as_ref().and_then(|found| found.projections.get(index)?.get(component).copied());
        along.unwrap_or(0.0) as f32
    };
    let explained = found.as_ref().map(|found| found.explained()).unwrap_or_default();
    let share = |component: usize| explained.get(component).copied().unwrap_or(0.0);
    Ok(Statistics {
        matrix,
        places: (0..conformers.len()).map(|index| [place(index, 0), place(index, 1)]).collect(),
        explained: [share(0), share(1)],
    })
}

fn modes(structure: &Structure, model: usize, differences: Option<&Comparison>) -> Result<Modes, String> {
    let model = structure.models.get(model).ok_or("the structure in the view has no atoms")?;
    let network = ElasticNetwork::new(model, MODES).map_err(|error| error.to_string())?;
    // The way of each bead to its partner in the other structure.
    let change = differences.and_then(|found| {
        let other = found.moved.first()?;
        let of_other: std::collections::HashMap<(String, String, String), Vec3> = other
            .topology
            .atoms
            .iter()
            .enumerate()
            .map(|(index, atom)| (key_of(&other.topology, index, &atom.name), other.positions[index]))
            .collect();
        let nodes = network.nodes().iter().map(|node| {
            let index = *node as usize;
            let name = &model.topology.atoms[index].name;
            let partner = of_other.get(&key_of(&model.topology, index, name));
            partner.map_or(Vec3::ZERO, |partner| *partner - model.positions[index])
        });
        Some(nodes.collect::<Vec<Vec3>>())
    });
    let overlaps = change.map(|change| network.overlaps(&change));
    let list = (0..network.mode_count().min(MODES)).map(|index| {
        let squares: Vec<f64> =
            network.mode(index).unwrap_or_default().iter().map(|step| f64::from(step.length_squared())).collect();
        // Brüschweiler, J. Chem. Phys. 1995, 102, 3396: the exponential of the entropy of the squared displacements.
        let sum: f64 = squares.iter().sum::<f64>().max(f64::MIN_POSITIVE);
        let entropy: f64 = squares.iter().map(|square| square / sum).filter(|p| *p > 0.0).map(|p| -p * p.ln()).sum();
        Mode {
            overlap: overlaps.as_ref().and_then(|overlaps| overlaps.get(index).copied()),
            collectivity: entropy.exp() / squares.len().max(1) as f64,
        }
    });
    let modes = list.collect();
    Ok(Modes { network: Arc::new(network), modes })
}

fn key_of(topology: &kfold_molecule::Topology, atom: usize, name: &str) -> (String, String, String) {
    let residue = topology.residue_of(atom);
    (topology.chain_of(residue).id.to_string(), residue.number_text(), name.to_owned())
}

impl Studio {
    /// Whether there is anything to compare.
    pub(super) fn has_comparison(&self) -> bool {
        self.shown_structure().is_some()
    }

    /// The comparison with what is shown, when it is there.
    pub(super) fn shown_comparison(&self) -> Option<&Arc<Comparison>> {
        let key = self.comparison_key()?;
        self.compare.comparisons.get(&key)?.ready()
    }

    fn comparison_key(&self) -> Option<ComparisonKey> {
        let other = self.compare.other.clone()?;
        let (structure, model) = self.shown_structure()?;
        // While models play, the other structure stays where it lies on the first of them.
        let model = if self.playing_since.is_some() { 0 } else { model };
        Some(ComparisonKey {
            shown: Same(structure),
            model,
            other,
            by: self.compare.by,
            selection: self.laying_atoms(),
        })
    }

    /// The selection by which structures are laid, where that is the way.
    fn laying_atoms(&self) -> String {
        if self.compare.by == By::Selection { self.document.selection.clone() } else { String::new() }
    }

    /// Reads the other structure, in the background.
    fn reading_of(&self, other: &Other) -> impl FnOnce() -> Result<Arc<Structure>, String> + Send + 'static {
        let (sample, path) = match other {
            Other::Sample(rank) => (self.outcome.as_ref().and_then(|outcome| outcome.complexes.get(*rank)), None),
            Other::File(path) | Other::Apo(path) | Other::Known(path) => (None, Some(path.clone())),
        };
        let sample = sample.map(|complex| Arc::clone(&complex.structure));
        move || match (sample, path) {
            (Some(sample), _) => Ok(sample),
            (None, Some(path)) => formats::read_structure(&path).map(Arc::new).map_err(|error| error.to_string()),
            (None, None) => Err("that sample is gone".to_owned()),
        }
    }

    /// Compares with another structure from now on.
    pub(super) fn compare_with(&mut self, other: Other) {
        self.compare.other = Some(other);
        self.compare.is_overlaid = true;
    }

    /// What could be compared with, each with its name.
    fn others(&self, texts: &Texts) -> Vec<(Other, String)> {
        let mut others = Vec::new();
        let query = self.outcome.as_ref().map_or(&self.document.query, |outcome| &outcome.query);
        // What is in the view need not be laid on itself.
        let is_shown = |path: &std::path::Path| self.outcome.is_none() && query.receptor_file() == Some(path);
        for entity in &query.sequences {
            let apos = match entity {
                Entity::Protein(polymer) => &polymer.apo,
                Entity::ProteinPair(pair) => &pair.apo,
                _ => continue,
            };
            for path in apos.iter().filter(|path| !is_shown(path)) {
                let name = texts.with("compare-apo", [("name", file_name(path).into())]);
                others.push((Other::Apo(path.clone()), name));
            }
        }
        if let Some(path) = query.structure.as_ref().filter(|path| !is_shown(path)) {
            let name = texts.with("compare-known", [("name", file_name(path).into())]);
            others.push((Other::Known(path.clone()), name));
        }
        if let Some(outcome) = &self.outcome {
            for (rank, complex) in outcome.complexes.iter().enumerate().filter(|(rank, _)| *rank != self.shown_pose) {
                let values = [
                    ("rank", (rank + 1).into()),
                    ("seed", complex.seed.to_string().into()),
                    ("sample", complex.sample.into()),
                ];
                others.push((Other::Sample(rank), texts.with("compare-sample", values)));
            }
        }
        if let Some(Other::File(path)) = &self.compare.other {
            others.push((Other::File(path.clone()), file_name(path)));
        }
        others
    }

    /// The pane.
    pub(super) fn compare_panel_ui(&mut self, ui: &mut Ui) {
        let texts = Arc::clone(&self.texts);
        ScrollArea::vertical().id_salt("compare").auto_shrink([false, false]).show(ui, |ui| {
            egui::Frame::new().inner_margin(egui::Margin::symmetric(12, 6)).show(ui, |ui| {
                self.laying_ui(ui, &texts);
                self.statistics_ui(ui, &texts);
                self.modes_ui(ui, &texts);
            });
        });
    }

    fn laying_ui(&mut self, ui: &mut Ui, texts: &Texts) {
        let others = self.others(texts);
        section(ui, &texts.get("section-compare"), |ui| {
            let name = self.compare.other.as_ref().and_then(|held| others.iter().find(|(other, _)| other == held));
            let shown = name.map_or_else(|| texts.get("compare-none"), |(_, name)| name.clone());
            ui.horizontal_wrapped(|ui| {
                let mut chosen = None;
                egui::ComboBox::from_id_salt("compare other")
                    .selected_text(shown)
                    .width((ui.available_width() - 150.0).max(120.0))
                    .show_ui(ui, |ui| {
                        if ui.selectable_label(self.compare.other.is_none(), texts.get("compare-none")).clicked() {
                            chosen = Some(None);
                        }
                        for (other, name) in &others {
                            let is_held = self.compare.other.as_ref() == Some(other);
                            if ui.selectable_label(is_held, name).clicked() {
                                chosen = Some(Some(other.clone()));
                            }
                        }
                    })
                    .response
                    .accessible_name(texts.get("compare-other"));
                if let Some(chosen) = chosen {
                    self.compare.other = chosen;
                }
                if ui.button(texts.get("compare-open")).clicked() {
                    self.ask_for_file(Purpose::Compare);
                }
            });
            let choices = [
                (By::Sequence, texts.get("compare-by-sequence")),
                (By::Shape, texts.get("compare-by-shape")),
                (By::Selection, texts.get("compare-by-selection")),
            ];
            segmented(ui, &texts.get("compare-by"), &mut self.compare.by, &choices);
            ui.add_space(GAP);
            let Some(key) = self.comparison_key() else {
                note(ui, &texts.get("compare-hint"));
                return;
            };
            self.comparison_ui(ui, texts, &key);
            self.fits_ui(ui, texts, &key);
        });
    }

    fn comparison_ui(&mut self, ui: &mut Ui, texts: &Texts, key: &ComparisonKey) {
        let (shown, model, by) = (Arc::clone(&key.shown.0), key.model, key.by);
        let selection = self.selection();
        let read = self.reading_of(&key.other);
        let made = self.derive(
            |studio| &mut studio.compare.comparisons,
            key,
            move || compare(&shown, model, &*read()?, by, selection.as_ref()),
        );
        let Some(found) = made.or_say(ui, Tone::Bad) else { return };
        let is_playing = self.playing_since.is_some();
        if is_playing {
            note(ui, &texts.get("compare-playing"));
        } else {
            facts_ui(ui, texts, &found);
        }
        ui.horizontal(|ui| {
            checkbox(ui, &mut self.compare.is_overlaid, texts.get("compare-overlay"));
            let (rect, _) = ui.allocate_exact_size(egui::vec2(12.0, 12.0), egui::Sense::hover());
            let [_, red, green, blue] = COMPARED_COLOUR.to_be_bytes();
            ui.painter().circle_filled(rect.center(), 5.0, egui::Color32::from_rgb(red, green, blue));
        });
        let mut is_coloured = self.document.view.colour == ColourBy::Difference;
        if checkbox(ui, &mut is_coloured, texts.get("compare-colour")).changed() {
            self.document.view.colour = if is_coloured { ColourBy::Difference } else { ColourBy::Chain };
        }
        if is_playing {
            return;
        }
        let colours = palette(ui);
        let values: Vec<f32> = found.residues.iter().map(|index| found.differences[*index]).collect();
        let name = texts.get("compare-difference");
        let lines = [Line { name: &name, values: &values, colour: colours.accent }];
        let topology = key.shown.0.models.get(key.model).map(|model| Arc::clone(&model.topology));
        let place = |index: usize| {
            let residue = found.residues.get(index);
            topology
                .as_deref()
                .zip(residue)
                .map(|(topology, residue)| residue_text(topology, *residue))
                .unwrap_or_default()
        };
        let clicked = line_plot(ui, &name, 122.0, &lines, place);
        if let Some(topology) = &topology {
            self.save_numbers_ui(ui, texts, &name, || {
                let rows = found.residues.iter().zip(&values).filter(|(_, value)| value.is_finite());
                let rows = rows.map(|(residue, value)| vec![residue_text(topology, *residue), cell(*value)]);
                Numbers::new("differences", &["residue", "distance_angstrom"], rows)
            });
        }
        if let Some(index) = clicked
            && let (Some(topology), Some(residue)) = (&topology, found.residues.get(index))
        {
            self.choose_residues(topology, &[*residue], true);
        }
        if ui.button(texts.get("compare-morph")).clicked() {
            let (first, second) = (Arc::clone(&key.shown.0), Arc::clone(&found.moved));
            let shown = key.model;
            let shown_name = match self.ensemble {
                Some(_) => self.conformer_name(texts, shown),
                None => texts.get("compare-shown"),
            };
            let names = (shown_name, other_name(&key.other, texts));
            self.show_ensemble(EnsembleKey::Between(names.0, names.1), move || {
                let states = first.models.get(shown).zip(second.first());
                let (first, second) = states.ok_or("one of the structures has no atoms")?;
                morph::morph(first, second, MORPH_MODELS).map(Arc::new).map_err(|error| error.to_string())
            });
        }
    }

    /// How near each model or sample comes to the other structure.
    fn fits_ui(&mut self, ui: &mut Ui, texts: &Texts, key: &ComparisonKey) {
        let several = self.several();
        if several.len() < 2 {
            return;
        }
        let read = self.reading_of(&key.other);
        let (by, selection) = (key.by, self.selection());
        let fits_key =
            FitsKey { several: several.clone(), other: key.other.clone(), by, selection: key.selection.clone() };
        let made = self.derive(
            |studio| &mut studio.compare.fits,
            &fits_key,
            move || fits(&several, &*read()?, by, selection.as_ref()),
        );
        let Some(found) = made.or_say(ui, Tone::Warning) else { return };
        let nearest = (0..found.len()).min_by(|a, b| found[*a].rmsd_angstrom.total_cmp(&found[*b].rmsd_angstrom));
        let Some(nearest) = nearest else { return };
        let name = texts.with("compare-fits", [("name", other_name(&key.other, texts).into())]);
        ui.add_space(GAP);
        ui.label(RichText::new(&name).text_style(super::theme::strong_style()));
        let fit = found[nearest];
        let values = [
            ("name", self.conformer_name(texts, nearest).into()),
            ("rmsd", number(fit.rmsd_angstrom, 2).into()),
            ("score", number(fit.tm_score_by_target as f32, 3).into()),
        ];
        let mut chosen = None;
        ui.horizontal_wrapped(|ui| {
            ui.label(texts.with("compare-nearest", values));
            chosen = ui.small_button(texts.get("compare-show-nearest")).clicked().then_some(nearest);
        });
        let values: Vec<f32> = found.iter().map(|fit| fit.rmsd_angstrom).collect();
        let axis = texts.get("compare-fits-axis");
        let lines = [Line { name: &axis, values: &values, colour: palette(ui).accent }];
        let names: Vec<String> = (0..found.len()).map(|index| self.conformer_name(texts, index)).collect();
        chosen = line_plot(ui, &name, 104.0, &lines, |index| names[index].clone()).or(chosen);
        self.save_numbers_ui(ui, texts, &name, || {
            let row = |(name, fit): (&String, &Fit)| {
                let scores = [fit.tm_score_by_target, fit.tm_score_by_mobile].map(|score| cell(score as f32));
                let [by_own, by_other] = scores;
                vec![name.clone(), cell(fit.rmsd_angstrom), by_own, by_other]
            };
            let head = ["structure", "rmsd_angstrom", "tm_score_by_structure", "tm_score_by_other"];
            Numbers::new("fits", &head, names.iter().zip(found.iter()).map(row))
        });
        if let Some(index) = chosen {
            self.show_conformer(index);
        }
    }

    /// Shows one of the models or samples.
    fn show_conformer(&mut self, index: usize) {
        if self.ensemble.is_some() {
            self.shown_model = index;
            self.playing_since = None;
        } else {
            self.shown_pose = index;
        }
    }

    /// The structures whose statistics are shown: the models of the ensemble, else the samples.
    fn several(&self) -> Vec<(Same<Structure>, usize)> {
        if let Some((_, Loaded::Ready(ensemble))) = &self.ensemble {
            let count = ensemble.structure.models.len().min(MOST_CONFORMERS);
            return (0..count).map(|model| (Same(Arc::clone(&ensemble.structure)), model)).collect();
        }
        let Some(outcome) = &self.outcome else { return Vec::new() };
        let samples = outcome.complexes.iter().take(MOST_CONFORMERS);
        samples.map(|complex| (Same(Arc::clone(&complex.structure)), 0)).collect()
    }

    fn statistics_ui(&mut self, ui: &mut Ui, texts: &Texts) {
        let several = self.several();
        if several.len() < 2 {
            return;
        }
        let held = several.clone();
        let made = self.derive(
            |studio| &mut studio.compare.statistics,
            &several,
            move || {
                let points = |(structure, model): &(Same<Structure>, usize)| {
                    let model = structure.0.models.get(*model)?;
                    let atoms = followed_atoms(&model.topology);
                    Some(atoms.into_iter().map(|(_, atom)| model.positions[atom]).collect::<Vec<Vec3>>())
                };
                let conformers: Option<Vec<Vec<Vec3>>> = held.iter().map(points).collect();
                statistics(&conformers.ok_or("one of the structures has no atoms")?)
            },
        );
        let title = texts.with("section-statistics", [("count", several.len().into())]);
        section(ui, &title, |ui| {
            let Some(found) = made.or_say(ui, Tone::Warning) else { return };
            let is_ensemble = self.ensemble.is_some();
            let shown = if is_ensemble { self.shown_model } else { self.shown_pose };
            let place = |index: usize| self.conformer_name(texts, index);
            let distance = |a: usize, b: usize| found.matrix.get(a, b);
            let name = texts.get("statistics-matrix");
            ui.label(RichText::new(&name).text_style(super::theme::strong_style()));
            let of_matrix = matrix_plot(ui, &name, several.len(), distance, Some(shown), "Å", place);
            let names: Vec<String> = (0..several.len()).map(place).collect();
            self.save_numbers_ui(ui, texts, &name, || {
                let row = |row: usize| {
                    let cells = (0..names.len()).map(|column| cell(distance(row, column)));
                    std::iter::once(names[row].clone()).chain(cells).collect()
                };
                let mut numbers = Numbers::new("rmsd_matrix", &["rmsd_angstrom"], (0..names.len()).map(row));
                numbers.head.extend(names.iter().cloned());
                numbers
            });
            let points: Vec<Point> = found
                .places
                .iter()
                .enumerate()
                .map(|(index, [x, y])| Point { x: *x, y: *y, name: names[index].clone() })
                .collect();
            let axis = |key: &str, share: f64| texts.with(key, [("share", number(100.0 * share as f32, 0).into())]);
            let axes =
                (axis("statistics-first-axis", found.explained[0]), axis("statistics-second-axis", found.explained[1]));
            let name = texts.get("statistics-pca");
            ui.label(RichText::new(&name).text_style(super::theme::strong_style()));
            let of_plot = scatter_plot(ui, &name, 200.0, (&axes.0, &axes.1), &points, Some(shown));
            self.save_numbers_ui(ui, texts, &name, || {
                let rows = points.iter().map(|point| vec![point.name.clone(), cell(point.x), cell(point.y)]);
                Numbers::new("components", &["structure", "first_angstrom", "second_angstrom"], rows)
            });
            if let Some(index) = of_matrix.map(|(row, _)| row).or(of_plot) {
                self.show_conformer(index);
            }
            self.clusters_ui(ui, texts, &found);
        });
    }

    fn conformer_name(&self, texts: &Texts, index: usize) -> String {
        match self.outcome.as_ref().filter(|_| self.ensemble.is_none()).and_then(|held| held.complexes.get(index)) {
            Some(complex) => {
                let values = [
                    ("rank", (index + 1).into()),
                    ("seed", complex.seed.to_string().into()),
                    ("sample", complex.sample.into()),
                ];
                texts.with("compare-sample", values)
            }
            None => texts.with("statistics-model", [("number", (index + 1).into())]),
        }
    }

    fn clusters_ui(&mut self, ui: &mut Ui, texts: &Texts, found: &Statistics) {
        ui.horizontal(|ui| {
            ui.label(texts.get("statistics-cutoff"));
            let slider = egui::Slider::new(&mut self.compare.cutoff, 0.1..=15.0).logarithmic(true).suffix(" Å");
            ui.add(slider).accessible_name(texts.get("statistics-cutoff"));
        });
        let clusters: Vec<Cluster> = hierarchical(&found.matrix, Linkage::Average, self.compare.cutoff);
        let columns = [
            Column::number("#".to_owned(), String::new(), 0.4),
            Column::number(texts.get("cluster-members"), String::new(), 0.9),
            Column::words(format!("   {}", texts.get("cluster-centre")), 2.0),
        ];
        let response = table(ui, "clusters", &columns, clusters.len(), None, 160.0, |row| {
            let Some(cluster) = clusters.get(row) else { return (Vec::new(), String::new()) };
            let centre = self.conformer_name(texts, cluster.centre);
            let values = [
                ("number", (row + 1).into()),
                ("count", cluster.members.len().into()),
                ("centre", centre.clone().into()),
            ];
            let count = cluster.members.len().to_string();
            let cells = vec![(row + 1).to_string().into(), count.into(), format!("   {centre}").into()];
            (cells, texts.with("cluster-row", values))
        });
        if let Some(cluster) = response.chosen.and_then(|row| clusters.get(row)) {
            self.show_conformer(cluster.centre);
        }
    }

    fn modes_ui(&mut self, ui: &mut Ui, texts: &Texts) {
        if self.ensemble.is_some() {
            return;
        }
        let Some((structure, model)) = self.shown_structure() else { return };
        section(ui, &texts.get("section-modes"), |ui| {
            let comparison = self.shown_comparison().cloned();
            let key = (Same(Arc::clone(&structure)), model, comparison.clone().map(Same));
            let held = Arc::clone(&structure);
            let made = self.derive(
                |studio| &mut studio.compare.modes,
                &key,
                move || modes(&held, model, comparison.as_deref()),
            );
            let Some(found) = made.or_say(ui, Tone::Info) else { return };
            let columns = [
                Column::number("#".to_owned(), String::new(), 0.4),
                Column::number(texts.get("mode-collectivity"), texts.get("mode-collectivity-hint"), 1.0),
                Column::number(texts.get("mode-overlap"), texts.get("mode-overlap-hint"), 1.0),
            ];
            let response = table(ui, "modes", &columns, found.modes.len(), None, 260.0, |row| {
                let Some(mode) = found.modes.get(row) else { return (Vec::new(), String::new()) };
                let collectivity = number(mode.collectivity as f32, 2);
                let overlap = mode.overlap.map_or_else(|| "–".to_owned(), |overlap| number(overlap as f32, 2));
                let values = [
                    ("number", (row + 1).into()),
                    ("collectivity", collectivity.clone().into()),
                    ("overlap", overlap.clone().into()),
                ];
                (
                    vec![(row + 1).to_string().into(), collectivity.into(), overlap.into()],
                    texts.with("mode-row", values),
                )
            });
            if let Some(row) = response.chosen {
                let (held, network) = (Arc::clone(&structure), Arc::clone(&found.network));
                self.show_ensemble(EnsembleKey::Mode(texts.get("compare-shown"), row + 1), move || {
                    let model = held.models.get(model).ok_or("the structure has no atoms")?;
                    swing(model, &network, row, SWING, SWING_MODELS).map(Arc::new).map_err(|error| error.to_string())
                });
            }
            note(ui, &texts.get("modes-note"));
        });
    }
}

/// What two structures have in common, in numbers.
fn facts_ui(ui: &mut Ui, texts: &Texts, found: &Comparison) {
    let pairs = found.differences.iter().filter(|value| value.is_finite()).count();
    let rmsd = |value: f32| format!("{} Å", number(value, 2));
    let mut facts = vec![("compare-rmsd", rmsd(found.fit.rmsd_angstrom)), ("compare-pairs", pairs.to_string())];
    if found.laid.0 != pairs {
        // Only where a part of the pairs was laid.
        let values = [("pairs", found.laid.0.into()), ("rmsd", number(found.laid.1, 2).into())];
        facts.push(("compare-laid", texts.with("compare-laid-value", values)));
    }
    facts.extend([
        ("compare-identical", found.identical.to_string()),
        ("compare-tm-shown", number(found.fit.tm_score_by_target as f32, 3)),
        ("compare-tm-other", number(found.fit.tm_score_by_mobile as f32, 3)),
    ]);
    for (key, value) in facts {
        fact(ui, &texts.get(key), &value);
    }
    ui.add_space(GAP);
}

fn other_name(other: &Other, texts: &Texts) -> String {
    match other {
        Other::File(path) | Other::Apo(path) | Other::Known(path) => file_name(path),
        Other::Sample(rank) => texts.with("compare-rank", [("rank", (rank + 1).into())]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(name: &str) -> Structure {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../samples/adenylate-kinase");
        formats::read_structure(&root.join(name)).unwrap()
    }

    #[test]
    fn two_states_are_compared_residue_by_residue() {
        let (open, closed) = (sample("open.pdb"), sample("closed.pdb"));
        let found = compare(&open, 0, &closed, By::Sequence, None).unwrap();
        // 4AKE and 1AKE differ by 7.1 Å over all alpha carbons.
        let rmsd = found.fit.rmsd_angstrom;
        assert!((6.5..8.0).contains(&rmsd), "{rmsd}");
        assert_eq!(found.identical, 214);
        let moved = found.moved.first().unwrap();
        assert!(moved.positions.len() == closed.first().unwrap().positions.len());
        assert!(found.highest > 15.0 && found.differences.iter().filter(|value| value.is_finite()).count() == 214);
        let core = Selection::parse("resi 1-29+60-120+160-214 and name CA").unwrap();
        let by_core = compare(&open, 0, &closed, By::Selection, Some(&core)).unwrap();
        assert!(by_core.laid.1 < rmsd && by_core.laid.0 > 100, "{:?}", by_core.laid);
        assert!(compare(&open, 0, &sample("closed.pdb"), By::Selection, None).is_err());
    }

    #[test]
    fn one_mode_describes_most_of_the_way_between_the_states() {
        let (open, closed) = (sample("open.pdb"), sample("closed.pdb"));
        let found = compare(&open, 0, &closed, By::Sequence, None).unwrap();
        let made = modes(&open, 0, Some(&found)).unwrap();
        let best = made.modes.iter().filter_map(|mode| mode.overlap).fold(0.0, f64::max);
        // Tama & Sanejouand (Protein Eng. 2001, 14, 1) have 0.62 for the best mode of the open form.
        assert!(best > 0.5, "{best}");
        assert!(made.modes.iter().all(|mode| mode.collectivity > 0.0 && mode.collectivity <= 1.0));
        let model = open.first().unwrap();
        let movie = swing(model, &made.network, 0, 2.0, 5).unwrap();
        assert_eq!(movie.models.len(), 5);
        let middle =
            movie.models[2].positions.iter().zip(&model.positions).map(|(a, b)| a.distance(*b)).fold(0.0, f32::max);
        assert!(middle < 0.2, "the middle of the swing is the structure itself: {middle}");
    }
}
