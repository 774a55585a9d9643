#![no_main]

use kfold_molecule::chemistry::smiles;

libfuzzer_sys::fuzz_target!(|text: &str| {
    if let Ok(molecule) = smiles::parse(text) {
        kfold_molecule_fuzz::check_small_molecule(&molecule);
    }
});
