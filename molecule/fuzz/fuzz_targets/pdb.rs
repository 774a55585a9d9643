#![no_main]

use kfold_molecule::formats::pdb;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(structure) = pdb::read(bytes) {
        kfold_molecule_fuzz::check_structure(&structure);
    }
});
