//! The structural formula of a ligand: carbons are corners, other elements have their colour, stereo bonds are wedges and hashes.

use glam::{Vec2, vec2};
use kfold_molecule::BondOrder;
use kfold_molecule::chemistry::depict::{
    AtomLabel, BondStyle, DepictedAtom, DepictedBond, Depiction, SecondLine, Side,
};

use super::{Drawing, Ink, Shape, Stroke, Word};

/// A formula laid out in points.
#[derive(Clone, Debug, Default)]
pub struct Formula {
    /// Its lines and letters.
    pub shapes: Vec<Shape>,
    /// Where each depicted atom is.
    pub places: Vec<Vec2>,
    /// Where the hydrogens are that are written beside atoms.
    pub hydrogens: Vec<Vec2>,
}

/// Lays a formula out with its middle at the origin; `bond` is the length of a bond, points.
#[must_use]
pub fn formula(depiction: &Depiction, bond: f32) -> Formula {
    let Some((low, high)) = depiction.bounds() else { return Formula::default() };
    let middle = (low + high) * 0.5;
    // The formula's y runs up, the picture's down.
    let place = |position: Vec2| vec2(position.x - middle.x, middle.y - position.y) * bond;
    let places: Vec<Vec2> = depiction.atoms.iter().map(|atom| place(atom.position)).collect();
    let size = (bond * 0.55).clamp(6.0, 15.0);
    let mut drawer = Drawer { depiction, places, size, bond, shapes: Vec::new() };
    drawer.draw();
    let beside = |(atom, place): (&DepictedAtom, &Vec2)| {
        let label = atom.label.as_ref().filter(|label| label.hydrogens > 0)?;
        let way = match label.hydrogen_side {
            Side::Right => Vec2::X,
            Side::Left => Vec2::NEG_X,
            Side::Above => Vec2::NEG_Y,
            Side::Below => Vec2::Y,
        };
        Some(*place + way * size)
    };
    let hydrogens = depiction.atoms.iter().zip(&drawer.places).filter_map(beside).collect();
    Formula { shapes: drawer.shapes, places: drawer.places, hydrogens }
}

/// A formula as a picture of its own that fits into a box, its bonds no longer than `longest`, points.
#[must_use]
pub fn picture(depiction: &Depiction, most: Vec2, longest: f32, description: &str) -> Drawing {
    const AIR: f32 = 16.0;
    let span = depiction.bounds().map_or(Vec2::ONE, |(low, high)| (high - low).max(Vec2::splat(0.1)));
    let room = (most - Vec2::splat(2.0 * AIR)).max(Vec2::splat(8.0));
    let bond = (room.x / span.x).min(room.y / span.y).clamp(3.0, longest);
    let mut drawing =
        Drawing { size: Vec2::ZERO, description: description.to_owned(), shapes: formula(depiction, bond).shapes };
    drawing.fit(3.0);
    drawing
}

struct Drawer<'a> {
    depiction: &'a Depiction,
    places: Vec<Vec2>,
    size: f32,
    bond: f32,
    shapes: Vec<Shape>,
}

impl Drawer<'_> {
    fn draw(&mut self) {
        for bond in &self.depiction.bonds {
            if let Some(line) = self.line(bond) {
                self.bond(bond, line);
            }
        }
        for index in 0..self.places.len() {
            if let Some(label) = &self.depiction.atoms[index].label {
                self.label(label, self.places[index]);
            }
        }
    }

    /// The ends of a bond, cut back from atoms that are written out.
    fn line(&self, bond: &DepictedBond) -> Option<[Vec2; 2]> {
        let from = *self.places.get(bond.a as usize)?;
        let to = *self.places.get(bond.b as usize)?;
        let along = (to - from).normalize_or_zero();
        let cut = |atom: u32| {
            let is_written = self.depiction.atoms.get(atom as usize).is_some_and(|atom| atom.label.is_some());
            if is_written { self.size * 0.68 } else { 0.0 }
        };
        Some([from + along * cut(bond.a), to - along * cut(bond.b)])
    }

    fn bond(&mut self, bond: &DepictedBond, line: [Vec2; 2]) {
        let stroke = Stroke::new((self.size / 9.0).clamp(0.8, 1.5), Ink::Text);
        let along = (line[1] - line[0]).normalize_or_zero();
        // To the left of the way from a to b, as the eye sees it.
        let left = vec2(along.y, -along.x);
        let gap = (self.bond * 0.15).clamp(1.6, 4.0);
        let length = self.bond;
        let mut add = |from: Vec2, to: Vec2| self.shapes.push(Shape::Line(vec![from, to], stroke));
        let mut parallel = |shift: Vec2, cut: Vec2| add(line[0] + shift + cut, line[1] + shift - cut);
        match (bond.order, bond.style) {
            (BondOrder::Double, BondStyle::Crossed) => {
                let shift = left * (gap * 0.5);
                add(line[0] + shift, line[1] - shift);
                add(line[0] - shift, line[1] + shift);
            }
            (BondOrder::Double, _) => match bond.second_line {
                SecondLine::Centred => {
                    parallel(left * (gap * 0.5), Vec2::ZERO);
                    parallel(left * (gap * -0.5), Vec2::ZERO);
                }
                side => {
                    let side = if side == SecondLine::Left { 1.0 } else { -1.0 };
                    parallel(Vec2::ZERO, Vec2::ZERO);
                    parallel(left * (gap * side), along * (length * 0.11));
                }
            },
            (BondOrder::Triple, _) => {
                for side in [-1.0, 0.0, 1.0] {
                    parallel(left * (gap * side), Vec2::ZERO);
                }
            }
            (BondOrder::Coordination, _) => {
                let dashed = Stroke { dash: Some([3.0, 2.5]), ..stroke };
                self.shapes.push(Shape::Line(line.to_vec(), dashed));
            }
            (BondOrder::Single | BondOrder::Aromatic, BondStyle::Wedge) => {
                let half = left * (gap * 0.75);
                self.shapes.push(Shape::Area(vec![line[0], line[1] + half, line[1] - half], Ink::Text));
            }
            (BondOrder::Single | BondOrder::Aromatic, BondStyle::Hash) => {
                let steps = ((line[1] - line[0]).length() / 3.0).round().clamp(4.0, 9.0) as usize;
                for step in 1..=steps {
                    let share = step as f32 / steps as f32;
                    let place = line[0] + (line[1] - line[0]) * share;
                    let half = left * (gap * 0.75 * share);
                    add(place + half, place - half);
                }
            }
            (BondOrder::Single | BondOrder::Aromatic, BondStyle::Plain | BondStyle::Crossed) => {
                parallel(Vec2::ZERO, Vec2::ZERO);
            }
        }
    }

    /// The symbol stands on the atom; hydrogens, charge and isotope around it.
    fn label(&mut self, label: &AtomLabel, place: Vec2) {
        let (size, ink) = (self.size, ink_of(label.symbol));
        let mut write = |place: Vec2, text: String| {
            self.shapes.push(Shape::Word(Word::new(place, text, size, ink)));
        };
        let wide = |text: &str| super::fonts::width(text, size, false);
        let half = wide(label.symbol) * 0.5;
        write(place - vec2(half, 0.0), label.symbol.to_owned());
        if let Some(isotope) = label.isotope {
            let text = superscript(u32::from(isotope));
            write(place - vec2(half + wide(&text), 0.0), text);
        }
        let mut end = place.x + half;
        if label.hydrogens > 0 {
            let text = if label.hydrogens == 1 {
                "H".to_owned()
            } else {
                format!("H{}", subscript(u32::from(label.hydrogens)))
            };
            let width = wide(&text);
            match label.hydrogen_side {
                Side::Right => {
                    write(vec2(end, place.y), text);
                    end += width;
                }
                Side::Left => write(vec2(place.x - half - width, place.y), text),
                Side::Above => write(vec2(place.x - width * 0.5, place.y - size * 0.95), text),
                Side::Below => write(vec2(place.x - width * 0.5, place.y + size * 0.95), text),
            }
        }
        if label.charge != 0 {
            let sign = if label.charge > 0 { "⁺" } else { "⁻" };
            let count = u32::from(label.charge.unsigned_abs());
            let text = if count == 1 { sign.to_owned() } else { format!("{}{sign}", superscript(count)) };
            write(vec2(end, place.y), text);
        }
    }
}

fn ink_of(symbol: &str) -> Ink {
    match symbol {
        "N" => Ink::Nitrogen,
        "O" => Ink::Oxygen,
        "S" | "Se" => Ink::Sulphur,
        "F" | "Cl" | "Br" | "I" => Ink::Halogen,
        "P" | "B" | "Si" => Ink::Phosphorus,
        _ => Ink::Text,
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
