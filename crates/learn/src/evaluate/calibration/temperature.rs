//! Temperature scaling: one number that makes the probabilities of several classes bolder or more timid.

use serde::{Deserialize, Serialize};
use thalweg_domain::Result;

use crate::evaluate::input::{check_finite, check_same};
use crate::evaluate::multiclass::check_codes;

const MAX_STEPS: usize = 100;
/// Inverse temperatures stay within these: classes that are told apart without fault would make it infinite.
const RANGE: (f64, f64) = (1e-3, 1e3);

/// Divides a model's logits before the softmax (Guo et al. 2017, <https://proceedings.mlr.press/v70/guo17a.html>). The
/// order of the classes never changes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Temperature {
    /// Above 0; 1 changes nothing, more is more timid.
    pub temperature: f64,
}

impl Temperature {
    /// The temperature with the lowest log loss: convex in its inverse, found by safeguarded Newton steps.
    ///
    /// `logits`: `n_classes` per row, row after row, out of fold; `y`: the class of each row; `weight`: all 1 for none.
    ///
    /// # Errors
    /// `TW0303` without rows; `TW0320` for logits that are not numbers or classes that do not exist.
    pub fn fit(logits: &[f64], n_classes: usize, y: &[u32], weight: Option<&[f64]>) -> Result<Self> {
        check_same(&[logits.len(), y.len() * n_classes])?;
        check_finite("logit", logits)?;
        check_codes(y, n_classes)?;
        let (mut low, mut high) = RANGE;
        let mut inverse = 1.0_f64;
        for _ in 0..MAX_STEPS {
            let (slope, curve) = derivatives(logits, n_classes, y, weight, inverse);
            if slope > 0.0 {
                high = inverse;
            } else {
                low = inverse;
            }
            let newton = inverse - slope / curve;
            let next = if newton > low && newton < high {
                newton
            } else {
                (low * high).sqrt()
            };
            let done = (next - inverse).abs() <= 1e-14 * inverse;
            inverse = next;
            if done {
                break;
            }
        }
        Ok(Self {
            temperature: 1.0 / inverse,
        })
    }

    /// The probabilities of one row's classes, in place of its logits.
    pub fn apply(&self, logits: &mut [f64]) {
        let highest = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        logits
            .iter_mut()
            .for_each(|logit| *logit = ((*logit - highest) / self.temperature).exp());
        let total: f64 = logits.iter().sum();
        logits.iter_mut().for_each(|p| *p /= total);
    }
}

/// First and second derivative of the log loss in the inverse temperature: over rows, the mean logit under the softmax
/// less the true class's, and the variance of the logits.
fn derivatives(
    logits: &[f64],
    n_classes: usize,
    y: &[u32],
    weight: Option<&[f64]>,
    inverse: f64,
) -> (f64, f64) {
    let mut p = vec![0.0; n_classes];
    let (mut slope, mut curve) = (0.0, 0.0);
    for (place, (row, y)) in logits.chunks_exact(n_classes).zip(y).enumerate() {
        p.copy_from_slice(row);
        Temperature {
            temperature: 1.0 / inverse,
        }
        .apply(&mut p);
        let mean: f64 = row.iter().zip(&p).map(|(logit, p)| logit * p).sum();
        let variance: f64 = row
            .iter()
            .zip(&p)
            .map(|(logit, p)| p * (logit - mean) * (logit - mean))
            .sum();
        let weight = weight.map_or(1.0, |weight| weight[place]);
        slope += weight * (mean - row[*y as usize]);
        curve += weight * variance;
    }
    (slope, curve)
}
