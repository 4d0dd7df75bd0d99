//! The trained outcome model: scores, explanations, importance, JSON.

use serde::{Deserialize, Serialize};
use thalweg_domain::{ColumnSchema, Reason, Result, Table};

use super::explain::{importance, reasons};
use super::{read_json, write_json};
use crate::evaluate::Calibrator;
use crate::models::{Coefficient, Fitted, Learner};

/// A fitted and calibrated outcome model with its preparation.
#[derive(Debug, Serialize, Deserialize)]
pub struct OutcomeModel {
    learner: Learner,
    fitted: Fitted,
    calibrator: Calibrator,
    importance: Vec<(String, f64)>,
}

impl OutcomeModel {
    pub(super) fn new(
        learner: Learner,
        fitted: Fitted,
        calibrator: Calibrator,
        table: &Table,
    ) -> Result<Self> {
        let importance = importance(&fitted, &calibrator, table)?;
        Ok(Self {
            learner,
            fitted,
            calibrator,
            importance,
        })
    }

    /// The learner behind it.
    #[must_use]
    pub const fn learner(&self) -> Learner {
        self.learner
    }

    /// How its log-odds become probabilities.
    #[must_use]
    pub const fn calibrator(&self) -> &Calibrator {
        &self.calibrator
    }

    /// The columns that it reads, in table order.
    #[must_use]
    pub fn features(&self) -> Vec<String> {
        self.fitted.preparer().features()
    }

    /// The columns that it reads with their kinds and levels, in table order: what rows to score must fit.
    #[must_use]
    pub fn schema(&self) -> Vec<ColumnSchema> {
        self.fitted.preparer().schema()
    }

    /// Text columns that it was shown and does not read.
    #[must_use]
    pub fn ignored(&self) -> &[String] {
        self.fitted.preparer().ignored()
    }

    /// The probability of the outcome for each row. Columns may come in any order and others may be there.
    ///
    /// # Errors
    /// `TW0304` for an infinite number, `TW0305` when a column is missing, `TW0306` when its kind has changed.
    pub fn predict(&self, table: &Table) -> Result<Vec<f64>> {
        let rows: Vec<usize> = (0..table.n_rows()).collect();
        let margins = self.fitted.margins(table, &rows)?;
        Ok(margins
            .cells
            .into_iter()
            .map(|margin| self.calibrator.apply(margin))
            .collect())
    }

    /// For each of `rows` the `top` features with the largest contributions to its probability, largest first.
    ///
    /// A row's contributions over all features add up to its probability minus that of the baseline (the training
    /// mean for the net and the regression, the mean tree value for the trees). They are found on the log-odds
    /// (trees: path-dependent node means; regression: slope times distance from the mean; net: integrated
    /// gradients) and scaled to probability points by the slope of the line from baseline to row.
    ///
    /// # Errors
    /// As [`Self::predict`].
    pub fn explain(&self, table: &Table, rows: &[usize], top: usize) -> Result<Vec<Vec<Reason>>> {
        reasons(&self.fitted, &self.calibrator, table, rows, top)
    }

    /// Each feature with its mean absolute contribution in probability points over (at most a thousand evenly
    /// spread) training rows, largest first.
    #[must_use]
    pub fn importance(&self) -> &[(String, f64)] {
        &self.importance
    }

    /// The coefficients of a logistic regression, on standardised columns; `None` for the other learners.
    #[must_use]
    pub fn coefficients(&self) -> Option<Vec<Coefficient>> {
        self.fitted.coefficients()
    }

    /// The model as JSON; [`Self::from_json`] gives the same one back, bit for bit.
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
