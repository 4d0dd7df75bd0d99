//! A ridge logistic regression around a fixed offset, and how probable its data are under a prior width.

use crate::linalg::{Cholesky, dot};
use crate::models::sigmoid;

/// Newton steps at most; the penalised likelihood is concave and a handful is enough.
const MAX_STEPS: usize = 50;
/// Largest change of a coefficient at which Newton's method has arrived.
const TOLERANCE: f64 = 1e-8;

/// Rows of one segment, with the log-odds that others have already given them.
#[derive(Debug, Clone)]
pub(super) struct OffsetRows {
    /// Row after row, `width` cells each.
    pub(super) cells: Vec<f64>,
    pub(super) width: usize,
    pub(super) offset: Vec<f64>,
    /// 0 or 1.
    pub(super) target: Vec<f64>,
    pub(super) weight: Vec<f64>,
}

/// The most probable coefficients and the log evidence.
#[derive(Debug, Clone)]
pub(super) struct Posterior {
    pub(super) beta: Vec<f64>,
    pub(super) log_evidence: f64,
}

impl OffsetRows {
    /// The posterior mode of `beta` in `logit P = offset + cells . beta` with `beta_j ~ N(0, 1 / precision_j)`, and
    /// Laplace's approximation of the log evidence,
    /// `ln P(y | mode) - sum_j precision_j beta_j^2 / 2 + (sum_j ln precision_j - ln det H) / 2` (MacKay 1992,
    /// doi:10.1162/neco.1992.4.3.415), with H the Hessian of the penalised loss. `None` when Newton's method fails.
    pub(super) fn posterior(&self, precision: &[f64]) -> Option<Posterior> {
        let mut beta = vec![0.0; self.width];
        let mut loss = self.loss(&beta, precision);
        for _ in 0..MAX_STEPS {
            let (gradient, hessian) = self.derivatives(&beta, precision);
            let factor = Cholesky::of_square(self.width, &hessian)?;
            let step = factor.solve(&gradient);
            let arrived = step.iter().all(|cell| cell.abs() < TOLERANCE);
            let next = (!arrived).then(|| self.descend(&beta, &step, (loss, precision)));
            match next.flatten() {
                Some((better, lower)) => (beta, loss) = (better, lower),
                None => {
                    let log_prior: f64 = precision.iter().map(|precision| precision.ln()).sum();
                    return Some(Posterior {
                        beta,
                        log_evidence: -loss + 0.5 * (log_prior - factor.log_determinant()),
                    });
                }
            }
        }
        None
    }

    /// The log evidence of no correction at all.
    pub(super) fn plain_evidence(&self) -> f64 {
        -self.loss(&vec![0.0; self.width], &vec![0.0; self.width])
    }

    fn margin(&self, beta: &[f64], row: usize) -> f64 {
        self.offset[row] + dot(&self.cells[row * self.width..(row + 1) * self.width], beta)
    }

    fn loss(&self, beta: &[f64], precision: &[f64]) -> f64 {
        let fit: f64 = (0..self.target.len())
            .map(|row| {
                let margin = self.margin(beta, row);
                let loss = margin.max(0.0) - margin * self.target[row] + (-margin.abs()).exp().ln_1p();
                self.weight[row] * loss
            })
            .sum();
        let penalty: f64 = beta.iter().zip(precision).map(|(beta, p)| p * beta * beta).sum();
        fit + 0.5 * penalty
    }

    fn derivatives(&self, beta: &[f64], precision: &[f64]) -> (Vec<f64>, Vec<f64>) {
        let width = self.width;
        let (mut gradient, mut hessian) = (vec![0.0; width], vec![0.0; width * width]);
        for (row, cells) in self.cells.chunks_exact(width).enumerate() {
            let p = sigmoid(self.margin(beta, row));
            let slope = self.weight[row] * (p - self.target[row]);
            let curve = self.weight[row] * p * (1.0 - p);
            for (i, cell) in cells.iter().enumerate() {
                gradient[i] += slope * cell;
                let scaled = curve * cell;
                for (sum, other) in hessian[i * width..=i * width + i].iter_mut().zip(cells) {
                    *sum += scaled * other;
                }
            }
        }
        for i in 0..width {
            gradient[i] += precision[i] * beta[i];
            hessian[i * width + i] += precision[i];
        }
        (gradient, hessian)
    }

    /// The first of the full, half, quarter ... Newton step that lowers the loss.
    fn descend(&self, beta: &[f64], step: &[f64], from: (f64, &[f64])) -> Option<(Vec<f64>, f64)> {
        let (loss, precision) = from;
        let mut share = 1.0;
        for _ in 0..30 {
            let next: Vec<f64> = beta
                .iter()
                .zip(step)
                .map(|(beta, step)| beta - share * step)
                .collect();
            let next_loss = self.loss(&next, precision);
            if next_loss < loss {
                return Some((next, next_loss));
            }
            share *= 0.5;
        }
        None
    }
}
