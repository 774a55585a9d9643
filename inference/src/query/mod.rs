//! The query: what to predict.
//!
//! The schema is the public K-Fold program's (1.0.0), with optional additions of ours that it would reject: the known
//! structure that docking needs, a pocket, a ligand given in 3D, a ligand series, engine settings. A query without the
//! additions is written exactly as K-Fold 1.0.0 reads it.
//!
//! Reading is strict (an unknown field is an error, never ignored) and takes every spelling that the public program has
//! had: see [`read`]. Every error names the entry and the field and says what to do. Paths are resolved against the
//! query file's folder when read and written relative to the folder of the new file.
//!
//! The types also have serde's traits: that form keeps a query as it stands, finished or not, for a session file of ours.

mod import;
mod node;
mod read;
mod series;
#[cfg(test)]
mod tests;
mod validate;
mod value;
mod write;

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::engine::EngineName;
use crate::kfold::settings::KFoldSettings;
use crate::settings::DockingSettings;

pub use import::{Imported, QuerySource, import, import_fasta};
pub use series::{SeriesError, read_series};

/// How a query says that the engine which can is to predict it.
pub const AUTOMATIC: &str = "auto";

/// What is wrong with a query, and where.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// The file could not be read.
    #[error("cannot read the query {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file could not be written.
    #[error("cannot write the query {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The name of the file does not say which format it has.
    #[error("{}: a query file is named .yaml, .yml or .json", path.display())]
    Format {
        /// The file.
        path: PathBuf,
    },
    /// Larger than a query can be.
    #[error("{}: {bytes} bytes are too much for a query (at most {limit})", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its size.
        bytes: u64,
        /// The largest size that is read.
        limit: u64,
    },
    /// Not YAML, not JSON, not UTF-8.
    #[error("not valid {format}: {problem}")]
    Syntax {
        /// `YAML` or `JSON`.
        format: &'static str,
        /// What the parser says, with the line.
        problem: String,
    },
    /// A field is wrong.
    #[error("{place}: {problem}")]
    Field {
        /// The entry and the field, e.g. `sequences[2].ligand.smiles`.
        place: String,
        /// What is wrong and what to do.
        problem: String,
    },
    /// One of the above, in this file.
    #[error("{}: {source}", path.display())]
    InFile {
        /// The query file.
        path: PathBuf,
        /// What is wrong in it.
        source: Box<QueryError>,
    },
}

impl QueryError {
    pub(crate) fn field(place: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::Field { place: place.into(), problem: problem.into() }
    }
}

/// The formats of a query file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QueryFormat {
    /// `.yaml`, `.yml`
    Yaml,
    /// `.json`
    Json,
}

impl QueryFormat {
    /// By the file's extension.
    #[must_use]
    pub fn of(path: &Path) -> Option<Self> {
        let extension = path.extension()?.to_str()?.to_ascii_lowercase();
        match extension.as_str() {
            "yaml" | "yml" => Some(Self::Yaml),
            "json" => Some(Self::Json),
            _ => None,
        }
    }
}

/// One query.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Query {
    /// Letters, digits, `_`, `.`, `-`; names the outputs.
    pub name: String,
    /// Entities in order.
    pub sequences: Vec<Entity>,
    /// Covalent bonds between entities.
    pub bonds: Vec<CovalentBond>,
    /// Ours: file of the receptor's known structure, used by docking as it is, with its chains, cofactors and metals.
    /// Without it docking uses the first `apo` of the only protein.
    pub structure: Option<PathBuf>,
    /// Ours: where the ligand binds.
    pub pocket: Option<Pocket>,
    /// Ours: ligands docked one by one to the same receptor.
    pub series: Vec<SeriesLigand>,
    /// Sequential assembly (K-Fold later than 1.0.0); only K-Fold does it.
    pub assembly: Option<Assembly>,
    /// Ours: the engine and its settings that the author of the query chose.
    pub engine: Option<QueryEngine>,
}

/// One entry of `sequences`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Entity {
    /// A protein.
    Protein(Polymer),
    /// DNA.
    Dna(Polymer),
    /// RNA.
    Rna(Polymer),
    /// A small molecule.
    Ligand(Ligand),
    /// Two proteins that share an apo frame.
    ProteinPair(ProteinPair),
}

/// A chain of residues, in one or more copies.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Polymer {
    /// Chain ids, one for each copy.
    pub ids: Vec<String>,
    /// One-letter sequence.
    pub sequence: String,
    /// Modified residues.
    pub modifications: Vec<Modification>,
    /// Unbound structures of this protein (proteins only).
    pub apo: Vec<PathBuf>,
    /// Prior structures (proteins only, with `apo`).
    pub prior: Vec<PathBuf>,
    /// Free text.
    pub description: Option<String>,
}

/// Two protein components; copy `i` is `ids1[i]` with `ids2[i]`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ProteinPair {
    /// Chain ids of the first component.
    pub ids1: Vec<String>,
    /// Chain ids of the second component.
    pub ids2: Vec<String>,
    /// One-letter sequence of the first component.
    pub sequence1: String,
    /// One-letter sequence of the second component.
    pub sequence2: String,
    /// Modified residues of the first component.
    pub modifications1: Vec<Modification>,
    /// Modified residues of the second component.
    pub modifications2: Vec<Modification>,
    /// Unbound structures of the pair.
    pub apo: Vec<PathBuf>,
    /// Prior structures.
    pub prior: Vec<PathBuf>,
    /// Free text.
    pub description: Option<String>,
}

/// A ligand in one or more copies.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ligand {
    /// Chain ids, one for each copy.
    pub ids: Vec<String>,
    /// What it is.
    pub source: LigandSource,
    /// Free text.
    pub description: Option<String>,
}

/// How a ligand is given.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum LigandSource {
    /// SMILES.
    Smiles(String),
    /// Component codes, several for a chain of components (glycans).
    Ccd(Vec<String>),
    /// Ours: one record of an SDF or MOL file with 3D coordinates.
    Sdf {
        /// The file.
        file: PathBuf,
        /// The record, from 1.
        record: u32,
    },
}

impl LigandSource {
    /// The first record of a file.
    pub fn sdf(file: impl Into<PathBuf>) -> Self {
        Self::Sdf { file: file.into(), record: 1 }
    }
}

/// A residue replaced by a component.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Modification {
    /// Position in the sequence, from 1.
    pub index: u32,
    /// Component code.
    pub ccd: String,
}

/// A covalent bond between two atoms of the query.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CovalentBond {
    /// One end.
    pub atom1: AtomReference,
    /// The other.
    pub atom2: AtomReference,
}

/// An atom by chain id, residue position from 1 and atom name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AtomReference {
    /// Chain id of the query.
    pub chain: String,
    /// Position in the chain, from 1.
    pub residue: u32,
    /// Atom name.
    pub atom: String,
}

/// Where the ligand binds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Pocket {
    /// The box around these residues' atoms.
    Residues {
        /// Author's chain id and residue number with insertion code, e.g. `A:145`.
        residues: Vec<String>,
        /// Å added on every side.
        padding: f32,
    },
    /// A box.
    Box {
        /// Å.
        center: [f32; 3],
        /// Edge lengths in Å.
        size: [f32; 3],
    },
    /// The box around a ligand in a file (SDF or PDB), which also serves as reference for the RMSD.
    Ligand {
        /// The file.
        file: PathBuf,
        /// Å added on every side.
        padding: f32,
    },
}

/// One ligand of a series.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SeriesLigand {
    /// Name, unique in the series.
    pub name: String,
    /// What it is: SMILES or SDF.
    pub source: LigandSource,
    /// Measured affinity as pK = -log10(M), when known.
    pub measured_pk: Option<f32>,
}

/// Predict parts of the complex first and carry them on as rigid priors.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assembly {
    /// The stages in order; the complete complex follows by itself.
    pub stages: Vec<AssemblyStage>,
    /// How the prediction of a stage is chosen; `confidence_top1` is the only way known.
    pub selection: String,
}

/// One stage of an [`Assembly`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssemblyStage {
    /// Name, unique; `final` is reserved.
    pub id: String,
    /// Chain ids predicted together.
    pub chains: Vec<String>,
}

/// The engine a query asks for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct QueryEngine {
    /// Which; `None` is `auto`, the one that can where it is run.
    pub name: Option<EngineName>,
    /// Docking settings, when the query has any; fields it leaves out have their defaults.
    pub docking: Option<DockingSettings>,
    /// K-Fold settings, likewise.
    pub kfold: Option<KFoldSettings>,
}

impl Entity {
    /// The field that holds it in a file: `protein`, `ligand` and so on.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Protein(_) => "protein",
            Self::Dna(_) => "dna",
            Self::Rna(_) => "rna",
            Self::Ligand(_) => "ligand",
            Self::ProteinPair(_) => "protein_pair",
        }
    }

    /// Chain ids in the order of K-Fold's chains, with the number of residues of each.
    #[must_use]
    pub fn chains(&self) -> Vec<(&str, usize)> {
        match self {
            Self::Protein(polymer) | Self::Dna(polymer) | Self::Rna(polymer) => {
                polymer.ids.iter().map(|id| (id.as_str(), polymer.sequence.len())).collect()
            }
            Self::Ligand(ligand) => {
                let length = if let LigandSource::Ccd(codes) = &ligand.source { codes.len() } else { 1 };
                ligand.ids.iter().map(|id| (id.as_str(), length)).collect()
            }
            Self::ProteinPair(pair) => pair
                .ids1
                .iter()
                .zip(&pair.ids2)
                .flat_map(|(id1, id2)| [(id1.as_str(), pair.sequence1.len()), (id2.as_str(), pair.sequence2.len())])
                .collect(),
        }
    }
}

impl Query {
    /// The ligand entries in order.
    pub fn ligands(&self) -> impl Iterator<Item = &Ligand> {
        self.sequences.iter().filter_map(|entity| if let Entity::Ligand(ligand) = entity { Some(ligand) } else { None })
    }

    /// The query with one ligand of its series as an entry beside the others, under a chain id that it does not have, and without
    /// the series.
    #[must_use]
    pub fn with_ligand(&self, ligand: &SeriesLigand) -> Self {
        let mut query = Self { series: Vec::new(), ..self.clone() };
        let chains = query.sequences.iter().flat_map(Entity::chains);
        let taken: HashSet<String> = chains.map(|(id, _)| id.to_owned()).collect();
        let mut number = 0;
        let mut id = "L".to_owned();
        while taken.contains(&id) {
            number += 1;
            id = format!("L{number}");
        }
        let (ids, source) = (vec![id], ligand.source.clone());
        query.sequences.push(Entity::Ligand(Ligand { ids, source, description: None }));
        query
    }

    /// The engine that the query names; `None` where it leaves that open.
    #[must_use]
    pub fn engine_name(&self) -> Option<EngineName> {
        self.engine.as_ref().and_then(|engine| engine.name)
    }

    /// The known structure of the receptor: `structure`, else the first `apo` of the only protein entry.
    #[must_use]
    pub fn receptor_file(&self) -> Option<&Path> {
        if let Some(path) = &self.structure {
            return Some(path);
        }
        let mut proteins = self.sequences.iter().filter_map(|entity| match entity {
            Entity::Protein(polymer) => Some(&polymer.apo),
            Entity::ProteinPair(pair) => Some(&pair.apo),
            Entity::Dna(_) | Entity::Rna(_) | Entity::Ligand(_) => None,
        });
        let only = proteins.next()?;
        if proteins.next().is_some() {
            return None;
        }
        only.first().map(PathBuf::as_path)
    }

    /// Every file the query names, each with its place in the query.
    #[must_use]
    pub fn files(&self) -> Vec<(String, &Path)> {
        let mut copy = Vec::new();
        self.visit_files(&mut |place, path| copy.push((place, path.as_path())));
        copy
    }

    fn visit_files<'a>(&'a self, visit: &mut dyn FnMut(String, &'a PathBuf)) {
        for (index, entity) in self.sequences.iter().enumerate() {
            let place = format!("sequences[{index}].{}", entity.kind());
            match entity {
                Entity::Protein(Polymer { apo, prior, .. })
                | Entity::Dna(Polymer { apo, prior, .. })
                | Entity::Rna(Polymer { apo, prior, .. })
                | Entity::ProteinPair(ProteinPair { apo, prior, .. }) => {
                    for (field, paths) in [("apo", apo), ("prior", prior)] {
                        for (number, path) in paths.iter().enumerate() {
                            visit(format!("{place}.{field}[{number}]"), path);
                        }
                    }
                }
                Entity::Ligand(Ligand { source: LigandSource::Sdf { file, .. }, .. }) => {
                    visit(format!("{place}.sdf"), file);
                }
                Entity::Ligand(_) => {}
            }
        }
        if let Some(path) = &self.structure {
            visit("structure".into(), path);
        }
        if let Some(Pocket::Ligand { file, .. }) = &self.pocket {
            visit("pocket.ligand".into(), file);
        }
        for (index, ligand) in self.series.iter().enumerate() {
            if let LigandSource::Sdf { file, .. } = &ligand.source {
                visit(format!("series[{index}].sdf"), file);
            }
        }
    }

    /// Replaces every path of the query by what `map` makes of it.
    pub fn map_files<E>(&mut self, map: &mut dyn FnMut(&Path) -> Result<PathBuf, E>) -> Result<(), E> {
        for entity in &mut self.sequences {
            match entity {
                Entity::Protein(Polymer { apo, prior, .. })
                | Entity::Dna(Polymer { apo, prior, .. })
                | Entity::Rna(Polymer { apo, prior, .. })
                | Entity::ProteinPair(ProteinPair { apo, prior, .. }) => {
                    for path in apo.iter_mut().chain(prior) {
                        *path = map(path)?;
                    }
                }
                Entity::Ligand(Ligand { source: LigandSource::Sdf { file, .. }, .. }) => *file = map(file)?,
                Entity::Ligand(_) => {}
            }
        }
        if let Some(path) = &mut self.structure {
            *path = map(path)?;
        }
        if let Some(Pocket::Ligand { file, .. }) = &mut self.pocket {
            *file = map(file)?;
        }
        for ligand in &mut self.series {
            if let LigandSource::Sdf { file, .. } = &mut ligand.source {
                *file = map(file)?;
            }
        }
        Ok(())
    }
}
