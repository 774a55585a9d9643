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
    let partners = |ligand: &SmallMolecule| -> Vec<_> {
        let found = find(&structure.models[0], ligand, &ligand.conformers[0]).unwrap();
        found.into_iter().map(|one| (one.kind, one.ligand_atoms, one.receptor_atoms)).collect()
    };
    assert_eq!(partners(&full), partners(&ligand));
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

#[test]
fn every_interaction_tells_its_geometry() {
    for case in
        [complex!("1m17"), complex!("1xkk"), complex!("2hyy"), complex!("1hpx"), complex!("2reg"), complex!("3f80")]
    {
        let (structure, ligand) = case;
        let model = &structure.models[0];
        for found in find(model, &ligand, &ligand.conformers[0]).unwrap() {
            let Geometry { donor, hydrogen, hydrogen_to_acceptor, ring_offset, stacking, water, .. } = found.geometry;
            assert!((found.distance - found.points[0].distance(found.points[1])).abs() < 1e-4);
            match found.kind {
                HydrogenBond | WeakHydrogenBond => {
                    let place = hydrogen.unwrap();
                    let (from, to) = match donor.unwrap() {
                        Side::Ligand => (found.points[0], found.points[1]),
                        Side::Receptor => (found.points[1], found.points[0]),
                    };
                    assert!((0.9..1.4).contains(&place.distance(from)), "{found:?}");
                    assert!((place.distance(to) - hydrogen_to_acceptor.unwrap()).abs() < 1e-4, "{found:?}");
                    assert!(found.angle.unwrap().to_degrees() >= 100.0);
                }
                WaterBridge => {
                    let water = water.unwrap();
                    assert_eq!(found.receptor_atoms[0], water.atom);
                    assert_eq!(model.topology.residues[water.residue as usize].name, "HOH");
                    assert!((water.place.distance(found.points[0]) - water.to_ligand).abs() < 1e-4);
                    assert!((water.place.distance(found.points[1]) - water.to_receptor).abs() < 1e-4);
                }
                PiStacking => {
                    let is_flat = found.angle.unwrap().to_degrees() <= 30.0;
                    assert_eq!(stacking, Some(if is_flat { Stacking::FaceToFace } else { Stacking::EdgeToFace }));
                    assert!(ring_offset.unwrap() <= 2.0);
                }
                CationPi => assert!(donor.is_some() && ring_offset.unwrap() <= 2.0),
                SaltBridge | HalogenBond | Metal => assert!(donor.is_some(), "{found:?}"),
                Hydrophobic | Clash => assert_eq!(found.geometry, Geometry::default()),
            }
            // The record survives a file.
            let text = serde_json::to_string(&found).unwrap();
            assert_eq!(serde_json::from_str::<Interaction>(&text).unwrap(), found);
        }
    }
}

#[test]
fn two_chains_meet_from_either_side() {
    let (structure, _) = complex!("1hpx");
    let model = &structure.models[0];
    let chain = |id: &str| -> Vec<u32> {
        (0..model.topology.atoms.len() as u32)
            .filter(|&atom| {
                let residue = model.topology.residue_of(atom as usize);
                residue.is_polymer() && model.topology.chain_of(residue).id == id
            })
            .collect()
    };
    let (a, b) = (chain("A"), chain("B"));
    let (forward, backward) = (find_within(model, &a, &b), find_within(model, &b, &a));
    let bonds = |found: &[Interaction], swap: bool| {
        let mut pairs: Vec<(u32, u32, Option<Side>)> = found
            .iter()
            .filter(|one| one.kind == HydrogenBond)
            .map(|one| {
                let (first, second) = (one.ligand_atoms[0], one.receptor_atoms[0]);
                let donor = one.geometry.donor;
                match (swap, donor) {
                    (false, _) => (first, second, donor),
                    (true, Some(Side::Ligand)) => (second, first, Some(Side::Receptor)),
                    (true, _) => (second, first, Some(Side::Ligand)),
                }
            })
            .collect();
        pairs.sort_by_key(|pair| (pair.0, pair.1));
        pairs
    };
    assert_eq!(bonds(&forward, false), bonds(&backward, true));
    // Two halves of a pocket share backbone hydrogen bonds.
    let (other, _) = complex!("2hyy");
    let half = other.models[0].topology.residues.len() as u32 / 2;
    let (first, second): (Vec<u32>, Vec<u32>) = (0..other.models[0].topology.atoms.len() as u32)
        .partition(|&atom| other.models[0].topology.atoms[atom as usize].residue < half);
    let shared = bonds(&find_within(&other.models[0], &first, &second), false);
    assert!(!shared.is_empty());
    assert_eq!(shared, bonds(&find_within(&other.models[0], &second, &first), true));
    assert!(forward.iter().all(|one| one.residue.starts_with("B ") && one.ligand_residue.starts_with("A ")));
    assert!(forward.iter().any(|one| one.kind == Hydrophobic));
    // A chain within itself: neighbours in the graph are no partners.
    let (first, rest): (Vec<u32>, Vec<u32>) =
        a.iter().partition(|&&atom| model.topology.atoms[atom as usize].residue % 2 == 0);
    assert!(find_within(model, &first, &rest).iter().all(|one| one.kind != Clash));
    assert_eq!(find_within(model, &a, &[]), []);
}

/// Imidazole: with its hydrogen one nitrogen gives and the other takes; without, either may give.
#[test]
fn hydrogens_in_the_receptor_say_who_gives() {
    let imidazole = embed_smiles("c1c[nH]cn1", 1, 1, &|| false).unwrap().molecule;
    let acetone = embed_smiles("CC(C)=O", 1, 1, &|| false).unwrap().molecule;
    let (bare, _) = crate::chemistry::remove_hydrogens(&imidazole);
    let places = &imidazole.conformers[0];
    let centre = places[..5].iter().sum::<Vec3>() / 5.0;
    // Acetone's oxygen 2.9 Å out from a nitrogen, its carbon behind it.
    let at = |nitrogen: usize| -> Vec<Vec3> {
        let out = (places[nitrogen] - centre).normalize_or_zero();
        let held = &acetone.conformers[0];
        let back = (held[1] - held[3]).normalize_or_zero();
        let turn = glam::Quat::from_rotation_arc(back, out);
        held.iter().map(|place| places[nitrogen] + out * 2.9 + turn * (*place - held[3])).collect()
    };
    let bonds = |receptor: &SmallMolecule, nitrogen: usize| {
        let structure = receptor.to_structure("A", "IMD");
        let found = find(&structure.models[0], &acetone, &at(nitrogen)).unwrap();
        found.iter().filter(|one| one.kind == HydrogenBond).count()
    };
    assert_eq!((bonds(&imidazole, 2), bonds(&imidazole, 4)), (1, 0));
    assert_eq!((bonds(&bare, 2), bonds(&bare, 4)), (1, 1));
}

/// What water does to a ligand counts, not how it is drawn.
#[test]
fn charges_are_those_in_water() {
    for (smiles, cations, anions) in [
        ("NCCC(=O)O", 1, 1),
        ("CC(=O)NCC", 0, 0),
        ("FC(F)(F)CN", 0, 0),
        ("c1ccc(cc1)-c1nnn[nH]1", 0, 1),
        ("NC(N)=NCCC", 1, 0),
        ("COP(=O)(O)O", 0, 1),
        ("C[N+](C)(C)CC(=O)O", 1, 1),
        ("[O-][N+](=O)c1ccccc1", 0, 0),
    ] {
        let sites = Sites::of_ligand(&crate::chemistry::smiles::parse(smiles).unwrap()).unwrap();
        assert_eq!((sites.cations.len(), sites.anions.len()), (cations, anions), "{smiles}");
    }
}
