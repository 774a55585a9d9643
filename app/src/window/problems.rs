//! Why the prediction cannot start yet, as one sentence that names the next step.

use kfold_inference::engine::EngineName;
use kfold_inference::kfold::engine::check_query;
use kfold_inference::query::{Entity, Ligand, LigandSource, Pocket, Query};

use super::app::Studio;
use super::background::{LigandKey, Loaded};
use super::document::{PolymerKind, box_around, polymer_of, sequences_of};
use crate::texts::Texts;

/// Whether a query can be called this: the name becomes file names.
#[must_use]
pub fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 100
        && !name.starts_with(['.', '-'])
        && name.chars().all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '.' | '-'))
}

/// The sentence about the first wrong letter of a sequence.
#[must_use]
pub fn wrong_letter_text(texts: &Texts, kind: PolymerKind, sequence: &str) -> Option<String> {
    let (place, letter) = kind.wrong_letter(sequence)?;
    let key = match kind {
        PolymerKind::Protein => "problem-letter-protein",
        PolymerKind::Dna => "problem-letter-dna",
        PolymerKind::Rna => "problem-letter-rna",
    };
    Some(texts.with(key, [("letter", letter.to_string().into()), ("position", (place + 1).into())]))
}

impl Studio {
    /// The first thing to do before the prediction can start; `None` when it can.
    pub(super) fn first_problem(&mut self) -> Option<String> {
        let query = std::mem::take(&mut self.document.query);
        let problem = self.first_problem_of(&query);
        self.document.query = query;
        problem
    }

    fn first_problem_of(&mut self, query: &Query) -> Option<String> {
        let texts = self.texts.clone();
        if let Some(problem) = query
            .sequences
            .iter()
            .flat_map(sequences_of)
            .find_map(|(kind, sequence)| wrong_letter_text(&texts, kind, sequence))
        {
            return Some(problem);
        }
        if query.sequences.iter().flat_map(sequences_of).any(|(_, sequence)| sequence.is_empty()) {
            return Some(texts.get("problem-empty-sequence"));
        }
        if self.document.is_automatic {
            // One way is enough; which, is found out when it starts.
            let for_kfold = self.first_problem_for_kfold(query);
            return for_kfold.and_then(|_| self.first_problem_for_docking(query));
        }
        match self.document.settings.engine {
            EngineName::KFold => self.first_problem_for_kfold(query),
            EngineName::Docking => self.first_problem_for_docking(query),
        }
    }

    fn first_problem_for_docking(&mut self, query: &Query) -> Option<String> {
        let texts = self.texts.clone();
        let Some(path) = query.receptor_file().map(std::path::Path::to_path_buf) else {
            let states = query.sequences.iter().filter_map(polymer_of).any(|(_, polymer)| polymer.apo.len() > 1);
            return Some(texts.get(if states { "problem-several-proteins" } else { "problem-no-structure" }));
        };
        match self.library.structure(&self.background, &path) {
            Loaded::Waiting => return Some(texts.get("problem-structure-reading")),
            Loaded::Failed(_) => return Some(texts.get("problem-structure-failed")),
            Loaded::Ready(_) => {}
        }
        let mut ligands = 0;
        for entity in &query.sequences {
            let Entity::Ligand(ligand) = entity else { continue };
            ligands += 1;
            let key = match &ligand.source {
                LigandSource::Smiles(smiles) if smiles.is_empty() => return Some(texts.get("problem-empty-smiles")),
                LigandSource::Smiles(smiles) => LigandKey::Smiles(smiles.clone()),
                LigandSource::Sdf { file, .. } => LigandKey::File(file.clone()),
                LigandSource::Ccd(codes) => match &codes[..] {
                    [code] => LigandKey::Component(code.clone()),
                    _ => return Some(texts.get("ligand-ccd")),
                },
            };
            match self.library.ligand(&self.background, &key) {
                Loaded::Failed(_) => return Some(texts.get("problem-wrong-ligand")),
                Loaded::Waiting => return Some(texts.get("ligand-drawing")),
                Loaded::Ready(_) => {}
            }
        }
        let docks = ligands > 0 || !query.series.is_empty();
        if !docks && self.document.settings.docking.ensemble_conformers == 0 {
            return Some(texts.get("problem-no-ligand"));
        }
        // Without a pocket the engine looks for one.
        if docks && query.pocket.is_some() && self.search_box(query).is_none() {
            return Some(self.pocket_problem(query).unwrap_or_else(|| texts.get("problem-pocket-reading")));
        }
        if !is_name(&query.name) {
            return Some(texts.get(if query.name.is_empty() { "problem-no-name" } else { "problem-name" }));
        }
        None
    }

    fn first_problem_for_kfold(&self, query: &Query) -> Option<String> {
        let texts = &self.texts;
        if query.sequences.is_empty() {
            return Some(texts.get("problem-no-entry"));
        }
        let is_empty = |ligand: &Ligand| matches!(&ligand.source, LigandSource::Smiles(smiles) if smiles.is_empty());
        if query.ligands().any(is_empty) {
            return Some(texts.get("problem-empty-smiles"));
        }
        if let Err(error) = check_query(query) {
            return Some(error.to_string());
        }
        if !is_name(&query.name) {
            return Some(texts.get(if query.name.is_empty() { "problem-no-name" } else { "problem-name" }));
        }
        let models = self.document.settings.kfold.model_folder();
        if models.config_file().is_none() {
            let folder = super::format::path(models.path());
            return Some(texts.with("problem-no-weights", [("folder", folder.into())]));
        }
        None
    }

    /// Centre and edge lengths in Å of the box that the query's pocket means, when what it names is read.
    pub(super) fn search_box(&mut self, query: &Query) -> Option<(glam::Vec3, glam::Vec3)> {
        match query.pocket.as_ref()? {
            Pocket::Box { center, size } => Some(((*center).into(), (*size).into())),
            Pocket::Ligand { file, padding } => {
                let points = self.library.ligand_points(&self.background, file)?;
                box_around(points.iter().copied(), *padding)
            }
            Pocket::Residues { residues, padding } => {
                let path = query.receptor_file()?.to_path_buf();
                let Loaded::Ready(structure) = self.library.structure(&self.background, &path) else { return None };
                let model = structure.first()?;
                let mut points = Vec::new();
                for name in residues {
                    let residue = find_residue(&model.topology, name)?;
                    points
                        .extend(model.topology.atoms_of(residue).filter_map(|atom| model.positions.get(atom)).copied());
                }
                box_around(points, *padding)
            }
        }
    }

    /// What is wrong with the pocket, when something is.
    pub(super) fn pocket_problem(&mut self, query: &Query) -> Option<String> {
        let texts = self.texts.clone();
        match query.pocket.as_ref()? {
            Pocket::Box { .. } => None,
            Pocket::Ligand { file, .. } => self.library.ligand_points_failure(file),
            Pocket::Residues { residues, .. } => {
                if residues.is_empty() {
                    return Some(texts.get("problem-no-residues"));
                }
                let path = query.receptor_file()?.to_path_buf();
                let Loaded::Ready(structure) = self.library.structure(&self.background, &path) else { return None };
                let model = structure.first()?;
                let missing = residues.iter().find(|name| find_residue(&model.topology, name).is_none())?;
                Some(texts.with("problem-residue", [("name", missing.clone().into())]))
            }
        }
    }
}

/// The residue that `A:145` or `A:145B` names: author's chain id, number, insertion code.
#[must_use]
pub fn find_residue<'a>(
    topology: &'a kfold_molecule::structure::Topology,
    name: &str,
) -> Option<&'a kfold_molecule::structure::Residue> {
    let (chain_id, number) = name.split_once(':')?;
    topology
        .chains
        .iter()
        .filter(|chain| chain.id == chain_id)
        .flat_map(|chain| topology.residues.get(chain.residues.start as usize..chain.residues.end as usize))
        .flatten()
        .find(|residue| residue.number_text() == number)
}

#[cfg(test)]
mod tests {
    use super::is_name;

    #[test]
    fn names_become_file_names() {
        for good in ["a", "egfr_1M17", "x-1.2"] {
            assert!(is_name(good), "{good}");
        }
        for bad in ["", "a b", "../x", "한글", "-x", ".hidden", "a/b"] {
            assert!(!is_name(bad), "{bad}");
        }
    }
}
