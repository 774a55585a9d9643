//! What the colours in the view mean, drawn over its upper left corner.

use egui::{Color32, FontId, Pos2, Rect, Ui, pos2, vec2};
use kfold_viewer::{Color, Legend, LegendEntry, ResidueClass, RibbonKind, interaction_color};

use super::app::Studio;
use super::document::ColourBy;
use super::results_panel::interaction_key;
use super::scene::{LIGAND_CARBON, REFERENCE_CARBON};
use super::theme::{self, palette};

/// Height of a line, points.
const LINE: f32 = 17.0;
/// Size of a scale, points.
const SCALE: egui::Vec2 = vec2(132.0, 9.0);
/// A line is cut after so many letters.
const MOST_LETTERS: usize = 28;

const fn screen(colour: Color) -> Color32 {
    Color32::from_rgb(colour.r, colour.g, colour.b)
}

impl Studio {
    /// Which colour is the pose and which the reference, and what the colours of the polymer mean.
    pub(super) fn legend_ui(&self, ui: &Ui, area: Rect) {
        let Some(plan) = self.viewport.plan() else { return };
        let mut rows = Vec::new();
        if plan.ligand.is_some() {
            let values = [("rank", (self.shown_pose + 1).into())];
            rows.push((theme::rgb(LIGAND_CARBON), self.texts.with("legend-pose", values)));
        }
        if plan.reference.is_some() {
            rows.push((theme::rgb(REFERENCE_CARBON), self.texts.get("legend-reference")));
        }
        let (legends, interactions) = self.viewport.legends();
        let legends = if plan.receptor.is_some() { legends } else { &[] };
        for (_, legend) in legends {
            if let Legend::Classes(entries) = legend {
                rows.extend(entries.iter().map(|(colour, entry)| (screen(*colour), self.entry_text(entry))));
            }
        }
        rows.extend(
            interactions
                .iter()
                .map(|kind| (screen(interaction_color(*kind)), self.entry_text(&LegendEntry::Interaction(*kind)))),
        );
        let colours = palette(ui);
        let font = egui::TextStyle::Small.resolve(ui.style());
        let mut place = area.min + vec2(14.0, 14.0);
        let lines = ((area.height() - 80.0) / LINE).max(0.0) as usize;
        // One ground under all of it, whose size is known at the end.
        let ground = ui.painter().add(egui::Shape::Noop);
        let mut extent = Rect::NOTHING;
        for (colour, text) in rows.into_iter().take(lines) {
            ui.painter().circle_filled(place, 5.0, colour);
            let text = if text.chars().count() > MOST_LETTERS {
                text.chars().take(MOST_LETTERS - 1).chain(['…']).collect()
            } else {
                text
            };
            let rect = label(ui, place + vec2(11.0, 0.0), egui::Align2::LEFT_CENTER, &text, &font, colours.text);
            extent = extent.union(rect.with_min_x(place.x - 5.0));
            place.y += LINE;
        }
        for (of, legend) in legends {
            let Legend::Ramp { stops, low, high } = legend else { continue };
            let rect = Rect::from_min_size(place + vec2(-5.0, -4.0), SCALE);
            scale(ui, rect, stops);
            let [low, high] = self.ends_text(*of, *low, *high);
            let below = rect.bottom() + 3.0;
            let low = label(ui, pos2(rect.left(), below), egui::Align2::LEFT_TOP, &low, &font, colours.text);
            let high = label(ui, pos2(rect.right(), below), egui::Align2::RIGHT_TOP, &high, &font, colours.text);
            extent = extent.union(rect).union(low).union(high);
            place.y += LINE + SCALE.y + 8.0;
        }
        if extent.is_positive() {
            let fill = colours.view.gamma_multiply(0.85);
            ui.painter().set(ground, egui::Shape::rect_filled(extent.expand(5.0), 4.0, fill));
        }
    }

    /// What stands at the ends of a scale.
    fn ends_text(&self, of: ColourBy, low: f32, high: f32) -> [String; 2] {
        let number = |value: f32, unit: &str| format!("{}{unit}", super::format::number(value, 1));
        match of {
            ColourBy::Position => [self.texts.get("legend-first"), self.texts.get("legend-last")],
            ColourBy::Hydropathy => [self.texts.get("legend-hydrophilic"), self.texts.get("legend-hydrophobic")],
            ColourBy::Charge => ["−1".to_owned(), "+1".to_owned()],
            ColourBy::Electrostatics => [number(low, ""), number(high, " kcal/(mol·e)")],
            ColourBy::BFactor => [number(low, ""), number(high, " Å²")],
            ColourBy::Fluctuation | ColourBy::Difference => [number(low, ""), number(high, " Å")],
            _ => [number(low, ""), number(high, "")],
        }
    }

    fn entry_text(&self, entry: &LegendEntry) -> String {
        match entry {
            LegendEntry::Named(name) if name.is_empty() => self.texts.get("legend-unnamed"),
            LegendEntry::Named(name) => name.clone(),
            LegendEntry::Element(element) => element.symbol().to_owned(),
            LegendEntry::Ribbon(kind) => self.texts.get(match kind {
                RibbonKind::Helix => "legend-helix",
                RibbonKind::Strand => "legend-strand",
                RibbonKind::Coil => "legend-coil",
            }),
            LegendEntry::Residues(class) => match class {
                ResidueClass::Small => self.texts.get("legend-small"),
                ResidueClass::Hydrophobic => self.texts.get("legend-hydrophobic"),
                ResidueClass::Polar => self.texts.get("legend-polar"),
                ResidueClass::Negative => self.texts.get("legend-negative"),
                ResidueClass::Positive => self.texts.get("legend-positive"),
                ResidueClass::Adenine => "A".to_owned(),
                ResidueClass::Cytosine => "C".to_owned(),
                ResidueClass::Guanine => "G".to_owned(),
                ResidueClass::ThymineOrUracil => "T, U".to_owned(),
                ResidueClass::Other => self.texts.get("legend-other"),
            },
            LegendEntry::Interaction(kind) => self.texts.get(interaction_key(*kind)),
            LegendEntry::Between(low, high) => format!("pLDDT {low:.0}–{high:.0}"),
            LegendEntry::More(count) => self.texts.with("legend-more", [("count", (*count).into())]),
        }
    }
}

/// Writes a text; where it stands.
fn label(ui: &Ui, place: Pos2, align: egui::Align2, text: &str, font: &FontId, ink: Color32) -> Rect {
    let galley = ui.painter().layout_no_wrap(text.to_owned(), font.clone(), ink);
    let rect = align.anchor_size(place, galley.size());
    ui.painter().galley(rect.min, galley, ink);
    rect
}

/// A scale of evenly spaced colours.
fn scale(ui: &Ui, rect: Rect, stops: &[Color]) {
    let mut mesh = egui::Mesh::default();
    let last = stops.len().saturating_sub(1).max(1) as f32;
    for (index, stop) in stops.iter().enumerate() {
        let x = rect.left() + rect.width() * index as f32 / last;
        mesh.colored_vertex(pos2(x, rect.top()), screen(*stop));
        mesh.colored_vertex(pos2(x, rect.bottom()), screen(*stop));
        if index > 0 {
            let corner = 2 * index as u32;
            mesh.add_triangle(corner - 2, corner - 1, corner);
            mesh.add_triangle(corner - 1, corner, corner + 1);
        }
    }
    ui.painter().add(mesh);
}
