//! The nested procedure: choose, fit and calibrate inside each outer fold, then once more on all rows.
//!
//! For an outer fold, each learner is cross-validated on the other folds (inner folds); its inner out-of-fold scores
//! choose and fit its calibrator and give its log loss; the learner with the lowest is `auto`'s choice; each
//! learner is fitted again on all of the other folds and scores the fold. So a row's out-of-fold score comes from a
//! whole procedure that never saw the row. The final model needs no third level: its calibrator and its learner
//! are chosen on the outer out-of-fold scores.

use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;
use thalweg_domain::{Error, Result, Seed};

use super::folds::{assign_folds, check_classes};
use super::model::OutcomeModel;
use super::{CandidateResult, OutcomeParams, OutcomeTraining, TrainingSet};
use crate::evaluate::{Calibrator, OutOfFold, choose_calibrator};
use crate::models::mlp::Epoch;
use crate::models::{Examples, Fitted, Learner, fit};

/// Trains the outcome model. `progress` is told how many of the fits are done, from any thread.
///
/// # Errors
/// `TW0301` for a target of one class, `TW0302` for too few of a class, `TW0303` without rows or usable columns,
/// `TW0304` for infinite features or unusable weights, `TW0307` for parameters out of range, `TW0308` when a
/// learner does not converge, `TW0901` when lengths differ.
pub fn train(
    set: &TrainingSet<'_>,
    params: &OutcomeParams,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Result<OutcomeTraining> {
    check(set, params)?;
    let everything: Vec<usize> = (0..set.target.len()).collect();
    let strata = examples_of(set, &everything).strata();
    check_classes(&set.target, &strata, set.group, params.folds)?;
    let fold = assign_folds(&strata, set.group, params.folds, params.seed.stream("folds"));
    let run = Run {
        set,
        params,
        fold: &fold,
        learners: params.choice.learners(),
    };
    let scored = run.fit_all(progress)?;
    let outer: Vec<OuterFold> = (0..params.folds)
        .map(|outer| run.outer_fold(outer, &scored))
        .collect();
    let finals: Vec<(Calibrator, f64)> = (0..run.learners.len())
        .map(|learner| run.final_calibrator(learner, &outer))
        .collect();
    let best = lowest(&finals);
    let (fitted, history) = run.fit_on(run.learners[best], &everything, params.seed.stream("final"))?;
    progress(scored.len() + 1, scored.len() + 1);
    let model = OutcomeModel::new(run.learners[best], fitted, finals[best].0.clone(), set.table)?;
    Ok(OutcomeTraining {
        model,
        learner: run.learners[best],
        out_of_fold: run.gather(&outer, |fold| fold.chosen),
        candidates: run.candidates(&outer, &finals),
        test: everything.into_iter().filter(|row| fold[*row] == 0).collect(),
        fold,
        history,
    })
}

fn check(set: &TrainingSet<'_>, params: &OutcomeParams) -> Result<()> {
    let n = set.table.n_rows();
    let periods = set.period.map_or(n, <[u32]>::len);
    if [set.target.len(), set.weight.len(), set.group.len(), periods]
        .iter()
        .any(|len| *len != n)
    {
        return Err(Error::new(
            "TW0901",
            "internal error: target, weights, groups and periods differ in length from the table",
        ));
    }
    for (name, folds) in [("folds", params.folds), ("inner folds", params.inner_folds)] {
        if !(2..=20).contains(&folds) {
            return Err(Error::new("TW0307", format!("{name} = {folds} cannot be used"))
                .hint("use 2 to 20, usually 5"));
        }
    }
    params.learners.mlp.check()?;
    params.learners.gbdt.check()?;
    params.learners.logistic.check()
}

/// One fit: which learner, on which outer fold's training part, and on which inner part of it (all, for the refit).
#[derive(Clone, Copy)]
struct Task {
    outer: usize,
    learner: usize,
    inner: Option<u8>,
}

/// A fit's log-odds for the rows that it did not see.
struct Scored {
    task: Task,
    rows: Vec<usize>,
    margins: Vec<f64>,
}

/// What an outer fold has come to.
struct OuterFold {
    rows: Vec<usize>,
    /// Per learner: log-odds and calibrated probabilities of `rows`.
    margins: Vec<Vec<f64>>,
    scores: Vec<Vec<f64>>,
    /// Index of the learner that `auto` chose.
    chosen: usize,
}

struct Run<'a> {
    set: &'a TrainingSet<'a>,
    params: &'a OutcomeParams,
    fold: &'a [u8],
    learners: Vec<Learner>,
}

impl Run<'_> {
    /// Every fit of the nested cross-validation; they do not depend on each other.
    fn fit_all(&self, progress: &(dyn Fn(usize, usize) + Sync)) -> Result<Vec<Scored>> {
        let inner_of: Vec<Vec<u8>> = (0..self.params.folds)
            .map(|outer| self.inner_folds(outer))
            .collect();
        let tasks = self.tasks();
        let done = AtomicUsize::new(0);
        tasks
            .par_iter()
            .map(|task| {
                let scored = self.fit_task(*task, &inner_of[task.outer])?;
                progress(done.fetch_add(1, Ordering::Relaxed) + 1, tasks.len() + 1);
                Ok(scored)
            })
            .collect()
    }

    /// The slow learners first, so that the last threads are not left with a long one.
    fn tasks(&self) -> Vec<Task> {
        let inner_parts = || {
            (0..self.params.inner_folds)
                .map(|inner| Some(inner as u8))
                .chain([None])
        };
        let slow_first = (0..self.learners.len()).rev();
        slow_first
            .flat_map(|learner| {
                (0..self.params.folds).flat_map(move |outer| {
                    inner_parts().map(move |inner| Task {
                        outer,
                        learner,
                        inner,
                    })
                })
            })
            .collect()
    }

    /// Inner folds over all rows; those of the outer fold itself are not used.
    fn inner_folds(&self, outer: usize) -> Vec<u8> {
        let training = self.rows_where(|row| usize::from(self.fold[row]) != outer);
        let examples = self.examples(&training);
        let seed = self.params.seed.stream("inner folds").nth(outer as u64);
        let assigned = assign_folds(&examples.strata(), &examples.group, self.params.inner_folds, seed);
        let mut inner = vec![0; self.fold.len()];
        training
            .into_iter()
            .zip(assigned)
            .for_each(|(row, fold)| inner[row] = fold);
        inner
    }

    fn fit_task(&self, task: Task, inner: &[u8]) -> Result<Scored> {
        let in_training = |row: usize| usize::from(self.fold[row]) != task.outer;
        let (fitted_on, scored) = match task.inner {
            None => (
                self.rows_where(in_training),
                self.rows_where(|row| !in_training(row)),
            ),
            Some(part) => (
                self.rows_where(|row| in_training(row) && inner[row] != part),
                self.rows_where(|row| in_training(row) && inner[row] == part),
            ),
        };
        let number = (task.outer * 64 + task.inner.map_or(63, usize::from)) as u64;
        let (fitted, _) = self.fit_on(
            self.learners[task.learner],
            &fitted_on,
            self.params.seed.stream("fits").nth(number),
        )?;
        let margins = fitted.margins(self.set.table, &scored)?.cells;
        Ok(Scored {
            task,
            rows: scored,
            margins,
        })
    }

    fn fit_on(&self, learner: Learner, rows: &[usize], seed: Seed) -> Result<(Fitted, Vec<Epoch>)> {
        fit(
            learner,
            self.set.table,
            rows,
            &self.examples(rows),
            &self.params.learners,
            seed,
        )
        .map_err(|error| error.doing(format!("training {}", learner.as_str())))
    }

    fn examples(&self, rows: &[usize]) -> Examples {
        examples_of(self.set, rows)
    }

    fn rows_where(&self, keep: impl Fn(usize) -> bool) -> Vec<usize> {
        (0..self.fold.len()).filter(|row| keep(*row)).collect()
    }

    /// Calibrates, chooses and scores one outer fold.
    fn outer_fold(&self, outer: usize, scored: &[Scored]) -> OuterFold {
        let mut calibrators = Vec::new();
        let (mut margins, mut scores, mut rows) = (Vec::new(), Vec::new(), Vec::new());
        for learner in 0..self.learners.len() {
            let own = |scored: &&Scored| scored.task.outer == outer && scored.task.learner == learner;
            let inner: Vec<&Scored> = scored
                .iter()
                .filter(own)
                .filter(|scored| scored.task.inner.is_some())
                .collect();
            let (calibrator, loss) = self.calibrate(&inner);
            if let Some(refit) = scored
                .iter()
                .filter(own)
                .find(|scored| scored.task.inner.is_none())
            {
                rows.clone_from(&refit.rows);
                scores.push(
                    refit
                        .margins
                        .iter()
                        .map(|margin| calibrator.apply(*margin))
                        .collect(),
                );
                margins.push(refit.margins.clone());
            }
            calibrators.push((calibrator, loss));
        }
        OuterFold {
            rows,
            margins,
            scores,
            chosen: lowest(&calibrators),
        }
    }

    fn calibrate(&self, inner: &[&Scored]) -> (Calibrator, f64) {
        let rows: Vec<usize> = inner
            .iter()
            .flat_map(|scored| scored.rows.iter().copied())
            .collect();
        let margins: Vec<f64> = inner
            .iter()
            .flat_map(|scored| scored.margins.iter().copied())
            .collect();
        let fold: Vec<u8> = inner
            .iter()
            .flat_map(|scored| std::iter::repeat_n(scored.task.inner.unwrap_or_default(), scored.rows.len()))
            .collect();
        let Examples { target, weight, .. } = self.examples(&rows);
        let target: Vec<bool> = target.into_iter().map(|target| target > 0.5).collect();
        choose_calibrator(&OutOfFold {
            margins: &margins,
            target: &target,
            weight: &weight,
            fold: &fold,
        })
    }

    /// The calibrator of a learner's final model, from its log-odds out of the outer folds, and its log loss.
    fn final_calibrator(&self, learner: usize, outer: &[OuterFold]) -> (Calibrator, f64) {
        let mut margins = vec![0.0; self.fold.len()];
        for fold in outer {
            fold.rows
                .iter()
                .zip(&fold.margins[learner])
                .for_each(|(row, margin)| margins[*row] = *margin);
        }
        let set = self.set;
        let target: Vec<bool> = (0..set.target.len())
            .map(|row| set.target.number(row) > 0.5)
            .collect();
        choose_calibrator(&OutOfFold {
            margins: &margins,
            target: &target,
            weight: set.weight,
            fold: self.fold,
        })
    }

    /// One score per row, from the learner that `pick` names in the row's outer fold.
    fn gather(&self, outer: &[OuterFold], pick: impl Fn(&OuterFold) -> usize) -> Vec<f64> {
        let mut scores = vec![0.0; self.fold.len()];
        for fold in outer {
            fold.rows
                .iter()
                .zip(&fold.scores[pick(fold)])
                .for_each(|(row, score)| scores[*row] = *score);
        }
        scores
    }

    fn candidates(&self, outer: &[OuterFold], finals: &[(Calibrator, f64)]) -> Vec<CandidateResult> {
        let each = self.learners.iter().zip(finals).enumerate();
        each.map(|(index, (learner, (_, log_loss)))| CandidateResult {
            learner: *learner,
            out_of_fold: self.gather(outer, |_| index),
            log_loss: *log_loss,
            chosen_in_folds: outer.iter().filter(|fold| fold.chosen == index).count(),
        })
        .collect()
    }
}

fn examples_of(set: &TrainingSet<'_>, rows: &[usize]) -> Examples {
    Examples {
        task: set.target.task(),
        target: rows.iter().map(|row| set.target.number(*row)).collect(),
        weight: rows.iter().map(|row| set.weight[*row]).collect(),
        group: rows.iter().map(|row| set.group[*row]).collect(),
    }
}

/// Index of the lowest loss; the earlier one on a tie.
fn lowest(losses: &[(Calibrator, f64)]) -> usize {
    (0..losses.len())
        .min_by(|a, b| losses[*a].1.total_cmp(&losses[*b].1))
        .unwrap_or_default()
}
