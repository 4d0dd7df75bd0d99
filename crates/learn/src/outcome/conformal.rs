//! Conformal quantiles from out-of-fold predictions: intervals for values, sets of classes.

use serde::{Deserialize, Serialize};
use thalweg_domain::Result;

use crate::evaluate::ValueConformal;
use crate::task::{Target, Task};

/// Coverages that quantiles are kept for.
const COVERAGES: [f64; 5] = [0.5, 0.8, 0.9, 0.95, 0.99];

/// How far off predictions are with a given probability.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ConformalQuantile {
    /// The share of new rows that it covers, if they are like those of training.
    pub coverage: f64,
    /// For values the distance from the prediction, for classes 1 minus the probability of the true class. None when
    /// there are too few rows to promise the coverage.
    pub quantile: Option<f64>,
}

/// The quantiles of `rows` and their out-of-fold predictions (see [`ValueConformal`]). Pooled over folds, as in
/// cross-conformal prediction (Vovk 2015, doi:10.1007/s10472-013-9368-4).
///
/// # Errors
/// `TW0320` for predictions that are not numbers.
pub(super) fn quantiles(
    predictions: &[f64],
    target: &Target<'_>,
    rows: &[usize],
) -> Result<Vec<ConformalQuantile>> {
    let task = target.task();
    let misses: Vec<f64> = predictions
        .chunks_exact(task.n_outputs().max(1))
        .zip(rows)
        .map(|(prediction, row)| miss(&task, prediction, target.number(*row)))
        .collect();
    let none = vec![0.0; misses.len()];
    COVERAGES
        .iter()
        .map(|coverage| {
            Ok(ConformalQuantile {
                coverage: *coverage,
                quantile: ValueConformal::fit(&misses, &none, None, *coverage)?.reach,
            })
        })
        .collect()
}

fn miss(task: &Task, prediction: &[f64], target: f64) -> f64 {
    match task {
        Task::Binary if target > 0.5 => 1.0 - prediction[0],
        Task::Binary => prediction[0],
        Task::Class { .. } => 1.0 - prediction[target as usize],
        Task::Value => (prediction[0] - target).abs(),
    }
}
