//! Standard errors of the dense coefficients from the observed information.

use super::gram::gram;
use super::loss::{Loss, softmax};
use super::newton;
use super::problem::Problem;
use super::ridge;
use crate::linalg::{Cholesky, packed};
use crate::prepare::DenseMatrix;

/// Beyond so many coefficients of all classes together, the covariance between classes is left out.
const MAX_JOINT: usize = 1500;
/// Beyond so many multiplications the information is that of evenly spread rows, scaled to all.
const MAX_WORK: usize = 4_000_000_000;

/// One for each dense parameter; where there is text, given the weights of its terms. `None` when the information is
/// not positive definite.
pub(super) fn standard_errors(problem: &Problem<'_>, margins: &[f64]) -> Option<Vec<f64>> {
    match problem.loss {
        Loss::Squares => ridge::standard_errors(problem, margins),
        Loss::Logistic => newton::information(problem, margins).map(|factor| roots(&factor)),
        Loss::Softmax => of_classes(problem, margins),
    }
}

/// Roots of the diagonal of the inverse.
pub(super) fn roots(factor: &Cholesky) -> Vec<f64> {
    factor.inverse_diagonal().into_iter().map(f64::sqrt).collect()
}

/// The logits are determined up to a function that is the same for all classes, so each column has the direction
/// (1, ..., 1) over the classes in which only the penalty holds its coefficients; at the optimum they add up to 0, and
/// their standard errors are those of deviations from their mean. A term `pull * (sum over classes)² / 2` for each
/// column makes the information definite; the variance along that direction, `1 / ((l2 + pull * n_classes) *
/// n_classes)` for each coefficient, is taken off again.
fn of_classes(problem: &Problem<'_>, margins: &[f64]) -> Option<Vec<f64>> {
    let (n_classes, size) = (problem.n_outputs, problem.per_output());
    let (rows, scale) = spread_rows(problem);
    let x = problem.inputs.dense.take(&rows);
    let mut p = vec![0.0; rows.len() * n_classes];
    for (row, p) in rows.iter().zip(p.chunks_exact_mut(n_classes)) {
        softmax(&margins[row * n_classes..(row + 1) * n_classes], p);
    }
    let weight: Vec<f64> = rows.iter().map(|row| scale * problem.weight[*row]).collect();
    let shares = Shares {
        x: &x,
        p: &p,
        weight: &weight,
        n_classes,
    };
    if n_classes * size > MAX_JOINT {
        let own = |class| {
            let mut block = shares.own(class);
            (1..size).for_each(|column| block[packed(column, column)] += problem.l2);
            Cholesky::new(size, block).map(|factor| roots(&factor))
        };
        return (0..n_classes)
            .map(own)
            .collect::<Option<Vec<_>>>()
            .map(|own| own.concat());
    }
    let pull = weight.iter().sum::<f64>().max(1.0) / n_classes as f64;
    let information = joined(problem, &shares, pull);
    let mut variance = Cholesky::new(n_classes * size, information)?.inverse_diagonal();
    for own in variance.chunks_exact_mut(size) {
        for (column, variance) in own.iter_mut().enumerate() {
            let penalty = if column == 0 { 0.0 } else { problem.l2 };
            *variance -= 1.0 / ((penalty + pull * n_classes as f64) * n_classes as f64);
        }
    }
    Some(variance.into_iter().map(f64::sqrt).collect())
}

/// Class probabilities and weights of the rows.
struct Shares<'a> {
    x: &'a DenseMatrix,
    p: &'a [f64],
    weight: &'a [f64],
    n_classes: usize,
}

impl Shares<'_> {
    fn own(&self, class: usize) -> Vec<f64> {
        gram(self.x, &|row| {
            let p = self.p[row * self.n_classes + class];
            self.weight[row] * p * (1.0 - p)
        })
    }

    /// Minus the block of the information between two classes.
    fn between(&self, first: usize, second: usize) -> Vec<f64> {
        gram(self.x, &|row| {
            let p = &self.p[row * self.n_classes..(row + 1) * self.n_classes];
            self.weight[row] * p[first] * p[second]
        })
    }
}

fn joined(problem: &Problem<'_>, shares: &Shares<'_>, pull: f64) -> Vec<f64> {
    let (n_classes, size) = (shares.n_classes, problem.per_output());
    let total = n_classes * size;
    let mut information = vec![0.0; total * (total + 1) / 2];
    for first in 0..n_classes {
        for second in 0..=first {
            let block = if first == second {
                shares.own(first)
            } else {
                shares.between(first, second)
            };
            let sign = if first == second { 1.0 } else { -1.0 };
            for i in 0..size {
                for j in 0..size {
                    let (row, column) = (first * size + i, second * size + j);
                    if column <= row {
                        information[packed(row, column)] = sign * block[packed(i.max(j), i.min(j))];
                    }
                }
            }
            for column in 0..size {
                information[packed(first * size + column, second * size + column)] += pull;
            }
        }
        for column in 1..size {
            let own = first * size + column;
            information[packed(own, own)] += problem.l2;
        }
    }
    information
}

/// All rows, or as many evenly spread ones as the work allows, and what to multiply their information by.
fn spread_rows(problem: &Problem<'_>) -> (Vec<usize>, f64) {
    let (n_classes, size) = (problem.n_outputs, problem.per_output());
    let per_row = (n_classes * (n_classes + 1) / 2) * size * (size + 1) / 2;
    let n_rows = problem.inputs.dense.n_rows;
    let every = n_rows.div_ceil((MAX_WORK / per_row.max(1)).max(1)).max(1);
    let rows: Vec<usize> = (0..n_rows).step_by(every).collect();
    let scale = n_rows as f64 / rows.len().max(1) as f64;
    (rows, scale)
}
