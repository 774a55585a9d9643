//! mmCIF/PDBx files (Fitzgerald et al., International Tables for Crystallography G, 2005, 3.6).
//!
//! Chains are the author's (`auth_asym_id`), as in PDB files; the label identifiers, which the archive made to be unique,
//! are kept on each residue. Files of other programs leave columns out: whatever of author and label is there is used.
//! `struct_conn` gives links, `chem_comp_bond` the bonds of components with their orders, the rest comes from
//! [`crate::bonds`].

use std::collections::HashMap;

use glam::Vec3;
use smol_str::SmolStr;

use super::ParseError;
use super::assemble::{self, Link, ModelBuilder, Place, ResidueKey};
use super::cif::{self, Category, Rows, Value};
use crate::element::Element;
use crate::residues;
use crate::structure::{Atom, Bond, BondOrder, Structure, Topology};

mod writer;

pub use writer::write;

/// Reads an mmCIF file from memory: the first data block that holds atoms. Assigns bonds and residue kinds.
///
/// # Errors
/// When the file breaks the syntax, holds no Cartesian coordinates, or has one that is not a number, with the line.
pub fn read(bytes: &[u8]) -> Result<Structure, ParseError> {
    let mut reader = Reader::default();
    cif::walk(bytes, &mut reader)?;
    reader.finish()
}

/// Bonds of a component by atom names.
type ComponentBonds = HashMap<SmolStr, Vec<(SmolStr, SmolStr, BondOrder)>>;

fn component_bonds(topology: &Topology, components: &ComponentBonds) -> Vec<Bond> {
    let mut bonds = Vec::new();
    if components.is_empty() {
        return bonds;
    }
    for residue in &topology.residues {
        let Some(listed) = components.get(&residue.name).filter(|_| residues::template_of(&residue.name).is_none())
        else {
            continue;
        };
        let mut by_name: HashMap<&str, Vec<usize>> = HashMap::new();
        for atom in topology.atoms_of(residue) {
            by_name.entry(&topology.atoms[atom].name).or_default().push(atom);
        }
        let all = |name: &SmolStr| by_name.get(name.as_str()).map_or(&[][..], |atoms| &atoms[..atoms.len().min(26)]);
        for (first, second, order) in listed {
            for &a in all(first) {
                for &b in all(second) {
                    let (alt_a, alt_b) = (topology.atoms[a].altloc, topology.atoms[b].altloc);
                    if a != b && (alt_a.is_none() || alt_b.is_none() || alt_a == alt_b) {
                        bonds.push(Bond::new(a as u32, b as u32, *order));
                    }
                }
            }
        }
    }
    bonds
}

/// Columns of the category being read, by position in [`ATOM_ITEMS`] or another list.
#[derive(Default)]
struct Columns(Vec<Option<usize>>);

impl Columns {
    fn new(category: &Category, items: &[&str]) -> Self {
        Self(items.iter().map(|item| category.column(item)).collect())
    }

    fn get<'a>(&self, row: &[Value<'a>], item: usize) -> Value<'a> {
        self.0.get(item).copied().flatten().and_then(|column| row.get(column)).copied().unwrap_or(Value::Null)
    }

    /// The first of two items that has a value.
    fn either<'a>(&self, row: &[Value<'a>], first: usize, second: usize) -> Value<'a> {
        let value = self.get(row, first);
        if value.is_null() { self.get(row, second) } else { value }
    }
}

macro_rules! items {
    ($list:ident: $($constant:ident $item:literal,)*) => {
        const $list: &[&str] = &[$($item),*];
        items!(@number 0; $($constant)*);
    };
    (@number $number:expr; $first:ident $($rest:ident)*) => {
        const $first: usize = $number;
        items!(@number $number + 1; $($rest)*);
    };
    (@number $number:expr;) => {};
}

items! { ATOM_ITEMS:
    GROUP "group_pdb", ID "id", SYMBOL "type_symbol", LABEL_ATOM "label_atom_id", AUTH_ATOM "auth_atom_id",
    ALTLOC "label_alt_id", LABEL_COMP "label_comp_id", AUTH_COMP "auth_comp_id", LABEL_ASYM "label_asym_id",
    AUTH_ASYM "auth_asym_id", LABEL_SEQ "label_seq_id", AUTH_SEQ "auth_seq_id", INSERTION "pdbx_pdb_ins_code",
    X "cartn_x", Y "cartn_y", Z "cartn_z", OCCUPANCY "occupancy", B_FACTOR "b_iso_or_equiv",
    CHARGE "pdbx_formal_charge", MODEL "pdbx_pdb_model_num", FRACTIONAL "fract_x",
}

items! { LINK_ITEMS:
    KIND "conn_type_id", ORDER "pdbx_value_order", SYMMETRY_1 "ptnr1_symmetry", SYMMETRY_2 "ptnr2_symmetry",
    ASYM_1 "ptnr1_auth_asym_id", SEQ_1 "ptnr1_auth_seq_id", COMP_1 "ptnr1_label_comp_id", ATOM_1 "ptnr1_label_atom_id",
    INSERTION_1 "pdbx_ptnr1_pdb_ins_code", ALTLOC_1 "pdbx_ptnr1_label_alt_id",
    ASYM_2 "ptnr2_auth_asym_id", SEQ_2 "ptnr2_auth_seq_id", COMP_2 "ptnr2_label_comp_id", ATOM_2 "ptnr2_label_atom_id",
    INSERTION_2 "pdbx_ptnr2_pdb_ins_code", ALTLOC_2 "pdbx_ptnr2_label_alt_id",
    LABEL_ASYM_1 "ptnr1_label_asym_id", LABEL_ASYM_2 "ptnr2_label_asym_id",
    LABEL_SEQ_1 "ptnr1_label_seq_id", LABEL_SEQ_2 "ptnr2_label_seq_id",
}

items! { BOND_ITEMS:
    BOND_COMP "comp_id", BOND_ATOM_1 "atom_id_1", BOND_ATOM_2 "atom_id_2", BOND_ORDER "value_order",
    BOND_AROMATIC "pdbx_aromatic_flag",
}

/// Which category the rows belong to.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Kind {
    #[default]
    None,
    Entry,
    Title,
    Atoms,
    Links,
    Bonds,
}

/// What a category is to us, with the items that we read.
fn kind_of(category: &str) -> (Kind, &'static [&'static str]) {
    match category {
        "entry" => (Kind::Entry, &["id"]),
        "struct" => (Kind::Title, &["title"]),
        "atom_site" => (Kind::Atoms, ATOM_ITEMS),
        "struct_conn" => (Kind::Links, LINK_ITEMS),
        "chem_comp_bond" => (Kind::Bonds, BOND_ITEMS),
        _ => (Kind::None, &[]),
    }
}

/// The values that identify a residue, to see without parsing that the next atom belongs to the same one.
type RawKey<'a> = [Value<'a>; 6];

/// Makes a structure of the categories of a text or binary file.
#[derive(Default)]
pub(super) struct Reader<'a> {
    id: String,
    title: String,
    block_name: String,
    kind: Kind,
    columns: Columns,
    builders: Vec<ModelBuilder>,
    builder_of: HashMap<i32, usize>,
    current: usize,
    current_model: Option<Value<'a>>,
    /// Of the latest atom, when the next one may simply join its residue.
    raw_key: Option<RawKey<'a>>,
    raw_symbol: Option<(Value<'a>, Element)>,
    is_standard: bool,
    links: Vec<Link>,
    components: ComponentBonds,
    has_fractional: bool,
    /// Rows announced for the atoms; 0 where the file does not say.
    expected_atoms: usize,
}

impl<'a> Rows<'a> for Reader<'a> {
    fn block(&mut self, name: &str) -> bool {
        if !self.builders.is_empty() {
            return false;
        }
        name.clone_into(&mut self.block_name);
        self.id.clear();
        self.title.clear();
        self.links.clear();
        self.components.clear();
        true
    }

    fn wants(&self, category: &str) -> bool {
        kind_of(category).0 != Kind::None
    }

    fn wants_item(&self, category: &str, item: &str) -> bool {
        kind_of(category).1.contains(&item)
    }

    fn expect_rows(&mut self, rows: usize) {
        if self.kind == Kind::Atoms {
            self.expected_atoms = rows;
        }
    }

    fn category(&mut self, category: &Category) -> Result<(), ParseError> {
        let (kind, items) = kind_of(&category.name);
        self.columns = Columns::new(category, items);
        self.kind = kind;
        if kind == Kind::Atoms && [X, Y, Z].iter().any(|item| self.columns.0[*item].is_none()) {
            self.has_fractional = self.columns.0[FRACTIONAL].is_some();
            self.kind = Kind::None;
        }
        Ok(())
    }

    fn row(&mut self, line: usize, row: &[Value<'a>]) -> Result<(), ParseError> {
        match self.kind {
            Kind::None => {}
            Kind::Entry => self.id = self.columns.get(row, 0).text().into_owned(),
            Kind::Title => self.title = self.columns.get(row, 0).text().trim().replace('\n', " "),
            Kind::Atoms => self.atom(line, row)?,
            Kind::Links => self.links.extend(link(&self.columns, row)),
            Kind::Bonds => self.component_bond(row),
        }
        Ok(())
    }
}

/// A single letter, or nothing for null.
fn letter(value: Value<'_>) -> Option<char> {
    value.text().trim().chars().next()
}

/// A number with its insertion code in one, `52A`.
fn with_code(text: &str) -> Option<(i32, Option<char>)> {
    let code = text.chars().next_back().filter(char::is_ascii_alphabetic)?;
    Some((text.strip_suffix(code)?.parse().ok()?, Some(code)))
}

/// The element of a symbol; a charge behind it, `FE2+`, is left out.
fn element_of(symbol: &str) -> Element {
    let letters = symbol.trim_end_matches(|sign: char| sign.is_ascii_digit() || matches!(sign, '+' | '-'));
    Element::from_symbol(letters).unwrap_or(Element::UNKNOWN)
}

fn order_of(text: &str) -> BondOrder {
    match text.to_ascii_lowercase().get(..4) {
        Some("doub") => BondOrder::Double,
        Some("trip") => BondOrder::Triple,
        Some("arom" | "delo") => BondOrder::Aromatic,
        _ => BondOrder::Single,
    }
}

impl<'a> Reader<'a> {
    /// The structure, when everything is read.
    pub fn finish(self) -> Result<Structure, ParseError> {
        if self.builders.is_empty() {
            let (what, advice) = if self.has_fractional {
                (
                    "the atoms have fractional coordinates only",
                    "convert the file to Cartesian coordinates (_atom_site.Cartn_x)",
                )
            } else {
                ("there is no _atom_site category with coordinates", "check that this is a structure and not cut short")
            };
            return Err(ParseError::new(1, what, advice));
        }
        let Self { id, title, block_name, builders, links, components, .. } = self;
        let name = [id, title, block_name].into_iter().find(|name| !name.is_empty()).unwrap_or_default();
        assemble::structure(name, builders, |topology| {
            let mut bonds = component_bonds(topology, &components);
            bonds.extend(assemble::link_bonds(topology, &links));
            Ok(bonds)
        })
    }

    fn atom(&mut self, line: usize, row: &[Value<'a>]) -> Result<(), ParseError> {
        let model = self.columns.get(row, MODEL);
        if self.current_model != Some(model) {
            self.turn_to_model(model);
        }
        let columns = &self.columns;
        let asym = columns.either(row, AUTH_ASYM, LABEL_ASYM);
        let sequence = columns.either(row, AUTH_SEQ, LABEL_SEQ);
        let component = columns.either(row, LABEL_COMP, AUTH_COMP);
        let name = columns.either(row, LABEL_ATOM, AUTH_ATOM).text();
        let name = name.as_ref();
        let place =
            || format!("atom {name} of residue {} {} in chain {:?}", component.text(), sequence.text(), asym.text());
        let mut position = [0.0; 3];
        for (value, item) in position.iter_mut().zip([X, Y, Z]) {
            let found = columns.get(row, item);
            *value = found.number().ok_or_else(|| {
                let axis = ["x", "y", "z"][item - X];
                ParseError::new(
                    line,
                    match found.is_null() {
                        true => format!("{} has no {axis}", place()),
                        false => format!("{} has {:?} for {axis}", place(), found.text()),
                    },
                    "give every atom three coordinates, or remove it",
                )
            })?;
        }
        let insertion = columns.get(row, INSERTION);
        let raw_key = [asym, sequence, component, insertion, columns.get(row, LABEL_ASYM), columns.get(row, LABEL_SEQ)];
        let altloc = letter(columns.get(row, ALTLOC));
        let is_same_residue = self.raw_key == Some(raw_key);
        let residue_name = component.text();
        let residue_name = residue_name.as_ref();
        if !is_same_residue {
            // Components without a number in either scheme share 0.
            let number = sequence.integer().or(sequence.is_null().then_some(0));
            let Some((number, code)) = number.map(|number| (number, None)).or_else(|| with_code(&sequence.text()))
            else {
                return Err(ParseError::new(
                    line,
                    format!("{} has a number that is no whole number", place()),
                    "correct _atom_site.auth_seq_id",
                ));
            };
            self.is_standard = residues::template_of(residue_name).is_some();
            let is_hetero = match columns.get(row, GROUP).text().as_ref() {
                "" => !self.is_standard,
                group => group.eq_ignore_ascii_case("HETATM"),
            };
            let key = ResidueKey {
                name: residue_name.into(),
                number,
                insertion_code: letter(insertion).or(code),
                sequence_index: columns.get(row, LABEL_SEQ).integer().and_then(|index| u32::try_from(index).ok()),
                asym_id: columns.get(row, LABEL_ASYM).text().into(),
            };
            self.builders[self.current].enter(&asym.text(), &key, is_hetero, name, altloc);
            // Waters that share a number are told apart atom by atom.
            self.raw_key = Some(raw_key).filter(|_| !residues::is_water(residue_name));
        }
        let columns = &self.columns;
        let symbol = columns.get(row, SYMBOL);
        let mut element = match self.raw_symbol {
            Some((known, element)) if known == symbol => element,
            _ => element_of(&symbol.text()),
        };
        self.raw_symbol = Some((symbol, element));
        if self.is_standard && (element == Element::UNKNOWN || element.is_metal()) {
            element = residues::element_in_template(residue_name, name, element);
        }
        let builder = &mut self.builders[self.current];
        let atom = Atom {
            name: name.into(),
            element,
            serial: columns.get(row, ID).integer().unwrap_or_else(|| builder.last_serial().saturating_add(1)),
            altloc,
            occupancy: columns.get(row, OCCUPANCY).number().unwrap_or(1.0),
            formal_charge: columns.get(row, CHARGE).integer().and_then(|charge| i8::try_from(charge).ok()).unwrap_or(0),
            residue: 0,
        };
        let b_factor = columns.get(row, B_FACTOR).number().unwrap_or(0.0);
        builder.push(atom, Vec3::from_array(position), b_factor);
        Ok(())
    }

    fn turn_to_model(&mut self, model: Value<'a>) {
        let number = model.integer().unwrap_or(1);
        self.current = *self.builder_of.entry(number).or_insert_with(|| {
            let mut builder = ModelBuilder::new(number);
            // All for the first model: most entries have one, and memory never written to costs nothing.
            builder.reserve(std::mem::take(&mut self.expected_atoms));
            self.builders.push(builder);
            self.builders.len() - 1
        });
        self.current_model = Some(model);
        self.raw_key = None;
    }

    fn component_bond(&mut self, row: &[Value<'a>]) {
        let columns = &self.columns;
        let [component, first, second] =
            [BOND_COMP, BOND_ATOM_1, BOND_ATOM_2].map(|item| SmolStr::new(columns.get(row, item).text()));
        let is_aromatic = columns.get(row, BOND_AROMATIC).text().eq_ignore_ascii_case("Y");
        let order = order_of(&columns.get(row, BOND_ORDER).text());
        let order = if is_aromatic { BondOrder::Aromatic } else { order };
        self.components.entry(component).or_default().push((first, second, order));
    }
}

/// A row of `struct_conn` as a link; hydrogen bonds, salt bridges and links to symmetry copies are none.
fn link(columns: &Columns, row: &[Value<'_>]) -> Option<Link> {
    let text = |item: usize| columns.get(row, item).text();
    let kind = text(KIND).to_ascii_lowercase();
    if !(kind.starts_with("covale") || kind == "disulf" || kind == "metalc" || kind == "modres") {
        return None;
    }
    let symmetry = [text(SYMMETRY_1), text(SYMMETRY_2)];
    if symmetry[0] != symmetry[1] && symmetry.iter().all(|operator| !operator.is_empty()) {
        return None;
    }
    let place = |[asym, label_asym, sequence, label_sequence, component, atom, insertion, altloc]: [usize; 8]| Place {
        chain: columns.either(row, asym, label_asym).text().into(),
        number: columns.either(row, sequence, label_sequence).integer().unwrap_or(0),
        residue: text(component).into(),
        atom: text(atom).into(),
        insertion_code: letter(columns.get(row, insertion)),
        altloc: letter(columns.get(row, altloc)),
    };
    let ends = [
        place([ASYM_1, LABEL_ASYM_1, SEQ_1, LABEL_SEQ_1, COMP_1, ATOM_1, INSERTION_1, ALTLOC_1]),
        place([ASYM_2, LABEL_ASYM_2, SEQ_2, LABEL_SEQ_2, COMP_2, ATOM_2, INSERTION_2, ALTLOC_2]),
    ];
    Some(Link { ends, order: order_of(&text(ORDER)) })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::structure::ResidueKind;

    fn file(name: &str) -> Structure {
        crate::formats::read_structure(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)).unwrap()
    }

    #[test]
    fn archive_files_are_read_as_the_reference_reads_them() {
        // Atoms and sums of coordinates by gemmi 0.7.5.
        for (name, models, atoms, sum) in [
            ("1a8o.cif", 1, 644, [12_181.811, 23_162.999, 10_343.024]),
            ("3jqh.cif", 1, 238, [1_690.667, 3_584.459, 8_558.830]),
            ("1gbt-part.cif", 1, 665, [33_107.168, 3_720.586, 18_117.912]),
            ("1as5-three-models.cif", 3, 357, [237.466, -154.244, -269.402]),
        ] {
            let structure = file(name);
            assert_eq!((structure.models.len(), structure.models[0].positions.len()), (models, atoms), "{name}");
            assert!(structure.is_ensemble());
            for (axis, expected) in sum.into_iter().enumerate() {
                let found: f64 = structure.models[0].positions.iter().map(|position| f64::from(position[axis])).sum();
                assert!((found - expected).abs() < 0.01, "{name} {axis}: {found}");
            }
        }
    }

    #[test]
    fn both_schemes_of_names_are_kept() {
        let structure = file("1a8o.cif");
        let topology = &structure.models[0].topology;
        assert_eq!(topology.chains.len(), 1);
        let first = &topology.residues[0];
        assert_eq!((first.name.as_str(), first.number, first.sequence_index), ("MSE", 151, Some(1)));
        assert_eq!((first.asym_id.as_str(), first.is_hetero, first.kind), ("A", false, ResidueKind::Protein));
        let water = topology.residues.iter().find(|residue| residue.kind == ResidueKind::Water).unwrap();
        assert_eq!((water.asym_id.as_str(), water.sequence_index), ("B", None));
    }

    #[test]
    fn covalent_ligands_and_calcium_are_bonded() {
        let structure = file("1gbt-part.cif");
        let topology = &structure.models[0].topology;
        let label = |atom: u32| {
            let residue = topology.residue_of(atom as usize);
            format!("{}{} {}", residue.name, residue.number, topology.atoms[atom as usize].name)
        };
        let between: Vec<(String, String, BondOrder)> = topology
            .bonds
            .iter()
            .map(|bond| (label(bond.a), label(bond.b), bond.order))
            .filter(|(a, b, _)| a.split(' ').next() != b.split(' ').next())
            .filter(|(a, b, _)| !(a.ends_with(" C") && b.ends_with(" N")))
            .collect();
        assert!(between.iter().any(|(a, b, _)| a == "SER195 OG" && b == "GBS704 CD"), "{between:?}");
        assert!(
            between
                .iter()
                .any(|(a, b, order)| a == "GLU70 OE1" && b == "CA701 CA" && *order == BondOrder::Coordination)
        );
    }

    #[test]
    fn columns_may_be_missing() {
        let text = "data_x\nloop_\n_atom_site.type_symbol\n_atom_site.label_atom_id\n_atom_site.label_comp_id\n\
            _atom_site.label_asym_id\n_atom_site.label_seq_id\n_atom_site.Cartn_x\n_atom_site.Cartn_y\n_ATOM_SITE.Cartn_Z\n\
            C CA GLY Q 7 1 2 3\n? \"O5'\" LIG Q . 4.0 5 6e0\n";
        let structure = read(text.as_bytes()).unwrap();
        let topology = &structure.models[0].topology;
        assert_eq!((topology.chains[0].id.as_str(), topology.residues[0].number), ("Q", 7));
        assert_eq!(topology.atoms[1].name, "O5'");
        assert_eq!(topology.atoms[1].serial, 2);
        assert!(topology.residues[1].is_hetero && !topology.residues[0].is_hetero);
    }

    #[test]
    fn component_bonds_survive_writing() {
        let molecule = crate::formats::sdf::read(
            b"acid\n  x                 3D\n\n  3  2  0  0\n    0.0       0.0       0.0    C   0  0\n    \
              1.2       0.0       0.0    O   0  0\n   -0.7       1.1       0.0    O   0  0\n  1  2  2  0\n  1  3  1  0\nM  END\n",
        );
        let mut structure = molecule.molecules[0].to_structure("L", "ACD");
        structure.name = "has spaces; and 'quotes\"".to_owned();
        let again = read(write(&structure).as_bytes()).unwrap();
        assert_eq!(again.models[0].topology.bonds, structure.models[0].topology.bonds);
        assert_eq!(again.models[0].topology.residues[0].kind, ResidueKind::Ligand);
    }

    #[test]
    fn what_cannot_be_read_is_told_with_its_place() {
        let text = "data_x\nloop_\n_atom_site.label_atom_id\n_atom_site.label_comp_id\n_atom_site.label_asym_id\n\
            _atom_site.label_seq_id\n_atom_site.Cartn_x\n_atom_site.Cartn_y\n_atom_site.Cartn_z\nCA GLY A 1 0 nan 0\n";
        let error = read(text.as_bytes()).unwrap_err();
        assert_eq!(error.place, crate::formats::Place::Line(10));
        assert!(error.to_string().contains("atom CA of residue GLY 1 in chain \"A\" has \"nan\" for y"), "{error}");
        let text = "data_x\nloop_\n_atom_site.fract_x\n0.1\n";
        assert!(read(text.as_bytes()).unwrap_err().to_string().contains("fractional"));
        assert!(read(b"data_x\n_cell.length_a 10\n").unwrap_err().to_string().contains("_atom_site"));
    }
}
