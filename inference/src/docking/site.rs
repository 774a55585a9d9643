//! What stays while ligands come and go: the typed receptor, the box and its maps.

use std::sync::Arc;

use kfold_molecule::{Bond, Chain, Model, ResidueKind, Structure, Topology};

use super::DockingError;
use super::energy::ReceptorCells;
use super::grid::Grids;
use super::pocket::SearchBox;
use super::scoring::EmpiricalFunction;
use super::typing::{AtomType, TypedReceptor, receptor_types};
use crate::settings::ScoringFunction;

/// A receptor ready for scoring.
#[derive(Clone, Debug)]
pub struct Receptor {
    /// What is scored: one model, without waters and what else was left out. Indices of atoms refer to it.
    pub structure: Structure,
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
        let structure = Structure { name: structure.name.clone(), models: vec![model] };
        Ok(Self { structure, typed, cells })
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
}

impl Site {
    /// Joins them; no map is computed yet.
    ///
    /// # Errors
    /// When the box is not usable or no receptor atom is near it.
    pub fn new(receptor: Arc<Receptor>, search_box: SearchBox, scoring: ScoringFunction) -> Result<Self, DockingError> {
        let search_box = search_box.checked()?;
        search_box.check_receptor(&receptor.typed.positions)?;
        Ok(Self { receptor, scoring, grids: Grids::new(search_box) })
    }

    /// The receptor.
    #[must_use]
    pub fn receptor(&self) -> &Receptor {
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

    pub(super) fn prepare(&mut self, types: &[AtomType]) -> &Grids {
        self.grids.add(EmpiricalFunction::of(self.scoring), &self.receptor.typed, types);
        &self.grids
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
