//! What stays while ligands come and go: the typed receptor, the box and its maps.

use std::sync::Arc;

use kfold_molecule::{Model, Structure};

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
    /// The structure as given, its first model only.
    pub structure: Structure,
    typed: TypedReceptor,
    cells: ReceptorCells,
}

impl Receptor {
    /// Types the first model of a structure, leaving out waters and the residues (by index) in `excluded`, e.g. the
    /// crystal ligand whose place another is to take.
    ///
    /// # Errors
    /// When nothing is left.
    pub fn new(structure: &Structure, excluded: &[usize]) -> Result<Self, DockingError> {
        let model: &Model = structure.first().ok_or_else(|| DockingError::EmptyReceptor(structure.name.clone()))?;
        let typed = receptor_types(model, excluded);
        if typed.positions.is_empty() {
            return Err(DockingError::EmptyReceptor(structure.name.clone()));
        }
        let cells = ReceptorCells::new(&typed);
        let structure = Structure { name: structure.name.clone(), models: vec![model.clone()] };
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
