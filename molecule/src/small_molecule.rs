//! A ligand as chemistry sees it: a graph with bond orders and charges, its conformers, and the record's data fields.
//!
//! [`crate::Structure`] is what a crystallographer deposits; a [`SmallMolecule`] is what a chemist draws. SDF records,
//! SMILES and docked poses are small molecules; [`SmallMolecule::to_structure`] makes one drawable.

use std::sync::Arc;

use glam::Vec3;
use smol_str::{SmolStr, format_smolstr};

use crate::element::Element;
use crate::structure::{Atom, Bond, Chain, Model, Residue, ResidueKind, Structure, Topology};

/// A molecule graph with any number of conformers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SmallMolecule {
    /// Name or title line; may be empty.
    pub name: String,
    /// Atoms; hydrogens are atoms like others when present.
    pub atoms: Vec<SmallMoleculeAtom>,
    /// Bonds, each once, `a < b`.
    pub bonds: Vec<Bond>,
    /// Known configurations of centres and double bonds; what is not listed is open or has none. Left empty by file
    /// readers, because coordinates say it: `chemistry::perceive` reads it from them.
    pub stereo: Vec<Stereo>,
    /// Conformers: Å, one position for each atom. Empty for a molecule that is only a graph.
    pub conformers: Vec<Vec<Vec3>>,
    /// Data fields of an SDF record, in order.
    pub properties: Vec<(String, String)>,
}

/// An atom of a small molecule.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SmallMoleculeAtom {
    /// Element.
    pub element: Element,
    /// Formal charge in elementary charges.
    pub formal_charge: i8,
    /// Mass number when the input gave one.
    pub isotope: Option<u16>,
    /// How many hydrogens it has that are not atoms of their own, where the usual valences would say otherwise: radicals,
    /// carbenes, bare atoms. `None` almost always: then they follow from the valences.
    pub fixed_hydrogens: Option<u8>,
    /// Atom name when the source has names (component dictionary, PDB); else empty.
    pub name: SmolStr,
}

/// The configuration of one stereocentre or one double bond, in terms of the molecule's atom indices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Stereo {
    /// A tetrahedral centre.
    Tetrahedral {
        /// The centre.
        centre: u32,
        /// Three of its neighbours. The fourth substituent (an atom, an implied hydrogen, a lone pair) is whatever is left.
        neighbours: [u32; 3],
        /// Whether the three run counterclockwise when the fourth substituent points away from the viewer.
        counterclockwise: bool,
    },
    /// A double bond.
    DoubleBond {
        /// The two atoms of the bond.
        atoms: [u32; 2],
        /// One neighbour of each of them, in the same order.
        neighbours: [u32; 2],
        /// Whether the two neighbours lie on the same side.
        same_side: bool,
    },
}

impl Stereo {
    /// The configuration that these positions show at the same place: `Some(true)` when it is this one, `Some(false)`
    /// when it is the other one, `None` when the geometry is too flat (or, at a double bond, too twisted) to tell.
    #[must_use]
    pub fn is_satisfied_by(&self, positions: &[Vec3]) -> Option<bool> {
        let at = |atom: u32| positions.get(atom as usize).copied();
        match *self {
            Self::Tetrahedral { centre, neighbours: [a, b, c], counterclockwise } => {
                let centre = at(centre)?;
                let [a, b, c] = [at(a)? - centre, at(b)? - centre, at(c)? - centre].map(Vec3::normalize_or_zero);
                // 0.77 for an ideal centre; below 0.1 the three directions are within 4 degrees of one plane.
                let volume = a.dot(b.cross(c));
                (volume.abs() > 0.1).then_some((volume > 0.0) == counterclockwise)
            }
            Self::DoubleBond { atoms: [a, b], neighbours: [c, d], same_side } => {
                let axis = (at(b)? - at(a)?).normalize_or_zero();
                let first = (at(c)? - at(a)?).reject_from_normalized(axis).normalize_or_zero();
                let second = (at(d)? - at(b)?).reject_from_normalized(axis).normalize_or_zero();
                let cosine = first.dot(second);
                (cosine.abs() > 0.2).then_some((cosine > 0.0) == same_side)
            }
        }
    }

    /// The same place with the other configuration.
    #[must_use]
    pub fn inverted(self) -> Self {
        match self {
            Self::Tetrahedral { centre, neighbours, counterclockwise } => {
                Self::Tetrahedral { centre, neighbours, counterclockwise: !counterclockwise }
            }
            Self::DoubleBond { atoms, neighbours, same_side } => {
                Self::DoubleBond { atoms, neighbours, same_side: !same_side }
            }
        }
    }

    /// The centre, or the two atoms of the double bond.
    #[must_use]
    pub fn atoms(&self) -> Vec<u32> {
        match self {
            Self::Tetrahedral { centre, .. } => vec![*centre],
            Self::DoubleBond { atoms, .. } => atoms.to_vec(),
        }
    }
}

impl SmallMolecule {
    /// Atoms that are not hydrogen.
    #[must_use]
    pub fn heavy_atom_count(&self) -> usize {
        self.atoms.iter().filter(|atom| atom.element != Element::H).count()
    }

    /// For each atom, its bonded atoms with the index of the bond.
    #[must_use]
    pub fn neighbours(&self) -> Vec<Vec<(u32, u32)>> {
        let mut neighbours = vec![Vec::new(); self.atoms.len()];
        for (index, bond) in self.bonds.iter().enumerate() {
            neighbours[bond.a as usize].push((bond.b, index as u32));
            neighbours[bond.b as usize].push((bond.a, index as u32));
        }
        neighbours
    }

    /// The first value of a data field.
    #[must_use]
    pub fn property(&self, key: &str) -> Option<&str> {
        self.properties.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
    }

    /// Atom names for files that need them: the molecule's own, else element and running number (`C1`, `N2`).
    #[must_use]
    pub fn atom_names(&self) -> Vec<SmolStr> {
        let mut counts = std::collections::HashMap::new();
        self.atoms
            .iter()
            .map(|atom| {
                let count = counts.entry(atom.element).or_insert(0_u32);
                *count += 1;
                if atom.name.is_empty() {
                    format_smolstr!("{}{count}", atom.element.symbol().to_uppercase())
                } else {
                    atom.name.clone()
                }
            })
            .collect()
    }

    /// The molecule as one hetero residue of one chain, a model a conformer, for drawing and for PDB files.
    #[must_use]
    pub fn to_structure(&self, chain_id: &str, residue_name: &str) -> Structure {
        let count = self.atoms.len() as u32;
        let atoms = self
            .atoms
            .iter()
            .zip(self.atom_names())
            .enumerate()
            .map(|(index, (atom, name))| Atom {
                name,
                element: atom.element,
                serial: index as i32 + 1,
                altloc: None,
                occupancy: 1.0,
                formal_charge: atom.formal_charge,
                residue: 0,
            })
            .collect();
        let topology = Arc::new(Topology {
            atoms,
            residues: vec![Residue {
                name: residue_name.into(),
                number: 1,
                insertion_code: None,
                sequence_index: None,
                asym_id: SmolStr::default(),
                is_hetero: true,
                kind: ResidueKind::Ligand,
                atoms: 0..count,
                chain: 0,
            }],
            chains: vec![Chain { id: chain_id.into(), residues: 0..1 }],
            bonds: self.bonds.clone(),
        });
        let models = self
            .conformers
            .iter()
            .enumerate()
            .map(|(index, positions)| Model {
                number: index as i32 + 1,
                topology: Arc::clone(&topology),
                positions: positions.clone(),
                b_factors: vec![0.0; positions.len()],
            })
            .collect();
        Structure { name: self.name.clone(), models }
    }
}
