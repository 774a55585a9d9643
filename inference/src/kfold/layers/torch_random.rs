//! PyTorch's CPU generator, as far as the networks' constants need it.
//!
//! K-Fold's Fourier embedding draws its frequencies and phases from `torch.Generator().manual_seed(42)` when it is built and
//! does not keep them in the checkpoint, so whoever loads the checkpoint must draw the same numbers. The generator is
//! MT19937 (Matsumoto & Nishimura, ACM Trans. Model. Comput. Simul. 1998, 8, 3) with its usual seeding; `torch.randn` of at
//! least 16 f32 numbers fills the tensor with uniform numbers of 24 bits and turns them into normal ones in groups of 16 by
//! Box and Muller's transform, the first eight being the radii and the last eight the angles (ATen, `normal_fill`).

const STATE: usize = 624;
const SHIFT: usize = 397;

/// The generator.
pub struct TorchRandom {
    state: [u32; STATE],
    next: usize,
}

impl TorchRandom {
    /// `torch.Generator().manual_seed(seed)`; PyTorch, too, uses the seed's low 32 bits alone here.
    #[must_use]
    pub fn new(seed: u32) -> Self {
        let mut state = [seed; STATE];
        for index in 1..STATE {
            let last = state[index - 1];
            state[index] = 1_812_433_253_u32.wrapping_mul(last ^ (last >> 30)).wrapping_add(index as u32);
        }
        Self { state, next: STATE }
    }

    fn bits(&mut self) -> u32 {
        if self.next == STATE {
            for index in 0..STATE {
                let joined = (self.state[index] & 0x8000_0000) | (self.state[(index + 1) % STATE] & 0x7fff_ffff);
                let twist = if joined & 1 == 1 { 0x9908_b0df } else { 0 };
                self.state[index] = self.state[(index + SHIFT) % STATE] ^ (joined >> 1) ^ twist;
            }
            self.next = 0;
        }
        let mut bits = self.state[self.next];
        self.next += 1;
        bits ^= bits >> 11;
        bits ^= (bits << 7) & 0x9d2c_5680;
        bits ^= (bits << 15) & 0xefc6_0000;
        bits ^ (bits >> 18)
    }

    /// Uniform in [0, 1), 24 bits.
    fn uniform(&mut self) -> f64 {
        f64::from(self.bits() & 0x00ff_ffff) / f64::from(1_u32 << 24)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches_the_published_first_output() {
        // Reference output of mt19937ar.c for init_genrand(5489), the standard's default seed: 10000th is 4123659995.
        let mut random = TorchRandom::new(5489);
        let last = (0..10_000).map(|_| random.bits()).last();
        assert_eq!(last, Some(4_123_659_995));
    }
}
