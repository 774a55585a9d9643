//! Sentences that pass: what was written, what went wrong. Errors stay until they are closed.

use egui::{Align2, Area, Id, Margin, Order, Ui, vec2};

use super::theme::{self, palette};
use super::widgets::icon::Icon;
use super::widgets::{Tone, icon_button, message};
use crate::texts::Texts;

/// Seconds that good news stays.
const SECONDS: f64 = 6.0;
/// Notices shown at a time; the oldest give way.
const SHOWN: usize = 4;

struct Notice {
    tone: Tone,
    text: String,
    until: Option<f64>,
}

/// The notices in the lower right corner.
#[derive(Default)]
pub struct Notices {
    list: Vec<Notice>,
}

impl Notices {
    /// Shows a sentence. The same sentence is not shown twice.
    pub fn add(&mut self, tone: Tone, text: String) {
        self.list.retain(|notice| notice.text != text);
        if self.list.len() >= SHOWN {
            self.list.remove(0);
        }
        self.list.push(Notice { tone, text, until: None });
    }

    /// The sentences now shown.
    #[must_use]
    pub fn texts(&self) -> Vec<&str> {
        self.list.iter().map(|notice| notice.text.as_str()).collect()
    }

    /// Shows them over everything else.
    pub fn ui(&mut self, ui: &Ui, texts: &Texts) {
        let now = ui.input(|input| input.time);
        for notice in &mut self.list {
            if matches!(notice.tone, Tone::Good | Tone::Info) {
                notice.until.get_or_insert(now + SECONDS);
            }
        }
        self.list.retain(|notice| notice.until.is_none_or(|until| now < until));
        if self.list.is_empty() {
            return;
        }
        if let Some(next) = self.list.iter().filter_map(|notice| notice.until).reduce(f64::min) {
            ui.ctx().request_repaint_after(std::time::Duration::from_secs_f64((next - now).max(0.05)));
        }
        let mut closed = None;
        Area::new(Id::unique("notices")).order(Order::Foreground).anchor(Align2::CENTER_BOTTOM, vec2(0.0, -44.0)).show(
            ui.ctx(),
            |ui| {
                let colours = palette(ui);
                for (index, notice) in self.list.iter().enumerate() {
                    let frame = theme::card(colours)
                        .inner_margin(Margin::symmetric(12, 8))
                        .stroke(egui::Stroke::new(1.0, notice.tone.colour(colours)))
                        .shadow(ui.visuals().popup_shadow);
                    frame.show(ui, |ui| {
                        ui.set_width(460.0);
                        ui.horizontal_top(|ui| {
                            ui.vertical(|ui| {
                                ui.set_width(424.0);
                                message(ui, notice.tone, &notice.text);
                            });
                            if icon_button(ui, Icon::Cross, &texts.get("notice-close"), true).clicked() {
                                closed = Some(index);
                            }
                        });
                    });
                    ui.add_space(theme::GAP_SMALL);
                }
            },
        );
        if let Some(index) = closed {
            self.list.remove(index);
        }
    }
}
