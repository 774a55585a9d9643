//! K-Fold's rules for a query, and ours for what we add.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use super::{
    Assembly, AtomReference, CovalentBond, Entity, LigandSource, Modification, Pocket, Query, QueryError, SeriesLigand,
};

/// The letters of a protein sequence; `X` is an unknown residue.
const PROTEIN_LETTERS: &str = "ARNDCQEGHILKMFPSTWYVX";
const DNA_LETTERS: &str = "AGCTN";
const RNA_LETTERS: &str = "AGCUN";

/// Longest edge of a search box in Å: larger than any protein, small enough that its grids fit in memory.
const MAX_BOX_EDGE: f32 = 250.0;
/// Coordinates beyond this cannot come from a structure file.
const MAX_COORDINATE: f32 = 100_000.0;
/// Ligands of one series.
const MAX_SERIES: usize = 100_000;

type Result<T = (), E = QueryError> = std::result::Result<T, E>;

impl Query {
    /// Checks every rule that needs no file.
    ///
    /// # Errors
    /// [`QueryError::Field`] with the place of the first problem.
    pub fn validate(&self) -> Result {
        if !is_name(&self.name) {
            return Err(QueryError::field(
                "name",
                format!(
                    "`{}` cannot name a prediction; begin with a letter or digit and use letters, digits, `_`, `.`, `-`",
                    self.name
                ),
            ));
        }
        if self.sequences.is_empty() && self.series.is_empty() {
            return Err(QueryError::field("sequences", "there is no entry; add at least one"));
        }
        let mut lengths = HashMap::new();
        for (index, entity) in self.sequences.iter().enumerate() {
            let place = format!("sequences[{index}].{}", entity.kind());
            validate_entity(entity, &place)?;
            for (chain, length) in entity.chains() {
                if lengths.insert(chain.to_owned(), length).is_some() {
                    return Err(QueryError::field(
                        format!("{place}.id"),
                        format!("the chain id `{chain}` is used twice; every chain of the query needs its own"),
                    ));
                }
            }
        }
        validate_bonds(&self.bonds, &lengths)?;
        if let Some(assembly) = &self.assembly {
            self.validate_assembly(assembly, &lengths)?;
        }
        if let Some(pocket) = &self.pocket {
            validate_pocket(pocket)?;
        }
        validate_series(&self.series)?;
        if let Some(docking) = self.engine.as_ref().and_then(|engine| engine.docking.as_ref()) {
            docking
                .validate()
                .map_err(|(field, problem)| QueryError::field(format!("engine.docking.{field}"), problem))?;
        }
        if let Some(kfold) = self.engine.as_ref().and_then(|engine| engine.kfold.as_ref()) {
            kfold.validate().map_err(|(field, problem)| QueryError::field(format!("engine.kfold.{field}"), problem))?;
        }
        Ok(())
    }

    /// Checks that the files the query names exist.
    ///
    /// # Errors
    /// [`QueryError::Field`] with the place of the first file that is not there.
    pub fn check_files(&self) -> Result {
        for (place, path) in self.files() {
            match std::fs::metadata(path) {
                Ok(metadata) if metadata.is_file() => {}
                Ok(_) => return Err(QueryError::field(place, format!("{} is not a file", path.display()))),
                Err(error) => return Err(QueryError::field(place, format!("{}: {error}", path.display()))),
            }
        }
        Ok(())
    }

    fn validate_assembly(&self, assembly: &Assembly, lengths: &HashMap<String, usize>) -> Result {
        if assembly.selection != "confidence_top1" {
            return Err(QueryError::field(
                "assembly.selection",
                format!("`{}` is not known; the only selection is confidence_top1", assembly.selection),
            ));
        }
        if assembly.stages.is_empty() {
            return Err(QueryError::field("assembly.stages", "there is no stage; remove `assembly` or add one"));
        }
        let mut ids = HashSet::new();
        for (index, stage) in assembly.stages.iter().enumerate() {
            let place = format!("assembly.stages[{index}]");
            if !is_name(&stage.id) || stage.id == "final" {
                return Err(QueryError::field(
                    format!("{place}.id"),
                    format!("`{}` cannot name a stage; use letters, digits, `_`, `.`, `-`, and not `final`", stage.id),
                ));
            }
            if !ids.insert(&stage.id) {
                return Err(QueryError::field(format!("{place}.id"), format!("`{}` is used twice", stage.id)));
            }
            let chains: HashSet<&str> = stage.chains.iter().map(String::as_str).collect();
            let place = format!("{place}.chains");
            if chains.is_empty() || chains.len() != stage.chains.len() {
                return Err(QueryError::field(place, "name each chain of the stage once, and at least one"));
            }
            if let Some(unknown) = chains.iter().find(|chain| !lengths.contains_key(**chain)) {
                return Err(QueryError::field(place, format!("there is no chain `{unknown}` in `sequences`")));
            }
            for entity in &self.sequences {
                let Entity::ProteinPair(pair) = entity else { continue };
                for (id1, id2) in pair.ids1.iter().zip(&pair.ids2) {
                    if chains.contains(id1.as_str()) != chains.contains(id2.as_str()) {
                        return Err(QueryError::field(
                            place,
                            format!("the protein pair {id1} and {id2} cannot be split between stages"),
                        ));
                    }
                }
            }
            for bond in &self.bonds {
                if chains.contains(bond.atom1.chain.as_str()) != chains.contains(bond.atom2.chain.as_str()) {
                    return Err(QueryError::field(
                        place,
                        format!("the stage cuts the bond {} - {}", AtomText(&bond.atom1), AtomText(&bond.atom2)),
                    ));
                }
            }
        }
        Ok(())
    }
}

pub(super) fn is_name(text: &str) -> bool {
    text.len() <= 200
        && text.starts_with(|first: char| first.is_ascii_alphanumeric())
        && text.chars().all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '.' | '-'))
}

/// Whether a chain can be called this.
pub(super) fn is_chain_id(id: &str) -> bool {
    id.len() <= 64
        && id.starts_with(|first: char| first.is_ascii_alphabetic())
        && id.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
}

fn validate_ids(ids: &[String], place: &str) -> Result {
    if ids.is_empty() {
        return Err(QueryError::field(place, "there is no chain id; give one for each copy"));
    }
    for (index, id) in ids.iter().enumerate() {
        if !is_chain_id(id) {
            return Err(QueryError::field(
                place,
                format!("`{id}` is no chain id; begin with a letter and use letters, digits and `_`"),
            ));
        }
        if ids[..index].contains(id) {
            return Err(QueryError::field(place, format!("the chain id `{id}` is used twice")));
        }
    }
    Ok(())
}

fn validate_ccd(code: &str, place: &str) -> Result {
    let valid = !code.is_empty()
        && code.len() <= 16
        && code.chars().all(|letter| letter.is_ascii_uppercase() || letter.is_ascii_digit());
    if valid {
        return Ok(());
    }
    Err(QueryError::field(place, format!("`{code}` is no component code; use upper-case letters and digits")))
}

fn validate_polymer(
    sequence: &str,
    modifications: &[Modification],
    letters: &str,
    kind: &str,
    place: &str,
    suffix: &str,
) -> Result {
    let sequence_place = format!("{place}.sequence{suffix}");
    if sequence.is_empty() {
        return Err(QueryError::field(sequence_place, "the sequence is empty"));
    }
    if let Some((position, letter)) = sequence.chars().enumerate().find(|(_, letter)| !letters.contains(*letter)) {
        let advice = if letter.is_whitespace() {
            "remove blanks and line breaks".into()
        } else if letters.contains(letter.to_ascii_uppercase()) {
            "use upper case".into()
        } else {
            format!("the letters are {letters}; give modified residues under `modifications`")
        };
        return Err(QueryError::field(
            sequence_place,
            format!("`{}` at position {} is no {kind} residue; {advice}", letter.escape_default(), position + 1),
        ));
    }
    let mut seen = HashSet::new();
    for (number, modification) in modifications.iter().enumerate() {
        let place = format!("{place}.modifications{suffix}[{number}]");
        if modification.index == 0 || modification.index as usize > sequence.len() {
            return Err(QueryError::field(
                format!("{place}.index"),
                format!("position {} is outside the sequence (1 to {})", modification.index, sequence.len()),
            ));
        }
        if !seen.insert(modification.index) {
            return Err(QueryError::field(
                format!("{place}.index"),
                format!("position {} is modified twice", modification.index),
            ));
        }
        validate_ccd(&modification.ccd, &format!("{place}.ccd"))?;
    }
    Ok(())
}

fn validate_structures(apo: &[PathBuf], prior: &[PathBuf], place: &str) -> Result {
    if apo.is_empty() && !prior.is_empty() {
        return Err(QueryError::field(format!("{place}.prior"), "prior structures need `apo` structures beside them"));
    }
    for (field, paths) in [("apo", apo), ("prior", prior)] {
        let mut seen: HashSet<&Path> = HashSet::new();
        if let Some(twice) = paths.iter().find(|path| !seen.insert(path)) {
            return Err(QueryError::field(format!("{place}.{field}"), format!("{} is given twice", twice.display())));
        }
    }
    Ok(())
}

fn validate_entity(entity: &Entity, place: &str) -> Result {
    match entity {
        Entity::Protein(polymer) | Entity::Dna(polymer) | Entity::Rna(polymer) => {
            validate_ids(&polymer.ids, &format!("{place}.id"))?;
            let (letters, kind) = match entity {
                Entity::Dna(_) => (DNA_LETTERS, "DNA"),
                Entity::Rna(_) => (RNA_LETTERS, "RNA"),
                _ => (PROTEIN_LETTERS, "protein"),
            };
            validate_polymer(&polymer.sequence, &polymer.modifications, letters, kind, place, "")?;
            let has_structures = !polymer.apo.is_empty() || !polymer.prior.is_empty();
            if has_structures && !matches!(entity, Entity::Protein(_)) {
                return Err(QueryError::field(
                    format!("{place}.apo"),
                    "given structures belong to proteins; remove it",
                ));
            }
            validate_structures(&polymer.apo, &polymer.prior, place)
        }
        Entity::ProteinPair(pair) => {
            validate_ids(&pair.ids1, &format!("{place}.id1"))?;
            validate_ids(&pair.ids2, &format!("{place}.id2"))?;
            if pair.ids1.len() != pair.ids2.len() {
                return Err(QueryError::field(
                    format!("{place}.id2"),
                    format!(
                        "`id1` has {} chain ids and `id2` {}; copy i of the pair is the i-th of both",
                        pair.ids1.len(),
                        pair.ids2.len()
                    ),
                ));
            }
            validate_polymer(&pair.sequence1, &pair.modifications1, PROTEIN_LETTERS, "protein", place, "1")?;
            validate_polymer(&pair.sequence2, &pair.modifications2, PROTEIN_LETTERS, "protein", place, "2")?;
            validate_structures(&pair.apo, &pair.prior, place)
        }
        Entity::Ligand(ligand) => {
            validate_ids(&ligand.ids, &format!("{place}.id"))?;
            validate_ligand(&ligand.source, place)
        }
    }
}

fn validate_ligand(source: &LigandSource, place: &str) -> Result {
    match source {
        LigandSource::Smiles(smiles) => {
            if smiles.trim().is_empty() {
                return Err(QueryError::field(format!("{place}.smiles"), "the SMILES is empty"));
            }
            kfold_molecule::chemistry::smiles::parse(smiles)
                .and_then(|molecule| kfold_molecule::chemistry::refuse_unbuildable(&molecule))
                .map_err(|error| QueryError::field(format!("{place}.smiles"), error.to_string()))?;
            Ok(())
        }
        LigandSource::Ccd(codes) => {
            if codes.is_empty() {
                return Err(QueryError::field(format!("{place}.ccd"), "there is no component code; give at least one"));
            }
            codes.iter().try_for_each(|code| validate_ccd(code, &format!("{place}.ccd")))
        }
        LigandSource::Sdf { record, .. } => {
            if *record == 0 {
                return Err(QueryError::field(format!("{place}.record"), "records count from 1"));
            }
            Ok(())
        }
    }
}

fn validate_bonds(bonds: &[CovalentBond], lengths: &HashMap<String, usize>) -> Result {
    let mut seen = HashSet::new();
    for (index, bond) in bonds.iter().enumerate() {
        let place = format!("bonds[{index}]");
        for atom in [&bond.atom1, &bond.atom2] {
            let Some(length) = lengths.get(&atom.chain) else {
                return Err(QueryError::field(place, format!("there is no chain `{}` in `sequences`", atom.chain)));
            };
            if atom.residue == 0 || atom.residue as usize > *length {
                return Err(QueryError::field(
                    place,
                    format!("position {} is outside chain `{}` (1 to {length})", atom.residue, atom.chain),
                ));
            }
            if atom.atom.is_empty() || atom.atom.chars().any(char::is_whitespace) {
                return Err(QueryError::field(place, format!("`{}` is no atom name", atom.atom)));
            }
        }
        let key = |atom: &AtomReference| (atom.chain.clone(), atom.residue, atom.atom.clone());
        let (mut first, mut second) = (key(&bond.atom1), key(&bond.atom2));
        if first == second {
            return Err(QueryError::field(place, "a bond joins two different atoms"));
        }
        if first > second {
            std::mem::swap(&mut first, &mut second);
        }
        if !seen.insert((first, second)) {
            return Err(QueryError::field(place, "this bond is already in the list; remove one"));
        }
    }
    Ok(())
}

fn validate_pocket(pocket: &Pocket) -> Result {
    let check_padding = |padding: f32| {
        if (0.0..=50.0).contains(&padding) {
            Ok(())
        } else {
            Err(QueryError::field("pocket.padding", format!("{padding} Å is not between 0 and 50 Å")))
        }
    };
    match pocket {
        Pocket::Residues { residues, padding } => {
            if residues.is_empty() {
                return Err(QueryError::field("pocket.residues", "there is no residue; name at least one, as A:145"));
            }
            for (index, residue) in residues.iter().enumerate() {
                if !is_residue(residue) {
                    return Err(QueryError::field(
                        format!("pocket.residues[{index}]"),
                        format!(
                            "`{residue}` is no residue; write the chain, a colon and the number, as A:145 or A:52B"
                        ),
                    ));
                }
            }
            check_padding(*padding)
        }
        Pocket::Box { center, size } => {
            if center.iter().any(|value| value.is_nan() || value.abs() > MAX_COORDINATE) {
                return Err(QueryError::field("pocket.center", "the centre is not a place in a structure (Å)"));
            }
            if size.iter().any(|edge| !(*edge > 0.0 && *edge <= MAX_BOX_EDGE)) {
                return Err(QueryError::field(
                    "pocket.size",
                    format!("every edge must be longer than 0 and at most {MAX_BOX_EDGE} Å"),
                ));
            }
            Ok(())
        }
        Pocket::Ligand { padding, .. } => check_padding(*padding),
    }
}

/// `A:145`, `A:52B`, `:7` in files without chain ids.
fn is_residue(text: &str) -> bool {
    let Some((chain, number)) = text.rsplit_once(':') else { return false };
    let number = number.strip_suffix(|last: char| last.is_ascii_alphabetic()).unwrap_or(number);
    chain.len() <= 16 && !chain.chars().any(char::is_whitespace) && number.parse::<i32>().is_ok()
}

fn validate_series(series: &[SeriesLigand]) -> Result {
    if series.len() > MAX_SERIES {
        return Err(QueryError::field(
            "series",
            format!("{} ligands are too many for one query (at most {MAX_SERIES}); split it", series.len()),
        ));
    }
    let mut names = HashSet::new();
    for (index, ligand) in series.iter().enumerate() {
        let place = format!("series[{index}]");
        if ligand.name.trim().is_empty() || ligand.name.len() > 200 || ligand.name.chars().any(char::is_control) {
            return Err(QueryError::field(format!("{place}.id"), "a name has 1 to 200 characters on one line"));
        }
        if !names.insert(ligand.name.as_str()) {
            return Err(QueryError::field(format!("{place}.id"), format!("the name `{}` is used twice", ligand.name)));
        }
        if let LigandSource::Ccd(_) = ligand.source {
            return Err(QueryError::field(place, "a ligand of a series is given by `smiles` or `sdf`"));
        }
        validate_ligand(&ligand.source, &place)?;
        if ligand.measured_pk.is_some_and(|pk| !(-5.0..=20.0).contains(&pk)) {
            return Err(QueryError::field(
                format!("{place}.measured_pk"),
                "a pK is -log10 of the affinity in mol/L and lies between -5 and 20; is this another unit?",
            ));
        }
    }
    Ok(())
}

/// `A:12:ND2`
struct AtomText<'a>(&'a AtomReference);

impl std::fmt::Display for AtomText<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}:{}:{}", self.0.chain, self.0.residue, self.0.atom)
    }
}
