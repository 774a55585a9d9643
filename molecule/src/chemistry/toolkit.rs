//! The way into the chemistry toolkit and back.

use cosmolkit as kit;
use glam::Vec3;
use kit::ChiralTag;

use super::ChemistryError;
use crate::structure::{Bond, BondOrder};
use crate::{Element, SmallMolecule, SmallMoleculeAtom, Stereo};

/// Most atoms (with hydrogens) that any function of this module takes. Ring and symmetry perception grow faster than
/// linearly, so input from outside is bounded.
pub const MAX_ATOMS: usize = 1000;

/// Most atoms without element (`*`) that a molecule may have. Whether they belong to an aromatic ring is decided by trying all
/// combinations: each more doubles the time.
pub(super) const MAX_UNKNOWN_ATOMS: usize = 12;

/// Something the toolkit refused, in words for people and with the atom it stumbled over.
pub(super) struct Refusal {
    pub reason: String,
    pub atom: Option<usize>,
}

/// The molecule in the toolkit's terms: sanitised (valences checked, rings and aromaticity perceived), with the stereo
/// of `molecule.stereo` and without coordinates.
pub(super) fn into_toolkit(molecule: &SmallMolecule) -> Result<kit::Molecule, ChemistryError> {
    let invalid = |reason: String| ChemistryError::Invalid { name: molecule.name.clone(), reason };
    if molecule.atoms.is_empty() {
        return Err(ChemistryError::NoAtoms);
    }
    if molecule.atoms.len() > MAX_ATOMS {
        return Err(ChemistryError::TooLarge { atoms: molecule.atoms.len(), limit: MAX_ATOMS });
    }
    let unknown = molecule.atoms.iter().filter(|atom| atom.element == Element::UNKNOWN).count();
    if unknown > MAX_UNKNOWN_ATOMS {
        return Err(invalid(format!("{unknown} atoms have no element; at most {MAX_UNKNOWN_ATOMS} may")));
    }
    let raw = unsanitised(molecule).map_err(invalid)?;
    raw.sanitize().map_err(|error| {
        let refusal = explain(&error);
        let place = refusal.atom.map(|atom| format!("{}: ", atom_text(molecule, atom))).unwrap_or_default();
        invalid(format!("{place}{}", refusal.reason))
    })
}

fn unsanitised(molecule: &SmallMolecule) -> Result<kit::Molecule, String> {
    let count = molecule.atoms.len();
    let mut aromatic = vec![false; count];
    let mut seen = std::collections::HashSet::new();
    for bond in &molecule.bonds {
        if bond.a as usize >= count || bond.b as usize >= count || bond.a == bond.b {
            return Err(format!("bond {}-{} names an atom that is not there", bond.a + 1, bond.b + 1));
        }
        if !seen.insert((bond.a.min(bond.b), bond.a.max(bond.b))) {
            return Err(format!("bond {}-{} is given twice", bond.a + 1, bond.b + 1));
        }
        if bond.order == BondOrder::Aromatic {
            aromatic[bond.a as usize] = true;
            aromatic[bond.b as usize] = true;
        }
    }
    let tags = chiral_tags(molecule);
    let mut atoms = Vec::with_capacity(count);
    for (index, atom) in molecule.atoms.iter().enumerate() {
        let element = kit::Element::from_atomic_number(atom.element.atomic_number())
            .ok_or_else(|| format!("atom {} has no element", index + 1))?;
        let mut spec = kit::AtomSpec::new(element)
            .with_formal_charge(atom.formal_charge)
            .with_aromatic(aromatic[index])
            .with_chiral_tag(tags[index]);
        if let Some(isotope) = atom.isotope {
            spec = spec.with_isotope(isotope);
        }
        if let Some(hydrogens) = atom.fixed_hydrogens {
            spec = spec.with_explicit_hydrogens(hydrogens).with_no_implicit(true);
        }
        atoms.push(kit::Atom::from_spec(kit::AtomId::new(index), spec));
    }
    let mut bonds = Vec::with_capacity(molecule.bonds.len());
    for (index, bond) in molecule.bonds.iter().enumerate() {
        let (mut begin, mut end) = (bond.a as usize, bond.b as usize);
        let order = match bond.order {
            BondOrder::Single => kit::BondOrder::Single,
            BondOrder::Double => kit::BondOrder::Double,
            BondOrder::Triple => kit::BondOrder::Triple,
            BondOrder::Aromatic => kit::BondOrder::Aromatic,
            BondOrder::Coordination => {
                // From the donor to the metal: the donor's valence does not count it.
                if molecule.atoms[begin].element.is_metal() {
                    (begin, end) = (end, begin);
                }
                kit::BondOrder::Dative
            }
        };
        let mut spec = kit::BondSpec::new(kit::AtomId::new(begin), kit::AtomId::new(end), order)
            .with_aromatic(bond.order == BondOrder::Aromatic);
        if let Some((neighbours, same_side)) = double_bond_stereo(molecule, begin as u32, end as u32)
            && bond.order == BondOrder::Double
        {
            spec = spec
                .with_stereo_atoms(kit::AtomId::new(neighbours[0] as usize), kit::AtomId::new(neighbours[1] as usize))
                .with_stereo(if same_side { kit::BondStereo::Cis } else { kit::BondStereo::Trans });
        }
        bonds.push(kit::Bond::from_spec(kit::BondId::new(index), spec));
    }
    let topology =
        kit::TopologyBlock::try_from_parts(atoms, bonds, Vec::new(), Vec::new()).map_err(|error| error.to_string())?;
    kit::Molecule::from_parts(topology, kit::CoordinateBlock::default(), kit::MoleculeProperties::default())
        .map_err(|error| error.to_string())
}

fn double_bond_stereo(molecule: &SmallMolecule, begin: u32, end: u32) -> Option<([u32; 2], bool)> {
    molecule.stereo.iter().find_map(|stereo| match *stereo {
        Stereo::DoubleBond { atoms, neighbours, same_side } if atoms == [begin, end] => Some((neighbours, same_side)),
        Stereo::DoubleBond { atoms, neighbours: [a, b], same_side } if atoms == [end, begin] => {
            Some(([b, a], same_side))
        }
        _ => None,
    })
}

/// The toolkit's tag says how the first three neighbours in the order of the bonds run; ours names its three.
fn chiral_tags(molecule: &SmallMolecule) -> Vec<ChiralTag> {
    let mut tags = vec![ChiralTag::Unspecified; molecule.atoms.len()];
    if molecule.stereo.is_empty() {
        return tags;
    }
    let mut order = vec![Vec::new(); molecule.atoms.len()];
    for bond in &molecule.bonds {
        order[bond.a as usize].push(bond.b);
        order[bond.b as usize].push(bond.a);
    }
    for stereo in &molecule.stereo {
        if let Stereo::Tetrahedral { centre, neighbours, counterclockwise } = stereo
            && let Some(order) = order.get(*centre as usize)
            && let Some(odd) = permutation_is_odd(neighbours, order)
        {
            tags[*centre as usize] =
                if *counterclockwise != odd { ChiralTag::TetrahedralCcw } else { ChiralTag::TetrahedralCw };
        }
    }
    tags
}

/// Whether the three neighbours (and what is left as the fourth) are an odd permutation of the first three of `order`
/// (and what is left of it). `None` when they are not neighbours at all.
pub(super) fn permutation_is_odd(neighbours: &[u32; 3], order: &[u32]) -> Option<bool> {
    if !(3..=4).contains(&order.len()) {
        return None;
    }
    let fourth = order.iter().position(|atom| !neighbours.contains(atom)).unwrap_or(3);
    let mut places = [0, 0, 0, fourth];
    for (place, atom) in places.iter_mut().zip(neighbours) {
        *place = order.iter().position(|held| held == atom)?;
    }
    let mut inversions = 0;
    for i in 0..4 {
        for j in i + 1..4 {
            inversions += usize::from(places[i] > places[j]);
        }
    }
    Some(inversions % 2 == 1)
}

/// Our molecule of a sanitised toolkit molecule: Kekulé form, the same order of atoms, no conformers.
pub(super) fn from_toolkit(molecule: &kit::Molecule, name: &str) -> Result<SmallMolecule, String> {
    let kekule = molecule.with_kekulized_bonds().map_err(|error| explain(&error).reason)?;
    let topology = kekule.topology();
    let mut bonds = Vec::with_capacity(topology.bonds.len());
    for bond in &topology.bonds {
        let order = match bond.order() {
            kit::BondOrder::Single => BondOrder::Single,
            kit::BondOrder::Double => BondOrder::Double,
            kit::BondOrder::Triple => BondOrder::Triple,
            kit::BondOrder::Aromatic => BondOrder::Aromatic,
            kit::BondOrder::Dative
            | kit::BondOrder::DativeOne
            | kit::BondOrder::DativeLeft
            | kit::BondOrder::DativeRight
            | kit::BondOrder::Zero => BondOrder::Coordination,
            other => {
                return Err(format!(
                    "the bond between atoms {} and {} is of a kind ({other:?}) that is not handled",
                    bond.begin().index() + 1,
                    bond.end().index() + 1
                ));
            }
        };
        bonds.push(Bond::new(bond.begin().index() as u32, bond.end().index() as u32, order));
    }
    let atoms = topology
        .atoms
        .iter()
        .map(|atom| SmallMoleculeAtom {
            element: Element::from_atomic_number(atom.atomic_number()),
            formal_charge: atom.formal_charge(),
            isotope: atom.isotope().filter(|isotope| *isotope > 0),
            // Only who knows what the usual valences say can tell: set by the callers.
            fixed_hydrogens: None,
            name: smol_str::SmolStr::default(),
        })
        .collect();
    Ok(SmallMolecule {
        name: name.to_owned(),
        atoms,
        bonds,
        stereo: stereo_of(molecule),
        conformers: Vec::new(),
        properties: Vec::new(),
    })
}

/// The configurations the toolkit molecule carries.
pub(super) fn stereo_of(molecule: &kit::Molecule) -> Vec<Stereo> {
    let topology = molecule.topology();
    let mut found = Vec::new();
    for (index, atom) in topology.atoms.iter().enumerate() {
        let counterclockwise = match atom.chiral_tag() {
            ChiralTag::TetrahedralCcw => true,
            ChiralTag::TetrahedralCw => false,
            _ => continue,
        };
        let order: Vec<u32> =
            topology.adjacency.neighbors_of(index).iter().map(|neighbour| neighbour.atom_index as u32).collect();
        if let [a, b, c] | [a, b, c, _] = order[..] {
            found.push(Stereo::Tetrahedral { centre: index as u32, neighbours: [a, b, c], counterclockwise });
        }
    }
    for bond in &topology.bonds {
        let same_side = match bond.stereo() {
            kit::BondStereo::Z | kit::BondStereo::Cis => true,
            kit::BondStereo::E | kit::BondStereo::Trans => false,
            _ => continue,
        };
        if let Some(references) = bond.stereo_atoms() {
            found.push(Stereo::DoubleBond {
                atoms: [bond.begin().index() as u32, bond.end().index() as u32],
                neighbours: references.map(|atom| atom.index() as u32),
                same_side,
            });
        }
    }
    found
}

/// Positions of a conformer as the toolkit takes them.
pub(super) fn coordinates_into(positions: &[Vec3]) -> Vec<[f64; 3]> {
    positions.iter().map(|position| position.as_dvec3().to_array()).collect()
}

/// Positions of a conformer as the toolkit gives them.
pub(super) fn coordinates_from(coordinates: &[[f64; 3]]) -> Vec<Vec3> {
    coordinates.iter().map(|&[x, y, z]| Vec3::new(x as f32, y as f32, z as f32)).collect()
}

/// Shortest and longest distances in Å that the graph allows between its atoms, as distance geometry sees them: `[i][j]`
/// with `i < j` is the longest, with `i > j` the shortest.
pub(crate) fn distance_bounds(molecule: &SmallMolecule) -> Result<Vec<Vec<f64>>, ChemistryError> {
    into_toolkit(molecule)?
        .dg_bounds_matrix()
        .map_err(|error| ChemistryError::Invalid { name: molecule.name.clone(), reason: explain(&error).reason })
}

/// How an atom is named in messages: number from 1, element, name if it has one.
pub(super) fn atom_text(molecule: &SmallMolecule, atom: usize) -> String {
    match molecule.atoms.get(atom) {
        Some(held) if held.name.is_empty() => format!("atom {} ({})", atom + 1, held.element.symbol()),
        Some(held) => format!("atom {} ({})", atom + 1, held.name),
        None => format!("atom {}", atom + 1),
    }
}

/// Turns an error of the toolkit into words: the known causes in our own, the rest as its innermost message.
pub(super) fn explain(error: &(dyn std::error::Error + 'static)) -> Refusal {
    let mut innermost = error;
    let mut current = Some(error);
    while let Some(cause) = current {
        innermost = cause;
        if let Some(kit::ValenceError::InvalidValence { atom, atomic_number, calculated, .. }) =
            cause.downcast_ref::<kit::ValenceError>()
        {
            let element = Element::from_atomic_number(*atomic_number).symbol();
            let reason = match calculated {
                Some(bonds) => format!("{element} has {bonds} bonds here, more than its charge allows"),
                None => format!("{element} has more bonds here than its charge allows"),
            };
            return Refusal { reason, atom: Some(atom.index()) };
        }
        match cause.downcast_ref::<kit::KekulizeError>() {
            Some(kit::KekulizeError::NotKekulizable { problem_atoms }) => {
                return Refusal {
                    reason: "this aromatic ring has no arrangement of single and double bonds; a nitrogen that \
                             carries a hydrogen is written [nH], and every aromatic atom must belong to the ring"
                        .to_owned(),
                    atom: problem_atoms.first().map(|atom| atom.index()),
                };
            }
            Some(kit::KekulizeError::AromaticAtomOutsideRing { atom }) => {
                return Refusal {
                    reason: "an aromatic (lower-case) atom must be part of a ring".to_owned(),
                    atom: Some(atom.index()),
                };
            }
            _ => {}
        }
        current = cause.source();
    }
    Refusal { reason: innermost.to_string(), atom: None }
}
