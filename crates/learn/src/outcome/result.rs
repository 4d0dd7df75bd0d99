//! What training gives: the model, honest scores of every row, the candidates, the search.

use serde::{Deserialize, Serialize};
use thalweg_domain::Result;

use super::model::{Kept, OutcomeModel};
use super::params::Threshold;
use super::{read_json, write_json};
use crate::models::mlp::Epoch;
use crate::models::{Learner, LearnerParams};

/// A trained outcome model with all that its evaluation needs.
///
/// Scores are probabilities or values: one per row for two classes and for numbers, one per class and row, row after
/// row, for several classes ([`crate::task::Task::n_outputs`]).
#[derive(Debug, Serialize, Deserialize)]
pub struct OutcomeTraining {
    /// The model, fitted on all rows.
    pub model: OutcomeModel,
    /// What was kept: a learner or a blend.
    pub learner: Kept,
    /// Scores of every row under the random split, by models that have not seen the row's fold. With a random split
    /// the whole procedure was run without the fold, so they are honest also for `auto`; with a rolling split the kept
    /// model's settings were refitted, to show what a random split would have claimed.
    pub out_of_fold: Vec<f64>,
    /// Random fold per row.
    pub fold: Vec<u8>,
    /// Each learner's own scores under the random split.
    pub candidates: Vec<CandidateResult>,
    /// Rows of the test part (random fold 0), rising: nothing that produced their out-of-fold scores has seen them.
    pub test: Vec<usize>,
    /// Scores under the rolling split; what was chosen was chosen by it.
    pub rolling: Option<RollingScores>,
    /// What each fold's model goes by; empty for a model trained elsewhere, which has none.
    #[serde(default)]
    pub importance_by_fold: ImportanceByFold,
    /// What `auto` has tried.
    pub search: SearchReport,
    /// Where positives begin.
    pub threshold: Threshold,
    /// Losses per epoch of the kept net; empty without one.
    pub history: Vec<Epoch>,
}

/// Scores of the tested cut-offs by models that only know what was known at each of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RollingScores {
    /// The tested rows of the table, rising. The lists below have an entry for each.
    pub rows: Vec<usize>,
    /// Number of the cut-off, from 0 for the first tested one.
    pub fold: Vec<u8>,
    /// The row's period.
    pub period: Vec<u32>,
    /// Scores by the whole procedure run on what was known at the row's cut-off.
    pub out_of_fold: Vec<f64>,
    /// Each learner's own scores of `rows`.
    pub candidates: Vec<CandidateResult>,
}

/// How much each column counts, by fold (or cut-off under the rolling split).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ImportanceByFold {
    /// The columns of the training table.
    pub features: Vec<String>,
    /// Per fold and column the mean absolute contribution to the scores of the fold's rows, in log-odds or units of the
    /// value, by what was fitted without them; outputs and the members of a blend are added.
    pub folds: Vec<Vec<f64>>,
}

/// One learner's own run of the procedure.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CandidateResult {
    /// The learner.
    pub learner: Learner,
    /// Scores by this learner, its settings chosen, fitted and calibrated without the row's fold.
    pub out_of_fold: Vec<f64>,
    /// Mean log loss of the learner's best setting in the inner validation over all outer parts (squared error for
    /// values): what the choice goes by.
    pub loss: f64,
    /// In how many of the outer parts it was kept, alone.
    pub chosen_in_folds: usize,
}

/// What `auto` has tried.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SearchReport {
    /// Every setting, in the order of the rounds.
    pub tried: Vec<Tried>,
    /// Rounds that were run. A search limited to as many gives the same result, whatever the clock.
    pub rounds: usize,
    /// Work done, in the units of [`super::Search::units`].
    pub units: f64,
    /// Why it ended.
    pub stopped: StopReason,
    /// Mean loss of the best blend in the inner validation, if one was possible.
    pub blend_loss: Option<f64>,
    /// In how many of the outer parts a blend was kept.
    pub blend_in_folds: usize,
}

impl SearchReport {
    /// The parameters that the choice went by: each learner's from its setting with the lowest loss, those of `given` for
    /// learners that were not tried.
    #[must_use]
    pub fn best(&self, given: &LearnerParams) -> LearnerParams {
        let of = |learner: Learner| {
            let tried = self.tried.iter().filter(|tried| tried.learner == learner);
            tried
                .min_by(|a, b| a.loss.total_cmp(&b.loss))
                .map_or(given, |tried| &tried.params)
        };
        LearnerParams {
            mlp: of(Learner::Mlp).mlp.clone(),
            gbdt: of(Learner::Gbdt).gbdt.clone(),
            logistic: of(Learner::Logistic).logistic.clone(),
        }
    }
}

/// Why the search ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopReason {
    /// Every round was run.
    Finished,
    /// The next round would have passed the limit of units.
    UnitsSpent,
    /// The caller's time was up.
    TimeUp,
}

/// One setting of a learner.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Tried {
    /// The learner.
    pub learner: Learner,
    /// What differs from the given parameters, in words.
    pub setting: String,
    /// All parameters.
    pub params: LearnerParams,
    /// The round.
    pub round: usize,
    /// Mean loss in the inner validation.
    pub loss: f64,
}

impl OutcomeTraining {
    /// The training as JSON; [`Self::from_json`] gives the same one back, bit for bit.
    ///
    /// # Errors
    /// `TW0901` when it cannot be written.
    pub fn to_json(&self) -> Result<String> {
        write_json(self)
    }

    /// Reads what [`Self::to_json`] wrote.
    ///
    /// # Errors
    /// `TW0309` when it is something else.
    pub fn from_json(json: &str) -> Result<Self> {
        read_json(json)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_learner_is_taken_from_its_best_setting() {
        let given = LearnerParams::default();
        let tried = |learner, depth, l2, loss| {
            let mut params = given.clone();
            params.gbdt.depth = depth;
            params.logistic.l2 = l2;
            Tried {
                learner,
                setting: String::new(),
                params,
                round: 0,
                loss,
            }
        };
        let report = SearchReport {
            tried: vec![
                tried(Learner::Gbdt, 2, 5.0, 0.5),
                tried(Learner::Gbdt, 3, 6.0, 0.4),
                tried(Learner::Logistic, 7, 8.0, 0.6),
                tried(Learner::Logistic, 9, 10.0, 0.7),
            ],
            rounds: 1,
            units: 1.0,
            stopped: StopReason::Finished,
            blend_loss: None,
            blend_in_folds: 0,
        };
        let best = report.best(&given);
        assert_eq!((best.gbdt.depth, best.mlp), (3, given.mlp.clone()));
        assert!((best.logistic.l2 - 8.0).abs() < f64::EPSILON);
    }
}
