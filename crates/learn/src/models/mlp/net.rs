//! The net's shape, its forward and its backward pass over a batch.

use rand::{Rng, RngExt};
use serde::{Deserialize, Serialize};

use super::kernel::{LANES, dot};
use super::params::Loss;
use super::simd;

/// Layer widths and where each layer's weights lie in the flat parameter vector.
///
/// Hidden widths are rounded up to a multiple of [`LANES`]; the added units start at 0 and stay there. A layer's
/// parameters are its weights (input after input) and its biases; the output unit's come last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Shape {
    inputs: usize,
    hidden: Vec<usize>,
}

/// One hidden layer's place: inputs k, units n, first weight, first bias.
#[derive(Debug, Clone, Copy)]
struct Place {
    k: usize,
    n: usize,
    weights: usize,
    bias: usize,
}

impl Shape {
    pub(super) fn new(inputs: usize, hidden: &[usize]) -> Self {
        Self {
            inputs,
            hidden: hidden.to_vec(),
        }
    }

    pub(super) const fn inputs(&self) -> usize {
        self.inputs
    }

    fn places(&self) -> Vec<Place> {
        let mut places = Vec::with_capacity(self.hidden.len());
        let (mut k, mut start) = (self.inputs, 0);
        for units in &self.hidden {
            let n = units.next_multiple_of(LANES);
            places.push(Place {
                k,
                n,
                weights: start,
                bias: start + k * n,
            });
            start += k * n + n;
            k = n;
        }
        places
    }

    /// First weight of the output unit and the width of what it reads; its bias is the last parameter.
    fn output(&self) -> (usize, usize) {
        self.places()
            .last()
            .map_or((0, self.inputs), |last| (last.bias + last.n, last.n))
    }

    pub(super) fn n_params(&self) -> usize {
        let (start, width) = self.output();
        start + width + 1
    }

    /// Glorot-uniform weights over the real (not the padded) units, biases 0.
    pub(super) fn initial(&self, rng: &mut impl Rng) -> Vec<f32> {
        let mut params = vec![0.0; self.n_params()];
        let mut real_inputs = self.inputs;
        for (place, units) in self.places().iter().zip(&self.hidden) {
            let reach = glorot(real_inputs, *units);
            for i in 0..real_inputs {
                let start = place.weights + i * place.n;
                params[start..start + units].fill_with(|| rng.random_range(-reach..reach));
            }
            real_inputs = *units;
        }
        let reach = glorot(real_inputs, 1);
        let (start, _) = self.output();
        params[start..start + real_inputs].fill_with(|| rng.random_range(-reach..reach));
        params
    }
}

fn glorot(inputs: usize, outputs: usize) -> f32 {
    (6.0 / (inputs + outputs) as f32).sqrt()
}

/// Which hidden units are switched off: each row and unit independently with probability `dropout`.
///
/// Eight xorshift generators side by side (Marsaglia 2003, doi:10.18637/jss.v008.i14), so that the compiler
/// vectorises them; the upper sixteen bits decide, so probabilities are multiples of 2^-16. Those kept are scaled
/// up by the exact share kept.
pub(super) struct Dropout {
    state: [u32; LANES],
    keep_below: i32,
    scale: f32,
}

impl Dropout {
    pub(super) fn new(dropout: f64, rng: &mut impl Rng) -> Self {
        let keep_below = ((1.0 - dropout) * 65_536.0).round().max(1.0) as i32;
        // a xorshift state must not be 0
        let state = std::array::from_fn(|_| rng.next_u32() | 1);
        Self {
            state,
            keep_below,
            scale: 65_536.0 / keep_below as f32,
        }
    }

    /// Multiplies activations by 0 or the scale, and `gate` (the derivative of ReLU) with them.
    fn apply(&mut self, activations: &mut [f32], gate: &mut [f32]) {
        if self.keep_below == 65_536 {
            return;
        }
        let mut state = self.state;
        let (scale, keep_below) = (self.scale.to_bits(), self.keep_below);
        let (cells, _) = activations.as_chunks_mut::<LANES>();
        let (gates, _) = gate.as_chunks_mut::<LANES>();
        for (cells, gates) in cells.iter_mut().zip(gates) {
            state = state
                .map(|bits| bits ^ (bits << 13))
                .map(|bits| bits ^ (bits >> 17))
                .map(|bits| bits ^ (bits << 5));
            // the sign of the difference as a mask: a branch on random bits would be mispredicted half of the time
            let factors = state.map(|bits| {
                let mask = (((bits >> 16).cast_signed() - keep_below) >> 31).cast_unsigned();
                f32::from_bits(scale & mask)
            });
            for lane in 0..LANES {
                cells[lane] *= factors[lane];
                gates[lane] *= factors[lane];
            }
        }
        self.state = state;
    }
}

/// A batch's examples: rows of inputs, targets 0 or 1, weights.
pub(super) struct Batch<'a> {
    pub(super) x: &'a [f32],
    pub(super) y: &'a [f32],
    pub(super) weight: &'a [f32],
}

/// Buffers for the passes over one batch, made once per training.
pub(super) struct Passes {
    places: Vec<Place>,
    output: (usize, usize),
    /// Per hidden layer: what comes out (after ReLU and dropout), the derivative gate, the gradient.
    activations: Vec<Vec<f32>>,
    gates: Vec<Vec<f32>>,
    deltas: Vec<Vec<f32>>,
    logits: Vec<f32>,
    output_delta: Vec<f32>,
}

impl Passes {
    pub(super) fn new(shape: &Shape, max_rows: usize) -> Self {
        let places = shape.places();
        let buffers = || places.iter().map(|place| vec![0.0; place.n * max_rows]).collect();
        Self {
            output: shape.output(),
            activations: buffers(),
            gates: buffers(),
            deltas: buffers(),
            places,
            logits: vec![0.0; max_rows],
            output_delta: vec![0.0; max_rows],
        }
    }

    /// The logits of the rows in `x`; with `dropout` as in training.
    pub(super) fn forward(
        &mut self,
        params: &[f32],
        x: &[f32],
        rows: usize,
        dropout: Option<&mut Dropout>,
    ) -> &[f32] {
        let mut dropout = dropout;
        for layer in 0..self.places.len() {
            let Place { n, weights, bias, .. } = self.places[layer];
            let (before, after) = self.activations.split_at_mut(layer);
            let input = before
                .last()
                .map_or(x, |previous| &previous[..rows * self.places[layer].k]);
            let out = &mut after[0][..rows * n];
            simd::affine(input, &params[weights..bias], &params[bias..bias + n], out);
            let gate = &mut self.gates[layer][..rows * n];
            for (cell, gate) in out.iter_mut().zip(gate.iter_mut()) {
                *gate = f32::from(u8::from(*cell > 0.0));
                *cell = cell.max(0.0);
            }
            if let Some(dropout) = dropout.as_deref_mut() {
                dropout.apply(out, gate);
            }
        }
        let (start, width) = self.output;
        let (weights, bias) = (&params[start..start + width], params[start + width]);
        let input = self.activations.last().map_or(x, Vec::as_slice);
        for (logit, row) in self.logits[..rows].iter_mut().zip(input.chunks_exact(width)) {
            *logit = bias + dot(row, weights);
        }
        &self.logits[..rows]
    }

    /// The sum of the batch's weighted losses, and into `gradient` its gradient divided by the number of rows.
    /// Needs [`Self::forward`] on the same batch before.
    pub(super) fn backward(
        &mut self,
        params: &[f32],
        batch: &Batch<'_>,
        loss: Loss,
        gradient: &mut [f32],
    ) -> f32 {
        let rows = batch.y.len();
        let total = self.output_gradient(batch, loss);
        let (start, width) = self.output;
        let input = self.activations.last().map_or(batch.x, Vec::as_slice);
        let (out_gradient, out_weights) = (
            &mut gradient[start..=start + width],
            &params[start..start + width],
        );
        out_gradient.fill(0.0);
        for (delta, row) in self.output_delta[..rows].iter().zip(input.chunks_exact(width)) {
            for (sum, cell) in out_gradient.iter_mut().zip(row) {
                *sum += delta * cell;
            }
            out_gradient[width] += delta;
        }
        if let (Some(deltas), Some(gates)) = (self.deltas.last_mut(), self.gates.last()) {
            let cells = deltas.chunks_exact_mut(width).zip(gates.chunks_exact(width));
            for ((row, gate), delta) in cells.zip(&self.output_delta[..rows]) {
                for ((cell, gate), weight) in row.iter_mut().zip(gate).zip(out_weights) {
                    *cell = delta * weight * gate;
                }
            }
        }
        for layer in (0..self.places.len()).rev() {
            self.layer_gradient(params, batch, layer, gradient);
        }
        total
    }

    /// d loss / d logit per row, divided by the number of rows; gives the summed loss.
    fn output_gradient(&mut self, batch: &Batch<'_>, loss: Loss) -> f32 {
        let per_row = 1.0 / batch.y.len() as f32;
        let mut total = 0.0;
        let examples = self.logits.iter().zip(batch.y.iter().zip(batch.weight));
        for (delta, (logit, (y, weight))) in self.output_delta.iter_mut().zip(examples) {
            let p = sigmoid(*logit);
            let slope = match loss {
                Loss::CrossEntropy => p - y,
                Loss::Mse => (p - y) * p * (1.0 - p),
            };
            *delta = slope * weight * per_row;
            total += weight * row_loss(*logit, *y, loss);
        }
        total
    }

    fn layer_gradient(&mut self, params: &[f32], batch: &Batch<'_>, layer: usize, gradient: &mut [f32]) {
        let rows = batch.y.len();
        let Place { k, n, weights, bias } = self.places[layer];
        let (earlier, later) = self.deltas.split_at_mut(layer);
        let delta = &later[0][..rows * n];
        let input = if layer == 0 {
            batch.x
        } else {
            &self.activations[layer - 1][..rows * k]
        };
        simd::outer(input, k, delta, n, &mut gradient[weights..bias]);
        let bias_gradient = &mut gradient[bias..bias + n];
        bias_gradient.fill(0.0);
        for row in delta.chunks_exact(n) {
            for (sum, cell) in bias_gradient.iter_mut().zip(row) {
                *sum += cell;
            }
        }
        if let Some(previous) = earlier.last_mut() {
            let previous = &mut previous[..rows * k];
            simd::transposed(delta, &params[weights..bias], n, previous);
            for (cell, gate) in previous.iter_mut().zip(&self.gates[layer - 1]) {
                *cell *= gate;
            }
        }
    }

    /// The gradient of each row's logit with respect to its inputs, rows x inputs.
    /// Needs [`Self::forward`] without dropout on the same rows before.
    pub(super) fn input_gradient(&mut self, params: &[f32], inputs: usize, rows: usize) -> Vec<f32> {
        let (start, width) = self.output;
        let out_weights = &params[start..start + width];
        let Some(last) = self.deltas.last_mut() else {
            return out_weights.repeat(rows);
        };
        if let Some(gates) = self.gates.last() {
            for (cells, gates) in last
                .chunks_exact_mut(width)
                .zip(gates.chunks_exact(width))
                .take(rows)
            {
                for ((cell, gate), weight) in cells.iter_mut().zip(gates).zip(out_weights) {
                    *cell = gate * weight;
                }
            }
        }
        for layer in (1..self.places.len()).rev() {
            let Place { k, n, weights, bias } = self.places[layer];
            let (earlier, later) = self.deltas.split_at_mut(layer);
            let previous = &mut earlier[layer - 1][..rows * k];
            simd::transposed(&later[0][..rows * n], &params[weights..bias], n, previous);
            for (cell, gate) in previous.iter_mut().zip(&self.gates[layer - 1]) {
                *cell *= gate;
            }
        }
        let mut gradient = vec![0.0; rows * inputs];
        let first = self.places[0];
        simd::transposed(
            &self.deltas[0][..rows * first.n],
            &params[first.weights..first.bias],
            first.n,
            &mut gradient,
        );
        gradient
    }
}

pub(super) fn sigmoid(logit: f32) -> f32 {
    1.0 / (1.0 + (-logit).exp())
}

/// The loss of one row, stable for large logits.
pub(super) fn row_loss(logit: f32, y: f32, loss: Loss) -> f32 {
    match loss {
        Loss::CrossEntropy => logit.max(0.0) - logit * y + (-logit.abs()).exp().ln_1p(),
        Loss::Mse => {
            let error = sigmoid(logit) - y;
            0.5 * error * error
        }
    }
}
