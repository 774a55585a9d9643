//! What is written is read again.

use std::path::Path;
use std::sync::Arc;

use glam::Vec3;
use kfold_molecule::chemistry::hydrogens::add_hydrogens;
use kfold_molecule::chemistry::smiles::{self, canonical_smiles};
use kfold_molecule::formats::{mmcif, pdb, read_structure, sdf};
use kfold_molecule::{
    Atom, Bond, BondOrder, Chain, Element, Model, Residue, ResidueKind, SmallMolecule, SmallMoleculeAtom, Structure,
    Topology,
};
use proptest::prelude::*;
use smol_str::SmolStr;

type AtomDraft = (String, u8, [f32; 3], f32, f32, i8, Option<char>);
type ResidueDraft = (String, bool, Option<char>, Option<u32>, Vec<AtomDraft>);

/// What a format can hold.
struct Holds {
    chain: &'static str,
    residue: &'static str,
    atom: &'static str,
    letters: Vec<char>,
    charges: std::ops::RangeInclusive<i8>,
    /// Any number, or only those with few digits before and behind the point.
    any_number: bool,
    numbers: std::ops::Range<i32>,
}

impl Holds {
    fn pdb() -> Self {
        Self {
            chain: "[!-~]{0,2}",
            // No name of a standard residue, whose atoms' elements are known better.
            residue: "Q[!-~]{0,2}",
            atom: "[A-Z\\*'\"#;_.?][!-~]{0,3}",
            letters: "AZaz'#;?.".chars().collect(),
            charges: -9..=9,
            any_number: false,
            numbers: -900..20_000,
        }
    }

    fn mmcif() -> Self {
        Self {
            chain: "[ -~]{0,5}",
            residue: "Q[ -~]{0,6}",
            atom: "[ -~é]{1,8}",
            letters: "AZaz19'\"#;?.$_[é".chars().collect(),
            charges: i8::MIN..=i8::MAX,
            any_number: true,
            numbers: i32::MIN / 2..i32::MAX / 2,
        }
    }
}

fn numbers(any: bool, least: i32, most: i32, decimals: i32) -> BoxedStrategy<f32> {
    if any {
        prop_oneof![-10_000.0_f32..10_000.0, prop::num::f32::NORMAL.prop_filter("within reach", |x| x.abs() < 1.0e7)]
            .boxed()
    } else {
        // The nearest number to its decimals, as reading makes it.
        let unit = 10_f64.powi(decimals);
        (least..most).prop_map(move |value| (f64::from(value) / unit) as f32).boxed()
    }
}

/// Residues with every kind of name and number that a format holds; numbers rise along the chain.
fn structures(holds: Holds) -> impl Strategy<Value = Structure> {
    let coordinate = || numbers(holds.any_number, -900_000, 9_000_000, 3);
    let atom = (
        holds.atom,
        0_u8..=118,
        [coordinate(), coordinate(), coordinate()],
        numbers(holds.any_number, 0, 101, 2),
        numbers(holds.any_number, -9_000, 90_000, 2),
        holds.charges,
        prop::option::weighted(0.2, prop::sample::select(holds.letters.clone())),
    );
    let residue = (
        holds.residue,
        any::<bool>(),
        prop::option::weighted(0.3, prop::sample::select(holds.letters)),
        prop::option::of(1_u32..100_000),
        prop::collection::vec(atom, 1..6),
    );
    let chain = (holds.chain, holds.numbers, prop::collection::vec(residue, 1..8));
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
        for (name, is_hetero, insertion_code, sequence_index, atoms) in residues {
            let residue = topology.residues.len() as u32;
            let first_atom = topology.atoms.len() as u32;
            number += 1;
            for (name, element, position, occupancy, b_factor, formal_charge, altloc) in atoms {
                if topology.atoms[first_atom as usize..].iter().any(|atom| atom.name == name) {
                    continue;
                }
                topology.atoms.push(Atom {
                    name: name.into(),
                    element: Element::from_atomic_number(element),
                    serial: topology.atoms.len() as i32 + 1,
                    altloc,
                    occupancy,
                    formal_charge,
                    residue,
                });
                positions.push(Vec3::from_array(position));
                b_factors.push(b_factor);
            }
            topology.residues.push(Residue {
                name: name.into(),
                number,
                insertion_code,
                sequence_index,
                asym_id: format!("{chain}{}", if is_hetero { "x" } else { "" }).into(),
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
/// readers.
fn check_same(read: &Structure, written: &Structure) -> Result<(), TestCaseError> {
    prop_assert_eq!(read.models.len(), written.models.len());
    prop_assert!(read.is_ensemble());
    for (a, b) in read.models.iter().zip(&written.models) {
        prop_assert_eq!(a.number, b.number);
        prop_assert_eq!(&a.positions, &b.positions);
        prop_assert_eq!(&a.b_factors, &b.b_factors);
        let (a, b) = (&a.topology, &b.topology);
        prop_assert_eq!(&a.chains, &b.chains);
        prop_assert_eq!(a.residues.len(), b.residues.len());
        for (a, b) in a.residues.iter().zip(&b.residues) {
            prop_assert_eq!(
                (&a.name, a.number, a.insertion_code, a.is_hetero, &a.atoms, a.chain),
                (&b.name, b.number, b.insertion_code, b.is_hetero, &b.atoms, b.chain)
            );
        }
        prop_assert_eq!(a.atoms.len(), b.atoms.len());
        for (a, b) in a.atoms.iter().zip(&b.atoms) {
            prop_assert_eq!(
                (&a.name, a.element, a.altloc, a.formal_charge, a.residue, a.occupancy),
                (&b.name, b.element, b.altloc, b.formal_charge, b.residue, b.occupancy)
            );
        }
    }
    Ok(())
}

/// A ligand drawn at random: chains of atoms with branches and rings.
fn molecules() -> impl Strategy<Value = SmallMolecule> {
    let atom = (
        1_u8..=118,
        -15_i8..=15,
        prop::option::of(1_u16..300),
        [-999_999_i32..9_999_999, -9_999..9_999, -9_999..9_999],
    );
    let bond = (any::<prop::sample::Index>(), any::<prop::sample::Index>(), 0_u8..5);
    let field = ("[A-Za-z_][A-Za-z_ ]{0,8}[a-z]", "[!-~]{1,12}( [!-~]{1,12}){0,3}");
    (
        "[!-~]{0,20}",
        prop::collection::vec(atom, 1..40),
        prop::collection::vec(bond, 0..60),
        prop::collection::vec(field, 0..4),
    )
        .prop_map(|(name, atoms, bonds, properties)| {
            let mut molecule = SmallMolecule { name, ..SmallMolecule::default() };
            let mut positions = Vec::new();
            for (element, formal_charge, isotope, [x, y, z]) in atoms {
                molecule.atoms.push(SmallMoleculeAtom {
                    element: Element::from_atomic_number(element),
                    formal_charge,
                    isotope,
                    fixed_hydrogens: None,
                    name: SmolStr::default(),
                });
                let decimals = |value: i32| (f64::from(value) / 10_000.0) as f32;
                positions.push(Vec3::new(decimals(x), decimals(y), decimals(z)));
            }
            for (a, b, order) in bonds {
                let (a, b) = (a.index(positions.len()) as u32, b.index(positions.len()) as u32);
                let orders = [
                    BondOrder::Single,
                    BondOrder::Double,
                    BondOrder::Triple,
                    BondOrder::Aromatic,
                    BondOrder::Coordination,
                ];
                if a != b && !molecule.bonds.iter().any(|bond| (bond.a, bond.b) == (a.min(b), a.max(b))) {
                    molecule.bonds.push(Bond::new(a, b, orders[order as usize]));
                }
            }
            molecule.bonds.sort_unstable();
            molecule.conformers.push(positions);
            molecule.properties = properties;
            molecule
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn pdb_keeps_everything(structure in structures(Holds::pdb())) {
        let again = pdb::read(pdb::write(&structure).unwrap().as_bytes()).unwrap();
        check_same(&again, &structure)?;
        // Now with kinds (which decide on TER), a second round changes nothing.
        let text = pdb::write(&again).unwrap();
        prop_assert!(pdb::write(&pdb::read(text.as_bytes()).unwrap()).unwrap() == text);
    }

    #[test]
    fn mmcif_keeps_everything(structure in structures(Holds::mmcif())) {
        let text = mmcif::write(&structure);
        for text in [text.clone(), text.replace('\n', "\r\n")] {
            let again = mmcif::read(text.as_bytes()).unwrap();
            check_same(&again, &structure)?;
            let labels = |structure: &Structure| -> Vec<(SmolStr, Option<u32>)> {
                let residues = structure.models[0].topology.residues.iter();
                residues.map(|residue| (residue.asym_id.clone(), residue.sequence_index)).collect()
            };
            for (read, written) in labels(&again).into_iter().zip(labels(&structure)) {
                prop_assert_eq!(&read.0, &written.0);
                prop_assert!(written.1.is_none() || read.1 == written.1);
            }
        }
    }

    #[test]
    fn sdf_keeps_everything(molecules in prop::collection::vec(molecules(), 1..4)) {
        let found = sdf::read(sdf::write(&molecules).as_bytes());
        prop_assert!(found.errors.is_empty(), "{:?}", found.errors);
        prop_assert_eq!(found.molecules, molecules);
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

#[test]
fn more_atoms_and_residues_than_the_columns_of_pdb_have_digits_for() {
    let mut text = String::new();
    // Waters numbered in the chain up to 9999 and on in hybrid-36, as the wide serial numbers.
    for index in 0..120_000_u32 {
        let (x, y, z) = (index % 100 * 4, index / 100 % 100 * 4, index / 10_000 * 4);
        text.push_str(&format!(
            "HETATM{:>5}  O   HOH W{:>4}    {x:8.3}{y:8.3}{z:8.3}\n",
            index % 100_000,
            index % 10_000
        ));
    }
    let mut structure = pdb::read(text.as_bytes()).unwrap();
    assert_eq!(structure.models[0].topology.residues.len(), 120_000);
    let topology = Arc::make_mut(&mut structure.models[0].topology);
    for (index, residue) in topology.residues.iter_mut().enumerate() {
        residue.number = index as i32 - 50;
    }
    topology.bonds.push(Bond::new(3, 110_000, BondOrder::Coordination));
    for again in [
        pdb::read(pdb::write(&structure).unwrap().as_bytes()).unwrap(),
        mmcif::read(mmcif::write(&structure).as_bytes()).unwrap(),
    ] {
        let model = &again.models[0];
        assert_eq!(model.positions, structure.models[0].positions);
        let numbers: Vec<i32> = model.topology.residues.iter().map(|residue| residue.number).collect();
        assert!((-50..119_950).eq(numbers));
        assert_eq!(model.topology.atoms[119_999].serial, 120_000);
        let pairs: Vec<(u32, u32)> = model.topology.bonds.iter().map(|bond| (bond.a, bond.b)).collect();
        assert_eq!(pairs, [(3, 110_000)]);
    }
}

#[test]
fn models_may_differ_in_their_atoms_and_share_a_number() {
    let text = "\
MODEL        1
ATOM      1  SG  CYS A   1       0.000   0.000   0.000  1.00 10.00           S
ATOM      2  SG  CYS A   9       2.050   0.000   0.000  1.00 10.00           S
ENDMDL
MODEL        1
ATOM      1  SG  CYS A   1       0.000   0.000   0.000  1.00 10.00           S
HETATM    2  C1  LIG A 200       9.000   0.000   0.000  1.00 10.00           C1+
HETATM    3  O1  LIG A 200      10.200   0.000   0.000  1.00 10.00           O
ENDMDL
";
    let mut structure = pdb::read(text.as_bytes()).unwrap();
    let topology = Arc::make_mut(&mut structure.models[1].topology);
    assert_eq!(topology.bonds, [Bond::new(1, 2, BondOrder::Single)]);
    topology.bonds[0].order = BondOrder::Double;
    let from_mmcif = mmcif::read(mmcif::write(&structure).as_bytes()).unwrap();
    let from_pdb = pdb::read(pdb::write(&structure).unwrap().as_bytes()).unwrap();
    for again in [&from_mmcif, &from_pdb] {
        let numbers: Vec<i32> = again.models.iter().map(|model| model.number).collect();
        assert_eq!(numbers, [1, 2]);
        for (a, b) in again.models.iter().zip(&structure.models) {
            assert_eq!((&a.positions, &a.b_factors), (&b.positions, &b.b_factors));
            let atoms = |model: &Model| -> Vec<(SmolStr, Element, i8, u32)> {
                let atoms = model.topology.atoms.iter();
                atoms.map(|atom| (atom.name.clone(), atom.element, atom.formal_charge, atom.residue)).collect()
            };
            assert_eq!(atoms(a), atoms(b));
        }
        assert_eq!(again.models[0].topology.bonds, structure.models[0].topology.bonds);
    }
    // CONECT can only speak of the first model.
    assert_eq!(from_mmcif.models[1].topology.bonds, structure.models[1].topology.bonds);
}

#[test]
fn molecules_without_conformers_are_drawn_with_their_stereo() {
    for smiles in [
        "N[C@@H](C)C(=O)O",
        "C[C@H](O)[C@@H](N)c1ccccc1",
        "F/C=C\\Cl",
        "OC(=O)/C=C/C(=O)[O-]",
        "C1C[C@H](O)CC[C@@H]1N",
        "F[C@](Cl)(Br)I",
        "C[C@]12CC[C@H]3[C@H]([C@@H]1CC[C@@H]2O)CCC4=CC(=O)CC[C@]34C",
        "[13CH3][N+](C)(C)CC=CC",
    ] {
        let drawn = smiles::parse(smiles).unwrap();
        let explicit = add_hydrogens(&drawn).unwrap();
        for molecule in [drawn, SmallMolecule { conformers: Vec::new(), ..explicit }] {
            let found = sdf::read(sdf::write(std::slice::from_ref(&molecule)).as_bytes());
            assert!(found.errors.is_empty(), "{smiles}: {:?}", found.errors);
            let again = &found.molecules[0];
            assert!(again.conformers.is_empty());
            assert_eq!(again.atoms.len(), molecule.atoms.len());
            assert_eq!(canonical_smiles(again).unwrap(), canonical_smiles(&molecule).unwrap(), "{smiles}");
        }
    }
}

#[test]
fn deuterium_stays_deuterium() {
    let line = "ATOM      1  D1  LYS A   1       1.000   2.000   3.000  1.00  0.00           D  \n";
    let structure = pdb::read(line.as_bytes()).unwrap();
    assert_eq!(structure.models[0].topology.atoms[0].element, Element::H);
    assert!(pdb::write(&structure).unwrap().contains(&line[..78]), "{}", pdb::write(&structure).unwrap());
    assert!(
        mmcif::write(&structure).lines().any(|line| line.starts_with("ATOM 1 D D1 ")),
        "{}",
        mmcif::write(&structure)
    );
}
