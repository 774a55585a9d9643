//! A structure of the selected atoms alone.

use std::sync::Arc;

use super::{AtomSet, Selection, Target};
use crate::structure::{Bond, Chain, Model, Residue, Structure, Topology};

impl Selection {
    /// The selected atoms of every model as a structure of its own: residues and chains that keep an atom, bonds that keep
    /// both. Models without a selected atom are left out; models that shared a topology and keep the same atoms share the
    /// new one.
    #[must_use]
    pub fn subset(&self, structure: &Structure) -> Structure {
        let mut models: Vec<Model> = Vec::new();
        let mut last: Option<(Arc<Topology>, AtomSet, Arc<Topology>)> = None;
        for model in &structure.models {
            let atoms = self.select_in(&Target { name: &structure.name, ..Target::new(model) });
            if atoms.is_empty() {
                continue;
            }
            let mut made = subset_of(model, &atoms);
            if let Some((before, same, shared)) = &last
                && Arc::ptr_eq(before, &model.topology)
                && *same == atoms
            {
                made.topology = Arc::clone(shared);
            }
            last = Some((Arc::clone(&model.topology), atoms, Arc::clone(&made.topology)));
            models.push(made);
        }
        Structure { name: structure.name.clone(), models }
    }
}

/// These atoms of one model as a model of its own.
#[must_use]
pub fn subset_of(model: &Model, atoms: &AtomSet) -> Model {
    let of_atoms = |values: &[f32]| atoms.iter().filter_map(|atom| values.get(atom).copied()).collect();
    Model {
        number: model.number,
        topology: Arc::new(topology_of(&model.topology, atoms)),
        positions: atoms.iter().filter_map(|atom| model.positions.get(atom).copied()).collect(),
        b_factors: of_atoms(&model.b_factors),
    }
}

fn topology_of(topology: &Topology, atoms: &AtomSet) -> Topology {
    let mut made = Topology::default();
    let mut place = vec![u32::MAX; topology.atoms.len()];
    for chain in &topology.chains {
        let first_residue = made.residues.len() as u32;
        for residue in &topology.residues[chain.residues.start as usize..chain.residues.end as usize] {
            let first_atom = made.atoms.len() as u32;
            for index in topology.atoms_of(residue).filter(|index| atoms.contains(*index)) {
                place[index] = made.atoms.len() as u32;
                let mut atom = topology.atoms[index].clone();
                atom.residue = made.residues.len() as u32;
                made.atoms.push(atom);
            }
            let range = first_atom..made.atoms.len() as u32;
            if !range.is_empty() {
                made.residues.push(Residue { atoms: range, chain: made.chains.len() as u32, ..residue.clone() });
            }
        }
        let range = first_residue..made.residues.len() as u32;
        if !range.is_empty() {
            made.chains.push(Chain { id: chain.id.clone(), residues: range });
        }
    }
    let kept = topology.bonds.iter().filter_map(|bond| {
        let ends = (place[bond.a as usize], place[bond.b as usize]);
        (ends.0 != u32::MAX && ends.1 != u32::MAX).then(|| Bond::new(ends.0, ends.1, bond.order))
    });
    made.bonds = kept.collect();
    made
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;

    use super::*;
    use crate::formats::read_structure;

    #[test]
    fn a_subset_is_a_whole_structure() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
        let structure = read_structure(&folder.join("tests/data/1as5-three-models.cif")).unwrap();
        let selection = Selection::parse("name N+CA+C+O and resi 3-9").unwrap();
        let subset = selection.subset(&structure);
        assert_eq!((subset.models.len(), subset.models[0].positions.len()), (3, 28));
        assert!(Arc::ptr_eq(&subset.models[0].topology, &subset.models[2].topology) == structure.is_ensemble());
        let topology = &subset.models[0].topology;
        assert_eq!((topology.residues.len(), topology.chains.len()), (7, 1));
        // N-CA, CA-C, C=O of seven residues and six peptide bonds.
        assert_eq!(topology.bonds.len(), 27);
        for (index, residue) in topology.residues.iter().enumerate() {
            assert!(topology.atoms_of(residue).all(|atom| topology.atoms[atom].residue == index as u32));
        }
        assert_eq!(selection.subset(&subset).models[1].positions, subset.models[1].positions);
        assert!(Selection::parse("chain Q").unwrap().subset(&structure).models.is_empty());
        assert_eq!(Selection::parse("model 2").unwrap().subset(&structure).models.len(), 1);
    }
}
