//! A pose against its surroundings: distances and shared volume, by kind of neighbour.

use std::collections::HashMap;

use glam::{IVec3, Vec3};

use super::{LigandReference, PoseCheck, PoseCheckKind};
use crate::Element;
use crate::analysis::neighbour_grid::NeighbourGrid;
use crate::structure::{Model, ResidueKind};

/// Neighbours farther away than this (Å) are not looked at.
const REACH: f32 = 5.0;
/// Distance of the sample points for volumes, Å.
const SPACING: f32 = 0.4;

/// A receptor's heavy atoms, sorted once for many poses.
#[derive(Clone, Debug)]
pub struct ReceptorSpace {
    positions: Vec<Vec3>,
    elements: Vec<Element>,
    kinds: Vec<Neighbour>,
    grid: NeighbourGrid,
}

/// What a receptor's atom belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Neighbour {
    /// Protein or nucleic acid.
    Polymer,
    OrganicCofactor,
    InorganicCofactor,
    Water,
}

impl Neighbour {
    const ALL: [Self; 4] = [Self::Polymer, Self::OrganicCofactor, Self::InorganicCofactor, Self::Water];

    const fn checks(self) -> (PoseCheckKind, PoseCheckKind) {
        match self {
            Self::Polymer => (PoseCheckKind::ProteinDistance, PoseCheckKind::ProteinOverlap),
            Self::OrganicCofactor => (PoseCheckKind::OrganicCofactorDistance, PoseCheckKind::OrganicCofactorOverlap),
            Self::InorganicCofactor => {
                (PoseCheckKind::InorganicCofactorDistance, PoseCheckKind::InorganicCofactorOverlap)
            }
            Self::Water => (PoseCheckKind::WaterDistance, PoseCheckKind::WaterOverlap),
        }
    }

    /// The radius by which distances are judged.
    fn radius(self, element: Element) -> f32 {
        if self == Self::InorganicCofactor { element.covalent_radius() } else { element.vdw_radius() }
    }

    /// Scale of the van der Waals radii for volumes.
    const fn volume_scale(self) -> f32 {
        match self {
            Self::Polymer | Self::OrganicCofactor => 0.8,
            Self::InorganicCofactor | Self::Water => 0.5,
        }
    }
}

impl ReceptorSpace {
    /// Takes the heavy atoms of primary locations.
    #[must_use]
    pub fn new(model: &Model) -> Self {
        let topology = &model.topology;
        let atoms: Vec<usize> = (0..topology.atoms.len().min(model.positions.len()))
            .filter(|&atom| topology.atoms[atom].element != Element::H && topology.is_primary_location(atom))
            .collect();
        let positions: Vec<Vec3> = atoms.iter().map(|&atom| model.positions[atom]).collect();
        let elements: Vec<Element> = atoms.iter().map(|&atom| topology.atoms[atom].element).collect();
        let kinds = atoms
            .iter()
            .map(|&atom| {
                let residue = topology.residue_of(atom);
                let inorganic = ["FES", "MOS", "PO3", "PO4", "PPK", "SO3", "SO4", "VO4"];
                match residue.kind {
                    ResidueKind::Water => Neighbour::Water,
                    _ if topology.atoms[atom].element.is_metal() || residue.kind == ResidueKind::Ion => {
                        Neighbour::InorganicCofactor
                    }
                    _ if inorganic.contains(&residue.name.as_str()) => Neighbour::InorganicCofactor,
                    ResidueKind::Protein | ResidueKind::Dna | ResidueKind::Rna => Neighbour::Polymer,
                    _ => Neighbour::OrganicCofactor,
                }
            })
            .collect();
        Self { grid: NeighbourGrid::new(&positions, 4.0), positions, elements, kinds }
    }

    /// Distance and overlap for every kind of neighbour that the receptor has.
    pub(super) fn check(&self, ligand: &LigandReference, pose: &[Vec3]) -> Vec<PoseCheck> {
        let present: Vec<Neighbour> = Neighbour::ALL.into_iter().filter(|kind| self.kinds.contains(kind)).collect();
        let distances = present.iter().map(|kind| self.distance(*kind, ligand, pose));
        let overlaps = present.iter().map(|kind| self.overlap(*kind, ligand, pose));
        distances.chain(overlaps).collect()
    }

    fn distance(&self, kind: Neighbour, ligand: &LigandReference, pose: &[Vec3]) -> PoseCheck {
        let (check, _) = kind.checks();
        // Farther than the reach of the search: no contact at all.
        let mut closest = 2.0_f32;
        let mut atoms = Vec::new();
        for (&atom, &element) in ligand.heavy.iter().zip(&ligand.elements) {
            self.grid.for_each_within(pose[atom as usize], REACH, |other, squared| {
                let other = other as usize;
                if self.kinds[other] != kind {
                    return;
                }
                let share = squared.sqrt() / (kind.radius(element) + kind.radius(self.elements[other]));
                closest = closest.min(share);
                if share < check.limit() {
                    atoms.push(atom);
                }
            });
        }
        PoseCheck::new(check, closest, atoms)
    }

    /// By sample points inside the ligand on a lattice through its first atom.
    fn overlap(&self, kind: Neighbour, ligand: &LigandReference, pose: &[Vec3]) -> PoseCheck {
        let (_, check) = kind.checks();
        let scale = kind.volume_scale();
        let ours: Vec<(Vec3, f32)> = ligand
            .heavy
            .iter()
            .zip(&ligand.elements)
            .map(|(&atom, element)| (pose[atom as usize], scale * element.vdw_radius()))
            .collect();
        let around: Vec<Vec<(Vec3, f32)>> = ours
            .iter()
            .map(|(centre, radius)| {
                let near = self.grid.within(*centre, radius + 3.5 * scale).into_iter().map(|other| other as usize);
                near.filter(|&other| self.kinds[other] == kind)
                    .map(|other| (self.positions[other], scale * self.elements[other].vdw_radius()))
                    .collect()
            })
            .collect();
        if around.iter().all(Vec::is_empty) {
            return PoseCheck::new(check, 0.0, Vec::new());
        }
        let origin = ours.first().map_or(Vec3::ZERO, |(position, _)| *position);
        // Every lattice point in a sphere, once, with the atom it was first met at.
        let mut points: HashMap<[i32; 3], usize> = HashMap::new();
        for (index, (centre, radius)) in ours.iter().enumerate() {
            let middle = (*centre - origin) / SPACING;
            let reach = radius / SPACING;
            let (low, high) = ((middle - reach).ceil().as_ivec3(), (middle + reach).floor().as_ivec3());
            for x in low.x..=high.x {
                for y in low.y..=high.y {
                    for z in low.z..=high.z {
                        let offset = IVec3::new(x, y, z).as_vec3() - middle;
                        if offset.length_squared() <= reach * reach {
                            points.entry([x, y, z]).or_insert(index);
                        }
                    }
                }
            }
        }
        let mut inside = 0_usize;
        let mut atoms = Vec::new();
        for (place, &atom) in &points {
            let point = origin + IVec3::from_array(*place).as_vec3() * SPACING;
            if around[atom].iter().any(|(centre, radius)| point.distance_squared(*centre) < radius * radius) {
                inside += 1;
                atoms.push(ligand.heavy[atom]);
            }
        }
        PoseCheck::new(check, inside as f32 / points.len().max(1) as f32, atoms)
    }
}
