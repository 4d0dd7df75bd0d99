//! What can be set about the net, with ranges and defaults: the keys of `[model.mlp]`.

use serde::{Deserialize, Serialize};
use thalweg_domain::{Error, Result};

/// What training minimises, averaged over the rows of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Loss {
    /// `-y ln p - (1 - y) ln(1 - p)`.
    CrossEntropy,
    /// Half the squared error, `(p - y)^2 / 2`.
    Mse,
}

/// How a gradient becomes a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Optimizer {
    /// `w -= rate * g`.
    Sgd,
    /// Heavy ball with factor 0.9: `v = 0.9 v - rate * g; w += v`.
    Momentum,
    /// Adam with 0.9, 0.999 and 1e-7 (Kingma and Ba, arXiv 1412.6980).
    Adam,
}

/// Parameters of the net. The defaults are the reference net.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MlpParams {
    /// Units of each hidden layer, first to last; 1 to 4096 each, at most 8 layers, none is a logistic regression.
    pub hidden: Vec<usize>,
    /// Share of the hidden units switched off for each row of a batch, in [0, 0.95].
    pub dropout: f64,
    /// What is minimised.
    pub loss: Loss,
    /// How steps are taken.
    pub optimizer: Optimizer,
    /// Step size, in (0, 10].
    pub learning_rate: f64,
    /// Rows per step, at least 1.
    pub batch: usize,
    /// Passes over the training rows, at least 1.
    pub epochs: usize,
    /// Share of the rows kept for early stopping, in [0, 0.9]; 0 is no early stopping.
    pub validation: f64,
    /// Epochs without a better validation loss after which training stops.
    pub patience: usize,
}

impl Default for MlpParams {
    fn default() -> Self {
        Self {
            hidden: vec![64],
            dropout: 0.5,
            loss: Loss::CrossEntropy,
            optimizer: Optimizer::Sgd,
            learning_rate: 0.01,
            batch: 32,
            epochs: 100,
            validation: 0.2,
            patience: 5,
        }
    }
}

impl MlpParams {
    /// Checks the ranges.
    ///
    /// # Errors
    /// `TW0307` with the key, its value and its range.
    pub fn check(&self) -> Result<()> {
        let ranges: [(&str, f64, bool, &str); 7] = [
            (
                "dropout",
                self.dropout,
                (0.0..=0.95).contains(&self.dropout),
                "a share between 0 and 0.95",
            ),
            (
                "learning_rate",
                self.learning_rate,
                self.learning_rate > 0.0 && self.learning_rate <= 10.0,
                "a number above 0 and at most 10",
            ),
            ("batch", self.batch as f64, self.batch >= 1, "at least 1"),
            ("epochs", self.epochs as f64, self.epochs >= 1, "at least 1"),
            (
                "validation",
                self.validation,
                (0.0..=0.9).contains(&self.validation),
                "a share between 0 and 0.9",
            ),
            ("patience", self.patience as f64, self.patience >= 1, "at least 1"),
            (
                "hidden layers",
                self.hidden.len() as f64,
                self.hidden.len() <= 8,
                "at most 8",
            ),
        ];
        for (key, value, fits, range) in ranges {
            if !fits {
                return Err(out_of_range(key, value, range));
            }
        }
        match self.hidden.iter().find(|units| !(1..=4096).contains(*units)) {
            Some(units) => Err(out_of_range(
                "hidden",
                *units as f64,
                "between 1 and 4096 units a layer",
            )),
            None => Ok(()),
        }
    }
}

fn out_of_range(key: &str, value: f64, range: &str) -> Error {
    Error::new("TW0307", format!("[model.mlp] {key} = {value} cannot be used"))
        .hint(format!("give {range}; the defaults are the reference net"))
}
