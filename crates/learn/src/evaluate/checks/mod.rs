//! The named checks on a trained model. Leakage is checked in [`crate::leakage`].

mod stability;
mod subgroups;
mod target_drift;
#[cfg(test)]
mod tests;

use thalweg_domain::{Check, CheckVerdict, Estimate};

use super::{CalibrationBin, wilson};

pub use stability::{FeatureStability, RankRange, feature_stability};
pub use subgroups::{SubgroupFigures, Subgroups, subgroup_quality};
pub use target_drift::{
    Homogeneity, class_homogeneity, target_drift, target_drift_of_values, value_homogeneity,
};

/// Fewer of either class than this and no figure means anything.
const MIN_OF_CLASS: usize = 20;
/// Fewer of either class than this and the intervals are wide.
const COMFORTABLE_OF_CLASS: usize = 100;
/// A bin must be off by this many probability points, beyond doubt, to be reported.
const CALIBRATION_POINTS: f64 = 0.05;
/// Bins with fewer rows are not judged.
const CALIBRATION_ROWS: usize = 30;
/// z of a 99.5 % interval: one of ten bins is off by chance in one table of twenty.
const Z_BIN: f64 = 2.807;
/// AUC on the rows the model was fitted on may be this much higher than out of fold.
const OVERFIT_GAP: f64 = 0.10;
/// A fold's AUC may be this many of its standard errors, and this many points, away from the mean.
const FOLD_ERRORS: f64 = 3.5;
const FOLD_POINTS: f64 = 0.03;

pub(crate) fn passed(name: &'static str, detail: String) -> Check {
    Check {
        name,
        verdict: CheckVerdict::Pass,
        detail,
        advice: None,
        code: None,
    }
}

pub(crate) fn raised(
    name: &'static str,
    verdict: CheckVerdict,
    detail: String,
    advice: &str,
    code: &'static str,
) -> Check {
    Check {
        name,
        verdict,
        detail,
        advice: Some(advice.to_owned()),
        code: Some(code),
    }
}

/// Enough of both classes: FAIL below 20 of either, REVIEW below 100.
#[must_use]
pub fn too_few_positives(target: &[bool]) -> Check {
    const NAME: &str = "too_few_positives";
    let positives = target.iter().filter(|target| **target).count();
    let rarer = positives.min(target.len() - positives);
    let detail = format!("{positives} positives among {} rows", target.len());
    let advice = "collect more history or a longer horizon before money depends on this model";
    match rarer {
        _ if rarer < MIN_OF_CLASS => raised(NAME, CheckVerdict::Fail, detail, advice, "TW0410"),
        _ if rarer < COMFORTABLE_OF_CLASS => raised(NAME, CheckVerdict::Review, detail, advice, "TW0410"),
        _ => passed(NAME, detail),
    }
}

/// Enough of every class: FAIL when the rarest has fewer than 20 rows, REVIEW below 100. `y` holds codes into `classes`.
#[must_use]
pub fn too_few_of_a_class(y: &[u32], classes: &[String]) -> Check {
    const NAME: &str = "too_few_positives";
    let count = |class: usize| y.iter().filter(|code| **code as usize == class).count();
    let rarest = (0..classes.len()).map(|class| (count(class), class)).min();
    let (rows, class) = rarest.unwrap_or_default();
    let name = classes.get(class).map_or("", String::as_str);
    let detail = format!("{rows} rows of the rarest class, \"{name}\", among {}", y.len());
    let advice = "collect more rows of that class, or join it with another one";
    match rows {
        _ if rows < MIN_OF_CLASS => raised(NAME, CheckVerdict::Fail, detail, advice, "TW0410"),
        _ if rows < COMFORTABLE_OF_CLASS => raised(NAME, CheckVerdict::Review, detail, advice, "TW0410"),
        _ => passed(NAME, detail),
    }
}

/// Predicted numbers beat always saying the mean: REVIEW when the interval of R2 includes 0.
#[must_use]
pub fn explains(r2: &Estimate) -> Check {
    const NAME: &str = "discrimination";
    let detail = format!("R2 {:.3} ({:.3} to {:.3})", r2.mean, r2.low, r2.high);
    if r2.low > 0.0 {
        return passed(NAME, detail);
    }
    let advice =
        "the features may say nothing about the value; the predictions are little better than its mean";
    raised(NAME, CheckVerdict::Review, detail, advice, "TW0411")
}

/// The scores rank better than chance: REVIEW when the AUC's interval includes 0.5.
#[must_use]
pub fn discrimination(auc: &Estimate) -> Check {
    const NAME: &str = "discrimination";
    let detail = format!("AUC {:.3} ({:.3} to {:.3})", auc.mean, auc.low, auc.high);
    if auc.low > 0.5 {
        return passed(NAME, detail);
    }
    let advice =
        "the features may say nothing about the outcome; a plan on these scores is little better than chance";
    raised(NAME, CheckVerdict::Review, detail, advice, "TW0411")
}

/// Probabilities mean what they say: REVIEW when a bin of at least 30 rows is off by 0.05 beyond doubt.
#[must_use]
pub fn calibration(curve: &[CalibrationBin], error: &Estimate) -> Check {
    const NAME: &str = "calibration";
    let off_by = |bin: &CalibrationBin| (bin.predicted - bin.observed.mean).abs();
    let beyond_doubt = |bin: &CalibrationBin| {
        let interval = wilson(bin.observed.mean, bin.n as f64, Z_BIN);
        bin.predicted < interval.low || bin.predicted > interval.high
    };
    let worst = curve
        .iter()
        .filter(|bin| bin.n >= CALIBRATION_ROWS && off_by(bin) > CALIBRATION_POINTS && beyond_doubt(bin))
        .max_by(|a, b| off_by(a).total_cmp(&off_by(b)));
    let Some(bin) = worst else {
        return passed(NAME, format!("expected calibration error {:.3}", error.mean));
    };
    let (low, high) = (
        curve.first().map(|bin| bin.predicted),
        curve.last().map(|bin| bin.predicted),
    );
    let place = match Some(bin.predicted) {
        edge if edge == high => "the top bin",
        edge if edge == low => "the lowest bin",
        _ => "a bin",
    };
    let detail = format!(
        "{place} predicts {:.2}, sees {:.2} (n = {})",
        bin.predicted, bin.observed.mean, bin.n
    );
    let advice =
        "expected values are off where risks are; try another learner, or look for rows unlike the rest";
    raised(NAME, CheckVerdict::Review, detail, advice, "TW0412")
}

/// The model has not learned its rows by heart: REVIEW when AUC drops by more than 0.10 out of fold.
#[must_use]
pub fn overfit_gap(in_sample_auc: f64, out_of_fold_auc: f64) -> Check {
    const NAME: &str = "overfit_gap";
    let detail = format!("AUC {in_sample_auc:.3} on its own rows, {out_of_fold_auc:.3} out of fold");
    if in_sample_auc - out_of_fold_auc <= OVERFIT_GAP {
        return passed(NAME, detail);
    }
    let advice = "the out-of-fold figures are honest, but a simpler learner may do as well: try learner = \"logistic\"";
    raised(NAME, CheckVerdict::Review, detail, advice, "TW0413")
}

/// Folds agree: REVIEW when one's AUC is far from the mean for its size.
#[must_use]
pub fn fold_stability(fold_auc: &[f64], pooled_error: f64) -> Check {
    const NAME: &str = "fold_stability";
    let k = fold_auc.len() as f64;
    let mean = fold_auc.iter().sum::<f64>() / k;
    let lowest = fold_auc.iter().copied().fold(f64::INFINITY, f64::min);
    let highest = fold_auc.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let furthest = (highest - mean).max(mean - lowest);
    let detail = format!("AUC {lowest:.3} to {highest:.3} over {} folds", fold_auc.len());
    if furthest <= FOLD_POINTS.max(FOLD_ERRORS * pooled_error * k.sqrt()) {
        return passed(NAME, detail);
    }
    let advice =
        "some customers are unlike the others; look for a column that splits the table in two worlds";
    raised(NAME, CheckVerdict::Review, detail, advice, "TW0414")
}
