//! Docking.
pub mod energy;
pub mod grid;
pub mod ligand_tree;
pub mod minimize;
pub mod pocket;
pub mod rotors;
pub mod scoring;
pub mod search;
pub mod typing;
