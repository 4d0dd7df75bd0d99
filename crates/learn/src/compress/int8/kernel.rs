//! Products of 8-bit numbers summed in 32 bits: exact, so every order of summation gives the same result.
//!
//! Both factors are held as i16 in memory at run time (they are 8-bit in the file): processors multiply pairs of i16 and add them
//! to an i32 in one instruction, which has no counterpart for i8 that cannot overflow.

/// Output channels computed together; widths of layers are padded to a multiple.
pub(super) const LANES: usize = 16;

/// Weights laid out for the kernel: for every pair of inputs the two weights of each channel side by side.
///
/// `weight(input, channel)` gives an 8-bit weight; inputs are padded to an even number and channels to [`LANES`], with 0.
pub(super) fn paired(inputs: usize, channels: usize, weight: impl Fn(usize, usize) -> i8) -> Vec<i16> {
    let (pairs, width) = (inputs.div_ceil(2), channels.next_multiple_of(LANES));
    let mut out = vec![0; pairs * width * 2];
    for input in 0..inputs {
        for channel in 0..channels {
            out[(input / 2 * width + channel) * 2 + input % 2] = i16::from(weight(input, channel));
        }
    }
    out
}

/// Two i16, the first in the low half: the two inputs of a pair in one cell.
pub(super) const fn joined(low: i16, high: i16) -> i32 {
    (low as u16 as u32 | (high as u16 as u32) << 16).cast_signed()
}

/// The two halves of [`joined`].
const fn halves(both: i32) -> (i16, i16) {
    (both as i16, (both >> 16) as i16)
}

/// `out[r][c] = sum_i x[r][i] w[i][c]` for x of rows x pairs of [`joined`] inputs and w from [`paired`], with n channels (a
/// multiple of [`LANES`]). With |x| <= 255 and |w| <= 127 no sum of fewer than 66,000 inputs leaves 32 bits.
pub(super) fn products(x: &[i32], w: &[i16], n: usize, out: &mut [i32]) {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        return super::avx2::products(x, w, n, out);
    }
    portable(x, w, n, out);
}

/// The same for any processor.
pub(super) fn portable(x: &[i32], w: &[i16], n: usize, out: &mut [i32]) {
    let pairs = w.len() / (2 * n);
    for (x_row, out_row) in x.chunks_exact(pairs).zip(out.chunks_exact_mut(n)) {
        for column in (0..n).step_by(LANES) {
            let mut sums = [0_i32; 2 * LANES];
            for (both, w_row) in x_row.iter().zip(w.chunks_exact(2 * n)) {
                let (even, odd) = halves(*both);
                let factors: [i16; 2 * LANES] = std::array::from_fn(|i| if i % 2 == 0 { even } else { odd });
                let lane = &w_row[2 * column..2 * (column + LANES)];
                for ((sum, factor), weight) in sums.iter_mut().zip(factors).zip(lane) {
                    *sum += i32::from(factor) * i32::from(*weight);
                }
            }
            let each = out_row[column..column + LANES]
                .iter_mut()
                .zip(sums.chunks_exact(2));
            each.for_each(|(out, pair)| *out = pair[0] + pair[1]);
        }
    }
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};

    use super::*;

    #[test]
    fn the_dispatched_the_portable_and_the_naive_products_are_the_same() {
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(1);
        for (rows, k, channels) in [(1, 1, 1), (6, 46, 64), (13, 7, 20), (32, 20, 16), (5, 256, 33)] {
            let weights: Vec<i8> = (0..k * channels).map(|_| rng.random_range(-127..=127)).collect();
            let w = paired(k, channels, |input, channel| weights[input * channels + channel]);
            let x: Vec<i16> = (0..rows * k).map(|_| rng.random_range(0..=255)).collect();
            let pairs = x.chunks_exact(k).flat_map(|row| {
                row.chunks(2)
                    .map(|pair| joined(pair[0], pair.get(1).copied().unwrap_or_default()))
            });
            let pairs: Vec<i32> = pairs.collect();
            let n = channels.next_multiple_of(LANES);
            let (mut fast, mut slow) = (vec![0; rows * n], vec![0; rows * n]);
            products(&pairs, &w, n, &mut fast);
            portable(&pairs, &w, n, &mut slow);
            assert_eq!(fast, slow);
            for r in 0..rows {
                for c in 0..channels {
                    let naive: i32 = (0..k)
                        .map(|i| i32::from(x[r * k + i]) * i32::from(weights[i * channels + c]))
                        .sum();
                    assert_eq!(fast[r * n + c], naive);
                }
            }
        }
    }

    #[test]
    fn the_largest_products_do_not_overflow() {
        let k = 66_000;
        let w = paired(k, 1, |_, _| 127);
        let mut out = vec![0; LANES];
        products(&vec![joined(255, 255); k / 2], &w, LANES, &mut out);
        assert_eq!(out[0], 255 * 127 * 66_000);
    }
}
