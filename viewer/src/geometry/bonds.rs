//! Bonds as cylinders: multiple bonds as copies side by side, aromatic ones with a dashed copy towards the ring,
//! coordination as dashes.

use kfold_molecule::{BondOrder, Topology};

use super::dash_ranges;
use crate::renderer::uniforms::{CylinderInstance, NO_ATOM, ROUND_ENDS, packed_range};
use crate::scene::AtomSelection;

/// Usual length of a bond to a metal, Å: only to choose the number of dashes before the coordinates are known.
const COORDINATION_LENGTH: f32 = 2.2;
/// Usual length of an aromatic bond, Å, for the same.
const AROMATIC_LENGTH: f32 = 1.4;

/// The bonds with both ends among the atoms.
fn bonds_within<'a>(
    topology: &'a Topology,
    atoms: &AtomSelection,
) -> impl Iterator<Item = &'a kfold_molecule::Bond> + use<'a> {
    let mut chosen = vec![false; topology.atoms.len()];
    for atom in atoms.indices(topology) {
        chosen[atom as usize] = true;
    }
    let is_chosen = move |atom: u32| chosen.get(atom as usize).copied().unwrap_or(false);
    topology.bonds.iter().filter(move |bond| bond.a != bond.b && is_chosen(bond.a) && is_chosen(bond.b))
}

/// Cylinders for all bonds within a selection.
pub(crate) fn cylinders(
    topology: &Topology,
    atoms: &AtomSelection,
    radius: f32,
    bond_orders: bool,
) -> Vec<CylinderInstance> {
    let neighbours = if bond_orders { safe_neighbours(topology) } else { Vec::new() };
    let mut drawn = Vec::new();
    for bond in bonds_within(topology, atoms) {
        let piece = |plane: u32, offset: f32, radius: f32, range: u32, flags: u32| CylinderInstance {
            a: bond.a,
            b: bond.b,
            plane,
            offset,
            radius,
            range,
            flags,
            copy: 0,
        };
        let whole = packed_range(0.0, 1.0);
        match bond.order {
            BondOrder::Coordination => drawn.extend(dash_ranges(COORDINATION_LENGTH, 0.5).map(|(begin, end)| {
                piece(NO_ATOM, 0.0, (0.5 * radius).min(0.09), packed_range(begin, end), ROUND_ENDS)
            })),
            BondOrder::Double if bond_orders => {
                let plane = plane_atom(topology, &neighbours, bond.a, bond.b, false);
                drawn.extend([-1.0, 1.0].map(|side| piece(plane, side * 0.62 * radius, 0.45 * radius, whole, 0)));
            }
            BondOrder::Triple if bond_orders => {
                drawn.extend([-1.0, 0.0, 1.0].map(|side| piece(NO_ATOM, side * 0.8 * radius, 0.3 * radius, whole, 0)));
            }
            BondOrder::Aromatic if bond_orders => {
                let plane = plane_atom(topology, &neighbours, bond.a, bond.b, true);
                drawn.push(piece(plane, -0.42 * radius, 0.55 * radius, whole, 0));
                drawn.extend(dash_ranges(AROMATIC_LENGTH, 0.35).map(|(begin, end)| {
                    piece(plane, 0.85 * radius, 0.3 * radius, packed_range(begin, end), ROUND_ENDS)
                }));
            }
            _ => drawn.push(piece(NO_ATOM, 0.0, radius, whole, 0)),
        }
    }
    drawn
}

/// Lines of a radius in pixels for all bonds within a selection.
pub(crate) fn lines(topology: &Topology, atoms: &AtomSelection, pixels: f32) -> Vec<CylinderInstance> {
    bonds_within(topology, atoms)
        .map(|bond| CylinderInstance {
            a: bond.a,
            b: bond.b,
            plane: NO_ATOM,
            offset: 0.0,
            radius: pixels,
            range: packed_range(0.0, 1.0),
            flags: ROUND_ENDS,
            copy: 0,
        })
        .collect()
}

/// Neighbours of each atom and whether the bond is aromatic, of bonds whose ends exist.
fn safe_neighbours(topology: &Topology) -> Vec<Vec<(u32, bool)>> {
    let mut neighbours = vec![Vec::new(); topology.atoms.len()];
    for bond in &topology.bonds {
        let aromatic = bond.order == BondOrder::Aromatic;
        for (from, to) in [(bond.a, bond.b), (bond.b, bond.a)] {
            if (to as usize) < topology.atoms.len()
                && let Some(list) = neighbours.get_mut(from as usize)
            {
                list.push((to, aromatic));
            }
        }
    }
    neighbours
}

/// An atom beside the bond: for aromatic bonds one of the same ring, so that it lies on the ring's side.
fn plane_atom(topology: &Topology, neighbours: &[Vec<(u32, bool)>], a: u32, b: u32, aromatic: bool) -> u32 {
    let beside = |from: u32, not: u32, ring_only: bool| {
        neighbours
            .get(from as usize)
            .into_iter()
            .flatten()
            .find(|(atom, in_ring)| *atom != not && (!ring_only || *in_ring))
            .map(|(atom, _)| *atom)
    };
    if aromatic {
        // In a fused system an atom has two aromatic neighbours besides: the smallest ring is the one wanted.
        if let Some(atom) = smallest_ring_neighbour(neighbours, a, b) {
            return atom;
        }
    }
    let heavy = |atom: &u32| topology.atoms[*atom as usize].element != kfold_molecule::Element::H;
    beside(a, b, aromatic)
        .or_else(|| beside(b, a, aromatic))
        .filter(heavy)
        .or_else(|| beside(a, b, false).or_else(|| beside(b, a, false)))
        .unwrap_or(NO_ATOM)
}

/// The neighbour of `a` in the smallest ring through the bond `a`-`b`, along aromatic bonds, up to seven atoms.
fn smallest_ring_neighbour(neighbours: &[Vec<(u32, bool)>], a: u32, b: u32) -> Option<u32> {
    let aromatic = |from: u32| {
        neighbours.get(from as usize).into_iter().flatten().filter(|(_, in_ring)| *in_ring).map(|(atom, _)| *atom)
    };
    let mut best: Option<(usize, u32)> = None;
    for start in aromatic(a).filter(|&atom| atom != b) {
        // Breadth first from `start` to `b` without passing `a`.
        let mut seen = vec![a, start];
        let mut front = vec![start];
        for steps in 1..=5 {
            let mut next = Vec::new();
            for &atom in &front {
                for other in aromatic(atom) {
                    if !seen.contains(&other) {
                        seen.push(other);
                        next.push(other);
                    }
                }
            }
            if next.contains(&b) {
                if best.is_none_or(|(held, _)| steps < held) {
                    best = Some((steps, start));
                }
                break;
            }
            front = next;
        }
    }
    best.map(|(_, atom)| atom)
}

#[cfg(test)]
mod tests {
    use kfold_molecule::{Bond, Element, SmallMolecule, SmallMoleculeAtom};

    use super::*;

    fn molecule(count: u32, bonds: &[(u32, u32, BondOrder)]) -> std::sync::Arc<Topology> {
        let atom = SmallMoleculeAtom { element: Element::C, ..SmallMoleculeAtom::default() };
        let molecule = SmallMolecule {
            atoms: vec![atom; count as usize],
            bonds: bonds.iter().map(|&(a, b, order)| Bond::new(a, b, order)).collect(),
            conformers: vec![vec![glam::Vec3::ZERO; count as usize]],
            ..SmallMolecule::default()
        };
        std::sync::Arc::clone(&molecule.to_structure("L", "LIG").models[0].topology)
    }

    #[test]
    fn aromatic_copies_lie_in_their_own_ring() {
        // Naphthalene: 0-1-2-3-4-5 and 4-6-7-8-9-5, fused along 4-5.
        let ring = [(0, 1), (1, 2), (2, 3), (3, 4), (4, 5), (0, 5), (4, 6), (6, 7), (7, 8), (8, 9), (5, 9)];
        let bonds: Vec<_> = ring.iter().map(|&(a, b)| (a, b, BondOrder::Aromatic)).collect();
        let topology = molecule(10, &bonds);
        let neighbours = safe_neighbours(&topology);
        assert_eq!(plane_atom(&topology, &neighbours, 3, 4, true), 2);
        assert_eq!(plane_atom(&topology, &neighbours, 4, 6, true), 5);
    }

    #[test]
    fn orders_make_copies() {
        let topology = molecule(4, &[(0, 1, BondOrder::Double), (1, 2, BondOrder::Single), (2, 3, BondOrder::Triple)]);
        assert_eq!(cylinders(&topology, &AtomSelection::All, 0.2, true).len(), 6);
        assert_eq!(cylinders(&topology, &AtomSelection::All, 0.2, false).len(), 3);
        assert_eq!(cylinders(&topology, &AtomSelection::of(vec![0, 1, 99]), 0.2, false).len(), 1);
    }
}
