//! Hydrogens added and taken away, fragments told apart.

use super::ChemistryError;
use super::perception::perceive;
use super::toolkit::{coordinates_from, coordinates_into, explain, from_toolkit, into_toolkit};
use crate::{Element, SmallMolecule, SmallMoleculeAtom, Stereo};

/// The molecule with every hydrogen an atom of its own: the given atoms first and in their order, then the added
/// hydrogens, placed by ideal geometry in each conformer. Kekulé form, stereo filled in.
///
/// # Errors
/// When the molecule breaks the rules of valence.
pub fn add_hydrogens(molecule: &SmallMolecule) -> Result<SmallMolecule, ChemistryError> {
    added(molecule, None)
}

/// As [`add_hydrogens`], for these atoms alone.
pub(super) fn add_hydrogens_to(molecule: &SmallMolecule, atoms: &[u32]) -> Result<SmallMolecule, ChemistryError> {
    added(molecule, Some(atoms))
}

fn added(molecule: &SmallMolecule, only_on: Option<&[u32]>) -> Result<SmallMolecule, ChemistryError> {
    let perceived = perceive(molecule)?.molecule;
    let invalid = |reason: String| ChemistryError::Invalid { name: molecule.name.clone(), reason };
    let mut sanitised = into_toolkit(&perceived)?;
    for positions in &molecule.conformers {
        sanitised = sanitised
            .with_added_3d_conformer(coordinates_into(positions))
            .map_err(|error| invalid(explain(&error).reason))?;
    }
    let params = cosmolkit::AddHsParams {
        explicit_only: false,
        add_coords: true,
        add_residue_info: false,
        skip_queries: false,
        only_on_atoms: only_on.map(|atoms| atoms.iter().map(|&atom| cosmolkit::AtomId::new(atom as usize)).collect()),
    };
    let full = sanitised.with_hydrogens_with_params(&params).map_err(|error| invalid(explain(&error).reason))?;
    let mut result = from_toolkit(&full, &molecule.name).map_err(invalid)?;
    result.conformers = full.conformers_3d().iter().map(|held| coordinates_from(held.coordinates())).collect();
    result.properties = molecule.properties.clone();
    for (index, (atom, given)) in result.atoms.iter_mut().zip(&molecule.atoms).enumerate() {
        atom.name = given.name.clone();
        let is_chosen = only_on.is_none_or(|atoms| atoms.contains(&(index as u32)));
        // They are atoms now.
        atom.fixed_hydrogens = given.fixed_hydrogens.map(|count| if is_chosen { 0 } else { count });
    }
    Ok(result)
}

/// The molecule without its plain hydrogens (one bond, to an atom that is not hydrogen, no isotope), and for each atom
/// kept its index in the input.
#[must_use]
pub fn remove_hydrogens(molecule: &SmallMolecule) -> (SmallMolecule, Vec<u32>) {
    let neighbours = molecule.neighbours();
    let keep: Vec<bool> = molecule
        .atoms
        .iter()
        .zip(&neighbours)
        .map(|(atom, around)| {
            let plain = atom.element == Element::H && atom.isotope.is_none() && atom.formal_charge == 0;
            !(plain && around.len() == 1 && molecule.atoms[around[0].0 as usize].element != Element::H)
        })
        .collect();
    let (mut bare, kept) = without_atoms(molecule, &keep);
    for (atom, &old) in bare.atoms.iter_mut().zip(&kept) {
        if let Some(hydrogens) = &mut atom.fixed_hydrogens {
            let removed = neighbours[old as usize].iter().filter(|(next, _)| !keep[*next as usize]).count();
            *hydrogens = hydrogens.saturating_add(removed as u8);
        }
    }
    (bare, kept)
}

/// The atoms to keep, with stereo told by a removed atom told anew, and the indices they had.
pub(super) fn without_atoms(molecule: &SmallMolecule, keep: &[bool]) -> (SmallMolecule, Vec<u32>) {
    let neighbours = molecule.neighbours();
    let rewritten: Vec<Stereo> =
        molecule.stereo.iter().filter_map(|stereo| without_removed(*stereo, keep, &neighbours)).collect();
    let (mut bare, kept) = select(molecule, keep);
    let mut place = vec![u32::MAX; molecule.atoms.len()];
    for (new, old) in kept.iter().enumerate() {
        place[*old as usize] = new as u32;
    }
    bare.stereo = rewritten.into_iter().filter_map(|stereo| renumbered(stereo, &place)).collect();
    (bare, kept)
}

/// The connected fragments as molecules of their own, the one with most heavy atoms first (then by weight, then by
/// order in the input), each with the indices its atoms had.
#[must_use]
pub fn fragments(molecule: &SmallMolecule) -> Vec<(SmallMolecule, Vec<u32>)> {
    let neighbours = molecule.neighbours();
    let mut fragment_of = vec![usize::MAX; molecule.atoms.len()];
    let mut count = 0;
    for start in 0..molecule.atoms.len() {
        if fragment_of[start] != usize::MAX {
            continue;
        }
        let mut stack = vec![start];
        fragment_of[start] = count;
        while let Some(atom) = stack.pop() {
            for &(next, _) in &neighbours[atom] {
                if fragment_of[next as usize] == usize::MAX {
                    fragment_of[next as usize] = count;
                    stack.push(next as usize);
                }
            }
        }
        count += 1;
    }
    if count == 1 {
        return vec![(molecule.clone(), (0..molecule.atoms.len() as u32).collect())];
    }
    let mut found: Vec<(SmallMolecule, Vec<u32>)> = (0..count)
        .map(|fragment| {
            let keep: Vec<bool> = fragment_of.iter().map(|&of| of == fragment).collect();
            select(molecule, &keep)
        })
        .collect();
    let weight = |fragment: &SmallMolecule| -> u32 {
        fragment.atoms.iter().map(|atom| u32::from(atom.element.atomic_number())).sum()
    };
    found.sort_by_key(|(fragment, _)| std::cmp::Reverse((fragment.heavy_atom_count(), weight(fragment))));
    found
}

/// The atoms to keep with their bonds, stereo and conformers, and the indices they had.
pub(super) fn select(molecule: &SmallMolecule, keep: &[bool]) -> (SmallMolecule, Vec<u32>) {
    let kept: Vec<u32> = (0..molecule.atoms.len() as u32).filter(|&atom| keep[atom as usize]).collect();
    let mut place = vec![u32::MAX; molecule.atoms.len()];
    for (new, old) in kept.iter().enumerate() {
        place[*old as usize] = new as u32;
    }
    let atoms: Vec<SmallMoleculeAtom> = kept.iter().map(|&atom| molecule.atoms[atom as usize].clone()).collect();
    let bonds = molecule
        .bonds
        .iter()
        .filter(|bond| keep[bond.a as usize] && keep[bond.b as usize])
        .map(|bond| crate::Bond::new(place[bond.a as usize], place[bond.b as usize], bond.order))
        .collect();
    let stereo = molecule.stereo.iter().filter_map(|stereo| renumbered(*stereo, &place)).collect();
    let conformers = molecule
        .conformers
        .iter()
        .filter(|positions| positions.len() == molecule.atoms.len())
        .map(|positions| kept.iter().map(|&atom| positions[atom as usize]).collect())
        .collect();
    let properties = molecule.properties.clone();
    (SmallMolecule { name: molecule.name.clone(), atoms, bonds, stereo, conformers, properties }, kept)
}

/// The same configuration in other atom numbers (`u32::MAX` for an atom that is gone).
pub(crate) fn renumbered(stereo: Stereo, place: &[u32]) -> Option<Stereo> {
    let at = |atom: u32| place.get(atom as usize).copied().filter(|&new| new != u32::MAX);
    let pair = |[a, b]: [u32; 2]| Some([at(a)?, at(b)?]);
    Some(match stereo {
        Stereo::Tetrahedral { centre, neighbours: [a, b, c], counterclockwise } => {
            Stereo::Tetrahedral { centre: at(centre)?, neighbours: [at(a)?, at(b)?, at(c)?], counterclockwise }
        }
        Stereo::DoubleBond { atoms, neighbours, same_side } => {
            Stereo::DoubleBond { atoms: pair(atoms)?, neighbours: pair(neighbours)?, same_side }
        }
    })
}

/// The same configuration told by atoms that stay: a reference atom that goes is replaced by the one it leaves, which
/// lies opposite, so the sense turns round.
fn without_removed(stereo: Stereo, keep: &[bool], around: &[Vec<(u32, u32)>]) -> Option<Stereo> {
    let stays = |atom: u32| keep[atom as usize];
    match stereo {
        Stereo::Tetrahedral { centre, neighbours, counterclockwise } => {
            let Some(gone) = neighbours.iter().position(|&atom| !stays(atom)) else {
                return Some(stereo);
            };
            let fourth =
                around[centre as usize].iter().map(|(atom, _)| *atom).find(|atom| !neighbours.contains(atom))?;
            let mut changed = neighbours;
            changed[gone] = fourth;
            changed.iter().all(|&atom| stays(atom)).then_some(Stereo::Tetrahedral {
                centre,
                neighbours: changed,
                counterclockwise: !counterclockwise,
            })
        }
        Stereo::DoubleBond { atoms, neighbours, same_side } => {
            let mut changed = neighbours;
            let mut same_side = same_side;
            for end in 0..2 {
                if !stays(changed[end]) {
                    changed[end] = around[atoms[end] as usize]
                        .iter()
                        .map(|(atom, _)| *atom)
                        .find(|&atom| atom != atoms[1 - end] && stays(atom))?;
                    same_side = !same_side;
                }
            }
            Some(Stereo::DoubleBond { atoms, neighbours: changed, same_side })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chemistry::{canonical_smiles, smiles::parse};

    #[test]
    fn hydrogens_come_and_go() {
        for (smiles, hydrogens) in [("CCO", 6), ("c1cc[nH]c1", 5), ("C[NH3+]", 6), ("[O-]C=O", 1), ("F/C=C/F", 2)] {
            let bare = parse(smiles).unwrap();
            let full = add_hydrogens(&bare).unwrap();
            assert_eq!(full.atoms.len(), bare.atoms.len() + hydrogens, "{smiles}");
            assert_eq!(full.atoms[..bare.atoms.len()], bare.atoms[..], "{smiles}");
            let (again, kept) = remove_hydrogens(&full);
            assert_eq!(kept, (0..bare.atoms.len() as u32).collect::<Vec<_>>());
            assert_eq!(canonical_smiles(&again).unwrap(), canonical_smiles(&bare).unwrap(), "{smiles}");
        }
    }

    #[test]
    fn stereo_told_by_a_hydrogen_survives_its_removal() {
        let mut full = add_hydrogens(&parse("C[C@H](N)C(=O)O").unwrap()).unwrap();
        let wanted = canonical_smiles(&full).unwrap();
        let neighbours = full.neighbours();
        let around: Vec<u32> = neighbours[1].iter().map(|(atom, _)| *atom).collect();
        let hydrogen = *around.iter().find(|&&atom| full.atoms[atom as usize].element == Element::H).unwrap();
        let [Stereo::Tetrahedral { centre, neighbours: [a, b, _], counterclockwise }] = full.stereo[..] else {
            panic!("{:?}", full.stereo)
        };
        // The hydrogen in place of the third turns the sense round.
        full.stereo =
            vec![Stereo::Tetrahedral { centre, neighbours: [a, b, hydrogen], counterclockwise: !counterclockwise }];
        assert_eq!(canonical_smiles(&full).unwrap(), wanted);
        assert_eq!(canonical_smiles(&remove_hydrogens(&full).0).unwrap(), wanted);
    }

    #[test]
    fn added_hydrogens_have_sensible_places() {
        let mut bare = parse("CO").unwrap();
        bare.conformers.push(vec![glam::Vec3::ZERO, glam::Vec3::new(1.42, 0.0, 0.0)]);
        let full = add_hydrogens(&bare).unwrap();
        let positions = &full.conformers[0];
        for bond in &full.bonds {
            let length = positions[bond.a as usize].distance(positions[bond.b as usize]);
            assert!((0.9..1.5).contains(&length), "{length}");
        }
    }

    #[test]
    fn fragments_are_sorted_by_size() {
        let found = fragments(&parse("Cl.CCN.[Na+].CCCCO").unwrap());
        let sizes: Vec<usize> = found.iter().map(|(piece, _)| piece.atoms.len()).collect();
        assert_eq!(sizes, [5, 3, 1, 1]);
        assert_eq!(found[0].1, [5, 6, 7, 8, 9]);
    }
}
