//! What must hold for whatever a reader gives back.

use kfold_molecule::formats::{mmcif, pdb};
use kfold_molecule::{SmallMolecule, Structure};

/// Checks a structure's indices, and that what is written is read again with the same atoms.
pub fn check_structure(structure: &Structure) {
    for model in &structure.models {
        let topology = &model.topology;
        let atoms = topology.atoms.len();
        assert!(atoms > 0 && model.positions.len() == atoms && model.b_factors.len() == atoms);
        assert!(model.positions.iter().all(|position| position.is_finite()));
        let mut next_residue = 0;
        for chain in &topology.chains {
            assert_eq!(chain.residues.start, next_residue);
            next_residue = chain.residues.end;
        }
        assert_eq!(next_residue as usize, topology.residues.len());
        let mut next_atom = 0;
        for (index, residue) in topology.residues.iter().enumerate() {
            assert_eq!(residue.atoms.start, next_atom);
            next_atom = residue.atoms.end;
            assert!(topology.chains[residue.chain as usize].residues.contains(&(index as u32)));
        }
        assert_eq!(next_atom as usize, atoms);
        for (index, atom) in topology.atoms.iter().enumerate() {
            assert!(topology.residues[atom.residue as usize].atoms.contains(&(index as u32)));
        }
        assert!(topology.bonds.windows(2).all(|pair| (pair[0].a, pair[0].b) < (pair[1].a, pair[1].b)));
        assert!(topology.bonds.iter().all(|bond| bond.a < bond.b && (bond.b as usize) < atoms));
    }
    let again = mmcif::read(mmcif::write(structure).as_bytes()).expect("mmCIF that we wrote");
    assert_eq!(again.atom_count(), structure.atom_count());
    if let Ok(text) = pdb::write(structure) {
        let again = pdb::read(text.as_bytes()).expect("PDB that we wrote");
        assert_eq!(again.atom_count(), structure.atom_count());
    }
}

/// Checks a small molecule's indices.
pub fn check_small_molecule(molecule: &SmallMolecule) {
    let atoms = molecule.atoms.len();
    assert!(molecule.bonds.iter().all(|bond| bond.a < bond.b && (bond.b as usize) < atoms));
    assert!(molecule.conformers.iter().all(|positions| positions.len() == atoms));
    for stereo in &molecule.stereo {
        assert!(stereo.atoms().iter().all(|atom| (*atom as usize) < atoms));
    }
}
