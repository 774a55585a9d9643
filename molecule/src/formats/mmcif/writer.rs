//! Writing mmCIF files.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;

use glam::Vec3;
use smol_str::{SmolStr, format_smolstr};

use crate::element::Element;
use crate::formats::assemble;
use crate::formats::cif::quote;
use crate::residues;
use crate::structure::{Bond, BondOrder, Residue, ResidueKind, Structure, Topology};

/// What the archive's scheme says of one residue.
#[derive(Clone, Default)]
struct Label {
    asym_id: SmolStr,
    entity: usize,
    /// Position in the entity's sequence; nothing outside polymers.
    sequence_index: Option<u32>,
}

/// An entity: a polymer by its sequence, or a component.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Entity {
    Polymer(ResidueKind, Vec<SmolStr>),
    Component(SmolStr),
    Water,
}

/// The structure as an mmCIF file: entities, polymer sequences, links, bonds of the components that are not standard,
/// and all models' atoms. Label identifiers are kept where the residues have them and made where they have not. Numbers
/// have the usual decimals, or more where these would change them. Models are numbered anew when two have the same number.
#[must_use]
pub fn write(structure: &Structure) -> String {
    let mut out = String::with_capacity(structure.atom_count() * 100 + 4096);
    let id: String =
        structure.name.chars().map(|letter| if letter.is_ascii_graphic() { letter } else { '_' }).take(60).collect();
    let id = if id.is_empty() { "structure".to_owned() } else { id };
    let _ = write!(out, "data_{id}\n#\n_entry.id {}\n#\n", quote(&id));
    let mut entities: Vec<Entity> = Vec::new();
    let labels: Vec<Vec<Label>> = structure.models.iter().map(|model| labels(&model.topology, &mut entities)).collect();
    write_entities(&mut out, &entities);
    if let Some(labels) = labels.first() {
        write_asyms(&mut out, labels);
    }
    let mut topologies: Vec<(&Topology, &[Label])> = Vec::new();
    for (model, labels) in structure.models.iter().zip(&labels) {
        if !topologies.iter().any(|(known, _)| std::ptr::eq(*known, &*model.topology)) {
            topologies.push((&model.topology, labels));
        }
    }
    write_links(&mut out, &topologies);
    write_component_bonds(&mut out, &topologies);
    write_atoms(&mut out, structure, &labels);
    out
}

/// Null where there is nothing to say.
fn or_null(text: &str) -> Cow<'_, str> {
    if text.is_empty() { Cow::Borrowed(".") } else { quote(text) }
}

fn letter_or_null(letter: Option<char>) -> String {
    letter.map_or_else(|| ".".to_owned(), |letter| quote(&letter.to_string()).into_owned())
}

/// Label identifiers of every residue: the polymer of a chain is one asym, each ligand one, the waters of a chain one.
fn labels(topology: &Topology, entities: &mut Vec<Entity>) -> Vec<Label> {
    let mut known: HashMap<Entity, usize> =
        entities.iter().cloned().enumerate().map(|(index, entity)| (entity, index)).collect();
    let mut number_of = |entity: Entity| {
        *known.entry(entity.clone()).or_insert_with(|| {
            entities.push(entity);
            entities.len() - 1
        })
    };
    let mut used: HashSet<SmolStr> = topology.residues.iter().map(|residue| residue.asym_id.clone()).collect();
    let mut fresh = |wish: &str| {
        let mut name = SmolStr::new(wish);
        let mut count = 1;
        while name.is_empty() || used.contains(&name) {
            count += 1;
            name = if wish.is_empty() { format_smolstr!("X{count}") } else { format_smolstr!("{wish}{count}") };
        }
        used.insert(name.clone());
        name
    };
    let mut labels = vec![Label::default(); topology.residues.len()];
    for chain in &topology.chains {
        let range = chain.residues.start as usize..chain.residues.end as usize;
        let residues = topology.residues.get(range.clone()).unwrap_or_default();
        // A chain's polymer is of one kind nearly always; a second kind is a second entity.
        for kind in [ResidueKind::Protein, ResidueKind::Dna, ResidueKind::Rna] {
            let members: Vec<usize> = (0..residues.len()).filter(|index| residues[*index].kind == kind).collect();
            let Some(&first) = members.first() else { continue };
            let sequence = members.iter().map(|index| residues[*index].name.clone()).collect();
            let entity = number_of(Entity::Polymer(kind, sequence));
            let asym_id = match residues[first].asym_id.as_str() {
                "" => fresh(&chain.id),
                known => known.into(),
            };
            for (position, index) in members.into_iter().enumerate() {
                let sequence_index = Some(position as u32 + 1);
                labels[range.start + index] = Label { asym_id: asym_id.clone(), entity, sequence_index };
            }
        }
        let mut water = None;
        for (index, residue) in residues.iter().enumerate().filter(|(_, residue)| !residue.is_polymer()) {
            let is_water = residue.kind == ResidueKind::Water;
            let entity = number_of(if is_water { Entity::Water } else { Entity::Component(residue.name.clone()) });
            let asym_id = if !residue.asym_id.is_empty() {
                residue.asym_id.clone()
            } else if is_water {
                water.get_or_insert_with(|| fresh(&format!("{}w", chain.id))).clone()
            } else {
                fresh(&format!("{}x", chain.id))
            };
            labels[range.start + index] = Label { asym_id, entity, sequence_index: None };
        }
    }
    for (label, residue) in labels.iter_mut().zip(&topology.residues) {
        label.sequence_index = residue.sequence_index.or(label.sequence_index);
    }
    labels
}

fn write_entities(out: &mut String, entities: &[Entity]) {
    if entities.is_empty() {
        return;
    }
    out.push_str("loop_\n_entity.id\n_entity.type\n_entity.pdbx_description\n");
    for (index, entity) in entities.iter().enumerate() {
        let (kind, description) = match entity {
            Entity::Polymer(..) => ("polymer", ".".to_owned()),
            Entity::Component(name) => ("non-polymer", or_null(name).into_owned()),
            Entity::Water => ("water", "water".to_owned()),
        };
        let _ = writeln!(out, "{} {kind} {description}", index + 1);
    }
    let polymers: Vec<(usize, ResidueKind, &Vec<SmolStr>)> = entities
        .iter()
        .enumerate()
        .filter_map(|(index, entity)| match entity {
            Entity::Polymer(kind, sequence) => Some((index + 1, *kind, sequence)),
            _ => None,
        })
        .collect();
    if polymers.is_empty() {
        out.push_str("#\n");
        return;
    }
    out.push_str("#\nloop_\n_entity_poly.entity_id\n_entity_poly.type\n_entity_poly.pdbx_seq_one_letter_code_can\n");
    for (number, kind, sequence) in &polymers {
        let kind = match kind {
            ResidueKind::Dna => "polydeoxyribonucleotide",
            ResidueKind::Rna => "polyribonucleotide",
            _ => "polypeptide(L)",
        };
        let letters: Vec<char> = sequence.iter().map(|name| residues::one_letter_code(name)).collect();
        let _ = write!(out, "{number} {kind}\n;");
        for line in letters.chunks(80) {
            out.extend(line);
            out.push('\n');
        }
        out.push_str(";\n");
    }
    out.push_str("#\nloop_\n_entity_poly_seq.entity_id\n_entity_poly_seq.num\n_entity_poly_seq.mon_id\n");
    for (number, _, sequence) in &polymers {
        for (position, name) in sequence.iter().enumerate() {
            let _ = writeln!(out, "{number} {} {}", position + 1, or_null(name));
        }
    }
    out.push_str("#\n");
}

fn write_asyms(out: &mut String, labels: &[Label]) {
    let mut seen = HashSet::new();
    out.push_str("loop_\n_struct_asym.id\n_struct_asym.entity_id\n");
    for label in labels {
        if seen.insert(label.asym_id.clone()) {
            let _ = writeln!(out, "{} {}", or_null(&label.asym_id), label.entity + 1);
        }
    }
    out.push_str("#\n");
}

/// What names a residue in a link.
fn name_of<'a>(topology: &'a Topology, residue: &'a Residue) -> (&'a str, i32, Option<char>, &'a str) {
    (&topology.chain_of(residue).id, residue.number, residue.insertion_code, &residue.name)
}

/// Links that neither templates nor component bonds tell: those of the first model, and of others where a residue is not
/// in the models before.
fn write_links(out: &mut String, topologies: &[(&Topology, &[Label])]) {
    let is_link = |topology: &Topology, bond: &Bond| {
        let [a, b] = [bond.a, bond.b].map(|end| &topology.atoms[end as usize]);
        if a.residue == b.residue {
            return false;
        }
        let names = (a.name.as_str(), b.name.as_str());
        let backbone =
            matches!(names, ("C", "N") | ("N", "C") | ("O3'", "P") | ("P", "O3'") | ("O3*", "P") | ("P", "O3*"));
        let residues = [a, b].map(|atom| &topology.residues[atom.residue as usize]);
        !(backbone && residues.iter().all(|residue| residue.is_polymer()))
    };
    let mut known = HashSet::new();
    let mut links: Vec<(&Topology, &[Label], &Bond)> = Vec::new();
    for (index, &(topology, labels)) in topologies.iter().enumerate() {
        let is_new = |bond: &Bond| {
            let name = |end: u32| name_of(topology, topology.residue_of(end as usize));
            index == 0 || !known.contains(&name(bond.a)) || !known.contains(&name(bond.b))
        };
        let found = topology.bonds.iter().filter(|bond| is_link(topology, bond) && is_new(bond));
        links.extend(found.map(|bond| (topology, labels, bond)));
        known.extend(topology.residues.iter().map(|residue| name_of(topology, residue)));
    }
    if links.is_empty() {
        return;
    }
    out.push_str("loop_\n_struct_conn.id\n_struct_conn.conn_type_id\n_struct_conn.pdbx_value_order\n");
    for end in [1, 2] {
        for item in ["label_asym_id", "label_comp_id", "label_seq_id", "label_atom_id", "auth_asym_id", "auth_seq_id"] {
            let _ = writeln!(out, "_struct_conn.ptnr{end}_{item}");
        }
        let _ = writeln!(out, "_struct_conn.pdbx_ptnr{end}_label_alt_id\n_struct_conn.pdbx_ptnr{end}_PDB_ins_code");
    }
    for (number, (topology, labels, bond)) in links.into_iter().enumerate() {
        let ends = [bond.a, bond.b];
        let is_disulfide = ends.iter().all(|end| {
            topology.atoms[*end as usize].name == "SG" && topology.atoms[*end as usize].element == Element::S
        });
        let kind = match bond.order {
            BondOrder::Coordination => "metalc",
            _ if is_disulfide => "disulf",
            _ => "covale",
        };
        let _ = write!(out, "{kind}{} {kind} {}", number + 1, order_word(bond.order));
        for end in ends {
            let atom = &topology.atoms[end as usize];
            let residue = &topology.residues[atom.residue as usize];
            let label = &labels[atom.residue as usize];
            let _ = write!(
                out,
                " {} {} {} {} {} {} {} {}",
                or_null(&label.asym_id),
                or_null(&residue.name),
                number_or_null(label.sequence_index),
                or_null(&atom.name),
                quote(&topology.chain_of(residue).id),
                residue.number,
                letter_or_null(atom.altloc),
                letter_or_null(residue.insertion_code),
            );
        }
        out.push('\n');
    }
    out.push_str("#\n");
}

fn number_or_null(number: Option<u32>) -> String {
    number.map_or_else(|| ".".to_owned(), |number| number.to_string())
}

const fn order_word(order: BondOrder) -> &'static str {
    match order {
        BondOrder::Double => "doub",
        BondOrder::Triple => "trip",
        BondOrder::Aromatic => "arom",
        BondOrder::Single => "sing",
        BondOrder::Coordination => ".",
    }
}

/// Bonds of components without template, from the first residue of each name.
fn write_component_bonds(out: &mut String, topologies: &[(&Topology, &[Label])]) {
    let mut rows = String::new();
    let mut known: HashSet<&SmolStr> = HashSet::new();
    for (topology, _) in topologies {
        component_bond_rows(&mut rows, topology, &known);
        known.extend(topology.residues.iter().map(|residue| &residue.name));
    }
    if !rows.is_empty() {
        out.push_str("loop_\n_chem_comp_bond.comp_id\n_chem_comp_bond.atom_id_1\n_chem_comp_bond.atom_id_2\n");
        let _ = write!(out, "_chem_comp_bond.value_order\n{rows}#\n");
    }
}

fn component_bond_rows(rows: &mut String, topology: &Topology, known: &HashSet<&SmolStr>) {
    let is_stated =
        |residue: &Residue| residues::template_of(&residue.name).is_none() && residue.kind != ResidueKind::Water;
    let mut first: HashMap<&SmolStr, u32> = HashMap::new();
    let stated = topology.residues.iter().enumerate().filter(|(_, residue)| is_stated(residue));
    for (index, residue) in stated.filter(|(_, residue)| !known.contains(&residue.name)) {
        first.entry(&residue.name).or_insert(index as u32);
    }
    let mut seen = HashSet::new();
    for bond in topology.bonds.iter().filter(|bond| bond.order != BondOrder::Coordination) {
        let [a, b] = [bond.a, bond.b].map(|end| &topology.atoms[end as usize]);
        let residue = &topology.residues[a.residue as usize];
        let is_first = a.residue == b.residue && first.get(&residue.name) == Some(&a.residue);
        // Alternate locations repeat the same bond.
        if is_first && seen.insert((a.residue, &a.name, &b.name)) {
            let _ = writeln!(
                rows,
                "{} {} {} {}",
                or_null(&residue.name),
                or_null(&a.name),
                or_null(&b.name),
                order_word(bond.order)
            );
        }
    }
}

/// A number with this many decimals, or with as many as it needs to be read as the same number.
fn push_number(out: &mut String, value: f32, decimals: usize) {
    let unit = 10_f64.powi(decimals as i32);
    let _ = if ((f64::from(value) * unit).round() / unit) as f32 == value {
        write!(out, "{value:.decimals$} ")
    } else {
        write!(out, "{value} ")
    };
}

fn write_atoms(out: &mut String, structure: &Structure, labels: &[Vec<Label>]) {
    const ITEMS: &[&str] = &[
        "group_PDB",
        "id",
        "type_symbol",
        "label_atom_id",
        "label_alt_id",
        "label_comp_id",
        "label_asym_id",
        "label_entity_id",
        "label_seq_id",
        "pdbx_PDB_ins_code",
        "Cartn_x",
        "Cartn_y",
        "Cartn_z",
        "occupancy",
        "B_iso_or_equiv",
        "pdbx_formal_charge",
        "auth_seq_id",
        "auth_comp_id",
        "auth_asym_id",
        "auth_atom_id",
        "pdbx_PDB_model_num",
    ];
    out.push_str("loop_\n");
    for item in ITEMS {
        let _ = writeln!(out, "_atom_site.{item}");
    }
    let mut serial = 0_u64;
    let numbers = assemble::distinct_numbers(structure);
    for ((model, labels), model_number) in structure.models.iter().zip(labels).zip(numbers) {
        let topology = &*model.topology;
        for (residue, label) in topology.residues.iter().zip(labels) {
            let group = if residue.is_hetero { "HETATM" } else { "ATOM" };
            let component = or_null(&residue.name);
            let asym = or_null(&label.asym_id);
            let entity = label.entity + 1;
            let sequence = number_or_null(label.sequence_index);
            let insertion =
                residue.insertion_code.map_or_else(|| "?".to_owned(), |code| quote(&code.to_string()).into_owned());
            // Quoted even when empty: null would mean "as the label says".
            let chain = quote(&topology.chain_of(residue).id);
            for index in topology.atoms_of(residue) {
                serial += 1;
                let atom = &topology.atoms[index];
                let symbol = if atom.element == Element::UNKNOWN { "X" } else { atom.symbol() };
                let name = or_null(&atom.name);
                let altloc = letter_or_null(atom.altloc);
                let Vec3 { x, y, z } = model.positions.get(index).copied().unwrap_or(Vec3::NAN);
                let charge = if atom.formal_charge == 0 { "?".to_owned() } else { atom.formal_charge.to_string() };
                let b_factor = model.b_factors.get(index).copied().unwrap_or(0.0);
                let _ = write!(
                    out,
                    "{group} {serial} {symbol} {name} {altloc} {component} {asym} {entity} {sequence} {insertion} "
                );
                for (value, decimals) in [(x, 3), (y, 3), (z, 3), (atom.occupancy, 2), (b_factor, 2)] {
                    push_number(out, value, decimals);
                }
                let _ = writeln!(out, "{charge} {} {component} {chain} {name} {model_number}", residue.number);
            }
        }
    }
    out.push_str("#\n");
}
