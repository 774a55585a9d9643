//! The complex as the query defines it: chains, residues, atoms and ligand bonds, without coordinates.
//!
//! What each residue contributes (K-Fold 1.0.0, data/pipelines/structure_preparation.py):
//! - a standard residue its standard atoms, without the terminal ones;
//! - a modified residue the component's heavy atoms without those that leave on polymerisation;
//! - a glycan all heavy atoms, O1 only where the query bonds it;
//! - any other ligand all heavy atoms; bonded to something, without its leaving atoms, unless one of them is bonded.

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;

use smol_str::SmolStr;

use super::component::{BondClass, ComponentLibrary, ReferenceComponent};
use super::vocabulary::{is_glycan, residue_of_letter, standard_residue};
use crate::kfold::input::ChainType;
use crate::kfold::{KFoldError, Result};
use crate::query::{AtomReference, Entity, Ligand, LigandSource, Modification, Query};

/// A complex without coordinates.
#[derive(Clone, Debug)]
pub struct ReferenceStructure {
    /// Chains in the order of the query's entries, copies and components; `asym_id` is the place plus one.
    pub chains: Vec<ReferenceChain>,
    /// Covalent bonds between chains.
    pub connections: Vec<Connection>,
}

/// One chain.
#[derive(Clone, Debug)]
pub struct ReferenceChain {
    /// Chain id of the query.
    pub name: String,
    /// What it is.
    pub chain_type: ChainType,
    /// Entity, from 1; copies share it.
    pub entity_id: i64,
    /// Chain, from 1.
    pub asym_id: i64,
    /// Copy within the entity, from 1.
    pub sym_id: i64,
    /// Chain whose apo and prior frame this one shares: itself, or the first of a protein pair.
    pub rigid_group: i64,
    /// Residues in order.
    pub residues: Vec<ReferenceResidue>,
    /// Atoms in order.
    pub atoms: Vec<ReferenceAtom>,
    /// Bonds within the residues of a ligand: indices into `atoms`.
    pub bonds: Vec<(usize, usize, BondClass)>,
    /// One-letter sequence of a polymer as the query gives it, empty for ligands.
    pub sequence: String,
    /// The SMILES of a ligand given so.
    pub smiles: Option<String>,
}

/// One residue, or component of a ligand.
#[derive(Clone, Debug)]
pub struct ReferenceResidue {
    /// The chemistry it comes from.
    pub component: Arc<ReferenceComponent>,
    /// One token for the residue (standard) or one for each atom.
    pub is_standard: bool,
    /// Its atoms in the chain.
    pub atoms: Range<usize>,
    /// For each of its atoms, which of the component's.
    pub component_atoms: Vec<usize>,
}

/// One atom.
#[derive(Clone, Debug)]
pub struct ReferenceAtom {
    /// Name.
    pub name: SmolStr,
    /// Atomic number.
    pub element: u8,
    /// Formal charge.
    pub charge: i8,
}

/// A covalent bond between two chains.
#[derive(Clone, Copy, Debug)]
pub struct Connection {
    /// Indices of the chains.
    pub chains: [usize; 2],
    /// Indices of the atoms in their chains.
    pub atoms: [usize; 2],
}

impl ReferenceChain {
    /// Tokens of the chain.
    #[must_use]
    pub fn token_count(&self) -> usize {
        self.residues.iter().map(|residue| if residue.is_standard { 1 } else { residue.atoms.len() }).sum()
    }

    /// Index of the residue that an atom of the chain belongs to.
    #[must_use]
    pub fn residue_of(&self, atom: usize) -> usize {
        self.residues.partition_point(|residue| residue.atoms.end <= atom)
    }
}

impl ReferenceStructure {
    /// Tokens of all chains.
    #[must_use]
    pub fn token_count(&self) -> usize {
        self.chains.iter().map(ReferenceChain::token_count).sum()
    }

    /// Atoms of all chains.
    #[must_use]
    pub fn atom_count(&self) -> usize {
        self.chains.iter().map(|chain| chain.atoms.len()).sum()
    }

    /// For each chain, the complex-wide index of its first atom.
    #[must_use]
    pub fn first_atoms(&self) -> Vec<usize> {
        let count = |at: &mut usize, chain: &ReferenceChain| {
            let first = *at;
            *at += chain.atoms.len();
            Some(first)
        };
        self.chains.iter().scan(0, count).collect()
    }

    /// Builds the complex of a query.
    ///
    /// # Errors
    /// When a component is not in the dictionary, a SMILES cannot be read, a ligand is given in a way that K-Fold does not
    /// take (a 3D file), or a bond names an atom that is not there.
    pub fn of_query(query: &Query, library: &mut ComponentLibrary) -> Result<Self> {
        let mut bonded: HashMap<&str, HashMap<u32, HashSet<String>>> = HashMap::new();
        for bond in &query.bonds {
            for AtomReference { chain, residue, atom } in [&bond.atom1, &bond.atom2] {
                bonded.entry(chain).or_default().entry(*residue).or_default().insert(atom.to_uppercase());
            }
        }
        let mut chains: Vec<ReferenceChain> = Vec::new();
        let mut entity_id = 0;
        for entity in &query.sequences {
            match entity {
                Entity::Protein(polymer) | Entity::Dna(polymer) | Entity::Rna(polymer) => {
                    let chain_type = match entity {
                        Entity::Dna(_) => ChainType::Dna,
                        Entity::Rna(_) => ChainType::Rna,
                        _ => ChainType::Protein,
                    };
                    entity_id += 1;
                    let chain = polymer_chain(chain_type, &polymer.sequence, &polymer.modifications, library)?;
                    for (copy, id) in polymer.ids.iter().enumerate() {
                        let asym_id = chains.len() as i64 + 1;
                        chains.push(ReferenceChain {
                            name: id.clone(),
                            entity_id,
                            asym_id,
                            sym_id: copy as i64 + 1,
                            rigid_group: asym_id,
                            ..chain.clone()
                        });
                    }
                }
                Entity::ProteinPair(pair) => {
                    let first = polymer_chain(ChainType::Protein, &pair.sequence1, &pair.modifications1, library)?;
                    let second = polymer_chain(ChainType::Protein, &pair.sequence2, &pair.modifications2, library)?;
                    for (copy, (id1, id2)) in pair.ids1.iter().zip(&pair.ids2).enumerate() {
                        let rigid_group = chains.len() as i64 + 1;
                        for (at, (id, chain)) in [(id1, &first), (id2, &second)].into_iter().enumerate() {
                            chains.push(ReferenceChain {
                                name: id.clone(),
                                entity_id: entity_id + 1 + at as i64,
                                asym_id: chains.len() as i64 + 1,
                                sym_id: copy as i64 + 1,
                                rigid_group,
                                ..chain.clone()
                            });
                        }
                    }
                    entity_id += 2;
                }
                Entity::Ligand(ligand) => {
                    entity_id += 1;
                    for (copy, id) in ligand.ids.iter().enumerate() {
                        let asym_id = chains.len() as i64 + 1;
                        let chain = ligand_chain(ligand, id, entity_id, bonded.get(id.as_str()), library)?;
                        chains.push(ReferenceChain {
                            name: id.clone(),
                            entity_id,
                            asym_id,
                            sym_id: copy as i64 + 1,
                            rigid_group: asym_id,
                            ..chain
                        });
                    }
                }
            }
        }
        let connections = query
            .bonds
            .iter()
            .map(|bond| {
                let (chain1, atom1) = find_atom(&chains, &bond.atom1)?;
                let (chain2, atom2) = find_atom(&chains, &bond.atom2)?;
                Ok(Connection { chains: [chain1, chain2], atoms: [atom1, atom2] })
            })
            .collect::<Result<_>>()?;
        Ok(Self { chains, connections })
    }
}

/// An atom that a bond of the query names: index of the chain, index of the atom in it.
fn find_atom(chains: &[ReferenceChain], reference: &AtomReference) -> Result<(usize, usize)> {
    let AtomReference { chain: name, residue, atom } = reference;
    let at = chains
        .iter()
        .position(|chain| chain.name == *name)
        .ok_or_else(|| KFoldError::input(format!("a bond names the chain {name}, which the query does not have")))?;
    let chain = &chains[at];
    let held = (*residue as usize).checked_sub(1).and_then(|index| chain.residues.get(index)).ok_or_else(|| {
        KFoldError::input(format!("a bond names residue {residue} of chain {name}, which has {}", chain.residues.len()))
    })?;
    let index =
        held.atoms.clone().find(|&index| chain.atoms[index].name.eq_ignore_ascii_case(atom)).ok_or_else(|| {
            let names: Vec<&str> = held.atoms.clone().map(|index| chain.atoms[index].name.as_str()).collect();
            KFoldError::input(format!(
                "a bond names the atom {atom} of {name}:{residue}; its atoms are {}",
                names.join(", ")
            ))
        })?;
    Ok((at, index))
}

/// Atoms, residues and bonds gathered into a chain.
#[derive(Default)]
struct Builder {
    residues: Vec<ReferenceResidue>,
    atoms: Vec<ReferenceAtom>,
    bonds: Vec<(usize, usize, BondClass)>,
}

impl Builder {
    fn add(&mut self, component: &Arc<ReferenceComponent>, is_standard: bool, component_atoms: Vec<usize>) {
        let start = self.atoms.len();
        for &atom in &component_atoms {
            self.atoms.push(ReferenceAtom {
                name: component.names[atom].clone(),
                element: component.elements[atom],
                charge: component.charges[atom],
            });
        }
        let atoms = start..self.atoms.len();
        self.residues.push(ReferenceResidue { component: Arc::clone(component), is_standard, atoms, component_atoms });
    }

    /// The bonds of the last residue among the atoms it kept, each from the name that sorts first.
    fn add_bonds(&mut self) {
        let Some(residue) = self.residues.last() else { return };
        let place = |atom: usize| {
            residue.component_atoms.iter().position(|&kept| kept == atom).map(|at| residue.atoms.start + at)
        };
        for &(first, second, class) in &residue.component.bonds {
            if let (Some(first), Some(second)) = (place(first), place(second)) {
                let in_order = self.atoms[first].name <= self.atoms[second].name;
                self.bonds.push(if in_order { (first, second, class) } else { (second, first, class) });
            }
        }
    }

    fn finish(self, chain_type: ChainType, sequence: &str, smiles: Option<String>) -> ReferenceChain {
        ReferenceChain {
            name: String::new(),
            chain_type,
            entity_id: 0,
            asym_id: 0,
            sym_id: 0,
            rigid_group: 0,
            residues: self.residues,
            atoms: self.atoms,
            bonds: self.bonds,
            sequence: sequence.to_owned(),
            smiles,
        }
    }
}

fn polymer_chain(
    chain_type: ChainType,
    sequence: &str,
    modifications: &[Modification],
    library: &mut ComponentLibrary,
) -> Result<ReferenceChain> {
    let mut builder = Builder::default();
    for (index, letter) in sequence.chars().enumerate() {
        let modified = modifications.iter().find(|modification| modification.index as usize == index + 1);
        let code = modified.map_or_else(
            || residue_of_letter(letter, chain_type).map_or_else(String::new, |residue| residue.code.to_owned()),
            |modification| modification.ccd.to_uppercase(),
        );
        let component = library.component(&code)?;
        if let Some(residue) = standard_residue(&code, chain_type) {
            let atoms = residue
                .atoms
                .iter()
                .map(|name| {
                    component.names.iter().position(|held| held == name).ok_or_else(|| {
                        KFoldError::input(format!(
                            "the component dictionary's {code} has no atom {name}; the dictionary is damaged"
                        ))
                    })
                })
                .collect::<Result<_>>()?;
            builder.add(&component, true, atoms);
        } else {
            let kept = component.remaining_atoms();
            builder.add(&component, false, kept);
        }
    }
    Ok(builder.finish(chain_type, sequence, None))
}

fn ligand_chain(
    ligand: &Ligand,
    id: &str,
    entity_id: i64,
    bonded: Option<&HashMap<u32, HashSet<String>>>,
    library: &mut ComponentLibrary,
) -> Result<ReferenceChain> {
    let mut builder = Builder::default();
    let (components, smiles) = match &ligand.source {
        LigandSource::Smiles(smiles) => {
            (vec![library.from_smiles(&format!("LIG{entity_id}"), smiles)?], Some(smiles.clone()))
        }
        LigandSource::Ccd(codes) => {
            (codes.iter().map(|code| library.component(&code.to_uppercase())).collect::<Result<Vec<_>>>()?, None)
        }
        LigandSource::Sdf { .. } => {
            return Err(KFoldError::input(format!(
                "ligand {id} is given as a 3D file, which K-Fold does not read; give its SMILES or a component code, or use docking"
            )));
        }
    };
    for (index, component) in components.iter().enumerate() {
        let none = HashSet::new();
        let bonded = bonded.and_then(|residues| residues.get(&(index as u32 + 1))).unwrap_or(&none);
        let all = || (0..component.names.len()).collect::<Vec<_>>();
        let kept = if is_glycan(&component.code) {
            all().into_iter().filter(|&atom| component.names[atom] != "O1" || bonded.contains("O1")).collect()
        } else if bonded.is_empty() {
            all()
        } else {
            let remaining = component.remaining_atoms();
            let names: HashSet<String> = remaining.iter().map(|&atom| component.names[atom].to_uppercase()).collect();
            if bonded.is_subset(&names) { remaining } else { all() }
        };
        builder.add(component, false, kept);
        builder.add_bonds();
    }
    Ok(builder.finish(ChainType::Ligand, "", smiles))
}
