//! The structural formula of a ligand, drawn as chemists draw it: carbons are corners, other elements have their colour,
//! hydrogens on them are written out, stereo bonds are wedges.

use egui::{Align2, Color32, FontId, Painter, Pos2, Role, Sense, Shape, Stroke, Ui, WidgetInfo, pos2, vec2};
use kfold_molecule::chemistry::depict::Depiction;
use kfold_molecule::{BondOrder, Element, SmallMolecule};

use super::super::theme::{Palette, palette};

/// Longest bond on the screen, points: small molecules are not blown up.
const LONGEST_BOND: f32 = 26.0;

/// Shows a structural formula in the width at hand.
pub fn depiction(ui: &mut Ui, molecule: &SmallMolecule, layout: &Depiction, max_height: f32, name: &str) {
    let positions = &layout.positions;
    let mut low = glam::Vec2::INFINITY;
    let mut high = glam::Vec2::NEG_INFINITY;
    for position in positions {
        low = low.min(*position);
        high = high.max(*position);
    }
    if positions.is_empty() || positions.len() != molecule.atoms.len() {
        return;
    }
    let span = (high - low).max(glam::Vec2::splat(0.1));
    let width = ui.available_width();
    let margin = 16.0;
    let bond = mean_bond_length(molecule, positions).max(0.1);
    let scale = ((width - 2.0 * margin) / span.x)
        .min((max_height - 2.0 * margin) / span.y)
        .min(LONGEST_BOND / bond)
        .max(1.0);
    let height = (span.y * scale + 2.0 * margin).min(max_height).max(44.0);
    let (rect, response) = ui.allocate_exact_size(vec2(width, height), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, name));
    if !ui.is_rect_visible(rect) {
        return;
    }
    let middle = (low + high) * 0.5;
    let at = |position: glam::Vec2| -> Pos2 {
        // The layout's y runs up, the screen's down.
        pos2(rect.center().x + (position.x - middle.x) * scale, rect.center().y - (position.y - middle.y) * scale)
    };
    let places: Vec<Pos2> = positions.iter().map(|position| at(*position)).collect();
    let colours = palette(ui);
    let size = (bond * scale * 0.46).clamp(7.0, 13.0);
    Drawing { painter: &ui.painter_at(rect), molecule, layout, places: &places, colours, size, bond: bond * scale }.draw();
}

fn mean_bond_length(molecule: &SmallMolecule, positions: &[glam::Vec2]) -> f32 {
    let lengths = molecule.bonds.iter().filter_map(|bond| {
        Some(positions.get(bond.a as usize)?.distance(*positions.get(bond.b as usize)?))
    });
    let (count, sum) = lengths.fold((0, 0.0), |(count, sum), length| (count + 1, sum + length));
    if count == 0 { 1.5 } else { sum / count as f32 }
}

struct Drawing<'a> {
    painter: &'a Painter,
    molecule: &'a SmallMolecule,
    layout: &'a Depiction,
    places: &'a [Pos2],
    colours: &'a Palette,
    size: f32,
    bond: f32,
}

impl Drawing<'_> {
    fn draw(&self) {
        let hydrogens = &self.layout.hydrogens;
        let labels: Vec<Option<String>> = (0..self.molecule.atoms.len())
            .map(|index| self.label(index, hydrogens.get(index).copied().unwrap_or(0)))
            .collect();
        for (index, bond) in self.molecule.bonds.iter().enumerate() {
            let ends = (bond.a as usize, bond.b as usize);
            let (Some(&from), Some(&to)) = (self.places.get(ends.0), self.places.get(ends.1)) else { continue };
            let shorten = |atom: usize| {
                if labels.get(atom).is_some_and(Option::is_some) { self.size * 0.72 } else { 0.0 }
            };
            self.bond(index, ends, bond.order, trim(from, to, shorten(ends.0), shorten(ends.1)));
        }
        let font = FontId::proportional(self.size);
        for (index, label) in labels.iter().enumerate() {
            let (Some(label), Some(&place)) = (label, self.places.get(index)) else { continue };
            let colour = self.colour(self.molecule.atoms[index].element);
            let align = if self.opens_left(index) { Align2::RIGHT_CENTER } else { Align2::LEFT_CENTER };
            // The element's letter stands on the atom, hydrogens and charge beside it.
            let nudge = self.size * 0.36 * self.molecule.atoms[index].element.symbol().len() as f32;
            let start = if align == Align2::LEFT_CENTER { place.x - nudge } else { place.x + nudge };
            self.painter.text(pos2(start, place.y), align, label, font.clone(), colour);
        }
    }

    fn label(&self, index: usize, hydrogens: u8) -> Option<String> {
        let atom = self.molecule.atoms.get(index)?;
        let degree = self.molecule.bonds.iter().filter(|bond| bond.a as usize == index || bond.b as usize == index).count();
        if atom.element == Element::C && atom.formal_charge == 0 && atom.isotope.is_none() && degree > 0 {
            return None;
        }
        let symbol = atom.element.symbol();
        let isotope = atom.isotope.map(superscript).unwrap_or_default();
        let hydrogen = match hydrogens {
            0 => String::new(),
            1 => "H".to_owned(),
            count => format!("H{}", subscript(count)),
        };
        let charge = match atom.formal_charge {
            0 => String::new(),
            1 => "⁺".to_owned(),
            -1 => "⁻".to_owned(),
            charge => format!("{}{}", superscript(u16::from(charge.unsigned_abs())), if charge > 0 { "⁺" } else { "⁻" }),
        };
        Some(if self.opens_left(index) {
            format!("{charge}{hydrogen}{isotope}{symbol}")
        } else {
            format!("{isotope}{symbol}{hydrogen}{charge}")
        })
    }

    /// Whether an atom's neighbours are on its right, so that its hydrogens belong on the left.
    fn opens_left(&self, index: usize) -> bool {
        let Some(place) = self.places.get(index) else { return false };
        let mut sum = 0.0;
        for bond in &self.molecule.bonds {
            let other = if bond.a as usize == index {
                bond.b
            } else if bond.b as usize == index {
                bond.a
            } else {
                continue;
            };
            if let Some(other) = self.places.get(other as usize) {
                sum += other.x - place.x;
            }
        }
        sum > self.bond * 0.3
    }

    fn colour(&self, element: Element) -> Color32 {
        match element.symbol() {
            "N" => self.colours.nitrogen,
            "O" => self.colours.oxygen,
            "S" | "Se" => self.colours.sulphur,
            "F" | "Cl" | "Br" | "I" => self.colours.halogen,
            "P" | "B" | "Si" => self.colours.phosphorus,
            _ => self.colours.text,
        }
    }

    fn bond(&self, index: usize, ends: (usize, usize), order: BondOrder, line: [Pos2; 2]) {
        let stroke = Stroke::new((self.size / 9.0).clamp(1.0, 1.6), self.colours.text);
        let along = (line[1] - line[0]).normalized();
        let aside = vec2(-along.y, along.x);
        let gap = (self.bond * 0.14).clamp(2.2, 4.2);
        match order {
            BondOrder::Single | BondOrder::Aromatic => self.single(index, line, aside, stroke),
            BondOrder::Double => {
                if let Some(side) = self.inner_side(ends, aside) {
                    self.painter.line_segment(line, stroke);
                    let shift = aside * (gap * side * 1.25);
                    let cut = along * (self.bond * 0.12);
                    self.painter.line_segment([line[0] + shift + cut, line[1] + shift - cut], stroke);
                } else {
                    let shift = aside * (gap * 0.6);
                    self.painter.line_segment([line[0] + shift, line[1] + shift], stroke);
                    self.painter.line_segment([line[0] - shift, line[1] - shift], stroke);
                }
            }
            BondOrder::Triple => {
                self.painter.line_segment(line, stroke);
                for side in [-1.0, 1.0] {
                    let shift = aside * (gap * side);
                    self.painter.line_segment([line[0] + shift, line[1] + shift], stroke);
                }
            }
            BondOrder::Coordination => {
                self.painter.extend(Shape::dashed_line(&line, stroke, 3.0, 2.5));
            }
        }
    }

    fn single(&self, _index: usize, line: [Pos2; 2], _aside: egui::Vec2, stroke: Stroke) {
        self.painter.line_segment(line, stroke);
    }

    /// The side on which most neighbours of a double bond's ends lie: inside its ring. `None` for an end like C=O.
    fn inner_side(&self, (a, b): (usize, usize), aside: egui::Vec2) -> Option<f32> {
        let (from, to) = (*self.places.get(a)?, *self.places.get(b)?);
        let middle = from + (to - from) * 0.5;
        let mut sum = 0.0;
        let mut degrees = [0, 0];
        for bond in &self.molecule.bonds {
            for (end, own, other) in [(a, bond.a, bond.b), (a, bond.b, bond.a), (b, bond.a, bond.b), (b, bond.b, bond.a)] {
                let other = other as usize;
                if own as usize == end && other != a && other != b {
                    degrees[usize::from(end == b)] += 1;
                    sum += (*self.places.get(other)? - middle).dot(aside);
                }
            }
        }
        if degrees.contains(&0) || sum.abs() < 0.1 {
            return None;
        }
        Some(sum.signum())
    }
}

fn trim(from: Pos2, to: Pos2, start: f32, end: f32) -> [Pos2; 2] {
    let along = (to - from).normalized();
    [from + along * start, to - along * end]
}

fn subscript(count: u8) -> String {
    count.to_string().chars().filter_map(|digit| char::from_u32(0x2080 + digit.to_digit(10)?)).collect()
}

fn superscript(count: u16) -> String {
    const DIGITS: [char; 10] = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];
    count.to_string().chars().filter_map(|digit| DIGITS.get(digit.to_digit(10)? as usize).copied()).collect()
}
