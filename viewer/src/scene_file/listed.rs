//! What a scene file lists for each atom, and where copies stand: what the window writes and nobody by hand.

use std::fmt;
use std::sync::Arc;

use glam::{Mat4, Quat, Vec3};
use kfold_molecule::{Model, Selection};
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess, Visitor};
use serde::{Deserialize, Serialize};

use super::colors::{ColorName, HexColor};
use crate::color::Coloring;
use crate::scene::Putty;

/// A value, none where it is not known, and how many atoms in a row have it.
type Run = (Option<f32>, u32);

/// Values of one's own (RMSF, a difference), atom by atom.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListedValues {
    /// Values and how many atoms in a row have each; atoms beyond have none.
    pub values: Vec<Run>,
    /// Of the first colour, or of the thinnest tube.
    pub low: f32,
    /// Of the last colour, or of the thickest tube.
    pub high: f32,
    /// Colours from low to high; blue, white, red where nothing is said. Tubes have none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ramp: Vec<HexColor>,
}

impl ListedValues {
    pub(super) fn of(values: &[f32], low: f32, high: f32, ramp: &[crate::Color]) -> Self {
        let mut runs: Vec<Run> = Vec::new();
        for value in values.iter().map(|value| Some(*value).filter(|value| value.is_finite())) {
            match runs.last_mut() {
                Some((held, count)) if *held == value => *count += 1,
                _ => runs.push((value, 1)),
            }
        }
        Self { values: runs, low, high, ramp: ramp.iter().copied().map(HexColor).collect() }
    }

    fn of_atoms(&self, model: &Model) -> Arc<Vec<f32>> {
        Arc::new(unrolled(&self.values, model).map(|value| value.unwrap_or(f32::NAN)).collect())
    }

    pub(super) fn putty(&self, model: &Model) -> Putty {
        Putty { values: self.of_atoms(model), thin: self.low, thick: self.high }
    }

    /// Whether every number can be drawn.
    pub(super) fn is_sane(&self) -> bool {
        self.low.is_finite() && self.high.is_finite() && self.low != self.high && self.ramp.len() <= 64
    }
}

/// What stands in the runs, no longer than the atoms of the model: a file may claim any length.
fn unrolled<T: Copy>(runs: &[(T, u32)], model: &Model) -> impl Iterator<Item = T> {
    let atoms = runs.iter().flat_map(|(value, count)| std::iter::repeat_n(*value, *count as usize));
    atoms.take(model.positions.len())
}

/// Colours of one's own, atom by atom.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListedColors {
    /// Colours and how many atoms in a row have each; atoms beyond are grey.
    pub colors: Vec<(HexColor, u32)>,
}

/// The colours of a representation.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum ColorEntry {
    /// By name.
    Name(ColorName),
    /// Values along a ramp.
    Values(ListedValues),
    /// Atom by atom.
    Atoms(ListedColors),
}

impl<'de> Deserialize<'de> for ColorEntry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entry;
        impl<'de> Visitor<'de> for Entry {
            type Value = ColorEntry;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("the name of a colour, or values or colors for each atom")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<ColorEntry, E> {
                ColorName::try_from(text.to_owned()).map(ColorEntry::Name).map_err(E::custom)
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<ColorEntry, A::Error> {
                #[derive(Deserialize)]
                #[serde(deny_unknown_fields)]
                struct Either {
                    values: Option<Vec<Run>>,
                    low: Option<f32>,
                    high: Option<f32>,
                    #[serde(default)]
                    ramp: Vec<HexColor>,
                    colors: Option<Vec<(HexColor, u32)>>,
                }
                let read = Either::deserialize(MapAccessDeserializer::new(map))?;
                match (read.values, read.colors) {
                    (Some(values), None) => Ok(ColorEntry::Values(ListedValues {
                        values,
                        low: read.low.ok_or_else(|| A::Error::missing_field("low"))?,
                        high: read.high.ok_or_else(|| A::Error::missing_field("high"))?,
                        ramp: read.ramp,
                    })),
                    (None, Some(colors)) => Ok(ColorEntry::Atoms(ListedColors { colors })),
                    _ => Err(A::Error::custom("a colour needs either `values` or `colors`")),
                }
            }
        }
        deserializer.deserialize_any(Entry)
    }
}

impl ColorEntry {
    pub(super) fn coloring(&self, model: &Model) -> Coloring {
        match self {
            Self::Name(name) => name.coloring(model),
            Self::Values(listed) => Coloring::Values {
                values: listed.of_atoms(model),
                low: listed.low,
                high: listed.high,
                ramp: listed.ramp.iter().map(|color| color.0).collect(),
            },
            Self::Atoms(listed) => {
                let colors = unrolled(&listed.colors, model).map(|color| color.0).collect();
                Coloring::Atoms(Arc::new(colors))
            }
        }
    }

    pub(super) fn of(coloring: &Coloring) -> Self {
        match coloring {
            Coloring::Values { values, low, high, ramp } => Self::Values(ListedValues::of(values, *low, *high, ramp)),
            Coloring::Atoms(colors) => {
                let mut runs: Vec<(HexColor, u32)> = Vec::new();
                for color in colors.iter().copied() {
                    match runs.last_mut() {
                        Some((held, count)) if held.0 == color => *count += 1,
                        _ => runs.push((HexColor(color), 1)),
                    }
                }
                Self::Atoms(ListedColors { colors: runs })
            }
            other => Self::Name(ColorName::Coloring(other.clone())),
        }
    }
}

/// Where a copy of a molecule stands: turned, then moved.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CopyEntry {
    /// A quaternion x, y, z, w.
    pub rotation: Quat,
    /// Å.
    pub translation: Vec3,
}

impl CopyEntry {
    pub(super) fn of(place: &Mat4) -> Self {
        let (_, rotation, translation) = place.to_scale_rotation_translation();
        Self { rotation, translation }
    }

    pub(super) fn place(&self) -> Mat4 {
        Mat4::from_rotation_translation(self.rotation.normalize(), self.translation)
    }

    /// What is wrong with it.
    pub(super) fn fault(&self) -> Option<&'static str> {
        if !self.translation.is_finite() || self.translation.length() > 1.0e7 {
            return Some("a translation is farther than 10,000,000 Å");
        }
        (!(0.99..=1.01).contains(&self.rotation.length()))
            .then_some("a rotation is no quaternion x, y, z, w of length 1")
    }
}

/// What a measurement is taken from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum MeasuredPlace {
    /// A place, Å.
    Point(Vec3),
    /// The middle of atoms.
    Atoms(Selection),
}
