//! Adds hydrogens to a structure and writes it as PDB; what was decided goes to the standard error.
//!
//! `cargo run --release -p kfold-molecule --example add_hydrogens -- IN OUT.pdb [waters] [flips]`

#![allow(clippy::print_stdout, clippy::print_stderr, missing_docs)]

use std::error::Error;
use std::path::Path;
use std::time::Instant;

use kfold_molecule::formats::{pdb, read_structure};
use kfold_molecule::hydrogens::{Options, add};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [input, output, rest @ ..] = &arguments[..] else {
        return Err("usage: add_hydrogens IN OUT.pdb [waters] [flips]".into());
    };
    let has = |word: &str| rest.iter().any(|held| held == word);
    let structure = read_structure(Path::new(input))?;
    let started = Instant::now();
    let made = add(&structure, &Options { waters: has("waters"), apply_flips: has("flips") })?;
    eprintln!("{} hydrogens in {:.3} s", made.added, started.elapsed().as_secs_f64());
    let topology = &structure.models[0].topology;
    let name = |residue: u32| {
        let residue = &topology.residues[residue as usize];
        format!("{} {} {}", topology.chain_of(residue).id, residue.name, residue.number_text())
    };
    for histidine in &made.histidines {
        eprintln!("{}: {:?} {:?}", name(histidine.residue), histidine.as_found, histidine.turned);
    }
    for flip in &made.flips {
        eprintln!("{}: turned round gains {:.1}", name(flip.residue), flip.gain);
    }
    for left_out in &made.left_out {
        eprintln!("left out: {left_out}");
    }
    std::fs::write(output, pdb::write(&made.structure)?)?;
    Ok(())
}
