//! From atoms in file order to the flat layout: chains by identifier in order of first appearance, residues of a chain
//! in one piece, atoms of a residue in one piece. Shared by the PDB and mmCIF readers.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use glam::Vec3;
use smol_str::SmolStr;

use super::ParseError;
use crate::structure::{Atom, Bond, BondOrder, Chain, Model, Residue, ResidueKind, Structure, Topology};
use crate::{bonds, residues};

/// What identifies a residue within its chain.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct ResidueKey {
    pub name: SmolStr,
    pub number: i32,
    pub insertion_code: Option<char>,
    pub sequence_index: Option<u32>,
    pub asym_id: SmolStr,
}

/// A residue while its model is being read.
struct Draft {
    key: ResidueKey,
    chain: u32,
    is_hetero: bool,
    atoms: u32,
    /// Its latest atom.
    last_atom: u32,
}

/// Collects the atoms of one model.
#[derive(Default)]
pub(crate) struct ModelBuilder {
    pub number: i32,
    chains: Vec<SmolStr>,
    chain_index: HashMap<SmolStr, u32>,
    residues: Vec<Draft>,
    /// The latest residue of each key.
    residue_index: HashMap<(u32, ResidueKey), u32>,
    atoms: Vec<Atom>,
    /// For each atom the one before it in the same residue.
    previous: Vec<u32>,
    positions: Vec<Vec3>,
    b_factors: Vec<f32>,
    current_chain: u32,
    current_residue: u32,
}

impl ModelBuilder {
    pub fn new(number: i32) -> Self {
        Self { number, current_residue: u32::MAX, ..Self::default() }
    }

    /// Makes room for this many atoms.
    pub fn reserve(&mut self, atoms: usize) {
        self.atoms.reserve(atoms);
        self.previous.reserve(atoms);
        self.positions.reserve(atoms);
        self.b_factors.reserve(atoms);
    }

    pub fn atom_count(&self) -> usize {
        self.atoms.len()
    }

    /// The serial number of the latest atom.
    pub fn last_serial(&self) -> i32 {
        self.atoms.last().map_or(0, |atom| atom.serial)
    }

    /// Whether the latest atom's residue is this one of this chain.
    pub fn is_current(&self, chain: &str, key: &ResidueKey) -> bool {
        self.residues.get(self.current_residue as usize).is_some_and(|draft| draft.key == *key)
            && self.chains.get(self.current_chain as usize).is_some_and(|id| id == chain)
    }

    /// Turns to a residue: the current one, an earlier piece of the same one, or a new one.
    ///
    /// Some files list a residue in pieces, and some number more than 9999 waters over and over. When the residue has
    /// been seen before and already has the atom (or this is another atom of a water), it is another residue.
    pub fn enter(&mut self, chain: &str, key: &ResidueKey, is_hetero: bool, atom: &str, altloc: Option<char>) {
        if self.is_current(chain, key) {
            if !residues::is_water(&key.name) || !self.has_atom(self.current_residue, atom, altloc) {
                return;
            }
            self.add(self.current_chain, key, is_hetero);
            return;
        }
        self.current_chain = match self.chain_index.get(chain) {
            Some(index) => *index,
            None => {
                let id = SmolStr::new(chain);
                let index = self.chains.len() as u32;
                self.chains.push(id.clone());
                self.chain_index.insert(id, index);
                index
            }
        };
        let known = self.residue_index.get(&(self.current_chain, key.clone())).copied();
        match known {
            Some(index) if !self.has_atom(index, atom, altloc) => self.current_residue = index,
            _ => self.add(self.current_chain, key, is_hetero),
        }
    }

    /// The number of the residue that an atom without a readable one belongs to: the current residue's when the atom
    /// can be its next one, else the number after it.
    pub fn number_after_overflow(&self, chain: &str, residue: &str, atom: &str, altloc: Option<char>) -> i32 {
        let Some(draft) = self.residues.get(self.current_residue as usize) else { return 0 };
        let is_same = self.chains.get(self.current_chain as usize).is_some_and(|id| id == chain)
            && draft.key.name == residue
            && !self.has_atom(self.current_residue, atom, altloc);
        if is_same { draft.key.number } else { draft.key.number.saturating_add(1) }
    }

    fn add(&mut self, chain: u32, key: &ResidueKey, is_hetero: bool) {
        self.current_residue = self.residues.len() as u32;
        self.residues.push(Draft { key: key.clone(), chain, is_hetero, atoms: 0, last_atom: u32::MAX });
        self.residue_index.insert((chain, key.clone()), self.current_residue);
    }

    /// Whether a residue has an atom of this name and location.
    fn has_atom(&self, residue: u32, name: &str, altloc: Option<char>) -> bool {
        let mut index = self.residues[residue as usize].last_atom;
        // No residue is this large; the bound keeps a hostile file from costing a walk over all atoms for each atom.
        for _ in 0..1024 {
            let Some(atom) = self.atoms.get(index as usize) else { return false };
            if atom.name == name && atom.altloc == altloc {
                return true;
            }
            index = self.previous[index as usize];
        }
        true
    }

    /// Adds an atom to the residue turned to; `residue` of the atom is set here.
    pub fn push(&mut self, mut atom: Atom, position: Vec3, b_factor: f32) {
        atom.residue = self.current_residue;
        let draft = &mut self.residues[self.current_residue as usize];
        draft.atoms += 1;
        self.previous.push(std::mem::replace(&mut draft.last_atom, self.atoms.len() as u32));
        self.atoms.push(atom);
        self.positions.push(position);
        self.b_factors.push(b_factor);
    }

    /// The finished model, without bonds.
    pub fn finish(self) -> (Topology, Vec<Vec3>, Vec<f32>) {
        let mut residue_order: Vec<u32> = (0..self.residues.len() as u32).collect();
        residue_order.sort_by_key(|index| self.residues[*index as usize].chain);
        let mut new_residue = vec![0_u32; self.residues.len()];
        let mut topology = Topology { chains: Vec::new(), ..Topology::default() };
        topology.chains.extend(self.chains.into_iter().map(|id| Chain { id, residues: 0..0 }));
        let mut first_atom = 0;
        for (new, old) in residue_order.iter().enumerate() {
            new_residue[*old as usize] = new as u32;
            let draft = &self.residues[*old as usize];
            let chain = &mut topology.chains[draft.chain as usize];
            if chain.residues.is_empty() {
                chain.residues.start = new as u32;
            }
            chain.residues.end = new as u32 + 1;
            topology.residues.push(Residue {
                name: draft.key.name.clone(),
                number: draft.key.number,
                insertion_code: draft.key.insertion_code,
                sequence_index: draft.key.sequence_index,
                asym_id: draft.key.asym_id.clone(),
                is_hetero: draft.is_hetero,
                kind: ResidueKind::Ligand,
                atoms: first_atom..first_atom + draft.atoms,
                chain: draft.chain,
            });
            first_atom += draft.atoms;
        }
        let mut atoms = self.atoms;
        let is_in_order = new_residue.iter().enumerate().all(|(old, new)| old as u32 == *new)
            && atoms.windows(2).all(|pair| pair[0].residue <= pair[1].residue);
        if is_in_order {
            topology.atoms = atoms;
            return (topology, self.positions, self.b_factors);
        }
        let mut order: Vec<usize> = (0..atoms.len()).collect();
        order.sort_by_key(|index| new_residue[atoms[*index].residue as usize]);
        let positions = order.iter().map(|index| self.positions[*index]).collect();
        let b_factors = order.iter().map(|index| self.b_factors[*index]).collect();
        for atom in &mut atoms {
            atom.residue = new_residue[atom.residue as usize];
        }
        topology.atoms = order.iter().map(|index| atoms[*index].clone()).collect();
        (topology, positions, b_factors)
    }
}

/// Whether two models have the same atoms; serial numbers may run on from model to model.
fn is_same(a: &Topology, b: &Topology) -> bool {
    let same_atom = |(a, b): (&Atom, &Atom)| {
        a.name == b.name
            && a.element == b.element
            && a.altloc == b.altloc
            && a.occupancy == b.occupancy
            && a.formal_charge == b.formal_charge
            && a.residue == b.residue
    };
    a.atoms.len() == b.atoms.len()
        && a.chains == b.chains
        && a.residues == b.residues
        && a.atoms.iter().zip(&b.atoms).all(same_atom)
}

/// An atom named by its place.
pub(crate) struct Place {
    pub chain: SmolStr,
    pub number: i32,
    pub insertion_code: Option<char>,
    pub residue: SmolStr,
    pub atom: SmolStr,
    pub altloc: Option<char>,
}

/// A bond between residues that the file states.
pub(crate) struct Link {
    pub ends: [Place; 2],
    pub order: BondOrder,
}

/// Stated links as bonds of a topology; those whose atoms it lacks are left out.
pub(crate) fn link_bonds(topology: &Topology, links: &[Link]) -> Vec<Bond> {
    if links.is_empty() {
        return Vec::new();
    }
    let mut by_number: HashMap<(&str, i32, Option<char>, &str), u32> = HashMap::new();
    for (index, residue) in topology.residues.iter().enumerate() {
        let chain = topology.chain_of(residue).id.as_str();
        let key = (chain, residue.number, residue.insertion_code, residue.name.as_str());
        by_number.entry(key).or_insert(index as u32);
    }
    let find = |place: &Place| {
        let key = (place.chain.as_str(), place.number, place.insertion_code, place.residue.as_str());
        let residue = topology.residues.get(*by_number.get(&key)? as usize)?;
        topology
            .atoms_of(residue)
            .find(|atom| topology.atoms[*atom].name == place.atom && topology.atoms[*atom].altloc == place.altloc)
            .or_else(|| topology.atom_named(residue, &place.atom))
    };
    links
        .iter()
        .filter_map(|link| Some((find(&link.ends[0])?, find(&link.ends[1])?, link.order)))
        .filter(|(a, b, _)| a != b)
        .map(|(a, b, order)| Bond::new(a as u32, b as u32, order))
        .collect()
}

/// The models' numbers as they are, or counted from 1 when two are the same: files tell models apart by them.
pub(crate) fn distinct_numbers(structure: &Structure) -> Vec<i32> {
    let numbers: Vec<i32> = structure.models.iter().map(|model| model.number).collect();
    let mut seen = HashSet::new();
    if numbers.iter().all(|number| seen.insert(*number)) { numbers } else { (1..).take(numbers.len()).collect() }
}

/// Stated bonds are looked up in this many distinct topologies; more come only from files made to be slow.
const MOST_STATED: usize = 100;

/// Puts models together: equal topologies are shared, bonds and kinds assigned once for each distinct one.
/// `explicit` names the bonds that the file itself states for a topology.
pub(crate) fn structure(
    name: String,
    builders: Vec<ModelBuilder>,
    mut explicit: impl FnMut(&Topology) -> Result<Vec<Bond>, ParseError>,
) -> Result<Structure, ParseError> {
    // Distinct topologies; the bare form is kept to compare the next models with.
    let mut distinct: Vec<(Topology, Arc<Topology>)> = Vec::new();
    let mut models = Vec::new();
    let is_single = builders.iter().filter(|builder| builder.atom_count() > 0).count() < 2;
    for builder in builders.into_iter().filter(|builder| builder.atom_count() > 0) {
        let number = builder.number;
        let (mut bare, positions, b_factors) = builder.finish();
        let known = distinct.iter().rev().take(2).find(|(known, _)| is_same(known, &bare));
        let topology = if let Some((_, shared)) = known {
            Arc::clone(shared)
        } else {
            let kept = if is_single { Topology::default() } else { bare.clone() };
            if distinct.len() < MOST_STATED {
                bare.bonds = explicit(&bare)?;
            }
            bonds::assign(&mut bare, &positions);
            let shared = Arc::new(bare);
            distinct.push((kept, Arc::clone(&shared)));
            shared
        };
        models.push(Model { number, topology, positions, b_factors });
    }
    Ok(Structure { name, models })
}
