//! A globular starting shape for a polymer whose atoms have no coordinates, by short Langevin dynamics.
//!
//! Source: Qiao et al., *NeuralPLexer3*, 2025, algorithm S3, as K-Fold 1.0.0 simplifies it: bonds are springs between the
//! centres of neighbouring residues instead of between atoms. Four harmonic pulls act on each atom, each divided by the
//! square of its own length scale: to the centre of all atoms, to the centre of its residue, of its residue to the
//! neighbouring residues, and to the origin. Atoms with known coordinates stay where they are; without any such atom the
//! result is centred at the origin. Not a simulation of anything physical: a prior for the diffusion bridge.

/// Steps of the dynamics.
pub const STEPS: usize = 64;
/// Time step.
const TIME_STEP: f32 = 0.25;
/// Length scale in Å of the springs between residues.
const BOND_SCALE: f32 = 2.0;
/// Length scale in Å of the pull to the residue's centre.
const RESIDUE_SCALE: f32 = 4.0;
/// Length scale in Å of the pull to the centre of all atoms.
const CENTRE_SCALE: f32 = 10.0;
/// Length scale in Å of the pull to the origin.
const SPHERE_SCALE: f32 = 10.0;

/// Runs the dynamics from `start` (Å). `residues` names the residue of each atom: 0-based, ascending, without gaps; atoms
/// marked in `fixed` do not move. `noise` fills one standard normal deviate for each coordinate, once a step.
///
/// # Panics
/// When the lists differ in length.
#[must_use]
pub fn relax(
    start: &[[f32; 3]],
    residues: &[usize],
    fixed: Option<&[bool]>,
    noise: &mut dyn FnMut(&mut [[f32; 3]]),
) -> Vec<[f32; 3]> {
    let mut positions = start.to_vec();
    let Some(&last_residue) = residues.last() else { return positions };
    if positions.is_empty() {
        return positions;
    }
    let fixed = fixed.filter(|fixed| fixed.contains(&true));
    let residue_count = last_residue + 1;
    let mut atoms_in_residue = vec![0_f32; residue_count];
    for &residue in residues {
        atoms_in_residue[residue] += 1.0;
    }
    let mut centres = vec![[0_f32; 3]; residue_count];
    let mut deviates = vec![[0_f32; 3]; positions.len()];
    // 2 sqrt(dt): the reference's noise, not the fluctuation-dissipation theorem's.
    let noise_scale = 2.0 * TIME_STEP.sqrt();
    for _ in 0..STEPS {
        let centre = mean(&positions);
        centres.fill([0.0; 3]);
        for (position, &residue) in positions.iter().zip(residues) {
            for axis in 0..3 {
                centres[residue][axis] += position[axis];
            }
        }
        for (centre, count) in centres.iter_mut().zip(&atoms_in_residue) {
            *centre = centre.map(|sum| sum / count.max(1.0));
        }
        noise(&mut deviates);
        for (atom, position) in positions.iter_mut().enumerate() {
            let residue = residues[atom];
            if fixed.is_some_and(|fixed| fixed[atom]) {
                continue;
            }
            for axis in 0..3 {
                let own = centres[residue][axis];
                let towards = |neighbour: Option<usize>| {
                    neighbour.and_then(|at| centres.get(at)).map_or(0.0, |centre| centre[axis] - own)
                };
                let bond = towards(Some(residue + 1)) + towards(residue.checked_sub(1));
                let at = position[axis];
                let drift = (centre[axis] - at) / (CENTRE_SCALE * CENTRE_SCALE)
                    + (own - at) / (RESIDUE_SCALE * RESIDUE_SCALE)
                    + bond / (BOND_SCALE * BOND_SCALE)
                    - at / (SPHERE_SCALE * SPHERE_SCALE);
                position[axis] = at + TIME_STEP * drift + noise_scale * deviates[atom][axis];
            }
        }
    }
    if fixed.is_none() {
        let centre = mean(&positions);
        for position in &mut positions {
            *position = subtract(*position, centre);
        }
    }
    positions
}

/// Mean of points, summed in order.
pub(super) fn mean(points: &[[f32; 3]]) -> [f32; 3] {
    let mut sum = [0_f32; 3];
    for point in points {
        for axis in 0..3 {
            sum[axis] += point[axis];
        }
    }
    sum.map(|sum| sum / points.len().max(1) as f32)
}

/// `a - b`.
pub(super) fn subtract(a: [f32; 3], b: [f32; 3]) -> [f32; 3] {
    std::array::from_fn(|axis| a[axis] - b[axis])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fixed_atoms_stay_and_a_free_polymer_is_centred() {
        let start: Vec<[f32; 3]> = (0..12).map(|at| [at as f32 * 3.8, 1.0, -2.0]).collect();
        let residues: Vec<usize> = (0..12).map(|at| at / 3).collect();
        let mut fixed = vec![false; 12];
        fixed[4] = true;
        let mut still = |deviates: &mut [[f32; 3]]| deviates.fill([0.0; 3]);
        let relaxed = relax(&start, &residues, Some(&fixed), &mut still);
        assert_eq!(relaxed[4], start[4]);
        assert_ne!(relaxed[5], start[5]);
        let free = relax(&start, &residues, None, &mut still);
        assert!(mean(&free).iter().all(|component| component.abs() < 1e-5), "centre {:?}", mean(&free));
        // Without noise everything is pulled together.
        let extent = |points: &[[f32; 3]]| points.iter().map(|point| point[0]).fold(f32::MIN, f32::max) - points[0][0];
        assert!(extent(&free) < 0.5 * extent(&start), "extent {} of {}", extent(&free), extent(&start));
    }
}
