//! The backward pass over a chunk of rows: gradients of the sums, then of the weights.

use super::layout::Place;
use super::loss::Objective;
use super::params::Norm;
use super::pass::{Net, Pass};
use super::{fused, simd};

impl Pass {
    /// The gradient of every layer's sums, each row's times its weight and `per_row`; the chunk's weighted loss goes
    /// into `loss`. Needs [`Self::forward`] before.
    pub(super) fn backpropagate(&mut self, net: &Net<'_>, objective: &Objective, per_row: f32) {
        self.loss = 0.0;
        let Place { n, units, .. } = net.layout.output;
        let examples = self.y.iter().zip(&self.weight).take(self.rows);
        let cells = self.sums.chunks_exact(n).zip(self.delta.chunks_exact_mut(n));
        for ((sums, delta), (y, weight)) in cells.zip(examples) {
            let delta = &mut delta[..units];
            let loss = objective.row(&sums[..units], *y, delta);
            delta
                .iter_mut()
                .for_each(|slope| *slope = *slope * weight * per_row);
            self.loss += weight * loss;
        }
        self.chain(net, true);
        self.fill_panels(net);
    }

    /// From the gradient of the output's sums, in `delta`, to that of every layer's sums; to that of the inputs if
    /// `input_delta` has room for it.
    pub(super) fn chain(&mut self, net: &Net<'_>, training: bool) {
        let rows = self.rows;
        for layer in (0..self.hidden.len()).rev() {
            let (own, later) = self.hidden.split_at_mut(layer + 1);
            let next = net.place(layer + 1);
            let delta = later.first().map_or(&self.delta, |hidden| &hidden.delta);
            let hidden = &mut own[layer];
            net.input_gradient(
                layer + 1,
                &delta[..rows * next.n],
                &mut hidden.delta[..rows * next.k],
            );
            hidden.backward(net, net.place(layer), rows, training);
        }
        if !self.input_delta.is_empty() {
            let first = net.place(0);
            let delta = self.hidden.first().map_or(&self.delta, |hidden| &hidden.delta);
            net.input_gradient(
                0,
                &delta[..rows * first.n],
                &mut self.input_delta[..rows * first.k],
            );
        }
    }

    /// Lays out the gradients of the sums for the wide products; to be repeated after a change of them.
    pub(super) fn fill_panels(&mut self, net: &Net<'_>) {
        let rows = self.rows;
        let fill = |place: &Place, delta: &[f32], panels: &mut [f32]| {
            if place.is_wide() {
                let len = fused::packed_len(rows, place.n);
                fused::pack(&delta[..rows * place.n], place.n, &mut panels[..len]);
            }
        };
        for (place, hidden) in net.layout.hidden.iter().zip(&mut self.hidden) {
            fill(place, &hidden.delta, &mut hidden.panels);
        }
        fill(&net.layout.output, &self.delta, &mut self.panels);
    }

    /// Adds the gradient of a layer's weights from the given input on; `out` holds whole inputs of `n` cells.
    pub(super) fn add_weights(&self, layer: usize, place: &Place, first: usize, out: &mut [f32]) {
        let input = self.input_of(layer, place.k);
        if place.is_wide() {
            let panels = self
                .hidden
                .get(layer)
                .map_or(&self.panels, |hidden| &hidden.panels);
            let len = fused::packed_len(self.rows, place.n);
            simd::outer_fused(input, place.k, first, &panels[..len], out, place.n);
        } else {
            simd::outer(input, place.k, self.delta_of(layer, place.n), place.n, out);
        }
    }

    /// Adds the chunk's gradient, except that of the weights of wide layers.
    pub(super) fn add_narrow(&self, net: &Net<'_>, gradient: &mut [f32]) {
        for (layer, place) in net.layout.places().enumerate() {
            let delta = self.delta_of(layer, place.n);
            if place.n == 1 {
                let (weights, bias) = gradient[place.weights..=place.bias].split_at_mut(place.k);
                simd::single_gradient(self.input_of(layer, place.k), delta, weights, &mut bias[0]);
                continue;
            }
            if !place.is_wide() {
                self.add_weights(layer, place, 0, &mut gradient[place.weights..place.bias]);
            }
            simd::column_sums(delta, &mut gradient[place.bias..place.bias + place.n]);
            if place.norm != Norm::None {
                let hidden = &self.hidden[layer];
                let (gain, shift) = gradient[place.gain..place.gain + 2 * place.n].split_at_mut(place.n);
                let cells = self.rows * place.n;
                let rows = hidden.shifted[..cells].chunks_exact(place.n);
                for (delta, hat) in rows.zip(hidden.hat.chunks_exact(place.n)) {
                    for unit in 0..place.n {
                        gain[unit] += delta[unit] * hat[unit];
                        shift[unit] += delta[unit];
                    }
                }
            }
        }
        self.add_embeddings(net, gradient);
    }

    fn add_embeddings(&self, net: &Net<'_>, gradient: &mut [f32]) {
        let n_tables = net.layout.tables.len();
        if n_tables == 0 {
            return;
        }
        let width = net.layout.width;
        let rows = self
            .codes
            .chunks_exact(n_tables)
            .zip(self.input_delta.chunks_exact(width));
        for (codes, delta) in rows.take(self.rows) {
            for (table, code) in net.layout.tables.iter().zip(codes) {
                let cells = table.row(*code);
                let gradient = &mut gradient[cells];
                let delta = &delta[table.column..table.column + table.dims];
                gradient
                    .iter_mut()
                    .zip(delta)
                    .for_each(|(sum, cell)| *sum += cell);
            }
        }
    }
}
