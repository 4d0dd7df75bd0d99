//! The forward pass over a chunk of rows, and the buffers that both passes use.

use super::dropout::Dropout;
use super::layout::{Layout, Place};
use super::loss::Objective;
use super::norm::Affine;
use super::params::{Activation, Norm};
use super::{fused, simd};

/// Rows of a chunk: chunks are passed through the net beside each other.
pub(super) const CHUNK_ROWS: usize = 64;

/// The weights in use, with the panels of the wide layers.
#[derive(Clone, Copy)]
pub(super) struct Net<'a> {
    pub(super) layout: &'a Layout,
    pub(super) activation: Activation,
    pub(super) params: &'a [f32],
    pub(super) moving: &'a [f32],
    pub(super) packed: &'a Packed,
}

/// Wide layers' weights in panels, per layer; empty for the others.
#[derive(Debug, Clone, Default)]
pub(super) struct Packed {
    forward: Vec<Vec<f32>>,
    backward: Vec<Vec<f32>>,
}

impl Packed {
    /// Repacks after a change of the weights.
    pub(super) fn refresh(&mut self, layout: &Layout, params: &[f32]) {
        self.forward.resize(layout.hidden.len() + 1, Vec::new());
        self.backward.resize(layout.hidden.len() + 1, Vec::new());
        let panels = self.forward.iter_mut().zip(&mut self.backward);
        for ((layer, place), (forward, backward)) in layout.places().enumerate().zip(panels) {
            if !place.is_wide() {
                continue;
            }
            let weights = &params[place.weights..place.bias];
            forward.resize(fused::packed_len(place.k, place.n), 0.0);
            fused::pack(weights, place.n, forward);
            if layer > 0 || !layout.tables.is_empty() {
                backward.resize(fused::packed_len(place.n, place.k), 0.0);
                fused::pack_transposed(weights, place.n, backward);
            }
        }
    }
}

impl Place {
    pub(super) const fn is_wide(&self) -> bool {
        fused::is_wide(self.k, self.n)
    }

    pub(super) fn affine<'a>(&self, params: &'a [f32]) -> Affine<'a> {
        Affine {
            gain: &params[self.gain..self.gain + self.n],
            shift: &params[self.gain + self.n..self.gain + 2 * self.n],
            units: self.units,
        }
    }
}

impl<'a> Net<'a> {
    pub(super) fn place(&self, layer: usize) -> &'a Place {
        self.layout.hidden.get(layer).unwrap_or(&self.layout.output)
    }

    /// The sums of a layer.
    fn sums(&self, layer: usize, input: &[f32], out: &mut [f32]) {
        let place = self.place(layer);
        let weights = &self.params[place.weights..place.bias];
        let bias = &self.params[place.bias..place.bias + place.n];
        if place.n == 1 {
            simd::single(input, weights, bias[0], out);
        } else if place.is_wide() {
            simd::affine_fused(
                input,
                place.k,
                &self.packed.forward[layer],
                Some(bias),
                out,
                place.n,
            );
        } else {
            simd::affine(input, weights, bias, out);
        }
    }

    /// The gradient of a layer's input from that of its sums.
    pub(super) fn input_gradient(&self, layer: usize, delta: &[f32], out: &mut [f32]) {
        let place = self.place(layer);
        let weights = &self.params[place.weights..place.bias];
        if place.n == 1 {
            simd::single_input(delta, weights, out);
        } else if place.is_wide() && !self.packed.backward[layer].is_empty() {
            simd::affine_fused(delta, place.n, &self.packed.backward[layer], None, out, place.k);
        } else {
            simd::transposed(delta, weights, place.n, out);
        }
    }
}

/// What happens in a hidden layer, row after row.
#[derive(Debug, Clone, Default)]
pub(super) struct Hidden {
    /// What comes out, after activation and dropout.
    pub(super) value: Vec<f32>,
    /// The slope of that with respect to the (normalised) sums.
    pub(super) slope: Vec<f32>,
    /// The gradient with respect to the sums.
    pub(super) delta: Vec<f32>,
    /// Normalised layers: the sums before gain and shift, and the gradient after them.
    pub(super) hat: Vec<f32>,
    pub(super) shifted: Vec<f32>,
    /// Layer normalisation: one over the deviation, per row.
    inverse: Vec<f32>,
    /// Batch normalisation: the batch's statistics, per unit.
    pub(super) mean: Vec<f32>,
    pub(super) variance: Vec<f32>,
    /// `delta` in panels, for wide layers.
    pub(super) panels: Vec<f32>,
}

impl Hidden {
    fn new(place: &Place, rows: usize) -> Self {
        let cells = vec![0.0; rows * place.n];
        let only = |norm: bool, len: usize| vec![0.0; if norm { len } else { 0 }];
        let normed = place.norm != Norm::None;
        Self {
            hat: only(normed, cells.len()),
            shifted: only(normed, cells.len()),
            inverse: only(place.norm == Norm::Layer, rows),
            mean: only(place.norm == Norm::Batch, place.n),
            variance: only(place.norm == Norm::Batch, place.n),
            panels: only(place.is_wide(), fused::packed_len(rows, place.n)),
            value: cells.clone(),
            slope: cells.clone(),
            delta: cells,
        }
    }

    /// Normalisation of the sums in `value`.
    fn normalise(&mut self, net: &Net<'_>, place: &Place, rows: usize, training: bool) {
        let cells = rows * place.n;
        let (value, hat) = (&mut self.value[..cells], &mut self.hat[..]);
        match place.norm {
            Norm::None => {}
            Norm::Layer => {
                let affine = place.affine(net.params);
                affine.layer_forward(value, &mut hat[..cells], &mut self.inverse[..rows]);
            }
            Norm::Batch => {
                let affine = place.affine(net.params);
                if training {
                    affine.batch_forward(value, &mut hat[..cells], &mut self.mean, &mut self.variance);
                } else {
                    let (mean, variance) =
                        net.moving[place.moving..place.moving + 2 * place.n].split_at(place.n);
                    affine.batch_by(value, &mut hat[..cells], mean, variance);
                }
            }
        }
    }

    /// Turns the gradient of what comes out, in `delta`, into that of the sums.
    pub(super) fn backward(&mut self, net: &Net<'_>, place: &Place, rows: usize, training: bool) {
        let cells = rows * place.n;
        let delta = &mut self.delta[..cells];
        simd::multiply(delta, &self.slope[..cells]);
        if place.norm == Norm::None {
            return;
        }
        self.shifted[..cells].copy_from_slice(delta);
        let affine = place.affine(net.params);
        match place.norm {
            Norm::Layer => affine.layer_backward(delta, &self.hat[..cells], &self.inverse),
            _ if training => affine.batch_backward(delta, &self.hat[..cells], &self.variance),
            _ => affine.fixed_backward(
                delta,
                &net.moving[place.moving + place.n..place.moving + 2 * place.n],
            ),
        }
    }
}

/// A chunk of rows on its way through the net and back.
#[derive(Debug, Clone)]
pub(super) struct Pass {
    pub(super) rows: usize,
    /// Inputs, rows x width; targets and weights. Filled by the caller.
    pub(super) x: Vec<f32>,
    pub(super) y: Vec<f32>,
    pub(super) weight: Vec<f32>,
    /// Codes of the embedded categories, rows x tables.
    pub(super) codes: Vec<u32>,
    pub(super) hidden: Vec<Hidden>,
    /// The output layer's sums and their gradient, rows x its width.
    pub(super) sums: Vec<f32>,
    pub(super) delta: Vec<f32>,
    /// The output layer's gradient in panels, if it is wide.
    pub(super) panels: Vec<f32>,
    /// The gradient of the inputs, where asked for.
    pub(super) input_delta: Vec<f32>,
    pub(super) loss: f32,
    /// Weighted loss of each row, see [`Self::row_losses`].
    pub(super) losses: Vec<f32>,
}

impl Pass {
    pub(super) fn new(layout: &Layout, rows: usize) -> Self {
        let output = &layout.output;
        let panels = if output.is_wide() {
            fused::packed_len(rows, output.n)
        } else {
            0
        };
        Self {
            rows: 0,
            x: vec![0.0; rows * layout.width],
            y: vec![0.0; rows],
            weight: vec![0.0; rows],
            codes: vec![0; rows * layout.tables.len()],
            hidden: layout
                .hidden
                .iter()
                .map(|place| Hidden::new(place, rows))
                .collect(),
            sums: vec![0.0; rows * output.n],
            delta: vec![0.0; rows * output.n],
            panels: vec![0.0; panels],
            input_delta: Vec::new(),
            loss: 0.0,
            losses: vec![0.0; rows],
        }
    }

    /// The output's sums for the first `rows` rows of `x`; with `dropout` and the batch's own statistics as in training.
    pub(super) fn forward(&mut self, net: &Net<'_>, dropout: Option<&mut Dropout>, training: bool) {
        let rows = self.rows;
        let mut dropout = dropout;
        for layer in 0..self.hidden.len() {
            let place = net.place(layer);
            let (before, after) = self.hidden.split_at_mut(layer);
            let input = before.last().map_or(&self.x, |previous| &previous.value);
            let hidden = &mut after[0];
            let cells = rows * place.n;
            net.sums(layer, &input[..rows * place.k], &mut hidden.value[..cells]);
            hidden.normalise(net, place, rows, training);
            let (value, slope) = (&mut hidden.value[..cells], &mut hidden.slope[..cells]);
            simd::activate(net.activation, value, slope);
            if let Some(dropout) = dropout.as_deref_mut() {
                simd::drop_out(dropout, value, slope);
            }
        }
        let place = &net.layout.output;
        let input = self.hidden.last().map_or(&self.x, |last| &last.value);
        net.sums(
            self.hidden.len(),
            &input[..rows * place.k],
            &mut self.sums[..rows * place.n],
        );
    }

    /// Writes the weighted loss of each row to `losses`.
    pub(super) fn row_losses(&mut self, net: &Net<'_>, objective: &Objective) {
        let Place { n, units, .. } = net.layout.output;
        let examples = self
            .y
            .iter()
            .zip(&self.weight)
            .zip(&mut self.losses)
            .take(self.rows);
        let cells = self.sums.chunks_exact(n).zip(self.delta.chunks_exact_mut(n));
        for ((sums, slopes), ((y, weight), loss)) in cells.zip(examples) {
            *loss = weight * objective.row(&sums[..units], *y, &mut slopes[..units]);
        }
    }

    /// The input of a layer (the output layer's is the last), rows x its width.
    pub(super) fn input_of(&self, layer: usize, k: usize) -> &[f32] {
        let input = if layer == 0 {
            &self.x
        } else {
            &self.hidden[layer - 1].value
        };
        &input[..self.rows * k]
    }

    /// The gradient of a layer's sums, rows x its width.
    pub(super) fn delta_of(&self, layer: usize, n: usize) -> &[f32] {
        let delta = self.hidden.get(layer).map_or(&self.delta, |hidden| &hidden.delta);
        &delta[..self.rows * n]
    }
}
