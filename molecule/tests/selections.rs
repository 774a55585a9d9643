//! Selections beside `PyMOL`'s: the same text selects as many atoms. `goldens/selections.py` asked it.

#![allow(clippy::unwrap_used)]

use std::collections::HashMap;
use std::path::Path;

use kfold_molecule::formats::read_structure;
use kfold_molecule::{Model, Selection};

#[test]
fn as_many_atoms_as_in_pymol() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let golden = std::fs::read_to_string(folder.join("tests/goldens/selections.tsv")).unwrap();
    let mut models: HashMap<&str, Model> = HashMap::new();
    let mut wrong = Vec::new();
    let mut count = 0;
    for line in golden.lines().filter(|line| !line.starts_with('#')) {
        let fields: Vec<&str> = line.split('\t').collect();
        let [file, text, expected] = fields[..] else { panic!("{line}") };
        let model = models
            .entry(file)
            .or_insert_with(|| read_structure(&folder.join("..").join(file)).unwrap().models.remove(0));
        // The structure is loaded as `obj` there; here it has no name.
        let selection = Selection::parse(&text.replace("/obj/", "//")).unwrap();
        let found = selection.select(model).len();
        if found.to_string() != expected {
            wrong.push(format!("{file}: `{text}`: {found}, expected {expected}"));
        }
        let printed = Selection::parse(&selection.to_string()).unwrap();
        assert_eq!(printed, selection, "{text}");
        count += 1;
    }
    assert!(count > 150, "{count}");
    assert!(wrong.is_empty(), "{} of {count}:\n{}", wrong.len(), wrong.join("\n"));
}
