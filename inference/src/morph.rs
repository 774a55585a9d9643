//! A path between two states of one protein.
//!
//! Why not a straight line: a domain that turns would shrink on the way, bonds with it. How instead:
//! 1. The second state is laid on the first by the part that moves least (superposition on aligned alpha carbons,
//!    repeated on the closer half), so that the picture shows what moves.
//! 2. Alpha carbons (C4' of nucleotides) at time t: the straight line, corrected until the distances between near ones are
//!    the interpolated ones. Near pairs are those within 10 Å in either state (elastic network interpolation: Kim,
//!    Jernigan & Chirikjian, Biophys. J. 2002, 83, 1620).
//! 3. Each residue is a frame that turns evenly from its first orientation to its last; its atoms go along, in the
//!    frame from their first place to their last. Equivalent atoms that swapped names (rings of PHE and TYR, ends of
//!    ASP, GLU, ARG) are first given the names that make the way shortest.
//! 4. [`crate::geometry`] restores bonds, angles and planar groups to their interpolated lengths, so side chains that
//!    change rotamer keep their bonds.
//!
//! The first frame is the first state, the last one the second wherever both have the atom; atoms and residues that only
//! the first state has follow their surroundings. This is a picture of a path, without energies or times.

use std::collections::BTreeSet;
use std::sync::Arc;

use glam::{Mat3, Quat, Vec3};
use kfold_molecule::analysis::neighbour_grid::NeighbourGrid;
use kfold_molecule::analysis::superpose::{Transform, superpose, superpose_models};
use kfold_molecule::{Model, ResidueKind, Structure, Topology};

use crate::geometry::Geometry;

/// Alpha carbons closer than this in either state keep their interpolated distance, Å.
const NEAR: f32 = 10.0;
/// Sweeps over the near pairs at most.
const MAX_SWEEPS: usize = 200;
/// Sweeps end when no neighbour along the chain is off by more, Å.
const TOLERANCE: f32 = 0.005;
/// How far a near pair that is not linked by a bond is corrected in each sweep.
const SOFTNESS: f32 = 0.1;
/// Rounds of the superposition on the part that moves least.
const CORE_ROUNDS: usize = 10;
/// Frames that can be asked for.
pub const MAX_FRAMES: usize = 1_000;

/// Why there is no path.
#[derive(Debug, thiserror::Error)]
pub enum MorphError {
    /// The two are not one protein.
    #[error(
        "the two states share {identical} residues of {paired} that can be aligned; a morph needs two states of one \
         protein, at least ten residues and most of them the same"
    )]
    Different {
        /// Aligned residues.
        paired: usize,
        /// Those of them with the same name.
        identical: usize,
    },
    /// A setting out of range.
    #[error("{0} frames: ask for 2 to {MAX_FRAMES}")]
    Frames(usize),
}

/// The path from `first` to `second` in `frames` models, both states included, over the topology of `first`.
///
/// # Errors
/// When the two are not states of one protein, or the number of frames makes no sense.
pub fn morph(first: &Model, second: &Model, frames: usize) -> Result<Structure, MorphError> {
    if !(2..=MAX_FRAMES).contains(&frames) {
        return Err(MorphError::Frames(frames));
    }
    let path = Path::new(first, second)?;
    let models = (0..frames).map(|frame| {
        let time = frame as f32 / (frames - 1) as f32;
        Model {
            number: frame as i32 + 1,
            topology: Arc::clone(&first.topology),
            positions: path.at(time),
            b_factors: first.b_factors.clone(),
        }
    });
    Ok(Structure { name: String::new(), models: models.collect() })
}

/// A residue as a moving frame.
#[derive(Clone, Debug)]
struct Frame {
    /// Index among the beads.
    bead: usize,
    /// Orientation in the first state is none; this turns it to that of the second.
    turn: Quat,
}

/// Everything that is the same for all times.
struct Path<'a> {
    first: &'a Model,
    /// Beads in the first and in the second state, Å.
    beads: [Vec<Vec3>; 2],
    /// Near beads with their distances in both states; whether they are neighbours in the chain.
    near: Vec<(usize, usize, [f32; 2], bool)>,
    /// For each residue its frame, if both states have it.
    frames: Vec<Option<Frame>>,
    /// For each residue without frame the beads it follows.
    followers: Vec<Vec<usize>>,
    /// For each atom its place in the second state, in the orientation of the first, from the bead.
    ends: Vec<Option<Vec3>>,
    geometry: Geometry,
    lengths: [Vec<f32>; 2],
}

impl<'a> Path<'a> {
    fn new(first: &'a Model, second: &Model) -> Result<Self, MorphError> {
        let different = |paired, identical| MorphError::Different { paired, identical };
        let superposition = superpose_models(second, first).ok_or(different(0, 0))?;
        let paired = superposition.pairs.len();
        if paired < 10 || 2 * superposition.identical < paired {
            return Err(different(paired, superposition.identical));
        }
        let (topology, other) = (&*first.topology, &*second.topology);
        // Beads: what the superposition has paired, in the order of the first state.
        let mut pairs: Vec<(u32, u32)> = superposition.pairs.iter().map(|(b, a)| (*a, *b)).collect();
        pairs.sort_unstable();
        let transform = core_transform(first, second, &pairs).unwrap_or(superposition.superposition.transform);
        let moved: Vec<Vec3> = second.positions.iter().map(|position| transform.apply(*position)).collect();
        let beads = [
            pairs.iter().map(|(a, _)| first.positions[*a as usize]).collect::<Vec<_>>(),
            pairs.iter().map(|(_, b)| moved[*b as usize]).collect::<Vec<_>>(),
        ];

        let mut frames = vec![None; topology.residues.len()];
        let mut ends = vec![None; topology.atoms.len()];
        for (bead, (a, b)) in pairs.iter().enumerate() {
            let residue = topology.atoms[*a as usize].residue;
            let other_residue = other.atoms[*b as usize].residue;
            let matched = matched_atoms(first, &moved, other, residue as usize, other_residue as usize);
            let turn = frame_turn(first, &moved, topology, residue as usize, &matched);
            let back = turn.inverse();
            for (own, theirs) in matched {
                ends[own] = Some(back * (moved[theirs] - beads[1][bead]));
            }
            shortest_names(topology, residue as usize, first, beads[0][bead], &mut ends);
            frames[residue as usize] = Some(Frame { bead, turn });
        }
        let followers = topology
            .residues
            .iter()
            .zip(&frames)
            .map(
                |(residue, frame)| {
                    if frame.is_some() { Vec::new() } else { nearest(first, topology, residue, &beads[0]) }
                },
            )
            .collect();
        let geometry = Geometry::new(topology);
        let mut path = Self {
            first,
            near: near_pairs(topology, &pairs, &beads),
            beads,
            frames,
            followers,
            ends,
            lengths: [geometry.lengths(&first.positions), Vec::new()],
            geometry,
        };
        let last = path.place(1.0, &path.beads[1]);
        path.lengths[1] = path.geometry.lengths(&last);
        // Where one state lacks atoms that the other has, what follows would be stretched: the first state's lengths hold.
        let [before, after] = &mut path.lengths;
        for ((pair, before), after) in path.geometry.pairs().iter().zip(before).zip(after) {
            let is_known = path.ends[pair.a as usize].is_some() && path.ends[pair.b as usize].is_some();
            if !is_known || (pair.bonds < 3 && (*after - *before).abs() > 0.3 * *before) {
                *after = *before;
            }
        }
        Ok(path)
    }

    fn at(&self, time: f32) -> Vec<Vec3> {
        if time <= 0.0 {
            return self.first.positions.clone();
        }
        let mut positions = self.place(time, &self.trace(time));
        let lengths: Vec<f32> = self.lengths[0].iter().zip(&self.lengths[1]).map(|(a, b)| a + (b - a) * time).collect();
        self.geometry.restore(&mut positions, &lengths);
        positions
    }

    /// The beads at a time.
    fn trace(&self, time: f32) -> Vec<Vec3> {
        let [first, last] = &self.beads;
        let mut beads: Vec<Vec3> = first.iter().zip(last).map(|(a, b)| a.lerp(*b, time)).collect();
        for _ in 0..MAX_SWEEPS {
            let mut worst = 0.0_f32;
            for (a, b, lengths, is_linked) in &self.near {
                let length = lengths[0] + (lengths[1] - lengths[0]) * time;
                let apart = beads[*b] - beads[*a];
                let distance = apart.length().max(1.0e-3);
                let error = distance - length;
                let share = if *is_linked { 0.5 } else { 0.5 * SOFTNESS };
                if *is_linked {
                    worst = worst.max(error.abs());
                }
                let shift = apart * (share * error / distance);
                beads[*a] += shift;
                beads[*b] -= shift;
            }
            if worst < TOLERANCE {
                break;
            }
        }
        beads
    }

    /// All atoms at a time, given the beads.
    fn place(&self, time: f32, beads: &[Vec3]) -> Vec<Vec3> {
        let topology = &self.first.topology;
        let mut positions = self.first.positions.clone();
        for ((residue, frame), followed) in topology.residues.iter().zip(&self.frames).zip(&self.followers) {
            if let Some(frame) = frame {
                let turn = Quat::IDENTITY.slerp(frame.turn, time);
                let origin = self.beads[0][frame.bead];
                for atom in topology.atoms_of(residue) {
                    let start = self.first.positions[atom] - origin;
                    let local = self.ends[atom].map_or(start, |end| start.lerp(end, time));
                    positions[atom] = beads[frame.bead] + turn * local;
                }
            } else {
                let before: Vec<Vec3> = followed.iter().map(|bead| self.beads[0][*bead]).collect();
                let after: Vec<Vec3> = followed.iter().map(|bead| beads[*bead]).collect();
                let Some(fit) = superpose(&before, &after) else { continue };
                for atom in topology.atoms_of(residue) {
                    positions[atom] = fit.transform.apply(self.first.positions[atom]);
                }
            }
        }
        positions
    }
}

/// Lays the second state on the first by the half of the pairs that moves least.
fn core_transform(first: &Model, second: &Model, pairs: &[(u32, u32)]) -> Option<Transform> {
    let place = |(a, b): &(u32, u32)| (second.positions[*b as usize], first.positions[*a as usize]);
    let points: Vec<(Vec3, Vec3)> = pairs.iter().map(place).collect();
    let mut core = points.clone();
    let mut transform = None;
    for _ in 0..CORE_ROUNDS {
        let (mobile, target): (Vec<Vec3>, Vec<Vec3>) = core.iter().copied().unzip();
        let fit = superpose(&mobile, &target)?.transform;
        transform = Some(fit);
        let mut ranked: Vec<(f32, usize)> = points
            .iter()
            .enumerate()
            .map(|(index, (mobile, target))| (fit.apply(*mobile).distance_squared(*target), index))
            .collect();
        ranked.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        core = ranked[..points.len().div_ceil(2)].iter().map(|(_, index)| points[*index]).collect();
    }
    transform
}

/// Atoms of a residue with their counterparts of the same name.
fn matched_atoms(
    first: &Model,
    moved: &[Vec3],
    other: &Topology,
    residue: usize,
    other_residue: usize,
) -> Vec<(usize, usize)> {
    let topology = &first.topology;
    let (own, theirs) = (&topology.residues[residue], &other.residues[other_residue]);
    // Of residues with other names only the backbone has a counterpart.
    let is_backbone = |name: &str| matches!(name, "N" | "CA" | "C" | "O" | "CB");
    let of_same_residue = own.name == theirs.name;
    topology
        .atoms_of(own)
        .filter(|atom| of_same_residue || is_backbone(&topology.atoms[*atom].name))
        .filter_map(|atom| Some((atom, other.atom_named(theirs, &topology.atoms[atom].name)?)))
        .filter(|(_, theirs)| moved[*theirs].is_finite())
        .collect()
}

/// The rotation of a residue's backbone between the states, or of all its atoms where it has no backbone.
fn frame_turn(first: &Model, moved: &[Vec3], topology: &Topology, residue: usize, matched: &[(usize, usize)]) -> Quat {
    let is_protein = topology.residues[residue].kind == ResidueKind::Protein;
    let is_frame = |atom: usize| !is_protein || matches!(topology.atoms[atom].name.as_str(), "N" | "CA" | "C");
    let pairs = matched.iter().filter(|(own, _)| is_frame(*own));
    let (before, after): (Vec<Vec3>, Vec<Vec3>) =
        pairs.map(|(own, theirs)| (first.positions[*own], moved[*theirs])).unzip();
    let rotation = if before.len() >= 3 { superpose(&before, &after).map(|fit| fit.transform.rotation) } else { None };
    Quat::from_mat3(&rotation.unwrap_or(Mat3::IDENTITY)).normalize()
}

/// Groups of atoms that are the same but for their names: swapping both pairs together changes nothing.
const EQUIVALENT: [(&str, &[(&str, &str)]); 5] = [
    ("PHE", &[("CD1", "CD2"), ("CE1", "CE2")]),
    ("TYR", &[("CD1", "CD2"), ("CE1", "CE2")]),
    ("ASP", &[("OD1", "OD2")]),
    ("GLU", &[("OE1", "OE2")]),
    ("ARG", &[("NH1", "NH2")]),
];

/// Swaps the ends of equivalent atoms where that makes the way shorter.
fn shortest_names(topology: &Topology, residue: usize, first: &Model, origin: Vec3, ends: &mut [Option<Vec3>]) {
    let residue = &topology.residues[residue];
    let Some((_, swaps)) = EQUIVALENT.iter().find(|(name, _)| residue.name == *name) else { return };
    let atoms: Option<Vec<(usize, usize)>> =
        swaps.iter().map(|(a, b)| Some((topology.atom_named(residue, a)?, topology.atom_named(residue, b)?))).collect();
    let Some(atoms) = atoms else { return };
    let (mut as_named, mut swapped) = (0.0, 0.0);
    for (a, b) in &atoms {
        let (Some(end_a), Some(end_b)) = (ends[*a], ends[*b]) else { return };
        let (start_a, start_b) = (first.positions[*a] - origin, first.positions[*b] - origin);
        as_named += start_a.distance_squared(end_a) + start_b.distance_squared(end_b);
        swapped += start_a.distance_squared(end_b) + start_b.distance_squared(end_a);
    }
    if swapped < as_named {
        atoms.iter().for_each(|(a, b)| ends.swap(*a, *b));
    }
}

/// Beads near each other in either state.
fn near_pairs(
    topology: &Topology,
    pairs: &[(u32, u32)],
    beads: &[Vec<Vec3>; 2],
) -> Vec<(usize, usize, [f32; 2], bool)> {
    let mut near = BTreeSet::new();
    for state in beads {
        NeighbourGrid::new(state, NEAR).for_each_pair(NEAR, |a, b, _| {
            near.insert((a.min(b) as usize, a.max(b) as usize));
        });
    }
    let chain_of = |bead: usize| topology.residue_of(pairs[bead].0 as usize).chain;
    let mut list: Vec<(usize, usize, [f32; 2], bool)> = near
        .into_iter()
        .map(|(a, b)| {
            let lengths = [beads[0][a].distance(beads[0][b]), beads[1][a].distance(beads[1][b])];
            let is_linked = b == a + 1 && chain_of(a) == chain_of(b) && lengths.iter().all(|length| *length < 4.5);
            (a, b, lengths, is_linked)
        })
        .collect();
    // Links last, so that they hold best.
    list.sort_by_key(|(a, b, _, is_linked)| (*is_linked, *a, *b));
    list
}

/// The beads that a residue follows which the second state lacks.
fn nearest(model: &Model, topology: &Topology, residue: &kfold_molecule::Residue, beads: &[Vec3]) -> Vec<usize> {
    let count = residue.atoms.len().max(1) as f32;
    let centre = topology.atoms_of(residue).map(|atom| model.positions[atom]).sum::<Vec3>() / count;
    let mut order: Vec<(f32, usize)> =
        beads.iter().enumerate().map(|(bead, position)| (position.distance_squared(centre), bead)).collect();
    order.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    order.into_iter().take(8).map(|(_, bead)| bead).collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path as FilePath;

    use kfold_molecule::formats::read_structure;

    use super::*;

    fn kinase(name: &str) -> Model {
        let path = FilePath::new(env!("CARGO_MANIFEST_DIR")).join("../samples/adenylate-kinase").join(name);
        read_structure(&path).unwrap().models.swap_remove(0)
    }

    #[test]
    fn adenylate_kinase_closes_without_shrinking() {
        let (open, closed) = (kinase("open.pdb"), kinase("closed.pdb"));
        let path = morph(&open, &closed, 11).unwrap();
        assert_eq!(path.models.len(), 11);
        assert!(path.is_ensemble());
        assert_eq!(path.models[0].positions, open.positions);
        // Neighbouring alpha carbons keep their distance: 3.8 Å, and 2.9 Å at the one cis peptide.
        let trace: Vec<usize> =
            open.topology.residues.iter().filter_map(|residue| open.topology.atom_named(residue, "CA")).collect();
        let links = |model: &Model| -> Vec<f32> {
            trace.windows(2).map(|pair| model.positions[pair[0]].distance(model.positions[pair[1]])).collect()
        };
        let (start, end) = (links(&path.models[0]), links(path.models.last().unwrap()));
        for model in &path.models {
            for ((link, start), end) in links(model).iter().zip(&start).zip(&end) {
                let (low, high) = (start.min(*end) - 0.1, start.max(*end) + 0.1);
                assert!((low..high).contains(link), "{link} is not between {low} and {high} Å");
            }
        }
        // The end is the other state.
        let fit = superpose_models(path.models.last().unwrap(), &closed).unwrap();
        assert!(fit.superposition.rmsd < 0.02, "{}", fit.superposition.rmsd);
        // No step jumps, and bonds hold all the way.
        let geometry = Geometry::new(&open.topology);
        let ends = [&path.models[0], &path.models[10]].map(|model| geometry.lengths(&model.positions));
        let mut worst = 0.0_f32;
        for model in &path.models {
            let lengths = geometry.lengths(&model.positions);
            for (index, pair) in geometry.pairs().iter().enumerate().filter(|(_, pair)| pair.bonds == 1) {
                let (low, high) = (ends[0][index].min(ends[1][index]), ends[0][index].max(ends[1][index]));
                let outside = (low - lengths[index]).max(lengths[index] - high);
                assert!(outside < 0.1, "bond {pair:?}: {} is not between {low} and {high} Å", lengths[index]);
                worst = worst.max(outside);
            }
        }
        assert!(worst < 0.1, "a bond is {worst} Å beyond both ends");
        for pair in path.models.windows(2) {
            let step = kfold_molecule::analysis::superpose::rmsd(&pair[0].positions, &pair[1].positions).unwrap();
            assert!(step < 2.0, "{step}");
        }
    }

    #[test]
    fn what_cannot_be_done_is_said() {
        let open = kinase("open.pdb");
        assert!(matches!(morph(&open, &open, 1), Err(MorphError::Frames(1))));
        let path = FilePath::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/tripeptide.pdb");
        let small = read_structure(&path).unwrap();
        assert!(matches!(morph(&open, &small.models[0], 5), Err(MorphError::Different { .. })));
    }
}
