//! The query: what to predict.
//!
//! The schema is the public K-Fold program's (1.0.0), with optional additions of ours that it would reject: the known
//! structure that docking needs, a pocket, a ligand given in 3D, a ligand series, engine settings. A query without the
//! additions is written exactly as K-Fold 1.0.0 reads it.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// One query.
#[derive(Clone, Debug, Default, PartialEq)]
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
}

/// One entry of `sequences`.
#[derive(Clone, Debug, PartialEq)]
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
#[derive(Clone, Debug, Default, PartialEq)]
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
#[derive(Clone, Debug, Default, PartialEq)]
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
#[derive(Clone, Debug, PartialEq)]
pub struct Ligand {
    /// Chain ids, one for each copy.
    pub ids: Vec<String>,
    /// What it is.
    pub source: LigandSource,
    /// Free text.
    pub description: Option<String>,
}

/// How a ligand is given.
#[derive(Clone, Debug, PartialEq)]
pub enum LigandSource {
    /// SMILES.
    Smiles(String),
    /// Component codes, several for a chain of components (glycans).
    Ccd(Vec<String>),
    /// Ours: an SDF or MOL file with 3D coordinates; the first record counts.
    Sdf(PathBuf),
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
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CovalentBond {
    /// One end.
    pub atom1: AtomReference,
    /// The other.
    pub atom2: AtomReference,
}

/// An atom by chain id, residue position from 1 and atom name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AtomReference {
    /// Chain id of the query.
    pub chain: String,
    /// Position in the chain, from 1.
    pub residue: u32,
    /// Atom name.
    pub atom: String,
}

/// Where the ligand binds.
#[derive(Clone, Debug, PartialEq)]
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
#[derive(Clone, Debug, PartialEq)]
pub struct SeriesLigand {
    /// Name, unique in the series.
    pub name: String,
    /// What it is: SMILES or SDF.
    pub source: LigandSource,
    /// Measured affinity as pK = -log10(M), when known.
    pub measured_pk: Option<f32>,
}
