//! Complexes as the mmCIF files of the public program (K-Fold 1.0.0, data/utils/writer): its categories in its order, with
//! what readers of predicted structures look for beside them: `_ma_qa_metric_local`, and branched entities for glycans of
//! several components. pLDDT stands in the B-factor column.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use glam::Vec3;
use kfold_molecule::Element;
use kfold_molecule::components::{self, Polymer};
use kfold_molecule::formats::cif_value;

use crate::kfold::features::component::BondClass;
use crate::kfold::features::reference::{ReferenceChain, ReferenceStructure};
use crate::kfold::features::vocabulary::{is_glycan, standard_residue};
use crate::kfold::input::ChainType;

/// Version of the public program whose network and file layout these are.
pub const KFOLD_VERSION: &str = "1.0.0";
/// Version of AtlasFold whose network this is.
pub const ATLASFOLD_VERSION: &str = "1.0.4";

/// The file of one or more sets of coordinates (Å, all atoms of the complex) of one complex, a model each. `plddt` has 0 to 100
/// for each atom, where there is any. Atoms without finite coordinates are left out, as in the public program.
#[must_use]
pub fn write(name: &str, structure: &ReferenceStructure, models: &[&[Vec3]], plddt: Option<&[f32]>) -> String {
    let mut out = String::new();
    let entities = Entities::of(structure);
    write_head(&mut out, name);
    write_entities(&mut out, structure, &entities);
    write_components(&mut out, structure);
    write_asyms(&mut out, structure);
    if let Some(positions) = models.first() {
        write_bonds(&mut out, structure, positions);
    }
    write_sequences(&mut out, structure, &entities);
    write_atoms(&mut out, structure, models, plddt);
    write_schemes(&mut out, structure);
    write_component_atoms(&mut out, structure);
    if let Some(plddt) = plddt {
        write_confidence(&mut out, structure, plddt);
    }
    out
}

/// The entities in order, each by its first chain.
struct Entities<'a> {
    first: BTreeMap<i64, &'a ReferenceChain>,
}

impl<'a> Entities<'a> {
    fn of(structure: &'a ReferenceStructure) -> Self {
        let mut first = BTreeMap::new();
        for chain in &structure.chains {
            first.entry(chain.entity_id).or_insert(chain);
        }
        Self { first }
    }

    fn polymers(&self) -> impl Iterator<Item = (i64, &'a ReferenceChain)> + '_ {
        self.first.iter().filter(|(_, chain)| is_polymer(chain)).map(|(id, chain)| (*id, *chain))
    }
}

fn is_polymer(chain: &ReferenceChain) -> bool {
    chain.chain_type != ChainType::Ligand
}

/// Starts a loop of `category` with these columns.
fn start_loop(out: &mut String, category: &str, columns: &[&str]) {
    out.push_str("\nloop_\n");
    for column in columns {
        let _ = writeln!(out, "_{category}.{column}");
    }
}

/// A row of a loop.
fn row(out: &mut String, values: &[&str]) {
    out.push_str(&values.join(" "));
    out.push('\n');
}

fn write_head(out: &mut String, name: &str) {
    let id = cif_value(name);
    let _ = write!(out, "data_{name}\n_entry.id {id}\n");
    start_loop(out, "audit_author", &["name", "pdbx_ordinal"]);
    row(out, &["'Team KAIST'", "1"]);
    let columns = ["pdbx_ordinal", "name", "type", "description", "classification", "version"];
    start_loop(out, "software", &columns);
    let software = [
        ("1", "K-Fold", "'K-Fold prediction pipeline'", KFOLD_VERSION),
        ("2", "AtlasFold", "'Apo structure and prior candidate generation'", ATLASFOLD_VERSION),
        ("3", "'K-Fold Studio'", "'Native implementation of both'", env!("CARGO_PKG_VERSION")),
    ];
    for (ordinal, name, description, version) in software {
        row(out, &[ordinal, name, "package", description, "'model building'", version]);
    }
    let _ = write!(out, "\n_cell.entry_id {id}\n");
    for (item, value) in [
        ("length_a", 1),
        ("length_b", 1),
        ("length_c", 1),
        ("angle_alpha", 90),
        ("angle_beta", 90),
        ("angle_gamma", 90),
    ] {
        let _ = writeln!(out, "_cell.{item} {value}");
    }
    let _ = write!(out, "\n_symmetry.entry_id {id}\n_symmetry.space_group_name_H-M ''\n");
}

fn write_entities(out: &mut String, structure: &ReferenceStructure, entities: &Entities<'_>) {
    start_loop(out, "entity", &["id", "type"]);
    for (id, chain) in &entities.first {
        let is_branched =
            chain.residues.len() > 1 && chain.residues.iter().all(|residue| is_glycan(&residue.component.code));
        let kind = match chain.chain_type {
            ChainType::Ligand if is_branched => "branched",
            ChainType::Ligand => "non-polymer",
            _ => "polymer",
        };
        row(out, &[&id.to_string(), kind]);
    }
    if entities.polymers().next().is_none() {
        return;
    }
    let columns = ["entity_id", "type", "pdbx_strand_id", "pdbx_seq_one_letter_code", "pdbx_seq_one_letter_code_can"];
    start_loop(out, "entity_poly", &columns);
    for (id, chain) in entities.polymers() {
        let kind = match chain.chain_type {
            ChainType::Dna => "polydeoxyribonucleotide",
            ChainType::Rna => "polyribonucleotide",
            _ => "polypeptide(L)",
        };
        let copies = structure.chains.iter().filter(|copy| copy.entity_id == id).map(|copy| copy.name.as_str());
        let copies = copies.collect::<Vec<_>>().join(",");
        let sequence = cif_value(&one_letter_sequence(chain)).into_owned();
        row(out, &[&id.to_string(), kind, &cif_value(&copies), &sequence, &sequence]);
    }
}

/// Letters of standard residues, codes in brackets of others.
fn one_letter_sequence(chain: &ReferenceChain) -> String {
    let letters = chain.residues.iter().map(|residue| {
        let code = &residue.component.code;
        standard_residue(code, chain.chain_type)
            .map_or_else(|| format!("({code})"), |standard| standard.letter.to_string())
    });
    letters.collect()
}

fn write_components(out: &mut String, structure: &ReferenceStructure) {
    let mut known: BTreeMap<&str, ChainType> = BTreeMap::new();
    for chain in &structure.chains {
        for residue in &chain.residues {
            known.entry(&residue.component.code).or_insert(chain.chain_type);
        }
    }
    start_loop(out, "chem_comp", &["id", "type", "name", "formula", "formula_weight", "mon_nstd_flag"]);
    for (code, chain_type) in known {
        // The dictionary's word, not the chain's: an amino acid may be a ligand. What is not in it came as SMILES.
        let component = components::lookup(code).ok().flatten();
        let kind = match component.as_ref().map(|component| component.polymer()) {
            Some(Polymer::Peptide) => "'L-peptide linking'",
            Some(Polymer::Dna) => "'DNA linking'",
            Some(Polymer::Rna) => "'RNA linking'",
            _ => "non-polymer",
        };
        let formula =
            component.map_or_else(|| ".".to_owned(), |component| cif_value(&component.formula()).into_owned());
        let is_standard = standard_residue(code, chain_type).is_some();
        row(out, &[&cif_value(code), kind, ".", &formula, ".", if is_standard { "n" } else { "y" }]);
    }
}

fn write_asyms(out: &mut String, structure: &ReferenceStructure) {
    start_loop(out, "struct_asym", &["id", "entity_id"]);
    for chain in &structure.chains {
        row(out, &[&cif_value(&chain.name), &chain.entity_id.to_string()]);
    }
}

fn write_bonds(out: &mut String, structure: &ReferenceStructure, positions: &[Vec3]) {
    if structure.connections.is_empty() {
        return;
    }
    let mut columns = vec!["id".to_owned(), "conn_type_id".to_owned()];
    for partner in ["ptnr1", "ptnr2"] {
        let items = ["label_asym_id", "label_comp_id", "label_seq_id", "label_atom_id"];
        columns.extend(items.map(|item| format!("{partner}_{item}")));
        columns.push(format!("pdbx_{partner}_label_alt_id"));
        columns.extend(["auth_asym_id", "auth_seq_id"].map(|item| format!("{partner}_{item}")));
        columns.push(format!("pdbx_{partner}_PDB_ins_code"));
        columns.push(format!("{partner}_symmetry"));
    }
    columns.extend(["details".to_owned(), "pdbx_dist_value".to_owned()]);
    start_loop(out, "struct_conn", &columns.iter().map(String::as_str).collect::<Vec<_>>());
    let first_atom = structure.first_atoms();
    for (number, connection) in (1..).zip(&structure.connections) {
        let _ = write!(out, "covale{number} covale");
        for (chain_index, atom) in connection.chains.into_iter().zip(connection.atoms) {
            let chain = &structure.chains[chain_index];
            let position = chain.residue_of(atom);
            let label = if is_polymer(chain) { (position + 1).to_string() } else { ".".to_owned() };
            let (asym, comp) = (cif_value(&chain.name), cif_value(&chain.residues[position].component.code));
            let name = cif_value(&chain.atoms[atom].name);
            let _ = write!(out, " {asym} {comp} {label} {name} ? {asym} {} ? 1_555", position + 1);
        }
        let place = |end: usize| positions.get(first_atom[connection.chains[end]] + connection.atoms[end]);
        let distance = place(0).zip(place(1)).map_or(f32::NAN, |(a, b)| a.distance(*b));
        let _ = writeln!(out, " ? {}", number_text(distance, 4));
    }
    start_loop(out, "struct_conn_type", &["id"]);
    out.push_str("covale\n");
}

fn write_sequences(out: &mut String, structure: &ReferenceStructure, entities: &Entities<'_>) {
    let elements: BTreeSet<u8> =
        structure.chains.iter().flat_map(|chain| chain.atoms.iter().map(|atom| atom.element)).collect();
    start_loop(out, "atom_type", &["symbol"]);
    for element in elements {
        let _ = writeln!(out, "{}", symbol(element).to_uppercase());
    }
    if entities.polymers().next().is_none() {
        return;
    }
    start_loop(out, "entity_poly_seq", &["entity_id", "num", "mon_id", "hetero"]);
    for (id, chain) in entities.polymers() {
        for (number, residue) in (1..).zip(&chain.residues) {
            let _ = writeln!(out, "{id} {number} {} n", cif_value(&residue.component.code));
        }
    }
}

fn symbol(element: u8) -> &'static str {
    Element::from_atomic_number(element).symbol()
}

/// A number without trailing zeros.
fn number_text(value: f32, decimals: usize) -> String {
    if !value.is_finite() {
        return "?".to_owned();
    }
    let text = format!("{value:.decimals$}");
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

fn write_atoms(out: &mut String, structure: &ReferenceStructure, models: &[&[Vec3]], plddt: Option<&[f32]>) {
    let columns = [
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
        "auth_asym_id",
        "pdbx_PDB_model_num",
    ];
    start_loop(out, "atom_site", &columns);
    let mut serial = 0;
    for (model, positions) in (1..).zip(models) {
        let mut at = 0;
        for chain in &structure.chains {
            let group = if is_polymer(chain) { "ATOM" } else { "HETATM" };
            let asym = cif_value(&chain.name).into_owned();
            for (number, residue) in (1..).zip(&chain.residues) {
                let comp = cif_value(&residue.component.code).into_owned();
                let label = if is_polymer(chain) { number.to_string() } else { ".".to_owned() };
                for atom in &chain.atoms[residue.atoms.clone()] {
                    let index = at;
                    at += 1;
                    let Some(place) = positions.get(index).filter(|place| place.is_finite()) else { continue };
                    serial += 1;
                    let [x, y, z] = place.to_array().map(|value| number_text(value, 3));
                    let b = number_text(plddt.and_then(|plddt| plddt.get(index)).copied().unwrap_or(0.0), 2);
                    let charge = if atom.charge == 0 { "?".to_owned() } else { atom.charge.to_string() };
                    let (element, name) = (symbol(atom.element).to_uppercase(), cif_value(&atom.name));
                    let _ = writeln!(
                        out,
                        "{group} {serial} {element} {name} . {comp} {asym} {} {label} ? {x} {y} {z} 1 {b} {charge} {number} {asym} {model}",
                        chain.entity_id
                    );
                }
            }
        }
    }
}

fn write_schemes(out: &mut String, structure: &ReferenceStructure) {
    if structure.chains.iter().any(|chain| !is_polymer(chain)) {
        let columns = [
            "asym_id",
            "entity_id",
            "mon_id",
            "ndb_seq_num",
            "pdb_seq_num",
            "auth_seq_num",
            "pdb_mon_id",
            "auth_mon_id",
            "pdb_strand_id",
            "pdb_ins_code",
        ];
        start_loop(out, "pdbx_nonpoly_scheme", &columns);
        for chain in structure.chains.iter().filter(|chain| !is_polymer(chain)) {
            let (asym, entity) = (cif_value(&chain.name), chain.entity_id);
            for (number, residue) in (1..).zip(&chain.residues) {
                let code = cif_value(&residue.component.code);
                let _ = writeln!(out, "{asym} {entity} {code} {number} {number} {number} {code} {code} {asym} .");
            }
        }
    }
    if structure.chains.iter().any(is_polymer) {
        let columns = ["asym_id", "entity_id", "mon_id", "seq_id", "pdb_strand_id", "pdb_seq_num", "pdb_ins_code"];
        start_loop(out, "pdbx_poly_seq_scheme", &columns);
        for chain in structure.chains.iter().filter(|chain| is_polymer(chain)) {
            let (asym, entity) = (cif_value(&chain.name), chain.entity_id);
            for (number, residue) in (1..).zip(&chain.residues) {
                let code = cif_value(&residue.component.code);
                let _ = writeln!(out, "{asym} {entity} {code} {number} {asym} {number} .");
            }
        }
    }
}

/// Atoms and bonds of the ligands' components, each once.
fn write_component_atoms(out: &mut String, structure: &ReferenceStructure) {
    let mut atoms: BTreeMap<(&str, &str), (u8, i8)> = BTreeMap::new();
    let mut bonds: BTreeMap<(&str, &str, &str), BondClass> = BTreeMap::new();
    for chain in structure.chains.iter().filter(|chain| !is_polymer(chain)) {
        for residue in &chain.residues {
            for atom in &chain.atoms[residue.atoms.clone()] {
                atoms.entry((&residue.component.code, &atom.name)).or_insert((atom.element, atom.charge));
            }
        }
        for (a, b, class) in &chain.bonds {
            let code = &chain.residues[chain.residue_of(*a)].component.code;
            let (a, b) = (chain.atoms[*a].name.as_str(), chain.atoms[*b].name.as_str());
            bonds.entry((code, a.min(b), a.max(b))).or_insert(*class);
        }
    }
    if !atoms.is_empty() {
        start_loop(out, "chem_comp_atom", &["comp_id", "atom_id", "type_symbol", "charge"]);
        for ((code, name), (element, charge)) in atoms {
            row(out, &[&cif_value(code), &cif_value(name), symbol(element), &charge.to_string()]);
        }
    }
    if !bonds.is_empty() {
        let columns = ["comp_id", "atom_id_1", "atom_id_2", "value_order", "pdbx_aromatic_flag"];
        start_loop(out, "chem_comp_bond", &columns);
        for ((code, a, b), class) in bonds {
            let (order, aromatic) = match class {
                BondClass::Single => ("SING", "N"),
                BondClass::Double => ("DOUB", "N"),
                BondClass::Triple => ("TRIP", "N"),
                BondClass::Aromatic => ("AROM", "Y"),
                BondClass::Other | BondClass::Intermolecular => ("?", "N"),
            };
            row(out, &[&cif_value(code), &cif_value(a), &cif_value(b), order, aromatic]);
        }
    }
}

/// pLDDT of the whole and of each residue: the mean of its atoms'.
fn write_confidence(out: &mut String, structure: &ReferenceStructure, plddt: &[f32]) {
    let mean = |values: &[f32]| {
        (values.iter().map(|value| f64::from(*value)).sum::<f64>() / values.len().max(1) as f64) as f32
    };
    start_loop(out, "ma_qa_metric", &["id", "mode", "name", "software_group_id", "type"]);
    out.push_str("1 global pLDDT 1 pLDDT\n2 local pLDDT 1 pLDDT\n");
    let _ = write!(
        out,
        "\n_ma_qa_metric_global.metric_id 1\n_ma_qa_metric_global.metric_value {}\n\
         _ma_qa_metric_global.model_id 1\n_ma_qa_metric_global.ordinal_id 1\n",
        number_text(mean(plddt), 2)
    );
    let columns =
        ["label_asym_id", "label_comp_id", "label_seq_id", "metric_id", "metric_value", "model_id", "ordinal_id"];
    start_loop(out, "ma_qa_metric_local", &columns);
    let (mut at, mut ordinal) = (0, 0);
    for chain in &structure.chains {
        let asym = cif_value(&chain.name);
        for (number, residue) in (1..).zip(&chain.residues) {
            let values = plddt.get(at..at + residue.atoms.len()).unwrap_or_default();
            at += residue.atoms.len();
            ordinal += 1;
            // Residues of ligands have no place in a sequence; their number tells those of one chain apart.
            let number: usize = number;
            let _ = writeln!(
                out,
                "{asym} {} {number} 2 {} 1 {ordinal}",
                cif_value(&residue.component.code),
                number_text(mean(values), 2)
            );
        }
    }
}
