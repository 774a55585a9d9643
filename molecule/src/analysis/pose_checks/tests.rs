//! Crystal poses pass; broken copies of them fail, each for its own reason and no other.

use super::PoseCheckKind::{
    BondAngles, BondLengths, Connectivity, DoubleBondPlanarity, DoubleBondStereo, EnergyRatio, Formula,
    InorganicCofactorDistance, InorganicCofactorOverlap, InternalClash, OrganicCofactorDistance,
    OrganicCofactorOverlap, ProteinDistance, ProteinOverlap, RingPlanarity, Sanitisation, Strain, TetrahedralStereo,
    WaterDistance, WaterOverlap,
};
use super::*;
use crate::chemistry::{add_hydrogens, embed_smiles, perceive, smiles};
use crate::formats::{pdb, sdf};
use crate::structure::{BondOrder, Structure};
use crate::{Bond, Element};

const NEVER: &dyn Fn() -> bool = &|| false;

fn complex(pocket: &str, ligand: &str) -> (Structure, SmallMolecule) {
    (pdb::read(pocket.as_bytes()).unwrap(), sdf::read(ligand.as_bytes()).molecules.remove(0))
}

fn crystal_complexes() -> Vec<(Structure, SmallMolecule)> {
    macro_rules! complexes {
        ($($entry:literal)*) => {
            vec![$(complex(
                include_str!(concat!("../../../tests/data/", $entry, "_pocket.pdb")),
                include_str!(concat!("../../../tests/data/", $entry, "_ligand.sdf")),
            )),*]
        };
    }
    complexes!("1f8c" "1hpx" "1m17" "1xkk" "2hyy" "2reg" "3f80")
}

fn failed(checks: &[PoseCheck]) -> Vec<PoseCheckKind> {
    checks.iter().filter(|check| !check.passed).map(|check| check.kind).collect()
}

/// The pose as a molecule of its own against the input, without a receptor and without energies.
fn shape(input: &SmallMolecule, pose: &SmallMolecule) -> Vec<PoseCheckKind> {
    failed(&PoseChecker::new(None, Some(input), 0, 1).unwrap().check(pose, NEVER).unwrap())
}

fn made(smiles: &str) -> SmallMolecule {
    embed_smiles(smiles, 1, 1, NEVER).unwrap().molecule
}

/// Atoms on the far side of a bond that is not in a ring.
fn beyond(molecule: &SmallMolecule, from: u32, to: u32) -> Option<Vec<u32>> {
    let neighbours = molecule.neighbours();
    let mut side = vec![to];
    let mut at = 0;
    while at < side.len() {
        for &(next, _) in &neighbours[side[at] as usize] {
            if side[at] == to && next == from {
                continue;
            }
            if next == from {
                return None;
            }
            if !side.contains(&next) {
                side.push(next);
            }
        }
        at += 1;
    }
    Some(side)
}

fn moved(molecule: &SmallMolecule, atoms: &[u32], place: impl Fn(Vec3) -> Vec3) -> SmallMolecule {
    let mut copy = molecule.clone();
    for &atom in atoms {
        let position = &mut copy.conformers[0][atom as usize];
        *position = place(*position);
    }
    copy
}

#[test]
fn crystal_poses_pass_with_and_without_hydrogens() {
    for (receptor, ligand) in crystal_complexes() {
        let space = ReceptorSpace::new(&receptor.models[0]);
        let mut checker = PoseChecker::new(Some(&space), Some(&ligand), 4, 1).unwrap();
        let found = checker.check(&ligand, NEVER).unwrap();
        assert!(found.len() >= 14, "{}: {found:?}", ligand.name);
        assert_eq!(failed(&found), [], "{}: {found:?}", ligand.name);
        let full = add_hydrogens(&ligand).unwrap();
        let again = checker.check(&full, NEVER).unwrap();
        for (one, other) in found.iter().zip(&again) {
            let is_energy = matches!(one.kind, EnergyRatio | Strain);
            assert!(one.kind == other.kind && other.passed, "{other:?}");
            assert!(is_energy || (one.value - other.value).abs() < 1e-3, "{one:?} {other:?}");
        }
    }
}

#[test]
fn stretched_and_squeezed_bonds_fail_as_bonds() {
    let mut count = 0;
    for (_, ligand) in crystal_complexes() {
        for bond in &ligand.bonds {
            let Some(side) = beyond(&ligand, bond.a, bond.b) else { continue };
            let places = &ligand.conformers[0];
            let shift = places[bond.b as usize] - places[bond.a as usize];
            let stretched = moved(&ligand, &side, |place| place + shift * 0.45);
            assert_eq!(shape(&ligand, &stretched), [BondLengths], "{} {bond:?}", ligand.name);
            count += 1;
        }
        let end = ligand.bonds.iter().find_map(|bond| Some((bond, beyond(&ligand, bond.a, bond.b)?)));
        if let Some((bond, side)) = end
            && side.len() == 1
        {
            let places = &ligand.conformers[0];
            let shift = places[bond.b as usize] - places[bond.a as usize];
            assert_eq!(shape(&ligand, &moved(&ligand, &side, |place| place - shift * 0.35)), [BondLengths]);
        }
    }
    assert!(count > 30, "{count}");
}

#[test]
fn bent_angles_fail_as_angles() {
    let mut count = 0;
    for (_, ligand) in crystal_complexes() {
        let neighbours = ligand.neighbours();
        for end in 0..ligand.atoms.len() as u32 {
            let [(middle, _)] = neighbours[end as usize][..] else { continue };
            // A single end on a chain: no other angle at the middle.
            let [first, second] = neighbours[middle as usize][..] else { continue };
            let other = if first.0 == end { second.0 } else { first.0 };
            let places = &ligand.conformers[0];
            let (centre, axis) = (places[middle as usize], places[other as usize] - places[middle as usize]);
            let bond = places[end as usize] - centre;
            let normal = axis.cross(bond).normalize_or_zero();
            let wanted = 50_f32.to_radians() - axis.angle_between(bond);
            let turn = glam::Quat::from_axis_angle(normal, wanted);
            let bent = moved(&ligand, &[end], |place| centre + turn * (place - centre));
            assert!(shape(&ligand, &bent).contains(&BondAngles), "{} {end}", ligand.name);
            if shape(&ligand, &bent) == [BondAngles] {
                count += 1;
            }
        }
    }
    // Some ends come upon their neighbours' neighbours as well.
    assert!(count >= 3, "{count}");
    let propane = made("CCC");
    let places = &propane.conformers[0];
    let (middle, first) = (places[1], (places[0] - places[1]).normalize_or_zero());
    let side = (places[2] - middle).reject_from_normalized(first).normalize_or_zero();
    let length = places[2].distance(middle);
    let bent = moved(&propane, &[2], |_| middle + (first * 0.5 + side * 0.866) * length);
    assert_eq!(shape(&propane, &bent), [BondAngles]);
}

#[test]
fn puckered_aromatic_rings_fail_as_rings() {
    let mut count = 0;
    for (_, ligand) in crystal_complexes() {
        let perception = perceive(&ligand).unwrap();
        let systems = perception.ring_systems();
        for ring in perception.aromatic_rings() {
            // Rings of six by themselves: a pucker of fused rings bends more than one.
            if ring.len() != 6 || !systems.iter().any(|system| system.len() == 6 && system.contains(&ring[0])) {
                continue;
            }
            let places: Vec<Vec3> = ring.iter().map(|&atom| ligand.conformers[0][atom as usize]).collect();
            let normal = (places[2] - places[0]).cross(places[4] - places[0]).normalize_or_zero();
            let mut puckered = ligand.clone();
            for (place, &atom) in ring.iter().enumerate() {
                let shift = normal * if place % 2 == 0 { 0.3 } else { -0.3 };
                let mut with = vec![atom];
                for (next, _) in &ligand.neighbours()[atom as usize] {
                    if !ring.contains(next) {
                        with.extend(beyond(&ligand, atom, *next).unwrap_or_default());
                    }
                }
                puckered = moved(&puckered, &with, |place| place + shift);
            }
            assert_eq!(shape(&ligand, &puckered), [RingPlanarity], "{}", ligand.name);
            count += 1;
        }
    }
    assert!(count >= 6, "{count}");
}

#[test]
fn double_bonds_fail_by_their_twist_and_by_their_side() {
    for (smiles, bond) in [("C/C=C/C", (1, 2)), ("CC/C(C)=C(/C)CO", (2, 4)), ("C/C=C\\C(=O)OC", (1, 2))] {
        let molecule = made(smiles);
        let side = beyond(&molecule, bond.0, bond.1).unwrap();
        let places = &molecule.conformers[0];
        let origin = places[bond.0 as usize];
        let axis = (places[bond.1 as usize] - origin).normalize_or_zero();
        let turned = |degrees: f32| {
            let turn = glam::Quat::from_axis_angle(axis, degrees.to_radians());
            moved(&molecule, &side, |place| origin + turn * (place - origin))
        };
        // Of two alike sides the four atoms stay near a plane longer.
        if !smiles.contains('\\') {
            assert_eq!(shape(&molecule, &turned(60.0)), [DoubleBondPlanarity], "{smiles}");
        }
        assert_eq!(shape(&molecule, &turned(180.0)), [DoubleBondStereo], "{smiles}");
    }
}

#[test]
fn inverted_centres_fail_as_stereo() {
    let mut count = 0;
    for (_, ligand) in crystal_complexes() {
        let perceived = perceive(&ligand).unwrap().molecule;
        if perceived.stereo.is_empty() {
            continue;
        }
        let all: Vec<u32> = (0..ligand.atoms.len() as u32).collect();
        let mirrored = moved(&ligand, &all, |place| Vec3::new(-place.x, place.y, place.z));
        assert_eq!(shape(&ligand, &mirrored), [TetrahedralStereo], "{}", ligand.name);
        count += 1;
    }
    assert!(count >= 2, "{count}");
    // One of two centres.
    let (input, other) = (made("C[C@H](O)[C@@H](F)CC"), made("C[C@@H](O)[C@@H](F)CC"));
    let checks = PoseChecker::new(None, Some(&input), 0, 1).unwrap().check(&other, NEVER).unwrap();
    assert_eq!(failed(&checks), [TetrahedralStereo]);
    let stereo = checks.iter().find(|check| check.kind == TetrahedralStereo).unwrap();
    assert_eq!((stereo.value, &stereo.atoms), (1.0, &vec![1]));
}

#[test]
fn another_molecule_fails_by_what_differs() {
    for (_, ligand) in crystal_complexes() {
        // A carbon at the end of a chain becomes a nitrogen.
        let neighbours = ligand.neighbours();
        let end = (0..ligand.atoms.len())
            .find(|&atom| ligand.atoms[atom].element == Element::C && neighbours[atom].len() == 1);
        if let Some(end) = end {
            let mut swapped = ligand.clone();
            swapped.atoms[end].element = Element::N;
            let found = shape(&ligand, &swapped);
            assert_eq!(found, [Formula], "{}", ligand.name);
        }
    }
    let input = made("CCCCO");
    // The same atoms otherwise connected, and one atom more.
    assert_eq!(shape(&input, &made("CC(C)CO")), [Connectivity]);
    assert_eq!(shape(&input, &made("CCCOC")), [Connectivity]);
    assert!(shape(&input, &made("CCCCCO")).starts_with(&[Formula]));
    assert_eq!(shape(&made("CC(=O)O"), &made("CC(=O)[O-]")), [], "a proton moved");
    assert_eq!(shape(&made("CCC=O"), &made("CCCO")), [Formula], "hydrogens added");
    // The order of atoms does not matter.
    assert_eq!(shape(&made("C[C@H](O)C(=O)N"), &made("NC(=O)[C@@H](O)C")), []);
    let mut wrong = input.clone();
    wrong.bonds.push(Bond::new(0, 2, BondOrder::Double));
    assert_eq!(shape(&input, &wrong), [Sanitisation]);
}

#[test]
fn without_an_input_there_is_no_identity_to_check() {
    let pose = made("C[C@H](O)C(=O)N");
    let found = PoseChecker::new(None, None, 0, 1).unwrap().check(&pose, NEVER).unwrap();
    let kinds: Vec<PoseCheckKind> = found.iter().map(|check| check.kind).collect();
    assert_eq!(kinds, [Sanitisation, BondLengths, BondAngles, RingPlanarity, DoubleBondPlanarity, InternalClash]);
}

#[test]
fn folded_chains_fail_as_an_internal_clash() {
    let molecule = made("CCCCCC");
    // A ring of six: lengths and angles are right, the ends are bonded by distance alone.
    let mut folded = molecule.clone();
    for (atom, place) in folded.conformers[0].iter_mut().take(6).enumerate() {
        let angle = atom as f32 * std::f32::consts::FRAC_PI_3;
        *place = Vec3::new(angle.cos(), angle.sin(), if atom % 2 == 0 { 0.17 } else { -0.17 }) * 1.45;
    }
    assert_eq!(shape(&molecule, &folded), [InternalClash]);
    // An end of a crystal ligand put beside its other end.
    let (_, ligand) = crystal_complexes().remove(2);
    let ends: Vec<u32> = (0..ligand.atoms.len() as u32)
        .filter(|&atom| {
            ligand.neighbours()[atom as usize].len() == 1 && ligand.atoms[atom as usize].element == Element::C
        })
        .collect();
    let target = ligand.conformers[0][ends[1] as usize] + Vec3::new(0.9, 0.0, 0.0);
    let all = moved(&ligand, &[ends[0]], |_| target);
    assert!(shape(&ligand, &all).contains(&InternalClash));
}

#[test]
fn strain_fails_by_its_energy_alone() {
    let reference = |molecule: &SmallMolecule| {
        LigandReference::new(molecule).unwrap().with_energies(molecule, 1, 8, NEVER).unwrap()
    };
    // Five amides turned out of their planes: no length, angle or contact is wrong.
    let molecule = made("CCNC(=O)CC(=O)NCCC(=O)NCCC(=O)NCCC(=O)NC");
    let held = reference(&molecule);
    let good = held.check(&molecule.conformers[0]);
    assert_eq!(failed(&good), []);
    assert!(good.iter().any(|check| check.kind == Strain), "{good:?}");
    let perception = perceive(&molecule).unwrap();
    let amides: Vec<(u32, u32)> = crate::chemistry::rotatable_bonds(&perception)
        .into_iter()
        .filter(|bond| bond.is_amide)
        .map(|bond| (molecule.bonds[bond.bond as usize].a, molecule.bonds[bond.bond as usize].b))
        .collect();
    assert_eq!(amides.len(), 5);
    let mut strained = molecule.clone();
    for (from, to) in amides {
        let side = beyond(&strained, from, to).unwrap();
        let origin = strained.conformers[0][from as usize];
        let axis = (strained.conformers[0][to as usize] - origin).normalize_or_zero();
        let turn = glam::Quat::from_axis_angle(axis, 90_f32.to_radians());
        strained = moved(&strained, &side, |place| origin + turn * (place - origin));
    }
    let found = held.check(&strained.conformers[0]);
    assert_eq!(failed(&found), [Strain], "{found:?}");
    // All of it squeezed: every length is 18 % short, which passes, but there are many of them.
    let (_, ligand) = crystal_complexes().remove(2);
    let all: Vec<u32> = (0..ligand.atoms.len() as u32).collect();
    let squeezed = moved(&ligand, &all, |place| place * 0.82);
    let found = reference(&ligand).check(&squeezed.conformers[0]);
    assert!(!failed(&found).contains(&BondLengths) && failed(&found).contains(&Strain), "{found:?}");
}

#[test]
fn a_shifted_pose_fails_against_the_protein() {
    let (receptor, ligand) = crystal_complexes().remove(4);
    let pose: Vec<Vec3> = ligand.conformers[0].iter().map(|place| *place + Vec3::new(2.0, 1.5, 0.0)).collect();
    let found = check(&receptor.models[0], &ligand, &pose).unwrap();
    assert_eq!(failed(&found), [ProteinDistance, ProteinOverlap]);
}

/// Each kind of neighbour put upon the ligand.
#[test]
fn other_neighbours_fail_as_what_they_are() {
    let ligand = made("CCO");
    let place = ligand.conformers[0][0];
    let line = |residue: &str, name: &str, element: &str| {
        format!(
            "HETATM    1 {name:>4} {residue:>3} A   1    {:8.3}{:8.3}{:8.3}  1.00  0.00          {element:>2}\n",
            place.x + 0.2,
            place.y,
            place.z
        )
    };
    for (text, wanted) in [
        (line("HOH", "O", "O"), [WaterDistance, WaterOverlap]),
        (line(" ZN", "ZN", "ZN"), [InorganicCofactorDistance, InorganicCofactorOverlap]),
        (line("SO4", "S", "S"), [InorganicCofactorDistance, InorganicCofactorOverlap]),
        (line("LIG", "C1", "C"), [OrganicCofactorDistance, OrganicCofactorOverlap]),
    ] {
        let receptor = pdb::read(text.as_bytes()).unwrap();
        let found = check(&receptor.models[0], &ligand, &ligand.conformers[0]).unwrap();
        assert_eq!(failed(&found), wanted, "{text}");
    }
}

#[test]
fn a_pose_of_other_length_fails_everything_of_its_shape() {
    let (receptor, ligand) = crystal_complexes().remove(0);
    let found = check(&receptor.models[0], &ligand, &ligand.conformers[0][1..]).unwrap();
    assert_eq!(failed(&found).len(), 7);
    let graph = smiles::parse("CCO").unwrap();
    assert!(!shape(&made("CCO"), &graph).is_empty(), "a pose without positions");
}

#[test]
fn ends_of_acids_and_amidines_share_their_bounds() {
    // The double bond drawn at the longer of the two.
    let acid = made("CC(=O)[O-]");
    let mut drawn = acid.clone();
    for bond in &mut drawn.bonds {
        if (bond.a, bond.b) == (1, 2) {
            bond.order = BondOrder::Single;
        } else if (bond.a, bond.b) == (1, 3) {
            bond.order = BondOrder::Double;
        }
    }
    drawn.atoms[2].formal_charge = -1;
    drawn.atoms[3].formal_charge = 0;
    assert_eq!(shape(&acid, &drawn), []);
}
