//! What docking can be told beyond its defaults, each with a line that says what it does.

use egui::{RichText, Role, TextEdit, Ui, WidgetInfo, vec2};
use kfold_inference::settings::{ScoringFunction, Settings};

use super::super::app::Studio;
use super::super::theme::{self, GAP_SMALL, palette};
use super::super::widgets::{Tone, checkbox, field, message, note, segmented, small_button};
use super::editor::Picking;
use crate::texts::Texts;

/// Seeds that can be typed.
const MAX_SEEDS: usize = 1_000;

/// Adds a residue to a list, or takes it out.
pub(super) fn toggle(list: &mut Vec<String>, residue: String) {
    match list.iter().position(|held| *held == residue) {
        Some(place) => {
            list.remove(place);
        }
        None => list.push(residue),
    }
}

/// Seeds as people type them: `1, 5, 10-12`. `None` when it is no list of different seeds.
pub(super) fn parse_seeds(text: &str, least: u64) -> Option<Vec<u64>> {
    let mut seeds = Vec::new();
    for part in text.split([',', ' ']).map(str::trim).filter(|part| !part.is_empty()) {
        let (first, last) = part.split_once(['-', '–']).unwrap_or((part, part));
        let (first, last): (u64, u64) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
        if first < least || last < first || last - first >= MAX_SEEDS as u64 {
            return None;
        }
        for seed in first..=last {
            if seeds.contains(&seed) || seeds.len() >= MAX_SEEDS {
                return None;
            }
            seeds.push(seed);
        }
    }
    (!seeds.is_empty()).then_some(seeds)
}

/// Seeds as [`parse_seeds`] reads them, runs of three and more shortened.
pub(super) fn seeds_text(seeds: &[u64]) -> String {
    let mut parts = Vec::new();
    let mut rest = seeds;
    while let Some((&first, _)) = rest.split_first() {
        let run = rest.iter().zip(first..).take_while(|(seed, wanted)| *seed == wanted).count();
        let (taken, left) = rest.split_at(if run >= 3 { run } else { 1 });
        parts.push(match taken.last() {
            Some(last) if run >= 3 => format!("{first}-{last}"),
            _ => first.to_string(),
        });
        rest = left;
    }
    parts.join(", ")
}

impl Studio {
    /// The seeds, as a list that can be typed.
    pub(in super::super) fn seeds_ui(&mut self, ui: &mut Ui, least: u64) {
        let texts = std::sync::Arc::clone(&self.texts);
        let settings: &mut Settings = &mut self.document.settings;
        let mut text = self.query_editor.seed_text.clone().unwrap_or_else(|| seeds_text(&settings.seeds));
        let response =
            field(ui, &texts.get("settings-seeds"), |ui| ui.add(TextEdit::singleline(&mut text).desired_width(150.0)))
                .on_hover_text(texts.get("settings-seeds-hint"));
        let parsed = parse_seeds(&text, least);
        if response.changed()
            && let Some(seeds) = &parsed
            && *seeds != settings.seeds
        {
            settings.seeds.clone_from(seeds);
            settings.seed = seeds.first().copied().unwrap_or(1);
        }
        if response.has_focus() {
            if parsed.is_none() {
                message(ui, Tone::Bad, &texts.with("settings-seeds-wrong", [("least", least.into())]));
            }
            self.query_editor.seed_text = Some(text);
        } else {
            self.query_editor.seed_text = None;
        }
    }

    /// Everything docking can be told.
    pub(in super::super) fn docking_options_ui(&mut self, ui: &mut Ui) {
        let texts = std::sync::Arc::clone(&self.texts);
        let has_pocket = self.document.query.pocket.is_some();
        let has_reference = matches!(self.document.query.pocket, Some(kfold_inference::query::Pocket::Ligand { .. }));
        let docking = &mut self.document.settings.docking;
        let choices = [ScoringFunction::Vina, ScoringFunction::Vinardo]
            .map(|scoring| (scoring, scoring.display_name().to_owned()));
        choice_ui(ui, &texts.get("settings-scoring"), &mut docking.scoring, &choices);
        switch(ui, &texts, ("settings-cnn", "settings-cnn-hint"), &mut docking.cnn);
        let number = |ui: &mut Ui, key: &str, hint: &str, value: &mut u32, range: std::ops::RangeInclusive<u32>| {
            number_ui(ui, &texts, (key, hint), value, range);
        };
        number(ui, "settings-exhaustiveness", "settings-exhaustiveness-hint", &mut docking.exhaustiveness, 1..=256);
        number(ui, "settings-poses", "settings-poses-hint", &mut docking.poses, 1..=100);
        length_ui(ui, &texts, ("settings-min-rmsd", "settings-min-rmsd-hint"), &mut docking.min_rmsd, 0.0..=10.0, " Å");
        let range = &mut docking.energy_range_kcal_per_mol;
        length_ui(ui, &texts, ("settings-energy-range", "settings-energy-range-hint"), range, 0.0..=50.0, " kcal/mol");
        self.seeds_ui(ui, 0);
        let docking = &mut self.document.settings.docking;
        if !has_pocket {
            number(ui, "settings-pockets", "settings-pockets-hint", &mut docking.pockets, 1..=20);
        }
        ui.add_enabled_ui(has_reference || docking.hold_scaffold, |ui| {
            switch(ui, &texts, ("settings-scaffold", "settings-scaffold-hint"), &mut docking.hold_scaffold);
        });
        if docking.hold_scaffold && !has_reference {
            message(ui, Tone::Warning, &texts.get("settings-scaffold-needs"));
        }
        self.flexible_ui(ui);
        let docking = &mut self.document.settings.docking;
        number(ui, "settings-conformers", "settings-conformers-hint", &mut docking.ensemble_conformers, 0..=100);
        if docking.ensemble_conformers > 0 {
            let names = ("settings-amplitude", "settings-amplitude-hint");
            length_ui(ui, &texts, names, &mut docking.ensemble_amplitude, 0.1..=10.0, " Å");
            switch(
                ui,
                &texts,
                ("settings-dock-ensemble", "settings-dock-ensemble-hint"),
                &mut docking.dock_into_ensemble,
            );
        } else {
            docking.dock_into_ensemble = false;
        }
        number(ui, "settings-threads", "settings-threads-hint", &mut docking.threads, 0..=256);
    }

    fn flexible_ui(&mut self, ui: &mut Ui) {
        let texts = std::sync::Arc::clone(&self.texts);
        let docking = &mut self.document.settings.docking;
        let names = ("settings-flexible-within", "settings-flexible-within-hint");
        length_ui(ui, &texts, names, &mut docking.flexible_within, 0.0..=8.0, " Å");
        let mut remove = None;
        if !docking.flexible.is_empty() {
            ui.horizontal_wrapped(|ui| {
                ui.spacing_mut().item_spacing = vec2(GAP_SMALL, GAP_SMALL);
                for (index, residue) in docking.flexible.iter().enumerate() {
                    let label = texts.with("flexible-remove", [("name", residue.clone().into())]);
                    let button = small_button(ui, format!("{residue}  ×"));
                    button.widget_info(|| WidgetInfo::labeled(Role::Button, true, &label));
                    if button.on_hover_text(&label).clicked() {
                        remove = Some(index);
                    }
                }
            });
        }
        if let Some(index) = remove {
            docking.flexible.remove(index);
        }
        let mut is_picking = self.query_editor.picking == Picking::Flexible;
        if checkbox(ui, &mut is_picking, texts.get("flexible-pick")).changed() {
            self.query_editor.picking = if is_picking { Picking::Flexible } else { Picking::Off };
        }
        let text = &mut self.query_editor.flexible_text;
        let response = field(ui, &texts.get("flexible-name"), |ui| {
            ui.add(TextEdit::singleline(text).desired_width(120.0).hint_text(texts.get("pocket-residue-hint")))
        });
        if response.lost_focus() && ui.input(|input| input.key_pressed(egui::Key::Enter)) {
            for name in text.split([',', ' ']).map(str::trim).filter(|name| !name.is_empty()) {
                if !docking.flexible.iter().any(|held| held == name) {
                    docking.flexible.push(name.to_owned());
                }
            }
            text.clear();
        }
        note(ui, &texts.get("flexible-hint"));
    }
}

/// A choice between a few things, with its name.
pub(super) fn choice_ui<T: PartialEq + Copy>(ui: &mut Ui, name: &str, value: &mut T, choices: &[(T, String)]) {
    let colours = palette(ui);
    ui.horizontal(|ui| {
        ui.allocate_ui(vec2(128.0, theme::CONTROL_HEIGHT), |ui| {
            ui.set_width(128.0);
            ui.label(RichText::new(name).color(colours.text_muted));
        });
        segmented(ui, name, value, choices);
    });
}

/// A whole number with its name.
pub(in super::super) fn number_ui(
    ui: &mut Ui,
    texts: &Texts,
    (key, hint): (&str, &str),
    value: &mut u32,
    range: std::ops::RangeInclusive<u32>,
) {
    field(ui, &texts.get(key), |ui| ui.add(egui::DragValue::new(value).range(range).speed(0.1)))
        .on_hover_text(texts.get(hint));
}

/// A number with a unit, with its name.
fn length_ui(
    ui: &mut Ui,
    texts: &Texts,
    (key, hint): (&str, &str),
    value: &mut f32,
    range: std::ops::RangeInclusive<f32>,
    unit: &str,
) {
    field(ui, &texts.get(key), |ui| {
        ui.add(egui::DragValue::new(value).range(range).speed(0.02).fixed_decimals(1).suffix(unit))
    })
    .on_hover_text(texts.get(hint));
}

/// Something that is on or off, with a line below that says what it does.
fn switch(ui: &mut Ui, texts: &Texts, (key, hint): (&str, &str), value: &mut bool) {
    checkbox(ui, value, texts.get(key)).on_hover_text(texts.get(hint));
    note(ui, &texts.get(hint));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_are_typed_as_lists_and_ranges() {
        assert_eq!(parse_seeds("1, 5, 10-12", 0), Some(vec![1, 5, 10, 11, 12]));
        assert_eq!(parse_seeds("7", 1), Some(vec![7]));
        for wrong in ["", "0", "3-1", "1,1", "a", "1-2000", "-5"] {
            assert_eq!(parse_seeds(wrong, 1), None, "{wrong}");
        }
        for seeds in [vec![1], vec![1, 2], vec![1, 2, 3, 9], vec![5, 4, 3], vec![2, 3, 4, 5, 7, 8, 9]] {
            let text = seeds_text(&seeds);
            assert_eq!(parse_seeds(&text, 0), Some(seeds), "{text}");
        }
        assert_eq!(seeds_text(&[1, 2, 3, 9]), "1-3, 9");
    }
}
