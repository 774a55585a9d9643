//! Numbers and roles that describe a molecule.
//!
//! The numbers of [`Descriptors`] follow RDKit's definitions, so that they compare with what people have in their
//! tables: logP after Wildman & Crippen (J. Chem. Inf. Comput. Sci. 1999, 39, 868), TPSA after Ertl et al. (J. Med.
//! Chem. 2000, 43, 3714, nitrogen and oxygen only), donor and acceptor counts and rotatable bonds by its patterns.
//!
//! The flags of [`Roles`] answer another question, which atom can do what in a binding site, and so may count otherwise:
//! an aniline nitrogen, for one, has no lone pair to offer and is no acceptor here.

use cosmolkit as kit;
use serde::{Deserialize, Serialize};

use super::ChemistryError;
use super::perception::{Hybridisation, Perception, perceive};
use super::toolkit::{explain, into_toolkit};
use crate::{BondOrder, Element, SmallMolecule};

/// Numbers that describe a whole molecule.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Descriptors {
    /// Formula in Hill order with the net charge, e.g. `C8H9NO2`.
    pub formula: String,
    /// Average molecular weight in g/mol.
    pub molecular_weight: f64,
    /// Atoms that are not hydrogen.
    pub heavy_atoms: u32,
    /// Calculated octanol-water partition coefficient, log10.
    pub log_p: f64,
    /// Topological polar surface area in Å².
    pub tpsa: f64,
    /// Hydrogen-bond donors.
    pub donors: u32,
    /// Hydrogen-bond acceptors.
    pub acceptors: u32,
    /// Rotatable bonds (amides and the like not counted).
    pub rotatable_bonds: u32,
    /// Quantitative estimate of drug-likeness, 0 to 1 (Bickerton et al., Nat. Chem. 2012, 4, 90; mean weights).
    #[serde(default)]
    pub qed: f64,
    /// Rings (smallest set).
    pub rings: u32,
    /// Aromatic rings.
    pub aromatic_rings: u32,
    /// Net charge in elementary charges.
    pub charge: i32,
    /// Stereocentres and double bonds of known configuration.
    pub known_stereo: u32,
    /// Stereocentres and double bonds whose configuration is left open.
    pub open_stereo: u32,
}

/// Describes a molecule.
///
/// # Errors
/// When the molecule is empty, too large, or breaks the rules of valence.
pub fn describe(molecule: &SmallMolecule) -> Result<Descriptors, ChemistryError> {
    let perception = perceive(molecule)?;
    let (mut bare, _) = super::remove_hydrogens(&perception.molecule);
    // A label, not a mass.
    for atom in bare.atoms.iter_mut().filter(|atom| atom.element == Element::UNKNOWN) {
        atom.isotope = None;
    }
    let sanitised = into_toolkit(&bare)?;
    numbers(&sanitised, &perception)
        .map_err(|error| ChemistryError::Invalid { name: molecule.name.clone(), reason: explain(&error).reason })
}

fn numbers(sanitised: &kit::Molecule, perception: &Perception) -> Result<Descriptors, kit::DescriptorReadError> {
    Ok(Descriptors {
        formula: sanitised.molecular_formula()?,
        molecular_weight: sanitised.molecular_weight()?,
        heavy_atoms: perception.molecule.heavy_atom_count() as u32,
        log_p: sanitised.crippen_descriptors()?.logp,
        tpsa: sanitised.tpsa()?,
        donors: sanitised.num_hbd()?,
        acceptors: sanitised.num_hba()?,
        rotatable_bonds: sanitised.num_rotatable_bonds()?,
        qed: sanitised.qed()?,
        rings: sanitised.num_rings()?,
        aromatic_rings: sanitised.num_aromatic_rings()?,
        charge: perception.molecule.atoms.iter().map(|atom| i32::from(atom.formal_charge)).sum(),
        known_stereo: perception.molecule.stereo.len() as u32,
        open_stereo: perception.open_stereo.len() as u32,
    })
}

/// What each atom can do in a binding site, one entry an atom.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Roles {
    /// N, O or S that carries a hydrogen to give.
    pub donors: Vec<bool>,
    /// N, O or S with a lone pair to take one: not amide, aniline, pyrrole or cationic nitrogen, not oxygen or sulfur of
    /// an aromatic ring.
    pub acceptors: Vec<bool>,
}

/// Finds donors and acceptors.
#[must_use]
pub fn roles(perception: &Perception) -> Roles {
    let molecule = &perception.molecule;
    let neighbours = molecule.neighbours();
    let donors = molecule
        .atoms
        .iter()
        .zip(&perception.hydrogens)
        .map(|(atom, &hydrogens)| hydrogens > 0 && matches!(atom.element, Element::N | Element::O | Element::S))
        .collect();
    let acceptors = (0..molecule.atoms.len())
        .map(|index| {
            let atom = &molecule.atoms[index];
            if atom.formal_charge > 0 {
                return false;
            }
            let connections = neighbours[index].len() + usize::from(perception.implied_hydrogens[index]);
            match atom.element {
                Element::N => match perception.hybridisation[index] {
                    // Three connections in a plane: the lone pair is conjugated.
                    Hybridisation::Sp2 => connections < 3,
                    Hybridisation::Sp => connections == 1,
                    _ => connections < 4,
                },
                Element::O => !perception.aromatic_atoms[index],
                Element::S => !perception.aromatic_atoms[index] && connections <= 2,
                _ => false,
            }
        })
        .collect();
    Roles { donors, acceptors }
}

/// A bond about which the molecule can turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RotatableBond {
    /// Index into the molecule's bonds.
    pub bond: u32,
    /// C-N of an amide, thioamide, amidine or guanidine: partly a double bond, kept fixed by AutoDock's convention.
    pub is_amide: bool,
    /// One end continues in a straight line (nitrile, alkyne with nothing behind it): turning moves no heavy atom.
    pub is_linear: bool,
}

/// Single bonds outside rings whose two ends each have a further heavy atom, with the flags by which a search decides
/// which to turn. Bonds to metals are not among them.
#[must_use]
pub fn rotatable_bonds(perception: &Perception) -> Vec<RotatableBond> {
    let molecule = &perception.molecule;
    let neighbours = molecule.neighbours();
    let element = |atom: u32| molecule.atoms[atom as usize].element;
    let heavy_around =
        |atom: u32| neighbours[atom as usize].iter().filter(|(next, _)| element(*next) != Element::H).count();
    // A double bond to N, O or S that is not part of an aromatic ring.
    let is_carbonyl_like = |atom: u32| {
        element(atom) == Element::C
            && neighbours[atom as usize].iter().any(|&(next, bond)| {
                molecule.bonds[bond as usize].order == BondOrder::Double
                    && !perception.aromatic_bonds[bond as usize]
                    && matches!(element(next), Element::O | Element::N | Element::S)
            })
    };
    let is_planar_nitrogen = |atom: u32| {
        element(atom) == Element::N
            && !perception.aromatic_atoms[atom as usize]
            && neighbours[atom as usize].len() + usize::from(perception.implied_hydrogens[atom as usize]) == 3
    };
    let ends_straight = |atom: u32, from: u32| {
        perception.hybridisation[atom as usize] == Hybridisation::Sp
            && neighbours[atom as usize].iter().all(|&(next, _)| next == from || heavy_around(next) == 1)
    };
    let mut found = Vec::new();
    for (index, bond) in molecule.bonds.iter().enumerate() {
        if bond.order != BondOrder::Single
            || perception.ring_bonds[index]
            || perception.aromatic_bonds[index]
            || heavy_around(bond.a) < 2
            || heavy_around(bond.b) < 2
        {
            continue;
        }
        found.push(RotatableBond {
            bond: index as u32,
            is_amide: (is_carbonyl_like(bond.a) && is_planar_nitrogen(bond.b))
                || (is_carbonyl_like(bond.b) && is_planar_nitrogen(bond.a)),
            is_linear: ends_straight(bond.a, bond.b) || ends_straight(bond.b, bond.a),
        });
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chemistry::smiles;

    fn roles_of(text: &str) -> (Vec<usize>, Vec<usize>) {
        let roles = roles(&smiles::perceive(text).unwrap());
        let list = |flags: &[bool]| (0..flags.len()).filter(|&atom| flags[atom]).collect();
        (list(&roles.donors), list(&roles.acceptors))
    }

    #[test]
    fn donors_and_acceptors_by_lone_pairs() {
        assert_eq!(roles_of("CC(=O)Nc1ccc(O)cc1"), (vec![3, 8], vec![2, 8]), "paracetamol");
        assert_eq!(roles_of("c1ccncc1"), (vec![], vec![3]), "pyridine");
        assert_eq!(roles_of("c1cc[nH]c1"), (vec![3], vec![]), "pyrrole");
        assert_eq!(roles_of("Nc1ccccc1"), (vec![0], vec![]), "aniline");
        assert_eq!(roles_of("CN(C)C"), (vec![], vec![1]), "trimethylamine");
        assert_eq!(roles_of("C[NH3+]"), (vec![1], vec![]), "methylammonium");
        assert_eq!(roles_of("CC#N"), (vec![], vec![2]), "acetonitrile");
        assert_eq!(roles_of("CC(=O)[O-]"), (vec![], vec![2, 3]), "acetate");
    }

    #[test]
    fn rotatable_bonds_and_their_flags() {
        let of = |text: &str| {
            let found = rotatable_bonds(&smiles::perceive(text).unwrap());
            (
                found.iter().filter(|bond| !bond.is_amide && !bond.is_linear).count(),
                found.iter().filter(|bond| bond.is_amide).count(),
                found.iter().filter(|bond| bond.is_linear).count(),
            )
        };
        assert_eq!(of("CC"), (0, 0, 0));
        assert_eq!(of("CCCC"), (1, 0, 0));
        assert_eq!(of("CCO"), (0, 0, 0), "turning the hydroxyl moves no heavy atom");
        assert_eq!(of("CCC(=O)NCC"), (2, 1, 0));
        assert_eq!(of("c1ccccc1-c1ccccc1"), (1, 0, 0));
        assert_eq!(of("CCC#N"), (0, 0, 1));
        assert_eq!(of("CC(C)NC(=N)NC"), (1, 2, 0), "guanidine");
        assert_eq!(of("c1ccncc1Nc1ccccc1"), (2, 0, 0), "an aminopyridine turns");
        assert_eq!(of("C1CCCCC1C(=O)N1CCCC1"), (1, 1, 0));
    }
}
