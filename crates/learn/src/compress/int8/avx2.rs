//! The 8-bit products with the pairwise multiply-add of AVX2.
#![expect(
    unsafe_code,
    reason = "vector loads and stores, and calling a function compiled for AVX2 once the processor is known to have it"
)]

use std::arch::x86_64::{
    __m256i, _mm256_add_epi32, _mm256_loadu_si256, _mm256_madd_epi16, _mm256_set1_epi32,
    _mm256_setzero_si256, _mm256_storeu_si256,
};

use super::kernel::LANES;

/// Rows computed together: 6 x 2 sums, 2 weights and a broadcast fill 15 of 16 registers.
const ROWS: usize = 6;

/// See [`super::kernel::products`], which asks for AVX2 before it calls this.
///
/// # Panics
/// When the processor lacks AVX2.
pub(super) fn products(x: &[i32], w: &[i16], n: usize, out: &mut [i32]) {
    assert!(std::arch::is_x86_feature_detected!("avx2"));
    // SAFETY: the only requirement of a safe function with a target feature is that the processor has it, asked just above.
    unsafe { with_avx2(x, w, n, out) }
}

#[target_feature(enable = "avx2")]
fn with_avx2(x: &[i32], w: &[i16], n: usize, out: &mut [i32]) {
    let k = w.len() / (2 * n);
    let rows = out.len() / n;
    let mut row = 0;
    while row + ROWS <= rows {
        tile::<ROWS>(
            &x[row * k..(row + ROWS) * k],
            w,
            n,
            &mut out[row * n..(row + ROWS) * n],
        );
        row += ROWS;
    }
    while row < rows {
        tile::<1>(&x[row * k..(row + 1) * k], w, n, &mut out[row * n..(row + 1) * n]);
        row += 1;
    }
}

#[target_feature(enable = "avx2")]
fn tile<const R: usize>(x: &[i32], w: &[i16], n: usize, out: &mut [i32]) {
    let k = x.len() / R;
    let rows: [&[i32]; R] = std::array::from_fn(|r| &x[r * k..(r + 1) * k]);
    for column in (0..n).step_by(LANES) {
        let mut sums = [[_mm256_setzero_si256(); 2]; R];
        for (pair, w_row) in w.chunks_exact(2 * n).enumerate() {
            let lane = &w_row[2 * column..2 * (column + LANES)];
            let weights = [load(&lane[..16]), load(&lane[16..])];
            for r in 0..R {
                let both = _mm256_set1_epi32(rows[r][pair]);
                sums[r][0] = _mm256_add_epi32(sums[r][0], _mm256_madd_epi16(both, weights[0]));
                sums[r][1] = _mm256_add_epi32(sums[r][1], _mm256_madd_epi16(both, weights[1]));
            }
        }
        for (r, sums) in sums.iter().enumerate() {
            let out = &mut out[r * n + column..r * n + column + LANES];
            store(&mut out[..8], sums[0]);
            store(&mut out[8..], sums[1]);
        }
    }
}

#[target_feature(enable = "avx2")]
fn load(cells: &[i16]) -> __m256i {
    assert!(cells.len() == 16);
    // SAFETY: the slice holds 16 cells of 2 bytes, and the load needs no alignment.
    unsafe { _mm256_loadu_si256(cells.as_ptr().cast()) }
}

#[target_feature(enable = "avx2")]
fn store(cells: &mut [i32], sums: __m256i) {
    assert!(cells.len() == 8);
    // SAFETY: the slice holds 8 cells of 4 bytes, and the store needs no alignment.
    unsafe { _mm256_storeu_si256(cells.as_mut_ptr().cast(), sums) }
}
