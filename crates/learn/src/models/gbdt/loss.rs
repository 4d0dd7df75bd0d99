//! What the trees minimise: its derivatives, its value, and the best constant to begin with.

use serde::{Deserialize, Serialize};

use crate::task::{Examples, Task};

/// What is minimised for targets that are numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ValueLoss {
    /// Half the squared error: leaves hold means.
    #[default]
    Squared,
    /// Half the squared error near the target, linear beyond 1.345 robust standard deviations (Huber 1964): less swayed by outliers.
    Huber,
}

/// A loss with what it needs to know.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Loss {
    /// Log loss of two classes; the margin is the log-odds.
    Log,
    /// Log loss of several classes; one margin each. With k classes the diagonal of the second derivatives is multiplied
    /// by k / (k - 1), which makes up for the redundant margin (Friedman 2001, equation 35).
    Softmax {
        /// k / (k - 1).
        factor: f64,
    },
    Squared,
    /// Linear beyond this many units of the target.
    Huber(f64),
}

/// Efficiency of 95 % under normal errors.
const HUBER_FACTOR: f64 = 1.345;
/// Standard deviation of a normal variable over its median absolute deviation.
const MAD_FACTOR: f64 = 1.4826;

impl Loss {
    pub(super) fn new(examples: &Examples, value_loss: ValueLoss) -> Self {
        match (&examples.task, value_loss) {
            (Task::Binary, _) => Self::Log,
            (Task::Class { classes }, _) => {
                let k = classes.len().max(2) as f64;
                Self::Softmax {
                    factor: k / (k - 1.0),
                }
            }
            (Task::Value, ValueLoss::Squared) => Self::Squared,
            (Task::Value, ValueLoss::Huber) => {
                let middle = median(examples.target.iter().copied());
                let spread = median(examples.target.iter().map(|target| (target - middle).abs()));
                // half of the targets equal: fall back to the mean deviation
                let n = examples.target.len().max(1) as f64;
                let mean = examples
                    .target
                    .iter()
                    .map(|target| (target - middle).abs())
                    .sum::<f64>()
                    / n;
                Self::Huber(HUBER_FACTOR * MAD_FACTOR * if spread > 0.0 { spread } else { mean })
            }
        }
    }

    /// The constant margins with the least loss, one per output (Huber: the median).
    pub(super) fn base(&self, examples: &Examples) -> Vec<f64> {
        let total: f64 = examples.weight.iter().sum();
        let pairs = || examples.target.iter().zip(&examples.weight);
        match self {
            Self::Log => {
                let share = pairs().map(|(target, weight)| target * weight).sum::<f64>() / total;
                vec![(share / (1.0 - share)).ln()]
            }
            Self::Softmax { .. } => {
                let mut shares = vec![0.0; examples.task.n_outputs()];
                pairs().for_each(|(target, weight)| shares[*target as usize] += weight / total);
                // a class without rows here: as rare as half a row
                let least = 0.5 / examples.target.len().max(1) as f64;
                shares.into_iter().map(|share| share.max(least).ln()).collect()
            }
            Self::Squared => vec![pairs().map(|(target, weight)| target * weight).sum::<f64>() / total],
            Self::Huber(_) => vec![median(examples.target.iter().copied())],
        }
    }

    /// First and second derivative by the margin, for one row and one output. `probability` is the row's softmax of the
    /// output, and unused by the other losses.
    #[inline]
    pub(super) fn derivatives(&self, margin: f64, target: f64, probability: f64) -> (f64, f64) {
        match self {
            Self::Log => {
                let p = 1.0 / (1.0 + (-margin).exp());
                (p - target, (p * (1.0 - p)).max(1e-16))
            }
            Self::Softmax { factor } => (
                probability - target,
                (factor * probability * (1.0 - probability)).max(1e-16),
            ),
            Self::Squared => (margin - target, 1.0),
            Self::Huber(reach) => ((margin - target).clamp(-reach, *reach), 1.0),
        }
    }

    /// The largest second derivative at weight 1.
    pub(super) const fn max_second(&self) -> f64 {
        match self {
            Self::Log => 0.25,
            Self::Softmax { factor } => 0.25 * *factor,
            Self::Squared | Self::Huber(_) => 1.0,
        }
    }

    /// The loss of a row with these margins.
    pub(super) fn value(&self, margins: &[f64], target: f64) -> f64 {
        match self {
            Self::Log => softplus(if target > 0.5 { -margins[0] } else { margins[0] }),
            Self::Softmax { .. } => log_sum_exp(margins) - margins[target as usize],
            Self::Squared => 0.5 * (margins[0] - target).powi(2),
            Self::Huber(reach) => {
                let error = (margins[0] - target).abs();
                if error <= *reach {
                    0.5 * error * error
                } else {
                    reach * (error - 0.5 * reach)
                }
            }
        }
    }
}

/// `ln(1 + exp(x))` without overflow.
fn softplus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

/// `ln(sum(exp(margins)))` without overflow.
pub(super) fn log_sum_exp(margins: &[f64]) -> f64 {
    let top = margins.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    top + margins
        .iter()
        .map(|margin| (margin - top).exp())
        .sum::<f64>()
        .ln()
}

fn median(cells: impl Iterator<Item = f64>) -> f64 {
    let mut cells: Vec<f64> = cells.collect();
    let middle = cells.len() / 2;
    cells.sort_unstable_by(f64::total_cmp);
    match cells.len() {
        0 => 0.0,
        n if n % 2 == 0 => 0.5 * (cells[middle - 1] + cells[middle]),
        _ => cells[middle],
    }
}
