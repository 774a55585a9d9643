//! One page about a result: pictures, numbers, settings and where everything comes from. The window and the command line make it
//! by the same way, as HTML that needs no other file, as PDF, and as JSON.
//!
//! [`Report::of`] gathers the words and pictures from an [`Outcome`]; numbers have the digits of the window's tables. What a
//! report says of trust stands beside the numbers that it is about.

mod html;
mod page;
pub mod pdf;

use std::path::Path;
use std::sync::Arc;

use glam::vec2;
use kfold_inference::job::events::EventReader;
use kfold_molecule::analysis::interactions::Interaction;
use kfold_molecule::analysis::pose_checks::PoseCheck;
use kfold_molecule::chemistry::{depict, describe};
use kfold_molecule::{SmallMolecule, Structure};
use kfold_viewer::PLDDT_BANDS;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::drawing::plots::{self, Point};
use crate::drawing::{Drawing, Ink, Pixels, formula};
use crate::texts::Texts;
use crate::window::format::number;
use crate::window::outcome::{Complex, LigandOutcome, Outcome, Pose};
use crate::window::reading::{
    MapKind, Maps, TYPICAL_PK_ERROR, concentration_text, mean_and_spread, residue_means, site_diagram,
};
use crate::window::results_panel::{check_key, check_numbers, interaction_key, pk_text};
use crate::window::series::entries::Entry;

/// Rows of a table at most; the rest is in the files of the run.
const MOST_ROWS: usize = 24;
/// Largest input whose hash is given, bytes.
const LARGEST_INPUT: u64 = 1 << 28;

/// A table.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Table {
    /// What it lists.
    pub title: String,
    /// Heads of the columns, with units.
    pub head: Vec<String>,
    /// Cells, row by row.
    pub rows: Vec<Vec<String>>,
    /// Columns that stand left, from the first; the others are numbers.
    pub words: usize,
    /// What one has to know to read it.
    pub note: String,
}

/// A picture with a title.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    /// What it shows.
    pub title: String,
    /// The picture.
    pub drawing: Drawing,
}

/// A page about a result.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// The query's name.
    pub title: String,
    /// What it was made with: engine, seeds.
    pub subtitle: String,
    /// BCP 47 code of its language.
    pub language: &'static str,
    /// How far to trust what follows.
    pub trust: Vec<String>,
    /// The view.
    #[serde(skip)]
    pub picture: Option<Arc<Pixels>>,
    /// Formula, site, plots.
    #[serde(skip)]
    pub figures: Vec<Figure>,
    /// Numbers.
    pub tables: Vec<Table>,
    /// Settings by name, as files have them.
    pub settings: Vec<(String, String)>,
    /// Where it comes from.
    pub provenance: Vec<(String, String)>,
    /// Titles of the two lists above and of the picture.
    #[serde(skip)]
    pub titles: [String; 3],
}

impl Report {
    /// Gathers a report. `ligand` and `pose` choose what is shown in detail, as in the window; `picture` is the view.
    #[must_use]
    pub fn of(outcome: &Outcome, ligand: usize, pose: usize, picture: Option<Arc<Pixels>>, texts: &Texts) -> Self {
        let mut report = Self {
            title: outcome.query.name.clone(),
            subtitle: subtitle(outcome, texts),
            language: texts.language().code(),
            trust: Vec::new(),
            picture,
            figures: Vec::new(),
            tables: Vec::new(),
            settings: settings(outcome),
            provenance: provenance(outcome, texts),
            titles: ["report-settings", "report-provenance", "report-picture"].map(|key| texts.get(key)),
        };
        if let Some(complex) = outcome.complexes.get(pose) {
            report.add_complex(outcome, complex, ligand, texts);
        } else {
            report.add_docking(outcome, ligand, pose, texts);
        }
        report
    }

    /// The page as HTML that needs no other file.
    #[must_use]
    pub fn to_html(&self) -> String {
        html::page(self)
    }

    /// The page as PDF.
    ///
    /// # Errors
    /// When the font cannot be embedded.
    pub fn to_pdf(&self) -> Result<Vec<u8>, pdf::PdfError> {
        pdf::write(&self.title, self.language, &[page::page(self)])
    }

    fn add_complex(&mut self, outcome: &Outcome, complex: &Complex, ligand: usize, texts: &Texts) {
        self.trust.push(texts.get("trust-complex"));
        self.tables.push(samples_table(outcome, texts));
        if let Some(table) = complex_ligands_table(complex, texts) {
            self.tables.push(table);
        }
        if let Some(found) = complex.ligands.get(ligand).or(complex.ligands.first()) {
            if !found.record.wrong_stereo.is_empty() {
                let values = [
                    ("name", found.record.chain.clone().into()),
                    ("atoms", found.record.wrong_stereo.join(", ").into()),
                ];
                self.trust.push(texts.with("complex-wrong-stereo", values));
            }
            self.add_site(&found.molecule, &found.interactions, &found.record.checks, texts);
        }
        if !outcome.affinities.is_empty() {
            let values: Vec<f32> = outcome.affinities.iter().map(|(_, found)| found.p_activity).collect();
            let (mean, spread) = mean_and_spread(&values);
            self.trust.push(affinity_sentence(mean, spread, texts));
        }
        self.add_confidence(complex, texts);
    }

    fn add_confidence(&mut self, complex: &Complex, texts: &Texts) {
        if let Some(drawing) = plddt_plot(&complex.structure, texts) {
            self.figures.push(Figure { title: texts.get("section-plddt"), drawing });
        }
        let maps = complex.arrays.as_ref().zip(complex.structure.first());
        if let Some(Ok(maps)) = maps.map(|(path, model)| Maps::read(path, model)) {
            let (aligned, scored) = (texts.get("errors-aligned-on"), texts.get("errors-scored"));
            let name = texts.get("errors-map-pae");
            let drawing = maps.of(MapKind::Aligned).drawing(170.0, (&aligned, &scored), &name);
            self.figures.push(Figure { title: name, drawing });
        }
    }

    fn add_docking(&mut self, outcome: &Outcome, ligand: usize, pose: usize, texts: &Texts) {
        if outcome.ligands.len() > 1 {
            self.tables.push(series_table(outcome, texts));
            self.add_comparison(outcome, texts);
        }
        let Some(chosen) = outcome.ligands.get(ligand) else { return };
        let Some(shown) = chosen.poses.get(pose).or(chosen.poses.first()) else { return };
        let passes = shown.passed() == shown.checks.len();
        self.trust.push(texts.get(if passes { "trust-score" } else { "trust-failed-checks" }));
        self.trust.push(affinity_sentence(shown.score.predicted_pk(), shown.score.cnn.map(|cnn| cnn.pk_spread), texts));
        self.tables.push(poses_table(chosen, outcome.has_cnn(), texts));
        if let Some(table) = ligand_table(&shown.molecule, texts) {
            self.tables.push(table);
        }
        self.add_site(&shown.molecule, &shown.interactions, &shown.checks, texts);
    }

    fn add_comparison(&mut self, outcome: &Outcome, texts: &Texts) {
        let Some(found) = outcome.comparison() else { return };
        self.trust.push(comparison_sentence(&found, texts));
        let entries = outcome.entries();
        let point = |entry: &Entry<'_>| {
            Some(Point { x: entry.measured_pk?, y: entry.predicted_pk?, name: entry.name.to_owned() })
        };
        let points: Vec<Point> = entries.iter().filter_map(point).collect();
        let (x, y, title) = (texts.get("axis-measured"), texts.get("axis-predicted"), texts.get("series-plot"));
        if let Some(drawing) = plots::scatter(vec2(260.0, 200.0), &points, (&x, &y), true, &title) {
            self.figures.push(Figure { title, drawing });
        }
    }

    fn add_site(
        &mut self,
        molecule: &SmallMolecule,
        interactions: &[Interaction],
        checks: &[PoseCheck],
        texts: &Texts,
    ) {
        match site_diagram(texts, molecule, interactions) {
            Ok(made) if !made.contacts.is_empty() => {
                self.figures.push(Figure { title: texts.get("section-site"), drawing: made.drawing });
            }
            _ => {
                if let Ok(depiction) = depict::layout(molecule) {
                    let drawing = formula::picture(&depiction, vec2(240.0, 160.0), 24.0, &molecule.name);
                    self.figures.push(Figure { title: texts.get("report-formula"), drawing });
                }
            }
        }
        if !interactions.is_empty() {
            self.tables.push(interactions_table(interactions, texts));
        }
        if !checks.is_empty() {
            self.tables.push(checks_table(checks, texts));
        }
    }
}

fn subtitle(outcome: &Outcome, texts: &Texts) -> String {
    let seeds: Vec<String> = outcome.settings.seeds.iter().map(u64::to_string).collect();
    texts.with("report-subtitle", [("engine", outcome.engine_text().into()), ("seeds", seeds.join(", ").into())])
}

/// What a predicted pK is worth, in a sentence with its unit, its spread and a concentration.
fn affinity_sentence(pk: f32, spread: Option<f32>, texts: &Texts) -> String {
    let value = match spread {
        Some(spread) => format!("{} ± {}", number(pk, 1), number(spread, 1)),
        None => number(pk, 1),
    };
    let error = spread.unwrap_or(0.0).max(TYPICAL_PK_ERROR);
    texts.with(
        "affinity-text",
        [
            ("value", value.into()),
            ("middle", concentration_text(pk).into()),
            ("error", number(error, 1).into()),
            ("strong", concentration_text(pk + error).into()),
            ("weak", concentration_text(pk - error).into()),
        ],
    )
}

/// How well predicted values follow measured ones, the number of heavy atoms beside them.
#[must_use]
pub fn comparison_sentence(found: &kfold_inference::statistics::Comparison, texts: &Texts) -> String {
    let show = |value: f32| number(value, 2);
    let heavy = found.heavy_atoms.map_or_else(|| "–".to_owned(), |found| show(found.spearman));
    let interval = found.prediction.spearman_interval;
    let interval = interval.map_or_else(|| "–".to_owned(), |(low, high)| format!("{}…{}", show(low), show(high)));
    texts.with(
        "series-correlation",
        [
            ("count", found.count.into()),
            ("spearman", show(found.prediction.spearman).into()),
            ("interval", interval.into()),
            ("pearson", show(found.prediction.pearson).into()),
            ("kendall", show(found.prediction.kendall).into()),
            ("heavy", heavy.into()),
        ],
    )
}

fn optional(value: Option<f32>, digits: usize) -> String {
    value.map_or_else(|| "–".to_owned(), |value| number(value, digits))
}

fn checks_text(checks: &[PoseCheck]) -> String {
    if checks.is_empty() {
        return "–".to_owned();
    }
    format!("{}/{}", checks.iter().filter(|check| check.passed).count(), checks.len())
}

fn table(title: String, head: Vec<String>, words: usize, rows: Vec<Vec<String>>, texts: &Texts) -> Table {
    let left = rows.len().saturating_sub(MOST_ROWS);
    let note = if left > 0 { texts.with("report-more", [("count", left.into())]) } else { String::new() };
    Table { title, head, words, rows: rows.into_iter().take(MOST_ROWS).collect(), note }
}

fn samples_table(outcome: &Outcome, texts: &Texts) -> Table {
    let is_series = outcome.complexes.iter().any(|complex| complex.ligand.is_some());
    let rows = outcome.complexes.iter().enumerate().map(|(rank, complex)| {
        let scores = &complex.confidence.complex;
        let mut row = vec![
            (rank + 1).to_string(),
            format!("{}/{}", complex.seed, complex.sample),
            number(scores.ranking_score as f32, 3),
            number(scores.plddt, 1),
            number(scores.iptm, 3),
            number(scores.ptm, 3),
        ];
        if is_series {
            row.push(complex.ligand.clone().unwrap_or_default());
        }
        row
    });
    let head = ["#".to_owned(), texts.get("column-seed"), texts.get("column-ranking")];
    let head = head.into_iter().chain(["pLDDT", "ipTM", "pTM"].map(str::to_owned));
    let head = head.chain(is_series.then(|| texts.get("column-ligand"))).collect();
    let mut made = table(texts.get("section-complexes"), head, 0, rows.collect(), texts);
    if made.note.is_empty() {
        made.note = texts.get("complexes-units");
    }
    made
}

fn complex_ligands_table(complex: &Complex, texts: &Texts) -> Option<Table> {
    let rows: Vec<Vec<String>> = complex
        .ligands
        .iter()
        .map(|ligand| {
            let record = &ligand.record;
            let docking = record.docking_score.as_ref().map(|docking| docking.score.score_kcal_per_mol);
            vec![
                record.chain.clone(),
                number(record.plddt, 1),
                optional(record.iptm, 3),
                checks_text(&record.checks),
                optional(docking, 1),
            ]
        })
        .collect();
    let head = vec![
        texts.get("column-ligand"),
        "pLDDT".to_owned(),
        "ipTM".to_owned(),
        texts.get("column-checks"),
        texts.get("column-docking-score"),
    ];
    (!rows.is_empty()).then(|| table(texts.get("section-complex-ligands"), head, 1, rows, texts))
}

fn pose_cells(pose: &Pose, has_cnn: bool) -> Vec<String> {
    let mut cells =
        vec![number(pose.score.score_kcal_per_mol, 2), number(pose.score.ligand_efficiency_kcal_per_mol, 2)];
    if has_cnn {
        cells.push(optional(pose.score.cnn.map(|cnn| cnn.pose_probability), 2));
    }
    cells.push(pk_text(pose));
    cells
}

fn pose_head(has_cnn: bool, texts: &Texts) -> Vec<String> {
    let mut head = vec![texts.get("column-score"), texts.get("column-efficiency")];
    if has_cnn {
        head.push(texts.get("column-probability"));
    }
    head.push(texts.get("column-pk"));
    head
}

fn poses_table(ligand: &LigandOutcome, has_cnn: bool, texts: &Texts) -> Table {
    let has_reference = ligand.poses.iter().any(|pose| pose.score.rmsd_to_reference.is_some());
    let mut head = vec!["#".to_owned()];
    head.extend(pose_head(has_cnn, texts));
    head.push(texts.get("column-rmsd-best"));
    if has_reference {
        head.push(texts.get("column-rmsd-reference"));
    }
    head.push(texts.get("column-checks"));
    let rows = ligand.poses.iter().enumerate().map(|(index, pose)| {
        let mut cells = vec![(index + 1).to_string()];
        cells.extend(pose_cells(pose, has_cnn));
        cells.push(number(pose.score.rmsd_to_best, 2));
        if has_reference {
            cells.push(optional(pose.score.rmsd_to_reference, 2));
        }
        cells.push(checks_text(&pose.checks));
        cells
    });
    let title = texts.with("section-poses", [("name", ligand.name.clone().into())]);
    let mut made = table(title, head, 0, rows.collect(), texts);
    if made.note.is_empty() {
        made.note = texts.get("poses-units");
    }
    made
}

fn series_table(outcome: &Outcome, texts: &Texts) -> Table {
    let has_cnn = outcome.has_cnn();
    let mut head = vec![texts.get("column-ligand")];
    head.extend(pose_head(has_cnn, texts));
    head.extend([texts.get("column-measured"), texts.get("column-checks")]);
    let mut ligands: Vec<&LigandOutcome> = outcome.ligands.iter().collect();
    let pk = |ligand: &LigandOutcome| ligand.poses.first().map_or(f32::NEG_INFINITY, |pose| pose.score.predicted_pk());
    ligands.sort_by(|a, b| pk(b).total_cmp(&pk(a)));
    let rows = ligands.into_iter().filter_map(|ligand| {
        let best = ligand.poses.first()?;
        let mut cells = vec![ligand.name.clone()];
        cells.extend(pose_cells(best, has_cnn));
        cells.extend([optional(ligand.measured_pk, 2), checks_text(&best.checks)]);
        Some(cells)
    });
    table(texts.get("section-series"), head, 1, rows.collect(), texts)
}

fn ligand_table(molecule: &SmallMolecule, texts: &Texts) -> Option<Table> {
    let found = describe(molecule).ok()?;
    let whole = |value: u32| value.to_string();
    let keys = [
        "property-formula",
        "property-weight",
        "property-log-p",
        "property-tpsa",
        "property-donors",
        "property-acceptors",
        "property-rotatable",
        "property-qed",
    ];
    let values = [
        found.formula,
        number(found.molecular_weight as f32, 1),
        number(found.log_p as f32, 2),
        number(found.tpsa as f32, 1),
        whole(found.donors),
        whole(found.acceptors),
        whole(found.rotatable_bonds),
        number(found.qed as f32, 2),
    ];
    // Two properties a row: all in one row are wider than half a sheet.
    let half = keys.len() / 2;
    let cell = |index: usize| [texts.get(keys[index]), values[index].clone()];
    let rows = (0..half).map(|index| [cell(index), cell(index + half)].concat()).collect();
    let value = texts.get("column-value");
    let head = vec![String::new(), value.clone(), String::new(), value];
    Some(table(texts.get("report-properties"), head, 1, rows, texts))
}

fn interactions_table(interactions: &[Interaction], texts: &Texts) -> Table {
    let mut found: Vec<&Interaction> = interactions.iter().collect();
    found.sort_by(|a, b| (a.kind, &a.residue).cmp(&(b.kind, &b.residue)).then(a.distance.total_cmp(&b.distance)));
    let rows = found.into_iter().map(|found| {
        let angle = found.angle.map(f32::to_degrees);
        vec![
            texts.get(interaction_key(found.kind)),
            found.residue.clone(),
            number(found.distance, 2),
            optional(angle, 0),
        ]
    });
    let head = ["column-kind", "column-residue", "column-distance", "column-angle"].map(|key| texts.get(key));
    let title = texts.with("section-interactions", [("count", interactions.len().into())]);
    table(title, head.to_vec(), 2, rows.collect(), texts)
}

fn checks_table(checks: &[PoseCheck], texts: &Texts) -> Table {
    let passed = checks.iter().filter(|check| check.passed).count();
    let rows = checks.iter().map(|check| {
        let (value, limit) = check_numbers(check);
        let key = if check.passed { "report-passed" } else { "report-failed" };
        vec![texts.get(check_key(check.kind)), value, limit, texts.get(key)]
    });
    let mut head = ["column-check", "column-value", "column-limit"].map(|key| texts.get(key)).to_vec();
    head.push(String::new());
    let values = [("passed", passed.into()), ("count", checks.len().into())];
    table(texts.with("section-checks", values), head, 1, rows.collect(), texts)
}

fn plddt_plot(structure: &Structure, texts: &Texts) -> Option<Drawing> {
    let model = structure.first()?;
    let means = residue_means(model);
    let (mut values, mut breaks, mut chain) = (Vec::new(), Vec::new(), None);
    for (residue, mean) in model.topology.residues.iter().zip(means).filter(|(residue, _)| residue.is_polymer()) {
        if chain.is_some_and(|held| held != residue.chain) {
            breaks.push(values.len());
        }
        chain = Some(residue.chain);
        values.push(mean);
    }
    let mut bands = Vec::new();
    for (index, (low, color)) in PLDDT_BANDS.iter().enumerate() {
        let high = if index == 0 { 100.0 } else { PLDDT_BANDS[index - 1].0 };
        bands.push((low.max(0.0), high, Ink::from(*color)));
    }
    let axes = (texts.get("axis-residue"), texts.get("plddt-axis"));
    let size = vec2(260.0, 150.0);
    (values.len() > 1).then(|| plots::along_sequence(size, &values, (0.0, 100.0), (&axes.0, &axes.1), &bands, &breaks))
}

/// The engine's settings as flat names and values.
fn settings(outcome: &Outcome) -> Vec<(String, String)> {
    use kfold_inference::engine::EngineName;
    let value = match outcome.settings.engine {
        EngineName::Docking => serde_json::to_value(&outcome.settings.docking),
        EngineName::KFold => serde_json::to_value(&outcome.settings.kfold),
    };
    let mut flat = Vec::new();
    if let Ok(value) = value {
        flatten(outcome.settings.engine.name(), &value, &mut flat);
    }
    flat
}

fn flatten(name: &str, value: &serde_json::Value, into: &mut Vec<(String, String)>) {
    match value {
        serde_json::Value::Object(fields) => {
            for (key, value) in fields {
                flatten(&format!("{name}.{key}"), value, into);
            }
        }
        serde_json::Value::String(text) => into.push((name.to_owned(), text.clone())),
        serde_json::Value::Null => {}
        serde_json::Value::Array(list) if list.is_empty() => {}
        other => into.push((name.to_owned(), other.to_string())),
    }
}

fn provenance(outcome: &Outcome, texts: &Texts) -> Vec<(String, String)> {
    let program = format!("K-Fold Studio {}", env!("CARGO_PKG_VERSION"));
    let mut list = vec![
        (texts.get("provenance-program"), program),
        (texts.get("provenance-engine"), outcome.engine_text()),
        (
            texts.get("provenance-seeds"),
            outcome.settings.seeds.iter().map(u64::to_string).collect::<Vec<_>>().join(", "),
        ),
    ];
    let events = EventReader::new(outcome.folder.join("events.jsonl")).read_new().unwrap_or_default();
    if let Some(event) = events.last() {
        list.push((texts.get("provenance-finished"), utc(event.time)));
    }
    let mut inputs: Vec<std::path::PathBuf> =
        outcome.query.files().into_iter().map(|(_, path)| path.to_owned()).collect();
    inputs.sort();
    inputs.dedup();
    inputs.push(outcome.folder.join("query.json"));
    for path in inputs {
        if let Some(hash) = hash(&path) {
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            list.push((name, format!("SHA-256 {hash}")));
        }
    }
    list
}

fn hash(path: &Path) -> Option<String> {
    if std::fs::metadata(path).ok()?.len() > LARGEST_INPUT {
        return None;
    }
    let digest = Sha256::digest(std::fs::read(path).ok()?);
    Some(digest.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Seconds since 1970 as `2026-11-24 13:05 UTC`. Source: Hinnant, chrono-compatible low-level date algorithms, civil_from_days.
fn utc(seconds: f64) -> String {
    let seconds = seconds.max(0.0) as i64;
    let (days, rest) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02} {:02}:{:02} UTC", rest / 3_600, rest % 3_600 / 60)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::texts::Language;

    fn report() -> Report {
        let texts = Texts::new(Language::Korean);
        let rows = (0..40).map(|row| vec![format!("<b>{row}</b>"), number(row as f32, 2)]).collect();
        let one = table("표".to_owned(), vec!["이름".into(), "kcal/mol".into()], 1, rows, &texts);
        Report {
            title: "a & b".into(),
            subtitle: "docking".into(),
            language: "ko",
            trust: vec!["추정값이에요".into()],
            picture: Some(Arc::new(Pixels { width: 2, height: 1, rgb: vec![0, 0, 0, 255, 255, 255] })),
            figures: (0..3)
                .map(|index| Figure {
                    title: format!("figure {index}"),
                    drawing: Drawing { size: vec2(260.0, 200.0), ..Drawing::default() },
                })
                .collect(),
            tables: vec![one; 5],
            settings: (0..40).map(|index| (format!("docking.setting_{index}"), "1".into())).collect(),
            provenance: vec![("query.json".into(), "SHA-256 00".into())],
            titles: ["설정".into(), "출처".into(), "그림".into()],
        }
    }

    #[test]
    fn a_page_carries_everything_and_nothing_of_it_is_markup() {
        let html = report().to_html();
        assert!(html.contains("a &amp; b") && html.contains("&lt;b&gt;3&lt;/b&gt;") && !html.contains("<b>3"));
        assert!(html.contains("lang=\"ko\"") && html.contains("data:image/png;base64,"));
        // Nothing is fetched from anywhere.
        assert!(
            !html.contains("http://") || html.matches("http://").count() == html.matches("http://www.w3.org").count()
        );
        assert!(!html.contains("https://") && !html.contains("<script"));
    }

    #[test]
    fn the_page_on_paper_is_one_page_and_nothing_hangs_over() {
        let drawing = page::page(&report());
        for shape in &drawing.shapes {
            let (low, high) = crate::drawing::bounds(shape);
            assert!(low.cmpge(vec2(-0.5, -0.5)).all() && high.cmple(pdf::A4 + 0.5).all(), "{shape:?}");
        }
        assert!(report().to_pdf().unwrap().starts_with(b"%PDF"));
    }

    #[test]
    fn days_are_counted_right() {
        assert_eq!(utc(0.0), "1970-01-01 00:00 UTC");
        assert_eq!(utc(951_782_400.0), "2000-02-29 00:00 UTC");
        assert_eq!(utc(1_795_525_500.0), "2026-11-24 13:05 UTC");
    }
}
