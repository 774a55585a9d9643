//! Is a pose chemically and physically sound? Checks in the manner of PoseBusters (Buttenschoen, Morris & Deane, Chem.
//! Sci. 2024, 15, 3130), each with its value and limit.
//!
//! Lengths, angles and contacts inside the ligand are held against the bounds that distance geometry derives from the
//! graph alone: bond lengths and 1-3 distances may lie 25 % outside, other pairs must keep 70 % of their shortest
//! distance. Rings and double bonds must be flat to 0.25 Å. Against the receptor no pair of heavy atoms may come closer
//! than 75 % of the sum of van der Waals radii (of covalent radii at a metal), and at most 7.5 % of the ligand's volume,
//! with radii scaled by 0.8, may lie inside the receptor's.

use glam::Vec3;
use serde::{Deserialize, Serialize};

use super::neighbour_grid::NeighbourGrid;
use crate::chemistry::toolkit::distance_bounds;
use crate::chemistry::{ChemistryError, perceive, remove_hydrogens};
use crate::structure::{BondOrder, Model};
use crate::{Element, SmallMolecule, Stereo};

/// What is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PoseCheckKind {
    /// Largest deviation of a bond length from its ideal range, as a fraction of it (0.1 is 10 %).
    BondLengths,
    /// Largest deviation of a 1-3 distance from its ideal range, as a fraction of it.
    BondAngles,
    /// Largest distance of an aromatic ring's atom from the ring's plane, Å.
    RingPlanarity,
    /// Largest distance of an atom from the plane of a double bond and its neighbours, Å.
    DoubleBondPlanarity,
    /// Stereocentres and double bonds that differ from the input's, how many.
    Stereochemistry,
    /// Closest contact inside the ligand as a fraction of the shortest distance its graph allows.
    InternalClash,
    /// Closest contact to the receptor as a fraction of the sum of the van der Waals radii.
    ReceptorClash,
    /// Share of the ligand's volume inside the receptor's.
    VolumeOverlap,
}

/// One check of one pose.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PoseCheck {
    /// What is checked.
    pub kind: PoseCheckKind,
    /// Measured value.
    pub value: f32,
    /// The value that still passes.
    pub limit: f32,
    /// Whether it passes.
    pub passed: bool,
    /// The ligand's atoms at fault, if any.
    pub atoms: Vec<u32>,
}

const BOND_TOLERANCE: f32 = 0.25;
const PLANE_TOLERANCE: f32 = 0.25;
const INTERNAL_SHARE: f32 = 0.7;
const CONTACT_SHARE: f32 = 0.75;
const OVERLAP_LIMIT: f32 = 0.075;
/// Scale of the radii for volumes.
const VOLUME_SCALE: f32 = 0.8;
/// Distance of sample points for volumes, Å.
const SPACING: f32 = 0.4;

/// What a ligand's poses are held against, worked out once for many poses.
#[derive(Clone, Debug)]
pub struct LigandReference {
    count: usize,
    /// Heavy atoms by their index in the ligand.
    heavy: Vec<u32>,
    elements: Vec<Element>,
    pairs: Vec<BoundedPair>,
    rings: Vec<Vec<u32>>,
    /// Both atoms of a double bond and their neighbours.
    double_bonds: Vec<Vec<u32>>,
    stereo: Vec<Stereo>,
}

#[derive(Clone, Copy, Debug)]
struct BoundedPair {
    a: u32,
    b: u32,
    shortest: f32,
    longest: f32,
    kind: PoseCheckKind,
}

/// A receptor's heavy atoms, sorted once for many poses.
#[derive(Clone, Debug)]
pub struct ReceptorSpace {
    positions: Vec<Vec3>,
    elements: Vec<Element>,
    grid: NeighbourGrid,
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
        let elements = atoms.iter().map(|&atom| topology.atoms[atom].element).collect();
        Self { grid: NeighbourGrid::new(&positions, 4.0), positions, elements }
    }
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
        let bounds = distance_bounds(&bare)?;
        let neighbours = bare.neighbours();
        let mut pairs = Vec::new();
        for a in 0..bare.atoms.len() {
            for b in a + 1..bare.atoms.len() {
                let is_bonded = |from: usize, to: usize| neighbours[from].iter().any(|(next, _)| *next as usize == to);
                let kind = if is_bonded(a, b) {
                    PoseCheckKind::BondLengths
                } else if neighbours[a].iter().any(|(middle, _)| is_bonded(*middle as usize, b)) {
                    PoseCheckKind::BondAngles
                } else {
                    PoseCheckKind::InternalClash
                };
                let (Some(longest), Some(shortest)) =
                    (bounds.get(a).and_then(|row| row.get(b)), bounds.get(b).and_then(|row| row.get(a)))
                else {
                    continue;
                };
                pairs.push(BoundedPair {
                    a: heavy[a],
                    b: heavy[b],
                    shortest: *shortest as f32,
                    longest: *longest as f32,
                    kind,
                });
            }
        }
        let rings =
            perception.aromatic_rings().map(|ring| ring.iter().map(|&atom| heavy[atom as usize]).collect()).collect();
        let double_bonds = bare
            .bonds
            .iter()
            .enumerate()
            .filter(|(index, bond)| {
                let is_trigonal = |atom: u32| {
                    let around = neighbours[atom as usize].len();
                    let is_linear = neighbours[atom as usize]
                        .iter()
                        .filter(|(_, bond)| bare.bonds[*bond as usize].order != BondOrder::Single)
                        .count()
                        > 1;
                    (2..=3).contains(&around) && !is_linear && bare.atoms[atom as usize].element != Element::S
                };
                bond.order == BondOrder::Double
                    && !perception.aromatic_bonds[*index]
                    && is_trigonal(bond.a)
                    && is_trigonal(bond.b)
            })
            .map(|(_, bond)| {
                let mut atoms: Vec<u32> = [bond.a, bond.b]
                    .iter()
                    .flat_map(|&end| neighbours[end as usize].iter().map(|(next, _)| heavy[*next as usize]))
                    .collect();
                atoms.sort_unstable();
                atoms.dedup();
                atoms
            })
            .collect();
        Ok(Self {
            count: ligand.atoms.len(),
            elements: bare.atoms.iter().map(|atom| atom.element).collect(),
            heavy,
            pairs,
            rings,
            double_bonds,
            stereo: perceived.stereo,
        })
    }
}

/// Checks one pose. The pose has one position for each atom of the ligand; the ligand is the input, with the stereo to
/// be kept.
///
/// # Errors
/// When the ligand breaks the rules of valence.
pub fn check(receptor: &Model, ligand: &SmallMolecule, pose: &[Vec3]) -> Result<Vec<PoseCheck>, ChemistryError> {
    Ok(check_against(&ReceptorSpace::new(receptor), &LigandReference::new(ligand)?, pose))
}

/// As [`check`], with receptor and ligand prepared before. A pose that does not have one finite position for each atom
/// fails every check.
#[must_use]
pub fn check_against(receptor: &ReceptorSpace, ligand: &LigandReference, pose: &[Vec3]) -> Vec<PoseCheck> {
    if pose.len() != ligand.count || pose.iter().any(|position| !position.is_finite()) {
        return [
            (PoseCheckKind::BondLengths, BOND_TOLERANCE),
            (PoseCheckKind::BondAngles, BOND_TOLERANCE),
            (PoseCheckKind::RingPlanarity, PLANE_TOLERANCE),
            (PoseCheckKind::DoubleBondPlanarity, PLANE_TOLERANCE),
            (PoseCheckKind::Stereochemistry, 0.0),
            (PoseCheckKind::InternalClash, INTERNAL_SHARE),
            (PoseCheckKind::ReceptorClash, CONTACT_SHARE),
            (PoseCheckKind::VolumeOverlap, OVERLAP_LIMIT),
        ]
        .map(|(kind, limit)| PoseCheck { kind, value: f32::MAX, limit, passed: false, atoms: Vec::new() })
        .to_vec();
    }
    vec![
        geometry(ligand, pose, PoseCheckKind::BondLengths),
        geometry(ligand, pose, PoseCheckKind::BondAngles),
        flatness(&ligand.rings, pose, PoseCheckKind::RingPlanarity),
        flatness(&ligand.double_bonds, pose, PoseCheckKind::DoubleBondPlanarity),
        stereo(ligand, pose),
        internal_clash(ligand, pose),
        receptor_clash(receptor, ligand, pose),
        volume_overlap(receptor, ligand, pose),
    ]
}

/// Atoms in order, each once.
fn sorted(mut atoms: Vec<u32>) -> Vec<u32> {
    atoms.sort_unstable();
    atoms.dedup();
    atoms
}

fn geometry(ligand: &LigandReference, pose: &[Vec3], kind: PoseCheckKind) -> PoseCheck {
    let mut worst = 0.0_f32;
    let mut atoms = Vec::new();
    for pair in ligand.pairs.iter().filter(|pair| pair.kind == kind) {
        let distance = pose[pair.a as usize].distance(pose[pair.b as usize]);
        let outside = (1.0 - distance / pair.shortest).max(distance / pair.longest - 1.0).max(0.0);
        worst = worst.max(outside);
        if outside > BOND_TOLERANCE {
            atoms.extend([pair.a, pair.b]);
        }
    }
    PoseCheck { kind, value: worst, limit: BOND_TOLERANCE, passed: atoms.is_empty(), atoms: sorted(atoms) }
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
        if outside > PLANE_TOLERANCE {
            atoms.extend(group);
        }
    }
    PoseCheck { kind, value: worst, limit: PLANE_TOLERANCE, passed: atoms.is_empty(), atoms: sorted(atoms) }
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

fn stereo(ligand: &LigandReference, pose: &[Vec3]) -> PoseCheck {
    let wrong: Vec<&Stereo> =
        ligand.stereo.iter().filter(|stereo| stereo.is_satisfied_by(pose) != Some(true)).collect();
    PoseCheck {
        kind: PoseCheckKind::Stereochemistry,
        value: wrong.len() as f32,
        limit: 0.0,
        passed: wrong.is_empty(),
        atoms: sorted(wrong.into_iter().flat_map(Stereo::atoms).collect()),
    }
}

fn internal_clash(ligand: &LigandReference, pose: &[Vec3]) -> PoseCheck {
    let mut closest = f32::MAX;
    let mut atoms = Vec::new();
    for pair in ligand.pairs.iter().filter(|pair| pair.kind == PoseCheckKind::InternalClash) {
        let share = pose[pair.a as usize].distance(pose[pair.b as usize]) / pair.shortest;
        closest = closest.min(share);
        if share < INTERNAL_SHARE {
            atoms.extend([pair.a, pair.b]);
        }
    }
    let value = if closest == f32::MAX { 1.0 } else { closest };
    let passed = atoms.is_empty();
    PoseCheck { kind: PoseCheckKind::InternalClash, value, limit: INTERNAL_SHARE, passed, atoms: sorted(atoms) }
}

fn contact_radius(ours: Element, theirs: Element) -> f32 {
    if theirs.is_metal() || ours.is_metal() {
        ours.covalent_radius() + theirs.covalent_radius()
    } else {
        ours.vdw_radius() + theirs.vdw_radius()
    }
}

fn receptor_clash(receptor: &ReceptorSpace, ligand: &LigandReference, pose: &[Vec3]) -> PoseCheck {
    const REACH: f32 = 5.0;
    let mut closest = f32::MAX;
    let mut atoms = Vec::new();
    for (&atom, &element) in ligand.heavy.iter().zip(&ligand.elements) {
        receptor.grid.for_each_within(pose[atom as usize], REACH, |other, squared| {
            let share = squared.sqrt() / contact_radius(element, receptor.elements[other as usize]);
            closest = closest.min(share);
            if share < CONTACT_SHARE {
                atoms.push(atom);
            }
        });
    }
    // Farther than the reach of the search: no contact at all.
    let value = if closest == f32::MAX { 2.0 } else { closest };
    let passed = atoms.is_empty();
    PoseCheck { kind: PoseCheckKind::ReceptorClash, value, limit: CONTACT_SHARE, passed, atoms: sorted(atoms) }
}

/// By sample points inside the ligand on a lattice through its first atom.
fn volume_overlap(receptor: &ReceptorSpace, ligand: &LigandReference, pose: &[Vec3]) -> PoseCheck {
    let ours: Vec<(Vec3, f32)> = ligand
        .heavy
        .iter()
        .zip(&ligand.elements)
        .map(|(&atom, element)| (pose[atom as usize], VOLUME_SCALE * element.vdw_radius()))
        .collect();
    let origin = ours.first().map_or(Vec3::ZERO, |(position, _)| *position);
    // Every lattice point in a sphere, once, with the atom it was first met at.
    let mut points: std::collections::HashMap<[i32; 3], u32> = std::collections::HashMap::new();
    for (index, (centre, radius)) in ours.iter().enumerate() {
        let middle = (*centre - origin) / SPACING;
        let reach = radius / SPACING;
        let (low, high) = ((middle - reach).ceil().as_ivec3(), (middle + reach).floor().as_ivec3());
        for x in low.x..=high.x {
            for y in low.y..=high.y {
                for z in low.z..=high.z {
                    let offset = glam::IVec3::new(x, y, z).as_vec3() - middle;
                    if offset.length_squared() <= reach * reach {
                        points.entry([x, y, z]).or_insert(index as u32);
                    }
                }
            }
        }
    }
    // The receptor's atoms around each atom of the ligand.
    let around: Vec<Vec<(Vec3, f32)>> = ours
        .iter()
        .map(|(centre, radius)| {
            receptor
                .grid
                .within(*centre, radius + 2.8 * VOLUME_SCALE)
                .into_iter()
                .map(|other| {
                    let element = receptor.elements[other as usize];
                    let radius = if element.is_metal() { element.covalent_radius() } else { element.vdw_radius() };
                    let radius = if element.is_metal() { 0.5 * radius } else { VOLUME_SCALE * radius };
                    (receptor.positions[other as usize], radius)
                })
                .collect()
        })
        .collect();
    let mut inside = 0_usize;
    let mut atoms = Vec::new();
    for (place, &atom) in &points {
        let point = origin + Vec3::new(place[0] as f32, place[1] as f32, place[2] as f32) * SPACING;
        if around[atom as usize].iter().any(|(centre, radius)| point.distance_squared(*centre) < radius * radius) {
            inside += 1;
            atoms.push(ligand.heavy[atom as usize]);
        }
    }
    let value = inside as f32 / points.len().max(1) as f32;
    let passed = value <= OVERLAP_LIMIT;
    let atoms = if passed { Vec::new() } else { sorted(atoms) };
    PoseCheck { kind: PoseCheckKind::VolumeOverlap, value, limit: OVERLAP_LIMIT, passed, atoms }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chemistry::{add_hydrogens, embed_smiles};
    use crate::formats::{pdb, sdf};
    use crate::structure::Structure;

    fn complex(pocket: &str, ligand: &str) -> (Structure, SmallMolecule) {
        (pdb::read(pocket.as_bytes()).unwrap(), sdf::read(ligand.as_bytes()).molecules.remove(0))
    }

    fn crystal_complexes() -> Vec<(Structure, SmallMolecule)> {
        macro_rules! complexes {
            ($($entry:literal)*) => {
                vec![$(complex(
                    include_str!(concat!("../../tests/data/", $entry, "_pocket.pdb")),
                    include_str!(concat!("../../tests/data/", $entry, "_ligand.sdf")),
                )),*]
            };
        }
        complexes!("1f8c" "1hpx" "1m17" "1xkk" "2hyy" "2reg" "3f80")
    }

    fn failed(found: &[PoseCheck]) -> Vec<PoseCheckKind> {
        found.iter().filter(|check| !check.passed).map(|check| check.kind).collect()
    }

    /// Something to be held against that is not in the way.
    fn far_away() -> Structure {
        let mut structure = crystal_complexes().remove(0).0;
        for position in &mut structure.models[0].positions {
            *position += Vec3::splat(500.0);
        }
        structure
    }

    #[test]
    fn crystal_poses_pass_with_and_without_hydrogens() {
        for (receptor, ligand) in crystal_complexes() {
            let found = check(&receptor.models[0], &ligand, &ligand.conformers[0]).unwrap();
            assert_eq!(found.len(), 8);
            assert_eq!(failed(&found), [], "{}: {found:?}", ligand.name);
            let full = add_hydrogens(&ligand).unwrap();
            let again = check(&receptor.models[0], &full, &full.conformers[0]).unwrap();
            for (one, other) in found.iter().zip(&again) {
                assert!((one.value - other.value).abs() < 1e-3, "{one:?} {other:?}");
            }
        }
    }

    #[test]
    fn a_stretched_bond_fails_as_a_bond() {
        let (_, ligand) = crystal_complexes().remove(2);
        let mut pose = ligand.conformers[0].clone();
        // The alkyne's end, along its axis: no angle changes.
        let axis = (pose[0] - pose[3]).normalize_or_zero();
        pose[0] += axis * 0.6;
        let found = check(&far_away().models[0], &ligand, &pose).unwrap();
        assert!(failed(&found).contains(&PoseCheckKind::BondLengths), "{found:?}");
        let bond = &found[0];
        assert!(bond.atoms == [0, 3] && bond.value > 0.25, "{bond:?}");
    }

    #[test]
    fn a_bent_chain_fails_as_an_angle() {
        let molecule = embed_smiles("CCC", 1, 1, &|| false).unwrap().molecule;
        let mut pose = molecule.conformers[0].clone();
        let middle = pose[1];
        // Folded to 60 degrees with the bond length kept.
        let (first, length) = ((pose[0] - middle).normalize_or_zero(), pose[2].distance(middle));
        let side = (pose[2] - middle).reject_from_normalized(first).normalize_or_zero();
        pose[2] = middle + (first * 0.5 + side * 0.866) * length;
        assert_eq!(failed(&check(&far_away().models[0], &molecule, &pose).unwrap()), [PoseCheckKind::BondAngles]);
    }

    #[test]
    fn a_puckered_ring_fails_as_a_ring() {
        let molecule = embed_smiles("c1ccccc1", 1, 1, &|| false).unwrap().molecule;
        let mut pose = molecule.conformers[0].clone();
        let normal = (pose[1] - pose[0]).cross(pose[2] - pose[0]).normalize_or_zero();
        for (atom, sign) in [(0, 1.0), (1, -1.0), (2, 1.0), (3, -1.0), (4, 1.0), (5, -1.0)] {
            pose[atom] += normal * 0.27 * sign;
        }
        assert_eq!(failed(&check(&far_away().models[0], &molecule, &pose).unwrap()), [PoseCheckKind::RingPlanarity]);
    }

    #[test]
    fn a_twisted_double_bond_fails_twice() {
        let molecule = embed_smiles("C/C=C/C", 1, 1, &|| false).unwrap().molecule;
        let mut pose = molecule.conformers[0].clone();
        let axis = (pose[2] - pose[1]).normalize_or_zero();
        let turn = glam::Quat::from_axis_angle(axis, 1.5);
        pose[3] = pose[2] + turn * (pose[3] - pose[2]);
        assert_eq!(
            failed(&check(&far_away().models[0], &molecule, &pose).unwrap()),
            [PoseCheckKind::DoubleBondPlanarity, PoseCheckKind::Stereochemistry]
        );
    }

    #[test]
    fn the_mirror_image_fails_as_stereo_alone() {
        let (_, ligand) = crystal_complexes().remove(1);
        let pose: Vec<Vec3> = ligand.conformers[0].iter().map(|p| Vec3::new(-p.x, p.y, p.z)).collect();
        let found = check(&far_away().models[0], &ligand, &pose).unwrap();
        assert_eq!(failed(&found), [PoseCheckKind::Stereochemistry]);
        assert!(found[4].value >= 3.0 && found[4].atoms.len() >= 3, "{:?}", found[4]);
    }

    #[test]
    fn a_folded_chain_fails_as_an_internal_clash() {
        let molecule = embed_smiles("CCCCCC", 1, 1, &|| false).unwrap().molecule;
        // A ring of six: lengths and angles are right, the ends are bonded by distance alone.
        let mut pose = vec![Vec3::ZERO; molecule.atoms.len()];
        for (atom, place) in pose.iter_mut().take(6).enumerate() {
            let angle = atom as f32 * std::f32::consts::FRAC_PI_3;
            *place = Vec3::new(angle.cos(), angle.sin(), if atom % 2 == 0 { 0.17 } else { -0.17 }) * 1.45;
        }
        assert_eq!(failed(&check(&far_away().models[0], &molecule, &pose).unwrap()), [PoseCheckKind::InternalClash]);
    }

    #[test]
    fn a_shifted_pose_fails_against_the_receptor() {
        let (receptor, ligand) = crystal_complexes().remove(4);
        let pose: Vec<Vec3> = ligand.conformers[0].iter().map(|p| *p + Vec3::new(2.0, 1.5, 0.0)).collect();
        let found = check(&receptor.models[0], &ligand, &pose).unwrap();
        assert_eq!(failed(&found), [PoseCheckKind::ReceptorClash, PoseCheckKind::VolumeOverlap]);
    }

    #[test]
    fn a_pose_of_other_length_fails_everything() {
        let (receptor, ligand) = crystal_complexes().remove(0);
        let found = check(&receptor.models[0], &ligand, &ligand.conformers[0][1..]).unwrap();
        assert_eq!(failed(&found).len(), 8);
    }
}
