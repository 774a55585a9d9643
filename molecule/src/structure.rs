//! The structure model: what a PDB or mmCIF file says, laid out flat.
//!
//! A [`Structure`] is a list of [`Model`]s. Each model owns its coordinates as one `Vec<Vec3>` that the viewer uploads
//! and the engines read as it is; everything that does not move (atoms, residues, chains, bonds) is a [`Topology`]
//! behind an `Arc`. The models of an ensemble point to the same topology, so a hundred samples cost a hundred
//! coordinate lists and nothing else. Files whose models differ in their atoms simply hold different topologies.
//!
//! Order: atoms of a residue are contiguous, residues of a chain are contiguous, so a residue is a range of atoms and a
//! chain a range of residues. Indices are `u32` into the topology's lists.

use std::ops::Range;
use std::sync::Arc;

use glam::Vec3;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use crate::element::Element;

/// A structure: one or more models and what the file said about itself.
#[derive(Clone, Debug, Default)]
pub struct Structure {
    /// Identifier or title of the entry, as found; may be empty.
    pub name: String,
    /// The models in file order; a file without atoms has none.
    pub models: Vec<Model>,
}

/// One set of coordinates over a topology.
#[derive(Clone, Debug)]
pub struct Model {
    /// The model's number in its file, or 1.
    pub number: i32,
    /// Shared by all models of an ensemble.
    pub topology: Arc<Topology>,
    /// Å, one for each atom of the topology.
    pub positions: Vec<Vec3>,
    /// The B-factor column, one for each atom: Å², or pLDDT 0-100 in predicted structures.
    pub b_factors: Vec<f32>,
}

/// Everything about a molecule that does not move.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Topology {
    /// Atoms in order.
    pub atoms: Vec<Atom>,
    /// Residues in order; each names its range of atoms.
    pub residues: Vec<Residue>,
    /// Chains in order; each names its range of residues.
    pub chains: Vec<Chain>,
    /// Covalent and metal bonds known so far, each once, `a < b`, sorted.
    pub bonds: Vec<Bond>,
}

/// An atom as the file names it.
#[derive(Clone, Debug, PartialEq)]
pub struct Atom {
    /// Name without padding, e.g. `CA`.
    pub name: SmolStr,
    /// Element; unknown only when the file neither says nor lets one infer it.
    pub element: Element,
    /// Serial number in the file.
    pub serial: i32,
    /// Alternate location, `None` for the blank one.
    pub altloc: Option<char>,
    /// Occupancy 0-1; 1 when the file has none.
    pub occupancy: f32,
    /// Formal charge in elementary charges.
    pub formal_charge: i8,
    /// Index of the residue.
    pub residue: u32,
}

impl Atom {
    /// The element's symbol as structure files have it: a hydrogen whose name begins with D is deuterium there.
    #[must_use]
    pub fn symbol(&self) -> &'static str {
        if self.element == Element::H && self.name.starts_with('D') { "D" } else { self.element.symbol() }
    }
}

/// What a residue is, as far as its name and atoms tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResidueKind {
    /// Amino acid, standard or modified, in a polymer.
    Protein,
    /// Deoxyribonucleotide.
    Dna,
    /// Ribonucleotide.
    Rna,
    /// Water.
    Water,
    /// A single metal or halide atom.
    Ion,
    /// A sugar.
    Carbohydrate,
    /// Anything else: ligands, cofactors, buffer.
    #[default]
    Ligand,
}

/// A residue, ligand, ion or water molecule.
#[derive(Clone, Debug, PartialEq)]
pub struct Residue {
    /// Component code, e.g. `ALA`.
    pub name: SmolStr,
    /// Author's residue number.
    pub number: i32,
    /// Insertion code.
    pub insertion_code: Option<char>,
    /// `label_seq_id` of mmCIF: position in the entity's sequence, from 1.
    pub sequence_index: Option<u32>,
    /// `label_asym_id` of mmCIF; empty in PDB files.
    pub asym_id: SmolStr,
    /// Whether the file marks it as HETATM.
    pub is_hetero: bool,
    /// What it is.
    pub kind: ResidueKind,
    /// Its atoms.
    pub atoms: Range<u32>,
    /// Index of its chain.
    pub chain: u32,
}

/// A chain by the author's identifier (`auth_asym_id`, PDB column 22); waters and ligands belong to the chain whose
/// identifier they carry.
#[derive(Clone, Debug, PartialEq)]
pub struct Chain {
    /// The author's identifier; may be empty in files that have none.
    pub id: SmolStr,
    /// Its residues.
    pub residues: Range<u32>,
}

/// Bond order as drawn and written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BondOrder {
    /// Single, or order not known.
    #[default]
    Single,
    /// Double.
    Double,
    /// Triple.
    Triple,
    /// Aromatic.
    Aromatic,
    /// Coordination to a metal.
    Coordination,
}

/// A bond between two atoms of one topology.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Bond {
    /// Lower atom index.
    pub a: u32,
    /// Higher atom index.
    pub b: u32,
    /// Order.
    pub order: BondOrder,
}

impl Bond {
    /// A bond with its ends in order.
    #[must_use]
    pub fn new(a: u32, b: u32, order: BondOrder) -> Self {
        Self { a: a.min(b), b: a.max(b), order }
    }
}

impl Structure {
    /// The first model, if there is any atom at all.
    #[must_use]
    pub fn first(&self) -> Option<&Model> {
        self.models.first()
    }

    /// Atoms over all models.
    #[must_use]
    pub fn atom_count(&self) -> usize {
        self.models.iter().map(|model| model.positions.len()).sum()
    }

    /// Whether every model has the first one's topology, so that atom `i` is the same atom in all.
    #[must_use]
    pub fn is_ensemble(&self) -> bool {
        self.models.windows(2).all(|pair| Arc::ptr_eq(&pair[0].topology, &pair[1].topology))
    }
}

impl Model {
    /// Models side by side as one, numbered as the first: atoms, residues and chains follow each other in the order given.
    /// Chains keep their identifiers, even where two are the same.
    #[must_use]
    pub fn join(models: &[&Self]) -> Self {
        let mut topology = Topology::default();
        for model in models {
            topology.append(&model.topology);
        }
        Self {
            number: models.first().map_or(1, |model| model.number),
            topology: Arc::new(topology),
            positions: models.iter().flat_map(|model| &model.positions).copied().collect(),
            b_factors: models.iter().flat_map(|model| &model.b_factors).copied().collect(),
        }
    }
}

impl Topology {
    /// Puts another topology behind this one.
    pub fn append(&mut self, other: &Self) {
        let [atom, residue, chain] =
            [self.atoms.len(), self.residues.len(), self.chains.len()].map(|length| length as u32);
        let behind = |range: &Range<u32>, first: u32| first + range.start..first + range.end;
        self.atoms.extend(other.atoms.iter().map(|held| Atom { residue: residue + held.residue, ..held.clone() }));
        self.residues.extend(other.residues.iter().map(|held| Residue {
            atoms: behind(&held.atoms, atom),
            chain: chain + held.chain,
            ..held.clone()
        }));
        self.chains.extend(
            other.chains.iter().map(|held| Chain { residues: behind(&held.residues, residue), ..held.clone() }),
        );
        self.bonds.extend(other.bonds.iter().map(|held| Bond { a: atom + held.a, b: atom + held.b, ..*held }));
    }

    /// Indices of a residue's atoms.
    pub fn atoms_of(&self, residue: &Residue) -> impl Iterator<Item = usize> + use<> {
        residue.atoms.start as usize..residue.atoms.end as usize
    }

    /// The same as a range.
    #[must_use]
    pub fn atom_range(&self, residue: &Residue) -> Range<usize> {
        residue.atoms.start as usize..residue.atoms.end as usize
    }

    /// The residue of an atom.
    #[must_use]
    pub fn residue_of(&self, atom: usize) -> &Residue {
        &self.residues[self.atoms[atom].residue as usize]
    }

    /// The chain of a residue.
    #[must_use]
    pub fn chain_of(&self, residue: &Residue) -> &Chain {
        &self.chains[residue.chain as usize]
    }

    /// The residue's atom of this name: the one without altloc, else the one of highest occupancy, else the first.
    #[must_use]
    pub fn atom_named(&self, residue: &Residue, name: &str) -> Option<usize> {
        let mut best: Option<usize> = None;
        for index in self.atoms_of(residue) {
            let atom = &self.atoms[index];
            if atom.name != name {
                continue;
            }
            if atom.altloc.is_none() {
                return Some(index);
            }
            if best.is_none_or(|held| atom.occupancy > self.atoms[held].occupancy) {
                best = Some(index);
            }
        }
        best
    }

    /// For each atom, its bonded atoms with the index of the bond.
    #[must_use]
    pub fn neighbours(&self) -> Vec<Vec<(u32, u32)>> {
        let mut neighbours = vec![Vec::new(); self.atoms.len()];
        for (index, bond) in self.bonds.iter().enumerate() {
            neighbours[bond.a as usize].push((bond.b, index as u32));
            neighbours[bond.b as usize].push((bond.a, index as u32));
        }
        neighbours
    }

    /// Whether the atom belongs to the location that single-conformation work uses: the blank altloc, or, of a
    /// residue's alternates of this atom name, the one of highest occupancy (the first on a tie).
    #[must_use]
    pub fn is_primary_location(&self, atom: usize) -> bool {
        let candidate = &self.atoms[atom];
        candidate.altloc.is_none() || self.atom_named(self.residue_of(atom), &candidate.name) == Some(atom)
    }
}

impl Residue {
    /// Whether it is part of a protein or nucleic acid.
    #[must_use]
    pub fn is_polymer(&self) -> bool {
        matches!(self.kind, ResidueKind::Protein | ResidueKind::Dna | ResidueKind::Rna)
    }

    /// The number with its insertion code, as people write it: `52A`.
    #[must_use]
    pub fn number_text(&self) -> String {
        match self.insertion_code {
            Some(code) => format!("{}{code}", self.number),
            None => self.number.to_string(),
        }
    }
}
