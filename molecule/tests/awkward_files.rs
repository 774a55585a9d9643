//! Small files, each with habits that have broken readers, against what gemmi reads (`tests/data/README.md`).

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::path::Path;

use kfold_molecule::formats::read_structure;

#[test]
fn awkward_files_are_read_as_gemmi_reads_them() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/awkward");
    let golden = std::fs::read_to_string(folder.join("gemmi.tsv")).unwrap();
    let mut expected: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for line in golden.lines() {
        let (file, atom) = line.split_once('\t').unwrap();
        expected.entry(file).or_default().push(atom);
    }
    assert_eq!(expected.len(), 6);
    for (file, mut expected) in expected {
        let structure = read_structure(&folder.join(file)).unwrap();
        let mut found = Vec::new();
        for model in &structure.models {
            let topology = &model.topology;
            for (index, atom) in topology.atoms.iter().enumerate() {
                let residue = topology.residue_of(index);
                let position = model.positions[index];
                found.push(format!(
                    "{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{:.3}\t{:.3}\t{:.3}\t{:.3}\t{}",
                    model.number,
                    topology.chain_of(residue).id,
                    residue.number_text(),
                    residue.name,
                    atom.name,
                    atom.altloc.map(String::from).unwrap_or_default(),
                    residue.asym_id,
                    residue.sequence_index.map(|index| index.to_string()).unwrap_or_default(),
                    position.x,
                    position.y,
                    position.z,
                    atom.occupancy,
                    atom.formal_charge,
                ));
            }
        }
        // Chains are put together in both, but in gemmi some residues come back in another order.
        found.sort_unstable();
        expected.sort_unstable();
        assert_eq!(found, expected, "{file}");
    }
}
