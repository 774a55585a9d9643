//! Whatever the bytes, readers answer: with molecules or with an error, never with a panic, never not at all.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;

use kfold_molecule::formats::{fasta, mmcif, pdb, sdf, smiles_list};
use proptest::prelude::*;

/// Whole small files of each format.
fn files() -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files: Vec<Vec<u8>> = ["tests/data/4zhl-part.pdb", "tests/data/3jqh.cif", "../samples/kinase/ligand.sdf"]
        .iter()
        .map(|path| fs::read(folder.join(path)).unwrap())
        .collect();
    let molecules = sdf::read(&files[2]).molecules;
    // The same ligand as V3000 (a metal makes the writer choose it) and as PDB with CONECT.
    let mut large = molecules[0].clone();
    large.bonds[0].order = kfold_molecule::BondOrder::Coordination;
    files.push(sdf::write(&[large]).into_bytes());
    files.push(pdb::write(&molecules[0].to_structure("L", "LIG")).unwrap().into_bytes());
    files.push(b">one two\nMKVLAAGIV\nWERT\n>two\nACGTACGT\n".to_vec());
    files.push(b"smiles,name,pK\nCCO,ethanol,1.5\n\"c1ccccc1\",\"a \"\"b\"\"\",2\n".to_vec());
    files
}

/// Every reader on the same bytes: a file may come under any name.
fn read_all(bytes: &[u8]) {
    let _ = pdb::read(bytes);
    let _ = mmcif::read(bytes);
    let found = sdf::read(bytes);
    let _ = sdf::write(&found.molecules);
    let _ = fasta::read(bytes);
    let _ = smiles_list::parse(&String::from_utf8_lossy(bytes));
    for structure in [pdb::read(bytes), mmcif::read(bytes)].into_iter().flatten() {
        // What could be read can be written, or the writer says why not.
        let _ = pdb::write(&structure);
        let text = mmcif::write(&structure);
        assert_eq!(mmcif::read(text.as_bytes()).map(|again| again.atom_count()), Ok(structure.atom_count()));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn files_cut_short(file in 0_usize..7, share in 0.0_f64..1.0) {
        let bytes = &files()[file];
        read_all(&bytes[..(bytes.len() as f64 * share) as usize]);
    }

    #[test]
    fn files_with_wrong_bytes(
        file in 0_usize..7,
        changes in prop::collection::vec((0.0_f64..1.0, prop_oneof![any::<u8>(), prop::sample::select(b"0123456789 .-+\n;'\"_*$>A".to_vec())]), 1..200),
    ) {
        let mut bytes = files()[file].clone();
        for (place, byte) in changes {
            let index = (bytes.len() as f64 * place) as usize;
            bytes[index] = byte;
        }
        read_all(&bytes);
    }

    #[test]
    fn files_with_pieces_moved(file in 0_usize..7, cuts in prop::collection::vec((0.0_f64..1.0, 0.0_f64..1.0, 1_usize..400), 1..6)) {
        let mut bytes = files()[file].clone();
        for (from, to, length) in cuts {
            let from = (bytes.len() as f64 * from) as usize;
            let piece: Vec<u8> = bytes.iter().skip(from).take(length).copied().collect();
            let to = (bytes.len() as f64 * to) as usize;
            bytes.splice(to..to, piece);
        }
        read_all(&bytes);
    }

    #[test]
    fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        read_all(&bytes);
    }
}

#[test]
fn sizes_that_headers_promise_are_not_believed() {
    for text in [
        "x\n\n\n999999  0  0  0\n",
        "x\n\n\n  0  0  0     0  0            999 V3000\nM  V30 COUNTS 4000000000 4000000000 0 0 0\nM  END\n",
        "x\n\n\n  1  0\n    0.0       0.0       0.0    C   0  0\nM  CHG999999999   1   1\nM  END\n",
    ] {
        assert!(sdf::read(text.as_bytes()).molecules.is_empty(), "{text}");
    }
}
