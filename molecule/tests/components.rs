//! The component dictionary inside the program against RDKit's reading of its source (`oracle/component_goldens.py`),
//! and dictionaries that are damaged.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::collections::BTreeMap;
use std::sync::Arc;

use kfold_molecule::chemistry::{canonical_smiles, perceive, smiles};
use kfold_molecule::components::{
    self, BondStereo, CentreStereo, Component, ComponentAtom, ComponentBond, Dictionary, Polymer,
};
use kfold_molecule::{BondOrder, Element};
use proptest::prelude::*;

fn component(code: &str) -> Arc<Component> {
    components::lookup(code).unwrap().unwrap_or_else(|| panic!("{code} is missing"))
}

#[test]
fn every_component_opens() {
    let dictionary = components::standard().unwrap();
    assert_eq!(dictionary.len(), 49_196);
    assert!(dictionary.source().contains("SHA-256"));
    let mut atoms = 0;
    for code in dictionary.codes() {
        let found = dictionary.lookup(code).unwrap().unwrap();
        assert_eq!(found.code, code);
        assert_eq!(found.ideal.len(), found.atoms.len());
        assert!(found.bonds.iter().all(|bond| bond.a < bond.b && (bond.b as usize) < found.atoms.len()), "{code}");
        atoms += found.atoms.len();
    }
    assert_eq!(atoms, 2_346_155);
}

/// Components whose stereo RDKit reads otherwise: it drops the double bond of a ring with equal sides, which ours keeps,
/// and keeps centres that the rest of a cage decides, which ours leaves out.
const STEREO_READ_OTHERWISE: [&str; 2] = ["8C9", "GLL"];

#[test]
fn atoms_bonds_and_stereo_are_those_rdkit_reads_from_the_source() {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/components.tsv")).unwrap();
    let (mut flat_compared, mut compared) = (0, 0);
    let mut wrong = Vec::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let [code, formula, orders, flat, smiles] = line.split('\t').collect::<Vec<_>>()[..] else { panic!("{line}") };
        let found = component(code);
        let mut elements: BTreeMap<&str, usize> = BTreeMap::new();
        for atom in &found.atoms {
            *elements.entry(atom.element.symbol()).or_default() += 1;
        }
        let elements: Vec<String> = elements.into_iter().map(|(symbol, count)| format!("{symbol}{count}")).collect();
        assert_eq!(elements.join(" "), formula.replace('*', "X"), "{code}");
        let count = |order| found.bonds.iter().filter(|bond| bond.order == order).count();
        let counts = [BondOrder::Single, BondOrder::Double, BondOrder::Triple].map(|order| count(order).to_string());
        assert_eq!(counts.join(" "), orders, "{code}");
        if flat.is_empty() {
            continue;
        }
        let bare = found.to_small_molecule(false);
        let mut without_places = bare.clone();
        without_places.conformers.clear();
        let ours = canonical_smiles(&without_places);
        if ours.as_deref() != Ok(flat) {
            wrong.push(format!("{code}: {ours:?}, RDKit {flat}"));
        }
        flat_compared += 1;
        if !smiles.is_empty() && !STEREO_READ_OTHERWISE.contains(&code) {
            // Read and written once more by the same program, since equivalent centres can be written in two ways.
            let theirs = canonical_smiles(&smiles::parse(smiles).unwrap()).unwrap();
            let ours = perceive(&bare).and_then(|held| canonical_smiles(&held.molecule));
            if ours.as_ref() != Ok(&theirs) {
                wrong.push(format!("{code}: {ours:?}, RDKit {theirs}"));
            }
            compared += 1;
        }
    }
    assert!(flat_compared > 500 && compared > 460, "{flat_compared} {compared}");
    assert!(wrong.is_empty(), "{} of {compared} differ:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn facts_of_well_known_components() {
    let alanine = component("ala");
    assert_eq!(
        (alanine.code.as_str(), alanine.polymer(), alanine.one_letter_code()),
        ("ALA", Polymer::Peptide, Some('A'))
    );
    assert_eq!(alanine.formula(), "C3 H7 N O2");
    let leaving: Vec<&str> =
        alanine.atoms.iter().filter(|atom| atom.is_leaving).map(|atom| atom.name.as_str()).collect();
    assert_eq!(leaving, ["OXT", "H2", "HXT"]);
    assert_eq!(alanine.atom_named("1HB"), alanine.atom_named("HB1"));
    assert_eq!(alanine.atoms[alanine.atom_named("CA").unwrap()].stereo, CentreStereo::S);
    // As in the dictionary's text.
    let place = alanine.ideal[alanine.atom_named("CA").unwrap()].unwrap();
    assert_eq!(place.to_array(), [0.257, 0.418, 0.692]);

    let selenomethionine = component("MSE");
    assert_eq!((selenomethionine.parents[0].as_str(), selenomethionine.one_letter_code()), ("MET", Some('M')));
    assert_eq!(component("SEP").parents, ["SER"]);
    assert_eq!(component("PSU").polymer(), Polymer::Rna);
    assert_eq!(component("5CM").polymer(), Polymer::Dna);
    assert_eq!(component("NAG").polymer(), Polymer::Saccharide);
    assert_eq!(component("ATP").polymer(), Polymer::None);
    assert_eq!(component("CRO").one_letter_code(), None);
    assert_eq!(component("CRO").parents.len(), 3);
    assert!(!component("ATP").is_obsolete);
    assert_eq!((component("0A3").is_obsolete, component("0A3").replaced_by.as_deref()), (true, Some("CEF")));
    assert_eq!(component("DOD").formula(), "D2 O");
    assert!(components::lookup("no such").unwrap().is_none());
    assert!(components::lookup("").unwrap().is_none());
}

#[test]
fn metals_are_coordinated_and_the_charge_stays() {
    let haem = component("HEM").to_small_molecule(true);
    let iron = haem.atoms.iter().position(|atom| atom.element == Element::FE).unwrap() as u32;
    let around: Vec<_> = haem.bonds.iter().filter(|bond| bond.a == iron || bond.b == iron).collect();
    assert_eq!(around.len(), 4);
    assert!(around.iter().all(|bond| bond.order == BondOrder::Coordination));
    let total: i32 = haem.atoms.iter().map(|atom| i32::from(atom.formal_charge)).sum();
    assert_eq!(total, component("HEM").charge);
    // The hydrogens that chemistry would add are the ones that are there.
    let bare = component("HEM").to_small_molecule(false);
    let implied: u32 = perceive(&bare).unwrap().implied_hydrogens.iter().map(|count| u32::from(*count)).sum();
    assert_eq!(implied as usize, haem.atoms.len() - bare.atoms.len());
}

#[test]
fn components_are_found_by_code_and_name() {
    let codes = |text: &str| -> Vec<String> {
        components::search(text, 10).unwrap().into_iter().map(|hit| hit.code.to_string()).collect()
    };
    assert_eq!(codes("caffeine")[0], "CFF");
    assert_eq!(codes("atp")[0], "ATP");
    assert_eq!(codes("adenosine-5'-triphosphate")[0], "ATP");
    assert_eq!(codes("imatinib")[0], "STI");
    assert_eq!(codes("protoporphyrin ix containing fe")[0], "HEM");
    assert!(codes("acid retinoic").contains(&"REA".to_owned()));
    assert!(codes("").is_empty() && codes("no component is called so").is_empty());
    assert_eq!(components::search("acid", 3).unwrap().len(), 3);
    assert_eq!(components::search("imatinib", 1).unwrap()[0].synonym.as_deref(), Some("IMATINIB"));
}

prop_compose! {
    fn any_atom()(
        name in "[A-Z][A-Z0-9'\\*]{0,3}", other_name in prop_oneof![Just(String::new()), "[0-9][A-Z]{1,3}"],
        number in prop_oneof![Just(1_u8), Just(6), Just(7), Just(8), 0_u8..=118], charge in -4_i8..=4,
        flags in any::<[bool; 3]>(), stereo in 0..3,
    ) -> ComponentAtom {
        ComponentAtom {
            name: name.into(),
            other_name: other_name.into(),
            element: Element::from_atomic_number(number),
            is_deuterium: flags[0] && number == 1,
            charge,
            is_aromatic: flags[1],
            is_leaving: flags[2],
            stereo: [CentreStereo::None, CentreStereo::R, CentreStereo::S][stereo as usize],
        }
    }
}

type Places = Vec<Option<[i32; 3]>>;

fn any_component() -> impl Strategy<Value = Component> {
    let atoms = prop::collection::vec(any_atom(), 0..25);
    atoms
        .prop_flat_map(|atoms| {
            let count = atoms.len();
            let place = prop_oneof![
                4 => [-3000..3000, -3000..3000, -3000..3000].prop_map(Some),
                1 => Just(Some([0, 0, 0])),
                1 => [-3_900_000..3_900_000, -3..3, -100..100].prop_map(Some),
                1 => Just(None),
            ];
            let places = prop::collection::vec(place, count);
            let bonds = prop::collection::btree_map(
                (0..count.max(2) as u32, 0..count.max(2) as u32),
                (
                    prop::sample::select(vec![
                        BondOrder::Single,
                        BondOrder::Double,
                        BondOrder::Triple,
                        BondOrder::Aromatic,
                    ]),
                    any::<bool>(),
                    0..3,
                ),
                0..30,
            );
            (Just(atoms), places.clone(), places, bonds, "[ -~]{0,20}", -3..3)
        })
        .prop_map(|(atoms, ideal, model, bonds, name, charge)| {
            let positions = |places: Places| {
                places
                    .into_iter()
                    .map(|held| held.map(|[x, y, z]| glam::Vec3::new(x as f32, y as f32, z as f32) / 1000.0))
                    .collect()
            };
            let count = atoms.len() as u32;
            let bonds = bonds.into_iter().filter(|((a, b), _)| a < b && *b < count);
            Component {
                name,
                type_name: "D-SACCHARIDE".into(),
                charge,
                synonyms: vec!["other name".to_owned()],
                bonds: bonds
                    .map(|((a, b), (order, is_aromatic, stereo))| ComponentBond {
                        a,
                        b,
                        order,
                        is_aromatic,
                        stereo: [BondStereo::None, BondStereo::E, BondStereo::Z][stereo as usize],
                    })
                    .collect(),
                ideal: positions(ideal),
                model: positions(model),
                atoms,
                ..Component::default()
            }
        })
}

fn coded(mut made: Vec<Component>) -> Vec<Component> {
    for (number, component) in made.iter_mut().enumerate() {
        component.code = format!("{number:03}").into();
    }
    made
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_components_come_back_as_they_were(made in prop::collection::vec(any_component(), 1..40)) {
        let made = coded(made);
        let dictionary = Dictionary::open(components::write(&made, "a test").unwrap().into()).unwrap();
        for component in &made {
            prop_assert_eq!(&*dictionary.lookup(&component.code).unwrap().unwrap(), component);
        }
    }

    #[test]
    fn damage_is_an_error_or_harmless(
        made in prop::collection::vec(any_component(), 1..20),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        kept in any::<prop::sample::Index>(),
        is_cut in any::<bool>(),
    ) {
        let made = coded(made);
        let mut bytes = components::write(&made, "a test").unwrap();
        let mut is_same = true;
        for (place, value) in changes {
            let place = place.index(bytes.len());
            is_same &= bytes[place] == value;
            bytes[place] = value;
        }
        if is_cut {
            let kept = kept.index(bytes.len());
            bytes.truncate(kept);
            is_same = false;
        }
        let outcome = Dictionary::open(bytes.into());
        let Ok(dictionary) = outcome else { prop_assert!(!is_same); return Ok(()) };
        for component in &made {
            if let Ok(Some(found)) = dictionary.lookup(&component.code) {
                prop_assert_eq!(&*found, component);
            }
        }
        let _ = dictionary.search("other", 5);
    }
}

#[test]
fn random_bytes_are_no_dictionary() {
    for length in [0, 7, 8, 20, 100] {
        assert!(Dictionary::open(vec![7; length].into()).is_err());
        let mut bytes = b"KFCOMP01".to_vec();
        bytes.resize(8 + length, 0xFF);
        assert!(Dictionary::open(bytes.into()).is_err());
    }
}
