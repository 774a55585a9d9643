//! Atoms as GNINA's networks see them: 14 channels for the receptor, 14 for the ligand, a radius for each.
//!
//! The channels are the published maps `completerec` and `completelig` of smina's atom types (Ragoza et al. 2017, Francoeur
//! et al. 2020): carbons by aromaticity and by whether they are bonded to a heteroatom, nitrogens and oxygens by whether
//! they carry a hydrogen, the rest by element. Hydrogens have no channel. libmolgrid lets Open Babel perceive the chemistry,
//! which on proteins without hydrogens guesses protons at random (half of the aspartates) and misses aromatic rings
//! (histidine, tryptophan); here a residue's chemistry is the component dictionary's and the donors are those of
//! [`super::super::typing`].

use std::collections::HashMap;

use glam::Vec3;
use kfold_molecule::chemistry::{ChemistryError, perceive};
use kfold_molecule::components::{self, Component};
use kfold_molecule::residues::component_code;
use kfold_molecule::{Element, ResidueKind, SmallMolecule};
use smol_str::SmolStr;

use crate::docking::site::Receptor;
use crate::docking::typing::{AtomType, TypingError, ligand_types};

/// Channels of one side.
const SIDE_CHANNELS: usize = 14;
/// Channels of the grid: the receptor's, then the ligand's.
pub(super) const CHANNELS: usize = 2 * SIDE_CHANNELS;

/// An atom on the grid.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct GridAtom {
    /// Å.
    pub position: Vec3,
    /// Å.
    pub radius: f32,
    /// 0 to [`CHANNELS`].
    pub channel: u8,
}

/// Channel and radius of a heavy atom of a ligand.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Kind {
    pub channel: u8,
    pub radius: f32,
}

/// The two sides differ in how they tell halogens and metals apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Receptor,
    Ligand,
}

/// The receptor's atoms on the grid.
///
/// # Errors
/// When the component dictionary is damaged.
pub(super) fn receptor_atoms(receptor: &Receptor) -> Result<Vec<GridAtom>, components::ComponentError> {
    let Some(model) = receptor.structure.first() else { return Ok(Vec::new()) };
    let topology = &*model.topology;
    let typed = receptor.typed();
    let mut known: HashMap<(SmolStr, ResidueKind), Option<std::sync::Arc<Component>>> = HashMap::new();
    let mut atoms = Vec::with_capacity(typed.positions.len());
    for ((&position, &kind), &index) in typed.positions.iter().zip(&typed.types).zip(&typed.atoms) {
        let atom = &topology.atoms[index as usize];
        let mut is_aromatic = false;
        if atom.element == Element::C {
            let residue = topology.residue_of(index as usize);
            let key = (residue.name.clone(), residue.kind);
            if !known.contains_key(&key) {
                let component = components::lookup(component_code(&residue.name, residue.kind))?;
                known.insert(key.clone(), component);
            }
            if let Some(Some(component)) = known.get(&key) {
                is_aromatic = component.atom_named(&atom.name).is_some_and(|place| component.atoms[place].is_aromatic);
            }
        }
        let Kind { channel, radius } = kind_of(Side::Receptor, atom.element, kind, is_aromatic);
        atoms.push(GridAtom { position, radius, channel });
    }
    Ok(atoms)
}

/// Why a ligand has no place on the grid.
#[derive(Debug, thiserror::Error)]
pub enum LigandError {
    /// An element without parameters, or nothing at all.
    #[error(transparent)]
    Typing(#[from] TypingError),
    /// Its bonds make no sense.
    #[error(transparent)]
    Chemistry(#[from] ChemistryError),
}

/// For each atom of a ligand its kind; `None` for hydrogens.
///
/// # Errors
/// When the ligand's chemistry cannot be perceived or an element has no parameters.
pub(super) fn ligand_kinds(ligand: &SmallMolecule) -> Result<Vec<Option<Kind>>, LigandError> {
    let types = ligand_types(ligand)?;
    let aromatic = perceive(ligand)?.aromatic_atoms;
    let kinds = types.iter().zip(&ligand.atoms).zip(aromatic);
    Ok(kinds
        .map(|((&kind, atom), is_aromatic)| Some(kind_of(Side::Ligand, atom.element, kind?, is_aromatic)))
        .collect())
}

/// smina's type of an atom, as channel and radius in Å.
fn kind_of(side: Side, element: Element, kind: AtomType, is_aromatic: bool) -> Kind {
    let on_receptor = side == Side::Receptor;
    let (channel, radius) = match element {
        Element::C => {
            let is_polar = kind == AtomType::CarbonPolar;
            (2 * u8::from(is_aromatic) + u8::from(is_polar), 1.9)
        }
        Element::F => (if on_receptor { 4 } else { 6 }, 1.5),
        Element::CL => (if on_receptor { 4 } else { 5 }, 1.8),
        Element::BR => (4, 2.0),
        Element::I => (4, 2.2),
        Element::N => (nitrogen(side) + u8::from(kind.is_donor()), 1.8),
        Element::O => (nitrogen(side) + 2 + u8::from(kind.is_donor()), 1.7),
        Element::S | Element::SE => (nitrogen(side) + 4, 2.0),
        Element::P => (nitrogen(side) + 5, 2.1),
        Element::CA if on_receptor => (11, 1.2),
        Element::ZN if on_receptor => (12, 1.2),
        Element::B => (13, 1.92),
        // Every other metal, and what smina has no type for: silicon, arsenic.
        _ => (13, 1.2),
    };
    let offset = if on_receptor { 0 } else { SIDE_CHANNELS as u8 };
    Kind { channel: channel + offset, radius }
}

/// The channel of nitrogens without hydrogen; the ligand's halogens take two places more before it.
const fn nitrogen(side: Side) -> u8 {
    match side {
        Side::Receptor => 5,
        Side::Ligand => 7,
    }
}
