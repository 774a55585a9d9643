//! Impostors in chunks: sorted so that neighbours in the list are neighbours in space, cut into pieces of equal size, each
//! with a sphere around it. Whole pieces are then left out at once (`renderer::culling`).
//!
//! The order is Morton's (1966): the bits of the three coordinates, interleaved.

use glam::{Vec3, Vec4};
use rayon::prelude::*;

use crate::renderer::uniforms::{CylinderInstance, SphereInstance};

/// Impostors of a chunk; `CHUNK` of `impostors/culling.wgsl`.
pub(crate) const CHUNK: usize = 64;
/// Bits of a coordinate in a Morton number.
const BITS: u32 = 21;

/// What fills a sphere in space.
pub(crate) trait Placed: Copy + Send + Sync {
    /// Middle and radius of a sphere around it.
    fn sphere(&self, positions: &[Vec3]) -> (Vec3, f32);
}

fn place(positions: &[Vec3], atom: u32) -> Vec3 {
    positions.get(atom as usize).copied().unwrap_or(Vec3::NAN)
}

impl Placed for SphereInstance {
    fn sphere(&self, positions: &[Vec3]) -> (Vec3, f32) {
        (place(positions, self.atom), self.radius)
    }
}

impl Placed for CylinderInstance {
    fn sphere(&self, positions: &[Vec3]) -> (Vec3, f32) {
        let (a, b) = (place(positions, self.a), place(positions, self.b));
        (0.5 * (a + b), 0.5 * a.distance(b) + self.offset.abs() + self.radius)
    }
}

/// Every third bit of the result is one of the value.
const fn spread(value: u64) -> u64 {
    let mut bits = value & 0x1f_ffff;
    bits = (bits | bits << 32) & 0x001f_0000_0000_ffff;
    bits = (bits | bits << 16) & 0x001f_0000_ff00_00ff;
    bits = (bits | bits << 8) & 0x100f_00f0_0f00_f00f;
    bits = (bits | bits << 4) & 0x10c3_0c30_c30c_30c3;
    (bits | bits << 2) & 0x1249_2492_4924_9249
}

/// Sorts by place, in Morton's order; equal places keep their order, and what is at no place comes last.
pub(crate) fn sort(items: &mut Vec<impl Placed>, positions: &[Vec3]) {
    let finite = || positions.iter().filter(|place| place.is_finite());
    let (low, high) =
        finite().fold((Vec3::INFINITY, Vec3::NEG_INFINITY), |(low, high), place| (low.min(*place), high.max(*place)));
    let scale = ((1_u32 << BITS) - 1) as f32 / (high - low).max_element().max(1e-3);
    let mut keyed: Vec<(u64, u32)> = (0..)
        .zip(items.iter())
        .map(|(index, item)| {
            let (center, _) = item.sphere(positions);
            if !center.is_finite() {
                return (u64::MAX, index);
            }
            let [x, y, z] = ((center - low) * scale).to_array().map(|value| spread(value.max(0.0) as u64));
            (x | y << 1 | z << 2, index)
        })
        .collect();
    keyed.par_sort_unstable();
    *items = keyed.iter().map(|(_, index)| items[*index as usize]).collect();
}

/// Middle and radius of a sphere around each chunk of sorted items.
pub(crate) fn bounds(items: &[impl Placed], positions: &[Vec3]) -> Vec<Vec4> {
    items
        .par_chunks(CHUNK)
        .map(|chunk| {
            let spheres = || {
                let spheres = chunk.iter().map(|item| item.sphere(positions));
                spheres.filter(|(center, radius)| center.is_finite() && radius.is_finite())
            };
            let (low, high) = spheres().fold((Vec3::INFINITY, Vec3::NEG_INFINITY), |(low, high), (center, radius)| {
                (low.min(center - radius), high.max(center + radius))
            });
            if !(low.is_finite() && high.is_finite()) {
                return Vec4::ZERO;
            }
            let middle = 0.5 * (low + high);
            let radius = spheres().map(|(center, radius)| center.distance(middle) + radius).fold(0.0, f32::max);
            middle.extend(radius)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_interleaved() {
        assert_eq!(spread(0b1011), 0b1_000_001_001);
        assert_eq!(spread(0x1f_ffff), 0x1249_2492_4924_9249);
    }

    #[test]
    fn chunks_are_small_and_hold_their_spheres() {
        // A cube of 16 by 16 by 16 in an order that jumps about.
        let positions: Vec<Vec3> = (0..4096_u32)
            .map(|index| index * 1237 % 4096)
            .map(|index| Vec3::new((index % 16) as f32, (index / 16 % 16) as f32, (index / 256) as f32))
            .chain([Vec3::NAN])
            .collect();
        let mut spheres: Vec<SphereInstance> =
            (0..4097).map(|atom| SphereInstance { atom, radius: 0.5, copy: 0 }).collect();
        sort(&mut spheres, &positions);
        assert_eq!(spheres.last().unwrap().atom, 4096, "what is at no place comes last");
        let found = bounds(&spheres, &positions);
        assert_eq!(found.len(), 65);
        for (chunk, sphere) in spheres.chunks(CHUNK).zip(&found) {
            assert!(sphere.w < 4.0, "a cube of 4 by 4 by 4: {sphere}");
            for item in chunk.iter().filter(|item| item.atom < 4096) {
                let place = positions[item.atom as usize];
                assert!(place.distance(sphere.truncate()) + 0.5 <= sphere.w + 1e-4);
            }
        }
        let mut atoms: Vec<u32> = spheres.iter().map(|sphere| sphere.atom).collect();
        atoms.sort_unstable();
        assert!(atoms.iter().copied().eq(0..4097), "none is lost");
    }
}
