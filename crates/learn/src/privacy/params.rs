//! What can be set about private training: the keys of `[model.mlp.privacy]`.

use serde::{Deserialize, Serialize};
use thalweg_domain::{Error, Result};

use super::accountant::{check_delta, noise_multiplier_for};
use super::noise::PrivacyKey;

/// Parameters of private training. The defaults are meant for a few thousand customers and more.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PrivacyParams {
    /// The budget, in (0, 100]: the noise is the least that keeps within it. Not used when `noise_multiplier` is given.
    pub epsilon: f64,
    /// The probability with which epsilon may fail, in (0, 1); below one over the number of customers.
    pub delta: f64,
    /// The Euclidean norm that a customer's gradient is scaled down to where it is longer, above 0.
    pub clip: f64,
    /// The noise's standard deviation over `clip`, at least 0.02, instead of a budget.
    pub noise_multiplier: Option<f64>,
    /// Expected customers per step, at least 1; `None`: 512, or a hundredth of them if that is more.
    pub batch: Option<usize>,
    /// Expected times that a customer is seen, at least 1.
    pub epochs: usize,
    /// Step size; `None`: 2 for `gd` and `sgd`, a tenth of it with momentum, a hundredth for Adam. Clipped gradients are short, so
    /// it is larger than in plain training.
    pub learning_rate: Option<f64>,
    /// The secret key of the noise; `None`: one that follows from the seed, which can be repeated and guarantees nothing to
    /// those who know the seed. It is never stored.
    #[serde(skip)]
    pub key: Option<PrivacyKey>,
}

impl Default for PrivacyParams {
    fn default() -> Self {
        Self {
            epsilon: 3.0,
            delta: 1e-5,
            clip: 1.0,
            noise_multiplier: None,
            batch: None,
            epochs: 40,
            learning_rate: None,
            key: None,
        }
    }
}

impl PrivacyParams {
    /// Checks the ranges.
    ///
    /// # Errors
    /// `TW0330` with the key, its value and its range.
    pub fn check(&self) -> Result<()> {
        let positive = |number: f64| number > 0.0 && number.is_finite();
        within(
            "epsilon",
            self.epsilon,
            positive(self.epsilon) && self.epsilon <= 100.0,
            "above 0 and at most 100",
        )?;
        check_delta(self.delta)?;
        within(
            "clip",
            self.clip,
            positive(self.clip) && self.clip <= 1e6,
            "above 0, 1 is usual",
        )?;
        let noise = self.noise_multiplier.unwrap_or(1.0);
        within(
            "noise_multiplier",
            noise,
            noise >= 0.02 && noise.is_finite(),
            "of at least 0.02",
        )?;
        let batch = self.batch.unwrap_or(1);
        within("batch", batch as f64, batch >= 1, "of at least 1")?;
        within("epochs", self.epochs as f64, self.epochs >= 1, "of at least 1")?;
        let rate = self.learning_rate.unwrap_or(1.0);
        within(
            "learning_rate",
            rate,
            positive(rate) && rate <= 100.0,
            "above 0 and at most 100",
        )
    }

    /// With how much probability each of `n` customers joins a step, and how many steps there are.
    pub(crate) fn plan(&self, n: usize) -> (f64, usize) {
        let batch = self.batch.unwrap_or_else(|| 512.max(n / 100));
        let rate = (batch as f64 / n.max(1) as f64).min(1.0);
        (rate, (self.epochs as f64 / rate).round().max(1.0) as usize)
    }

    /// The noise multiplier: the one given, or the least that keeps the budget.
    ///
    /// # Errors
    /// `TW0331` when no noise is enough.
    pub(crate) fn noise(&self, sample_rate: f64, steps: usize) -> Result<f64> {
        match self.noise_multiplier {
            Some(noise) => Ok(noise),
            None => noise_multiplier_for(self.epsilon, sample_rate, steps, self.delta),
        }
    }
}

fn within(key: &str, value: f64, fits: bool, range: &str) -> Result<()> {
    if fits {
        return Ok(());
    }
    let message = format!("[model.mlp.privacy] {key} = {value} cannot be used");
    Err(Error::new("TW0330", message).hint(format!("give a number {range}")))
}
