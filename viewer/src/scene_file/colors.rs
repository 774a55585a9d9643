//! Colours of a scene file as words.

use kfold_molecule::Model;
use serde::{Deserialize, Serialize};

use crate::color::{CarbonColor, Color, Coloring};

/// A colouring by name: `chain`, `entity`, `secondary_structure`, `rainbow`, `residue_class`, `hydropathy`, `charge`,
/// `glycans`, `electrostatics`, `electrostatics:RANGE` (kcal/(mol e)), `plddt`, `plddt_scale`, `element`, `element:chain`,
/// `element:#rrggbb` (the colour of carbon), `b_factor`, `b_factor:LOW:HIGH`, `#rrggbb`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum ColorName {
    /// What [`Coloring`] has.
    Coloring(Coloring),
    /// From the lowest to the highest B-factor of the molecule.
    BFactorRange,
}

impl ColorName {
    pub(super) fn coloring(&self, model: &Model) -> Coloring {
        match self {
            Self::Coloring(coloring) => coloring.clone(),
            Self::BFactorRange => {
                let finite = || model.b_factors.iter().copied().filter(|value| value.is_finite());
                let (low, high) = (finite().fold(f32::INFINITY, f32::min), finite().fold(f32::NEG_INFINITY, f32::max));
                if low < high { Coloring::BFactor { low, high } } else { Coloring::BFactor { low: 0.0, high: 1.0 } }
            }
        }
    }
}

fn parse_color(text: &str) -> Option<Color> {
    let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6 && digits.is_ascii())?;
    u32::from_str_radix(digits, 16).ok().map(Color::hex)
}

/// A colour as `#rrggbb`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct HexColor(pub Color);

impl TryFrom<String> for HexColor {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        parse_color(&text).map(Self).ok_or_else(|| format!("`{text}` is no colour: write #rrggbb"))
    }
}

impl From<HexColor> for String {
    fn from(color: HexColor) -> Self {
        color_text(color.0)
    }
}

fn color_text(color: Color) -> String {
    format!("#{:02x}{:02x}{:02x}", color.r, color.g, color.b)
}

impl TryFrom<String> for ColorName {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let coloring = match text.as_str() {
            "chain" => Coloring::Chain,
            "entity" => Coloring::Entity,
            "secondary_structure" => Coloring::SecondaryStructure,
            "rainbow" => Coloring::Rainbow,
            "residue_class" => Coloring::ResidueClass,
            "hydropathy" => Coloring::Hydropathy,
            "charge" => Coloring::Charge,
            "glycans" => Coloring::Glycans,
            "electrostatics" => Coloring::Electrostatics { range: 10.0 },
            "plddt" => Coloring::Plddt,
            "plddt_scale" => Coloring::PlddtScale,
            "element" => Coloring::Element(CarbonColor::Grey),
            "element:chain" => Coloring::Element(CarbonColor::Chain),
            "b_factor" => return Ok(Self::BFactorRange),
            other => {
                let carbon = other.strip_prefix("element:").and_then(parse_color);
                let range = other.strip_prefix("b_factor:").and_then(|range| {
                    let (low, high) = range.split_once(':')?;
                    let (low, high) = (low.parse::<f32>().ok()?, high.parse::<f32>().ok()?);
                    (low.is_finite() && high.is_finite() && low < high).then_some(Coloring::BFactor { low, high })
                });
                let potential = other.strip_prefix("electrostatics:").and_then(|range| {
                    let range = range.parse::<f32>().ok()?;
                    (range.is_finite() && range > 0.0).then_some(Coloring::Electrostatics { range })
                });
                carbon
                    .map(|carbon| Coloring::Element(CarbonColor::Uniform(carbon)))
                    .or(range)
                    .or(potential)
                    .or_else(|| parse_color(other).map(Coloring::Uniform))
                    .ok_or_else(|| {
                        format!(
                            "no colour is called `{other}`; there are chain, entity, secondary_structure, rainbow, \
                             residue_class, hydropathy, charge, glycans, electrostatics, electrostatics:RANGE, plddt, \
                             plddt_scale, element, element:chain, element:#rrggbb, b_factor, b_factor:LOW:HIGH, \
                             #rrggbb"
                        )
                    })?
            }
        };
        Ok(Self::Coloring(coloring))
    }
}

impl From<ColorName> for String {
    fn from(name: ColorName) -> Self {
        let word = match name {
            ColorName::BFactorRange => "b_factor",
            ColorName::Coloring(coloring) => match coloring {
                Coloring::Chain => "chain",
                Coloring::Entity => "entity",
                Coloring::SecondaryStructure => "secondary_structure",
                Coloring::Rainbow => "rainbow",
                Coloring::ResidueClass => "residue_class",
                Coloring::Hydropathy => "hydropathy",
                Coloring::Charge => "charge",
                Coloring::Glycans => "glycans",
                Coloring::Electrostatics { range } => return format!("electrostatics:{range}"),
                Coloring::Plddt => "plddt",
                Coloring::PlddtScale => "plddt_scale",
                Coloring::Element(CarbonColor::Chain) => "element:chain",
                Coloring::Element(CarbonColor::Uniform(color)) => return format!("element:{}", color_text(color)),
                Coloring::BFactor { low, high } => return format!("b_factor:{low}:{high}"),
                Coloring::Uniform(color) => return color_text(color),
                // What needs more than a name is not read from files.
                _ => "element",
            },
        };
        word.to_owned()
    }
}

/// What lies behind everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Background {
    /// Nothing: the picture has alpha.
    Transparent,
    /// A colour.
    Color(Color),
}

impl TryFrom<String> for Background {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if text == "transparent" {
            return Ok(Self::Transparent);
        }
        parse_color(&text)
            .map(Self::Color)
            .ok_or_else(|| format!("`{text}` is no background: write transparent or #rrggbb"))
    }
}

impl From<Background> for String {
    fn from(background: Background) -> Self {
        match background {
            Background::Transparent => "transparent".into(),
            Background::Color(color) => color_text(color),
        }
    }
}
