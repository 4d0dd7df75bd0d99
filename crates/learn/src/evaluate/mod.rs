//! How good scores are: metrics with intervals, curves, calibration and the checks on a trained model.
//!
//! Everything here takes plain lists with one entry per row, so that it can be used on any model's scores.
//!
//! ```
//! use thalweg_learn::evaluate::{Payoff, auc_interval, choose_threshold};
//!
//! // out-of-fold probabilities, what came, the customer and the fold of each row
//! let p = [0.9, 0.8, 0.7, 0.4, 0.3, 0.1];
//! let came = [true, true, false, true, false, false];
//! let customer = [1, 2, 3, 4, 5, 6];
//! let auc = auc_interval(&p, &came, &customer);
//! assert!((auc.mean - 8.0 / 9.0).abs() < 1e-12 && auc.low < auc.mean);
//!
//! // a contact costs 1; of those who would have left it keeps some, worth 4 on average
//! let payoff = Payoff::Amounts { true_positive: 3.0, false_positive: -1.0, true_negative: 0.0, false_negative: 0.0 };
//! let choice = choose_threshold(&p, &came, &[0, 1, 0, 1, 0, 1], &customer, &payoff)?;
//! assert_eq!(choice.break_even.0, 0.25);
//! # Ok::<(), thalweg_domain::Error>(())
//! ```

pub(crate) mod bootstrap;
mod calibration;
pub mod card;
pub mod checks;
mod conformal;
mod curves;
mod delong;
mod groups;
mod importance;
pub(crate) mod input;
mod interval;
mod metrics;
mod multiclass;
mod profit;
mod recalibration;
mod regression;
mod report;
mod sums;
#[cfg(test)]
mod tests;
mod threshold;

pub use calibration::{Calibrator, Temperature};
pub use conformal::{ClassConformal, Coverage, FoldResiduals, SetQuality, ValueConformal, cv_plus_interval};
pub use curves::{CalibrationBin, GainsPoint, calibration_curve, gains_curve};
pub use delong::{auc_difference, auc_interval, auc_with_error};
pub use groups::Grouping;
pub use importance::{
    ContributionImportance, FeatureImportance, Shuffled, contribution_importance, permutation_importance,
    permutation_importance_of_metric, shuffle_column,
};
pub use interval::{IntervalMethod, interval_method};
pub use metrics::{Economics, KEPT_SPECIFICITY, METRIC_NAMES, Metrics, metrics};
pub use multiclass::{
    CLASS_METRIC_NAMES, ClassMetrics, ClassScores, class_estimates, class_metrics, confusion_matrix,
    most_likely,
};
pub use profit::{
    DecileLift, EmpcParams, ExpectedMaximumProfit, ProfitCurve, ProfitPoint, expected_maximum_profit,
    lift_by_decile, profit_curve,
};
pub use recalibration::{BrierDecomposition, Recalibration, brier_decomposition, recalibration};
pub use regression::{
    IntervalQuality, VALUE_METRIC_NAMES, ValueMetrics, interval_quality, pinball_loss, value_estimates,
    value_metrics,
};
pub use report::{Evaluation, NamedEstimates, TestPart, evaluate};
pub use threshold::{Payoff, ThresholdChoice, ThresholdRule, choose_threshold, threshold_from_costs};

pub(crate) use calibration::{OutOfFold, choose_calibrator};
pub(crate) use curves::wilson;
pub(crate) use groups::take;
