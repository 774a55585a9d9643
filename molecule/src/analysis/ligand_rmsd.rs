//! How far one pose of a ligand lies from another: root mean square deviation over heavy atoms, without superposition,
//! over the best of all ways to lay the molecule on itself.
//!
//! A phenyl ring that is turned by half a turn is the same pose, and files seldom agree on the order of atoms. So the two
//! graphs are matched atom by atom, and of all matchings the one of least RMSD counts. The search is exact (branch and
//! bound over the sum of squares) up to a bound of steps that real ligands stay far below. Superposing first would hide
//! a ligand that lies in the wrong place; see Bell & Zhang, J. Cheminf. 2019, 11, 40, and Meli & Biggin, J. Cheminf.
//! 2020, 12, 49.
//!
//! Bonds: aromatic and Kekulé forms count as equal, and so do the ends of carboxylates, nitro groups, amidines and the
//! like, whichever of them the file draws with the double bond or the hydrogen. If the two molecules then still differ
//! (one file has wrong bond orders), elements and connections alone decide.

use glam::Vec3;

use crate::chemistry::graph::{Graph, Matcher};
use crate::chemistry::perceive;
use crate::{BondOrder, Element, SmallMolecule};

/// Pairs tried before the search gives up looking for something better.
const MAX_STEPS: usize = 500_000;

/// Two molecules matched once, to compare many poses.
#[derive(Clone, Debug)]
pub struct LigandRmsd {
    matcher: Matcher,
    first: Vec<u32>,
    second: Vec<u32>,
}

/// The RMSD in Å of two poses of one molecule, atoms in any order; `None` when they are not the same molecule or a pose
/// does not have one position for each atom. Both may have hydrogens or not.
#[must_use]
pub fn symmetric_rmsd(
    first: &SmallMolecule,
    first_pose: &[Vec3],
    second: &SmallMolecule,
    second_pose: &[Vec3],
) -> Option<f32> {
    LigandRmsd::new(first, second)?.rmsd(first_pose, second_pose)
}

impl LigandRmsd {
    /// Prepares to compare poses of the two; `None` when they are not the same molecule.
    #[must_use]
    pub fn new(first: &SmallMolecule, second: &SmallMolecule) -> Option<Self> {
        let atoms = [first, second].map(heavy_atoms);
        if atoms[0].is_empty() || atoms[0].len() != atoms[1].len() {
            return None;
        }
        let exact = exact_graph(first, &atoms[0]).zip(exact_graph(second, &atoms[1]));
        let matcher = exact
            .and_then(|(a, b)| Matcher::new(a, b))
            .filter(|matcher| matcher.best(MAX_STEPS, |_, _| 0.0).is_some())
            .or_else(|| Matcher::new(loose_graph(first, &atoms[0]), loose_graph(second, &atoms[1])))?;
        let [first, second] = atoms;
        Some(Self { matcher, first, second })
    }

    /// RMSD in Å; positions in the order of each molecule's atoms, hydrogens included where it has them. `None` when
    /// they are too few, or when the molecules turn out not to match.
    #[must_use]
    pub fn rmsd(&self, first_pose: &[Vec3], second_pose: &[Vec3]) -> Option<f32> {
        let found = self.matching(first_pose, second_pose)?;
        Some((found.cost / self.first.len() as f64).sqrt() as f32)
    }

    /// For each heavy atom of the first molecule (by atom index) the atom of the second on which it comes to lie.
    #[must_use]
    pub fn pairs(&self, first_pose: &[Vec3], second_pose: &[Vec3]) -> Option<Vec<(u32, u32)>> {
        let found = self.matching(first_pose, second_pose)?;
        Some(self.first.iter().zip(found.partner).map(|(&a, b)| (a, self.second[b as usize])).collect())
    }

    fn matching(&self, first_pose: &[Vec3], second_pose: &[Vec3]) -> Option<crate::chemistry::graph::Matching> {
        let chosen = |atoms: &[u32], pose: &[Vec3]| -> Option<Vec<Vec3>> {
            atoms.iter().map(|&atom| pose.get(atom as usize).copied().filter(|position| position.is_finite())).collect()
        };
        let (a, b) = (chosen(&self.first, first_pose)?, chosen(&self.second, second_pose)?);
        self.matcher.best(MAX_STEPS, |i, j| f64::from(a[i as usize].distance_squared(b[j as usize])))
    }
}

fn heavy_atoms(molecule: &SmallMolecule) -> Vec<u32> {
    (0..molecule.atoms.len() as u32).filter(|&atom| molecule.atoms[atom as usize].element != Element::H).collect()
}

/// Elements, and bonds by kind with everything delocalised alike. `None` when the molecule breaks the rules of valence.
fn exact_graph(molecule: &SmallMolecule, atoms: &[u32]) -> Option<Graph> {
    const DELOCALISED: u64 = 9;
    let mut blank = molecule.clone();
    blank.conformers.clear();
    let perception = perceive(&blank).ok()?;
    let molecule = &perception.molecule;
    let neighbours = molecule.neighbours();
    let heavy = |atom: u32| molecule.atoms[atom as usize].element != Element::H;
    let mut kinds: Vec<u64> = molecule
        .bonds
        .iter()
        .zip(&perception.aromatic_bonds)
        .map(|(bond, &aromatic)| if aromatic { DELOCALISED } else { order_number(bond.order) })
        .collect();
    for around in &neighbours {
        let ends: Vec<(Element, u32)> = around
            .iter()
            .filter(|(next, _)| {
                heavy(*next) && neighbours[*next as usize].iter().filter(|(far, _)| heavy(*far)).count() == 1
            })
            .map(|&(next, bond)| (molecule.atoms[next as usize].element, bond))
            .collect();
        for element in [Element::N, Element::O, Element::S] {
            let alike: Vec<u32> = ends.iter().filter(|(held, _)| *held == element).map(|(_, bond)| *bond).collect();
            let is_shared =
                alike.len() > 1 && alike.iter().any(|&bond| molecule.bonds[bond as usize].order == BondOrder::Double);
            if is_shared {
                for bond in alike {
                    kinds[bond as usize] = DELOCALISED;
                }
            }
        }
    }
    Some(graph(molecule, atoms, |bond| kinds[bond as usize]))
}

fn order_number(order: BondOrder) -> u64 {
    match order {
        BondOrder::Single => 1,
        BondOrder::Double => 2,
        BondOrder::Triple => 3,
        BondOrder::Aromatic => 4,
        BondOrder::Coordination => 5,
    }
}

/// Elements and connections.
fn loose_graph(molecule: &SmallMolecule, atoms: &[u32]) -> Graph {
    graph(molecule, atoms, |_| 1)
}

fn graph(molecule: &SmallMolecule, atoms: &[u32], kind: impl Fn(u32) -> u64) -> Graph {
    let mut place = vec![u32::MAX; molecule.atoms.len()];
    for (new, &old) in atoms.iter().enumerate() {
        place[old as usize] = new as u32;
    }
    let mut neighbours = vec![Vec::new(); atoms.len()];
    for (index, bond) in molecule.bonds.iter().enumerate() {
        let (Some(&a), Some(&b)) = (place.get(bond.a as usize), place.get(bond.b as usize)) else { continue };
        if a != u32::MAX && b != u32::MAX {
            neighbours[a as usize].push((b, kind(index as u32)));
            neighbours[b as usize].push((a, kind(index as u32)));
        }
    }
    let labels = atoms.iter().map(|&atom| u64::from(molecule.atoms[atom as usize].element.atomic_number())).collect();
    Graph { labels, neighbours }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chemistry::smiles::parse;

    fn line(molecule: &SmallMolecule) -> Vec<Vec3> {
        (0..molecule.atoms.len()).map(|index| Vec3::new(index as f32 * 1.4, (index % 2) as f32, 0.0)).collect()
    }

    fn permuted(positions: &[Vec3], order: &[usize]) -> Vec<Vec3> {
        order.iter().map(|&index| positions[index]).collect()
    }

    #[test]
    fn symmetric_atoms_may_trade_places() {
        let toluene = parse("Cc1ccccc1").unwrap();
        let pose = line(&toluene);
        // The ring turned over: 2-6, 3-5.
        let turned = permuted(&pose, &[0, 1, 6, 5, 4, 3, 2]);
        assert_eq!(symmetric_rmsd(&toluene, &pose, &toluene, &turned), Some(0.0));
        let acid = parse("CCC(=O)O").unwrap();
        let pose = line(&acid);
        assert_eq!(symmetric_rmsd(&acid, &pose, &acid, &permuted(&pose, &[0, 1, 2, 4, 3])), Some(0.0));
        let ester = parse("CC(=O)OC").unwrap();
        let pose = line(&ester);
        assert!(symmetric_rmsd(&ester, &pose, &ester, &permuted(&pose, &[4, 1, 2, 3, 0])).unwrap() > 1.0);
    }

    #[test]
    fn a_shift_is_not_superposed_away() {
        let molecule = parse("c1ccccc1CC(F)(F)F").unwrap();
        let pose = line(&molecule);
        let moved: Vec<Vec3> = pose.iter().map(|position| *position + Vec3::new(0.0, 0.0, 2.0)).collect();
        assert!((symmetric_rmsd(&molecule, &pose, &molecule, &moved).unwrap() - 2.0).abs() < 1e-5);
    }

    #[test]
    fn order_hydrogens_and_drawn_form_do_not_matter() {
        let one = parse("OC(=O)c1ccc(F)cc1").unwrap();
        let other = parse("FC1=CC=C(C([O-])=O)C=C1").unwrap();
        let pose = line(&one);
        let order = [7, 6, 5, 4, 3, 1, 0, 2, 9, 8];
        let again = permuted(&pose, &order);
        assert_eq!(symmetric_rmsd(&one, &pose, &other, &again), Some(0.0));
        let full = crate::chemistry::add_hydrogens(&one).unwrap();
        let mut longer = pose.clone();
        longer.resize(full.atoms.len(), Vec3::splat(50.0));
        assert_eq!(symmetric_rmsd(&full, &longer, &other, &again), Some(0.0));
    }

    #[test]
    fn other_molecules_are_refused() {
        let (a, b) = (parse("CCO").unwrap(), parse("CCN").unwrap());
        assert_eq!(symmetric_rmsd(&a, &line(&a), &b, &line(&b)), None);
        let (a, b) = (parse("CCCC").unwrap(), parse("CC(C)C").unwrap());
        assert_eq!(symmetric_rmsd(&a, &line(&a), &b, &line(&b)), None);
        assert_eq!(symmetric_rmsd(&a, &[], &a, &line(&a)), None);
    }

    /// Pairs by RDKit with its own RMSD and that of spyrmsd: see `tests/oracle/ligand_rmsd.py`.
    #[test]
    fn the_reference_programs_agree() {
        let molecules = crate::formats::sdf::read(include_str!("../../tests/data/rmsd.sdf").as_bytes()).molecules;
        assert!(molecules.len() >= 40);
        for pair in molecules.chunks_exact(2) {
            let found = symmetric_rmsd(&pair[0], &pair[0].conformers[0], &pair[1], &pair[1].conformers[0]).unwrap();
            for key in ["rdkit_rms", "spyrmsd"] {
                let wanted: f32 = pair[0].property(key).unwrap().parse().unwrap();
                assert!((found - wanted).abs() < 2e-4, "{}: {found}, {key} {wanted}", pair[0].name);
            }
        }
    }

    /// Cages, dendrimers and rings of one element: bounded by steps, and the identity is found at once.
    #[test]
    fn monsters_of_symmetry_end() {
        let fullerene = "c12c3c4c5c1c1c6c7c2c2c8c3c3c9c4c4c%10c5c5c1c1c6c6c%11c7c2c2c7c8c3c3c8c9c4c4c9c%10c5c5c1c1c6c6c%11c2c2c7c3c3c8c4c4c9c5c1c1c6c2c3c41";
        let dendrimer = format!("C({0})({0})({0}){0}", "CC(C(C)(C)C)(C(C)(C)C)C(C)(C)C");
        for text in [fullerene.to_owned(), dendrimer, format!("C1{}1", "C".repeat(99)), "C.".repeat(60) + "C"] {
            let molecule = parse(&text).unwrap();
            let matched = LigandRmsd::new(&molecule, &molecule).unwrap();
            let pose = line(&molecule);
            assert_eq!(matched.rmsd(&pose, &pose), Some(0.0), "{text}");
            let other: Vec<Vec3> = pose.iter().map(|place| Vec3::new(place.y, -place.x * 0.3, place.x)).collect();
            assert!(matched.rmsd(&pose, &other).is_some(), "{text}");
        }
    }

    #[test]
    fn many_symmetries_are_no_trouble() {
        // 6^6 * 2^6 * 6! ways and more.
        let molecule =
            parse("CC(C)(C)c1cc(C(C)(C)C)cc(c1)P(c1cc(C(C)(C)C)cc(C(C)(C)C)c1)c1cc(C(C)(C)C)cc(C(C)(C)C)c1").unwrap();
        let pose = line(&molecule);
        let matched = LigandRmsd::new(&molecule, &molecule).unwrap();
        assert_eq!(matched.rmsd(&pose, &pose), Some(0.0));
        let mut reversed = pose.clone();
        reversed.reverse();
        assert!(matched.rmsd(&pose, &reversed).is_some());
    }
}
