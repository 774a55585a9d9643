//! The structural formula of a ligand, painted: carbons are corners, other elements have their colour, stereo bonds are
//! wedges and hashes.

use egui::{
    Align2, Color32, FontId, Painter, Pos2, Rect, Role, Sense, Shape, Stroke, Ui, Vec2, WidgetInfo, pos2, vec2,
};
use kfold_molecule::BondOrder;
use kfold_molecule::chemistry::depict::{AtomLabel, BondStyle, DepictedBond, Depiction, SecondLine, Side};

use super::super::theme::{Palette, palette};

/// Longest bond on the screen, points: small molecules are not blown up.
const LONGEST_BOND: f32 = 26.0;
/// Free space around the formula for its labels, points.
const MARGIN: f32 = 18.0;

/// Shows a structural formula in the width at hand.
pub fn depiction(ui: &mut Ui, formula: &Depiction, max_height: f32, name: &str) {
    let Some((drawing, rect)) = place(ui, formula, max_height, name, LONGEST_BOND) else { return };
    if ui.is_rect_visible(rect) {
        drawing.draw();
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
    let (drawing, rect) = place(ui, formula, max_height, name, parts.longest_bond)?;
    let colours = drawing.colours;
    let radius = (drawing.bond * 0.33).clamp(6.0, 15.0);
    let mut picked = None;
    let mut marks: Vec<(Part, f32)> = parts.chosen.iter().map(|part| (*part, 0.35)).collect();
    let id = ui.scope_id().with(("parts", name));
    let mut touch = |ui: &mut Ui, part: Part, at: Pos2, radius: f32| {
        let area = Rect::from_center_size(at, Vec2::splat(2.0 * radius)).intersect(rect);
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
            let ends = (drawing.places.get(bond.a as usize), drawing.places.get(bond.b as usize));
            if let (Some(a), Some(b)) = ends {
                touch(ui, Part::Bond(index), *a + (*b - *a) * 0.5, radius * 0.8);
            }
        }
    }
    for (index, at) in drawing.places.iter().enumerate() {
        touch(ui, Part::Atom(index), *at, radius);
    }
    for (part, strength) in marks {
        let tint = colours.accent.gamma_multiply(strength);
        match part {
            Part::Atom(index) => {
                if let Some(at) = drawing.places.get(index) {
                    drawing.painter.circle_filled(*at, radius, tint);
                }
            }
            Part::Bond(index) => {
                if let Some(bond) = formula.bonds.get(index)
                    && let Some(line) = drawing.line(bond)
                {
                    drawing.painter.line_segment(line, Stroke::new(radius, tint));
                }
            }
        }
    }
    if ui.is_rect_visible(rect) {
        drawing.draw();
    }
    picked
}

/// Takes the room and lays the formula into it.
fn place<'a>(
    ui: &mut Ui,
    formula: &'a Depiction,
    max_height: f32,
    name: &str,
    longest_bond: f32,
) -> Option<(Drawing<'a>, Rect)> {
    let (low, high) = formula.bounds()?;
    let span = (high - low).max(glam::Vec2::splat(0.1));
    let width = ui.available_width();
    let bond = ((width - 2.0 * MARGIN) / span.x).min((max_height - 2.0 * MARGIN) / span.y).clamp(4.0, longest_bond);
    let height = (span.y * bond + 2.0 * MARGIN).clamp(44.0, max_height.max(44.0));
    let (rect, response) = ui.allocate_exact_size(vec2(width, height), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, name));
    let middle = (low + high) * 0.5;
    // The formula's y runs up, the screen's down.
    let places = formula
        .atoms
        .iter()
        .map(|atom| rect.center() + vec2(atom.position.x - middle.x, middle.y - atom.position.y) * bond)
        .collect();
    let size = (bond * 0.55).clamp(8.5, 15.0);
    Some((Drawing { painter: ui.painter_at(rect), formula, places, colours: palette(ui), size, bond }, rect))
}

struct Drawing<'a> {
    painter: Painter,
    formula: &'a Depiction,
    places: Vec<Pos2>,
    colours: &'a Palette,
    size: f32,
    bond: f32,
}

impl Drawing<'_> {
    fn draw(&self) {
        for bond in &self.formula.bonds {
            if let Some(line) = self.line(bond) {
                self.bond(bond, line);
            }
        }
        for (atom, place) in self.formula.atoms.iter().zip(&self.places) {
            if let Some(label) = &atom.label {
                self.label(label, *place);
            }
        }
    }

    /// The ends of a bond, cut back from atoms that are written out.
    fn line(&self, bond: &DepictedBond) -> Option<[Pos2; 2]> {
        let from = *self.places.get(bond.a as usize)?;
        let to = *self.places.get(bond.b as usize)?;
        let along = (to - from).normalized();
        let cut = |atom: u32| {
            let is_written = self.formula.atoms.get(atom as usize).is_some_and(|atom| atom.label.is_some());
            if is_written { self.size * 0.68 } else { 0.0 }
        };
        Some([from + along * cut(bond.a), to - along * cut(bond.b)])
    }

    fn bond(&self, bond: &DepictedBond, line: [Pos2; 2]) {
        let stroke = Stroke::new((self.size / 9.0).clamp(1.0, 1.5), self.colours.text);
        let along = (line[1] - line[0]).normalized();
        // To the left of the way from a to b, as the eye sees it.
        let left = vec2(along.y, -along.x);
        let gap = (self.bond * 0.15).clamp(2.2, 4.0);
        let parallel = |shift: Vec2, cut: Vec2| {
            self.painter.line_segment([line[0] + shift + cut, line[1] + shift - cut], stroke);
        };
        match (bond.order, bond.style) {
            (BondOrder::Double, BondStyle::Crossed) => {
                let shift = left * (gap * 0.5);
                self.painter.line_segment([line[0] + shift, line[1] - shift], stroke);
                self.painter.line_segment([line[0] - shift, line[1] + shift], stroke);
            }
            (BondOrder::Double, _) => {
                let side = match bond.second_line {
                    SecondLine::Centred => {
                        parallel(left * (gap * 0.5), Vec2::ZERO);
                        parallel(left * (gap * -0.5), Vec2::ZERO);
                        return;
                    }
                    SecondLine::Left => 1.0,
                    SecondLine::Right => -1.0,
                };
                parallel(Vec2::ZERO, Vec2::ZERO);
                parallel(left * (gap * side), along * (self.bond * 0.11));
            }
            (BondOrder::Triple, _) => {
                for side in [-1.0, 0.0, 1.0] {
                    parallel(left * (gap * side), Vec2::ZERO);
                }
            }
            (BondOrder::Coordination, _) => {
                self.painter.extend(Shape::dashed_line(&line, stroke, 3.0, 2.5));
            }
            (BondOrder::Single | BondOrder::Aromatic, BondStyle::Wedge) => {
                let half = left * (gap * 0.75);
                let corners = vec![line[0], line[1] + half, line[1] - half];
                self.painter.add(Shape::convex_polygon(corners, self.colours.text, Stroke::NONE));
            }
            (BondOrder::Single | BondOrder::Aromatic, BondStyle::Hash) => {
                let steps = ((line[1] - line[0]).length() / 3.0).round().clamp(4.0, 9.0) as usize;
                for step in 1..=steps {
                    let share = step as f32 / steps as f32;
                    let place = line[0] + (line[1] - line[0]) * share;
                    let half = left * (gap * 0.75 * share);
                    self.painter.line_segment([place + half, place - half], stroke);
                }
            }
            (BondOrder::Single | BondOrder::Aromatic, BondStyle::Plain | BondStyle::Crossed) => {
                parallel(Vec2::ZERO, Vec2::ZERO);
            }
        }
    }

    /// The symbol stands on the atom; hydrogens, charge and isotope around it.
    fn label(&self, label: &AtomLabel, place: Pos2) {
        let font = FontId::proportional(self.size);
        let colour = self.colour(label.symbol);
        let symbol = self.painter.text(place, Align2::CENTER_CENTER, label.symbol, font.clone(), colour);
        if let Some(isotope) = label.isotope {
            let text = superscript(u32::from(isotope));
            self.painter.text(symbol.left_center(), Align2::RIGHT_CENTER, text, font.clone(), colour);
        }
        let mut end: Rect = symbol;
        if label.hydrogens > 0 {
            let text = if label.hydrogens == 1 {
                "H".to_owned()
            } else {
                format!("H{}", subscript(u32::from(label.hydrogens)))
            };
            let (at, align) = match label.hydrogen_side {
                Side::Right => (symbol.right_center(), Align2::LEFT_CENTER),
                Side::Left => (symbol.left_center(), Align2::RIGHT_CENTER),
                Side::Above => (pos2(place.x, place.y - self.size * 0.95), Align2::CENTER_CENTER),
                Side::Below => (pos2(place.x, place.y + self.size * 0.95), Align2::CENTER_CENTER),
            };
            let drawn = self.painter.text(at, align, text, font.clone(), colour);
            if label.hydrogen_side == Side::Right {
                end = drawn;
            }
        }
        if label.charge != 0 {
            let sign = if label.charge > 0 { "⁺" } else { "⁻" };
            let count = u32::from(label.charge.unsigned_abs());
            let text = if count == 1 { sign.to_owned() } else { format!("{}{sign}", superscript(count)) };
            self.painter.text(end.right_center(), Align2::LEFT_CENTER, text, font, colour);
        }
    }

    fn colour(&self, symbol: &str) -> Color32 {
        match symbol {
            "N" => self.colours.nitrogen,
            "O" => self.colours.oxygen,
            "S" | "Se" => self.colours.sulphur,
            "F" | "Cl" | "Br" | "I" => self.colours.halogen,
            "P" | "B" | "Si" => self.colours.phosphorus,
            _ => self.colours.text,
        }
    }
}

fn subscript(count: u32) -> String {
    count.to_string().chars().filter_map(|digit| char::from_u32(0x2080 + digit.to_digit(10)?)).collect()
}

fn superscript(count: u32) -> String {
    const DIGITS: [char; 10] = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];
    count.to_string().chars().filter_map(|digit| DIGITS.get(digit.to_digit(10)? as usize).copied()).collect()
}

#[cfg(test)]
mod tests {
    use super::{subscript, superscript};

    #[test]
    fn digits_become_small() {
        assert_eq!(subscript(12), "₁₂");
        assert_eq!(superscript(13), "¹³");
    }
}
