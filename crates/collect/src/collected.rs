//! What collecting gives: the customers' table with its roles resolved.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use thalweg_domain::{Duration, Error, Result, Table, Timestamp};

/// The customers, one entry per row in the order of the source.
#[derive(Clone)]
pub struct Collected {
    /// The customers' keys; row numbers from 1 when the source has no key.
    pub keys: Vec<String>,
    /// The cluster of each customer; a customer without one is alone in `alone:KEY`.
    pub cluster: Option<Vec<String>>,
    /// What models may see: every column except key, cluster, target, excluded, constant, key-like and empty ones,
    /// with the columns of `features.sql`. Consent columns and free text stay.
    pub features: Table,
    /// Every column of the source, for templates, segments and fairness.
    pub raw: Table,
    /// Whether the outcome happened; `None` for customers to decide on.
    pub target: Option<Vec<Option<bool>>>,
    /// When each row was looked at, if rows are customers at several moments; then keys repeat.
    pub panel: Option<Panel>,
    /// Results of the numeric expressions; NaN where an input is missing (a note counts them).
    pub expressions: BTreeMap<String, Vec<f64>>,
    /// Results of the conditions; an unknown result is `false` (a note counts them).
    pub conditions: BTreeMap<String, Vec<bool>>,
    /// Consent; a missing cell is `false` (a note counts them).
    pub flags: BTreeMap<String, Vec<bool>>,
    /// What a person should know.
    pub notes: Vec<Note>,
    /// As [`crate::source_fingerprint`] of the same files.
    pub source_hash: String,
}

/// Customers as of several moments in the past, with what they did afterwards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Panel {
    /// The moments, oldest first. A row sees nothing at or after its own.
    pub cutoffs: Vec<Timestamp>,
    /// An outcome lies in [cut-off, cut-off + horizon).
    pub horizon: Duration,
    /// When those without an outcome yet are decided on.
    pub decide_at: Timestamp,
    /// The index of each row's cut-off; `None` for customers to decide on.
    pub period: Vec<Option<u32>>,
}

/// What a note is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoteKind {
    /// A column is no feature; the text says why.
    Dropped,
    /// A column has missing cells.
    Missing,
    /// An assumption was made that a person may want to correct.
    Assumed,
    /// Rows were left out of a join or a filter.
    LeftOut,
}

/// Something that collecting noticed and that is not an error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// What it is about.
    pub kind: NoteKind,
    /// The column, expression or condition.
    pub column: Option<String>,
    /// How many rows.
    pub n_rows: usize,
    /// In words.
    pub text: String,
}

impl Note {
    pub(crate) fn new(kind: NoteKind, column: &str, n_rows: usize, text: impl Into<String>) -> Self {
        Self {
            kind,
            column: Some(column.to_owned()),
            n_rows,
            text: text.into(),
        }
    }
}

/// What an expression's result must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Requirement {
    /// No missing result.
    Present,
    /// No missing and no negative result.
    NonNegative,
}

impl Collected {
    /// Number of customers.
    #[must_use]
    pub fn n_rows(&self) -> usize {
        self.keys.len()
    }

    /// Checks the result of an expression.
    ///
    /// # Errors
    /// `TW0224` with the number of customers that break the requirement and the first of them;
    /// `TW0901` when no expression has that name.
    pub fn require(&self, expression: &str, requirement: Requirement) -> Result<&[f64]> {
        let values = self.expressions.get(expression).ok_or_else(|| {
            Error::new(
                "TW0901",
                format!("internal error: no expression \"{expression}\" was collected"),
            )
        })?;
        let fault = |value: f64| match requirement {
            Requirement::Present => value.is_nan(),
            Requirement::NonNegative => value.is_nan() || value < 0.0,
        };
        let mut faults = self.keys.iter().zip(values).filter(|(_, value)| fault(**value));
        match faults.next() {
            None => Ok(values),
            Some((key, value)) => Err(unusable(
                expression,
                &Unusable {
                    key,
                    value: *value,
                    n: 1 + faults.count(),
                },
            )),
        }
    }
}

/// The first of `n` customers for whom an expression gives a number that cannot be used.
pub(crate) struct Unusable<'a> {
    pub(crate) key: &'a str,
    pub(crate) value: f64,
    pub(crate) n: usize,
}

pub(crate) fn unusable(expression: &str, first: &Unusable<'_>) -> Error {
    let what = match first.value {
        value if value.is_nan() => "missing",
        value if value.is_infinite() => "infinite",
        _ => "negative",
    };
    let customers = if first.n == 1 {
        "1 customer".to_owned()
    } else {
        format!("{} customers", first.n)
    };
    let detail = if what == "negative" {
        format!(" ({})", first.value)
    } else {
        String::new()
    };
    Error::new(
        "TW0224",
        format!(
            "\"{expression}\" cannot be used for {customers}; for the first, \"{}\", it is {what}{detail}",
            first.key
        ),
    )
    .hint(match what {
        "missing" => "give a value where a cell is missing, for example coalesce(monthly_charges, 0) * 12",
        "infinite" => "guard the division, for example monthly_charges / nullif(tenure, 0)",
        _ => "mend the expression or the cells; greatest(…, 0) keeps it at zero or above",
    })
}

impl fmt::Debug for Collected {
    /// Sizes only: the cells are personal data.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Collected")
            .field("n_rows", &self.keys.len())
            .field("n_features", &self.features.columns().len())
            .field("source_hash", &self.source_hash)
            .finish_non_exhaustive()
    }
}
