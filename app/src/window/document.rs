//! What the user edits: the query, its settings and how the result is looked at.
//!
//! Everything in [`Document`] is undone and redone; everything derived from it (read files, pictures, meshes) is not in
//! it but in caches keyed by it. Paths are absolute while the document is open and become relative on saving.

use kfold_inference::query::{Entity, Ligand, LigandSource, Pocket, Polymer, Query};
use kfold_inference::settings::Settings;
use kfold_molecule::Selection;
use kfold_viewer::{BaseStyle, Camera, Preset, Stereo};
use serde::{Deserialize, Serialize};

use super::measure::{Labels, Measurement};
use super::series::LigandNotes;

/// Å added around a ligand or residues when the user does not say.
pub const DEFAULT_PADDING: f32 = 8.0;
/// Edge in Å of a box that the user starts from nothing.
pub const DEFAULT_BOX_EDGE: f32 = 22.0;

/// The edited state. What a saved one lacks, because it was written before there was such a thing, is as in a new one.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Document {
    /// What to predict.
    pub query: Query,
    /// How.
    pub settings: Settings,
    /// Whether the engine is chosen when the prediction starts: K-Fold here, else on a server, else docking.
    pub is_automatic: bool,
    /// How it is drawn.
    pub view: ViewSettings,
    /// Which atoms are outlined, in the words of `molecule::selection`, as typed.
    pub selection: String,
    /// What of them is named in the view.
    pub labels: Labels,
    /// Distances and angles in the view.
    pub measurements: Vec<Measurement>,
    /// Where the view is taken from; none until something is in it.
    pub camera: Option<Camera>,
    /// Views that are kept.
    pub saved_views: Vec<SavedView>,
    /// The user's notes.
    pub notes: String,
    /// What the user wrote about ligands of a series.
    pub ligand_notes: LigandNotes,
}

/// How the polymer is drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Representation {
    /// Ribbons, sheets with arrows.
    #[default]
    Cartoon,
    /// Balls for atoms, sticks for bonds.
    BallAndStick,
    /// Bonds as sticks.
    Sticks,
    /// Bonds as lines.
    Lines,
    /// Van der Waals spheres.
    Spheres,
    /// The solvent-excluded surface.
    Surface,
}

impl Representation {
    /// All in the order of the menu.
    pub const ALL: [Self; 6] =
        [Self::Cartoon, Self::BallAndStick, Self::Sticks, Self::Lines, Self::Spheres, Self::Surface];
}

/// How the backbone of a cartoon is drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Backbone {
    /// Ribbons with arrows.
    #[default]
    Ribbon,
    /// Helices as tubes.
    TubularHelices,
    /// Straight from CA to CA.
    Trace,
    /// A tube as thick as the B-factors are high.
    PuttyBFactor,
    /// A tube as thick as pLDDT is low.
    PuttyPlddt,
    /// A tube as thick as residues fluctuate over the models of an ensemble.
    PuttyFluctuation,
}

impl Backbone {
    /// All in the order of the menu.
    pub const ALL: [Self; 6] =
        [Self::Ribbon, Self::TubularHelices, Self::Trace, Self::PuttyBFactor, Self::PuttyPlddt, Self::PuttyFluctuation];
}

/// Which part of the molecular surface is drawn around the molecule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum SurfacePart {
    /// None.
    #[default]
    Off,
    /// That of the pocket around the ligand.
    Pocket,
    /// All of it.
    Whole,
}

impl SurfacePart {
    /// All in the order of the menu.
    pub const ALL: [Self; 3] = [Self::Off, Self::Pocket, Self::Whole];
}

/// How surfaces are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SurfaceSettings {
    /// Which part is drawn beside the representation.
    pub part: SurfacePart,
    /// Gaussian, in place of the solvent-excluded surface.
    pub gaussian: bool,
    /// The net of its edges.
    pub net: bool,
    /// Surfaces of cavities inside too.
    pub cavities: bool,
    /// 0-1.
    pub opacity: f32,
    /// What its colours mean, where they are others than those of the molecule.
    pub colour: Option<ColourBy>,
}

impl Default for SurfaceSettings {
    fn default() -> Self {
        Self { part: SurfacePart::Off, gaussian: false, net: false, cavities: false, opacity: 1.0, colour: None }
    }
}

/// A place to look from that is kept under a name, with how things are drawn there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SavedView {
    /// Its name.
    pub name: String,
    /// Where from.
    pub camera: Camera,
    /// How things are drawn.
    pub view: ViewSettings,
    /// What is selected.
    pub selection: String,
    /// What of it is named.
    pub labels: Labels,
}

/// What colours mean.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ColourBy {
    /// One colour a chain.
    #[default]
    Chain,
    /// One colour an entity: chains of one sequence are alike.
    Entity,
    /// Helix, strand, coil.
    SecondaryStructure,
    /// Along the sequence from blue to red.
    Position,
    /// Classes of residues.
    ResidueClass,
    /// From those that like water to those that do not.
    Hydropathy,
    /// Negative, neutral, positive residues.
    Charge,
    /// Surfaces by electrostatic potential.
    Electrostatics,
    /// By element.
    Element,
    /// The B-factor column.
    BFactor,
    /// The B-factor column as pLDDT, in the bands of the AlphaFold database.
    Plddt,
    /// The same along a continuous scale.
    PlddtScale,
    /// RMSF over the models of an ensemble.
    Fluctuation,
    /// Distance of each residue to its partner in the structure that is compared.
    Difference,
    /// One colour a sample of a prediction, or a model of an ensemble.
    Sample,
    /// Residues by the kind of their interaction with the ligand.
    Interaction,
}

impl ColourBy {
    /// All in the order of the menu.
    pub const ALL: [Self; 16] = [
        Self::Chain,
        Self::Entity,
        Self::SecondaryStructure,
        Self::Position,
        Self::ResidueClass,
        Self::Hydropathy,
        Self::Charge,
        Self::Electrostatics,
        Self::Element,
        Self::BFactor,
        Self::Plddt,
        Self::PlddtScale,
        Self::Fluctuation,
        Self::Difference,
        Self::Sample,
        Self::Interaction,
    ];

    /// Key of its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Chain => "colour-chain",
            Self::Entity => "colour-entity",
            Self::SecondaryStructure => "colour-secondary-structure",
            Self::Position => "colour-position",
            Self::ResidueClass => "colour-residue-class",
            Self::Hydropathy => "colour-hydropathy",
            Self::Charge => "colour-charge",
            Self::Electrostatics => "colour-electrostatics",
            Self::Element => "colour-element",
            Self::BFactor => "colour-b-factor",
            Self::Plddt => "colour-plddt",
            Self::PlddtScale => "colour-plddt-scale",
            Self::Fluctuation => "colour-fluctuation",
            Self::Difference => "colour-difference",
            Self::Sample => "colour-sample",
            Self::Interaction => "colour-interaction",
        }
    }
}

/// How the scene is drawn.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ViewSettings {
    /// Polymer representation.
    pub representation: Representation,
    /// Polymer colours.
    pub colour: ColourBy,
    /// Side chains around the ligand as sticks.
    pub site: bool,
    /// How the backbone of cartoons is drawn.
    pub backbone: Backbone,
    /// How the bases of nucleic acids are drawn.
    pub bases: BaseStyle,
    /// Carbohydrates as symbols of the SNFG, in place of sticks.
    pub glycan_symbols: bool,
    /// The surface.
    pub surface: SurfaceSettings,
    /// All samples of a prediction, or all models of an ensemble, at once.
    pub overlay: bool,
    /// The look; none is that of the window.
    pub look: Option<Preset>,
    /// For one eye or two.
    pub stereo: Stereo,
    /// The axes in the corner.
    pub axes: bool,
    /// Interactions as dashed lines.
    pub interactions: bool,
    /// The search box.
    pub search_box: bool,
    /// Crystal waters.
    pub waters: bool,
    /// What is not drawn.
    pub hidden: Option<Selection>,
    /// The biological assembly that is drawn, by its name in the file; none is what the file holds.
    pub assembly: Option<String>,
}

impl Default for ViewSettings {
    fn default() -> Self {
        Self {
            representation: Representation::default(),
            colour: ColourBy::default(),
            site: true,
            backbone: Backbone::default(),
            bases: BaseStyle::default(),
            glycan_symbols: false,
            surface: SurfaceSettings::default(),
            overlay: false,
            look: None,
            stereo: Stereo::Off,
            axes: true,
            interactions: true,
            search_box: true,
            waters: false,
            hidden: None,
            assembly: None,
        }
    }
}

/// The three kinds of polymer that can be added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PolymerKind {
    /// Protein.
    Protein,
    /// DNA.
    Dna,
    /// RNA.
    Rna,
}

impl PolymerKind {
    /// All kinds in the order of the buttons.
    pub const ALL: [Self; 3] = [Self::Protein, Self::Dna, Self::Rna];

    /// The letters a sequence of this kind may have.
    #[must_use]
    pub const fn letters(self) -> &'static str {
        match self {
            Self::Protein => "ACDEFGHIKLMNPQRSTVWYX",
            Self::Dna => "ACGTN",
            Self::Rna => "ACGUN",
        }
    }

    /// The position (from 0, in letters) and letter of the first letter that this kind of sequence cannot have.
    #[must_use]
    pub fn wrong_letter(self, sequence: &str) -> Option<(usize, char)> {
        sequence.chars().enumerate().find(|(_, letter)| !self.letters().contains(letter.to_ascii_uppercase()))
    }

    fn entity(self, polymer: Polymer) -> Entity {
        match self {
            Self::Protein => Entity::Protein(polymer),
            Self::Dna => Entity::Dna(polymer),
            Self::Rna => Entity::Rna(polymer),
        }
    }
}

/// The kind and chain of a polymer entity.
#[must_use]
pub const fn polymer_of(entity: &Entity) -> Option<(PolymerKind, &Polymer)> {
    match entity {
        Entity::Protein(polymer) => Some((PolymerKind::Protein, polymer)),
        Entity::Dna(polymer) => Some((PolymerKind::Dna, polymer)),
        Entity::Rna(polymer) => Some((PolymerKind::Rna, polymer)),
        Entity::Ligand(_) | Entity::ProteinPair(_) => None,
    }
}

/// The sequences of an entity with their kinds: one, two of a pair, none of a ligand.
#[must_use]
pub fn sequences_of(entity: &Entity) -> Vec<(PolymerKind, &str)> {
    match entity {
        Entity::ProteinPair(pair) => {
            vec![(PolymerKind::Protein, pair.sequence1.as_str()), (PolymerKind::Protein, pair.sequence2.as_str())]
        }
        other => polymer_of(other).map(|(kind, polymer)| (kind, polymer.sequence.as_str())).into_iter().collect(),
    }
}

/// The chain ids of an entity.
#[must_use]
pub fn ids_of(entity: &Entity) -> Vec<&str> {
    match entity {
        Entity::Protein(polymer) | Entity::Dna(polymer) | Entity::Rna(polymer) => {
            polymer.ids.iter().map(String::as_str).collect()
        }
        Entity::Ligand(ligand) => ligand.ids.iter().map(String::as_str).collect(),
        Entity::ProteinPair(pair) => pair.ids1.iter().chain(&pair.ids2).map(String::as_str).collect(),
    }
}

/// The same, to change.
pub fn ids_of_mut(entity: &mut Entity) -> Vec<&mut String> {
    match entity {
        Entity::Protein(polymer) | Entity::Dna(polymer) | Entity::Rna(polymer) => polymer.ids.iter_mut().collect(),
        Entity::Ligand(ligand) => ligand.ids.iter_mut().collect(),
        Entity::ProteinPair(pair) => pair.ids1.iter_mut().chain(&mut pair.ids2).collect(),
    }
}

/// A chain id that no entity of the query has: `A` to `Z`, then `AA`, `AB` and so on.
#[must_use]
pub fn free_chain_id(query: &Query) -> String {
    let taken: std::collections::HashSet<&str> = query.sequences.iter().flat_map(ids_of).collect();
    (0_usize..)
        .map(|number| {
            let mut rest = number;
            let mut id = Vec::new();
            loop {
                id.push(b'A' + (rest % 26) as u8);
                rest /= 26;
                if rest == 0 {
                    break;
                }
                rest -= 1;
            }
            id.iter().rev().map(|byte| char::from(*byte)).collect::<String>()
        })
        .find(|id| !taken.contains(id.as_str()))
        .unwrap_or_default()
}

/// Adds a polymer with a free chain id and returns its index.
pub fn add_polymer(query: &mut Query, kind: PolymerKind, sequence: String) -> usize {
    let polymer = Polymer { ids: vec![free_chain_id(query)], sequence, ..Polymer::default() };
    query.sequences.push(kind.entity(polymer));
    query.sequences.len() - 1
}

/// Adds a ligand with a free chain id and returns its index.
pub fn add_ligand(query: &mut Query, source: LigandSource) -> usize {
    let ligand = Ligand { ids: vec![free_chain_id(query)], source, description: None };
    query.sequences.push(Entity::Ligand(ligand));
    query.sequences.len() - 1
}

/// The letters of pasted sequence text: FASTA heads, spaces, digits and line ends dropped, capitals made.
///
/// Each record is one sequence; text before the first head is a record too. Letters that do not belong are kept, so
/// that they can be shown.
#[must_use]
pub fn sequences_of_paste(text: &str) -> Vec<String> {
    let mut sequences = vec![String::new()];
    for line in text.lines() {
        if line.trim_start().starts_with(['>', ';']) {
            sequences.push(String::new());
        } else if let Some(sequence) = sequences.last_mut() {
            let letters = line
                .chars()
                .filter(|letter| !letter.is_whitespace() && !letter.is_ascii_digit() && !matches!(letter, '*' | '-'));
            sequence.extend(letters.map(|letter| letter.to_ascii_uppercase()));
        }
    }
    sequences.retain(|sequence| !sequence.is_empty());
    sequences
}

/// The file name part of a path, for showing.
#[must_use]
pub fn file_name(path: &std::path::Path) -> String {
    path.file_name().map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned())
}

/// Centre and edge lengths in Å of the box around points with padding on every side; `None` without points.
#[must_use]
pub fn box_around(points: impl IntoIterator<Item = glam::Vec3>, padding: f32) -> Option<(glam::Vec3, glam::Vec3)> {
    let mut low = glam::Vec3::INFINITY;
    let mut high = glam::Vec3::NEG_INFINITY;
    for point in points {
        low = low.min(point);
        high = high.max(point);
    }
    (low.x <= high.x).then(|| ((low + high) * 0.5, high - low + glam::Vec3::splat(2.0 * padding)))
}

/// The three ways to say where the ligand binds, as the switch shows them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PocketKind {
    /// Around a ligand in a file.
    Ligand,
    /// Around residues.
    Residues,
    /// Centre and size.
    Box,
}

impl PocketKind {
    /// The kind of a pocket.
    #[must_use]
    pub const fn of(pocket: &Pocket) -> Self {
        match pocket {
            Pocket::Ligand { .. } => Self::Ligand,
            Pocket::Residues { .. } => Self::Residues,
            Pocket::Box { .. } => Self::Box,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chain_ids_go_on_after_z() {
        let mut query = Query::default();
        for _ in 0..28 {
            add_polymer(&mut query, PolymerKind::Protein, "A".to_owned());
        }
        let ids: Vec<&str> = query.sequences.iter().flat_map(ids_of).collect();
        assert_eq!(ids[0], "A");
        assert_eq!(ids[25], "Z");
        assert_eq!(ids[26], "AA");
        assert_eq!(ids[27], "AB");
    }

    #[test]
    fn pasted_fasta_becomes_letters() {
        assert_eq!(sequences_of_paste("  1 mkt ayi\r\n 61 AKQ*\n"), ["MKTAYIAKQ"]);
        assert_eq!(sequences_of_paste(">a\nMK\nT\n>b\nGG\n"), ["MKT", "GG"]);
        assert_eq!(sequences_of_paste(">only a head\n"), Vec::<String>::new());
        assert_eq!(sequences_of_paste("MKTJ"), ["MKTJ"]);
    }

    #[test]
    fn wrong_letters_are_found_where_they_stand() {
        assert_eq!(PolymerKind::Protein.wrong_letter("MKTJA"), Some((3, 'J')));
        assert_eq!(PolymerKind::Protein.wrong_letter("mkt"), None);
        assert_eq!(PolymerKind::Dna.wrong_letter("ACGU"), Some((3, 'U')));
        assert_eq!(PolymerKind::Rna.wrong_letter("ACGT"), Some((3, 'T')));
        assert_eq!(PolymerKind::Rna.wrong_letter(""), None);
    }

    #[test]
    fn a_box_holds_its_points_with_padding() {
        let points = [glam::Vec3::new(1.0, 2.0, 3.0), glam::Vec3::new(3.0, 2.0, -1.0)];
        let (centre, size) = box_around(points, 8.0).unwrap();
        assert_eq!(centre, glam::Vec3::new(2.0, 2.0, 1.0));
        assert_eq!(size, glam::Vec3::new(18.0, 16.0, 20.0));
        assert!(box_around([], 8.0).is_none());
    }
}
