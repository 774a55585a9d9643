//! Words in the picture: names of residues and atoms, measured values.
//!
//! A label belongs to a point of the scene and is hidden by what lies before it, unless it is wanted on top. Letters come
//! from an atlas of signed distances (Green, SIGGRAPH 2007 courses): sharp at every size, with an outline of the ground's
//! colour from the same texture. The atlas is made of the letters that are asked for, so that it holds Hangul's eleven
//! thousand syllables without having them.

pub(crate) mod font;

use std::sync::Arc;

use glam::{Vec2, Vec3};
use kfold_molecule::Topology;
use kfold_molecule::analysis::measurements::{angle, dihedral};

use crate::color::{Color, Coloring};
use crate::scene::{AtomSelection, Representation, Shape};

/// The typeface of labels, and the window's: Pretendard, whose Latin and Hangul stand well beside each other.
pub static FONT: &[u8] = include_bytes!("../../assets/fonts/Pretendard-Regular.ttf");

/// A word at a place.
#[derive(Clone, Debug, PartialEq)]
pub struct Label {
    /// Where, Å.
    pub position: Vec3,
    /// One line.
    pub text: String,
    /// Of the letters.
    pub color: Color,
    /// Around the letters.
    pub outline: Color,
    /// Height of the line in pixels, at a line scale of 1.
    pub size: f32,
    /// From the place to the middle of the word, in pixels to the right and up, at a line scale of 1.
    pub shift: Vec2,
    /// Whether nothing hides it.
    pub is_on_top: bool,
}

impl Label {
    /// A dark word with a white outline.
    #[must_use]
    pub fn new(position: Vec3, text: impl Into<String>) -> Self {
        Self {
            position,
            text: text.into(),
            color: Color::hex(0x1c_2530),
            outline: Color::WHITE,
            size: 17.0,
            shift: Vec2::ZERO,
            is_on_top: false,
        }
    }

    /// The same for a ground of this colour: bright letters where it is dark.
    #[must_use]
    pub fn on_ground(self, ground: Color) -> Self {
        let brightness = ground.to_linear().dot(Vec3::new(0.2126, 0.7152, 0.0722));
        let color = if brightness < 0.18 { Color::hex(0xf2_f4f7) } else { self.color };
        Self { color, outline: ground, ..self }
    }

    /// The same, hidden by nothing.
    #[must_use]
    pub fn on_top(self) -> Self {
        Self { is_on_top: true, ..self }
    }
}

/// Labels of the residues that atoms belong to, at their alpha carbon (C4' of nucleotides), else at the first of the atoms.
#[must_use]
pub fn residue_labels(topology: &Topology, positions: &[Vec3], atoms: &AtomSelection) -> Vec<Label> {
    let mut labels = Vec::new();
    let mut last = None;
    for atom in atoms.indices(topology) {
        let held = topology.atoms[atom as usize].residue;
        if last.replace(held) == Some(held) {
            continue;
        }
        let residue = topology.residue_of(atom as usize);
        let guide = ["CA", "C4'"].iter().find_map(|name| topology.atom_named(residue, name));
        if let Some(&position) = positions.get(guide.unwrap_or(atom as usize)) {
            labels.push(Label::new(position, format!("{} {}", residue.name, residue.number_text())));
        }
    }
    labels
}

/// The distance of two points, the angle of three or the dihedral angle of four, with its unit.
#[must_use]
pub fn measured_value(points: &[Vec3]) -> Option<String> {
    let degrees = |radians: f32| format!("{:.1}°", radians.to_degrees()).replace('-', "\u{2212}");
    match *points {
        [a, b] => Some(format!("{:.2} Å", a.distance(b))),
        [a, b, c] => Some(degrees(angle(a, b, c))),
        [a, b, c, d] => Some(degrees(dihedral(a, b, c, d))),
        _ => None,
    }
}

/// The dashed lines and the value of a measurement; nothing for other than two to four points.
#[must_use]
pub fn measurement(points: &[Vec3], color: Color) -> Option<(Representation, Label)> {
    let text = measured_value(points)?;
    let lines = points.windows(2).map(|pair| [pair[0], pair[1]]).collect();
    let middle = points.iter().sum::<Vec3>() / points.len() as f32;
    let lines = Representation::new(Shape::Measured(Arc::new(lines)), Coloring::Uniform(color));
    Some((lines, Label { color, ..Label::new(middle, text).on_top() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_have_units() {
        assert_eq!(measured_value(&[Vec3::ZERO, Vec3::X * 2.706]).unwrap(), "2.71 Å");
        assert_eq!(measured_value(&[Vec3::X, Vec3::ZERO, Vec3::Y]).unwrap(), "90.0°");
        let turned = [Vec3::X, Vec3::ZERO, Vec3::Z, Vec3::new(0.5, -(0.75_f32.sqrt()), 1.0)];
        assert_eq!(measured_value(&turned).unwrap(), "\u{2212}60.0°");
        assert!(measurement(&[Vec3::X], Color::BLACK).is_none());
    }

    #[test]
    fn letters_stand_out_from_the_ground() {
        assert_eq!(Label::new(Vec3::ZERO, "a").on_ground(Color::BLACK).outline, Color::BLACK);
        assert!(Label::new(Vec3::ZERO, "a").on_ground(Color::BLACK).color.r > 200);
    }
}
