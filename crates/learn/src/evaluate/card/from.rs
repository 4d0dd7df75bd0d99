//! The parts of a card from what the evaluation found.

use thalweg_domain::{Check, CheckVerdict, Estimate};

use super::{
    CardCalibration, CardCheck, CardFairness, CardGroup, CardImportance, CardMetric, CardTest, CardThreshold,
};
use crate::evaluate::{
    CalibrationBin, FeatureImportance, TestPart, ThresholdChoice, ThresholdRule, interval_method,
};
use crate::fairness::{Comparison, FairnessReport, GroupRates};

impl CardMetric {
    /// An estimate under its name.
    #[must_use]
    pub fn new(name: &str, estimate: &Estimate, method: &str) -> Self {
        Self {
            name: name.to_owned(),
            mean: estimate.mean,
            ci95: [estimate.low, estimate.high],
            method: method.to_owned(),
        }
    }

    /// The metrics of an evaluation, with the method behind each interval.
    #[must_use]
    pub fn all(estimates: &[(&'static str, Estimate)]) -> Vec<Self> {
        let named = estimates.iter();
        named
            .map(|(name, estimate)| Self::new(name, estimate, interval_method(name).as_str()))
            .collect()
    }
}

impl From<&TestPart> for CardTest {
    fn from(test: &TestPart) -> Self {
        Self {
            rows: test.rows,
            metrics: CardMetric::all(&test.metrics),
        }
    }
}

/// A calibrator's name with the curve of its probabilities.
#[derive(Debug, Clone, Copy)]
pub struct Fitted<'a> {
    /// Such as `platt`, see [`crate::evaluate::Calibrator::name`].
    pub method: &'a str,
    /// Out of fold.
    pub curve: &'a [CalibrationBin],
}

impl From<Fitted<'_>> for CardCalibration {
    fn from(fitted: Fitted<'_>) -> Self {
        let bin = |bin: &CalibrationBin| (bin.predicted, bin.observed.mean, bin.n);
        Self {
            method: fitted.method.to_owned(),
            bins: fitted.curve.iter().map(bin).collect(),
        }
    }
}

impl From<&ThresholdChoice> for CardThreshold {
    fn from(choice: &ThresholdChoice) -> Self {
        let rule = match choice.rule {
            ThresholdRule::BreakEven => "where acting begins to earn more than it costs",
            ThresholdRule::MostProfitable => "the most profitable threshold, found on the other folds",
        };
        Self {
            threshold: choice.threshold.is_finite().then_some(choice.threshold),
            rule: rule.to_owned(),
            profit_per_customer: CardMetric::new("profit_per_customer", &choice.profit, "by customer"),
            gain_over_half: CardMetric::new("gain_over_half", &choice.gain_over_half, "by customer"),
        }
    }
}

impl From<&Check> for CardCheck {
    fn from(check: &Check) -> Self {
        let verdict = match check.verdict {
            CheckVerdict::Pass => "PASS",
            CheckVerdict::Review => "REVIEW",
            CheckVerdict::Fail => "FAIL",
        };
        Self {
            name: check.name.to_owned(),
            verdict: verdict.to_owned(),
            detail: check.detail.clone(),
            advice: check.advice.clone(),
        }
    }
}

impl From<&FairnessReport> for CardFairness {
    fn from(report: &FairnessReport) -> Self {
        let compared = |group: &GroupRates| report.comparisons.iter().find(|own| own.level == group.level);
        Self {
            column: report.column.clone(),
            reference: report.reference.clone(),
            check: CardCheck::from(&report.check),
            groups: report
                .groups
                .iter()
                .map(|group| card_group(group, compared(group)))
                .collect(),
        }
    }
}

fn card_group(group: &GroupRates, comparison: Option<&Comparison>) -> CardGroup {
    let ratio = comparison
        .map(|own| own.selection_ratio)
        .filter(|ratio| ratio.high.is_finite());
    CardGroup {
        level: group.level.clone(),
        n: group.n,
        selection_rate: CardMetric::new("selection_rate", &group.selection.estimate, "Wilson"),
        true_positive_rate: CardMetric::new("true_positive_rate", &group.true_positive.estimate, "Wilson"),
        false_positive_rate: CardMetric::new("false_positive_rate", &group.false_positive.estimate, "Wilson"),
        predicted: group.predicted,
        observed: CardMetric::new("observed", &group.observed.estimate, "Wilson"),
        selection_ratio: ratio.map(|ratio| CardMetric::new("selection_ratio", &ratio, "Katz")),
    }
}

impl From<&FeatureImportance> for CardImportance {
    fn from(own: &FeatureImportance) -> Self {
        Self {
            feature: own.feature.clone(),
            importance: CardMetric::new("importance", &own.importance, "rows and repeats"),
        }
    }
}
