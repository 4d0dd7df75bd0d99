//! A net written out layer by layer, as compression sees it: padding cut off, batch normalisation folded into the weights.

use serde::{Deserialize, Serialize};

use crate::models::mlp::{self, Activation, Mlp, Norm};

/// `activation(norm(x W + b))`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Dense {
    pub(crate) inputs: usize,
    pub(crate) units: usize,
    /// Input after input, `units` cells each.
    pub(crate) weights: Vec<f32>,
    pub(crate) bias: Vec<f32>,
    pub(crate) after: After,
}

/// What happens to a layer's sums.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct After {
    /// Layer normalisation's gain and shift per unit.
    pub(crate) norm: Option<(Vec<f32>, Vec<f32>)>,
    /// None for the last layer.
    pub(crate) activation: Option<Activation>,
}

impl After {
    /// Whether it is for a layer of so many units.
    pub(super) fn fits(&self, units: usize) -> bool {
        let norm = self.norm.as_ref();
        norm.is_none_or(|(gain, shift)| gain.len() == units && shift.len() == units)
    }

    /// Turns each row's sums into what the next layer reads.
    pub(super) fn apply(&self, cells: &mut [f32], units: usize) {
        if let Some((gain, shift)) = &self.norm {
            for row in cells.chunks_exact_mut(units) {
                normalise(row, gain, shift);
            }
        }
        if let Some(activation) = self.activation {
            activation.apply(cells);
        }
    }
}

/// Added to the variance, as in the net itself.
pub(crate) const NORM_EPSILON: f32 = 1e-5;

fn normalise(row: &mut [f32], gain: &[f32], shift: &[f32]) {
    let n = row.len() as f32;
    let mean = row.iter().sum::<f32>() / n;
    let variance = row.iter().map(|cell| (cell - mean) * (cell - mean)).sum::<f32>() / n;
    let factor = 1.0 / (variance + NORM_EPSILON).sqrt();
    for ((cell, gain), shift) in row.iter_mut().zip(gain).zip(shift) {
        *cell = (*cell - mean) * factor * gain + shift;
    }
}

impl Dense {
    /// The sums of each row before [`After`], rows x units.
    pub(super) fn sums(&self, x: &[f32]) -> Vec<f32> {
        let rows = x.len() / self.inputs.max(1);
        let mut out = self.bias.repeat(rows);
        for (x_row, out_row) in x
            .chunks_exact(self.inputs.max(1))
            .zip(out.chunks_exact_mut(self.units))
        {
            for (cell, weights) in x_row.iter().zip(self.weights.chunks_exact(self.units)) {
                out_row
                    .iter_mut()
                    .zip(weights)
                    .for_each(|(out, weight)| *out += cell * weight);
            }
        }
        out
    }

    /// The weights of one unit, one per input.
    pub(super) fn of_unit(&self, unit: usize) -> impl Iterator<Item = f32> + '_ {
        self.weights.iter().skip(unit).step_by(self.units).copied()
    }
}

/// The layers of a net, batch normalisation folded into weights and biases.
pub(super) fn layers_of(net: &Mlp) -> Vec<Dense> {
    net.layers().into_iter().map(folded).collect()
}

fn folded(layer: mlp::Dense) -> Dense {
    let mut own = Dense {
        inputs: layer.inputs,
        units: layer.outputs,
        weights: layer.weights,
        bias: layer.bias,
        after: After {
            norm: None,
            activation: layer.activation,
        },
    };
    match layer.norm {
        Some(norm) if norm.norm == Norm::Batch => {
            for unit in 0..own.units {
                let factor = norm.gain[unit] / (norm.variance[unit] + norm.epsilon).sqrt();
                own.weights
                    .iter_mut()
                    .skip(unit)
                    .step_by(own.units)
                    .for_each(|weight| *weight *= factor);
                own.bias[unit] = (own.bias[unit] - norm.mean[unit]) * factor + norm.shift[unit];
            }
        }
        Some(norm) => own.after.norm = Some((norm.gain, norm.shift)),
        None => {}
    }
    own
}

impl Dense {
    /// As the net itself writes a layer.
    pub(super) fn unfolded(self) -> mlp::Dense {
        let norm = self.after.norm.map(|(gain, shift)| mlp::Normalisation {
            norm: Norm::Layer,
            gain,
            shift,
            mean: Vec::new(),
            variance: Vec::new(),
            epsilon: NORM_EPSILON,
        });
        mlp::Dense {
            inputs: self.inputs,
            outputs: self.units,
            weights: self.weights,
            bias: self.bias,
            norm,
            activation: self.after.activation,
        }
    }
}
