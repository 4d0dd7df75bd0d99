//! Runs the kernels with the widest registers that the processor has.
//!
//! The kernels are safe Rust. Compiling the same source a second time for AVX2 doubles the register width and changes no
//! bit: narrow layers never use a fused multiply-add, wide ones always do (see [`fused`]); a test compares them.
#![expect(
    unsafe_code,
    reason = "calling a function compiled for AVX2, once the processor is known to have it"
)]

use super::activation;
use super::dropout::Dropout;
use super::optimise::{self, AdamStep};
use super::params::Activation;
use super::{fused, kernel};

/// Rows or inputs of a register tile: baseline x86-64 and others have 16 registers of 4 lanes, AVX2 16 of 8.
const NARROW: usize = 4;
const WIDE: usize = 8;

macro_rules! dispatched {
    ($(#[$doc:meta])* $name:ident, $wide:ident, $features:literal, [$($feature:tt),+], ($($arg:ident: $type:ty),*), $narrow_call:expr, $wide_call:expr) => {
        $(#[$doc])*
        pub(super) fn $name($($arg: $type),*) {
            #[cfg(target_arch = "x86_64")]
            if true $(&& std::arch::is_x86_feature_detected!($feature))+ {
                // SAFETY: the only requirement of a safe function with target features is that the processor
                // has them, which has just been asked.
                return unsafe { $wide($($arg),*) };
            }
            $narrow_call
        }

        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = $features)]
        fn $wide($($arg: $type),*) {
            $wide_call
        }
    };
}

/// As `dispatched`, the same source for both.
macro_rules! same {
    ($(#[$doc:meta])* $name:ident, $wide:ident, $features:literal, [$($feature:tt),+], ($($arg:ident: $type:ty),*), $call:expr) => {
        dispatched!($(#[$doc])* $name, $wide, $features, [$($feature),+], ($($arg: $type),*), $call, $call);
    };
}

dispatched!(
    /// See [`kernel::affine`].
    affine, affine_wide, "avx2", ["avx2"], (x: &[f32], w: &[f32], bias: &[f32], out: &mut [f32]),
    kernel::affine::<NARROW>(x, w, bias, out),
    kernel::affine::<WIDE>(x, w, bias, out)
);
dispatched!(
    /// See [`kernel::outer`].
    outer, outer_wide, "avx2", ["avx2"], (x: &[f32], k: usize, d: &[f32], n: usize, out: &mut [f32]),
    kernel::outer::<NARROW>(x, k, d, n, out),
    kernel::outer::<WIDE>(x, k, d, n, out)
);
same!(
    /// See [`kernel::transposed`].
    transposed, transposed_wide, "avx2", ["avx2"], (d: &[f32], w: &[f32], n: usize, out: &mut [f32]),
    kernel::transposed(d, w, n, out)
);
same!(
    /// See [`kernel::single`].
    single, single_wide, "avx2", ["avx2"], (x: &[f32], w: &[f32], bias: f32, out: &mut [f32]),
    kernel::single(x, w, bias, out)
);
same!(
    /// See [`kernel::single_gradient`].
    single_gradient, single_gradient_wide, "avx2", ["avx2"], (x: &[f32], d: &[f32], out: &mut [f32], bias: &mut f32),
    kernel::single_gradient(x, d, out, bias)
);
same!(
    /// See [`kernel::single_input`].
    single_input, single_input_wide, "avx2", ["avx2"], (d: &[f32], w: &[f32], out: &mut [f32]),
    kernel::single_input(d, w, out)
);
same!(
    /// See [`kernel::column_sums`].
    column_sums, column_sums_wide, "avx2", ["avx2"], (d: &[f32], out: &mut [f32]),
    kernel::column_sums(d, out)
);
same!(
    /// See [`kernel::multiply`].
    multiply, multiply_wide, "avx2", ["avx2"], (a: &mut [f32], b: &[f32]),
    kernel::multiply(a, b)
);
same!(
    /// See [`activation::activate`].
    activate, activate_wide, "avx2", ["avx2"], (activation: Activation, cells: &mut [f32], slopes: &mut [f32]),
    activation::activate(activation, cells, slopes)
);
same!(
    /// See [`Dropout::apply`].
    drop_out, drop_out_wide, "avx2", ["avx2"], (dropout: &mut Dropout, cells: &mut [f32], slopes: &mut [f32]),
    dropout.apply(cells, slopes)
);
same!(
    /// See [`fused::affine`].
    affine_fused, affine_fused_wide, "avx2,fma", ["avx2", "fma"],
    (x: &[f32], k: usize, panels: &[f32], bias: Option<&[f32]>, out: &mut [f32], n: usize),
    fused::affine(x, k, panels, bias, out, n)
);
same!(
    /// See [`fused::outer`].
    outer_fused, outer_fused_wide, "avx2,fma", ["avx2", "fma"],
    (x: &[f32], k: usize, first: usize, panels: &[f32], out: &mut [f32], n: usize),
    fused::outer(x, k, first, panels, out, n)
);

same!(
    /// See [`optimise::sgd`].
    sgd, sgd_wide, "avx2", ["avx2"], (params: &mut [f32], gradient: &[f32], rate: f32),
    optimise::sgd(params, gradient, rate)
);
same!(
    /// See [`optimise::heavy_ball`].
    heavy_ball, heavy_ball_wide, "avx2", ["avx2"],
    (params: &mut [f32], gradient: &[f32], velocity: &mut [f32], rate: f32, momentum: f32),
    optimise::heavy_ball(params, gradient, velocity, rate, momentum)
);
same!(
    /// See [`optimise::nesterov`].
    nesterov, nesterov_wide, "avx2", ["avx2"],
    (params: &mut [f32], gradient: &[f32], velocity: &mut [f32], rate: f32, momentum: f32),
    optimise::nesterov(params, gradient, velocity, rate, momentum)
);
same!(
    /// See [`optimise::adam`].
    adam, adam_wide, "avx2", ["avx2"],
    (params: &mut [f32], gradient: &[f32], first: &mut [f32], second: &mut [f32], step: AdamStep),
    optimise::adam(params, gradient, first, second, step)
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

    /// The same for the fused products of wide layers, with widths that leave part of a panel and of a tile empty.
    #[test]
    fn the_fused_products_agree_with_the_portable_and_the_naive_ones() {
        for (rows, k, n) in [(1, 3, 8), (64, 100, 256), (13, 46, 24), (8, 7, 9), (31, 20, 40)] {
            let (x, w, d) = (random(rows * k, 1), random(k * n, 2), random(rows * n, 3));
            let bias = random(n, 4);
            let mut panels = vec![0.0; fused::packed_len(k, n)];
            fused::pack(&w, n, &mut panels);
            let (mut fast, mut portable) = (vec![0.0; rows * n], vec![0.0; rows * n]);
            affine_fused(&x, k, &panels, Some(&bias), &mut fast, n);
            fused::affine(&x, k, &panels, Some(&bias), &mut portable, n);
            assert_eq!(fast, portable);
            for r in 0..rows {
                for c in 0..n {
                    let each = (0..k).map(|i| (x[r * k + i], w[i * n + c]));
                    let naive = each.fold(bias[c], |sum, (x, w)| x.mul_add(w, sum));
                    assert_eq!(fast[r * n + c], naive);
                }
            }

            panels.resize(fused::packed_len(n, k), 0.0);
            fused::pack_transposed(&w, n, &mut panels);
            let mut back = vec![0.0; rows * k];
            affine_fused(&d, n, &panels, None, &mut back, k);
            for r in 0..rows {
                for i in 0..k {
                    let each = (0..n).map(|c| (d[r * n + c], w[i * n + c]));
                    assert_eq!(back[r * k + i], each.fold(0.0, |sum, (d, w)| d.mul_add(w, sum)));
                }
            }

            panels.resize(fused::packed_len(rows, n), 0.0);
            fused::pack(&d, n, &mut panels);
            let first = k / 3;
            let start = random((k - first) * n, 5);
            let (mut fast, mut portable) = (start.clone(), start.clone());
            outer_fused(&x, k, first, &panels, &mut fast, n);
            fused::outer(&x, k, first, &panels, &mut portable, n);
            assert_eq!(fast, portable);
            for i in first..k {
                for c in 0..n {
                    let each = (0..rows).map(|r| (x[r * k + i], d[r * n + c]));
                    let naive = each.fold(start[(i - first) * n + c], |sum, (x, d)| x.mul_add(d, sum));
                    assert_eq!(fast[(i - first) * n + c], naive);
                }
            }
        }
    }
}
