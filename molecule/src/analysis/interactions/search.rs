//! The search for interactions, kind by kind in the order of precedence.

use std::collections::{BTreeMap, HashSet};
use std::f32::consts::FRAC_PI_2;

use glam::Vec3;

use super::hydrogens::{CARBON_BOND, POLAR_BOND, SULFUR_BOND, best_hydrogen};
use super::sites::{Group, Sites};
use super::{
    BridgingWater, Geometry, Interaction, InteractionKind, ReceptorSites, Side, Stacking, plane, residue_text,
};
use crate::Element;
use crate::analysis::measurements::angle;

/// A ligand atom and a receptor atom within reach of any kind between two atoms.
#[derive(Clone, Copy)]
struct Pair {
    ours: u32,
    theirs: u32,
    distance: f32,
}

/// The longest reach of a kind between two atoms, Å.
const REACH: f32 = 4.1;

/// One side of a pair: what its atoms can do, where they are, and the atom in question.
type End<'a> = (&'a Sites, &'a [Vec3], u32);

pub(super) struct Search<'a> {
    receptor: &'a ReceptorSites<'a>,
    theirs: &'a Sites,
    ours: &'a Sites,
    there: &'a [Vec3],
    here: &'a [Vec3],
    /// Set when both sides are of one structure: which of its atoms are partners (and not mere bridging waters).
    partners: Option<&'a [bool]>,
    found: Vec<Interaction>,
    /// Pairs of atoms that count as something already.
    settled: HashSet<(u32, u32)>,
}

impl<'a> Search<'a> {
    pub(super) fn new(
        receptor: &'a ReceptorSites<'a>,
        ours: &'a Sites,
        here: &'a [Vec3],
        partners: Option<&'a [bool]>,
    ) -> Self {
        Self {
            receptor,
            theirs: &receptor.sites,
            ours,
            there: &receptor.model.positions,
            here,
            partners,
            found: Vec::new(),
            settled: HashSet::new(),
        }
    }

    pub(super) fn run(mut self) -> Vec<Interaction> {
        let pairs = self.pairs();
        self.clashes(&pairs);
        self.metals(&pairs);
        self.salt_bridges();
        self.halogen_bonds(&pairs);
        self.hydrogen_bonds(&pairs);
        self.water_bridges(&pairs);
        self.stacking();
        self.cation_pi();
        self.weak_hydrogen_bonds(&pairs);
        self.hydrophobic(&pairs);
        let mut found = self.found;
        found.sort_by(|a, b| {
            (a.kind, &a.receptor_atoms, &a.ligand_atoms).cmp(&(b.kind, &b.receptor_atoms, &b.ligand_atoms))
        });
        found
    }

    fn pairs(&self) -> Vec<Pair> {
        let mut pairs = Vec::new();
        for ours in (0..self.here.len() as u32).filter(|&atom| self.ours.is_used[atom as usize]) {
            for point in self.receptor.grid.within(self.here[ours as usize], REACH) {
                let theirs = self.receptor.atoms[point as usize];
                if self.partners.is_some() && self.ours.bonds_apart(ours, theirs) <= 3 {
                    continue;
                }
                let distance = self.here[ours as usize].distance(self.there[theirs as usize]);
                pairs.push(Pair { ours, theirs, distance });
            }
        }
        pairs
    }

    /// Whether a receptor atom can be an end of an interaction: not a water that only bridges.
    fn is_partner(&self, theirs: u32) -> bool {
        self.partners.is_none_or(|partners| partners[theirs as usize])
    }

    fn is_settled(&self, pair: Pair) -> bool {
        self.settled.contains(&(pair.ours, pair.theirs))
    }

    fn residue_index(&self, atom: u32) -> u32 {
        self.receptor.model.topology.atoms[atom as usize].residue
    }

    fn our_end(&self, atom: u32) -> End<'a> {
        (self.ours, self.here, atom)
    }

    fn their_end(&self, atom: u32) -> End<'a> {
        (self.theirs, self.there, atom)
    }

    fn add(
        &mut self,
        kind: InteractionKind,
        ligand_atoms: Vec<u32>,
        receptor_atoms: Vec<u32>,
        angle: Option<f32>,
        points: [Vec3; 2],
        geometry: Geometry,
    ) {
        // Of a water bridge the last atom is the receptor's.
        let (Some(&atom), Some(&ours)) = (receptor_atoms.last(), ligand_atoms.first()) else { return };
        let model = self.receptor.model;
        self.found.push(Interaction {
            kind,
            residue: residue_text(model, atom),
            ligand_residue: if self.partners.is_some() { residue_text(model, ours) } else { String::new() },
            ligand_atoms,
            receptor_atoms,
            distance: points[0].distance(points[1]),
            angle,
            points,
            geometry,
        });
    }

    fn add_pair(&mut self, kind: InteractionKind, pair: Pair, angle: Option<f32>, geometry: Geometry) {
        let points = [self.here[pair.ours as usize], self.there[pair.theirs as usize]];
        self.add(kind, vec![pair.ours], vec![pair.theirs], angle, points, geometry);
    }

    fn clashes(&mut self, pairs: &[Pair]) {
        const SHARE: f32 = 0.75;
        for &pair in pairs {
            let (ours, theirs) = (self.ours.elements[pair.ours as usize], self.theirs.elements[pair.theirs as usize]);
            if !theirs.is_metal()
                && !ours.is_metal()
                && self.is_partner(pair.theirs)
                && pair.distance < SHARE * (ours.vdw_radius() + theirs.vdw_radius())
            {
                self.settled.insert((pair.ours, pair.theirs));
                self.add_pair(InteractionKind::Clash, pair, None, Geometry::default());
            }
        }
    }

    fn metals(&mut self, pairs: &[Pair]) {
        for &pair in pairs {
            let metal_side = if self.theirs.elements[pair.theirs as usize].is_metal() {
                Some((self.theirs.elements[pair.theirs as usize], self.ours.ligating[pair.ours as usize], Side::Ligand))
            } else if self.ours.elements[pair.ours as usize].is_metal() {
                let metal = self.ours.elements[pair.ours as usize];
                Some((metal, self.theirs.ligating[pair.theirs as usize], Side::Receptor))
            } else {
                None
            };
            let Some((metal, is_ligating, donor)) = metal_side else { continue };
            // Potassium and larger ions keep their ligands farther away.
            let reach = if metal.covalent_radius() > 1.8 { 3.0 } else { 2.8 };
            if is_ligating && pair.distance <= reach && self.is_partner(pair.theirs) {
                self.settled.insert((pair.ours, pair.theirs));
                let geometry = Geometry { donor: Some(donor), ..Geometry::default() };
                self.add_pair(InteractionKind::Metal, pair, None, geometry);
            }
        }
    }

    fn salt_bridges(&mut self) {
        const REACH: f32 = 4.0;
        let (ours, theirs) = (self.ours, self.theirs);
        let both = [(&ours.cations, &theirs.anions, Side::Ligand), (&ours.anions, &theirs.cations, Side::Receptor)];
        for (mine, others, cation) in both {
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
                    let geometry = Geometry { donor: Some(cation), ..Geometry::default() };
                    let (mine, other) = (group.atoms.clone(), other.atoms.clone());
                    self.add(InteractionKind::SaltBridge, mine, other, None, points, geometry);
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
            let is_water = self.theirs.waters[pair.theirs as usize];
            if pair.distance > 4.0 || self.is_settled(pair) || is_water || !self.is_partner(pair.theirs) {
                continue;
            }
            let (ours, theirs) = (self.our_end(pair.ours), self.their_end(pair.theirs));
            let found = halogen_angles(ours, theirs)
                .map(|angles| (angles, Side::Ligand))
                .or_else(|| halogen_angles(theirs, ours).map(|angles| (angles, Side::Receptor)));
            if let Some(((at_halogen, at_acceptor), donor)) = found {
                self.settled.insert((pair.ours, pair.theirs));
                let geometry = Geometry { donor: Some(donor), angle_at_acceptor: at_acceptor, ..Geometry::default() };
                self.add_pair(InteractionKind::HalogenBond, pair, Some(at_halogen), geometry);
            }
        }
    }

    fn hydrogen_bonds(&mut self, pairs: &[Pair]) {
        for &pair in pairs {
            if self.is_settled(pair) || self.theirs.waters[pair.theirs as usize] || !self.is_partner(pair.theirs) {
                continue;
            }
            if let Some((bond, donor)) = self.hydrogen_bond(pair) {
                self.settled.insert((pair.ours, pair.theirs));
                self.add_pair(InteractionKind::HydrogenBond, pair, Some(bond.at_hydrogen), bond.geometry(donor));
            }
        }
    }

    /// The hydrogen bond between the two atoms, whichever gives; the straighter one if both can.
    fn hydrogen_bond(&self, pair: Pair) -> Option<(HydrogenBond, Side)> {
        let (ours, theirs) = (self.our_end(pair.ours), self.their_end(pair.theirs));
        let given = hydrogen_bond(ours, theirs);
        let taken = hydrogen_bond(theirs, ours);
        match (given, taken) {
            (Some(a), Some(b)) if b.at_hydrogen > a.at_hydrogen => Some((b, Side::Receptor)),
            (Some(a), _) => Some((a, Side::Ligand)),
            (None, b) => b.map(|bond| (bond, Side::Receptor)),
        }
    }

    fn water_bridges(&mut self, pairs: &[Pair]) {
        const NEAREST: f32 = 2.5;
        for &pair in pairs {
            let can = self.ours.donors[pair.ours as usize].is_some() || self.ours.acceptors[pair.ours as usize];
            if !self.theirs.waters[pair.theirs as usize] || !can || pair.distance < NEAREST {
                continue;
            }
            let (ours, oxygen) = (self.our_end(pair.ours), self.their_end(pair.theirs));
            let given = hydrogen_bond(ours, oxygen).is_some();
            if !given && hydrogen_bond(oxygen, ours).is_none() {
                continue;
            }
            let water = self.there[pair.theirs as usize];
            // The nearest partner of each residue.
            let mut partners: BTreeMap<u32, (f32, u32, f32)> = BTreeMap::new();
            for point in self.receptor.grid.within(water, REACH) {
                let atom = self.receptor.atoms[point as usize];
                let place = self.there[atom as usize];
                let distance = place.distance(water);
                let at_water = angle(self.here[pair.ours as usize], water, place);
                if !self.is_partner(atom)
                    || self.theirs.waters[atom as usize]
                    || distance < NEAREST
                    || !(71.0..=140.0).contains(&at_water.to_degrees())
                    || !self.leg_to_water(atom, pair.theirs)
                {
                    continue;
                }
                let held = partners.entry(self.residue_index(atom)).or_insert((distance, atom, at_water));
                if distance < held.0 {
                    *held = (distance, atom, at_water);
                }
            }
            for (to_receptor, atom, at_water) in partners.into_values() {
                let points = [self.here[pair.ours as usize], self.there[atom as usize]];
                let bridge = BridgingWater {
                    atom: pair.theirs,
                    residue: self.residue_index(pair.theirs),
                    place: water,
                    to_ligand: pair.distance,
                    to_receptor,
                };
                let geometry =
                    Geometry { donor: given.then_some(Side::Ligand), water: Some(bridge), ..Geometry::default() };
                self.add(
                    InteractionKind::WaterBridge,
                    vec![pair.ours],
                    vec![pair.theirs, atom],
                    Some(at_water),
                    points,
                    geometry,
                );
            }
        }
    }

    /// Whether a receptor atom makes a hydrogen bond with a water, one way or the other.
    fn leg_to_water(&self, atom: u32, water: u32) -> bool {
        let (atom, water) = (self.their_end(atom), self.their_end(water));
        hydrogen_bond(atom, water).is_some() || hydrogen_bond(water, atom).is_some()
    }

    fn stacking(&mut self) {
        struct Stack {
            ours: usize,
            theirs: usize,
            tilt: f32,
            offset: f32,
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
                    stacks.push(Stack { ours, theirs, tilt, offset, points: [centre, other] });
                }
            }
        }
        // Fused rings stack as one: of a ring with a residue, and of two rings with one, the closest counts.
        stacks.sort_by(|a, b| a.points[0].distance(a.points[1]).total_cmp(&b.points[0].distance(b.points[1])));
        let mut taken: HashSet<(usize, u32)> = HashSet::new();
        let mut used = HashSet::new();
        for Stack { ours, theirs, tilt, offset, points } in stacks {
            let ring = self.theirs.rings[theirs].clone();
            let residue = ring.first().map_or(u32::MAX, |&atom| self.residue_index(atom));
            // Between two chains a ring may have a partner on either face.
            let is_used = used.contains(&theirs) && self.partners.is_none();
            if is_used || taken.contains(&(ours, residue)) {
                continue;
            }
            used.insert(theirs);
            taken.insert((ours, residue));
            let stacking = if tilt.to_degrees() <= 30.0 { Stacking::FaceToFace } else { Stacking::EdgeToFace };
            let geometry = Geometry { ring_offset: Some(offset), stacking: Some(stacking), ..Geometry::default() };
            self.add(InteractionKind::PiStacking, self.ours.rings[ours].clone(), ring, Some(tilt), points, geometry);
        }
    }

    fn cation_pi(&mut self) {
        for cation in &self.ours.cations {
            let charge = mean(self.here, &cation.atoms);
            // The closest ring of each residue.
            let mut rings: BTreeMap<u32, (OverRing, &Vec<u32>)> = BTreeMap::new();
            for ring in &self.theirs.rings {
                let Some(place) = over_ring(charge, ring_plane(self.there, ring)) else { continue };
                let residue = ring.first().map_or(u32::MAX, |&atom| self.residue_index(atom));
                let held = rings.entry(residue).or_insert((place, ring));
                if charge.distance(place.centre) < charge.distance(held.0.centre) {
                    *held = (place, ring);
                }
            }
            for (place, ring) in rings.into_values() {
                let (atoms, points) = (cation.atoms.clone(), [charge, place.centre]);
                let geometry = place.geometry(Side::Ligand);
                self.add(InteractionKind::CationPi, atoms, ring.clone(), Some(place.tilt), points, geometry);
            }
        }
        for cation in &self.theirs.cations {
            let charge = mean(self.there, &cation.atoms);
            // The closest ring of the ligand (fused rings share the charge), or of each residue.
            let mut rings: BTreeMap<u32, (OverRing, &Vec<u32>)> = BTreeMap::new();
            for ring in &self.ours.rings {
                let Some(place) = over_ring(charge, ring_plane(self.here, ring)) else { continue };
                let residue = match self.partners {
                    Some(_) => ring.first().map_or(u32::MAX, |&atom| self.residue_index(atom)),
                    None => 0,
                };
                let held = rings.entry(residue).or_insert((place, ring));
                if charge.distance(place.centre) < charge.distance(held.0.centre) {
                    *held = (place, ring);
                }
            }
            for (place, ring) in rings.into_values() {
                let (atoms, points) = (cation.atoms.clone(), [place.centre, charge]);
                let geometry = place.geometry(Side::Receptor);
                self.add(InteractionKind::CationPi, ring.clone(), atoms, Some(place.tilt), points, geometry);
            }
        }
    }

    fn weak_hydrogen_bonds(&mut self, pairs: &[Pair]) {
        const REACH: f32 = 3.5;
        for &pair in pairs {
            if pair.distance > REACH
                || self.is_settled(pair)
                || self.theirs.waters[pair.theirs as usize]
                || !self.is_partner(pair.theirs)
            {
                continue;
            }
            let (ours, theirs) = (self.our_end(pair.ours), self.their_end(pair.theirs));
            let found = weak_hydrogen_bond(ours, theirs)
                .map(|bond| (bond, Side::Ligand))
                .or_else(|| weak_hydrogen_bond(theirs, ours).map(|bond| (bond, Side::Receptor)));
            if let Some((bond, donor)) = found {
                self.settled.insert((pair.ours, pair.theirs));
                self.add_pair(InteractionKind::WeakHydrogenBond, pair, Some(bond.at_hydrogen), bond.geometry(donor));
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
                || self.is_settled(pair)
            {
                continue;
            }
            let held = of_ligand_atom.entry((pair.ours, self.residue_index(pair.theirs))).or_insert(pair);
            if pair.distance < held.distance {
                *held = pair;
            }
        }
        // Between two chains each pair of residues keeps its own.
        let mut of_receptor_atom: BTreeMap<(u32, u32), Pair> = BTreeMap::new();
        for pair in of_ligand_atom.into_values() {
            let side = if self.partners.is_some() { self.residue_index(pair.ours) } else { 0 };
            let held = of_receptor_atom.entry((pair.theirs, side)).or_insert(pair);
            if pair.distance < held.distance {
                *held = pair;
            }
        }
        for pair in of_receptor_atom.into_values() {
            self.add_pair(InteractionKind::Hydrophobic, pair, None, Geometry::default());
        }
    }
}

/// A hydrogen bond's geometry: lengths in Å, angles in radians.
#[derive(Clone, Copy)]
struct HydrogenBond {
    hydrogen: Vec3,
    to_acceptor: f32,
    at_hydrogen: f32,
    at_acceptor: Option<f32>,
}

impl HydrogenBond {
    fn geometry(&self, donor: Side) -> Geometry {
        Geometry {
            donor: Some(donor),
            hydrogen: Some(self.hydrogen),
            hydrogen_to_acceptor: Some(self.to_acceptor),
            angle_at_acceptor: self.at_acceptor,
            ..Geometry::default()
        }
    }
}

/// The hydrogen bond from donor to acceptor, if they make one.
fn hydrogen_bond((from, here, donor): End<'_>, (to, there, acceptor): End<'_>) -> Option<HydrogenBond> {
    let shape = from.donors[donor as usize].filter(|_| to.acceptors[acceptor as usize])?;
    let (start, end) = (here[donor as usize], there[acceptor as usize]);
    let has_sulfur = [from.elements[donor as usize], to.elements[acceptor as usize]].contains(&Element::S);
    let (longest, longest_from_hydrogen) = if has_sulfur { (4.1, 3.0) } else { (3.5, 2.5) };
    if start.distance(end) > longest {
        return None;
    }
    let length = if from.elements[donor as usize] == Element::S { SULFUR_BOND } else { POLAR_BOND };
    let hydrogen = best_hydrogen(from, here, donor, shape, length, end)?;
    let at_hydrogen = angle(start, hydrogen, end);
    let to_acceptor = hydrogen.distance(end);
    if to_acceptor > longest_from_hydrogen || at_hydrogen.to_degrees() < 100.0 {
        return None;
    }
    let at_acceptor = narrowest(hydrogen, (to, there, acceptor));
    at_acceptor.is_none_or(|held| held >= FRAC_PI_2).then_some(HydrogenBond {
        hydrogen,
        to_acceptor,
        at_hydrogen,
        at_acceptor,
    })
}

/// The weak hydrogen bond from a carbon to an oxygen or nitrogen, if they make one.
fn weak_hydrogen_bond((from, here, carbon): End<'_>, (to, there, acceptor): End<'_>) -> Option<HydrogenBond> {
    let takes = to.acceptors[acceptor as usize] && matches!(to.elements[acceptor as usize], Element::O | Element::N);
    let shape = from.weak_donors[carbon as usize].filter(|_| takes)?;
    let end = there[acceptor as usize];
    let hydrogen = best_hydrogen(from, here, carbon, shape, CARBON_BOND, end)?;
    let at_hydrogen = angle(here[carbon as usize], hydrogen, end);
    (at_hydrogen.to_degrees() >= 130.0).then(|| HydrogenBond {
        hydrogen,
        to_acceptor: hydrogen.distance(end),
        at_hydrogen,
        at_acceptor: narrowest(hydrogen, (to, there, acceptor)),
    })
}

/// The angles at a halogen and (the smallest) at its acceptor, radians, if they make a halogen bond.
fn halogen_angles((from, here, halogen): End<'_>, acceptor: End<'_>) -> Option<(f32, Option<f32>)> {
    let (to, there, atom) = acceptor;
    if !matches!(from.elements[halogen as usize], Element::CL | Element::BR | Element::I)
        || !to.acceptors[atom as usize]
    {
        return None;
    }
    let [carbon] = from.neighbours[halogen as usize][..] else { return None };
    let (place, end) = (here[halogen as usize], there[atom as usize]);
    let at_halogen = angle(here[carbon as usize], place, end);
    let is_aimed = to.neighbours[atom as usize]
        .iter()
        .all(|&next| (90.0..=150.0).contains(&angle(place, end, there[next as usize]).to_degrees()));
    (at_halogen.to_degrees() >= 135.0 && is_aimed).then(|| (at_halogen, narrowest(place, acceptor)))
}

/// The smallest angle at an atom between a point and the atom's neighbours, radians.
fn narrowest(point: Vec3, (sites, positions, atom): End<'_>) -> Option<f32> {
    sites.neighbours[atom as usize]
        .iter()
        .map(|&next| angle(point, positions[atom as usize], positions[next as usize]))
        .min_by(f32::total_cmp)
}

/// The angle between two lines, radians, at most a right angle.
fn line_angle(a: Vec3, b: Vec3) -> f32 {
    a.cross(b).length().atan2(a.dot(b).abs())
}

/// How far from the axis through `centre` along `normal` a point lies, Å.
fn offset(point: Vec3, centre: Vec3, normal: Vec3) -> f32 {
    (point - centre).reject_from_normalized(normal).length()
}

/// A charge over a ring: the ring's centre, the charge's angle to its axis (radians) and distance from it (Å).
#[derive(Clone, Copy)]
struct OverRing {
    centre: Vec3,
    tilt: f32,
    offset: f32,
}

impl OverRing {
    fn geometry(&self, donor: Side) -> Geometry {
        Geometry { donor: Some(donor), ring_offset: Some(self.offset), ..Geometry::default() }
    }
}

fn over_ring(charge: Vec3, (centre, normal): (Vec3, Vec3)) -> Option<OverRing> {
    let offset = offset(charge, centre, normal);
    (charge.distance(centre) <= 6.0 && offset <= 2.0).then(|| OverRing {
        centre,
        tilt: line_angle(charge - centre, normal),
        offset,
    })
}

fn mean(positions: &[Vec3], atoms: &[u32]) -> Vec3 {
    atoms.iter().map(|&atom| positions[atom as usize]).sum::<Vec3>() / atoms.len().max(1) as f32
}

fn ring_plane(positions: &[Vec3], ring: &[u32]) -> (Vec3, Vec3) {
    let points: Vec<Vec3> = ring.iter().map(|&atom| positions[atom as usize]).collect();
    plane(&points)
}
