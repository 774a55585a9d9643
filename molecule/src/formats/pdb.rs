//! PDB files, read by columns (wwPDB format 3.30), as leniently as programs write them.
//!
//! What real files do and what happens here: lines may end after the coordinates; elements may be missing (the name
//! columns tell, and the residue's template before them); serial and residue numbers may be hybrid-36, overflow their
//! columns or be `*****`; chain identifiers may have two letters (columns 21-22); residues may come in pieces; frames
//! may be separated by ENDMDL without MODEL. Coordinates that are not numbers are an error with line and atom, never 0.
//!
//! Bonds stated by the file (CONECT, SSBOND, LINK between atoms of the same asymmetric unit) are kept; a CONECT partner
//! listed twice or three times is a double or triple bond, as several programs write it. The rest comes from
//! [`crate::bonds`].

use std::collections::HashMap;

use glam::Vec3;
use smol_str::SmolStr;

use super::assemble::{Link, ModelBuilder, Place, ResidueKey};
use super::text::{columns, field, lines, number};
use super::{ParseError, assemble, hybrid36};
use crate::element::Element;
use crate::residues;
use crate::structure::{Atom, Bond, BondOrder, Structure, Topology};

mod writer;

pub use writer::write;

/// Residue names of four letters that reach into the chain columns, from simulation programs.
const FOUR_LETTER_NAMES: &[&str] = &[
    "TIP3", "TIP4", "TIP5", "TP3M", "SPCE", "POPC", "POPE", "POPG", "POPS", "DPPC", "DPPE", "DOPC", "DOPE", "DMPC",
    "DLPC", "CHL1", "NALA", "NARG", "NASN", "NASP", "NCYS", "NCYX", "NGLN", "NGLU", "NGLY", "NHID", "NHIE", "NHIP",
    "NILE", "NLEU", "NLYS", "NMET", "NPHE", "NPRO", "NSER", "NTHR", "NTRP", "NTYR", "NVAL", "CALA", "CARG", "CASN",
    "CASP", "CCYS", "CCYX", "CGLN", "CGLU", "CGLY", "CHID", "CHIE", "CHIP", "CILE", "CLEU", "CLYS", "CMET", "CPHE",
    "CPRO", "CSER", "CTHR", "CTRP", "CTYR", "CVAL",
];

/// What the file says about bonds.
#[derive(Default)]
struct Stated {
    /// CONECT: (from, to) by serial, with how often this record lists it.
    connected: HashMap<(i32, i32), u8>,
    /// SSBOND and LINK.
    links: Vec<Link>,
}

/// Reads a PDB file from memory; assigns bonds and residue kinds.
///
/// # Errors
/// When there is no atom, or a coordinate or residue number cannot be read, with the line.
pub fn read(bytes: &[u8]) -> Result<Structure, ParseError> {
    let mut id = String::new();
    let mut title = String::new();
    let mut builders: Vec<ModelBuilder> = Vec::new();
    let mut is_open = false;
    let mut stated = Stated::default();
    let mut last_line = 1;
    for (line_number, line) in lines(bytes) {
        last_line = line_number;
        match columns(line, 0, 6).to_ascii_uppercase().trim_ascii_end() {
            record @ (b"ATOM" | b"HETATM") => {
                if !is_open {
                    let number = builders.last().map_or(1, |builder| builder.number.saturating_add(1));
                    builders.push(ModelBuilder::new(number));
                    is_open = true;
                }
                if let Some(builder) = builders.last_mut() {
                    read_atom(line_number, line, record == b"HETATM", builder)?;
                }
            }
            b"MODEL" => {
                let next = builders.last().map_or(1, |builder| builder.number.saturating_add(1));
                let number = field(line, 6, 20).parse().unwrap_or(next);
                builders.push(ModelBuilder::new(number));
                is_open = true;
            }
            b"ENDMDL" => is_open = false,
            b"HEADER" if id.is_empty() => id = field(line, 62, 66).to_owned(),
            b"TITLE" if title.len() < 2000 => {
                let part = String::from_utf8_lossy(columns(line, 10, 80)).trim().to_owned();
                if !title.is_empty() {
                    title.push(' ');
                }
                title.push_str(&part);
            }
            b"CONECT" => read_conect(line, &mut stated),
            b"SSBOND" => stated.links.extend(read_ssbond(line)),
            b"LINK" => stated.links.extend(read_link(line)),
            // Text after the end belongs to something else, but several files in one (each with its END) are common
            // output of simulations: what follows is further models.
            b"END" => is_open = false,
            _ => {}
        }
    }
    if builders.iter().all(|builder| builder.atom_count() == 0) {
        return Err(ParseError::new(
            last_line,
            "there is no ATOM or HETATM record in the whole file",
            "check that this is a PDB file and not cut short",
        ));
    }
    let name = if id.is_empty() { title } else { id };
    assemble::structure(name, builders, |topology| Ok(stated.bonds(topology)))
}

fn optional(byte: Option<&u8>) -> Option<char> {
    byte.filter(|byte| byte.is_ascii_graphic()).map(|byte| char::from(*byte))
}

/// Residue name and chain, columns 18-20 (or 18-21) and 21-22.
fn name_and_chain(line: &[u8], first: usize) -> (&str, &str) {
    let four = field(line, first, first + 4);
    if four.len() == 4 && FOUR_LETTER_NAMES.contains(&four) {
        return (four, field(line, first + 4, first + 5));
    }
    (field(line, first, first + 3), field(line, first + 3, first + 5))
}

/// Residue number and insertion code, columns 23-26 and 27. A digit in column 27 is the fifth digit of a number.
fn residue_number(line: &[u8], first: usize) -> Option<(i32, Option<char>)> {
    let narrow = columns(line, first, first + 4);
    let code = line.get(first + 4);
    if code.is_some_and(u8::is_ascii_digit) && narrow.iter().all(|byte| byte.is_ascii_digit() || *byte == b'-') {
        return Some((field(line, first, first + 5).parse().ok()?, None));
    }
    if narrow.trim_ascii().is_empty() {
        return Some((0, optional(code)));
    }
    Some((hybrid36::decode(narrow, 4)?, optional(code)))
}

fn read_atom(line_number: usize, line: &[u8], is_hetero: bool, builder: &mut ModelBuilder) -> Result<(), ParseError> {
    let name = field(line, 12, 16);
    let (residue_name, chain) = name_and_chain(line, 17);
    let place = || {
        let number = field(line, 22, 27);
        format!("atom {name} of residue {residue_name} {number} in chain {:?}", chain)
    };
    let Some((number, insertion_code)) = residue_number(line, 22) else {
        return Err(ParseError::new(
            line_number,
            format!("{} has no readable residue number", place()),
            "the number stands in columns 23 to 26; renumber the file or save it as mmCIF",
        ));
    };
    let mut position = [0.0_f32; 3];
    for (axis, value) in position.iter_mut().enumerate() {
        let (first, last) = (30 + 8 * axis, 38 + 8 * axis);
        *value = self::number(field(line, first, last)).ok_or_else(|| {
            let found = String::from_utf8_lossy(columns(line, first, last)).into_owned();
            let axis = ["x", "y", "z"][axis];
            ParseError::new(
                line_number,
                format!("{} has {found:?} for {axis}", place()),
                "coordinates stand in columns 31 to 54; correct or remove the line",
            )
        })?;
    }
    let serial = serial(line).unwrap_or_else(|| builder.last_serial().saturating_add(1));
    let altloc = optional(line.get(16));
    let key = ResidueKey {
        name: residue_name.into(),
        number,
        insertion_code,
        sequence_index: None,
        asym_id: SmolStr::default(),
    };
    builder.enter(chain, &key, is_hetero, name, altloc);
    let atom = Atom {
        name: name.into(),
        element: element(line, residue_name, name),
        serial,
        altloc,
        occupancy: self::number(field(line, 54, 60)).unwrap_or(1.0),
        formal_charge: charge(columns(line, 78, 80)),
        residue: 0,
    };
    let b_factor = self::number(field(line, 60, 66)).unwrap_or(0.0);
    builder.push(atom, Vec3::from_array(position), b_factor);
    Ok(())
}

/// Serial number, columns 7-11, with a sixth digit in column 12 where a program let it grow.
fn serial(line: &[u8]) -> Option<i32> {
    let narrow = columns(line, 6, 11);
    if line.get(11).is_some_and(u8::is_ascii_digit) && narrow.iter().all(u8::is_ascii_digit) {
        return field(line, 6, 12).parse().ok();
    }
    hybrid36::decode(narrow, 5)
}

/// `2+`, `1-`, and `+2` as some write it.
fn charge(bytes: &[u8]) -> i8 {
    let digit = bytes.iter().find(|byte| byte.is_ascii_digit()).map(|byte| (byte - b'0') as i8);
    let sign = bytes.iter().find(|byte| matches!(byte, b'+' | b'-'));
    match (digit, sign) {
        (Some(digit), Some(b'+')) => digit,
        (Some(digit), Some(b'-')) => -digit,
        (None, Some(b'+')) => 1,
        (None, Some(b'-')) => -1,
        _ => 0,
    }
}

/// Element by columns 77-78, else by the residue's template, else by the name's columns 13-16.
fn element(line: &[u8], residue_name: &str, name: &str) -> Element {
    let stated = field(line, 76, 78);
    match stated {
        "C" => return Element::C,
        "N" => return Element::N,
        "O" => return Element::O,
        "H" => return Element::H,
        "S" => return Element::S,
        _ => {}
    }
    let stated = if stated.is_empty() { None } else { Element::from_symbol(stated) };
    let element = residues::element_in_template(residue_name, name, stated.unwrap_or(Element::UNKNOWN));
    if element != Element::UNKNOWN {
        return element;
    }
    let is_standard = residues::template_of(residue_name).is_some();
    let mut padded = [b' '; 4];
    for (target, source) in padded.iter_mut().zip(columns(line, 12, 16)) {
        *target = source.to_ascii_uppercase();
    }
    element_from_name(padded, is_standard)
}

/// The element that the four name columns say: a symbol right-justified in the first two. Four-letter names beginning
/// with H or D are hydrogens; so is a name that begins with a digit and then H (`1HB`).
fn element_from_name(name: [u8; 4], is_standard_residue: bool) -> Element {
    let single =
        |letter: u8| std::str::from_utf8(&[letter]).ok().and_then(Element::from_symbol).unwrap_or(Element::UNKNOWN);
    let fills_all = name[3] != b' ';
    match name {
        [b' ', letter, ..] => single(letter),
        [b'H' | b'D', ..] if fills_all => Element::H,
        // Left-justified hydrogens of amino acids and bases; mercury, holmium and the like do not occur in them.
        [b'H', ..] if is_standard_residue => Element::H,
        [digit, letter, ..] if digit.is_ascii_digit() => single(letter),
        [letter, digit, ..] if digit.is_ascii_digit() || digit == b' ' || digit == b'\'' => single(letter),
        [first, second, ..] => {
            let both = [first, second];
            let double = std::str::from_utf8(&both).ok().and_then(Element::from_symbol);
            match double {
                // `CA1B`, `OP12`: with all four columns taken the name says more than an element.
                Some(element) if !fills_all || matches!(element, Element::CL | Element::BR) => element,
                Some(element) if element.is_metal() && !matches!(first, b'C' | b'N' | b'O' | b'P' | b'S') => element,
                _ => single(first),
            }
        }
    }
}

fn read_conect(line: &[u8], stated: &mut Stated) {
    let serial = |first: usize| hybrid36::decode(columns(line, first, first + 5), 5);
    let Some(from) = serial(6) else { return };
    let mut listed: Vec<i32> = [11, 16, 21, 26].into_iter().filter_map(serial).collect();
    listed.retain(|to| *to != from);
    for to in listed {
        let count = stated.connected.entry((from, to)).or_insert(0);
        *count = count.saturating_add(1);
    }
}

fn read_ssbond(line: &[u8]) -> Option<Link> {
    if !same_unit(line) {
        return None;
    }
    let place = |name: usize, number_column: usize| {
        let (residue, chain) = name_and_chain(line, name);
        let (number, insertion_code) = residue_number(line, number_column)?;
        let (chain, residue) = (chain.into(), residue.into());
        Some(Place { chain, number, insertion_code, residue, atom: "SG".into(), altloc: None })
    };
    Some(Link { ends: [place(11, 17)?, place(25, 31)?], order: BondOrder::Single })
}

fn read_link(line: &[u8]) -> Option<Link> {
    if !same_unit(line) {
        return None;
    }
    let place = |first: usize| {
        let (residue, chain) = name_and_chain(line, first + 5);
        let (number, insertion_code) = residue_number(line, first + 10)?;
        let atom = field(line, first, first + 4).into();
        let altloc = optional(line.get(first + 4));
        Some(Place { chain: chain.into(), number, insertion_code, residue: residue.into(), atom, altloc })
    };
    Some(Link { ends: [place(12)?, place(42)?], order: BondOrder::Single })
}

/// Whether both symmetry operators (columns 60-65 and 67-72) are the same or not given.
fn same_unit(line: &[u8]) -> bool {
    let (first, second) = (field(line, 59, 65), field(line, 66, 72));
    first == second || first.is_empty() || second.is_empty()
}

impl Stated {
    /// The stated bonds as bonds of a topology; those whose atoms it lacks are left out.
    fn bonds(&self, topology: &Topology) -> Vec<Bond> {
        let mut bonds = Vec::new();
        if !self.connected.is_empty() {
            // A serial that occurs twice (a file beyond 99,999 atoms) tells nothing.
            let mut by_serial: HashMap<i32, Option<u32>> = HashMap::new();
            for (index, atom) in topology.atoms.iter().enumerate() {
                by_serial.entry(atom.serial).and_modify(|known| *known = None).or_insert(Some(index as u32));
            }
            for (&(from, to), &count) in &self.connected {
                let ends = [from, to].map(|serial| by_serial.get(&serial).copied().flatten());
                if let [Some(a), Some(b)] = ends {
                    let count = count.max(self.connected.get(&(to, from)).copied().unwrap_or(0));
                    let order = match count {
                        0 | 1 => BondOrder::Single,
                        2 => BondOrder::Double,
                        _ => BondOrder::Triple,
                    };
                    bonds.push(Bond::new(a, b, order));
                }
            }
        }
        bonds.extend(assemble::link_bonds(topology, &self.links));
        bonds
    }
}
