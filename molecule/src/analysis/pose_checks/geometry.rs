//! The shape of a pose against what its graph allows.

use glam::Vec3;

use super::energy::EnergyReference;
use super::{PoseCheck, PoseCheckKind};
use crate::chemistry::toolkit::distance_bounds;
use crate::chemistry::{ChemistryError, Perception, perceive, remove_hydrogens};
use crate::structure::BondOrder;
use crate::{Element, SmallMolecule, Stereo};

/// What a ligand's poses are held against, worked out once for many poses.
#[derive(Clone, Debug)]
pub struct LigandReference {
    count: usize,
    /// Heavy atoms by their index in the ligand.
    pub(super) heavy: Vec<u32>,
    pub(super) elements: Vec<Element>,
    bonds: Vec<Bounded>,
    angles: Vec<Angle>,
    others: Vec<Bounded>,
    rings: Vec<Vec<u32>>,
    /// Both atoms of a double bond and their neighbours.
    double_bonds: Vec<Vec<u32>>,
    stereo: Vec<Stereo>,
    energies: Option<EnergyReference>,
}

/// Two atoms and how far apart they may be, Å.
#[derive(Clone, Copy, Debug)]
struct Bounded {
    a: u32,
    b: u32,
    shortest: f32,
    longest: f32,
}

impl Bounded {
    /// By which fraction a distance lies outside.
    fn deviation(&self, distance: f32) -> f32 {
        (1.0 - distance / self.shortest).max(distance / self.longest - 1.0).max(0.0)
    }
}

/// Two bonds that meet: their indices, the atom in the middle, and the ends.
#[derive(Clone, Copy, Debug)]
struct Angle {
    middle: u32,
    bonds: [usize; 2],
    ends: Bounded,
}

impl LigandReference {
    /// Works out the bounds. The stereo to be kept is the ligand's own, and where it states none, what its first
    /// conformer shows: so pass the input molecule here, not the pose.
    ///
    /// # Errors
    /// When the ligand breaks the rules of valence.
    pub fn new(ligand: &SmallMolecule) -> Result<Self, ChemistryError> {
        let perceived = perceive(ligand)?.molecule;
        let (mut bare, heavy) = remove_hydrogens(&perceived);
        bare.conformers.clear();
        let perception = perceive(&bare)?;
        let rings =
            perception.aromatic_rings().map(|ring| ring.iter().map(|&atom| heavy[atom as usize]).collect()).collect();
        let mut reference = Self {
            count: ligand.atoms.len(),
            elements: bare.atoms.iter().map(|atom| atom.element).collect(),
            bonds: Vec::new(),
            angles: Vec::new(),
            others: Vec::new(),
            rings,
            double_bonds: double_bonds(&perception, &heavy),
            stereo: perceived.stereo,
            energies: None,
            heavy,
        };
        if bare.atoms.len() > 1 {
            reference.bound(&perception)?;
        }
        Ok(reference)
    }

    /// Adds what the two energy checks need: `count` conformers (8 are enough) and their energies. Takes seconds for a
    /// large ligand. Without it, or when the force field lacks parameters or no conformer can be made, those checks are
    /// left out.
    ///
    /// # Errors
    /// When the user cancels.
    pub fn with_energies(
        mut self,
        ligand: &SmallMolecule,
        seed: u64,
        count: usize,
        is_cancelled: &dyn Fn() -> bool,
    ) -> Result<Self, ChemistryError> {
        self.energies = EnergyReference::new(ligand, seed, count, is_cancelled)?;
        Ok(self)
    }

    fn bound(&mut self, perception: &Perception) -> Result<(), ChemistryError> {
        let bare = &perception.molecule;
        let bounds = distance_bounds(bare)?;
        let neighbours = bare.neighbours();
        let between = |a: usize, b: usize| {
            let (low, high) = (a.min(b), a.max(b));
            let longest = bounds.get(low).and_then(|row| row.get(high)).map_or(f32::MAX, |value| *value as f32);
            let shortest =
                bounds.get(high).and_then(|row| row.get(low)).map_or(f32::MIN_POSITIVE, |value| *value as f32);
            Bounded { a: self.heavy[low], b: self.heavy[high], shortest, longest }
        };
        self.bonds = bare.bonds.iter().map(|bond| between(bond.a as usize, bond.b as usize)).collect();
        let mut related = vec![vec![false; bare.atoms.len()]; bare.atoms.len()];
        for bond in &bare.bonds {
            related[bond.a as usize][bond.b as usize] = true;
            related[bond.b as usize][bond.a as usize] = true;
        }
        let is_bonded = related.clone();
        for (middle, around) in neighbours.iter().enumerate() {
            for (place, &(first, first_bond)) in around.iter().enumerate() {
                for &(second, second_bond) in &around[..place] {
                    let (a, b) = (first as usize, second as usize);
                    if is_bonded[a][b] {
                        continue;
                    }
                    related[a][b] = true;
                    related[b][a] = true;
                    self.angles.push(Angle {
                        middle: self.heavy[middle],
                        bonds: [first_bond as usize, second_bond as usize],
                        ends: between(a, b),
                    });
                }
            }
        }
        self.others = (0..bare.atoms.len())
            .flat_map(|a| (a + 1..bare.atoms.len()).map(move |b| (a, b)))
            .filter(|&(a, b)| !related[a][b])
            .map(|(a, b)| between(a, b))
            .collect();
        self.share_terminal_bonds(bare, &neighbours);
        Ok(())
    }

    /// The ends of carboxylates, nitro groups, amidines and the like: which of them carries the double bond is a matter of
    /// drawing, so bonds to alike elements share the widest bounds (as PoseBusters does).
    fn share_terminal_bonds(&mut self, bare: &SmallMolecule, neighbours: &[Vec<(u32, u32)>]) {
        for around in neighbours {
            for element in [Element::N, Element::O] {
                let ends: Vec<usize> = around
                    .iter()
                    .filter(|(end, _)| {
                        bare.atoms[*end as usize].element == element && neighbours[*end as usize].len() == 1
                    })
                    .map(|(_, bond)| *bond as usize)
                    .collect();
                if ends.len() < 2 || !ends.iter().any(|&bond| bare.bonds[bond].order == BondOrder::Double) {
                    continue;
                }
                let shortest = ends.iter().map(|&bond| self.bonds[bond].shortest).fold(f32::MAX, f32::min);
                let longest = ends.iter().map(|&bond| self.bonds[bond].longest).fold(0.0, f32::max);
                for bond in ends {
                    (self.bonds[bond].shortest, self.bonds[bond].longest) = (shortest, longest);
                }
            }
        }
    }

    /// Whether the pose has one finite position for each atom.
    pub(super) fn fits(&self, pose: &[Vec3]) -> bool {
        pose.len() == self.count && pose.iter().all(|position| position.is_finite())
    }

    /// All checks that need no receptor.
    pub(super) fn check(&self, pose: &[Vec3]) -> Vec<PoseCheck> {
        self.check_with(&self.stereo, pose)
    }

    /// As [`Self::check`], with this stereo to be kept.
    pub(super) fn check_with(&self, wanted: &[Stereo], pose: &[Vec3]) -> Vec<PoseCheck> {
        use PoseCheckKind::{
            BondAngles, BondLengths, DoubleBondPlanarity, DoubleBondStereo, InternalClash, RingPlanarity,
            TetrahedralStereo,
        };
        if !self.fits(pose) {
            return [
                TetrahedralStereo,
                DoubleBondStereo,
                BondLengths,
                BondAngles,
                RingPlanarity,
                DoubleBondPlanarity,
                InternalClash,
            ]
            .map(|kind| PoseCheck::new(kind, if kind.is_lower_limit() { 0.0 } else { f32::MAX }, Vec::new()))
            .to_vec();
        }
        let (centres, double_bonds): (Vec<&Stereo>, Vec<&Stereo>) =
            wanted.iter().partition(|stereo| matches!(stereo, Stereo::Tetrahedral { .. }));
        let mut checks = vec![
            stereo(&centres, pose, TetrahedralStereo),
            stereo(&double_bonds, pose, DoubleBondStereo),
            self.lengths(pose),
            self.bent(pose),
            flatness(&self.rings, pose, RingPlanarity),
            flatness(&self.double_bonds, pose, DoubleBondPlanarity),
            self.internal_clash(pose),
        ];
        if let Some(energies) = &self.energies {
            checks.extend(energies.check(pose));
        }
        checks
    }

    fn lengths(&self, pose: &[Vec3]) -> PoseCheck {
        let mut worst = 0.0_f32;
        let mut atoms = Vec::new();
        for bond in &self.bonds {
            let outside = bond.deviation(pose[bond.a as usize].distance(pose[bond.b as usize]));
            worst = worst.max(outside);
            if outside > PoseCheckKind::BondLengths.limit() {
                atoms.extend([bond.a, bond.b]);
            }
        }
        PoseCheck::new(PoseCheckKind::BondLengths, worst, atoms)
    }

    fn bent(&self, pose: &[Vec3]) -> PoseCheck {
        let mut worst = 0.0_f32;
        let mut atoms = Vec::new();
        for angle in &self.angles {
            let middle = pose[angle.middle as usize];
            // Each end at a length that its bond may have, in its direction.
            let end = |atom: u32| {
                let bond =
                    angle.bonds.map(|bond| &self.bonds[bond]).into_iter().find(|bond| bond.a == atom || bond.b == atom);
                let away = pose[atom as usize] - middle;
                bond.map_or(pose[atom as usize], |bond| {
                    middle + away.normalize_or_zero() * away.length().clamp(bond.shortest, bond.longest)
                })
            };
            let outside = angle.ends.deviation(end(angle.ends.a).distance(end(angle.ends.b)));
            worst = worst.max(outside);
            if outside > PoseCheckKind::BondAngles.limit() {
                atoms.extend([angle.ends.a, angle.middle, angle.ends.b]);
            }
        }
        PoseCheck::new(PoseCheckKind::BondAngles, worst, atoms)
    }

    fn internal_clash(&self, pose: &[Vec3]) -> PoseCheck {
        // Nothing to be close to: as close as allowed.
        let mut closest = f32::MAX;
        let mut atoms = Vec::new();
        for pair in &self.others {
            let share = pose[pair.a as usize].distance(pose[pair.b as usize]) / pair.shortest;
            closest = closest.min(share);
            if share < PoseCheckKind::InternalClash.limit() {
                atoms.extend([pair.a, pair.b]);
            }
        }
        PoseCheck::new(PoseCheckKind::InternalClash, if closest == f32::MAX { 1.0 } else { closest }, atoms)
    }
}

/// Double bonds that should be flat, each as its two atoms and their neighbours: not aromatic, not cumulated.
fn double_bonds(perception: &Perception, heavy: &[u32]) -> Vec<Vec<u32>> {
    let bare = &perception.molecule;
    let neighbours = bare.neighbours();
    let is_trigonal = |atom: u32| {
        let around = &neighbours[atom as usize];
        let is_linear =
            around.iter().filter(|(_, bond)| bare.bonds[*bond as usize].order != BondOrder::Single).count() > 1;
        // Sulfur, phosphorus and the like keep their neighbours where they want.
        (2..=3).contains(&around.len())
            && !is_linear
            && matches!(bare.atoms[atom as usize].element, Element::C | Element::N | Element::B)
    };
    bare.bonds
        .iter()
        .zip(&perception.aromatic_bonds)
        .filter(|(bond, aromatic)| {
            bond.order == BondOrder::Double && !**aromatic && is_trigonal(bond.a) && is_trigonal(bond.b)
        })
        .map(|(bond, _)| {
            let mut atoms: Vec<u32> = [bond.a, bond.b]
                .iter()
                .flat_map(|&end| neighbours[end as usize].iter().map(|(next, _)| heavy[*next as usize]))
                .collect();
            atoms.sort_unstable();
            atoms.dedup();
            atoms
        })
        .collect()
}

fn stereo(wanted: &[&Stereo], pose: &[Vec3], kind: PoseCheckKind) -> PoseCheck {
    let wrong: Vec<&&Stereo> = wanted.iter().filter(|stereo| stereo.is_satisfied_by(pose) != Some(true)).collect();
    PoseCheck::new(kind, wrong.len() as f32, wrong.into_iter().flat_map(|stereo| stereo.atoms()).collect())
}

fn flatness(groups: &[Vec<u32>], pose: &[Vec3], kind: PoseCheckKind) -> PoseCheck {
    let mut worst = 0.0_f32;
    let mut atoms = Vec::new();
    for group in groups {
        let points: Vec<Vec3> = group.iter().map(|&atom| pose[atom as usize]).collect();
        let centre = points.iter().sum::<Vec3>() / points.len().max(1) as f32;
        let normal = flattest_direction(&points, centre);
        let outside = points.iter().map(|point| (*point - centre).dot(normal).abs()).fold(0.0, f32::max);
        worst = worst.max(outside);
        if outside > kind.limit() {
            atoms.extend(group);
        }
    }
    PoseCheck::new(kind, worst, atoms)
}

/// The normal of the least-squares plane: the eigenvector of the smallest eigenvalue of the points' covariance, by
/// Jacobi rotations.
fn flattest_direction(points: &[Vec3], centre: Vec3) -> Vec3 {
    let mut matrix = [[0.0_f64; 3]; 3];
    for point in points {
        let d = (*point - centre).as_dvec3().to_array();
        for i in 0..3 {
            for j in 0..3 {
                matrix[i][j] += d[i] * d[j];
            }
        }
    }
    let mut vectors = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0_f64]];
    for _ in 0..20 {
        for (p, q) in [(0, 1), (0, 2), (1, 2)] {
            if matrix[p][q].abs() < 1e-12 {
                continue;
            }
            let (sine, cosine) = (0.5 * (2.0 * matrix[p][q]).atan2(matrix[q][q] - matrix[p][p])).sin_cos();
            for row in &mut matrix {
                (row[p], row[q]) = (cosine * row[p] - sine * row[q], sine * row[p] + cosine * row[q]);
            }
            for k in 0..3 {
                (matrix[p][k], matrix[q][k]) =
                    (cosine * matrix[p][k] - sine * matrix[q][k], sine * matrix[p][k] + cosine * matrix[q][k]);
            }
            for row in &mut vectors {
                (row[p], row[q]) = (cosine * row[p] - sine * row[q], sine * row[p] + cosine * row[q]);
            }
        }
    }
    let smallest = (0..3).min_by(|&a, &b| matrix[a][a].total_cmp(&matrix[b][b])).unwrap_or(2);
    Vec3::new(vectors[0][smallest] as f32, vectors[1][smallest] as f32, vectors[2][smallest] as f32)
}
