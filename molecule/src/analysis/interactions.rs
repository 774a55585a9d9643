//! Interactions between a ligand and its surroundings, or between any two groups of atoms of a structure, by geometry.
//!
//! | kind | criteria | source |
//! |---|---|---|
//! | hydrogen bond | D...A at most 3.5 Å (4.1 Å with sulfur), H...A at most 2.5 Å (3.0), D-H...A at least 100°, H...A-X at least 90° | Baker & Hubbard, Prog. Biophys. Mol. Biol. 1984, 44, 97; McDonald & Thornton, J. Mol. Biol. 1994, 238, 777; angle: PLIP; sulfur: Mol* |
//! | water bridge | both legs hydrogen bonds of at least 2.5 Å, 71-140° at the water | PLIP (Salentin et al., Nucleic Acids Res. 2015, 43, W443; Adasme et al., 2021, 49, W530) |
//! | salt bridge | charged atoms at most 4.0 Å apart | Barlow & Thornton, J. Mol. Biol. 1983, 168, 867 |
//! | pi stacking | centres at most 5.5 Å, planes within 30° of parallel (face to face) or of perpendicular (edge to face), offset at most 2.0 Å | PLIP |
//! | cation-pi | charge at most 6.0 Å from the ring's centre, offset at most 2.0 Å | PLIP |
//! | halogen bond | X...A at most 4.0 Å, C-X...A 165° ± 30°, X...A-Y 120° ± 30°, X = Cl, Br, I | PLIP |
//! | hydrophobic | carbon (bonded to carbon alone), Cl, Br or I, at most 4.0 Å | PLIP |
//! | metal | N, O or S at most 2.8 Å from a metal (3.0 Å for potassium and larger ones) | PLIP; Harding, Acta Cryst. D 2001, 57, 401 |
//! | weak hydrogen bond | C...A at most 3.5 Å, C-H...A at least 130° | Mol* |
//! | clash | heavy atoms closer than 0.75 of the sum of van der Waals radii | PoseBusters |
//!
//! Hydrogens need not be there. Where they are, they say who gives and who takes, and those that cannot turn (amides,
//! rings, amines in chains) are taken where they stand; where they are not, and for hydroxyls and ammonium groups, which
//! turn, the module `hydrogens` tells where they could be. Nothing is counted twice: a salt bridge stands for the hydrogen
//! bonds between the same two groups, a metal contact or halogen bond for whatever else the same two atoms could be,
//! stacked rings for their hydrophobic contacts, and of many hydrophobic contacts of a ligand atom with a residue, or of a
//! receptor atom with the ligand, the closest.
//!
//! The receptor must not contain the ligand itself; for a ligand inside the structure there is [`find_within`].

mod hydrogens;
mod search;
mod sites;
#[cfg(test)]
mod tests;

use glam::Vec3;
use serde::{Deserialize, Serialize};

use super::neighbour_grid::NeighbourGrid;
use crate::SmallMolecule;
use crate::chemistry::ChemistryError;
use crate::structure::Model;
use search::Search;
use sites::Sites;

/// The kinds of interaction, with the criteria stated where they are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InteractionKind {
    /// Hydrogen bond between N, O, S donors and acceptors.
    HydrogenBond,
    /// Hydrogen bonds bridged by a water molecule.
    WaterBridge,
    /// Opposite charges.
    SaltBridge,
    /// Two aromatic rings, face to face or edge to face.
    PiStacking,
    /// A cation over an aromatic ring.
    CationPi,
    /// Halogen bond.
    HalogenBond,
    /// Carbon against carbon.
    Hydrophobic,
    /// Coordination of a metal.
    Metal,
    /// C-H donor to an acceptor.
    WeakHydrogenBond,
    /// Atoms too close.
    Clash,
}

/// One interaction with its geometry. Of two groups of one structure the first is the ligand here, the second the receptor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interaction {
    /// What it is.
    pub kind: InteractionKind,
    /// Atoms of the ligand: one, or the atoms of a ring or charged group.
    pub ligand_atoms: Vec<u32>,
    /// Atoms of the receptor model; of a water bridge first the water's oxygen.
    pub receptor_atoms: Vec<u32>,
    /// The receptor's residue as people write it: chain, name, number, e.g. `A ASP 381`.
    pub residue: String,
    /// The ligand's residue, when it is part of the same structure; else empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub ligand_residue: String,
    /// Distance in Å between the two end points.
    pub distance: f32,
    /// The angle that the kind is judged by, radians, where there is one: at the hydrogen, at the bridging water, between
    /// ring planes, at the halogen.
    pub angle: Option<f32>,
    /// End points for drawing, Å: ligand side, receptor side. Centres of rings and, for cation-pi, of the charge.
    pub points: [Vec3; 2],
    /// The rest of the geometry.
    #[serde(default)]
    pub geometry: Geometry,
}

/// What a kind of interaction is judged by beyond distance and angle; each field is there for the kinds that have it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Geometry {
    /// Who gives: the hydrogen (hydrogen bonds), the halogen, the lone pair (metals), the positive charge (salt bridge,
    /// cation-pi).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub donor: Option<Side>,
    /// Where the hydrogen is, or would be, Å.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hydrogen: Option<Vec3>,
    /// From hydrogen to acceptor, Å.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hydrogen_to_acceptor: Option<f32>,
    /// The smallest angle at the acceptor between hydrogen (or halogen) and its neighbours, radians.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub angle_at_acceptor: Option<f32>,
    /// How far the second centre (or charge) lies from the axis of the ring, Å.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ring_offset: Option<f32>,
    /// How two rings stack.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stacking: Option<Stacking>,
    /// The water of a water bridge.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub water: Option<BridgingWater>,
}

/// One of the two partners.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// The ligand, or the first group.
    Ligand,
    /// The receptor, or the second group.
    Receptor,
}

/// How two rings stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stacking {
    /// Planes within 30° of parallel.
    FaceToFace,
    /// Planes within 30° of perpendicular.
    EdgeToFace,
}

/// The water between two partners.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct BridgingWater {
    /// Its oxygen in the model.
    pub atom: u32,
    /// Its residue in the model.
    pub residue: u32,
    /// Where the oxygen is, Å.
    pub place: Vec3,
    /// From the ligand's atom, Å.
    pub to_ligand: f32,
    /// From the receptor's atom, Å.
    pub to_receptor: f32,
}

/// A receptor looked at once, for many poses.
#[derive(Clone, Debug)]
pub struct ReceptorSites<'a> {
    model: &'a Model,
    sites: Sites,
    grid: NeighbourGrid,
    /// The grid's points are these atoms.
    atoms: Vec<u32>,
}

/// A ligand looked at once, for many poses.
#[derive(Clone, Debug)]
pub struct LigandSites {
    sites: Sites,
}

impl<'a> ReceptorSites<'a> {
    /// Finds out what the receptor's atoms can do.
    #[must_use]
    pub fn new(model: &'a Model) -> Self {
        Self::of_sites(model, Sites::of_receptor(model))
    }

    fn of_sites(model: &'a Model, sites: Sites) -> Self {
        let atoms: Vec<u32> = (0..sites.elements.len() as u32).filter(|&atom| sites.is_used[atom as usize]).collect();
        let points: Vec<Vec3> = atoms.iter().map(|&atom| model.positions[atom as usize]).collect();
        Self { model, grid: NeighbourGrid::new(&points, 4.0), sites, atoms }
    }
}

impl LigandSites {
    /// Finds out what the ligand's atoms can do. Its conformers are not looked at.
    ///
    /// # Errors
    /// When the ligand breaks the rules of valence.
    pub fn new(ligand: &SmallMolecule) -> Result<Self, ChemistryError> {
        Ok(Self { sites: Sites::of_ligand(ligand)? })
    }
}

/// All interactions of one pose, sorted by kind and place. The pose has one position for each atom of the ligand.
///
/// # Errors
/// When the ligand breaks the rules of valence.
pub fn find(receptor: &Model, ligand: &SmallMolecule, pose: &[Vec3]) -> Result<Vec<Interaction>, ChemistryError> {
    Ok(find_between(&ReceptorSites::new(receptor), &LigandSites::new(ligand)?, pose))
}

/// As [`find`], with receptor and ligand looked at before.
#[must_use]
pub fn find_between(receptor: &ReceptorSites<'_>, ligand: &LigandSites, pose: &[Vec3]) -> Vec<Interaction> {
    let is_whole = pose.len() == ligand.sites.elements.len() && pose.iter().all(|position| position.is_finite());
    if !is_whole || receptor.atoms.is_empty() {
        return Vec::new();
    }
    Search::new(receptor, &ligand.sites, pose, None).run()
}

/// All interactions between two groups of atoms of one structure: two chains, a ligand and a nucleic acid, a residue and
/// all else. Atoms of both groups count as the first's; waters of neither may bridge. Atoms up to three bonds apart do
/// not interact.
#[must_use]
pub fn find_within(model: &Model, first: &[u32], second: &[u32]) -> Vec<Interaction> {
    let sites = Sites::of_receptor(model);
    let count = sites.elements.len();
    let mut group = vec![0_u8; count];
    for (atoms, number) in [(second, 2), (first, 1)] {
        for &atom in atoms {
            if let Some(held) = group.get_mut(atom as usize) {
                *held = number;
            }
        }
    }
    let ours = sites.restricted(|atom| group[atom as usize] == 1);
    let theirs = sites
        .restricted(|atom| group[atom as usize] == 2 || (group[atom as usize] == 0 && sites.waters[atom as usize]));
    let receptor = ReceptorSites::of_sites(model, theirs);
    if receptor.atoms.is_empty() || !ours.is_used.contains(&true) {
        return Vec::new();
    }
    // A bridging water is no partner of its own.
    let is_partner: Vec<bool> = group.iter().map(|&number| number == 2).collect();
    Search::new(&receptor, &ours, &model.positions, Some(&is_partner)).run()
}

/// Chain, name and number, e.g. `A ASP 381`.
fn residue_text(model: &Model, atom: u32) -> String {
    let topology = &model.topology;
    let residue = topology.residue_of(atom as usize);
    format!("{} {} {}", topology.chain_of(residue).id, residue.name, residue.number_text()).trim().to_owned()
}

/// Centre and unit normal of the plane of points that go round a ring (Newell's method); a zero normal becomes z.
pub(crate) fn plane(points: &[Vec3]) -> (Vec3, Vec3) {
    let centre = points.iter().sum::<Vec3>() / points.len().max(1) as f32;
    let mut normal = Vec3::ZERO;
    for (place, point) in points.iter().enumerate() {
        let next = points[(place + 1) % points.len()];
        normal += (*point - centre).cross(next - centre);
    }
    (centre, normal.try_normalize().unwrap_or(Vec3::Z))
}
