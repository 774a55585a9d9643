//! From the minima of the search to the poses that are shown.
//!
//! The search orders its minima by energy, which finds the right pose more often among the first few than as the first.
//! The networks judge them all, and [`crate::engine::PoseScore::confidence`] orders them: GNINA's rule, the mean pose
//! probability (McNutt et al. 2021), with the energy as a second voice.

use std::sync::Arc;

use glam::Vec3;
use kfold_molecule::analysis::ligand_rmsd::LigandRmsd;
use rayon::prelude::*;

use super::{GninaError, Scorer};
use crate::docking::poses::DockedPose;
use crate::settings::DockingSettings;

/// Minima that the networks see for each ligand, at least.
const CANDIDATES: u32 = 20;
/// Least distance between two of them, Å RMSD, where the settings do not ask for less: the networks tell minima apart that are
/// one to the reader of the results.
const CANDIDATE_RMSD: f32 = 1.0;

/// What to search for so that the networks have a choice.
pub(in crate::docking) fn candidate_settings(settings: &DockingSettings) -> DockingSettings {
    DockingSettings {
        poses: settings.poses.max(CANDIDATES),
        min_rmsd: settings.min_rmsd.min(CANDIDATE_RMSD),
        ..settings.clone()
    }
}

/// Scores the poses of one ligand, each in the receptor whose networks `scorer_of` gives, puts the most trusted first and keeps
/// as many, and as far apart, as the settings ask for.
///
/// # Errors
/// When the ligand or a receptor cannot be typed, or no threads can be started.
pub(in crate::docking) fn rank(
    mut poses: Vec<DockedPose>,
    settings: &DockingSettings,
    scorer_of: impl Fn(&DockedPose) -> Result<Arc<Scorer>, GninaError>,
) -> Result<Vec<DockedPose>, GninaError> {
    let Some(ligand) = poses.first().map(|pose| pose.molecule.clone()) else { return Ok(poses) };
    let scorers = poses.iter().map(scorer_of).collect::<Result<Vec<_>, _>>()?;
    let pool = rayon::ThreadPoolBuilder::new().num_threads(settings.threads as usize).build()?;
    let scores = pool.install(|| {
        let score = |(pose, scorer): (&DockedPose, &Arc<Scorer>)| scorer.score(&ligand, &[positions(pose)]);
        poses.par_iter().zip(&scorers).map(score).collect::<Result<Vec<_>, _>>()
    })?;
    for (pose, score) in poses.iter_mut().zip(scores.into_iter().flatten()) {
        pose.score.cnn = Some(score);
    }
    // Stable: equals keep the order of the energies.
    poses.sort_by(|a, b| a.score.better_first(&b.score));
    let matched = LigandRmsd::new(&ligand, &ligand);
    let rmsd = |a: &DockedPose, b: &DockedPose| matched.as_ref()?.rmsd(positions(a), positions(b));
    let mut kept: Vec<DockedPose> = Vec::new();
    for mut pose in poses {
        if kept.iter().any(|better| rmsd(&pose, better).is_some_and(|rmsd| rmsd < settings.min_rmsd)) {
            continue;
        }
        let to_best = kept.first().map_or(Some(0.0), |best| rmsd(&pose, best));
        pose.score.rmsd_to_best = to_best.unwrap_or(pose.score.rmsd_to_best);
        kept.push(pose);
        if kept.len() == settings.poses.max(1) as usize {
            break;
        }
    }
    Ok(kept)
}

fn positions(pose: &DockedPose) -> &[Vec3] {
    pose.molecule.conformers.first().map(Vec::as_slice).unwrap_or_default()
}
