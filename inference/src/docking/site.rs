//! What stays while ligands come and go: the typed receptor, the box and its maps.

use std::sync::Arc;

use glam::Vec3;
use kfold_molecule::{Bond, Chain, Model, ResidueKind, Structure, Topology};

use super::DockingError;
use super::energy::ReceptorCells;
use super::grid::Grids;
use super::pocket::SearchBox;
use super::scoring::EmpiricalFunction;
use super::side_chains::SideChains;
use super::typing::{AtomType, TypedReceptor, receptor_types};
use crate::settings::ScoringFunction;

/// A receptor ready for scoring.
#[derive(Clone, Debug)]
pub struct Receptor {
    /// What is scored: one model, without waters and what else was left out. Indices of atoms refer to it.
    pub structure: Arc<Structure>,
    typed: TypedReceptor,
    cells: ReceptorCells,
}

impl Receptor {
    /// Types the first model of a structure without its waters, without other than primary locations, and without the
    /// residues (by index) in `excluded`, e.g. the crystal ligand whose place another is to take.
    ///
    /// # Errors
    /// When nothing is left.
    pub fn new(structure: &Structure, excluded: &[usize]) -> Result<Self, DockingError> {
        let empty = || DockingError::EmptyReceptor(structure.name.clone());
        let model = kept(structure.first().ok_or_else(empty)?, excluded);
        let typed = receptor_types(&model);
        if typed.positions.is_empty() {
            return Err(empty());
        }
        let cells = ReceptorCells::new(&typed);
        let structure = Arc::new(Structure { name: structure.name.clone(), models: vec![model] });
        Ok(Self { structure, typed, cells })
    }

    /// The same receptor with its atoms elsewhere, Å.
    ///
    /// # Errors
    /// When there is not one position for each atom.
    pub fn with_positions(&self, positions: &[Vec3]) -> Result<Self, DockingError> {
        let mut structure = Structure::clone(&self.structure);
        match structure.models.first_mut().filter(|model| model.positions.len() == positions.len()) {
            Some(model) => model.positions.copy_from_slice(positions),
            None => return Err(DockingError::EmptyReceptor(structure.name)),
        }
        Self::new(&structure, &[])
    }

    /// The typed atoms.
    #[must_use]
    pub const fn typed(&self) -> &TypedReceptor {
        &self.typed
    }

    pub(super) const fn cells(&self) -> &ReceptorCells {
        &self.cells
    }
}

/// A receptor, a box and a scoring function, with the maps computed so far.
#[derive(Clone, Debug)]
pub struct Site {
    receptor: Arc<Receptor>,
    scoring: ScoringFunction,
    grids: Grids,
    flexible: Option<Flexible>,
}

/// The side chains that turn, and the receptor without their residues.
#[derive(Clone, Debug)]
struct Flexible {
    side_chains: SideChains,
    rest: TypedReceptor,
    cells: ReceptorCells,
}

/// What is added to the reach of a side chain for the maps to cover it, Å.
const COVER_MARGIN: f32 = 0.5;

impl Site {
    /// Joins them; no map is computed yet.
    ///
    /// # Errors
    /// When the box is not usable or no receptor atom is near it.
    pub fn new(receptor: Arc<Receptor>, search_box: SearchBox, scoring: ScoringFunction) -> Result<Self, DockingError> {
        let search_box = search_box.checked()?;
        search_box.check_receptor(&receptor.typed.positions)?;
        Ok(Self { receptor, scoring, grids: Grids::new(search_box), flexible: None })
    }

    /// The same with side chains of the receptor that turn.
    ///
    /// # Errors
    /// When what the side chains reach and the box together are too large.
    pub fn with_side_chains(mut self, side_chains: SideChains) -> Result<Self, DockingError> {
        if side_chains.is_empty() {
            return Ok(self);
        }
        let search_box = *self.search_box();
        let corners = side_chains.reach().flat_map(|(center, length)| [center - length, center + length]);
        let covered = SearchBox::around(corners.chain([search_box.low(), search_box.high()]), COVER_MARGIN)?;
        self.grids = Grids::covering(search_box, covered);
        let topology = self.receptor.structure.first().map(|model| Arc::clone(&model.topology));
        let is_rest = |atom: u32| {
            let residue =
                topology.as_ref().and_then(|topology| topology.atoms.get(atom as usize)).map(|atom| atom.residue);
            residue.is_none_or(|residue| side_chains.residues().binary_search(&residue).is_err())
        };
        let rest = self.receptor.typed.restricted(is_rest);
        let cells = ReceptorCells::new(&rest);
        self.flexible = Some(Flexible { side_chains, rest, cells });
        Ok(self)
    }

    /// The receptor.
    #[must_use]
    pub const fn receptor(&self) -> &Arc<Receptor> {
        &self.receptor
    }

    /// The box.
    #[must_use]
    pub const fn search_box(&self) -> &SearchBox {
        self.grids.search_box()
    }

    /// The scoring function's name.
    #[must_use]
    pub const fn scoring(&self) -> ScoringFunction {
        self.scoring
    }

    /// The scoring function.
    #[must_use]
    pub const fn function(&self) -> &'static EmpiricalFunction {
        EmpiricalFunction::of(self.scoring)
    }

    /// The side chains that turn, if any.
    #[must_use]
    pub fn side_chains(&self) -> Option<&SideChains> {
        self.flexible.as_ref().map(|flexible| &flexible.side_chains)
    }

    /// The part of the receptor that stays, for exact sums.
    pub(super) fn cells(&self) -> &ReceptorCells {
        self.flexible.as_ref().map_or(&self.receptor.cells, |flexible| &flexible.cells)
    }

    pub(super) fn prepare(&mut self, types: &[AtomType]) {
        let walls = self.flexible.as_ref().map_or(&self.receptor.typed, |flexible| &flexible.rest);
        self.grids.add(EmpiricalFunction::of(self.scoring), walls, types);
    }

    pub(super) const fn grids(&self) -> &Grids {
        &self.grids
    }
}

/// The model without waters, other than primary locations, and the excluded residues.
fn kept(model: &Model, excluded: &[usize]) -> Model {
    let topology = &*model.topology;
    let mut reduced = Topology::default();
    let (mut positions, mut b_factors) = (Vec::new(), Vec::new());
    let mut new_index = vec![None; topology.atoms.len()];
    for chain in &topology.chains {
        let first = reduced.residues.len() as u32;
        for index in chain.residues.start as usize..chain.residues.end as usize {
            let residue = &topology.residues[index];
            if residue.kind == ResidueKind::Water || excluded.contains(&index) {
                continue;
            }
            let start = reduced.atoms.len() as u32;
            for atom in topology.atoms_of(residue).filter(|&atom| topology.is_primary_location(atom)) {
                new_index[atom] = Some(reduced.atoms.len() as u32);
                let mut copy = topology.atoms[atom].clone();
                copy.residue = reduced.residues.len() as u32;
                reduced.atoms.push(copy);
                positions.push(model.positions[atom]);
                b_factors.push(model.b_factors.get(atom).copied().unwrap_or_default());
            }
            let mut copy = residue.clone();
            copy.atoms = start..reduced.atoms.len() as u32;
            copy.chain = reduced.chains.len() as u32;
            reduced.residues.push(copy);
        }
        if reduced.residues.len() as u32 > first {
            reduced.chains.push(Chain { id: chain.id.clone(), residues: first..reduced.residues.len() as u32 });
        }
    }
    reduced.bonds = topology
        .bonds
        .iter()
        .filter_map(|bond| Some(Bond::new(new_index[bond.a as usize]?, new_index[bond.b as usize]?, bond.order)))
        .collect();
    reduced.bonds.sort_unstable();
    Model { number: model.number, topology: Arc::new(reduced), positions, b_factors }
}
