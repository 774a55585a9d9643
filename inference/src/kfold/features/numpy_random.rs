//! NumPy's default generator, so that an equal seed gives the reference's priors and reference conformers.
//!
//! K-Fold draws the starting coordinates and the random placement of every reference conformer on the CPU with
//! `numpy.random.default_rng(SeedSequence([seed, stream]))`. Those draws are part of the features, so a port that wants equal
//! features from an equal seed needs the same streams: the seed sequence's hash, the PCG64 generator (O'Neill, *PCG: A Family
//! of Simple Fast Space-Efficient Statistically Good Algorithms for Random Number Generation*, 2014; XSL-RR output), the
//! ziggurat for normal deviates (Marsaglia & Tsang, J. Stat. Softw. 2000, 5(8)) in double and in single precision, and
//! Lemire's bounded integers (ACM Trans. Model. Comput. Simul. 2019, 29, 3). NumPy keeps these streams stable between its
//! versions. The tables of the ziggurat are computed here from its two constants instead of being written out.
//!
//! The draws that the reference makes on the GPU (recurrence, sampler) cannot be matched by anything but a GPU; those come
//! from [`Noise`](crate::kfold::noise::Noise).

use std::sync::OnceLock;

/// `numpy.random.Generator` over PCG64.
#[derive(Clone, Debug)]
pub struct NumpyGenerator {
    state: u128,
    increment: u128,
    /// The upper half of a 64-bit draw whose lower half was handed out as 32 bits.
    spare: Option<u32>,
}

impl NumpyGenerator {
    /// `default_rng(SeedSequence(entropy))`: each number of the list is taken as its 32-bit words, lowest first.
    #[must_use]
    pub fn from_entropy(entropy: &[u64]) -> Self {
        let words: Vec<u32> = entropy
            .iter()
            .flat_map(|&number| {
                let (low, high) = (number as u32, (number >> 32) as u32);
                std::iter::once(low).chain((high != 0).then_some(high))
            })
            .collect();
        let seeds = seed_words(&words);
        let pair = |at: usize| (u128::from(seeds[at]) << 64) | u128::from(seeds[at + 1]);
        let mut generator = Self { state: 0, increment: (pair(2) << 1) | 1, spare: None };
        generator.advance();
        generator.state = generator.state.wrapping_add(pair(0));
        generator.advance();
        generator
    }

    /// `default_rng(seed)`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self::from_entropy(&[seed])
    }

    /// A generator of its own, seeded by a draw from this one: what the reference does before each stage, so that a stage
    /// may draw as much as it likes.
    #[must_use]
    pub fn spawn(&mut self) -> Self {
        Self::new(self.below(1 << 30))
    }

    fn advance(&mut self) {
        const MULTIPLIER: u128 = 0x2360_ED05_1FC6_5DA4_4385_DF64_9FCC_F645;
        self.state = self.state.wrapping_mul(MULTIPLIER).wrapping_add(self.increment);
    }

    fn next_u64(&mut self) -> u64 {
        self.advance();
        let folded = (self.state >> 64) as u64 ^ self.state as u64;
        folded.rotate_right((self.state >> 122) as u32)
    }

    fn next_u32(&mut self) -> u32 {
        if let Some(spare) = self.spare.take() {
            return spare;
        }
        let drawn = self.next_u64();
        self.spare = Some((drawn >> 32) as u32);
        drawn as u32
    }

    /// Uniform in [0, 1).
    fn next_f64(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
    }

    /// Uniform in [0, 1).
    fn next_f32(&mut self) -> f32 {
        (self.next_u32() >> 8) as f32 * (1.0 / (1u32 << 24) as f32)
    }

    /// `integers(bound)`: uniform in 0..bound, for bounds below 2³². A bound of 0 or 1 draws nothing and gives 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        debug_assert!(bound <= u64::from(u32::MAX));
        if bound <= 1 {
            return 0;
        }
        let mut product = u64::from(self.next_u32()) * bound;
        if (product & 0xFFFF_FFFF) < bound {
            let threshold = ((1u64 << 32) - bound) % bound;
            while (product & 0xFFFF_FFFF) < threshold {
                product = u64::from(self.next_u32()) * bound;
            }
        }
        product >> 32
    }

    /// `integers(low, high)`.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high.saturating_sub(low))
    }

    /// `normal()`: one standard normal deviate in double precision.
    pub fn normal(&mut self) -> f64 {
        let tables = ziggurat();
        loop {
            let bits = self.next_u64();
            let layer = (bits & 0xFF) as usize;
            let bits = bits >> 8;
            let negative = bits & 1 == 1;
            let distance = (bits >> 1) & 0x000F_FFFF_FFFF_FFFF;
            let magnitude = distance as f64 * tables.width_f64[layer];
            let value = if negative { -magnitude } else { magnitude };
            if distance < tables.inside_f64[layer] {
                return value;
            }
            if layer == 0 {
                loop {
                    let x = -(1.0 / TAIL_START) * (-self.next_f64()).ln_1p();
                    let y = -(-self.next_f64()).ln_1p();
                    if y + y > x * x {
                        return if (distance >> 8) & 1 == 1 { -(TAIL_START + x) } else { TAIL_START + x };
                    }
                }
            }
            let (above, below) = (tables.height_f64[layer - 1], tables.height_f64[layer]);
            if (above - below) * self.next_f64() + below < (-0.5 * value * value).exp() {
                return value;
            }
        }
    }

    /// `standard_normal(dtype=float32)`: one standard normal deviate in single precision, from 32 random bits.
    pub fn normal_f32(&mut self) -> f32 {
        let tables = ziggurat();
        loop {
            let bits = self.next_u32();
            let layer = (bits & 0xFF) as usize;
            let negative = (bits >> 8) & 1 == 1;
            let distance = bits >> 9;
            let magnitude = distance as f32 * tables.width_f32[layer];
            let value = if negative { -magnitude } else { magnitude };
            if distance < tables.inside_f32[layer] {
                return value;
            }
            if layer == 0 {
                let (start, inverse) = (TAIL_START as f32, (1.0 / TAIL_START) as f32);
                loop {
                    let x = -inverse * (-self.next_f32()).ln_1p();
                    let y = -(-self.next_f32()).ln_1p();
                    if y + y > x * x {
                        return if (distance >> 8) & 1 == 1 { -(start + x) } else { start + x };
                    }
                }
            }
            let (above, below) = (tables.height_f32[layer - 1], tables.height_f32[layer]);
            if f64::from((above - below) * self.next_f32() + below) < (-0.5 * f64::from(value) * f64::from(value)).exp()
            {
                return value;
            }
        }
    }

    /// `standard_normal((count, 3), dtype=float32)`.
    pub fn normal_points(&mut self, count: usize) -> Vec<[f32; 3]> {
        (0..count).map(|_| [self.normal_f32(), self.normal_f32(), self.normal_f32()]).collect()
    }
}

/// The four 64-bit words that `SeedSequence.generate_state(4, uint64)` makes of 32-bit entropy words.
fn seed_words(entropy: &[u32]) -> [u64; 4] {
    const POOL: usize = 4;
    let mut constant = 0x43B0_D7E5_u32;
    let mut hash = |mut value: u32| {
        value ^= constant;
        constant = constant.wrapping_mul(0x931E_8875);
        value = value.wrapping_mul(constant);
        value ^ (value >> 16)
    };
    let mix = |x: u32, y: u32| {
        let mixed = x.wrapping_mul(0xCA01_F9DD).wrapping_sub(y.wrapping_mul(0x4973_F715));
        mixed ^ (mixed >> 16)
    };
    let mut pool = [0_u32; POOL];
    for (at, word) in pool.iter_mut().enumerate() {
        *word = hash(entropy.get(at).copied().unwrap_or(0));
    }
    for source in 0..POOL {
        for target in 0..POOL {
            if source != target {
                pool[target] = mix(pool[target], hash(pool[source]));
            }
        }
    }
    for &word in entropy.iter().skip(POOL) {
        for target in &mut pool {
            *target = mix(*target, hash(word));
        }
    }
    let mut constant = 0x8B51_F9DD_u32;
    let mut words = [0_u32; 8];
    for (at, word) in words.iter_mut().enumerate() {
        let mut value = pool[at % POOL] ^ constant;
        constant = constant.wrapping_mul(0x58F3_8DED);
        value = value.wrapping_mul(constant);
        *word = value ^ (value >> 16);
    }
    std::array::from_fn(|at| u64::from(words[2 * at]) | (u64::from(words[2 * at + 1]) << 32))
}

/// Where the tail of the normal ziggurat with 256 layers begins.
const TAIL_START: f64 = 3.654_152_885_361_009;
/// The area of each layer.
const LAYER_AREA: f64 = 0.004_928_673_233_974_655;
const LAYERS: usize = 256;

/// For each layer: its width over the range of the random integer, the integers that surely lie below the curve, and the
/// curve's height at its edge.
struct Ziggurat {
    width_f64: [f64; LAYERS],
    inside_f64: [u64; LAYERS],
    height_f64: [f64; LAYERS],
    width_f32: [f32; LAYERS],
    inside_f32: [u32; LAYERS],
    height_f32: [f32; LAYERS],
}

fn ziggurat() -> &'static Ziggurat {
    static TABLES: OnceLock<Ziggurat> = OnceLock::new();
    TABLES.get_or_init(|| {
        let density = |x: f64| (-0.5 * x * x).exp();
        // Edge of each layer, from the widest down; layer 0 is the base with the tail, as wide as its area asks for.
        let mut edges = [0.0_f64; LAYERS];
        edges[LAYERS - 1] = TAIL_START;
        for layer in (1..LAYERS - 1).rev() {
            let above = edges[layer + 1];
            edges[layer] = (-2.0 * (LAYER_AREA / above + density(above)).ln()).sqrt();
        }
        let base = LAYER_AREA / density(TAIL_START);
        let width = |layer: usize| if layer == 0 { base } else { edges[layer] };
        let inside = |layer: usize| match layer {
            0 => TAIL_START / base,
            1 => 0.0,
            _ => edges[layer - 1] / edges[layer],
        };
        let (range_f64, range_f32) = ((1_u64 << 52) as f64, (1_u64 << 23) as f64);
        Ziggurat {
            width_f64: std::array::from_fn(|layer| width(layer) / range_f64),
            inside_f64: std::array::from_fn(|layer| (inside(layer) * range_f64) as u64),
            height_f64: std::array::from_fn(|layer| density(edges[layer])),
            width_f32: std::array::from_fn(|layer| (width(layer) / range_f32) as f32),
            inside_f32: std::array::from_fn(|layer| (inside(layer) * range_f32) as u32),
            height_f32: std::array::from_fn(|layer| density(edges[layer]) as f32),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    // Expected values printed by NumPy 2.4.
    /// Entropy, and draws below 7, 2^30, 3,000,000,000 and 2 in turn.
    const INTEGERS: [(&[u64], &[u64]); 4] = [
        (&[0], &[5, 683932403, 1533409439, 0, 2, 43994986, 225720425, 0, 1, 873242270, 1948247248, 1]),
        (&[42, 0], &[0, 831028979, 1963714555, 0, 3, 921912496, 282532043, 1, 6, 790008092, 2283419105, 1]),
        (&[42, 1], &[4, 852017022, 1348215265, 0, 6, 434249469, 2707856472, 1, 6, 620031971, 1364306251, 1]),
        (
            &[123456789012345, 7, 8, 9, 10, 11],
            &[0, 940554796, 1121793761, 0, 2, 799712787, 1083770797, 1, 3, 253931731, 1132755850, 1],
        ),
    ];
    const NORMALS: [f64; 8] = [
        -0.8221675699335871,
        -1.7004255117729528,
        0.05740963291053738,
        -0.988251676214684,
        -0.8483109228014808,
        0.9593398505592489,
        -0.8721631334444784,
        1.4905297077145576,
    ];
    /// Sum, largest magnitude and last of 200,000 draws.
    const LONG_F64: [f64; 3] = [-528.1349595848621, 4.558196187410914, 1.4202896769807947];
    const LONG_F32: [f64; 3] = [-314.3463300054377, 4.594911575317383, 0.7482327222824097];

    #[test]
    fn integers_equal_numpys() {
        for (entropy, expected) in INTEGERS {
            let mut generator = NumpyGenerator::from_entropy(entropy);
            let drawn: Vec<u64> =
                (0..expected.len()).map(|at| generator.below([7, 1 << 30, 3_000_000_000, 2][at % 4])).collect();
            assert_eq!(drawn, *expected, "entropy {entropy:?}");
        }
    }

    #[test]
    fn spawned_normals_equal_numpys() {
        let mut generator = NumpyGenerator::from_entropy(&[42, 0]).spawn();
        for (at, expected) in NORMALS.iter().enumerate() {
            let drawn = generator.normal();
            assert!((drawn - expected).abs() <= 1e-14 * expected.abs(), "draw {at}: {drawn} instead of {expected}");
        }
    }

    /// Long enough (200,000 draws) to visit the tail and the edges of every layer: a table that is off anywhere would
    /// take another branch somewhere and change all that follows.
    #[test]
    fn long_streams_end_where_numpys_do() {
        let mut generator = NumpyGenerator::new(20_261_124);
        let (mut sum, mut largest, mut last) = (0.0_f64, 0.0_f64, 0.0);
        for _ in 0..200_000 {
            last = generator.normal();
            sum += last;
            largest = largest.max(last.abs());
        }
        for (name, got, expected) in
            [("sum", sum, LONG_F64[0]), ("largest", largest, LONG_F64[1]), ("last", last, LONG_F64[2])]
        {
            assert!((got - expected).abs() <= 1e-9, "{name} in double precision: {got} instead of {expected}");
        }
        let mut generator = NumpyGenerator::new(20_261_124);
        let (mut sum, mut largest, mut last) = (0.0_f64, 0.0_f64, 0.0);
        for _ in 0..200_000 {
            last = f64::from(generator.normal_f32());
            sum += last;
            largest = largest.max(last.abs());
        }
        // Single precision: a table entry may round the other way, which moves a draw by its last bit.
        for (name, got, expected, bar) in [
            ("sum", sum, LONG_F32[0], 1e-3),
            ("largest", largest, LONG_F32[1], 1e-6),
            ("last", last, LONG_F32[2], 1e-6),
        ] {
            assert!((got - expected).abs() <= bar, "{name} in single precision: {got} instead of {expected}");
        }
    }
}
