#![no_main]

use kfold_molecule::formats::mmcif;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(structure) = mmcif::read(bytes) {
        kfold_molecule_fuzz::check_structure(&structure);
    }
});
