//! From a model's scores to probabilities that mean what they say.
//!
//! Two classes: identity, Platt's sigmoid, a beta map or an isotonic curve, chosen out of fold. Several classes:
//! temperature scaling.

mod choose;
mod fit;
mod isotonic;
mod temperature;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use crate::models::sigmoid;

pub(crate) use choose::{OutOfFold, choose_calibrator};
pub(crate) use fit::fit_logistic;
pub(crate) use isotonic::isotonic_fit;
#[cfg(test)]
pub(crate) use isotonic::isotonic_shares;
pub use temperature::Temperature;

/// A monotone map from a model's log-odds to a probability.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Calibrator {
    /// `1 / (1 + exp(-margin))`: the model's own probability.
    Identity,
    /// `1 / (1 + exp(-(slope * margin + intercept)))` (Platt 1999).
    Platt {
        /// Factor of the log-odds, above 0.
        slope: f64,
        /// Added to them.
        intercept: f64,
    },
    /// `1 / (1 + exp(-(a ln p - b ln(1 - p) + c)))` with p the model's own probability (Kull, Silva Filho and Flach
    /// 2017, <https://proceedings.mlr.press/v54/kull17a.html>).
    Beta {
        /// Exponent of p, at least 0.
        a: f64,
        /// Exponent of 1 - p, at least 0.
        b: f64,
        /// Log of the ratio's factor.
        c: f64,
    },
    /// The pool-adjacent-violators fit (Zadrozny and Elkan 2002), flat within its
    /// blocks and linear between them.
    Isotonic {
        /// Lowest and highest log-odds of each block, rising.
        margins: Vec<f64>,
        /// Probability at each of them, not falling.
        probabilities: Vec<f64>,
    },
}

impl Calibrator {
    /// The probability for log-odds.
    #[must_use]
    pub fn apply(&self, margin: f64) -> f64 {
        match self {
            Self::Identity => sigmoid(margin),
            Self::Platt { slope, intercept } => sigmoid(slope * margin + intercept),
            Self::Beta { a, b, c } => {
                let [log_p, minus_log_rest] = fit::beta_features(margin);
                sigmoid(a * log_p + b * minus_log_rest + c)
            }
            Self::Isotonic {
                margins,
                probabilities,
            } => isotonic::interpolate(margins, probabilities, margin),
        }
    }

    /// `identity`, `platt`, `beta` or `isotonic`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Platt { .. } => "platt",
            Self::Beta { .. } => "beta",
            Self::Isotonic { .. } => "isotonic",
        }
    }
}
