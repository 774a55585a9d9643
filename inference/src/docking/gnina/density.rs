//! The input of the networks: the density of every kind of atom on a grid around the ligand.
//!
//! An atom of radius r is a Gaussian exp(-2 d²/r²) out to r, then a parabola that meets it with equal value and slope and
//! ends at 1.5 r (Ragoza et al. 2017; Sunseri & Koes, J. Chem. Inf. Model. 2020, 60, 1079). The grid has 48 points a side,
//! 0.5 Å apart. The networks begin with the mean of every 2³ points, so the means are what is made here: an atom is drawn
//! on a small cube of points, and the means of that are added to the cube of means.

use glam::Vec3;

use super::atoms::{CHANNELS, GridAtom};
use super::convolution::Cube;
use crate::kfold::primitives::cpu::simd::{exp, vectorized};

/// Points of the grid on a side.
const POINTS: usize = 48;
/// Å between points.
const SPACING: f32 = 0.5;
/// Cells of 2³ points on a side.
pub(super) const CELLS: usize = POINTS / 2;
/// Where an atom ends, in radii.
const REACH: f32 = 1.5;
/// Points that the largest atom (2.2 Å) can take on an axis, with those that make its cells whole.
const SPAN: usize = 16;

/// The mean densities of the atoms around a centre, [`CELLS`] a side.
pub(super) fn density<'a>(atoms: impl Iterator<Item = &'a GridAtom>, center: Vec3) -> Cube {
    let mut cube = Cube::zeros(CELLS, CHANNELS);
    let corner = center - 0.5 * SPACING * (POINTS - 1) as f32;
    let mut drawn = [0.0; SPAN / 2 * SPAN / 2 * SPAN / 2];
    for atom in atoms {
        let reach = Vec3::splat(REACH * atom.radius);
        let place = atom.position - corner;
        let first = ((place - reach) / SPACING).ceil().max(Vec3::ZERO);
        let last = ((place + reach) / SPACING).floor().min(Vec3::splat((POINTS - 1) as f32));
        // Also false for coordinates that are no numbers.
        if !first.cmple(last).all() {
            continue;
        }
        let first_cell = first.to_array().map(|point| point as usize / 2);
        let last_cell = last.to_array().map(|point| point as usize / 2);
        let start = Vec3::from_array(first_cell.map(|cell| 2.0 * cell as f32)) * SPACING;
        let counts: [usize; 3] = std::array::from_fn(|axis| (last_cell[axis] + 1 - first_cell[axis]).min(SPAN / 2));
        drawn.fill(0.0);
        draw(&mut drawn, &(place - start).to_array(), atom.radius, &counts);
        for x in 0..counts[0] {
            for y in 0..counts[1] {
                let row = &drawn[(x * SPAN / 2 + y) * SPAN / 2..][..counts[2]];
                let voxels = cube.line_mut(first_cell[0] + x, first_cell[1] + y);
                let voxels = voxels[first_cell[2] * CHANNELS..].chunks_exact_mut(CHANNELS);
                for (voxel, mean) in voxels.zip(row) {
                    voxel[usize::from(atom.channel)] += mean;
                }
            }
        }
    }
    cube
}

vectorized! {
    /// The means of an atom at `place` (Å from the first point) over `counts` cells of two points a side.
    fn draw(means: &mut [f32; SPAN / 2 * SPAN / 2 * SPAN / 2], place: &[f32; 3], radius: f32, counts: &[usize; 3]) {
        // exp(-2) (2 d / r - 3)² between r and 1.5 r.
        let tail = exp(-2.0);
        for x in 0..2 * counts[0] {
            let dx = x as f32 * SPACING - place[0];
            for y in 0..2 * counts[1] {
                let dy = y as f32 * SPACING - place[1];
                let across = dx * dx + dy * dy;
                if across >= (REACH * radius) * (REACH * radius) {
                    continue;
                }
                let mut values = [0.0_f32; SPAN];
                for z in 0..SPAN {
                    let dz = z as f32 * SPACING - place[2];
                    let distance = (across + dz * dz).sqrt() / radius;
                    let core = exp(-2.0 * distance * distance);
                    let rest = 2.0 * distance - 3.0;
                    let edge = if distance < REACH { tail * rest * rest } else { 0.0 };
                    values[z] = if distance <= 1.0 { core } else { edge };
                }
                let row = &mut means[(x / 2 * SPAN / 2 + y / 2) * SPAN / 2..][..SPAN / 2];
                for (mean, pair) in row.iter_mut().zip(values.as_chunks::<2>().0) {
                    *mean += 0.125 * (pair[0] + pair[1]);
                }
            }
        }
    }
}
