//! Two derivatives in one integer.
//!
//! Each row's first and second derivative is rounded to a multiple of a small unit, up or down at random so that sums stay
//! unbiased, and packed: first derivative in the upper 32 bits (signed), second in the lower 32 (never negative). The units
//! are such that the sums over all rows fit. With a million rows of log loss a unit is about 1/2000 of the largest
//! derivative, three orders below the spread that the outcome itself brings. Sums of integers do not depend on the order
//! of adding, so neither does anything after them (Shi et al. 2022, arXiv 2207.09682, train with 2 to 5 bits).

/// What one unit of each packed sum is worth.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Units {
    pub(super) first: f64,
    pub(super) second: f64,
}

impl Units {
    /// Units for rows whose first derivatives have this sum of absolute values and whose second ones this sum.
    pub(super) fn new(sum_of_sizes: f64, sum_of_seconds: f64) -> Self {
        // one over a whole number, so that whole derivatives, such as those of unweighted squared errors, stay exact
        let unit = |sum: f64, steps: f64| match (steps / sum).floor() {
            _ if sum <= 0.0 => 1.0,
            per_unit if per_unit >= 1.0 => 1.0 / per_unit,
            _ => sum / steps,
        };
        Self {
            first: unit(sum_of_sizes, f64::from(1 << 30)),
            second: unit(sum_of_seconds, f64::from(1_u32 << 31)),
        }
    }

    /// Rounds with `noise`, 64 random bits.
    #[inline]
    pub(super) fn pack(&self, first: f32, second: f32, noise: u64) -> i64 {
        let up = |bits: u64| (bits & 0xffff_ffff) as f64 * (1.0 / 4_294_967_296.0) - 0.5;
        let first = nearest(f64::from(first) / self.first + up(noise >> 32));
        let second = nearest(f64::from(second) / self.second + up(noise)).max(0);
        (first << 32).wrapping_add(second)
    }

    /// The sums that a packed sum stands for.
    #[inline]
    pub(super) fn unpack(&self, sum: i64) -> Sums {
        Sums {
            first: (sum >> 32) as f64 * self.first,
            second: (sum & 0xffff_ffff) as f64 * self.second,
        }
    }
}

/// Sums of derivatives.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Sums {
    pub(super) first: f64,
    pub(super) second: f64,
}

/// The nearest integer to a number below 2^50 in size: adding 1.5 * 2^52 leaves it in the low bits of the mantissa.
#[inline]
fn nearest(number: f64) -> i64 {
    const SHIFT: f64 = 6_755_399_441_055_744.0;
    ((number + SHIFT).to_bits().wrapping_sub(SHIFT.to_bits())).cast_signed()
}

/// 64 random bits for a row, the same whichever thread asks (the mixer of SplitMix64, Steele et al. 2014).
#[inline]
pub(super) fn noise(seed: u64, row: usize) -> u64 {
    let mut bits = seed.wrapping_add((row as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use super::{Units, noise};

    #[test]
    fn packed_sums_are_unbiased_whatever_the_order_and_the_sign() {
        let n = 10_000;
        let rows: Vec<(f32, f32)> = (0..n)
            .map(|row| ((row as f32 * 0.37).sin(), 0.25 + 0.2 * (row as f32 * 0.11).cos()))
            .collect();
        let sums = rows.iter().fold((0.0, 0.0), |sum, (first, second)| {
            (sum.0 + f64::from(first.abs()), sum.1 + f64::from(*second))
        });
        let units = Units::new(sums.0, sums.1);
        let packed: Vec<i64> = rows
            .iter()
            .enumerate()
            .map(|(row, (first, second))| units.pack(*first, *second, noise(7, row)))
            .collect();
        let forward = packed.iter().fold(0_i64, |sum, own| sum.wrapping_add(*own));
        let backward = packed.iter().rev().fold(0_i64, |sum, own| sum.wrapping_add(*own));
        assert_eq!(forward, backward);
        let total = units.unpack(forward);
        let exact: f64 = rows.iter().map(|(first, _)| f64::from(*first)).sum();
        assert!((total.first - exact).abs() < 1e-3, "{} {exact}", total.first);
        assert!(
            (total.second - sums.1).abs() < 1e-3,
            "{} {}",
            total.second,
            sums.1
        );
    }

    #[test]
    fn a_row_with_all_the_weight_fits() {
        let units = Units::new(1e9, 1e9);
        let sums = units.unpack(units.pack(-1e9, 1e9, u64::MAX));
        assert!((sums.first + 1e9).abs() < 2.0 && (sums.second - 1e9).abs() < 2.0);
    }
}
