//! Molecules: structures and their files, chemistry, structural analysis.
//!
//! This crate knows nothing of engines, drawing or windows. Coordinates are in Å, angles in radians.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod analysis;
pub mod assemblies;
pub mod bonds;
pub mod chemistry;
pub mod components;
pub mod element;
pub mod formats;
pub mod hydrogens;
pub mod ligands;
pub mod residues;
pub mod selection;
pub mod small_molecule;
pub mod structure;

pub use element::Element;
pub use selection::{AtomSet, Selection, SelectionError};
pub use small_molecule::{SmallMolecule, SmallMoleculeAtom, Stereo};
pub use structure::{Atom, Bond, BondOrder, Chain, Model, Residue, ResidueKind, Structure, Topology};
