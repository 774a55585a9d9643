//! What the view shows: the structure and model, what lies beside it, and when the scene is built anew.

use std::sync::Arc;

use kfold_inference::query::Pocket;
use kfold_molecule::Structure;
use kfold_molecule::assemblies::Assembly;

use super::app::Studio;
use super::background::{Lane, Loaded};
use super::document::{Backbone, ColourBy};
use super::message::Message;
use super::scene::{Plan, Samples};

/// Samples that are shown together at most.
const MOST_SAMPLES: usize = 25;

impl Studio {
    /// The structure in the view, with the model that is shown.
    pub(super) fn shown_structure(&self) -> Option<(Arc<Structure>, usize)> {
        if let Some((_, Loaded::Ready(ensemble))) = &self.ensemble {
            let last = ensemble.structure.models.len().saturating_sub(1);
            return Some((Arc::clone(&ensemble.structure), self.shown_model.min(last)));
        }
        if let Some(pose) = self.shown_pose() {
            return Some((Arc::clone(&pose.receptor), 0));
        }
        if let Some(complex) = self.shown_complex() {
            return Some((Arc::clone(&complex.structure), 0));
        }
        let path = self.document.query.receptor_file()?;
        Some((Arc::clone(self.library.held_structure(path)?), self.shown_model))
    }

    /// How many atoms of molecules the view shows, copies included.
    #[must_use]
    pub fn drawn_atoms(&self) -> usize {
        self.viewport.point_count()
    }

    /// The assemblies that can be made of what is shown: of a file as it is, not of results.
    pub(super) fn assemblies_in_view(&mut self) -> Arc<Vec<Arc<Assembly>>> {
        let is_result = self.ensemble.is_some() || self.shown_pose().is_some() || self.shown_complex().is_some();
        match self.document.query.receptor_file() {
            Some(path) if !is_result => self.library.assemblies(&self.background, path),
            _ => Arc::default(),
        }
    }

    /// The assembly that is drawn.
    fn assembly_in_view(&mut self) -> Option<Arc<Assembly>> {
        let wanted = self.document.view.assembly.clone()?;
        self.assemblies_in_view().iter().find(|assembly| assembly.id == wanted).cloned()
    }

    /// Samples or models that what is shown is one of.
    pub(super) fn sample_count(&self) -> usize {
        match &self.ensemble {
            Some((_, Loaded::Ready(ensemble))) => ensemble.structure.models.len(),
            Some(_) => 0,
            None => self.outcome.as_ref().map_or(0, |outcome| outcome.complexes.len()),
        }
    }

    /// The samples of a prediction or the models of an ensemble, where they are shown together or told apart by colours.
    fn samples_in_view(&self) -> Samples {
        let view = &self.document.view;
        let are_overlaid = view.overlay && self.playing_since.is_none();
        if !(are_overlaid || view.colour == ColourBy::Sample) || self.sample_count() < 2 {
            return Samples::default();
        }
        let named = |number: usize| self.texts.with("sample-model", [("number", (number + 1).into())]);
        match (&self.ensemble, &self.outcome) {
            (Some((key, Loaded::Ready(ensemble))), _) => {
                let models = 0..ensemble.structure.models.len();
                let all = models.map(|number| (Arc::clone(&ensemble.structure), number, named(number)));
                let mut all: Vec<_> = all.collect();
                let mut shown = self.shown_model;
                // Of a long path, some.
                if all.len() > MOST_SAMPLES {
                    let step = all.len().div_ceil(MOST_SAMPLES);
                    all = all
                        .into_iter()
                        .enumerate()
                        .filter(|(index, _)| index % step == 0)
                        .map(|(_, one)| one)
                        .collect();
                    shown = (shown / step).min(all.len() - 1);
                }
                Samples { all, shown, have_places: key.have_places(), are_overlaid }
            }
            (None, Some(outcome)) => {
                let name = |complex: &super::outcome::Complex| {
                    let values = [("seed", complex.seed.into()), ("sample", complex.sample.into())];
                    self.texts.with("sample-of-seed", values)
                };
                let all = outcome.complexes.iter().map(|one| (Arc::clone(&one.structure), 0, name(one)));
                let all: Vec<_> = all.take(MOST_SAMPLES).collect();
                let shown = self.shown_pose.min(all.len().saturating_sub(1));
                Samples { all, shown, have_places: false, are_overlaid }
            }
            _ => Samples::default(),
        }
    }

    fn plan(&mut self, is_dark: bool) -> Plan {
        let assembly = self.assembly_in_view();
        let query = std::mem::take(&mut self.document.query);
        // Asking makes sure that what is shown is being read.
        if let Some(path) = query.receptor_file() {
            self.library.structure(&self.background, path);
        }
        let search_box = self.search_box(&query);
        let reference = match &query.pocket {
            Some(Pocket::Ligand { file, .. }) => self.library.first_molecule(&self.background, file),
            _ => None,
        };
        let marked = match &query.pocket {
            Some(Pocket::Residues { residues, .. }) => residues.clone(),
            _ => Vec::new(),
        };
        self.document.query = query;
        let is_ensemble = matches!(&self.ensemble, Some((_, Loaded::Ready(_))));
        let fluctuation = match &self.ensemble {
            Some((_, Loaded::Ready(ensemble))) => Some(Arc::clone(&ensemble.rmsf)),
            _ => None,
        };
        let receptor = self.shown_structure();
        let pose = if is_ensemble { None } else { self.shown_pose() };
        let has_plddt = !is_ensemble && self.shown_complex().is_some();
        let residue_values = match &self.ensemble {
            Some((_, Loaded::Ready(ensemble))) if self.document.view.colour == ColourBy::Fluctuation => {
                Some((Arc::clone(&ensemble.rmsf), ensemble.highest_rmsf))
            }
            // Of the first model alone while models play.
            _ if self.document.view.colour == ColourBy::Difference && self.playing_since.is_none() => {
                self.shown_comparison().map(|found| (Arc::clone(&found.differences), found.highest))
            }
            _ => None,
        };
        let compared = self.shown_comparison().filter(|_| self.compare.is_overlaid);
        let compared = compared.map(|found| Arc::clone(&found.moved));
        Plan {
            ligand: pose.map(|pose| Arc::clone(&pose.molecule)),
            interactions: pose
                .map(|pose| Arc::clone(&pose.interactions))
                .or_else(|| Some(Arc::clone(&self.shown_complex()?.ligands.get(self.reading.ligand)?.interactions)))
                .filter(|_| !is_ensemble),
            // A box is of use until there are poses in it.
            search_box: if pose.is_some() || is_ensemble || has_plddt { None } else { search_box },
            reference: if is_ensemble || has_plddt { None } else { reference },
            marked: if pose.is_some() || has_plddt { Vec::new() } else { marked },
            receptor,
            assembly,
            residue_values,
            compared,
            overlay: self.overlaid_poses(),
            samples: self.samples_in_view(),
            fluctuation: fluctuation.filter(|_| self.document.view.backbone == Backbone::PuttyFluctuation),
            is_playing: self.playing_since.is_some(),
            has_plddt,
            view: self.document.view.clone(),
            selection: self.selection(),
            is_dark,
        }
    }

    pub(super) fn update_scene(&mut self, is_dark: bool) {
        if self.scene_is_building {
            return;
        }
        let plan = self.plan(is_dark);
        if self.viewport.plan() == Some(&plan) {
            self.scene_is_current = true;
            return;
        }
        if self.faulty_plan.as_ref() == Some(&plan) {
            return;
        }
        self.scene_is_current = false;
        self.asked_plan = Some(plan.clone());
        let before = self.viewport.plan().cloned();
        self.scene_is_building = self
            .background
            .submit(Lane::Scene, move || Message::SceneBuilt(Box::new(super::scene::build(plan, before.as_ref()))));
    }
}
