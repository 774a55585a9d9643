//! The part that a ligand shares with a reference whose pose is known, and where its atoms are to be held.
//!
//! The largest connected common subgraph of the heavy atoms (McGregor, Softw. Pract. Exp. 1982, 12, 23): atoms agree in
//! element and in whether they are in a ring, bonds in order or in being aromatic. Pairs of atoms grow from a first pair
//! along bonds; a branch is given up when what is left cannot equal the best. Analogues of one series are found at once;
//! a bound of steps keeps strange pairs from taking for ever, and then the best found so far counts.
//!
//! A symmetric ring lies on the reference's in several ways, and only some leave room for a substituent. So all ways are
//! kept that bring the atoms which carry what is not shared to different places.

use glam::Vec3;
use kfold_molecule::chemistry::{ChemistryError, perceive};
use kfold_molecule::{BondOrder, Element, SmallMolecule};

/// Pairs tried at most.
const MOST_STEPS: usize = 200_000;

/// Ways to lay the ligand on the reference that are kept.
const MOST_WAYS: usize = 8;

/// Heavy atoms that a scaffold has at least: fewer do not tell where a ligand goes.
const LEAST_ATOMS: usize = 6;

/// Why no scaffold can be held.
#[derive(Debug, thiserror::Error)]
pub enum ScaffoldError {
    /// A molecule breaks the rules of valence.
    #[error(transparent)]
    Chemistry(#[from] ChemistryError),
    /// Too little in common.
    #[error(
        "it shares only {shared} connected heavy atoms with the reference ligand, and {LEAST_ATOMS} are needed to hold it \
         there; dock it without holding the scaffold"
    )]
    TooSmall {
        /// Heavy atoms in common.
        shared: usize,
    },
    /// The reference has no place.
    #[error("the reference ligand has no coordinates")]
    NoCoordinates,
}

/// Ways to lay a ligand on a reference: for each the ligand's heavy atoms, by index, that the reference has too, with their
/// places there in Å.
///
/// # Errors
/// When the two share too little.
pub fn common_scaffold(
    ligand: &SmallMolecule,
    reference: &SmallMolecule,
) -> Result<Vec<Vec<(u32, Vec3)>>, ScaffoldError> {
    let places = reference.conformers.first().ok_or(ScaffoldError::NoCoordinates)?;
    let (a, b) = (Graph::new(ligand)?, Graph::new(reference)?);
    let ways = Search::new(&a, &b).run();
    let shared = ways.first().map_or(0, Vec::len);
    if shared < LEAST_ATOMS {
        return Err(ScaffoldError::TooSmall { shared });
    }
    let placed = |&(first, second): &(usize, usize)| {
        let place = places.get(b.atoms[second] as usize).copied().ok_or(ScaffoldError::NoCoordinates)?;
        Ok((a.atoms[first], place))
    };
    ways.iter().map(|way| way.iter().map(placed).collect()).collect()
}

/// Heavy atoms with labels.
struct Graph {
    /// Index in the molecule.
    atoms: Vec<u32>,
    labels: Vec<(Element, bool)>,
    /// Neighbours with the label of the bond.
    neighbours: Vec<Vec<(usize, u8)>>,
}

impl Graph {
    fn new(molecule: &SmallMolecule) -> Result<Self, ChemistryError> {
        let mut bare = molecule.clone();
        bare.conformers.clear();
        let perception = perceive(&bare)?;
        let molecule = &perception.molecule;
        let atoms: Vec<u32> = (0..molecule.atoms.len() as u32)
            .filter(|&atom| molecule.atoms[atom as usize].element != Element::H)
            .collect();
        let mut place = vec![usize::MAX; molecule.atoms.len()];
        atoms.iter().enumerate().for_each(|(index, &atom)| place[atom as usize] = index);
        let is_in_ring = |atom: u32| perception.rings.iter().any(|ring| ring.contains(&atom));
        let labels = atoms.iter().map(|&atom| (molecule.atoms[atom as usize].element, is_in_ring(atom))).collect();
        let mut neighbours = vec![Vec::new(); atoms.len()];
        for (bond, &is_aromatic) in molecule.bonds.iter().zip(&perception.aromatic_bonds) {
            let label = match bond.order {
                _ if is_aromatic => 0,
                BondOrder::Aromatic => 0,
                BondOrder::Single => 1,
                BondOrder::Double => 2,
                BondOrder::Triple => 3,
                BondOrder::Coordination => 4,
            };
            let (a, b) = (place[bond.a as usize], place[bond.b as usize]);
            if a != usize::MAX && b != usize::MAX {
                neighbours[a].push((b, label));
                neighbours[b].push((a, label));
            }
        }
        Ok(Self { atoms, labels, neighbours })
    }
}

/// What became of an atom of the first graph.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Open,
    Paired(usize),
    LeftOut,
}

struct Search<'a> {
    a: &'a Graph,
    b: &'a Graph,
    fates: Vec<Fate>,
    taken: Vec<bool>,
    paired: usize,
    /// The largest sets of pairs so far, all of one size.
    best: Vec<Vec<(usize, usize)>>,
    steps: usize,
}

impl<'a> Search<'a> {
    fn new(a: &'a Graph, b: &'a Graph) -> Self {
        let (fates, taken) = (vec![Fate::Open; a.atoms.len()], vec![false; b.atoms.len()]);
        Self { a, b, fates, taken, paired: 0, best: Vec::new(), steps: 0 }
    }

    /// The largest sets of pairs of indices into the two graphs.
    fn run(mut self) -> Vec<Vec<(usize, usize)>> {
        // Well-connected atoms first: they are likely in the scaffold, and once tried they are left out for good.
        let mut seeds: Vec<usize> = (0..self.a.atoms.len()).collect();
        seeds.sort_by_key(|&atom| std::cmp::Reverse(self.a.neighbours[atom].len()));
        for first in seeds {
            for second in 0..self.b.atoms.len() {
                if self.a.labels[first] == self.b.labels[second] {
                    self.pair(first, second);
                    self.grow();
                    self.part(first, second);
                }
            }
            self.fates[first] = Fate::LeftOut;
            if self.steps >= MOST_STEPS {
                break;
            }
        }
        self.best
    }

    fn pair(&mut self, first: usize, second: usize) {
        self.fates[first] = Fate::Paired(second);
        self.taken[second] = true;
        self.paired += 1;
    }

    fn part(&mut self, first: usize, second: usize) {
        self.fates[first] = Fate::Open;
        self.taken[second] = false;
        self.paired -= 1;
    }

    fn grow(&mut self) {
        self.steps += 1;
        let largest = self.best.first().map_or(0, Vec::len);
        if self.paired > largest {
            self.best = vec![self.pairs()];
        } else if self.paired == largest && self.best.len() < MOST_WAYS {
            let pairs = self.pairs();
            let carriers = self.carriers(&pairs);
            if self.best.iter().all(|known| self.carriers(known) != carriers) {
                self.best.push(pairs);
            }
        }
        if self.steps >= MOST_STEPS || self.paired + self.most_left() < self.best.first().map_or(0, Vec::len) {
            return;
        }
        let Some((first, partners)) = self.next() else { return };
        for second in partners {
            self.pair(first, second);
            self.grow();
            self.part(first, second);
        }
        self.fates[first] = Fate::LeftOut;
        self.grow();
        self.fates[first] = Fate::Open;
    }

    fn pairs(&self) -> Vec<(usize, usize)> {
        let paired = |(first, fate): (usize, &Fate)| match fate {
            Fate::Paired(second) => Some((first, *second)),
            _ => None,
        };
        self.fates.iter().enumerate().filter_map(paired).collect()
    }

    /// The pairs whose atom carries something that is not shared.
    fn carriers(&self, pairs: &[(usize, usize)]) -> Vec<(usize, usize)> {
        let is_shared = |atom: usize| pairs.iter().any(|&(first, _)| first == atom);
        let carries = |first: usize| self.a.neighbours[first].iter().any(|&(other, _)| !is_shared(other));
        pairs.iter().copied().filter(|&(first, _)| carries(first)).collect()
    }

    /// Pairs that could still be made by labels alone.
    fn most_left(&self) -> usize {
        let mut free: Vec<(Element, bool)> =
            (0..self.b.atoms.len()).filter(|&atom| !self.taken[atom]).map(|atom| self.b.labels[atom]).collect();
        let open = (0..self.a.atoms.len()).filter(|&atom| self.fates[atom] == Fate::Open);
        open.filter(|&atom| {
            let label = self.a.labels[atom];
            free.iter().position(|other| *other == label).map(|place| free.swap_remove(place)).is_some()
        })
        .count()
    }

    /// An open atom beside a paired one, with all it could be paired with.
    fn next(&self) -> Option<(usize, Vec<usize>)> {
        let (atom, _) = self.fates.iter().enumerate().find(|&(atom, &fate)| {
            fate == Fate::Open
                && self.a.neighbours[atom].iter().any(|&(other, _)| matches!(self.fates[other], Fate::Paired(_)))
        })?;
        let mut partners = Vec::new();
        for &(other, label) in &self.a.neighbours[atom] {
            let Fate::Paired(there) = self.fates[other] else { continue };
            for &(candidate, its_label) in &self.b.neighbours[there] {
                if label == its_label
                    && !self.taken[candidate]
                    && self.a.labels[atom] == self.b.labels[candidate]
                    && !partners.contains(&candidate)
                    && self.agrees(atom, candidate)
                {
                    partners.push(candidate);
                }
            }
        }
        Some((atom, partners))
    }

    /// Whether every bond to a paired atom is there on both sides.
    fn agrees(&self, first: usize, second: usize) -> bool {
        self.a.neighbours[first].iter().all(|&(other, label)| match self.fates[other] {
            Fate::Paired(there) => self.b.neighbours[second].contains(&(there, label)),
            _ => true,
        })
    }
}

#[cfg(test)]
mod tests {
    use kfold_molecule::chemistry::smiles::parse;

    use super::*;

    /// Heavy atoms that two SMILES share; places are the atoms' own numbers.
    fn ways(a: &str, b: &str) -> Result<Vec<Vec<(u32, Vec3)>>, ScaffoldError> {
        let mut reference = parse(b).unwrap();
        reference.conformers = vec![(0..reference.atoms.len()).map(|atom| Vec3::splat(atom as f32)).collect()];
        common_scaffold(&parse(a).unwrap(), &reference)
    }

    fn shared(a: &str, b: &str) -> Result<Vec<(u32, Vec3)>, ScaffoldError> {
        ways(a, b).map(|mut ways| ways.swap_remove(0))
    }

    #[test]
    fn a_substituent_may_point_to_either_side() {
        // meta-Chlorobenzamide on benzamide: two ways round; para-chlorobenzamide and benzamide itself: one.
        assert_eq!(ways("Clc1cccc(c1)C(N)=O", "NC(=O)c1ccccc1").unwrap().len(), 2);
        assert_eq!(ways("Clc1ccc(cc1)C(N)=O", "NC(=O)c1ccccc1").unwrap().len(), 1);
        assert_eq!(ways("NC(=O)c1ccccc1", "NC(=O)c1ccccc1").unwrap().len(), 1);
    }

    #[test]
    fn analogues_share_their_core() {
        // Benzamides: seven ring and amide atoms with the amide's oxygen and nitrogen are nine.
        let found = shared("Clc1ccc(cc1)C(=O)NCC", "NC(=O)c1ccccc1").unwrap();
        assert_eq!(found.len(), 9);
        assert!(found.iter().all(|(atom, _)| *atom != 0));
        // A molecule with itself, in another order.
        let all = shared("CC(=O)Nc1ccc(O)cc1", "c1cc(NC(C)=O)ccc1O").unwrap();
        assert_eq!(all.len(), 11);
        let mut places: Vec<u32> = all.iter().map(|(_, place)| place.x as u32).collect();
        places.sort_unstable();
        assert_eq!(places, (0..11).collect::<Vec<u32>>());
    }

    #[test]
    fn rings_only_match_rings_and_too_little_is_refused() {
        let error = shared("CCCCCCCC", "C1CCCCC1").unwrap_err();
        assert!(error.to_string().contains("only 0 connected heavy atoms"), "{error}");
        assert!(shared("c1ccccc1", "C1CCCCC1").is_err());
    }

    #[test]
    fn large_symmetric_pairs_end() {
        let cage = "C12C3C4C1C5C2C3C45";
        assert_eq!(shared(cage, cage).unwrap().len(), 8);
        let chain = "C".repeat(60);
        assert!(shared(&chain, &chain).unwrap().len() > 50);
    }
}
