//! What the prediction will take, while the query is typed: tokens, memory and time for each engine and device, and what
//! would fit where something does not.
//!
//! The numbers are those of `kfold-studio plan`. They are made on the chemistry thread; one question at a time, the next when
//! the answer has come and the query has changed meanwhile.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use egui::{RichText, Ui};
use kfold_inference::engine::EngineName;
use kfold_inference::folders;
use kfold_inference::kfold::features;
use kfold_inference::kfold::model_folder::{ModelFolder, Variant};
use kfold_inference::kfold::plan::{Plan, Request, Sizes, Weights};
use kfold_inference::kfold::run_times::RunTimes;
use kfold_inference::kfold::settings::KFoldSettings;
use kfold_inference::machine::{Machine, Nvidia, NvidiaCard};
use kfold_inference::query::{CovalentBond, Entity, Query};

use super::super::app::Studio;
use super::super::background::Lane;
use super::super::message::Message;
use super::super::theme::{self, palette};
use super::super::widgets::{Tone, message, note};
use super::editor::News;
use crate::texts::Texts;

/// Mean processor time of a ligand with the default effort in our benchmark (docs/benchmarks.md), seconds.
const DOCKING_CPU_SECONDS: f64 = 15.1;
/// The effort of that mean.
const DOCKING_EFFORT: f64 = 8.0;

/// How long what the driver said of its cards is believed.
const CARDS_HOLD: Duration = Duration::from_secs(20);

/// What a plan is made from.
#[derive(Clone, Debug, PartialEq)]
pub struct EstimateKey {
    sequences: Vec<Entity>,
    bonds: Vec<CovalentBond>,
    settings: KFoldSettings,
    seeds: usize,
}

/// One engine on one device.
#[derive(Clone, Debug, PartialEq)]
struct Row {
    what: What,
    /// Peak memory, bytes; `None` where the formulas do not reach.
    peak_bytes: Option<u64>,
    /// Free memory there, bytes.
    free_bytes: Option<u64>,
    /// Seconds of all seeds; `None` where no run has told yet.
    seconds: Option<f64>,
    /// Tokens of the largest query of this kind that would fit, where this one does not.
    largest_tokens: Option<usize>,
    /// Whether its weights are here.
    has_weights: bool,
}

/// Which engine and device a row is about.
#[derive(Clone, Debug, PartialEq, Eq)]
enum What {
    Processor(Variant),
    Card(String),
}

impl Row {
    fn fits(&self) -> bool {
        match (self.peak_bytes, self.free_bytes) {
            (Some(peak), Some(free)) => peak <= free,
            _ => true,
        }
    }
}

/// A plan.
#[derive(Clone, Debug, PartialEq)]
pub struct Estimate {
    tokens: usize,
    atoms: usize,
    rows: Vec<Row>,
    threads: usize,
}

/// The last plan, and what was asked.
#[derive(Default)]
pub struct Estimates {
    asked: Option<EstimateKey>,
    shown: Option<(EstimateKey, Result<Estimate, String>)>,
    is_waiting: bool,
}

impl Estimates {
    pub(super) fn take(&mut self, key: EstimateKey, result: Result<Estimate, String>) {
        self.is_waiting = false;
        self.shown = Some((key, result));
    }
}

fn estimate(key: &EstimateKey) -> Result<Estimate, String> {
    let query = Query {
        name: "plan".to_owned(),
        sequences: key.sequences.clone(),
        bonds: key.bonds.clone(),
        ..Query::default()
    };
    query.validate().map_err(|error| error.to_string())?;
    let structure = features::reference_structure(&query).map_err(|error| error.to_string())?;
    let sizes = Sizes::of(&query, &structure, key.settings.apo_count());
    let machine = Machine::here();
    let times = RunTimes::load(&folders::run_times());
    let mut rows = Vec::new();
    for variant in [Variant::Full, Variant::Light] {
        let settings = KFoldSettings { model: variant, ..key.settings.clone() };
        let folder = settings.model_folder();
        let (plan, largest_tokens) = plan(&sizes, &settings, &folder, key.seeds, (&machine, None), &times)?;
        rows.push(Row {
            what: What::Processor(variant),
            peak_bytes: Some(plan.peak_bytes),
            free_bytes: plan.available_bytes,
            seconds: plan.seconds,
            largest_tokens,
            has_weights: folder.config_file().is_some(),
        });
    }
    for (number, card) in cards().into_iter().enumerate() {
        let folder = key.settings.model_folder();
        // As the worker calls it (`engine::planning`).
        let device = format!("Cuda {{ gpu_id: {number} }}");
        let (plan, _) = plan(&sizes, &key.settings, &folder, key.seeds, (&machine, Some(&device)), &times)?;
        rows.push(Row {
            what: What::Card(card.name.clone()),
            peak_bytes: None,
            free_bytes: card.free_bytes,
            seconds: plan.seconds,
            largest_tokens: None,
            has_weights: folder.config_file().is_some(),
        });
    }
    Ok(Estimate { tokens: sizes.tokens, atoms: sizes.atoms, rows, threads: machine.threads })
}

/// The graphics cards; asking the driver takes a while, so not for every letter that is typed.
fn cards() -> Vec<NvidiaCard> {
    static LATEST: Mutex<Option<(Instant, Vec<NvidiaCard>)>> = Mutex::new(None);
    let mut latest = LATEST.lock().unwrap_or_else(PoisonError::into_inner);
    match &*latest {
        Some((asked, cards)) if asked.elapsed() < CARDS_HOLD => cards.clone(),
        _ => {
            let cards = Nvidia::here().map(|nvidia| nvidia.cards).unwrap_or_default();
            *latest = Some((Instant::now(), cards.clone()));
            cards
        }
    }
}

/// The plan of one model, and how large a query would fit where this one does not.
fn plan(
    sizes: &Sizes,
    settings: &KFoldSettings,
    folder: &ModelFolder,
    seeds: usize,
    (machine, device): (&Machine, Option<&str>),
    times: &RunTimes,
) -> Result<(Plan, Option<usize>), String> {
    let explain = |error: kfold_inference::kfold::KFoldError| error.to_string();
    let mut config = match folder.config_file() {
        Some(_) => folder.config().map_err(explain)?,
        None => settings.model.published().map_err(explain)?,
    };
    if settings.disable_struct_encoder {
        config.protein_structure_encoder = None;
    }
    if settings.disable_rna_encoder {
        config.rna_sequence_encoder = None;
    }
    let weights = Weights::of(folder);
    let mut request = Request::of_settings(sizes, &config, &weights, settings);
    request.seeds = seeds.max(1);
    if let Some(device) = device {
        device.clone_into(&mut request.device);
    }
    let plan = Plan::new(&request, machine, times);
    let largest = plan.refusal.as_ref().and_then(|refusal| refusal.largest_tokens);
    Ok((plan, largest))
}

/// Bytes as people read them.
fn gibibytes(bytes: u64) -> String {
    format!("{:.1} GiB", bytes as f64 / f64::from(1 << 30))
}

/// A duration as people say it.
fn duration(texts: &Texts, seconds: f64) -> String {
    let minutes = seconds / 60.0;
    if seconds < 90.0 {
        texts.with("time-seconds", [("count", (seconds.round().max(1.0) as u64).into())])
    } else if minutes < 90.0 {
        texts.with("time-minutes", [("count", (minutes.round() as u64).into())])
    } else {
        texts.with("time-hours", [("count", format!("{:.1}", minutes / 60.0).into())])
    }
}

impl Studio {
    /// The line with the tokens, and the table behind it.
    pub(super) fn estimate_ui(&mut self, ui: &mut Ui) {
        let texts = std::sync::Arc::clone(&self.texts);
        self.docking_estimate_ui(ui);
        let query = &self.document.query;
        if query.sequences.is_empty() {
            return;
        }
        let key = EstimateKey {
            sequences: query.sequences.clone(),
            bonds: query.bonds.clone(),
            settings: self.document.settings.kfold.clone(),
            seeds: self.document.settings.seeds.len(),
        };
        let estimates = &mut self.query_editor.estimates;
        if !estimates.is_waiting && estimates.asked.as_ref() != Some(&key) {
            let asked = key.clone();
            let counted = asked.clone();
            let is_queued = self.background.attempt(
                Lane::Chemistry,
                move || estimate(&counted).map(Box::new),
                move |result| Message::Query(News::Estimated { key: Box::new(asked), result }),
            );
            if is_queued {
                estimates.asked = Some(key.clone());
                estimates.is_waiting = true;
            }
        }
        let colours = palette(ui);
        let is_current = estimates.shown.as_ref().is_some_and(|(shown, _)| *shown == key);
        let result = estimates.shown.as_ref().map(|(_, result)| result);
        // The line is there from the first: what stands below must not move under the pointer.
        let head = match result {
            Some(Ok(estimate)) => {
                texts.with("estimate-head", [("tokens", estimate.tokens.into()), ("atoms", estimate.atoms.into())])
            }
            Some(Err(_)) if is_current => texts.get("estimate-not-yet"),
            _ => texts.get("estimate-counting"),
        };
        let head = RichText::new(head).color(if is_current { colours.text } else { colours.text_muted });
        egui::CollapsingHeader::new(head)
            .id_salt("estimate")
            .default_open(self.document.settings.engine == EngineName::KFold)
            .show_unindented(ui, |ui| match result {
                Some(Ok(estimate)) => table_ui(ui, &texts, estimate),
                Some(Err(problem)) => {
                    note(
                        ui,
                        &texts.with("estimate-none", [("reason", in_words(&texts, &key.sequences, problem).into())]),
                    );
                }
                None => {}
            });
    }

    /// How long docking will take, by the benchmark's mean.
    fn docking_estimate_ui(&self, ui: &mut Ui) {
        let settings = &self.document.settings;
        if settings.engine != EngineName::Docking {
            return;
        }
        let query = &self.document.query;
        let ligands = query.ligands().count() + query.series.len();
        if ligands == 0 || query.receptor_file().is_none() {
            return;
        }
        let docking = &settings.docking;
        let here = std::thread::available_parallelism().map_or(1, usize::from);
        let threads = if docking.threads == 0 { here } else { here.min(docking.threads as usize) };
        let places = if query.pocket.is_some() { 1 } else { docking.pockets.max(1) };
        let receptors = if docking.dock_into_ensemble { 1 + docking.ensemble_conformers } else { 1 };
        let searches = ligands as f64 * settings.seeds.len().max(1) as f64 * f64::from(places) * f64::from(receptors);
        let effort = f64::from(docking.exhaustiveness) / DOCKING_EFFORT;
        let seconds = searches * effort * DOCKING_CPU_SECONDS / threads.max(1) as f64;
        let values =
            [("time", duration(&self.texts, seconds).into()), ("count", ligands.into()), ("threads", threads.into())];
        note(ui, &self.texts.with("estimate-docking", values)).on_hover_text(self.texts.get("estimate-docking-hint"));
    }
}

/// A problem that begins with the place in the file (`sequences[2].ligand.smiles: ...`), with the entry's name in its stead.
fn in_words(texts: &Texts, sequences: &[Entity], problem: &str) -> String {
    let named = || {
        let (number, rest) = problem.strip_prefix("sequences[")?.split_once(']')?;
        let (_, what) = rest.split_once(": ")?;
        let entity = sequences.get(number.parse::<usize>().ok()?)?;
        let ids = super::super::document::ids_of(entity).join(", ");
        Some(texts.with("problem-of-entry", [("entry", ids.into()), ("what", what.to_owned().into())]))
    };
    named().unwrap_or_else(|| problem.to_owned())
}

fn table_ui(ui: &mut Ui, texts: &Texts, estimate: &Estimate) {
    let colours = palette(ui);
    egui::Grid::new("estimates").num_columns(3).spacing([10.0, 2.0]).show(ui, |ui| {
        for key in ["estimate-device", "estimate-memory", "estimate-time"] {
            ui.label(RichText::new(texts.get(key)).small().color(colours.text_muted));
        }
        ui.end_row();
        for row in &estimate.rows {
            let name = match &row.what {
                What::Processor(Variant::Full) => texts.with("estimate-full", [("threads", estimate.threads.into())]),
                What::Processor(Variant::Light) => texts.with("estimate-light", [("threads", estimate.threads.into())]),
                What::Card(name) => texts.with("estimate-card", [("name", name.clone().into())]),
            };
            ui.label(RichText::new(name).small().text_style(theme::strong_style()));
            let memory = match (row.peak_bytes, row.free_bytes) {
                (Some(peak), Some(free)) => {
                    texts.with("estimate-of", [("peak", gibibytes(peak).into()), ("free", gibibytes(free).into())])
                }
                (Some(peak), None) => gibibytes(peak),
                (None, Some(free)) => texts.with("estimate-free", [("free", gibibytes(free).into())]),
                (None, None) => texts.get("estimate-unknown"),
            };
            let ink = if row.fits() { colours.text } else { colours.bad };
            ui.label(RichText::new(memory).small().color(ink));
            let time = row.seconds.map_or_else(|| texts.get("estimate-unknown"), |seconds| duration(texts, seconds));
            ui.label(RichText::new(time).small());
            ui.end_row();
        }
    });
    if estimate.rows.iter().all(|row| row.seconds.is_none()) {
        note(ui, &texts.get("estimate-learned"));
    }
    if estimate.rows.iter().all(|row| !row.has_weights) {
        note(ui, &texts.get("estimate-weights"));
    }
    let light_fits = estimate.rows.iter().any(|row| row.what == What::Processor(Variant::Light) && row.fits());
    for row in &estimate.rows {
        let (What::Processor(variant), false) = (&row.what, row.fits()) else { continue };
        let (Some(peak), Some(free)) = (row.peak_bytes, row.free_bytes) else { continue };
        let name = texts.get(if *variant == Variant::Full { "estimate-full-name" } else { "estimate-light-name" });
        let values = [("name", name.into()), ("peak", gibibytes(peak).into()), ("free", gibibytes(free).into())];
        let mut text = texts.with("estimate-too-large", values);
        if *variant == Variant::Full && light_fits {
            text.push(' ');
            text.push_str(&texts.get("estimate-way-light"));
        }
        if let Some(tokens) = row.largest_tokens {
            text.push(' ');
            text.push_str(&texts.with("estimate-way-tokens", [("tokens", tokens.into())]));
        }
        text.push(' ');
        text.push_str(&texts.with("estimate-way-server", [("peak", gibibytes(peak).into())]));
        message(ui, Tone::Warning, &text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::texts::Language;

    #[test]
    fn a_problem_names_the_entry() {
        let ligand = kfold_inference::query::Ligand {
            ids: vec!["B".into()],
            source: kfold_inference::query::LigandSource::Smiles(String::new()),
            description: None,
        };
        let key = EstimateKey {
            sequences: vec![Entity::Ligand(ligand)],
            bonds: Vec::new(),
            settings: KFoldSettings::default(),
            seeds: 1,
        };
        let problem = estimate(&key).unwrap_err();
        let words = in_words(&Texts::new(Language::English), &key.sequences, &problem);
        assert_eq!(words, "chain B: the SMILES is empty");
        assert_eq!(in_words(&Texts::new(Language::English), &[], &problem), problem);
    }

    #[test]
    fn a_plan_counts_tokens_and_memory() {
        let polymer = kfold_inference::query::Polymer {
            ids: vec!["A".into(), "B".into()],
            sequence: "MKTAYIAKQR".into(),
            ..Default::default()
        };
        let mut key = EstimateKey {
            sequences: vec![Entity::Protein(polymer)],
            bonds: Vec::new(),
            settings: KFoldSettings::default(),
            seeds: 1,
        };
        let found = estimate(&key).unwrap();
        assert_eq!(found.tokens, 20);
        assert!(found.atoms > 100);
        let peak = |variant| {
            found.rows.iter().find(|row| row.what == What::Processor(variant)).and_then(|row| row.peak_bytes).unwrap()
        };
        assert!(peak(Variant::Light) < peak(Variant::Full));
        key.sequences.clear();
        assert!(estimate(&key).is_err());
    }

    #[test]
    fn times_are_said_in_the_unit_that_fits() {
        let texts = Texts::new(Language::English);
        assert_eq!(duration(&texts, 0.2), "1 s");
        assert_eq!(duration(&texts, 89.0), "89 s");
        assert_eq!(duration(&texts, 600.0), "10 min");
        assert_eq!(duration(&texts, 7200.0), "2.0 h");
        assert_eq!(gibibytes(3 << 30), "3.0 GiB");
    }
}
