//! The settings of a prediction, in the left panel: the engine, and what it can be told.

use egui::{RichText, Ui, vec2};
use kfold_inference::engine::EngineName;
use kfold_inference::settings::{ScoringFunction, Settings};

use super::app::Studio;
use super::theme::{self, palette};
use super::widgets::{field, segmented};
use crate::texts::Texts;

impl Studio {
    pub(super) fn settings_ui(&mut self, ui: &mut Ui) {
        let texts = self.texts.clone();
        let settings = &mut self.document.settings;
        let title = RichText::new(texts.get("section-settings")).text_style(theme::title_style());
        egui::CollapsingHeader::new(title).id_salt("settings").default_open(false).show_unindented(ui, |ui| {
            let engines = EngineName::ALL.map(|engine| (engine, engine.display_name().to_owned()));
            choice_ui(ui, &texts.get("settings-engine"), &mut settings.engine, &engines);
            if settings.engine == EngineName::KFold {
                kfold_settings_ui(ui, &texts, settings);
                return;
            }
            let docking = &mut settings.docking;
            let choices = [ScoringFunction::Vina, ScoringFunction::Vinardo]
                .map(|scoring| (scoring, scoring.display_name().to_owned()));
            choice_ui(ui, &texts.get("settings-scoring"), &mut docking.scoring, &choices);
            ui.checkbox(&mut docking.cnn, texts.get("settings-cnn")).on_hover_text(texts.get("settings-cnn-hint"));
            let number = |ui: &mut Ui, key: &str, hint: &str, value: &mut u32, range: std::ops::RangeInclusive<u32>| {
                number_ui(ui, &texts, (key, hint), value, range);
            };
            number(ui, "settings-exhaustiveness", "settings-exhaustiveness-hint", &mut docking.exhaustiveness, 1..=256);
            number(ui, "settings-poses", "settings-poses-hint", &mut docking.poses, 1..=100);
            seed_ui(ui, &texts, settings);
            let docking = &mut settings.docking;
            number(ui, "settings-conformers", "settings-conformers-hint", &mut docking.ensemble_conformers, 0..=100);
            if docking.ensemble_conformers > 0 {
                field(ui, &texts.get("settings-amplitude"), |ui| {
                    let value = egui::DragValue::new(&mut docking.ensemble_amplitude).range(0.1..=10.0).speed(0.02);
                    ui.add(value.fixed_decimals(1).suffix(" Å"))
                })
                .on_hover_text(texts.get("settings-amplitude-hint"));
            }
            number(ui, "settings-threads", "settings-threads-hint", &mut docking.threads, 0..=256);
        });
    }
}

/// A choice between a few things, with its name.
fn choice_ui<T: PartialEq + Copy>(ui: &mut Ui, name: &str, value: &mut T, choices: &[(T, String)]) {
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
fn number_ui(
    ui: &mut Ui,
    texts: &Texts,
    (key, hint): (&str, &str),
    value: &mut u32,
    range: std::ops::RangeInclusive<u32>,
) {
    field(ui, &texts.get(key), |ui| ui.add(egui::DragValue::new(value).range(range).speed(0.1)))
        .on_hover_text(texts.get(hint));
}

/// The seed, from the least that the engine takes.
fn seed_ui(ui: &mut Ui, texts: &Texts, settings: &mut Settings) {
    let least = u64::from(settings.engine == EngineName::KFold);
    let mut seed = settings.seeds.first().copied().unwrap_or(1);
    let response = field(ui, &texts.get("settings-seed"), |ui| {
        ui.add(egui::DragValue::new(&mut seed).range(least..=u64::from(u32::MAX)).speed(0.1))
    })
    .on_hover_text(texts.get("settings-seed-hint"));
    if response.changed() {
        settings.seeds = vec![seed];
        settings.seed = seed;
    }
}

fn kfold_settings_ui(ui: &mut Ui, texts: &Texts, settings: &mut Settings) {
    if settings.seeds.contains(&0) {
        settings.seeds = vec![1];
    }
    let kfold = &mut settings.kfold;
    let numbers = [
        (("settings-samples", "settings-samples-hint"), &mut kfold.num_samples, 1..=1000),
        (("settings-recycles", "settings-recycles-hint"), &mut kfold.num_recycles, 1..=1000),
        (("settings-steps", "settings-steps-hint"), &mut kfold.num_steps, 1..=10_000),
        (("settings-apos", "settings-apos-hint"), &mut kfold.num_apos, 1..=5),
    ];
    for (names, value, range) in numbers {
        number_ui(ui, texts, names, value, range);
    }
    ui.checkbox(&mut kfold.save_confidence, texts.get("settings-save-confidence"));
    seed_ui(ui, texts, settings);
}
