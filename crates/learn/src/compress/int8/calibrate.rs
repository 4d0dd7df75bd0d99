//! From a net to its 8-bit form: ranges that lose least, found on rows of training.

use super::net::{Int8Net, Quantized};
use crate::compress::layers::Dense;

/// Cells of a layer's input that are looked at to choose its range.
const CALIBRATION_CELLS: usize = 200_000;
/// Shares of the full range that are tried; what lies outside is cut off.
const SHARES: [f32; 14] = [
    1.0, 0.95, 0.9, 0.85, 0.8, 0.75, 0.7, 0.65, 0.6, 0.55, 0.5, 0.4, 0.3, 0.2,
];

/// Rounds a net to 8 bits. `x` holds rows of training (rows x inputs), at least one.
///
/// Weights are symmetric around 0 with a scale per output channel; activations have one range per layer, calibrated on
/// `x` as it flows through the layers rounded so far. Both ranges are those with the least squared error. Each bias then takes up
/// the mean error that rounding leaves in its channel (Nagel et al. 2019, arXiv 1906.04721, section 4.2).
pub(crate) fn quantize(layers: &[Dense], x: &[f32]) -> Int8Net {
    let mut exact = x.to_vec();
    let mut rounded = x.to_vec();
    let mut quantized = Vec::with_capacity(layers.len());
    for layer in layers {
        let mut own = round_layer(layer, &rounded);
        let sums = layer.sums(&exact);
        let mut rounded_sums = own.simulated(&rounded);
        own.absorb_bias(&sums, &mut rounded_sums);
        exact = sums;
        layer.after.apply(&mut exact, layer.units);
        rounded = rounded_sums;
        layer.after.apply(&mut rounded, layer.units);
        quantized.push(own);
    }
    Int8Net::new(quantized)
}

fn round_layer(layer: &Dense, x: &[f32]) -> Quantized {
    let (step, zero) = activation_range(x);
    let scales: Vec<f32> = (0..layer.units)
        .map(|unit| weight_scale(&layer.of_unit(unit).collect::<Vec<_>>()))
        .collect();
    let each = layer.weights.iter().zip(scales.iter().cycle());
    Quantized {
        inputs: layer.inputs,
        units: layer.units,
        step,
        zero,
        weights: each
            .map(|(weight, scale)| round_weight(*weight, *scale))
            .collect(),
        scales,
        bias: layer.bias.clone(),
        after: layer.after.clone(),
    }
}

fn round_weight(weight: f32, scale: f32) -> i8 {
    (weight / scale).round_ties_even().clamp(-127.0, 127.0) as i8
}

/// The scale of a channel's weights with the least squared error, cut to two bytes.
fn weight_scale(weights: &[f32]) -> f32 {
    let largest = weights
        .iter()
        .fold(0.0_f32, |largest, weight| largest.max(weight.abs()));
    if largest == 0.0 {
        return 1.0;
    }
    let error = |scale: f32| -> f32 {
        let off = |weight: &f32| weight - f32::from(round_weight(*weight, scale)) * scale;
        weights.iter().map(|weight| off(weight).powi(2)).sum()
    };
    best(
        SHARES.iter().map(|share| upper_half(share * largest / 127.0)),
        error,
    )
}

/// The next number up whose last 16 bits are 0.
fn upper_half(number: f32) -> f32 {
    f32::from_bits(number.to_bits().saturating_add(0xffff) & 0xffff_0000)
}

/// Step and zero point of a layer's inputs.
fn activation_range(x: &[f32]) -> (f32, u8) {
    let every = x.len().div_ceil(CALIBRATION_CELLS).max(1);
    // an odd stride visits every column
    let cells: Vec<f32> = x.iter().step_by(every | 1).copied().collect();
    let (low, high) = x.iter().fold((0.0_f32, 0.0_f32), |(low, high), cell| {
        (low.min(*cell), high.max(*cell))
    });
    if high - low <= 0.0 {
        return (1.0, 0);
    }
    let of_share = |share: f32| {
        let step = (high - low) * share / 255.0;
        (step, (-low * share / step).round().clamp(0.0, 255.0) as u8)
    };
    let error = |share: f32| -> f32 {
        let (step, zero) = of_share(share);
        let zero = f32::from(zero);
        let off =
            |cell: &f32| cell - ((cell / step + zero).round_ties_even().clamp(0.0, 255.0) - zero) * step;
        cells.iter().map(|cell| off(cell).powi(2)).sum()
    };
    of_share(best(SHARES.into_iter(), error))
}

/// The candidate with the least error; the earlier one on a tie.
fn best(candidates: impl Iterator<Item = f32>, error: impl Fn(f32) -> f32) -> f32 {
    let scored = candidates.map(|candidate| (candidate, error(candidate)));
    scored
        .reduce(|best, next| if next.1 < best.1 { next } else { best })
        .map_or(1.0, |(candidate, _)| candidate)
}

impl Quantized {
    /// The sums that the rounded layer makes of `x`, rows x units, in plain arithmetic.
    fn simulated(&self, x: &[f32]) -> Vec<f32> {
        let zero = f32::from(self.zero);
        let round =
            |cell: &f32| ((cell / self.step + zero).round_ties_even().clamp(0.0, 255.0) - zero) * self.step;
        let cells: Vec<f32> = if self.rounds_inputs() {
            x.iter().map(round).collect()
        } else {
            x.to_vec()
        };
        self.plain().sums(&cells)
    }

    /// Moves each bias by the mean difference of its channel, and the sums with it.
    fn absorb_bias(&mut self, exact: &[f32], rounded: &mut [f32]) {
        let rows = (exact.len() / self.units).max(1) as f64;
        let mut shift = vec![0.0_f64; self.units];
        for (exact, rounded) in exact
            .chunks_exact(self.units)
            .zip(rounded.chunks_exact(self.units))
        {
            for ((shift, exact), rounded) in shift.iter_mut().zip(exact).zip(rounded) {
                *shift += f64::from(*exact) - f64::from(*rounded);
            }
        }
        let shift: Vec<f32> = shift.iter().map(|sum| (sum / rows) as f32).collect();
        self.bias
            .iter_mut()
            .zip(&shift)
            .for_each(|(bias, shift)| *bias += shift);
        for row in rounded.chunks_exact_mut(self.units) {
            row.iter_mut()
                .zip(&shift)
                .for_each(|(cell, shift)| *cell += shift);
        }
    }
}
