//! Writing PDB files.

use std::fmt::Write as _;
use std::sync::Arc;

use glam::Vec3;
use smol_str::SmolStr;

use super::super::{FormatError, assemble, hybrid36};
use crate::residues;
use crate::structure::{Bond, BondOrder, Model, Residue, ResidueKind, Structure, Topology};

/// The structure as a PDB file: several models between MODEL and ENDMDL, TER after the polymer of each chain, CONECT for
/// the bonds that names do not tell (ligands, disulfides, links, metals; a double bond is listed twice). Atoms are
/// numbered anew, and models too when two have the same number. Numbers too large for their columns are written as
/// hybrid-36, B factors and occupancies with as many decimals as fit. The orders of aromatic bonds are lost: the format
/// has no word for them.
///
/// # Errors
/// When something does not fit its columns (a chain identifier, residue or atom name, coordinate, charge): save as mmCIF
/// then.
pub fn write(structure: &Structure) -> Result<String, FormatError> {
    let mut out = String::with_capacity(structure.atom_count() * 81 + 256);
    if !structure.name.is_empty() {
        let name: String = structure.name.chars().filter(char::is_ascii).take(70).collect();
        let _ = writeln!(out, "TITLE     {}", name.replace(['\n', '\r'], " ").trim());
    }
    let mut serials: Vec<i32> = Vec::new();
    let mut numbered_for: Option<Arc<Topology>> = None;
    let several = structure.models.len() > 1;
    for (model, number) in structure.models.iter().zip(assemble::distinct_numbers(structure)) {
        if several {
            let _ = writeln!(out, "MODEL     {number:>4}");
        }
        let written = write_model(&mut out, model)?;
        if numbered_for.is_none() {
            serials = written;
            numbered_for = Some(Arc::clone(&model.topology));
        }
        if several {
            out.push_str("ENDMDL\n");
        }
    }
    if let Some(topology) = numbered_for {
        write_conect(&mut out, &topology, &serials)?;
    }
    out.push_str("END\n");
    Ok(out)
}

fn cannot_hold(what: String) -> FormatError {
    FormatError::CannotHold { format: "PDB", what, advice: "save as mmCIF, which has no such limit" }
}

/// Whether the text can stand in columns: readers leave out spaces around a name.
fn is_printable(text: &str) -> bool {
    text.trim() == text && text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic())
}

/// Writes a model's atoms; returns the serial number of each.
fn write_model(out: &mut String, model: &Model) -> Result<Vec<i32>, FormatError> {
    let topology = &*model.topology;
    let mut serials = Vec::with_capacity(topology.atoms.len());
    let mut serial = 0_i32;
    for chain in &topology.chains {
        if chain.id.len() > 2 || !is_printable(&chain.id) {
            return Err(cannot_hold(format!(
                "the chain identifier {:?} is not one or two letters or digits",
                chain.id
            )));
        }
        let residues =
            topology.residues.get(chain.residues.start as usize..chain.residues.end as usize).unwrap_or_default();
        let last_polymer = residues.iter().rposition(Residue::is_polymer);
        for (position, residue) in residues.iter().enumerate() {
            let label = residue_label(residue, &chain.id)?;
            for index in topology.atoms_of(residue) {
                serial += 1;
                serials.push(serial);
                write_atom(out, model, index, serial, residue, &label)?;
            }
            if Some(position) == last_polymer {
                serial += 1;
                let _ = writeln!(out, "TER   {}      {label}", serial_text(serial)?);
            }
        }
    }
    Ok(serials)
}

fn serial_text(serial: i32) -> Result<String, FormatError> {
    hybrid36::encode(serial, 5).ok_or_else(|| cannot_hold(format!("atom number {serial} is too large")))
}

/// Columns 18 to 27: residue name, chain, number, insertion code.
fn residue_label(residue: &Residue, chain: &SmolStr) -> Result<String, FormatError> {
    let name = &residue.name;
    // A fourth letter takes the column of a two-letter chain; readers know it only in well-known names.
    let limit = if chain.len() < 2 && super::FOUR_LETTER_NAMES.contains(&name.as_str()) { 4 } else { 3 };
    if name.len() > limit || !is_printable(name) {
        return Err(cannot_hold(format!("the residue name {name:?} in chain {chain:?} is not up to {limit} letters")));
    }
    if chain.len() == 2 && super::FOUR_LETTER_NAMES.contains(&format!("{name}{}", &chain[..1]).as_str()) {
        return Err(cannot_hold(format!("residue name {name:?} and chain {chain:?} together read as another name")));
    }
    let number = hybrid36::encode(residue.number, 4).ok_or_else(|| {
        cannot_hold(format!(
            "the number of residue {name} {} in chain {chain:?} needs more than four columns",
            residue.number
        ))
    })?;
    let code = residue.insertion_code.unwrap_or(' ');
    // Readers take a digit behind a full number for its fifth one.
    if !code.is_ascii() || code.is_ascii_control() || (code.is_ascii_digit() && !number.starts_with(' ')) {
        let what =
            format!("the insertion code {code:?} of residue {name} {} in chain {chain:?} is no letter", residue.number);
        return Err(cannot_hold(what));
    }
    let name_and_chain = if name.len() == 4 { format!("{name}{chain:1}") } else { format!("{name:>3}{chain:>2}") };
    Ok(format!("{name_and_chain}{number}{code}"))
}

fn write_atom(
    out: &mut String,
    model: &Model,
    index: usize,
    serial: i32,
    residue: &Residue,
    label: &str,
) -> Result<(), FormatError> {
    let topology = &*model.topology;
    let atom = &topology.atoms[index];
    let place = || format!("atom {} of {} {}", atom.name, residue.name, residue.number_text());
    if atom.name.len() > 4 || !is_printable(&atom.name) {
        return Err(cannot_hold(format!("the name of {} is not up to four letters", place())));
    }
    let altloc = atom.altloc.unwrap_or(' ');
    if !altloc.is_ascii() || altloc.is_ascii_control() {
        return Err(cannot_hold(format!("the alternate location {altloc:?} of {} is no letter", place())));
    }
    let symbol = atom.symbol();
    // A symbol of one letter stands in column 14, so the name of up to three letters begins there.
    let name = if symbol.len() < 2 && atom.name.len() < 4 {
        format!(" {:<3}", atom.name)
    } else {
        format!("{:<4}", atom.name)
    };
    let position = model.positions.get(index).copied().unwrap_or(Vec3::NAN);
    let mut coordinates = String::with_capacity(24);
    for value in position.to_array() {
        let text = format!("{value:8.3}");
        if text.len() > 8 || !value.is_finite() {
            return Err(cannot_hold(format!("the coordinate {value} of {} does not fit eight columns", place())));
        }
        coordinates.push_str(&text);
    }
    let record = if residue.is_hetero { "HETATM" } else { "ATOM  " };
    let charge = match atom.formal_charge {
        0 => String::new(),
        -9..=9 => format!("{}{}", atom.formal_charge.unsigned_abs(), if atom.formal_charge > 0 { '+' } else { '-' }),
        charge => return Err(cannot_hold(format!("the charge {charge} of {} needs more than a digit", place()))),
    };
    let six_columns = |value: f32, what: &str| {
        let text = (0..=2).rev().map(|decimals| format!("{value:6.decimals$}")).find(|text| text.len() == 6);
        text.filter(|_| value.is_finite())
            .ok_or_else(|| cannot_hold(format!("the {what} {value} of {} does not fit six columns", place())))
    };
    let occupancy = six_columns(atom.occupancy, "occupancy")?;
    let b_factor = six_columns(model.b_factors.get(index).copied().unwrap_or(0.0), "B factor")?;
    let _ = writeln!(
        out,
        "{record}{serial} {name}{altloc}{label}   {coordinates}{occupancy}{b_factor}          {symbol:>2}{charge}",
        serial = serial_text(serial)?,
        symbol = symbol.to_ascii_uppercase(),
    );
    Ok(())
}

/// Whether a reader would not find this bond by the residues' names.
fn is_worth_stating(topology: &Topology, bond: &Bond) -> bool {
    let ends = [bond.a, bond.b].map(|end| &topology.atoms[end as usize]);
    let residues = ends.map(|atom| &topology.residues[atom.residue as usize]);
    if residues.iter().any(|residue| residue.kind == ResidueKind::Water) {
        return bond.order == BondOrder::Coordination;
    }
    let is_standard = residues.map(|residue| residue.is_polymer() && residues::template_of(&residue.name).is_some());
    if is_standard != [true, true] {
        return true;
    }
    let is_backbone_link = matches!(
        (ends[0].name.as_str(), ends[1].name.as_str()),
        ("C", "N") | ("N", "C") | ("O3'", "P") | ("P", "O3'") | ("O3*", "P") | ("P", "O3*")
    );
    ends[0].residue != ends[1].residue && !is_backbone_link
}

fn write_conect(out: &mut String, topology: &Topology, serials: &[i32]) -> Result<(), FormatError> {
    let mut partners: Vec<Vec<u32>> = vec![Vec::new(); topology.atoms.len()];
    for bond in topology.bonds.iter().filter(|bond| is_worth_stating(topology, bond)) {
        let times = match bond.order {
            BondOrder::Double => 2,
            BondOrder::Triple => 3,
            _ => 1,
        };
        for _ in 0..times {
            partners[bond.a as usize].push(bond.b);
            partners[bond.b as usize].push(bond.a);
        }
    }
    let serial_of = |atom: u32| serial_text(serials.get(atom as usize).copied().unwrap_or(0));
    for (atom, listed) in partners.iter_mut().enumerate() {
        listed.sort_unstable();
        for four in listed.chunks(4) {
            let _ = write!(out, "CONECT{}", serial_of(atom as u32)?);
            for partner in four {
                out.push_str(&serial_of(*partner)?);
            }
            out.push('\n');
        }
    }
    Ok(())
}
