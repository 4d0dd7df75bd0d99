//! Whether layers pay: layered against plain training on rows that neither had seen.

use rayon::prelude::*;
use thalweg_domain::{Estimate, Result, Seed};

use super::model::train_on;
use super::segments::SegmentParams;
use crate::compress::{FoldScores, mean_loss};
use crate::models::{Learner, LearnerParams};
use crate::outcome::TrainingSet;

/// Out-of-fold figures of a plain and of a layered training.
#[derive(Debug, Clone, PartialEq)]
pub struct LayeredComparison {
    /// AUC of plain training, mean over the folds.
    pub plain: f64,
    /// AUC of layered training, mean over the folds.
    pub layered: f64,
    /// `layered - plain` with its 95 % interval (DeLong's paired one, folds taken as independent).
    pub gain: Estimate,
}

/// Trains a learner with corrections per segment on the rows outside of each fold, and compares its scores of the fold with those of
/// its global model alone. `fold`: one per row.
///
/// # Errors
/// As [`super::train`].
pub fn compare(
    learner: Learner,
    set: &TrainingSet<'_>,
    fold: &[u8],
    params: (&LearnerParams, &SegmentParams),
    seed: Seed,
) -> Result<LayeredComparison> {
    let n_folds = fold.iter().max().map_or(0, |last| *last + 1);
    let folds = (0..n_folds)
        .into_par_iter()
        .map(|own| {
            let (inside, outside): (Vec<usize>, Vec<usize>) =
                (0..fold.len()).partition(|row| fold[*row] == own);
            let seed = seed.stream("layered").nth(u64::from(own));
            let model = train_on(learner, set, &outside, params, seed)?;
            let held = set.examples(&inside);
            Ok(FoldScores {
                before: model.margins(set.table, &inside)?,
                after: model.plain_margins(set.table, &inside)?,
                target: held.target,
                group: held.group,
            })
        })
        .collect::<Result<Vec<_>>>()?;
    let found = mean_loss(&set.target.task(), &folds);
    Ok(LayeredComparison {
        plain: found.after,
        layered: found.before,
        gain: Estimate::normal(found.loss, found.error, Estimate::Z95),
    })
}
