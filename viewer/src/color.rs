//! Colours and how atoms get them.
//!
//! Colours are sRGB as everybody writes them; shaders turn them into linear light. Sets: elements follow the convention
//! begun by Corey, Pauling and Koltun with tones softened for a lit scene; chains and secondary structure are chosen to
//! stay apart for colour-blind eyes as well (after Okabe & Ito, 2002); the pLDDT bands are those of the AlphaFold
//! database.

use std::sync::Arc;

use glam::Vec3;
use kfold_molecule::analysis::interactions::InteractionKind;
use kfold_molecule::{Element, Topology};
use serde::{Deserialize, Serialize};

use crate::geometry::glycans;
use crate::residue_colors::{ResidueClass, charges, entities, hydropathies, residue_classes};
use crate::ribbon::{self, RibbonKind};
use crate::scene::Object;

/// An sRGB colour, 8 bits a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Color {
    /// Red.
    pub r: u8,
    /// Green.
    pub g: u8,
    /// Blue.
    pub b: u8,
}

impl Color {
    /// White.
    pub const WHITE: Self = Self::new(255, 255, 255);
    /// Black.
    pub const BLACK: Self = Self::new(0, 0, 0);

    /// From its channels.
    #[must_use]
    pub const fn new(r: u8, g: u8, b: u8) -> Self {
        Self { r, g, b }
    }

    /// From `0xRRGGBB`.
    #[must_use]
    pub const fn hex(value: u32) -> Self {
        Self::new((value >> 16) as u8, (value >> 8) as u8, value as u8)
    }

    /// As the shaders read it: red in the lowest byte.
    #[must_use]
    pub(crate) const fn packed(self) -> u32 {
        0xff00_0000 | (self.b as u32) << 16 | (self.g as u32) << 8 | self.r as u32
    }

    /// Channels 0-1, still sRGB.
    #[must_use]
    pub fn to_vec3(self) -> Vec3 {
        Vec3::new(f32::from(self.r), f32::from(self.g), f32::from(self.b)) / 255.0
    }

    /// Channels as linear light, 0-1.
    #[must_use]
    pub fn to_linear(self) -> Vec3 {
        let channel = |value: u8| {
            let value = f32::from(value) / 255.0;
            if value <= 0.040_45 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        };
        Vec3::new(channel(self.r), channel(self.g), channel(self.b))
    }

    /// The colour a fraction of the way to another.
    #[must_use]
    pub fn mix(self, other: Self, fraction: f32) -> Self {
        let mixed = self.to_vec3().lerp(other.to_vec3(), fraction.clamp(0.0, 1.0)) * 255.0 + 0.5;
        Self::new(mixed.x as u8, mixed.y as u8, mixed.z as u8)
    }

    /// Along a list of evenly spaced stops, `fraction` 0-1.
    #[must_use]
    pub fn ramp(stops: &[Self], fraction: f32) -> Self {
        let Some(last) = stops.len().checked_sub(1) else { return Self::WHITE };
        let place = if fraction.is_finite() { fraction.clamp(0.0, 1.0) } else { 0.0 } * last as f32;
        let index = (place as usize).min(last.saturating_sub(1));
        let next = (index + 1).min(last);
        stops[index].mix(stops[next], place - index as f32)
    }
}

/// The colour of carbon where atoms are coloured by element.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CarbonColor {
    /// Grey.
    #[default]
    Grey,
    /// One colour for all.
    Uniform(Color),
    /// The chain's colour, lighter.
    Chain,
}

/// How a representation is coloured.
#[derive(Clone, Debug, PartialEq)]
pub enum Coloring {
    /// By element, with the colour of carbon to choose.
    Element(CarbonColor),
    /// By chain.
    Chain,
    /// By secondary structure.
    SecondaryStructure,
    /// From the first residue of each chain to its last, blue to red.
    Rainbow,
    /// By the B-factor column, from low (blue) to high (red); Å².
    BFactor {
        /// Value drawn in blue.
        low: f32,
        /// Value drawn in red.
        high: f32,
    },
    /// The B-factor column as pLDDT 0-100 in the bands of the AlphaFold database.
    Plddt,
    /// The same along a continuous scale from 50 to 100 that colour-blind eyes can read.
    PlddtScale,
    /// By entity: chains of one sequence have one colour, ligands of one name have one.
    Entity,
    /// By class of the residue ([`crate::ResidueClass`]).
    ResidueClass,
    /// Amino acids by hydropathy, those that like water in blue-green to those that do not in brown.
    Hydropathy,
    /// By charge of the residue, negative in red, positive in blue.
    Charge,
    /// Surfaces by the electrostatic potential 1.4 Å outside (Coulomb's law with a dielectric of 4 r), negative in red,
    /// positive in blue; what is no surface by charge of the residue.
    Electrostatics {
        /// Potential of the strongest colours, kcal/(mol e).
        range: f32,
    },
    /// Values of one's own, one for each atom (RMSF, charges), low to high along the ramp; blue, white, red when the
    /// ramp is empty.
    Values {
        /// One for each atom; atoms beyond the list are grey.
        values: Arc<Vec<f32>>,
        /// Value of the first colour.
        low: f32,
        /// Value of the last colour.
        high: f32,
        /// Colours from low to high, evenly spaced.
        ramp: Vec<Color>,
    },
    /// Carbohydrates in the colours of their SNFG symbols, all else grey.
    Glycans,
    /// Colours of one's own, one for each atom; atoms beyond the list are grey.
    Atoms(Arc<Vec<Color>>),
    /// One colour.
    Uniform(Color),
}

/// Chains in order take these; after the last it begins again.
pub const CHAIN_COLORS: [Color; 12] = [
    Color::hex(0x6f9fd8),
    Color::hex(0xe8a75c),
    Color::hex(0x74b587),
    Color::hex(0xcf7f9f),
    Color::hex(0x9a86c9),
    Color::hex(0xd9c65f),
    Color::hex(0x5fb5b5),
    Color::hex(0xd9795f),
    Color::hex(0xa3b86c),
    Color::hex(0x7f8fb5),
    Color::hex(0xc59a78),
    Color::hex(0xb0b0b8),
];

/// First residue to last.
pub const RAINBOW: [Color; 6] = [
    Color::hex(0x3d5fc4),
    Color::hex(0x3fa7d6),
    Color::hex(0x59c08a),
    Color::hex(0xe3d05a),
    Color::hex(0xee9b4a),
    Color::hex(0xd9483b),
];

/// Low, middle, high.
pub const BLUE_WHITE_RED: [Color; 3] = [Color::hex(0x3b6fc4), Color::hex(0xf2f0eb), Color::hex(0xc9402f)];

/// Negative, neutral, positive.
pub const RED_WHITE_BLUE: [Color; 3] = [Color::hex(0xc9402f), Color::hex(0xf2f0eb), Color::hex(0x3b6fc4)];

/// Hydrophilic, between, hydrophobic: apart in lightness too.
pub const HYDROPATHY: [Color; 3] = [Color::hex(0x2a8f9c), Color::hex(0xf1efe6), Color::hex(0xa8702a)];

/// Cividis (Nunez, Anderton & Renslow, PLoS ONE 2018, 13, e0199239): one scale for all eyes.
pub const CIVIDIS: [Color; 5] =
    [Color::hex(0x00224e), Color::hex(0x414d6b), Color::hex(0x7c7b78), Color::hex(0xbcae6c), Color::hex(0xfee838)];

/// Of values that a colouring does not know, and of atoms that it says nothing about.
pub const UNKNOWN: Color = Color::hex(0xa0a0a0);

/// Bands of pLDDT: lower bound and colour, best first.
pub const PLDDT_BANDS: [(f32, Color); 4] = [
    (90.0, Color::hex(0x0053d6)),
    (70.0, Color::hex(0x65cbf3)),
    (50.0, Color::hex(0xffdb13)),
    (f32::NEG_INFINITY, Color::hex(0xff7d45)),
];

/// The colour of a pLDDT value, 0-100.
#[must_use]
pub fn plddt_color(value: f32) -> Color {
    PLDDT_BANDS.iter().find(|(bound, _)| value > *bound).map_or(UNKNOWN, |band| band.1)
}

/// The colour of a chain by its index in the topology.
#[must_use]
pub fn chain_color(index: usize) -> Color {
    CHAIN_COLORS[index % CHAIN_COLORS.len()]
}

/// The colour of a helix, strand or coil.
#[must_use]
pub fn ribbon_color(kind: RibbonKind) -> Color {
    match kind {
        RibbonKind::Helix => Color::hex(0xd96b6b),
        RibbonKind::Strand => Color::hex(0xe8c25a),
        RibbonKind::Coil => Color::hex(0xb9c0c9),
    }
}

/// The colour of an interaction, the same in the view and in tables.
#[must_use]
pub fn interaction_color(kind: InteractionKind) -> Color {
    match kind {
        InteractionKind::HydrogenBond => Color::hex(0x2f7fd1),
        InteractionKind::WaterBridge => Color::hex(0x4fb6c9),
        InteractionKind::SaltBridge => Color::hex(0xd9a520),
        InteractionKind::PiStacking => Color::hex(0x4fa35a),
        InteractionKind::CationPi => Color::hex(0xd9722e),
        InteractionKind::HalogenBond => Color::hex(0x2fb5a0),
        InteractionKind::Hydrophobic => Color::hex(0x9a9a9a),
        InteractionKind::Metal => Color::hex(0x9a5fc4),
        InteractionKind::WeakHydrogenBond => Color::hex(0x9fc3e6),
        InteractionKind::Clash => Color::hex(0xd92f4f),
    }
}

/// The colour of an element; carbon is grey.
#[must_use]
pub fn element_color(element: Element) -> Color {
    const FIRST: [u32; 55] = [
        0xc8c8c8, // unknown
        0xf2f2f2, 0xd9ffff, 0xb98ae0, 0xb2d96b, 0xf0a8a0, 0x909499, 0x3f62d6, 0xe0402f, 0x8fd45f,
        0xa8dcec, // H-Ne
        0x9c6be0, 0x7fcf3f, 0xb0a0a0, 0xe0bf8f, 0xf08a2a, 0xe8c53a, 0x3fc04a, 0x80d1e3, // Na-Ar
        0x8b4fd0, 0x57c03a, 0xe0e0e0, 0xb8bcc2, 0xa0a4aa, 0x8a99c7, 0x9c7ac7, 0xd9703a, 0xe08a9a, 0x57c960, 0xc88033,
        0x7f83b0, 0xb88a8a, 0x668f8f, 0xb880d9, 0xf0a020, 0xa0372f, 0x5cb8d1, // K-Kr
        0x702eb0, 0x3ad020, 0x94e0e0, 0x94d0d0, 0x73b8c0, 0x54a8b0, 0x3b9898, 0x248888, 0x0a7d8c, 0x066a85, 0xc0c0c0,
        0xe0c070, 0xa67573, 0x668080, 0x9e63b5, 0xc87a1a, 0x8a2aa0, 0x429eb0, // Rb-Xe
    ];
    let number = usize::from(element.atomic_number());
    match number {
        78 => Color::hex(0xd0d0e0),
        79 => Color::hex(0xf0c840),
        80 => Color::hex(0xb8b8d0),
        82 => Color::hex(0x575961),
        57..=71 => Color::hex(0x70c8b8),
        89..=103 => Color::hex(0x3f90d0),
        _ => FIRST.get(number).map_or(Color::hex(0xb0a8b8), |&value| Color::hex(value)),
    }
}

/// What colouring reads besides the topology.
pub(crate) struct ColoringInput<'a> {
    pub topology: &'a Topology,
    pub b_factors: &'a [f32],
    /// One for each residue; may be empty when the colouring does not ask for it.
    pub ribbon_kinds: &'a [RibbonKind],
}

/// The colours that an object's atoms have in a colouring, one each.
#[must_use]
pub fn colors_of_atoms(coloring: &Coloring, object: &Object) -> Vec<Color> {
    let kinds = match &object.ribbon_kinds {
        Some(kinds) => kinds.to_vec(),
        None if *coloring == Coloring::SecondaryStructure => ribbon::assign(&object.topology, &object.positions),
        None => Vec::new(),
    };
    let input = ColoringInput { topology: &object.topology, b_factors: &object.b_factors, ribbon_kinds: &kinds };
    let unpacked = |packed: u32| Color::new(packed as u8, (packed >> 8) as u8, (packed >> 16) as u8);
    atom_colors(coloring, &input).into_iter().map(unpacked).collect()
}

/// The packed colour of every atom.
pub(crate) fn atom_colors(coloring: &Coloring, input: &ColoringInput<'_>) -> Vec<u32> {
    let topology = input.topology;
    let chain_of = |atom: usize| {
        topology.residues.get(topology.atoms[atom].residue as usize).map_or(0, |residue| residue.chain as usize)
    };
    let ramped = |value: f32, low: f32, high: f32, ramp: &[Color]| {
        let span = if (high - low).abs() < 1e-6 { 1.0 } else { high - low };
        Color::ramp(ramp, (value - low) / span)
    };
    let of_residues = residue_colors(coloring, topology);
    (0..topology.atoms.len())
        .map(|atom| {
            let color = match coloring {
                Coloring::Element(carbon) => match (topology.atoms[atom].element, carbon) {
                    (Element::C, CarbonColor::Uniform(color)) => *color,
                    // Lighter than the ribbon, so that side chains stand out against it.
                    (Element::C, CarbonColor::Chain) => chain_color(chain_of(atom)).mix(Color::WHITE, 0.35),
                    (element, _) => element_color(element),
                },
                Coloring::Chain => chain_color(chain_of(atom)),
                Coloring::SecondaryStructure => ribbon_color(
                    input.ribbon_kinds.get(topology.atoms[atom].residue as usize).copied().unwrap_or(RibbonKind::Coil),
                ),
                Coloring::Rainbow
                | Coloring::Entity
                | Coloring::ResidueClass
                | Coloring::Hydropathy
                | Coloring::Charge
                | Coloring::Electrostatics { .. } => {
                    of_residues.get(topology.atoms[atom].residue as usize).copied().unwrap_or(UNKNOWN)
                }
                Coloring::BFactor { low, high } => {
                    ramped(input.b_factors.get(atom).copied().unwrap_or(*low), *low, *high, &BLUE_WHITE_RED)
                }
                Coloring::Plddt => plddt_color(input.b_factors.get(atom).copied().unwrap_or(f32::NAN)),
                Coloring::PlddtScale => {
                    ramped(input.b_factors.get(atom).copied().unwrap_or(50.0), 50.0, 100.0, &CIVIDIS)
                }
                Coloring::Values { values, low, high, ramp } => match values.get(atom) {
                    Some(&value) if value.is_finite() => {
                        ramped(value, *low, *high, if ramp.is_empty() { &BLUE_WHITE_RED } else { ramp })
                    }
                    _ => UNKNOWN,
                },
                Coloring::Glycans => glycans::atom_color(topology, atom).unwrap_or(UNKNOWN),
                Coloring::Atoms(colors) => colors.get(atom).copied().unwrap_or(UNKNOWN),
                Coloring::Uniform(color) => *color,
            };
            color.packed()
        })
        .collect()
}

/// The colour of every residue, for colourings that go by residue and nothing else; else none.
fn residue_colors(coloring: &Coloring, topology: &Topology) -> Vec<Color> {
    match coloring {
        Coloring::Rainbow => {
            rainbow_fractions(topology).into_iter().map(|place| Color::ramp(&RAINBOW, place)).collect()
        }
        Coloring::Entity => entities(topology).into_iter().map(chain_color).collect(),
        Coloring::ResidueClass => residue_classes(topology).into_iter().map(ResidueClass::color).collect(),
        Coloring::Hydropathy => hydropathies(topology)
            .into_iter()
            .map(|value| value.map_or(UNKNOWN, |value| Color::ramp(&HYDROPATHY, (value + 4.5) / 9.0)))
            .collect(),
        Coloring::Charge | Coloring::Electrostatics { .. } => {
            charges(topology).into_iter().map(|charge| Color::ramp(&RED_WHITE_BLUE, 0.5 * (charge + 1.0))).collect()
        }
        _ => Vec::new(),
    }
}

/// Each residue's place along the polymer of its chain, 0-1.
fn rainbow_fractions(topology: &Topology) -> Vec<f32> {
    let mut fractions = vec![0.0; topology.residues.len()];
    for chain in &topology.chains {
        let range = chain.residues.start as usize..(chain.residues.end as usize).min(topology.residues.len());
        let polymer = topology.residues[range.clone()].iter().filter(|residue| residue.is_polymer()).count();
        let last = polymer.max(2) as f32 - 1.0;
        let mut seen = 0.0;
        for index in range {
            fractions[index] = (seen / last).min(1.0);
            if topology.residues[index].is_polymer() {
                seen += 1.0;
            }
        }
    }
    fractions
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ramps_meet_their_stops() {
        assert_eq!(Color::ramp(&RAINBOW, 0.0), RAINBOW[0]);
        assert_eq!(Color::ramp(&RAINBOW, 1.0), RAINBOW[5]);
        assert_eq!(Color::ramp(&RAINBOW, f32::NAN), RAINBOW[0]);
        assert_eq!(Color::ramp(&[], 0.5), Color::WHITE);
    }

    #[test]
    fn plddt_bands() {
        assert_eq!(plddt_color(95.0), Color::hex(0x0053d6));
        assert_eq!(plddt_color(90.0), Color::hex(0x65cbf3));
        assert_eq!(plddt_color(12.0), Color::hex(0xff7d45));
    }

    #[test]
    fn every_element_has_a_colour() {
        for number in 0..=118 {
            let color = element_color(Element::from_atomic_number(number));
            assert!(u32::from(color.r) + u32::from(color.g) + u32::from(color.b) > 100, "element {number}");
        }
    }
}
