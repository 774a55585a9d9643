//! Reads SMILES, one a line, and prints identifiers and descriptors as a table, or why a line was refused.
//!
//! `cargo run --release -p kfold-molecule --example describe_smiles -- FILE > TABLE`: for comparison with other programs.

use std::io::Write;

use kfold_molecule::chemistry::{ChemistryError, canonical_smiles, describe, inchi, scaffold, smiles};

fn row(text: &str) -> Result<String, ChemistryError> {
    let molecule = smiles::parse(text)?;
    let found = describe(&molecule)?;
    let (identifier, key) = inchi(&molecule).map(|found| (found.text, found.key)).unwrap_or_default();
    Ok(format!(
        "{}\t{identifier}\t{key}\t{}\t{:.4}\t{:.4}\t{:.3}\t{}\t{}\t{}\t{:.5}\t{}\t{}\t{}",
        canonical_smiles(&molecule)?,
        found.formula,
        found.molecular_weight,
        found.log_p,
        found.tpsa,
        found.donors,
        found.acceptors,
        found.rotatable_bonds,
        found.qed,
        found.rings,
        found.aromatic_rings,
        scaffold(&molecule)?,
    ))
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args().nth(1).ok_or("usage: describe_smiles FILE")?;
    let mut out = std::io::stdout().lock();
    for line in std::fs::read_to_string(path)?.lines() {
        match row(line) {
            Ok(row) => writeln!(out, "{line}\t{row}")?,
            Err(error) => writeln!(out, "{line}\trefused: {error}")?,
        }
    }
    Ok(())
}
