//! Side chains that turn during a search.
//!
//! Of a chosen residue the backbone and everything up to the first chi angle stay; the rest turns about its chi angles
//! (IUPAC-IUB, Biochemistry 1970, 9, 3471), with lengths and angles as in the file. A residue taken into a search is no
//! longer part of the receptor's maps: the ligand meets all of its atoms one by one, and they meet the rest of the receptor
//! and each other, those left out that fewer than four bonds part.

use std::ops::Range;

use glam::Vec3;
use kfold_molecule::{Element, Model, Residue, ResidueKind};

use super::ligand_tree::within_three_bonds;
use super::typing::{AtomType, TypedReceptor};

/// Residues that one search takes.
const MOST_RESIDUES: usize = 12;

/// Why a residue cannot be flexible.
#[derive(Debug, thiserror::Error)]
pub enum SideChainError {
    /// Misspelt.
    #[error("flexible residue {0:?} is not of the form CHAIN:NUMBER, e.g. A:145 or B:52A")]
    Form(String),
    /// No such residue.
    #[error("flexible residue {residue} is not in the receptor; its chains are {chains}")]
    NoResidue {
        /// As given.
        residue: String,
        /// What there is.
        chains: String,
    },
    /// Nothing turns.
    #[error("flexible residue {residue} ({name}) cannot turn: {reason}; leave it out")]
    Rigid {
        /// `CHAIN:NUMBER`.
        residue: String,
        /// Component code.
        name: String,
        /// Why.
        reason: &'static str,
    },
    /// Too many.
    #[error("{0} flexible residues are more than the {MOST_RESIDUES} that one search takes; name the ones that matter")]
    TooMany(usize),
}

/// A rigid part of a flexible residue.
#[derive(Clone, Debug)]
pub(super) struct Part {
    /// The part it hangs on, lower than its own index; `None` for backbones, which stay.
    pub parent: Option<usize>,
    /// Its scored atoms, in the order of [`SideChains::atoms`].
    pub atoms: Range<usize>,
    /// The far end of its axis, Å; zero for backbones.
    pub origin: Vec3,
    /// Unit vector of its axis.
    pub axis: Vec3,
}

/// A heavy atom of a flexible residue.
#[derive(Clone, Copy, Debug)]
pub(super) struct SideAtom {
    /// In the receptor's model.
    pub atom: u32,
    /// As in the receptor's file, Å.
    pub position: Vec3,
    pub kind: AtomType,
    pub part: usize,
}

/// Any atom that a part carries.
#[derive(Clone, Copy, Debug)]
pub(super) struct Carried {
    pub atom: u32,
    pub position: Vec3,
    pub part: usize,
}

/// The flexible residues of a receptor.
#[derive(Clone, Debug, Default)]
pub struct SideChains {
    parts: Vec<Part>,
    /// Those that move, part by part, then those of backbones.
    atoms: Vec<SideAtom>,
    moving: usize,
    pairs: Vec<(u32, u32)>,
    carried: Vec<Carried>,
    residues: Vec<u32>,
}

impl SideChains {
    /// The side chains of these residues, as indices into the model.
    ///
    /// # Errors
    /// When there are too many, or one of them has nothing to turn.
    pub fn new(model: &Model, typed: &TypedReceptor, residues: &[u32]) -> Result<Self, SideChainError> {
        let mut residues = residues.to_vec();
        residues.sort_unstable();
        residues.dedup();
        if residues.len() > MOST_RESIDUES {
            return Err(SideChainError::TooMany(residues.len()));
        }
        let neighbours = model.topology.neighbours();
        let mut chains = Self { residues: residues.clone(), ..Self::default() };
        let mut axis_atoms: Vec<[u32; 2]> = Vec::new();
        let mut part_of: Vec<(u32, usize)> = Vec::new();
        for index in residues {
            let residue = &model.topology.residues[index as usize];
            let base = chains.parts.len();
            let axes = chi_axes(model, residue, &neighbours)?;
            chains.parts.push(Part { parent: None, atoms: 0..0, origin: Vec3::ZERO, axis: Vec3::ZERO });
            axis_atoms.push([u32::MAX; 2]);
            let mut parts: Vec<(u32, usize)> =
                model.topology.atoms_of(residue).map(|atom| (atom as u32, base)).collect();
            for (number, axis) in axes.into_iter().enumerate() {
                let part = base + 1 + number;
                let [begin, end] = axis.ends.map(|atom| model.positions[atom as usize]);
                chains.parts.push(Part {
                    parent: Some(part - 1),
                    atoms: 0..0,
                    origin: end,
                    axis: (end - begin).normalize_or_zero(),
                });
                axis_atoms.push(axis.ends);
                for (atom, held) in &mut parts {
                    if axis.moved.contains(atom) {
                        *held = part;
                    }
                }
            }
            part_of.append(&mut parts);
        }
        chains.take_atoms(model, typed, &part_of);
        chains.pairs = chains.moving_pairs(&neighbours, &axis_atoms);
        Ok(chains)
    }

    /// Residues by author's chain id and number, e.g. `A:145`, as indices into the model.
    ///
    /// # Errors
    /// When one is misspelt or missing.
    pub fn named(model: &Model, names: &[String]) -> Result<Vec<u32>, SideChainError> {
        let topology = &*model.topology;
        names
            .iter()
            .map(|name| {
                let (chain, number) = name.trim().rsplit_once(':').ok_or_else(|| SideChainError::Form(name.clone()))?;
                let is_meant = |residue: &Residue| {
                    topology.chain_of(residue).id == chain.trim() && residue.number_text() == number.trim()
                };
                topology.residues.iter().position(is_meant).map(|index| index as u32).ok_or_else(|| {
                    SideChainError::NoResidue {
                        residue: name.clone(),
                        chains: topology.chains.iter().map(|chain| chain.id.as_str()).collect::<Vec<_>>().join(", "),
                    }
                })
            })
            .collect()
    }

    /// Residues that can turn and have a side chain atom within `distance` Å of any of the points.
    #[must_use]
    pub fn near(model: &Model, points: &[Vec3], distance: f32) -> Vec<u32> {
        let topology = &*model.topology;
        let neighbours = topology.neighbours();
        let is_near = |atom: &u32| {
            let position = model.positions[*atom as usize];
            points.iter().any(|point| point.distance(position) <= distance)
        };
        (0..topology.residues.len() as u32)
            .filter(|&index| {
                let axes = chi_axes(model, &topology.residues[index as usize], &neighbours);
                axes.is_ok_and(|axes| axes.first().is_some_and(|axis| axis.moved.iter().any(is_near)))
            })
            .collect()
    }

    /// The residues, as indices into the model, ascending.
    #[must_use]
    pub fn residues(&self) -> &[u32] {
        &self.residues
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.residues.is_empty()
    }

    pub(super) fn parts(&self) -> &[Part] {
        &self.parts
    }

    pub(super) fn atoms(&self) -> &[SideAtom] {
        &self.atoms
    }

    pub(super) fn carried(&self) -> &[Carried] {
        &self.carried
    }

    /// Pairs of scored atoms whose distance can change and that more than three bonds part.
    pub(super) fn pairs(&self) -> &[(u32, u32)] {
        &self.pairs
    }

    pub(super) const fn moving_atoms(&self) -> usize {
        self.moving
    }

    pub(super) fn torsions(&self) -> usize {
        self.parts.iter().filter(|part| part.parent.is_some()).count()
    }

    /// The ball in Å that a side chain cannot leave: where it begins, and how far it reaches.
    pub(super) fn reach(&self) -> impl Iterator<Item = (Vec3, f32)> {
        self.atoms[..self.moving].iter().map(|atom| {
            let mut first = atom.part;
            while let Some(parent) = self.parts[first].parent.filter(|&parent| self.parts[parent].parent.is_some()) {
                first = parent;
            }
            let origin = self.parts[first].origin;
            // Along the chain no atom is further from the first axis than the sum of the parts' steps.
            let mut length = atom.position.distance(self.parts[atom.part].origin);
            let mut part = atom.part;
            while let Some(parent) = self.parts[part].parent.filter(|_| part != first) {
                length += self.parts[part].origin.distance(self.parts[parent].origin);
                part = parent;
            }
            (origin, length)
        })
    }

    fn take_atoms(&mut self, model: &Model, typed: &TypedReceptor, part_of: &[(u32, usize)]) {
        let kind_of = |atom: u32| typed.atoms.binary_search(&atom).ok().map(|place| typed.types[place]);
        let moving: Vec<usize> = (0..self.parts.len()).filter(|&part| self.parts[part].parent.is_some()).collect();
        let fixed: Vec<usize> = (0..self.parts.len()).filter(|&part| self.parts[part].parent.is_none()).collect();
        for part in moving.iter().chain(&fixed).copied() {
            let start = self.atoms.len();
            for &(atom, _) in part_of.iter().filter(|&&(_, held)| held == part) {
                let position = model.positions[atom as usize];
                if let Some(kind) = kind_of(atom) {
                    self.atoms.push(SideAtom { atom, position, kind, part });
                }
                if self.parts[part].parent.is_some() {
                    self.carried.push(Carried { atom, position, part });
                }
            }
            self.parts[part].atoms = start..self.atoms.len();
            if self.parts[part].parent.is_some() {
                self.moving = self.atoms.len();
            }
        }
    }

    fn moving_pairs(&self, neighbours: &[Vec<(u32, u32)>], axis_atoms: &[[u32; 2]]) -> Vec<(u32, u32)> {
        // The two atoms of an axis keep their distances to what turns about it.
        let sides = |atom: &SideAtom| {
            let about = axis_atoms.iter().enumerate().filter(|(_, ends)| ends.contains(&atom.atom));
            std::iter::once(atom.part).chain(about.map(|(part, _)| part)).collect::<Vec<usize>>()
        };
        let sides: Vec<Vec<usize>> = self.atoms.iter().map(sides).collect();
        let mut pairs = Vec::new();
        for (first, a) in self.atoms[..self.moving].iter().enumerate() {
            let near = within_three_bonds(neighbours, a.atom);
            for (second, b) in self.atoms.iter().enumerate().skip(first + 1) {
                let is_rigid = sides[first].iter().any(|side| sides[second].contains(side));
                if !is_rigid && !near.contains(&b.atom) {
                    pairs.push((first as u32, second as u32));
                }
            }
        }
        pairs
    }
}

/// A chi angle of a residue in a model.
struct Axis {
    /// Its two atoms, the nearer to the backbone first.
    ends: [u32; 2],
    /// What turns about it.
    moved: Vec<u32>,
}

/// The chi angles of a residue, in order, as far as the file has its atoms.
fn chi_axes(model: &Model, residue: &Residue, neighbours: &[Vec<(u32, u32)>]) -> Result<Vec<Axis>, SideChainError> {
    let topology = &*model.topology;
    let rigid = |reason| SideChainError::Rigid {
        residue: format!("{}:{}", topology.chain_of(residue).id, residue.number_text()),
        name: residue.name.to_string(),
        reason,
    };
    let names = chi_names(&residue.name);
    if residue.kind != ResidueKind::Protein || names.is_empty() {
        return Err(rigid("it has no chi angles that this program knows"));
    }
    let mut axes: Vec<Axis> = Vec::new();
    for ends in names.windows(2) {
        let found = [topology.atom_named(residue, ends[0]), topology.atom_named(residue, ends[1])];
        let [Some(begin), Some(end)] = found.map(|atom| atom.map(|atom| atom as u32)) else { break };
        let mut moved = vec![end];
        let mut next = 0;
        while let Some(&atom) = moved.get(next) {
            next += 1;
            for &(other, _) in &neighbours[atom as usize] {
                if other != begin && !moved.contains(&other) {
                    if !topology.atoms_of(residue).any(|own| own as u32 == other) {
                        return Err(rigid("its side chain is bonded to another residue"));
                    }
                    moved.push(other);
                }
            }
        }
        moved.remove(0);
        if !moved.iter().any(|&atom| topology.atoms[atom as usize].element != Element::H) {
            break;
        }
        axes.push(Axis { ends: [begin, end], moved });
    }
    if axes.is_empty() { Err(rigid("the file has no atoms of its side chain beyond CB")) } else { Ok(axes) }
}

/// The atoms that follow each other along the chi angles: each two in a row are an axis.
fn chi_names(residue: &str) -> &'static [&'static str] {
    match residue {
        "ARG" => &["CA", "CB", "CG", "CD", "NE"],
        "LYS" => &["CA", "CB", "CG", "CD", "CE"],
        "GLN" | "GLU" => &["CA", "CB", "CG", "CD"],
        "MET" => &["CA", "CB", "CG", "SD"],
        "MSE" => &["CA", "CB", "CG", "SE"],
        "ILE" => &["CA", "CB", "CG1"],
        "ASN" | "ASP" | "LEU" | "PHE" | "TYR" | "TRP" => &["CA", "CB", "CG"],
        "HIS" | "HID" | "HIE" | "HIP" | "HSD" | "HSE" | "HSP" => &["CA", "CB", "CG"],
        "SER" | "CYS" | "THR" | "VAL" => &["CA", "CB"],
        _ => &[],
    }
}
