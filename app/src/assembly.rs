//! A biological assembly as it is drawn: the atoms once, with the places of their copies.

use std::path::Path;

use anyhow::Context;
use glam::Mat4;
use kfold_molecule::assemblies::{Assembly, Operator};
use kfold_molecule::selection::subset_of;
use kfold_molecule::{AtomSet, Model, Structure, assemblies, formats};
use kfold_viewer::{Object, ObjectId};

/// Where copies stand: `world_from_object`, rigid.
fn copies_of(operators: &[Operator]) -> Vec<Mat4> {
    let matrix =
        |operator: &Operator| Mat4::from_mat3_translation(operator.rotation.as_mat3(), operator.translation.as_vec3());
    operators.iter().map(matrix).collect()
}

/// The atoms of a file's first model that the same operators move, as models of their own, with those operators.
pub(crate) fn pieces(path: &Path, structure: &Structure, id: &str) -> anyhow::Result<Vec<(Model, Vec<Mat4>)>> {
    let found = formats::read_assemblies(path)?;
    let assembly = assemblies::find(&found, id).with_context(|| path.display().to_string())?;
    let model = structure.first().with_context(|| format!("{} has no atoms", path.display()))?;
    let places = assembly.places(&model.topology).with_context(|| path.display().to_string())?;
    Ok(places.into_iter().map(|(atoms, operators)| (subset_of(model, &atoms), copies_of(&operators))).collect())
}

/// An object, or the parts of its assembly with their atoms, each in its copies. The first keeps the object's identifier, the
/// others get those from `second` on.
pub(crate) fn parts(object: Object, assembly: Option<&Assembly>, second: ObjectId) -> Vec<(Object, Option<AtomSet>)> {
    let places = assembly.and_then(|assembly| assembly.places(&object.topology).ok());
    let Some(places) = places else { return vec![(object, None)] };
    let part = |(index, (atoms, operators)): (usize, (AtomSet, Vec<Operator>))| {
        let mut part = object.clone().showing_only(&atoms).copied(copies_of(&operators));
        if index > 0 {
            part.id = second + index as ObjectId - 1;
        }
        (part, Some(atoms))
    };
    places.into_iter().enumerate().map(part).collect()
}
