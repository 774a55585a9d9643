//! Prints every atom that the readers find in files, one a line, tab-separated. For comparing with other programs
//! (`tests/oracle/compare_with_gemmi.py`).
//!
//! `cargo run --release -p kfold-molecule --example list_atoms -- FILE...`

#![allow(clippy::print_stdout, missing_docs)]

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

use kfold_molecule::formats;

fn main() -> std::io::Result<()> {
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    for argument in std::env::args().skip(1) {
        let structure = match formats::read_structure(Path::new(&argument)) {
            Ok(structure) => structure,
            Err(error) => {
                writeln!(out, "file\t{argument}\terror\t{}", error.to_string().replace(['\n', '\t'], " "))?;
                continue;
            }
        };
        writeln!(out, "file\t{argument}\tmodels\t{}", structure.models.len())?;
        for model in &structure.models {
            let topology = &model.topology;
            let chains: Vec<&str> = topology.chains.iter().map(|chain| chain.id.as_str()).collect();
            writeln!(out, "model\t{}\t{}", model.number, chains.join("\t"))?;
            for (index, atom) in topology.atoms.iter().enumerate() {
                let residue = topology.residue_of(index);
                let mut line = String::new();
                for text in [
                    topology.chain_of(residue).id.as_str(),
                    &residue.number_text(),
                    &residue.name,
                    &atom.name,
                    &atom.altloc.map(String::from).unwrap_or_default(),
                    atom.element.symbol(),
                    &residue.asym_id,
                    &residue.sequence_index.map(|index| index.to_string()).unwrap_or_default(),
                    if residue.is_hetero { "H" } else { "A" },
                ] {
                    line.push_str(text);
                    line.push('\t');
                }
                let position = model.positions[index];
                let _ = write!(
                    line,
                    "{}\t{}\t{}\t{}\t{}\t{}\t{}",
                    atom.serial,
                    position.x,
                    position.y,
                    position.z,
                    atom.occupancy,
                    model.b_factors[index],
                    atom.formal_charge
                );
                writeln!(out, "{line}")?;
            }
        }
    }
    out.flush()
}
