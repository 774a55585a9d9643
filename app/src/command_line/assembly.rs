//! A biological assembly as what is drawn once, with the places of its copies.

use std::path::Path;

use anyhow::Context;
use glam::Mat4;
use kfold_molecule::assemblies::{self, Assembly, ChainNames, Chains, Operator, Part};
use kfold_molecule::{Model, Structure, formats};

/// The chains of the first model that the same operators move, with those operators.
pub(super) fn pieces(path: &Path, structure: &Structure, id: &str) -> anyhow::Result<Vec<(Model, Vec<Mat4>)>> {
    let found = formats::read_assemblies(path)?;
    let assembly = assemblies::find(&found, id).with_context(|| path.display().to_string())?;
    let first =
        Structure { name: structure.name.clone(), models: structure.models.first().cloned().into_iter().collect() };
    let mut pieces: Vec<(&Chains, Vec<Operator>)> = Vec::new();
    for Part { operator, chains } in &assembly.parts {
        match pieces.iter_mut().find(|(held, _)| *held == chains) {
            // Listed twice, there once.
            Some((_, operators)) if operators.contains(operator) => {}
            Some((_, operators)) => operators.push(*operator),
            None => pieces.push((chains, vec![*operator])),
        }
    }
    let mut made = Vec::new();
    for (chains, operators) in pieces {
        let still = Operator { rotation: glam::DMat3::IDENTITY, translation: glam::DVec3::ZERO };
        let own = Assembly {
            id: assembly.id.clone(),
            details: String::new(),
            parts: vec![Part { operator: still, chains: chains.clone() }],
        };
        let structure = match own.build(&first, ChainNames::Numbered) {
            // An entry may list chains without atoms beside others.
            Err(assemblies::AssemblyError::NoAtoms(_)) => continue,
            built => built.with_context(|| path.display().to_string())?,
        };
        let matrix = |operator: &Operator| {
            Mat4::from_mat3_translation(operator.rotation.as_mat3(), operator.translation.as_vec3())
        };
        let copies: Vec<Mat4> = operators.iter().map(matrix).collect();
        made.extend(structure.models.into_iter().map(|model| (model, copies.clone())));
    }
    let atoms: usize = made.iter().map(|(model, copies)| model.positions.len() * copies.len()).sum();
    if made.is_empty() {
        return Err(assemblies::AssemblyError::NoAtoms(assembly.id.clone()).into());
    }
    if atoms > assemblies::MOST_ATOMS {
        return Err(assemblies::AssemblyError::TooLarge { id: assembly.id.clone() }.into());
    }
    Ok(made)
}
