//! The right panel after a prediction by K-Fold: its samples with their confidence, and what is known of each ligand.

use egui::Ui;

use super::app::Studio;
use super::ensemble::EnsembleKey;
use super::format::number;
use super::outcome::{Complex, ComplexLigand, Outcome};
use super::reading::affinities_ui;
use super::results_panel::checks_ui;
use super::theme::GAP;
use super::widgets::table::{Cell, Column, table};
use super::widgets::{Tone, message, note, section};
use crate::texts::Texts;

impl Studio {
    /// The complex in the view.
    pub(super) fn shown_complex(&self) -> Option<&Complex> {
        self.outcome.as_ref()?.complexes.get(self.shown_pose)
    }

    /// Samples, best first, and the shown one's ligands.
    pub(super) fn complexes_ui(&mut self, ui: &mut Ui, texts: &Texts, outcome: &Outcome) {
        section(ui, &texts.get("section-complexes"), |ui| {
            let has_series = outcome.complexes.iter().any(|complex| complex.ligand.is_some());
            let mut columns = vec![
                Column::number("#".to_owned(), texts.get("column-rank-complex-hint"), 0.5),
                Column::number(texts.get("column-seed"), texts.get("column-seed-hint"), 0.9),
                Column::number(texts.get("column-ranking"), texts.get("column-ranking-hint"), 1.0),
                Column::number("pLDDT".to_owned(), texts.get("column-plddt-hint"), 0.9),
                Column::number("ipTM".to_owned(), texts.get("column-iptm-hint"), 0.9),
                Column::number("pTM".to_owned(), texts.get("column-ptm-hint"), 0.9),
            ];
            if has_series {
                columns.push(Column::number(texts.get("column-ligand"), String::new(), 1.2));
            }
            let count = outcome.complexes.len();
            let response = table(ui, "complexes", &columns, count, Some(self.shown_pose), 260.0, |row| {
                let Some(complex) = outcome.complexes.get(row) else { return (Vec::new(), String::new()) };
                let scores = &complex.confidence.complex;
                let clashes = scores.has_clash > 0.0;
                let ranking = number(scores.ranking_score as f32, 3);
                let plddt = number(scores.plddt, 1);
                let iptm = number(scores.iptm, 3);
                let sentence = texts.with(
                    "complex-row",
                    [
                        ("rank", (row + 1).into()),
                        ("ranking", ranking.clone().into()),
                        ("plddt", plddt.clone().into()),
                        ("iptm", iptm.clone().into()),
                    ],
                );
                let mut cells = vec![
                    (row + 1).to_string().into(),
                    format!("{}/{}", complex.seed, complex.sample).into(),
                    Cell { text: ranking, tone: clashes.then_some(Tone::Bad) },
                    plddt.into(),
                    iptm.into(),
                    number(scores.ptm, 3).into(),
                ];
                if has_series {
                    cells.push(complex.ligand.clone().unwrap_or_default().into());
                }
                (cells, sentence)
            });
            if let Some(row) = response.chosen {
                self.shown_pose = row;
            }
            note(ui, &texts.get("complexes-units"));
        });
        self.samples_grid_ui(ui, texts, outcome);
        let Some(complex) = outcome.complexes.get(self.shown_pose) else { return };
        if let Some(path) = &complex.trajectory {
            let is_shown = matches!(&self.ensemble, Some((EnsembleKey::Bridge(held, _), _)) if held == path);
            let (rank, label) = (self.shown_pose, if is_shown { "bridge-hide" } else { "bridge-show" });
            if ui.button(texts.get(label)).clicked() {
                if is_shown { self.show_complex(rank) } else { self.show_bridge(path.clone(), rank + 1) }
            }
            ui.add_space(GAP);
        }
        if complex.confidence.complex.has_clash > 0.0 {
            message(ui, Tone::Warning, &texts.get("complex-clash"));
            ui.add_space(GAP);
        }
        if !complex.ligands.is_empty() {
            let shown = self.reading.ligand.min(complex.ligands.len() - 1);
            let title = texts.get("section-complex-ligands");
            let chosen = section(ui, &title, |ui| ligands_ui(ui, texts, complex, shown));
            self.reading.ligand = chosen.unwrap_or(shown);
            if let Some(ligand) = complex.ligands.get(self.reading.ligand) {
                self.site_ui(ui, texts, &ligand.molecule, &ligand.interactions);
                self.interactions_ui(ui, texts, &ligand.interactions);
                checks_ui(ui, texts, &ligand.record.checks);
            }
        }
        affinities_ui(ui, texts, outcome);
        note(ui, &texts.get("trust-complex"));
    }
}

/// Returns the ligand that was chosen.
fn ligands_ui(ui: &mut Ui, texts: &Texts, complex: &Complex, shown: usize) -> Option<usize> {
    let columns = [
        Column::words(texts.get("column-ligand"), 0.8),
        Column::number("pLDDT".to_owned(), texts.get("column-plddt-hint"), 0.9),
        Column::number("ipTM".to_owned(), texts.get("column-iptm-ligand-hint"), 0.9),
        Column::number(texts.get("column-checks"), texts.get("column-checks-hint"), 0.8),
        Column::number(texts.get("column-docking-score"), texts.get("column-docking-score-hint"), 1.2),
    ];
    let response = table(ui, "complex_ligands", &columns, complex.ligands.len(), Some(shown), 200.0, |row| {
        let Some(ComplexLigand { record, .. }) = complex.ligands.get(row) else { return (Vec::new(), String::new()) };
        let passed = record.checks.iter().filter(|check| check.passed).count();
        let checks = format!("{passed}/{}", record.checks.len());
        let tone =
            (!record.checks.is_empty()).then_some(if passed == record.checks.len() { Tone::Good } else { Tone::Bad });
        let plddt = number(record.plddt, 1);
        let sentence = texts.with(
            "complex-ligand-row",
            [
                ("name", record.chain.clone().into()),
                ("plddt", plddt.clone().into()),
                ("passed", passed.into()),
                ("checks", record.checks.len().into()),
            ],
        );
        let optional = |value: Option<f32>, digits| value.map_or_else(|| "–".to_owned(), |value| number(value, digits));
        let docking = record.docking_score.as_ref().map(|docking| docking.score.score_kcal_per_mol);
        let cells = vec![
            record.chain.clone().into(),
            plddt.into(),
            optional(record.iptm, 3).into(),
            Cell { text: checks, tone },
            optional(docking, 1).into(),
        ];
        (cells, sentence)
    });
    let records = complex.ligands.iter().map(|ligand| &ligand.record);
    for record in records.filter(|record| !record.wrong_stereo.is_empty()) {
        let values = [("name", record.chain.clone().into()), ("atoms", record.wrong_stereo.join(", ").into())];
        message(ui, Tone::Warning, &texts.with("complex-wrong-stereo", values));
    }
    response.chosen
}
