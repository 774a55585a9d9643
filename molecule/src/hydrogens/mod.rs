//! Hydrogens put on the proteins, nucleic acids, ligands and waters of a structure, protonated as at pH 7.4.
//!
//! Which hydrogens: those of the residue's component in the dictionary, less the ones that bonds to other residues and
//! metals take the place of, with the acids without their proton and chain starts as ammonium (`sites`). Histidine takes
//! the form that its neighbours ask for, by hydrogen bonds and metals; the same energies tell which amides and histidines
//! would fit better turned round (`choices`; Word et al., J. Mol. Biol. 1999, 285, 1735, have shown how often they are).
//! Where: opposite to the other neighbours for atoms whose place they fix; hydroxyls, thiols and ammonium groups turn to
//! the torsion with the best hydrogen bonds and the fewest clashes, one after the other, until none moves (`placement`).
//! Names, lengths and angles are the component's own (Protein Data Bank, version 3).
//!
//! Only primary locations get hydrogens; those that are there stay. Ligands keep the protonation of the dictionary, acids
//! aside. Residues that are not what the dictionary knows are left as they are and told.

mod choices;
mod placement;
mod sites;

use std::sync::Arc;

use glam::Vec3;
use smol_str::SmolStr;

use crate::Element;
use crate::components::ComponentError;
use crate::structure::{Atom, Bond, BondOrder, Model, Structure, Topology};

pub use choices::{Flip, Histidine, HistidineForm};

/// What to do beyond the plain.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Whether waters get hydrogens too.
    pub waters: bool,
    /// Whether amides and histidines that fit better turned round are turned; else they are only told.
    pub apply_flips: bool,
}

/// A structure with hydrogens, and what was decided on the way (from the first model of each topology).
#[derive(Clone, Debug, Default)]
pub struct Hydrogenated {
    /// The structure; each residue's new hydrogens follow its other atoms, serial numbers count anew.
    pub structure: Structure,
    /// Hydrogens added to each model of the first topology.
    pub added: usize,
    /// Every histidine with the form chosen.
    pub histidines: Vec<Histidine>,
    /// Side chains of asparagine, glutamine and histidine that fit better turned round.
    pub flips: Vec<Flip>,
    /// Residues left without hydrogens, each with the reason.
    pub left_out: Vec<String>,
}

/// Adds hydrogens to every model.
///
/// # Errors
/// When the component dictionary is damaged.
pub fn add(structure: &Structure, options: &Options) -> Result<Hydrogenated, ComponentError> {
    let mut result = Hydrogenated::default();
    result.structure.name.clone_from(&structure.name);
    let mut plans: Vec<(Arc<Topology>, Plan)> = Vec::new();
    for (index, model) in structure.models.iter().enumerate() {
        let known = plans.iter().position(|(topology, _)| Arc::ptr_eq(topology, &model.topology));
        let at = match known {
            Some(at) => at,
            None => {
                let plan = Plan::new(model, options)?;
                if index == 0 {
                    result.added = plan.sites.iter().map(|site| site.hydrogens.len()).sum();
                    result.histidines.clone_from(&plan.histidines);
                    result.flips.clone_from(&plan.flips);
                    result.left_out.clone_from(&plan.left_out);
                }
                plans.push((Arc::clone(&model.topology), plan));
                plans.len() - 1
            }
        };
        result.structure.models.push(plans[at].1.hydrogenated(model));
    }
    Ok(result)
}

/// A heavy atom that gets hydrogens.
#[derive(Clone, Debug)]
struct Site {
    /// The atom.
    atom: u32,
    /// Its heavy neighbours, those of its own residue first.
    neighbours: Vec<u32>,
    hydrogens: Vec<NewHydrogen>,
    shape: Shape,
    /// A neighbour of the only neighbour, from which torsions are counted.
    reference: Option<u32>,
}

/// A hydrogen to be placed.
#[derive(Clone, Debug)]
struct NewHydrogen {
    name: SmolStr,
    /// Å from its heavy atom.
    length: f32,
    /// Torsion in radians counted from the site's reference, where the site has a single neighbour.
    torsion: f32,
    /// Which side of the plane of the atom and its first two neighbours, where there are two.
    is_above: bool,
}

/// How the bonds of a site are arranged.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Shape {
    /// All in one plane.
    Planar,
    /// Tetrahedral.
    Tetrahedral,
    /// One neighbour, free to turn: angle at the heavy atom in radians; the torsion comes back after so many steps of a turn.
    Rotor { angle: f32, fold: u32 },
    /// One neighbour, torsions as they are: angle at the heavy atom in radians.
    Fixed { angle: f32 },
    /// No neighbour (water, ammonium): directions from the component, turned as a whole for water.
    Free,
}

/// Everything about a topology that does not depend on where its atoms are in one model.
struct Plan {
    sites: Vec<Site>,
    /// Pairs of atoms that trade places, as decided.
    swaps: Vec<(u32, u32)>,
    charges: Vec<(u32, i8)>,
    histidines: Vec<Histidine>,
    flips: Vec<Flip>,
    left_out: Vec<String>,
    topology: Arc<Topology>,
    /// For each atom of the new topology where it comes from.
    origins: Vec<Origin>,
}

#[derive(Clone, Copy, Debug)]
enum Origin {
    /// An atom that was there.
    Old(u32),
    /// A hydrogen of a site.
    New { site: u32, hydrogen: u32 },
}

impl Plan {
    fn new(model: &Model, options: &Options) -> Result<Self, ComponentError> {
        let found = sites::find(model, options)?;
        let mut plan = Self {
            sites: found.sites,
            swaps: found.swaps,
            charges: found.charges,
            histidines: found.histidines,
            flips: found.flips,
            left_out: found.left_out,
            topology: Arc::default(),
            origins: Vec::new(),
        };
        plan.build_topology(&model.topology);
        Ok(plan)
    }

    fn build_topology(&mut self, old: &Topology) {
        let mut by_residue: Vec<Vec<u32>> = vec![Vec::new(); old.residues.len()];
        for (index, site) in self.sites.iter().enumerate() {
            by_residue[old.atoms[site.atom as usize].residue as usize].push(index as u32);
        }
        let mut topology = Topology { chains: old.chains.clone(), ..Topology::default() };
        let mut place = vec![0_u32; old.atoms.len()];
        let mut bonds = Vec::new();
        for (residue, sites) in old.residues.iter().zip(&by_residue) {
            let start = topology.atoms.len() as u32;
            for atom in old.atoms_of(residue) {
                place[atom] = topology.atoms.len() as u32;
                self.origins.push(Origin::Old(atom as u32));
                topology.atoms.push(old.atoms[atom].clone());
            }
            for &site in sites {
                let host = &old.atoms[self.sites[site as usize].atom as usize];
                for (hydrogen, new) in self.sites[site as usize].hydrogens.iter().enumerate() {
                    bonds.push((self.sites[site as usize].atom, topology.atoms.len() as u32));
                    self.origins.push(Origin::New { site, hydrogen: hydrogen as u32 });
                    topology.atoms.push(Atom {
                        name: new.name.clone(),
                        element: Element::H,
                        formal_charge: 0,
                        ..host.clone()
                    });
                }
            }
            let mut residue = residue.clone();
            residue.atoms = start..topology.atoms.len() as u32;
            topology.residues.push(residue);
        }
        for &(atom, charge) in &self.charges {
            topology.atoms[place[atom as usize] as usize].formal_charge = charge;
        }
        for (serial, atom) in (1..).zip(&mut topology.atoms) {
            atom.serial = serial;
        }
        let kept = old.bonds.iter().map(|bond| Bond::new(place[bond.a as usize], place[bond.b as usize], bond.order));
        let new = bonds.into_iter().map(|(host, atom)| Bond::new(place[host as usize], atom, BondOrder::Single));
        topology.bonds = kept.chain(new).collect();
        topology.bonds.sort_unstable();
        self.topology = Arc::new(topology);
    }

    fn hydrogenated(&self, model: &Model) -> Model {
        let mut positions = model.positions.clone();
        for &(a, b) in &self.swaps {
            positions.swap(a as usize, b as usize);
        }
        let placed = placement::place(&model.topology, &positions, &self.sites);
        let pick = |origin: &Origin| match *origin {
            Origin::Old(atom) => (positions[atom as usize], model.b_factors.get(atom as usize).copied()),
            Origin::New { site, hydrogen } => {
                let host = self.sites[site as usize].atom as usize;
                (placed[site as usize][hydrogen as usize], model.b_factors.get(host).copied())
            }
        };
        let (positions, b_factors): (Vec<Vec3>, Vec<f32>) =
            self.origins.iter().map(pick).map(|(place, factor)| (place, factor.unwrap_or(0.0))).unzip();
        Model { number: model.number, topology: Arc::clone(&self.topology), positions, b_factors }
    }
}

#[cfg(test)]
mod tests;
