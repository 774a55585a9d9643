//! Known complexes (pockets cut from wwPDB entries) and small made-up scenes.

use super::InteractionKind::{
    CationPi, Clash, HalogenBond, HydrogenBond, Hydrophobic, Metal, PiStacking, SaltBridge, WaterBridge,
    WeakHydrogenBond,
};
use super::*;
use crate::chemistry::embed_smiles;
use crate::formats::{pdb, sdf};
use crate::structure::Structure;

fn complex(pocket: &str, ligand: &str) -> (Structure, SmallMolecule) {
    let structure = pdb::read(pocket.as_bytes()).unwrap();
    let mut ligands = sdf::read(ligand.as_bytes()).molecules;
    (structure, ligands.remove(0))
}

macro_rules! complex {
    ($entry:literal) => {
        complex(
            include_str!(concat!("../../../tests/data/", $entry, "_pocket.pdb")),
            include_str!(concat!("../../../tests/data/", $entry, "_ligand.sdf")),
        )
    };
}

/// Residues of one kind, each once, in order.
fn residues_of((structure, ligand): &(Structure, SmallMolecule), kind: InteractionKind) -> Vec<String> {
    let found = find(&structure.models[0], ligand, &ligand.conformers[0]).unwrap();
    let mut residues: Vec<String> = found.into_iter().filter(|one| one.kind == kind).map(|one| one.residue).collect();
    residues.dedup();
    residues
}

#[test]
fn erlotinib_binds_the_hinge() {
    let case = complex!("1m17");
    assert_eq!(residues_of(&case, HydrogenBond), ["A MET 769"]);
    assert_eq!(residues_of(&case, WeakHydrogenBond), ["A GLN 767"]);
    assert!(residues_of(&case, Hydrophobic).contains(&"A LEU 694".to_owned()));
    assert!(residues_of(&case, Clash).is_empty());
}

#[test]
fn lapatinib_binds_the_hinge_and_a_carbonyl_by_its_chlorine() {
    let case = complex!("1xkk");
    assert_eq!(residues_of(&case, HydrogenBond), ["A MET 793"]);
    assert_eq!(residues_of(&case, HalogenBond), ["A LEU 788"]);
}

#[test]
fn imatinib_makes_its_five_hydrogen_bonds() {
    let case = complex!("2hyy");
    assert_eq!(residues_of(&case, HydrogenBond), ["A GLU 286", "A THR 315", "A MET 318", "A ILE 360", "A ASP 381"]);
    assert_eq!(residues_of(&case, PiStacking), ["A TYR 253"]);
}

#[test]
fn the_protease_inhibitor_sits_between_aspartates_and_flap_water() {
    let case = complex!("1hpx");
    let bonds = residues_of(&case, HydrogenBond);
    assert!(["A ASP 25", "B ASP 25"].iter().all(|residue| bonds.contains(&(*residue).to_owned())), "{bonds:?}");
    let bridges = residues_of(&case, WaterBridge);
    assert!(["A ILE 50", "B ILE 50"].iter().all(|residue| bridges.contains(&(*residue).to_owned())), "{bridges:?}");
}

#[test]
fn the_arginine_triad_of_neuraminidase_makes_salt_bridges_and_nothing_twice() {
    let case = complex!("1f8c");
    assert_eq!(residues_of(&case, SaltBridge), ["A ARG 118", "A GLU 119", "A ASP 151", "A ARG 292", "A ARG 371"]);
    let bonds = residues_of(&case, HydrogenBond);
    assert_eq!(bonds, ["A ARG 152", "A GLU 276"], "no hydrogen bond where there is a salt bridge");
}

#[test]
fn boronic_acid_holds_both_manganese_ions() {
    assert_eq!(residues_of(&complex!("3f80"), Metal), ["A MN 1", "A MN 2"]);
}

#[test]
fn choline_lies_in_its_aromatic_box() {
    let case = complex!("2reg");
    assert_eq!(residues_of(&case, CationPi), ["A TRP 43", "A TRP 90", "A TYR 119", "A TRP 205"]);
    assert!(residues_of(&case, PiStacking).is_empty());
}

#[test]
fn a_ligand_with_hydrogens_finds_the_same() {
    let (structure, ligand) = complex!("2hyy");
    let full = crate::chemistry::add_hydrogens(&ligand).unwrap();
    let bare = find(&structure.models[0], &ligand, &ligand.conformers[0]).unwrap();
    assert_eq!(find(&structure.models[0], &full, &full.conformers[0]).unwrap(), bare);
}

#[test]
fn a_pose_inside_the_receptor_clashes() {
    let (structure, ligand) = complex!("1m17");
    let model = &structure.models[0];
    let shift = model.positions[60] - ligand.conformers[0][10];
    let pose: Vec<Vec3> = ligand.conformers[0].iter().map(|position| *position + shift).collect();
    assert!(find(model, &ligand, &pose).unwrap().iter().any(|one| one.kind == Clash));
    assert_eq!(find(model, &ligand, &pose[1..]).unwrap(), [], "a pose of other length says nothing");
}

/// Benzene on benzene at a distance along the axis.
#[test]
fn parallel_rings_stack_up_to_the_limit() {
    let ring = embed_smiles("c1ccccc1", 1, 1, &|| false).unwrap().molecule;
    let receptor = ring.to_structure("A", "BNZ");
    let (_, normal) = plane(&ring.conformers[0][..6]);
    for (height, stacks) in [(3.6, true), (5.2, true), (5.8, false)] {
        let pose: Vec<Vec3> = ring.conformers[0].iter().map(|position| *position + normal * height).collect();
        let found = find(&receptor.models[0], &ring, &pose).unwrap();
        assert_eq!(found.iter().filter(|one| one.kind == PiStacking).count(), usize::from(stacks), "{height}");
        assert!(found.iter().all(|one| one.kind != Hydrophobic), "stacked rings are not counted again");
    }
}

/// Two waters: one hydrogen bond, at 2.8 Å and not at 3.6 Å.
#[test]
fn hydrogen_bonds_end_at_their_distance() {
    let methanol = embed_smiles("CO", 1, 1, &|| false).unwrap().molecule;
    let receptor = methanol.to_structure("A", "MOH");
    let away = (methanol.conformers[0][1] - methanol.conformers[0][0]).normalize_or_zero();
    for (distance, bonds) in [(2.8, 1), (3.7, 0)] {
        // The second one faces the first: oxygen to oxygen, carbons away from each other.
        let middle = methanol.conformers[0][1];
        let tilted = (away + away.any_orthonormal_vector() * 0.7).normalize_or_zero();
        let pose: Vec<Vec3> =
            methanol.conformers[0].iter().map(|position| middle - (*position - middle) + tilted * distance).collect();
        let found = find(&receptor.models[0], &methanol, &pose).unwrap();
        assert_eq!(found.iter().filter(|one| one.kind == HydrogenBond).count(), bonds, "{distance}");
    }
}
