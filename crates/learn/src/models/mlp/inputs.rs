//! What the net reads: dense columns and the codes of embedded categories; and the rows that it trains on.

use super::layout::{Layout, TablePlace};
use super::params::{ClassWeights, MlpParams};
use super::pass::Pass;
use crate::prepare::DenseMatrix;
use crate::task::{Examples, Task};

/// Rows of inputs: dense columns, and the codes of embedded categories.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Inputs<'a> {
    pub(crate) dense: &'a DenseMatrix,
    /// Rows x tables: a level of training, `levels` for an unseen one, `levels + 1` for a missing cell.
    pub(crate) codes: &'a [u32],
    /// Levels of training of each embedded category.
    pub(crate) levels: &'a [usize],
}

impl<'a> From<&'a DenseMatrix> for Inputs<'a> {
    fn from(dense: &'a DenseMatrix) -> Self {
        Self {
            dense,
            codes: &[],
            levels: &[],
        }
    }
}

impl Inputs<'_> {
    fn codes_of(&self, row: usize) -> &[u32] {
        &self.codes[row * self.levels.len()..(row + 1) * self.levels.len()]
    }

    /// Writes a row's inputs, embedded vectors included, to `out` (the layout's width).
    pub(super) fn write(&self, row: usize, tables: &[TablePlace], params: &[f32], out: &mut [f32]) {
        out[..self.dense.n_columns].copy_from_slice(self.dense.row(row));
        for (table, code) in tables.iter().zip(self.codes_of(row)) {
            out[table.column..table.column + table.dims].copy_from_slice(&params[table.row(*code)]);
        }
    }
}

/// What standardises the values of a number target.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct TargetScale {
    /// The training rows' weighted mean.
    pub mean: f64,
    /// The training rows' weighted standard deviation; 1 where it would be 0.
    pub deviation: f64,
}

impl TargetScale {
    fn fit(examples: &Examples, rows: &[usize]) -> Self {
        let total: f64 = rows.iter().map(|row| examples.weight[*row]).sum();
        let moment = |of: &dyn Fn(f64) -> f64| {
            let sum = rows
                .iter()
                .map(|row| examples.weight[*row] * of(examples.target[*row]));
            sum.sum::<f64>() / total
        };
        let mean = moment(&|y| y);
        let deviation = moment(&|y| (y - mean) * (y - mean)).sqrt();
        Self {
            mean,
            deviation: if deviation > 0.0 { deviation } else { 1.0 },
        }
    }
}

/// The training rows' scale of a number target; `None` for classes.
pub(super) fn target_scale(examples: &Examples, rows: &[usize]) -> Option<TargetScale> {
    (examples.task == Task::Value).then(|| TargetScale::fit(examples, rows))
}

/// Some of the rows; weights are scaled to mean 1.
pub(super) struct Part<'a> {
    inputs: Inputs<'a>,
    /// A copy of the rows' dense columns, so that they lie side by side.
    x: DenseMatrix,
    rows: Vec<usize>,
    y: Vec<f32>,
    weight: Vec<f32>,
}

impl<'a> Part<'a> {
    pub(super) fn new(
        inputs: Inputs<'a>,
        examples: &Examples,
        rows: &[usize],
        weights: &[f64],
        scale: Option<TargetScale>,
    ) -> Self {
        let total: f64 = rows.iter().map(|row| weights[*row]).sum();
        let factor = rows.len() as f64 / total;
        let y = |row: &usize| {
            let target = examples.target[*row];
            scale.map_or(target, |scale| (target - scale.mean) / scale.deviation) as f32
        };
        Self {
            x: inputs.dense.take(rows),
            y: rows.iter().map(y).collect(),
            weight: rows.iter().map(|row| (weights[*row] * factor) as f32).collect(),
            rows: rows.to_vec(),
            inputs,
        }
    }

    /// The rows' dense columns.
    pub(super) const fn dense(&self) -> &DenseMatrix {
        &self.x
    }

    pub(super) fn weight(&self) -> &[f32] {
        &self.weight
    }

    pub(super) const fn len(&self) -> usize {
        self.y.len()
    }

    /// The same with the weights as they are: scaled by their mean each would depend on every row.
    pub(super) fn unscaled(mut self, weights: &[f64]) -> Self {
        self.weight = self.rows.iter().map(|row| weights[*row] as f32).collect();
        self
    }

    /// Loads rows of the part, counted within it, into a pass.
    pub(super) fn load(
        &self,
        rows: impl ExactSizeIterator<Item = usize>,
        layout: &Layout,
        params: &[f32],
        pass: &mut Pass,
    ) {
        pass.rows = rows.len();
        let (width, n_tables) = (layout.width, layout.tables.len());
        for (position, row) in rows.enumerate() {
            let out = &mut pass.x[position * width..(position + 1) * width];
            out[..self.x.n_columns].copy_from_slice(self.x.row(row));
            if n_tables > 0 {
                let codes = self.inputs.codes_of(self.rows[row]);
                for (table, code) in layout.tables.iter().zip(codes) {
                    out[table.column..table.column + table.dims].copy_from_slice(&params[table.row(*code)]);
                }
                pass.codes[position * n_tables..(position + 1) * n_tables].copy_from_slice(codes);
            }
            pass.y[position] = self.y[row];
            pass.weight[position] = self.weight[row];
        }
    }

    /// How many of the part's rows have each code of an embedded category.
    pub(super) fn code_counts(&self, table: usize, rows: usize) -> Vec<usize> {
        let mut counts = vec![0; rows];
        for row in &self.rows {
            counts[self.inputs.codes_of(*row)[table] as usize] += 1;
        }
        counts
    }
}

/// The examples' weights times those of their classes.
pub(super) fn class_weighted(examples: &Examples, params: &MlpParams) -> Vec<f64> {
    let class = |row: usize| examples.target[row] as usize;
    let of_class: Vec<f64> = match &params.class_weights {
        ClassWeights::None => return examples.weight.clone(),
        ClassWeights::Given(weights) => weights.clone(),
        ClassWeights::Balanced => {
            let mut totals = vec![0.0; examples.task.n_outputs().max(2)];
            for (row, weight) in examples.weight.iter().enumerate() {
                totals[class(row)] += weight;
            }
            totals
                .iter()
                .map(|total| if *total > 0.0 { 1.0 / total } else { 0.0 })
                .collect()
        }
    };
    let each = examples.weight.iter().enumerate();
    each.map(|(row, weight)| weight * of_class[class(row)]).collect()
}
