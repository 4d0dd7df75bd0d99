//! What can be set about the trees, with ranges and defaults.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use thalweg_domain::{Error, Result};

pub use super::loss::ValueLoss;

/// Parameters of the boosted trees.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct GbdtParams {
    /// Rounds of boosting at most, 1 to 10000; a round is one tree, or one per class.
    pub trees: usize,
    /// Shrinkage of each tree, in (0, 1].
    pub learning_rate: f64,
    /// Leaves of a tree at most, 2 to 4096.
    pub leaves: usize,
    /// Questions from root to leaf at most, 1 to 64.
    pub depth: usize,
    /// Least rows in a leaf, at least 1.
    pub min_rows: usize,
    /// Least sum of the loss's second derivatives in a leaf (a row of risk p counts p (1 - p), a row of a number 1), at least 0.
    pub min_leaf_weight: f64,
    /// Ridge penalty on leaf values, at least 0.
    pub l2: f64,
    /// Share of the rows that each round is shown, in (0, 1].
    pub row_share: f64,
    /// Share of the columns that each tree is shown, in (0, 1].
    pub column_share: f64,
    /// Bins of a column at most, besides the one for missing cells, 2 to 255.
    pub bins: usize,
    /// Share of the rows, whole groups, kept aside to find the number of rounds, in [0, 0.5]; 0 grows all `trees`. The
    /// trees are then grown again on all rows.
    pub validation: f64,
    /// Rounds without a lower validation loss after which growing stops, at least 1.
    pub patience: usize,
    /// What is minimised when the target is a number.
    pub loss: ValueLoss,
    /// Columns (numbers, dates, booleans) along which the score may only rise (1) or only fall (-1); 0 is free. Not for
    /// several classes.
    pub monotone: BTreeMap<String, i8>,
}

/// Chosen on 31 public tables of 178 to 28,155 rows (docs/decisions/010-trees.md): against a fixed 120 trees of the same shape, a
/// number of rounds found on a fifth of the rows loses nothing on small tables and much less where more trees are needed;
/// larger trees (31 leaves without a limit of depth) win on few of the tables and lose more on the others.
impl Default for GbdtParams {
    fn default() -> Self {
        Self {
            trees: 1000,
            learning_rate: 0.05,
            leaves: 16,
            depth: 4,
            min_rows: 5,
            min_leaf_weight: 1.0,
            l2: 1.0,
            row_share: 0.6,
            column_share: 0.8,
            bins: 255,
            validation: 0.2,
            patience: 40,
            loss: ValueLoss::Squared,
            monotone: BTreeMap::new(),
        }
    }
}

impl GbdtParams {
    /// Checks the ranges.
    ///
    /// # Errors
    /// `TW0307` with the parameter, its value and its range.
    pub fn check(&self) -> Result<()> {
        let share = |share: f64| share > 0.0 && share <= 1.0;
        let whole = |key, value: usize, low: usize, high: usize| {
            (
                key,
                value as f64,
                (low..=high).contains(&value),
                format!("between {low} and {high}"),
            )
        };
        let real = |key, value: f64, fits, range: &str| (key, value, fits, range.to_owned());
        let ranges = [
            whole("trees", self.trees, 1, 10_000),
            real(
                "learning_rate",
                self.learning_rate,
                share(self.learning_rate),
                "above 0 and at most 1",
            ),
            whole("leaves", self.leaves, 2, 4096),
            whole("depth", self.depth, 1, 64),
            whole("min_rows", self.min_rows, 1, 1_000_000_000),
            real(
                "min_leaf_weight",
                self.min_leaf_weight,
                (0.0..1e9).contains(&self.min_leaf_weight),
                "at least 0",
            ),
            real("l2", self.l2, (0.0..1e9).contains(&self.l2), "at least 0"),
            real(
                "row_share",
                self.row_share,
                share(self.row_share),
                "above 0 and at most 1",
            ),
            real(
                "column_share",
                self.column_share,
                share(self.column_share),
                "above 0 and at most 1",
            ),
            whole("bins", self.bins, 2, 255),
            real(
                "validation",
                self.validation,
                (0.0..=0.5).contains(&self.validation),
                "between 0 and 0.5",
            ),
            whole("patience", self.patience, 1, 10_000),
        ];
        for (key, value, fits, range) in ranges {
            if !fits {
                return Err(
                    Error::new("TW0307", format!("[model.gbdt] {key} = {value} cannot be used"))
                        .hint(format!("give a number {range}")),
                );
            }
        }
        match self.monotone.iter().find(|(_, sign)| !(-1..=1).contains(*sign)) {
            Some((column, sign)) => Err(Error::new(
                "TW0307",
                format!("[model.gbdt.monotone] {column} = {sign} cannot be used"),
            )
            .hint("give 1 (the score may only rise), -1 (only fall) or 0 (free)")),
            None => Ok(()),
        }
    }
}
