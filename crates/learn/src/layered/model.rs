//! A model for everybody with corrections per segment: training, prediction, JSON.

use std::collections::BTreeMap;

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use thalweg_domain::{Error, Result, Seed, Table};

use super::segments::{SegmentParams, SegmentRows, Segments, total};
use crate::models::{Fitted, Learner, LearnerParams, fit, sigmoid};
use crate::outcome::TrainingSet;
use crate::task::Task;

/// Folds in which the rows are scored by models that have not seen them.
pub(super) const FOLDS: usize = 5;

/// A global model and the corrections of its segments.
#[derive(Debug, Serialize, Deserialize)]
pub struct LayeredModel {
    global: Fitted,
    segments: Segments,
}

/// Trains a learner on all rows and, on scores of its kind for rows that it had not seen, the corrections of each segment: on its own
/// rows a model leaves no residuals to learn from.
///
/// # Errors
/// `TW0335` for a target that is not binary, `TW0305` and `TW0306` for a column that cannot be segments, and as training.
pub fn train(
    learner: Learner,
    set: &TrainingSet<'_>,
    params: (&LearnerParams, &SegmentParams),
    seed: Seed,
) -> Result<LayeredModel> {
    let everything: Vec<usize> = (0..set.target.len()).collect();
    train_on(learner, set, &everything, params, seed)
}

pub(super) fn train_on(
    learner: Learner,
    set: &TrainingSet<'_>,
    rows: &[usize],
    (params, segments): (&LearnerParams, &SegmentParams),
    seed: Seed,
) -> Result<LayeredModel> {
    let task = set.target.task();
    if task != Task::Binary {
        let message = format!("segments cannot correct a model of a {} target", task.as_str());
        return Err(
            Error::new("TW0335", message).hint("train without segments, or learn a target of two classes")
        );
    }
    let examples = set.examples(rows);
    let (global, _) = fit(learner, set.table, rows, &examples, params, seed)?;
    let margins = unseen_margins(learner, set, rows, params, seed)?;
    let data = SegmentRows {
        table: set.table,
        rows,
        x: &global.preparer().dense(set.table, rows)?,
        margins: &margins,
        target: &examples.target,
        weight: &examples.weight,
    };
    let segments = Segments::fit(segments, &data)?;
    Ok(LayeredModel { global, segments })
}

/// The log-odds of each of the rows by a model fitted without its fold.
fn unseen_margins(
    learner: Learner,
    set: &TrainingSet<'_>,
    rows: &[usize],
    params: &LearnerParams,
    seed: Seed,
) -> Result<Vec<f64>> {
    let group: Vec<u64> = rows.iter().map(|row| set.group[*row]).collect();
    let fold = folds(&group, seed.stream("segment folds"));
    let parts = (0..FOLDS)
        .into_par_iter()
        .map(|own| {
            let (inside, outside): (Vec<usize>, Vec<usize>) =
                (0..rows.len()).partition(|at| fold[*at] == own);
            let pick = |at: &[usize]| at.iter().map(|at| rows[*at]).collect::<Vec<_>>();
            let outside = pick(&outside);
            let seed = seed.stream("segment fits").nth(own as u64);
            let (model, _) = fit(
                learner,
                set.table,
                &outside,
                &set.examples(&outside),
                params,
                seed,
            )?;
            let margins = model.margins(set.table, &pick(&inside))?.cells;
            Ok((inside, margins))
        })
        .collect::<Result<Vec<_>>>()?;
    let mut margins = vec![0.0; rows.len()];
    for (inside, own) in parts {
        inside
            .iter()
            .zip(own)
            .for_each(|(at, margin)| margins[*at] = margin);
    }
    Ok(margins)
}

/// A fold for each row: the groups in random order, in turn.
fn folds(group: &[u64], seed: Seed) -> Vec<usize> {
    let mut names: Vec<u64> = group.to_vec();
    names.sort_unstable();
    names.dedup();
    names.shuffle(&mut ChaCha8Rng::seed_from_u64(seed.0));
    let places = names.into_iter().enumerate();
    let of_name: BTreeMap<u64, usize> = places.map(|(place, name)| (name, place % FOLDS)).collect();
    group
        .iter()
        .map(|name| of_name.get(name).copied().unwrap_or_default())
        .collect()
}

impl LayeredModel {
    /// The probability of the outcome for each row.
    ///
    /// # Errors
    /// `TW0304` for an infinite number, `TW0305` when a column is missing, `TW0306` when its kind has changed.
    pub fn predict(&self, table: &Table) -> Result<Vec<f64>> {
        let rows: Vec<usize> = (0..table.n_rows()).collect();
        Ok(self.margins(table, &rows)?.into_iter().map(sigmoid).collect())
    }

    /// The log-odds of each of the given rows.
    pub(super) fn margins(&self, table: &Table, rows: &[usize]) -> Result<Vec<f64>> {
        let x = self.global.preparer().dense(table, rows)?;
        let corrections = self.segments.corrections(table, rows, &x)?;
        let plain = self.plain_margins(table, rows)?;
        Ok(plain
            .iter()
            .zip(&corrections)
            .map(|(margin, correction)| margin + total(correction))
            .collect())
    }

    /// The global model's log-odds.
    pub(super) fn plain_margins(&self, table: &Table, rows: &[usize]) -> Result<Vec<f64>> {
        Ok(self.global.margins(table, rows)?.cells)
    }

    /// Prior standard deviations found for the segments' intercepts and slopes, on the log-odds; 0 means that no difference was found and
    /// nothing is corrected.
    #[must_use]
    pub const fn widths(&self) -> (f64, f64) {
        self.segments.widths()
    }

    /// The model as JSON; [`Self::from_json`] gives the same one back.
    ///
    /// # Errors
    /// `TW0901` when it cannot be written.
    pub fn to_json(&self) -> Result<String> {
        serde_json::to_string(self).map_err(|cause| {
            Error::new("TW0901", "internal error: a model cannot be written as JSON").cause(cause)
        })
    }

    /// Reads what [`Self::to_json`] wrote.
    ///
    /// # Errors
    /// `TW0309` when it is something else.
    pub fn from_json(json: &str) -> Result<Self> {
        serde_json::from_str(json).map_err(|cause| {
            Error::new("TW0309", "a stored model cannot be read")
                .hint("it is damaged, or another version wrote it: train again")
                .cause(cause)
        })
    }
}
