//! A ligand series: a table that fills while the run goes on, with pictures, scores, properties, tags and notes; sorted, filtered,
//! plotted against what was measured; poses laid over each other.

pub(crate) mod entries;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use egui::{Margin, Sense, TextEdit, Ui};
use egui_extras::{Column, TableBuilder};
use glam::vec2 as points;
use kfold_inference::job::Results;
use kfold_molecule::SmallMolecule;
use kfold_molecule::chemistry::{Descriptors, depict, describe};
use serde::{Deserialize, Serialize};

use super::app::Studio;
use super::background::{Lane, Loaded};
use super::derived::{Derived, Same};
use super::dialogs::ExportKind;
use super::message::Message;
use super::numbers::{Numbers, cell};
use super::outcome::Outcome;
use super::theme::{GAP, palette};
use super::widgets::plot::{Point, scatter_plot};
use super::widgets::{Tone, checkbox, message, paint, segmented};
use crate::drawing::{Drawing, formula};
use crate::report::comparison_sentence;
use crate::texts::Texts;
use entries::{Best, Entry};

/// Height of a row with its picture, points.
const ROW: f32 = 60.0;
/// Poses laid over each other at most.
const MOST_OVERLAID: usize = 24;
/// Width at which the plot stands beside the table, and its own then, points.
const ROOM_FOR_BOTH: f32 = 760.0;
const PLOT_WIDTH: f32 = 300.0;
/// Between two looks at a run that goes on, at least.
const LOOK: Duration = Duration::from_secs(2);

/// What the user thinks of a ligand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tag {
    /// Nothing yet.
    #[default]
    None,
    /// Worth a second look.
    Hit,
    /// Worth making more of.
    Lead,
    /// To be made.
    Candidate,
    /// Out.
    Rejected,
}

impl Tag {
    const ALL: [Self; 5] = [Self::None, Self::Hit, Self::Lead, Self::Candidate, Self::Rejected];

    const fn key(self) -> &'static str {
        match self {
            Self::None => "tag-none",
            Self::Hit => "tag-hit",
            Self::Lead => "tag-lead",
            Self::Candidate => "tag-candidate",
            Self::Rejected => "tag-rejected",
        }
    }

    /// Its name in files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Hit => "hit",
            Self::Lead => "lead",
            Self::Candidate => "candidate",
            Self::Rejected => "rejected",
        }
    }
}

/// What the user wrote about a ligand.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LigandNote {
    /// What it is to the user.
    pub tag: Tag,
    /// Free words.
    pub text: String,
}

/// Notes by the ligand's name.
pub type LigandNotes = BTreeMap<String, LigandNote>;

/// A column by which the table is sorted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SortBy {
    /// The ligand's name.
    Name,
    /// The docking score.
    Score,
    /// Ligand efficiency.
    Efficiency,
    /// K-Fold's ranking score of the complex.
    Ranking,
    /// Mean pLDDT of the ligand.
    Plddt,
    /// The ligand's highest ipTM with a polymer.
    Iptm,
    /// What the docking engine makes of K-Fold's pose.
    DockingScore,
    /// The predicted pK.
    Predicted,
    /// The measured pK.
    Measured,
    /// Molecular weight.
    Weight,
    /// logP.
    LogP,
    /// Polar surface.
    Tpsa,
    /// Drug-likeness.
    Qed,
    /// Checks passed.
    Checks,
    /// The user's tag.
    Tag,
}

impl SortBy {
    /// Columns of docked ligands that stand before notes and overlays.
    const DOCKED: [Self; 7] =
        [Self::Name, Self::Score, Self::Efficiency, Self::Predicted, Self::Measured, Self::Checks, Self::Tag];
    /// Those of ligands that K-Fold predicted.
    const SAMPLED: [Self; 9] = [
        Self::Name,
        Self::Ranking,
        Self::Plddt,
        Self::Iptm,
        Self::Predicted,
        Self::Measured,
        Self::Checks,
        Self::DockingScore,
        Self::Tag,
    ];
    /// What the structure alone says comes last.
    const LAST: [Self; 4] = [Self::Weight, Self::LogP, Self::Tpsa, Self::Qed];

    /// The columns of a series before its notes: no column in which nothing stands.
    fn first(outcome: &Outcome, entries: &[Entry<'_>]) -> Vec<Self> {
        if outcome.complexes.is_empty() {
            return Self::DOCKED.to_vec();
        }
        let has = |by: &Self| match by {
            Self::Predicted | Self::Measured | Self::DockingScore => {
                entries.iter().any(|entry| entry.value(*by, None, Tag::None).is_some())
            }
            _ => true,
        };
        Self::SAMPLED.into_iter().filter(has).collect()
    }

    const fn title(self) -> &'static str {
        match self {
            Self::Name => "column-ligand",
            Self::Score => "column-score",
            Self::Efficiency => "column-efficiency",
            Self::Ranking => "column-ranking",
            Self::Plddt => "column-plddt",
            Self::Iptm => "column-iptm",
            Self::DockingScore => "column-docking-score",
            Self::Predicted => "column-pk",
            Self::Measured => "column-measured",
            Self::Weight => "property-weight",
            Self::LogP => "property-log-p",
            Self::Tpsa => "property-tpsa",
            Self::Qed => "property-qed",
            Self::Checks => "column-checks",
            Self::Tag => "column-tag",
        }
    }
}

/// A ligand's picture and properties.
pub struct Portrait {
    picture: Option<Drawing>,
    descriptors: Option<Descriptors>,
}

/// What is looked at of a series.
pub struct Series {
    sort: SortBy,
    is_falling: bool,
    filter: String,
    tag: Option<Tag>,
    passing_only: bool,
    /// Whether the plot stands in the table's place, where there is no room for both.
    is_plotted: bool,
    overlaid: BTreeSet<String>,
    portraits: Derived<Same<SmallMolecule>, Portrait>,
    looked: Option<Instant>,
    is_looking: bool,
}

impl Default for Series {
    fn default() -> Self {
        Self {
            sort: SortBy::Predicted,
            is_falling: true,
            filter: String::new(),
            tag: None,
            passing_only: false,
            is_plotted: false,
            overlaid: BTreeSet::new(),
            portraits: Derived::new(4000),
            looked: None,
            is_looking: false,
        }
    }
}

fn portrait(molecule: &SmallMolecule) -> Portrait {
    let depiction = depict::layout(molecule).ok();
    Portrait {
        picture: depiction.map(|found| formula::picture(&found, points(108.0, ROW - 4.0), 16.0, &molecule.name)),
        descriptors: describe(molecule).ok(),
    }
}

/// The order of ligands: by value, equals and those without by name.
fn order(values: &[(Option<f64>, &str)], is_falling: bool) -> Vec<usize> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|a, b| {
        let ((first, first_name), (second, second_name)) = (&values[*a], &values[*b]);
        let by_name = || natural(first_name, second_name);
        match (first, second) {
            (Some(first), Some(second)) => {
                let by_value = first.total_cmp(second);
                if is_falling { by_value.reverse() } else { by_value }.then_with(by_name)
            }
            (Some(_), None) => std::cmp::Ordering::Less,
            (None, Some(_)) => std::cmp::Ordering::Greater,
            (None, None) if is_falling => by_name().reverse(),
            (None, None) => by_name(),
        }
    });
    order
}

/// Names with numbers in them as people order them: `lig2` before `lig10`.
fn natural(a: &str, b: &str) -> std::cmp::Ordering {
    let parts = |text: &str| -> Vec<(String, u64)> {
        let mut parts = vec![(String::new(), 0_u64)];
        let mut was_digit = false;
        for letter in text.chars() {
            match letter.to_digit(10) {
                Some(digit) => {
                    if let Some((_, number)) = parts.last_mut() {
                        *number = number.saturating_mul(10).saturating_add(u64::from(digit));
                    }
                    was_digit = true;
                }
                None => {
                    if was_digit {
                        parts.push((String::new(), 0));
                    }
                    was_digit = false;
                    if let Some((word, _)) = parts.last_mut() {
                        word.extend(letter.to_lowercase());
                    }
                }
            }
        }
        parts
    };
    parts(a).cmp(&parts(b)).then_with(|| a.cmp(b))
}

impl Studio {
    /// Whether there is a series to show.
    pub(super) fn has_series(&self) -> bool {
        self.outcome.as_ref().is_some_and(|outcome| outcome.ligands.len() > 1 || !outcome.query.series.is_empty())
    }

    /// Poses that are drawn beside the shown one.
    pub(super) fn overlaid_poses(&self) -> Vec<Arc<SmallMolecule>> {
        let Some(outcome) = self.outcome.as_ref().filter(|_| self.ensemble.is_none()) else { return Vec::new() };
        let shown = outcome.ligands.get(self.shown_ligand).map(|ligand| ligand.name.as_str());
        let wanted = outcome
            .ligands
            .iter()
            .filter(|ligand| Some(ligand.name.as_str()) != shown && self.series.overlaid.contains(&ligand.name));
        let best = wanted.filter_map(|ligand| Some(Arc::clone(&ligand.poses.first()?.molecule)));
        best.take(MOST_OVERLAID).collect()
    }

    /// Looks at a run that goes on, so that the table fills.
    pub(super) fn look_at_running_series(&mut self, context: &egui::Context) {
        let Some(run) = self.run.as_ref().filter(|run| run.is_going()) else { return };
        if self.document.query.series.is_empty() || self.series.is_looking {
            return;
        }
        if self.series.looked.is_some_and(|looked| looked.elapsed() < LOOK) {
            context.request_repaint_after(LOOK);
            return;
        }
        let folder = run.folder.clone();
        let read = folder.clone();
        let load = move || {
            let results = Results::load(&read).map_err(|error| error.to_string())?;
            Ok(Arc::new(Outcome::of(results)))
        };
        self.series.is_looking = self.background.attempt(Lane::Results, load, move |found| {
            Message::Apply(Box::new(move |studio: &mut Self| {
                let found = found.ok();
                studio.series.is_looking = false;
                studio.series.looked = Some(Instant::now());
                let is_going = studio.run.as_ref().is_some_and(|run| run.folder == folder && run.is_going());
                if let Some(found) =
                    found.filter(|found| is_going && (found.pose_count() > 0 || !found.complexes.is_empty()))
                {
                    studio.take_partial(found);
                }
            }))
        });
    }

    /// Takes results of a run that goes on; the ligand in the view stays.
    fn take_partial(&mut self, found: Arc<Outcome>) {
        let name = self.outcome.as_ref().and_then(|held| Some(held.ligands.get(self.shown_ligand)?.name.clone()));
        let is_first = self.outcome.is_none();
        self.shown_ligand = name.and_then(|name| found.ligands.iter().position(|held| held.name == name)).unwrap_or(0);
        self.outcome = Some(found);
        if is_first {
            self.dock.reveal_tall(super::panes::Pane::Series);
            self.viewport.focus_next_scene();
        }
    }

    /// Ligands that pass the filters, when there are any.
    pub(super) fn wanted_ligands(&self, outcome: &Outcome) -> Option<BTreeSet<String>> {
        let series = &self.series;
        if series.filter.trim().is_empty() && series.tag.is_none() && !series.passing_only {
            return None;
        }
        Some(outcome.entries().iter().filter(|held| self.is_wanted(held)).map(|held| held.name.to_owned()).collect())
    }

    fn is_wanted(&self, entry: &Entry<'_>) -> bool {
        let series = &self.series;
        let note = self.document.ligand_notes.get(entry.name);
        let filter = series.filter.trim().to_lowercase();
        let matches = filter.is_empty()
            || entry.name.to_lowercase().contains(&filter)
            || note.is_some_and(|note| note.text.to_lowercase().contains(&filter));
        let tagged = series.tag.is_none_or(|tag| note.map_or(Tag::None, |note| note.tag) == tag);
        let passes = !series.passing_only || entry.checks().is_some_and(|(passed, all)| passed == all);
        matches && tagged && passes
    }

    /// Whether the view shows this ligand.
    fn is_entry_shown(&self, outcome: &Outcome, entry: &Entry<'_>) -> bool {
        match entry.best {
            Some(Best::Sample(_)) => {
                outcome.complexes.get(self.shown_pose).is_some_and(|shown| shown.ligand.as_deref() == Some(entry.name))
            }
            _ => entry.index == self.shown_ligand,
        }
    }

    fn show_entry(&mut self, entry: &Entry<'_>) {
        match entry.best {
            Some(Best::Sample(_)) => self.show_complex(entry.index),
            _ => self.show_ligand(entry.index),
        }
    }

    /// The pane.
    pub(super) fn series_panel_ui(&mut self, ui: &mut Ui) {
        let Some(outcome) = self.outcome.clone() else { return };
        let texts = Arc::clone(&self.texts);
        egui::Frame::new().inner_margin(Margin::symmetric(10, 4)).show(ui, |ui| {
            let comparison = outcome.comparison();
            let has_room = ui.available_width() > ROOM_FOR_BOTH;
            self.series_filters_ui(ui, &texts, &outcome, comparison.is_some() && !has_room);
            let area = ui.available_rect_before_wrap();
            let part = |rect: egui::Rect| egui::UiBuilder::new().max_rect(rect);
            let (left, right) = match &comparison {
                Some(_) if has_room => area.split_left_right_at_x(area.right() - PLOT_WIDTH),
                Some(_) if self.series.is_plotted => (egui::Rect::NOTHING, area),
                _ => (area, egui::Rect::NOTHING),
            };
            if left.is_positive() {
                ui.scope_builder(part(left.with_max_x(left.right() - GAP)), |ui| {
                    self.series_table_ui(ui, &texts, &outcome);
                });
            }
            if let Some(found) = comparison.filter(|_| right.is_positive()) {
                ui.scope_builder(part(right), |ui| {
                    egui::ScrollArea::vertical().id_salt("series plot").auto_shrink(false).show(ui, |ui| {
                        self.series_plot_ui(ui, &texts, &outcome);
                        let tone = if found.beats_size() { Tone::Info } else { Tone::Warning };
                        message(ui, tone, &comparison_sentence(&found, &texts));
                    });
                });
            }
        });
    }

    fn series_filters_ui(&mut self, ui: &mut Ui, texts: &Texts, outcome: &Outcome, may_plot: bool) {
        ui.horizontal_wrapped(|ui| {
            if may_plot {
                let choices = [(false, texts.get("series-table")), (true, texts.get("series-plot-short"))];
                segmented(ui, &texts.get("series-shows"), &mut self.series.is_plotted, &choices);
            }
            let edit = TextEdit::singleline(&mut self.series.filter)
                .desired_width(120.0)
                .char_limit(200)
                .hint_text(texts.get("series-filter"));
            ui.add(edit).accessible_name(texts.get("series-filter"));
            let shown = self.series.tag.map_or_else(|| texts.get("tag-any"), |tag| texts.get(tag.key()));
            egui::ComboBox::from_id_salt("series tag")
                .selected_text(shown)
                .width(96.0)
                .show_ui(ui, |ui| {
                    ui.selectable_value(&mut self.series.tag, None, texts.get("tag-any"));
                    for tag in Tag::ALL {
                        ui.selectable_value(&mut self.series.tag, Some(tag), texts.get(tag.key()));
                    }
                })
                .response
                .accessible_name(texts.get("series-tag"));
            checkbox(ui, &mut self.series.passing_only, texts.get("series-passing"));
            let entries = outcome.entries();
            let shown = entries.iter().filter(|entry| self.is_wanted(entry)).count();
            let all = outcome.query.series.len().max(entries.len());
            ui.label(texts.with("series-count", [("shown", shown.into()), ("count", all.into())]));
            for (key, kind) in [("series-save-csv", ExportKind::Csv), ("series-save-sdf", ExportKind::Sdf)] {
                if ui.button(texts.get(key)).clicked() {
                    self.ask_for_export(kind);
                }
            }
            if !self.series.overlaid.is_empty() && ui.button(texts.get("series-overlay-clear")).clicked() {
                self.series.overlaid.clear();
            }
        });
    }

    fn series_table_ui(&mut self, ui: &mut Ui, texts: &Texts, outcome: &Outcome) {
        let entries = outcome.entries();
        let columns = SortBy::first(outcome, &entries);
        let portraits: Vec<Loaded<Portrait>> = entries
            .iter()
            .map(|entry| {
                let Some(molecule) = entry.molecule().map(Arc::clone) else { return Loaded::Waiting };
                let key = Same(Arc::clone(&molecule));
                self.derive(|studio| &mut studio.series.portraits, &key, move || Ok(portrait(&molecule)))
            })
            .collect();
        let by = self.series.sort;
        // What another series was sorted by need not be here.
        let by = if columns.contains(&by) || SortBy::LAST.contains(&by) { by } else { columns[1] };
        let values: Vec<(Option<f64>, &str)> = entries
            .iter()
            .zip(&portraits)
            .map(|(entry, portrait)| {
                let descriptors = portrait.ready().and_then(|portrait| portrait.descriptors.as_ref());
                let tag = self.document.ligand_notes.get(entry.name).map_or(Tag::None, |note| note.tag);
                (entry.value(by, descriptors, tag), entry.name)
            })
            .collect();
        let rows: Vec<usize> = order(&values, self.series.is_falling)
            .into_iter()
            .filter(|index| self.is_wanted(&entries[*index]))
            .collect();
        let has_overlay = outcome.complexes.is_empty();
        let height = ui.available_height();
        let across = egui::ScrollArea::horizontal().id_salt("series table").auto_shrink(false);
        across.show(ui, |ui| {
            let (style, painter) = (Arc::clone(ui.style()), ui.painter().clone());
            let builder_style: &egui::Style = &style;
            let width_of = |text: &str, font: &egui::FontId| {
                painter.layout_no_wrap(text.to_owned(), font.clone(), egui::Color32::BLACK).size().x
            };
            let mut builder = TableBuilder::new(ui)
                .striped(true)
                .min_scrolled_height(0.0)
                .max_scroll_height((height - 40.0).max(ROW))
                .auto_shrink(false)
                .sense(Sense::click())
                .cell_layout(egui::Layout::left_to_right(egui::Align::Center))
                .column(Column::exact(112.0))
                .column(Column::initial(72.0).at_least(48.0).clip(true).resizable(true));
            let font = egui::TextStyle::Button.resolve(builder_style);
            let value = |by: SortBy| {
                // As wide as its head with the arrow.
                let head = width_of(&texts.get(by.title()), &font);
                Column::initial((head + 22.0).max(52.0)).at_least(44.0).resizable(true)
            };
            for by in &columns[1..columns.len() - 1] {
                builder = builder.column(value(*by));
            }
            builder = builder.column(Column::exact(108.0)).column(Column::exact(140.0));
            if has_overlay {
                builder = builder.column(Column::exact(64.0));
            }
            for by in SortBy::LAST {
                builder = builder.column(value(by));
            }
            builder
                .header(24.0, |mut header| {
                    header.col(|_| {});
                    for column in &columns {
                        header.col(|ui| self.series_head_ui(ui, texts, *column, by));
                    }
                    header.col(|ui| {
                        ui.label(texts.get("column-note"));
                    });
                    if has_overlay {
                        header.col(|ui| {
                            ui.label(texts.get("column-overlay"));
                        });
                    }
                    for column in SortBy::LAST {
                        header.col(|ui| self.series_head_ui(ui, texts, column, by));
                    }
                })
                .body(|body| {
                    body.rows(ROW, rows.len(), |mut row| {
                        let entry = &entries[rows[row.index()]];
                        row.set_selected(self.is_entry_shown(outcome, entry));
                        let portrait = portraits[rows[row.index()]].ready();
                        self.series_row_ui(&mut row, texts, outcome, entry, &columns, portrait);
                        if row.response().clicked() {
                            self.show_entry(entry);
                        }
                    });
                });
        });
    }

    /// The head of a column of a table that is sorted by `sorted`.
    fn series_head_ui(&mut self, ui: &mut Ui, texts: &Texts, by: SortBy, sorted: SortBy) {
        let title = texts.get(by.title());
        let is_sorted = sorted == by;
        let arrow = match (is_sorted, self.series.is_falling) {
            (false, _) => "",
            (true, true) => " ↓",
            (true, false) => " ↑",
        };
        let button = egui::Button::new(format!("{title}{arrow}")).frame(false);
        let name = texts.with("series-sort", [("column", title.into())]);
        let hint = match by {
            SortBy::Score => Some("column-score-hint"),
            SortBy::Efficiency => Some("column-efficiency-hint"),
            SortBy::Ranking => Some("column-ranking-hint"),
            SortBy::Plddt => Some("column-plddt-hint"),
            SortBy::Iptm => Some("column-iptm-ligand-hint"),
            SortBy::DockingScore => Some("column-docking-score-hint"),
            SortBy::Predicted => Some("column-pk-hint"),
            SortBy::Measured => Some("column-measured-hint"),
            SortBy::Checks => Some("column-checks-hint"),
            _ => None,
        };
        // Numbers stand right, and their heads over them.
        let is_number = !matches!(by, SortBy::Name | SortBy::Checks | SortBy::Tag);
        let response = if is_number {
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| ui.add(button)).inner
        } else {
            ui.add(button)
        };
        let response = response.accessible_name(name);
        let response = match hint {
            Some(hint) => response.on_hover_text(texts.get(hint)),
            None => response,
        };
        if response.clicked() {
            if is_sorted {
                self.series.sort = by;
                self.series.is_falling = !self.series.is_falling;
            } else {
                // What is good comes first: low energies, high affinities.
                self.series.is_falling =
                    !matches!(by, SortBy::Name | SortBy::Score | SortBy::Efficiency | SortBy::DockingScore);
                self.series.sort = by;
            }
        }
    }

    fn series_row_ui(
        &mut self,
        row: &mut egui_extras::TableRow<'_, '_>,
        texts: &Texts,
        outcome: &Outcome,
        entry: &Entry<'_>,
        columns: &[SortBy],
        portrait: Option<&Arc<Portrait>>,
    ) {
        let found = portrait.and_then(|portrait| portrait.descriptors.as_ref());
        row.col(|ui| {
            if let Some(picture) = portrait.and_then(|portrait| portrait.picture.as_ref()) {
                paint::drawing(ui, picture, ROW - 4.0, Sense::hover());
            }
        });
        row.col(|ui| {
            let name = texts.with("series-show", [("name", entry.name.to_owned().into())]);
            let is_shown = self.is_entry_shown(outcome, entry);
            if ui.selectable_label(is_shown, entry.name).accessible_name(name).clicked() {
                self.show_entry(entry);
            }
        });
        let value = |row: &mut egui_extras::TableRow<'_, '_>, by: SortBy| {
            row.col(|ui| {
                let (cell, colours) = (entry.cell(by, found), palette(ui));
                let ink = cell.tone.map(|tone| tone.colour(colours));
                let label = |ui: &mut Ui| match ink {
                    Some(ink) => ui.colored_label(ink, &cell.text),
                    None => ui.label(&cell.text),
                };
                if by == SortBy::Checks {
                    label(ui);
                } else {
                    ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), label);
                }
            });
        };
        for by in &columns[1..columns.len() - 1] {
            value(row, *by);
        }
        let mut note = self.document.ligand_notes.get(entry.name).cloned().unwrap_or_default();
        let before = note.clone();
        row.col(|ui| {
            egui::ComboBox::from_id_salt(("tag", entry.name))
                .selected_text(texts.get(note.tag.key()))
                .width(96.0)
                .show_ui(ui, |ui| {
                    for tag in Tag::ALL {
                        ui.selectable_value(&mut note.tag, tag, texts.get(tag.key()));
                    }
                })
                .response
                .accessible_name(texts.with("series-tag-of", [("name", entry.name.to_owned().into())]));
        });
        row.col(|ui| {
            let edit = TextEdit::singleline(&mut note.text).desired_width(128.0).char_limit(500);
            let name = texts.with("series-note-of", [("name", entry.name.to_owned().into())]);
            ui.add(edit).accessible_name(name);
        });
        if note != before {
            if note == LigandNote::default() {
                self.document.ligand_notes.remove(entry.name);
            } else {
                self.document.ligand_notes.insert(entry.name.to_owned(), note);
            }
        }
        if outcome.complexes.is_empty() {
            row.col(|ui| {
                let mut is_on = self.series.overlaid.contains(entry.name);
                let name = texts.with("series-overlay-of", [("name", entry.name.to_owned().into())]);
                if checkbox(ui, &mut is_on, "").accessible_name(name).changed() {
                    if is_on {
                        self.series.overlaid.insert(entry.name.to_owned());
                    } else {
                        self.series.overlaid.remove(entry.name);
                    }
                }
            });
        }
        for by in SortBy::LAST {
            value(row, by);
        }
    }

    fn series_plot_ui(&mut self, ui: &mut Ui, texts: &Texts, outcome: &Outcome) {
        let entries = outcome.entries();
        let mut rows = Vec::new();
        let mut points = Vec::new();
        for entry in &entries {
            if let (Some(measured), Some(predicted)) = (entry.measured_pk, entry.predicted_pk) {
                rows.push(entry);
                points.push(Point { x: measured, y: predicted, name: entry.name.to_owned() });
            }
        }
        let selected = rows.iter().position(|entry| self.is_entry_shown(outcome, entry));
        let axes = (texts.get("axis-measured"), texts.get("axis-predicted"));
        let name = texts.get("series-plot");
        let clicked = scatter_plot(ui, &name, 220.0, (&axes.0, &axes.1), &points, selected);
        self.save_numbers_ui(ui, texts, &name, || {
            let rows = points.iter().map(|point| vec![point.name.clone(), cell(point.x), cell(point.y)]);
            Numbers::new("measured_predicted", &["ligand", "measured_pk", "predicted_pk"], rows)
        });
        if let Some(entry) = clicked.and_then(|point| rows.get(point)) {
            self.show_entry(entry);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_ordered_as_people_order_them() {
        let mut names = ["lig10", "Lig2", "lig1", "lig", "b", "a20", "a3"];
        names.sort_by(|a, b| natural(a, b));
        assert_eq!(names, ["a3", "a20", "b", "lig", "lig1", "Lig2", "lig10"]);
    }

    #[test]
    fn ligands_without_a_value_come_last_whichever_way() {
        let values = [(Some(1.0), "a"), (None, "b"), (Some(3.0), "c"), (Some(1.0), "d")];
        assert_eq!(order(&values, true), [2, 0, 3, 1]);
        assert_eq!(order(&values, false), [0, 3, 2, 1]);
        let names = [(None, "x10"), (None, "x9")];
        assert_eq!(order(&names, false), [1, 0]);
        assert_eq!(order(&names, true), [0, 1]);
    }
}
