//! The penalised loss over dense columns and text terms: scores, value and gradient.

use rayon::prelude::*;

use super::gram::gram;
use super::loss::Loss;
use crate::linalg::Cholesky;
use crate::prepare::{DenseMatrix, SparseMatrix};

/// Rows or terms that one thread handles in one go.
const CHUNK: usize = 1024;
/// Rows of a partial sum of the dense gradient.
const GRADIENT_ROWS: usize = 4096;

/// The terms of all text columns, by row and by term.
#[derive(Debug)]
pub(crate) struct Terms {
    pub(super) by_row: SparseMatrix,
    pub(super) by_term: SparseMatrix,
}

impl Terms {
    pub(crate) fn new(by_row: SparseMatrix) -> Self {
        Self {
            by_term: by_row.transposed(),
            by_row,
        }
    }

    /// To be scored, not fitted on.
    pub(crate) fn to_score(by_row: SparseMatrix) -> Self {
        Self {
            by_term: SparseMatrix::empty(),
            by_row,
        }
    }
}

/// What a linear model reads.
#[derive(Debug)]
pub(crate) struct Inputs {
    pub(crate) dense: DenseMatrix,
    pub(crate) terms: Option<Terms>,
}

/// `sum of weight * loss + l2 / 2 |slopes|² + text_l2 / 2 |term weights|²`.
///
/// The parameters are, output after output, the intercept and the slopes of the dense columns, and then, term after term, one
/// weight per output.
pub(super) struct Problem<'a> {
    pub(super) inputs: &'a Inputs,
    pub(super) loss: Loss,
    pub(super) n_outputs: usize,
    pub(super) target: &'a [f64],
    /// Mean 1 over the rows that count; 0 for rows that are only scored.
    pub(super) weight: &'a [f64],
    pub(super) l2: f64,
    pub(super) text_l2: f64,
}

impl Problem<'_> {
    /// Dense parameters of one output.
    pub(super) const fn per_output(&self) -> usize {
        self.inputs.dense.n_columns + 1
    }

    /// Dense parameters of all outputs.
    pub(super) const fn n_dense(&self) -> usize {
        self.n_outputs * self.per_output()
    }

    fn n_terms(&self) -> usize {
        self.inputs
            .terms
            .as_ref()
            .map_or(0, |terms| terms.by_row.n_columns)
    }

    pub(super) fn size(&self) -> usize {
        self.n_dense() + self.n_terms() * self.n_outputs
    }

    /// The scores, row after row: linear in the parameters.
    pub(super) fn margins(&self, parameters: &[f64]) -> Vec<f64> {
        let (dense, text) = parameters.split_at(self.n_dense());
        let n_outputs = self.n_outputs;
        let mut margins = vec![0.0; self.inputs.dense.n_rows * n_outputs];
        margins
            .par_chunks_mut(CHUNK * n_outputs)
            .enumerate()
            .for_each(|(chunk, margins)| {
                for (offset, margins) in margins.chunks_exact_mut(n_outputs).enumerate() {
                    let row = chunk * CHUNK + offset;
                    self.inputs.score(row, dense, text, margins);
                }
            });
        margins
    }

    /// The loss without the penalty, and its slope in every score.
    pub(super) fn fit_loss(&self, margins: &[f64]) -> (f64, Vec<f64>) {
        let n_outputs = self.n_outputs;
        let mut slopes = vec![0.0; margins.len()];
        let sums: Vec<f64> = slopes
            .par_chunks_mut(CHUNK * n_outputs)
            .enumerate()
            .map(|(chunk, slopes)| {
                let mut sum = 0.0;
                for (offset, slopes) in slopes.chunks_exact_mut(n_outputs).enumerate() {
                    let row = chunk * CHUNK + offset;
                    let weight = self.weight[row];
                    if weight > 0.0 {
                        let margins = &margins[row * n_outputs..(row + 1) * n_outputs];
                        sum += weight * self.loss.row(margins, self.target[row], slopes);
                        slopes.iter_mut().for_each(|slope| *slope *= weight);
                    }
                }
                sum
            })
            .collect();
        (sums.iter().sum(), slopes)
    }

    /// The penalty of the parameters.
    pub(super) fn penalty(&self, parameters: &[f64]) -> f64 {
        let (dense, text) = parameters.split_at(self.n_dense());
        let squares = |cells: &[f64]| cells.iter().map(|cell| cell * cell).sum::<f64>();
        let slopes: f64 = dense
            .chunks_exact(self.per_output())
            .map(|own| squares(&own[1..]))
            .sum();
        0.5 * (self.l2 * slopes + self.text_l2 * squares(text))
    }

    /// The gradient, penalty included, from the slopes of [`Self::fit_loss`].
    pub(super) fn gradient(&self, parameters: &[f64], slopes: &[f64]) -> Vec<f64> {
        let mut gradient = self.dense_gradient(slopes);
        let (dense, text) = parameters.split_at(self.n_dense());
        for (own, parameters) in gradient
            .chunks_exact_mut(self.per_output())
            .zip(dense.chunks_exact(self.per_output()))
        {
            own[1..]
                .iter_mut()
                .zip(&parameters[1..])
                .for_each(|(sum, slope)| *sum += self.l2 * slope);
        }
        if let Some(terms) = &self.inputs.terms {
            let mut of_terms: Vec<f64> = text.iter().map(|weight| self.text_l2 * weight).collect();
            let n_outputs = self.n_outputs;
            of_terms
                .par_chunks_mut(CHUNK * n_outputs)
                .enumerate()
                .for_each(|(chunk, cells)| {
                    for (offset, cells) in cells.chunks_exact_mut(n_outputs).enumerate() {
                        add_scaled_rows(&terms.by_term, chunk * CHUNK + offset, slopes, cells);
                    }
                });
            gradient.extend(of_terms);
        }
        gradient
    }

    fn dense_gradient(&self, slopes: &[f64]) -> Vec<f64> {
        let (x, n_outputs, per_output) = (&self.inputs.dense, self.n_outputs, self.per_output());
        let parts: Vec<Vec<f64>> = slopes
            .par_chunks(GRADIENT_ROWS * n_outputs)
            .enumerate()
            .map(|(part, slopes)| {
                let mut sums = vec![0.0; n_outputs * per_output];
                for (offset, slopes) in slopes.chunks_exact(n_outputs).enumerate() {
                    let cells = x.row(part * GRADIENT_ROWS + offset);
                    for (sums, slope) in sums.chunks_exact_mut(per_output).zip(slopes) {
                        sums[0] += slope;
                        sums[1..]
                            .iter_mut()
                            .zip(cells)
                            .for_each(|(sum, cell)| *sum += slope * f64::from(*cell));
                    }
                }
                sums
            })
            .collect();
        let mut sums = vec![0.0; n_outputs * per_output];
        for part in parts {
            sums.iter_mut().zip(part).for_each(|(sum, part)| *sum += part);
        }
        sums
    }

    /// An approximate inverse of the curvature; `None` when the dense columns are collinear beyond the penalty.
    pub(super) fn preconditioner(&self) -> Option<Preconditioner> {
        let curvature = self
            .loss
            .typical_curvature(self.target, self.weight, self.n_outputs);
        let mut dense = gram(&self.inputs.dense, &|row| curvature * self.weight[row]);
        for column in 1..self.per_output() {
            dense[crate::linalg::packed(column, column)] += self.l2;
        }
        let of_term = |terms: &SparseMatrix, term: usize| {
            let (rows, values) = terms.row(term);
            let squares = rows
                .iter()
                .zip(values)
                .map(|(row, value)| self.weight[*row as usize] * f64::from(*value) * f64::from(*value));
            1.0 / (self.text_l2 + curvature * squares.sum::<f64>())
        };
        let terms = self.inputs.terms.as_ref().map_or_else(Vec::new, |terms| {
            (0..terms.by_term.n_rows)
                .map(|term| of_term(&terms.by_term, term))
                .collect()
        });
        Some(Preconditioner {
            dense: Cholesky::new(self.per_output(), dense)?,
            terms,
            n_outputs: self.n_outputs,
        })
    }
}

impl Inputs {
    /// Adds a row's scores to `margins`.
    pub(super) fn score(&self, row: usize, dense: &[f64], text: &[f64], margins: &mut [f64]) {
        let cells = self.dense.row(row);
        for (margin, own) in margins.iter_mut().zip(dense.chunks_exact(cells.len() + 1)) {
            *margin += own[0] + dot(cells, &own[1..]);
        }
        if let Some(terms) = &self.terms {
            add_scaled_rows(&terms.by_row, row, text, margins);
        }
    }
}

/// Adds `value * block[index]` over the entries of a sparse row; a block has as many cells as `sums`.
pub(super) fn add_scaled_rows(matrix: &SparseMatrix, row: usize, blocks: &[f64], sums: &mut [f64]) {
    match sums.len() {
        1 => add_blocks::<1>(matrix, row, blocks, sums),
        2 => add_blocks::<2>(matrix, row, blocks, sums),
        3 => add_blocks::<3>(matrix, row, blocks, sums),
        4 => add_blocks::<4>(matrix, row, blocks, sums),
        width => {
            let (indices, values) = matrix.row(row);
            for (index, value) in indices.iter().zip(values) {
                let block = &blocks[*index as usize * width..][..width];
                let value = f64::from(*value);
                sums.iter_mut()
                    .zip(block)
                    .for_each(|(sum, cell)| *sum += value * cell);
            }
        }
    }
}

/// The same for a width that the compiler knows, so that the sums stay in registers.
fn add_blocks<const WIDTH: usize>(matrix: &SparseMatrix, row: usize, blocks: &[f64], sums: &mut [f64]) {
    let (blocks, _) = blocks.as_chunks::<WIDTH>();
    let (indices, values) = matrix.row(row);
    let mut own = [0.0_f64; WIDTH];
    for (index, value) in indices.iter().zip(values) {
        let value = f64::from(*value);
        for (sum, cell) in own.iter_mut().zip(&blocks[*index as usize]) {
            *sum += value * cell;
        }
    }
    sums.iter_mut().zip(own).for_each(|(sum, own)| *sum += own);
}

/// Inner product of cells and slopes in four interleaved sums.
pub(super) fn dot(cells: &[f32], slopes: &[f64]) -> f64 {
    let (cell_quads, cells) = cells.as_chunks::<4>();
    let (slope_quads, slopes) = slopes.as_chunks::<4>();
    let mut sums = [0.0_f64; 4];
    for (cells, slopes) in cell_quads.iter().zip(slope_quads) {
        for lane in 0..4 {
            sums[lane] += f64::from(cells[lane]) * slopes[lane];
        }
    }
    let rest: f64 = cells
        .iter()
        .zip(slopes)
        .map(|(cell, slope)| f64::from(*cell) * slope)
        .sum();
    (sums[0] + sums[1]) + (sums[2] + sums[3]) + rest
}

/// An inverse of the curvature at the mean: exact between the dense columns of an output, diagonal for terms.
pub(super) struct Preconditioner {
    dense: Cholesky,
    terms: Vec<f64>,
    n_outputs: usize,
}

impl Preconditioner {
    pub(super) fn apply(&self, gradient: &[f64]) -> Vec<f64> {
        let per_output = self.dense.size();
        let (dense, text) = gradient.split_at(per_output * self.n_outputs);
        let mut step: Vec<f64> = dense
            .chunks_exact(per_output)
            .flat_map(|own| self.dense.solve(own))
            .collect();
        let blocks = text.chunks_exact(self.n_outputs).zip(&self.terms);
        step.extend(blocks.flat_map(|(block, scale)| block.iter().map(move |cell| cell * scale)));
        step
    }
}
