//! Vector arithmetic on lanes of 32 values, and the choice of instruction set.
//!
//! Everything here is written on `[f32; 32]` and compiled three times (AVX-512, AVX2 with FMA, the target's baseline);
//! [`level`] picks at run time. [`vectorized!`] makes such a function from a plain one. Exponential and error function
//! are polynomials that vectorise (a few units in the last place), since calls into libm would take as long as the
//! matrix products beside them.

/// Values processed together: 32 tokens, 32 pixels or 32 output features.
pub const LANES: usize = 32;

/// One row of a panel.
pub type Lane = [f32; LANES];

/// Instruction sets that have kernels of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// 512-bit registers.
    Avx512,
    /// 256-bit registers with fused multiply-add.
    Avx2,
    /// Whatever the target guarantees.
    Baseline,
}

/// The best instruction set of this processor (the standard library caches the answer).
pub fn level() -> Level {
    #[cfg(target_arch = "x86_64")]
    {
        if is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512vl")
            && is_x86_feature_detected!("avx512dq")
        {
            return Level::Avx512;
        }
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
            return Level::Avx2;
        }
    }
    Level::Baseline
}

/// Compiles a function for every [`Level`] and calls the one that fits the processor.
macro_rules! vectorized {
    ($(#[$meta:meta])* $visibility:vis fn $name:ident($($argument:ident : $kind:ty),* $(,)?) $body:block) => {
        $(#[$meta])*
        $visibility fn $name($($argument: $kind),*) {
            #[inline(always)]
            fn body($($argument: $kind),*) $body
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx512f,avx512vl,avx512dq,avx2,fma")]
                fn avx512($($argument: $kind),*) {
                    body($($argument),*);
                }
                #[target_feature(enable = "avx2,fma")]
                fn avx2($($argument: $kind),*) {
                    body($($argument),*);
                }
                match $crate::kfold::primitives::cpu::simd::level() {
                    // SAFETY: `level` has seen these features on this processor.
                    #[allow(unsafe_code)]
                    $crate::kfold::primitives::cpu::simd::Level::Avx512 => return unsafe { avx512($($argument),*) },
                    // SAFETY: as above.
                    #[allow(unsafe_code)]
                    $crate::kfold::primitives::cpu::simd::Level::Avx2 => return unsafe { avx2($($argument),*) },
                    $crate::kfold::primitives::cpu::simd::Level::Baseline => {}
                }
            }
            body($($argument),*);
        }
    };
}
pub(crate) use vectorized;

/// e^x for x in [-87, 88], clamped outside (Cephes' single-precision polynomial).
#[inline(always)]
pub fn exp(x: f32) -> f32 {
    // Adding 1.5 * 2^23 rounds to an integer and leaves that integer in the low bits.
    const ROUND: f32 = 12_582_912.0;
    let x = x.clamp(-87.0, 88.0);
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = x - n * 0.693_359_4 + n * 2.121_944_4e-4;
    let mut p = 1.987_569_1e-4;
    p = p * r + 1.398_199_9e-3;
    p = p * r + 8.333_452e-3;
    p = p * r + 4.166_579_6e-2;
    p = p * r + 1.666_666_5e-1;
    p = p * r + 0.5;
    let scale = f32::from_bits((shifted.to_bits() << 23).wrapping_add(0x3f80_0000));
    (p * r * r + r + 1.0) * scale
}

/// x / (1 + e^-x).
#[inline(always)]
pub fn silu(x: f32) -> f32 {
    x / (1.0 + exp(-x))
}

/// 1 / (1 + e^-x).
#[inline(always)]
pub fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

/// The error function (Abramowitz and Stegun 7.1.26, absolute error 1.5e-7).
#[inline(always)]
pub fn erf(x: f32) -> f32 {
    let t = 1.0 / (1.0 + 0.327_591_1 * x.abs());
    let p = ((((1.061_405_4 * t - 1.453_152) * t + 1.421_413_7) * t - 0.284_496_74) * t + 0.254_829_6) * t;
    (1.0 - p * exp(-x * x)).copysign(x)
}

/// x / 2 (1 + erf(x / sqrt 2)).
#[inline(always)]
pub fn gelu(x: f32) -> f32 {
    x * 0.5 * (1.0 + erf(x * std::f32::consts::FRAC_1_SQRT_2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponential_is_within_a_few_units_of_the_last_place() {
        let mut worst = 0f64;
        for i in -8600..8700 {
            let x = i as f32 * 0.01;
            let exact = (x as f64).exp();
            worst = worst.max(((exp(x) as f64 - exact) / exact).abs());
        }
        assert!(worst < 4e-7, "relative error {worst:e}");
        assert!(exp(f32::NEG_INFINITY) < 1e-37);
    }

    #[test]
    fn activations_follow_their_definitions() {
        // Tabulated values of erf (Abramowitz and Stegun, table 7.1).
        for (x, exact) in
            [(0.0, 0.0), (0.5, 0.520_499_9), (1.0, 0.842_700_8), (2.0, 0.995_322_3), (-1.5, -0.966_105_15)]
        {
            assert!((erf(x) - exact).abs() < 4e-7, "erf({x}) = {}", erf(x));
        }
        assert!((silu(1.0) - 0.731_058_6).abs() < 1e-6);
        assert!((sigmoid(-2.0) - 0.119_202_92).abs() < 1e-6);
        assert!((gelu(1.0) - 0.841_344_8).abs() < 1e-6);
        assert!((gelu(-1.0) + 0.158_655_26).abs() < 1e-6);
    }
}
