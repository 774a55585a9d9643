//! Edits of a molecule's graph. They know no chemistry: whether the result can be is judged afterwards.

use kfold_molecule::{Bond, BondOrder, Element, SmallMolecule, SmallMoleculeAtom, Stereo};

/// One edit; atoms by their indices in the molecule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Edit {
    Add { to: u32, element: Element },
    Element { atom: u32, element: Element },
    Ring { to: u32 },
    Charge { atom: u32, by: i8 },
    Bond { a: u32, b: u32, order: BondOrder },
    EraseAtom { atom: u32 },
    EraseBond { a: u32, b: u32 },
}

/// Where a new drawing begins.
pub(super) fn benzene() -> SmallMolecule {
    let mut molecule = SmallMolecule::default();
    add_ring(&mut molecule);
    molecule
}

/// The molecule after an edit; `None` when nothing would be left.
pub(super) fn apply(molecule: &SmallMolecule, edit: Edit) -> Option<SmallMolecule> {
    let mut edited = SmallMolecule { conformers: Vec::new(), ..molecule.clone() };
    match edit {
        Edit::Add { to, element } => {
            let new = add_atom(&mut edited, element);
            join(&mut edited, to, new, BondOrder::Single);
            loosen(&mut edited, to);
        }
        Edit::Element { atom, element } => {
            let held = edited.atoms.get_mut(atom as usize)?;
            *held = SmallMoleculeAtom { element, ..SmallMoleculeAtom::default() };
            edited.stereo.retain(|stereo| !stereo.atoms().contains(&atom));
        }
        Edit::Ring { to } => {
            let first = add_ring(&mut edited);
            join(&mut edited, to, first, BondOrder::Single);
            loosen(&mut edited, to);
        }
        Edit::Charge { atom, by } => {
            let held = edited.atoms.get_mut(atom as usize)?;
            held.formal_charge = held.formal_charge.saturating_add(by).clamp(-4, 4);
            held.fixed_hydrogens = None;
        }
        Edit::Bond { a, b, order } => {
            match edited.bonds.iter_mut().find(|bond| (bond.a, bond.b) == (a.min(b), a.max(b))) {
                Some(bond) => bond.order = order,
                None => join(&mut edited, a, b, order),
            }
            loosen(&mut edited, a);
            loosen(&mut edited, b);
            edited.stereo.retain(|stereo| match stereo {
                Stereo::DoubleBond { atoms, .. } => !atoms.contains(&a) && !atoms.contains(&b),
                Stereo::Tetrahedral { centre, .. } => order == BondOrder::Single || (*centre != a && *centre != b),
            });
        }
        Edit::EraseAtom { atom } => {
            let keep: Vec<bool> = (0..edited.atoms.len()).map(|index| index != atom as usize).collect();
            edited = kept(&edited, &keep);
        }
        Edit::EraseBond { a, b } => {
            edited.bonds.retain(|bond| (bond.a, bond.b) != (a.min(b), a.max(b)));
            edited.stereo.retain(|stereo| !mentions_bond(stereo, a, b));
            loosen(&mut edited, a);
            loosen(&mut edited, b);
        }
    }
    let edited = largest_piece(&edited);
    (!edited.atoms.is_empty()).then_some(edited)
}

fn add_atom(molecule: &mut SmallMolecule, element: Element) -> u32 {
    molecule.atoms.push(SmallMoleculeAtom { element, ..SmallMoleculeAtom::default() });
    molecule.atoms.len() as u32 - 1
}

fn join(molecule: &mut SmallMolecule, a: u32, b: u32, order: BondOrder) {
    molecule.bonds.push(Bond { a: a.min(b), b: a.max(b), order });
}

/// Six carbons with alternating double bonds; the first of them.
fn add_ring(molecule: &mut SmallMolecule) -> u32 {
    let first = molecule.atoms.len() as u32;
    for _ in 0..6 {
        add_atom(molecule, Element::C);
    }
    for step in 0..6 {
        let order = if step % 2 == 0 { BondOrder::Double } else { BondOrder::Single };
        join(molecule, first + step, first + (step + 1) % 6, order);
    }
    first
}

/// Hydrogens follow from the valence again, and names of the source mean nothing any more.
fn loosen(molecule: &mut SmallMolecule, atom: u32) {
    if let Some(held) = molecule.atoms.get_mut(atom as usize) {
        held.fixed_hydrogens = None;
    }
}

fn mentions_bond(stereo: &Stereo, a: u32, b: u32) -> bool {
    match stereo {
        Stereo::Tetrahedral { centre, .. } => *centre == a || *centre == b,
        Stereo::DoubleBond { atoms, neighbours, .. } => {
            let all = [atoms[0], atoms[1], neighbours[0], neighbours[1]];
            all.contains(&a) && all.contains(&b)
        }
    }
}

/// The molecule without the atoms that are not kept, nor what is said of them.
fn kept(molecule: &SmallMolecule, keep: &[bool]) -> SmallMolecule {
    let mut place = Vec::with_capacity(keep.len());
    let mut count = 0;
    for is_kept in keep {
        place.push(is_kept.then_some(count));
        count += u32::from(*is_kept);
    }
    let new = |atom: u32| place.get(atom as usize).copied().flatten();
    let atoms = molecule.atoms.iter().zip(keep).filter(|(_, keep)| **keep).map(|(atom, _)| atom.clone()).collect();
    let bonds = molecule
        .bonds
        .iter()
        .filter_map(|bond| {
            let (a, b) = (new(bond.a)?, new(bond.b)?);
            Some(Bond { a: a.min(b), b: a.max(b), order: bond.order })
        })
        .collect();
    let stereo = molecule
        .stereo
        .iter()
        .filter_map(|stereo| {
            // A centre that loses a neighbour has a hydrogen in its place: open until it is drawn again.
            let lost = molecule.bonds.iter().any(|bond| {
                let ends = stereo.atoms();
                (ends.contains(&bond.a) && new(bond.b).is_none()) || (ends.contains(&bond.b) && new(bond.a).is_none())
            });
            if lost {
                return None;
            }
            Some(match *stereo {
                Stereo::Tetrahedral { centre, neighbours: [x, y, z], counterclockwise } => {
                    let neighbours = [new(x)?, new(y)?, new(z)?];
                    Stereo::Tetrahedral { centre: new(centre)?, neighbours, counterclockwise }
                }
                Stereo::DoubleBond { atoms: [a, b], neighbours: [c, d], same_side } => {
                    Stereo::DoubleBond { atoms: [new(a)?, new(b)?], neighbours: [new(c)?, new(d)?], same_side }
                }
            })
        })
        .collect();
    SmallMolecule { atoms, bonds, stereo, conformers: Vec::new(), ..molecule.clone() }
}

/// What hangs together with the most atoms.
fn largest_piece(molecule: &SmallMolecule) -> SmallMolecule {
    let neighbours = molecule.neighbours();
    let mut piece = vec![usize::MAX; molecule.atoms.len()];
    let mut sizes = Vec::new();
    for start in 0..molecule.atoms.len() {
        if piece.get(start).is_some_and(|piece| *piece != usize::MAX) {
            continue;
        }
        let mut stack = vec![start];
        let mut size = 0;
        while let Some(atom) = stack.pop() {
            let Some(place) = piece.get_mut(atom).filter(|place| **place == usize::MAX) else { continue };
            *place = sizes.len();
            size += 1;
            stack.extend(neighbours.get(atom).into_iter().flatten().map(|(next, _)| *next as usize));
        }
        sizes.push(size);
    }
    let largest =
        sizes.iter().enumerate().max_by_key(|(index, size)| (**size, usize::MAX - index)).map(|(index, _)| index);
    if sizes.len() < 2 {
        return molecule.clone();
    }
    let keep: Vec<bool> = piece.iter().map(|piece| Some(*piece) == largest).collect();
    kept(molecule, &keep)
}
