//! Types of a small molecule's atoms, from its graph.

use kfold_molecule::{BondOrder, Element, SmallMolecule};

use super::AtomType;

/// Why a molecule has no types.
#[derive(Debug, thiserror::Error)]
pub enum TypingError {
    /// An element that the functions have no constants for.
    #[error(
        "the ligand's atom {atom} is {element}: docking has parameters for H, B, C, N, O, F, Si, P, S, Cl, As, Se, Br and I \
         in ligands (metals belong to the receptor's file)"
    )]
    Element {
        /// Number of the atom, from 1.
        atom: usize,
        /// Its element.
        element: &'static str,
    },
    /// Nothing to dock.
    #[error("the ligand has no atoms other than hydrogen")]
    Empty,
}

/// The type of each atom; `None` for hydrogens. Hydrogens may be atoms or implied by valence.
///
/// # Errors
/// For elements without parameters and for molecules without heavy atoms.
pub fn ligand_types(molecule: &SmallMolecule) -> Result<Vec<Option<AtomType>>, TypingError> {
    let neighbours = molecule.neighbours();
    let types = (0..molecule.atoms.len())
        .map(|atom| {
            let surroundings = Surroundings::new(molecule, &neighbours, atom);
            Ok(Some(match molecule.atoms[atom].element {
                Element::H => return Ok(None),
                Element::C if surroundings.has_heteroatom => AtomType::CarbonPolar,
                Element::C => AtomType::CarbonHydrophobic,
                Element::N => {
                    let lone_pair = nitrogen_has_free_lone_pair(molecule, &neighbours, atom, &surroundings);
                    AtomType::nitrogen(surroundings.hydrogens > 0, lone_pair)
                }
                Element::O => AtomType::oxygen(surroundings.hydrogens > 0),
                Element::S | Element::SE => AtomType::Sulfur,
                Element::P | Element::AS => AtomType::Phosphorus,
                Element::F => AtomType::Fluorine,
                Element::CL => AtomType::Chlorine,
                Element::BR => AtomType::Bromine,
                Element::I => AtomType::Iodine,
                Element::SI => AtomType::Silicon,
                Element::B => AtomType::Boron,
                other => return Err(TypingError::Element { atom: atom + 1, element: other.symbol() }),
            }))
        })
        .collect::<Result<Vec<_>, _>>()?;
    if types.iter().all(Option::is_none) {
        return Err(TypingError::Empty);
    }
    Ok(types)
}

/// What the bonds of one atom say.
struct Surroundings {
    heavy: usize,
    hydrogens: usize,
    has_heteroatom: bool,
    /// Double, triple or aromatic bonds.
    multiple_bonds: usize,
}

impl Surroundings {
    fn new(molecule: &SmallMolecule, neighbours: &[Vec<(u32, u32)>], atom: usize) -> Self {
        let mut surroundings = Self { heavy: 0, hydrogens: 0, has_heteroatom: false, multiple_bonds: 0 };
        let mut order_twice = 0;
        for &(other, bond) in &neighbours[atom] {
            let element = molecule.atoms[other as usize].element;
            if element == Element::H {
                surroundings.hydrogens += 1;
                order_twice += 2;
                continue;
            }
            surroundings.heavy += 1;
            surroundings.has_heteroatom |= element != Element::C;
            let order = molecule.bonds[bond as usize].order;
            order_twice += match order {
                BondOrder::Single => 2,
                BondOrder::Aromatic => 3,
                BondOrder::Double => 4,
                BondOrder::Triple => 6,
                BondOrder::Coordination => 0,
            };
            surroundings.multiple_bonds +=
                usize::from(matches!(order, BondOrder::Double | BondOrder::Triple | BondOrder::Aromatic));
        }
        let charge = i32::from(molecule.atoms[atom].formal_charge);
        let valence = match molecule.atoms[atom].element {
            Element::N => 3 + charge,
            Element::O => 2 + charge,
            _ => 0,
        };
        surroundings.hydrogens += (2 * valence - order_twice).max(0) as usize / 2;
        surroundings
    }

    fn connections(&self) -> usize {
        self.heavy + self.hydrogens
    }
}

/// Nitrogens take hydrogen bonds unless they are charged or their lone pair is part of a pi system: three neighbours,
/// one of them an sp2 carbon (amides, anilines, pyrroles) or a doubly bonded nitrogen (azoles, triazenes).
fn nitrogen_has_free_lone_pair(
    molecule: &SmallMolecule,
    neighbours: &[Vec<(u32, u32)>],
    atom: usize,
    surroundings: &Surroundings,
) -> bool {
    if molecule.atoms[atom].formal_charge > 0 || surroundings.connections() > 3 {
        return false;
    }
    if surroundings.connections() < 3 {
        return true;
    }
    // Nitro groups drawn with two double bonds have no lone pair either.
    if neighbours[atom].iter().any(|&(_, bond)| molecule.bonds[bond as usize].order == BondOrder::Double) {
        return false;
    }
    !neighbours[atom].iter().any(|&(other, _)| {
        let other = other as usize;
        let others = Surroundings::new(molecule, neighbours, other);
        match molecule.atoms[other].element {
            Element::C => {
                let is_triple_or_cumulated = neighbours[other]
                    .iter()
                    .map(|&(_, bond)| match molecule.bonds[bond as usize].order {
                        BondOrder::Double => 1,
                        BondOrder::Triple => 2,
                        _ => 0,
                    })
                    .sum::<i32>()
                    > 1;
                others.multiple_bonds > 0 && !is_triple_or_cumulated
            }
            Element::N => others.connections() == 2 && others.multiple_bonds > 0,
            _ => false,
        }
    })
}

#[cfg(test)]
mod tests {
    use kfold_molecule::{Bond, SmallMoleculeAtom};
    use smol_str::SmolStr;

    use super::*;

    fn molecule(atoms: &[(Element, i8)], bonds: &[(u32, u32, BondOrder)]) -> SmallMolecule {
        SmallMolecule {
            atoms: atoms
                .iter()
                .map(|&(element, formal_charge)| SmallMoleculeAtom {
                    element,
                    formal_charge,
                    isotope: None,
                    fixed_hydrogens: None,
                    name: SmolStr::default(),
                })
                .collect(),
            bonds: bonds.iter().map(|&(a, b, order)| Bond::new(a, b, order)).collect(),
            ..SmallMolecule::default()
        }
    }

    fn types(atoms: &[(Element, i8)], bonds: &[(u32, u32, BondOrder)]) -> Vec<AtomType> {
        ligand_types(&molecule(atoms, bonds)).unwrap().into_iter().flatten().collect()
    }

    use AtomType as T;
    use BondOrder::{Double, Single, Triple};
    const C: (Element, i8) = (Element::C, 0);
    const N: (Element, i8) = (Element::N, 0);
    const O: (Element, i8) = (Element::O, 0);

    #[test]
    fn amides_and_amines() {
        // CC(=O)NC
        let amide = types(&[C, C, O, N, C], &[(0, 1, Single), (1, 2, Double), (1, 3, Single), (3, 4, Single)]);
        let expected = [T::CarbonHydrophobic, T::CarbonPolar, T::OxygenAcceptor, T::NitrogenDonor, T::CarbonPolar];
        assert_eq!(amide, expected);
        // CN, with its hydrogens implied, and protonated
        assert_eq!(types(&[C, N], &[(0, 1, Single)])[1], T::NitrogenDonorAcceptor);
        assert_eq!(types(&[C, (Element::N, 1)], &[(0, 1, Single)])[1], T::NitrogenDonor);
        // CN(C)C
        let tertiary = types(&[C, N, C, C], &[(0, 1, Single), (1, 2, Single), (1, 3, Single)]);
        assert_eq!(tertiary[1], T::NitrogenAcceptor);
        // CC#N
        assert_eq!(types(&[C, C, N], &[(0, 1, Single), (1, 2, Triple)])[2], T::NitrogenAcceptor);
    }

    #[test]
    fn imidazole_and_triazole() {
        // C1=CNC=N1
        let ring = [(0, 1, Double), (1, 2, Single), (2, 3, Single), (3, 4, Double), (0, 4, Single)];
        let imidazole = types(&[C, C, N, C, N], &ring);
        assert_eq!((imidazole[2], imidazole[4]), (T::NitrogenDonor, T::NitrogenAcceptor));
        // C1=NNN=C1
        let ring = [(0, 1, Double), (1, 2, Single), (2, 3, Single), (3, 4, Double), (0, 4, Single)];
        let triazole = types(&[C, N, N, N, C], &ring);
        assert_eq!(triazole[1..4], [T::NitrogenAcceptor, T::NitrogenDonor, T::NitrogenAcceptor]);
    }

    #[test]
    fn acids_and_hydroxyls() {
        // OC(=O)C[O-]
        let bonds = [(0, 1, Single), (1, 2, Double), (1, 3, Single), (3, 4, Single)];
        let acid = types(&[O, C, O, C, (Element::O, -1)], &bonds);
        assert_eq!((acid[0], acid[2], acid[4]), (T::OxygenDonorAcceptor, T::OxygenAcceptor, T::OxygenAcceptor));
    }

    #[test]
    fn metals_are_refused() {
        let error = ligand_types(&molecule(&[(Element::FE, 0)], &[])).unwrap_err();
        assert!(error.to_string().contains("atom 1 is Fe"), "{error}");
        assert!(matches!(ligand_types(&molecule(&[(Element::H, 0)], &[])), Err(TypingError::Empty)));
    }
}
