//! Where hydrogens go.

use std::f32::consts::TAU;

use glam::Vec3;

use super::choices::{Role, role};
use super::sites::Surroundings;
use super::{Shape, Site};
use crate::Element;
use crate::analysis::measurements::dihedral;
use crate::analysis::neighbour_grid::NeighbourGrid;
use crate::bonds::CROWDED;
use crate::structure::Topology;

/// Steps of a full turn that rotors are tried at.
const STEPS: u32 = 36;
/// Times that all rotors are looked at again while any of them moves.
const MAX_ROUNDS: usize = 5;
/// How far a hydrogen's contacts reach, Å.
const REACH: f32 = 3.2;
/// Contacts nearer than the sum of radii by more than this are clashes, Å.
const TOLERANCE: f32 = 0.4;

/// A hydrogen that stands already.
#[derive(Clone, Copy)]
struct Standing {
    place: Vec3,
    host: u32,
    is_polar: bool,
}

struct Scene<'a> {
    topology: &'a Topology,
    positions: &'a [Vec3],
    surroundings: Surroundings,
    heavy: NeighbourGrid,
    roles: Vec<Role>,
}

/// For each site the positions of its hydrogens.
pub(super) fn place(topology: &Topology, positions: &[Vec3], sites: &[Site]) -> Vec<Vec<Vec3>> {
    let surroundings = Surroundings::new(topology);
    let roles = (0..topology.atoms.len()).map(|atom| role(topology, &surroundings, atom)).collect();
    let scene = Scene { topology, positions, surroundings, heavy: NeighbourGrid::new(positions, REACH), roles };
    let mut placed: Vec<Vec<Vec3>> = sites.iter().map(|site| scene.fixed(site, 0.0)).collect();
    if scene.heavy.fullest_cell() > CROWDED {
        // A heap of atoms is not matter, and looking at all its pairs would take for ever.
        return placed;
    }
    let turns = |site: &Site| {
        matches!(site.shape, Shape::Rotor { .. }) || site.shape == Shape::Free && is_water(topology, site)
    };
    let rotors: Vec<usize> = (0..sites.len()).filter(|&site| turns(&sites[site])).collect();
    let mut standing = Vec::new();
    for (site, places) in sites.iter().zip(&placed).filter(|(site, _)| !turns(site)) {
        standing.extend(places.iter().map(|place| scene.standing(site, *place)));
    }
    for (atom, _) in topology.atoms.iter().enumerate().filter(|(_, atom)| atom.element == Element::H) {
        if let Some(host) = host_of(topology, atom as u32) {
            let is_polar = topology.atoms[host as usize].element != Element::C;
            standing.push(Standing { place: positions[atom], host, is_polar });
        }
    }
    let grid = NeighbourGrid::new(&standing.iter().map(|held| held.place).collect::<Vec<_>>(), REACH);
    // Rotors near enough to see each other's hydrogens.
    let centres: Vec<Vec3> = rotors.iter().map(|site| positions[sites[*site].atom as usize]).collect();
    let near = NeighbourGrid::new(&centres, REACH + 2.2);
    for _ in 0..MAX_ROUNDS {
        let mut has_moved = false;
        for (order, &site) in rotors.iter().enumerate() {
            let mut others = Vec::new();
            near.for_each_within(centres[order], REACH + 2.2, |other, _| {
                let other = rotors[other as usize];
                if other != site {
                    others.extend(placed[other].iter().map(|place| scene.standing(&sites[other], *place)));
                }
            });
            let cost = |places: &[Vec3]| -> f32 {
                places.iter().map(|place| scene.cost(&sites[site], *place, &standing, &grid, &others)).sum()
            };
            let now = cost(&placed[site]);
            let mut best = (now, None);
            for candidate in scene.candidates(&sites[site]) {
                let value = cost(&candidate.0) + candidate.1;
                if value < best.0 - 1e-3 {
                    best = (value, Some(candidate.0));
                }
            }
            if let (_, Some(better)) = best {
                has_moved |= better.iter().zip(&placed[site]).any(|(a, b)| a.distance(*b) > 0.05);
                placed[site] = better;
            }
        }
        if !has_moved {
            break;
        }
    }
    placed
}

fn is_water(topology: &Topology, site: &Site) -> bool {
    site.hydrogens.len() == 2 && topology.atoms[site.atom as usize].element == Element::O
}

fn host_of(topology: &Topology, hydrogen: u32) -> Option<u32> {
    // Bonds are sorted, and a hydrogen has one.
    let as_first = topology.bonds.partition_point(|bond| bond.a < hydrogen);
    if let Some(bond) = topology.bonds.get(as_first).filter(|bond| bond.a == hydrogen) {
        return Some(bond.b);
    }
    let residue = topology.residue_of(hydrogen as usize);
    let first = topology.bonds.partition_point(|bond| bond.a < residue.atoms.start);
    let own = topology.bonds[first..].iter().take_while(|bond| bond.a < residue.atoms.end);
    own.into_iter().find(|bond| bond.b == hydrogen).map(|bond| bond.a)
}

/// Two directions that make a right-handed frame with a unit vector, the first as near to `towards` as can be.
fn frame(axis: Vec3, towards: Vec3) -> (Vec3, Vec3) {
    let first = towards.reject_from_normalized(axis);
    let first = if first.length_squared() > 1e-6 { first.normalize_or_zero() } else { axis.any_orthonormal_vector() };
    (first, axis.cross(first))
}

impl Scene<'_> {
    fn at(&self, atom: u32) -> Vec3 {
        self.positions[atom as usize]
    }

    fn standing(&self, site: &Site, place: Vec3) -> Standing {
        let is_polar = self.topology.atoms[site.atom as usize].element != Element::C;
        Standing { place, host: site.atom, is_polar }
    }

    /// The places by geometry alone; rotors turned by so many radians.
    fn fixed(&self, site: &Site, turned: f32) -> Vec<Vec3> {
        let host = self.at(site.atom);
        let around: Vec<Vec3> =
            site.neighbours.iter().map(|atom| (self.at(*atom) - host).normalize_or_zero()).collect();
        let along = |direction: Vec3, length: f32| host + direction.normalize_or_zero() * length;
        match (&around[..], site.shape) {
            ([], _) => site
                .hydrogens
                .iter()
                .enumerate()
                .map(|(index, hydrogen)| {
                    // A tetrahedron's corners.
                    let corner = [
                        Vec3::new(1.0, 1.0, 1.0),
                        Vec3::new(-1.0, -1.0, 1.0),
                        Vec3::new(-1.0, 1.0, -1.0),
                        Vec3::new(1.0, -1.0, -1.0),
                    ];
                    along(corner[index % 4], hydrogen.length)
                })
                .collect(),
            ([first], shape) => {
                let angle = match shape {
                    Shape::Rotor { angle, .. } | Shape::Fixed { angle } => angle,
                    _ => 109.5_f32.to_radians(),
                };
                let towards = site.reference.map_or(Vec3::X, |atom| self.at(atom) - self.at(site.neighbours[0]));
                // Looked at along the bond towards the host, torsions run as the frame turns.
                let (in_plane, third) = frame(-*first, towards);
                site.hydrogens
                    .iter()
                    .map(|hydrogen| {
                        let torsion = hydrogen.torsion + turned;
                        let sideways = in_plane * torsion.cos() + third * torsion.sin();
                        along(*first * angle.cos() + sideways * angle.sin(), hydrogen.length)
                    })
                    .collect()
            }
            ([first, second], shape) if shape != Shape::Planar => {
                let bisector = -(*first + *second).normalize_or_zero();
                let normal = first.cross(*second).normalize_or_zero();
                site.hydrogens
                    .iter()
                    .map(|hydrogen| {
                        let side = if hydrogen.is_above { normal } else { -normal };
                        along(bisector * 0.577_35 + side * 0.816_5, hydrogen.length)
                    })
                    .collect()
            }
            (all, _) => {
                let sum: Vec3 = all.iter().copied().sum();
                site.hydrogens.iter().map(|hydrogen| along(-sum, hydrogen.length)).collect()
            }
        }
    }

    /// Places to try, each with what it costs by itself (eclipsed torsions).
    fn candidates(&self, site: &Site) -> Vec<(Vec<Vec3>, f32)> {
        if let Shape::Rotor { fold, .. } = site.shape {
            let steps = STEPS / fold.max(1);
            let conjugated = self.is_conjugated(site);
            return (0..steps)
                .map(|step| {
                    let places = self.fixed(site, TAU * step as f32 / STEPS as f32);
                    let strain = places.first().map_or(0.0, |place| self.strain(site, *place, conjugated));
                    (places, strain)
                })
                .collect();
        }
        // Water: one hydrogen towards each partner in turn, the other around it.
        let host = self.at(site.atom);
        let mut directions: Vec<Vec3> = Vec::new();
        for other in self.heavy.within(host, 3.4) {
            if other != site.atom && matches!(self.roles[other as usize], Role::Acceptor | Role::Both) {
                directions.push((self.at(other) - host).normalize_or_zero());
            }
        }
        directions.push(Vec3::X);
        let (sine, cosine) = 104.5_f32.to_radians().sin_cos();
        let lengths = [0, 1].map(|index| site.hydrogens.get(index).map_or(0.97, |hydrogen| hydrogen.length));
        let mut found = Vec::new();
        for direction in directions {
            let (first, second) = frame(direction, Vec3::new(0.3, 0.5, 0.8));
            for step in 0..STEPS / 2 {
                let (turn_sine, turn_cosine) = (TAU * step as f32 / (STEPS / 2) as f32).sin_cos();
                let other = direction * cosine + (first * turn_cosine + second * turn_sine) * sine;
                found.push((vec![host + direction * lengths[0], host + other * lengths[1]], 0.0));
            }
        }
        found
    }

    /// Whether the rotor hangs on an aromatic or double-bonded atom.
    fn is_conjugated(&self, site: &Site) -> bool {
        use crate::structure::BondOrder::{Aromatic, Double};
        site.neighbours.first().is_some_and(|atom| {
            self.surroundings.heavy[*atom as usize].iter().any(|(_, order)| matches!(order, Aromatic | Double))
        })
    }

    /// What a torsion costs: hydroxyls like to be staggered, phenols and acids flat. In hydrogen bonds.
    fn strain(&self, site: &Site, place: Vec3, conjugated: bool) -> f32 {
        let (Some(reference), Some(first)) = (site.reference, site.neighbours.first()) else { return 0.0 };
        let angle = dihedral(self.at(reference), self.at(*first), self.at(site.atom), place);
        if conjugated { 0.6 * (1.0 - (2.0 * angle).cos()) } else { 0.15 * (1.0 + (3.0 * angle).cos()) }
    }

    /// What a hydrogen costs here: clashes less hydrogen bonds.
    fn cost(&self, site: &Site, place: Vec3, standing: &[Standing], grid: &NeighbourGrid, others: &[Standing]) -> f32 {
        let host = self.at(site.atom);
        let host_element = self.topology.atoms[site.atom as usize].element;
        let is_polar = host_element != Element::C;
        let strength = if host_element == Element::S { 0.4 } else { 1.0 };
        let mut cost = 0.0;
        self.heavy.for_each_within(place, REACH, |other, squared| {
            let is_near = other == site.atom || site.neighbours.contains(&other);
            let element = self.topology.atoms[other as usize].element;
            if is_near || element == Element::H || !self.topology.is_primary_location(other as usize) {
                return;
            }
            let distance = squared.sqrt();
            let role = self.roles[other as usize];
            if is_polar && matches!(role, Role::Acceptor | Role::Both) && distance < 2.6 {
                let angle = (host - place).angle_between(self.at(other) - place);
                let straight = ((angle.to_degrees() - 90.0) / 70.0).clamp(0.0, 1.0);
                // Best at 1.9 Å, nothing at 2.6 Å.
                cost -= strength * straight * ((2.6 - distance) / 0.7).clamp(0.0, 1.0);
            }
            let radius = match role {
                Role::Metal => 2.0,
                Role::Acceptor | Role::Both if is_polar => 1.2,
                _ => element.vdw_radius(),
            };
            cost += clash(radius + if is_polar { 0.8 } else { 1.1 } - TOLERANCE - distance);
        });
        let mut against = |other: &Standing| {
            if other.host != site.atom {
                let radii = if is_polar && other.is_polar { 2.1 } else { 2.3 };
                cost += clash(radii - TOLERANCE - other.place.distance(place));
            }
        };
        grid.for_each_within(place, REACH, |other, _| against(&standing[other as usize]));
        others.iter().for_each(against);
        cost
    }
}

fn clash(overlap: f32) -> f32 {
    if overlap > 0.0 { 4.0 * overlap * overlap + overlap } else { 0.0 }
}
