//! What a drawing in the plane says about stereo.
//!
//! A wedge lifts its wide end towards the viewer, a hashed wedge lowers it. Lifting the marked neighbours by one bond
//! length turns the drawing of a centre into three or four directions in space, whose signed volume gives the
//! configuration (Brecher, Pure Appl. Chem. 2006, 78, 1897 shows the drawings that are clear; flat volumes are left
//! open). At double bonds outside small rings the drawn sides count, unless a mark leaves them open.

use glam::Vec3;

use crate::small_molecule::{SmallMolecule, Stereo};
use crate::structure::BondOrder;

/// How a bond leaves the plane of the drawing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// Towards the viewer.
    Up,
    /// Away from the viewer.
    Down,
    /// Wavy, or a crossed double bond: left open on purpose.
    Either,
}

/// Rings up to this size hold their double bonds cis and are not told.
const SMALL_RING: usize = 7;

/// Larger drawings than this are not drawn by people; their stereo is left open rather than searched for slowly.
const LARGEST: usize = 999;

/// The configurations that a drawing shows.
pub fn stereo(molecule: &SmallMolecule, positions: &[Vec3], marks: &[(u32, u32, Mark)]) -> Vec<Stereo> {
    let mut found = Vec::new();
    if molecule.atoms.len() > LARGEST || molecule.bonds.len() > 4 * LARGEST {
        return found;
    }
    let neighbours = molecule.neighbours();
    let mut centres: Vec<u32> = marks.iter().map(|(centre, ..)| *centre).collect();
    centres.sort_unstable();
    centres.dedup();
    for centre in centres {
        found.extend(tetrahedral(centre, &neighbours[centre as usize], positions, marks));
    }
    for bond in molecule.bonds.iter().filter(|bond| bond.order == BondOrder::Double) {
        let is_open = marks.iter().any(|(from, to, mark)| {
            let ends = [*from, *to];
            // A crossed double bond, or a wavy single bond at one of its ends.
            *mark == Mark::Either && (ends.contains(&bond.a) || ends.contains(&bond.b))
        });
        if !is_open && !in_small_ring(&neighbours, bond.a, bond.b) {
            found.extend(double_bond(molecule, &neighbours, positions, [bond.a, bond.b]));
        }
    }
    found
}

fn tetrahedral(
    centre: u32,
    neighbours: &[(u32, u32)],
    positions: &[Vec3],
    marks: &[(u32, u32, Mark)],
) -> Option<Stereo> {
    let mut is_marked = false;
    let mut directions = Vec::with_capacity(4);
    for (neighbour, _) in neighbours {
        let flat = (positions[*neighbour as usize] - positions[centre as usize]).with_z(0.0).normalize_or_zero();
        let mark = marks.iter().find(|(from, to, _)| (*from, *to) == (centre, *neighbour)).map(|(.., mark)| *mark);
        let z = match mark {
            Some(Mark::Up) => 1.0,
            Some(Mark::Down) => -1.0,
            Some(Mark::Either) => return None,
            None => 0.0,
        };
        is_marked = is_marked || mark.is_some();
        directions.push(flat.with_z(z));
    }
    if !is_marked {
        return None;
    }
    let volume = match directions.as_slice() {
        [a, b, c] => a.dot(b.cross(*c)),
        [a, b, c, d] => (*a - *d).dot((*b - *d).cross(*c - *d)),
        _ => return None,
    };
    let three = [neighbours[0].0, neighbours[1].0, neighbours[2].0];
    (volume.abs() > 0.1).then_some(Stereo::Tetrahedral { centre, neighbours: three, counterclockwise: volume > 0.0 })
}

fn double_bond(
    molecule: &SmallMolecule,
    neighbours: &[Vec<(u32, u32)>],
    positions: &[Vec3],
    atoms: [u32; 2],
) -> Option<Stereo> {
    let axis = (positions[atoms[1] as usize] - positions[atoms[0] as usize]).with_z(0.0).normalize_or_zero();
    let mut chosen = [0_u32; 2];
    let mut sides = [0.0_f32; 2];
    for end in 0..2 {
        let others = neighbours[atoms[end] as usize].iter().filter(|(atom, _)| *atom != atoms[1 - end]);
        // A cumulated double bond, a metal or a hypervalent end has no sides.
        if others.clone().any(|(_, bond)| molecule.bonds[*bond as usize].order != BondOrder::Single)
            && others.clone().any(|(_, bond)| molecule.bonds[*bond as usize].order == BondOrder::Double)
        {
            return None;
        }
        if others.clone().count() > 2 {
            return None;
        }
        let (neighbour, _) = others.min_by_key(|(atom, _)| *atom)?;
        let direction =
            (positions[*neighbour as usize] - positions[atoms[end] as usize]).with_z(0.0).normalize_or_zero();
        chosen[end] = *neighbour;
        sides[end] = axis.cross(direction).z;
    }
    let is_clear = sides.iter().all(|side| side.abs() > 0.1);
    is_clear.then_some(Stereo::DoubleBond { atoms, neighbours: chosen, same_side: sides[0] * sides[1] > 0.0 })
}

/// Whether a path of few bonds joins the ends of a bond without it.
fn in_small_ring(neighbours: &[Vec<(u32, u32)>], from: u32, to: u32) -> bool {
    let mut reached = vec![from];
    let mut frontier = vec![from];
    for length in 1..SMALL_RING {
        let mut next = Vec::new();
        for atom in frontier {
            for (neighbour, _) in &neighbours[atom as usize] {
                let is_the_bond = length == 1 && *neighbour == to;
                if is_the_bond || reached.contains(neighbour) {
                    continue;
                }
                if *neighbour == to {
                    return true;
                }
                reached.push(*neighbour);
                next.push(*neighbour);
            }
        }
        frontier = next;
    }
    false
}
