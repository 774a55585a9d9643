//! Several models of one thing: conformers of a protein, a path between two states, the models of a file.
//!
//! Models are superposed on the first by their CA (or C1' of nucleic acids, or C4' where that is missing), so that what
//! moves on the screen is the change of shape; a path between states lies on the part that moves least, as it came. RMSD
//! is to the first model after superposition; RMSF, a residue each, is about the mean that the models are superposed on, of a
//! path as it lies. Models of a file that differ in their atoms are compared by those that all of them have.

use std::path::PathBuf;
use std::sync::Arc;

use egui::{RichText, Slider, Ui};
use glam::Vec3;
use kfold_inference::morph;
use kfold_inference::query::{Entity, Query};
use kfold_molecule::analysis::ensemble::{common_atoms, rmsf, superpose_on_mean};
use kfold_molecule::analysis::superpose::superpose;
use kfold_molecule::{Structure, Topology, formats};

use super::app::Studio;
use super::background::{Lane, Loaded};
use super::command::Command;
use super::document::ColourBy;
use super::message::Message;
use super::numbers::{Numbers, cell};
use super::theme::palette;
use super::widgets::icon::Icon;
use super::widgets::plot::{Line, line_plot};
use super::widgets::{Tone, icon_button, message, note};

/// Models shown in a second.
const MODELS_PER_SECOND: f64 = 8.0;
/// Models of a path between two states, both included.
pub(super) const MORPH_MODELS: usize = 25;

/// What an ensemble is made from.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum EnsembleKey {
    /// Conformers that a run made.
    Conformers(PathBuf),
    /// A path between the states in two files.
    Morph(PathBuf, PathBuf),
    /// The models of a file.
    File(PathBuf),
    /// A path between two structures of these names.
    Between(String, String),
    /// The sampler's steps to a sample, in this file, and the sample's rank from 1.
    Bridge(PathBuf, usize),
    /// Swinging along the elastic network's mode of this number, from 1.
    Mode(String, usize),
}

impl EnsembleKey {
    /// Whether its models lie where they are to be seen; superposing them again would hide what moves.
    pub(super) const fn have_places(&self) -> bool {
        matches!(self, Self::Morph(..) | Self::Between(..) | Self::Mode(..) | Self::Bridge(..))
    }

    /// Whether it runs forth and back.
    const fn swings(&self) -> bool {
        self.have_places() && !matches!(self, Self::Bridge(..))
    }
}

/// Superposed models with their statistics.
#[derive(Clone, Debug)]
pub struct Ensemble {
    /// The models, superposed on the first.
    pub structure: Arc<Structure>,
    /// Å, one for each model.
    pub rmsd: Vec<f32>,
    /// Å, one for each residue of the topology; 0 where it has no such atom.
    pub rmsf: Arc<Vec<f32>>,
    /// Highest of them.
    pub highest_rmsf: f32,
    /// Residues that the plot shows, each with the atom that stands for it.
    pub followed: Vec<(usize, usize)>,
}

impl Ensemble {
    /// Superposes the models on the first, unless they have their places already, and measures them.
    ///
    /// # Errors
    /// When the models have no atoms in common or no backbone to follow.
    pub fn of(structure: &Structure, have_places: bool) -> Result<Self, String> {
        let common;
        let structure = if structure.is_ensemble() {
            structure
        } else {
            common = common_atoms(structure).ok_or("The models have no atoms in common, so they cannot be compared")?;
            &common
        };
        let first = structure.first().ok_or("There is no model in it")?;
        let followed = followed_atoms(&first.topology);
        if followed.len() < 3 {
            return Err("Fewer than three residues have a CA or C1' atom to follow, in all models".to_owned());
        }
        let points = |positions: &[Vec3]| -> Vec<Vec3> {
            followed.iter().filter_map(|(_, atom)| positions.get(*atom).copied()).collect()
        };
        let conformers: Vec<Vec<Vec3>> = structure.models.iter().map(|model| points(&model.positions)).collect();
        let not_numbers = "The models cannot be superposed: some of their coordinates are not numbers";
        let mut moved = structure.clone();
        let mut rmsd = Vec::with_capacity(moved.models.len());
        for (model, conformer) in moved.models.iter_mut().zip(&conformers) {
            let found = superpose(conformer, &conformers[0]).ok_or(not_numbers)?;
            if !have_places {
                for position in &mut model.positions {
                    *position = found.transform.apply(*position);
                }
            }
            rmsd.push(found.rmsd);
        }
        let fluctuation = if have_places {
            rmsf(&conformers)
        } else {
            superpose_on_mean(&conformers).and_then(|on_mean| rmsf(&on_mean.conformers))
        };
        let mut of_residues = vec![0.0; first.topology.residues.len()];
        for ((residue, _), value) in followed.iter().zip(fluctuation.ok_or(not_numbers)?) {
            of_residues[*residue] = value;
        }
        let highest_rmsf = of_residues.iter().copied().fold(0.0, f32::max);
        Ok(Self { structure: Arc::new(moved), rmsd, rmsf: Arc::new(of_residues), highest_rmsf, followed })
    }
}

/// Residue and atom indices of the atoms that stand for their residues.
#[must_use]
pub fn followed_atoms(topology: &Topology) -> Vec<(usize, usize)> {
    topology
        .residues
        .iter()
        .enumerate()
        .filter(|(_, residue)| residue.is_polymer())
        .filter_map(|(index, residue)| {
            let atom = ["CA", "C1'", "C4'"].into_iter().find_map(|name| topology.atom_named(residue, name))?;
            Some((index, atom))
        })
        .collect()
}

/// The two states between which the query's protein can be morphed.
#[must_use]
pub fn morph_states(query: &Query) -> Option<(PathBuf, PathBuf)> {
    query.sequences.iter().find_map(|entity| match entity {
        Entity::Protein(polymer) => match polymer.apo.as_slice() {
            [first, second, ..] => Some((first.clone(), second.clone())),
            _ => None,
        },
        _ => None,
    })
}

impl Studio {
    /// Shows an ensemble that `make` gives, in the background.
    pub(super) fn show_ensemble(
        &mut self,
        key: EnsembleKey,
        make: impl FnOnce() -> Result<Arc<Structure>, String> + Send + 'static,
    ) {
        if self.ensemble.as_ref().is_some_and(|(held, _)| *held == key) {
            return;
        }
        self.ensemble = Some((key.clone(), Loaded::Waiting));
        self.document.view.colour = ColourBy::Fluctuation;
        let have_places = key.have_places();
        self.attempt(
            Lane::Results,
            move || make().and_then(|structure| Ensemble::of(&structure, have_places)).map(Arc::new),
            move |result| Message::EnsembleReady { key, result },
        );
    }

    /// Shows the path between two states.
    pub(super) fn show_morph(&mut self, first: PathBuf, second: PathBuf) {
        self.show_ensemble(EnsembleKey::Morph(first.clone(), second.clone()), move || {
            let read = |path: &std::path::Path| {
                let structure = formats::read_structure(path).map_err(|error| error.to_string())?;
                structure.models.into_iter().next().ok_or_else(|| format!("{} holds no atoms", path.display()))
            };
            let path =
                morph::morph(&read(&first)?, &read(&second)?, MORPH_MODELS).map_err(|error| error.to_string())?;
            Ok(Arc::new(path))
        });
    }

    /// Shows the models of the structure's file one after the other.
    pub(super) fn show_models(&mut self, path: PathBuf, structure: Arc<Structure>) {
        self.show_ensemble(EnsembleKey::File(path), move || Ok(structure));
    }

    /// Shows the sampler's steps to a sample.
    pub(super) fn show_bridge(&mut self, path: PathBuf, rank: usize) {
        self.show_ensemble(EnsembleKey::Bridge(path.clone(), rank), move || {
            formats::read_structure(&path).map(Arc::new).map_err(|error| error.to_string())
        });
    }

    /// Moves on to the next model while playing. A path between states runs forth and back.
    pub(super) fn advance_ensemble(&mut self, context: &egui::Context) {
        let (Some(since), Some((key, Loaded::Ready(ensemble)))) = (self.playing_since, &self.ensemble) else { return };
        let count = ensemble.structure.models.len();
        if count < 2 {
            return;
        }
        let now = context.input(|input| input.time);
        let step = ((now - since).max(0.0) * MODELS_PER_SECOND) as usize;
        self.shown_model = if key.swings() {
            let place = step % (2 * (count - 1));
            if place < count { place } else { 2 * (count - 1) - place }
        } else {
            step % count
        };
        context.request_repaint_after(std::time::Duration::from_secs_f64(1.0 / MODELS_PER_SECOND));
    }

    /// The player and the plots below the view.
    pub(super) fn ensemble_ui(&mut self, ui: &mut Ui) {
        let texts = Arc::clone(&self.texts);
        let Some((key, loaded)) = self.ensemble.clone() else { return };
        let colours = palette(ui);
        let title = match &key {
            EnsembleKey::Conformers(_) => texts.get("ensemble-conformers"),
            EnsembleKey::Morph(first, second) => texts.with(
                "ensemble-morph",
                [
                    ("first", super::document::file_name(first).into()),
                    ("second", super::document::file_name(second).into()),
                ],
            ),
            EnsembleKey::Between(first, second) => {
                texts.with("ensemble-morph", [("first", first.clone().into()), ("second", second.clone().into())])
            }
            EnsembleKey::Mode(name, number) => {
                texts.with("ensemble-mode", [("name", name.clone().into()), ("number", (*number).into())])
            }
            EnsembleKey::Bridge(_, rank) => texts.with("ensemble-bridge", [("rank", (*rank).into())]),
            EnsembleKey::File(path) => texts.with("ensemble-file", [("name", super::document::file_name(path).into())]),
        };
        let mut close = false;
        ui.horizontal(|ui| {
            ui.label(RichText::new(title).text_style(super::theme::strong_style()));
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                close = icon_button(ui, Icon::Cross, &texts.get("ensemble-close"), true).clicked();
            });
        });
        match &loaded {
            Loaded::Waiting => {
                ui.horizontal(|ui| {
                    ui.spinner();
                    ui.label(texts.get("ensemble-making"));
                });
            }
            Loaded::Failed(reason) => {
                message(ui, Tone::Bad, reason);
            }
            Loaded::Ready(ensemble) => {
                let count = ensemble.structure.models.len();
                ui.horizontal(|ui| {
                    let is_playing = self.playing_since.is_some();
                    let (icon, label) =
                        if is_playing { (Icon::Pause, "ensemble-pause") } else { (Icon::Play, "ensemble-play") };
                    if icon_button(ui, icon, &texts.get(label), count > 1).clicked() {
                        self.do_command(Command::Play, ui.ctx());
                    }
                    let mut number = self.shown_model + 1;
                    ui.spacing_mut().slider_width = (ui.available_width() - 220.0).max(80.0);
                    let slider = Slider::new(&mut number, 1..=count.max(1)).show_value(false);
                    let response = ui.add(slider).accessible_name(texts.get("ensemble-model"));
                    if response.changed() {
                        self.shown_model = number - 1;
                        self.playing_since = None;
                    }
                    let rmsd = ensemble.rmsd.get(self.shown_model).copied().unwrap_or(0.0);
                    let text = texts.with(
                        "ensemble-place",
                        [
                            ("number", (self.shown_model + 1).into()),
                            ("count", count.into()),
                            ("rmsd", super::format::number(rmsd, 2).into()),
                        ],
                    );
                    ui.label(RichText::new(text).color(colours.text_muted));
                });
                let values: Vec<f32> = ensemble
                    .followed
                    .iter()
                    .map(|(residue, _)| ensemble.rmsf.get(*residue).copied().unwrap_or(f32::NAN))
                    .collect();
                let name = texts.get("ensemble-rmsf");
                let lines = [Line { name: &name, values: &values, colour: colours.accent }];
                let topology = ensemble.structure.first().map(|model| Arc::clone(&model.topology));
                let residue = |index: usize| ensemble.followed.get(index).map(|(residue, _)| *residue);
                let place = |index: usize| residue_text(topology.as_deref(), residue(index));
                let clicked = line_plot(ui, &name, 108.0, &lines, place);
                self.save_numbers_ui(ui, &texts, &name, || {
                    let rows = ensemble.followed.iter().zip(&values).map(|((residue, _), value)| {
                        vec![residue_text(topology.as_deref(), Some(*residue)), cell(*value)]
                    });
                    Numbers::new("rmsf", &["residue", "rmsf_angstrom"], rows)
                });
                if let Some(index) = clicked
                    && let Some((_, atom)) = ensemble.followed.get(index)
                    && let Some(model) = ensemble.structure.models.get(self.shown_model)
                    && let Some(point) = model.positions.get(*atom)
                {
                    self.viewport.focus_on(*point, 10.0);
                }
                note(
                    ui,
                    &texts.get(match key {
                        EnsembleKey::Morph(..) | EnsembleKey::Between(..) => "ensemble-note-morph",
                        EnsembleKey::Mode(..) => "ensemble-note-mode",
                        EnsembleKey::Bridge(..) => "ensemble-note-bridge",
                        EnsembleKey::Conformers(_) | EnsembleKey::File(_) => "ensemble-note",
                    }),
                );
            }
        }
        if close {
            self.leave_ensemble();
        }
    }

    /// Shows again what was there before the models.
    pub(super) fn leave_ensemble(&mut self) {
        self.playing_since = None;
        if self.ensemble.take().is_none() {
            return;
        }
        self.shown_model = 0;
        if self.document.view.colour == ColourBy::Fluctuation {
            let is_complex = self.shown_complex().is_some();
            self.document.view.colour = if is_complex { ColourBy::Plddt } else { ColourBy::Chain };
        }
    }
}

fn residue_text(topology: Option<&Topology>, residue: Option<usize>) -> String {
    let found = || {
        let topology = topology?;
        let residue = topology.residues.get(residue?)?;
        let chain = topology.chains.get(residue.chain as usize)?;
        Some(format!("{} {} {}", chain.id, residue.name, residue.number_text()))
    };
    found().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use kfold_molecule::structure::{Atom, Chain, Model, Residue};

    use super::*;

    /// A chain of alpha carbons; the second model is turned, its last residue moved, and it has one residue more.
    fn two_models() -> Structure {
        let model = |count: usize, positions: Vec<Vec3>| {
            let atoms = (0..count)
                .map(|index| Atom {
                    name: "CA".into(),
                    element: kfold_molecule::Element::C,
                    serial: index as i32,
                    altloc: None,
                    occupancy: 1.0,
                    formal_charge: 0,
                    residue: index as u32,
                })
                .collect();
            let residues = (0..count as u32)
                .map(|index| Residue {
                    name: "GLY".into(),
                    number: index as i32 + 1,
                    insertion_code: None,
                    sequence_index: None,
                    asym_id: "".into(),
                    is_hetero: false,
                    kind: kfold_molecule::ResidueKind::Protein,
                    atoms: index..index + 1,
                    chain: 0,
                })
                .collect();
            let chains = vec![Chain { id: "A".into(), residues: 0..count as u32 }];
            let topology = Arc::new(Topology { atoms, residues, chains, bonds: Vec::new() });
            Model { number: 1, topology, b_factors: vec![0.0; positions.len()], positions }
        };
        let first: Vec<Vec3> = (0..8).map(|index| helix(index as f32)).collect();
        let mut second: Vec<Vec3> =
            (0..9).map(|index| glam::Quat::from_rotation_y(1.0) * helix(index as f32) + Vec3::X).collect();
        second[7] += Vec3::Y * 3.0;
        Structure { name: String::new(), models: vec![model(8, first), model(9, second)] }
    }

    fn helix(index: f32) -> Vec3 {
        Vec3::new(2.3 * (1.745 * index).cos(), 2.3 * (1.745 * index).sin(), 1.5 * index)
    }

    #[test]
    fn models_that_differ_are_compared_by_what_they_share() {
        let ensemble = Ensemble::of(&two_models(), false).unwrap();
        assert_eq!(ensemble.structure.models.len(), 2);
        assert!(ensemble.structure.is_ensemble());
        assert_eq!(ensemble.followed.len(), 8);
        assert!(ensemble.rmsd[0] < 1e-3);
        // One of eight atoms is 3 Å off before the fit shares it out.
        assert!(ensemble.rmsd[1] > 0.6 && ensemble.rmsd[1] < 3.0 / 8_f32.sqrt(), "{}", ensemble.rmsd[1]);
        let highest = ensemble.rmsf.iter().copied().fold(0.0, f32::max);
        assert!((ensemble.rmsf[7] - highest).abs() < 1e-6, "{:?}", ensemble.rmsf);
        assert!(ensemble.rmsf[7] > 2.0 * ensemble.rmsf[3]);
    }

    #[test]
    fn what_cannot_be_compared_says_why() {
        assert!(Ensemble::of(&Structure::default(), false).is_err());
        let mut structure = two_models();
        for model in &mut structure.models {
            model.positions[0] = Vec3::NAN;
        }
        assert!(Ensemble::of(&structure, false).is_err());
    }
}
