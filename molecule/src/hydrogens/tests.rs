use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use super::*;
use crate::analysis::neighbour_grid::NeighbourGrid;
use crate::formats::{pdb, read_structure};

fn sample(path: &str) -> Structure {
    read_structure(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../samples").join(path)).unwrap()
}

fn added(structure: &Structure) -> Hydrogenated {
    add(structure, &Options::default()).unwrap()
}

/// The first model without its hydrogens, read anew.
fn without_hydrogens(structure: &Structure) -> Structure {
    let mut bare = structure.clone();
    bare.models.truncate(1);
    let text = pdb::write(&bare).unwrap();
    let kept: Vec<&str> = text.lines().filter(|line| line.get(76..78).is_none_or(|element| element != " H")).collect();
    pdb::read(kept.join("\n").as_bytes()).unwrap()
}

/// Hydrogens by name with their places, by chain and number and name of the residue.
fn by_residue(model: &Model) -> BTreeMap<(String, String), BTreeMap<String, Vec3>> {
    let topology = &model.topology;
    let mut found: BTreeMap<(String, String), BTreeMap<String, Vec3>> = BTreeMap::new();
    for (index, atom) in topology.atoms.iter().enumerate().filter(|(_, atom)| atom.element == Element::H) {
        let residue = topology.residue_of(index);
        let key = (topology.chain_of(residue).id.to_string() + &residue.number_text(), residue.name.to_string());
        found.entry(key).or_default().insert(atom.name.to_string(), model.positions[index]);
    }
    found
}

#[test]
fn residues_inside_a_chain_get_the_hydrogens_of_textbooks() {
    let made = added(&sample("adenylate-kinase/closed.pdb"));
    let topology = &made.structure.models[0].topology;
    let counts = HashMap::from([
        ("ALA", 5),
        ("ARG", 13),
        ("ASN", 6),
        ("ASP", 4),
        ("CYS", 5),
        ("GLN", 8),
        ("GLU", 6),
        ("GLY", 3),
        ("HIS", 7),
        ("ILE", 11),
        ("LEU", 11),
        ("LYS", 13),
        ("MET", 9),
        ("PHE", 9),
        ("PRO", 7),
        ("SER", 5),
        ("THR", 7),
        ("TYR", 9),
        ("VAL", 9),
    ]);
    let chain = &topology.chains[0];
    for index in chain.residues.start + 1..chain.residues.start + 213 {
        let residue = &topology.residues[index as usize];
        let hydrogens = topology.atoms_of(residue).filter(|atom| topology.atoms[*atom].element == Element::H).count();
        assert_eq!(Some(&hydrogens), counts.get(residue.name.as_str()), "{} {}", residue.name, residue.number);
    }
    let names = |number: i32| -> Vec<&str> {
        let residue = topology.residues.iter().find(|residue| residue.number == number).unwrap();
        let atoms = topology.atoms_of(residue).map(|atom| &topology.atoms[atom]);
        atoms.filter(|atom| atom.element == Element::H).map(|atom| atom.name.as_str()).collect()
    };
    assert_eq!(names(1)[..3], ["H1", "H2", "H3"], "the chain's start");
    // The inhibitor: five phosphates without protons.
    let inhibitor = topology.residues.iter().find(|residue| residue.name == "AP5").unwrap();
    let charge: i32 = topology.atoms_of(inhibitor).map(|atom| i32::from(topology.atoms[atom].formal_charge)).sum();
    let on_oxygen = topology.atoms_of(inhibitor).filter(|atom| topology.atoms[*atom].name.starts_with("HO")).count();
    assert_eq!((charge, on_oxygen), (-5, 4));
    assert!(made.left_out.is_empty(), "{:?}", made.left_out);
}

#[test]
fn lengths_angles_and_contacts_are_those_of_molecules() {
    for path in ["adenylate-kinase/closed.pdb", "protease/receptor.pdb"] {
        let made = added(&sample(path));
        let model = &made.structure.models[0];
        let topology = &model.topology;
        let neighbours = topology.neighbours();
        let grid = NeighbourGrid::new(&model.positions, 2.0);
        let mut close = Vec::new();
        for (index, atom) in topology.atoms.iter().enumerate().filter(|(_, atom)| atom.element == Element::H) {
            let place = model.positions[index];
            let text = || format!("{path} {} {}", topology.residue_of(index).number_text(), atom.name);
            let [(host, _)] = neighbours[index][..] else { panic!("{}: {:?}", text(), neighbours[index]) };
            let length = place.distance(model.positions[host as usize]);
            let expected = match topology.atoms[host as usize].element {
                Element::C => 1.07..1.11,
                Element::S => 1.30..1.37,
                _ => 0.94..1.06,
            };
            assert!(expected.contains(&length), "{}: {length}", text());
            let mut around: BTreeSet<u32> = BTreeSet::from([index as u32, host]);
            for &(other, _) in &neighbours[host as usize] {
                around.insert(other);
                around.extend(neighbours[other as usize].iter().map(|(next, _)| *next));
                if other != index as u32 {
                    let angle = (place - model.positions[host as usize])
                        .angle_between(model.positions[other as usize] - model.positions[host as usize])
                        .to_degrees();
                    // The inhibitor's own angles are strained.
                    let limits = if topology.residue_of(index).is_polymer() { 93.0..132.0 } else { 88.0..135.0 };
                    assert!(limits.contains(&angle), "{}: {angle}", text());
                }
            }
            // Two oxygens of the inhibitor lie 2.4 Å from nitrogens of arginine 156 in the entry itself.
            grid.for_each_within(place, 1.33, |other, squared| {
                if !around.contains(&other) && topology.is_primary_location(other as usize) {
                    close.push(format!("{} to {}: {:.2}", text(), topology.atoms[other as usize].name, squared.sqrt()));
                }
            });
        }
        assert!(close.is_empty(), "{close:#?}");
    }
}

#[test]
fn names_and_places_are_those_of_a_structure_with_hydrogens() {
    let given = sample("dna-complex/complex.pdb");
    let made = added(&without_hydrogens(&given));
    let (given, made) = (by_residue(&given.models[0]), by_residue(&made.structure.models[0]));
    let mut distances = Vec::new();
    let turning =
        ["HG", "HG1", "HH", "HO5'", "HO3'", "H1", "H2", "H3", "HZ1", "HZ2", "HZ3", "HE1", "HE2", "HE3", "HD1", "HE22"];
    let mut compared = 0;
    for (residue, wanted) in &given {
        if residue.1 == "HOH" || residue.1 == "HIS" {
            continue;
        }
        let found = made.get(residue).unwrap_or_else(|| panic!("{residue:?}"));
        // The entry gives only hydrogens on nitrogen and oxygen.
        for name in wanted.keys() {
            assert!(found.contains_key(name), "{residue:?} {name}: {:?}", found.keys());
        }
        compared += 1;
        let is_amino = residue.1.len() == 3;
        distances.extend(
            wanted
                .iter()
                .filter(|(name, _)| !(is_amino && turning.contains(&name.as_str())))
                .map(|(name, place)| place.distance(found[name])),
        );
    }
    assert!(compared > 60, "{compared}");
    distances.sort_by(f32::total_cmp);
    let at = |share: f32| distances[(share * distances.len() as f32) as usize];
    assert!(at(0.5) < 0.15 && at(0.85) < 0.35, "median {}, 85 % {}", at(0.5), at(0.85));
}

#[test]
fn hydrogens_that_are_there_stay_and_none_is_added_twice() {
    let made = added(&sample("protease/receptor.pdb"));
    let again = added(&made.structure);
    assert_eq!(again.added, 0);
    assert_eq!(again.structure.models[0].positions, made.structure.models[0].positions);
}

#[test]
fn amides_that_were_turned_are_found_and_turned_back() {
    let given = sample("kinase/receptor.pdb");
    assert!(added(&given).flips.len() <= 3, "{:?}", added(&given).flips);
    // Every amide of the structure turned round.
    let mut turned = given.clone();
    let topology = Arc::clone(&turned.models[0].topology);
    let mut amides = 0;
    for residue in &topology.residues {
        let names = match residue.name.as_str() {
            "ASN" => ["OD1", "ND2"],
            "GLN" => ["OE1", "NE2"],
            _ => continue,
        };
        if let [Some(oxygen), Some(nitrogen)] = names.map(|name| topology.atom_named(residue, name)) {
            turned.models[0].positions.swap(oxygen, nitrogen);
            amides += 1;
        }
    }
    let made = add(&turned, &Options { apply_flips: true, ..Options::default() }).unwrap();
    assert!(made.flips.len() * 4 >= amides, "{} of {amides}", made.flips.len());
    for flip in &made.flips {
        let residue = &topology.residues[flip.residue as usize];
        let atom = topology.atom_named(residue, if residue.name == "ASN" { "OD1" } else { "OE1" });
        let Some(atom) = atom.filter(|_| residue.name != "HIS") else { continue };
        let now = &made.structure.models[0];
        let held = now.topology.residues.iter().find(|held| held.number == residue.number).unwrap();
        let oxygen = now.topology.atom_named(held, &topology.atoms[atom].name).unwrap();
        assert_eq!(now.positions[oxygen], given.models[0].positions[atom], "{} {}", residue.name, residue.number);
    }
}

#[test]
fn zinc_takes_protons_from_histidine_and_cysteine_and_sulfurs_bond() {
    let text = "\
ATOM      1  CB  HIS A   1      -2.900   1.500   0.000
ATOM      2  CG  HIS A   1      -2.200   0.180   0.000
ATOM      3  ND1 HIS A   1      -2.860  -1.030   0.000
ATOM      4  CD2 HIS A   1      -0.850   0.010   0.000
ATOM      5  CE1 HIS A   1      -1.940  -1.980   0.000
ATOM      6  NE2 HIS A   1      -0.710  -1.360   0.000
ATOM      7  CB  CYS A   5       3.000  -4.500   0.000
ATOM      8  SG  CYS A   5       2.800  -2.700   0.000
HETATM    9 ZN    ZN A   9       1.150  -1.100   0.000
ATOM     10  CB  CYS A  20      20.000   0.000   0.000
ATOM     11  SG  CYS A  20      20.000   1.810   0.000
ATOM     12  SG  CYS A  30      22.030   1.810   0.000
ATOM     13  CB  CYS A  30      22.030   3.620   0.000
ATOM     14  CB  CYS A  40      40.000   0.000   0.000
ATOM     15  SG  CYS A  40      40.000   1.810   0.000
HETATM   16  O   HOH A 101      50.000   0.000   0.000
HETATM   17  O   HOH A 102      52.800   0.000   0.000
";
    let structure = pdb::read(text.as_bytes()).unwrap();
    let made = add(&structure, &Options { waters: true, ..Options::default() }).unwrap();
    assert_eq!(made.histidines[0].as_found, HistidineForm::Delta);
    let names = by_residue(&made.structure.models[0]);
    let has = |key: &str, residue: &str, name: &str| {
        names.get(&(key.to_owned(), residue.to_owned())).is_some_and(|held| held.contains_key(name))
    };
    assert!(has("A1", "HIS", "HD1") && !has("A1", "HIS", "HE2"));
    assert!(!has("A5", "CYS", "HG") && !has("A20", "CYS", "HG") && !has("A30", "CYS", "HG") && has("A40", "CYS", "HG"));
    // One of the waters gives a hydrogen to the other.
    let waters: Vec<Vec3> =
        names.iter().filter(|(key, _)| key.1 == "HOH").flat_map(|(_, held)| held.values().copied()).collect();
    assert_eq!(waters.len(), 4);
    let between = |place: &Vec3| (50.5..52.3).contains(&place.x) && place.y.hypot(place.z) < 0.5;
    assert_eq!(waters.iter().filter(|place| between(place)).count(), 1, "{waters:?}");
}

#[test]
fn modified_residues_and_unknown_ones() {
    let text = "\
HETATM    1  N   SEP A   1       0.000   1.450   0.000
HETATM    2  CA  SEP A   1       0.000   0.000   0.000
HETATM    3  C   SEP A   1       1.500   0.000   0.000
HETATM    4  O   SEP A   1       2.100   1.050   0.000
HETATM    5  CB  SEP A   1      -0.520  -0.720  -1.240
ATOM      6  N   GLY A   2       2.100  -1.150   0.000
ATOM      7  CA  GLY A   2       3.550  -1.150   0.000
HETATM    8  C7  ??1 A   3      30.000   0.000   0.000
HETATM    9  C8  ??1 A   3      31.500   0.000   0.000
";
    let made = added(&pdb::read(text.as_bytes()).unwrap());
    let names = by_residue(&made.structure.models[0]);
    let of = |key: &str, residue: &str| -> Vec<&str> {
        names[&(key.to_owned(), residue.to_owned())].keys().map(String::as_str).collect()
    };
    assert_eq!(of("A1", "SEP"), ["H1", "H2", "H3", "HA", "HB2", "HB3"]);
    assert_eq!(of("A2", "GLY"), ["H", "HA2", "HA3"]);
    assert_eq!(made.left_out.len(), 1, "{:?}", made.left_out);
    assert!(made.left_out[0].contains("??1 3"));
}

#[test]
fn a_heap_of_residues_at_one_place_costs_no_time() {
    let mut text = String::new();
    for number in 1..4000 {
        for (name, element) in [("CA", 'C'), ("CB", 'C'), ("OG", 'O')] {
            let x = if name == "OG" { 1.4 } else { 0.0 };
            text.push_str(&format!(
                "ATOM      1  {name:<3} SER A{number:4}    {x:8.3}   0.000   0.000  1.00  0.00           {element}\n"
            ));
        }
    }
    let made = added(&pdb::read(text.as_bytes()).unwrap());
    assert!(made.structure.models[0].positions.iter().all(|place| place.is_finite()));
}
