//! The settings of a prediction, in the left panel: the engine, and what it can be told.

use egui::{RichText, Ui};
use kfold_inference::engine::EngineName;
use kfold_inference::settings::Settings;

use super::app::Studio;
use super::query::number_ui;
use super::theme;
use super::widgets::{checkbox, note, segmented};
use crate::texts::Texts;

impl Studio {
    pub(super) fn settings_ui(&mut self, ui: &mut Ui) {
        let texts = self.texts.clone();
        let title = RichText::new(texts.get("section-settings")).text_style(theme::title_style());
        egui::CollapsingHeader::new(title).id_salt("settings").default_open(false).show_unindented(ui, |ui| {
            let named = EngineName::ALL.map(|engine| (Some(engine), engine.display_name().to_owned()));
            let engines: Vec<_> = std::iter::once((None, texts.get("engine-automatic"))).chain(named).collect();
            let mut engine = (!self.document.is_automatic).then_some(self.document.settings.engine);
            segmented(ui, &texts.get("settings-engine"), &mut engine, &engines);
            self.document.is_automatic = engine.is_none();
            let settings = &mut self.document.settings;
            settings.engine = engine.unwrap_or(settings.engine);
            if self.document.is_automatic {
                note(ui, &texts.get("engine-automatic-note"));
                return;
            }
            if settings.engine == EngineName::KFold {
                kfold_settings_ui(ui, &texts, settings);
                self.seeds_ui(ui, 1);
                return;
            }
            self.docking_options_ui(ui);
        });
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
    checkbox(ui, &mut kfold.save_confidence, texts.get("settings-save-confidence"));
    checkbox(ui, &mut kfold.save_trajectory, texts.get("settings-save-trajectory"))
        .on_hover_text(texts.get("settings-save-trajectory-hint"));
}
