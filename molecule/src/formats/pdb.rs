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

/// Columns before those of the last coordinate.
const Z_COLUMN: usize = 46;

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
        match record_of(line) {
            record @ ("ATOM" | "HETATM") => {
                if !is_open {
                    let number = builders.last().map_or(1, |builder| builder.number.saturating_add(1));
                    builders.push(ModelBuilder::new(number));
                    is_open = true;
                }
                if let Some(builder) = builders.last_mut() {
                    read_atom(line_number, line, record == "HETATM", builder)?;
                }
            }
            "MODEL" => {
                let next = builders.last().map_or(1, |builder| builder.number.saturating_add(1));
                let number = field(line, 6, 20).parse().unwrap_or(next);
                // A model without atoms is none.
                if builders.last().is_some_and(|builder| builder.atom_count() == 0) {
                    builders.pop();
                }
                builders.push(ModelBuilder::new(number));
                is_open = true;
            }
            "ENDMDL" => is_open = false,
            "HEADER" if id.is_empty() => id = field(line, 62, 66).to_owned(),
            "TITLE" if title.len() < 2000 => {
                let part = String::from_utf8_lossy(columns(line, 10, 80)).trim().to_owned();
                if !title.is_empty() {
                    title.push(' ');
                }
                title.push_str(&part);
            }
            "CONECT" => read_conect(line, &mut stated),
            "SSBOND" => stated.links.extend(read_ssbond(line)),
            "LINK" => stated.links.extend(read_link(line)),
            // Text after the end belongs to something else, but several files in one (each with its END) are common
            // output of simulations: what follows is further models.
            "END" => is_open = false,
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
    // CONECT names atoms by serial numbers. They hold for the first model, and for others only where the number stands
    // for the same atom there.
    let mut first: Option<HashMap<i32, AtomIdentity>> = None;
    assemble::structure(name, builders, |topology| {
        let bonds = stated.bonds(topology, first.as_ref());
        if first.is_none() && !stated.connected.is_empty() {
            first = Some(
                (0..topology.atoms.len()).map(|atom| (topology.atoms[atom].serial, identity(topology, atom))).collect(),
            );
        }
        Ok(bonds)
    })
}

/// The record's name, columns 1 to 6; of ATOM only the first four, because serial numbers of six digits may reach into
/// the sixth. Anything that is no name of ours is "".
fn record_of(line: &[u8]) -> &'static str {
    const RECORDS: &[&str] = &["HETATM", "MODEL", "ENDMDL", "HEADER", "TITLE", "CONECT", "SSBOND", "LINK", "END"];
    if columns(line, 0, 4).eq_ignore_ascii_case(b"ATOM") {
        return "ATOM";
    }
    let name = columns(line, 0, 6).trim_ascii_end();
    RECORDS.iter().find(|record| name.eq_ignore_ascii_case(record.as_bytes())).copied().unwrap_or_default()
}

/// Atom name, residue name, residue number and chain identifier.
type AtomIdentity = (SmolStr, SmolStr, i32, SmolStr);

fn identity(topology: &Topology, atom: usize) -> AtomIdentity {
    let residue = topology.residue_of(atom);
    (topology.atoms[atom].name.clone(), residue.name.clone(), residue.number, topology.chain_of(residue).id.clone())
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
    let length = line.trim_ascii_end().len();
    if length <= Z_COLUMN {
        // What is cut off cannot be named.
        let text = String::from_utf8_lossy(line).trim_end().to_owned();
        return Err(ParseError::new(
            line_number,
            format!("the record {text:?} ends after {length} columns, before its coordinates do"),
            "coordinates stand in columns 31 to 54; the file is cut short or the line damaged: fetch it again or remove the line",
        ));
    }
    let name = field(line, 12, 16);
    let (residue_name, chain) = name_and_chain(line, 17);
    let place = || {
        let known = |text: &str| if text.is_empty() { "without name".to_owned() } else { text.to_owned() };
        let number = field(line, 22, 27);
        format!("atom {} of residue {} {number} in chain {chain:?}", known(name), known(residue_name))
    };
    let altloc = optional(line.get(16));
    let place_in_chain = if columns(line, 22, 26) == b"****" {
        // The number did not fit its columns: the residues are counted on.
        Some((builder.number_after_overflow(chain, residue_name, name, altloc), optional(line.get(26))))
    } else {
        residue_number(line, 22)
    };
    let Some((number, insertion_code)) = place_in_chain else {
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

/// Serial number, columns 7-11, with a sixth digit in column 12 or, in ATOM records, 6 where a program let it grow.
fn serial(line: &[u8]) -> Option<i32> {
    let narrow = columns(line, 6, 11);
    if line.get(5).is_some_and(u8::is_ascii_digit) {
        return field(line, 5, 11).parse().ok();
    }
    if line.get(11).is_some_and(u8::is_ascii_digit) && narrow.iter().all(u8::is_ascii_digit) {
        return field(line, 6, 12).parse().ok();
    }
    hybrid36::decode(narrow, 5)
}

/// `2+`, `1-`, and `+2` or `2` as some write it.
fn charge(bytes: &[u8]) -> i8 {
    let digit = bytes.iter().find(|byte| byte.is_ascii_digit()).map(|byte| (byte - b'0') as i8);
    let sign = bytes.iter().find(|byte| matches!(byte, b'+' | b'-'));
    match (digit, sign) {
        (Some(digit), Some(b'+')) => digit,
        (Some(digit), Some(b'-')) => -digit,
        (None, Some(b'+')) => 1,
        (None, Some(b'-')) => -1,
        (Some(digit), _) => digit,
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
        // Said to be unknown, which is more than saying nothing.
        "X" => return residues::element_in_template(residue_name, name, Element::UNKNOWN),
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
    let element = element_from_name(padded, is_standard);
    // Beads of coarse models (`BB`) are no boron.
    let is_usual =
        matches!(element, Element::H | Element::C | Element::N | Element::O | Element::P | Element::S | Element::SE);
    if is_standard && !is_usual { Element::UNKNOWN } else { element }
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
    fn bonds(&self, topology: &Topology, first: Option<&HashMap<i32, AtomIdentity>>) -> Vec<Bond> {
        let mut bonds = Vec::new();
        if !self.connected.is_empty() {
            // A serial that occurs twice (a file beyond 99,999 atoms) tells nothing.
            let mut by_serial: HashMap<i32, Option<u32>> = HashMap::new();
            for (index, atom) in topology.atoms.iter().enumerate() {
                by_serial.entry(atom.serial).and_modify(|known| *known = None).or_insert(Some(index as u32));
            }
            let is_meant = |atom: &u32| {
                first.is_none_or(|first| {
                    let serial = topology.atoms[*atom as usize].serial;
                    first.get(&serial).is_none_or(|known| *known == identity(topology, *atom as usize))
                })
            };
            for (&(from, to), &count) in &self.connected {
                let ends = [from, to].map(|serial| by_serial.get(&serial).copied().flatten().filter(is_meant));
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

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::structure::{Residue, ResidueKind};

    fn atoms_of(text: &str) -> Vec<Atom> {
        read(text.as_bytes()).unwrap().models[0].topology.atoms.clone()
    }

    #[test]
    fn insertion_codes_and_negative_numbers_are_kept() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/4zhl-part.pdb");
        let structure = crate::formats::read_structure(&path).unwrap();
        let model = structure.first().unwrap();
        // Counts and sums by gemmi 0.7.5.
        assert_eq!(
            (model.topology.atoms.len(), model.topology.residues.len(), model.topology.chains.len()),
            (350, 44, 1)
        );
        let sum: f64 = model.positions.iter().map(|position| f64::from(position.y)).sum();
        assert!((sum + 7876.792).abs() < 0.01, "{sum}");
        let codes: Vec<String> = model.topology.residues.iter().map(Residue::number_text).collect();
        assert!(codes.contains(&"37D".to_owned()) && codes.contains(&"60C".to_owned()), "{codes:?}");
        let text = "ATOM      1  CA  GLY A  -5      -1.000   2.000   3.000";
        assert_eq!(read(text.as_bytes()).unwrap().models[0].topology.residues[0].number, -5);
    }

    #[test]
    fn elements_come_from_the_name_columns_when_they_are_missing() {
        let lines = [
            ("ATOM      1  CA  ALA A   1 ", Element::C),
            ("HETATM    1 CA    CA A   1 ", Element::CA),
            ("ATOM      1 HG11 VAL A   1 ", Element::H),
            ("ATOM      1 1HB  ALA A   1 ", Element::H),
            ("ATOM      1  HG  SER A   1 ", Element::H),
            ("HETATM    1 HG    HG A   1 ", Element::HG),
            ("HETATM    1 FE   HEM A   1 ", Element::FE),
            ("HETATM    1 CL1  LIG A   1 ", Element::CL),
            ("HETATM    1 C10A LIG A   1 ", Element::C),
            ("ATOM      1 SE   MSE A   1 ", Element::SE),
            // Left-justified names of standard residues are no metals.
            ("ATOM      1 CA   ALA A   1 ", Element::C),
            ("ATOM      1 CD   ARG A   1 ", Element::C),
            ("HETATM    1  Q1  LIG A   1 ", Element::UNKNOWN),
        ];
        for (start, element) in lines {
            let line = format!("{start}     1.000   2.000   3.000");
            assert_eq!(atoms_of(&line)[0].element, element, "{start}");
        }
        // An element column that took the name of an alpha carbon for calcium.
        let line = "ATOM   2183 CA   LYS A 275      14.544 -22.094 -11.945  1.00  0.00          CA";
        assert_eq!(atoms_of(line)[0].element, Element::C);
        let line = "HETATM 2183 ZN    ZN A 275      14.544 -22.094 -11.945  1.00  0.00          ZN2+";
        assert_eq!((atoms_of(line)[0].element, atoms_of(line)[0].formal_charge), (Element::ZN, 2));
    }

    #[test]
    fn numbers_beyond_their_columns_are_understood() {
        let text = "ATOM  A0000  CA  GLY AA000       1.000   2.000   3.000\n\
                    ATOM  *****  CA  GLY A10001      1.000   2.000   9.000\n\
                    ATOM  100002 CA  GLYAA10002      1.000   2.000  16.000\n";
        let structure = read(text.as_bytes()).unwrap();
        let topology = &structure.models[0].topology;
        let serials: Vec<i32> = topology.atoms.iter().map(|atom| atom.serial).collect();
        assert_eq!(serials, [100_000, 100_001, 100_002]);
        let numbers: Vec<i32> = topology.residues.iter().map(|residue| residue.number).collect();
        assert_eq!(numbers, [10_000, 10_001, 10_002]);
        let chains: Vec<&str> = topology.chains.iter().map(|chain| chain.id.as_str()).collect();
        assert_eq!(chains, ["A", "AA"]);
    }

    #[test]
    fn chains_are_gathered_and_waters_with_one_number_kept_apart() {
        let text = "\
ATOM      1  CA  GLY A   1       0.000   0.000   0.000
ATOM      2  CA  GLY B   1      10.000   0.000   0.000
TER
HETATM    3  O   HOH A 201      20.000   0.000   0.000
HETATM    4  O   HOH A 201      24.000   0.000   0.000
ATOM      5  N   GLY A   1       0.000   1.400   0.000
END
";
        let structure = read(text.as_bytes()).unwrap();
        let topology = &structure.models[0].topology;
        let chains: Vec<(&str, u32)> = topology
            .chains
            .iter()
            .map(|chain| (chain.id.as_str(), chain.residues.end - chain.residues.start))
            .collect();
        assert_eq!(chains, [("A", 3), ("B", 1)]);
        let order: Vec<i32> = topology.atoms.iter().map(|atom| atom.serial).collect();
        assert_eq!(order, [1, 5, 3, 4, 2]);
        assert_eq!(topology.residues[0].atoms, 0..2);
        assert_eq!(topology.residues[1].kind, ResidueKind::Water);
        assert!(
            topology
                .atoms
                .iter()
                .enumerate()
                .all(|(index, atom)| { topology.residues[atom.residue as usize].atoms.contains(&(index as u32)) })
        );
    }

    #[test]
    fn models_of_an_ensemble_share_their_topology() {
        let atom = |x: f32| format!("ATOM      1  CA  GLY A   1    {x:8.3}   0.000   0.000\n");
        let text = format!("MODEL        3\n{}ENDMDL\n{}ENDMDL\nMODEL 9\n{}", atom(1.0), atom(2.0), atom(3.0));
        let structure = read(text.as_bytes()).unwrap();
        assert_eq!(structure.models.iter().map(|model| model.number).collect::<Vec<_>>(), [3, 4, 9]);
        assert!(structure.is_ensemble());
        let written = write(&structure).unwrap();
        assert_eq!(read(written.as_bytes()).unwrap().models[2].positions, structure.models[2].positions);
    }

    #[test]
    fn stated_bonds_are_kept_with_their_orders() {
        let text = "\
LINK        ZN    ZN A   3                 C1  LIG A   1     1555   1555  2.90
LINK         C2  LIG A   1                 C1  LIG A   1     1555   2555  1.50
HETATM    1  C1  LIG A   1       0.000   0.000   0.000
HETATM    2  C2  LIG A   1       1.330   0.000   0.000
HETATM    3  O1  LIG A   2       8.000   0.000   0.000
HETATM    4 ZN    ZN A   3       0.000   2.900   0.000
CONECT    1    2    2
CONECT    2    1    3
CONECT    9    1
";
        let structure = read(text.as_bytes()).unwrap();
        let expected = [
            Bond::new(0, 1, BondOrder::Double),
            Bond::new(0, 3, BondOrder::Coordination),
            Bond::new(1, 2, BondOrder::Single),
        ];
        assert_eq!(structure.models[0].topology.bonds, expected);
        let again = read(write(&structure).unwrap().as_bytes()).unwrap();
        assert_eq!(again.models[0].topology.bonds, expected);
    }

    #[test]
    fn what_cannot_be_read_is_told_with_its_place() {
        let error = read(b"REMARK\nATOM      1  CA  GLY A   1       0.000 ******   0.000\n").unwrap_err();
        assert_eq!(error.place, super::super::Place::Line(2));
        assert!(error.to_string().contains("atom CA of residue GLY 1 in chain \"A\" has"), "{error}");
        for cut in 4..46 {
            let line = &b"ATOM      1  CA  GLY A   1       0.000   1.000   2.000"[..cut];
            let error = read(&[b"REMARK\n", line, b"\n"].concat()).unwrap_err();
            let text = String::from_utf8_lossy(line).trim_end().to_owned();
            assert_eq!(error.place, super::super::Place::Line(2));
            assert!(error.to_string().contains(&format!("{text:?} ends after {} columns", text.len())), "{error}");
        }
        let error = read(b"ATOM      1  CA  GLY A x 1       0.000   0.000   0.000\n").unwrap_err();
        assert!(error.to_string().contains("residue number"), "{error}");
        assert!(read(b"REMARK only\n").unwrap_err().to_string().contains("no ATOM"));
    }

    #[test]
    fn what_the_format_cannot_hold_is_refused() {
        let mut structure = read(b"ATOM      1  CA  GLY A   1       0.000   0.000   0.000\n").unwrap();
        structure.models[0].positions[0].x = 1.0e9;
        assert!(write(&structure).unwrap_err().to_string().contains("does not fit"));
        structure.models[0].positions[0].x = 0.0;
        std::sync::Arc::make_mut(&mut structure.models[0].topology).chains[0].id = "LONG".into();
        assert!(write(&structure).unwrap_err().to_string().contains("save as mmCIF"));
    }
}
