//! Runs the kernels with the widest registers that the processor has.
//!
//! The kernels are safe Rust. Compiling the same source a second time for AVX2 only doubles the register width
//! (no fused multiply-add, which would round differently), so both give the same bits; a test compares them.
#![expect(
    unsafe_code,
    reason = "calling a function compiled for AVX2, once the processor is known to have it"
)]

use super::kernel;

/// Rows or inputs of a register tile: baseline x86-64 and others have 16 registers of 4 lanes, AVX2 16 of 8.
const NARROW: usize = 4;
const WIDE: usize = 8;

macro_rules! dispatched {
    ($(#[$doc:meta])* $name:ident, $wide:ident, ($($arg:ident: $type:ty),*), $narrow_call:expr, $wide_call:expr) => {
        $(#[$doc])*
        pub(super) fn $name($($arg: $type),*) {
            #[cfg(target_arch = "x86_64")]
            if std::arch::is_x86_feature_detected!("avx2") {
                // SAFETY: the only requirement of a safe function with a target feature is that the processor
                // has the feature, which has just been asked.
                return unsafe { $wide($($arg),*) };
            }
            $narrow_call
        }

        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = "avx2")]
        fn $wide($($arg: $type),*) {
            $wide_call
        }
    };
}

dispatched!(
    /// See [`kernel::affine`].
    affine, affine_wide, (x: &[f32], w: &[f32], bias: &[f32], out: &mut [f32]),
    kernel::affine::<NARROW>(x, w, bias, out),
    kernel::affine::<WIDE>(x, w, bias, out)
);
dispatched!(
    /// See [`kernel::outer`].
    outer, outer_wide, (x: &[f32], k: usize, d: &[f32], n: usize, out: &mut [f32]),
    kernel::outer::<NARROW>(x, k, d, n, out),
    kernel::outer::<WIDE>(x, k, d, n, out)
);
dispatched!(
    /// See [`kernel::transposed`].
    transposed, transposed_wide, (d: &[f32], w: &[f32], n: usize, out: &mut [f32]),
    kernel::transposed(d, w, n, out),
    kernel::transposed(d, w, n, out)
);

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};

    use super::*;

    fn random(n: usize, seed: u64) -> Vec<f32> {
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
        (0..n).map(|_| rng.random_range(-1.0..1.0)).collect()
    }

    /// The dispatched kernels against the portable ones (same bits) and against three plain loops (rounding).
    #[test]
    fn the_dispatched_kernels_agree_with_the_portable_and_the_naive_ones() {
        for (rows, k, n) in [(1, 1, 8), (32, 20, 64), (13, 46, 24), (7, 9, 8), (8, 8, 16)] {
            let (x, w, d) = (random(rows * k, 1), random(k * n, 2), random(rows * n, 3));
            let bias = random(n, 4);

            let (mut fast, mut portable) = (vec![0.0; rows * n], vec![0.0; rows * n]);
            affine(&x, &w, &bias, &mut fast);
            kernel::affine::<1>(&x, &w, &bias, &mut portable);
            assert_eq!(fast, portable);
            for r in 0..rows {
                for c in 0..n {
                    let naive: f32 = bias[c] + (0..k).map(|i| x[r * k + i] * w[i * n + c]).sum::<f32>();
                    assert!((fast[r * n + c] - naive).abs() < 1e-4);
                }
            }

            let (mut fast, mut portable) = (vec![0.0; k * n], vec![0.0; k * n]);
            outer(&x, k, &d, n, &mut fast);
            kernel::outer::<1>(&x, k, &d, n, &mut portable);
            assert_eq!(fast, portable);
            for i in 0..k {
                for c in 0..n {
                    let naive: f32 = (0..rows).map(|r| x[r * k + i] * d[r * n + c]).sum();
                    assert!((fast[i * n + c] - naive).abs() < 1e-4);
                }
            }

            let (mut fast, mut portable) = (vec![0.0; rows * k], vec![0.0; rows * k]);
            transposed(&d, &w, n, &mut fast);
            kernel::transposed(&d, &w, n, &mut portable);
            assert_eq!(fast, portable);
            for r in 0..rows {
                for i in 0..k {
                    let naive: f32 = (0..n).map(|c| d[r * n + c] * w[i * n + c]).sum();
                    assert!((fast[r * k + i] - naive).abs() < 1e-4);
                }
            }
        }
    }
}
