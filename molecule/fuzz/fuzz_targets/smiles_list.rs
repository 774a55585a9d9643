#![no_main]

use kfold_molecule::formats::smiles_list;

libfuzzer_sys::fuzz_target!(|text: &str| {
    let entries = smiles_list::parse(text);
    assert!(entries.windows(2).all(|pair| pair[0].line < pair[1].line));
});
