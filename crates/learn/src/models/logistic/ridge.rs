//! Numbers, dense columns: weighted ridge least squares by one Cholesky factor (Hoerl and Kennard 1970,
//! doi 10.1080/00401706.1970.10488634).

use super::gram::gram;
use super::problem::Problem;
use crate::linalg::{Cholesky, packed};

/// The coefficients that minimise the penalised squares; `None` when the columns are collinear beyond the penalty.
pub(super) fn solve(problem: &Problem<'_>) -> Option<Vec<f64>> {
    let factor = normal_matrix(problem)?;
    let mut beta = vec![0.0; problem.per_output()];
    // the second round takes away what rounding left
    for _ in 0..2 {
        let (_, slopes) = problem.fit_loss(&problem.margins(&beta));
        let step = factor.solve(&problem.gradient(&beta, &slopes));
        beta.iter_mut().zip(step).for_each(|(beta, step)| *beta -= step);
    }
    Some(beta)
}

fn normal_matrix(problem: &Problem<'_>) -> Option<Cholesky> {
    let mut normal = gram(&problem.inputs.dense, &|row| problem.weight[row]);
    for column in 1..problem.per_output() {
        normal[packed(column, column)] += problem.l2;
    }
    Cholesky::new(problem.per_output(), normal)
}

/// Roots of the diagonal of `s² (XᵀWX + l2)⁻¹`, where `s²` is the weighted residual variance over the degrees of
/// freedom that the fit leaves: rows minus the trace of the hat matrix.
pub(super) fn standard_errors(problem: &Problem<'_>, margins: &[f64]) -> Option<Vec<f64>> {
    let inverse = normal_matrix(problem)?.inverse_diagonal();
    let shrunk: f64 = inverse[1..].iter().map(|cell| problem.l2 * cell).sum();
    let used = problem.per_output() as f64 - shrunk;
    let free = (margins.len() as f64 - used).max(1.0);
    let variance = 2.0 * problem.fit_loss(margins).0 / free;
    Some(inverse.into_iter().map(|cell| (variance * cell).sqrt()).collect())
}
