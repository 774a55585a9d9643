//! From a path to molecules: formats told by content, packed files, errors that name the file.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use kfold_molecule::formats::{Place, read_small_molecule_records, read_small_molecules, read_structure};

fn data(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// A file of this name with these bytes, in the build's folder for tests; each test uses names of its own.
fn file(name: &str, bytes: &[u8]) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::write(&path, bytes).unwrap();
    path
}

fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn content_tells_the_format_whatever_the_name() {
    let pdb = fs::read(data("tests/data/4zhl-part.pdb")).unwrap();
    let cif = fs::read(data("tests/data/3jqh.cif")).unwrap();
    for (name, bytes, atoms) in [
        ("a.pdb", pdb.clone(), 350),
        ("a.cif", pdb.clone(), 350),
        ("a.pdb.gz", packed(&pdb), 350),
        ("a.ent", packed(&cif), 238),
        ("a", cif, 238),
    ] {
        let path = file(name, &bytes);
        assert_eq!(read_structure(&path).unwrap().atom_count(), atoms, "{name}");
    }
}

#[test]
fn errors_name_the_file_and_say_what_to_do() {
    let path = file("cut.pdb.gz", &packed(b"ATOM  and much more text that is cut in the packed form")[..30]);
    assert!(read_structure(&path).unwrap_err().to_string().contains("cannot unpack"));
    let path = file("ligand.sdf", b"x\n\n\n");
    assert!(read_structure(&path).unwrap_err().to_string().contains("open it as a ligand"));
    let path = file("notes.txt", b"hello");
    assert!(read_structure(&path).unwrap_err().to_string().contains("notes.txt is not a PDB or mmCIF structure"));
    assert!(read_small_molecules(&path).is_err());
    assert!(
        read_structure(Path::new("no/such/file.pdb")).unwrap_err().to_string().contains("cannot read no/such/file.pdb")
    );
    let path = file("empty.sdf", b"\n\n");
    assert!(read_small_molecules(&path).unwrap_err().to_string().contains("no molecule"));
}

#[test]
fn lists_of_smiles_keep_their_columns_and_their_good_rows() {
    let path = file("series.csv", b"id,smiles,pK\na,CCO,5.5\nb,C1CC,6\nc,c1ccccc1,\n");
    let found = read_small_molecule_records(&path).unwrap();
    assert_eq!(found.molecules.len(), 2);
    assert_eq!((found.molecules[0].name.as_str(), found.molecules[0].property("pK")), ("a", Some("5.5")));
    assert_eq!((found.errors.len(), &found.errors[0].place), (1, &Place::Line(3)));
    assert!(read_small_molecules(&path).unwrap_err().to_string().contains("line 3"));
}
