//! Makes `assets/components.bin` from the wwPDB chemical component dictionary, reads it back and compares every
//! component with what went in.
//!
//! The dictionary is taken as BinaryCIF, as the PyPI package `biotite` carries it:
//! ```text
//! pip download --no-deps biotite==1.6.0 && unzip -j biotite-1.6.0-*.whl biotite/structure/info/components.bcif
//! cargo run --release -p kfold-molecule --example build_components -- components.bcif "wwPDB CCD in biotite 1.6.0" assets/components.bin
//! ```

#![allow(clippy::print_stdout, missing_docs)]

use std::collections::HashMap;
use std::error::Error;
use std::ops::Range;
use std::path::Path;
use std::time::Instant;

use glam::Vec3;
use kfold_molecule::components::{
    BondStereo, CentreStereo, Component, ComponentAtom, ComponentBond, Dictionary, write,
};
use kfold_molecule::formats::binary_cif::{Block, Category, Column, Document};
use kfold_molecule::formats::read_bytes;
use kfold_molecule::{BondOrder, Element};

/// Names of atoms before the remediation of 2007 are in files only for components of that time; those of later ones
/// come from the depositors' programs and would mislead.
const OTHER_NAMES_BEFORE: &str = "2008";

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [input, source, output] = &arguments[..] else {
        return Err("usage: build_components COMPONENTS.bcif SOURCE OUTPUT".into());
    };
    let bytes = read_bytes(Path::new(input))?;
    let document = Document::parse(&bytes)?;
    let block = document.blocks().next().ok_or("the file has no data block")?;
    let components = components(&block)?;
    println!(
        "{} components, {} atoms",
        components.len(),
        components.iter().map(|held| held.atoms.len()).sum::<usize>()
    );
    let file = write(&components, source)?;
    let size = file.len();
    let dictionary = Dictionary::open(file.clone().into())?;
    let started = Instant::now();
    for component in &components {
        let found = dictionary.lookup(&component.code)?.ok_or("a component is missing")?;
        if *found != *component {
            return Err(format!("{} does not come back as it was:\n{found:?}\n{component:?}", component.code).into());
        }
    }
    println!("every component reads back equal, all in {:.1} s; {size} bytes", started.elapsed().as_secs_f64());
    std::fs::write(output, file)?;
    Ok(())
}

fn category<'a>(block: &Block<'a>, name: &str) -> Result<Category<'a>, Box<dyn Error>> {
    Ok(block.category(name)?.ok_or_else(|| format!("there is no category {name}"))?)
}

/// Columns by name.
fn columns<'a, const N: usize>(category: &Category<'a>, names: [&str; N]) -> Result<[Column<'a>; N], Box<dyn Error>> {
    let mut found = Vec::with_capacity(N);
    for name in names {
        let column = category.column(name)?;
        found.push(column.ok_or_else(|| format!("{} has no column {name}", category.name()))?);
    }
    found.try_into().map_err(|_| "columns are missing".into())
}

/// The rows of each component.
fn rows_by_code(codes: &Column<'_>, count: usize) -> HashMap<String, Range<usize>> {
    let mut rows: HashMap<String, Range<usize>> = HashMap::new();
    let mut start = 0;
    for row in 1..=count {
        if row == count || codes.text(row) != codes.text(start) {
            rows.insert(codes.text(start).into_owned(), start..row);
            start = row;
        }
    }
    rows
}

fn components(block: &Block<'_>) -> Result<Vec<Component>, Box<dyn Error>> {
    let mut components = Vec::new();
    let entries = category(block, "chem_comp")?;
    let [code, name, kind, charge, parent, letters, status, replaced_by, synonyms, date] = columns(
        &entries,
        [
            "id",
            "name",
            "type",
            "pdbx_formal_charge",
            "mon_nstd_parent_comp_id",
            "one_letter_code",
            "pdbx_release_status",
            "pdbx_replaced_by",
            "pdbx_synonyms",
            "pdbx_initial_date",
        ],
    )?;
    let atoms = Atoms::of(&category(block, "chem_comp_atom")?)?;
    let bonds = Bonds::of(&category(block, "chem_comp_bond")?)?;
    let plain = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let list = |text: &str, separator: char| -> Vec<String> {
        text.split(separator).map(plain).filter(|part| !part.is_empty()).collect()
    };
    for row in 0..entries.row_count() {
        let mut component = Component {
            code: code.text(row).into(),
            name: plain(&name.text(row)),
            synonyms: list(&synonyms.text(row), ';'),
            type_name: plain(&kind.text(row)).to_uppercase().into(),
            charge: charge.integer(row).unwrap_or(0),
            parents: list(&parent.text(row), ',').into_iter().map(Into::into).collect(),
            one_letter_codes: letters.text(row).into(),
            is_obsolete: status.text(row) == "OBS",
            replaced_by: Some(replaced_by.text(row)).filter(|code| !code.is_empty()).map(Into::into),
            ..Component::default()
        };
        let is_old = *date.text(row) < *OTHER_NAMES_BEFORE;
        atoms.add(&mut component, is_old)?;
        bonds.add(&mut component)?;
        components.push(component);
    }
    Ok(components)
}

struct Atoms<'a> {
    rows: HashMap<String, Range<usize>>,
    columns: [Column<'a>; 13],
}

impl<'a> Atoms<'a> {
    fn of(category: &Category<'a>) -> Result<Self, Box<dyn Error>> {
        let [code] = columns(category, ["comp_id"])?;
        let columns = columns(
            category,
            [
                "atom_id",
                "alt_atom_id",
                "type_symbol",
                "charge",
                "pdbx_aromatic_flag",
                "pdbx_leaving_atom_flag",
                "pdbx_stereo_config",
                "pdbx_model_Cartn_x_ideal",
                "pdbx_model_Cartn_y_ideal",
                "pdbx_model_Cartn_z_ideal",
                "model_Cartn_x",
                "model_Cartn_y",
                "model_Cartn_z",
            ],
        )?;
        Ok(Self { rows: rows_by_code(&code, category.row_count()), columns })
    }

    fn add(&self, component: &mut Component, is_old: bool) -> Result<(), Box<dyn Error>> {
        let [name, other, symbol, charge, aromatic, leaving, stereo, coordinates @ ..] = &self.columns;
        for row in self.rows.get(component.code.as_str()).cloned().unwrap_or_default() {
            let text = symbol.text(row);
            let element = match &*text {
                "X" => Element::UNKNOWN,
                known => Element::from_symbol(known)
                    .ok_or_else(|| format!("{}: element {known} is not known", component.code))?,
            };
            let other_name = if is_old && other.text(row) != name.text(row) { other.text(row) } else { "".into() };
            component.atoms.push(ComponentAtom {
                name: name.text(row).into(),
                other_name: other_name.into(),
                element,
                is_deuterium: text == "D",
                charge: i8::try_from(charge.integer(row).unwrap_or(0))?,
                is_aromatic: aromatic.text(row) == "Y",
                is_leaving: leaving.text(row) == "Y",
                stereo: match &*stereo.text(row) {
                    "R" => CentreStereo::R,
                    "S" => CentreStereo::S,
                    _ => CentreStereo::None,
                },
            });
            let place = |first: usize| {
                let [x, y, z] = [0, 1, 2].map(|axis| coordinates[first + axis].number(row));
                Some(whole_thousandths(Vec3::new(x?, y?, z?)))
            };
            component.ideal.push(place(0));
            component.model.push(place(3));
        }
        Ok(())
    }
}

/// The nearest numbers to whole thousandths, which is what the dictionary's coordinates are.
fn whole_thousandths(place: Vec3) -> Vec3 {
    (place * 1000.0).round() / 1000.0
}

struct Bonds<'a> {
    rows: HashMap<String, Range<usize>>,
    columns: [Column<'a>; 5],
}

impl<'a> Bonds<'a> {
    fn of(category: &Category<'a>) -> Result<Self, Box<dyn Error>> {
        let [code] = columns(category, ["comp_id"])?;
        let columns =
            columns(category, ["atom_id_1", "atom_id_2", "value_order", "pdbx_aromatic_flag", "pdbx_stereo_config"])?;
        Ok(Self { rows: rows_by_code(&code, category.row_count()), columns })
    }

    fn add(&self, component: &mut Component) -> Result<(), Box<dyn Error>> {
        let [first, second, order, aromatic, stereo] = &self.columns;
        let places: HashMap<String, u32> =
            component.atoms.iter().zip(0..).map(|(atom, place)| (atom.name.to_string(), place)).collect();
        for row in self.rows.get(component.code.as_str()).cloned().unwrap_or_default() {
            let end = |column: &Column<'_>| {
                let name = column.text(row);
                places.get(&*name).copied().ok_or_else(|| format!("{}: a bond names {name}", component.code))
            };
            let (a, b) = (end(first)?, end(second)?);
            component.bonds.push(ComponentBond {
                a: a.min(b),
                b: a.max(b),
                order: match &*order.text(row).to_uppercase() {
                    "SING" => BondOrder::Single,
                    "DOUB" => BondOrder::Double,
                    "TRIP" => BondOrder::Triple,
                    "AROM" => BondOrder::Aromatic,
                    other => return Err(format!("{}: a bond of order {other}", component.code).into()),
                },
                is_aromatic: aromatic.text(row) == "Y",
                stereo: match &*stereo.text(row) {
                    "E" => BondStereo::E,
                    "Z" => BondStereo::Z,
                    _ => BondStereo::None,
                },
            });
        }
        component.bonds.sort_unstable_by_key(|bond| (bond.a, bond.b));
        Ok(())
    }
}
