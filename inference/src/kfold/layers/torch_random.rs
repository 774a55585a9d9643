//! PyTorch's CPU generator, as far as the networks' constants need it.
//!
//! K-Fold's Fourier embedding draws its frequencies and phases from `torch.Generator().manual_seed(42)` when it is built and
//! does not keep them in the checkpoint, so whoever loads the checkpoint must draw the same numbers. The generator is
//! MT19937 with its usual seeding; `torch.randn` of at
//! least 16 f32 numbers fills the tensor with uniform numbers of 24 bits and turns them into normal ones in groups of 16 by
//! Box and Muller's transform, the first eight being the radii and the last eight the angles (ATen, `normal_fill`).

use crate::kfold::mersenne_twister::MersenneTwister;

/// The generator.
pub struct TorchRandom(MersenneTwister);

impl TorchRandom {
    /// `torch.Generator().manual_seed(seed)`; PyTorch, too, uses the seed's low 32 bits alone here.
    #[must_use]
    pub fn new(seed: u32) -> Self {
        Self(MersenneTwister::new(seed))
    }

    /// Uniform in [0, 1), 24 bits.
    fn uniform(&mut self) -> f64 {
        f64::from(self.0.bits() & 0x00ff_ffff) / f64::from(1_u32 << 24)
    }

    /// `torch.randn(count)` in f32. `count` must be a multiple of 16: PyTorch draws other counts another way.
    pub fn randn(&mut self, count: usize) -> Vec<f32> {
        debug_assert!(count.is_multiple_of(16));
        let uniform: Vec<f64> = (0..count).map(|_| self.uniform()).collect();
        let mut normal = vec![0.0; count];
        for (normal, uniform) in normal.chunks_exact_mut(16).zip(uniform.chunks_exact(16)) {
            for index in 0..8 {
                let radius = (-2.0 * (1.0 - uniform[index]).ln()).sqrt();
                let (sine, cosine) = (std::f64::consts::TAU * uniform[index + 8]).sin_cos();
                normal[index] = (radius * cosine) as f32;
                normal[index + 8] = (radius * sine) as f32;
            }
        }
        normal
    }
}
