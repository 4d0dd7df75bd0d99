//! What can be set about the linear models, with ranges and defaults.

use serde::{Deserialize, Serialize};
use thalweg_domain::{Error, Result};

/// Parameters of the linear models: logistic, softmax and ridge regression.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct LogisticParams {
    /// Ridge penalty on the standardised coefficients (not on the intercept), in the units of one row's log loss:
    /// the objective is `sum of losses + l2 / 2 * sum of squares`. Above 0, at most 1e6.
    pub l2: f64,
    /// Ridge penalty on the weights of text terms, in the same units; above 0, at most 1e6. `None`: chosen among five
    /// from 16 to 0.0625 by an inner cross-validation.
    pub text_l2: Option<f64>,
    /// Newton steps at most, at least 1; quasi-Newton ones (classes, text) may be 40 times as many.
    pub max_steps: usize,
    /// Stops when no coefficient moves by more, above 0.
    pub tolerance: f64,
}

impl Default for LogisticParams {
    fn default() -> Self {
        Self {
            l2: 1.0,
            text_l2: None,
            max_steps: 50,
            tolerance: 1e-8,
        }
    }
}

impl LogisticParams {
    /// Checks the ranges.
    ///
    /// # Errors
    /// `TW0307` with the parameter, its value and its range.
    pub fn check(&self) -> Result<()> {
        let ranges = [
            (
                "l2",
                self.l2,
                self.l2 > 0.0 && self.l2 <= 1e6,
                "above 0 and at most 1000000",
            ),
            (
                "text_l2",
                self.text_l2.unwrap_or(1.0),
                self.text_l2.is_none_or(|l2| l2 > 0.0 && l2 <= 1e6),
                "above 0 and at most 1000000",
            ),
            (
                "max_steps",
                self.max_steps as f64,
                self.max_steps >= 1,
                "of at least 1",
            ),
            (
                "tolerance",
                self.tolerance,
                self.tolerance > 0.0 && self.tolerance < 1.0,
                "between 0 and 1",
            ),
        ];
        for (key, value, fits, range) in ranges {
            if !fits {
                return Err(
                    Error::new("TW0307", format!("logistic {key} = {value} cannot be used"))
                        .hint(format!("give a number {range}")),
                );
            }
        }
        Ok(())
    }
}
