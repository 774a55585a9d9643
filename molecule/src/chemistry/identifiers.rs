//! Names that a machine can compare: InChI, InChIKey, and the Murcko scaffold. (The canonical SMILES is with the SMILES.)
//!
//! InChI by the official algorithm (Heller et al., J. Cheminf. 2015, 7, 23) in `cosmolkit`'s translation of it, standard
//! form, as RDKit calls it. The scaffold after Bemis & Murcko, J. Med. Chem. 1996, 39, 2887, as RDKit draws it: rings, the
//! chains between them, and what is double-bonded to either.

use super::hydrogens::{remove_hydrogens, select};
use super::perception::perceive;
use super::smiles::canonical_smiles;
use super::toolkit::{explain, into_toolkit};
use super::{ChemistryError, Perception};
use crate::{BondOrder, Element, SmallMolecule};

/// The standard InChI with its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inchi {
    /// The identifier, `InChI=1S/...`.
    pub text: String,
    /// Its hash of 27 characters.
    pub key: String,
}

/// The standard InChI of a molecule.
///
/// # Errors
/// When the molecule breaks the rules of valence, or when InChI has no form for it (atoms without element).
pub fn inchi(molecule: &SmallMolecule) -> Result<Inchi, ChemistryError> {
    let invalid = |reason: String| ChemistryError::Invalid { name: molecule.name.clone(), reason };
    if let Some(atom) = molecule.atoms.iter().position(|atom| atom.element == Element::UNKNOWN) {
        return Err(invalid(format!("atom {} stands for any atom, and InChI has no sign for that", atom + 1)));
    }
    let sanitised = into_toolkit(&perceive(molecule)?.molecule)?;
    let bare = sanitised.without_hydrogens().map_err(|error| invalid(explain(&error).reason))?;
    let text = bare.to_inchi().map_err(|error| invalid(format!("no InChI: {error}")))?;
    if text.is_empty() {
        return Err(invalid("InChI has no form for it".to_owned()));
    }
    let key = cosmolkit::inchi_to_key(&text).map_err(|error| invalid(format!("no InChIKey: {error}")))?;
    Ok(Inchi { text, key })
}

/// The Murcko scaffold as a canonical SMILES; empty for a molecule without rings.
///
/// # Errors
/// When the molecule breaks the rules of valence.
pub fn scaffold(molecule: &SmallMolecule) -> Result<String, ChemistryError> {
    let (bare, _) = remove_hydrogens(&perceive(molecule)?.molecule);
    let perception = perceive(&bare)?;
    let keep = scaffold_atoms(&perception);
    if !keep.contains(&true) {
        return Ok(String::new());
    }
    let (mut kept, _) = select(&perception.molecule, &keep);
    kept.conformers.clear();
    canonical_smiles(&kept)
}

fn scaffold_atoms(perception: &Perception) -> Vec<bool> {
    let molecule = &perception.molecule;
    let neighbours = molecule.neighbours();
    let mut is_ring = vec![false; molecule.atoms.len()];
    for ring in &perception.rings {
        for &atom in ring {
            is_ring[atom as usize] = true;
        }
    }
    // Ends that are not in rings fall off until none is left; what then is no ring lies between rings.
    let mut keep = vec![true; molecule.atoms.len()];
    let mut stack: Vec<usize> = (0..keep.len()).collect();
    while let Some(atom) = stack.pop() {
        let left = neighbours[atom].iter().filter(|(next, _)| keep[*next as usize]).count();
        if keep[atom] && !is_ring[atom] && left <= 1 {
            keep[atom] = false;
            stack.extend(neighbours[atom].iter().map(|(next, _)| *next as usize));
        }
    }
    let core = keep.clone();
    for bond in molecule.bonds.iter().filter(|bond| bond.order == BondOrder::Double) {
        let (a, b) = (bond.a as usize, bond.b as usize);
        keep[a] |= core[b];
        keep[b] |= core[a];
    }
    keep
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chemistry::smiles::parse;

    #[test]
    fn identifiers_of_known_molecules() {
        let found = inchi(&parse("CC(=O)Oc1ccccc1C(=O)O").unwrap()).unwrap();
        assert_eq!(found.text, "InChI=1S/C9H8O4/c1-6(10)13-8-5-3-2-4-7(8)9(11)12/h2-5H,1H3,(H,11,12)");
        assert_eq!(found.key, "BSYNRYMUTXBXSQ-UHFFFAOYSA-N");
        assert_eq!(inchi(&parse("C[C@H](N)C(=O)O").unwrap()).unwrap().key, "QNAYBMKLOCPYGJ-REOHCLBHSA-N");
        assert!(inchi(&parse("C*").unwrap()).unwrap_err().to_string().contains("any atom"));
    }

    #[test]
    fn scaffolds_are_rings_and_what_joins_them() {
        for (smiles, wanted) in [
            ("CCO", ""),
            ("Cc1ccccc1", "c1ccccc1"),
            ("CC1CC(=O)CCN1CCc1ccncc1", "O=C1CCN(CCc2ccncc2)CC1"),
            ("Cn1cccc1", "c1cc[nH]c1"),
        ] {
            assert_eq!(scaffold(&parse(smiles).unwrap()).unwrap(), wanted, "{smiles}");
        }
    }
}
