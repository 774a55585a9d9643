#![no_main]

use kfold_molecule::formats::fasta;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(sequences) = fasta::read(bytes) {
        assert!(sequences.iter().all(|sequence| !sequence.letters.is_empty()));
    }
});
