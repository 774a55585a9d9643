//! Measuring between atoms that are clicked one after the other, and naming what is selected: lines and words over the
//! view.

use std::sync::Arc;

use egui::{Rect, Stroke, Ui};
use glam::Vec3;
use kfold_molecule::analysis::measurements::{angle, dihedral};
use kfold_viewer::{Color, Label, ObjectId, Pick};
use serde::{Deserialize, Serialize};

use super::app::Studio;
use super::theme::palette;

/// Atoms that are named at most; more words than this cover the molecule.
const MOST_LABELS: usize = 400;

/// Names stand this far above what they name, pixels.
const LABEL_RISE: f32 = 10.0;

/// What clicks in the view measure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Measuring {
    /// Nothing: they select.
    #[default]
    Off,
    /// Between two atoms.
    Distance,
    /// Over three.
    Angle,
    /// Over four.
    Dihedral,
}

impl Measuring {
    const ALL: [Self; 4] = [Self::Off, Self::Distance, Self::Angle, Self::Dihedral];

    const fn name(self) -> &'static str {
        match self {
            Self::Off => "measure-off",
            Self::Distance => "measure-distance",
            Self::Angle => "measure-angle",
            Self::Dihedral => "measure-dihedral",
        }
    }

    const fn atoms(self) -> usize {
        match self {
            Self::Off => 0,
            Self::Distance => 2,
            Self::Angle => 3,
            Self::Dihedral => 4,
        }
    }
}

/// What is named of what is selected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Labels {
    /// Nothing.
    #[default]
    Off,
    /// Residues.
    Residues,
    /// Atoms.
    Atoms,
}

impl Labels {
    const ALL: [Self; 3] = [Self::Off, Self::Residues, Self::Atoms];

    const fn name(self) -> &'static str {
        match self {
            Self::Off => "labels-off",
            Self::Residues => "labels-residues",
            Self::Atoms => "labels-atoms",
        }
    }
}

/// An atom of an object in the view.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Written", into = "Written")]
pub struct AtomPlace {
    /// The object.
    pub object: ObjectId,
    /// Its atom.
    pub atom: u32,
    /// In which copy.
    pub copy: u32,
}

/// As sessions hold it: those before there were copies know none.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Written {
    InCopy(ObjectId, u32, u32),
    Once(ObjectId, u32),
}

impl From<Written> for AtomPlace {
    fn from(written: Written) -> Self {
        let (object, atom, copy) = match written {
            Written::InCopy(object, atom, copy) => (object, atom, copy),
            Written::Once(object, atom) => (object, atom, 0),
        };
        Self { object, atom, copy }
    }
}

impl From<AtomPlace> for Written {
    fn from(place: AtomPlace) -> Self {
        Self::InCopy(place.object, place.atom, place.copy)
    }
}

/// A distance (two atoms), an angle (three) or a dihedral angle (four).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Measurement(pub Vec<AtomPlace>);

/// The value of a measurement with its unit: Å, or degrees.
fn value_text(points: &[Vec3]) -> Option<String> {
    match *points {
        [a, b] => Some(format!("{} Å", super::format::number(a.distance(b), 2))),
        [a, b, c] => Some(format!("{}°", super::format::number(angle(a, b, c).to_degrees(), 1))),
        [a, b, c, d] => Some(format!("{}°", super::format::number(dihedral(a, b, c, d).to_degrees(), 1))),
        _ => None,
    }
}

impl Studio {
    /// Takes the next atom of a measurement.
    pub(super) fn measure(&mut self, pick: &Pick) {
        let place = AtomPlace { object: pick.object, atom: pick.atom, copy: pick.copy };
        if self.measured.last() == Some(&place) {
            return;
        }
        self.measured.push(place);
        if self.measured.len() >= self.measuring.atoms() {
            let atoms = std::mem::take(&mut self.measured);
            self.document.measurements.push(Measurement(atoms));
        }
    }

    /// Choices of what is measured and what is named.
    pub(super) fn measuring_ui(&mut self, ui: &mut Ui) {
        let texts = Arc::clone(&self.texts);
        egui::ComboBox::from_id_salt("measuring")
            .selected_text(texts.get(self.measuring.name()))
            .width(104.0)
            .show_ui(ui, |ui| self.measuring_choices_ui(ui))
            .response
            .accessible_name(texts.get("measure-name"))
            .on_hover_text(texts.get("measure-hint"));
        egui::ComboBox::from_id_salt("labels")
            .selected_text(texts.get(self.document.labels.name()))
            .width(104.0)
            .show_ui(ui, |ui| self.label_choices_ui(ui))
            .response
            .accessible_name(texts.get("labels-name"))
            .on_hover_text(texts.get("labels-hint"));
    }

    /// What clicks measure.
    pub(super) fn measuring_choices_ui(&mut self, ui: &mut Ui) {
        let before = self.measuring;
        for choice in Measuring::ALL {
            ui.selectable_value(&mut self.measuring, choice, self.texts.get(choice.name()));
        }
        ui.separator();
        let clear = egui::Button::new(self.texts.get("measure-clear"));
        if ui.add_enabled(!self.document.measurements.is_empty(), clear).clicked() {
            self.document.measurements.clear();
            ui.close();
        }
        if before != self.measuring {
            self.measured.clear();
        }
    }

    /// What is written beside what is selected.
    pub(super) fn label_choices_ui(&mut self, ui: &mut Ui) {
        for choice in Labels::ALL {
            ui.selectable_value(&mut self.document.labels, choice, self.texts.get(choice.name()));
        }
    }

    /// The last measurement in words, for the strip below the view.
    pub(super) fn measurement_text(&self) -> Option<String> {
        let measurement = self.document.measurements.last()?;
        let points = self.points_of(&measurement.0)?;
        let name = |place: &AtomPlace| self.viewport.atom_text(&self.texts, place.object, place.atom);
        let names: Option<Vec<String>> = measurement.0.iter().map(name).collect();
        Some(format!("{}: {}", names?.join(" – "), value_text(&points)?))
    }

    fn points_of(&self, atoms: &[AtomPlace]) -> Option<Vec<Vec3>> {
        atoms.iter().map(|place| self.viewport.position_in(place.object, place.atom, place.copy)).collect()
    }

    /// Where the atoms of each measurement are, Å.
    pub(super) fn measured_points(&self) -> Vec<Vec<Vec3>> {
        self.document.measurements.iter().filter_map(|measurement| self.points_of(&measurement.0)).collect()
    }

    /// Names of what is selected, in black.
    pub(super) fn names(&self) -> Vec<Label> {
        let shift = glam::Vec2::new(0.0, LABEL_RISE);
        let named = self.viewport.labels(self.document.labels, MOST_LABELS).into_iter();
        named.map(|(point, text)| Label { shift, ..Label::new(point, text) }).collect()
    }

    /// Hands the view its lines with their values, and its names: the renderer draws them.
    pub(super) fn write_words(&mut self, ui: &Ui) {
        let colours = palette(ui);
        let (mut ink, mut ground, accent) = (screen(colours.text), screen(colours.view), screen(colours.accent));
        if self.viewport.ground(ground) != ground {
            ground = self.viewport.ground(ground);
            ink = Label::new(Vec3::ZERO, "").on_ground(ground).color;
        }
        let mut lines = Vec::new();
        let mut labels: Vec<Label> =
            self.names().into_iter().map(|label| Label { color: ink, outline: ground, ..label }).collect();
        for points in self.measured_points() {
            lines.extend(points.windows(2).map(|pair| [pair[0], pair[1]]));
            if let Some(text) = value_text(&points) {
                let middle = points.iter().sum::<Vec3>() / points.len() as f32;
                labels.push(Label { color: ink, outline: ground, ..Label::new(middle, text).on_top() });
            }
        }
        self.viewport.set_words(labels, lines, accent);
    }

    /// Rings around the atoms of a measurement that is not complete.
    pub(super) fn overlay_ui(&self, ui: &Ui, area: Rect) {
        let painter = ui.painter().with_clip_rect(area);
        let stroke = Stroke::new(1.6, palette(ui).accent);
        for point in self.points_of(&self.measured).unwrap_or_default() {
            if let Some(place) = self.viewport.project(point, area) {
                painter.circle_stroke(place, 7.0, stroke);
            }
        }
    }
}

fn screen(colour: egui::Color32) -> Color {
    Color::new(colour.r(), colour.g(), colour.b())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_have_units() {
        assert_eq!(value_text(&[Vec3::ZERO, Vec3::X * 2.706]).unwrap(), "2.71 Å");
        assert_eq!(value_text(&[Vec3::X, Vec3::ZERO, Vec3::Y]).unwrap(), "90.0°");
        let turned = [Vec3::X, Vec3::ZERO, Vec3::Z, Vec3::new(0.5, -(0.75_f32.sqrt()), 1.0)];
        assert_eq!(value_text(&turned).unwrap(), "−60.0°");
        assert_eq!(value_text(&[Vec3::X]), None);
    }

    #[test]
    fn measurements_of_older_sessions_are_read() {
        let old: Measurement = serde_json::from_str("[[1, 5], [2, 7]]").unwrap();
        assert_eq!(old.0[1], AtomPlace { object: 2, atom: 7, copy: 0 });
        let new = Measurement(vec![AtomPlace { object: 1, atom: 2, copy: 3 }]);
        assert_eq!(serde_json::from_str::<Measurement>(&serde_json::to_string(&new).unwrap()).unwrap(), new);
    }
}
