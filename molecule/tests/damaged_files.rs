//! Whatever the bytes, readers answer: with molecules or with an error, never with a panic, never not at all.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use kfold_molecule::formats::{self, ParseError, Place, binary_cif, fasta, mmcif, pdb, sdf, smiles_list};
use proptest::prelude::*;

/// Whole small files of each format.
fn files() -> &'static [Vec<u8>] {
    static FILES: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut files: Vec<Vec<u8>> =
            ["tests/data/4zhl-part.pdb", "tests/data/3jqh.cif", "../samples/kinase/ligand.sdf"]
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
        files.push(formats::read_bytes(&folder.join("tests/data/3jqh.bcif.gz")).unwrap());
        files.push(formats::read_bytes(&folder.join("fuzz/seeds/binary_cif/tiny.bcif")).unwrap());
        files
    });
    &FILES
}
const FILES: usize = 9;

/// An error says where, within the file, and what to do.
fn check_error(bytes: &[u8], error: &ParseError) {
    match &error.place {
        Place::Line(line) => {
            // Lines end with a carriage return too, and a file that is cut short is told at its end.
            let lines = bytes.iter().filter(|byte| matches!(byte, b'\n' | b'\r')).count() + 1;
            assert!((1..=lines).contains(line), "{error}, of {lines} lines");
        }
        Place::Byte(byte) => assert!(*byte <= bytes.len(), "{error}, of {} bytes", bytes.len()),
        Place::Column { category, .. } | Place::Row { category, .. } => assert!(!category.is_empty(), "{error}"),
    }
    assert!(!error.what.is_empty() && !error.advice.is_empty(), "{error}");
}

/// Every reader on the same bytes: a file may come under any name.
fn read_all(bytes: &[u8]) {
    let found = sdf::read(bytes);
    found.errors.iter().for_each(|error| check_error(bytes, error));
    let _ = sdf::write(&found.molecules);
    if let Err(error) = fasta::read(bytes) {
        check_error(bytes, &error);
    }
    let _ = smiles_list::parse(&String::from_utf8_lossy(bytes));
    for result in [pdb::read(bytes), mmcif::read(bytes), binary_cif::read(bytes)] {
        match result {
            Ok(structure) => {
                // What could be read can be written, or the writer says why not.
                let _ = pdb::write(&structure);
                let text = mmcif::write(&structure);
                assert_eq!(mmcif::read(text.as_bytes()).map(|again| again.atom_count()), Ok(structure.atom_count()));
            }
            Err(error) => check_error(bytes, &error),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn files_cut_short(file in 0..FILES, share in 0.0_f64..1.0) {
        let bytes = &files()[file];
        read_all(&bytes[..(bytes.len() as f64 * share) as usize]);
    }

    #[test]
    fn files_with_wrong_bytes(
        file in 0..FILES,
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
    fn files_with_pieces_moved(file in 0..FILES, cuts in prop::collection::vec((0.0_f64..1.0, 0.0_f64..1.0, 1_usize..400), 1..6)) {
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
    fn files_with_lines_lost_or_twice(file in 0..FILES, lines in prop::collection::vec((0.0_f64..1.0, any::<bool>()), 1..8)) {
        let mut kept: Vec<&[u8]> = files()[file].split_inclusive(|byte| *byte == b'\n').collect();
        for (place, is_lost) in lines {
            let index = (kept.len() as f64 * place) as usize;
            if is_lost && kept.len() > 1 {
                kept.remove(index);
            } else {
                kept.insert(index, kept[index]);
            }
        }
        read_all(&kept.concat());
    }

    #[test]
    fn files_with_columns_swapped(file in 0..FILES, first in 0_usize..80, second in 0_usize..80, width in 1_usize..9, share in 0.0_f64..1.0) {
        // In every line of a part of the file, two pieces change places.
        let mut bytes = files()[file].clone();
        let from = (bytes.len() as f64 * share) as usize;
        for line in bytes[from..].split_mut(|byte| *byte == b'\n') {
            let (first, second) = (first.min(second), first.max(second));
            if second + width <= line.len() && first + width <= second {
                let (head, tail) = line.split_at_mut(second);
                head[first..first + width].swap_with_slice(&mut tail[..width]);
            }
        }
        read_all(&bytes);
    }

    #[test]
    fn files_with_flipped_bits(file in 0..FILES, flips in prop::collection::vec((0.0_f64..1.0, 0_u32..8), 1..30)) {
        let mut bytes = files()[file].clone();
        for (place, bit) in flips {
            let index = (bytes.len() as f64 * place) as usize;
            bytes[index] ^= 1 << bit;
        }
        read_all(&bytes);
    }

    #[test]
    fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        read_all(&bytes);
    }
}

/// A file cut at every byte, for the formats in which a byte can be the end of something.
#[test]
fn a_file_cut_at_every_byte_is_answered() {
    for bytes in [&files()[3], &files()[8]] {
        for length in 0..bytes.len() {
            read_all(&bytes[..length]);
        }
    }
}

#[test]
fn coordinates_that_are_no_numbers_are_told_with_their_line() {
    for wrong in ["nan", "inf", "-inf", "1e999", "****", "12,5", "0x10", "", "1.2.3"] {
        let text = format!(
            "REMARK\nATOM      1  CA  GLY A   1       0.000   0.000   0.000\nATOM      2  N   GLY A   1    {wrong:>8}   0.000   0.000\n"
        );
        let error = pdb::read(text.as_bytes()).unwrap_err();
        assert_eq!(error.place, Place::Line(3), "{error}");
        let text = format!(
            "data_x\nloop_\n_atom_site.label_atom_id\n_atom_site.Cartn_x\n_atom_site.Cartn_y\n_atom_site.Cartn_z\n\
             CA 0 0 0\nN 0 '{wrong}' 0\n"
        );
        let error = mmcif::read(text.as_bytes()).unwrap_err();
        assert_eq!(error.place, Place::Line(8), "{error}");
        let text = format!("x\n  x\n\n  1  0\n    0.0       0.0{wrong:>14}    C   0  0\nM  END\n$$$$\n");
        let found = sdf::read(text.as_bytes());
        assert!(found.molecules.is_empty(), "{text}");
        assert_eq!(found.errors[0].place, Place::Line(5), "{:?}", found.errors);
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
