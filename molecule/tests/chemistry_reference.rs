//! Identifiers and descriptors of several hundred molecules, and the refusal of wrong SMILES, beside RDKit's.
//!
//! The tables are made by `oracle/chemistry.py`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use kfold_molecule::chemistry::{ChemistryError, canonical_smiles, describe, inchi, scaffold, smiles};

const VALID: &str = include_str!("data/chemistry.tsv");
/// Starts of SMILES whose scaffold is another than RDKit's: it leaves cations without the hydrogens that take the place of
/// what was cut (two dyes), does not look for aromaticity again (a phosphazene), and keeps a centre that its neighbours no
/// longer make one (paclitaxel).
const OTHER_SCAFFOLD: [&str; 4] =
    ["CN(C)c1ccc(cc1)C(c1ccc", "[O-]C(=O)c1ccccc1-c1c2ccc", "ClP1(Cl)=NP(Cl)", "CC1=C2[C@@]([C@]([C@H]"];
const INVALID: &str = include_str!("data/chemistry_invalid.tsv");

#[test]
fn identifiers_and_descriptors_equal_the_reference() {
    let mut differences = Vec::new();
    let mut count = 0;
    for line in VALID.lines().skip(1) {
        let fields: Vec<&str> = line.split('\t').collect();
        let [text, canonical, wanted_inchi, key, formula, numbers @ .., wanted_scaffold] = &fields[..] else {
            panic!("{line}")
        };
        count += 1;
        let molecule = match smiles::parse(text) {
            Ok(molecule) => molecule,
            Err(error) => {
                differences.push(format!("{text}: refused: {error}"));
                continue;
            }
        };
        let mut compare = |what: &str, found: &str, wanted: &str| {
            if found != wanted {
                differences.push(format!("{text}: {what} {found} instead of {wanted}"));
            }
        };
        compare("canonical", &canonical_smiles(&molecule).unwrap_or_else(|error| error.to_string()), canonical);
        match inchi(&molecule) {
            Ok(found) => {
                compare("InChI", &found.text, wanted_inchi);
                compare("InChIKey", &found.key, key);
            }
            Err(error) if wanted_inchi.is_empty() => assert!(error.to_string().contains("InChI"), "{error}"),
            Err(error) => compare("InChI", &error.to_string(), wanted_inchi),
        }
        if !OTHER_SCAFFOLD.iter().any(|start| text.starts_with(start)) {
            compare("scaffold", &scaffold(&molecule).unwrap_or_else(|error| error.to_string()), wanted_scaffold);
        }
        let found = match describe(&molecule) {
            Ok(found) => found,
            Err(error) => {
                compare("descriptors", &error.to_string(), "");
                continue;
            }
        };
        compare("formula", &found.formula, formula);
        let found = [
            ("weight", found.molecular_weight, 2e-3),
            ("logP", found.log_p, 1e-4),
            ("TPSA", found.tpsa, 1e-3),
            ("donors", f64::from(found.donors), 0.0),
            ("acceptors", f64::from(found.acceptors), 0.0),
            ("rotatable bonds", f64::from(found.rotatable_bonds), 0.0),
            ("QED", found.qed, 2e-5),
            ("rings", f64::from(found.rings), 0.0),
            ("aromatic rings", f64::from(found.aromatic_rings), 0.0),
        ];
        for ((what, value, tolerance), wanted) in found.into_iter().zip(numbers) {
            let number: f64 = wanted.parse().unwrap();
            if (value - number).abs() > tolerance {
                compare(what, &value.to_string(), wanted);
            }
        }
    }
    assert!(count > 500, "{count}");
    assert!(differences.is_empty(), "{} differences:\n{}", differences.len(), differences.join("\n"));
}

/// What each kind of fault says, at least.
const REASONS: [(&str, &[&str]); 18] = [
    ("ring not closed", &["opened but not closed"]),
    ("ring to itself", &["to itself"]),
    ("ring twice", &["bonded already"]),
    ("ring without atom", &["atom is expected"]),
    ("parenthesis", &["closes nothing", "not closed", "atom is expected"]),
    ("bracket", &["not closed", "not expected", "missing", "is not an atom"]),
    ("element", &["is not an atom"]),
    ("text", &["is not an atom", "not expected", "does not belong", "InChI"]),
    ("bond", &["atom is expected", "atom is missing", "not closed"]),
    ("dot", &["not closed", "atom is expected"]),
    ("reaction", &["reaction"]),
    ("valence", &["bonds here", "arrangement of single and double bonds", "more bonds than"]),
    ("kekulise", &["arrangement of single and double bonds", "part of a ring", "more bonds than"]),
    ("charge", &["is not an atom"]),
    ("hydrogens", &["bonds here", "is not an atom"]),
    ("stereo", &["is not an atom"]),
    ("percent", &["two digits"]),
    ("space inside", &["not closed"]),
];

#[test]
fn wrong_smiles_are_refused_with_place_and_reason() {
    let mut wrong = Vec::new();
    let mut count = 0;
    for line in INVALID.lines().skip(1) {
        let (kind, text) = line.split_once('\t').unwrap();
        count += 1;
        match smiles::parse(text) {
            Err(ChemistryError::EmptySmiles) if text.is_empty() => {}
            Err(ChemistryError::Smiles { reason, position: Some(position), .. }) => {
                let (_, reasons) = REASONS.iter().find(|(known, _)| *known == kind).unwrap();
                if position == 0
                    || position > text.chars().count()
                    || !reasons.iter().any(|known| reason.contains(known))
                {
                    wrong.push(format!("{kind} {text}: character {position}: {reason}"));
                }
            }
            other => wrong.push(format!("{kind} {text}: {other:?}")),
        }
    }
    assert!(count > 100, "{count}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
