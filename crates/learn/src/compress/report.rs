//! What a compression saves and costs.

use thalweg_domain::{Error, Estimate, Result};

use crate::evaluate::{auc_difference, auc_with_error};
use crate::task::Task;

/// Sizes, and the loss of accuracy with its interval. Speed is for the caller to measure: both models score through
/// [`crate::outcome::OutcomeModel::predict_all`].
#[derive(Debug, Clone, PartialEq)]
pub struct CompressionReport {
    /// `int8`, `pruned` or `distilled`.
    pub to: String,
    /// Bytes of the model as JSON.
    pub bytes_before: usize,
    /// Bytes of the compressed model as JSON.
    pub bytes_after: usize,
    /// Bytes of the nets' numbers alone: 4 for each of a net's parameters, whatever the compressed form packs; `None` where the
    /// model is not all nets.
    pub net_bytes: Option<(usize, usize)>,
    /// `auc` for two classes, `accuracy` for several, `r2` for numbers.
    pub metric: String,
    /// The metric of models like the one before, on rows that they had not seen: mean over the folds.
    pub before: f64,
    /// The same of the compressed ones.
    pub after: f64,
    /// `before - after` with a 95 % interval from the differences within rows (AUC: DeLong's paired one).
    pub loss: Estimate,
}

impl CompressionReport {
    /// Whether the compressed model may replace the one before: the whole interval of the loss lies within the bound.
    ///
    /// # Errors
    /// `TW0333` when the loss may be larger than `bound` (in units of the metric).
    pub fn replaces_champion(&self, bound: f64) -> Result<()> {
        if self.loss.high <= bound {
            return Ok(());
        }
        let message = format!(
            "the {} model loses {:.4} of {} (up to {:.4}), more than the bound of {bound}",
            self.to, self.loss.mean, self.metric, self.loss.high
        );
        Err(Error::new("TW0333", message)
            .hint("keep the model as it is, compress it less, or raise the bound if you accept the loss"))
    }
}

/// A fold's scores by the model before and after, with the outcomes.
#[derive(Debug, Clone)]
pub(crate) struct FoldScores {
    pub(crate) before: Vec<f64>,
    pub(crate) after: Vec<f64>,
    pub(crate) target: Vec<f64>,
    pub(crate) group: Vec<u64>,
}

/// Metric before, after, and the loss with its standard error.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Loss {
    pub(crate) before: f64,
    pub(crate) after: f64,
    pub(crate) loss: f64,
    pub(crate) error: f64,
}

pub(super) const fn metric_of(task: &Task) -> &'static str {
    match task {
        Task::Binary => "auc",
        Task::Class { .. } => "accuracy",
        Task::Value => "r2",
    }
}

/// The mean over the folds; their errors are independent given the models.
pub(crate) fn mean_loss(task: &Task, folds: &[FoldScores]) -> Loss {
    let each: Vec<Loss> = folds.iter().map(|fold| fold_loss(task, fold)).collect();
    let n = each.len().max(1) as f64;
    let mean = |of: fn(&Loss) -> f64| each.iter().map(of).sum::<f64>() / n;
    Loss {
        before: mean(|loss| loss.before),
        after: mean(|loss| loss.after),
        loss: mean(|loss| loss.loss),
        error: each
            .iter()
            .map(|loss| loss.error * loss.error)
            .sum::<f64>()
            .sqrt()
            / n,
    }
}

fn fold_loss(task: &Task, fold: &FoldScores) -> Loss {
    match task {
        Task::Binary => {
            let y: Vec<bool> = fold.target.iter().map(|target| *target > 0.5).collect();
            let (loss, error) = auc_difference(&fold.before, &fold.after, &y, &fold.group);
            let (before, _) = auc_with_error(&fold.before, &y, &fold.group);
            Loss {
                before,
                after: before - loss,
                loss,
                error,
            }
        }
        Task::Class { classes } => {
            let hits = |scores: &[f64]| -> Vec<f64> {
                let rows = scores.chunks_exact(classes.len()).zip(&fold.target);
                rows.map(|(row, target)| f64::from(u8::from(most_likely(row) == *target as usize)))
                    .collect()
            };
            paired(&hits(&fold.before), &hits(&fold.after), &fold.group)
        }
        Task::Value => {
            let n = fold.target.len().max(1) as f64;
            let mean = fold.target.iter().sum::<f64>() / n;
            let spread = fold.target.iter().map(|y| (y - mean).powi(2)).sum::<f64>() / n;
            let fits = |scores: &[f64]| -> Vec<f64> {
                let rows = scores.iter().zip(&fold.target);
                rows.map(|(score, y)| 1.0 - (score - y).powi(2) / spread.max(f64::MIN_POSITIVE))
                    .collect()
            };
            paired(&fits(&fold.before), &fits(&fold.after), &fold.group)
        }
    }
}

fn most_likely(scores: &[f64]) -> usize {
    (0..scores.len())
        .max_by(|a, b| scores[*a].total_cmp(&scores[*b]).then(b.cmp(a)))
        .unwrap_or_default()
}

/// The mean difference of the rows' own figures, with an error by customer.
fn paired(before: &[f64], after: &[f64], group: &[u64]) -> Loss {
    let n = before.len().max(1) as f64;
    let mean = |of: &[f64]| of.iter().sum::<f64>() / n;
    let loss = mean(before) - mean(after);
    let mut sums = std::collections::BTreeMap::new();
    for ((before, after), group) in before.iter().zip(after).zip(group) {
        *sums.entry(*group).or_insert(0.0) += before - after - loss;
    }
    let k = sums.len() as f64;
    let spread: f64 = sums.values().map(|sum: &f64| sum * sum).sum();
    let correction = if k > 1.0 { k / (k - 1.0) } else { 0.0 };
    Loss {
        before: mean(before),
        after: mean(after),
        loss,
        error: (correction * spread).sqrt() / n,
    }
}
