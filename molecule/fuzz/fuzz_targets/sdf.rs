#![no_main]

use kfold_molecule::formats::sdf;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let found = sdf::read(bytes);
    found.molecules.iter().for_each(kfold_molecule_fuzz::check_small_molecule);
    let again = sdf::read(sdf::write(&found.molecules).as_bytes());
    assert!(again.errors.is_empty(), "{:?}", again.errors);
    for (again, first) in again.molecules.iter().zip(&found.molecules) {
        assert_eq!((&again.atoms, &again.bonds), (&first.atoms, &first.bonds));
    }
});
