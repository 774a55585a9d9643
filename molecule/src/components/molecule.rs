//! A component as a molecule that chemistry can work with.

use glam::Vec3;

use super::{Component, ComponentError, lookup, record};
use crate::structure::{Bond, BondOrder};
use crate::{Element, SmallMolecule, SmallMoleculeAtom};

/// The molecule of a component's code with hydrogens, see [`Component::to_small_molecule`].
///
/// # Errors
/// When the dictionary has no such code or only a name for it (such as `UNL`, the unknown ligand).
pub fn molecule(code: &str) -> Result<SmallMolecule, ComponentError> {
    let component = lookup(code)?.ok_or_else(|| ComponentError::Unknown(code.to_owned()))?;
    let no_molecule =
        |reason: &str| ComponentError::NoMolecule { code: component.code.to_string(), reason: reason.to_owned() };
    if component.atoms.is_empty() {
        return Err(no_molecule("the dictionary has no atoms for it"));
    }
    if component.atoms.iter().any(|atom| atom.element == Element::UNKNOWN) {
        return Err(no_molecule("one of its atoms stands for any element"));
    }
    Ok(component.to_small_molecule(true))
}

impl Component {
    /// The component as a molecule of its own (leaving atoms included): names, charges, Kekulé bonds, and one conformer
    /// where every atom taken has coordinates, the ideal ones if complete, else those of the model. With or without its
    /// hydrogens; the atoms keep the dictionary's order. Stereo is told by the conformer, as in files.
    ///
    /// Bonds to metals, which the dictionary draws as single ones, become coordination bonds; a partner that needs the
    /// bond for its valence (two of the nitrogens of haem) gets the negative charge and the metal the positive one, so
    /// that the hydrogens and the charge of the whole stay the dictionary's.
    #[must_use]
    pub fn to_small_molecule(&self, with_hydrogens: bool) -> SmallMolecule {
        let kept: Vec<usize> =
            (0..self.atoms.len()).filter(|&atom| with_hydrogens || !self.is_plain_hydrogen(atom)).collect();
        let mut place = vec![None; self.atoms.len()];
        for (new, old) in kept.iter().enumerate() {
            place[*old] = Some(new as u32);
        }
        let (charges, orders) = self.with_coordination();
        let atoms = kept
            .iter()
            .map(|&atom| SmallMoleculeAtom {
                element: self.atoms[atom].element,
                formal_charge: charges[atom],
                isotope: self.atoms[atom].is_deuterium.then_some(2),
                fixed_hydrogens: None,
                name: self.atoms[atom].name.clone(),
            })
            .collect();
        let mut bonds: Vec<Bond> = self
            .bonds
            .iter()
            .zip(orders)
            .filter_map(|(bond, order)| Some(Bond::new(place[bond.a as usize]?, place[bond.b as usize]?, order)))
            .collect();
        bonds.sort_unstable();
        let complete =
            |positions: &[Option<Vec3>]| kept.iter().map(|&atom| positions[atom]).collect::<Option<Vec<Vec3>>>();
        let conformers = complete(&self.ideal).or_else(|| complete(&self.model)).filter(|places| !places.is_empty());
        SmallMolecule {
            name: self.code.to_string(),
            atoms,
            bonds,
            stereo: Vec::new(),
            conformers: conformers.into_iter().collect(),
            properties: Vec::new(),
        }
    }

    /// Whether an atom is a hydrogen (or deuterium) on a heavy atom.
    #[must_use]
    pub fn is_plain_hydrogen(&self, atom: usize) -> bool {
        let mut around =
            self.bonds.iter().filter_map(|bond| match (bond.a as usize == atom, bond.b as usize == atom) {
                (true, _) => Some(bond.b as usize),
                (_, true) => Some(bond.a as usize),
                _ => None,
            });
        self.atoms[atom].element == Element::H
            && matches!((around.next(), around.next()), (Some(host), None) if self.atoms[host].element != Element::H)
    }

    /// Charges of the atoms and orders of the bonds with bonds to metals as coordination.
    fn with_coordination(&self) -> (Vec<i8>, Vec<BondOrder>) {
        let mut charges: Vec<i8> = self.atoms.iter().map(|atom| atom.charge).collect();
        let mut orders: Vec<BondOrder> = self.bonds.iter().map(|bond| bond.order).collect();
        let is_metal = |atom: u32| self.atoms[atom as usize].element.is_metal();
        if !self.atoms.iter().any(|atom| atom.element.is_metal()) {
            return (charges, orders);
        }
        let mut used = vec![0; self.atoms.len()];
        for bond in self.bonds.iter().filter(|bond| !is_metal(bond.a) && !is_metal(bond.b)) {
            for atom in [bond.a, bond.b] {
                used[atom as usize] += i32::from(record::number_of(bond.order));
            }
        }
        for (bond, order) in self.bonds.iter().zip(&mut orders) {
            let (metal, partner) = match (is_metal(bond.a), is_metal(bond.b)) {
                (true, false) => (bond.a as usize, bond.b as usize),
                (false, true) => (bond.b as usize, bond.a as usize),
                (true, true) => {
                    *order = BondOrder::Coordination;
                    continue;
                }
                (false, false) => continue,
            };
            let electrons = record::number_of(*order) as i8;
            *order = BondOrder::Coordination;
            let element = self.atoms[partner].element;
            let missing = record::usual_valence(element, charges[partner]) - used[partner];
            let taken = (missing.clamp(0, 3) as i8).min(electrons);
            charges[partner] = charges[partner].saturating_sub(taken);
            charges[metal] = charges[metal].saturating_add(taken);
        }
        (charges, orders)
    }
}
