//! What a molecule graph implies: hydrogens, rings, aromaticity, stereocentres.

use cosmolkit as kit;
use kit::{PotentialStereoCenter, PotentialStereoParams, PotentialStereoSpecified, PotentialStereoType};

use super::ChemistryError;
use super::graph::Graph;
use super::toolkit::{explain, from_toolkit, into_toolkit};
use crate::{BondOrder, Element, SmallMolecule, Stereo};

/// How the bonds around an atom are arranged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Hybridisation {
    /// Linear.
    Sp,
    /// Planar, including atoms whose lone pair is conjugated (amide nitrogen).
    Sp2,
    /// Tetrahedral.
    Sp3,
    /// Hydrogen, metals, hypervalent centres.
    #[default]
    Other,
}

/// What a molecule graph implies, atom by atom and bond by bond of [`Perception::molecule`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Perception {
    /// The molecule in Kekulé form with the same atoms in the same order, its stereo filled in (from the input's
    /// `stereo`, and from the first conformer where the input says nothing), its names, conformers and properties kept.
    /// Charge-separated groups are normalised (a nitro group drawn with five bonds at nitrogen becomes N+ and O-).
    pub molecule: SmallMolecule,
    /// For each atom, hydrogens that are not atoms of their own.
    pub implied_hydrogens: Vec<u8>,
    /// For each atom, all hydrogens: implied and explicit.
    pub hydrogens: Vec<u8>,
    /// For each atom, its unpaired electrons; 0 in anything stable.
    pub unpaired_electrons: Vec<u8>,
    /// For each atom, whether it is aromatic.
    pub aromatic_atoms: Vec<bool>,
    /// For each bond, whether it is aromatic.
    pub aromatic_bonds: Vec<bool>,
    /// For each bond, whether it is conjugated.
    pub conjugated_bonds: Vec<bool>,
    /// For each atom.
    pub hybridisation: Vec<Hybridisation>,
    /// The smallest rings (symmetrised SSSR), each as its atoms in order around the ring.
    pub rings: Vec<Vec<u32>>,
    /// For each bond, whether it is part of a ring.
    pub ring_bonds: Vec<bool>,
    /// Centres and double bonds that could have a configuration but have none: each as one of its two forms.
    pub open_stereo: Vec<Stereo>,
}

impl Perception {
    /// Rings whose bonds are all aromatic.
    pub fn aromatic_rings(&self) -> impl Iterator<Item = &Vec<u32>> {
        self.rings.iter().filter(|ring| self.is_aromatic_ring(ring))
    }

    fn is_aromatic_ring(&self, ring: &[u32]) -> bool {
        ring.iter().enumerate().all(|(place, &a)| {
            let b = ring[(place + 1) % ring.len()];
            self.molecule
                .bonds
                .iter()
                .zip(&self.aromatic_bonds)
                .any(|(bond, &aromatic)| aromatic && bond.a == a.min(b) && bond.b == a.max(b))
        })
    }

    /// Fused, bridged and spiro rings taken together: sorted atoms of each ring system.
    #[must_use]
    pub fn ring_systems(&self) -> Vec<Vec<u32>> {
        let mut systems: Vec<Vec<u32>> = Vec::new();
        for ring in &self.rings {
            let mut merged = ring.clone();
            systems.retain(|system| {
                let shares = system.iter().any(|atom| ring.contains(atom));
                if shares {
                    merged.extend(system);
                }
                !shares
            });
            merged.sort_unstable();
            merged.dedup();
            systems.push(merged);
        }
        systems.sort();
        systems
    }
}

/// Perceives hydrogens, rings, aromaticity and stereo.
///
/// # Errors
/// When the molecule is empty, too large, or breaks the rules of valence; the text names the atom.
pub fn perceive(molecule: &SmallMolecule) -> Result<Perception, ChemistryError> {
    let sanitised = into_toolkit(molecule)?;
    let mut perception = read_perception(&sanitised, &molecule.name)
        .map_err(|reason| ChemistryError::Invalid { name: molecule.name.clone(), reason })?;
    for (atom, given) in perception.molecule.atoms.iter_mut().zip(&molecule.atoms) {
        atom.name = given.name.clone();
        atom.fixed_hydrogens = given.fixed_hydrogens;
    }
    perception.molecule.conformers = molecule.conformers.clone();
    perception.molecule.properties = molecule.properties.clone();
    if let Some(positions) = molecule.conformers.first()
        && positions.len() == molecule.atoms.len()
        && positions.iter().any(|position| (position.z - positions[0].z).abs() > 1e-3)
    {
        let mut open = Vec::new();
        for stereo in std::mem::take(&mut perception.open_stereo) {
            match stereo.is_satisfied_by(positions) {
                Some(true) => perception.molecule.stereo.push(stereo),
                Some(false) => perception.molecule.stereo.push(stereo.inverted()),
                None => open.push(stereo),
            }
        }
        perception.open_stereo = open;
    }
    Ok(perception)
}

/// Reads everything from a sanitised toolkit molecule.
pub(super) fn read_perception(sanitised: &kit::Molecule, name: &str) -> Result<Perception, String> {
    let molecule = from_toolkit(sanitised, name)?;
    let topology = sanitised.topology();
    let metadata = sanitised.atom_metadata(false).or_else(|_| sanitised.atom_metadata(true));
    let metadata = metadata.map_err(|error| explain(&error).reason)?;
    let ring_search = sanitised.symmetrized_sssr().map_err(|error| explain(&error).reason)?;
    let rings: Vec<Vec<u32>> =
        ring_search.atom_rings().iter().map(|ring| ring.iter().map(|atom| atom.index() as u32).collect()).collect();
    let mut ring_bonds = vec![false; topology.bonds.len()];
    for bond in ring_search.bond_rings().iter().flatten() {
        if let Some(flag) = ring_bonds.get_mut(bond.index()) {
            *flag = true;
        }
    }
    let implied_hydrogens: Vec<u8> = metadata.iter().map(|data| data.total_hydrogens.clamp(0, 255) as u8).collect();
    let mut hydrogens = implied_hydrogens.clone();
    for bond in &molecule.bonds {
        for (atom, other) in [(bond.a, bond.b), (bond.b, bond.a)] {
            if molecule.atoms[other as usize].element == Element::H {
                hydrogens[atom as usize] = hydrogens[atom as usize].saturating_add(1);
            }
        }
    }
    let open_stereo = open_stereo(sanitised, &molecule, &ring_bonds)?;
    Ok(Perception {
        implied_hydrogens,
        hydrogens,
        unpaired_electrons: topology.atoms.iter().map(kit::Atom::radical_electrons).collect(),
        aromatic_atoms: topology.atoms.iter().map(kit::Atom::is_aromatic).collect(),
        aromatic_bonds: topology.bonds.iter().map(kit::Bond::is_aromatic).collect(),
        conjugated_bonds: topology.bonds.iter().map(kit::Bond::is_conjugated).collect(),
        hybridisation: topology
            .atoms
            .iter()
            .map(|atom| match atom.hybridization() {
                kit::Hybridization::Sp => Hybridisation::Sp,
                kit::Hybridization::Sp2 => Hybridisation::Sp2,
                kit::Hybridization::Sp3 => Hybridisation::Sp3,
                _ => Hybridisation::Other,
            })
            .collect(),
        rings,
        ring_bonds,
        open_stereo,
        molecule,
    })
}

/// Centres and double bonds that could have a configuration and have none.
fn open_stereo(
    sanitised: &kit::Molecule,
    molecule: &SmallMolecule,
    ring_bonds: &[bool],
) -> Result<Vec<Stereo>, String> {
    let params = PotentialStereoParams { clean: false, flag_possible: true, allow_nontetrahedral: false };
    let found = sanitised.potential_stereo_with_params(&params).map_err(|error| explain(&error).reason)?;
    let neighbours = molecule.neighbours();
    let heavy = |atom: u32| molecule.atoms[atom as usize].element != Element::H;
    let classes = symmetry_graph(molecule).classes();
    let mut open = Vec::new();
    for info in &found.stereo {
        if info.specified == PotentialStereoSpecified::Specified {
            continue;
        }
        match (info.stereo_type, info.centered_on) {
            (PotentialStereoType::AtomTetrahedral, PotentialStereoCenter::Atom(atom)) => {
                let around = &neighbours[atom.index()];
                // Bridgeheads of cages such as adamantane count as potential centres, but the cage leaves no choice.
                let ring_degree = around.iter().filter(|(_, bond)| ring_bonds[*bond as usize]).count();
                let is_symmetric = (1..around.len()).any(|i| {
                    around[..i].iter().any(|(held, _)| classes[*held as usize] == classes[around[i].0 as usize])
                });
                if ring_degree >= 3 && is_symmetric {
                    continue;
                }
                // Oxygens of phosphates, phosphonates and sulfonates trade places with their proton.
                let end_oxygens = around
                    .iter()
                    .filter(|(other, _)| {
                        molecule.atoms[*other as usize].element == Element::O
                            && neighbours[*other as usize].iter().filter(|(next, _)| heavy(*next)).count() == 1
                    })
                    .count();
                if end_oxygens >= 2 {
                    continue;
                }
                let around: Vec<u32> = around.iter().map(|(neighbour, _)| *neighbour).collect();
                if let [a, b, c] | [a, b, c, _] = around[..] {
                    open.push(Stereo::Tetrahedral {
                        centre: atom.index() as u32,
                        neighbours: [a, b, c],
                        counterclockwise: true,
                    });
                }
            }
            (PotentialStereoType::BondDouble, PotentialStereoCenter::Bond(bond)) => {
                let Some(bond) = sanitised.bond(bond) else { continue };
                let atoms = [bond.begin().index() as u32, bond.end().index() as u32];
                // Only heavy references: the hydrogen of an imine moves freely. No cumulated double bonds: they are linear.
                let reference = |from: u32, other: u32| {
                    let around = &neighbours[from as usize];
                    let is_linear = around.iter().any(|(next, bond)| {
                        *next != other && molecule.bonds[*bond as usize].order != BondOrder::Single
                    });
                    around
                        .iter()
                        .map(|(neighbour, _)| *neighbour)
                        .filter(|&neighbour| neighbour != other && heavy(neighbour) && !is_linear)
                        .min()
                };
                if let (Some(first), Some(second)) = (reference(atoms[0], atoms[1]), reference(atoms[1], atoms[0])) {
                    open.push(Stereo::DoubleBond { atoms, neighbours: [first, second], same_side: true });
                }
            }
            _ => {}
        }
    }
    Ok(open)
}

fn symmetry_graph(molecule: &SmallMolecule) -> Graph {
    Graph {
        labels: molecule
            .atoms
            .iter()
            .map(|atom| {
                u64::from(atom.element.atomic_number())
                    | u64::from(atom.formal_charge as u8) << 8
                    | u64::from(atom.isotope.unwrap_or(0)) << 16
            })
            .collect(),
        // The two forms of an aromatic ring would differ by order: neighbours alone tell what is alike.
        neighbours: molecule
            .neighbours()
            .into_iter()
            .map(|around| around.into_iter().map(|(neighbour, _)| (neighbour, 0)).collect())
            .collect(),
    }
}
