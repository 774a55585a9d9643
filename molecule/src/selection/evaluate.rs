//! From an expression to the atoms of a model.
//!
//! Each form costs time in proportion to the atoms (distances: times the logarithm), whatever the numbers in it.

use std::cell::OnceCell;
use std::collections::HashSet;

use rayon::prelude::*;

use super::expression::{Class, Expression, Fold, Group, NumberField, Pattern, Quantity, TextField};
use super::{AtomSet, Target};
use crate::analysis::point_tree::PointTree;
use crate::analysis::secondary_structure::{self, SecondaryStructure};
use crate::structure::{BondOrder, Residue, ResidueKind, Topology};
use crate::{Atom, Element};

/// Atoms of a word of a set.
const BITS: usize = u64::BITS as usize;
/// Atoms that an ion of several can have: sulfate, phosphate, ammonium.
const LARGEST_ION: u32 = 5;

/// Atom names of the backbone, as `PyMOL` has them.
const BACKBONE: &[&str] = &[
    "CA", "C", "O", "N", "OXT", "H", "P", "OP1", "OP2", "OP3", "O1P", "O2P", "O3P", "C1'", "C2'", "O2'", "C3'", "O3'",
    "C4'", "O4'", "C5'", "O5'", "H1'", "H3'", "H4'", "H2'", "H2''", "H12'", "H22'", "H5'", "H5''", "H15'", "H25'",
    "HO2'", "HO3'", "HO5'",
];

pub(super) struct Evaluator<'a> {
    target: &'a Target<'a>,
    topology: &'a Topology,
    atoms: usize,
    structure: OnceCell<Vec<SecondaryStructure>>,
}

impl<'a> Evaluator<'a> {
    pub(super) fn new(target: &'a Target<'a>) -> Self {
        let topology = &*target.model.topology;
        Self { target, topology, atoms: topology.atoms.len(), structure: OnceCell::new() }
    }

    pub(super) fn evaluate(&self, expression: &Expression) -> AtomSet {
        match expression {
            Expression::All => AtomSet::full(self.atoms),
            Expression::None => AtomSet::empty(self.atoms),
            Expression::Current => {
                let mut set = AtomSet::full(self.atoms);
                match self.target.selected {
                    Some(selected) => set.intersect(selected),
                    None => set = AtomSet::empty(self.atoms),
                }
                set
            }
            Expression::Class(class) => self.class(*class),
            Expression::Text(field, items) => self.text(*field, items),
            Expression::Elements(elements) => self.by_atom(|_, atom| elements.contains(&atom.element)),
            Expression::Residues(spans) => self.by_residue(|residue| spans.iter().any(|span| span.contains(residue))),
            Expression::Numbers(field, spans) => {
                let contains = |number: i64| spans.iter().any(|(first, last)| (*first..=*last).contains(&number));
                match field {
                    NumberField::Index => self.by_atom(|index, _| contains(index as i64 + 1)),
                    NumberField::Rank => self.by_atom(|index, _| contains(index as i64)),
                    NumberField::Serial => self.by_atom(|_, atom| contains(i64::from(atom.serial))),
                    NumberField::Model => self.all_if(contains(i64::from(self.target.model.number))),
                }
            }
            Expression::Structure(folds) => self.structure(folds),
            Expression::Models(spans) => self.all_if(spans.iter().any(|span| {
                let is_model = |(first, last): (u32, u32)| {
                    (i64::from(first)..=i64::from(last)).contains(&i64::from(self.target.model.number))
                };
                (span.first..=span.last).contains(&self.target.number) && span.model.is_none_or(is_model)
            })),
            Expression::Compare(quantity, comparison, value) => {
                let limit = f64::from(*value);
                self.by_atom(|index, atom| {
                    self.quantity(*quantity, index, atom).is_some_and(|found| comparison.holds(found, limit))
                })
            }
            Expression::Not(inner) => {
                let mut set = self.evaluate(inner);
                set.invert();
                set
            }
            Expression::And(terms) => {
                let mut set = AtomSet::full(self.atoms);
                for term in terms {
                    if set.is_empty() {
                        break;
                    }
                    set.intersect(&self.evaluate(term));
                }
                set
            }
            Expression::Or(terms) => {
                let mut set = AtomSet::empty(self.atoms);
                for term in terms {
                    set.unite(&self.evaluate(term));
                }
                set
            }
            Expression::Near { of, distance, includes_itself } => {
                let centre = self.evaluate(of);
                let mut set = self.near(&centre, *distance);
                if *includes_itself {
                    set.unite(&centre);
                } else {
                    set.subtract(&centre);
                }
                set
            }
            Expression::Whole(group, inner) => self.whole(*group, &self.evaluate(inner)),
            Expression::Bonded { to, outside } => {
                let inner = self.evaluate(to);
                let mut set = self.bonded_to(&inner);
                if *outside {
                    set.subtract(&inner);
                }
                set
            }
            Expression::Extend(inner, bonds) => self.spread(self.evaluate(inner), *bonds as usize),
            Expression::End { of, is_last } => {
                let inner = self.evaluate(of);
                let atom = if *is_last { inner.iter().last() } else { inner.iter().next() };
                AtomSet::from_indices(self.atoms, atom)
            }
        }
    }

    fn all_if(&self, holds: bool) -> AtomSet {
        if holds { AtomSet::full(self.atoms) } else { AtomSet::empty(self.atoms) }
    }

    fn by_atom(&self, holds: impl Fn(usize, &Atom) -> bool) -> AtomSet {
        let atoms = self.topology.atoms.iter().enumerate();
        AtomSet::from_indices(self.atoms, atoms.filter(|(index, atom)| holds(*index, atom)).map(|(index, _)| index))
    }

    fn by_residue(&self, holds: impl Fn(&Residue) -> bool) -> AtomSet {
        let mut set = AtomSet::empty(self.atoms);
        for residue in self.topology.residues.iter().filter(|residue| holds(residue)) {
            set.insert_range(self.topology.atom_range(residue));
        }
        set
    }

    fn class(&self, class: Class) -> AtomSet {
        use ResidueKind::{Carbohydrate, Dna, Ion, Protein, Rna, Water};
        let is_other = |residue: &Residue| !residue.is_polymer() && residue.kind != Water;
        let has_carbon = |residue: &Residue| {
            self.topology.atoms_of(residue).any(|atom| self.topology.atoms[atom].element == Element::C)
        };
        let is_ion = |residue: &Residue| {
            residue.kind == Ion
                || (is_other(residue) && !has_carbon(residue) && self.heavy_atoms(residue) <= LARGEST_ION)
        };
        let is_polymer =
            |atom: &Atom| self.topology.residues.get(atom.residue as usize).is_some_and(Residue::is_polymer);
        let is_backbone = |atom: &Atom| BACKBONE.contains(&atom.name.as_str());
        match class {
            Class::Polymer => self.by_residue(Residue::is_polymer),
            Class::Protein => self.by_residue(|residue| residue.kind == Protein),
            Class::Nucleic => self.by_residue(|residue| matches!(residue.kind, Dna | Rna)),
            Class::Dna => self.by_residue(|residue| residue.kind == Dna),
            Class::Rna => self.by_residue(|residue| residue.kind == Rna),
            Class::Carbohydrate => self.by_residue(|residue| residue.kind == Carbohydrate),
            Class::Organic => self.by_residue(|residue| is_other(residue) && has_carbon(residue)),
            Class::Inorganic => self.by_residue(|residue| is_other(residue) && !has_carbon(residue)),
            Class::Ligand => self.by_residue(|residue| is_other(residue) && !is_ion(residue)),
            Class::Ions => self.by_residue(is_ion),
            Class::Solvent => self.by_residue(|residue| residue.kind == Water),
            Class::Metals => self.by_atom(|_, atom| atom.element.is_metal()),
            Class::Hetero => self.by_residue(|residue| residue.is_hetero),
            Class::Hydrogens => self.by_atom(|_, atom| atom.element == Element::H),
            Class::Backbone => self.by_atom(|_, atom| is_backbone(atom) && is_polymer(atom)),
            Class::Sidechain => self.by_atom(|_, atom| !is_backbone(atom) && is_polymer(atom)),
            Class::Guide => self.guides(),
            Class::Bonded => {
                let ends = self.bonds().flat_map(|(a, b)| [a, b]);
                AtomSet::from_indices(self.atoms, ends)
            }
        }
    }

    fn heavy_atoms(&self, residue: &Residue) -> u32 {
        self.topology.atoms_of(residue).filter(|atom| self.topology.atoms[*atom].element != Element::H).count() as u32
    }

    /// The atoms that stand for the polymer's residues: CA, C4'.
    fn guides(&self) -> AtomSet {
        self.by_atom(|_, atom| match self.topology.residues.get(atom.residue as usize).map(|residue| residue.kind) {
            Some(ResidueKind::Protein) => atom.name == "CA",
            Some(ResidueKind::Dna | ResidueKind::Rna) => matches!(atom.name.as_str(), "C4'" | "C4*"),
            _ => false,
        })
    }

    fn text(&self, field: TextField, items: &[Pattern]) -> AtomSet {
        let topology = self.topology;
        match field {
            TextField::AtomName => self.by_atom(|_, atom| items.iter().any(|item| item.matches(&atom.name, true))),
            TextField::ResidueName => {
                self.by_residue(|residue| items.iter().any(|item| item.matches(&residue.name, true)))
            }
            TextField::Object => self.all_if(items.iter().any(|item| item.matches(self.target.name, true))),
            // Letter case tells identifiers apart; where nothing has the case that was typed, any will do.
            TextField::Chain => {
                let chains = items_with_case(items, || topology.chains.iter().map(|chain| chain.id.as_str()));
                let is_meant: Vec<bool> = topology.chains.iter().map(|chain| chains.matches(&chain.id)).collect();
                self.by_residue(|residue| is_meant.get(residue.chain as usize) == Some(&true))
            }
            TextField::Segment => {
                let segments =
                    items_with_case(items, || topology.residues.iter().map(|residue| residue.asym_id.as_str()));
                self.by_residue(|residue| segments.matches(&residue.asym_id))
            }
            TextField::Altloc => {
                let text = |atom: &Atom| atom.altloc.map(String::from).unwrap_or_default();
                let known: Vec<String> = {
                    let mut known: Vec<String> =
                        topology.atoms.iter().filter(|atom| atom.altloc.is_some()).map(text).collect();
                    known.sort_unstable();
                    known.dedup();
                    known
                };
                let locations = items_with_case(items, || known.iter().map(String::as_str));
                self.by_atom(|_, atom| match atom.altloc {
                    Some(_) => locations.matches(&text(atom)),
                    None => locations.matches(""),
                })
            }
        }
    }

    fn quantity(&self, quantity: Quantity, index: usize, atom: &Atom) -> Option<f64> {
        let model = self.target.model;
        let place = |axis: usize| model.positions.get(index).map(|position| f64::from(position[axis]));
        match quantity {
            Quantity::BFactor => model.b_factors.get(index).copied().map(f64::from),
            Quantity::Occupancy => Some(f64::from(atom.occupancy)),
            Quantity::X => place(0),
            Quantity::Y => place(1),
            Quantity::Z => place(2),
            Quantity::FormalCharge => Some(f64::from(atom.formal_charge)),
            Quantity::ResidueNumber => {
                self.topology.residues.get(atom.residue as usize).map(|residue| f64::from(residue.number))
            }
            Quantity::Index => Some(index as f64 + 1.0),
            Quantity::Serial => Some(f64::from(atom.serial)),
        }
    }

    fn structure(&self, folds: &[Fold]) -> AtomSet {
        let assigned = match self.target.secondary_structure {
            Some(given) => given,
            None => self.structure.get_or_init(|| secondary_structure::assign(self.target.model)),
        };
        let mut set = AtomSet::empty(self.atoms);
        for (residue, assigned) in self.topology.residues.iter().zip(assigned) {
            let fold = match assigned {
                structure if structure.is_helix() => Fold::Helix,
                structure if structure.is_strand() => Fold::Strand,
                _ => Fold::Loop,
            };
            if residue.kind == ResidueKind::Protein && folds.contains(&fold) {
                set.insert_range(self.topology.atom_range(residue));
            }
        }
        set
    }

    /// Atoms within a distance of any of these, themselves among them.
    fn near(&self, centre: &AtomSet, distance: f32) -> AtomSet {
        let positions = &self.target.model.positions;
        let tree = PointTree::new(centre.iter().filter_map(|atom| positions.get(atom).copied()));
        let word = |part: &[glam::Vec3]| {
            let near = part.iter().enumerate().filter(|(_, point)| tree.any_within(**point, distance));
            near.fold(0_u64, |word, (bit, _)| word | 1 << bit)
        };
        let words = positions[..positions.len().min(self.atoms)].par_chunks(BITS).map(word).collect();
        AtomSet::from_words(self.atoms, words)
    }

    fn whole(&self, group: Group, inner: &AtomSet) -> AtomSet {
        let topology = self.topology;
        match group {
            Group::Residue => self.by_residue(|residue| inner.intersects_range(topology.atom_range(residue))),
            Group::AlphaCarbon => {
                let mut set = self.whole(Group::Residue, inner);
                let is_carbon = |atom: &Atom| {
                    let residue = topology.residues.get(atom.residue as usize);
                    atom.name == "CA" && residue.is_some_and(|residue| residue.kind == ResidueKind::Protein)
                };
                set.intersect(&self.by_atom(|_, atom| is_carbon(atom)));
                set
            }
            Group::Chain | Group::Segment => {
                let mut touched = HashSet::new();
                for residue in inner.residues(topology) {
                    if let Some(residue) = topology.residues.get(residue as usize) {
                        touched.insert(group_key(group, residue));
                    }
                }
                self.by_residue(|residue| touched.contains(&group_key(group, residue)))
            }
            Group::Molecule => self.spread(inner.clone(), usize::MAX),
            Group::Object => self.all_if(!inner.is_empty()),
        }
    }

    /// Covalent bonds: what a metal holds is no part of its molecule.
    fn bonds(&self) -> impl Iterator<Item = (usize, usize)> {
        let covalent = self.topology.bonds.iter().filter(|bond| bond.order != BondOrder::Coordination);
        covalent.map(|bond| (bond.a as usize, bond.b as usize))
    }

    fn bonded_to(&self, inner: &AtomSet) -> AtomSet {
        let mut set = AtomSet::empty(self.atoms);
        for (a, b) in self.bonds() {
            if inner.contains(a) {
                set.insert(b);
            }
            if inner.contains(b) {
                set.insert(a);
            }
        }
        set
    }

    /// The set and all that so many bonds lead to.
    fn spread(&self, mut set: AtomSet, bonds: usize) -> AtomSet {
        let mut neighbours: Vec<Vec<u32>> = vec![Vec::new(); self.atoms];
        for (a, b) in self.bonds().filter(|(a, b)| a.max(b) < &self.atoms) {
            neighbours[a].push(b as u32);
            neighbours[b].push(a as u32);
        }
        let mut edge: Vec<usize> = set.iter().collect();
        for _ in 0..bonds {
            let mut next = Vec::new();
            for other in edge.iter().filter_map(|atom| neighbours.get(*atom)).flatten() {
                if !set.contains(*other as usize) {
                    set.insert(*other as usize);
                    next.push(*other as usize);
                }
            }
            if next.is_empty() {
                break;
            }
            edge = next;
        }
        set
    }
}

/// What residues of one chain or segment have in common.
fn group_key(group: Group, residue: &Residue) -> (u32, &str) {
    if group == Group::Chain { (residue.chain, "") } else { (residue.chain, residue.asym_id.as_str()) }
}

/// Items of a list, each with whether its letter case is to be ignored.
struct CasedItems<'a>(Vec<(&'a Pattern, bool)>);

impl CasedItems<'_> {
    fn matches(&self, text: &str) -> bool {
        self.0.iter().any(|(item, ignores_case)| item.matches(text, *ignores_case))
    }
}

fn items_with_case<'a, 'b, I: Iterator<Item = &'b str>>(items: &'a [Pattern], known: impl Fn() -> I) -> CasedItems<'a> {
    CasedItems(items.iter().map(|item| (item, !known().any(|text| item.matches(text, false)))).collect())
}
