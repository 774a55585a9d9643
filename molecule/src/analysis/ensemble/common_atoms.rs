//! Models of one thing that differ in their atoms, as their files have them, cut down to what all of them have.

use std::collections::HashMap;
use std::sync::Arc;

use crate::selection::{AtomSet, subset_of};
use crate::structure::{Model, Structure, Topology};

/// The structure with only those atoms that every model has, by chain, residue number, atom name and alternate location; its
/// models share one topology, that of the first. Nothing when there is no such atom.
#[must_use]
pub fn common_atoms(structure: &Structure) -> Option<Structure> {
    let (first, others) = structure.models.split_first()?;
    let indices: Vec<HashMap<AtomName<'_>, usize>> =
        others.iter().map(|model| names_of(&model.topology).collect()).collect();
    let mut kept = AtomSet::empty(first.topology.atoms.len());
    // For each of the other models, where it has the atoms that are kept.
    let mut places: Vec<Vec<usize>> = vec![Vec::new(); others.len()];
    for (name, index) in names_of(&first.topology) {
        let found: Option<Vec<usize>> = indices.iter().map(|indices| indices.get(&name).copied()).collect();
        if let Some(found) = found {
            kept.insert(index);
            places.iter_mut().zip(found).for_each(|(places, place)| places.push(place));
        }
    }
    if kept.is_empty() {
        return None;
    }
    let mut models = vec![subset_of(first, &kept)];
    for (model, places) in others.iter().zip(&places) {
        models.push(Model {
            number: model.number,
            topology: Arc::clone(&models[0].topology),
            positions: places.iter().filter_map(|place| model.positions.get(*place).copied()).collect(),
            b_factors: places.iter().filter_map(|place| model.b_factors.get(*place).copied()).collect(),
        });
    }
    Some(Structure { name: structure.name.clone(), models })
}

/// Chain identifier, residue number, insertion code, atom name and alternate location.
type AtomName<'a> = (&'a str, i32, Option<char>, &'a str, Option<char>);

/// The atoms' names with their indices, ascending.
fn names_of(topology: &Topology) -> impl Iterator<Item = (AtomName<'_>, usize)> {
    topology.residues.iter().flat_map(move |residue| {
        let chain = topology.chain_of(residue).id.as_str();
        topology.atoms_of(residue).map(move |index| {
            let atom = &topology.atoms[index];
            ((chain, residue.number, residue.insertion_code, atom.name.as_str(), atom.altloc), index)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::pdb;

    #[test]
    fn atoms_are_found_by_name_in_any_order() {
        let line = |serial: u32, name: &str, number: u32, x: f32| {
            format!("ATOM  {serial:5}  {name:<3} GLY A{number:4}    {x:8.3}   0.000   0.000\n")
        };
        let first = [line(1, "N", 1, 1.0), line(2, "CA", 1, 2.0), line(3, "CA", 2, 3.0)].concat();
        let second = [line(1, "CA", 1, 2.5), line(2, "N", 1, 1.5), line(3, "CA", 3, 9.0)].concat();
        let text = format!("MODEL 1\n{first}ENDMDL\nMODEL 2\n{second}ENDMDL\n");
        let common = common_atoms(&pdb::read(text.as_bytes()).unwrap()).unwrap();
        assert!(common.is_ensemble());
        let x = |model: usize| common.models[model].positions.iter().map(|position| position.x).collect::<Vec<f32>>();
        assert_eq!((x(0), x(1)), (vec![1.0, 2.0], vec![1.5, 2.5]));
        let apart = format!("MODEL 1\n{}ENDMDL\nMODEL 2\n{}ENDMDL\n", line(1, "CA", 1, 0.0), line(1, "CA", 2, 0.0));
        assert!(common_atoms(&pdb::read(apart.as_bytes()).unwrap()).is_none());
        assert!(common_atoms(&Structure::default()).is_none());
    }
}
