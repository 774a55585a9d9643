//! Writing PDB files.

use std::fmt::Write as _;
use std::sync::Arc;

use glam::Vec3;
use smol_str::SmolStr;

use super::super::{FormatError, hybrid36};
use crate::element::Element;
use crate::residues;
use crate::structure::{Bond, BondOrder, Model, Residue, ResidueKind, Structure, Topology};

/// The structure as a PDB file: several models between MODEL and ENDMDL, TER after the polymer of each chain, CONECT for
/// the bonds that names do not tell (ligands, disulfides, links, metals; a double bond is listed twice). Atoms are
/// numbered anew. Numbers too large for their columns are written as hybrid-36. The orders of aromatic bonds are lost:
/// the format has no word for them.
///
/// # Errors
/// When a chain identifier, residue or atom name, or coordinate does not fit its columns: save as mmCIF then.
pub fn write(structure: &Structure) -> Result<String, FormatError> {
    let mut out = String::with_capacity(structure.atom_count() * 81 + 256);
    if !structure.name.is_empty() {
        let name: String = structure.name.chars().filter(char::is_ascii).take(70).collect();
        let _ = writeln!(out, "TITLE     {}", name.replace(['\n', '\r'], " ").trim());
    }
    let mut serials: Vec<i32> = Vec::new();
    let mut numbered_for: Option<Arc<Topology>> = None;
    let several = structure.models.len() > 1;
    for model in &structure.models {
        if several {
            let _ = writeln!(out, "MODEL     {:>4}", model.number);
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

/// Writes a model's atoms; returns the serial number of each.
fn write_model(out: &mut String, model: &Model) -> Result<Vec<i32>, FormatError> {
    let topology = &*model.topology;
    let mut serials = Vec::with_capacity(topology.atoms.len());
    let mut serial = 0_i32;
    for chain in &topology.chains {
        if chain.id.len() > 2 || !chain.id.is_ascii() {
            return Err(cannot_hold(format!("the chain identifier {:?} has more than two letters", chain.id)));
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
    if name.len() > limit || !name.is_ascii() {
        return Err(cannot_hold(format!("the residue name {name:?} in chain {chain:?} has more than {limit} letters")));
    }
    let number = hybrid36::encode(residue.number, 4).ok_or_else(|| {
        cannot_hold(format!(
            "the number of residue {name} {} in chain {chain:?} needs more than four columns",
            residue.number
        ))
    })?;
    let code = residue.insertion_code.unwrap_or(' ');
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
    if atom.name.len() > 4 || !atom.name.is_ascii() {
        return Err(cannot_hold(format!("the name of {} has more than four letters", place())));
    }
    let symbol = if atom.element == Element::UNKNOWN { "" } else { atom.element.symbol() };
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
        charge => format!("{}{}", charge.unsigned_abs().min(9), if charge > 0 { '+' } else { '-' }),
    };
    let b_factor = model.b_factors.get(index).copied().unwrap_or(0.0).clamp(-99.99, 999.99);
    let _ = writeln!(
        out,
        "{record}{serial} {name}{altloc}{label}   {coordinates}{occupancy:6.2}{b_factor:6.2}          {symbol:>2}{charge}",
        serial = serial_text(serial)?,
        altloc = atom.altloc.unwrap_or(' '),
        occupancy = atom.occupancy.clamp(0.0, 99.99),
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
