//! Two outcomes, dense columns: Newton's method (iteratively reweighted least squares) with step halving.

use thalweg_domain::Result;

use super::fit::not_converged;
use super::gram::gram;
use super::params::LogisticParams;
use super::problem::Problem;
use crate::linalg::{Cholesky, packed};
use crate::models::sigmoid;

/// The coefficients and the factor of the penalised information at them.
pub(super) struct Newton {
    pub(super) beta: Vec<f64>,
    pub(super) information: Cholesky,
}

/// Minimises the penalised log loss.
///
/// # Errors
/// `TW0308` when the steps run out or the curvature is not positive definite.
pub(super) fn solve(problem: &Problem<'_>, params: &LogisticParams) -> Result<Newton> {
    let mut beta = vec![0.0; problem.per_output()];
    let mut margins = problem.margins(&beta);
    let mut loss = f64::INFINITY;
    for _ in 0..params.max_steps {
        let (fit, slopes) = problem.fit_loss(&margins);
        loss = loss.min(fit + problem.penalty(&beta));
        let gradient = problem.gradient(&beta, &slopes);
        let information = information(problem, &margins).ok_or_else(not_converged)?;
        let step = information.solve(&gradient);
        let largest = step.iter().fold(0.0_f64, |largest, cell| largest.max(cell.abs()));
        if largest < params.tolerance {
            return Ok(Newton { beta, information });
        }
        let Some((next, next_margins)) = lower(problem, (&beta, &margins), &step, loss) else {
            return Ok(Newton { beta, information });
        };
        (beta, margins) = (next, next_margins);
    }
    Err(not_converged())
}

/// The curvature of the penalised log loss, factored; `None` when it is not positive definite.
pub(super) fn information(problem: &Problem<'_>, margins: &[f64]) -> Option<Cholesky> {
    let curve = |row: usize| {
        let p = sigmoid(margins[row]);
        problem.weight[row] * p * (1.0 - p)
    };
    let mut hessian = gram(&problem.inputs.dense, &curve);
    for column in 1..problem.per_output() {
        hessian[packed(column, column)] += problem.l2;
    }
    Cholesky::new(problem.per_output(), hessian)
}

/// The first of the full, half, quarter ... Newton step that lowers the loss; `None` when none of 30 does.
fn lower(
    problem: &Problem<'_>,
    (beta, margins): (&[f64], &[f64]),
    step: &[f64],
    loss: f64,
) -> Option<(Vec<f64>, Vec<f64>)> {
    let reach = problem.margins(step);
    let mut share = 1.0;
    for _ in 0..30 {
        let back = |from: &[f64], step: &[f64]| -> Vec<f64> {
            from.iter()
                .zip(step)
                .map(|(from, step)| from - share * step)
                .collect()
        };
        let (next, next_margins) = (back(beta, step), back(margins, &reach));
        if problem.fit_loss(&next_margins).0 + problem.penalty(&next) < loss {
            return Some((next, next_margins));
        }
        share *= 0.5;
    }
    None
}
