//! The outcome model: what would happen without an action, for each customer, trained, calibrated and chosen by a
//! nested procedure.

mod blend;
mod choose;
mod conformal;
mod explain;
mod fits;
mod folds;
mod grid;
mod link;
mod model;
mod outer;
mod params;
mod procedure;
mod register;
mod result;
mod search;
mod sheet;
mod split;
#[cfg(test)]
mod tests;
mod threshold;

use serde::{Deserialize, Serialize};
use thalweg_domain::{Error, Result, Table};

pub use conformal::ConformalQuantile;
pub use link::Link;
pub use model::{Kept, OutcomeModel, Prediction};
pub use params::{ClassWeight, LearnerChoice, OutcomeParams, Search, Split, Threshold};
pub use procedure::{Hooks, train, train_with};
pub use register::register;
pub use result::{
    CandidateResult, ImportanceByFold, OutcomeTraining, RollingScores, SearchReport, StopReason, Tried,
};
pub use threshold::ChosenThreshold;

pub(crate) use folds::stratified_split;
pub(crate) use model::Member;

use crate::task::{Examples, Target};

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

impl TrainingSet<'_> {
    pub(crate) fn examples(&self, rows: &[usize]) -> Examples {
        Examples {
            task: self.target.task(),
            target: rows.iter().map(|row| self.target.number(*row)).collect(),
            weight: rows.iter().map(|row| self.weight[*row]).collect(),
            group: rows.iter().map(|row| self.group[*row]).collect(),
        }
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
