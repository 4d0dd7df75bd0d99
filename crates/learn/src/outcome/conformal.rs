//! Conformal quantiles from out-of-fold predictions: intervals for values, sets of classes.

use serde::{Deserialize, Serialize};

use crate::task::{Target, Task};

/// Coverages that quantiles are kept for.
const COVERAGES: [f64; 5] = [0.5, 0.8, 0.9, 0.95, 0.99];

/// How far off predictions are with a given probability.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ConformalQuantile {
    /// The least share of new rows that it covers.
    pub coverage: f64,
    /// For values the distance from the prediction, for classes 1 minus the probability of the true class. None when
    /// there are too few rows to promise the coverage.
    pub quantile: Option<f64>,
}

/// The `ceil((n + 1) coverage)`-th smallest score of n rows (Vovk, Gammerman and Shafer 2005; Lei et al. 2018,
/// doi:10.1080/01621459.2017.1307116). Pooled over folds, as in cross-conformal prediction (Vovk 2015,
/// doi:10.1007/s10472-013-9368-4): the promise is exact for a model fitted once and holds closely for folds. It
/// assumes that new rows are like these.
pub(super) fn quantiles(predictions: &[f64], target: &Target<'_>, rows: &[usize]) -> Vec<ConformalQuantile> {
    let n_outputs = target.task().n_outputs();
    let mut scores: Vec<f64> = predictions
        .chunks_exact(n_outputs.max(1))
        .zip(rows)
        .map(|(prediction, row)| score(&target.task(), prediction, target.number(*row)))
        .collect();
    scores.sort_by(f64::total_cmp);
    COVERAGES
        .iter()
        .map(|coverage| {
            let rank = ((scores.len() + 1) as f64 * coverage).ceil() as usize;
            let quantile = rank.checked_sub(1).and_then(|place| scores.get(place).copied());
            ConformalQuantile {
                coverage: *coverage,
                quantile,
            }
        })
        .collect()
}

fn score(task: &Task, prediction: &[f64], target: f64) -> f64 {
    match task {
        Task::Binary if target > 0.5 => 1.0 - prediction[0],
        Task::Binary => prediction[0],
        Task::Class { .. } => 1.0 - prediction[target as usize],
        Task::Value => (prediction[0] - target).abs(),
    }
}
