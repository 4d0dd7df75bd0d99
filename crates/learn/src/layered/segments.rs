//! Corrections per segment: what is added to everybody's log-odds for the rows of a segment, shrunk by its evidence.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use thalweg_domain::{ColumnData, Error, MISSING_LEVEL, Result, Table};

use super::evidence::{OffsetRows, Posterior};
use crate::prepare::DenseMatrix;

/// Which segments get corrections, and how.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SegmentParams {
    /// The category or boolean column whose levels are the segments.
    pub column: String,
    /// Rows of training that a level must have for a correction of its own, at least 1.
    #[serde(default = "default_min_rows")]
    pub min_rows: usize,
}

const fn default_min_rows() -> usize {
    100
}

impl SegmentParams {
    /// Segments by the levels of a column.
    #[must_use]
    pub const fn by(column: String) -> Self {
        Self {
            column,
            min_rows: default_min_rows(),
        }
    }
}

/// Fitted corrections: for a row of segment s, `intercept_s + slopes_s . x` is added to the log-odds.
///
/// `x` is the row's dense encoding (standardised), and both parts have a normal prior around 0 whose width all segments share;
/// the widths are those under which the data are most probable (empirical Bayes, MacKay 1992). A width of 0
/// is a candidate, so segments that differ in nothing but chance are left as they are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Segments {
    column: String,
    /// Level, intercept and slopes (none when they were shrunk away), by level.
    corrections: Vec<Correction>,
    /// Prior standard deviations of the intercepts and of the slopes.
    intercept_sd: f64,
    slope_sd: f64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Correction {
    level: String,
    intercept: f64,
    slopes: Vec<f64>,
}

/// What corrections are learned from: rows of a table with the log-odds of a model that has not seen them.
#[derive(Debug, Clone, Copy)]
pub(super) struct SegmentRows<'a> {
    pub(super) table: &'a Table,
    pub(super) rows: &'a [usize],
    /// The dense encoding of `rows`.
    pub(super) x: &'a DenseMatrix,
    /// Out-of-fold log-odds of `rows`.
    pub(super) margins: &'a [f64],
    /// 0 or 1.
    pub(super) target: &'a [f64],
    pub(super) weight: &'a [f64],
}

/// Prior standard deviations that are tried for intercepts and, with the best of them, for slopes (per standard deviation of a
/// column).
const INTERCEPT_SDS: [f64; 6] = [0.05, 0.1, 0.2, 0.4, 0.8, 1.6];
const SLOPE_SDS: [f64; 6] = [0.01, 0.02, 0.04, 0.08, 0.16, 0.32];

/// By how much a width above 0 must raise the log evidence: half of 2.71, which a variance that is really 0 exceeds in 5 % of
/// cases (Self and Liang 1987, doi:10.1080/01621459.1987.10478472).
const CLEAR_GAIN: f64 = 1.35;

impl Segments {
    /// Learns the corrections.
    ///
    /// # Errors
    /// `TW0305` when the column is missing, `TW0306` when it is neither a category nor boolean.
    pub(super) fn fit(params: &SegmentParams, data: &SegmentRows<'_>) -> Result<Self> {
        let levels = levels_of(data.table, &params.column, data.rows)?;
        let mut names: Vec<&String> = levels.iter().flatten().collect();
        names.sort();
        names.dedup();
        let parts: Vec<(&String, Vec<usize>)> = names
            .into_iter()
            .map(|name| {
                let own = (0..levels.len()).filter(|row| levels[*row].as_ref() == Some(name));
                (name, own.collect::<Vec<_>>())
            })
            .filter(|(_, own)| own.len() >= params.min_rows.max(1))
            .collect();
        let mean_weight = data.weight.iter().sum::<f64>() / data.weight.len() as f64;
        let take = |width: usize| -> Vec<OffsetRows> {
            let each = parts
                .iter()
                .map(|(_, own)| offset_rows(data, own, width, mean_weight));
            each.collect()
        };
        let (mut intercept_sd, mut best) = most_probable(&take(1), &INTERCEPT_SDS, |sd| vec![precision(sd)]);
        let width = data.x.n_columns + 1;
        let prior_intercept = intercept_sd.max(INTERCEPT_SDS[0]);
        let slopes = |sd: f64| {
            let mut all = vec![precision(sd); width];
            all[0] = precision(prior_intercept);
            all
        };
        let (mut slope_sd, with_slopes) = most_probable(&take(width), &SLOPE_SDS, slopes);
        if with_slopes.log_evidence > best.log_evidence + CLEAR_GAIN {
            intercept_sd = prior_intercept;
            best = with_slopes;
        } else {
            slope_sd = 0.0;
        }
        let corrections = parts
            .iter()
            .zip(best.betas)
            .filter_map(|((level, _), beta)| {
                let (intercept, slopes) = beta.split_first()?;
                Some(Correction {
                    level: (*level).clone(),
                    intercept: *intercept,
                    slopes: if slope_sd > 0.0 {
                        slopes.to_vec()
                    } else {
                        Vec::new()
                    },
                })
            })
            .collect();
        Ok(Self {
            column: params.column.clone(),
            corrections,
            intercept_sd,
            slope_sd,
        })
    }

    /// Prior standard deviations found for intercepts and slopes; 0 is no correction.
    pub(super) const fn widths(&self) -> (f64, f64) {
        (self.intercept_sd, self.slope_sd)
    }

    /// What is added to the log-odds of each of the given rows, and, cell by cell, by which column.
    ///
    /// # Errors
    /// `TW0305` when the column is missing, `TW0306` when its kind has changed.
    pub(super) fn corrections(
        &self,
        table: &Table,
        rows: &[usize],
        x: &DenseMatrix,
    ) -> Result<Vec<(f64, Option<Vec<f64>>)>> {
        let levels = levels_of(table, &self.column, rows)?;
        let find = |level: &Option<String>| {
            let level = level.as_ref()?;
            self.corrections
                .iter()
                .find(|correction| correction.level == *level)
        };
        Ok(levels
            .iter()
            .enumerate()
            .map(|(row, level)| match find(level) {
                None => (0.0, None),
                Some(correction) if correction.slopes.is_empty() => (correction.intercept, None),
                Some(correction) => {
                    let each = x.row(row).iter().zip(&correction.slopes);
                    let cells = each.map(|(x, slope)| f64::from(*x) * slope).collect();
                    (correction.intercept, Some(cells))
                }
            })
            .collect())
    }
}

fn precision(sd: f64) -> f64 {
    1.0 / (sd * sd)
}

/// Coefficients per segment and what speaks for them.
struct Found {
    betas: Vec<Vec<f64>>,
    log_evidence: f64,
}

/// The width under which the data of all segments together are most probable; 0 (no correction) unless one of `sds` is clearly
/// better.
fn most_probable(parts: &[OffsetRows], sds: &[f64], prior: impl Fn(f64) -> Vec<f64> + Sync) -> (f64, Found) {
    let plain: f64 = parts.iter().map(OffsetRows::plain_evidence).sum();
    let nothing = Found {
        betas: parts.iter().map(|part| vec![0.0; part.width]).collect(),
        log_evidence: plain,
    };
    let mut best = (0.0, nothing);
    for sd in sds {
        let precision = prior(*sd);
        let fits: Option<Vec<Posterior>> = parts.par_iter().map(|part| part.posterior(&precision)).collect();
        let Some(fits) = fits else { continue };
        let log_evidence: f64 = fits.iter().map(|fit| fit.log_evidence).sum();
        if log_evidence > best.1.log_evidence && log_evidence > plain + CLEAR_GAIN {
            let betas = fits.into_iter().map(|fit| fit.beta).collect();
            best = (*sd, Found { betas, log_evidence });
        }
    }
    best
}

/// The rows of a segment with 1 and the first `width - 1` dense columns as cells.
fn offset_rows(data: &SegmentRows<'_>, own: &[usize], width: usize, mean_weight: f64) -> OffsetRows {
    let mut cells = Vec::with_capacity(own.len() * width);
    for row in own {
        cells.push(1.0);
        cells.extend(
            data.x
                .row(*row)
                .iter()
                .take(width - 1)
                .map(|cell| f64::from(*cell)),
        );
    }
    let pick = |all: &[f64]| own.iter().map(|row| all[*row]).collect::<Vec<_>>();
    OffsetRows {
        cells,
        width,
        offset: pick(data.margins),
        target: pick(data.target),
        weight: own.iter().map(|row| data.weight[*row] / mean_weight).collect(),
    }
}

/// The segment of each row; `None` when its cell is missing.
fn levels_of(table: &Table, name: &str, rows: &[usize]) -> Result<Vec<Option<String>>> {
    let Some(column) = table.column(name) else {
        return Err(Error::new(
            "TW0305",
            format!("the segments' column \"{name}\" is not in the table"),
        )
        .hint("name a category or boolean column that the table has"));
    };
    match &column.data {
        ColumnData::Category { codes, levels } => Ok(rows
            .iter()
            .map(|row| match codes[*row] {
                MISSING_LEVEL => None,
                code => levels.get(code as usize).cloned(),
            })
            .collect()),
        ColumnData::Boolean(cells) => Ok(rows
            .iter()
            .map(|row| cells[*row].map(|cell| cell.to_string()))
            .collect()),
        _ => {
            let kind = column.kind().as_str();
            Err(Error::new(
                "TW0306",
                format!("the segments' column \"{name}\" is of kind {kind}"),
            )
            .hint("segments are the levels of a category or boolean column"))
        }
    }
}

/// What a correction adds in total.
pub(super) fn total(correction: &(f64, Option<Vec<f64>>)) -> f64 {
    let (intercept, cells) = correction;
    intercept + cells.as_ref().map_or(0.0, |cells| cells.iter().sum())
}
