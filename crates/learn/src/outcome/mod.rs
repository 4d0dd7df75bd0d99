//! The outcome model: P(outcome | no action) for each customer, trained, calibrated and chosen by a nested procedure.

mod explain;
mod folds;
mod model;
mod procedure;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};
use thalweg_domain::{Error, Result, Seed, Table};

pub use model::OutcomeModel;
pub use procedure::train;

pub(crate) use folds::stratified_split;

use crate::models::mlp::Epoch;
use crate::models::{Learner, LearnerParams};
use crate::task::Target;

/// What is learned from. Every slice has one entry per row of the table.
#[derive(Debug, Clone, Copy)]
pub struct TrainingSet<'a> {
    /// The features only: key, outcome and leaking columns are left out by the caller.
    pub table: &'a Table,
    /// What is learned.
    pub target: Target<'a>,
    /// Weight of each row, above 0 (1 for a plain snapshot).
    pub weight: &'a [f64],
    /// Whose row it is: folds never split a group.
    pub group: &'a [u64],
    /// For a panel, the number of the cut-off that the row is seen from: 0 for the earliest, rising with time, without
    /// gaps. A customer has one row for each cut-off at which it was known, all in one group. `None` for a snapshot.
    pub period: Option<&'a [u32]>,
}

/// Which learner to train.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LearnerChoice {
    /// All of them; the one with the lowest cross-validated log loss is kept.
    Auto,
    /// Just this one.
    One(Learner),
}

impl LearnerChoice {
    /// The choice of that name: `auto`, `mlp`, `gbdt` or `logistic`.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        if name == "auto" {
            Some(Self::Auto)
        } else {
            Learner::from_name(name).map(Self::One)
        }
    }

    pub(crate) fn learners(self) -> Vec<Learner> {
        match self {
            Self::Auto => Learner::ALL.to_vec(),
            Self::One(learner) => vec![learner],
        }
    }
}

/// Parameters of the procedure.
#[derive(Debug, Clone, PartialEq)]
pub struct OutcomeParams {
    /// Which learner.
    pub choice: LearnerChoice,
    /// Parameters of each learner.
    pub learners: LearnerParams,
    /// Outer folds, 2 to 20; fold 0 is also the test part, so 5 makes it a fifth.
    pub folds: usize,
    /// Inner folds, 2 to 20.
    pub inner_folds: usize,
    /// The seed of folds and learners.
    pub seed: Seed,
}

impl Default for OutcomeParams {
    fn default() -> Self {
        Self {
            choice: LearnerChoice::Auto,
            learners: LearnerParams::default(),
            folds: 5,
            inner_folds: 3,
            seed: Seed(42),
        }
    }
}

/// A trained outcome model with all that its evaluation needs.
#[derive(Debug, Serialize, Deserialize)]
pub struct OutcomeTraining {
    /// The model, fitted on all rows.
    pub model: OutcomeModel,
    /// The learner that was kept.
    pub learner: Learner,
    /// Calibrated probability per row by the whole procedure run without the row's fold: honest also for `auto`.
    pub out_of_fold: Vec<f64>,
    /// Outer fold per row.
    pub fold: Vec<u8>,
    /// Each learner's own out-of-fold scores.
    pub candidates: Vec<CandidateResult>,
    /// Rows of the test part (outer fold 0), rising: nothing that produced their out-of-fold scores has seen them.
    pub test: Vec<usize>,
    /// Losses per epoch of the kept model, if it is a net.
    pub history: Vec<Epoch>,
}

/// One learner's own run of the procedure.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CandidateResult {
    /// The learner.
    pub learner: Learner,
    /// Calibrated probability per row by this learner, fitted and calibrated without the row's fold.
    pub out_of_fold: Vec<f64>,
    /// Log loss of the learner's cross-fitted calibrated scores over all rows: what `auto` chooses by.
    pub log_loss: f64,
    /// In how many of the outer folds `auto` chose it.
    pub chosen_in_folds: usize,
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

fn write_json<T: Serialize>(value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(|cause| {
        Error::new("TW0901", "internal error: a model cannot be written as JSON").cause(cause)
    })
}

fn read_json<T: for<'de> Deserialize<'de>>(json: &str) -> Result<T> {
    serde_json::from_str(json).map_err(|cause| {
        Error::new("TW0309", "a stored model cannot be read")
            .hint("it is damaged, or another version wrote it: train again")
            .cause(cause)
    })
}
