//! The ligand as rigid fragments joined by torsions, its pose as few numbers, and the way from forces to their gradient.
//!
//! A pose is the position of the root fragment's origin, its orientation and one angle a torsion. Each fragment has a
//! frame of its own; in the reference conformer all frames are parallel to the world's axes, so a torsion of zero is
//! the reference conformer's. Placing walks the tree from the root: a fragment's orientation is its parent's times the
//! turn about the axis, its origin (the axis' far atom) moves with the parent. The gradient walks back: force and
//! torque of a fragment's atoms about its origin; the torque along the axis is the derivative by the torsion; both are
//! handed on to the parent (Abe, Braun, Noguti & Gō, Comput. Chem. 1984, 8, 239). The root is the fragment in the
//! middle, so that a turn moves the smaller side.
//!
//! Ring conformers share the tree: each is a [`Frame`] with its own lengths and angles.
//!
//! Side chains that turn ([`SideChains`]) are further fragments after the ligand's: each residue's backbone is a root that
//! stays where it is, and its chi angles are torsions like the ligand's.

use std::ops::Range;

use glam::{Mat3A, Quat, Vec3, Vec3A};
use kfold_molecule::SmallMolecule;

use super::rotors::rotors;
use super::side_chains::SideChains;
use super::typing::{AtomType, TypingError, ligand_types};

/// Heavy atoms up to which a molecule counts as a ligand.
const MOST_HEAVY_ATOMS: usize = 400;

/// Why a molecule has no tree.
#[derive(Debug, thiserror::Error)]
pub enum TreeError {
    /// Atoms without types.
    #[error(transparent)]
    Typing(#[from] TypingError),
    /// Several molecules.
    #[error(
        "the ligand has {0} unconnected parts; docking moves one molecule: remove counter-ions and solvent, or dock the \
         parts one after the other"
    )]
    Unconnected(usize),
    /// Not a small molecule.
    #[error("the ligand has {0} heavy atoms; docking is made for small molecules and takes at most {MOST_HEAVY_ATOMS}")]
    TooLarge(usize),
    /// No coordinates.
    #[error("the ligand has no 3D coordinates for all of its atoms")]
    NoCoordinates,
}

/// The part of the ligand that all its conformers share.
#[derive(Clone, Debug)]
pub struct LigandTree {
    fragments: Vec<Fragment>,
    /// Molecule indices of the heavy atoms in the order of the fragments.
    heavy: Vec<u32>,
    types: Vec<AtomType>,
    fragment_of_atom: Vec<u32>,
    pairs: Vec<(u32, u32)>,
    torsion_count: f32,
    side_chains: SideChains,
}

/// How a fragment moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Joint {
    /// The ligand's root: by the pose's position and orientation.
    Root,
    /// The backbone of a flexible residue: not at all.
    Fixed,
    /// About its axis, by the pose's torsion of this index.
    Torsion(usize),
}

#[derive(Clone, Debug)]
struct Fragment {
    /// Lower than the fragment's own index; the root's is itself.
    parent: usize,
    /// Range in the order of heavy atoms.
    atoms: Range<usize>,
    /// Molecule indices of the axis' ends: in the parent, and here (the origin). The root's are both its origin; a side
    /// chain's are not used.
    axis: (u32, u32),
    joint: Joint,
}

/// The geometry of one conformer.
#[derive(Clone, Debug)]
pub struct Frame {
    /// Scored atoms relative to their fragment's origin, in tree order.
    local: Vec<Vec3A>,
    /// Every atom of the molecule relative to its fragment's origin, in the molecule's order.
    local_of_all: Vec<Vec3A>,
    /// Origin of each fragment relative to the parent's; where it is, for fragments that stay.
    offsets: Vec<Vec3A>,
    /// Unit vector of each axis.
    axes: Vec<Vec3A>,
    /// Dihedral of each torsion in this conformer, radians.
    dihedrals: Vec<f32>,
    /// Origin of the root in the conformer as given.
    root: Vec3A,
    /// Mean squared lever of each degree of freedom: atoms moved for the position, summed squared distances for turns.
    inertia: Vec<f32>,
}

/// Position, orientation and torsions.
#[derive(Clone, Debug, PartialEq)]
pub struct Pose {
    /// Origin of the root fragment, Å.
    pub position: Vec3A,
    /// Orientation of the root fragment.
    pub orientation: Quat,
    /// Radians relative to the frame's conformer.
    pub torsions: Vec<f32>,
}

/// Coordinates of a pose with what the gradient needs; kept between calls so that nothing is allocated.
#[derive(Clone, Debug, Default)]
pub struct Placement {
    /// Scored atoms in tree order, Å: the ligand's, those of side chains that move, those of their backbones.
    pub coordinates: Vec<Vec3A>,
    origins: Vec<Vec3A>,
    orientations: Vec<Quat>,
    axes: Vec<Vec3A>,
    forces: Vec<Vec3A>,
    torques: Vec<Vec3A>,
}

impl LigandTree {
    /// Builds the tree of a molecule, which needs at least one conformer for [`Self::frame`].
    ///
    /// # Errors
    /// For molecules that cannot be docked.
    pub fn new(molecule: &SmallMolecule) -> Result<Self, TreeError> {
        let heavy_count = molecule.heavy_atom_count();
        if heavy_count > MOST_HEAVY_ATOMS {
            return Err(TreeError::TooLarge(heavy_count));
        }
        let types_of_all = ligand_types(molecule)?;
        let neighbours = molecule.neighbours();
        let parts = components(&neighbours, &[]).1;
        if parts > 1 {
            return Err(TreeError::Unconnected(parts));
        }
        let rotors = rotors(molecule);
        let (component_of_atom, count) = components(&neighbours, &rotors.bonds);
        let joints: Vec<(usize, usize, u32, u32)> = rotors
            .bonds
            .iter()
            .map(|&bond| {
                let bond = &molecule.bonds[bond];
                (component_of_atom[bond.a as usize], component_of_atom[bond.b as usize], bond.a, bond.b)
            })
            .collect();
        let mut sizes = vec![0; count];
        for (atom, kind) in types_of_all.iter().enumerate() {
            sizes[component_of_atom[atom]] += usize::from(kind.is_some());
        }
        let root = middle(&joints, &sizes);

        // Depth first, parents before children.
        let mut fragments: Vec<Fragment> = Vec::with_capacity(count);
        let mut heavy = Vec::with_capacity(heavy_count);
        let mut fragment_of_component = vec![usize::MAX; count];
        let origin = (0..molecule.atoms.len())
            .find(|&atom| component_of_atom[atom] == root && types_of_all[atom].is_some())
            .unwrap_or(0) as u32;
        let mut stack = vec![(root, 0_usize, (origin, origin))];
        while let Some((component, parent, axis)) = stack.pop() {
            let index = fragments.len();
            fragment_of_component[component] = index;
            let start = heavy.len();
            heavy.extend(
                (0..molecule.atoms.len())
                    .filter(|&atom| component_of_atom[atom] == component && types_of_all[atom].is_some())
                    .map(|atom| atom as u32),
            );
            let joint = if index == 0 { Joint::Root } else { Joint::Torsion(index - 1) };
            fragments.push(Fragment { parent, atoms: start..heavy.len(), axis, joint });
            for &(first, second, a, b) in joints.iter().rev() {
                if first == component && fragment_of_component[second] == usize::MAX {
                    stack.push((second, index, (a, b)));
                } else if second == component && fragment_of_component[first] == usize::MAX {
                    stack.push((first, index, (b, a)));
                }
            }
        }
        let fragment_of_atom =
            component_of_atom.iter().map(|&component| fragment_of_component[component] as u32).collect();
        let types = heavy.iter().filter_map(|&atom| types_of_all[atom as usize]).collect();
        let mut tree = Self {
            fragments,
            heavy,
            types,
            fragment_of_atom,
            pairs: Vec::new(),
            torsion_count: rotors.torsion_count,
            side_chains: SideChains::default(),
        };
        tree.pairs = tree.moving_pairs(&neighbours);
        Ok(tree)
    }

    /// The same ligand with side chains that turn while it moves.
    #[must_use]
    pub fn with_side_chains(mut self, side_chains: &SideChains) -> Self {
        let (first_fragment, first_atom, mut torsion) = (self.fragments.len(), self.heavy.len(), self.torsions());
        for (index, part) in side_chains.parts().iter().enumerate() {
            let joint = if part.parent.is_some() { Joint::Torsion(torsion) } else { Joint::Fixed };
            torsion += usize::from(part.parent.is_some());
            self.fragments.push(Fragment {
                parent: first_fragment + part.parent.unwrap_or(index),
                atoms: first_atom + part.atoms.start..first_atom + part.atoms.end,
                axis: (0, 0),
                joint,
            });
        }
        self.types.extend(side_chains.atoms().iter().map(|atom| atom.kind));
        self.side_chains = side_chains.clone();
        self
    }

    /// Degrees of freedom of a pose's gradient: three of position, three of orientation, one a torsion.
    #[must_use]
    pub fn degrees_of_freedom(&self) -> usize {
        6 + self.torsions()
    }

    /// Torsions of the search, the ligand's first.
    #[must_use]
    pub fn torsions(&self) -> usize {
        self.ligand_torsions() + self.side_chains.torsions()
    }

    /// Torsions of the ligand.
    #[must_use]
    pub fn ligand_torsions(&self) -> usize {
        self.fragments.len() - 1 - self.side_chains.parts().len()
    }

    /// Torsions as the scoring functions count them.
    #[must_use]
    pub const fn torsion_count(&self) -> f32 {
        self.torsion_count
    }

    /// Types of the scored atoms in tree order.
    #[must_use]
    pub fn types(&self) -> &[AtomType] {
        &self.types
    }

    /// Pairs of the ligand's heavy atoms, in tree order, whose distance can change and that are more than three bonds apart.
    #[must_use]
    pub fn pairs(&self) -> &[(u32, u32)] {
        &self.pairs
    }

    /// Scored atoms that move: the ligand's and those of side chains; the others come after them.
    #[must_use]
    pub fn moving_atoms(&self) -> usize {
        self.heavy.len() + self.side_chains.moving_atoms()
    }

    /// Pairs of an atom of the ligand and one of a flexible residue.
    pub fn contact_pairs(&self) -> impl Iterator<Item = (u32, u32)> {
        let (ligand, all) = (self.heavy.len() as u32, self.types.len() as u32);
        (0..ligand).flat_map(move |a| (ligand..all).map(move |b| (a, b)))
    }

    /// Pairs of atoms of flexible residues whose distance can change and that are more than three bonds apart.
    pub fn side_chain_pairs(&self) -> impl Iterator<Item = (u32, u32)> {
        let first = self.heavy.len() as u32;
        self.side_chains.pairs().iter().map(move |&(a, b)| (first + a, first + b))
    }

    /// The side chains that turn.
    #[must_use]
    pub const fn side_chains(&self) -> &SideChains {
        &self.side_chains
    }

    /// Molecule indices of the heavy atoms in tree order.
    #[must_use]
    pub fn heavy(&self) -> &[u32] {
        &self.heavy
    }

    /// Molecule indices of the root fragment's heavy atoms.
    #[must_use]
    pub fn root_atoms(&self) -> &[u32] {
        &self.heavy[self.fragments[0].atoms.clone()]
    }

    /// The longest distance in Å between two heavy atoms of one fragment.
    #[must_use]
    pub fn longest_rigid_distance(&self, positions: &[Vec3]) -> f32 {
        let at = |atom: usize| positions.get(self.heavy[atom] as usize).copied().unwrap_or_default();
        let mut longest = 0.0_f32;
        for fragment in &self.fragments[..=self.ligand_torsions()] {
            for first in fragment.atoms.clone() {
                for second in first + 1..fragment.atoms.end {
                    longest = longest.max(at(first).distance(at(second)));
                }
            }
        }
        longest
    }

    /// The geometry of one conformer.
    ///
    /// # Errors
    /// When it does not have a finite position for each atom.
    pub fn frame(&self, molecule: &SmallMolecule, positions: &[Vec3]) -> Result<Frame, TreeError> {
        if positions.len() != self.fragment_of_atom.len() || !positions.iter().all(|position| position.is_finite()) {
            return Err(TreeError::NoCoordinates);
        }
        let origin_of = |fragment: usize| Vec3A::from(positions[self.fragments[fragment].axis.1 as usize]);
        let local_of_all: Vec<Vec3A> = positions
            .iter()
            .zip(&self.fragment_of_atom)
            .map(|(&position, &fragment)| Vec3A::from(position) - origin_of(fragment as usize))
            .collect();
        let ligand = &self.fragments[..=self.ligand_torsions()];
        let mut local: Vec<Vec3A> = self.heavy.iter().map(|&atom| local_of_all[atom as usize]).collect();
        let mut offsets: Vec<Vec3A> = (0..ligand.len())
            .map(|fragment| origin_of(fragment) - origin_of(self.fragments[fragment].parent))
            .collect();
        let mut axes: Vec<Vec3A> = ligand
            .iter()
            .map(|fragment| {
                let (begin, end) = (positions[fragment.axis.0 as usize], positions[fragment.axis.1 as usize]);
                Vec3A::from(end - begin).normalize_or_zero()
            })
            .collect();
        let neighbours = molecule.neighbours();
        let dihedrals = ligand[1..]
            .iter()
            .map(|fragment| {
                let (b, c) = fragment.axis;
                // The lowest other neighbour on each side: the same choice for every conformer.
                let outer = |atom: u32, not: u32| {
                    neighbours[atom as usize].iter().map(|&(other, _)| other).filter(|&other| other != not).min()
                };
                match (outer(b, c), outer(c, b)) {
                    (Some(a), Some(d)) => dihedral([a, b, c, d].map(|atom| positions[atom as usize])),
                    _ => 0.0,
                }
            })
            .collect();
        let parts = self.side_chains.parts();
        local.extend(self.side_chains.atoms().iter().map(|atom| Vec3A::from(atom.position - parts[atom.part].origin)));
        offsets.extend(
            parts
                .iter()
                .map(|part| Vec3A::from(part.origin - part.parent.map_or(Vec3::ZERO, |parent| parts[parent].origin))),
        );
        axes.extend(parts.iter().map(|part| Vec3A::from(part.axis)));
        let mut frame =
            Frame { local, local_of_all, offsets, axes, dihedrals, root: origin_of(0), inertia: Vec::new() };
        frame.inertia = self.inertia(&frame);
        Ok(frame)
    }

    fn inertia(&self, frame: &Frame) -> Vec<f32> {
        let mut placed = Placement::default();
        self.place(frame, &self.pose_as_given(frame), &mut placed);
        let mut inertia = vec![0.0; self.degrees_of_freedom()];
        let ligand = &placed.coordinates[..self.heavy.len()];
        let spread: f32 = ligand.iter().map(|atom| atom.distance_squared(frame.root)).sum::<f32>() * (2.0 / 3.0);
        inertia[..3].fill(ligand.len() as f32);
        inertia[3..6].fill(spread.max(1.0));
        for (index, fragment) in self.fragments.iter().enumerate() {
            let Joint::Torsion(torsion) = fragment.joint else { continue };
            let (axis, end) = (placed.axes[index], placed.origins[index]);
            let lever: f32 = self.fragments[index..]
                .iter()
                .enumerate()
                .filter(|&(later, _)| self.descends(index + later, index))
                .flat_map(|(_, moved)| &placed.coordinates[moved.atoms.clone()])
                .map(|&atom| axis.cross(atom - end).length_squared())
                .sum();
            inertia[6 + torsion] = lever.max(1.0);
        }
        inertia
    }

    fn descends(&self, mut fragment: usize, ancestor: usize) -> bool {
        while fragment > ancestor && self.fragments[fragment].parent != fragment {
            fragment = self.fragments[fragment].parent;
        }
        fragment == ancestor
    }

    /// The pose in which the frame's conformer was given.
    #[must_use]
    pub fn pose_as_given(&self, frame: &Frame) -> Pose {
        Pose { position: frame.root, orientation: Quat::IDENTITY, torsions: vec![0.0; self.torsions()] }
    }

    /// The pose whose torsions in `to` have the dihedrals that `pose` has in `from`.
    pub fn carry_over(&self, pose: &mut Pose, from: &Frame, to: &Frame) {
        for ((torsion, &old), &new) in pose.torsions.iter_mut().zip(&from.dihedrals).zip(&to.dihedrals) {
            *torsion += old - new;
        }
    }

    /// Places the scored atoms.
    pub fn place(&self, frame: &Frame, pose: &Pose, placement: &mut Placement) {
        placement.resize(self);
        for (index, fragment) in self.fragments.iter().enumerate() {
            let (origin, orientation) = match fragment.joint {
                Joint::Root => (pose.position, pose.orientation),
                Joint::Fixed => (frame.offsets[index], Quat::IDENTITY),
                Joint::Torsion(torsion) => {
                    let parent = placement.orientations[fragment.parent];
                    let axis = frame.axes[index];
                    let (sine, cosine) = (0.5 * pose.torsions[torsion]).sin_cos();
                    let turn = Quat::from_xyzw(axis.x * sine, axis.y * sine, axis.z * sine, cosine);
                    placement.axes[index] = parent * axis;
                    (placement.origins[fragment.parent] + parent * frame.offsets[index], parent * turn)
                }
            };
            placement.origins[index] = origin;
            placement.orientations[index] = orientation;
            let rotation = Mat3A::from_quat(orientation);
            for atom in fragment.atoms.clone() {
                placement.coordinates[atom] = rotation * frame.local[atom] + origin;
            }
        }
    }

    /// Positions of all atoms of the molecule in its own order, after [`Self::place`].
    #[must_use]
    pub fn all_positions(&self, frame: &Frame, placement: &Placement) -> Vec<Vec3> {
        frame
            .local_of_all
            .iter()
            .zip(&self.fragment_of_atom)
            .map(|(&local, &fragment)| {
                let fragment = fragment as usize;
                Vec3::from(placement.orientations[fragment] * local + placement.origins[fragment])
            })
            .collect()
    }

    /// Atoms of the receptor that side chains carry, with their positions, after [`Self::place`].
    #[must_use]
    pub fn side_chain_positions(&self, placement: &Placement) -> Vec<(u32, Vec3)> {
        let first = self.ligand_torsions() + 1;
        self.side_chains
            .carried()
            .iter()
            .map(|carried| {
                let fragment = first + carried.part;
                let local = Vec3A::from(carried.position - self.side_chains.parts()[carried.part].origin);
                let position = placement.orientations[fragment] * local + placement.origins[fragment];
                (carried.atom, Vec3::from(position))
            })
            .collect()
    }

    /// The gradient by position, orientation (as a turn in the world) and torsions, from the gradient by the
    /// coordinates; after [`Self::place`].
    pub fn gradient(&self, placement: &mut Placement, by_coordinate: &[Vec3A], gradient: &mut [f32]) {
        placement.forces.fill(Vec3A::ZERO);
        placement.torques.fill(Vec3A::ZERO);
        for (index, fragment) in self.fragments.iter().enumerate().rev() {
            if fragment.joint == Joint::Fixed {
                continue;
            }
            let origin = placement.origins[index];
            let (mut force, mut torque) = (placement.forces[index], placement.torques[index]);
            for atom in fragment.atoms.clone() {
                force += by_coordinate[atom];
                torque += (placement.coordinates[atom] - origin).cross(by_coordinate[atom]);
            }
            if let Joint::Torsion(torsion) = fragment.joint {
                gradient[6 + torsion] = placement.axes[index].dot(torque);
                let parent = fragment.parent;
                placement.forces[parent] += force;
                placement.torques[parent] += torque + (origin - placement.origins[parent]).cross(force);
            } else {
                gradient[..3].copy_from_slice(&force.to_array());
                gradient[3..6].copy_from_slice(&torque.to_array());
            }
        }
    }

    /// Pairs whose distance a torsion can change. Atoms of one fragment keep their distances, and so do the two atoms
    /// of a torsion's axis to both of its sides.
    fn moving_pairs(&self, neighbours: &[Vec<(u32, u32)>]) -> Vec<(u32, u32)> {
        let mut sides: Vec<Vec<u32>> = self.fragment_of_atom.iter().map(|&fragment| vec![fragment]).collect();
        for (index, fragment) in self.fragments.iter().enumerate().skip(1) {
            sides[fragment.axis.0 as usize].push(index as u32);
            sides[fragment.axis.1 as usize].push(fragment.parent as u32);
        }
        let mut pairs = Vec::new();
        for (first, &a) in self.heavy.iter().enumerate() {
            let near = within_three_bonds(neighbours, a);
            for (second, &b) in self.heavy.iter().enumerate().skip(first + 1) {
                let is_rigid = sides[a as usize].iter().any(|side| sides[b as usize].contains(side));
                if !is_rigid && !near.contains(&b) {
                    pairs.push((first as u32, second as u32));
                }
            }
        }
        pairs
    }
}

impl Frame {
    /// Mean squared levers of the degrees of freedom, to scale steps of a minimiser.
    #[must_use]
    pub fn levers(&self) -> &[f32] {
        &self.inertia
    }
}

impl Pose {
    /// Takes over another pose's numbers without allocating.
    pub fn copy_from(&mut self, other: &Self) {
        self.position = other.position;
        self.orientation = other.orientation;
        self.torsions.clone_from(&other.torsions);
    }

    /// Moves along a direction in the coordinates of the gradient.
    pub fn advance(&mut self, direction: &[f32], length: f32) {
        self.position += length * Vec3A::new(direction[0], direction[1], direction[2]);
        let turn = length * Vec3::new(direction[3], direction[4], direction[5]);
        self.orientation = (Quat::from_scaled_axis(turn) * self.orientation).normalize();
        for (torsion, &step) in self.torsions.iter_mut().zip(&direction[6..]) {
            *torsion += length * step;
        }
    }

    /// Brings the torsions into -π to π.
    pub fn wrap(&mut self) {
        for torsion in &mut self.torsions {
            *torsion -= std::f32::consts::TAU * (*torsion / std::f32::consts::TAU).round();
        }
    }
}

impl Placement {
    fn resize(&mut self, tree: &LigandTree) {
        let (atoms, fragments) = (tree.types.len(), tree.fragments.len());
        if self.coordinates.len() != atoms || self.origins.len() != fragments {
            self.coordinates.resize(atoms, Vec3A::ZERO);
            self.origins.resize(fragments, Vec3A::ZERO);
            self.orientations.resize(fragments, Quat::IDENTITY);
            self.axes.resize(fragments, Vec3A::ZERO);
            self.forces.resize(fragments, Vec3A::ZERO);
            self.torques.resize(fragments, Vec3A::ZERO);
        }
    }
}

/// The component of each atom when the given bonds are cut, and how many there are.
fn components(neighbours: &[Vec<(u32, u32)>], cut: &[usize]) -> (Vec<usize>, usize) {
    let mut component = vec![usize::MAX; neighbours.len()];
    let mut count = 0;
    for start in 0..neighbours.len() {
        if component[start] != usize::MAX {
            continue;
        }
        let mut stack = vec![start];
        component[start] = count;
        while let Some(atom) = stack.pop() {
            for &(other, bond) in &neighbours[atom] {
                let other = other as usize;
                if component[other] == usize::MAX && !cut.contains(&(bond as usize)) {
                    component[other] = count;
                    stack.push(other);
                }
            }
        }
        count += 1;
    }
    (component, count)
}

/// The component whose largest branch has the fewest heavy atoms; of equals the largest, of equals the first.
fn middle(joints: &[(usize, usize, u32, u32)], sizes: &[usize]) -> usize {
    (0..sizes.len())
        .min_by_key(|&candidate| (largest_branch(joints, sizes, candidate), std::cmp::Reverse(sizes[candidate])))
        .unwrap_or(0)
}

/// Heavy atoms of the largest branch that hangs on a component.
fn largest_branch(joints: &[(usize, usize, u32, u32)], sizes: &[usize], component: usize) -> usize {
    let joined = |component: usize, from: usize| {
        joints.iter().filter_map(move |&(a, b, ..)| match (a == component, b == component) {
            (true, _) if b != from => Some(b),
            (_, true) if a != from => Some(a),
            _ => None,
        })
    };
    joined(component, usize::MAX)
        .map(|start| {
            let mut size = 0;
            let mut stack = vec![(start, component)];
            while let Some((branch, from)) = stack.pop() {
                size += sizes[branch];
                stack.extend(joined(branch, from).map(|next| (next, branch)));
            }
            size
        })
        .max()
        .unwrap_or(0)
}

/// The atoms that at most three bonds separate from one, itself first.
pub(super) fn within_three_bonds(neighbours: &[Vec<(u32, u32)>], start: u32) -> Vec<u32> {
    let mut reached = vec![start];
    let mut frontier = 0..1;
    for _ in 0..3 {
        let end = reached.len();
        for index in frontier.clone() {
            for &(other, _) in &neighbours[reached[index] as usize] {
                if !reached.contains(&other) {
                    reached.push(other);
                }
            }
        }
        frontier = end..reached.len();
    }
    reached
}

/// Dihedral of four points, radians.
fn dihedral([a, b, c, d]: [Vec3; 4]) -> f32 {
    let axis = c - b;
    let first = (b - a).cross(axis);
    let second = axis.cross(d - c);
    (first.cross(second).dot(axis.normalize_or_zero())).atan2(first.dot(second))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::docking::fixture;

    fn bent(tree: &LigandTree, frame: &Frame) -> Pose {
        let mut pose = tree.pose_as_given(frame);
        pose.position += Vec3A::new(1.0, -2.0, 0.5);
        pose.orientation = Quat::from_scaled_axis(Vec3::new(0.4, -1.1, 0.7));
        for (index, torsion) in pose.torsions.iter_mut().enumerate() {
            *torsion = 0.9 * index as f32 - 1.3;
        }
        pose
    }

    #[test]
    fn the_given_pose_is_the_conformer() {
        let ligand = fixture::ligand();
        let tree = LigandTree::new(&ligand).unwrap();
        // N-C, C-C, C-C, C-O, O-aryl, aryl-C(=O), and the amide fixed; the amine's turn counts half.
        assert_eq!((tree.torsions(), tree.torsion_count()), (5, 5.5));
        let frame = tree.frame(&ligand, &ligand.conformers[0]).unwrap();
        let mut placement = Placement::default();
        tree.place(&frame, &tree.pose_as_given(&frame), &mut placement);
        for (placed, given) in tree.all_positions(&frame, &placement).iter().zip(&ligand.conformers[0]) {
            assert!(placed.distance(*given) < 1e-5);
        }
    }

    #[test]
    fn lengths_and_angles_do_not_change() {
        let ligand = fixture::ligand();
        let tree = LigandTree::new(&ligand).unwrap();
        let frame = tree.frame(&ligand, &ligand.conformers[0]).unwrap();
        let mut placement = Placement::default();
        tree.place(&frame, &bent(&tree, &frame), &mut placement);
        let placed = tree.all_positions(&frame, &placement);
        let given = &ligand.conformers[0];
        let neighbours = ligand.neighbours();
        for (atom, others) in neighbours.iter().enumerate() {
            for &(second, _) in others {
                for &(third, _) in &neighbours[second as usize] {
                    for other in [second as usize, third as usize] {
                        let change = placed[atom].distance(placed[other]) - given[atom].distance(given[other]);
                        assert!(change.abs() < 1e-4, "{atom} {other}: {change}");
                    }
                }
            }
        }
        // Pairs that are not listed keep their distance, unless they are within three bonds.
        let is_listed = |a: usize, b: usize| {
            let place = |atom: usize| tree.heavy().iter().position(|&heavy| heavy as usize == atom).unwrap() as u32;
            tree.pairs().contains(&(place(a).min(place(b)), place(a).max(place(b))))
        };
        assert!(is_listed(0, 5) && is_listed(0, 13));
        assert!(!is_listed(0, 3) && !is_listed(6, 11) && !is_listed(4, 8));
    }

    #[test]
    fn gradient_is_that_of_the_placement() {
        let ligand = fixture::ligand();
        let tree = LigandTree::new(&ligand).unwrap();
        let frame = tree.frame(&ligand, &ligand.conformers[0]).unwrap();
        let mut placement = Placement::default();
        let weights: Vec<Vec3A> = (0..tree.heavy().len())
            .map(|atom| Vec3A::new((atom as f32).sin(), (2.3 * atom as f32).cos(), (0.7 * atom as f32).sin()))
            .collect();
        let mut energy = |pose: &Pose| {
            tree.place(&frame, pose, &mut placement);
            let sum: f32 = placement.coordinates.iter().zip(&weights).map(|(a, b)| a.dot(*b)).sum();
            (sum, placement.clone())
        };
        let pose = bent(&tree, &frame);
        let mut gradient = vec![0.0; tree.degrees_of_freedom()];
        let (_, mut placed) = energy(&pose);
        tree.gradient(&mut placed, &weights, &mut gradient);
        for index in 0..gradient.len() {
            let mut direction = vec![0.0; gradient.len()];
            direction[index] = 1.0;
            let (mut up, mut down) = (pose.clone(), pose.clone());
            up.advance(&direction, 0.01);
            down.advance(&direction, -0.01);
            let expected = (energy(&up).0 - energy(&down).0) / 0.02;
            assert!((gradient[index] - expected).abs() < 0.02, "{index}: {} for {expected}", gradient[index]);
        }
    }

    #[test]
    fn what_cannot_be_docked_says_so() {
        let mut two = fixture::ligand();
        two.bonds.retain(|bond| (bond.a, bond.b) != (3, 4));
        assert!(LigandTree::new(&two).unwrap_err().to_string().contains("2 unconnected parts"));
        let ligand = fixture::ligand();
        let tree = LigandTree::new(&ligand).unwrap();
        assert!(tree.frame(&ligand, &ligand.conformers[0][1..]).is_err());
    }
}
