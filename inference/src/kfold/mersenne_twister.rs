//! MT19937 (Matsumoto & Nishimura, ACM Trans. Model. Comput. Simul. 1998, 8, 3): the generator behind PyTorch's CPU streams and
//! Python's `random`, both of which K-Fold's results hang on.

const STATE: usize = 624;
const SHIFT: usize = 397;

/// The generator.
pub struct MersenneTwister {
    state: [u32; STATE],
    next: usize,
}

impl MersenneTwister {
    /// The reference code's `init_genrand`.
    #[must_use]
    pub fn new(seed: u32) -> Self {
        let mut state = [seed; STATE];
        for index in 1..STATE {
            let last = state[index - 1];
            state[index] = 1_812_433_253_u32.wrapping_mul(last ^ (last >> 30)).wrapping_add(index as u32);
        }
        Self { state, next: STATE }
    }

    /// The reference code's `init_by_array`: Python's `random.Random(seed)` with the seed's words, lowest first.
    #[must_use]
    pub fn from_key(key: &[u32]) -> Self {
        let mut twister = Self::new(19_650_218);
        let state = &mut twister.state;
        let mixed = |state: &[u32; STATE], at: usize| state[at - 1] ^ (state[at - 1] >> 30);
        let (mut at, mut word) = (1, 0);
        for _ in 0..STATE.max(key.len()) {
            let value = state[at] ^ mixed(state, at).wrapping_mul(1_664_525);
            state[at] = value.wrapping_add(key.get(word).copied().unwrap_or_default()).wrapping_add(word as u32);
            (at, word) = (at + 1, word + 1);
            if at == STATE {
                state[0] = state[STATE - 1];
                at = 1;
            }
            if word >= key.len() {
                word = 0;
            }
        }
        for _ in 0..STATE - 1 {
            let value = state[at] ^ mixed(state, at).wrapping_mul(1_566_083_941);
            state[at] = value.wrapping_sub(at as u32);
            at += 1;
            if at == STATE {
                state[0] = state[STATE - 1];
                at = 1;
            }
        }
        state[0] = 0x8000_0000;
        twister
    }

    /// The next 32 bits.
    pub fn bits(&mut self) -> u32 {
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

    /// Python's `random.Random.sample(range(count), taken)` for at most five taken, as this generator's next draws.
    pub fn sample(&mut self, count: usize, taken: usize) -> Vec<usize> {
        /// Up to this many candidates Python moves them about in a list, beyond it draws until it has different ones.
        const LIST: usize = 21;
        let mut chosen = Vec::with_capacity(taken);
        if count <= LIST {
            let mut pool: Vec<usize> = (0..count).collect();
            for left in (count.saturating_sub(taken) + 1..=count).rev() {
                let at = self.below(left);
                chosen.push(pool[at]);
                pool[at] = pool[left - 1];
            }
        } else {
            while chosen.len() < taken.min(count) {
                let at = self.below(count);
                if !chosen.contains(&at) {
                    chosen.push(at);
                }
            }
        }
        chosen
    }

    /// Python's `_randbelow`, for fewer than 2³² possibilities.
    fn below(&mut self, count: usize) -> usize {
        let width = usize::BITS - count.leading_zeros();
        loop {
            let value = (self.bits() >> (32 - width.clamp(1, 32))) as usize;
            if value < count {
                return value;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches_the_published_outputs() {
        // Reference output of mt19937ar.c for init_genrand(5489), the standard's default seed: 10000th is 4123659995.
        let mut random = MersenneTwister::new(5489);
        let last = (0..10_000).map(|_| random.bits()).last();
        assert_eq!(last, Some(4_123_659_995));
        // And for init_by_array({0x123, 0x234, 0x345, 0x456}), its first two.
        let mut random = MersenneTwister::from_key(&[0x123, 0x234, 0x345, 0x456]);
        assert_eq!([random.bits(), random.bits()], [1_067_595_299, 955_945_823]);
    }

    #[test]
    fn samples_are_pythons() {
        // [random.Random(seed).sample(range(count), 5)] of Python 3.11.
        let cases: &[(u64, usize, [usize; 5])] = &[
            (1, 6, [1, 4, 0, 5, 3]),
            (1, 21, [4, 18, 2, 8, 3]),
            (42, 7, [5, 0, 6, 2, 4]),
            (42, 40, [7, 1, 17, 15, 14]),
            (8589934597, 9, [4, 2, 8, 6, 7]),
        ];
        for (seed, count, wanted) in cases {
            let key: Vec<u32> =
                [*seed as u32, (*seed >> 32) as u32].into_iter().take(1 + usize::from(*seed >> 32 > 0)).collect();
            assert_eq!(MersenneTwister::from_key(&key).sample(*count, 5), wanted, "seed {seed}, {count} candidates");
        }
        let mut random = MersenneTwister::from_key(&[7]);
        assert_eq!(random.sample(8, 2), [5, 1]);
        assert_eq!(random.sample(30, 3), [12, 20, 1]);
    }
}
