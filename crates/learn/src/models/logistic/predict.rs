//! Scores of the linear model, and what each column contributes to them.

use serde::{Deserialize, Serialize};

use super::problem::{Inputs, dot};
use crate::models::{Contributions, Margins};
use crate::prepare::SparseMatrix;

/// A fitted linear model on standardised columns and, where there is text, on the terms of its columns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Logistic {
    /// Scores per row: 1, or one per class.
    n_outputs: usize,
    /// For each output the intercept, then one slope per dense column.
    beta: Vec<f64>,
    /// Their standard errors (of the penalised fit: the curvature at the optimum, as Laplace's approximation).
    standard_errors: Vec<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    text: Option<TextWeights>,
}

/// Weights of the terms of all text columns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct TextWeights {
    /// Term after term, one weight per output.
    weights: Vec<f32>,
    /// Mean contribution over the training rows: text column after text column, one per output.
    means: Vec<f64>,
    /// The ridge penalty, in the units of one row's loss.
    l2: f64,
}

impl TextWeights {
    pub(super) fn new(weights: Vec<f32>, n_outputs: usize, by_row: &SparseMatrix, l2: f64) -> Self {
        let n_blocks = by_row.n_blocks();
        let mut means = vec![0.0; n_blocks * n_outputs];
        let mut text = Self {
            weights,
            means: vec![0.0; n_blocks * n_outputs],
            l2,
        };
        let mut cells = vec![0.0; n_blocks * n_outputs];
        for row in 0..by_row.n_rows {
            text.contributions(by_row, row, &mut cells);
            means.iter_mut().zip(&cells).for_each(|(sum, cell)| *sum += cell);
        }
        means
            .iter_mut()
            .for_each(|sum| *sum /= by_row.n_rows.max(1) as f64);
        text.means = means;
        text
    }

    /// What each text column of a row adds to each output, compared with the mean of the training rows.
    fn contributions(&self, by_row: &SparseMatrix, row: usize, cells: &mut [f64]) {
        let n_outputs = self.means.len() / by_row.n_blocks().max(1);
        cells
            .iter_mut()
            .zip(&self.means)
            .for_each(|(cell, mean)| *cell = -mean);
        let (terms, values) = by_row.row(row);
        for (term, value) in terms.iter().zip(values) {
            let own = &mut cells[by_row.block_of(*term) * n_outputs..][..n_outputs];
            let weights = &self.weights[*term as usize * n_outputs..][..n_outputs];
            own.iter_mut()
                .zip(weights)
                .for_each(|(cell, weight)| *cell += f64::from(*value) * f64::from(*weight));
        }
    }

    fn scaled(mut self, sd: f64) -> Self {
        self.weights
            .iter_mut()
            .for_each(|weight| *weight = (f64::from(*weight) * sd) as f32);
        self.means.iter_mut().for_each(|mean| *mean *= sd);
        self
    }
}

impl Logistic {
    pub(super) const fn new(
        n_outputs: usize,
        beta: Vec<f64>,
        standard_errors: Vec<f64>,
        text: Option<TextWeights>,
    ) -> Self {
        Self {
            n_outputs,
            beta,
            standard_errors,
            text,
        }
    }

    /// The same model for a target that is `mean + sd * target`.
    pub(super) fn rescaled(mut self, mean: f64, sd: f64) -> Self {
        self.beta
            .iter_mut()
            .chain(&mut self.standard_errors)
            .for_each(|cell| *cell *= sd);
        if let Some(intercept) = self.beta.first_mut() {
            *intercept += mean;
        }
        self.text = self.text.map(|text| text.scaled(sd));
        self
    }

    /// The ridge penalty of the terms; `None` without text.
    pub(crate) fn text_penalty(&self) -> Option<f64> {
        self.text.as_ref().map(|text| text.l2)
    }

    /// Scores per row: 1, or one per class.
    pub(crate) const fn n_outputs(&self) -> usize {
        self.n_outputs
    }

    /// The coefficients of one output with their standard errors, the intercept first.
    pub(crate) fn coefficients(&self, output: usize) -> impl Iterator<Item = (f64, f64)> + '_ {
        let width = self.beta.len() / self.n_outputs;
        let own = output * width..(output + 1) * width;
        self.beta[own.clone()]
            .iter()
            .copied()
            .zip(self.standard_errors[own].iter().copied())
    }

    /// The weights of the terms: term after term, one per output; empty without text.
    pub(crate) fn term_weights(&self) -> &[f32] {
        self.text.as_ref().map_or(&[], |text| &text.weights)
    }

    /// The scores of each row: log-odds, logits or values.
    pub(crate) fn margins(&self, inputs: &Inputs) -> Margins {
        let x = &inputs.dense;
        let width = x.n_columns + 1;
        let weights = self.term_weights();
        let mut cells = Vec::with_capacity(x.n_rows * self.n_outputs);
        for row in 0..x.n_rows {
            let start = cells.len();
            cells.extend(
                self.beta
                    .chunks_exact(width)
                    .map(|own| own[0] + dot(x.row(row), &own[1..])),
            );
            let Some(terms) = &inputs.terms else { continue };
            let (indices, values) = terms.by_row.row(row);
            for (term, value) in indices.iter().zip(values) {
                let weights = &weights[*term as usize * self.n_outputs..][..self.n_outputs];
                cells[start..]
                    .iter_mut()
                    .zip(weights)
                    .for_each(|(cell, weight)| *cell += f64::from(*value) * f64::from(*weight));
            }
        }
        Margins {
            cells,
            n_outputs: self.n_outputs,
        }
    }

    /// Slope times the distance from the training mean (0 in the standardised columns), then the same for each text
    /// column.
    pub(crate) fn contributions(&self, inputs: &Inputs, output: usize) -> Contributions {
        let x = &inputs.dense;
        let width = x.n_columns + 1;
        let own = &self.beta[output * width..(output + 1) * width];
        let by_row = inputs.terms.as_ref().map(|terms| &terms.by_row);
        let n_blocks = by_row.map_or(0, SparseMatrix::n_blocks);
        let mut of_text = vec![0.0; n_blocks * self.n_outputs];
        let mut cells = Vec::with_capacity(x.n_rows * (x.n_columns + n_blocks));
        for row in 0..x.n_rows {
            cells.extend(
                x.row(row)
                    .iter()
                    .zip(&own[1..])
                    .map(|(x, slope)| f64::from(*x) * slope),
            );
            if let (Some(text), Some(by_row)) = (&self.text, by_row) {
                text.contributions(by_row, row, &mut of_text);
                cells.extend(of_text.iter().skip(output).step_by(self.n_outputs));
            }
        }
        let means = self
            .text
            .iter()
            .flat_map(|text| text.means.iter().skip(output).step_by(self.n_outputs));
        Contributions {
            base: own[0] + means.sum::<f64>(),
            cells,
            n_columns: x.n_columns + n_blocks,
        }
    }
}
