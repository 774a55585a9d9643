//! The structural formula of a ligand in the window, as [`formula`] draws it, and what of it can be picked.

use egui::{Painter, Pos2, Rect, Role, Sense, Stroke, Ui, Vec2, WidgetInfo, vec2};
use kfold_molecule::chemistry::depict::Depiction;

use super::super::theme::palette;
use super::paint::paint;
use crate::drawing::bounds;
use crate::drawing::formula::{Formula, formula};

/// Longest bond on the screen, points: small molecules are not blown up.
const LONGEST_BOND: f32 = 26.0;
/// Free space around the formula, points.
const MARGIN: f32 = 6.0;

/// Shows a structural formula in the width at hand.
pub fn depiction(ui: &mut Ui, formula: &Depiction, max_height: f32, name: &str) {
    if let Some(laid) = lay(ui, formula, max_height, name, LONGEST_BOND) {
        laid.draw(ui);
    }
}

/// An atom or a bond of a formula, by its index in the [`Depiction`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Part {
    /// An atom.
    Atom(usize),
    /// A bond.
    Bond(usize),
}

/// What of a formula can be picked.
pub struct Parts<'a> {
    /// What a part is called.
    pub name_of: &'a dyn Fn(Part) -> String,
    /// Whether bonds can be picked too.
    pub with_bonds: bool,
    /// Those that are marked.
    pub chosen: &'a [Part],
    /// Longest bond on the screen, points.
    pub longest_bond: f32,
}

/// Shows a structural formula whose atoms (and bonds) can be clicked, or reached by Tab and pressed. The one that was.
pub fn pick_in_depiction(
    ui: &mut Ui,
    formula: &Depiction,
    max_height: f32,
    name: &str,
    parts: &Parts<'_>,
) -> Option<Part> {
    let laid = lay(ui, formula, max_height, name, parts.longest_bond)?;
    let accent = palette(ui).accent;
    let radius = (laid.bond * 0.33).clamp(6.0, 15.0);
    let places: Vec<Pos2> = laid.places();
    let mut picked = None;
    let mut marks: Vec<(Part, f32)> = parts.chosen.iter().map(|part| (*part, 0.35)).collect();
    let id = ui.scope_id().with(("parts", name));
    let mut touch = |ui: &mut Ui, part: Part, at: Pos2, radius: f32| {
        let area = Rect::from_center_size(at, Vec2::splat(2.0 * radius)).intersect(laid.rect);
        let response = ui.interact(area, id.with(part), Sense::click());
        let label = (parts.name_of)(part);
        response.widget_info(|| WidgetInfo::labeled(Role::Button, true, &label));
        if response.hovered() || response.has_focus() {
            marks.push((part, 0.2));
        }
        if response.on_hover_text(label).clicked() {
            picked = Some(part);
        }
    };
    // Atoms last: where both are, the atom is meant.
    if parts.with_bonds {
        for (index, bond) in formula.bonds.iter().enumerate() {
            let ends = (places.get(bond.a as usize), places.get(bond.b as usize));
            if let (Some(a), Some(b)) = ends {
                touch(ui, Part::Bond(index), *a + (*b - *a) * 0.5, radius * 0.8);
            }
        }
    }
    for (index, at) in places.iter().enumerate() {
        touch(ui, Part::Atom(index), *at, radius);
    }
    for (part, strength) in marks {
        let tint = accent.gamma_multiply(strength);
        match part {
            Part::Atom(index) => {
                if let Some(at) = places.get(index) {
                    laid.painter.circle_filled(*at, radius, tint);
                }
            }
            Part::Bond(index) => {
                if let Some(bond) = formula.bonds.get(index)
                    && let (Some(a), Some(b)) = (places.get(bond.a as usize), places.get(bond.b as usize))
                {
                    laid.painter.line_segment([*a, *b], Stroke::new(radius, tint));
                }
            }
        }
    }
    laid.draw(ui);
    picked
}

/// A formula in its place on the screen.
struct Laid {
    painter: Painter,
    rect: Rect,
    /// Where the formula's own origin is.
    origin: Pos2,
    formula: Formula,
    /// Length of a bond, points.
    bond: f32,
}

/// Takes the room and lays the formula into it.
fn lay(ui: &mut Ui, depiction: &Depiction, max_height: f32, name: &str, longest_bond: f32) -> Option<Laid> {
    let (low, high) = depiction.bounds()?;
    let span = (high - low).max(glam::Vec2::splat(0.1));
    let room = vec2(ui.available_width() - 2.0 * MARGIN, max_height - 2.0 * MARGIN);
    let mut bond = (room.x / span.x).min(room.y / span.y).clamp(4.0, longest_bond);
    let mut drawn = formula(depiction, bond);
    let (mut low, mut high) = extent(&drawn);
    // Letters reach beyond the atoms they stand at: what they take is taken off the bonds, once.
    let excess = ((high.x - low.x) / room.x).max((high.y - low.y) / room.y);
    if excess > 1.0 {
        bond = (bond / excess).max(4.0);
        drawn = formula(depiction, bond);
        (low, high) = extent(&drawn);
    }
    let size = vec2(ui.available_width(), (high.y - low.y + 2.0 * MARGIN).clamp(44.0, max_height.max(44.0)));
    let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, name));
    let middle = (low + high) * 0.5;
    let origin = rect.center() - vec2(middle.x, middle.y);
    Some(Laid { painter: ui.painter_at(rect), rect, origin, formula: drawn, bond })
}

/// The corners of all that is drawn.
fn extent(formula: &Formula) -> (glam::Vec2, glam::Vec2) {
    let none = (glam::Vec2::INFINITY, glam::Vec2::NEG_INFINITY);
    let all = formula.shapes.iter().map(bounds).fold(none, |held, one| (held.0.min(one.0), held.1.max(one.1)));
    if all.0.x <= all.1.x { all } else { (glam::Vec2::ZERO, glam::Vec2::ZERO) }
}

impl Laid {
    /// Where the atoms are.
    fn places(&self) -> Vec<Pos2> {
        self.formula.places.iter().map(|place| self.origin + vec2(place.x, place.y)).collect()
    }

    fn draw(&self, ui: &Ui) {
        if ui.is_rect_visible(self.rect) {
            paint(&self.painter, palette(ui), &self.formula.shapes, self.origin, 1.0);
        }
    }
}
