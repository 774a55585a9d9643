#![no_main]

use kfold_molecule::chemistry::{canonical_smiles, describe, inchi, smiles};

libfuzzer_sys::fuzz_target!(|text: &str| {
    if let Ok(molecule) = smiles::parse(text) {
        kfold_molecule_fuzz::check_small_molecule(&molecule);
        if let Ok(canonical) = canonical_smiles(&molecule) {
            let again = smiles::parse(&canonical);
            assert!(again.is_ok(), "{text:?} as {canonical:?}: {again:?}");
        }
        // They may refuse a molecule, but not fall over.
        let _ = describe(&molecule);
        let _ = inchi(&molecule);
    }
});
