//! The nested procedure: choose, fit and calibrate inside each outer part, then once more for all rows.
//!
//! For an outer part (a fold, or a cut-off under the rolling split) each setting of each learner is fitted on parts of
//! the other rows and scores the rest of them; those inner scores choose the setting, the learner or the blend, and fit
//! its link; what was chosen is fitted again on all of the other rows and scores the part. So a row's out-of-fold score
//! comes from a whole procedure that never saw the row. The final model needs no third level: it is chosen on the
//! inner scores of all outer parts together (a repeated cross-validation: every row has been scored from each outer
//! part but its own), and its link is fitted on scores of the outer parts.

use thalweg_domain::{Error, Result};

use super::TrainingSet;
use super::fits::Fits;
use super::outer::Outer;
use super::params::{ClassWeight, OutcomeParams};
use super::result::OutcomeTraining;
use super::search::Searched;
use super::split::plan;
use crate::task::Task;

/// What the caller does while training runs.
#[derive(Clone, Copy)]
pub struct Hooks<'a> {
    /// Is told how many of how many fits are done, from any thread; a search that ends early lowers the latter.
    pub progress: &'a (dyn Fn(usize, usize) + Sync),
    /// Is asked before each round of the search after the first whether there is time for it.
    pub keep_going: &'a (dyn Fn() -> bool + Sync),
}

/// Trains the outcome model without a limit of time. See [`train_with`].
///
/// # Errors
/// As [`train_with`].
pub fn train(
    set: &TrainingSet<'_>,
    params: &OutcomeParams,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Result<OutcomeTraining> {
    train_with(
        set,
        params,
        &Hooks {
            progress,
            keep_going: &|| true,
        },
    )
}

/// Trains the outcome model.
///
/// # Errors
/// `TW0301` for a target of one class, `TW0302` for too few of a class, `TW0303` without rows or usable columns,
/// `TW0304` for infinite features or unusable weights, `TW0307` for parameters out of range, `TW0308` when a
/// learner does not converge, `TW0350` for periods that cannot be split in time, `TW0901` when lengths differ.
pub fn train_with(
    set: &TrainingSet<'_>,
    params: &OutcomeParams,
    hooks: &Hooks<'_>,
) -> Result<OutcomeTraining> {
    check(set, params)?;
    let plan = plan(set, params)?;
    let mut fits = Fits::new(set, params, hooks);
    fits.choose_penalties(&plan.parts)?;
    let searched = Searched::run(&plan, &fits)?;
    let outer = Outer::run(&plan, &fits, &searched)?;
    outer.finish()
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
    params.check()?;
    if params.class_weight == ClassWeight::Balanced && set.target.task() == Task::Value {
        return Err(
            Error::new("TW0307", "weights of classes cannot be used with a value")
                .hint("leave class_weight out: values have no classes"),
        );
    }
    Ok(())
}
