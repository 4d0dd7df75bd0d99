//! Registering a model that was trained elsewhere: calibrated, judged and kept like one of ours.

use std::sync::Arc;

use thalweg_domain::Result;

use super::TrainingSet;
use super::conformal::quantiles;
use super::folds::{assign_folds, check_classes};
use super::link::{Link, cross_linked};
use super::model::{Kept, Member, OutcomeModel, Parts};
use super::params::OutcomeParams;
use super::result::{ImportanceByFold, OutcomeTraining, SearchReport, StopReason};
use crate::models::foreign::{Foreign, ForeignFile, ForeignScores};
use crate::models::{Fitted, Learner};

/// Makes an outcome model of a model that was trained elsewhere and reads `features`.
///
/// The model itself is left as it is. What is fitted is the link: for the out-of-fold scores of each random fold on the
/// other folds, for the model on all rows. The scores are therefore honest about the link, but about the model only as
/// far as it was trained on other rows than these. A rolling split has nothing to test here; rows are split at random.
///
/// # Errors
/// `TW0301` to `TW0304` for rows that cannot be split, `TW0305` when the table lacks a feature, `TW0307` for parameters out
/// of range, `TW0343` when the model does not give the numbers that the task needs, and the model's own.
pub fn register(
    scores: Arc<dyn ForeignScores>,
    file: ForeignFile,
    features: &[String],
    set: &TrainingSet<'_>,
    params: &OutcomeParams,
) -> Result<OutcomeTraining> {
    params.check()?;
    let rows: Vec<usize> = (0..set.target.len()).collect();
    let examples = set.examples(&rows);
    check_classes(&set.target, &examples.strata(), set.group, params.folds)?;
    examples.check()?;
    let seed = params.seed.stream("folds");
    let fold = assign_folds(&examples.strata(), set.group, params.folds, seed);
    let task = set.target.task();
    let foreign = Foreign::new((scores, file), features, set.table, task.n_outputs())?;
    let fitted = Fitted::foreign(foreign);
    let margins = fitted.margins(set.table, &rows)?;
    let out_of_fold = cross_linked(&margins, set, &fold)?;
    let kept = Kept::One(Learner::Onnx);
    let parts = Parts {
        kept,
        members: vec![Member {
            learner: Learner::Onnx,
            fitted,
            factor: 1.0,
            offset: vec![0.0; task.n_outputs()],
        }],
        link: Link::fit(&margins, &examples, &fold)?,
        conformal: quantiles(&out_of_fold, &set.target, &rows)?,
        task,
    };
    Ok(OutcomeTraining {
        model: OutcomeModel::new(parts, set.table)?,
        learner: kept,
        out_of_fold,
        test: rows.into_iter().filter(|row| fold[*row] == 0).collect(),
        fold,
        candidates: Vec::new(),
        rolling: None,
        importance_by_fold: ImportanceByFold::default(),
        search: SearchReport {
            tried: Vec::new(),
            rounds: 0,
            units: 0.0,
            stopped: StopReason::Finished,
            blend_loss: None,
            blend_in_folds: 0,
        },
        threshold: params.threshold,
        history: Vec::new(),
    })
}
