#![no_main]

use std::sync::LazyLock;

use kfold_molecule::Structure;
use kfold_molecule::formats::pdb;
use kfold_molecule::selection::Selection;

static STRUCTURE: LazyLock<Structure> =
    LazyLock::new(|| pdb::read(include_bytes!("../seeds/pdb/records.pdb")).expect("the seed"));

libfuzzer_sys::fuzz_target!(|text: &str| {
    if let Ok(selection) = Selection::parse(text) {
        let again = Selection::parse(&selection.to_string()).expect("a selection as we write it");
        assert_eq!(again, selection, "{text:?} as {selection}");
        for model in &STRUCTURE.models {
            assert_eq!(again.select(model), selection.select(model));
        }
    }
});
