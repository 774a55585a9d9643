//! Chemistry of small molecules: SMILES, aromaticity and stereo, hydrogens, 3D conformers, descriptors, 2D pictures.
//!
//! The rules (valence, aromaticity, canonical order, distance geometry, MMFF94) are RDKit's, by way of `cosmolkit`, a
//! port of RDKit to Rust. No type of that crate leaves this module: everything goes in and out as
//! [`SmallMolecule`](crate::SmallMolecule).
//!
//! Conventions: molecules made here carry alternating single and double bonds (Kekulé form), because that is what
//! files and hydrogens need; which atoms and bonds are aromatic is told by [`Perception`]. Hydrogens that are not atoms
//! of their own follow from the usual valences; where they do not (radicals, bare metals), the atom says how many it has.

pub mod conformers;
pub mod depict;
pub mod descriptors;
mod error;
pub(crate) mod force_field;
pub(crate) mod graph;
pub mod hydrogens;
pub mod identifiers;
pub mod ionisation;
pub mod perception;
pub mod smiles;
pub(crate) mod template;
pub(crate) mod toolkit;

pub use conformers::{Embedding, distance_geometry, embed, embed_smiles, refuse_unbuildable};
pub use descriptors::{Descriptors, Roles, RotatableBond, describe, roles, rotatable_bonds};
pub use error::ChemistryError;
pub use hydrogens::{add_hydrogens, remove_hydrogens};
pub use identifiers::{Inchi, inchi, scaffold};
pub use ionisation::{ChargeChange, Ionised, ionise};
pub use perception::{Perception, perceive};
pub use smiles::canonical_smiles;
pub use template::molecule_with_template;
