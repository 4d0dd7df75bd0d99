//! The evaluation of a training: every metric with its interval, the untouched test part, candidates, checks, curves.

use thalweg_domain::{Check, Error, Estimate, Result, Seed};

use super::checks;
use super::curves::{CalibrationBin, GainsPoint, calibration_curve, gains_curve};
use super::interval::{estimates, standard_errors};
use super::metrics::{Economics, METRIC_NAMES, Metrics, metrics};
use crate::models::Learner;
use crate::outcome::{OutcomeTraining, TrainingSet};

/// A metric's name and estimate with its 95 % interval, in the order of [`METRIC_NAMES`].
pub type NamedEstimates = Vec<(&'static str, Estimate)>;

/// What is known about a trained outcome model.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluation {
    /// Mean over the folds, 95 % interval from the pooled out-of-fold rows.
    pub metrics: NamedEstimates,
    /// The part that nothing has touched.
    pub test: TestPart,
    /// Each candidate learner's own out-of-fold figures.
    pub candidates: Vec<(Learner, NamedEstimates)>,
    /// The model's checks.
    pub checks: Vec<Check>,
    /// Predicted against observed, out of fold.
    pub calibration: Vec<CalibrationBin>,
    /// Share of positives reached, out of fold.
    pub gains: Vec<GainsPoint>,
}

/// The stratified fifth that fitting, tuning, early stopping, calibration and the choice of learner never saw: the
/// first outer fold of the nested cross-validation.
#[derive(Debug, Clone, PartialEq)]
pub struct TestPart {
    /// Number of rows.
    pub rows: usize,
    /// Their metrics, with 95 % intervals.
    pub metrics: NamedEstimates,
}

/// Evaluates a training on the rows that it was made from.
///
/// Intervals are normal ones around the mean with a bootstrap standard error (customers drawn with replacement,
/// `seed` decides which); metrics are unweighted. The expected calibration error is above 0 by chance even for a
/// perfect model, and the more so the fewer rows: read it beside the curve. The leakage check is made elsewhere and appended by the caller.
///
/// # Errors
/// `TW0304` for a value that is not a number; `TW0305` or `TW0306` when `set` is not the table of the training;
/// `TW0901` when its length differs.
pub fn evaluate(
    training: &OutcomeTraining,
    set: &TrainingSet<'_>,
    economics: &Economics<'_>,
    seed: Seed,
) -> Result<Evaluation> {
    let n = set.target.len();
    if [
        training.out_of_fold.len(),
        training.fold.len(),
        set.group.len(),
        economics.value.len(),
    ]
    .iter()
    .any(|len| *len != n)
    {
        return Err(Error::new(
            "TW0901",
            "internal error: a training is evaluated on a table of another length",
        ));
    }
    let target = set.target.binary()?;
    let judge = Judge {
        set,
        target,
        fold: &training.fold,
        economics,
        seed: seed.stream("evaluate"),
    };
    let own = judge.cross_validated(&training.out_of_fold)?;
    let candidates = training
        .candidates
        .iter()
        .map(|candidate| {
            Ok((
                candidate.learner,
                judge.cross_validated(&candidate.out_of_fold)?.estimates,
            ))
        })
        .collect::<Result<Vec<_>>>()?;
    let calibration = calibration_curve(&training.out_of_fold, target);
    let in_sample = training.model.predict(set.table)?;
    Ok(Evaluation {
        test: TestPart {
            rows: training.test.len(),
            metrics: judge.part(&training.out_of_fold, &training.test)?,
        },
        checks: own.checks(target, &calibration, auc_of(&in_sample, target, economics)?),
        metrics: own.estimates,
        candidates,
        calibration,
        gains: gains_curve(&training.out_of_fold, target),
    })
}

fn auc_of(p: &[f64], target: &[bool], economics: &Economics<'_>) -> Result<f64> {
    Ok(metrics(p, target, economics)?.0[checks::auc_index()])
}

struct Judge<'a> {
    set: &'a TrainingSet<'a>,
    target: &'a [bool],
    fold: &'a [u8],
    economics: &'a Economics<'a>,
    seed: Seed,
}

/// Cross-validated figures of one list of out-of-fold scores.
struct Figures {
    estimates: NamedEstimates,
    fold_auc: Vec<f64>,
    auc_error: f64,
}

impl Judge<'_> {
    fn cross_validated(&self, p: &[f64]) -> Result<Figures> {
        let folds = self.fold.iter().max().map_or(0, |last| usize::from(*last) + 1);
        let per_fold = (0..folds)
            .map(|fold| {
                let rows: Vec<usize> = (0..p.len())
                    .filter(|row| usize::from(self.fold[*row]) == fold)
                    .collect();
                self.on_rows(p, &rows, |p, y, _, economics| metrics(p, y, economics))
            })
            .collect::<Result<Vec<Metrics>>>()?;
        let mean = Metrics(std::array::from_fn(|metric| {
            per_fold.iter().map(|fold| fold.0[metric]).sum::<f64>() / per_fold.len() as f64
        }));
        let errors = standard_errors(p, self.target, self.set.group, self.economics, self.seed)?;
        let auc = checks::auc_index();
        Ok(Figures {
            estimates: estimates(&mean, &errors),
            fold_auc: per_fold.iter().map(|fold| fold.0[auc]).collect(),
            auc_error: errors[auc],
        })
    }

    fn part(&self, p: &[f64], rows: &[usize]) -> Result<NamedEstimates> {
        self.on_rows(p, rows, |p, y, group, economics| {
            let errors = standard_errors(p, y, group, economics, self.seed)?;
            Ok(estimates(&metrics(p, y, economics)?, &errors))
        })
    }

    fn on_rows<T>(
        &self,
        p: &[f64],
        rows: &[usize],
        figure: impl Fn(&[f64], &[bool], &[u64], &Economics<'_>) -> Result<T>,
    ) -> Result<T> {
        let p: Vec<f64> = rows.iter().map(|row| p[*row]).collect();
        let y: Vec<bool> = rows.iter().map(|row| self.target[*row]).collect();
        let group: Vec<u64> = rows.iter().map(|row| self.set.group[*row]).collect();
        let value: Vec<f64> = rows.iter().map(|row| self.economics.value[*row]).collect();
        figure(
            &p,
            &y,
            &group,
            &Economics {
                value: &value,
                ..*self.economics
            },
        )
    }
}

impl Figures {
    fn estimate(&self, name: &str) -> Estimate {
        self.estimates
            .iter()
            .find(|(own, _)| *own == name)
            .map_or_else(Estimate::default, |(_, estimate)| *estimate)
    }

    fn checks(&self, target: &[bool], calibration: &[CalibrationBin], in_sample_auc: f64) -> Vec<Check> {
        let auc = self.estimate(METRIC_NAMES[0]);
        vec![
            checks::too_few_positives(target),
            checks::discrimination(&auc),
            checks::calibration(calibration, &self.estimate("calibration_error")),
            checks::overfit_gap(in_sample_auc, auc.mean),
            checks::fold_stability(&self.fold_auc, self.auc_error),
        ]
    }
}
