//! The engine over queries: reads the files a query names, prepares its ligands and docks them one by one.

use std::sync::Arc;

use glam::Vec3;
use kfold_molecule::analysis::interactions::{LigandSites, ReceptorSites, find_between};
use kfold_molecule::analysis::ligand_rmsd::LigandRmsd;
use kfold_molecule::analysis::pose_checks::{LigandReference, ReceptorSpace, check_against};
use kfold_molecule::chemistry::ChemistryError;
use kfold_molecule::{SmallMolecule, Structure};

use super::gnina::{self, GninaError, Scorer, candidate_settings};
use super::ligand_preparation::{LigandInput, ligands, prepare};
use super::places::{Places, structure};
use super::poses::{DockedPose, dock_ligand};
use super::receptor_notes;
use super::scaffold::common_scaffold;
use super::side_chains::SideChains;
use super::site::{Receptor, Site};
use crate::elastic_network::{self, EnsembleSettings};
use crate::engine::{
    Engine, EngineError, EngineName, Events, Prediction, Progress, Provenance, ReceptorEnsemble, Sample,
    with_moved_atoms,
};
use crate::query::Query;
use crate::settings::{DockingSettings, Settings};

/// Free conformers that the strain of a pose is measured against.
const STRAIN_CONFORMERS: usize = 4;

/// The docking engine.
#[derive(Clone, Copy, Debug, Default)]
pub struct Docking;

impl Engine for Docking {
    fn name(&self) -> EngineName {
        EngineName::Docking
    }

    fn predict(&self, query: &Query, settings: &Settings, events: &mut dyn Events) -> Result<Prediction, EngineError> {
        let has_ligand = query.ligands().next().is_some() || !query.series.is_empty();
        if settings.docking.ensemble_conformers > 0 && !has_ligand {
            // Nothing to dock: the protein's own motion is what is asked for.
            let receptor = Receptor::new(&structure(query)?, &[])?;
            let receptor_ensemble = Some(receptor_ensemble(&receptor, settings, events)?);
            return Ok(Prediction { receptor_ensemble, ..Prediction::default() });
        }
        let ligands = ligands(query)?;
        events.progress(Progress { stage: "prepare".to_owned(), step: 0, steps: 1, message: query.name.clone() });
        let mut campaign = Campaign::new(query, settings, events)?;
        let mut samples = Vec::new();
        let is_series = ligands.len() > 1;
        for ligand in &ligands {
            match campaign.dock(ligand, settings, events) {
                Ok(found) => {
                    events.finished(&found);
                    samples.extend(found);
                }
                Err(EngineError::Input(reason)) if is_series => {
                    events.warning(&format!("ligand {} was not docked: {reason}", ligand.name));
                }
                Err(error) => return Err(error),
            }
        }
        if samples.is_empty() {
            return Err(EngineError::Input("none of the ligands could be docked; see the warnings".to_owned()));
        }
        Ok(Prediction { samples, receptor_ensemble: campaign.receptor_ensemble, ..Prediction::default() })
    }
}

pub(super) fn unsupported(reason: impl Into<String>) -> EngineError {
    EngineError::Unsupported { engine: EngineName::Docking.display_name(), reason: reason.into() }
}

/// Conformers of the receptor by the elastic network.
fn receptor_ensemble(
    receptor: &Receptor,
    settings: &Settings,
    events: &mut dyn Events,
) -> Result<ReceptorEnsemble, EngineError> {
    if events.is_cancelled() {
        return Err(EngineError::Cancelled);
    }
    events.progress(Progress { stage: "ensemble".to_owned(), step: 0, steps: 1, message: String::new() });
    let model =
        receptor.structure.first().ok_or_else(|| EngineError::Input("the structure has no atoms".to_owned()))?;
    let wanted = EnsembleSettings {
        conformers: settings.docking.ensemble_conformers as usize,
        amplitude: settings.docking.ensemble_amplitude,
        seed: settings.seed,
        ..EnsembleSettings::default()
    };
    let ensemble = elastic_network::ensemble(model, &wanted).map_err(|error| EngineError::Input(error.to_string()))?;
    events.progress(Progress { stage: "ensemble".to_owned(), step: 1, steps: 1, message: String::new() });
    Ok(ensemble)
}

/// Where one site stands among those of a campaign.
#[derive(Clone, Copy, Debug)]
struct SiteLabel {
    /// From 1; `None` when the query names the place.
    pocket: Option<u32>,
    /// From 1; `None` when there is but one.
    conformer: Option<u32>,
}

/// Everything that stays while the ligands of a query come and go.
struct Campaign {
    sites: Vec<Site>,
    labels: Vec<SiteLabel>,
    /// The networks at each site; empty where energies alone rank.
    scorers: Vec<Arc<Scorer>>,
    reference: Option<SmallMolecule>,
    receptor_ensemble: Option<ReceptorEnsemble>,
}

impl Campaign {
    fn new(query: &Query, settings: &Settings, events: &mut dyn Events) -> Result<Self, EngineError> {
        let docking = &settings.docking;
        let structure = structure(query)?;
        let model = structure
            .first()
            .ok_or_else(|| EngineError::Input(format!("the structure {:?} has no atoms", structure.name)))?;
        if structure.models.len() > 1 {
            events.warning(&format!("the structure has {} models; docking uses the first", structure.models.len()));
        }
        let places = Places::of(query, model, docking.pockets)?;
        if docking.hold_scaffold && places.reference.is_none() {
            return Err(unsupported(
                "it asks to hold the common scaffold, and no ligand is given whose pose could hold it; give the pocket by a \
                 reference ligand file",
            ));
        }
        let receptor = Arc::new(Receptor::new(&structure, &places.occupants)?);
        for note in receptor_notes::notes(model, &places.occupants, &receptor, &places.boxes) {
            events.warning(&note);
        }

        let mut receptors = vec![Arc::clone(&receptor)];
        let mut ensemble = None;
        if docking.ensemble_conformers > 0 {
            match receptor_ensemble(&receptor, settings, events) {
                Ok(made) => {
                    if docking.dock_into_ensemble {
                        for model in &made.structure.models[1..] {
                            receptors.push(Arc::new(receptor.with_positions(&model.positions)?));
                        }
                    }
                    ensemble = Some(made);
                }
                // Conformers on the side are no reason to give up; conformers to dock into are.
                Err(EngineError::Input(reason)) if !docking.dock_into_ensemble => {
                    events.warning(&format!("no conformers of the receptor: {reason}"));
                }
                Err(error) => return Err(error),
            }
        }
        let mut sites = Vec::new();
        let mut labels = Vec::new();
        let mut scorers = Vec::new();
        for (conformer, receptor) in receptors.iter().enumerate() {
            let scorer = docking.cnn.then(|| Scorer::new(receptor)).transpose();
            let scorer = scorer.map_err(|error| EngineError::Input(error.to_string()))?.map(Arc::new);
            for (pocket, search_box) in places.boxes.iter().enumerate() {
                let site = Site::new(Arc::clone(receptor), *search_box, docking.scoring)?;
                let side_chains = side_chains(receptor, &places, *search_box, docking)?;
                sites.push(site.with_side_chains(side_chains)?);
                scorers.extend(scorer.clone());
                labels.push(SiteLabel {
                    pocket: places.are_found.then_some(pocket as u32 + 1),
                    conformer: (receptors.len() > 1).then_some(conformer as u32 + 1),
                });
            }
        }
        Ok(Self { sites, labels, scorers, reference: places.reference, receptor_ensemble: ensemble })
    }

    fn dock(
        &mut self,
        input: &LigandInput<'_>,
        settings: &Settings,
        events: &mut dyn Events,
    ) -> Result<Vec<Sample>, EngineError> {
        let (ligand, notes) = prepare(input, settings.seed, events)?;
        for note in notes {
            events.warning(&format!("ligand {}: {note}", input.name));
        }
        let failed = |error: &dyn std::fmt::Display| EngineError::Input(format!("ligand {}: {error}", input.name));
        let mut held = Vec::new();
        if let (true, Some(reference)) = (settings.docking.hold_scaffold, &self.reference) {
            held = common_scaffold(&ligand, reference).map_err(|error| failed(&error))?;
        }
        let (poses, method) = self.ranked_poses(&ligand, &held, settings, events)?;
        let steps = poses.len() as u64;
        let sites = LigandSites::new(&ligand).map_err(|error| failed(&error))?;
        let bounds = LigandReference::new(&ligand)
            .and_then(|bounds| {
                bounds.with_energies(&ligand, settings.seed, STRAIN_CONFORMERS, &|| events.is_cancelled())
            })
            .map_err(|error| match error {
                ChemistryError::Cancelled => EngineError::Cancelled,
                other => failed(&other),
            })?;
        let to_reference = self
            .reference
            .as_ref()
            .and_then(|reference| Some((LigandRmsd::new(&ligand, reference)?, reference.conformers.first()?)));
        let provenance = Provenance {
            engine: EngineName::Docking,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            seed: settings.seed,
            scoring: method,
        };
        let receptors: Vec<Arc<Structure>> = poses
            .iter()
            .map(|pose| with_moved_atoms(&self.sites[pose.site].receptor().structure, &pose.moved_atoms))
            .collect();
        // What is known of a receptor serves all poses in it.
        let mut walls: Vec<(&Arc<Structure>, ReceptorSites<'_>, ReceptorSpace)> = Vec::new();
        let mut samples = Vec::with_capacity(poses.len());
        for (index, DockedPose { molecule, mut score, site, moved_atoms }) in poses.into_iter().enumerate() {
            if events.is_cancelled() {
                return Err(EngineError::Cancelled);
            }
            let message = input.name.clone();
            events.progress(Progress { stage: "check".to_owned(), step: index as u64, steps, message });
            let positions = molecule.conformers.first().map(Vec::as_slice).unwrap_or_default();
            score.rmsd_to_reference =
                to_reference.as_ref().and_then(|(matched, reference)| matched.rmsd(positions, reference));
            let receptor = &receptors[index];
            if let (None, Some(model)) = (known(&walls, receptor), receptor.first()) {
                walls.push((receptor, ReceptorSites::new(model), ReceptorSpace::new(model)));
            }
            let (interactions, checks) = known(&walls, receptor).map_or_else(Default::default, |(_, walls, space)| {
                (find_between(walls, &sites, positions), check_against(space, &bounds, positions))
            });
            samples.push(Sample {
                provenance: provenance.clone(),
                rank: index as u32 + 1,
                ligand_name: input.name.clone(),
                pocket: self.labels[site].pocket,
                conformer: self.labels[site].conformer,
                receptor: Arc::clone(&self.sites[site].receptor().structure),
                moved_atoms,
                interactions,
                checks,
                pose: molecule,
                score,
                measured_pk: input.measured_pk,
            });
        }
        Ok(samples)
    }

    /// The poses of a ligand, best first, and what ranked them: the networks where there are any and they know the ligand.
    fn ranked_poses(
        &mut self,
        ligand: &SmallMolecule,
        held: &[Vec<(u32, Vec3)>],
        settings: &Settings,
        events: &mut dyn Events,
    ) -> Result<(Vec<DockedPose>, String), EngineError> {
        let docking = &settings.docking;
        if self.scorers.is_empty() {
            let poses = dock_ligand(&mut self.sites, ligand, held, docking, settings.seed, events)?;
            return Ok((poses, docking.method_name()));
        }
        let wanted = candidate_settings(docking);
        let candidates = dock_ligand(&mut self.sites, ligand, held, &wanted, settings.seed, events)?;
        events.progress(Progress { stage: "score".to_owned(), step: 0, steps: 1, message: ligand.name.clone() });
        match gnina::rank(candidates.clone(), docking, |pose| self.scorer_of(pose)) {
            Ok(poses) => Ok((poses, docking.method_name())),
            Err(GninaError::Ligand(reason)) => {
                events.warning(&format!(
                    "ligand {}: the networks cannot judge it, so energies rank it: {reason}",
                    ligand.name
                ));
                let without = DockingSettings { cnn: false, ..docking.clone() };
                let poses = candidates.into_iter().take(docking.poses as usize).collect();
                Ok((poses, without.method_name()))
            }
            Err(error) => Err(EngineError::Input(format!("ligand {}: {error}", ligand.name))),
        }
    }

    /// The networks in the receptor of a pose, its side chains where the pose has them.
    fn scorer_of(&self, pose: &DockedPose) -> Result<Arc<Scorer>, GninaError> {
        let receptor = self.sites[pose.site].receptor();
        let moved = with_moved_atoms(&receptor.structure, &pose.moved_atoms);
        match moved.first() {
            Some(model) if !pose.moved_atoms.is_empty() => {
                Scorer::new(&receptor.with_positions(&model.positions)?).map(Arc::new)
            }
            _ => Ok(Arc::clone(&self.scorers[pose.site])),
        }
    }
}

/// What was looked up for this very receptor.
fn known<'a, 'b, A, B>(
    looked_up: &'b [(&'a Arc<Structure>, A, B)],
    receptor: &Arc<Structure>,
) -> Option<&'b (&'a Arc<Structure>, A, B)> {
    looked_up.iter().find(|(known, ..)| Arc::ptr_eq(known, receptor))
}

/// The side chains that the settings let turn: those they name, and those near the reference ligand or the box's middle.
fn side_chains(
    receptor: &Receptor,
    places: &Places,
    search_box: super::SearchBox,
    settings: &DockingSettings,
) -> Result<SideChains, EngineError> {
    let input = |error: &dyn std::fmt::Display| EngineError::Input(error.to_string());
    let Some(model) = receptor.structure.first() else { return Ok(SideChains::default()) };
    let mut residues = SideChains::named(model, &settings.flexible).map_err(|error| input(&error))?;
    if settings.flexible_within > 0.0 {
        let reference = places.reference.as_ref().and_then(|reference| reference.conformers.first());
        let points = reference.cloned().unwrap_or_else(|| vec![search_box.center]);
        residues.extend(SideChains::near(model, &points, settings.flexible_within));
    }
    SideChains::new(model, receptor.typed(), &residues).map_err(|error| input(&error))
}
