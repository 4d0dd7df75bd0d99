//! The loss of one row given its scores, and its slope in each score.

use crate::models::sigmoid;
use crate::task::Task;

/// Negative log-likelihoods of the three kinds of target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Loss {
    /// `ln(1 + exp(m)) - y m`.
    Logistic,
    /// `ln(sum of exp(m_k)) - m_y`.
    Softmax,
    /// `(m - y)^2 / 2`.
    Squares,
}

impl Loss {
    pub(super) const fn of(task: &Task) -> Self {
        match task {
            Task::Binary => Self::Logistic,
            Task::Class { .. } => Self::Softmax,
            Task::Value => Self::Squares,
        }
    }

    /// The loss of a row with the scores `margins`; its slopes replace `slopes`.
    pub(super) fn row(self, margins: &[f64], target: f64, slopes: &mut [f64]) -> f64 {
        match self {
            Self::Logistic => {
                let margin = margins[0];
                slopes[0] = sigmoid(margin) - target;
                margin.max(0.0) - margin * target + (-margin.abs()).exp().ln_1p()
            }
            Self::Softmax => {
                let total = softmax(margins, slopes);
                let own = target as usize;
                slopes[own] -= 1.0;
                total - margins[own]
            }
            Self::Squares => {
                slopes[0] = margins[0] - target;
                0.5 * slopes[0] * slopes[0]
            }
        }
    }

    /// The mean curvature of the loss in one score, when the scores are those of the weighted means: what a
    /// preconditioner needs. `weight` has the mean 1.
    pub(super) fn typical_curvature(self, target: &[f64], weight: &[f64], n_outputs: usize) -> f64 {
        let mut shares = vec![0.0; n_outputs.max(2)];
        let n = target.len().max(1) as f64;
        match self {
            Self::Squares => return 1.0,
            Self::Logistic | Self::Softmax => {
                for (target, weight) in target.iter().zip(weight) {
                    shares[*target as usize] += weight / n;
                }
            }
        }
        let mean = shares.iter().map(|share| share * (1.0 - share)).sum::<f64>() / shares.len() as f64;
        mean.max(1e-4)
    }
}

/// Writes the class probabilities of the logits, and gives the logarithm of the sum of their exponentials.
pub(super) fn softmax(logits: &[f64], p: &mut [f64]) -> f64 {
    let largest = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mut sum = 0.0;
    for (p, logit) in p.iter_mut().zip(logits) {
        *p = (logit - largest).exp();
        sum += *p;
    }
    p.iter_mut().for_each(|p| *p /= sum);
    largest + sum.ln()
}
