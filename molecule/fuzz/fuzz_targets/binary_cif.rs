#![no_main]

use kfold_molecule::formats::binary_cif;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(structure) = binary_cif::read(bytes) {
        kfold_molecule_fuzz::check_structure(&structure);
    }
});
