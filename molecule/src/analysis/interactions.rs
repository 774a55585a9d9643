//! Interactions between a ligand and its surroundings, by geometry.
//!
//! | kind | criteria | source |
//! |---|---|---|
//! | hydrogen bond | D...A at most 3.5 Å (4.1 Å with sulfur), H...A at most 2.5 Å (3.0), D-H...A at least 120°, H...A-X at least 90° | Baker & Hubbard, Prog. Biophys. Mol. Biol. 1984, 44, 97; McDonald & Thornton, J. Mol. Biol. 1994, 238, 777; sulfur: Mol* |
//! | water bridge | both legs hydrogen bonds of at least 2.5 Å, 71-140° at the water | PLIP (Salentin et al., Nucleic Acids Res. 2015, 43, W443) |
//! | salt bridge | charged atoms at most 4.0 Å apart | Barlow & Thornton, J. Mol. Biol. 1983, 168, 867 |
//! | pi stacking | centres at most 5.5 Å, planes within 30° of parallel or of perpendicular, offset at most 2.0 Å | PLIP |
//! | cation-pi | charge at most 6.0 Å from the ring's centre, offset at most 2.0 Å | PLIP |
//! | halogen bond | X...A at most 4.0 Å, C-X...A 165° ± 30°, X...A-Y 120° ± 30°, X = Cl, Br, I | PLIP |
//! | hydrophobic | carbon (bonded to carbon alone), Cl, Br or I, at most 4.0 Å | PLIP |
//! | metal | N, O or S at most 2.8 Å from a metal (3.0 Å for potassium and larger ones) | PLIP; Harding, Acta Cryst. D 2001, 57, 401 |
//! | weak hydrogen bond | C...A at most 3.5 Å, C-H...A at least 130° | Mol* |
//! | clash | heavy atoms closer than 0.75 of the sum of van der Waals radii | PoseBusters |
//!
//! Hydrogens need not be there: the module `hydrogens` tells where they could be. Nothing is counted twice: a salt bridge
//! stands for the hydrogen bonds between the same two groups, a metal contact or halogen bond for whatever else the same
//! two atoms could be, stacked rings for their hydrophobic contacts, and of many hydrophobic contacts of a ligand atom
//! with a residue, or of a receptor atom with the ligand, the closest.
//!
//! The receptor must not contain the ligand itself.

mod hydrogens;
mod sites;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashSet};
use std::f32::consts::FRAC_PI_2;

use glam::Vec3;
use serde::{Deserialize, Serialize};

use super::neighbour_grid::NeighbourGrid;
use crate::chemistry::ChemistryError;
use crate::structure::Model;
use crate::{Element, SmallMolecule};
use hydrogens::{CARBON_BOND, POLAR_BOND, SULFUR_BOND, best_hydrogen};
use sites::{DonorShape, Group, Sites};

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

/// One interaction with its geometry.
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
    /// Distance in Å between the two end points.
    pub distance: f32,
    /// The angle that the kind is judged by, radians, where there is one: at the hydrogen, at the bridging water, between
    /// ring planes, at the halogen.
    pub angle: Option<f32>,
    /// End points for drawing, Å: ligand side, receptor side.
    pub points: [Vec3; 2],
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
        let sites = Sites::of_receptor(model);
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
    let mut search = Search {
        receptor,
        theirs: &receptor.sites,
        ours: &ligand.sites,
        there: &receptor.model.positions,
        here: pose,
        found: Vec::new(),
        settled: HashSet::new(),
    };
    let pairs = search.pairs();
    search.clashes(&pairs);
    search.metals(&pairs);
    search.salt_bridges();
    search.halogen_bonds(&pairs);
    search.hydrogen_bonds(&pairs);
    search.water_bridges(&pairs);
    search.stacking();
    search.cation_pi();
    search.weak_hydrogen_bonds(&pairs);
    search.hydrophobic(&pairs);
    let mut found = search.found;
    found.sort_by(|a, b| {
        (a.kind, &a.receptor_atoms, &a.ligand_atoms).cmp(&(b.kind, &b.receptor_atoms, &b.ligand_atoms))
    });
    found
}

/// A ligand atom and a receptor atom within reach of any kind between two atoms.
#[derive(Clone, Copy)]
struct Pair {
    ours: u32,
    theirs: u32,
    distance: f32,
}

/// The longest reach of a kind between two atoms, Å.
const REACH: f32 = 4.1;

struct Search<'a> {
    receptor: &'a ReceptorSites<'a>,
    theirs: &'a Sites,
    ours: &'a Sites,
    there: &'a [Vec3],
    here: &'a [Vec3],
    found: Vec<Interaction>,
    /// Pairs of atoms that count as something already.
    settled: HashSet<(u32, u32)>,
}

impl Search<'_> {
    fn pairs(&self) -> Vec<Pair> {
        let mut pairs = Vec::new();
        for ours in (0..self.here.len() as u32).filter(|&atom| self.ours.is_used[atom as usize]) {
            for point in self.receptor.grid.within(self.here[ours as usize], REACH) {
                let theirs = self.receptor.atoms[point as usize];
                let distance = self.here[ours as usize].distance(self.there[theirs as usize]);
                pairs.push(Pair { ours, theirs, distance });
            }
        }
        pairs
    }

    fn residue_index(&self, atom: u32) -> u32 {
        self.receptor.model.topology.atoms[atom as usize].residue
    }

    fn add(
        &mut self,
        kind: InteractionKind,
        ligand_atoms: Vec<u32>,
        receptor_atoms: Vec<u32>,
        angle: Option<f32>,
        points: [Vec3; 2],
    ) {
        // Of a water bridge the last atom is the receptor's.
        let Some(&atom) = receptor_atoms.last() else { return };
        self.found.push(Interaction {
            kind,
            ligand_atoms,
            residue: residue_text(self.receptor.model, atom),
            receptor_atoms,
            distance: points[0].distance(points[1]),
            angle,
            points,
        });
    }

    fn add_pair(&mut self, kind: InteractionKind, pair: Pair, angle: Option<f32>) {
        let points = [self.here[pair.ours as usize], self.there[pair.theirs as usize]];
        self.add(kind, vec![pair.ours], vec![pair.theirs], angle, points);
    }

    fn clashes(&mut self, pairs: &[Pair]) {
        const SHARE: f32 = 0.75;
        for &pair in pairs {
            let (ours, theirs) = (self.ours.elements[pair.ours as usize], self.theirs.elements[pair.theirs as usize]);
            if !theirs.is_metal() && pair.distance < SHARE * (ours.vdw_radius() + theirs.vdw_radius()) {
                self.settled.insert((pair.ours, pair.theirs));
                self.add_pair(InteractionKind::Clash, pair, None);
            }
        }
    }

    fn metals(&mut self, pairs: &[Pair]) {
        for &pair in pairs {
            let metal = self.theirs.elements[pair.theirs as usize];
            // Potassium and larger ions keep their ligands farther away.
            let reach = if metal.covalent_radius() > 1.8 { 3.0 } else { 2.8 };
            if metal.is_metal() && self.ours.ligating[pair.ours as usize] && pair.distance <= reach {
                self.settled.insert((pair.ours, pair.theirs));
                self.add_pair(InteractionKind::Metal, pair, None);
            }
        }
    }

    fn salt_bridges(&mut self) {
        const REACH: f32 = 4.0;
        let (ours, theirs) = (self.ours, self.theirs);
        for (mine, others) in [(&ours.cations, &theirs.anions), (&ours.anions, &theirs.cations)] {
            for group in mine {
                let near = self.near_group(group, REACH);
                for other in others.iter().filter(|other| other.atoms.iter().any(|atom| near.contains(atom))) {
                    let mut best = (f32::INFINITY, 0, 0);
                    for &a in &group.atoms {
                        for &b in &other.atoms {
                            self.settled.insert((a, b));
                            let distance = self.here[a as usize].distance(self.there[b as usize]);
                            if distance < best.0 {
                                best = (distance, a, b);
                            }
                        }
                    }
                    let points = [self.here[best.1 as usize], self.there[best.2 as usize]];
                    self.add(InteractionKind::SaltBridge, group.atoms.clone(), other.atoms.clone(), None, points);
                }
            }
        }
    }

    fn near_group(&self, group: &Group, reach: f32) -> HashSet<u32> {
        let mut near = HashSet::new();
        for &atom in &group.atoms {
            for point in self.receptor.grid.within(self.here[atom as usize], reach) {
                near.insert(self.receptor.atoms[point as usize]);
            }
        }
        near
    }

    fn halogen_bonds(&mut self, pairs: &[Pair]) {
        for &pair in pairs {
            let element = self.ours.elements[pair.ours as usize];
            if !matches!(element, Element::CL | Element::BR | Element::I)
                || !self.theirs.acceptors[pair.theirs as usize]
                || pair.distance > 4.0
                || self.settled.contains(&(pair.ours, pair.theirs))
            {
                continue;
            }
            let [carbon] = self.ours.neighbours[pair.ours as usize][..] else { continue };
            let (halogen, acceptor) = (self.here[pair.ours as usize], self.there[pair.theirs as usize]);
            let at_halogen = angle(self.here[carbon as usize], halogen, acceptor);
            let at_acceptor = self.theirs.neighbours[pair.theirs as usize]
                .iter()
                .map(|&next| angle(halogen, acceptor, self.there[next as usize]))
                .all(|held| (90.0..=150.0).contains(&held.to_degrees()));
            if at_halogen.to_degrees() >= 135.0 && at_acceptor {
                self.settled.insert((pair.ours, pair.theirs));
                self.add_pair(InteractionKind::HalogenBond, pair, Some(at_halogen));
            }
        }
    }

    fn hydrogen_bonds(&mut self, pairs: &[Pair]) {
        for &pair in pairs {
            if self.settled.contains(&(pair.ours, pair.theirs)) || self.theirs.waters[pair.theirs as usize] {
                continue;
            }
            if let Some(angle) = self.hydrogen_bond(pair) {
                self.settled.insert((pair.ours, pair.theirs));
                self.add_pair(InteractionKind::HydrogenBond, pair, Some(angle));
            }
        }
    }

    /// The angle at the hydrogen if the two atoms make a hydrogen bond, whichever gives; the better one if both can.
    fn hydrogen_bond(&self, pair: Pair) -> Option<f32> {
        let give = self.ours.donors[pair.ours as usize].filter(|_| self.theirs.acceptors[pair.theirs as usize]);
        let take = self.theirs.donors[pair.theirs as usize].filter(|_| self.ours.acceptors[pair.ours as usize]);
        let given = give.and_then(|shape| {
            bond_angle((self.ours, self.here, pair.ours, shape), (self.theirs, self.there, pair.theirs))
        });
        let taken = take.and_then(|shape| {
            bond_angle((self.theirs, self.there, pair.theirs, shape), (self.ours, self.here, pair.ours))
        });
        match (given, taken) {
            (Some(a), Some(b)) => Some(a.max(b)),
            (a, b) => a.or(b),
        }
    }

    fn water_bridges(&mut self, pairs: &[Pair]) {
        const NEAREST: f32 = 2.5;
        for &pair in pairs {
            let can = self.ours.donors[pair.ours as usize].is_some() || self.ours.acceptors[pair.ours as usize];
            if !self.theirs.waters[pair.theirs as usize] || !can || pair.distance < NEAREST {
                continue;
            }
            if !self.leg_to_water((self.ours, self.here, pair.ours), pair.theirs) {
                continue;
            }
            let water = self.there[pair.theirs as usize];
            // The nearest partner of each residue.
            let mut partners: BTreeMap<u32, (f32, u32, f32)> = BTreeMap::new();
            for point in self.receptor.grid.within(water, REACH) {
                let atom = self.receptor.atoms[point as usize];
                let place = self.there[atom as usize];
                let distance = place.distance(water);
                let can = self.theirs.donors[atom as usize].is_some() || self.theirs.acceptors[atom as usize];
                let at_water = angle(self.here[pair.ours as usize], water, place);
                if !can
                    || self.theirs.waters[atom as usize]
                    || distance < NEAREST
                    || !(71.0..=140.0).contains(&at_water.to_degrees())
                    || !self.leg_to_water((self.theirs, self.there, atom), pair.theirs)
                {
                    continue;
                }
                let held = partners.entry(self.residue_index(atom)).or_insert((distance, atom, at_water));
                if distance < held.0 {
                    *held = (distance, atom, at_water);
                }
            }
            for (_, atom, at_water) in partners.into_values() {
                let points = [self.here[pair.ours as usize], self.there[atom as usize]];
                self.add(
                    InteractionKind::WaterBridge,
                    vec![pair.ours],
                    vec![pair.theirs, atom],
                    Some(at_water),
                    points,
                );
            }
        }
    }

    /// Whether an atom makes a hydrogen bond with a water, one way or the other.
    fn leg_to_water(&self, side: (&Sites, &[Vec3], u32), water: u32) -> bool {
        let (sites, positions, atom) = side;
        let given = sites.donors[atom as usize].is_some_and(|shape| {
            bond_angle((sites, positions, atom, shape), (self.theirs, self.there, water)).is_some()
        });
        given
            || (sites.acceptors[atom as usize]
                && bond_angle((self.theirs, self.there, water, DonorShape::Free), side).is_some())
    }

    fn stacking(&mut self) {
        struct Stack {
            ours: usize,
            theirs: usize,
            tilt: f32,
            points: [Vec3; 2],
        }
        let mut stacks = Vec::new();
        for (ours, ring) in self.ours.rings.iter().enumerate() {
            let (centre, normal) = ring_plane(self.here, ring);
            for (theirs, other_ring) in self.theirs.rings.iter().enumerate() {
                if other_ring.first().is_none_or(|&first| self.there[first as usize].distance_squared(centre) > 81.0) {
                    continue;
                }
                let (other, other_normal) = ring_plane(self.there, other_ring);
                let tilt = line_angle(normal, other_normal);
                let offset = offset(other, centre, normal).min(offset(centre, other, other_normal));
                let degrees = tilt.to_degrees();
                if centre.distance(other) <= 5.5 && (degrees <= 30.0 || degrees >= 60.0) && offset <= 2.0 {
                    for &a in ring {
                        self.settled.extend(other_ring.iter().map(|&b| (a, b)));
                    }
                    stacks.push(Stack { ours, theirs, tilt, points: [centre, other] });
                }
            }
        }
        // Fused rings stack as one: of a ring with a residue, and of two rings with one, the closest counts.
        stacks.sort_by(|a, b| a.points[0].distance(a.points[1]).total_cmp(&b.points[0].distance(b.points[1])));
        let mut taken: HashSet<(usize, u32)> = HashSet::new();
        let mut used = HashSet::new();
        for Stack { ours, theirs, tilt, points } in stacks {
            let ring = self.theirs.rings[theirs].clone();
            let residue = ring.first().map_or(u32::MAX, |&atom| self.residue_index(atom));
            if used.contains(&theirs) || taken.contains(&(ours, residue)) {
                continue;
            }
            used.insert(theirs);
            taken.insert((ours, residue));
            self.add(InteractionKind::PiStacking, self.ours.rings[ours].clone(), ring, Some(tilt), points);
        }
    }

    fn cation_pi(&mut self) {
        for cation in &self.ours.cations {
            let charge = mean(self.here, &cation.atoms);
            // The closest ring of each residue.
            let mut rings: BTreeMap<u32, (Vec3, f32, &Vec<u32>)> = BTreeMap::new();
            for ring in &self.theirs.rings {
                let Some((centre, tilt)) = over_ring(charge, ring_plane(self.there, ring)) else { continue };
                let residue = ring.first().map_or(u32::MAX, |&atom| self.residue_index(atom));
                let held = rings.entry(residue).or_insert((centre, tilt, ring));
                if charge.distance(centre) < charge.distance(held.0) {
                    *held = (centre, tilt, ring);
                }
            }
            for (centre, tilt, ring) in rings.into_values() {
                let atoms = cation.atoms.clone();
                self.add(InteractionKind::CationPi, atoms, ring.clone(), Some(tilt), [charge, centre]);
            }
        }
        for cation in &self.theirs.cations {
            let charge = mean(self.there, &cation.atoms);
            // The closest ring of the ligand; fused rings share the charge.
            let closest = self
                .ours
                .rings
                .iter()
                .filter_map(|ring| Some((over_ring(charge, ring_plane(self.here, ring))?, ring)))
                .min_by(|a, b| charge.distance(a.0.0).total_cmp(&charge.distance(b.0.0)));
            if let Some(((centre, tilt), ring)) = closest {
                let (ring, atoms) = (ring.clone(), cation.atoms.clone());
                self.add(InteractionKind::CationPi, ring, atoms, Some(tilt), [centre, charge]);
            }
        }
    }

    fn weak_hydrogen_bonds(&mut self, pairs: &[Pair]) {
        const REACH: f32 = 3.5;
        for &pair in pairs {
            if pair.distance > REACH
                || self.settled.contains(&(pair.ours, pair.theirs))
                || self.theirs.waters[pair.theirs as usize]
            {
                continue;
            }
            let oxygen_or_nitrogen = |sites: &Sites, atom: u32| {
                sites.acceptors[atom as usize] && matches!(sites.elements[atom as usize], Element::O | Element::N)
            };
            let given = self.ours.weak_donors[pair.ours as usize]
                .filter(|_| oxygen_or_nitrogen(self.theirs, pair.theirs))
                .map(|shape| ((self.ours, self.here, pair.ours, shape), self.there[pair.theirs as usize]));
            let taken = self.theirs.weak_donors[pair.theirs as usize]
                .filter(|_| oxygen_or_nitrogen(self.ours, pair.ours))
                .map(|shape| ((self.theirs, self.there, pair.theirs, shape), self.here[pair.ours as usize]));
            let Some(((sites, positions, carbon, shape), acceptor)) = given.or(taken) else { continue };
            let Some(hydrogen) = best_hydrogen(sites, positions, carbon, shape, CARBON_BOND, acceptor) else {
                continue;
            };
            let at_hydrogen = angle(positions[carbon as usize], hydrogen, acceptor);
            if at_hydrogen.to_degrees() >= 130.0 {
                self.settled.insert((pair.ours, pair.theirs));
                self.add_pair(InteractionKind::WeakHydrogenBond, pair, Some(at_hydrogen));
            }
        }
    }

    fn hydrophobic(&mut self, pairs: &[Pair]) {
        const REACH: f32 = 4.0;
        let mut of_ligand_atom: BTreeMap<(u32, u32), Pair> = BTreeMap::new();
        for &pair in pairs {
            if pair.distance > REACH
                || !self.ours.hydrophobic[pair.ours as usize]
                || !self.theirs.hydrophobic[pair.theirs as usize]
                || self.settled.contains(&(pair.ours, pair.theirs))
            {
                continue;
            }
            let held = of_ligand_atom.entry((pair.ours, self.residue_index(pair.theirs))).or_insert(pair);
            if pair.distance < held.distance {
                *held = pair;
            }
        }
        let mut of_receptor_atom: BTreeMap<u32, Pair> = BTreeMap::new();
        for pair in of_ligand_atom.into_values() {
            let held = of_receptor_atom.entry(pair.theirs).or_insert(pair);
            if pair.distance < held.distance {
                *held = pair;
            }
        }
        for pair in of_receptor_atom.into_values() {
            self.add_pair(InteractionKind::Hydrophobic, pair, None);
        }
    }
}

/// The angle donor-hydrogen-acceptor (radians) if donor and acceptor make a hydrogen bond.
fn bond_angle(
    (from, here, donor, shape): (&Sites, &[Vec3], u32, DonorShape),
    (to, there, acceptor): (&Sites, &[Vec3], u32),
) -> Option<f32> {
    let (start, end) = (here[donor as usize], there[acceptor as usize]);
    let has_sulfur = [from.elements[donor as usize], to.elements[acceptor as usize]].contains(&Element::S);
    let (longest, longest_from_hydrogen) = if has_sulfur { (4.1, 3.0) } else { (3.5, 2.5) };
    if start.distance(end) > longest {
        return None;
    }
    let length = if from.elements[donor as usize] == Element::S { SULFUR_BOND } else { POLAR_BOND };
    let hydrogen = best_hydrogen(from, here, donor, shape, length, end)?;
    let at_hydrogen = angle(start, hydrogen, end);
    if hydrogen.distance(end) > longest_from_hydrogen || at_hydrogen.to_degrees() < 120.0 {
        return None;
    }
    let is_reachable =
        to.neighbours[acceptor as usize].iter().all(|&next| angle(hydrogen, end, there[next as usize]) >= FRAC_PI_2);
    is_reachable.then_some(at_hydrogen)
}

/// Chain, name and number, e.g. `A ASP 381`.
fn residue_text(model: &Model, atom: u32) -> String {
    let topology = &model.topology;
    let residue = topology.residue_of(atom as usize);
    format!("{} {} {}", topology.chain_of(residue).id, residue.name, residue.number_text()).trim().to_owned()
}

/// The angle at `middle`, radians.
fn angle(first: Vec3, middle: Vec3, last: Vec3) -> f32 {
    let (a, b) = (first - middle, last - middle);
    a.cross(b).length().atan2(a.dot(b))
}

/// The angle between two lines, radians, at most a right angle.
fn line_angle(a: Vec3, b: Vec3) -> f32 {
    a.cross(b).length().atan2(a.dot(b).abs())
}

/// How far from the axis through `centre` along `normal` a point lies, Å.
fn offset(point: Vec3, centre: Vec3, normal: Vec3) -> f32 {
    (point - centre).reject_from_normalized(normal).length()
}

/// The ring's centre and the charge's angle to its axis (radians), when the charge lies over the ring.
fn over_ring(charge: Vec3, (centre, normal): (Vec3, Vec3)) -> Option<(Vec3, f32)> {
    (charge.distance(centre) <= 6.0 && offset(charge, centre, normal) <= 2.0)
        .then(|| (centre, line_angle(charge - centre, normal)))
}

fn mean(positions: &[Vec3], atoms: &[u32]) -> Vec3 {
    atoms.iter().map(|&atom| positions[atom as usize]).sum::<Vec3>() / atoms.len().max(1) as f32
}

fn ring_plane(positions: &[Vec3], ring: &[u32]) -> (Vec3, Vec3) {
    let points: Vec<Vec3> = ring.iter().map(|&atom| positions[atom as usize]).collect();
    plane(&points)
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
