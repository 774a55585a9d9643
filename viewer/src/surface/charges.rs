//! Partial charges of atoms, for potentials.
//!
//! Standard residues have those of AMBER's ff99 (`assets/charges.tsv`, written by `packaging/build_charges.py`), at
//! their states in neutral water; histidine as its hydrogens say, and with one at NE2 where there are none. A hydrogen
//! that the structure lacks leaves its charge to the atom it would be on. All else has its formal charges.

use std::collections::HashMap;
use std::sync::LazyLock;

use kfold_molecule::{Residue, ResidueKind, Topology};

const TABLE: &str = include_str!("../../../assets/charges.tsv");

/// An atom of a residue.
struct Entry {
    name: &'static str,
    charge: f32,
    /// Of a hydrogen, the atom it is on; else empty.
    parent: &'static str,
}

static RESIDUES: LazyLock<HashMap<&'static str, Vec<Entry>>> = LazyLock::new(|| {
    let mut residues: HashMap<&str, Vec<Entry>> = HashMap::new();
    for line in TABLE.lines() {
        let mut fields = line.split('\t');
        if let (Some(residue), Some(name), Some(charge)) = (fields.next(), fields.next(), fields.next())
            && let Ok(charge) = charge.parse()
        {
            let parent = fields.next().unwrap_or_default();
            residues.entry(residue).or_default().push(Entry { name, charge, parent });
        }
    }
    residues
});

/// The name of a residue's row of charges: of its form and its place in the chain.
fn row_of(topology: &Topology, residue: &Residue, is_first: bool, is_last: bool, bridged: bool) -> Option<String> {
    let has = |name: &str| topology.atom_named(residue, name).is_some();
    match residue.kind {
        ResidueKind::Protein => {
            let form = match residue.name.as_str() {
                "HIS" => match (has("HD1"), has("HE2")) {
                    (true, true) => "HIP",
                    (true, false) => "HID",
                    _ => "HIE",
                },
                "HSD" => "HID",
                "HSE" => "HIE",
                "HSP" => "HIP",
                "CYS" if bridged => "CYX",
                "MSE" => "MET",
                name => name,
            };
            let end = if is_last && (has("OXT") || has("OT2")) {
                "C"
            } else if is_first && form != "ACE" {
                "N"
            } else {
                ""
            };
            let with_end = format!("{end}{form}");
            Some(if RESIDUES.contains_key(with_end.as_str()) { with_end } else { form.to_owned() })
        }
        ResidueKind::Dna | ResidueKind::Rna => {
            let letter = residue.name.chars().last()?;
            let sugar = if residue.kind == ResidueKind::Dna { 'D' } else { 'R' };
            let end = if is_first && !has("P") {
                "5"
            } else if is_last {
                "3"
            } else {
                ""
            };
            Some(format!("{sugar}{letter}{end}"))
        }
        _ => None,
    }
}

/// The charge of every atom, e.
pub(super) fn of_atoms(topology: &Topology) -> Vec<f32> {
    let mut charges: Vec<f32> = topology.atoms.iter().map(|atom| f32::from(atom.formal_charge)).collect();
    let mut bridged = vec![false; topology.residues.len()];
    for bond in &topology.bonds {
        if let (Some(a), Some(b)) = (topology.atoms.get(bond.a as usize), topology.atoms.get(bond.b as usize))
            && a.name == "SG"
            && b.name == "SG"
        {
            bridged[a.residue as usize] = true;
            bridged[b.residue as usize] = true;
        }
    }
    for chain in &topology.chains {
        let range = chain.residues.start as usize..(chain.residues.end as usize).min(topology.residues.len());
        let is_polymer = |index: &usize| topology.residues[*index].is_polymer();
        let (first, last) = (range.clone().find(is_polymer), range.clone().rfind(is_polymer));
        for index in range {
            let residue = &topology.residues[index];
            let row = row_of(topology, residue, Some(index) == first, Some(index) == last, bridged[index]);
            let Some(entries) = row.and_then(|row| RESIDUES.get(row.as_str())) else { continue };
            topology.atoms_of(residue).for_each(|atom| charges[atom] = 0.0);
            for entry in entries {
                let named = topology.atom_named(residue, entry.name);
                let other = match entry.name {
                    "OXT" => topology.atom_named(residue, "OT2"),
                    "SD" if residue.name == "MSE" => topology.atom_named(residue, "SE"),
                    _ => None,
                };
                let atom = named.or(other).or_else(|| {
                    (!entry.parent.is_empty()).then(|| topology.atom_named(residue, entry.parent)).flatten()
                });
                if let Some(charge) = atom.and_then(|atom| charges.get_mut(atom)) {
                    *charge += entry.charge;
                }
            }
        }
    }
    charges
}

#[cfg(test)]
mod tests {
    use kfold_molecule::formats::read_structure;

    use super::*;

    #[test]
    fn charges_add_up_to_whole_numbers() {
        for (residue, entries) in RESIDUES.iter().filter(|(residue, _)| !residue.starts_with(['D', 'R'])) {
            let total: f32 = entries.iter().map(|entry| entry.charge).sum();
            assert!((total - total.round()).abs() < 0.011, "{residue}: {total}");
            for entry in entries.iter().filter(|entry| !entry.parent.is_empty()) {
                assert!(entries.iter().any(|other| other.name == entry.parent), "{residue} {}", entry.name);
            }
        }
    }

    #[test]
    fn a_protein_has_the_charge_of_its_residues() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../samples/adenylate-kinase/closed.pdb");
        let structure = read_structure(&path).unwrap();
        let topology = &structure.models[0].topology;
        let charges = of_atoms(topology);
        for residue in topology.residues.iter().filter(|residue| residue.kind == ResidueKind::Protein).skip(1) {
            let expected = match residue.name.as_str() {
                "ASP" | "GLU" => -1.0,
                "LYS" | "ARG" => 1.0,
                _ => 0.0,
            } - if topology.atom_named(residue, "OXT").is_some() { 1.0 } else { 0.0 };
            // Residues with all their heavy atoms.
            let total: f32 = topology.atoms_of(residue).map(|atom| charges[atom]).sum();
            assert!((total - expected).abs() < 0.02, "{} {}: {total}", residue.name, residue.number);
        }
    }
}
