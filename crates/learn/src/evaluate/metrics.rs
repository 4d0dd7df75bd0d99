//! The metrics of a set of probabilities against two-class outcomes.
//!
//! All of them take a weight per row (1 for plain rows; the bootstrap gives counts) and read the rows in order of
//! falling score, sorted once.

use thalweg_domain::{Error, Result};

use super::recalibration::recalibration;
use super::sums::Sums;

/// The metrics in the order in which they are reported.
pub const METRIC_NAMES: [&str; 20] = [
    "auc",
    "accuracy",
    "precision",
    "recall",
    "f1",
    "log_loss",
    "brier",
    "calibration_error",
    "top_decile_lift",
    "profit_per_customer",
    "balanced_accuracy",
    "specificity",
    "average_precision",
    "sensitivity_at_specificity",
    "brier_reliability",
    "brier_resolution",
    "brier_uncertainty",
    "calibration_slope",
    "calibration_intercept",
    "expected_maximum_profit",
];
/// Position of the calibration slope in [`METRIC_NAMES`]; the intercept follows it.
pub(super) const SLOPE: usize = 17;

/// Probabilities are kept this far from 0 and 1 in the log loss (f64's epsilon, as scikit-learn does).
const LOG_LOSS_MARGIN: f64 = f64::EPSILON;
/// Bins of equal width of the expected calibration error.
pub(super) const CALIBRATION_BINS: usize = 10;
/// From this probability on a row counts as predicted positive.
pub(super) const THRESHOLD: f64 = 0.5;
/// The specificity that `sensitivity_at_specificity` keeps to.
pub const KEPT_SPECIFICITY: f64 = 0.9;

/// What treating somebody is worth: the terms of `profit_per_customer`.
#[derive(Debug, Clone, Copy)]
pub struct Economics<'a> {
    /// Money at stake per row, in the workspace currency.
    pub value: &'a [f64],
    /// Cost of one contact.
    pub contact_cost: f64,
    /// Share of the risk that a contact takes away (or of the conversion rate that it adds).
    pub relative_effect: f64,
}

/// The value of each metric, in the order of [`METRIC_NAMES`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Metrics(pub [f64; METRIC_NAMES.len()]);

impl Metrics {
    /// The metric of that name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<f64> {
        METRIC_NAMES
            .iter()
            .zip(self.0)
            .find(|(own, _)| **own == name)
            .map(|(_, value)| value)
    }
}

/// Computes every metric of probabilities against outcomes.
///
/// * `auc`: P(score of a positive > score of a negative), ties count half; 0.5 without both classes.
/// * `accuracy`, `precision`, `recall`, `f1`: at the threshold 0.5; 0 where nothing is predicted or there.
/// * `log_loss`: mean of `-y ln p - (1-y) ln(1-p)`, p clipped to f64's epsilon. `brier`: mean of `(p - y)^2`.
/// * `calibration_error`: over ten bins of equal width, the mean of |mean p - share of positives|, by rows
///   (expected calibration error; Naeini et al. 2015).
/// * `top_decile_lift`: share of positives in the tenth with the highest scores over that in all; rows that tie
///   with the last one in it count in part.
/// * `profit_per_customer`: treat every row with `p * relative_effect * value > contact_cost`; the mean over all
///   rows of `y * relative_effect * value - contact_cost` of those treated. It takes the assumed effect as true.
/// * `balanced_accuracy`: the mean of recall and specificity at 0.5, over the classes that are there (Brodersen et
///   al. 2010, doi:10.1109/ICPR.2010.764). `specificity`: share of the negatives below 0.5; 0 without negatives.
/// * `average_precision`: the sum over falling thresholds of precision times the rise in recall; 0 without positives.
/// * `sensitivity_at_specificity`: the highest recall of any threshold that keeps [`KEPT_SPECIFICITY`].
/// * `brier_reliability`, `brier_resolution`, `brier_uncertainty`: Murphy's (1973) parts of the Brier score over the
///   ten bins of the calibration error; `reliability - resolution + uncertainty` is the Brier score but for what
///   varies inside a bin, which [`super::brier_decomposition`] gives as well.
/// * `calibration_slope`, `calibration_intercept`: see [`super::recalibration`]; 1 and 0 are perfect.
/// * `expected_maximum_profit`: per customer, see [`super::expected_maximum_profit`], with that paper's parameters.
///
/// `p` in [0, 1], `y` and `economics.value` have one entry per row.
///
/// # Errors
/// `TW0304` for a probability or value that is not a number; `TW0303` without rows; `TW0901` when lengths differ.
pub fn metrics(p: &[f64], y: &[bool], economics: &Economics<'_>) -> Result<Metrics> {
    Ok(Sorted::new(p, y, economics)?.metrics(None))
}

/// Mean log loss, weighted.
pub(super) fn log_loss(p: &[f64], y: &[bool], weight: &[f64]) -> f64 {
    let total: f64 = weight.iter().sum();
    let sum: f64 = p
        .iter()
        .zip(y)
        .zip(weight)
        .map(|((p, y), weight)| weight * row_log_loss(*p, *y))
        .sum();
    sum / total
}

fn row_log_loss(p: f64, y: bool) -> f64 {
    let p = p.clamp(LOG_LOSS_MARGIN, 1.0 - LOG_LOSS_MARGIN);
    -(if y { p } else { 1.0 - p }).ln()
}

/// The calibration bin of a probability: the last one includes 1.
pub(super) fn bin_of(p: f64) -> usize {
    ((p * CALIBRATION_BINS as f64) as usize).min(CALIBRATION_BINS - 1)
}

/// One row as every replicate needs it.
#[derive(Clone, Copy)]
pub(super) struct Row {
    pub(super) p: f64,
    pub(super) positive: f64,
    pub(super) log_loss: f64,
    pub(super) gain: f64,
    index: usize,
}

/// Rows by falling score.
pub(super) struct Sorted {
    rows: Vec<Row>,
}

impl Sorted {
    pub(super) fn new(p: &[f64], y: &[bool], economics: &Economics<'_>) -> Result<Self> {
        let value = economics.value;
        if p.len() != y.len() || p.len() != value.len() {
            let message = format!(
                "internal error: {} scores, {} outcomes, {} values",
                p.len(),
                y.len(),
                value.len()
            );
            return Err(Error::new("TW0901", message));
        }
        if p.is_empty() {
            return Err(
                Error::new("TW0303", "there are no rows to evaluate").hint("check the source of the table")
            );
        }
        if p.iter().any(|p| !(0.0..=1.0).contains(p)) || value.iter().any(|value| !value.is_finite()) {
            return Err(
                Error::new("TW0304", "a probability or a value to evaluate is not a number")
                    .hint("check [outcome] value: it must give a number for every customer"),
            );
        }
        let mut rows: Vec<Row> = (0..p.len())
            .map(|index| row(p[index], y[index], economics, index))
            .collect();
        rows.sort_by(|a, b| b.p.total_cmp(&a.p));
        Ok(Self { rows })
    }

    /// The metrics with these weights by original row (all 1 for none).
    pub(super) fn metrics(&self, weight: Option<&[f64]>) -> Metrics {
        let mut metrics = self.replicate(weight);
        let fit = recalibration(&self.scores(), weight);
        metrics.0[SLOPE] = fit.slope;
        metrics.0[SLOPE + 1] = fit.intercept;
        metrics
    }

    /// The metrics but for slope and intercept, which stay 0: their errors have a formula and need no resampling.
    pub(super) fn replicate(&self, weight: Option<&[f64]>) -> Metrics {
        let weight_of = |row: &Row| weight.map_or(1.0, |weight| weight[row.index]);
        let total: f64 = self.rows.iter().map(weight_of).sum();
        let positives: f64 = self.rows.iter().map(|row| weight_of(row) * row.positive).sum();
        let mut sums = Sums::new(total, positives);
        let mut tie = (0.0, 0.0);
        let mut last = f64::NAN;
        for row in &self.rows {
            let weight = weight_of(row);
            if row.p != last {
                sums.close_tie(tie);
                tie = (0.0, 0.0);
                last = row.p;
            }
            let positive = weight * row.positive;
            tie.0 += positive;
            tie.1 += weight - positive;
            sums.add(row, weight);
        }
        sums.close_tie(tie);
        sums.finish(self.top_decile(weight, total * 0.1))
    }

    /// Probabilities and outcomes in the order of the table.
    fn scores(&self) -> Vec<(f64, bool)> {
        let mut scores = vec![(0.0, false); self.rows.len()];
        for row in &self.rows {
            scores[row.index] = (row.p, row.positive > 0.5);
        }
        scores
    }

    /// Positives among the first `size` rows by weight; a tie that crosses the border counts in part.
    fn top_decile(&self, weight: Option<&[f64]>, size: f64) -> f64 {
        let (mut taken, mut positives) = (0.0, 0.0);
        for tie in self.rows.chunk_by(|a, b| a.p == b.p) {
            let (mut rows, mut positive) = (0.0, 0.0);
            for row in tie {
                let weight = weight.map_or(1.0, |weight| weight[row.index]);
                rows += weight;
                positive += weight * row.positive;
            }
            if taken + rows >= size {
                let share = if rows > 0.0 { (size - taken) / rows } else { 0.0 };
                return positives + positive * share;
            }
            taken += rows;
            positives += positive;
        }
        positives
    }
}

fn row(p: f64, y: bool, economics: &Economics<'_>, index: usize) -> Row {
    let at_stake = economics.relative_effect * economics.value[index];
    let treated = p * at_stake > economics.contact_cost;
    let gain = if treated {
        f64::from(y) * at_stake - economics.contact_cost
    } else {
        0.0
    };
    Row {
        p,
        positive: f64::from(y),
        log_loss: row_log_loss(p, y),
        gain,
        index,
    }
}
