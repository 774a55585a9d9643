//! What is written is read again.

use std::path::Path;
use std::sync::Arc;

use glam::Vec3;
use kfold_molecule::formats::{mmcif, pdb, read_structure};
use kfold_molecule::{Atom, Chain, Element, Model, Residue, ResidueKind, Structure, Topology};
use proptest::prelude::*;
use smol_str::SmolStr;

type AtomDraft = (String, u8, (i32, i32, i32), u16, i32, i8);
type ResidueDraft = (String, bool, Option<char>, Vec<AtomDraft>);

/// Residues far from each other, so that no bonds arise that CONECT would have to keep; numbers rise along the chain.
fn structures() -> impl Strategy<Value = Structure> {
    let atom = (
        "[A-Z][A-Z0-9']{0,3}",
        1_u8..=118,
        (-900_000_i32..9_000_000, -900_000_i32..9_000_000, -900_000_i32..9_000_000),
        0_u16..=100,
        -9_000_i32..90_000,
        -9_i8..=9,
    );
    let residue = (
        // No name of a standard residue, whose atoms' elements are known better.
        "Q[A-Z0-9]{0,2}",
        any::<bool>(),
        prop::option::of(prop::sample::select(vec!['A', 'B', 'Z'])),
        prop::collection::vec(atom, 1..6),
    );
    let chain = ("[A-Za-z0-9]{1,2}", -900_i32..9_000, prop::collection::vec(residue, 1..8));
    (prop::collection::vec(chain, 1..5), 1_usize..4).prop_map(|(chains, models)| build(chains, models))
}

fn build(chains: Vec<(String, i32, Vec<ResidueDraft>)>, models: usize) -> Structure {
    let mut topology = Topology::default();
    let mut positions = Vec::new();
    let mut b_factors = Vec::new();
    for (id, mut number, residues) in chains {
        if topology.chains.iter().any(|chain| chain.id == id) {
            continue;
        }
        let chain = topology.chains.len() as u32;
        let first = topology.residues.len() as u32;
        for (name, is_hetero, insertion_code, atoms) in residues {
            let residue = topology.residues.len() as u32;
            let first_atom = topology.atoms.len() as u32;
            number += 1;
            for (name, element, (x, y, z), occupancy, b_factor, formal_charge) in atoms {
                if topology.atoms[first_atom as usize..].iter().any(|atom| atom.name == name) {
                    continue;
                }
                topology.atoms.push(Atom {
                    name: name.into(),
                    element: Element::from_atomic_number(element),
                    serial: topology.atoms.len() as i32 + 1,
                    altloc: None,
                    occupancy: f32::from(occupancy) / 100.0,
                    formal_charge,
                    residue,
                });
                positions.push(Vec3::new(x as f32 / 1000.0, y as f32 / 1000.0, z as f32 / 1000.0));
                b_factors.push(b_factor as f32 / 100.0);
            }
            topology.residues.push(Residue {
                name: name.into(),
                number,
                insertion_code,
                sequence_index: None,
                asym_id: SmolStr::default(),
                is_hetero,
                kind: ResidueKind::Ligand,
                atoms: first_atom..topology.atoms.len() as u32,
                chain,
            });
        }
        topology.chains.push(Chain { id: id.into(), residues: first..topology.residues.len() as u32 });
    }
    let topology = Arc::new(topology);
    let models = (0..models)
        .map(|index| Model {
            number: index as i32 + 1,
            topology: Arc::clone(&topology),
            positions: positions.clone(),
            b_factors: b_factors.clone(),
        })
        .collect();
    Structure { name: "TEST".to_owned(), models }
}

/// Checks that two structures say the same. Serial numbers are given anew by writers; kinds and bonds are assigned by
/// readers; the numbers of mmCIF's label scheme are made by its writer.
fn check_same(read: &Structure, written: &Structure) -> Result<(), TestCaseError> {
    prop_assert_eq!(read.models.len(), written.models.len());
    prop_assert!(read.is_ensemble());
    for (a, b) in read.models.iter().zip(&written.models) {
        prop_assert_eq!(a.number, b.number);
        prop_assert_eq!(a.positions.len(), b.positions.len());
        for (a, b) in a.positions.iter().zip(&b.positions) {
            // Three decimals, and the steps of f32 near 10,000.
            prop_assert!((*a - *b).abs().max_element() < 0.0015, "{a} {b}");
        }
        for (a, b) in a.b_factors.iter().zip(&b.b_factors) {
            prop_assert!((a - b).abs() < 0.006);
        }
        let (a, b) = (&a.topology, &b.topology);
        prop_assert_eq!(&a.chains, &b.chains);
        for (a, b) in a.residues.iter().zip(&b.residues) {
            prop_assert_eq!(
                (&a.name, a.number, a.insertion_code, a.is_hetero, &a.atoms, a.chain),
                (&b.name, b.number, b.insertion_code, b.is_hetero, &b.atoms, b.chain)
            );
        }
        for (a, b) in a.atoms.iter().zip(&b.atoms) {
            prop_assert_eq!(
                (&a.name, a.element, a.altloc, a.formal_charge, a.residue),
                (&b.name, b.element, b.altloc, b.formal_charge, b.residue)
            );
            prop_assert!((a.occupancy - b.occupancy).abs() < 0.006);
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn pdb_keeps_everything(structure in structures()) {
        let again = pdb::read(pdb::write(&structure).unwrap().as_bytes()).unwrap();
        check_same(&again, &structure)?;
        // Now with kinds (which decide on TER), a second round changes nothing.
        let text = pdb::write(&again).unwrap();
        prop_assert!(pdb::write(&pdb::read(text.as_bytes()).unwrap()).unwrap() == text);
    }

    #[test]
    fn mmcif_keeps_everything(structure in structures()) {
        let again = mmcif::read(mmcif::write(&structure).as_bytes()).unwrap();
        check_same(&again, &structure)?;
    }
}

#[test]
fn real_files_keep_their_atoms_and_bonds_in_both_formats() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    for path in [
        "tests/data/1a8o.cif",
        "tests/data/3jqh.cif",
        "tests/data/1gbt-part.cif",
        "tests/data/1as5-three-models.cif",
        "tests/data/4zhl-part.pdb",
        "../samples/dna-complex/complex.pdb",
        "../samples/kinase/receptor.pdb",
    ] {
        let structure = read_structure(&folder.join(path)).unwrap();
        let from_pdb = pdb::read(pdb::write(&structure).unwrap().as_bytes()).unwrap();
        let from_mmcif = mmcif::read(mmcif::write(&structure).as_bytes()).unwrap();
        for again in [from_pdb, from_mmcif] {
            assert_eq!(again.models.len(), structure.models.len(), "{path}");
            for (index, (a, b)) in again.models.iter().zip(&structure.models).enumerate() {
                assert!(a.positions == b.positions, "{path}");
                let names = |model: &Model| -> Vec<(SmolStr, Option<char>, Element)> {
                    model.topology.atoms.iter().map(|atom| (atom.name.clone(), atom.altloc, atom.element)).collect()
                };
                assert!(names(a) == names(b), "{path}");
                if index > 0 && !structure.is_ensemble() {
                    // Stated bonds are written for the first model; where the others have other atoms they go.
                    continue;
                }
                let lost: Vec<_> = b.topology.bonds.iter().filter(|bond| !a.topology.bonds.contains(bond)).collect();
                assert!(lost.is_empty(), "{path}: {lost:?}");
                assert_eq!(a.topology.bonds.len(), b.topology.bonds.len(), "{path}");
                let kinds = |model: &Model| -> Vec<ResidueKind> {
                    model.topology.residues.iter().map(|residue| residue.kind).collect()
                };
                assert!(kinds(a) == kinds(b), "{path}");
            }
        }
    }
}
