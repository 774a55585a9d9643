//! BinaryCIF: the same molecule as from text, every encoding undone, damage told with its place.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::path::Path;

use kfold_molecule::formats::binary_cif::{self, Document};
use kfold_molecule::formats::{Place, read_structure};
use proptest::prelude::*;

#[allow(dead_code)]
#[path = "support/binary_cif_writer.rs"]
mod writer;

use writer::{Pack, Step, category, column, file, integers, numbers, texts};

#[test]
fn an_entry_of_the_archive_is_the_same_from_bytes_and_from_text() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    let binary = read_structure(&folder.join("3jqh.bcif.gz")).unwrap();
    let text = read_structure(&folder.join("3jqh.cif")).unwrap();
    assert_eq!(binary.name, text.name);
    assert_eq!(binary.models.len(), text.models.len());
    for (a, b) in binary.models.iter().zip(&text.models) {
        assert_eq!(a.positions, b.positions);
        assert_eq!(a.b_factors, b.b_factors);
        assert_eq!(a.topology, b.topology);
    }
}

/// Chains of encodings that writers use for whole numbers, and some that they do not.
fn steps() -> impl Strategy<Value = Vec<Step>> {
    let packing = prop::option::of((prop::sample::select(vec![1_i64, 2]), any::<bool>()));
    (any::<bool>(), any::<bool>(), packing).prop_map(|(delta, runs, packing)| {
        let mut steps = Vec::new();
        steps.extend(delta.then_some(Step::Delta));
        steps.extend(runs.then_some(Step::RunLength));
        // Unsigned packing is for numbers that are never negative, which differences are not.
        steps.extend(packing.map(|(bytes, is_unsigned)| Step::Pack(bytes, is_unsigned && !delta)));
        steps
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_chain_of_encodings_is_undone(
        rows in prop::collection::vec((0..70_000_i32, -9000_i32..9000, prop::sample::select(vec!["A", "", "O5'", "é#;\n\""]), 0..3_i32), 1..200),
        steps in steps(),
    ) {
        let counted: Vec<i32> = rows.iter().map(|row| row.0).collect();
        let measured: Vec<f64> = rows.iter().map(|row| f64::from(row.1) / 1000.0).collect();
        let named: Vec<&str> = rows.iter().map(|row| row.2).collect();
        let mask: Vec<i32> = rows.iter().map(|row| row.3).collect();
        let fixed: Vec<Step> = std::iter::once(Step::FixedPoint(1000.0)).chain([Step::Delta, Step::Pack(2, false)]).collect();
        let quantized: Vec<Step> = std::iter::once(Step::Quantize(-10.0, 10.0, 20_001)).chain(steps.clone()).collect();
        let bytes = file(vec![category("_test", rows.len(), vec![
            column("whole", integers(&counted, &steps), Some(&mask)),
            column("plain", numbers(&measured, &[]), None),
            column("fixed", numbers(&measured, &fixed), None),
            column("quantized", numbers(&measured, &quantized), None),
            column("named", texts(&named, &steps), None),
        ])]);
        let document = Document::parse(&bytes).unwrap();
        let block = document.blocks().next().unwrap();
        prop_assert_eq!(block.name(), "TEST");
        let found = block.category("TEST").unwrap().unwrap();
        prop_assert_eq!(found.row_count(), rows.len());
        let of = |name: &str| found.column(name).unwrap().unwrap();
        let (whole, plain, fixed, quantized, named) = (of("Whole"), of("plain"), of("fixed"), of("quantized"), of("named"));
        prop_assert!(found.column("absent").unwrap().is_none());
        for (row, (count, measure, name, mask)) in rows.iter().enumerate() {
            prop_assert_eq!(whole.integer(row), (*mask == 0).then_some(*count));
            prop_assert_eq!(whole.has_value(row), *mask == 0);
            let exact = (f64::from(*measure) / 1000.0) as f32;
            prop_assert_eq!(plain.number(row), Some(exact));
            prop_assert_eq!(fixed.number(row), Some(exact));
            prop_assert!((quantized.number(row).unwrap() - exact).abs() < 1.0e-5);
            prop_assert_eq!(named.text(row), *name);
        }
    }
}

/// Two atoms of a residue, one of a water; `change` may damage the columns.
fn atoms(change: impl Fn(&mut Vec<Pack>)) -> Vec<u8> {
    let mut columns = vec![
        column("group_PDB", texts(&["ATOM", "ATOM", "HETATM"], &[]), None),
        column("type_symbol", texts(&["C", "O", "O"], &[]), None),
        column("label_atom_id", texts(&["C1", "O5'", "O"], &[]), None),
        column("label_comp_id", texts(&["LIG", "LIG", "HOH"], &[]), None),
        column("label_asym_id", texts(&["A", "A", "B"], &[]), None),
        // Numbers as texts, and texts as numbers: writers guess the types of columns.
        column("auth_asym_id", integers(&[1, 1, 2], &[]), None),
        column("auth_seq_id", texts(&["-5", "-5", "7"], &[]), None),
        column("pdbx_PDB_ins_code", texts(&["?", "?", "B"], &[]), None),
        column("label_alt_id", texts(&["", "", ""], &[]), Some(&[1, 1, 1])),
        column("Cartn_x", numbers(&[1.5, 2.5, 9.0], &[Step::FixedPoint(1000.0)]), None),
        column("Cartn_y", numbers(&[0.0, 0.0, 0.0], &[]), None),
        column("Cartn_z", integers(&[1, 1, 1], &[Step::RunLength]), None),
    ];
    change(&mut columns);
    file(vec![category("_atom_site", 3, columns)])
}

#[test]
fn types_of_columns_do_not_matter() {
    let structure = binary_cif::read(&atoms(|_| {})).unwrap();
    let topology = &structure.models[0].topology;
    let chains: Vec<&str> = topology.chains.iter().map(|chain| chain.id.as_str()).collect();
    assert_eq!(chains, ["1", "2"]);
    let numbers: Vec<String> = topology.residues.iter().map(|residue| residue.number_text()).collect();
    assert_eq!(numbers, ["-5", "7B"]);
    assert_eq!(topology.atoms[1].name, "O5'");
    assert_eq!(structure.models[0].positions[1].to_array(), [2.5, 0.0, 1.0]);
    assert_eq!(structure.name, "TEST");
}

#[test]
fn damage_is_told_with_category_column_and_row() {
    let error = |change: &dyn Fn(&mut Vec<Pack>)| binary_cif::read(&atoms(change)).unwrap_err();
    let column_place = |name: &str| Place::Column { category: "atom_site".to_owned(), column: name.to_owned() };

    let short = error(&|columns| columns[10] = column("Cartn_y", numbers(&[0.0, 0.0], &[]), None));
    assert_eq!(short.place, column_place("cartn_y"));
    assert!(short.to_string().contains("2 values for 3 rows"), "{short}");

    let missing = error(&|columns| columns[9] = column("Cartn_x", numbers(&[1.0, 2.0, 3.0], &[]), Some(&[0, 2, 0])));
    assert_eq!(missing.place, Place::Row { category: "atom_site".to_owned(), row: 2 });
    assert!(missing.to_string().contains("atom O5' of residue LIG -5 in chain \"1\""), "{missing}");

    let infinite = error(&|columns| columns[9] = column("Cartn_x", numbers(&[1.0, 2.0, f64::NAN], &[]), None));
    assert_eq!(infinite.place, Place::Row { category: "atom_site".to_owned(), row: 3 });

    // A run of two thousand million values for three rows.
    let bomb = Pack::Map(vec![
        ("data", Pack::Bin([7_i32, i32::MAX].iter().flat_map(|value| value.to_le_bytes()).collect())),
        (
            "encoding",
            Pack::List(vec![
                Pack::Map(vec![("kind", writer::text("RunLength"))]),
                Pack::Map(vec![("kind", writer::text("ByteArray")), ("type", Pack::Int(3))]),
            ]),
        ),
    ]);
    let bomb = error(&|columns| columns[11] = column("Cartn_z", bomb.clone(), None));
    assert!(bomb.to_string().contains("category atom_site, column cartn_z: RunLength makes more values"), "{bomb}");

    let unknown = error(&|columns| {
        columns[11] = column(
            "Cartn_z",
            Pack::Map(vec![
                ("data", Pack::Bin(vec![1])),
                ("encoding", Pack::List(vec![Pack::Map(vec![("kind", writer::text("Zip"))])])),
            ]),
            None,
        );
    });
    assert!(unknown.to_string().contains("whole numbers") || unknown.to_string().contains("Zip"), "{unknown}");

    // Rows that no data stands for.
    let rows = file(vec![category("_atom_site", 2_000_000_000, Vec::new())]);
    assert!(binary_cif::read(&rows).unwrap_err().to_string().contains("number of rows"));
    let none = file(vec![category("_cell", 1, Vec::new())]);
    assert!(binary_cif::read(&none).unwrap_err().to_string().contains("no _atom_site"));
    let mut cut = atoms(|_| {});
    cut.truncate(cut.len() - 3);
    assert!(matches!(binary_cif::read(&cut).unwrap_err().place, Place::Byte(_)));
}
