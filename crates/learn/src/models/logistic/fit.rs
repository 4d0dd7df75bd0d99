//! Newton's method (iteratively reweighted least squares) with step halving.

use thalweg_domain::{Error, Result};

use super::params::LogisticParams;
use super::predict::Logistic;
use crate::models::{Examples, sigmoid};
use crate::prepare::DenseMatrix;

/// Maximises the penalised likelihood; weights are scaled to mean 1.
///
/// # Errors
/// `TW0307` for a parameter out of range; `TW0308` when Newton's method does not converge.
pub(crate) fn fit(x: &DenseMatrix, examples: &Examples, params: &LogisticParams) -> Result<Logistic> {
    params.check()?;
    let problem = Problem::new(x, examples, params.l2);
    let size = x.n_columns + 1;
    let mut beta = vec![0.0; size];
    let mut loss = problem.loss(&beta);
    for _ in 0..params.max_steps {
        let (gradient, hessian) = problem.derivatives(&beta);
        let factor = cholesky(hessian, size).ok_or_else(not_converged)?;
        let step = solve(&factor, &gradient);
        let largest = step.iter().fold(0.0_f64, |largest, cell| largest.max(cell.abs()));
        if largest < params.tolerance {
            return Ok(Logistic::new(beta, standard_errors(&factor, size)));
        }
        let (next, next_loss) = problem.descend(&beta, &step, loss);
        let done = next_loss >= loss;
        (beta, loss) = (next, next_loss);
        if done {
            return Ok(Logistic::new(beta, standard_errors(&factor, size)));
        }
    }
    Err(not_converged())
}

fn not_converged() -> Error {
    Error::new("TW0308", "the logistic regression did not converge")
        .hint("raise its l2 penalty, or look for a column that repeats another one on a huge scale")
}

struct Problem<'a> {
    x: &'a DenseMatrix,
    y: Vec<f64>,
    weight: Vec<f64>,
    l2: f64,
}

impl<'a> Problem<'a> {
    fn new(x: &'a DenseMatrix, examples: &Examples, l2: f64) -> Self {
        let mean = examples.weight.iter().sum::<f64>() / examples.weight.len() as f64;
        Self {
            x,
            y: examples.target.clone(),
            weight: examples.weight.iter().map(|weight| weight / mean).collect(),
            l2,
        }
    }

    fn margin(&self, beta: &[f64], row: usize) -> f64 {
        let (intercept, slopes) = (beta[0], &beta[1..]);
        intercept
            + self
                .x
                .row(row)
                .iter()
                .zip(slopes)
                .map(|(x, slope)| f64::from(*x) * slope)
                .sum::<f64>()
    }

    fn loss(&self, beta: &[f64]) -> f64 {
        let fit: f64 = (0..self.x.n_rows)
            .map(|row| {
                let margin = self.margin(beta, row);
                self.weight[row] * (margin.max(0.0) - margin * self.y[row] + (-margin.abs()).exp().ln_1p())
            })
            .sum();
        fit + 0.5 * self.l2 * beta[1..].iter().map(|slope| slope * slope).sum::<f64>()
    }

    /// Gradient and (lower triangle of the) Hessian of the loss.
    fn derivatives(&self, beta: &[f64]) -> (Vec<f64>, Vec<f64>) {
        let size = beta.len();
        let (mut gradient, mut hessian) = (vec![0.0; size], vec![0.0; size * size]);
        let mut cells = vec![1.0; size];
        for row in 0..self.x.n_rows {
            for (cell, x) in cells[1..].iter_mut().zip(self.x.row(row)) {
                *cell = f64::from(*x);
            }
            let p = sigmoid(self.margin(beta, row));
            let slope = self.weight[row] * (p - self.y[row]);
            let curve = self.weight[row] * p * (1.0 - p);
            for (i, cell) in cells.iter().enumerate() {
                gradient[i] += slope * cell;
                let scaled = curve * cell;
                for (sum, other) in hessian[i * size..=i * size + i].iter_mut().zip(&cells) {
                    *sum += scaled * other;
                }
            }
        }
        for i in 1..size {
            gradient[i] += self.l2 * beta[i];
            hessian[i * size + i] += self.l2;
        }
        (gradient, hessian)
    }

    /// The first of the full, half, quarter ... Newton step that lowers the loss; none of 30 leaves it as it is.
    fn descend(&self, beta: &[f64], step: &[f64], loss: f64) -> (Vec<f64>, f64) {
        let mut share = 1.0;
        for _ in 0..30 {
            let next: Vec<f64> = beta
                .iter()
                .zip(step)
                .map(|(beta, step)| beta - share * step)
                .collect();
            let next_loss = self.loss(&next);
            if next_loss < loss {
                return (next, next_loss);
            }
            share *= 0.5;
        }
        (beta.to_vec(), loss)
    }
}

/// The lower factor of a symmetric positive definite matrix given by its lower triangle; `None` if it is not one.
pub(crate) fn cholesky(mut matrix: Vec<f64>, size: usize) -> Option<Vec<f64>> {
    for column in 0..size {
        for row in column..size {
            let (left, right) = (
                &matrix[row * size..row * size + column],
                &matrix[column * size..column * size + column],
            );
            let rest = matrix[row * size + column] - left.iter().zip(right).map(|(a, b)| a * b).sum::<f64>();
            if row == column {
                if rest <= 0.0 || !rest.is_finite() {
                    return None;
                }
                matrix[row * size + column] = rest.sqrt();
            } else {
                matrix[row * size + column] = rest / matrix[column * size + column];
            }
        }
    }
    Some(matrix)
}

/// Solves `L L' x = b` for the lower factor L.
pub(crate) fn solve(factor: &[f64], b: &[f64]) -> Vec<f64> {
    let size = b.len();
    let mut x = b.to_vec();
    for i in 0..size {
        let sum: f64 = (0..i).map(|j| factor[i * size + j] * x[j]).sum();
        x[i] = (x[i] - sum) / factor[i * size + i];
    }
    for i in (0..size).rev() {
        let sum: f64 = (i + 1..size).map(|j| factor[j * size + i] * x[j]).sum();
        x[i] = (x[i] - sum) / factor[i * size + i];
    }
    x
}

/// Roots of the diagonal of the inverse of the penalised Hessian.
fn standard_errors(factor: &[f64], size: usize) -> Vec<f64> {
    (0..size)
        .map(|i| {
            let unit: Vec<f64> = (0..size).map(|j| f64::from(i == j)).collect();
            solve(factor, &unit)[i].sqrt()
        })
        .collect()
}
