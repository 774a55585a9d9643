//! Where a small molecule could bind: cavities found by alpha spheres.
//!
//! An alpha sphere touches four atoms and holds none (Liang, Edelsbrunner & Woodward, Protein Sci. 1998, 7, 1884): its
//! centre is a corner of the Voronoi diagram of the atoms, its radius says what the place is. Small ones fill the
//! protein's packing, large ones lie outside, those between line clefts. After fpocket (Le Guilloux, Schmidtke & Tuffery,
//! BMC Bioinformatics 2009, 10, 168): keep spheres of 3.4-6.2 Å, join neighbours of the Voronoi diagram whose centres are
//! near, join these groups where their centres or several of their spheres are near, leave out the small ones.
//!
//! Ranking is our own: size, hydrophobic crowding (fpocket's "mean local hydrophobic density") and burial, each counted in
//! plain numbers and not relative to the structure's other pockets, so that scores of two structures can be compared.
//! `docs/benchmarks.md` says how often a known ligand's site comes first.
//!
//! Waters and small molecules do not count as walls: what is sought is often filled in the file. Metals and ions do.

mod delaunay;

use std::collections::{BTreeSet, HashMap, HashSet};

use glam::{DVec3, Vec3};

use super::neighbour_grid::NeighbourGrid;
use crate::{Element, Model, ResidueKind};
use delaunay::delaunay;

/// Radii of alpha spheres that count, Å.
const RADII: std::ops::RangeInclusive<f32> = 3.4..=6.2;

/// Centres of neighbouring spheres that belong together, Å.
const NEIGHBOUR_DISTANCE: f32 = 2.4;

/// Groups whose middles are nearer than this are one, Å.
const MIDDLE_DISTANCE: f32 = 4.5;

/// Groups with so many pairs of spheres nearer than `LINK_DISTANCE` Å are one.
const LINKS: usize = 3;
const LINK_DISTANCE: f32 = 2.5;

/// Spheres of a pocket at least.
const LEAST_SPHERES: usize = 15;

/// Atoms within this of a sphere's centre tell how buried it is, Å.
const BURIAL_RADIUS: f32 = 8.0;

/// What the radius of a wall's atom takes from a sphere's, Å: the volume is that which nuclei can use.
const WALL_RADIUS: f32 = 1.7;

/// Edge of the cubes that the volume is counted in, Å.
const VOLUME_GRID: f32 = 0.5;

/// Atoms beyond this are too many for one look, and no single binding partner.
const MOST_ATOMS: usize = 2_000_000;

/// A sphere that touches four atoms and holds none.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AlphaSphere {
    /// Å.
    pub center: Vec3,
    /// Å, to the nuclei.
    pub radius: f32,
    /// Whether three or more of its atoms are carbon or sulfur.
    pub is_apolar: bool,
    /// The atoms it touches.
    pub atoms: [u32; 4],
}

/// A cavity.
#[derive(Clone, Debug, PartialEq)]
pub struct Pocket {
    /// Larger is more likely a binding site.
    pub score: f32,
    /// Mean of the spheres' centres, Å.
    pub center: Vec3,
    /// Its spheres.
    pub spheres: Vec<AlphaSphere>,
    /// Space in Å³ that centres of atoms can use.
    pub volume: f32,
    /// Share of the spheres that are apolar.
    pub apolar_share: f32,
    /// Mean number of other apolar spheres that an apolar sphere overlaps.
    pub hydrophobic_density: f32,
    /// Mean number of atoms within 8 Å of the spheres' centres.
    pub burial: f32,
    /// Residues that its spheres touch, ascending.
    pub residues: Vec<u32>,
}

impl Pocket {
    /// Whether a point lies inside one of the spheres.
    #[must_use]
    pub fn contains(&self, point: Vec3) -> bool {
        self.spheres.iter().any(|sphere| sphere.center.distance(point) <= sphere.radius)
    }
}

/// The pockets of a model, best first. Empty where there is no cleft, and for structures of more than two million atoms.
#[must_use]
pub fn pockets(model: &Model) -> Vec<Pocket> {
    let topology = &*model.topology;
    let walls: Vec<u32> = (0..topology.atoms.len())
        .filter(|&atom| {
            topology.atoms[atom].element != Element::H
                && topology.is_primary_location(atom)
                && model.positions[atom].is_finite()
                && !matches!(
                    topology.residue_of(atom).kind,
                    ResidueKind::Water | ResidueKind::Ligand | ResidueKind::Carbohydrate
                )
        })
        .map(|atom| atom as u32)
        .collect();
    if walls.len() > MOST_ATOMS {
        return Vec::new();
    }
    let positions: Vec<Vec3> = walls.iter().map(|&atom| model.positions[atom as usize]).collect();
    let (spheres, touching) = alpha_spheres(model, &walls, &positions);
    let grid = NeighbourGrid::new(&positions, BURIAL_RADIUS);
    let mut pockets: Vec<Pocket> = grouped(&spheres, &touching)
        .into_iter()
        .filter(|group| group.len() >= LEAST_SPHERES)
        .map(|group| describe(model, &grid, group.iter().map(|&sphere| spheres[sphere]).collect()))
        .collect();
    pockets.sort_by(|a, b| b.score.total_cmp(&a.score));
    pockets
}

/// The spheres of the right size, and pairs of them that are neighbours in the Voronoi diagram.
fn alpha_spheres(model: &Model, walls: &[u32], positions: &[Vec3]) -> (Vec<AlphaSphere>, Vec<(usize, usize)>) {
    let tetrahedra = delaunay(positions);
    let mut spheres = Vec::new();
    let mut sphere_of = vec![None; tetrahedra.len()];
    for (index, tetrahedron) in tetrahedra.iter().enumerate() {
        let corners = tetrahedron.points.map(|point| positions[point as usize].as_dvec3());
        let Some((center, radius)) = circumsphere(corners) else { continue };
        let radius = radius as f32;
        if !RADII.contains(&radius) {
            continue;
        }
        let atoms = tetrahedron.points.map(|point| walls[point as usize]);
        let apolar = atoms
            .iter()
            .filter(|&&atom| matches!(model.topology.atoms[atom as usize].element, Element::C | Element::S))
            .count();
        sphere_of[index] = Some(spheres.len());
        spheres.push(AlphaSphere { center: center.as_vec3(), radius, is_apolar: apolar >= 3, atoms });
    }
    let mut touching = Vec::new();
    for (index, tetrahedron) in tetrahedra.iter().enumerate() {
        let Some(sphere) = sphere_of[index] else { continue };
        let others = tetrahedron.neighbours.into_iter().flatten().filter_map(|other| sphere_of[other as usize]);
        touching.extend(others.filter(|&other| other > sphere).map(|other| (sphere, other)));
    }
    (spheres, touching)
}

/// Centre and radius of the sphere through four points; `None` when they lie in a plane.
fn circumsphere([a, b, c, d]: [DVec3; 4]) -> Option<(DVec3, f64)> {
    let (ab, ac, ad) = (b - a, c - a, d - a);
    let determinant = 2.0 * ab.dot(ac.cross(ad));
    if determinant.abs() < 1e-9 {
        return None;
    }
    let offset =
        (ab.length_squared() * ac.cross(ad) + ac.length_squared() * ad.cross(ab) + ad.length_squared() * ab.cross(ac))
            / determinant;
    Some((a + offset, offset.length()))
}

/// Spheres that belong together, as indices; in the order of their first spheres.
fn grouped(spheres: &[AlphaSphere], touching: &[(usize, usize)]) -> Vec<Vec<usize>> {
    let mut sets = DisjointSets::new(spheres.len());
    for &(a, b) in touching {
        if spheres[a].center.distance(spheres[b].center) <= NEIGHBOUR_DISTANCE {
            sets.join(a, b);
        }
    }
    // Groups of one are scattered over the whole surface and would join everything.
    let groups: Vec<Vec<usize>> = sets.groups().into_iter().filter(|group| group.len() > 1).collect();
    let middles: Vec<Vec3> = groups
        .iter()
        .map(|group| group.iter().map(|&sphere| spheres[sphere].center).sum::<Vec3>() / group.len() as f32)
        .collect();
    let mut group_of = vec![None; spheres.len()];
    for (index, group) in groups.iter().enumerate() {
        group.iter().for_each(|&sphere| group_of[sphere] = Some(index));
    }
    let mut joined = DisjointSets::new(groups.len());
    NeighbourGrid::new(&middles, MIDDLE_DISTANCE)
        .for_each_pair(MIDDLE_DISTANCE, |a, b, _| joined.join(a as usize, b as usize));
    let centers: Vec<Vec3> = spheres.iter().map(|sphere| sphere.center).collect();
    let mut links: HashMap<(usize, usize), usize> = HashMap::new();
    NeighbourGrid::new(&centers, LINK_DISTANCE).for_each_pair(LINK_DISTANCE, |a, b, _| {
        if let (Some(a), Some(b)) = (group_of[a as usize], group_of[b as usize])
            && a != b
        {
            *links.entry((a.min(b), a.max(b))).or_default() += 1;
        }
    });
    for ((a, b), count) in links {
        if count >= LINKS {
            joined.join(a, b);
        }
    }
    joined
        .groups()
        .into_iter()
        .map(|members| {
            let mut spheres: Vec<usize> = members.into_iter().flat_map(|member| groups[member].clone()).collect();
            spheres.sort_unstable();
            spheres
        })
        .collect()
}

fn describe(model: &Model, walls: &NeighbourGrid, spheres: Vec<AlphaSphere>) -> Pocket {
    let count = spheres.len() as f32;
    let center = spheres.iter().map(|sphere| sphere.center).sum::<Vec3>() / count;
    let apolar: Vec<&AlphaSphere> = spheres.iter().filter(|sphere| sphere.is_apolar).collect();
    let overlaps = apolar
        .iter()
        .enumerate()
        .flat_map(|(index, a)| apolar[..index].iter().map(move |b| (a, b)))
        .filter(|(a, b)| a.center.distance(b.center) <= a.radius + b.radius)
        .count();
    let hydrophobic_density = 2.0 * overlaps as f32 / apolar.len().max(1) as f32;
    let mut atoms_near = 0;
    for sphere in &spheres {
        walls.for_each_within(sphere.center, BURIAL_RADIUS, |_, _| atoms_near += 1);
    }
    let burial = atoms_near as f32 / count;
    let residues: BTreeSet<u32> = spheres
        .iter()
        .flat_map(|sphere| sphere.atoms)
        .map(|atom| model.topology.atoms[atom as usize].residue)
        .collect();
    Pocket {
        score: 2.0 * count.ln() + hydrophobic_density / 15.0 + burial / 15.0,
        center,
        volume: volume(&spheres),
        apolar_share: apolar.len() as f32 / count,
        hydrophobic_density,
        burial,
        residues: residues.into_iter().collect(),
        spheres,
    }
}

/// Volume of the spheres together, each less the radius of its walls.
fn volume(spheres: &[AlphaSphere]) -> f32 {
    let mut cubes: HashSet<[i32; 3]> = HashSet::new();
    for sphere in spheres {
        let radius = sphere.radius - WALL_RADIUS;
        let low = ((sphere.center - radius) / VOLUME_GRID).ceil().as_ivec3();
        let high = ((sphere.center + radius) / VOLUME_GRID).floor().as_ivec3();
        for x in low.x..=high.x {
            for y in low.y..=high.y {
                for z in low.z..=high.z {
                    let point = VOLUME_GRID * Vec3::new(x as f32, y as f32, z as f32);
                    if point.distance_squared(sphere.center) <= radius * radius {
                        cubes.insert([x, y, z]);
                    }
                }
            }
        }
    }
    cubes.len() as f32 * VOLUME_GRID.powi(3)
}

/// Sets that only grow together (union-find); a set is named by its lowest member.
struct DisjointSets {
    parents: Vec<usize>,
}

impl DisjointSets {
    fn new(count: usize) -> Self {
        Self { parents: (0..count).collect() }
    }

    fn root(&mut self, mut member: usize) -> usize {
        while self.parents[member] != member {
            self.parents[member] = self.parents[self.parents[member]];
            member = self.parents[member];
        }
        member
    }

    fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.root(a), self.root(b));
        self.parents[a.max(b)] = a.min(b);
    }

    /// Members of each set ascending, sets in the order of their lowest members.
    fn groups(&mut self) -> Vec<Vec<usize>> {
        let mut groups: Vec<Vec<usize>> = vec![Vec::new(); self.parents.len()];
        for member in 0..self.parents.len() {
            let root = self.root(member);
            groups[root].push(member);
        }
        groups.retain(|group| !group.is_empty());
        groups
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::structure::{Atom, Chain, Residue, Topology};

    /// Carbons on a lattice of 2.5 Å that fill a ball, as one residue, without those that `is_hollow` names.
    fn ball(radius: f32, is_hollow: impl Fn(Vec3) -> bool) -> Model {
        let mut positions = Vec::new();
        let reach = (radius / 2.5).ceil() as i32;
        for x in -reach..=reach {
            for y in -reach..=reach {
                for z in -reach..=reach {
                    let point = 2.5 * Vec3::new(x as f32, y as f32, z as f32);
                    if point.length() < radius && !is_hollow(point) {
                        positions.push(point);
                    }
                }
            }
        }
        let count = positions.len() as u32;
        let atom = Atom {
            name: "CA".into(),
            element: Element::C,
            serial: 1,
            altloc: None,
            occupancy: 1.0,
            formal_charge: 0,
            residue: 0,
        };
        let residue = Residue {
            name: "ALA".into(),
            number: 1,
            insertion_code: None,
            sequence_index: None,
            asym_id: "A".into(),
            is_hetero: false,
            kind: ResidueKind::Protein,
            atoms: 0..count,
            chain: 0,
        };
        let topology = Topology {
            atoms: vec![atom; positions.len()],
            residues: vec![residue],
            chains: vec![Chain { id: "A".into(), residues: 0..1 }],
            bonds: Vec::new(),
        };
        let b_factors = vec![0.0; positions.len()];
        Model { number: 1, topology: Arc::new(topology), positions, b_factors }
    }

    #[test]
    fn a_hole_is_found_where_it_is() {
        let place = Vec3::new(5.0, 0.0, 0.0);
        let found = pockets(&ball(15.0, |point| point.distance(place) < 5.5));
        let best = found.first().unwrap();
        assert!(best.center.distance(place) < 1.0, "{}", best.center);
        assert!(best.contains(place) && !best.contains(-place));
        // The hole's own size, less its walls: between a ball of 3 Å and one of 6 Å.
        assert!((100.0..900.0).contains(&best.volume), "{}", best.volume);
        assert_eq!((best.apolar_share, best.residues.as_slice()), (1.0, [0].as_slice()));
        for sphere in &best.spheres {
            assert!(RADII.contains(&sphere.radius));
        }
    }

    #[test]
    fn solid_balls_and_next_to_nothing_have_none() {
        assert!(pockets(&ball(10.0, |_| false)).is_empty());
        assert!(pockets(&ball(2.6, |_| false)).is_empty());
        assert!(pockets(&ball(1.0, |_| true)).is_empty());
    }
}
