//! Hydrogens of a record where its atoms state them: by the valence field, or by a mark for unpaired electrons. Everywhere
//! else they follow from the usual valences.

use std::collections::BTreeMap;

use crate::chemistry::perceive;
use crate::small_molecule::SmallMolecule;
use crate::structure::BondOrder;

/// What the atoms of a record state, by atom index.
#[derive(Debug, Default)]
pub(super) struct Stated {
    valences: BTreeMap<usize, u32>,
    unpaired: BTreeMap<usize, u8>,
}

impl Stated {
    /// The valence field of V2000 (15 is none) and V3000 (-1 is none); 0 states nothing.
    pub(super) fn valence(&mut self, atom: usize, code: i32) {
        match code {
            1..=14 => self.valences.insert(atom, code as u32),
            15 | -1 => self.valences.insert(atom, 0),
            _ => None,
        };
    }

    /// The radical code: singlet and triplet have two unpaired electrons, the doublet one.
    pub(super) fn radical(&mut self, atom: usize, code: i32) {
        match code {
            1 | 3 => self.unpaired.insert(atom, 2),
            2 => self.unpaired.insert(atom, 1),
            _ => self.unpaired.remove(&atom),
        };
    }

    /// A radical line voids the marks of the atom block.
    pub(super) fn forget_radicals(&mut self) {
        self.unpaired.clear();
    }

    /// Notes on each atom the hydrogens that follow.
    pub(super) fn settle(self, molecule: &mut SmallMolecule) {
        let used = bonds_used(molecule);
        for (&atom, &valence) in &self.valences {
            // An aromatic bond is not a whole number of its own.
            let is_aromatic = used.get(atom).is_none_or(|used| used.is_aromatic);
            if let (false, Some(held)) = (is_aromatic, molecule.atoms.get_mut(atom)) {
                held.fixed_hydrogens = Some(valence.saturating_sub(used[atom].orders) as u8);
            }
        }
        let open: Vec<(usize, u8)> =
            self.unpaired.into_iter().filter(|(atom, _)| !self.valences.contains_key(atom)).collect();
        if open.is_empty() {
            return;
        }
        // The usual hydrogens less one for each unpaired electron. What breaks the rules of valence is told to whoever
        // does chemistry with it.
        let mut graph = molecule.clone();
        graph.conformers.clear();
        let Ok(perception) = perceive(&graph) else { return };
        for (atom, electrons) in open {
            if let Some(held) = molecule.atoms.get_mut(atom) {
                held.fixed_hydrogens = Some(perception.implied_hydrogens[atom].saturating_sub(electrons));
            }
        }
    }
}

/// The bonds of an atom added up.
#[derive(Clone, Copy, Debug, Default)]
struct Used {
    orders: u32,
    is_aromatic: bool,
}

fn bonds_used(molecule: &SmallMolecule) -> Vec<Used> {
    let mut used = vec![Used::default(); molecule.atoms.len()];
    for bond in &molecule.bonds {
        let order = match bond.order {
            BondOrder::Coordination => 0,
            BondOrder::Single | BondOrder::Aromatic => 1,
            BondOrder::Double => 2,
            BondOrder::Triple => 3,
        };
        for atom in [bond.a, bond.b] {
            if let Some(held) = used.get_mut(atom as usize) {
                held.orders = held.orders.saturating_add(order);
                held.is_aromatic |= bond.order == BondOrder::Aromatic;
            }
        }
    }
    used
}

/// For each atom the valence to write: 0 where it goes without saying, else bonds and hydrogens together.
pub(super) fn valences(molecule: &SmallMolecule) -> Vec<u32> {
    molecule
        .atoms
        .iter()
        .zip(bonds_used(molecule))
        .map(|(atom, used)| match atom.fixed_hydrogens.map(|hydrogens| used.orders + u32::from(hydrogens)) {
            None => 0,
            // No valence at all.
            Some(0) => NO_VALENCE,
            Some(valence) => valence.min(NO_VALENCE - 1),
        })
        .collect()
}

/// The code of V2000 for an atom without any valence.
pub(super) const NO_VALENCE: u32 = 15;

#[cfg(test)]
mod tests {
    use crate::chemistry::{canonical_smiles, smiles};
    use crate::formats::sdf::{read, write};

    #[test]
    fn radicals_and_bare_atoms_are_the_same_after_writing_and_reading() {
        for text in
            ["[CH3]", "C[CH]C", "CC1(C)CCCC(C)(C)N1[O]", "[Na]", "[O][O]", "[CH2]", "c1cc[c]cc1", "CCO", "[SiH2]"]
        {
            let molecule = smiles::parse(text).unwrap();
            let wanted = canonical_smiles(&molecule).unwrap();
            let again = read(write(&[molecule]).as_bytes()).molecules;
            assert_eq!(canonical_smiles(&again[0]).unwrap(), wanted, "{text}");
        }
    }

    #[test]
    fn marks_for_unpaired_electrons_are_read() {
        let ethyl = "ethyl\n\n\n  2  1  0  0  0  0            999 V2000\n    0.0000    0.0000    0.0000 C   0  0\n    \
            1.5000    0.0000    0.0000 C   0  0\n  1  2  1  0\nM  RAD  1   2   2\nM  END\n$$$$\n";
        assert_eq!(canonical_smiles(&read(ethyl.as_bytes()).molecules[0]).unwrap(), "[CH2]C");
        let by_column = ethyl
            .replace("M  RAD  1   2   2\n", "")
            .replace("1.5000    0.0000    0.0000 C   0  0", "1.5000    0.0000    0.0000 C   0  4");
        assert_eq!(canonical_smiles(&read(by_column.as_bytes()).molecules[0]).unwrap(), "[CH2]C");
        let v3000 = "ethyl\n\n\n  0  0  0     0  0            999 V3000\nM  V30 BEGIN CTAB\nM  V30 COUNTS 2 1 0 0 0\nM  V30 BEGIN ATOM\n\
            M  V30 1 C 0 0 0 0\nM  V30 2 C 1.5 0 0 0 RAD=2\nM  V30 END ATOM\nM  V30 BEGIN BOND\nM  V30 1 1 1 2\nM  V30 END BOND\n\
            M  V30 END CTAB\nM  END\n$$$$\n";
        assert_eq!(canonical_smiles(&read(v3000.as_bytes()).molecules[0]).unwrap(), "[CH2]C");
    }
}
