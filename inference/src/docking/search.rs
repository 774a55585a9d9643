//! The search: iterated local search from many random starts, all cores, the same result on any number of them.
//!
//! One run is the Monte Carlo of Trott & Olson 2010 (after Abagyan, Totrov & Kuznetsov, J. Comput. Chem. 1994, 15,
//! 488): change one of position, orientation and torsions at random, minimise, keep the new minimum by Metropolis'
//! rule. A run's length follows Vina's heuristic for the ligand's size ([`Effort::for_ligand`]). The runs are independent;
//! each has a stream of its own of one ChaCha generator, and they are merged in the order of the runs, so neither the number
//! of threads nor their timing changes anything.
//!
//! A ligand held by a [`Tether`](super::energy::Tether) starts from where its held atoms are to be, and side chains start as
//! they are in the file; everything else starts anywhere.
//!
//! The first step of a minimisation is bold ([`Minimizer::is_bold`]): without it, searches stayed in the pocket they
//! fell into first. Most minimisations end where Metropolis' rule would refuse them. The random number of the rule is
//! therefore drawn first; a minimisation is given up when even going on at several times its last rate could not bring
//! it below the energy that the rule would still accept.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use glam::{Quat, Vec3, Vec3A};
use kfold_molecule::analysis::superpose::superpose;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::energy::{Caps, GridField, GridLandscape};
use super::ligand_tree::{Frame, Placement, Pose};
use super::minimize::Minimizer;

/// Temperature of Metropolis' rule, kcal/mol.
const TEMPERATURE: f32 = 1.2;

/// Largest random displacement, Å.
const AMPLITUDE: f32 = 2.0;

/// A minimisation of the hunt ends when a step gains less, kcal/mol.
const CONVERGED: f32 = 5e-4;

/// Minima that a run keeps.
const MINIMA_KEPT: usize = 20;

/// Minima of a run closer than this are one: Å RMSD, atom by atom.
const SAME_MINIMUM: f32 = 1.0;

/// A minimum found by a run.
#[derive(Clone, Debug)]
pub struct Minimum {
    /// Index of the conformer's frame.
    pub frame: usize,
    /// Where it is.
    pub pose: Pose,
    /// Energy on the grids, kcal/mol.
    pub energy: f32,
    /// Heavy atoms in tree order.
    pub coordinates: Vec<Vec3A>,
}

/// How long to search.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// Independent runs.
    pub runs: u32,
    /// Steps of each run.
    pub steps: u64,
    /// Quasi-Newton steps of each minimisation.
    pub local_steps: usize,
}

impl Effort {
    /// For a ligand of so many heavy atoms and torsions. A run has half the steps of Vina's heuristic: a minimisation here
    /// may take four times as many and mostly ends in its minimum, so longer runs find the same minima again. What misses a
    /// deep and narrow pocket is another start, and the more torsions, the more often; so their number sets how many runs
    /// there are for each unit of exhaustiveness.
    #[must_use]
    pub fn for_ligand(heavy_atoms: usize, torsions: usize, exhaustiveness: u32) -> Self {
        let size = heavy_atoms as u64 + 10 * (6 + torsions as u64);
        let starts = (1 + torsions as u32 / 4).min(3);
        Self {
            runs: starts * exhaustiveness.max(1),
            steps: 105 * (50 + size) / 2,
            local_steps: (25 + heavy_atoms) * 3 / 2,
        }
    }
}

/// Counters that the caller watches while the runs go on.
#[derive(Debug, Default)]
pub struct SearchState {
    /// Set to end the search.
    pub is_cancelled: AtomicBool,
    /// Steps done by all runs.
    pub steps: AtomicU64,
    /// Energy evaluations by all runs.
    pub evaluations: AtomicU64,
}

/// Runs the search; the minima of each run, best first, run after run. Empty when cancelled.
#[must_use]
pub fn search(field: &GridField<'_>, frames: &[Frame], effort: Effort, seed: u64, state: &SearchState) -> Vec<Minimum> {
    let minima: Vec<Vec<Minimum>> =
        (0..effort.runs).into_par_iter().map(|run| one_run(field, frames, effort, seed, run, state)).collect();
    if state.is_cancelled.load(Ordering::Relaxed) {
        return Vec::new();
    }
    minima.into_iter().flatten().collect()
}

fn one_run(
    field: &GridField<'_>,
    frames: &[Frame],
    effort: Effort,
    seed: u64,
    run: u32,
    state: &SearchState,
) -> Vec<Minimum> {
    let mut random = Random::new(seed, run);
    let tree = field.tree();
    let mut frame_index = run as usize % frames.len().max(1);
    let Some(frame) = frames.get(frame_index) else { return Vec::new() };
    let mut landscape = GridLandscape::new(field, frame, Caps::HUNT);
    let mut minimizer = Minimizer::new(tree.degrees_of_freedom());
    let mut current = random.start(field, frame);
    let mut current_energy = f32::INFINITY;
    let mut candidate = current.clone();
    let mut promising = current.clone();
    let mut best_energy = f32::INFINITY;
    let mut minima: Vec<Minimum> = Vec::new();
    let conformer_moves = usize::from(frames.len() > 1);
    for step in 0..effort.steps {
        if step % 64 == 0 {
            state.steps.fetch_add(64, Ordering::Relaxed);
            if state.is_cancelled.load(Ordering::Relaxed) {
                return Vec::new();
            }
        }
        candidate.copy_from(&current);
        let mut candidate_frame = frame_index;
        if step > 0 {
            match random.below(2 + tree.torsions() + conformer_moves) {
                0 => candidate.position += AMPLITUDE * random.in_ball(),
                1 => {
                    let gyration = (frames[frame_index].levers()[3] * 1.5 / frames[frame_index].levers()[0]).sqrt();
                    let turn = AMPLITUDE / gyration.max(0.5) * random.in_ball();
                    candidate.orientation = (Quat::from_scaled_axis(turn.into()) * candidate.orientation).normalize();
                }
                chosen if chosen < 2 + tree.torsions() => candidate.torsions[chosen - 2] = random.angle(),
                _ => {
                    candidate_frame = random.below(frames.len());
                    tree.carry_over(&mut candidate, &frames[frame_index], &frames[candidate_frame]);
                }
            }
        }
        landscape.frame = &frames[candidate_frame];
        landscape.caps = Caps::HUNT;
        minimizer.is_bold = true;
        let limit = current_energy - TEMPERATURE * random.unit().max(1e-9).ln();
        let local_steps = effort.local_steps;
        let energy = minimizer.minimize(&mut landscape, &mut candidate, local_steps, |done, energy, drop| {
            drop < CONVERGED || is_hopeless(done, energy - limit, drop)
        });
        if energy > limit || !energy.is_finite() {
            continue;
        }
        current.copy_from(&candidate);
        current_energy = energy;
        frame_index = candidate_frame;
        if energy < best_energy || minima.len() < MINIMA_KEPT {
            promising.copy_from(&candidate);
            landscape.caps = Caps::AUTHENTIC;
            minimizer.is_bold = false;
            let energy = minimizer.minimize(&mut landscape, &mut promising, local_steps, |_, _, _| false);
            if energy < best_energy {
                current.copy_from(&promising);
                current_energy = energy;
            }
            best_energy = best_energy.min(energy);
            keep(&mut minima, &mut landscape, frame_index, &promising, energy);
        }
    }
    state.evaluations.fetch_add(minimizer.evaluations(), Ordering::Relaxed);
    minima
}

/// Whether a minimisation still so far above what would be accepted, losing so little a step, is better given up.
fn is_hopeless(done: usize, gap: f32, drop: f32) -> bool {
    done >= 12 && gap > 40.0 * drop
}

/// Adds a minimum to the sorted list unless a better one is nearby.
fn keep(minima: &mut Vec<Minimum>, landscape: &mut GridLandscape<'_>, frame: usize, pose: &Pose, energy: f32) {
    if !energy.is_finite() || (minima.len() >= MINIMA_KEPT && minima.last().is_some_and(|worst| worst.energy <= energy))
    {
        return;
    }
    let coordinates = landscape.coordinates(pose).to_vec();
    let is_near = |minimum: &Minimum| mean_squared_distance(&minimum.coordinates, &coordinates) < SAME_MINIMUM.powi(2);
    if minima.iter().any(|minimum| minimum.energy <= energy && is_near(minimum)) {
        return;
    }
    minima.retain(|minimum| !is_near(minimum));
    let place = minima.partition_point(|minimum| minimum.energy <= energy);
    minima.insert(place, Minimum { frame, pose: pose.clone(), energy, coordinates });
    minima.truncate(MINIMA_KEPT);
}

/// Mean squared distance of corresponding points, Å².
#[must_use]
pub fn mean_squared_distance(a: &[Vec3A], b: &[Vec3A]) -> f32 {
    let sum: f32 = a.iter().zip(b).map(|(a, b)| a.distance_squared(*b)).sum();
    sum / a.len().max(1) as f32
}

/// The random numbers of one run.
struct Random(ChaCha8Rng);

impl Random {
    fn new(seed: u64, run: u32) -> Self {
        let mut generator = ChaCha8Rng::seed_from_u64(seed);
        generator.set_stream(u64::from(run) + 1);
        Self(generator)
    }

    /// 0 to below 1.
    fn unit(&mut self) -> f32 {
        (self.0.next_u32() >> 8) as f32 * (1.0 / 16_777_216.0)
    }

    fn signed(&mut self) -> f32 {
        2.0 * self.unit() - 1.0
    }

    fn angle(&mut self) -> f32 {
        std::f32::consts::PI * self.signed()
    }

    fn below(&mut self, count: usize) -> usize {
        ((u64::from(self.0.next_u32()) * count as u64) >> 32) as usize
    }

    fn in_ball(&mut self) -> Vec3A {
        loop {
            let point = Vec3A::new(self.signed(), self.signed(), self.signed());
            if point.length_squared() <= 1.0 {
                return point;
            }
        }
    }

    /// Anywhere; a held ligand with its held atoms as near to their places as its torsions allow.
    fn start(&mut self, field: &GridField<'_>, frame: &Frame) -> Pose {
        let mut pose = self.pose(field);
        let Some(tether) = field.tether() else { return pose };
        // The conformer as given: its torsions within the held part are as likely right as any.
        pose.torsions.fill(0.0);
        pose.orientation = Quat::IDENTITY;
        let mut placement = Placement::default();
        field.tree().place(frame, &pose, &mut placement);
        let held: Vec<Vec3> =
            tether.places.iter().map(|&(atom, _)| Vec3::from(placement.coordinates[atom as usize])).collect();
        let places: Vec<Vec3> = tether.places.iter().map(|&(_, place)| Vec3::from(place)).collect();
        if let Some(fit) = superpose(&held, &places) {
            pose.position = Vec3A::from(fit.transform.apply(Vec3::from(pose.position)));
            pose.orientation = Quat::from_mat3(&fit.transform.rotation).normalize();
        }
        pose
    }

    /// Anywhere in the box, any orientation (uniform: Shoemake, Graphics Gems III, 1992), any torsions of the ligand.
    fn pose(&mut self, field: &GridField<'_>) -> Pose {
        let search_box = field.search_box();
        let offset = Vec3::new(self.signed(), self.signed(), self.signed());
        let position = Vec3A::from(search_box.center + 0.5 * search_box.size * offset);
        let (u, v, w) = (self.unit(), self.angle(), self.angle());
        let (a, b) = ((1.0 - u).sqrt(), u.sqrt());
        let orientation = Quat::from_xyzw(a * v.sin(), a * v.cos(), b * w.sin(), b * w.cos()).normalize();
        let tree = field.tree();
        let mut torsions: Vec<f32> = (0..tree.ligand_torsions()).map(|_| self.angle()).collect();
        torsions.resize(tree.torsions(), 0.0);
        Pose { position, orientation, torsions }
    }
}
