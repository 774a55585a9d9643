//! Alignments beside TM-align's and Biopython's: equal scores. `goldens/alignments.py` asked them.

#![allow(clippy::unwrap_used)]

use std::path::Path;

use glam::Vec3;
use kfold_molecule::Element;
use kfold_molecule::analysis::sequence_alignment;
use kfold_molecule::analysis::tm_align::{Polymer, tm_align};
use kfold_molecule::formats::read_structure;

fn golden() -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/goldens/alignments.tsv")).unwrap()
}

/// Alpha carbons of a chain of the first model.
fn trace(path: &str, chain: &str) -> Vec<Vec3> {
    let structure = read_structure(&Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)).unwrap();
    let model = structure.first().unwrap();
    let topology = &model.topology;
    let chain = topology.chains.iter().find(|known| known.id == chain).unwrap();
    topology.residues[chain.residues.start as usize..chain.residues.end as usize]
        .iter()
        .filter_map(|residue| topology.atom_named(residue, "CA"))
        .filter(|atom| topology.atoms[*atom].element == Element::C)
        .map(|atom| model.positions[atom])
        .collect()
}

#[test]
fn tm_scores_as_tm_aligns() {
    let mut wrong = Vec::new();
    let mut count = 0;
    let (mut largest, mut sum) = (0.0_f64, 0.0);
    for line in golden().lines().filter(|line| line.starts_with("tm\t")) {
        let fields: Vec<&str> = line.split('\t').collect();
        let (mobile, target) = (trace(fields[1], fields[2]), trace(fields[3], fields[4]));
        assert_eq!([mobile.len(), target.len()].map(|length| length.to_string()), [fields[5], fields[6]], "{line}");
        let found = tm_align(&mobile, &target, Polymer::Protein).unwrap();
        let expected: [f64; 2] = [fields[7], fields[8]].map(|field| field.parse().unwrap());
        let differences = [found.tm_score_by_mobile - expected[0], found.tm_score_by_target - expected[1]];
        for difference in differences {
            largest = largest.max(difference.abs());
            sum += difference;
        }
        if differences.iter().any(|difference| difference.abs() > 0.01) {
            wrong.push(format!("{line}: {differences:?}"));
        }
        count += 1;
    }
    assert_eq!(count, 66);
    let text = format!(
        "{} of {count}, largest {largest:.4}, mean {:.5}:\n{}",
        wrong.len(),
        sum / f64::from(2 * count),
        wrong.join("\n")
    );
    assert!(wrong.is_empty(), "{text}");
}

#[test]
fn alignment_scores_as_biopythons() {
    let mut count = 0;
    for line in golden().lines().filter(|line| line.starts_with("protein\t") || line.starts_with("dna\t")) {
        let fields: Vec<&str> = line.split('\t').collect();
        let letters = |text: &str| text.chars().collect::<Vec<char>>();
        let alignment = sequence_alignment::align(&letters(fields[1]), &letters(fields[2]), fields[0] == "protein");
        // Nothing paired is a score of zero there; here the best pair is shown.
        assert_eq!(alignment.score.max(0).to_string(), fields[3], "{line}");
        count += 1;
    }
    assert!(count > 110, "{count}");
}
