//! The activations and their slopes, written so that the compiler vectorises them.
//!
//! `exp` and `tanh` follow Moshier's Cephes library (single precision), the error function Abramowitz and Stegun 7.1.26;
//! a test holds all of them against double precision.

use super::params::Activation;

/// Replaces sums by what the units give, and writes the slope there.
#[inline(always)]
pub(super) fn activate(activation: Activation, cells: &mut [f32], slopes: &mut [f32]) {
    let each = cells.iter_mut().zip(slopes);
    match activation {
        Activation::Relu => each.for_each(|(cell, slope)| {
            *slope = f32::from(u8::from(*cell > 0.0));
            *cell = cell.max(0.0);
        }),
        Activation::Gelu => each.for_each(|(cell, slope)| (*cell, *slope) = gelu(*cell)),
        Activation::Tanh => each.for_each(|(cell, slope)| {
            *cell = tanh(*cell);
            *slope = 1.0 - *cell * *cell;
        }),
    }
}

impl Activation {
    /// Replaces sums by what the units give.
    pub(crate) fn apply(self, cells: &mut [f32]) {
        match self {
            Self::Relu => cells.iter_mut().for_each(|cell| *cell = cell.max(0.0)),
            Self::Gelu => cells.iter_mut().for_each(|cell| *cell = gelu(*cell).0),
            Self::Tanh => cells.iter_mut().for_each(|cell| *cell = tanh(*cell)),
        }
    }
}

/// `z Phi(z)` and its derivative `Phi(z) + z phi(z)`.
#[inline(always)]
fn gelu(z: f32) -> (f32, f32) {
    let density = exp(-0.5 * z * z);
    let u = z.abs() * std::f32::consts::FRAC_1_SQRT_2;
    let t = 1.0 / (1.0 + 0.327_591_1 * u);
    let series = 1.061_405_4 * t - 1.453_152_1;
    let tail = (((series * t + 1.421_413_8) * t - 0.284_496_72) * t + 0.254_829_6) * t * density;
    let upper = 0.5 * tail;
    let phi = if z < 0.0 { upper } else { 1.0 - upper };
    (z * phi, phi + z * density * 0.398_942_3)
}

/// The exponential of a number, 0 below -87.
#[inline(always)]
fn exp(x: f32) -> f32 {
    let x = x.clamp(-87.0, 88.0);
    // adding and taking off 1.5 * 2^23 rounds to the nearest whole number
    let n = (x * std::f32::consts::LOG2_E + 12_582_912.0) - 12_582_912.0;
    let r = x - n * 0.693_359_4 + n * 2.121_944_4e-4;
    let series = ((1.987_569_1e-4 * r + 1.398_199_9e-3) * r + 8.333_452e-3) * r + 4.166_579_6e-2;
    let y = (((series * r + 0.166_666_65) * r + 0.5) * r * r + r) + 1.0;
    y * f32::from_bits(((n as i32 + 127) << 23).cast_unsigned())
}

#[inline(always)]
fn tanh(x: f32) -> f32 {
    let z = x * x;
    let series = ((-5.704_988_7e-3 * z + 2.063_909e-2) * z - 5.373_971_6e-2) * z + 0.133_314_42;
    let near = (series * z - 0.333_332_8) * z * x + x;
    let far = 1.0 - 2.0 / (exp(2.0 * x.abs()) + 1.0);
    if x.abs() < 0.625 { near } else { far.copysign(x) }
}

#[cfg(test)]
mod tests {
    use statrs::function::erf::erf;

    use super::*;

    #[test]
    fn activations_and_slopes_agree_with_double_precision() {
        for step in -4000..=4000 {
            let z = f64::from(step) * 0.0025;
            let expected = |activation| match activation {
                Activation::Relu => (z.max(0.0), f64::from(u8::from(z > 0.0))),
                Activation::Gelu => {
                    let phi = 0.5 * (1.0 + erf(z * std::f64::consts::FRAC_1_SQRT_2));
                    let density = (-0.5 * z * z).exp() / (2.0 * std::f64::consts::PI).sqrt();
                    (z * phi, phi + z * density)
                }
                Activation::Tanh => (z.tanh(), 1.0 - z.tanh().powi(2)),
            };
            for activation in [Activation::Relu, Activation::Gelu, Activation::Tanh] {
                let (mut cell, mut slope) = ([z as f32], [0.0]);
                activate(activation, &mut cell, &mut slope);
                let (value, derivative) = expected(activation);
                assert!(
                    (f64::from(cell[0]) - value).abs() < 1e-6,
                    "{activation:?} {z}: {} {value}",
                    cell[0]
                );
                assert!(
                    (f64::from(slope[0]) - derivative).abs() < 1e-6,
                    "{activation:?} {z}"
                );
            }
        }
    }
}
