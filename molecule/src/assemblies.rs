//! Biological assemblies: what an entry says about how its chains, moved by symmetry, make the molecule that lives.
//!
//! An [`Assembly`] lists operators and the chains that each moves; [`Assembly::build`] carries them out. Chains that are
//! copied get names of their own. They are read by [`crate::formats::read_assemblies`].

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use glam::{DMat3, DVec3};
use smol_str::{SmolStr, format_smolstr};

use crate::selection::{AtomSet, subset_of};
use crate::structure::{Model, Structure, Topology};

/// Atoms that an assembly may have: a large virus has some 20 million, and a file must not become memory that no structure
/// needs.
pub const MOST_ATOMS: usize = 50_000_000;
/// Operators of an assembly; the largest capsids have 60 times a few.
pub const MOST_OPERATORS: usize = 10_000;

/// An assembly as an entry describes it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Assembly {
    /// Its name in the entry, usually a number from 1.
    pub id: String,
    /// What the entry says about it, e.g. `author_and_software_defined_assembly, dimeric`; may be empty.
    pub details: String,
    /// Operators with the chains they move.
    pub parts: Vec<Part>,
}

/// One operator and what it moves.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// The motion.
    pub operator: Operator,
    /// Which chains.
    pub chains: Chains,
}

/// The chains that an operator moves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Chains {
    /// All.
    All,
    /// By the author's identifiers, as in PDB files.
    Author(Vec<SmolStr>),
    /// By mmCIF's label identifiers.
    Label(Vec<SmolStr>),
}

/// A rotation followed by a translation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Operator {
    /// The rotation.
    pub rotation: DMat3,
    /// Å, added after the rotation.
    pub translation: DVec3,
}

impl Operator {
    /// This operator after another one.
    #[must_use]
    pub fn after(&self, first: &Self) -> Self {
        Self {
            rotation: self.rotation * first.rotation,
            translation: self.rotation * first.translation + self.translation,
        }
    }
}

/// How copies of chains are named; the first copy keeps its name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ChainNames {
    /// `A-2`, as in the archive's own assembly files.
    #[default]
    Numbered,
    /// One or two letters, which fit a PDB file.
    Short,
}

/// Why an assembly cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AssemblyError {
    /// There is none of this name.
    #[error("there is no assembly {wanted:?}; the file has {known}")]
    Unknown {
        /// What was asked for.
        wanted: String,
        /// What there is, as words.
        known: String,
    },
    /// None of its chains has atoms.
    #[error("assembly {0}: none of its chains is among the atoms; take the whole entry")]
    NoAtoms(String),
    /// More atoms than a structure has.
    #[error("assembly {id} would have more than {MOST_ATOMS} atoms; select a part of the structure first")]
    TooLarge {
        /// The assembly.
        id: String,
    },
}

/// The assembly of this name.
///
/// # Errors
/// When there is none, naming those that there are.
pub fn find<'a>(assemblies: &'a [Assembly], id: &str) -> Result<&'a Assembly, AssemblyError> {
    assemblies.iter().find(|assembly| assembly.id == id).ok_or_else(|| {
        let ids: Vec<&str> = assemblies.iter().map(|assembly| assembly.id.as_str()).take(20).collect();
        let known = if ids.is_empty() { "none".to_owned() } else { ids.join(", ") };
        AssemblyError::Unknown { wanted: id.to_owned(), known }
    })
}

impl Assembly {
    /// Makes the assembly of every model of a structure.
    ///
    /// # Errors
    /// When none of its chains has atoms, or it would be larger than [`MOST_ATOMS`].
    pub fn build(&self, structure: &Structure, names: ChainNames) -> Result<Structure, AssemblyError> {
        let mut models: Vec<Model> = Vec::new();
        for model in &structure.models {
            let mut made = self.build_model(model, names)?;
            // Models that shared a topology share the new one.
            if let Some(last) = models.last().filter(|last| last.topology == made.topology) {
                made.topology = Arc::clone(&last.topology);
            }
            models.push(made);
        }
        if models.is_empty() {
            return Err(AssemblyError::NoAtoms(self.id.clone()));
        }
        Ok(Structure { name: structure.name.clone(), models })
    }

    /// What is moved, without carrying it out: sets of atoms, each with the operators that say where its copies stand.
    ///
    /// # Errors
    /// As [`Assembly::build`].
    pub fn places(&self, topology: &Topology) -> Result<Vec<(AtomSet, Vec<Operator>)>, AssemblyError> {
        let mut places: Vec<(AtomSet, Vec<Operator>)> = Vec::new();
        for (operator, atoms) in self.moved(topology)? {
            match places.iter_mut().find(|(held, _)| *held == atoms) {
                Some((_, operators)) => operators.push(operator),
                None => places.push((atoms, vec![operator])),
            }
        }
        Ok(places)
    }

    /// Each operator with all that it moves.
    fn moved(&self, topology: &Topology) -> Result<Vec<(Operator, AtomSet)>, AssemblyError> {
        let mut moved: Vec<(Operator, AtomSet)> = Vec::new();
        for part in &self.parts {
            let atoms = part.chains.atoms(topology);
            match moved.iter_mut().find(|(operator, _)| *operator == part.operator) {
                Some((_, held)) => held.unite(&atoms),
                None => moved.push((part.operator, atoms)),
            }
        }
        // An entry may list chains without atoms beside others.
        moved.retain(|(_, atoms)| !atoms.is_empty());
        if moved.is_empty() {
            return Err(AssemblyError::NoAtoms(self.id.clone()));
        }
        if moved.iter().map(|(_, atoms)| atoms.len()).sum::<usize>() > MOST_ATOMS {
            return Err(AssemblyError::TooLarge { id: self.id.clone() });
        }
        Ok(moved)
    }

    fn build_model(&self, model: &Model, names: ChainNames) -> Result<Model, AssemblyError> {
        // What one operator moves stays together, so that bonds between its chains stay too.
        let moved = self.moved(&model.topology)?;
        let mut namer = Namer::new(&model.topology, names);
        let copies: Vec<Model> = moved
            .iter()
            .map(|(operator, atoms)| {
                let mut copy = subset_of(model, atoms);
                for position in &mut copy.positions {
                    *position = (operator.rotation * position.as_dvec3() + operator.translation).as_vec3();
                }
                namer.rename(Arc::make_mut(&mut copy.topology));
                copy
            })
            .collect();
        Ok(Model { number: model.number, ..Model::join(&copies.iter().collect::<Vec<&Model>>()) })
    }
}

impl Chains {
    fn atoms(&self, topology: &Topology) -> AtomSet {
        let mut atoms = AtomSet::empty(topology.atoms.len());
        let listed: HashSet<&str> = match self {
            Self::All => return AtomSet::full(topology.atoms.len()),
            Self::Author(ids) | Self::Label(ids) => ids.iter().map(SmolStr::as_str).collect(),
        };
        for residue in &topology.residues {
            let author = &topology.chain_of(residue).id;
            // Files of other programs may leave the labels out.
            let by_label = matches!(self, Self::Label(_)) && !residue.asym_id.is_empty();
            if listed.contains(if by_label { residue.asym_id.as_str() } else { author.as_str() }) {
                atoms.insert_range(topology.atom_range(residue));
            }
        }
        atoms
    }
}

/// Gives copies of chains names that no other has.
struct Namer {
    names: ChainNames,
    taken: HashSet<SmolStr>,
    copies: HashMap<SmolStr, usize>,
    /// Short names already tried.
    tried: usize,
}

impl Namer {
    fn new(topology: &Topology, names: ChainNames) -> Self {
        let taken = topology.chains.iter().map(|chain| chain.id.clone()).collect();
        Self { names, taken, copies: HashMap::new(), tried: 0 }
    }

    fn rename(&mut self, topology: &mut Topology) {
        for chain in &mut topology.chains {
            let copy = self.copies.entry(chain.id.clone()).or_insert(0);
            *copy += 1;
            if *copy == 1 {
                continue;
            }
            let mut number = *copy;
            let name = loop {
                let name = match self.names {
                    ChainNames::Numbered => format_smolstr!("{}-{number}", chain.id),
                    ChainNames::Short => short_name(self.tried),
                };
                number += 1;
                self.tried += 1;
                if self.taken.insert(name.clone()) {
                    break name;
                }
            };
            chain.id = name;
            for residue in &mut topology.residues[chain.residues.start as usize..chain.residues.end as usize] {
                if !residue.asym_id.is_empty() {
                    residue.asym_id = format_smolstr!("{}-{copy}", residue.asym_id);
                }
            }
        }
    }
}

/// `A` to `Z`, `a` to `z`, `0` to `9`, then two of them; then more.
fn short_name(mut number: usize) -> SmolStr {
    const LETTERS: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let mut name = String::new();
    loop {
        name.insert(0, char::from(LETTERS[number % LETTERS.len()]));
        match (number / LETTERS.len()).checked_sub(1) {
            Some(rest) => number = rest,
            None => return name.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::pdb;

    const TEXT: &str = "\
ATOM      1  N   GLY A   1       1.000   2.000   3.000
ATOM      2  CA  GLY A   1       2.400   2.000   3.000
ATOM      3  CA  GLY B   1       9.000   2.000   3.000
HETATM    4  O   HOH A   2       1.000   5.000   3.000
";

    fn turn() -> Operator {
        Operator {
            rotation: DMat3::from_diagonal(DVec3::new(-1.0, -1.0, 1.0)),
            translation: DVec3::new(10.0, 0.0, 0.0),
        }
    }

    const IDENTITY: Operator = Operator { rotation: DMat3::IDENTITY, translation: DVec3::ZERO };

    #[test]
    fn copies_are_moved_and_named() {
        let structure = pdb::read(TEXT.as_bytes()).unwrap();
        let chains = Chains::Author(vec!["A".into()]);
        let parts = vec![
            Part { operator: IDENTITY, chains: Chains::All },
            Part { operator: turn(), chains: chains.clone() },
            // Listed twice, there once.
            Part { operator: turn(), chains },
        ];
        let assembly = Assembly { id: "1".into(), details: String::new(), parts };
        for (names, expected) in [(ChainNames::Numbered, "A-2"), (ChainNames::Short, "C")] {
            let made = assembly.build(&structure, names).unwrap();
            let model = &made.models[0];
            let ids: Vec<&str> = model.topology.chains.iter().map(|chain| chain.id.as_str()).collect();
            assert_eq!(ids, ["A", "B", expected]);
            assert_eq!(model.positions.len(), 7);
            assert_eq!(model.topology.chains[2].residues, 3..5);
            assert_eq!(model.positions[4], glam::Vec3::new(9.0, -2.0, 3.0));
            assert_eq!(model.topology.bonds.len(), 2, "{:?}", model.topology.bonds);
        }
        // The same without carrying it out.
        let topology = &structure.models[0].topology;
        let places = assembly.places(topology).unwrap();
        let found: Vec<(usize, &[Operator])> =
            places.iter().map(|(atoms, operators)| (atoms.len(), &**operators)).collect();
        assert_eq!(found, [(4, &[IDENTITY][..]), (3, &[turn()][..])]);
        let parts = vec![
            Part { operator: IDENTITY, chains: Chains::All },
            Part { operator: IDENTITY, chains: Chains::Author(vec!["B".into()]) },
            Part { operator: turn(), chains: Chains::All },
        ];
        let places = Assembly { parts, ..assembly }.places(topology).unwrap();
        assert!(matches!(&places[..], [(atoms, operators)] if atoms.len() == 4 && operators.len() == 2), "{places:?}");
    }

    #[test]
    fn what_cannot_be_made_is_told() {
        let structure = pdb::read(TEXT.as_bytes()).unwrap();
        let parts = vec![Part { operator: IDENTITY, chains: Chains::Label(vec!["Q".into()]) }];
        let assembly = Assembly { id: "7".into(), details: String::new(), parts };
        let error = assembly.build(&structure, ChainNames::Short).unwrap_err();
        assert!(error.to_string().contains("assembly 7"), "{error}");
        let error = find(&[assembly], "1").unwrap_err();
        assert_eq!(error.to_string(), "there is no assembly \"1\"; the file has 7");
        assert!(find(&[], "1").unwrap_err().to_string().contains("has none"));
    }

    #[test]
    fn short_names_never_repeat() {
        let names: HashSet<SmolStr> = (0..5000).map(short_name).collect();
        assert_eq!(names.len(), 5000);
        assert_eq!([0, 61, 62, 62 + 3843, 62 + 3844].map(short_name), ["A", "9", "AA", "99", "AAA"].map(SmolStr::from));
    }
}
