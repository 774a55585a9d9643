//! Where the hydrogen of a donor would be, when it does its best for one acceptor.
//!
//! Receptors come without hydrogens, and hydrogens of hydroxyls and ammonium groups turn anyway. So a donor is judged
//! by the heavy atoms around it: they fix one or two places for its hydrogen, or a cone, and of these the place nearest
//! to the acceptor is taken. The angle donor-hydrogen-acceptor that follows is the one the literature's limits are
//! meant for.

use glam::Vec3;

use super::sites::{DonorShape, Sites};

/// Length of N-H and O-H, Å.
pub(super) const POLAR_BOND: f32 = 1.01;
/// Length of S-H, Å.
pub(super) const SULFUR_BOND: f32 = 1.34;
/// Length of C-H, Å.
pub(super) const CARBON_BOND: f32 = 1.09;

/// The hydrogen of `donor` nearest to `target`, at `length` from the donor.
pub(super) fn best_hydrogen(
    sites: &Sites,
    positions: &[Vec3],
    donor: u32,
    shape: DonorShape,
    length: f32,
    target: Vec3,
) -> Option<Vec3> {
    let origin = *positions.get(donor as usize)?;
    let toward = (target - origin).try_normalize()?;
    // Those that cannot turn are where the file has them.
    let is_fixed = matches!(shape, DonorShape::Planar | DonorShape::PlanarPair | DonorShape::Tetrahedral);
    let given =
        sites.hydrogens[donor as usize].iter().filter_map(|&hydrogen| positions.get(hydrogen as usize).copied());
    if is_fixed && let Some(nearest) = given.min_by(|a, b| a.distance(target).total_cmp(&b.distance(target))) {
        return Some(nearest);
    }
    let bonds: Vec<Vec3> = sites.neighbours[donor as usize]
        .iter()
        .map(|&next| (positions[next as usize] - origin).normalize_or_zero())
        .collect();
    let direction = match (shape, &bonds[..]) {
        (DonorShape::Free, _) | (_, []) => toward,
        (DonorShape::PlanarPair, [bond]) => match plane_normal(sites, positions, donor) {
            Some(normal) => {
                let side = normal.cross(*bond).normalize_or_zero();
                // 120 degrees from the bond, on either side.
                nearest(toward, &[-*bond * 0.5 + side * 0.866, -*bond * 0.5 - side * 0.866])
            }
            None => on_cone(*bond, toward, -0.5),
        },
        // cos of the tetrahedral angle.
        (_, [bond]) => on_cone(*bond, toward, -1.0 / 3.0),
        (DonorShape::Tetrahedral, [first, second]) => {
            let back = -(*first + *second).normalize_or_zero();
            let side = first.cross(*second).normalize_or_zero();
            // Half the tetrahedral angle off the bisector.
            nearest(toward, &[back * 0.577 + side * 0.816, back * 0.577 - side * 0.816])
        }
        (_, bonds) => -bonds.iter().sum::<Vec3>().normalize_or_zero(),
    };
    (direction != Vec3::ZERO).then(|| origin + direction * length)
}

/// The direction at the given cosine to the bond that lies nearest to `toward`.
fn on_cone(bond: Vec3, toward: Vec3, cosine: f32) -> Vec3 {
    let across = toward.reject_from_normalized(bond).try_normalize().unwrap_or_else(|| bond.any_orthonormal_vector());
    bond * cosine + across * (1.0 - cosine * cosine).sqrt()
}

fn nearest(toward: Vec3, choices: &[Vec3; 2]) -> Vec3 {
    if choices[0].dot(toward) >= choices[1].dot(toward) { choices[0] } else { choices[1] }
}

/// The normal of the plane that the only neighbour of an atom spans with its own neighbours.
fn plane_normal(sites: &Sites, positions: &[Vec3], atom: u32) -> Option<Vec3> {
    let &centre = sites.neighbours[atom as usize].first()?;
    let middle = positions[centre as usize];
    let first = positions[atom as usize] - middle;
    sites.neighbours[centre as usize]
        .iter()
        .filter(|&&far| far != atom)
        .find_map(|&far| first.cross(positions[far as usize] - middle).try_normalize())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chemistry::smiles::parse;

    #[test]
    fn hydrogens_are_where_geometry_wants_them() {
        // Ethanol, O at the origin, C on -x: the hydrogen lies at 109.5 degrees from the bond.
        let sites = Sites::of_ligand(&parse("OCC").unwrap()).unwrap();
        let positions = [Vec3::ZERO, Vec3::new(-1.4, 0.0, 0.0), Vec3::new(-2.0, 1.4, 0.0)];
        let target = Vec3::new(0.9, 2.6, 0.0);
        let found = best_hydrogen(&sites, &positions, 0, DonorShape::Cone, 1.0, target).unwrap();
        assert!((found - Vec3::new(0.333, 0.943, 0.0)).length() < 0.01, "{found}");
        // A planar NH2 cannot point out of its plane.
        let found = best_hydrogen(
            &Sites::of_ligand(&parse("NC(=O)C").unwrap()).unwrap(),
            &[Vec3::ZERO, Vec3::new(-1.33, 0.0, 0.0), Vec3::new(-1.9, 1.0, 0.0), Vec3::new(-2.1, -1.3, 0.0)],
            0,
            DonorShape::PlanarPair,
            1.0,
            Vec3::new(1.0, 0.3, 2.5),
        )
        .unwrap();
        assert!((found - Vec3::new(0.5, 0.866, 0.0)).length() < 0.01, "{found}");
    }
}
