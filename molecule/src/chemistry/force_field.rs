//! Energies and minimisation of given geometries by UFF.

use cosmolkit as kit;
use glam::Vec3;

use super::toolkit::{coordinates_from, coordinates_into, into_toolkit};
use crate::SmallMolecule;

/// A molecule with explicit hydrogens, ready to be put into any geometry.
#[derive(Clone, Debug)]
pub(crate) struct ForceField {
    molecule: kit::Molecule,
}

/// What holds atoms in their places.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Hold<'a> {
    /// Nothing.
    Nothing,
    /// These atoms do not move.
    Fixed(&'a [u32]),
    /// These atoms may move by so much (Å), and are pulled back beyond it.
    Within(&'a [u32], f64),
}

impl ForceField {
    /// `None` when parameters are missing, or the molecule breaks the rules of valence.
    pub(crate) fn uff(molecule: &SmallMolecule) -> Option<Self> {
        let mut graph = molecule.clone();
        graph.conformers.clear();
        let molecule = into_toolkit(&graph).ok()?;
        molecule.uff_has_all_molecule_params().ok()?.then_some(Self { molecule })
    }

    /// The geometry after minimisation and its energy in kcal/mol (without that of the hold). `None` when the force field
    /// cannot be set up there.
    pub(crate) fn minimised(&self, positions: &[Vec3], hold: Hold<'_>) -> Option<(Vec<Vec3>, f64)> {
        const ITERATIONS: u32 = 500;
        const PULL: f64 = 100.0;
        let placed = self.molecule.with_added_3d_conformer(coordinates_into(positions)).ok()?;
        let mut field = placed.uff_force_field().ok()?;
        let atom = |atom: &u32| kit::AtomId::new(*atom as usize);
        match hold {
            Hold::Nothing => {}
            Hold::Fixed(atoms) => field.set_fixed_atoms_(&atoms.iter().map(atom).collect::<Vec<_>>()).ok()?,
            Hold::Within(atoms, leeway) => {
                let params = kit::ForceFieldPositionConstraintParams::new(leeway, PULL);
                for held in atoms {
                    field.add_position_constraint_(atom(held), &params).ok()?;
                }
            }
        }
        let params = kit::ForceFieldMinimizeParams::new(ITERATIONS, 1e-4, 1e-6);
        field.minimize_with_params_(&params).ok()?;
        let found = field.positions();
        let energy = if matches!(hold, Hold::Within(..)) {
            let mut free = placed.uff_force_field().ok()?;
            free.set_positions_(&found).ok()?;
            free.energy().ok()?
        } else {
            field.energy().ok()?
        };
        energy.is_finite().then(|| (coordinates_from(&found), energy))
    }
}
