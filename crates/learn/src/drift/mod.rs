//! Drift: whether today's customers still look like those that the model learned from.

mod bins;
#[cfg(test)]
mod tests;

use thalweg_domain::{Check, CheckVerdict, Error, Estimate, Result, Table};

use crate::measure::chi_squared_tail;
use bins::Counts;

/// Stability index from which a column has moved, and from which it has moved far.
const MODERATE: f64 = 0.1;
const LARGE: f64 = 0.25;
/// A shift counts only when chance makes one so large less often than this.
const CHANCE: f64 = 0.001;

/// How far a distribution has moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Shift {
    /// Index below 0.1, or no more than chance.
    Stable,
    /// Index from 0.1 to 0.25.
    Moderate,
    /// Index of 0.25 and more.
    Large,
}

impl Shift {
    /// `stable`, `moderate` or `large`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Stable => "stable",
            Self::Moderate => "moderate",
            Self::Large => "large",
        }
    }
}

/// How one column (or the score) has moved.
#[derive(Debug, Clone, PartialEq)]
pub struct ColumnDrift {
    /// The column.
    pub column: String,
    /// Population stability index, 0 or more.
    pub stability_index: f64,
    /// Probability that chance alone gives an index so large.
    pub p: f64,
    /// Rows in the reference and in the new table.
    pub n: (u64, u64),
    /// The verdict.
    pub shift: Shift,
}

impl ColumnDrift {
    /// The row as a check named `drift`: PASS when stable, otherwise REVIEW with `TW0405`.
    ///
    /// Drift asks for a look and does not stop the loop: the next training learns from the new rows.
    #[must_use]
    pub fn check(&self) -> Check {
        let moved = self.shift != Shift::Stable;
        Check {
            name: "drift",
            verdict: if moved {
                CheckVerdict::Review
            } else {
                CheckVerdict::Pass
            },
            detail: format!(
                "column \"{}\": stability index {:.2} ({}), {} rows against {}",
                self.column,
                self.stability_index,
                self.shift.as_str(),
                self.n.1,
                self.n.0
            ),
            advice: moved.then(|| {
                format!(
                    "look at \"{}\" at its source; if the change is real, train again before planning",
                    self.column
                )
            }),
            code: moved.then_some("TW0405"),
        }
    }
}

/// How the risk scores have moved.
#[derive(Debug, Clone, PartialEq)]
pub struct ScoreDrift {
    /// The distribution, under the name `risk`.
    pub distribution: ColumnDrift,
    /// Mean score in the reference.
    pub mean_before: f64,
    /// Mean score now, less `mean_before`; 95 % interval.
    pub mean_shift: Estimate,
}

/// Population stability index of every column of `reference` in `new`, in the reference's order.
///
/// `PSI = sum over bins of (q - p) ln(q / p)`, `p` and `q` the bin's share in the reference and in the new table, each count
/// raised by one half so that an empty bin has a logarithm. Bins: numbers and dates in deciles of the reference and `missing`;
/// categories and truth values by level (the 49 most frequent of the reference, the others pooled) and `missing`; text by
/// `missing` or not. A column that the new table lacks, or has as another kind, counts as missing there.
///
/// Verdict: below 0.1 stable, from 0.25 large, and stable at any size when chance gives the like once in a thousand columns:
/// without a change `PSI / (1 / n + 1 / m)` is about chi-squared with bins - 1 degrees of freedom.
///
/// What it cannot see: a change in how columns go together, or in what they mean for the outcome.
///
/// Source: Siddiqi, *Credit Risk Scorecards*, 2006, for the thresholds; Yurdakul and Naranjo 2020,
/// doi:10.21314/JRMV.2020.227, for the distribution.
///
/// # Errors
/// `TW0723` when a table has no rows.
pub fn drift(reference: &Table, new: &Table) -> Result<Vec<ColumnDrift>> {
    if reference.n_rows() == 0 || new.n_rows() == 0 {
        return Err(Error::new(
            "TW0723",
            "a table without rows cannot be compared with another",
        ));
    }
    let one = |column: &thalweg_domain::Column| {
        let counts = Counts::of_columns(column, new.column(&column.name), new.n_rows());
        compared(&column.name, &counts)
    };
    Ok(reference.columns().iter().map(one).collect())
}

/// How risk scores have moved: stability index in deciles of the reference, and the shift of their mean with
/// `± 1.96 sqrt(s_1² / n + s_2² / m)`.
///
/// # Errors
/// `TW0723` when there are fewer than two scores on a side, `TW0721` when one is not a number.
///
/// ```
/// let before: Vec<f64> = (0..1000).map(|i| f64::from(i) / 1000.0).collect();
/// let now: Vec<f64> = before.iter().map(|p| p * 0.5).collect();
/// let shift = thalweg_learn::drift::score_drift(&before, &now)?;
/// assert_eq!(shift.distribution.shift.as_str(), "large");
/// assert!(shift.mean_shift.high < -0.2);
/// # Ok::<(), thalweg_domain::Error>(())
/// ```
pub fn score_drift(reference: &[f64], new: &[f64]) -> Result<ScoreDrift> {
    if reference.len() < 2 || new.len() < 2 {
        return Err(Error::new("TW0723", "fewer than two scores cannot be compared"));
    }
    if !reference.iter().chain(new).all(|score| score.is_finite()) {
        return Err(Error::new("TW0721", "a risk score is not a finite number"));
    }
    let ((mean_before, var_before), (mean_now, var_now)) = (moments(reference), moments(new));
    let sd = (var_before / reference.len() as f64 + var_now / new.len() as f64).sqrt();
    Ok(ScoreDrift {
        distribution: compared("risk", &Counts::of_numbers(reference, new)),
        mean_before,
        mean_shift: Estimate::normal(mean_now - mean_before, sd, Estimate::Z95),
    })
}

fn moments(cells: &[f64]) -> (f64, f64) {
    let n = cells.len() as f64;
    let mean = cells.iter().sum::<f64>() / n;
    (
        mean,
        cells.iter().map(|cell| (cell - mean).powi(2)).sum::<f64>() / (n - 1.0),
    )
}

fn compared(name: &str, counts: &Counts) -> ColumnDrift {
    let (n, m) = counts.totals();
    let index = counts.stability_index();
    let bins = counts.n_bins();
    let scaled = index / (1.0 / n as f64 + 1.0 / m as f64);
    let p = if bins > 1 {
        chi_squared_tail(scaled, (bins - 1) as f64)
    } else {
        1.0
    };
    let shift = match index {
        _ if p >= CHANCE => Shift::Stable,
        index if index >= LARGE => Shift::Large,
        index if index >= MODERATE => Shift::Moderate,
        _ => Shift::Stable,
    };
    ColumnDrift {
        column: name.to_owned(),
        stability_index: index,
        p,
        n: (n, m),
        shift,
    }
}
