//! Scores of a trained net, and what each input contributes to them.

use serde::{Deserialize, Serialize};

use super::net::{Passes, Shape};
use crate::models::{Contributions, Margins};
use crate::prepare::DenseMatrix;

/// Rows scored in one go.
const CHUNK: usize = 256;
/// Points on the line from the baseline to a row at which the gradient is taken.
const GRADIENT_STEPS: usize = 24;

/// A trained net.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Mlp {
    shape: Shape,
    params: Vec<f32>,
}

impl Mlp {
    pub(super) const fn new(shape: Shape, params: Vec<f32>) -> Self {
        Self { shape, params }
    }

    /// The logit of each row.
    pub(crate) fn margins(&self, x: &DenseMatrix) -> Margins {
        let mut passes = Passes::new(&self.shape, CHUNK);
        let mut margins = Vec::with_capacity(x.n_rows);
        for start in (0..x.n_rows).step_by(CHUNK) {
            let rows = CHUNK.min(x.n_rows - start);
            let cells = &x.data[start * x.n_columns..(start + rows) * x.n_columns];
            let logits = passes.forward(&self.params, cells, rows, None);
            margins.extend(logits.iter().map(|logit| f64::from(*logit)));
        }
        Margins::single(margins)
    }

    /// Integrated gradients of the logit (Sundararajan et al., arXiv 1703.01365) along the straight line from the
    /// training mean (0 in the standardised inputs) to the row, by the midpoint rule. The small quadrature
    /// error is shared out in proportion to the absolute contributions, so that each row adds up to its logit.
    pub(crate) fn contributions(&self, x: &DenseMatrix, _output: usize) -> Contributions {
        let inputs = self.shape.inputs();
        let mut passes = Passes::new(&self.shape, GRADIENT_STEPS);
        let base = f64::from(passes.forward(&self.params, &vec![0.0; inputs], 1, None)[0]);
        let margins = self.margins(x).cells;
        let mut cells = Vec::with_capacity(x.n_rows * inputs);
        for (row, margin) in margins.iter().enumerate() {
            let path: Vec<f32> = (0..GRADIENT_STEPS)
                .map(|step| (step as f32 + 0.5) / GRADIENT_STEPS as f32)
                .flat_map(|share| x.row(row).iter().map(move |cell| cell * share))
                .collect();
            passes.forward(&self.params, &path, GRADIENT_STEPS, None);
            let gradients = passes.input_gradient(&self.params, inputs, GRADIENT_STEPS);
            let mut row_cells: Vec<f64> = (0..inputs)
                .map(|input| {
                    let sum: f32 = gradients.iter().skip(input).step_by(inputs).sum();
                    f64::from(sum * x.row(row)[input]) / GRADIENT_STEPS as f64
                })
                .collect();
            spread(&mut row_cells, margin - base);
            cells.extend(row_cells);
        }
        Contributions {
            base,
            cells,
            n_columns: inputs,
        }
    }
}

/// Makes the cells add up to `total`.
fn spread(cells: &mut [f64], total: f64) {
    let (sum, size): (f64, f64) = cells
        .iter()
        .fold((0.0, 0.0), |(sum, size), cell| (sum + cell, size + cell.abs()));
    if size > 0.0 {
        let error = total - sum;
        cells
            .iter_mut()
            .for_each(|cell| *cell += error * cell.abs() / size);
    }
}
