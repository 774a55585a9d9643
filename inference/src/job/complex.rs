//! Receptor and ligand as one structure.

use std::sync::Arc;

use kfold_molecule::{Bond, Chain, Model, SmallMolecule, Structure};
use smol_str::{SmolStr, ToSmolStr};

/// The receptor with a ligand added as a chain of its own, one model. The ligand's chain is `chain_id` or, when the
/// receptor has that chain, the first free letter; its residue is `residue_name` 1. `None` when the molecule has no such
/// conformer.
#[must_use]
pub fn complex(
    receptor: &Model,
    ligand: &SmallMolecule,
    conformer: usize,
    chain_id: &str,
    residue_name: &str,
) -> Option<Structure> {
    let coordinates = ligand.conformers.get(conformer)?;
    let chain_id = free_chain_id(receptor, chain_id);
    let part = ligand.to_structure(&chain_id, residue_name);
    let part = part.models.get(conformer)?;

    let mut topology = receptor.topology.as_ref().clone();
    let (first_atom, first_residue) = (topology.atoms.len() as u32, topology.residues.len() as u32);
    let chain = topology.chains.len() as u32;
    let serial = topology.atoms.iter().map(|atom| atom.serial).max().unwrap_or(0).max(0);
    topology.atoms.extend(part.topology.atoms.iter().enumerate().map(|(index, atom)| {
        let mut atom = atom.clone();
        atom.residue += first_residue;
        atom.serial = serial.saturating_add(index as i32 + 1);
        atom
    }));
    topology.residues.extend(part.topology.residues.iter().map(|residue| {
        let mut residue = residue.clone();
        residue.atoms = residue.atoms.start + first_atom..residue.atoms.end + first_atom;
        residue.chain = chain;
        residue
    }));
    topology.chains.push(Chain { id: chain_id, residues: first_residue..topology.residues.len() as u32 });
    topology
        .bonds
        .extend(part.topology.bonds.iter().map(|bond| Bond::new(bond.a + first_atom, bond.b + first_atom, bond.order)));

    let mut positions = receptor.positions.clone();
    positions.extend_from_slice(coordinates);
    let mut b_factors = receptor.b_factors.clone();
    b_factors.resize(positions.len(), 0.0);
    let model = Model { number: 1, topology: Arc::new(topology), positions, b_factors };
    Some(Structure { name: ligand.name.clone(), models: vec![model] })
}

fn free_chain_id(receptor: &Model, wanted: &str) -> SmolStr {
    let is_free = |id: &str| receptor.topology.chains.iter().all(|chain| chain.id != id);
    if !wanted.is_empty() && is_free(wanted) {
        return wanted.into();
    }
    let letters = ('A'..='Z').chain('a'..='z').chain('0'..='9');
    letters.map(|letter| letter.to_smolstr()).find(|id| is_free(id)).unwrap_or_else(|| wanted.into())
}
