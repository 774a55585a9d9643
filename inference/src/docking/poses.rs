//! From a ligand to its best poses, and from a pose to its score.

use std::sync::atomic::Ordering;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use glam::{Vec3, Vec3A};
use kfold_molecule::SmallMolecule;
use kfold_molecule::analysis::ligand_rmsd::LigandRmsd;
use kfold_molecule::analysis::superpose::{rmsd, superpose};
use rayon::prelude::*;

use super::energy::{Energies, ExactLandscape, GridField, Tether};
use super::ligand_tree::{Frame, LigandTree, Placement, Pose, TreeError};
use super::minimize::Minimizer;
use super::scoring::EmpiricalFunction;
use super::search::{Effort, Minimum, SearchState, mean_squared_distance, search};
use super::site::{Receptor, Site};
use super::{DockingError, SearchBox};
use crate::engine::{Events, PoseScore, Progress};
use crate::settings::{DockingSettings, ScoringFunction};

/// Conformers that a search uses: half of those there are, within these bounds.
const MOST_FRAMES: std::ops::RangeInclusive<usize> = 6..=12;

/// Two conformers count as one when no distance inside the ligand differs by more than this at equal torsions, Å.
const SAME_FRAME: f32 = 0.5;

/// Minima closer than this before refinement are refined once, Å RMSD.
const SAME_BEFORE_REFINEMENT: f32 = 0.5;

/// Minima that are refined for each pose asked for.
const REFINED_PER_POSE: usize = 4;

/// Quasi-Newton steps of the refinement.
const REFINEMENT_STEPS: usize = 60;

/// A pose with its score.
#[derive(Clone, Debug)]
pub struct DockedPose {
    /// The ligand with one conformer: the pose.
    pub molecule: SmallMolecule,
    /// Its energies.
    pub score: PoseScore,
    /// Index of the site it was found in.
    pub site: usize,
    /// Atoms of the receptor that a flexible side chain has moved, with their positions in Å.
    pub moved_atoms: Vec<(u32, [f32; 3])>,
}

/// Atoms of a ligand, by index, with the places near which they are to stay, Å.
pub type HeldAtoms = [(u32, Vec3)];

/// Docks one ligand with at least one conformer to one or several sites (pockets of a receptor, conformers of it); several
/// conformers of the ligand serve as starts with different rings. `held` are ways in which the ligand may be held; with none
/// it is free, several share the effort. Best first, all sites and ways together.
///
/// # Errors
/// When the ligand cannot be docked or fits into none of the boxes, and when `events` says so ([`DockingError::Cancelled`]).
pub fn dock_ligand(
    sites: &mut [Site],
    ligand: &SmallMolecule,
    held: &[Vec<(u32, Vec3)>],
    settings: &DockingSettings,
    seed: u64,
    events: &mut dyn Events,
) -> Result<Vec<DockedPose>, DockingError> {
    report(events, "prepare", &ligand.name, 0, 1);
    let tree = LigandTree::new(ligand)?;
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(settings.threads as usize)
        .thread_name(|index| format!("docking {index}"))
        .build()
        .map_err(|error| DockingError::Threads(error.to_string()))?;
    let mut refined = Vec::new();
    let mut refusal = None;
    let count = sites.len();
    for (index, site) in sites.iter_mut().enumerate() {
        if let Err(error) = check_fit(site.search_box(), ligand, &tree) {
            refusal = refusal.or(Some(error));
            continue;
        }
        let tree = match site.side_chains() {
            Some(side_chains) => tree.clone().with_side_chains(side_chains),
            None => tree.clone(),
        };
        let ways: Vec<&HeldAtoms> =
            if held.is_empty() { vec![&[][..]] } else { held.iter().map(Vec::as_slice).collect() };
        let exhaustiveness = settings.exhaustiveness.div_ceil(ways.len() as u32);
        for (number, held) in ways.iter().enumerate() {
            let share = (index * ways.len() + number, count * ways.len());
            let search =
                SiteSearch { ligand, tree: &tree, held, settings, exhaustiveness, seed, pool: &pool, index, share };
            refined.extend(search.run(site, events)?);
        }
    }
    if let (true, Some(error)) = (refined.is_empty(), refusal) {
        return Err(error);
    }
    let Some(function) = sites.first().map(Site::function) else { return Err(DockingError::NoPose) };
    let poses = select(ligand, &tree, refined, function, settings);
    if poses.is_empty() { Err(DockingError::NoPose) } else { Ok(poses) }
}

fn report(events: &mut dyn Events, stage: &str, ligand: &str, step: u64, steps: u64) {
    events.progress(Progress { stage: stage.to_owned(), step, steps, message: ligand.to_owned() });
}

/// The search of one ligand in one site, held in one way.
struct SiteSearch<'a> {
    ligand: &'a SmallMolecule,
    tree: &'a LigandTree,
    held: &'a HeldAtoms,
    settings: &'a DockingSettings,
    exhaustiveness: u32,
    seed: u64,
    pool: &'a rayon::ThreadPool,
    /// Of the site.
    index: usize,
    /// The search's place among all of this ligand, and how many these are.
    share: (usize, usize),
}

impl SiteSearch<'_> {
    fn run(&self, site: &mut Site, events: &mut dyn Events) -> Result<Vec<Refined>, DockingError> {
        let (tree, name) = (self.tree, &self.ligand.name);
        let frames = distinct_frames(tree, self.ligand)?;
        report(events, "grids", name, 0, 1);
        self.pool.install(|| site.prepare(&tree.types()[..tree.moving_atoms()]));
        report(events, "grids", name, 1, 1);
        if events.is_cancelled() {
            return Err(DockingError::Cancelled);
        }
        let site: &Site = site;
        let tether = tether(tree, self.held);
        let field = GridField::new(tree, site.grids(), site.function(), tether.as_ref()).ok_or(DockingError::NoPose)?;
        let effort = Effort::for_ligand(tree.heavy().len(), tree.torsions(), self.exhaustiveness);
        let state = SearchState::default();
        let steps = u64::from(effort.runs) * effort.steps;
        let share = (self.share.0 as u64 * steps, self.share.1 as u64 * steps);
        let minima = watch(events, &state, share, name, || {
            self.pool.install(|| search(&field, &frames, effort, self.seed, &state))
        })?;
        report(events, "refine", name, 0, 1);
        let keep = REFINED_PER_POSE * self.settings.poses.clamp(1, 1000) as usize;
        let minima = distinct_minima(minima, keep);
        let refined = self.pool.install(|| refine(site, tree, &frames, &minima, tether.as_ref(), self.index));
        report(events, "refine", name, 1, 1);
        Ok(refined)
    }
}

/// The springs of the held atoms that are scored.
fn tether(tree: &LigandTree, held: &HeldAtoms) -> Option<Tether> {
    let place = |atom: u32| tree.heavy().iter().position(|&heavy| heavy == atom);
    let places: Vec<(u32, Vec3A)> =
        held.iter().filter_map(|&(atom, position)| Some((place(atom)? as u32, Vec3A::from(position)))).collect();
    (!places.is_empty()).then_some(Tether { places })
}

/// Scores a molecule's first conformer where it stands, or after moving it to the nearest minimum.
///
/// # Errors
/// When the molecule cannot be typed or has no coordinates.
pub fn score_pose(
    receptor: &Receptor,
    pose: &SmallMolecule,
    scoring: ScoringFunction,
    minimize: bool,
) -> Result<DockedPose, DockingError> {
    let function = EmpiricalFunction::of(scoring);
    let tree = LigandTree::new(pose)?;
    let positions = pose.conformers.first().ok_or(TreeError::NoCoordinates)?;
    let frame = tree.frame(pose, positions)?;
    let mut landscape = ExactLandscape::new(&tree, &frame, receptor.cells(), function);
    let mut placed = tree.pose_as_given(&frame);
    if minimize {
        let mut minimizer = Minimizer::new(tree.degrees_of_freedom());
        minimizer.minimize(&mut landscape, &mut placed, 4 * REFINEMENT_STEPS, |_, _, drop| drop < 1e-5);
    }
    let energies = landscape.energies(&placed);
    let moved = if minimize { landscape.all_positions(&placed).0 } else { positions.clone() };
    let molecule = SmallMolecule { conformers: vec![moved], ..pose.clone() };
    let score = pose_score(&tree, function, energies, energies, 0.0);
    Ok(DockedPose { molecule, score, site: 0, moved_atoms: Vec::new() })
}

/// Runs `work` on a thread of its own while this one reports progress and listens for cancellation. `share` are the steps
/// that were done before, and those of all the work.
fn watch<T: Send>(
    events: &mut dyn Events,
    state: &SearchState,
    share: (u64, u64),
    name: &str,
    work: impl FnOnce() -> T + Send,
) -> Result<T, DockingError> {
    std::thread::scope(|scope| {
        let (sender, receiver) = channel();
        std::thread::Builder::new()
            .name("docking search".to_owned())
            .spawn_scoped(scope, move || {
                // The receiver lives until this scope ends.
                let _ = sender.send(work());
            })
            .map_err(|error| DockingError::Threads(error.to_string()))?;
        loop {
            match receiver.recv_timeout(Duration::from_millis(50)) {
                Ok(result) if state.is_cancelled.load(Ordering::Relaxed) => {
                    drop(result);
                    return Err(DockingError::Cancelled);
                }
                Ok(result) => return Ok(result),
                Err(RecvTimeoutError::Timeout) => {
                    if events.is_cancelled() {
                        state.is_cancelled.store(true, Ordering::Relaxed);
                    }
                    let (before, all) = share;
                    let step = before + state.steps.load(Ordering::Relaxed);
                    report(events, "search", name, step.min(all), all);
                }
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(DockingError::Threads("a search thread ended early".to_owned()));
                }
            }
        }
    })
}

/// The conformers that differ by more than torsions: ring puckers, flipped nitrogens.
fn distinct_frames(tree: &LigandTree, ligand: &SmallMolecule) -> Result<Vec<Frame>, DockingError> {
    let mut frames: Vec<Frame> = Vec::new();
    let most = ligand.conformers.len().div_ceil(2).clamp(*MOST_FRAMES.start(), *MOST_FRAMES.end());
    let mut shapes: Vec<Vec<Vec3A>> = Vec::new();
    let mut placement = Placement::default();
    for positions in &ligand.conformers {
        let positions = aligned(tree, ligand, positions);
        let frame = tree.frame(ligand, &positions)?;
        let mut pose = tree.pose_as_given(&frame);
        if let Some(first) = frames.first() {
            pose.torsions.fill(0.0);
            tree.carry_over(&mut pose, first, &frame);
        }
        tree.place(&frame, &pose, &mut placement);
        let is_known = shapes.iter().any(|shape| largest_distance_change(shape, &placement.coordinates) < SAME_FRAME);
        if !is_known {
            shapes.push(placement.coordinates.clone());
            frames.push(frame);
        }
        if frames.len() == most {
            break;
        }
    }
    if frames.is_empty() { Err(TreeError::NoCoordinates.into()) } else { Ok(frames) }
}

/// The conformer with its root fragment laid on the first conformer's, so that a change of conformer keeps the place.
fn aligned(tree: &LigandTree, ligand: &SmallMolecule, positions: &[Vec3]) -> Vec<Vec3> {
    let root = |positions: &[Vec3]| -> Option<Vec<Vec3>> {
        tree.root_atoms().iter().map(|&atom| positions.get(atom as usize).copied()).collect()
    };
    let superposition = ligand
        .conformers
        .first()
        .and_then(|first| Some((root(positions)?, root(first)?)))
        .and_then(|(mobile, target)| superpose(&mobile, &target));
    match superposition {
        Some(superposition) => positions.iter().map(|&position| superposition.transform.apply(position)).collect(),
        None => positions.to_vec(),
    }
}

fn largest_distance_change(a: &[Vec3A], b: &[Vec3A]) -> f32 {
    let mut largest = 0.0_f32;
    for i in 0..a.len() {
        for j in 0..i {
            largest = largest.max((a[i].distance(a[j]) - b[i].distance(b[j])).abs());
        }
    }
    largest
}

/// Refuses ligands that cannot be inside the box whatever their torsions.
fn check_fit(search_box: &SearchBox, ligand: &SmallMolecule, tree: &LigandTree) -> Result<(), DockingError> {
    let size = search_box.size;
    let too_small = |reason: String, needed: f32| {
        Err(DockingError::BoxTooSmall { size_x: size.x, size_y: size.y, size_z: size.z, reason, needed })
    };
    let Some(positions) = ligand.conformers.first() else { return Ok(()) };
    let longest = tree.longest_rigid_distance(positions);
    if longest > size.length() {
        return too_small(format!("a rigid part of it is {longest:.1} Å long"), longest);
    }
    // Nuclei stay inside, atoms reach out by a radius; 10 Å³ is the least that a heavy atom takes in a molecule.
    let space = (size + 3.4).element_product();
    let volume = 10.0 * tree.heavy().len() as f32;
    if volume > space {
        let needed = volume.cbrt().ceil() + 4.0;
        return too_small(format!("its {} heavy atoms need more space", tree.heavy().len()), needed);
    }
    Ok(())
}

/// The best minima, those of a kind once.
fn distinct_minima(mut minima: Vec<Minimum>, keep: usize) -> Vec<Minimum> {
    minima.sort_by(|a, b| a.energy.total_cmp(&b.energy));
    let mut distinct: Vec<Minimum> = Vec::new();
    for minimum in minima {
        let is_known = distinct.iter().any(|known| {
            mean_squared_distance(&known.coordinates, &minimum.coordinates) < SAME_BEFORE_REFINEMENT.powi(2)
        });
        if !is_known {
            distinct.push(minimum);
        }
        if distinct.len() == keep {
            break;
        }
    }
    distinct
}

struct Refined {
    site: usize,
    energies: Energies,
    positions: Vec<Vec3>,
    side_chains: Vec<(u32, Vec3)>,
}

/// Refines without grids. The energy of side chains counts against that in the receptor's file.
fn refine(
    site: &Site,
    tree: &LigandTree,
    frames: &[Frame],
    minima: &[Minimum],
    tether: Option<&Tether>,
    index: usize,
) -> Vec<Refined> {
    minima
        .par_iter()
        .filter_map(|minimum| {
            let frame = frames.get(minimum.frame)?;
            let mut landscape =
                ExactLandscape::new(tree, frame, site.cells(), site.function()).within(*site.search_box(), tether);
            let mut pose: Pose = minimum.pose.clone();
            let mut minimizer = Minimizer::new(tree.degrees_of_freedom());
            minimizer.minimize(&mut landscape, &mut pose, REFINEMENT_STEPS, |_, _, drop| drop < 1e-4);
            let mut energies = landscape.energies(&pose);
            if site.side_chains().is_some() {
                energies.side_chains -= landscape.energies(&tree.pose_as_given(frame)).side_chains;
            }
            let (positions, side_chains) = landscape.all_positions(&pose);
            Some(Refined { site: index, energies, positions, side_chains })
        })
        .collect()
}

/// Sorts by energy, drops what is near a better pose, keeps what was asked for.
fn select(
    ligand: &SmallMolecule,
    tree: &LigandTree,
    mut refined: Vec<Refined>,
    function: &EmpiricalFunction,
    settings: &DockingSettings,
) -> Vec<DockedPose> {
    refined.retain(|pose| pose.energies.total().is_finite());
    refined.sort_by(|a, b| a.energies.total().total_cmp(&b.energies.total()));
    let mut poses: Vec<DockedPose> = Vec::new();
    let matched = LigandRmsd::new(ligand, ligand);
    let rmsd = |a: &[Vec3], b: &[Vec3]| {
        matched.as_ref().and_then(|matched| matched.rmsd(a, b)).or_else(|| rmsd(a, b)).unwrap_or(f32::INFINITY)
    };
    let Some(reference) = refined.first().map(|best| best.energies) else { return poses };
    for pose in refined {
        let mut rmsds = poses.iter().map(|better| rmsd(&better.molecule.conformers[0], &pose.positions));
        let to_best = rmsds.clone().next().unwrap_or(0.0);
        if rmsds.any(|rmsd| rmsd < settings.min_rmsd) {
            continue;
        }
        let mut score = pose_score(tree, function, pose.energies, reference, to_best);
        score.side_chains_kcal_per_mol = (!pose.side_chains.is_empty()).then_some(pose.energies.side_chains);
        let worst = poses
            .first()
            .map_or(f32::INFINITY, |best| best.score.score_kcal_per_mol + settings.energy_range_kcal_per_mol);
        if score.score_kcal_per_mol > worst {
            break;
        }
        let molecule = SmallMolecule { conformers: vec![pose.positions], ..ligand.clone() };
        let moved_atoms = pose.side_chains.iter().map(|&(atom, place)| (atom, place.to_array())).collect();
        poses.push(DockedPose { molecule, score, site: pose.site, moved_atoms });
        if poses.len() == settings.poses.max(1) as usize {
            break;
        }
    }
    poses
}

/// The score as Vina reports it: the energy inside the ligand and that of flexible side chains count against those of the
/// best pose (`reference`), the torsions divide. A pose scored alone is its own reference.
fn pose_score(
    tree: &LigandTree,
    function: &EmpiricalFunction,
    energies: Energies,
    reference: Energies,
    rmsd_to_best: f32,
) -> PoseScore {
    let within = |energies: Energies| energies.intramolecular + energies.side_chains;
    let relative = energies.intermolecular + within(energies) - within(reference);
    let score = relative * function.torsion_factor(tree.torsion_count());
    let heavy_atoms = tree.heavy().len() as u32;
    PoseScore {
        score_kcal_per_mol: score,
        intermolecular_kcal_per_mol: energies.intermolecular,
        intramolecular_kcal_per_mol: energies.intramolecular,
        side_chains_kcal_per_mol: None,
        rotatable_bonds: tree.ligand_torsions() as u32,
        heavy_atoms,
        ligand_efficiency_kcal_per_mol: score / heavy_atoms.max(1) as f32,
        rmsd_to_best,
        rmsd_to_reference: None,
        cnn: None,
    }
}
