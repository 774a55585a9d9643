//! Prints what the readers find in files: models, chains, atoms, coordinate sums, bonds. For comparing with other
//! programs.
//!
//! `cargo run --release -p kfold-molecule --example summarize -- FILE...`

#![allow(clippy::print_stdout, missing_docs)]

use std::collections::BTreeMap;
use std::path::Path;

use kfold_molecule::formats;

fn main() {
    for argument in std::env::args().skip(1) {
        let path = Path::new(&argument);
        match formats::read_structure(path) {
            Ok(structure) => {
                let models: Vec<serde_json::Value> = structure
                    .models
                    .iter()
                    .map(|model| {
                        let topology = &model.topology;
                        let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
                        for residue in &topology.residues {
                            *kinds.entry(format!("{:?}", residue.kind)).or_default() += 1;
                        }
                        let mut elements: BTreeMap<&str, usize> = BTreeMap::new();
                        for atom in &topology.atoms {
                            *elements.entry(atom.element.symbol()).or_default() += 1;
                        }
                        let mut orders: BTreeMap<String, usize> = BTreeMap::new();
                        for bond in &topology.bonds {
                            *orders.entry(format!("{:?}", bond.order)).or_default() += 1;
                        }
                        let sum: Vec<f64> = (0..3)
                            .map(|axis| model.positions.iter().map(|position| f64::from(position[axis])).sum())
                            .collect();
                        serde_json::json!({
                            "number": model.number,
                            "chains": topology.chains.iter().map(|chain| {
                                let residues = chain.residues.clone();
                                let atoms: usize = residues.clone()
                                    .map(|index| topology.residues[index as usize].atoms.len()).sum();
                                serde_json::json!([chain.id, residues.len(), atoms])
                            }).collect::<Vec<_>>(),
                            "atoms": topology.atoms.len(),
                            "sum": sum,
                            "b": model.b_factors.iter().map(|value| f64::from(*value)).sum::<f64>(),
                            "occupancy": topology.atoms.iter().map(|atom| f64::from(atom.occupancy)).sum::<f64>(),
                            "charge": topology.atoms.iter().map(|atom| i32::from(atom.formal_charge)).sum::<i32>(),
                            "altlocs": topology.atoms.iter().filter(|atom| atom.altloc.is_some()).count(),
                            "elements": elements,
                            "kinds": kinds,
                            "bonds": orders,
                        })
                    })
                    .collect();
                println!(
                    "{}",
                    serde_json::json!({
                        "file": argument, "name": structure.name, "models": models,
                        "ensemble": structure.is_ensemble(),
                    })
                );
            }
            Err(error) => println!("{}", serde_json::json!({ "file": argument, "error": error.to_string() })),
        }
    }
}
