//! The chemistry of one residue or ligand: heavy atoms, bonds, and reference conformers.
//!
//! K-Fold 1.0.0, data/types/ccd.py. The network sees a conformer of every residue that is not the one to be predicted:
//! one of a few ETKDG conformers of the component made once, for a SMILES a new one with a drawn seed, else the
//! dictionary's ideal coordinates, else those of its model, else none. Coordinates pass through half precision where the
//! reference stores them so.
//!
//! The published program carries its conformers in a file of its own, which is not at hand here; ours are made in the same way,
//! two for each component from a fixed seed, and are others of the same molecules.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use half::f16;
use kfold_molecule::chemistry::{distance_geometry, perceive, smiles};
use kfold_molecule::components::{Component, Dictionary};
use kfold_molecule::structure::BondOrder;
use kfold_molecule::{Element, SmallMolecule};
use smol_str::{SmolStr, format_smolstr};

use super::numpy_random::NumpyGenerator;
use crate::kfold::{KFoldError, Result};

/// Conformers made for each component of the dictionary.
const CONFORMERS_OF_COMPONENT: u32 = 2;
/// Seed that the seed of those conformers is drawn from.
const CONFORMER_SEED: u64 = 7;
/// Longest name of an atom that the features can hold.
const MAX_NAME_LENGTH: usize = 4;
/// Seconds for one conformer.
const LIMIT_SECONDS: u32 = 30;

/// Class of a bond, `bond.bond_type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i64)]
pub enum BondClass {
    /// Dative and the like.
    Other = 0,
    /// Single.
    Single = 1,
    /// Double.
    Double = 2,
    /// Triple.
    Triple = 3,
    /// Aromatic.
    Aromatic = 4,
    /// Between chains.
    Intermolecular = 5,
}

/// Heavy atoms of a component in the dictionary's order, or of a SMILES in its own.
#[derive(Debug)]
pub struct ReferenceComponent {
    /// Component code, or `LIG1`, `LIG2`, .. for a SMILES.
    pub code: String,
    /// Atom names.
    pub names: Vec<SmolStr>,
    /// Atomic numbers.
    pub elements: Vec<u8>,
    /// Formal charges.
    pub charges: Vec<i8>,
    /// Whether the atom leaves when the component is bonded into a polymer.
    pub leaving: Vec<bool>,
    /// Bonds between them.
    pub bonds: Vec<(usize, usize, BondClass)>,
    /// What conformers are made from, with its stereo; `None` when the rules of valence refuse it.
    molecule: Option<SmallMolecule>,
    /// Å; `None` where no atom has coordinates.
    ideal: Option<Vec<[f32; 3]>>,
    model: Option<Vec<[f32; 3]>>,
    /// Whether conformers are made once (component) or for every use (SMILES).
    is_in_dictionary: bool,
    made: OnceLock<Vec<Vec<[f32; 3]>>>,
}

impl ReferenceComponent {
    /// The heavy atoms that stay when the component is bonded into a polymer.
    #[must_use]
    pub fn remaining_atoms(&self) -> Vec<usize> {
        (0..self.names.len()).filter(|&atom| !self.leaving[atom]).collect()
    }

    /// The molecule of the heavy atoms, in their order, with its stereo; `None` when the rules of valence refuse it.
    #[must_use]
    pub fn molecule(&self) -> Option<&SmallMolecule> {
        self.molecule.as_ref()
    }

    /// A reference conformer in Å, one position for each heavy atom, NaN where none is known; draws from the generator as
    /// the reference does.
    #[must_use]
    pub fn conformer(&self, generator: &mut NumpyGenerator) -> Vec<[f32; 3]> {
        if self.names.len() == 1 {
            return vec![[0.0; 3]];
        }
        let made = self.made.get_or_init(|| if self.is_in_dictionary { self.make_conformers() } else { Vec::new() });
        if !made.is_empty() {
            return made[generator.below(made.len() as u64) as usize].clone();
        }
        let seed = generator.between(1, 1 << 16);
        if let Some(positions) = self.embed(seed, 1).into_iter().next() {
            return positions;
        }
        let is_known = |point: &[f32; 3]| point.iter().all(|component| component.is_finite());
        match (&self.ideal, &self.model) {
            (Some(ideal), _) if ideal.iter().all(is_known) => ideal.clone(),
            (_, Some(model)) => model.clone(),
            (Some(ideal), None) => ideal.clone(),
            (None, None) => vec![[f32::NAN; 3]; self.names.len()],
        }
    }

    fn make_conformers(&self) -> Vec<Vec<[f32; 3]>> {
        let seed = NumpyGenerator::new(CONFORMER_SEED).between(1, 1 << 16);
        let mut conformers = self.embed(seed, CONFORMERS_OF_COMPONENT);
        for point in conformers.iter_mut().flatten() {
            *point = point.map(through_half);
        }
        conformers
    }

    fn embed(&self, seed: u64, count: u32) -> Vec<Vec<[f32; 3]>> {
        let Some(molecule) = &self.molecule else { return Vec::new() };
        distance_geometry(molecule, seed as i32, count, LIMIT_SECONDS)
            .unwrap_or_default()
            .into_iter()
            .map(|positions| positions.into_iter().map(|position| position.to_array()).collect())
            .collect()
    }

    fn of_component(component: &Component) -> Self {
        let heavy: Vec<usize> =
            (0..component.atoms.len()).filter(|&atom| component.atoms[atom].element != Element::H).collect();
        let atom = |index: &usize| &component.atoms[*index];
        let place = |index: u32| heavy.iter().position(|&held| held == index as usize);
        // The molecule without hydrogens keeps the heavy atoms in order; hydrogens that the rules keep stand behind none.
        let molecule = component.to_small_molecule(false);
        let perceived = perceive(&molecule).ok().filter(|perceived| perceived.molecule.atoms.len() == heavy.len());
        let bonds = component
            .bonds
            .iter()
            .filter_map(|bond| {
                let (a, b) = (place(bond.a)?, place(bond.b)?);
                let aromatic = perceived.as_ref().is_some_and(|perceived| is_aromatic(perceived, a, b));
                Some((a, b, if aromatic { BondClass::Aromatic } else { class_of(bond.order) }))
            })
            .collect();
        let positions = |from: &[Option<glam::Vec3>]| -> Option<Vec<[f32; 3]>> {
            let positions: Vec<[f32; 3]> = heavy
                .iter()
                .map(|&index| {
                    from.get(index).copied().flatten().map_or([f32::NAN; 3], |place| place.to_array().map(through_half))
                })
                .collect();
            positions.iter().any(|point| point[0].is_finite()).then_some(positions)
        };
        Self {
            code: component.code.to_string(),
            names: heavy.iter().map(|index| atom(index).name.clone()).collect(),
            elements: heavy.iter().map(|index| atom(index).element.atomic_number()).collect(),
            charges: heavy.iter().map(|index| atom(index).charge).collect(),
            leaving: heavy.iter().map(|index| atom(index).is_leaving).collect(),
            bonds,
            ideal: positions(&component.ideal),
            model: positions(&component.model),
            molecule: perceived.map(|perceived| SmallMolecule { conformers: Vec::new(), ..perceived.molecule }),
            is_in_dictionary: true,
            made: OnceLock::new(),
        }
    }

    fn of_smiles(code: &str, text: &str) -> Result<Self> {
        let refused = |reason: String| KFoldError::input(format!("the ligand {text}: {reason}"));
        let perceived = smiles::perceive(text).map_err(|error| refused(error.to_string()))?;
        let molecule = &perceived.molecule;
        if molecule.atoms.iter().any(|atom| atom.element == Element::H) {
            return Err(refused(
                "hydrogens written as atoms of their own are not supported here; write them in brackets".to_owned(),
            ));
        }
        let mut counts: HashMap<&str, usize> = HashMap::new();
        let mut names = Vec::with_capacity(molecule.atoms.len());
        for atom in &molecule.atoms {
            let symbol = atom.element.symbol();
            let count = counts.entry(symbol).or_default();
            *count += 1;
            let name = format_smolstr!("{symbol}{count}");
            if name.len() > MAX_NAME_LENGTH {
                return Err(refused(format!(
                    "has too many atoms of {symbol} for names of {MAX_NAME_LENGTH} characters"
                )));
            }
            names.push(name);
        }
        let bonds = molecule
            .bonds
            .iter()
            .zip(&perceived.aromatic_bonds)
            .map(|(bond, &aromatic)| {
                (bond.a as usize, bond.b as usize, if aromatic { BondClass::Aromatic } else { class_of(bond.order) })
            })
            .collect();
        Ok(Self {
            code: code.to_owned(),
            elements: molecule.atoms.iter().map(|atom| atom.element.atomic_number()).collect(),
            charges: molecule.atoms.iter().map(|atom| atom.formal_charge).collect(),
            leaving: vec![false; names.len()],
            names,
            bonds,
            ideal: None,
            model: None,
            molecule: Some(perceived.molecule),
            is_in_dictionary: false,
            made: OnceLock::new(),
        })
    }
}

/// Components by code, each read once.
pub struct ComponentLibrary {
    dictionary: &'static Dictionary,
    components: HashMap<String, Arc<ReferenceComponent>>,
}

impl ComponentLibrary {
    /// Over the dictionary inside the program.
    ///
    /// # Errors
    /// When it is damaged.
    pub fn new() -> Result<Self> {
        let dictionary =
            kfold_molecule::components::standard().map_err(|error| KFoldError::input(error.to_string()))?;
        Ok(Self { dictionary, components: HashMap::new() })
    }

    /// The component of a code in capitals.
    ///
    /// # Errors
    /// When the dictionary does not have it.
    pub fn component(&mut self, code: &str) -> Result<Arc<ReferenceComponent>> {
        if let Some(held) = self.components.get(code) {
            return Ok(Arc::clone(held));
        }
        let found =
            self.dictionary.lookup(code).map_err(|error| KFoldError::input(error.to_string()))?.ok_or_else(|| {
                KFoldError::input(format!(
                    "the component dictionary has no `{code}`; check the code, or give the molecule as SMILES"
                ))
            })?;
        let component = Arc::new(ReferenceComponent::of_component(&found));
        self.components.insert(code.to_owned(), Arc::clone(&component));
        Ok(component)
    }

    /// A ligand from its SMILES, named `code`.
    ///
    /// # Errors
    /// When the SMILES cannot be read or has too many atoms of one element.
    pub fn from_smiles(&mut self, code: &str, text: &str) -> Result<Arc<ReferenceComponent>> {
        let key = format!("{code} {text}");
        if let Some(held) = self.components.get(&key) {
            return Ok(Arc::clone(held));
        }
        let component = Arc::new(ReferenceComponent::of_smiles(code, text)?);
        self.components.insert(key, Arc::clone(&component));
        Ok(component)
    }
}

fn class_of(order: BondOrder) -> BondClass {
    match order {
        BondOrder::Single => BondClass::Single,
        BondOrder::Double => BondClass::Double,
        BondOrder::Triple => BondClass::Triple,
        BondOrder::Aromatic => BondClass::Aromatic,
        BondOrder::Coordination => BondClass::Other,
    }
}

fn is_aromatic(perceived: &kfold_molecule::chemistry::Perception, a: usize, b: usize) -> bool {
    let (low, high) = (a.min(b) as u32, a.max(b) as u32);
    let mut bonds = perceived.molecule.bonds.iter().zip(&perceived.aromatic_bonds);
    bonds.any(|(bond, &aromatic)| aromatic && bond.a.min(bond.b) == low && bond.a.max(bond.b) == high)
}

fn through_half(value: f32) -> f32 {
    f16::from_f32(value).to_f32()
}
