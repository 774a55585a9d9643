//! SDF and MOL files, V2000 and V3000 (BIOVIA, CTfile Formats, 2020).
//!
//! A record is a header of three lines, a connection table and data fields; `$$$$` ends it. Records are read one by
//! one, so one that is wrong costs only itself. A record drawn in the plane (dimension code `2D`, or no code and all
//! z at 0) gives a molecule without conformers, because a drawing is not a conformation; what its wedges and the sides
//! of its double bonds say becomes the molecule's stereo ([`drawing`]). Molecules in space have theirs in their
//! coordinates.

use std::collections::HashMap;

use glam::Vec3;
use smol_str::SmolStr;

use super::text::{columns, field, lines, number};
use super::{ParseError, Place, SmallMolecules};
use crate::element::Element;
use crate::small_molecule::{SmallMolecule, SmallMoleculeAtom};
use crate::structure::{Bond, BondOrder};

mod drawing;
mod hydrogens;
mod writer;

use drawing::{Mark, Mark::Down, Mark::Either, Mark::Up};
pub use writer::write;

/// More atoms than this in one record is taken for damage.
const MAX_ATOMS: usize = 1_000_000;
/// What most errors here advise.
const EXPORT_AGAIN: &str = "export the record again from the program that made it";

/// One record of an SDF file, not yet read.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    /// Number in the file, from 1.
    pub number: usize,
    /// Its first line in the file, from 1.
    pub line: usize,
    /// The record without its `$$$$`.
    pub text: &'a [u8],
}

/// The records of a file, in order. Blank space after the last `$$$$` is no record.
pub fn records(bytes: &[u8]) -> impl Iterator<Item = Record<'_>> {
    let base = bytes.as_ptr() as usize;
    let mut source = lines(bytes);
    let mut next_number = 0;
    std::iter::from_fn(move || {
        let mut first: Option<(usize, usize)> = None;
        let mut end = 0;
        let mut closed = false;
        let mut blank = true;
        for (line_number, line) in source.by_ref() {
            // Offsets by address: the lines are pieces of `bytes`.
            let offset = line.as_ptr() as usize - base;
            let (_, start) = *first.get_or_insert((line_number, offset));
            if line.starts_with(b"$$$$") {
                end = offset;
                closed = true;
                break;
            }
            blank = blank && line.trim_ascii().is_empty();
            end = (offset + line.len()).max(start);
        }
        let (line, start) = first?;
        if blank && !closed {
            return None;
        }
        next_number += 1;
        Some(Record { number: next_number, line, text: bytes.get(start..end).unwrap_or_default() })
    })
}

/// Reads all records; those that are wrong are listed with record and line beside the molecules that are right.
#[must_use]
pub fn read(bytes: &[u8]) -> SmallMolecules {
    let mut found = SmallMolecules::default();
    for record in records(bytes) {
        match record.molecule() {
            Ok(molecule) => found.molecules.push(molecule),
            Err(error) => found.errors.push(error),
        }
    }
    found
}

impl Record<'_> {
    /// The molecule of this record.
    ///
    /// # Errors
    /// When the connection table is wrong, with record and line in the file.
    pub fn molecule(&self) -> Result<SmallMolecule, ParseError> {
        read_record(self.text).map_err(|mut error| {
            if let Place::Line(line) = &mut error.place {
                *line += self.line - 1;
            }
            error.record = Some(self.number);
            error
        })
    }

    /// Whether the coordinates are a drawing in the plane, so that the molecule has no conformer.
    #[must_use]
    pub fn is_drawing(&self) -> bool {
        lines(self.text).nth(1).is_some_and(|(_, line)| columns(line, 20, 22).eq_ignore_ascii_case(b"2D"))
    }
}

/// A connection table while it is being read.
#[derive(Default)]
struct Table {
    molecule: SmallMolecule,
    positions: Vec<Vec3>,
    /// Wedges: from the narrow end to the wide one. `Either` on a double bond leaves its sides open.
    marks: Vec<(u32, u32, Mark)>,
    hydrogens: hydrogens::Stated,
}

fn read_record(text: &[u8]) -> Result<SmallMolecule, ParseError> {
    let mut source = lines(text);
    let mut header = || source.next().map_or((0, &b""[..]), |(number, line)| (number, line));
    let (_, title) = header();
    let (_, program) = header();
    let _ = header();
    let (counts_line, counts) = header();
    if counts_line == 0 {
        return Err(ParseError::new(
            lines(text).count().max(1),
            "the record ends before its counts line",
            "a MOL block has three header lines, then the counts",
        ));
    }
    let mut table = Table::default();
    table.molecule.name = String::from_utf8_lossy(title).trim().to_owned();
    if counts.windows(5).any(|window| window.eq_ignore_ascii_case(b"V3000")) {
        read_v3000(&mut source, &mut table)?;
    } else {
        read_v2000(counts_line, counts, &mut source, &mut table)?;
    }
    read_data_fields(&mut source, &mut table.molecule);

    let Table { mut molecule, positions, marks, hydrogens } = table;
    molecule.bonds.sort_unstable();
    molecule.bonds.dedup_by_key(|bond| (bond.a, bond.b));
    hydrogens.settle(&mut molecule);
    let dimension = columns(program, 20, 22).to_ascii_uppercase();
    let is_flat = positions.iter().all(|position| position.z == 0.0);
    let is_drawing = dimension == b"2D" || (dimension != b"3D" && is_flat && positions.len() > 1);
    if is_drawing {
        molecule.stereo = drawing::stereo(&molecule, &positions, &marks);
    } else if !positions.is_empty() {
        molecule.conformers.push(positions);
    }
    Ok(molecule)
}

/// Element and isotope of an atom symbol.
fn element_of(symbol: &str) -> Option<(Element, Option<u16>)> {
    match symbol {
        "D" => Some((Element::H, Some(2))),
        "T" => Some((Element::H, Some(3))),
        // Dummies and attachment points are atoms without an element.
        "*" | "R" | "R#" | "Du" | "X" => Some((Element::UNKNOWN, None)),
        _ => Element::from_symbol(symbol).map(|element| (element, None)),
    }
}

fn unknown_element(line: usize, symbol: &str) -> ParseError {
    ParseError::new(
        line,
        format!("{symbol:?} is no element"),
        "queries and atom lists are not molecules; give every atom an element",
    )
}

/// Order of a bond type code; types 5 to 7 are queries.
fn order_of(code: u32) -> Option<BondOrder> {
    match code {
        1 => Some(BondOrder::Single),
        2 => Some(BondOrder::Double),
        3 => Some(BondOrder::Triple),
        4 => Some(BondOrder::Aromatic),
        // "Zero order", "any" and "coordination": kept as bonds without electrons of their own.
        0 | 8 | 9 => Some(BondOrder::Coordination),
        _ => None,
    }
}

/// The formal charge for a charge code of the V2000 atom block.
fn charge_of(code: i32) -> i8 {
    match code {
        1..=3 | 5..=7 => (4 - code) as i8,
        _ => 0,
    }
}

fn push_bond(molecule: &mut SmallMolecule, line: usize, ends: [Option<usize>; 2], code: u32) -> Result<(), ParseError> {
    let count = molecule.atoms.len();
    let [Some(a), Some(b)] = ends.map(|end| end.filter(|index| *index < count)) else {
        return Err(ParseError::new(
            line,
            format!("a bond names an atom that is not among the {count} atoms"),
            EXPORT_AGAIN,
        ));
    };
    if a == b {
        return Err(ParseError::new(line, format!("atom {} is bonded to itself", a + 1), EXPORT_AGAIN));
    }
    let order = order_of(code).ok_or_else(|| {
        ParseError::new(line, format!("bond type {code} is a query"), "give the bond order: 1, 2, 3 or 4 (aromatic)")
    })?;
    molecule.bonds.push(Bond::new(a as u32, b as u32, order));
    Ok(())
}

/// An unsigned number in fixed columns; blank is 0.
fn count_in(line: &[u8], first: usize, last: usize) -> Option<usize> {
    match field(line, first, last) {
        "" => Some(0),
        text => text.parse().ok(),
    }
}

fn read_v2000<'a>(
    counts_line: usize,
    counts: &[u8],
    source: &mut impl Iterator<Item = (usize, &'a [u8])>,
    table: &mut Table,
) -> Result<(), ParseError> {
    let bad_counts = || {
        ParseError::new(
            counts_line,
            format!("this is no counts line: {:?}", String::from_utf8_lossy(columns(counts, 0, 40))),
            "a MOL block has three header lines, then the numbers of atoms and bonds",
        )
    };
    let (Some(atoms), Some(bonds)) = (count_in(counts, 0, 3), count_in(counts, 3, 6)) else { return Err(bad_counts()) };
    if field(counts, 0, 3).is_empty() {
        return Err(bad_counts());
    }
    let mut last_line = counts_line;
    for index in 0..atoms {
        let Some((line_number, line)) = source.next() else {
            return Err(cut_short(last_line, "atoms", index, atoms));
        };
        last_line = line_number;
        // A line too short for an atom is the first bond.
        if line.starts_with(b"M  ") || (line.len() < 25 && !line.contains(&b'.')) {
            return Err(cut_short(line_number, "atoms", index, atoms));
        }
        read_v2000_atom(line_number, line, table)?;
    }
    for index in 0..bonds {
        let Some((line_number, line)) = source.next() else {
            return Err(cut_short(last_line, "bonds", index, bonds));
        };
        last_line = line_number;
        if line.starts_with(b"M  ") {
            return Err(cut_short(line_number, "bonds", index, bonds));
        }
        let [Some(a), Some(b), Some(code)] = bond_numbers(line) else {
            return Err(ParseError::new(
                line_number,
                format!("this is no bond: {:?}", String::from_utf8_lossy(columns(line, 0, 40))),
                EXPORT_AGAIN,
            ));
        };
        push_bond(&mut table.molecule, line_number, [a.checked_sub(1), b.checked_sub(1)], code.min(99) as u32)?;
        let mark = match field(line, 9, 12) {
            "1" => Some(Up),
            "6" => Some(Down),
            "3" | "4" => Some(Either),
            _ => None,
        };
        table.marks.extend(mark.map(|mark| (a as u32 - 1, b as u32 - 1, mark)));
    }
    read_v2000_properties(source, last_line, table)
}

/// The three numbers of a bond line by columns, or, when a writer missed the columns, by words.
fn bond_numbers(line: &[u8]) -> [Option<usize>; 3] {
    let fixed = [(0, 3), (3, 6), (6, 9)].map(|(first, last)| field(line, first, last).parse().ok());
    if fixed.iter().all(Option::is_some) {
        return fixed;
    }
    let mut words = std::str::from_utf8(line).unwrap_or_default().split_ascii_whitespace();
    std::array::from_fn(|_| words.next().and_then(|word| word.parse().ok()))
}

fn cut_short(line: usize, what: &str, found: usize, announced: usize) -> ParseError {
    ParseError::new(
        line,
        format!("the record ends after {found} of the {announced} {what} it announces"),
        "the file is cut short or its counts line is wrong; export it again",
    )
}

fn read_v2000_atom(line_number: usize, line: &[u8], table: &mut Table) -> Result<(), ParseError> {
    let fixed = [(0, 10), (10, 20), (20, 30)].map(|(first, last)| number(field(line, first, last)));
    let by_columns = fixed.iter().all(Option::is_some) && !field(line, 31, 34).is_empty();
    let words: Vec<&str> = if by_columns {
        Vec::new()
    } else {
        std::str::from_utf8(line).unwrap_or_default().split_ascii_whitespace().collect()
    };
    let (position, symbol) = if by_columns {
        (fixed, field(line, 31, 34))
    } else {
        let value = |index: usize| words.get(index).and_then(|word| number(word));
        ([value(0), value(1), value(2)], words.get(3).copied().unwrap_or_default())
    };
    let [Some(x), Some(y), Some(z)] = position else {
        return Err(ParseError::new(
            line_number,
            format!(
                "atom {} has no coordinates: {:?}",
                table.positions.len() + 1,
                String::from_utf8_lossy(columns(line, 0, 40))
            ),
            EXPORT_AGAIN,
        ));
    };
    let (element, mut isotope) = element_of(symbol).ok_or_else(|| unknown_element(line_number, symbol))?;
    let (difference, code): (i32, i32) = if by_columns {
        (field(line, 34, 36).parse().unwrap_or(0), field(line, 36, 39).parse().unwrap_or(0))
    } else {
        let value = |index: usize| words.get(index).and_then(|word| word.parse().ok()).unwrap_or(0);
        (value(4), value(5))
    };
    if difference != 0 {
        isotope = mass_number(element).and_then(|mass| mass.checked_add_signed(difference.clamp(-99, 99) as i16));
    }
    let atom = table.molecule.atoms.len();
    if code == 4 {
        table.hydrogens.radical(atom, 2);
    }
    let valence = if by_columns { field(line, 48, 51) } else { words.get(9).copied().unwrap_or_default() };
    table.hydrogens.valence(atom, valence.parse().unwrap_or(0));
    table.molecule.atoms.push(SmallMoleculeAtom {
        element,
        formal_charge: charge_of(code),
        isotope,
        fixed_hydrogens: None,
        name: SmolStr::default(),
    });
    table.positions.push(Vec3::new(x, y, z));
    Ok(())
}

/// The mass number that a V2000 mass difference counts from, for elements where the rounded atomic weight and the
/// commonest isotope agree; for the others the (obsolete) column does not say what is meant, and `M  ISO` is used.
fn mass_number(element: Element) -> Option<u16> {
    Some(match element {
        Element::H => 1,
        Element::B => 11,
        Element::C => 12,
        Element::N => 14,
        Element::O => 16,
        Element::F => 19,
        Element::SI => 28,
        Element::P => 31,
        Element::S => 32,
        Element::CL => 35,
        Element::I => 127,
        _ => return None,
    })
}

fn read_v2000_properties<'a>(
    source: &mut impl Iterator<Item = (usize, &'a [u8])>,
    mut last_line: usize,
    table: &mut Table,
) -> Result<(), ParseError> {
    let Table { molecule, hydrogens, .. } = table;
    let mut charges_cleared = false;
    loop {
        let Some((line_number, line)) = source.next() else {
            return Err(ParseError::new(
                last_line,
                "the record ends without \"M  END\"",
                "the file is cut short; export it again",
            ));
        };
        last_line = line_number;
        if line.starts_with(b"M  END") {
            return Ok(());
        }
        let is_charge = line.starts_with(b"M  CHG");
        if is_charge || line.starts_with(b"M  ISO") || line.starts_with(b"M  RAD") {
            if !charges_cleared && !line.starts_with(b"M  ISO") {
                // The first CHG or RAD line voids every charge of the atom block.
                charges_cleared = true;
                molecule.atoms.iter_mut().for_each(|atom| atom.formal_charge = 0);
                hydrogens.forget_radicals();
            }
            let text = std::str::from_utf8(columns(line, 6, line.len())).unwrap_or_default();
            let mut words = text.split_ascii_whitespace().map(|word| word.parse::<i32>().ok());
            let announced = words.next().flatten().unwrap_or(0).clamp(0, 1000);
            for _ in 0..announced {
                let (Some(Some(index)), Some(Some(value))) = (words.next(), words.next()) else {
                    return Err(ParseError::new(line_number, "this property line is incomplete", EXPORT_AGAIN));
                };
                let Some(atom) =
                    usize::try_from(index).ok().and_then(|index| molecule.atoms.get_mut(index.wrapping_sub(1)))
                else {
                    return Err(ParseError::new(line_number, format!("there is no atom {index}"), EXPORT_AGAIN));
                };
                if is_charge {
                    atom.formal_charge = charge_in_range(line_number, index, value)?;
                } else if line.starts_with(b"M  RAD") {
                    hydrogens.radical(index as usize - 1, value);
                } else {
                    atom.isotope = u16::try_from(value).ok().filter(|mass| *mass > 0);
                }
            }
        } else if line.starts_with(b"A  ") || line.starts_with(b"G  ") {
            // An alias or group abbreviation: its text is the next line, whatever it looks like.
            if let Some((next, _)) = source.next() {
                last_line = next;
            }
        }
    }
}

fn charge_in_range(line: usize, atom: i32, value: i32) -> Result<i8, ParseError> {
    i8::try_from(value).ok().filter(|charge| charge.abs() <= 15).ok_or_else(|| {
        ParseError::new(
            line,
            format!("atom {atom} has charge {value}"),
            "charges are between -15 and 15; correct the file",
        )
    })
}

/// One logical V3000 line: a `-` at the end continues on the next `M  V30`.
fn v30_line<'a>(source: &mut impl Iterator<Item = (usize, &'a [u8])>) -> Option<(usize, String)> {
    let (line_number, mut line) = source.next()?;
    let mut logical = String::new();
    loop {
        let Some(body) = line.strip_prefix(b"M  V30 ") else {
            return Some((line_number, String::from_utf8_lossy(line).into_owned()));
        };
        let body = body.trim_ascii();
        match body.strip_suffix(b"-") {
            Some(head) if logical.len() < 1 << 20 => {
                logical.push_str(&String::from_utf8_lossy(head));
                (_, line) = source.next()?;
            }
            _ => {
                logical.push_str(&String::from_utf8_lossy(body));
                return Some((line_number, logical));
            }
        }
    }
}

fn read_v3000<'a>(source: &mut impl Iterator<Item = (usize, &'a [u8])>, table: &mut Table) -> Result<(), ParseError> {
    let mut block = String::new();
    let mut indices: HashMap<u32, usize> = HashMap::new();
    let mut announced = None;
    let mut last_line = 4;
    while let Some((line_number, line)) = v30_line(source) {
        last_line = line_number;
        let mut words = line.split_ascii_whitespace();
        match words.next() {
            Some("M") => {
                // "M  END" stands outside the V30 lines.
                let (atoms, bonds) = announced.unwrap_or((0, 0));
                if table.molecule.atoms.len() != atoms {
                    return Err(cut_short(line_number, "atoms", table.molecule.atoms.len(), atoms));
                }
                if table.molecule.bonds.len() != bonds {
                    return Err(cut_short(line_number, "bonds", table.molecule.bonds.len(), bonds));
                }
                return Ok(());
            }
            Some("COUNTS") => {
                let counts: Vec<usize> = words.map_while(|word| word.parse().ok()).collect();
                let (Some(&atoms), Some(&bonds)) = (counts.first(), counts.get(1)) else {
                    return Err(ParseError::new(line_number, "the COUNTS line has no numbers", EXPORT_AGAIN));
                };
                announced = Some((atoms, bonds));
            }
            Some("BEGIN") => block = words.next().unwrap_or_default().to_owned(),
            Some("END") => block.clear(),
            Some(first) if block == "ATOM" => {
                if table.molecule.atoms.len() >= MAX_ATOMS {
                    return Err(ParseError::new(
                        line_number,
                        "more than a million atoms in one record",
                        "split the record",
                    ));
                }
                let index = read_v3000_atom(line_number, first, words, table)?;
                if indices.insert(index, table.molecule.atoms.len() - 1).is_some() {
                    return Err(ParseError::new(line_number, format!("there are two atoms {index}"), EXPORT_AGAIN));
                }
            }
            Some(_) if block == "BOND" => {
                let numbers: Vec<u32> = words.take(3).map_while(|word| word.parse().ok()).collect();
                let &[code, a, b] = numbers.as_slice() else {
                    return Err(ParseError::new(line_number, format!("this is no bond: {line:?}"), EXPORT_AGAIN));
                };
                let ends = [a, b].map(|end| indices.get(&end).copied());
                push_bond(&mut table.molecule, line_number, ends, code)?;
                let mark = match line.split_ascii_whitespace().find_map(|word| word.strip_prefix("CFG=")) {
                    Some("1") => Some(Up),
                    Some("3") => Some(Down),
                    Some("2") => Some(Either),
                    _ => None,
                };
                if let (Some(mark), [Some(a), Some(b)]) = (mark, ends) {
                    table.marks.push((a as u32, b as u32, mark));
                }
            }
            _ => {}
        }
    }
    Err(ParseError::new(last_line, "the record ends without \"M  END\"", "the file is cut short; export it again"))
}

fn read_v3000_atom<'a>(
    line_number: usize,
    first: &str,
    mut words: impl Iterator<Item = &'a str>,
    table: &mut Table,
) -> Result<u32, ParseError> {
    let bad = |what: &str| ParseError::new(line_number, what.to_owned(), EXPORT_AGAIN);
    let index: u32 = first.parse().map_err(|_| bad("the atom has no number"))?;
    let symbol = words.next().unwrap_or_default();
    let (element, mut isotope) = element_of(symbol).ok_or_else(|| unknown_element(line_number, symbol))?;
    let mut coordinate = || words.next().and_then(number);
    let (Some(x), Some(y), Some(z)) = (coordinate(), coordinate(), coordinate()) else {
        return Err(bad(&format!("atom {index} has no coordinates")));
    };
    let mut formal_charge = 0;
    for word in words.skip(1) {
        if let Some(value) = word.strip_prefix("CHG=") {
            let value = value.parse().map_err(|_| bad(&format!("atom {index} has no readable charge")))?;
            formal_charge = charge_in_range(line_number, index.min(i32::MAX as u32) as i32, value)?;
        } else if let Some(value) = word.strip_prefix("RAD=") {
            table.hydrogens.radical(table.molecule.atoms.len(), value.parse().unwrap_or(0));
        } else if let Some(value) = word.strip_prefix("VAL=") {
            table.hydrogens.valence(table.molecule.atoms.len(), value.parse().unwrap_or(0));
        } else if let Some(value) = word.strip_prefix("MASS=") {
            // Some writers give the exact mass; the isotope is the nearest whole number.
            isotope = number(value).map(|mass| mass.round() as u16).filter(|mass| *mass > 0);
        }
    }
    table.molecule.atoms.push(SmallMoleculeAtom {
        element,
        formal_charge,
        isotope,
        fixed_hydrogens: None,
        name: SmolStr::default(),
    });
    table.positions.push(Vec3::new(x, y, z));
    Ok(index)
}

fn read_data_fields<'a>(source: &mut impl Iterator<Item = (usize, &'a [u8])>, molecule: &mut SmallMolecule) {
    while let Some((_, line)) = source.next() {
        let text = String::from_utf8_lossy(line);
        if !text.starts_with('>') {
            continue;
        }
        let name = match text[1..].split_once('<').map(|(_, tail)| tail.rsplit_once('>').map_or(tail, |(name, _)| name))
        {
            Some(name) => name.trim().to_owned(),
            // "> DT12" names a field by its number.
            None => text[1..].trim().to_owned(),
        };
        let mut value = String::new();
        for (_, line) in source.by_ref() {
            if line.trim_ascii().is_empty() {
                break;
            }
            if !value.is_empty() {
                value.push('\n');
            }
            value.push_str(String::from_utf8_lossy(line).trim_end());
        }
        molecule.properties.push((name, value));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ACETATE: &str = "acetate\n  by hand           3D\n\n  4  3  0  0  0  0            999 V2000\n    \
        0.0000    0.0000    0.0000 C   0  0\n    1.5000    0.1000    0.0000 C   0  0\n    \
        2.1000    1.2000    0.0000 O   0  0\n    2.1000   -1.2000   -0.5000 O   0  5\n  \
        1  2  1  0\n  2  3  2  0\n  2  4  1  0\nM  CHG  1   4  -1\nM  ISO  1   1  13\nM  END\n\
        > <pK>\n4.76\nin water\n\n>  <note>  (1)\n\n$$$$\n";

    #[test]
    fn a_record_is_read_whole() {
        let found = read(ACETATE.as_bytes());
        assert_eq!(found.errors, vec![]);
        let molecule = &found.molecules[0];
        assert_eq!(molecule.name, "acetate");
        assert_eq!(molecule.atoms[3].formal_charge, -1);
        assert_eq!(molecule.atoms[0].isotope, Some(13));
        assert_eq!(molecule.bonds[1], Bond::new(1, 2, BondOrder::Double));
        assert_eq!(molecule.property("pK"), Some("4.76\nin water"));
        assert_eq!(molecule.property("note"), Some(""));
        assert_eq!(molecule.conformers[0][3], Vec3::new(2.1, -1.2, -0.5));
    }

    #[test]
    fn a_wrong_record_costs_only_itself() {
        let wrong = ACETATE.replace("  1  2  1  0", "  1  9  1  0");
        let text = format!("{ACETATE}{wrong}{}", ACETATE.replace('\n', "\r\n"));
        let found = read(text.as_bytes());
        assert_eq!(found.molecules.len(), 2);
        assert_eq!(found.errors.len(), 1);
        assert_eq!(found.errors[0].record, Some(2));
        let Place::Line(line) = found.errors[0].place else { panic!("no line") };
        assert_eq!(text.lines().nth(line - 1).unwrap(), "  1  9  1  0");
    }

    #[test]
    fn queries_and_cut_records_are_errors_with_their_line() {
        for (from, to, part) in [
            (" O   0  5", " Qq  0  5", "\"Qq\" is no element"),
            ("  2  3  2", "  2  3  6", "bond type 6"),
            ("M  END\n", "", "M  END"),
            ("  4  3", "  9  3", "announces"),
            ("    1.5000", "       nan", "no coordinates"),
        ] {
            let found = read(ACETATE.replacen(from, to, 1).as_bytes());
            assert_eq!(found.errors.len(), 1, "{from}");
            let text = found.errors[0].to_string();
            assert!(text.contains(part) && text.contains("record 1, line"), "{text}");
        }
    }

    #[test]
    fn v3000_is_read_with_its_own_atom_numbers_and_continued_lines() {
        let text = "x\n  a                 3D\n\n  0  0  0     0  0            999 V3000\nM  V30 BEGIN CTAB\n\
            M  V30 COUNTS 2 1 0 0 0\nM  V30 BEGIN ATOM\nM  V30 7 Fe 1 2 3 0 -\nM  V30 CHG=2 MASS=57\nM  V30 3 O 0 0 1.5 0\n\
            M  V30 END ATOM\nM  V30 BEGIN BOND\nM  V30 1 9 7 3\nM  V30 END BOND\nM  V30 END CTAB\nM  END\n$$$$\n";
        let found = read(text.as_bytes());
        assert_eq!(found.errors, vec![]);
        let molecule = &found.molecules[0];
        assert_eq!((molecule.atoms[0].formal_charge, molecule.atoms[0].isotope), (2, Some(57)));
        assert_eq!(molecule.bonds, vec![Bond::new(0, 1, BondOrder::Coordination)]);
    }

    fn molecules() -> impl Strategy<Value = SmallMolecule> {
        let atom = (1_u8..=118, -4_i8..=4, prop::option::of(1_u16..300));
        let position = (-999.0_f32..999.0, -999.0_f32..999.0, -50.0_f32..50.0);
        let order = prop::sample::select(vec![
            BondOrder::Single,
            BondOrder::Double,
            BondOrder::Triple,
            BondOrder::Aromatic,
            BondOrder::Coordination,
        ]);
        (
            "[ -~]{0,30}",
            prop::collection::vec((atom, position), 1..40),
            prop::collection::vec((0_u32..40, 0_u32..40, order), 0..40),
            prop::collection::vec(("[!-;=?-~]{1,12}", "[ -~]{0,20}(\n[ -~]{1,20}){0,2}"), 0..4),
        )
            .prop_map(|(name, atoms, bonds, properties)| {
                let count = atoms.len() as u32;
                let mut bonds: Vec<Bond> = bonds
                    .into_iter()
                    .filter(|(a, b, _)| a != b && *a < count && *b < count)
                    .map(|(a, b, order)| Bond::new(a, b, order))
                    .collect();
                bonds.sort_unstable();
                bonds.dedup_by_key(|bond| (bond.a, bond.b));
                SmallMolecule {
                    name,
                    atoms: atoms
                        .iter()
                        .map(|((number, formal_charge, isotope), _)| SmallMoleculeAtom {
                            element: Element::from_atomic_number(*number),
                            formal_charge: *formal_charge,
                            isotope: *isotope,
                            fixed_hydrogens: None,
                            name: SmolStr::default(),
                        })
                        .collect(),
                    bonds,
                    conformers: vec![atoms.iter().map(|(_, position)| Vec3::from(*position)).collect()],
                    properties,
                    ..SmallMolecule::default()
                }
            })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(molecules in prop::collection::vec(molecules(), 1..4)) {
            let text = write(&molecules);
            let found = read(text.as_bytes());
            prop_assert_eq!(&found.errors, &vec![]);
            prop_assert_eq!(found.molecules.len(), molecules.len());
            for (read, written) in found.molecules.iter().zip(&molecules) {
                prop_assert_eq!(&read.atoms, &written.atoms);
                prop_assert_eq!(&read.bonds, &written.bonds);
                prop_assert_eq!(&read.name, written.name.trim());
                for (a, b) in read.conformers[0].iter().zip(&written.conformers[0]) {
                    // Half a unit of the fourth decimal, and half a step of f32 below 1024.
                    prop_assert!((*a - *b).abs().max_element() <= 0.00005 + 0.00004);
                }
                for ((key, value), (written_key, written_value)) in read.properties.iter().zip(&written.properties) {
                    prop_assert_eq!(key, written_key);
                    let kept: Vec<&str> = written_value.lines().map(str::trim_end).filter(|line| !line.trim().is_empty()).collect();
                    let value: Vec<&str> = value.lines().collect();
                    prop_assert_eq!(value.len(), kept.len());
                    for (line, kept) in value.iter().zip(&kept) {
                        prop_assert!(line == kept || line.trim_start() == *kept);
                    }
                }
            }
            // What has been through once does not change any more.
            prop_assert_eq!(write(&found.molecules), write(&read(write(&found.molecules).as_bytes()).molecules));
        }
    }

    #[test]
    fn molecules_beyond_v2000_are_written_as_v3000() {
        let count = 1200;
        let molecule = SmallMolecule {
            atoms: (0..count)
                .map(|_| SmallMoleculeAtom {
                    element: Element::C,
                    formal_charge: 0,
                    isotope: None,
                    fixed_hydrogens: None,
                    name: SmolStr::default(),
                })
                .collect(),
            bonds: (1..count).map(|index| Bond::new(index - 1, index, BondOrder::Single)).collect(),
            conformers: vec![(0..count).map(|index| Vec3::new(index as f32 * 1.5, 0.25, -1.0)).collect()],
            ..SmallMolecule::default()
        };
        let text = write(std::slice::from_ref(&molecule));
        assert!(text.contains("V3000"));
        let found = read(text.as_bytes());
        assert_eq!(found.molecules[0].atoms.len(), 1200);
        assert_eq!(found.molecules[0].bonds, molecule.bonds);
    }

    #[test]
    fn a_molecule_without_conformers_stays_without() {
        let mut found = read(ACETATE.as_bytes());
        found.molecules[0].conformers.clear();
        let again = read(write(&found.molecules).as_bytes());
        assert!(again.molecules[0].conformers.is_empty());
        assert_eq!(again.molecules[0].bonds.len(), 3);
    }
}
