//! What is predicted: one of two outcomes, one of several classes, or a number.

use serde::{Deserialize, Serialize};
use thalweg_domain::{Error, Result};

/// The kind of target that a model learns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    /// Whether something happens; scores are log-odds.
    Binary,
    /// Which of several classes; scores are one logit per class (softmax gives the probabilities).
    Class {
        /// The classes' names, in the order of their codes.
        classes: Vec<String>,
    },
    /// A number; scores are the number itself.
    Value,
}

impl Task {
    /// Scores per row: one, or one per class.
    #[must_use]
    pub const fn n_outputs(&self) -> usize {
        match self {
            Self::Binary | Self::Value => 1,
            Self::Class { classes } => classes.len(),
        }
    }

    /// `binary`, `class` or `value`.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Binary => "binary",
            Self::Class { .. } => "class",
            Self::Value => "value",
        }
    }

    /// Whether rows fall into classes (two or more).
    #[must_use]
    pub const fn is_classification(&self) -> bool {
        !matches!(self, Self::Value)
    }
}

/// The targets of the rows of a table, one entry per row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Target<'a> {
    /// Whether the outcome happened.
    Binary(&'a [bool]),
    /// Codes into the classes' names.
    Class {
        /// One code per row.
        codes: &'a [u32],
        /// At least two names.
        classes: &'a [String],
    },
    /// Finite numbers.
    Value(&'a [f64]),
}

impl<'a> Target<'a> {
    /// Number of rows.
    #[must_use]
    pub const fn len(&self) -> usize {
        match self {
            Self::Binary(target) => target.len(),
            Self::Class { codes, .. } => codes.len(),
            Self::Value(target) => target.len(),
        }
    }

    /// Whether there are no rows.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The kind of target.
    #[must_use]
    pub fn task(&self) -> Task {
        match self {
            Self::Binary(_) => Task::Binary,
            Self::Class { classes, .. } => Task::Class {
                classes: classes.to_vec(),
            },
            Self::Value(_) => Task::Value,
        }
    }

    /// Whether the outcome happened, per row.
    ///
    /// # Errors
    /// `TW0901` for another kind of target.
    pub fn binary(&self) -> Result<&'a [bool]> {
        match self {
            Self::Binary(target) => Ok(target),
            _ => Err(Error::new(
                "TW0901",
                format!(
                    "internal error: a {} target where a binary one is needed",
                    self.task().as_str()
                ),
            )),
        }
    }

    /// The target of a row as a number: 0 or 1, the class's code, or the value.
    #[must_use]
    pub fn number(&self, row: usize) -> f64 {
        match self {
            Self::Binary(target) => f64::from(u8::from(target[row])),
            Self::Class { codes, .. } => f64::from(codes[row]),
            Self::Value(target) => target[row],
        }
    }
}

/// Targets, weights and groups of the rows that a learner is shown, in the order of its matrix.
#[derive(Debug, Clone)]
pub(crate) struct Examples {
    pub(crate) task: Task,
    /// 0 or 1, a class's code, or the value.
    pub(crate) target: Vec<f64>,
    pub(crate) weight: Vec<f64>,
    pub(crate) group: Vec<u64>,
}

impl Examples {
    /// Two-class examples.
    #[cfg(test)]
    pub(crate) fn binary(target: &[bool], weight: Vec<f64>, group: Vec<u64>) -> Self {
        Self {
            task: Task::Binary,
            target: target.iter().map(|target| f64::from(u8::from(*target))).collect(),
            weight,
            group,
        }
    }

    /// The stratum of each row for stratified splits: its class, 0 for values.
    pub(crate) fn strata(&self) -> Vec<usize> {
        self.target
            .iter()
            .map(|target| {
                if self.task.is_classification() {
                    *target as usize
                } else {
                    0
                }
            })
            .collect()
    }

    /// Refuses weights that are not positive numbers, targets that are not numbers, and targets that do not vary.
    ///
    /// # Errors
    /// `TW0304` for an unusable weight or target, `TW0301` when every row has the same target.
    pub(crate) fn check(&self) -> Result<()> {
        if let Some(weight) = self
            .weight
            .iter()
            .find(|weight| !weight.is_finite() || **weight <= 0.0)
        {
            return Err(Error::new("TW0304", format!("a row has the weight {weight}"))
                .hint("weights are positive numbers; leave a row out instead of giving it weight 0"));
        }
        if let Some(row) = self.target.iter().position(|target| !target.is_finite()) {
            return Err(Error::new(
                "TW0304",
                format!(
                    "the target is {} in row {} of the table",
                    self.target[row],
                    row + 1
                ),
            )
            .hint("give every row a finite number, or leave the row out"));
        }
        let first = self.target.first().copied().unwrap_or_default();
        if self.target.iter().any(|target| *target != first) {
            return Ok(());
        }
        Err(match &self.task {
            Task::Binary => one_class(first > 0.5),
            Task::Class { classes } => {
                let name = classes.get(first as usize).map_or("?", String::as_str);
                Error::new(
                    "TW0301",
                    format!(
                        "every row that could be learned from is \"{name}\": there is nothing to tell apart"
                    ),
                )
                .hint("check the target column, and that the source holds more than one class")
            }
            Task::Value => Error::new(
                "TW0301",
                format!("the target is {first} in every row: there is nothing to tell apart"),
            )
            .hint("check the target column"),
        })
    }
}

pub(crate) fn one_class(positive: bool) -> Error {
    let which = if positive { "positive" } else { "negative" };
    Error::new(
        "TW0301",
        format!("every row that could be learned from is {which}: there is nothing to tell apart"),
    )
    .hint("check [outcome] column and positive, and that the source holds both kinds of customer")
}

/// A model's scores before any link: row after row, [`Task::n_outputs`] a row.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Margins {
    pub(crate) cells: Vec<f64>,
    pub(crate) n_outputs: usize,
}

impl Margins {
    /// One score a row.
    pub(crate) const fn single(cells: Vec<f64>) -> Self {
        Self { cells, n_outputs: 1 }
    }

    /// The scores of each row.
    pub(crate) fn rows(&self) -> impl Iterator<Item = &[f64]> {
        self.cells.chunks_exact(self.n_outputs.max(1))
    }
}
