//! Writing SDF files.

use std::fmt::Write as _;

use glam::Vec3;

use crate::element::Element;
use crate::small_molecule::SmallMolecule;
use crate::structure::BondOrder;

/// The molecules as an SDF file: one record for each conformer, or one without coordinates (marked as a drawing) for a
/// molecule that has none. V2000, or V3000 where V2000 cannot hold the molecule: more than 999 atoms or bonds,
/// coordinates too large for its columns, bonds to metals.
#[must_use]
pub fn write(molecules: &[SmallMolecule]) -> String {
    let mut out = String::new();
    for molecule in molecules {
        if molecule.conformers.is_empty() {
            write_record(&mut out, molecule, None);
        }
        for conformer in &molecule.conformers {
            write_record(&mut out, molecule, Some(conformer));
        }
    }
    out
}

/// Text that stays on one line and cannot end the record.
fn one_line(text: &str) -> String {
    let line = text.split(['\n', '\r']).map(str::trim).collect::<Vec<_>>().join(" ").trim().to_owned();
    if line.starts_with("$$$$") { format!(" {line}") } else { line }
}

fn write_record(out: &mut String, molecule: &SmallMolecule, conformer: Option<&Vec<Vec3>>) {
    let position = |index: usize| conformer.and_then(|positions| positions.get(index)).copied().unwrap_or(Vec3::ZERO);
    let dimension = if conformer.is_some() { "3D" } else { "2D" };
    let _ = write!(out, "{}\n  K-Fold            {dimension}\n\n", one_line(&molecule.name));
    let fits_v2000 = molecule.atoms.len() <= 999
        && molecule.bonds.len() <= 999
        && molecule.bonds.iter().all(|bond| bond.order != BondOrder::Coordination)
        && (0..molecule.atoms.len()).all(|index| {
            let position = position(index);
            position.max_element() < 99_999.0 && position.min_element() > -9_999.0
        });
    if fits_v2000 {
        write_v2000(out, molecule, position);
    } else {
        write_v3000(out, molecule, position);
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

fn write_v2000(out: &mut String, molecule: &SmallMolecule, position: impl Fn(usize) -> Vec3) {
    let _ = writeln!(out, "{:3}{:3}  0  0  0  0  0  0  0  0999 V2000", molecule.atoms.len(), molecule.bonds.len());
    for (index, atom) in molecule.atoms.iter().enumerate() {
        let Vec3 { x, y, z } = position(index);
        let code = match atom.formal_charge {
            0 => 0,
            charge @ -3..=3 => 4 - charge,
            _ => 0,
        };
        let symbol = if atom.element == Element::UNKNOWN { "*" } else { atom.element.symbol() };
        let _ = writeln!(out, "{x:10.4}{y:10.4}{z:10.4} {symbol:<3} 0{code:3}  0  0  0  0  0  0  0  0  0  0");
    }
    for bond in &molecule.bonds {
        let _ = writeln!(out, "{:3}{:3}{:3}  0", bond.a + 1, bond.b + 1, order_code(bond.order));
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

fn write_v3000(out: &mut String, molecule: &SmallMolecule, position: impl Fn(usize) -> Vec3) {
    out.push_str("  0  0  0     0  0            999 V3000\nM  V30 BEGIN CTAB\n");
    let _ = writeln!(out, "M  V30 COUNTS {} {} 0 0 0", molecule.atoms.len(), molecule.bonds.len());
    out.push_str("M  V30 BEGIN ATOM\n");
    for (index, atom) in molecule.atoms.iter().enumerate() {
        let Vec3 { x, y, z } = position(index);
        let symbol = if atom.element == Element::UNKNOWN { "*" } else { atom.element.symbol() };
        let _ = write!(out, "M  V30 {} {symbol} {x:.4} {y:.4} {z:.4} 0", index + 1);
        if atom.formal_charge != 0 {
            let _ = write!(out, " CHG={}", atom.formal_charge);
        }
        if let Some(mass) = atom.isotope {
            let _ = write!(out, " MASS={mass}");
        }
        out.push('\n');
    }
    out.push_str("M  V30 END ATOM\nM  V30 BEGIN BOND\n");
    for (index, bond) in molecule.bonds.iter().enumerate() {
        let _ = writeln!(out, "M  V30 {} {} {} {}", index + 1, order_code(bond.order), bond.a + 1, bond.b + 1);
    }
    out.push_str("M  V30 END BOND\nM  V30 END CTAB\n");
}
