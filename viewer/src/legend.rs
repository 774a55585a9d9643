//! What the colours of a colouring mean, for whoever draws it beside the picture.

use kfold_molecule::analysis::interactions::InteractionKind;
use kfold_molecule::{Element, Topology};

use crate::color::{
    BLUE_WHITE_RED, CIVIDIS, Color, Coloring, HYDROPATHY, PLDDT_BANDS, RAINBOW, RED_WHITE_BLUE, chain_color,
    element_color, ribbon_color,
};
use crate::geometry::glycans;
use crate::residue_colors::{ResidueClass, entities, residue_classes};
use crate::ribbon::RibbonKind;

/// Chains and entities that a legend names; more would hide the picture.
const MOST_ENTRIES: usize = 12;

/// The meaning of colours.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Legend {
    /// There is nothing to say.
    #[default]
    Empty,
    /// A colour each.
    Classes(Vec<(Color, LegendEntry)>),
    /// Colours from low to high, evenly spaced.
    Ramp {
        /// The colours.
        stops: Vec<Color>,
        /// Value of the first.
        low: f32,
        /// Value of the last.
        high: f32,
    },
}

/// What a colour stands for.
#[derive(Clone, Debug, PartialEq)]
pub enum LegendEntry {
    /// Chains, or the names of ligands: words of the file.
    Named(String),
    /// An element.
    Element(Element),
    /// A helix, strand or coil.
    Ribbon(RibbonKind),
    /// A class of residues.
    Residues(ResidueClass),
    /// Interactions of a kind.
    Interaction(InteractionKind),
    /// Values above one (or all that are left) and up to another.
    Between(f32, f32),
    /// Entries that are left out.
    More(usize),
}

impl Legend {
    /// The legend of a colouring for these atoms.
    #[must_use]
    pub fn of(coloring: &Coloring, topology: &Topology) -> Self {
        let ramp = |stops: &[Color], low: f32, high: f32| Self::Ramp { stops: stops.to_vec(), low, high };
        match coloring {
            Coloring::Uniform(_) | Coloring::Atoms(_) => Self::Empty,
            Coloring::Glycans => {
                let mut entries: Vec<(Color, LegendEntry)> = Vec::new();
                for residue in &topology.residues {
                    let Some(color) = glycans::symbol_color(residue) else { continue };
                    let entry = (color, LegendEntry::Named(residue.name.to_string()));
                    if !entries.contains(&entry) {
                        entries.push(entry);
                    }
                }
                limited(entries)
            }
            Coloring::Element(_) => {
                let mut elements: Vec<Element> = topology.atoms.iter().map(|atom| atom.element).collect();
                elements.sort_unstable_by_key(|element| element.atomic_number());
                elements.dedup();
                let entry = |element: Element| (element_color(element), LegendEntry::Element(element));
                limited(elements.into_iter().map(entry).collect())
            }
            Coloring::Chain => {
                let chains = topology.chains.iter().enumerate();
                let entry = |(index, chain): (usize, &kfold_molecule::Chain)| {
                    (chain_color(index), LegendEntry::Named(chain.id.to_string()))
                };
                limited(chains.map(entry).collect())
            }
            Coloring::Entity => limited(entity_entries(topology)),
            Coloring::SecondaryStructure => Self::Classes(
                [RibbonKind::Helix, RibbonKind::Strand, RibbonKind::Coil]
                    .map(|kind| (ribbon_color(kind), LegendEntry::Ribbon(kind)))
                    .to_vec(),
            ),
            Coloring::ResidueClass => {
                let present = residue_classes(topology);
                let classes = ResidueClass::ALL.into_iter().filter(|class| present.contains(class));
                Self::Classes(classes.map(|class| (class.color(), LegendEntry::Residues(class))).collect())
            }
            Coloring::Plddt => {
                let upper = [100.0].into_iter().chain(PLDDT_BANDS.iter().map(|(bound, _)| *bound));
                let bands = PLDDT_BANDS.iter().zip(upper);
                Self::Classes(
                    bands
                        .map(|((lower, color), upper)| (*color, LegendEntry::Between(lower.max(0.0), upper)))
                        .collect(),
                )
            }
            Coloring::PlddtScale => ramp(&CIVIDIS, 50.0, 100.0),
            Coloring::Rainbow => ramp(&RAINBOW, 0.0, 1.0),
            Coloring::BFactor { low, high } => ramp(&BLUE_WHITE_RED, *low, *high),
            Coloring::Hydropathy => ramp(&HYDROPATHY, -4.5, 4.5),
            Coloring::Charge => ramp(&RED_WHITE_BLUE, -1.0, 1.0),
            Coloring::Electrostatics { range } => ramp(&RED_WHITE_BLUE, -range, *range),
            Coloring::Values { low, high, ramp: stops, .. } => {
                ramp(if stops.is_empty() { &BLUE_WHITE_RED } else { stops }, *low, *high)
            }
        }
    }
}

fn limited(mut entries: Vec<(Color, LegendEntry)>) -> Legend {
    if entries.len() > MOST_ENTRIES {
        let more = entries.len() + 1 - MOST_ENTRIES;
        entries.truncate(MOST_ENTRIES - 1);
        entries.push((crate::color::UNKNOWN, LegendEntry::More(more)));
    }
    Legend::Classes(entries)
}

/// The entities by their chains, or by the name of what is no polymer.
fn entity_entries(topology: &Topology) -> Vec<(Color, LegendEntry)> {
    let mut names: Vec<Vec<&str>> = Vec::new();
    for (residue, entity) in topology.residues.iter().zip(entities(topology)) {
        if names.len() <= entity {
            names.resize(entity + 1, Vec::new());
        }
        let name = if residue.is_polymer() { &topology.chain_of(residue).id } else { &residue.name };
        if !names[entity].contains(&name.as_str()) {
            names[entity].push(name);
        }
    }
    let entry = |(index, names): (usize, Vec<&str>)| (chain_color(index), LegendEntry::Named(names.join(", ")));
    names.into_iter().enumerate().map(entry).collect()
}

#[cfg(test)]
mod tests {
    use kfold_molecule::formats::pdb;

    use super::*;

    #[test]
    fn legends_name_what_is_there() {
        let line = |serial: usize, name: &str, chain: char| {
            format!("ATOM  {serial:5}  CA  {name} {chain}{serial:4}    {:8.3}   0.000   0.000\n", serial as f32 * 9.0)
        };
        let text: String = ('A'..='T').enumerate().map(|(index, chain)| line(index + 1, "GLY", chain)).collect();
        let structure = pdb::read(text.as_bytes()).unwrap();
        let topology = &structure.models[0].topology;
        let Legend::Classes(chains) = Legend::of(&Coloring::Chain, topology) else { panic!() };
        assert_eq!(chains.len(), MOST_ENTRIES);
        assert_eq!(chains[11].1, LegendEntry::More(9));
        let Legend::Classes(entities) = Legend::of(&Coloring::Entity, topology) else { panic!() };
        assert_eq!(entities.len(), 1);
        assert!(matches!(&entities[0].1, LegendEntry::Named(names) if names.starts_with("A, B, C")));
        let Legend::Classes(classes) = Legend::of(&Coloring::ResidueClass, topology) else { panic!() };
        assert_eq!(classes, [(ResidueClass::Small.color(), LegendEntry::Residues(ResidueClass::Small))]);
        let Legend::Classes(bands) = Legend::of(&Coloring::Plddt, topology) else { panic!() };
        assert_eq!(bands[0].1, LegendEntry::Between(90.0, 100.0));
        assert_eq!(bands[3].1, LegendEntry::Between(0.0, 50.0));
        assert!(matches!(Legend::of(&Coloring::Charge, topology), Legend::Ramp { low: -1.0, high: 1.0, .. }));
    }
}
