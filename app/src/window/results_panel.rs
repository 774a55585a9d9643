//! The right panel: ligands, poses, what a pose does and whether it is sound, and how far to trust its number.

use egui::{Margin, RichText, ScrollArea, Ui};
use kfold_molecule::analysis::interactions::{Interaction, InteractionKind};
use kfold_molecule::analysis::pose_checks::{CheckUnit, PoseCheck, PoseCheckKind};

use super::app::Studio;
use super::outcome::{Outcome, Pose};
use super::theme::{self, GAP, palette};
use super::widgets::table::{Cell, Column, table};
use super::widgets::{Tone, chip, message, note, section};
use crate::texts::Texts;

impl Studio {
    /// Whether there is a result to show.
    pub(super) fn has_results(&self) -> bool {
        self.outcome.is_some()
    }

    /// The pose in the view.
    pub(super) fn shown_pose(&self) -> Option<&Pose> {
        self.outcome.as_ref()?.ligands.get(self.shown_ligand)?.poses.get(self.shown_pose)
    }

    /// Goes to the pose before or after the shown one.
    pub(super) fn step_pose(&mut self, forward: bool) {
        let Some(outcome) = &self.outcome else { return };
        let count = match outcome.ligands.get(self.shown_ligand) {
            Some(ligand) => ligand.poses.len(),
            None => outcome.complexes.len(),
        };
        let last = count.saturating_sub(1);
        self.shown_pose = if forward { (self.shown_pose + 1).min(last) } else { self.shown_pose.saturating_sub(1) };
        self.leave_ensemble();
    }

    /// Shows the best pose of a ligand.
    pub(super) fn show_ligand(&mut self, ligand: usize) {
        self.shown_ligand = ligand;
        self.shown_pose = 0;
        self.leave_ensemble();
    }

    /// Shows one of K-Fold's samples, by its rank from 0.
    pub(super) fn show_complex(&mut self, rank: usize) {
        self.shown_pose = rank;
        self.leave_ensemble();
    }

    /// The panel's contents.
    pub(super) fn results_panel_ui(&mut self, ui: &mut Ui) {
        let Some(outcome) = self.outcome.clone() else { return };
        let texts = std::sync::Arc::clone(&self.texts);
        ScrollArea::vertical().id_salt("results").auto_shrink([false, false]).show(ui, |ui| {
            egui::Frame::new().inner_margin(Margin { left: 12, right: 12, top: 6, bottom: 12 }).show(ui, |ui| {
                self.results_head_ui(ui, &texts, &outcome);
                if !outcome.complexes.is_empty() {
                    self.complexes_ui(ui, &texts, &outcome);
                    return;
                }
                if outcome.ligands.len() > 1 {
                    self.ligand_choice_ui(ui, &texts, &outcome);
                }
                self.poses_ui(ui, &texts, &outcome);
                if let Some(pose) =
                    outcome.ligands.get(self.shown_ligand).and_then(|ligand| ligand.poses.get(self.shown_pose))
                {
                    trust_ui(ui, &texts, pose);
                    self.site_ui(ui, &texts, &pose.molecule, &pose.interactions);
                    self.interactions_ui(ui, &texts, &pose.interactions);
                    checks_ui(ui, &texts, &pose.checks);
                }
            });
        });
    }

    fn results_head_ui(&mut self, ui: &mut Ui, texts: &Texts, outcome: &Outcome) {
        let colours = palette(ui);
        ui.horizontal(|ui| {
            ui.label(RichText::new(&outcome.query.name).heading());
            if let Some(pose) = outcome.ligands.iter().flat_map(|ligand| &ligand.poses).next() {
                let (engine, provenance) = (pose.engine_text(), &pose.provenance);
                let made = texts.with(
                    "result-provenance",
                    [
                        ("engine", engine.clone().into()),
                        ("seed", provenance.seed.to_string().into()),
                        ("version", provenance.version.clone().into()),
                    ],
                );
                chip(ui, &engine, None).on_hover_text(made);
            }
            if !outcome.complexes.is_empty() {
                chip(ui, outcome.settings.engine.display_name(), None);
            }
        });
        let folder = RichText::new(super::format::path(&outcome.folder)).small().color(colours.text_muted);
        ui.add(egui::Label::new(folder).truncate()).on_hover_text(texts.get("result-folder"));
        if let Some(conformers) = &outcome.conformers {
            let has_poses = outcome.pose_count() > 0;
            if !has_poses {
                // Nothing was docked: what was made, and what to do with it.
                message(ui, Tone::Info, &texts.with("result-conformers", [("count", conformers.models.len().into())]));
            }
            let is_shown = self.ensemble.is_some() && !has_poses;
            let label = if self.ensemble.is_some() { "ensemble-hide" } else { "ensemble-show" };
            if !is_shown && ui.button(texts.get(label)).clicked() {
                if self.ensemble.is_some() { self.leave_ensemble() } else { self.show_conformers() }
            }
        }
        ui.add_space(GAP);
    }

    /// Which ligand of a series is shown; the table of all is a pane of its own.
    fn ligand_choice_ui(&mut self, ui: &mut Ui, texts: &Texts, outcome: &Outcome) {
        let shown = outcome.ligands.get(self.shown_ligand).map(|ligand| ligand.name.clone()).unwrap_or_default();
        let mut chosen = None;
        egui::ComboBox::from_id_salt("ligand of the series")
            .selected_text(shown)
            .width((ui.available_width() - 24.0).clamp(80.0, 320.0))
            .show_ui(ui, |ui| {
                for (index, ligand) in outcome.ligands.iter().enumerate() {
                    if ui.selectable_label(index == self.shown_ligand, &ligand.name).clicked() {
                        chosen = Some(index);
                    }
                }
            })
            .response
            .accessible_name(texts.get("column-ligand"));
        if let Some(index) = chosen {
            self.show_ligand(index);
        }
    }

    fn poses_ui(&mut self, ui: &mut Ui, texts: &Texts, outcome: &Outcome) {
        let Some(ligand) = outcome.ligands.get(self.shown_ligand) else {
            if outcome.conformers.is_none() {
                message(ui, Tone::Info, &texts.get("result-empty"));
            }
            return;
        };
        let described = outcome.query.ligands().find(|entry| entry.ids.contains(&ligand.name));
        let name = match described.and_then(|entry| entry.description.as_ref()) {
            Some(description) => format!("{} ({description})", ligand.name),
            None => ligand.name.clone(),
        };
        let title = texts.with("section-poses", [("name", name.into())]);
        section(ui, &title, |ui| {
            if ligand.poses.is_empty() {
                message(ui, Tone::Warning, &texts.get("poses-none"));
                return;
            }
            let has_reference = ligand.poses.iter().any(|pose| pose.score.rmsd_to_reference.is_some());
            let has_cnn = outcome.has_cnn();
            let mut columns = vec![
                Column::number("#".to_owned(), texts.get("column-rank-hint"), 0.45),
                Column::number(texts.get("column-score"), texts.get("column-score-hint"), 1.0),
                Column::number(texts.get("column-efficiency"), texts.get("column-efficiency-hint"), 0.85),
            ];
            if has_cnn {
                columns.push(Column::number(
                    texts.get("column-probability"),
                    texts.get("column-probability-hint"),
                    0.7,
                ));
                columns.push(Column::number(texts.get("column-pk"), texts.get("column-pk-hint"), 1.45));
            }
            columns.extend([Column::number(texts.get("column-rmsd-best"), texts.get("column-rmsd-best-hint"), 0.85)]);
            if has_reference {
                let explanation = texts.get("column-rmsd-reference-hint");
                columns.push(Column::number(texts.get("column-rmsd-reference"), explanation, 0.85));
            }
            columns.push(Column::number(texts.get("column-checks"), texts.get("column-checks-hint"), 1.25));
            let response = table(ui, "poses", &columns, ligand.poses.len(), Some(self.shown_pose), 260.0, |row| {
                let Some(pose) = ligand.poses.get(row) else { return (Vec::new(), String::new()) };
                let score = super::format::number(pose.score.score_kcal_per_mol, 2);
                let mut cells: Vec<Cell> = vec![
                    (row + 1).to_string().into(),
                    score.clone().into(),
                    super::format::number(pose.score.ligand_efficiency_kcal_per_mol, 2).into(),
                ];
                if has_cnn {
                    let probability = pose.score.cnn.map(|cnn| super::format::number(cnn.pose_probability, 2));
                    cells.push(probability.unwrap_or_else(|| "–".to_owned()).into());
                    cells.push(pk_text(pose).into());
                }
                cells.push(super::format::number(pose.score.rmsd_to_best, 2).into());
                if has_reference {
                    let rmsd = pose.score.rmsd_to_reference;
                    cells.push(rmsd.map_or_else(|| "–".to_owned(), |value| super::format::number(value, 2)).into());
                }
                cells.push(check_cell(pose));
                let sentence = texts.with(
                    "pose-row",
                    [
                        ("rank", (row + 1).into()),
                        ("score", score.into()),
                        ("passed", pose.passed().into()),
                        ("checks", pose.checks.len().into()),
                    ],
                );
                (cells, sentence)
            });
            if let Some(row) = response.chosen {
                self.shown_pose = row;
                self.leave_ensemble();
            }
            note(ui, &texts.get("poses-units"));
        });
    }

    /// The table of interactions; a row goes there and selects.
    pub(super) fn interactions_ui(&mut self, ui: &mut Ui, texts: &Texts, interactions: &[Interaction]) {
        let title = texts.with("section-interactions", [("count", interactions.len().into())]);
        section(ui, &title, |ui| {
            if interactions.is_empty() {
                note(ui, &texts.get("interactions-none"));
                return;
            }
            let columns = [
                Column::words(texts.get("column-kind"), 1.5),
                Column::words(texts.get("column-residue"), 1.1),
                Column::number(texts.get("column-distance"), texts.get("column-distance-hint"), 0.8),
                Column::number(texts.get("column-angle"), texts.get("column-angle-hint"), 0.7),
            ];
            let response = table(ui, "interactions", &columns, interactions.len(), None, 230.0, |row| {
                let Some(found) = interactions.get(row) else { return (Vec::new(), String::new()) };
                let kind = texts.get(interaction_key(found.kind));
                let distance = super::format::number(found.distance, 2);
                let angle =
                    found.angle.map_or_else(|| "–".to_owned(), |angle| super::format::number(angle.to_degrees(), 0));
                let sentence = texts.with(
                    "interaction-row",
                    [
                        ("kind", kind.clone().into()),
                        ("residue", found.residue.clone().into()),
                        ("distance", distance.clone().into()),
                    ],
                );
                (vec![kind.into(), found.residue.clone().into(), distance.into(), angle.into()], sentence)
            });
            if let Some(found) = response.chosen.and_then(|row| interactions.get(row)) {
                self.focus_interaction(found);
            }
        });
    }

    /// Goes to an interaction and selects the receptor's side of it.
    pub(super) fn focus_interaction(&mut self, found: &Interaction) {
        let middle = (found.points[0] + found.points[1]) * 0.5;
        self.viewport.focus_on(middle, 5.0);
        self.select_interaction(found);
    }
}

/// The predicted pK, with the spread of the networks where they predicted it.
#[must_use]
pub fn pk_text(pose: &Pose) -> String {
    let pk = super::format::number(pose.score.predicted_pk(), 1);
    match pose.score.cnn {
        Some(cnn) => format!("{pk} ± {}", super::format::number(cnn.pk_spread, 1)),
        None => pk,
    }
}

/// How many checks a pose passes.
#[must_use]
pub fn check_cell(pose: &Pose) -> Cell {
    checks_cell(pose.passed(), pose.checks.len())
}

/// So many checks passed of all.
#[must_use]
pub fn checks_cell(passed: usize, all: usize) -> Cell {
    if all == 0 {
        return "–".to_owned().into();
    }
    let tone = Some(if passed == all { Tone::Good } else { Tone::Bad });
    Cell { text: format!("{passed}/{all}"), tone }
}

fn trust_ui(ui: &mut Ui, texts: &Texts, pose: &Pose) {
    let colours = palette(ui);
    theme::card(colours).show(ui, |ui| {
        ui.set_width(ui.available_width());
        let key = if pose.passed() == pose.checks.len() { "trust-score" } else { "trust-failed-checks" };
        message(ui, if key == "trust-score" { Tone::Info } else { Tone::Warning }, &texts.get(key));
        let spread = pose.score.cnn.map(|cnn| cnn.pk_spread);
        super::reading::affinity_ui(ui, texts, pose.score.predicted_pk(), spread);
        if pose.score.cnn.is_some() {
            note(ui, &texts.get("trust-cnn"));
        }
        let parts = texts.with(
            "score-parts",
            [
                ("inter", super::format::number(pose.score.intermolecular_kcal_per_mol, 2).into()),
                ("intra", super::format::number(pose.score.intramolecular_kcal_per_mol, 2).into()),
                ("rotatable", pose.score.rotatable_bonds.into()),
            ],
        );
        note(ui, &parts);
    });
    ui.add_space(GAP);
}

/// Checks of a pose: badges of those that fail, and all of them with their numbers.
pub(super) fn checks_ui(ui: &mut Ui, texts: &Texts, checks: &[PoseCheck]) {
    if checks.is_empty() {
        return;
    }
    let passed = checks.iter().filter(|check| check.passed).count();
    let title = texts.with("section-checks", [("passed", passed.into()), ("count", checks.len().into())]);
    section(ui, &title, |ui| {
        ui.horizontal_wrapped(|ui| {
            if passed == checks.len() {
                chip(ui, &texts.get("checks-all-passed"), Some(Tone::Good));
            }
            for check in checks.iter().filter(|check| !check.passed) {
                chip(ui, &texts.get(check_key(check.kind)), Some(Tone::Bad));
            }
        });
        let columns = [
            Column::words(texts.get("column-check"), 2.0),
            Column::number(texts.get("column-value"), String::new(), 0.8),
            Column::number(texts.get("column-limit"), String::new(), 0.8),
            Column::number(String::new(), String::new(), 0.3),
        ];
        table(ui, "checks", &columns, checks.len(), None, 220.0, |row| {
            let Some(check) = checks.get(row) else { return (Vec::new(), String::new()) };
            let name = texts.get(check_key(check.kind));
            let (value, limit) = check_numbers(check);
            let result = Cell { text: String::new(), tone: Some(if check.passed { Tone::Good } else { Tone::Bad }) };
            let key = if check.passed { "check-row-passed" } else { "check-row-failed" };
            let sentence = texts.with(
                key,
                [("name", name.clone().into()), ("value", value.clone().into()), ("limit", limit.clone().into())],
            );
            (vec![name.into(), value.into(), limit.into(), result], sentence)
        });
    });
}

/// A check's value and limit in the unit that fits its kind.
#[must_use]
pub fn check_numbers(check: &PoseCheck) -> (String, String) {
    let is_share = matches!(
        check.kind,
        PoseCheckKind::ProteinOverlap
            | PoseCheckKind::OrganicCofactorOverlap
            | PoseCheckKind::InorganicCofactorOverlap
            | PoseCheckKind::WaterOverlap
    );
    let show = |value: f32| match check.kind.unit() {
        CheckUnit::Count => super::format::number(value, 0),
        CheckUnit::Angstrom => format!("{} Å", super::format::number(value, 2)),
        CheckUnit::KcalPerMol => format!("{} kcal/mol", super::format::number(value, 1)),
        CheckUnit::Fraction if is_share => format!("{} %", super::format::number(value * 100.0, 1)),
        CheckUnit::Fraction => super::format::number(value, 2),
    };
    (show(check.value), show(check.limit))
}

/// Key of an interaction's name.
#[must_use]
pub const fn interaction_key(kind: InteractionKind) -> &'static str {
    match kind {
        InteractionKind::HydrogenBond => "interaction-hydrogen-bond",
        InteractionKind::WaterBridge => "interaction-water-bridge",
        InteractionKind::SaltBridge => "interaction-salt-bridge",
        InteractionKind::PiStacking => "interaction-pi-stacking",
        InteractionKind::CationPi => "interaction-cation-pi",
        InteractionKind::HalogenBond => "interaction-halogen-bond",
        InteractionKind::Hydrophobic => "interaction-hydrophobic",
        InteractionKind::Metal => "interaction-metal",
        InteractionKind::WeakHydrogenBond => "interaction-weak-hydrogen-bond",
        InteractionKind::Clash => "interaction-clash",
    }
}

/// Key of a check's name.
#[must_use]
pub const fn check_key(kind: PoseCheckKind) -> &'static str {
    match kind {
        PoseCheckKind::Sanitisation => "check-sanitisation",
        PoseCheckKind::Formula => "check-formula",
        PoseCheckKind::Connectivity => "check-connectivity",
        PoseCheckKind::TetrahedralStereo => "check-tetrahedral-stereo",
        PoseCheckKind::DoubleBondStereo => "check-double-bond-stereo",
        PoseCheckKind::BondLengths => "check-bond-lengths",
        PoseCheckKind::BondAngles => "check-bond-angles",
        PoseCheckKind::RingPlanarity => "check-ring-planarity",
        PoseCheckKind::DoubleBondPlanarity => "check-double-bond-planarity",
        PoseCheckKind::InternalClash => "check-internal-clash",
        PoseCheckKind::EnergyRatio => "check-energy-ratio",
        PoseCheckKind::Strain => "check-strain",
        PoseCheckKind::ProteinDistance => "check-protein-distance",
        PoseCheckKind::OrganicCofactorDistance => "check-organic-cofactor-distance",
        PoseCheckKind::InorganicCofactorDistance => "check-inorganic-cofactor-distance",
        PoseCheckKind::WaterDistance => "check-water-distance",
        PoseCheckKind::ProteinOverlap => "check-protein-overlap",
        PoseCheckKind::OrganicCofactorOverlap => "check-organic-cofactor-overlap",
        PoseCheckKind::InorganicCofactorOverlap => "check-inorganic-cofactor-overlap",
        PoseCheckKind::WaterOverlap => "check-water-overlap",
    }
}
