//! The ten metrics of a set of probabilities.
//!
//! All of them take a weight per row (1 for plain rows; the bootstrap gives counts) and read the rows in order of
//! falling score, sorted once.

use thalweg_domain::{Error, Result};

/// The metrics in the order in which they are reported.
pub const METRIC_NAMES: [&str; 10] = [
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
];

/// Probabilities are kept this far from 0 and 1 in the log loss (f64's epsilon, as scikit-learn does).
const LOG_LOSS_MARGIN: f64 = f64::EPSILON;
/// Bins of equal width of the expected calibration error.
pub(super) const CALIBRATION_BINS: usize = 10;
/// From this probability on a row counts as predicted positive.
const THRESHOLD: f64 = 0.5;

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
struct Row {
    p: f64,
    positive: f64,
    log_loss: f64,
    gain: f64,
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
        let weight_of = |row: &Row| weight.map_or(1.0, |weight| weight[row.index]);
        let mut sums = Sums::default();
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
        sums.finish(self.top_decile(weight, sums.total * 0.1))
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

/// Running sums over rows.
#[derive(Default)]
struct Sums {
    total: f64,
    positives: f64,
    negatives_passed: f64,
    positives_passed: f64,
    pairs: f64,
    predicted: f64,
    hits: f64,
    log_loss: f64,
    brier: f64,
    gain: f64,
    bins: [(f64, f64); CALIBRATION_BINS],
}

impl Sums {
    fn add(&mut self, row: &Row, weight: f64) {
        let positive = weight * row.positive;
        self.total += weight;
        self.positives += positive;
        if row.p >= THRESHOLD {
            self.predicted += weight;
            self.hits += positive;
        }
        self.log_loss += weight * row.log_loss;
        self.brier += weight * (row.p - row.positive) * (row.p - row.positive);
        self.gain += weight * row.gain;
        let bin = &mut self.bins[bin_of(row.p)];
        bin.0 += weight * row.p;
        bin.1 += positive;
    }

    /// Pairs of a positive above a negative, with the tied ones counting half.
    fn close_tie(&mut self, (positives, negatives): (f64, f64)) {
        self.pairs += negatives * (self.positives_passed + 0.5 * positives);
        self.positives_passed += positives;
        self.negatives_passed += negatives;
    }

    fn finish(&self, top_positives: f64) -> Metrics {
        let ratio = |part: f64, whole: f64| if whole > 0.0 { part / whole } else { 0.0 };
        let (n, negatives) = (self.total, self.negatives_passed);
        let all_pairs = self.positives * negatives;
        let auc = if all_pairs > 0.0 {
            self.pairs / all_pairs
        } else {
            0.5
        };
        let true_negatives = negatives - (self.predicted - self.hits);
        let calibration: f64 = self
            .bins
            .iter()
            .map(|(predicted, observed)| (predicted - observed).abs())
            .sum();
        let lift = ratio(ratio(top_positives, 0.1 * n), ratio(self.positives, n));
        Metrics([
            auc,
            ratio(self.hits + true_negatives, n),
            ratio(self.hits, self.predicted),
            ratio(self.hits, self.positives),
            ratio(2.0 * self.hits, self.predicted + self.positives),
            self.log_loss / n,
            self.brier / n,
            calibration / n,
            lift,
            self.gain / n,
        ])
    }
}
