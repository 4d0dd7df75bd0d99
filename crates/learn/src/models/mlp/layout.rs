//! The net's shape, and where each weight lies in the flat parameter vector.

use rand::{Rng, RngExt};
use serde::{Deserialize, Serialize};

use super::kernel::LANES;
use super::params::{Activation, Norm};
use crate::task::Task;

/// What the last layer gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Output {
    /// One logit, read through the sigmoid.
    #[default]
    Sigmoid,
    /// A logit per class, read through the softmax.
    Softmax,
    /// The value, in standard deviations of the training target from its mean.
    Linear,
}

impl Output {
    pub(super) const fn of(task: &Task) -> Self {
        match task {
            Task::Binary => Self::Sigmoid,
            Task::Class { .. } => Self::Softmax,
            Task::Value => Self::Linear,
        }
    }

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
    fn is_sigmoid(&self) -> bool {
        *self == Self::Sigmoid
    }
}

/// A category's learned vectors: one row per level, then one for unseen and one for missing cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct EmbeddingTable {
    /// Rows: levels of training and two more.
    pub rows: usize,
    /// Numbers per row.
    pub dims: usize,
}

/// Layer widths, activation, normalisation, output and embedding tables.
///
/// Hidden widths are rounded up to a multiple of [`LANES`], as is the number of outputs if there are several; the
/// added units start at 0 and stay there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Shape {
    /// Dense columns.
    pub(super) inputs: usize,
    pub(super) hidden: Vec<usize>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub(super) activation: Activation,
    /// One per hidden layer, or empty for none.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(super) norms: Vec<Norm>,
    #[serde(default, skip_serializing_if = "Output::is_sigmoid")]
    pub(super) output: Output,
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub(super) outputs: usize,
    #[serde(default, skip_serializing_if = "is_default")]
    pub(super) tables: Vec<EmbeddingTable>,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

const fn one() -> usize {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
const fn is_one(number: &usize) -> bool {
    *number == 1
}

/// One layer's place in the parameter vector: weights input after input, each with `n` cells, then biases, gains, shifts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    /// Width of what it reads.
    pub(super) k: usize,
    /// Width of what it gives.
    pub(super) n: usize,
    /// Inputs and units that are not padding.
    pub(super) inputs: usize,
    pub(super) units: usize,
    pub(super) weights: usize,
    pub(super) bias: usize,
    pub(super) norm: Norm,
    /// First gain; the shifts follow.
    pub(super) gain: usize,
    /// First moving mean of a batch-normalised layer among the moving statistics; the variances follow.
    pub(super) moving: usize,
}

/// An embedding table's place: its first parameter, and the first column of its vector in the input.
#[derive(Debug, Clone, Copy)]
pub(super) struct TablePlace {
    pub(super) start: usize,
    pub(super) dims: usize,
    pub(super) column: usize,
}

impl TablePlace {
    /// The parameters of a code's vector.
    pub(super) const fn row(&self, code: u32) -> std::ops::Range<usize> {
        let start = self.start + code as usize * self.dims;
        start..start + self.dims
    }
}

/// Where everything lies.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    pub(super) hidden: Vec<Place>,
    pub(super) output: Place,
    pub(super) tables: Vec<TablePlace>,
    /// Width of the input: dense columns, then the embedded ones.
    pub(super) width: usize,
    pub(super) n_params: usize,
    pub(super) n_moving: usize,
}

impl Layout {
    pub(super) fn new(shape: &Shape) -> Self {
        let width = shape.inputs + shape.tables.iter().map(|table| table.dims).sum::<usize>();
        let (mut k, mut inputs, mut start, mut moving) = (width, width, 0, 0);
        let mut place = |units: usize, n: usize, norm: Norm| {
            let bias = start + k * n;
            let place = Place {
                k,
                n,
                inputs,
                units,
                weights: start,
                bias,
                norm,
                gain: bias + n,
                moving,
            };
            start = bias + n + if norm == Norm::None { 0 } else { 2 * n };
            moving += if norm == Norm::Batch { 2 * n } else { 0 };
            (k, inputs) = (n, units);
            place
        };
        let hidden = (shape.hidden.iter().enumerate())
            .map(|(layer, units)| {
                let norm = shape.norms.get(layer).copied().unwrap_or_default();
                place(*units, units.next_multiple_of(LANES), norm)
            })
            .collect();
        let n = if shape.outputs == 1 {
            1
        } else {
            shape.outputs.next_multiple_of(LANES)
        };
        let output = place(shape.outputs, n, Norm::None);
        let mut tables = Vec::with_capacity(shape.tables.len());
        let mut column = shape.inputs;
        for table in &shape.tables {
            tables.push(TablePlace {
                start,
                dims: table.dims,
                column,
            });
            start += table.rows * table.dims;
            column += table.dims;
        }
        Self {
            hidden,
            output,
            tables,
            width,
            n_params: start,
            n_moving: moving,
        }
    }

    /// All layers, first to last.
    pub(super) fn places(&self) -> impl Iterator<Item = &Place> {
        self.hidden.iter().chain(std::iter::once(&self.output))
    }

    pub(super) fn has_batch_norm(&self) -> bool {
        self.n_moving > 0
    }

    /// The parameters that L2 and decoupled decay hold down: weights and embedding tables.
    pub(super) fn decayed(&self) -> Vec<std::ops::Range<usize>> {
        let tables = self.tables.first().map(|table| table.start..self.n_params);
        self.places()
            .map(|place| place.weights..place.bias)
            .chain(tables)
            .collect()
    }

    /// Glorot-uniform weights over the real (not the padded) units, biases 0, gains 1, shifts 0, embeddings uniform in
    /// +-0.05.
    pub(super) fn initial(&self, rng: &mut impl Rng) -> Vec<f32> {
        let mut params = vec![0.0; self.n_params];
        for place in self.places() {
            let reach = glorot(place.inputs, place.units);
            for i in 0..place.inputs {
                let start = place.weights + i * place.n;
                params[start..start + place.units].fill_with(|| rng.random_range(-reach..reach));
            }
            if place.norm != Norm::None {
                params[place.gain..place.gain + place.units].fill(1.0);
            }
        }
        if let Some(table) = self.tables.first() {
            params[table.start..].fill_with(|| rng.random_range(-0.05..0.05));
        }
        params
    }

    /// Moving means 0 and variances 1 of the batch-normalised layers.
    pub(super) fn initial_moving(&self) -> Vec<f32> {
        let mut moving = vec![0.0; self.n_moving];
        for place in self.hidden.iter().filter(|place| place.norm == Norm::Batch) {
            moving[place.moving + place.n..place.moving + 2 * place.n].fill(1.0);
        }
        moving
    }
}

fn glorot(inputs: usize, outputs: usize) -> f32 {
    (6.0 / (inputs + outputs) as f32).sqrt()
}
