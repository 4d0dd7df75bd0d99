//! Sets of classes and intervals of values that hold the truth as often as they say, whatever the model.
//!
//! Calibrated on rows that the model has not seen. With scores of one model on rows set aside coverage is guaranteed to be
//! at least the level for rows drawn alike (Vovk, Gammerman and Shafer 2005; Lei et al. 2018,
//! doi:10.1080/01621459.2017.1307116). With pooled out-of-fold scores and a final model fitted on all rows it holds
//! closely but is not proven; [`cv_plus_interval`] has a proof.

use serde::{Deserialize, Serialize};
use thalweg_domain::{Error, Estimate, Result};

use super::bootstrap::{Clusters, clustered_mean};
use super::input::{check_finite, check_rows, check_same};
use super::multiclass::{ClassScores, most_likely};
use super::regression::check_level;

/// Slack for `(n + 1) level` that is a whole number but for rounding.
const RANK_SLACK: f64 = 1e-9;

/// For whom sets are to hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Coverage {
    /// Over all rows together.
    Marginal,
    /// For the rows of each class (Vovk 2012, doi:10.1007/s10994-013-5355-6): larger sets, and no class left behind.
    PerClass,
}

/// Sets of classes that hold the true one with a given probability.
///
/// A class is in the set when its probability is high enough (Sadinle, Lei and Wasserman 2019,
/// doi:10.1080/01621459.2017.1395341: the smallest sets on average). The most likely class always is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClassConformal {
    /// Share of rows whose set holds the true class.
    pub level: f64,
    /// Per class the least probability that puts it in the set; none: it always is, for want of rows to tell.
    pub least: Vec<Option<f64>>,
    /// Rows that it was calibrated on.
    pub n: usize,
}

impl ClassConformal {
    /// Calibrates on probabilities by models that had not seen their rows. `level` in (0, 1).
    ///
    /// # Errors
    /// `TW0303` without rows; `TW0320` for a level, probabilities or classes that cannot be used; `TW0901` when lengths
    /// differ.
    pub fn fit(scores: &ClassScores<'_>, level: f64, coverage: Coverage) -> Result<Self> {
        scores.check()?;
        check_level("level", level)?;
        let of_true = |row: usize| 1.0 - scores.row(row)[scores.y[row] as usize];
        let least_of = |rows: &mut dyn Iterator<Item = usize>| {
            let misses: Vec<f64> = rows.map(of_true).collect();
            upper_quantile(misses, level).map(|miss| 1.0 - miss)
        };
        let n = scores.y.len();
        let least = match coverage {
            Coverage::Marginal => vec![least_of(&mut (0..n)); scores.n_classes],
            Coverage::PerClass => (0..scores.n_classes)
                .map(|class| least_of(&mut (0..n).filter(|row| scores.y[*row] as usize == class)))
                .collect(),
        };
        Ok(Self { level, least, n })
    }

    /// The set for one row's probabilities, one per class, in the order of the classes.
    #[must_use]
    pub fn set(&self, p: &[f64]) -> Vec<usize> {
        let best = most_likely(p);
        let likely = |class: usize| {
            self.least
                .get(class)
                .copied()
                .flatten()
                .is_none_or(|least| p[class] >= least)
        };
        (0..p.len())
            .filter(|class| *class == best || likely(*class))
            .collect()
    }

    /// How the sets fare on other rows. `group` is the customer of each.
    ///
    /// # Errors
    /// As [`Self::fit`].
    pub fn quality(&self, scores: &ClassScores<'_>, group: &[u64]) -> Result<SetQuality> {
        scores.check()?;
        check_same(&[group.len(), scores.y.len()])?;
        let sets: Vec<Vec<usize>> = (0..scores.y.len()).map(|row| self.set(scores.row(row))).collect();
        let holds: Vec<f64> = sets
            .iter()
            .zip(scores.y)
            .map(|(set, y)| f64::from(u8::from(set.contains(&(*y as usize)))))
            .collect();
        let of_class = |class: usize| {
            let own = holds.iter().zip(scores.y).filter(|(_, y)| **y as usize == class);
            let n = own.clone().count();
            (n > 0).then(|| own.map(|(holds, _)| holds).sum::<f64>() / n as f64)
        };
        let n = sets.len() as f64;
        Ok(SetQuality {
            coverage: clustered_mean(&holds, &Clusters::new(group)),
            coverage_by_class: (0..scores.n_classes).map(of_class).collect(),
            mean_size: sets.iter().map(Vec::len).sum::<usize>() as f64 / n,
            single: sets.iter().filter(|set| set.len() == 1).count() as f64 / n,
        })
    }
}

/// How sets of classes fared.
#[derive(Debug, Clone, PartialEq)]
pub struct SetQuality {
    /// Share of rows whose set holds the true class, with a 95 % interval by customer.
    pub coverage: Estimate,
    /// The same for the rows of each class; none for a class without rows.
    pub coverage_by_class: Vec<Option<f64>>,
    /// Mean number of classes in a set.
    pub mean_size: f64,
    /// Share of sets with one class only.
    pub single: f64,
}

/// Intervals that hold the true value with a given probability: `prediction ± reach * scale`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ValueConformal {
    /// Share of rows whose interval holds the value.
    pub level: f64,
    /// Half the width, in units of the scale; none: unbounded, for want of rows to tell.
    pub reach: Option<f64>,
    /// Rows that it was calibrated on.
    pub n: usize,
}

impl ValueConformal {
    /// Calibrates on predictions by models that had not seen their rows.
    ///
    /// `scale`: how uncertain each prediction is, above 0, such as a second model's guess of the absolute error (Lei et
    /// al. 2018, section 5.2); with none every interval is equally wide. `level` in (0, 1).
    ///
    /// # Errors
    /// `TW0303` without rows; `TW0320` for numbers or a level that cannot be used; `TW0901` when lengths differ.
    pub fn fit(prediction: &[f64], y: &[f64], scale: Option<&[f64]>, level: f64) -> Result<Self> {
        check_rows(prediction, y.len(), None)?;
        check_finite("value", y)?;
        check_level("level", level)?;
        if let Some(scale) = scale {
            check_same(&[scale.len(), y.len()])?;
            if let Some(row) = scale.iter().position(|scale| !scale.is_finite() || *scale <= 0.0) {
                let message = format!("the scale of row {} is {}", row + 1, scale[row]);
                return Err(Error::new("TW0320", message).hint("a scale is a number above 0"));
            }
        }
        let misses = prediction.iter().zip(y).enumerate();
        let misses = misses
            .map(|(row, (prediction, y))| (prediction - y).abs() / scale.map_or(1.0, |scale| scale[row]));
        Ok(Self {
            level,
            reach: upper_quantile(misses.collect(), level),
            n: y.len(),
        })
    }

    /// The interval for a prediction with its scale (1 when fitted without).
    #[must_use]
    pub fn interval(&self, prediction: f64, scale: f64) -> (f64, f64) {
        let reach = self.reach.map_or(f64::INFINITY, |reach| reach * scale);
        (prediction - reach, prediction + reach)
    }
}

/// The `ceil((n + 1) level)`-th smallest number; none when there are too few.
fn upper_quantile(mut numbers: Vec<f64>, level: f64) -> Option<f64> {
    let rank = ((numbers.len() as f64 + 1.0) * level - RANK_SLACK)
        .ceil()
        .max(1.0) as usize;
    numbers.sort_by(f64::total_cmp);
    numbers.get(rank - 1).copied()
}

/// Residuals of out-of-fold predictions, with the fold of each.
#[derive(Debug, Clone, Copy)]
pub struct FoldResiduals<'a> {
    /// |out-of-fold prediction - value| per row.
    pub absolute: &'a [f64],
    /// The fold that the row was left out with.
    pub fold: &'a [u8],
}

/// The CV+ interval of a new row (Barber et al. 2021, doi:10.1214/20-AOS1965): coverage is at least
/// `1 - 2 (1 - level) - min(2 (1 - 1 / K) / (n / K + 1), (1 - K / n) / (K + 1))` for K folds whatever the model, and in
/// practice close to the level.
///
/// `fold_predictions`: what the model fitted without each fold predicts for the new row. `level` in (0, 1). Ends are
/// infinite with too few rows.
///
/// # Errors
/// `TW0303` without rows; `TW0320` for numbers or a level that cannot be used, or a fold without prediction; `TW0901` when
/// lengths differ.
pub fn cv_plus_interval(
    residuals: &FoldResiduals<'_>,
    fold_predictions: &[f64],
    level: f64,
) -> Result<(f64, f64)> {
    check_same(&[residuals.absolute.len(), residuals.fold.len()])?;
    check_finite("residual", residuals.absolute)?;
    check_finite("prediction", fold_predictions)?;
    check_level("level", level)?;
    let last = residuals.fold.iter().max().map_or(0, |last| usize::from(*last));
    if last >= fold_predictions.len() {
        let message = format!("there is no prediction by the model without fold {last}");
        return Err(Error::new("TW0320", message).hint("give one prediction per fold"));
    }
    let end = |sign: f64| {
        let rows = residuals.absolute.iter().zip(residuals.fold);
        // the lower end is the upper one of the mirrored problem
        let ends = rows.map(|(residual, fold)| sign * fold_predictions[usize::from(*fold)] + residual);
        sign * upper_quantile(ends.collect(), level).unwrap_or(f64::INFINITY)
    };
    Ok((end(-1.0), end(1.0)))
}
