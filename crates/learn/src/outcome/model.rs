//! The trained outcome model: scores, explanations, importance, JSON.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use thalweg_domain::{ColumnSchema, Error, Reason, Result, Table};

use super::conformal::{ConformalQuantile, quantiles};
use super::explain::{importance, reasons};
use super::link::Link;
use super::{TrainingSet, read_json, write_json};
use crate::evaluate::Calibrator;
use crate::models::foreign::{ForeignFile, ForeignScores};
use crate::models::{Coefficient, Fitted, Learner};
use crate::prepare::TextReasons;
use crate::privacy::PrivacyStatement;
use crate::task::{Margins, Task};

/// A fitted and calibrated outcome model with its preparation.
#[derive(Debug, Serialize, Deserialize)]
pub struct OutcomeModel {
    task: Task,
    kept: Kept,
    /// One, or the members of a blend.
    members: Vec<Member>,
    link: Link,
    importance: Vec<(String, f64)>,
    conformal: Vec<ConformalQuantile>,
}

/// What kind of model was kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kept {
    /// One learner.
    One(Learner),
    /// A weighted mean of several learners' scores.
    Blend,
}

impl Kept {
    /// `mlp`, `gbdt`, `logistic`, `onnx` or `blend`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::One(learner) => learner.as_str(),
            Self::Blend => "blend",
        }
    }
}

/// A fitted learner and its part in the score: `factor * (margins + offset)`.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Member {
    pub(crate) learner: Learner,
    pub(crate) fitted: Fitted,
    /// 1 for a model of its own; in a blend the weight times the scale that makes scores comparable.
    pub(crate) factor: f64,
    /// Per output; undoes the weights of classes.
    pub(crate) offset: Vec<f64>,
}

impl Member {
    /// Its part in the scores of the given rows.
    ///
    /// # Errors
    /// `TW0304`, `TW0305` and `TW0306` when the table does not fit the one of training.
    pub(crate) fn margins(&self, table: &Table, rows: &[usize]) -> Result<Margins> {
        let mut margins = self.fitted.margins(table, rows)?;
        for row in margins.cells.chunks_exact_mut(self.offset.len().max(1)) {
            let cells = row.iter_mut().zip(&self.offset);
            cells.for_each(|(cell, offset)| *cell = self.factor * (*cell + offset));
        }
        Ok(margins)
    }
}

/// Predictions of several rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Prediction {
    /// Row after row: the probability of the outcome, one probability per class, or the value.
    pub cells: Vec<f64>,
    /// Numbers per row.
    pub n_outputs: usize,
}

impl Prediction {
    /// The predictions of each row.
    pub fn rows(&self) -> impl Iterator<Item = &[f64]> {
        self.cells.chunks_exact(self.n_outputs.max(1))
    }
}

/// What a model is made of.
pub(super) struct Parts {
    pub(super) task: Task,
    pub(super) kept: Kept,
    pub(super) members: Vec<Member>,
    pub(super) link: Link,
    pub(super) conformal: Vec<ConformalQuantile>,
}

impl OutcomeModel {
    pub(super) fn new(parts: Parts, table: &Table) -> Result<Self> {
        let Parts {
            task,
            kept,
            members,
            link,
            conformal,
        } = parts;
        let mut model = Self {
            task,
            kept,
            members,
            link,
            importance: Vec::new(),
            conformal,
        };
        model.importance = importance(&model, table)?;
        Ok(model)
    }

    /// The same model with other members: link and conformal quantiles are fitted again, on scores that members like these gave
    /// to rows that they had not seen (`margins`, every row of the set, by fold).
    ///
    /// # Errors
    /// As [`Self::predict`], and `TW0320` for scores that are not numbers.
    pub(crate) fn with_members(
        &self,
        members: Vec<Member>,
        set: &TrainingSet<'_>,
        (margins, fold): (Margins, &[u8]),
    ) -> Result<Self> {
        let rows: Vec<usize> = (0..fold.len()).collect();
        let link = Link::fit(&margins, &set.examples(&rows), fold)?;
        let kept = match &members[..] {
            [member] => Kept::One(member.learner),
            _ => self.kept,
        };
        let conformal = quantiles(&link.apply(margins), &set.target, &rows)?;
        let parts = Parts {
            task: self.task.clone(),
            kept,
            members,
            link,
            conformal,
        };
        Self::new(parts, set.table)
    }

    /// What it predicts.
    #[must_use]
    pub const fn task(&self) -> &Task {
        &self.task
    }

    /// The learner behind it, or that it is a blend.
    #[must_use]
    pub const fn kept(&self) -> Kept {
        self.kept
    }

    /// The learners behind it with their shares of the score, adding up to 1 (before scaling to log-odds).
    #[must_use]
    pub fn shares(&self) -> Vec<(Learner, f64)> {
        let total: f64 = self.members.iter().map(|member| member.factor).sum();
        self.members
            .iter()
            .map(|member| (member.learner, member.factor / total))
            .collect()
    }

    pub(crate) fn members(&self) -> &[Member] {
        &self.members
    }

    /// How its scores become predictions.
    #[must_use]
    pub const fn link(&self) -> &Link {
        &self.link
    }

    /// How its log-odds become probabilities; none unless there are two classes.
    #[must_use]
    pub const fn calibrator(&self) -> Option<&Calibrator> {
        match &self.link {
            Link::Calibrated(calibrator) => Some(calibrator),
            Link::Softmax(_) | Link::Identity => None,
        }
    }

    /// The columns that it reads, in table order.
    #[must_use]
    pub fn features(&self) -> Vec<String> {
        let mut features: Vec<String> = Vec::new();
        for member in &self.members {
            for feature in member.fitted.features() {
                if !features.contains(&feature) {
                    features.push(feature);
                }
            }
        }
        features
    }

    /// The columns that it reads with their kinds and levels, in table order: what rows to score must fit.
    #[must_use]
    pub fn schema(&self) -> Vec<ColumnSchema> {
        let mut schema: Vec<ColumnSchema> = Vec::new();
        for member in &self.members {
            for column in member.fitted.schema() {
                if !schema.iter().any(|own| own.name == column.name) {
                    schema.push(column);
                }
            }
        }
        schema
    }

    /// Text columns that it was shown and does not read.
    #[must_use]
    pub fn ignored(&self) -> &[String] {
        self.members
            .first()
            .map_or(&[], |member| member.fitted.preparer().ignored())
    }

    /// The probability of the outcome, or the value, for each row. Columns may come in any order and others may be
    /// there.
    ///
    /// # Errors
    /// `TW0304` for an infinite number, `TW0305` when a column is missing, `TW0306` when its kind has changed, `TW0901`
    /// for a model of several classes ([`Self::predict_all`] is for those).
    pub fn predict(&self, table: &Table) -> Result<Vec<f64>> {
        if self.task.n_outputs() != 1 {
            return Err(Error::new(
                "TW0901",
                "internal error: one prediction per row is asked of a model of several classes",
            ));
        }
        Ok(self.predict_all(table)?.cells)
    }

    /// The predictions of each row: one number, or one probability per class in the order of the task's classes.
    ///
    /// # Errors
    /// `TW0304` for an infinite number, `TW0305` when a column is missing, `TW0306` when its kind has changed.
    pub fn predict_all(&self, table: &Table) -> Result<Prediction> {
        let rows: Vec<usize> = (0..table.n_rows()).collect();
        Ok(Prediction {
            cells: self.link.apply(self.margins(table, &rows)?),
            n_outputs: self.task.n_outputs(),
        })
    }

    /// Scores after the link.
    pub(crate) fn linked(&self, margins: Margins) -> Vec<f64> {
        self.link.apply(margins)
    }

    /// The scores before the link.
    pub(crate) fn margins(&self, table: &Table, rows: &[usize]) -> Result<Margins> {
        let mut sum = Margins {
            cells: vec![0.0; rows.len() * self.task.n_outputs()],
            n_outputs: self.task.n_outputs(),
        };
        for member in &self.members {
            let own = member.margins(table, rows)?;
            sum.cells
                .iter_mut()
                .zip(own.cells)
                .for_each(|(sum, own)| *sum += own);
        }
        Ok(sum)
    }

    /// For each of `rows` the `top` features with the largest contributions to its prediction, largest first: to the
    /// probability of the outcome, of the most probable class, or to the value.
    ///
    /// A row's contributions over all features add up to its prediction minus that of the baseline (the training
    /// mean for the net and the regression, the mean tree value for the trees). They are found on the scores
    /// (trees: path-dependent; regression: slope times distance from the mean; net: integrated gradients; blend: the
    /// weighted sum; a model trained elsewhere: sampled Shapley values) and carried to the prediction along the straight line from baseline to row (Aumann and Shapley
    /// 1974), which for two classes is the slope of the chord.
    ///
    /// # Errors
    /// As [`Self::predict`].
    pub fn explain(&self, table: &Table, rows: &[usize], top: usize) -> Result<Vec<Vec<Reason>>> {
        reasons(self, table, rows, top)
    }

    /// For each text column and each of `rows` the `top` words and word parts that push one of the scores most, with what
    /// each adds to it, strongest first (`output` is 0 unless there are several classes). They are those of the linear
    /// model of the text, which a net or trees read the score of; a blend is asked for its largest member.
    ///
    /// # Errors
    /// As [`Self::predict`].
    pub fn text_reasons(
        &self,
        table: &Table,
        rows: &[usize],
        (output, top): (usize, usize),
    ) -> Result<Vec<TextReasons>> {
        let largest = self.members.iter().max_by(|a, b| a.factor.total_cmp(&b.factor));
        largest.map_or_else(
            || Ok(Vec::new()),
            |member| {
                member
                    .fitted
                    .text_reasons(table, rows, (output, self.task.n_outputs(), top))
            },
        )
    }

    /// Each feature with its mean absolute contribution in probability points (or units of the value) over at most a
    /// thousand evenly spread training rows, largest first.
    #[must_use]
    pub fn importance(&self) -> &[(String, f64)] {
        &self.importance
    }

    /// What the training gave away about its customers, if every member was trained privately.
    #[must_use]
    pub fn privacy(&self) -> Option<&PrivacyStatement> {
        match &self.members[..] {
            [member] => member.fitted.net()?.privacy(),
            _ => None,
        }
    }

    /// How far off out-of-fold predictions were, by coverage.
    #[must_use]
    pub fn conformal(&self) -> &[ConformalQuantile] {
        &self.conformal
    }

    /// The coefficients of a logistic regression, on standardised columns; `None` for the other learners.
    #[must_use]
    pub fn coefficients(&self) -> Option<Vec<Coefficient>> {
        match &self.members[..] {
            [member] => member.fitted.coefficients(),
            _ => None,
        }
    }

    /// Reads the files of members that were trained elsewhere, after the model itself has been read; nothing to do without
    /// such a member.
    ///
    /// # Errors
    /// Those of `load`.
    pub fn attach(&mut self, load: &dyn Fn(&ForeignFile) -> Result<Arc<dyn ForeignScores>>) -> Result<()> {
        let mut members = self.members.iter_mut();
        members.try_for_each(|member| member.fitted.attach(load))
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
