//! The evaluation of a training: every metric with its interval, the untouched test part, candidates, checks, curves.

use thalweg_domain::{Check, ColumnData, Error, Estimate, Result, Seed, Table};

use super::bootstrap::normal_within;
use super::checks;
use super::curves::{CalibrationBin, GainsPoint, calibration_curve, gains_curve};
use super::groups::{Grouping, take};
use super::interval::{estimates, range, standard_errors};
use super::metrics::{Economics, Metrics, SLOPE, metrics};
use super::multiclass::{self, ClassScores, class_estimates, class_metrics, confusion_matrix};
use super::regression::{value_estimates, value_metrics};
use crate::models::Learner;
use crate::outcome::{ImportanceByFold, OutcomeTraining, TrainingSet};
use crate::task::{Target, Task};

/// A metric's name and estimate with its 95 % interval, in the order in which metrics are reported.
pub type NamedEstimates = Vec<(&'static str, Estimate)>;

/// What is known about a trained outcome model.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluation {
    /// Mean over the folds (calibration slope and intercept: of the pooled rows), 95 % interval from the pooled
    /// out-of-fold rows; over the tested cut-offs with a rolling split.
    pub metrics: NamedEstimates,
    /// With a rolling split, what a random one claims for the same kind of model about the same rows: the difference is
    /// its optimism.
    pub random_split: Option<NamedEstimates>,
    /// The part that nothing has touched.
    pub test: TestPart,
    /// Each candidate learner's own figures under the same split.
    pub candidates: Vec<(Learner, NamedEstimates)>,
    /// The model's checks.
    pub checks: Vec<Check>,
    /// Predicted against observed, out of fold; empty unless there are two classes.
    pub calibration: Vec<CalibrationBin>,
    /// Share of positives reached, out of fold; empty unless there are two classes.
    pub gains: Vec<GainsPoint>,
    /// Rows by true class (outer) and most likely class (inner), out of fold; empty unless there are several classes.
    pub confusion: Vec<Vec<f64>>,
}

/// The part that fitting, tuning, early stopping, calibration and the choice of learner never saw: the stratified fifth
/// that is the first outer fold of the nested cross-validation, or the latest cut-off of a rolling split.
#[derive(Debug, Clone, PartialEq)]
pub struct TestPart {
    /// Number of rows.
    pub rows: usize,
    /// Their metrics, with 95 % intervals.
    pub metrics: NamedEstimates,
}

/// Evaluates a training on the rows that it was made from.
///
/// Intervals are normal ones around the mean; [`super::interval_method`] says where the error comes from (customers are
/// drawn with replacement in a bootstrap, `seed` decides which); metrics are unweighted. The expected calibration error is
/// above 0 by chance even for a perfect model, and the more so the fewer rows: read it beside the curve. The leakage
/// check is made elsewhere and appended by the caller. `economics` only count for two classes.
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
    let judge = Judge {
        set,
        task: set.target.task(),
        economics,
        seed: seed.stream("evaluate"),
    };
    judge.check(training)?;
    let all: Vec<usize> = (0..set.target.len()).collect();
    let random = View {
        p: &training.out_of_fold,
        rows: &all,
        fold: &training.fold,
    };
    let rolling = training.rolling.as_ref().map(|rolling| View {
        p: &rolling.out_of_fold,
        rows: &rolling.rows,
        fold: &rolling.fold,
    });
    let view = rolling.unwrap_or(random);
    let own = judge.cross_validated(view)?;
    let candidates = training
        .rolling
        .as_ref()
        .map_or(&training.candidates, |rolling| &rolling.candidates);
    let candidates = candidates.iter().map(|candidate| {
        let view = View {
            p: &candidate.out_of_fold,
            ..view
        };
        Ok((candidate.learner, judge.cross_validated(view)?.estimates))
    });
    let in_sample = training.model.predict_all(set.table)?.cells;
    Ok(Evaluation {
        candidates: candidates.collect::<Result<_>>()?,
        random_split: match rolling {
            None => None,
            Some(rolling) => Some(judge.on_the_same_rows(random, rolling.rows)?),
        },
        test: judge.test(view, rolling.is_some())?,
        checks: [
            judge.checks(view, &own, &in_sample, rolling.is_some())?,
            unstable_features(&training.importance_by_fold)?,
        ]
        .concat(),
        calibration: judge.if_binary(view, calibration_curve),
        gains: judge.if_binary(view, gains_curve),
        confusion: judge.confusion(view)?,
        metrics: own.estimates,
    })
}

/// Scores of some rows by models that had not seen them; the lists are as long as `rows` (scores: times the outputs).
#[derive(Clone, Copy)]
struct View<'a> {
    p: &'a [f64],
    /// Rows of the table, rising.
    rows: &'a [usize],
    /// Which fit scored each.
    fold: &'a [u8],
}

/// The scores and targets of a part.
struct Part {
    p: Vec<f64>,
    truth: Truth,
    group: Vec<u64>,
    value: Vec<f64>,
}

enum Truth {
    Binary(Vec<bool>),
    Class(Vec<u32>, usize),
    Value(Vec<f64>),
}

/// Cross-validated figures of one list of out-of-fold scores.
struct Figures {
    estimates: NamedEstimates,
    /// Of the metric that says how well rows are told apart.
    by_fold: Vec<f64>,
    error: f64,
}

struct Judge<'a> {
    set: &'a TrainingSet<'a>,
    task: Task,
    economics: &'a Economics<'a>,
    seed: Seed,
}

impl Judge<'_> {
    fn check(&self, training: &OutcomeTraining) -> Result<()> {
        let n = self.set.target.len();
        let lengths = [
            training.out_of_fold.len() / self.task.n_outputs().max(1),
            training.fold.len(),
            self.set.group.len(),
            self.economics.value.len(),
        ];
        if lengths.iter().all(|len| *len == n) {
            return Ok(());
        }
        Err(Error::new(
            "TW0901",
            "internal error: a training is evaluated on a table of another length",
        ))
    }

    /// The metric that says how well rows are told apart.
    const fn leading(&self) -> &'static str {
        match self.task {
            Task::Binary => "auc",
            Task::Class { .. } => "auc_macro",
            Task::Value => "r2",
        }
    }

    /// The entries of a view at the given places.
    fn part(&self, view: View<'_>, places: &[usize]) -> Part {
        let rows = take(view.rows, places);
        let width = self.task.n_outputs();
        let scores = places
            .iter()
            .flat_map(|place| &view.p[place * width..(place + 1) * width]);
        Part {
            p: scores.copied().collect(),
            truth: match self.set.target {
                Target::Binary(target) => Truth::Binary(take(target, &rows)),
                Target::Class { codes, classes } => Truth::Class(take(codes, &rows), classes.len()),
                Target::Value(target) => Truth::Value(take(target, &rows)),
            },
            group: take(self.set.group, &rows),
            value: take(self.economics.value, &rows),
        }
    }

    fn economics<'p>(&self, part: &'p Part) -> Economics<'p> {
        Economics {
            value: &part.value,
            contact_cost: self.economics.contact_cost,
            relative_effect: self.economics.relative_effect,
        }
    }

    /// The metrics alone.
    fn point(&self, part: &Part) -> Result<Vec<f64>> {
        Ok(match &part.truth {
            Truth::Binary(y) => metrics(&part.p, y, &self.economics(part))?.0.to_vec(),
            Truth::Class(y, n_classes) => class_metrics(&class_scores(&part.p, y, *n_classes), None)?
                .0
                .to_vec(),
            Truth::Value(y) => value_metrics(&part.p, y, None)?.0.to_vec(),
        })
    }

    /// The metrics with their intervals, the rows pooled.
    fn pooled(&self, part: &Part) -> Result<NamedEstimates> {
        match &part.truth {
            Truth::Binary(y) => {
                let economics = self.economics(part);
                let errors = standard_errors(&part.p, y, &part.group, &economics, self.seed)?;
                Ok(estimates(&metrics(&part.p, y, &economics)?, &errors))
            }
            Truth::Class(y, n_classes) => {
                class_estimates(&class_scores(&part.p, y, *n_classes), &part.group, self.seed)
            }
            Truth::Value(y) => value_estimates(&part.p, y, &part.group, self.seed),
        }
    }

    /// The mean over the folds with the errors of the pooled rows.
    fn cross_validated(&self, view: View<'_>) -> Result<Figures> {
        let folds = view.fold.iter().max().map_or(0, |last| usize::from(*last) + 1);
        let by_fold = (0..folds)
            .map(|fold| self.point(&self.part(view, &places_of(view, fold))))
            .collect::<Result<Vec<Vec<f64>>>>()?;
        let everything: Vec<usize> = (0..view.rows.len()).collect();
        let part = self.part(view, &everything);
        let pooled = self.point(&part)?;
        let mean = |metric: usize| {
            if matches!(self.task, Task::Binary) && (SLOPE..SLOPE + 2).contains(&metric) {
                // a fold that is told apart without a mistake has no slope
                return pooled[metric];
            }
            by_fold.iter().map(|fold| fold[metric]).sum::<f64>() / by_fold.len() as f64
        };
        let (estimates, errors) = self.recentred(&part, &mean)?;
        let leading = estimates
            .iter()
            .position(|(name, _)| *name == self.leading())
            .unwrap_or_default();
        Ok(Figures {
            by_fold: by_fold.iter().map(|fold| fold[leading]).collect(),
            error: errors[leading],
            estimates,
        })
    }

    /// What the random split says about the rows that the rolling one tests: other rows would be no fair comparison.
    fn on_the_same_rows(&self, random: View<'_>, rows: &[usize]) -> Result<NamedEstimates> {
        let width = self.task.n_outputs();
        let scores = rows
            .iter()
            .flat_map(|row| &random.p[row * width..(row + 1) * width]);
        let (p, fold): (Vec<f64>, Vec<u8>) = (scores.copied().collect(), take(random.fold, rows));
        let same = View {
            p: &p,
            rows,
            fold: &fold,
        };
        Ok(self.cross_validated(same)?.estimates)
    }

    /// The errors of the pooled rows around other means.
    fn recentred(&self, part: &Part, mean: &dyn Fn(usize) -> f64) -> Result<(NamedEstimates, Vec<f64>)> {
        if let Truth::Binary(y) = &part.truth {
            let errors = standard_errors(&part.p, y, &part.group, &self.economics(part), self.seed)?;
            let means = Metrics(std::array::from_fn(mean));
            return Ok((estimates(&means, &errors), errors.to_vec()));
        }
        let range_of = match part.truth {
            Truth::Value(_) => range,
            _ => multiclass::range,
        };
        // an interval is cut at the metric's range on one side at most
        let error =
            |pooled: &Estimate| (pooled.high - pooled.mean).max(pooled.mean - pooled.low) / Estimate::Z95;
        let pooled = self.pooled(part)?;
        let errors: Vec<f64> = pooled.iter().map(|(_, pooled)| error(pooled)).collect();
        let each = pooled.iter().zip(&errors).enumerate();
        let recentred = each
            .map(|(metric, ((name, _), error))| (*name, normal_within(mean(metric), *error, range_of(name))));
        Ok((recentred.collect(), errors))
    }

    fn test(&self, view: View<'_>, rolling: bool) -> Result<TestPart> {
        let latest = view.fold.iter().copied().max().unwrap_or_default();
        let places = places_of(view, if rolling { usize::from(latest) } else { 0 });
        Ok(TestPart {
            rows: places.len(),
            metrics: self.pooled(&self.part(view, &places))?,
        })
    }

    fn if_binary<T>(&self, view: View<'_>, curve: fn(&[f64], &[bool]) -> Vec<T>) -> Vec<T> {
        match self.set.target {
            Target::Binary(target) => curve(view.p, &take(target, view.rows)),
            _ => Vec::new(),
        }
    }

    fn confusion(&self, view: View<'_>) -> Result<Vec<Vec<f64>>> {
        match self.set.target {
            Target::Class { codes, classes } => {
                let y = take(codes, view.rows);
                confusion_matrix(&class_scores(view.p, &y, classes.len()), None)
            }
            _ => Ok(Vec::new()),
        }
    }

    fn checks(&self, view: View<'_>, own: &Figures, in_sample: &[f64], rolling: bool) -> Result<Vec<Check>> {
        let everything: Vec<usize> = (0..self.set.target.len()).collect();
        let on_own_rows = View {
            p: in_sample,
            rows: &everything,
            fold: &[],
        };
        let leading = own.estimate(self.leading());
        let mut checks = match self.set.target {
            Target::Binary(target) => {
                let y = take(target, view.rows);
                vec![
                    checks::too_few_positives(target),
                    checks::discrimination(&leading),
                    checks::calibration(&calibration_curve(view.p, &y), &own.estimate("calibration_error")),
                    self.subgroups(view, &y)?,
                ]
            }
            Target::Class { codes, classes } => vec![
                checks::too_few_of_a_class(codes, classes),
                checks::discrimination(&leading),
            ],
            Target::Value(_) => vec![checks::explains(&leading)],
        };
        if self.task.is_classification() {
            let point = self.point(&self.part(on_own_rows, &everything))?;
            checks.push(checks::overfit_gap(point[0], leading.mean));
            checks.push(checks::fold_stability(&own.by_fold, own.error));
        }
        if rolling {
            checks.push(self.drift(view)?);
        }
        Ok(checks)
    }

    /// Whether the target changes from cut-off to cut-off.
    fn drift(&self, view: View<'_>) -> Result<Check> {
        match self.set.target {
            Target::Binary(target) => {
                let codes: Vec<u32> = view.rows.iter().map(|row| u32::from(target[*row])).collect();
                checks::target_drift(&codes, 2, view.fold)
            }
            Target::Class { codes, classes } => {
                checks::target_drift(&take(codes, view.rows), classes.len(), view.fold)
            }
            Target::Value(target) => checks::target_drift_of_values(&take(target, view.rows), view.fold),
        }
    }

    fn subgroups(&self, view: View<'_>, y: &[bool]) -> Result<Check> {
        let levels = levels(self.set.table, view.rows);
        let columns: Vec<Grouping<'_>> = levels.iter().map(Levels::grouping).collect();
        let group = take(self.set.group, view.rows);
        Ok(checks::subgroup_quality(view.p, y, &group, &columns)?.check)
    }
}

impl Figures {
    fn estimate(&self, name: &str) -> Estimate {
        self.estimates
            .iter()
            .find(|(own, _)| *own == name)
            .map_or_else(Estimate::default, |(_, estimate)| *estimate)
    }
}

/// The places of a view's entries of one fold.
fn places_of(view: View<'_>, fold: usize) -> Vec<usize> {
    (0..view.fold.len())
        .filter(|place| usize::from(view.fold[*place]) == fold)
        .collect()
}

const fn class_scores<'a>(p: &'a [f64], y: &'a [u32], n_classes: usize) -> ClassScores<'a> {
    ClassScores { p, y, n_classes }
}

/// A category's levels of some rows.
struct Levels<'a> {
    column: &'a str,
    codes: Vec<u32>,
    names: &'a [String],
}

impl Levels<'_> {
    fn grouping(&self) -> Grouping<'_> {
        Grouping {
            column: self.column,
            level: &self.codes,
            names: self.names,
        }
    }
}

/// The categories of a table.
fn levels<'a>(table: &'a Table, rows: &[usize]) -> Vec<Levels<'a>> {
    let columns = table.columns().iter();
    columns
        .filter_map(|column| match &column.data {
            ColumnData::Category { codes, levels } => Some(Levels {
                column: &column.name,
                codes: take(codes, rows),
                names: levels,
            }),
            _ => None,
        })
        .collect()
}

/// Whether the folds agree on what matters; nothing without folds that were fitted here.
fn unstable_features(found: &ImportanceByFold) -> Result<Vec<Check>> {
    if found.folds.len() < 2 || found.features.is_empty() {
        return Ok(Vec::new());
    }
    Ok(vec![
        checks::feature_stability(&found.folds, &found.features)?.check,
    ])
}
