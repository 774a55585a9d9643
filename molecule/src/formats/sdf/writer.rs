//! Writing SDF files.

use std::collections::HashMap;
use std::fmt::Write as _;

use glam::{Quat, Vec3};

use super::drawing::Mark;
use super::hydrogens::{NO_VALENCE, valences};
use crate::chemistry::depict::{self, BondStyle};
use crate::element::Element;
use crate::small_molecule::SmallMolecule;
use crate::structure::{Bond, BondOrder};

/// The molecules as an SDF file: one record for each conformer, or a drawing in the plane, with wedges for its stereo,
/// of a molecule that has none. (One that cannot be drawn, of more than 200 atoms or no chemistry, has all its atoms at
/// the origin; its stereo is lost.) V2000, or V3000 where V2000 cannot hold the molecule: more than 999 atoms or bonds,
/// coordinates too large for its columns, bonds to metals.
#[must_use]
pub fn write(molecules: &[SmallMolecule]) -> String {
    let mut out = String::new();
    for molecule in molecules {
        if molecule.conformers.is_empty() {
            let Drawing { positions, marks } = draw(molecule);
            write_record(&mut out, molecule, "2D", &positions, &marks);
        }
        for conformer in &molecule.conformers {
            write_record(&mut out, molecule, "3D", conformer, &HashMap::new());
        }
    }
    out
}

/// Wedges by the ends of their bonds, narrow end first.
type Marks = HashMap<(u32, u32), Mark>;

/// A molecule in the plane.
#[derive(Default)]
struct Drawing {
    positions: Vec<Vec3>,
    marks: Marks,
}

/// Length of a bond of a drawing, Å.
const BOND_LENGTH: f32 = 1.5;

fn draw(molecule: &SmallMolecule) -> Drawing {
    let Ok(depiction) = depict::layout(molecule) else { return Drawing::default() };
    let mut drawing = Drawing { positions: vec![Vec3::ZERO; molecule.atoms.len()], marks: Marks::new() };
    let mut is_drawn = vec![false; molecule.atoms.len()];
    for atom in &depiction.atoms {
        drawing.positions[atom.atom as usize] = (atom.position * BOND_LENGTH).extend(0.0);
        is_drawn[atom.atom as usize] = true;
    }
    for bond in &depiction.bonds {
        let ends = [bond.a, bond.b].map(|end| depiction.atoms[end as usize].atom);
        let mark = match bond.style {
            BondStyle::Plain => continue,
            BondStyle::Wedge => Mark::Up,
            BondStyle::Hash => Mark::Down,
            BondStyle::Crossed => Mark::Either,
        };
        drawing.marks.insert((ends[0], ends[1]), mark);
    }
    // Hydrogens that are atoms but not drawn point away from what else their neighbour has, side by side. The one of a
    // centre lies beside the wedge and on the other side of the plane: where the drawing without it has it implied.
    let turn = Quat::from_rotation_z(std::f32::consts::FRAC_PI_6);
    let neighbours = molecule.neighbours();
    let mut beside = vec![0.0_f32; molecule.atoms.len()];
    for hydrogen in (0..molecule.atoms.len()).filter(|atom| !is_drawn[*atom]) {
        let Some(neighbour) = neighbours[hydrogen].first().map(|(neighbour, _)| *neighbour as usize) else { continue };
        let origin = drawing.positions[neighbour];
        let is_mark = |((from, _), mark): &(&(u32, u32), &Mark)| *from as usize == neighbour && **mark != Mark::Either;
        if let Some((to, mark)) =
            drawing.marks.iter().filter(is_mark).map(|((_, to), mark)| (*to, *mark)).min_by_key(|(to, _)| *to)
        {
            let other_side = if mark == Mark::Up { Mark::Down } else { Mark::Up };
            drawing.positions[hydrogen] = origin + turn * (drawing.positions[to as usize] - origin);
            drawing.marks.insert((neighbour as u32, hydrogen as u32), other_side);
            continue;
        }
        let others: Vec3 = neighbours[neighbour]
            .iter()
            .filter(|(other, _)| is_drawn[*other as usize])
            .map(|(other, _)| (drawing.positions[*other as usize] - origin).normalize_or_zero())
            .sum();
        let away = -others.try_normalize().unwrap_or(Vec3::NEG_X);
        let aside = Vec3::new(-away.y, away.x, 0.0) * beside[neighbour];
        beside[neighbour] = if beside[neighbour] > 0.0 { -beside[neighbour] } else { 0.7 - beside[neighbour] };
        drawing.positions[hydrogen] = origin + (away + aside).normalize_or_zero() * BOND_LENGTH;
    }
    drawing
}

/// The ends of a bond, narrow end of its wedge first, with the wedge.
fn marked(marks: &Marks, bond: &Bond) -> (u32, u32, Option<Mark>) {
    match (marks.get(&(bond.a, bond.b)), marks.get(&(bond.b, bond.a))) {
        (None, Some(mark)) => (bond.b, bond.a, Some(*mark)),
        (mark, _) => (bond.a, bond.b, mark.copied()),
    }
}

/// Text that stays on one line and cannot end the record.
fn one_line(text: &str) -> String {
    let line = text.split(['\n', '\r']).map(str::trim).collect::<Vec<_>>().join(" ").trim().to_owned();
    if line.starts_with("$$$$") { format!(" {line}") } else { line }
}

fn write_record(out: &mut String, molecule: &SmallMolecule, dimension: &str, positions: &[Vec3], marks: &Marks) {
    let position = |index: usize| positions.get(index).copied().unwrap_or(Vec3::ZERO);
    let _ = write!(out, "{}\n  K-Fold            {dimension}\n\n", one_line(&molecule.name));
    let fits_v2000 = molecule.atoms.len() <= 999
        && molecule.bonds.len() <= 999
        && molecule.bonds.iter().all(|bond| bond.order != BondOrder::Coordination)
        && (0..molecule.atoms.len()).all(|index| {
            let position = position(index);
            position.max_element() < 99_999.0 && position.min_element() > -9_999.0
        });
    if fits_v2000 {
        write_v2000(out, molecule, position, marks);
    } else {
        write_v3000(out, molecule, position, marks);
    }
    out.push_str("M  END\n");
    for (key, value) in &molecule.properties {
        let key: String = one_line(key).chars().filter(|letter| !matches!(letter, '<' | '>')).collect();
        let _ = writeln!(out, ">  <{}>", key.trim());
        for line in value.lines().map(str::trim_end).filter(|line| !line.is_empty()) {
            let guard = if line.starts_with("$$$$") { " " } else { "" };
            let _ = writeln!(out, "{guard}{line}");
        }
        out.push('\n');
    }
    out.push_str("$$$$\n");
}

fn write_v2000(out: &mut String, molecule: &SmallMolecule, position: impl Fn(usize) -> Vec3, marks: &Marks) {
    let _ = writeln!(out, "{:3}{:3}  0  0  0  0  0  0  0  0999 V2000", molecule.atoms.len(), molecule.bonds.len());
    for ((index, atom), valence) in molecule.atoms.iter().enumerate().zip(valences(molecule)) {
        let Vec3 { x, y, z } = position(index);
        let code = match atom.formal_charge {
            0 => 0,
            charge @ -3..=3 => 4 - charge,
            _ => 0,
        };
        let symbol = if atom.element == Element::UNKNOWN { "*" } else { atom.element.symbol() };
        let _ = writeln!(out, "{x:10.4}{y:10.4}{z:10.4} {symbol:<3} 0{code:3}  0  0  0{valence:3}  0  0  0  0  0  0");
    }
    for bond in &molecule.bonds {
        let (first, second, mark) = marked(marks, bond);
        let code = match mark {
            None => 0,
            Some(Mark::Up) => 1,
            Some(Mark::Down) => 6,
            // A crossed double bond; nothing else is left open here.
            Some(Mark::Either) => 3,
        };
        let _ = writeln!(out, "{:3}{:3}{:3}{code:3}", first + 1, second + 1, order_code(bond.order));
    }
    let charges = molecule.atoms.iter().map(|atom| i32::from(atom.formal_charge));
    write_property_lines(out, "CHG", charges);
    write_property_lines(out, "ISO", molecule.atoms.iter().map(|atom| i32::from(atom.isotope.unwrap_or(0))));
}

/// `M  CHG` and its like, eight values a line, for the values that are not 0.
fn write_property_lines(out: &mut String, tag: &str, values: impl Iterator<Item = i32>) {
    let listed: Vec<(usize, i32)> = values.enumerate().filter(|(_, value)| *value != 0).collect();
    for chunk in listed.chunks(8) {
        let _ = write!(out, "M  {tag}{:3}", chunk.len());
        for (index, value) in chunk {
            let _ = write!(out, " {:3} {value:3}", index + 1);
        }
        out.push('\n');
    }
}

const fn order_code(order: BondOrder) -> u8 {
    match order {
        BondOrder::Single => 1,
        BondOrder::Double => 2,
        BondOrder::Triple => 3,
        BondOrder::Aromatic => 4,
        BondOrder::Coordination => 9,
    }
}

fn write_v3000(out: &mut String, molecule: &SmallMolecule, position: impl Fn(usize) -> Vec3, marks: &Marks) {
    out.push_str("  0  0  0     0  0            999 V3000\nM  V30 BEGIN CTAB\n");
    let _ = writeln!(out, "M  V30 COUNTS {} {} 0 0 0", molecule.atoms.len(), molecule.bonds.len());
    out.push_str("M  V30 BEGIN ATOM\n");
    for ((index, atom), valence) in molecule.atoms.iter().enumerate().zip(valences(molecule)) {
        let Vec3 { x, y, z } = position(index);
        let symbol = if atom.element == Element::UNKNOWN { "*" } else { atom.element.symbol() };
        let _ = write!(out, "M  V30 {} {symbol} {x:.4} {y:.4} {z:.4} 0", index + 1);
        if atom.formal_charge != 0 {
            let _ = write!(out, " CHG={}", atom.formal_charge);
        }
        if let Some(mass) = atom.isotope {
            let _ = write!(out, " MASS={mass}");
        }
        match valence {
            0 => {}
            NO_VALENCE => out.push_str(" VAL=-1"),
            valence => {
                let _ = write!(out, " VAL={valence}");
            }
        }
        out.push('\n');
    }
    out.push_str("M  V30 END ATOM\nM  V30 BEGIN BOND\n");
    for (index, bond) in molecule.bonds.iter().enumerate() {
        let (first, second, mark) = marked(marks, bond);
        let configuration = match mark {
            None => "",
            Some(Mark::Up) => " CFG=1",
            Some(Mark::Either) => " CFG=2",
            Some(Mark::Down) => " CFG=3",
        };
        let order = order_code(bond.order);
        let _ = writeln!(out, "M  V30 {} {order} {} {}{configuration}", index + 1, first + 1, second + 1);
    }
    out.push_str("M  V30 END BOND\nM  V30 END CTAB\n");
}
