//! Running sums over rows by falling score, from which every two-class metric follows in one pass.

use super::metrics::{CALIBRATION_BINS, KEPT_SPECIFICITY, Metrics, Row, THRESHOLD, bin_of};
use super::profit::{EmpcParams, RocHull};

/// Slack for a false positive rate that a threshold just keeps.
const RATE_SLACK: f64 = 1e-12;

pub(super) struct Sums {
    total: f64,
    positives: f64,
    negatives_passed: f64,
    positives_passed: f64,
    pairs: f64,
    precision_by_recall: f64,
    sensitivity: f64,
    hull: RocHull,
    predicted: f64,
    hits: f64,
    log_loss: f64,
    brier: f64,
    gain: f64,
    bins: [Bin; CALIBRATION_BINS],
}

#[derive(Clone, Copy, Default)]
struct Bin {
    weight: f64,
    predicted: f64,
    observed: f64,
}

fn ratio(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 0.0 }
}

impl Sums {
    pub(super) fn new(total: f64, positives: f64) -> Self {
        Self {
            total,
            positives,
            negatives_passed: 0.0,
            positives_passed: 0.0,
            pairs: 0.0,
            precision_by_recall: 0.0,
            sensitivity: 0.0,
            hull: RocHull::new(),
            predicted: 0.0,
            hits: 0.0,
            log_loss: 0.0,
            brier: 0.0,
            gain: 0.0,
            bins: [Bin::default(); CALIBRATION_BINS],
        }
    }

    pub(super) fn add(&mut self, row: &Row, weight: f64) {
        let positive = weight * row.positive;
        if row.p >= THRESHOLD {
            self.predicted += weight;
            self.hits += positive;
        }
        self.log_loss += weight * row.log_loss;
        self.brier += weight * (row.p - row.positive) * (row.p - row.positive);
        self.gain += weight * row.gain;
        let bin = &mut self.bins[bin_of(row.p)];
        bin.weight += weight;
        bin.predicted += weight * row.p;
        bin.observed += positive;
    }

    /// Takes in the rows of one score: pairs of a positive above a negative (tied ones count half), the next point of
    /// the precision-recall curve and of the ROC curve.
    pub(super) fn close_tie(&mut self, (positives, negatives): (f64, f64)) {
        if positives + negatives <= 0.0 {
            return;
        }
        self.pairs += negatives * (self.positives_passed + 0.5 * positives);
        self.positives_passed += positives;
        self.negatives_passed += negatives;
        let passed = self.positives_passed + self.negatives_passed;
        self.precision_by_recall += positives * self.positives_passed / passed;
        let false_rate = ratio(self.negatives_passed, self.total - self.positives);
        if false_rate <= 1.0 - KEPT_SPECIFICITY + RATE_SLACK {
            self.sensitivity = ratio(self.positives_passed, self.positives);
        }
        self.hull.push(self.negatives_passed, self.positives_passed);
    }

    pub(super) fn finish(mut self, top_positives: f64) -> Metrics {
        let (n, negatives) = (self.total, self.negatives_passed);
        let all_pairs = self.positives * negatives;
        let auc = if all_pairs > 0.0 {
            self.pairs / all_pairs
        } else {
            0.5
        };
        let true_negatives = negatives - (self.predicted - self.hits);
        let (recall, specificity) = (ratio(self.hits, self.positives), ratio(true_negatives, negatives));
        let classes = f64::from(u8::from(self.positives > 0.0) + u8::from(negatives > 0.0));
        let gap = |bin: &Bin| (bin.predicted - bin.observed).abs();
        let calibration: f64 = self.bins.iter().map(gap).sum();
        let base_rate = ratio(self.positives, n);
        let (reliability, resolution) = self.murphy(base_rate);
        let profit = std::mem::replace(&mut self.hull, RocHull::new())
            .expected_maximum_profit(&EmpcParams::default())
            .profit_per_customer;
        Metrics([
            auc,
            ratio(self.hits + true_negatives, n),
            ratio(self.hits, self.predicted),
            recall,
            ratio(2.0 * self.hits, self.predicted + self.positives),
            self.log_loss / n,
            self.brier / n,
            calibration / n,
            ratio(ratio(top_positives, 0.1 * n), base_rate),
            self.gain / n,
            ratio(recall + specificity, classes),
            specificity,
            ratio(self.precision_by_recall, self.positives),
            self.sensitivity,
            reliability / n,
            resolution / n,
            base_rate * (1.0 - base_rate),
            0.0,
            0.0,
            profit,
        ])
    }

    /// Weighted sums of the squared distances of each bin's share from its mean probability and from the base rate.
    fn murphy(&self, base_rate: f64) -> (f64, f64) {
        let filled = self.bins.iter().filter(|bin| bin.weight > 0.0);
        filled.fold((0.0, 0.0), |(reliability, resolution), bin| {
            let (predicted, observed) = (bin.predicted / bin.weight, bin.observed / bin.weight);
            (
                reliability + bin.weight * (predicted - observed).powi(2),
                resolution + bin.weight * (observed - base_rate).powi(2),
            )
        })
    }
}
